//! What a gateway is given: released versions, their bytes, and what they were trained on.

use std::io::Read as _;

use bartizan_base::VersionRef;
use bartizan_data::Schema;

use super::{Failed, Registry};
use crate::limits::DOCUMENT_BYTES;
use crate::manifest::ManifestFile;
use crate::proof::read_private;
use crate::released::{ModelVersion, NotReleased, Released};
use crate::statement::{SegmentV1, Statement};

/// A version could not be released for serving.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseFailed {
    /// It may not be served.
    #[error(transparent)]
    NotReleased(#[from] NotReleased),
    /// What it takes to know cannot be read.
    #[error(transparent)]
    Failed(#[from] Failed),
}

impl Registry {
    /// Establishes that a version may be served, from the ledger's own bytes and the project's root key.
    ///
    /// # Errors
    /// When it may not, or its documents or the ledger cannot be read.
    pub async fn release(&self, version: &VersionRef) -> Result<Released<ModelVersion>, ReleaseFailed> {
        let replayed = self.replayed().await?;
        let named = version.clone();
        let (manifest, bundle) = self
            .blocking(move |inner| {
                let state = inner.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
                let found = state.known_version(&named)?;
                let read = |private| read_private(&inner.keys, inner.blobs.as_ref(), private);
                let (manifest, _) = read(&found.body.manifest_blob)?;
                let (bundle, _) = read(&found.body.oms_bundle_blob)?;
                Ok((manifest, bundle))
            })
            .await?;
        Ok(Released::<ModelVersion>::establish(&replayed, version, &manifest, &bundle)?)
    }

    /// States that a segment of prediction records was sealed. A segment that was stated already is not stated again.
    ///
    /// # Errors
    /// When it does not follow the gateway's segment before, or the ledger cannot be written.
    pub async fn state_segment(&self, segment: SegmentV1) -> Result<(), Failed> {
        let writer = self.stopping_writer().await?;
        // Empty segments have one root, so it takes the number to tell them apart.
        let stated = writer.state().segments().get(&segment.gateway).map(|last| (last.number, last.root));
        if stated == Some((segment.number, segment.root)) {
            return Ok(());
        }
        writer.append(vec![Statement::about(segment)]).await.map(|_| ())
    }

    /// Reads a file of a model, decrypted and compared with its digest.
    ///
    /// # Errors
    /// When it is larger than `limit`, gone or changed.
    pub async fn read_model_file(&self, file: &ManifestFile, limit: usize) -> Result<Vec<u8>, Failed> {
        let file = file.clone();
        self.blocking(move |inner| {
            let size = usize::try_from(file.size).unwrap_or(usize::MAX);
            if size > limit {
                return Err(Failed::invalid("model file", format!("{size} bytes, more than {limit}")));
            }
            let blob = inner.keys.blob_name(&file.sha256);
            let mut content = inner.keys.unseal(inner.blobs.as_ref(), &blob)?;
            let mut bytes = Vec::with_capacity(size);
            content.read_to_end(&mut bytes).map_err(Failed::Content)?;
            if bartizan_base::sha256(&bytes) == file.sha256 {
                return Ok(bytes);
            }
            let what = "it is not the file that the manifest lists";
            Err(Failed::Content(std::io::Error::new(std::io::ErrorKind::InvalidData, what)))
        })
        .await
    }

    /// The schema of the data that a version was trained on, when one data set is known: whatever lies beyond it,
    /// the model has not seen.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn training_schema(&self, version: &VersionRef) -> Result<Option<Schema>, Failed> {
        let named = version.clone();
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            let found = state.known_version(&named)?;
            let trained_on = state.origin_of(found).map(|origin| origin.trained_on()).unwrap_or_default();
            let [dataset] = trained_on else { return Ok(None) };
            let Some(dataset) = state.dataset(&dataset.version) else { return Ok(None) };
            let (bytes, _) = read_private(&inner.keys, inner.blobs.as_ref(), &dataset.body.schema)?;
            if bytes.len() > DOCUMENT_BYTES {
                return Ok(None);
            }
            let text = String::from_utf8(bytes).map_err(|error| Failed::invalid("stored schema", error))?;
            Ok(Some(Schema::parse(&text)?))
        })
        .await
    }

    /// A private document of a statement, if it was not erased.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read_document(&self, private: &crate::statement::Private) -> Result<Vec<u8>, Failed> {
        let private = private.clone();
        self.blocking(move |inner| Ok(read_private(&inner.keys, inner.blobs.as_ref(), &private)?.0)).await
    }
}
