/** No copy that a run kept holds a secret value once the run has ended, however it ended. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { expectExit, files, installed, type Place } from '../support/place.ts';
import { traced } from '../support/trace.ts';

const rotation = ['--force-rotate-tokens', '--force-config', '--yes'];

/** A root whose secrets, and whose copies, are looked at after each step. */
class Watched {
  readonly values = new Set<string>();
  readonly root: Place;

  constructor(root: Place) {
    this.root = root;
  }

  /** A person's edit that repeats every secret, in a file of which the next `--force-config` keeps a copy. */
  plant(): void {
    this.remember();
    const lines = Object.entries(this.root.secrets()).map(([name, value]) => `# ${name} ${value}\n`);
    this.root.write(files.site, `${this.root.read(files.site)}${lines.join('')}`);
  }

  private remember(): void {
    for (const value of Object.values(this.root.secrets())) this.values.add(value);
  }

  /** @returns the copies that were looked at */
  check(step: string): readonly string[] {
    this.remember();
    const home = this.root.at(files.journal);
    const all = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const forms = [...this.values].flatMap((value) => [
      value,
      Buffer.from(value).toString('base64').replace(/=+$/u, ''),
      Buffer.from(value).toString('hex'),
    ]);
    const holding = all.filter(({ parentPath, name }) => {
      const text = readFileSync(path.join(parentPath, name), 'latin1');
      return forms.some((form) => text.includes(form));
    });
    expect({ step, holding: holding.map(({ parentPath, name }) => path.join(parentPath, name)) }).toEqual({
      step,
      holding: [],
    });
    return all.flatMap(({ parentPath, name }) => (path.basename(parentPath) === 'before' ? [name] : []));
  }
}

test('not after a rotation, a rollback, an uninstall, and the installations in between (security 13)', async () => {
  using root = await installed();
  const watched = new Watched(root);
  watched.plant();
  expectExit(await root.install([...rotation, '--port', '9000']), 0);
  expect(watched.check('rotated').filter((name) => name.endsWith('.masked'))).toHaveLength(1);
  watched.plant();
  expectExit(await root.install(['--force-config', '--port', '9001']), 0);
  expect(watched.check('changed').filter((name) => name.endsWith('.masked'))).toHaveLength(2);
  expectExit(await root.install(['--port', '9002']), 0);
  expectExit(await root.run('rollback'), 0);
  watched.check('rolled back');
  expectExit(await root.run('uninstall'), 0);
  watched.check('uninstalled');
  expectExit(await root.install(), 0);
  watched.check('installed again');
  expect(watched.values.size).toBe(8);
});

test.each(['error=EIO', 'signal=KILL'])(
  'not where a rename of a rotation fails (%s), and not after the run that follows',
  async (fault) => {
    const codes: number[] = [];
    for (let nth = 1; nth <= 9; nth += 2) {
      using root = await installed();
      const watched = new Watched(root);
      watched.plant();
      const inject = `rename:${fault}:when=${nth}`;
      const args = [...rotation, '--port', '9000', '--root', root.path];
      const { exitCode } = await traced(args, { inject });
      codes.push(exitCode);
      watched.check(`${inject}: ${exitCode}`);
      expectExit(await root.install(['--force-config']), 0);
      // A rotation that was killed has ended the old values, and took the knowledge of them with it.
      if (exitCode === 137) watched.values.clear();
      watched.check(`${inject}, rerun`);
    }
    // Put back, or killed, at least once: in the middle of it, not only at its first step.
    expect(codes.filter((code) => code === (fault === 'signal=KILL' ? 137 : 12)).length).toBeGreaterThan(1);
  },
);
