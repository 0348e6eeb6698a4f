//! Receipts: what a gateway signs when it gives an answer, so that the record of it cannot be left out or replaced.
//!
//! Format: `docs/formats/receipt.md`.

use bartizan_base::{Digest, Timestamp, canonical, sha256};
use bartizan_keys::{KeyId, PublicKey, SigningFailed, SigningKey, dsse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::limits::RECEIPT_BYTES;
use crate::proof::{ProofRefused, ProvenPrediction};

/// The header that carries one.
pub const RECEIPT_HEADER: &str = "bartizan-receipt";

/// The format of its payload.
const FORMAT: &str = "bartizan-receipt-v1";

/// What the signature says that the payload is.
const PAYLOAD_TYPE: &str = "application/vnd.bartizan.receipt+json";

/// What a gateway promises about one answer.
// Members in the order of their names, so that what serde writes is canonical as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// SHA-256 of the answer's body.
    pub answer: Digest,
    /// The epoch of the gateway's log.
    pub epoch: u64,
    format: String,
    /// The gateway, 32 hexadecimal digits.
    pub gateway: String,
    /// The prediction, `prd_` and 32 hexadecimal digits.
    pub prediction: String,
    /// The digest of its record.
    pub record: Digest,
    /// When the ledger will name the segment that the record is in, at the latest, if the gateway runs.
    pub seal_by: Timestamp,
    /// The sequence number in the gateway's log.
    pub sequence: u64,
    /// How many entries of the ledger the gateway knew and obeyed.
    pub tree_size: u64,
}

/// What a receipt is made of.
#[derive(Debug, Clone)]
pub struct NewReceipt {
    /// SHA-256 of the answer's body.
    pub answer: Digest,
    /// The epoch of the gateway's log.
    pub epoch: u64,
    /// The gateway.
    pub gateway: String,
    /// The prediction.
    pub prediction: String,
    /// The digest of its record.
    pub record: Digest,
    /// When its segment will be named in the ledger.
    pub seal_by: Timestamp,
    /// The sequence number.
    pub sequence: u64,
    /// Entries of the ledger.
    pub tree_size: u64,
}

/// A receipt could not be given.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFailed {
    /// It has no canonical form: a number is 2^53 or more.
    #[error("the receipt cannot be written")]
    Encode(#[from] serde_json::Error),
    /// The key failed.
    #[error("the receipt cannot be signed")]
    Sign(#[from] SigningFailed),
}

const fn refuse(why: &'static str) -> ProofRefused {
    ProofRefused::Receipt { why }
}

impl Receipt {
    /// Signs a receipt: the value of the header.
    ///
    /// # Errors
    /// When the key fails.
    pub fn sign(new: NewReceipt, key: &SigningKey) -> Result<String, ReceiptFailed> {
        let NewReceipt { answer, epoch, gateway, prediction, record, seal_by, sequence, tree_size } = new;
        let format = FORMAT.to_owned();
        let receipt =
            Self { answer, epoch, format, gateway, prediction, record, seal_by, sequence, tree_size };
        let payload = serde_json::to_vec(&receipt)?;
        let signature = key.sign(&dsse::pae(PAYLOAD_TYPE, &payload))?;
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(format!("{}.{}.{}", encode(&payload), key.public().id(), encode(&signature)))
    }

    /// Finds and verifies the receipt in a text: the header's value, or a list of headers with it.
    ///
    /// # Errors
    /// When there is none, or several, or none of `keys` signed it.
    pub fn find(text: &[u8], keys: &[PublicKey]) -> Result<Self, ProofRefused> {
        let text = std::str::from_utf8(text).map_err(|_| refuse("it is not text"))?;
        let value_of = |line: &'_ str| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(RECEIPT_HEADER).then(|| value.trim().to_owned())
        };
        let found: Vec<String> = text.lines().filter_map(value_of).collect();
        match found.as_slice() {
            [] => Self::open(text.trim(), keys),
            [value] => Self::open(value, keys),
            _ => Err(refuse("there are several")),
        }
    }

    fn open(value: &str, keys: &[PublicKey]) -> Result<Self, ProofRefused> {
        if value.len() > RECEIPT_BYTES {
            return Err(refuse("it is too long"));
        }
        let malformed = || refuse("it is none");
        let mut parts = value.split('.');
        let (Some(payload), Some(key), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed());
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        let id: KeyId = key.parse().map_err(|_| malformed())?;
        let key = keys.iter().find(|key| key.id() == id);
        let key = key.ok_or_else(|| refuse("no gateway key of this project signed it"))?;
        key.verify(&dsse::pae(PAYLOAD_TYPE, &payload), &signature)
            .map_err(|_| refuse("its signature does not hold"))?;
        let receipt: Self = canonical::from_bytes(&payload).map_err(|_| malformed())?;
        if receipt.format != FORMAT {
            return Err(refuse("it is of another version"));
        }
        Ok(receipt)
    }

    /// Checks that it was given for this record.
    ///
    /// # Errors
    /// When it was given for another one.
    pub fn check_record(&self, prediction: &ProvenPrediction) -> Result<(), ProofRefused> {
        let envelope = &prediction.envelope;
        if self.prediction != envelope.id {
            return Err(refuse("it is for another prediction"));
        }
        let place = (self.gateway.as_str(), self.epoch, self.sequence, self.tree_size);
        let named = (envelope.gateway.as_str(), envelope.epoch, envelope.sequence, envelope.tree_size);
        if place != named || self.record != *prediction.revealed.digest().digest() {
            return Err(refuse("the gateway promised another record than the one in the segment"));
        }
        Ok(())
    }

    /// Checks that it was given for this answer, byte for byte.
    ///
    /// # Errors
    /// When it was given for another one.
    pub fn check_answer(&self, body: &[u8]) -> Result<(), ProofRefused> {
        if sha256(body) == self.answer { Ok(()) } else { Err(refuse("it is for another answer")) }
    }
}
