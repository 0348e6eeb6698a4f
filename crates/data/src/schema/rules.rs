//! What a schema can ask of a column, of rows, and of a batch, beside types, ranges and domains.

use std::fmt;
use std::str::FromStr;

use bartizan_base::Digest;

use super::{ColumnRules, RowRules, Severity};
use crate::drift::Statistic;
use crate::expression::Expression;
use crate::pattern::Pattern;

/// The least and the greatest value of a figure; one of them may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

impl Bounds {
    /// Whether a figure lies within.
    pub fn hold(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("anything"),
        }
    }
}

/// Regular expressions that values are held to.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternRules {
    /// One of them matches, when there are any.
    pub matches: Vec<Pattern>,
    /// None of them matches.
    pub excludes: Vec<Pattern>,
    /// The share of values that may be otherwise.
    pub max_unmatched: f64,
}

/// How many different values there are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DistinctRules {
    /// At least so many.
    pub min: Option<u64>,
    /// At most so many.
    pub max: Option<u64>,
    /// At least that share of the values.
    pub min_share: Option<f64>,
    /// At most that share of the values.
    pub max_share: Option<f64>,
}

/// Where figures of a column of numbers lie.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatisticsRules {
    /// The arithmetic mean.
    pub mean: Option<Bounds>,
    /// The standard deviation of a sample, with n - 1.
    pub stdev: Option<Bounds>,
    /// The sum.
    pub sum: Option<Bounds>,
    /// The least value.
    pub least: Option<Bounds>,
    /// The greatest value.
    pub greatest: Option<Bounds>,
    /// Quantiles, each with the share of values at most so large.
    pub quantiles: Vec<(f64, Bounds)>,
}

impl StatisticsRules {
    /// How many figures have bounds.
    pub fn len(&self) -> usize {
        let Self { mean, stdev, sum, least, greatest, quantiles } = self;
        [mean, stdev, sum, least, greatest].into_iter().flatten().count() + quantiles.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How far a column's distribution may be from that of the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftRules {
    /// What measures it; the usual one for such values if none is named.
    pub statistic: Option<Statistic>,
    /// The least effect that is called drift.
    pub limit: f64,
}

/// How old the newest value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshnessRules {
    /// At most so old.
    pub max_age: Age,
}

/// A time span in whole seconds, written as `90s`, `15m`, `36h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(u64);

/// A text is no time span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time span, such as `90s`, `15m`, `36h` or `7d`")]
pub struct AgeInvalid {
    /// The offending text, cut to 40 characters.
    pub text: String,
}

impl Age {
    /// How many seconds it is.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Age {
    type Err = AgeInvalid;

    fn from_str(text: &str) -> Result<Self, AgeInvalid> {
        let invalid = || AgeInvalid { text: text.chars().take(40).collect() };
        let unit = text.chars().last().ok_or_else(invalid)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(invalid()),
        };
        let count = text.strip_suffix(unit).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()));
        let count: u64 = count.and_then(|count| count.parse().ok()).ok_or_else(invalid)?;
        // A thousand years.
        let age = count.checked_mul(seconds).filter(|age| *age <= 31_557_600_000).ok_or_else(invalid)?;
        Ok(Self(age))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            days if days.is_multiple_of(86_400) => write!(f, "{}d", days / 86_400),
            hours if hours.is_multiple_of(3_600) => write!(f, "{}h", hours / 3_600),
            minutes if minutes.is_multiple_of(60) => write!(f, "{}m", minutes / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

/// Values that exist in a column of another table.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceRules {
    /// What the other table is called; whoever checks says which file that is.
    pub table: String,
    /// The column there.
    pub column: String,
    /// The share of values that may be missing there.
    pub max_missing: f64,
}

/// Columns of which no two rows have the same values.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRules {
    /// The columns, one or several.
    pub columns: Vec<String>,
    /// Which rows are passed over.
    pub pass_over: PassOver,
    /// The share of rows that may share their key with others.
    pub max_repeated: f64,
    /// What a violation means.
    pub severity: Severity,
}

/// Which rows a key is not asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassOver {
    /// Rows that lack one of its values.
    AnyMissing,
    /// Rows that lack all of its values; two missing ones are alike.
    AllMissing,
}

impl PassOver {
    /// The word that schemas use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnyMissing => "any-missing",
            Self::AllMissing => "all-missing",
        }
    }
}

/// What holds in each row.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionRules {
    /// What findings call it.
    pub name: String,
    /// Which rows it is asked of, if not of all: those for which this is true.
    pub when: Option<Expression>,
    /// What holds.
    pub holds: Expression,
    /// The share of the rows for which it is known whether it holds, in which it may not.
    pub max_broken: f64,
    /// What a violation means.
    pub severity: Severity,
}

impl ExpressionRules {
    /// The columns that it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.holds.columns().chain(self.when.iter().flat_map(Expression::columns))
    }
}

/// Rules for some of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceRules {
    /// What findings call it.
    pub name: String,
    /// Which rows they are: those for which this is true.
    pub when: Expression,
    /// How many of them there are.
    pub rows: RowRules,
    /// What their columns hold.
    pub columns: Vec<ColumnRules>,
    /// What it means when there are too few or too many.
    pub severity: Severity,
}

/// The profile that distributions are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceProfile {
    /// The file, as the schema names it.
    pub profile: String,
    /// SHA-256 of its bytes, when it has to be that one.
    pub sha256: Option<Digest>,
    /// The chance that a batch like it has drift by chance alone, over all columns together.
    pub level: f64,
}

impl ReferenceProfile {
    /// The level where a schema says none: one batch in ten thousand, since each is refused at a gate.
    pub const LEVEL: f64 = 1e-4;
}
