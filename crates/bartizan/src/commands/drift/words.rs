//! What changed, in words: from which value to which, by how much, and how likely that is by chance.

use std::borrow::Cow;

use bartizan_data::drift::{
    ColumnDrift, FrameKind, Held, Measure, Side, Statistic, Summary, Verdict, value_name,
};

use bartizan_data::report::Gate;

use super::cases::{Case, Sides};
use crate::out::shown;

/// What of a column changed, from what to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    /// What was measured on both sides, such as `median`.
    pub(super) what: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// What of a line's column changed most, where it is known.
pub(super) fn moved(case: &Case<'_>, line: &ColumnDrift, gate: &Gate) -> Option<Moved> {
    // A value is told when enough rows have it, on the side that has more of them.
    let values = as_f64(line.reference.values.max(line.current.values));
    let opens = |value: &str, share: f64| gate.opens(&line.column, value, floor(share * values));

    if line.measure == Measure::Missing {
        let share = |missing: u64, values: u64| percent(as_f64(missing) / as_f64(missing + values));
        return Some(Moved {
            what: "rows without a value".to_owned(),
            from: share(line.reference.missing, line.reference.values),
            to: share(line.current.missing, line.current.values),
        });
    }
    match &case.sides {
        Sides::Tables(pairs) => {
            let pair = pairs.iter().find(|pair| pair.name == line.column)?;
            match (&pair.reference, &pair.current) {
                (Held::Numbers(one), Held::Numbers(two)) => numbers(&counted(one), &counted(two), pair.kind),
                (Held::Codes(one), Held::Codes(two)) => {
                    let name = |code: usize| pair.texts.get(code).map(|text| String::from_utf8_lossy(text));
                    categories(&counts(one), &counts(two), name, opens)
                }
                _ => None,
            }
        }
        Sides::Profiles(pairs) => {
            let pair = pairs.iter().find(|pair| pair.name == line.column)?;
            let values = |side: &Summary| match side {
                Summary::Numbers(values, _) => Some(values.clone()),
                Summary::Quantiles(sketch) => Some(sketch.items.clone()),
                _ => None,
            };
            if let (Some(mut one), Some(mut two)) = (values(&pair.reference), values(&pair.current)) {
                one.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
                two.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
                return numbers(&one, &two, FrameKind::Numbers);
            }
            let shares = |side: &Summary| match side {
                Summary::Categories(counts, _) => Some(shares(counts, counts.iter().sum())),
                Summary::Frequent(frequent) => Some(shares(&frequent.counts, frequent.values)),
                _ => None,
            };
            let name = |code: usize| pair.texts.get(code).map(|text| Cow::Borrowed(text.as_str()));
            categories(&shares(&pair.reference)?, &shares(&pair.current)?, name, opens)
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows are below 2^53")]
const fn floor(rows: f64) -> u64 {
    (rows + 0.5) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
const fn as_f64(count: u64) -> f64 {
    count as f64
}

fn counted(values: &[f64]) -> Vec<(f64, u64)> {
    let mut sorted: Vec<(f64, u64)> =
        values.iter().filter(|value| !value.is_nan()).map(|value| (*value, 1)).collect();
    sorted.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
    sorted
}

/// The median, or where that stays the mean.
fn numbers(one: &[(f64, u64)], two: &[(f64, u64)], kind: FrameKind) -> Option<Moved> {
    let count = |values: &[(f64, u64)]| values.iter().map(|(_, count)| count).sum::<u64>();
    let median = |values: &[(f64, u64)]| {
        let (all, mut below) = (count(values), 0);
        let reached = |(value, count): &(f64, u64)| {
            below += count;
            (2 * below >= all).then_some(*value)
        };
        values.iter().find_map(reached)
    };
    let (from, to) = (median(one)?, median(two)?);
    let name =
        |value: f64| if kind == FrameKind::Times { value_name(value.floor(), kind) } else { short(value) };
    if from != to {
        return Some(Moved { what: "median".to_owned(), from: name(from), to: name(to) });
    }
    let mean = |values: &[(f64, u64)]| {
        let all = as_f64(count(values));
        values.iter().map(|(value, count)| value * (as_f64(*count) / all)).sum::<f64>()
    };
    let (from, to) = (mean(one), mean(two));
    (from.is_finite() && to.is_finite()).then(|| Moved {
        what: "mean".to_owned(),
        from: name(from),
        to: name(to),
    })
}

fn counts(codes: &[u32]) -> Vec<f64> {
    let mut counts = Vec::new();
    for code in codes.iter().filter(|code| **code != Side::MISSING) {
        let Ok(place) = usize::try_from(*code) else { continue };
        if place >= counts.len() {
            counts.resize(place + 1, 0_u64);
        }
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    shares(&counts, counts.iter().sum())
}

fn shares(counts: &[u64], all: u64) -> Vec<f64> {
    counts.iter().map(|count| as_f64(*count) / as_f64(all.max(1))).collect()
}

/// The category whose share changed most.
fn categories<'a>(
    one: &[f64],
    two: &[f64],
    name: impl Fn(usize) -> Option<Cow<'a, str>>,
    opens: impl Fn(&str, f64) -> bool,
) -> Option<Moved> {
    let share = |side: &[f64], code: usize| side.get(code).copied().unwrap_or(0.0);
    let change = |code: &usize| (share(one, *code) - share(two, *code)).abs();
    let most = (0..one.len().max(two.len())).max_by(|a, b| change(a).total_cmp(&change(b)).then(b.cmp(a)))?;
    let (from, to) = (share(one, most), share(two, most));
    let name = name(most)?;
    let what = if opens(&name, from.max(to)) {
        let name: String = name.chars().take(40).collect();
        format!("share of `{}`", shown(&name))
    } else {
        "share of one value, which is not told: few rows have it, or it looks personal".to_owned()
    };
    Some(Moved { what, from: percent(from), to: percent(to) })
}

fn percent(share: f64) -> String {
    if share.is_nan() { "-".to_owned() } else { format!("{:.1} %", share * 100.0) }
}

/// A number with as many digits as people read.
fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let digits = format!("{value:.3e}");
    digits.parse::<f64>().map_or(digits, |rounded| value_name(rounded, FrameKind::Numbers))
}

/// How large the difference is, with its unit.
pub(super) fn effect(line: &ColumnDrift) -> String {
    let Some(effect) = line.effect else { return "-".to_owned() };
    let bounds = if effect.low < effect.high {
        format!(", between {:.3} and {:.3}", effect.low, effect.high)
    } else {
        String::new()
    };
    let value = effect.value;
    let what = match line.statistic {
        Statistic::KolmogorovSmirnov => {
            format!("{} of the rows lie on the other side of some value", percent(value))
        }
        Statistic::Wasserstein => format!("moved by {value:.2} of the range of the middle half"),
        Statistic::LInfinity if line.measure == Measure::Missing => {
            format!("{:.1} points more or less", value * 100.0)
        }
        Statistic::LInfinity => format!("a share changed by {:.1} points", value * 100.0),
        Statistic::JensenShannon => format!("Jensen-Shannon distance {value:.3}, of 1"),
        Statistic::Hellinger => format!("Hellinger distance {value:.3}, of 1"),
        Statistic::Psi => format!("population stability index {value:.3}"),
        Statistic::ChiSquared => format!("Cohen's w {value:.3}"),
    };
    format!("{what}{bounds}; {} counts", line.floor)
}

/// How likely chance is, among all comparisons.
pub(super) fn chance(line: &ColumnDrift) -> String {
    match line.adjusted_p {
        None => "-".to_owned(),
        Some(p) if p < 1e-9 => "less than once in a billion times".to_owned(),
        Some(p) if p >= 0.1 => format!("{:.0} in 100 times", p * 100.0),
        Some(p) => format!("once in {} times", thousands((1.0 / p).round())),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What a line is called.
pub(super) fn name(line: &ColumnDrift) -> String {
    match line.measure {
        Measure::Values => shown(&line.column),
        Measure::Missing => format!("{} (missing)", shown(&line.column)),
    }
}

/// Whether a line drifts.
pub(super) fn drifts(line: &ColumnDrift) -> bool {
    line.verdict == Verdict::Drift
}
