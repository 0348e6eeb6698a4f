//! A project in memory whose models are approved, so that they can be loaded.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use bartizan_base::{ManualClock, ProjectId, Timestamp, VersionRef};
use bartizan_gateway::LoadedVersion;
use bartizan_keys::subjects::Subjects;
use bartizan_keys::{FileKeyStore, Keys, OsRandom, Purpose};
use bartizan_registry::statement::Sensitivity;
use bartizan_registry::{
    Caller, Destination, ModelFile, ModelVersion, NewModel, Profile, Quarantine, Registry, Released, Stores,
    create, replay,
};
use bartizan_store::{Db, MemBlobs, MemCas};
use tokio::runtime::Runtime;

pub(crate) struct Shelf {
    runtime: Runtime,
    blobs: MemBlobs,
    registry: Registry,
    admin: Caller,
    _directory: tempfile::TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (blobs, key_blobs) = (MemBlobs::new(), MemBlobs::new());
        let start = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
        let root = FileKeyStore::create(directory.path(), &mut OsRandom).unwrap();
        let project = ProjectId::from_random([7; 16]);
        Keys::create(Arc::new(key_blobs.clone()), Box::new(root), project, &mut OsRandom, start).unwrap();
        let root = FileKeyStore::open(directory.path()).unwrap();
        let keys = Keys::open(Arc::new(key_blobs), Box::new(root)).unwrap();
        let (registry, admin) = runtime.block_on(async {
            let stores = Stores {
                blobs: Arc::new(blobs.clone()),
                ledger: Arc::new(MemBlobs::new()),
                heads: Arc::new(MemCas::new()),
                keys: Arc::new(keys),
                db: Db::create(&directory.path().join("index.db")).await.unwrap(),
                clock: Arc::new(ManualClock::new(start)),
                random: || Box::new(OsRandom),
            };
            let alice =
                Profile { name: "alice".to_owned(), local_user: Some("alice".to_owned()), email: None };
            let (registry, _) = create(stores, alice).await.unwrap();
            let admin = registry.local_caller("alice").await.unwrap();
            (registry, admin)
        });
        Self { runtime, blobs, registry, admin, _directory: directory }
    }

    /// Imports and approves a model of one file.
    pub(crate) fn approve(&self, name: &str, bytes: &[u8]) -> VersionRef {
        self.approve_files(name, &[("model.onnx", bytes)])
    }

    pub(crate) fn approve_files(&self, name: &str, files: &[(&str, &[u8])]) -> VersionRef {
        self.runtime.block_on(async {
            let to = Destination::Model(name.parse().unwrap());
            let permit = self.registry.permit_upload(&self.admin, &to).await.unwrap();
            let mut uploaded = Vec::new();
            for (path, bytes) in files {
                let upload = self.registry.upload(&permit, Cursor::new(bytes.to_vec())).await.unwrap();
                uploaded.push(ModelFile { path: (*path).to_owned(), upload: upload.id });
            }
            let new = NewModel {
                name: name.parse().unwrap(),
                files: uploaded,
                sensitivity: Sensitivity::Normal,
                trained_on: Vec::new(),
                declaration: "made for a test".to_owned(),
                publisher: None,
            };
            let version = self.registry.import_model(&self.admin, new).await.unwrap();
            self.registry.approve(&self.admin, &version).await.unwrap();
            version
        })
    }

    /// The proof that a version may be served, from the ledger as it is now.
    pub(crate) fn released(&self, version: &VersionRef) -> Option<Released<ModelVersion>> {
        let keys = self.registry.keys();
        let snapshot = self.registry.snapshot().unwrap();
        let replayed = replay(&snapshot, keys.signing(Purpose::ProjectRoot).public()).unwrap();
        let state = self.registry.state();
        let body = &state.version(version).unwrap().body;
        let read = |blob| {
            let mut bytes = Vec::new();
            keys.unseal(&self.blobs, blob).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        let (manifest, bundle) = (read(&body.manifest_blob.blob), read(&body.oms_bundle_blob.blob));
        Released::establish(&replayed, version, &manifest, &bundle).ok()
    }

    /// Imports, approves and loads a model of one file.
    pub(crate) fn load(&self, name: &str, bytes: &[u8]) -> Arc<LoadedVersion> {
        let version = self.approve(name, bytes);
        Arc::new(LoadedVersion::load(self.released(&version).unwrap(), bytes).unwrap())
    }

    /// Stops a version; the size of the ledger that says so.
    pub(crate) fn quarantine(&self, version: &VersionRef) -> u64 {
        let order = Quarantine { version: version.clone(), reason: "a test".to_owned() };
        self.runtime.block_on(self.registry.quarantine(&self.admin, &order)).unwrap();
        self.registry.checkpoint().size()
    }

    pub(crate) fn subjects(&self) -> Arc<Subjects> {
        Arc::new(Subjects::new(self.registry.keys()).unwrap())
    }
}
