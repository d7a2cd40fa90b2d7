/** The fixed forms: everything that a run prints, word for word; only the id of the run, the plan's name and the root vary. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryRoot } from '../support/installer.ts';

interface Place extends Disposable {
  readonly path: string;
  /** What is printed, without what differs from run to run. */
  printed(...args: readonly string[]): Promise<string>;
}

/** A root in which the directories of the distribution are there, as on a host. */
function place(): Place {
  const root = temporaryRoot();
  for (const directory of [
    'etc/systemd/system/sockets.target.wants',
    'etc/systemd/system/multi-user.target.wants',
    'etc/nginx/conf.d',
    'etc/nginx/sites-available',
    'etc/nginx/sites-enabled',
    'etc/nginx/snippets',
    'usr/local/lib',
    'var/lib',
  ])
    mkdirSync(path.join(root.path, directory), { recursive: true });
  return {
    path: root.path,
    printed: async (...args) => {
      const { exitCode, stdout, stderr } = await run([...args, '--root', root.path]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      return (
        stdout
          .replaceAll(root.path, 'ROOT')
          .replace(/Plan [0-9a-f]{8}/gu, 'Plan HASH')
          // How the site shows that it serves this configuration.
          .replace(/"[0-9a-f]{16}\\n"/gu, '"MARK"')
          .replace(/run \d{8}T\d{6}Z-[0-9a-f]{4}/gu, 'run RUN')
      );
    },
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

test('a fresh installation', async () => {
  using root = place();
  expect(await root.printed()).toMatchInlineSnapshot(`
    "[+] Generating new secrets...
    [+] Plan HASH: 12 changes
    [+] Created directory /etc/mcp-oauth-proxy/
    [+] Created directory /usr/local/lib/mcp-oauth-proxy/
    [+] Wrote env /etc/mcp-oauth-proxy/.env (MCP_TOKEN: generated, CLIENT_ID: generated, CLIENT_SECRET: generated, TOKEN_SECRET: generated)
    [+] Copied oauth_proxy.py to /usr/local/lib/mcp-oauth-proxy/
    [+] Wrote socket unit /etc/systemd/system/mcp-oauth-proxy.socket
    [+] Wrote systemd unit /etc/systemd/system/mcp-oauth-proxy.service
    [+] Wrote nginx rate limits /etc/nginx/conf.d/mcp-oauth-proxy.conf
    [+] Wrote nginx snippet /etc/nginx/snippets/mcp-oauth-proxy.conf
    [+] Wrote nginx site /etc/nginx/sites-available/mcp-oauth-proxy.conf
    [+] Linked /etc/systemd/system/sockets.target.wants/mcp-oauth-proxy.socket to /etc/systemd/system/mcp-oauth-proxy.socket
    [+] Linked /etc/systemd/system/multi-user.target.wants/mcp-oauth-proxy.service to /etc/systemd/system/mcp-oauth-proxy.service
    [+] Linked /etc/nginx/sites-enabled/mcp-oauth-proxy.conf to /etc/nginx/sites-available/mcp-oauth-proxy.conf
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [OK] Installation complete (run RUN)
        In Claude: Settings, Connectors, Add custom connector; URL http://127.0.0.1:8084/mcp; under Advanced settings type
        CLIENT_ID and CLIENT_SECRET as they stand in ROOT/etc/mcp-oauth-proxy/.env (the one place to read a secret).
        The MCP server at http://127.0.0.1:8000/mcp is shown MCP_TOKEN of the same file as its bearer.
        No OWNER_PASSWORD is set: anyone who can press Connect on a client with these credentials gets in. To have a password
        asked for then, run this again with --owner-password-file FILE.
    "
  `);
});

test('the same again', async () => {
  using root = place();
  await root.printed();
  expect(await root.printed()).toMatchInlineSnapshot(`
    "[!] Existing installation detected at /etc/mcp-oauth-proxy/.env
    [!] Tokens will be PRESERVED (use --force-rotate-tokens to regenerate)
    [+] Loading existing secrets from /etc/mcp-oauth-proxy/.env
    [+] Plan HASH: 0 changes
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [OK] Nothing to do: everything is as it should be (run RUN)
    "
  `);
});

test('a rotation of everything, and of one', async () => {
  using root = place();
  await root.printed();
  expect(await root.printed('--force-rotate-tokens')).toMatchInlineSnapshot(`
    "[!] Existing installation detected at /etc/mcp-oauth-proxy/.env
    [!] --force-rotate-tokens : regenerating all secrets
    [+] Plan HASH: 1 change
    [+] Wrote env /etc/mcp-oauth-proxy/.env (MCP_TOKEN: rotated, CLIENT_ID: rotated, CLIENT_SECRET: rotated, TOKEN_SECRET: rotated)
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [OK] Installation complete (run RUN)
        Every client needs the new CLIENT_ID and CLIENT_SECRET from ROOT/etc/mcp-oauth-proxy/.env (the one place to read a secret)
        and has to connect again. In Claude: remove the connector and add it again with the URL http://127.0.0.1:8084/mcp.
        Who runs the MCP server at http://127.0.0.1:8000/mcp needs the new MCP_TOKEN from ROOT/etc/mcp-oauth-proxy/.env:
        until it knows that one, it refuses what the proxy passes on.
        No OWNER_PASSWORD is set: anyone who can press Connect on a client with these credentials gets in. To have a password
        asked for then, run this again with --owner-password-file FILE.
    "
  `);
  expect(await root.printed('--force-rotate-tokens', 'CLIENT_SECRET')).toMatchInlineSnapshot(`
    "[!] Existing installation detected at /etc/mcp-oauth-proxy/.env
    [!] --force-rotate-tokens : regenerating CLIENT_SECRET
    [+] Plan HASH: 1 change
    [+] Wrote env /etc/mcp-oauth-proxy/.env (CLIENT_SECRET: rotated)
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [OK] Installation complete (run RUN)
        Every client needs the new CLIENT_SECRET from ROOT/etc/mcp-oauth-proxy/.env (the one place to read a secret)
        and has to connect again. In Claude: remove the connector and add it again with the URL http://127.0.0.1:8084/mcp.
        No OWNER_PASSWORD is set: anyone who can press Connect on a client with these credentials gets in. To have a password
        asked for then, run this again with --owner-password-file FILE.
    "
  `);
});

test('a dry run on a fresh root', async () => {
  using root = place();
  expect(await root.printed('--dry-run')).toMatchInlineSnapshot(`
    "[DRY-RUN] No .env detected — tokens would be GENERATED
    [DRY-RUN] Would create directory /etc/mcp-oauth-proxy/
    [DRY-RUN] Would create directory /usr/local/lib/mcp-oauth-proxy/
    [DRY-RUN] Would write env /etc/mcp-oauth-proxy/.env (MCP_TOKEN: generated, CLIENT_ID: generated, CLIENT_SECRET: generated, TOKEN_SECRET: generated)
    [DRY-RUN] Would copy oauth_proxy.py to /usr/local/lib/mcp-oauth-proxy/
    [DRY-RUN] Would write socket unit /etc/systemd/system/mcp-oauth-proxy.socket
    [DRY-RUN] Would write systemd unit /etc/systemd/system/mcp-oauth-proxy.service
    [DRY-RUN] Would write nginx rate limits /etc/nginx/conf.d/mcp-oauth-proxy.conf
    [DRY-RUN] Would write nginx snippet /etc/nginx/snippets/mcp-oauth-proxy.conf
    [DRY-RUN] Would write nginx site /etc/nginx/sites-available/mcp-oauth-proxy.conf
    [DRY-RUN] Would link /etc/systemd/system/sockets.target.wants/mcp-oauth-proxy.socket to /etc/systemd/system/mcp-oauth-proxy.socket
    [DRY-RUN] Would link /etc/systemd/system/multi-user.target.wants/mcp-oauth-proxy.service to /etc/systemd/system/mcp-oauth-proxy.service
    [DRY-RUN] Would link /etc/nginx/sites-enabled/mcp-oauth-proxy.conf to /etc/nginx/sites-available/mcp-oauth-proxy.conf
    [DRY-RUN] Predicted, not checked: configuration tests, the service's answer
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [DRY-RUN] Plan HASH: 12 changes
    "
  `);
});

test('a dry run on an existing one: the diff follows its line, and the plan is the last one', async () => {
  using root = place();
  await root.printed();
  const printed = await root.printed('--dry-run', '--port', '9000');
  // What stands around a change is the product's, not the form's.
  const form = printed.replace(/^@@ .*$/gmu, '@@').replace(/^ .*\n/gmu, '');
  expect(form).toMatchInlineSnapshot(`
    "[DRY-RUN] Existing .env detected — tokens would be PRESERVED
    [DRY-RUN] Would write env /etc/mcp-oauth-proxy/.env (settings)
    --- /etc/mcp-oauth-proxy/.env
    +++ /etc/mcp-oauth-proxy/.env
    @@
    -LISTEN_PORT=<hidden>
    +LISTEN_PORT=<setting in force>
    [DRY-RUN] Would write socket unit /etc/systemd/system/mcp-oauth-proxy.socket
    --- /etc/systemd/system/mcp-oauth-proxy.socket
    +++ /etc/systemd/system/mcp-oauth-proxy.socket
    @@
    -ListenStream=127.0.0.1:8083
    +ListenStream=127.0.0.1:9000
    [DRY-RUN] Would write nginx snippet /etc/nginx/snippets/mcp-oauth-proxy.conf
    --- /etc/nginx/snippets/mcp-oauth-proxy.conf
    +++ /etc/nginx/snippets/mcp-oauth-proxy.conf
    @@
    -    return 200 "MARK";
    +    return 200 "MARK";
    @@
    -    proxy_pass http://127.0.0.1:8083;
    +    proxy_pass http://127.0.0.1:9000;
    @@
    -        proxy_pass http://127.0.0.1:8083;
    +        proxy_pass http://127.0.0.1:9000;
    -        proxy_pass http://127.0.0.1:8083;
    +        proxy_pass http://127.0.0.1:9000;
    -        proxy_pass http://127.0.0.1:8083;
    +        proxy_pass http://127.0.0.1:9000;
    [DRY-RUN] Would write nginx site /etc/nginx/sites-available/mcp-oauth-proxy.conf
    --- /etc/nginx/sites-available/mcp-oauth-proxy.conf
    +++ /etc/nginx/sites-available/mcp-oauth-proxy.conf
    @@
    -    listen 127.0.0.1:8084;
    +    listen 127.0.0.1:9001;
    [DRY-RUN] Predicted, not checked: configuration tests, the service's answer
    [+] systemd is not running here: files are written and units enabled; the service starts at the next boot.
    [+] Packages missing below ROOT, only named here: python3-fastapi python3-uvicorn python3-httpx python3-jwt nginx
    [!] The URL that clients use changes from http://127.0.0.1:8084/mcp to http://127.0.0.1:9001/mcp: every client has to be given the new one and to connect again.
    [DRY-RUN] Plan HASH: 4 changes
    "
  `);
});
