//! Reading and verifying a bundle.

use bartizan_base::Digest;
use serde::{Deserialize, Deserializer};

use super::sign::hint;
use super::{
    FileDigest, FilesInvalid, MEDIA_TYPE, Manifest, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, cut,
    root_in_order, sorted,
};
use crate::dsse::{Envelope, EnvelopeInvalid, RawEnvelope, pae};
use crate::json::{self, Object};
use crate::limits::{BUNDLE_BYTES, BUNDLE_FILES, IGNORED_PATHS, PATH_BYTES};
use crate::public::{Algorithm, PublicKey};
use crate::verified::Verified;

/// A bundle does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyBundle {
    /// More bytes than a bundle may have.
    #[error("{bytes} bytes, more than the {BUNDLE_BYTES} allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not JSON, not a bundle, or a member is repeated.
    #[error("not a Sigstore bundle in JSON")]
    Json(#[source] serde_json::Error),
    /// A bundle of another version.
    #[error("the media type is `{found}`, not `{MEDIA_TYPE}`")]
    MediaType {
        /// The type in the bundle.
        found: String,
    },
    /// The bundle is made for a certificate, not for a key.
    #[error("the bundle is not signed with a plain key")]
    NotKeyMode,
    /// The envelope in the bundle is not well formed.
    #[error("the bundle holds no well-formed envelope")]
    Envelope(#[from] EnvelopeInvalid),
    /// A bundle must hold one signature.
    #[error("{count} signatures in the bundle, not 1")]
    Signatures {
        /// How many there are.
        count: usize,
    },
    /// The key given is not a P-256 key.
    #[error("a model is verified with an ecdsa-p256-sha256 key, not {algorithm}")]
    Algorithm {
        /// The key's algorithm.
        algorithm: Algorithm,
    },
    /// The bundle names another key.
    #[error("the bundle names another key than the one given")]
    OtherKey,
    /// The signature does not verify.
    #[error("the signature of the bundle does not verify")]
    Signature,
    /// What was signed is not an in-toto statement.
    #[error("the payload type is `{found}`, not `{PAYLOAD_TYPE}`")]
    PayloadType {
        /// The type in the envelope.
        found: String,
    },
    /// The signed payload is not a statement about a model.
    #[error("the signed payload is not a model signature")]
    Statement(#[source] serde_json::Error),
    /// The signed payload is a statement of another kind or version.
    #[error("the statement is of type `{found}`, not `{expected}`")]
    StatementType {
        /// The type in the statement.
        found: String,
        /// The type that was expected.
        expected: &'static str,
    },
    /// A model signature has one subject.
    #[error("{count} subjects in the statement, not 1")]
    Subjects {
        /// How many there are.
        count: usize,
    },
    /// The model was serialised in a way that is not supported.
    #[error("serialization `{method}` with `{hash}` is not supported, only `files` with `sha256`")]
    Serialization {
        /// The method.
        method: String,
        /// The hash.
        hash: String,
    },
    /// The bundle signs a single file instead of a directory.
    #[error("the bundle signs a single file, only directories are supported")]
    SingleFile,
    /// The model's name or an ignored path is too long.
    #[error("the model's name or an ignored path has more than {PATH_BYTES} bytes")]
    TooLong,
    /// The list of files is malformed.
    #[error("the signed list of files is malformed")]
    Files(#[from] FilesInvalid),
    /// The subject is not the root digest of the files listed.
    #[error("the subject is not the root digest of the signed files")]
    Root,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Object<Material>,
    dsse_envelope: Object<RawEnvelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Object<KeyHint>>,
}

#[derive(Deserialize)]
struct KeyHint {
    #[serde(default)]
    hint: Option<String>,
}

#[derive(Deserialize)]
struct Statement {
    subject: Vec<Object<Subject>>,
    predicate: Object<Predicate>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: Object<SubjectDigest>,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: Digest,
}

#[derive(Deserialize)]
struct Predicate {
    serialization: Object<Serialization>,
    #[serde(deserialize_with = "resources")]
    resources: Vec<Object<Resource>>,
}

fn resources<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Object<Resource>>, D::Error> {
    json::at_most(deserializer, BUNDLE_FILES)
}

#[derive(Deserialize)]
struct Serialization {
    allow_symlinks: bool,
    #[serde(default, deserialize_with = "ignored")]
    ignore_paths: Vec<String>,
}

fn ignored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    json::at_most(deserializer, IGNORED_PATHS)
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: Digest,
}

// Read before the rest, so that a statement of another kind is refused by its name.
#[derive(Deserialize)]
struct StatementHead {
    #[serde(rename = "_type")]
    statement_type: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Object<PredicateHead>,
}

#[derive(Deserialize, Default)]
struct PredicateHead {
    #[serde(default)]
    serialization: Object<SerializationHead>,
}

#[derive(Deserialize, Default)]
struct SerializationHead {
    #[serde(default)]
    method: String,
    #[serde(default)]
    hash_type: String,
}

/// Verifies a bundle with the key that the caller trusts for it, and hands out what it says of the model.
/// The caller still has to compare that with the files at hand: [`Manifest::matches`].
///
/// # Errors
/// When the bundle is malformed, of an unsupported kind, signed by another key, or does not verify.
pub fn verify(bundle: &[u8], key: &PublicKey) -> Result<Verified<Manifest>, VerifyBundle> {
    if key.algorithm() != Algorithm::EcdsaP256Sha256 {
        return Err(VerifyBundle::Algorithm { algorithm: key.algorithm() });
    }
    if bundle.len() > BUNDLE_BYTES {
        return Err(VerifyBundle::TooLarge { bytes: bundle.len() });
    }
    let Bundle {
        media_type,
        verification_material: Object(Material { public_key }),
        dsse_envelope: Object(envelope),
    } = json::from_foreign(bundle).map_err(VerifyBundle::Json)?;
    if media_type != MEDIA_TYPE {
        return Err(VerifyBundle::MediaType { found: cut(&media_type) });
    }
    let Object(named) = public_key.ok_or(VerifyBundle::NotKeyMode)?;
    if named.hint.is_some_and(|named| !named.is_empty() && named != hint(key)) {
        return Err(VerifyBundle::OtherKey);
    }
    let envelope = Envelope::from_json(envelope)?;
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(VerifyBundle::PayloadType { found: envelope.payload_type().to_owned() });
    }
    let [signature] = envelope.signatures() else {
        return Err(VerifyBundle::Signatures { count: envelope.signatures().len() });
    };
    key.verify(&pae(PAYLOAD_TYPE, envelope.payload()), &signature.bytes)
        .map_err(|_| VerifyBundle::Signature)?;
    Ok(Verified::new(manifest(envelope.payload())?, vec![key.id()]))
}

fn manifest(payload: &[u8]) -> Result<Manifest, VerifyBundle> {
    let head: StatementHead = json::from_foreign(payload).map_err(VerifyBundle::Statement)?;
    for (found, expected) in [(head.statement_type, STATEMENT_TYPE), (head.predicate_type, PREDICATE_TYPE)] {
        if found != expected {
            return Err(VerifyBundle::StatementType { found: cut(&found), expected });
        }
    }
    let Object(PredicateHead { serialization: Object(serialization) }) = head.predicate;
    let SerializationHead { method, hash_type } = serialization;
    if method != "files" || hash_type != "sha256" {
        return Err(VerifyBundle::Serialization { method: cut(&method), hash: cut(&hash_type) });
    }

    let statement: Statement = json::from_foreign(payload).map_err(VerifyBundle::Statement)?;
    let [Object(subject)] = statement.subject.as_slice() else {
        return Err(VerifyBundle::Subjects { count: statement.subject.len() });
    };
    let Object(Predicate { serialization: Object(serialization), resources }) = statement.predicate;
    if let Some(Object(other)) = resources.iter().find(|Object(resource)| resource.algorithm != "sha256") {
        return Err(VerifyBundle::Serialization { method, hash: cut(&other.algorithm) });
    }
    if matches!(resources.as_slice(), [Object(only)] if only.name == ".") {
        return Err(VerifyBundle::SingleFile);
    }
    if serialization.ignore_paths.iter().chain([&subject.name]).any(|text| text.len() > PATH_BYTES) {
        return Err(VerifyBundle::TooLong);
    }
    let listed: Vec<FileDigest> = resources
        .into_iter()
        .map(|Object(resource)| FileDigest { path: resource.name, digest: resource.digest })
        .collect();
    let files = sorted(&listed)?;
    let Object(SubjectDigest { sha256: root }) = subject.digest;
    // The specification hashes in the order of the list, whatever that is.
    if root_in_order(&listed) != root {
        return Err(VerifyBundle::Root);
    }
    Ok(Manifest {
        name: subject.name.clone(),
        files,
        root,
        ignore_paths: serialization.ignore_paths,
        allow_symlinks: serialization.allow_symlinks,
    })
}
