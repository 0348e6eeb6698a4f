//! A model's files on disk: regular files under one directory, and nothing that leads out of it.

use std::fs::{self, File, Metadata};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_registry::limits::{MODEL_DEPTH, MODEL_FILES};
use rustix::fs::{CWD, Mode, OFlags};

use crate::catalog::ids;
use crate::failure::Failure;

/// One file of a model; a model may have more of them than a process may hold open.
#[derive(Debug, Clone)]
pub(super) struct ModelFile {
    /// Its path inside the model.
    pub(super) path: String,
    /// How many bytes it had when the model was listed.
    pub(super) bytes: u64,
    root: Arc<OwnedFd>,
    shown: PathBuf,
}

impl ModelFile {
    /// Opens the file, reached from the model's directory without following any link.
    ///
    /// # Errors
    /// When it is no longer what it was when the model was listed.
    pub(super) fn open(&self) -> Result<File, Failure> {
        let shown = self.shown.join(&self.path);
        let mut at = None;
        let mut rest = self.path.as_str();
        while let Some((directory, tail)) = rest.split_once('/') {
            let from = at.as_ref().unwrap_or(&*self.root);
            at = Some(open_at(from.as_fd(), Path::new(directory), OFlags::DIRECTORY, &shown)?);
            rest = tail;
        }
        regular(at.as_ref().unwrap_or(&*self.root).as_fd(), Path::new(rest), &shown)
    }
}

/// Lists every file of a model: one file, or all below a directory, in the order of their paths. Each was opened
/// once, so that a tree with anything unfit in it is refused before its first byte is taken. The file `except`,
/// if it lies in the tree, is left out: a signature does not sign itself.
///
/// # Errors
/// When there is a link, a special file, a name that is not UTF-8, or something that cannot be read; the error
/// names it.
pub(super) fn list(path: &Path, except: Option<&Path>) -> Result<Vec<ModelFile>, Failure> {
    list_up_to(path, except, MODEL_FILES)
}

/// As [`list`], for at most so many files.
///
/// # Errors
/// As [`list`].
pub(super) fn list_up_to(path: &Path, except: Option<&Path>, most: usize) -> Result<Vec<ModelFile>, Failure> {
    let except = match except {
        Some(path) => Some(fs::metadata(path).map_err(|error| refuse(path, &error.to_string()))?),
        None => None,
    };
    let metadata = fs::symlink_metadata(path).map_err(|error| refuse(path, &error.to_string()))?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        let root = Arc::new(open_at(CWD, path, OFlags::DIRECTORY, path)?);
        let mut walk = Walk { root: &root, shown: path, except: except.as_ref(), most, files: &mut found };
        walk.directory(path, "", 0)?;
    } else {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| refuse(path, "its name is not UTF-8"))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root =
            Arc::new(OwnedFd::from(File::open(parent).map_err(|error| refuse(path, &error.to_string()))?));
        let mut file = ModelFile { path: name.to_owned(), bytes: 0, root, shown: parent.to_owned() };
        file.bytes = file.open()?.metadata().map_err(|error| refuse(path, &error.to_string()))?.len();
        found.push(file);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// A directory tree that is being listed.
struct Walk<'a> {
    root: &'a Arc<OwnedFd>,
    shown: &'a Path,
    except: Option<&'a Metadata>,
    most: usize,
    files: &'a mut Vec<ModelFile>,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), Failure> {
        if depth >= MODEL_DEPTH {
            return Err(refuse(directory, "it is too deep"));
        }
        let entries = fs::read_dir(directory).map_err(|error| refuse(directory, &error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| refuse(directory, &error.to_string()))?;
            let full: PathBuf = entry.path();
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| refuse(&full, "its name is not UTF-8"))?;
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|error| refuse(&full, &error.to_string()))?;
            if kind.is_dir() {
                self.directory(&full, &format!("{path}/"), depth + 1)?;
            } else {
                self.file(path, &full)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, full: &Path) -> Result<(), Failure> {
        let mut file =
            ModelFile { path, bytes: 0, root: Arc::clone(self.root), shown: self.shown.to_owned() };
        let metadata = file.open()?.metadata().map_err(|error| refuse(full, &error.to_string()))?;
        let left_out = |except: &Metadata| (except.dev(), except.ino()) == (metadata.dev(), metadata.ino());
        if self.except.is_some_and(left_out) {
            return Ok(());
        }
        if self.files.len() >= self.most {
            return Err(refuse(self.shown, &format!("there are more than {} files", self.most)));
        }
        file.bytes = metadata.len();
        self.files.push(file);
        Ok(())
    }
}

/// Opens a regular file without following a link, and without waiting for a pipe's other end.
fn regular(at: impl AsFd, name: &Path, shown: &Path) -> Result<File, Failure> {
    let file = File::from(open_at(at, name, OFlags::NONBLOCK, shown)?);
    let metadata = file.metadata().map_err(|error| refuse(shown, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(refuse(shown, "it is not a regular file"));
    }
    Ok(file)
}

fn open_at(at: impl AsFd, name: &Path, flags: OFlags, shown: &Path) -> Result<OwnedFd, Failure> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | flags;
    rustix::fs::openat(at, name, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::LOOP => refuse(shown, "it is a symbolic link"),
        other => refuse(shown, &std::io::Error::from(other).to_string()),
    })
}

fn refuse(path: &Path, why: &str) -> Failure {
    let mut failure = Failure::new(ids::MODEL_FILES, format!("`{}` cannot be taken", path.display()));
    failure.why.push(why.to_owned());
    failure
}
