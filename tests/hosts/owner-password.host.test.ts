/** An optional secret on a running service: the process has what the file has, also where the file has none. */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { envFile, expectAnswering, expectExit, mainPid } from './support/observe.ts';

const password = 'correct-horse~battery:%s!';

const inProcess = async (host: Host): Promise<string | null> => {
  const environment = await host.must(`tr '\\0' '\\n' </proc/${await mainPid(host)}/environ`);
  const line = environment.split('\n').find((each) => each.startsWith('OWNER_PASSWORD='));
  return line?.slice('OWNER_PASSWORD='.length) ?? null;
};

describe.each(suites)('%s', (suite) => {
  test('brought along, removed by name, typed by hand and taken out by hand', async () => {
    await using host = await createHost({ suite, name: 'owner-password' });
    await host.write('/root/password', `${password}\n`);
    expectExit(await host.installer([]), 0);
    expect(await inProcess(host)).toBeNull();

    expectExit(await host.installer(['--owner-password-file', '/root/password']), 0);
    expect(await inProcess(host)).toBe(password);
    await expectAnswering(host);
    const pid = await mainPid(host);
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(await mainPid(host)).toBe(pid);

    expectExit(await host.installer(['--unset', 'OWNER_PASSWORD']), 0);
    expect(await inProcess(host)).toBeNull();
    expectExit(await host.installer(['--detailed-exitcode']), 0);

    await host.must(`echo OWNER_PASSWORD=typed-by-hand >>${envFile}`);
    expectExit(await host.installer(['status']), 3);
    expectExit(await host.installer([]), 0);
    expect(await inProcess(host)).toBe('typed-by-hand');

    await host.must(`sed -i /OWNER_PASSWORD/d ${envFile}`);
    expectExit(await host.installer(['status']), 3);
    expectExit(await host.installer([]), 0);
    expect(await inProcess(host)).toBeNull();
    expectExit(await host.installer(['status']), 0);
    await expectAnswering(host);
  });
});
