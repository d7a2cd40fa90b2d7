/** Names and places of mcp-oauth-proxy (contract: docs/reference/files.md). */

const name = 'mcp-oauth-proxy';

export const product = {
  name,
  directory: `/etc/${name}`,
  envFile: `/etc/${name}/.env`,
  codeDirectory: `/usr/local/lib/${name}`,
  codeFile: `/usr/local/lib/${name}/oauth_proxy.py`,
  service: `${name}.service`,
  socket: `${name}.socket`,
  serviceFile: `/etc/systemd/system/${name}.service`,
  socketFile: `/etc/systemd/system/${name}.socket`,
  serviceLink: `/etc/systemd/system/multi-user.target.wants/${name}.service`,
  socketLink: `/etc/systemd/system/sockets.target.wants/${name}.socket`,
  site: `/etc/nginx/sites-available/${name}.conf`,
  siteLink: `/etc/nginx/sites-enabled/${name}.conf`,
  snippet: `/etc/nginx/snippets/${name}.conf`,
  zones: `/etc/nginx/conf.d/${name}.conf`,
} as const;

/** What tells of an installation though its env file is gone; `secrets.env` is what the older bash script wrote. */
export const traces: readonly string[] = [
  product.serviceFile,
  product.socketFile,
  `${product.directory}/secrets.env`,
];
