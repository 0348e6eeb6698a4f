//! `prove`: its arguments.

use std::path::PathBuf;

use clap::Args;

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
    /// The groups of a prediction's record that the proof shows beside its envelope; whatever is not shown stays a
    /// commitment [default: output,decisions]
    #[arg(long, value_name = "GROUP", value_delimiter = ',', value_parser = ["subject", "input", "output", "decisions"])]
    pub(crate) show: Option<Vec<String>>,
    /// Run the model of a prediction again first, and fail unless it gives the very answer
    #[arg(long)]
    pub(crate) replay: bool,
}
