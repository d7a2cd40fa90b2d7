/** `status`: 0 healthy and as written, 3 drifted or unhealthy, 4 not installed, 11 while a run is at it. */
import type { Health } from '../effects/condition.ts';
import { errorTable, isErrorCode } from '../errors.ts';
import type { Product } from '../products/product.ts';
import type { ResultEvent } from '../run-events.ts';
import { status, type Status } from '../status/index.ts';
import { typeable } from './called.ts';
import { installationOf } from './instance.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';

function exitCodeOf({ kind, error, problem, drift }: Status): number {
  if (kind === 'absent') return 4;
  if (kind === 'unknown') {
    const exit = error !== null && isErrorCode(error.code) ? errorTable[error.code].exit : 10;
    return exit === 13 ? 10 : exit;
  }
  return problem !== null || drift.length > 0 ? 3 : 0;
}

const days = (count: number): string =>
  count < 0 ? 'expired' : `${count} ${count === 1 ? 'day' : 'days'} left`;

function certificateWords({ certificate }: Status): string {
  if (certificate === null) return 'none';
  const { served, file, same } = certificate;
  const dates = ({ until, daysLeft }: NonNullable<typeof served>): string =>
    `until ${until} (${days(daysLeft)})`;
  const onDisk = file === null ? null : `${file.path}${same === true ? '' : ` ${dates(file)}`}`;
  if (served === null) return `none is served; on disk: ${onDisk ?? 'none that can be read'}`;
  if (onDisk === null) return dates(served);
  return same === true ? `${dates(served)}, ${onDisk}` : `${dates(served)}; on disk another one: ${onDisk}`;
}

const healthWords = ({ ok, why }: Health): string =>
  ok === true ? 'ok' : ok === null ? `a person's site, not judged: ${why ?? ''}` : (why ?? '');

/** How it is seen from each side. Another root is not asked. */
function conditionLines(found: Status, product: Product): string[] {
  const { url, health, backend } = found;
  const asked =
    health === null
      ? []
      : [
          `  on ${health.loopback.address}: ${healthWords(health.loopback)}`,
          health.web === null
            ? '  through nginx: not asked, nginx is left alone'
            : `  through nginx on ${health.web.address}: ${healthWords(health.web)}`,
        ];
  return [
    ...(url === null ? [] : [`  ${product.words.endpoint}: ${url}`]),
    ...asked,
    `  certificate: ${certificateWords(found)}`,
    ...(backend === null
      ? []
      : [`  backend: ${backend.reachable ? 'reachable' : `not reachable (${backend.why ?? ''})`}`]),
  ];
}

const diffLines = (heading: string, diffs: Status['diffs']): readonly string[] =>
  diffs.length === 0 ? [] : [`${heading}:`, ...diffs.map(({ diff }) => diff.trimEnd())];

const besideLines = ({ besides }: Status): readonly string[] =>
  besides.map(({ name, instance, ports, domains }) => {
    const places = [...domains, ...ports.map((port) => `127.0.0.1:${port}`)];
    const how = instance === null ? '' : ` (--instance ${instance})`;
    return `Beside it on this host: ${[`${name}${how}`, ...places].join(', ')}`;
  });

function lines(found: Status, product: Product): string[] {
  if (found.underWay !== null)
    return [`Run ${found.underWay} is under way; what it has done so far is not judged.`];
  if (found.kind === 'absent') return ['Not installed.', ...besideLines(found)];
  if (found.kind === 'unknown') return [];
  const health =
    found.healthy === null
      ? ['not running here', ...(found.problem === null ? [] : [found.problem.message])].join(': ')
      : found.healthy
        ? 'healthy'
        : `unhealthy: ${found.problem?.message ?? ''}`;
  const isImage = found.notes.some(({ code }) => code === 'image');
  const absent = isImage ? 'made at the first boot' : 'missing';
  return [
    `Installed; the service is ${health}`,
    ...(found.problem === null ? [] : [`  ${found.problem.remedy}`]),
    ...conditionLines(found, product),
    ...Object.entries(found.settings).map(([key, value]) => `  ${key}=${value}`),
    ...found.secrets.map(({ name, fingerprint }) =>
      fingerprint === null ? `  ${name}: ${absent}` : `  ${name}: fingerprint ${fingerprint}`,
    ),
    ...(found.error !== null
      ? ['Drift cannot be told, since an installation would be refused.']
      : found.drift.length === 0
        ? ['No drift.']
        : ['Drift; an installation would:', ...found.drift.map((line) => `  ${line}`)]),
    ...diffLines('What it would change', found.diffs),
    ...diffLines('What a person edited, and is kept', found.edits),
    ...besideLines(found),
  ];
}

const outcomes: Readonly<Record<number, string>> = {
  0: 'healthy',
  3: 'drifted',
  4: 'absent',
  10: 'refused',
  11: 'busy',
};

export async function runStatus(options: Options, output: CommandOutput, plain: Product): Promise<number> {
  const product = installationOf(options, plain);
  const found = await status({ root: rootOf(options), product });
  const exitCode = exitCodeOf(found);
  output.emit({
    v: 1,
    type: 'status',
    installed: found.kind === 'unknown' ? null : found.kind === 'installed',
    healthy: found.healthy,
    drift: [...found.drift],
    diffs: found.diffs.map((each) => ({ ...each })),
    edits: found.edits.map((each) => ({ ...each })),
    settings: { ...found.settings },
    secrets: found.secrets.map(({ name, fingerprint }) => ({
      name,
      present: fingerprint !== null,
      fingerprint,
    })),
    underWay: found.underWay,
    problem: found.problem?.message ?? null,
    url: found.url,
    health: found.health,
    certificate: found.certificate,
    backend: found.backend,
    besides: found.besides.map(({ ports, domains, ...each }) => ({
      ...each,
      ports: [...ports],
      domains: [...domains],
    })),
  });
  for (const text of lines(found, product)) output.say(text);
  for (const { code, level, text } of found.notes) output.emit({ v: 1, type: 'note', code, level, text });
  const result: ResultEvent = {
    v: 1,
    type: 'result',
    command: 'status',
    outcome: outcomes[exitCode] ?? 'unknown',
    exitCode,
    changed: false,
    plan: null,
    run: null,
    // Of an installation that is there it is its problem.
    error: found.kind === 'unknown' ? typeable(found.error) : null,
  };
  output.emit(result);
  return exitCode;
}
