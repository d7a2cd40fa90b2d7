/** What systemd hands to a service is what the parser reads: the same files through both, and what is written through others too. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnvFile, renderEnvFile } from '../../src/effects/env-file.ts';
import { envLines, plainValue } from '../support/env-text.ts';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';

const unmanaged = { secrets: [], settings: [] };

/** What systemd itself puts into the environment of a service. */
const systemds = [
  'HOME',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'LANG',
  'LOGNAME',
  'PATH',
  'SHELL',
  'SYSTEMD_EXEC_PID',
  'USER',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
];

type Values = Readonly<Record<string, string>>;

const valuesOf = (file: EnvFile): Values =>
  Object.fromEntries(file.keys().map((key) => [key, file.get(key) ?? '']));

/** The environment that each file makes, as systemd hands it to a program. */
async function throughSystemd(host: Host, texts: readonly Uint8Array[]): Promise<readonly Values[]> {
  const directory = path.join(host.tree, 'root/env');
  mkdirSync(directory, { recursive: true });
  texts.forEach((text, at) => writeFileSync(path.join(directory, `${at}`), text));
  // Many at once: each waits for its own unit.
  await host.must(
    `cd /root/env && seq 0 ${texts.length - 1} | xargs -P 16 -I N sh -c 'systemd-run --quiet --wait --collect -p EnvironmentFile=/root/env/N -p StandardOutput=file:/root/env/N.out /usr/bin/env -0'`,
  );
  return texts.map((_, at) => {
    const entries = readFileSync(path.join(directory, `${at}.out`), 'utf8')
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry): [string, string] => [
        entry.slice(0, entry.indexOf('=')),
        entry.slice(entry.indexOf('=') + 1),
      ]);
    return Object.fromEntries(entries.filter(([key]) => !systemds.includes(key)));
  });
}

const accepted = (text: string): EnvFile | null => {
  const parsed = EnvFile.parse(Buffer.from(text), unmanaged);
  return parsed.ok ? parsed.file : null;
};

describe.each(suites)('%s', (suite) => {
  test('what systemd hands to a service is what the parser reads, for 200 files', async () => {
    await using host = await createHost({ suite, name: 'grammar' });
    const files = fc
      .sample(
        envLines().map((lines) => lines.join('')),
        { numRuns: 900, seed: 20_261_124 },
      )
      .flatMap((text) => {
        const file = accepted(text);
        return file === null || file.keys().length === 0 ? [] : [{ text, file }];
      })
      .slice(0, 200);
    expect(files.length).toBe(200);
    const handed = await throughSystemd(
      host,
      files.map(({ file }) => file.toBytes()),
    );
    const differing = files.flatMap(({ text, file }, at) => {
      const [read, given] = [valuesOf(file), handed[at]!];
      return JSON.stringify(Object.entries(read).sort()) === JSON.stringify(Object.entries(given).sort())
        ? []
        : [{ text, read, given }];
    });
    expect(differing).toEqual([]);
  });

  test('what is written is read back the same by systemd, dotenv and whoever cuts at the equals sign', async () => {
    await using host = await createHost({ suite, name: 'written' });
    const values = fc.sample(plainValue, { numRuns: 40, seed: 20_261_124 });
    const bareValue = /^[A-Za-z0-9_.:/+=@%,-]*$/u;
    const written = values.map((value) => {
      const file = accepted('# note\nA=\'one\'\nKEY="old \\$x"\nB=2')!;
      return [file.with('KEY', value).with('ADDED', value).toBytes(), renderEnvFile([['KEY', value]])];
    });
    const handed = await throughSystemd(host, written.flat());
    const cut = (bytes: Uint8Array, key: string): string =>
      execFileSync('sh', ['-c', `grep '^${key}=' | cut -d= -f2-`], {
        input: bytes,
        encoding: 'utf8',
      }).replace(/\n$/u, '');
    values.forEach((value, at) => {
      const [changed, fresh] = written[at] as [Uint8Array, Uint8Array];
      expect([handed[2 * at], handed[2 * at + 1]]).toEqual([
        { A: 'one', KEY: value, B: '2', ADDED: value },
        { KEY: value },
      ]);
      expect([parseDotenv(Buffer.from(changed)), parseDotenv(Buffer.from(fresh))]).toEqual([
        { A: 'one', KEY: value, B: '2', ADDED: value },
        { KEY: value },
      ]);
      const plain = bareValue.test(value) ? value : `'${value}'`;
      expect([cut(changed, 'KEY'), cut(changed, 'ADDED'), cut(fresh, 'KEY')]).toEqual([plain, plain, plain]);
    });
  });
});
