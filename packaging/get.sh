#!/bin/sh
# Downloads mcp-installer @VERSION@, verifies it, and only then runs it:
#
#     curl -fsSL @URL@/get.sh | sudo sh -s -- [install options]
#     sh get.sh --to DIR          # puts the verified executable there, and runs nothing
#
# The list of checksums is signed; the key that it must be signed with stands below. Verified is with gpgv or sqv, one of
# which apt itself has brought to every Debian. All of this is one group of commands, which a shell reads to its end before it runs
# any: a copy that was cut off on its way does nothing.
{
set -eu

say() { printf '%s\n' "$*" >&2; }

refuse() {
  say "[ERROR] $1: $2"
  say "        $3"
  exit 10
}

fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --output "$scratch/$1" "$url/$1"
  elif command -v wget >/dev/null 2>&1; then
    wget --quiet --output-document="$scratch/$1" "$url/$1"
  else
    refuse E_BOOTSTRAP 'Neither curl nor wget is here.' 'Install one and run this again: apt-get install curl'
  fi || refuse E_BOOTSTRAP "$url/$1 could not be fetched." 'The line above tells why. Then run this again.'
}

# Is the list signed with the key? What the programs say of it is told only where it is not.
signed() {
  printf '%s' "$key" | base64 -d >"$scratch/key.gpg"
  if command -v gpgv >/dev/null 2>&1; then
    gpgv --quiet --keyring "$scratch/key.gpg" "$scratch/SHA256SUMS.asc" "$scratch/SHA256SUMS" >"$scratch/told" 2>&1
  elif command -v sqv >/dev/null 2>&1; then
    sqv --keyring "$scratch/key.gpg" "$scratch/SHA256SUMS.asc" "$scratch/SHA256SUMS" >"$scratch/told" 2>&1
  else
    refuse E_BOOTSTRAP 'Nothing is here to verify a signature with.' 'Install it and run this again: apt-get install gpgv'
  fi
}

main() {
  version='@VERSION@'
  url=${GET_URL:-'@URL@'}
  key='@KEY@'

  to=
  if [ "${1-}" = --to ]; then
    [ -n "${2-}" ] || refuse E_USAGE '--to needs a value.' 'Give the directory that the executable is to be put into.'
    to=$2
    shift 2
    [ $# -eq 0 ] || refuse E_USAGE "$1 is one word too many: --to runs nothing." 'Leave it out, or leave out --to.'
    [ -d "$to" ] || refuse E_USAGE "$to is not a directory." 'Make it, and run this again.'
  elif [ "$(id -u)" -ne 0 ]; then
    refuse E_NOT_ROOT 'This must run as root, because it writes below /usr/local and /etc.' \
      'Run it with sudo, or take the executable alone: sh get.sh --to DIR'
  fi

  case $(uname -s)-$(uname -m) in
  Linux-x86_64) file=mcp-installer-linux-x64 ;;
  Linux-aarch64) file=mcp-installer-linux-arm64 ;;
  *) refuse E_PLATFORM "There is no executable for $(uname -s) on $(uname -m)." 'Clone the repository and use install.sh.' ;;
  esac

  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  fetch SHA256SUMS
  fetch SHA256SUMS.asc
  if ! signed; then
    cat "$scratch/told" >&2
    refuse E_UNVERIFIED "The list of checksums of $url is not signed by the key of mcp-installer." \
      'Nothing was run. Do not use what is there; tell the project.'
  fi
  # An older release is signed as well: the list has to be that of this one.
  grep -q "  mcp-installer-$version\.tgz\$" "$scratch/SHA256SUMS" ||
    refuse E_UNVERIFIED "What $url offers is not version $version." 'Fetch get.sh again, and run that.'
  fetch "$file.gz"
  (cd "$scratch" && grep "  $file\.gz\$" SHA256SUMS | sha256sum --check --status --strict) ||
    refuse E_UNVERIFIED "$file.gz is not what was signed." 'Nothing was run. Run this again; if it stays so, tell the project.'
  gzip -d "$scratch/$file.gz"

  place=${to:-/usr/local/bin}
  [ -n "$to" ] || mkdir -p "$place"
  # Beside it first: whoever runs the old one meanwhile finds it whole.
  install -m 755 "$scratch/$file" "$place/.mcp-installer.$$"
  mv -fT "$place/.mcp-installer.$$" "$place/mcp-installer"
  rm -rf -- "$scratch"
  trap - EXIT
  say "[+] Verified mcp-installer $version is at $place/mcp-installer"
  [ -n "$to" ] || exec "$place/mcp-installer" "$@"
}

main "$@"
}
