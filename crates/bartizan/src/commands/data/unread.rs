//! What is said of a table that cannot be read to its end: why, and what to do about that.

use std::path::Path;

use bartizan_data::ReadError;

use crate::catalog::ids;
use crate::commands::remote::of_object;
use crate::commands::steady::{AGAIN, of_changed};
use crate::failure::Failure;

pub(in crate::commands) fn unreadable(path: &Path, error: &ReadError) -> Failure {
    let mut failure = Failure::of(ids::DELIVERY, error);
    failure.what = format!("`{}`: {}", path.display(), failure.what);
    match error {
        ReadError::Io(io) => match of_object(io) {
            Some((why, next)) => {
                failure.why = why;
                failure.then(next)
            }
            None => {
                failure.then(of_changed(io).unwrap_or("see to the storage that it lies on, then repeat the command"))
            }
        },
        ReadError::Changed => failure.then(AGAIN),
        ReadError::WrongSeparator { likely, .. } => failure.then(format!(
            "say `{likely}` where the separator is said: `--separator`, or `separator` under `[csv]` in the schema"
        )),
        ReadError::BadText { .. } => failure.then(ENCODING),
        ReadError::Binary { recognised } if recognised.contains("name the encoding") => failure.then(ENCODING),
        ReadError::Binary { recognised } if recognised.contains("JSON lines") => failure.then(one_a_line(".[]", path)),
        ReadError::Json { row: 1, character: 1, what } if what.starts_with("a list") => failure.then(one_a_line(".[]", path)),
        // One object over several lines, or several such.
        ReadError::Json { row: 1, character: 2, .. } => failure.then(one_a_line(".", path)),
        ReadError::Binary { .. } => failure.then("save it as CSV, JSON lines, Parquet or Arrow, and name that file"),
        ReadError::NotSeekable => failure.then("save it to a file, and name that"),
        _ => failure,
    }
}

const ENCODING: &str = "say which encoding it is: `--encoding`, or `encoding` under `[csv]` in the schema";

/// The command that makes JSON lines.
fn one_a_line(filter: &str, path: &Path) -> String {
    if path == Path::new("-") {
        return format!("pipe it through jq -c '{filter}'");
    }
    format!("jq -c '{filter}' {} > FILE.jsonl, then name that file", quoted(&path.display().to_string()))
}

/// A name as a shell takes it for one word.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
