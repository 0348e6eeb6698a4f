//! Inferring a schema from a profile: what one clean batch says about the next.
//!
//! The rules leave room for what chance does to the next batch of the same kind, and no more; the reasons are in
//! `docs/formats/schema-toml.md`.

use super::{ColumnRules, CsvRules, Domain, LabelRules, Range, RowRules, Schema, Severity};
use crate::csv::CsvFormat;
use crate::limits::LABELS;
use crate::profile::{ColumnProfile, ColumnType, Profile};
use crate::report::Gate;

/// Standard errors of slack in shares: chance passes it less than once in 15,000 checks.
const SLACK_ERRORS: f64 = 4.0;
/// A domain is taken for complete when each of its values came at least so often, on average.
const SEEN_PER_VALUE: u64 = 20;
/// The share of numbers that may lie outside the range.
const MAX_OUTSIDE: f64 = 0.002;
/// Share of the width of an observed range by which it is widened at each end.
const WIDEN: f64 = 0.1;
/// The same for a column with few values, whose next extreme may be far out and where none may lie outside.
const WIDEN_FEW: f64 = 1.0;
/// Below so many values they are few: the tolerated share is then less than three values.
const FEW: u64 = 1_500;
/// The least share by which the label may move.
const LABEL_TOLERANCE: f64 = 0.01;
/// Fewer values than this can be different by chance.
const RUNNING: u64 = 20;
/// The factor by which the longest text may be exceeded.
const LENGTH_FACTOR: u64 = 2;

/// Columns that are named to somebody who names another.
const NAMED: usize = 50;

/// What an inference is told beside the profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InferOptions {
    /// The column that is to be predicted.
    pub label: Option<String>,
}

/// No schema could be inferred.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInferred {
    /// There is no column of the label's name.
    #[error("there is no column `{label}` to be the label; the columns are {columns}")]
    NoLabel {
        /// The name.
        label: String,
        /// The names that there are, or the first of them.
        columns: String,
    },
}

/// Why a column of numbers has no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutRange {
    /// Whole numbers, none twice, and at least half of those between the least and the greatest: they number rows.
    Running,
    /// Whole numbers, none twice, in a column that is called an id.
    CalledId,
    /// Nothing is known of where they lie.
    NoNumbers,
    /// All are equal, so nothing is known of how far others may lie.
    AllEqual,
    /// There is no double as far out as the room that is left for the next batch.
    TooFar,
}

impl WithoutRange {
    /// Why inference gives a column of numbers no range; none for a column that gets one, and for what is not of numbers.
    pub fn of(column: &ColumnProfile) -> Option<Self> {
        if !column.column_type().is_number() {
            return None;
        }
        let unknown = || column.lowest().is_empty().then_some(Self::NoNumbers);
        let too_far = || range(column, column.kinds().total()).is_none().then_some(Self::TooFar);
        let equal = || (column.lowest().first() == column.highest().first()).then_some(Self::AllEqual);
        numbers_rows(column).or_else(unknown).or_else(equal).or_else(too_far)
    }

    /// Whether the values are of rows and measure nothing, so that the next batch has others and its distribution says
    /// nothing either.
    pub const fn numbers_rows(self) -> bool {
        matches!(self, Self::Running | Self::CalledId)
    }

    /// The reason in words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Running => {
                "they are running numbers: none comes twice, and at least half of those between the least and the greatest come"
            }
            Self::CalledId => "none comes twice, and the column is called an id",
            Self::NoNumbers => "it has no numbers",
            Self::AllEqual => "all its values are equal, which says nothing of how far others may lie",
            Self::TooFar => "the room for the next batch ends beyond the greatest double",
        }
    }
}

/// Why a column whose values could be listed gets no domain: what they look like, when that is personal or secret. A schema
/// is handed around.
pub fn personal_domain(column: &ColumnProfile, gate: &Gate) -> Option<String> {
    domain(column, column.column_type(), column.kinds().total())?;
    gate.personal(column)
}

impl Schema {
    /// Infers the schema of the batches that are like the profiled one.
    ///
    /// # Errors
    /// When the label is no column.
    pub fn infer(profile: &Profile, format: CsvFormat, options: &InferOptions) -> Result<Self, NotInferred> {
        let (rows, gate) = (profile.rows(), Gate::new());
        let label = match &options.label {
            Some(name) => {
                let column = profile.column(name);
                let column = column
                    .ok_or_else(|| NotInferred::NoLabel { label: name.clone(), columns: names(profile) })?;
                Some(label_rules(column, &gate))
            }
            None => None,
        };
        Ok(Self {
            csv: CsvRules {
                separator: format.separator,
                encoding: format.encoding,
                null: profile.null().clone(),
            },
            rows: RowRules { min: Some(1), max: None },
            unexpected_columns: Some(Severity::Block),
            environments: Vec::new(),
            reference: None,
            label,
            columns: profile.columns().iter().map(|column| column_rules(column, rows, &gate)).collect(),
            keys: Vec::new(),
            expressions: Vec::new(),
            slices: Vec::new(),
        })
    }
}

/// The names of the columns, or of the first of many.
fn names(profile: &Profile) -> String {
    let columns = profile.columns();
    let mut names: Vec<&str> = columns.iter().take(NAMED).map(ColumnProfile::name).collect();
    if columns.len() > NAMED {
        names.push("and more");
    }
    names.join(", ")
}

pub(super) fn column_rules(column: &ColumnProfile, rows: u64, gate: &Gate) -> ColumnRules {
    let kind = column.column_type();
    let present = column.kinds().total();
    // Elements of lists are not one in each row.
    let rows = if column.name().contains("[]") { column.count() } else { rows };
    ColumnRules {
        min_present: min_present(present, rows),
        range: match WithoutRange::of(column) {
            None if kind.is_number() => range(column, present),
            _ => None,
        },
        domain: domain(column, kind, present).filter(|_| gate.personal(column).is_none()),
        max_length: match (kind, column.lengths()) {
            (ColumnType::String, Some((_, longest))) => Some(longest.saturating_mul(LENGTH_FACTOR)),
            _ => None,
        },
        ..ColumnRules::new(column.name().to_owned(), kind)
    }
}

/// The observed share of values, less four standard errors; always there means always there.
pub(super) fn min_present(present: u64, rows: u64) -> f64 {
    if present == rows || rows == 0 {
        return 1.0;
    }
    let share = ratio(present, rows);
    let error = (share * (1.0 - share) / as_f64(rows)).sqrt();
    // Half of a per cent more: what is missing often comes in runs, so rows are not independent.
    round((share - SLACK_ERRORS * error - 0.005).max(0.0))
}

/// The observed range, widened at each end, and the share of values that may lie outside it. A range that starts
/// or ends at nought keeps that end: such a nought is a bound, not an accident.
pub(super) fn range(column: &ColumnProfile, present: u64) -> Option<Range> {
    let (low, high) = (*column.lowest().first()?, *column.highest().first()?);
    let slack = (high - low) * if present < FEW { WIDEN_FEW } else { WIDEN };
    let min = if low == 0.0 { 0.0 } else { low - slack };
    let max = if high == 0.0 { 0.0 } else { high + slack };
    let whole = column.column_type() == ColumnType::Integer;
    let (min, max) = if whole { (min.floor(), max.ceil()) } else { (min, max) };
    (min.is_finite() && max.is_finite()).then_some(Range { min, max, max_outside: MAX_OUTSIDE })
}

/// Whether the numbers are of rows and measure nothing: whole, none twice, and either most of those between the least and
/// the greatest, as running numbers are, or in a column that is called an id. The next batch goes on where this one ended.
fn numbers_rows(column: &ColumnProfile) -> Option<WithoutRange> {
    let present = column.kinds().total();
    let integers = column.integers().filter(|_| column.column_type() == ColumnType::Integer);
    let (least, greatest) = integers.filter(|_| present >= RUNNING)?;
    let unique = match column.distinct() {
        Some(distinct) => u64::try_from(distinct).is_ok_and(|distinct| distinct == present),
        // Beyond what is counted exactly: about as many as there are, and none surely twice.
        None => {
            let near = column.distinct_estimate().is_some_and(|about| about >= 0.97 * as_f64(present));
            near && column.top(1).first().is_none_or(|top| top.lower <= 1)
        }
    };
    let between = u64::try_from(i128::from(greatest) - i128::from(least) + 1).unwrap_or(u64::MAX);
    match unique {
        true if between / 2 <= present => Some(WithoutRange::Running),
        true if is_called_id(column.name()) => Some(WithoutRange::CalledId),
        _ => None,
    }
}

/// Whether the last word of a name is one for identifiers: `id`, `order_id`, `customerId`, `row.key`. Within capitals no
/// word begins: `AMOUNT_PAID` and `BID` are amounts. Nor does one after a letter with an accent, as in `débid`, but after
/// one of a script without small letters, as in `顧客id`.
fn is_called_id(name: &str) -> bool {
    let small = |letter: char| letter.is_lowercase() || letter.is_numeric();
    // Accents may be characters of their own.
    let accent = |letter: char| ('\u{300}'..='\u{36f}').contains(&letter);
    let in_word = |letter: char| small(letter) || letter.is_uppercase() || accent(letter);
    let last = name.rsplit(|letter: char| !in_word(letter)).next().unwrap_or_default();
    let before = last.strip_suffix("ID").or_else(|| last.strip_suffix("Id"));
    before.is_some_and(|before| before.trim_end_matches(accent).ends_with(small))
        || matches!(last.to_ascii_lowercase().as_str(), "id" | "key" | "pk" | "uid" | "guid" | "rowid")
}

/// The values of a column that has few of them, each seen often enough to take the list for complete.
fn domain(column: &ColumnProfile, kind: ColumnType, present: u64) -> Option<Domain> {
    if !matches!(kind, ColumnType::String | ColumnType::Boolean) {
        return None;
    }
    let values = column.values()?;
    let distinct = u64::try_from(values.len()).ok()?;
    if distinct == 0 || present / distinct < SEEN_PER_VALUE {
        return None;
    }
    // Values that came once or twice say how many more there are that did not come (Good 1953).
    let singles = values.iter().filter(|(_, count)| *count <= 2).count();
    let unseen = ratio(u64::try_from(singles).ok()?, present);
    let values = values.into_iter().map(|(value, _)| value.into_owned()).collect();
    Some(Domain { values, max_unseen: round((2.0 * unseen).max(0.001)) })
}

fn label_rules(column: &ColumnProfile, gate: &Gate) -> LabelRules {
    let counted = column.kinds().total();
    let few = column.values().filter(|values| values.len() <= LABELS).unwrap_or_default();
    // A label that is a measurement has no shares to compare, and whoever may see a data set reads its schema.
    let told = gate.personal(column).is_none();
    let categorical = told && (few.len() <= 20 || column.column_type() == ColumnType::String);
    let shares = if categorical { few } else { Vec::new() };
    LabelRules {
        column: column.name().to_owned(),
        shares: shares
            .into_iter()
            .map(|(value, count)| (value.into_owned(), round(ratio(count, counted))))
            .collect(),
        counted,
        tolerance: LABEL_TOLERANCE,
        severity: Severity::Block,
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    as_f64(part) / as_f64(whole.max(1))
}

/// Counts are below 2^53, so this is exact.
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Six decimals: enough for shares, and readable.
fn round(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}
