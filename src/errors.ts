/**
 * Every error of the project: a stable code, what happened, what to do, and the exit code that follows.
 *
 * One table, so that the reference page, the command line and the library cannot disagree. Values that go into
 * a sentence are public by rule: names, paths, numbers, never a secret (see docs/reference/errors.md).
 */

type Values = Readonly<Record<string, string>>;

interface ErrorEntry {
  /** Process exit code when this error ends a run before anything was changed. */
  readonly exit: 10 | 11 | 13 | 64 | 65 | 70;
  readonly what: (v: Values) => string;
  readonly remedy: (v: Values) => string;
}

const v = (values: Values, name: string): string => values[name] ?? `<${name}>`;

/** Every error code with its exit code, what happened, and what to do. */
export const errorTable = {
  E_USAGE: {
    exit: 64,
    what: (x) => v(x, 'what'),
    remedy: (x) => x['remedy'] ?? 'See `mcp-installer --help`.',
  },
  E_NOT_ROOT: {
    exit: 10,
    what: (x) =>
      x['path'] === undefined
        ? 'This must run as root, because it writes below /etc and restarts services.'
        : `This must run as root, because nobody else may look at ${x['path']}.`,
    remedy: (x) => (x['command'] === undefined ? 'Run it with sudo.' : `Run: ${x['command']}`),
  },
  E_BUSY: {
    exit: 11,
    what: () => 'Another run of the installer is under way on this host.',
    remedy: () => 'Wait until it has ended, then run this again; nothing was changed.',
  },
  E_ROOT_INVALID: {
    exit: 64,
    what: (x) => `--root ${v(x, 'path')} cannot be used: ${v(x, 'why')}.`,
    remedy: () => 'Give an existing directory that you can write.',
  },
  E_PATH_UNSAFE: {
    exit: 10,
    what: (x) => `${v(x, 'path')} cannot be trusted: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'Look at the path, put it right, and run this again.',
  },
  E_PATH_CLAIMED: {
    exit: 10,
    what: (x) => `${v(x, 'path')} belongs to ${v(x, 'product')}, which is installed on this host too.`,
    remedy: () => 'Give one of the two another name or other paths; nothing was changed.',
  },
  E_INSTANCE_CLASH: {
    exit: 10,
    what: (x) => `${v(x, 'what')}.`,
    remedy: (x) => x['remedy'] ?? 'Give this installation another port, domain or name; nothing was changed.',
  },
  E_NAME_TAKEN: {
    exit: 10,
    what: (x) => `The name ${v(x, 'name')} is used by other software on this host: ${v(x, 'path')} is there.`,
    remedy: () => 'Give the service another name; nothing was changed.',
  },
  E_PRODUCT_INVALID: {
    exit: 64,
    what: (x) => v(x, 'what'),
    remedy: (x) =>
      x['remedy'] ??
      'Put it right; what may stand there is told in docs/reference/product.md, in the package and in the repository of mcp-installer.',
  },
  E_ENV_LOST: {
    exit: 10,
    what: (x) => `${v(x, 'path')} is missing, but this host is not fresh: ${v(x, 'traces')}.`,
    remedy: (x) =>
      `Restore ${v(x, 'path')} from a backup; or, to give up the old secrets and reconnect every client, run with --force-rotate-tokens.`,
  },
  E_ENV_INVALID: {
    exit: 10,
    what: (x) => `${v(x, 'path')}: ${v(x, 'what')}`,
    remedy: (x) => x['remedy'] ?? 'Put the line right by hand, and run this again.',
  },
  E_ENV_FOREIGN: {
    exit: 10,
    what: (x) => `${v(x, 'path')} is there, but holds none of ${v(x, 'names')}.`,
    remedy: () =>
      'If it belongs to something else, move it away; if it lost its secrets, restore it from a backup. It was not touched.',
  },
  E_ENV_UNREADABLE: {
    exit: 10,
    what: (x) => `${v(x, 'path')} cannot be read (${v(x, 'why')}), which does not mean that it is absent.`,
    remedy: () => 'Run as root, and look at the file system that it lies on.',
  },
  E_SETTING_INVALID: {
    exit: 10,
    what: (x) => `The remembered setting ${v(x, 'key')} in ${v(x, 'path')} is invalid: ${v(x, 'why')}.`,
    remedy: (x) => `Correct it, give the option on the command line, or run with --unset ${v(x, 'key')}.`,
  },
  E_SECRET_DIFFERS: {
    exit: 10,
    what: (x) => `The installation already has another value for ${v(x, 'name')} than the file given.`,
    remedy: (x) =>
      `To replace it, add --force-rotate-tokens ${v(x, 'name')}; to keep it, leave the file option out.`,
  },
  E_PACKAGES_MISSING: {
    exit: 10,
    what: (x) => `These packages are missing: ${v(x, 'packages')}.`,
    remedy: (x) => `Install them (apt-get install ${v(x, 'packages')}) or run without --no-packages.`,
  },
  E_PLATFORM: {
    exit: 10,
    what: (x) => `This host cannot run the service: ${v(x, 'why')}.`,
    remedy: () => 'Debian 12 or 13 with systemd is what is supported; --skip-preflight tries all the same.',
  },
  E_PORT_TAKEN: {
    exit: 10,
    what: (x) => `Port ${v(x, 'port')} on ${v(x, 'address')} is in use by ${v(x, 'who')}.`,
    remedy: (x) => x['remedy'] ?? 'Stop that program, or choose another port with --port.',
  },
  E_TLS_LOST: {
    exit: 10,
    what: (x) => `The site is served with TLS, but its certificate is gone: ${v(x, 'path')}.`,
    remedy: () =>
      'Restore or renew the certificate, or give another with --tls-cert and --tls-key. To give TLS up on purpose, use --insecure-http.',
  },
  E_TLS_UNREADABLE: {
    exit: 10,
    what: (x) => `The TLS file ${v(x, 'path')} cannot be used: ${v(x, 'why')}.`,
    remedy: () => 'Give a certificate and its key as PEM files that exist, with --tls-cert and --tls-key.',
  },
  E_NOT_INCLUDED: {
    exit: 10,
    what: (x) =>
      `${v(x, 'path')} does not include ${v(x, 'include')}, so nginx would not read what is written there.`,
    remedy: (x) =>
      `Add the line "include ${v(x, 'include')};" to its http block, and run this again; or leave nginx alone with --no-nginx and --public-url.`,
  },
  E_SOURCE_LOST: {
    exit: 10,
    what: (x) => `${v(x, 'path')} came from --source, is gone, and cannot be made again.`,
    remedy: () => 'Give the file again with --source FILE, or go back with --source bundled.',
  },
  E_EDIT_CONFLICT: {
    exit: 10,
    what: (x) =>
      x['breaking'] === undefined
        ? `Someone edited ${v(x, 'paths')}, and the installer has a change for it too.`
        : `Someone edited ${v(x, 'paths')}, and ${x['breaking']} lacks what others of the installer's files rely on.`,
    remedy: () =>
      '--keep-edited keeps the edited file and lays the new one beside it as NAME.mcp-new; --force-config replaces it, with a backup.',
  },
  E_DOWNGRADE: {
    exit: 10,
    what: (x) => `A newer installer (${v(x, 'newer')}) was here last; this is ${v(x, 'current')}.`,
    remedy: () => 'Use the newer installer, or add --allow-downgrade.',
  },
  E_UNIT_MASKED: {
    exit: 10,
    what: (x) => `The unit ${v(x, 'unit')} is masked.`,
    remedy: (x) => `Run: systemctl unmask ${v(x, 'unit')}`,
  },
  E_DECLINED: {
    exit: 10,
    what: () => 'Declined at the question; nothing was changed.',
    remedy: () => 'Run it again when you are ready.',
  },
  E_WRITE_FAILED: {
    exit: 13,
    what: (x) => `${v(x, 'path')} could not be written: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'Put the cause right and run this again.',
  },
  E_CHANGED_UNDERWAY: {
    exit: 13,
    what: (x) => `${v(x, 'path')} was changed by someone else between planning and writing.`,
    remedy: () => 'Run this again; it will plan on what is there now.',
  },
  E_PACKAGES_FAILED: {
    exit: 13,
    what: (x) => `apt-get could not install ${v(x, 'packages')}: ${v(x, 'why')}.`,
    remedy: () => 'Run the apt-get command by hand to see why, then run this again.',
  },
  E_CONFIG_REJECTED: {
    exit: 13,
    what: (x) => `${v(x, 'tool')} rejects the new configuration: ${v(x, 'why')}.`,
    remedy: (x) =>
      x['remedy'] ?? 'If the complaint is about a file of yours, put it right and run this again.',
  },
  E_COMMAND_FAILED: {
    exit: 13,
    what: (x) => `${v(x, 'command')} failed: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'Put the cause right and run this again.',
  },
  E_UNHEALTHY: {
    exit: 13,
    what: (x) => `The service is not healthy: ${v(x, 'why')}.`,
    remedy: (x) => `See: journalctl -u ${v(x, 'unit')} -n 50`,
  },
  E_FOREIGN_LISTENER: {
    exit: 13,
    what: (x) => `${v(x, 'address')} is answered by a process that is not the unit's own (${v(x, 'who')}).`,
    remedy: () => 'Stop that process or choose another port with --port. No credential was sent to it.',
  },
  E_SITE_STALE: {
    exit: 13,
    what: (x) => `nginx was reloaded but does not serve the new configuration: ${v(x, 'why')}.`,
    remedy: () => 'See /var/log/nginx/error.log; another site may take precedence over this one.',
  },
  E_CERTIFICATE_INVALID: {
    exit: 13,
    what: (x) => `The certificate that nginx serves for ${v(x, 'domain')} is not valid: ${v(x, 'why')}.`,
    remedy: () => 'Renew it (certbot renew) and run the installer again, which makes nginx read it.',
  },
  E_ROTATION_UNPROVEN: {
    exit: 13,
    what: (x) => `The rotation did not take effect: ${v(x, 'why')}.`,
    remedy: () => 'See the service log with journalctl; the old secrets were put back unless said otherwise.',
  },
  E_INTERRUPTED: {
    exit: 13,
    what: (x) => `Interrupted by ${v(x, 'signal')}.`,
    remedy: () => 'Run it again to finish.',
  },
  E_UNDO_FAILED: {
    exit: 13,
    what: (x) => `Not everything could be put back: ${v(x, 'why')}.`,
    remedy: () =>
      'Run the installer again: it starts from what is there and finishes what is owed. The copies of replaced files are in the folder of this run below /var/lib/mcp-installer.',
  },
  E_UNDO_ROTATION: {
    exit: 10,
    what: (x) =>
      `Since run ${v(x, 'run')} these secrets got other values, and the old ones are nowhere any more: ${v(x, 'names')}.`,
    remedy: () => 'Undo a later run, or none: whoever had the old values has been given the new ones.',
  },
  E_UNDO_EDITED: {
    exit: 10,
    what: (x) => `A person edited what would be put back: ${v(x, 'paths')}.`,
    remedy: () => 'Put the edits aside and restore what the installer wrote, then run this again.',
  },
  E_UNDO_LOST: {
    exit: 10,
    what: (x) => `What stood at ${v(x, 'paths')} was not kept, so it cannot be put back.`,
    remedy: () => 'Undo a later run, or put the files back by hand.',
  },
  E_UNDO_PRUNED: {
    exit: 10,
    what: (x) =>
      `What stood at ${v(x, 'paths')} before run ${v(x, 'run')} cannot be put back: its copies were pruned, since only the newest runs keep theirs.`,
    remedy: () =>
      'Undo a later run (`mcp-installer history` lists them), or uninstall: the originals from before the first installation are kept.',
  },
  E_PRUNE: {
    exit: 13,
    what: (x) => `The copies of run ${v(x, 'run')} could not be pruned: ${v(x, 'why')}.`,
    remedy: () =>
      'Put the cause right, then run `mcp-installer history --prune`: it goes on where this stopped. Nothing else was touched.',
  },
  E_JOURNAL: {
    exit: 10,
    what: (x) => `The journal cannot be written: ${v(x, 'why')}.`,
    remedy: (x) => `Make room or make ${v(x, 'path')} writable, and run this again.`,
  },
  E_JOURNAL_DAMAGED: {
    exit: 65,
    what: (x) => `The journal ${v(x, 'path')} is damaged or foreign: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'A new install is not stopped by it; a restart then counts as owed.',
  },
  E_RUN_UNKNOWN: {
    exit: 64,
    what: (x) => `There is no run ${v(x, 'run')}.`,
    remedy: () => 'See `mcp-installer history` for the runs of this host.',
  },
  E_EXPORT: {
    exit: 10,
    what: (x) => `The run was not exported to ${v(x, 'path')}: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'Name a file in a directory that you can write.',
  },
  E_EXPORT_SECRET: {
    exit: 10,
    what: (x) =>
      `The journal of run ${v(x, 'run')} holds the value of ${v(x, 'name')}, so it was not exported.`,
    remedy: () =>
      'This should not be possible: please report it, without the journal, and rotate that secret with --force-rotate-tokens.',
  },
  E_OUTPUT: {
    exit: 13,
    what: (x) => `What was to be told could not be written to stdout (${v(x, 'why')}).`,
    remedy: (x) => x['remedy'] ?? 'What was done stands; make room, and see `mcp-installer show last`.',
  },
  E_NODE: {
    exit: 10,
    what: (x) => `Node ${v(x, 'version')} is too old for this.`,
    remedy: () => 'Install Node 20.19 or newer; or use install.sh of a clone, which fetches one for itself.',
  },
  E_BOOTSTRAP: {
    exit: 10,
    what: (x) => `install.sh could not make the installer ready: ${v(x, 'why')}.`,
    remedy: (x) => x['remedy'] ?? 'The lines above tell why; put it right and run this again.',
  },
  E_INTERNAL: {
    exit: 70,
    what: (x) => `A bug in the installer: ${v(x, 'why')}.`,
    remedy: () => 'Please report it with the trace above; `mcp-installer status` tells how the host is.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** A stable code that programs can match, as `E_BUSY`. */
export type ErrorCode = keyof typeof errorTable;

/** What of an error may be journaled, shown and inspected: all of it is public. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The one error class that leaves the effects.
 *
 * @param code row of {@link errorTable}
 * @param values public words for the sentences; never a secret
 * @param cause the original, kept out of JSON, of the journal and of the inspector
 */
export class InstallerError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, values: Values = {}, cause?: unknown) {
    const entry: ErrorEntry = errorTable[code];
    super(entry.what(values));
    this.name = 'InstallerError';
    this.code = code;
    this.remedy = entry.remedy(values);
    // Not enumerable: whoever serialises this error must not find output or arguments of a child in it.
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false });
  }

  toJSON(): PublicError {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** Is this a code of {@link errorTable}? */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code);

/**
 * The public face of anything that was thrown. Unknown errors become `E_INTERNAL` by name only: their message may
 * hold arguments or output of a child.
 */
export function toPublicError(error: unknown): PublicError {
  if (error !== null && typeof error === 'object' && 'code' in error && isErrorCode(error.code)) {
    const { code, message, remedy } = error as PublicError;
    if (typeof message === 'string' && typeof remedy === 'string') return { code, message, remedy };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return new InstallerError('E_INTERNAL', { why: `an unexpected ${name}` }, error).toJSON();
}
