//! What attackers try, and which check stops each of them.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON members are read by name: what is not there reads as null and never panics"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bartizan_keys::{Algorithm, OsRandom, SigningKey};
use bartizan_registry::proof::{Claim, ProofFile};
use bartizan_registry::statement::VersionState;
use bartizan_store::index::models;
use bartizan_store::{DataDir, Db, DbError, TxError};

use super::Lines;
use super::story::Story;
use crate::catalog::ids;

/// The policy says no.
pub(crate) const REFUSED: &str = ids::REFUSED;

/// A flipped byte in stored content, and a model signed by another key.
pub(crate) fn on_content(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let copy = story.stage.copy_of(&story.data, "attack-content")?;
    let onnx = fs::read(story.model_dir.join("model.onnx")).context("the model is gone")?;
    // Nobody who sees only what is stored can tell models of one size apart.
    for blob in blobs_of_size(&copy.join("blobs"), onnx.len())? {
        flip_byte(&blob, |len| len / 2)?;
    }
    let ran = story.stage.on(&copy, Some(&story.approver), &["model", "verify", "fraud:1"])?;
    lines.step(
        "a byte of the stored model is flipped: `model verify`",
        ran.refused("the flipped byte", ids::CONTENT_CHANGED)?,
    )?;

    let other = SigningKey::generate(Algorithm::EcdsaP256Sha256, &mut OsRandom).context("no key")?;
    let other = story.stage.write("somebody-else.pem", other.public().pem().as_bytes())?;
    let arguments = story.import(&story.stage.path("model.sig"), &other);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = story.stage.on(&story.data, Some(&story.engineer), &arguments)?;
    lines.step(
        "a model comes signed by another key: `model import`",
        ran.refused("the other key", ids::PUBLISHER_SIGNATURE)?,
    )
}

/// An edited ledger tile.
pub(crate) fn on_ledger(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let copy = story.stage.copy_of(&story.data, "attack-ledger")?;
    let tile = largest_file(&copy.join("ledger").join("tile").join("entries"))?;
    flip_byte(&tile, |len| len / 3)?;
    let ran = story.stage.on(&copy, None, &["ledger", "fsck"])?;
    lines.step("a ledger tile is edited: `ledger fsck`", ran.refused("the edited tile", ids::LEDGER_DAMAGED)?)
}

/// A row of the SQL index that says `approved`.
pub(crate) fn on_index(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    story.stage.ask(
        &story.data,
        Some(&story.engineer),
        &["model", "import", &plain_model(story)?, "--name", "shadow", "--origin", "unknown"],
    )?;
    let copy = story.stage.copy_of(&story.data, "attack-index")?;
    let database = DataDir::open(&copy).context("cannot open the copy")?.database();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let db = Db::open(&database).await.context("cannot open the index")?;
        let edited = db.tx("attack", async |mut tx| {
            let key = models::Key::new("shadow".to_owned(), 1_u32);
            let Some(mut row) = models::get(&mut tx, &key).await? else { return Ok(false) };
            "approved".clone_into(&mut row.state);
            models::upsert(&mut tx, &row).await.map(|()| true)
        });
        let edited: std::result::Result<bool, TxError<DbError>> = edited.await;
        ensure!(edited.context("cannot edit the index")?, "the index has no row for shadow:1");
        db.close().await;
        anyhow::Ok(())
    })?;
    let ran = story.stage.on(&copy, Some(&story.approver), &["model", "list"])?;
    lines.step(
        "a row of the SQL index is edited to `approved`",
        ran.refused("the edited row", ids::INDEX_DIFFERS)?,
    )?;
    story.stage.ask(&copy, None, &["ledger", "rebuild"])?;
    let listed = story.stage.ask(&copy, Some(&story.approver), &["model", "show", "shadow:1"])?;
    ensure!(listed["state"] == "candidate", "after `ledger rebuild` shadow:1 is {}", listed["state"]);
    lines.step("`ledger rebuild` makes the index anew", "shadow:1 is a candidate")
}

/// An edited, a reordered and a foreign proof.
pub(crate) fn on_proofs(story: &Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let proof = fs::read(&story.proof).context("the proof is gone")?;
    let edited = |name: &str, change: &dyn Fn(&mut ProofFile)| -> Result<PathBuf> {
        let mut file = ProofFile::parse(&proof)?;
        change(&mut file);
        story.stage.write(name, &file.to_bytes()?)
    };
    let path = edited("edited.proof.json", &|file| {
        if let Some(entry) = file.entries.last_mut() {
            entry.statement["predicate"]["at"] = "2020-01-01T00:00:00.000Z".into();
        }
    })?;
    let ran = story.verify(&path, &story.trust, &[])?;
    lines.step("a proof is edited: `verify`", ran.refused("the edited proof", ids::PROOF_NOT_INCLUDED)?)?;
    let path = edited("reordered.proof.json", &|file| file.entries.reverse())?;
    let ran = story.verify(&path, &story.trust, &[])?;
    lines.step("a proof is reordered: `verify`", ran.refused("the reordered proof", ids::PROOF_ORDER)?)?;

    let other = story.stage.path("attack-foreign");
    let key = super::story::text(&story.stage.ask(&other, None, &["init"])?, "key")?;
    let trust = story.stage.path("foreign-trust.json");
    let out = trust.to_string_lossy().into_owned();
    story.stage.ask(&other, Some(&key), &["keys", "export", "--out", &out])?;
    let ran = story.verify(&story.proof, &trust, &[])?;
    lines.step(
        "a proof of another project is shown: `verify`",
        ran.refused("the foreign proof", ids::PROOF_CHECKPOINT)?,
    )
}

/// The whole data directory is put back as it was before a quarantine.
pub(crate) fn by_going_back(story: &mut Story<'_>, lines: &mut Lines<'_>) -> Result<()> {
    let reason = ["model", "quarantine", "fraud:1", "--reason", "too many false alarms"];
    story.stage.ask(&story.data, Some(&story.engineer), &reason)?;
    let later = story.stage.path("later.proof.json");
    prove(story, &story.data, &later)?;
    let ran = story.verify(&later, &story.trust, &[])?;
    let stopped = ran.refused("the proof of a stopped model", ids::PROOF_EXPECTED)?;
    let ran = story.verify(&later, &story.trust, &["--state", "quarantined"])?;
    ensure!(ran.code == 0, "the later proof does not verify:\n{}", ran.stderr);
    lines.step(
        "eve quarantines fraud:1, and that is proven too",
        &format!("state: quarantined; as approved: {stopped}"),
    )?;
    let cut = without_quarantine(story, &later)?;
    let ran = story.verify(&cut, &story.trust, &[])?;
    lines.step(
        "the quarantine is cut out of that proof: `verify`",
        ran.refused("the proof without the quarantine", ids::PROOF_LEFT_OUT)?,
    )?;

    let ran = story.stage.on(&story.earlier, None, &["ledger", "fsck"])?;
    ensure!(ran.code == 0, "the earlier copy is damaged:\n{}", ran.stderr);
    lines.step("the older data directory is put back: `fsck` cannot see it", "it is consistent in itself")?;
    let rolled_back = story.stage.path("rolled-back.proof.json");
    prove(story, &story.earlier, &rolled_back)?;
    let ran = story.verify(&rolled_back, &story.trust, &[])?;
    lines.step(
        "  but the verifier remembers a larger tree: `verify`",
        ran.refused("the older copy", ids::PROOF_SMALLER)?,
    )
}

fn prove(story: &Story<'_>, data: &Path, out: &Path) -> Result<()> {
    let out = out.to_string_lossy().into_owned();
    story.stage.ask(data, Some(&story.approver), &["prove", "fraud:1", "--out", &out]).map(|_| ())
}

/// The proof of a quarantined version without the entry that says so, claiming that it is approved. The last entry
/// is the state map, the one before it the change of state.
fn without_quarantine(story: &Story<'_>, proof: &Path) -> Result<PathBuf> {
    let mut file = ProofFile::parse(&fs::read(proof).context("the later proof is gone")?)?;
    let change = file.entries.iter().rev().nth(1).context("the proof has no change of state")?.index;
    // Who leaves an entry out can mend the proof of inclusion, which says nothing of what is not there.
    let size = file.map.entry.saturating_add(1);
    file.leave_out(&BTreeSet::from([change]), size)?;
    if let Claim::ModelVersion { state, .. } = &mut file.claim {
        *state = VersionState::Approved;
    }
    story.stage.write("cut.proof.json", &file.to_bytes()?)
}

/// A model without signature or data, as anybody could bring one.
fn plain_model(story: &Story<'_>) -> Result<String> {
    Ok(story.stage.write("shadow/model.onnx", b"not a very good model")?.to_string_lossy().into_owned())
}

pub(crate) fn flip_byte(path: &Path, at: impl FnOnce(usize) -> usize) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let at = at(bytes.len());
    *bytes.get_mut(at).context("the file is empty")? ^= 1;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The blobs that hold content of a size, encrypted.
fn blobs_of_size(blobs: &Path, size: usize) -> Result<Vec<PathBuf>> {
    let stored = bartizan_keys::stream::stored_bytes(u64::try_from(size)?).context("no such size")?;
    let mut found = Vec::new();
    for_each_file(blobs, &mut |path, len| {
        if len == stored {
            found.push(path.to_owned());
        }
    })?;
    ensure!(!found.is_empty(), "the model's blob is not in the data directory");
    Ok(found)
}

pub(crate) fn largest_file(directory: &Path) -> Result<PathBuf> {
    let mut largest: Option<(u64, PathBuf)> = None;
    for_each_file(directory, &mut |path, len| {
        if largest.as_ref().is_none_or(|(most, _)| len > *most) {
            largest = Some((len, path.to_owned()));
        }
    })?;
    largest.map(|(_, path)| path).context("there is no tile")
}

/// Calls `each` for every file below a directory, with its length.
pub(crate) fn for_each_file(directory: &Path, each: &mut dyn FnMut(&Path, u64)) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let entry = entry.context("cannot read a directory")?;
        let metadata = entry.metadata().context("cannot read a file's length")?;
        if metadata.is_dir() {
            for_each_file(&entry.path(), each)?;
        } else {
            each(&entry.path(), metadata.len());
        }
    }
    Ok(())
}
