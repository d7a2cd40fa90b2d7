/** From words to a command that has run: which product is meant, what bad usage looks like, and what is no command. */
import { CommanderError, type Command } from 'commander';
import { InstallerError, errorTable, toPublicError } from '../errors.ts';
import type { Product } from '../products/product.ts';
import type { ResultEvent } from '../run-events.ts';
import { version } from '../version.ts';
import { badUsage, isGiven, wordsOf, type Words } from './arguments.ts';
import { typeable } from './called.ts';
import type { Options } from './inputs.ts';
import { createOutput, type CommandOutput } from './output.ts';
import { createProgram } from './program.ts';
import { afterWriting } from './streams.ts';
import { printTrace } from './trace.ts';
import { hint, shown, usage } from './usage.ts';

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
    // What is unknown so far may be an option of that product, and the command's name its value.
    const mayTake =
      words.given.some(({ option }) => option === null) ||
      program.commands.some(
        (each) => each.name() === words.command && each.options.some(({ long }) => long === '--product'),
      );
    if (productFile !== null && mayTake) {
      if (productFile === '') throw usage('--product needs a file.', 'Name a YAML or JSON file.');
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
