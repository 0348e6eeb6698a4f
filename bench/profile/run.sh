#!/usr/bin/env bash
# Profiles a table beside DuckDB and Polars, in turn: run.sh [ROWS]. See README.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${1:-2000000}
threads=${THREADS:-2}
venv=target/bench/venv
data=target/bench/profile-$rows
if [[ ! -x $venv/bin/python ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r bench/profile/requirements.txt
fi
if [[ ! -e $data/done ]]; then
  mkdir -p "$data"
  # CSV of tens of millions of rows takes gigabytes.
  if ((rows <= 5000000)); then csv=csv; else csv=; fi
  "$venv/bin/python" bench/profile/generate.py "$rows" "$data" $csv
  touch "$data/done"
fi
cargo build --release -p bartizan-data --example profile --example verdict
ours=${OURS:-target/release/examples/profile}
verdict=target/release/examples/verdict
python=$venv/bin/python
# What a verdict compares with: the profile of a quarter of the rows.
reference=$data/reference
if [[ ! -e $reference/profile ]]; then
  mkdir -p "$reference"
  "$python" bench/profile/generate.py "$((rows / 4))" "$reference"
  "$ours" "$reference/table.parquet" 1 "$reference/profile" >/dev/null
fi
# The table that values are looked up in.
cities=$data/cities.csv
if [[ ! -e $cities ]]; then
  { echo name; printf 'city %04d\n' {0..1999}; } >"$cities"
fi
for file in "$data"/table.parquet "$data"/table.csv; do
  if [[ ! -e $file ]]; then continue; fi
  echo "$file, $threads threads"
  "$python" bench/profile/measure.py \
    bartizan "$ours" "$file" "$threads" \
    -- bartizan-verdict "$verdict" "$file" "$reference/profile" "$threads" \
    -- bartizan-rules "$verdict" "$file" "$reference/profile" "$threads" bench/profile/rules.toml "cities=$cities" \
    -- duckdb "$python" bench/profile/peers.py duckdb "$file" "$threads" \
    -- duckdb-summarize "$python" bench/profile/peers.py duckdb-summarize "$file" "$threads" \
    -- polars "$python" bench/profile/peers.py polars "$file" "$threads"
done
