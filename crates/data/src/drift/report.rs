//! What a comparison says: a verdict for each column, and why there is none where there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::discovery::Dependence;
use super::statistic::{Statistic, Undefined};
use super::summary::Bounded;
use super::table_test::TableFinding;
use crate::check::Outcome;

/// What two sets of rows are compared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Later data with earlier data of the same kind.
    Drift,
    /// What a model is served with what it was trained on, at the same time.
    Skew,
}

impl Purpose {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Skew => "skew",
        }
    }
}

/// Which property of a column a line of the report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// The distribution of the values that are there.
    Values,
    /// The share of rows without a value.
    Missing,
}

impl Measure {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Missing => "missing",
        }
    }
}

/// What a statistic was computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// From every value.
    Exact,
    /// From counts between frozen edges.
    Histogram,
    /// From quantile sketches; the sum of both rank errors.
    Sketch {
        /// A share of all values.
        rank_error: f64,
    },
}

impl Mode {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Histogram => "histogram",
            Self::Sketch { .. } => "sketch",
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotJudged {
    /// The reference has no such column.
    AbsentFromReference,
    /// The current data have no such column.
    AbsentFromCurrent,
    /// Numbers on one side, categories on the other, or forms that cannot be compared.
    KindsDiffer,
    /// It holds the elements of lists, and only some of the rows are compared.
    ElementsOfLists,
    /// The statistic has no value on these samples.
    Undefined(Undefined),
    /// Even the most extreme samples of these sizes would not have been significant.
    TooFew,
    /// What is known of the values allows both verdicts.
    BoundsTooWide,
    /// There is not one cluster for each row, or clusters came with counts instead of rows.
    ClustersUnmatched,
    /// Current rows lie in a stratum in which the reference has no value.
    StratumUnmatched,
    /// More than one row in fifty of a side is left out because its hour is not known.
    HoursUnknown,
    /// More categories or bins than drift is measured on.
    TooMany,
    /// A summary contradicts itself, such as one with a rank error of 2.
    Unsound,
}

impl NotJudged {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::AbsentFromReference,
        Self::AbsentFromCurrent,
        Self::KindsDiffer,
        Self::ElementsOfLists,
        Self::Undefined(Undefined::NoReference),
        Self::Undefined(Undefined::NoCurrent),
        Self::Undefined(Undefined::Infinite),
        Self::Undefined(Undefined::Bins),
        Self::Undefined(Undefined::Unordered),
        Self::TooFew,
        Self::BoundsTooWide,
        Self::ClustersUnmatched,
        Self::StratumUnmatched,
        Self::HoursUnknown,
        Self::TooMany,
        Self::Unsound,
    ];

    /// The stable id of the reason.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AbsentFromReference => "absent-from-reference",
            Self::AbsentFromCurrent => "absent-from-current",
            Self::KindsDiffer => "kinds-differ",
            Self::ElementsOfLists => "elements-of-lists",
            Self::Undefined(Undefined::NoReference) => "no-reference-values",
            Self::Undefined(Undefined::NoCurrent) => "no-current-values",
            Self::Undefined(Undefined::Infinite) => "infinite-values",
            Self::Undefined(Undefined::Bins) => "bins-differ",
            Self::Undefined(Undefined::Unordered) => "unordered-values",
            Self::TooFew => "too-few",
            Self::BoundsTooWide => "bounds-too-wide",
            Self::ClustersUnmatched => "clusters-unmatched",
            Self::StratumUnmatched => "stratum-unmatched",
            Self::HoursUnknown => "hours-unknown",
            Self::TooMany => "too-many",
            Self::Unsound => "unsound-summary",
        }
    }

    /// The reason for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::AbsentFromReference => "the reference has no such column",
            Self::AbsentFromCurrent => "the current data have no such column",
            Self::KindsDiffer => "the two sides hold different kinds of values",
            Self::ElementsOfLists => "elements of lists cannot be picked by row",
            Self::Undefined(Undefined::NoReference) => "the reference holds no value",
            Self::Undefined(Undefined::NoCurrent) => "the current data hold no value",
            Self::Undefined(Undefined::Infinite) => "a value is infinite, so that distances have no meaning",
            Self::Undefined(Undefined::Bins) => "the two sides are counted in different bins",
            Self::Undefined(Undefined::Unordered) => "the statistic needs ordered values",
            Self::TooFew => "too few rows or clusters: even the largest difference could be chance",
            Self::BoundsTooWide => "the summaries are too coarse to tell",
            Self::ClustersUnmatched => "clusters and rows do not match",
            Self::StratumUnmatched => "the reference holds no value in a stratum that the current data have",
            Self::HoursUnknown => "too many rows have no time by which they could be compared",
            Self::TooMany => "too many categories or bins",
            Self::Unsound => "a summary contradicts itself",
        }
    }
}

/// The verdict on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The difference is significant, and large enough to matter.
    Drift,
    /// It is not significant, or too small to matter.
    NoDrift,
    /// There is none. Never to be read as "no drift".
    NotJudged(NotJudged),
}

impl Verdict {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::NoDrift => "no-drift",
            Self::NotJudged(_) => "not-judged",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drift => f.write_str("drift"),
            Self::NoDrift => f.write_str("no drift"),
            Self::NotJudged(reason) => write!(f, "not judged: {}", reason.message()),
        }
    }
}

/// How much there is on one side of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SideSize {
    /// Rows with a value.
    pub values: u64,
    /// Rows without.
    pub missing: u64,
    /// Clusters with a value, when rows are clustered.
    pub clusters: Option<u64>,
}

/// What was measured of one property of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// The property.
    pub measure: Measure,
    /// How it was compared.
    pub statistic: Statistic,
    /// What from.
    pub mode: Mode,
    /// The reference.
    pub reference: SideSize,
    /// The current data.
    pub current: SideSize,
    /// The statistic, where it is defined.
    pub value: Option<Bounded>,
    /// How large the difference is, whatever the sizes: the statistic itself; for chi-squared Cohen's w, as if both
    /// sides were of one size; for Wasserstein in interquartile ranges of the reference.
    pub effect: Option<Bounded>,
    /// The least effect that is called drift.
    pub floor: f64,
    /// The value that is exceeded with a chance of the level when nothing drifts, where enough was drawn to say.
    pub threshold: Option<f64>,
    /// The chance of such a value when nothing drifts, from the lower bound; then from the upper bound.
    pub p: Option<(f64, f64)>,
    /// The least p that samples of these sizes can give.
    pub least_p: f64,
    /// Whether p was read off a fitted tail because no permutation came near.
    pub from_tail: bool,
    /// Permutations drawn.
    pub draws: u32,
    /// `p` from the lower bound, adjusted for the number of columns.
    pub adjusted_p: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
}

impl ColumnDrift {
    /// The line of a column that is not judged.
    pub fn not_judged(column: &str, reason: NotJudged) -> Self {
        let statistic = Statistic::KolmogorovSmirnov;
        Self {
            column: column.to_owned(),
            measure: Measure::Values,
            statistic,
            mode: Mode::Exact,
            reference: SideSize::default(),
            current: SideSize::default(),
            value: None,
            effect: None,
            floor: statistic.floor(),
            threshold: None,
            p: None,
            least_p: 1.0,
            from_tail: false,
            draws: 0,
            adjusted_p: None,
            verdict: Verdict::NotJudged(reason),
        }
    }

    /// Whether it is about values of which a side has none at all.
    pub fn is_empty(&self) -> bool {
        let size = match self.verdict {
            Verdict::NotJudged(NotJudged::Undefined(Undefined::NoReference)) => self.reference,
            Verdict::NotJudged(NotJudged::Undefined(Undefined::NoCurrent)) => self.current,
            _ => return false,
        };
        size.values == 0 && self.measure == Measure::Values
    }

    /// Whether it says that the shares of rows without a value differ by less than its floor.
    fn tells(&self) -> bool {
        self.measure == Measure::Missing
            && self.verdict == Verdict::NoDrift
            && self.effect.is_some_and(|effect| effect.high < self.floor)
    }
}

/// What the comparison of two tables says.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReport {
    /// What for.
    pub purpose: Purpose,
    /// The share of false ones tolerated among the columns called drift.
    pub level: f64,
    /// What was assumed of the columns.
    pub dependence: Dependence,
    /// The seed of the permutations.
    pub seed: u64,
    /// One for each property of each column, in the order given.
    pub columns: Vec<ColumnDrift>,
    /// What was asked beside the columns.
    pub beside: Vec<TableFinding>,
    /// Entries of both that a stored report had no room for; none of them changes the [outcome](Self::outcome).
    pub left_out: u64,
}

impl DriftReport {
    /// Columns that drift.
    pub fn drifted(&self) -> impl Iterator<Item = &ColumnDrift> {
        self.columns.iter().filter(|column| column.verdict == Verdict::Drift)
    }

    /// Columns without a verdict.
    pub fn not_judged(&self) -> impl Iterator<Item = &ColumnDrift> {
        self.columns.iter().filter(|column| matches!(column.verdict, Verdict::NotJudged(_)))
    }

    /// The verdict on all columns: drift if one drifts; otherwise none as long as one is not judged, or there is no
    /// column.
    pub fn verdict(&self) -> Option<Verdict> {
        let first = self.drifted().chain(self.not_judged()).next();
        first.or_else(|| self.columns.first()).map(|column| column.verdict)
    }

    /// What follows for whoever waits: `invalid` when something drifts, or differs in what was asked beside the columns;
    /// `error` when something was not judged, or there was nothing to judge, which must not pass; `valid` otherwise.
    ///
    /// A column in which one side has no value at all is no error where hardly any row of the other side has one
    /// either, see [`Self::told`].
    pub fn outcome(&self) -> Outcome {
        let beside = |outcome| self.beside.iter().any(|one| one.outcome == outcome);
        if self.drifted().next().is_some() || beside(Outcome::Invalid) {
            return Outcome::Invalid;
        }
        let told = self.told();
        let open = |line: &ColumnDrift| !(line.is_empty() && told.contains(line.column.as_str()));
        if self.columns.is_empty() || self.not_judged().any(open) || beside(Outcome::Error) {
            return Outcome::Error;
        }
        Outcome::Valid
    }

    /// The columns of which the comparison of rows without a value says that their shares differ by less than its floor. A
    /// line that is not judged because such a column has no value at all on a side, see [`ColumnDrift::is_empty`], leaves
    /// nothing open: the values that the other side has are in too few rows.
    pub fn told(&self) -> BTreeSet<&str> {
        self.columns.iter().filter(|line| line.tells()).map(|line| line.column.as_str()).collect()
    }

    /// The lines of a report of `most` at most, in their order. What would change the outcome is left out last: a line
    /// that is empty stays only with the one that tells why that is no error.
    pub(super) fn bounded(&self, most: usize) -> Vec<&ColumnDrift> {
        if self.columns.len() <= most {
            return self.columns.iter().collect();
        }
        let told = self.told();
        let empty = |line: &ColumnDrift| line.is_empty() && told.contains(line.column.as_str());
        let pairs: BTreeSet<&str> =
            self.columns.iter().filter(|line| empty(line)).map(|line| line.column.as_str()).collect();
        let (mut units, mut firsts) = (BTreeMap::<(u8, usize), Vec<usize>>::new(), BTreeMap::new());
        for (place, line) in self.columns.iter().enumerate() {
            let name = line.column.as_str();
            let unit = match line.verdict {
                Verdict::Drift => (0, place),
                Verdict::NotJudged(_) if !empty(line) => (1, place),
                _ if empty(line) || line.tells() && pairs.contains(name) => {
                    (2, *firsts.entry(name).or_insert(place))
                }
                _ => (3, place),
            };
            units.entry(unit).or_default().push(place);
        }
        let mut kept = Vec::new();
        for unit in units.into_values() {
            if kept.len() + unit.len() <= most {
                kept.extend(unit);
            }
        }
        kept.sort_unstable();
        kept.into_iter().filter_map(|place| self.columns.get(place)).collect()
    }

    /// What was asked beside the columns, `most` at most, in its order. What would change the outcome is left out last.
    pub(super) fn bounded_beside(&self, most: usize) -> Vec<&TableFinding> {
        let rank = |beside: &TableFinding| match beside.outcome {
            Outcome::Invalid => 0,
            Outcome::Error => 1,
            Outcome::Valid => 2,
        };
        let mut places: Vec<(u8, usize)> = self.beside.iter().map(rank).zip(0..).collect();
        places.sort_unstable();
        places.truncate(most);
        places.sort_unstable_by_key(|(_, place)| *place);
        places.into_iter().filter_map(|(_, place)| self.beside.get(place)).collect()
    }

    /// The report for people.
    pub fn render(&self) -> String {
        let (drifted, open) = (self.drifted().count(), self.not_judged().count());
        let mut text = format!(
            "{}: {drifted} of {} comparisons, {open} not judged\n",
            self.purpose.id(),
            self.columns.len()
        );
        for column in &self.columns {
            let name = match column.measure {
                Measure::Values => column.column.clone(),
                Measure::Missing => format!("{} (missing)", column.column),
            };
            let effect =
                column.effect.map_or_else(|| "-".to_owned(), |effect| format!("{:.4}", effect.value));
            let p = column.adjusted_p.map_or_else(|| "-".to_owned(), |p| format!("{p:.2e}"));
            text.push_str(&format!(
                "  {name:<28}  {:<14}  effect {effect:>9} (floor {})  p {p:>8}  {}\n",
                column.statistic.id(),
                column.floor,
                column.verdict
            ));
        }
        for beside in &self.beside {
            let outcome = beside.outcome.as_str();
            text.push_str(&format!(
                "  {} {}: {outcome}, {}\n",
                beside.column,
                beside.test.id(),
                beside.message
            ));
        }
        text
    }
}
