//! Columns: which share of their cells holds which kind, and what a column is therefore.

use std::collections::BTreeMap;

use super::detector::{Detector, DetectorOptions, Title};
use super::finding::{Finding, resolve};
use super::kind::{Kind, KindSet};

/// From this share of cells on, with findings of sufficient score, a column holds a kind.
const HOLDS: f64 = 0.5;

/// From this share of cells on a column holds a kind whose check hardly any other number passes, though no cell alone
/// says so: a column of nine digits that all satisfy a check modulo 11 is one of a billion if it holds forty.
const HOLDS_VALID: f64 = 0.95;

/// Cells that this needs.
const VALID_CELLS: u64 = 20;

/// Kinds of which any number of that length has a fair chance to be valid.
const WEAK: [Kind; 3] = [Kind::PHONE, Kind::US_SSN, Kind::DATE_OF_BIRTH];

/// Counts findings in the cells of one column, of which it keeps none.
#[derive(Debug)]
pub struct ColumnScan<'d> {
    detector: &'d ColumnDetector,
    title: Title,
    name: String,
    counts: ColumnCounts,
    found: Vec<Finding>,
}

/// What cells are scanned with: everything that is valid counts, whatever its score.
#[derive(Debug)]
pub struct ColumnDetector {
    lenient: Detector,
    min_score: u8,
}

/// What was counted in a column; counts of parts of it add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnCounts {
    cells: u64,
    filled: u64,
    // By kind: cells with a finding; cells that a valid candidate fills.
    kinds: BTreeMap<Kind, (u64, u64)>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnVerdict {
    /// The column's name.
    pub name: String,
    /// Its cells, empty ones too.
    pub cells: u64,
    /// Cells that are not empty.
    pub filled: u64,
    /// Kinds that were found, the most frequent first.
    pub kinds: Vec<KindShare>,
    /// The id of the kind that the column as a whole holds.
    pub holds: Option<String>,
}

/// How often a kind was found.
#[derive(Debug, Clone, PartialEq)]
pub struct KindShare {
    /// The kind's id.
    pub id: String,
    /// Cells with at least one finding of it.
    pub cells: u64,
    /// The share of cells that are not empty.
    pub share: f64,
}

impl ColumnDetector {
    /// Sets one up as [`Detector::new`] does.
    pub fn new(options: &DetectorOptions) -> Self {
        let lenient = DetectorOptions { min_score: 1, ..options.clone() };
        Self { lenient: Detector::new(&lenient), min_score: options.min_score }
    }

    /// Begins a column of that name, which speaks for kinds as words in a text do.
    pub fn column(&self, name: &str) -> ColumnScan<'_> {
        let title = Title::new(name);
        ColumnScan {
            detector: self,
            title,
            name: name.to_owned(),
            counts: ColumnCounts::default(),
            found: Vec::new(),
        }
    }

    /// The stable id of a kind.
    pub fn id(&self, kind: Kind) -> &str {
        self.lenient.id(kind)
    }

    /// The least score that counts, in hundredths.
    pub(super) const fn min_score(&self) -> u8 {
        self.min_score
    }
}

impl ColumnScan<'_> {
    /// Looks at the next cell, and hands out what was found in it.
    pub fn observe(&mut self, cell: &[u8]) -> &[Finding] {
        self.counts.cells += 1;
        self.found.clear();
        let filled = cell.trim_ascii().len();
        if filled == 0 {
            return &self.found;
        }
        self.counts.filled += 1;
        self.detector.lenient.candidates(&self.title, cell, &mut self.found);
        if self.found.is_empty() {
            return &self.found;
        }
        let mut whole = KindSet::EMPTY;
        for one in &self.found {
            let fills = one.range().len() >= filled;
            if fills && !whole.has(one.kind()) {
                whole = whole.with(one.kind());
                self.counts.kinds.entry(one.kind()).or_default().1 += 1;
            }
        }
        let min_score = self.detector.min_score;
        self.found.retain(|one| one.score() >= min_score);
        resolve(&mut self.found);
        let mut seen = KindSet::EMPTY;
        for one in &self.found {
            if !seen.has(one.kind()) {
                seen = seen.with(one.kind());
                self.counts.kinds.entry(one.kind()).or_default().0 += 1;
            }
        }
        &self.found
    }

    /// Whether anything could be found in a column of dates: it is named after births, or recognisers are looked for.
    pub(crate) fn looks_at_dates(&self) -> bool {
        let detector = &self.detector.lenient;
        (detector.looks.birth && self.title.names_birth()) || !detector.custom.is_empty()
    }

    /// What was counted so far.
    pub const fn counts(&self) -> &ColumnCounts {
        &self.counts
    }

    /// Adds what was counted in another part of the same column.
    pub fn add(&mut self, other: &ColumnCounts) {
        self.counts.cells += other.cells;
        self.counts.filled += other.filled;
        for (kind, (found, valid)) in &other.kinds {
            let counts = self.counts.kinds.entry(*kind).or_default();
            *counts = (counts.0 + found, counts.1 + valid);
        }
    }

    /// What the column holds.
    pub fn verdict(&self) -> ColumnVerdict {
        let ColumnCounts { cells, filled, kinds } = &self.counts;
        let share = |count: u64| if *filled == 0 { 0.0 } else { as_f64(count) / as_f64(*filled) };
        let found = kinds.iter().filter(|(_, counts)| counts.0 > 0);
        let mut shares: Vec<KindShare> = found
            .map(|(kind, (cells, _))| KindShare {
                id: self.detector.id(*kind).to_owned(),
                cells: *cells,
                share: share(*cells),
            })
            .collect();
        shares.sort_by(|one, other| other.cells.cmp(&one.cells).then_with(|| one.id.cmp(&other.id)));
        let by_score = shares.first().filter(|first| first.share >= HOLDS).map(|first| first.id.clone());
        let by_check = || {
            let strong = kinds.iter().filter(|(kind, _)| !WEAK.contains(kind) && *filled >= VALID_CELLS);
            let all = strong.filter(|(_, counts)| share(counts.1) >= HOLDS_VALID);
            all.max_by_key(|(kind, counts)| (counts.1, std::cmp::Reverse(**kind)))
                .map(|(kind, _)| self.detector.id(*kind).to_owned())
        };
        let holds = by_score.or_else(by_check);
        ColumnVerdict { name: self.name.clone(), cells: *cells, filled: *filled, kinds: shares, holds }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares are shown with six digits")]
const fn as_f64(count: u64) -> f64 {
    count as f64
}
