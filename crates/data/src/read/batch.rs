//! One column of one batch, in the few layouts that kernels know.
//!
//! A reader turns what it finds into lanes: numbers lie side by side whatever their width was, text keeps where it
//! lies. Structures are taken apart into their fields, named by path (`address.city`); a list makes two columns, one
//! of its lengths (`tags`) and one of its elements (`tags[]`), which knows the row that each came from.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use crate::cell::{self, Value};
use crate::text;

/// One column of one batch.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    pub(crate) rows: Rows,
    pub(crate) lane: Lane<'a>,
}

/// Which row each value came from.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// One after the other, from this one on.
    From(u64),
    /// Elements of lists: rows relative to the first, in order.
    Of(u64, Arc<Vec<u32>>),
}

/// The values of a column.
#[derive(Debug)]
pub(crate) enum Lane<'a> {
    /// No value in so many places.
    Nulls(usize),
    Integers(ScalarBuffer<i64>, Option<NullBuffer>),
    Floats(ScalarBuffer<f64>, Option<NullBuffer>),
    Booleans(BooleanBuffer, Option<NullBuffer>),
    /// Days since 1970-01-01.
    Days(ScalarBuffer<i32>, Option<NullBuffer>),
    Instants(Instants),
    /// Unscaled values and the scale: how many of their digits stand behind the point.
    Decimals(ScalarBuffer<i128>, i8, Option<NullBuffer>),
    Texts(Blobs),
    Bytes(Blobs),
    /// How many elements each list has.
    Lists(Vec<u32>, Option<NullBuffer>),
    /// Places in another lane, and which of them count.
    Dictionary {
        keys: ScalarBuffer<i32>,
        nulls: Option<NullBuffer>,
        values: Box<Lane<'a>>,
    },
    Cells(Cells<'a>),
}

/// Instants as counts of a unit since 1970-01-01T00:00:00.
#[derive(Debug)]
pub(crate) struct Instants {
    pub(crate) values: ScalarBuffer<i64>,
    /// Units in a second: 1, 1,000, 1,000,000 or 1,000,000,000.
    pub(crate) per_second: i64,
    /// Whether they are points in time (UTC) and not what some clock on a wall said.
    pub(crate) zoned: bool,
    pub(crate) nulls: Option<NullBuffer>,
}

/// Cells of text with what each says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) text: &'a [u8],
    /// Where each cell begins and ends in `text`.
    pub(crate) spans: &'a [(u32, u32)],
    pub(crate) values: &'a [Value],
}

impl<'a> Cells<'a> {
    #[inline]
    pub(crate) fn cell(&self, at: usize) -> &'a [u8] {
        let (start, end) = self.spans.get(at).copied().unwrap_or_default();
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// Byte strings in one of Arrow's layouts.
#[derive(Debug)]
pub(crate) enum Blobs {
    Small(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
    Fixed(FixedSizeBinaryArray),
}

impl Blobs {
    pub(crate) fn len(&self) -> usize {
        self.array().len()
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Small(array) => array,
            Self::Large(array) => array,
            Self::View(array) => array,
            Self::Fixed(array) => array,
        }
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.array().nulls()
    }

    /// The bytes at a place below `len`.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> &[u8] {
        match self {
            Self::Small(array) => array.value(at),
            Self::Large(array) => array.value(at),
            Self::View(array) => array.value(at),
            Self::Fixed(array) => array.value(at),
        }
    }
}

/// One value, with its text where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'a> {
    pub(crate) value: Value,
    pub(crate) source: CellSource<'a>,
}

/// What a cell's text is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CellSource<'a> {
    Text(&'a [u8]),
    Number,
    Boolean(bool),
    Day(i32),
    Instant { value: i64, per_second: i64, zoned: bool },
    Decimal(i128, i8),
    Nothing,
}

impl<'a> Cell<'a> {
    pub(crate) const NULL: Self = Cell { value: Value::Null, source: CellSource::Nothing };

    /// The value as CSV writes it: its own spelling where it came as text.
    pub(crate) fn text(&self) -> Cow<'a, [u8]> {
        let mut out = Vec::new();
        match self.source {
            CellSource::Text(text) => return Cow::Borrowed(text),
            CellSource::Nothing => {}
            CellSource::Number => match self.value {
                Value::Integer(integer) => text::integer(&mut out, integer),
                Value::Float(float) => text::float(&mut out, float),
                _ => {}
            },
            CellSource::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            CellSource::Day(day) => text::day(&mut out, i64::from(day)),
            CellSource::Instant { value, per_second, zoned } => {
                text::instant(&mut out, value, per_second, zoned);
            }
            CellSource::Decimal(value, scale) => text::decimal(&mut out, value, scale),
        }
        if let Value::List(length) = self.value {
            // Writing to memory does not fail.
            write!(out, "{length}").ok();
        }
        Cow::Owned(out)
    }

    /// Whether it is true, where it is a truth value.
    pub(crate) fn truth(&self) -> Option<bool> {
        match (self.value, self.source) {
            (Value::Boolean, CellSource::Boolean(value)) => Some(value),
            (Value::Boolean, CellSource::Text(text)) => cell::truth(text),
            _ => None,
        }
    }
}

impl<'a> Column<'a> {
    /// How many places there are, with or without a value.
    pub(crate) fn len(&self) -> usize {
        self.lane.len()
    }

    /// The row, from 1, that the value at a place came from.
    pub(crate) fn row(&self, at: usize) -> u64 {
        match &self.rows {
            Rows::From(first) => first + at as u64,
            Rows::Of(first, of) => first + of.get(at).copied().map_or(0, u64::from),
        }
    }

    pub(crate) fn cell(&self, at: usize) -> Cell<'_> {
        self.lane.cell(at)
    }
}

impl Lane<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Nulls(len) => *len,
            Self::Integers(values, _) => values.len(),
            Self::Floats(values, _) => values.len(),
            Self::Booleans(values, _) => values.len(),
            Self::Days(values, _) => values.len(),
            Self::Instants(instants) => instants.values.len(),
            Self::Decimals(values, _, _) => values.len(),
            Self::Texts(blobs) | Self::Bytes(blobs) => blobs.len(),
            Self::Lists(lengths, _) => lengths.len(),
            Self::Dictionary { keys, .. } => keys.len(),
            Self::Cells(cells) => cells.values.len(),
        }
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Integers(_, nulls)
            | Self::Floats(_, nulls)
            | Self::Booleans(_, nulls)
            | Self::Days(_, nulls)
            | Self::Decimals(_, _, nulls)
            | Self::Lists(_, nulls)
            | Self::Dictionary { nulls, .. } => nulls.as_ref(),
            Self::Instants(instants) => instants.nulls.as_ref(),
            Self::Texts(blobs) | Self::Bytes(blobs) => blobs.nulls(),
            Self::Nulls(_) | Self::Cells(_) => None,
        }
    }

    /// The value at a place.
    pub(crate) fn cell(&self, at: usize) -> Cell<'_> {
        if self.nulls().is_some_and(|nulls| nulls.is_null(at)) {
            return Cell::NULL;
        }
        let (value, source) = match self {
            Self::Nulls(_) => return Cell::NULL,
            Self::Integers(values, _) => {
                (Value::Integer(values.get(at).copied().unwrap_or_default()), CellSource::Number)
            }
            Self::Floats(values, _) => {
                let value = values.get(at).copied().unwrap_or(f64::NAN);
                if value.is_nan() {
                    return Cell::NULL;
                }
                // Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
                (Value::Float(value + 0.0), CellSource::Number)
            }
            Self::Booleans(values, _) => (Value::Boolean, CellSource::Boolean(values.value(at))),
            Self::Days(values, _) => {
                (Value::Date, CellSource::Day(values.get(at).copied().unwrap_or_default()))
            }
            Self::Instants(Instants { values, per_second, zoned, .. }) => {
                let value = values.get(at).copied().unwrap_or_default();
                (Value::Timestamp, CellSource::Instant { value, per_second: *per_second, zoned: *zoned })
            }
            Self::Decimals(values, scale, _) => {
                let value = values.get(at).copied().unwrap_or_default();
                (decimal_value(value, *scale), CellSource::Decimal(value, *scale))
            }
            Self::Texts(blobs) => {
                let text = blobs.get(at);
                (cell::typed_text(text), CellSource::Text(text))
            }
            Self::Bytes(blobs) => (Value::Binary, CellSource::Text(blobs.get(at))),
            Self::Lists(lengths, _) => {
                (Value::List(lengths.get(at).copied().unwrap_or_default()), CellSource::Nothing)
            }
            Self::Dictionary { keys, values, .. } => {
                let key = keys.get(at).copied().unwrap_or_default();
                return values.cell(usize::try_from(key).unwrap_or(usize::MAX));
            }
            Self::Cells(cells) => {
                let value = cells.values.get(at).copied().unwrap_or(Value::Null);
                (value, CellSource::Text(cells.cell(at)))
            }
        };
        Cell { value, source }
    }
}

/// A decimal without digits behind the point that fits an integer is one; CSV would say so too.
pub(crate) fn decimal_value(value: i128, scale: i8) -> Value {
    match (scale, i64::try_from(value)) {
        (0, Ok(integer)) => Value::Integer(integer),
        _ => Value::Float(text::decimal_to_f64(value, scale)),
    }
}
