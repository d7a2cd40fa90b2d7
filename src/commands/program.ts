/** The command line: which commands and options there are, and what bad usage looks like. */
import { Command, CommanderError, Option } from 'commander';
import { InstallerError, errorTable, toPublicError } from '../errors.ts';
import path from 'node:path';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { Product } from '../products/product.ts';
import type { ResultEvent } from '../run-events.ts';
import { version } from '../version.ts';
import { badUsage, isGiven, wordsOf, type Words } from './arguments.ts';
import { typeable } from './called.ts';
import type { Options } from './inputs.ts';
import { createOutput, type CommandOutput } from './output.ts';
import { afterWriting } from './streams.ts';
import { printTrace } from './trace.ts';
import { hint, shown, usage } from './usage.ts';

type Run = (
  options: Options,
  output: CommandOutput,
  argument: string,
  command: Command,
) => Promise<number> | number;

/** A list that is given twice is one list. */
const collect = (value: string, before: unknown): string =>
  typeof before === 'string' ? `${before},${value}` : value;

const common = (command: Command): Command =>
  command
    .option('--root <dir>', 'treat DIR as /')
    .option('--json', 'one JSON object a line on stdout; people’s text goes to stderr')
    .option('--quiet', 'only warnings and errors')
    .option('--verbose', 'more: diffs, fingerprints, reasons')
    .option('--no-color', 'no colour (NO_COLOR is honoured too)');

function addInstallOptions(command: Command, product: Product): Command {
  const removable = product.secrets.filter(({ optional }) => optional === true).map(({ name }) => name);
  command
    .option('--dry-run', 'predict, change nothing at all')
    .option(
      '--force-rotate-tokens [names]',
      'regenerate all generated secrets, or only those named (NAME,…)',
      collect,
    );
  for (const { option, kind, placeholder, description, default: preset } of product.settings) {
    const words = preset === undefined ? description : `${description} (default ${preset})`;
    command.addOption(
      new Option(kind === 'flag' ? `--${option}` : `--${option} <${placeholder.toLowerCase()}>`, words),
    );
  }
  for (const { name, fileOption, optional, purpose } of product.secrets) {
    const words = optional === true ? `: ${purpose}; without it there is none` : ' instead of generating it';
    if (fileOption !== undefined)
      command.option(`--${fileOption} <file>`, `take ${name} from FILE (-: stdin)${words}`);
  }
  if (product.codeFile !== null) {
    const code = path.basename(product.codeFile);
    command.option('--source <file>', `install this ${code} instead of the bundled one; "bundled" goes back`);
  }
  return command
    .option('--config <file>', 'settings from a dotenv file')
    .option('--no-packages', 'do not install missing packages; name them and stop')
    .option('--no-start', 'write and enable, start nothing')
    .option('--no-rollback', 'on failure leave everything as it is')
    .option('--keep-edited', 'where an edit and a change of ours meet: keep the edit, lay ours beside it')
    .option('--force-config', 'where an edit and a change of ours meet: replace it, with a backup')
    .option('--allow-downgrade', 'run although a newer installer was here last')
    .option(
      '--unset <names>',
      `forget remembered settings${removable.length === 0 ? '' : `, remove ${removable.join(', ')}`} (NAME,…)`,
      collect,
    )
    .option('--skip-preflight', 'skip the checks of versions, packages, ports and downgrades')
    .option('--detailed-exitcode', '2 instead of 0 when something changed, or would change')
    .option('--yes', 'never ask');
}

const whichRun =
  'its id, the beginning of one, or last; or a file that --export wrote (with a slash, or ending in .jsonl)';

const addInspectOptions = (command: Command): Command =>
  command
    .option('--inspect [port]', 'serve the run on 127.0.0.1 for watching in a browser')
    .option('--inspect-stately <url>', 'the Stately inspector’s page (default https://stately.ai/inspect)');

const takesProduct = (command: Command): Command =>
  command.option('--product <file>', 'another service than mcp-oauth-proxy: a product file (YAML or JSON)');

/**
 * The file of `--product`, before anything is known of the other options: which ones there are depends on the product.
 * It cannot be the value of another one, since a word that begins with -- never is.
 */
function productFileIn(argv: readonly string[]): string | null {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const at = own.findIndex((word) => word === '--product' || word.startsWith('--product='));
  if (at === -1) return null;
  const word = own[at]!;
  return (word.includes('=') ? word.slice(word.indexOf('=') + 1) : own[at + 1]) ?? null;
}

/** Every command as `--help` and the reference page list it. */
export function createProgram(
  onRun: (command: string, run: Run) => (...args: unknown[]) => Promise<void>,
  product: Product = mcpOauthProxy,
): Command {
  const program = new Command('mcp-installer')
    .description(product.description)
    .version(version, '--version', 'the version')
    .helpOption(
      '-h, --help',
      'help for the program or a command; install lists its options by `install --help`',
    )
    .helpCommand('help [command]', 'the same')
    .showSuggestionAfterError(false);
  const add = (name: string, description: string, run: Run, isDefault = false): Command =>
    program
      .command(name, { isDefault })
      .description(description)
      .helpOption('-h, --help', 'this help')
      .action(onRun(name, run))
      .allowExcessArguments(false);

  common(
    addInspectOptions(
      addInstallOptions(
        takesProduct(
          add(
            'install',
            'detect, decide, write, reload, verify (the default command)',
            async (options, output, _, command) =>
              (await import('./install.ts')).runInstall(
                options,
                output,
                command.options.map(({ long }) => long ?? ''),
                product,
              ),
            true,
          ),
        ),
        product,
      ),
    ),
  );
  common(
    takesProduct(
      add('status', 'what is installed, whether it is healthy, what differs', async (options, output) =>
        (await import('./status.ts')).runStatus(options, output, product),
      ),
    ),
  );
  common(
    add('history', 'the runs, newest first', async (options, output) =>
      (await import('./journal.ts')).runHistory(options, output),
    ).option('--limit <n>', 'how many (default 20)'),
  );
  common(
    add('show', 'one run, event by event', async (options, output, run) =>
      (await import('./journal.ts')).runShow(run, options, output),
    )
      .option(
        '--export <file>',
        'write the run into one FILE for another host (-: stdout); it is checked to hold no secret',
      )
      .argument('<run>', whichRun),
  );
  common(
    addInspectOptions(
      add(
        'replay',
        'fold a recorded run through the machine again, without side effects',
        async (options, output, run) => (await import('./journal.ts')).runReplay(run, options, output),
      ).argument('<run>', whichRun),
    ),
  );
  common(
    add('graph', 'the machine as text or picture', async (options, output) =>
      (await import('./graph.ts')).runGraph(options, output),
    )
      .option('--format <format>', 'mermaid (default), dot (Graphviz), json (XState, Stately Studio) or svg')
      .option('--run <run>', `mark the way that this run took: ${whichRun}`),
  );
  return program;
}

/** commander's words as ours: without its prefix. */
function fromCommander(error: CommanderError): InstallerError {
  const [sentence = ''] = error.message.replace(/^error: /u, '').split('\n');
  const words = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return usage(`${words}${/[.!?]$/u.test(words) ? '' : '.'}`);
}

const resultOf = (command: string, outcome: string, exitCode: number): ResultEvent => ({
  v: 1,
  type: 'result',
  command,
  outcome,
  exitCode,
  changed: false,
  plan: null,
  run: null,
  error: null,
});

/** An error as the command's result; what is no error of ours is a bug of ours. */
function tell(thrown: unknown, command: string, output: CommandOutput): number {
  const known = thrown instanceof CommanderError ? fromCommander(thrown) : thrown;
  if (!(known instanceof InstallerError)) printTrace(known);
  const error = toPublicError(known);
  const { exit } = errorTable[error.code];
  const exitCode = exit === 13 ? 10 : exit;
  // Where the valid options are listed depends on the command.
  const remedy =
    error.remedy === errorTable.E_USAGE.remedy({})
      ? `See \`mcp-installer ${command} --help\`.`
      : error.remedy;
  const outcome = error.code === 'E_INTERNAL' ? 'failed' : 'refused';
  output.emit({ ...resultOf(command, outcome, exitCode), error: typeable({ ...error, remedy }) });
  return exitCode;
}

/** `--help`, `-h` and `help`, for the program or a command. */
function help(words: Words, program: Command, output: CommandOutput): number {
  const named = words.operands.find((word) => word !== 'help') ?? null;
  const bare = words.given.every(({ flag }) => ['--help', '-h', '--json', '--no-color'].includes(flag));
  const command = program.commands.find((each) => each.name() === (named ?? (bare ? '' : words.command)));
  if (named !== null && command === undefined) {
    const names = program.commands.map((each) => each.name());
    throw usage(
      `There is no command ${shown(named)}.${hint(named, names)}`,
      `Commands: ${names.join(', ')}.`,
    );
  }
  output.say((command ?? program).helpInformation().trimEnd());
  output.emit(resultOf('help', 'shown', 0));
  return 0;
}

async function tellVersion(output: CommandOutput): Promise<number> {
  output.say(version);
  const { madeOf } = await import('./made-of.ts');
  output.emit({ ...resultOf('version', 'shown', 0), madeOf: madeOf() });
  return 0;
}

/** @returns the exit code; never throws what it knows */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const programFor = (product?: Product): Command => {
    const made = createProgram(
      (_, run) =>
        async (...args) => {
          const own = args.at(-1) as Command;
          const argument = typeof args[0] === 'string' ? args[0] : '';
          exitCode = await run(own.opts<Options>(), output, argument, own);
        },
      product,
    );
    for (const each of [made, ...made.commands])
      each.exitOverride().configureOutput({ writeErr: () => undefined });
    return made;
  };
  let program = programFor();
  let words = wordsOf(program, argv);
  const output = createOutput({
    json: isGiven(words, '--json'),
    color: !isGiven(words, '--no-color'),
    verbosity: isGiven(words, '--quiet') ? 'quiet' : isGiven(words, '--verbose') ? 'verbose' : 'normal',
  });
  try {
    const productFile = productFileIn(argv);
    if (productFile !== null) {
      program = programFor(await (await import('../product-file.ts')).readProductFile(productFile));
      words = wordsOf(program, argv);
    }
    if (isGiven(words, '--version')) exitCode = await tellVersion(output);
    else if (isGiven(words, '--help', '-h') || words.operands[0] === 'help')
      exitCode = help(words, program, output);
    else {
      const wrong = badUsage(words, program);
      if (wrong !== null) throw wrong;
      await program.parseAsync([...words.argv], { from: 'user' });
    }
  } catch (error) {
    exitCode = tell(error, words.command, output);
  }
  return afterWriting(exitCode, output.changed());
}
