/** Options that commands have: those of `install` follow from the product, the others are shared by several. */
import path from 'node:path';
import { Option, type Command } from 'commander';
import type { Product } from '../products/product.ts';

/** A list that is given twice is one list. */
const collect = (value: string, before: unknown): string =>
  typeof before === 'string' ? `${before},${value}` : value;

export const addCommonOptions = (command: Command): Command =>
  command
    .option('--root <dir>', 'treat DIR as /')
    .option(
      '--instance <name>',
      'another installation beside the plain one: its own .env, units, ports, journal',
    )
    .option('--json', 'one JSON object a line on stdout; people’s text goes to stderr')
    .option('--quiet', 'only warnings and errors')
    .option('--verbose', 'more: diffs, fingerprints, reasons')
    .option('--no-color', 'no colour (NO_COLOR is honoured too)');

export function addInstallOptions(command: Command, product: Product): Command {
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
    .option(
      '--image',
      'prepare an image: everything but the secrets, which each host makes at its first boot',
    )
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

export const addUndoOptions = (command: Command): Command =>
  command
    .option('--dry-run', 'predict, change nothing at all')
    .option('--no-rollback', 'on failure leave everything as it is')
    .option('--detailed-exitcode', '2 instead of 0 when something changed, or would change')
    .option('--yes', 'never ask');

/** How a run is named, for people. */
export const whichRun =
  'its id, the beginning of one, or last; or a file that --export wrote (with a slash, or ending in .jsonl)';

export const addInspectOptions = (command: Command): Command =>
  command
    .option('--inspect [port]', 'serve the run on 127.0.0.1 for watching in a browser')
    .option('--inspect-stately <url>', 'the Stately inspector’s page (default https://stately.ai/inspect)');

export const addProductOption = (command: Command): Command =>
  command.option('--product <file>', 'another service than mcp-oauth-proxy: a product file (YAML or JSON)');
