/** The command line: which commands and options there are, and what bad usage looks like. */
import { Command, CommanderError, Option } from 'commander';
import { InstallerError, errorTable, toPublicError } from '../errors.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import { version } from '../version.ts';
import type { Options } from './inputs.ts';
import { createOutput, type CommandOutput } from './output.ts';
import { nearest, usage } from './usage.ts';

type Run = (options: Options, output: CommandOutput, argument: string) => Promise<number> | number;

const common = (command: Command): Command =>
  command
    .option('--root <dir>', 'treat DIR as /')
    .option('--json', 'one JSON object a line on stdout; people’s text goes to stderr')
    .option('--quiet', 'only warnings and errors')
    .option('--verbose', 'more: diffs, fingerprints, reasons')
    .option('--no-color', 'no colour (NO_COLOR is honoured too)');

function addInstallOptions(command: Command): Command {
  command
    .option('--dry-run', 'predict, change nothing at all')
    .option(
      '--force-rotate-tokens [names]',
      'regenerate all generated secrets, or only those named (NAME,…)',
    );
  for (const { option, kind, placeholder, description, default: preset } of mcpOauthProxy.settings) {
    const words = preset === undefined ? description : `${description} (default ${preset})`;
    command.addOption(
      new Option(kind === 'flag' ? `--${option}` : `--${option} <${placeholder.toLowerCase()}>`, words),
    );
  }
  for (const { name, fileOption } of mcpOauthProxy.secrets) {
    if (fileOption !== undefined)
      command.option(`--${fileOption} <file>`, `take ${name} from FILE (-: stdin) instead of generating it`);
  }
  return command
    .option('--source <file>', 'install this oauth_proxy.py instead of the bundled one; "bundled" goes back')
    .option('--config <file>', 'settings from a dotenv file')
    .option('--no-packages', 'do not install missing packages; name them and stop')
    .option('--no-start', 'write and enable, start nothing')
    .option('--no-rollback', 'on failure leave everything as it is')
    .option('--keep-edited', 'where an edit and a change of ours meet: keep the edit, lay ours beside it')
    .option('--force-config', 'where an edit and a change of ours meet: replace it, with a backup')
    .option('--allow-downgrade', 'run although a newer installer was here last')
    .option('--unset <names>', 'forget remembered settings (NAME,…)')
    .option('--skip-preflight', 'skip the checks of versions, packages, ports and downgrades')
    .option('--detailed-exitcode', '2 instead of 0 when something changed, or would change')
    .option('--yes', 'never ask');
}

/** Every command as `--help` and the reference page list it. */
export function createProgram(
  onRun: (command: string, run: Run) => (...args: unknown[]) => Promise<void>,
): Command {
  const program = new Command('mcp-installer')
    .description('Installs mcp-oauth-proxy; rerun it as often as you like, secrets stay.')
    .version(version, '--version', 'the version')
    .helpOption('--help', 'help for the program or a command')
    .helpCommand(false)
    .showSuggestionAfterError(true);
  const add = (name: string, description: string, run: Run, isDefault = false): Command =>
    program
      .command(name, { isDefault })
      .description(description)
      .action(onRun(name, run))
      .allowExcessArguments(false);

  common(
    addInstallOptions(
      add(
        'install',
        'detect, decide, write, reload, verify (the default command)',
        async (options, output) => (await import('./install.ts')).runInstall(options, output),
        true,
      ),
    ),
  );
  common(
    add('status', 'what is installed, whether it is healthy, what differs', async (options, output) =>
      (await import('./status.ts')).runStatus(options, output),
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
    ).argument('<run>', 'its id, the beginning of one, or last'),
  );
  common(
    add(
      'replay',
      'fold a recorded run through the machine again, without side effects',
      async (options, output, run) => (await import('./journal.ts')).runReplay(run, options, output),
    ).argument('<run>', 'its id, the beginning of one, or last'),
  );
  add('graph', 'the machine as text', async (options) =>
    (await import('./graph.ts')).runGraph(options),
  ).option('--format <format>', 'mermaid (default) or json');
  return program;
}

/** commander's words as ours: without its prefix, suggestion included. */
function fromCommander(error: CommanderError, program: Command, argv: readonly string[]): InstallerError {
  const [first] = argv;
  if (error.code === 'commander.excessArguments' && first !== undefined && !first.startsWith('-')) {
    const names = program.commands.map((command) => command.name());
    if (!names.includes(first)) {
      const meant = nearest(first, names);
      const hint = meant === null ? '' : ` Did you mean ${meant}?`;
      return usage(
        `There is no command ${JSON.stringify(first.slice(0, 60))}.${hint}`,
        `Commands: ${names.join(', ')}.`,
      );
    }
  }
  const [sentence = '', suggestion = ''] = error.message.replace(/^error: /u, '').split('\n');
  const words = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return usage(
    `${words}${/[.!?]$/u.test(words) ? '' : '.'}${suggestion === '' ? '' : ` ${suggestion.replace(/^\((.*)\)$/u, '$1')}`}`,
  );
}

function tell(error: InstallerError, command: string, output: CommandOutput): number {
  const { exit } = errorTable[error.code];
  const exitCode = exit === 13 ? 10 : exit;
  output.emit({
    v: 1,
    type: 'result',
    command,
    outcome: 'refused',
    exitCode,
    changed: false,
    plan: null,
    run: null,
    error: toPublicError(error),
  });
  return exitCode;
}

/** @returns the exit code; never throws what it knows */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  let command = 'install';
  const json = argv.includes('--json');
  const program = createProgram((name, run) => async (...args) => {
    command = name;
    const own = args.at(-1) as Command;
    const argument = typeof args[0] === 'string' ? args[0] : '';
    const options = own.opts<Options>();
    const output = createOutput(options);
    try {
      exitCode = await run(options, output, argument);
    } catch (error) {
      if (!(error instanceof InstallerError)) throw error;
      exitCode = tell(error, name, output);
    }
  });
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end this way too.
    if (error.exitCode === 0) return 0;
    return tell(fromCommander(error, program, argv), command, createOutput({ json }));
  }
  return exitCode;
}
