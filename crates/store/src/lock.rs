//! The lock of a data directory: one process writes, the others learn whom to ask.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::str;
use std::time::Duration;

use bartizan_base::Name;

use crate::disk::{LockMode, RealDir};
use crate::limits::{LOCK_BYTES, LOCK_LOOKS, LOCK_PAUSE_MS};

const LOCK_FILE: &str = "lock";
const FIRST_LINE: &str = "bartizan-lock 1";

/// Who holds a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInfo {
    /// The process, in its own process namespace.
    pub pid: u32,
    /// What it runs, for example `up` or `ledger-rebuild`.
    pub kind: Name,
    /// Where its API listens, when it has one.
    pub address: Option<SocketAddr>,
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (process {}", self.kind, self.pid)?;
        match self.address {
            Some(address) => write!(f, ", listening on {address})"),
            None => f.write_str(")"),
        }
    }
}

/// The data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockFailed {
    /// Another process holds it. What it said about itself is a hint: whoever connects to the address still
    /// has to find out who answers.
    #[error("`{}` is in use by {}", path.display(), holder.as_ref().map_or("another process".to_owned(), LockInfo::to_string))]
    Held {
        /// The data directory.
        path: PathBuf,
        /// What the holder wrote about itself, if it was readable.
        holder: Option<LockInfo>,
    },
    /// The operating system refused.
    #[error("cannot lock `{}`", path.display())]
    Io {
        /// The data directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Sole use of a data directory, until dropped or until the process ends in any way.
#[derive(Debug)]
pub struct DirLock {
    file: File,
    path: PathBuf,
}

impl DirLock {
    /// Locks the data directory `path` without waiting for another holder.
    ///
    /// What a killed process left in the file does no harm: the operating system's lock (`flock`) decides.
    ///
    /// # Errors
    /// When somebody else holds it, with what they wrote about themselves, or when the operating system refuses.
    pub fn acquire(path: &Path, info: &LockInfo) -> Result<Self, LockFailed> {
        let io = |source| LockFailed::Io { path: path.to_owned(), source };
        let dir = RealDir::at(path).map_err(io)?;
        let file = match look(&dir).map_err(io)? {
            Look::Free(file) => file,
            Look::Held(holder) => return Err(LockFailed::Held { path: path.to_owned(), holder }),
        };
        let lock = Self { file, path: path.to_owned() };
        lock.announce(info)?;
        Ok(lock)
    }

    /// Replaces what other processes are told, for example once the address is known.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn announce(&self, info: &LockInfo) -> Result<(), LockFailed> {
        self.write(&to_text(info)).map_err(|source| LockFailed::Io { path: self.path.clone(), source })
    }

    /// The whole content in one write of one size, so that no reader sees a mixture.
    fn write(&self, text: &str) -> io::Result<()> {
        let mut content = [b'\n'; LOCK_BYTES];
        let place = content.get_mut(..text.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        place.copy_from_slice(text.as_bytes());
        self.file.write_all_at(&content, 0)
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // Before the lock goes, so that the next holder never shows our address.
        if let Err(error) = self.write("") {
            tracing::debug!(path = %self.path.display(), %error, "left our entry in the lock file");
        }
    }
}

/// Who holds the data directory `path` now, as far as the lock file tells; `None` when nobody does, and
/// `Some(None)` when the holder says nothing about itself.
///
/// # Errors
/// When the directory cannot be read.
pub fn holder(path: &Path) -> io::Result<Option<Option<LockInfo>>> {
    match look(&RealDir::at(path)?)? {
        Look::Free(_) => Ok(None),
        Look::Held(holder) => Ok(Some(holder)),
    }
}

enum Look {
    /// Nobody held it; now we do.
    Free(File),
    Held(Option<LockInfo>),
}

/// Tries to take the lock; waits a moment for a holder that has not said yet who it is, or that only looked.
fn look(dir: &RealDir) -> io::Result<Look> {
    for look in 0..LOCK_LOOKS {
        if look > 0 {
            std::thread::sleep(Duration::from_millis(LOCK_PAUSE_MS));
        }
        if let Some(file) = dir.lock(LOCK_FILE, LockMode::TryExclusive)? {
            return Ok(Look::Free(file));
        }
        let mut content = [0; LOCK_BYTES];
        let read = dir.open(LOCK_FILE).and_then(|file| file.read_exact_at(&mut content, 0));
        if let Some(info) = read.ok().and_then(|()| from_text(&content)) {
            return Ok(Look::Held(Some(info)));
        }
    }
    Ok(Look::Held(None))
}

fn to_text(info: &LockInfo) -> String {
    let mut text = format!("{FIRST_LINE}\npid {}\nkind {}\n", info.pid, info.kind);
    if let Some(address) = info.address {
        text.push_str(&format!("address {address}\n"));
    }
    text
}

fn from_text(content: &[u8]) -> Option<LockInfo> {
    let text = str::from_utf8(content).ok()?.trim_end_matches('\n');
    let mut lines = text.split('\n');
    if lines.next() != Some(FIRST_LINE) {
        return None;
    }
    let pid = lines.next()?.strip_prefix("pid ")?.parse().ok()?;
    let kind = lines.next()?.strip_prefix("kind ")?.parse().ok()?;
    let address = match lines.next() {
        Some(line) => Some(line.strip_prefix("address ")?.parse().ok()?),
        None => None,
    };
    lines.next().is_none().then_some(LockInfo { pid, kind, address })
}
