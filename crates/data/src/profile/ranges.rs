//! Exact ranges of what is neither number nor text: days, instants, decimals, bytes and lists.

use super::column::widest;

/// The least and the greatest decimal, with all their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimals {
    /// The least, without its point.
    pub least: i128,
    /// The greatest, without its point.
    pub greatest: i128,
    /// Digits behind the point, of both.
    pub scale: i8,
}

impl Decimals {
    /// What covers both; `None` where the digits do not fit 128 bits any more.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (one, two) = (self.rescaled(scale)?, other.rescaled(scale)?);
        Some(Self { least: one.least.min(two.least), greatest: one.greatest.max(two.greatest), scale })
    }

    fn rescaled(self, scale: i8) -> Option<Self> {
        let power = 10_i128.checked_pow(u32::try_from(i32::from(scale) - i32::from(self.scale)).ok()?)?;
        let (least, greatest) = (self.least.checked_mul(power)?, self.greatest.checked_mul(power)?);
        Some(Self { least, greatest, scale })
    }
}

/// Instants as nanoseconds since 1970-01-01T00:00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstantRange {
    /// The first.
    pub first: i128,
    /// The last.
    pub last: i128,
    /// The largest of 1 s, 1 ms, 1 µs and 1 ns, in nanoseconds, that all are whole multiples of.
    pub resolution: u64,
    /// How many are points in time; the others are what some clock on a wall said.
    pub zoned: u64,
}

const SECOND: u64 = 1_000_000_000;

impl InstantRange {
    pub(super) fn of(nanos: i128, zoned: bool) -> Self {
        let mut resolution = SECOND;
        while nanos.rem_euclid(i128::from(resolution)) != 0 {
            resolution /= 1_000;
        }
        Self { first: nanos, last: nanos, resolution, zoned: u64::from(zoned) }
    }

    #[must_use]
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            resolution: self.resolution.min(other.resolution),
            zoned: self.zoned + other.zoned,
        }
    }
}

/// How long the byte strings, or the lists, of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The shortest.
    pub least: u64,
    /// The longest.
    pub greatest: u64,
    /// All together.
    pub total: u64,
}

/// The exact ranges of one column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ranges {
    pub(super) days: Option<(i32, i32)>,
    pub(super) instants: Option<InstantRange>,
    pub(super) decimals: Option<Decimals>,
    /// Decimals of scales so far apart came together that their digits do not fit.
    pub(super) decimals_lost: bool,
    pub(super) bytes: Option<Sizes>,
    pub(super) lists: Option<Sizes>,
    /// How many of the truth values are true.
    pub(super) trues: u64,
}

impl Ranges {
    pub(super) fn day(&mut self, day: i32) {
        self.days = widest(self.days, Some((day, day)));
    }

    pub(super) fn span(&mut self, range: Option<InstantRange>) {
        self.instants = match (self.instants, range) {
            (Some(one), Some(two)) => Some(one.joined(two)),
            (one, two) => one.or(two),
        };
    }

    pub(super) fn decimals(&mut self, range: Option<Decimals>) {
        self.decimals = match (self.decimals, range) {
            _ if self.decimals_lost => None,
            (Some(one), Some(two)) => {
                let joined = one.joined(two);
                self.decimals_lost = joined.is_none();
                joined
            }
            (one, two) => one.or(two),
        };
    }

    pub(super) fn byte_string(&mut self, length: u64) {
        self.bytes = larger(self.bytes, Some(Sizes { least: length, greatest: length, total: length }));
    }

    pub(super) fn list(&mut self, length: u64) {
        self.lists = larger(self.lists, Some(Sizes { least: length, greatest: length, total: length }));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.days = widest(self.days, other.days);
        self.span(other.instants);
        self.decimals_lost |= other.decimals_lost;
        self.decimals(other.decimals);
        self.bytes = larger(self.bytes, other.bytes);
        self.lists = larger(self.lists, other.lists);
        self.trues += other.trues;
    }
}

fn larger(one: Option<Sizes>, two: Option<Sizes>) -> Option<Sizes> {
    match (one, two) {
        (Some(one), Some(two)) => Some(Sizes {
            least: one.least.min(two.least),
            greatest: one.greatest.max(two.greatest),
            total: one.total.saturating_add(two.total),
        }),
        (one, two) => one.or(two),
    }
}
