//! The command line of `data`.

mod beside;
mod report;
mod schema;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) use self::beside::Beside;
pub(crate) use self::report::{CheckReports, Reports};
pub(crate) use self::schema::Schema;
use super::drift::Drift;
use super::pii::{Detokenize, Pii, Redact, Tokenize};
use super::poison::Poison;
use super::source::{Add, Sign, Source};

pub(super) const FORMATS: [&str; 4] = ["csv", "parquet", "jsonl", "arrow"];

#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    /// Schemas
    #[command(subcommand)]
    Schema(Schema),
    /// Say what is in files: types, missing and distinct values, ranges, quantiles, frequent values
    Profile {
        /// Tables of the same columns: CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; `-` is standard
        /// input. Profiles that --out wrote are taken too: one is shown, several are merged. Or one directory of images or texts
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The labels of the files of a directory: CSV with the columns `path` and `label`
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        #[command(flatten)]
        reading: Reading,
        /// A cell that means "no value", instead of the usual ones; may be given several times
        #[arg(long, value_name = "TEXT")]
        null: Vec<String>,
        /// Where to write the profile itself, from which more can be told later, in the place of an older one
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a file against a schema
    Check {
        /// A table: CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; `-` is standard input. Or a directory of images
        /// or texts
        file: PathBuf,
        /// The labels of the files of a directory: CSV with the columns `path` and `label`
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// The schema
        #[arg(long, value_name = "FILE")]
        schema: PathBuf,
        /// `release` refuses what the schema calls `block`; `explore` only warns. `data add` judges by the tier of its
        /// project, so name that tier here to hear what it would say
        #[arg(long, default_value = "release", value_parser = ["release", "explore"])]
        tier: String,
        /// What the file is [default: found in its first bytes]
        #[arg(long, value_name = "FORMAT", value_parser = FORMATS)]
        format: Option<String>,
        /// How many threads read it [default: one for each processor]
        #[arg(long, value_name = "NUMBER")]
        threads: Option<NonZeroUsize>,
        #[command(flatten)]
        beside: Beside,
        #[command(flatten)]
        reports: Box<CheckReports>,
    },
    /// Compare tables: which columns drift, by how much, how likely by chance, and what kind of change it is
    Drift(Box<Drift>),
    /// Check deliveries and add them to a data set, or refuse them, on the record
    ///
    /// They are judged by the tier of the project: in tier explore findings only warn, in tier release what the schema calls
    /// `block` refuses. What rules need beside the deliveries is named as for `data check`, or as data set versions of the
    /// project, NAME:VERSION; the statement says what they were compared with. In tier release values are looked up in
    /// data set versions alone, whichever are named; --now is refused, and so is another --environment than the first of the
    /// schema. A schema that is kept keeps its reference, and in tier release another --reference is refused.
    Add(Box<Add>),
    /// Sign a file as its source, for `data add --signature`
    Sign(Sign),
    /// Sources of data, and the keys that they sign with
    #[command(subcommand)]
    Source(Source),
    /// Look for poisoning, wrong labels, leaks and ordinary faults in a labelled file
    Poison(Box<Poison>),
    /// Personal data and secrets in files
    #[command(subcommand)]
    Pii(Pii),
    /// Write a file anew without the personal data in it
    Redact(Redact),
    /// Write a file anew with tokens in the place of personal data, which security can turn back
    Tokenize(Tokenize),
    /// Write a file anew with its tokens turned back; the project records who did
    Detokenize(Detokenize),
    /// List data sets
    List,
    /// Show a data set version
    Show {
        /// NAME:VERSION
        version: String,
    },
}

/// How files are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reading {
    /// What the files are [default: found in their first bytes]
    #[arg(long, value_name = "FORMAT", value_parser = FORMATS)]
    pub(crate) format: Option<String>,
    /// What separates cells of CSV [default: found in the header]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) separator: Option<String>,
    /// How the text of CSV is written as bytes [default: UTF-8, or as a byte order mark says]
    #[arg(long, value_name = "ENCODING")]
    pub(crate) encoding: Option<String>,
    /// How many threads work; they change nothing but the time [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threads: Option<NonZeroUsize>,
}

impl Reading {
    /// Which options were given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--format", self.format.is_some()),
            ("--separator", self.separator.is_some()),
            ("--encoding", self.encoding.is_some()),
            ("--threads", self.threads.is_some()),
        ]
    }
}
