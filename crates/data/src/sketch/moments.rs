//! Moments of a column: how many numbers, their sum, mean and central moments up to the fourth.

use super::codec::{Kind, Reader, SketchInvalid, Writer};
use super::{NotMergeable, joint_count};
use crate::limits::ROWS;

/// Numbers that are taken together: they stay in the first-level cache for their second pass.
const BLOCK: usize = 1024;
/// Sums that are kept side by side, so that they can be computed at once; also divides their rounding error.
const LANES: usize = 8;

/// Count, sum and central moments of the numbers of a column.
///
/// Numbers are taken in blocks of 1,024, each in two passes around its own mean, and blocks and parts are joined by the
/// formulas of Chan, Golub and LeVeque (1979, <https://doi.org/10.1007/978-3-642-51461-6_3>) in Pébay's extension
/// to higher orders (2008, <https://doi.org/10.2172/1028931>).
///
/// # Error
/// With u = 2^-53, σ the standard deviation, κ = sqrt(1 + (mean/σ)²) and j the number of joins on the longest path to
/// the result (log2 of the blocks of one call, plus one for each call and merge), to first order in u: the mean is
/// within (j + 2)·u·max|x| of the true one, and the variance relatively within (140 + 8 j)·u·κ. Counts are exact. The sum
/// of whole numbers given as such is exact; that of others is within 140·u·Σ|x - mean of its block|, rounded once. A
/// moment that leaves the range of a double is not known from there on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    whole: Whole,
    rest: DoubleSum,
    central: Central,
    zeros: u64,
    negatives: u64,
    nans: u64,
    infinities: Infinities,
}

/// The numbers that came as whole numbers: how many, and their exact sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Whole {
    count: u64,
    sum: i128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Infinities {
    positive: u64,
    negative: u64,
}

/// Count, mean, and sums of powers of the distance from it. Infinity stands for "left the range of a double".
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Central {
    count: u64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

/// A sum of doubles to about twice their precision: `low` is what rounding took from `high`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct DoubleSum {
    high: f64,
    low: f64,
}

impl Moments {
    /// Of no numbers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes numbers of any kind; those that are not finite are only counted.
    pub fn update(&mut self, values: &[f64]) {
        if !values.is_empty() {
            *self = joined(self, &of_slice(values));
        }
    }

    /// Takes whole numbers: their sum is exact, for the other moments those beyond 2^53 are rounded.
    pub fn update_integers(&mut self, values: &[i64]) {
        if !values.is_empty() {
            *self = joined(self, &of_integers(values));
        }
    }

    /// Adds the numbers of another part. Which one is added to which makes no difference.
    ///
    /// # Errors
    /// When the parts have more numbers than are counted.
    pub fn merge(&mut self, other: &Self) -> Result<(), NotMergeable> {
        joint_count(self.seen(), other.seen())?;
        *self = joined(self, other);
        Ok(())
    }

    /// Finite numbers. All moments are theirs.
    pub const fn count(&self) -> u64 {
        self.central.count
    }

    /// Finite numbers that are nought.
    pub const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Finite numbers below nought.
    pub const fn negatives(&self) -> u64 {
        self.negatives
    }

    /// Values that are not a number.
    pub const fn nans(&self) -> u64 {
        self.nans
    }

    /// Values that are plus and minus infinity.
    pub const fn infinities(&self) -> (u64, u64) {
        (self.infinities.positive, self.infinities.negative)
    }

    /// The sum, rounded once; `None` when it leaves the range of a double.
    pub fn sum(&self) -> Option<f64> {
        let mut sum = self.rest;
        // Each 48 bits of the exact sum are a double as they are, so nothing is lost before the last rounding.
        for (shift, unit) in [(96, 2.0_f64.powi(96)), (48, 2.0_f64.powi(48)), (0, 1.0)] {
            let digits = self.whole.sum >> shift;
            let digits = if shift == 96 { digits } else { digits & ((1 << 48) - 1) };
            sum.add(digits as f64 * unit);
        }
        finite(sum.high)
    }

    /// The sum without rounding, when all numbers came as whole numbers.
    pub fn exact_sum(&self) -> Option<i128> {
        (self.whole.count == self.central.count).then_some(self.whole.sum)
    }

    /// The mean; `None` without numbers.
    pub fn mean(&self) -> Option<f64> {
        (self.central.count > 0).then_some(self.central.mean)
    }

    /// The mean squared distance from the mean; `None` without numbers, or when it leaves the range of a double.
    pub fn variance(&self) -> Option<f64> {
        (self.central.count > 0).then(|| self.central.m2 / self.central.count as f64).and_then(finite)
    }

    /// The unbiased estimate of the variance of what the numbers were drawn from; needs two of them.
    pub fn sample_variance(&self) -> Option<f64> {
        let freedom = self.central.count.checked_sub(1).filter(|freedom| *freedom > 0)?;
        finite(self.central.m2 / freedom as f64)
    }

    /// Skewness g1 = m3 / m2^1.5 of the numbers; `None` when all are equal.
    pub fn skewness(&self) -> Option<f64> {
        let n = self.central.count as f64;
        // Dividing step by step keeps powers of the variance in range.
        finite(self.central.m3 / self.central.m2 / (self.central.m2 / n).sqrt())
    }

    /// Excess kurtosis g2 = m4 / m2² - 3 of the numbers; `None` when all are equal.
    pub fn excess_kurtosis(&self) -> Option<f64> {
        let n = self.central.count as f64;
        finite(self.central.m4 / self.central.m2 / (self.central.m2 / n) - 3.0)
    }

    const fn seen(&self) -> u64 {
        self.central.count + self.nans + self.infinities.positive + self.infinities.negative
    }
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// Halves are joined with each other, so that errors grow with the logarithm of the blocks.
fn of_slice(values: &[f64]) -> Moments {
    if values.len() <= BLOCK {
        return of_block(values);
    }
    let (one, two) = values.split_at((values.len() / 2).next_multiple_of(BLOCK));
    joined(&of_slice(one), &of_slice(two))
}

fn of_integers(values: &[i64]) -> Moments {
    if values.len() > BLOCK {
        let (one, two) = values.split_at((values.len() / 2).next_multiple_of(BLOCK));
        return joined(&of_integers(one), &of_integers(two));
    }
    let mut numbers = [0.0; BLOCK];
    let (mut high, mut low) = (0_i64, 0_i64);
    for (number, value) in numbers.iter_mut().zip(values) {
        *number = *value as f64;
        // The halves of 1,024 numbers can be added up without overflow.
        high = high.wrapping_add(*value >> 32);
        low = low.wrapping_add(*value & 0xFFFF_FFFF);
    }
    let mut moments = of_block(numbers.get(..values.len()).unwrap_or_default());
    moments.rest = DoubleSum::default();
    moments.whole = Whole { count: values.len() as u64, sum: (i128::from(high) << 32) + i128::from(low) };
    moments
}

/// The moments of at most [`BLOCK`] numbers.
fn of_block(values: &[f64]) -> Moments {
    let (sum, zeros, negatives) = sum_and_signs(values);
    // A sum that is finite had only finite numbers in it.
    if !sum.is_finite() {
        return of_odd_block(values);
    }
    let mut moments = Moments { zeros, negatives, ..Moments::default() };
    (moments.central, moments.rest) = around(values, sum / values.len().max(1) as f64);
    moments
}

/// A block with numbers that are not finite, or whose sum is too large for a double.
#[cold]
fn of_odd_block(values: &[f64]) -> Moments {
    let numbers: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let count = |which: fn(&f64) -> bool| values.iter().filter(|value| which(value)).count() as u64;
    let (_, zeros, negatives) = sum_and_signs(&numbers);
    let share = 1.0 / numbers.len().max(1) as f64;
    let mean: f64 = numbers.iter().map(|number| number * share).sum();
    let (central, rest) = around(&numbers, mean);
    let infinities = Infinities {
        positive: count(|value| *value == f64::INFINITY),
        negative: count(|value| *value == f64::NEG_INFINITY),
    };
    Moments {
        whole: Whole::default(),
        rest,
        central,
        zeros,
        negatives,
        nans: count(|value| value.is_nan()),
        infinities,
    }
}

/// First pass: the sum, and how many are nought and below.
fn sum_and_signs(values: &[f64]) -> (f64, u64, u64) {
    let (chunks, tail) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    let (mut zeros, mut negatives) = ([0_u64; LANES], [0_u64; LANES]);
    for chunk in chunks {
        for (((sum, zeros), negatives), value) in
            sums.iter_mut().zip(&mut zeros).zip(&mut negatives).zip(chunk)
        {
            *sum += value;
            *zeros = zeros.wrapping_add(u64::from(*value == 0.0));
            *negatives = negatives.wrapping_add(u64::from(*value < 0.0));
        }
    }
    let tail_zeros = tail.iter().filter(|value| **value == 0.0).count() as u64;
    let tail_negatives = tail.iter().filter(|value| **value < 0.0).count() as u64;
    (
        sums.iter().sum::<f64>() + tail.iter().sum::<f64>(),
        zeros.iter().sum::<u64>() + tail_zeros,
        negatives.iter().sum::<u64>() + tail_negatives,
    )
}

/// Second pass, over finite numbers: powers of the distance from `pivot`, the mean but for rounding, which the sum of
/// the distances then corrects (Chan, Golub and LeVeque 1983, the corrected two-pass algorithm).
fn around(values: &[f64], pivot: f64) -> (Central, DoubleSum) {
    if values.is_empty() {
        return (Central::default(), DoubleSum::default());
    }
    let (chunks, tail) = values.as_chunks::<LANES>();
    let mut powers = [[0.0; LANES]; 4];
    for chunk in chunks {
        add_powers(&mut powers, chunk, pivot);
    }
    for value in tail {
        add_powers(&mut powers, &[*value, pivot, pivot, pivot, pivot, pivot, pivot, pivot], pivot);
    }
    let [s1, s2, s3, s4] = powers.map(|lanes| lanes.iter().sum::<f64>());
    let n = values.len() as f64;
    // Where distances are beyond a double, so are their powers, but the mean is not.
    let shift = if s1.is_finite() { s1 / n } else { 0.0 };
    let central = Central {
        count: values.len() as u64,
        mean: pivot + shift,
        m2: s2 - shift * s1,
        m3: s3 - shift * (3.0 * s2 - 2.0 * shift * s1),
        m4: s4 - shift * (4.0 * s3 - shift * (6.0 * s2 - 3.0 * shift * s1)),
    };
    // n * pivot to twice the precision, and what the numbers deviate from that.
    let product = n * pivot;
    let mut sum = DoubleSum::default();
    sum.add(product);
    sum.add(n.mul_add(pivot, -product));
    sum.add(s1);
    (central.in_range(), sum)
}

#[inline]
fn add_powers(powers: &mut [[f64; LANES]; 4], chunk: &[f64; LANES], pivot: f64) {
    let [p1, p2, p3, p4] = powers;
    for ((((value, s1), s2), s3), s4) in chunk.iter().zip(p1).zip(p2).zip(p3).zip(p4) {
        let distance = value - pivot;
        let square = distance * distance;
        *s1 += distance;
        *s2 += square;
        *s3 += square * distance;
        *s4 += square * square;
    }
}

fn joined(one: &Moments, two: &Moments) -> Moments {
    let mut rest = one.rest;
    rest.join(two.rest);
    Moments {
        whole: Whole { count: one.whole.count + two.whole.count, sum: one.whole.sum + two.whole.sum },
        rest,
        central: one.central.joined(&two.central),
        zeros: one.zeros + two.zeros,
        negatives: one.negatives + two.negatives,
        nans: one.nans + two.nans,
        infinities: Infinities {
            positive: one.infinities.positive + two.infinities.positive,
            negative: one.infinities.negative + two.infinities.negative,
        },
    }
}

impl Central {
    /// Pébay 2008, formulas 2.1 and following, for two sets.
    fn joined(&self, other: &Self) -> Self {
        // The larger first, and between equals the one with the larger numbers: the result is the same either way.
        let (a, b) = if other.key() > self.key() { (other, self) } else { (self, other) };
        if b.count == 0 {
            return *a;
        }
        let n = (a.count + b.count) as f64;
        let (na, fa, fb) = (a.count as f64, a.count as f64 / n, b.count as f64 / n);
        let d = b.mean - a.mean;
        let d2 = d * d;
        // Where the distance is beyond a double, the mean is still between the two.
        let mean = if d.is_finite() { a.mean + d * fb } else { a.mean * fa + b.mean * fb };
        let m2 = a.m2 + b.m2 + d2 * na * fb;
        let m3 = a.m3 + b.m3 + d * (d2 * na * fb * (fa - fb) + 3.0 * (fa * b.m2 - fb * a.m2));
        let m4 = a.m4
            + b.m4
            + d2 * (d2 * na * fb * (fa * fa - fa * fb + fb * fb) + 6.0 * (fa * fa * b.m2 + fb * fb * a.m2))
            + 4.0 * d * (fa * b.m3 - fb * a.m3);
        Self { count: a.count + b.count, mean, m2, m3, m4 }.in_range()
    }

    const fn key(&self) -> (u64, [u64; 4]) {
        (self.count, [self.mean.to_bits(), self.m2.to_bits(), self.m3.to_bits(), self.m4.to_bits()])
    }

    /// Zeroes without a sign, sums of even powers not below nought, and infinity for what is out of range.
    fn in_range(self) -> Self {
        let known = |moment: f64| if moment.is_finite() { moment + 0.0 } else { f64::INFINITY };
        let even = |moment: f64| known(moment).max(0.0);
        Self {
            count: self.count,
            mean: self.mean + 0.0,
            m2: even(self.m2),
            m3: known(self.m3),
            m4: even(self.m4),
        }
    }
}

impl DoubleSum {
    fn add(&mut self, number: f64) {
        self.join(Self { high: number, low: 0.0 });
    }

    /// The same whichever comes first. What is out of range stays so.
    fn join(&mut self, other: Self) {
        let (sum, error) = sum_of_two(self.high, other.high);
        let (high, low) = sum_of_two(sum, error + (self.low + other.low));
        let in_range = high.is_finite() && low.is_finite();
        // Zeroes lose their sign.
        *self = if in_range {
            Self { high: high + 0.0, low: low + 0.0 }
        } else {
            Self { high: f64::INFINITY, low: 0.0 }
        };
    }
}

/// A rounded sum, and what rounding took (Knuth, volume 2, section 4.2.2, theorem B).
fn sum_of_two(one: f64, two: f64) -> (f64, f64) {
    let sum = one + two;
    let from_two = sum - one;
    (sum, (one - (sum - from_two)) + (two - from_two))
}

impl Moments {
    /// The stored form, `docs/formats/sketches.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Moments);
        let counts = [
            self.central.count,
            self.whole.count,
            self.zeros,
            self.negatives,
            self.nans,
            self.infinities.positive,
            self.infinities.negative,
        ];
        counts.into_iter().for_each(|count| writer.u64(count));
        writer.i128(self.whole.sum);
        let Central { mean, m2, m3, m4, .. } = self.central;
        [self.rest.high, self.rest.low, mean, m2, m3, m4].into_iter().for_each(|number| writer.f64(number));
        writer.finish()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] would make of any moments.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchInvalid> {
        let mut reader = Reader::open(Kind::Moments, bytes)?;
        let (count, whole_count) = (reader.u64()?, reader.u64()?);
        let (zeros, negatives, nans) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let infinities = Infinities { positive: reader.u64()?, negative: reader.u64()? };
        let whole = Whole { count: whole_count, sum: reader.i128()? };
        let rest = DoubleSum { high: reader.number()?, low: reader.finite()? };
        let mean = reader.finite()?;
        let central =
            Central { count, mean, m2: reader.number()?, m3: reader.number()?, m4: reader.number()? };
        reader.end()?;
        let counts = [count, nans, infinities.positive, infinities.negative];
        let seen = counts.into_iter().try_fold(0_u64, |sum, count| sum.checked_add(count));
        reader.require(seen.is_some_and(|seen| seen <= ROWS), "how many numbers")?;
        let signed = zeros.checked_add(negatives).is_some_and(|signed| signed <= count);
        reader.require(signed && whole.count <= count, "counts of a part of the numbers")?;
        let most = u128::from(whole.count) << 63;
        reader.require(whole.sum.unsigned_abs() <= most, "the sum of whole numbers")?;
        reader
            .require(rest.is_normal() && (whole.count < count || rest == DoubleSum::default()), "the sum")?;
        let known = |moment: f64| moment > f64::NEG_INFINITY;
        let powers = central.m2 >= 0.0 && known(central.m3) && central.m4 >= 0.0;
        let of_none = count > 0 || central == Central::default();
        let of_one = count != 1 || (central.m2, central.m3, central.m4) == (0.0, 0.0, 0.0);
        reader.require(powers && of_none && of_one, "the moments")?;
        Ok(Self { whole, rest, central, zeros, negatives, nans, infinities })
    }
}

impl DoubleSum {
    /// Whether the high part is the sum, rounded.
    fn is_normal(self) -> bool {
        if self.high == f64::INFINITY {
            self.low == 0.0
        } else {
            self.high.is_finite() && self.high + self.low == self.high
        }
    }
}
