//! The lock of a data directory: one process writes, the others learn whom to ask.

use std::fmt;
use std::fs::{File, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileExt, PermissionsExt};
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
    /// Where its API listens, and how to recognise it, when it has one.
    pub api: Option<ApiAt>,
}

/// Where an API listens, and the secret by which clients tell it from whoever else may listen there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAt {
    /// The address.
    pub address: SocketAddr,
    /// Known only to those who can read the lock file. A holder of an older version has none.
    pub secret: Option<LockSecret>,
}

/// Thirty-two secret bytes in the lock file; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct LockSecret([u8; 32]);

impl LockSecret {
    /// Takes the bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for LockSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockSecret(..)")
    }
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (process {}", self.kind, self.pid)?;
        match &self.api {
            Some(api) => write!(f, ", listening on {})", api.address),
            None => f.write_str(")"),
        }
    }
}

/// The data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockFailed {
    /// Another process holds it. What it said about itself is a hint: whoever connects to the address still
    /// has to find out, by the secret, who answers.
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
        // It may come from a backup that kept no modes, and it is about to hold a secret.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(io)?;
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
    if let Some(ApiAt { address, secret }) = &info.api {
        text.push_str(&format!("address {address}\n"));
        if let Some(secret) = secret {
            text.push_str(&format!("secret {}\n", hex::encode(secret.0)));
        }
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
    let api = match lines.next() {
        Some(line) => {
            let address = line.strip_prefix("address ")?.parse().ok()?;
            let secret = match lines.next() {
                Some(line) => Some(secret_from_text(line.strip_prefix("secret ")?)?),
                None => None,
            };
            Some(ApiAt { address, secret })
        }
        None => None,
    };
    lines.next().is_none().then_some(LockInfo { pid, kind, api })
}

fn secret_from_text(text: &str) -> Option<LockSecret> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(LockSecret(bytes))
}
