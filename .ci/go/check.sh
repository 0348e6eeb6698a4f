#!/usr/bin/env bash
# Checks a ledger with Go's sumdb/note and sumdb/tlog. Installs nothing: it needs Debian's golang-go and
# golang-golang-x-mod-dev.
#
#   check.sh [-witness VKEY]... LEDGER_DIR VKEY [PROOF]   a ledger, and optionally a proof file against it
#   check.sh DEMO_DIR                                     what `bartizan demo --keep DEMO_DIR` left behind
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

command -v go >/dev/null || { echo 'check.sh: go is missing; install golang-go' >&2; exit 2; }
export GO111MODULE=off GOFLAGS='' GOPATH=${GO_X_MOD_PATH:-/usr/share/gocode} GOCACHE=$root/target/ci/go-cache
program=$root/target/ci/ledgercheck
mkdir -p "$GOCACHE"
(cd "$here" && go build -o "$program" main.go)

if (($# == 1)); then
  # The trust file is canonical JSON, in which a vkey needs no escapes.
  vkey=$(sed -n 's/.*"ledger_key":"\([^"]*\)".*/\1/p' "$1/trust.json")
  [[ -n $vkey ]] || { echo "check.sh: no ledger_key in $1/trust.json" >&2; exit 2; }
  set -- "$1/data/ledger" "$vkey"
fi
exec "$program" "$@"
