/** The user-data example, carried out by the cloud-init of each Debian with its NoCloud data source. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSums, writeWaysIn } from '../../scripts/release-texts.mjs';
import { version } from '../../src/version.ts';
import { repositoryRoot, suites, type Suite } from '../hosts/support/base.ts';
import { buildAlso } from '../hosts/support/form.ts';
import { createHost, createImage, type Host, type Image } from '../hosts/support/host.ts';
import {
  envFile,
  expectExit,
  secretNames,
  secretsInFile,
  secretsInProcess,
} from '../hosts/support/observe.ts';
import { makeSigningKeys, stranger, trusted, type SigningKeys } from '../support/signing-keys.ts';

const url = 'http://127.0.0.1:8001';
const published = '/srv/release';
const program = '/usr/local/bin/mcp-installer';
const seed = '/var/lib/cloud/seed/nocloud';
const userData = `${seed}/user-data`;
const output = '/var/log/cloud-init-output.log';
const executable = `mcp-installer-linux-${process.arch}.gz`;

let keys: SigningKeys;
/** A release with what a host needs of it. */
const release = mkdtempSync(path.join(tmpdir(), 'mcp-installer-release-'));
const inRelease = (name: string): string => path.join(release, name);

beforeAll(() => {
  keys = makeSigningKeys();
  buildAlso('standalone');
  const built = readFileSync(path.join(repositoryRoot, `dist/mcp-installer-linux-${process.arch}`));
  writeFileSync(inRelease(executable), gzipSync(built, { level: 1 }));
  writeFileSync(inRelease(`mcp-installer-${version}.tgz`), '');
  writeWaysIn(repositoryRoot, release, { url, version, key: readFileSync(keys.publicKey) });
  writeSums(release);
  writeFileSync(inRelease('SHA256SUMS.asc'), keys.sign(trusted, inRelease('SHA256SUMS')));
});
afterAll(() => {
  keys[Symbol.dispose]();
  rmSync(release, { recursive: true });
});

/** What is told to cloud-init of these hosts, and not of those at a provider: containers with a loopback, without sshd and locales. */
const configuration = `datasource_list: [NoCloud, None]
network: {config: disabled}
locale: false
ssh_genkeytypes: []
`;

/** What hosts are made from that have cloud-init and, published on their own loopback before it begins, the release. */
function imageWithCloudInit(suite: Suite): Promise<Image> {
  const steps = `
    mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
    cp /etc/resolv.conf "$1/etc/resolv.conf"; export DEBIAN_FRONTEND=noninteractive
    chroot "$1" apt-get update -q; chroot "$1" apt-get install -qy --no-install-recommends cloud-init
    : >"$1/etc/resolv.conf"`;
  return createImage({ suite, name: 'with-cloud-init' }, (tree) => {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    execFileSync('unshare', ['--mount', 'sh', '-euc', steps, 'sh', tree], { env, stdio: 'pipe' });
    const write = (file: string, text: string): void => {
      mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      writeFileSync(path.join(tree, file), text);
    };
    write('etc/cloud/cloud.cfg.d/99-test.cfg', configuration);
    // The packages are there; where the archive is not, that is soon known.
    write('etc/apt/apt.conf.d/99-test', 'Acquire::Retries "0";\n');
    write('etc/nginx/conf.d/release.conf', `server { listen 127.0.0.1:8001; root ${published}; }\n`);
    write('etc/systemd/system/cloud-final.service.d/published.conf', '[Unit]\nAfter=nginx.service\n');
    cpSync(release, path.join(tree, published), { recursive: true });
    chmodSync(path.join(tree, published), 0o755);
    write(userData, readFileSync(inRelease('user-data.yaml'), 'utf8'));
  });
}

const hostOf = (image: Image, suite: Suite, name: string, prepare?: (tree: string) => void): Promise<Host> =>
  createHost({
    suite,
    name: `cloud-${name}`,
    form: 'standalone',
    image,
    prepare: (tree) => {
      writeFileSync(path.join(tree, seed, 'meta-data'), `instance-id: ${name}\n`);
      prepare?.(tree);
    },
  });

/** The host forgets that it was seen to, keeps who it is, and boots. */
async function bootAgain(host: Host): Promise<void> {
  await host.must('cloud-init clean --logs');
  expect(host.exists(output)).toBe(false);
  await host.reboot();
}

/** cloud-init's own word on how it went, and what the commands of the user-data printed. */
async function outcome(host: Host): Promise<{ readonly status: string; readonly printed: string }> {
  const { stdout } = await host.sh('cloud-init status --wait');
  return { status: stdout.trim(), printed: host.read(output) };
}

/** The service answers, and nginx knows the domain, which has no certificate yet. */
async function expectServing(host: Host): Promise<void> {
  const code = "curl -s -o /dev/null -w '%{http_code} '";
  const asked = `${code} 127.0.0.1:8083/healthz; ${code} -H Host:mcp.example.org 127.0.0.1/mcp`;
  expect((await host.sh(asked)).stdout).toBe('200 503 ');
}

async function expectInstalled(host: Host): Promise<void> {
  const { status, printed } = await outcome(host);
  expect({ status, printed }).toEqual({ status: 'status: done', printed });
  expectExit(await host.run(['mcp-installer', 'status']), 0);
  await expectServing(host);
  const secrets = secretsInFile(host);
  expect(await secretsInProcess(host)).toEqual(secrets);
  await host.write('/run/secrets', `${Object.values(secrets).join('\n')}\n`, '0600');
  const told = 'grep -rlaF -f /run/secrets /var/log /run/log /var/lib/cloud /run/cloud-init';
  expect(
    await host.must(`journalctl --sync; ${told} || true; journalctl | grep -cF -f /run/secrets || true`),
  ).toBe('0');
}

async function expectRefused(host: Host): Promise<void> {
  const { status, printed } = await outcome(host);
  expect({ status, printed }).toEqual({ status: 'status: error', printed });
  expect(printed).toMatch(/^\[ERROR\] E_UNVERIFIED: .*\n {8}Nothing was run/mu);
  const left = ['/root/run', program, '/etc/mcp-oauth-proxy'].filter((file) => host.exists(file));
  expect({ left, scratch: await host.must('ls -d /tmp/tmp.* || true') }).toEqual({ left: [], scratch: '' });
}

describe.each(suites)('%s', (suite) => {
  let image: Image;
  beforeAll(async () => {
    image = await imageWithCloudInit(suite);
  });
  afterAll(() => {
    image[Symbol.dispose]();
  });

  test('two hosts with the same user-data have eight secrets, all different and in no log; where cloud-init runs again, nothing is to do', async () => {
    await using one = await hostOf(image, suite, 'one');
    await using two = await hostOf(image, suite, 'two');
    expectExit(await one.run(['cloud-init', 'schema', '--config-file', userData]), 0);
    for (const host of [one, two]) await expectInstalled(host);
    const secrets = [one, two].flatMap((host) => Object.values(secretsInFile(host)));
    expect(new Set(secrets).size).toBe(2 * secretNames.length);
    expect(one.read(envFile)).toContain('DOMAIN=mcp.example.org\n');
    expect(await one.must('stat -c "%a %U:%G" /root/mcp-oauth-proxy.settings')).toBe('600 root:root');

    // A token of one's own, as the page says; get.sh leaves what it is given on stdin to the installer.
    const token = 'a-bearer-of-the-users-own-0123456789';
    const bring = `sh ${published}/get.sh --force-rotate-tokens MCP_TOKEN --mcp-token-file -`;
    expectExit(await one.sh(bring, { input: token }), 0);
    const kept = { ...secretsInFile(one), MCP_TOKEN: token };
    await bootAgain(one);
    await expectInstalled(one);
    expect(secretsInFile(one)).toEqual(kept);
    expect((await outcome(one)).printed).toContain('[OK] Nothing to do');
  });

  test('what is not the release that the user-data trusts is told with its code and not run; once it is, the same commands install', async () => {
    const at = (name: string): string => path.join(published, name);
    await using host = await hostOf(image, suite, 'tampered', (tree) => {
      appendFileSync(path.join(tree, at('get.sh')), 'touch /root/run\n');
    });
    await expectRefused(host);

    await host.write(at('get.sh'), readFileSync(inRelease('get.sh'), 'utf8'));
    await host.write(at('SHA256SUMS.asc'), keys.sign(stranger, inRelease('SHA256SUMS')));
    await bootAgain(host);
    await expectRefused(host);

    // As the message and the page say.
    const commands = 'sh /var/lib/cloud/instance/scripts/runcmd';
    await host.must(`mv ${at('get.sh')} /srv/get.sh`);
    expect(expectExit(await host.sh(commands), 10).stderr).toContain('[ERROR] E_BOOTSTRAP: ');
    await host.must(`mv /srv/get.sh ${at('get.sh')}`);
    await host.write(at('SHA256SUMS.asc'), readFileSync(inRelease('SHA256SUMS.asc'), 'utf8'));
    expectExit(await host.sh(commands), 0);
    await expectServing(host);
  });
});
