/** Which certificate a domain is served with, and that nothing remembered takes TLS away. */
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryRoot, type Ran } from '../support/installer.ts';

const domain = 'mcp.example.org';
const live = `/etc/letsencrypt/live/${domain}`;
const site = '/etc/nginx/sites-available/mcp-oauth-proxy.conf';
const env = '/etc/mcp-oauth-proxy/.env';

interface Place extends Disposable {
  install(...args: readonly string[]): Promise<Ran>;
  at(file: string): string;
  read(file: string): string;
  write(file: string, text: string): void;
  certify(directory?: string): void;
  /** Is it served with TLS, and is it remembered as served without? */
  state(): { readonly tls: boolean; readonly insecure: boolean };
}

function place(): Place {
  const root = temporaryRoot();
  const at = (file: string): string => path.join(root.path, file);
  const read = (file: string): string => readFileSync(at(file), 'utf8');
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  return {
    install: (...args) => run([...args, '--root', root.path]),
    at,
    read,
    write,
    certify: (directory = live) => {
      for (const name of ['fullchain.pem', 'privkey.pem']) write(`${directory}/${name}`, 'PEM\n');
    },
    state: () => ({
      tls: /^ {4}ssl_certificate /mu.test(read(site)),
      insecure: /^INSECURE_HTTP=1$/mu.test(read(env)),
    }),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

const done = { exitCode: 0 };

test('once a certificate is there --insecure-http is forgotten, so a bare rerun never takes TLS away', async () => {
  using root = place();
  expect(await root.install('--domain', domain, '--insecure-http')).toMatchObject(done);
  expect(root.state()).toEqual({ tls: false, insecure: true });
  expect(await root.install('--detailed-exitcode')).toMatchObject(done);

  root.certify();
  const { output } = await root.install();
  expect(output).toContain(
    `There is a certificate for ${domain}, so it is served with TLS and INSECURE_HTTP is forgotten.`,
  );
  expect(root.state()).toEqual({ tls: true, insecure: false });
  expect(await root.install('--detailed-exitcode')).toMatchObject(done);

  rmSync(root.at(live), { recursive: true });
  const lost = await root.install();
  expect(lost).toMatchObject({ exitCode: 10 });
  expect(lost.output).toContain(
    `E_TLS_LOST: The site is served with TLS, but its certificate is gone: ${live}/fullchain.pem.`,
  );
  expect(root.state()).toEqual({ tls: true, insecure: false });

  // Given up on purpose, in this very run.
  expect(await root.install('--insecure-http')).toMatchObject(done);
  expect(root.state()).toEqual({ tls: false, insecure: true });
  expect(await root.install('--detailed-exitcode')).toMatchObject(done);
});

test('a host on which an earlier version remembered INSECURE_HTTP beside TLS keeps its TLS', async () => {
  using root = place();
  root.certify();
  expect(await root.install('--domain', domain)).toMatchObject(done);
  root.write(env, `${root.read(env)}INSECURE_HTTP=1\n`);
  rmSync(root.at(live), { recursive: true });
  const lost = await root.install();
  expect(lost).toMatchObject({ exitCode: 10 });
  expect(lost.output).toContain('E_TLS_LOST');
  expect(root.state()).toEqual({ tls: true, insecure: true });
});

test('a certificate that a person put into the site is the one of the site, as long as it is there', async () => {
  using root = place();
  root.certify();
  expect(await root.install('--domain', domain)).toMatchObject(done);
  const second = `${live}-0001`;
  root.certify(second);
  root.write(site, root.read(site).replaceAll(live, second));
  rmSync(root.at(live), { recursive: true });
  const edited = root.read(site);
  expect(await root.install('--port', '9000')).toMatchObject(done);
  expect(root.read(site)).toBe(edited);

  rmSync(root.at(second), { recursive: true });
  const lost = await root.install();
  expect(lost).toMatchObject({ exitCode: 10 });
  expect(lost.output).toContain(`its certificate is gone: ${second}/fullchain.pem.`);
});

test('status below another root tells that a certificate is gone, beside what is installed', async () => {
  using root = place();
  root.certify();
  expect(await root.install('--domain', domain)).toMatchObject(done);
  rmSync(root.at(live), { recursive: true });
  const { exitCode, stdout } = await run(['status', '--root', root.at('/')]);
  expect(exitCode).toBe(3);
  expect(stdout).toContain('Installed; the service is not running here: The site is served with TLS, but');
  expect(stdout).toContain(`  DOMAIN=${domain}\n`);
  expect(stdout).toContain('Drift cannot be told, since an installation would be refused.');
});

test('a certificate in a directory that others may write is refused by that name, not called gone', async () => {
  using root = place();
  root.certify('/srv/c');
  root.certify('/srv/d');
  const given = ['--tls-cert', '/srv/c/fullchain.pem', '--tls-key', '/srv/c/privkey.pem'];
  expect(await root.install('--domain', domain, ...given)).toMatchObject(done);
  const refusal = {
    exitCode: 10,
    output: expect.stringContaining(
      'E_TLS_UNREADABLE: The TLS file /srv/c/fullchain.pem cannot be used: /srv/',
    ) as string,
  };
  chmodSync(root.at('/srv/c'), 0o775);
  expect(await root.install()).toMatchObject(refusal);
  chmodSync(root.at('/srv/c'), 0o755);
  expect(await root.install('--detailed-exitcode')).toMatchObject(done);

  // A link to such a place is no way around it.
  chmodSync(root.at('/srv/d'), 0o775);
  rmSync(root.at('/srv/c/fullchain.pem'));
  symlinkSync('../d/fullchain.pem', root.at('/srv/c/fullchain.pem'));
  expect(await root.install()).toMatchObject(refusal);
  chmodSync(root.at('/srv/d'), 0o755);
  expect(await root.install('--detailed-exitcode')).toMatchObject(done);

  rmSync(root.at('/srv/c'), { recursive: true });
  const lost = await root.install();
  expect(lost.output).toContain('E_TLS_LOST');
});

test('the way to a certificate that is renewed makes nginx read it', async () => {
  using root = place();
  const { output } = await root.install('--domain', domain);
  expect(output).toContain(
    `certbot certonly --webroot -w /var/www/html -d ${domain} --deploy-hook "systemctl reload nginx" ;`,
  );
});

test('--no-nginx names a site of an earlier run that nginx still serves, and how to remove it', async () => {
  using root = place();
  const elsewhere = ['--no-nginx', '--public-url', 'https://mcp.example.org'];
  const remedy =
    'rm /etc/nginx/sites-enabled/mcp-oauth-proxy.conf /etc/nginx/conf.d/mcp-oauth-proxy.conf && systemctl reload nginx';
  expect((await root.install(...elsewhere, '--dry-run')).output).not.toContain(remedy);
  expect(await root.install()).toMatchObject(done);
  expect((await root.install()).output).not.toContain(remedy);
  const before = root.read(site);
  const { exitCode, output } = await root.install(...elsewhere);
  expect({ exitCode, told: output.includes(remedy) }).toEqual({ exitCode: 0, told: true });
  expect(root.read(site)).toBe(before);
  rmSync(root.at('/etc/nginx/sites-enabled/mcp-oauth-proxy.conf'));
  expect((await root.install()).output).not.toContain(remedy);
});
