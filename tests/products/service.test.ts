/** Services by description: values of settings, formats of secrets, and what of a name is somebody else's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Option, type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { inputsOf, type Options } from '../../src/commands/inputs.ts';
import { createProgram } from '../../src/commands/program.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { toPublicError } from '../../src/errors.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import type { Product } from '../../src/products/product.ts';
import type { ServiceDefinition } from '../../src/products/service/definition.ts';
import { productFileSchema } from '../../src/products/service/definition.ts';
import { defineService } from '../../src/products/service/index.ts';
import { reservedOptions, valueNameOf } from '../../src/products/service/reserved.ts';
import { repositoryRoot } from '../hosts/support/base.ts';
import { signerDefinition, signerFiles } from './signer.ts';

const withSettings = (
  settings: ServiceDefinition['settings'],
  more: Partial<ServiceDefinition> = {},
): Product =>
  defineService({
    name: 'thing',
    description: 'does things',
    unit: signerDefinition.unit,
    secrets: signerDefinition.secrets,
    ...(settings === undefined ? {} : { settings }),
    ...more,
  });

async function installed(product: Product, options: InstallOptions = {}) {
  const host = createMemoryHost();
  const { output } = await install({ host, product, ...options });
  const read = (file: string): string => Buffer.from(host.readFile(file) ?? []).toString();
  return { outcome: output.outcome, error: output.error, read };
}

describe('values of settings by their type', () => {
  const types: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
    port: [
      ['1024', '65535'],
      ['80', '65536', '1e4', ' 9000', ''],
    ],
    integer: [
      ['0', '2147483647'],
      ['-1', '2147483648', '1.5', 'x'],
    ],
    host: [['api.example.org'], ['127.0.0.1', 'a b', 'x', 'a.example.org;']],
    url: [
      ['https://api.example.org/v1?a=%20b'],
      ['ftp://x.org', 'https://u:p@x.org', "https://x.org/'", 'x'],
    ],
    path: [['/var/lib/thing'], ['x', '/a/../b', '/a b', '/a/']],
    word: [['a.b_c-d'], ['-a', 'a b', '', 'a%b', 'ä']],
    flag: [['1', 'yes'], ['2']],
    text: [['Größe "x" $y `z` %'], ["it's", 'a\\b', 'a\nb', ' a', '\u2028', 'a\u0000']],
  };

  test.each(Object.entries(types))('%s', (type, [good, bad]) => {
    const product = withSettings([{ key: 'VALUE', type: type as 'port', description: 'x' }]);
    const [spec] = product.settings;
    const valid = (value: string): boolean => spec!.validate(value).ok;
    expect({ good: good.filter(valid), bad: bad.filter(valid) }).toEqual({ good, bad: [] });
  });
});

test('a percent sign is doubled for systemd, and is one in the environment', async () => {
  const product = withSettings(
    [{ key: 'UP', type: 'url', description: 'x', default: 'https://x.org/a%20b' }],
    {
      unit: signerDefinition.unit.replace('python3 -B', 'python3 -B {{UP}}'),
    },
  );
  const { read } = await installed(product);
  expect(read('/etc/systemd/system/thing.service')).toContain(' https://x.org/a%%20b ');
  expect(read('/etc/thing/.env')).toContain('\nUP=https://x.org/a%20b\n');
});

test('secrets have the format that is asked for, and the bytes', async () => {
  const about = { purpose: 'x', afterRotation: 'y' };
  const secrets = [
    { ...about, name: 'A', bytes: 16 },
    { ...about, name: 'B', format: 'base64url' as const, bytes: 24 },
    { ...about, name: 'C', format: 'alphanumeric' as const, bytes: 16 },
  ];
  const { read } = await installed(withSettings([], { secrets }));
  expect(read('/etc/thing/.env')).toMatch(/^A=[0-9a-f]{32}\nB=[A-Za-z0-9_-]{32}\nC=[A-Za-z0-9]{22}\n$/u);
});

test('a secret is brought along where it may be, and judged', async () => {
  const about = { name: 'TOKEN', purpose: 'x', afterRotation: 'y' };
  const product = withSettings([], {
    secrets: [signerDefinition.secrets[0]!, { ...about, optional: true, fileOption: 'token-file' }],
  });
  const token = 'a-token-of-somebody';
  const { read } = await installed(product, { supplied: new Map([['TOKEN', token]]) });
  expect(read('/etc/thing/.env')).toMatch(/^API_KEY=\S+\nTOKEN=a-token-of-somebody\n$/u);
  const refused = await installed(product, { supplied: new Map([['TOKEN', 'a b']]) }).catch(toPublicError);
  expect(refused).toMatchObject({ code: 'E_USAGE' });
  expect(JSON.stringify(refused)).not.toContain('a b');
});

test('a setting without a default that a template needs has to be given', async () => {
  const product = withSettings([{ key: 'UP', type: 'host', description: 'where to', option: 'upstream' }], {
    files: [{ path: '/usr/local/lib/thing/x.conf', content: 'up = {{UP}}\n', template: 'plain' }],
  });
  const { outcome, error } = await installed(product);
  expect({ outcome, error }).toEqual({
    outcome: 'refused',
    error: {
      code: 'E_USAGE',
      message: 'thing needs UP (where to), which has no default.',
      remedy: 'Add --upstream.',
    },
  });
  const { read } = await installed(product, { request: { settings: { UP: 'up.example.org' } } });
  expect(read('/usr/local/lib/thing/x.conf')).toBe('up = up.example.org\n');
});

describe('a name that other software has is refused, and nothing is touched:', () => {
  test.each([
    ['a unit of a package', '/usr/lib/systemd/system/signer.service'],
    ['a directory of somebody else', '/etc/signer/signer.conf'],
  ])('%s', async (_, file) => {
    const host = createMemoryHost({ files: { [file]: 'x' } });
    const before = [...host.nodes.keys()];
    const { output } = await install({ host, product: defineService(signerDefinition) });
    expect({ error: output.error?.code, nodes: [...host.nodes.keys()] }).toEqual({
      error: 'E_NAME_TAKEN',
      nodes: before,
    });
  });

  test('what a person lays beside the env file is theirs', async () => {
    const host = createMemoryHost();
    const product = defineService(signerDefinition);
    await install({ host, product });
    await host.writeFile('/etc/signer/notes.txt', Buffer.from('mine'), { mode: 0o644, expected: null });
    const { output } = await install({ host, product });
    expect(output.error).toBeNull();
  });
});

test('code of the user’s has no place where there is none of ours', async () => {
  const product = defineService(signerDefinition);
  const refused = await installed(product, { source: Buffer.from('x') }).catch(toPublicError);
  expect(refused).toMatchObject({
    code: 'E_USAGE',
    message: 'signer has no code that another one could be installed instead of.',
  });
});

test('a program is told everything that is wrong with its definition, by field', () => {
  const define = (): Product => defineService({ ...signerDefinition, name: 'A', port: 'p' });
  expect(define).toThrow(/name: "A": it must be of[^\n]*\n {2}name:[^\n]*\n {2}port: "p": it must be of/u);
});

test('every option of install that is the installer’s own is reserved', () => {
  const bare: Product = { ...defineService(signerDefinition), settings: [], secrets: [] };
  const command = createProgram(() => () => Promise.resolve(), bare).commands.find(
    (each) => each.name() === 'install',
  );
  const own = (command?.options ?? []).map(({ long }) => long?.slice(2) ?? '');
  expect(own.filter((name) => !reservedOptions.includes(name))).toEqual([]);
});

describe('the value of an option that the product names is found on the command line:', () => {
  const keys = ['LEVEL_2', 'LEVEL_2_X', 'A__B', 'A_', 'A_9', 'KEY_2A'];
  const product = withSettings(
    keys.map((key) => ({ key, type: 'word', description: 'x' })),
    { secrets: [{ ...signerDefinition.secrets[0]!, fileOption: 'key-2' }] },
  );
  const parsed = (argv: readonly string[]): Options => {
    let options: Options = {};
    const program = createProgram(
      () =>
        (...args) => {
          options = (args.at(-1) as Command).opts<Options>();
          return Promise.resolve();
        },
      product,
    );
    program.parse(['install', ...argv], { from: 'user' });
    return options;
  };

  test.each(product.settings.map(({ key, option }) => [key, option] as const))(
    '%s by --%s',
    (key, option) => {
      const { request } = inputsOf(parsed([`--${option}`, 'here']), {}, product, false);
      expect(request.settings).toEqual({ [key]: 'here' });
    },
  );

  test('a secret by --key-2', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-secret-'));
    try {
      const file = path.join(directory, 'key');
      writeFileSync(file, 'a-key-of-somebody\n');
      const { supplied } = inputsOf(parsed(['--key-2', file]), {}, product, false);
      expect([...supplied]).toEqual([[signerDefinition.secrets[0]!.name, 'a-key-of-somebody']]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

test('options are one value exactly where they are one to what reads the command line', () => {
  const options = ['a', 'no-a', 'a-b', 'ab', 'a-2', 'a2', 'a-2b', 'a2-b', 'a2b', 'a-2-b', ...reservedOptions];
  const same = (nameOf: (option: string) => string): readonly string[] =>
    options.flatMap((one) =>
      options.filter((other) => nameOf(one) === nameOf(other)).map((other) => `${one} ${other}`),
    );
  expect(same(valueNameOf)).toEqual(same((option) => new Option(`--${option}`).attributeName()));
});

test('the example’s file and the published schema belong together', () => {
  const published = JSON.parse(
    readFileSync(path.join(repositoryRoot, 'docs/reference/product.schema.json'), 'utf8'),
  ) as object;
  expect(published).toMatchObject(toJsonSchema(productFileSchema, { errorMode: 'ignore' }));
  const manifest = JSON.parse(readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  expect(manifest.exports['./product.schema.json']).toBe('./docs/reference/product.schema.json');
  expect(signerFiles.env).toBe('/etc/signer/.env');
});
