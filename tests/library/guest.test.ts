/** The library as a guest: what it does to the process that embeds it, which is nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';

const dist = path.join(repositoryRoot, 'dist');

interface Together {
  readonly outcome: string;
  readonly port: string;
  readonly plan: string;
  readonly fingerprints: readonly string[];
  readonly run: readonly string[];
}

interface Guest {
  readonly before: Readonly<Record<string, unknown>> & {
    readonly listeners: unknown;
    readonly globals: unknown;
  };
  readonly during: readonly unknown[];
  readonly after: unknown;
  readonly together: readonly Together[];
  readonly alone: unknown;
  readonly refused: unknown;
  readonly status: unknown;
}

interface Ran {
  readonly exitCode: number | null;
  readonly printed: string;
  readonly guest: Guest;
}

function run(): Promise<Ran> {
  const program = path.join(repositoryRoot, 'tests/library/programs/guest.mjs');
  const child = spawn(process.execPath, [program, dist], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const texts = ['', '', '', ''];
  for (const [at, stream] of child.stdio.entries())
    stream?.on('data', (bytes: Buffer) => {
      texts[at] = `${texts[at] ?? ''}${bytes.toString()}`;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const [, out = '', err = '', told = ''] = texts;
      if (told === '') reject(new Error(out + err));
      else resolve({ exitCode, printed: out + err, guest: JSON.parse(told) as Guest });
    });
  });
}

describe('in a program that embeds it', () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await run();
  });

  test('the library prints nothing, and does not end the process', () => {
    expect({ exitCode: ran.exitCode, printed: ran.printed }).toEqual({ exitCode: 0, printed: '' });
  });

  test('it leaves the process as it was: listeners, globals, environment, directory, umask, exit code', () => {
    expect(ran.guest.after).toEqual(ran.guest.before);
  });

  test('it has no listener on the process and nothing global while it works either', () => {
    const { listeners, globals } = ran.guest.before;
    expect(ran.guest.during).toEqual([{ listeners, globals }]);
  });

  test('four installations at once are four: own settings, plan, secrets, journal, each of them whole', () => {
    const { together } = ran.guest;
    const whole = { outcome: 'installed', own: true, events: true, damaged: [], files: 4 };
    expect(together).toMatchObject(['9000', '9010', '9020', '9030'].map((port) => ({ ...whole, port })));
    for (const each of [
      together.map(({ plan }) => plan),
      together.flatMap(({ fingerprints }) => fingerprints),
      together.map(({ run: [id] }) => id),
    ])
      expect(new Set(each).size).toBe(each.length);
    for (const { run: runs } of together) expect(runs[1]).toBe(runs[0]);
  });

  test('each run ends as it is asked to, and a refusal is an error with a code', () => {
    const { alone, refused, status } = ran.guest;
    expect({ alone, refused, status }).toEqual({
      alone: [
        ['installed', 0],
        ['installed', 0],
        ['interrupted', 130],
        ['rolledBack', 12],
      ],
      refused: 'E_USAGE',
      status: { kind: 'installed', secrets: 4 },
    });
  });
});

/** Text of an entry point and of all that is loaded with it, and the packages that it asks for. */
function loadedWith(entry: string): { readonly text: string; readonly packages: readonly string[] } {
  const texts = new Map<string, string>();
  const packages = new Set<string>();
  const load = (file: string): void => {
    if (texts.has(file)) return;
    const text = readFileSync(file, 'utf8');
    texts.set(file, text);
    for (const [, name = ''] of text.matchAll(/^(?:import|export)\b[^'"]*?['"]([^'"]+)['"];$/gmu)) {
      if (name.startsWith('.')) load(path.join(path.dirname(file), name));
      else packages.add(name);
    }
  };
  load(path.join(dist, entry));
  return { text: [...texts.values()].join('\n'), packages: [...packages].sort() };
}

describe('what is loaded', () => {
  test('with the machine alone is xstate, and nothing of Node', () => {
    const { text, packages } = loadedWith('machine.js');
    expect(packages).toEqual(['xstate']);
    expect(/\bnode:|\bprocess\.|\brequire\(|\bBuffer\b/u.exec(text)?.[0]).toBeUndefined();
  });

  test('with the installer holds nothing that plain installations do without', () => {
    const { text, packages } = loadedWith('index.js');
    expect(packages.filter((name) => !name.startsWith('node:'))).toEqual(['xstate']);
    const late = ['execa', 'diff', 'yaml', 'elkjs', 'ws', '@statelyai/inspect', '@clack/prompts'];
    expect(late.filter((name) => text.includes(`node_modules/${name}/`))).toEqual([]);
  });

  test('of two entry points are the same classes and the same machine', async () => {
    const load = (name: string) => import(path.join(dist, name)) as Promise<Record<string, unknown>>;
    const [whole, machine, testing] = [
      await load('index.js'),
      await load('machine.js'),
      await load('testing.js'),
    ];
    for (const name of Object.keys(machine)) expect(whole[name]).toBe(machine[name]);
    expect(testing['createMemoryHost']).toBe(whole['createMemoryHost']);
  });
});

test('a product file is read by the built library as well', () => {
  const file = path.join(repositoryRoot, 'examples/other-product/product.yaml');
  const code = `import { readProductFile } from ${JSON.stringify(path.join(dist, 'index.js'))};
    console.log((await readProductFile(process.argv[1])).name);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, file], {
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'signer\n', stderr: '' });
});
