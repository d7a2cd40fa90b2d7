/** Where a setting comes from: flag, else environment, else --config, else what is remembered, else the default. */
import { describe, expect, test } from 'vitest';
import { expectExit, files, place, type Place } from '../support/place.ts';
import { changedPaths } from '../support/tree.ts';

interface Row {
  /** As remembered in the env file, and by its option. One of TLS is none without the other. */
  readonly settings: Readonly<Record<string, string>>;
  /** What each of them is when it comes from there; in the canonical spelling. */
  readonly from: (source: string) => string;
  /** What is in force where nobody says anything; null: nothing. */
  readonly preset: string | null;
  /** What the setting cannot do without. */
  readonly base?: readonly string[];
}

const numbers: Readonly<Record<string, string>> = {
  remembered: '1',
  config: '2',
  environment: '3',
  flag: '4',
};

const rows: Readonly<Record<string, Row>> = {
  domain: {
    settings: { DOMAIN: 'domain' },
    from: (source) => `${source}.example.org`,
    preset: null,
  },
  port: {
    settings: { LISTEN_PORT: 'port' },
    from: (source) => `900${numbers[source]!}`,
    preset: '8083',
  },
  'backend URL': {
    settings: { BACKEND_URL: 'backend-url' },
    from: (source) => `https://${source}.example.org/mcp`,
    preset: 'http://127.0.0.1:8000/mcp',
  },
  'public URL': {
    settings: { PUBLIC_URL: 'public-url' },
    from: (source) => `https://${source}.example.org`,
    preset: null,
  },
  'TLS files': {
    settings: { TLS_CERT: 'tls-cert', TLS_KEY: 'tls-key' },
    from: (source) => `/etc/ssl/${source}.pem`,
    preset: null,
    base: ['--domain', 'mcp.example.org'],
  },
  'redirect URIs': {
    settings: { REDIRECT_URIS: 'redirect-uris' },
    from: (source) => `https://${source}.example.org/callback`,
    preset: null,
  },
};

function placeWithFiles(): Place {
  const root = place();
  for (const source of Object.keys(numbers)) root.write(`/etc/ssl/${source}.pem`, 'PEM\n');
  return root;
}

const variableOf = (option: string): string => `MCP_INSTALLER_${option.replaceAll('-', '_').toUpperCase()}`;

describe.each(Object.entries(rows))('%s', (_, row) => {
  const { settings, from, preset, base = [] } = row;
  const keys = Object.keys(settings);
  const options = Object.values(settings);
  const flags = (source: string): readonly string[] =>
    options.flatMap((option) => [`--${option}`, from(source)]);
  const env = Object.fromEntries(options.map((option) => [variableOf(option), from('environment')]));
  const remembered = (root: Place): readonly (string | null)[] =>
    keys.map((key) => new RegExp(`^${key}=(.*)$`, 'mu').exec(root.read(files.env))?.[1] ?? null);
  const all = (value: string | null): readonly (string | null)[] => keys.map(() => value);

  test('comes from the first that says it, is remembered, and is forgotten when that is asked for', async () => {
    using root = placeWithFiles();
    root.write('/root/settings.env', keys.map((key) => `${key}=${from('config')}\n`).join(''));
    const config = ['--config', root.at('/root/settings.env')];

    expectExit(await root.install([...base, ...flags('remembered')]), 0);
    expect(remembered(root)).toEqual(all(from('remembered')));
    expectExit(await root.install(config), 0);
    expect(remembered(root)).toEqual(all(from('config')));
    expectExit(await root.install(config, { env }), 0);
    expect(remembered(root)).toEqual(all(from('environment')));
    expectExit(await root.install([...config, ...flags('flag')], { env }), 0);
    expect(remembered(root)).toEqual(all(from('flag')));

    const before = root.look();
    expectExit(await root.install(['--detailed-exitcode']), 0);
    expect(changedPaths(before, root.look())).toEqual([]);

    expectExit(await root.install(['--unset', keys.join(',')]), 0);
    expect(remembered(root)).toEqual(all(preset));
  });

  test('is the default where nobody says it, and an empty variable says nothing', async () => {
    using root = placeWithFiles();
    const empty = Object.fromEntries(options.map((option) => [variableOf(option), '']));
    expectExit(await root.install([...base], { env: empty }), 0);
    expect(remembered(root)).toEqual(all(preset));
  });

  test('is not forgotten and given at once', async () => {
    using root = placeWithFiles();
    const ran = expectExit(await root.install([...base, ...flags('flag'), '--unset', keys.join(',')]), 64);
    expect(ran.stderr).toContain(`E_USAGE: --unset ${keys[0]!} contradicts the value given for it.`);
  });
});
