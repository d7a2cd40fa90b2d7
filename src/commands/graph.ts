/** `graph`: the machine as text or picture, and on it the way of a run. */
import { InstallerError, toPublicError, type ErrorCode } from '../errors.ts';
import { toDot } from '../diagram/dot.ts';
import { toJson } from '../diagram/json.ts';
import { toMermaid } from '../diagram/mermaid.ts';
import { pathOf, type RunPath } from '../diagram/path.ts';
import { toSvg } from '../diagram/svg.ts';
import { installerMachine, machineVersion } from '../machines/installer.ts';
import type { Input } from '../machines/types.ts';
import { typeable } from './called.ts';
import type { Options } from './inputs.ts';
import { instanceIn } from './instance.ts';
import type { CommandOutput } from './output.ts';
import type { Recorded } from './recorded.ts';
import { standardOutput } from './streams.ts';
import { hint, shown, usage } from './usage.ts';

const formats: Readonly<Record<string, (path?: RunPath) => string>> = {
  mermaid: toMermaid,
  dot: toDot,
  json: toJson,
  svg: (path) => toSvg({ standalone: true, ...(path === undefined ? {} : { path }) }),
};

function formatOf(options: Options): string {
  const format = typeof options['format'] === 'string' ? options['format'] : 'mermaid';
  if (Object.hasOwn(formats, format)) return format;
  throw usage(
    `--format ${shown(format)} is unknown.${hint(format, Object.keys(formats))}`,
    `Valid: ${Object.keys(formats).join(', ')}.`,
  );
}

/** What a file holds is found by the file's name, what the journal holds by the run's. */
const cannotBeDrawn = ({ run, home, path }: Recorded, why: string): InstallerError =>
  new InstallerError('E_JOURNAL_DAMAGED' satisfies ErrorCode, {
    path,
    why,
    remedy: `Its records are shown by \`mcp-installer show ${home === null ? path : run.id}\`.`,
  });

interface Asked extends Recorded {
  /** Its process is still at work. */
  readonly goesOn: boolean;
}

/** @throws InstallerError E_JOURNAL_DAMAGED where another version of the machine received the run's events */
function wayOf(found: Asked): RunPath {
  const { run, goesOn } = found;
  const { started, records, ended } = run;
  if (started === null) throw cannotBeDrawn(found, run.damage ?? 'it has no first record');
  const { id, version } = started.machine;
  if (id !== installerMachine.id || version !== machineVersion) {
    throw cannotBeDrawn(
      found,
      `it is of machine ${id} ${version}, and what is drawn here is ${installerMachine.id} ${machineVersion}`,
    );
  }
  const events = records.flatMap((record) => (record.k === 'event' ? [record.event] : []));
  // Written by this machine version, under a checksum: the input is the machine's.
  try {
    return pathOf(run.id, started.input as Input, events, goesOn ? 'underWay' : (ended?.outcome ?? null));
  } catch {
    // Whoever made a file by hand can make any event.
    throw cannotBeDrawn(found, 'the machine cannot take its events');
  }
}

async function asked(options: Options): Promise<Asked | null> {
  const wanted = options['run'];
  if (typeof wanted !== 'string') {
    if (instanceIn(options) !== null) throw usage('--instance does nothing without --run.', 'Add --run.');
    return null;
  }
  const { recordedRun, goesOn } = await import('./recorded.ts');
  const recorded = await recordedRun(wanted, options);
  return { ...recorded, goesOn: goesOn(recorded) };
}

export async function runGraph(options: Options, output: CommandOutput): Promise<number> {
  const format = formatOf(options);
  const found = await asked(options);
  const text = formats[format]!(found === null ? undefined : wayOf(found));
  if (output.json) output.emit({ v: 1, type: 'graph', format, text });
  else standardOutput().write(text);
  // What can be read of a damaged journal is drawn all the same.
  const damage = found?.run.damage ?? null;
  const broken = found === null || damage === null ? null : cannotBeDrawn(found, damage);
  output.emit({
    v: 1,
    type: 'result',
    command: 'graph',
    outcome: broken === null ? 'shown' : 'damaged',
    exitCode: broken === null ? 0 : 65,
    changed: false,
    plan: null,
    run: null,
    error: typeable(broken === null ? null : toPublicError(broken)),
  });
  return broken === null ? 0 : 65;
}
