//! `lineage`: walks as a tree, what saw a source, and events of other systems.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::collections::BTreeMap;

use bartizan_base::Timestamp;
use serde_json::{Value, json};

use super::{Work, encoded};
use crate::catalog::ids;
use crate::cli::{Impact, Lineage, Of};
use crate::failure::Failure;
use crate::out::{Format, shown};

pub(super) async fn run(work: &Work, verb: Lineage) -> Result<u8, Failure> {
    match verb {
        Lineage::Up(of) => walk(work, "up", &of).await,
        Lineage::Down(of) => walk(work, "down", &of).await,
        Lineage::Impact(wanted) => impact(work, &wanted).await,
        Lineage::Import { file } => {
            let opened = super::data::open(&file)?;
            let client = work.client().await?;
            let bytes = opened.metadata().map_or(0, |metadata| metadata.len());
            let progress = work.out.progress(&format!("importing {}", file.display()), bytes);
            let stated = client.upload("/api/v1/lineage/events", Box::new(progress.follow(opened))).await;
            drop(progress);
            work.answer(&stated.map_err(|mut failure| {
                failure.what = format!("`{}`: {}", file.display(), failure.what);
                failure
            })?)
        }
    }
}

async fn walk(work: &Work, direction: &str, of: &Of) -> Result<u8, Failure> {
    let kind = if of.dataset { "&kind=dataset" } else { "" };
    let path = format!(
        "/api/v1/lineage?direction={direction}&of={}{kind}&skip={}&limit={}",
        encoded(&of.thing),
        of.skip,
        of.limit
    );
    let found = work.client().await?.get(&path).await?;
    if work.out.format == Format::Table {
        work.out.lines(&tree(&found)).map_err(|error| Failure::of(ids::FILE, &error))?;
    } else {
        work.answer(&found)?;
    }
    more(work, &found, "things");
    Ok(0)
}

/// The nodes of a walk, each below the one that it was reached from.
fn tree(found: &Value) -> String {
    let nodes = found["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut below: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let here: Vec<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let mut roots = Vec::new();
    for node in nodes {
        match node["via"].as_str().filter(|via| here.contains(via)) {
            Some(via) => below.entry(via).or_default().push(node),
            None => roots.push(node),
        }
    }
    let mut text = String::new();
    // Each with what is drawn before it, and what is drawn before those below it.
    let mut open: Vec<(&Value, String, String)> =
        roots.into_iter().rev().map(|root| (root, String::new(), String::new())).collect();
    while let Some((node, before, beneath)) = open.pop() {
        let standing = node["standing"].as_str().map(|word| format!(", {word}")).unwrap_or_default();
        let over = node["relation"].as_str().map(|relation| {
            let entry = node["entry"].as_u64().map(|entry| format!(", entry {entry}")).unwrap_or_default();
            let basis = if node["basis"] == json!("asserted") { ", asserted" } else { "" };
            format!("  ({relation}{basis}{entry})")
        });
        let (kind, name) =
            (node["kind"].as_str().unwrap_or_default(), node["name"].as_str().unwrap_or_default());
        text.push_str(&format!("{before}{kind} {}{standing}{}\n", shown(name), over.unwrap_or_default()));
        let children = node["id"].as_str().and_then(|id| below.remove(id)).unwrap_or_default();
        let last = children.len().saturating_sub(1);
        for (at, child) in children.into_iter().enumerate().rev() {
            let (mark, rest) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            open.push((child, format!("{beneath}{mark}"), format!("{beneath}{rest}")));
        }
    }
    text
}

async fn impact(work: &Work, wanted: &Impact) -> Result<u8, Failure> {
    let of = match (&wanted.source, &wanted.thing) {
        (Some(source), _) => format!("source={}", encoded(source)),
        (None, thing) => format!("of={}", encoded(thing.as_deref().unwrap_or_default())),
    };
    let bound = |text: &Option<String>| text.as_deref().map(moment).transpose();
    let (since, until) = (bound(&wanted.since)?, bound(&wanted.until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        let what =
            format!("`--since` is {since}, which is not before `--until`, {until}: no time lies between");
        return Err(Failure::new(ids::USAGE, what));
    }
    let bound = |name: &str, at: Option<Timestamp>| match at {
        Some(at) => format!("&{name}={}", encoded(&at.to_string())),
        None => String::new(),
    };
    let (since, until) = (bound("since", since), bound("until", until));
    let path =
        format!("/api/v1/lineage/impact?{of}{since}{until}&skip={}&limit={}", wanted.skip, wanted.limit);
    let found = work.client().await?.get(&path).await?;
    if work.out.format != Format::Table {
        work.answer(&found)?;
        return Ok(0);
    }
    let rows = found["models"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |row: &Value| {
        let path: Vec<String> =
            row["path"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(text).collect();
        let endpoints: Vec<String> = row["endpoints"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .map(|one| {
                let live = if one["live"] == json!(true) { "live" } else { "not now" };
                format!("{} ({live}, {})", text(&one["endpoint"]), text(&one["as"]))
            })
            .collect();
        json!({ "version": row["version"], "state": row["state"], "endpoints": endpoints.join(", "), "path": path.join(" > ") })
    };
    work.answer(&Value::Array(rows.iter().map(row).collect()))?;
    work.out.note(&format!(
        "{} model versions; endpoints that serve one of them now: {}",
        found["total"], found["liveEndpoints"]
    ));
    more(work, &found, "model versions");
    Ok(0)
}

/// Says how to see the rest, where there is one.
fn more(work: &Work, found: &Value, what: &str) {
    if let Some(next) = found["next"].as_u64() {
        work.out.note(&format!("there are {} {what}: go on with `--skip {next}`", found["total"]));
    }
    if found["cut"] == json!(true) {
        work.out.note("there may be more than the walk looked at");
    }
}

/// A time, or the beginning of a day in UTC.
fn moment(text: &str) -> Result<Timestamp, Failure> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|error| Failure::of(ids::USAGE, &error))
}
