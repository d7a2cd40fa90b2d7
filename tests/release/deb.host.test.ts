/** The Debian package: what is in it, what lintian says of it, and that it works where nothing else is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, suites } from '../hosts/support/base.ts';
import { buildAlso } from '../hosts/support/form.ts';
import { createHost } from '../hosts/support/host.ts';
import { expectExit } from '../hosts/support/observe.ts';
import { ensurePackages } from '../support/debian-packages.ts';

const dist = path.join(repositoryRoot, 'dist');
const debs = (): readonly string[] =>
  readdirSync(dist)
    .filter((name) => name.endsWith('.deb'))
    .sort();

beforeAll(() => {
  ensurePackages('lintian', 'dpkg-dev');
  buildAlso('deb');
});

const fieldOf = (deb: string, field: string): string =>
  execFileSync('dpkg-deb', ['--field', path.join(dist, deb), field], { encoding: 'utf8' }).trim();

test('there is one for each architecture, and lintian has nothing against either', () => {
  expect(debs().map((deb) => fieldOf(deb, 'Architecture'))).toEqual(['amd64', 'arm64']);
  const { status, stdout } = spawnSync(
    'lintian',
    ['--allow-root', ...debs().map((deb) => path.join(dist, deb))],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

test('it depends on the libraries that its executable is linked with', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'mcp-installer-shlibs-'));
  try {
    mkdirSync(path.join(place, 'debian'));
    writeFileSync(path.join(place, 'debian/control'), 'Source: mcp-installer\n');
    const executable = path.join(dist, `mcp-installer-linux-${process.arch}`);
    const { stdout } = spawnSync('dpkg-shlibdeps', ['-O', executable], { cwd: place, encoding: 'utf8' });
    expect(stdout).toBe(`shlibs:Depends=${fieldOf(debs()[0] ?? '', 'Depends')}\n`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

describe.each(suites)('%s', (suite) => {
  test('it brings the command, and its removal leaves what the command installed', async () => {
    await using host = await createHost({ suite, name: 'deb', form: 'deb' });
    expect((await host.sh('command -v node')).exitCode).not.toBe(0);
    expectExit(await host.sh('mcp-installer --detailed-exitcode'), 2);
    expectExit(await host.sh('mcp-installer --detailed-exitcode'), 0);
    await host.must('dpkg --purge mcp-installer');
    expect((await host.sh('command -v mcp-installer')).exitCode).not.toBe(0);
    expect(await host.must('systemctl is-active mcp-oauth-proxy.service')).toBe('active');
  });
});
