/** What running programs must be made to notice: what changes, what interrupted runs owe, and what they are like now; each program once, in an order that works. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import type { Host, HttpAnswer } from '../../../src/effects/host/port.ts';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import { reloadsOf } from '../../../src/effects/plan/reloads.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import type { UnitStatus } from '../../../src/effects/units.ts';
import type { Operation, Reload } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import type {
  Affects,
  Desired,
  DesiredFile,
  DesiredLink,
  Product,
  WebProbe,
} from '../../../src/products/product.ts';
import { emptyScope, runningUnit } from '../../support/scope.ts';
import { nothingDesired, smallFiles, smallProduct } from '../../support/small-product.ts';

const { env, code, unit, socket, site, siteLink } = smallFiles;
const certificate = '/etc/small.pem';
const certificateText = `-----BEGIN CERTIFICATE-----
MIIBLDCB36ADAgECAhQ3pdFAkKtOVk3V5ygClrX9F4baajAFBgMrZXAwDDEKMAgG
A1UEAwwBeDAeFw0yNjExMzAwMDQ5MjlaFw0yNjEyMDEwMDQ5MjlaMAwxCjAIBgNV
BAMMAXgwKjAFBgMrZXADIQA5eocwePqlCyNpyRKni2qDnCJwheEhC6v4OPJ1z0nO
aaNTMFEwHQYDVR0OBBYEFIdOd8+eZOdKio8OZkQZdNQUK7CQMB8GA1UdIwQYMBaA
FIdOd8+eZOdKio8OZkQZdNQUK7CQMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA
60WxDpCgxCbxDkrMWrSwl5nCxRaComcddOfoPhhSx1eKonK1k7L4CjJW3SCasmuH
zHROH2XPDd9w1/1RlTF0Dg==
-----END CERTIFICATE-----
`;

const file = (path: string, affects: readonly Affects[]): DesiredFile => ({
  path,
  mode: 0o644,
  role: '',
  content: new Uint8Array(),
  affects,
  unknown: 'adopt',
});
const link = (path: string, affects: readonly Affects[]): DesiredLink => ({
  path,
  target: '/x',
  role: '',
  affects,
  unknown: 'adopt',
});
const web: WebProbe = {
  port: 8080,
  serverName: null,
  tls: false,
  markerPath: '/marker',
  marker: 'ours',
  site,
  showsMarker: () => true,
  certificate: null,
  healthStatus: 200,
};
const wanted: Desired = {
  ...nothingDesired,
  files: [
    file(code, ['service']),
    file(unit, ['unit', 'service']),
    file(socket, ['unit', 'socket']),
    file(site, ['web']),
  ],
  links: [link(siteLink, ['web'])],
  web,
};

const change = (path: string, kind: Operation['kind'] = 'writeFile'): Operation => ({
  kind,
  path,
  role: '',
  action: 'replace',
  before: null,
  after: null,
  detail: [],
  because: null,
});

/** When all that runs was started, in seconds since the epoch. */
const start = 1_700_000_000;

interface Given {
  readonly product?: Partial<Product>;
  readonly desired?: Partial<Desired>;
  readonly operations?: readonly Operation[];
  readonly moves?: boolean;
  readonly owed?: Memory['owed'];
  readonly files?: Readonly<Record<string, string>>;
  /** Files that were changed after all that runs was started. */
  readonly newer?: readonly string[];
  /** The environment of process 7; left out: it may not be read. */
  readonly environment?: readonly string[];
  /** Text of the env file. */
  readonly env?: string;
  readonly after?: Readonly<Record<string, string>>;
  /** Units that are otherwise than running well; null: systemd does not know of it. */
  readonly units?: Readonly<Record<string, Partial<UnitStatus> | null>>;
  readonly answer?: Partial<HttpAnswer>;
  readonly kept?: readonly string[];
  /** Does nginx listen where the service shall? */
  readonly webOnPort?: boolean;
}

function hostOf(given: Given): Host {
  const { files = {}, newer = [], environment, webOnPort = false } = given;
  const system = new Map<string, string>([
    ...(environment === undefined ? [] : [['/proc/7/environ', environment.join('\0')] as const]),
    ...(webOnPort
      ? ([
          ['/proc/net/tcp', 'head\n 0: 0100007F:1F40 0:0 0A 0:0 0:0 0 0 0 99 1 0\n'],
          ['/proc/60/cgroup', '0::/system.slice/nginx.service\n'],
        ] as const)
      : []),
  ]);
  const memory = createMemoryHost({
    files: Object.fromEntries([...newer.map((path) => [path, ''] as const), ...Object.entries(files)]),
    http: () => ({ ok: true, status: 200, headers: {}, body: 'ours', ...given.answer }) as HttpAnswer,
  });
  return {
    ...memory,
    lstat: (path) => {
      const found = memory.lstat(path);
      return found !== null && newer.includes(path)
        ? { ...found, changedNs: BigInt(start + 1) * 1_000_000_000n }
        : found;
    },
    readSystem: (path) => (system.has(path) ? Buffer.from(system.get(path)!) : null),
    listSystem: (path) => (path === '/proc' ? ['60'] : ['3']),
    linkSystem: () => 'socket:[99]',
  };
}

function scopeOf(given: Given): Scope {
  const product = smallProduct(given.product);
  const scope = emptyScope({
    host: hostOf(given),
    product,
    memory: () => ({ ...emptyMemory, owed: given.owed ?? [] }),
  });
  const { state } = scope;
  state.services = 'live';
  state.settings = { PORT: '8000' };
  state.after = new Map(Object.entries(given.after ?? {}));
  if (given.env !== undefined) {
    const bytes = Buffer.from(given.env);
    const identity = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
    state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  // Only a service has a process that was started, and a socket unit but a time since when it is active.
  const times: Readonly<Record<string, Partial<UnitStatus>>> = {
    'small.socket': { activeUs: start * 1e6, mainPid: 0 },
    'small.service': { startedUs: start * 1e6 },
    'nginx.service': { controlGroup: '/system.slice/nginx.service' },
  };
  state.unitsBefore = new Map(
    Object.entries(times).flatMap(([name, time]): [string, UnitStatus][] => {
      const own = given.units?.[name];
      return own === null ? [] : [[name, { ...runningUnit(name), ...time, ...own }]];
    }),
  );
  state.desired = { ...wanted, ...given.desired };
  state.kept = (given.kept ?? []).map((path) => ({ path, offered: '' }));
  return scope;
}

const planned = (scope: Scope, { operations = [], moves = false }: Given): Promise<readonly Reload[]> =>
  reloadsOf(scope, scope.state.desired!, operations, moves);
const reloads = (given: Given = {}): Promise<readonly Reload[]> => planned(scopeOf(given), given);

const units = {
  reloadManager: 'systemd',
  restartSocket: 'small.socket',
  restart: 'small.service',
  reloadWeb: 'nginx.service',
} as const;
type What = keyof typeof units;

const usual = {
  reloadManager: 'reload',
  restartSocket: 'restart',
  restart: 'restart',
  reloadWeb: 'reload',
} as const;
const step = (what: What, because: readonly string[], more: Partial<Reload> = {}): Reload => ({
  what,
  unit: units[what],
  because,
  how: usual[what],
  owedBy: [],
  ...more,
});
const manager = (...because: readonly string[]): Reload => step('reloadManager', because);
const service = (...because: readonly string[]): Reload => step('restart', because);
const socketUnit = (...because: readonly string[]): Reload => step('restartSocket', because);
const nginx = (...because: readonly string[]): Reload => step('reloadWeb', because);

const owes = (
  what: What,
  run: string,
  because: string,
  of: string = units[what],
): Memory['owed'][number] => ({
  what,
  unit: of,
  because: [because],
  run,
});
const stopped = { activeState: 'inactive' };

test('nothing is due where nothing changes, and all that runs is as it should be', async () => {
  expect(await reloads()).toEqual([]);
});

describe('a change is noticed', () => {
  const after = (...paths: readonly string[]): Promise<readonly Reload[]> =>
    reloads({ operations: paths.map((path) => change(path)) });

  test('by the programs that read the file', async () => {
    expect(await after(env)).toEqual([service(env)]);
    expect(await after(code)).toEqual([service(code)]);
    expect(await after(unit)).toEqual([manager(unit), service(unit)]);
    expect(await after(site)).toEqual([nginx(site)]);
  });

  test('by the service too where its socket unit changes, which takes the service with it', async () => {
    expect(await after(socket)).toEqual([manager(socket), socketUnit(socket), service('small.socket')]);
  });

  test('by each program once, with all reasons, in the order in which it has to happen', async () => {
    expect(await after(site, code, siteLink, env, socket, unit)).toEqual([
      manager(socket, unit),
      socketUnit(socket),
      service(code, env, unit),
      nginx(site, siteLink),
    ]);
  });

  test('in that order where the service follows its socket unit', async () => {
    expect(await after(site, socket)).toEqual([
      manager(socket),
      socketUnit(socket),
      service('small.socket'),
      nginx(site),
    ]);
  });

  test('by programs that do not run as they are started', async () => {
    const given = {
      operations: [change(socket), change(site)],
      units: { 'small.socket': stopped, 'small.service': stopped, 'nginx.service': null },
    };
    const started = { how: 'start' } as const;
    expect(await reloads(given)).toEqual([
      manager(socket),
      step('restartSocket', [socket, 'small.socket is not active'], started),
      step('restart', ['small.service is not running'], started),
      step('reloadWeb', [site, 'nginx.service is not running'], started),
    ]);
    expect(await reloads({ ...given, units: { 'small.service': stopped } })).toEqual([
      manager(socket),
      socketUnit(socket),
      step('restart', ['small.service is not running'], started),
      nginx(site),
    ]);
  });

  test('by systemd alone where nothing shall be started', async () => {
    const given = { operations: [change(socket), change(site), change(env)] };
    const scope = scopeOf(given);
    scope.state.start = false;
    expect(await planned(scope, given)).toEqual([manager(socket)]);
  });
});

describe('what becomes due with each path', () => {
  const operations = [
    change(env),
    change(unit),
    change(socket),
    change(siteLink, 'makeLink'),
    change('/usr/lib/small/link', 'removeFile'),
    change('/usr/lib/small/old.py', 'removeFile'),
    change('/etc/systemd/system/old.service', 'removeFile'),
    change('/etc/nginx/old.conf.mcp-new', 'removeFile'),
    change(`${unit}.mcp-new`),
    change(code, 'narrowMode'),
    change('/etc/small', 'makeDirectory'),
    change('/usr/lib/small/.left', 'removeLeftover'),
  ];
  const desired = { links: [link(siteLink, ['web']), link('/usr/lib/small/link', ['web'])] };
  const due = (what: What, path: string) => ({ what, unit: units[what], because: [path] });
  const [oldCode, oldUnit] = ['/usr/lib/small/old.py', '/etc/systemd/system/old.service'];

  test('is kept for when it is changed: what its owner says of it or, where nobody does, its place', async () => {
    const given = { operations, desired };
    const scope = scopeOf(given);
    scope.state.obligations.set('/etc/before', [due('restart', '/etc/before')]);
    await planned(scope, given);
    expect([...scope.state.obligations]).toEqual([
      [env, [due('restart', env)]],
      [unit, [due('reloadManager', unit), due('restart', unit)]],
      [socket, [due('reloadManager', socket), due('restartSocket', socket)]],
      [siteLink, [due('reloadWeb', siteLink)]],
      ['/usr/lib/small/link', [due('reloadWeb', '/usr/lib/small/link')]],
      [oldCode, [due('restart', oldCode)]],
      [oldUnit, [due('reloadManager', oldUnit)]],
      ['/etc/nginx/old.conf.mcp-new', []],
      [`${unit}.mcp-new`, []],
    ]);
  });

  test('is kept where nothing runs as well, though nothing is to be done', async () => {
    const given = { operations: [change(env)], units: { 'small.service': stopped } };
    const scope = scopeOf(given);
    scope.state.services = 'offline';
    expect(await planned(scope, given)).toEqual([]);
    expect([...scope.state.obligations]).toEqual([[env, [due('restart', env)]]]);
  });

  test('is nothing for a socket unit that the product does not have', async () => {
    const given = { operations: [change('/etc/x')], desired: { files: [file('/etc/x', ['socket'])] } };
    expect(await reloads(given)).toEqual([socketUnit('/etc/x'), service('small.socket')]);
    const without = scopeOf({ ...given, product: { socket: null } });
    expect(await planned(without, given)).toEqual([]);
    expect([...without.state.obligations]).toEqual([['/etc/x', []]]);
  });
});

describe('what interrupted runs owe', () => {
  const owed = [
    owes('reloadWeb', 'b', site),
    owes('restart', 'a', env),
    owes('restart', 'b', code),
    owes('restartSocket', 'a', socket),
    owes('restart', 'b', env),
    owes('reloadManager', 'a', socket),
  ];

  test('is done with the runs named, along with what this run makes due', async () => {
    expect(await reloads({ owed, operations: [change(unit)] })).toEqual([
      step('reloadManager', [unit, socket], { owedBy: ['a'] }),
      step('restartSocket', [socket], { owedBy: ['a'] }),
      step('restart', [unit, env, code], { owedBy: ['a', 'b'] }),
      step('reloadWeb', [site], { owedBy: ['b'] }),
    ]);
  });

  test('is left where it is about another product’s units, or about nginx where that is left alone', async () => {
    expect(await reloads({ owed: [owes('restart', 'a', '/x', 'other.service')] })).toEqual([]);
    expect(await reloads({ owed: [owed[0]!], desired: { web: null } })).toEqual([]);
  });
});

describe('a service is restarted', () => {
  const values = ['TOKEN=secret', 'PORT=8000'];
  const text = 'TOKEN=secret\nPORT=8000\nEXTRA=x\n';
  const after = { TOKEN: 'secret', PASSWORD: '' };

  test('where it does not run, or systemd does not know of it', async () => {
    const due = [step('restart', ['small.service is not running'], { how: 'start' })];
    expect(await reloads({ units: { 'small.service': stopped } })).toEqual(due);
    expect(await reloads({ units: { 'small.service': null } })).toEqual(due);
  });

  test('where a file that it reads is newer than it, and not for one that others read', async () => {
    expect(await reloads({ newer: [code, site, socket, unit] })).toEqual([service(code, unit)]);
    expect(await reloads({ newer: [code], units: { 'small.service': { startedUs: 0 } } })).toEqual([]);
  });

  test('where a secret of its process is another one, or is missing', async () => {
    expect(await reloads({ after, environment: values })).toEqual([]);
    expect(await reloads({ after, environment: ['TOKEN=older'] })).toEqual([service(env)]);
    expect(await reloads({ after, environment: ['PORT=8000'] })).toEqual([service(env)]);
    expect(await reloads({ after, environment: ['TOKEN=secret', 'PASSWORD=x'] })).toEqual([service(env)]);
  });

  test('where its process has other values than the env file, which was changed since', async () => {
    const given = { after, env: text, newer: [env] };
    expect(await reloads({ ...given, environment: [...values, 'EXTRA=x', 'HOME=/'] })).toEqual([]);
    expect(await reloads({ ...given, environment: values })).toEqual([service(env)]);
    expect(await reloads({ ...given, environment: [...values, 'EXTRA=y'] })).toEqual([service(env)]);
    expect(await reloads({ ...given, environment: [...values, 'EXTRA=x', 'NAME=x'] })).toEqual([
      service(env),
    ]);
  });

  test('not for other values than an older env file: a drop-in may set what it likes', async () => {
    const given = { after, environment: values, files: { [env]: text } };
    expect(await reloads({ ...given, env: text })).toEqual([]);
  });

  test('not for what cannot be told: no env file was read, or no process’s environment', async () => {
    expect(await reloads({ after, newer: [env], environment: values })).toEqual([]);
    expect(await reloads({ after, newer: [env], env: text })).toEqual([]);
  });

  test('with every reason once, the env file’s first', async () => {
    const given = { after, newer: [code], environment: [], operations: [change(code), change(env)] };
    expect(await reloads(given)).toEqual([service(code, env)]);
    expect(await reloads({ ...given, operations: [] })).toEqual([service(env, code)]);
  });
});

describe('a unit that runs on older unit files than those on disk', () => {
  const older = 'units on disk are newer than what systemd loaded';
  const dropIn = (name: string): string => `/etc/systemd/system/${name}.d/own.conf`;

  test('is loaded and restarted', async () => {
    expect(await reloads({ units: { 'small.service': { needsReload: true } } })).toEqual([
      manager(older),
      service(older),
    ]);
    expect(await reloads({ units: { 'small.socket': { needsReload: true } } })).toEqual([
      manager(older),
      socketUnit(older),
      service('small.socket'),
    ]);
  });

  test('is loaded and restarted for a drop-in that was added or taken away since', async () => {
    const [ofService, ofSocket] = [dropIn('small.service'), dropIn('small.socket')];
    expect(await reloads({ newer: [ofService] })).toEqual([manager(ofService), service(ofService)]);
    expect(await reloads({ newer: [ofSocket, ofService] })).toEqual([
      manager(ofService, ofSocket),
      socketUnit(ofSocket),
      service(ofService),
    ]);
    expect(await reloads({ files: { [ofService]: '', [ofSocket]: '' } })).toEqual([]);
    expect(await reloads({ units: { 'small.socket': { dropIns: [ofSocket] } } })).toEqual([
      manager(ofSocket),
      socketUnit(ofSocket),
      service('small.socket'),
    ]);
  });
});

describe('a socket unit is restarted', () => {
  test('where it is not active, or unknown, and then for no other reason', async () => {
    const due = [
      step('restartSocket', ['small.socket is not active'], { how: 'start' }),
      service('small.socket'),
    ];
    expect(await reloads({ units: { 'small.socket': null }, moves: true })).toEqual(due);
    expect(await reloads({ units: { 'small.socket': stopped } })).toEqual(due);
  });

  test('where it listens on another port', async () => {
    const elsewhere = 'small.socket does not listen on port 8000';
    expect(await reloads({ moves: true })).toEqual([socketUnit(elsewhere), service('small.socket')]);
    const older = 'units on disk are newer than what systemd loaded';
    expect(await reloads({ moves: true, units: { 'small.socket': { needsReload: true } } })).toEqual([
      manager(older),
      socketUnit(older, elsewhere),
      service('small.socket'),
    ]);
  });

  test('never of a product that has none', async () => {
    expect(await reloads({ product: { socket: null }, units: { 'small.socket': null } })).toEqual([]);
  });
});

describe('nginx is told', () => {
  test('to start where it does not run, unless it is left alone', async () => {
    const given = { units: { 'nginx.service': stopped } };
    expect(await reloads(given)).toEqual([
      step('reloadWeb', ['nginx.service is not running'], { how: 'start' }),
    ]);
    expect(await reloads({ ...given, desired: { web: null } })).toEqual([]);
    expect(await reloads({ desired: { web: null } })).toEqual([]);
  });

  test.each([
    ['answers with another marker', { body: 'older' }],
    ['does not answer', { ok: false, why: 'ECONNREFUSED' }],
  ] as const)('where it %s, but not for a site that a person keeps', async (_, answer) => {
    const older = 'nginx.service serves an older configuration';
    expect(await reloads({ answer })).toEqual([nginx(older)]);
    expect(await reloads({ answer, kept: [code] })).toEqual([nginx(older)]);
    expect(await reloads({ answer, kept: [site] })).toEqual([]);
    expect(await reloads({ answer, kept: [siteLink] })).toEqual([]);
  });

  test('of a change for that reason alone, whatever it serves until then', async () => {
    const given = { answer: { body: 'older' } };
    expect(await reloads({ ...given, operations: [change(site)] })).toEqual([nginx(site)]);
    expect(await reloads({ ...given, operations: [change(env)] })).toEqual([
      service(env),
      nginx('nginx.service serves an older configuration'),
    ]);
    expect(await reloads({ ...given, operations: [change(env), change(site)] })).toEqual([
      service(env),
      nginx(site),
    ]);
  });

  test('of a certificate that was renewed', async () => {
    const given = {
      desired: { web: { ...web, certificate } },
      files: { [certificate]: certificateText },
    };
    const { fingerprint256 } = new X509Certificate(certificateText);
    expect(await reloads({ ...given, answer: { certificate: fingerprint256 } })).toEqual([]);
    expect(await reloads({ ...given, answer: { certificate: 'AB:CD' } })).toEqual([
      nginx(`${certificate} is newer than what is served`),
    ]);
  });
});

describe('where nginx has to give up the service’s port, it goes first', () => {
  const owed = [owes('reloadWeb', 'a', site)];
  const web = step('reloadWeb', [site], { owedBy: ['a'] });
  const operations = [change(unit), change(socket)];

  test('after systemd has loaded what is new', async () => {
    const [one, two, three] = [manager(unit, socket), socketUnit(socket), service(unit)];
    expect(await reloads({ owed, operations, webOnPort: true })).toEqual([one, web, two, three]);
    expect(await reloads({ owed, operations })).toEqual([one, two, three, web]);
    expect(await reloads({ owed, operations: [change(socket)], webOnPort: true })).toEqual([
      manager(socket),
      web,
      two,
      service('small.socket'),
    ]);
  });

  test('also before a service that listens by itself', async () => {
    const given = { owed, operations: [change(env)], product: { socket: null } };
    expect(await reloads({ ...given, webOnPort: true })).toEqual([web, service(env)]);
    expect(await reloads(given)).toEqual([service(env), web]);
  });

  test('not where the site on disk does not name that port', async () => {
    const given = { operations: [change(site), change(env)], webOnPort: true };
    const naming = (port: number) => ({ files: { [site]: `listen 127.0.0.1:${port};` } });
    expect(await reloads({ ...given, ...naming(8000) })).toEqual([nginx(site), service(env)]);
    expect(await reloads({ ...given, ...naming(9000) })).toEqual([service(env), nginx(site)]);
  });

  test('where a link stands in the site’s place it is followed, and is no reason to refuse anything', async () => {
    const given = { files: { '/etc/nginx/sites-available/own.conf': 'listen 8000;' }, webOnPort: true };
    const linked = async (changed: readonly string[]): Promise<readonly Reload[]> => {
      const scope = scopeOf(given);
      await scope.host.makeLink(site, 'own.conf', null);
      return planned(scope, { operations: changed.map((path) => change(path)) });
    };
    expect(await linked([env])).toEqual([service(env)]);
    expect(await linked([env, site])).toEqual([nginx(site), service(env)]);
  });
});
