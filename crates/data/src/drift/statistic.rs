//! The statistics: what each is called, what it is measured on and how large it must be to matter.

use std::fmt;
use std::str::FromStr;

/// A measure of how far two distributions are apart. Zero means equal; all are symmetric in the two sides except in
/// how they weigh unequal sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// Population stability index, the sum of (p - q) ln(p / q) over bins: Jeffreys' divergence in nats.
    Psi,
    /// Jensen-Shannon distance to base 2, the square root of the divergence in bits; from 0 to 1.
    JensenShannon,
    /// Two-sample Kolmogorov-Smirnov, the largest difference of the two distribution functions; from 0 to 1.
    KolmogorovSmirnov,
    /// Wasserstein-1 (earth mover's) distance, in the unit of the values.
    Wasserstein,
    /// The largest difference of the two shares of one category or bin; from 0 to 1.
    LInfinity,
    /// Hellinger distance; from 0 to 1.
    Hellinger,
    /// Pearson's chi-squared of the 2 x k table, without continuity correction. Grows with the sizes.
    ChiSquared,
}

impl Statistic {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Psi,
        Self::JensenShannon,
        Self::KolmogorovSmirnov,
        Self::Wasserstein,
        Self::LInfinity,
        Self::Hellinger,
        Self::ChiSquared,
    ];

    /// The stable id, as schemas and reports write it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::JensenShannon => "jensen-shannon",
            Self::KolmogorovSmirnov => "ks",
            Self::Wasserstein => "wasserstein",
            Self::LInfinity => "l-infinity",
            Self::Hellinger => "hellinger",
            Self::ChiSquared => "chi-squared",
        }
    }

    /// Whether it is about values in an order; the others are about shares of bins or categories.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::KolmogorovSmirnov | Self::Wasserstein)
    }

    /// The least effect that is called drift when a caller states none, on the scale of [`Effect`].
    ///
    /// All but one say about the same thing: a shift that a PSI of 0.1 would show, the point from which the credit
    /// industry has called a population changed since Lewis (1994). To second order PSI is the sum of (p - q)^2 / q,
    /// eight times the squared Hellinger distance and 8 ln 2 times the Jensen-Shannon divergence in bits, so a PSI
    /// of 0.1 is a Hellinger distance of 0.11, a Jensen-Shannon distance of 0.13, and Cohen's w of 0.32, which he
    /// calls medium. For KS it is that a tenth of the rows lies on the other side of some value (a normal
    /// distribution moved by a quarter of its deviation), for Wasserstein a tenth of the interquartile range, for
    /// L-infinity that one value in twenty changed into or out of one category, which is what a person would call
    /// another mix.
    ///
    /// [`Effect`]: crate::drift::ColumnDrift::effect
    pub const fn floor(self) -> f64 {
        match self {
            Self::Psi | Self::JensenShannon | Self::KolmogorovSmirnov | Self::Wasserstein | Self::Hellinger => {
                0.1
            }
            Self::LInfinity => 0.05,
            Self::ChiSquared => 0.3,
        }
    }

    /// Puts a value on a scale on which the tail of its null falls off about exponentially.
    pub(super) const fn energy(self, value: f64) -> f64 {
        match self {
            Self::Psi | Self::ChiSquared => value,
            _ => value * value,
        }
    }

    /// Undoes [`Self::energy`].
    pub(super) fn from_energy(self, energy: f64) -> f64 {
        match self {
            Self::Psi | Self::ChiSquared => energy,
            _ => energy.max(0.0).sqrt(),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The text is not the id of a statistic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a statistic: `psi`, `jensen-shannon`, `ks`, `wasserstein`, `l-infinity`, `hellinger` or \
     `chi-squared`"
)]
pub struct StatisticInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

impl FromStr for Statistic {
    type Err = StatisticInvalid;

    fn from_str(text: &str) -> Result<Self, StatisticInvalid> {
        let known = Self::ALL.into_iter().find(|known| known.id() == text);
        known.ok_or_else(|| StatisticInvalid { text: text.chars().take(80).collect() })
    }
}

/// A statistic has no value on these samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Undefined {
    /// The reference holds no value.
    #[error("the reference holds no value")]
    NoReference,
    /// The current data hold no value.
    #[error("the current data hold no value")]
    NoCurrent,
    /// A distance is asked for and a value is infinite.
    #[error("a value is infinite, so that distances have no meaning")]
    Infinite,
    /// The two sides have different bins.
    #[error("the two sides are counted in different bins")]
    Bins,
    /// KS and Wasserstein need values in an order, and these have none.
    #[error("the statistic needs ordered values")]
    Unordered,
}
