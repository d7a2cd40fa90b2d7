# Made by `npm run docs`; do not edit.
# shellcheck shell=bash
_mcp_installer() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=install words='' runs='' word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
    install | status | rollback | uninstall | history | show | replay | graph) command=$word; break ;;
    esac
  done
  case $previous in
  --product | --tls-cert | --tls-key | --mcp-token-file | --owner-password-file | --source | --config | --export) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
  --root) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
  --run) mapfile -t COMPREPLY < <(compgen -W "last $(ls /var/lib/mcp-installer/runs 2>/dev/null)" -- "$current"); return ;;
  --format) mapfile -t COMPREPLY < <(compgen -W 'mermaid dot json svg' -- "$current"); return ;;
  --domain | --port | --backend-url | --public-url | --redirect-uris | --unset | --inspect-stately | --instance | --limit) return ;;
  esac
  case $command in
    install)
      words="--product --dry-run --force-rotate-tokens --domain --port --backend-url --public-url --tls-cert --tls-key --redirect-uris --insecure-http --no-nginx --mcp-token-file --owner-password-file --source --config --image --no-packages --no-start --no-rollback --keep-edited --force-config --allow-downgrade --unset --skip-preflight --detailed-exitcode --yes --inspect --inspect-stately --root --instance --json --quiet --verbose --no-color --help"
      ;;
    status)
      words="--product --root --instance --json --quiet --verbose --no-color --help"
      ;;
    rollback)
      words="--product --dry-run --no-rollback --detailed-exitcode --yes --root --instance --json --quiet --verbose --no-color --help"
      runs="last $(ls /var/lib/mcp-installer/runs 2>/dev/null)"
      ;;
    uninstall)
      words="--purge --product --dry-run --no-rollback --detailed-exitcode --yes --root --instance --json --quiet --verbose --no-color --help"
      ;;
    history)
      words="--limit --prune --dry-run --root --instance --json --quiet --verbose --no-color --help"
      ;;
    show)
      words="--export --root --instance --json --quiet --verbose --no-color --help"
      runs="last $(ls /var/lib/mcp-installer/runs 2>/dev/null)"
      ;;
    replay)
      words="--inspect --inspect-stately --root --instance --json --quiet --verbose --no-color --help"
      runs="last $(ls /var/lib/mcp-installer/runs 2>/dev/null)"
      ;;
    graph)
      words="--format --run --root --instance --json --quiet --verbose --no-color --help"
      ;;
  esac
  if [[ $current != -* && $COMP_CWORD -eq 1 ]]; then words='install status rollback uninstall history show replay graph help'
  elif [[ $current != -* ]]; then words=$runs
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o filenames -F _mcp_installer mcp-installer
