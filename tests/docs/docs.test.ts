/** Documentation that cannot go stale. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/commands/program.ts';
import { version } from '../../src/version.ts';
import { repositoryRoot } from '../hosts/support/base.ts';

const read = (file: string): string => readFileSync(path.join(repositoryRoot, file), 'utf8');

function markdown(directory: string): string[] {
  return readdirSync(path.join(repositoryRoot, directory)).flatMap((name) => {
    const file = path.join(directory, name);
    if (statSync(path.join(repositoryRoot, file)).isDirectory()) return markdown(file);
    return name.endsWith('.md') ? [file] : [];
  });
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...markdown('docs'),
  ...markdown('integrations'),
];

test('generated reference pages are as the code says', () => {
  execFileSync('node', ['scripts/docs.mjs', '--check'], { cwd: repositoryRoot, stdio: 'pipe' });
});

test.each(pages)('links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/gu)].map(([, target]) => target!);
  const broken = links.filter((target) => !existsSync(path.join(repositoryRoot, path.dirname(page), target)));
  expect(broken).toEqual([]);
});

test('every option that a page mentions exists', () => {
  const commands = createProgram(() => () => Promise.resolve()).commands;
  const known = new Set([
    '--help',
    '--version',
    ...commands.flatMap((command) => command.options.map(({ long }) => long ?? '')),
  ]);
  const ours = pages.filter((page) => !page.startsWith('docs/decisions'));
  const foreign = ['--ignore-scripts', '--webroot', '--force-confold', '--deploy-hook'];
  // Of services of one's own that pages show.
  const ofServices = ['--greeting', '--log-level'];
  // Of `npm run faults`.
  const ofCampaign = ['--class', '--only', '--list', '--report', '--summary'];
  // Of get.sh, `npm run build:release`, and what verifies and signs.
  const ofRelease = ['--to', '--url', '--key'];
  const ofVerifying = [
    '--keyring',
    '--check',
    '--ignore-missing',
    '--strict',
    '--quick-generate-key',
    '--output',
  ];
  // Of Ansible's programs and `cloud-init`.
  const ofIntegrations = ['--diff', '--ask-vault-pass', '--docker', '--long'];
  // Of `npm run test:mutation`, which hands it on.
  const ofStryker = ['--mutate'];
  const mentioned = ours.flatMap((page) =>
    [...read(page).matchAll(/(?<![\w-])--[a-z][a-z-]+/gu)].map(([option]) => option),
  );
  expect(
    [...new Set(mentioned)].filter(
      (option) =>
        ![
          ...known,
          ...foreign,
          ...ofServices,
          ...ofCampaign,
          ...ofRelease,
          ...ofVerifying,
          ...ofIntegrations,
          ...ofStryker,
        ].includes(option),
    ),
  ).toEqual([]);
});

test('every npm script that a page mentions exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const mentioned = pages.flatMap((page) =>
    [...read(page).matchAll(/npm run ([a-z:]+)/gu)].map(([, name]) => name!),
  );
  expect(mentioned.filter((name) => !(name in scripts))).toEqual([]);
});

test('one version everywhere', () => {
  const { version: packaged } = JSON.parse(read('package.json')) as { version: string };
  expect({ packaged, changelog: /^## (\S+)/mu.exec(read('CHANGELOG.md'))?.[1] }).toEqual({
    packaged: version,
    changelog: version,
  });
});

test('the journal page names every kind of record and every fact, and no other', () => {
  const page = read('docs/reference/journal.md');
  const listed = [...page.matchAll(/^\| `([\w.]+)`/gmu)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'k');
  const kinds = [...read('src/journal/record.ts').matchAll(/readonly k: '([\w.]+)'/gu)].map(
    ([, name]) => name!,
  );
  const facts = [...read('src/facts.ts').matchAll(/readonly fact: '(\w+)'/gu)].map(([, name]) => name!);
  expect([...new Set(listed)].sort()).toEqual([...new Set([...kinds, ...facts, 'fact'])].sort());
});

test('the program that README shows prints what it says', () => {
  const [, code = ''] = /## Embedding\n\n```ts\n(.*?)```/su.exec(read('README.md')) ?? [];
  const [, promised = ''] = /\/\/ (.*)\n$/u.exec(code) ?? [];
  const place = mkdtempSync(path.join(tmpdir(), 'mcp-installer-readme-'));
  try {
    // As a program that depends on the package sees it.
    mkdirSync(path.join(place, 'node_modules'));
    symlinkSync(repositoryRoot, path.join(place, 'node_modules/mcp-installer'));
    writeFileSync(path.join(place, 'program.mjs'), code);
    const printed = execFileSync('node', [path.join(place, 'program.mjs')], { encoding: 'utf8' });
    expect(promised).toBe('installed 0');
    expect(printed.trimEnd().split('\n').at(-1)).toBe(promised);
  } finally {
    rmSync(place, { recursive: true });
  }
});
