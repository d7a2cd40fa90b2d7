/** Every env file of this host that may hold a secret: of all products, and of all their installations. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createRealHost } from '../effects/host/real.ts';
import { instancesIn, openJournalHome } from '../journal-home.ts';
import { readMemory } from '../journal/reader.ts';
import { sameFamily } from '../products/beside.ts';
import { mcpOauthProxy } from '../products/mcp-oauth-proxy/index.ts';

export interface EnvFile {
  readonly path: string;
  /** Keys that are known to be settings. */
  readonly settings: readonly string[];
  /** Keys that are known to be secrets. */
  readonly secrets: readonly string[];
}

function namesBelowEtc(root: string): readonly string[] {
  try {
    return readdirSync(path.join(root, 'etc')).sort();
  } catch {
    return [];
  }
}

/** What all journals know of: each installation has its own. */
function inJournals(root: string): readonly string[] {
  const plain = openJournalHome({ root, owner: createRealHost({ root }).owner });
  if (plain === null) return [];
  const homes = [plain.path, ...instancesIn(plain.path).map((name) => `${plain.path}/instances/${name}`)];
  const files = homes.flatMap((home) => {
    const { memory } = readMemory(home);
    return [memory, ...Object.values(memory.others)].flatMap(({ envFile }) => envFile ?? []);
  });
  plain.close();
  return files;
}

/**
 * @param told names that a run tells of: what is known of products that are not at hand
 * @returns the env files, whether they are there or not; a run tells of one, but no file may hold what is another's either
 */
export function envFilesBelow(root: string, told: Omit<EnvFile, 'path'>): readonly EnvFile[] {
  const own = [mcpOauthProxy, ...sameFamily(mcpOauthProxy, namesBelowEtc(root))].map(
    ({ envFile, settings, secrets }) => ({
      path: envFile,
      settings: settings.map(({ key }) => key),
      secrets: secrets.map(({ name }) => name),
    }),
  );
  const known = new Set(own.map((file) => file.path));
  const others = [...new Set(inJournals(root))].filter((file) => !known.has(file));
  return [...own, ...others.map((file) => ({ path: file, ...told }))];
}
