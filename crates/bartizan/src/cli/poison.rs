//! `data poison`: whether rows and labels of a file can be trusted.

use std::path::PathBuf;

use clap::Args;

use super::{Reading, Reports, finite, up_to_all};

/// A file whose rows and labels are looked at.
#[derive(Debug, Args)]
pub(crate) struct Poison {
    /// A table: CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; `-` is standard input
    pub(crate) file: PathBuf,
    /// The column that is to be predicted
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: String,
    /// Labels above this number count as 1, others as 0
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub(crate) label_above: Option<f64>,
    /// A column that says where each row comes from
    #[arg(long, value_name = "COLUMN")]
    pub(crate) source: Option<String>,
    /// A column that says who wrote each row
    #[arg(long, value_name = "COLUMN")]
    pub(crate) writer: Option<String>,
    /// With --against or --probabilities: a column that names each row across files [default: with --against what the row
    /// holds, with --probabilities the order of the rows]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,
    /// The version before, in any of these formats: labels that changed since
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    /// With --against: the share of the file's rows that must be in the version before for a verdict; a key that is not
    /// there, or repeats, is in none
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = up_to_all, requires = "against")]
    pub(crate) min_joined: f64,
    /// What a model of yours says of rows that it did not learn from, in place of the built-in trainer: a table in any of
    /// these formats with a column for each label, called as the label is, that holds its probability
    #[arg(long, value_name = "FILE")]
    pub(crate) probabilities: Option<PathBuf>,
    /// The file that a model of this one is tested on: rows that are in both
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
    /// A column that is not looked at; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(crate) leave_out: Vec<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What random choices follow from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the rows of all findings to this CSV file: rule, finding, table, row, score
    #[arg(long, value_name = "FILE")]
    pub(crate) rows_out: Option<PathBuf>,
    /// Also show the values that findings are about: of triggers, labels, sources
    #[arg(long)]
    pub(crate) show: bool,
    #[command(flatten)]
    pub(crate) reports: Reports,
}
