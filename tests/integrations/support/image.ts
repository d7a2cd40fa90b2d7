/** What hosts with more Debian packages are made from. They are installed from outside: the hosts themselves have no network. */
import { execFileSync } from 'node:child_process';
import type { Suite } from '../../hosts/support/base.ts';
import { createImage, type Image } from '../../hosts/support/host.ts';

// A third of the time: what is thrown away need not reach the disk, and what is never imported need not be compiled.
const steps = `
  mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
  cp /etc/resolv.conf "$1/etc/resolv.conf"; export DEBIAN_FRONTEND=noninteractive
  printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"; chmod 0755 "$1/usr/sbin/policy-rc.d"
  ln -sf /bin/true "$1/usr/bin/py3compile"
  chroot "$1" apt-get update -q
  chroot "$1" apt-get -o Dpkg::Options::=--force-unsafe-io install -qy --no-install-recommends $2
  chroot "$1" sh -euc "$3"
  rm "$1/usr/sbin/policy-rc.d"; : >"$1/etc/resolv.conf"`;

/** @param more a script that is run inside, once they are installed */
export function imageWith(suite: Suite, packages: readonly string[], more = ':'): Promise<Image> {
  return createImage({ suite, name: `with-${packages[0]}` }, (tree) => {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    const words = ['--mount', 'sh', '-euc', steps, 'sh', tree, packages.join(' '), more];
    execFileSync('unshare', words, { env, stdio: 'pipe' });
  });
}
