//! The data directory: what lies where, and which version of this layout it has.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::blobs::{DirBlobs, DirOpen, make_dir};
use crate::cas::DirCas;
use crate::disk::Disk;
use crate::limits::VERSION_BYTES;

/// The version of the layout that this program makes, and the newest that it reads.
pub const DATA_DIR_VERSION: u32 = 1;

/// The file that makes a directory a data directory.
pub const VERSION_FILE: &str = "VERSION";
const VERSION_WORD: &str = "bartizan-data-directory";
const FOLDERS: [&str; 3] = ["blobs", "ledger", "keys"];

/// A data directory whose version this program knows. It is not locked; see [`DirLock`](crate::DirLock).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// A data directory could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DataDirCreate {
    /// Something is there already; making never takes over what exists.
    #[error("`{}` exists already and is not an empty directory", path.display())]
    Exists {
        /// Where it was to be made.
        path: PathBuf,
    },
    /// The directory that it was to be made in is missing.
    #[error("there is no directory to make `{}` in", path.display())]
    NoParent {
        /// Where it was to be made.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot make the data directory `{}`", path.display())]
    Io {
        /// Where it was to be made.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// A data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DataDirOpen {
    /// There is nothing at the path.
    #[error("there is no data directory `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The version file is missing or unreadable: something else, or one whose making was interrupted.
    #[error("`{}` is not a data directory: it has no valid `{VERSION_FILE}` file", path.display())]
    NotADataDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A newer program made it.
    #[error("`{}` has layout version {found}, but this program knows versions up to {supported}", path.display())]
    TooNew {
        /// The directory.
        path: PathBuf,
        /// The version it has.
        found: u32,
        /// The newest version this program knows.
        supported: u32,
    },
    /// The operating system refused.
    #[error("cannot read the data directory `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Makes a data directory, durably: `path` itself, unless it is an empty directory already, and its folders.
    /// The version file comes last, so that a half-made directory is never taken for a whole one.
    ///
    /// # Errors
    /// When something is there already, the parent is missing, or the operating system refuses.
    pub fn create(path: &Path) -> Result<Self, DataDirCreate> {
        let named = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => DataDirCreate::Exists { path: path.to_owned() },
            io::ErrorKind::NotFound => DataDirCreate::NoParent { path: path.to_owned() },
            _ => DataDirCreate::Io { path: path.to_owned(), source },
        };
        match make_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                take_empty_dir(path).map_err(named)?;
            }
            other => other.map_err(named)?,
        }
        FOLDERS.iter().try_for_each(|folder| make_dir(&path.join(folder))).map_err(named)?;
        write_version(path).map_err(named)?;
        Ok(Self(path.to_owned()))
    }

    /// Opens a data directory after looking at its version.
    ///
    /// # Errors
    /// When it is missing, is something else, is of a newer version, or the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, DataDirOpen> {
        let io = |source| DataDirOpen::Io { path: path.to_owned(), source };
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match fs::metadata(path) {
            Err(error) if missing(&error) => return Err(DataDirOpen::Missing { path: path.to_owned() }),
            other => other.map_err(io)?,
        };
        let mut content = Vec::new();
        match File::open(path.join(VERSION_FILE)) {
            Err(error) if missing(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            other => {
                let limit = u64::try_from(VERSION_BYTES).unwrap_or(u64::MAX);
                other.and_then(|file| file.take(limit).read_to_end(&mut content)).map_err(io)?;
            }
        }
        match parse_version(&content) {
            Some(found) if found > DATA_DIR_VERSION => {
                Err(DataDirOpen::TooNew { path: path.to_owned(), found, supported: DATA_DIR_VERSION })
            }
            Some(DATA_DIR_VERSION) => Ok(Self(path.to_owned())),
            _ => Err(DataDirOpen::NotADataDirectory { path: path.to_owned() }),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the SQL index is: `bartizan.db`.
    pub fn database(&self) -> PathBuf {
        self.0.join("bartizan.db")
    }

    /// Where the configuration is: `bartizan.toml`.
    pub fn configuration(&self) -> PathBuf {
        self.0.join("bartizan.toml")
    }

    /// The encrypted blobs.
    ///
    /// # Errors
    /// When the folder `blobs` is missing or cannot be used.
    pub fn blobs(&self) -> Result<DirBlobs, DirOpen> {
        DirBlobs::open(&self.0.join("blobs"))
    }

    /// The wrapped keys.
    ///
    /// # Errors
    /// When the folder `keys` is missing or cannot be used.
    pub fn keys(&self) -> Result<DirBlobs, DirOpen> {
        DirBlobs::open(&self.0.join("keys"))
    }

    /// The tiles of the ledger.
    ///
    /// # Errors
    /// When the folder `ledger` is missing or cannot be used.
    pub fn ledger(&self) -> Result<DirBlobs, DirOpen> {
        DirBlobs::open(&self.0.join("ledger"))
    }

    /// The head of the ledger, beside its tiles.
    ///
    /// # Errors
    /// When the folder `ledger` is missing or cannot be used.
    pub fn ledger_cas(&self) -> Result<DirCas, DirOpen> {
        DirCas::open(&self.0.join("ledger"))
    }
}

/// Accepts an existing empty directory, such as a fresh volume, and closes it to others.
fn take_empty_dir(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    for entry in fs::read_dir(path)? {
        if entry?.file_name() != "lost+found" {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
    }
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

fn write_version(path: &Path) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path.join(VERSION_FILE))?;
    file.write_all(format!("{VERSION_WORD} {DATA_DIR_VERSION}\n").as_bytes())?;
    file.sync_all()?;
    Disk::real(path)?.sync_dir("")
}

fn parse_version(content: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(content).ok()?;
    let digits = text.strip_prefix(VERSION_WORD)?.strip_prefix(' ')?.strip_suffix('\n')?;
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| canonical)
}
