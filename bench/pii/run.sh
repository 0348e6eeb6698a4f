#!/usr/bin/env bash
# Bartizan beside Presidio's pattern recognisers on the same texts, and its own speed: run.sh [SEED COUNT].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=${VENV:-$root/target/bench-pii-venv}
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
cd "$root"
cargo build -q --release -p bartizan-data --example pii
"$venv/bin/python" "$here/compare.py" target/release/examples/pii "$@"
texts=$(mktemp)
trap 'rm -f "$texts"' EXIT
"$venv/bin/python" "$here/faker_texts.py" 3 8000 >"$texts"
"$venv/bin/python" "$here/compare.py" target/release/examples/pii "$texts"
cargo bench -q -p bartizan-data --bench pii
