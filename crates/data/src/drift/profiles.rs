//! Two profiles side by side: what is left of each column when its values are gone.

use std::borrow::Cow;
use std::collections::HashMap;

use super::change::SchemaChange;
use super::compare::{Column, Side};
use super::frame::Want;
use super::spelling;
use super::summary::{Frequent, QuantileSketch};
use crate::cell;
use crate::csv::NullTokens;
use crate::profile::{ColumnProfile, ColumnType, Profile};

/// What a profile knows of one side of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Summary {
    /// There is no such column.
    Absent,
    /// All numbers and times with their counts, and the rows without a value.
    Numbers(Vec<(f64, u64)>, u64),
    /// Numbers by their quantiles.
    Quantiles(QuantileSketch),
    /// All categories, by code, and the rows without a value.
    Categories(Vec<u64>, u64),
    /// The frequent ones of many categories.
    Frequent(Frequent),
}

/// A column of two profiles.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfilePair<'a> {
    /// Its name.
    pub name: &'a str,
    /// The reference.
    pub reference: Summary,
    /// The current values.
    pub current: Summary,
    /// What each code stands for.
    pub texts: Vec<String>,
    /// How the column itself changed.
    pub schema: Option<SchemaChange>,
}

impl Summary {
    /// As a side of a comparison.
    pub fn side(&self) -> Side<'_> {
        match self {
            Self::Absent => Side::Absent,
            Self::Numbers(values, missing) => Side::NumberCounts(values, *missing),
            Self::Quantiles(sketch) => Side::Sketch(sketch),
            Self::Categories(counts, missing) => Side::CategoryCounts(counts, *missing),
            Self::Frequent(frequent) => Side::Frequent(frequent),
        }
    }
}

impl ProfilePair<'_> {
    /// As a column to compare.
    pub fn column(&self) -> Column<'_> {
        Column::new(self.name, self.reference.side(), self.current.side())
    }
}

/// Puts the columns of two profiles side by side: those of the reference in their order, then those that are new, each
/// compared as `want` says, or left out.
pub fn profile_pairs<'a>(
    reference: &'a Profile,
    current: &'a Profile,
    want: impl Fn(&str) -> Want,
) -> Vec<ProfilePair<'a>> {
    let new = current.columns().iter().filter(|column| reference.column(column.name()).is_none());
    let known = reference.columns().iter().map(|one| (Some(one), current.column(one.name())));
    known
        .chain(new.map(|column| (None, Some(column))))
        .filter_map(|(one, two)| {
            let name = one.or(two).map_or("", ColumnProfile::name);
            let want = want(name);
            (want != Want::Skip).then(|| pair(name, one, two, want))
        })
        .collect()
}

fn pair<'a>(
    name: &'a str,
    one: Option<&ColumnProfile>,
    two: Option<&ColumnProfile>,
    want: Want,
) -> ProfilePair<'a> {
    let kinds = [one, two].map(|side| side.map(kind));
    let schema = match kinds {
        [None, _] => Some(SchemaChange::Added),
        [_, None] => Some(SchemaChange::Removed),
        [Some(one), Some(two)] if one != two && one != Kind::Empty && two != Kind::Empty => {
            Some(SchemaChange::Retyped)
        }
        _ => None,
    };
    // A side without values is what the other one is.
    let known = kinds.into_iter().flatten().find(|kind| *kind != Kind::Empty).unwrap_or(Kind::Texts);
    // Instants that are too many to be known one by one are known as frequent values alone.
    let times_known = [one, two].into_iter().flatten().all(|side| side.distinct().is_some());
    let by_value = want == Want::Categories;
    let mut codes =
        Codes { by_value, nulls: NullTokens::default(), places: HashMap::new(), texts: Vec::new() };
    let [reference, current] = [one, two].map(|side| match side {
        None => Summary::Absent,
        Some(side) => {
            let kind = if kind(side) == Kind::Empty { known } else { kind(side) };
            match kind {
                Kind::Numbers if want == Want::Found => numbers(side),
                Kind::Times if want == Want::Found && times_known => times(side),
                _ => codes.categories(side),
            }
        }
    });
    ProfilePair { name, reference, current, texts: codes.texts, schema }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Empty,
    Numbers,
    Times,
    Texts,
}

fn kind(column: &ColumnProfile) -> Kind {
    let kinds = column.kinds();
    let numbers = kinds.integer + kinds.float + kinds.list;
    let times = kinds.date + kinds.timestamp;
    match (numbers > 0, times > 0, kinds.boolean + kinds.string + kinds.binary > 0) {
        (false, false, false) => Kind::Empty,
        (true, false, false) => Kind::Numbers,
        (false, true, false) => Kind::Times,
        _ => Kind::Texts,
    }
}

fn numbers(column: &ColumnProfile) -> Summary {
    if column.kinds().list == 0
        && let Some(values) = column.values()
    {
        let number =
            |(text, count): (Cow<'_, str>, u64)| text.trim().parse().ok().map(|number: f64| (number, count));
        if let Some(values) = values.into_iter().map(number).collect::<Option<Vec<_>>>() {
            return Summary::Numbers(values, column.nulls());
        }
    }
    let sketch = column.quantiles().and_then(|sketch| sketch.view()).map(|view| QuantileSketch {
        items: view.weighted().collect(),
        rank_error: view.rank_error().all,
        range: Some(view.extremes()),
        missing: column.nulls(),
    });
    // An older profile has forgotten them: whatever their ranks, they are of no use.
    let forgotten = || QuantileSketch {
        items: vec![(0.0, column.count().saturating_sub(column.nulls()))],
        rank_error: 1.0,
        range: None,
        missing: column.nulls(),
    };
    let sketch = if column.count() == column.nulls() {
        return Summary::Numbers(Vec::new(), column.nulls());
    } else {
        sketch.unwrap_or_else(forgotten)
    };
    Summary::Quantiles(sketch)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of any year that can be written are below 2^53")]
fn times(column: &ColumnProfile) -> Summary {
    let seconds = |text: &str| match cell::classify(text.as_bytes(), &NullTokens::default()) {
        cell::Value::Date => cell::day(text.as_bytes()).map(|day| day as f64 * 86_400.0),
        _ => cell::instant(text.as_bytes()).map(|(nanos, _)| nanos as f64 / 1e9),
    };
    let values = column.values().unwrap_or_default().into_iter();
    let values = values.filter_map(|(text, count)| seconds(&text).map(|seconds| (seconds, count)));
    Summary::Numbers(values.collect(), column.nulls())
}

/// The dictionary of both sides.
struct Codes {
    /// Whether equal numbers and times are one, and not only truth values.
    by_value: bool,
    nulls: NullTokens,
    places: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Codes {
    fn categories(&mut self, column: &ColumnProfile) -> Summary {
        let mut counts = Vec::new();
        // How many spellings the category has that has most.
        let mut spellings: Vec<u64> = Vec::new();
        // Spelling by spelling; what is one value is said below.
        for top in column.top_as(ColumnType::String, usize::MAX) {
            let code = self.code(top.value);
            if code >= counts.len() {
                counts.resize(code + 1, 0_u64);
                spellings.resize(code + 1, 0);
            }
            if let Some((count, spellings)) = counts.get_mut(code).zip(spellings.get_mut(code)) {
                *count = count.saturating_add(top.lower);
                *spellings += 1;
            }
        }
        let missing = column.nulls();
        match column.unnamed() {
            0 => Summary::Categories(counts, missing),
            error => {
                let values = column.count().saturating_sub(missing);
                // Each spelling may have come more often than is known, also one that is not named at all.
                let truth = self.texts.iter().any(|text| cell::truth(text.as_bytes()).is_some());
                let most = spellings.into_iter().max().unwrap_or(1).max(if truth { 3 } else { 1 });
                Summary::Frequent(Frequent { counts, error: error.saturating_mul(most), values, missing })
            }
        }
    }

    fn code(&mut self, text: String) -> usize {
        let spelled = if self.by_value {
            spelling::of_kept(text.as_bytes(), &self.nulls)
        } else {
            spelling::by_text(Cow::Borrowed(text.as_bytes()))
        };
        let text = String::from_utf8_lossy(&spelled).into_owned();
        let next = self.texts.len();
        let code = *self.places.entry(text.clone()).or_insert(next);
        if code == next {
            self.texts.push(text);
        }
        code
    }
}
