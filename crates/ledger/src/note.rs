//! Signed notes and their keys (C2SP signed-note, Ed25519 only).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bartizan_base::sha256;
use bartizan_keys::{PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::limits::{KEY_NAME_BYTES, NOTE_BYTES, SIGNATURES};

/// What a note key signs: the first byte of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the note's text; a log's own key.
    Note,
    /// 0x04: Ed25519 over a time stamp and the note's text; a witness (C2SP tlog-cosignature).
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A name and an Ed25519 public key that note signatures are checked against.
///
/// Written as a C2SP "vkey": `NAME+HHHHHHHH+BASE64`, with the key id in 8 hexadecimal digits and the base64 of
/// the kind's byte and the 32 bytes of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    raw: [u8; 32],
    public: PublicKey,
}

/// The text or key is not a usable note key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyInvalid {
    /// Not of the form `NAME+HHHHHHHH+BASE64`.
    #[error("`{text}` is not of the form NAME+HHHHHHHH+BASE64")]
    Form {
        /// The offending text, cut to 80 characters.
        text: String,
    },
    /// Names are not empty, and hold no spaces, control characters or plus signs.
    #[error("`{name}` is not a key name: 1 to {KEY_NAME_BYTES} bytes, no spaces, no plus")]
    Name {
        /// The offending name, cut to 80 characters.
        name: String,
    },
    /// The key id in the text is not that of the key in the text.
    #[error("the key id of `{name}` does not belong to the key")]
    KeyId {
        /// The name.
        name: String,
    },
    /// Neither Ed25519 (0x01) nor an Ed25519 cosignature key (0x04).
    #[error("the key of `{name}` is not an Ed25519 note or cosignature key")]
    Algorithm {
        /// The name.
        name: String,
    },
}

impl VerifierKey {
    /// The key of a log (or any signer of notes) called `name`.
    ///
    /// # Errors
    /// When the name is no key name or the key is not Ed25519.
    pub fn note(name: &str, public: &PublicKey) -> Result<Self, VerifierKeyInvalid> {
        Self::new(name, KeyKind::Note, public)
    }

    /// The key of a witness called `name`.
    ///
    /// # Errors
    /// When the name is no key name or the key is not Ed25519.
    pub fn cosignature(name: &str, public: &PublicKey) -> Result<Self, VerifierKeyInvalid> {
        Self::new(name, KeyKind::Cosignature, public)
    }

    fn new(name: &str, kind: KeyKind, public: &PublicKey) -> Result<Self, VerifierKeyInvalid> {
        if !is_key_name(name) {
            return Err(VerifierKeyInvalid::Name { name: cut(name) });
        }
        let raw = public.ed25519_raw().ok_or_else(|| VerifierKeyInvalid::Algorithm { name: cut(name) })?;
        Ok(Self { name: name.to_owned(), kind, raw, public: public.clone() })
    }

    /// The key's name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || kind || key).
    pub fn key_id(&self) -> [u8; 4] {
        let message = [self.name.as_bytes(), b"\n", &[self.kind.byte()], &self.raw].concat();
        let digest = sha256(&message);
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// Whether `signature` (64 bytes) over `message` verifies.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = vec![self.kind.byte()];
        encoded.extend_from_slice(&self.raw);
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.key_id()), BASE64.encode(encoded))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyInvalid;

    fn from_str(text: &str) -> Result<Self, VerifierKeyInvalid> {
        let form = || VerifierKeyInvalid::Form { text: cut(text) };
        // The base64 may hold plus signs, so the text is split at the first two only.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form());
        };
        let encoded = BASE64.decode(encoded).map_err(|_| form())?;
        let algorithm = || VerifierKeyInvalid::Algorithm { name: cut(name) };
        let (kind, raw) = encoded.split_first().ok_or_else(form)?;
        let kind = match *kind {
            0x01 => KeyKind::Note,
            0x04 => KeyKind::Cosignature,
            _ => return Err(algorithm()),
        };
        let raw: [u8; 32] = raw.try_into().map_err(|_| algorithm())?;
        let public = PublicKey::from_ed25519_raw(&raw).map_err(|_| algorithm())?;
        let key = Self::new(name, kind, &public)?;
        if format!("{:08x}", u32::from_be_bytes(key.key_id())) != id {
            return Err(VerifierKeyInvalid::KeyId { name: cut(name) });
        }
        Ok(key)
    }
}

/// The key could not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignFailed {
    /// The key store refused or failed.
    #[error("the key of `{name}` could not sign")]
    Key {
        /// The key's name.
        name: String,
        /// What the key said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The signature does not verify under the public key: another key, or faulty hardware.
    #[error("the signature made for `{name}` does not verify under its public key")]
    DoesNotVerify {
        /// The key's name.
        name: String,
    },
}

type SignFn = dyn Fn(&[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> + Send + Sync;

/// A named Ed25519 key that signs notes; for a ledger, its name is the origin.
pub struct NoteSigner {
    key: VerifierKey,
    sign: Box<SignFn>,
}

impl NoteSigner {
    /// A signer called `name` that holds its key.
    ///
    /// # Errors
    /// When the name is no key name or the key is not Ed25519.
    pub fn new(name: &str, key: Arc<SigningKey>) -> Result<Self, VerifierKeyInvalid> {
        let public = key.public().clone();
        Self::with(name, &public, move |message| Ok(key.sign(message)?))
    }

    /// A signer called `name` whose private key is elsewhere: `sign` returns the 64 bytes of Ed25519.
    ///
    /// # Errors
    /// When the name is no key name or the key is not Ed25519.
    pub fn with(
        name: &str,
        public: &PublicKey,
        sign: impl Fn(&[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Result<Self, VerifierKeyInvalid> {
        Ok(Self { key: VerifierKey::note(name, public)?, sign: Box::new(sign) })
    }

    /// The key that verifies what this signs.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Signs `message` and checks the signature before anyone sees it.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, SignFailed> {
        let name = || self.key.name.clone();
        let signature = (self.sign)(message).map_err(|source| SignFailed::Key { name: name(), source })?;
        if signature.len() != 64 || !self.key.verifies(message, &signature) {
            return Err(SignFailed::DoesNotVerify { name: name() });
        }
        Ok(signature)
    }

    /// The signed note over `text`, which must end in a newline.
    pub(crate) fn sign_note(&self, text: &str) -> Result<String, SignFailed> {
        let signature = self.sign_bytes(text.as_bytes())?;
        Ok(format!("{text}\n{}", signature_line(&self.key, &signature)))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.key)
    }
}

/// `— NAME BASE64(key id || signature)` and a newline.
pub(crate) fn signature_line(key: &VerifierKey, signature: &[u8]) -> String {
    let blob = [&key.key_id(), signature].concat();
    format!("\u{2014} {} {}\n", key.name, BASE64.encode(blob))
}

/// A parsed but unverified note: its text must not be used before a signature is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note<'a> {
    /// The text, with its final newline and without the blank line.
    pub(crate) text: &'a str,
    /// The signature lines, in order.
    pub(crate) signatures: Vec<NoteSignature<'a>>,
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoteSignature<'a> {
    pub(crate) line: &'a str,
    pub(crate) name: &'a str,
    pub(crate) key_id: [u8; 4],
    pub(crate) signature: Vec<u8>,
}

impl NoteSignature<'_> {
    /// Whether the line claims to be by `key`.
    pub(crate) fn claims(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.key_id == key.key_id()
    }
}

/// The bytes are not a signed note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteInvalid {
    /// Too long to be one.
    #[error("{bytes} bytes, more than the {NOTE_BYTES} allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// Not UTF-8, or control characters other than newline.
    #[error("the note is not UTF-8 text without control characters")]
    Text,
    /// No blank line between a text and signature lines.
    #[error("the note has no blank line before signature lines")]
    NoSignatures,
    /// A line after the blank line is not a signature line.
    #[error("signature line {line} of the note is malformed")]
    SignatureLine {
        /// Counted from 1.
        line: usize,
    },
    /// Too many signature lines.
    #[error("more than {SIGNATURES} signature lines")]
    TooManySignatures,
}

impl<'a> Note<'a> {
    /// Takes a note apart without trusting any of it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, NoteInvalid> {
        if bytes.len() > NOTE_BYTES {
            return Err(NoteInvalid::TooLong { bytes: bytes.len() });
        }
        let whole = str::from_utf8(bytes).map_err(|_| NoteInvalid::Text)?;
        if whole.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteInvalid::Text);
        }
        let at = whole.rfind("\n\n").ok_or(NoteInvalid::NoSignatures)?;
        let (Some(text), Some(lines)) = (whole.get(..=at), whole.get(at + 2..)) else {
            return Err(NoteInvalid::NoSignatures);
        };
        let lines = lines.strip_suffix('\n').ok_or(NoteInvalid::NoSignatures)?;
        let mut signatures = Vec::new();
        for (at, line) in lines.split('\n').enumerate() {
            if at == SIGNATURES {
                return Err(NoteInvalid::TooManySignatures);
            }
            let malformed = NoteInvalid::SignatureLine { line: at + 1 };
            signatures.push(parse_signature(line).ok_or(malformed)?);
        }
        Ok(Self { text, signatures })
    }
}

fn parse_signature(line: &str) -> Option<NoteSignature<'_>> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let blob = BASE64.decode(encoded).ok()?;
    let (key_id, signature) = blob.split_first_chunk::<4>()?;
    (is_key_name(name) && !signature.is_empty()).then(|| NoteSignature {
        line,
        name,
        key_id: *key_id,
        signature: signature.to_vec(),
    })
}

fn is_key_name(name: &str) -> bool {
    let clean = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= KEY_NAME_BYTES && name.chars().all(clean)
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
