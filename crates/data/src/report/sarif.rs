//! SARIF 2.1.0 (OASIS, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>): a result for each finding, a rule for each kind.

use bartizan_base::sha256;
use serde_json::{Value, json};

use super::rules::about;
use super::suite::{Case, NO_VERDICT, Standing, Suite, Told};
use crate::check::Outcome;
use crate::limits::REPORT_BYTES;
use crate::schema::Severity;

/// Reasons of checks that did not run, each a notification; the rest is counted.
const NOTIFICATIONS: usize = 100;
/// Bytes of the facts of a suite and of what is around them.
const FACTS_BYTES: usize = 8 * 1024;

/// Writes suites as one log with a run for each, of [`REPORT_BYTES`] at most: where there is no room, results that warn are left
/// out first, and a property says how many. Runs share the room equally, but what one does not need is for the others. A row that is known is the line of its region, in formats that have lines.
///
/// A file without a verdict has a run that was not successful, and a result of rule `no-verdict`, since some readers look at
/// results alone.
pub fn write(suites: &[Suite]) -> String {
    let drafts: Vec<Draft> = suites.iter().map(draft).collect();
    let wanted: Vec<usize> = drafts.iter().map(Draft::wanted).collect();
    let fixed: usize = drafts.iter().map(|draft| draft.fixed).sum();
    let rooms = shares(&wanted, REPORT_BYTES.saturating_sub(fixed));
    let runs: Vec<Value> = drafts.into_iter().zip(rooms).map(|(draft, room)| draft.run(room)).collect();
    let mut log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": runs,
    });
    // Whether members are sorted would depend on what else is built into the program.
    log.sort_all_objects();
    format!("{log:#}\n")
}

/// A run without its results, the results with their bytes, and the bytes that it takes whatever the room.
struct Draft {
    run: Value,
    facts: serde_json::Map<String, Value>,
    results: Vec<(Value, usize)>,
    fixed: usize,
}

/// The room of each: what it wants where that is no more than an equal share of what others leave, else that share.
fn shares(wanted: &[usize], all: usize) -> Vec<usize> {
    let mut by_size: Vec<(usize, usize)> = wanted.iter().copied().enumerate().collect();
    by_size.sort_unstable_by_key(|(_, wanted)| *wanted);
    let (mut left, mut others) = (all, by_size.len());
    let mut rooms = vec![0; wanted.len()];
    for (at, wanted) in by_size {
        let room = wanted.min(left / others.max(1));
        left -= room;
        others -= 1;
        if let Some(place) = rooms.get_mut(at) {
            *place = room;
        }
    }
    rooms
}

fn draft(suite: &Suite) -> Draft {
    let mut ids: Vec<&'static str> = suite.cases.iter().map(|case| case.rule).collect();
    ids.sort_unstable();
    ids.dedup();
    let rules: Vec<Value> = ids.iter().map(|id| rule(id)).collect();
    let place = |id: &str| ids.iter().position(|known| *known == id);
    let mut artifact = json!({ "location": { "uri": suite.uri }, "roles": ["analysisTarget"] });
    if let (Some((bytes, digest)), Some(members)) = (&suite.content, artifact.as_object_mut()) {
        members.insert("length".to_owned(), json!(bytes));
        members.insert("hashes".to_owned(), json!({ "sha-256": digest.to_hex() }));
    }
    let facts: serde_json::Map<String, Value> =
        suite.facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let run = json!({
        "tool": { "driver": {
            "name": "Bartizan",
            "informationUri": "https://bartizan.dev",
            "version": suite.version,
            "rules": rules,
        } },
        "automationDetails": { "id": format!("bartizan/{}/", suite.task.replace(' ', "-")) },
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation(suite)],
        "artifacts": [artifact],
        "results": [],
        "properties": {},
    });
    let results = suite.cases.iter().filter_map(|case| result(suite, case, place(case.rule)));
    let sized = results.map(|result| {
        let bytes = written(&result, 4);
        (result, bytes)
    });
    let results: Vec<(Value, usize)> = sized.collect();
    // That there is no verdict is said in however little room.
    let kept = results.iter().filter(|(result, _)| is_no_verdict(result)).map(|(_, bytes)| bytes);
    let fixed = written(&run, 2) + FACTS_BYTES + kept.sum::<usize>();
    Draft { run, facts, results, fixed }
}

impl Draft {
    /// Bytes of the results that can be left out.
    fn wanted(&self) -> usize {
        let optional = self.results.iter().filter(|(result, _)| !is_no_verdict(result));
        optional.map(|(_, bytes)| bytes).sum()
    }

    fn run(self, room: usize) -> Value {
        let Self { mut run, mut facts, results, .. } = self;
        let (results, left_out) = fitting(results, room);
        if left_out > 0 {
            facts.insert("results-left-out".to_owned(), json!(left_out.to_string()));
        }
        if let Some(members) = run.as_object_mut() {
            members.insert("results".to_owned(), json!(results));
            members.insert("properties".to_owned(), json!(facts));
        }
        run
    }
}

fn is_no_verdict(result: &Value) -> bool {
    result.get("ruleId").and_then(Value::as_str) == Some(NO_VERDICT)
}

/// Bytes of a value that is written within others, so deep.
fn written(value: &Value, deep: usize) -> usize {
    let text = format!("{value:#}");
    text.len() + 2 + 2 * deep * (1 + memchr::memchr_iter(b'\n', text.as_bytes()).count())
}

/// Those for which there is room, in their order, where those at level `error` come first to be taken; and how many are not
/// among them. That there is no verdict needs no room.
fn fitting(results: Vec<(Value, usize)>, room: usize) -> (Vec<Value>, usize) {
    let is_error = |result: &Value| result.get("level").and_then(Value::as_str) == Some("error");
    let all = results.len();
    let mut taken: Vec<bool> = results.iter().map(|(result, _)| is_no_verdict(result)).collect();
    let mut left = room;
    for errors in [true, false] {
        for ((result, bytes), taken) in results.iter().zip(&mut taken) {
            if !*taken && is_error(result) == errors && *bytes <= left {
                *taken = true;
                left -= bytes;
            }
        }
    }
    let kept: Vec<Value> =
        results.into_iter().zip(taken).filter_map(|((one, _), taken)| taken.then_some(one)).collect();
    let left_out = all - kept.len();
    (kept, left_out)
}

fn rule(id: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": about(id) },
        "defaultConfiguration": { "level": "error" },
    })
}

fn invocation(suite: &Suite) -> Value {
    let not_run: Vec<(&Case, &String)> = suite
        .cases
        .iter()
        .filter_map(|case| match &case.standing {
            Standing::NotRun(why) => Some((case, why)),
            _ => None,
        })
        .collect();
    let without = suite.outcome == Outcome::Error;
    let level = if without { "error" } else { "warning" };
    let notification = |(case, why): &(&Case, &String)| {
        json!({
            "level": level,
            "message": { "text": format!("not run: {}: {why}", case.title()) },
            "associatedRule": { "id": case.rule },
        })
    };
    let mut notifications: Vec<Value> = not_run.iter().take(NOTIFICATIONS).map(notification).collect();
    if let Some(more @ 1..) = not_run.len().checked_sub(NOTIFICATIONS) {
        notifications.push(
            json!({ "level": level, "message": { "text": format!("{more} more checks did not run") } }),
        );
    }
    let mut invocation = json!({
        "executionSuccessful": !without,
        "toolExecutionNotifications": notifications,
    });
    if let (Some(at), Some(members)) = (suite.at, invocation.as_object_mut()) {
        members.insert("endTimeUtc".to_owned(), json!(at.to_string()));
    }
    invocation
}

fn result(suite: &Suite, case: &Case, rule: Option<usize>) -> Option<Value> {
    match &case.standing {
        Standing::Kept | Standing::Moot(_) => None,
        Standing::NotRun(why) if case.rule == NO_VERDICT => {
            let message = format!("no verdict: {why}");
            Some(one(suite, case, rule, "error", &message, &[location(suite, case, None)]))
        }
        Standing::NotRun(_) => None,
        Standing::Found(told) => {
            let level = if told.severity == Severity::Block { "error" } else { "warning" };
            let named =
                if case.column.is_empty() { String::new() } else { format!("Column `{}`: ", case.column) };
            let message = format!("{named}{}{}", told.message, rows(told));
            let first = told.rows.first().map(|(row, _)| *row);
            let mut result = one(suite, case, rule, level, &message, &[location(suite, case, first)]);
            if let Some(members) = result.as_object_mut() {
                // Without lines all of them would be one place.
                let others = told.rows.iter().skip(1).filter(|(row, _)| suite.line(*row).is_some());
                let related: Vec<Value> = others.map(|(row, _)| location(suite, case, Some(*row))).collect();
                if !related.is_empty() {
                    members.insert("relatedLocations".to_owned(), json!(related));
                }
                members.insert("properties".to_owned(), properties(case, told));
            }
            Some(result)
        }
    }
}

fn one(
    suite: &Suite,
    case: &Case,
    rule: Option<usize>,
    level: &str,
    message: &str,
    locations: &[Value],
) -> Value {
    // The same finding of the next delivery has the same fingerprint, whatever its rows and counts.
    let (key, name) = match case.name.as_str() {
        "" => ("bartizanFinding/v1", String::new()),
        name => ("bartizanFinding/v2", format!("\0{name}")),
    };
    let known_by = format!("{}\0{}\0{}{name}\0{}", suite.uri, case.rule, case.column, case.part);
    json!({
        "ruleId": case.rule,
        "ruleIndex": rule,
        "kind": "fail",
        "level": level,
        "message": { "text": message },
        "locations": locations,
        "partialFingerprints": { key: sha256(known_by.as_bytes()).to_hex() },
    })
}

fn location(suite: &Suite, case: &Case, row: Option<u64>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": suite.uri, "index": 0 } });
    if let (Some(line), Some(members)) = (row.and_then(|row| suite.line(row)), physical.as_object_mut()) {
        members.insert("region".to_owned(), json!({ "startLine": line }));
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(members) = location.as_object_mut()
        && !case.column.is_empty()
    {
        members.insert("logicalLocations".to_owned(), json!([{ "name": case.column, "kind": "member" }]));
    }
    location
}

/// Rows and shapes, in words.
fn rows(told: &Told) -> String {
    let named = told.rows.iter().map(|(row, shape)| match shape {
        Some(shape) => format!("row {row} ({shape})"),
        None => format!("row {row}"),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { String::new() } else { format!(". See {}.", named.join(", ")) }
}

fn properties(case: &Case, told: &Told) -> Value {
    let rows: Vec<u64> = told.rows.iter().map(|(row, _)| *row).collect();
    json!({
        "column": if case.column.is_empty() { Value::Null } else { json!(case.column) },
        "name": if case.name.is_empty() { Value::Null } else { json!(case.name) },
        "count": told.count,
        "share": told.share.map(|(share, _)| share),
        "limit": told.share.map(|(_, limit)| limit),
        "rows": rows,
    })
}
