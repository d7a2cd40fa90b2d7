/** How nginx tells the installer, on this machine only, which configuration it serves. */

export const markerPath = '/.well-known/mcp-installer';

/** Comments begin where a word would; a `#` inside of one is none. */
export const withoutComments = (text: string): string => text.replace(/(^|[\s;{}])#.*$/gmu, '$1');

/**
 * `return` is answered before allow and deny are looked at, so the address is asked for here. Who talks to an address
 * of the host from that same address is the host itself.
 */
export const marking = (
  marker: string,
): string => `# Tells the installer, on this machine only, which configuration nginx serves.
location = ${markerPath} {
    access_log off;
    default_type text/plain;
    set $mcp_installer_peers "$remote_addr $server_addr";
    if ($mcp_installer_peers !~ "^(127\\.|::1 |(\\S+) \\2$)") {
        return 404;
    }
    return 200 "${marker}\\n";
}
`;

/** The marker that a snippet shows, whichever version wrote it; null where it shows none. */
export function markerOf(snippet: string): string | null {
  const text = withoutComments(snippet);
  const at = text.indexOf(`location = ${markerPath} {`);
  return at < 0 ? null : (/\sreturn 200 "([0-9a-f]+)\\n";/u.exec(text.slice(at))?.[1] ?? null);
}
