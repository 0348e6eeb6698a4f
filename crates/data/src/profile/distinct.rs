//! Which values a column has: all of them while they are few, a sketch of them after that.

use super::ColumnType;
use super::values::Values;
use crate::cell::{self, Value};
use crate::number::Number;
use crate::sketch::hash;
use crate::sketch::{HeavyHitters, Hll};
use crate::text;

/// Counters and bytes of values for each kind of value that may be frequent.
const HITTERS: (usize, usize) = (1024, 64 * 1024);

/// The values of a column.
#[derive(Debug, Clone)]
pub(crate) enum Distinct {
    /// All, with their counts.
    Exact(Values),
    /// About how many, and which are frequent.
    Sketched(Box<Sketched>),
    /// Nothing: an older profile forgot them.
    Unknown,
}

/// The values of a column that has many.
#[derive(Debug, Clone)]
pub(crate) struct Sketched {
    pub(super) hll: Hll,
    /// Whole numbers, as 64 bits in two's complement.
    pub(super) integers: Option<HeavyHitters>,
    /// Other numbers, as IEEE 754 bits.
    pub(super) floats: Option<HeavyHitters>,
    /// Days since 1970-01-01, as 64 bits.
    pub(super) days: Option<HeavyHitters>,
    /// Nanoseconds since 1970-01-01T00:00:00, as 128 bits.
    pub(super) instants: Option<HeavyHitters>,
    /// Text, truth values as they were written, bytes.
    pub(super) texts: Option<HeavyHitters>,
}

/// A value as sketches tell it from others: equal values of different formats are one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Key<'a> {
    Integer(i64),
    Float(f64),
    Day(i64),
    Instant(i128),
    Text(&'a [u8]),
}

impl<'a> Key<'a> {
    /// The key of a cell of text. White space around numbers is no part of them.
    #[inline]
    pub(crate) fn of_text(text: &'a [u8], value: Value) -> Self {
        match value {
            Value::Integer(integer) => Self::Integer(integer),
            Value::Float(float) => Self::of_number(float),
            Value::Date => cell::day(text).map_or(Self::Text(text), Self::Day),
            Value::Timestamp => {
                cell::instant(text).map_or(Self::Text(text), |(nanos, _)| Self::Instant(nanos))
            }
            Value::Null | Value::Boolean | Value::Text | Value::Binary | Value::List(_) => Self::Text(text),
        }
    }

    /// The key of a number: that of the integer where there is an equal one.
    #[inline]
    pub(crate) fn of_number(number: f64) -> Self {
        whole(number).map_or(Self::Float(number), Self::Integer)
    }

    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Integer(integer) => hash::of_i64(*integer),
            Self::Float(float) => hash::of_f64(*float),
            Self::Day(day) => day_hash(*day),
            Self::Instant(nanos) => instant_hash(*nanos),
            Self::Text(text) => hash::of_bytes(text),
        }
    }
}

/// Days and instants are told from numbers and text by bytes that no text has.
pub(super) fn day_hash(day: i64) -> u64 {
    let mut bytes = [0xFF; 9];
    bytes[1..].copy_from_slice(&day.to_le_bytes());
    hash::of_bytes(&bytes)
}

pub(super) fn instant_hash(nanos: i128) -> u64 {
    let mut bytes = [0xFE; 17];
    bytes[1..].copy_from_slice(&nanos.to_le_bytes());
    hash::of_bytes(&bytes)
}

/// The integer that a number equals, if it does and fits 64 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(crate) fn whole(number: f64) -> Option<i64> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if !(-TWO_TO_63..TWO_TO_63).contains(&number) {
        return None;
    }
    let integer = number as i64;
    (integer as f64 == number).then_some(integer)
}

pub(super) fn hitters((capacity, bytes): (usize, usize)) -> HeavyHitters {
    match HeavyHitters::new(capacity, bytes) {
        Ok(sketch) => sketch,
        // INVARIANT: all parameters in this crate are within the bounds.
        #[expect(
            clippy::unreachable,
            reason = "the parameters are constants within the bounds of the sketch"
        )]
        Err(_) => unreachable!("the parameters of a sketch are valid"),
    }
}

impl Sketched {
    fn new() -> Self {
        Self { hll: Hll::new(), integers: None, floats: None, days: None, instants: None, texts: None }
    }

    /// What to count each kind of value with.
    pub(super) fn of(field: &mut Option<HeavyHitters>) -> &mut HeavyHitters {
        field.get_or_insert_with(|| hitters(HITTERS))
    }

    pub(super) fn add(&mut self, key: Key<'_>, count: u64) {
        self.hll.insert(key.hash());
        self.count(key, count);
    }

    /// Takes a value, known by its text, so many times.
    pub(super) fn add_text(&mut self, text: &[u8], value: Value, count: u64) {
        let number = Number::in_text(text, value);
        // Doubles are counted by the batch, and by their bits.
        if let Value::Float(float) = value
            && number == Some(Number::of_double(float))
        {
            return self.add(Key::of_number(float), count);
        }
        match number {
            Some(Number::Integer(integer)) => self.add(Key::Integer(integer), count),
            Some(Number::Long(digits)) => self.add(Key::Text(&digits), count),
            Some(Number::Double(_)) | None => self.add(Key::of_text(text, value), count),
        }
    }

    /// Takes a value without taking its hash.
    pub(super) fn count(&mut self, key: Key<'_>, count: u64) {
        match key {
            Key::Integer(integer) => Self::of(&mut self.integers).add(&integer.to_le_bytes(), count),
            Key::Float(float) => Self::of(&mut self.floats).add(&float.to_bits().to_le_bytes(), count),
            Key::Day(day) => Self::of(&mut self.days).add(&day.to_le_bytes(), count),
            Key::Instant(nanos) => Self::of(&mut self.instants).add(&nanos.to_le_bytes(), count),
            Key::Text(text) => Self::of(&mut self.texts).add(text, count),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.hll.merge(&other.hll);
        let pairs = [
            (&mut self.integers, &other.integers),
            (&mut self.floats, &other.floats),
            (&mut self.days, &other.days),
            (&mut self.instants, &other.instants),
            (&mut self.texts, &other.texts),
        ];
        for (mine, theirs) in pairs {
            match (mine, theirs) {
                (Some(mine), Some(theirs)) => {
                    // Counts are held to a limit by the profile, and the parameters are always the same.
                    mine.merge(theirs).ok();
                }
                (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
                (_, None) => {}
            }
        }
    }

    /// No value that [`Self::top`] does not name comes more often.
    pub(super) fn unnamed(&self) -> u64 {
        let all = [&self.integers, &self.floats, &self.days, &self.instants, &self.texts];
        let most = |hitters: &HeavyHitters| hitters.error().max(hitters.long());
        all.into_iter().flatten().map(most).max().unwrap_or(0)
    }

    /// Values that are frequent with the bounds of their counts, as text, the most frequent first.
    fn top(&self) -> Vec<(Vec<u8>, u64, u64)> {
        let mut all = Vec::new();
        let word = |bytes: &[u8]| bytes.first_chunk::<8>().map_or(0, |word| i64::from_le_bytes(*word));
        let mut take = |hitters: &Option<HeavyHitters>, write: &dyn Fn(&[u8], &mut Vec<u8>)| {
            for item in hitters.iter().flat_map(HeavyHitters::items) {
                let mut spelled = Vec::new();
                write(item.value, &mut spelled);
                all.push((spelled, item.lower, item.upper));
            }
        };
        take(&self.integers, &|bytes, out| text::integer(out, word(bytes)));
        take(&self.floats, &|bytes, out| text::float(out, f64::from_bits(word(bytes).cast_unsigned())));
        take(&self.days, &|bytes, out| text::day(out, word(bytes)));
        take(&self.instants, &|bytes, out| {
            let nanos = bytes.first_chunk::<16>().map_or(0, |bytes| i128::from_le_bytes(*bytes));
            text::nanos(out, nanos);
        });
        take(&self.texts, &|bytes, out| out.extend_from_slice(bytes));
        all.sort_unstable_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        all
    }
}

impl Distinct {
    /// The sketch, made of what was known exactly until now.
    pub(super) fn sketch(&mut self) -> Option<&mut Sketched> {
        if let Self::Exact(values) = self {
            let mut sketched = Box::new(Sketched::new());
            values.each(|text, value, count| sketched.add_text(text, value, count));
            *self = Self::Sketched(sketched);
        }
        match self {
            Self::Sketched(sketched) => Some(sketched),
            Self::Exact(_) | Self::Unknown => None,
        }
    }

    /// Frequent values with the bounds of their counts, the most frequent first.
    pub(super) fn top(&self, kind: ColumnType) -> Vec<(Vec<u8>, u64, u64)> {
        match self {
            Self::Exact(values) => {
                let known = values.of_type(kind).into_iter();
                let mut all: Vec<(Vec<u8>, u64, u64)> =
                    known.map(|(text, count)| (text.into_owned(), count, count)).collect();
                all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
                all
            }
            Self::Sketched(sketched) => sketched.top(),
            Self::Unknown => Vec::new(),
        }
    }
}
