/** What of a release is text: the ways in, with what they trust put in, and the list of checksums. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * Writes get.sh, which trusts a key, and user-data.yaml, which trusts that get.sh.
 *
 * @param root of the repository
 * @param directory of the release
 * @param url where its files will be
 * @param key OpenPGP public key, binary
 */
export function writeWaysIn(root, directory, { url, version, key }) {
  const write = (source, mode, values) => {
    const text = Object.entries({ URL: url, ...values }).reduce(
      (filled, [name, value]) => filled.replaceAll(`@${name}@`, value),
      readFileSync(path.join(root, source), 'utf8'),
    );
    writeFileSync(path.join(directory, path.basename(source)), text, { mode });
    return text;
  };
  const get = write('packaging/get.sh', 0o755, { VERSION: version, KEY: key.toString('base64') });
  write('integrations/cloud-init/user-data.yaml', 0o644, { GET_SHA256: sha256(get) });
}

/** Writes the list of what is in the directory of the release. */
export function writeSums(directory) {
  const lines = readdirSync(directory)
    .sort()
    .map((name) => `${sha256(readFileSync(path.join(directory, name)))}  ${name}\n`);
  writeFileSync(path.join(directory, 'SHA256SUMS'), lines.join(''));
}
