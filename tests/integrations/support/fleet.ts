/** Many hosts on a network of their own, each with its sshd, and the control machine that has Ansible and may log in to them. */
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeSums } from '../../../scripts/release-texts.mjs';
import { checkout } from '../../hosts/support/form.ts';
import type { Suite } from '../../hosts/support/base.ts';
import { createHost, type Host, type HostOptions } from '../../hosts/support/host.ts';
import { imageWith, type Image } from '../../hosts/support/image.ts';
import { connect, makeBridge, type Neighbour } from '../../hosts/support/network.ts';

/** Where the examples are on the control machine, with this fleet's inventory and release. */
export const project = '/root/project';

/** The executable of a release. */
const released = `mcp-installer-linux-${process.arch}`;

/** What the module told of one host. */
interface TaskResult {
  readonly changed: boolean;
  readonly code?: string;
  readonly rolled_back?: boolean;
  readonly plan?: string | null;
  readonly operations?: readonly { readonly path: string; readonly action: string }[];
}

export interface Played {
  readonly exitCode: number;
  readonly output: string;
  /** By the names of the hosts that the play got to. */
  readonly results: ReadonlyMap<string, TaskResult>;
}

/** The module alone tells a plan. */
const told = /^(?:ok|changed|fatal): \[([^\]]+)\](?:: FAILED!)? => (\{.*"plan".*\})$/gmu;

const playbook = ['ansible-playbook', '-v', 'site.yml'];
const playing = { env: { ANSIBLE_NOCOLOR: '1' }, cwd: project };

const controlAddress = '10.77.0.254';

/** As certbot leaves it: a certificate of the host's own name. */
const certificate = (name: string): string => `
  mkdir -p /etc/letsencrypt/live/${name} && cd /etc/letsencrypt/live/${name}
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=${name} \\
    -keyout privkey.pem -out fullchain.pem 2>&1`;

/** Runs for all of them, a few at a time: each boots a systemd. */
export async function forEach<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of left) results[at] = await act(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

export class Fleet implements AsyncDisposable {
  readonly control: Host;
  readonly members: readonly Neighbour[];
  private readonly images: readonly Image[];

  constructor(control: Host, members: readonly Neighbour[], images: readonly Image[]) {
    this.control = control;
    this.members = members;
    this.images = images;
  }

  /** Connects them all; again after the control machine was gone, with which the network went. */
  wire(): void {
    makeBridge(this.control, controlAddress);
    for (const member of this.members) connect(this.control, member);
  }

  /** Puts a release beside the play: the executable and the list of its checksums. */
  async bring(executable: string): Promise<void> {
    const files = path.join(this.control.tree, project, 'files');
    copyFileSync(executable, path.join(files, released));
    // As a release has both; what the list says of the archive must not be taken for the executable's.
    await this.control.must(`cd ${project}/files && gzip -1 --force --keep ${released} && rm -f SHA256SUMS`);
    writeSums(files);
  }

  /** For those who start it themselves. */
  playCommand(...words: readonly string[]): string[] {
    return this.control.command([...playbook, ...words], playing);
  }

  async play(...words: readonly string[]): Promise<Played> {
    const { exitCode, output } = await this.control.run([...playbook, ...words], playing);
    const results = new Map<string, TaskResult>();
    for (const [, name = '', json = ''] of output.matchAll(told))
      results.set(name, { ...results.get(name), ...(JSON.parse(json) as TaskResult) });
    return { exitCode, output, results };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { host } of this.members) await host[Symbol.asyncDispose]();
    await this.control[Symbol.asyncDispose]();
    for (const image of this.images) image[Symbol.dispose]();
  }
}

/** Each systemd, D-Bus and login manager watches files: seven watchers a host, of which the kernel allows a user 128 by default. */
function allowWatchers(hosts: number): void {
  const limit = '/proc/sys/fs/inotify/max_user_instances';
  const needed = 128 + hosts * 8;
  if (Number(readFileSync(limit, 'utf8')) < needed) writeFileSync(limit, `${needed}`);
}

/** @param managed what each host is made from, in order */
export async function createFleet(controlSuite: Suite, managed: readonly Suite[]): Promise<Fleet> {
  allowWatchers(managed.length + 1);
  const images: Image[] = [];
  const hosts: Promise<Host>[] = [];
  const create = (options: HostOptions): Promise<Host> => {
    const host = createHost(options);
    hosts.push(host);
    return host;
  };
  try {
    const forControl = await imageWith(controlSuite, ['ansible-core', 'openssh-client']);
    images.push(forControl);
    const bySuite = new Map<Suite, Image>();
    for (const suite of new Set(managed)) {
      // Each has keys of its own, made when it is up.
      const image = await imageWith(suite, ['openssh-server'], (tree) => {
        for (const file of readdirSync(`${tree}/etc/ssh`))
          if (file.startsWith('ssh_host_')) rmSync(`${tree}/etc/ssh/${file}`);
      });
      images.push(image);
      bySuite.set(suite, image);
    }
    const control = await create({
      suite: controlSuite,
      name: 'control',
      hostname: 'control',
      image: forControl,
      form: 'standalone',
    });
    const key = await control.must(
      'mkdir -m 700 -p .ssh && ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519 && cat .ssh/id_ed25519.pub',
    );
    const members = await forEach([...managed.entries()], async ([at, suite]): Promise<Neighbour> => {
      const number = `${at + 1}`.padStart(2, '0');
      const name = `proxy-${number}.example.org`;
      const image = bySuite.get(suite)!;
      const host = await create({
        suite,
        name: `fleet-${number}`,
        hostname: name,
        image,
        form: 'standalone',
      });
      await host.must(
        `mkdir -m 700 -p .ssh && echo '${key}' >.ssh/authorized_keys && ssh-keygen -A && ${certificate(name)}
         systemctl reset-failed ssh; systemctl start ssh`,
      );
      return { host, name, address: `10.77.0.${at + 1}` };
    });
    const fleet = new Fleet(control, members, images);
    fleet.wire();
    await prepareControl(fleet);
    return fleet;
  } catch (error) {
    // Others may be on their way yet.
    for (const made of await Promise.allSettled(hosts))
      if (made.status === 'fulfilled') await made.value[Symbol.asyncDispose]();
    for (const image of images) image[Symbol.dispose]();
    throw error;
  }
}

/** The collection, the examples, the names of the hosts and their keys. */
async function prepareControl({ control, members }: Fleet): Promise<void> {
  const names = members.map(({ name }) => name);
  await control.must(`cat >>/etc/hosts`, {
    input: members.map(({ address, name }) => `${address} ${name}\n`).join(''),
  });
  await control.must(`ssh-keyscan -t ed25519 ${names.join(' ')} >.ssh/known_hosts`);
  await control.must(
    `ansible-galaxy collection install --offline "$(${checkout}/integrations/ansible/build.sh /tmp)"
     cp -r ${checkout}/integrations/ansible/examples ${project} && mkdir ${project}/files`,
  );
  const hosts = Object.fromEntries(names.map((name) => [name, {}]));
  await control.write(`${project}/inventory.yml`, JSON.stringify({ proxies: { hosts } }));
}
