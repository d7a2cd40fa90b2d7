#!/bin/sh
# From a clone to a running service: builds what is missing, then runs `mcp-installer install "$@"`. By its other name,
# ./mcp-installer, it runs `mcp-installer "$@"`: every command of the installer, from a clone.
#
# Works from any directory, through symlinks, from a read-only checkout and without a network once it is built. Never
# elevates by itself. What it says goes to stderr, so that `--json` stays JSON.
set -eu

say() { printf '%s\n' "$*" >&2; }

here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd -P)
bundle=$here/dist/mcp-installer.mjs
pinned=$here/tools/pinned-node
owner=$(stat -c %u -- "$here")
user=$(id -u)
scratch=

# As it can be typed again: `sh install.sh` looks here, sudo does not.
case $0 in
*/*) typed=$0 ;;
*) typed=./$0 ;;
esac

# The words of a shell line.
quoted() {
  for word in "$@"; do
    case $word in
    '' | *[!A-Za-z0-9_@%+=:,./-]*) printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")" ;;
    *) printf ' %s' "$word" ;;
    esac
  done
}

# sudo drops the environment, but takes assignments before the command.
sudo_line() {
  printf 'sudo'
  env | sed -n 's/^\(MCP_INSTALLER_[A-Z_]*\)=.*/\1/p' | while read -r name; do
    eval "quoted \"$name=\$$name\""
  done
  quoted "$typed" "$@"
}

tidy() {
  [ -z "$scratch" ] || rm -rf -- "$scratch"
  scratch=
}
trap tidy EXIT

json_text() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr '\n\t' '  '; }

# One sentence that says what happened, one that says what to do; with --json the result line, too.
wants_json=
for argument in "$@"; do
  [ "$argument" != --json ] || wants_json=yes
done
refuse() {
  say "[ERROR] $1: $2"
  say "        $3"
  if [ -n "$wants_json" ]; then
    printf '{"v":1,"type":"result","command":"install","outcome":"refused","exitCode":10,"changed":false,"plan":null,"run":null,"error":{"code":"%s","message":"%s","remedy":"%s"}}\n' \
      "$1" "$(json_text "$2")" "$(json_text "$3")"
  fi
  exit 10
}

# Building is the owner's work: root must not leave files in somebody's checkout, nor run npm for them.
as_owner() {
  if [ "$user" -eq "$owner" ] || [ "$user" -ne 0 ]; then
    "$@"
    return
  fi
  if entry=$(getent passwd "$owner"); then
    groups=--init-groups
    home=$(printf '%s' "$entry" | cut -d: -f6)
  else
    # An owner that this host does not know (a mounted or copied checkout) has neither groups nor a home.
    groups=--clear-groups
    home=
  fi
  become="setpriv --reuid=$owner --regid=$(stat -c %g -- "$here") $groups"
  if [ -z "$home" ] || ! $become test -w "$home"; then
    # npm wants to write its cache somewhere.
    [ -n "$scratch" ] || scratch=$(mktemp -d)
    chown "$owner" "$scratch"
    home=$scratch
  fi
  $become env HOME="$home" "$@"
}

as_root() { [ "$user" -eq 0 ] && printf '%s' "$1" || printf 'sudo %s' "$1"; }

# Runs it in this process's place, with what was typed.
hand_on() {
  tidy
  trap - EXIT
  # A crash leaves no core file, in which secrets would be.
  ulimit -c 0
  # For the lines to type: where root is needed, and where another command helps.
  MCP_INSTALLER_BOOTSTRAP=$typed exec "$@"
}
[ "${0##*/}" = mcp-installer ] && command='' || command=install

# Node and the program in one file (`npm run build:standalone`), built elsewhere.
case $(uname -m) in
x86_64) standalone=mcp-installer-linux-x64 ;;
aarch64) standalone=mcp-installer-linux-arm64 ;;
*) standalone= ;;
esac

if ! command -v node >/dev/null 2>&1; then
  for place in "$here/dist" "$here"; do
    [ ! -x "$place/$standalone" ] || [ -d "$place/$standalone" ] || hand_on "$place/$standalone" $command "$@"
  done
  refuse E_NODE 'Node is missing.' "Install it and run this again: $(as_root 'apt-get install nodejs npm')"
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

writable() {
  if [ "$user" -ne 0 ] && [ ! -w "$here" ]; then
    refuse E_BOOTSTRAP "The checkout $here is not built yet, and this user may not write there." \
      "Run it as root, which builds it as its owner: $(sudo_line "$@")"
  fi
}

packages() {
  # Only where the lock file says something else than what is there.
  if [ -f "$1/node_modules/.package-lock.json" ] && [ ! "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    return
  fi
  if ! command -v npm >/dev/null 2>&1; then
    refuse E_BOOTSTRAP 'npm is missing.' "Install it and run this again: $(as_root 'apt-get install npm')"
  fi
  say "Installing the packages of $1 (npm ci)"
  as_owner npm ci --ignore-scripts --no-audit --no-fund --prefix "$1" >&2 ||
    refuse E_BOOTSTRAP "npm could not install the packages of $1." \
      'The lines above tell why: mostly the network, or a directory that cannot be written. Then run this again.'
}

node=node
if ! recent_enough node; then
  node=$(find "$pinned/node_modules" -path '*/bin/node' -type f 2>/dev/null | head -n 1)
  if [ -z "$node" ]; then
    writable "$@"
    say "This host's Node ($(node --version)) is too old; fetching the pinned one"
    packages "$pinned"
    node=$(find "$pinned/node_modules" -path '*/bin/node' -type f | head -n 1)
  fi
  if [ -z "$node" ] || ! recent_enough "$node"; then
    refuse E_NODE 'No Node of version 20.19 or newer is at hand for this kind of machine.' \
      'Install one and run this again.'
  fi
fi

stale() {
  [ ! -f "$bundle" ] ||
    [ -n "$(find "$here/src" "$here/scripts/build.mjs" "$here/scripts/bundling.mjs" "$here/package.json" \
      "$here/package-lock.json" -newer "$bundle" -print 2>/dev/null | head -n 1)" ]
}

if stale; then
  writable "$@"
  packages "$here"
  say 'Building'
  as_owner "$node" "$here/scripts/build.mjs" >&2 ||
    refuse E_BOOTSTRAP "The installer could not be built in $here." 'The lines above tell why. Then run this again.'
fi

hand_on "$node" "$bundle" $command "$@"
