//! The file of a root key: how it is written once, read with care, and what it says.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CreateRootKey, OpenRootKey};
use crate::limits::ROOT_KEY_BYTES;

/// The file that holds the root key, in the directory that the caller names.
pub const ROOT_KEY_FILE: &str = "root-key.json";

/// The value of `format` in the file.
pub(super) const FORMAT: &str = "bartizan-root-key-v1";

/// The kinds of root key store; the names are those of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKind {
    /// The key stands in a file of mode 0600; development only.
    DevelopmentFile,
    /// The key stands in a file, sealed with a passphrase.
    SealedFile,
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DevelopmentFile => "development-file",
            Self::SealedFile => "sealed-file",
        })
    }
}

/// Tells which kind of root key `directory` holds, so that a passphrase is asked for only when it is needed.
///
/// # Errors
/// When there is none, it cannot be read, others may access it, or it is no root key file.
pub fn detect_root_key(directory: &Path) -> Result<RootKind, OpenRootKey> {
    read(directory).map(|file| file.kind)
}

/// A root key file as read: its head is understood, its key is not looked at yet.
pub(super) struct RootKeyFile {
    pub(super) path: PathBuf,
    pub(super) kind: RootKind,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Writes the file, which must not exist, durably and for its owner only.
pub(super) fn write(directory: &Path, bytes: &[u8]) -> Result<(), CreateRootKey> {
    let path = directory.join(ROOT_KEY_FILE);
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CreateRootKey::Exists { path });
        }
        Err(source) => return Err(CreateRootKey::Write { path, source }),
    };
    let written =
        file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| File::open(directory)?.sync_all());
    if let Err(source) = written {
        // A root key that may not be durable must not be found by a later open. The removal's own error
        // says nothing that the first one does not.
        drop(fs::remove_file(&path));
        return Err(CreateRootKey::Write { path, source });
    }
    Ok(())
}

/// Reads the file, refusing one that others may access.
pub(super) fn read(directory: &Path) -> Result<RootKeyFile, OpenRootKey> {
    #[derive(Deserialize)]
    struct Head<'a> {
        format: &'a str,
        kind: RootKind,
    }
    let path = directory.join(ROOT_KEY_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenRootKey::NotFound { path }),
        Err(source) => return Err(OpenRootKey::Read { path, source }),
    };
    // Asked of the open file, so that the file judged is the file read.
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(source) => return Err(OpenRootKey::Read { path, source }),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenRootKey::Exposed { path, mode });
    }
    // Room for one byte more than allowed, so that the buffer never grows and leaves a copy of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOT_KEY_BYTES + 1));
    if let Err(source) = file.take(ROOT_KEY_BYTES as u64 + 1).read_to_end(&mut bytes) {
        return Err(OpenRootKey::Read { path, source });
    }
    match serde_json::from_slice::<Head<'_>>(&bytes) {
        Ok(head) if head.format == FORMAT && bytes.len() <= ROOT_KEY_BYTES => {
            let kind = head.kind;
            Ok(RootKeyFile { path, kind, bytes })
        }
        _ => Err(OpenRootKey::Malformed { path }),
    }
}
