/**
 * A Debian host of a test's own: an overlay over a base tree, booted with its own systemd, thrown away afterwards.
 *
 * The checkout is bound read-only at /opt/mcp-installer and this process's node where `form.ts` says.
 */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ran } from '../../support/installer.ts';
import { baseTree, repositoryRoot, type Suite } from './base.ts';
import { checkout, formOn, installPackage, nodesOn, programs, type Form } from './form.ts';
import { inGroup, onlyUnified, processesOf } from './cgroup.ts';
import { claimHost, directoryOf, killHost, removeHost } from './leftovers.ts';
import type { Image } from './image.ts';
import { mergedTree, mountOverlay } from './overlay.ts';

export interface HostOptions {
  readonly suite: Suite;
  /** Without nginx and the service's Python packages. */
  readonly bare?: boolean;
  /** This machine's network, for package installation; else loopback alone. */
  readonly network?: boolean;
  /** Which build of the command line it has; what `MCP_INSTALLER_FORM` says unless given. */
  readonly form?: Form;
  /** What it is made from instead of the base tree alone. */
  readonly image?: Image;
  /** `testhost` unless given. */
  readonly hostname?: string;
  /** What is done to its files before it boots for the first time. */
  readonly prepare?: (tree: string) => void;
  /** Shown in process lists and directory names. */
  readonly name: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

const bootTimeout = 60_000;

/** Waits for something observable; the last look's answer is in the error. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeout = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout / 1000} s`);
    await sleep(20);
  }
}

function collect(child: ChildProcess, input?: string): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const both: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => void [out, both].map((list) => list.push(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => void [err, both].map((list) => list.push(chunk)));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        exitCode: code ?? (signal === 'SIGKILL' ? 137 : 143),
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        output: Buffer.concat(both).toString('utf8'),
      }),
    );
  });
}

export class Host implements AsyncDisposable {
  readonly id: string;
  readonly form: Form;
  private readonly options: HostOptions;
  private leader = 0;

  constructor(id: string, options: HostOptions) {
    this.id = id;
    this.options = options;
    this.form = options.form ?? formOn(options.suite);
  }

  /** The host's files, seen from outside. */
  get tree(): string {
    return mergedTree(directoryOf(this.id));
  }

  async boot(): Promise<void> {
    const network =
      this.options.network === true
        ? ['--resolv-conf=copy-host']
        : ['--private-network', '--resolv-conf=off'];
    const legacy = onlyUnified() ? [] : ['SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'];
    const argv = [
      'systemd-nspawn',
      '--quiet',
      '--register=no',
      '--keep-unit',
      `--machine=${this.id.slice(-60)}`,
      `--hostname=${this.options.hostname ?? 'testhost'}`,
      '--timezone=off',
      '--link-journal=no',
      `--directory=${this.tree}`,
      `--bind-ro=${repositoryRoot}:${checkout}`,
      ...nodesOn(this.form).map((place) => `--bind-ro=${process.execPath}:${place}`),
      '--console=pipe',
      ...network,
      '--boot',
      ...(this.options.suite === 'trixie' ? legacy : []),
    ];
    const log = openSync(path.join(directoryOf(this.id), 'console.log'), 'a');
    const [file = '', ...args] = inGroup(this.id, argv);
    const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    child.unref();
    this.leader = await until(`${this.id} has an init`, () => this.findInit(), bootTimeout);
    await until(`${this.id} has booted`, () => this.hasBooted(), bootTimeout);
  }

  private findInit(): number | undefined {
    return processesOf(this.id).find((pid) => {
      try {
        const ids =
          /^NSpid:\s*(.*)$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/u) ?? [];
        return ids.length > 1 && ids.at(-1) === '1';
      } catch {
        return false;
      }
    });
  }

  /** Process id of its init, as this machine sees it. */
  get init(): number {
    return this.leader;
  }

  private async hasBooted(): Promise<true | undefined> {
    if (!existsSync(path.join(this.tree, 'usr'))) return undefined;
    const { stdout } = await this.run(['systemctl', 'is-system-running']);
    return /^(running|degraded)/u.test(stdout) ? true : undefined;
  }

  /** The command as it is run from outside, for those who start it themselves. */
  command(argv: readonly string[], options: RunOptions = {}): string[] {
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      ...options.env,
    };
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return [
      'nsenter',
      `--target=${this.leader}`,
      '--all',
      `--wdns=${options.cwd ?? '/root'}`,
      '--',
      'env',
      '-i',
      ...words,
      ...argv,
    ];
  }

  /** A program of this machine, run from outside, that sees the host's network instead of this machine's. */
  inNetwork(argv: readonly string[]): string[] {
    return ['nsenter', `--target=${this.leader}`, '--net', '--', ...argv];
  }

  spawn(argv: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
    const [file = '', ...args] = this.command(argv, options);
    return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return collect(this.spawn(argv, options), options.input);
  }

  sh(script: string, options: RunOptions = {}): Promise<Ran> {
    return this.run(['sh', '-c', script], options);
  }

  /** As {@link sh}, but a failure is an error; returns what it printed. */
  async must(script: string, options: RunOptions = {}): Promise<string> {
    const result = await this.sh(script, options);
    if (result.exitCode !== 0)
      throw new Error(`exit ${result.exitCode}: ${script}\n${result.stdout}${result.stderr}`);
    return result.stdout.trim();
  }

  /** The built command line, for those who start it themselves. */
  installerCommand(args: readonly string[]): string[] {
    return [...programs[this.form], ...args];
  }

  /** The built command line, as root. */
  installer(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.run(this.installerCommand(args), options);
  }

  read(file: string): string {
    return readFileSync(path.join(this.tree, file), 'utf8');
  }

  exists(file: string): boolean {
    return existsSync(path.join(this.tree, file));
  }

  write(file: string, text: string, mode = '0644'): Promise<string> {
    const words = `mkdir -p "$(dirname ${file})" && cat >${file} && chmod ${mode} ${file}`;
    return this.sh(words, { input: text }).then(({ exitCode, stderr }) => {
      if (exitCode !== 0) throw new Error(`${file}: ${stderr}`);
      return file;
    });
  }

  /** Every process dies at once, as when the power goes; what the kernel had cached stays. */
  cutPower(): void {
    killHost(this.id);
  }

  async reboot(): Promise<void> {
    this.cutPower();
    await this.boot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    removeHost(this.id);
    await Promise.resolve();
  }
}

export async function createHost(options: HostOptions): Promise<Host> {
  const lower = await baseTree(options.suite, options.bare === true ? 'bare' : 'full');
  const id = claimHost(`${options.suite}-${options.name}`);
  const host = new Host(id, options);
  try {
    mountOverlay(directoryOf(id), options.image === undefined ? lower : `${options.image.layer}:${lower}`);
    options.prepare?.(host.tree);
    await host.boot();
    if (host.form === 'deb') await host.must(installPackage);
    return host;
  } catch (error) {
    let log = '';
    try {
      log = readFileSync(path.join(directoryOf(id), 'console.log'), 'utf8').slice(-2000);
    } catch {
      // There is none: nspawn did not even begin.
    }
    removeHost(id);
    throw new Error(
      `the host did not boot: ${error instanceof Error ? error.message : String(error)}\n${log}`,
      { cause: error },
    );
  }
}
