//! Proof files: one leaf, its path and a checkpoint in one self-contained text (C2SP tlog-proof).

use bartizan_base::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checkpoint::{CheckpointInvalid, SignedCheckpoint, TrustedLog, parse_decimal, parse_hash};
use crate::limits::{PROOF_BYTES, PROOF_EXTRA_BYTES, PROOF_HASHES};
use crate::lines::{BadLine, Lines};
use crate::merkle::{ProofInvalid, leaf_hash, verify_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A parsed but unverified proof that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    index: u64,
    hashes: Vec<Digest>,
    extra: Option<Vec<u8>>,
    note: String,
}

/// The bytes are not a proof file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogProofInvalid {
    /// Too long to be one.
    #[error("{bytes} bytes, more than the {PROOF_BYTES} allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the proof is not UTF-8 text")]
    Text,
    /// Extra data that is empty or too long to be attached.
    #[error("{bytes} bytes of extra data, not 1 to {PROOF_EXTRA_BYTES}")]
    Extra {
        /// How many there were.
        bytes: usize,
    },
    /// A line is missing or malformed.
    #[error("line {line} of the proof is not {expected}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

impl From<BadLine> for LogProofInvalid {
    fn from(BadLine { line, expected }: BadLine) -> Self {
        Self::Line { line, expected }
    }
}

/// The proof does not show that the entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogProofRefused {
    /// The checkpoint in the proof is not one of the trusted log.
    #[error("the checkpoint in the proof is not trusted")]
    Checkpoint(#[from] CheckpointInvalid),
    /// The path does not lead from the entry to the checkpoint's root.
    #[error("the entry is not where the proof says")]
    Inclusion(#[from] ProofInvalid),
}

/// What a verified proof shows: this entry is at this index of the tree of this checkpoint.
#[derive(Debug)]
pub struct Included {
    index: u64,
    checkpoint: SignedCheckpoint,
}

impl Included {
    /// The entry's index.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that covers it.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl LogProof {
    /// Puts a proof together; [`crate::Snapshot::prove`] makes one from a ledger.
    pub(crate) fn new(index: u64, hashes: Vec<Digest>, checkpoint: &SignedCheckpoint) -> Self {
        Self { index, hashes, extra: None, note: checkpoint.note().to_owned() }
    }

    /// Attaches data that the proof does not cover and no verifier may trust.
    ///
    /// # Errors
    /// When `extra` is empty or over the limit.
    pub fn with_extra(mut self, extra: Vec<u8>) -> Result<Self, LogProofInvalid> {
        if extra.is_empty() || extra.len() > PROOF_EXTRA_BYTES {
            return Err(LogProofInvalid::Extra { bytes: extra.len() });
        }
        self.extra = Some(extra);
        Ok(self)
    }

    /// The entry's index, as claimed.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof, from the leaf's sibling up to the root's child.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// Attached data; not authenticated.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The signed checkpoint, verbatim and unverified.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The bytes of the proof file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", BASE64.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&format!("{}\n", BASE64.encode(hash.as_bytes())));
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a proof file without trusting any of it.
    ///
    /// # Errors
    /// When it is too long, not text, or a line is not what it must be.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogProofInvalid> {
        if bytes.len() > PROOF_BYTES {
            return Err(LogProofInvalid::TooLong { bytes: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_| LogProofInvalid::Text)?;
        let mut lines = Lines::new(text);
        if lines.next() != Some(HEADER) {
            return Err(lines.expected("`c2sp.org/tlog-proof@v1`").into());
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            let decoded = BASE64.decode(encoded).ok();
            let decoded = decoded.filter(|data| !data.is_empty() && data.len() <= PROOF_EXTRA_BYTES);
            extra = Some(decoded.ok_or_else(|| lines.expected("extra data in base64 within the limit"))?);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(parse_decimal);
        let index = index.ok_or_else(|| lines.expected("`index` and a decimal number"))?;
        let mut hashes = Vec::new();
        loop {
            let line = lines.next().ok_or_else(|| lines.expected("a hash or an empty line"))?;
            if line.is_empty() {
                break;
            }
            if hashes.len() == PROOF_HASHES {
                return Err(lines.expected("an empty line: there are too many hashes").into());
            }
            hashes.push(parse_hash(line).ok_or_else(|| lines.expected("a SHA-256 hash in base64"))?);
        }
        if lines.rest().is_empty() {
            return Err(lines.expected("followed by a checkpoint").into());
        }
        Ok(Self { index, hashes, extra, note: lines.rest().to_owned() })
    }

    /// Checks the checkpoint's signatures under `trusted`, and that `entry` is at the index in its tree.
    ///
    /// # Errors
    /// When the checkpoint is not trusted or the path leads elsewhere.
    pub fn verify(&self, entry: &[u8], trusted: &TrustedLog) -> Result<Included, LogProofRefused> {
        let checkpoint = SignedCheckpoint::open(self.note.as_bytes(), trusted)?;
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_inclusion(&leaf_hash(entry), self.index, size, &self.hashes, &root)?;
        Ok(Included { index: self.index, checkpoint })
    }
}
