//! The five groups of a record, their salted commitments, and the digest over those.

use std::fmt;

use bartizan_base::{Digest, Hasher, sha256};

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// The random bytes in front of a committed group. Whoever has them can test guesses of the group.
pub type Salt = [u8; SALT_BYTES];

const RECORD_PREFIX: &[u8] = b"bartizan-record-v1";

/// A group of fields that is revealed or hidden as a whole; the order is that of commitments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Id, time, gateway, place in its log, endpoint, model.
    Envelope,
    /// Who asked, and about whom.
    Subject,
    /// What was asked.
    Input,
    /// What was answered.
    Output,
    /// Guard flags, timings, decision and policy digests.
    Decisions,
}

impl Group {
    /// Every group, in the order of commitments.
    pub const ALL: [Self; 5] = [Self::Envelope, Self::Subject, Self::Input, Self::Output, Self::Decisions];

    /// The place of its commitment, 0 to 4.
    pub const fn index(self) -> usize {
        match self {
            Self::Envelope => 0,
            Self::Subject => 1,
            Self::Input => 2,
            Self::Output => 3,
            Self::Decisions => 4,
        }
    }

    /// Whether it may hold personal data, which is stored under the key of the person it is about.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Subject | Self::Input | Self::Output)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "envelope",
            Self::Subject => "subject",
            Self::Input => "input",
            Self::Output => "output",
            Self::Decisions => "decisions",
        })
    }
}

/// What stands for a group where it is hidden: SHA-256(salt || bytes).
pub fn commit(salt: &Salt, bytes: &[u8]) -> Digest {
    // Most groups are short, and one call on a copy is faster than a hasher.
    match bytes.len() {
        0..=224 => commit_copy::<256>(salt, bytes),
        225..=992 => commit_copy::<1024>(salt, bytes),
        _ => {
            let mut hasher = Hasher::new();
            hasher.update(salt);
            hasher.update(bytes);
            hasher.finish()
        }
    }
}

fn commit_copy<const N: usize>(salt: &Salt, bytes: &[u8]) -> Digest {
    let mut message = [0; N];
    let (front, rest) = message.split_at_mut(SALT_BYTES);
    front.copy_from_slice(salt);
    rest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    sha256(message.get(..SALT_BYTES + bytes.len()).unwrap_or_default())
}

/// The commitments of a record's groups, in the order of [`Group::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitments([Digest; 5]);

impl Commitments {
    /// Bytes of the five digests, one after the other.
    pub const BYTES: usize = 5 * 32;

    /// Takes five commitments.
    pub const fn new(commitments: [Digest; 5]) -> Self {
        Self(commitments)
    }

    /// Commits to five groups with a salt each.
    pub fn of(groups: [(&Salt, &[u8]); 5]) -> Self {
        Self(groups.map(|(salt, bytes)| commit(salt, bytes)))
    }

    /// Reads what [`Commitments::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut commitments = [Digest::from_bytes([0; 32]); 5];
        let (chunks, _) = bytes.as_chunks::<32>();
        for (commitment, chunk) in commitments.iter_mut().zip(chunks) {
            *commitment = Digest::from_bytes(*chunk);
        }
        Self(commitments)
    }

    /// The five digests, one after the other.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<32>();
        for (chunk, commitment) in chunks.iter_mut().zip(&self.0) {
            *chunk = *commitment.as_bytes();
        }
        bytes
    }

    /// The commitment of one group.
    pub const fn get(&self, group: Group) -> &Digest {
        let [envelope, subject, input, output, decisions] = &self.0;
        match group {
            Group::Envelope => envelope,
            Group::Subject => subject,
            Group::Input => input,
            Group::Output => output,
            Group::Decisions => decisions,
        }
    }

    /// SHA-256("bartizan-record-v1" || the five commitments).
    pub fn digest(&self) -> RecordDigest {
        let mut message = [0; RECORD_PREFIX.len() + Self::BYTES];
        let (prefix, rest) = message.split_at_mut(RECORD_PREFIX.len());
        prefix.copy_from_slice(RECORD_PREFIX);
        rest.copy_from_slice(&self.to_bytes());
        RecordDigest(sha256(&message))
    }
}

/// The digest of a record, a leaf of its segment's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordDigest(Digest);

impl RecordDigest {
    /// Takes a digest that was stored or signed as one of a record.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for RecordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
