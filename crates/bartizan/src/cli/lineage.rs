//! `lineage`: its arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const THINGS: &str = "Things:
  NAME:VERSION            a model version or a data set version
  model:NAME:VERSION      a model version
  dataset:NAME:VERSION    a data set version
  source:NAME             a source of data
  run_...                 a training run
  endpoint:NAME           an endpoint
  prd_...                 a prediction
  external:NAMESPACE/NAME a data set or job of another system";

#[derive(Debug, Subcommand)]
pub(crate) enum Lineage {
    /// What a thing came from
    #[command(after_help = THINGS)]
    Up(Of),
    /// What came of a thing
    #[command(after_help = THINGS)]
    Down(Of),
    /// Which models, and endpoints, saw a thing, or what a source delivered between two dates
    #[command(after_help = THINGS)]
    Impact(Impact),
    /// State what another system says of its jobs and data: events of OpenLineage, a JSON object a line
    Import {
        /// The events
        file: PathBuf,
    },
}

/// Where to walk from.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// What to start from; see below
    pub(crate) thing: String,
    /// NAME:VERSION is a data set, not a model
    #[arg(long)]
    pub(crate) dataset: bool,
    /// How many things to show
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) limit: usize,
    /// How many to pass over
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) skip: usize,
}

/// What to ask about.
#[derive(Debug, Args)]
pub(crate) struct Impact {
    /// What may have had an effect; see below
    #[arg(required_unless_present = "source", conflicts_with = "source")]
    pub(crate) thing: Option<String>,
    /// A source of data
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Only what was delivered from this time on, as 2026-03-01 or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what was delivered before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// How many model versions to show
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) limit: usize,
    /// How many to pass over
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) skip: usize,
}
