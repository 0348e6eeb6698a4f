//! Files that must not change while they are read: what is said of them would be true of no file that there ever was.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

/// A regular file that reads as it was when it was opened, or fails.
///
/// Whoever gives the file its old length and time back is not noticed: this is for writers that know nothing of the reader,
/// and no guard against anybody who means to deceive it.
#[derive(Debug)]
pub(super) struct Steady {
    file: File,
    was: Stamp,
}

/// What changes with every write.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
}

/// Somebody wrote to the file while it was read.
#[derive(Debug, thiserror::Error)]
#[error("the file was written to while it was read")]
pub(super) struct Changed;

impl Stamp {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { bytes: metadata.len(), modified: metadata.modified()? })
    }
}

impl Steady {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let was = Stamp::of(&file.metadata()?)?;
        Ok(Self { file, was })
    }

    /// Bytes in it.
    pub(super) const fn bytes(&self) -> u64 {
        self.was.bytes
    }
}

impl Read for Steady {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        // Looked at behind each read, so that nothing is handed on that was read after a change.
        match Stamp::of(&self.file.metadata()?)? == self.was {
            true => Ok(count),
            false => Err(io::Error::other(Changed)),
        }
    }
}

impl Seek for Steady {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What to do about a failed read, when it failed for that.
pub(super) fn of_changed(error: &io::Error) -> Option<&'static str> {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Changed>).then_some(AGAIN)
}

/// What to do when a file changes while it is read.
pub(super) const AGAIN: &str = "repeat the command once nobody writes to the file any more";

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions, write};
    use std::io::{Read as _, Write as _};
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::{Steady, of_changed};

    /// What a second read says when something was done to the file after the first.
    fn read_after(change: impl FnOnce(&Path)) -> Result<(), bool> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("table.csv");
        write(&path, b"a,b\n1,2\n3,4\n").unwrap();
        let mut steady = Steady::new(File::open(&path).unwrap()).unwrap();
        let mut piece = [0; 4];
        assert_eq!(steady.read(&mut piece).unwrap(), 4);
        change(&path);
        steady.read(&mut piece).map(drop).map_err(|error| of_changed(&error).is_some())
    }

    #[test]
    fn what_is_written_to_fails_and_what_is_replaced_is_read_to_its_end() {
        let appended = |path: &Path| {
            OpenOptions::new().append(true).open(path).unwrap().write_all(b"5,6\n").unwrap();
        };
        let cut = |path: &Path| OpenOptions::new().write(true).open(path).unwrap().set_len(8).unwrap();
        let rewritten = |path: &Path| {
            let mut file = OpenOptions::new().write(true).open(path).unwrap();
            file.write_all(b"a,c\n").unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000)).unwrap();
        };
        let replaced = |path: &Path| {
            let new = path.with_extension("new");
            write(&new, b"c,d\n").unwrap();
            std::fs::rename(new, path).unwrap();
        };
        assert_eq!(read_after(appended), Err(true));
        assert_eq!(read_after(cut), Err(true));
        assert_eq!(read_after(rewritten), Err(true));
        assert_eq!(read_after(replaced), Ok(()));
        assert_eq!(read_after(|_| ()), Ok(()));
    }
}
