#!/usr/bin/env python3
"""Confident learning beside cleanlab: measure.py PROGRAM FOLDER [ROWS] [CLASSES].

Probabilities of a good model and labels of which 5 % are flipped, in one run on this machine. Wall and CPU of the
call alone; ours is the best of five, cleanlab's the best of three. Both find the same rows, or this fails.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
from cleanlab.filter import find_label_issues

warnings.filterwarnings("ignore")
program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
classes = int(sys.argv[4]) if len(sys.argv) > 4 else 10
folder.mkdir(parents=True, exist_ok=True)

rng = np.random.default_rng(1)
truth = rng.integers(0, classes, rows)
logits = rng.gumbel(size=(rows, classes))
logits[np.arange(rows), truth] += 7
shares = np.exp(logits)
shares /= shares.sum(axis=1, keepdims=True)
labels = truth.copy()
flips = rng.random(rows) < 0.05
labels[flips] = (labels[flips] + rng.integers(1, classes, flips.sum())) % classes
labels.astype("<u4").tofile(folder / "labels.u32")
shares.astype("<f8").tofile(folder / "probabilities.f64")


def cpu():
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def ours(threads):
    done = subprocess.run([program, folder, str(classes), str(threads), "5"], check=True, capture_output=True)
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    return {name: float(seconds) for name, seconds, _ in lines}


cores = len(os.sched_getaffinity(0))
one, all_ = ours(1), ours(cores)
print(f"{rows} rows, {classes} classes, {flips.sum()} flipped, {cores} cores")
print("| filter | ours, 1 thread | ours, all | cleanlab, 1 job | cleanlab, all: wall, CPU | recall, ours and cleanlab | precision |")
print("|---|---|---|---|---|---|---|")
for name in ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "low_self_confidence"]:
    times = {}
    for jobs in (1, cores):
        for _ in range(3):
            begun, used = time.perf_counter(), cpu()
            mask = find_label_issues(labels, shares, filter_by=name, n_jobs=jobs)
            took = (time.perf_counter() - begun, cpu() - used)
            times[jobs] = min(times.get(jobs, took), took)
    mine = np.zeros(rows, dtype=bool)
    mine[np.fromfile(folder / f"{name}.rows.u32", dtype="<u4")] = True
    if not np.array_equal(mine, mask):
        sys.exit(f"{name}: {mine.sum()} rows, cleanlab has {mask.sum()}, {(mine != mask).sum()} differ")
    recall, theirs = mine[flips].mean(), mask[flips].mean()
    print(
        f"| `{name}` | {one[name]:.3f} s | {all_[name]:.3f} s | {times[1][0]:.2f} s"
        f" | {times[cores][0]:.2f} s, {times[cores][1]:.2f} s | {recall:.4f}, {theirs:.4f} | {flips[mine].mean():.4f} |"
    )
