/**
 * Many hosts at once, by the examples of the Ansible collection.
 *
 * A few hosts unless `FLEET` says `20`: then twenty for each control machine, Debian 13's with managed hosts of both Debians,
 * Debian 12's, whose ansible-core knows no newer Python than 3.11, with its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildAlso } from '../hosts/support/form.ts';
import { suites, repositoryRoot, type Suite } from '../hosts/support/base.ts';
import { until } from '../hosts/support/host.ts';
import type { Neighbour } from '../hosts/support/network.ts';
import {
  differences,
  envFile,
  holdUp,
  mainPid,
  secretNames,
  secretsInFile,
  secretsInProcess,
  snapshot,
} from '../hosts/support/observe.ts';
import { createFleet, forEach, project, type Fleet, type Played } from './support/fleet.ts';
import { nextAnswer, nextNeeds, withNextRelease } from './support/release.ts';

const isWhole = process.env['FLEET'] === '20';
const size = isWhole ? 20 : 4;
const batch = isWhole ? 5 : 2;
const controls: readonly Suite[] = isWhole ? suites : ['trixie'];
const madeOf = (control: Suite): Suite[] =>
  Array.from({ length: size }, (_, at) => (control === 'bookworm' || at % 2 === 1 ? 'bookworm' : 'trixie'));

type Tree = ReturnType<typeof snapshot>;

const executable = '/usr/local/bin/mcp-installer';
const code = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';

/** What a member answers to somebody else on the network. */
const health = (fleet: Fleet, { name }: Neighbour): Promise<string> =>
  fleet.control.must(`curl --fail --silent --insecure https://${name}/healthz`);

/** Of the hosts that the play got to, which is each of the members unless it says how many. */
const changedOn = ({ results, output }: Played, of = size): string[] => {
  expect(results.size, output).toBe(of);
  return [...results].flatMap(([name, { changed }]) => (changed ? [name] : [])).sort();
};

/** Executable, code and secrets, and the processes that serve: what stays the same where nothing is done. */
const identity = async ({ host }: Neighbour): Promise<string> =>
  `${await host.must(`sha256sum ${executable} ${code} ${envFile}`)} ${await mainPid(host)}`;

/** How the installer's runs ended on a host, the latest first. */
const runsOn = async ({ host }: Neighbour): Promise<string[]> =>
  (await host.must(`${executable} history --json`))
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly type: string; readonly outcome: string })
    .flatMap(({ type, outcome }) => (type === 'historyEntry' ? [outcome] : []));

const succeeds = (played: Played): Played => {
  expect(played.exitCode, played.output).toBe(0);
  return played;
};

/**
 * Ansible's own files, the installer's journal, and what systemd makes for a service that it runs as a user of its
 * own.
 */
const aside = /^\.\/(root\/\.ansible|var\/lib\/mcp-installer|etc\/\.pwd\.lock$|var\/lib\/mcp-oauth-proxy$)/u;

/** Files, links and directories that are new, gone or have other contents; a directory that has another entry is the same. */
const changedPaths = (before: Tree, after: Tree): string[] =>
  differences(before, after)
    .filter((path) => !aside.test(path))
    .filter(
      (path) => !(before.get(path)?.startsWith('d') === true && after.get(path)?.startsWith('d') === true),
    )
    .map((path) => path.slice(1));

const treesOf = (members: readonly Neighbour[]): ReadonlyMap<string, Tree> =>
  new Map(members.map(({ host, name }) => [name, snapshot(host)]));

describe.each(controls)('controlled from %s', (suite) => {
  let fleet: Fleet;
  let members: readonly Neighbour[];
  const member = (number: number): Neighbour => members[number - 1]!;

  beforeAll(async () => {
    buildAlso('standalone');
    fleet = await createFleet(suite, madeOf(suite));
    ({ members } = fleet);
    await fleet.bring(`${repositoryRoot}/dist/mcp-installer-linux-${process.arch}`);
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  test('a check predicts exactly the hosts and files that the play changes; all answer, no secret is that of another host, and the second play changes nothing', async () => {
    succeeds(await fleet.play('--limit', member(1).name));
    const fresh = treesOf(members);
    const check = succeeds(await fleet.play('--check'));
    for (const [name, tree] of treesOf(members))
      expect({ name, changed: changedPaths(fresh.get(name)!, tree) }).toEqual({ name, changed: [] });

    const first = succeeds(await fleet.play());
    expect(changedOn(first)).toEqual(changedOn(check));
    expect(changedOn(first)).toEqual(members.slice(1).map(({ name }) => name));
    for (const [name, tree] of treesOf(members)) {
      const { operations = [], plan } = check.results.get(name)!;
      expect({ name, plan: first.results.get(name)!.plan }).toEqual({ name, plan });
      const predicted = operations.map(({ path }) => path).sort();
      expect({ name, changed: changedPaths(fresh.get(name)!, tree) }).toEqual({ name, changed: predicted });
    }

    const secrets = members.flatMap(({ host }) => Object.values(secretsInFile(host)));
    expect(new Set(secrets).size).toBe(size * secretNames.length);
    for (const each of members) {
      expect(await secretsInProcess(each.host)).toEqual(secretsInFile(each.host));
      expect(await health(fleet, each)).toBe('ok');
    }
    for (const value of secrets) expect(`${check.output}${first.output}`.includes(value)).toBe(false);

    const before = await forEach(members, identity);
    expect(changedOn(succeeds(await fleet.play()))).toEqual([]);
    expect(await forEach(members, identity)).toEqual(before);
  });

  test('a rotation on three named hosts touches no other', async () => {
    const named = [1, 3, 4].map(member);
    const before = await forEach(members, identity);
    const secrets = members.map(({ host }) => secretsInFile(host));
    const rotate = JSON.stringify({ mcp_installer_rotate: ['CLIENT_SECRET'] });
    const words = ['--limit', named.map(({ name }) => name).join(','), '--extra-vars', rotate];
    expect(changedOn(succeeds(await fleet.play(...words)), named.length)).toEqual(
      named.map(({ name }) => name),
    );
    for (const [at, each] of members.entries()) {
      const { CLIENT_SECRET: now, ...others } = secretsInFile(each.host);
      const { CLIENT_SECRET: then, ...kept } = secrets[at]!;
      const isNamed = named.includes(each);
      expect({ name: each.name, rotated: now !== then }).toEqual({ name: each.name, rotated: isNamed });
      expect(others).toEqual(kept);
      if (!isNamed) expect(await identity(each)).toBe(before[at]);
      else expect(await secretsInProcess(each.host)).toEqual(secretsInFile(each.host));
    }
  });

  test('a bearer from a vault reaches the host that it is for, and nothing that is printed', async () => {
    const each = member(2);
    const token = 'a-bearer-of-the-users-own-9876543210';
    await fleet.control.must('head -c 24 /dev/urandom | base64 >/root/vault-password');
    const vault = `${project}/host_vars/${each.name}/vault.yml`;
    await fleet.control.write(vault, JSON.stringify({ mcp_installer_mcp_token: token }));
    const password = ['--vault-password-file', '/root/vault-password'];
    await fleet.control.must(`ansible-vault encrypt ${password.join(' ')} ${vault}`);
    const rotate = ['--extra-vars', '{"mcp_installer_rotate": ["MCP_TOKEN"]}'];
    const played = succeeds(
      await fleet.play('-vvvv', '--diff', '--limit', each.name, ...password, ...rotate),
    );
    expect(secretsInFile(each.host).MCP_TOKEN).toBe(token);
    expect(await secretsInProcess(each.host)).toEqual(secretsInFile(each.host));
    expect(played.output.includes(token)).toBe(false);
    expect(changedOn(succeeds(await fleet.play('--limit', each.name, ...password)), 1)).toEqual([]);
    await fleet.control.must(`rm ${vault}`);
  });

  test('a rolling upgrade stops where a host cannot have it, which answers as before, and goes on to the end once it can', async () => {
    const broken = member(batch + 1);
    const [upgraded, , untouched] = [
      members.slice(0, batch),
      members.slice(batch, 2 * batch),
      members.slice(2 * batch),
    ];
    const secrets = members.map(({ host }) => secretsInFile(host));
    for (const each of members) if (each !== broken) await each.host.write(nextNeeds, '');
    const before = await forEach(members, identity);
    const codeBefore = await broken.host.must(`sha256sum ${code} ${envFile}`);
    await withNextRelease((file) => fleet.bring(file));

    const stopped = await fleet.play('--extra-vars', `batch=${batch}`);
    expect(stopped.exitCode).toBe(2);
    expect([...stopped.results.keys()].sort()).toEqual(members.slice(0, 2 * batch).map(({ name }) => name));
    const { code: failure, rolled_back: rolledBack } = stopped.results.get(broken.name)!;
    expect({ failure, rolledBack }).toEqual({ failure: 'E_UNHEALTHY', rolledBack: true });
    expect(await health(fleet, broken)).toBe('ok');
    expect(await broken.host.must(`sha256sum ${code} ${envFile}`)).toBe(codeBefore);
    for (const each of upgraded) expect(await health(fleet, each)).toBe(nextAnswer);
    expect(await forEach(untouched, identity)).toEqual(before.slice(2 * batch));

    await broken.host.write(nextNeeds, '');
    const upgradedBefore = await forEach(upgraded, identity);
    succeeds(await fleet.play('--extra-vars', `batch=${batch}`));
    expect(await forEach(upgraded, identity)).toEqual(upgradedBefore);
    for (const each of members) expect(await health(fleet, each)).toBe(nextAnswer);
    expect(members.map(({ host }) => secretsInFile(host))).toEqual(secrets);
  });

  test('where the control machine dies in the middle of a play, the next play waits for what still runs, makes good what was cut off, and restarts what is owed', async () => {
    const [cutOff, stillRuns] = [member(2), member(4)];
    const runsBefore = await forEach([cutOff, stillRuns], runsOn);
    const settings = JSON.stringify({
      mcp_installer_settings: {
        BACKEND_URL: 'http://127.0.0.1:9000/mcp',
        DOMAIN: '{{ inventory_hostname }}',
      },
    });
    const held = new Map<Neighbour, Awaited<ReturnType<typeof holdUp>>>();
    for (const each of [cutOff, stillRuns])
      held.set(each, await holdUp(each.host, '/usr/bin/systemctl', 'restart'));
    const processes = await forEach(members, ({ host }) => mainPid(host));
    const [file = '', ...words] = fleet.playCommand('--extra-vars', settings);
    const playing = spawn(file, words, { stdio: 'ignore' });
    for (const [{ name, host }, { reached }] of held)
      await until(
        `${name} is about to restart its service`,
        async () => ((await host.sh(`test -e ${reached}`)).exitCode === 0 ? true : undefined),
        120_000,
      );
    fleet.control.cutPower();
    await once(playing, 'close');
    // As on a host that lost its power as well, or whose session manager ends what a lost login had started.
    const underWay = '"^/usr/local/bin/[m]cp-installer|[/]usr/bin/systemctl .*restart"';
    await cutOff.host.must(`pkill -KILL -f ${underWay}`);
    await until('nothing of the run is left', async () =>
      (await cutOff.host.sh(`pgrep -f ${underWay}`)).exitCode === 1 ? true : undefined,
    );
    await held.get(cutOff)!.release();
    // Written, and not restarted.
    expect(cutOff.host.read(envFile)).toContain('BACKEND_URL=http://127.0.0.1:9000/mcp');
    expect(await mainPid(cutOff.host)).toBe(processes[1]);

    await fleet.control.boot();
    fleet.wire();
    const next = fleet.play('--extra-vars', settings);
    await until(
      'the next play has found a run under way',
      async () => {
        const { stdout } = await stillRuns.host.sh('pgrep -cf "^/usr/local/bin/[m]cp-installer"');
        return Number(stdout) > 1 ? true : undefined;
      },
      120_000,
    );
    await held.get(stillRuns)!.release();
    succeeds(await next);
    for (const [at, each] of members.entries()) {
      expect(await mainPid(each.host)).not.toBe(processes[at]);
      const environment = await each.host.must(`tr '\\0' '\\n' </proc/${await mainPid(each.host)}/environ`);
      expect(environment).toContain('BACKEND_URL=http://127.0.0.1:9000/mcp');
      expect(await health(fleet, each)).toBe(nextAnswer);
    }
    const [ofCutOff, ofStillRuns] = await forEach([cutOff, stillRuns], runsOn);
    expect(ofCutOff!.slice(0, -runsBefore[0]!.length)).toEqual(['installed', 'interrupted']);
    expect(ofStillRuns!.slice(0, -runsBefore[1]!.length)).toEqual(['unchanged', 'installed']);
    expect(changedOn(succeeds(await fleet.play('--extra-vars', settings)))).toEqual([]);
  });
});
