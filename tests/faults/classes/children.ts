/**
 * Programs that the installer relies on, on hosts that run: they fail, are killed, hang, are locked, or say that they have
 * done what they have not. The run says so and the old state serves on; once the cause is gone, the next run makes it right.
 * A locked package manager is in tests/hosts/apt.host.test.ts: packages are asked for on hosts that lack them alone.
 */
import { isErrorCode } from '../../../src/errors.ts';
import { createHost, until, type Host } from '../../hosts/support/host.ts';
import type { Ran } from '../../support/installer.ts';
import { secretsInFile } from '../../hosts/support/secrets.ts';
import type { FaultClass, Injection, Verdict } from '../fault-class.ts';
import { resultIn } from '../judge.ts';
import { serves, usualPorts } from '../serves.ts';

interface ChildFault {
  readonly name: string;
  readonly quick?: true;
  plant(host: Host): Promise<unknown>;
  /** What is run into it; a change that service and site both take part in where nothing else is said. */
  readonly args?: readonly string[];
  /** 10: nothing was begun; 12: everything was put back; 13: it stays as it is, and that is said. */
  readonly exitCode: 0 | 10 | 12 | 13;
  /** Takes the cause away. */
  lift(host: Host): Promise<unknown>;
  /** What is typed then, where that is something else. */
  readonly next?: readonly string[];
  /** Where it answers then: the service, and nginx on loopback. */
  readonly ports: readonly number[];
}

const change = ['--port', '9000'];
const after = [9000, 9001];

/** Does this instead, the first time that the program gets this word; then the real one is in its place again. */
const replaced =
  (program: string, word: string, instead: string) =>
  async (host: Host): Promise<void> => {
    await host.must(`cp -a ${program} ${program}.real`);
    const script = `#!/bin/sh
for each in "$@"; do
  [ "$each" = "${word}" ] || continue
  cp -a ${program}.real ${program}.new && mv ${program}.new ${program}
  : >/run/struck
  ${instead}
done
exec ${program}.real "$@"
`;
    await host.write(`${program}.new`, script, '0755');
    await host.must(`mv ${program}.new ${program}`);
  };

const done = (): Promise<void> => Promise.resolve();

const steps: readonly (readonly [program: string, word: string])[] = [
  ['/usr/bin/systemd-analyze', 'verify'],
  ['/usr/sbin/nginx', '-t'],
  ['/usr/bin/systemctl', 'daemon-reload'],
  ['/usr/bin/systemctl', 'stop'],
  ['/usr/bin/systemctl', 'restart'],
  ['/usr/bin/systemctl', 'reload'],
];

const ways = { fails: 'exit 1', killed: 'kill -KILL $$' } as const;

const struck: readonly ChildFault[] = steps.flatMap(([program, word]) =>
  Object.entries(ways).map(([way, instead]) => ({
    name: `${program.split('/').at(-1)}/${word}/${way}`,
    plant: replaced(program, word, instead),
    exitCode: 12 as const,
    lift: done,
    ports: after,
  })),
);

const others: readonly ChildFault[] = [
  {
    name: 'systemctl/restart/hangs',
    plant: replaced('/usr/bin/systemctl', 'restart', 'exec sleep 600'),
    exitCode: 12,
    lift: done,
    ports: after,
  },
  {
    name: 'nginx/reload/only-says-so',
    quick: true,
    // For as long as it stands: nobody else reloads it either.
    plant: (host) =>
      host
        .must('cp -a /usr/bin/systemctl /usr/bin/systemctl.real')
        .then(() =>
          host.write(
            '/usr/bin/systemctl.new',
            '#!/bin/sh\ncase "$*" in *reload*nginx*) : >/run/struck; exit 0;; esac\nexec systemctl.real "$@"\n',
            '0755',
          ),
        )
        .then(() => host.must('mv /usr/bin/systemctl.new /usr/bin/systemctl')),
    args: ['--domain', 'other.example.org', '--insecure-http'],
    exitCode: 12,
    lift: (host) => host.must('mv /usr/bin/systemctl.real /usr/bin/systemctl'),
    ports: [8083],
  },
  {
    name: 'foreign-site-broken',
    plant: (host) => host.write('/etc/nginx/sites-enabled/theirs.conf', 'server { nonsense; }\n'),
    exitCode: 12,
    lift: (host) => host.must('rm /etc/nginx/sites-enabled/theirs.conf'),
    ports: after,
  },
  {
    name: 'port-taken',
    plant: async (host) => {
      host.spawn(['python3', '-m', 'http.server', '--bind', '127.0.0.1', '9000'], { cwd: '/run' });
      await until('the port is taken', async () =>
        (await host.sh('curl -s http://127.0.0.1:9000/')).exitCode === 0 ? true : undefined,
      );
    },
    exitCode: 10,
    lift: (host) => host.must('pkill -f "[h]ttp.server"'),
    ports: after,
  },
  {
    name: 'unit-masked',
    plant: (host) => host.must('systemctl mask nginx.service 2>&1'),
    exitCode: 10,
    lift: (host) => host.must('systemctl unmask nginx.service 2>&1'),
    ports: after,
  },
  {
    name: 'service-crash-loops',
    plant: (host) =>
      host.write(
        '/root/crashing.py',
        `import os, threading
threading.Timer(3, lambda: os._exit(3)).start()
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
`,
      ),
    args: ['--source', '/root/crashing.py'],
    // It answers for longer than a run waits: the next one tells.
    exitCode: 0,
    lift: async (host) => {
      await until('systemd has restarted it twice', async () => {
        const shown = await host.must('systemctl show --property=NRestarts --value mcp-oauth-proxy.service');
        return Number(shown) >= 2 ? true : undefined;
      });
      const told = await host.installer(['--json']);
      if (told.exitCode !== 13) throw new Error(`a crash loop is not told: exit ${told.exitCode}`);
    },
    next: ['--source', 'bundled'],
    ports: usualPorts,
  },
];

const last = ({ output }: Ran): string => output.trim().split('\n').at(-1) ?? '';

async function strike(fault: ChildFault): Promise<Verdict> {
  await using host = await createHost({ suite: 'bookworm', name: 'fault' });
  const problems: string[] = [];
  const first = await host.installer([]);
  if (first.exitCode !== 0) throw new Error(`install: ${first.output}`);
  const secrets = JSON.stringify(secretsInFile(host));
  await fault.plant(host);
  const ended = await host.installer([...(fault.args ?? change), '--json']);
  if (ended.exitCode !== fault.exitCode) problems.push(`V12: exit ${ended.exitCode}: ${last(ended)}`);
  if (ended.exitCode !== 0) {
    if (!isErrorCode(resultIn(ended.stdout)?.error?.code)) problems.push('V12: no reason is told');
    problems.push(...(await serves(host, usualPorts)));
  }
  const fired = !struck.includes(fault) || (await host.sh('test -e /run/struck')).exitCode === 0;
  await fault.lift(host);
  const next = fault.next ?? fault.args ?? change;
  const mended = await host.installer(next);
  if (mended.exitCode !== 0) problems.push(`V8: the next run ends with ${mended.exitCode}: ${last(mended)}`);
  problems.push(...(await serves(host, fault.ports)));
  const again = resultIn((await host.installer([...next, '--json'])).stdout);
  if (again?.changed !== false) problems.push(`V8: once more: ${again?.outcome ?? 'no result'}`);
  if (JSON.stringify(secretsInFile(host)) !== secrets) problems.push('V1: secrets changed');
  return { fired, problems };
}

export const children: FaultClass = {
  id: '4',
  title: 'programs that fail, hang or lie, on hosts that run',
  needs: [],
  scenarios: [],
  injections: () =>
    Promise.resolve(
      [...struck, ...others].map((fault): Injection => ({
        id: `4/${fault.name}`,
        quick: fault.quick === true,
        make: () => strike(fault),
      })),
    ),
};
