//! The only code that touches key bytes: signatures, envelopes, encryption, and the keys of a project.
//!
//! `keys` signs and verifies DSSE envelopes and OpenSSF Model Signing bundles, encrypts streams, wraps data
//! keys under a project's key and that under a root key, and destroys data keys. It does not decide what may
//! be signed, does not know the ledger, never asks for the time, and prints no secret. Its only own I/O is the
//! file of the root key; everything else goes through [`bartizan_base::Blobs`].
//!
//! ```text
//!   root key (KeyStore: file of mode 0600, or sealed with a passphrase)
//!      | wraps
//!   project's wrapping key ---- wraps ----> signing keys (one list per Purpose), naming key
//!      | wraps                                  |                 |
//!   data key, salt (one per blob)            dsse, oms         name of a blob
//!      | encrypts
//!   stream (1 MiB segments) --> Blobs        content --seal--> Sealed --unseal--> Unsealed
//!
//!   bytes --dsse::verify, oms::verify--> Verified<T>
//! ```
//!
//! Modules in reading order: `public` and `signing` (keys that sign), `verified`, [`dsse`], [`detached`], [`oms`], `trust`
//! (what a verifier believes), [`hello`] (who is a server), `wrap` and [`stream`] (encryption), `root` (the root key), `project` (all keys of
//! a project, and the content under them), [`subjects`] (keys of the people that records are about), [`pseudonyms`]
//! (keyed hashes and tokens of values).

pub mod detached;
pub mod dsse;
mod encoding;
pub mod hello;
mod json;
pub mod limits;
pub mod oms;
mod project;
pub mod pseudonyms;
mod public;
mod random;
mod root;
mod secret;
mod signing;
pub mod stream;
pub mod subjects;
mod trust;
mod verified;
mod wrap;

pub use crate::project::{
    CreateKeys, EraseFailed, KeyInfo, KeyStatus, Keys, OpenKeys, Purpose, SealFailed, Sealed, Unnamed,
    UnsealFailed, Unsealed, commitment,
};
pub use crate::public::{Algorithm, KeyId, PublicKey, PublicKeyInvalid, SignatureInvalid};
pub use crate::random::OsRandom;
pub use crate::root::{
    Argon2Cost, CreateRootKey, FileKeyStore, KeyStore, KeyStoreError, OpenRootKey, Passphrase,
    PassphraseInvalid, ROOT_KEY_FILE, RootKey, RootKind, SealedKeyStore, Wrapped, detect_root_key,
};
pub use crate::secret::Secret;
pub use crate::signing::{SigningFailed, SigningKey, SigningKeyInvalid};
pub use crate::trust::{NoteKey, NoteKeyInvalid, NoteKeyKind, TrustFile, TrustFileInvalid};
pub use crate::verified::Verified;
pub use crate::wrap::{CryptoFailed, WrappingKeyId, WrappingKeyIdInvalid};
