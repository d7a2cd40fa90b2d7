/**
 * Makes release/: what is published, all of it reproducible, and the list of its checksums, not signed yet.
 *
 *     node scripts/build-release.mjs --url URL --key FILE
 *
 * URL: where the files of this release will be; FILE: the OpenPGP public key (binary) that get.sh is to trust.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { releaseFacts } from './release-facts.mjs';
import { writeSums, writeWaysIn } from './release-texts.mjs';

const { values } = parseArgs({ options: { url: { type: 'string' }, key: { type: 'string' } } });
if (values.url === undefined || values.key === undefined)
  throw new Error('usage: build-release.mjs --url URL --key FILE');
// Typed into shell scripts between single quotes.
if (!/^[\w:/.%~-]+$/u.test(values.url))
  throw new Error(`--url ${values.url} has characters that are no URL's`);
const key = readFileSync(values.key);

process.chdir(new URL('..', import.meta.url).pathname);
const { version } = releaseFacts('.');
const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });

run('node', 'scripts/build.mjs', '--if-stale');
run('node', 'scripts/build-deb.mjs', '--if-stale');
rmSync('release', { recursive: true, force: true });
mkdirSync('release');
run('npm', 'pack', '--silent', '--pack-destination', 'release');
for (const name of readdirSync('dist').filter((each) => each.endsWith('.deb')))
  copyFileSync(path.join('dist', name), path.join('release', name));
for (const architecture of ['x64', 'arm64']) {
  const name = `mcp-installer-linux-${architecture}`;
  // As it is for those who bring it to hosts of theirs, which compare its checksum.
  copyFileSync(`dist/${name}`, `release/${name}`);
  writeFileSync(`release/${name}.gz`, gzipSync(readFileSync(`dist/${name}`), { level: 6 }));
}
run('node', 'scripts/build-sbom.mjs', `release/mcp-installer-${version}.cdx.json`);
writeWaysIn('.', 'release', { url: values.url, version, key });
writeSums('release');
