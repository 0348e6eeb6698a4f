//! Content on its way in: sealed at once, named by an unguessable id until an operation uses it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::{Arc, PoisonError};

use bartizan_base::{Name, PrincipalId, Timestamp, VersionRef};
use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, ProjectWide, op};

use super::held::Taken;
use super::{Caller, Failed, Inner, ModelFile, Registry};
use crate::limits::{MODEL_FILE_BYTES, PENDING_UPLOADS, UPLOAD_MILLIS};
use crate::manifest::ManifestFile;
use crate::statement::Sensitivity;

/// The id of an upload: 128 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UploadId(u128);

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upl_{:032x}", self.0)
    }
}

impl FromStr for UploadId {
    type Err = Failed;

    fn from_str(text: &str) -> Result<Self, Failed> {
        let unknown = || Failed::not_found("upload", text.chars().take(80).collect::<String>());
        let digits = text.strip_prefix("upl_").filter(|digits| digits.len() == 32).ok_or_else(unknown)?;
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| unknown())
    }
}

/// Content that was taken in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// How later requests name it.
    pub id: UploadId,
    /// What was stored.
    pub sealed: Sealed,
}

/// The uploads that no operation has used yet.
pub(super) type Pending = BTreeMap<UploadId, Waiting>;

#[derive(Debug)]
pub(super) struct Waiting {
    owner: PrincipalId,
    sealed: Sealed,
    until: Timestamp,
}

/// What an upload is for; the permission to use it later is asked for again.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A delivery to a data set.
    Dataset(Name),
    /// A file of a model.
    Model(Name),
    /// A file of the code of a run.
    Run,
}

/// The right to upload any number of files for one destination, until it is dropped.
#[derive(Debug)]
pub struct UploadPermit {
    owner: PrincipalId,
}

impl Registry {
    /// Decides whether the caller may bring content for a destination.
    ///
    /// # Errors
    /// When not.
    pub async fn permit_upload(&self, caller: &Caller, to: &Destination) -> Result<UploadPermit, Failed> {
        match to {
            Destination::Dataset(name) => {
                let facts = DatasetFacts { name: name.clone(), version: None };
                self.allow(caller, op::DataCheck, facts).await.map(|_| ())?;
            }
            Destination::Run => self.allow(caller, op::RunStart, ProjectWide).await.map(|_| ())?,
            Destination::Model(name) => {
                let state = self.state();
                let version = VersionRef::new(name.clone(), state.next_version(name));
                let importer = state.person(caller.principal);
                let nothing = bartizan_base::sha256(b"");
                let facts = state.new_model_facts(&version, nothing, Sensitivity::Normal, importer);
                self.allow(caller, op::ModelImport, facts).await.map(|_| ())?;
            }
        }
        Ok(UploadPermit { owner: caller.principal })
    }

    /// Takes content in: hashes and encrypts it in one pass.
    ///
    /// # Errors
    /// When the source or the storage fails, or too many uploads wait.
    pub async fn upload(
        &self,
        permit: &UploadPermit,
        source: impl Read + Send + 'static,
    ) -> Result<Upload, Failed> {
        let (owner, inner) = (permit.owner, Arc::clone(&self.inner));
        self.blocking(move |_| {
            let mut source = Limited { source, left: MODEL_FILE_BYTES };
            let taken = inner.take_in(&mut source)?;
            let mut id = [0; 16];
            (inner.random)().fill_bytes(&mut id);
            let id = UploadId(u128::from_be_bytes(id));
            let sealed = taken.sealed().clone();
            inner.keep_upload(id, owner, taken)?;
            Ok(Upload { id, sealed })
        })
        .await
    }

    /// Takes an upload for use; it can be used once, by whom it belongs to.
    pub(super) fn take_upload(&self, caller: &Caller, id: UploadId) -> Result<Taken, Failed> {
        let mut pending = self.inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.clock.now();
        let mine = |found: &Waiting| found.owner == caller.principal && now <= found.until;
        let taken = if pending.get(&id).is_some_and(mine) { pending.remove(&id) } else { None };
        let taken = taken.ok_or_else(|| Failed::not_found("upload", id))?;
        Ok(Taken::waiting(taken.sealed, Arc::clone(&self.inner)))
    }

    /// Takes the files of a model or program: what they are, and why not all of them are there. Those that are have to be
    /// kept or discarded either way.
    pub(super) fn take_files(
        &self,
        caller: &Caller,
        wanted: &[ModelFile],
    ) -> (Vec<ManifestFile>, Vec<Taken>, Option<Failed>) {
        let (mut files, mut taken) = (Vec::with_capacity(wanted.len()), Vec::with_capacity(wanted.len()));
        let mut missing = None;
        for file in wanted {
            match self.take_upload(caller, file.upload) {
                Ok(one) => {
                    files.push(one.as_file(file.path.clone()));
                    taken.push(one);
                }
                Err(failed) => missing = Some(failed),
            }
        }
        (files, taken, missing)
    }
}

impl Inner {
    fn keep_upload(&self, id: UploadId, owner: PrincipalId, taken: Taken) -> Result<(), Failed> {
        let now = self.clock.now();
        let mut pending = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let late: Vec<UploadId> =
            pending.iter().filter(|(_, found)| found.until < now).map(|(id, _)| *id).collect();
        let expired: Vec<Waiting> = late.iter().filter_map(|id| pending.remove(id)).collect();
        let room = pending.len() < PENDING_UPLOADS;
        let refused = if room {
            let until = now.plus_millis(UPLOAD_MILLIS);
            pending.insert(id, Waiting { owner, sealed: taken.wait(), until });
            None
        } else {
            Some(taken)
        };
        drop(pending);
        let expired = expired.iter().filter_map(|found| self.leave(&found.sealed, false).err());
        // Whoever brings something else is not to fail of it.
        for error in expired.chain(refused.and_then(|taken| taken.refuse().err())) {
            tracing::error!(%error, "content that is not kept could not be destroyed");
        }
        if room { Ok(()) } else { Err(Failed::conflict("uploads", "too many wait to be used")) }
    }
}

/// A source that fails when it goes on beyond what one upload may hold.
struct Limited<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let taken = u64::try_from(count).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(taken).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it holds more than {MODEL_FILE_BYTES} bytes"),
            )
        })?;
        Ok(count)
    }
}
