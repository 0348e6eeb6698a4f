//! Golden samples: what version 1 wrote is read by every later version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bartizan_base::Cas;
use bartizan_store::index::aliases::Alias;
use bartizan_store::index::api_keys::ApiKey;
use bartizan_store::index::approvals::Approval;
use bartizan_store::index::datasets::Dataset;
use bartizan_store::index::entries::Entry;
use bartizan_store::index::lineage::Edge;
use bartizan_store::index::models::Model;
use bartizan_store::index::principals::Principal;
use bartizan_store::index::roles::Role;
use bartizan_store::index::signing_keys::SigningKey;
use bartizan_store::index::{Head, Snapshot, Tables};
use bartizan_store::{ApiAt, DataDir, Db, DirLock, LockFailed, LockInfo, holder, index};

use crate::{get, name, put, texts};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(path)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below a directory, without those that only coordinate processes.
fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(path) = todo.pop() {
        for entry in fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()) {
            let file = entry.file_name().unwrap().to_str().unwrap();
            if entry.is_dir() {
                todo.push(entry);
            } else if !matches!(file, ".lock" | ".swap") {
                files.insert(entry.strip_prefix(dir).unwrap().to_owned(), fs::read(&entry).unwrap());
            }
        }
    }
    files
}

#[test]
fn data_directory_v1() {
    let home = tempfile::tempdir().unwrap();
    let old = home.path().join("old");
    copy(&golden("data-directory/v1"), &old);
    let data = DataDir::open(&old).unwrap();
    let (blob, key) = (format!("0a/{}", "0a".repeat(32)), format!("data/{}", "0b".repeat(32)));
    assert_eq!(get(&data.blobs().unwrap(), &blob).unwrap(), b"ciphertext\n");
    assert_eq!(get(&data.keys().unwrap(), &key).unwrap(), b"wrapped key\n");
    assert_eq!(get(&data.ledger().unwrap(), "tile/0/000").unwrap(), b"tile\n");
    assert_eq!(data.ledger_cas().unwrap().load(&name("head")).unwrap().unwrap(), b"head\n");
    use bartizan_base::Blobs as _;
    assert_eq!(texts(&data.ledger().unwrap().list("", None, 9).unwrap()), ["tile/0/000"]);

    // Its lock file is that of a process which was killed; somebody who does hold it is told apart by it.
    assert_eq!(holder(&old).unwrap(), None);
    let file = fs::File::open(old.join("lock")).unwrap();
    file.lock().unwrap();
    let info = LockInfo {
        pid: 4242,
        kind: "up".parse().unwrap(),
        api: Some(ApiAt { address: "127.0.0.1:7878".parse().unwrap(), secret: None }),
    };
    let LockFailed::Held { holder, .. } = DirLock::acquire(&old, &info).unwrap_err() else {
        panic!("the lock is free")
    };
    assert_eq!(holder.as_ref(), Some(&info));

    // The same content, written today, has the same bytes.
    let new = home.path().join("new");
    let data = DataDir::create(&new).unwrap();
    put(&data.blobs().unwrap(), &blob, b"ciphertext\n").unwrap();
    put(&data.keys().unwrap(), &key, b"wrapped key\n").unwrap();
    put(&data.ledger().unwrap(), "tile/0/000", b"tile\n").unwrap();
    data.ledger_cas().unwrap().swap(&name("head"), None, b"head\n").unwrap();
    let lock = DirLock::acquire(&new, &info).unwrap();
    assert_eq!(content(&new), content(&golden("data-directory/v1")));
    drop(lock);
}

fn expected() -> Snapshot {
    let hex = |byte: &str| byte.repeat(32);
    let (person, service) = (format!("usr_{}", "11".repeat(16)), format!("usr_{}", "22".repeat(16)));
    let at = 1_700_000_000_000;
    let entry = |idx, predicate_type: &str, subject, signer, at_ms| Entry {
        idx,
        predicate_type: predicate_type.to_owned(),
        subject: hex(subject),
        signer: hex(signer),
        at_ms,
    };
    let principal = |id: &String, kind: &str, responsible, status: &str, since_entry| Principal {
        id: id.clone(),
        kind: kind.to_owned(),
        responsible,
        status: status.to_owned(),
        since_entry,
    };
    let tables = Tables {
        entries: vec![
            entry(0, "https://bartizan.dev/role/v1", "01", "a1", at),
            entry(11, "https://slsa.dev/provenance/v1", "02", "a2", at + 11),
        ],
        principals: vec![
            principal(&person, "person", None, "active", 0),
            principal(&service, "service", Some(person.clone()), "suspended", 7),
        ],
        roles: vec![Role {
            principal: person.clone(),
            role: "admin".to_owned(),
            granted_by: person.clone(),
            entry: 0,
        }],
        api_keys: vec![ApiKey {
            id: "k1".to_owned(),
            principal: service,
            status: "active".to_owned(),
            expires_ms: at + 1_000,
            entry: 3,
        }],
        signing_keys: vec![SigningKey {
            id: hex("a1"),
            purpose: "access".to_owned(),
            algorithm: "ecdsa-p256-sha256".to_owned(),
            status: "active".to_owned(),
            entry: 0,
        }],
        datasets: vec![Dataset {
            name: "payments".to_owned(),
            version: 1,
            root: hex("d1"),
            rows: 100_000,
            parts: 2,
            outcome: "valid".to_owned(),
            created_ms: at + 4,
            entry: 4,
        }],
        lineage: vec![Edge {
            from_kind: "dataset".to_owned(),
            from_id: "payments:1".to_owned(),
            to_kind: "model".to_owned(),
            to_id: "fraud:1".to_owned(),
            relation: "trained-on".to_owned(),
            entry: 5,
        }],
        models: vec![Model {
            name: "fraud".to_owned(),
            version: 1,
            manifest: hex("e1"),
            state: "approved".to_owned(),
            sensitivity: "high".to_owned(),
            created_ms: at + 5,
            entry: 5,
            state_entry: 8,
        }],
        aliases: vec![Alias { model: "fraud".to_owned(), alias: "prod".to_owned(), version: 1, entry: 9 }],
        approvals: vec![Approval {
            model: "fraud".to_owned(),
            version: 1,
            approver: person,
            covers: hex("f1"),
            entry: 8,
        }],
    };
    Snapshot { head: Head { applied_size: 12, applied_root: hex("c0") }, tables }
}

/// A file made from the statements of the sample.
async fn load_sample(path: &Path) {
    fs::write(path, b"").unwrap();
    let script = fs::read_to_string(golden("sql-index/v1/index.sql")).unwrap();
    let mut connection = crate::sql::connect(path).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

#[tokio::test]
async fn sql_index_v1() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan.db");
    load_sample(&path).await;
    let db = Db::open(&path).await.unwrap();
    let found = db.read("sample", async |mut tx| index::read(&mut tx).await).await.unwrap();
    assert_eq!(found.first_difference(&expected()), None);
    assert_eq!(found, expected());
}

async fn schema(path: &Path) -> Vec<(String, String)> {
    let mut connection = crate::sql::connect(path).await;
    let query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
}

/// A released migration is never edited: version 1 makes the tables of the sample, word for word.
#[tokio::test]
async fn schema_v1_is_as_released() {
    let home = tempfile::tempdir().unwrap();
    let (sample, fresh) = (home.path().join("sample.db"), home.path().join("fresh.db"));
    load_sample(&sample).await;
    drop(Db::create(&fresh).await.unwrap());
    assert_eq!(schema(&fresh).await, schema(&sample).await);
}
