//! The `data` of a tensor: nested or flat arrays of values of one type.

use std::sync::Arc;

use bartizan_model::Values;
use bartizan_model::limits::{RANK, TEXT_BYTES};

use super::json::Reader;
use super::{Datatype, RequestInvalid, cut};
use crate::limits::ELEMENTS;

/// Values as they were written, and how they were nested.
pub(super) struct Data {
    pub(super) values: Values,
    /// The length of each level of arrays, the outermost first.
    nested: Vec<usize>,
}

impl Data {
    /// Whether this is the data of a tensor of that shape: one flat array, or nested just as the shape says.
    pub(super) fn fits(&self, shape: &[usize]) -> bool {
        let count = shape.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        let flat = self.nested == [self.values.len()];
        count == Some(self.values.len()) && (flat || self.nested == shape)
    }
}

/// Why an element is none.
enum Bad {
    Text(RequestInvalid),
    Element(&'static str),
}

impl From<RequestInvalid> for Bad {
    fn from(invalid: RequestInvalid) -> Self {
        Self::Text(invalid)
    }
}

/// Reads the data of the input `name`; `room` is how many elements the request may still bring.
pub(super) fn read(
    reader: &mut Reader<'_>,
    name: &str,
    datatype: Datatype,
    room: &mut usize,
) -> Result<Data, RequestInvalid> {
    let mut nest = Nest { lengths: [None; RANK], leaves: None, room, name };
    let values = match datatype {
        Datatype::Bool => Values::Bool(nest.collect(reader, boolean)?),
        Datatype::Int32 => Values::I32(nest.collect(reader, int32)?),
        Datatype::Int64 => Values::I64(nest.collect(reader, int64)?),
        Datatype::Fp32 => Values::F32(nest.collect(reader, fp32)?),
        Datatype::Fp64 => Values::F64(nest.collect(reader, fp64)?),
        Datatype::Bytes => Values::Text(nest.collect(reader, text)?),
    };
    let levels = nest.leaves.unwrap_or(RANK);
    let nested = nest.lengths.iter().take(levels).map_while(|length| *length).collect();
    Ok(Data { values, nested })
}

/// Skips the data of a tensor whose type is not known yet: arrays, texts, numbers and words.
pub(super) fn skip(reader: &mut Reader<'_>) -> Result<(), RequestInvalid> {
    let mut depth = 0_usize;
    loop {
        match reader.peek() {
            Some(b'[') => {
                reader.take(b'[');
                depth += 1;
                if depth > RANK {
                    return Err(reader.refuse("`data` is nested too deeply"));
                }
                if reader.peek() != Some(b']') {
                    continue;
                }
            }
            Some(b'"') => reader.string().map(|_| ())?,
            Some(b'-' | b'0'..=b'9') => reader.number().map(|_| ())?,
            _ if ["true", "false", "null"].iter().any(|word| reader.word(word)) => {}
            _ => return Err(reader.refuse("not an element of `data`")),
        }
        while depth > 0 && reader.take(b']') {
            depth -= 1;
        }
        if depth == 0 {
            return Ok(());
        }
        reader.expect(b',', "an array does not go on")?;
    }
}

struct Nest<'n> {
    /// How long arrays of each level are; all of one level are equally long.
    lengths: [Option<usize>; RANK],
    /// The level below the innermost arrays, where elements are.
    leaves: Option<usize>,
    room: &'n mut usize,
    name: &'n str,
}

impl Nest<'_> {
    fn collect<'a, T>(
        &mut self,
        reader: &mut Reader<'a>,
        element: fn(&mut Reader<'a>) -> Result<T, Bad>,
    ) -> Result<Vec<T>, RequestInvalid> {
        let mut values = Vec::new();
        reader.expect(b'[', "`data` is not an array")?;
        self.array(reader, 0, element, &mut values)?;
        Ok(values)
    }

    /// Reads what follows `[` of an array of this level. It calls itself at most [`RANK`] times.
    fn array<'a, T>(
        &mut self,
        reader: &mut Reader<'a>,
        level: usize,
        element: fn(&mut Reader<'a>) -> Result<T, Bad>,
        values: &mut Vec<T>,
    ) -> Result<(), RequestInvalid> {
        if level >= RANK {
            return Err(reader.refuse("`data` is nested too deeply"));
        }
        let mut length = 0_usize;
        if !reader.take(b']') {
            loop {
                if reader.take(b'[') {
                    if self.leaves.is_some_and(|leaves| leaves <= level + 1) {
                        return Err(self.ragged());
                    }
                    self.array(reader, level + 1, element, values)?;
                } else {
                    if *self.leaves.get_or_insert(level + 1) != level + 1 {
                        return Err(self.ragged());
                    }
                    *self.room = self.room.checked_sub(1).ok_or(RequestInvalid::TooMany {
                        what: "elements in all inputs together",
                        most: ELEMENTS,
                    })?;
                    values.push(element(reader).map_err(|bad| self.bad(bad, values.len()))?);
                }
                length += 1;
                if reader.take(b']') {
                    break;
                }
                reader.expect(b',', "an array does not go on")?;
            }
        }
        let known = self.lengths.get_mut(level).map(|known| *known.get_or_insert(length));
        if known == Some(length) { Ok(()) } else { Err(self.ragged()) }
    }

    fn ragged(&self) -> RequestInvalid {
        RequestInvalid::Ragged { input: cut(self.name) }
    }

    fn bad(&self, bad: Bad, index: usize) -> RequestInvalid {
        match bad {
            Bad::Text(invalid) => invalid,
            Bad::Element(what) => RequestInvalid::Element { input: cut(self.name), index, what },
        }
    }
}

fn boolean(reader: &mut Reader<'_>) -> Result<bool, Bad> {
    reader.peek();
    if reader.word("true") {
        return Ok(true);
    }
    if reader.word("false") { Ok(false) } else { Err(Bad::Element("neither `true` nor `false`")) }
}

fn integer(reader: &mut Reader<'_>) -> Result<i64, Bad> {
    if !matches!(reader.peek(), Some(b'-' | b'0'..=b'9')) {
        return Err(Bad::Element("not an integer"));
    }
    let (text, fraction) = reader.number()?;
    if fraction {
        return Err(Bad::Element("not written as an integer"));
    }
    text.parse().map_err(|_| Bad::Element("out of the range of its type"))
}

fn int64(reader: &mut Reader<'_>) -> Result<i64, Bad> {
    integer(reader)
}

fn int32(reader: &mut Reader<'_>) -> Result<i32, Bad> {
    i32::try_from(integer(reader)?).map_err(|_| Bad::Element("out of the range of its type"))
}

/// A number, or NaN for `null`: missing.
fn fp64(reader: &mut Reader<'_>) -> Result<f64, Bad> {
    match reader.peek() {
        Some(b'-' | b'0'..=b'9') => {}
        Some(b'n') if reader.word("null") => return Ok(f64::NAN),
        _ => return Err(Bad::Element("neither a number nor `null`")),
    }
    let (text, _) = reader.number()?;
    let number: f64 = text.parse().map_err(|_| Bad::Element("not a number"))?;
    if number.is_finite() { Ok(number) } else { Err(Bad::Element("out of the range of its type")) }
}

/// By way of 64 bits, as other servers and numpy read it: the last digit of a float is a matter of agreement.
fn fp32(reader: &mut Reader<'_>) -> Result<f32, Bad> {
    let wide = fp64(reader)?;
    if wide.is_nan() {
        return Ok(f32::NAN);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded to the nearest; overflow is looked at below"
    )]
    let number = wide as f32;
    if number.is_finite() { Ok(number) } else { Err(Bad::Element("out of the range of its type")) }
}

fn text(reader: &mut Reader<'_>) -> Result<Arc<str>, Bad> {
    if reader.peek() != Some(b'"') {
        return Err(Bad::Element("not a text"));
    }
    let text = reader.string()?;
    if text.len() > TEXT_BYTES {
        return Err(Bad::Element("too long a text"));
    }
    Ok(Arc::from(&*text))
}
