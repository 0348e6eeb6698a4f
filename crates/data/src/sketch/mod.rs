//! Mergeable sketches: what a pass over the values of a column leaves behind, in memory that does not grow with rows.
//!
//! Each sketch takes plain slices, merges with sketches of other parts, and has one canonical stored form
//! (`docs/formats/sketches.md`). None draws random numbers, reads a clock or knows what a column is.
//!
//! ```text
//!   &[f64] --+--> Moments        mean to kurtosis, sums, zeros        rounding errors, bounded
//!            +--> Kll            quantiles, ranks                     rank error, bounded with 99 % confidence
//!            +--> EdgeHistogram  counts between frozen edges          exact
//!   &[u64] -----> Hll            distinct values, from their hashes   standard error 0.81 %
//!   byte strings  HeavyHitters   frequent values                      lower and upper bound of each count
//! ```
//!
//! Modules in reading order: `moments`, `kll`, `hash` (what distinct means), `hll`, `heavy`, `histogram`, `codec` (the
//! stored bytes).

mod codec;
pub mod hash;
mod heavy;
mod histogram;
mod hll;
mod kll;
mod moments;

pub use self::codec::SketchInvalid;
pub use self::heavy::{HeavyHitter, HeavyHitters, HeavyHittersInvalid};
pub use self::histogram::{EdgeHistogram, EdgesInvalid};
pub use self::hll::Hll;
pub use self::kll::{CdfPoint, Kll, KllInvalid, KllView, RankError};
pub use self::moments::Moments;

use crate::limits::ROWS;

/// Two sketches cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMergeable {
    /// They were made with different parameters.
    #[error("the sketches differ in {what}")]
    Parameters {
        /// Which parameter.
        what: &'static str,
    },
    /// Together they cover more values than anything here counts.
    #[error("the sketches cover more than {ROWS} values together")]
    TooMany,
}

/// The sum of two counts, within what is ever counted.
fn joint_count(one: u64, two: u64) -> Result<u64, NotMergeable> {
    one.checked_add(two).filter(|sum| *sum <= ROWS).ok_or(NotMergeable::TooMany)
}
