/** `rollback` and `uninstall`: runs that put the host back as it was. */
import { install } from '../install.ts';
import type { Undo } from '../machines/types.ts';
import type { Product } from '../products/product.ts';
import type { ResultEvent } from '../run-events.ts';
import { sudoLine, typeable, typeableEvent } from './called.ts';
import { dryRunOf, environmentOfSudo } from './environment.ts';
import { installationOf } from './instance.ts';
import { rootOf, type Options } from './inputs.ts';
import { outcomeWord } from './outcome.ts';
import type { CommandOutput } from './output.ts';
import { interrupts } from './signals.ts';
import { printTrace } from './trace.ts';
import { usage } from './usage.ts';

async function runUndo(options: Options, output: CommandOutput, plain: Product, undo: Undo): Promise<number> {
  const product = installationOf(options, plain);
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
    onEvent: (event) => output.emit(typeableEvent(event)),
    onBug: printTrace,
    interrupt: interrupts(),
    sudoCommand: sudoLine({}),
  });
  const { exitCode, changed, plan, error } = ended;
  const result: ResultEvent = {
    v: 1,
    type: 'result',
    command: undo.kind,
    outcome: outcomeWord(undo.kind, ended.outcome),
    exitCode: exitCode === 0 && changed && options['detailedExitcode'] === true ? 2 : exitCode,
    changed,
    plan: plan?.hash ?? null,
    run,
    error: typeable(error),
  };
  output.emit(result);
  return result.exitCode;
}

/**
 * @param run as it was typed; undefined: the last one that stands
 * @throws InstallerError E_USAGE for an empty one, as of a variable that a script has not set
 */
export function runRollback(
  run: string | undefined,
  options: Options,
  output: CommandOutput,
  product: Product,
): Promise<number> {
  if (run === '')
    throw usage(
      'rollback is given an empty RUN.',
      'Name a run, or leave it out for the last one that stands.',
    );
  return runUndo(options, output, product, { kind: 'rollback', run: run ?? null });
}

export const runUninstall = (options: Options, output: CommandOutput, product: Product): Promise<number> =>
  runUndo(options, output, product, { kind: 'uninstall', purge: options['purge'] === true });
