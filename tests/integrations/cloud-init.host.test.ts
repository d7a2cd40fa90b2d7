/** The user-data example, carried out by the cloud-init of each Debian with its NoCloud data source. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSums, writeWaysIn } from '../../scripts/release-texts.mjs';
import { version } from '../../src/version.ts';
import { repositoryRoot, suites, type Suite } from '../hosts/support/base.ts';
import { buildAlso } from '../hosts/support/form.ts';
import { createHost, type Host } from '../hosts/support/host.ts';
import { imageWith, type Image } from '../hosts/support/image.ts';
import {
  envFile,
  expectExit,
  secretNames,
  secretsInFile,
  secretsInProcess,
} from '../hosts/support/observe.ts';
import type { Ran } from '../support/installer.ts';
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
const genuine = (name: string): string => readFileSync(inRelease(name), 'utf8');

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
  return imageWith(suite, ['cloud-init'], (tree) => {
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
    write(userData, genuine('user-data.yaml'));
  });
}

const hostOf = (image: Image, suite: Suite, name: string, prepare?: (tree: string) => void): Promise<Host> =>
  createHost({
    suite,
    name,
    form: 'standalone',
    image,
    prepare: (tree) => {
      writeFileSync(path.join(tree, seed, 'meta-data'), `instance-id: ${name}\n`);
      prepare?.(tree);
    },
  });

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

async function expectRefused(host: Host, printed: string, code: string): Promise<void> {
  expect(printed).toMatch(new RegExp(`^\\[ERROR\\] ${code}: .*\\n {8}\\S`, 'mu'));
  const left = ['/root/run', program, '/etc/mcp-oauth-proxy'].filter((file) => host.exists(file));
  expect({ left, scratch: await host.must('ls -d /tmp/tmp.* || true') }).toEqual({ left: [], scratch: '' });
}

describe.each(suites)('%s', (suite) => {
  let image: Image;
  let host: Host;
  beforeAll(async () => {
    image = await imageWithCloudInit(suite);
    host = await hostOf(image, suite, 'cloud');
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    image[Symbol.dispose]();
  });

  test('it installs at the first boot, with secrets that are in no log; where cloud-init runs again, nothing is to do', async () => {
    expectExit(await host.run(['cloud-init', 'schema', '--config-file', userData]), 0);
    await expectInstalled(host);
    expect(host.read(envFile)).toContain('DOMAIN=mcp.example.org\n');
    expect(await host.must('stat -c "%a %U:%G" /root/mcp-oauth-proxy.settings')).toBe('600 root:root');

    // A token of one's own, as the page says; get.sh leaves what it is given on stdin to the installer.
    const token = 'a-bearer-of-the-users-own-0123456789';
    const bring = `sh ${published}/get.sh --force-rotate-tokens MCP_TOKEN --mcp-token-file -`;
    expectExit(await host.sh(bring, { input: token }), 0);
    const kept = { ...secretsInFile(host), MCP_TOKEN: token };
    await host.must('cloud-init clean --logs');
    expect(host.exists(output)).toBe(false);
    await host.reboot();
    await expectInstalled(host);
    expect(secretsInFile(host)).toEqual(kept);
    expect((await outcome(host)).printed).toContain('[OK] Nothing to do');
  });

  test('what is not the release that it trusts is told with its code and not run; once it is, the same commands install, with other secrets', async () => {
    const at = (name: string): string => path.join(published, name);
    await using other = await hostOf(image, suite, 'cloud-tampered', (tree) => {
      writeFileSync(path.join(tree, at('get.sh')), `touch /root/run\n${genuine('get.sh')}`);
    });
    const { status, printed } = await outcome(other);
    expect({ status, printed }).toEqual({ status: 'status: error', printed });
    await expectRefused(other, printed, 'E_UNVERIFIED');

    // As its messages and the page say.
    const again = (): Promise<Ran> => other.sh('sh /var/lib/cloud/instance/scripts/runcmd');
    await other.must(`rm ${at('get.sh')}`);
    await expectRefused(other, expectExit(await again(), 10).stderr, 'E_BOOTSTRAP');
    await other.write(at('get.sh'), genuine('get.sh'));
    await other.write(at('SHA256SUMS.asc'), keys.sign(stranger, inRelease('SHA256SUMS')));
    await expectRefused(other, expectExit(await again(), 10).stderr, 'E_UNVERIFIED');
    await other.write(at('SHA256SUMS.asc'), genuine('SHA256SUMS.asc'));
    expectExit(await again(), 0);
    await expectServing(other);
    const secrets = [host, other].flatMap((each) => Object.values(secretsInFile(each)));
    expect(new Set(secrets).size).toBe(2 * secretNames.length);
  });
});
