/** The completions, pressed in the shells that they are for, and the manual page, read by both programs that show such. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../hosts/support/base.ts';
import { ensurePackages } from '../support/debian-packages.ts';

const completions = path.join(repositoryRoot, 'docs/completions');
const page = path.join(repositoryRoot, 'docs/man/mcp-installer.8');

beforeAll(() => ensurePackages('fish', 'man-db', 'mandoc', 'zsh'));

const lines = (text: string): readonly string[] => text.trim().split('\n').sort();

/** What bash offers after the words; the last one is what was typed so far. */
const inBash = (words: readonly string[]): readonly string[] =>
  lines(
    execFileSync(
      'bash',
      [
        '-c',
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mcp_installer; printf "%s\\n" "${COMPREPLY[@]}"',
        'bash',
        path.join(completions, 'mcp-installer.bash'),
        ...words,
      ],
      { encoding: 'utf8' },
    ),
  );

const inFish = (words: readonly string[]): readonly string[] =>
  lines(
    execFileSync(
      'fish',
      [
        '--no-config',
        '-c',
        'source $argv[1]; complete -C $argv[2]',
        path.join(completions, 'mcp-installer.fish'),
        words.join(' '),
      ],
      { encoding: 'utf8' },
    ),
  ).map((line) => line.split('\t')[0] ?? '');

const offered: readonly (readonly [typed: readonly string[], offers: readonly string[]])[] = [
  [['mcp-installer', 'sta'], ['status']],
  [['mcp-installer', 'status', '--js'], ['--json']],
  [['mcp-installer', '--dom'], ['--domain']],
  [
    ['mcp-installer', 'graph', '--format', ''],
    ['dot', 'json', 'mermaid', 'svg'],
  ],
  [['mcp-installer', 'show', 'la'], ['last']],
  [['mcp-installer', 'status', '--dom'], ['']],
];

describe.each([
  ['bash', inBash],
  ['fish', inFish],
])('%s', (_, inShell) => {
  test.each(offered)('offers after %j: %j', (typed, offers) => {
    expect(inShell(typed)).toEqual(offers);
  });
});

describe('zsh', () => {
  /** Presses Tab in an interactive shell, and waits until the line has become another. */
  const press = `
    zmodload zsh/zpty
    zpty shell "env -i HOME=/nonexistent TERM=dumb PATH=$PATH zsh -f -i"
    zpty -w shell "PS1=ready; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; echo set-''up"
    zpty -r -m shell out '*set-up*ready*'
    zpty -w -n shell "$2"$'\\t'
    zpty -r -m shell out "*$3*" && print -r -- "$3"`;

  test.each([
    ['mcp-installer sta', 'mcp-installer status '],
    ['mcp-installer status --js', 'mcp-installer status --json '],
    ['mcp-installer --dom', 'mcp-installer --domain='],
    ['mcp-installer graph --format=me', 'mcp-installer graph --format=mermaid '],
    ['mcp-installer show la', 'mcp-installer show last '],
  ])('makes of %j: %j', (typed, becomes) => {
    const { stdout } = spawnSync(
      'timeout',
      ['20', 'zsh', '-f', '-c', press, 'zsh', completions, typed, becomes],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe(`${becomes}\n`);
  });
});

describe('the manual page', () => {
  test('is read by groff and by mandoc without a warning', () => {
    const groff = spawnSync('man', ['--warnings', '--local-file', '-Tutf8', '--ditroff', page], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', MANWIDTH: '80' },
    });
    expect({ status: groff.status, stderr: groff.stderr }).toEqual({ status: 0, stderr: '' });
    const mandoc = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', page], { encoding: 'utf8' });
    expect({ status: mandoc.status, stdout: mandoc.stdout }).toEqual({ status: 0, stdout: '' });
  });
});
