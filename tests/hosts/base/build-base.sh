#!/bin/bash
# Makes the Debian tree that test hosts are laid over, once, and prints its path.
#
#   build-base.sh bookworm|trixie [full|bare]
#
# bare: a minimal server without any package that the installer needs.
# full: the same with nginx and the Python packages of the service.
#
# The tree's name carries a hash of this script, so an edited script makes a new tree, while hosts that run over
# the old one keep theirs.
set -euo pipefail

usage() {
  echo "usage: ${0##*/} bookworm|trixie [full|bare]" >&2
  exit 64
}

suite=${1:-}
flavour=${2:-full}
case $suite in bookworm | trixie) ;; *) usage ;; esac
case $flavour in full | bare) ;; *) usage ;; esac

cache=${MCP_INSTALLER_HOST_CACHE:-/var/cache/mcp-installer-test-hosts}
mirror=${MCP_INSTALLER_HOST_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
key=$(sha256sum <"$0" | cut -c1-12)
tree=$cache/$suite-$flavour.$key

say() { echo "[$suite-$flavour] $*" >&2; }

if [ -d "$tree" ]; then
  echo "$tree"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  say 'test hosts need root: run as root, or under sudo'
  exit 77
fi

mkdir -p "$cache"
chmod 0755 "$cache"

# The tools come first and under a lock of their own: two suites may be built at the same time.
need_tools() {
  local missing=()
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
  # Tests trace what the installer starts.
  command -v strace >/dev/null || missing+=(strace)
  [ -f "$keyring" ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}
(
  flock 9
  need_tools 9>&-
) 9>"$cache/tools.lock"

# A full tree is a copy of the bare one: made before the lock is taken, as the bare build takes the same kind.
if [ "$flavour" = full ]; then
  bare=$("$0" "$suite" bare | tail -n 1)
fi

exec 9>"$cache/$suite-$flavour.lock"
flock 9
if [ -d "$tree" ]; then
  echo "$tree"
  exit 0
fi

tmp=$tree.tmp.$$
trap 'rm -rf --one-file-system "$tmp"' EXIT
# Whoever holds the lock is the only builder, so any other temporary is a dead one's.
rm -rf --one-file-system "$cache/$suite-$flavour".*.tmp.*

# Namespaces of its own: whatever a package script mounts or leaves running ends with the command.
inside() {
  unshare --mount --pid --fork --kill-child --mount-proc="$tmp/proc" \
    chroot "$tmp" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@" >&2 9>&-
}

install_packages() {
  # Services must not be started in a tree that is not running; the hosts themselves must not have this file.
  printf '#!/bin/sh\nexit 101\n' >"$tmp/usr/sbin/policy-rc.d"
  chmod 0755 "$tmp/usr/sbin/policy-rc.d"
  cp --remove-destination -L /etc/resolv.conf "$tmp/etc/resolv.conf"
  inside apt-get update -qq
  inside apt-get -o Dpkg::Use-Pty=0 install -y -qq --no-install-recommends "$@"
  inside apt-get clean
  rm "$tmp/usr/sbin/policy-rc.d"
  rm "$tmp/etc/resolv.conf"
  : >"$tmp/etc/resolv.conf"
  # Else the first boot of every host would rebuild the linker's cache and the journal's catalogue.
  touch -r "$tmp/usr" "$tmp/etc/.updated" "$tmp/var/.updated"
}

# What waits for a network, or wakes up by itself and changes files in the middle of a test.
mask_noise() {
  local unit
  for unit in systemd-networkd-wait-online.service systemd-resolved.service console-getty.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer logrotate.timer man-db.timer systemd-tmpfiles-clean.timer; do
    [ -e "$tmp/usr/lib/systemd/system/$unit" ] || [ -e "$tmp/lib/systemd/system/$unit" ] || continue
    ln -sfn /dev/null "$tmp/etc/systemd/system/$unit"
  done
}

# Each host gets an identity of its own at boot. Empty, not absent: absent means "first boot", which would
# enable and disable units by preset.
forget_identity() {
  : >"$tmp/etc/machine-id"
  rm -f "$tmp/var/lib/dbus/machine-id" "$tmp/var/lib/systemd/random-seed"
  find "$tmp/var/log" -type f -exec truncate -s 0 {} +
}

write_identity() {
  echo testhost >"$tmp/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 testhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$tmp/etc/hosts"
  printf 'deb %s %s main\n' "$mirror" "$suite" "$mirror" "$suite-updates" >"$tmp/etc/apt/sources.list"
  printf 'deb %s-security %s-security main\n' "$mirror" "$suite" >>"$tmp/etc/apt/sources.list"
}

if [ "$flavour" = bare ]; then
  say "debootstrap from $mirror"
  debootstrap --variant=minbase --keyring="$keyring" --include=ca-certificates "$suite" "$tmp" "$mirror" >&2 9>&-
  write_identity
  say 'installing the packages of a plain server'
  install_packages systemd systemd-sysv dbus iproute2 procps sudo curl ca-certificates libstdc++6
  # Mount points of the harness are part of the tree, so that booting a host adds nothing to it.
  mkdir -p "$tmp/opt/mcp-installer" "$tmp/usr/local/bin"
  : >"$tmp/usr/local/bin/node"
else
  say 'copying the bare tree'
  cp -a --reflink=auto "$bare" "$tmp"
  say 'installing the packages of the service'
  install_packages nginx python3-fastapi python3-uvicorn python3-httpx python3-jwt
fi
mask_noise
forget_identity

mv "$tmp" "$tree"
trap - EXIT
say "made $(du -sh --one-file-system "$tree" | cut -f1)"

# Trees of earlier versions of this script, unless a host still runs over them.
for old in "$cache/$suite-$flavour".*; do
  [ "$old" = "$tree" ] || grep -qF "lowerdir=$old" /proc/mounts || rm -rf --one-file-system "$old"
done

echo "$tree"
