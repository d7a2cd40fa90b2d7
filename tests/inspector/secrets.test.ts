/** No secret value in any byte that a page is sent, or in a file for a colleague, in any encoding. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { canaries, canaryComment } from '../support/canaries.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { defineService } from '../../src/products/service/index.ts';
import { signerDefinition, signerFiles } from '../products/signer.ts';
import { place, expectExit, type Place } from '../support/place.ts';
import { ask, last, messages, opened, stream } from './support/watch.ts';

const env = '/etc/mcp-oauth-proxy/.env';

const supplied = new Map([
  ['MCP_TOKEN', 'supplied-bearer-0123456789~+/'],
  ['OWNER_PASSWORD', 'the-owners-password!?:'],
]);

/** As it is, in base64 (any alignment, both alphabets), in hex, escaped for a URL and for JSON. */
function encodings(value: string): string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${value}`)
      .toString('base64')
      .slice(4, -4),
  );
  const urls = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = Buffer.from(value).toString('hex');
  return [
    value,
    ...base64,
    ...urls,
    hex,
    hex.toUpperCase(),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ];
}

/** Everything that a run puts on the wire: both streams to their ends, and every page. */
async function wireOf(
  root: Place,
  options: InstallOptions,
): Promise<{ readonly wire: string; readonly exitCode: number }> {
  await using open = await opened();
  const { inspector } = open;
  const page = stream(inspector.url);
  const socket = messages(inspector.url);
  const { output } = await install({
    root: root.path,
    diffs: true,
    ...options,
    onRecord: inspector.record,
    onEvent: (event) => {
      inspector.told(event);
      options.onEvent?.(event);
    },
  });
  inspector.finish();
  const frames = await page.frames.until(last);
  const steps = frames.filter(({ frame }) => frame.kind === 'step').length;
  // The actor, then an event and a snapshot for every further step.
  await socket.received.until((items) => items.length === 2 * steps - 1);
  const pages = await Promise.all(
    ['', 'viewer.js', 'viewer.css', 'stately', 'stately.js'].map((each) => ask(`${inspector.url}${each}`)),
  );
  const wire = [
    page.wire(),
    socket.wire(),
    ...pages.map(({ body, headers }) => body + JSON.stringify(headers)),
  ].join('\n');
  page[Symbol.dispose]();
  socket[Symbol.dispose]();
  expect(open.problems).toEqual([]);
  return { wire, exitCode: output.exitCode };
}

test('through an installation, a rotation, a failure that is put back, a refusal and their exports', async () => {
  using root = place();
  const reset = (more = ''): void => {
    const text = Object.entries(canaries)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
    root.write(env, `# ${canaryComment}\n${text}${more}`, 0o600);
  };
  const secrets = new Set<string>([...Object.values(canaries), canaryComment, ...supplied.values()]);
  const told: string[] = [];
  const watch = async (exitCode: number, options: InstallOptions): Promise<void> => {
    const ran = await wireOf(root, options);
    expect(ran.exitCode).toBe(exitCode);
    told.push(ran.wire);
    if (options.dryRun === true) return;
    const file = path.join(root.path, `${told.length}.jsonl`);
    expectExit(await root.run('show', ['last', '--export', file]), 0);
    told.push(readFileSync(file, 'utf8'));
  };
  root.write(path.dirname(env) + '/x', '');
  reset();
  await watch(0, {});
  for (const value of Object.values(root.secrets())) secrets.add(value);
  await watch(0, { request: { rotate: ['MCP_TOKEN'] }, supplied });
  const stop = new AbortController();
  await watch(143, {
    request: { rotate: ['CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'], settings: { LISTEN_PORT: '9100' } },
    interrupt: stop.signal,
    onEvent: (event) => {
      if (event.type === 'operation' && event.operation.path === env) stop.abort('SIGTERM');
    },
  });
  await watch(0, { request: { rotate: 'all' } });
  for (const value of Object.values(root.secrets())) secrets.add(value);
  await watch(0, {
    dryRun: true,
    request: { rotate: 'all', settings: { DOMAIN: 'mcp.example.org', INSECURE_HTTP: '1' } },
  });
  reset('A=b\\\n');
  await watch(10, {});
  const everything = told.join('\n');
  expect(everything.length).toBeGreaterThan(100_000);
  for (const value of secrets)
    for (const encoded of encodings(value))
      expect(everything.includes(encoded), `${value} as ${encoded}`).toBe(false);
});

test.each([
  ['as it is', (value: string) => value],
  ['in base64', (value: string) => Buffer.from(`user:${value}:x`).toString('base64')],
  ['in base64 for URLs', (value: string) => Buffer.from(`ab${value}ö`).toString('base64url')],
  ['in hex', (value: string) => Buffer.from(value).toString('hex').toUpperCase()],
  ['escaped for a URL', (value: string) => encodeURIComponent(value)],
  ['escaped for JSON, twice', (value: string) => JSON.stringify({ inner: JSON.stringify({ value }) })],
])('an export that would hold a secret %s is refused, and nothing is written', async (_, encode) => {
  using root = place();
  expectExit(await root.install(), 0);
  const value = 'p"ä ss/w+rd?\\0123456789';
  const file = path.join(root.path, 'run.jsonl');
  const journal = root.at(root.journal());
  // Such a journal does not come about; somebody has to make one.
  writeFileSync(journal, `${readFileSync(journal, 'utf8')}${JSON.stringify({ told: encode(value) })}\n`);
  root.write(
    env,
    `${root.read(env)}OTHER="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`,
    0o600,
  );
  const ran = await root.run('show', ['last', '--export', file]);
  expect(ran.exitCode).toBe(10);
  expect(ran.stderr).toContain('E_EXPORT_SECRET');
  expect(ran.stderr).toContain('OTHER');
  expect(ran.output).not.toContain(value);
  expect([...root.look().keys()]).not.toContain('/run.jsonl');
});

test('a short value of somebody else’s key is a word of any text; behind its name it is a secret', async () => {
  using root = place();
  expectExit(await root.install(), 0);
  root.write(env, `${root.read(env)}WORD=mcp\nSAME=http://127.0.0.1:8000/mcp\n`, 0o600);
  expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'a.jsonl')]), 0);
  const journal = root.at(root.journal());
  writeFileSync(journal, `${readFileSync(journal, 'utf8')}WORD=mcp\n`);
  const ran = expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'b.jsonl')]), 10);
  expect(ran.stderr).toContain('E_EXPORT_SECRET');
});

test('secrets of every product of the host are looked for, whichever the run is about', async () => {
  using root = place();
  const signer = defineService(signerDefinition);
  await install({ root: root.path, product: signer });
  const settings = { ISSUER: 'https://signer.example.org/issuer' };
  await install({ root: root.path, product: signer, request: { settings } });
  // What was given as a setting is none.
  expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'a.jsonl')]), 0);
  expectExit(await root.install(), 0);
  const key = /^SIGNING_KEY=(\S+)$/mu.exec(root.read(signerFiles.env))?.[1] ?? '';
  const journal = root.at(root.journal());
  expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'b.jsonl')]), 0);
  writeFileSync(journal, `${readFileSync(journal, 'utf8')}${JSON.stringify({ key })}\n`);
  const ran = expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'c.jsonl')]), 10);
  expect(ran.stderr).toContain('the value of SIGNING_KEY');
  expect(key).toHaveLength(64);
  expect(ran.output).not.toContain(key);

  // A secret stays one where somebody gave it as a setting too.
  await install({ root: root.path, product: signer, request: { settings: { ISSUER: key } } });
  const told = expectExit(await root.run('show', ['last', '--export', path.join(root.path, 'd.jsonl')]), 10);
  expect(told.stderr).toContain('the value of SIGNING_KEY');
});
