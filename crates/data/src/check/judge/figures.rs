//! Rules of a column as a whole: its figures, its age, its distribution.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Judge, whole};
use crate::cell::{self, Value};
use crate::check::Context;
use crate::check::report::{Finding, Rule};
use crate::check::rules::Watched;
use crate::check::tables::spelling;
use crate::csv::NullTokens;
use crate::drift::{self, Measure, NotJudged, Side, Undefined, Verdict};
use crate::profile::{ColumnProfile, ColumnType, Profile};
use crate::read::batch::{Cell, CellSource};
use crate::schema::{Bounds, ColumnRules, ReferenceProfile, as_f64};

/// Seconds by which the clocks of two machines may differ.
const CLOCKS: f64 = 900.0;
/// Seconds by which a local day or time may be ahead of UTC: it is tomorrow on Kiritimati.
const ZONES: f64 = 14.0 * 3_600.0;

impl Judge {
    pub(super) fn figures(
        &mut self,
        context: &Context<'_>,
        rules: &ColumnRules,
        profiled: Option<&ColumnProfile>,
    ) {
        self.statistics(rules, profiled);
        self.freshness(context, rules, profiled);
    }

    fn statistics(&mut self, rules: &ColumnRules, profiled: Option<&ColumnProfile>) {
        let statistics = &rules.statistics;
        if statistics.is_empty() {
            return;
        }
        let moments = profiled.and_then(ColumnProfile::moments).filter(|moments| moments.count() > 0);
        let quantiles = profiled.and_then(ColumnProfile::quantiles);
        let few = "there are too few numbers";
        let infinities = profiled.map_or((0, 0), ColumnProfile::infinities);
        // What an infinity leaves of a figure: of a sum and a mean itself, if there is none of the other sign.
        let (sum, other) = match infinities {
            (0, 0) => (None, None),
            (_, 0) => (Some(Ok(f64::INFINITY)), Some(Err("there are infinite values"))),
            (0, _) => (Some(Ok(f64::NEG_INFINITY)), Some(Err("there are infinite values"))),
            _ => {
                (Some(Err("there are infinite values of both signs")), Some(Err("there are infinite values")))
            }
        };
        let known = |figure: Option<f64>| figure.filter(|figure| !figure.is_nan()).ok_or(few);
        let least = (infinities.1 > 0).then_some(f64::NEG_INFINITY);
        let greatest = (infinities.0 > 0).then_some(f64::INFINITY);
        let stdev = moments.and_then(|moments| moments.sample_variance()).map(f64::sqrt);
        let figures = [
            (
                "mean",
                statistics.mean,
                sum.unwrap_or_else(|| known(moments.and_then(|moments| moments.mean()))),
            ),
            ("standard deviation", statistics.stdev, other.unwrap_or_else(|| known(stdev))),
            ("sum", statistics.sum, sum.unwrap_or_else(|| known(moments.and_then(|moments| moments.sum())))),
            ("least value", statistics.least, known(least.or(quantiles.and_then(|kll| kll.min())))),
            ("greatest value", statistics.greatest, known(greatest.or(quantiles.and_then(|kll| kll.max())))),
        ];
        for (name, bounds, figure) in figures {
            if let Some(bounds) = bounds {
                self.figure(rules, name, bounds, figure);
            }
        }
        for (at, bounds) in &statistics.quantiles {
            let figure = other.unwrap_or_else(|| known(quantiles.and_then(|kll| kll.quantile(*at))));
            self.figure(rules, &format!("{at} quantile"), *bounds, figure);
        }
    }

    /// `figure` is what there is, or why there is none.
    fn figure(&mut self, rules: &ColumnRules, name: &str, bounds: Bounds, figure: Result<f64, &'static str>) {
        let of = self.named.take();
        self.named = Some(of.as_ref().map_or_else(|| name.to_owned(), |of| format!("{of}, {name}")));
        self.bounded(rules, name, bounds, figure);
        self.named = of;
    }

    fn bounded(
        &mut self,
        rules: &ColumnRules,
        name: &str,
        bounds: Bounds,
        figure: Result<f64, &'static str>,
    ) {
        let figure = match figure {
            Ok(figure) => figure,
            Err(why) => {
                let why = format!("{why} for a {name}");
                return self.not_run(Some(&rules.name), Rule::Statistics, why);
            }
        };
        self.run(Some(&rules.name), Rule::Statistics);
        if !bounds.hold(figure) {
            let broken = match (bounds.min, bounds.max) {
                (Some(min), _) if figure < min => min,
                (_, Some(max)) => max,
                _ => figure,
            };
            let severity = rules.severity_of(Rule::Statistics.id());
            let message = format!(
                "the {name} is {}, where it is to be {bounds}",
                told(figure, |shown| !bounds.hold(shown))
            );
            let finding = whole(Some(&rules.name), Rule::Statistics, severity, message);
            self.find(Finding { share: figure, limit: broken, ..finding });
        }
    }

    fn freshness(&mut self, context: &Context<'_>, rules: &ColumnRules, profiled: Option<&ColumnProfile>) {
        let Some(freshness) = rules.freshness else { return };
        let days = profiled.and_then(ColumnProfile::days);
        let day = days.map(|(_, last)| i128::from(last) * 86_400_000_000_000);
        let instant = profiled.and_then(ColumnProfile::instants).map(|range| range.last);
        let Some(newest) = day.max(instant) else {
            let why = "no value says a time".to_owned();
            return self.not_run(Some(&rules.name), Rule::Freshness, why);
        };
        let Some(now) = context.options.now else {
            let why = "what time it is was not given".to_owned();
            return self.not_run(Some(&rules.name), Rule::Freshness, why);
        };
        self.run(Some(&rules.name), Rule::Freshness);
        let age = (i128::from(now.millis()) * 1_000_000 - newest) as f64 / 1e9;
        let most = as_f64(freshness.max_age.seconds());
        let zoned = profiled.and_then(|column| Some(column.instants()?.zoned == column.kinds().total()));
        if -age > if zoned == Some(true) { CLOCKS } else { ZONES } {
            let severity = rules.severity_of(Rule::Freshness.id());
            let ahead = aged(-age, 0.0);
            let message =
                format!("the newest value lies {ahead} ahead, so that how old the others are is not known");
            let finding = whole(Some(&rules.name), Rule::Freshness, severity, message);
            return self.find(Finding { share: age, limit: most, ..finding });
        }
        if age > most {
            let severity = rules.severity_of(Rule::Freshness.id());
            let message = format!(
                "the newest value is {} old, at most {} is allowed",
                aged(age, most),
                freshness.max_age
            );
            let finding = whole(Some(&rules.name), Rule::Freshness, severity, message);
            self.find(Finding { share: age, limit: most, ..finding });
        }
    }

    /// Compares distributions with those of the reference, all columns together, so that the limit on false alarms holds
    /// over all of them.
    pub(super) fn drift(&mut self, context: &Context<'_>, watched: &[Watched<'_>], profile: &Profile) {
        let asked: Vec<&ColumnRules> =
            watched.iter().map(|one| one.rules).filter(|rules| rules.drift.is_some()).collect();
        let Some(reference) = context.options.reference.filter(|_| !asked.is_empty()) else {
            for rules in asked {
                let why = "the reference profile was not given".to_owned();
                self.not_run(Some(&rules.name), Rule::Drift, why);
            }
            return;
        };
        let level = context.schema.reference.as_ref().map_or(ReferenceProfile::LEVEL, |one| one.level);
        let options = drift::Options { level, ..drift::Options::default() };
        let mut lines = Vec::new();
        for rules in &asked {
            let (Some(drift), Some(current)) = (rules.drift, profile.column(&rules.name)) else { continue };
            let sides = reference.column(&rules.name).map(|before| sides(before, current, rules.kind));
            let (before, after) = match &sides {
                None => (Side::Absent, Side::Absent),
                Some(Sides::Empty(why)) => {
                    self.not_run(Some(&rules.name), Rule::Drift, why.message().to_owned());
                    continue;
                }
                Some(Sides::Unknown) => {
                    let why = "there are too many different values to compare, or an old profile forgot them";
                    self.not_run(Some(&rules.name), Rule::Drift, why.to_owned());
                    continue;
                }
                Some(Sides::Counts(one, other, missing)) => {
                    (Side::NumberCounts(one, missing.0), Side::NumberCounts(other, missing.1))
                }
                Some(Sides::Sketches(one, other)) => (Side::Sketch(one), Side::Sketch(other)),
                Some(Sides::Categories(one, other, missing)) => {
                    (Side::CategoryCounts(one, missing.0), Side::CategoryCounts(other, missing.1))
                }
            };
            let column = drift::Column {
                statistic: drift.statistic,
                floor: Some(drift.limit),
                ..drift::Column::new(&rules.name, before, after)
            };
            let judged = drift::judge(&column, &drift::Comparison::default(), &options);
            // How many rows lack a value is what the rule of presence is for.
            lines.extend(judged.into_iter().filter(|line| line.measure == Measure::Values));
        }
        for line in drift::conclude(lines, &options).columns {
            let Some(rules) = asked.iter().find(|rules| rules.name == line.column) else { continue };
            match line.verdict {
                Verdict::NotJudged(why) => {
                    let at = match why {
                        NotJudged::TooFew => format!(" at a `[reference]` `level` of {level}"),
                        _ => String::new(),
                    };
                    self.not_run(Some(&rules.name), Rule::Drift, format!("{}{at}", why.message()));
                }
                Verdict::NoDrift => self.run(Some(&rules.name), Rule::Drift),
                Verdict::Drift => {
                    self.run(Some(&rules.name), Rule::Drift);
                    let effect = line.effect.map_or(0.0, |effect| effect.value);
                    let message = format!(
                        "the distribution is {} from the reference by {}, {} is allowed, and chance does not explain it",
                        told(effect, |shown| shown > line.floor),
                        line.statistic,
                        line.floor
                    );
                    let severity = rules.severity_of(Rule::Drift.id());
                    let finding = whole(Some(&rules.name), Rule::Drift, severity, message);
                    self.find(Finding { share: effect, limit: line.floor, ..finding });
                }
            }
        }
    }
}

/// What is known of a column on both sides.
enum Sides {
    Counts(Vec<(f64, u64)>, Vec<(f64, u64)>, (u64, u64)),
    Sketches(drift::QuantileSketch, drift::QuantileSketch),
    Categories(Vec<u64>, Vec<u64>, (u64, u64)),
    /// One of them has no value.
    Empty(NotJudged),
    Unknown,
}

fn sides(before: &ColumnProfile, after: &ColumnProfile, kind: ColumnType) -> Sides {
    for (side, why) in [(before, Undefined::NoReference), (after, Undefined::NoCurrent)] {
        if side.kinds().total() == 0 {
            return Sides::Empty(NotJudged::Undefined(why));
        }
    }
    let missing = (before.nulls(), after.nulls());
    let exact = before.values_as(kind).zip(after.values_as(kind));
    if kind.is_number() {
        if let Some((before, after)) = exact {
            return Sides::Counts(numbers(&before), numbers(&after), missing);
        }
        return match sketch(before).zip(sketch(after)) {
            Some((before, after)) => Sides::Sketches(before, after),
            None => Sides::Unknown,
        };
    }
    let Some((before, after)) = exact else { return Sides::Unknown };
    let nulls = NullTokens::default();
    let spelled = |values: &[(Cow<'_, str>, u64)]| {
        let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for (text, count) in values {
            let text = text.as_bytes();
            let cell = Cell { value: cell::classify(text, &nulls), source: CellSource::Text(text) };
            *counts.entry(spelling(&cell, kind).into_owned()).or_default() += count;
        }
        counts
    };
    let (before, after) = (spelled(&before), spelled(&after));
    let names: BTreeSet<&Vec<u8>> = before.keys().chain(after.keys()).collect();
    let counts = |side: &BTreeMap<Vec<u8>, u64>| {
        names.iter().map(|name| side.get(*name).copied().unwrap_or(0)).collect()
    };
    Sides::Categories(counts(&before), counts(&after), missing)
}

fn numbers(values: &[(Cow<'_, str>, u64)]) -> Vec<(f64, u64)> {
    let number = |(text, count): &(Cow<'_, str>, u64)| match cell::number(text.trim().as_bytes())? {
        Value::Integer(integer) => Some((integer as f64, *count)),
        Value::Float(float) => Some((float, *count)),
        _ => None,
    };
    values.iter().filter_map(number).collect()
}

fn sketch(column: &ColumnProfile) -> Option<drift::QuantileSketch> {
    let kll = column.quantiles()?;
    let view = kll.view()?;
    Some(drift::QuantileSketch {
        items: view.weighted().collect(),
        rank_error: view.rank_error().all,
        range: kll.min().zip(kll.max()),
        missing: column.nulls(),
    })
}

/// Six significant digits, or as many as it takes to show that a bound is broken.
fn told(number: f64, broken: impl Fn(f64) -> bool) -> String {
    let short = six(number);
    if short.parse().is_ok_and(broken) {
        return short;
    }
    let plain = number == 0.0 || (1e-5..1e15).contains(&number.abs());
    if plain { number.to_string() } else { format!("{number:e}") }
}

/// Six significant digits.
fn six(number: f64) -> String {
    let digits = if number == 0.0 { 0.0 } else { number.abs().log10().floor() };
    if !(-5.0..15.0).contains(&digits) {
        return format!("{number:.5e}");
    }
    let decimals = (0..=10).find(|decimals| digits + f64::from(*decimals) >= 5.0).unwrap_or(10);
    let text = format!("{number:.0$}", usize::try_from(decimals).unwrap_or(10));
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// An age in the largest unit that it has two of and that shows it to be more than `most` seconds.
fn aged(seconds: f64, most: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m"), (1.0, "s")];
    let tells = |(unit, _): &(f64, &str)| seconds >= 2.0 * unit && (seconds / unit).floor() * unit > most;
    match units.into_iter().find(tells) {
        Some((unit, name)) => format!("{:.0}{name}", (seconds / unit).floor()),
        None => format!("{seconds:.3}s"),
    }
}
