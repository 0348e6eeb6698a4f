//! Transactions: all or nothing, one writer at a time, run again when another writer is in the way.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bartizan_store::index::{head, principals, principals::Principal};
use bartizan_store::{Db, DbError, DbOptions, TxError};
use sqlx::Connection as _;

use super::{Tried, connect, fresh};

fn person(id: &str) -> Principal {
    Principal {
        id: id.to_owned(),
        kind: "person".to_owned(),
        responsible: None,
        status: "active".to_owned(),
        since_entry: 0,
    }
}

async fn ids(db: &Db) -> Vec<String> {
    let rows: Tried<Vec<Principal>> =
        db.read("ids", async |mut tx| principals::list(&mut tx, None, 100).await).await;
    rows.unwrap().into_iter().map(|row| row.id).collect()
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("not allowed")]
    NotAllowed,
    #[error("storage")]
    Db(#[from] DbError),
}

#[tokio::test]
async fn nothing_stays_of_a_refused_transaction() {
    let (_home, _, db) = fresh().await;
    let result: Result<(), TxError<Refused>> = db
        .tx("refused", async |mut tx| {
            principals::upsert(&mut tx, &person("a")).await?;
            assert!(
                principals::get(&mut tx, &principals::Key::new("a")).await?.is_some(),
                "a transaction sees itself"
            );
            Err(Refused::NotAllowed)
        })
        .await;
    assert!(matches!(result, Err(TxError::Body(Refused::NotAllowed))));
    assert!(ids(&db).await.is_empty());
    db.tx("kept", async |mut tx| principals::upsert(&mut tx, &person("b")).await).await.unwrap();
    assert_eq!(ids(&db).await, ["b"]);
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let (_home, _, db) = fresh().await;
    let stuck = db.tx("dropped", async |mut tx| {
        principals::upsert(&mut tx, &person("a")).await?;
        std::future::pending::<Result<(), DbError>>().await
    });
    tokio::time::timeout(Duration::from_millis(200), stuck).await.expect_err("it never ends");
    db.tx("next", async |mut tx| principals::upsert(&mut tx, &person("b")).await).await.unwrap();
    assert_eq!(ids(&db).await, ["b"]);
}

#[tokio::test]
async fn a_hidden_failure_is_not_committed() {
    let (_home, _, db) = fresh().await;
    let result: Tried<()> = db
        .tx("hidden", async |mut tx| {
            principals::upsert(&mut tx, &person("a")).await?;
            let wrong = Principal { kind: "robot".to_owned(), ..person("b") };
            principals::upsert(&mut tx, &wrong).await.expect_err("no such kind");
            Ok(())
        })
        .await;
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "transaction `hidden` failed");
    assert!(matches!(error, TxError::Db { source: DbError::Constraint(_), .. }));
    assert!(ids(&db).await.is_empty());
}

#[tokio::test]
async fn a_kept_handle_has_ended() {
    let (_home, _, db) = fresh().await;
    let mut kept = db.tx("kept", async |tx| Ok::<_, DbError>(tx)).await.unwrap();
    let error = principals::upsert(&mut kept, &person("late")).await.unwrap_err();
    assert!(matches!(error, DbError::Ended));
    db.tx("next", async |mut tx| principals::upsert(&mut tx, &person("next")).await).await.unwrap();
    assert_eq!(ids(&db).await, ["next"]);
}

#[tokio::test]
async fn readers_do_not_write() {
    let (_home, _, db) = fresh().await;
    let result = db.read("look", async |mut tx| principals::upsert(&mut tx, &person("a")).await).await;
    assert!(matches!(result, Err(TxError::Body(DbError::ReadOnly(_)))), "{result:?}");
}

#[tokio::test]
async fn a_reader_keeps_its_view_beside_a_writer() {
    let (_home, path, db) = fresh().await;
    let other = Db::open(&path).await.unwrap();
    let seen: Tried<(usize, usize)> = db
        .read("view", async |mut tx| {
            let before = principals::list(&mut tx, None, 10).await?.len();
            other.tx("write", async |mut tx| principals::upsert(&mut tx, &person("a")).await).await.unwrap();
            Ok((before, principals::list(&mut tx, None, 10).await?.len()))
        })
        .await;
    assert_eq!(seen.unwrap(), (0, 0));
    assert_eq!(ids(&db).await, ["a"]);
}

fn impatient() -> DbOptions {
    DbOptions { busy_timeout: Duration::from_millis(1), attempts: 3, ..DbOptions::default() }
}

#[tokio::test]
async fn busy_gives_up_after_its_attempts() {
    let (_home, path, db) = fresh().await;
    let other = Db::open_with(&path, &impatient()).await.unwrap();
    let runs = AtomicU32::new(0);
    db.tx("long", async |mut tx| {
        principals::upsert(&mut tx, &person("a")).await?;
        let result: Tried<()> = other
            .tx("short", async |_| {
                runs.fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
            .await;
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "transaction `short` gave up after 3 attempts");
        assert!(matches!(&error, TxError::Busy { name: "short", attempts: 3, source } if source.is_busy()));
        assert!(matches!(error.into_body(), DbError::Busy(_)));
        Ok::<(), DbError>(())
    })
    .await
    .unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 0, "the body does not run before the lock is there");
    other.tx("later", async |mut tx| principals::upsert(&mut tx, &person("b")).await).await.unwrap();
    assert_eq!(ids(&db).await, ["a", "b"]);
}

#[tokio::test]
async fn busy_succeeds_when_the_other_is_done() {
    let (_home, path, db) = fresh().await;
    let options = DbOptions { attempts: 100, ..impatient() };
    let other = Db::open_with(&path, &options).await.unwrap();
    let long = db.tx("long", async |mut tx| {
        principals::upsert(&mut tx, &person("a")).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok::<(), DbError>(())
    });
    let short = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        other.tx("short", async |mut tx| principals::upsert(&mut tx, &person("b")).await).await
    };
    let (long, short) = tokio::join!(long, short);
    long.unwrap();
    short.unwrap();
    assert_eq!(ids(&db).await, ["a", "b"]);
}

/// Without the write-ahead log a reader can meet a writer in the middle of its transaction.
#[tokio::test]
async fn a_body_that_meets_busy_is_run_again() {
    let (_home, path, db) = fresh().await;
    db.close().await;
    let mut other = connect(&path).await;
    // Refused as long as a connection is still being closed.
    loop {
        let query = sqlx::query_scalar("PRAGMA journal_mode = DELETE").fetch_one(&mut other);
        let mode: Result<String, sqlx::Error> = query.await;
        if mode.is_ok_and(|mode| mode == "delete") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other.close().await.unwrap();
    let db = Db::open_with(&path, &DbOptions { read_only: true, attempts: 6, ..impatient() }).await.unwrap();
    let runs = AtomicU32::new(0);
    let look = async |mut tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        // What the body makes of the error does not matter.
        head::get(&mut tx).await.map_err(|_| Refused::NotAllowed)
    };
    let mut blocker = connect(&path).await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut blocker).await.unwrap();
    assert!(matches!(db.read("look", look).await, Err(TxError::Busy { attempts: 6, .. })));
    // An attempt that needs a new connection meets busy before its body starts.
    let met = runs.load(Ordering::Relaxed);
    assert!((2..=6).contains(&met), "the body ran {met} times");
    sqlx::raw_sql("ROLLBACK").execute(&mut blocker).await.unwrap();
    db.read("look", look).await.unwrap();
}

/// Four handles, two of them of one process-wide pool, add to one counter.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_addition_is_lost() {
    let (_home, path, db) = fresh().await;
    let second = Db::open(&path).await.unwrap();
    db.tx("start", async |mut tx| principals::upsert(&mut tx, &person("counter")).await).await.unwrap();
    let mut workers = Vec::new();
    let key = principals::Key::new("counter");
    for db in [db.clone(), db.clone(), second.clone(), second] {
        let key = key.clone();
        #[expect(clippy::disallowed_methods, reason = "shows that transactions may move between threads")]
        workers.push(tokio::spawn(async move {
            for _ in 0..25 {
                let added: Tried<()> = db
                    .tx("add", async |mut tx| {
                        let row = principals::get(&mut tx, &key).await?.unwrap();
                        principals::upsert(&mut tx, &Principal { since_entry: row.since_entry + 1, ..row })
                            .await
                    })
                    .await;
                added.unwrap();
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let row: Tried<Option<Principal>> =
        db.read("total", async |mut tx| principals::get(&mut tx, &key).await).await;
    assert_eq!(row.unwrap().unwrap().since_entry, 100);
}

#[tokio::test]
async fn a_closed_database_says_so() {
    let (_home, _, db) = fresh().await;
    db.close().await;
    let result = db.read("after", async |mut tx| head::get(&mut tx).await).await;
    assert!(matches!(result, Err(TxError::Db { source: DbError::Other(_), .. })));
}
