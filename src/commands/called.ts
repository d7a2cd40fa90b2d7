/** How this program was called, for the lines that people are to type. */
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isSea } from 'node:sea';
import type { PublicError } from '../errors.ts';
import type { RunEvent } from '../run-events.ts';

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The script of a clone that started this, as it was typed. */
const bootstrap = (): string | undefined => process.env['MCP_INSTALLER_BOOTSTRAP'];

/** In a clone, `mcp-installer` is install.sh under its other name: it hands every command on. */
const otherName = 'mcp-installer';

/** The line to type for somebody who is not root: what was typed, with sudo and the settings of the environment. */
export function sudoLine(variables: Readonly<Record<string, string>> = {}): string {
  const script = bootstrap();
  const words =
    script === undefined
      ? [...(isSea() ? [] : [process.execPath]), ...process.argv.slice(1)]
      : // install.sh itself adds the command.
        [script, ...process.argv.slice(path.basename(script) === otherName ? 2 : 3)];
  // sudo drops the environment, but takes assignments before the command.
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return ['sudo', ...settings, ...words].map(quoted).join(' ');
}

/** What stands for `mcp-installer` in a line to type: somebody with a clone has no such command. */
function programName(): string {
  const script = bootstrap();
  const own = process.argv[1] ?? otherName;
  if (script === undefined) return path.basename(own) === otherName ? otherName : quoted(own);
  try {
    const beside = path.join(path.dirname(realpathSync(script)), otherName);
    if (existsSync(beside)) return quoted(beside);
  } catch {
    // Moved away meanwhile: the bundle that runs is still there.
  }
  return quoted(own);
}

/** `--instance NAME`, as it was typed: what is to be typed next is about the same installation. */
function instanceWords(): string {
  const own = process.argv.slice(2);
  const at = own.findIndex((word) => word === '--instance' || word.startsWith('--instance='));
  const name = at === -1 ? '' : own[at]!.includes('=') ? own[at]!.slice('--instance='.length) : own[at + 1];
  return name === undefined || name === '' ? '' : ` --instance ${quoted(name)}`;
}

const asCalled = (text: string): string =>
  text.replace(/`mcp-installer ([^`]*)`/gu, (_, words: string) => {
    const instance = words.includes('--help') ? '' : instanceWords();
    return `\`${programName()} ${words}${instance}\``;
  });

/** An error whose remedy can be typed as it stands. */
export function typeable(
  error: PublicError | null,
  variables: Readonly<Record<string, string>> = {},
): PublicError | null {
  if (error === null) return null;
  const remedy = error.code === 'E_NOT_ROOT' ? `Run: ${sudoLine(variables)}` : asCalled(error.remedy);
  return { ...error, remedy };
}

/** What a run tells, so that commands that a note names can be typed as they stand. */
export const typeableEvent = (event: RunEvent): RunEvent =>
  event.type === 'note' ? { ...event, text: asCalled(event.text) } : event;
