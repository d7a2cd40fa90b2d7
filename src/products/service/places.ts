/** Names and places of a service: everything follows from its name, so that two services cannot meet. */
import { posix } from 'node:path';

export const placesOf = (name: string) =>
  ({
    directory: `/etc/${name}`,
    envFile: `/etc/${name}/.env`,
    codeDirectory: `/usr/local/lib/${name}`,
    service: `${name}.service`,
    socket: `${name}.socket`,
    serviceFile: `/etc/systemd/system/${name}.service`,
    socketFile: `/etc/systemd/system/${name}.socket`,
    serviceLink: `/etc/systemd/system/multi-user.target.wants/${name}.service`,
    socketLink: `/etc/systemd/system/sockets.target.wants/${name}.socket`,
    site: `/etc/nginx/sites-available/${name}.conf`,
    siteLink: `/etc/nginx/sites-enabled/${name}.conf`,
  }) as const;

export type Places = ReturnType<typeof placesOf>;

/** Directories that are the service's own, with their modes. */
export const ownDirectories = (name: string): Readonly<Record<string, number>> => ({
  [`/etc/${name}`]: 0o700,
  [`/usr/local/lib/${name}`]: 0o755,
  [`/usr/local/share/${name}`]: 0o755,
});

/** Files outside of its own directories that a service may have. The service does not read them. */
export const ownFiles = (name: string): readonly string[] => [
  `/usr/local/bin/${name}`,
  `/etc/logrotate.d/${name}`,
];

/** Why a file may not be installed there; null where it may. */
export function misplaced(name: string, path: string): string | null {
  const directories = Object.keys(ownDirectories(name));
  const isPlain = /^\/[A-Za-z0-9_@%+=:,./-]{1,255}$/u.test(path);
  if (!isPlain || posix.normalize(path) !== path || path.endsWith('/'))
    return 'it must be an absolute path of A-Z a-z 0-9 _ @ % + = : , . / -, without .., . and double slashes';
  if (path === placesOf(name).envFile) return 'that is the env file, which the installer alone writes';
  const isOwn = ownFiles(name).includes(path) || directories.some((each) => path.startsWith(`${each}/`));
  return isOwn ? null : `it must be below ${directories.join(', ')}, or be ${ownFiles(name).join(' or ')}`;
}

/** Directories above a path, from the top. */
export function ancestorsOf(path: string): readonly string[] {
  const parent = posix.dirname(path);
  return parent === '/' ? [] : [...ancestorsOf(parent), parent];
}
