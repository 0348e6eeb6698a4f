//! DSSE v1.0.2 envelopes: a payload, its type, and signatures over both.

use bartizan_base::DigestInvalid;
use serde::{Deserialize, Deserializer};

use crate::encoding::{from_either_base64, to_base64};
use crate::json::{self, Object};
use crate::limits::{ENVELOPE_BYTES, HINT_BYTES, SIGNATURE_BYTES, SIGNATURES};
use crate::public::{KeyId, PublicKey};
use crate::signing::{SigningFailed, SigningKey};
use crate::verified::Verified;

/// An envelope: well formed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) hint: String,
    pub(crate) bytes: Vec<u8>,
}

/// The payload of an envelope whose signatures were checked.
#[derive(Debug)]
pub struct Payload {
    /// What the bytes are, exactly as the verifier asked for.
    pub payload_type: String,
    /// The signed bytes.
    pub bytes: Vec<u8>,
}

/// Why an envelope is not well formed.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeInvalid {
    /// More bytes than an envelope may have.
    #[error("{bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not JSON, not an envelope, or a member is repeated.
    #[error("not a DSSE envelope in JSON")]
    Json(#[source] serde_json::Error),
    /// A payload or signature is not base64 with padding.
    #[error("`{member}` is not base64")]
    Base64 {
        /// The JSON member.
        member: &'static str,
    },
    /// A payload type or key id is too long or holds more than printable ASCII.
    #[error("`{member}` is not at most {HINT_BYTES} printable ASCII characters without quotes")]
    Text {
        /// The JSON member.
        member: &'static str,
    },
    /// No signature, or too many.
    #[error("{count} signatures, not 1 to {SIGNATURES}")]
    Signatures {
        /// How many there are.
        count: usize,
    },
    /// A signature is empty or too long.
    #[error("a signature of {bytes} bytes, not 1 to {SIGNATURE_BYTES}")]
    SignatureLength {
        /// How many there are.
        bytes: usize,
    },
}

/// An envelope could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignEnvelope {
    /// The payload, its type or the number of keys does not fit an envelope.
    #[error("not what an envelope can hold")]
    Invalid(#[from] EnvelopeInvalid),
    /// One key was given twice.
    #[error("key `{key}` was given twice")]
    SameKey {
        /// The key.
        key: KeyId,
    },
    /// A key failed to sign.
    #[error("signing failed")]
    Signing(#[from] SigningFailed),
}

/// An envelope does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyEnvelope {
    /// It is not well formed.
    #[error("not a well-formed envelope")]
    Invalid(#[from] EnvelopeInvalid),
    /// The payload is of another type than the one expected.
    #[error("the payload type is `{found}`, not `{expected}`")]
    PayloadType {
        /// The type in the envelope.
        found: String,
        /// The type that the caller expects.
        expected: String,
    },
    /// None of the signatures names a trusted key.
    #[error("no signature names a trusted key")]
    Untrusted {
        /// The keys that the signatures name, as far as they are key ids.
        named: Vec<KeyId>,
    },
    /// A signature names a trusted key and does not verify with it.
    #[error("the signature of key `{key}` does not verify")]
    Signature {
        /// The key.
        key: KeyId,
    },
    /// Two signatures name one trusted key.
    #[error("key `{key}` signed twice")]
    SameKey {
        /// The key.
        key: KeyId,
    },
}

/// Signs `payload` with every key.
///
/// # Errors
/// When the envelope would exceed the limits, a key is given twice, or a key fails.
pub fn sign(payload_type: &str, payload: &[u8], keys: &[&SigningKey]) -> Result<Envelope, SignEnvelope> {
    let envelope = sign_unbounded(payload_type, payload, keys)?;
    let bytes = envelope.to_bytes().len();
    if bytes > ENVELOPE_BYTES {
        return Err(EnvelopeInvalid::TooLarge { bytes, limit: ENVELOPE_BYTES }.into());
    }
    Ok(envelope)
}

pub(crate) fn sign_unbounded(
    payload_type: &str,
    payload: &[u8],
    keys: &[&SigningKey],
) -> Result<Envelope, SignEnvelope> {
    let message = pae(payload_type, payload);
    let mut signatures: Vec<Signature> = Vec::with_capacity(keys.len());
    for key in keys {
        let id = key.public().id();
        let hint = id.to_string();
        if signatures.iter().any(|other| other.hint == hint) {
            return Err(SignEnvelope::SameKey { key: id });
        }
        signatures.push(Signature { hint, bytes: key.sign(&message)? });
    }
    Ok(Envelope::new(payload_type.to_owned(), payload.to_vec(), signatures)?)
}

/// Verifies an envelope and hands out its payload.
///
/// `trusted` looks a key id up and returns the key when its signature may count. Every signature that names a
/// trusted key must verify, and there must be at least one; signatures of other keys are ignored. The key id
/// only selects the key, no other key is tried.
///
/// # Errors
/// When the envelope is not well formed, has another payload type, or its signatures do not verify.
pub fn verify(
    bytes: &[u8],
    trusted: &dyn Fn(KeyId) -> Option<PublicKey>,
    expected_type: &str,
) -> Result<Verified<Payload>, VerifyEnvelope> {
    Envelope::parse(bytes)?.verify(trusted, expected_type)
}

/// The bytes that a signature covers: the pre-authentication encoding `PAE(type, payload)` of DSSE v1.0.2.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

impl Envelope {
    /// Reads an envelope of at most 60 KiB: any JSON layout, unknown members ignored as the specification
    /// asks, repeated members refused, standard or URL-safe base64 with padding.
    ///
    /// # Errors
    /// When the bytes are not that.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeInvalid> {
        if bytes.len() > ENVELOPE_BYTES {
            return Err(EnvelopeInvalid::TooLarge { bytes: bytes.len(), limit: ENVELOPE_BYTES });
        }
        Self::from_json(json::from_foreign(bytes).map_err(EnvelopeInvalid::Json)?)
    }

    /// The canonical JSON of the envelope: members sorted, no white space, standard base64.
    ///
    /// A ledger entry is exactly these bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // INVARIANT: payload type and hints are printable ASCII without `"` and `\` (see `new`), so nothing
        // needs escaping.
        let payload = to_base64(&self.payload);
        let mut text =
            format!(r#"{{"payload":"{payload}","payloadType":"{}","signatures":["#, self.payload_type);
        for (index, signature) in self.signatures.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let sig = to_base64(&signature.bytes);
            text.push_str(&format!(r#"{comma}{{"keyid":"{}","sig":"{sig}"}}"#, signature.hint));
        }
        text.push_str("]}");
        text.into_bytes()
    }

    /// An envelope from its parts, with one signature; the key it names need not have made it.
    ///
    /// # Errors
    /// When the parts are not those of an envelope.
    pub fn of(
        payload_type: &str,
        payload: Vec<u8>,
        key: KeyId,
        signature: Vec<u8>,
    ) -> Result<Self, EnvelopeInvalid> {
        let signature = Signature { hint: key.to_string(), bytes: signature };
        Self::new(payload_type.to_owned(), payload, vec![signature])
    }

    /// The key and the bytes of the signature, not verified, where there is one and it names a key.
    pub fn sole_signature(&self) -> Option<(KeyId, &[u8])> {
        match self.signatures.as_slice() {
            [signature] => Some((signature.key_id().ok()?, &signature.bytes)),
            _ => None,
        }
    }

    /// The bytes of the signature, not verified, where there is one, whatever key it names.
    pub fn sole_signature_bytes(&self) -> Option<&[u8]> {
        match self.signatures.as_slice() {
            [signature] => Some(&signature.bytes),
            _ => None,
        }
    }

    /// The payload, not verified: for display and look-ups only.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload type, not verified.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The keys that the signatures name, not verified, in order; hints that are no key ids are left out.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.signatures.iter().filter_map(|signature| signature.key_id().ok()).collect()
    }

    /// How many signatures there are, also such as name no key. Who admits envelopes of one signature counts with
    /// this and not with [`Envelope::key_ids`].
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// As the function [`verify`].
    ///
    /// # Errors
    /// When the payload type is another, or the signatures do not verify.
    pub fn verify(
        self,
        trusted: &dyn Fn(KeyId) -> Option<PublicKey>,
        expected_type: &str,
    ) -> Result<Verified<Payload>, VerifyEnvelope> {
        if self.payload_type != expected_type {
            let expected = expected_type.to_owned();
            return Err(VerifyEnvelope::PayloadType { found: self.payload_type, expected });
        }
        let message = pae(&self.payload_type, &self.payload);
        let mut signers = Vec::new();
        for signature in &self.signatures {
            let Some(key) = signature.key_id().ok().and_then(trusted) else { continue };
            // The key's own id counts, whatever the look-up was asked for.
            if signers.contains(&key.id()) {
                return Err(VerifyEnvelope::SameKey { key: key.id() });
            }
            key.verify(&message, &signature.bytes)
                .map_err(|_| VerifyEnvelope::Signature { key: key.id() })?;
            signers.push(key.id());
        }
        if signers.is_empty() {
            return Err(VerifyEnvelope::Untrusted { named: self.key_ids() });
        }
        Ok(Verified::new(Payload { payload_type: self.payload_type, bytes: self.payload }, signers))
    }

    /// Verifies an envelope with one signature that one of `keys` has to have made. Its key id is a hint, as the
    /// specification has it: other tools leave it out or make up their own, so every key is tried.
    ///
    /// # Errors
    /// When the payload type is another, there are several signatures, or none of the keys made the one.
    pub fn verify_sole(
        self,
        keys: &[&PublicKey],
        expected_type: &str,
    ) -> Result<Verified<Payload>, VerifyEnvelope> {
        if self.payload_type != expected_type {
            let expected = expected_type.to_owned();
            return Err(VerifyEnvelope::PayloadType { found: self.payload_type, expected });
        }
        let message = pae(&self.payload_type, &self.payload);
        let made = |signature: &[u8]| keys.iter().find(|key| key.verify(&message, signature).is_ok());
        match self.sole_signature_bytes().and_then(made).map(|key| key.id()) {
            Some(key) => {
                Ok(Verified::new(Payload { payload_type: self.payload_type, bytes: self.payload }, vec![key]))
            }
            None => Err(VerifyEnvelope::Untrusted { named: self.key_ids() }),
        }
    }

    pub(crate) fn from_json(raw: RawEnvelope) -> Result<Self, EnvelopeInvalid> {
        let payload =
            from_either_base64(&raw.payload).ok_or(EnvelopeInvalid::Base64 { member: "payload" })?;
        let mut signatures = Vec::with_capacity(raw.signatures.len());
        for Object(signature) in raw.signatures {
            let bytes =
                from_either_base64(&signature.sig).ok_or(EnvelopeInvalid::Base64 { member: "sig" })?;
            signatures.push(Signature { hint: signature.keyid, bytes });
        }
        Self::new(raw.payload_type, payload, signatures)
    }

    pub(crate) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    fn new(
        payload_type: String,
        payload: Vec<u8>,
        signatures: Vec<Signature>,
    ) -> Result<Self, EnvelopeInvalid> {
        if payload_type.is_empty() || !plain(&payload_type) {
            return Err(EnvelopeInvalid::Text { member: "payloadType" });
        }
        if signatures.is_empty() || signatures.len() > SIGNATURES {
            return Err(EnvelopeInvalid::Signatures { count: signatures.len() });
        }
        for Signature { hint, bytes } in &signatures {
            if !plain(hint) {
                return Err(EnvelopeInvalid::Text { member: "keyid" });
            }
            if bytes.is_empty() || bytes.len() > SIGNATURE_BYTES {
                return Err(EnvelopeInvalid::SignatureLength { bytes: bytes.len() });
            }
        }
        Ok(Self { payload_type, payload, signatures })
    }
}

impl Signature {
    fn key_id(&self) -> Result<KeyId, DigestInvalid> {
        self.hint.parse()
    }
}

/// The JSON of an envelope as others write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawEnvelope {
    payload: String,
    payload_type: String,
    #[serde(deserialize_with = "raw_signatures")]
    signatures: Vec<Object<RawSignature>>,
}

#[derive(Deserialize)]
struct RawSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

fn raw_signatures<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Object<RawSignature>>, D::Error> {
    json::at_most(d, SIGNATURES)
}

fn plain(text: &str) -> bool {
    text.len() <= HINT_BYTES && text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
}
