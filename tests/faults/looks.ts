/** What a host is, as far as an installation is concerned: every path with type, mode, owner and content. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { files, type HostTree } from '../support/host-tree.ts';
import { secretNames } from './scenarios.ts';

/** Path → type, mode, owner, content; the values of the secrets are left out, since each run makes others. */
export type Look = ReadonlyMap<string, string>;

/** Name → value; null: there is no env file. */
export type Secrets = ReadonlyMap<string, string> | null;

const home = files.journal;
/** Where the journal lives is made by the first run that changes something, and stays. */
const wayToJournal: readonly string[] = ['/var', path.dirname(home), home];

const assignment = /^([A-Z_]+)=(.*)$/u;

/** The four secrets as they stand in the env file, whose lines the installer writes bare. */
export function secretsOf(host: HostTree): Secrets {
  if (!existsSync(host.at(files.env))) return null;
  const found = host
    .read(files.env)
    .split('\n')
    .flatMap((line) => [assignment.exec(line)?.slice(1) as [string, string] | undefined])
    .filter((pair) => pair !== undefined);
  return new Map(found.filter(([name]) => secretNames.some((each) => each === name)));
}

const withoutSecrets = (text: string): string =>
  text
    .split('\n')
    .map((line) => {
      const name = assignment.exec(line)?.[1];
      return secretNames.some((each) => each === name) ? `${name}=<value>` : line;
    })
    .join('\n');

function contentOf(host: HostTree, file: string): string {
  const status = lstatSync(host.at(file));
  if (status.isSymbolicLink()) return readlinkSync(host.at(file));
  if (!status.isFile()) return '';
  if (file === files.env) return JSON.stringify(withoutSecrets(host.read(file)));
  return createHash('sha256')
    .update(readFileSync(host.at(file)))
    .digest('hex')
    .slice(0, 12);
}

const typeOf = (file: string): string => {
  const status = lstatSync(file);
  return status.isDirectory()
    ? 'directory'
    : status.isSymbolicLink()
      ? 'link'
      : status.isFile()
        ? 'file'
        : 'other';
};

/** Every path below a directory, it itself first. */
export function pathsBelow(host: HostTree, top: string): readonly string[] {
  const full = host.at(top);
  if (!existsSync(full)) return [];
  if (!lstatSync(full).isDirectory()) return [top];
  const below = readdirSync(full).sort();
  return [top, ...below.flatMap((name) => pathsBelow(host, path.join(top, name)))];
}

export function lookAtHost(host: HostTree): Look {
  const look = new Map<string, string>();
  const visit = (file: string): void => {
    const { mode, uid, gid } = lstatSync(host.at(file));
    const type = typeOf(host.at(file));
    if (!wayToJournal.includes(file))
      look.set(file, [type, (mode & 0o7777).toString(8), uid, gid, contentOf(host, file)].join(' '));
    if (type !== 'directory' || file === home) return;
    for (const name of readdirSync(host.at(file)).sort()) visit(path.join(file, name));
  };
  visit('/');
  return look;
}

/** In words: what differs; nothing where they are the same. */
export function differences(expected: Look, found: Look): readonly string[] {
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((file) => expected.get(file) !== found.get(file))
    .map((file) => `${file}: ${expected.get(file) ?? 'absent'} ≠ ${found.get(file) ?? 'absent'}`);
}
