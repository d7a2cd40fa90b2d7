/** The Ansible collection, with the ansible-core of each Debian, on the host that it manages. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkout } from '../hosts/support/form.ts';
import { suites, type Suite } from '../hosts/support/base.ts';
import { createHost, type Host } from '../hosts/support/host.ts';
import { imageWith, type Image } from '../hosts/support/image.ts';
import {
  envFile,
  expectAnswering,
  mainPid,
  secretsInFile,
  secretsInProcess,
} from '../hosts/support/observe.ts';

interface TaskResult {
  readonly changed: boolean;
  readonly failed?: boolean;
  readonly code?: string;
  readonly rolled_back?: boolean;
  readonly plan?: string | null;
  readonly outcome?: string;
  readonly diff?: readonly { readonly prepared: string }[];
  readonly installation?: { readonly settings: Readonly<Record<string, string>> };
}

const collection = 'mcp_installer.mcp_oauth_proxy';

async function hostWithAnsible(suite: Suite, name: string, image: Image): Promise<Host> {
  const host = await createHost({ suite, name, image });
  await host.must(
    `ansible-galaxy collection install --offline "$(${checkout}/integrations/ansible/build.sh /tmp)"
     cmp ${checkout}/LICENSE .ansible/collections/ansible_collections/mcp_installer/mcp_oauth_proxy/LICENSE`,
  );
  return host;
}

/** What ansible-playbook printed for a play on this host; `status` is its exit code. */
async function play(host: Host, tasks: readonly object[], ...options: readonly string[]) {
  const book = [{ hosts: 'localhost', connection: 'local', gather_facts: false, tasks }];
  await host.write('/root/play.yml', JSON.stringify(book));
  const env = { ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCALHOST_WARNING: 'false' };
  const words = ['ansible-playbook', '--inventory', 'localhost,', ...options, '/root/play.yml'];
  const { output, exitCode } = await host.run(words, { env });
  return { output, exitCode, changed: Number(/^localhost .*changed=(\d+)/mu.exec(output)?.[1] ?? '-1') };
}

/** What modules returned, one after another in one play, and what was printed meanwhile. */
async function results(host: Host, modules: readonly object[], ...options: readonly string[]) {
  const kept = '/root/results.json';
  const names = modules.map((_, index) => `result${index}`);
  const tasks = [
    ...modules.map((module, index) => ({ ...module, register: names[index], ignore_errors: true })),
    {
      'ansible.builtin.copy': { content: `{{ [${names.join(', ')}] | to_json }}`, dest: kept },
      check_mode: false,
      diff: false,
    },
  ];
  const { output } = await play(host, tasks, ...options);
  const told = JSON.parse(host.exists(kept) ? host.read(kept) : output) as readonly TaskResult[];
  await host.must(`rm ${kept}`);
  return { told, output };
}

/** What a module returned, and what was printed meanwhile. */
async function task(host: Host, module: object, ...options: readonly string[]) {
  const { told, output } = await results(host, [module], ...options);
  return { result: told[0]!, output };
}

describe.each(suites)('%s', (suite) => {
  let image: Image;
  beforeAll(async () => {
    image = await imageWith(suite, ['ansible-core']);
  });
  afterAll(() => {
    image[Symbol.dispose]();
  });

  test('a check predicts the play, the second play changes nothing, a failure is told with its code, and what goes is gone', async () => {
    await using host = await hostWithAnsible(suite, 'ansible', image);
    const executable = host.installerCommand([]).at(-1)!;
    const installation = (more: object = {}) => ({ [`${collection}.installation`]: { executable, ...more } });
    const settings = { settings: { LISTEN_PORT: 8093 } };

    const check = await task(host, installation(settings), '--check', '--diff');
    expect(check.result.changed).toBe(true);
    expect(host.exists(envFile)).toBe(false);
    const first = await task(host, installation(settings));
    expect({ changed: first.result.changed, plan: first.result.plan }).toEqual({
      changed: true,
      plan: check.result.plan,
    });
    const secrets = secretsInFile(host);
    expect(await secretsInProcess(host)).toEqual(secrets);
    const pid = await mainPid(host);

    expect((await task(host, installation(settings))).result.changed).toBe(false);
    expect((await task(host, installation())).result.changed).toBe(false);
    expect(await mainPid(host)).toBe(pid);
    const info = await task(host, { [`${collection}.installation_info`]: { executable } });
    expect(info.result).toMatchObject({ outcome: 'healthy', installation: { healthy: true } });
    await host.must('systemctl stop mcp-oauth-proxy.socket mcp-oauth-proxy.service');
    const stopped = await task(host, { [`${collection}.installation_info`]: { executable } });
    expect(stopped.result).toMatchObject({ outcome: 'unhealthy', installation: { healthy: false } });
    expect((await task(host, installation())).result.changed).toBe(true);

    const token = 'a-bearer-of-the-users-own-0123456789';
    const differs = await task(host, installation({ mcp_token: token }), '-vvvv');
    expect({
      failed: differs.result.failed,
      code: differs.result.code,
      rolledBack: differs.result.rolled_back,
    }).toEqual({
      failed: true,
      code: 'E_SECRET_DIFFERS',
      rolledBack: false,
    });
    const brought = await task(
      host,
      installation({ mcp_token: token, rotate: ['MCP_TOKEN'] }),
      '-vvvv',
      '--diff',
    );
    expect(brought.result.changed).toBe(true);
    expect(secretsInFile(host)).toEqual({ ...secrets, MCP_TOKEN: token });
    for (const value of [token, ...Object.values(secrets)])
      expect(`${differs.output}${brought.output}`.includes(value)).toBe(false);

    const help = await task(host, installation({ source: '--help' }));
    expect({ failed: help.result.failed, code: help.result.code }).toEqual({ failed: true, code: 'E_USAGE' });
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const before = await host.must('sha256sum /usr/local/lib/mcp-oauth-proxy/oauth_proxy.py');
    const broken = await task(host, installation({ source: '/root/broken.py' }));
    expect({
      failed: broken.result.failed,
      code: broken.result.code,
      rolledBack: broken.result.rolled_back,
    }).toEqual({
      failed: true,
      code: 'E_UNHEALTHY',
      rolledBack: true,
    });
    expect(await host.must('sha256sum /usr/local/lib/mcp-oauth-proxy/oauth_proxy.py')).toBe(before);
    expect((await task(host, installation({ unset: ['LISTEN_PORT'] }))).result.changed).toBe(true);
    await expectAnswering(host);

    const absent = installation({ state: 'absent', purge: true });
    expect((await task(host, absent)).result).toMatchObject({ changed: true, outcome: 'uninstalled' });
    expect(host.exists(envFile)).toBe(false);
    expect((await task(host, absent)).result.changed).toBe(false);
  });

  test('a flag that is false is not set, null is refused, and what does not run is not called healthy', async () => {
    await using host = await hostWithAnsible(suite, 'ansible-words', image);
    const root = '/root/tree';
    await host.must(`mkdir ${root}`);
    const common = { executable: host.installerCommand([]).at(-1)!, root };
    const installed = (settings: object) => ({ [`${collection}.installation`]: { ...common, settings } });
    const looked = { [`${collection}.installation_info`]: common };
    const file = (arguments_: object) => ({ 'ansible.builtin.file': arguments_ });
    const { told } = await results(host, [
      looked,
      installed({ DOMAIN: 'mcp.example.org', INSECURE_HTTP: true }),
      looked,
      installed({ INSECURE_HTTP: false }),
      installed({ INSECURE_HTTP: false }),
      installed({ LISTEN_PORT: false }),
      installed({ DOMAIN: null }),
      looked,
      file({ path: `${root}/etc/systemd/system/mcp-oauth-proxy.service`, state: 'absent' }),
      looked,
      file({ path: `${root}/etc`, mode: '0777' }),
      looked,
    ]);
    expect(told).toMatchObject([
      { outcome: 'absent' },
      { changed: true },
      { outcome: 'installed', installation: { healthy: null, settings: { INSECURE_HTTP: '1' } } },
      { changed: true },
      { changed: false },
      { failed: true, code: 'E_USAGE' },
      { failed: true, msg: expect.stringContaining('DOMAIN is null') as string },
      { outcome: 'installed', installation: { settings: { DOMAIN: 'mcp.example.org' } } },
      { changed: true },
      { outcome: 'drifted' },
      { changed: true },
      { failed: true, code: 'E_PATH_UNSAFE', outcome: 'refused' },
    ]);
    expect(told[7]?.installation?.settings).not.toHaveProperty('INSECURE_HTTP');
  });

  test('the role brings the executable that was asked for and no other, and predicts before it is there', async () => {
    await using host = await hostWithAnsible(suite, 'ansible-role', image);
    const built = host.installerCommand([]).at(-1)!;
    const [sha256 = ''] = (await host.must(`sha256sum ${built}`)).split(' ');
    const role = (more: object = {}) => ({
      'ansible.builtin.include_role': { name: `${collection}.mcp_installer` },
      vars: { mcp_installer_file: built, mcp_installer_sha256: sha256, ...more },
    });
    const placed = '/usr/local/bin/mcp-installer';

    const wrong = `${sha256.startsWith('0') ? '1' : '0'}${sha256.slice(1)}`;
    const other = await play(host, [role({ mcp_installer_sha256: wrong })]);
    expect({ exitCode: other.exitCode, placed: host.exists(placed) }).toEqual({ exitCode: 2, placed: false });
    const planIn = (output: string): string => /"plan": "([0-9a-f]{8})"/u.exec(output)?.[1] ?? '';
    const check = await play(host, [role()], '--check', '-v');
    expect({ placed: host.exists(placed), env: host.exists(envFile), changed: check.changed }).toEqual({
      placed: false,
      env: false,
      changed: 1,
    });
    expect(await host.must('find /root/.ansible/tmp -mindepth 1')).toBe('');

    const first = await play(host, [role()], '-v');
    expect({ changed: first.changed, plan: planIn(first.output) }).toEqual({
      changed: 1,
      plan: planIn(check.output),
    });
    await expectAnswering(host);
    // What somebody has put in its place is replaced before it is run, and one that cannot be run is made to.
    await host.must(`printf '#!/bin/sh\\n: >/root/was-run\\n' >${placed}`);
    expect((await play(host, [role()], '--check')).changed).toBe(1);
    expect((await play(host, [role()])).changed).toBe(1);
    for (const spoil of [
      `chmod -x ${placed}`,
      `chmod g+w ${placed}`,
      `mv ${placed} /root/it; ln -s /root/it ${placed}`,
    ]) {
      await host.must(spoil);
      expect({ spoil, changed: (await play(host, [role()])).changed }).toEqual({ spoil, changed: 1 });
    }
    expect(
      await host.must(`stat -c '%F %a %u' ${placed}; ls -A /usr/local/bin | grep -c '^[.]mcp' || true`),
    ).toBe('regular file 755 0\n0');
    expect(host.exists('/root/was-run')).toBe(false);
    expect((await play(host, [role()])).changed).toBe(0);
    // It is verified where it was brought before, too.
    const later = await play(host, [role({ mcp_installer_sha256: wrong })], '-v');
    expect({ exitCode: later.exitCode, code: /"code": "(\w+)"/u.exec(later.output)?.[1] }).toEqual({
      exitCode: 2,
      code: 'E_UNVERIFIED',
    });
    const nowhere = await task(
      host,
      {
        [`${collection}.installation`]: { executable: '/opt/none/mcp-installer', file: built, sha256 },
      },
      '--check',
    );
    expect({ failed: nowhere.result.failed, code: nowhere.result.code }).toEqual({
      failed: true,
      code: 'E_WRITE_FAILED',
    });
    const alone = await task(host, { [`${collection}.installation`]: { executable: placed, sha256: wrong } });
    expect({ failed: alone.result.failed, code: alone.result.code }).toEqual({
      failed: true,
      code: 'E_UNVERIFIED',
    });
    expect((await play(host, [role()], '--check')).changed).toBe(0);
    const elsewhere = '/root/bin-of-nobody/mcp-installer';
    await host.must(`mkdir ${elsewhere.replace(/\/[^/]+$/u, '')}`);
    const absent = { executable: elsewhere, file: built, sha256, state: 'absent', purge: true };
    expect((await task(host, { [`${collection}.installation`]: absent })).result.changed).toBe(true);
    expect((await task(host, { [`${collection}.installation`]: absent })).result.changed).toBe(false);
    expect({ executable: host.exists(elsewhere), env: host.exists(envFile) }).toEqual({
      executable: false,
      env: false,
    });
  });
});
