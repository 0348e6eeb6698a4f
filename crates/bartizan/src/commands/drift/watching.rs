//! The state of a watch in its file: read, taken further by one run, and replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bartizan_base::Clock as _;
use bartizan_data::Outcome;
use bartizan_data::drift::{Alarm, AlarmPolicy, DriftReport, Verdict, Watch, month};
use bartizan_data::limits::DRIFT_REPORT_BYTES;
use bartizan_store::SystemClock;

use crate::catalog::ids;
use crate::cli::Watching as Options;
use crate::commands::read_bytes;
use crate::failure::Failure;

/// A watch that is at work.
pub(super) struct Watching {
    path: PathBuf,
    watch: Watch,
    policy: AlarmPolicy,
    month: i32,
    /// Whether this is its first run.
    pub(super) new: bool,
    /// What stands after this run.
    pub(super) alarms: Vec<Alarm>,
}

impl Watching {
    /// Reads the state; a file that is not there yet is one of no runs.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, Failure> {
        let new = !path.try_exists().map_err(|error| unwritten(path, &error))?;
        let watch = if new {
            Watch::default()
        } else {
            let bytes = read_bytes(path, u64::try_from(DRIFT_REPORT_BYTES).unwrap_or(u64::MAX))?;
            Watch::from_bytes(&bytes).map_err(|error| {
                let mut failure = Failure::of(ids::WATCH, &error);
                failure.what = format!("`{}`: {}", path.display(), failure.what);
                failure
            })?
        };
        if options.persist > options.window {
            let what = format!("a column cannot drift in {} of {} runs", options.persist, options.window);
            return Err(Failure::new(ids::USAGE, what));
        }
        let policy = AlarmPolicy {
            budget_per_month: options.budget,
            runs_per_month: options.runs_per_month,
            persist: options.persist,
            window: options.window,
        };
        let month = month(SystemClock.now().millis().div_euclid(1_000));
        Ok(Self { path: path.to_owned(), watch, policy, month, new, alarms: Vec::new() })
    }

    /// The level of this run.
    pub(super) fn level(&self) -> f64 {
        self.watch.level(&self.policy, self.month)
    }

    /// Takes the report, remembers it, and says what follows, given what follows of everything and of everything but the
    /// report: drift of a column that does not persist is none yet.
    pub(super) fn take(
        &mut self,
        report: &DriftReport,
        outcome: Outcome,
        others: Outcome,
    ) -> Result<Outcome, Failure> {
        self.alarms = self.watch.take(report, &self.policy, self.month);
        let bytes = self.watch.to_bytes().map_err(|error| Failure::of(ids::WATCH, &error))?;
        replace(&self.path, &bytes).map_err(|error| unwritten(&self.path, &error))?;
        if !self.alarms.is_empty() {
            return Ok(Outcome::Invalid);
        }
        // Without alarms the columns that drift are passed over this time; nothing else is.
        let open = report.columns.iter().filter(|column| column.verdict != Verdict::Drift).cloned().collect();
        let open = DriftReport { columns: open, ..report.clone() };
        Ok(match report.outcome() {
            Outcome::Invalid if open.columns.is_empty() => others,
            Outcome::Invalid if open.outcome() == Outcome::Valid => others,
            Outcome::Invalid if others == Outcome::Valid => Outcome::Error,
            Outcome::Invalid => others,
            Outcome::Valid | Outcome::Error => outcome,
        })
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let mut failure =
        Failure::new(ids::WATCH, format!("the state of the watch in `{}` cannot be used", path.display()));
    failure.why.push(error.to_string());
    failure
}

/// Replaces a file: whoever reads it sees the old or the new state, also after a crash.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    };
    let written = write();
    if written.is_err() {
        // What is left over is of no use, and may not be there at all.
        fs::remove_file(&beside).ok();
    }
    written
}
