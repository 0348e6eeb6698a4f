//! The check of a whole ledger: recomputes every hash from the entries up and reports every defect.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use bartizan_base::{BlobErrorKind, BlobName, Blobs, Cas, read_all};

use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog};
use crate::head::{Head, HeadInvalid, checkpoint_name, head_key};
use crate::limits::{DEFECTS, DEFECTS_COUNTED, LIST_PAGE, NOTE_BYTES};
use crate::staging::{self, StagingName};
use crate::tile::{Level, TileBytesInvalid, TilePath, items_at, place};

mod check;

use check::Check;

/// What no check of a ledger alone can see; to be shown with every report.
pub const NOT_COVERED: &str = "not covered: an older copy of the whole ledger is consistent in itself; \
     only a remembered checkpoint or a witness shows that it is older";

/// What a check found.
#[derive(Debug)]
pub struct Report {
    /// The checkpoint that everything was compared with: the published one or, where that is missing or wrong, the
    /// head's. `None` when there is neither.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Entries that were read and hashed.
    pub entries: u64,
    /// Tiles and bundles, full and partial, that were read.
    pub tiles: u64,
    /// Partial tiles that full ones have replaced; correct, and free to be removed.
    pub stale_partials: u64,
    /// A committed group waits to be finished; opening the ledger for appending does it.
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
/// Nothing is changed. Without `head` the ledger may be appended to meanwhile; tiles beyond the checkpoint that
/// was read at the start are then no defect.
pub fn fsck(blobs: &dyn Blobs, head: Option<&dyn Cas>, log: &TrustedLog, threads: NonZeroUsize) -> Report {
    let findings = Findings::default();
    let published = read_checkpoint(blobs, log, &findings);
    let head = head.map(|cas| check_head(blobs, cas, log, published.as_ref(), &findings)).unwrap_or_default();
    let unfinished = head.unfinished;
    // Without a published checkpoint the tiles can still be compared with the head.
    let exclusive = head.checkpoint.is_some() && !unfinished;
    let checkpoint = published.or(head.checkpoint);
    let mut stale_partials = 0;
    if let Some(checkpoint) = &checkpoint {
        let partials = list_tiles(blobs, checkpoint.size(), exclusive, &findings);
        stale_partials = Check::new(blobs, checkpoint, &partials, &findings).run(threads);
    }
    let Findings { tiles, entries, defects } = findings;
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
                let kind = match failed.kind {
                    BlobErrorKind::NotFound => DefectKind::Missing,
                    _ => DefectKind::Unreadable(failed.source.to_string()),
                };
                self.add(name, None, kind);
                None
            }
        }
    }
}

fn read_checkpoint(blobs: &dyn Blobs, log: &TrustedLog, findings: &Findings) -> Option<SignedCheckpoint> {
    let note = findings.read(blobs, &checkpoint_name(), NOTE_BYTES)?;
    let opened = SignedCheckpoint::open(&note, log);
    opened.map_err(|why| findings.add(checkpoint_name(), None, DefectKind::Checkpoint(why))).ok()
}

/// What was found under the head's key.
#[derive(Default)]
struct HeadFound {
    checkpoint: Option<SignedCheckpoint>,
    /// It is newer than the published checkpoint, and its group is staged.
    unfinished: bool,
}

/// Compares the head with the published checkpoint.
fn check_head(
    blobs: &dyn Blobs,
    cas: &dyn Cas,
    log: &TrustedLog,
    published: Option<&SignedCheckpoint>,
    findings: &Findings,
) -> HeadFound {
    let decoded = match cas.load(&head_key()) {
        Ok(Some(bytes)) => Head::decode(&bytes, &log.without_witnesses()).map_err(DefectKind::Head),
        Ok(None) => Err(DefectKind::Missing),
        Err(failed) => Err(DefectKind::Unreadable(failed.source.to_string())),
    };
    let head = match decoded {
        Ok(head) => head.checkpoint,
        Err(kind) => {
            findings.add(head_key(), None, kind);
            return HeadFound::default();
        }
    };
    let mut unfinished = false;
    if let Some(published) = published {
        let (older, newer) = (published.size(), head.size());
        if newer < older || (newer == older && head.root() != published.root()) {
            findings.add(head_key(), None, DefectKind::HeadDiffers);
        } else if newer > older {
            let staged = blobs.list(staging::PREFIX, None, LIST_PAGE).unwrap_or_default();
            unfinished = staged.iter().filter_map(StagingName::parse).any(|name| name.completes(&head));
            if !unfinished {
                findings.add(head_key(), None, DefectKind::HeadUnfinished);
            }
        }
    }
    HeadFound { checkpoint: Some(head), unfinished }
}

/// The widths of partial tiles that are there beside the ones the checkpoint needs, by level and index.
type Partials = BTreeMap<(Level, u64), Vec<TilePath>>;

fn list_tiles(blobs: &dyn Blobs, size: u64, exclusive: bool, findings: &Findings) -> Partials {
    let mut partials = Partials::new();
    let mut after: Option<BlobName> = None;
    loop {
        let page = match blobs.list("tile/", after.as_ref(), LIST_PAGE) {
            Ok(page) => page,
            Err(failed) => {
                findings.add("tile/", None, DefectKind::Unreadable(failed.source.to_string()));
                return partials;
            }
        };
        for name in &page {
            let Ok(path) = name.as_str().parse::<TilePath>() else {
                findings.add(name, None, DefectKind::Name);
                continue;
            };
            let (full, width) = place(items_at(path.level(), size));
            let within = path.index() < full || (path.index() == full && path.width() <= width);
            if !within && exclusive {
                findings.add(path, None, DefectKind::Beyond);
            }
            if within && path.is_partial() && TilePath::edge(path.level(), size) != Some(path) {
                partials.entry((path.level(), path.index())).or_default().push(path);
            }
        }
        if page.len() < LIST_PAGE {
            return partials;
        }
        after = page.last().cloned();
    }
}
