/** `--image`: everything but the secrets, which each host that is made from the image makes at its first boot. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFirstBoot } from '../../src/products/first-boot.ts';
import type { Desired, SecretSpec } from '../../src/products/product.ts';
import { run, temporaryRoot, type Ran } from '../support/installer.ts';

const envFile = 'etc/mcp-oauth-proxy/.env';
const unit = 'mcp-oauth-proxy.first-boot.service';
const empty = `MCP_TOKEN=
CLIENT_ID=
CLIENT_SECRET=
TOKEN_SECRET=
LISTEN_PORT=8083
BACKEND_URL=http://127.0.0.1:8000/mcp
`;

/** The codes of its errors and its notes. */
const codesIn = ({ stdout }: Ran): readonly string[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; code?: string; error?: { code: string } | null })
    .flatMap(({ type, code, error }) =>
      type === 'note' ? [code ?? ''] : (error ?? null) === null ? [] : [error!.code],
    );

test('an image has all but the secrets, and nothing that its hosts would share: no key of fingerprints, no word of secrets made', async () => {
  using root = temporaryRoot();
  const predicted = await run(['--image', '--root', root.path, '--dry-run', '--json']);
  expect(existsSync(path.join(root.path, 'etc'))).toBe(false);
  const made = await run(['--image', '--root', root.path, '--json']);
  expect(made.exitCode).toBe(0);
  const planOf = ({ stdout }: Ran): unknown =>
    (JSON.parse(stdout.trim().split('\n').at(-1)!) as { plan: string }).plan;
  expect(planOf(made)).toBe(planOf(predicted));
  expect(codesIn(made)).toContain('image');
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toBe(empty);
  expect(existsSync(path.join(root.path, 'var/lib/mcp-installer/fingerprint.key'))).toBe(false);
  const journal = execFileSync('sh', ['-c', `cat ${root.path}/var/lib/mcp-installer/runs/*/journal.jsonl`], {
    encoding: 'utf8',
  });
  expect(journal).not.toContain('"fact":"secretsMade"');
  expect(readFileSync(path.join(root.path, 'etc/systemd/system', unit), 'utf8')).toContain(
    'Before=mcp-oauth-proxy.service\n',
  );
});

test('a second run finds nothing to do, status finds nothing amiss, and settings may change', async () => {
  using root = temporaryRoot();
  await run(['--image', '--root', root.path]);
  const again = await run(['--image', '--root', root.path, '--detailed-exitcode']);
  expect({ exitCode: again.exitCode, nothing: again.stdout.includes('[OK] Nothing to do') }).toEqual({
    exitCode: 0,
    nothing: true,
  });
  const status = await run(['status', '--root', root.path]);
  expect({ exitCode: status.exitCode, stderr: status.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(status.stdout).not.toContain(': missing');
  expect((await run(['--image', '--root', root.path, '--port', '9000'])).exitCode).toBe(0);
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toBe(empty.replace('8083', '9000'));
});

test('an installation does not become an image: its secrets would be everybody’s', async () => {
  using root = temporaryRoot();
  await run(['--root', root.path]);
  const before = readFileSync(path.join(root.path, envFile), 'utf8');
  const refused = await run(['--image', '--root', root.path, '--json']);
  expect({ exitCode: refused.exitCode, codes: codesIn(refused).at(-1) }).toEqual({
    exitCode: 10,
    codes: 'E_IMAGE_SECRETS',
  });
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toBe(before);
});

test('a plain run refuses to put secrets into an image; asked for new ones it makes an installation of it', async () => {
  using root = temporaryRoot();
  await run(['--image', '--root', root.path]);
  const refused = await run(['--root', root.path, '--json']);
  expect({ exitCode: refused.exitCode, code: codesIn(refused).at(-1) }).toEqual({
    exitCode: 10,
    code: 'E_IMAGE_UNBOOTED',
  });
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toBe(empty);
  expect((await run(['--root', root.path, '--force-rotate-tokens'])).exitCode).toBe(0);
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toMatch(/^MCP_TOKEN=[0-9a-f]{64}\n/u);
  expect((await run(['--root', root.path, '--detailed-exitcode'])).exitCode).toBe(0);
});

test.each([
  ['an optional secret that was typed into it', 'OWNER_PASSWORD=an-owners-password\n', []],
  ['a rotation of one', '', ['--force-rotate-tokens', 'CLIENT_ID']],
])('%s does not make an installation of an image', async (_, line, options) => {
  using root = temporaryRoot();
  await run(['--image', '--root', root.path]);
  appendFileSync(path.join(root.path, envFile), line);
  const refused = await run(['--root', root.path, '--json', ...options]);
  expect({ exitCode: refused.exitCode, code: codesIn(refused).at(-1) }).toEqual({
    exitCode: 10,
    code: 'E_IMAGE_UNBOOTED',
  });
});

test('a run that was killed before the unit of the first boot was there has left an image all the same', async () => {
  using root = temporaryRoot();
  await run(['--image', '--root', root.path]);
  execFileSync('find', [root.path, '-name', `*first-boot*`, '-delete']);
  expect((await run(['--root', root.path])).exitCode).toBe(10);
  expect((await run(['--image', '--root', root.path])).exitCode).toBe(0);
  expect((await run(['--image', '--root', root.path, '--detailed-exitcode'])).exitCode).toBe(0);
});

test('the key of an earlier installation does not stay in an image, and does in an installation that refuses to become one', async () => {
  using root = temporaryRoot();
  const key = path.join(root.path, 'var/lib/mcp-installer/fingerprint.key');
  await run(['--root', root.path]);
  await run(['--image', '--root', root.path]);
  expect(existsSync(key)).toBe(true);
  await run(['uninstall', '--purge', '--yes', '--root', root.path]);
  expect((await run(['--image', '--root', root.path])).exitCode).toBe(0);
  expect(existsSync(key)).toBe(false);
});

test('where the env file was taken out of a tree, as people do before they make an image of it, none is missed', async () => {
  using root = temporaryRoot();
  await run(['--root', root.path]);
  execFileSync('rm', [path.join(root.path, envFile)]);
  expect((await run(['--image', '--root', root.path])).exitCode).toBe(0);
  expect(readFileSync(path.join(root.path, envFile), 'utf8')).toBe(empty);
});

test.each([
  ['a secret of one’s own', ['--mcp-token-file', '-'], 'MCP_TOKEN cannot be given'],
  ['a rotation', ['--force-rotate-tokens'], 'none to rotate'],
])('%s cannot be asked for', async (_, options, words) => {
  using root = temporaryRoot();
  const input = 'a-token-of-the-users-own-0123456789';
  const { exitCode, stderr } = await run(['--image', '--root', root.path, ...options], { input });
  expect({ exitCode, told: stderr.includes(words) }).toEqual({ exitCode: 64, told: true });
  expect(existsSync(path.join(root.path, 'etc'))).toBe(false);
});

describe('the script of the first boot', () => {
  const about = { purpose: '', afterRotation: '' };
  const secrets: readonly SecretSpec[] = [
    { ...about, name: 'HEX', bytes: 16 },
    { ...about, name: 'URL', bytes: 20, format: 'base64url' },
    { ...about, name: 'WORD', bytes: 16, format: 'alphanumeric' },
    {
      ...about,
      name: 'GIVEN',
      optional: true,
      fileOption: 'given',
      validate: (value) => ({ ok: true, value }),
    },
  ];

  /** The env file with this text, and what runs the script over it. */
  function prepared(text: string): Disposable & {
    readonly env: string;
    readonly boot: (edit?: (script: string) => string) => { status: number | null; stderr: string };
  } {
    const root = temporaryRoot();
    const directory = path.join(root.path, 'etc/it');
    const env = path.join(directory, '.env');
    mkdirSync(directory, { recursive: true });
    writeFileSync(env, text, { mode: 0o600 });
    const nothing: Desired = {
      directories: [],
      files: [],
      links: [],
      settings: {},
      packages: [],
      web: null,
      notes: [],
    };
    const product = { name: 'it', service: 'it.service', directory, envFile: env, secrets };
    const script = withFirstBoot(product, nothing).files.find(({ role }) => role === 'first boot script');
    return {
      env,
      boot: (edit = (text) => text) => {
        const { status, stderr } = spawnSync('sh', ['-s'], {
          input: edit(Buffer.from(script?.content ?? '').toString('utf8')),
          encoding: 'utf8',
        });
        return { status, stderr };
      },
      [Symbol.dispose]: () => root[Symbol.dispose](),
    };
  }

  test('makes each secret in its format, at the head, and leaves every other line', () => {
    using host = prepared("# theirs\nHEX=\nURL=\n\nWORD=\nPORT=1\nODD='a\\b  c'\nHEXAGON=\nLAST=ä");
    expect(host.boot()).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(host.env, 'utf8')).toMatch(
      /^HEX=[0-9a-f]{32}\nURL=[A-Za-z0-9_-]{27}\nWORD=[A-Za-z0-9]{22}\n# theirs\n\nPORT=1\nODD='a\\b {2}c'\nHEXAGON=\nLAST=ä\n$/u,
    );
    expect(statSync(host.env).mode & 0o777).toBe(0o600);
  });

  test('makes what has no value alone, and does nothing the second time', () => {
    using host = prepared('HEX=kept\nURL=\n WORD = "kept too"\n');
    expect(host.boot().status).toBe(0);
    const text = readFileSync(host.env, 'utf8');
    expect(text).toMatch(/^URL=[A-Za-z0-9_-]{27}\nHEX=kept\n WORD = "kept too"\n$/u);
    const { ino, mtimeMs } = statSync(host.env);
    expect(host.boot().status).toBe(0);
    expect({ ino: statSync(host.env).ino, mtimeMs: statSync(host.env).mtimeMs }).toEqual({ ino, mtimeMs });
    expect(readFileSync(host.env, 'utf8')).toBe(text);
  });

  test.each([
    ['line ends of Windows', 'HEX=\r\nURL=\r\nWORD=\r\nPORT=1\r\n', 'PORT=1\r\n'],
    ['quotes and blanks', 'HEX=""\nURL=\'\'\n  WORD =  \nPORT=1\n', 'PORT=1\n'],
    ['a line twice', 'HEX=\nHEX=\nURL=\nWORD=\nPORT=1\n', 'PORT=1\n'],
    ['no line at all', 'PORT=1\n', 'PORT=1\n'],
    ['nothing', '', ''],
  ])('%s: what is empty to systemd is empty to it', (_, text, rest) => {
    using host = prepared(text);
    expect(host.boot()).toEqual({ status: 0, stderr: '' });
    const now = readFileSync(host.env, 'utf8');
    expect(now).toMatch(/^HEX=[0-9a-f]{32}\nURL=.{27}\nWORD=.{22}\n/u);
    expect(now.split('\n').slice(3).join('\n')).toBe(rest);
  });

  test.each([
    ['a file', (left: string) => writeFileSync(left, 'HEX=half', { mode: 0o644 })],
    ['a link', (left: string) => symlinkSync('/dev/null', left)],
  ])('a boot that was cut off is made good by the next one, though %s is left of it', (_, leave) => {
    using host = prepared('HEX=\nURL=\nWORD=\n');
    leave(`${host.env}.first-boot`);
    expect(host.boot().status).toBe(0);
    expect(readFileSync(host.env, 'utf8')).toMatch(/^HEX=[0-9a-f]{32}\nURL=.{27}\nWORD=.{22}\n$/u);
    expect(lstatSync(host.env).mode & 0o777).toBe(0o600);
    expect(existsSync(`${host.env}.first-boot`)).toBe(false);
  });

  test('refuses where there is no env file, or no randomness, and leaves nothing behind', () => {
    using host = prepared('HEX=\nURL=\nWORD=\n');
    const none = host.boot((script) => script.replaceAll('/dev/random', '/dev/null'));
    expect({ status: none.status, told: none.stderr }).toEqual({
      status: 1,
      told: 'first-boot: HEX could not be made\n',
    });
    expect(readdirSync(path.dirname(host.env))).toEqual(['.env']);
    expect(readFileSync(host.env, 'utf8')).toBe('HEX=\nURL=\nWORD=\n');
    rmSync(host.env);
    expect(host.boot()).toEqual({ status: 1, stderr: `first-boot: ${host.env} is missing\n` });
  });
});
