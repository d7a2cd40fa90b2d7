#!/bin/sh
# Makes the env file of a fresh host, for peers that have no secrets of their own; they run it where there is no such file.
umask 077
cat >/etc/mcp-oauth-proxy/.env <<ENV
MCP_TOKEN=$(openssl rand -hex 32)
CLIENT_ID=$(openssl rand -hex 16)
CLIENT_SECRET=$(openssl rand -hex 32)
TOKEN_SECRET=$(openssl rand -hex 32)
LISTEN_PORT=8083
BACKEND_URL=http://127.0.0.1:8000/mcp
ENV
