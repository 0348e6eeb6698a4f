//! The one way to print: data to standard output, everything else to standard error.

mod progress;

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

pub(crate) use self::progress::Progress;
use crate::failure::Failure;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs, a line for each element of a list.
    Jsonl,
}

/// Prints data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    /// How.
    pub(crate) format: Format,
}

impl Out {
    /// Prints an answer: as JSON, or as aligned columns and `name: value` lines.
    pub(crate) fn answer(self, value: &Value) -> io::Result<()> {
        print(&self.format.render(value))
    }

    /// Prints lines for people.
    pub(crate) fn lines(self, text: &str) -> io::Result<()> {
        print(&shown_lines(text))
    }

    /// Prints what programs read, as it is.
    pub(crate) fn exact(self, text: &str) -> io::Result<()> {
        print(text)
    }

    /// Prints a file: as it is, except to a terminal.
    pub(crate) fn file(self, text: &str) -> io::Result<()> {
        if io::stdout().is_terminal() { self.lines(text) } else { self.exact(text) }
    }

    /// Prints a line beside the data, on standard error.
    pub(crate) fn note(self, text: &str) {
        if writeln!(io::stderr(), "{}", shown_lines(text)).is_err() {
            tracing::debug!("standard error is closed");
        }
    }

    /// Prints what went wrong, on standard error.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = match self.format {
            Format::Json | Format::Jsonl => serde_json::json!({ "error": failure }).to_string(),
            Format::Table => failure.to_string(),
        };
        if writeln!(io::stderr(), "{text}").is_err() {
            tracing::debug!("standard error is closed");
        }
    }
}

impl Format {
    fn render(self, value: &Value) -> String {
        match self {
            Self::Json => format!("{value}\n"),
            Self::Jsonl => match value {
                Value::Array(rows) => rows.iter().map(|row| format!("{row}\n")).collect(),
                other => format!("{other}\n"),
            },
            Self::Table => table(value),
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever read us has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Text from outside as one line for people: what a terminal would obey instead of show is escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// As [`shown`], for text of several lines.
pub(crate) fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// Control characters (C0, DEL, C1), separators of lines, and whatever changes the direction of what follows.
fn is_hidden(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

fn table(value: &Value) -> String {
    match value {
        Value::Array(rows) => columns(rows),
        Value::Object(members) => {
            let members: Vec<(String, &Value)> =
                members.iter().map(|(name, member)| (shown(name), member)).collect();
            let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(WIDEST);
            let mut text = String::new();
            for (name, member) in members {
                match member {
                    Value::Array(rows) if rows.iter().any(Value::is_object) => {
                        text.push_str(&format!("{name}:\n{}", indented(&columns(rows))));
                    }
                    Value::Array(rows) if !rows.is_empty() => {
                        let lines: String = rows.iter().map(|row| format!("  - {}\n", cell(row))).collect();
                        text.push_str(&format!("{name}:\n{lines}"));
                    }
                    Value::Object(_) => text.push_str(&format!("{name}:\n{}", indented(&table(member)))),
                    Value::String(long) if long.contains('\n') => {
                        text.push_str(&format!("{name}:\n{}", indented(&shown_lines(long))));
                    }
                    other => text.push_str(&format!("{}  {}\n", padded(&name, width), cell(other))),
                }
            }
            text
        }
        other => format!("{}\n", cell(other)),
    }
}

/// Characters that columns are lined up for. What is longer, such as the values of a tensor, sticks out.
const WIDEST: usize = 200;

fn columns(rows: &[Value]) -> String {
    let mut names: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return if rows.is_empty() {
            "(none)\n".to_owned()
        } else {
            rows.iter().map(|row| format!("{}\n", cell(row))).collect()
        };
    }
    let heads: Vec<String> = names.iter().map(|name| shown(name).to_uppercase()).collect();
    let texts: Vec<Vec<String>> = rows
        .iter()
        .map(|row| names.iter().map(|name| row.get(name.as_str()).map(cell).unwrap_or_default()).collect())
        .collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let longest = texts.iter().filter_map(|row| row.get(at)).map(|text| text.chars().count()).max();
            longest.unwrap_or(0).max(head.chars().count()).min(WIDEST)
        })
        .collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(text, width)| padded(text, *width)).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(heads);
    text.extend(texts.into_iter().map(line));
    text
}

/// Text with blanks up to a width in characters. (A width in a format is 65,535 at most.)
fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(blanks))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// One value as one line of text.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => shown(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => shown(&other.to_string()),
    }
}

#[cfg(test)]
mod tests;
