//! The manifest of a model: every file by path, size and digest. Its digest is the model's identity.
//!
//! Format: `docs/formats/manifest.md`. Paths are bound one by one, so two trees that hold equal bytes under
//! other names are two models here, also where the root digest of a signing bundle is the same for both.

use bartizan_base::{Digest, canonical, sha256};
use serde::{Deserialize, Serialize};

use crate::limits::{MODEL_DEPTH, MODEL_FILE_BYTES, MODEL_FILES, MODEL_PATH_BYTES};

const FORMAT: &str = "bartizan-manifest-v1";

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Relative path with `/` between segments.
    pub path: String,
    /// SHA-256 of the content.
    pub sha256: Digest,
    /// Bytes of content.
    pub size: u64,
}

/// The files of a model, in ascending order of their paths' bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<ManifestFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    files: Vec<ManifestFile>,
    format: String,
}

/// The files do not make a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestInvalid {
    /// A model has at least one file.
    #[error("no files")]
    Empty,
    /// More files than a model may have.
    #[error("{count} files, more than the {MODEL_FILES} allowed")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A path that is absolute, climbs, is too long or deep, or holds a character that some system misreads.
    #[error("`{path}` is not a relative path of plain segments: {why}")]
    Path {
        /// The path, cut to 200 characters.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two paths that are one on some system: equal, upper and lower case aside, or one the directory of the other.
    #[error("`{path}` is there twice, upper and lower case aside")]
    Twice {
        /// The path.
        path: String,
    },
    /// A file that is larger than a model file may be.
    #[error("`{path}` has {size} bytes, more than the {MODEL_FILE_BYTES} allowed")]
    TooLarge {
        /// The file.
        path: String,
        /// Its bytes.
        size: u64,
    },
    /// Not the bytes of a manifest.
    #[error("not a manifest of format `{FORMAT}`")]
    Encoding(#[source] canonical::DecodeError),
    /// A manifest of another version.
    #[error("format `{format}` is not `{FORMAT}`")]
    Format {
        /// What it says.
        format: String,
    },
    /// The files are not in the order that makes equal models equal.
    #[error("the files are not in ascending order of their paths")]
    Order,
}

impl Manifest {
    /// Makes a manifest of files in any order.
    ///
    /// # Errors
    /// When a path is not plain and relative, is there twice, or a limit is passed.
    pub fn new(mut files: Vec<ManifestFile>) -> Result<Self, ManifestInvalid> {
        if files.is_empty() {
            return Err(ManifestInvalid::Empty);
        }
        if files.len() > MODEL_FILES {
            return Err(ManifestInvalid::TooMany { count: files.len() });
        }
        for file in &files {
            check_path(&file.path)?;
            if file.size > MODEL_FILE_BYTES {
                return Err(ManifestInvalid::TooLarge { path: file.path.clone(), size: file.size });
            }
        }
        files.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
        let mut paths = std::collections::BTreeSet::new();
        for file in &files {
            if !paths.insert(file.path.to_lowercase()) {
                return Err(ManifestInvalid::Twice { path: file.path.clone() });
            }
        }
        for path in &paths {
            let mut above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            if let Some(directory) = above.find(|directory| paths.contains(*directory)) {
                return Err(ManifestInvalid::Twice { path: directory.to_owned() });
            }
        }
        Ok(Self { files })
    }

    /// The files, in ascending order of their paths' bytes.
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// Bytes of all files together.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// When a file is so large that its size has no canonical form (2^53 bytes).
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        canonical::to_bytes(&Wire { files: self.files.clone(), format: FORMAT.to_owned() })
    }

    /// Parses canonical bytes.
    ///
    /// # Errors
    /// When the bytes are not exactly those of a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestInvalid> {
        let wire: Wire = canonical::from_bytes(bytes).map_err(ManifestInvalid::Encoding)?;
        if wire.format != FORMAT {
            return Err(ManifestInvalid::Format { format: wire.format.chars().take(80).collect() });
        }
        let given = wire.files.clone();
        let manifest = Self::new(wire.files)?;
        if manifest.files != given {
            return Err(ManifestInvalid::Order);
        }
        Ok(manifest)
    }
}

/// The identity of a model: the SHA-256 of its manifest's canonical bytes.
pub fn manifest_digest(bytes: &[u8]) -> Digest {
    sha256(bytes)
}

/// Checks that a path stays inside its directory and means the same file on every system.
fn check_path(path: &str) -> Result<(), ManifestInvalid> {
    let refuse = |why| Err(ManifestInvalid::Path { path: path.chars().take(200).collect(), why });
    if path.is_empty() || path.len() > MODEL_PATH_BYTES {
        return refuse("it is empty or too long");
    }
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return refuse("it is absolute or holds `\\` or `:`");
    }
    if path.chars().any(char::is_control) {
        return refuse("it holds a control character");
    }
    let segments = path.split('/');
    if segments.clone().count() > MODEL_DEPTH {
        return refuse("it is too deep");
    }
    for segment in segments {
        match segment {
            "" => return refuse("it holds an empty segment"),
            "." | ".." => return refuse("it holds `.` or `..`"),
            _ => {}
        }
    }
    Ok(())
}
