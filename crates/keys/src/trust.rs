//! The trust file: what a verifier is given out of band, and the only thing it believes.

use std::fmt;
use std::str::FromStr;

use bartizan_base::canonical::{self, DecodeError, EncodeError};
use bartizan_base::{Digest, Hasher, ProjectId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::encoding::{from_base64, to_base64};
use crate::limits::{TRUST_FILE_BYTES, WITNESSES};
use crate::public::{PublicKey, PublicKeyInvalid};

const FORMAT: &str = "bartizan-trust-v1";

/// What a verifier believes about one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFile {
    /// The origin line of the ledger's checkpoints; also the name of `ledger_key`.
    pub origin: String,
    /// The key that signs the ledger's checkpoints.
    pub ledger_key: NoteKey,
    /// The keys of the witnesses whose co-signatures count.
    pub witnesses: Vec<NoteKey>,
    /// How many witnesses must have co-signed; 0 when there are none.
    pub quorum: u32,
    /// The project.
    pub project: ProjectId,
    /// The key that says which key may sign what.
    pub project_root: PublicKey,
    /// Entries that the ledger has at least.
    pub minimum_size: u64,
    /// The root hash of the ledger at `minimum_size`.
    pub minimum_root: Digest,
    /// Whether these are development keys, which fail `verify` unless allowed by name.
    pub development: bool,
}

/// What a note key signs (C2SP signed-note and tlog-cosignature).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKeyKind {
    /// Notes: Ed25519, signature type 0x01.
    Ed25519,
    /// Timestamped co-signatures of checkpoints, version 1: Ed25519, signature type 0x04.
    Cosignature,
}

/// A verifier key of C2SP signed-note: a name, a kind and an Ed25519 key, written `name+hash+key` (a vkey).
#[derive(Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: NoteKeyKind,
    key: PublicKey,
    raw: [u8; 32],
}

/// The text is not a verifier key that Bartizan uses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyInvalid {
    /// Not of the form `name+hash+key`.
    #[error("not of the form `name+hash+key`")]
    Form,
    /// The name is empty, too long, or holds white space, `+` or a control character.
    #[error("`{name}` is not a key name")]
    Name {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// The signature type is neither Ed25519 nor an Ed25519 co-signature.
    #[error("signature type {found:#04x} is not supported")]
    Kind {
        /// The type.
        found: u8,
    },
    /// The key is not an Ed25519 key.
    #[error("not an Ed25519 key")]
    Key(#[from] PublicKeyInvalid),
    /// The hash does not belong to the name and key.
    #[error("the hash does not belong to the key")]
    Hash,
}

impl NoteKeyKind {
    /// The signature type: the first byte of the encoded key.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

impl NoteKey {
    /// Names an Ed25519 key.
    ///
    /// # Errors
    /// When the name cannot stand in a signed note or the key is not an Ed25519 key.
    pub fn new(name: &str, kind: NoteKeyKind, key: &PublicKey) -> Result<Self, NoteKeyInvalid> {
        let clean = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || name.len() > 255 || !name.chars().all(clean) {
            return Err(NoteKeyInvalid::Name { name: name.chars().take(80).collect() });
        }
        let raw = key.ed25519_raw().ok_or(PublicKeyInvalid::Algorithm)?;
        Ok(Self { name: name.to_owned(), kind, key: key.clone(), raw })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub const fn kind(&self) -> NoteKeyKind {
        self.kind
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key hash, as it stands before signatures: the first four bytes of
    /// SHA-256(name || 0x0a || type || key), big-endian.
    pub fn hash(&self) -> u32 {
        let mut hasher = Hasher::new();
        hasher.update(self.name.as_bytes());
        hasher.update(&[b'\n', self.kind.byte()]);
        hasher.update(&self.raw);
        let [a, b, c, d, ..] = *hasher.finish().as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = to_base64(&[&[self.kind.byte()], self.raw.as_slice()].concat());
        write!(f, "{}+{:08x}+{encoded}", self.name, self.hash())
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for NoteKey {
    type Err = NoteKeyInvalid;

    fn from_str(text: &str) -> Result<Self, NoteKeyInvalid> {
        // The key may hold `+`, which is a digit of base64; the name and the hash may not.
        let (name, rest) = text.split_once('+').ok_or(NoteKeyInvalid::Form)?;
        let (hash, encoded) = rest.split_once('+').ok_or(NoteKeyInvalid::Form)?;
        let bytes = from_base64(encoded).ok_or(NoteKeyInvalid::Form)?;
        let (kind, raw) = bytes.split_first().ok_or(NoteKeyInvalid::Form)?;
        let kind = match kind {
            0x01 => NoteKeyKind::Ed25519,
            0x04 => NoteKeyKind::Cosignature,
            found => return Err(NoteKeyInvalid::Kind { found: *found }),
        };
        let raw: [u8; 32] = raw.try_into().map_err(|_| PublicKeyInvalid::Algorithm)?;
        let key = Self::new(name, kind, &PublicKey::from_ed25519_raw(&raw)?)?;
        if format!("{:08x}", key.hash()) != hash {
            return Err(NoteKeyInvalid::Hash);
        }
        Ok(key)
    }
}

impl Serialize for NoteKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NoteKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A trust file breaks its rules.
#[derive(Debug, thiserror::Error)]
pub enum TrustFileInvalid {
    /// More bytes than a trust file may have.
    #[error("{bytes} bytes, more than the {TRUST_FILE_BYTES} allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not the canonical JSON of a trust file.
    #[error("not a trust file")]
    Json(#[from] DecodeError),
    /// It cannot be written: a number has no canonical form.
    #[error("has no canonical form")]
    Encode(#[from] EncodeError),
    /// A trust file of another version.
    #[error("the format is `{found}`, not `{FORMAT}`")]
    Format {
        /// The format in the file.
        found: String,
    },
    /// The ledger's key does not carry the ledger's origin as its name, or is the key of a witness.
    #[error("the ledger's key is not an Ed25519 note key named `{origin}`")]
    LedgerKey {
        /// The origin.
        origin: String,
    },
    /// A witness's key is not a co-signature key or is the ledger's, key or name stands there twice, or there are
    /// too many.
    #[error(
        "witness `{name}` has no co-signature key or the ledger's, is listed twice, or is one of more than \
         {WITNESSES}"
    )]
    Witness {
        /// The witness.
        name: String,
    },
    /// The quorum can never be reached, or is zero though there are witnesses.
    #[error("a quorum of {quorum} out of {witnesses} witnesses")]
    Quorum {
        /// The quorum.
        quorum: u32,
        /// How many witnesses there are.
        witnesses: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    development: bool,
    format: String,
    ledger_key: NoteKey,
    minimum_root: Digest,
    minimum_size: u64,
    origin: String,
    project: ProjectId,
    project_root: PublicKey,
    quorum: u32,
    witnesses: Vec<NoteKey>,
}

impl TrustFile {
    /// The canonical JSON of the file.
    ///
    /// # Errors
    /// When the values break the rules of the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TrustFileInvalid> {
        self.check()?;
        let bytes = canonical::to_bytes(&Stored {
            development: self.development,
            format: FORMAT.to_owned(),
            ledger_key: self.ledger_key.clone(),
            minimum_root: self.minimum_root,
            minimum_size: self.minimum_size,
            origin: self.origin.clone(),
            project: self.project,
            project_root: self.project_root.clone(),
            quorum: self.quorum,
            witnesses: self.witnesses.clone(),
        })?;
        if bytes.len() > TRUST_FILE_BYTES {
            return Err(TrustFileInvalid::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads a trust file; one newline at its end is allowed.
    ///
    /// # Errors
    /// When the bytes are not a trust file or its values break the rules of the format.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustFileInvalid> {
        if bytes.len() > TRUST_FILE_BYTES {
            return Err(TrustFileInvalid::TooLarge { bytes: bytes.len() });
        }
        let stored: Stored = canonical::from_bytes(bytes.strip_suffix(b"\n").unwrap_or(bytes))?;
        if stored.format != FORMAT {
            return Err(TrustFileInvalid::Format { found: stored.format.chars().take(80).collect() });
        }
        let file = Self {
            origin: stored.origin,
            ledger_key: stored.ledger_key,
            witnesses: stored.witnesses,
            quorum: stored.quorum,
            project: stored.project,
            project_root: stored.project_root,
            minimum_size: stored.minimum_size,
            minimum_root: stored.minimum_root,
            development: stored.development,
        };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), TrustFileInvalid> {
        if self.ledger_key.name() != self.origin || self.ledger_key.kind() != NoteKeyKind::Ed25519 {
            return Err(TrustFileInvalid::LedgerKey { origin: self.origin.chars().take(80).collect() });
        }
        for (index, witness) in self.witnesses.iter().enumerate() {
            // The ledger would be its own witness.
            let own = witness.key() == self.ledger_key.key();
            let same = |other: &NoteKey| other.key() == witness.key() || other.name() == witness.name();
            let twice = self.witnesses.iter().take(index).any(same);
            if own || twice || index >= WITNESSES || witness.kind() != NoteKeyKind::Cosignature {
                return Err(TrustFileInvalid::Witness { name: witness.name().to_owned() });
            }
        }
        let witnesses = self.witnesses.len();
        let possible = usize::try_from(self.quorum).is_ok_and(|quorum| quorum <= witnesses);
        if !possible || (self.quorum == 0) != (witnesses == 0) {
            return Err(TrustFileInvalid::Quorum { quorum: self.quorum, witnesses });
        }
        Ok(())
    }
}
