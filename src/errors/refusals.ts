/** Why a run does not begin to change anything: what was asked, what is there, or somebody said no. */
import { v, type ErrorEntry } from './entry.ts';

export const refusals = {
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
  E_IMAGE_SECRETS: {
    exit: 10,
    what: (x) =>
      `${v(x, 'path')} holds secrets (${v(x, 'names')}), and an image must not: all its hosts would share them.`,
    remedy: () =>
      'If this is an installation, leave --image out. If it is to become an image, its secrets have to be given up: uninstall --purge, then --image.',
  },
  E_IMAGE_UNBOOTED: {
    exit: 10,
    what: (x) =>
      `This is an image whose hosts make their secrets at their first boot (${v(x, 'unit')}), and that has not happened here.`,
    remedy: (x) =>
      `To bring the image up to date, add --image. To make an installation of it, with secrets of its own, add --force-rotate-tokens. On a host that has booted, systemctl status ${v(x, 'unit')} tells why it has none.`,
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
} as const satisfies Record<string, ErrorEntry>;
