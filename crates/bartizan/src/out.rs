//! The one way to print: data to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
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
        let text = match self.format {
            Format::Json => format!("{value}\n"),
            Format::Table => table(value),
        };
        self.text(&text)
    }

    /// Prints text as it is.
    pub(crate) fn text(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever read us has had enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Tells how things stand, on standard error and only to people.
    pub(crate) fn status(self, text: &str) {
        if io::stderr().is_terminal() && writeln!(io::stderr(), "{text}").is_err() {
            tracing::debug!("standard error is closed");
        }
    }

    /// Prints what went wrong, on standard error.
    pub(crate) fn failure(self, text: &str) {
        if writeln!(io::stderr(), "{text}").is_err() {
            tracing::debug!("standard error is closed");
        }
    }
}

fn table(value: &Value) -> String {
    match value {
        Value::Array(rows) => columns(rows),
        Value::Object(members) => {
            let width = members.keys().map(String::len).max().unwrap_or(0);
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
                        text.push_str(&format!("{name}:\n{}", indented(long)));
                    }
                    other => text.push_str(&format!("{name:<width$}  {}\n", cell(other))),
                }
            }
            text
        }
        other => format!("{}\n", cell(other)),
    }
}

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
    let texts: Vec<Vec<String>> = rows
        .iter()
        .map(|row| names.iter().map(|name| row.get(name.as_str()).map(cell).unwrap_or_default()).collect())
        .collect();
    let widths: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let longest = texts.iter().filter_map(|row| row.get(at)).map(|text| text.chars().count()).max();
            longest.unwrap_or(0).max(name.len())
        })
        .collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{text:<width$}", width = *width))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(names.iter().map(|name| name.to_uppercase()).collect());
    text.extend(texts.into_iter().map(line));
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// One value as text; control characters never reach a terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
