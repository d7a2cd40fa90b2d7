/** Base trees are made once, before the first host needs one; what a crashed run left is removed. */
import { baseTree, suites } from './base.ts';
import { sweepHosts } from './leftovers.ts';

export default async function setup(): Promise<() => void> {
  if (process.geteuid?.() !== 0) throw new Error('Tests on real hosts need root.');
  sweepHosts();
  // One suite after the other: both share the disk and the mirror.
  for (const suite of suites) await baseTree(suite, 'full');
  return sweepHosts;
}
