//! OpenSSF Model Signing v1.0 with a P-256 key: Sigstore bundles that the `model-signing` tool exchanges with us.
//!
//! Nothing here reads a model: callers pass the paths and digests of its files.

use std::collections::{HashMap, HashSet};

use bartizan_base::{Digest, Hasher};

mod sign;
mod verify;

pub use self::sign::{SignBundle, sign};
pub use self::verify::{VerifyBundle, verify};

use crate::limits::{BUNDLE_FILES, PATH_BYTES};

/// The media type of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The DSSE payload type of a bundle: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The type of the in-toto statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The predicate type of a model signature.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// The path below the model's directory, with `/` between its parts.
    pub path: String,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

/// What a bundle says of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The model's name: the last part of the directory it was signed in. Informative only.
    pub name: String,
    /// The signed files, in the order of [`root`].
    pub files: Vec<FileDigest>,
    /// The root digest, which is the statement's subject; see [`root`] for what it does not bind.
    pub root: Digest,
    /// Paths below which nothing was signed, as the signer wrote them.
    pub ignore_paths: Vec<String>,
    /// Whether the signer followed symbolic links.
    pub allow_symlinks: bool,
}

/// How the files at hand differ from the signed ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{} changed, {} missing and {} unsigned files", .changed.len(), .missing.len(), .unsigned.len())]
pub struct Differences {
    /// Paths whose digest is another.
    pub changed: Vec<String>,
    /// Paths that were signed and are not at hand.
    pub missing: Vec<String>,
    /// Paths that are at hand and were not signed.
    pub unsigned: Vec<String>,
}

/// A list of files is not one that a bundle can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesInvalid {
    /// No files, or too many.
    #[error("{count} files, not 1 to {BUNDLE_FILES}")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// The path is absolute, too long, or has an empty, `.` or `..` part or a NUL.
    #[error("`{path}` is not a relative path in its plain form")]
    Path {
        /// The path, cut to 80 characters.
        path: String,
    },
    /// Two paths are equal, or differ in upper and lower case only, so that they collide on some systems.
    #[error("`{path}` stands there twice, upper and lower case aside")]
    Repeated {
        /// The path, cut to 80 characters.
        path: String,
    },
    /// A path is a file and, for another path, a folder; no directory has both.
    #[error("`{path}` is a file and a folder")]
    Folder {
        /// The path, cut to 80 characters.
        path: String,
    },
}

/// The root digest of Model Signing v1.0: SHA-256 over the raw digests of the files, one after the other, files
/// sorted by the parts of their paths.
///
/// It binds no names and no sizes: models whose digests come in the same order share one root, whatever their
/// files are called. The list of files in the signed statement does bind the names.
///
/// # Errors
/// When the list is empty, too long, or holds a path that is not plain or stands there twice.
pub fn root(files: &[FileDigest]) -> Result<Digest, FilesInvalid> {
    Ok(root_in_order(&sorted(files)?))
}

impl Manifest {
    /// Compares the signed files with the files at hand, which are all files of the model but those below
    /// `ignore_paths`.
    ///
    /// # Errors
    /// When any file differs, is missing or is not signed.
    pub fn matches(&self, files: &[FileDigest]) -> Result<(), Differences> {
        let mut differences = Differences::default();
        let signed: HashMap<&str, Digest> =
            self.files.iter().map(|file| (file.path.as_str(), file.digest)).collect();
        let mut seen = HashSet::new();
        for file in files {
            seen.insert(file.path.as_str());
            match signed.get(file.path.as_str()) {
                Some(digest) if *digest == file.digest => {}
                Some(_) => differences.changed.push(file.path.clone()),
                None => differences.unsigned.push(file.path.clone()),
            }
        }
        let missing = self.files.iter().filter(|file| !seen.contains(file.path.as_str()));
        differences.missing = missing.map(|file| file.path.clone()).collect();
        if differences == Differences::default() { Ok(()) } else { Err(differences) }
    }

    /// Whether the signer left `path` out: it is one of `ignore_paths` or lies below one.
    pub fn ignores(&self, path: &str) -> bool {
        self.ignore_paths.iter().any(|ignored| lies_below(path, ignored))
    }
}

// Whether `path` is `folder` or lies below it.
fn lies_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn sorted(files: &[FileDigest]) -> Result<Vec<FileDigest>, FilesInvalid> {
    if files.is_empty() || files.len() > BUNDLE_FILES {
        return Err(FilesInvalid::Count { count: files.len() });
    }
    let mut seen = HashSet::with_capacity(files.len());
    for file in files {
        if !plain_path(&file.path) {
            return Err(FilesInvalid::Path { path: cut(&file.path) });
        }
        if !seen.insert(file.path.to_lowercase()) {
            return Err(FilesInvalid::Repeated { path: cut(&file.path) });
        }
    }
    let mut files = files.to_vec();
    // The tool sorts by the parts of the path, so `a/b` comes before `a.b`, though `/` follows `.` in ASCII.
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    // In this order what lies below a path comes right after it.
    for (file, next) in files.iter().zip(files.iter().skip(1)) {
        if lies_below(&next.path, &file.path) {
            return Err(FilesInvalid::Folder { path: cut(&file.path) });
        }
    }
    Ok(files)
}

fn root_in_order(files: &[FileDigest]) -> Digest {
    let mut hasher = Hasher::new();
    for file in files {
        hasher.update(file.digest.as_bytes());
    }
    hasher.finish()
}

fn plain_path(path: &str) -> bool {
    path.len() <= PATH_BYTES
        && !path.contains('\0')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
