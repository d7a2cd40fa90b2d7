/**
 * What an image holds instead of secrets: a oneshot unit by which each host that is made from it makes its own, at its
 * first boot. A shell script does it, since an image need not hold the installer; sh, od, tr, head, base64, grep and sync are on every
 * Debian.
 */
import type { Note } from '../machines/types.ts';
import type { Desired, DesiredDirectory, GeneratedSecret, Product } from './product.ts';

type Named = Pick<Product, 'directory' | 'envFile' | 'name' | 'secrets' | 'service'>;

const scriptName = 'first-boot.sh';

/** No service and no instance can be called so: their names have no dots. */
export const firstBootName = ({ name }: Named): string => `${name}.first-boot.service`;

/** Where the unit stands. */
export const firstBootUnit = (product: Named): string => `/etc/systemd/system/${firstBootName(product)}`;

const requiresOf = ({ service }: Named): string => `/etc/systemd/system/${service}.requires`;

/** What an image has of it, in the order in which it is made: the first comes before the env file does. */
export const firstBootTraces = (product: Named): readonly string[] => [
  requiresOf(product),
  firstBootUnit(product),
];

/** In the directory that nobody but root may enter. */
const firstBootScript = ({ directory }: Pick<Product, 'directory'>): string => `${directory}/${scriptName}`;

const wholeLetters = 62;

/** Name, shell function and its number, and how many characters have to come out of it. */
function madeBy({ bytes, format = 'hex' }: GeneratedSecret): readonly [call: string, length: number] {
  if (format === 'hex') return [`hex ${bytes}`, bytes * 2];
  if (format === 'base64url') return [`base64url ${bytes}`, Math.ceil((bytes * 4) / 3)];
  const length = Math.ceil((bytes * 8) / Math.log2(wholeLetters));
  return [`alphanumeric ${length}`, length];
}

/** What systemd reads as the beginning of an assignment, as a POSIX extended expression (systemd.exec(5), EnvironmentFile=). */
const assigns = (name: string): string => `^[[:space:]]*${name}[[:space:]]*=[[:space:]]*`;

/**
 * The values stand in no argument list: what handles them is built into the shell. /dev/random waits until the kernel has
 * gathered enough, which at a first boot it may not have (random(4)). What a person made of the lines before, with quotes,
 * blanks or CRLF, is as empty as it was.
 */
function script(product: Named): string {
  const secrets = product.secrets.filter((spec) => spec.optional !== true);
  const names = secrets.map(({ name }) => name);
  return `#!/bin/sh
# Written by mcp-installer for an image: makes the secrets of this host that have no value yet in ${product.envFile}.
# What is there stays. It is all there or not there: a new file takes the old one's name.
set -eu
export LC_ALL=C
umask 077
env=${product.envFile}
new=$env.first-boot

hex() { od -An -v -tx1 -N "$1" /dev/random | tr -d ' \\n'; }
base64url() { head -c "$1" /dev/random | base64 -w 0 | tr '+/' '-_' | tr -d =; }
alphanumeric() { tr -dc 'A-Za-z0-9' </dev/random | head -c "$1"; }

# NAME LENGTH MAKER NUMBER: prints a line for the secret where it has no value.
made() {
  if grep -aEq "${assigns('$1')}('[^']|\\"[^\\"]|[^'\\"[:space:]])" "$env"; then return; fi
  value=$("$3" "$4")
  if [ "\${#value}" -ne "$2" ]; then
    echo "first-boot: $1 could not be made" >&2
    exit 1
  fi
  printf '%s=%s\\n' "$1" "$value"
}

if [ ! -f "$env" ]; then
  echo "first-boot: $env is missing" >&2
  exit 1
fi
lines=$(
${secrets
  .map((spec) => {
    const [call, length] = madeBy(spec);
    return `  made ${spec.name} ${length} ${call}`;
  })
  .join('\n')}
)
[ -n "$lines" ] || exit 0

rm -f "$new"
trap 'rm -f "$new"' EXIT
{
  printf '%s\\n' "$lines"
  grep -aEv "${assigns(`(${names.join('|')})`)}(''|\\"\\")?[[:space:]]*\$" "$env" || [ $? -eq 1 ]
} >"$new"
sync "$new"
mv -f "$new" "$env"
sync "\${env%/*}"
`;
}

const unit = (
  product: Named,
): string => `# Written by mcp-installer for an image. It does nothing where no secret is empty.
[Unit]
Description=Secrets of ${product.name}, made at the first boot of this host
Before=${product.service}
RequiresMountsFor=${product.directory}
# A connection that is waiting asks for the service again and again, and so for this.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh ${firstBootScript(product)}
UMask=0077
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${product.directory}
ProtectHome=yes
PrivateTmp=yes
PrivateNetwork=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LimitCORE=0

[Install]
RequiredBy=${product.service}
`;

/** What a host should hold that is an image of others: the same, and what makes their secrets. */
export function withFirstBoot(product: Named, desired: Desired): Desired {
  const text = (path: string, role: string, content: string) =>
    ({ path, mode: 0o644, role, content: Buffer.from(content), affects: [], unknown: 'adopt' }) as const;
  const path = firstBootUnit(product);
  // Without its secrets the service does not start: it asks for the unit, and comes after it.
  const requires: DesiredDirectory = {
    path: requiresOf(product),
    mode: 0o755,
    shared: false,
  };
  return {
    ...desired,
    directories: [...desired.directories, requires],
    files: [
      ...desired.files,
      { ...text(firstBootScript(product), 'first boot script', script(product)), mode: 0o600 },
      { ...text(path, 'first boot unit', unit(product)), affects: ['unit'] },
    ],
    links: [
      ...desired.links,
      {
        path: `${requires.path}/${firstBootName(product)}`,
        target: path,
        role: 'enablement of the first boot unit',
        affects: ['unit'],
        unknown: 'adopt',
      },
    ],
  };
}

/** What is told of an image. */
export const imageNote = (product: Named): Note => ({
  code: 'image',
  level: 'info',
  text: `Each host that is made from this one makes its own secrets at its first boot (${firstBootName(product)}).`,
});
