//! Random numbers and an exponential that come out the same on every machine, for ever.
//!
//! The demo's data must be equal bit for bit wherever it runs, so that its digest can be written down. The
//! system's `exp`, `ln` and `cos` differ in the last bit between platforms; IEEE addition, multiplication and
//! division don't, so only these are used here. Nothing in this file is fit for keys or tokens.

/// xoshiro256++ (Blackman and Vigna, 2019), its state filled by splitmix64 from one number.
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator whose whole output follows from `seed`.
    pub(crate) fn new(seed: u64) -> Rng {
        let mut mixer = seed;
        let state = std::array::from_fn(|_| {
            mixer = mixer.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = mixer;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        });
        Rng { state }
    }

    /// The next 64 random bits.
    pub(crate) fn word(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let shifted = b << 17;
        let (b, a) = (b ^ c, a ^ d);
        self.state = [a, b, c ^ shifted, d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`; 0 if `bound` is 0. Its bias is below `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = (u128::from(self.word()) * u128::from(bound)) >> 64;
        u64::try_from(wide).unwrap_or(0)
    }

    /// A number in `0.0..1.0` with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;
        (self.word() >> 11) as f64 * STEP
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A draw from nearly the standard normal distribution: the sum of twelve uniform numbers less six.
    ///
    /// It never leaves `-6.0..6.0`.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// One of `items`, each as likely as the other.
    pub(crate) fn pick<'a, T, const N: usize>(&mut self, items: &'a [T; N]) -> &'a T {
        self.weighted(items, |_| 1)
    }

    /// One of `items`, as likely as its weight.
    pub(crate) fn weighted<'a, T, const N: usize>(
        &mut self,
        items: &'a [T; N],
        weight: impl Fn(&T) -> u64,
    ) -> &'a T {
        const { assert!(N > 0, "there is nothing to choose from") };
        let mut left = self.below(items.iter().map(&weight).sum());
        let chosen = items.iter().position(|item| {
            let share = weight(item);
            let here = left < share;
            left = left.saturating_sub(share);
            here
        });
        #[expect(clippy::indexing_slicing, reason = "a position in the array, or its last one")]
        &items[chosen.unwrap_or(N - 1)]
    }
}

/// `e` to the power of `x`, to about 15 digits, by halving the argument's range and a Taylor series.
pub(crate) fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    // Beyond this the result is 0 or infinite in all uses here; 2^n below stays a normal number.
    let x = x.clamp(-700.0, 700.0);
    let mut halvings = 0;
    let mut small = x;
    while small.abs() > 0.0625 {
        small *= 0.5;
        halvings += 1;
    }
    let mut term = 1.0;
    let mut sum = 1.0;
    for step in 1..=12 {
        term *= small / f64::from(step);
        sum += term;
    }
    for _ in 0..halvings {
        sum *= sum;
    }
    sum
}

/// The logistic function, `1 / (1 + e^-x)`.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests;
