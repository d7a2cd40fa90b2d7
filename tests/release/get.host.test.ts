/** `get.sh` on hosts: what is genuine is installed, and what is not is neither run nor left behind. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot, suites, type Suite } from '../hosts/support/base.ts';
import { buildAlso, checkout } from '../hosts/support/form.ts';
import { createHost, until, type Host } from '../hosts/support/host.ts';
import { expectExit } from '../hosts/support/observe.ts';
import { makeSigningKeys, stranger, trusted, type SigningKeys } from '../support/signing-keys.ts';

const url = 'http://127.0.0.1:8000';
const published = '/srv/release';
const program = '/usr/local/bin/mcp-installer';

let keys: SigningKeys;

beforeAll(() => {
  keys = makeSigningKeys();
  buildAlso('deb');
  const inRepository = {
    cwd: repositoryRoot,
    env: { ...process.env, GNUPGHOME: keys.home },
    stdio: 'pipe',
  } as const;
  execFileSync('node', ['scripts/build-release.mjs', '--url', url, '--key', keys.publicKey], inRepository);
  execFileSync(path.join(repositoryRoot, 'packaging/sign.sh'), [trusted], inRepository);
});
afterAll(() => {
  keys[Symbol.dispose]();
});

/** A host without Node, with the release published on its loopback; requests are logged. */
async function hostWithRelease(suite: Suite, name: string): Promise<Host> {
  const host = await createHost({ suite, name, form: 'standalone' });
  await host.must(`mkdir -p /srv; cp -r ${checkout}/release ${published}`);
  await host.must(
    `systemd-run --quiet --unit=published sh -c 'exec python3 -m http.server --bind 127.0.0.1 --directory ${published} 8000 2>/srv/log'`,
  );
  await until('the release is published', async () =>
    (await host.sh(`curl -fs -o /dev/null ${url}/SHA256SUMS`)).exitCode === 0 ? true : undefined,
  );
  return host;
}

const get = (host: Host, args = ''): ReturnType<Host['sh']> =>
  host.sh(`curl -fsSL ${url}/get.sh | sh -s -- ${args}`);

/** Refused with this code, and nothing is there that could be run. */
async function expectRefused(host: Host, code: string): Promise<void> {
  const before = await host.must('ls -A /tmp /usr/local/bin');
  const { output } = expectExit(await get(host), 10);
  expect(output).toContain(`[ERROR] ${code}: `);
  expect(await host.must('ls -A /tmp /usr/local/bin')).toBe(before);
  expect(host.exists(program)).toBe(false);
  expect(host.exists('/etc/mcp-oauth-proxy')).toBe(false);
}

test('the user-data of a release trusts its get.sh, and is in the signed list', () => {
  const read = (name: string): string => readFileSync(path.join(repositoryRoot, 'release', name), 'utf8');
  const [, trusts] = /echo '([0-9a-f]{64}) {2}get\.sh'/u.exec(read('user-data.yaml')) ?? [];
  expect(trusts).toBe(createHash('sha256').update(read('get.sh')).digest('hex'));
  expect(`${read('user-data.yaml')}${read('get.sh')}`).not.toMatch(/@[A-Z\d_]+@/u);
  expect(read('SHA256SUMS')).toMatch(/^[0-9a-f]{64} {2}user-data\.yaml$/mu);
});

describe.each(suites)('%s', (suite) => {
  test('what is genuine is verified, put into place and run; again, and it finds nothing to do', async () => {
    await using host = await hostWithRelease(suite, 'get');
    const first = expectExit(await get(host, '--detailed-exitcode'), 2);
    expect(first.stderr).toContain(`[+] Verified mcp-installer 0.1.0 is at ${program}\n`);
    expectExit(await get(host, '--detailed-exitcode'), 0);
    expectExit(await host.sh('mcp-installer status'), 0);
    expect(await host.must('ls -A /usr/local/bin | grep -v ^node$')).toBe('mcp-installer');
  });

  test('a flipped byte of the executable, of the list or of its signature is refused', async () => {
    await using host = await hostWithRelease(suite, 'get-flipped');
    for (const file of [`mcp-installer-linux-${process.arch}.gz`, 'SHA256SUMS', 'SHA256SUMS.asc']) {
      // Near the end, where a signature holds its numbers; what stands before them may be of no account.
      const flip = `import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[-76] ^= 1; open(sys.argv[1], "wb").write(b)`;
      await host.must(`cp ${published}/${file} /srv/genuine && python3 -c '${flip}' ${published}/${file}`);
      await expectRefused(host, 'E_UNVERIFIED');
      await host.must(`cp /srv/genuine ${published}/${file}`);
    }
    expectExit(await get(host, '--dry-run'), 0);
  });

  test('a signature by another key, one that is missing, and an older release are refused', async () => {
    await using host = await hostWithRelease(suite, 'get-wrong');
    const signature = keys.sign(stranger, path.join(repositoryRoot, 'release/SHA256SUMS'));
    await host.must(`cp ${published}/SHA256SUMS.asc /srv/genuine`);
    await host.write(`${published}/SHA256SUMS.asc`, signature);
    await expectRefused(host, 'E_UNVERIFIED');
    await host.must(`rm ${published}/SHA256SUMS.asc`);
    await expectRefused(host, 'E_BOOTSTRAP');
    await host.must(
      `mv /srv/genuine ${published}/SHA256SUMS.asc; sed -i "s/version='0.1.0'/version='0.2.0'/" ${published}/get.sh`,
    );
    await expectRefused(host, 'E_UNVERIFIED');
  });

  test('cut off anywhere, it does nothing', async () => {
    await using host = await hostWithRelease(suite, 'get-cut');
    const before = await host.must('ls -A /tmp /usr/local/bin; cat /srv/log');
    // All but the last byte, which is the end of the last line.
    await host.must(
      `size=$(stat -c %s ${published}/get.sh); n=0; while [ $n -lt $((size - 1)) ]; do head -c $n ${published}/get.sh | sh -s -- --to /tmp >/dev/null 2>&1; n=$((n + 1)); done`,
    );
    expect(await host.must('ls -A /tmp /usr/local/bin; cat /srv/log')).toBe(before);
    expectExit(await host.sh(`head -c -1 ${published}/get.sh | sh -s -- --to /tmp`), 0);
    await host.must('test -x /tmp/mcp-installer');
  });
});
