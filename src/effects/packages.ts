/** Packages of the distribution: which are missing, and how they are installed. */
import { InstallerError } from '../errors.ts';
import type { Host, HostReads } from './host/port.ts';
import { complaint, tools } from './tools.ts';

interface Installed {
  /** 127 where there is no dpkg. */
  readonly exitCode: number;
  readonly names: ReadonlySet<string>;
}

/** Of these names those that are installed; without any name all packages are asked for. */
export async function installedPackages(host: HostReads, names: readonly string[] = []): Promise<Installed> {
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
  const installed = result.stdout
    .split('\n')
    .flatMap((line) => (line.endsWith(' installed') ? [line.slice(0, line.indexOf(' '))] : []));
  return { exitCode: result.exitCode, names: new Set(installed) };
}

/**
 * Names that are not installed. Reads the package database of the host's root; where there is none (a bare tree),
 * all of them.
 *
 * @param known names that are installed, as far as anybody has looked: they are not asked for again
 */
export async function missingPackages(
  host: HostReads,
  names: readonly string[],
  known: ReadonlySet<string> = new Set(),
): Promise<readonly string[]> {
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return [];
  const installed = await installedPackages(host, unknown);
  return unknown.filter((name) => !installed.names.has(name));
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
