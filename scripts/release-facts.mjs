/** What a release is called, and when it came out, as the list of changes says: what is built has no other time in it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param root of the repository
 * @returns the version, and the day as `2026-11-24`
 */
export function releaseFacts(root) {
  const read = (name) => readFileSync(path.join(root, name), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  const heading = `## ${version} - `;
  const line = read('CHANGELOG.md')
    .split('\n')
    .find((each) => each.startsWith(heading));
  if (line === undefined) throw new Error(`CHANGELOG.md does not say when ${version} came out`);
  return { version, day: line.slice(heading.length) };
}
