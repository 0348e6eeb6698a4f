//! Random numbers from a seed: uniform, subsets, binomial and hypergeometric counts.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts are below 2^53, and floats are cut to counts on purpose"
)]

use std::sync::LazyLock;

/// xoshiro256++ (Blackman and Vigna, 2021), seeded by `SplitMix64`. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed;
        let state = [0; 4].map(|_: u64| {
            mixed = mixed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            mix(mixed)
        });
        Self { state }
    }

    /// A generator for one purpose under a seed: independent of those for other names, whatever the order of calls.
    pub fn named(seed: u64, name: &str) -> Self {
        let folded =
            name.bytes().fold(seed ^ mix(name.len() as u64), |hash, byte| mix(hash ^ u64::from(byte)));
        Self::new(folded)
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Uniform in [0, 1), 53 bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Uniform in 0..`bound`, without bias (Lemire, 2019); 0 when the bound is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound.max(1) {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts a random subset of `count` elements in front, each subset with equal chance.
    pub fn choose<T>(&mut self, elements: &mut [T], count: usize) {
        for at in 0..count.min(elements.len()) {
            let other = at + self.below((elements.len() - at) as u64) as usize;
            elements.swap(at, other);
        }
    }

    /// Standard normal (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Gamma of a positive shape and scale 1 (Marsaglia and Tsang, 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * (1.0 - self.uniform()).powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let z = self.normal();
            let v = (1.0 + z / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// How many of `trials` succeed, each with probability `chance`.
    pub fn binomial(&mut self, trials: u64, chance: f64) -> u64 {
        if chance > 0.5 {
            return trials - self.binomial(trials, 1.0 - chance).min(trials);
        }
        let n = trials as f64;
        if trials == 0 || chance.is_nan() || chance <= 0.0 {
            return 0;
        }
        if n * chance < 12.0 {
            return self.binomial_by_gaps(trials, chance);
        }
        let odds = (chance / (1.0 - chance)).ln();
        let mode = ((n + 1.0) * chance).floor().min(n);
        let log = |k: f64| k * odds - log_factorial(k) - log_factorial(n - k);
        self.by_ratio(n * chance, n * chance * (1.0 - chance), n, mode, log) as u64
    }

    /// Counts how many geometric gaps fit into the trials: as many steps as there are successes.
    fn binomial_by_gaps(&mut self, trials: u64, chance: f64) -> u64 {
        let (failure, mut left, mut found) = ((-chance).ln_1p(), trials as f64, 0);
        loop {
            left -= ((1.0 - self.uniform()).ln() / failure).floor() + 1.0;
            if left < 0.0 {
                return found;
            }
            found += 1;
        }
    }

    /// How many of the `marked` among `all` are in a random sample of `sample` without replacement.
    pub fn hypergeometric(&mut self, all: u64, marked: u64, sample: u64) -> u64 {
        let (marked, sample) = (marked.min(all), sample.min(all));
        // The distribution is the same with sample and marked changed, and known from that of the complements, so
        // that both can be at most half.
        if marked > all - marked {
            return sample - self.hypergeometric(all, all - marked, sample).min(sample);
        }
        if sample > all - sample {
            return marked - self.hypergeometric(all, marked, all - sample).min(marked);
        }
        let (few, many) = (marked.min(sample), marked.max(sample));
        if few < 16 {
            return self.one_by_one(all, many, few);
        }
        let (size, few, many) = (all as f64, few as f64, many as f64);
        let share = many / size;
        let variance = few * share * (1.0 - share) * (size - few) / (size - 1.0);
        let mode = ((few + 1.0) * (many + 1.0) / (size + 2.0)).floor();
        let log = |k: f64| {
            -(log_factorial(k)
                + log_factorial(few - k)
                + log_factorial(many - k)
                + log_factorial(size - many - few + k))
        };
        self.by_ratio(few * share, variance, few, mode, log) as u64
    }

    fn one_by_one(&mut self, all: u64, marked: u64, sample: u64) -> u64 {
        let mut left = marked;
        for taken in 0..sample {
            left -= u64::from(self.below(all - taken) < left);
        }
        marked - left
    }

    /// A count from 0 to `most` with log-concave probabilities, known up to a constant: ratio of uniforms with the
    /// table mountain hat of Stadlober (1989, 1990), as his HRUA does it for both distributions.
    fn by_ratio(&mut self, mean: f64, variance: f64, most: f64, mode: f64, log: impl Fn(f64) -> f64) -> f64 {
        /// 2 sqrt(2 / e) and 3 - 2 sqrt(3 / e).
        const HAT: (f64, f64) = (1.715_527_769_921_413_5, 0.898_916_162_058_898_8);
        let centre = mean + 0.5;
        let width = HAT.0 * (variance + 0.5).sqrt() + HAT.1;
        let top = log(mode);
        loop {
            let u = 1.0 - self.uniform();
            let v = self.uniform();
            let count = (centre + width * (v - 0.5) / u).floor();
            if count < 0.0 || count > most {
                continue;
            }
            let ratio = log(count) - top;
            if u * (4.0 - u) - 3.0 <= ratio {
                return count;
            }
            if u * (u - ratio) < 1.0 && 2.0 * u.ln() <= ratio {
                return count;
            }
        }
    }
}

const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The logarithm of k!, for whole k from 0.
fn log_factorial(k: f64) -> f64 {
    SMALL.get(k as usize).copied().unwrap_or_else(|| stirling(k))
}

/// ln k! for small k, where most arguments lie.
static SMALL: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let exact = (0..32_u32).scan(0.0, |sum, k| {
        *sum += f64::from(k.max(1)).ln();
        Some(*sum)
    });
    exact.chain((32..4_096).map(|k| stirling(f64::from(k)))).collect()
});

/// Stirling's series for ln Gamma(k + 1) with four terms, within 1e-16 relative from 32 on.
fn stirling(k: f64) -> f64 {
    let inverse = 1.0 / (k + 1.0);
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (k + 0.5) * (k + 1.0).ln() - (k + 1.0) + 0.918_938_533_204_672_8 + series
}
