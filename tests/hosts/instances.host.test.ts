/** Two installations on one host, side by side: what is done to one is nothing to the other. */
import { expect, test } from 'vitest';
import { suites } from './support/base.ts';
import { createHost, type Host } from './support/host.ts';
import { differences, expectExit, nginxPids, snapshot } from './support/observe.ts';

const name = 'team-b';
const b = ['--instance', name];
const plain = 'mcp-oauth-proxy';
const other = `${plain}-${name}`;

const answers = (host: Host, port: number): Promise<string> =>
  host.must(`curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/healthz`);

/** Through its socket and through nginx. */
const bothWays = async (host: Host, port: number): Promise<readonly string[]> => [
  await answers(host, port),
  await answers(host, port + 1),
];

const pidOf = (host: Host, unit: string): Promise<string> =>
  host.must(`systemctl show --property MainPID --value ${unit}.service`);

/** Every path that bears the name, whatever of it is looked at. */
const placesOf = (host: Host, unit: string): ReadonlyMap<string, string> =>
  new Map(
    [...snapshot(host, { without: ['./root', './run', './tmp', './proc', './sys', './var/log'] })].filter(
      ([path]) => new RegExp(`/${unit}(?:[./]|$)`, 'u').test(path),
    ),
  );

interface Looked {
  readonly places: ReadonlyMap<string, string>;
  readonly pid: string;
}
const look = async (host: Host, unit: string): Promise<Looked> => ({
  places: placesOf(host, unit),
  pid: await pidOf(host, unit),
});

async function expectUntouched(host: Host, unit: string, before: Looked): Promise<void> {
  expect(differences(before.places, placesOf(host, unit))).toEqual([]);
  expect(await pidOf(host, unit)).toBe(before.pid);
}

test.each(suites)(
  '%s: both answer, and each goes its own way',
  async (suite) => {
    await using host = await createHost({ suite, name: 'instances' });
    expectExit(await host.installer([]), 0);
    const first = await look(host, plain);
    expectExit(await host.installer(b), 0);
    await expectUntouched(host, plain, first);
    expect([await bothWays(host, 8083), await bothWays(host, 8085)]).toEqual([
      ['200', '200'],
      ['200', '200'],
    ]);

    // A rerun of either does nothing, and finds nobody else's ports in its way.
    const workers = await nginxPids(host);
    for (const args of [[], b]) {
      expectExit(await host.installer([...args, '--detailed-exitcode']), 0);
      expectExit(await host.installer(['status', ...args]), 0);
    }
    expect(await nginxPids(host)).toBe(workers);
    const clash = expectExit(await host.installer(['--port', '8085']), 10).stderr;
    expect(clash).toContain(`E_INSTANCE_CLASH: Port 8085 is taken by ${other} (--instance ${name})`);

    const second = await look(host, other);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    await expectUntouched(host, other, second);

    const rotated = await look(host, plain);
    const code = host.read(`/usr/local/lib/${other}/oauth_proxy.py`);
    const source = await host.write('/root/next.py', `${code}\n# next\n`);
    expectExit(await host.installer([...b, '--source', source]), 0);
    await expectUntouched(host, plain, rotated);
    expect(await pidOf(host, other)).not.toBe(second.pid);

    expectExit(await host.installer(['uninstall', '--purge', ...b]), 0);
    await expectUntouched(host, plain, rotated);
    expect([...placesOf(host, other).keys()]).toEqual([]);
    expect(await bothWays(host, 8083)).toEqual(['200', '200']);
    expectExit(await host.installer(['status', ...b]), 4);
    expectExit(await host.installer(['status']), 0);

    // nginx takes the longest name that is valid, too.
    const long = ['--instance', 'a'.repeat(32)];
    expectExit(await host.installer(long), 0);
    expect(await bothWays(host, 8085)).toEqual(['200', '200']);
  },
  // Some fifteen runs of the installer, half a minute where nothing else is going on.
  180_000,
);
