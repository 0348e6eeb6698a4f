//! A model's files on disk: regular files under one directory, and nothing that leads out of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bartizan_registry::limits::{MODEL_DEPTH, MODEL_FILES};
use rustix::fs::{Mode, OFlags};

use crate::catalog::ids;
use crate::failure::Failure;

/// One file of a model, open.
#[derive(Debug)]
pub(super) struct ModelFile {
    /// Its path inside the model.
    pub(super) path: String,
    /// The file itself: what is read is what was looked at.
    pub(super) file: File,
}

/// Opens every file of a model: one file, or all below a directory, in the order of their paths.
///
/// # Errors
/// When there is a link, a special file, a name that is not UTF-8, or something that cannot be read; the error
/// names it.
pub(super) fn open(path: &Path) -> Result<Vec<ModelFile>, Failure> {
    let metadata = fs::symlink_metadata(path).map_err(|error| refuse(path, &error.to_string()))?;
    let mut files = Vec::new();
    if metadata.is_dir() {
        walk(path, "", 0, &mut files)?;
    } else {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| refuse(path, "its name is not UTF-8"))?;
        files.push(ModelFile { path: name.to_owned(), file: open_regular(path)? });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn walk(directory: &Path, prefix: &str, depth: usize, files: &mut Vec<ModelFile>) -> Result<(), Failure> {
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
            walk(&full, &format!("{path}/"), depth + 1, files)?;
        } else {
            if files.len() >= MODEL_FILES {
                return Err(refuse(directory, &format!("there are more than {MODEL_FILES} files")));
            }
            files.push(ModelFile { path, file: open_regular(&full)? });
        }
    }
    Ok(())
}

/// Opens a regular file without following a link, and without waiting for a pipe's other end.
fn open_regular(path: &Path) -> Result<File, Failure> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let descriptor = opened.map_err(|error| match error {
        rustix::io::Errno::LOOP => refuse(path, "it is a symbolic link"),
        other => refuse(path, &std::io::Error::from(other).to_string()),
    })?;
    let file = File::from(descriptor);
    let metadata = file.metadata().map_err(|error| refuse(path, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(refuse(path, "it is not a regular file"));
    }
    Ok(file)
}

fn refuse(path: &Path, why: &str) -> Failure {
    let mut failure =
        Failure::new(ids::MODEL_FILES, format!("`{}` cannot be part of a model", path.display()));
    failure.why.push(why.to_owned());
    failure
}
