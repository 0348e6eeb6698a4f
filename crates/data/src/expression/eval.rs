//! Running an expression over a batch of rows: each node makes one vector from the vectors of its parts.
//!
//! A number that is missing is NaN, which no column holds otherwise, so arithmetic and comparisons need no second look.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::parse::time_of;
use super::{Arithmetic, Comparison, Expression, Function, Kind, Node};
use crate::cell::{self, Value};
use crate::profile::ColumnType;
use crate::read::batch::{Cell, CellSource, Column, Lane};
use crate::text::civil;

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    No,
    Yes,
    Unknown,
}

impl Truth {
    const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Unknown => Self::Unknown,
        }
    }
}

enum Vector<'a> {
    Numbers(Vec<f64>),
    Truths(Vec<Truth>),
    Texts(Vec<Option<Cow<'a, [u8]>>>),
    Times(Vec<Option<i128>>),
}

/// What one side of a comparison is in every row.
enum Same<'n> {
    Number(f64),
    Text(&'n [u8]),
    Time(i128),
}

/// The columns of a batch, in the order of the expression, `None` for one that has no value in any of its rows.
struct Batch<'a> {
    columns: &'a [Option<&'a Column<'a>>],
    types: &'a [(String, ColumnType)],
    rows: usize,
}

impl Expression {
    /// What is known of each of so many rows, whose columns come in the order of [`Self::columns`].
    pub(crate) fn eval(&self, columns: &[Option<&Column<'_>>], rows: usize) -> Vec<Truth> {
        let batch = Batch { columns, types: &self.columns, rows };
        batch.truths(&self.root)
    }
}

impl<'a> Batch<'a> {
    fn truths(&self, node: &Node) -> Vec<Truth> {
        match self.vector(node) {
            Vector::Truths(truths) => truths,
            // The parser gave every node the type that is asked for.
            _ => vec![Truth::Unknown; self.rows],
        }
    }

    fn numbers(&self, node: &Node) -> Vec<f64> {
        match self.vector(node) {
            Vector::Numbers(numbers) => numbers,
            _ => vec![f64::NAN; self.rows],
        }
    }

    fn texts(&self, node: &Node) -> Vec<Option<Cow<'a, [u8]>>> {
        match self.vector(node) {
            Vector::Texts(texts) => texts,
            _ => vec![None; self.rows],
        }
    }

    fn times(&self, node: &Node) -> Vec<Option<i128>> {
        match self.vector(node) {
            Vector::Times(times) => times,
            _ => vec![None; self.rows],
        }
    }

    fn vector(&self, node: &Node) -> Vector<'a> {
        match node {
            Node::Number(number) => Vector::Numbers(vec![*number; self.rows]),
            Node::Truth(holds) => Vector::Truths(vec![Truth::of(*holds); self.rows]),
            Node::Text(text) => Vector::Texts(vec![Some(Cow::Owned(text.clone())); self.rows]),
            Node::Time(time) => Vector::Times(vec![Some(*time); self.rows]),
            Node::Column(place, kind) => self.column(*place, *kind),
            Node::Not(of) => Vector::Truths(self.truths(of).into_iter().map(Truth::not).collect()),
            Node::All(parts) => self.joined(parts, Truth::No),
            Node::Any(parts) => self.joined(parts, Truth::Yes),
            Node::Compare(comparison, sides) => {
                Vector::Truths(self.compared(*comparison, &sides.0, &sides.1))
            }
            Node::IsNull(of) => Vector::Truths(self.nulls(of)),
            Node::InNumbers(of, list) => Vector::Truths(
                self.numbers(of)
                    .into_iter()
                    .map(
                        |number| {
                            if number.is_nan() { Truth::Unknown } else { Truth::of(list.contains(&number)) }
                        },
                    )
                    .collect(),
            ),
            Node::InTexts(of, list) => {
                let is_in = |text: &[u8]| list.contains::<[u8]>(text);
                let keyed = match &**of {
                    Node::Column(place, _) => self.keyed(*place, |text| Truth::of(is_in(text))),
                    _ => None,
                };
                Vector::Truths(keyed.unwrap_or_else(|| known(self.texts(of), |text| is_in(text))))
            }
            Node::InTimes(of, list) => Vector::Truths(known(self.times(of), |time| list.contains(time))),
            Node::Matches(of, pattern) => {
                let keyed = match &**of {
                    Node::Column(place, _) => self.keyed(*place, |text| Truth::of(pattern.is_in(text))),
                    _ => None,
                };
                Vector::Truths(keyed.unwrap_or_else(|| known(self.texts(of), |text| pattern.is_in(text))))
            }
            Node::Arithmetic(operation, sides) => {
                let (left, right) = (self.numbers(&sides.0), self.numbers(&sides.1));
                let of = |(left, right)| calculated(*operation, left, right);
                Vector::Numbers(left.into_iter().zip(right).map(of).collect())
            }
            // From nought, so that there is no minus nought.
            Node::Negate(of) => {
                Vector::Numbers(self.numbers(of).into_iter().map(|number| 0.0 - number).collect())
            }
            Node::Call(function, parts) => self.called(*function, parts),
        }
    }

    /// `and` of all, where `No` decides, or `or`, where `Yes` does (Kleene 1952, section 64).
    fn joined(&self, parts: &[Node], decides: Truth) -> Vector<'a> {
        let mut all = vec![decides.not(); self.rows];
        for part in parts {
            for (sum, next) in all.iter_mut().zip(self.truths(part)) {
                *sum = match (*sum, next) {
                    (one, other) if one == decides || other == decides => decides,
                    (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
                    (one, _) => one,
                };
            }
        }
        Vector::Truths(all)
    }

    fn compared(&self, comparison: Comparison, left: &Node, right: &Node) -> Vec<Truth> {
        // Most comparisons are with a value that is written down, which is not spelled out for each row.
        if let Some(same) = same(right) {
            return self.compared_with(left, &same, |order| holds(comparison, order));
        }
        if let Some(same) = same(left) {
            return self.compared_with(right, &same, |order| holds(comparison, order.reverse()));
        }
        match (self.vector(left), self.vector(right)) {
            (Vector::Numbers(left), Vector::Numbers(right)) => left
                .into_iter()
                .zip(right)
                .map(|(left, right)| match left.partial_cmp(&right) {
                    Some(order) => Truth::of(holds(comparison, order)),
                    None => Truth::Unknown,
                })
                .collect(),
            (Vector::Texts(left), Vector::Texts(right)) => ordered(comparison, left, right),
            (Vector::Times(left), Vector::Times(right)) => ordered(comparison, left, right),
            (Vector::Truths(left), Vector::Truths(right)) => left
                .into_iter()
                .zip(right)
                .map(|sides| match sides {
                    (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
                    (one, other) => Truth::of((one == other) == (comparison == Comparison::Equal)),
                })
                .collect(),
            _ => vec![Truth::Unknown; self.rows],
        }
    }

    /// Compares what a node is in each row with one value.
    fn compared_with(&self, node: &Node, same: &Same<'_>, holds: impl Fn(Ordering) -> bool) -> Vec<Truth> {
        if let (Node::Column(place, _), Same::Text(text)) = (node, same)
            && let Some(truths) = self.keyed(*place, |cell| Truth::of(holds(cell.cmp(*text))))
        {
            return truths;
        }
        match (self.vector(node), same) {
            (Vector::Numbers(numbers), Same::Number(number)) => numbers
                .into_iter()
                .map(|one| one.partial_cmp(number).map_or(Truth::Unknown, |order| Truth::of(holds(order))))
                .collect(),
            (Vector::Texts(texts), Same::Text(text)) => known(texts, |one| holds(one.as_ref().cmp(*text))),
            (Vector::Times(times), Same::Time(time)) => known(times, |one| holds(one.cmp(time))),
            _ => vec![Truth::Unknown; self.rows],
        }
    }

    /// What holds of the texts of a column that comes as places in a dictionary: each text is looked at once. `None`
    /// where the column comes otherwise.
    fn keyed(&self, place: usize, of: impl Fn(&[u8]) -> Truth) -> Option<Vec<Truth>> {
        let column = self.columns.get(place).copied().flatten()?;
        let Lane::Dictionary { keys, nulls, values } = &column.lane else { return None };
        if values.len() > self.rows || keys.len() != self.rows {
            return None;
        }
        let accepted = self.types.get(place).map_or(ColumnType::String, |(_, of)| *of);
        let each: Vec<Truth> = (0..values.len())
            .map(|at| {
                let cell = values.cell(at);
                if cell.value == Value::Null || !accepted.accepts(cell.value) {
                    return Truth::Unknown;
                }
                of(&text_of(cell))
            })
            .collect();
        let truth = |(at, key): (usize, &i32)| {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                return Truth::Unknown;
            }
            usize::try_from(*key).ok().and_then(|key| each.get(key)).copied().unwrap_or(Truth::Unknown)
        };
        Some(keys.iter().enumerate().map(truth).collect())
    }

    fn nulls(&self, of: &Node) -> Vec<Truth> {
        match self.vector(of) {
            Vector::Numbers(numbers) => {
                numbers.into_iter().map(|number| Truth::of(number.is_nan())).collect()
            }
            Vector::Truths(truths) => {
                truths.into_iter().map(|truth| Truth::of(truth == Truth::Unknown)).collect()
            }
            Vector::Texts(texts) => texts.into_iter().map(|text| Truth::of(text.is_none())).collect(),
            Vector::Times(times) => times.into_iter().map(|time| Truth::of(time.is_none())).collect(),
        }
    }

    fn called(&self, function: Function, parts: &[Node]) -> Vector<'a> {
        let Some(first) = parts.first() else { return Vector::Truths(vec![Truth::Unknown; self.rows]) };
        let second = parts.get(1).unwrap_or(first);
        let number = |of: fn(f64) -> f64| Vector::Numbers(self.numbers(first).into_iter().map(of).collect());
        let text = |of: fn(&str) -> String| {
            let of = |text: Cow<'_, [u8]>| Cow::Owned(of(&String::from_utf8_lossy(&text)).into_bytes());
            Vector::Texts(self.texts(first).into_iter().map(|text| text.map(of)).collect())
        };
        let pair = |of: fn(&[u8], &[u8]) -> bool| {
            let sides = self.texts(first).into_iter().zip(self.texts(second));
            Vector::Truths(known(sides.map(|(one, other)| one.zip(other)), |(one, other)| of(one, other)))
        };
        let time = |of: fn(i128) -> i128| {
            Vector::Numbers(self.times(first).into_iter().map(|time| whole(time.map(of))).collect())
        };
        let apart = |unit: f64| {
            let sides = self.times(first).into_iter().zip(self.times(second));
            let number = |(from, to): (Option<i128>, Option<i128>)| match (from, to) {
                (Some(from), Some(to)) => (to - from) as f64 / unit,
                _ => f64::NAN,
            };
            Vector::Numbers(sides.map(number).collect())
        };
        match function {
            Function::Abs => number(f64::abs),
            Function::Floor => number(f64::floor),
            Function::Ceil => number(f64::ceil),
            Function::Round => number(f64::round_ties_even),
            Function::Least => self.folded(parts, f64::min),
            Function::Greatest => self.folded(parts, f64::max),
            Function::Length => {
                let of =
                    |text: Option<Cow<'_, [u8]>>| text.map_or(f64::NAN, |text| cell::length(&text) as f64);
                Vector::Numbers(self.texts(first).into_iter().map(of).collect())
            }
            Function::Lower => text(str::to_lowercase),
            Function::Upper => text(str::to_uppercase),
            Function::Trim => text(|text| text.trim().to_owned()),
            Function::StartsWith => pair(<[u8]>::starts_with),
            Function::EndsWith => pair(<[u8]>::ends_with),
            Function::Contains => pair(|text, part| memchr::memmem::find(text, part).is_some()),
            Function::Year => time(|nanos| i128::from(date(nanos).0)),
            Function::Month => time(|nanos| i128::from(date(nanos).1)),
            Function::Day => time(|nanos| i128::from(date(nanos).2)),
            Function::Hour => time(|nanos| nanos.rem_euclid(DAY) / (DAY / 24)),
            // The first of January 1970 was a Thursday.
            Function::Weekday => time(|nanos| (nanos.div_euclid(DAY) + 3).rem_euclid(7) + 1),
            Function::DaysBetween => apart(DAY as f64),
            Function::SecondsBetween => apart(1e9),
            Function::Coalesce => self.coalesced(parts),
        }
    }

    fn folded(&self, parts: &[Node], of: fn(f64, f64) -> f64) -> Vector<'a> {
        let mut all: Option<Vec<f64>> = None;
        for part in parts {
            let next = self.numbers(part);
            all = Some(match all {
                None => next,
                // One that is missing makes the whole unknown; `f64::min` would pass over it.
                Some(all) => all
                    .into_iter()
                    .zip(next)
                    .map(
                        |(one, other)| if one.is_nan() || other.is_nan() { f64::NAN } else { of(one, other) },
                    )
                    .collect(),
            });
        }
        Vector::Numbers(all.unwrap_or_default())
    }

    fn coalesced(&self, parts: &[Node]) -> Vector<'a> {
        let mut vectors = parts.iter().map(|part| self.vector(part));
        let Some(mut all) = vectors.next() else { return Vector::Truths(Vec::new()) };
        for next in vectors {
            match (&mut all, next) {
                (Vector::Numbers(all), Vector::Numbers(next)) => {
                    all.iter_mut().zip(next).for_each(|(one, other)| {
                        if one.is_nan() {
                            *one = other;
                        }
                    });
                }
                (Vector::Truths(all), Vector::Truths(next)) => {
                    all.iter_mut().zip(next).for_each(|(one, other)| {
                        if *one == Truth::Unknown {
                            *one = other;
                        }
                    });
                }
                (Vector::Texts(all), Vector::Texts(next)) => {
                    all.iter_mut().zip(next).for_each(|(one, other)| *one = one.take().or(other));
                }
                (Vector::Times(all), Vector::Times(next)) => {
                    all.iter_mut().zip(next).for_each(|(one, other)| *one = one.or(other));
                }
                _ => {}
            }
        }
        all
    }

    /// A column as values of its type. What is of another type is missing: that it should not be there is what the
    /// column's own rules say.
    fn column(&self, place: usize, kind: Kind) -> Vector<'a> {
        let column = self.columns.get(place).copied().flatten();
        let accepted = self.types.get(place).map_or(ColumnType::String, |(_, of)| *of);
        let Some(column) = column.filter(|column| column.len() == self.rows) else {
            return match kind {
                Kind::Number => Vector::Numbers(vec![f64::NAN; self.rows]),
                Kind::Truth => Vector::Truths(vec![Truth::Unknown; self.rows]),
                Kind::Text => Vector::Texts(vec![None; self.rows]),
                Kind::Time => Vector::Times(vec![None; self.rows]),
            };
        };
        let cells = || {
            (0..self.rows).map(|at| {
                Some(column.cell(at)).filter(|cell| cell.value != Value::Null && accepted.accepts(cell.value))
            })
        };
        match kind {
            Kind::Number => Vector::Numbers(numbers_of(&column.lane, accepted)),
            Kind::Truth => Vector::Truths(
                cells()
                    .map(|cell| cell.and_then(|cell| cell.truth()).map_or(Truth::Unknown, Truth::of))
                    .collect(),
            ),
            Kind::Text => Vector::Texts(cells().map(|cell| cell.map(text_of)).collect()),
            Kind::Time => Vector::Times(cells().map(|cell| cell.and_then(|cell| time_in(&cell))).collect()),
        }
    }
}

/// The value of a node that is the same in every row.
fn same(node: &Node) -> Option<Same<'_>> {
    match node {
        Node::Number(number) => Some(Same::Number(*number)),
        Node::Text(text) => Some(Same::Text(text)),
        Node::Time(time) => Some(Same::Time(*time)),
        _ => None,
    }
}

const DAY: i128 = 86_400_000_000_000;

fn date(nanos: i128) -> (i64, i64, i64) {
    civil(i64::try_from(nanos.div_euclid(DAY)).unwrap_or(0))
}

fn whole(value: Option<i128>) -> f64 {
    value.map_or(f64::NAN, |value| value as f64)
}

fn text_of(cell: Cell<'_>) -> Cow<'_, [u8]> {
    match cell.source {
        CellSource::Text(text) => Cow::Borrowed(text),
        _ => Cow::Owned(cell.text().into_owned()),
    }
}

/// The time in a cell, as nanoseconds since 1970-01-01T00:00:00.
pub(crate) fn time_in(cell: &Cell<'_>) -> Option<i128> {
    match cell.source {
        CellSource::Day(day) => Some(i128::from(day) * DAY),
        CellSource::Instant { value, per_second, .. } => {
            Some(i128::from(value) * i128::from(1_000_000_000 / per_second.max(1)))
        }
        CellSource::Text(text) => time_of(text.trim_ascii()),
        _ => None,
    }
}

fn numbers_of(lane: &Lane<'_>, accepted: ColumnType) -> Vec<f64> {
    let nulls = lane.nulls();
    let masked = |mut numbers: Vec<f64>| {
        if let Some(nulls) = nulls {
            numbers
                .iter_mut()
                .enumerate()
                .filter(|(at, _)| nulls.is_null(*at))
                .for_each(|(_, out)| *out = f64::NAN);
        }
        numbers
    };
    let of = |value: Value| match value {
        Value::Integer(integer) => integer as f64,
        Value::Float(float) if accepted.accepts(value) => float,
        Value::List(length) => f64::from(length),
        _ => f64::NAN,
    };
    match lane {
        Lane::Integers(values, _) => masked(values.iter().map(|value| *value as f64).collect()),
        Lane::Floats(values, _) if accepted == ColumnType::Float => masked(values.to_vec()),
        Lane::Cells(cells) => cells.values.iter().map(|value| of(*value)).collect(),
        Lane::Dictionary { keys, values, .. } => {
            let values = numbers_of(values, accepted);
            let at = |key: &i32| usize::try_from(*key).ok().and_then(|key| values.get(key)).copied();
            masked(keys.iter().map(|key| at(key).unwrap_or(f64::NAN)).collect())
        }
        _ => (0..lane.len()).map(|at| of(lane.cell(at).value)).collect(),
    }
}

fn calculated(operation: Arithmetic, left: f64, right: f64) -> f64 {
    let value = match operation {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    };
    // A quotient by nought, like all that no double holds, is no number that anything could be said of.
    if value.is_finite() { value } else { f64::NAN }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

fn known<T>(values: impl IntoIterator<Item = Option<T>>, of: impl Fn(&T) -> bool) -> Vec<Truth> {
    values.into_iter().map(|value| value.map_or(Truth::Unknown, |value| Truth::of(of(&value)))).collect()
}

fn ordered<T: Ord>(comparison: Comparison, left: Vec<Option<T>>, right: Vec<Option<T>>) -> Vec<Truth> {
    known(left.into_iter().zip(right).map(|(one, other)| one.zip(other)), |(one, other)| {
        holds(comparison, one.cmp(other))
    })
}
