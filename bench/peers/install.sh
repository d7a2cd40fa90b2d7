#!/bin/bash
# The plain script that most services come with: it preserves the secrets, but writes every file and restarts everything
# each time.
set -euo pipefail
src=${1:?the directory with what is to be installed}
etc=/etc/mcp-oauth-proxy
install -d -m 700 "$etc"
install -d -m 755 /usr/local/lib/mcp-oauth-proxy
get() { [ -f "$etc/.env" ] && grep "^$1=" "$etc/.env" | cut -d= -f2 || true; }
mcp=$(get MCP_TOKEN) id=$(get CLIENT_ID) secret=$(get CLIENT_SECRET) token=$(get TOKEN_SECRET)
umask 077
cat >"$etc/.env" <<ENV
MCP_TOKEN=${mcp:-$(openssl rand -hex 32)}
CLIENT_ID=${id:-$(openssl rand -hex 16)}
CLIENT_SECRET=${secret:-$(openssl rand -hex 32)}
TOKEN_SECRET=${token:-$(openssl rand -hex 32)}
LISTEN_PORT=8083
BACKEND_URL=http://127.0.0.1:8000/mcp
ENV
umask 022
install -m 644 "$src/oauth_proxy.py" /usr/local/lib/mcp-oauth-proxy/oauth_proxy.py
install -m 644 "$src/mcp-oauth-proxy.service" "$src/mcp-oauth-proxy.socket" /etc/systemd/system/
install -m 644 "$src/snippet.conf" /etc/nginx/snippets/mcp-oauth-proxy.conf
install -m 644 "$src/http.conf" /etc/nginx/conf.d/mcp-oauth-proxy.conf
install -m 644 "$src/site.conf" /etc/nginx/sites-available/mcp-oauth-proxy.conf
ln -sf /etc/nginx/sites-available/mcp-oauth-proxy.conf /etc/nginx/sites-enabled/mcp-oauth-proxy.conf
systemctl daemon-reload
systemctl enable -q mcp-oauth-proxy.socket mcp-oauth-proxy.service
systemctl start mcp-oauth-proxy.socket
systemctl restart mcp-oauth-proxy.service
nginx -t -q
systemctl reload nginx
echo waiting
for _ in $(seq 100); do
  curl -fs -o /dev/null http://127.0.0.1:8084/healthz && exit 0
  sleep 0.1
done
echo 'the service does not answer' >&2
exit 1
