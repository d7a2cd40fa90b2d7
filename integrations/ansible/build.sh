#!/bin/sh
# The collection as one file, below the directory that is given (dist/ of the repository without one): what
# `ansible-galaxy collection install` takes. Prints its path.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here/../../dist}
if ! command -v ansible-galaxy >/dev/null; then
  echo 'ansible-galaxy is missing; on Debian: apt-get install --no-install-recommends ansible-core' >&2
  exit 1
fi
mkdir -p "$to"
# With the licence, which is the whole repository's.
whole=$(mktemp -d)
trap 'rm -rf "$whole"' EXIT
cp -r "$here/." "$here/../../LICENSE" "$whole"
ansible-galaxy collection build --force --output-path "$to" "$whole" >&2
echo "$to/mcp_installer-mcp_oauth_proxy-$(sed -n 's/^version: //p' "$here/galaxy.yml").tar.gz"
