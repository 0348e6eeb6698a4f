//! How likely something is by chance: tails of distributions, in natural logarithms, and control over many tests.
//!
//! Logarithms, because what is looked for has chances such as 1e-400, which no double holds.

use std::fmt;

/// How likely a finding is when nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Natural logarithm of the probability, or of an upper bound for it; at most 0.
    pub ln: f64,
    /// How it was worked out, in words.
    pub method: &'static str,
}

impl Chance {
    pub(crate) fn new(ln: f64, method: &'static str) -> Self {
        Self { ln: if ln.is_nan() { 0.0 } else { ln.min(0.0) }, method }
    }

    /// The probability; 0 when it is too small for a double.
    pub fn probability(self) -> f64 {
        self.ln.exp()
    }
}

impl fmt::Display for Chance {
    /// Two significant digits: `0.037`, `4.1e-93`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ln > -9.2 {
            return write!(f, "{:.4}", self.ln.exp());
        }
        let mut exponent = (self.ln / std::f64::consts::LN_10).floor();
        let mut digits = (self.ln - exponent * std::f64::consts::LN_10).exp();
        if digits >= 9.95 {
            digits = 1.0;
            exponent += 1.0;
        }
        write!(f, "{digits:.1}e{exponent}")
    }
}

/// ln(exp(a) + exp(b)).
pub(crate) fn ln_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// ln(1 - exp(a)) for a <= 0.
fn ln_not(a: f64) -> f64 {
    if a >= 0.0 {
        f64::NEG_INFINITY
    } else if a > -std::f64::consts::LN_2 {
        (-a.exp_m1()).ln()
    } else {
        (-a.exp()).ln_1p()
    }
}

/// ln of the gamma function for x > 0: Stirling's series from 12 upwards, the recurrence below (Abramowitz and
/// Stegun, 6.1.15 and 6.1.41).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series =
        (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse * (1.0 / 1680.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

/// ln of a sum whose first term is exp(`first`) and whose ratios of neighbours are `ratio(0)`, `ratio(1)`, ...,
/// all below one from some place on.
fn ln_series(first: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    let (mut term, mut sum, mut at) = (1.0_f64, 1.0_f64, 0.0);
    let mut scale = first;
    loop {
        let factor = ratio(at);
        term *= factor;
        if term <= 0.0 || (term < sum * 1e-17 && factor < 1.0) || !term.is_finite() {
            return scale + sum.ln();
        }
        sum += term;
        if sum > 1e250 {
            scale += sum.ln();
            term /= sum;
            sum = 1.0;
        }
        at += 1.0;
    }
}

/// ln P(X >= k) of a binomial X with `n` trials.
pub(crate) fn binomial_upper(n: f64, p: f64, k: f64) -> f64 {
    if k <= 0.0 || p >= 1.0 {
        return 0.0;
    }
    if k > n || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let mass = |k: f64| ln_choose(n, k) + k * p.ln() + (n - k) * (-p).ln_1p();
    let odds = p / (1.0 - p);
    if k > n * p {
        ln_series(mass(k), |at| (n - k - at) / (k + at + 1.0) * odds).min(0.0)
    } else {
        let below = k - 1.0;
        ln_not(ln_series(mass(below), |at| (below - at) / (n - below + at + 1.0) / odds))
    }
}

/// ln P(X <= k) of a binomial X with `n` trials.
pub(crate) fn binomial_lower(n: f64, p: f64, k: f64) -> f64 {
    binomial_upper(n, 1.0 - p, n - k)
}

/// ln P(X >= k), X the marked ones among `drawn` of `total`, of which `marked` are.
pub(crate) fn hypergeometric_upper(total: f64, marked: f64, drawn: f64, k: f64) -> f64 {
    let least = (marked + drawn - total).max(0.0);
    if k <= least {
        return 0.0;
    }
    if k > marked.min(drawn) {
        return f64::NEG_INFINITY;
    }
    let mass = |k: f64| ln_choose(marked, k) + ln_choose(total - marked, drawn - k) - ln_choose(total, drawn);
    let rest = total - marked - drawn;
    if k * total > marked * drawn {
        let up = |at: f64| {
            let i = k + at;
            (marked - i) * (drawn - i) / ((i + 1.0) * (rest + i + 1.0))
        };
        ln_series(mass(k), up).min(0.0)
    } else {
        let down = |at: f64| {
            let i = k - 1.0 - at;
            i * (rest + i) / ((marked - i + 1.0) * (drawn - i + 1.0))
        };
        ln_not(ln_series(mass(k - 1.0), down))
    }
}

/// ln P(X <= k) of the same.
pub(crate) fn hypergeometric_lower(total: f64, marked: f64, drawn: f64, k: f64) -> f64 {
    hypergeometric_upper(total, total - marked, drawn, drawn - k)
}

/// ln of the two-sided probability: twice the smaller tail.
pub(crate) fn hypergeometric_both(total: f64, marked: f64, drawn: f64, k: f64) -> f64 {
    let upper = hypergeometric_upper(total, marked, drawn, k);
    let lower = hypergeometric_lower(total, marked, drawn, k);
    (upper.min(lower) + std::f64::consts::LN_2).min(0.0)
}

/// ln P(X >= k) of a Poisson X.
pub(crate) fn poisson_upper(mean: f64, k: f64) -> f64 {
    if k <= 0.0 {
        return 0.0;
    }
    if mean <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let mass = |k: f64| k * mean.ln() - mean - ln_gamma(k + 1.0);
    if k > mean {
        ln_series(mass(k), |at| mean / (k + at + 1.0)).min(0.0)
    } else {
        ln_not(ln_series(mass(k - 1.0), |at| (k - 1.0 - at) / mean))
    }
}

/// ln of the regularised upper incomplete gamma function Q(a, x): the series of Abramowitz and Stegun 6.5.29 for
/// P below a + 1, their continued fraction 6.5.31 above, by Lentz's method.
pub(crate) fn ln_gamma_upper(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = a * x.ln() - x - ln_gamma(a);
    if x < a + 1.0 {
        return ln_not(ln_series(front - a.ln(), |at| x / (a + at + 1.0)).min(0.0));
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut value = d;
    for at in 1..10_000_u32 {
        let at = f64::from(at);
        let step = -at * (at - a);
        b += 2.0;
        d = 1.0 / (step * d + b);
        c = b + step / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (front + value.ln()).min(0.0)
}

/// ln P(X >= x) of a chi-squared X.
pub(crate) fn chi_squared_upper(x: f64, degrees: f64) -> f64 {
    ln_gamma_upper(degrees / 2.0, x / 2.0)
}

/// ln P(|Z| >= |z|) of a standard normal Z.
pub(crate) fn normal_both(z: f64) -> f64 {
    ln_gamma_upper(0.5, z * z / 2.0)
}

/// An upper bound for ln P(X >= k), X the sum of independent events with these probabilities: the smaller of
/// Hoeffding's (1956, theorem 4: among sums of the same mean the binomial spreads most) and Chernoff's (1952).
pub(crate) fn events_upper(probabilities: &[f64], k: f64) -> f64 {
    let n = probabilities.len() as f64;
    let mean: f64 = probabilities.iter().sum();
    if k < mean + 1.0 {
        return 0.0;
    }
    let hoeffding = binomial_upper(n, mean / n, k);
    if k > n || probabilities.len() > 50_000 {
        return hoeffding;
    }
    // The bound holds for every t >= 0; the best is where the tilted mean is k.
    let tilted = |t: f64| -> f64 {
        let factor = t.exp();
        probabilities.iter().map(|p| p * factor / (1.0 - p + p * factor)).sum()
    };
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if tilted(middle) < k { low = middle } else { high = middle }
    }
    let growth = low.exp_m1();
    let chernoff = probabilities.iter().map(|p| (p * growth).ln_1p()).sum::<f64>() - low * k;
    hoeffding.min(chernoff)
}

/// The exact interval of Clopper and Pearson (1934) for a share, `k` of `n` seen, at 1 - `error`.
pub(crate) fn share_interval(n: f64, k: f64, error: f64) -> (f64, f64) {
    let limit = (error / 2.0).ln();
    let solve = |tail: &dyn Fn(f64) -> f64, rising: bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if (tail(middle) < limit) == rising { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let low = if k <= 0.0 { 0.0 } else { solve(&|p| binomial_upper(n, p, k), true) };
    let high = if k >= n { 1.0 } else { solve(&|p| binomial_lower(n, p, k), false) };
    (low, high)
}

/// Which of these tests are rejected at a false-discovery rate: Benjamini and Hochberg (1995), or with
/// `dependent` Benjamini and Yekutieli (2001), which holds however the tests depend on each other. Returns the
/// adjusted values, as logarithms.
pub(crate) fn adjusted(ln: &[f64], dependent: bool) -> Vec<f64> {
    let m = ln.len() as f64;
    let mut order: Vec<(f64, usize)> = ln.iter().copied().zip(0..).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let harmonic: f64 = if dependent { (1..=ln.len()).map(|i| 1.0 / i as f64).sum() } else { 1.0 };
    let mut least = 0.0_f64;
    let mut adjusted = vec![0.0; ln.len()];
    for (rank, (ln, at)) in order.iter().enumerate().rev() {
        least = least.min(ln + (m * harmonic / (rank as f64 + 1.0)).ln());
        if let Some(place) = adjusted.get_mut(*at) {
            *place = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests;
