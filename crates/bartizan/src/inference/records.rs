//! The record log of this gateway: opened with the project, sealed into segments that the ledger names.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::num::NonZero;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::thread::available_parallelism;
use std::time::Duration;

use bartizan_base::{ProjectId, sha256};
use bartizan_keys::OsRandom;
use bartizan_keys::subjects::Subjects;
use bartizan_registry::Registry;
use bartizan_registry::state::LastSegment;
use bartizan_registry::statement::SegmentV1;
use bartizan_store::records::{GatewayId, Log, LogCreate, LogOpen, Records, Seal, SealFailed, Sealed};
use tokio::time::{Instant, sleep_until};

use super::Gateway;
use crate::catalog::ids;
use crate::failure::Failure;

/// Where a data directory keeps records of predictions.
const SEGMENTS: &str = "segments";
/// How often the log is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The least time between two segments that somebody asks for: whoever asks again and again does not make one each time.
const ASKED_FOR: Duration = Duration::from_secs(1);

/// What is sealed, as one task at a time knows it.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    /// The last sequence number of this epoch in a segment.
    sealed: u64,
    /// When somebody last asked for a segment.
    asked: Option<Instant>,
}

impl Gateway {
    /// Opens the record log of the data directory, and makes it when there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or something that was acknowledged is damaged.
    pub(crate) fn open(registry: Registry, data_dir: &Path) -> Result<Arc<Self>, Failure> {
        let storage = |error: &dyn std::error::Error| Failure::of(ids::STORAGE, error);
        let gateway = gateway_id(registry.keys().project());
        let directory = directory_of(data_dir, gateway);
        let subjects = Arc::new(Subjects::new(registry.keys()).map_err(|error| storage(&error))?);
        match registry.state().segments().get(&gateway.to_string()) {
            Some(last) => holds(&directory, &subjects, last)?,
            None => make(data_dir, &directory, gateway)?,
        }
        let log = Log::open(&directory, Arc::clone(&subjects), gateway, Box::new(OsRandom), registry.now());
        let log = log.map_err(|error| unopened(&directory, &error))?;
        let records = Records::open(&directory, Arc::clone(&subjects)).map_err(|error| storage(&error))?;
        Ok(Arc::new(Self {
            registry,
            log,
            subjects,
            records: Arc::new(records),
            sealing: tokio::sync::Mutex::default(),
            erasing: tokio::sync::Mutex::default(),
            endpoints: RwLock::new(BTreeMap::new()),
            numbers: Arc::default(),
            turns: Arc::new(tokio::sync::Semaphore::new(available_parallelism().map_or(1, NonZero::get))),
            began: Instant::now(),
        }))
    }

    /// Which gateway this is.
    pub(crate) fn id(&self) -> String {
        self.log.gateway().to_string()
    }

    /// The sealed records.
    pub(crate) const fn records(&self) -> &Arc<Records> {
        &self.records
    }

    /// The keys and pseudonyms of those whom records are about.
    pub(crate) const fn subjects(&self) -> &Arc<Subjects> {
        &self.subjects
    }

    /// Seals the log when that is due, until it is dropped by whoever runs it.
    pub(crate) async fn keep(self: &Arc<Self>) {
        let (mut said, mut stopped) = (None, false);
        loop {
            match self.seal(Seal::WhenDue).await {
                Ok(()) => said = None,
                Err(failure) if said.as_ref() == Some(&failure.what) => {}
                Err(failure) => {
                    tracing::error!(id = failure.id, what = failure.what, why = ?failure.why, "records could not be sealed");
                    said = Some(failure.what);
                }
            }
            if let (false, Some(error)) = (stopped, self.log.stopped()) {
                tracing::error!(%error, "the record log has stopped: no prediction is answered before a new start");
                stopped = true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Seals what is to be sealed, has it stated in the ledger, and drops the log behind it.
    pub(crate) async fn seal(self: &Arc<Self>, when: Seal) -> Result<(), Failure> {
        let mut sealing = self.sealing.lock().await;
        self.seal_due(&mut sealing).await?;
        if when == Seal::Now {
            self.seal_next(&mut sealing, Seal::Now).await?;
        }
        Ok(())
    }

    /// Has every record that is durable now in a segment that the ledger names, so that it can be found, proved and
    /// erased. When no record waits for one, none is made.
    ///
    /// # Errors
    /// When the log cannot be sealed, or the ledger cannot be written.
    pub(crate) async fn seal_taken(self: &Arc<Self>) -> Result<(), Failure> {
        let taken = self.log.last_given();
        let mut sealing = self.sealing.lock().await;
        if self.log.waiting() > 0 {
            self.seal_due(&mut sealing).await?;
        }
        if sealing.sealed >= taken {
            return Ok(());
        }
        if let Some(asked) = sealing.asked {
            sleep_until(asked + ASKED_FOR).await;
        }
        sealing.asked = Some(Instant::now());
        self.seal_next(&mut sealing, Seal::Now).await.map(|_| ())
    }

    /// Seals every log that is closed, or due.
    async fn seal_due(self: &Arc<Self>, sealing: &mut Sealing) -> Result<(), Failure> {
        while self.seal_next(sealing, Seal::WhenDue).await? {}
        Ok(())
    }

    /// Seals one log and has all segments stated that are not; `false` when there was none to seal.
    async fn seal_next(self: &Arc<Self>, sealing: &mut Sealing, when: Seal) -> Result<bool, Failure> {
        // When the ledger was out of reach for long, as many segments wait as may, and no other is made before them.
        self.state_sealed().await?;
        let worker = Arc::clone(self);
        let sealed = tokio::task::spawn_blocking(move || worker.log.seal(worker.registry.now(), when)).await;
        let sealed = sealed.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let sealed = sealed.map_err(|error| match error {
            SealFailed::Damaged { .. } => Failure::of(ids::RECORD_DAMAGED, &error),
            _ => Failure::of(ids::STORAGE, &error),
        })?;
        self.state_sealed().await?;
        if let Some(sealed) = sealed.iter().find(|sealed| sealed.epoch == self.log.epoch()) {
            sealing.sealed = sealed.last;
        }
        Ok(sealed.is_some())
    }

    /// Has every segment stated that waits for it, and lets go of its log.
    async fn state_sealed(self: &Arc<Self>) -> Result<(), Failure> {
        for waiting in self.log.unconfirmed() {
            self.state(&waiting).await?;
        }
        Ok(())
    }

    async fn state(self: &Arc<Self>, sealed: &Sealed) -> Result<(), Failure> {
        self.registry
            .state_segment(SegmentV1 {
                gateway: sealed.gateway.to_string(),
                epoch: sealed.epoch,
                number: sealed.number,
                first: sealed.first,
                count: sealed.count,
                lost: sealed.lost,
                root: sealed.root,
                previous: sealed.previous_root,
                at: self.registry.now(),
            })
            .await?;
        let (worker, root) = (Arc::clone(self), sealed.root);
        let confirmed = tokio::task::spawn_blocking(move || worker.log.confirm(&root)).await;
        let confirmed = confirmed.map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        confirmed.map_err(|error| Failure::of(ids::STORAGE, &error))
    }
}

/// Why the log of a directory cannot be opened.
fn unopened(directory: &Path, error: &LogOpen) -> Failure {
    let directory = directory.display();
    match error {
        LogOpen::Damaged { .. } => {
            let mut failure = Failure::of(ids::RECORD_DAMAGED, error);
            failure.why.push("it holds records of predictions that callers may have receipts for".to_owned());
            failure
                .why
                .push("no log is begun over damaged evidence, so no prediction is answered".to_owned());
            failure.then(format!("restore that file in `{directory}` from a backup, then repeat the command"))
        }
        LogOpen::EpochBehind { .. } => {
            let mut failure = Failure::of(ids::DESTROYED_EVIDENCE, error);
            failure.why.push(format!("an older copy of a file in `{directory}` was put back"));
            failure.then(format!("restore the newest copy of `{directory}` as a whole"))
        }
        LogOpen::Taken => Failure::of(ids::LOCKED, error),
        _ => Failure::of(ids::STORAGE, error),
    }
}

/// Makes the record log of a gateway that has none.
fn make(data_dir: &Path, directory: &Path, gateway: GatewayId) -> Result<(), Failure> {
    for path in [&data_dir.join(SEGMENTS), directory] {
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(Failure::of(ids::STORAGE, &error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    match Log::create(directory, gateway) {
        Ok(()) | Err(LogCreate::Exists) => Ok(()),
        Err(error) => Err(Failure::of(ids::STORAGE, &error)),
    }
}

/// Whether the segments that the ledger names are there, down to the root of the last one. On none, or on older ones, a
/// new log would begin whose segments the ledger cannot take: answers would be given for records that nobody can prove.
fn holds(directory: &Path, subjects: &Arc<Subjects>, last: &LastSegment) -> Result<(), Failure> {
    let number = last.number;
    let gone = |what: String| Failure::new(ids::DESTROYED_EVIDENCE, what);
    if !directory.is_dir() {
        let what = format!(
            "the ledger names segments of records up to {number}: there is no `{}`",
            directory.display()
        );
        return Err(gone(what));
    }
    let storage = |error: &dyn std::error::Error| Failure::of(ids::STORAGE, error);
    let records = Records::open(directory, Arc::clone(subjects)).map_err(|error| storage(&error))?;
    let there = records.segments(number.checked_add(1), 1).map_err(|error| storage(&error))?;
    match there.first() {
        Some(info) if info.number == number && info.root == last.root => Ok(()),
        Some(info) if info.number == number => {
            let what =
                format!("segment {number} in `{}` is not the one that the ledger names", directory.display());
            Err(gone(what))
        }
        _ => {
            let found = there.first().map_or(0, |info| info.number);
            let what = format!(
                "the ledger names segments of records up to {number}: those in `{}` end with {found}, so they were lost \
                 or put back from an older copy",
                directory.display()
            );
            Err(gone(what))
        }
    }
}

/// The id of the gateway inside a data directory: there is one for each project.
pub(crate) fn gateway_id(project: ProjectId) -> GatewayId {
    let named = sha256(format!("bartizan-gateway-v1 {project}").as_bytes());
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(named.as_bytes()) {
        *to = *from;
    }
    GatewayId::from_bytes(id)
}

/// The directory of a gateway's records in a data directory.
pub(crate) fn directory_of(data_dir: &Path, gateway: GatewayId) -> PathBuf {
    data_dir.join(SEGMENTS).join(gateway.to_string())
}
