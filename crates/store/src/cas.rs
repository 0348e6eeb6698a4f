//! `Cas` in a directory.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bartizan_base::{BlobError, BlobName, Cas, CasError};

use crate::blobs::DirOpen;
use crate::disk::{Disk, LockMode, SimDisk};
use crate::limits::CAS_VALUE_BYTES;
use crate::mem::check_value_size;
use crate::tree::Tree;

/// The folder of the values inside the directory; no blob name starts with a dot.
const FOLDER: &str = ".cas";
/// Locked alone by who swaps, shared by who loads.
const LOCK: &str = ".swap";

/// Compare-and-swap values in a directory, which may be the directory of a [`DirBlobs`](crate::DirBlobs) too:
/// the values live in its folder `.cas`, one file each.
///
/// Every value that `load` returns survives a power cut, also one that another process wrote before it died.
#[derive(Debug, Clone)]
pub struct DirCas(Arc<Tree>);

impl DirCas {
    /// Opens an existing directory.
    ///
    /// # Errors
    /// When it is missing or the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, DirOpen> {
        Disk::real(path).and_then(Self::within).map_err(|error| DirOpen::new(path, error))
    }

    /// Opens, and where missing makes, the directory `path` of a simulated disk; for tests.
    ///
    /// # Errors
    /// When the simulated disk fails.
    pub fn on(disk: &SimDisk, path: &str) -> Result<Self, DirOpen> {
        Disk::sim(disk, path).and_then(Self::within).map_err(|error| DirOpen::new(Path::new(path), error))
    }

    fn within(disk: Disk) -> io::Result<Self> {
        disk.make_dir(FOLDER)?;
        disk.sync_dir("")?;
        Ok(Self(Arc::new(Tree::open(disk.below(FOLDER)?)?)))
    }

    /// The present value; the caller holds the lock.
    fn read(&self, key: &BlobName) -> io::Result<Option<Vec<u8>>> {
        let file = match self.0.open_file(key.as_str()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let len = usize::try_from(file.len()?).ok().filter(|len| *len <= CAS_VALUE_BYTES);
        let len =
            len.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "longer than a value may be"))?;
        let mut value = vec![0; len];
        file.read_exact_at(0, &mut value)?;
        Ok(Some(value))
    }

    fn load_locked(&self, key: &BlobName) -> io::Result<Option<Vec<u8>>> {
        let _lock = self.0.disk().lock(LOCK, LockMode::Shared)?;
        let value = self.read(key)?;
        if value.is_some() {
            self.0.confirm(key.as_str())?;
        }
        Ok(value)
    }
}

impl Cas for DirCas {
    fn load(&self, key: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        self.load_locked(key).map_err(|source| BlobError::new("read", key, source))
    }

    fn swap(&self, key: &BlobName, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        check_value_size(key, new)?;
        let failed = |source| BlobError::new("write", key, source);
        let _lock = self.0.disk().lock(LOCK, LockMode::Exclusive).map_err(failed)?;
        if self.read(key).map_err(failed)?.as_deref() != expected {
            return Err(CasError::Conflict { key: key.clone() });
        }
        Ok(self.0.write(&[(key.as_str(), new)]).map_err(|(_, source)| failed(source))?)
    }
}
