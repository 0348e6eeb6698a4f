#!/usr/bin/env bash
# Measures import and signing against plain hashing of the same bytes, in one run. See README.md beside this.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

size_mb=${SIZE_MB:-2048}
files=${FILES:-8}
cores=${CORES:-2}
rounds=${ROUNDS:-5}
bartizan=${BARTIZAN:-$root/target/release/bartizan}
sign_tree=${SIGN_TREE:-$root/target/release/examples/sign_tree}
venv=${VENV:-$root/.ci/venv}

die() { printf '%s\n' "$*" >&2; exit 2; }
[[ -x $bartizan ]] || die "no binary at $bartizan: cargo build --release, or set BARTIZAN"
[[ -x $sign_tree ]] || die "no $sign_tree: cargo build --release -p bartizan-keys --example sign_tree"
command -v openssl >/dev/null || die "openssl is not installed"

# Memory, if the tree and its encrypted copy fit in: a disk would be what is measured otherwise.
work_root=${WORK:-/dev/shm}
if [[ -z ${WORK:-} ]] && (($(df --output=avail -m "$work_root" 2>/dev/null | tail -1) < size_mb * 5 / 2)); then
  work_root=${TMPDIR:-/tmp}
fi
work=$(mktemp -d "$work_root/bartizan-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"

pinned=()
if command -v taskset >/dev/null; then pinned=(taskset -c "0-$((cores - 1))"); fi

# Bytes that don't compress and are the same in every run: AES-CTR over zeros.
echo "making $size_mb MB in $files files below $work"
for ((file = 0; file < files; file++)); do
  head -c $((size_mb * 1048576 / files)) /dev/zero |
    openssl enc -aes-256-ctr -nosalt -K "$(printf '%064x' $((file + 1)))" -iv "$(printf '%032x' 0)" >"$tree/part-$file.bin"
done
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"

hash_alone() {
  find "$tree" -type f -print0 | "${pinned[@]}" xargs -0 -n 1 -P "$cores" openssl dgst -sha256
}

# What storing costs by itself: hashing as above, and a plain copy of the tree.
hash_and_copy() {
  rm -rf "$work/copy"
  mkdir "$work/copy"
  find "$tree" -type f -print0 |
    "${pinned[@]}" xargs -0 -n 1 -P "$cores" sh -c 'openssl dgst -sha256 "$1" && cp "$1" "$0"' "$work/copy"
  rm -rf "$work/copy"
}

# A fresh data directory each time: an import of bytes that are there already stores nothing.
prepare_import() {
  rm -rf "$work/data"
  "$bartizan" --data-dir "$work/data" init
}
import() {
  # shellcheck disable=SC2086
  "${pinned[@]}" "$bartizan" --data-dir "$work/data" model import "$tree" --name bench --origin benchmark ${IMPORT_ARGS:-}
}

sign_ours() { "${pinned[@]}" "$sign_tree" "$tree" "$work/ours.sig"; }
sign_theirs() {
  "${pinned[@]}" "$venv/bin/model_signing" sign key --private_key "$work/key.pem" --signature "$work/theirs.sig" "$tree"
}

# measure NAME COMMAND: appends wall and CPU seconds (children included) to a file of that name.
TIMEFORMAT='%R %U %S'
measure() {
  local name=$1
  shift
  local timing
  timing=$({ time "$@" >"$work/$name.out" 2>"$work/$name.err"; } 2>&1) || {
    cat "$work/$name.err" >&2
    die "$name failed"
  }
  awk '{ printf "%.3f %.3f\n", $1, $2 + $3 }' <<<"$timing" >>"$work/$name.times"
}

contenders=(hash_alone hash_and_copy import sign_ours)
if [[ -x $venv/bin/model_signing ]]; then
  contenders+=(sign_theirs)
else
  echo "left out: $venv/bin/model_signing is absent (.ci/run installs it)"
fi

hash_alone >/dev/null # warms the page cache and the CPU
for ((round = 1; round <= rounds; round++)); do
  for contender in "${contenders[@]}"; do
    if [[ $contender == import ]]; then prepare_import >/dev/null 2>&1 || die "init failed"; fi
    measure "$contender" "$contender"
  done
  echo "round $round of $rounds done"
done

printf '\n%s MB in %s files, %s cores of %s, best of %s rounds\n' "$size_mb" "$files" "$cores" \
  "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo 2>/dev/null || uname -m)" "$rounds"
printf '%-13s %8s %8s %12s %12s\n' what 'wall s' 'CPU s' 'wall ratio' 'CPU ratio'
best() { sort -n -k "$2,$2" "$work/$1.times" | awk -v column="$2" 'NR == 1 { print $column }'; }
base_wall=$(best hash_alone 1)
base_cpu=$(best hash_alone 2)
for contender in "${contenders[@]}"; do
  awk -v name="$contender" -v wall="$(best "$contender" 1)" -v cpu="$(best "$contender" 2)" \
    -v base_wall="$base_wall" -v base_cpu="$base_cpu" \
    'BEGIN { printf "%-13s %8.2f %8.2f %12.2f %12.2f\n", name, wall, cpu, wall / base_wall, cpu / base_cpu }'
done
