//! Reading a whole segment again: everything in it is authentic, and follows from its root.

use bartizan_base::Digest;
use bartizan_keys::subjects::SubjectTag;

use super::build::index_key;
use super::error::ReadFailed;
use super::layout::{Entry, PageKind};
use super::reader::{Personal, Records};
use super::segment::Segment;

/// What a segment holds, as read again from its first byte to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The root, recomputed from the digests of its records.
    pub root: Digest,
    /// How many they are.
    pub count: u64,
    /// The records whose personal groups nobody can read any more, ascending, and whom they are about.
    pub gone: Vec<(u32, SubjectTag)>,
}

impl Records {
    /// Reads a segment again: the root is recomputed from the list of digests, each digest from the commitments, each
    /// commitment from what is stored, and each index from the records. What is encrypted under a key that was
    /// destroyed cannot be read, and is told.
    ///
    /// # Errors
    /// When the segment is damaged or cannot be read.
    pub fn check(&self, number: u64) -> Result<Checked, ReadFailed> {
        let segment = self.segment(number)?;
        let tree = segment.tree()?;
        let mut gone = Vec::new();
        let (mut ids, mut subjects, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..segment.directory().blocks.len() {
            let block = segment.block(number)?;
            for (row, index) in (0..block.rows.len()).zip(block.first..) {
                let record = self.record(&segment, &block, row)?;
                ids.push((u128::from_be_bytes(*record.id.as_bytes()), index));
                subjects.extend(record.subject.map(|tag| (index_key(tag.as_bytes()), index)));
                let request = block.rows.get(row).and_then(|row| row.meta.request);
                requests.extend(request.map(|tag| (u128::from_be_bytes(*tag.as_bytes()), index)));
                if let (Personal::Erased, Some(tag)) = (&record.personal, record.subject) {
                    gone.push((index, tag));
                }
            }
        }
        check_index(&segment, PageKind::Id, ids)?;
        check_index(&segment, PageKind::Subject, subjects)?;
        check_index(&segment, PageKind::Request, requests)?;
        Ok(Checked { root: tree.root(), count: segment.header().count, gone })
    }
}

/// An index lists each of the records, and nothing else.
fn check_index(segment: &Segment, kind: PageKind, mut expected: Vec<Entry>) -> Result<(), ReadFailed> {
    expected.sort_unstable();
    let mut expected = expected.into_iter();
    for page in segment.directory().pages.iter().filter(|page| page.kind == kind) {
        let same = segment.entries(page)?.into_iter().all(|entry| expected.next() == Some(entry));
        if !same {
            return Err(segment.damaged(page.offset, "an index does not list the records"));
        }
    }
    match expected.next() {
        None => Ok(()),
        Some(_) => Err(segment.damaged(0, "an index leaves out records")),
    }
}
