//! The stored form of a drift report, `bartizan-drift-report-v1`: canonical JSON, written and read back.

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::discovery::Dependence;
use super::report::{ColumnDrift, DriftReport, Measure, Mode, NotJudged, Purpose, SideSize, Verdict};
use super::statistic::Statistic;
use super::summary::Bounded;
use super::table_test::{TableFinding, TableTest};
use crate::check::Outcome;
use crate::limits::{DRIFT_REPORT_BYTES, DRIFT_REPORT_ENTRIES};

const FORMAT: &str = "bartizan-drift-report-v1";

/// The bytes are not a stored drift report.
#[derive(Debug, thiserror::Error)]
pub enum DriftReportInvalid {
    /// Too long.
    #[error("more than {DRIFT_REPORT_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON of the expected shape.
    #[error("not a stored drift report")]
    NotCanonical(#[source] canonical::DecodeError),
    /// Another format or version.
    #[error("`{format}` is not `{FORMAT}`")]
    Format {
        /// What it says, cut to 80 characters.
        format: String,
    },
    /// A member of the report itself, or of an entry, that does not say what it must.
    #[error("`{member}` of entry {place} of the drift report cannot be meant")]
    Member {
        /// Which entry, from 1; 0 for the report itself.
        place: usize,
        /// The member.
        member: &'static str,
    },
}

/// A report was not written.
#[derive(Debug, thiserror::Error)]
pub enum DriftReportUnwritten {
    /// It has no canonical form.
    #[error(transparent)]
    Encode(#[from] canonical::EncodeError),
    /// What there is room for would say something else.
    #[error("there is no room for the entries from which `{outcome}` follows")]
    Outcome {
        /// What follows from all of them.
        outcome: Outcome,
    },
}

impl DriftReport {
    /// The stored form `bartizan-drift-report-v1`: canonical JSON, other numbers than counts as decimal text. It is one that
    /// [`Self::from_bytes`] reads, with the same [outcome](Self::outcome): entries for which there is no room are left out and
    /// counted, those without drift first.
    ///
    /// # Errors
    /// When a count exceeds what a canonical document holds, or the outcome does not follow from as many entries as there is
    /// room for.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DriftReportUnwritten> {
        let mut most = self.columns.len().max(self.beside.len()).min(DRIFT_REPORT_ENTRIES);
        let bytes = loop {
            match self.bounded_bytes(most) {
                Err(canonical::EncodeError::TooLarge { .. }) if most > 0 => most /= 2,
                written => break written?,
            }
        };
        let complete = most >= self.columns.len().max(self.beside.len());
        if complete || Self::from_bytes(&bytes).is_ok_and(|read| read.outcome() == self.outcome()) {
            return Ok(bytes);
        }
        Err(DriftReportUnwritten::Outcome { outcome: self.outcome() })
    }

    fn bounded_bytes(&self, most: usize) -> Result<Vec<u8>, canonical::EncodeError> {
        let (columns, beside) = (self.bounded(most), self.bounded_beside(most));
        let left_out = self.columns.len() - columns.len() + self.beside.len() - beside.len();
        let left_out = self.left_out.saturating_add(left_out as u64);
        let beside: Vec<StoredBeside> = beside.into_iter().map(stored_beside).collect();
        canonical::to_bytes(&Stored {
            beside: Some(beside).filter(|beside| !beside.is_empty()),
            columns: columns.into_iter().map(stored).collect(),
            dependence: self.dependence.id().to_owned(),
            format: FORMAT.to_owned(),
            left_out: Some(left_out).filter(|left_out| *left_out > 0),
            level: decimal(self.level),
            purpose: self.purpose.id().to_owned(),
            seed: self.seed.to_string(),
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are anything else than what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DriftReportInvalid> {
        if bytes.len() > DRIFT_REPORT_BYTES {
            return Err(DriftReportInvalid::TooLong);
        }
        let stored: Stored = canonical::from_bytes(bytes).map_err(DriftReportInvalid::NotCanonical)?;
        if stored.format != FORMAT {
            return Err(DriftReportInvalid::Format { format: stored.format.chars().take(80).collect() });
        }
        let member = |member| DriftReportInvalid::Member { place: 0, member };
        if stored.columns.len() > DRIFT_REPORT_ENTRIES {
            return Err(member("columns"));
        }
        let beside = match &stored.beside {
            Some(beside) if beside.is_empty() || beside.len() > DRIFT_REPORT_ENTRIES => None,
            Some(beside) => beside.iter().map(read_beside).collect(),
            None => Some(Vec::new()),
        };
        let columns = (1..).zip(&stored.columns).map(|(place, column)| {
            read(column).map_err(|member| DriftReportInvalid::Member { place, member })
        });
        let seed: u64 = stored.seed.parse().map_err(|_| member("seed"))?;
        if seed.to_string() != stored.seed {
            return Err(member("seed"));
        }
        Ok(Self {
            purpose: one_of([Purpose::Drift, Purpose::Skew], Purpose::id, &stored.purpose)
                .ok_or(member("purpose"))?,
            level: number(&stored.level).ok_or(member("level"))?,
            dependence: one_of([Dependence::Positive, Dependence::Any], Dependence::id, &stored.dependence)
                .ok_or(member("dependence"))?,
            seed,
            columns: columns.collect::<Result<_, _>>()?,
            beside: beside.ok_or(member("beside"))?,
            left_out: match stored.left_out {
                Some(0) => return Err(member("left_out")),
                left_out => left_out.unwrap_or(0),
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<Vec<StoredBeside>>,
    columns: Vec<StoredColumn>,
    dependence: String,
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
    level: String,
    purpose: String,
    seed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBeside {
    column: String,
    message: String,
    outcome: String,
    test: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredColumn {
    adjusted_p: Option<String>,
    column: String,
    current: StoredSide,
    draws: u32,
    effect: Option<StoredBounded>,
    floor: String,
    from_tail: bool,
    least_p: String,
    measure: String,
    mode: String,
    p: Option<String>,
    p_upper_bound: Option<String>,
    rank_error: Option<String>,
    reason: Option<String>,
    reference: StoredSide,
    statistic: String,
    threshold: Option<String>,
    value: Option<StoredBounded>,
    verdict: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSide {
    clusters: Option<u64>,
    missing: u64,
    values: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBounded {
    high: String,
    low: String,
    value: String,
}

fn stored_beside(beside: &TableFinding) -> StoredBeside {
    StoredBeside {
        column: beside.column.clone(),
        message: beside.message.clone(),
        outcome: beside.outcome.as_str().to_owned(),
        test: beside.test.id().to_owned(),
    }
}

fn read_beside(stored: &StoredBeside) -> Option<TableFinding> {
    let outcomes = [Outcome::Valid, Outcome::Invalid, Outcome::Error];
    Some(TableFinding {
        test: one_of(TableTest::ALL, TableTest::id, &stored.test)?,
        column: stored.column.clone(),
        outcome: outcomes.into_iter().find(|outcome| outcome.as_str() == stored.outcome)?,
        message: stored.message.clone(),
    })
}

fn stored(column: &ColumnDrift) -> StoredColumn {
    let side =
        |side: SideSize| StoredSide { clusters: side.clusters, missing: side.missing, values: side.values };
    let bounded = |bounded: Bounded| StoredBounded {
        high: decimal(bounded.high),
        low: decimal(bounded.low),
        value: decimal(bounded.value),
    };
    StoredColumn {
        adjusted_p: column.adjusted_p.map(decimal),
        column: column.column.clone(),
        current: side(column.current),
        draws: column.draws,
        effect: column.effect.map(bounded),
        floor: decimal(column.floor),
        from_tail: column.from_tail,
        least_p: decimal(column.least_p),
        measure: column.measure.id().to_owned(),
        mode: column.mode.id().to_owned(),
        p: column.p.map(|(low, _)| decimal(low)),
        p_upper_bound: column.p.map(|(_, high)| decimal(high)),
        rank_error: match column.mode {
            Mode::Sketch { rank_error } => Some(decimal(rank_error)),
            Mode::Exact | Mode::Histogram => None,
        },
        reason: match column.verdict {
            Verdict::NotJudged(reason) => Some(reason.id().to_owned()),
            Verdict::Drift | Verdict::NoDrift => None,
        },
        reference: side(column.reference),
        statistic: column.statistic.id().to_owned(),
        threshold: column.threshold.map(decimal),
        value: column.value.map(bounded),
        verdict: column.verdict.id().to_owned(),
    }
}

/// What an entry says, or the member that cannot be meant.
fn read(stored: &StoredColumn) -> Result<ColumnDrift, &'static str> {
    let side =
        |side: &StoredSide| SideSize { values: side.values, missing: side.missing, clusters: side.clusters };
    let optional = |text: &Option<String>, member| -> Result<Option<f64>, &'static str> {
        text.as_ref().map(|text| number(text).ok_or(member)).transpose()
    };
    let bounded = |stored: &Option<StoredBounded>, member| -> Result<Option<Bounded>, &'static str> {
        let Some(StoredBounded { high, low, value }) = stored else { return Ok(None) };
        let parts = number(low).zip(number(value)).zip(number(high)).ok_or(member)?;
        let ((low, value), high) = parts;
        Ok(Some(Bounded { low, value, high }))
    };
    let mode = match (stored.mode.as_str(), optional(&stored.rank_error, "rank_error")?) {
        ("exact", None) => Mode::Exact,
        ("histogram", None) => Mode::Histogram,
        ("sketch", Some(rank_error)) => Mode::Sketch { rank_error },
        _ => return Err("mode"),
    };
    let verdict = match (stored.verdict.as_str(), stored.reason.as_deref()) {
        ("drift", None) => Verdict::Drift,
        ("no-drift", None) => Verdict::NoDrift,
        ("not-judged", Some(reason)) => {
            Verdict::NotJudged(one_of(NotJudged::ALL, NotJudged::id, reason).ok_or("reason")?)
        }
        _ => return Err("verdict"),
    };
    let p = match (optional(&stored.p, "p")?, optional(&stored.p_upper_bound, "p_upper_bound")?) {
        (Some(low), Some(high)) => Some((low, high)),
        (None, None) => None,
        _ => return Err("p_upper_bound"),
    };
    Ok(ColumnDrift {
        column: stored.column.clone(),
        measure: one_of([Measure::Values, Measure::Missing], Measure::id, &stored.measure)
            .ok_or("measure")?,
        statistic: stored.statistic.parse::<Statistic>().map_err(|_| "statistic")?,
        mode,
        reference: side(&stored.reference),
        current: side(&stored.current),
        value: bounded(&stored.value, "value")?,
        effect: bounded(&stored.effect, "effect")?,
        floor: number(&stored.floor).ok_or("floor")?,
        threshold: optional(&stored.threshold, "threshold")?,
        p,
        least_p: number(&stored.least_p).ok_or("least_p")?,
        from_tail: stored.from_tail,
        draws: stored.draws,
        adjusted_p: optional(&stored.adjusted_p, "adjusted_p")?,
        verdict,
    })
}

fn one_of<T: Copy, const N: usize>(all: [T; N], id: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.into_iter().find(|one| id(*one) == text)
}

/// The shortest decimal text that reads back as the same double; `inf` for infinity.
fn decimal(number: f64) -> String {
    format!("{number:?}")
}

/// What [`decimal`] wrote, and nothing else.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number| decimal(*number) == text)
}
