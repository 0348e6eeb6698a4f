//! The command line: recorded predictions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Predictions {
    /// Find predictions, the latest first
    Search(Search),
    /// Show a prediction
    Show {
        /// The id that its answer had, prd_...
        #[arg(required_unless_present = "request")]
        id: Option<String>,
        /// What its caller called it, in place of the id
        #[arg(long, value_name = "ID", conflicts_with = "id")]
        request: Option<String>,
        /// Also show who asked, about whom, what was asked and what was answered
        #[arg(long)]
        inputs: bool,
    },
    /// Destroy what is personal in the records of all predictions about a person, for good
    Erase {
        #[command(flatten)]
        about: Someone,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List erasures, the latest first
    Erasures,
}

/// Which predictions are looked for.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Of this endpoint
    #[arg(long, value_name = "NAME")]
    pub(crate) endpoint: Option<String>,
    /// By this version NAME:VERSION, or by any version of NAME
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Not older: a time such as 2026-03-01T12:00:00Z, a day, or how long ago, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Older than this
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) about: About,
    /// What their caller called them; this takes the right to see what is personal
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// Only those with values unlike those of training
    #[arg(long)]
    pub(crate) flagged: bool,
    /// Only those that this answered
    #[arg(long, value_parser = ["primary", "fallback", "constant", "nobody"])]
    pub(crate) answered_by: Option<String>,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Go on where an earlier search stopped
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

/// A person who must be named.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Someone {
    /// This person; other users of this machine may see it in its list of processes, so rather use --subject-file
    #[arg(long, value_name = "VALUE")]
    subject: Option<String>,
    /// The person whom this file names in its one line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    subject_file: Option<PathBuf>,
}

impl From<Someone> for About {
    fn from(someone: Someone) -> Self {
        Self { subject: someone.subject, subject_file: someone.subject_file }
    }
}

/// A person, by the value that names them in predictions.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct About {
    /// About this person; other users of this machine may see it in its list of processes, so rather use
    /// --subject-file
    #[arg(long, value_name = "VALUE")]
    pub(crate) subject: Option<String>,
    /// About the person whom this file names in its one line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) subject_file: Option<PathBuf>,
}
