#!/bin/sh
# Signs release/SHA256SUMS with an OpenPGP key of yours: packaging/sign.sh KEY. The private key never leaves GnuPG.
set -eu
[ $# -eq 1 ] || { echo 'usage: packaging/sign.sh KEY' >&2; exit 64; }
cd "$(dirname "$0")/../release"
sha256sum --check --strict --quiet SHA256SUMS
rm -f SHA256SUMS.asc
gpg --batch --armor --local-user "$1" --output SHA256SUMS.asc --detach-sign SHA256SUMS
