/** The text of each generated reference page, from the code that it is about. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import type { Command } from 'commander';
import { createProgram } from '../src/commands/program.ts';
import { draw } from '../src/diagram/svg.ts';
import { errorTable } from '../src/errors.ts';
import { stateSummaries, transitions } from '../src/machines/diagram.ts';
import { mcpOauthProxy } from '../src/products/mcp-oauth-proxy/index.ts';
import { runEvent } from '../src/run-events.ts';
import type { Campaign } from '../tests/faults/fault-class.ts';
import { computeLayout } from './layout.ts';
import { libraryPage } from './library-page.ts';
import { completions } from './completions.ts';
import { manPage } from './man-page.ts';
import { productPage, productSchema } from './product-page.ts';
import { exits, managedFiles } from './reference-data.ts';

const made = '<!-- Made by `npm run docs`; do not edit. -->\n\n';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('');

function machine(): string {
  const states = stateSummaries().map(({ name, actor, final, description }) => [
    `\`${name}\``,
    final ? 'final' : `\`${actor ?? ''}\``,
    description,
  ]);
  const ways = transitions().map(({ from, event, note, to, description }) => [
    from,
    event,
    note,
    to,
    description,
  ]);
  return `${made}# The machine

![The machine as a statechart: every state with what it does, every way between two states with its events and conditions](../images/machine.svg)

The blue way is that of a run that installs. \`done\` is the end of a state's work, \`error\` its failure, \`interrupt\` a signal; a condition stands in brackets. All of it is drawn from the machine itself, as is what \`mcp-installer graph\` prints: \`--format mermaid\` (default), \`dot\` for Graphviz, \`json\` (XState's configuration: loads in \`createMachine\` and in Stately Studio's import; guards, actions and actors stand by their names) or \`svg\` (this picture).

\`mcp-installer graph --run RUN\` marks the way that a run took, and where it was cut off if it was; RUN is as for \`show\`. Steps are numbered as \`replay\` numbers them. In JSON the way stands under \`meta.path\`, where XState keeps what is not its own, so that the machine still loads. A run of another version of the machine is refused with exit code 65.

## States

${table(['state', 'actor', 'what'], states)}
## Transitions

The first one whose guard holds is taken.

${table(['from', 'event', 'guard', 'to', 'when'], ways)}`;
}

function options(): string {
  const program = createProgram(() => () => Promise.resolve());
  const section = (command: Command): string => {
    const words = command.registeredArguments.map((argument) => ` ${argument.name().toUpperCase()}`).join('');
    const rows = command.options.map(({ flags, description }) => [`\`${flags}\``, description]);
    return `## ${command.name()}${words}\n\n${command.description()}\n\n${rows.length === 0 ? '' : table(['option', 'meaning'], rows)}\n`;
  };
  const variables = mcpOauthProxy.settings.map(({ option, key, description }) => [
    `\`MCP_INSTALLER_${option.replaceAll('-', '_').toUpperCase()}\``,
    `\`${key}\``,
    description,
  ]);
  return `${made}# Commands and options\n\n\`install\` is the default command.\n\n${program.commands.map(section).join('')}## Environment\n\nA setting comes from: flag, environment, \`--config FILE\`, the installation, default; in this order.\n\n${table(['variable', 'in the env file', 'meaning'], variables)}\n\`DRY_RUN=1|true|yes\` is \`--dry-run\`, also where sudo dropped it. \`NO_COLOR\` is honoured. What rotates, replaces or skips is a flag or nothing: \`FORCE_ROTATE_TOKENS\` is refused, and so is a variable that names such a flag (\`MCP_INSTALLER_SKIP_PREFLIGHT\`) or is nearly a setting (\`MCP_INSTALLER_DOMIAN\`); other variables that begin like ours are left alone. Where sudo dropped a setting, the run says so.\n\nOne value an option: given twice with different values is bad usage, except for the lists \`--force-rotate-tokens\` and \`--unset\`, which collect. \`--config\` reads a regular file of NAME=value lines (\`-\`: stdin); \`--source\`, \`--mcp-token-file\` and \`--owner-password-file\` read pipes too; none reads more than 1 MiB.\n`;
}

const exitCodes = (): string =>
  `${made}# Exit codes\n\n${table(
    ['code', 'meaning'],
    exits.map(([code, words]) => [String(code), words]),
  )}`;

function errors(): string {
  // Without those an error has other words for a special case.
  const left = ['remedy', 'breaking'];
  const named = new Proxy(
    {},
    { get: (_, name) => (left.includes(String(name)) ? undefined : `‹${String(name)}›`) },
  );
  const rows = Object.entries(errorTable).map(([code, entry]) => [
    `\`${code}\``,
    String(entry.exit),
    entry.what(named),
    entry.remedy(named),
  ]);
  return `${made}# Errors\n\nThe exit code is the one of a run that had not changed anything; once something was changed it is 12 (put back) or 13. A refusal by an error of 13 is 10.\n\n${table(['code', 'exit', 'what happened', 'what to do'], rows)}`;
}

function files(): string {
  const rows = managedFiles().map(({ path, mode, what }) => [`\`${path}\``, mode, what]);
  const secrets = mcpOauthProxy.secrets.map((secret) => [
    `\`${secret.name}\``,
    secret.optional === true ? 'optional, never generated' : String(secret.bytes),
    secret.purpose,
    secret.afterRotation,
  ]);
  return `${made}# Files\n\n${table(['path', 'mode', 'what'], rows)}\n## Secrets\n\n\`KEY=value\` lines at the head of a fresh env file; what is generated is lower-case hex.\n\n${table(['name', 'random bytes', 'purpose', 'after a rotation'], secrets)}`;
}

const runEvents = (): string =>
  `${made}# Events of a run (\`--json\`)\n\nOne JSON object a line on stdout; people's text goes to stderr. Every line has \`v\` and \`type\`; the last one is \`result\`. The [schema](run-events.schema.json):\n\n${table(
    ['type', 'fields'],
    runEvent.options.map(({ entries }) => [
      `\`${entries.type.literal}\``,
      Object.keys(entries)
        .filter((name) => name !== 'v' && name !== 'type')
        .join(', '),
    ]),
  )}`;

/** The numbers of the last whole campaign, as `npm run faults -- --summary` wrote them. */
function faults(root: string): string {
  const { cores, seconds, classes } = JSON.parse(
    readFileSync(path.join(root, 'tests/faults/campaign.json'), 'utf8'),
  ) as Campaign;
  const total = (count: 'made' | 'fired' | 'survived'): string =>
    `${classes.reduce((sum, each) => sum + each[count], 0)}`;
  const rows = classes.map(({ id, title, made: all, fired, survived }) => [
    id,
    title,
    ...[all, fired, survived].map(String),
  ]);
  rows.push(['', 'all', total('made'), total('fired'), total('survived')]);
  return `${made}# The fault campaign

The built command line is struck at one place at a time, on a host of its own each time, while it installs, repairs, upgrades, moves, rotates, rolls back or uninstalls. Then somebody types their command again. Survived means that every secret was whole and private at every moment, that nothing half made was left, that no record of an earlier run was lost, that a run which could end said why, that the next run made everything right, and that the one after it found nothing to do. A fault that did not happen where it was meant to counts as not survived.

The last whole campaign took ${(seconds / 60).toFixed(0)} minutes on ${cores} cores; a class that was changed since was made again, alone:

${table(['class', 'what', 'made', 'fired', 'survived'], rows)}
\`sudo npm run faults\` makes it and ends with these numbers, \`-- --list\` names every fault, \`-- --class 1\` makes those of one class, and \`sudo npm run faults:quick\` is the sample that every change has to pass. [How it is built](../../CONTRIBUTING.md#the-fault-campaign).
`;
}

/** File, as seen from docs/reference → text; `root` is the repository's. */
export async function pages(root: string): Promise<Readonly<Record<string, string>>> {
  const layout = await computeLayout();
  return {
    'library.md': made + libraryPage(root),
    'machine.md': machine(),
    'options.md': options(),
    'exit-codes.md': exitCodes(),
    'errors.md': errors(),
    'faults.md': faults(root),
    'files.md': files(),
    'run-events.md': runEvents(),
    'product.md': `${made}${productPage(table)}`,
    'product.schema.json': `${JSON.stringify(productSchema, null, 2)}\n`,
    'run-events.schema.json': `${JSON.stringify(toJsonSchema(runEvent, { errorMode: 'ignore' }), null, 2)}\n`,
    '../man/mcp-installer.8': manPage(root),
    ...Object.fromEntries(
      Object.entries(completions()).map(([name, text]) => [`../completions/${name}`, text]),
    ),
    '../images/machine.svg': draw(layout, { standalone: true }),
    '../../src/diagram/layout.json': `${JSON.stringify(layout)}\n`,
  };
}
