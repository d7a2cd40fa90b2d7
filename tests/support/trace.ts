/** The system calls of a run, in their order, with paths in place of descriptors. Needs strace. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
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

/** A call as it stands in the trace, whether it succeeded or not. */
export interface TracedCall extends Call {
  /** Process or thread; empty where children were not followed. */
  readonly pid: string;
  /** What it returned, in strace's words; `?` where the process was killed at it. */
  readonly result: string;
  /** Signal that came with it. */
  readonly signal: string;
}

export interface Traced {
  readonly exitCode: number;
  /** It did not end by itself, and was killed. */
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Those of the program itself that succeeded; its children have descriptors of their own. */
  readonly calls: readonly Call[];
  /** Every path that the program or a child of it made or wrote, as it stands in the trace. */
  readonly text: string;
}

/** Calls that change files, and `openat` and `close`, which tell what descriptors are of. */
export const changingCalls =
  'openat,close,write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utimensat';
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:([0-7]{1,3})|(.))/gu, (_, octal: string | undefined, letter: string) =>
    octal === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(parseInt(octal, 8)),
  );

/** Calls that another thread interrupted stand on two lines. */
function wholeLines(trace: string): readonly { readonly pid: string; readonly text: string }[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, pid = '', text = ''] = /^(?:(\d+)\s+)?(.*)$/u.exec(line) ?? [];
    const half = /^(.*) <unfinished \.\.\.>$/u.exec(text)?.[1];
    if (half !== undefined) {
      begun.set(pid, half);
      return [];
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/u.exec(text)?.[1];
    return text === '' ? [] : [{ pid, text: rest === undefined ? text : `${begun.get(pid) ?? ''}${rest}` }];
  });
}

/**
 * All calls of a trace. Descriptors are followed by their path, and what is opened through one is told by its number alone,
 * so each process is followed by itself.
 */
export function allCalls(trace: string): readonly TracedCall[] {
  const lines = wholeLines(trace);
  const opened = new Map<string, string>();
  return lines.flatMap(({ pid, text }, index): TracedCall[] => {
    const resolved = (name: string): string =>
      name
        .replace(/^\/proc\/self\/fd\/(\d+)/u, (_, fd: string) => opened.get(`${pid} ${fd}`) ?? '<unknown>')
        // A directory opened once more, as it is named where that succeeds.
        .replace(/\/\.$/u, '');
    const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+= (.*)$/su.exec(text) ?? [];
    if (name === '') return [];
    const strings = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, inner = '']) => unescaped(inner));
    const [first = '', second = ''] = strings;
    const descriptor = /^\d+<([^>]*)>/u.exec(args)?.[1] ?? '';
    const signal = /^--- (SIG\w+) \{.*si_code=SI_KERNEL/u.exec(lines[index + 1]?.text ?? '')?.[1] ?? '';
    const call = { pid, result, signal, name, path: descriptor, from: '', flags: [], mode: '', data: '' };
    switch (name) {
      case 'openat': {
        const [, fd = '', real = ''] = /^(\d+)<(.*)>$/u.exec(result) ?? [];
        if (fd !== '') opened.set(`${pid} ${fd}`, real);
        const [, flags = '', mode = ''] = /", ([A-Z_|]+)(?:, (0\d+))?$/u.exec(args) ?? [];
        return [{ ...call, path: fd === '' ? resolved(first) : real, flags: flags.split('|'), mode }];
      }
      case 'write':
        return [{ ...call, data: first }];
      case 'fchmod':
        return [{ ...call, mode: /(0\d+)$/u.exec(args)?.[1] ?? '' }];
      case 'mkdir':
        return [{ ...call, path: resolved(first), mode: /(0\d+)$/u.exec(args)?.[1] ?? '' }];
      case 'rename':
      case 'link':
        return [{ ...call, path: resolved(second), from: resolved(first) }];
      case 'symlink':
        return [{ ...call, path: resolved(second), from: first }];
      case 'unlink':
      case 'rmdir':
        return [{ ...call, path: resolved(first) }];
      default:
        return [descriptor === '' ? { ...call, path: resolved(strings.at(-1) ?? '') } : call];
    }
  });
}

/** Calls of the program itself that succeeded; what it closes changes nothing. */
export function parseTrace(trace: string): readonly Call[] {
  const calls = allCalls(trace);
  // Where nsenter started it, it is not the first one.
  const main = calls.find(
    ({ name, path: file, flags }) =>
      name === 'openat' && file.endsWith('journal.jsonl') && flags.includes('O_CREAT'),
  )?.pid;
  return calls.filter(
    ({ pid, name, result }) =>
      pid === (main ?? calls[0]?.pid) && name !== 'close' && !result.startsWith('-1') && result !== '?',
  );
}

/** Does this call make, name or take away something? */
export const changesNames = ({ name, flags }: Call): boolean =>
  ['rename', 'symlink', 'mkdir', 'unlink', 'rmdir'].includes(name) || flags.includes('O_CREAT');

export interface TraceOptions {
  /** The command to trace; the built command line where it is left out. */
  readonly command?: readonly string[];
  /** As in strace's `-e inject=`; one that counts does so for each thread of its own. */
  readonly inject?: string;
  /** `main`: the first thread alone, so that no child and no other thread is struck. */
  readonly follow?: 'all' | 'main';
  /** Bytes of each write that are kept. */
  readonly dataLength?: number;
  /** Calls that stand in the text as well. */
  readonly also?: string;
  /** Whoever reads what is printed goes away: at once, or after the first words. */
  readonly reader?: 'gone' | 'leaves';
}

/** Far longer than any run takes: one that is not done by then never will be. */
const limit = 60_000;

export async function traced(args: readonly string[], options: TraceOptions = {}): Promise<Traced> {
  using directory = temporaryRoot();
  const file = path.join(directory.path, 'trace');
  const { follow = 'all', dataLength = 200_000, reader, also } = options;
  const inject = options.inject === undefined ? [] : ['-e', `inject=${options.inject}`];
  const whole = follow === 'all' ? ['-f'] : ['-qq'];
  const command = options.command ?? [process.execPath, bundle];
  const child = spawn(
    'strace',
    [
      ...whole,
      '-y',
      '-s',
      `${dataLength}`,
      '-o',
      file,
      '-e',
      `trace=${[changingCalls, also].join()}`,
      ...inject,
    ]
      .concat(command)
      .concat(args),
    { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  if (reader === 'gone') child.stdout.destroy();
  if (reader === 'leaves') child.stdout.once('data', () => void child.stdout.destroy());
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  let hung = false;
  const hangs = setTimeout(() => {
    hung = true;
    // Not strace itself: what it traces would go on without it.
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    for (const pid of children.split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  }, limit);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    // strace dies by the signal that its program died by.
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  clearTimeout(hangs);
  const text = readFileSync(file, 'latin1');
  return { exitCode, hung, ...printed, calls: parseTrace(text), text };
}
