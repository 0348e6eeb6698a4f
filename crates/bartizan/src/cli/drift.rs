//! `data drift`: whether a table is still like the one before.

use std::path::PathBuf;

use clap::Args;

use super::{Reading, Reports, finite, up_to_all};

const AFTER_HELP: &str =
    "A column drifts when the difference is unlikely to be chance (at these sizes and clusters, among all \
columns) and large enough to matter. A column that cannot be judged never counts as one without drift.

Exit codes: 0 no drift; 1 drift, or something could not be judged; 2 usage.

Examples:
  bartizan data drift train.parquet today.csv
  bartizan data drift sales.csv --by day --every month --against previous
  bartizan data drift train.csv week.csv --time at --season --source shop --label fraud
  bartizan data drift train.csv served.csv --key id
  bartizan data profile train.csv --out train.profile && bartizan data drift train.profile today.csv";

/// What is compared with what.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Drift {
    /// What to compare with: a table (CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; `-` is standard
    /// input) or a profile that `data profile --out` wrote
    pub(crate) reference: PathBuf,
    /// What is compared with it, each file on its own; none with `--by` where parts of the reference are compared
    pub(crate) current: Vec<PathBuf>,
    /// Compare only these columns
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Do not compare these columns
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) leave_out: Vec<String>,
    /// A schema that says which columns hold categories, also where they look like numbers
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// How to compare: `ks`, `wasserstein` (numbers), `psi`, `jensen-shannon`, `hellinger`, `chi-squared`, `l-infinity`
    /// (categories, and numbers in the tenths of the reference) [default: `ks`; `jensen-shannon`; `l-infinity` for two or very many
    /// categories]; for one column COLUMN=STATISTIC; may be given several times
    #[arg(long, value_name = "[COLUMN=]STATISTIC")]
    pub(crate) method: Vec<String>,
    /// The least effect that counts, in what its statistic measures [default: that of a small effect, see
    /// docs/formats/drift-report.md]; for one column COLUMN=NUMBER; may be given several times
    #[arg(long, value_name = "[COLUMN=]NUMBER")]
    pub(crate) floor: Vec<String>,
    /// The least difference of the shares of rows without a value that counts [default: 0.02]; for one column
    /// COLUMN=NUMBER; may be given several times
    #[arg(long, value_name = "[COLUMN=]NUMBER")]
    pub(crate) missing_floor: Vec<String>,
    /// The share of false ones tolerated among what is called drift, and the chance of calling anything so when nothing
    /// drifts
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub(crate) alpha: f64,
    /// How columns depend on each other: `any` way, or only `positive`ly, which finds more
    #[arg(long, default_value = "any", value_parser = ["any", "positive"])]
    pub(crate) dependence: String,
    /// Rows with the same value here belong together (a session, a user, an hour) and are no independent evidence
    #[arg(long, value_name = "COLUMN")]
    pub(crate) cluster: Option<String>,
    /// Compare the rows of each value or period of this column by themselves; rows without one are a group of their own
    #[arg(long, value_name = "COLUMN")]
    pub(crate) by: Option<String>,
    /// The periods that `--by` makes of times (UTC)
    #[arg(long, value_name = "PERIOD", requires = "by", value_parser = ["hour", "day", "week", "month", "year"])]
    pub(crate) every: Option<String>,
    /// What `--by` compares each with: the reference (without a second file its first value or period), or the one
    /// before
    #[arg(long, requires = "by", default_value = "reference", value_parser = ["reference", "previous"])]
    pub(crate) against: String,
    /// When each row happened: tells gradual changes from sudden ones
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time: Option<String>,
    /// Compare each hour of the week with the same hour (UTC); rows without a time are left out, and with more than one in
    /// fifty of them a column is not judged
    #[arg(long, requires = "time")]
    pub(crate) season: bool,
    /// The column that is to be predicted: tells whether a change comes with one label
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// Where each row comes from: tells whether a change comes from one source
    #[arg(long, value_name = "COLUMN")]
    pub(crate) source: Option<String>,
    /// Training/serving skew: join rows by this column and compare their values one by one
    #[arg(long, value_name = "COLUMN", conflicts_with = "by")]
    pub(crate) key: Option<String>,
    /// With --key: by which share of the larger one two numbers may differ
    #[arg(long, value_name = "SHARE", default_value_t = 1e-6, value_parser = share, requires = "key")]
    pub(crate) tolerance: f64,
    /// With --key: the share of joined rows of a column that may differ
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, requires = "key")]
    pub(crate) mismatch: f64,
    /// With --key: the share of the current rows that must be joined for a verdict; rows without a key, and with one that
    /// repeats, are not
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = up_to_all, requires = "key")]
    pub(crate) min_joined: f64,
    /// Also ask whether a classifier can tell the two sides apart by all columns together
    #[arg(long)]
    pub(crate) together: bool,
    /// Compare value by value or not at all: refuses profiles, and tables that do not fit into memory
    #[arg(long, conflicts_with = "sketch")]
    pub(crate) exact: bool,
    /// Compare what a profile keeps, in little memory, with the bounds stated
    #[arg(long)]
    pub(crate) sketch: bool,
    #[command(flatten)]
    pub(crate) watching: Watching,
    /// Permutations drawn for one column at most
    #[arg(long, value_name = "NUMBER", default_value_t = 9_999, value_parser = clap::value_parser!(u32).range(99..=1_000_000))]
    pub(crate) draws: u32,
    /// What random choices follow from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the report itself (bartizan-drift-report-v1), all comparisons in one
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reports: Reports,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// Comparisons that are repeated.
#[derive(Debug, Args)]
pub(crate) struct Watching {
    /// Remember runs in this file, and end with 1 only for drift that persists; the level comes from the budget
    #[arg(long, value_name = "STATE", conflicts_with_all = ["alpha", "by"])]
    pub(crate) watch: Option<PathBuf>,
    /// False alarms that a month may bring
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, requires = "watch", value_parser = budget)]
    pub(crate) budget: f64,
    /// Runs planned in a month
    #[arg(long, value_name = "NUMBER", default_value_t = 31, requires = "watch", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) runs_per_month: u32,
    /// In how many of the last runs a column must drift
    #[arg(long, value_name = "NUMBER", default_value_t = 2, requires = "watch", value_parser = clap::value_parser!(u8).range(1..=53))]
    pub(crate) persist: u8,
    /// How many runs back to look
    #[arg(long, value_name = "NUMBER", default_value_t = 3, requires = "watch", value_parser = clap::value_parser!(u8).range(1..=53))]
    pub(crate) window: u8,
}

fn share(text: &str) -> Result<f64, String> {
    let number = finite(text)?;
    if (0.0..1.0).contains(&number) {
        Ok(number)
    } else {
        Err("it is not a share from 0 to below 1".to_owned())
    }
}

fn budget(text: &str) -> Result<f64, String> {
    let number = finite(text)?;
    if number > 0.0 && number <= 1_000.0 {
        Ok(number)
    } else {
        Err("it is not above 0 and at most 1000".to_owned())
    }
}
