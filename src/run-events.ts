/**
 * What a run tells while it works: the lines of `--json`, and what every renderer is made from.
 *
 * These schemas are the source: types follow from them, and docs/reference/run-events.schema.json is made from them.
 * Imported for its types alone at run time, so that no schema library is loaded.
 */
import * as v from 'valibot';

/** Changes with every change that a reader of the older version would misunderstand. */
const runEventsVersion = 1;

const kind = <const T extends string>(type: T) => ({ v: v.literal(runEventsVersion), type: v.literal(type) });
const strings = v.array(v.string());
const nullable = v.nullable(v.string());

const publicError = v.object({ code: v.string(), message: v.string(), remedy: v.string() });

const change = v.object({
  kind: v.picklist([
    'narrowMode',
    'installPackages',
    'makeDirectory',
    'writeFile',
    'makeLink',
    'removeFile',
    'removeLeftover',
  ]),
  path: v.string(),
  role: v.string(),
  action: v.picklist(['create', 'replace', 'remove']),
  detail: strings,
  because: nullable,
});

const reload = v.object({
  what: v.picklist(['restart', 'restartSocket', 'reloadManager', 'reloadWeb', 'removeState']),
  unit: v.string(),
  how: v.picklist(['start', 'restart', 'reload', 'stop', 'remove']),
  because: strings,
  owedBy: strings,
});

const fileDiff = v.object({ path: v.string(), diff: v.string() });

/** Of the service, asked directly or through nginx; ok is null where a person's site is theirs to judge. */
const health = v.object({ address: v.string(), ok: v.nullable(v.boolean()), why: nullable });

/** A certificate's last day, and the whole days until then. */
const dates = { until: v.string(), daysLeft: v.number() };

/** What `--version` tells. */
const madeOf = v.object({
  installer: v.string(),
  node: v.string(),
  /** Of the executable with Node inside; null: a JavaScript file on the host's Node. */
  standalone: v.nullable(v.object({ codeCache: v.picklist(['used', 'rejected', 'none']) })),
  machine: v.object({ id: v.string(), version: v.string() }),
  journalFormat: v.number(),
  product: v.object({ name: v.string(), sha256: v.string() }),
  libraries: v.record(v.string(), v.string()),
});

export const runEvent = v.variant('type', [
  v.object({
    ...kind('run'),
    command: v.string(),
    installer: v.string(),
    product: v.string(),
    root: v.string(),
    dryRun: v.boolean(),
  }),
  v.object({ ...kind('state'), state: v.string() }),
  v.object({
    ...kind('mode'),
    mode: v.picklist(['fresh', 'existing', 'forceRotate']),
    envFile: v.string(),
    rotate: strings,
    /** The env file is gone though the host is not fresh. */
    lost: v.boolean(),
    /** This is an image: each host that is made from it makes its own secrets. */
    image: v.boolean(),
  }),
  v.object({
    ...kind('secret'),
    name: v.string(),
    origin: v.picklist(['generated', 'preserved', 'rotated', 'healed', 'supplied', 'removed', 'deferred']),
    fingerprint: v.string(),
  }),
  v.object({
    ...kind('plan'),
    hash: v.string(),
    changes: v.number(),
    operations: v.array(change),
    reloads: v.array(reload),
  }),
  v.object({ ...kind('diff'), path: v.string(), diff: v.string() }),
  v.object({
    ...kind('operation'),
    index: v.number(),
    total: v.number(),
    operation: change,
    outcome: v.picklist(['changed', 'unchanged', 'predicted']),
  }),
  v.object({
    ...kind('reloaded'),
    reloads: v.array(reload),
    outcome: v.picklist(['done', 'predicted', 'deferred']),
  }),
  v.object({ ...kind('activity'), text: v.string() }),
  v.object({ ...kind('verified'), outcome: v.picklist(['verified', 'predicted', 'deferred']) }),
  v.object({ ...kind('undone'), restored: strings, left: strings }),
  v.object({ ...kind('note'), code: v.string(), level: v.picklist(['info', 'warning']), text: v.string() }),
  v.object({ ...kind('error'), ...publicError.entries }),
  v.object({
    ...kind('status'),
    /** null where it cannot be told. */
    installed: v.nullable(v.boolean()),
    healthy: v.nullable(v.boolean()),
    drift: strings,
    /** Each file that an installation would change, and each edit of a person's that it keeps; what is secret is hidden. */
    diffs: v.array(fileDiff),
    edits: v.array(fileDiff),
    settings: v.record(v.string(), v.string()),
    secrets: v.array(v.object({ name: v.string(), present: v.boolean(), fingerprint: nullable })),
    /** The run that is under way. */
    underWay: nullable,
    problem: nullable,
    /** What clients are given to connect to. */
    url: nullable,
    /** null where the service does not run here. */
    health: v.nullable(v.object({ loopback: health, web: v.nullable(health) })),
    /** null where nginx serves nothing with TLS. */
    certificate: v.nullable(
      v.object({
        served: v.nullable(v.object(dates)),
        file: v.nullable(v.object({ path: v.string(), ...dates })),
        same: v.nullable(v.boolean()),
      }),
    ),
    /** null where the service does not run here; asked without a credential. */
    backend: v.nullable(v.object({ url: v.string(), reachable: v.boolean(), why: nullable })),
    /** The other installations of this host. */
    besides: v.array(
      v.object({
        name: v.string(),
        product: v.string(),
        instance: nullable,
        ports: v.array(v.number()),
        domains: strings,
      }),
    ),
  }),
  v.object({
    ...kind('historyEntry'),
    run: v.string(),
    started: nullable,
    command: nullable,
    product: nullable,
    mode: nullable,
    outcome: v.string(),
    exitCode: v.nullable(v.number()),
    changed: strings,
    /** Has a later run undone it? */
    undone: v.boolean(),
  }),
  /** Copies that a run had kept of these paths were removed, or would be: `copies` of them. */
  v.object({ ...kind('pruned'), run: v.string(), copies: v.number(), paths: strings, dryRun: v.boolean() }),
  v.object({ ...kind('record'), record: v.looseObject({ n: v.number(), t: v.string(), k: v.string() }) }),
  v.object({ ...kind('step'), n: v.number(), event: v.string(), state: v.string() }),
  /** Where a run can be watched, and the line that leads there from another machine. */
  v.object({ ...kind('inspector'), url: v.string(), ssh: v.string() }),
  v.object({ ...kind('graph'), format: v.string(), text: v.string() }),
  v.object({
    ...kind('result'),
    command: v.string(),
    outcome: v.string(),
    exitCode: v.number(),
    changed: v.boolean(),
    plan: nullable,
    run: nullable,
    error: v.nullable(publicError),
    next: v.optional(strings),
    madeOf: v.optional(madeOf),
  }),
]);

/** What a run tells while it works, and what `--json` prints, one a line. */
export type RunEvent = v.InferOutput<typeof runEvent>;
/** The last line of `--json`. */
export type ResultEvent = Extract<RunEvent, { type: 'result' }>;
export type MadeOf = v.InferOutput<typeof madeOf>;
