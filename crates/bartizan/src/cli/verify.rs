//! `verify`: its arguments.

use std::path::PathBuf;

use clap::Args;

/// A proof, what to trust, and what it must prove.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof; with a receipt that is --unproved, one of any other prediction by the same gateway
    #[arg(required_unless_present = "receipt")]
    pub(crate) file: Option<PathBuf>,
    /// The trust file
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    /// The state that must be proven: approved, candidate, retired, quarantined, revoked or any [default: approved; any for
    /// a prediction that --prediction or --receipt names, whose version was approved when it answered]
    #[arg(long, value_name = "STATE", value_parser = STATES)]
    pub(crate) state: Option<String>,
    /// The version that the proof must be of, NAME:VERSION
    #[arg(long = "of", value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// The model that the proof must be of: a file or directory that holds exactly its files
    #[arg(long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// Where the largest tree seen is remembered [default: beside the trust file, FILE.seen]
    #[arg(long, value_name = "DIR")]
    pub(crate) memory: Option<PathBuf>,
    /// Accept development keys
    #[arg(long)]
    pub(crate) allow_development: bool,
    /// The prediction that the proof must be of
    #[arg(long, value_name = "ID")]
    pub(crate) prediction: Option<String>,
    /// Run the model of --model again on what was asked, and compare with what was answered
    #[arg(long, requires = "model")]
    pub(crate) replay: bool,
    /// The receipt that the gateway gave for the prediction: the header `Bartizan-Receipt`, or all headers
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// The receipt is for another prediction than the proof, one that cannot be proved: tell what the gateway promised
    #[arg(long, requires = "receipt", conflicts_with = "replay")]
    pub(crate) unproved: bool,
    /// The answer that the receipt was given for: the body, byte for byte
    #[arg(long, value_name = "FILE", requires = "receipt")]
    pub(crate) answer: Option<PathBuf>,
}

/// What `--state` takes.
const STATES: [&str; 6] = ["approved", "candidate", "retired", "quarantined", "revoked", "any"];
