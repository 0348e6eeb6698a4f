//! What rows say of themselves in one column: the group, source, cluster or entity that each belongs to.

use std::cmp::Ordering;

use super::compare::Side;
use super::frame::{FrameColumn, FrameKind, NANOS, instant_text, lossy, number_text};
use super::period::{Period, value_name};
use crate::cell::{self, Value};
use crate::profile::whole;
use crate::text;

/// What the rows of two tables say in a column that puts them into groups, such as a cluster, a period or a source.
///
/// Values are told apart exactly in columns that were read as [`Want::Key`](super::Want::Key): 64-bit ids as integers, times
/// by their nanoseconds, everything else as text. An id that is a number on one side and its text on the other is the same, and
/// so is a time that is a text for the sake of another that says more than nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// A place in `names` for each row of the reference; [`Side::MISSING`] where there is no value.
    pub reference: Vec<u32>,
    /// The same for the current rows.
    pub current: Vec<u32>,
    /// The different values in their order: of numbers, of time, or of the alphabet.
    pub names: Vec<String>,
}

impl Tags {
    /// The values of a column of two tables; a table that has no such column is `None` and has no rows here. Of times only
    /// the period in which they lie is taken where there is one.
    pub fn of(reference: Option<&FrameColumn>, current: Option<&FrameColumn>, every: Option<Period>) -> Self {
        let sides = [reference, current];
        let mut keys: Vec<Key<'_>> = sides.into_iter().flatten().flat_map(|side| side.keys(every)).collect();
        keys.sort_unstable();
        keys.dedup();
        let code = |key: Option<Key<'_>>| {
            let place = key.and_then(|key| keys.binary_search(&key).ok());
            place.and_then(|place| u32::try_from(place).ok()).unwrap_or(Side::MISSING)
        };
        let tags = |side: Option<&FrameColumn>| -> Vec<u32> {
            let Some(side) = side else { return Vec::new() };
            match side.coded() {
                Some((codes, texts)) => {
                    let known: Vec<u32> =
                        texts.iter().map(|text| code(Some(Key::of_text(text, every)))).collect();
                    let of = |own: &u32| usize::try_from(*own).ok().and_then(|at| known.get(at)).copied();
                    codes.iter().map(|own| of(own).unwrap_or(Side::MISSING)).collect()
                }
                None => (0..side.len()).map(|row| code(side.key(row, every))).collect(),
            }
        };
        let (reference, current) = (tags(reference), tags(current));
        Self { reference, current, names: keys.iter().map(|key| key.name(every)).collect() }
    }
}

/// What rows are told apart and put in order by: numbers, then times, then texts.
#[derive(Debug, Clone, Copy)]
enum Key<'a> {
    Integer(i64),
    /// A number that is no integer of 64 bits.
    Float(f64),
    /// Nanoseconds since 1970-01-01.
    Time(i128),
    Text(&'a [u8]),
}

impl<'a> Key<'a> {
    fn of_number(number: f64) -> Option<Self> {
        if number.is_nan() { None } else { Some(whole(number).map_or(Self::Float(number), Self::Integer)) }
    }

    /// A text that is the one spelling of a number or a time is that. Of times, in whatever spelling, only the period is
    /// taken where there is one.
    fn of_text(text: &'a [u8], every: Option<Period>) -> Self {
        if let Some(nanos) = time_of(text) {
            return match every {
                Some(every) => Self::in_period(nanos, every),
                None if instant_text(nanos) == text => Self::Time(nanos),
                // It says more than nanoseconds do.
                None => Self::Text(text),
            };
        }
        let mut spelled = Vec::new();
        let key = match cell::number(text) {
            Some(Value::Integer(integer)) => {
                text::integer(&mut spelled, integer);
                Self::Integer(integer)
            }
            // More digits than a double holds are told apart as text.
            Some(Value::Float(float)) if float.abs() < EXACT => {
                spelled = number_text(float);
                Self::Float(float)
            }
            _ => return Self::Text(text),
        };
        if spelled == text { key } else { Self::Text(text) }
    }

    fn in_period(nanos: i128, every: Period) -> Self {
        Self::Time(i128::from(every.start(seconds(nanos))) * NANOS)
    }

    fn name(&self, every: Option<Period>) -> String {
        match (self, every) {
            (Self::Integer(integer), _) => integer.to_string(),
            (Self::Float(float), _) => value_name(*float, FrameKind::Numbers),
            (Self::Time(nanos), Some(every)) => every.name(seconds(*nanos)),
            (Self::Time(nanos), None) => time_name(*nanos),
            (Self::Text(text), _) => lossy(text).into_owned(),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Integer(_) | Self::Float(_) => 0,
            Self::Time(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

/// The time that a text says, in nanoseconds since 1970-01-01; digits beyond them are cut.
fn time_of(text: &[u8]) -> Option<i128> {
    match cell::typed_text(text) {
        Value::Date => cell::day(text).map(|day| i128::from(day) * 86_400 * NANOS),
        Value::Timestamp => cell::instant(text).map(|(nanos, _)| nanos),
        _ => None,
    }
}

/// The second that a time lies in.
fn seconds(nanos: i128) -> i64 {
    i64::try_from(nanos.div_euclid(NANOS)).unwrap_or(i64::MAX)
}

/// A time as people write it, with as much of a fraction as there is.
#[expect(clippy::cast_precision_loss, reason = "seconds of any year that can be written are below 2^53")]
fn time_name(nanos: i128) -> String {
    if nanos.rem_euclid(NANOS) == 0 {
        return value_name(seconds(nanos) as f64, FrameKind::Times);
    }
    let mut out = Vec::new();
    text::nanos(&mut out, nanos);
    lossy(&out).into_owned()
}

/// Below this every whole number is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Ord for Key<'_> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a float that is no integer is far from those beyond 2^53"
    )]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(two)) => one.cmp(two),
            (Self::Integer(one), Self::Float(two)) => (*one as f64).total_cmp(two).then(Ordering::Less),
            (Self::Float(one), Self::Integer(two)) => one.total_cmp(&(*two as f64)).then(Ordering::Greater),
            (Self::Float(one), Self::Float(two)) => one.total_cmp(two),
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

impl FrameColumn {
    /// Whether its values are times. So are those of a key of which one says more than nanoseconds, which are kept as texts.
    pub fn holds_times(&self) -> bool {
        self.kind() == FrameKind::Times
            || self.coded().is_some_and(|(_, texts)| texts.iter().all(|text| time_of(text).is_some()))
    }

    /// The different keys, ascending.
    fn keys(&self, every: Option<Period>) -> Vec<Key<'_>> {
        let mut keys: Vec<Key<'_>> = match self.coded() {
            Some((_, texts)) => texts.iter().map(|text| Key::of_text(text, every)).collect(),
            None => (0..self.len()).filter_map(|row| self.key(row, every)).collect(),
        };
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The key of a row of numbers or times.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times of a column that is no key are known as doubles"
    )]
    fn key(&self, row: usize, every: Option<Period>) -> Option<Key<'_>> {
        let number = self.numbers()?.get(row).copied().filter(|number| !number.is_nan())?;
        if self.kind() == FrameKind::Times {
            let nanos = self.nanos(row).unwrap_or((number * 1e9).round() as i128);
            return Some(every.map_or(Key::Time(nanos), |every| Key::in_period(nanos, every)));
        }
        match self.integer(row) {
            Some(integer) => Some(Key::Integer(integer)),
            None => Key::of_number(number),
        }
    }
}
