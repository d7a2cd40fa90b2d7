/** Names that are not a service's to give. */

/** Options of `install` that are the installer's own (a test holds this list against them). */
export const reservedOptions: readonly string[] = [
  'allow-downgrade',
  'config',
  'detailed-exitcode',
  'dry-run',
  'force-config',
  'force-rotate-tokens',
  'help',
  'inspect',
  'inspect-stately',
  'json',
  'keep-edited',
  'no-color',
  'no-packages',
  'no-rollback',
  'no-start',
  'product',
  'quiet',
  'root',
  'skip-preflight',
  'source',
  'unset',
  'verbose',
  'version',
  'yes',
];

/** environ(7), systemd.exec(5): what others read or set would not be the service's own any more. */
const reservedKeys =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|TZ|TERM|PWD|MAINPID|MANAGERPID|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_\w*|NOTIFY_SOCKET|WATCHDOG_\w+|LISTEN_(?:FDS|PID|FDNAMES)|LC_\w+|LD_\w+|(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY)$/u;

export const isReservedKey = (key: string): boolean => reservedKeys.test(key);

export const isReservedName = (name: string): boolean => ['mcp-oauth-proxy', 'mcp-installer'].includes(name);
