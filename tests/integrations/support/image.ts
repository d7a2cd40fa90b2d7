/** What hosts that have ansible-core are made from. */
import { execFileSync } from 'node:child_process';
import type { Suite } from '../../hosts/support/base.ts';
import { createImage, type Image } from '../../hosts/support/host.ts';

/** The packages are installed from outside: the hosts themselves have no network. */
export function imageWithAnsible(suite: Suite, name: string, ...more: readonly string[]): Promise<Image> {
  // A third of the time: what is thrown away need not reach the disk, and what is never imported need not be compiled.
  const steps = `
    tree=$1; shift
    mount -t proc proc "$tree/proc"; mount --rbind /dev "$tree/dev"
    cp /etc/resolv.conf "$tree/etc/resolv.conf"; export DEBIAN_FRONTEND=noninteractive
    ln -sf /bin/true "$tree/usr/bin/py3compile"
    chroot "$tree" apt-get update -q
    chroot "$tree" apt-get -o Dpkg::Options::=--force-unsafe-io install -qy --no-install-recommends ansible-core "$@"`;
  return createImage({ suite, name }, (tree) => {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    execFileSync('unshare', ['--mount', 'sh', '-euc', steps, 'sh', tree, ...more], { env, stdio: 'pipe' });
  });
}
