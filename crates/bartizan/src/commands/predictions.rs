//! `predictions`: find and show what was predicted.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use bartizan_base::{Clock, Timestamp};
use bartizan_store::SystemClock;
use serde_json::{Value, json};

use super::{Work, encoded, file_failure, read_text};
use crate::catalog::ids;
use crate::cli::{About, Predictions, Search};
use crate::client::Client;
use crate::failure::Failure;
use crate::out::Format;

/// Bytes of a file that names a person.
const SUBJECT_BYTES: u64 = 8192;

pub(super) async fn run(work: &Work, verb: Predictions) -> Result<u8, Failure> {
    match verb {
        Predictions::Search(wanted) => search(work, &wanted).await,
        Predictions::Show { id, request, inputs } => show(work, id, request, inputs).await,
        Predictions::Erase { about, reason, yes } => erase(work, &about.into(), &reason, yes).await,
        Predictions::Erasures => erasures(work).await,
    }
}

async fn search(work: &Work, wanted: &Search) -> Result<u8, Failure> {
    let now = SystemClock.now();
    let time = |text: &Option<String>| text.as_deref().map(|text| moment(text, now)).transpose();
    let mut query = json!({
        "since": time(&wanted.since)?,
        "until": time(&wanted.until)?,
        "endpoint": wanted.endpoint,
        "model": wanted.model,
        "subject": subject(&wanted.about)?,
        "request": wanted.request,
        "flagged": wanted.flagged,
        "answeredBy": wanted.answered_by,
        "cursor": wanted.cursor,
    });
    let client = work.client().await?;
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let next = loop {
        set(&mut query, "limit", (limit - found.len()).into());
        let page = client.order("/api/v1/predictions/search", &query).await?;
        let list = |name| page.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        found.extend(list("predictions"));
        unread.extend(list("unreadSegments"));
        let next = page.get("next").cloned().unwrap_or_default();
        if next.is_null() || found.len() >= limit {
            break next;
        }
        set(&mut query, "cursor", next);
    };
    if work.out.format == Format::Json {
        return work.answer(&json!({ "predictions": found, "next": next, "unreadSegments": unread }));
    }
    let answered = work.answer(&Value::Array(found));
    if !unread.is_empty() {
        let count = unread.len();
        work.out.note(&format!("{count} segments cannot be read, and are left out: bartizan ledger fsck"));
    }
    if let Some(cursor) = next.as_str() {
        work.out.note(&format!("there may be more: repeat the search with --cursor {cursor}"));
    }
    answered
}

async fn show(work: &Work, id: Option<String>, request: Option<String>, inputs: bool) -> Result<u8, Failure> {
    let client = work.client().await?;
    let id = match (id, request) {
        (Some(id), _) => id,
        (None, Some(request)) => requested(&client, &request).await?,
        (None, None) => return Err(Failure::new(ids::USAGE, "a prediction has an id or a request id")),
    };
    work.answer(&located(&client, &id, inputs).await?)
}

/// What is recorded of a prediction, wherever it is.
pub(super) async fn located(client: &Client, id: &str, inputs: bool) -> Result<Value, Failure> {
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/predictions/{}?inputs={inputs}{cursor}", encoded(id));
        let shown = client.examine(&path).await?;
        match shown.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
            None => return Ok(shown),
        }
    }
}

async fn erase(work: &Work, about: &About, reason: &str, yes: bool) -> Result<u8, Failure> {
    if !yes && !confirmed()? {
        let what = "an erasure cannot be undone, and nobody confirmed it";
        return Err(Failure::new(ids::NOT_CONFIRMED, what));
    }
    let body = json!({ "subject": subject(about)?, "reason": reason });
    let erased = work.client().await?.order("/api/v1/predictions/erasures", &body).await?;
    work.answer(&erased)
}

/// Asks whoever sits at the terminal; without one nobody can say yes.
fn confirmed() -> Result<bool, Failure> {
    let mut stdin = std::io::stdin().lock();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    let question = "This destroys what is recorded of the person: inputs, outputs, who asked. Nobody can bring it \
                    back. Type `erase` to go on: ";
    let asked = write!(std::io::stderr(), "{question}").and_then(|()| std::io::stderr().flush());
    asked.map_err(|error| file_failure(Path::new("the terminal"), &error))?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    read.map_err(|error| file_failure(Path::new("the terminal"), &error))?;
    Ok(line.trim() == "erase")
}

async fn erasures(work: &Work) -> Result<u8, Failure> {
    let client = work.client().await?;
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/v1/predictions/erasures{before}")).await?;
        let rows = page.as_array().cloned().unwrap_or_default();
        let Some(last) = rows.last().and_then(|row| row.get("entry")?.as_u64()) else { break };
        before = format!("?before={last}");
        all.extend(rows);
    }
    work.answer(&Value::Array(all))
}

/// The id of the one prediction that its caller called so.
async fn requested(client: &Client, request: &str) -> Result<String, Failure> {
    let mut query = json!({ "request": request, "limit": 2 });
    let mut found: Vec<String> = Vec::new();
    loop {
        let page = client.order("/api/v1/predictions/search", &query).await?;
        let rows = page.get("predictions").and_then(Value::as_array).into_iter().flatten();
        found.extend(rows.filter_map(|row| row.get("id")?.as_str().map(str::to_owned)));
        match (found.as_slice(), page.get("next")) {
            ([_, _, ..], _) => {
                let what = "several predictions were asked for with this request id";
                let next = "bartizan predictions search --request ID, then show one by its id";
                return Err(Failure::new(ids::CONFLICT, what).then(next));
            }
            (_, Some(next)) if next.is_string() => set(&mut query, "cursor", next.clone()),
            ([id], _) => return Ok(id.clone()),
            ([], _) => {
                let what = "there is no prediction with this request id";
                return Err(Failure::new(ids::NOT_FOUND, what).then("bartizan predictions search"));
            }
        }
    }
}

fn set(query: &mut Value, name: &str, value: Value) {
    if let Some(members) = query.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The value that names a person, from an argument, a file or standard input.
fn subject(about: &About) -> Result<Option<String>, Failure> {
    let text = match (&about.subject, &about.subject_file) {
        (Some(value), _) => return Ok(Some(value.clone())),
        (None, None) => return Ok(None),
        (None, Some(path)) if path == Path::new("-") => {
            let mut text = String::new();
            let read = std::io::stdin().take(SUBJECT_BYTES).read_to_string(&mut text);
            read.map_err(|error| file_failure(Path::new("standard input"), &error))?;
            text
        }
        (None, Some(path)) => read_text(path, SUBJECT_BYTES)?,
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(Failure::new(ids::USAGE, "a person is named by one line of text"));
    }
    Ok(Some(line.to_owned()))
}

/// A moment: a time, a day, or how long before `now`.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let millis = match text.strip_prefix(digits) {
        Some("s") => Some(1_000),
        Some("m") => Some(60_000),
        Some("h") => Some(3_600_000),
        Some("d") => Some(86_400_000),
        _ => None,
    };
    if let (Some(millis), Ok(count)) = (millis, digits.parse::<u32>()) {
        return Ok(now.plus_millis(-i64::from(count).saturating_mul(millis)));
    }
    let day = format!("{text}T00:00:00Z");
    text.parse().or_else(|error| {
        let next =
            "name a time like 2026-03-01T12:00:00Z, a day like 2026-03-01, or how long ago: 30m, 24h, 7d";
        day.parse().map_err(|_| Failure::of(ids::USAGE, &error).then(next))
    })
}

#[cfg(test)]
mod tests;
