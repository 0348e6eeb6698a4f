//! What was found: a kind, a place, a score and the reasons, never the value.

use std::cmp::Reverse;
use std::ops::Range;

use super::kind::{Evidence, Family, Kind};

/// Personal data or a secret in a text.
///
/// Nothing of the text is in it, so that it can be printed, logged and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    kind: Kind,
    start: u64,
    length: u32,
    score: u8,
    evidence: Evidence,
    word: Option<&'static str>,
    region: Option<[u8; 2]>,
}

impl Finding {
    pub(super) fn new(
        kind: Kind,
        range: Range<usize>,
        score: u8,
        evidence: Evidence,
        word: Option<&'static str>,
        region: Option<[u8; 2]>,
    ) -> Self {
        let length = u32::try_from(range.len()).unwrap_or(u32::MAX);
        Self {
            kind,
            start: u64::try_from(range.start).unwrap_or(u64::MAX),
            length,
            score,
            evidence,
            word,
            region,
        }
    }

    /// The same finding in the text as it was, and at its place in the whole stream.
    pub(super) fn moved(self, range: &Range<usize>, base: u64) -> Self {
        let start = base.saturating_add(u64::try_from(range.start).unwrap_or(u64::MAX));
        Self { start, length: u32::try_from(range.len()).unwrap_or(u32::MAX), ..self }
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The first byte, from the beginning of the text or stream.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The byte behind the last one.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length.into())
    }

    /// The same place as another kind, which nothing but check digits speaks for.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        if kind == self.kind {
            return self;
        }
        let score = kind.info().map_or(0, |info| {
            let [_, plain, ..] = info.scores;
            plain
        });
        Self { kind, score, evidence: Evidence::Plain, word: None, region: None, ..self }
    }

    /// Whether nothing but its check digits speaks for it: no word, and no form that other numbers have not.
    pub(super) fn is_checked(&self) -> bool {
        let checked = self.kind.family() == Family::National || self.kind == Kind::CARD;
        checked && matches!(self.evidence, Evidence::Plain | Evidence::Doubtful)
    }

    /// Where it is in a text that is at hand as a whole.
    pub fn range(&self) -> Range<usize> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        start..usize::try_from(self.end()).unwrap_or(usize::MAX)
    }

    /// How much it is worth, in hundredths: of findings with this score at least that share is right on the corpus
    /// that `docs/pii.md` describes.
    pub const fn score(&self) -> u8 {
        self.score
    }

    /// Why it has this score: `valid`, `typical form`, `context` or `doubtful`, and the word that decided.
    pub fn reasons(&self) -> impl Iterator<Item = &'static str> + use<> {
        let evidence = match self.evidence {
            Evidence::Doubtful => "doubtful",
            Evidence::Plain => "valid",
            Evidence::Formatted => "typical form",
            Evidence::Context => "context",
        };
        std::iter::once(evidence).chain(self.word)
    }

    /// The country of a telephone number (ISO 3166-1), the main one where several share a code.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().and_then(|region| std::str::from_utf8(region).ok())
    }
}

/// Findings that overlap are decided between: the higher score wins, then the longer, then the earlier, then the
/// smaller kind. What remains does not overlap and is in order of place.
pub(super) fn resolve(candidates: &mut Vec<Finding>) {
    distinct(candidates);
    let overlap = candidates.windows(2).any(|pair| matches!(pair, [one, next] if next.start < one.end()));
    if !overlap {
        return;
    }
    let mut kept = Vec::with_capacity(candidates.len());
    let mut rest = candidates.as_slice();
    while let Some(first) = rest.first() {
        // One cluster: each begins before the furthest end so far.
        let (mut length, mut end) = (1, first.end());
        while let Some(next) = rest.get(length).filter(|next| next.start < end) {
            end = end.max(next.end());
            length += 1;
        }
        let (cluster, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        keep_best(cluster, &mut kept);
        rest = others;
    }
    *candidates = kept;
}

/// In order of place, and each once: what may begin with any of several numbers is found by each of them. What is known by
/// its name counts with the score that this gives it.
pub(super) fn distinct(candidates: &mut Vec<Finding>) {
    candidates.sort_by_key(|one| (one.start, one.end(), one.kind, Reverse(one.score)));
    candidates.dedup_by_key(|one| (one.start, one.length, one.kind));
}

fn keep_best(cluster: &[Finding], kept: &mut Vec<Finding>) {
    let mut order: Vec<&Finding> = cluster.iter().collect();
    order.sort_by_key(|one| (Reverse((one.score, one.length)), one.start, one.kind));
    // Sorted by place; neighbours are all that a new one can overlap.
    let mut chosen: Vec<Finding> = Vec::new();
    for one in order {
        let at = chosen.partition_point(|other| other.start < one.start);
        let free =
            at.checked_sub(1).and_then(|at| chosen.get(at)).is_none_or(|before| before.end() <= one.start)
                && chosen.get(at).is_none_or(|behind| one.end() <= behind.start);
        if free {
            chosen.insert(at, *one);
        }
    }
    kept.append(&mut chosen);
}
