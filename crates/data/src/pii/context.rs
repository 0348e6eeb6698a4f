//! Words near a candidate: those that name its kind speak for it, those that name something else against it.

use super::kind::{Evidence, Family, Kind};

/// Bytes before and behind a candidate in which a word counts.
pub(super) const BEFORE: usize = 64;
const AFTER: usize = 24;

/// Bytes between a word and a candidate that it speaks against, at most.
const NEAR: usize = 14;

/// Lower-case words that name numbers of other kinds.
const OTHERS: &[&str] = &[
    "order", "invoice", "tracking", "ticket", "reference", "ref", "version", "ver", "build", "sku", "isbn", "part",
    "serial", "batch", "commit", "sha", "hash", "uuid", "guid", "checksum", "epoch", "timestamp", "size", "bytes",
    "offset", "count", "pid", "port", "qty", "quantity", "lot", "model", "case", "job", "txn", "transaction",
    "request", "shipment", "parcel", "release", "firmware", "revision", "row", "line", "page", "sequence", "seq",
];

/// What the surroundings of a candidate say.
pub(super) struct Surroundings {
    text: [u8; BEFORE + AFTER],
    before: usize,
    length: usize,
}

impl Surroundings {
    /// Reads around `start..end`, up to the ends of its line; the line before counts when the candidate stands
    /// alone at the beginning of its own.
    pub(super) fn new(text: &[u8], start: usize, end: usize) -> Self {
        let before = text.get(start.saturating_sub(BEFORE)..start).unwrap_or_default();
        let indent = before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        let words = before.get(..before.len() - indent).unwrap_or_default();
        let line = words.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let before = before.get(line..).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let after = after.get(..after.len().min(AFTER)).unwrap_or_default();
        let after = after.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut lower = [0; BEFORE + AFTER];
        for (to, from) in lower.iter_mut().zip(before.iter().chain(after)) {
            *to = from.to_ascii_lowercase();
        }
        let length = before.len() + after.len();
        if let Some(lower) = lower.get_mut(..length) {
            blank_markers(lower);
        }
        Self { text: lower, before: before.len(), length }
    }

    /// How much speaks for `kind`, and the word that decided.
    pub(super) fn judge(&self, kind: Kind, plain: Evidence, title: &str) -> (Evidence, Option<&'static str>) {
        let words = kind.info().map_or(&[][..], |info| info.words);
        let (names, against) = (self.nearest(words), self.against(kind));
        if let Some((at, word)) = names
            && against.is_none_or(|against| at >= against.0)
        {
            return (Evidence::Context, Some(word));
        }
        if let Some((_, word)) = against {
            return (Evidence::Doubtful, Some(word));
        }
        let title = words.iter().find(|word| has_word(title.as_bytes(), word.as_bytes()).is_some());
        let behind = || words.iter().find(|word| has_word(self.after(), word.as_bytes()).is_some());
        match title.or_else(behind) {
            Some(word) => (Evidence::Context, Some(word)),
            None => (plain, None),
        }
    }

    /// Whether one of the words, in lower case, stands near.
    pub(super) fn has_any<'w>(&self, words: impl Iterator<Item = &'w str>, title: &str) -> bool {
        let whole = self.text.get(..self.length).unwrap_or_default();
        words.into_iter().any(|word| {
            has_word(whole, word.as_bytes()).is_some() || has_word(title.as_bytes(), word.as_bytes()).is_some()
        })
    }

    fn before(&self) -> &[u8] {
        self.text.get(..self.before).unwrap_or_default()
    }

    fn after(&self) -> &[u8] {
        self.text.get(self.before..self.length).unwrap_or_default()
    }

    // The word that ends last before the candidate, and where.
    fn nearest(&self, words: &'static [&'static str]) -> Option<(usize, &'static str)> {
        let ends = words.iter().filter_map(|word| Some((has_word(self.before(), word.as_bytes())?, *word)));
        ends.max_by_key(|(end, _)| *end)
    }

    fn against(&self, kind: Kind) -> Option<(usize, &'static str)> {
        let numeric = kind.family() == Family::National || [Kind::PHONE, Kind::CARD, Kind::US_SSN, Kind::IPV4].contains(&kind);
        let near = self.before().get(self.before.saturating_sub(NEAR + 12)..).unwrap_or_default();
        // What a number stands between speaks for that number.
        let near = near.iter().rposition(u8::is_ascii_digit).and_then(|at| near.get(at + 1..)).unwrap_or(near);
        if !numeric || !near.iter().any(u8::is_ascii_alphabetic) {
            return None;
        }
        let offset = self.before - near.len();
        let ends = OTHERS.iter().filter_map(|word| Some((offset + has_word(near, word.as_bytes())?, *word)));
        ends.filter(|(end, _)| self.before - end <= NEAR).max_by_key(|(end, _)| *end)
    }
}

/// Blanks what stands in the place of values, as in `<US_SSN>` and `<CARD 4f1c...>`: it names no other value.
fn blank_markers(lower: &mut [u8]) {
    let mut place = 0;
    while let Some(open) = lower.get(place..).and_then(|rest| memchr::memchr(b'<', rest)).map(|at| place + at) {
        let inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ');
        let length = lower.iter().skip(open + 1).take_while(inside).count();
        let close = open + 1 + length;
        // One that the window cuts at its end is blanked too.
        if lower.get(close).is_none_or(|byte| *byte == b'>') {
            lower.iter_mut().take(close).skip(open).for_each(|byte| *byte = b' ');
        }
        place = close;
    }
    // And one that it cuts at its beginning.
    if let Some(close) = memchr::memchr2(b'<', b'>', lower).filter(|at| lower.get(*at) == Some(&b'>'))
        && lower.iter().take(close).all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' '))
    {
        lower.iter_mut().take(close).for_each(|byte| *byte = b' ');
    }
}

/// Where the last occurrence of a word ends. A word begins where no letter stands before it; words of up to three
/// letters also end where none follows.
fn has_word(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::rfind_iter(text, word).map(|at| (at, at + word.len())).find_map(|(start, end)| {
        let begins = start == 0 || !text.get(start - 1).is_some_and(u8::is_ascii_alphabetic);
        let ends = word.len() > 3 || !text.get(end).is_some_and(u8::is_ascii_alphabetic);
        (begins && ends).then_some(end)
    })
}
