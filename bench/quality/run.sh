#!/usr/bin/env bash
# Confident learning beside cleanlab on the same rows, in one run: run.sh [ROWS] [CLASSES].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

program=${PROGRAM:-$root/target/release/examples/label_issues}
venv=${VENV:-$root/target/bench-quality-venv}
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
if [[ ! -x $program ]]; then
  cargo build --release --manifest-path "$root/Cargo.toml" -p bartizan-data --example label_issues
fi
"$venv/bin/python" "$here/measure.py" "$program" "${OUT:-$root/target/bench-quality}" "$@"
