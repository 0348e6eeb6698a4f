#!/usr/bin/env python3
"""Compares our sketches with Apache DataSketches, NumPy and SciPy over the same numbers, and recomputes stored hashes.

The hashes follow docs/formats/sketches.md and share no code with Bartizan. With --record it writes the samples anew.
"""

import json
import math
import pathlib
import struct
import subprocess
import sys

import datasketches
import numpy
import scipy.stats

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE / "../../tests/golden/sketch/v1"
KINDS = [
    "moments-few", "moments-many", "moments-out-of-range", "quantiles-few", "quantiles-many",
    "distinct-few", "distinct-many", "frequent-few", "frequent-many", "histogram",
]
ALL = 2**64 - 1
R2, R3, R5, R7, R11 = (
    0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1, 0x510E527FADE682D1,
)


def require(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def example(*arguments):
    command = ["cargo", "run", "--release", "-q", "-p", "bartizan-data", "--example", "sketch", "--", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=HERE).stdout


def columns():
    """The columns of crates/data/examples/sketch.rs."""
    made = {}
    for name, n in [("few", 1000), ("many", 100_000), ("more", 1_000_000)]:
        state, words = 42, []
        for _ in range(n):
            state = (state * 6364136223846793005 + 1442695040888963407) & ALL
            words.append((state >> 11) * 2.0**-53)
        made[name] = numpy.array(words)
    at = numpy.arange(500_000, dtype=numpy.uint64)
    made["whole"] = ((at * 2654435761 % 2**32) >> 12).astype(float)
    made["ascending"] = numpy.arange(300_000, dtype=float)
    at = numpy.arange(200_000, dtype=numpy.uint64)
    made["repeated"] = ((at % 1009) ** 2 % 1009).astype(float)
    made["tails"] = 1.0 / (1.0 + (at * 40503 % 2**32 % 65536).astype(float))
    return made


def close(ours, theirs, within, what):
    require(abs(ours - theirs) <= within * max(abs(theirs), 1e-300), f"{what}: {ours} is not {theirs}")


def check_moments(ours, x):
    name = ours["column"]
    require(ours["count"] == len(x) and ours["zeros"] == int((x == 0).sum()), f"{name}: counts")
    close(ours["sum"], math.fsum(x), 1e-15, f"{name}: sum")
    close(ours["mean"], math.fsum(x) / len(x), 1e-15, f"{name}: mean")
    close(ours["variance"], x.var(), 1e-12, f"{name}: variance")
    close(1 + ours["skewness"], 1 + scipy.stats.skew(x), 1e-9, f"{name}: skewness")
    close(ours["kurtosis"], scipy.stats.kurtosis(x), 1e-9, f"{name}: kurtosis")


def check_quantiles(ours, x):
    """Both sketches may be off by their bounds; ours from the truth by its own alone."""
    name, n, ascending = ours["column"], len(x), numpy.sort(x)
    theirs = datasketches.kll_doubles_sketch(512)
    theirs.update(x)
    their_error = theirs.normalized_rank_error(False)
    worst = 0.0
    for q, value in ours["quantiles"]:
        low = numpy.searchsorted(ascending, value, "left") / n
        high = numpy.searchsorted(ascending, value, "right") / n
        error = max(low - q, q - high, 0.0)
        worst = max(worst, error)
        require(error <= ours["rank_error_all"] + 1 / n, f"{name}: quantile {q} is off by {error}")
        below, upto = theirs.get_rank(value, False), theirs.get_rank(value, True)
        slack = ours["rank_error_all"] + their_error + 1 / n
        require(below - slack <= q <= upto + slack, f"{name}: DataSketches has {value} at {below}..{upto}, not {q}")
    return worst, their_error


def check_distinct(ours, x):
    name = ours["column"]
    true = len(numpy.unique(x))
    theirs = datasketches.hll_sketch(14, datasketches.tgt_hll_type.HLL_8)
    for value in x:
        theirs.update(float(value))
    error = ours["distinct"] / true - 1
    require(abs(error) <= 3 * ours["distinct_error"], f"{name}: {ours['distinct']} distinct values, not {true}")
    low, high = theirs.get_lower_bound(3), theirs.get_upper_bound(3)
    slack = 1 + 3 * ours["distinct_error"]
    require(low / slack <= ours["distinct"] <= high * slack, f"{name}: DataSketches has {low}..{high} distinct values")
    return error


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & ALL
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & ALL
    return x ^ (x >> 31)


def hash_integer(value):
    return mix((value & ALL) ^ (R2 if value < 2**63 else R3))


def hash_double(value):
    if math.isnan(value):
        return mix(0x7FF8000000000000 ^ R5)
    if not math.isinf(value) and value == int(value) and -(2**63) <= int(value) < 2**63:
        return hash_integer(int(value))
    return mix(struct.unpack("<Q", struct.pack("<d", value))[0] ^ R5)


def step(state, a, b):
    product = (a ^ R11 ^ state) * (b ^ R3)
    return (product & ALL) ^ (product >> 64) ^ (((state << 32) | (state >> 32)) & ALL)


def hash_bytes(data):
    def word(part):
        return int.from_bytes(part, "little")

    state, rest = R7, data
    while len(rest) > 16:
        state, rest = step(state, word(rest[:8]), word(rest[8:16])), rest[16:]
    if len(rest) >= 8:
        a, b = word(rest[:8]), word(rest[-8:])
    elif len(rest) >= 4:
        a, b = word(rest[:4]), word(rest[-4:])
    else:
        a, b = word((rest + rest[-1:] * 2)[:3]), 0
    return mix(step(state, a, b) ^ len(data))


def check_hashes(text):
    kinds = {"i64": int, "u64": int, "f64": float, "bytes": bytes.fromhex}
    hashes = {"i64": hash_integer, "u64": hash_integer, "f64": hash_double, "bytes": hash_bytes}
    lines = text.splitlines()
    for line in lines:
        kind, value, expected = line.split(" ")
        require(hashes[kind](kinds[kind](value)) == int(expected, 16), f"the hash of {kind} {value}")
    return len(lines)


def main():
    if "--record" in sys.argv:
        SAMPLES.mkdir(parents=True, exist_ok=True)
        (SAMPLES / "hashes.txt").write_bytes(example("hashes"))
        for kind in KINDS:
            (SAMPLES / f"{kind}.bin").write_bytes(example("sample", kind))
    stored = (SAMPLES / "hashes.txt").read_text()
    require(stored == example("hashes").decode(), "hashes are what they were")
    print(f"{check_hashes(stored)} hashes are those of the format")
    made = columns()
    for line in example().decode().splitlines():
        ours = json.loads(line)
        x = made[ours["column"]]
        check_moments(ours, x)
        worst, theirs = check_quantiles(ours, x)
        distinct = check_distinct(ours, x)
        print(
            f"{ours['column']:10} {len(x):8} values: quantiles off by {worst:.4%} at most (bound {ours['rank_error_all']:.4%},"
            f" DataSketches for one {theirs:.4%}), distinct values by {distinct:+.3%}"
        )


if __name__ == "__main__":
    main()
