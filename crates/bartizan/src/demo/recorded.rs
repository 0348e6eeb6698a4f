//! What is recorded of predictions: proved to a stranger, edited in vain, and erased for one person.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Lines;
use super::attacks::{flip_byte, largest_file};
use super::client::Answered;
use super::serving::{Asked, person};
use super::stage::Ran;
use super::story::Story;
use crate::catalog::ids;

/// Bytes that the proof of a prediction may have here, as `prove` writes it when it is told nothing else: an e-mail takes it.
const PROOF_BYTES: u64 = 64 * 1024;

/// A prediction is proved with its inputs, and the model is run again elsewhere.
pub(crate) fn prove(story: &Story<'_>, asked: &Asked, lines: &mut Lines<'_>) -> Result<()> {
    let id = asked.first.id()?;
    let proof = story.stage.path("prediction.proof.json");
    write_proof(story, &asked.first, &proof, &["--show", "input", "--replay"])?;
    let size = std::fs::metadata(&proof)?.len();
    lines.step("sam proves a prediction, with what was asked", &format!("{id}, {size} bytes"))?;
    let receipt = story.stage.write("answer.head", asked.first.head.as_bytes())?;
    let answer = story.stage.write("answer.json", asked.first.body.as_bytes())?;
    let model = trained_again(story)?;
    let paths = [receipt, answer, model].map(|path| path.to_string_lossy().into_owned());
    let [receipt, answer, model] = &paths;
    let more = ["--prediction", &id, "--receipt", receipt, "--answer", answer, "--model", model, "--replay"];
    let verified = verify(story, &proof, &more)?;
    ensure!(verified.code == 0, "the proof does not verify:\n{}{}", verified.stdout, verified.stderr);
    let verified: Value = serde_json::from_str(&verified.stdout)?;
    ensure!(verified["state"] == "quarantined", "it says nothing of the quarantine: {verified:#}");
    let proven = verified["proven"].as_array().map_or(0, Vec::len);
    lines.step(
        "another process verifies it: record, receipt, route, chain",
        &format!("{proven} facts proven; the model, run again, gives the same bits"),
    )?;
    let other = story.stage.write("other.head", asked.other.head.as_bytes())?;
    let other = other.to_string_lossy().into_owned();
    let ran = verify(story, &proof, &["--prediction", &id, "--receipt", &other])?;
    lines.step(
        "the receipt of another answer is shown: `verify`",
        ran.refused("the other receipt", ids::PROOF_RECEIPT)?,
    )
}

/// Verifies as somebody who has the same trust file, and remembers for himself what he has seen of the ledger.
fn verify(story: &Story<'_>, proof: &Path, more: &[&str]) -> Result<Ran> {
    let memory = story.stage.path("another-verifier").to_string_lossy().into_owned();
    story.verify(proof, &story.trust, &[&["--memory", &memory], more].concat())
}

fn write_proof(story: &Story<'_>, answer: &Answered, to: &Path, more: &[&str]) -> Result<()> {
    let (id, out) = (answer.id()?, to.to_string_lossy().into_owned());
    let prove = ["prove", &id, "--out", &out];
    story.ask(Some(&story.auditor), &[&prove[..], more].concat()).map(|_| ())
}

/// Training is deterministic: the model of `trained:2`, made once more where nobody has the data directory.
fn trained_again(story: &Story<'_>) -> Result<PathBuf> {
    let out = story.stage.path("trained-again");
    let files = ["clean.csv", "second.csv"].map(|name| story.stage.path(name).to_string_lossy().into_owned());
    let mut train = vec!["train".to_owned()];
    train.extend(files);
    train.extend(story.training());
    train.extend(["--seed", "2", "--out"].map(str::to_owned));
    train.push(out.to_string_lossy().into_owned());
    let ran = story.stage.run(None, &train)?;
    ensure!(ran.code == 0, "the model cannot be trained again:\n{}", ran.stderr);
    // What else it leaves are notes of the run.
    Ok(out.join("model.onnx"))
}

/// A byte of a sealed segment is flipped.
pub(crate) fn on_records(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let copy = story.stage.copy_of(&story.data, "attack-records")?;
    flip_byte(&largest_file(&copy.join("segments"))?, |len| len / 2)?;
    let ran = story.stage.on(&copy, None, &["ledger", "fsck"])?;
    lines.step(
        "a record is edited in its segment: `ledger fsck`",
        ran.refused("the edited record", ids::RECORD_DAMAGED)?,
    )
}

/// Everything about one person is erased; what is proved of others still verifies.
pub(crate) fn erase(story: &Story<'_>, asked: &Asked, lines: &mut Lines<'_>) -> Result<()> {
    let before = story.stage.path("other.proof.json");
    write_proof(story, &asked.other, &before, &[])?;
    let size = std::fs::metadata(&before)?.len();
    ensure!(size <= PROOF_BYTES, "the proof of a prediction has {size} bytes");
    let who = story.stage.write("person.txt", person(0).as_bytes())?;
    let who = who.to_string_lossy().into_owned();
    let erase = ["predictions", "erase", "--subject-file", &who, "--reason", "she asked for it", "--yes"];
    let erased = story.ask(Some(&story.auditor), &erase)?;
    lines.step(
        "sam erases one person: the key of her records is destroyed",
        &format!("{} records, {}", erased["records"], erased["erasure"].as_str().unwrap_or_default()),
    )?;
    let id = asked.first.id()?;
    let shown = story.ask(Some(&story.auditor), &["predictions", "show", &id, "--inputs"])?;
    ensure!(
        shown["inputs"].is_null() && shown["outputs"].is_null(),
        "her record is still readable: {shown:#}"
    );
    let hidden = story.stage.path("erased.proof.json");
    write_proof(story, &asked.first, &hidden, &[])?;
    let after = story.stage.path("other-after.proof.json");
    write_proof(story, &asked.other, &after, &["--show", "input", "--replay"])?;
    for (proof, answered) in [(&before, &asked.other), (&hidden, &asked.first), (&after, &asked.other)] {
        let verified = verify(story, proof, &["--prediction", &answered.id()?])?;
        ensure!(verified.code == 0, "{} does not verify:\n{}", proof.display(), verified.stderr);
    }
    lines.step(
        "all proofs still verify, hers with what was erased hidden",
        &format!("3 proofs; one as `prove` writes it: {size} bytes"),
    )?;
    story.ask(None, &["ledger", "fsck"])?;
    lines.step("`ledger fsck`: what is missing was erased, and nothing else", "clean")
}
