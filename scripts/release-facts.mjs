/** What a release is called, and when it came out, as the list of changes says: what is built has no other time in it. */
import { readFileSync } from 'node:fs';

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

export const { version } = JSON.parse(read('package.json'));

const [, day] = new RegExp(`^## ${version.replaceAll('.', '\\.')} - (\\d{4}-\\d\\d-\\d\\d)$`, 'mu').exec(
  read('CHANGELOG.md'),
) ?? [null, null];
if (day === null) throw new Error(`CHANGELOG.md does not say when ${version} came out`);

/** `2026-11-24` */
export const releaseDay = day;
export const released = new Date(`${day}T00:00:00Z`);
