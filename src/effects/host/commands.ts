/** Running programs: argument array, absolute path, an environment of our own making, no shell. */
import { execFile } from 'node:child_process';
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

/** How a program ends when this one does: one that looks goes with it, one that changes something never half way. */
export type Lifetime = 'ours' | 'its own';

const isMissing = (code: unknown): boolean => code === 'ENOENT' || code === 'EACCES';

/** Nothing where the program could not even be started. */
const textOf = (output: unknown): string => (typeof output === 'string' ? output : '');

/**
 * By Node itself: every run looks, and most change nothing. Loading execa, and what it does beside, would take them longer
 * than the programs do.
 */
function look({ file, args, env, timeout, signal, input }: Command): Promise<CommandResult> {
  const options = {
    env: { ...builtEnvironment, ...env },
    cwd: '/',
    timeout: timeout ?? defaultTimeout,
    maxBuffer: maxOutput,
    // What only looks has nothing to put in order.
    killSignal: 'SIGKILL' as const,
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve) => {
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      const code: unknown = error?.code ?? (error === null ? 0 : null);
      const timedOut = code === null && error?.killed === true;
      const exitCode = typeof code === 'number' ? code : timedOut ? 124 : isMissing(code) ? 127 : 128;
      resolve({ exitCode, stdout, stderr });
    });
    // One that reads nothing may be gone before it is given anything.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}

async function carryOut({ file, args, env, timeout, input }: Command): Promise<CommandResult> {
  // Loaded when the first program runs that changes something.
  const { execa } = await import('execa');
  const result = await execa(file, args, {
    env: { ...builtEnvironment, ...env },
    extendEnv: false,
    cwd: '/',
    reject: false,
    detached: true,
    // Whoever embeds this has signal handlers of its own.
    cleanup: false,
    stripFinalNewline: false,
    timeout: timeout ?? defaultTimeout,
    maxBuffer: maxOutput,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  const exitCode = result.timedOut ? 124 : (result.exitCode ?? (isMissing(result.code) ? 127 : 128));
  return { exitCode, stdout: textOf(result.stdout), stderr: textOf(result.stderr) };
}

/**
 * @param lifetime `its own`: in a session of its own, where no Ctrl-C at our terminal reaches it, and it outlives us
 * @returns the result whatever the exit code is: 127 where the program is missing, 124 after its timeout
 * @throws InstallerError E_INTERNAL for a relative path: programs are never looked for
 */
export async function runCommand(command: Command, lifetime: Lifetime): Promise<CommandResult> {
  if (!command.file.startsWith('/'))
    throw new InstallerError('E_INTERNAL', { why: `${command.file} is no absolute path` });
  return lifetime === 'ours' ? look(command) : carryOut(command);
}
