/** What goes wrong once a run has begun to change the host, and in proving that it worked. */
import { v, type ErrorEntry } from './entry.ts';

export const failures = {
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
} as const satisfies Record<string, ErrorEntry>;
