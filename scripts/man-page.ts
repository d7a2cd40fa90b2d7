/** The manual page, from the definitions of the commands: man(7) macros, which both groff and mandoc read. */
import type { Command } from 'commander';
import { createProgram } from '../src/commands/program.ts';
import { mcpOauthProxy } from '../src/products/mcp-oauth-proxy/index.ts';
import { exits, managedFiles } from './reference-data.ts';
import { releaseFacts } from './release-facts.mjs';

/** Text for roff: a hyphen is a minus, as it is typed; a line must not begin with a control character. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('→', '\\(->')
    .replace(/^([.'])/gmu, '\\&$1');

/** As `plain`, with what stands between backquotes in bold. */
const roff = (text: string): string => plain(text).replaceAll(/`([^`]*)`/gu, '\\fB$1\\fR');

/** `--root <dir>` as it is typed: what is to be replaced in italics. */
const usage = (flags: string): string =>
  flags
    .split(/(<[^>]+>|\[[^\]]+\])/u)
    .map((part) => {
      if (/^<.+>$/u.test(part)) return `\\fI${plain(part.slice(1, -1).toUpperCase())}\\fR`;
      if (/^\[.+\]$/u.test(part)) return `[\\fI${plain(part.slice(1, -1).toUpperCase())}\\fR]`;
      return part.trim() === '' ? part : `\\fB${plain(part.trimEnd())}\\fR${part.endsWith(' ') ? ' ' : ''}`;
    })
    .join('');

const item = (head: string, text: string): string => `.TP\n${head}\n${roff(text)}\n`;

const wordsOf = (command: Command): string =>
  command.registeredArguments
    .map((argument) => (argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`))
    .join('');

function section(command: Command, common: ReadonlySet<string>): string {
  const own = command.options.filter(({ flags }) => !common.has(flags));
  const about = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => item(`\\fI${plain(argument.name().toUpperCase())}\\fR`, argument.description));
  return [
    `.SS ${usage(command.name() + wordsOf(command))}\n${roff(command.description())}.\n`,
    ...about,
    ...own.map(({ flags, description }) => item(usage(flags), description)),
  ].join('');
}

/** @param root of the repository */
export function manPage(root: string): string {
  const { version, day } = releaseFacts(root);
  const program = createProgram(() => () => Promise.resolve());
  const [first, ...others] = program.commands;
  // What every command has is told once.
  const shared = (first?.options ?? []).filter(({ flags }) =>
    others.every(({ options }) => options.some((option) => option.flags === flags)),
  );
  const common = new Set(shared.map(({ flags }) => flags));
  const variables = mcpOauthProxy.settings.map(({ option, description }) =>
    item(`\\fB${plain(`MCP_INSTALLER_${option.replaceAll('-', '_').toUpperCase()}`)}\\fR`, description),
  );
  return [
    '.\\" Made by `npm run docs`; do not edit.\n',
    `.TH MCP\\-INSTALLER 8 "${day}" "mcp\\-installer ${version}" "System administration"\n`,
    `.SH NAME\nmcp\\-installer \\- installs mcp\\-oauth\\-proxy, again and again; secrets stay\n`,
    `.SH SYNOPSIS\n.B mcp\\-installer\n[\\fIcommand\\fR] [\\fIoption\\fR ...]\n`,
    `.SH DESCRIPTION\n${roff(program.description())}\n.PP\n${roff('A rerun that finds nothing to do touches nothing. A run that fails puts everything back. `--dry-run` changes nothing at all, and the run after it makes exactly the changes that it printed. Each run is a journal of events, which `history`, `show`, `replay` and `rollback` read. Without a command it is `install`.')}\n`,
    `.SH COMMANDS\n${program.commands.map((command) => section(command, common)).join('')}`,
    `.SH OPTIONS OF EVERY COMMAND\n${shared.map(({ flags, description }) => item(usage(flags), description)).join('')}`,
    item('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'help for the program or a command'),
    item('\\fB\\-\\-version\\fR', 'the version; with `--json` what the program is made of'),
    `.SH EXIT STATUS\n${exits.map(([code, words]) => item(`\\fB${code}\\fR`, words)).join('')}`,
    `.SH ENVIRONMENT\nA setting comes from: flag, environment, \\fB\\-\\-config\\fR \\fIFILE\\fR, the installation, default; in this order.\n${variables.join('')}`,
    item('\\fBDRY_RUN\\fR', '1, true or yes: as `--dry-run`'),
    item('\\fBNO_COLOR\\fR', 'no colour'),
    `.SH FILES\n${managedFiles()
      .map(({ path, what }) => item(`\\fI${plain(path)}\\fR`, what))
      .join('')}`,
    `.SH EXAMPLES\n${item('\\fBmcp\\-installer \\-\\-dry\\-run\\fR', 'What an installation would change, with nothing changed.')}`,
    item(
      '\\fBmcp\\-installer \\-\\-domain mcp.example.org\\fR',
      'Installs, or moves an installation to that domain; the secrets stay.',
    ),
    item(
      '\\fBmcp\\-installer \\-\\-force\\-rotate\\-tokens CLIENT_SECRET\\fR',
      'Replaces one secret; the running service proves it.',
    ),
    item('\\fBmcp\\-installer rollback\\fR', 'Undoes the last run that changed something.'),
    `.SH SEE ALSO\n.BR systemctl (1),\n.BR nginx (8)\n`,
  ].join('');
}
