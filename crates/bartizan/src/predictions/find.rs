//! Finding predictions, newest first, with bounded work for one request.

use std::ops::ControlFlow;

use bartizan_base::Timestamp;
use bartizan_gateway::PredictionId;
use bartizan_keys::subjects::{RequestTag, SubjectTag};
use bartizan_registry::prediction::RecordEnvelope;
use bartizan_store::records::{ClearRecord, Found, Position, ReadFailed, Records};
use serde_json::Value;

use super::shown::{is_by, row};

/// Predictions on one page.
pub(crate) const PAGE: usize = 200;

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// From this time on.
    pub(crate) since: Timestamp,
    /// Up to and without this time.
    pub(crate) until: Timestamp,
    /// Of this endpoint.
    pub(crate) endpoint: Option<String>,
    /// By this version `NAME:VERSION`, or by any version of the model `NAME`.
    pub(crate) model: Option<String>,
    /// About this person.
    pub(crate) subject: Option<SubjectTag>,
    /// What its caller called it.
    pub(crate) request: Option<RequestTag>,
    /// Only with flags.
    pub(crate) flagged: bool,
    /// Only answered by `primary`, `fallback`, `constant` or `nobody`.
    pub(crate) answered_by: Option<String>,
    /// At most so many.
    pub(crate) limit: usize,
    /// Only those before.
    pub(crate) before: Option<Position>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Predictions, newest first, and where they are.
    pub(crate) rows: Vec<(Value, Position)>,
    /// Where to go on; `None` when everything was searched.
    pub(crate) next: Option<Position>,
    /// Segments that could not be looked into.
    pub(crate) unread: Vec<u64>,
}

/// Finds predictions. What it does for one call is bounded, so it may return less than asked for, and even nothing,
/// and say where to go on.
pub(crate) fn find(records: &Records, query: &Query) -> Result<Page, ReadFailed> {
    let limit = query.limit.clamp(1, PAGE);
    let mut rows = Vec::new();
    let found = match (query.subject, query.request) {
        (Some(tag), _) => records.by_subject(tag, query.before, limit)?,
        (None, Some(tag)) => records.by_request(tag, query.before, limit)?,
        (None, None) => {
            let scanned = records.scan(query.since..query.until, query.before, |record| {
                rows.extend(query.row(&record));
                if rows.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            return Ok(Page { rows, next: scanned.before, unread: scanned.unread });
        }
    };
    let mut unread = found.unread;
    for position in found.positions {
        match records.peek(position, |record| query.row(&record)) {
            Ok(row) => rows.extend(row),
            Err(error) if error.is_lasting() => unread.push(position.segment),
            Err(error) => return Err(error),
        }
    }
    Ok(Page { rows, next: found.before, unread })
}

/// The place of a prediction, as far as one call looks; or where to go on.
pub(crate) fn by_id(
    records: &Records,
    id: PredictionId,
    before: Option<Position>,
) -> Result<Found, ReadFailed> {
    let found = records.by_id(id.record(), before)?;
    // It may be in a segment that could not be looked into: then it is not said that there is no such prediction.
    let nowhere = found.positions.is_empty() && found.before.is_none();
    match found.unread.first().filter(|_| nowhere) {
        Some(unread) => records.check(*unread).map(|_| found),
        None => Ok(found),
    }
}

impl Query {
    /// The row of a record that is looked for.
    fn row(&self, record: &ClearRecord<'_>) -> Option<(Value, Position)> {
        // An index knows half of a tag.
        let about = self.subject.is_none_or(|tag| record.subject == Some(tag));
        if !about || !(self.since..self.until).contains(&record.time) {
            return None;
        }
        // What a log holds was canonical when it was written.
        let envelope: RecordEnvelope = serde_json::from_slice(record.envelope).ok()?;
        let by = envelope.answered_by.as_str();
        let wanted = self.endpoint.as_ref().is_none_or(|wanted| *wanted == envelope.endpoint.as_str())
            && self.answered_by.as_ref().is_none_or(|wanted| *wanted == by)
            && self.model.as_ref().is_none_or(|wanted| is_by(&envelope, wanted));
        if !wanted {
            return None;
        }
        let (row, flags) = row(&envelope, record)?;
        (flags > 0 || !self.flagged).then_some((row, record.position))
    }
}
