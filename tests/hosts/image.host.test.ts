/** An image holds no secrets; each host that is made from it makes its own at its first boot. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { repositoryRoot, suites, type Suite } from './support/base.ts';
import { formOn, programsIn } from './support/form.ts';
import { createHost, type Host } from './support/host.ts';
import { createImage, type Image } from './support/image.ts';
import {
  envFile,
  expectAnswering,
  expectExit,
  mainPid,
  secretNames,
  secretsInFile,
  secretsInProcess,
  systemdNotes,
} from './support/observe.ts';

const unit = 'mcp-oauth-proxy.first-boot.service';
const script = '/etc/mcp-oauth-proxy/first-boot.sh';

/** From outside, as debootstrap's caller would. */
function fromOutside(suite: Suite, tree: string, ...args: readonly string[]): string {
  const [file = '', ...more] = programsIn(formOn(suite), repositoryRoot, process.execPath);
  return execFileSync(file, [...more, '--root', tree, ...args], { encoding: 'utf8' });
}

/** In a chroot that sees the /run of a machine with systemd, but has none of its own; nothing of what runs there stays in the tree. */
function inChroot(suite: Suite, tree: string, ...args: readonly string[]): string {
  const words = programsIn(formOn(suite), '/mnt/repository', '/mnt/node');
  const steps = `
    mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run"; mkdir -p "$1/run/systemd/system"
    mount -t tmpfs tmpfs "$1/mnt"; mkdir "$1/mnt/repository"; touch "$1/mnt/node"
    mount --bind "$2" "$1/mnt/repository"; mount --bind "$3" "$1/mnt/node"
    tree=$1; shift 3; exec chroot "$tree" "$@"`;
  return execFileSync(
    'unshare',
    ['--mount', 'sh', '-euc', steps, 'sh', tree, repositoryRoot, process.execPath, ...words, ...args],
    { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
  );
}

/** Files of the image whose bytes hold the value. */
const holding = ({ layer }: Image, value: string): string =>
  spawnSync('grep', ['-rlaF', '-e', value, layer], { encoding: 'utf8' }).stdout;

const isFresh = (host: Host): Promise<string> => host.must(`systemctl show -P Result,ActiveState ${unit}`);

describe.each(suites)('%s', (suite) => {
  test.each([
    ['from outside', fromOutside],
    ['in a chroot', inChroot],
  ])('two hosts of an image that was made %s have eight secrets, all different', async (_, install) => {
    const told: string[] = [];
    using image = await createImage({ suite, name: 'image' }, (tree) => {
      told.push(install(suite, tree, '--image', '--backend-url', 'http://127.0.0.1:9000/mcp'));
      told.push(install(suite, tree, '--image'));
    });
    expect(told[0]).toContain('[OK] Installation complete');
    expect(told[1]).toContain('[OK] Nothing to do');
    expect(holding(image, '')).not.toContain('fingerprint.key');

    await using one = await createHost({ suite, name: 'image-one', image });
    await using two = await createHost({ suite, name: 'image-two', image });
    for (const host of [one, two]) {
      expect(await isFresh(host)).toBe('success\ninactive');
      expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
      expect(host.read(envFile)).toContain('BACKEND_URL=http://127.0.0.1:9000/mcp\n');
      expect(await host.must(`stat -c '%a %U:%G' ${envFile}`)).toBe('600 root:root');
      expectExit(await host.installer(['status']), 0);
    }
    const secrets = [one, two].flatMap((host) => Object.values(secretsInFile(host)));
    expect(new Set(secrets).size).toBe(2 * secretNames.length);
    for (const value of secrets) {
      expect(value).toMatch(/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/u);
      expect(holding(image, value)).toBe('');
    }
  });

  test('the second boot keeps the secrets of the first, and an installation finds nothing to do', async () => {
    using image = await createImage({ suite, name: 'image' }, (tree) => {
      fromOutside(suite, tree, '--image');
    });
    await using host = await createHost({ suite, name: 'image-kept', image });
    const secrets = secretsInFile(host);
    await expectAnswering(host);
    await host.reboot();
    expect(secretsInFile(host)).toEqual(secrets);
    const pid = await mainPid(host);

    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(secretsInFile(host)).toEqual(secrets);
    expect(await mainPid(host)).toBe(pid);
    expectExit(await host.installer(['status']), 0);
    expectExit(await host.installer(['uninstall', '--purge', '--yes']), 0);
    expect(await host.must('find /etc -name "mcp-oauth-proxy*"')).toBe('');
  });

  test('a host whose first boot could not make its secrets starts no service, and makes them once it can', async () => {
    using image = await createImage({ suite, name: 'image' }, (tree) => {
      fromOutside(suite, tree, '--image');
      execFileSync('sed', ['-i', 's,/dev/random,/dev/none,', `${tree}${script}`]);
    });
    await using host = await createHost({ suite, name: 'image-failed', image });
    expect(await isFresh(host)).toBe('exit-code\nfailed');
    expect(await mainPid(host)).toBe('0');
    expect(secretsInFile(host)).toEqual(Object.fromEntries(secretNames.map((name) => [name, ''])));
    const { stdout } = expectExit(await host.installer(['status']), 3);
    expect(stdout).toContain(unit);
    expect(expectExit(await host.installer([]), 10).stderr).toContain('E_IMAGE_UNBOOTED');

    await host.must(`sed -i s,/dev/none,/dev/random, ${script} && systemctl start mcp-oauth-proxy.service`);
    expectExit(await host.installer([]), 0);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
    expect(new Set(Object.values(secretsInFile(host))).size).toBe(secretNames.length);
  });

  test('in a chroot on a host with systemd an installation is one for the next boot, and the host is told nothing', async () => {
    await using host = await createHost({ suite, name: 'image-chroot' });
    const tree = '/srv/tree';
    await host.must(`
      mkdir ${tree}; mount -t tmpfs tree ${tree}; cd /; umask 022
      tar -c --one-file-system --exclude=./srv --exclude=./usr/share --exclude='./var/[!l]*' . | tar -x -C ${tree}
      for each in proc sys dev run; do mount --rbind /$each ${tree}/$each; done
      mkdir -p ${tree}/opt/mcp-installer; mount --bind /opt/mcp-installer ${tree}/opt/mcp-installer
      [ ! -e /usr/local/bin/node ] || mount --bind /usr/local/bin/node ${tree}/usr/local/bin/node`);
    const notes = await systemdNotes(host);
    const { stdout } = expectExit(
      await host.sh(`chroot ${tree} ${host.installerCommand(['--detailed-exitcode']).join(' ')}`),
      2,
    );
    expect(stdout).toContain('systemd is not running here');
    expect(host.exists(envFile)).toBe(false);
    expect(await host.must(`grep -c . ${tree}${envFile}`)).toBe('6');
    expect(await systemdNotes(host)).toBe(notes);
  });

  test('an installation does not become an image, and an image becomes an installation where that is asked for', async () => {
    await using host = await createHost({ suite, name: 'image-not' });
    expectExit(await host.installer([]), 0);
    const secrets = secretsInFile(host);
    const pid = await mainPid(host);
    expect(expectExit(await host.installer(['--image']), 10).stderr).toContain('E_IMAGE_SECRETS');
    expect(secretsInFile(host)).toEqual(secrets);
    expect(await mainPid(host)).toBe(pid);

    expectExit(await host.installer(['uninstall', '--purge', '--yes']), 0);
    expectExit(await host.installer(['--image']), 0);
    expect(await mainPid(host)).toBe('0');
    // As at its next boot: what an image owes is done by that.
    await host.must('systemctl restart nginx; systemctl start mcp-oauth-proxy.service');
    expectExit(await host.installer(['--detailed-exitcode']), 0);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));

    expectExit(await host.installer(['uninstall', '--purge', '--yes']), 0);
    expectExit(await host.installer(['--image']), 0);
    expectExit(await host.installer(['--force-rotate-tokens']), 0);
    expect(await secretsInProcess(host)).toEqual(secretsInFile(host));
    expectExit(await host.installer(['--detailed-exitcode']), 0);
  });
});
