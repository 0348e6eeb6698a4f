//! The check of a whole ledger: recomputes every hash from the entries up and reports every defect.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use bartizan_base::{BlobError, BlobErrorKind, BlobName, Blobs, Cas, read_all};

use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog};
use crate::head::HeadInvalid;
use crate::limits::{DEFECTS, DEFECTS_COUNTED, LIST_PAGE};
use crate::staging::StagingInvalid;
use crate::tile::{Level, TileBytesInvalid, TilePath, items_at, place};

mod check;
mod start;

use check::Check;
use start::Start;

/// What no check of a ledger alone can see; to be shown with every report.
pub const NOT_COVERED: &str = "not covered: an older copy of the whole ledger is consistent in itself; \
     only a remembered checkpoint or a witness shows that it is older";

/// What a check found.
#[derive(Debug)]
pub struct Report {
    /// The checkpoint that everything was compared with: the published one or, where that is missing, wrong or not
    /// replaced yet, the head's. `None` when there is neither.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Entries that were read and hashed.
    pub entries: u64,
    /// Tiles and bundles, full and partial, that were read.
    pub tiles: u64,
    /// Partial tiles that full ones have replaced; correct, and free to be removed.
    pub stale_partials: u64,
    /// A committed group waits to be finished, and was checked as if it were; opening the ledger for appending
    /// does it, or a writer that is at work.
    pub unfinished: bool,
    /// The defects, the first [`DEFECTS`] of them.
    pub defects: Vec<Defect>,
    /// How many defects there are.
    pub defects_total: u64,
    /// There were so many that the check was not completed: [`DEFECTS_COUNTED`].
    pub gave_up: bool,
}

impl Report {
    /// Whether there are no defects.
    pub fn is_clean(&self) -> bool {
        self.defects_total == 0
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The blob concerned, or the key of the head.
    pub path: String,
    /// The index of the first entry concerned, where there is one.
    pub index: Option<u64>,
    /// What is wrong.
    pub kind: DefectKind,
}

/// What is wrong with a part of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefectKind {
    /// It is missing.
    Missing,
    /// The storage does not give it.
    Unreadable(String),
    /// The checkpoint is not one of the trusted log.
    Checkpoint(CheckpointInvalid),
    /// The head is damaged.
    Head(HeadInvalid),
    /// The head is older than the published checkpoint, or of another tree.
    HeadDiffers,
    /// The head is newer than the published checkpoint, and nothing is staged to finish it.
    HeadUnfinished,
    /// The staging blob of a committed group is damaged; opening the ledger would fail.
    Staging(StagingInvalid),
    /// The bytes are malformed.
    Bytes(TileBytesInvalid),
    /// The entry is not the one that the checkpoint commits to.
    Entry,
    /// The hash is not that of what lies below it.
    Hash,
    /// What lies here is consistent with what lies below it, but not with what the checkpoint commits to.
    Replaced,
    /// A partial tile differs from the full or newer one.
    Partial,
    /// The tile is not part of the tree of the checkpoint.
    Beyond,
    /// No tile has this name.
    Name,
    /// The tree has another root than the checkpoint says.
    Root,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        if let Some(index) = self.index {
            write!(f, "entry {index}: ")?;
        }
        match &self.kind {
            DefectKind::Missing => f.write_str("missing"),
            DefectKind::Unreadable(why) => write!(f, "unreadable: {why}"),
            DefectKind::Checkpoint(why) => write!(f, "not a checkpoint of the trusted log: {why}"),
            DefectKind::Head(why) => write!(f, "damaged: {why}"),
            DefectKind::HeadDiffers => f.write_str("older than the published checkpoint, or of another tree"),
            DefectKind::HeadUnfinished => {
                f.write_str("newer than the published checkpoint, and nothing is staged to finish it")
            }
            DefectKind::Staging(why) => write!(f, "damaged: {why}"),
            DefectKind::Bytes(why) => write!(f, "malformed: {why}"),
            DefectKind::Entry => f.write_str("not the entry that the checkpoint commits to"),
            DefectKind::Hash => f.write_str("not the hash of what lies below it"),
            DefectKind::Replaced => {
                f.write_str("fits what lies below it, but is not what the checkpoint commits to")
            }
            DefectKind::Partial => f.write_str("a partial tile that differs from the full or newer one"),
            DefectKind::Beyond => f.write_str("not part of the tree of the checkpoint"),
            DefectKind::Name => f.write_str("not the name of a tile"),
            DefectKind::Root => f.write_str("the tree has another root"),
        }
    }
}

/// Checks the ledger in `blobs`, and its head when `head` is given, on `threads` threads.
///
/// Nothing is changed, and the ledger may be appended to meanwhile. Tiles beyond the checkpoint that was found at
/// the start are a defect when `head` is given and shows that nobody has appended since.
pub fn fsck(blobs: &dyn Blobs, head: Option<&dyn Cas>, log: &TrustedLog, threads: NonZeroUsize) -> Report {
    let start = Start::find(blobs, head, log);
    let findings = &start.findings;
    let (blobs, checkpoint) = start.finished(blobs);
    let mut stale_partials = 0;
    if let Some(checkpoint) = checkpoint {
        let Listed { partials, beyond } = list_tiles(&blobs, checkpoint.size(), findings);
        if start.still(head) {
            beyond.iter().for_each(|path| findings.add(path, None, DefectKind::Beyond));
        }
        stale_partials = Check::new(&blobs, checkpoint, &partials, findings).run(threads);
    }
    let (checkpoint, unfinished) = (checkpoint.cloned(), start.unfinished);
    let Findings { tiles, entries, defects } = start.findings;
    let (defects, defects_total) = defects.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (tiles, entries) = (tiles.into_inner(), entries.into_inner());
    let gave_up = defects_total >= DEFECTS_COUNTED;
    Report { checkpoint, entries, tiles, stale_partials, unfinished, defects, defects_total, gave_up }
}

/// What the threads of a check find together.
#[derive(Default)]
struct Findings {
    tiles: AtomicU64,
    entries: AtomicU64,
    defects: Mutex<(Vec<Defect>, u64)>,
}

impl Findings {
    fn add(&self, path: impl fmt::Display, index: Option<u64>, kind: DefectKind) {
        let mut defects = self.defects.lock().unwrap_or_else(PoisonError::into_inner);
        defects.1 += 1;
        if defects.0.len() < DEFECTS {
            defects.0.push(Defect { path: path.to_string(), index, kind });
        }
    }

    /// Whether there are more defects than are worth counting.
    fn too_many(&self) -> bool {
        self.defects.lock().unwrap_or_else(PoisonError::into_inner).1 >= DEFECTS_COUNTED
    }

    /// Reads a blob; what keeps it from being read is a defect.
    fn read(&self, blobs: &dyn Blobs, name: &BlobName, limit: usize) -> Option<Vec<u8>> {
        match read_all(blobs, name, limit) {
            Ok(bytes) => Some(bytes),
            Err(failed) => {
                self.failed(&failed);
                None
            }
        }
    }

    /// What the storage does not give is a defect.
    fn failed(&self, failed: &BlobError) {
        let kind = match failed.kind {
            BlobErrorKind::NotFound => DefectKind::Missing,
            _ => DefectKind::Unreadable(failed.source.to_string()),
        };
        self.add(&failed.name, None, kind);
    }
}

/// The widths of partial tiles that are there beside the ones the checkpoint needs, by level and index.
type Partials = BTreeMap<(Level, u64), Vec<TilePath>>;

/// The tiles that are there but not needed.
struct Listed {
    partials: Partials,
    /// Those that are not of the tree at all, as far as they are worth counting.
    beyond: Vec<TilePath>,
}

fn list_tiles(blobs: &dyn Blobs, size: u64, findings: &Findings) -> Listed {
    let mut listed = Listed { partials: Partials::new(), beyond: Vec::new() };
    let worth_counting = usize::try_from(DEFECTS_COUNTED).unwrap_or(usize::MAX);
    let mut after: Option<BlobName> = None;
    loop {
        let page = match blobs.list("tile/", after.as_ref(), LIST_PAGE) {
            Ok(page) => page,
            Err(failed) => {
                findings.failed(&failed);
                return listed;
            }
        };
        for name in &page {
            let Ok(path) = name.as_str().parse::<TilePath>() else {
                findings.add(name, None, DefectKind::Name);
                continue;
            };
            let (full, width) = place(items_at(path.level(), size));
            let within = path.index() < full || (path.index() == full && path.width() <= width);
            if !within {
                if listed.beyond.len() < worth_counting {
                    listed.beyond.push(path);
                }
            } else if path.is_partial() && TilePath::edge(path.level(), size) != Some(path) {
                listed.partials.entry((path.level(), path.index())).or_default().push(path);
            }
        }
        if page.len() < LIST_PAGE {
            return listed;
        }
        after = page.last().cloned();
    }
}
