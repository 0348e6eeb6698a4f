//! Content on its way in: sealed at once, named by an unguessable id until an operation uses it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use std::sync::PoisonError;

use bartizan_base::{Name, PrincipalId, Timestamp, VersionRef};
use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, ProjectWide, op};

use super::{Caller, Failed, Inner, Registry};
use crate::limits::{MODEL_FILE_BYTES, PENDING_UPLOADS, UPLOAD_MILLIS};
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

/// The uploads that no operation has used yet, and what operations rely on that they did not bring first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: BTreeMap<UploadId, Waiting>,
    claimed: BTreeMap<String, Claim>,
}

/// Content that an operation uses and another one brought, which may end first and must not destroy it then.
#[derive(Debug)]
struct Claim {
    /// Operations that use it.
    by: usize,
    /// Whoever brought it is done with it: the last of them destroys it, if it is refused.
    orphan: bool,
    until: Timestamp,
}

#[derive(Debug)]
struct Waiting {
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
        let owner = permit.owner;
        self.blocking(move |inner| {
            let now = inner.clock.now();
            let mut random = (inner.random)();
            let mut source = Limited { source, left: MODEL_FILE_BYTES };
            let sealed = inner.keys.seal(inner.blobs.as_ref(), &mut source, random.as_mut(), now)?;
            let mut id = [0; 16];
            random.fill_bytes(&mut id);
            let id = UploadId(u128::from_be_bytes(id));
            inner.keep_upload(
                id,
                Waiting { owner, sealed: sealed.clone(), until: now.plus_millis(UPLOAD_MILLIS) },
            )?;
            Ok(Upload { id, sealed })
        })
        .await
    }

    /// Takes an upload for use; it can be used once, by whom it belongs to.
    pub(super) fn take_upload(&self, caller: &Caller, id: UploadId) -> Result<Sealed, Failed> {
        let mut pending = self.inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.clock.now();
        let mine = pending
            .waiting
            .get(&id)
            .is_some_and(|waiting| waiting.owner == caller.principal && now <= waiting.until);
        let waiting = if mine { pending.waiting.remove(&id) } else { None };
        if let Some(taken) = &waiting {
            // From here on the content is the operation's: others that wait with it must not destroy it.
            for other in pending.waiting.values_mut().filter(|other| other.sealed.blob == taken.sealed.blob) {
                other.sealed.already = true;
            }
            if taken.sealed.already {
                let until = now.plus_millis(UPLOAD_MILLIS);
                let new = Claim { by: 0, orphan: false, until };
                let claim = pending.claimed.entry(taken.sealed.blob.to_string()).or_insert(new);
                claim.by += 1;
                claim.until = until;
            }
        }
        waiting.map(|waiting| waiting.sealed).ok_or_else(|| Failed::not_found("upload", id))
    }
}

impl Inner {
    fn keep_upload(&self, id: UploadId, waiting: Waiting) -> Result<(), Failed> {
        let now = self.clock.now();
        let mut pending = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut expired = Vec::new();
        let late: Vec<UploadId> =
            pending.waiting.iter().filter(|(_, found)| found.until < now).map(|(id, _)| *id).collect();
        for id in late {
            expired.extend(pending.waiting.remove(&id));
        }
        // What was accepted is never destroyed by whoever ends after so long.
        pending.claimed.retain(|_, claim| claim.until >= now);
        if pending.waiting.len() >= PENDING_UPLOADS {
            return Err(Failed::conflict("uploads", "too many wait to be used"));
        }
        pending.waiting.insert(id, waiting);
        drop(pending);
        for found in expired {
            self.destroy_unless_shared(&found.sealed)?;
        }
        Ok(())
    }

    /// Destroys content that came with a refused operation, or is of no use after it, unless it was here before, waits
    /// for another one, or another one uses it.
    pub(super) fn destroy_unless_shared(&self, sealed: &Sealed) -> Result<(), Failed> {
        let blob = sealed.blob.to_string();
        let mut pending = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        match pending.claimed.get_mut(&blob) {
            // Whoever uses it inherits the duty to clean up.
            Some(claim) if !sealed.already => {
                claim.orphan = true;
                return Ok(());
            }
            Some(claim) => {
                claim.by = claim.by.saturating_sub(1);
                let (last, orphan) = (claim.by == 0, claim.orphan);
                if last {
                    pending.claimed.remove(&blob);
                }
                if !(last && orphan) {
                    return Ok(());
                }
            }
            None if sealed.already => return Ok(()),
            None => {}
        }
        let heir = pending.waiting.values_mut().find(|waiting| waiting.sealed.blob == sealed.blob);
        match heir {
            // Equal content waits for another operation, which inherits that duty too.
            Some(heir) => heir.sealed.already = false,
            None => {
                self.keys.erase(&sealed.blob)?;
                self.blobs.delete(&sealed.blob).map_err(bartizan_keys::EraseFailed::Storage)?;
            }
        }
        Ok(())
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
