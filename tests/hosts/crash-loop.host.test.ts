/**
 * A service that crashes is started again by systemd every second, also between two commands of the installer: such a
 * start must never count as a crash of the version that is started next. It would where `systemctl restart` meets the
 * timer of the next start (of 150 tries at a timer of 50 ms, one did), so no loop may go on when crashes are forgotten.
 */
import { describe, expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, until, type Host } from './support/host.ts';
import { expectAnswering, expectExit } from './support/observe.ts';

const codeFile = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';
const unit = 'mcp-oauth-proxy.service';

/** What runs before systemctl does; `real` is systemctl itself. */
async function wrapSystemctl(host: Host, before: string): Promise<void> {
  const script = `#!/bin/sh
unit=${unit}
real=/root/systemctl.real
state() { $real show --value -p "$1" $unit; }
${before}
exec $real "$@"
`;
  await host.write('/root/systemctl', script);
  await host.must(
    'cp /usr/bin/systemctl /root/systemctl.real && chmod 755 /root/systemctl && mount --bind /root/systemctl /usr/bin/systemctl',
  );
}

const unwrapSystemctl = (host: Host): Promise<string> => host.must('umount /usr/bin/systemctl');

/**
 * Records how the service is when its crashes are forgotten. One that runs although it had crashed may be about to
 * crash again, and is given the time; it may also be a good one by now.
 */
const recordsForgetting = `
if [ "$*" = "reset-failed $unit" ]; then
  tries=20
  while [ "$tries" -gt 0 ] && [ "$(state SubState)" = running ] && [ "$(state NRestarts)" -ge 1 ]; do
    tries=$((tries - 1))
    sleep 0.05
  done
  state SubState >>/root/forgotten
fi`;

/** The installed code is broken once more, and has crashed and been restarted, when service and socket are stopped. */
const lateCrash = `
if [ "$*" = "stop $unit mcp-oauth-proxy.socket" ]; then
  cp -p ${codeFile} /root/old.py
  cat /root/broken.py >${codeFile}
  until [ "$(state NRestarts)" -ge 1 ] && [ "$(state SubState)" = auto-restart ]; do
    case $(state SubState) in
      auto-restart*) ;;
      dead | failed) $real reset-failed $unit; $real start $unit ;;
      *) $real kill -s KILL $unit ;;
    esac
  done
  cp -p /root/old.py ${codeFile}
fi`;

/** For each time when crashes were forgotten: did a loop go on? A request that waits may have started the service. */
const loopsWhenForgotten = (host: Host): readonly boolean[] =>
  host
    .read('/root/forgotten')
    .trim()
    .split('\n')
    .map((state) => state.startsWith('auto-restart'));

/** What requires a service is restarted with it, in a job of its own that nobody waits for. */
const expectUp = (host: Host, name: string): Promise<true> =>
  until(`${name} is up`, async () =>
    (await host.run(['systemctl', 'is-active', name])).exitCode === 0 ? true : undefined,
  );

async function expectNothingToDo(host: Host): Promise<void> {
  const { output } = expectExit(await host.installer(['--detailed-exitcode']), 0);
  expect(output).toContain('[OK] Nothing to do');
}

describe.each(suites)('%s', (suite) => {
  test('one that goes on while the old version is put back is not counted as the old one’s', async () => {
    await using host = await createHost({ suite, name: 'loop-undone' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    await wrapSystemctl(host, recordsForgetting);
    expectExit(await host.installer(['--source', '/root/broken.py']), 12);
    // Before the broken version is started, and before the old one is.
    expect(loopsWhenForgotten(host)).toEqual([false, false]);
    await expectAnswering(host);
    await unwrapSystemctl(host);
    await expectNothingToDo(host);
  });

  test('one that was left for looking at is ended by the next run, and what requires the service stays up', async () => {
    await using host = await createHost({ suite, name: 'loop-mended' });
    expectExit(await host.installer([]), 0);
    await host.write(
      '/etc/systemd/system/dependent.service',
      `[Unit]\nRequires=${unit}\n[Service]\nExecStart=/bin/sleep infinity\n`,
    );
    await host.must('systemctl start dependent.service');
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    expectExit(await host.installer(['--source', '/root/broken.py', '--no-rollback']), 13);
    await expectUp(host, 'dependent.service');
    await wrapSystemctl(host, recordsForgetting);
    expectExit(await host.installer(['--source', 'bundled']), 0);
    expect(loopsWhenForgotten(host)).toEqual([false]);
    await expectAnswering(host);
    await expectUp(host, 'dependent.service');
    await unwrapSystemctl(host);
    await expectNothingToDo(host);
  });

  test('a crash of the new version just before service and socket are stopped is not counted as the old one’s', async () => {
    await using host = await createHost({ suite, name: 'late-crash' });
    expectExit(await host.installer([]), 0);
    await host.write('/root/broken.py', 'raise SystemExit("broken")\n');
    await wrapSystemctl(host, lateCrash);
    // Another port: the socket goes down and comes back, and the service with it.
    expectExit(await host.installer(['--port', '9000', '--source', '/root/broken.py']), 12);
    await expectAnswering(host);
    await unwrapSystemctl(host);
    await expectNothingToDo(host);
  });
});
