//! Columns: which share of their cells holds which kind, and what a column is therefore.

use std::collections::BTreeMap;

use super::detector::{Detector, DetectorOptions, Title};
use super::finding::{Finding, resolve};
use super::kind::{Evidence, Kind, KindSet};

/// From this share of cells on, with findings of sufficient score, a column holds a kind.
const HOLDS: f64 = 0.5;

/// From this share of cells on a column holds a kind whose check hardly any other number passes, though no cell alone
/// says so: a column of nine digits that all satisfy a check modulo 11 is one of a billion if it holds forty.
const HOLDS_VALID: f64 = 0.95;

/// Cells that this needs.
const VALID_CELLS: u64 = 20;

/// Of numbers of like length, at least so many, no more than one of so many pass as a kind: they pass by chance. Check
/// digits let one of ten pass, or of eleven; numbers that are not drawn evenly may do somewhat better.
const LIKE_NUMBERS: u64 = 20;
const fn by_chance_one_of(kind: Kind) -> u64 {
    match kind {
        // A place and a date besides, or two check digits of fifteen: hardly any number passes.
        Kind::CN_RIC | Kind::FR_NIR | Kind::CH_AHV => 50,
        // Two check digits, or a date besides: one of a hundred numbers drawn evenly.
        Kind::BE_RRN | Kind::KR_RRN | Kind::NO_FODSELSNUMMER | Kind::TR_TCKN | Kind::EE_ISIKUKOOD => 20,
        // The prefix of an issuer besides.
        Kind::CARD => 10,
        _ => 4,
    }
}

/// Cells that a column needs that holds a kind though nothing but their check digits says so.
const CHECKED_CELLS: u64 = 3;

/// Digits of the numbers that are told by their check digits.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=19;

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
    by_chance: KindSet,
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
    // Cells that are a number, by its digits, and how many of them pass as a kind.
    numbers: BTreeMap<usize, u64>,
    passed: BTreeMap<(Kind, usize), u64>,
    // Cells that are found for their check digits alone, by the kinds that they pass as.
    by_chance: BTreeMap<KindSet, u64>,
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
            by_chance: KindSet::EMPTY,
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
    /// Looks at the next cell, and hands out what was found in it; whether that counts may depend on the whole column
    /// ([`ColumnScan::by_chance`]).
    pub fn observe(&mut self, cell: &[u8]) -> &[Finding] {
        self.counts.cells += 1;
        self.found.clear();
        self.by_chance = KindSet::EMPTY;
        let value = cell.trim_ascii();
        if value.is_empty() {
            return &self.found;
        }
        self.counts.filled += 1;
        let number = value.iter().all(u8::is_ascii_digit) && DIGITS.contains(&value.len());
        if number {
            *self.counts.numbers.entry(value.len()).or_default() += 1;
        }
        self.detector.lenient.candidates(&self.title, cell, &mut self.found);
        if self.found.is_empty() {
            return &self.found;
        }
        let mut whole = KindSet::EMPTY;
        for one in &self.found {
            let fills = one.range().len() >= value.len();
            if fills && !whole.has(one.kind()) {
                whole = whole.with(one.kind());
                self.counts.kinds.entry(one.kind()).or_default().1 += 1;
                if number {
                    *self.counts.passed.entry((one.kind(), value.len())).or_default() += 1;
                }
            }
        }
        let min_score = self.detector.min_score;
        self.found.retain(|one| one.score() >= min_score);
        let checked: KindSet = self.found.iter().filter(|one| one.is_checked()).map(Finding::kind).collect();
        resolve(&mut self.found);
        if number && self.found.iter().all(Finding::is_checked) && checked != KindSet::EMPTY {
            self.by_chance = checked;
            *self.counts.by_chance.entry(checked).or_default() += 1;
            return &self.found;
        }
        let mut seen = KindSet::EMPTY;
        for one in &self.found {
            if !seen.has(one.kind()) {
                seen = seen.with(one.kind());
                self.counts.kinds.entry(one.kind()).or_default().0 += 1;
            }
        }
        &self.found
    }

    /// What was found in the last cell.
    pub fn found(&self) -> &[Finding] {
        &self.found
    }

    /// When the last cell is a number that was found for its check digits alone: the kinds that it passes as. Only the
    /// whole column says whether that counts ([`ColumnScan::kind_of`]); for other cells it is empty.
    pub const fn by_chance(&self) -> KindSet {
        self.by_chance
    }

    /// What a number is that passes as these kinds, now that the column is known; nothing when it passes by chance.
    pub fn kind_of(&self, passes: KindSet) -> Option<Kind> {
        let score = |kind: &Kind| kind.info().map(|info| info.scores.get(Evidence::Plain as usize).copied());
        passes
            .kinds()
            .filter(|kind| !self.passes_by_chance(*kind))
            .max_by_key(|kind| (score(kind), std::cmp::Reverse(*kind)))
    }

    /// How many numbers there are that count though nothing but their check digits says what they are, by kind.
    pub fn checked(&self) -> BTreeMap<Kind, u64> {
        let mut counts = BTreeMap::new();
        for (passes, cells) in &self.counts.by_chance {
            if let Some(kind) = self.kind_of(*passes) {
                *counts.entry(kind).or_default() += cells;
            }
        }
        counts
    }

    /// The kinds that numbers of this column pass as by chance.
    pub fn ruled_out(&self) -> KindSet {
        self.counts.passed.keys().map(|(kind, _)| *kind).filter(|kind| self.passes_by_chance(*kind)).collect()
    }

    fn passes_by_chance(&self, kind: Kind) -> bool {
        let (mut like, mut passed) = (0_u64, 0_u64);
        for ((_, digits), count) in self.counts.passed.iter().filter(|((of, _), _)| *of == kind) {
            like = like.saturating_add(self.counts.numbers.get(digits).copied().unwrap_or(0));
            passed = passed.saturating_add(*count);
        }
        like >= LIKE_NUMBERS && passed.saturating_mul(by_chance_one_of(kind)) <= like
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
        let mine = &mut self.counts;
        other.numbers.iter().for_each(|(digits, count)| *mine.numbers.entry(*digits).or_default() += count);
        other.passed.iter().for_each(|(passed, count)| *mine.passed.entry(*passed).or_default() += count);
        other.by_chance.iter().for_each(|(kinds, count)| *mine.by_chance.entry(*kinds).or_default() += count);
    }

    /// What the column holds.
    pub fn verdict(&self) -> ColumnVerdict {
        let ColumnCounts { cells, filled, kinds, .. } = &self.counts;
        let checked = self.checked();
        let share = |count: u64| if *filled == 0 { 0.0 } else { as_f64(count) / as_f64(*filled) };
        let count = |kind: &Kind, found: u64| found + checked.get(kind).copied().unwrap_or(0);
        let found = kinds.iter().map(|(kind, (found, _))| (*kind, count(kind, *found)));
        let mut shares: Vec<KindShare> = found
            .filter(|(_, cells)| *cells > 0)
            .map(|(kind, cells)| KindShare {
                id: self.detector.id(kind).to_owned(),
                cells,
                share: share(cells),
            })
            .collect();
        shares.sort_by(|one, other| other.cells.cmp(&one.cells).then_with(|| one.id.cmp(&other.id)));
        // One number that happens to pass says nothing of a column.
        let enough = |first: &&KindShare| {
            let of = |(kind, _): &(&Kind, &u64)| self.detector.id(**kind) == first.id;
            let checked = checked.iter().find(of).map_or(0, |(_, cells)| *cells);
            checked < first.cells || checked >= CHECKED_CELLS
        };
        let first = shares.first().filter(|first| first.share >= HOLDS).filter(enough);
        let by_score = first.map(|first| first.id.clone());
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
