/** Idempotent is a contract: any number of runs equals one run, in the file, in the process and on the disk. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { directoryOf } from './support/leftovers.ts';
import {
  differences,
  envFile,
  expectAnswering,
  expectExit,
  mainPid,
  nginxPids,
  secretNames,
  secretsInFile,
  secretsInProcess,
  snapshot,
  systemdNotes,
} from './support/observe.ts';

const journalOnly = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => !path.startsWith('./var/lib/mcp-installer'));

const environmentLines = async (host: Host): Promise<readonly string[]> =>
  (await host.must(`tr '\\0' '\\n' </proc/${await mainPid(host)}/environ`)).split('\n');

/** Paths below the host's own layer whose bytes hold the value. */
function pathsHolding(host: Host, value: string): string {
  try {
    return execFileSync('grep', ['-rlaF', value, `${directoryOf(host.id)}/upper`], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

describe.each(suites)('%s', (suite) => {
  test('five reruns change nothing, and a rotation changes all four secrets and leaves none of the old ones', async () => {
    await using host = await createHost({ suite, name: 'rerun' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    expect(await secretsInProcess(host)).toEqual(secrets);
    const before = snapshot(host);
    const processes = { service: await mainPid(host), nginx: await nginxPids(host) };
    const notes = await systemdNotes(host);

    for (let run = 1; run <= 5; run += 1) {
      const { output } = expectExit(await host.installer(['--detailed-exitcode']), 0);
      expect(output).toContain('[OK] Nothing to do');
      expect(secretsInFile(host)).toEqual(secrets);
      expect(await secretsInProcess(host)).toEqual(secrets);
      await expectAnswering(host);
    }
    expect(journalOnly(differences(before, snapshot(host)))).toEqual([]);
    expect({ service: await mainPid(host), nginx: await nginxPids(host) }).toEqual(processes);
    expect(await systemdNotes(host)).toBe(notes);

    expectExit(await host.installer(['--force-rotate-tokens', '--detailed-exitcode']), 2);
    const rotated = secretsInFile(host);
    for (const name of secretNames) expect(rotated[name]).not.toBe(secrets[name]);
    expect(await secretsInProcess(host)).toEqual(rotated);
    await expectAnswering(host);
    for (const name of secretNames)
      expect({ name, paths: pathsHolding(host, secrets[name]) }).toEqual({ name, paths: '' });
    expect(journalOnly(differences(before, snapshot(host)))).toEqual([
      './etc/mcp-oauth-proxy',
      './etc/mcp-oauth-proxy/.env',
    ]);
  });

  test('a rerun looks at the running process: a stopped service is started, a stale one is restarted', async () => {
    await using host = await createHost({ suite, name: 'stale' });
    expectExit(await host.installer([]), 0);

    await host.must('systemctl stop mcp-oauth-proxy.service mcp-oauth-proxy.socket');
    const started = expectExit(await host.installer([]), 0);
    expect(started.output).toContain('started mcp-oauth-proxy.service');
    await expectAnswering(host);

    await host.must('systemctl stop nginx');
    expectExit(await host.installer([]), 0);
    await expectAnswering(host);

    // Somebody changed the file behind the service's back: the process has other secrets than the file.
    const fresh = 'a'.repeat(64);
    await host.must(`sed -i 's/^MCP_TOKEN=.*/MCP_TOKEN=${fresh}/' /etc/mcp-oauth-proxy/.env`);
    const restarted = expectExit(await host.installer([]), 0);
    expect(restarted.output).toContain('Restarted mcp-oauth-proxy.service');
    expect((await secretsInProcess(host)).MCP_TOKEN).toBe(fresh);
    expect(expectExit(await host.installer([]), 0).output).toContain('[OK] Nothing to do');

    await host.must('touch /usr/local/lib/mcp-oauth-proxy/oauth_proxy.py');
    expect(expectExit(await host.installer([]), 0).output).toContain('Restarted mcp-oauth-proxy.service');
    expect(expectExit(await host.installer([]), 0).output).toContain('[OK] Nothing to do');
  });

  test('every value of the .env reaches the process, also one that is taken out; a change of its mode is none', async () => {
    await using host = await createHost({ suite, name: 'hand-edited' });
    expectExit(await host.installer([]), 0);
    const rerun = async (): Promise<readonly string[]> => {
      const { output } = expectExit(await host.installer(['--detailed-exitcode']), 2);
      expect(output).toContain('Restarted mcp-oauth-proxy.service');
      expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
        '[OK] Nothing to do',
      );
      return environmentLines(host);
    };

    await host.must(`echo BACKEND_URL=http://127.0.0.1:9001/mcp >>${envFile}`);
    expect(expectExit(await host.installer(['status']), 3).output).toContain(
      'restart mcp-oauth-proxy.service',
    );
    expect(await rerun()).toContain('BACKEND_URL=http://127.0.0.1:9001/mcp');
    await host.must(`printf '%s\\n' "LOG_LEVEL='a b'" REDIRECT_URIS=https://a.example.org/ >>${envFile}`);
    const added = await rerun();
    expect(added).toContain('LOG_LEVEL=a b');
    expect(added).toContain('REDIRECT_URIS=https://a.example.org/');
    await host.must(`sed -i /^REDIRECT_URIS=/d ${envFile}`);
    expect((await rerun()).filter((line) => line.startsWith('REDIRECT_URIS='))).toEqual([]);

    const pid = await mainPid(host);
    await host.must(`chmod 0400 ${envFile} && chmod 0600 ${envFile}`);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
    expect(await mainPid(host)).toBe(pid);
  });

  test('a drop-in of a person reaches the process, loaded or not; one that overrides a value is let be', async () => {
    await using host = await createHost({ suite, name: 'drop-in' });
    expectExit(await host.installer([]), 0);
    const dropIn = '/etc/systemd/system/mcp-oauth-proxy.service.d/override.conf';
    const environment = async (): Promise<readonly string[]> => {
      expectExit(await host.installer(['--detailed-exitcode']), 2);
      expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
        '[OK] Nothing to do',
      );
      return environmentLines(host);
    };
    await host.write(dropIn, '[Service]\nEnvironment=FOO=one\n');
    expect(await environment()).toContain('FOO=one');
    await host.write(dropIn, '[Service]\nEnvironment=FOO=two\nUnsetEnvironment=LISTEN_PORT EXTRA\n');
    await host.must('systemctl daemon-reload');
    expect(await environment()).toContain('FOO=two');
    await host.must(`echo EXTRA=1 >>${envFile}`);
    expect(await environment()).not.toContain('EXTRA=1');
    await host.must(`rm -r ${dropIn.slice(0, dropIn.lastIndexOf('/'))}`);
    expect(await environment()).not.toContain('FOO=two');
  });

  test('after a reboot everything is there by itself', async () => {
    await using host = await createHost({ suite, name: 'reboot' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    await host.reboot();
    expect(expectExit(await host.installer([]), 0).output).toContain('[OK] Nothing to do');
    await expectAnswering(host);
    expect(await secretsInProcess(host)).toEqual(secrets);
  });
});
