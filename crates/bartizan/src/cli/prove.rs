//! `prove`: its arguments.

use std::path::PathBuf;

use clap::Args;

/// The groups of a prediction's record that a proof need not show.
const GROUPS: [&str; 4] = ["subject", "input", "output", "decisions"];

/// What to prove, and how much of it to show.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// A model version, NAME:VERSION, or the id of a prediction
    pub(crate) what: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Also show that the log continues the tree of this many entries; may be given several times
    #[arg(long, value_name = "SIZE")]
    pub(crate) since: Vec<u64>,
    /// What the proof of a prediction shows beside envelope, output and decisions: subject, input
    #[arg(long, value_name = "GROUP", value_delimiter = ',', value_parser = GROUPS)]
    pub(crate) show: Vec<String>,
    /// What it hides, also if it would show it: output, decisions; what is hidden stays a commitment
    #[arg(long, value_name = "GROUP", value_delimiter = ',', value_parser = GROUPS)]
    pub(crate) hide: Vec<String>,
    /// Run the model of a prediction again first, and fail unless it gives the very answer
    #[arg(long)]
    pub(crate) replay: bool,
}
