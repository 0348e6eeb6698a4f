//! One of the 256 files that hold subjects' wrapped keys, sorted by tag.

use std::fmt;

use aws_lc_rs::hmac;
use bartizan_base::{BlobName, ProjectId};

use super::cipher::WRAPPED_BYTES;
use super::tag::{SubjectKeyId, SubjectTag};
use crate::limits::SUBJECT_SHARD_KEYS;

const HEADER: &[u8] = b"bartizan-subjects-v1\n";
const MAC_BYTES: usize = 32;
const ENTRY_BYTES: usize = 32 + SubjectKeyId::BYTES + WRAPPED_BYTES;

/// The bytes are not this shard of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShardInvalid {
    /// The MAC is not that of what stands before it.
    #[error("not written by this project, or changed")]
    Mac,
    /// The MAC matches, but the content is not a sorted list of keys of this shard.
    #[error("not a sorted list of keys of this shard")]
    Form,
    /// A wrapped key does not authenticate.
    #[error("the key of subject `{tag}` is not authentic")]
    Key {
        /// The subject.
        tag: SubjectTag,
    },
}

/// The wrapped keys of the subjects whose tags start with one byte.
#[derive(Clone)]
pub(super) struct Shard {
    number: u8,
    // INVARIANT: sorted by tag, one entry for each, all of this shard.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    tag: SubjectTag,
    id: SubjectKeyId,
    wrapped: [u8; WRAPPED_BYTES],
}

/// `subjects/ab` for shard 0xab.
#[expect(clippy::expect_used, reason = "a constant and two hexadecimal digits are a blob name")]
pub(super) fn name_of(number: u8) -> BlobName {
    format!("subjects/{number:02x}").parse().expect("a constant and digits are a blob name")
}

impl Shard {
    pub(super) const fn empty(number: u8) -> Self {
        Self { number, entries: Vec::new() }
    }

    pub(super) const fn number(&self) -> u8 {
        self.number
    }

    pub(super) fn name(&self) -> BlobName {
        name_of(self.number)
    }

    /// How many keys it has.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes it takes in memory.
    pub(super) fn memory(&self) -> usize {
        self.entries.len() * ENTRY_BYTES
    }

    pub(super) fn get(&self, tag: SubjectTag) -> Option<(SubjectKeyId, [u8; WRAPPED_BYTES])> {
        let at = self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok()?;
        self.entries.get(at).map(|entry| (entry.id, entry.wrapped))
    }

    /// Adds a key, unless the subject has one already; `false` when there is no room.
    pub(super) fn insert(
        &mut self,
        tag: SubjectTag,
        id: SubjectKeyId,
        wrapped: &[u8; WRAPPED_BYTES],
    ) -> bool {
        if let Err(at) = self.entries.binary_search_by_key(&tag, |entry| entry.tag) {
            if self.entries.len() >= SUBJECT_SHARD_KEYS {
                return false;
            }
            self.entries.insert(at, Entry { tag, id, wrapped: *wrapped });
        }
        true
    }

    pub(super) fn remove(&mut self, tag: SubjectTag) -> bool {
        let found = self.entries.binary_search_by_key(&tag, |entry| entry.tag);
        found.map(|at| self.entries.remove(at)).is_ok()
    }

    pub(super) fn to_bytes(&self, project: ProjectId, mac: &hmac::Key) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER.len() + 21 + self.memory() + MAC_BYTES);
        bytes.extend_from_slice(HEADER);
        bytes.extend_from_slice(project.as_bytes());
        bytes.push(self.number);
        bytes.extend_from_slice(&u32::try_from(self.entries.len()).unwrap_or(u32::MAX).to_be_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(entry.tag.as_bytes());
            bytes.extend_from_slice(entry.id.as_bytes());
            bytes.extend_from_slice(&entry.wrapped);
        }
        let tag = hmac::sign(mac, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        bytes
    }

    pub(super) fn parse(
        number: u8,
        project: ProjectId,
        bytes: &[u8],
        mac: &hmac::Key,
    ) -> Result<Self, ShardInvalid> {
        let (content, tag) = bytes.split_last_chunk::<MAC_BYTES>().ok_or(ShardInvalid::Mac)?;
        hmac::verify(mac, content, tag).map_err(|_| ShardInvalid::Mac)?;
        let rest = content.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix(project.as_bytes()));
        let rest = rest.and_then(|rest| rest.strip_prefix(&[number])).ok_or(ShardInvalid::Form)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(ShardInvalid::Form)?;
        let (chunks, left) = rest.as_chunks::<ENTRY_BYTES>();
        if !left.is_empty() || u32::try_from(chunks.len()) != Ok(u32::from_be_bytes(*count)) {
            return Err(ShardInvalid::Form);
        }
        let entries: Option<Vec<Entry>> = chunks.iter().map(parse_entry).collect();
        let entries = entries.ok_or(ShardInvalid::Form)?;
        let sorted = entries.is_sorted_by(|a, b| a.tag < b.tag);
        if !sorted || entries.iter().any(|entry| entry.tag.shard() != number) {
            return Err(ShardInvalid::Form);
        }
        Ok(Self { number, entries })
    }
}

fn parse_entry(bytes: &[u8; ENTRY_BYTES]) -> Option<Entry> {
    let (tag, rest) = bytes.split_first_chunk::<32>()?;
    let (id, rest) = rest.split_first_chunk::<{ SubjectKeyId::BYTES }>()?;
    let wrapped = rest.try_into().ok()?;
    Some(Entry { tag: SubjectTag::from_bytes(*tag), id: SubjectKeyId::from_bytes(*id), wrapped })
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shard({:02x}, {} keys)", self.number, self.entries.len())
    }
}
