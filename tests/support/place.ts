/** A {@link HostTree} of a test's own, which goes with it. */
import { expect } from 'vitest';
import { hostTree, type HostTree } from './host-tree.ts';
import { temporaryRoot, type Ran } from './installer.ts';

export { files } from './host-tree.ts';

export type Place = HostTree & Disposable;

export function place(): Place {
  const root = temporaryRoot();
  return { ...hostTree(root.path), [Symbol.dispose]: () => root[Symbol.dispose]() };
}

/** Fails with all that was printed, so that a red test tells why. */
export function expectExit(ran: Ran, exitCode: number): Ran {
  expect(ran.exitCode, `${ran.stdout}\n${ran.stderr}`).toBe(exitCode);
  return ran;
}

export async function installed(args: readonly string[] = []): Promise<Place> {
  const root = place();
  expectExit(await root.install(args), 0);
  return root;
}
