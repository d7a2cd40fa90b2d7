/** What people have to be told: who connects a client, who runs the MCP server behind the proxy. Nothing secret. */
import type { Note } from '../../machines/types.ts';
import type { Finished, Settings } from '../product.ts';
import type { Names } from './names.ts';
import { publicUrl } from './settings.ts';

const mcpUrl = (settings: Settings): string => `${publicUrl(settings)}/mcp`;
const backendOf = (settings: Settings): string => settings['BACKEND_URL'] ?? 'the backend';

const onePlace = ({ envFile }: Names): string => `${envFile} (the one place to read a secret)`;

const unguarded: readonly string[] = [
  'No OWNER_PASSWORD is set: anyone who can press Connect on a client with these credentials gets in. To have a password',
  'asked for then, run this again with --owner-password-file FILE.',
];

const hasPassword = ({ secrets }: Finished): boolean =>
  secrets.some(({ name, origin }) => name === 'OWNER_PASSWORD' && origin !== 'removed');

function afterInstallation(names: Names, finished: Finished): readonly string[] {
  const { settings } = finished;
  return [
    `In Claude: Settings, Connectors, Add custom connector; URL ${mcpUrl(settings)}; under Advanced settings type`,
    `CLIENT_ID and CLIENT_SECRET as they stand in ${onePlace(names)}.`,
    `The MCP server at ${backendOf(settings)} is shown MCP_TOKEN of the same file as its bearer.`,
    ...(hasPassword(finished)
      ? ['Who presses Connect is asked for OWNER_PASSWORD of the same file.']
      : unguarded),
  ];
}

function afterRotation(names: Names, finished: Finished): readonly string[] {
  const { settings, secrets } = finished;
  const replaced = secrets.filter(({ origin }) => origin !== 'preserved').map(({ name }) => name);
  const client = replaced.filter((name) => name === 'CLIENT_ID' || name === 'CLIENT_SECRET');
  const lines: string[] = [];
  if (client.length > 0) {
    lines.push(
      `Every client needs the new ${client.join(' and ')} from ${onePlace(names)}`,
      `and has to connect again. In Claude: remove the connector and add it again with the URL ${mcpUrl(settings)}.`,
    );
  } else if (replaced.includes('TOKEN_SECRET')) {
    lines.push('Every client has to connect again: what it has was signed with the old TOKEN_SECRET.');
  }
  if (replaced.includes('MCP_TOKEN')) {
    lines.push(
      `Who runs the MCP server at ${backendOf(settings)} needs the new MCP_TOKEN from ${names.envFile}:`,
      'until it knows that one, it refuses what the proxy passes on.',
    );
  }
  if (replaced.includes('OWNER_PASSWORD') && hasPassword(finished)) {
    lines.push(
      'Who presses Connect is asked for the new OWNER_PASSWORD; clients that are connected stay so.',
    );
  }
  const isConcerned = client.length > 0 || replaced.includes('OWNER_PASSWORD');
  if (isConcerned && !hasPassword(finished)) lines.push(...unguarded);
  return lines;
}

export const nextSteps = (names: Names, finished: Finished): readonly string[] =>
  finished.mode === 'forceRotate' ? afterRotation(names, finished) : afterInstallation(names, finished);

/** A client is bound to the URL that it was given, and its tokens are for that one alone. */
export function settingsChanged(before: Settings, after: Settings): readonly Note[] {
  const [from, to] = [mcpUrl(before), mcpUrl(after)];
  if (from === to) return [];
  const text = `The URL that clients use changes from ${from} to ${to}: every client has to be given the new one and to connect again.`;
  return [{ code: 'public-url-changed', level: 'warning', text }];
}
