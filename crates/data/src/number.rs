//! Which number a value is: equal numbers of all formats are one, and numbers that no double tells apart are not.
//!
//! A binary double stands for the shortest decimal that reads back as it. A decimal of up to 15 significant digits is
//! the only such one that reads as its double, so only longer ones are looked at digit by digit.

use std::borrow::Cow;

use crate::cell::Value;
use crate::profile::whole;
use crate::read::batch::{Cell, CellSource};
use crate::text;

/// Decimals of so many significant digits are told apart by their doubles (`DBL_DIG` of the C standard, 5.2.4.2.2).
const TOLD_BY_DOUBLES: usize = 15;

/// Below it doubles tell all whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Zeros that are written out rather than an exponent.
const ZEROS: i64 = 40;
const MOST_ZEROS: i64 = -ZEROS;

/// Bytes of text within which a number that is no whole one has no more significant digits than that.
const SHORT: usize = TOLD_BY_DOUBLES + 1;

/// A number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    /// A whole number within 64 bits.
    Integer(i64),
    /// The bits of a double, zero without a sign.
    Double(u64),
    /// Any other decimal, written in the one way.
    Long(Box<[u8]>),
}

impl Number {
    /// The number in a cell, if there is one; of a list how long it is.
    pub(crate) fn in_cell(cell: &Cell<'_>) -> Option<Self> {
        match (cell.value, cell.source) {
            (Value::Float(float), CellSource::Text(text)) => Some(Self::of_decimal(text, float)),
            (Value::Float(float), CellSource::Decimal(..)) => Some(Self::of_decimal(&cell.text(), float)),
            (Value::List(length), _) => Some(Self::Integer(length.into())),
            (value, _) => Self::of_value(value),
        }
    }

    /// The number that a text is, which was read as a value.
    pub(crate) fn in_text(text: &[u8], value: Value) -> Option<Self> {
        match value {
            Value::Float(float) => Some(Self::of_decimal(text, float)),
            value => Self::of_value(value),
        }
    }

    /// It as CSV would write it: whole numbers as integers are written.
    pub(crate) fn text(&self) -> Cow<'_, [u8]> {
        let mut out = Vec::new();
        match self {
            Self::Integer(integer) => text::integer(&mut out, *integer),
            Self::Double(bits) => text::float(&mut out, f64::from_bits(*bits)),
            Self::Long(digits) => return Cow::Borrowed(digits),
        }
        Cow::Owned(out)
    }

    fn of_value(value: Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(Self::Integer(integer)),
            Value::Float(float) => Some(Self::of_double(float)),
            _ => None,
        }
    }

    /// Beyond 2^53 the shortest decimal is another whole number than the double itself.
    pub(crate) fn of_double(number: f64) -> Self {
        let whole =
            if number.abs() < EXACT { whole(number) } else { shortest(number).and_then(|it| it.integer()) };
        whole.map_or_else(|| Self::Double((number + 0.0).to_bits()), Self::Integer)
    }

    /// `nearest` is the double that the decimal reads as.
    fn of_decimal(text: &[u8], nearest: f64) -> Self {
        let text = text.trim_ascii();
        if stands_for(text, nearest) {
            return Self::of_double(nearest);
        }
        let Some(decimal) = Decimal::of(text) else { return Self::of_double(nearest) };
        decimal.integer().map_or_else(|| Self::Long(decimal.written()), Self::Integer)
    }
}

/// Whether the text of a number says no more than its double, which is the nearest: whether it is the shortest decimal that
/// reads as it, in whatever spelling.
pub(crate) fn stands_for(text: &[u8], nearest: f64) -> bool {
    if !may_be_long(text) {
        return true;
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format(nearest).as_bytes();
    // Nearly all programs write it so.
    if shortest == text {
        return true;
    }
    let decimal = Decimal::of(text);
    decimal.is_some() && decimal == Decimal::of(shortest)
}

/// The shortest decimal that reads back as a double.
fn shortest(number: f64) -> Option<Decimal> {
    let mut text = Vec::new();
    text::float(&mut text, number);
    Decimal::of(&text)
}

/// Whether the text of a number may have more significant digits than a double tells apart.
fn may_be_long(text: &[u8]) -> bool {
    if text.len() <= SHORT {
        return false;
    }
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    mantissa.iter().filter(|byte| byte.is_ascii_digit()).count() > TOLD_BY_DOUBLES
}

/// A decimal number: `digits` times ten to the power of `exponent`.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for nought.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// `-?` digits, a fraction, an exponent.
    fn of(text: &[u8]) -> Option<Self> {
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        let at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, power) = match at.and_then(|at| unsigned.split_at_checked(at)) {
            Some((mantissa, power)) => (mantissa, std::str::from_utf8(power.get(1..)?).ok()?.parse().ok()?),
            None => (unsigned, 0_i64),
        };
        let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        let fraction = i64::try_from(mantissa.len().saturating_sub(point + 1)).ok()?;
        let mut digits: Vec<u8> = mantissa.iter().copied().filter(|byte| *byte != b'.').collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut exponent = power.checked_sub(fraction)?;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent = exponent.checked_add(1)?;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        Some(Self { negative: unsigned.len() != text.len(), digits, exponent })
    }

    /// It, where it is whole and fits 64 bits.
    fn integer(&self) -> Option<i64> {
        let zeros = usize::try_from(self.exponent).ok().filter(|zeros| zeros + self.digits.len() <= 19)?;
        let sign: &[u8] = if self.negative { b"-" } else { b"" };
        let text = [sign, &self.digits, &vec![b'0'; zeros]].concat();
        std::str::from_utf8(&text).ok()?.parse().ok()
    }

    /// The one way to write it: plainly, unless that takes many zeros.
    fn written(&self) -> Box<[u8]> {
        let sign: &[u8] = if self.negative { b"-" } else { b"" };
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        // Digits before the point.
        let whole = length.saturating_add(self.exponent);
        let zeros = |count: i64| vec![b'0'; usize::try_from(count).unwrap_or(0)];
        match (whole, self.exponent) {
            (_, 0..=ZEROS) => [sign, &self.digits, &zeros(self.exponent)].concat(),
            (MOST_ZEROS..=0, _) => [sign, b"0.", &zeros(-whole), &self.digits].concat(),
            (1.., ..0) => {
                let at = usize::try_from(whole).unwrap_or(usize::MAX);
                let (whole, fraction) = self.digits.split_at_checked(at).unwrap_or((&self.digits, b""));
                [sign, whole, b".", fraction].concat()
            }
            _ => [sign, &self.digits, format!("e{}", self.exponent).as_bytes()].concat(),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, may_be_long, shortest, stands_for};
    use crate::text;

    #[test]
    fn a_decimal_stands_for_its_double_when_it_is_the_shortest() {
        for (text, stands) in [
            ("0.1", true),
            ("0.30000000000000004", true),
            ("0.30000000000000005", false),
            ("0.300000000000000040", true),
            ("-00300000.00000000004e-6", true),
            ("3.0000000000000004E-1", true),
            ("9007199254740993.0", false),
            ("9007199254740992.0", true),
            ("12345678901234567000", true),
            ("12345678901234567001", false),
            ("1.7976931348623157e308", true),
            ("0.10000000000000000000", true),
            ("5e-324", true),
            ("4.940656458412465442e-324", false),
        ] {
            assert_eq!(stands_for(text.as_bytes(), text.parse().unwrap()), stands, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_found_without_writing_either_anew(
            text in "-?[0-9]{1,20}(\\.[0-9]{1,20})?(e-?[0-9]{1,2})?",
            double in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
        ) {
            let nearest: f64 = text.parse().unwrap();
            if may_be_long(text.as_bytes()) && nearest != 0.0 {
                let same = shortest(nearest) == Decimal::of(text.as_bytes());
                prop_assert_eq!(stands_for(text.as_bytes(), nearest), same);
            }
            let mut written = Vec::new();
            text::float(&mut written, double);
            prop_assert!(stands_for(&written, double));
        }
    }
}
