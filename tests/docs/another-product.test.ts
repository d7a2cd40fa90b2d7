/** The how-to about another product: what it shows is installed as it stands, as a file and as a program. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';
import { run, temporaryRoot } from '../support/installer.ts';
import { treeOf } from '../support/tree.ts';

const page = readFileSync(path.join(repositoryRoot, 'docs/how-to/another-product.md'), 'utf8');
const names = ['greeter.py', 'greeter.service', 'config.json.template', 'greeter.yaml', 'greeter.mjs'];
let directory = '';

/** The block after the paragraph that begins with the name of its file. */
function shown(name: string): string {
  const at = page.indexOf(`\n\`${name}\``);
  const [, text] = /```\w+\n(.*?)```/su.exec(page.slice(at)) ?? [];
  if (at === -1 || text === undefined) throw new Error(`the page does not show ${name}`);
  return text;
}

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mcp-installer-greeter-'));
  for (const name of names) writeFileSync(path.join(directory, name), shown(name));
  mkdirSync(path.join(directory, 'node_modules'));
  symlinkSync(repositoryRoot, path.join(directory, 'node_modules/mcp-installer'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const product = (): string => path.join(directory, 'greeter.yaml');

test('the file installs, and the program finds everything in order', async () => {
  using root = temporaryRoot();
  const installed = await run(['--product', product(), '--root', root.path]);
  expect(installed).toMatchObject({ exitCode: 0, stderr: '' });
  const at = (file: string): string => readFileSync(path.join(root.path, file), 'utf8');
  expect(at('/etc/greeter/.env')).toMatch(/^GREETER_KEY=[0-9a-f]{64}\nPORT=8090\nGREETING=Hello\n$/u);
  expect(at('/usr/local/lib/greeter/config.json')).toBe('{ "greeting": "Hello" }\n');
  const before = treeOf(root.path, ['/var/lib/mcp-installer']);
  const { stdout } = await promisify(execFile)('node', [path.join(directory, 'greeter.mjs'), root.path]);
  expect(stdout).toBe('unchanged 0\n');
  expect(treeOf(root.path, ['/var/lib/mcp-installer'])).toEqual(before);
});

test('the commands that the page shows are accepted', async () => {
  using root = temporaryRoot();
  const [, block = ''] = /```sh\n(.*?)```/su.exec(page) ?? [];
  const ran: string[] = [];
  for (const line of block.trim().split('\n')) {
    const words = [...line.replace(/^(?:sudo )?mcp-installer /u, '').matchAll(/'([^']*)'|(\S+)/gu)];
    const args = words.map(([, quoted, plain]) => quoted ?? plain!);
    const { exitCode } = await run([
      ...args.map((word) => (word === 'greeter.yaml' ? product() : word)),
      '--root',
      root.path,
    ]);
    ran.push(`${exitCode}`);
  }
  expect(ran).toEqual(['0', '0', '0', '0', '0']);
});

test('what it adds for nginx is accepted as well', async () => {
  using root = temporaryRoot();
  const [yaml = '', site = ''] = [
    ...page.slice(page.indexOf('## With nginx')).matchAll(/```\w+\n(.*?)```/gsu),
  ].map(([, text]) => text!);
  const [settings = '', nginx = ''] = yaml.split('nginx:\n').map((part) => part.replace('settings:\n', ''));
  const whole = shown('greeter.yaml').replace('settings:\n', `settings:\n${settings}`);
  writeFileSync(path.join(directory, 'site.conf'), site);
  writeFileSync(path.join(directory, 'with-nginx.yaml'), `${whole}nginx:\n${nginx}`);
  const file = path.join(directory, 'with-nginx.yaml');
  const asked = await run(['--product', file, '--root', root.path]);
  expect(asked.exitCode).toBe(64);
  expect(asked.stderr).toContain('Add --domain.');
  expect(await run(['--product', file, '--root', root.path, '--domain', 'greet.example.org'])).toMatchObject({
    exitCode: 0,
  });
  const made = readFileSync(path.join(root.path, '/etc/nginx/sites-available/greeter.conf'), 'utf8');
  expect(made).toContain('server_name greet.example.org;');
  expect(made).toMatch(/return 200 "[0-9a-f]{16}\\n";/u);
});
