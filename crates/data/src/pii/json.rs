//! Lines of JSON: strings are searched as what they mean, and what is replaced in them is JSON again.
//!
//! ```text
//!   {"m":"zo\u00eb@example.com"} --decode--> {"m":"zoë@example.com"} --find--> places --back--> {"m":"<EMAIL>"}
//! ```
//!
//! A line without a backslash means what it says and is searched as it is. Bytes that are not replaced stay as they were.

use std::borrow::Cow;
use std::ops::Range;

use super::detector::{Detector, Title};
use super::finding::{Finding, resolve};

/// Everything in one line, in order and without overlaps, at the bytes of the line; the list is emptied first.
///
/// Where strings are written with escapes (RFC 8259, section 7) they are searched decoded: in their line, and each on its
/// own under the name of its member, as a cell is under the name of its column.
pub fn find_into(detector: &Detector, line: &[u8], found: &mut Vec<Finding>) {
    if let Some(decoded) = Decoded::of(line) {
        decoded.find(detector, line, found);
        for one in found {
            *one = one.moved(&decoded.original(&one.range()), 0);
        }
    } else {
        detector.find_into(&Title::default(), line, found);
    }
}

/// Appends one line with what was found in it replaced, and says how many findings that were.
///
/// `put` is given the id of a kind and a value as it reads, and appends what stands for it as it is to read; it is written as
/// JSON. What replaces a number, or a part of one, becomes a string. What a line is made of, its brackets, commas, colons
/// and quotes, stays: of a finding that reaches beyond one string or number, each of them is replaced.
///
/// # Errors
/// What `put` returns.
pub fn rewrite<E>(
    detector: &Detector,
    line: &[u8],
    out: &mut Vec<u8>,
    mut put: impl FnMut(&str, &[u8], &mut Vec<u8>) -> Result<(), E>,
) -> Result<u64, E> {
    let (decoded, mut found) = (Decoded::of(line), Vec::new());
    match &decoded {
        Some(decoded) => decoded.find(detector, line, &mut found),
        None => detector.find_into(&Title::default(), line, &mut found),
    }
    if found.is_empty() {
        out.extend_from_slice(line);
        return Ok(0);
    }
    let parts: Vec<Part> = Parts::of(line).collect();
    let (mut place, mut count, mut new) = (0, 0, Vec::new());
    for one in &found {
        let range = decoded.as_ref().map_or_else(|| one.range(), |decoded| decoded.original(&one.range()));
        let id = detector.id(one.kind());
        let targets = targets(line, &parts, &range);
        count += u64::from(!targets.is_empty());
        for target in targets {
            let Range { start, end } = target.replaced;
            // What lies before was replaced with what was found there.
            let start = start.max(place);
            if start >= end {
                continue;
            }
            // What is found in the middle of a number is what was found, though the whole number goes.
            let from = start.max(range.start)..end.min(range.end);
            let value = decode(line.get(from).unwrap_or_default());
            new.clear();
            put(id, &value, &mut new)?;
            out.extend_from_slice(line.get(place..start).unwrap_or_default());
            out.extend(target.bare.then_some(b'"'));
            escape(&new, out);
            out.extend(target.bare.then_some(b'"'));
            place = end;
        }
    }
    out.extend_from_slice(line.get(place..).unwrap_or_default());
    Ok(count)
}

/// What a piece of a string means that is written like this; no escape may be cut.
pub fn decode(written: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', written).is_none() {
        return Cow::Borrowed(written);
    }
    let mut decoded = Decoded::default();
    decoded.take(written, 0..written.len());
    Cow::Owned(decoded.text)
}

/// Appends bytes as they are written within the quotes of a string.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..=0x1F => out.extend(format!("\\u{byte:04x}").bytes()),
            byte => out.push(*byte),
        }
    }
}

/// Bytes of a line that are replaced as one.
struct Target {
    replaced: Range<usize>,
    /// Not in a string.
    bare: bool,
}

/// What of a line is replaced for a finding at `range`.
fn targets(line: &[u8], parts: &[Part], range: &Range<usize>) -> Vec<Target> {
    let first = parts.partition_point(|part| part.range.end <= range.start);
    let touched = || parts.iter().skip(first).take_while(|part| part.range.start < range.end);
    let several = touched().nth(1).is_some();
    let mut targets: Vec<Target> = Vec::new();
    for part in touched() {
        // Names of members keep what they say unless something is found in them alone.
        if part.name && several && range.start < part.range.start {
            continue;
        }
        if part.string {
            let replaced = part.range.start.max(range.start)..part.range.end.min(range.end);
            targets.push(Target { replaced, bare: false });
            continue;
        }
        // Only what is no JSON has several words behind each other.
        let follows = targets.last_mut().filter(|last| {
            let between = line.get(last.replaced.end..part.range.start);
            last.bare && between.is_some_and(|between| between.iter().all(u8::is_ascii_whitespace))
        });
        match follows {
            Some(last) => last.replaced.end = part.range.end,
            None => targets.push(Target { replaced: part.range.clone(), bare: true }),
        }
    }
    targets
}

/// A string or another scalar of a line.
struct Part {
    /// Its bytes; of a string those between the quotes.
    range: Range<usize>,
    string: bool,
    /// Whether there is a backslash in it.
    escaped: bool,
    /// Whether it is the name of a member.
    name: bool,
}

/// The parts of a line, which need not be JSON: one that ends in a string has it open.
struct Parts<'a> {
    line: &'a [u8],
    place: usize,
}

impl<'a> Parts<'a> {
    const fn of(line: &'a [u8]) -> Self {
        Self { line, place: 0 }
    }

    fn string(&mut self, start: usize) -> Part {
        let (mut end, mut escaped) = (start, false);
        loop {
            let rest = self.line.get(end..).unwrap_or_default();
            let Some(at) = memchr::memchr2(b'"', b'\\', rest) else {
                let tail = rest.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                end += rest.len() - tail;
                self.place = self.line.len();
                return Part { range: start..end, string: true, escaped, name: false };
            };
            end += at;
            if rest.get(at) == Some(&b'"') {
                break;
            }
            escaped = true;
            end = (end + 2).min(self.line.len());
        }
        self.place = end + 1;
        let behind = self.line.get(self.place..).unwrap_or_default();
        let name = behind.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        Part { range: start..end, string: true, escaped, name }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let between = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:".contains(byte);
        let rest = self.line.get(self.place..)?;
        let start = self.place + rest.iter().position(|byte| !between(byte))?;
        if self.line.get(start) == Some(&b'"') {
            return Some(self.string(start + 1));
        }
        let bare = self.line.get(start..).unwrap_or_default();
        let length = bare.iter().position(|byte| between(byte) || *byte == b'"').unwrap_or(bare.len());
        self.place = start + length;
        Some(Part { range: start..self.place, string: false, escaped: false, name: false })
    }
}

/// A line with its strings decoded, and the way back.
#[derive(Default)]
struct Decoded {
    text: Vec<u8>,
    /// In order.
    escapes: Vec<Escape>,
}

/// One escape, or two that are one character.
struct Escape {
    /// Where what it means begins, and its bytes.
    at: usize,
    means: usize,
    /// Where it begins as it is written, and its bytes.
    from: usize,
    written: usize,
}

impl Decoded {
    /// Decodes a line; nothing when it means what it says.
    fn of(line: &[u8]) -> Option<Self> {
        memchr::memchr(b'\\', line)?;
        let (mut decoded, mut place) = (Self::default(), 0);
        for part in Parts::of(line).filter(|part| part.escaped) {
            decoded.text.extend_from_slice(line.get(place..part.range.start).unwrap_or_default());
            decoded.take(line, part.range.clone());
            place = part.range.end;
        }
        decoded.text.extend_from_slice(line.get(place..).unwrap_or_default());
        Some(decoded)
    }

    /// Appends what the bytes `range` of a line mean.
    fn take(&mut self, line: &[u8], range: Range<usize>) {
        let mut place = range.start;
        while place < range.end {
            let rest = line.get(place..range.end).unwrap_or_default();
            let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
            let (run, escape) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
            self.text.extend_from_slice(run);
            place += plain;
            match meaning(escape) {
                Some((character, written)) => {
                    let mut bytes = [0; 4];
                    let means = character.encode_utf8(&mut bytes);
                    self.escapes.push(Escape {
                        at: self.text.len(),
                        means: means.len(),
                        from: place,
                        written,
                    });
                    self.text.extend(means.bytes());
                    place += written;
                }
                // No escape of JSON; it stays.
                None => {
                    let kept = escape.get(..escape.len().min(2)).unwrap_or_default();
                    self.text.extend_from_slice(kept);
                    place += kept.len();
                }
            }
        }
    }

    /// What is found in the line, at the bytes of the decoded text.
    fn find(&self, detector: &Detector, line: &[u8], found: &mut Vec<Finding>) {
        detector.candidates(&Title::default(), &self.text, found);
        let (mut title, mut own) = (Title::default(), Vec::new());
        for part in Parts::of(line) {
            let range = self.decoded(part.range.start)..self.decoded(part.range.end);
            let text = self.text.get(range.clone()).unwrap_or_default();
            if part.name {
                title = Title::new(&String::from_utf8_lossy(text));
            } else if part.escaped {
                detector.candidates(&title, text, &mut own);
                let base = u64::try_from(range.start).unwrap_or(u64::MAX);
                found.extend(own.iter().map(|one| one.moved(&one.range(), base)));
            }
        }
        resolve(found);
    }

    /// Where a range of the decoded text was written, with the whole of each escape.
    fn original(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.escape(range.start).map_or(range.start, |escape| escape.written_at(range.start));
        let end = match range.end.checked_sub(1) {
            Some(last) if last >= range.start => match self.escape(last) {
                Some(escape) if last < escape.at + escape.means => escape.from + escape.written,
                Some(escape) => escape.written_at(last) + 1,
                None => range.end,
            },
            _ => start,
        };
        start..end
    }

    /// The last escape that begins at or before a place of the decoded text.
    fn escape(&self, place: usize) -> Option<&Escape> {
        let next = self.escapes.partition_point(|escape| escape.at <= place);
        next.checked_sub(1).and_then(|at| self.escapes.get(at))
    }

    /// The place in the decoded text of one of the line, which is in no escape.
    fn decoded(&self, original: usize) -> usize {
        let next = self.escapes.partition_point(|escape| escape.from < original);
        let before = next.checked_sub(1).and_then(|at| self.escapes.get(at));
        before.map_or(original, |escape| {
            escape.at + escape.means + original.saturating_sub(escape.from + escape.written)
        })
    }
}

impl Escape {
    /// Where a place of the decoded text was written that is in this escape or behind it.
    const fn written_at(&self, place: usize) -> usize {
        match place.checked_sub(self.at + self.means) {
            Some(behind) => self.from + self.written + behind,
            None => self.from,
        }
    }
}

/// The character that the escape at the beginning of a text means, and its bytes (RFC 8259, section 7). Half of a pair of
/// surrogates means no character and reads as U+FFFD.
fn meaning(text: &[u8]) -> Option<(char, usize)> {
    let character = match text.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = unit(text)?;
            let low = text.get(6..).and_then(unit_of_escape);
            return Some(match (unit, low) {
                (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                    let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                _ => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            });
        }
        _ => return None,
    };
    Some((character, 2))
}

fn unit_of_escape(text: &[u8]) -> Option<u32> {
    text.starts_with(b"\\u").then(|| unit(text)).flatten()
}

/// The four hexadecimal digits behind `\u`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.get(2..6)?;
    digits.iter().try_fold(0, |unit, byte| Some(unit << 4 | char::from(*byte).to_digit(16)?))
}
