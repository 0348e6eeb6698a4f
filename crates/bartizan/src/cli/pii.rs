//! What `data pii`, `data redact`, `data tokenize` and `data detokenize` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Pii {
    /// Search files and directories of data and logs for personal data and secrets
    Scan(PiiScan),
}

/// Where is searched, and for what.
#[derive(Debug, Args)]
pub(crate) struct PiiScan {
    /// Files, URLs of objects, and directories with everything below them: text, tables in CSV, JSON lines, Parquet or
    /// Arrow, also in gzip or zstd; links are not followed
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// Places that are listed for each file
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) places: usize,
    /// Print what was found, not only where
    #[arg(long)]
    pub(crate) show: bool,
    /// Files that are searched at a time, or threads for a single table [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threads: Option<usize>,
}

/// What is looked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// Only these kinds, separated by commas; `common` is e-mail, phone, card, IBAN, US SSN, IP [default: all]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Kinds of your own, as docs/formats/recognisers-toml.md describes
    #[arg(long, value_name = "FILE")]
    pub(crate) recognisers: Option<PathBuf>,
    /// The least score that counts, from 0 to 1
    #[arg(long, value_name = "SCORE", default_value = "0.5", value_parser = hundredths)]
    pub(crate) min_score: u8,
}

/// How a file is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct Read {
    /// Delimited text with a header, JSON lines, or any text [default: by the ending of the name]
    #[arg(long, value_parser = ["csv", "jsonl", "text"])]
    pub(crate) format: Option<String>,
    /// What separates cells [default: found in the header]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) separator: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Redact {
    /// A file or the URL of an object: CSV, JSON lines or text, also in gzip or zstd
    pub(crate) file: PathBuf,
    /// `<EMAIL>`, a mask, or a keyed hash, for which the project is asked
    #[arg(long, default_value = "redact", value_parser = ["redact", "mask", "hash"])]
    pub(crate) action: String,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) read: Read,
    /// Only in these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Where to write, never compressed; must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Tokenize {
    /// A file or the URL of an object: CSV, JSON lines or text, also in gzip or zstd
    pub(crate) file: PathBuf,
    /// Random tokens, or such of the same form as the value, which takes --kind and --columns
    #[arg(long, default_value = "random", value_parser = ["random", "preserved"])]
    pub(crate) form: String,
    /// The kind that the columns hold: their cells are replaced whole [default: what is found]
    #[arg(long, value_name = "KIND", requires = "columns")]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) read: Read,
    /// Only in these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Where to write, never compressed; must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Detokenize {
    /// A file or the URL of an object: CSV, JSON lines or text, also in gzip or zstd
    pub(crate) file: PathBuf,
    /// The kind that the columns held, for tokens of the same form [default: random tokens, anywhere]
    #[arg(long, value_name = "KIND", requires = "columns")]
    pub(crate) kind: Option<String>,
    #[command(flatten)]
    pub(crate) read: Read,
    /// Only in these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Where to write, never compressed; must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 100 after the comparison"
)]
fn hundredths(text: &str) -> Result<u8, String> {
    match text.parse::<f64>() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok((score * 100.0).round() as u8),
        _ => Err("a score is a number from 0 to 1".to_owned()),
    }
}
