/** `install`, the default command. */
import { install } from '../install.ts';
import type { Output, Signal } from '../machines/types.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { ResultEvent } from '../run-events.ts';
import { createAsker } from './asker.ts';
import { dryRunOf, environmentOfSudo, refuseRotationByEnvironment } from './environment.ts';
import { inputsOf, type Options } from './inputs.ts';
import type { CommandOutput } from './output.ts';

const product = mcpOauthProxy;

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The line to type for somebody who is not root: what was typed, with sudo before it. */
const sudoCommand = (): string => {
  const script = process.env['MCP_INSTALLER_BOOTSTRAP'];
  // The bootstrap itself adds the command.
  const words =
    script === undefined
      ? [process.execPath, process.argv[1] ?? '', ...process.argv.slice(2)]
      : [script, ...process.argv.slice(3)];
  return ['sudo', ...words].map(quoted).join(' ');
};

/** Signals end the run politely; a second one changes nothing, so that putting back is not cut short. */
function interrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] satisfies Signal[])
    process.on(signal, () => controller.abort(signal));
  return controller.signal;
}

/** The places of the code, without the message: that may repeat what must not be told. */
function printTrace(error: unknown): void {
  if (!(error instanceof Error)) return;
  const places = (error.stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '));
  process.stderr.write(`${[error.name, ...places].join('\n')}\n`);
}

function resultOf(output: Output, run: string | null, dryRun: boolean, detailed: boolean): ResultEvent {
  const { outcome, exitCode, changed, plan, error } = output;
  const showNext =
    !dryRun &&
    (outcome === 'installed' || outcome === 'unchanged') &&
    (output.mode !== 'existing' || changed);
  return {
    v: 1,
    type: 'result',
    command: 'install',
    outcome,
    exitCode: exitCode === 0 && changed && detailed ? 2 : exitCode,
    changed,
    plan: plan?.hash ?? null,
    run,
    error,
    ...(showNext && plan !== null ? { next: [...product.nextSteps(plan.settings)] } : {}),
  };
}

/** @returns the exit code */
export async function runInstall(options: Options, output: CommandOutput): Promise<number> {
  const ofSudo = environmentOfSudo();
  refuseRotationByEnvironment(process.env, ofSudo);
  const dryRun = options['dryRun'] === true || dryRunOf(process.env, ofSudo);
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const ask = onTerminal && !output.json && options['yes'] !== true && !dryRun;
  const inputs = inputsOf(options, process.env, product, ask);
  const { output: ended, run } = await install({
    product,
    root: inputs.root,
    request: inputs.request,
    supplied: inputs.supplied,
    dryRun,
    diffs: options['verbose'] === true,
    onEvent: output.emit,
    onBug: printTrace,
    interrupt: interrupts(),
    sudoCommand: sudoCommand(),
    ...(inputs.source === null ? {} : { source: inputs.source }),
    ...(ask ? { asker: createAsker(product) } : {}),
  });
  const result = resultOf(ended, run, dryRun, options['detailedExitcode'] === true);
  output.emit(result);
  return result.exitCode;
}
