/** Undoing past runs below a root of its own: byte for byte, modes included, up to the originals; never a secret. */
import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { install, type InstallOptions } from '../../src/install.ts';
import type { Undo } from '../../src/machines/types.ts';
import { mcpOauthProxy } from '../../src/products/mcp-oauth-proxy/index.ts';
import { files, place, type Place } from '../support/place.ts';

/** Everything but the journal, without what only tells when: mode, owner, content. */
const state = (root: Place): ReadonlyMap<string, string> =>
  new Map(
    [...root.look()].map(([path, words]) => {
      const [mode, uid, gid, , , , , content] = words.split(' ');
      return [path, `${mode} ${uid} ${gid} ${content}`] as const;
    }),
  );

async function run(root: Place, options: InstallOptions = {}) {
  const { output, run: id } = await install({ root: root.path, ...options });
  const { outcome, exitCode, changed, error, notes } = output;
  return { outcome, exitCode, changed, error: error?.code ?? null, notes: notes.map(({ code }) => code), id };
}

const undo = (root: Place, what: Undo, options: InstallOptions = {}) =>
  run(root, { ...options, request: { undo: what } });

const rollback = (root: Place, wanted: string | null = null) => undo(root, { kind: 'rollback', run: wanted });
const uninstall = (root: Place, purge = false) => undo(root, { kind: 'uninstall', purge });

const changed = { outcome: 'installed', exitCode: 0, changed: true, error: null };
const unchanged = { outcome: 'unchanged', exitCode: 0, changed: false, error: null };
const source = (text: string): InstallOptions => ({
  request: { source: 'file' },
  source: Buffer.from(text),
});

describe('rollback', () => {
  test('puts back what the last run changed, settings included, and keeps every secret', async () => {
    using root = place();
    expect(await run(root)).toMatchObject(changed);
    const before = state(root);
    const secrets = root.secrets();
    const options = source('print("new")\n');
    expect(
      await run(root, { ...options, request: { ...options.request, settings: { LISTEN_PORT: '9000' } } }),
    ).toMatchObject(changed);
    expect(state(root)).not.toEqual(before);
    expect(await rollback(root)).toMatchObject(changed);
    expect(state(root)).toEqual(before);
    expect(root.secrets()).toEqual(secrets);
  });

  test('to a run undoes it and all later ones; again undoes the one before', async () => {
    using root = place();
    await run(root);
    const first = state(root);
    const second = await run(root, source('print(2)\n'));
    const afterSecond = state(root);
    const third = await run(root, source('print(3)\n'));
    await run(root, source('print(4)\n'));
    expect(await rollback(root, third.id)).toMatchObject(changed);
    expect(state(root)).toEqual(afterSecond);
    expect(await rollback(root, third.id)).toMatchObject({
      ...unchanged,
      notes: ['services-offline', 'nothing-to-undo'],
    });
    expect(await rollback(root)).toMatchObject(changed);
    expect(state(root)).toEqual(first);
    expect(await rollback(root, second.id)).toMatchObject(unchanged);
  });

  test("to code of the user's own leaves it theirs: later installs keep it", async () => {
    using root = place();
    for (const text of ['print(1)\n', 'print(2)\n']) await run(root, source(text));
    expect(await rollback(root)).toMatchObject(changed);
    for (let again = 0; again < 2; again += 1) {
      expect(await run(root)).toMatchObject({
        ...unchanged,
        notes: expect.arrayContaining(['source-kept']) as string[],
      });
      expect(root.read(files.code)).toBe('print(1)\n');
    }
  });

  test("over code of the user's own leaves nothing of theirs: later installs bring the newest of ours", async () => {
    using root = place();
    await run(root);
    await run(root, source('print(1)\n'));
    await rollback(root);
    const newer = { ...mcpOauthProxy, bundledCode: Buffer.from('# newer\n') };
    expect(await run(root, { product: newer })).toMatchObject(changed);
    expect(root.read(files.code)).toBe('# newer\n');
  });

  test('takes away what a killed run has left beside the files, as a dry run of it says; again finds nothing', async () => {
    using root = place();
    await run(root);
    const second = await run(root, source('print(1)\n'));
    const left = [
      '/etc/mcp-oauth-proxy/..env.0123456789abcdef.mcp-installer-tmp',
      '/usr/local/lib/mcp-oauth-proxy/.oauth_proxy.py.0123456789abcdef.mcp-installer-tmp',
    ];
    for (const file of left) root.write(file, 'left\n', 0o600);
    const planned = await install({
      root: root.path,
      dryRun: true,
      request: { undo: { kind: 'rollback', run: second.id } },
    });
    const removed = planned.output.plan?.operations.filter(({ kind }) => kind === 'removeLeftover');
    expect(removed?.map(({ path }) => path)).toEqual(left);
    expect(await rollback(root, second.id)).toMatchObject(changed);
    expect(left.filter((file) => state(root).has(file))).toEqual([]);
    expect(await rollback(root, second.id)).toMatchObject(unchanged);
  });

  test('can be undone itself', async () => {
    using root = place();
    await run(root);
    await run(root, source('print(2)\n'));
    const second = state(root);
    const back = await rollback(root);
    expect(await rollback(root, back.id)).toMatchObject(changed);
    expect(state(root)).toEqual(second);
    // The run that was undone stands again.
    expect(await rollback(root)).toMatchObject(changed);
  });

  test('an install afterwards is as after the run that stands: what was undone is no edit', async () => {
    using root = place();
    await run(root);
    await run(root, source('print(2)\n'));
    await rollback(root);
    expect(await run(root)).toMatchObject(unchanged);
  });

  test('refuses over a rotation, and changes nothing', async () => {
    using root = place();
    await run(root);
    await run(root, { request: { rotate: ['CLIENT_ID'] } });
    await run(root, source('print(2)\n'));
    const before = state(root);
    const [, rotation] = root.runs();
    expect(await rollback(root, rotation)).toMatchObject({ exitCode: 10, error: 'E_UNDO_ROTATION' });
    expect(state(root)).toEqual(before);
    expect(await rollback(root)).toMatchObject(changed);
    expect(await rollback(root)).toMatchObject({ exitCode: 10, error: 'E_UNDO_ROTATION' });
  });

  test('refuses over what a person edited since', async () => {
    using root = place();
    await run(root);
    await run(root, source('print(2)\n'));
    root.write(files.code, 'print("mine")\n');
    const before = state(root);
    expect(await rollback(root)).toMatchObject({ exitCode: 10, error: 'E_UNDO_EDITED' });
    expect(state(root)).toEqual(before);
  });

  test('where nothing was ever done there is nothing to undo', async () => {
    using root = place();
    expect(await rollback(root)).toMatchObject(unchanged);
    expect([...state(root).keys()]).toEqual(['']);
  });
});

describe('uninstall', () => {
  test('leaves everything as before the first install, but the secrets; a second time there is nothing', async () => {
    using root = place();
    root.write('/etc/nginx/sites-available/theirs.conf', 'theirs\n');
    const before = state(root);
    await run(root);
    await run(root, source('print(2)\n'));
    const env = root.read(files.env);
    expect(await uninstall(root)).toMatchObject(changed);
    expect(root.read(files.env)).toBe(env);
    const kept = [...state(root).keys()].filter((path) => !before.has(path));
    expect(kept).toEqual(['/etc/mcp-oauth-proxy', '/etc/mcp-oauth-proxy/.env', '/var', '/var/lib']);
    expect(await uninstall(root)).toMatchObject({
      ...unchanged,
      notes: ['services-offline', 'nothing-to-undo'],
    });
    expect(await uninstall(root, true)).toMatchObject(changed);
  });

  test('takes away what a killed run has left, of links too, though the secrets stay', async () => {
    using root = place();
    await run(root);
    const left = [
      '/etc/mcp-oauth-proxy/..env.0123456789abcdef.mcp-installer-tmp',
      '/etc/nginx/.mcp-oauth-proxy.conf.0123456789abcdef.mcp-installer-tmp',
    ];
    root.write(left[0]!, 'left\n', 0o600);
    symlinkSync('left', root.at(left[1]!));
    expect(await uninstall(root)).toMatchObject(changed);
    expect([...state(root).keys()].filter((file) => file.includes('mcp-oauth'))).toEqual([
      '/etc/mcp-oauth-proxy',
      '/etc/mcp-oauth-proxy/.env',
    ]);
  });

  test('puts back the originals that the installer replaced, with their modes', async () => {
    using root = place();
    root.write(files.code, 'print("original")\n', 0o640);
    root.write(files.service, '[Service]\nExecStart=/bin/true\n');
    root.write(files.env, 'CLIENT_ID=ab\nMCP_TOKEN=cd\nCLIENT_SECRET=ef\nTOKEN_SECRET=12\n', 0o644);
    chmodSync(root.at('/etc/mcp-oauth-proxy'), 0o755);
    const before = state(root);
    expect(await run(root)).toMatchObject(changed);
    expect(await uninstall(root)).toMatchObject(changed);
    const after = state(root);
    for (const path of [files.code, files.service]) expect(after.get(path)).toBe(before.get(path));
  });

  test('--purge takes the secrets too, and the host is fresh again (security 31)', async () => {
    using root = place();
    await run(root);
    const secrets = root.secrets();
    expect(await uninstall(root, true)).toMatchObject(changed);
    expect([...state(root).keys()].filter((path) => path.includes('mcp-oauth'))).toEqual([]);
    expect(await run(root)).toMatchObject(changed);
    expect(root.secrets()).not.toEqual(secrets);
  });

  test('--purge after an uninstall that kept them takes the secrets, and the directory that they are in', async () => {
    using root = place();
    await run(root);
    await uninstall(root);
    await run(root);
    await uninstall(root);
    expect(await uninstall(root, true)).toMatchObject(changed);
    expect([...state(root).keys()].filter((path) => path.includes('mcp-oauth'))).toEqual([]);
    expect(await uninstall(root, true)).toMatchObject({
      ...unchanged,
      notes: ['services-offline', 'nothing-to-undo'],
    });
  });

  test("--purge takes the service's state, links and all; without it the state stays, and is named", async () => {
    using root = place();
    await run(root);
    root.write('/var/lib/private/mcp-oauth-proxy/state.db', 'clients\n');
    symlinkSync('private/mcp-oauth-proxy', root.at('/var/lib/mcp-oauth-proxy'));
    expect((await uninstall(root)).notes).toContain('path-stays');
    expect(root.read('/var/lib/private/mcp-oauth-proxy/state.db')).toBe('clients\n');
    expect(await uninstall(root, true)).toMatchObject(changed);
    expect([...state(root).keys()].filter((path) => path.includes('mcp-oauth'))).toEqual([]);
  });

  test('what a person put in place of what is gone is not touched, purge or not', async () => {
    using root = place();
    await run(root);
    await uninstall(root);
    root.write(files.site, '# mine\n');
    root.write(`${path.dirname(files.env)}/notes`, 'mine too\n');
    expect(await uninstall(root, true)).toMatchObject(changed);
    expect(root.read(files.site)).toBe('# mine\n');
    expect(root.read(`${path.dirname(files.env)}/notes`)).toBe('mine too\n');
  });

  test('can be rolled back as long as the secrets are there', async () => {
    using root = place();
    await run(root);
    const before = state(root);
    const kept = await uninstall(root);
    expect(await rollback(root, kept.id)).toMatchObject(changed);
    expect(state(root)).toEqual(before);
    const purged = await uninstall(root, true);
    expect(await rollback(root, purged.id)).toMatchObject({ exitCode: 10, error: 'E_UNDO_ROTATION' });
  });

  test('where an original was not kept whole, since a secret stood in it, that is said and ours is taken away', async () => {
    using root = place();
    const secret = 'abcdefabcdef0123456789';
    root.write(files.env, `CLIENT_ID=${secret}\nMCP_TOKEN=cd\nCLIENT_SECRET=ef\nTOKEN_SECRET=12\n`, 0o600);
    root.write(files.service, `[Service]\nEnvironment=CLIENT_ID=${secret}\n`);
    await run(root);
    const ended = await uninstall(root);
    expect(ended).toMatchObject(changed);
    expect(ended.notes).toContain('original-lost');
    expect(state(root).has(files.service)).toBe(false);
  });

  test('a dry run predicts it, and writes nothing', async () => {
    using root = place();
    await run(root);
    const before = [root.look(), root.journalTree()];
    const options = { root: root.path, request: { undo: { kind: 'uninstall', purge: true } as const } };
    const dry = await install({ ...options, dryRun: true });
    expect([root.look(), root.journalTree()]).toEqual(before);
    const { output } = await install(options);
    expect(dry.output.plan).toEqual(output.plan);
  });

  test('keeps what a person edited, and says so', async () => {
    using root = place();
    await run(root);
    root.write(files.site, '# mine\n');
    const ended = await uninstall(root);
    expect(ended).toMatchObject(changed);
    expect(ended.notes).toContain('path-stays');
    expect(root.read(files.site)).toBe('# mine\n');
  });

  test('without an env file, or with a broken one, it goes all the same', async () => {
    using root = place();
    await run(root);
    rmSync(root.at(files.env));
    expect(await uninstall(root)).toMatchObject(changed);
  });
});
