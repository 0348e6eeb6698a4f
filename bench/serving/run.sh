#!/usr/bin/env bash
# Bartizan beside MLServer with the same scikit-learn models, in one run: run.sh --csv FILE --label COLUMN [--label-above X].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

bartizan=${BARTIZAN:-$root/target/release/bartizan}
venv=${VENV:-$root/target/bench-serving-venv}
models=${MODELS:-$root/target/bench-serving-models}

die() { printf '%s\n' "$*" >&2; exit 2; }
(($# > 0)) || die "usage: run.sh --csv FILE --label COLUMN [--label-above X]"
[[ -x $bartizan ]] || die "no binary at $bartizan: cargo build --release, or set BARTIZAN"
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

"$venv/bin/python" "$here/models.py" "$@" --out "$models"
# shellcheck disable=SC2086
"$venv/bin/python" "$here/measure.py" --models "$models" --bartizan "$bartizan" --mlserver "$venv/bin/mlserver" ${MEASURE_ARGS:-}
