/** Frames of real runs, as the inspector makes them: what the run told, between the steps of the journal folded again. */
import { framesVersion, type Frame, type StepFrame } from '../../../src/inspector/frames.ts';
import { install, type InstallOptions } from '../../../src/install.ts';
import { installerMachine, machineVersion } from '../../../src/machines/installer.ts';
import { replaySteps, type RecordedEvent } from '../../../src/machines/replay.ts';
import type { Context, Input } from '../../../src/machines/types.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import type { RunEvent } from '../../../src/run-events.ts';
import { version } from '../../../src/version.ts';

const changesOf = (before: Context | null, after: Context): Partial<Context> =>
  Object.fromEntries(
    Object.entries(after).filter(
      ([key, value]) =>
        before === null || JSON.stringify(before[key as keyof Context]) !== JSON.stringify(value),
    ),
  );

function stepsOf(records: readonly JournalRecord[]): StepFrame[] {
  const heard: { t: string; event: RecordedEvent }[] = [];
  let start: JournalRecord | null = null;
  for (const record of records) {
    if (record.k === 'run.started') start = record;
    if (record.k === 'event') heard.push({ t: record.t, event: record.event });
  }
  if (start?.k !== 'run.started') throw new Error('The run has no start.');
  const events = heard.map(({ event }) => event);
  const frames: StepFrame[] = [];
  let before: Context | null = null;
  let from: string | null = null;
  for (const snapshot of replaySteps(start.input as Input, events)) {
    const n = frames.length;
    const { t, event } = n === 0 ? { t: start.t, event: { type: 'start' } } : heard[n - 1]!;
    const { context } = snapshot;
    frames.push({
      kind: 'step',
      n,
      t,
      event,
      from,
      state: snapshot.value,
      context: changesOf(before, context),
    });
    before = context;
    from = snapshot.value;
  }
  return frames;
}

export interface Recorded {
  /** With everything that was told, as of a run that was watched while it went on. */
  readonly live: readonly Frame[];
  /** As of a journal alone. */
  readonly replay: readonly Frame[];
}

/** Runs an installation and returns its frames. */
export async function recorded(options: InstallOptions): Promise<Recorded> {
  const told: { t: string; event: RunEvent }[] = [];
  const { output, records } = await install({
    ...options,
    onEvent: (event) => told.push({ t: new Date().toISOString(), event }),
  });
  const steps = stepsOf(records);
  const hello: Frame = {
    kind: 'hello',
    v: framesVersion,
    source: 'live',
    run: '20261123T224934Z-3f2a',
    started: records[0]!.t,
    command: options.command ?? 'install',
    installer: version,
    machine: { id: installerMachine.id, version: machineVersion },
    product: 'mcp-oauth-proxy',
    root: options.root ?? '/',
    dryRun: options.dryRun ?? false,
  };
  const ended: Frame = {
    kind: 'ended',
    t: told.at(-1)?.t ?? hello.started,
    outcome: output.outcome,
    exitCode: output.exitCode,
    mode: output.mode,
    changed: output.changed,
    plan: output.plan?.hash ?? null,
    error: output.error?.code ?? null,
  };
  const between = (at: number): Frame[] => {
    const [begin, end] = [steps[at]!.t, steps[at + 1]?.t ?? '~'];
    return told
      .filter(({ t }) => (at === 0 || t >= begin) && t < end)
      .map(({ t, event }) => ({ kind: 'told', t, event }));
  };
  return {
    live: [hello, ...steps.flatMap((step, at) => [step, ...between(at)]), ended],
    replay: [{ ...hello, source: 'replay' }, ...steps, ended],
  };
}
