"""Compares drift statistics and their p-values with SciPy's: check.py COMMAND..., which runs the example `drift`."""

import subprocess
import sys

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

random = np.random.default_rng(20)


def text(side):
    return " ".join(repr(value) for value in side.tolist())


def psi(p, q):
    used = (p + q) > 0
    p, q = p[used], q[used]
    if (p == 0).any() or (q == 0).any():
        p, q = p + 0.5, q + 0.5
    p, q = p / p.sum(), q / q.sum()
    return stats.entropy(p, q) + stats.entropy(q, p)


def chi_squared(p, q):
    table = np.array([p, q])[:, (p + q) > 0]
    return stats.chi2_contingency(table, correction=False).statistic


of_counts = {
    "psi": psi,
    "jensen-shannon": lambda p, q: jensenshannon(p, q, 2),
    "jensen-shannon-divergence": lambda p, q: jensenshannon(p, q, 2) ** 2,
    "hellinger": lambda p, q: np.linalg.norm(np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())) / np.sqrt(2),
    "l-infinity": lambda p, q: np.abs(p / p.sum() - q / q.sum()).max(),
    "chi-squared": chi_squared,
}
of_values = {
    "ks": lambda a, b: stats.ks_2samp(a, b).statistic,
    "wasserstein": stats.wasserstein_distance,
}


def sides_of_counts():
    for bins in (2, 3, 10, 50, 1000):
        for size, other in ((30, 30), (100, 7000), (10**6, 10**6), (5, 10**6)):
            even = np.full(bins, 1 / bins)
            skewed = 1 / np.arange(1, bins + 1) ** 2
            for shares in (even, skewed / skewed.sum()):
                moved = shares * random.uniform(0.5, 1.5, bins)
                yield random.multinomial(size, shares), random.multinomial(other, moved / moved.sum())
    yield np.array([0, 7, 3]), np.array([5, 0, 2])
    yield np.array([9, 0, 0]), np.array([4, 0, 0])
    yield np.array([9, 0]), np.array([0, 4])


def sides_of_values():
    for size, other in ((1, 1), (2, 9), (100, 100), (5000, 37), (20000, 30000)):
        for draw in (
            lambda n: random.normal(size=n),
            lambda n: random.standard_cauchy(n),
            lambda n: random.integers(0, 5, n).astype(float),
            lambda n: np.round(random.lognormal(3, 2, n), 1),
            lambda n: np.full(n, 7.25),
            lambda n: random.normal(1e9, 1e-3, n),
        ):
            yield draw(size), draw(other)
            yield draw(size), draw(other) * 1.1 + 0.2
    yield np.array([-0.0, 0.0, 1.0]), np.array([0.0, 0.0, -0.0])


questions, expected = [], []
for p, q in sides_of_counts():
    for name, function in of_counts.items():
        questions.append(f"value {name}|{text(p)}|{text(q)}")
        expected.append(function(p, q))
for a, b in sides_of_values():
    for name, function in of_values.items():
        questions.append(f"value {name}|{text(a)}|{text(b)}")
        expected.append(function(a, b))

# With random order among equals p lies between the exact chances of more, and of as much or more.
tests = []
for size, other in ((12, 15), (60, 45), (150, 150)):
    for shift in (0.0, 0.4):
        a, b = random.normal(size=size), random.normal(shift, size=other)
        questions.append(f"test ks|{text(a)}|{text(b)}")
        exact = stats.ks_2samp(a, b, method="exact")
        greater = np.mean([
            stats.ks_2samp(pooled[:size], pooled[size:], method="asymp").statistic > exact.statistic + 1e-9
            for pooled in (random.permutation(np.concatenate([a, b])) for _ in range(4000))
        ])
        tests.append(("ks", greater, exact.pvalue))
for bins, size, other in ((4, 200, 300), (10, 5000, 800), (3, 10**6, 10**6)):
    p = random.multinomial(size, np.full(bins, 1 / bins))
    q = random.multinomial(other, np.full(bins, 1 / bins))
    questions.append(f"test chi-squared|{text(p)}|{text(q)}")
    pvalue = stats.chi2_contingency([p, q], correction=False).pvalue
    tests.append(("chi-squared", pvalue, pvalue))

run = subprocess.run(sys.argv[1:], input="\n".join(questions) + "\n", capture_output=True, text=True, check=True)
answers = run.stdout.split("\n")
worst, wrong = 0.0, 0
for question, value, answer in zip(questions, expected, answers):
    error = abs(float(answer) - value) / max(abs(value), 1.0)
    worst = max(worst, error)
    if error > 1e-9:
        wrong += 1
        print(f"{question[:60]}: {answer}, SciPy {value!r}")
for (name, low, high), answer in zip(tests, answers[len(expected):]):
    p = float(answer.split()[1])
    # 19,999 draws here, 4,000 there: four standard errors; and the chi-squared formula is an approximation.
    slack = 4 * np.sqrt(0.25 / 4000) if name == "ks" else 0.015
    if not low - slack <= p <= high + slack:
        wrong += 1
        print(f"p of {name}: {p}, SciPy {low} to {high}")
print(f"{len(expected)} statistics, worst error {worst:.1e}; {len(tests)} p-values; {wrong} wrong")
sys.exit(wrong > 0)
