#!/bin/sh
# From a clone to a running service: builds what is missing, then runs `mcp-installer install "$@"`.
#
# Works from any directory, from a read-only checkout and without a network once it is built. Never elevates by itself.
# What it says goes to stderr, so that `--json` stays JSON.
set -eu

say() { printf '%s\n' "$*" >&2; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
bundle=$here/dist/mcp-installer.mjs
pinned=$here/tools/pinned-node
owner=$(stat -c %u -- "$here")

# Building is the owner's work: root must not leave files in somebody's checkout, nor run npm for them.
as_owner() {
  if [ "$(id -u)" -eq "$owner" ] || [ "$(id -u)" -ne 0 ]; then
    "$@"
  else
    home=$(getent passwd "$owner" | cut -d: -f6)
    setpriv --reuid="$owner" --regid="$(stat -c %g -- "$here")" --init-groups \
      env HOME="${home:-/nonexistent}" "$@"
  fi
}

if ! command -v node >/dev/null 2>&1; then
  say 'Node is missing. Install it and run this again: apt-get install nodejs npm'
  exit 10
fi

# 20.19 is Debian 13's, and the oldest that is tested.
recent_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}

packages() {
  # Only where the lock file says something else than what is there.
  if [ -f "$1/node_modules/.package-lock.json" ] && [ ! "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    return
  fi
  if ! command -v npm >/dev/null 2>&1; then
    say 'npm is missing. Install it and run this again: apt-get install npm'
    exit 10
  fi
  say "Installing the packages of $1 (npm ci)"
  as_owner npm ci --ignore-scripts --no-audit --no-fund --prefix "$1" >&2
}

node=node
if ! recent_enough node; then
  node=$(find "$pinned/node_modules" -path '*/bin/node' -type f 2>/dev/null | head -n 1)
  if [ -z "$node" ]; then
    say "This host's Node ($(node --version)) is too old; fetching the pinned one"
    packages "$pinned"
    node=$(find "$pinned/node_modules" -path '*/bin/node' -type f | head -n 1)
  fi
  if [ -z "$node" ] || ! recent_enough "$node"; then
    say 'No Node of version 20.19 or newer is at hand for this kind of machine. Install one and run this again.'
    exit 10
  fi
fi

stale() {
  [ ! -f "$bundle" ] ||
    [ -n "$(find "$here/src" "$here/scripts/build.mjs" "$here/package.json" "$here/package-lock.json" \
      -newer "$bundle" -print 2>/dev/null | head -n 1)" ]
}

if stale; then
  packages "$here"
  say 'Building'
  as_owner "$node" "$here/scripts/build.mjs" >&2
fi

# For the line to type where root is needed.
MCP_INSTALLER_BOOTSTRAP=$0 exec "$node" "$bundle" install "$@"
