/** Plain lines, stable enough to grep; coloured where the output is a terminal. */
import type { RunEvent } from '../run-events.ts';
import { countChanges, describeChange, describePlan, describeReloads } from './words.ts';

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly color: boolean;
  readonly verbosity: 'quiet' | 'normal' | 'verbose';
}

export type Renderer = (event: RunEvent) => void;

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const codes = { green: 32, yellow: 33, red: 31, cyan: 36, bold: 1 } as const;

/** SGR sequences; a library would be loaded on every run for these five. */
function painter(color: boolean): (style: keyof typeof codes, text: string) => string {
  return (style, text) => (color ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}

export function createPlainRenderer({ write, color, verbosity }: PlainOptions): Renderer {
  const paint = painter(color);
  let dryRun = false;
  let diffs: Of<'diff'>[] = [];
  const say = (line: string): void => {
    if (verbosity !== 'quiet') write(`${line}\n`);
  };
  const tag = {
    info: paint('green', '[+]'),
    warning: paint('yellow', '[!]'),
    done: paint('green', '[OK]'),
    dry: paint('cyan', '[DRY-RUN]'),
    error: paint('red', '[ERROR]'),
  };

  const modeLines = ({ mode, envFile, rotate }: Of<'mode'>): void => {
    if (dryRun) {
      const words = {
        fresh: 'No .env detected — tokens would be GENERATED',
        existing: 'Existing .env detected — tokens would be PRESERVED',
        forceRotate: `Existing .env detected — ${rotate.length === 0 ? 'tokens' : rotate.join(', ')} would be REGENERATED`,
      };
      say(`${tag.dry} ${words[mode]}`);
      return;
    }
    if (mode === 'fresh') {
      say(`${tag.info} Generating new secrets...`);
      return;
    }
    say(`${tag.warning} Existing installation detected at ${envFile}`);
    if (mode === 'forceRotate') {
      say(
        `${tag.warning} --force-rotate-tokens : regenerating ${rotate.length === 0 ? 'all secrets' : rotate.join(', ')}`,
      );
    } else {
      say(`${tag.warning} Tokens will be PRESERVED (use --force-rotate-tokens to regenerate)`);
      say(`${tag.info} Loading existing secrets from ${envFile}`);
    }
  };

  const diffOf = (path: string): void => {
    const found = diffs.find((diff) => diff.path === path);
    if (found !== undefined) say(found.diff.trimEnd());
  };

  const planLines = (plan: Of<'plan'>): void => {
    if (dryRun) {
      for (const operation of plan.operations) {
        say(`${tag.dry} Would ${describeChange(operation).infinitive}`);
        if (operation.action === 'replace' || verbosity === 'verbose') diffOf(operation.path);
      }
      for (const { infinitive } of describeReloads(plan.reloads)) say(`${tag.dry} Would ${infinitive}`);
      for (const { because } of plan.reloads)
        if (verbosity === 'verbose') say(`    because of ${because.join(', ')}`);
    } else if (verbosity === 'verbose') {
      for (const { path } of plan.operations) diffOf(path);
    }
    diffs = [];
    say(`${dryRun ? tag.dry : tag.info} Plan ${plan.hash}: ${countChanges(describePlan(plan).length)}`);
  };

  const resultLines = (result: Of<'result'>): void => {
    if (result.error !== null) {
      write(`${tag.error} ${result.error.code}: ${result.error.message}\n`);
      write(`        ${result.error.remedy}\n`);
    }
    const journaled = result.run === null ? '' : ` (run ${result.run})`;
    switch (result.outcome) {
      case 'installed':
        if (!dryRun) say(`${tag.done} Installation complete${journaled}`);
        break;
      case 'unchanged':
        if (!dryRun) say(`${tag.done} Nothing to do: everything is as it should be${journaled}`);
        break;
      case 'rolledBack':
        write(`${tag.warning} Everything was put back as it was before${journaled}\n`);
        break;
      case 'interrupted':
        write(`${tag.warning} Interrupted; what had been changed was put back${journaled}\n`);
        break;
      case 'failed':
        write(`${tag.warning} The host was left as it is now${journaled}\n`);
        break;
      default:
        if (result.exitCode !== 0) write(`${tag.warning} Nothing was changed\n`);
    }
    for (const line of result.next ?? []) say(`    ${line}`);
  };

  return (event) => {
    switch (event.type) {
      case 'run':
        dryRun = event.dryRun;
        if (verbosity === 'verbose')
          say(`${tag.info} mcp-installer ${event.installer}, ${event.product} below ${event.root}`);
        break;
      case 'mode':
        modeLines(event);
        break;
      case 'secret':
        if (verbosity === 'verbose')
          say(`${tag.info} ${event.name}: ${event.origin} (fingerprint ${event.fingerprint})`);
        break;
      case 'diff':
        diffs.push(event);
        break;
      case 'plan':
        planLines(event);
        break;
      case 'operation':
        if (event.outcome !== 'predicted') say(`${tag.info} ${describeChange(event.operation).past}`);
        break;
      case 'reloaded':
        if (event.outcome === 'done')
          for (const { past } of describeReloads(event.reloads)) say(`${tag.info} ${past}`);
        break;
      case 'verified':
        if (event.outcome === 'verified') say(`${tag.info} The service answers`);
        // Configuration tests write files, and an answer needs a change: neither is made up.
        if (event.outcome === 'predicted')
          say(`${tag.dry} Predicted, not checked: configuration tests, the service's answer`);
        break;
      case 'undone':
        for (const path of event.left) say(`${tag.warning} Left as it is: ${path}`);
        break;
      case 'note':
        // What a person must know is told even to those who want quiet.
        if (event.level === 'warning') write(`${tag.warning} ${event.text}\n`);
        else say(`${tag.info} ${event.text}`);
        break;
      case 'result':
        resultLines(event);
        break;
      case 'text':
        write(`${event.text}\n`);
        break;
      // Shown by other lines, or for programs only.
      case 'error':
      case 'state':
      case 'activity':
      case 'status':
      case 'historyEntry':
      case 'record':
      case 'step':
        break;
    }
  };
}
