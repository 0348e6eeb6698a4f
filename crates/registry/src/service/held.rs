//! Content that came in and is in use.
//!
//! Whoever is done with it last destroys it, unless it was here before or somebody keeps it.
//!
//! Equal content is stored once, so several uploads and operations can rely on the same bytes, and each may end in its
//! own way at any time. They are counted, the first one like all others.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, PoisonError};

use bartizan_base::BlobName;
use bartizan_keys::{EraseFailed, Sealed};

use super::{Failed, Inner, Registry};
use crate::manifest::ManifestFile;

/// Who uses what, by the names of the blobs.
pub(super) type Held = BTreeMap<BlobName, Users>;

/// Uploads that wait, and operations.
#[derive(Debug, Default)]
pub(super) struct Users {
    count: usize,
    /// One of them brought it: it was not here before.
    new: bool,
    /// One of them kept it, or may have.
    kept: bool,
}

/// Content that an operation uses. It is kept when this is dropped: an operation that nobody knows the end of may have
/// made it part of the ledger.
pub(super) struct Taken {
    sealed: Sealed,
    // Empty once the content was left.
    inner: Option<Arc<Inner>>,
}

impl Taken {
    pub(super) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Content that waits for an operation, which is in use by waiting.
    pub(super) fn waiting(sealed: Sealed, inner: Arc<Inner>) -> Self {
        Self { sealed, inner: Some(inner) }
    }

    /// It as a file of a model or program.
    pub(super) fn as_file(&self, path: String) -> ManifestFile {
        ManifestFile { path, sha256: self.sealed.digest, size: self.sealed.size }
    }

    /// Lets it wait for another operation.
    pub(super) fn wait(mut self) -> Sealed {
        self.inner = None;
        self.sealed.clone()
    }

    /// Is done with it: it is of no use after this operation.
    pub(super) fn refuse(mut self) -> Result<(), Failed> {
        match self.inner.take() {
            Some(inner) => inner.leave(&self.sealed, false),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Taken({})", self.sealed.blob)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let left = self.inner.take().map_or(Ok(()), |inner| inner.leave(&self.sealed, true));
        if let Err(error) = left {
            tracing::error!(%error, "content that is kept could not be let go");
        }
    }
}

impl Registry {
    /// Destroys what an operation has no use for. What became of the operation is told whether or not that works, and
    /// each of them is tried.
    pub(super) async fn discard(&self, unused: Vec<Taken>) {
        let tried = self.blocking(move |_| {
            for error in unused.into_iter().filter_map(|taken| taken.refuse().err()) {
                tracing::error!(%error, "content that is not kept could not be destroyed");
            }
            Ok(())
        });
        if let Err(error) = tried.await {
            tracing::error!(%error, "content that is not kept was not destroyed");
        }
    }
}

impl Inner {
    /// Takes content in: hashes and encrypts it in one pass. It blocks.
    pub(super) fn take_in(self: &Arc<Self>, source: &mut dyn Read) -> Result<Taken, Failed> {
        let mut random = (self.random)();
        let unnamed = self.keys.encrypt(self.blobs.as_ref(), source, random.as_mut(), self.clock.now())?;
        // Nobody destroys equal content between its storing and the count of who relies on it.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let sealed = self.keys.name(self.blobs.as_ref(), unnamed, random.as_mut())?;
        let users = held.entry(sealed.blob.clone()).or_default();
        users.count += 1;
        users.new |= !sealed.already;
        drop(held);
        Ok(Taken::waiting(sealed, Arc::clone(self)))
    }

    /// One that used it is done, and kept it or not.
    pub(super) fn leave(&self, sealed: &Sealed, kept: bool) -> Result<(), Failed> {
        // Held until the content is destroyed: nobody comes to rely on it meanwhile.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(users) = held.get_mut(&sealed.blob) else { return Ok(()) };
        users.kept |= kept;
        users.count = users.count.saturating_sub(1);
        if users.count > 0 {
            return Ok(());
        }
        let nobodys = users.new && !users.kept;
        held.remove(&sealed.blob);
        if nobodys { self.destroy(&sealed.blob) } else { Ok(()) }
    }

    fn destroy(&self, blob: &BlobName) -> Result<(), Failed> {
        self.keys.erase(blob)?;
        self.blobs.delete(blob).map_err(EraseFailed::Storage)?;
        Ok(())
    }
}
