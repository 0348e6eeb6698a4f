//! Expectations of a column as a whole: figures, and how many values there are.

use serde_json::Value;

use super::{Done, values};
use crate::expectations::build::Builder;
use crate::expectations::condition::name;
use crate::expectations::suite::Expectation;
use crate::schema::{Bounds, DistinctRules, StatisticsRules};

/// The bounds of a figure; one that is strict becomes the next number.
fn bounds(of: &Expectation) -> Result<Bounds, String> {
    let number = |key: &str| match of.get(key) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("its `{key}` is not a number")),
    };
    let min = number("min_value")?.map(|min| if of.flag("strict_min") { min.next_up() } else { min });
    let max = number("max_value")?.map(|max| if of.flag("strict_max") { max.next_down() } else { max });
    let finite = [min, max].into_iter().flatten().all(f64::is_finite);
    if !finite || min.is_none() && max.is_none() || min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err("it has no bounds, or the lower above the upper one".to_owned());
    }
    Ok(Bounds { min, max })
}

/// The bounds of a count.
pub(super) fn counts(of: &Expectation) -> Result<(Option<u64>, Option<u64>), String> {
    let Bounds { min, max } = bounds(of)?;
    if max.is_some_and(|max| max < 0.0) || min.is_some_and(|min| min > 9e15) {
        return Err("its bounds are no counts".to_owned());
    }
    let count = |bound: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to the range")]
        let count = bound.clamp(0.0, 9e15) as u64;
        count
    };
    let (min, max) = (min.map(|min| count(min.ceil())), max.map(|max| count(max.floor())));
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err("no count lies between its bounds".to_owned());
    }
    Ok((min, max))
}

pub(super) fn figure(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let bounds = bounds(of)?;
    let kind = of.kind.clone();
    let median = kind.contains("_median_");
    let done = builder.statistics(of, place, |statistics| {
        let StatisticsRules { mean, stdev, sum, least, greatest, quantiles } = statistics;
        if median {
            let free = !quantiles.iter().any(|(at, _)| *at == 0.5);
            if free {
                quantiles.push((0.5, bounds));
            }
            return free;
        }
        let place = if kind.contains("_min_to") {
            least
        } else if kind.contains("_max_to") {
            greatest
        } else if kind.contains("_mean_") {
            mean
        } else if kind.contains("_stdev_") {
            stdev
        } else {
            sum
        };
        let free = place.is_none();
        *place = place.or(Some(bounds));
        free
    })?;
    Ok(if median {
        done.but("of an even number of values the lower one of the two in the middle is taken")
    } else {
        done
    })
}

pub(super) fn quantiles(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let wrong = || "its `quantile_ranges` are not shares with bounds".to_owned();
    let ranges = of.get("quantile_ranges").ok_or_else(wrong)?;
    let shares = ranges.get("quantiles").and_then(Value::as_array).ok_or_else(wrong)?;
    let values = ranges.get("value_ranges").and_then(Value::as_array).ok_or_else(wrong)?;
    if shares.len() != values.len() || shares.is_empty() || shares.len() > crate::limits::QUANTILE_BOUNDS {
        return Err(wrong());
    }
    let mut wanted = Vec::with_capacity(shares.len());
    for (share, range) in shares.iter().zip(values) {
        let share = share.as_f64().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)?;
        let [min, max] = range.as_array().map(Vec::as_slice).unwrap_or_default() else { return Err(wrong()) };
        let bounds = Bounds { min: min.as_f64(), max: max.as_f64() };
        let ordered = bounds.min.zip(bounds.max).is_none_or(|(min, max)| min <= max);
        if bounds == Bounds::default() || !ordered {
            return Err(wrong());
        }
        wanted.push((share, bounds));
    }
    let done = builder.statistics(of, place, |statistics| {
        let free = statistics.quantiles.is_empty();
        if free {
            statistics.quantiles = wanted;
        }
        free
    })?;
    Ok(done.but("a quantile is one of the values, not a point between two of them"))
}

pub(super) fn distinct(builder: &mut Builder, of: &Expectation) -> Result<Done, String> {
    if of.get("row_condition").is_some() {
        return Err("different values are counted in a whole column".to_owned());
    }
    let bounds = bounds(of)?;
    let shares = of.kind.contains("proportion");
    let (min, max) = if shares { (None, None) } else { counts(of)? };
    let share = |bound: Option<f64>| bound.map(|bound| bound.clamp(0.0, 1.0));
    if shares && (bounds.min.is_some_and(|min| min > 1.0) || bounds.max.is_some_and(|max| max < 0.0)) {
        return Err("its bounds are no shares".to_owned());
    }
    let put = builder.slot(of, "distinct", |column| {
        let known = column.distinct.unwrap_or_default();
        let free = if shares {
            known.min_share.is_none() && known.max_share.is_none()
        } else {
            known.min.is_none() && known.max.is_none()
        };
        if free {
            column.distinct = Some(if shares {
                DistinctRules { min_share: share(bounds.min), max_share: share(bounds.max), ..known }
            } else {
                DistinctRules { min, max, ..known }
            });
        }
        free
    })?;
    if put {
        Ok(Done::whole("`distinct`".to_owned()))
    } else {
        Err("the column has such bounds already".to_owned())
    }
}

pub(super) fn present(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    let bounds = bounds(of)?;
    let name = name(of.column().ok_or_else(|| "it names no column".to_owned())?);
    let mut how = Vec::new();
    for (bound, holds) in [
        (bounds.min.map(|min| 1.0 - min), format!("{name} is not null")),
        (bounds.max, format!("{name} is null")),
    ] {
        if let Some(share) = bound {
            let share = (share.clamp(0.0, 1.0) * 1e12).round() / 1e12;
            builder.expression(of, place * 10 + how.len(), &holds, share)?;
            how.push(format!("`{holds}`"));
        }
    }
    Ok(Done::whole(format!("expressions {}", how.join(" and "))))
}

/// As many different values as there are in the set, none of them another: then all of it comes.
pub(super) fn equal_set(builder: &mut Builder, of: &Expectation, place: usize) -> Result<Done, String> {
    if of.get("row_condition").is_some() {
        return Err("different values are counted in a whole column".to_owned());
    }
    let column = of.column().ok_or_else(|| "it names no column".to_owned())?;
    let listed = of.list("value_set").ok_or_else(|| "its `value_set` is not a list".to_owned())?;
    let mut values = values::spelled(listed, builder.kind(column)?)?;
    values.sort_unstable();
    values.dedup();
    let least = values.len() as u64;
    let put = builder.slot(of, "distinct", |column| {
        let free = column.distinct.is_none();
        if free {
            column.distinct = Some(DistinctRules { min: Some(least), ..DistinctRules::default() });
        }
        free
    })?;
    if !put {
        return Err("the column has such bounds already".to_owned());
    }
    values::in_set(builder, of, place)?;
    Ok(Done::whole(format!("`domain` of {least} values, and `distinct` of as many")))
}
