/** What hosts with more Debian packages are made from. They are installed from outside: the hosts themselves have no network. */
import { execFileSync } from 'node:child_process';
import type { Suite } from '../../hosts/support/base.ts';
import { createImage, type Image } from '../../hosts/support/host.ts';

const steps = `
  mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"; chmod 0755 "$1/usr/sbin/policy-rc.d"
  export DEBIAN_FRONTEND=noninteractive
  chroot "$1" apt-get update -q; chroot "$1" apt-get install -qy --no-install-recommends $2
  chroot "$1" sh -euc "$3"
  rm "$1/usr/sbin/policy-rc.d"; : >"$1/etc/resolv.conf"`;

/** @param more a script that is run inside, once they are installed */
export function imageWith(suite: Suite, packages: string, more = ':'): Promise<Image> {
  return createImage({ suite, name: `with-${packages}` }, (tree) => {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    const words = ['--mount', 'sh', '-euc', steps, 'sh', tree, packages, more];
    execFileSync('unshare', words, { env, stdio: 'pipe' });
  });
}
