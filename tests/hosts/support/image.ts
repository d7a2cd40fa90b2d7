/** What hosts are made from instead of a base tree alone: prepared from outside, and not booted. */
import { execFileSync } from 'node:child_process';
import { baseTree, type Suite } from './base.ts';
import { claimHost, directoryOf, removeHost } from './leftovers.ts';
import { mergedTree, mountOverlay, unmountOverlay } from './overlay.ts';

/** A tree that was prepared and not booted, for hosts that are made from it: `using image = await createImage(…)`. */
export interface Image extends Disposable {
  /** What was written over the base tree. */
  readonly layer: string;
}

/** @param prepare is given the tree, in which nothing runs */
export async function createImage(
  { suite, name }: { readonly suite: Suite; readonly name: string },
  prepare: (tree: string) => void,
): Promise<Image> {
  const id = claimHost(`${suite}-${name}`);
  try {
    mountOverlay(directoryOf(id), await baseTree(suite, 'full'));
    prepare(mergedTree(directoryOf(id)));
    const layer = unmountOverlay(directoryOf(id));
    return { layer, [Symbol.dispose]: () => removeHost(id) };
  } catch (error) {
    removeHost(id);
    throw error;
  }
}

// A third of the time: what is thrown away need not reach the disk, and what is never imported need not be compiled.
const steps = `
  mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
  cp /etc/resolv.conf "$1/etc/resolv.conf"; export DEBIAN_FRONTEND=noninteractive
  printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"; chmod 0755 "$1/usr/sbin/policy-rc.d"
  ln -sf /bin/true "$1/usr/bin/py3compile"
  chroot "$1" apt-get update -q
  chroot "$1" apt-get -o Dpkg::Options::=--force-unsafe-io install -qy --no-install-recommends $2
  rm "$1/usr/sbin/policy-rc.d"; : >"$1/etc/resolv.conf"`;

/**
 * With more Debian packages, which hosts that have no network cannot install themselves.
 *
 * @param finish is given the tree once they are installed
 */
export function imageWith(
  suite: Suite,
  packages: readonly string[],
  finish: (tree: string) => void = () => undefined,
): Promise<Image> {
  return createImage({ suite, name: `with-${packages[0]}` }, (tree) => {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    const words = ['--mount', 'sh', '-euc', steps, 'sh', tree, packages.join(' ')];
    execFileSync('unshare', words, { env, stdio: 'pipe' });
    finish(tree);
  });
}
