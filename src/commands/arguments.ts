/** What was typed, word by word, before commander sees it: which command, and everything that is bad usage of any. */
import type { Command, Option } from 'commander';
import type { InstallerError } from '../errors.ts';
import { hint, nearest, shown, usage } from './usage.ts';

interface Given {
  readonly flag: string;
  /** null where none was given. */
  readonly value: string | null;
  readonly option: Option | null;
}

export interface Words {
  /** The first known command; the default one where there is none. */
  readonly command: string;
  readonly given: readonly Given[];
  readonly operands: readonly string[];
  /** For commander: the command first, the rest as it was. */
  readonly argv: readonly string[];
}

const defaultCommand = 'install';

/** Answered for every command, before anything else is judged. */
const answers: readonly string[] = ['--help', '-h', '--version'];

export const isGiven = (words: Words, ...flags: readonly string[]): boolean =>
  words.given.some(({ flag }) => flags.includes(flag));

/** An option means the same in every command, so where its value ends does not depend on the command. */
function optionsOf(program: Command): ReadonlyMap<string, Option> {
  return new Map(
    program.commands.flatMap((command) =>
      command.options.map((option) => [option.long ?? '', option] as const),
    ),
  );
}

/** Never throws: `--help` and the line that tells of bad usage need the words too. */
export function wordsOf(program: Command, argv: readonly string[]): Words {
  const options = optionsOf(program);
  const names = program.commands.map((command) => command.name());
  const given: Given[] = [];
  const operands: { readonly word: string; readonly at: number }[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at]!;
    if (word === '--') {
      for (let rest = at + 1; rest < argv.length; rest += 1) operands.push({ word: argv[rest]!, at: rest });
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push({ word, at });
      continue;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const flag = equals === -1 ? word : word.slice(0, equals);
    const option = options.get(flag) ?? null;
    let value = equals === -1 ? null : word.slice(equals + 1);
    const next = argv[at + 1];
    // What begins with -- is the next option, not the value of this one.
    const follows = next !== undefined && !next.startsWith(option?.optional === true ? '-' : '--');
    if (value === null && follows && (option?.required === true || option?.optional === true)) {
      value = next;
      at += 1;
    }
    given.push({ flag, value, option });
  }
  const known = operands.find(({ word }) => names.includes(word));
  const command = known?.word ?? defaultCommand;
  return {
    command,
    given,
    operands: operands.map(({ word }) => word),
    argv: [command, ...argv.filter((_, at) => at !== known?.at)],
  };
}

/** Lists collect; anything else has one value. */
const lists: readonly string[] = ['--unset', '--force-rotate-tokens'];

function repeated(given: readonly Given[]): InstallerError | null {
  const values = new Map<string, (string | null)[]>();
  for (const { flag, value } of given) values.set(flag, [...(values.get(flag) ?? []), value]);
  for (const [flag, all] of values) {
    const different = [...new Set(all)];
    if (different.length === 1) continue;
    if (!lists.includes(flag)) {
      const words = different.map((value) => shown(value ?? '')).join(' and ');
      return usage(`${flag} is given more than once, with ${words}.`, 'Give it once.');
    }
    if (different.includes(null)) {
      return usage(
        `${flag} is given both without names, which means all, and with names.`,
        'Give it once without names, or with the names only.',
      );
    }
  }
  return null;
}

function excess(words: Words, program: Command, command: Command): InstallerError | null {
  const names = program.commands.map((each) => each.name());
  const [first] = words.operands;
  if (first !== undefined && !names.includes(first)) {
    return usage(
      `There is no command ${shown(first)}.${hint(first, names)}`,
      `Commands: ${names.join(', ')}.`,
    );
  }
  const operands = words.operands.slice(1);
  const word = operands[command.registeredArguments.length];
  if (word === undefined) return null;
  const options = command.options.map(({ long }) => long ?? '');
  const meant = nearest(word, options) ?? nearest(word, names);
  return usage(`${shown(word)} is one word too many.${meant === null ? '' : ` Did you mean ${meant}?`}`);
}

/** What is wrong with the words themselves; null where commander may have them. */
export function badUsage(words: Words, program: Command): InstallerError | null {
  const command = program.commands.find((each) => each.name() === words.command)!;
  const own = command.options.map(({ long }) => long ?? '');
  for (const { flag, value, option } of words.given) {
    if (answers.includes(flag)) continue;
    if (option === null || !own.includes(flag)) {
      const elsewhere = option === null ? '' : ` of ${command.name()}`;
      return usage(`Unknown option '${flag.slice(0, 60)}'${elsewhere}.${hint(flag, own)}`);
    }
    if (option.required && value === null) {
      return usage(`${flag} needs a value: ${option.flags}.`);
    }
    if (!option.required && !option.optional && value !== null) return usage(`${flag} takes no value.`);
  }
  return repeated(words.given) ?? excess(words, program, command);
}
