/** A port that is about to be used has to be free, or in the hands of whom it should be; what is used already is not looked at. */
import { describe, expect, test } from 'vitest';
import { toPublicError } from '../../../src/errors.ts';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import type { Host } from '../../../src/effects/host/port.ts';
import { checkPorts, socketIsElsewhere, webGivesPortUp } from '../../../src/effects/plan/ports.ts';
import type { Scope } from '../../../src/effects/scope.ts';
import type { UnitStatus } from '../../../src/effects/units.ts';
import type { Operation } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import type { Desired, Product, WebProbe } from '../../../src/products/product.ts';
import { emptyScope, runningUnit } from '../../support/scope.ts';
import { nothingDesired, smallFiles, smallProduct } from '../../support/small-product.ts';

interface Listening {
  readonly pid: number;
  readonly port: number;
  readonly address?: string;
  /** Whose process it is. */
  readonly unit?: string;
}

/** The address as /proc writes it. */
const hexOf = (address: string): string =>
  address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();

const groupOf = (unit: string): string => `/system.slice/${unit}`;

/** A picture of /proc with these programs in it. */
function hostOf(listening: readonly Listening[], site: string | null): Host {
  const rows = listening.map(
    ({ port, address = '127.0.0.1' }, at) =>
      ` ${at}: ${hexOf(address)}:${port.toString(16).toUpperCase().padStart(4, '0')} 0:0 0A 0:0 0:0 0 0 0 ${at} 1 0\n`,
  );
  const pids = [...new Set([1, ...listening.map(({ pid }) => pid)])];
  const system = new Map<string, string>([
    ['/proc/net/tcp', `head\n${rows.join('')}`],
    ...pids.map((pid) => [`/proc/${pid}/comm`, `program-${pid}\n`] as const),
    ...listening.flatMap(({ pid, unit }) =>
      unit === undefined ? [] : [[`/proc/${pid}/cgroup`, `0::${groupOf(unit)}\n`] as const],
    ),
  ]);
  const own = (pid: string): readonly string[] =>
    listening.flatMap((each, at) => (String(each.pid) === pid ? [String(at)] : []));
  return {
    ...createMemoryHost(site === null ? {} : { files: { [smallFiles.site]: site } }),
    readSystem: (path) => (system.has(path) ? Buffer.from(system.get(path)!) : null),
    listSystem: (path) => (path === '/proc' ? pids.map(String) : own(path.split('/')[2]!)),
    linkSystem: (path) => `socket:[${path.split('/')[4]!}]`,
  };
}

interface Case {
  readonly listening?: readonly Listening[];
  readonly running?: readonly string[];
  /** Where the socket unit listens. */
  readonly listens?: readonly string[];
  readonly product?: Partial<Product>;
  readonly site?: string | null;
  readonly owed?: Memory['owed'];
  readonly settings?: Readonly<Record<string, string>>;
}

function scopeOf(given: Case): Scope {
  const { listening = [], running = [], listens = [], site = null, owed = [] } = given;
  const scope = emptyScope({
    host: hostOf(listening, site),
    product: smallProduct(given.product),
    memory: () => ({ ...emptyMemory, owed }),
  });
  const units = ['small.service', 'small.socket', 'nginx.service'];
  scope.state.services = 'live';
  scope.state.settings = given.settings ?? { PORT: '8000' };
  scope.state.unitsBefore = new Map(
    units.map((unit): [string, UnitStatus] => [
      unit,
      {
        ...runningUnit(unit),
        activeState: running.includes(unit) ? 'active' : 'inactive',
        controlGroup: groupOf(unit),
        listens: unit === 'small.socket' ? listens : [],
      },
    ]),
  );
  return scope;
}

const web: WebProbe = {
  port: 8080,
  serverName: null,
  tls: false,
  markerPath: '/marker',
  marker: 'x',
  site: smallFiles.site,
  showsMarker: () => true,
  certificate: null,
  healthStatus: 200,
};
const withWeb: Desired = { ...nothingDesired, web };

const change = (path: string): Operation => ({
  kind: 'writeFile',
  path,
  role: '',
  action: 'replace',
  before: null,
  after: null,
  detail: [],
  because: null,
});

interface Planned {
  readonly desired?: Desired;
  readonly changes?: readonly string[];
  readonly moves?: boolean;
}

/** null where nothing is in the way. */
function refusal(
  scope: Scope,
  { desired = nothingDesired, changes = [], moves = false }: Planned = {},
): unknown {
  try {
    checkPorts(scope, desired, changes.map(change), moves);
    return null;
  } catch (error) {
    return toPublicError(error);
  }
}

const taken = (port: number, pid: number, remedy: string, address = '127.0.0.1') => ({
  code: 'E_PORT_TAKEN',
  message: `Port ${port} on ${address} is in use by program-${pid} (process ${pid}).`,
  remedy,
});
const foreign: Listening = { pid: 50, port: 8000 };
const nginx: Listening = { pid: 60, port: 8000, unit: 'nginx.service' };
const takenByForeign = taken(8000, 50, 'Stop that program, or choose another port with --port.');
const takenByNginx = taken(8000, 60, 'Stop that program, or choose another port with --port.');

describe('the service’s port', () => {
  test('may be free, and must not be a stranger’s', () => {
    expect(refusal(scopeOf({}))).toBeNull();
    expect(refusal(scopeOf({ listening: [{ ...foreign, port: 8001 }] }))).toBeNull();
    expect(refusal(scopeOf({ listening: [foreign] }))).toEqual(takenByForeign);
  });

  test('is not looked at where nothing runs, or where the service listens nowhere', () => {
    const scope = scopeOf({ listening: [foreign] });
    scope.state.services = 'offline';
    expect(refusal(scope)).toBeNull();
    expect(refusal(scopeOf({ listening: [foreign], settings: {} }))).toBeNull();
  });

  test('is told without an option where no setting holds it', () => {
    const product = { listenPort: () => 8000 };
    expect(refusal(scopeOf({ listening: [foreign], product, settings: { NAME: 'x' } }))).toEqual(
      taken(8000, 50, 'Stop that program.'),
    );
  });

  test('may be in the hands of the service itself, and of nobody beside it', () => {
    const own = { pid: 40, port: 8000, unit: 'small.service' };
    expect(refusal(scopeOf({ listening: [own] }))).toBeNull();
    expect(refusal(scopeOf({ listening: [own, foreign] }))).toEqual(takenByForeign);
  });

  test('may be in systemd’s hands where the socket unit is to listen there', () => {
    const listening = [{ pid: 1, port: 8000 }];
    const systemd = taken(8000, 1, 'Stop that program, or choose another port with --port.');
    expect(refusal(scopeOf({ listening, listens: ['127.0.0.1:9000', '127.0.0.1:8000'] }))).toBeNull();
    expect(refusal(scopeOf({ listening, listens: ['127.0.0.1:9000', '127.0.0.1:18000'] }))).toEqual(systemd);
    expect(refusal(scopeOf({ listening, product: { socket: null } }))).toEqual(systemd);
    expect(refusal(scopeOf({ listening: [foreign], listens: ['127.0.0.1:8000'] }))).toEqual(takenByForeign);
  });
});

describe('a port that is kept is not looked at:', () => {
  const listening = [foreign];
  const ends = (given: Case, planned: Planned = {}): boolean =>
    refusal(scopeOf({ listening, ...given }), planned) === null;
  const unitFiles = { socket: smallFiles.socket, service: smallFiles.unit };

  test('a socket unit that runs holds it, whatever becomes of the service', () => {
    const running = ['small.socket'];
    expect(ends({ running })).toBe(true);
    expect(ends({ running }, { changes: [smallFiles.env, unitFiles.service] })).toBe(true);
    expect(ends({ running }, { changes: ['/etc/x', unitFiles.socket] })).toBe(false);
    expect(ends({ running }, { moves: true })).toBe(false);
    expect(ends({ running: ['small.service'] })).toBe(false);
  });

  test('a service that listens by itself holds it until it is started anew', () => {
    const running = ['small.service'];
    const product = { socket: null };
    expect(ends({ running, product })).toBe(true);
    expect(ends({ running, product }, { changes: [unitFiles.socket] })).toBe(true);
    expect(ends({ running, product }, { changes: [smallFiles.env] })).toBe(false);
    expect(ends({ running, product }, { changes: [unitFiles.service] })).toBe(false);
    expect(ends({ running: ['small.socket'], product })).toBe(false);
  });
});

describe('a port that nginx holds', () => {
  const site = 'server {\n  listen 127.0.0.1:8000;\n}\n';
  const changes = [smallFiles.site];
  const owed = [{ what: 'reloadWeb', unit: 'nginx.service', because: [], run: 'x' }] as const;
  const gives = (given: Case, planned: Planned = {}): boolean =>
    webGivesPortUp(
      scopeOf({ listening: [nginx], site, ...given }),
      planned.desired ?? withWeb,
      (planned.changes ?? []).map(change),
    );

  test('is given up where the site that is about to change names it', () => {
    expect(gives({}, { changes })).toBe(true);
    expect(gives({ listening: [foreign, nginx] }, { changes: ['/etc/x', ...changes] })).toBe(true);
    expect(gives({ site: 'listen [::1]:80; listen 8000 default_server;\n' }, { changes })).toBe(false);
    expect(gives({ site: 'listen 8000;' }, { changes })).toBe(true);
  });

  test('is given up where an earlier run changed the site and has not told nginx', () => {
    expect(gives({ owed, site: null })).toBe(true);
    expect(gives({ owed: [{ ...owed[0], what: 'restart' }, ...owed], site: null })).toBe(true);
    expect(gives({ owed: [{ ...owed[0], what: 'restart' }] })).toBe(false);
  });

  test('is not where the site stays, is missing or names another one', () => {
    expect(gives({})).toBe(false);
    expect(gives({ site: null }, { changes })).toBe(false);
    for (const other of ['18000', '80000', '9000; # 8000'])
      expect(gives({ site: site.replace('8000', other) }, { changes })).toBe(false);
    expect(gives({ site: '# listen 8000;' }, { changes })).toBe(false);
  });

  test('is not where nobody wants a site or a port, or nginx does not hold it', () => {
    expect(gives({ owed }, { desired: nothingDesired })).toBe(false);
    expect(gives({ owed, settings: {} })).toBe(false);
    expect(gives({ owed, listening: [foreign] })).toBe(false);
    expect(gives({ owed, listening: [{ ...nginx, port: 80 }] })).toBe(false);
  });

  test('may be taken by the service once it is given up, and by nobody before', () => {
    const running = ['nginx.service'];
    const planned = { desired: withWeb, changes };
    expect(refusal(scopeOf({ listening: [nginx], site, running }), planned)).toBeNull();
    expect(refusal(scopeOf({ listening: [nginx], site, running }), { desired: withWeb })).toEqual(
      takenByNginx,
    );
    expect(refusal(scopeOf({ listening: [foreign, nginx], site, running }), planned)).toEqual(takenByForeign);
    expect(refusal(scopeOf({ listening: [nginx, foreign], site, running }), planned)).toEqual(takenByNginx);
  });
});

describe('the site’s port', () => {
  const running = ['nginx.service', 'small.socket'];
  const stranger = { pid: 50, port: 8080 };
  const changes = [smallFiles.site];
  const plain = 'Stop that program, or choose another port with --port.';
  const words =
    'Stop that program; or, if it is a web server that shall stay, let it pass requests on to the service and use --no-nginx with --public-url.';
  const named: Desired = { ...withWeb, web: { ...web, serverName: 'small.example.org' } };

  test('must not be a stranger’s where the site changes, or nginx is about to be started', () => {
    const listening = [stranger];
    const refused = taken(8080, 50, plain);
    expect(refusal(scopeOf({ listening, running }), { desired: withWeb, changes })).toEqual(refused);
    expect(refusal(scopeOf({ listening, running: ['small.socket'] }), { desired: withWeb })).toEqual(refused);
    expect(refusal(scopeOf({ listening, running }), { desired: withWeb })).toBeNull();
    expect(refusal(scopeOf({ listening, running }), { changes })).toBeNull();
  });

  test('may be nginx’s, the service’s or the socket’s, which is about to move away', () => {
    const planned = { desired: withWeb, changes };
    for (const unit of ['nginx.service', 'small.service'])
      expect(refusal(scopeOf({ listening: [{ ...stranger, unit }], running }), planned)).toBeNull();
    const listening = [{ pid: 1, port: 8080 }];
    expect(refusal(scopeOf({ listening, running, listens: ['127.0.0.1:8080'] }), planned)).toBeNull();
    expect(refusal(scopeOf({ listening, running }), planned)).toEqual(taken(8080, 1, plain));
    const both = [{ ...stranger, unit: 'nginx.service', pid: 60 }, stranger];
    expect(refusal(scopeOf({ listening: both, running }), planned)).toEqual(taken(8080, 50, plain));
  });

  test('is in the way on any address where the site has a name, with another way out', () => {
    const listening = [{ ...stranger, address: '127.0.0.2' }];
    expect(refusal(scopeOf({ listening, running }), { desired: withWeb, changes })).toBeNull();
    expect(refusal(scopeOf({ listening, running }), { desired: named, changes })).toEqual(
      taken(8080, 50, words, '127.0.0.2'),
    );
  });
});

describe('a socket unit is elsewhere', () => {
  const running = ['small.socket'];
  const at = (port: number, pid = 1): readonly Listening[] => [{ pid, port }];

  test('where it runs and systemd does not listen on its port', () => {
    expect(socketIsElsewhere(scopeOf({ running, listening: at(9000) }))).toBe(true);
    expect(socketIsElsewhere(scopeOf({ running, listening: at(8000, 50) }))).toBe(true);
    expect(socketIsElsewhere(scopeOf({ running, listening: at(8000) }))).toBe(false);
  });

  test('not where it does not run, there is none, or nothing listens', () => {
    expect(socketIsElsewhere(scopeOf({ listening: at(9000) }))).toBe(false);
    expect(socketIsElsewhere(scopeOf({ running, product: { socket: null }, listening: at(9000) }))).toBe(
      false,
    );
    expect(socketIsElsewhere(scopeOf({ running, settings: {}, listening: at(9000) }))).toBe(false);
  });

  test('not where nobody may look at what systemd holds', () => {
    const scope = scopeOf({ running, listening: at(9000) });
    const host: Host = { ...scope.host, listSystem: (path) => (path === '/proc/1/fd' ? null : []) };
    expect(socketIsElsewhere({ ...scope, host })).toBe(false);
  });
});
