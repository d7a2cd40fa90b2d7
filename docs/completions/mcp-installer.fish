# Made by `npm run docs`; do not edit.
complete -c mcp-installer -f -n __fish_use_subcommand -a install -d 'detect, decide, write, reload, verify (the default command)'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l product -d 'another service than mcp-oauth-proxy: a product file (YAML or JSON)' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l dry-run -d 'predict, change nothing at all'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l force-rotate-tokens -d 'regenerate all generated secrets, or only those named (NAME,…)'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l domain -d 'public host name; nginx answers to it' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l port -d 'loopback port of the service (default 8083)' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l backend-url -d 'the MCP server behind the proxy (default http://127.0.0.1:8000/mcp)' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l public-url -d 'origin that clients use, where it is not https://DOMAIN' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l tls-cert -d 'certificate chain (PEM); default: the domain'\''s Let'\''s Encrypt files, if they are there' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l tls-key -d 'key of the certificate (PEM)' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l redirect-uris -d 'more OAuth redirect URIs than those of Claude' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l insecure-http -d 'serve a domain without TLS all the same'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l no-nginx -d 'TLS ends elsewhere (tunnel, other web server): leave nginx alone'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l mcp-token-file -d 'take MCP_TOKEN from FILE (-: stdin) instead of generating it' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l owner-password-file -d 'take OWNER_PASSWORD from FILE (-: stdin): password that the consent page asks for; without it there is none' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l source -d 'install this oauth_proxy.py instead of the bundled one; "bundled" goes back' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l config -d 'settings from a dotenv file' -r -F
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l image -d 'prepare an image: everything but the secrets, which each host makes at its first boot'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l no-packages -d 'do not install missing packages; name them and stop'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l no-start -d 'write and enable, start nothing'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l no-rollback -d 'on failure leave everything as it is'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l keep-edited -d 'where an edit and a change of ours meet: keep the edit, lay ours beside it'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l force-config -d 'where an edit and a change of ours meet: replace it, with a backup'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l allow-downgrade -d 'run although a newer installer was here last'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l unset -d 'forget remembered settings, remove OWNER_PASSWORD (NAME,…)' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l skip-preflight -d 'skip the checks of versions, packages, ports and downgrades'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l detailed-exitcode -d '2 instead of 0 when something changed, or would change'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l yes -d 'never ask'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l inspect -d 'serve the run on 127.0.0.1 for watching in a browser'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l inspect-stately -d 'the Stately inspector’s page (default https://stately.ai/inspect)' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n 'not __fish_seen_subcommand_from status rollback uninstall history show replay graph' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a status -d 'what is installed, whether it is healthy, what differs'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l product -d 'another service than mcp-oauth-proxy: a product file (YAML or JSON)' -r -F
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from status' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a rollback -d 'undo a run and everything after it, newest first'
complete -c mcp-installer -f -n '__fish_seen_subcommand_from rollback' -a 'last (ls /var/lib/mcp-installer/runs 2>/dev/null)'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l product -d 'another service than mcp-oauth-proxy: a product file (YAML or JSON)' -r -F
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l dry-run -d 'predict, change nothing at all'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l no-rollback -d 'on failure leave everything as it is'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l detailed-exitcode -d '2 instead of 0 when something changed, or would change'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l yes -d 'never ask'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from rollback' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a uninstall -d 'remove what the installer made; the secrets stay'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l purge -d 'remove the secrets and the service’s own state too'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l product -d 'another service than mcp-oauth-proxy: a product file (YAML or JSON)' -r -F
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l dry-run -d 'predict, change nothing at all'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l no-rollback -d 'on failure leave everything as it is'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l detailed-exitcode -d '2 instead of 0 when something changed, or would change'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l yes -d 'never ask'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from uninstall' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a history -d 'the runs, newest first'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l limit -d 'how many (default 20)' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l prune -d 'remove the copies of replaced files that runs before the newest KEEP (default 20) kept; the originals stay'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l dry-run -d 'with --prune: tell what would go'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from history' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a show -d 'one run, event by event'
complete -c mcp-installer -f -n '__fish_seen_subcommand_from show' -a 'last (ls /var/lib/mcp-installer/runs 2>/dev/null)'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l export -d 'write the run into one FILE for another host (-: stdout); it is checked to hold no secret' -r -F
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from show' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a replay -d 'fold a recorded run through the machine again, without side effects'
complete -c mcp-installer -f -n '__fish_seen_subcommand_from replay' -a 'last (ls /var/lib/mcp-installer/runs 2>/dev/null)'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l inspect -d 'serve the run on 127.0.0.1 for watching in a browser'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l inspect-stately -d 'the Stately inspector’s page (default https://stately.ai/inspect)' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from replay' -l help -d 'help'
complete -c mcp-installer -f -n __fish_use_subcommand -a graph -d 'the machine as text or picture'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l format -d 'mermaid (default), dot (Graphviz), json (XState, Stately Studio) or svg' -x -a 'mermaid dot json svg'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l run -d 'mark the way that this run took: its id, the beginning of one, or last; or a file that --export wrote (with a slash, or ending in .jsonl)' -x -a 'last (ls /var/lib/mcp-installer/runs 2>/dev/null)'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l root -d 'treat DIR as /' -x -a '(__fish_complete_directories)'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l instance -d 'another installation beside the plain one: its own .env, units, ports, journal' -x
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l json -d 'one JSON object a line on stdout; people’s text goes to stderr'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l quiet -d 'only warnings and errors'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l verbose -d 'more: diffs, fingerprints, reasons'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l no-color -d 'no colour (NO_COLOR is honoured too)'
complete -c mcp-installer -n '__fish_seen_subcommand_from graph' -l help -d 'help'
