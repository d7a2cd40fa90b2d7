/** `install`, the default command. */
import path from 'node:path';
import { isatty } from 'node:tty';
import { install } from '../install.ts';
import type { Output } from '../machines/types.ts';
import type { ResultEvent } from '../run-events.ts';
import type { Finished, Product } from '../products/product.ts';
import { createAsker } from './asker.ts';
import { sudoLine, typeable, typeableEvent } from './called.ts';
import {
  dryRunOf,
  environmentOfSudo,
  refuseMistakenVariables,
  refuseRotationByEnvironment,
  settingsIn,
  type Environment,
} from './environment.ts';
import { installationOf } from './instance.ts';
import { inputsOf, type Options } from './inputs.ts';
import type { Watched } from './inspect.ts';
import { interrupts } from './signals.ts';
import { printTrace } from './trace.ts';
import type { CommandOutput } from './output.ts';

interface How {
  readonly product: Product;
  readonly root: string;
  readonly dryRun: boolean;
  readonly detailed: boolean;
  readonly variables: Readonly<Record<string, string>>;
}

/** Below another root the one place to read a secret is that root's. */
const nextSteps = (product: Product, finished: Finished, root: string): string[] =>
  product
    .nextSteps(finished)
    .map((line) =>
      root === '/' ? line : line.replaceAll(product.envFile, path.join(root, product.envFile)),
    );

function resultOf(
  output: Output,
  run: string | null,
  { product, root, dryRun, detailed, variables }: How,
): ResultEvent {
  const { outcome, exitCode, changed, plan, error, mode, secrets } = output;
  const showNext =
    !dryRun &&
    (outcome === 'installed' || outcome === 'unchanged') &&
    (mode !== 'existing' || changed) &&
    // What there is to type is known on each host of an image, and not before.
    secrets.every(({ origin }) => origin !== 'deferred');
  const finished = { mode, settings: plan?.settings ?? {}, secrets };
  const next = showNext && plan !== null ? nextSteps(product, finished, root) : [];
  return {
    v: 1,
    type: 'result',
    command: 'install',
    outcome,
    exitCode: exitCode === 0 && changed && detailed ? 2 : exitCode,
    changed,
    plan: plan?.hash ?? null,
    run,
    error: typeable(error, variables),
    ...(next.length > 0 ? { next } : {}),
  };
}

/** sudo drops the environment without a word; a setting that does not count is worth one. */
function tellOfDropped(ofSudo: Environment, product: Product, output: CommandOutput): void {
  const dropped = Object.entries(settingsIn(ofSudo, product)).filter(
    ([name]) => process.env[name] === undefined,
  );
  if (dropped.length === 0) return;
  const names = dropped.map(([name]) => name);
  output.emit({
    v: 1,
    type: 'note',
    code: 'environment-dropped',
    level: 'warning',
    text: `sudo dropped ${names.join(', ')}, so it does not count; pass it on: ${sudoLine(Object.fromEntries(dropped))}`,
  });
}

/** Nothing was done, so there is nothing to look at; Ctrl-C at a question is one of them. */
const notBegun: readonly string[] = ['declined', 'refused', 'busy'];

/** `--inspect`, loaded only where it is asked for. */
async function watchedBy(
  options: Options,
  about: { readonly product: string; readonly root: string; readonly dryRun: boolean },
  output: CommandOutput,
): Promise<Watched | null> {
  if (options['inspect'] === undefined && options['inspectStately'] === undefined) return null;
  const { wantedOf, watchLive } = await import('./inspect.ts');
  return watchLive(wantedOf(options), about, output);
}

/** @returns the exit code */
export async function runInstall(
  options: Options,
  output: CommandOutput,
  flags: readonly string[],
  plain: Product,
): Promise<number> {
  const product = installationOf(options, plain);
  const ofSudo = environmentOfSudo();
  refuseRotationByEnvironment(process.env, ofSudo);
  const dryByEnvironment = dryRunOf(process.env, ofSudo);
  refuseMistakenVariables(process.env, product, flags);
  const dryRun = options['dryRun'] === true || dryByEnvironment;
  // Who pipes the output into a file still sits before the keyboard. The stream itself takes longer to load than to be asked.
  const isAttended = isatty(0) && !output.json && options['yes'] !== true;
  const ask = isAttended && !dryRun;
  const inputs = inputsOf(options, process.env, product, ask);
  const variables = settingsIn(process.env, product);
  const interrupt = interrupts();
  tellOfDropped(ofSudo, product, output);
  const watched = await watchedBy(options, { product: product.name, root: inputs.root, dryRun }, output);
  const { output: ended, run } = await install({
    product,
    root: inputs.root,
    request: inputs.request,
    supplied: inputs.supplied,
    dryRun,
    diffs: options['verbose'] === true,
    onEvent: (event) => {
      const told = typeableEvent(event);
      output.emit(told);
      watched?.told(told);
    },
    onBug: printTrace,
    interrupt,
    sudoCommand: sudoLine(variables),
    ...(watched === null ? {} : { onRecord: watched.record }),
    ...(inputs.source === null ? {} : { source: inputs.source }),
    ...(ask
      ? {
          asker: createAsker(product, {
            signal: interrupt,
            output: process.stdout.isTTY ? process.stdout : process.stderr,
          }),
        }
      : {}),
  });
  const detailed = options['detailedExitcode'] === true;
  const result = resultOf(ended, run, { product, root: inputs.root, dryRun, detailed, variables });
  output.emit(result);
  // Whoever sits there looks at it for as long as they like; a script goes on, and so does who has pressed Ctrl-C.
  const stays = isAttended && options['quiet'] !== true;
  await watched?.end(stays && !interrupt.aborted && !notBegun.includes(result.outcome));
  return result.exitCode;
}
