//! Runs over time: when a drift that is seen becomes an alarm, and how many false alarms a month may bring.

use std::collections::BTreeMap;

use bartizan_base::canonical;
use serde::{Deserialize, Serialize};

use super::report::{ColumnDrift, DriftReport, Measure, Verdict};
use crate::limits::COLUMNS;

/// When to raise an alarm.
///
/// The level of each run is the budget divided by the runs of a month. Where nothing drifts, a run calls anything
/// drift with at most that chance (that is what both adjustments of p-values promise then), so the expected number
/// of such runs in a month is at most the budget. This holds however runs depend on each other, which they do when
/// they share a reference, because expectations add up regardless. An alarm begins with a run that calls its column
/// drift, so the expected number of runs that begin a false alarm is at most the budget, too; persistence lowers it
/// further, by how much depends on how runs depend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmPolicy {
    /// Runs that begin a false alarm, expected in a month at most.
    pub budget_per_month: f64,
    /// Runs planned in a month.
    pub runs_per_month: u32,
    /// In how many of the last `window` runs a column must drift for an alarm.
    pub persist: u8,
    /// How many runs back to look, 53 at most.
    pub window: u8,
}

impl Default for AlarmPolicy {
    /// One false alarm a month at most with a run a day, and only for drift in two of three runs.
    fn default() -> Self {
        Self { budget_per_month: 1.0, runs_per_month: 31, persist: 2, window: 3 }
    }
}

/// Runs beyond those planned share this part of the budget.
const RESERVE: f64 = 0.1;

/// The most runs that are remembered of a column: what an integer of a canonical document holds.
const MOST_RUNS: u8 = 53;

/// What is remembered between runs. The caller stores [`Watch::to_bytes`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watch {
    month: Option<i32>,
    runs: u32,
    /// For each line of the reports, a bit for each run, the last one lowest: set where it was called drift.
    drifted: BTreeMap<(String, &'static str), u64>,
}

/// A column that keeps drifting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The column.
    pub column: String,
    /// Its values, or the share of missing ones.
    pub measure: Measure,
    /// In how many of the last runs it drifted.
    pub runs: u32,
    /// Whether the alarm begins with this run.
    pub begins: bool,
}

/// The bytes are not a stored watch.
#[derive(Debug, thiserror::Error)]
pub enum WatchInvalid {
    /// Not canonical JSON of the expected shape.
    #[error("not a stored drift watch")]
    NotCanonical(#[source] canonical::DecodeError),
    /// Another format or version.
    #[error("`{format}` is not `{FORMAT}`")]
    Format {
        /// What it says, cut to 80 characters.
        format: String,
    },
    /// A column twice or out of order, too many, or a measure that does not exist.
    #[error(
        "column {place} of the drift watch is repeated, out of order, too many, or of an unknown measure"
    )]
    Column {
        /// Which one, from 1.
        place: usize,
    },
}

const FORMAT: &str = "bartizan-drift-watch-v1";

impl Watch {
    /// The level for the next run, which is in `month` (any number that grows by one each month).
    ///
    /// Planned runs share nine tenths of the budget evenly; the j-th run beyond the plan gets 6 / (pi j)^2 of the last
    /// tenth, so that the budget holds however many there are.
    pub fn level(&self, policy: &AlarmPolicy, month: i32) -> f64 {
        let runs = if self.month == Some(month) { self.runs } else { 0 };
        let planned = policy.runs_per_month.max(1);
        let budget = policy.budget_per_month.max(0.0);
        let level = if runs < planned {
            (1.0 - RESERVE) * budget / f64::from(planned)
        } else {
            let beyond = f64::from(runs - planned) + 1.0;
            RESERVE * budget * 6.0 / (std::f64::consts::PI * beyond).powi(2)
        };
        level.min(1.0)
    }

    /// Takes the report of a run in `month` and says which alarms stand. A column that was not judged, or is not in
    /// the report, has a run without drift; when it has drifted in none of the runs remembered, it is forgotten.
    pub fn take(&mut self, report: &DriftReport, policy: &AlarmPolicy, month: i32) -> Vec<Alarm> {
        if self.month != Some(month) {
            (self.month, self.runs) = (Some(month), 0);
        }
        self.runs = self.runs.saturating_add(1);
        let window = (1_u64 << policy.window.clamp(1, MOST_RUNS)) - 1;
        let persist = u32::from(policy.persist.max(1));
        let before = self.drifted.clone();
        for runs in self.drifted.values_mut() {
            *runs = (*runs << 1) & ((1 << MOST_RUNS) - 1);
        }
        for column in &report.columns {
            if column.verdict == Verdict::Drift {
                *self.drifted.entry(key(column)).or_default() |= 1;
            }
        }
        self.drifted.retain(|_, runs| *runs != 0);
        let mut alarms: Vec<Alarm> = Vec::new();
        for column in &report.columns {
            let count = |watch: &BTreeMap<_, u64>| {
                watch.get(&key(column)).map_or(0, |runs: &u64| (runs & window).count_ones())
            };
            let runs = count(&self.drifted);
            if runs >= persist {
                let begins = count(&before) < persist;
                alarms.push(Alarm { column: column.column.clone(), measure: column.measure, runs, begins });
            }
        }
        alarms
    }

    /// The stored form `bartizan-drift-watch-v1`: canonical JSON.
    ///
    /// # Errors
    /// When there is more than a canonical document holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let columns = self.drifted.iter().map(|((column, measure), runs)| StoredColumn {
            column: column.clone(),
            drifted: *runs,
            measure: (*measure).to_owned(),
        });
        canonical::to_bytes(&Stored {
            columns: columns.collect(),
            format: FORMAT.to_owned(),
            month: self.month,
            runs: self.runs,
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are anything else than what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WatchInvalid> {
        let stored: Stored = canonical::from_bytes(bytes).map_err(WatchInvalid::NotCanonical)?;
        if stored.format != FORMAT {
            return Err(WatchInvalid::Format { format: stored.format.chars().take(80).collect() });
        }
        let mut drifted = BTreeMap::new();
        for (place, column) in (1..).zip(stored.columns) {
            let known =
                [Measure::Values, Measure::Missing].into_iter().find(|known| known.id() == column.measure);
            let measure = known.filter(|_| place <= 2 * COLUMNS && column.drifted != 0);
            let key = (column.column, measure.ok_or(WatchInvalid::Column { place })?.id());
            if drifted.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(WatchInvalid::Column { place });
            }
            drifted.insert(key, column.drifted);
        }
        Ok(Self { month: stored.month, runs: stored.runs, drifted })
    }
}

fn key(column: &ColumnDrift) -> (String, &'static str) {
    (column.column.clone(), column.measure.id())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    columns: Vec<StoredColumn>,
    format: String,
    month: Option<i32>,
    runs: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredColumn {
    column: String,
    drifted: u64,
    measure: String,
}
