//! The list of a gateway's segments, so that a reader opens only those it needs.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bartizan_base::{Digest, Timestamp, sha256};
use bartizan_keys::subjects::Subjects;

use super::error::ReadFailed;
use super::frame::{Bytes, time};
use super::layout::Header;
use super::segment::Segment;
use crate::disk::EntryKind;
use crate::limits::MANIFEST_SEGMENTS;
use crate::tree::Tree;

const MAGIC: &[u8; 24] = b"bartizan-segment-list-1\n";
const ENTRY_BYTES: usize = 9 * 8 + 32;
const PAGE_LIMIT: u64 = 24 + MANIFEST_SEGMENTS * 104 + 32;

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number.
    pub number: u64,
    /// The epoch of its log.
    pub epoch: u64,
    /// First sequence number.
    pub first: u64,
    /// Last sequence number; `first - 1` when there is none.
    pub last: u64,
    /// Records.
    pub count: u64,
    /// Sequence numbers that were never used.
    pub lost: u64,
    /// Time of its earliest record; 1970 without records.
    pub earliest: Timestamp,
    /// Time of its latest record.
    pub latest: Timestamp,
    /// When it was sealed, as that machine believed.
    pub sealed: Timestamp,
    /// The root of the tree over its records.
    pub root: Digest,
}

impl SegmentInfo {
    pub(super) fn of(header: &Header) -> Self {
        let Header { number, epoch, first, last, count, lost, earliest, latest, sealed, root, .. } = *header;
        Self { number, epoch, first, last, count, lost, earliest, latest, sealed, root }
    }

    fn put(&self, out: &mut Vec<u8>) {
        let numbers = [self.number, self.epoch, self.first, self.last, self.count, self.lost];
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
        let times = [self.earliest, self.latest, self.sealed];
        times.iter().for_each(|time| out.extend_from_slice(&time.millis().to_be_bytes()));
        out.extend_from_slice(self.root.as_bytes());
    }

    fn parse(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        Some(Self {
            number: bytes.u64()?,
            epoch: bytes.u64()?,
            first: bytes.u64()?,
            last: bytes.u64()?,
            count: bytes.u64()?,
            lost: bytes.u64()?,
            earliest: time(*bytes.array()?)?,
            latest: time(*bytes.array()?)?,
            sealed: time(*bytes.array()?)?,
            root: Digest::from_bytes(*bytes.array()?),
        })
    }
}

/// The file of a segment.
pub(super) fn path_of(number: u64) -> String {
    format!("seg/{:08x}/{number:016x}", number / MANIFEST_SEGMENTS)
}

fn page_file(page: u64) -> String {
    format!("manifest/{page:08x}")
}

/// The pages there are, ascending.
pub(super) fn pages(tree: &Tree) -> Result<Vec<u64>, ReadFailed> {
    let mut pages = BTreeSet::new();
    numbers_in(tree, "manifest", EntryKind::File, &mut pages)?;
    Ok(pages.into_iter().collect())
}

/// The segments of a page, ascending.
pub(super) fn read_page(tree: &Tree, page: u64) -> Result<Vec<SegmentInfo>, ReadFailed> {
    let file = page_file(page);
    let io = |source| ReadFailed::Io { file: file.clone(), source };
    let damaged = |reason| ReadFailed::Damaged { file: file.clone(), offset: 0, reason };
    let reader = tree.open_file(&file).map_err(io)?;
    let length = reader.len().map_err(io)?;
    if length > PAGE_LIMIT {
        return Err(damaged("longer than a list of segments can be"));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    reader.read_exact_at(0, &mut bytes).map_err(io)?;
    parse_page(&bytes, page).ok_or_else(|| damaged("not a list of segments"))
}

/// The segments up to number `last`, newest first; a page of the list is read when it is come to.
pub(super) fn newest_first(
    tree: &Tree,
    last: u64,
) -> Result<impl Iterator<Item = Result<SegmentInfo, ReadFailed>>, ReadFailed> {
    let pages = pages(tree)?.into_iter().rev().filter(move |page| *page <= last / MANIFEST_SEGMENTS);
    let segments = pages.flat_map(move |page| match read_page(tree, page) {
        Ok(entries) => entries.into_iter().rev().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    let wanted = move |info: &Result<SegmentInfo, _>| info.as_ref().map_or(true, |info| info.number <= last);
    Ok(segments.filter(wanted))
}

fn parse_page(bytes: &[u8], page: u64) -> Option<Vec<SegmentInfo>> {
    let (content, digest) = bytes.split_last_chunk::<32>()?;
    (sha256(content).as_bytes() == digest).then_some(())?;
    let (chunks, rest) = content.strip_prefix(MAGIC)?.as_chunks::<ENTRY_BYTES>();
    let entries: Vec<SegmentInfo> = chunks.iter().map(SegmentInfo::parse).collect::<Option<_>>()?;
    let here = entries.iter().all(|entry| entry.number / MANIFEST_SEGMENTS == page);
    let sorted = entries.is_sorted_by(|a, b| a.number < b.number);
    let last = entries.last()?;
    // Whoever seals goes on with the next number.
    (rest.is_empty() && here && sorted && last.number < u64::MAX).then_some(entries)
}

/// The list as the one who seals keeps it.
#[derive(Debug)]
pub(super) struct Manifest {
    tree: Arc<Tree>,
    // INVARIANT: the segments of the last page that has any, ascending.
    entries: Vec<SegmentInfo>,
}

impl Manifest {
    /// Reads the last page, and adds segments that were made and not listed when the power went.
    pub(super) fn open(tree: &Arc<Tree>, subjects: &Subjects) -> Result<Self, ReadFailed> {
        let last = pages(tree)?.last().copied();
        let entries = last.map(|page| read_page(tree, page)).transpose()?.unwrap_or_default();
        let mut manifest = Self { tree: Arc::clone(tree), entries };
        let mut folders = BTreeSet::new();
        numbers_in(tree, "seg", EntryKind::Dir, &mut folders)?;
        let mut unlisted = BTreeSet::new();
        for folder in folders.range(last.unwrap_or(0)..) {
            numbers_in(tree, &format!("seg/{folder:08x}"), EntryKind::File, &mut unlisted)?;
        }
        let known = manifest.last().map_or(0, |last| last.number);
        for number in unlisted.into_iter().filter(|number| *number > known) {
            let segment = Segment::open(tree, subjects, number)?;
            let file = path_of(number);
            manifest
                .add(SegmentInfo::of(segment.header()))
                .map_err(|source| ReadFailed::Io { file, source })?;
        }
        Ok(manifest)
    }

    pub(super) fn last(&self) -> Option<&SegmentInfo> {
        self.entries.last()
    }

    /// Adds the newest segment, durably.
    pub(super) fn add(&mut self, info: SegmentInfo) -> io::Result<()> {
        let page = info.number / MANIFEST_SEGMENTS;
        let mut entries = self.entries.clone();
        entries.retain(|entry| entry.number / MANIFEST_SEGMENTS == page && entry.number < info.number);
        entries.push(info);
        let mut bytes = MAGIC.to_vec();
        entries.iter().for_each(|entry| entry.put(&mut bytes));
        let digest = sha256(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        self.tree.write(&[(&page_file(page), &bytes)]).map_err(|(_, error)| error)?;
        self.entries = entries;
        Ok(())
    }
}

/// The entries of a folder whose names are numbers in hexadecimal digits.
fn numbers_in(
    tree: &Tree,
    folder: &str,
    wanted: EntryKind,
    numbers: &mut BTreeSet<u64>,
) -> Result<(), ReadFailed> {
    let listed = tree.disk().entries(folder, &mut |name, kind| {
        if let Ok(number) = u64::from_str_radix(name, 16)
            && kind == wanted
        {
            numbers.insert(number);
        }
    });
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| ReadFailed::Io { file: folder.to_owned(), source }),
    }
}
