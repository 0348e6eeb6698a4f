//! What goes wrong with the file is told apart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bartizan_store::index::{Snapshot, Tables, entries, entries::Entry, head, models, principals};
use bartizan_store::{Db, DbError, DbOpen, DbOptions, TxError, index};

use super::{Tried, fresh, tamper};

#[tokio::test]
async fn made_for_its_owner_and_only_once() {
    let (_home, path, db) = fresh().await;
    db.tx("write", async |mut tx| index::replace(&mut tx, &Snapshot::default()).await).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", path.display());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let error = Db::create(&path).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` exists already", path.display()));
}

#[tokio::test]
async fn missing_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("none.db");
    let error = Db::open(&path).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no database `{}`", path.display()));
    assert!(!path.exists());
    let nowhere = home.path().join("no/where.db");
    assert!(matches!(Db::create(&nowhere).await, Err(DbOpen::Db { source: DbError::Denied(_), .. })));
    assert!(matches!(Db::open(home.path()).await, Err(DbOpen::Db { source: DbError::Denied(_), .. })));
}

/// SQLite takes a name that begins with `file:` for a URI: `file:a/b` would be `a/b`, another file.
#[tokio::test]
async fn a_path_is_a_path_and_no_uri() {
    let home = tempfile::Builder::new().prefix("file:").tempdir_in(".").unwrap();
    let relative = Path::new(home.path().file_name().unwrap()).join("bartizan.db");
    let db = Db::create(&relative).await.unwrap();
    db.tx("write", async |mut tx| index::replace(&mut tx, &Snapshot::default()).await).await.unwrap();
    db.close().await;
    assert!(fs::metadata(&relative).unwrap().len() > 0);
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan.db");
    fs::write(&path, b"").unwrap();
    for _ in 0..2 {
        let db = Db::open(&path).await.unwrap();
        let head: Tried<index::Head> = db.read("head", async |mut tx| head::get(&mut tx).await).await;
        assert_eq!(head.unwrap(), index::Head::default());
        db.close().await;
    }
}

#[tokio::test]
async fn another_file_is_damaged() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan.db");
    fs::write(&path, "this is no database, but it is long enough to be one".repeat(100)).unwrap();
    let error = Db::open(&path).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot open the database `{}`", path.display()));
    assert!(matches!(error, DbOpen::Db { source: DbError::Corrupt(_), .. }), "{error:?}");
}

fn many_entries() -> Snapshot {
    let entry = |idx| Entry {
        idx,
        predicate_type: "type".to_owned(),
        subject: format!("{idx:064x}"),
        signer: format!("{:064x}", idx % 3),
        at_ms: 0,
    };
    Snapshot {
        tables: Tables { entries: (0..2_000).map(entry).collect(), ..Tables::default() },
        ..Snapshot::default()
    }
}

#[tokio::test]
async fn a_damaged_page_is_found_when_read() {
    let (_home, path, db) = fresh().await;
    let all = many_entries();
    db.tx("fill", async |mut tx| index::replace(&mut tx, &all).await).await.unwrap();
    db.close().await;
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 200_000, "everything is in the file after closing");
    // The second half of the file: rows, not the schema.
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let db = Db::open(&path).await.unwrap();
    let read: Tried<Snapshot> = db.read("all", async |mut tx| index::read(&mut tx).await).await;
    let Err(TxError::Body(error)) = read else { panic!("read damaged pages") };
    assert!(matches!(error, DbError::Corrupt(_)), "{error:?}");
    assert_eq!(error.to_string(), "the database is damaged");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_home, path, db) = fresh().await;
    db.close().await;
    tamper(&path, "INSERT INTO schema_history VALUES (7, 'from the future')").await;
    let error = Db::open(&path).await.unwrap_err();
    let expected = "has schema version 7, but this program knows versions up to 1";
    assert_eq!(error.to_string(), format!("`{}` {expected}", path.display()));
    assert!(matches!(error, DbOpen::TooNew { found: 7, supported: 1, .. }));
}

#[tokio::test]
async fn a_failing_migration_leaves_the_tables_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan.db");
    fs::write(&path, b"").unwrap();
    // In the way of the last table that the migration makes.
    tamper(&path, "CREATE TABLE approvals (mine TEXT); INSERT INTO approvals VALUES ('kept')").await;
    let error = Db::open(&path).await.unwrap_err();
    let expected = format!("cannot bring `{}` to schema version 1 (index of the ledger)", path.display());
    assert_eq!(error.to_string(), expected);
    tamper(&path, "DROP TABLE approvals").await;
    Db::open(&path).await.expect("nothing of the failed migration is left");
}

#[tokio::test]
async fn read_only_does_not_write() {
    let (_home, path, db) = fresh().await;
    let options = DbOptions { read_only: true, ..DbOptions::default() };
    let reader = Db::open_with(&path, &options).await.unwrap();
    let written =
        reader.tx("write", async |mut tx| index::replace(&mut tx, &Snapshot::default()).await).await;
    let source = match written.unwrap_err() {
        TxError::Db { source, .. } | TxError::Body(source) | TxError::Busy { source, .. } => source,
    };
    assert!(matches!(source, DbError::ReadOnly(_)), "{source:?}");
    reader.read("read", async |mut tx| index::read(&mut tx).await).await.unwrap();
    drop(db);

    let old = path.with_file_name("old.db");
    fs::write(&old, b"").unwrap();
    assert!(matches!(
        Db::open_with(&old, &options).await,
        Err(DbOpen::TooOld { found: 0, supported: 1, .. })
    ));
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_half_done() {
    let (_home, path, db) = fresh().await;
    let few = Snapshot {
        tables: Tables { entries: many_entries().tables.entries[..10].to_vec(), ..Tables::default() },
        ..Snapshot::default()
    };
    db.tx("few", async |mut tx| index::replace(&mut tx, &few).await).await.unwrap();
    let options = DbOptions { max_bytes: Some(200 * 1024), ..DbOptions::default() };
    let small = Db::open_with(&path, &options).await.unwrap();
    let all = many_entries();
    let result = small.tx("fill", async |mut tx| index::replace(&mut tx, &all).await).await;
    let Err(TxError::Body(error)) = result else { panic!("{result:?}") };
    assert!(matches!(error, DbError::Full(_)), "{error:?}");
    assert_eq!(error.to_string(), "there is no space left for the database");
    let left: Tried<Snapshot> = small.read("left", async |mut tx| index::read(&mut tx).await).await;
    assert_eq!(left.unwrap(), few);
}

#[tokio::test]
async fn references_are_checked() {
    let (_home, _, db) = fresh().await;
    let role = index::roles::Role {
        principal: "usr_none".to_owned(),
        role: "admin".to_owned(),
        granted_by: "usr_none".to_owned(),
        entry: 1,
    };
    let orphan: Tried<()> = db.tx("orphan", async |mut tx| index::roles::upsert(&mut tx, &role).await).await;
    assert!(matches!(orphan, Err(TxError::Db { source: DbError::Constraint(_), .. })));
    // At commit, not before: the order within a transaction does not matter.
    let person = principals::Principal {
        id: "usr_none".to_owned(),
        kind: "person".to_owned(),
        responsible: None,
        status: "active".to_owned(),
        since_entry: 0,
    };
    let both: Tried<()> = db
        .tx("both", async |mut tx| {
            index::roles::upsert(&mut tx, &role).await?;
            principals::upsert(&mut tx, &person).await
        })
        .await;
    both.unwrap();
}

#[tokio::test]
async fn numbers_and_types_are_checked() {
    let (_home, path, db) = fresh().await;
    let entry = Entry { idx: u64::MAX, ..many_entries().tables.entries[0].clone() };
    let result: Tried<()> = db.tx("huge", async |mut tx| entries::upsert(&mut tx, &entry).await).await;
    let Err(TxError::Body(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.to_string(), "`18446744073709551615` is too large for the database");

    // A version that no program of ours writes.
    tamper(&path, "INSERT INTO models VALUES ('m', 5000000000, 'd', 'candidate', 'low', 0, 0, 0)").await;
    let result: Tried<Vec<models::Model>> =
        db.read("models", async |mut tx| models::list(&mut tx, None, 9).await).await;
    let Err(TxError::Body(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.to_string(), "column 1 of a row of `models` holds an unexpected value");
}
