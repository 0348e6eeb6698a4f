//! `data add`: files on their way to a data set.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::io::Read;
use std::path::PathBuf;

use bartizan_base::{Clock as _, RunId, Timestamp, VersionRef};
use bartizan_data::openlineage::{Assertion, CheckEvent, ColumnCounts, Named, Table, event};
use bartizan_data::{Format, Schema};
use bartizan_keys::OsRandom;
use bartizan_store::{RemoteFile, SystemClock};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::Rng as _;
use serde_json::{Value, json};

use super::data::beside::{Other, Told, pinned_is, reference_of};
use super::data::put::{Kind, may_replace, put_report};
use super::data::{SCHEMA_BYTES, open_delivery};
use super::folder::{self, Folder};
use super::remote::{Kept, named, open_remote, unread_object};
use super::steady::{Steady, of_changed};
use super::{Work, encoded, file_failure, read_bytes, read_text};
use crate::catalog::ids;
use crate::cli::Add;
use crate::client::Client;
use crate::failure::Failure;
use crate::out::Progress;

/// Bytes of a file with a signature.
const SIGNATURE_BYTES: u64 = 64 * 1024;

pub(super) async fn run(work: &Work, wanted: Add) -> Result<u8, Failure> {
    if let Some(path) = &wanted.openlineage {
        may_replace(path, Kind::Event, "--openlineage")?;
    }
    let schema = wanted.schema.as_ref().map(|path| read_text(path, SCHEMA_BYTES)).transpose()?;
    // What the project would not take is refused before anything is on its way there.
    let (format, derived) = (format(&wanted)?, derived(&wanted)?);
    let signatures = signatures(&wanted)?;
    let opened = open_all(&wanted)?;
    let beside = opened_beside(work, &wanted, schema.as_deref())?;
    let client = work.client().await?;
    let bytes = opened.iter().fold(0_u64, |sum, delivery| sum.saturating_add(delivery.bytes()));
    let progress = work.out.progress(&format!("adding {} deliveries", opened.len()), bytes);
    let mut deliveries = Vec::with_capacity(wanted.files.len());
    for (delivery, signature) in opened.into_iter().zip(signatures) {
        let upload = uploaded(&client, &progress, &wanted.name, delivery).await?;
        let (upload, source) = (&upload["upload"], &wanted.source);
        deliveries.push(json!({ "upload": upload, "source": source, "signature": signature }));
    }
    let reference = match beside.reference {
        Some(other) => Some(brought(&client, &progress, &wanted.name, other).await?),
        None => None,
    };
    let mut tables = Vec::with_capacity(beside.tables.len());
    for (name, other) in beside.tables {
        tables.push(json!({ "name": name, "with": brought(&client, &progress, &wanted.name, other).await? }));
    }
    let body = json!({
        "environment": beside.environment,
        "now": beside.now,
        "format": format,
        "reference": reference,
        "tables": tables,
        "deliveries": deliveries,
        "schema": schema,
        "label": wanted.label,
        "extend": wanted.extend,
        "requireSignature": wanted.require_signature,
        "derived": derived,
    });
    let path = format!("/api/v1/datasets/{}/versions", encoded(&wanted.name));
    progress.work("checking them");
    let mut added: Value = client.order(&path, &body).await?;
    drop(progress);
    let tables = added.as_object_mut().and_then(|members| members.remove("tables"));
    if let Some(file) = &wanted.openlineage {
        let line = told(&wanted, &added, tables.unwrap_or_default());
        put_report(file, format!("{line}\n").as_bytes())?;
    }
    work.answer(&added)?;
    Ok(u8::from(added["version"].is_null()))
}

/// What rules need beside the deliveries, each file among it open.
struct OpenedBeside {
    environment: Option<String>,
    now: Option<Timestamp>,
    reference: Option<Opened>,
    tables: Vec<(String, Opened)>,
}

enum Opened {
    File(Delivery),
    Version(VersionRef),
}

fn opened_beside(work: &Work, wanted: &Add, schema: Option<&str>) -> Result<OpenedBeside, Failure> {
    let Told { environment, now, mut reference, tables } = Told::parse(&wanted.beside)?;
    // A schema that comes along names its reference by the way from where it lies, which only this side knows. What is no
    // schema of a table is told of by whoever checks by it.
    let parsed = schema.filter(|_| reference.is_none()).and_then(|text| Schema::parse(text).ok());
    let needs = |schema: &Schema| schema.needs_reference(schema.environment(environment.as_deref()));
    if let (Some(schema), Some(path)) = (parsed.filter(needs), &wanted.schema) {
        let named = reference_of(work, &schema, path, environment.as_deref());
        reference =
            named.map(|(file, pinned)| pinned_is(&file, pinned).map(|()| Other::File(file))).transpose()?;
    }
    let open = |other: Other| match other {
        Other::Version(version) => Ok(Opened::Version(version)),
        Other::File(path) => Ok::<_, Failure>(Opened::File(match open_remote(&path)? {
            Some(file) => Delivery::Remote(Box::new(file)),
            None => Delivery::File(path.clone(), open_delivery(&path)?),
        })),
    };
    let tables: Result<_, Failure> =
        tables.into_iter().map(|(name, other)| Ok((name, open(other)?))).collect();
    Ok(OpenedBeside { environment, now, reference: reference.map(open).transpose()?, tables: tables? })
}

async fn brought(client: &Client, progress: &Progress, name: &str, other: Opened) -> Result<Value, Failure> {
    match other {
        Opened::Version(version) => Ok(json!({ "version": version.to_string() })),
        Opened::File(delivery) => {
            let upload = uploaded(client, progress, name, delivery).await?;
            Ok(json!({ "upload": upload["upload"] }))
        }
    }
}

/// A file, or a directory that becomes one.
enum Delivery {
    File(PathBuf, Steady),
    Folder(Folder),
    Remote(Box<RemoteFile>),
}

impl Delivery {
    fn bytes(&self) -> u64 {
        match self {
            Self::File(_, file) => file.bytes(),
            Self::Folder(folder) => folder.bytes(),
            Self::Remote(file) => file.length(),
        }
    }
}

fn open_all(wanted: &Add) -> Result<Vec<Delivery>, Failure> {
    let mut opened = Vec::with_capacity(wanted.files.len());
    for path in &wanted.files {
        if let Some(file) = open_remote(path)? {
            opened.push(Delivery::Remote(Box::new(file)));
            continue;
        }
        let directory = std::fs::metadata(path).map_err(|error| file_failure(path, &error))?.is_dir();
        opened.push(match directory {
            true => Delivery::Folder(folder::list(path, wanted.labels.as_deref())?),
            false => Delivery::File(path.clone(), open_delivery(path)?),
        });
    }
    let folders = opened.iter().filter(|delivery| matches!(delivery, Delivery::Folder(_))).count();
    if folders > 0 && folders < opened.len() || wanted.labels.is_some() && folders != 1 {
        let what = "directories and files are not added together, and --labels is for one directory";
        return Err(Failure::new(ids::USAGE, what));
    }
    Ok(opened)
}

/// Sends a file to the project.
async fn uploaded(
    client: &Client,
    progress: &Progress,
    name: &str,
    delivery: Delivery,
) -> Result<Value, Failure> {
    // Whoever takes the bytes knows nothing of where they come from, and calls it a fault of its own storage.
    let kept = Kept::default();
    let file: Box<dyn Read + Send> = match delivery {
        Delivery::File(path, file) => Box::new(progress.follow(kept.watch(file, move |error| {
            let what = format!("`{}`: cannot read the file", path.display());
            let mut failure = Failure::new(ids::DELIVERY, what);
            failure.why = vec![error.to_string()];
            Some(failure.then(of_changed(error)?))
        }))),
        Delivery::Folder(folder) => Box::new(progress.follow(folder.pack()?)),
        Delivery::Remote(file) => {
            let url = file.url().to_string();
            Box::new(progress.follow(kept.watch(*file, move |error| unread_object(&url, error))))
        }
    };
    let path = format!("/api/v1/uploads?dataset={}", encoded(name));
    client.upload(&path, file).await.map_err(|failure| kept.take().unwrap_or(failure))
}

fn signatures(wanted: &Add) -> Result<Vec<Option<String>>, Failure> {
    let (files, signatures) = (wanted.files.len(), wanted.signature.len());
    if signatures == 0 {
        return Ok(vec![None; files]);
    }
    if signatures != files {
        let what = format!("{signatures} signatures for {files} files: each file has one, in their order");
        return Err(Failure::new(ids::USAGE, what));
    }
    let read = |path: &PathBuf| Ok(Some(STANDARD.encode(read_bytes(path, SIGNATURE_BYTES)?)));
    wanted.signature.iter().map(read).collect()
}

/// How the files are written, where that is said.
fn format(wanted: &Add) -> Result<Option<&str>, Failure> {
    let said = wanted.format.as_deref();
    said.map(str::parse::<Format>).transpose().map_err(|error| Failure::of(ids::USAGE, &error))?;
    Ok(said)
}

fn derived(wanted: &Add) -> Result<Value, Failure> {
    let run = wanted.transform.as_deref().and_then(|text| text.strip_prefix("run:"));
    if wanted.derived_from.is_empty() && run.is_none() {
        return match wanted.transform {
            None => Ok(Value::Null),
            Some(_) => {
                Err(Failure::new(ids::USAGE, "--transform says what was done to what --derived-from names"))
            }
        };
    }
    let usage = |error: &dyn std::error::Error| Failure::of(ids::USAGE, error);
    let from: Result<Vec<VersionRef>, _> = wanted.derived_from.iter().map(|named| named.parse()).collect();
    let from: Vec<_> = from.map_err(|error| usage(&error))?.iter().map(ToString::to_string).collect();
    let run = run.map(str::parse::<RunId>).transpose().map_err(|error| usage(&error))?;
    let transform = wanted.transform.as_ref().filter(|_| run.is_none());
    Ok(json!({ "from": from, "run": run.map(|run| run.to_string()), "transform": transform }))
}

/// The event that tells other systems: how many values there are, and which rules they broke.
fn told(wanted: &Add, added: &Value, tables: Value) -> String {
    let tables = tables.as_array().cloned().unwrap_or_default();
    let inputs = wanted.files.iter().zip(&tables).map(|(path, found)| (named(path), table(found)));
    let namespace = format!("bartizan:{}", added["project"].as_str().unwrap_or_default());
    let output = added["version"].as_str().and_then(|version| version.rsplit_once(':'));
    let output = output.map(|(name, version)| {
        (Named { namespace: namespace.clone(), name: name.to_owned() }, version.to_owned())
    });
    let mut run = [0; 16];
    OsRandom.fill_bytes(&mut run);
    event(&CheckEvent {
        at: SystemClock.now(),
        run,
        producer: super::PRODUCER.to_owned(),
        job: Named { namespace, name: format!("data-add/{}", wanted.name) },
        inputs: inputs.collect(),
        accepted: output.is_some(),
        output,
        failure: None,
    })
}

/// What the API says of a delivery.
fn table(found: &Value) -> Table {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let columns = list(&found["columns"])
        .iter()
        .map(|column| ColumnCounts {
            name: text(&column["name"]),
            kind: text(&column["type"]),
            values: column["values"].as_u64().unwrap_or_default(),
            nulls: column["nulls"].as_u64().unwrap_or_default(),
            distinct: column["distinct"].as_u64(),
        })
        .collect();
    let assertions = list(&found["assertions"])
        .iter()
        .map(|assertion| Assertion {
            rule: text(&assertion["rule"]),
            column: assertion["column"].as_str().map(str::to_owned),
            success: assertion["success"] == json!(true),
            blocks: assertion["blocks"] == json!(true),
        })
        .collect();
    Table {
        rows: found["rows"].as_u64().unwrap_or_default(),
        bytes: found["bytes"].as_u64().unwrap_or_default(),
        columns,
        assertions,
    }
}
