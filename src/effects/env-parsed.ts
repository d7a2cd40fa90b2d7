/** The env file of a product, read or about to be written: both readers must see the same in it. */
import { InstallerError } from '../errors.ts';
import type { Product } from '../products/product.ts';
import { EnvFile } from './env-file.ts';

/**
 * @param bytes what stands in the file, or shall
 * @throws E_ENV_INVALID with the first problem's line, and what to do
 */
export function parsedEnv(
  { envFile, secrets, settings }: Pick<Product, 'envFile' | 'secrets' | 'settings'>,
  bytes: Uint8Array,
): EnvFile {
  const parsed = EnvFile.parse(bytes, {
    secrets: secrets.map(({ name }) => name),
    settings: settings.map(({ key }) => key),
  });
  if (parsed.ok) return parsed.file;
  // A file is refused for a problem.
  const first = parsed.problems[0]!;
  const others = parsed.problems.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  const where = first.line === null ? '' : `line ${first.line}: `;
  throw new InstallerError('E_ENV_INVALID', {
    path: envFile,
    what: `${where}${first.what}${more}`,
    remedy: first.remedy,
  });
}
