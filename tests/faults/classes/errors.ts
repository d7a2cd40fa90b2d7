/**
 * A call that fails, once: full disks, read-only and broken ones, quotas, other file systems, a lack of rights or of
 * descriptors; and a rename that is reported as done and is not.
 */
import type { FaultClass, Injection } from '../fault-class.ts';
import { changes, type Point } from '../points.ts';
import { scenarios } from '../scenarios.ts';
import { struckRun } from '../strike.ts';

interface Failure {
  readonly name: string;
  /** As in strace's `inject=`. */
  readonly fault: string;
  /** Calls that can fail so. */
  readonly of: (point: Point) => boolean;
  readonly lied?: true;
}

const calls =
  (...names: readonly string[]) =>
  (point: Point): boolean =>
    changes(point) && names.includes(point.call);

const names = ['mkdir', 'rename', 'unlink', 'rmdir', 'symlink', 'fchmod', 'openat'];

const failures: readonly Failure[] = [
  { name: 'ENOSPC', fault: 'error=ENOSPC', of: calls('write', 'mkdir', 'rename', 'symlink', 'openat') },
  { name: 'EDQUOT', fault: 'error=EDQUOT', of: calls('write', 'mkdir') },
  { name: 'EROFS', fault: 'error=EROFS', of: calls(...names) },
  { name: 'EPERM', fault: 'error=EPERM', of: calls(...names) },
  { name: 'EIO', fault: 'error=EIO', of: calls('write', 'fsync') },
  // Once for each path: they are closed again and again.
  { name: 'EIO-CLOSE', fault: 'error=EIO', of: ({ call, name }) => call === 'close' && name.endsWith('#1') },
  { name: 'EXDEV', fault: 'error=EXDEV', of: calls('rename') },
  { name: 'EMFILE', fault: 'error=EMFILE', of: ({ call }) => call === 'openat' },
  { name: 'LIE', fault: 'retval=0', of: calls('rename'), lied: true },
];

const sample = 211;

/** What was not survived once, and is quickly tried. */
const always = ['move EIO-CLOSE /etc/systemd/system', 'uninstall EMFILE /var/lib/mcp-installer/runs'];

export const errors: FaultClass = {
  id: '3',
  title: 'a call that fails, or only says that it did not',
  needs: ['strace'],
  scenarios: scenarios.map(({ name }) => name),
  injections: (prepared) =>
    Promise.resolve(
      prepared.flatMap((each) =>
        failures
          .flatMap((failure) => each.points.filter(failure.of).map((point) => ({ failure, point })))
          .map(({ failure: { name, fault, lied = false }, point }, index): Injection => ({
            id: `3/${each.scenario.name}/${name}/${point.name}`,
            quick:
              index % sample === sample - 1 ||
              (lied && point.path.endsWith('.env')) ||
              always.includes(`${each.scenario.name} ${name} ${point.path}`),
            make: () => struckRun(each, point, fault, { lied }),
          })),
      ),
    ),
};
