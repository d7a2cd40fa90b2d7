/** Running programs: argument array, absolute path, an environment of our own making, no shell. */
import { InstallerError } from '../../errors.ts';
import type { Command, CommandResult } from './port.ts';

/** Nothing of the caller's environment reaches a child: PATH, PYTHONPATH, LD_PRELOAD and their kind stay outside. */
const builtEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  HOME: '/root',
  TERM: 'dumb',
  SYSTEMD_PAGER: '',
  SYSTEMD_COLORS: '0',
};

const defaultTimeout = 60_000;

/** More output than this is of no use to anybody; a child that goes on is ended. */
const maxOutput = 4 * 1024 * 1024;

/** Nothing where the program could not even be started. */
const textOf = (output: unknown): string => (typeof output === 'string' ? output : '');

/** How a program ends when this one does: one that looks goes with it, one that changes something never half way. */
export type Lifetime = 'ours' | 'its own';

/**
 * @param lifetime `its own`: in a session of its own, where no Ctrl-C at our terminal reaches it, and it outlives us
 * @returns the result whatever the exit code is: 127 where the program is missing, 124 after its timeout
 * @throws InstallerError E_INTERNAL for a relative path: programs are never looked for
 */
export async function runCommand(command: Command, lifetime: Lifetime): Promise<CommandResult> {
  if (!command.file.startsWith('/'))
    throw new InstallerError('E_INTERNAL', { why: `${command.file} is no absolute path` });
  // Loaded when the first program runs: most of the start-up time of a run that only prints would be this.
  const { execa } = await import('execa');
  const child = execa(command.file, command.args, {
    env: { ...builtEnvironment, ...command.env },
    extendEnv: false,
    cwd: '/',
    reject: false,
    detached: lifetime === 'its own',
    // Whoever embeds this has signal handlers of its own. What only looks ends by itself.
    cleanup: false,
    stripFinalNewline: false,
    timeout: command.timeout ?? defaultTimeout,
    maxBuffer: maxOutput,
    ...(command.signal === undefined || lifetime === 'its own' ? {} : { cancelSignal: command.signal }),
    ...(command.input === undefined ? { stdin: 'ignore' as const } : { input: command.input }),
  });
  const result = await child;
  const missing = result.code === 'ENOENT' || result.code === 'EACCES';
  const exitCode = result.timedOut ? 124 : (result.exitCode ?? (missing ? 127 : 128));
  return { exitCode, stdout: textOf(result.stdout), stderr: textOf(result.stderr) };
}
