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
  'image',
  'inspect',
  'inspect-stately',
  'instance',
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

/**
 * Options with the same one are one value once the command line is read: a hyphen before a digit is lost, and `no-x` is x
 * turned off.
 */
export const valueNameOf = (option: string): string =>
  option.replace(/^no-/u, '').replaceAll(/-(?=\d)/gu, '');

const reservedValues = new Set(reservedOptions.map(valueNameOf));

/** Whatever begins with `no-` turns another one off, which no option of a service does. */
export const isReservedOption = (option: string): boolean =>
  option.startsWith('no-') || reservedValues.has(valueNameOf(option));

/** environ(7), systemd.exec(5): what others read or set would not be the service's own any more. */
const reservedKeys =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|TZ|TERM|PWD|MAINPID|MANAGERPID|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_\w*|NOTIFY_SOCKET|WATCHDOG_\w+|LISTEN_(?:FDS|PID|FDNAMES)|LC_\w+|LD_\w+|(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY)$/u;

export const isReservedKey = (key: string): boolean => reservedKeys.test(key);

/** Directories below /etc and /usr/local/lib, and units, of Debian and of well-known software: no service owns them. */
const knownNames: readonly string[] = [
  ...['alternatives', 'apache2', 'apparmor', 'apt', 'avahi', 'bind', 'bluetooth', 'ca-certificates', 'caddy'],
  ...['chrony', 'cmake', 'console-setup', 'containerd', 'cron', 'cups', 'dbus', 'dbus-1', 'dconf', 'debconf'],
  ...[
    'default',
    'dhcp',
    'dnsmasq',
    'docker',
    'dovecot',
    'dpkg',
    'environment',
    'exim4',
    'fail2ban',
    'firewalld',
  ],
  ...[
    'fonts',
    'fstab',
    'getty',
    'girepository-1',
    'glvnd',
    'group',
    'grub',
    'gshadow',
    'gss',
    'haproxy',
    'hosts',
  ],
  ...['hostname', 'init', 'initramfs-tools', 'iproute2', 'iptables', 'issue', 'kernel', 'kubernetes', 'ldap'],
  ...['letsencrypt', 'lighttpd', 'local', 'localtime', 'logcheck', 'logrotate', 'lvm', 'magic', 'mariadb'],
  ...[
    'memcached',
    'modprobe',
    'motd',
    'mtab',
    'mysql',
    'network',
    'networking',
    'networks',
    'nfs',
    'nftables',
  ],
  ...[
    'nginx',
    'nodejs',
    'ntp',
    'ocaml',
    'openvpn',
    'opt',
    'pam',
    'passwd',
    'perl',
    'php',
    'pkgconfig',
    'pki',
  ],
  ...[
    'polkit',
    'polkit-1',
    'postfix',
    'postgresql',
    'ppp',
    'profile',
    'protocols',
    'proftpd',
    'pulse',
    'python3',
  ],
  ...[
    'rabbitmq',
    'redis',
    'resolvconf',
    'rpc',
    'rsyslog',
    'ruby',
    'samba',
    'securetty',
    'security',
    'selinux',
  ],
  ...[
    'sensors',
    'services',
    'sgml',
    'shadow',
    'shells',
    'skel',
    'snmp',
    'squid',
    'ssh',
    'sshd',
    'ssl',
    'subgid',
  ],
  ...[
    'subuid',
    'sudo',
    'sudoers',
    'sysctl',
    'systemd',
    'sysusers',
    'terminfo',
    'timezone',
    'tmpfiles',
    'tor',
  ],
  ...['udev', 'udisks2', 'ufw', 'update-motd', 'vim', 'wireguard', 'xattr', 'xdg', 'xml'],
];

export const isReservedName = (name: string): boolean =>
  ['mcp-oauth-proxy', 'mcp-installer', ...knownNames].includes(name);
