/** Product files: what is refused, and where it is told to stand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { toPublicError } from '../../src/errors.ts';
import { readProductFile } from '../../src/product-file.ts';

const unit = `[Service]
ExecStart=/usr/bin/true
EnvironmentFile={{envFile}}
[Install]
WantedBy=multi-user.target
`;

const good = `name: thing
description: does things
unit: thing.service
secrets:
  - name: KEY
    purpose: a key
    afterRotation: nothing
`;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-product-'));
  writeFileSync(path.join(directory, 'thing.service'), unit);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What is told of a file: its lines, without the directory. */
async function told(text: string | Uint8Array, name = 'thing.yaml'): Promise<readonly string[]> {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  try {
    const { name: product } = await readProductFile(file);
    return [`product ${product}`];
  } catch (error) {
    const { code, message } = toPublicError(error);
    expect(code).toBe('E_PRODUCT_INVALID');
    return message
      .replaceAll(`${directory}/`, '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

test('YAML and JSON are read alike', async () => {
  const json = {
    $schema: 'product.schema.json',
    name: 'thing',
    description: 'does things',
    unit: 'thing.service',
    secrets: [{ name: 'KEY', purpose: 'a key', afterRotation: 'nothing' }],
  };
  expect(await told(good)).toEqual(['product thing']);
  expect(await told(JSON.stringify(json), 'thing.json')).toEqual(['product thing']);
});

test('every field that is wrong is told at once, with its place and what would be valid', async () => {
  const text = `name: Thing
helth: [/healthz]
unit: ../thing.service
secrets:
  - name: KEY
    purpose: a key
    bytes: 4
settings:
  - { key: PORT, type: prt, description: a port }
`;
  expect(await told(text)).toEqual([
    'thing.yaml:1:1: name: "Thing": it must be of a-z, 0-9 and single hyphens, beginning with a letter',
    'thing.yaml:1:1: description: it is missing',
    'thing.yaml:2:1: helth: there is no field "helth" here; valid: $schema, name, description, unit, socket, port, health, secrets, settings, files, packages, nginx, url, next',
    'thing.yaml:3:1: unit: "../thing.service": it must be a relative path, without .., of a file beside the product file',
    'thing.yaml:5:5: secrets[0].afterRotation: it is missing',
    'thing.yaml:7:5: secrets[0].bytes: fewer than 16 random bytes can be guessed',
    'thing.yaml:9:18: settings[0].type: "prt": it must be one of port, integer, host, url, path, file, word, choice, flag, text',
  ]);
});

test('a JSON file has lines and columns too', async () => {
  expect(await told('{\n  "name": "thing",\n  "unit": 3\n}\n', 'thing.json')).toContain(
    'thing.json:3:3: unit: the name of a file is needed',
  );
});

describe('what is no YAML is told where it stands:', () => {
  test.each([
    ['a name twice', `${good}name: other\n`, 'thing.yaml:8:1: Map keys must be unique'],
    ['a tab', '\tname: x\n', 'thing.yaml:1:1: Tabs are not allowed as indentation'],
    ['bytes that are no text', Uint8Array.from([0x6e, 0xff]), 'thing.yaml:1:1: it is not UTF-8'],
  ])('%s', async (_, text, line) => {
    expect(await told(text)).toContain(line);
  });
});

describe('what YAML allows and a product file has no use for is told where it stands:', () => {
  test.each([
    ['nothing', '# to be written\n', '1:1: it is empty; fields with their values belong here'],
    ['a list', '- name: x\n', '1:1: this is not a mapping; fields with their values belong here'],
    ['a text', 'thing\n', '1:1: this is not a mapping; fields with their values belong here'],
    ['a number as a name', 'name: x\n8083: y\n', '2:1: the name of a field is a text'],
    ['a mapping as a name', 'name: x\n? { a: b }\n: y\n', '2:3: the name of a field is a text'],
    [
      'a second document',
      'name: x\n---\nname: y\n',
      '2:1: a second document begins here; a product file is one',
    ],
    ['an alias of nothing', 'name: x\nunit: *there\n', '2:7: there is no anchor &there before this'],
  ])('%s', async (_, text, line) => {
    const warnings = vi.spyOn(process, 'emitWarning');
    expect(await told(text)).toEqual([`thing.yaml:${line}`]);
    expect(warnings).not.toHaveBeenCalled();
  });
});

test('what is nested more deeply than can be read is told as that', async () => {
  const [first] = await told(`name: ${'['.repeat(50_000)}`);
  expect(first).toMatch(/^thing\.yaml:1:\d+: it is nested too deeply$/u);
});

test('an alias of what stands before it is read as that', async () => {
  const text = good.replace('name: thing', 'name: &it thing').replace('does things', '*it');
  expect(text).toContain('*it');
  expect(await told(text)).toEqual(['product thing']);
});

test('of many problems the first twenty are told, and how many more there are', async () => {
  const items = Array.from({ length: 23 }, () => '  - { from: x, to: /etc/thing/x }\n').join('');
  const lines = await told(`${good}files:\n${items}`);
  expect(lines).toHaveLength(21);
  expect(lines[19]).toMatch(/^thing\.yaml:18:16: files\[9\]\.to: there is no field/u);
  expect(lines[20]).toBe('and 26 more');
});

test.each(['nginx', 'ssh', 'systemd', 'default', 'local', 'apt', 'cron'])(
  'the name %s is other software’s, whose directory no service owns',
  async (name) => {
    expect(await told(good.replace('thing', name))).toEqual([
      `thing.yaml:1:1: name: ${name} is a name of the installer's own, or of other software`,
    ]);
  },
);

test('what wants a unit may stand with others on one line', async () => {
  const words = unit.replace('multi-user.target', 'graphical.target multi-user.target');
  writeFileSync(path.join(directory, 'wanted.service'), words);
  expect(await told(good.replace('thing.service', 'wanted.service'))).toEqual(['product thing']);
});

test('a file that cannot be read says so', async () => {
  const error = await readProductFile(path.join(directory, 'none.yaml')).catch((thrown: unknown) => thrown);
  expect(toPublicError(error).message).toMatch(/none\.yaml cannot be used: it cannot be read \(ENOENT\)\.$/u);
});

const setting = (words: string): string => `${good}settings:\n  - { ${words} }\n`;
const file = (words: string): string => `${good}files:\n  - { ${words} }\n`;

describe('what fields and files have to do with each other:', () => {
  beforeAll(() => {
    const write = (name: string, text: string): void => writeFileSync(path.join(directory, name), text);
    write('secret.txt', 'key {{KEY}}\n');
    write('unknown.txt', '{{OTHER}}\n');
    write('braces.txt', '{{ x\n');
    write('bare.service', '[Service]\nType=oneshot\n');
    write('any.socket', '[Socket]\nListenStream=0.0.0.0:{{PORT}}\n');
  });

  test.each([
    [
      'a name of the installer’s own',
      good.replace('thing', 'mcp-oauth-proxy'),
      'name: mcp-oauth-proxy is a name of the installer',
    ],
    [
      'a name that systemd uses',
      good.replace('KEY', 'PATH'),
      'secrets[0].name: PATH is set or read by others',
    ],
    [
      'a library to preload',
      good.replace('KEY', 'LD_PRELOAD'),
      'secrets[0].name: LD_PRELOAD is set or read by others',
    ],
    [
      'one name for two',
      setting('key: KEY, type: word, description: x'),
      'settings[0].key: "KEY" is a name already',
    ],
    [
      'an option of the installer',
      setting('key: DRY_RUN, type: flag, description: x'),
      'settings[0].key: --dry-run is an option of the installer',
    ],
    [
      'an option that is two of the installer’s',
      setting('key: START, type: word, description: x'),
      'settings[0].key: --start is an option of the installer',
    ],
    [
      'a secret’s option that turns another one off',
      `${good}    fileOption: no-key\n`,
      'secrets[0].fileOption: --no-key is an option of the installer',
    ],
    [
      'one option for two',
      `${setting('key: LEVEL_2, type: word, description: x')}  - { key: LEVEL2, type: word, description: x }\n`,
      'settings[1].key: "level2" is an option already',
    ],
    [
      'an option with two hyphens',
      setting('key: A, type: word, description: x, option: dry--run'),
      'settings[0].option: "dry--run": it must be of a-z, 0-9 and single hyphens',
    ],
    [
      'an option that ends with a hyphen',
      `${good}    fileOption: key-\n`,
      'secrets[0].fileOption: "key-": it must be of a-z, 0-9 and single hyphens',
    ],
    [
      'an end that is no whole number',
      setting('key: N, type: integer, description: x, minimum: 1.5'),
      'settings[0].minimum: a whole number is needed',
    ],
    [
      'a lower end above the upper one',
      setting('key: N, type: integer, description: x, minimum: 5, maximum: 4'),
      'settings[0].minimum: nothing is between 5 and 4',
    ],
    [
      'an upper end below what is the lower one',
      setting('key: N, type: integer, description: x, maximum: -1'),
      'settings[0].maximum: nothing is between 0 and -1',
    ],
    [
      'a default that is none',
      setting('key: PORT, type: port, description: x, default: 80'),
      'settings[0].default: "80" is not a port between 1024 and 65535',
    ],
    [
      'a choice of nothing',
      setting('key: LEVEL, type: choice, description: x'),
      'settings[0].type: a choice needs choices',
    ],
    [
      'a flag with a default',
      setting('key: LOUD, type: flag, description: x, default: true'),
      'settings[0].default: a flag has none',
    ],
    [
      'a secret that nobody brings',
      `${good}    optional: true\n`,
      'secrets[0].optional: an optional secret needs a fileOption',
    ],
    [
      'a port that is a number',
      `${good}port: 8095\n`,
      'port: the name of a setting of type port is needed, such as PORT; the number is its default',
    ],
    ['a port that is no setting', `${good}port: PORT\n`, 'port: PORT is no setting of type port'],
    ['health without a port', `${good}health: [/healthz]\n`, 'health: it needs a port'],
    [
      'a file elsewhere',
      file('path: /etc/passwd, from: secret.txt'),
      'files[0].path: "/etc/passwd": it must be below /etc/thing, /usr/local/lib/thing, /usr/local/share/thing, or be /usr/local/bin/thing or /etc/logrotate.d/thing',
    ],
    [
      'a way out',
      file('path: /usr/local/lib/thing/../x, from: secret.txt'),
      'files[0].path: "/usr/local/lib/thing/../x": it must be an absolute path',
    ],
    [
      'the env file',
      file('path: /etc/thing/.env, from: secret.txt'),
      'files[0].path: "/etc/thing/.env": that is the env file',
    ],
    [
      'a unit beside its own',
      file('path: /etc/systemd/system/ssh.service, from: secret.txt'),
      'files[0].path: "/etc/systemd/system/ssh.service": it must be below',
    ],
    [
      'a file that is not there',
      file('path: /usr/local/lib/thing/x, from: none.txt'),
      'files[0].from: none.txt: it cannot be read (ENOENT)',
    ],
    [
      'a secret in a template',
      file('path: /usr/local/lib/thing/x, from: secret.txt, template: plain'),
      'files[0].from: secret.txt: {{KEY}} is a secret, which stands in the env file alone',
    ],
    [
      'an unknown name in a template',
      file('path: /usr/local/lib/thing/x, from: unknown.txt, template: plain'),
      'files[0].from: unknown.txt: there is no {{OTHER}}; valid: {{name}}, {{envFile}}, {{codeDirectory}}',
    ],
    [
      'braces without a name',
      file('path: /usr/local/lib/thing/x, from: braces.txt, template: plain'),
      'files[0].from: braces.txt: {{ and }} stand around names of settings alone',
    ],
    [
      'a unit without its env file',
      good.replace('thing.service', 'bare.service'),
      'unit: bare.service: its [Service] needs the one line EnvironmentFile={{envFile}}',
    ],
    [
      'a unit without a process',
      good.replace('thing.service', 'bare.service'),
      'unit: bare.service: Type=oneshot has no main process to watch',
    ],
    [
      'a socket for everybody',
      `${setting('key: PORT, type: port, description: x, default: 9000')}port: PORT\nsocket: any.socket\n`,
      'socket: any.socket: its [Socket] needs the one line ListenStream=127.0.0.1:{{PORT}}',
    ],
  ])('%s', async (_, text, words) => {
    expect((await told(text)).filter((line) => line.includes(words))).toHaveLength(1);
  });

  test('text in a unit, where a blank means something', async () => {
    writeFileSync(path.join(directory, 'text.service'), unit.replace('true', 'true {{WORDS}}'));
    const text = setting('key: WORDS, type: text, description: x').replace('thing.service', 'text.service');
    expect(await told(text)).toEqual([
      'thing.yaml:3:1: unit: text.service: {{WORDS}} is of type text, which could mean something else here: the service reads it from its environment',
    ]);
  });
});
