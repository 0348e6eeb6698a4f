//! Proof that one record is in a segment, with chosen groups in clear and the others as commitments.

use std::fmt;

use bartizan_base::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::record::{Commitments, Group, RecordDigest, Salt, commit};
use super::tree::SegmentTree;
use crate::checkpoint::{parse_decimal, parse_hash};
use crate::limits::{RECORD_PROOF_BYTES, SEGMENT_PATH, SEGMENT_RECORDS};
use crate::lines::{BadLine, Lines};
use crate::merkle::{ProofInvalid, leaf_hash, verify_inclusion};

const HEADER: &str = "bartizan-record-proof-v1";

/// A group as a proof shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Only that it was committed to.
    Hidden(Digest),
    /// In clear.
    Revealed(RevealedGroup),
}

/// A group's bytes and the salt of its commitment. Formatted, it shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct RevealedGroup {
    /// The salt.
    pub salt: Salt,
    /// The bytes, as they were recorded.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for RevealedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevealedGroup({} bytes)", self.bytes.len())
    }
}

/// An unverified proof that a record is in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordProof {
    groups: [Shown; 5],
    index: u64,
    count: u64,
    path: Vec<Digest>,
}

/// The bytes are not a record proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordProofInvalid {
    /// Too long to be one.
    #[error("{bytes} bytes, more than the {RECORD_PROOF_BYTES} allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the record proof is not UTF-8 text")]
    Text,
    /// A line is missing, malformed or too much.
    #[error("line {line} of the record proof is not {expected}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

impl From<BadLine> for RecordProofInvalid {
    fn from(BadLine { line, expected }: BadLine) -> Self {
        Self::Line { line, expected }
    }
}

/// The proof does not show that the record is in the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordProofRefused {
    /// The proof is about a segment of another number of records.
    #[error("the proof is for a segment of {claimed} records, not {count}")]
    Count {
        /// What the proof says.
        claimed: u64,
        /// What the ledger says.
        count: u64,
    },
    /// The path does not lead from the record to the segment's root.
    #[error("the record is not where the proof says")]
    Inclusion(#[from] ProofInvalid),
}

/// What a verified proof shows: a record with these groups is at this index of the segment with that root.
///
/// Only [`RecordProof::verify`] makes one.
#[derive(Debug)]
pub struct Revealed {
    digest: RecordDigest,
    index: u64,
    groups: [Shown; 5],
}

impl Revealed {
    /// The record's digest, which a receipt names.
    pub const fn digest(&self) -> RecordDigest {
        self.digest
    }

    /// The record's index in its segment.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The bytes of a group, `None` when the proof hides it.
    pub fn group(&self, group: Group) -> Option<&[u8]> {
        match self.groups.get(group.index()) {
            Some(Shown::Revealed(revealed)) => Some(&revealed.bytes),
            _ => None,
        }
    }
}

impl RecordProof {
    /// Puts a proof together for record `index` of `tree`; `None` when there is no such record.
    pub fn new(groups: [Shown; 5], tree: &SegmentTree, index: u64) -> Option<Self> {
        let path = tree.path(index)?;
        Some(Self { groups, index, count: u64::try_from(tree.len()).ok()?, path })
    }

    /// The groups, as claimed.
    pub const fn groups(&self) -> &[Shown; 5] {
        &self.groups
    }

    /// The record's index, as claimed.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The records in the segment, as claimed.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The inclusion proof, from the leaf's sibling up to the root's child.
    pub fn path(&self) -> &[Digest] {
        &self.path
    }

    /// Checks that this record is in the segment of `count` records with `root`, both of which the caller took
    /// from a ledger entry that it trusts.
    ///
    /// # Errors
    /// When the proof is about another number of records, or leads to another root.
    pub fn verify(self, root: &Digest, count: u64) -> Result<Revealed, RecordProofRefused> {
        if self.count != count {
            return Err(RecordProofRefused::Count { claimed: self.count, count });
        }
        let commitments = self.groups.each_ref().map(|shown| match shown {
            Shown::Hidden(commitment) => *commitment,
            Shown::Revealed(group) => commit(&group.salt, &group.bytes),
        });
        let digest = Commitments::new(commitments).digest();
        verify_inclusion(&leaf_hash(digest.digest().as_bytes()), self.index, count, &self.path, root)?;
        Ok(Revealed { digest, index: self.index, groups: self.groups })
    }

    /// The bytes of a proof.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nindex {}\ncount {}\n", self.index, self.count);
        for shown in &self.groups {
            match shown {
                Shown::Hidden(commitment) => {
                    text.push_str(&format!("hidden {}\n", BASE64.encode(commitment.as_bytes())));
                }
                Shown::Revealed(group) => {
                    let (salt, bytes) = (BASE64.encode(group.salt), BASE64.encode(&group.bytes));
                    text.push_str(&format!("revealed {salt} {bytes}\n"));
                }
            }
        }
        for hash in &self.path {
            text.push_str(&format!("{}\n", BASE64.encode(hash.as_bytes())));
        }
        text
    }

    /// Reads a proof without trusting any of it.
    ///
    /// # Errors
    /// When it is too long, not text, or a line is not what it must be.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordProofInvalid> {
        if bytes.len() > RECORD_PROOF_BYTES {
            return Err(RecordProofInvalid::TooLong { bytes: bytes.len() });
        }
        let mut lines = Lines::new(str::from_utf8(bytes).map_err(|_| RecordProofInvalid::Text)?);
        if lines.next() != Some(HEADER) {
            return Err(lines.expected("`bartizan-record-proof-v1`").into());
        }
        let number = |lines: &mut Lines<'_>, word, expected| {
            let line = lines.next().and_then(|line| line.strip_prefix(word)).and_then(parse_decimal);
            line.ok_or_else(|| lines.expected(expected))
        };
        let index = number(&mut lines, "index ", "`index` and a decimal number")?;
        let count = number(&mut lines, "count ", "`count` and a decimal number")?;
        let most = u64::try_from(SEGMENT_RECORDS).unwrap_or(u64::MAX);
        if count > most {
            return Err(lines.expected("a number of records that a segment may have").into());
        }
        let mut group = || {
            let line = lines.next().and_then(parse_shown);
            line.ok_or_else(|| lines.expected("`hidden` or `revealed` and base64"))
        };
        let groups = [group()?, group()?, group()?, group()?, group()?];
        let mut path = Vec::new();
        while !lines.rest().is_empty() {
            let hash = lines.next().and_then(parse_hash).filter(|_| path.len() < SEGMENT_PATH);
            path.push(hash.ok_or_else(|| lines.expected("a SHA-256 hash in base64"))?);
        }
        Ok(Self { groups, index, count, path })
    }
}

fn parse_shown(line: &str) -> Option<Shown> {
    if let Some(commitment) = line.strip_prefix("hidden ") {
        return parse_hash(commitment).map(Shown::Hidden);
    }
    let (salt, bytes) = line.strip_prefix("revealed ")?.split_once(' ')?;
    let salt = *parse_hash(salt)?.as_bytes();
    Some(Shown::Revealed(RevealedGroup { salt, bytes: BASE64.decode(bytes).ok()? }))
}
