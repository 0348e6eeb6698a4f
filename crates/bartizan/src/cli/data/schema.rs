//! The command line of `data schema`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Reading;

#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Infer a schema from a clean file
    Infer {
        /// A table: CSV, Parquet, JSON lines or Arrow, text also in gzip or zstd; `-` is standard input. Or a directory of images
        /// or texts
        file: PathBuf,
        /// The labels of the files of a directory: CSV with the columns `path` and `label`
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// The column that is to be predicted
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        #[command(flatten)]
        reading: Reading,
        /// A cell that means "no value", instead of the usual ones; may be given several times
        #[arg(long, value_name = "TEXT")]
        null: Vec<String>,
        /// Where to write it, in the place of an older schema [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Also freeze the distributions in this new file, or in the place of an older profile, name it in the schema, and limit drift from it
        #[arg(long, value_name = "FILE")]
        reference: Option<PathBuf>,
    },
    /// Let a schema allow what new files hold: wider ranges, more values, new columns; never less
    Update {
        /// The schema, whose comments and order stay
        schema: PathBuf,
        /// Files that are as they should be
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where to write it [default: where it was]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write nothing; only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Also show which lines of the text change, as a unified diff that `patch` takes
        #[arg(long)]
        diff: bool,
        /// Which environment of the schema the files are of [default: the first one]
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// What the files are [default: found in their first bytes]
        #[arg(long, value_name = "FORMAT", value_parser = super::FORMATS)]
        format: Option<String>,
    },
    /// Make a schema of an expectation suite of Great Expectations
    Import {
        /// The suite, JSON of 0.18 or 1.x
        suite: PathBuf,
        /// A file that the suite is about, which says what types columns have [default: guessed from the suite]
        #[arg(long, value_name = "FILE")]
        like: Option<PathBuf>,
        /// Where to write the schema, in the place of an older one [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
