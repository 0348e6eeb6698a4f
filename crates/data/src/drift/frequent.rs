//! Columns with so many categories that only the frequent ones are known, and these within bounds.

#![expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]

use super::cells::Cells;
use super::compare::Column;
use super::forms::Prepared;
use super::report::{Mode, NotJudged};
use super::statistic::{Statistic, Undefined};
use super::summary::{Bounded, Frequent};

/// Between which shares a category lies.
#[derive(Clone, Copy)]
struct Share {
    low: f64,
    high: f64,
}

impl Frequent {
    fn share(&self, code: usize) -> Share {
        let count = self.counts.get(code).copied().unwrap_or(0);
        let most = count.saturating_add(self.error).min(self.values);
        Share { low: count as f64 / self.values as f64, high: most as f64 / self.values as f64 }
    }
}

/// The largest difference of the shares of a category, between bounds.
///
/// Only this statistic has useful ones: it is about one category, and the frequent ones are known. Its null is drawn on
/// the categories that both sides can know about and one cell for all others. That cell adds to what is drawn and is no
/// part of what was observed, so p can only be too large.
pub(super) fn of_frequent(
    column: &Column<'_>,
    one: &Frequent,
    two: &Frequent,
) -> Result<Prepared, NotJudged> {
    let statistic = column.statistic.unwrap_or(Statistic::LInfinity);
    if one.values == 0 {
        return Err(NotJudged::Undefined(Undefined::NoReference));
    }
    if two.values == 0 {
        return Err(NotJudged::Undefined(Undefined::NoCurrent));
    }
    if statistic != Statistic::LInfinity {
        return Err(NotJudged::BoundsTooWide);
    }
    let codes = one.counts.len().max(two.counts.len());
    // What neither side names lies between nought and both errors.
    let unnamed = |side: &Frequent| side.error.min(side.values) as f64 / side.values as f64;
    let mut value = Bounded { low: 0.0, value: 0.0, high: unnamed(one).max(unnamed(two)) };
    let (mut here, mut there, mut named) = (Vec::new(), Vec::new(), (0_u64, 0_u64));
    for code in 0..codes {
        let (p, q) = (one.share(code), two.share(code));
        let near = (p.low - q.high).max(q.low - p.high).max(0.0);
        let far = (p.high - q.low).max(q.high - p.low).max(0.0);
        let guess = (f64::midpoint(p.low, p.high) - f64::midpoint(q.low, q.high)).abs();
        value.low = value.low.max(near);
        value.value = value.value.max(guess);
        value.high = value.high.max(far);
        let count = |side: &Frequent| side.counts.get(code).copied().unwrap_or(0);
        let known = |side: &Frequent| side.error > 0 && count(side) > 0;
        if known(one) || known(two) {
            here.push(count(one));
            there.push(count(two));
            named = (named.0 + count(one), named.1 + count(two));
        }
    }
    here.push(one.values.saturating_sub(named.0));
    there.push(two.values.saturating_sub(named.1));
    value.value = value.value.clamp(value.low, value.high);
    let rank_error = unnamed(one) + unnamed(two);
    let cells = Cells::of_counts(&here, &there)?;
    Ok(Prepared { statistic, mode: Mode::Sketch { rank_error }, value, cells, scale: None, edges: None })
}
