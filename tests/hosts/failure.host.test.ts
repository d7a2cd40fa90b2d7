/** What goes wrong in the middle: killed, interrupted, broken code, a foreign configuration error, two at once. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { installerProcess } from './support/form.ts';
import { createHost, until, type Host } from './support/host.ts';
import {
  differences,
  envFile,
  expectAnswering,
  expectExit,
  holdUp,
  mainPid,
  secretsInFile,
  secretsInProcess,
  snapshot,
} from './support/observe.ts';

/** What stays by rule: the journal, and the service's own state. */
const withoutJournal = { without: ['./var/lib/mcp-installer', './var/lib/mcp-oauth-proxy'] };

/** Paths without those whose content is as before but which were written anew. */
function contents(host: Host): ReadonlyMap<string, string> {
  const entries = [...snapshot(host, withoutJournal)].map(([path, facts]): [string, string] => {
    const [type = '', mode = '', owner = '', size = '', ...rest] = facts.split(' ');
    return [
      path,
      [
        type,
        mode,
        owner,
        type === 'd' ? '' : size,
        /^[0-9a-f]{64}$/u.test(rest.at(-1) ?? '') ? rest.at(-1) : '',
      ].join(' '),
    ];
  });
  return new Map(entries);
}

/** A service that does something when it starts, and something else with each request before it answers. */
const serviceThat = (starting: string, answering = 'pass'): string => `import os, threading
${starting}
async def app(scope, receive, send):
    if scope["type"] == "http":
        ${answering}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
`;

describe.each(suites)('%s', (suite) => {
  test('killed between write and reload, the next plain run does the restart that was owed and says whose it was', async () => {
    await using host = await createHost({ suite, name: 'kill' });
    expectExit(await host.installer([]), 0);
    const pid = await mainPid(host);
    const held = await holdUp(host, '/usr/bin/systemctl', 'reset-failed');
    const run = host.spawn(host.installerCommand(['--force-rotate-tokens']));
    await until('the run waits before its restart', () => lookInside(host, held.reached));
    await host.must(`pkill -KILL -f '${installerProcess}'`);
    run.kill('SIGKILL');
    await held.release();
    const killed = await host.must('ls /var/lib/mcp-installer/runs | tail -n 1');
    expect(await mainPid(host)).toBe(pid);
    expect(await secretsInProcess(host)).not.toEqual(secretsInFile(host));

    const rotated = secretsInFile(host);
    const { output } = expectExit(await host.installer([]), 0);
    expect(output).toContain(
      `Run ${killed} was interrupted before it ended; this one finishes what it left.`,
    );
    expect(output).toContain(`[+] Restarted mcp-oauth-proxy.service (owed by run ${killed})`);
    expect(secretsInFile(host)).toEqual(rotated);
    expect(await secretsInProcess(host)).toEqual(rotated);
    expect(
      await host.must(
        `grep -c '"owedBy":\\["${killed}"\\]' /var/lib/mcp-installer/runs/*/journal.jsonl | tail -n 1`,
      ),
    ).toMatch(/:1$/u);
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
    await expectAnswering(host);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s in the middle puts everything back',
    async (signal) => {
      await using host = await createHost({ suite, name: signal });
      expectExit(await host.installer([]), 0);
      const secrets = secretsInFile(host);
      const held = await holdUp(host, '/usr/bin/systemctl', 'reset-failed');
      const run = host.installer(['--force-rotate-tokens']);
      await until('the run waits before its restart', () => lookInside(host, held.reached));
      await host.must(`pkill -${signal.slice(3)} -f '${installerProcess}'`);
      await held.release();
      const { exitCode } = await run;
      expect(exitCode).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
      expect(secretsInFile(host)).toEqual(secrets);
      expect(await secretsInProcess(host)).toEqual(secrets);
      await expectAnswering(host);
    },
  );

  test('a broken oauth_proxy.py: exit 12, old file back, old service answering, secrets untouched', async () => {
    await using host = await createHost({ suite, name: 'broken' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    const before = contents(host);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const beforeWithFile = new Map([
      ...before,
      ...[...contents(host)].filter(([path]) => path.startsWith('./root')),
    ]);
    const { output } = expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    expect(output).toContain('E_UNHEALTHY');
    expect(output).toContain('[!] Everything was put back as it was before');
    expect(differences(beforeWithFile, contents(host))).toEqual([]);
    expect(secretsInFile(host)).toEqual(secrets);
    expect(await secretsInProcess(host)).toEqual(secrets);
    await expectAnswering(host);
    // A crash after the first answer is a crash as well.
    await host.write('/root/late.py', serviceThat('', 'threading.Timer(0.2, lambda: os._exit(1)).start()'));
    expectExit(await host.installer(['--source', '/root/late.py']), 12);
    await expectAnswering(host);
    expect(expectExit(await host.installer([]), 0).output).not.toContain('Copied');
    expect(expectExit(await host.installer(['--detailed-exitcode']), 0).output).toContain(
      '[OK] Nothing to do',
    );
  });

  test('a fresh installation that fails leaves nothing but its journal, and is a fresh host again (security 31)', async () => {
    await using host = await createHost({ suite, name: 'fresh-fails' });
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    const before = contents(host);
    expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    expect(differences(before, contents(host))).toEqual([]);
    expect(await host.must('systemctl list-units --all --plain --no-legend "mcp-oauth-proxy*"')).toBe('');
    const { output } = expectExit(await host.installer([]), 0);
    expect(output).toContain('[+] Generating new secrets...');
    await expectAnswering(host);
  });

  test('--no-rollback leaves everything for looking at: exit 13, and the next run mends it', async () => {
    await using host = await createHost({ suite, name: 'no-rollback' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    expectExit(await host.installer(['--source', '/root/broken.py', '--no-rollback']), 13);
    expect(host.read('/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py')).toContain('broken');
    expectExit(await host.installer(['--source', 'bundled']), 0);
    await expectAnswering(host);
  });

  test("somebody else's broken nginx site is noticed before anything is reloaded", async () => {
    await using host = await createHost({ suite, name: 'foreign-nginx' });
    expectExit(await host.installer([]), 0);
    await host.write('/etc/nginx/sites-enabled/other.conf', 'server { listen 8090; nonsense on; }\n');
    const before = contents(host);
    const { output } = expectExit(await host.installer(['--port', '9001']), 12);
    expect(output).toContain('E_CONFIG_REJECTED: nginx -t rejects the new configuration');
    expect(differences(before, contents(host))).toEqual([]);
    await expectAnswering(host);
    // What needs no nginx goes through.
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
  });

  test("what systemd does not know in a person's drop-in holds nothing up; in a unit of ours it does", async () => {
    await using host = await createHost({ suite, name: 'unknown-key' });
    expectExit(await host.installer([]), 0);
    const units = '/etc/systemd/system/mcp-oauth-proxy';
    await host.write(`${units}.service.d/override.conf`, '[Service]\nNoSuchThing=1\n');
    const remote = ['--backend-url', 'https://mcp.example.org/mcp'];
    expectExit(await host.installer(remote), 0);
    expect(host.read(`${units}.service`)).not.toContain('IPAddressDeny');
    await expectAnswering(host);
    await host.must(`sed -i 's/^NoDelay=.*/NoSuchThing=2/' ${units}.socket`);
    const { output } = expectExit(
      await host.installer(['--backend-url', 'http://127.0.0.1:8000/mcp', '--keep-edited']),
      12,
    );
    expect(output).toContain(
      'E_CONFIG_REJECTED: systemd-analyze verify rejects the new configuration: /etc/systemd/system/mcp-oauth-proxy.socket:',
    );
    await expectAnswering(host);
  });

  test('a service that crashes later than a run waits is told as one by the next run and by status', async () => {
    await using host = await createHost({ suite, name: 'slow-crash' });
    await host.write('/root/slow.py', serviceThat('threading.Timer(4.0, lambda: os._exit(3)).start()'));
    expectExit(await host.installer(['--source', '/root/slow.py']), 0);
    // One crash that systemd has mended is no loop yet.
    await until('systemd has restarted it twice', async () => {
      const shown = await host.must(
        'systemctl show --property=NRestarts,SubState --value mcp-oauth-proxy.service',
      );
      return /^([2-9]|[1-9]\d+)\nrunning$/u.test(shown.split('\n').sort().join('\n')) ? true : undefined;
    });
    const crashing = /E_UNHEALTHY: The service is not healthy: it (crashes and is restarted|crashed again) /u;
    expect(expectExit(await host.installer(['status']), 3).output).toMatch(
      /not healthy: it crash(es|ed) .*restarted \(?[1-9]\d* times?/u,
    );
    expect(expectExit(await host.installer([]), 13).output).toMatch(crashing);
    expectExit(await host.installer(['--source', 'bundled']), 0);
    await expectAnswering(host);
    expectExit(await host.installer(['status']), 0);
  });

  test('two runs at once: one works, the other exits 11 and changes nothing (security 23)', async () => {
    await using host = await createHost({ suite, name: 'two-runs' });
    // On a fresh host, where there is nothing to lock yet.
    const [one, two] = await Promise.all([host.installer([]), host.installer([])]);
    expect([one.exitCode, two.exitCode].sort((a, b) => a - b)).toEqual([0, 11]);
    await expectAnswering(host);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));

    const held = await holdUp(host, '/usr/bin/systemctl', 'reset-failed');
    const first = host.installer(['--force-rotate-tokens']);
    await until('the first run is under way', () => lookInside(host, held.reached));
    const second = expectExit(await host.installer(['--force-rotate-tokens']), 11);
    expect(second.output).toContain('E_BUSY');
    expectExit(await host.installer(['--dry-run']), 11);
    await held.release();
    expectExit(await first, 0);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
  });

  test('a full disk stops the run with the old state in place', async () => {
    await using host = await createHost({ suite, name: 'full-disk' });
    expectExit(await host.installer([]), 0);
    const env = host.read(envFile);
    // A small file system over the directory of the secrets, with no room for a second copy.
    await host.must(
      `cp -a /etc/mcp-oauth-proxy /root/kept && mount -t tmpfs -o size=4k,mode=700 none /etc/mcp-oauth-proxy && cp -a /root/kept/.env /etc/mcp-oauth-proxy/`,
    );
    const { output } = expectExit(await host.installer(['--force-rotate-tokens']), 12);
    expect(output).toContain('E_WRITE_FAILED: /etc/mcp-oauth-proxy/.env could not be written: ENOSPC.');
    expect(await host.must('cat /etc/mcp-oauth-proxy/.env; ls -A /etc/mcp-oauth-proxy')).toBe(`${env}.env`);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
  });
});

/** `/run` is the host's own mount: it is seen from inside only. */
async function lookInside(host: Host, path: string): Promise<true | undefined> {
  const { exitCode } = await host.run(['test', '-e', path]);
  return exitCode === 0 ? true : undefined;
}
