//! The real file system, reached from one open directory, component by component.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};

use super::{EntryKind, LockMode};

/// A directory of the machine, held open.
#[derive(Debug)]
pub(crate) struct RealDir(OwnedFd);

const OPEN_DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn file_mode() -> Mode {
    Mode::RUSR | Mode::WUSR
}

impl RealDir {
    /// Opens an existing directory. The path itself may go through symbolic links: an operator may put the
    /// directory on another disk.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self(fs::open(path, OPEN_DIR, Mode::empty())?))
    }

    pub(crate) fn below(&self, name: &str) -> io::Result<Self> {
        self.dir(name).map(Self)
    }

    pub(crate) fn make_dir(&self, name: &str) -> io::Result<()> {
        let (parent, last) = self.parent(name)?;
        match fs::mkdirat(parent, last, Mode::RWXU) {
            Err(rustix::io::Errno::EXIST) => self.dir(name).map(drop),
            other => Ok(other?),
        }
    }

    pub(crate) fn sync_dir(&self, name: &str) -> io::Result<()> {
        File::from(self.dir(name)?).sync_all()
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let (parent, last) = self.parent(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(fs::openat(parent, last, flags, file_mode())?))
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        self.open_regular(name, OFlags::RDONLY)
    }

    pub(crate) fn open_to_write(&self, name: &str) -> io::Result<File> {
        self.open_regular(name, OFlags::WRONLY)
    }

    fn open_regular(&self, name: &str, access: OFlags) -> io::Result<File> {
        let (parent, last) = self.parent(name)?;
        // Without NONBLOCK, opening a named pipe would wait for its other end before it could be refused.
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(fs::openat(parent, last, flags, Mode::empty())?);
        if !file.metadata()?.file_type().is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(file)
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from_parent, from_last) = self.parent(from)?;
        let (to_parent, to_last) = self.parent(to)?;
        Ok(fs::renameat(from_parent, from_last, to_parent, to_last)?)
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let (parent, last) = self.parent(name)?;
        Ok(fs::unlinkat(parent, last, AtFlags::empty())?)
    }

    pub(crate) fn entries(&self, name: &str, visit: &mut dyn FnMut(&str, EntryKind)) -> io::Result<()> {
        let dir = self.dir(name)?;
        for entry in fs::Dir::read_from(dir.as_fd())? {
            let entry = entry?;
            let Ok(file_name) = entry.file_name().to_str() else { continue };
            if matches!(file_name, "." | "..") {
                continue;
            }
            let mut file_type = entry.file_type();
            if file_type == FileType::Unknown {
                let stat = fs::statat(dir.as_fd(), entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                file_type = FileType::from_raw_mode(stat.st_mode);
            }
            visit(
                file_name,
                match file_type {
                    FileType::RegularFile => EntryKind::File,
                    FileType::Directory => EntryKind::Dir,
                    _ => EntryKind::Other,
                },
            );
        }
        Ok(())
    }

    pub(crate) fn lock(&self, name: &str, mode: LockMode) -> io::Result<Option<File>> {
        let (parent, last) = self.parent(name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(fs::openat(parent, last, flags, file_mode())?);
        match mode {
            LockMode::Shared => file.lock_shared()?,
            LockMode::Exclusive => file.lock()?,
            LockMode::TryExclusive => match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            },
        }
        Ok(Some(file))
    }

    /// Opens a directory below this one; the empty name opens this one again.
    fn dir(&self, name: &str) -> io::Result<OwnedFd> {
        let mut at = fs::openat(&self.0, ".", OPEN_DIR, Mode::empty())?;
        for segment in name.split('/').filter(|segment| !segment.is_empty()) {
            at = fs::openat(&at, segment, OPEN_DIR | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(at)
    }

    fn parent<'n>(&self, name: &'n str) -> io::Result<(OwnedFd, &'n str)> {
        let (parent, last) = name.rsplit_once('/').unwrap_or(("", name));
        Ok((self.dir(parent)?, last))
    }
}
