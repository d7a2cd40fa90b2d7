/** What systemd hands to a service is what the parser reads: the same files through both, and what is written through others too. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnvFile, renderEnvFile } from '../../src/effects/env-file.ts';
import { cases } from '../support/cases.ts';
import { envLines, oddKeys, plainValue } from '../support/env-text.ts';
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

/** Files that one unit reads, each with keys of its own. Transient units take quadratic time over their properties. */
const filesOfUnit = 40;
const ownKeys = (at: number): string => `F${at % filesOfUnit}_`;

/** The environment that each file makes, as systemd hands it to a program; keys of a file begin with {@link ownKeys}. */
async function throughSystemd(host: Host, texts: readonly Uint8Array[]): Promise<readonly Values[]> {
  const directory = path.join(host.tree, 'root/env');
  mkdirSync(directory, { recursive: true });
  texts.forEach((text, at) => writeFileSync(path.join(directory, `${at}`), text));
  const units = Math.ceil(texts.length / filesOfUnit);
  const script = [
    'first=$(($1 * $2)) last=$(($1 * $2 + $2 - 1))',
    'for n in $(seq $first $last); do set -- "$@" -p "EnvironmentFile=-/root/env/$n"; done',
    'unit=$1; shift 2',
    'exec systemd-run --quiet --wait --collect "$@" -p "StandardOutput=file:/root/env/$unit.out" /usr/bin/env -0',
  ];
  writeFileSync(path.join(directory, 'read.sh'), `${script.join('\n')}\n`);
  await host.must(`seq 0 ${units - 1} | xargs -P 4 -I N sh -eu /root/env/read.sh N ${filesOfUnit}`);
  return Array.from({ length: units }, (_, unit) => {
    const entries = readFileSync(path.join(directory, `${unit}.out`), 'utf8')
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry): [string, string] => [
        entry.slice(0, entry.indexOf('=')),
        entry.slice(entry.indexOf('=') + 1),
      ])
      .filter(([key]) => !systemds.includes(key));
    // What no file has given is a key that only one of the two readers has seen.
    expect(entries.filter(([key]) => !/^F\d+_/u.test(key))).toEqual([]);
    const own = texts.slice(unit * filesOfUnit, (unit + 1) * filesOfUnit);
    return own.map((__, at) => Object.fromEntries(entries.filter(([key]) => key.startsWith(ownKeys(at)))));
  }).flat();
}

const accepted = (text: string): EnvFile | null => {
  const parsed = EnvFile.parse(Buffer.from(text), unmanaged);
  return parsed.ok ? parsed.file : null;
};

const sorted = (values: Values): string => JSON.stringify(Object.entries(values).sort());

const isOwn = (keys: readonly string[], at: number): boolean =>
  keys.length > 0 && keys.every((key) => key.startsWith(ownKeys(at)));

/** Files that are accepted and hold a value; the keys of each can be told apart from those of its neighbours. */
function filesOf(count: number): readonly { readonly text: string; readonly file: EnvFile }[] {
  const files: { readonly text: string; readonly file: EnvFile }[] = [];
  for (let round = 0; files.length < count; round += 1) {
    const keys = oddKeys.map((key) => `${ownKeys(files.length)}${key}`);
    const found = fc
      .sample(envLines(keys), { numRuns: 8, seed: 20_261_124 + round })
      .map((lines) => lines.join(''))
      .map((text) => ({ text, file: accepted(text) }))
      .find(({ file }) => file !== null && isOwn(file.keys(), files.length));
    if (found?.file != null) files.push({ text: found.text, file: found.file });
  }
  return files;
}

describe.each(suites)('%s', (suite) => {
  test('what is written into any accepted file is read back by systemd and by dotenv, and all else as the parser reads it (security 16)', async () => {
    await using host = await createHost({ suite, name: 'written' });
    const values = fc.sample(plainValue, { numRuns: cases.numRuns, seed: 20_261_124 });
    const written = filesOf(cases.numRuns).map(({ file }, at) => {
      const [key, value] = [`${ownKeys(at)}KEY`, values[at] ?? ''];
      return {
        key,
        value,
        bytes: file.with(key, value).toBytes(),
        expected: { ...valuesOf(file), [key]: value },
      };
    });
    const handed = await throughSystemd(
      host,
      written.map(({ bytes }) => bytes),
    );
    const differing = written.flatMap(({ key, value, bytes, expected }, at) => {
      const second = parseDotenv(Buffer.from(bytes))[key];
      const [wanted, given] = [sorted(expected), sorted(handed[at]!)];
      return wanted === given && second === value ? [] : [{ wanted, given, second }];
    });
    expect(differing).toEqual([]);
  });

  test('what is written can be cut out at the equals sign, bare or between single quotes', () => {
    const bareValue = /^[A-Za-z0-9_.:/+=@%,-]*$/u;
    const cut = (bytes: Uint8Array, key: string): string =>
      execFileSync('sh', ['-c', `grep '^${key}=' | cut -d= -f2-`], {
        input: bytes,
        encoding: 'utf8',
      }).replace(/\n$/u, '');
    for (const value of fc.sample(plainValue, { numRuns: 40, seed: 20_261_124 })) {
      const file = accepted('# note\nA=\'one\'\nKEY="old \\$x"\nB=2')!;
      const changed = file.with('KEY', value).with('ADDED', value).toBytes();
      const fresh = renderEnvFile([['KEY', value]]);
      const plain = bareValue.test(value) ? value : `'${value}'`;
      expect([cut(changed, 'KEY'), cut(changed, 'ADDED'), cut(fresh, 'KEY')]).toEqual([plain, plain, plain]);
      expect([parseDotenv(Buffer.from(changed)), parseDotenv(Buffer.from(fresh))]).toEqual([
        { A: 'one', KEY: value, B: '2', ADDED: value },
        { KEY: value },
      ]);
    }
  });
});
