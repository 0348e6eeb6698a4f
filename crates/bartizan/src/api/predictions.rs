//! Recorded predictions: found, and shown to those who may see them.

use std::cmp::Reverse;
use std::sync::Arc;

use bartizan_base::{ErasureId, Name, Timestamp};
use bartizan_gateway::PredictionId;
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::state::{Erasure, State};
use bartizan_store::records::{Personal, Position, Records, StoredRecord};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Call};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::inference::Gateway;
use crate::predictions::{Cursor, Query, Revealed, by_id, find, shown, unread};

/// Bytes of the value of a subject, or of what a caller calls a request.
const VALUE_BYTES: usize = 4096;
/// Erasures on one page.
const ERASURES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Search {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    endpoint: Option<String>,
    model: Option<String>,
    subject: Option<String>,
    request: Option<String>,
    #[serde(default)]
    flagged: bool,
    answered_by: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Whether there is, or was, an endpoint of that name.
fn known(app: &App, name: &str) -> bool {
    name.parse::<Name>().is_ok_and(|name| app.registry.state().endpoints().contains_key(&name))
}

/// Finds predictions. The person that they are about is named in the body, where no log of requests has it. Who looks
/// for what is personal learns whether it is recorded, also of what was erased since.
pub(super) async fn search(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Search = call.json().await?;
    match wanted.subject.is_some() || wanted.request.is_some() {
        true => app.registry.ask(&caller, op::PredictionsRead, ProjectWide).await?,
        false => app.registry.ask(&caller, op::PredictionsShow, ProjectWide).await?,
    }
    for value in [&wanted.subject, &wanted.request].into_iter().flatten() {
        check_value(value)?;
    }
    let named = wanted.endpoint.as_deref().filter(|name| !known(app, name));
    if let Some(name) = named {
        let shown: String = name.chars().take(80).collect();
        let failure = Failure::new(ids::NOT_FOUND, format!("there is no endpoint `{shown}`, and never was"));
        return Err(failure.then("bartizan endpoint list"));
    }
    let gateway = Arc::clone(app.gateway().await?);
    let (subjects, before) = (gateway.subjects(), cursor(wanted.cursor.as_deref())?);
    let query = Query {
        since: wanted.since.unwrap_or(Timestamp::EPOCH),
        until: wanted.until.unwrap_or(Timestamp::from_millis(i64::MAX)),
        endpoint: wanted.endpoint,
        model: wanted.model,
        subject: wanted.subject.as_ref().map(|value| subjects.tag(value.as_bytes())),
        request: wanted.request.as_ref().map(|value| subjects.request_tag(value.as_bytes())),
        flagged: wanted.flagged,
        answered_by: wanted.answered_by,
        limit: wanted.limit.unwrap_or(usize::MAX),
        before,
    };
    if before.is_none() {
        gateway.seal_taken().await?;
    }
    let found = move |records: &Records| find(records, &query).map_err(|error| unread(&error));
    let mut page = reading(&gateway, found).await?;
    let (state, id) = (app.registry.state(), gateway.id());
    for (row, position) in &mut page.rows {
        let erased = state.erased(&id, position.segment, position.index).is_some();
        if let Some(members) = row.as_object_mut() {
            members.insert("erased".to_owned(), erased.into());
        }
    }
    let rows: Vec<Value> = page.rows.into_iter().map(|(row, _)| row).collect();
    let next = page.next.map(|next| Cursor(next).to_string());
    Ok(Answer::Json(json!({ "predictions": rows, "next": next, "unreadSegments": page.unread })))
}

/// Shows a prediction, or says where to go on looking for it.
pub(super) async fn show(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    let revealed = match call.query::<bool>("inputs")? {
        Some(true) => Revealed::Personal,
        Some(false) | None => Revealed::Clear,
    };
    match revealed {
        Revealed::Personal => app.registry.ask(call.caller()?, op::PredictionsRead, ProjectWide).await?,
        Revealed::Clear => app.registry.ask(call.caller()?, op::PredictionsShow, ProjectWide).await?,
    }
    let id: PredictionId = call.part("id")?;
    let before = cursor(call.query.get("cursor").map(String::as_str))?;
    let gateway = Arc::clone(app.gateway().await?);
    let look = async || {
        reading(&gateway, move |records| by_id(records, id, before).map_err(|error| unread(&error))).await
    };
    let mut found = look().await?;
    // What was taken a moment ago is in the log, and what is asked for is mostly new.
    if found.positions.is_empty() && before.is_none() {
        gateway.seal_taken().await?;
        found = look().await?;
    }
    let position = match (found.positions.first(), found.before) {
        (Some(position), _) => *position,
        (None, Some(next)) => return Ok(Answer::Json(json!({ "next": Cursor(next).to_string() }))),
        (None, None) => {
            let failure = Failure::new(ids::NOT_FOUND, format!("there is no record of {id}"));
            return Err(failure.then("bartizan predictions search"));
        }
    };
    let record = reading(&gateway, move |records| records.read(position).map_err(|error| unread(&error)));
    let mut record = record.await?;
    let (state, id) = (app.registry.state(), gateway.id());
    // What was ordered to be erased is not shown, also where an older copy of the keys was put back.
    if state.erased(&id, position.segment, position.index).is_some() {
        record.personal = Personal::Erased;
    }
    let (sealed, personal) = (sealed(&state, &id, position), standing(&state, &id, &record));
    shown(&record, &sealed, &personal, revealed).map(Answer::Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erase {
    subject: String,
    reason: String,
}

/// Erases what is recorded of a person.
pub(super) async fn erase(app: &Arc<App>, mut call: Call) -> Result<Answer, Failure> {
    let caller = call.caller.take().ok_or_else(|| Failure::new(ids::NOT_AUTHENTICATED, "nobody asks"))?;
    let wanted: Erase = call.json().await?;
    check_value(&wanted.subject)?;
    let gateway = app.gateway().await?;
    let tag = gateway.subjects().tag(wanted.subject.as_bytes());
    let erasure = gateway.erase(&caller, tag, wanted.reason).await?;
    let state = app.registry.state();
    let found = state.erasures().get(&erasure);
    Ok(Answer::Json(found.map_or(Value::Null, |found| erasure_row(erasure, found))))
}

/// Lists erasures, the latest first.
pub(super) async fn erasures(app: &Arc<App>, call: Call) -> Result<Answer, Failure> {
    app.registry.ask(call.caller()?, op::PredictionsShow, ProjectWide).await?;
    let before = call.query::<u64>("before")?.unwrap_or(u64::MAX);
    let state = app.registry.state();
    let mut found: Vec<_> =
        state.erasures().iter().filter(|(_, found)| found.statement.entry < before).collect();
    found.sort_unstable_by_key(|(_, found)| Reverse(found.statement.entry));
    found.truncate(ERASURES);
    Ok(Answer::Json(found.into_iter().map(|(id, found)| erasure_row(*id, found)).collect()))
}

fn erasure_row(erasure: ErasureId, found: &Erasure) -> Value {
    json!({
        "erasure": erasure,
        "by": found.by,
        "at": found.at,
        "entry": found.statement.entry,
        "records": found.records,
        "unreadSegments": found.unread.len(),
        "finished": found.finished,
    })
}

/// Whether what is personal in a record can be read, and what became of it when not.
fn standing(state: &State, gateway: &str, record: &StoredRecord) -> Value {
    if record.personal != Personal::Erased {
        return json!({ "state": "kept" });
    }
    let Position { segment, index } = record.position;
    match state.erased(gateway, segment, index) {
        Some(erased) => json!({ "state": "erased", "erasure": erased.erasure, "entry": erased.entry }),
        None if state.erasures().values().any(|erasure| erasure.finished.is_none()) => {
            json!({ "state": "erasing" })
        }
        // The key is gone, and nobody stated that it should be.
        None => json!({ "state": "lost" }),
    }
}

/// What the ledger says of the segment that a record is in; nothing when no entry states it.
fn sealed(state: &State, gateway: &str, position: Position) -> Value {
    let Position { segment, index } = position;
    let entry = state.segment_entry(gateway, segment);
    let stated = entry.and_then(|entry| state.logged().get(usize::try_from(entry).ok()?));
    json!({ "segment": segment, "index": index, "root": stated.map(|stated| stated.subject), "entry": entry })
}

/// Reads records off the async threads.
pub(super) async fn reading<T: Send + 'static>(
    gateway: &Gateway,
    read: impl FnOnce(&Records) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let records = Arc::clone(gateway.records());
    let read = tokio::task::spawn_blocking(move || read(&records)).await;
    read.map_err(|error| Failure::of(ids::INTERNAL, &error))?
}

pub(super) fn cursor(text: Option<&str>) -> Result<Option<Position>, Failure> {
    let parsed = text.map(str::parse::<Cursor>).transpose();
    let parsed = parsed.map_err(|error| Failure::of(ids::INVALID, &error))?;
    Ok(parsed.map(|Cursor(position)| position))
}

/// A value that may be personal: it is never repeated in what is answered.
fn check_value(value: &str) -> Result<(), Failure> {
    if value.is_empty() || value.len() > VALUE_BYTES {
        let what = format!("the value is empty, or longer than {VALUE_BYTES} bytes");
        return Err(Failure::new(ids::INVALID, what));
    }
    Ok(())
}
