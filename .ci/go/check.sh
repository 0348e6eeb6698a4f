#!/usr/bin/env bash
# check.sh DEMO_DIR: checks the ledger that the demo kept, with Go's transparency-log packages. Needs the Debian
# packages golang-go and golang-golang-x-mod-dev; installs nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
demo=$(cd "$1" && pwd)
vkey=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["ledger_key"])' "$demo/trust.json")
export GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local
go run "$here/main.go" "$demo/data/ledger" "$vkey"

# It must also say no: the same ledger with one byte of one entry changed.
spoiled=$(mktemp -d)
trap 'rm -rf "$spoiled"' EXIT
cp -r "$demo/data/ledger/." "$spoiled"
python3 - "$spoiled" <<'PY'
import pathlib, sys
bundle = max((p for p in (pathlib.Path(sys.argv[1]) / "tile/entries").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
data = bytearray(bundle.read_bytes())
data[100] ^= 1
bundle.write_bytes(data)
PY
if go run "$here/main.go" "$spoiled" "$vkey" 2>/dev/null; then
  echo 'FAILED: Go accepted a ledger with a changed byte' >&2
  exit 1
fi
echo 'Go refuses the same ledger with one byte changed'
