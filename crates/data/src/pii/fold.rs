//! Text as it reads, and the way back from each place in it to where it was.
//!
//! Wide, styled and foreign digits become ASCII, marks that look alike become one, and invisible characters go.

use std::borrow::Cow;
use std::ops::Range;

/// Folded text and the way back.
pub(super) struct Folded<'a> {
    text: Cow<'a, [u8]>,
    // From this place in the folded text on, the place in the original; sorted, the first is zero.
    // INVARIANT: between two entries, both advance by the same number of bytes.
    steps: Vec<(usize, usize)>,
    length: usize,
}

impl<'a> Folded<'a> {
    /// Folds. Bytes that are not UTF-8 stay what they are; ASCII text is borrowed.
    pub(super) fn new(text: &'a [u8]) -> Self {
        if text.is_ascii() {
            return Self { text: Cow::Borrowed(text), steps: Vec::new(), length: text.len() };
        }
        let mut folded = Vec::with_capacity(text.len());
        let mut steps = Vec::new();
        let (mut place, mut kept) = (0, 0);
        while let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty()) {
            let ascii = rest.iter().position(|byte| *byte >= 0x80).unwrap_or(rest.len());
            place += ascii;
            let Some((character, length)) = text.get(place..).and_then(first_character) else {
                place += usize::from(place < text.len());
                continue;
            };
            if let Some(becomes) = fold(character) {
                folded.extend_from_slice(text.get(kept..place).unwrap_or_default());
                if steps.is_empty() {
                    steps.push((0, 0));
                }
                // The character itself is a step too, so that what it becomes begins where it began.
                steps.push((folded.len(), place));
                folded.extend(becomes);
                kept = place + length;
                steps.push((folded.len(), kept));
            }
            place += length;
        }
        if steps.is_empty() {
            return Self { text: Cow::Borrowed(text), steps, length: text.len() };
        }
        folded.extend_from_slice(text.get(kept..).unwrap_or_default());
        Self { text: Cow::Owned(folded), steps, length: text.len() }
    }

    /// The folded text.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where a range of the folded text was: from the first byte of its first character to the last of its last.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        if self.steps.is_empty() {
            return range.clone();
        }
        let start = self.start(range.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if last >= range.start => self.end(last),
            _ => start,
        };
        start..end
    }

    /// The first place in the folded text at or behind a place of the original.
    pub(super) fn folded(&self, original: usize) -> usize {
        let next = self.steps.partition_point(|(_, from)| *from < original);
        let Some((to, from)) = next.checked_sub(1).and_then(|at| self.steps.get(at)) else {
            return if self.steps.is_empty() { original } else { 0 };
        };
        let place = to + (original - from);
        self.steps.get(next).map_or(place, |(limit, _)| place.min(*limit)).min(self.text.len())
    }

    fn start(&self, place: usize) -> usize {
        let next = self.steps.partition_point(|(to, _)| *to <= place);
        match next.checked_sub(1).and_then(|at| self.steps.get(at)) {
            Some((to, from)) => (from + (place - to)).min(self.length),
            None => place,
        }
    }

    // The end of the character whose byte in the folded text this is.
    fn end(&self, last: usize) -> usize {
        let next = self.steps.partition_point(|(to, _)| *to <= last);
        let plain = self.start(last) + 1;
        // The first step behind it, if it begins there, says where its character ended; wide ones end later.
        match self.steps.get(next) {
            Some((to, from)) if *to == last + 1 => *from,
            _ => plain,
        }
    }
}

/// The character that a slice begins with, and its bytes; none where there is no UTF-8.
fn first_character(bytes: &[u8]) -> Option<(char, usize)> {
    let length = match bytes.first()? {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    text.chars().next().map(|character| (character, length))
}

/// What a character becomes: one ASCII byte, or nothing. `None`: it stays.
///
/// Full-width forms (U+FF01 to U+FF5E), decimal digits of the scripts of Unicode 16 table 22-3 that people write
/// numbers of this kind in, mathematical digits, spaces (White_Space), hyphens and dashes (Dash), and the
/// Default_Ignorable_Code_Point characters that have no width.
fn fold(character: char) -> Option<Option<u8>> {
    let digit = |zero: u32| u8::try_from(u32::from(character) - zero).ok().map(|digit| b'0' + digit % 10);
    match character {
        '\u{FF01}'..='\u{FF5E}' => Some(u8::try_from(u32::from(character) - 0xFEE0).ok()),
        '\u{0660}'..='\u{0669}' => Some(digit(0x660)),
        '\u{06F0}'..='\u{06F9}' => Some(digit(0x6F0)),
        '\u{0966}'..='\u{096F}' => Some(digit(0x966)),
        '\u{09E6}'..='\u{09EF}' => Some(digit(0x9E6)),
        '\u{0E50}'..='\u{0E59}' => Some(digit(0xE50)),
        '\u{1D7CE}'..='\u{1D7FF}' => Some(digit(0x1D7CE)),
        '\u{00A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => {
            Some(Some(b' '))
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => Some(Some(b'-')),
        '\u{3002}' | '\u{FF61}' | '\u{2024}' => Some(Some(b'.')),
        '\u{FE6B}' => Some(Some(b'@')),
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' => {
            Some(None)
        }
        '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => {
            Some(None)
        }
        _ => None,
    }
}
