/**
 * Completions for bash, zsh and fish, from the definitions of the commands. They are plain scripts: a Tab that asked the
 * program itself would start it as root at every press. Names of runs are taken from the journal's directory, where whoever
 * presses may read it.
 */
import type { Command, Option } from 'commander';
import { createProgram } from '../src/commands/program.ts';

const made = '# Made by `npm run docs`; do not edit.';

interface Completed {
  readonly name: string;
  readonly description: string;
  readonly takesRun: boolean;
  readonly options: readonly Flag[];
}

interface Flag {
  readonly long: string;
  readonly description: string;
  /** What stands behind it; null where nothing does, or nothing need to. */
  readonly value: 'file' | 'directory' | 'run' | readonly string[] | 'other' | null;
}

const formats = ['mermaid', 'dot', 'json', 'svg'];

function valueOf({ flags, required, long }: Option): Flag['value'] {
  if (!required) return null;
  if (long === '--format') return formats;
  const name = /<([^>]+)>/u.exec(flags)?.[1] ?? '';
  return name === 'file' ? 'file' : name === 'dir' ? 'directory' : name === 'run' ? 'run' : 'other';
}

const completed = (command: Command): Completed => ({
  name: command.name(),
  description: command.description(),
  takesRun: command.registeredArguments.some((argument) => argument.name() === 'run'),
  options: [
    ...command.options.map((option) => ({
      long: option.long ?? '',
      description: option.description,
      value: valueOf(option),
    })),
    { long: '--help', description: 'help', value: null },
  ],
});

const runs = 'ls /var/lib/mcp-installer/runs 2>/dev/null';

function bash(commands: readonly Completed[]): string {
  const named = (value: Flag['value'] & string): string =>
    [
      ...new Set(
        commands.flatMap(({ options }) =>
          options.filter((each) => each.value === value).map(({ long }) => long),
        ),
      ),
    ].join(' | ');
  const cases = commands.map(
    ({ name, options, takesRun }) =>
      `    ${name})\n      words="${options.map(({ long }) => long).join(' ')}"\n${takesRun ? `      runs="last $(${runs})"\n` : ''}      ;;`,
  );
  return `${made}
# shellcheck shell=bash
_mcp_installer() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=install words='' runs='' word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
    ${commands.map(({ name }) => name).join(' | ')}) command=$word; break ;;
    esac
  done
  case $previous in
  ${named('file')}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
  ${named('directory')}) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
  ${named('run')}) mapfile -t COMPREPLY < <(compgen -W "last $(${runs})" -- "$current"); return ;;
  --format) mapfile -t COMPREPLY < <(compgen -W '${formats.join(' ')}' -- "$current"); return ;;
  ${named('other')}) return ;;
  esac
  case $command in
${cases.join('\n')}
  esac
  if [[ $current != -* && $COMP_CWORD -eq 1 ]]; then words='${commands.map(({ name }) => name).join(' ')} help'
  elif [[ $current != -* ]]; then words=$runs
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _mcp_installer mcp-installer
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(commands: readonly Completed[]): string {
  const described = (text: string): string =>
    text.replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', '\\:');
  const spec = ({ long, description, value }: Flag): string => {
    const action =
      value === null
        ? ''
        : value === 'file'
          ? ':file:_files'
          : value === 'directory'
            ? ':directory:_files -/'
            : value === 'run'
              ? ':run:_mcp_installer_runs'
              : value === 'other'
                ? ':value: '
                : `:format:(${value.join(' ')})`;
    return quoted(`${long}${value === null ? '' : '='}[${described(description)}]${action}`);
  };
  const cases = commands.map(
    ({ name, options, takesRun }) =>
      `    ${name})\n      _arguments ${[...options.map(spec), ...(takesRun ? ["'*:run:_mcp_installer_runs'"] : [])].join(' \\\n        ')}\n      ;;`,
  );
  return `#compdef mcp-installer
${made}
_mcp_installer_runs() {
  local -a found
  found=(last \${(f)"$(${runs})"})
  compadd -a found
}
_mcp_installer_of() {
  case $1 in
${cases.join('\n')}
  esac
}
_mcp_installer() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=\${words[(r)(${commands.map(({ name }) => name).join('|')})]:-install}
  if [[ $words[2] == $command ]]; then
    shift words
    (( CURRENT -= 1 ))
  fi
  _mcp_installer_of $command
}
_mcp_installer "$@"
`;
}

function fish(commands: readonly Completed[]): string {
  const own = (name: string): string =>
    name === 'install'
      ? `'not __fish_seen_subcommand_from ${commands
          .filter((each) => each.name !== 'install')
          .map((each) => each.name)
          .join(' ')}'`
      : `'__fish_seen_subcommand_from ${name}'`;
  const value = ({ value: kind }: Flag): string => {
    if (kind === null) return '';
    if (kind === 'file') return ' -r -F';
    if (kind === 'directory') return " -x -a '(__fish_complete_directories)'";
    if (kind === 'run') return ` -x -a 'last (${runs})'`;
    return kind === 'other' ? ' -x' : ` -x -a '${kind.join(' ')}'`;
  };
  const lines = commands.flatMap(({ name, description, options, takesRun }) => [
    `complete -c mcp-installer -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...(takesRun ? [`complete -c mcp-installer -f -n ${own(name)} -a 'last (${runs})'`] : []),
    ...options.map(
      (flag) =>
        `complete -c mcp-installer -n ${own(name)} -l ${flag.long.slice(2)} -d ${quoted(flag.description)}${value(flag)}`,
    ),
  ]);
  return `${made}\n${lines.join('\n')}\n`;
}

/** File name, as each shell looks for it → text. */
export function completions(): Readonly<Record<string, string>> {
  const commands = createProgram(() => () => Promise.resolve()).commands.map(completed);
  return {
    'mcp-installer.bash': bash(commands),
    '_mcp-installer': zsh(commands),
    'mcp-installer.fish': fish(commands),
  };
}
