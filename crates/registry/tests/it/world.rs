//! A project in memory with an SQL index in a temporary directory.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bartizan_base::{ManualClock, ProjectId, Timestamp, VersionRef};
use bartizan_keys::{FileKeyStore, Keys, NoteKey, OsRandom, Purpose, TrustFile};
use bartizan_policy::api_key::{ApiKey, NotAdmitted, Scopes};
use bartizan_policy::{Action, PrincipalKind, Role};
use bartizan_registry::statement::{RoleChange, Sensitivity};
use bartizan_registry::{
    Caller, Destination, Failed, Indexing, KeyClaim, KeyLimits, ModelFile, NewModel, NewPrincipal, Profile,
    Registry, Stores, create, open,
};
use bartizan_store::{Db, DbOptions, FailingBlobs, FailingCas, Faults, MemBlobs, MemCas};

pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) blobs: MemBlobs,
    pub(crate) ledger: MemBlobs,
    pub(crate) heads: MemCas,
    pub(crate) key_blobs: MemBlobs,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Registry,
    pub(crate) admin: Caller,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (blobs, ledger, heads, key_blobs) =
            (MemBlobs::new(), MemBlobs::new(), MemCas::new(), MemBlobs::new());
        let start = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let root = FileKeyStore::create(directory.path(), &mut OsRandom).unwrap();
        let project = ProjectId::from_random([7; 16]);
        Keys::create(Arc::new(key_blobs.clone()), Box::new(root), project, &mut OsRandom, start).unwrap();
        let db = Db::create(&directory.path().join("index.db")).await.unwrap();
        let stores = stores(&directory, &blobs, &ledger, &heads, &key_blobs, &clock, db);
        let (registry, founder) = create(stores, profile("alice", Some("alice"))).await.unwrap();
        let admin = registry.local_caller("alice").await.unwrap();
        assert_eq!(admin.principal(), founder.principal);
        Self { directory, blobs, ledger, heads, key_blobs, clock, registry, admin }
    }

    /// Opens the same project again, as after a restart.
    pub(crate) async fn reopen(&self, rebuild: bool) -> Result<Registry, Failed> {
        let db = Db::open(&self.directory.path().join("index.db")).await.unwrap();
        open(
            stores(&self.directory, &self.blobs, &self.ledger, &self.heads, &self.key_blobs, &self.clock, db),
            if rebuild { Indexing::Rebuild } else { Indexing::Compare },
        )
        .await
    }

    /// Goes on with the same project on another store of documents and content.
    pub(crate) async fn reopen_on(&mut self, blobs: Arc<dyn bartizan_base::Blobs>) {
        let db = Db::open(&self.directory.path().join("index.db")).await.unwrap();
        let mut on =
            stores(&self.directory, &self.blobs, &self.ledger, &self.heads, &self.key_blobs, &self.clock, db);
        on.blobs = blobs;
        self.registry = open(on, Indexing::Compare).await.unwrap();
    }

    /// Opens the same project with an index that waits for no other writer.
    pub(crate) async fn reopen_impatient(&self) -> Registry {
        let options =
            DbOptions { busy_timeout: Duration::from_millis(1), attempts: 1, ..DbOptions::default() };
        let db = Db::open_with(&self.directory.path().join("index.db"), &options).await.unwrap();
        open(
            stores(&self.directory, &self.blobs, &self.ledger, &self.heads, &self.key_blobs, &self.clock, db),
            Indexing::Compare,
        )
        .await
        .unwrap()
    }

    /// Opens the same project on storage that fails as `faults` plans.
    pub(crate) async fn reopen_failing(&self, faults: &Faults) -> Registry {
        let db = Db::open(&self.directory.path().join("index.db")).await.unwrap();
        let mut on =
            stores(&self.directory, &self.blobs, &self.ledger, &self.heads, &self.key_blobs, &self.clock, db);
        on.blobs = Arc::new(FailingBlobs::new(self.blobs.clone(), faults.clone()));
        on.ledger = Arc::new(FailingBlobs::new(self.ledger.clone(), faults.clone()));
        on.heads = Arc::new(FailingCas::new(self.heads.clone(), faults.clone()));
        let root = FileKeyStore::open(self.directory.path()).unwrap();
        let keys = FailingBlobs::new(self.key_blobs.clone(), faults.clone());
        on.keys = Arc::new(Keys::open(Arc::new(keys), Box::new(root)).unwrap());
        open(on, Indexing::Compare).await.unwrap()
    }

    pub(crate) async fn person(&self, name: &str, roles: &[Role]) -> Caller {
        let new = NewPrincipal {
            kind: PrincipalKind::Person,
            responsible: None,
            profile: profile(name, Some(name)),
        };
        let id = self.registry.add_principal(&self.admin, new).await.unwrap();
        for role in roles {
            self.registry.change_role(&self.admin, id, *role, RoleChange::Granted).await.unwrap();
        }
        self.registry.local_caller(name).await.unwrap()
    }

    /// Raises the project to tier release, after adding those who must be there for it.
    pub(crate) async fn release(&self) {
        self.person("second admin", &[Role::Admin]).await;
        self.person("some approver", &[Role::Approver]).await;
        self.registry.raise_tier(&self.admin).await.unwrap();
    }

    pub(crate) async fn import(
        &self,
        caller: &Caller,
        files: &[(&str, &[u8])],
    ) -> Result<VersionRef, Failed> {
        self.import_as(caller, files, Sensitivity::Normal).await
    }

    pub(crate) async fn import_as(
        &self,
        caller: &Caller,
        files: &[(&str, &[u8])],
        sensitivity: Sensitivity,
    ) -> Result<VersionRef, Failed> {
        import_into(&self.registry, caller, files, sensitivity).await
    }

    pub(crate) async fn import_named(
        &self,
        caller: &Caller,
        name: &str,
        files: &[(&str, &[u8])],
    ) -> Result<VersionRef, Failed> {
        import_as_named(&self.registry, caller, name, files, Sensitivity::Normal).await
    }

    /// What a key for everything is good for, for so many days.
    pub(crate) fn limits(&self, days: i64) -> KeyLimits {
        KeyLimits {
            scopes: Scopes::new(Action::ALL.iter().copied()).unwrap(),
            networks: "0.0.0.0/0".parse().unwrap(),
            expires_at: self.registry.now().plus_millis(days * 24 * 60 * 60 * 1000),
        }
    }

    /// What an enrolment key is good for.
    pub(crate) fn enrolment(&self) -> KeyLimits {
        KeyLimits { scopes: Scopes::enrolment(), ..self.limits(7) }
    }

    /// A claim of a key with these scopes, for 30 days.
    pub(crate) fn claim(&self, scopes: &str) -> KeyClaim {
        let KeyLimits { expires_at, networks, .. } = self.limits(30);
        KeyClaim { scopes: Some(scopes.parse().unwrap()), networks: Some(networks), expires_at }
    }

    /// Whoever presents this key from this machine.
    pub(crate) fn with_key(&self, key: &ApiKey) -> Result<Caller, NotAdmitted> {
        self.registry.admit(key, [127, 0, 0, 1].into()).map(Caller::key)
    }

    /// Every byte of the ledger's storage.
    pub(crate) fn ledger_bytes(&self) -> Vec<u8> {
        let names = bartizan_base::Blobs::list(&self.ledger, "", None, 1000).unwrap();
        names.iter().flat_map(|name| bartizan_base::read_all(&self.ledger, name, 1 << 30).unwrap()).collect()
    }

    pub(crate) fn trust(&self) -> TrustFile {
        let keys = self.registry.keys();
        let checkpoint = self.registry.checkpoint();
        let ledger_key = keys.signing(Purpose::LedgerOrigin).public();
        TrustFile {
            origin: checkpoint.origin().to_owned(),
            ledger_key: NoteKey::new(checkpoint.origin(), bartizan_keys::NoteKeyKind::Ed25519, ledger_key)
                .unwrap(),
            witnesses: Vec::new(),
            quorum: 0,
            project: keys.project(),
            project_root: keys.signing(Purpose::ProjectRoot).public().clone(),
            minimum_size: checkpoint.size(),
            minimum_root: checkpoint.root(),
            development: true,
        }
    }
}

pub(crate) async fn import_into(
    registry: &Registry,
    caller: &Caller,
    files: &[(&str, &[u8])],
    sensitivity: Sensitivity,
) -> Result<VersionRef, Failed> {
    import_as_named(registry, caller, "fraud", files, sensitivity).await
}

async fn import_as_named(
    registry: &Registry,
    caller: &Caller,
    name: &str,
    files: &[(&str, &[u8])],
    sensitivity: Sensitivity,
) -> Result<VersionRef, Failed> {
    import_model(registry, caller, name, (files, sensitivity), Vec::new()).await
}

/// Imports `fraud`, trained on a data set version.
pub(crate) async fn import_trained_on(
    registry: &Registry,
    caller: &Caller,
    dataset: &str,
) -> Result<VersionRef, Failed> {
    let files: &[(&str, &[u8])] = &[("m", b"w")];
    let trained_on = vec![dataset.parse().unwrap()];
    import_model(registry, caller, "fraud", (files, Sensitivity::Normal), trained_on).await
}

/// Imports a model of one file, trained on data set versions.
pub(crate) async fn import_made_of(
    world: &World,
    (name, content): (&str, &str),
    trained_on: &[&str],
) -> VersionRef {
    let trained_on = trained_on.iter().map(|version| version.parse().unwrap()).collect();
    let files: &[(&str, &[u8])] = &[("m", content.as_bytes())];
    let imported =
        import_model(&world.registry, &world.admin, name, (files, Sensitivity::Normal), trained_on).await;
    imported.unwrap()
}

async fn import_model(
    registry: &Registry,
    caller: &Caller,
    name: &str,
    (files, sensitivity): (&[(&str, &[u8])], Sensitivity),
    trained_on: Vec<VersionRef>,
) -> Result<VersionRef, Failed> {
    let to = Destination::Model(name.parse().unwrap());
    let permit = registry.permit_upload(caller, &to).await?;
    let mut uploaded = Vec::new();
    for (path, bytes) in files {
        let upload = registry.upload(&permit, Cursor::new(bytes.to_vec())).await?;
        uploaded.push(ModelFile { path: (*path).to_owned(), upload: upload.id });
    }
    let new = NewModel {
        name: name.parse().unwrap(),
        files: uploaded,
        sensitivity,
        trained_on,
        declaration: "trained elsewhere".to_owned(),
        publisher: None,
    };
    registry.import_model(caller, new).await
}

fn stores(
    directory: &tempfile::TempDir,
    blobs: &MemBlobs,
    ledger: &MemBlobs,
    heads: &MemCas,
    key_blobs: &MemBlobs,
    clock: &Arc<ManualClock>,
    db: Db,
) -> Stores {
    let root = FileKeyStore::open(directory.path()).unwrap();
    let keys = Keys::open(Arc::new(key_blobs.clone()), Box::new(root)).unwrap();
    Stores {
        blobs: Arc::new(blobs.clone()),
        ledger: Arc::new(ledger.clone()),
        heads: Arc::new(heads.clone()),
        keys: Arc::new(keys),
        db,
        clock: clock.clone(),
        random: || Box::new(OsRandom),
    }
}

pub(crate) fn profile(name: &str, local_user: Option<&str>) -> Profile {
    Profile { name: name.to_owned(), local_user: local_user.map(str::to_owned), email: None }
}
