/** What undoing will have to know is on record before it is gone. */
import { expect, test } from 'vitest';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import type { Fact } from '../../src/facts.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { place } from '../support/place.ts';

async function factsOf(options: InstallOptions): Promise<readonly Fact[]> {
  const { records, output } = await install(options);
  expect(output.error).toBeNull();
  return records.flatMap((record) => (record.k === 'fact' ? [record.fact] : []));
}

const envFacts = (facts: readonly Fact[]): readonly Fact[] =>
  facts.filter(({ fact }) => fact === 'secretsReplaced' || fact === 'settingsFound');

const settingsFirst = { LISTEN_PORT: '9000', BACKEND_URL: 'http://127.0.0.1:8000/mcp' };

test('a fresh run replaces no secret and finds no settings', async () => {
  expect(envFacts(await factsOf({ host: createMemoryHost() }))).toEqual([
    { fact: 'settingsFound', settings: null },
  ]);
});

test('a rotation names the secrets whose values go, before the file that held them is replaced', async () => {
  using root = place();
  await factsOf({ root: root.path, request: { settings: { LISTEN_PORT: '9000' } } });
  const facts = await factsOf({ root: root.path, request: { rotate: ['CLIENT_ID', 'CLIENT_SECRET'] } });
  expect(envFacts(facts)).toEqual([
    { fact: 'secretsReplaced', names: ['CLIENT_ID', 'CLIENT_SECRET'] },
    { fact: 'settingsFound', settings: settingsFirst },
  ]);
  const at = (name: Fact['fact']): number => facts.findIndex(({ fact }) => fact === name);
  expect(at('secretsReplaced')).toBeLessThan(at('replacing'));
});

test('a changed setting replaces no secret; what stood there before is told', async () => {
  using root = place();
  await factsOf({ root: root.path, request: { settings: { LISTEN_PORT: '9000' } } });
  expect(
    envFacts(await factsOf({ root: root.path, request: { settings: { LISTEN_PORT: '9001' } } })),
  ).toEqual([{ fact: 'settingsFound', settings: settingsFirst }]);
});

test('a run that finds nothing to do records nothing of it', async () => {
  using root = place();
  await factsOf({ root: root.path });
  expect(envFacts(await factsOf({ root: root.path }))).toEqual([]);
});

test('with each path stands what running programs have to be made to notice', async () => {
  const facts = await factsOf({ host: createMemoryHost() });
  const due = facts.flatMap((fact) => (fact.fact === 'replacing' ? [[fact.path, fact.due]] : []));
  expect(Object.fromEntries(due)).toMatchObject({
    '/etc/mcp-oauth-proxy': [],
    '/etc/mcp-oauth-proxy/.env': ['restart'],
    '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py': ['restart'],
    '/etc/systemd/system/mcp-oauth-proxy.service': ['reloadManager', 'restart'],
    '/etc/nginx/snippets/mcp-oauth-proxy.conf': ['reloadWeb'],
  });
});
