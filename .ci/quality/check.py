#!/usr/bin/env python3
"""Compares our confident learning with PyPI's cleanlab, which its authors wrote: check.py PROGRAM FOLDER

PROGRAM is `target/release/examples/label_issues`. Probabilities come from scikit-learn out of fold, and from draws;
labels are flipped at several rates, some labels are rare and some never given. Every filter must give the same set
of rows, and the ranked ones in the same order. Exits with 1 when anything differs.
"""

import functools
import pathlib
import subprocess
import sys
import warnings

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

FILTERS = [
    "prune_by_noise_rate", "prune_by_class", "both",
    "confident_learning", "low_self_confidence", "low_normalized_margin",
]  # fmt: skip

warnings.filterwarnings("ignore")
np.argsort = functools.partial(np.argsort, kind="stable")


def flipped(rng, truth, classes, share):
    labels = truth.copy()
    rows = rng.random(len(labels)) < share
    labels[rows] = (labels[rows] + rng.integers(1, classes, rows.sum())) % classes
    return labels


def drawn(seed, rows, classes, share, weights=None):
    """Probabilities drawn around the truth, as sharp as a good model's."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, rows, p=weights)
    logits = rng.gumbel(size=(rows, classes))
    logits[np.arange(rows), truth] += 4
    shares = np.exp(logits)
    shares /= shares.sum(axis=1, keepdims=True)
    return flipped(rng, truth, classes, share), shares


def learned(seed, rows, classes, share, model):
    """What scikit-learn says of rows that it did not learn from."""
    x, truth = make_classification(
        rows, 12, n_informative=8, n_classes=classes, class_sep=1.5, random_state=seed
    )
    labels = flipped(np.random.default_rng(seed), truth, classes, share)
    return labels, cross_val_predict(model, x, labels, cv=3, method="predict_proba")


def cases():
    for seed, classes in enumerate([2, 3, 5, 10, 16]):
        for share in [0.0, 0.01, 0.05, 0.1, 0.3]:
            yield f"drawn, {classes} classes, {share:.0%} flipped", drawn(seed, 4_000, classes, share)
    yield "drawn, 10 rows", drawn(7, 10, 2, 0.3)
    yield "drawn, rare labels", drawn(8, 5_000, 4, 0.02, [0.9, 0.097, 0.002, 0.001])
    labels, shares = drawn(9, 5_000, 4, 0.0)
    yield "drawn, a label that nothing has", (np.where(labels == 2, 1, labels), shares)
    for share in [0.01, 0.05, 0.1]:
        yield f"logistic regression, {share:.0%} flipped", learned(
            11, 5_000, 3, share, LogisticRegression(max_iter=500)
        )
    # Shares of trees are coarse: many rows are equally likely where what is taken ends.
    forest = RandomForestClassifier(60, min_samples_leaf=5, random_state=0, n_jobs=1)
    labels, shares = learned(12, 4_000, 3, 0.05, forest)
    yield "random forest, 5% flipped", (labels, shares)


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    wrong = compared = 0
    for name, (labels, shares) in cases():
        shares = np.ascontiguousarray(shares, dtype=np.float64)
        labels.astype("<u4").tofile(folder / "labels.u32")
        shares.astype("<f8").tofile(folder / "probabilities.f64")
        subprocess.run([program, folder, str(shares.shape[1]), "3"], check=True, stdout=subprocess.DEVNULL)
        for kind in FILTERS:
            mask = find_label_issues(labels, shares, filter_by=kind, n_jobs=1)
            scores = get_label_quality_scores(labels, shares, method="self_confidence")
            ours = np.fromfile(folder / f"{kind}.rows.u32", dtype="<u4")
            same = set(ours.tolist()) == set(np.flatnonzero(mask).tolist())
            ordered = bool(np.all(np.diff(scores[ours]) >= 0))
            compared += 1
            if not (same and ordered):
                wrong += 1
                print(f"{name}: {kind}: {len(ours)} rows, cleanlab has {mask.sum()}, ordered: {ordered}")
    print(f"{compared} comparisons with cleanlab, {wrong} differ")
    sys.exit(1 if wrong else 0)


main()
