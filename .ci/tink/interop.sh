#!/usr/bin/env bash
# Exchanges encrypted streams with Tink, both ways; see interop.py beside this file.
# Usage: .ci/tink/interop.sh [VENV_PYTHON]
#   VENV_PYTHON: the python of an environment that has `tink`; without it the python3 of the search path.
set -euo pipefail
exec "${1:-python3}" "$(dirname "$0")/interop.py" ${STREAM_EXAMPLE:+"$STREAM_EXAMPLE"}
