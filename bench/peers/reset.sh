#!/bin/sh
# Takes away what any of the peers installed, so that the next one finds the host fresh. It does not ask who made it.
units='mcp-oauth-proxy.service mcp-oauth-proxy.socket'
systemctl disable --quiet --now $units 2>/dev/null
rm -rf /etc/mcp-oauth-proxy /usr/local/lib/mcp-oauth-proxy /var/lib/mcp-installer
rm -f /etc/systemd/system/mcp-oauth-proxy.* /etc/nginx/*/mcp-oauth-proxy.conf
systemctl daemon-reload
systemctl reset-failed
systemctl reload nginx.service
