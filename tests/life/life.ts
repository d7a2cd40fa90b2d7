/** One host's life: performs the model's events with the real command line and knows what must be true after each. */
import { expect } from 'vitest';
import type { Being, LifeEvent } from './model.ts';

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
}

/** The system under test: a temporary root, or a booted host. */
export interface System {
  readonly live: boolean;
  /** The command line, with these words. */
  run(args: readonly string[]): Promise<Ended>;
  status(): Promise<number>;
  /** null where there is no such file. */
  read(file: string): string | null;
  write(file: string, text: string, mode?: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Everything that a change could touch, the journal left out. */
  look(): ReadonlyMap<string, string>;
  /** Modes, and names of what a killed run may leave. */
  modeOf(file: string): Promise<string>;
  leftovers(): Promise<string>;
  stopService(): Promise<void>;
  /** Starts a run that changes something and kills it in the middle. */
  killMidway(args: readonly string[]): Promise<void>;
  legacyScript(env: string): Promise<void>;
  /** Live only: the process has these secrets and answers, on its port and through nginx where the site is ours. */
  expectRunning(secrets: Readonly<Record<string, string>>, port: string): Promise<void>;
  dispose(): Promise<void>;
}

export const files = {
  env: '/etc/mcp-oauth-proxy/.env',
  site: '/etc/nginx/sites-available/mcp-oauth-proxy.conf',
  code: '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py',
} as const;

const names = ['MCP_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_SECRET'] as const;
const comment = '# a comment of mine\nMY_OWN_KEY=kept\n';
const brokenCode = 'raise SystemExit("broken")\n';
const ownVersion = '# a version of mine';
const edit = '# edited by a person\n';

type Values = Readonly<Record<string, string>>;

export class Life {
  private being: Being = 'absent';
  private secrets: Values = {};
  private port = '8083';
  private readonly system: System;

  constructor(system: System) {
    this.system = system;
  }

  private values(): Values {
    const lines = (this.system.read(files.env) ?? '').split('\n').filter((line) => /^[A-Z_]+=/u.test(line));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  private current(): Values {
    const values = this.values();
    return Object.fromEntries(names.map((name) => [name, values[name] ?? '']));
  }

  private expectNew(changed: readonly string[]): void {
    const now = this.current();
    for (const name of names) {
      expect(now[name]).toMatch(/^[0-9a-f]{32}([0-9a-f]{32})?$/u);
      if (changed.includes(name)) expect(now[name]).not.toBe(this.secrets[name]);
      else expect({ [name]: now[name] }).toEqual({ [name]: this.secrets[name] });
    }
    this.secrets = now;
  }

  private async run(args: readonly string[], exitCode: number): Promise<Ended> {
    const ended = await this.system.run(args);
    expect(ended.exitCode, ended.stdout).toBe(exitCode);
    return ended;
  }

  /** The comment and the key of a person's own that every env file of this life gets; they must survive everything. */
  private async addOwnLines(): Promise<void> {
    const text = this.system.read(files.env) ?? '';
    await this.system.write(files.env, `${comment}${text}`, '0600');
    // The process has to be given the new key, which is a run's work as well.
    await this.run([], 0);
  }

  private async unchanged(work: () => Promise<unknown>): Promise<void> {
    const before = this.system.look();
    await work();
    const after = this.system.look();
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => before.get(path) !== after.get(path),
    );
    expect(paths).toEqual([]);
  }

  private async install(to: Being): Promise<void> {
    const fresh = this.being === 'absent' || this.being === 'halfFresh';
    if (this.being === 'envLost') {
      await this.unchanged(() => this.run([], 10));
      return;
    }
    const idle = this.being === to && !fresh;
    if (idle) {
      await this.unchanged(async () =>
        expect((await this.run([], 0)).stdout).toContain('[OK] Nothing to do'),
      );
    } else await this.run([], 0);
    const missing = names.filter((name) => (this.secrets[name] ?? '') === '');
    this.expectNew(missing);
    if (fresh) await this.addOwnLines();
  }

  async perform(event: LifeEvent, to: Being): Promise<void> {
    const { system } = this;
    switch (event) {
      case 'install':
        await this.install(to);
        break;
      case 'dryRun':
        await this.unchanged(() => this.run(['--dry-run'], this.being === 'envLost' ? 10 : 0));
        break;
      case 'rotateAll':
        await this.run(['--force-rotate-tokens'], 0);
        this.expectNew(names);
        if (this.being === 'absent' || this.being === 'halfFresh' || this.being === 'envLost')
          await this.addOwnLines();
        break;
      case 'rotateOne':
        if (this.being === 'envLost')
          await this.unchanged(() => this.run(['--force-rotate-tokens', 'CLIENT_SECRET'], 10));
        else {
          await this.run(['--force-rotate-tokens', 'CLIENT_SECRET'], 0);
          this.expectNew(['CLIENT_SECRET']);
        }
        break;
      case 'changePort': {
        const port = this.port === '8083' ? '9001' : '8083';
        if (this.being === 'edited') await this.unchanged(() => this.run(['--port', port], 10));
        else {
          await this.run(['--port', port], 0);
          this.port = port;
          this.expectNew([]);
        }
        break;
      }
      case 'newSource':
      case 'brokenSource': {
        const code = event === 'newSource' ? `${system.read(files.code) ?? ''}${ownVersion}\n` : brokenCode;
        await system.write('/root/source.py', code);
        const before = system.read(files.code);
        await this.run(['--source', '/root/source.py'], event === 'newSource' ? 0 : 12);
        expect(system.read(files.code)).toBe(event === 'newSource' ? code : before);
        this.expectNew([]);
        break;
      }
      case 'editSite':
        await system.write(files.site, `${system.read(files.site) ?? ''}${edit}`);
        break;
      case 'loseSecret': {
        const text = (system.read(files.env) ?? '').replace(/^CLIENT_ID=.*\n/mu, '');
        await system.write(files.env, text, '0600');
        this.secrets = { ...this.secrets, CLIENT_ID: '' };
        break;
      }
      case 'loseEnv':
        await system.remove(files.env);
        break;
      case 'stopService':
        await system.stopService();
        break;
      case 'changeAndRollBack': {
        const before = system.read(files.site);
        await this.run(['--port', '9001'], 0);
        await this.run(['rollback', '--yes'], 0);
        expect(system.read(files.site)).toBe(before);
        this.expectNew([]);
        break;
      }
      case 'rotateAndRollBack':
        await this.run(['--force-rotate-tokens'], 0);
        this.expectNew(names);
        // Secrets that were replaced are gone for good.
        await this.unchanged(() => this.run(['rollback', '--yes'], 10));
        break;
      case 'rollBackSource':
        await this.run(['rollback', '--yes'], 0);
        expect(system.read(files.code)).not.toContain(ownVersion);
        this.expectNew([]);
        break;
      case 'uninstall':
        if (this.being === to) await this.unchanged(() => this.run(['uninstall', '--yes'], 0));
        else await this.run(['uninstall', '--yes'], 0);
        break;
      case 'purge':
        await this.run(['uninstall', '--purge', '--yes'], 0);
        this.secrets = {};
        break;
      case 'killMidway': {
        const fresh = this.being === 'absent';
        await system.killMidway(fresh ? [] : ['--force-rotate-tokens']);
        // Whole, whichever of both it is.
        const now = this.current();
        const same = names.filter((name) => now[name] === (this.secrets[name] ?? ''));
        expect([0, names.length]).toContain(same.length);
        this.secrets = now;
        break;
      }
      case 'legacyScript': {
        const text = names.map((name, at) => `${name}=${String(at + 1).repeat(64)}\n`).join('');
        await system.legacyScript(`${comment}${text}`);
        this.secrets = this.current();
        break;
      }
    }
    this.being = to;
  }

  /** What must be true of a host in this state, whatever led to it. */
  async check(being: Being): Promise<void> {
    const { system } = this;
    // What a killed run leaves is taken away by the next one.
    const half = being === 'halfDone' || being === 'halfFresh';
    if (!half) expect(await system.leftovers()).toBe('');
    const present = being !== 'absent' && being !== 'envLost';
    if (being === 'halfFresh') {
      if (system.read(files.env) !== null) expect(await system.modeOf(files.env)).toBe('600');
      expect(this.current()).toEqual(this.secrets);
    } else if (present) {
      expect(await system.modeOf(files.env)).toBe('600');
      expect(this.current()).toEqual(this.secrets);
      expect(system.read(files.env)).toContain(comment);
    } else expect(system.read(files.env)).toBe(null);
    if (being === 'edited' || being === 'editedAlone') expect(system.read(files.site)).toContain(edit);
    if (being === 'own') expect(system.read(files.code)).toContain(ownVersion);
    const healthy = being === 'installed' || being === 'edited' || being === 'own';
    const expected: Partial<Record<Being, number>> = {
      absent: 4,
      envLost: 10,
      legacy: 3,
      secretMissing: 3,
      stopped: 3,
      uninstalled: 4,
      editedAlone: 4,
    };
    // In a tree that no systemd runs on, a killed run may have been done with everything.
    if (!half || system.live) {
      expect({ being, status: await system.status() }).toEqual({
        being,
        status: expected[being] ?? (healthy ? 0 : 3),
      });
    }
    if (system.live && healthy) await system.expectRunning(this.secrets, this.port);
  }

  /** However the host got where it is, one plain run makes it whole, and the next one has nothing to do. */
  async converge(): Promise<void> {
    if (this.being === 'envLost') await this.run(['--force-rotate-tokens'], 0);
    else await this.run([], 0);
    await this.unchanged(async () =>
      expect((await this.run(['--detailed-exitcode'], 0)).stdout).toContain('[OK] Nothing to do'),
    );
  }
}
