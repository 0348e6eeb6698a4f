//! `Blobs` in a directory.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs};

use crate::disk::{Disk, DiskFile, EntryKind, SimDisk};
use crate::limits::LIST_SLACK;
use crate::tree::{Draft, Tree};

/// A directory store cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum DirOpen {
    /// There is nothing at the path.
    #[error("there is no directory `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something is at the path already, and making must not take over what exists.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// Where it was to be made.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot use the directory `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl DirOpen {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            _ => Self::Io { path, source },
        }
    }
}

/// Blobs in a directory: one file (mode 0600) per blob, folders (mode 0700) as the name says.
///
/// A name cannot be the folder of another one (`a` beside `a/b`): the second is refused. Folders are never
/// removed. Several processes may use one directory. A deleted blob's bytes may linger on the medium; what must be unreadable after
/// deletion has to be encrypted.
#[derive(Debug, Clone)]
pub struct DirBlobs(Arc<Tree>);

impl DirBlobs {
    /// Makes the directory `path`, durably, and opens it.
    ///
    /// # Errors
    /// When something is there already, its parent is missing, or the operating system refuses.
    pub fn create(path: &Path) -> Result<Self, DirOpen> {
        make_dir(path).map_err(|error| DirOpen::new(path, error))?;
        Self::open(path)
    }

    /// Opens an existing directory. Temporary files of dead writers are removed.
    ///
    /// # Errors
    /// When it is missing or the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, DirOpen> {
        let tree = Disk::real(path).and_then(Tree::open).map_err(|error| DirOpen::new(path, error))?;
        Ok(Self(Arc::new(tree)))
    }

    /// Opens, and where missing makes, the directory `path` of a simulated disk; for tests.
    ///
    /// # Errors
    /// When the simulated disk fails.
    pub fn on(disk: &SimDisk, path: &str) -> Result<Self, DirOpen> {
        let tree = Disk::sim(disk, path).and_then(Tree::open);
        Ok(Self(Arc::new(tree.map_err(|error| DirOpen::new(Path::new(path), error))?)))
    }

    /// Adds names below `dir` to `found`, ascending, until there are `limit`.
    fn walk(
        &self,
        dir: &str,
        window: &Window<'_>,
        limit: usize,
        found: &mut Vec<BlobName>,
    ) -> io::Result<()> {
        let mut done: Option<String> = None;
        while found.len() < limit {
            let wanted = (limit - found.len()).saturating_add(LIST_SLACK);
            let keys = self.smallest_keys(dir, window, done.as_deref(), wanted)?;
            let complete = keys.len() < wanted;
            for key in keys {
                if found.len() == limit {
                    return Ok(());
                }
                match key.strip_suffix('/') {
                    Some(folder) => self.walk(folder, window, limit, found)?,
                    None => found.extend(key.parse::<BlobName>().ok()),
                }
                done = Some(key);
            }
            if complete {
                break;
            }
        }
        Ok(())
    }

    /// The `wanted` smallest names in `dir` after `done` that the window admits; folders end with `/`, which
    /// puts them where their content sorts.
    fn smallest_keys(
        &self,
        dir: &str,
        window: &Window<'_>,
        done: Option<&str>,
        wanted: usize,
    ) -> io::Result<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        self.0.disk().entries(dir, &mut |name, kind| {
            let slash = if dir.is_empty() { "" } else { "/" };
            let mut key = format!("{dir}{slash}{name}");
            if kind == EntryKind::Other || key.parse::<BlobName>().is_err() {
                return;
            }
            if kind == EntryKind::Dir {
                key.push('/');
            }
            if window.admits(&key) && done.is_none_or(|done| key.as_str() > done) {
                keys.insert(key);
                if keys.len() > wanted {
                    keys.pop_last();
                }
            }
        })?;
        Ok(keys)
    }
}

/// Makes one directory (mode 0700) and its name durable.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Disk::real(parent)?.sync_dir("")
}

/// Whether there is no folder of that name, or a blob in its place.
fn is_no_folder(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Which names a listing wants.
struct Window<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
}

impl Window<'_> {
    /// Whether `key` is wanted or, for a folder (ends with `/`), may contain wanted names.
    fn admits(&self, key: &str) -> bool {
        let folder = key.ends_with('/');
        let in_prefix = key.starts_with(self.prefix) || (folder && self.prefix.starts_with(key));
        in_prefix && self.after.is_none_or(|after| key > after || (folder && after.starts_with(key)))
    }
}

impl Blobs for DirBlobs {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        let files: Vec<_> = blobs.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        self.0.write(&files).map_err(|(name, source)| BlobError::new("write", name, source))
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        let draft = self.0.begin().map_err(|source| BlobError::new("write", "(not named yet)", source))?;
        Ok(Box::new(DirWriter(draft)))
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        let file = self.0.open_file(name.as_str());
        let opened = file.and_then(|file| Ok(DirReader { name: name.clone(), len: file.len()?, file }));
        Ok(Box::new(opened.map_err(|source| BlobError::new("read", name, source))?))
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        let mut found = Vec::new();
        let start = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !start.is_empty() && start.parse::<BlobName>().is_err() {
            return Ok(found);
        }
        let window = Window { prefix, after: after.map(BlobName::as_str) };
        match self.walk(start, &window, limit, &mut found) {
            Err(error) if found.is_empty() && is_no_folder(&error) => Ok(found),
            Err(source) => Err(BlobError::new("list", prefix, source)),
            Ok(()) => Ok(found),
        }
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.0.remove(name.as_str()).map_err(|source| BlobError::new("delete", name, source))
    }
}

struct DirWriter(Draft);

impl Write for DirWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for DirWriter {
    fn commit(self: Box<Self>, name: &BlobName) -> Result<(), BlobError> {
        let tree = self.0.tree();
        tree.commit(self.0, name.as_str()).map_err(|source| BlobError::new("write", name, source))
    }
}

struct DirReader {
    name: BlobName,
    len: u64,
    file: DiskFile,
}

impl BlobReader for DirReader {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), BlobError> {
        self.file.read_exact_at(offset, buf).map_err(|source| BlobError::new("read", &self.name, source))
    }
}
