//! Whether a delivery is like those that the same source made before.
//!
//! How much it holds, when it comes, who brings it and which columns it has are compared with what came before it.
//! Amounts and intervals are compared on a logarithmic scale, because they vary by factors, with the median and the
//! median absolute deviation of those before (Hampel 1974; scaled by 1.4826 so that it estimates the standard deviation
//! of a normal distribution). How far from the median is too far depends on how many came before: with few of them the
//! deviation itself is uncertain. The factors are such that one in 1,000 usual deliveries is called unusual when the
//! logarithms are normal; `crates/data/tests/it/unusual.rs` measures that.

use std::collections::BTreeSet;

use bartizan_base::Timestamp;
use serde::{Deserialize, Serialize};

/// Deliveries that must have come before something is called unusual.
pub const HISTORY: usize = 8;

/// Deliveries that are looked back on: what was long ago is no measure of today.
pub const LOOK_BACK: usize = 100;

/// How many deviations from the median are too many, for at least so many deliveries: the 0.999 quantile of
/// |x - median| / (1.4826 MAD) for standard normal x, from 400,000 draws each.
const FACTORS: [(usize, f64); 8] =
    [(100, 3.57), (50, 3.96), (30, 4.52), (20, 5.25), (16, 5.94), (12, 7.28), (10, 8.92), (HISTORY, 11.44)];

/// The least deviation that is reckoned with, as a factor: a source that was always exactly the same may change a
/// little. With eight deliveries before it, it may so change by 78 %, with a hundred by 20 %.
const LEAST_SPREAD: f64 = 0.05;

/// One delivery of a source to a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// When.
    pub at: Timestamp,
    /// How many rows.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Who brought it, by a pseudonym.
    pub writer: String,
}

/// In what a delivery can be unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// It has many more or fewer rows.
    Rows,
    /// It has many more or fewer bytes.
    Bytes,
    /// It comes much sooner or later after the one before.
    Timing,
    /// Somebody brings it who never did before.
    Writer,
    /// It has other columns than the one before.
    Columns,
}

/// In what a delivery is unusual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unusual {
    /// Deliveries that it was compared with.
    pub history: u64,
    /// In words.
    pub message: String,
    /// In what.
    pub respect: Respect,
}

/// What was found, and in how many respects was looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// In what it is unusual.
    pub unusual: Vec<Unusual>,
    /// Comparisons that were made; fewer where too little came before.
    pub checks: usize,
}

/// Compares a delivery with those before it, in the order in which they came. `columns` are those of the last one
/// before, when they are known, and its own.
pub fn compare(before: &[Delivered], new: &Delivered, columns: Option<(&[String], &[String])>) -> Compared {
    let from = before.len().saturating_sub(LOOK_BACK);
    let before = before.get(from..).unwrap_or_default();
    let mut compared = Compared::default();
    let history = u64::try_from(before.len()).unwrap_or(u64::MAX);
    let mut found = |respect, message: Option<String>| {
        compared.checks = compared.checks.saturating_add(1);
        let unusual = message.map(|message| Unusual { history, message, respect });
        compared.unusual.extend(unusual);
    };
    if before.len() >= HISTORY {
        let rows: Vec<f64> = before.iter().map(|one| amount(one.rows)).collect();
        found(
            Respect::Rows,
            apart(&rows, amount(new.rows))
                .map(|usual| format!("it has {} rows, and {:.0} are usual", new.rows, usual - 1.0)),
        );
        let bytes: Vec<f64> = before.iter().map(|one| amount(one.bytes)).collect();
        found(
            Respect::Bytes,
            apart(&bytes, amount(new.bytes))
                .map(|usual| format!("it has {} bytes, and {:.0} are usual", new.bytes, usual - 1.0)),
        );
        let known = before.iter().any(|one| one.writer == new.writer);
        found(
            Respect::Writer,
            (!known).then(|| {
                let writers: BTreeSet<&str> = before.iter().map(|one| one.writer.as_str()).collect();
                format!("it is brought by {}, and those before by {} others", new.writer, writers.len())
            }),
        );
    }
    // What is delivered together comes at one moment, and is one beat of the source.
    let mut moments: Vec<Timestamp> = before.iter().map(|one| one.at).collect();
    moments.dedup();
    let intervals: Vec<f64> =
        moments.windows(2).filter_map(|pair| Some(seconds(*pair.first()?, *pair.last()?))).collect();
    if let Some(last) = moments.last().filter(|last| intervals.len() >= HISTORY && new.at > **last) {
        let own = seconds(*last, new.at);
        found(
            Respect::Timing,
            apart(&intervals, own).map(|usual| {
                format!("it comes {} after the one before, and {} is usual", span(own), span(usual))
            }),
        );
    }
    if let Some((before, new)) = columns {
        found(Respect::Columns, other_columns(before, new));
    }
    compared
}

/// How far a value is from the usual one, if that is too far: then the usual one.
fn apart(before: &[f64], new: f64) -> Option<f64> {
    let mut logs: Vec<f64> = before.iter().map(|value| value.ln()).collect();
    let middle = median(&mut logs)?;
    let mut deviations: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
    let spread = (median(&mut deviations)? * 1.4826).max(LEAST_SPREAD);
    let factor = FACTORS.iter().find(|(count, _)| before.len() >= *count).map(|(_, factor)| *factor)?;
    ((new.ln() - middle).abs() > factor * spread).then(|| middle.exp())
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (half, last) = (values.len() / 2, values.len().checked_sub(1)? / 2);
    Some((values.get(half)? + values.get(last)?) / 2.0)
}

/// An amount as a number whose logarithm exists.
fn amount(count: u64) -> f64 {
    count as f64 + 1.0
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let millis = to.millis().saturating_sub(from.millis()).max(1);
    millis as f64 / 1000.0
}

fn span(seconds: f64) -> String {
    match seconds {
        under if under < 120.0 => format!("{under:.0} s"),
        under if under < 7_200.0 => format!("{:.0} min", under / 60.0),
        under if under < 172_800.0 => format!("{:.1} h", under / 3_600.0),
        more => format!("{:.1} days", more / 86_400.0),
    }
}

fn other_columns(before: &[String], new: &[String]) -> Option<String> {
    let (was, is): (BTreeSet<&String>, BTreeSet<&String>) = (before.iter().collect(), new.iter().collect());
    let named = |names: Vec<&&String>| {
        let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(shown.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{}{more}", shown.join(", "))
    };
    let (gone, come): (Vec<_>, Vec<_>) = (was.difference(&is).collect(), is.difference(&was).collect());
    match (gone.is_empty(), come.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("it has the columns {}, which the one before had not", named(come))),
        (false, true) => Some(format!("it lacks the columns {}, which the one before had", named(gone))),
        (false, false) => Some(format!("it has the columns {} instead of {}", named(come), named(gone))),
    }
}
