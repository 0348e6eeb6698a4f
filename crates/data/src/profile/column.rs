//! What a profile knows of one column.

use std::borrow::Cow;

use super::distinct::{Distinct, Sketched};
use super::kinds::{ColumnType, Kinds};
use super::numbers::Numbers;
use super::ranges::{Decimals, InstantRange, Ranges, Sizes};
use super::texts::Texts;
use super::values::Values;
use crate::cell::{self, Value};
use crate::sketch::{EdgeHistogram, Kll, Moments};
use crate::text;

/// What a profile knows of one column.
///
/// Two are equal when all that is exact in them is: sketches and moments of the same values differ in the last digits by
/// how the values were cut into parts.
#[derive(Debug, Clone)]
pub struct ColumnProfile {
    pub(super) name: String,
    pub(super) nulls: u64,
    pub(super) kinds: Kinds,
    pub(super) numbers: Numbers,
    pub(super) texts: Texts,
    /// The shortest and the longest of what came as text and is none: numbers, truth values, days.
    pub(super) written: Option<(u64, u64)>,
    pub(super) ranges: Ranges,
    pub(super) values: Distinct,
    /// Part of it was kept by an older version, which knew less: counts, extremes and exact values are all there is.
    pub(super) thin: bool,
}

impl PartialEq for ColumnProfile {
    fn eq(&self, other: &Self) -> bool {
        let values = match (&self.values, &other.values) {
            (Distinct::Exact(mine), Distinct::Exact(theirs)) => mine == theirs,
            (Distinct::Sketched(mine), Distinct::Sketched(theirs)) => mine.hll == theirs.hll,
            (mine, theirs) => std::mem::discriminant(mine) == std::mem::discriminant(theirs),
        };
        let edges = |column: &Self| column.numbers.histogram.as_ref().map(|found| found.to_bytes());
        values
            && (&self.name, self.nulls, self.kinds, self.written, self.thin)
                == (&other.name, other.nulls, other.kinds, other.written, other.thin)
            && self.numbers.integers == other.numbers.integers
            && self.numbers.extremes == other.numbers.extremes
            && edges(self) == edges(other)
            && self.numbers.moments.count() == other.numbers.moments.count()
            && self.numbers.moments.zeros() == other.numbers.moments.zeros()
            && self.infinities() == other.infinities()
            && self.numbers.moments.exact_sum() == other.numbers.moments.exact_sum()
            && (self.texts.lengths, self.texts.characters, self.texts.classes)
                == (other.texts.lengths, other.texts.characters, other.texts.classes)
            && self.ranges == other.ranges
    }
}

/// A frequent value and how often it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopValue {
    /// The value as text.
    pub value: String,
    /// It comes no less often.
    pub lower: u64,
    /// It comes no more often; equal to `lower` where the count is exact.
    pub upper: u64,
}

impl ColumnProfile {
    pub(super) fn new(name: String, columns: usize, histogram: Option<Box<EdgeHistogram>>) -> Self {
        Self {
            name,
            nulls: 0,
            kinds: Kinds::default(),
            numbers: Numbers::new(histogram),
            texts: Texts::new(),
            written: None,
            ranges: Ranges::default(),
            values: Distinct::Exact(Values::new(columns)),
            thin: false,
        }
    }

    /// The column's name: the path to it where it is nested.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cells without a value.
    pub const fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Cells: as many as rows, but for the elements of lists.
    pub fn count(&self) -> u64 {
        self.nulls + self.kinds.total()
    }

    /// Cells with a value, by kind.
    pub const fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// The smallest type that holds all values.
    pub const fn column_type(&self) -> ColumnType {
        self.kinds.column_type()
    }

    /// The least and the greatest of the whole numbers, exactly.
    pub const fn integers(&self) -> Option<(i64, i64)> {
        self.numbers.integers
    }

    /// The lowest numbers, ascending, 16 at most, ties included. Whole numbers beyond 2^53 are rounded.
    pub fn lowest(&self) -> Vec<f64> {
        self.numbers.extremes.lowest()
    }

    /// The highest numbers, descending, 16 at most, ties included. Whole numbers beyond 2^53 are rounded.
    pub fn highest(&self) -> Vec<f64> {
        self.numbers.extremes.highest()
    }

    /// Mean, variance and so on of the numbers, and of the lengths of lists; `None` when an older profile forgot them.
    pub const fn moments(&self) -> Option<&Moments> {
        if self.thin { None } else { Some(&self.numbers.moments) }
    }

    /// Quantiles of the numbers, and of the lengths of lists; `None` without any, or when an older profile forgot them.
    pub fn quantiles(&self) -> Option<&Kll> {
        self.numbers.quantiles.as_deref().filter(|_| !self.thin)
    }

    /// Counts between the edges that were given.
    pub fn histogram(&self) -> Option<&EdgeHistogram> {
        self.numbers.histogram.as_deref()
    }

    /// The shortest and the longest value, in characters, of what came as text.
    pub fn lengths(&self) -> Option<(u64, u64)> {
        widest(self.texts.lengths, self.written)
    }

    /// The shortest and the longest text that is not a number or the like, in characters.
    pub const fn text_lengths(&self) -> Option<(u64, u64)> {
        self.texts.lengths
    }

    /// The mean length of such text.
    pub fn mean_length(&self) -> Option<f64> {
        let texts: u64 = self.texts.classes.iter().sum();
        (texts > 0).then(|| self.texts.characters as f64 / texts as f64)
    }

    /// How many of these texts have 0, 1, 2 to 3, 4 to 7, and so on characters.
    pub const fn length_classes(&self) -> &[u64] {
        &self.texts.classes
    }

    /// The shapes of text, as in `Aa 9` for `Ann 7`, the most frequent first.
    pub fn shapes(&self) -> Vec<TopValue> {
        let mut shapes = self.texts.clone();
        if let Distinct::Exact(values) = &self.values {
            values.each(|text, value, count| {
                if value == Value::Text {
                    shapes.shape(cell::shape(text).as_bytes(), count);
                }
            });
        }
        let shown = |item: crate::sketch::HeavyHitter<'_>| TopValue {
            value: String::from_utf8_lossy(item.value).into_owned(),
            lower: item.lower,
            upper: item.upper,
        };
        shapes.shapes.iter().flat_map(|shapes| shapes.items()).map(shown).collect()
    }

    /// How many numbers are plus and minus infinity, which no figure takes in.
    pub fn infinities(&self) -> (u64, u64) {
        self.numbers.moments.infinities()
    }

    /// How many of the truth values are true.
    pub const fn trues(&self) -> u64 {
        self.ranges.trues
    }

    /// The first and the last day, counted from 1970-01-01.
    pub const fn days(&self) -> Option<(i32, i32)> {
        self.ranges.days
    }

    /// The first and the last instant.
    pub const fn instants(&self) -> Option<InstantRange> {
        self.ranges.instants
    }

    /// The least and the greatest decimal, of formats that have decimals.
    pub const fn decimals(&self) -> Option<Decimals> {
        self.ranges.decimals
    }

    /// How many bytes the byte strings have.
    pub const fn byte_lengths(&self) -> Option<Sizes> {
        self.ranges.bytes
    }

    /// How many elements the lists have.
    pub const fn list_lengths(&self) -> Option<Sizes> {
        self.ranges.lists
    }

    /// How many distinct values there are, or `None` when they were too many to count exactly.
    pub fn distinct(&self) -> Option<usize> {
        match &self.values {
            Distinct::Exact(values) => Some(values.of_type(self.column_type()).len()),
            Distinct::Sketched(_) | Distinct::Unknown => None,
        }
    }

    /// About how many distinct values there are; exact where [`distinct`](Self::distinct) is, with a standard error of
    /// [`Hll::STANDARD_ERROR`](crate::sketch::Hll::STANDARD_ERROR) where not, and never more than there are values. `None` when
    /// an older profile forgot them.
    pub fn distinct_estimate(&self) -> Option<f64> {
        match &self.values {
            Distinct::Exact(_) => self.distinct().map(|count| count as f64),
            Distinct::Sketched(sketched) => Some(sketched.hll.estimate().min(self.kinds.total() as f64)),
            Distinct::Unknown => None,
        }
    }

    /// Distinct values and their counts by ascending bytes, or `None` when they were too many. Numbers, truth values and times
    /// are told apart by what they are, not by how they were written.
    pub fn values(&self) -> Option<Vec<(Cow<'_, str>, u64)>> {
        self.values_as(self.column_type())
    }

    /// The same as values of a type: of text, each spelling is a value.
    pub fn values_as(&self, kind: ColumnType) -> Option<Vec<(Cow<'_, str>, u64)>> {
        let Distinct::Exact(values) = &self.values else { return None };
        let text = |(value, count)| match value {
            Cow::Borrowed(value) => {
                std::str::from_utf8(value).ok().map(|value| (Cow::Borrowed(value), count))
            }
            Cow::Owned(value) => String::from_utf8(value).ok().map(|value| (Cow::Owned(value), count)),
        };
        values.of_type(kind).into_iter().map(text).collect()
    }

    /// The most frequent values, at most so many.
    pub fn top(&self, most: usize) -> Vec<TopValue> {
        self.top_as(self.column_type(), most)
    }

    /// The same as values of a type, see [`values_as`](Self::values_as).
    pub fn top_as(&self, kind: ColumnType, most: usize) -> Vec<TopValue> {
        let shown = |(value, lower, upper): (Vec<u8>, u64, u64)| TopValue {
            value: String::from_utf8_lossy(&value).into_owned(),
            lower,
            upper,
        };
        self.values.top(kind).into_iter().take(most).map(shown).collect()
    }

    /// No value that is not among all that [`top`](Self::top) can name comes more often than this: nought while all
    /// values are known, the whole count when an older profile forgot them.
    pub fn unnamed(&self) -> u64 {
        match &self.values {
            Distinct::Exact(_) => 0,
            Distinct::Sketched(sketched) => sketched.unnamed(),
            Distinct::Unknown => self.count(),
        }
    }

    /// The least and the greatest value as text, exactly, of numbers, days and instants; `inf` and `-inf` are numbers.
    pub fn range(&self) -> Option<(String, String)> {
        let pair = |write: &dyn Fn(&mut Vec<u8>, bool)| {
            let written = |last| {
                let mut text = Vec::new();
                write(&mut text, last);
                String::from_utf8_lossy(&text).into_owned()
            };
            Some((written(false), written(true)))
        };
        if let Some(Decimals { least, greatest, scale }) = self.ranges.decimals {
            return pair(&|out, last| text::decimal(out, if last { greatest } else { least }, scale));
        }
        match self.column_type() {
            ColumnType::Integer => {
                let (least, greatest) = self.numbers.integers?;
                pair(&|out, last| text::integer(out, if last { greatest } else { least }))
            }
            ColumnType::Float => {
                let (positive, negative) = self.infinities();
                let least = match (negative, self.lowest().first()) {
                    (0, Some(least)) => *least,
                    (0, None) => f64::INFINITY,
                    _ => f64::NEG_INFINITY,
                };
                let greatest = match (positive, self.highest().first()) {
                    (0, Some(greatest)) => *greatest,
                    (0, None) => f64::NEG_INFINITY,
                    _ => f64::INFINITY,
                };
                // Of no numbers there is none.
                (least <= greatest).then_some(())?;
                pair(&|out, last| text::float(out, if last { greatest } else { least }))
            }
            ColumnType::Date => {
                let (first, last_day) = self.ranges.days?;
                pair(&|out, last| text::day(out, i64::from(if last { last_day } else { first })))
            }
            ColumnType::Timestamp => {
                let range = self.ranges.instants?;
                pair(&|out, last| text::nanos(out, if last { range.last } else { range.first }))
            }
            ColumnType::Boolean | ColumnType::String | ColumnType::Binary | ColumnType::List => None,
        }
    }

    /// Notes the length of a value that came as text and is none.
    #[inline]
    pub(super) fn written(&mut self, length: u64) {
        let (shortest, longest) = self.written.unwrap_or((length, length));
        self.written = Some((shortest.min(length), longest.max(length)));
    }

    /// The sketch of values, made of what was known exactly until now; shapes of text are counted from then on.
    pub(super) fn sketch(&mut self) -> Option<&mut Sketched> {
        if let Distinct::Exact(values) = &self.values {
            let texts = &mut self.texts;
            let mut shape = Vec::new();
            values.each(|text, value, count| {
                if value == Value::Text {
                    cell::shape_into(text, &mut shape);
                    texts.shape(&shape, count);
                }
            });
        }
        self.values.sketch()
    }

    /// Counts a value, known by its text, so many times.
    #[inline]
    pub(super) fn add_value(&mut self, text: &[u8], value: Value, count: u64) {
        if let Distinct::Exact(values) = &mut self.values
            && values.add(text, value, count)
        {
            return;
        }
        if let Some(sketched) = self.sketch() {
            sketched.add_text(text, value, count);
        }
    }

    /// Holds exact values to the bound of a table of so many columns.
    pub(super) fn rebound(&mut self, columns: usize) {
        let passed = match &mut self.values {
            Distinct::Exact(values) => !values.rebound(columns),
            Distinct::Sketched(_) | Distinct::Unknown => false,
        };
        if passed {
            self.sketch();
        }
    }

    /// So many more cells without a value.
    pub(super) fn add_nulls(&mut self, count: u64) {
        self.nulls += count;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        let counts = self.kinds.counts();
        let mut sums = other.kinds.counts();
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        self.kinds = Kinds::from_counts(sums);
        self.numbers.merge(&other.numbers);
        self.texts.merge(&other.texts);
        self.written = widest(self.written, other.written);
        self.ranges.merge(&other.ranges);
        self.merge_values(&other.values);
        self.thin |= other.thin;
        if self.thin {
            // What is known of a part only is not known.
            self.numbers.forget();
        }
    }

    fn merge_values(&mut self, other: &Distinct) {
        match other {
            Distinct::Unknown => self.values = Distinct::Unknown,
            Distinct::Exact(theirs) => {
                let mut shape = Vec::new();
                theirs.each(|text, value, count| {
                    self.add_value(text, value, count);
                    if value == Value::Text && matches!(self.values, Distinct::Sketched(_)) {
                        cell::shape_into(text, &mut shape);
                        self.texts.shape(&shape, count);
                    }
                });
            }
            Distinct::Sketched(theirs) => {
                if let Some(mine) = self.sketch() {
                    mine.merge(theirs);
                }
            }
        }
    }
}

pub(super) fn widest<T: Ord>(one: Option<(T, T)>, two: Option<(T, T)>) -> Option<(T, T)> {
    match (one, two) {
        (Some((low1, high1)), Some((low2, high2))) => Some((low1.min(low2), high1.max(high2))),
        (one, two) => one.or(two),
    }
}
