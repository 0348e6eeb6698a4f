//! Reading what is served again, piece by piece, and stopping what is not what it was.

use std::io::{ErrorKind, Read as _};
use std::sync::PoisonError;

use bartizan_base::{Digest, VersionRef};
use bartizan_keys::{UnsealFailed, Unsealed};

use super::{Failed, Inner, Registry};
use crate::limits::DOCUMENT_BYTES;
use crate::manifest::Manifest;
use crate::statement::{Damage, IntegrityV1, Private, Statement, VersionState};

/// One stored part of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// What it is called: a path in the manifest, or what it is.
    pub name: String,
    /// The digest that the manifest lists, for a file.
    pub file: Option<Digest>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File { sha256: Digest, bytes: u64 },
    Document(Private),
}

/// A stored part, open for reading it again.
#[derive(Debug)]
pub struct OpenPart {
    content: Unsealed,
    buffer: Vec<u8>,
}

/// What reading a stored part again has come to.
#[derive(Debug)]
pub enum Reread {
    /// So many bytes were read, and there may be more.
    More(Box<OpenPart>, usize),
    /// It is what it was.
    Whole,
    /// It is not.
    Damaged(Damage),
}

impl Registry {
    /// The parts of a version that loading it needs: manifest, signature and files. The damage, when the manifest
    /// itself cannot be read.
    ///
    /// # Errors
    /// When there is no such version, or the storage fails.
    pub async fn stored_parts(
        &self,
        version: &VersionRef,
    ) -> Result<Result<Vec<StoredPart>, Damage>, Failed> {
        let version = version.clone();
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(PoisonError::into_inner).clone();
            let body = &state.known_version(&version)?.body;
            let document = |name: &str, private: &Private| StoredPart {
                name: name.to_owned(),
                file: None,
                place: Place::Document(private.clone()),
            };
            let mut opened = match inner.open_stored(&Place::Document(body.manifest_blob.clone()))? {
                Ok(opened) => opened,
                Err(damage) => return Ok(Err(damage)),
            };
            if opened.content.len() > u64::try_from(DOCUMENT_BYTES).unwrap_or(u64::MAX) {
                return Ok(Err(Damage::Changed));
            }
            let mut bytes = Vec::new();
            if let Err(error) = opened.content.read_to_end(&mut bytes) {
                return damage_of(error).map(Err);
            }
            let Ok(manifest) = Manifest::parse(&bytes) else { return Ok(Err(Damage::Changed)) };
            let mut parts = vec![
                document("the manifest", &body.manifest_blob),
                document("the signature", &body.oms_bundle_blob),
            ];
            parts.extend(manifest.files().iter().map(|file| StoredPart {
                name: file.path.clone(),
                file: Some(file.sha256),
                place: Place::File { sha256: file.sha256, bytes: file.size },
            }));
            Ok(Ok(parts))
        })
        .await
    }

    /// Opens a stored part.
    ///
    /// # Errors
    /// When the storage fails, which says nothing about the part.
    pub async fn open_stored(&self, part: &StoredPart) -> Result<Result<OpenPart, Damage>, Failed> {
        let place = part.place.clone();
        self.blocking(move |inner| inner.open_stored(&place)).await
    }

    /// Reads one more piece of a stored part; every byte is authenticated, and the last ones come with the digest.
    ///
    /// # Errors
    /// When the storage fails, which says nothing about the part.
    pub async fn reread(&self, part: OpenPart) -> Result<Reread, Failed> {
        self.blocking(move |_| {
            let OpenPart { mut content, mut buffer } = part;
            match content.read(&mut buffer) {
                Ok(0) => Ok(Reread::Whole),
                Ok(count) => Ok(Reread::More(Box::new(OpenPart { content, buffer }), count)),
                Err(error) => damage_of(error).map(Reread::Damaged),
            }
        })
        .await
    }

    /// States that a gateway found a part of a version damaged, which puts the version in quarantine. False when it is
    /// stopped already.
    ///
    /// # Errors
    /// When there is no such version, or the ledger cannot be written.
    pub async fn stop_damaged(
        &self,
        gateway: &str,
        version: &VersionRef,
        (part, file): (&str, Option<Digest>),
        damage: Damage,
    ) -> Result<bool, Failed> {
        let writer = self.stopping_writer().await?;
        let state = writer.state();
        let found = state.known_version(version)?;
        if !found.state.may_become(VersionState::Quarantined) {
            return Ok(false);
        }
        let reason = format!("a gateway read it again, and what is stored of it is {damage}: {part}");
        let body = IntegrityV1 {
            gateway: gateway.to_owned(),
            version: version.clone(),
            manifest: found.body.manifest,
            from: found.state,
            previous: found.state_entry(),
            file,
            damage,
            reason: writer.seal_document(reason.into_bytes()).await?,
            at: writer.now(),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| true)
    }
}

impl Inner {
    fn open_stored(&self, place: &Place) -> Result<Result<OpenPart, Damage>, Failed> {
        let blob = match place {
            Place::File { sha256, .. } => self.keys.blob_name(sha256),
            Place::Document(private) => private.blob.clone(),
        };
        let content = match self.keys.unseal(self.blobs.as_ref(), &blob) {
            Ok(content) => content,
            Err(error) => {
                return match error {
                    UnsealFailed::NotFound { .. }
                    | UnsealFailed::Missing { .. }
                    | UnsealFailed::Erased { .. } => Ok(Err(Damage::Missing)),
                    UnsealFailed::Changed { .. }
                    | UnsealFailed::KeyInvalid { .. }
                    | UnsealFailed::NotSealed { .. } => Ok(Err(Damage::Changed)),
                    UnsealFailed::Storage(_) | UnsealFailed::Crypto => Err(error.into()),
                };
            }
        };
        let same = match place {
            Place::File { sha256, bytes } => content.digest() == *sha256 && content.len() == *bytes,
            Place::Document(private) => content.commitment() == private.commitment,
        };
        let buffer = vec![0; bartizan_base::limits::CHUNK_BYTES];
        Ok(if same { Ok(OpenPart { content, buffer }) } else { Err(Damage::Changed) })
    }
}

/// What an error of reading says about the content: nothing, unless it is about the content itself.
fn damage_of(error: std::io::Error) -> Result<Damage, Failed> {
    match error.kind() {
        ErrorKind::InvalidData => Ok(Damage::Changed),
        _ => Err(Failed::Content(error)),
    }
}
