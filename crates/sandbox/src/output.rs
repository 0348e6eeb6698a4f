//! What a job left: judged as a whole, hashed while it is copied, and published by one rename.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::report::{Output, OutputFile, Refusal, RefusalReason};
use crate::tree::{self, Bounds};

/// The output could not be published.
#[derive(Debug, thiserror::Error)]
#[error("publishing the output as `{}`: {step}", path.display())]
pub struct PublishFailed {
    /// The place that the plan named.
    pub path: PathBuf,
    /// What was being done.
    pub step: &'static str,
    /// Why it failed.
    #[source]
    pub source: std::io::Error,
}

/// Publishes what lies in `left` as the directory `place`, if all of it can be taken. Everything that could
/// still write to it must be dead.
pub(crate) fn publish(left: BorrowedFd<'_>, place: &Path, bounds: &Bounds) -> Result<Output, PublishFailed> {
    let failed = |step| move |source| PublishFailed { path: place.to_owned(), step, source };
    let listing = tree::list(left, bounds).map_err(failed("listing what was left"))?;
    if listing.refused_count > 0 {
        return Ok(Output::Refused { entries: listing.refused, count: listing.refused_count });
    }
    let draft = Draft::begin(place).map_err(failed("making a directory beside it"))?;
    let mut files = Vec::with_capacity(listing.files.len());
    let mut folders = vec![draft.0.clone()];
    for (path, bytes) in listing.files {
        let Ok(file) = tree::open_beneath(left, &path) else {
            return Ok(refused(path, RefusalReason::Unreadable));
        };
        let target = draft.0.join(&path);
        if let Some(parent) = target.parent().filter(|parent| !parent.exists()) {
            fs::create_dir_all(parent).map_err(failed("making a directory"))?;
            let made = parent.ancestors().take_while(|folder| *folder != draft.0);
            folders.extend(made.map(Path::to_owned));
        }
        let mut copy = fs::File::create_new(&target).map_err(failed("making a file"))?;
        let (digest, read) = tree::pass(&file, &mut copy, bytes).map_err(failed("copying a file"))?;
        if read != bytes {
            return Ok(refused(path, RefusalReason::Unreadable));
        }
        copy.sync_data().map_err(failed("making a file durable"))?;
        files.push(OutputFile { path, bytes, digest });
    }
    for folder in &folders {
        sync(folder).map_err(failed("making a directory durable"))?;
    }
    let whole =
        tree::whole(&files).map_err(|_| failed("describing it")(std::io::ErrorKind::FileTooLarge.into()))?;
    rustix::fs::renameat_with(CWD, &draft.0, CWD, place, RenameFlags::NOREPLACE)
        .map_err(|errno| failed("giving it its name")(errno.into()))?;
    place.parent().map_or(Ok(()), sync).map_err(failed("making its name durable"))?;
    Ok(Output::Published { whole, files })
}

fn refused(path: String, reason: RefusalReason) -> Output {
    Output::Refused { entries: vec![Refusal { path, reason }], count: 1 }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    let folder = fs::File::open(folder)?;
    Ok(rustix::fs::fsync(folder.as_fd())?)
}

/// A directory that is being filled; removed unless it was given its name.
struct Draft(PathBuf);

impl Draft {
    fn begin(place: &Path) -> std::io::Result<Self> {
        let name = place.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())?;
        let suffix = u64::from_le_bytes(random);
        let name = format!(".{}.partial-{suffix:016x}", name.to_string_lossy());
        let path = place.with_file_name(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After the rename it is not there any more.
        drop(fs::remove_dir_all(&self.0));
    }
}
