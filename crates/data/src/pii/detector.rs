//! A detector: which kinds are looked for, from which score on, and the window that moves over a text.

use std::fmt;
use std::ops::Range;

use aho_corasick::packed::Searcher;

use super::assigned::{Named, named};
use super::birth::names_birth;
use super::context::Words;
use super::custom::{Recogniser, Recognisers};
use super::finding::{Finding, resolve};
use super::fold::Folded;
use super::gate::Gate;
use super::kind::{Family, Kind, KindSet};
use super::pattern::Patterns;
use super::scan::scan;
use super::secrets::{PEM_BYTES, PREFIXES};

/// Bytes that one step of a scan owns; the same however a text arrives.
pub(super) const WINDOW: usize = 128 * 1024;

/// Bytes before and behind a window that decide about what begins in it: the longest match and its surroundings, also
/// where invisible characters stand between all of its bytes.
pub(super) const BEFORE: usize = 1024;
pub(super) const BEHIND: usize = PEM_BYTES + 1024;

/// How a detector is set up.
#[derive(Debug, Clone)]
pub struct DetectorOptions {
    /// The built-in kinds that are looked for. Kinds of recognisers are looked for always.
    pub kinds: KindSet,
    /// Candidates below this score, in hundredths, are not reported.
    pub min_score: u8,
    /// Kinds that a file adds.
    pub recognisers: Option<Recognisers>,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self { kinds: KindSet::ALL, min_score: 50, recognisers: None }
    }
}

/// Finds personal data and secrets. It is made once and may be used from any thread.
pub struct Detector {
    pub(super) kinds: KindSet,
    pub(super) min_score: u8,
    pub(super) patterns: Patterns,
    pub(super) gate: Gate,
    pub(super) literals: Option<Searcher>,
    pub(super) words: Words,
    pub(super) looks: Looks,
    pub(super) custom: Vec<Recogniser>,
}

/// What the scan has to stop for.
pub(super) struct Looks {
    pub(super) email: bool,
    pub(super) phone: bool,
    pub(super) iban: bool,
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
    pub(super) mac: bool,
    pub(super) url: bool,
    pub(super) assigned: bool,
    pub(super) birth: bool,
}

impl Detector {
    /// Sets one up.
    pub fn new(options: &DetectorOptions) -> Self {
        let kinds = options.kinds;
        let secret: KindSet =
            Kind::ALL.iter().copied().filter(|kind| kind.family() == Family::Secret).collect();
        let literal = kinds.meets(secret) || kinds.has(Kind::DATE_OF_BIRTH);
        let looks = Looks {
            email: kinds.has(Kind::EMAIL),
            phone: kinds.has(Kind::PHONE),
            iban: kinds.has(Kind::IBAN),
            ipv4: kinds.has(Kind::IPV4),
            ipv6: kinds.has(Kind::IPV6),
            mac: kinds.has(Kind::MAC),
            url: kinds.has(Kind::URL_CREDENTIALS),
            assigned: kinds.has(Kind::ASSIGNED_SECRET) || kinds.has(Kind::AWS_SECRET_KEY),
            birth: kinds.has(Kind::DATE_OF_BIRTH),
        };
        let patterns = Patterns::new(kinds);
        let literals = || {
            let mut builder = aho_corasick::packed::Config::new().builder();
            builder.extend(PREFIXES.iter().map(|prefix| prefix.literal)).build()
        };
        Self {
            kinds,
            min_score: options.min_score,
            gate: Gate::new(&looks, &patterns),
            patterns,
            literals: if literal { literals() } else { None },
            words: Words::new(kinds),
            looks,
            custom: options.recognisers.as_ref().map_or_else(Vec::new, |file| file.recognisers().to_vec()),
        }
    }

    /// The stable id of a kind, also of one that recognisers added.
    pub fn id(&self, kind: Kind) -> &str {
        let custom = kind.custom_number().and_then(|number| self.custom.get(number));
        custom.map_or_else(|| kind.id(), Recogniser::id)
    }

    /// The kind of that id, also one that recognisers added.
    pub fn kind(&self, id: &str) -> Option<Kind> {
        Kind::built_in(id)
            .or_else(|| self.custom.iter().find(|custom| custom.id() == id).map(Recogniser::kind))
    }

    /// Everything in `text`, in order and without overlaps.
    pub fn find(&self, text: &[u8]) -> Vec<Finding> {
        self.find_under(&Title::default(), text)
    }

    /// Everything in `text`, which stands under `title`: the header of a column, the name of a field.
    pub fn find_under(&self, title: &Title, text: &[u8]) -> Vec<Finding> {
        let mut found = Vec::new();
        self.find_into(title, text, &mut found);
        found
    }

    /// As [`Detector::find_under`], into a list that is emptied first.
    pub fn find_into(&self, title: &Title, text: &[u8], found: &mut Vec<Finding>) {
        self.candidates(title, text, found);
        resolve(found);
    }

    /// As [`Detector::find_under`] for a cell of a column whose numbers pass as these kinds by chance
    /// ([`super::ColumnScan::ruled_out`]).
    pub fn find_besides(&self, title: &Title, cell: &[u8], ruled_out: KindSet) -> Vec<Finding> {
        let mut found = Vec::new();
        self.candidates(title, cell, &mut found);
        if cell.trim_ascii().iter().all(u8::is_ascii_digit) {
            found.retain(|one| !(ruled_out.has(one.kind()) && one.is_checked()));
        }
        resolve(&mut found);
        found
    }

    /// Everything that could be something, also where one excludes the other; the list is emptied first.
    pub(super) fn candidates(&self, title: &Title, text: &[u8], found: &mut Vec<Finding>) {
        found.clear();
        self.candidates_behind(title, text, 0, found);
    }

    /// As [`Detector::candidates`], of what begins at or behind `start`; the list is not emptied.
    pub(super) fn candidates_behind(
        &self,
        title: &Title,
        text: &[u8],
        mut start: usize,
        found: &mut Vec<Finding>,
    ) {
        loop {
            let end = text.len().min(start + WINDOW);
            let from = start.saturating_sub(BEFORE);
            let to = text.len().min(end + BEHIND);
            let window = text.get(from..to).unwrap_or_default();
            self.window(
                title,
                window,
                start - from..end - from,
                u64::try_from(from).unwrap_or(u64::MAX),
                found,
            );
            start = end;
            if start >= text.len() {
                break;
            }
        }
    }

    /// Candidates that the bytes `owned` of a window give away; the window begins at `base`. Not resolved.
    pub(super) fn window(
        &self,
        title: &Title,
        window: &[u8],
        owned: Range<usize>,
        base: u64,
        out: &mut Vec<Finding>,
    ) {
        let folded = Folded::new(window);
        let owned = folded.folded(owned.start)..folded.folded(owned.end);
        let first = out.len();
        scan(self, folded.text(), owned, title, out);
        for finding in out.iter_mut().skip(first) {
            let range = finding.range();
            *finding = finding.moved(&folded.original(&range), base);
        }
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("kinds", &self.kinds)
            .field("min_score", &self.min_score)
            .field("custom", &self.custom)
            .finish_non_exhaustive()
    }
}

/// The name of a column or field, which speaks for kinds as words in the text do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    words: String,
    /// Whether it names dates of birth.
    birth: bool,
    /// Whether it names secrets.
    secret: Option<Named>,
}

impl Title {
    /// Takes a name; `cardNumber` and `CARD_NUMBER` both say `card` and `number`.
    pub fn new(name: &str) -> Self {
        let mut words = String::with_capacity(name.len() + 8);
        let mut lower = false;
        for character in name.chars().take(256) {
            if character.is_uppercase() && lower {
                words.push(' ');
            }
            lower = character.is_lowercase();
            let mark = !character.is_alphanumeric() && character != '-' && character != '_';
            if mark { words.push(' ') } else { words.extend(character.to_lowercase()) }
        }
        let secret = named(name.trim().trim_end_matches("[]").as_bytes());
        Self { birth: names_birth(&words), secret, words }
    }

    /// In lower case, with spaces where words end.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// What a value under it is, if it names secrets.
    pub(super) const fn secret(&self) -> Option<Named> {
        self.secret
    }

    /// Whether every date that stands under it is one of birth.
    pub(super) const fn names_birth(&self) -> bool {
        self.birth
    }
}
