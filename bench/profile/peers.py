"""Summarises a table with DuckDB or Polars: peers.py PEER FILE THREADS. What they are asked for is what a profile says of each column:
nulls, distinct values (about), least, greatest, mean, deviation, quartiles, and the ten most frequent values."""

import os
import sys


def duckdb_all(path: str, threads: str) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    read = f"read_parquet('{path}')" if path.endswith(".parquet") else f"read_csv('{path}')"
    columns = [row[0] for row in connection.execute(f"SUMMARIZE SELECT * FROM {read}").fetchall()]
    # One more pass for all columns together: its GROUP BY would read CSV once for each.
    tops = ", ".join(f'approx_top_k("{column}", 10)' for column in columns)
    connection.execute(f"SELECT {tops} FROM {read}").fetchall()


def duckdb_summarize(path: str, threads: str) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    read = f"read_parquet('{path}')" if path.endswith(".parquet") else f"read_csv('{path}')"
    connection.execute(f"SUMMARIZE SELECT * FROM {read}").fetchall()


def polars(path: str, threads: str) -> None:
    os.environ["POLARS_MAX_THREADS"] = threads
    import polars as pl

    table = pl.scan_parquet(path) if path.endswith(".parquet") else pl.scan_csv(path, try_parse_dates=True)
    wanted = []
    for name, kind in table.collect_schema().items():
        column = pl.col(name)
        distinct = column.n_unique() if kind == pl.Boolean else column.approx_n_unique()
        each = [column.null_count(), distinct, column.min(), column.max()]
        if kind.is_numeric():
            each += [column.mean(), column.std(), (column == 0).sum()]
            each += [column.quantile(q) for q in (0.25, 0.5, 0.75)]
        wanted += [one.alias(f"{name} {at}") for at, one in enumerate(each)]
        wanted.append(column.value_counts(sort=True).head(10).implode().alias(f"{name} top"))
    table.select(wanted).collect()


{"duckdb": duckdb_all, "duckdb-summarize": duckdb_summarize, "polars": polars}[sys.argv[1]](*sys.argv[2:4])
