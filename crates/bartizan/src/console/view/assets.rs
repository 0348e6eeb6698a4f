//! What the lists of data sets and runs are told.

use super::{DataVerdict, Frame, Paged, Tone};

/// The data sets of a project.
#[derive(Debug, Clone)]
pub(crate) struct DataSetsView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The data sets, by name.
    pub(crate) data_sets: Paged<DataSetSummary>,
}

/// A data set with its newest version.
#[derive(Debug, Clone)]
pub(crate) struct DataSetSummary {
    /// Its name.
    pub(crate) name: String,
    /// How many versions it has.
    pub(crate) versions: u64,
    /// The newest of them.
    pub(crate) latest: u64,
    /// What checking the newest gave.
    pub(crate) verdict: DataVerdict,
    /// Findings in it that warn.
    pub(crate) warnings: u64,
    /// Parts that it consists of.
    pub(crate) parts: u64,
    /// Rows in those parts.
    pub(crate) rows: u64,
    /// When it was added.
    pub(crate) at: String,
    /// The ledger index of its statement.
    pub(crate) entry: u64,
}

/// The training runs of a project, newest first.
#[derive(Debug, Clone)]
pub(crate) struct RunsView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The runs.
    pub(crate) runs: Paged<RunRow>,
}

/// A training run.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    /// Its id.
    pub(crate) run: String,
    /// The model that its output is for.
    pub(crate) model: String,
    /// The version that it made, if it made one.
    pub(crate) version: Option<u64>,
    /// How it ended, in a word or two.
    pub(crate) end: &'static str,
    /// How good that is.
    pub(crate) tone: Tone,
    /// Why what it left was refused, if it was and the reason can be read.
    pub(crate) reason: Option<String>,
    /// Whether every part of the sandbox held.
    pub(crate) isolated: bool,
    /// The data set versions that it read.
    pub(crate) inputs: Vec<String>,
    /// When it was started.
    pub(crate) at: String,
    /// The ledger index of that statement.
    pub(crate) entry: u64,
}
