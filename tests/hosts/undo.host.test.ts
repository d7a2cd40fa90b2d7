/** rollback and uninstall on a host in service: files, units and what runs are as they were, and secrets are kept. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import {
  differences,
  envFile,
  expectAnswering,
  expectExit,
  mainPid,
  nginxPids,
  secretsInFile,
  secretsInProcess,
  snapshot,
} from './support/observe.ts';

const ownState = '/var/lib/private/mcp-oauth-proxy';

/** Type, mode, owner, target and bytes of every path; when it was written is nobody's to put back. */
function standing(host: Host): ReadonlyMap<string, string> {
  const own = ['./var/lib/mcp-installer', './root', './run', './tmp'];
  return new Map(
    [...snapshot(host, { without: own })].map(([path, facts]) => {
      const [type, mode, owner, , , , , ...rest] = facts.split(' ');
      return [path, [type, mode, owner, ...rest].join(' ')] as const;
    }),
  );
}

/** What systemd knows of us: nothing, when all is gone. */
const unitsKnown = (host: Host): Promise<string> =>
  host.must("systemctl list-units --all --plain --no-legend 'mcp-oauth*' | awk '{print $1, $3}'");

const listening = (host: Host): Promise<string> =>
  host.must("ss -Hltn | awk '{print $4}' | grep -E ':(8083|8084|9001|9002)$' | sort || true");

const upgraded = async (host: Host, words: string): Promise<string> => {
  const bundled = host.read('/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py');
  return host.write('/root/next.py', `${bundled}\n# ${words}\n`);
};

describe.each(suites)('%s', (suite) => {
  test('uninstall leaves the host as before the first install, but the secrets; a purge takes these too (security 31)', async () => {
    await using host = await createHost({ suite, name: 'uninstall' });
    const before = standing(host);
    expectExit(await host.installer([]), 0);
    await upgraded(host, 'next');
    expectExit(await host.installer(['--source', '/root/next.py', '--port', '9001']), 0);
    const secrets = secretsInFile(host);
    const installed = snapshot(host);
    const dry = expectExit(await host.installer(['uninstall', '--dry-run']), 0).stdout;
    expect(differences(installed, snapshot(host))).toEqual([]);
    expect(dry).toContain(
      'Would stop mcp-oauth-proxy.service and stop mcp-oauth-proxy.socket and reload systemd',
    );
    const { stdout } = expectExit(await host.installer(['uninstall']), 0);
    expect(stdout).toContain('[OK] Uninstalled');
    const hash = /Plan ([0-9a-f]{8}): \d+ changes/u;
    expect(hash.exec(stdout)?.[0]).toBe(hash.exec(dry)?.[0]);
    expect(differences(before, standing(host))).toEqual([
      './etc/mcp-oauth-proxy',
      `.${envFile}`,
      // systemd's own link to the state that is kept.
      './var/lib/mcp-oauth-proxy',
    ]);
    expect([await unitsKnown(host), await listening(host)]).toEqual(['', '']);
    expect(host.exists(ownState)).toBe(true);
    const workers = await nginxPids(host);
    const again = expectExit(await host.installer(['uninstall']), 0).stdout;
    expect(again).toContain('mcp-oauth-proxy is not installed.');
    expect(await nginxPids(host)).toBe(workers);
    expectExit(await host.installer(['status']), 4);

    // What was kept is taken up again.
    expectExit(await host.installer([]), 0);
    expect(secretsInFile(host)).toEqual(secrets);
    expect(await secretsInProcess(host)).toEqual(secrets);

    const purged = expectExit(await host.installer(['uninstall', '--purge']), 0).stdout;
    expect(purged).toContain(`Removed state ${ownState}`);
    expect(differences(before, standing(host))).toEqual([]);
    expect([await unitsKnown(host), await listening(host), host.exists(ownState)]).toEqual(['', '', false]);
    expectExit(await host.installer(['uninstall', '--purge']), 0);
    // And the host is a fresh one.
    expectExit(await host.installer([]), 0);
    expect(
      Object.keys(secrets).filter((name) => host.read(envFile).includes(secrets[name as 'MCP_TOKEN'])),
    ).toEqual([]);
    await expectAnswering(host);
  });

  test('rollback brings back code, port and what runs, and can be rolled back itself', async () => {
    await using host = await createHost({ suite, name: 'rollback' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    const first = standing(host);
    await upgraded(host, 'next');
    // The service takes the port that nginx has had, and gives it back.
    expectExit(await host.installer(['--source', '/root/next.py', '--port', '8084']), 0);
    const second = standing(host);
    const { stdout } = expectExit(await host.installer(['rollback']), 0);
    expect(stdout).toContain('[OK] Rolled back');
    expect(differences(first, standing(host))).toEqual([]);
    expect(await secretsInProcess(host)).toEqual(secrets);
    await expectAnswering(host);
    const pid = await mainPid(host);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(await mainPid(host)).toBe(pid);
    const { stdout: runs } = expectExit(await host.installer(['history', '--json']), 0);
    const entries = runs.split('\n').flatMap((line) => (line.includes('"rollback"') ? [line] : []));
    const { run } = JSON.parse(entries[0] ?? '{}') as { run: string };
    expectExit(await host.installer(['rollback', run]), 0);
    expect(differences(second, standing(host))).toEqual([]);
    expect((await listening(host)).split('\n').map((each) => each.split(':').at(-1))).toContain('8084');
  });

  test('a failed uninstall is put back, and the service answers', async () => {
    await using host = await createHost({ suite, name: 'uninstall-fails' });
    expectExit(await host.installer([]), 0);
    const before = standing(host);
    await host.write('/etc/nginx/conf.d/foreign.conf', 'nonsense;\n');
    const { output } = expectExit(await host.installer(['uninstall', '--purge']), 12);
    expect(output).toContain('E_CONFIG_REJECTED');
    expect(differences(before, standing(host))).toEqual(['./etc/nginx/conf.d/foreign.conf']);
    expect(host.exists(ownState)).toBe(true);
    await expectAnswering(host);
    await host.must('rm /etc/nginx/conf.d/foreign.conf');
    expectExit(await host.installer([]), 0);
    expectExit(await host.installer(['uninstall', '--purge']), 0);
  });
});
