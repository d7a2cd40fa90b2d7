/** The system calls of a run, in their order, with paths in place of descriptors. Needs strace. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, temporaryRoot } from './installer.ts';

export interface Call {
  readonly name: string;
  /** Path that it is about: of a descriptor, of what is opened or made, of the new name of a rename. */
  readonly path: string;
  /** Old name of a rename, target of a link. */
  readonly from: string;
  /** Flags of an open. */
  readonly flags: readonly string[];
  /** Mode in octal, of open, mkdir and fchmod. */
  readonly mode: string;
  /** Bytes of a write. */
  readonly data: string;
}

export interface Traced {
  readonly exitCode: number;
  readonly stdout: string;
  /** Those of the program itself that succeeded; its children have descriptors of their own. */
  readonly calls: readonly Call[];
  /** Every path that the program or a child of it made or wrote, as it stands in the trace. */
  readonly text: string;
}

const names = 'openat,write,fchmod,fchown,fsync,rename,symlink,mkdir,unlink,rmdir';
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:([0-7]{1,3})|(.))/gu, (_, octal: string | undefined, letter: string) =>
    octal === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(parseInt(octal, 8)),
  );

/** Calls that another thread interrupted stand on two lines. */
function wholeLines(trace: string): readonly { readonly pid: string; readonly text: string }[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, pid = '', text = ''] = /^(\d+)\s+(.*)$/u.exec(line) ?? [];
    const half = /^(.*) <unfinished \.\.\.>$/u.exec(text)?.[1];
    if (half !== undefined) {
      begun.set(pid, half);
      return [];
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/u.exec(text)?.[1];
    return text === '' ? [] : [{ pid, text: rest === undefined ? text : `${begun.get(pid) ?? ''}${rest}` }];
  });
}

/** Descriptors are followed by their path, and what is opened through one is told by its number alone. */
export function parseTrace(trace: string): readonly Call[] {
  const lines = wholeLines(trace);
  // Where nsenter started it, it is not the first one.
  const main = (lines.find(({ text }) => /^openat.*journal\.jsonl.*O_CREAT/su.test(text)) ?? lines[0])?.pid;
  const opened = new Map<string, string>();
  const resolved = (name: string): string =>
    name.replace(/^\/proc\/self\/fd\/(\d+)/u, (_, fd: string) => opened.get(fd) ?? '<unknown>');
  return lines.flatMap(({ pid, text }): Call[] => {
    const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+= (.*)$/su.exec(text) ?? [];
    if (pid !== main || name === '' || result.startsWith('-1')) return [];
    const strings = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, inner = '']) => unescaped(inner));
    const [first = '', second = ''] = strings;
    const descriptor = /^\d+<([^>]*)>/u.exec(args)?.[1] ?? '';
    const call = { name, path: descriptor, from: '', flags: [], mode: '', data: '' };
    switch (name) {
      case 'openat': {
        const [, fd = '', real = ''] = /^(\d+)<(.*)>$/u.exec(result) ?? [];
        opened.set(fd, real);
        const [, flags = '', mode = ''] = /", ([A-Z_|]+)(?:, (0\d+))?$/u.exec(args) ?? [];
        return [{ ...call, path: real, flags: flags.split('|'), mode }];
      }
      case 'write':
        return [{ ...call, data: first }];
      case 'fchmod':
        return [{ ...call, mode: /(0\d+)$/u.exec(args)?.[1] ?? '' }];
      case 'mkdir':
        return [{ ...call, path: resolved(first), mode: /(0\d+)$/u.exec(args)?.[1] ?? '' }];
      case 'rename':
        return [{ ...call, path: resolved(second), from: resolved(first) }];
      case 'symlink':
        return [{ ...call, path: resolved(second), from: first }];
      case 'unlink':
      case 'rmdir':
        return [{ ...call, path: resolved(first) }];
      default:
        return [call];
    }
  });
}

/** Does this call make, name or take away something? */
export const changesNames = ({ name, flags }: Call): boolean =>
  ['rename', 'symlink', 'mkdir', 'unlink', 'rmdir'].includes(name) || flags.includes('O_CREAT');

export interface TraceOptions {
  /** The command to trace; the built command line where it is left out. */
  readonly command?: readonly string[];
  /** As in strace's `-e inject=`. */
  readonly inject?: string;
}

export async function traced(args: readonly string[], options: TraceOptions = {}): Promise<Traced> {
  using directory = temporaryRoot();
  const file = path.join(directory.path, 'trace');
  const inject = options.inject === undefined ? [] : ['-e', `inject=${options.inject}`];
  const command = options.command ?? [process.execPath, bundle];
  const child = spawn(
    'strace',
    ['-f', '-y', '-s', '200000', '-o', file, '-e', `trace=${names}`, ...inject, ...command, ...args],
    { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    // strace dies by the signal that its program died by.
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
  const text = readFileSync(file, 'latin1');
  return { exitCode, stdout, calls: parseTrace(text), text };
}
