//! A released version serves predictions, a quarantine stops it while it does, and the one before comes back.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::Instant;

use super::Lines;
use super::attacks::{flip_byte, for_each_file};
use super::client::{Answered, Client};
use super::story::Story;
use super::table::Table;
use super::training::{self, Cut};
use crate::catalog::ids;

/// Predictions that are asked for.
const PREDICTIONS: usize = 1_000;
/// How many people they are about.
const PEOPLE: usize = 100;
/// How long what is quarantined may go on answering.
const BITES: Duration = Duration::from_secs(1);
/// The data directory as it was when `trained:2` was promoted.
const COPY: &str = "attack-served";
/// How long until damage of what is served must have been found: it is read again each few seconds.
const REREAD: Duration = Duration::from_secs(20);

/// What is left of the predictions that the story goes on with.
pub(crate) struct Asked {
    /// An answer about somebody.
    pub(super) first: Answered,
    /// An answer about somebody else.
    pub(super) other: Answered,
    /// Where the largest file of `trained:2` is stored, relative to the data directory.
    stored: PathBuf,
    pub(super) table: Table,
}

/// How somebody is called whom predictions are about.
pub(super) fn person(number: usize) -> String {
    format!("person-{number}@example.org")
}

/// Serves `trained:2` with `trained:1` behind it, quarantines it under load, and goes back.
pub(crate) fn predictions(story: &Story<'_>, lines: &mut Lines<'_>, cut: &Cut) -> Result<Asked> {
    let stored = second_version(story, lines, cut)?;
    let table = story.table()?;
    let server = story.stage.serve(&story.data)?;
    let client = Client::of(&server.inference, &story.engineer)?;
    let mut kept = Vec::new();
    for row in 0..PREDICTIONS {
        let answer = client.predict(&table, row, &person(row % PEOPLE))?;
        ensure!(answer.status == 200 && answer.version() == "2", "prediction {row}: {}", answer.body);
        if row < 2 {
            kept.push(answer);
        }
    }
    lines.step(
        "`scores` answers for rows of the data, each answer on record",
        &format!("{PREDICTIONS} predictions about {PEOPLE} people, by trained:2"),
    )?;
    let reason = ["model", "quarantine", "trained:2", "--reason", "it is part of the demo"];
    story.ask(Some(&story.engineer), &reason)?;
    let quarantined = Instant::now();
    loop {
        let answer = client.predict(&table, 0, &person(0))?;
        ensure!(answer.status == 200, "the fallback does not answer: {}", answer.body);
        if answer.version() == "1" {
            break;
        }
        ensure!(quarantined.elapsed() < BITES, "what is quarantined still answers");
    }
    let bitten = quarantined.elapsed().as_millis();
    lines.step("eve quarantines it: the fallback answers, trained:1", &format!("within {bitten} ms"))?;
    let back = story.ask(Some(&story.engineer), &["model", "rollback", "--endpoint", "scores"])?;
    ensure!(back["to"] == "trained:1", "it was not rolled back: {back}");
    let rolled_back = Instant::now();
    while client.predict(&table, 0, &person(0))?.answered_by() != "primary" {
        ensure!(rolled_back.elapsed() < REREAD, "trained:1 does not answer as the primary");
    }
    lines.step("eve rolls back: trained:1 is the primary again", "model rollback --endpoint scores")?;
    server.end()?;
    let (records, lost) = sealed(story)?;
    ensure!(records >= u64::try_from(PREDICTIONS)? && lost == 0, "{records} records, {lost} lost");
    lines.step("the ledger names the sealed segments of their records", &format!("{records} records"))?;
    let mut kept = kept.into_iter();
    let (first, other) = (kept.next(), kept.next());
    let missing = "no answer was kept";
    Ok(Asked { first: first.context(missing)?, other: other.context(missing)?, stored, table })
}

/// Trains `trained:2`, which no endpoint may be routed to before somebody approves it, and promotes it.
fn second_version(story: &Story<'_>, lines: &mut Lines<'_>, cut: &Cut) -> Result<PathBuf> {
    let route = ["endpoint", "route", "scores", "--model", "trained:1", "--no-fallback"];
    story.ask(Some(&story.approver), &route)?;
    let before = files(story)?;
    training::once_more(story, cut)?;
    let promote = ["model", "promote", "trained:2", "--endpoint", "scores"];
    let early = story.stage.on(&story.data, Some(&story.approver), &promote)?;
    lines.step(
        "a version that nobody approved: `model promote`",
        early.refused("the promotion", ids::CONFLICT)?,
    )?;
    story.ask(Some(&story.approver), &["model", "approve", "trained:2"])?;
    story.ask(Some(&story.approver), &promote)?;
    lines.step("adam approves and promotes it; trained:1 stands behind it", "model promote")?;
    story.stage.copy_of(&story.data, COPY)?;
    let largest =
        files(story)?.into_iter().filter(|(_, path)| !before.iter().any(|(_, known)| known == path));
    let (_, largest) = largest.max().context("the second version left no file")?;
    Ok(largest)
}

/// The stored blobs by size, each relative to the data directory.
fn files(story: &Story<'_>) -> Result<BTreeSet<(u64, PathBuf)>> {
    let mut found = BTreeSet::new();
    for_each_file(&story.data.join("blobs"), &mut |path, len| {
        found.extend(path.strip_prefix(&story.data).map(|path| (len, path.to_owned())).ok());
    })?;
    Ok(found)
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

/// A byte of a model is flipped on the disk of a server that serves it.
pub(crate) fn that_is_damaged(story: &Story<'_>, asked: &Asked, lines: &mut Lines<'_>) -> Result<()> {
    let copy = story.stage.path(COPY);
    let server = story.stage.serve(&copy)?;
    let client = Client::of(&server.inference, &story.engineer)?;
    let answer = client.predict(&asked.table, 0, &person(0))?;
    ensure!(answer.version() == "2", "the copy does not serve trained:2: {}", answer.body);
    flip_byte(&copy.join(&asked.stored), |len| len / 2)?;
    let flipped = Instant::now();
    while client.predict(&asked.table, 0, &person(0))?.version() != "1" {
        ensure!(flipped.elapsed() < REREAD, "nobody noticed the flipped byte");
        std::thread::sleep(Duration::from_millis(50));
    }
    let noticed = flipped.elapsed().as_secs_f32();
    let shown = story.stage.on(&copy, Some(&story.approver), &["model", "show", "trained:2"])?;
    ensure!(shown.stdout.contains("quarantined"), "trained:2 is not in quarantine:\n{}", shown.stdout);
    server.end()?;
    lines.step(
        "a byte of a served model is flipped on the disk",
        &format!("quarantined by the server after {noticed:.1} s, trained:1 answers"),
    )
}
