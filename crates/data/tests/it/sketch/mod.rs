//! Sketches: what they answer, how far they may be off, and that parts make the whole.
#![expect(clippy::indexing_slicing, reason = "helpers outside #[test] that must fail when they miss")]

mod golden;
mod heavy;
mod histogram;
mod hll;
mod kll;
mod moments;

/// Numbers that look random and are the same in every run: SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Even over [0, 1).
    pub(crate) fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }

    /// Normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// One number of many, from its place, chance, and how many there are.
pub(crate) type Shape = fn(usize, &mut Numbers, usize) -> f64;

/// Data of many shapes, by name.
pub(crate) const SHAPES: [(&str, Shape); 10] = [
    ("even", |_, numbers, _| numbers.share()),
    ("normal", |_, numbers, _| numbers.normal()),
    ("ascending", |at, _, _| at as f64),
    ("descending", |at, _, n| (n - at) as f64),
    ("constant", |_, _, _| 7.25),
    ("zig-zag", |at, _, n| if at % 2 == 0 { at as f64 } else { (2 * n - at) as f64 }),
    ("heavy tails", |_, numbers, _| {
        (1.0 - numbers.share()).powf(-3.0) * if numbers.word() & 1 == 0 { 1.0 } else { -1.0 }
    }),
    ("few values", |_, numbers, _| numbers.below(17) as f64),
    ("waves", |at, _, _| (at as f64 * 0.013).sin()),
    ("blocks", |at, numbers, _| ((at / 4096) % 5) as f64 + 1e-3 * numbers.share()),
];

pub(crate) fn shaped(shape: Shape, n: usize, seed: u64) -> Vec<f64> {
    let mut numbers = Numbers(seed);
    (0..n).map(|at| shape(at, &mut numbers, n)).collect()
}
