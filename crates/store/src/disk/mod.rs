//! The file system under the directory stores: the real one, or a simulated one that can lose power.
//!
//! Names are relative to one directory, `/`-separated, and were checked by the caller; the empty name is the
//! directory itself. Symbolic links are never followed below it.

mod real;
mod sim;

use std::io;
use std::path::Path;

pub(crate) use self::real::RealDir;
pub(crate) use self::sim::SimDir;
pub use self::sim::{SimDisk, SimFault};
use self::sim::{SimFile, SimLock};

/// One directory and everything below it.
#[derive(Debug)]
pub(crate) enum Disk {
    Real(RealDir),
    Sim(SimDir),
}

/// An open file.
#[derive(Debug)]
pub(crate) enum DiskFile {
    Real(std::fs::File),
    Sim(SimFile),
}

/// An advisory lock, held until dropped. It guards against other handles, in this process and in others.
#[derive(Debug)]
#[expect(dead_code, reason = "held for what dropping it does")]
pub(crate) enum DiskLock {
    Real(std::fs::File),
    Sim(SimLock),
}

/// How to take a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Together with other shared holders; waits.
    Shared,
    /// Alone; waits.
    Exclusive,
    /// Alone, or not at all.
    TryExclusive,
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Dir,
    /// A symbolic link, device, socket or pipe.
    Other,
}

impl Disk {
    /// Makes a directory; fine when there is one.
    pub(crate) fn make_dir(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Real(dir) => dir.make_dir(name),
            Self::Sim(dir) => dir.make_dir(name),
        }
    }

    /// Makes the entries of a directory durable.
    pub(crate) fn sync_dir(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Real(dir) => dir.sync_dir(name),
            Self::Sim(dir) => dir.sync_dir(name),
        }
    }

    /// Makes a new file for writing; `AlreadyExists` when the name is taken.
    pub(crate) fn create(&self, name: &str) -> io::Result<DiskFile> {
        match self {
            Self::Real(dir) => dir.create(name).map(DiskFile::Real),
            Self::Sim(dir) => dir.create(name).map(DiskFile::Sim),
        }
    }

    /// Opens a regular file for writing over what it holds.
    pub(crate) fn open_to_write(&self, name: &str) -> io::Result<DiskFile> {
        match self {
            Self::Real(dir) => dir.open_to_write(name).map(DiskFile::Real),
            Self::Sim(dir) => dir.open(name).map(DiskFile::Sim),
        }
    }

    /// Opens a regular file for reading.
    pub(crate) fn open(&self, name: &str) -> io::Result<DiskFile> {
        match self {
            Self::Real(dir) => dir.open(name).map(DiskFile::Real),
            Self::Sim(dir) => dir.open(name).map(DiskFile::Sim),
        }
    }

    /// Moves a file, replacing what had the new name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        match self {
            Self::Real(dir) => dir.rename(from, to),
            Self::Sim(dir) => dir.rename(from, to),
        }
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Real(dir) => dir.remove(name),
            Self::Sim(dir) => dir.remove(name),
        }
    }

    /// Shows every entry of a directory, in no order.
    pub(crate) fn entries(&self, name: &str, visit: &mut dyn FnMut(&str, EntryKind)) -> io::Result<()> {
        match self {
            Self::Real(dir) => dir.entries(name, visit),
            Self::Sim(dir) => dir.entries(name, visit),
        }
    }

    /// Locks a file, making it when it is missing; `None` when it is taken and the mode does not wait.
    pub(crate) fn lock(&self, name: &str, mode: LockMode) -> io::Result<Option<DiskLock>> {
        match self {
            Self::Real(dir) => Ok(dir.lock(name, mode)?.map(DiskLock::Real)),
            Self::Sim(dir) => Ok(dir.lock(name, mode)?.map(DiskLock::Sim)),
        }
    }

    /// An existing directory below this one, as a tree of its own.
    pub(crate) fn below(&self, name: &str) -> io::Result<Self> {
        match self {
            Self::Real(dir) => dir.below(name).map(Self::Real),
            Self::Sim(dir) => Ok(Self::Sim(dir.below(name))),
        }
    }

    /// The existing directory `path` of the machine.
    pub(crate) fn real(path: &Path) -> io::Result<Self> {
        RealDir::at(path).map(Self::Real)
    }

    /// The directory `path` of a simulated disk, made durably when it is missing.
    pub(crate) fn sim(disk: &SimDisk, path: &str) -> io::Result<Self> {
        let root = SimDir::root(disk.clone());
        let mut at = String::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let parent = at.clone();
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(segment);
            root.make_dir(&at)?;
            root.sync_dir(&parent)?;
        }
        Ok(Self::Sim(root.below(&at)))
    }
}

impl DiskFile {
    /// Makes the bytes durable, but not the name.
    pub(crate) fn sync_data(&self) -> io::Result<()> {
        match self {
            Self::Real(file) => file.sync_data(),
            Self::Sim(file) => file.sync_data(),
        }
    }

    /// Bytes in the file.
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::Real(file) => Ok(file.metadata()?.len()),
            Self::Sim(file) => file.len(),
        }
    }

    /// Writes all of `bytes` from `offset`, over what is there.
    pub(crate) fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Real(file) => std::os::unix::fs::FileExt::write_all_at(file, bytes, offset),
            Self::Sim(file) => file.write_at(offset, bytes),
        }
    }

    /// Fills `buf` from `offset`.
    pub(crate) fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Real(file) => std::os::unix::fs::FileExt::read_exact_at(file, buf, offset),
            Self::Sim(file) => file.read_exact_at(offset, buf),
        }
    }
}

impl io::Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Real(file) => file.write(bytes),
            Self::Sim(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
