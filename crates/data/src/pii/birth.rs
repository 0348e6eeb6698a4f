//! Dates of birth: a date that follows a word for being born.

use std::ops::Range;

use super::checksum::{is_date, number};

/// Bytes between such a word and its date, at most.
const APART: usize = 40;

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The first date behind a word that ends at `after`, if it is close and somebody may have been born then.
pub(super) fn date_of_birth(text: &[u8], after: usize) -> Option<Range<usize>> {
    let window = text.get(after..)?;
    let gap = window.iter().take(APART).take_while(|byte| !byte.is_ascii_digit() && **byte != b'\n').count();
    let start = after + gap;
    let rest = text.get(start..).filter(|rest| rest.first().is_some_and(u8::is_ascii_digit));
    if let Some((length, _)) = rest.and_then(numeric).or_else(|| rest.and_then(day_first)) {
        return Some(start..start + length);
    }
    // `born March 12, 1980`: a name of a month before the first digit.
    let rest = rest?;
    let words = text.get(after..start)?;
    let last = words.iter().rposition(u8::is_ascii_alphabetic)?;
    let name =
        words.get(..=last)?.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let month = month(words.get(name..=last)?)?;
    let (day, length) = digits(rest, 2)?;
    let marks = rest.get(length..)?.iter().take_while(|byte| b" ,thrdns.".contains(byte)).count();
    let (year, year_digits) = digits(rest.get(length + marks..)?, 4)?;
    born(year, month, day).then_some(after + name..start + length + marks + year_digits)
}

/// `1980-03-12`, `12.03.1980`, `3/12/80`: bytes and the year.
fn numeric(text: &[u8]) -> Option<(usize, u32)> {
    let (first, one) = digits(text, 4)?;
    let mark = text.get(one).copied().filter(|byte| b"-/.".contains(byte))?;
    let (second, two) = digits(text.get(one + 1..)?, 2)?;
    let at = one + 1 + two;
    if text.get(at) != Some(&mark) {
        return None;
    }
    let (third, three) = digits(text.get(at + 1..)?, 4)?;
    let (year, rest) =
        if one == 4 { (first, (second, third)) } else { (long(third, three)?, (first, second)) };
    let sound = match one {
        4 => three <= 2 && born(year, rest.0, rest.1),
        1 | 2 => born(year, rest.0, rest.1) || born(year, rest.1, rest.0),
        _ => false,
    };
    let end = at + 1 + three;
    let joined = text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() && *byte != b'T');
    (sound && !joined).then_some((end, year))
}

/// `12 March 1980`, `12th of March, 1980`.
fn day_first(text: &[u8]) -> Option<(usize, u32)> {
    let (day, one) = digits(text, 2)?;
    let rest = text.get(one..)?;
    let gap = rest.iter().take(8).position(|byte| byte.is_ascii_alphabetic())?;
    let words = rest.get(gap..)?;
    let mut skipped = 0;
    // The ending of an ordinal and the word `of`.
    for word in words.split(|byte| !byte.is_ascii_alphabetic()).take(3) {
        if let Some(month) = month(word) {
            let at = one + gap + skipped + word.len();
            let marks = text.get(at..)?.iter().take_while(|byte| b" ,.-".contains(byte)).count();
            let (year, length) = digits(text.get(at + marks..)?, 4)?;
            return born(year, month, day).then_some((at + marks + length, year));
        }
        skipped += word.len() + 1;
    }
    None
}

fn month(word: &[u8]) -> Option<u32> {
    let start = word.get(..3)?;
    let at = MONTHS.iter().position(|month| start.eq_ignore_ascii_case(month.as_bytes()))?;
    u32::try_from(at + 1).ok()
}

/// One run of at most `most` digits: its value and length.
fn digits(text: &[u8], most: usize) -> Option<(u32, usize)> {
    let length = text.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let value = number(text.get(..length.min(most))?)?;
    (length <= most).then_some((u32::try_from(value).ok()?, length))
}

/// A year of four digits, or of two in this century or the last.
fn long(year: u32, digits: usize) -> Option<u32> {
    match digits {
        4 => Some(year),
        2 => Some(if year < 30 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

fn born(year: u32, month: u32, day: u32) -> bool {
    (1880..2100).contains(&year) && is_date(year, month, day)
}
