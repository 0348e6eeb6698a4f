//! Words near a candidate: those that name its kind speak for it, those that name something else against it.

use super::kind::{Evidence, Family, Kind, KindSet};

/// Bytes before and behind a candidate in which a word counts.
const BEFORE: usize = 64;
const AFTER: usize = 24;

/// Bytes between a word and a candidate that it speaks against, at most.
const NEAR: usize = 14;

/// Lower-case words that name numbers of other kinds. Other words begin as they do (`particular`, `committee`), so that they
/// stand whole, or with one of [`ENDINGS`].
const OTHERS: &[&str] = &[
    "order",
    "invoice",
    "tracking",
    "ticket",
    "reference",
    "ref",
    "version",
    "ver",
    "build",
    "sku",
    "isbn",
    "part",
    "serial",
    "batch",
    "commit",
    "sha",
    "hash",
    "uuid",
    "guid",
    "checksum",
    "epoch",
    "timestamp",
    "size",
    "bytes",
    "offset",
    "count",
    "pid",
    "port",
    "qty",
    "quantity",
    "lot",
    "model",
    "case",
    "job",
    "txn",
    "transaction",
    "request",
    "shipment",
    "parcel",
    "release",
    "firmware",
    "revision",
    "row",
    "line",
    "page",
    "sequence",
    "seq",
];

/// What a word of [`OTHERS`] may go on with: a plural, and what makes one name of it (`orderid`, `trackingnumber`).
const ENDINGS: &[&str] = &["s", "es", "id", "ids", "no", "nr", "num", "number", "code"];

/// Words behind which a dot ends no sentence, beside single letters.
const SHORTENED: &[&str] =
    &["no", "nos", "nr", "nrs", "num", "ref", "ver", "rev", "qty", "seq", "inv", "art", "pos", "id"];

/// Words that name a version, as which four numbers with dots are written too.
const VERSIONS: &[&str] = &["version", "ver", "v", "release", "firmware", "build", "revision", "rev"];

/// All words at once, for the kinds that are looked for.
pub(super) struct Words {
    // Sorted: the word, the kinds that it speaks for, and whether it speaks against others.
    words: Vec<(&'static str, KindSet, bool)>,
    // Where the words that begin with each byte, in lower case, are among them.
    first: [(u16, u16); 256],
    // Of each byte whether it is a letter, and whether a word begins with it.
    marks: [u8; 256],
}

const LETTER: u8 = 1;
const BEGINS: u8 = 2;

/// What the surroundings of a candidate make of it, and the word that decided; nothing when they do not speak of it.
pub(super) type Heard = Option<(Evidence, Option<&'static str>)>;

/// What a window says of one kind.
struct Said {
    names: Option<(usize, &'static str)>,
    against: Option<(usize, &'static str)>,
}

impl Words {
    pub(super) fn new(kinds: KindSet) -> Self {
        let mut words: Vec<(&'static str, KindSet, bool)> =
            OTHERS.iter().map(|word| (*word, KindSet::EMPTY, true)).collect();
        for kind in kinds.kinds() {
            for word in kind.info().map_or(&[][..], |info| info.words) {
                match words.iter_mut().find(|(known, ..)| known == word) {
                    Some((_, kinds, _)) => *kinds = kinds.with(kind),
                    None => words.push((word, KindSet::EMPTY.with(kind), false)),
                }
            }
        }
        words.sort_unstable_by_key(|(word, ..)| *word);
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        let first = std::array::from_fn(|byte| {
            let begins = |word: &str| word.bytes().next().map_or(0, usize::from);
            let from = words.partition_point(|(word, ..)| begins(word) < byte);
            let to = words.partition_point(|(word, ..)| begins(word) <= byte);
            (place(from), place(to))
        });
        let marks = std::array::from_fn(|byte| {
            let letter = u8::try_from(byte).is_ok_and(|byte| byte.is_ascii_alphabetic());
            let lower = if letter { byte | 0x20 } else { byte };
            let begins = first.get(lower).is_some_and(|(from, to): &(u16, u16)| from < to);
            u8::from(letter) * LETTER + u8::from(begins) * BEGINS
        });
        Self { words, first, marks }
    }

    /// How much speaks for a candidate at `start..end`, and the word that decided.
    pub(super) fn judge(&self, text: &[u8], (start, end): (usize, usize), kind: Kind, title: &str) -> Heard {
        let info = kind.info()?;
        if kind == Kind::IPV4 {
            let version = word_before(text, start).and_then(|word| is_one_of(word, VERSIONS));
            return version.map(|word| (Evidence::Doubtful, Some(word)));
        }
        if info.words.is_empty() {
            return None;
        }
        let before = before(text, start);
        let heard = with_blank_markers(before, |before| self.listen(before, kind, numeric(kind)));
        if let Some((at, word)) = heard.names
            && heard.against.is_none_or(|against| at >= against.0)
        {
            return Some((Evidence::Context, Some(word)));
        }
        if let Some((_, word)) = heard.against {
            return Some((Evidence::Doubtful, Some(word)));
        }
        let behind = || with_blank_markers(after(text, end), |after| self.listen(after, kind, false)).names;
        let named = self.listen(title.as_bytes(), kind, false).names.or_else(behind);
        named.map(|(_, word)| (Evidence::Context, Some(word)))
    }

    /// The words that end last.
    fn listen(&self, window: &[u8], kind: Kind, against: bool) -> Said {
        let mut heard = Said { names: None, against: None };
        // What stands between a word and the candidate, a number above all, has the word for itself.
        let digit = || window.iter().rposition(u8::is_ascii_digit);
        let from = if against {
            digit()
                .map_or(0, |at| at + 1)
                .max(window.len().saturating_sub(NEAR + 12))
                .max(sentence(window))
                .max(address(window))
        } else {
            0
        };
        let mut before = 0;
        for (start, byte) in window.iter().enumerate() {
            let mark = self.marks.get(usize::from(*byte)).copied().unwrap_or(0);
            let begins = mark & BEGINS != 0 && (before & LETTER == 0 || byte.is_ascii_uppercase());
            before = mark;
            if !begins {
                continue;
            }
            for (word, kinds, other) in self.beginning_with(*byte) {
                let end = start + word.len();
                let near = against && *other && start >= from && window.len().saturating_sub(end) <= NEAR;
                let speaks = kinds.has(kind);
                if (speaks || near)
                    && window.get(start..end).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
                    && is_word(window, start, end)
                    && (speaks || ends(window, end))
                {
                    let heard = if speaks { &mut heard.names } else { &mut heard.against };
                    if heard.is_none_or(|(last, _)| end >= last) {
                        *heard = Some((end, word));
                    }
                }
            }
        }
        heard
    }

    fn beginning_with(&self, byte: u8) -> &[(&'static str, KindSet, bool)] {
        let (from, to) = self.first.get(usize::from(byte.to_ascii_lowercase())).copied().unwrap_or_default();
        self.words.get(usize::from(from)..usize::from(to)).unwrap_or_default()
    }
}

/// Whether one of the words, in lower case, stands near a candidate or in its title.
pub(super) fn has_any<'w>(
    text: &[u8],
    (start, end): (usize, usize),
    title: &str,
    mut words: impl Iterator<Item = &'w str>,
) -> bool {
    let lower = |window: &[u8]| with_blank_markers(window, <[u8]>::to_ascii_lowercase);
    let (before, after) = (lower(before(text, start)), lower(after(text, end)));
    words.any(|word| {
        [before.as_slice(), &after, title.as_bytes()]
            .into_iter()
            .any(|window| has_word(window, word.as_bytes()))
    })
}

/// The line before a candidate; the line before that when it stands alone at the beginning of its own.
fn before(text: &[u8], start: usize) -> &[u8] {
    let before = text.get(start.saturating_sub(BEFORE)..start).unwrap_or_default();
    let indent = before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let words = before.get(..before.len() - indent).unwrap_or_default();
    let line = memchr::memrchr(b'\n', words).map_or(0, |at| at + 1);
    before.get(line..).unwrap_or_default()
}

fn after(text: &[u8], end: usize) -> &[u8] {
    let after = text.get(end..).unwrap_or_default();
    let after = after.get(..after.len().min(AFTER)).unwrap_or_default();
    memchr::memchr(b'\n', after).and_then(|at| after.get(..at)).unwrap_or(after)
}

/// Where the sentence begins in which the window ends: what the one before spoke of is another thing.
fn sentence(window: &[u8]) -> usize {
    let ends = |&at: &usize| {
        let Some((before, [mark, space, ..])) = window.split_at_checked(at) else { return false };
        let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = before.get(before.len() - letters..).unwrap_or_default();
        let shortened = *mark == b'.' && (letters < 2 || is_one_of(word, SHORTENED).is_some());
        matches!(mark, b'.' | b'!' | b'?') && space.is_ascii_whitespace() && !shortened
    };
    let from = window.len().saturating_sub(NEAR);
    (from..window.len()).rev().find(ends).map_or(0, |at| at + 1)
}

/// The byte behind the last e-mail address: the words in it are names, and stand no more once it is redacted.
fn address(window: &[u8]) -> usize {
    let Some(at) = memchr::memrchr(b'@', window) else { return 0 };
    let inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'-' | b'_');
    at + window.iter().skip(at).take_while(inside).count()
}

/// The letters before a candidate, behind at most one space, colon or hyphen.
fn word_before(text: &[u8], start: usize) -> Option<&[u8]> {
    let before = text.get(start.saturating_sub(12)..start)?;
    let word = match before.split_last() {
        Some((b' ' | b':' | b'-' | b'=' | b'/', rest)) => rest,
        _ => before,
    };
    let length = word.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    word.get(word.len() - length..)
}

fn is_one_of(word: &[u8], words: &'static [&'static str]) -> Option<&'static str> {
    words.iter().copied().find(|one| word.eq_ignore_ascii_case(one.as_bytes()))
}

fn numeric(kind: Kind) -> bool {
    kind.family() == Family::National || [Kind::PHONE, Kind::CARD, Kind::US_SSN].contains(&kind)
}

fn has_word(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|start| is_word(text, start, start + word.len()))
}

/// A word begins where no letter stands before it, or a small one before a capital (`userSsn`); words of up to three letters
/// also end where none follows.
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let begins = match start.checked_sub(1).and_then(|before| text.get(before)) {
        Some(before) if before.is_ascii_lowercase() => text.get(start).is_some_and(u8::is_ascii_uppercase),
        before => !before.is_some_and(u8::is_ascii_alphabetic),
    };
    begins && (end - start > 3 || !text.get(end).is_some_and(u8::is_ascii_alphabetic))
}

/// Whether a word ends at `end`, as it is or with one of [`ENDINGS`]: where no letter follows, or the next word of a name
/// like `orderId` begins.
fn ends(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let goes_on = rest.get(..letters).unwrap_or_default();
    let named = |letters: &[u8]| match letters {
        [] => true,
        [first, ..] => {
            let lower =
                end.checked_sub(1).and_then(|last| text.get(last)).is_some_and(u8::is_ascii_lowercase);
            lower && first.is_ascii_uppercase()
        }
    };
    named(goes_on) || ENDINGS.iter().any(|ending| goes_on.eq_ignore_ascii_case(ending.as_bytes()))
}

/// Reads a window without what stands in the place of values, as in `<US_SSN>` and `<CARD 4f1c...>`: it names no other
/// value.
fn with_blank_markers<T>(window: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
    if memchr::memchr2(b'<', b'>', window).is_none() {
        return read(window);
    }
    let mut blank = window.to_vec();
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ');
    let mut place = 0;
    while let Some(open) = blank.get(place..).and_then(|rest| memchr::memchr(b'<', rest)).map(|at| place + at)
    {
        let length = blank.iter().skip(open + 1).take_while(|byte| inside(byte)).count();
        let close = open + 1 + length;
        // One that the window cuts at its end is blanked too.
        if blank.get(close).is_none_or(|byte| *byte == b'>') {
            blank.iter_mut().take(close).skip(open).for_each(|byte| *byte = b' ');
        }
        place = close;
    }
    // And one that it cuts at its beginning.
    let first = memchr::memchr2(b'<', b'>', &blank).filter(|at| blank.get(*at) == Some(&b'>'));
    if let Some(close) = first.filter(|close| blank.iter().take(*close).all(inside)) {
        blank.iter_mut().take(close).for_each(|byte| *byte = b' ');
    }
    read(&blank)
}
