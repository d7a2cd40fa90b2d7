/** The programs of docs/how-to/embed.md: each is type-checked against the built package, run, and prints what it says. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';

const call = promisify(execFile);
const page = readFileSync(path.join(repositoryRoot, 'docs/how-to/embed.md'), 'utf8');
const programs = [...page.matchAll(/^## ([^\n]+)\n(?:(?!^## ).)*?```ts\n(.*?)```/gmsu)].map(
  ([, title = '', code = '']) => ({ title, code }),
);
const modules = path.join(repositoryRoot, 'node_modules');

describe('the programs of the page', () => {
  let place = '';
  beforeAll(async () => {
    place = mkdtempSync(path.join(tmpdir(), 'mcp-installer-embed-'));
    // As a program that depends on the package sees it.
    mkdirSync(path.join(place, 'node_modules/@types'), { recursive: true });
    symlinkSync(repositoryRoot, path.join(place, 'node_modules/mcp-installer'));
    for (const name of ['xstate', '@types/node'])
      symlinkSync(path.join(modules, name), path.join(place, 'node_modules', name));
    writeFileSync(path.join(place, 'package.json'), '{"type":"module"}');
    for (const [at, { code }] of programs.entries()) writeFileSync(path.join(place, `${at}.ts`), code);
    const options =
      '--strict --skipLibCheck --noUncheckedIndexedAccess --noEmitOnError --target es2023 --module nodenext --types node';
    const files = programs.map((_, at) => `${at}.ts`);
    const tsc = path.join(modules, 'typescript/bin/tsc');
    const { stdout } = await call(process.execPath, [tsc, ...options.split(' '), ...files], {
      cwd: place,
    }).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe('');
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  test('are those that are shown', () => {
    expect(programs).toHaveLength([...page.matchAll(/^```ts$/gmu)].length);
  });

  test.each(programs.map(({ title }, at) => ({ title, at })))('$title', async ({ at }) => {
    const { code } = programs[at]!;
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gmu)].map(([, words]) => words);
    const { stdout, stderr } = await call(process.execPath, [`${at}.js`], {
      cwd: place,
      env: { ...process.env, TMPDIR: place },
    });
    expect({ stderr, promised: promised.length > 0 }).toEqual({ stderr: '', promised: true });
    expect(stdout.trimEnd().split('\n').slice(-promised.length)).toEqual(promised);
  });
});
