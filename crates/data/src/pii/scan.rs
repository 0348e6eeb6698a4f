//! The pass over bytes: stops at digits and a few marks, looks what could be there, and asks what decides.
#![expect(clippy::indexing_slicing, reason = "the hot loop; every index is compared with the length first")]

use std::ops::Range;

use super::assigned;
use super::birth::{date_of_birth, dates};
use super::context::{Heard, has_any};
use super::detector::{Detector, Title};
use super::finding::Finding;
use super::kind::{Evidence, Kind};
use super::marks;
use super::pattern::{Slot, goes_on};
use super::phone;
use super::secrets::{self, Find, PREFIXES};

/// Bytes before what the scan stops at in which a candidate may begin: the local part of an address and its kin.
pub(super) const LOOK_BACK: usize = 72;

/// Scans folded text. Candidates that the bytes in `owned` give away are handed out, wherever they begin and end.
pub(super) fn scan(
    detector: &Detector,
    text: &[u8],
    owned: Range<usize>,
    title: &Title,
    out: &mut Vec<Finding>,
) {
    let mut scan = Scan { detector, text, title: title.words(), out, judged: None };
    if detector.looks.assigned {
        scan.numbers_and_marks::<b'='>(owned.clone());
    } else {
        scan.numbers_and_marks::<b':'>(owned.clone());
    }
    if detector.looks.email {
        scan.addresses(owned.clone());
    }
    if let Some(literals) = &detector.literals {
        scan.literals(literals, owned.clone());
    }
    if detector.looks.birth && title.names_birth() {
        dates(text, owned.clone(), |range| scan.propose(Kind::DATE_OF_BIRTH, range, Evidence::Plain, None));
    }
    if let Some(named) = title.secret().filter(|_| detector.looks.assigned && owned.start == 0)
        && let Some((kind, range)) = assigned::cell(text, named)
    {
        scan.propose(kind, range, Evidence::Context, None);
    }
    for custom in &detector.custom {
        custom.each(text, owned.clone(), |range| scan.custom(custom, range));
    }
}

struct Scan<'a, 'o> {
    detector: &'a Detector,
    text: &'a [u8],
    title: &'a str,
    out: &'o mut Vec<Finding>,
    /// The last candidate that was judged, and what was heard of it: numbers often have several forms of one kind.
    judged: Option<(Kind, Range<usize>, Heard)>,
}

/// What stands before a number.
#[derive(PartialEq, Eq)]
enum Left {
    /// Nothing that belongs to it.
    Free,
    /// A sign that it is an amount or part of a path.
    Doubtful,
    /// More of the same number or name.
    Joined,
}

impl Scan<'_, '_> {
    /// Stops at digits and at marks up to `LAST`, which is `:` or `=`.
    fn numbers_and_marks<const LAST: u8>(&mut self, owned: Range<usize>) {
        let text = self.text;
        let mut place = owned.start;
        // Digits that began before are somebody else's.
        if place > 0 && text[place - 1].is_ascii_digit() {
            place += digits(&text[place..]);
        }
        while place < owned.end {
            place = next_stop::<LAST>(text, place);
            if place >= owned.end {
                return;
            }
            match text[place] {
                b'0'..=b'9' => {
                    let count = digits(&text[place..]);
                    if self.detector.gate.opens(text, place, count) {
                        self.number(place, count);
                    }
                    place += count;
                }
                b':' => {
                    self.colon(place);
                    place += 1;
                }
                b'=' => {
                    self.assigned(place);
                    place += 1;
                }
                _ => place += 1,
            }
        }
    }

    fn addresses(&mut self, owned: Range<usize>) {
        let text = self.text;
        for at in memchr::memchr_iter(b'@', &text[owned.clone()]) {
            if let Some((range, sure)) = marks::email(text, owned.start + at) {
                let evidence = if sure { Evidence::Plain } else { Evidence::Doubtful };
                self.propose(Kind::EMAIL, range, evidence, None);
            }
        }
    }

    fn number(&mut self, start: usize, count: usize) {
        let (text, looks) = (self.text, &self.detector.looks);
        let next = text.get(start + count).copied().unwrap_or(b'\n');
        if count <= 3 && next == b'.' && looks.ipv4 {
            self.ipv4(start);
        }
        if looks.mac && count <= 2 {
            self.dashed_mac(start);
        }
        if looks.mac && count <= 4 {
            self.dotted_mac(start);
        }
        let before = if start > 0 { text[start - 1] } else { b' ' };
        match before {
            b'A'..=b'Z' | b'a'..=b'z' => {
                let window = &text[start.saturating_sub(8)..start];
                let letters = window.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
                let word = start - letters;
                if letters == 2
                    && count >= 2
                    && looks.iban
                    && left(text, word) != Left::Joined
                    && let Some((range, grouped)) = marks::iban(text, word)
                {
                    let evidence = if grouped { Evidence::Formatted } else { Evidence::Plain };
                    self.propose(Kind::IBAN, range, evidence, None);
                }
                self.patterns(word, (letters, count), next);
            }
            b'+' if looks.phone => self.international(start, start - 1, Evidence::Formatted),
            _ => {
                self.patterns(start, (0, count), next);
                if matches!(before, b' ' | b'-') && start > 1 && text[start - 2].is_ascii_uppercase() {
                    let window = &text[start.saturating_sub(5)..start - 1];
                    let letters = window.iter().rev().take_while(|byte| byte.is_ascii_uppercase()).count();
                    self.patterns(start - letters - 1, (letters + 1, count), next);
                }
                if looks.phone
                    && count >= 3
                    && text[start..].starts_with(b"00")
                    && left(text, start) == Left::Free
                {
                    self.international(start + 2, start, Evidence::Plain);
                }
            }
        }
    }

    #[inline]
    fn patterns(&mut self, start: usize, begins: (usize, usize), next: u8) {
        if let Some(slot) = self.detector.patterns.beginning(begins, next) {
            self.matching(start, begins, slot);
        }
    }

    fn matching(&mut self, start: usize, begins: (usize, usize), slot: Slot) {
        let text = self.text;
        self.detector.patterns.each(text, start, begins, slot, |found| {
            let evidence = match (found.speaks, left(text, start)) {
                (_, Left::Joined) => return,
                (Evidence::Plain, Left::Doubtful) => Evidence::Doubtful,
                (speaks, Left::Free | Left::Doubtful) => speaks,
            };
            self.propose(found.kind, found.start..found.end, evidence, None);
        });
    }

    fn international(&mut self, digits: usize, start: usize, evidence: Evidence) {
        let text = self.text;
        let joined = start > 0 && (text[start - 1].is_ascii_alphanumeric() || text[start - 1] == b'_');
        if joined {
            return;
        }
        if let Some((length, region)) = phone::international(&text[digits..]) {
            self.propose(Kind::PHONE, start..digits + length, evidence, Some(region));
        }
    }

    fn ipv4(&mut self, start: usize) {
        let text = self.text;
        let before = if start > 0 { text[start - 1] } else { b' ' };
        let further = if start > 1 { text[start - 2] } else { b' ' };
        let joined = before.is_ascii_alphanumeric()
            || matches!(before, b'.' | b'_')
            || (matches!(before, b'-') && further.is_ascii_digit());
        if joined {
            return;
        }
        let Some((address, end)) = marks::ipv4(text, start) else { return };
        // `Chrome/120.0.0.0` and `-1.2.3.4` are versions; nobody is behind the addresses of one's own machine.
        let version = before == b'/' && further != b'/' || (before == b'-' && further.is_ascii_alphabetic());
        let nobody = address.is_loopback() || address.is_unspecified() || address.is_broadcast();
        let evidence = if version || nobody { Evidence::Doubtful } else { Evidence::Plain };
        self.propose(Kind::IPV4, start..end, evidence, None);
    }

    fn dashed_mac(&mut self, digit: usize) {
        let text = self.text;
        // The first digit of the address finds it; letters and hyphens may stand before.
        let window = &text[digit.saturating_sub(17)..digit];
        let back = window.iter().rev().take_while(|b| matches!(b, b'a'..=b'f' | b'A'..=b'F' | b'-')).count();
        let start = digit - back;
        if text.get(start + 2) != Some(&b'-') || text.get(start + 5) != Some(&b'-') {
            return;
        }
        if start > 0
            && (text[start - 1].is_ascii_alphanumeric() || matches!(text[start - 1], b'_' | b':' | b'.'))
        {
            return;
        }
        if let Some(range) = marks::mac(text, start) {
            self.propose(Kind::MAC, range, Evidence::Plain, None);
        }
    }

    fn dotted_mac(&mut self, digit: usize) {
        let text = self.text;
        let window = &text[digit.saturating_sub(13)..digit];
        let back = window.iter().rev().take_while(|b| b.is_ascii_hexdigit() || **b == b'.').count();
        let start = digit - back;
        let before = if start > 0 { text[start - 1] } else { b' ' };
        if !before.is_ascii_alphanumeric()
            && !matches!(before, b'.' | b'_' | b':' | b'-')
            && let Some(range) = marks::dotted_mac(text, start)
        {
            self.propose(Kind::MAC, range, Evidence::Plain, None);
        }
    }

    #[inline]
    fn colon(&mut self, colon: usize) {
        let (text, looks) = (self.text, &self.detector.looks);
        let next = text.get(colon + 1).copied().unwrap_or(b' ');
        if looks.url && next == b'/' && text.get(colon + 2) == Some(&b'/') {
            if let Some(range) = marks::url_credentials(text, colon) {
                self.propose(Kind::URL_CREDENTIALS, range, Evidence::Plain, None);
            }
            return;
        }
        let hex = next.is_ascii_hexdigit();
        if looks.mac && hex && colon >= 2 && text.get(colon + 3) == Some(&b':') {
            let start = colon - 2;
            let before = if start > 0 { text[start - 1] } else { b' ' };
            if !before.is_ascii_alphanumeric()
                && !matches!(before, b':' | b'_' | b'-' | b'.')
                && let Some(range) = marks::mac(text, start)
            {
                self.propose(Kind::MAC, range, Evidence::Plain, None);
                return;
            }
        }
        if looks.ipv6
            && (hex || next == b':')
            && marks::groups_go_on(text, colon)
            && let Some((address, range)) = marks::ipv6(text, colon)
        {
            let written = &text[range.clone()];
            let groups = written.split(|byte| *byte == b':').filter(|group| !group.is_empty()).count();
            let name = groups < 3 && !written.iter().any(u8::is_ascii_digit);
            let nobody = address.is_loopback() || address.is_unspecified() || groups < 2;
            let evidence = if name || nobody { Evidence::Doubtful } else { Evidence::Plain };
            self.propose(Kind::IPV6, range, evidence, None);
        }
        if !hex || matches!(text[colon - usize::from(colon > 0)], b'"' | b'\'' | b'a'..=b'z' | b'A'..=b'Z') {
            self.assigned(colon);
        }
    }

    #[inline]
    fn assigned(&mut self, mark: usize) {
        if self.detector.looks.assigned
            && let Some((kind, range)) = assigned::assigned(self.text, mark)
        {
            self.propose(kind, range, Evidence::Context, None);
        }
    }

    fn literals(&mut self, literals: &aho_corasick::packed::Searcher, owned: Range<usize>) {
        let text = self.text;
        let mut at = owned.start;
        while let Some(found) = literals.find_in(text, aho_corasick::Span { start: at, end: text.len() }) {
            if found.start() >= owned.end {
                return;
            }
            at = found.start() + 1;
            let Some(prefix) = PREFIXES.get(found.pattern().as_usize()) else { continue };
            if matches!(prefix.find, Find::Birth) {
                if self.detector.looks.birth
                    && let Some(range) = date_of_birth(text, found.end())
                {
                    self.propose(Kind::DATE_OF_BIRTH, range, Evidence::Plain, None);
                }
            } else if let Some((kind, range)) = secrets::secret(text, prefix.find, found.start(), found.end())
            {
                self.propose(kind, range, Evidence::Plain, None);
            }
        }
    }

    fn custom(&mut self, custom: &super::custom::Recogniser, range: Range<usize>) {
        let near = has_any(self.text, (range.start, range.end), self.title, custom.words());
        let (evidence, score) = custom.score(near);
        if score >= self.detector.min_score {
            self.out.push(Finding::new(custom.kind(), range, score, evidence, None, None));
        }
    }

    /// Judges a candidate by its surroundings and keeps it if its score suffices.
    fn propose(&mut self, kind: Kind, range: Range<usize>, plain: Evidence, region: Option<[u8; 2]>) {
        let Some(info) = kind.info().filter(|_| self.detector.kinds.has(kind)) else { return };
        let heard = match &self.judged {
            Some((of, place, heard)) if *of == kind && *place == range => *heard,
            _ => {
                let words = &self.detector.words;
                let heard = words.judge(self.text, (range.start, range.end), kind, self.title);
                self.judged = Some((kind, range.clone(), heard));
                heard
            }
        };
        let (mut evidence, word) = heard.unwrap_or((plain, None));
        if plain == Evidence::Doubtful && evidence != Evidence::Context {
            evidence = Evidence::Doubtful;
        }
        let score = info.scores[evidence as usize];
        if score >= self.detector.min_score {
            self.out.push(Finding::new(kind, range, score, evidence, word, region));
        }
    }
}

/// How many digits a text begins with. Few numbers have more than eight, which one word tells without a loop.
#[inline]
pub(super) fn digits(text: &[u8]) -> usize {
    let Some(bytes) = text.first_chunk::<8>() else { return digits_one_by_one(text) };
    let word = u64::from_le_bytes(*bytes);
    // Of a digit, and of it with 6 added, the upper half is 3; so it is of nothing else. What a byte carries over reaches
    // only those behind it, and no digit does.
    let upper = |word: u64| word & (0xF0 * ONES);
    let others = (upper(word) | (upper(word.wrapping_add(6 * ONES)) >> 4)) ^ (0x33 * ONES);
    if others != 0 {
        return others.trailing_zeros() as usize / 8;
    }
    8 + digits_one_by_one(&text[8..])
}

fn digits_one_by_one(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;

/// What stands before the word or number at `start`.
fn left(text: &[u8], start: usize) -> Left {
    let before = if start > 0 { text[start - 1] } else { return Left::Free };
    let further = if start > 1 { text[start - 2] } else { b' ' };
    match before {
        b'_' | b'%' | b'+' => Left::Joined,
        byte if byte.is_ascii_alphanumeric() => Left::Joined,
        b'-' if further.is_ascii_alphanumeric() => Left::Joined,
        b'.' | b':' if further.is_ascii_digit() => Left::Joined,
        b'/' if further.is_ascii_digit() => Left::Joined,
        b'/' | b'$' | b'#' | b'-' => Left::Doubtful,
        _ => Left::Free,
    }
}

/// The first byte from `0` to `LAST` at or behind `from`: a digit, `:`, and up to `=` also `;<=`. Eight bytes at a time: in
/// bytes below 0x80, taking from them or them from something shows on which side of a bound each of them is.
#[inline]
fn next_stop<const LAST: u8>(text: &[u8], from: usize) -> usize {
    let last = HIGH | (u64::from(LAST) * ONES);
    let mut place = from;
    while let Some(bytes) = text.get(place..place + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) {
        let word = u64::from_le_bytes(bytes);
        let not_below = (word | HIGH).wrapping_sub(u64::from(b'0') * ONES);
        let not_above = last.wrapping_sub(word & !HIGH);
        let stops = not_below & not_above & !word & HIGH;
        if stops != 0 {
            return place + stops.trailing_zeros() as usize / 8;
        }
        place += 8;
    }
    while place < text.len() && !(b'0'..=LAST).contains(&text[place]) {
        place += 1;
    }
    place
}

/// Whether a custom match stands alone: no word goes on before or behind it.
pub(super) fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    left(text, range.start) != Left::Joined && !goes_on(text, range.end)
}
