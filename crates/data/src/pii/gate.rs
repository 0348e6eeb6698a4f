//! Which numbers are worth a look: told by how many digits there are, and by what stands before and behind them.
//!
//! Logs are full of numbers that begin like nothing that is looked for: times, sizes, status codes, versions. One look into
//! a table tells them from the others, where a comparison after the other would be guessed wrong by the processor half
//! of the time.

#[cfg(test)]
mod tests;

use super::detector::Looks;
use super::pattern::{DIGITS, LETTERS, Patterns};

/// A byte of each class that what stands before a number may be of, and of each class for what stands behind it.
const BEFORE: [u8; 8] = [b'*', b'g', b'a', b'+', b' ', b'-', b'.', b'_'];
const BEHIND: [u8; 10] = [b'*', b'g', b'a', b' ', b'-', b'.', b'/', b'(', b')', b'+'];

/// Numbers of so many digits and more are alike.
const COUNTS: usize = DIGITS + 1;

/// Worth a look, whatever comes.
const ALWAYS: u8 = 1;
/// Worth a look when a digit stands behind what stands behind it.
const DIGIT: u8 = 2;
/// Worth a look when it begins with `00`, as telephone numbers may.
const ZEROS: u8 = 4;

/// The table, made for the kinds that are looked for.
pub(super) struct Gate {
    table: Vec<u8>,
    /// Whether parts of what began before are looked at too.
    parts: bool,
}

impl Gate {
    pub(super) fn new(looks: &Looks, patterns: &Patterns) -> Self {
        let mut table = Vec::with_capacity(BEFORE.len() * COUNTS * BEHIND.len());
        for before in BEFORE {
            for count in 0..COUNTS {
                table.extend(BEHIND.map(|behind| worth(looks, patterns, before, count, behind)));
            }
        }
        Self { table, parts: false }
    }

    /// Whether anything could begin at the `count` digits from `start`, or be found by them.
    #[inline]
    pub(super) fn opens(&self, text: &[u8], start: usize, count: usize) -> bool {
        let byte = |place: usize| text.get(place).copied().unwrap_or(b'\n');
        let mark = start.checked_sub(1).map_or(b' ', byte);
        let before = class(&BEFORE_CLASSES, mark);
        let behind = class(&BEHIND_CLASSES, byte(start + count));
        let place = (before * COUNTS + count.min(DIGITS)) * BEHIND.len() + behind;
        let further = u8::from(byte(start + count + 1).is_ascii_digit());
        let zeros = u8::from((byte(start) == b'0') & (byte(start + 1) == b'0'));
        let worth = self.table.get(place).copied().unwrap_or(ALWAYS);
        let worth = worth & (ALWAYS | (DIGIT * further) | (ZEROS * zeros)) != 0;
        // What follows a digit and a dot is a part of something that began before.
        let part = (mark == b'.') & start.checked_sub(2).is_some_and(|place| byte(place).is_ascii_digit());
        worth & (self.parts | !part)
    }
}

/// What the scan could do with such a number. It may say too much, and must not say too little.
fn worth(looks: &Looks, patterns: &Patterns, before: u8, count: usize, behind: u8) -> u8 {
    let beginning = |letters: usize| match patterns.beginning((letters, count), behind) {
        Some(slot) if slot.needs_second() => DIGIT,
        Some(_) => ALWAYS,
        None => 0,
    };
    let words = || (1..LETTERS).fold(0, |all, letters| all | beginning(letters));
    // More of a name.
    if before == b'_' {
        return 0;
    }
    let mut worth = 0;
    if looks.ipv4 && count <= 3 && behind == b'.' && before != b'.' {
        worth |= DIGIT;
    }
    let hexadecimal = |byte: u8| byte == b'-' || byte.is_ascii_hexdigit();
    if looks.mac && count <= 3 && (hexadecimal(before) || hexadecimal(behind)) {
        worth |= ALWAYS;
    }
    if looks.mac && count == 4 && (before == b'.' || behind == b'.') {
        worth |= ALWAYS;
    }
    if looks.phone && count >= 3 && matches!(before, b'*' | b' ' | b'.') {
        worth |= ZEROS;
    }
    let goes_on = matches!(behind, b'g' | b'a' | b' ' | b'-');
    worth
        | match before {
            b'g' | b'a' if looks.iban && count >= 2 && (goes_on || count >= IBAN_DIGITS) => ALWAYS,
            b'g' | b'a' => words(),
            b'+' if looks.phone && !matches!(behind, b' ' | b'-' | b'.' | b'/' | b'(' | b')') => {
                if count >= PHONE_DIGITS { ALWAYS } else { 0 }
            }
            b'+' if looks.phone => ALWAYS,
            b' ' | b'-' => beginning(0) | words(),
            _ => beginning(0),
        }
}

/// Digits of the shortest account number in one piece (Norway's), without its country and what a letter takes over.
const IBAN_DIGITS: usize = 10;

/// Less than the digits of any telephone number with its country code.
const PHONE_DIGITS: usize = 6;

#[inline]
fn class(classes: &[u8; 256], byte: u8) -> usize {
    classes.get(usize::from(byte)).copied().map_or(0, usize::from)
}

const BEFORE_CLASSES: [u8; 256] = classes(&BEFORE);
const BEHIND_CLASSES: [u8; 256] = classes(&BEHIND);

/// The class of each byte: the place of its example, letters being alike as far as they are both hexadecimal digits or not.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn classes(examples: &[u8]) -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let like = match byte as u8 {
            b'a'..=b'f' | b'A'..=b'F' => b'a',
            b'g'..=b'z' | b'G'..=b'Z' => b'g',
            other => other,
        };
        let mut place = 1;
        while place < examples.len() {
            if examples[place] == like {
                classes[byte] = place as u8;
            }
            place += 1;
        }
        byte += 1;
    }
    classes
}
