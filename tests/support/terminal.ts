/** The built command line on a pseudo-terminal (script(1) of util-linux makes it): what a person sees and types. */
import { spawn } from 'node:child_process';
import { bundle } from './installer.ts';

export const keys = { enter: '\r', down: '\u001b[B', right: '\u001b[C', ctrlC: '\u0003' } as const;

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Shell text after the command: a pipe, a redirection. */
  readonly then?: string;
  readonly columns?: number;
}

export interface Terminal extends Disposable {
  /** Everything shown so far, escape sequences included. */
  readonly raw: () => string;
  /** The same as words: without colours and cursor movements. */
  readonly shown: () => string;
  /** Waits until `text` was shown after everything that was waited for before. */
  until(text: string): Promise<void>;
  type(text: string): void;
  /** Sends a signal to the installer itself, as `kill` would. */
  signal(name: NodeJS.Signals): void;
  readonly exitCode: Promise<number>;
}

const words = (raw: string): string => raw.replace(/\u001b\[[0-9;?]*[A-Za-z]/gu, '').replace(/\r/gu, '');

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

export function onTerminal(
  args: readonly string[],
  { env = {}, then = '', columns = 120 }: TerminalOptions = {},
): Terminal {
  const command = [process.execPath, bundle, ...args].map(quoted).join(' ');
  // The shell says its id and becomes the installer, so that a signal can be sent to that one alone.
  const line = `stty rows 40 cols ${columns}; echo "pid $$ "; ${then === '' ? 'exec ' : ''}${command} ${then}`;
  const child = spawn(
    'script',
    ['--quiet', '--return', '--flush', '--echo', 'never', '--command', line, '/dev/null'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: '/nonexistent',
        TERM: 'xterm-256color',
        SHELL: '/bin/sh',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let raw = '';
  let seen = 0;
  let ended = false;
  let look: () => void = () => undefined;
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
    look();
  });
  const exitCode = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      ended = true;
      resolve(code ?? -1);
      look();
    });
  });
  return {
    raw: () => raw,
    shown: () => words(raw),
    exitCode,
    type: (text) => void child.stdin.write(text),
    signal: (name) => void process.kill(Number(/pid (\d+) /u.exec(raw)?.[1]), name),
    until: (text) =>
      new Promise((resolve, reject) => {
        look = () => {
          const at = words(raw).indexOf(text, seen);
          if (at !== -1) {
            seen = at + text.length;
            look = () => undefined;
            resolve();
          } else if (ended) {
            reject(new Error(`ended before it showed ${JSON.stringify(text)}:\n${words(raw)}`));
          }
        };
        look();
      }),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}
