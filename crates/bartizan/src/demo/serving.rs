//! A released version serves predictions, and a quarantine stops it while it does.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Lines;
use super::story::Story;
use super::table::Table;
use super::training::{self, Cut};
use crate::catalog::ids;

/// Predictions that are asked for.
const PREDICTIONS: usize = 1_000;
/// How long the server may take for an answer, and until an endpoint is ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long what is quarantined may go on answering.
const BITES: Duration = Duration::from_secs(1);
/// Bytes of an answer.
const ANSWER_BYTES: u64 = 1024 * 1024;

/// Serves `trained:2` with `trained:1` behind it, and quarantines it under load.
pub(crate) fn predictions(story: &Story<'_>, lines: &mut Lines<'_>, cut: Cut) -> Result<()> {
    training::once_more(story, cut)?;
    let route = ["endpoint", "route", "scores", "--model", "trained:2", "--fallback", "trained:1"];
    let early = story.stage.on(&story.data, Some(&story.approver), &route)?;
    lines.step(
        "a version that nobody approved: `endpoint route`",
        early.refused("the route", ids::CONFLICT)?,
    )?;
    story.ask(Some(&story.approver), &["model", "approve", "trained:2"])?;
    story.ask(Some(&story.approver), &route)?;
    let server = story.stage.serve(&story.data)?;
    let client = Client { address: &server.inference, key: &story.engineer };
    let began = Instant::now();
    while client.ask("GET", "/v2/models/scores/ready", "")?.0 != 200 {
        ensure!(began.elapsed() < PATIENCE, "the endpoint does not get ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, described) = client.ask("GET", "/v2/models/scores", "")?;
    ensure!(status == 200, "the endpoint does not describe itself: {described}");
    let table = story.table()?;
    for row in 0..PREDICTIONS {
        let (status, answer) = client.infer(&request(&described, &table, row)?)?;
        ensure!(status == 200 && answer["model_version"] == "2", "prediction {row}: {answer}");
    }
    lines.step(
        "`scores` answers for rows of the data, each answer on record",
        &format!("{PREDICTIONS} predictions, by trained:2"),
    )?;
    let reason = ["model", "quarantine", "trained:2", "--reason", "it is part of the demo"];
    story.ask(Some(&story.engineer), &reason)?;
    let (quarantined, body) = (Instant::now(), request(&described, &table, 0)?);
    let bitten = loop {
        let (status, answer) = client.infer(&body)?;
        ensure!(status == 200, "the fallback does not answer: {answer}");
        if answer["model_version"] == "1" {
            break quarantined.elapsed();
        }
        ensure!(quarantined.elapsed() < BITES, "what is quarantined still answers");
    };
    server.end()?;
    lines.step(
        "eve quarantines it: the fallback answers, trained:1",
        &format!("within {} ms", bitten.as_millis()),
    )?;
    let (records, lost) = sealed(story)?;
    ensure!(records >= u64::try_from(PREDICTIONS)? && lost == 0, "{records} records, {lost} lost");
    lines.step("the ledger names the sealed segment of their records", &format!("{records} records"))
}

/// How many records the segments of the ledger hold, and how many they say are lost.
fn sealed(story: &Story<'_>) -> Result<(u64, u64)> {
    let entries = story.ask(Some(&story.approver), &["ledger", "show"])?;
    let (mut records, mut lost) = (0, 0);
    for entry in entries.as_array().context("the ledger shows no entries")? {
        if entry["predicate"] == "https://bartizan.dev/segment/v1" {
            let shown = story.ask(Some(&story.approver), &["ledger", "show", &entry["index"].to_string()])?;
            let stated = &shown["statement"]["predicate"];
            records += stated["count"].as_u64().context("a segment has no count")?;
            lost += stated["lost"].as_u64().context("a segment does not say what is lost")?;
        }
    }
    Ok((records, lost))
}

/// A request about a row of the data, or of the data over again.
fn request(described: &Value, table: &Table, row: usize) -> Result<String> {
    let mut inputs = Vec::new();
    let row = row.checked_rem(table.rows()).unwrap_or_default();
    for input in described["inputs"].as_array().context("the endpoint names no inputs")? {
        let name = input["name"].as_str().context("an input has no name")?;
        let column = table.position(name)?;
        let value = match input["datatype"] == "BYTES" {
            true => json!(String::from_utf8_lossy(table.cell(row, column))),
            false => json!(table.number(row, column)),
        };
        let mut tensor = Map::new();
        tensor.insert("name".into(), name.into());
        tensor.insert("datatype".into(), input["datatype"].clone());
        tensor.insert("shape".into(), json!([1, 1]));
        tensor.insert("data".into(), json!([value]));
        inputs.push(Value::Object(tensor));
    }
    Ok(json!({ "inputs": inputs }).to_string())
}

/// A client of the Open Inference Protocol, with a connection for each request.
struct Client<'a> {
    address: &'a str,
    key: &'a str,
}

impl Client<'_> {
    fn infer(&self, body: &str) -> Result<(u16, Value)> {
        self.ask("POST", "/v2/models/scores/infer", body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<(u16, Value)> {
        let mut stream = TcpStream::connect(self.address).context("the gateway does not listen")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (key, length) = (self.key, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).context("the gateway does not take the request")?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES).read_to_string(&mut answer).context("the gateway does not answer")?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
        let status = head.split(' ').nth(1).context("the answer has no status")?.parse()?;
        Ok((status, serde_json::from_str(body).context("the answer is not JSON")?))
    }
}
