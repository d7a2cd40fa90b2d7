/** Plain lines, stable enough to grep; coloured where the output is a terminal. */
import type { RunEvent } from '../run-events.ts';
import { countChanges, describeChange, describePlan, describeReloads } from './words.ts';

export interface Channel {
  readonly write: (text: string) => void;
  readonly color: boolean;
}

export interface PlainOptions {
  readonly out: Channel;
  /** For errors: `command > file` must not put them into the file. */
  readonly err: Channel;
  readonly verbosity: 'quiet' | 'normal' | 'verbose';
}

export type Renderer = (event: RunEvent) => void;

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const codes = { green: 32, yellow: 33, red: 31, cyan: 36, bold: 1 } as const;

/** SGR sequences; a library would be loaded on every run for these five. */
function painter(color: boolean): (style: keyof typeof codes, text: string) => string {
  return (style, text) => (color ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}

const tagsOf = (color: boolean) => {
  const paint = painter(color);
  return {
    info: paint('green', '[+]'),
    warning: paint('yellow', '[!]'),
    done: paint('green', '[OK]'),
    dry: paint('cyan', '[DRY-RUN]'),
    error: paint('red', '[ERROR]'),
  };
};

const fingerprintIn = ({ fingerprint }: Of<'secret'>): string =>
  fingerprint === '' ? '' : ` (fingerprint ${fingerprint})`;

/** What is said of a run that ended well. */
const ended: Readonly<Record<string, string>> = {
  installed: 'Installation complete',
  unchanged: 'Nothing to do: everything is as it should be',
  undone: 'Rolled back',
  uninstalled: 'Uninstalled',
};

export function createPlainRenderer({ out, err, verbosity }: PlainOptions): Renderer {
  const { write } = out;
  let dryRun = false;
  /** Changes were made and put back. */
  let putBack = false;
  let diffs: Of<'diff'>[] = [];
  /** A dry run's last line. */
  let lastLine: string | null = null;
  const say = (line: string): void => {
    if (verbosity !== 'quiet') write(`${line}\n`);
  };
  const tag = tagsOf(out.color);
  const errorTag = tagsOf(err.color);

  const modeLines = ({ mode, envFile, rotate, lost, image }: Of<'mode'>): void => {
    if (image) {
      const found = mode === 'fresh' ? 'No .env detected' : 'Existing .env without secrets detected';
      if (dryRun) say(`${tag.dry} ${found} — each host of the image would make its own tokens`);
      else say(`${tag.info} Image: each host that is made from it makes its own secrets`);
      return;
    }
    if (dryRun) {
      const rotated = `${rotate.length === 0 ? 'tokens' : rotate.join(', ')} would be REGENERATED`;
      const words = {
        fresh: 'No .env detected — tokens would be GENERATED',
        existing: 'Existing .env detected — tokens would be PRESERVED',
        forceRotate: lost ? `Lost .env — all ${rotated}` : `Existing .env detected — ${rotated}`,
      };
      say(`${tag.dry} ${words[mode]}`);
      return;
    }
    if (mode === 'fresh') {
      say(`${tag.info} Generating new secrets...`);
      return;
    }
    say(
      lost
        ? `${tag.warning} Installation without its secrets detected: ${envFile} is missing`
        : `${tag.warning} Existing installation detected at ${envFile}`,
    );
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
    const line = `Plan ${plan.hash}: ${countChanges(describePlan(plan).length)}`;
    if (dryRun) lastLine = `${tag.dry} ${line}`;
    else say(`${tag.info} ${line}`);
  };

  const errorLines = ({ error, outcome, command, run }: Of<'result'>): void => {
    const complain = (line: string): void => err.write(`${line}\n`);
    if (error !== null) {
      complain(`${errorTag.error} ${error.code}: ${error.message}`);
      complain(`        ${error.remedy}`);
    }
    const journaled = run === null ? '' : ` (run ${run})`;
    switch (outcome) {
      case 'rolledBack':
        complain(`${errorTag.warning} Everything was put back as it was before${journaled}`);
        break;
      case 'interrupted':
        complain(
          putBack
            ? `${errorTag.warning} Interrupted; what had been changed was put back${journaled}`
            : `${errorTag.warning} Interrupted; nothing was changed${journaled}`,
        );
        break;
      case 'failed':
        complain(`${errorTag.warning} The host was left as it is now${journaled}`);
        break;
      default:
        if (['install', 'rollback', 'uninstall'].includes(command) && error !== null)
          complain(`${errorTag.warning} Nothing was changed`);
    }
  };

  const resultLines = (result: Of<'result'>): void => {
    const journaled = result.run === null ? '' : ` (run ${result.run})`;
    const done = ended[result.outcome];
    if (!dryRun && done !== undefined) say(`${tag.done} ${done}${journaled}`);
    for (const line of result.next ?? []) say(`    ${line}`);
    if (lastLine !== null) say(lastLine);
    lastLine = null;
    errorLines(result);
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
        if (verbosity === 'verbose') say(`${tag.info} ${event.name}: ${event.origin}${fingerprintIn(event)}`);
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
        putBack = true;
        for (const path of event.left) say(`${tag.warning} Left as it is: ${path}`);
        break;
      case 'note':
        // What a person must know is told even to those who want quiet.
        if (event.level === 'warning') write(`${tag.warning} ${event.text}\n`);
        else say(`${tag.info} ${event.text}`);
        break;
      case 'inspector':
        // Asked for, so it is told even to those who want quiet.
        write(`${tag.info} Inspector: ${event.url}\n`);
        write(`${tag.info} From another machine first: ${event.ssh}\n`);
        break;
      case 'result':
        resultLines(event);
        break;
      // Shown by other lines, or for programs only.
      case 'error':
      case 'state':
      case 'activity':
      case 'status':
      case 'historyEntry':
      case 'pruned':
      case 'record':
      case 'step':
      case 'graph':
        break;
    }
  };
}
