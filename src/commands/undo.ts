/** `rollback` and `uninstall`: runs that put the host back as it was. */
import { install } from '../install.ts';
import type { Output, Undo } from '../machines/types.ts';
import type { Product } from '../products/product.ts';
import type { ResultEvent } from '../run-events.ts';
import { sudoLine, typeable } from './called.ts';
import { dryRunOf, environmentOfSudo } from './environment.ts';
import { rootOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';
import { interrupts } from './signals.ts';
import { printTrace } from './trace.ts';

type Command = Undo['kind'];

/** What the machine calls installed has here been taken away. */
const outcomeOf = (command: Command, { outcome }: Output): string =>
  outcome !== 'installed' ? outcome : command === 'rollback' ? 'undone' : 'uninstalled';

async function runUndo(
  options: Options,
  output: CommandOutput,
  product: Product,
  undo: Undo,
): Promise<number> {
  const dryRun = options['dryRun'] === true || dryRunOf(process.env, environmentOfSudo());
  const { output: ended, run } = await install({
    product,
    root: rootOf(options),
    request: {
      undo,
      rollback: options['rollback'] !== false,
      // What is taken away needs no package, and no port.
      checks: false,
    },
    dryRun,
    diffs: options['verbose'] === true,
    command: undo.kind,
    onEvent: output.emit,
    onBug: printTrace,
    interrupt: interrupts(),
    sudoCommand: sudoLine({}),
  });
  const { exitCode, changed, plan, error } = ended;
  const result: ResultEvent = {
    v: 1,
    type: 'result',
    command: undo.kind,
    outcome: outcomeOf(undo.kind, ended),
    exitCode: exitCode === 0 && changed && options['detailedExitcode'] === true ? 2 : exitCode,
    changed,
    plan: plan?.hash ?? null,
    run,
    error: typeable(error),
  };
  output.emit(result);
  return result.exitCode;
}

/** @param run as it was typed; undefined: the last one that stands */
export const runRollback = (
  run: string | undefined,
  options: Options,
  output: CommandOutput,
  product: Product,
): Promise<number> =>
  runUndo(options, output, product, { kind: 'rollback', run: run === undefined || run === '' ? null : run });

export const runUninstall = (options: Options, output: CommandOutput, product: Product): Promise<number> =>
  runUndo(options, output, product, { kind: 'uninstall', purge: options['purge'] === true });
