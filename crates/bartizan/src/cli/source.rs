//! `data source` and `data sign`: their arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Name a source of data, and trust the keys that it signs its deliveries with
    Add {
        /// What it is called; `data add --source` names it so
        name: String,
        #[command(flatten)]
        keys: SourceKeys,
    },
    /// List sources, with what they delivered and signed
    List,
    /// Show a source and its keys
    Show {
        /// Its name or id
        source: String,
    },
    /// Trust further keys of a source
    Trust {
        /// Its name or id
        source: String,
        #[command(flatten)]
        keys: SourceKeys,
    },
    /// Revoke a key of a source, for good
    Revoke {
        /// Its name or id
        source: String,
        /// The key's id, as `data source show` tells it
        key: String,
        /// The ledger entry from which on nothing that it signed counts [default: from now on]
        #[arg(long, value_name = "ENTRY")]
        from: Option<u64>,
    },
    /// Take no delivery of a source any more
    Disable {
        /// Its name or id
        source: String,
    },
    /// Take deliveries of a source again
    Enable {
        /// Its name or id
        source: String,
    },
}

/// Public keys of a source.
#[derive(Debug, Args)]
pub(crate) struct SourceKeys {
    /// A public key: PEM (Ed25519 or P-256), or minisign's; may be given several times
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub(crate) keys: Vec<PathBuf>,
}

/// A file that a source is to sign; needs no data directory and no server.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// What is delivered
    pub(crate) file: PathBuf,
    /// The source's private key in PEM (PKCS#8, Ed25519 or P-256), as `openssl genpkey` writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The one data set that it may be added to [default: any]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// Where to write the signature [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Deliveries that are to be added.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The data set
    pub(crate) name: String,
    /// Tables, one delivery each: CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; or directories of images or
    /// texts
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The labels of the files of a directory: CSV with the columns `path` and `label`
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Where they come from: a source of this project, or words
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: String,
    /// The source's signature over each file, in their order; see `data sign` for how to make one
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Vec<PathBuf>,
    /// Take signed deliveries alone, from this version on and for ever
    #[arg(long)]
    pub(crate) require_signature: bool,
    /// A data set version that they were made from; may be given several times
    #[arg(long, value_name = "NAME:VERSION")]
    pub(crate) derived_from: Vec<String>,
    /// What was done to those, in words, or `run:ID` for the run that made the files
    #[arg(long, value_name = "TEXT")]
    pub(crate) transform: Option<String>,
    /// The schema [default: that of the last version, else inferred]
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// The label, for a schema that is inferred
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,
    /// What the files are [default: found in their first bytes]
    #[arg(long, value_name = "FORMAT", value_parser = super::data::FORMATS)]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) beside: super::data::Beside,
    /// Keep the parts of the last version
    #[arg(long)]
    pub(crate) extend: bool,
    /// Also write an OpenLineage event, with counts and no values
    #[arg(long, value_name = "FILE")]
    pub(crate) openlineage: Option<PathBuf>,
}
