/**
 * A host's own file system: what it writes lies in `upper`, the base tree below stays as it is.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** The merged tree of a host directory. */
export const mergedTree = (dir: string): string => path.join(dir, 'root');

export function mountOverlay(dir: string, lower: string): void {
  const upper = path.join(dir, 'upper');
  const work = path.join(dir, 'work');
  for (const each of [upper, work, mergedTree(dir)]) mkdirSync(each);
  // The root directory of the host takes the mode of `upper`, whatever the umask of the test runner is.
  chmodSync(upper, 0o755);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'mcp-test-host', mergedTree(dir)], {
    stdio: 'pipe',
  });
}

const isMounted = (target: string): boolean =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === target);

/** Unmounts a tree that nothing runs in; what was written into it stays in the layer that this returns. */
export function unmountOverlay(dir: string): string {
  execFileSync('umount', ['--recursive', mergedTree(dir)], { stdio: 'pipe' });
  return path.join(dir, 'upper');
}

/** Unmounts and deletes a host directory. Nothing of the host may be running any more. */
export function removeOverlay(dir: string): void {
  const target = mergedTree(dir);
  if (isMounted(target)) {
    try {
      execFileSync('umount', ['--recursive', target], { stdio: 'pipe' });
    } catch {
      // A reader outside still has a file open: the mount goes when that one is closed.
      execFileSync('umount', ['--recursive', '--lazy', target], { stdio: 'pipe' });
    }
  }
  if (!existsSync(dir)) return;
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch {
    // A test may have made files immutable; ignore what chattr says about links and pipes.
    try {
      execFileSync('chattr', ['-R', '-f', '-i', '-a', dir], { stdio: 'ignore' });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
}
