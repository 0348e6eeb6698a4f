//! What one cell of text says: nothing, a number, a truth value, a date, or just text.

use std::str;

use crate::csv::NullTokens;
use crate::text;

/// The value of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// One of the schema's spellings of "no value".
    Null,
    /// A whole number within `i64`.
    Integer(i64),
    /// Any other finite decimal number.
    Float(f64),
    /// `true` or `false`, also capitalised or in capitals.
    Boolean,
    /// `YYYY-MM-DD`, a day that exists.
    Date,
    /// RFC 3339, or the same with a space for the `T` or without an offset.
    Timestamp,
    /// Everything else.
    Text,
    /// Bytes that are not said to be text.
    Binary,
    /// A list of so many elements.
    List(u32),
}

/// Reads a cell. White space around it matters to text alone.
pub(crate) fn classify(cell: &[u8], nulls: &NullTokens) -> Value {
    let text = cell.trim_ascii();
    if nulls.contains(text) {
        return Value::Null;
    }
    match text.first() {
        Some(b'0'..=b'9') => number(text).or_else(|| day_or_instant(text)).unwrap_or(Value::Text),
        Some(b'-' | b'.') => number(text).unwrap_or(Value::Text),
        Some(b't' | b'T' | b'f' | b'F') if is_boolean(text) => Value::Boolean,
        _ => Value::Text,
    }
}

/// Reads what is known to be text: it is that, unless it reads as a day or an instant, which many formats cannot write
/// otherwise.
#[inline]
pub(crate) fn typed_text(text: &[u8]) -> Value {
    match text.first() {
        Some(b'0'..=b'9') if text.len() >= 10 => day_or_instant(text).unwrap_or(Value::Text),
        _ => Value::Text,
    }
}

/// Whether a header's cell reads as a number, which a column's name rarely does.
pub(crate) fn is_number(cell: &[u8]) -> bool {
    number(cell.trim_ascii()).is_some()
}

/// The truth value that a text is, white space around it aside.
pub(crate) fn truth(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii();
    is_boolean(text).then(|| matches!(text.first(), Some(b't' | b'T')))
}

fn is_boolean(text: &[u8]) -> bool {
    matches!(text, b"true" | b"True" | b"TRUE" | b"false" | b"False" | b"FALSE")
}

/// `-?` digits, a fraction, an exponent. Digits with a leading zero are a code, not a number: `02139` is a
/// postal code. A leading `+` is a telephone number more often than a number.
pub(crate) fn number(text: &[u8]) -> Option<Value> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let negative = unsigned.len() != text.len();
    let mut digits = Digits { value: 0, count: 0 };
    let rest = digits.take(unsigned);
    let whole = digits.count;
    if whole > 1 && unsigned.starts_with(b"0") {
        return None;
    }
    let (rest, fraction) = match rest.strip_prefix(b".") {
        Some(rest) => (digits.take(rest), digits.count - whole),
        None => (rest, 0),
    };
    if digits.count == 0 {
        return None;
    }
    if !rest.is_empty() || digits.count > Digits::EXACT {
        return if is_exponent(rest) { long_number(text) } else { None };
    }
    if whole == unsigned.len() {
        let magnitude = i64::try_from(digits.value).ok()?;
        return Some(Value::Integer(if negative { -magnitude } else { magnitude }));
    }
    // The digits and this power of ten are exact in a double, so the quotient is correctly rounded
    // (W. D. Clinger, "How to read floating point numbers accurately", 1990, section 1).
    let (true, Some(power)) = (digits.value <= 1 << 53, POWERS_OF_TEN.get(fraction)) else {
        return long_number(text);
    };
    let magnitude = digits.value as f64 / power;
    Some(Value::Float(if negative { 0.0 - magnitude } else { magnitude }))
}

/// A number with an exponent or with many digits.
fn long_number(text: &[u8]) -> Option<Value> {
    let text = str::from_utf8(text).ok()?;
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Value::Integer(integer));
    }
    // Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
    let number = text.parse::<f64>().ok()? + 0.0;
    number.is_finite().then_some(Value::Float(number))
}

const POWERS_OF_TEN: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// Decimal digits read so far.
struct Digits {
    value: u64,
    count: usize,
}

impl Digits {
    /// So many digits never overflow `value`, nor an `i64`.
    const EXACT: usize = 18;

    /// Takes the digits that `text` starts with and returns the rest.
    #[inline]
    fn take<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        while let [digit @ b'0'..=b'9', rest @ ..] = text {
            self.value = self.value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.count += 1;
            text = rest;
        }
        text
    }
}

fn is_exponent(text: &[u8]) -> bool {
    let Some(digits) = text.strip_prefix(b"e").or_else(|| text.strip_prefix(b"E")) else {
        return text.is_empty();
    };
    let digits = digits.strip_prefix(b"+").or_else(|| digits.strip_prefix(b"-")).unwrap_or(digits);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

fn day_or_instant(text: &[u8]) -> Option<Value> {
    let (day, rest) = text.split_at_checked(10)?;
    if !is_day(day) {
        return None;
    }
    match rest.split_first() {
        None => Some(Value::Date),
        Some((b'T' | b't' | b' ', time)) if is_time(time) => Some(Value::Timestamp),
        Some(_) => None,
    }
}

fn is_day(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (pair(*y1, *y2), pair(*y3, *y4), pair(*m1, *m2), pair(*d1, *d2))
    else {
        return false;
    };
    let year = u32::from(century) * 100 + u32::from(year);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `HH:MM:SS`, perhaps a fraction, perhaps an offset.
fn is_time(text: &[u8]) -> bool {
    let Some(([h1, h2, b':', m1, m2, b':', s1, s2], rest)) = text.split_first_chunk::<8>() else {
        return false;
    };
    let within = |high: u8, low: u8, most: u8| pair(high, low).is_some_and(|value| value <= most);
    // 60 is a leap second (RFC 3339, section 5.6).
    if !(within(*h1, *h2, 23) && within(*m1, *m2, 59) && within(*s1, *s2, 60)) {
        return false;
    }
    let offset = match rest.strip_prefix(b".") {
        Some(rest) => match split_digits(rest) {
            ([], _) => return false,
            (_, offset) => offset,
        },
        None => rest,
    };
    match offset {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => within(*h1, *h2, 23) && within(*m1, *m2, 59),
        _ => false,
    }
}

fn pair(high: u8, low: u8) -> Option<u8> {
    (high.is_ascii_digit() && low.is_ascii_digit()).then(|| (high - b'0') * 10 + (low - b'0'))
}

/// The day that a cell says, as days since 1970-01-01.
pub(crate) fn day(cell: &[u8]) -> Option<i64> {
    let text = cell.trim_ascii();
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i64::from(pair(*y1, *y2)?) * 100 + i64::from(pair(*y3, *y4)?);
    Some(text::days_from_civil(year, pair(*m1, *m2)?.into(), pair(*d1, *d2)?.into()))
}

/// The instant that a cell says, as nanoseconds since 1970-01-01T00:00:00, and whether it names an offset. Digits beyond
/// nanoseconds are cut.
pub(crate) fn instant(cell: &[u8]) -> Option<(i128, bool)> {
    let text = cell.trim_ascii();
    let (date, rest) = text.split_at_checked(10)?;
    let (_, time) = rest.split_first()?;
    let ([h1, h2, _, m1, m2, _, s1, s2], rest) = time.split_first_chunk::<8>()?;
    let (hour, minute, second) = (pair(*h1, *h2)?, pair(*m1, *m2)?, pair(*s1, *s2)?);
    let (mut nanos, mut offset) = (0_i64, rest);
    if let Some(rest) = rest.strip_prefix(b".") {
        let (digits, after) = split_digits(rest);
        offset = after;
        for place in 0..9 {
            nanos = nanos * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
    }
    let ahead = match offset {
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let minutes = i64::from(pair(*h1, *h2)?) * 60 + i64::from(pair(*m1, *m2)?);
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => 0,
    };
    let minutes = (day(date)? * 24 + i64::from(hour)) * 60 + i64::from(minute) - ahead;
    let seconds = i128::from(minutes * 60 + i64::from(second));
    Some((seconds * 1_000_000_000 + i128::from(nanos), !offset.is_empty()))
}

/// Characters in a cell (its bytes are UTF-8).
pub(crate) fn length(cell: &[u8]) -> usize {
    if cell.is_ascii() { cell.len() } else { cell.iter().filter(|byte| **byte & 0xC0 != 0x80).count() }
}

/// The shape of a cell, which tells what kind of thing was there without telling what: letters become `A` or
/// `a`, digits `9`, runs collapse, white space becomes a blank, and anything that is not plain ASCII
/// punctuation becomes `?`. `Smith, J. 1987-02-11` has the shape `Aa, A. 9-9-9`.
pub(crate) fn shape(cell: &[u8]) -> String {
    let mut shape = Vec::new();
    shape_into(cell, &mut shape);
    String::from_utf8_lossy(&shape).into_owned()
}

/// Writes the shape of a cell over what is there.
pub(crate) fn shape_into(cell: &[u8], shape: &mut Vec<u8>) {
    shape.clear();
    if cell.len() <= LONGEST_SHAPED && cell.is_ascii() {
        short_shape_into(cell, shape);
    } else if cell.is_ascii() {
        let class = |byte: &u8| ASCII_CLASSES.get(usize::from(*byte)).copied().unwrap_or(b'?');
        classes_into(cell.iter().map(class), shape);
    } else {
        classes_into(String::from_utf8_lossy(cell).chars().map(class_of), shape);
    }
}

/// The longest shape, in classes.
const LONGEST: usize = 24;

/// Characters that a shape is of; of longer text only what began before.
const LONGEST_SHAPED: usize = LONGEST * 8;

/// The same as [`classes_into`] without a branch for each character: classes change too often to be foreseen.
fn short_shape_into(cell: &[u8], shape: &mut Vec<u8>) {
    let (mut classes, mut length, mut last) = ([0_u8; LONGEST + 1], 0, 0);
    for byte in cell {
        let class = ASCII_CLASSES.get(usize::from(*byte)).copied().unwrap_or(b'?');
        if let Some(slot) = classes.get_mut(length) {
            *slot = class;
        } else {
            break;
        }
        length += usize::from(class != last);
        last = class;
    }
    // A class was written where the next one goes, also when it was the last one again.
    shape.extend_from_slice(classes.get(..length.min(LONGEST)).unwrap_or_default());
    if length > LONGEST {
        shape.extend_from_slice(b"..");
    }
}

fn classes_into(classes: impl Iterator<Item = u8>, shape: &mut Vec<u8>) {
    // No character has this class.
    let mut last = 0;
    for (at, class) in classes.enumerate() {
        if class == last {
            continue;
        }
        if at >= LONGEST_SHAPED || shape.len() >= LONGEST {
            shape.extend_from_slice(b"..");
            return;
        }
        shape.push(class);
        last = class;
    }
}

/// The class of each ASCII character.
#[expect(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
const ASCII_CLASSES: [u8; 128] = {
    let mut classes = [b'?'; 128];
    let mut code = 0_u8;
    while code < 128 {
        classes[code as usize] = match code {
            b'A'..=b'Z' => b'A',
            b'a'..=b'z' => b'a',
            b'0'..=b'9' => b'9',
            b'\t' | b'\n' | 0x0B | 0x0C | b'\r' | b' ' => b' ',
            b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => code,
            _ => b'?',
        };
        code += 1;
    }
    classes
};

fn class_of(character: char) -> u8 {
    match character {
        c if c.is_uppercase() => b'A',
        c if c.is_alphabetic() => b'a',
        c if c.is_numeric() => b'9',
        c if c.is_whitespace() => b' ',
        c if c.is_ascii() => {
            u8::try_from(c).ok().and_then(|c| ASCII_CLASSES.get(usize::from(c)).copied()).unwrap_or(b'?')
        }
        _ => b'?',
    }
}

#[cfg(test)]
mod tests;
