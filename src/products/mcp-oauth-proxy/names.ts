/** Names and places of an installation of mcp-oauth-proxy (contract: docs/reference/files.md). */
import { installationName } from '../instances.ts';
import { placesOf } from '../service/places.ts';

/** What the product itself is called, whichever installation of it is meant. */
export const productName = 'mcp-oauth-proxy';

/**
 * Names that all sites of a host share: two installations with one would keep nginx from starting. Those of an instance
 * are told apart by their ends and by what comes before its name, so that no name makes it another one's. The variable is
 * short: with 64 bytes a bucket, Debian's default, nginx takes no name of more than 46 characters.
 */
const sharedNames = (instance: string | null) => {
  const own = instance?.replaceAll('-', '_') ?? null;
  return own === null
    ? { zonePrefix: 'mcp_oauth_proxy', clientVariable: 'mcp_oauth_proxy_client' }
    : { zonePrefix: `mcp_oauth_proxy_${own}`, clientVariable: `mcp_client_of_${own}` };
};

/** @param instance null for the plain installation */
export function namesOf(instance: string | null) {
  const name = installationName(productName, instance);
  const places = placesOf(name);
  return {
    name,
    instance,
    ...places,
    codeFile: `${places.codeDirectory}/oauth_proxy.py`,
    snippet: `/etc/nginx/snippets/${name}.conf`,
    zones: `/etc/nginx/conf.d/${name}.conf`,
    ...sharedNames(instance),
    /** What tells of it though its env file is gone; `secrets.env` is what the older bash script wrote. */
    traces: [places.serviceFile, places.socketFile, `${places.directory}/secrets.env`],
  } as const;
}

export type Names = ReturnType<typeof namesOf>;
