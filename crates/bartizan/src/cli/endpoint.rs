//! What `endpoint` takes, and what `model promote` takes of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Endpoint {
    /// Make an endpoint with its settings; it answers once it is routed
    Create {
        /// The endpoint
        endpoint: String,
        #[command(flatten)]
        settings: EndpointSettings,
    },
    /// Route an endpoint to a version; the first route makes it
    Route(Route),
    /// Take an endpoint out of service
    Disable {
        /// The endpoint
        endpoint: String,
    },
    /// List endpoints
    List,
    /// Show an endpoint
    Show {
        /// The endpoint
        endpoint: String,
    },
}

/// Where an endpoint is to be routed.
#[derive(Debug, Args)]
pub(crate) struct Route {
    /// The endpoint
    pub(crate) endpoint: String,
    /// The version that answers, NAME:VERSION
    #[arg(long, value_name = "VERSION")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) fallback: Fallback,
    #[command(flatten)]
    pub(crate) settings: EndpointSettings,
}

/// Settings of an endpoint. What is not named stays as it is; an empty name takes a setting away.
#[derive(Debug, Args)]
pub(crate) struct EndpointSettings {
    /// What is done with a request beyond what the model was trained on [default: flag, for a new endpoint]
    #[arg(long, value_parser = ["reject", "flag"])]
    pub(crate) beyond: Option<String>,
    /// The input that says whom a prediction is about, where no header does
    #[arg(long, value_name = "COLUMN")]
    pub(crate) subject_input: Option<String>,
    /// Inputs whose values are never recorded; such predictions cannot be replayed
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub(crate) withhold: Option<Vec<String>>,
    /// Inputs whose values group predictions, where all rows of a request agree
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub(crate) slice: Option<Vec<String>>,
    /// The columns of the training data that the inputs hold, in their order, for a model that takes rows of columns at
    /// once; so that requests can be compared with the data; an empty name takes them away [default: each input is the
    /// column of its name]
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub(crate) input_columns: Option<Vec<String>>,
}

/// What answers when a version that is promoted may not.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct PromoteFallback {
    /// Another version answers instead [default: what the endpoint is routed to now, or what stands in for that]
    #[arg(long, value_name = "VERSION")]
    pub(crate) fallback: Option<String>,
    /// A constant answers instead: a JSON file with an inference response for one row, or the array of its `outputs`
    #[arg(long, value_name = "FILE")]
    pub(crate) fallback_constant: Option<PathBuf>,
    /// Nobody answers instead: callers are told that the endpoint is unavailable
    #[arg(long)]
    pub(crate) no_fallback: bool,
}

/// What answers when the version of an endpoint may not.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Fallback {
    /// Another version answers instead
    #[arg(long, value_name = "VERSION")]
    pub(crate) fallback: Option<String>,
    /// A constant answers instead: a JSON file with an inference response for one row, or the array of its `outputs`
    #[arg(long, value_name = "FILE")]
    pub(crate) fallback_constant: Option<PathBuf>,
    /// Nobody answers instead: callers are told that the endpoint is unavailable
    #[arg(long)]
    pub(crate) no_fallback: bool,
}
