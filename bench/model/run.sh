#!/usr/bin/env bash
# Rows per second of this crate and of ONNX Runtime on the same core, in turn: run.sh FOLDER NAME...
# PYTHON names an interpreter that has numpy and onnxruntime.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for round in 1 2 3; do
  echo "round $round"
  taskset -c "${CORE:-0}" cargo bench -q -p bartizan-model --bench run -- "$@"
  taskset -c "${CORE:-0}" "${PYTHON:-python3}" "$here/onnxruntime_rows.py" "$@"
done
