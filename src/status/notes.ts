/** What `status` adds in words to what it found. */
import type { PublicError } from '../errors.ts';
import type { Memory, ProductMemory } from '../memory.ts';
import type { Note } from '../machines/types.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';

/** What an installation would do about a secret is not what is done: nothing is generated here. */
export const missing = (name: string, path: string): Note => ({
  code: 'secret-missing',
  level: 'warning',
  text: `${name} is missing in ${path}; an installation would generate it, alone.`,
});

/** That secrets were made is not enough: they outlive an uninstall. */
const isInstalled = ({ baselines }: ProductMemory): boolean =>
  Object.values(baselines)
    .flat()
    .some((hash) => hash !== '');

/** Whoever looks for one product where another one is installed has most likely left out which. */
export function elsewhere({ others }: Memory): readonly Note[] {
  const installed = Object.entries(others).flatMap(([name, known]) => {
    const how = name === mcpOauthProxy.name ? 'without --product' : 'with --product FILE';
    return isInstalled(known) ? [`${name} (status ${how})`] : [];
  });
  if (installed.length === 0) return [];
  const text = `Installed on this host by the installer: ${installed.join(', ')}.`;
  return [{ code: 'other-products', level: 'info', text }];
}

/** What is left of an installation that was taken away. */
export const kept = (path: string): Note => ({
  code: 'secrets-kept',
  level: 'info',
  text: `${path} is there, and nothing of what it is for: an installation would take its secrets up again; uninstall --purge removes it.`,
});

export const portTaken = ({ message }: PublicError): Note => ({
  code: 'port-taken',
  level: 'warning',
  text: message,
});
