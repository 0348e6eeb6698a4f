//! `Blobs` and `Cas` in memory, for tests and for things that must not touch a disk.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Cas, CasError};

use crate::limits::CAS_VALUE_BYTES;

type Map<T> = Arc<Mutex<BTreeMap<BlobName, T>>>;

fn locked<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blobs in memory. Clones share their content; everything is lost with the last clone.
///
/// Like a directory, it refuses a name that is the folder of another (`a` beside `a/b`).
#[derive(Debug, Clone, Default)]
pub struct MemBlobs(Map<Arc<Vec<u8>>>);

impl MemBlobs {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many blobs there are.
    pub fn count(&self) -> usize {
        locked(&self.0).len()
    }

    fn insert(&self, name: &BlobName, bytes: Vec<u8>) -> Result<(), BlobError> {
        let mut map = locked(&self.0);
        refuse_folders(&map, name).map_err(|source| BlobError::new("write", name, source))?;
        map.insert(name.clone(), Arc::new(bytes));
        Ok(())
    }
}

fn refuse_folders<T>(map: &BTreeMap<BlobName, T>, name: &BlobName) -> io::Result<()> {
    let mut folder = name.as_str();
    while let Some((parent, _)) = folder.rsplit_once('/') {
        if parent.parse::<BlobName>().is_ok_and(|parent| map.contains_key(&parent)) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        folder = parent;
    }
    let inside = format!("{name}/");
    let is_folder = map
        .range::<BlobName, _>((Bound::Excluded(name), Bound::Unbounded))
        .take_while(|(other, _)| other.as_str().starts_with(name.as_str()))
        .any(|(other, _)| other.as_str().starts_with(&inside));
    if is_folder { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(()) }
}

impl Blobs for MemBlobs {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        blobs.iter().try_for_each(|(name, bytes)| self.insert(name, bytes.to_vec()))
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(MemWriter { blobs: self.clone(), bytes: Vec::new() }))
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        let bytes = locked(&self.0).get(name).cloned();
        let bytes = bytes.ok_or_else(|| BlobError::new("read", name, io::ErrorKind::NotFound.into()))?;
        Ok(Box::new(MemReader { name: name.clone(), bytes }))
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let map = locked(&self.0);
        let names = map.range::<BlobName, _>((start, Bound::Unbounded)).map(|(name, _)| name);
        Ok(names.filter(|name| name.as_str().starts_with(prefix)).take(limit).cloned().collect())
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        Ok(locked(&self.0).remove(name).is_some())
    }
}

struct MemWriter {
    blobs: MemBlobs,
    bytes: Vec<u8>,
}

impl io::Write for MemWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for MemWriter {
    fn commit(self: Box<Self>, name: &BlobName) -> Result<(), BlobError> {
        self.blobs.insert(name, self.bytes)
    }
}

struct MemReader {
    name: BlobName,
    bytes: Arc<Vec<u8>>,
}

impl BlobReader for MemReader {
    fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError> {
        let start = usize::try_from(offset).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(buf.len())?));
        match range.and_then(|range| self.bytes.get(range)) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(BlobError::new("read", &self.name, io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// Compare-and-swap values in memory. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemCas(Map<Vec<u8>>);

impl MemCas {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Cas for MemCas {
    fn load(&self, key: &BlobName) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(locked(&self.0).get(key).cloned())
    }

    fn swap(&self, key: &BlobName, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        check_value_size(key, new)?;
        let mut map = locked(&self.0);
        if map.get(key).map(Vec::as_slice) != expected {
            return Err(CasError::Conflict { key: key.clone() });
        }
        refuse_folders(&map, key).map_err(|source| BlobError::new("write", key, source))?;
        map.insert(key.clone(), new.to_vec());
        Ok(())
    }
}

/// Refuses a value that is longer than every implementation must take.
pub(crate) fn check_value_size(key: &BlobName, value: &[u8]) -> Result<(), BlobError> {
    if value.len() <= CAS_VALUE_BYTES {
        return Ok(());
    }
    let too_long = format!("{} bytes, more than the {CAS_VALUE_BYTES} allowed", value.len());
    Err(BlobError::new("write", key, io::Error::new(io::ErrorKind::FileTooLarge, too_long)))
}
