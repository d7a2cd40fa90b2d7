/** The executable with Node inside, on hosts that have no Node. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, suites } from '../hosts/support/base.ts';
import { buildAlso, checkout } from '../hosts/support/form.ts';
import { createHost, type Host } from '../hosts/support/host.ts';
import { differences, expectExit, snapshot } from '../hosts/support/observe.ts';
import { ensurePackages } from '../support/debian-packages.ts';
import { temporaryRoot } from '../support/installer.ts';

const executable = (architecture: string): string => `dist/mcp-installer-linux-${architecture}`;
const own = executable(process.arch);

beforeAll(() => {
  buildAlso('standalone');
});

/** A host without Node, with the executable as somebody puts it there. */
async function hostWithout(suite: (typeof suites)[number], name: string): Promise<Host> {
  const host = await createHost({ suite, name, form: 'standalone' });
  await host.must(`install -m 755 ${checkout}/${own} /usr/local/bin/mcp-installer`);
  expect((await host.sh('command -v node')).exitCode).not.toBe(0);
  return host;
}

describe.each(suites)('%s', (suite) => {
  test('without Node it installs, finds nothing to do the second time, and tells what is there', async () => {
    await using host = await hostWithout(suite, 'no-node');
    expectExit(await host.sh('mcp-installer --detailed-exitcode'), 2);
    const before = snapshot(host);
    expectExit(await host.sh('mcp-installer --detailed-exitcode'), 0);
    const changed = differences(before, snapshot(host));
    expect(changed.filter((file) => !file.startsWith('./var/lib/mcp-installer/'))).toEqual([]);
    expectExit(await host.sh('mcp-installer status'), 0);
    expectExit(await host.sh('mcp-installer uninstall --purge'), 0);
    expectExit(await host.sh('mcp-installer status'), 4);
  });

  test('install.sh hands everything on to it where Node is missing', async () => {
    await using host = await hostWithout(suite, 'no-node-script');
    const { output } = expectExit(await host.sh(`${checkout}/install.sh --dry-run --detailed-exitcode`), 2);
    expect(output).toMatch(/^\[DRY-RUN\]/u);
    const { stdout } = expectExit(await host.sh(`${checkout}/mcp-installer --version --json`), 0);
    expect(JSON.parse(stdout)).toMatchObject({ madeOf: { standalone: { codeCache: 'used' } } });
  });

  test('what Node would take from the environment does not reach it', async () => {
    await using host = await hostWithout(suite, 'no-node-env');
    await host.write('/root/planted.cjs', "require('fs').writeFileSync('/root/ran', '');");
    const env = {
      NODE_OPTIONS: '--require /root/planted.cjs',
      NODE_PATH: '/root',
      NODE_EXTRA_CA_CERTS: '/nowhere',
    };
    const { stderr } = expectExit(await host.sh('mcp-installer --dry-run', { env }), 0);
    expect(stderr).toBe('');
    expect(host.exists('/root/ran')).toBe(false);
  });

  test('somebody who is not root is told the line to type, with the executable named once', async () => {
    await using host = await hostWithout(suite, 'no-node-user');
    const become = 'setpriv --reuid=nobody --regid=nogroup --clear-groups';
    const { output } = expectExit(await host.sh(`${become} mcp-installer --domain mcp.example.org`), 10);
    expect(output).toContain('Run: sudo mcp-installer --domain mcp.example.org\n');
  });
});

/** The line that says what would be done, without what tells the one run from the other. */
const planOf = (output: string): string => /Plan ([0-9a-f]{8}: \d+ changes?)/u.exec(output)?.[1] ?? 'none';

test('on the other architecture it does the same', () => {
  ensurePackages('qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross');
  const on = (architecture: 'x64' | 'arm64', args: readonly string[]): string => {
    const file = path.join(repositoryRoot, executable(architecture));
    const words =
      architecture === process.arch ? [file] : ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', file];
    const [program = '', ...rest] = [...words, ...args];
    return execFileSync(program, rest, { encoding: 'utf8', stdio: 'pipe' });
  };
  using root = temporaryRoot();
  const where = ['--root', root.path];
  const plan = planOf(on('arm64', ['--dry-run', ...where]));
  expect(plan).toMatch(/^[0-9a-f]{8}: \d+ changes$/u);
  expect(planOf(on('x64', ['--dry-run', ...where]))).toBe(plan);
  on('arm64', where);
  expect(planOf(on('arm64', ['--dry-run', ...where]))).toMatch(/: 0 changes$/u);
  expect(planOf(on('x64', ['--dry-run', ...where]))).toMatch(/: 0 changes$/u);
});
