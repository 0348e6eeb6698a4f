//! The bytes of a proof file; see `docs/formats/proof.md`.

use std::collections::BTreeSet;

use bartizan_base::{Digest, DigestInvalid, VersionRef, canonical, sha256};
use bartizan_keys::{KeyId, commitment, dsse};
use bartizan_ledger::{leaf_hash, narrow_inclusions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::texts::{NoText, Piece, Reader, Texts};
use crate::limits::{PROOF_BYTES, PROOF_ENTRIES};
use crate::statement::{MapLeaf, PAYLOAD_TYPE, VersionState};

/// The format this version writes.
pub const FORMAT: &str = "bartizan-proof-v2";

/// The one before, which is read too: every entry says all of its texts itself.
const FORMAT_1: &str = "bartizan-proof-v1";

/// A proof file, parsed but not verified: nothing in it may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// `bartizan-proof-v2`, or `bartizan-proof-v1`.
    pub format: String,
    /// What is claimed.
    pub claim: Claim,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// Proofs that earlier trees are prefixes of this one.
    pub consistency: Vec<Consistency>,
    /// The statements.
    pub entries: Vec<ProofEntry>,
    /// That the entries are in the checkpoint's tree, each hash once; see [`bartizan_ledger::verify_inclusions`].
    pub inclusion: Vec<Digest>,
    /// What shows that nothing was left out.
    pub map: ShownMap,
    /// Private documents that are shown.
    pub openings: Vec<Opening>,
}

/// What a proof claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// A model version is in a state.
    ModelVersion {
        /// `NAME:VERSION`.
        version: VersionRef,
        /// Its manifest digest.
        manifest: Digest,
        /// Its state at the tree size of the checkpoint, as far as the entries show.
        state: VersionState,
    },
    /// A prediction was recorded, and what it says of itself is so.
    Prediction(RecordClaim),
}

/// The record of a prediction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordClaim {
    /// The prediction, `prd_` and 32 hexadecimal digits.
    pub prediction: String,
    /// The proof that the record is in its segment, `bartizan-record-proof-v1`.
    pub record: String,
    /// The entry that states the segment.
    pub segment: u64,
}

/// A proof that the tree of `size` leaves is a prefix of the checkpoint's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// Leaves of the earlier tree.
    pub size: u64,
    /// The proof, RFC 9162 section 2.1.4.
    pub hashes: Vec<Digest>,
}

/// One ledger entry, in parts: a DSSE envelope of one statement with one signature, in its plain form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofEntry {
    /// The ledger index.
    pub index: u64,
    /// The key that the signature names.
    pub key: KeyId,
    /// The signature.
    pub signature: Vec<u8>,
    /// The payload: an in-toto statement, whose canonical form was signed.
    pub statement: Value,
}

impl ProofEntry {
    /// Takes an entry apart; none when it has another form than the one that every ledger entry has.
    pub fn new(index: u64, envelope: &[u8]) -> Option<Self> {
        let parsed = dsse::Envelope::parse(envelope).ok()?;
        let (key, signature) = parsed.sole_signature()?;
        let statement = serde_json::from_slice(parsed.payload()).ok()?;
        let entry = Self { index, key, signature: signature.to_vec(), statement };
        (entry.envelope().ok()? == envelope).then_some(entry)
    }

    /// The entry, byte for byte.
    ///
    /// # Errors
    /// When the parts are not those of an envelope.
    pub fn envelope(&self) -> Result<Vec<u8>, PartsInvalid> {
        let payload = canonical::to_bytes(&self.statement)?;
        let envelope = dsse::Envelope::of(PAYLOAD_TYPE, payload, self.key, self.signature.clone())?;
        Ok(envelope.to_bytes())
    }
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    claim: Claim,
    checkpoint: String,
    consistency: Vec<Consistency>,
    entries: Vec<WrittenEntry>,
    inclusion: Vec<Digest>,
    map: ShownMap,
    openings: Vec<Opening>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    texts: Option<Vec<String>>,
}

/// An entry with its texts as `texts` says them.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    index: u64,
    key: String,
    #[serde(with = "base64_bytes")]
    signature: Vec<u8>,
    statement: Value,
}

/// The parts of an entry do not make one.
#[derive(Debug, thiserror::Error)]
pub enum PartsInvalid {
    /// The statement has no canonical form.
    #[error("the statement has no canonical form")]
    Statement(#[from] canonical::EncodeError),
    /// The key has no id.
    #[error("the key is named by no digest")]
    Key(#[from] DigestInvalid),
    /// They are not those of an envelope.
    #[error(transparent)]
    Envelope(#[from] dsse::EnvelopeInvalid),
}

/// The last entry of the file, a state map, and some of its leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownMap {
    /// The index of the entry.
    pub entry: u64,
    /// That the leaves are in the map, each hash once; see [`bartizan_ledger::verify_inclusions`].
    pub inclusion: Vec<Digest>,
    /// The leaves.
    pub leaves: Vec<ShownLeaf>,
}

/// One leaf of a state map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownLeaf {
    /// Its place.
    pub index: u64,
    /// The leaf.
    pub leaf: MapLeaf,
}

/// A private document that is shown, with the salt of its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// SHA-256(salt || SHA-256(content)).
    pub commitment: Digest,
    /// The salt.
    pub salt: Digest,
    /// The document.
    #[serde(with = "base64_bytes")]
    pub content: Vec<u8>,
}

impl Opening {
    /// Whether salt and content give the commitment.
    pub fn holds(&self) -> bool {
        commitment(self.salt.as_bytes(), &sha256(&self.content)) == self.commitment
    }
}

/// The bytes are not a proof file.
#[derive(Debug, thiserror::Error)]
pub enum ProofMalformed {
    /// More bytes than a proof file may have.
    #[error("{bytes} bytes, more than the {PROOF_BYTES} allowed")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not canonical JSON of the expected shape.
    #[error("not a canonical proof file")]
    Encoding(#[source] canonical::DecodeError),
    /// A format of another version.
    #[error("format `{format}` is not `{FORMAT}`")]
    Format {
        /// What it says.
        format: String,
    },
    /// More entries than a proof file may have.
    #[error("{count} entries, more than the {PROOF_ENTRIES} allowed")]
    TooManyEntries {
        /// How many.
        count: usize,
    },
    /// An entry is not in parts that make an envelope.
    #[error("entry {index} is no statement with one signature")]
    Entry {
        /// The entry.
        index: u64,
        /// Why not.
        #[source]
        source: Box<PartsInvalid>,
    },
    /// The hashes do not belong to the entries.
    #[error("the hashes of the inclusion proof are not those that the entries need")]
    Inclusion,
    /// A text is referred to that is not there, or the texts are not those that the entries have in common.
    #[error("the texts are not those that the entries have in common")]
    Texts,
    /// A list that ascends does not, or something is in it twice.
    #[error("the {what} do not ascend")]
    Order {
        /// Which list.
        what: &'static str,
    },
}

impl ProofFile {
    /// Leaves entries out, as whoever hands a file on could; what is left still is of the same tree.
    ///
    /// # Errors
    /// When the entries are not those that the file proves to be in its tree.
    pub fn leave_out(&mut self, indices: &BTreeSet<u64>, tree_size: u64) -> Result<(), ProofMalformed> {
        let mut leaves = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let envelope = entry
                .envelope()
                .map_err(|source| ProofMalformed::Entry { index: entry.index, source: Box::new(source) })?;
            leaves.push((entry.index, leaf_hash(&envelope)));
        }
        let kept: BTreeSet<u64> =
            leaves.iter().map(|(index, _)| *index).filter(|index| !indices.contains(index)).collect();
        let inclusion = narrow_inclusions(&leaves, tree_size, &self.inclusion, &kept);
        self.inclusion = inclusion.ok_or(ProofMalformed::Inclusion)?;
        self.entries.retain(|entry| kept.contains(&entry.index));
        Ok(())
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// When a number in the file has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::EncodeError> {
        let (texts, entries) = shortened(&self.format, &self.entries);
        canonical::to_bytes(&Written {
            format: self.format.clone(),
            claim: self.claim.clone(),
            checkpoint: self.checkpoint.clone(),
            consistency: self.consistency.clone(),
            entries,
            inclusion: self.inclusion.clone(),
            map: self.map.clone(),
            openings: self.openings.clone(),
            texts,
        })
    }

    /// Parses a proof file; nothing is verified.
    ///
    /// # Errors
    /// When it is over the limits, of another format, or not canonical.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofMalformed> {
        if bytes.len() > PROOF_BYTES {
            return Err(ProofMalformed::TooLarge { bytes: bytes.len() });
        }
        let file: Written = canonical::from_bytes(bytes).map_err(ProofMalformed::Encoding)?;
        if ![FORMAT, FORMAT_1].contains(&file.format.as_str()) {
            return Err(ProofMalformed::Format { format: file.format.chars().take(80).collect() });
        }
        if file.entries.len() > PROOF_ENTRIES {
            return Err(ProofMalformed::TooManyEntries { count: file.entries.len() });
        }
        let entries = lengthened(file.texts.as_deref(), &file.entries)?;
        // There is one way to write a file.
        if shortened(&file.format, &entries) != (file.texts, file.entries) {
            return Err(ProofMalformed::Texts);
        }
        let once = |what, ascending| if ascending { Ok(()) } else { Err(ProofMalformed::Order { what }) };
        once("consistency proofs", ascend(&file.consistency, |proof| proof.size))?;
        once("leaves of the map", ascend(&file.map.leaves, |leaf| leaf.index))?;
        once("openings", ascend(&file.openings, |opening| opening.commitment))?;
        let Written { format, claim, checkpoint, consistency, inclusion, map, openings, .. } = file;
        Ok(Self { format, claim, checkpoint, consistency, entries, inclusion, map, openings })
    }
}

/// The entries as a format has them, and the texts that it holds once.
fn shortened(format: &str, entries: &[ProofEntry]) -> (Option<Vec<String>>, Vec<WrittenEntry>) {
    let keys: Vec<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
    let pieces = || {
        let statements = entries.iter().map(|entry| Piece::Value(&entry.statement));
        statements.chain(keys.iter().map(|key| Piece::Text(key)))
    };
    let texts = (format != FORMAT_1).then(|| Texts::of(pieces()));
    let written = entries.iter().zip(&keys).map(|(entry, key)| WrittenEntry {
        index: entry.index,
        key: texts.as_ref().map_or_else(|| key.clone(), |texts| texts.short(key)),
        signature: entry.signature.clone(),
        statement: texts
            .as_ref()
            .map_or_else(|| entry.statement.clone(), |texts| texts.shorten(&entry.statement)),
    });
    let written = written.collect();
    (texts.map(|texts| texts.list()), written)
}

/// The way back.
fn lengthened(texts: Option<&[String]>, written: &[WrittenEntry]) -> Result<Vec<ProofEntry>, ProofMalformed> {
    let mut reader = texts.map(|texts| Reader::new(texts, PROOF_BYTES));
    let entry = |written: &WrittenEntry| {
        let (key, statement) = match &mut reader {
            None => (written.key.clone(), written.statement.clone()),
            Some(reader) => {
                let key = reader.text(&written.key);
                let both = key.and_then(|key| Ok((key, reader.value(&written.statement)?)));
                both.map_err(|NoText| ProofMalformed::Texts)?
            }
        };
        let index = written.index;
        let invalid = |error| ProofMalformed::Entry { index, source: Box::new(PartsInvalid::Key(error)) };
        let key = key.parse().map_err(invalid)?;
        Ok(ProofEntry { index, key, signature: written.signature.clone(), statement })
    };
    written.iter().map(entry).collect()
}

/// Whether a list ascends strictly.
fn ascend<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> bool {
    list.is_sorted_by(|one, next| key(one) < key(next))
}

mod base64_bytes {
    //! Bytes as base64 text (RFC 4648 section 4).

    use super::{Deserialize, Deserializer, Engine, STANDARD, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(&text).map_err(de::Error::custom)
    }
}
