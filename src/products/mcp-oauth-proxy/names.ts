/** Names and places of mcp-oauth-proxy (contract: docs/reference/files.md). */
import { placesOf } from '../service/places.ts';

const name = 'mcp-oauth-proxy';

export const product = {
  name,
  ...placesOf(name),
  codeFile: `/usr/local/lib/${name}/oauth_proxy.py`,
  snippet: `/etc/nginx/snippets/${name}.conf`,
  zones: `/etc/nginx/conf.d/${name}.conf`,
} as const;

/** What tells of an installation though its env file is gone; `secrets.env` is what the older bash script wrote. */
export const traces: readonly string[] = [
  product.serviceFile,
  product.socketFile,
  `${product.directory}/secrets.env`,
];
