//! A model version that was released, whose bytes are those of its manifest, and that runs.

use std::sync::Arc;

use bartizan_base::{Digest, VersionRef, sha256};
use bartizan_model::{Model, Signature};
use bartizan_registry::manifest::{Manifest, ManifestFile};
use bartizan_registry::{ModelVersion, Released};

/// The end of the path of a file that is a model.
const MODEL_SUFFIX: &str = ".onnx";

/// A version in memory. The proof that it may be served went into it.
#[derive(Debug)]
pub struct LoadedVersion {
    released: Released<ModelVersion>,
    model: Arc<Model>,
}

/// A version could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailed {
    /// No file of the version is a model, or several are.
    #[error("{version} has {count} files that end with `{MODEL_SUFFIX}`, and one is needed")]
    NoModelFile {
        /// The version.
        version: VersionRef,
        /// How many there are.
        count: usize,
    },
    /// The bytes are not those of the manifest.
    #[error("`{path}` of {version} is not what its manifest says")]
    Content {
        /// The version.
        version: VersionRef,
        /// The file.
        path: String,
    },
    /// The bytes are no model that can be run.
    #[error("{version} cannot be run")]
    Model {
        /// The version.
        version: VersionRef,
        /// Why not.
        #[source]
        source: Box<bartizan_model::LoadFailed>,
    },
}

/// The one file of a manifest that is the model: what to read before [`LoadedVersion::load`].
///
/// # Errors
/// How many there are, when it is not one.
pub fn model_file(manifest: &Manifest) -> Result<&ManifestFile, usize> {
    let mut files = manifest.files().iter().filter(|file| file.path.ends_with(MODEL_SUFFIX));
    match (files.next(), files.count()) {
        (Some(file), 0) => Ok(file),
        (None, _) => Err(0),
        (Some(_), more) => Err(1 + more),
    }
}

impl LoadedVersion {
    /// Loads a released version, given the bytes of its [`model_file`].
    ///
    /// # Errors
    /// When there is no such file, the bytes are not those that the manifest names, or they are no model.
    pub fn load(released: Released<ModelVersion>, bytes: &[u8]) -> Result<Self, LoadFailed> {
        let version = || released.get().version.clone();
        let file = model_file(&released.get().manifest);
        let file = file.map_err(|count| LoadFailed::NoModelFile { version: version(), count })?;
        if u64::try_from(bytes.len()) != Ok(file.size) || sha256(bytes) != file.sha256 {
            return Err(LoadFailed::Content { version: version(), path: file.path.clone() });
        }
        let model = Model::load(bytes);
        let model =
            model.map_err(|source| LoadFailed::Model { version: version(), source: Box::new(source) })?;
        Ok(Self { released, model: Arc::new(model) })
    }

    /// The same model for another release of the same files: nothing is read again. None when the files are others.
    pub fn released_again(&self, released: Released<ModelVersion>) -> Option<Self> {
        let same = released.get().manifest_digest == *self.manifest();
        same.then(|| Self { released, model: Arc::clone(&self.model) })
    }

    /// `NAME:VERSION`.
    pub fn version(&self) -> &VersionRef {
        &self.released.get().version
    }

    /// Its identity.
    pub fn manifest(&self) -> &Digest {
        &self.released.get().manifest_digest
    }

    /// The size of the ledger at which it was released.
    pub fn tree_size(&self) -> u64 {
        self.released.get().tree_size
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Signature {
        self.model.signature()
    }

    /// What runs.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}
