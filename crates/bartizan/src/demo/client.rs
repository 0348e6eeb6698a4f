//! A client of the Open Inference Protocol, with a connection for each request.
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

use super::table::Table;

/// How long the server may take for an answer, and until an endpoint is ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const ANSWER_BYTES: u64 = 1024 * 1024;

/// Who asks, and where.
pub(super) struct Client<'a> {
    address: &'a str,
    key: &'a str,
    described: Value,
}

/// An answer, as it came.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// The body, read.
    pub(super) json: Value,
}

impl<'a> Client<'a> {
    /// Waits until the endpoint `scores` is ready, and asks what it takes.
    pub(super) fn of(address: &'a str, key: &'a str) -> Result<Self> {
        let mut client = Self { address, key, described: Value::Null };
        let began = Instant::now();
        while client.ask("GET", "/v2/models/scores/ready", "", "")?.status != 200 {
            ensure!(began.elapsed() < PATIENCE, "the endpoint does not get ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        let described = client.ask("GET", "/v2/models/scores", "", "")?;
        ensure!(described.status == 200, "the endpoint does not describe itself: {}", described.body);
        client.described = described.json;
        Ok(client)
    }

    /// A prediction for a row of the data, or of the data over again, about somebody.
    pub(super) fn predict(&self, table: &Table, row: usize, subject: &str) -> Result<Answered> {
        let body = self.request(table, row)?;
        let about = format!("Bartizan-Subject: {subject}\r\n");
        self.ask("POST", "/v2/models/scores/infer", &about, &body)
    }

    fn request(&self, table: &Table, row: usize) -> Result<String> {
        let mut inputs = Vec::new();
        let row = row.checked_rem(table.rows()).unwrap_or_default();
        for input in self.described["inputs"].as_array().context("the endpoint names no inputs")? {
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

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Result<Answered> {
        let mut stream = TcpStream::connect(self.address).context("the gateway does not listen")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (key, length) = (self.key, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).context("the gateway does not take the request")?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES).read_to_string(&mut answer).context("the gateway does not answer")?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
        let status = head.split(' ').nth(1).context("the answer has no status")?.parse()?;
        let json = serde_json::from_str(body).context("the answer is not JSON")?;
        Ok(Answered { status, head: head.to_owned(), body: body.to_owned(), json })
    }
}

impl Answered {
    /// The prediction's id.
    pub(super) fn id(&self) -> Result<String> {
        let id = self.json["parameters"]["prediction_id"].as_str();
        id.map(str::to_owned).with_context(|| format!("the answer has no prediction: {}", self.body))
    }

    /// What answered.
    pub(super) fn answered_by(&self) -> &str {
        self.json["parameters"]["answered_by"].as_str().unwrap_or_default()
    }

    /// The number of the version that answered.
    pub(super) fn version(&self) -> &str {
        self.json["model_version"].as_str().unwrap_or_default()
    }
}
