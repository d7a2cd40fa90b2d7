/** Two products on one host, one journal: what is known of one is nothing to the other. */
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { installerMachine, machineVersion } from '../../src/machines/installer.ts';
import { viewOf } from '../../src/effects/view.ts';
import { reloadsOf } from '../../src/effects/plan/reloads.ts';
import { emptyMemory, memoryFor, type Memory } from '../../src/memory.ts';
import { install, type InstallOptions } from '../../src/install.ts';
import { Journal } from '../../src/journal/journal.ts';
import { readMemory } from '../../src/journal/reader.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import type { Product } from '../../src/products/product.ts';
import { defineService } from '../../src/products/service/index.ts';
import type { RunEvent } from '../../src/run-events.ts';
import { status } from '../../src/status/index.ts';
import { createMemoryHost } from '../../src/effects/host/memory.ts';
import { emptyScope, runningUnit } from '../support/scope.ts';
import { files, place, type Place } from '../support/place.ts';
import { signerDefinition, signerFiles } from './signer.ts';

const signer = defineService(signerDefinition);

async function ended(root: Place, product: Product, options: InstallOptions = {}) {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => void events.push(event);
  const { output } = await install({ root: root.path, product, onEvent, ...options });
  const notes = events.flatMap((event) =>
    event.type === 'note' && event.level === 'warning' ? [event.code] : [],
  );
  return { outcome: output.outcome, mode: output.mode, error: output.error?.code ?? null, notes };
}
const fresh = { outcome: 'installed', mode: 'fresh', error: null, notes: [] };
const nothing = { outcome: 'unchanged', mode: 'existing', error: null, notes: [] };

const secretLines = (root: Place): readonly string[] =>
  root
    .read(signerFiles.env)
    .split('\n')
    .filter((line) => /^(?:API_KEY|SIGNING_KEY)=/u.test(line));

test('a service without a socket, a site and code of the installer’s is installed in memory', async () => {
  const host = createMemoryHost();
  const { output } = await install({ host, product: signer });
  const made = [...host.nodes].filter(([, { type }]) => type !== 'directory').map(([path]) => path);
  expect({ outcome: output.outcome, error: output.error, made: made.toSorted() }).toEqual({
    outcome: 'installed',
    error: null,
    made: [
      '/etc/signer/.env',
      '/etc/systemd/system/multi-user.target.wants/signer.service',
      '/etc/systemd/system/signer.service',
      '/usr/local/lib/signer/config.json',
      '/usr/local/lib/signer/signer.py',
    ],
  });
});

test('values stand in the files as their readers take them, and secrets in the env file alone', async () => {
  using root = place();
  const settings = { ISSUER: 'The "best" signer', PORT: '9001' };
  expect(await ended(root, signer, { request: { settings } })).toEqual(fresh);
  expect(JSON.parse(root.read(signerFiles.config))).toEqual({ issuer: 'The "best" signer', maxBytes: 65536 });
  expect(root.read(signerFiles.unit)).toContain('\nEnvironmentFile=/etc/signer/.env\n');
  expect(root.read(signerFiles.env)).toMatch(
    /^API_KEY=[A-Za-z0-9_-]{43}\nSIGNING_KEY=[0-9a-f]{64}\nPORT=9001\nISSUER='The "best" signer'\nMAX_BYTES=65536\n$/u,
  );
});

describe('on a host with both', () => {
  test('each is fresh beside the other, finds nothing to do afterwards, and keeps its secrets', async () => {
    using root = place();
    expect(await ended(root, mcpOauthProxy)).toEqual(fresh);
    const proxy = root.look();
    expect(await ended(root, signer)).toEqual(fresh);
    const secrets = secretLines(root);
    expect(await ended(root, mcpOauthProxy)).toEqual(nothing);
    expect(await ended(root, signer)).toEqual(nothing);
    expect(secretLines(root)).toEqual(secrets);
    const now = root.look();
    const isFile = (path: string): boolean => /\.(?:env|py|socket|service|conf)$/u.test(path);
    for (const [path, was] of proxy) if (isFile(path)) expect([path, now.get(path)]).toEqual([path, was]);
  });

  test('a rotation of one leaves the other as it is', async () => {
    using root = place();
    await ended(root, mcpOauthProxy);
    await ended(root, signer);
    const [proxy, [key, signing]] = [root.read(files.env), secretLines(root)];
    expect(await ended(root, signer, { request: { rotate: ['API_KEY'] } })).toEqual({
      ...fresh,
      mode: 'forceRotate',
    });
    const [newKey, newSigning] = secretLines(root);
    expect({ rotated: newKey !== key, kept: newSigning === signing, proxy: root.read(files.env) }).toEqual({
      rotated: true,
      kept: true,
      proxy,
    });
  });

  test('lost secrets of one are lost, whatever the other did since', async () => {
    using root = place();
    await ended(root, signer);
    await ended(root, mcpOauthProxy);
    for (const file of [signerFiles.env, signerFiles.unit]) rmSync(root.at(file));
    const { error } = await ended(root, signer);
    expect(error).toBe('E_ENV_LOST');
  });

  test('what the other has written is not taken: the same path is refused, and nothing is touched', async () => {
    using root = place();
    await ended(root, signer);
    const before = root.look();
    const other = defineService({ ...signerDefinition, name: 'other', files: [] });
    const taking: Product = { ...other, desired: (input) => signer.desired(input) };
    const { error } = await ended(root, taking);
    expect({ error, touched: [...root.look()].filter(([path, what]) => before.get(path) !== what) }).toEqual({
      error: 'E_PATH_CLAIMED',
      touched: [],
    });
  });

  test('an edit of one’s file is still an edit after runs of the other', async () => {
    using root = place();
    await ended(root, signer);
    writeFileSync(root.at(signerFiles.code), `${root.read(signerFiles.code)}# mine\n`);
    await ended(root, mcpOauthProxy);
    const newer = { ...signerDefinition, files: [{ path: signerFiles.code, content: 'pass\n' }] };
    expect((await ended(root, defineService(newer))).error).toBe('E_EDIT_CONFLICT');
  });

  test('history says which run was of which, and nothing of that where there is one alone', async () => {
    using root = place();
    await ended(root, signer);
    expect((await root.run('history')).stdout).toMatch(/Z  install  fresh  installed/u);
    await ended(root, mcpOauthProxy);
    const { stdout } = await root.run('history');
    expect(stdout).toMatch(/install  mcp-oauth-proxy  fresh[^]*install  signer  fresh/u);
  });

  test('status of one that is not installed names the other that is; of one that is, and of a fresh host, nothing', async () => {
    using root = place();
    const told = async (product: Product): Promise<readonly string[]> => {
      const { kind, notes } = await status({ root: root.path, product });
      return [kind, ...notes.filter(({ code }) => code === 'other-products').map(({ text }) => text)];
    };
    expect(await told(mcpOauthProxy)).toEqual(['absent']);
    expect(await ended(root, signer)).toEqual(fresh);
    expect(await told(mcpOauthProxy)).toEqual([
      'absent',
      'Installed on this host by the installer: signer (status with --product FILE).',
    ]);
    expect(await told(signer)).toEqual(['installed']);
  });

  test('damage of the journal makes a restart due for both', async () => {
    using root = place();
    await ended(root, signer);
    await ended(root, mcpOauthProxy);
    writeFileSync(root.at(root.journal()), 'damaged\n');
    expect((await ended(root, mcpOauthProxy)).notes).toEqual(['journal-damaged']);
    const { owed } = readMemory(root.at(files.journal)).memory;
    expect(owed.map(({ what, unit }) => `${what} ${unit}`).toSorted()).toEqual([
      'restart mcp-oauth-proxy.service',
      'restart signer.service',
    ]);
  });
});

test('what an older installer left without a name belongs to the product of its run', () => {
  using root = place();
  const since = ['product', 'others', 'service', 'envFile'];
  const known = Object.fromEntries(Object.entries(emptyMemory).filter(([name]) => !since.includes(name)));
  const older = new Journal({
    machine: { id: installerMachine.id, version: machineVersion },
    installer: '0.1.0',
    command: 'install',
    input: { request: { product: 'mcp-oauth-proxy' } },
    inherited: { ...known, secretsMade: true } as unknown as Memory,
    lastId: null,
  });
  older.attach(root.path);
  const { memory } = readMemory(root.path);
  const seen = ({ product, secretsMade }: Memory): unknown => ({ product, secretsMade });
  expect(seen(memory)).toEqual({ product: 'mcp-oauth-proxy', secretsMade: true });
  expect(seen(memoryFor(memory, signer))).toEqual({ product: 'signer', secretsMade: false });
  expect(seen(memoryFor(memoryFor(memory, signer), mcpOauthProxy))).toEqual({
    product: 'mcp-oauth-proxy',
    secretsMade: true,
  });
});

test('a run finishes what is its own product’s, and what all share; the rest stays owed', async () => {
  const because = ['/x'];
  const owed = [
    { what: 'restart', unit: mcpOauthProxy.service, because, run: 'a' },
    { what: 'restartSocket', unit: mcpOauthProxy.socket!, because, run: 'a' },
    { what: 'reloadWeb', unit: mcpOauthProxy.webUnit, because, run: 'a' },
    { what: 'reloadManager', unit: 'systemd', because, run: 'a' },
    { what: 'restart', unit: signer.service, because, run: 'b' },
  ] as const;
  const scope = emptyScope({
    host: createMemoryHost(),
    product: signer,
    memory: () => ({ ...emptyMemory, owed }),
  });
  scope.state.services = 'live';
  scope.state.unitsBefore = new Map([[signer.service, runningUnit(signer.service)]]);
  const settings = { PORT: '8095', ISSUER: 'signer', MAX_BYTES: '65536' };
  const wanted = signer.desired({ settings, given: {}, view: viewOf(scope), code: new Uint8Array() });
  if (!wanted.ok) throw new Error(wanted.code);
  const reloads = await reloadsOf(scope, wanted.desired, [], false);
  expect(reloads.map(({ what, unit, owedBy }) => ({ what, unit, owedBy }))).toEqual([
    { what: 'reloadManager', unit: 'systemd', owedBy: ['a'] },
    { what: 'restart', unit: 'signer.service', owedBy: ['b'] },
  ]);
});
