//! From a data directory to an open registry, and from nothing to a data directory.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bartizan_base::{Name, ProjectId};
use bartizan_keys::{
    Argon2Cost, FileKeyStore, KeyId, KeyStore, Keys, OsRandom, Passphrase, Purpose, RootKind, SealedKeyStore,
    detect_root_key,
};
use bartizan_registry::{Failed, Founder, IndexFailed, Indexing, Profile, Registry, Stores};
use bartizan_store::{
    DataDir, DataDirOpen, Db, DbOpen, DirLock, LockFailed, LockInfo, SystemClock, VERSION_FILE,
};
use rand_core::Rng as _;

use crate::catalog::ids;
use crate::failure::Failure;
use crate::runner;

/// An open data directory; dropping it lets others in.
pub(crate) struct Opened {
    /// The registry.
    pub(crate) registry: Registry,
    /// The lock that keeps others out.
    pub(crate) lock: DirLock,
}

/// A project that was just made.
pub(crate) struct Made {
    /// The project.
    pub(crate) project: ProjectId,
    /// Its root key.
    pub(crate) root_key: KeyId,
    /// Whether that key is a development key.
    pub(crate) development: bool,
    /// Its first admin.
    pub(crate) founder: Founder,
}

/// Makes a data directory, its keys and its project.
///
/// Everything is made in a directory beside it, which gets its name at the very end: what fails or is interrupted
/// leaves no half project behind. Where an empty directory is already, which may be a mount, it is made inside and
/// moved up at the end, what makes it a data directory last.
pub(crate) async fn init(
    path: &Path,
    passphrase: Option<Passphrase>,
    founder: Profile,
) -> Result<Made, Failure> {
    founder.check()?;
    let (path, inside) = vacant(path)?;
    let mut random = [0; 8];
    OsRandom.fill_bytes(&mut random);
    let name = format!(".bartizan-init-{:016x}", u64::from_le_bytes(random));
    let beside = if inside { path.join(name) } else { path.with_file_name(name) };
    let made = build(&beside, passphrase, founder).await.and_then(|made| {
        let moved = if inside { move_up(&beside, &path) } else { std::fs::rename(&beside, &path) };
        moved.map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                exists(&path)
            }
            _ => Failure::of(ids::STORAGE, &error),
        })?;
        let around = if inside { Some(path.as_path()) } else { path.parent() };
        let synced = around.map_or(Ok(()), |around| std::fs::File::open(around)?.sync_all());
        synced.map_err(|error| Failure::of(ids::STORAGE, &error))?;
        Ok(made)
    });
    if made.is_err() && beside.exists() {
        std::fs::remove_dir_all(&beside).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    }
    made
}

/// Moves what is in a directory into the one around it; `VERSION`, without which it is no data directory, last.
fn move_up(from: &Path, to: &Path) -> std::io::Result<()> {
    let version = std::ffi::OsStr::new(VERSION_FILE);
    for entry in std::fs::read_dir(from)? {
        let name = entry?.file_name();
        if name != version {
            std::fs::rename(from.join(&name), to.join(&name))?;
        }
    }
    std::fs::rename(from.join(version), to.join(version))?;
    std::fs::remove_dir(from)
}

/// The absolute path of a data directory that is to be, and whether an empty directory is there already.
fn vacant(path: &Path) -> Result<(PathBuf, bool), Failure> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    match std::fs::read_dir(&absolute).map(|mut entries| entries.next().is_none()) {
        Ok(true) => match std::fs::canonicalize(&absolute) {
            Ok(real) => Ok((real, true)),
            Err(error) => Err(Failure::of(ids::STORAGE, &error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => match absolute.parent() {
            Some(parent) if parent.is_dir() => Ok((absolute, false)),
            parent => {
                let parent = parent.unwrap_or(&absolute).display();
                let failure = Failure::new(ids::FILE, format!("there is no directory `{parent}`"));
                Err(failure.then(format!("mkdir -p '{parent}'")))
            }
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Failure::of(ids::FILE, &error)),
        Ok(false) | Err(_) => Err(exists(path)),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(ids::EXISTS, format!("`{}` exists already", path.display()))
}

async fn build(path: &Path, passphrase: Option<Passphrase>, founder: Profile) -> Result<Made, Failure> {
    let dir = DataDir::create(path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let lock = lock(path, "init")?;
    let clock = Arc::new(SystemClock);
    let now = bartizan_base::Clock::now(clock.as_ref());
    let root = create_root(&dir, passphrase)?;
    let mut id = [0; 16];
    OsRandom.fill_bytes(&mut id);
    let key_blobs = Arc::new(dir.keys().map_err(|error| Failure::of(ids::STORAGE, &error))?);
    let keys = Keys::create(key_blobs, root, ProjectId::from_random(id), &mut OsRandom, now)
        .map_err(|error| Failure::of(ids::ROOT_KEY, &error))?;
    let db = Db::create(&dir.database()).await.map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let stores = stores(&dir, keys, db.clone(), clock)?;
    let (registry, founder) = bartizan_registry::create(stores, founder).await?;
    let keys = registry.keys();
    let made = Made {
        project: keys.project(),
        root_key: keys.signing(Purpose::ProjectRoot).public().id(),
        development: keys.development(),
        founder,
    };
    drop(registry);
    db.close().await;
    drop(lock);
    Ok(made)
}

/// Opens a data directory for this process alone.
pub(crate) async fn open(
    path: &Path,
    purpose: &str,
    passphrase: Option<Passphrase>,
    indexing: Indexing,
) -> Result<Opened, Failure> {
    let dir = data_dir(path)?;
    let lock = lock(path, purpose)?;
    runner::sweep(path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let root = open_root(&dir, passphrase)?;
    let key_blobs = Arc::new(dir.keys().map_err(|error| Failure::of(ids::STORAGE, &error))?);
    let keys = Keys::open(key_blobs, root).map_err(|error| Failure::of(ids::ROOT_KEY, &error))?;
    let db = open_index(&dir, indexing != Indexing::Compare).await?;
    let registry = bartizan_registry::open(stores(&dir, keys, db, Arc::new(SystemClock))?, indexing).await;
    let registry = registry.map_err(|failed| match failed {
        Failed::Index(IndexFailed::Ahead { .. }) => Failure::from(failed),
        Failed::Index(_) => Failure::from(failed).then("bartizan ledger rebuild"),
        other => Failure::from(other),
    })?;
    Ok(Opened { registry, lock })
}

/// The data directory at a path, of a version that this program knows.
pub(crate) fn data_dir(path: &Path) -> Result<DataDir, Failure> {
    DataDir::open(path).map_err(|error| match &error {
        DataDirOpen::Missing { .. } | DataDirOpen::NotADataDirectory { .. } => {
            let failure = Failure::of(ids::NO_DATA_DIRECTORY, &error);
            match vacant(path) {
                Err(failed) if failed.id == ids::EXISTS => failure.then(format!(
                    "name another directory with --data-dir; if `{}` was one, restore its `{VERSION_FILE}` from a backup",
                    path.display()
                )),
                _ => failure.then(format!("bartizan init --data-dir {}", path.display())),
            }
        }
        DataDirOpen::TooNew { .. } => Failure::of(ids::TOO_NEW, &error),
        DataDirOpen::Io { .. } => Failure::of(ids::STORAGE, &error),
    })
}

/// Refuses a data directory in which somebody else could have written, where what it says decides who is shown an
/// API key: by its lock file, or by `server` in its configuration.
pub(crate) fn own(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let mut failure =
        Failure::new(ids::FOREIGN_DIRECTORY, format!("`{}` may not be yours alone", path.display()));
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
    failure.why.push(format!("it belongs to user {owner} with mode {mode:03o}, and you are user {user}"));
    Err(failure)
}

/// The index; a lost one is made anew when it is to be rebuilt, and an unreadable one is set aside.
async fn open_index(dir: &DataDir, rebuild: bool) -> Result<Db, Failure> {
    let path = dir.database();
    let opened = Db::open(&path).await;
    match opened {
        Ok(db) => Ok(db),
        Err(DbOpen::TooNew { .. }) => Err(opened.err().map_or_else(
            || Failure::new(ids::TOO_NEW, "the index is newer"),
            |error| Failure::of(ids::TOO_NEW, &error),
        )),
        Err(_) if rebuild => {
            for suffix in ["", "-wal", "-shm"] {
                let file = PathBuf::from(format!("{}{suffix}", path.display()));
                if file.exists() {
                    let aside = PathBuf::from(format!("{}.damaged{suffix}", path.display()));
                    std::fs::rename(&file, &aside).map_err(|error| Failure::of(ids::STORAGE, &error))?;
                }
            }
            Db::create(&path).await.map_err(|error| Failure::of(ids::STORAGE, &error))
        }
        Err(error) => Err(Failure::of(ids::INDEX_DIFFERS, &error).then("bartizan ledger rebuild")),
    }
}

fn stores(dir: &DataDir, keys: Keys, db: Db, clock: Arc<SystemClock>) -> Result<Stores, Failure> {
    let storage = |error: bartizan_store::DirOpen| Failure::of(ids::STORAGE, &error);
    Ok(Stores {
        blobs: Arc::new(dir.blobs().map_err(storage)?),
        ledger: Arc::new(dir.ledger().map_err(storage)?),
        heads: Arc::new(dir.ledger_cas().map_err(storage)?),
        keys: Arc::new(keys),
        db,
        clock,
        random: || Box::new(OsRandom),
    })
}

fn lock(path: &Path, purpose: &str) -> Result<DirLock, Failure> {
    let kind: Name = purpose.parse().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
    let info = LockInfo { pid: std::process::id(), kind, api: None };
    DirLock::acquire(path, &info).map_err(|error| match &error {
        LockFailed::Held { .. } => Failure::of(ids::LOCKED, &error),
        LockFailed::Io { .. } => Failure::of(ids::STORAGE, &error),
    })
}

pub(crate) fn keys_path(dir: &DataDir) -> PathBuf {
    dir.path().join("keys")
}

fn create_root(dir: &DataDir, passphrase: Option<Passphrase>) -> Result<Box<dyn KeyStore>, Failure> {
    let path = keys_path(dir);
    let failed = |error| Failure::of(ids::ROOT_KEY, &error);
    Ok(match passphrase {
        None => Box::new(FileKeyStore::create(&path, &mut OsRandom).map_err(failed)?),
        Some(passphrase) => Box::new(
            SealedKeyStore::create(&path, &passphrase, Argon2Cost::DEFAULT, &mut OsRandom).map_err(failed)?,
        ),
    })
}

pub(crate) fn open_root(dir: &DataDir, passphrase: Option<Passphrase>) -> Result<Box<dyn KeyStore>, Failure> {
    let path = keys_path(dir);
    let failed = |error| Failure::of(ids::ROOT_KEY, &error);
    Ok(match (detect_root_key(&path).map_err(failed)?, passphrase) {
        (RootKind::DevelopmentFile, _) => Box::new(FileKeyStore::open(&path).map_err(failed)?),
        (RootKind::SealedFile, Some(passphrase)) => {
            Box::new(SealedKeyStore::open(&path, &passphrase).map_err(failed)?)
        }
        (RootKind::SealedFile, None) => {
            let what = "the root key is sealed with a passphrase, and none was given";
            return Err(Failure::new(ids::ROOT_KEY, what).then("repeat the command with --passphrase-fd FD"));
        }
    })
}
