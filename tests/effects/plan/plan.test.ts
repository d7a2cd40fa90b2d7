/** All that is about to change before anything does: what is planned, asked and told, and what is refused instead. */
import { describe, expect, test } from 'vitest';
import { createMemoryHost } from '../../../src/effects/host/memory.ts';
import type { Command, CommandResult, Host } from '../../../src/effects/host/port.ts';
import { sha256 } from '../../../src/effects/identity.ts';
import { plan } from '../../../src/effects/plan.ts';
import { planHash } from '../../../src/effects/plan/hash.ts';
import type { Progress, Scope } from '../../../src/effects/scope.ts';
import { tools } from '../../../src/effects/tools.ts';
import type { UnitStatus } from '../../../src/effects/units.ts';
import { parsedEnv } from '../../../src/effects/env-parsed.ts';
import { defaultRequest } from '../../../src/machines/request.ts';
import type { Answers, Mode, Note, Plan, Request, SecretReport } from '../../../src/machines/types.ts';
import { emptyMemory, type Memory } from '../../../src/memory.ts';
import { createMcpOauthProxy } from '../../../src/products/mcp-oauth-proxy/index.ts';
import type { Desired, DesiredFile, DesiredLink, Product, WebProbe } from '../../../src/products/product.ts';
import { emptyScope, runningUnit } from '../../support/scope.ts';
import { nothingDesired, smallFiles, smallProduct } from '../../support/small-product.ts';

const { env, code, site, siteLink } = smallFiles;

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly desired?: Partial<Desired>;
  readonly product?: Partial<Product>;
  readonly memory?: Partial<Memory>;
  readonly env?: string;
  readonly secrets?: readonly (readonly [string, SecretReport['origin']])[];
  readonly before?: ReadonlyMap<string, string>;
  /** Units as systemd tells of them; none: nothing runs here. */
  readonly units?: readonly UnitStatus[];
  readonly installed?: readonly string[];
  /** What systemd says of whether nginx is enabled. */
  readonly enabled?: string;
}

interface Made {
  readonly scope: Scope;
  readonly told: readonly Progress[];
  readonly asked: readonly Command[];
}

function made(given: Given = {}): Made {
  const told: Progress[] = [];
  const asked: Command[] = [];
  const answer = (stdout: string): CommandResult => ({ exitCode: 0, stdout, stderr: '' });
  const command = (each: Command): CommandResult => {
    asked.push(each);
    if (each.file === tools.dpkgQuery)
      return answer((given.installed ?? []).map((name) => `${name} installed\n`).join(''));
    return answer(`${given.enabled ?? ''}\n`);
  };
  const product = smallProduct({
    desired: ({ settings }) => ({ ok: true, desired: { ...nothingDesired, settings, ...given.desired } }),
    ...given.product,
  });
  const scope = emptyScope({
    host: { ...createMemoryHost({ files: given.files ?? {}, command }), root: given.root ?? '/' },
    product,
    memory: () => ({ ...emptyMemory, ...given.memory }),
    notify: (progress) => void told.push(progress),
  });
  scope.state.secrets = (given.secrets ?? []).map(([name, origin]) => ({ name, origin, fingerprint: '' }));
  scope.state.after = new Map([['TOKEN', 't']]);
  scope.state.before = given.before ?? new Map();
  if (given.env !== undefined) {
    const bytes = Buffer.from(given.env);
    const identity = { type: 'file', hash: null, mode: 0o600, uid: 0, gid: 0 } as const;
    scope.state.env = { bytes, identity, file: parsedEnv(product, bytes) };
  }
  if (given.units !== undefined) {
    scope.state.services = 'live';
    scope.state.unitsBefore = new Map(given.units.map((unit) => [unit.unit, unit]));
  }
  return { scope, told, asked };
}

const noAnswers: Answers = { answered: [], settings: {}, edits: null };
const installed = { env: 'TOKEN=t\n', secrets: [['TOKEN', 'preserved']] } as const;

const outcome = (
  { scope }: Made,
  request: Partial<Request> = {},
  mode: Mode = 'existing',
  answers: Partial<Answers> = {},
) => plan(scope, { ...defaultRequest('small'), ...request }, mode, { ...noAnswers, ...answers });

async function planned(...args: Parameters<typeof outcome>): Promise<Plan> {
  const found = await outcome(...args);
  if (found.kind === 'planned') return found.plan;
  throw new Error(found.error.message);
}

/** Code and message; null where it is none. */
async function refusal(...args: Parameters<typeof outcome>): Promise<readonly [string, string] | null> {
  const found = await outcome(...args);
  return found.kind === 'planned' ? null : [found.error.code, found.error.message];
}

const file: DesiredFile = {
  path: site,
  mode: 0o644,
  role: 'site',
  content: Buffer.from('ours\n'),
  affects: ['web'],
  unknown: 'ask',
};
const link: DesiredLink = { path: siteLink, target: site, role: 'site', affects: ['web'], unknown: 'keep' };
const web: WebProbe = {
  port: 8080,
  serverName: null,
  tls: false,
  markerPath: '/marker',
  marker: 'x',
  site,
  showsMarker: () => true,
  certificate: '/etc/ssl/small.pem',
  healthStatus: 200,
};

describe('a plan', () => {
  test('of a host that is as it should be is empty', async () => {
    const { scope, told } = made(installed);
    expect(await planned({ scope, told, asked: [] })).toEqual({
      hash: planHash([], [], { masked: '', settings: { PORT: '8000' } }),
      operations: [],
      reloads: [],
      questions: [],
      notes: [],
      settings: { PORT: '8000' },
    });
    expect(told).toEqual([{ type: 'changes', changes: [] }]);
  });

  test('of a fresh one has a name that tells of the env file by its masked text, and is told as it is shown', async () => {
    const one = made({ secrets: [['TOKEN', 'generated']] });
    const { hash, operations, reloads } = await planned(one, {}, 'fresh');
    const masked = 'TOKEN=<generated>\nPORT=<setting in force>\n';
    expect(operations.map(({ path }) => path)).toEqual([env]);
    expect(hash).toBe(planHash(operations, reloads, { masked, settings: { PORT: '8000' } }));
    expect(one.told).toEqual([{ type: 'changes', changes: [{ path: env, before: '', after: masked }] }]);
  });

  test('asks the product with the settings in force, those given for this run, and the code', async () => {
    const inputs: unknown[] = [];
    const product: Partial<Product> = {
      desired: ({ settings, given, code: bytes, view }) => {
        inputs.push([settings, given, Buffer.from(bytes).toString(), view.exists('/etc/x')]);
        return { ok: true, desired: { ...nothingDesired, settings: { ...settings, PORT: '1' } } };
      },
    };
    const { scope } = made({ ...installed, env: 'TOKEN=t\nPORT=9000\n', product, files: { '/etc/x': '' } });
    const request = { settings: { NAME: 'me', QUIET: '1' } };
    const found = await planned({ scope, told: [], asked: [] }, request, 'existing', {
      settings: { NAME: 'you' },
    });
    expect(inputs).toEqual([
      [{ PORT: '9000', NAME: 'YOU', QUIET: '1' }, { NAME: 'you', QUIET: '1' }, '# bundled\n', true],
    ]);
    // In force is what the product says.
    const settings = { PORT: '1', NAME: 'YOU', QUIET: '1' };
    expect([found.settings, scope.state.settings, scope.state.desired?.settings]).toEqual([
      settings,
      settings,
      settings,
    ]);
  });

  test('leaves for the effects after it what is kept, forgotten and taken for the source', async () => {
    const memory = { baselines: { [site]: [sha256('ours\n')], '/etc/gone': ['x'] } };
    const { scope } = made({
      ...installed,
      desired: { files: [file] },
      files: { [site]: 'theirs\n' },
      memory,
    });
    const own = { ...scope, source: Buffer.from('# own\n') };
    await planned({ scope: own, told: [], asked: [] }, { source: 'file' });
    const { kept, forgotten, source } = own.state;
    expect({ kept, forgotten, source }).toEqual({
      kept: [{ path: site, offered: sha256('ours\n') }],
      forgotten: [{ path: '/etc/gone', baselines: [] }],
      source: 'file',
    });
  });

  test('tells everything that there is to tell, in one order', async () => {
    const note = (name: string): Note => ({ code: name, level: 'info', text: name });
    const own = sha256('# own\n');
    const found = await planned(
      made({
        ...installed,
        root: '/srv/image',
        files: { [code]: '# own\n', [site]: 'theirs\n' },
        units: ['small.service', 'small.socket', 'nginx.service'].map(runningUnit),
        enabled: 'disabled',
        desired: {
          files: [{ ...file, unknown: 'keep' }],
          packages: ['nginx'],
          web,
          notes: [note('desired')],
        },
        product: { settingsChanged: () => [note('changed')] },
        memory: {
          installer: '1.0.0',
          sourcesSupplied: [own],
          baselines: { [code]: [own] },
          owed: [
            { what: 'reloadManager', unit: 'systemd', because: ['x'], run: 'a' },
            {
              what: 'reloadWeb',
              unit: 'nginx.service',
              because: ['y', '/etc/ssl/small.pem is newer than what is served'],
              run: 'a',
            },
          ],
        },
      }),
      { checks: true },
    );
    expect(found.notes.map(({ code: name }) => name)).toEqual([
      'source-kept',
      'packages-named',
      'desired',
      'changed',
      'web-not-enabled',
      'edit-kept',
      'certificate-renewed',
    ]);
    expect(
      found.notes.filter(({ code: name }) => ['certificate-renewed', 'packages-named'].includes(name)),
    ).toEqual([
      {
        code: 'packages-named',
        level: 'info',
        text: 'Packages missing below /srv/image, only named here: nginx',
      },
      {
        code: 'certificate-renewed',
        level: 'info',
        text: '/etc/ssl/small.pem was renewed, and the web server still serves the old one: it is reloaded.',
      },
    ]);
  });

  test('tells of no renewal where the web server is told for another reason, or there is none', async () => {
    const owed = [{ what: 'reloadWeb', unit: 'nginx.service', because: ['y'], run: 'a' }] as const;
    const units = ['small.service', 'small.socket', 'nginx.service'].map(runningUnit);
    const changed = { ...installed, units, memory: { owed }, enabled: 'enabled' };
    expect((await planned(made({ ...changed, desired: { web } }), { checks: false })).notes).toEqual([]);
    expect((await planned(made({ ...changed }), { checks: false })).notes).toEqual([]);
  });
});

describe('what is refused:', () => {
  const memoryOf = (other: Partial<Memory>): Partial<Memory> => ({
    others: { other: { ...emptyMemory, ...other } },
  });
  const claimed = (path: string) => [
    'E_PATH_CLAIMED',
    `${path} belongs to other, which is installed on this host too.`,
  ];

  test('what the product refuses', async () => {
    const product: Partial<Product> = {
      desired: () => ({ ok: false, code: 'E_TLS_LOST', values: { path: '/etc/ssl/x' } }),
    };
    expect(await refusal(made({ ...installed, product }))).toEqual([
      'E_TLS_LOST',
      'The site is served with TLS, but its certificate is gone: /etc/ssl/x.',
    ]);
  });

  test('a path that another product has written, be it a file or a link', async () => {
    const desired = { files: [file], links: [link] };
    for (const path of [site, siteLink])
      expect(
        await refusal(made({ ...installed, desired, memory: memoryOf({ baselines: { [path]: ['x'] } }) })),
      ).toEqual(claimed(path));
    const elsewhere = memoryOf({ baselines: { '/etc/else': ['x'] } });
    expect(await refusal(made({ ...installed, desired, memory: elsewhere }))).toBeNull();
  });

  test('an env file that holds the secrets of another product', async () => {
    const claim = (secretsMade: boolean, envFile: string): Promise<unknown> =>
      refusal(made({ ...installed, memory: memoryOf({ secretsMade, envFile }) }));
    expect(await claim(true, env)).toEqual(claimed(env));
    expect(await claim(false, env)).toBeNull();
    expect(await claim(true, '/etc/other/.env')).toBeNull();
  });

  test('what another installation beside this one has taken', async () => {
    const beside = {
      '/etc/mcp-oauth-proxy/.env': 'MCP_TOKEN=x\nLISTEN_PORT=9000\n',
      '/etc/systemd/system/mcp-oauth-proxy.service': '',
    };
    const { scope } = made({ files: beside });
    const instance = { ...scope, product: createMcpOauthProxy('b') };
    const found = await plan(
      instance,
      { ...defaultRequest('x'), checks: false, settings: { LISTEN_PORT: '9000' } },
      'fresh',
      noAnswers,
    );
    expect(found).toMatchObject({ kind: 'refused', error: { code: 'E_INSTANCE_CLASH' } });
  });

  test('a conflict where nobody can be asked, naming each file and one that breaks others', async () => {
    const files = { [site]: 'theirs\n', '/etc/a': 'theirs\n', '/etc/b': 'theirs\n' };
    const broken = { ...file, tunable: true, satisfiedBy: () => false };
    const desired = { files: [file, { ...broken, path: '/etc/a' }, { ...broken, path: '/etc/b' }] };
    expect(await refusal(made({ ...installed, files, desired: { files: [file] } }))).toEqual([
      'E_EDIT_CONFLICT',
      `Someone edited ${site}, and the installer has a change for it too.`,
    ]);
    expect(await refusal(made({ ...installed, files, desired }))).toEqual([
      'E_EDIT_CONFLICT',
      `Someone edited ${site}, /etc/a, /etc/b, and /etc/a lacks what others of the installer's files rely on.`,
    ]);
  });

  test('a port that is taken, unless nobody looks', async () => {
    const { scope } = made({ ...installed, units: [runningUnit('small.service')] });
    const host: Host = {
      ...scope.host,
      readSystem: (path) =>
        path === '/proc/net/tcp' ? Buffer.from('head\n 0: 0100007F:1F40 0:0 0A 0:0 0:0 0 0 0 5 1 0\n') : null,
      listSystem: (path) => (path === '/proc' ? ['50'] : ['3']),
      linkSystem: () => 'socket:[5]',
    };
    const taken = { scope: { ...scope, host }, told: [], asked: [] };
    expect(await refusal(taken)).toEqual([
      'E_PORT_TAKEN',
      'Port 8000 on 127.0.0.1 is in use by a process (process 50).',
    ]);
    expect(await refusal(taken, { checks: false })).toBeNull();
  });

  test('but a bug stays one', async () => {
    const product: Partial<Product> = {
      desired: () => {
        throw new Error('a bug');
      },
    };
    await expect(outcome(made({ ...installed, product }))).rejects.toThrow('a bug');
  });
});

describe('packages', () => {
  const desired = { packages: ['nginx', 'python3'] };

  test('that are missing are installed, and asked for by name', async () => {
    const found = await planned(made({ ...installed, desired, installed: ['python3'] }));
    expect(found.operations.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['installPackages', ['nginx']],
    ]);
    expect([found.questions, found.notes]).toEqual([
      [{ id: 'packages', text: 'These packages are missing and would be installed', subjects: ['nginx'] }],
      [],
    ]);
  });

  test('that are there are nothing to do, may they be installed or not', async () => {
    for (const packages of [true, false]) {
      const found = await planned(made({ ...installed, desired, installed: ['python3', 'nginx'] }), {
        packages,
      });
      expect([found.operations, found.questions, found.notes]).toEqual([[], [], []]);
    }
    const below = made({ ...installed, desired, installed: ['python3', 'nginx'], root: '/srv/image' });
    expect((await planned(below)).notes).toEqual([]);
  });

  test('that are missing are refused where they may not be installed', async () => {
    expect(await refusal(made({ ...installed, desired }), { packages: false })).toEqual([
      'E_PACKAGES_MISSING',
      'These packages are missing: nginx python3.',
    ]);
  });

  test('below another root are named, and neither installed nor refused', async () => {
    const found = await planned(made({ ...installed, desired, root: '/srv/image' }), { packages: false });
    expect([found.operations, found.questions, found.notes]).toEqual([
      [],
      [],
      [
        {
          code: 'packages-named',
          level: 'info',
          text: 'Packages missing below /srv/image, only named here: nginx python3',
        },
      ],
    ]);
  });

  test('are not looked for where nobody looks', async () => {
    const one = made({ ...installed, desired });
    const found = await planned(one, { checks: false, packages: false });
    expect([found.operations, one.asked]).toEqual([[], []]);
  });
});

describe('the web server', () => {
  const nginx = runningUnit('nginx.service');
  const own = ['small.service', 'small.socket'].map(runningUnit);
  const quiet = { checks: false };
  const wanted = { ...installed, desired: { web } };
  const warning = {
    code: 'web-not-enabled',
    level: 'warning',
    text: 'nginx.service is not enabled: after the next boot nothing is served. To enable it: systemctl enable nginx.service',
  };

  test('that would not come back by itself is told', async () => {
    const one = made({ ...wanted, units: [...own, nginx], enabled: ' disabled ' });
    expect((await planned(one, quiet)).notes).toEqual([warning]);
    expect(one.asked).toEqual([
      { file: tools.systemctl, args: ['is-enabled', 'nginx.service'], timeout: 15_000 },
    ]);
  });

  test.each(['enabled', 'static', ''])('that is %j as systemd says is not', async (enabled) => {
    expect((await planned(made({ ...wanted, units: [...own, nginx], enabled }), quiet)).notes).toEqual([]);
  });

  test('is not asked for where a link enables it, or it is not there', async () => {
    const files = { '/etc/systemd/system/multi-user.target.wants/nginx.service': '' };
    const missing = { ...nginx, loadState: 'not-found' };
    for (const one of [
      made({ ...wanted, units: [...own, nginx], enabled: 'disabled', files }),
      made({ ...wanted, units: [...own, missing], enabled: 'disabled' }),
      made({ ...wanted, units: own, enabled: 'disabled' }),
    ])
      expect([(await planned(one, quiet)).notes, one.asked]).toEqual([[], []]);
  });

  test('that is masked is refused where it is wanted on a host that runs, and nowhere else', async () => {
    const masked = [...own, { ...nginx, loadState: 'masked' }];
    expect(await refusal(made({ ...wanted, units: masked }), quiet)).toEqual([
      'E_UNIT_MASKED',
      'The unit nginx.service is masked.',
    ]);
    expect(await refusal(made({ ...installed, units: masked }), quiet)).toBeNull();
    const { scope } = made({ ...wanted, units: masked });
    scope.state.services = 'offline';
    expect(await refusal({ scope, told: [], asked: [] }, quiet)).toBeNull();
  });
});

describe('a person is asked', () => {
  const ask = { ask: true };
  const questions = async (...args: Parameters<typeof outcome>): Promise<Plan['questions']> =>
    (await planned(...args)).questions;

  test('on a fresh host for what the product asks for and nobody has given', async () => {
    const product = { askFor: ['PORT', 'NAME'] };
    const text = 'What a fresh installation needs to know';
    expect(await questions(made({ product }), ask, 'fresh')).toEqual([
      { id: 'settings', text, subjects: ['PORT', 'NAME'] },
    ]);
    expect(await questions(made({ product }), { settings: { PORT: '1' } }, 'fresh')).toEqual([
      { id: 'settings', text, subjects: ['NAME'] },
    ]);
    expect(await questions(made({ product }), { settings: { PORT: '1', NAME: 'x' } }, 'fresh')).toEqual([]);
    expect(await questions(made({ ...installed, product }), ask)).toEqual([]);
  });

  test('about edits that meet a change of ours, and what was answered is done', async () => {
    const given = { ...installed, files: { [site]: 'theirs\n' }, desired: { files: [file] } };
    expect(await questions(made(given), ask)).toEqual([
      {
        id: 'edits',
        text: 'These files were edited by a person, and there is a newer version',
        subjects: [site],
      },
    ]);
    const answered = await planned(made(given), ask, 'existing', { edits: 'replace' });
    expect([answered.questions, answered.operations.map(({ path }) => path)]).toEqual([[], [site]]);
    const kept = await planned(made(given), { ...ask, edits: 'replace' }, 'existing', { edits: 'keep' });
    expect(kept.operations.map(({ path }) => path)).toEqual([`${site}.mcp-new`]);
  });

  test('before secrets are replaced, and told whom to tell', async () => {
    const secrets = [
      ['TOKEN', 'rotated'],
      ['KEY', 'supplied'],
      ['PASSWORD', 'preserved'],
      ['OTHER', 'rotated'],
    ] as const;
    const before = new Map([['KEY', 'k']]);
    expect(await questions(made({ ...installed, secrets, before }), ask, 'forceRotate')).toEqual([
      {
        id: 'rotation',
        text: 'These secrets are replaced',
        subjects: ['TOKEN: Tell those who have TOKEN.', 'KEY: Tell those who have KEY.', 'OTHER: '],
      },
    ]);
    expect(await questions(made({ ...installed, secrets, before }), ask)).toEqual([]);
  });

  test('before one is replaced that is supplied, but not where none was there', async () => {
    const secrets = [['KEY', 'supplied']] as const;
    const about = async (given: Given): Promise<readonly string[]> =>
      (await questions(made({ secrets, ...given }), ask, 'forceRotate')).flatMap(({ subjects }) => subjects);
    const told = ['KEY: Tell those who have KEY.'];
    expect(await about({ env: 'KEY=k\n', before: new Map([['KEY', 'k']]) })).toEqual(told);
    expect(await about({ env: 'TOKEN=t\n', before: new Map([['KEY', '']]) })).toEqual([]);
    expect(await about({ before: new Map([['KEY', '']]) })).toEqual(told);
    const healed = made({ env: 'TOKEN=t\n', secrets: [['KEY', 'healed']] });
    expect(await questions(healed, ask, 'forceRotate')).toEqual([]);
  });

  test('each thing once', async () => {
    const given = {
      product: { askFor: ['NAME'] },
      desired: { packages: ['nginx'], files: [file] },
      files: { [site]: 'theirs\n' },
    };
    const ids = async (answered: Answers['answered']): Promise<readonly string[]> =>
      (await questions(made(given), ask, 'fresh', { answered })).map(({ id }) => id);
    expect(await ids([])).toEqual(['settings', 'edits', 'packages']);
    expect(await ids(['settings', 'packages'])).toEqual(['edits']);
  });
});
