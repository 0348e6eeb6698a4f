//! Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint), and whom to trust for them.

use bartizan_base::{Digest, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::limits::{TREE_SIZE, WITNESSES};
use crate::note::{KeyKind, Note, NoteInvalid, NoteSigner, SignFailed, VerifierKey};
use crate::witness::{Cosignature, CosignatureInvalid, verified_cosignatures};

/// The size and root of a log at one moment; says nothing about who claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's identity.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Digest,
}

/// Whose signatures count for one log.
///
/// The origin is the name of the log's key. With a quorum of 0 every checkpoint is self-attested: the
/// operator could have rewritten history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    key: VerifierKey,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
}

/// The keys cannot serve as trust in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustInvalid {
    /// The log's key is a witness key, or a witness key is a log's.
    #[error("key `{name}` is of the wrong kind for its part")]
    Kind {
        /// The key's name.
        name: String,
    },
    /// One key or name twice, so that it would count twice.
    #[error("key `{name}` is listed twice, under this or another name")]
    Repeated {
        /// The name of the second.
        name: String,
    },
    /// Too many witnesses.
    #[error("{witnesses} witnesses, more than the {WITNESSES} allowed")]
    TooMany {
        /// How many there were.
        witnesses: usize,
    },
    /// A quorum that the witnesses cannot reach.
    #[error("a quorum of {quorum} cannot be reached with {witnesses} witnesses")]
    Quorum {
        /// Witnesses demanded.
        quorum: usize,
        /// Witnesses listed.
        witnesses: usize,
    },
}

impl TrustedLog {
    /// Trusts the log's own key alone.
    ///
    /// # Errors
    /// When `key` is a witness key.
    pub fn new(key: VerifierKey) -> Result<Self, TrustInvalid> {
        Self::witnessed(key, Vec::new(), 0)
    }

    /// Demands the log's signature and cosignatures by `quorum` of `witnesses`.
    ///
    /// # Errors
    /// When a key is of the wrong kind or repeated, or the quorum cannot be reached.
    pub fn witnessed(
        key: VerifierKey,
        witnesses: Vec<VerifierKey>,
        quorum: usize,
    ) -> Result<Self, TrustInvalid> {
        if witnesses.len() > WITNESSES {
            return Err(TrustInvalid::TooMany { witnesses: witnesses.len() });
        }
        if quorum > witnesses.len() {
            return Err(TrustInvalid::Quorum { quorum, witnesses: witnesses.len() });
        }
        if key.kind() != KeyKind::Note {
            return Err(TrustInvalid::Kind { name: key.name().to_owned() });
        }
        let mut seen: Vec<&VerifierKey> = vec![&key];
        for witness in &witnesses {
            if witness.kind() != KeyKind::Cosignature {
                return Err(TrustInvalid::Kind { name: witness.name().to_owned() });
            }
            // The log's own key under a witness's name would let the log witness itself.
            let known = |other: &&VerifierKey| other.public() == witness.public();
            if seen.iter().any(known) || seen.iter().skip(1).any(|other| other.name() == witness.name()) {
                return Err(TrustInvalid::Repeated { name: witness.name().to_owned() });
            }
            seen.push(witness);
        }
        Ok(Self { key, witnesses, quorum })
    }

    /// The same log, trusted on its own signature alone.
    pub(crate) fn without_witnesses(&self) -> Self {
        Self { key: self.key.clone(), witnesses: Vec::new(), quorum: 0 }
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.key.name()
    }

    /// The log's key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The witnesses whose cosignatures count.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// How many of them must have cosigned.
    pub fn quorum(&self) -> usize {
        self.quorum
    }
}

/// A checkpoint whose signatures were verified under a [`TrustedLog`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
    own_lines: String,
    text_bytes: usize,
    cosignatures: Vec<Cosignature>,
    witnessed_at: Option<Timestamp>,
}

/// The bytes are not a checkpoint of the trusted log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointInvalid {
    /// Not a signed note.
    #[error("not a signed note")]
    Note(#[from] NoteInvalid),
    /// A signed note, but its text is not a checkpoint.
    #[error("the text of the note is not a checkpoint: {expected}")]
    Text {
        /// What was expected where it went wrong.
        expected: &'static str,
    },
    /// A checkpoint of another log.
    #[error("a checkpoint of `{found}`, not of `{expected}`")]
    Origin {
        /// The trusted origin.
        expected: String,
        /// The origin in the checkpoint, cut to 80 characters.
        found: String,
    },
    /// No signature line by the log's key.
    #[error("not signed by `{key}`")]
    NotSigned {
        /// The log's key.
        key: String,
    },
    /// A signature line by the log's key does not verify.
    #[error("the signature by `{key}` does not verify")]
    Signature {
        /// The log's key.
        key: String,
    },
    /// A cosignature by a trusted witness does not verify.
    #[error("a cosignature is wrong")]
    Cosignature(#[from] CosignatureInvalid),
    /// Too few of the trusted witnesses have cosigned.
    #[error("cosigned by {found} of the trusted witnesses, not by {quorum}")]
    Quorum {
        /// Witnesses that have cosigned.
        found: usize,
        /// Witnesses demanded.
        quorum: usize,
    },
}

impl Checkpoint {
    /// The text of the note: origin, size, root, each on a line.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// Reads the text of a note. Extension lines are allowed, and covered by the signature, but mean nothing.
    fn parse(text: &str) -> Result<Self, CheckpointInvalid> {
        let wrong = |expected| CheckpointInvalid::Text { expected };
        let body = text.strip_suffix('\n').ok_or_else(|| wrong("a final newline"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or_else(|| wrong("an origin"))?;
        let size = lines.next().and_then(parse_decimal).filter(|size| *size <= TREE_SIZE);
        let size = size.ok_or_else(|| wrong("a size in decimal digits without leading zeroes"))?;
        let root = lines.next().and_then(parse_hash).ok_or_else(|| wrong("a root in base64"))?;
        if lines.any(str::is_empty) {
            return Err(wrong("no empty lines"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Signs the checkpoint with the key of its log.
    pub(crate) fn sign(self, signer: &NoteSigner) -> Result<SignedCheckpoint, SignFailed> {
        let text = self.text();
        let note = signer.sign_note(&text)?;
        let own_lines = note.get(text.len() + 1..).unwrap_or_default().to_owned();
        Ok(SignedCheckpoint {
            checkpoint: self,
            note,
            own_lines,
            text_bytes: text.len(),
            cosignatures: Vec::new(),
            witnessed_at: None,
        })
    }
}

impl SignedCheckpoint {
    /// Verifies a checkpoint: origin, every signature by the log's key (at least one), every cosignature by a
    /// trusted witness, and the quorum. Lines by unknown keys are ignored.
    ///
    /// # Errors
    /// Says which of these failed.
    pub fn open(note: &[u8], trusted: &TrustedLog) -> Result<Self, CheckpointInvalid> {
        let parsed = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(parsed.text)?;
        if checkpoint.origin != trusted.origin() {
            return Err(CheckpointInvalid::Origin {
                expected: trusted.origin().to_owned(),
                found: checkpoint.origin.chars().take(80).collect(),
            });
        }
        let mut own_lines = String::new();
        for signature in parsed.signatures.iter().filter(|signature| signature.claims(&trusted.key)) {
            if !trusted.key.verifies(parsed.text.as_bytes(), &signature.signature) {
                return Err(CheckpointInvalid::Signature { key: trusted.key.to_string() });
            }
            own_lines.push_str(signature.line);
            own_lines.push('\n');
        }
        if own_lines.is_empty() {
            return Err(CheckpointInvalid::NotSigned { key: trusted.key.to_string() });
        }
        let cosignatures = verified_cosignatures(&parsed, &trusted.witnesses)?;
        if cosignatures.len() < trusted.quorum {
            return Err(CheckpointInvalid::Quorum { found: cosignatures.len(), quorum: trusted.quorum });
        }
        let text_bytes = parsed.text.len();
        // The parser has seen that the bytes are UTF-8, so nothing is replaced.
        let note = String::from_utf8_lossy(note).into_owned();
        let mut times: Vec<Timestamp> = cosignatures.iter().map(|cosignature| cosignature.at).collect();
        times.sort_unstable();
        let witnessed_at = times.get(trusted.quorum.saturating_sub(1)).copied();
        Ok(Self { checkpoint, note, own_lines, text_bytes, cosignatures, witnessed_at })
    }

    /// Adds signature lines, each ending in a newline, and verifies the result under `trusted`.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::open`].
    pub fn with_lines(&self, lines: &str, trusted: &TrustedLog) -> Result<Self, CheckpointInvalid> {
        Self::open(format!("{}{lines}", self.note).as_bytes(), trusted)
    }

    /// The log's identity.
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.checkpoint.root
    }

    /// The signed note, verbatim.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The text that the signatures cover.
    pub fn text(&self) -> &str {
        self.note.get(..self.text_bytes).unwrap_or_default()
    }

    /// The note with the log's own signature only.
    pub(crate) fn bare_note(&self) -> String {
        format!("{}\n{}", self.text(), self.own_lines)
    }

    /// The verified cosignatures, one for each witness, its earliest.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// The earliest time at which a quorum of the trusted witnesses, or without a quorum one of them, had seen
    /// this tree; `None` when no witness has. Fewer witnesses than the quorum cannot make it earlier.
    pub fn witnessed_at(&self) -> Option<Timestamp> {
        self.witnessed_at
    }
}

/// A decimal number in its one spelling.
pub(crate) fn parse_decimal(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

/// 32 bytes in base64.
pub(crate) fn parse_hash(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = BASE64.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}
