//! Writing a bundle.

use bartizan_base::canonical::{self, EncodeError};
use bartizan_base::sha256;
use serde::Serialize;

use super::{
    FileDigest, FilesInvalid, MEDIA_TYPE, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, lies_below,
    plain_path, root_in_order, sorted,
};
use crate::dsse::{Signature, pae};
use crate::encoding::to_base64;
use crate::limits::{BUNDLE_BYTES, IGNORED_PATHS, PATH_BYTES};
use crate::public::{Algorithm, PublicKey};
use crate::signing::{SigningFailed, SigningKey};

/// A bundle could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignBundle {
    /// The list of files is not one that a bundle can hold.
    #[error("not a list of files that can be signed")]
    Files(#[from] FilesInvalid),
    /// More paths to ignore than a bundle may hold.
    #[error("{count} ignored paths, more than the {IGNORED_PATHS} allowed")]
    IgnoredPaths {
        /// How many there are.
        count: usize,
    },
    /// The model's name is empty or too long.
    #[error("the model's name has not 1 to {PATH_BYTES} bytes")]
    Name,
    /// An ignored path is not a plain relative path, or a file that is to be signed lies there or below.
    #[error("`{path}` cannot be ignored: not a plain relative path, or a signed file lies there")]
    IgnoredPath {
        /// The path.
        path: String,
    },
    /// The key is not a P-256 key.
    #[error("a model is signed with an ecdsa-p256-sha256 key, not {algorithm}")]
    Algorithm {
        /// The key's algorithm.
        algorithm: Algorithm,
    },
    /// The bundle would be too large.
    #[error("{bytes} bytes, more than the {BUNDLE_BYTES} allowed")]
    TooLarge {
        /// How many there would be.
        bytes: usize,
    },
    /// The statement has no canonical form.
    #[error("cannot encode the statement")]
    Encode(#[from] EncodeError),
    /// The key failed to sign.
    #[error("signing failed")]
    Signing(#[from] SigningFailed),
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    predicate: Predicate<'a>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    subject: [Subject<'a>; 1],
}

#[derive(Serialize)]
struct Subject<'a> {
    digest: SubjectDigest,
    name: &'a str,
}

#[derive(Serialize)]
struct SubjectDigest {
    sha256: bartizan_base::Digest,
}

#[derive(Serialize)]
struct Predicate<'a> {
    resources: Vec<Resource<'a>>,
    serialization: Serialization<'a>,
}

#[derive(Serialize)]
struct Resource<'a> {
    algorithm: &'static str,
    digest: bartizan_base::Digest,
    name: &'a str,
}

#[derive(Serialize)]
struct Serialization<'a> {
    allow_symlinks: bool,
    hash_type: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ignore_paths: &'a [&'a str],
    method: &'static str,
}

/// Signs a model: its name, its files, and the paths that verifiers must ignore in its directory, such as the
/// bundle's own file. Symbolic links are never allowed.
///
/// # Errors
/// When the files, the name or an ignored path cannot stand in a bundle, or the key is no P-256 key.
pub fn sign(
    name: &str,
    files: &[FileDigest],
    ignore_paths: &[&str],
    key: &SigningKey,
) -> Result<Vec<u8>, SignBundle> {
    let algorithm = key.public().algorithm();
    if algorithm != Algorithm::EcdsaP256Sha256 {
        return Err(SignBundle::Algorithm { algorithm });
    }
    if name.is_empty() || name.len() > PATH_BYTES {
        return Err(SignBundle::Name);
    }
    if ignore_paths.len() > IGNORED_PATHS {
        return Err(SignBundle::IgnoredPaths { count: ignore_paths.len() });
    }
    let files = sorted(files)?;
    for ignored in ignore_paths {
        if !plain_path(ignored) || files.iter().any(|file| lies_below(&file.path, ignored)) {
            return Err(SignBundle::IgnoredPath { path: (*ignored).to_owned() });
        }
    }
    let resources = files
        .iter()
        .map(|file| Resource { algorithm: "sha256", digest: file.digest, name: &file.path })
        .collect();
    let serialization =
        Serialization { allow_symlinks: false, hash_type: "sha256", ignore_paths, method: "files" };
    let statement = Statement {
        statement_type: STATEMENT_TYPE,
        predicate: Predicate { resources, serialization },
        predicate_type: PREDICATE_TYPE,
        subject: [Subject { digest: SubjectDigest { sha256: root_in_order(&files) }, name }],
    };
    let payload = canonical::to_bytes_within(&statement, BUNDLE_BYTES)?;
    let signature = key.sign(&pae(PAYLOAD_TYPE, &payload))?;
    bundle(&payload, Signature { hint: String::new(), bytes: signature }, key.public())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
    media_type: &'static str,
    verification_material: Material,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: &'static str,
    signatures: [BundleSignature; 1],
}

#[derive(Serialize)]
struct BundleSignature {
    keyid: String,
    sig: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: KeyHint,
    tlog_entries: [(); 0],
}

#[derive(Serialize)]
struct KeyHint {
    hint: String,
}

fn bundle(payload: &[u8], signature: Signature, key: &PublicKey) -> Result<Vec<u8>, SignBundle> {
    let signature = BundleSignature { keyid: signature.hint, sig: to_base64(&signature.bytes) };
    let dsse_envelope =
        Envelope { payload: to_base64(payload), payload_type: PAYLOAD_TYPE, signatures: [signature] };
    let bundle = Bundle {
        dsse_envelope,
        media_type: MEDIA_TYPE,
        verification_material: Material { public_key: KeyHint { hint: hint(key) }, tlog_entries: [] },
    };
    canonical::to_bytes_within(&bundle, BUNDLE_BYTES).map_err(|error| match error {
        EncodeError::TooLarge { bytes, .. } => SignBundle::TooLarge { bytes },
        error => error.into(),
    })
}

/// How a bundle names its key: SHA-256 over the text of the PEM file, in hexadecimal.
pub(super) fn hint(key: &PublicKey) -> String {
    sha256(key.pem().as_bytes()).to_hex()
}
