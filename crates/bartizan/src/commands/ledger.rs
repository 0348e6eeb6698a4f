//! `ledger`: entries, proofs, a full check, and the index made anew.

mod records;

use std::num::NonZeroUsize;
use std::path::Path;

use bartizan_ledger::{Report, TrustedLog, VerifierKey};
use bartizan_registry::Indexing;
use serde_json::json;

use super::Work;
use crate::api;
use crate::boot;
use crate::catalog::ids;
use crate::cli::Ledger;
use crate::failure::Failure;

pub(super) async fn run(work: &Work, verb: Ledger) -> Result<u8, Failure> {
    match verb {
        Ledger::Show { index: None } => work.show("/api/v1/ledger/entries").await,
        Ledger::Show { index: Some(index) } => work.show(&format!("/api/v1/ledger/entries/{index}")).await,
        Ledger::Proof { index, out } => {
            let proof = work.client().await?.bytes(&format!("/api/v1/ledger/entries/{index}/proof")).await?;
            work.deliver(out.as_deref(), &proof)
        }
        Ledger::Fsck => {
            let (path, passphrase) = (work.configuration.data_dir.clone(), work.passphrase()?);
            let progress = work.out.working("recomputing every hash");
            let checked = tokio::task::spawn_blocking(move || {
                let mut verdict = api::verdict(&fsck(&path)?)?;
                let records = records::check(&path, passphrase)?;
                if let Some(members) = verdict.as_object_mut() {
                    members.insert("predictions".to_owned(), records);
                }
                Ok::<_, Failure>(verdict)
            });
            let checked = checked.await;
            drop(progress);
            work.answer(&checked.map_err(|error| Failure::of(ids::INTERNAL, &error))??)
        }
        Ledger::Rebuild { accept_smaller_ledger } => {
            let path = &work.configuration.data_dir;
            let indexing = if accept_smaller_ledger { Indexing::RebuildSmaller } else { Indexing::Rebuild };
            let opened = boot::open(path, "ledger-rebuild", work.passphrase()?, indexing).await?;
            let size = opened.registry.checkpoint().size();
            work.answer(&json!({ "rebuilt": true, "entries": size }))
        }
    }
}

/// Checks the files themselves: a ledger that does not open can still be looked at.
fn fsck(path: &Path) -> Result<Report, Failure> {
    let dir = boot::data_dir(path)?;
    let storage = |error: bartizan_store::DirOpen| Failure::of(ids::STORAGE, &error);
    let (blobs, heads) = (dir.ledger().map_err(storage)?, dir.ledger_cas().map_err(storage)?);
    let log = log_of(&blobs)?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(bartizan_ledger::fsck(&blobs, Some(&heads), &log, threads))
}

/// The ledger's own key, as its first entries grant it: enough to see whether the log is whole, and no reason to
/// trust it.
pub(super) fn log_of(blobs: &bartizan_store::DirBlobs) -> Result<TrustedLog, Failure> {
    let damaged = |why: String| {
        let mut failure = Failure::new(ids::LEDGER_DAMAGED, "the ledger's own key cannot be found in it");
        failure.why.push(why);
        failure
    };
    let key = bartizan_registry::ledger_key(blobs).map_err(|error| damaged(error.to_string()))?;
    let (origin, public) = key;
    let key = VerifierKey::note(&origin, &public).map_err(|error| damaged(error.to_string()))?;
    TrustedLog::new(key).map_err(|error| damaged(error.to_string()))
}
