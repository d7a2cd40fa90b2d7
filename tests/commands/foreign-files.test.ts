/** What others have put where the installer writes: shown without their secrets, kept, replaced or refused. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, temporaryRoot, type Ran } from '../support/installer.ts';
import { changedPaths, treeOf } from '../support/tree.ts';

const unit = '/etc/systemd/system/mcp-oauth-proxy.service';
const code = '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py';
const site = '/etc/nginx/sites-available/mcp-oauth-proxy.conf';
const zones = '/etc/nginx/conf.d/mcp-oauth-proxy.conf';
const enabled = '/etc/nginx/sites-enabled/mcp-oauth-proxy.conf';
const journal = '/var/lib/mcp-installer';

const secrets = {
  MCP_TOKEN: 'c1'.repeat(32),
  CLIENT_ID: 'c2'.repeat(16),
  CLIENT_SECRET: 'c3'.repeat(32),
  TOKEN_SECRET: 'c4'.repeat(32),
};

interface Place extends Disposable {
  readonly path: string;
  install(...args: readonly string[]): Promise<Ran>;
  at(file: string): string;
  write(file: string, text: string): void;
  changed(before: ReadonlyMap<string, string>): readonly string[];
}

function place(): Place {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  return {
    path: root.path,
    install: (...args) => run([...args, '--root', root.path]),
    at,
    write: (file, text) => {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      rmSync(at(file), { force: true });
      writeFileSync(at(file), text, { mode: file.endsWith('.env') ? 0o600 : 0o644 });
    },
    changed: (before) => changedPaths(before, treeOf(root.path)).filter((name) => !name.startsWith(journal)),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

async function installed(): Promise<Place> {
  const root = place();
  expect(await root.install()).toMatchObject({ exitCode: 0 });
  return root;
}

/** As it is, in base64 (any alignment), in base64 for URLs, in hex and escaped for a URL. */
function encodings(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.from('x'.repeat(shift)), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const urls = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  const escaped = encodeURIComponent(value);
  const wholly = hex.replaceAll(/../gu, '%$&');
  return [...new Set([value, ...base64, ...urls, hex, hex.toUpperCase(), escaped, wholly])];
}

describe('diffs', () => {
  const canaries = {
    environment: 'canary-in-the-environment+/1',
    argument: 'canary-in-an-argument-2',
    comment: 'canary-in-a-comment-3',
    continued: 'canary-in-a-continued-line-4',
    bearer: 'canary-in-a-header-5',
    code: 'canary-in-the-code-6',
    other: 'canary-of-another-key-7',
  };

  /** As the older bash script left it: no journal knows any of these files. */
  function legacy(root: Place): void {
    const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
    root.write('/etc/mcp-oauth-proxy/.env', `${lines.join('')}SMTP_PASSWORD=${canaries.other}\n`);
    root.write(
      unit,
      `[Unit]
# ${canaries.comment}
Description=OAuth proxy for MCP
[Service]
Environment=MCP_TOKEN=${canaries.environment}
Environment="CLIENT_SECRET=${secrets.CLIENT_SECRET}" OTHER=${Buffer.from(canaries.other).toString('base64')}
ExecStart=/usr/bin/proxy --token ${canaries.argument} \\
  ${canaries.continued} \\
  --basic ${Buffer.from(`${secrets.CLIENT_ID}:${secrets.CLIENT_SECRET}`).toString('base64')}
RestartSec=1
`,
    );
    root.write(
      code,
      `TOKEN = "${canaries.code}"\nHEX = "${Buffer.from(secrets.MCP_TOKEN).toString('hex')}"\nURL = "${encodeURIComponent(canaries.environment)}"\n`,
    );
    root.write(
      site,
      `server {
    listen 127.0.0.1:8084;
    proxy_set_header Authorization "Bearer ${canaries.bearer}";
    proxy_set_header X-Token ${secrets.TOKEN_SECRET};
}
`,
    );
  }

  test.each([
    ['a dry run', ['--dry-run', '--force-config']],
    ['a dry run as JSON', ['--dry-run', '--force-config', '--json']],
    ['a run that tells more', ['--verbose', '--force-config']],
    ['a rotation', ['--verbose', '--force-config', '--force-rotate-tokens']],
  ])(
    '%s shows what changes in files of others, and none of their secrets in any encoding',
    async (_, args) => {
      using root = place();
      legacy(root);
      const { exitCode, output } = await root.install(...args);
      expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
      const found = [...Object.values(canaries), ...Object.values(secrets)]
        .flatMap(encodings)
        .filter((encoded) => output.includes(encoded));
      expect(found).toEqual([]);
    },
  );

  test('of a unit that the installer did not write the keys are shown, and the lines that stay', async () => {
    using root = place();
    legacy(root);
    const { output } = await root.install('--dry-run');
    const start = output.indexOf(`--- ${unit}`);
    const removed = output
      .slice(start, output.indexOf('[DRY-RUN]', start))
      .split('\n')
      .filter((line) => /^[- ][^-]/u.test(line))
      .slice(0, 9);
    expect(removed).toEqual([
      ' [Unit]',
      '-# <comment>',
      ' Description=OAuth proxy for MCP',
      ' [Service]',
      '-Environment=<hidden>',
      '-Environment=<hidden>',
      '-ExecStart=<hidden>',
      '-<hidden>',
      '-<hidden>',
    ]);
  });

  test('a change of what the installer wrote itself is shown as it is', async () => {
    using root = await installed();
    const { output } = await root.install('--dry-run', '--port', '9000');
    expect(output).toContain('-ListenStream=127.0.0.1:8083\n+ListenStream=127.0.0.1:9000\n');
  });
});

describe('something that is no file in the place of a managed file', () => {
  test.each([
    ['a FIFO', 'it is not a regular file', (at: string) => execFileSync('mkfifo', [at])],
    ['a device', 'it is not a regular file', (at: string) => execFileSync('mknod', [at, 'c', '1', '3'])],
    ['a directory', 'it is a directory', (at: string) => mkdirSync(at)],
  ])(
    '%s is refused, whatever was said about edits, and nothing is touched (security 5)',
    async (_, why, make) => {
      using root = await installed();
      for (const file of [code, unit, zones, site, enabled]) {
        rmSync(root.at(file));
        make(root.at(file));
        const before = treeOf(root.path);
        for (const args of [[], ['--force-config'], ['--keep-edited']]) {
          const { exitCode, output } = await root.install(...args);
          expect({ file, args, exitCode, output }).toEqual({
            file,
            args,
            exitCode: 10,
            output: expect.stringContaining(`E_PATH_UNSAFE: ${file} cannot be trusted: ${why}.`) as string,
          });
        }
        expect(root.changed(before)).toEqual([]);
        rmSync(root.at(file), { recursive: true });
        expect(await root.install()).toMatchObject({ exitCode: 0 });
      }
    },
  );
});

describe('a link in the place of a directory on the way to a managed file', () => {
  const directories = ['/usr/local/lib/mcp-oauth-proxy', '/etc/nginx/sites-available', '/etc/systemd/system'];
  const moved = (root: Place, directory: string): string => {
    const to = `/srv${directory}`;
    mkdirSync(root.at(path.dirname(to)), { recursive: true });
    renameSync(root.at(directory), root.at(to));
    return to;
  };

  test.each(['/nonexistent/place', 'itself'])(
    'is refused before anything is changed where it leads to %s',
    async (target) => {
      using root = await installed();
      for (const directory of directories) {
        const kept = moved(root, directory);
        symlinkSync(target === 'itself' ? path.basename(directory) : target, root.at(directory));
        const before = treeOf(root.path);
        const { exitCode, output } = await root.install();
        expect({ directory, exitCode, output }).toEqual({
          directory,
          exitCode: 10,
          output: expect.stringContaining(`E_PATH_UNSAFE: ${directory} cannot be trusted: `) as string,
        });
        expect(root.changed(before)).toEqual([]);
        rmSync(root.at(directory));
        renameSync(root.at(kept), root.at(directory));
      }
    },
  );

  test('is followed to where the directory stands now, and the second time there is nothing to do', async () => {
    using root = await installed();
    for (const directory of directories) symlinkSync(moved(root, directory), root.at(directory));
    rmSync(root.at(`/srv${unit}`));
    const { exitCode } = await root.install();
    expect({ exitCode, made: existsSync(root.at(`/srv${unit}`)) }).toEqual({ exitCode: 0, made: true });
    const before = treeOf(root.path);
    expect(await root.install()).toMatchObject({ exitCode: 0 });
    expect(root.changed(before)).toEqual([]);
  });
});

describe('the rate limits', () => {
  test('other rates are kept without a question, also where the installer would write the file anew', async () => {
    using root = await installed();
    const tuned = readFileSync(root.at(zones), 'utf8').replaceAll('r/s', '0r/s');
    root.write(zones, tuned);
    const before = treeOf(root.path);
    const { exitCode, output } = await root.install('--detailed-exitcode');
    expect({ exitCode, output }).toEqual({
      exitCode: 0,
      output: expect.stringContaining(`${zones} was edited by a person and is kept as it is.`) as string,
    });
    expect(root.changed(before)).toEqual([]);
    // Where no journal knows who wrote it, too.
    rmSync(root.at(journal), { recursive: true });
    expect(await root.install('--detailed-exitcode')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(root.at(zones), 'utf8')).toBe(tuned);
  });

  test('somebody’s own site under the name of their file is refused, and replaced where that is said', async () => {
    using root = place();
    root.write(zones, 'server {\n    listen 443 ssl;\n}\n');
    const before = treeOf(root.path);
    const refused = await root.install();
    expect(refused).toMatchObject({ exitCode: 10 });
    expect(refused.output).toContain(`E_EDIT_CONFLICT: Someone edited ${zones},`);
    expect(root.changed(before)).toEqual([]);
    expect(await root.install('--force-config')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(root.at(zones), 'utf8')).toContain('limit_req_zone');
    expect(await root.install('--detailed-exitcode')).toMatchObject({ exitCode: 0 });
  });

  test('are in place before the snippet that uses them, and the snippet before the site', async () => {
    using root = place();
    const { output } = await root.install();
    const wrote = [...output.matchAll(/^\[\+\] (?:Wrote|Linked) .*?(\/etc\/nginx\/\S+)/gmu)].map(
      ([, at]) => at,
    );
    expect(wrote).toEqual([zones, '/etc/nginx/snippets/mcp-oauth-proxy.conf', site, enabled]);
  });

  test.each([
    ['conf.d', 'include /etc/nginx/sites-enabled/*;', '/etc/nginx/conf.d/*.conf'],
    ['sites-enabled', 'include conf.d/*.conf;', '/etc/nginx/sites-enabled/*'],
  ])(
    'an nginx.conf that does not include %s is refused before anything is touched',
    async (_, has, lacks) => {
      using root = place();
      root.write('/etc/nginx/nginx.conf', `http {\n    ${has}\n    # include ${lacks};\n}\n`);
      const before = treeOf(root.path);
      const { exitCode, output } = await root.install();
      expect(exitCode).toBe(10);
      expect(output).toContain(`E_NOT_INCLUDED: /etc/nginx/nginx.conf does not include ${lacks},`);
      expect(output).toContain(`Add the line "include ${lacks};" to its http block`);
      expect(root.changed(before)).toEqual([]);
      root.write('/etc/nginx/nginx.conf', `http {\n    ${has}\n    include ${lacks};\n}\n`);
      expect(await root.install()).toMatchObject({ exitCode: 0 });
      root.write('/etc/nginx/nginx.conf', `http {\n    ${has}\n}\n`);
      const elsewhere = ['--no-nginx', '--public-url', 'https://mcp.example.org'];
      expect(await root.install(...elsewhere)).toMatchObject({ exitCode: 0 });
    },
  );
});

describe('the link that enables the site', () => {
  const targetOf = (root: Place): string => readlinkSync(root.at(enabled));

  test('a copy of the site in its place becomes the link again, and that is said', async () => {
    using root = await installed();
    root.write(enabled, readFileSync(root.at(site), 'utf8'));
    const { exitCode, output } = await root.install();
    expect({ exitCode, output }).toEqual({
      exitCode: 0,
      output: expect.stringContaining(
        `${enabled} was a copy of ${site}: it is replaced by the link.`,
      ) as string,
    });
    expect(targetOf(root)).toBe(site);
    expect((await root.install('--detailed-exitcode')).exitCode).toBe(0);
  });

  test.each([
    [
      'an edited file',
      (root: Place) => root.write(enabled, '# mine\n'),
      'was a file of its own, of which a backup is kept',
    ],
    [
      'a link to elsewhere',
      (root: Place) => {
        rmSync(root.at(enabled));
        symlinkSync('/etc/nginx/mine.conf', root.at(enabled));
      },
      'was a link to /etc/nginx/mine.conf',
    ],
  ])('%s in its place is refused, kept or replaced, as it is said', async (_, put, words) => {
    using root = await installed();
    put(root);
    const before = treeOf(root.path);
    const refused = await root.install();
    expect(refused).toMatchObject({ exitCode: 10 });
    expect(refused.output).toContain(`E_EDIT_CONFLICT: Someone edited ${enabled},`);
    expect(root.changed(before)).toEqual([]);

    const keptOnce = await root.install('--keep-edited', '--detailed-exitcode');
    expect(keptOnce).toMatchObject({ exitCode: 0 });
    expect(keptOnce.output).toContain(`${enabled} was edited by a person and is kept as it is.`);
    // Said once, it holds for as long as the installer would write the same.
    expect(await root.install('--detailed-exitcode')).toMatchObject({ exitCode: 0 });
    expect(root.changed(before)).toEqual([]);
    expect(await root.install('--port', '9000')).toMatchObject({ exitCode: 10 });
    expect(root.changed(before)).toEqual([]);

    const replaced = await root.install('--force-config');
    expect(replaced).toMatchObject({ exitCode: 0 });
    expect(replaced.output).toContain(`${enabled} ${words}: it is replaced by the link.`);
    expect(targetOf(root)).toBe(site);
    expect(await root.install('--detailed-exitcode')).toMatchObject({ exitCode: 0 });
  });

  test('of a file that is replaced there is a backup', async () => {
    using root = await installed();
    root.write(enabled, '# mine\n');
    expect(await root.install('--force-config')).toMatchObject({ exitCode: 0 });
    const backups = execFileSync('grep', ['-rlx', '# mine', root.at(`${journal}/runs`)], {
      encoding: 'utf8',
    });
    expect(backups.trim().split('\n')).toHaveLength(1);
  });

  test('enablement of a unit that leads elsewhere on a host that no journal knows is replaced, and said', async () => {
    using root = place();
    const wants = '/etc/systemd/system/multi-user.target.wants/mcp-oauth-proxy.service';
    mkdirSync(path.dirname(root.at(wants)), { recursive: true });
    symlinkSync('/lib/systemd/system/mcp-oauth-proxy.service', root.at(wants));
    const { exitCode, output } = await root.install();
    expect({ exitCode, output }).toEqual({
      exitCode: 0,
      output: expect.stringContaining(
        `${wants} was a link to /lib/systemd/system/mcp-oauth-proxy.service: it is replaced by the link.`,
      ) as string,
    });
    expect(lstatSync(root.at(wants)).isSymbolicLink()).toBe(true);
    expect(readlinkSync(root.at(wants))).toBe(unit);
  });
});
