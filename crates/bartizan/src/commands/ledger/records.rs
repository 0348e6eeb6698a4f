//! `ledger fsck`, second half: the records of predictions, read from the files themselves.

use std::path::Path;
use std::sync::Arc;

use bartizan_base::{Blobs, ErasureId};
use bartizan_keys::subjects::{SubjectTag, Subjects};
use bartizan_keys::{Keys, Passphrase, Purpose, RootKind, detect_root_key};
use bartizan_ledger::{LedgerReader, Snapshot};
use bartizan_registry::state::State;
use bartizan_registry::{Failed, Replayed, replay, subject_of};
use bartizan_store::records::Records;
use serde_json::{Value, json};

use super::log_of;
use crate::boot;
use crate::catalog::ids;
use crate::failure::Failure;
use crate::inference::{directory_of, gateway_id};
use crate::predictions::{Ledger, check as check_records, stated, unread};

/// The files of a ledger, which somebody else may be writing.
struct Files {
    reader: LedgerReader,
    replayed: Replayed,
    keys: Keys,
    blobs: Arc<dyn Blobs>,
}

impl Ledger for Files {
    fn state(&self) -> &State {
        self.replayed.state()
    }

    fn advance(&mut self) -> Result<bool, Failure> {
        let snapshot = snapshot(&self.reader)?;
        let grown = snapshot.size() > self.replayed.checkpoint().size();
        if grown {
            self.replayed = self.replayed.advance(&snapshot).map_err(Failed::from)?;
        }
        Ok(grown)
    }

    fn subject(&self, erasure: ErasureId) -> Option<SubjectTag> {
        let erasure = self.state().erasures().get(&erasure)?;
        match subject_of(&self.keys, self.blobs.as_ref(), erasure) {
            Ok(subject) => Some(subject),
            Err(error) => {
                tracing::warn!(%error, "the document of an erasure cannot be read");
                None
            }
        }
    }
}

/// Checks all records against the ledger. It takes the project's keys, and so the passphrase of a sealed root key.
pub(super) fn check(path: &Path, passphrase: Option<Passphrase>) -> Result<Value, Failure> {
    let dir = boot::data_dir(path)?;
    let storage = |error: &dyn std::error::Error| Failure::of(ids::STORAGE, error);
    let sealed = detect_root_key(&boot::keys_path(&dir)).is_ok_and(|kind| kind == RootKind::SealedFile);
    if sealed && passphrase.is_none() {
        let why = "not checked: the root key is sealed with a passphrase; repeat with --passphrase-fd FD";
        return Ok(json!(why));
    }
    let root = boot::open_root(&dir, passphrase)?;
    let key_blobs = Arc::new(dir.keys().map_err(|error| storage(&error))?);
    let keys = Keys::open(key_blobs, root).map_err(|error| Failure::of(ids::ROOT_KEY, &error))?;
    let ledger = dir.ledger().map_err(|error| storage(&error))?;
    let log = log_of(&ledger)?;
    let reader = LedgerReader::new(Arc::new(ledger), log);
    let replayed = replay(&snapshot(&reader)?, keys.signing(Purpose::ProjectRoot).public());
    let replayed = replayed.map_err(Failed::from)?;
    let gateway = gateway_id(keys.project());
    let directory = directory_of(path, gateway);
    if !directory.is_dir() {
        let gone = stated(replayed.state(), &gateway.to_string()).len();
        if gone == 0 {
            let without = "records that were never sealed: there is no directory of records";
            return Ok(json!({ "segments": 0, "notCovered": [without] }));
        }
        let what = format!(
            "all {gone} segments that the ledger states are gone: there is no `{}`",
            directory.display()
        );
        return Err(Failure::new(ids::DESTROYED_EVIDENCE, what));
    }
    let subjects = Arc::new(Subjects::new(&keys).map_err(|error| storage(&error))?);
    let records = Records::open(&directory, subjects).map_err(|error| unread(&error))?;
    let blobs = Arc::new(dir.blobs().map_err(|error| storage(&error))?);
    let mut files = Files { reader, replayed, keys, blobs };
    let mut report = check_records(&records, &gateway.to_string(), &mut files)?;
    // Keys are looked for as they are now, not as they were read for the segments.
    let subjects = Arc::new(Subjects::new(&files.keys).map_err(|error| storage(&error))?);
    let records = Records::open(&directory, subjects).map_err(|error| unread(&error))?;
    let logs = records.check_logs().map_err(|error| unread(&error))?;
    report.find_unsealed(&logs, &gateway.to_string(), &mut files)?;
    report.verdict()
}

fn snapshot(reader: &LedgerReader) -> Result<Snapshot, Failure> {
    reader.snapshot().map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))
}
