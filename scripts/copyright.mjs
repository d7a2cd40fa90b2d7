/** Whose work is in an executable, with the licences under which it is there. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pinnedNode } from './pinned-node.mjs';

/** A licence's text as Debian's copyright file has it: indented, with a full stop for an empty line. */
const indented = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');

function licenceOf(directory) {
  const file = readdirSync(directory).find((name) => /^licen[cs]e/iu.test(name));
  return file === undefined ? null : readFileSync(path.join(directory, file), 'utf8');
}

/** Names and versions, as the program itself tells them. */
const libraries = () =>
  Object.entries(
    JSON.parse(execFileSync('node', ['dist/mcp-installer.mjs', '--version', '--json'], { stdio: 'pipe' }))
      .madeOf.libraries,
  );

export function copyrightText(architecture) {
  const own = readFileSync('LICENSE', 'utf8');
  const { directory, version } = pinnedNode(architecture);
  const inside = libraries().map(([name, of]) => {
    const place = `node_modules/${name}`;
    const { license } = JSON.parse(readFileSync(`${place}/package.json`, 'utf8'));
    const text = licenceOf(place) ?? `Licensed under ${license}.`;
    return `Comment: ${name} ${of} (${license}), inside the program:\n${indented(text)}`;
  });
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: mcp-installer\n',
    `Files: *\nCopyright: 2026 the mcp-installer contributors\nLicense: Expat\n${indented(own.slice(own.indexOf('Permission')))}\n`,
    ...inside.map((text) => `${text}\n`),
    `Comment: Node.js ${version} and what is inside it:\n${indented(readFileSync(path.join(directory, 'LICENSE'), 'utf8'))}\n`,
  ].join('\n');
}
