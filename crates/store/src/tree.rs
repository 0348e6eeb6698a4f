//! Files that appear whole and durably, or not at all.
//!
//! The ground under [`DirBlobs`](crate::DirBlobs) and [`DirCas`](crate::DirCas).
//!
//! ```text
//!   .tmp/PID-N  --write, sync_data-->  --rename-->  a/b  --sync_dir of a, and of the parents of new folders-->
//! ```
//!
//! Names that start with a dot are this module's own: `.tmp/` holds files being written, `.lock` is held
//! shared by everyone who may have such files, so that whoever gets it alone may throw left-overs away.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile, DiskLock, EntryKind, LockMode};
use crate::limits::{KNOWN_DIRS, OPEN_FILES, TEMP_NAMES};

const TEMP_DIR: &str = ".tmp";
const LOCK: &str = ".lock";

/// Makes temporary names unique within this process.
static NEXT_TEMP: AtomicU64 = AtomicU64::new(0);

/// A directory in which files appear whole.
#[derive(Debug)]
pub(crate) struct Tree {
    disk: Disk,
    /// Directories whose own name this process has made durable.
    // INVARIANT: a directory is in here only after a sync of its parent that began when it existed. That it
    // exists is not enough: whoever made it may have died or failed before syncing.
    known: Mutex<HashSet<String>>,
    _writing: Option<DiskLock>,
}

impl Tree {
    /// Takes a directory into use and removes what dead writers left in it.
    pub(crate) fn open(disk: Disk) -> io::Result<Self> {
        disk.make_dir(TEMP_DIR)?;
        if let Some(alone) = disk.lock(LOCK, LockMode::TryExclusive)? {
            remove_stale(&disk)?;
            drop(alone);
        }
        let writing = disk.lock(LOCK, LockMode::Shared)?;
        Ok(Self { disk, known: Mutex::default(), _writing: writing })
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Starts a file without a name.
    pub(crate) fn begin(self: &Arc<Self>) -> io::Result<Draft> {
        let pid = std::process::id();
        for _ in 0..TEMP_NAMES {
            let name = format!("{TEMP_DIR}/{pid}-{}", NEXT_TEMP.fetch_add(1, Ordering::Relaxed));
            match self.disk.create(&name) {
                Ok(file) => return Ok(Draft { tree: Arc::clone(self), name, file, published: false }),
                // A process with our number in another container shares this directory.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "found no unused temporary name"))
    }

    /// Writes files whole and durably, in groups; the error names the file concerned.
    pub(crate) fn write<'n>(
        self: &Arc<Self>,
        files: &[(&'n str, &[u8])],
    ) -> Result<(), (&'n str, io::Error)> {
        let mut changes = Changes::default();
        let mut last = "";
        for group in files.chunks(OPEN_FILES) {
            let mut drafts = Vec::with_capacity(group.len());
            for (name, bytes) in group {
                let mut draft = self.begin().map_err(|error| (*name, error))?;
                draft.write_all(bytes).map_err(|error| (*name, error))?;
                drafts.push((*name, draft));
            }
            for (name, draft) in &drafts {
                draft.file.sync_data().map_err(|error| (*name, error))?;
            }
            for (name, draft) in drafts {
                self.publish(draft, name, &mut changes).map_err(|error| (name, error))?;
                last = name;
            }
        }
        self.settle(changes).map_err(|error| (last, error))
    }

    /// Gives a draft its name, durably.
    pub(crate) fn commit(&self, draft: Draft, name: &str) -> io::Result<()> {
        draft.file.sync_data()?;
        let mut changes = Changes::default();
        self.publish(draft, name, &mut changes)?;
        self.settle(changes)
    }

    /// Opens a file; `NotFound` also when its folder is itself a file.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<DiskFile> {
        self.disk.open(name).map_err(|error| self.absent_below_a_file(error, name))
    }

    /// Removes a file durably; `false` when there was none.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        let absent = |error| match self.absent_below_a_file(error, name) {
            error if error.kind() == io::ErrorKind::NotFound => Ok(()),
            error => Err(error),
        };
        let removed = self.disk.remove(name).map(|()| true).or_else(|error| absent(error).map(|()| false))?;
        // Also when it was gone: an earlier removal may have failed before it was durable.
        match self.disk.sync_dir(parent(name)) {
            Err(error) if !removed => absent(error).map(|()| false),
            other => other.map(|()| removed),
        }
    }

    /// Makes whatever `name` shows now durable, when this process did not write it itself.
    pub(crate) fn confirm(&self, name: &str) -> io::Result<()> {
        let mut changes = Changes::default();
        for dir in folders(name).filter(|dir| !self.known().contains(*dir)) {
            changes.dirs.insert(parent(dir).to_owned());
        }
        changes.dirs.insert(parent(name).to_owned());
        self.settle(changes)
    }

    /// Turns "not a directory" into "not found" where a file lies in the place of a folder: below it there is
    /// nothing. Where a link does, nothing is known, and the error stays.
    fn absent_below_a_file(&self, error: io::Error, name: &str) -> io::Error {
        let below_a_file = error.kind() == io::ErrorKind::NotADirectory
            && folders(name).any(|folder| self.disk.open(folder).is_ok());
        if below_a_file { io::ErrorKind::NotFound.into() } else { error }
    }

    fn publish(&self, mut draft: Draft, name: &str, changes: &mut Changes) -> io::Result<()> {
        for dir in folders(name) {
            if !self.known().contains(dir) && !changes.fresh.contains(dir) {
                self.disk.make_dir(dir)?;
                changes.fresh.insert(dir.to_owned());
                changes.dirs.insert(parent(dir).to_owned());
            }
        }
        self.disk.rename(&draft.name, name)?;
        draft.published = true;
        changes.dirs.insert(parent(name).to_owned());
        Ok(())
    }

    fn settle(&self, changes: Changes) -> io::Result<()> {
        for dir in &changes.dirs {
            self.disk.sync_dir(dir)?;
        }
        let mut known = self.known();
        if known.len() + changes.fresh.len() > KNOWN_DIRS {
            known.clear();
        }
        known.extend(changes.fresh);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Directories to sync before anything is acknowledged, and those among them that are new to this process.
#[derive(Default)]
struct Changes {
    dirs: BTreeSet<String>,
    fresh: BTreeSet<String>,
}

/// A file being written; removed when dropped before it is committed.
#[derive(Debug)]
pub(crate) struct Draft {
    tree: Arc<Tree>,
    name: String,
    file: DiskFile,
    published: bool,
}

impl Draft {
    /// The tree that it will be published in.
    pub(crate) fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = self.tree.disk.remove(&self.name)
        {
            tracing::debug!(name = self.name, %error, "left a temporary file for the next start to remove");
        }
    }
}

fn remove_stale(disk: &Disk) -> io::Result<()> {
    let mut stale = Vec::new();
    disk.entries(TEMP_DIR, &mut |name, kind| {
        if kind == EntryKind::File {
            stale.push(format!("{TEMP_DIR}/{name}"));
        }
    })?;
    stale.iter().try_for_each(|name| disk.remove(name))
}

/// The folder that holds `name`; empty for the tree's own directory.
pub(crate) fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Every folder on the way to `name`, outermost first, without the tree's own directory.
fn folders(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(end, _)| name.get(..end))
}
