"""Writes a table of 20 columns as Parquet, CSV or both: generate.py ROWS DIRECTORY [csv]. The same rows on every machine."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

GROUP = 122_880  # rows, DuckDB's own


def group(first: int, rows: int) -> pa.Table:
    """Rows from `first` on; each group has a generator of its own, so memory stays flat."""
    rng = np.random.default_rng([20, first])
    ids = np.arange(first, first + rows)

    def missing(values, share, kind=None):
        return pa.array(values, type=kind, mask=rng.random(rows) < share)

    words = np.array(["red", "green", "blue", "cyan", "mauve", "ochre", "teal", "plum"])
    cities = np.array([f"city {n:04d}" for n in range(2_000)])
    zipf = np.minimum(rng.zipf(1.3, rows), 50_000)
    seconds = 1_700_000_000 + ids * 3 + rng.integers(0, 3, rows)
    return pa.table({
        "id": pa.array(ids, pa.int64()),
        "customer": pa.array(rng.integers(0, 400_000, rows), pa.int32()),
        "product": pa.array(zipf, pa.int32()),
        "quantity": pa.array(rng.poisson(3, rows), pa.int16()),
        "rating": missing(rng.integers(1, 6, rows), 0.3, pa.int8()),
        "amount": pa.array(np.round(rng.lognormal(3, 1.2, rows), 2), pa.float64()),
        "discount": missing(np.round(rng.beta(1, 9, rows), 2), 0.5, pa.float64()),
        "score": pa.array(rng.normal(0, 1, rows), pa.float64()),
        "weight": missing(rng.gamma(2, 3, rows).astype(np.float32), 0.05, pa.float32()),
        "latitude": pa.array(rng.uniform(-90, 90, rows), pa.float64()),
        "longitude": pa.array(rng.uniform(-180, 180, rows), pa.float64()),
        "colour": pa.array(words[rng.integers(0, 8, rows)]),
        "city": missing(cities[np.minimum(rng.zipf(1.2, rows), 2_000) - 1], 0.02),
        "email": pa.array([f"user{n}@example.org" for n in rng.integers(0, 1_000_000, rows)]),
        "order": pa.array([f"{n:08x}-{m:04x}" for n, m in zip(ids * 2_654_435_761 % 2**32, rng.integers(0, 65_536, rows))]),
        "returned": pa.array(rng.random(rows) < 0.07),
        "day": pa.array((19_000 + ids // 20_000 + rng.integers(0, 30, rows)).astype("int32"), pa.int32()).cast(pa.date32()),
        "time": pa.array(seconds * 1_000_000, pa.timestamp("us")),
        "version": pa.array(np.repeat(7, rows), pa.int64()),
        "note": missing(np.array(["", "ok", "late", "call back", "fragile"])[rng.integers(0, 5, rows)], 0.9),
    })


def main() -> None:
    rows, directory = int(sys.argv[1]), sys.argv[2]
    writer, text = None, None
    for first in range(0, rows, GROUP):
        table = group(first, min(GROUP, rows - first))
        if writer is None:
            writer = pq.ParquetWriter(f"{directory}/table.parquet", table.schema, compression="zstd")
            if "csv" in sys.argv[3:]:
                text = pyarrow.csv.CSVWriter(f"{directory}/table.csv", table.schema)
        writer.write_table(table, row_group_size=GROUP)
        if text is not None:
            text.write_table(table)
    writer.close()
    if text is not None:
        text.close()


main()
