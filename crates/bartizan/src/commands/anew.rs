//! New files that are there as a whole or not at all, whatever ends the program meanwhile.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::file_failure;
use crate::failure::Failure;

/// Writes a new file, readable by its owner alone: its values are personal. It has its name only when it is finished.
pub(super) fn anew<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error: io::Error| file_failure(path, &error);
    if fs::symlink_metadata(path).is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let draft = Draft::beside(path).map_err(failed)?;
    let mut out = BufWriter::new(&draft.file);
    let told = write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    draft.file.sync_all().map_err(failed)?;
    draft.name(path).map_err(failed)?;
    Ok(told)
}

/// A file without a name, or, where the file system has none of these, with one of its own, which goes with it.
struct Draft {
    file: File,
    spare: Option<PathBuf>,
}

impl Draft {
    fn beside(path: &Path) -> io::Result<Self> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let mode = Mode::RUSR | Mode::WUSR;
        if let Ok(file) =
            rustix::fs::open(directory, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode)
        {
            return Ok(Self { file: file.into(), spare: None });
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        // Not by the process, whose number comes again in a container.
        name.push(format!(".{:016x}.unfinished", RandomState::new().hash_one(std::process::id())));
        let spare = directory.join(name);
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::open(&spare, flags, mode)?;
        Ok(Self { file: file.into(), spare: Some(spare) })
    }

    /// Gives it its name, which nobody else may have meanwhile.
    fn name(mut self, path: &Path) -> io::Result<()> {
        match self.spare.take() {
            None => {
                let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)?;
            }
            Some(spare) => {
                let named = match rustix::fs::renameat_with(CWD, &spare, CWD, path, RenameFlags::NOREPLACE) {
                    // Network file systems know no such flag; a second name is never given to what has one.
                    Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                        rustix::fs::linkat(CWD, &spare, CWD, path, AtFlags::empty())
                            .and_then(|()| rustix::fs::unlink(&spare))
                    }
                    named => named,
                };
                if let Err(error) = named {
                    self.spare = Some(spare);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.spare.as_ref().is_some_and(|spare| fs::remove_file(spare).is_err()) {
            tracing::warn!("an unfinished file could not be removed");
        }
    }
}
