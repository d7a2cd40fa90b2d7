/** The built command line in a temporary root, as a user would run it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../hosts/support/base.ts';

export const bundle = path.join(repositoryRoot, 'dist/mcp-installer.mjs');

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly output: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env };
  const child = spawn(process.execPath, [bundle, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return resultOf(child);
}

/** What a program printed, and how it ended. */
export function resultOf(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  const texts = { stdout: '', stderr: '', output: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      texts.output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? -1, ...texts }));
  });
}

/** A directory that stands for `/`, removed afterwards: `using root = temporaryRoot()`. */
export function temporaryRoot(): Disposable & { readonly path: string } {
  const directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-root-'));
  return { path: directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
