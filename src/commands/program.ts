/** The command line: which commands and options there are. */
import { Command } from 'commander';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';
import type { Product } from '../products/product.ts';
import { version } from '../version.ts';
import type { Options } from './inputs.ts';
import {
  addCommonOptions,
  addInspectOptions,
  addInstallOptions,
  addProductOption,
  addUndoOptions,
  whichRun,
} from './options.ts';
import type { CommandOutput } from './output.ts';

type Run = (
  options: Options,
  output: CommandOutput,
  argument: string,
  command: Command,
) => Promise<number> | number;

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

  addCommonOptions(
    addInspectOptions(
      addInstallOptions(
        addProductOption(
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
  addCommonOptions(
    addProductOption(
      add('status', 'what is installed, whether it is healthy, what differs', async (options, output) =>
        (await import('./status.ts')).runStatus(options, output, product),
      ),
    ),
  );
  addCommonOptions(
    addUndoOptions(
      addProductOption(
        add(
          'rollback',
          'undo a run and everything after it, newest first',
          async (options, output, _, command) =>
            (await import('./undo.ts')).runRollback(command.args[0], options, output, product),
        ).argument('[run]', 'default: the last run that changed files and is not undone'),
      ),
    ),
  );
  addCommonOptions(
    addUndoOptions(
      addProductOption(
        add('uninstall', 'remove what the installer made; the secrets stay', async (options, output) =>
          (await import('./undo.ts')).runUninstall(options, output, product),
        ).option('--purge', 'remove the secrets and the service’s own state too'),
      ),
    ),
  );
  addCommonOptions(
    add('history', 'the runs, newest first', async (options, output) =>
      (await import('./history.ts')).runHistory(options, output),
    )
      .option('--limit <n>', 'how many (default 20)')
      .option(
        '--prune [keep]',
        'remove the copies of replaced files that runs before the newest KEEP (default 20) kept; the originals stay',
      )
      .option('--dry-run', 'with --prune: tell what would go'),
  );
  addCommonOptions(
    add('show', 'one run, event by event', async (options, output, run) =>
      (await import('./journal.ts')).runShow(run, options, output),
    )
      .option(
        '--export <file>',
        'write the run into one FILE for another host (-: stdout); it is checked to hold no secret',
      )
      .argument('<run>', whichRun),
  );
  addCommonOptions(
    addInspectOptions(
      add(
        'replay',
        'fold a recorded run through the machine again, without side effects',
        async (options, output, run) => (await import('./journal.ts')).runReplay(run, options, output),
      ).argument('<run>', whichRun),
    ),
  );
  addCommonOptions(
    add('graph', 'the machine as text or picture', async (options, output) =>
      (await import('./graph.ts')).runGraph(options, output),
    )
      .option('--format <format>', 'mermaid (default), dot (Graphviz), json (XState, Stately Studio) or svg')
      .option('--run <run>', `mark the way that this run took: ${whichRun}`),
  );
  return program;
}
