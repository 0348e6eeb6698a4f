#!/usr/bin/env bash
# Checks the golden samples with check.sh, and that check.sh refuses them when anything is changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
golden=$here/../../tests/golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

log=$(cat "$golden/ledger/v1/vkey")
mapfile -t witnesses < "$golden/tlog-proof/v1/witnesses"
proof=$golden/tlog-proof/v1/entry-300.tlog-proof
check() { "$here/check.sh" -witness "${witnesses[0]}" -witness "${witnesses[1]}" "$1" "$2" "$3"; }

check "$golden/ledger/v1/ledger" "$log" "$proof"

# refused WHAT LEDGER VKEY PROOF: it must fail.
refused() {
  if check "$2" "$3" "$4" > "$scratch/out" 2>&1; then
    echo "accepted: $1" >&2
    exit 1
  fi
  echo "refused: $1: $(tail -n 1 "$scratch/out")"
}
# flip FILE OFFSET: changes one byte.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N1 "$1")
  printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

while read -r file; do
  cp -r "$golden/ledger/v1/ledger" "$scratch/ledger"
  flip "$scratch/ledger/$file" 20
  refused "$file changed" "$scratch/ledger" "$log" "$proof"
  rm -r "$scratch/ledger"
done < <(cd "$golden/ledger/v1/ledger" && find . -type f | sort)

# Not the extra data at 29 to 36, which a proof does not cover.
for offset in 5 45 60 300 560 700 900; do
  cp "$proof" "$scratch/proof"
  flip "$scratch/proof" "$offset"
  refused "proof changed at $offset" "$golden/ledger/v1/ledger" "$log" "$scratch/proof"
done
refused 'another key' "$golden/ledger/v1/ledger" "${log/AYqI/AYqJ}" "$proof"
sed '$d' "$proof" > "$scratch/proof"
refused 'a cosignature removed' "$golden/ledger/v1/ledger" "$log" "$scratch/proof"
echo 'the samples are accepted, and every changed one is refused'
