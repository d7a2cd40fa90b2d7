/** From what is there and what should be to the list of changes, in the order in which they are made, and what is told of them. */
import { describe, expect, test } from 'vitest';
import type { FileIdentity } from '../../../src/facts.ts';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import { createMemoryHost, type MemoryHost } from '../../../src/effects/host/memory.ts';
import type { Host } from '../../../src/effects/host/port.ts';
import { sha256 } from '../../../src/effects/identity.ts';
import { changesOf, type Changes } from '../../../src/effects/plan/operations.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import type { Mode, Operation, Request, SecretReport } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import type { Desired, DesiredFile, DesiredLink } from '../../../src/products/product.ts';
import { emptyScope } from '../../support/scope.ts';
import { nothingDesired, smallFiles, smallProduct } from '../../support/small-product.ts';

const { env, site, siteLink } = smallFiles;
const product = smallProduct();

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly host?: MemoryHost;
  /** The env file that stands there, as every other file of the host. */
  readonly env?: string;
  readonly envMode?: number;
  readonly secrets?: readonly SecretReport[];
  readonly baselines?: Memory['baselines'];
}

function scopeOf({
  files = {},
  host,
  env: text,
  envMode = 0o600,
  secrets = [],
  baselines = {},
}: Given): Scope {
  const scope = emptyScope({
    host: host ?? createMemoryHost({ files }),
    product,
    memory: () => ({ ...emptyMemory, baselines }),
  });
  scope.state.after = new Map([['TOKEN', 'secret-token']]);
  scope.state.secrets = secrets;
  if (text !== undefined) {
    const bytes = Buffer.from(text);
    const identity = { type: 'file', hash: null, mode: envMode, uid: 0, gid: 0 } as const;
    scope.state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  return scope;
}

interface Asked {
  readonly desired?: Partial<Desired>;
  readonly mode?: Mode;
  readonly edits?: Request['edits'];
  readonly packages?: readonly string[];
}

const changes = (
  scope: Scope,
  { desired, mode = 'existing', edits = 'refuse', packages = [] }: Asked = {},
): Changes => changesOf(scope, { ...nothingDesired, ...desired }, mode, edits, packages);

const inOrder = ({ operations }: Changes): readonly string[] =>
  operations.map(({ kind, path }) => `${kind} ${path}`);

/** Bytes that are written and replaced, as text. */
const contents = (scope: Scope): unknown =>
  Object.fromEntries(
    [...scope.state.contents].map(([path, { before, after }]) => [
      path,
      [before === null ? null : Buffer.from(before).toString(), Buffer.from(after).toString()],
    ]),
  );

const token: SecretReport = { name: 'TOKEN', origin: 'preserved', fingerprint: '' };
const whole = 'TOKEN=secret-token\n';
const nothing: Changes = {
  operations: [],
  changes: [],
  notes: [],
  conflicts: [],
  breaking: [],
  kept: [],
  forgotten: [],
};
const identity = (text: string | null, mode = 0o644): FileIdentity => ({
  type: 'file',
  hash: text === null ? null : sha256(text),
  mode,
  uid: 0,
  gid: 0,
});

describe('the env file', () => {
  const envWrite: Operation = {
    kind: 'writeFile',
    path: env,
    role: 'env',
    action: 'create',
    before: null,
    after: identity(null, 0o600),
    detail: ['TOKEN: generated'],
    because: null,
  };

  test('is made with what became of the secrets, and is told masked', () => {
    const scope = scopeOf({ secrets: [{ ...token, origin: 'generated' }] });
    const host: Host = { ...scope.host, owner: 5, group: 6 };
    expect(changes({ ...scope, host }, { mode: 'fresh' })).toEqual({
      ...nothing,
      operations: [{ ...envWrite, after: { ...envWrite.after!, uid: 5, gid: 6 } }],
      changes: [{ path: env, before: '', after: 'TOKEN=<generated>\n' }],
    });
    expect(contents(scope)).toEqual({ [env]: [null, whole] });
  });

  test('stays where not one byte has to change', () => {
    const scope = scopeOf({ env: whole, secrets: [token] });
    scope.state.contents.set('/of/a/plan/before', { before: null, after: Buffer.from('') });
    expect(changes(scope)).toEqual(nothing);
    expect(contents(scope)).toEqual({});
  });

  test('gets another value in its place, with the name of that alone', () => {
    const text = '# mine\nTOKEN=older-token\nKEY=k\n';
    const secrets: SecretReport[] = [
      { ...token, origin: 'rotated' },
      { name: 'PASSWORD', origin: 'removed', fingerprint: '' },
      { ...token, name: 'KEY' },
    ];
    const scope = scopeOf({ env: text, secrets });
    scope.state.after = new Map([
      ['TOKEN', 'secret-token'],
      ['KEY', 'k'],
    ]);
    expect(changes(scope)).toEqual({
      ...nothing,
      operations: [
        {
          ...envWrite,
          action: 'replace',
          before: identity(null, 0o600),
          detail: ['TOKEN: rotated', 'PASSWORD: removed'],
        },
      ],
      changes: [
        {
          path: env,
          before: '# <comment>\nTOKEN=<hidden>\nKEY=<hidden>\n',
          after: '# <comment>\nTOKEN=<rotated>\nKEY=<hidden>\n',
        },
      ],
    });
    expect(contents(scope)).toEqual({ [env]: [text, text.replace('older', 'secret')] });
  });

  test('is changed because of settings where no secret is', () => {
    const scope = scopeOf({ env: whole, secrets: [token] });
    scope.state.settings = { NAME: 'N' };
    expect(changes(scope).operations).toEqual([
      { ...envWrite, action: 'replace', before: identity(null, 0o600), detail: [], because: 'settings' },
    ]);
  });

  test.each([
    [0o640, true],
    [0o604, true],
    [0o700, false],
  ])('of mode %o is narrowed before anything else: %s', (envMode, narrowed) => {
    const operation = {
      kind: 'narrowMode',
      path: env,
      role: 'env',
      action: 'replace',
      before: identity(null, envMode),
      after: identity(null, 0o600),
      detail: ['0600'],
      because: `mode 0${envMode.toString(8)}`,
    };
    const own = narrowed ? [operation] : [];
    expect(changes(scopeOf({ env: whole, envMode, secrets: [token] })).operations).toEqual(own);
    const written = scopeOf({ env: 'TOKEN=older\n', envMode, secrets: [{ ...token, origin: 'rotated' }] });
    expect(inOrder(changes(written, { packages: ['nginx'] }))).toEqual([
      ...own.map(({ path }) => `narrowMode ${path}`),
      'installPackages /',
      `writeFile ${env}`,
    ]);
  });
});

const file: DesiredFile = {
  path: site,
  mode: 0o644,
  role: 'site',
  content: Buffer.from('listen 80;\nours\n'),
  affects: [],
  unknown: 'ask',
};
const link: DesiredLink = { path: siteLink, target: site, role: 'site', affects: [], unknown: 'keep' };
const ours = { env: whole, secrets: [token] } as const;
const text = 'listen 80;\nours\n';
const older = 'listen 81;\nolder secret-token\n';
const theirs = 'listen 82;\ntheirs secret-token\nours\n';

describe('a file', () => {
  test('that is missing is written, and told as it is', () => {
    const scope = scopeOf(ours);
    const made = changes(scope, { desired: { files: [file] } });
    expect(made).toEqual({
      ...nothing,
      operations: [expect.objectContaining({ kind: 'writeFile', path: site, action: 'create' })],
      changes: [{ path: site, before: '', after: text }],
    });
    expect(contents(scope)).toEqual({ [site]: [null, text] });
  });

  test('that a person removed is written again, and told as a new one', () => {
    const scope = scopeOf({ ...ours, baselines: { [site]: [sha256(text)] } });
    expect(changes(scope, { desired: { files: [file] } }).changes).toEqual([
      { path: site, before: '', after: text },
    ]);
  });

  test('that takes the place of a link has no bytes to put back', async () => {
    const host = createMemoryHost({ files: { '/etc/nginx/sites-available/x': '' } });
    await host.makeLink(site, '/elsewhere', null);
    const scope = scopeOf({ ...ours, host });
    changes(scope, { desired: { files: [file] }, edits: 'replace' });
    expect(contents(scope)).toEqual({ [site]: [null, text] });
  });

  test('that a run of ours wrote is told whole, but for secrets', () => {
    const baselines = { [site]: ['', sha256(older)] };
    const scope = scopeOf({ ...ours, files: { [site]: older }, baselines });
    expect(changes(scope, { desired: { files: [file] } }).changes).toEqual([
      { path: site, before: 'listen 81;\n<hidden>\n', after: text },
    ]);
    expect(contents(scope)).toEqual({ [site]: [older, text] });
  });

  test.each([{}, { [site]: [sha256(older)] }])('that a person wrote is told by its keys', (baselines) => {
    const scope = scopeOf({ ...ours, files: { [site]: theirs }, baselines });
    expect(changes(scope, { desired: { files: [file] }, edits: 'replace' }).changes).toEqual([
      { path: site, before: 'listen <hidden>\n<hidden>\nours\n', after: text },
    ]);
  });

  test('that is as wanted is neither told nor read again', () => {
    const scope = scopeOf({ ...ours, files: { [site]: text } });
    let read = 0;
    const host: Host = { ...scope.host, readFile: (path) => ((read += 1), scope.host.readFile(path)) };
    const desired = { files: [{ ...file, isOurs: () => false }] };
    expect(changes({ ...scope, host }, { desired })).toEqual(nothing);
    expect(read).toBe(1);
  });

  test('that was edited, and is kept, is told with what ours would be', () => {
    const baselines = { [site]: [sha256(text)] };
    const scope = scopeOf({ ...ours, files: { [site]: theirs }, baselines });
    expect(changes(scope, { desired: { files: [file] } })).toEqual({
      ...nothing,
      changes: [{ path: site, before: text, after: 'listen <hidden>\n<hidden>\nours\n', kept: true }],
      notes: [expect.objectContaining({ code: 'edit-kept' })],
      kept: [{ path: site, offered: sha256(text) }],
    });
    expect(contents(scope)).toEqual({});
  });

  test('that meets a change of ours has ours laid beside it', () => {
    const aside = `${site}.mcp-new`;
    const baselines = { [site]: [sha256('another')], [aside]: [sha256(older)] };
    const scope = scopeOf({ ...ours, files: { [site]: theirs, [aside]: older }, baselines });
    expect(changes(scope, { desired: { files: [file] }, edits: 'keep' })).toEqual({
      ...nothing,
      operations: [expect.objectContaining({ kind: 'writeFile', path: aside, action: 'replace' })],
      changes: [
        { path: site, before: text, after: 'listen <hidden>\n<hidden>\nours\n', kept: true },
        { path: aside, before: 'listen 81;\n<hidden>\n', after: text },
      ],
      notes: [expect.objectContaining({ code: 'edit-kept' })],
      kept: [{ path: site, offered: sha256(text) }],
    });
    expect(contents(scope)).toEqual({ [aside]: [older, text] });
  });

  test('that meets a change of ours is a conflict where nobody said what to do', () => {
    const files = { [site]: theirs, '/etc/tuned': theirs };
    const tuned: DesiredFile = { ...file, path: '/etc/tuned', tunable: true, satisfiedBy: () => false };
    expect(changes(scopeOf({ ...ours, files }), { desired: { files: [file, tuned] } })).toEqual({
      ...nothing,
      conflicts: [site, '/etc/tuned'],
      breaking: ['/etc/tuned'],
    });
  });

  test('in whose place a link is kept has no text to tell', async () => {
    const host = createMemoryHost({ files: { '/etc/nginx/sites-available/x': '' } });
    await host.makeLink(site, '/elsewhere', null);
    const reads: Host = { ...host, readFile: (path) => (path === site ? null : host.readFile(path)) };
    const scope = { ...scopeOf(ours), host: reads };
    const desired = {
      files: [{ ...file, unknown: 'keep' as const, isOurs: (found: string) => found !== '' }],
      links: [link],
    };
    expect(changes(scope, { desired })).toEqual({
      ...nothing,
      notes: [expect.objectContaining({ code: 'edit-kept' })],
      kept: [{ path: site, offered: sha256(text) }],
    });
  });
});

describe('a link', () => {
  const asked = { desired: { files: [file], links: [link] } };

  test('is made after the file that it leads to', () => {
    expect(inOrder(changes(scopeOf(ours), asked))).toEqual([`writeFile ${site}`, `makeLink ${siteLink}`]);
  });

  test('that replaces a copy of its file is told', () => {
    const made = changes(scopeOf({ ...ours, files: { [siteLink]: text, '/etc/other': '' } }), {
      desired: {
        files: [{ ...file, path: '/etc/other', content: Buffer.from('other\n'), unknown: 'keep' }, file],
        links: [link],
      },
    });
    expect(inOrder(made)).toEqual([`writeFile ${site}`, `makeLink ${siteLink}`]);
    expect(made.notes.map(({ code }) => code)).toEqual(['edit-kept', 'link-replaced']);
  });

  test('that leads there already is nothing to do', async () => {
    const host = createMemoryHost({ files: { [site]: text, '/etc/nginx/sites-enabled/x': '' } });
    await host.makeLink(siteLink, site, null);
    expect(changes(scopeOf({ ...ours, host }), asked)).toEqual(nothing);
  });

  test('that a person replaced is a conflict, or kept for what its file would be', () => {
    const scope = scopeOf({ ...ours, files: { [site]: text, [siteLink]: theirs } });
    expect(changes(scope, asked)).toEqual({ ...nothing, conflicts: [siteLink] });
    expect(changes(scope, { ...asked, edits: 'keep' })).toEqual({
      ...nothing,
      notes: [expect.objectContaining({ code: 'edit-kept' })],
      kept: [{ path: siteLink, offered: sha256(text) }],
    });
  });

  test.each([
    [true, [`makeLink ${siteLink}`]],
    [false, []],
    [undefined, [`makeLink ${siteLink}`]],
  ])('to a file of a person’s that is still ours is made: %s', (isOurs, made) => {
    const judged = isOurs === undefined ? {} : { isOurs: (found: string) => (found === theirs) === isOurs };
    const desired = { files: [{ ...file, unknown: 'keep' as const, ...judged }], links: [link] };
    expect(inOrder(changes(scopeOf({ ...ours, files: { [site]: theirs } }), { desired }))).toEqual(made);
  });
});

describe('directories and packages:', () => {
  const directories = [
    { path: '/etc', mode: 0o755, shared: true },
    { path: '/etc/small', mode: 0o700, shared: false },
    { path: '/etc/nginx', mode: 0o755, shared: true, providedBy: 'nginx' },
  ];
  const made = ['makeDirectory /etc', 'makeDirectory /etc/small'];
  const withNginx = [...made, 'makeDirectory /etc/nginx'];
  const desired = { directories };

  test('what a package brings is not made where that package is about to be installed', () => {
    expect(inOrder(changes(scopeOf(ours), { desired }))).toEqual(withNginx);
    expect(inOrder(changes(scopeOf(ours), { desired, packages: ['nginx'] }))).toEqual([
      'installPackages /',
      ...made,
    ]);
    expect(inOrder(changes(scopeOf(ours), { desired, packages: ['other'] }))).toEqual([
      'installPackages /',
      ...withNginx,
    ]);
  });

  test('below another root nothing is installed', () => {
    const scope = scopeOf(ours);
    const below = { ...scope, host: { ...scope.host, root: '/srv/image' } };
    expect(inOrder(changes(below, { desired, packages: ['nginx'] }))).toEqual(withNginx);
  });

  test('one that is there is no change', () => {
    const scope = scopeOf({ ...ours, files: { '/etc/nginx/x': '' } });
    expect(inOrder(changes(scope, { desired }))).toEqual(['makeDirectory /etc/small']);
  });

  test('packages are one change, named', () => {
    expect(changes(scopeOf(ours), { packages: ['nginx', 'python3'] }).operations).toEqual([
      {
        kind: 'installPackages',
        path: '/',
        role: 'packages',
        action: 'create',
        before: null,
        after: null,
        detail: ['nginx', 'python3'],
        because: null,
      },
    ]);
  });
});

test('what is no longer wanted goes last, the latest first, and is told; leftovers go before anything is made', () => {
  const temporary = (name: string): string => `.${name}.0123456789abcdef.mcp-installer-tmp`;
  const left = [
    `/etc/small/${temporary('.env')}`,
    `/etc/nginx/sites-available/${temporary('small.conf')}`,
    `/etc/nginx/${temporary('small.conf')}`,
  ];
  const [one, two, edited] = ['/etc/one', '/etc/two', '/etc/edited'];
  const scope = scopeOf({
    files: Object.fromEntries([...left, one, two, edited].map((path) => [path, path])),
    baselines: { [one]: [sha256(one)], [two]: [sha256(two)], [edited]: ['older'] },
    secrets: [token],
  });
  const made = changes(scope, {
    mode: 'fresh',
    packages: ['nginx'],
    desired: { files: [file], links: [link], directories: [{ path: '/usr', mode: 0o755, shared: true }] },
  });
  expect(inOrder(made)).toEqual([
    'installPackages /',
    ...left.map((path) => `removeLeftover ${path}`),
    'makeDirectory /usr',
    `writeFile ${env}`,
    `writeFile ${site}`,
    `makeLink ${siteLink}`,
    `removeFile ${two}`,
    `removeFile ${one}`,
  ]);
  expect(made.notes.map(({ code }) => code)).toEqual(['edit-kept']);
  expect(made.forgotten).toEqual([{ path: edited, baselines: [''] }]);
});
