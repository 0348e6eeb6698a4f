//! Dates of birth: a date that follows a word for being born, or stands in a column that is named after it.

use std::ops::Range;

use super::checksum::{is_date, number, two};
use super::kind::Kind;

/// Bytes between such a word and its date, at most.
const APART: usize = 40;

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The first date behind a word that ends at `after`, if it is close and somebody may have been born then.
pub(super) fn date_of_birth(text: &[u8], after: usize) -> Option<Range<usize>> {
    let window = text.get(after..)?;
    let gap = window.iter().take(APART).take_while(|byte| !byte.is_ascii_digit() && **byte != b'\n').count();
    let start = after + gap;
    text.get(start).filter(|byte| byte.is_ascii_digit())?;
    date(text, after, start)
}

/// Hands out every date that somebody may have been born on and whose first digit is in `owned`.
pub(super) fn dates(text: &[u8], owned: Range<usize>, mut found: impl FnMut(Range<usize>)) {
    let mut place = owned.start;
    while let Some(gap) = text.get(place..owned.end).and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let start = place + gap;
        let rest = text.get(start..).unwrap_or_default();
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let date = if goes_on_from(text, start) {
            None
        } else {
            let compact = compact(rest, run).then(|| start..start + run);
            compact.or_else(|| date(text, start.saturating_sub(APART), start))
        };
        place = start + run;
        if let Some(range) = date {
            place = place.max(range.end);
            found(range);
        }
    }
}

/// Whether the number at `start` belongs to what stands before it: a word, or a number with a mark behind.
fn goes_on_from(text: &[u8], start: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|place| text.get(place)).copied();
    match before(1) {
        Some(b'-' | b'/' | b'.' | b':') => before(2).is_some_and(|byte| byte.is_ascii_digit()),
        Some(byte) => byte.is_ascii_alphanumeric() || byte == b'_',
        None => false,
    }
}

/// The date whose first digit is at `start`, with the name of its month before it if that stands behind `from`.
fn date(text: &[u8], from: usize, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    if let Some((length, _)) = numeric(rest).or_else(|| day_first(rest)) {
        return Some(start..start + length);
    }
    // `born March 12, 1980`: a name of a month before the first digit.
    let words = text.get(from..start)?;
    let last = words.iter().rposition(u8::is_ascii_alphabetic)?;
    let name =
        words.get(..=last)?.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let month = month(words.get(name..=last)?)?;
    let (day, length) = digits(rest, 2)?;
    let marks = rest.get(length..)?.iter().take_while(|byte| b" ,thrdns.".contains(byte)).count();
    let (year, year_digits) = digits(rest.get(length + marks..)?, 4)?;
    born(year, month, day).then_some(from + name..start + length + marks + year_digits)
}

/// Whether a text begins with eight digits that are a date, `19800312` or `12031980`, and no more than that.
fn compact(text: &[u8], run: usize) -> bool {
    let ends =
        text.get(run).is_none_or(|byte| !(byte.is_ascii_alphabetic() && *byte != b'T') && *byte != b'_');
    let year = |at: usize| two(text, at) * 100 + two(text, at + 2);
    let last = |one: u32, other: u32| born(year(4), one, other) || born(year(4), other, one);
    run == 8 && ends && (born(year(0), two(text, 4), two(text, 6)) || last(two(text, 0), two(text, 2)))
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

/// Whether the name of a column, in lower case, says that it holds dates of birth: one of these words stands in it, whole.
pub(super) fn names_birth(title: &str) -> bool {
    let words = Kind::DATE_OF_BIRTH.info().map_or(&[][..], |info| info.words);
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let title = title.as_bytes();
    words.iter().any(|word| {
        let mut places = memchr::memmem::find_iter(title, word.as_bytes());
        places.any(|at| {
            let before = at.checked_sub(1).and_then(|place| title.get(place));
            !letter(before) && !letter(title.get(at + word.len()))
        })
    })
}

fn born(year: u32, month: u32, day: u32) -> bool {
    (1880..2100).contains(&year) && is_date(year, month, day)
}
