//! How files become a model version: imported with a declaration, or put out by a run.

use std::collections::BTreeSet;

use bartizan_base::{Digest, Name, VersionRef, sha256};
use bartizan_keys::{PublicKey, Purpose, oms};
use bartizan_policy::{ModelFacts, Operation, op};

use super::models::check_text;
use super::uploads::UploadId;
use super::write::Writer;
use super::{Caller, Failed, Inner, Registry};
use crate::limits::{DOCUMENT_BYTES, TRAINED_ON};
use crate::manifest::{Manifest, ManifestFile, manifest_digest};
use crate::state::State;
use crate::statement::{
    Act, DatasetRef, ModelVersionV1, OriginV1, PublisherSignature, Sensitivity, Statement, StatementRef,
};

/// One file of a model that was uploaded.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Its path inside the model.
    pub path: String,
    /// The upload with its content.
    pub upload: UploadId,
}

/// A model that is to be imported.
#[derive(Debug, Clone)]
pub struct NewModel {
    /// The model.
    pub name: Name,
    /// Its files.
    pub files: Vec<ModelFile>,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// The data set versions it was trained on, as far as they are known here.
    pub trained_on: Vec<VersionRef>,
    /// Where it comes from, in words: who trained it, with what, when.
    pub declaration: String,
    /// The publisher's signing bundle and the key that must have made it.
    pub publisher: Option<Publisher>,
}

/// A publisher's signature over a model that is imported.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The OpenSSF Model Signing bundle.
    pub bundle: Vec<u8>,
    /// The key that the importer trusts for this publisher.
    pub key: PublicKey,
}

/// Files that may become a version of a model, and what was decided about that.
pub(super) struct Registrable {
    /// The version.
    pub(super) version: VersionRef,
    /// Its manifest digest.
    pub(super) digest: Digest,
    /// Who makes it one, by which decision.
    pub(super) act: Act,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    sensitivity: Sensitivity,
}

impl Registry {
    /// Imports a model that was trained elsewhere: its files become a manifest, the manifest is signed, and the
    /// importer's declaration of origin stands beside it.
    ///
    /// # Errors
    /// When the caller may not, an upload is missing, the files make no model, or the same model is a version
    /// already. What was uploaded for it is then destroyed.
    pub async fn import_model(&self, caller: &Caller, new: NewModel) -> Result<VersionRef, Failed> {
        let writer = self.writer().await?;
        let (files, taken, missing) = self.take_files(caller, &new.files);
        let imported = match missing {
            Some(failed) => Err(failed),
            None => self.import_files(&writer, caller, &new, files).await,
        };
        if imported.as_ref().is_err_and(|failed| !failed.may_have_happened()) {
            self.discard(taken).await;
        }
        imported
    }

    async fn import_files(
        &self,
        writer: &Writer<'_>,
        caller: &Caller,
        new: &NewModel,
        files: Vec<ManifestFile>,
    ) -> Result<VersionRef, Failed> {
        check_text("declaration", &new.declaration)?;
        let manifest = Manifest::new(files)?;
        let found =
            self.registrable(writer, caller, op::ModelImport, (&new.name, manifest, new.sensitivity)).await?;
        if let Some(publisher) = &new.publisher {
            check_publisher(publisher, &found.manifest)?;
        }
        let trained_on = references(&writer.state(), &new.trained_on)?;
        let declaration = writer.seal_document(new.declaration.clone().into_bytes()).await?;
        let publisher = match &new.publisher {
            Some(publisher) => {
                let bundle = writer.seal_document(publisher.bundle.clone()).await?;
                Some(PublisherSignature { key: publisher.key.id(), bundle })
            }
            None => None,
        };
        let act = found.act.clone();
        let origin = OriginV1 { manifest: found.digest, trained_on, publisher, declaration, act };
        self.register(writer, found, Statement::about(origin)).await
    }

    /// Asks whether the caller may make these files a version of a model.
    pub(super) async fn registrable<O: Operation<Resource = ModelFacts>>(
        &self,
        writer: &Writer<'_>,
        caller: &Caller,
        operation: O,
        (name, manifest, sensitivity): (&Name, Manifest, Sensitivity),
    ) -> Result<Registrable, Failed> {
        let state = writer.state();
        let manifest_bytes = manifest.to_bytes().map_err(|error| Failed::Sign(Box::new(error)))?;
        let digest = manifest_digest(&manifest_bytes);
        let version = VersionRef::new(name.clone(), state.next_version(name));
        let maker = state.person(caller.principal());
        let facts = state.new_model_facts(&version, digest, sensitivity, maker);
        let allowed = writer.allow(caller, operation, facts).await?;
        let act = writer.act(&allowed);
        Ok(Registrable { version, digest, act, manifest, manifest_bytes, sensitivity })
    }

    /// Signs the files and appends their origin and the version, both by the act that was allowed.
    pub(super) async fn register(
        &self,
        writer: &Writer<'_>,
        found: Registrable,
        origin: Statement,
    ) -> Result<VersionRef, Failed> {
        check_new(&writer.state(), &found)?;
        let Registrable { version, digest, act, manifest, manifest_bytes, sensitivity } = found;
        let name = version.name.to_string();
        let signed = self
            .blocking(move |inner| sign_manifest(inner, &name, &manifest).map(|bundle| (bundle, manifest)));
        let ((bundle, oms_root), manifest) = signed.await?;
        let payload = origin.to_bytes().map_err(|error| Failed::Sign(Box::new(error)))?;
        let body = ModelVersionV1 {
            version: version.clone(),
            manifest: digest,
            files: u64::try_from(manifest.files().len()).unwrap_or(u64::MAX),
            bytes: manifest.total_bytes(),
            oms_root,
            oms_bundle: sha256(&bundle),
            manifest_blob: writer.seal_document(manifest_bytes).await?,
            oms_bundle_blob: writer.seal_document(bundle).await?,
            sensitivity,
            origin: StatementRef { entry: writer.state().next_index(), payload: sha256(&payload) },
            act,
        };
        writer.append(vec![origin, Statement::about(body)]).await?;
        Ok(version)
    }
}

/// Checks that the expected key signed exactly these files.
fn check_publisher(publisher: &Publisher, manifest: &Manifest) -> Result<(), Failed> {
    let signed = oms::verify(&publisher.bundle, &publisher.key).map_err(Failed::Publisher)?;
    signed.get().matches(&signed_files(manifest)).map_err(Failed::PublisherFiles)
}

pub(super) fn signed_files(manifest: &Manifest) -> Vec<oms::FileDigest> {
    let digest = |file: &ManifestFile| oms::FileDigest { path: file.path.clone(), digest: file.sha256 };
    manifest.files().iter().map(digest).collect()
}

type SignedBundle = (Vec<u8>, Digest);

fn sign_manifest(inner: &Inner, name: &str, manifest: &Manifest) -> Result<SignedBundle, Failed> {
    let files = signed_files(manifest);
    let key = inner.keys.signing(Purpose::ModelSigning);
    let bundle = oms::sign(name, &files, &[], key).map_err(|error| Failed::Sign(Box::new(error)))?;
    if bundle.len() > DOCUMENT_BYTES {
        return Err(Failed::invalid("model", "its signing bundle would be too large"));
    }
    let root = oms::root(&files).map_err(|error| Failed::Sign(Box::new(error)))?;
    Ok((bundle, root))
}

/// Refuses files that are a version already, that are stopped, or that were sensitive before.
fn check_new(state: &State, found: &Registrable) -> Result<(), Failed> {
    let Registrable { version, digest, sensitivity, .. } = found;
    let (name, digest, sensitivity) = (&version.name, *digest, *sensitivity);
    let what = || format!("model {name}");
    if let Some(same) = same_model(state, name, digest) {
        return Err(Failed::SameFiles { version: same, manifest: digest });
    }
    if let Some(twin) = state.stopped(digest) {
        return Err(Failed::conflict(
            what(),
            format!("these files are {} as {} (manifest {digest})", twin.state, twin.body.version),
        ));
    }
    if sensitivity == Sensitivity::Normal && state.sensitive(name, digest) {
        return Err(Failed::conflict(
            what(),
            "an earlier version, or these very files, are sensitive: make it sensitive too",
        ));
    }
    Ok(())
}

/// The statements that accepted these data set versions.
pub(super) fn references(state: &State, versions: &[VersionRef]) -> Result<Vec<DatasetRef>, Failed> {
    if versions.len() > TRAINED_ON {
        return Err(Failed::invalid("trained on", format!("more than {TRAINED_ON} data set versions")));
    }
    let reference = |version: &VersionRef| {
        let found = state.dataset(version).ok_or_else(|| Failed::not_found("data set version", version))?;
        Ok(DatasetRef { version: version.clone(), root: found.body.root, statement: found.statement })
    };
    // Whatever is named twice is named.
    let mut seen = BTreeSet::new();
    versions.iter().filter(|version| seen.insert(*version)).map(reference).collect()
}

fn same_model(state: &State, name: &Name, manifest: Digest) -> Option<VersionRef> {
    let versions = &state.models().get(name)?.versions;
    versions.values().find(|found| found.body.manifest == manifest).map(|found| found.body.version.clone())
}
