/** `status`: 0 healthy and as written, 3 drifted or unhealthy, 4 not installed. */
import type { ResultEvent } from '../run-events.ts';
import { status, type Status } from '../status.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';

function exitCodeOf(found: Status): number {
  if (found.kind === 'absent') return 4;
  if (found.kind === 'unknown') return 10;
  return found.healthy === false || found.drift.length > 0 ? 3 : 0;
}

function lines(found: Status): string[] {
  if (found.kind === 'absent') return ['Not installed.'];
  if (found.kind === 'unknown') return [];
  const health =
    found.healthy === null
      ? 'not running here'
      : found.healthy
        ? 'healthy'
        : `unhealthy: ${found.problem?.message ?? ''}`;
  return [
    `Installed; the service is ${health}`,
    ...Object.entries(found.settings).map(([key, value]) => `  ${key}=${value}`),
    ...found.secrets.map(({ name, origin, fingerprint }) =>
      origin === 'preserved' ? `  ${name}: fingerprint ${fingerprint}` : `  ${name}: missing`,
    ),
    ...(found.drift.length === 0
      ? ['No drift.']
      : ['Drift; an installation would:', ...found.drift.map((line) => `  ${line}`)]),
  ];
}

export async function runStatus(options: Options, output: CommandOutput): Promise<number> {
  const found = await status({ root: rootOf(options) });
  const exitCode = exitCodeOf(found);
  output.emit({
    v: 1,
    type: 'status',
    installed: found.kind === 'installed',
    healthy: found.healthy,
    drift: [...found.drift],
    settings: { ...found.settings },
    problem: found.problem?.message ?? null,
  });
  for (const text of lines(found)) output.emit({ v: 1, type: 'text', text });
  for (const { code, level, text } of found.notes) output.emit({ v: 1, type: 'note', code, level, text });
  const outcomes: Record<number, string> = { 0: 'healthy', 3: 'drifted', 4: 'absent', 10: 'refused' };
  const result: ResultEvent = {
    v: 1,
    type: 'result',
    command: 'status',
    outcome: outcomes[exitCode] ?? 'unknown',
    exitCode,
    changed: false,
    plan: null,
    run: null,
    error: found.error,
  };
  output.emit(result);
  return exitCode;
}
