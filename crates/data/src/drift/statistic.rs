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
    /// All say about the same thing: what Cohen (1988) calls a small effect, w = 0.1, below which a difference is hard
    /// to see for anybody who does not compute it. In a column of two equally common values it is that one row in
    /// twenty changed from one to the other, so that is the floor for L-infinity and for KS (there, that a twentieth
    /// of the rows lies on the other side of some value). PSI is w squared to second order, eight times the squared
    /// Hellinger distance and 8 ln 2 times the Jensen-Shannon divergence in bits: 0.01, 0.035 and a distance of 0.042.
    /// For Wasserstein a tenth of the interquartile range, which for a normal distribution that moves is a KS of
    /// 0.054. Models whose answers hang on less than this are rare; those that do can be given floors of their own.
    ///
    /// [`Effect`]: crate::drift::ColumnDrift::effect
    pub const fn floor(self) -> f64 {
        match self {
            Self::Psi => 0.01,
            Self::JensenShannon => 0.042,
            Self::Hellinger => 0.035,
            Self::ChiSquared | Self::Wasserstein => 0.1,
            Self::LInfinity | Self::KolmogorovSmirnov => 0.05,
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
    pub(super) fn at_energy(self, energy: f64) -> f64 {
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
