"""Compares our profile of tables with what Python makes of their values: check.py PROGRAM DIRECTORY.

PyArrow writes the same table as Parquet (several encodings, compressions and page versions) and as Arrow stream and file;
tables that they can hold, also as CSV and JSON lines. All types, nested ones, every unit of time, dictionaries, decimals and
nulls are in it. What is exact must be equal; what is estimated, within its bound.
"""

import collections
import datetime as dt
import decimal
import json
import math
import pathlib
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

ROWS = 5_000
program, place = sys.argv[1], pathlib.Path(sys.argv[2])
place.mkdir(parents=True, exist_ok=True)
rng = random.Random(20)
EPOCH = dt.datetime(1970, 1, 1)


def missing(values, share=0.1):
    return [None if rng.random() < share else value for value in values]


def words(most):
    """Texts that are text in CSV too: none is empty or reads as a number."""
    return [rng.choice(["red", "Grün", "wörd, ", "x" * 30, "日\n本", 'a "b" ']) + str(rng.randrange(most)) for _ in range(ROWS)]


def flat_table() -> pa.Table:
    """What CSV and JSON lines can say too."""
    days = [dt.date(1900, 1, 1) + dt.timedelta(days=rng.randrange(60_000)) for _ in range(ROWS)]
    times = [EPOCH + dt.timedelta(microseconds=rng.randrange(-(10**15), 10**15)) for _ in range(ROWS)]
    return pa.table({
        "few": pa.array(missing([rng.randrange(9) for _ in range(ROWS)]), pa.int64()),
        "many": pa.array(missing([rng.randrange(-(2**62), 2**62) for _ in range(ROWS)]), pa.int64()),
        "float": pa.array(missing([rng.gauss(0, 1) + 0.001 for _ in range(ROWS)]), pa.float64()),
        "truth": pa.array(missing([rng.random() < 0.3 for _ in range(ROWS)]), pa.bool_()),
        "word": pa.array(missing(words(5)), pa.string()),
        "words": pa.array(missing(words(10**9)), pa.string()),
        "day": pa.array(missing(days), pa.date32()),
        "time": pa.array(missing(times), pa.timestamp("us")),
    })


def typed_table() -> pa.Table:
    """Widths, units, dictionaries, decimals, bytes, lists and structures."""
    columns = {}
    for bits in (8, 16, 32, 64):
        columns[f"i{bits}"] = pa.array(missing([rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) for _ in range(ROWS)]), f"int{bits}")
    for bits in (8, 16, 32):
        columns[f"u{bits}"] = pa.array(missing([rng.randrange(2**bits) for _ in range(ROWS)]), f"uint{bits}")
    columns["f32"] = pa.array(np.array([rng.gauss(0, 9) for _ in range(ROWS)], dtype=np.float32))
    columns["f16"] = pa.array(np.array([rng.gauss(0, 9) for _ in range(ROWS)], dtype=np.float16))
    odd = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1.5]
    columns["odd"] = pa.array(missing([rng.choice(odd) for _ in range(ROWS)]), pa.float64())
    for unit, per in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        ticks = missing([rng.randrange(-(10**9) * per, 10**9 * per) for _ in range(ROWS)])
        columns[f"t_{unit}"] = pa.array(ticks, pa.int64()).cast(pa.timestamp(unit))
        columns[f"z_{unit}"] = pa.array(ticks, pa.int64()).cast(pa.timestamp(unit, tz="UTC"))
    columns["day32"] = pa.array(missing([rng.randrange(-20_000, 20_000) for _ in range(ROWS)]), pa.int32()).cast(pa.date32())
    for digits, scale in ((9, 2), (18, 0), (38, 10)):
        numbers = [decimal.Decimal(rng.randrange(-(10**8), 10**8)).scaleb(-scale) for _ in range(ROWS)]
        columns[f"d{digits}_{scale}"] = pa.array(missing(numbers), pa.decimal128(digits, scale))
    columns["keys"] = pa.array(missing(words(20))).dictionary_encode()
    texts = words(2_000)
    texts[7] = ""
    columns["large"] = pa.array(missing(texts), pa.large_string())
    columns["bytes"] = pa.array(missing([rng.randbytes(rng.randrange(9)) for _ in range(ROWS)]), pa.binary())
    columns["fixed"] = pa.array(missing([rng.randbytes(4) for _ in range(ROWS)]), pa.binary(4))
    lists = missing([missing([rng.randrange(50) for _ in range(rng.randrange(6))]) for _ in range(ROWS)])
    columns["list"] = pa.array(lists, pa.list_(pa.int32()))
    deep = missing([[{"k": rng.choice("abc"), "v": missing([1.5, 2.5])} for _ in range(rng.randrange(3))] for _ in range(ROWS)])
    columns["deep"] = pa.array(deep, pa.list_(pa.struct([("k", pa.string()), ("v", pa.list_(pa.float64()))])))
    structs = missing([{"city": rng.choice("xyz"), "zip": rng.choice([None, 1, 2])} for _ in range(ROWS)])
    columns["place"] = pa.array(structs, pa.struct([("city", pa.string()), ("zip", pa.int16())]))
    maps = missing([[(rng.choice("ab"), rng.randrange(5))] for _ in range(ROWS)])
    columns["map"] = pa.array(maps, pa.map_(pa.string(), pa.int64()))
    columns["nothing"] = pa.array([None] * ROWS, pa.int64())
    return pa.table(columns)


def flattened(path, kind, values, out):
    """Columns by path, as (type, values)."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        for field in kind:
            flattened(f"{path}.{field.name}", field.type, [None if v is None else v[field.name] for v in values], out)
    elif pa.types.is_map(kind):
        out[path] = ("list", [None if v is None else len(v) for v in values])
        pairs = [pair for v in values if v is not None for pair in v]
        flattened(f"{path}[].key", kind.key_type, [k for k, _ in pairs], out)
        flattened(f"{path}[].value", kind.item_type, [v for _, v in pairs], out)
    elif pa.types.is_list(kind):
        out[path] = ("list", [None if v is None else len(v) for v in values])
        flattened(f"{path}[]", kind.value_type, [e for v in values if v is not None for e in v], out)
    else:
        out[path] = (kind, values)


def fail(where, what, ours, expected):
    sys.exit(f"{where}: {what}: ours {ours!r}, expected {expected!r}")


def same(where, what, ours, expected):
    if ours != expected:
        fail(where, what, ours, expected)


def close(where, what, ours, expected, within):
    if expected is None or ours is None:
        same(where, what, ours, expected)
    elif abs(ours - expected) > within * max(1.0, abs(expected)):
        fail(where, what, ours, expected)


KINDS = ["integer", "float", "boolean", "date", "timestamp", "string", "binary", "list"]


def kind_of(kind):
    if kind == "list":
        return "list"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_decimal(kind):
        return "integer" if kind.scale == 0 else "float"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    return "binary"


def compare(where, ours, kind, values, ticks):
    name = kind_of(kind)
    there = [v for v in values if v is not None and not (isinstance(v, float) and math.isnan(v))]
    same(where, "count", ours["count"], len(values))
    same(where, "nulls", ours["nulls"], len(values) - len(there))
    same(where, "kinds", ours["kinds"], [len(there) if name == each else 0 for each in KINDS])
    if not there:
        return
    same(where, "type", ours["type"], name)
    if name in ("integer", "float"):
        finite = [v for v in there if math.isfinite(v)]
        numbers = [float(v) for v in finite]
        same(where, "zeros", ours["zeros"], sum(v == 0 for v in finite))
        low, high = (float(text) for text in ours["range"])
        # Infinities are numbers; only what is summed up is of the others.
        same(where, "range", [low, high], [float(min(there)), float(max(there))])
        if name == "integer":
            same(where, "sum", int(ours["sum"]), sum(int(v) for v in finite))
        spread = float(np.std(numbers)) or 1.0
        close(where, "mean", ours["mean"] / spread, math.fsum(numbers) / len(numbers) / spread, 1e-9)
        close(where, "sd", ours["sd"], float(np.std(numbers, ddof=1)), 1e-9)
        ordered = np.sort(numbers)
        for q, value in zip((0.01, 0.25, 0.5, 0.75, 0.99), ours["quantiles"]):
            ranks = np.searchsorted(ordered, value, "left") / len(ordered), np.searchsorted(ordered, value, "right") / len(ordered)
            if not ranks[0] - 0.02 <= q <= ranks[1] + 0.02:
                fail(where, f"quantile {q}", value, ranks)
    if name == "integer" and pa.types.is_integer(kind):
        same(where, "range", [int(text) for text in ours["range"]], [min(there), max(there)])
    if pa.types.is_decimal(kind) if kind != "list" else False:
        same(where, "range", [decimal.Decimal(text) for text in ours["range"]], [min(there), max(there)])
    if name == "boolean":
        same(where, "trues", ours["trues"], sum(there))
    if name == "date":
        same(where, "range", ours["range"], [min(there).isoformat(), max(there).isoformat()])
    if name == "timestamp":
        per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        least, most = min(ticks), max(ticks)
        same(where, "range", ours["range"], [instant(least, per), instant(most, per)])
        nanos = [tick * (10**9 // per) for tick in ticks]
        resolution = next(unit for unit in (10**9, 10**6, 10**3, 1) if all(n % unit == 0 for n in nanos))
        same(where, "resolution", ours["resolution"], resolution)
        same(where, "zoned", ours["zoned"], len(there) if kind.tz else 0)
    if name == "string":
        lengths = [len(v) for v in there]
        same(where, "text_lengths", ours["text_lengths"], [min(lengths), max(lengths)])
        close(where, "mean_length", ours["mean_length"], sum(lengths) / len(lengths), 1e-12)
    if name == "binary":
        lengths = [len(v) for v in there]
        same(where, "byte_lengths", ours["byte_lengths"], [min(lengths), max(lengths), sum(lengths)])
    if name == "list":
        same(where, "list_lengths", ours["list_lengths"], [min(there), max(there), sum(there)])
        return
    distinct = len(set(there))
    if ours["distinct"] is not None:
        same(where, "distinct", ours["distinct"], distinct)
        if name in ("integer", "string") and not pa.types.is_decimal(kind):
            counts = sorted(collections.Counter(str(v) for v in there).items(), key=lambda item: (-item[1], item[0].encode()))
            ordered = sorted(([v, n] for v, n, _ in ours["top"]), key=lambda item: (-item[1], item[0].encode()))
            # Only ties at the end may be others.
            least = counts[: len(ordered)][-1][1]
            same(where, "top", [pair for pair in ordered if pair[1] > least], [list(pair) for pair in counts if pair[1] > least])
    elif abs(ours["distinct_estimate"] / distinct - 1) > 0.035:
        fail(where, "distinct_estimate", ours["distinct_estimate"], distinct)


def instant(tick, per):
    seconds, rest = divmod(tick, per)
    text = (EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    return text + (f".{rest * (10**9 // per):09d}".rstrip("0") if rest else "")


def check(path, table):
    columns = {}
    for field, column in zip(table.schema, table.columns):
        # Nanoseconds have no type in Python; their ticks do.
        values = column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(field.type) else column.to_pylist()
        flattened(field.name, field.type, values, columns)
    for threads in ("1", "3"):
        said = subprocess.run([program, str(path), threads], check=True, capture_output=True, text=True).stdout
        ours = json.loads(said)
        same(path.name, "rows", ours["rows"], table.num_rows)
        same(path.name, "columns", set(ours["columns"]), set(columns))
        for name, (kind, values) in columns.items():
            ticks = [v for v in values if v is not None]
            compare(f"{path.name}, column {name}", ours["columns"][name], kind, values, ticks)
    print(f"agrees: {path.name}, {len(columns)} columns")


def write_json(table, path):
    rows = table.to_pylist()
    shown = lambda v: str(v) if isinstance(v, (dt.date, dt.datetime)) else v
    text = "".join(json.dumps({k: shown(v) for k, v in row.items()}, ensure_ascii=rng.random() < 0.5) + "\n" for row in rows)
    path.write_text(text)


def main():
    flat, typed = flat_table(), typed_table()
    for name, table in (("flat", flat), ("typed", typed)):
        for compression, version, dictionary in (("snappy", "1.0", True), ("zstd", "2.0", True), ("gzip", "1.0", False), ("lz4", "2.0", False), ("none", "1.0", True)):
            path = place / f"{name}-{compression}.parquet"
            pq.write_table(table, path, compression=compression, data_page_version=version, use_dictionary=dictionary, row_group_size=1_700)
            check(path, table)
        deltas = {n: "DELTA_BINARY_PACKED" for n in table.column_names if pa.types.is_integer(table.schema.field(n).type) and table.schema.field(n).type.bit_width >= 32}
        path = place / f"{name}-delta.parquet"
        pq.write_table(table, path, use_dictionary=False, column_encoding=deltas)
        check(path, table)
        for compression in (None, "zstd", "lz4"):
            path = place / f"{name}-{compression}.arrow"
            options = pa.ipc.IpcWriteOptions(compression=compression)
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema, options=options) as writer:
                writer.write_table(table, max_chunksize=900)
            check(path, table)
            path = place / f"{name}-{compression}.arrows"
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema, options=options) as writer:
                writer.write_table(table, max_chunksize=900)
            check(path, table)
    for separator in ",;\t":
        path = place / f"flat-{ord(separator)}.csv"
        pa.csv.write_csv(flat, path, pa.csv.WriteOptions(delimiter=separator))
        check(path, flat)
    path = place / "flat-pandas.csv.gz"
    flat.to_pandas(integer_object_nulls=True, timestamp_as_object=True).to_csv(path, index=False)
    check(path, flat)
    path = place / "flat.jsonl"
    write_json(flat, path)
    check(path, flat)


main()
