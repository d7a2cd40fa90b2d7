/** Packages of the distribution: which are missing, and how they are installed. */
import { InstallerError } from '../errors.ts';
import type { Host, HostReads } from './host/port.ts';
import { complaint, tools } from './tools.ts';

/**
 * Names that are not installed. Reads the package database of the host's root; where there is none (a bare tree),
 * all of them.
 */
export async function missingPackages(host: HostReads, names: readonly string[]): Promise<readonly string[]> {
  const root = host.root === '/' ? '' : host.root;
  const result = await host.query({
    file: tools.dpkgQuery,
    args: [
      `--admindir=${root}/var/lib/dpkg`,
      '--show',
      '--showformat=${Package} ${db:Status-Status}\n',
      ...names,
    ],
    timeout: 15_000,
  });
  const installed = new Set(
    result.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

const apt = (host: Host, args: readonly string[]) =>
  host.change({
    file: tools.aptGet,
    args,
    timeout: 20 * 60_000,
    env: { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
  });

/**
 * Installs packages: configuration files that a person changed stay, nothing is recommended into the host, and a
 * package manager that is locked is waited for. E_PACKAGES_FAILED.
 */
export async function installPackages(
  host: Host,
  names: readonly string[],
): Promise<'changed' | 'predicted'> {
  const options = [
    '--yes',
    '--quiet',
    '--no-install-recommends',
    '-o=Dpkg::Options::=--force-confold',
    '-o=Dpkg::Use-Pty=0',
    '-o=DPkg::Lock::Timeout=120',
  ];
  const install = ['install', ...options, '--', ...names];
  let result = await apt(host, install);
  if (result !== 'predicted' && result.exitCode !== 0) {
    // Lists that are missing or stale are the usual cause on a fresh host, and updating them is slow: only then.
    const update = await apt(host, ['update', '--quiet', '-o=DPkg::Lock::Timeout=120']);
    if (update !== 'predicted' && update.exitCode === 0) result = await apt(host, install);
  }
  if (result === 'predicted') return 'predicted';
  if (result.exitCode !== 0) {
    throw new InstallerError('E_PACKAGES_FAILED', { packages: names.join(' '), why: complaint(result) });
  }
  return 'changed';
}
