/** What a damaged journal may have known of is done again, once: a restart too many is better than one too few. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost } from './support/host.ts';
import { expectAnswering, expectExit, mainPid, secretsInFile } from './support/observe.ts';

describe.each(suites)('%s', (suite) => {
  test('damage in the last journal counts as a restart owed, which is done, said, and then settled', async () => {
    await using host = await createHost({ suite, name: 'damage' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    const pid = await mainPid(host);
    const run = await host.must('ls /var/lib/mcp-installer/runs | tail -n 1');
    await host.must(`sed -i '3s/"t":/"T":/' /var/lib/mcp-installer/runs/${run}/journal.jsonl`);

    const { stdout } = expectExit(await host.installer(['--detailed-exitcode']), 2);
    expect(stdout).toContain(
      `[!] The journal of run ${run} is damaged (line 3 does not fit its checksum); a restart counts as owed.\n`,
    );
    expect(stdout).toContain(`[+] Restarted mcp-oauth-proxy.service (owed by run ${run})\n`);
    expect(secretsInFile(host)).toEqual(secrets);
    const restarted = await mainPid(host);
    expect(restarted).not.toBe(pid);
    await expectAnswering(host);

    const again = expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(again.stdout).toContain('[OK] Nothing to do');
    expect(again.stdout).not.toContain('is damaged');
    expect(await mainPid(host)).toBe(restarted);
  });
});
