//! The index as a whole: what is written is read back, and differences are found.

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
use bartizan_store::index::{ApplyFailed, Delta, Head, Snapshot, Tables};
use bartizan_store::{Db, TxError, index};
use expect_test::expect;
use proptest::prelude::*;

use super::{Tried, fresh};

/// Texts that could be mistaken for SQL, sort oddly, or are empty.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c]{1,3}",
        1 => Just(String::new()),
        1 => Just("'); DROP TABLE entries; --".to_owned()),
        1 => "[äß€🦀%_$?1]{1,4}",
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, Just(i64::MAX.unsigned_abs())]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![0..9_999_999_999_i64, Just(i64::MIN), Just(i64::MAX)]
}

fn version() -> impl Strategy<Value = u32> {
    prop_oneof![1..6_u32, Just(u32::MAX)]
}

fn rows<T: std::fmt::Debug>(row: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(row, 0..200)
}

prop_compose! {
    fn access()(
        people in rows((text(), text(), prop::option::of(text()), number())),
        keys in rows((text(), text(), time(), number())),
        signing in rows((text(), text(), text(), number())),
        roles in rows((any::<prop::sample::Index>(), text(), text(), number())),
    ) -> Tables {
        let principals: Vec<Principal> = people.into_iter().map(|(id, status, responsible, since_entry)| {
            let kind = ["person", "service", "workload"][id.len() % 3].to_owned();
            Principal { id, kind, responsible, status, since_entry }
        }).collect();
        let of = |index: &prop::sample::Index| principals.get(index.index(principals.len().max(1)));
        let roles = roles.into_iter().filter_map(|(index, role, granted_by, entry)| {
            Some(Role { principal: of(&index)?.id.clone(), role, granted_by, entry })
        }).collect();
        let api_keys = keys.into_iter().zip(principals.iter().cycle()).map(|((id, status, expires_ms, entry), owner)| {
            ApiKey { id, principal: owner.id.clone(), status, expires_ms, entry }
        }).collect();
        let signing_keys = signing.into_iter().map(|(id, purpose, status, entry)| {
            SigningKey { id, purpose, algorithm: "ed25519".to_owned(), status, entry }
        }).collect();
        Tables { principals, roles, api_keys, signing_keys, ..Tables::default() }
    }
}

prop_compose! {
    fn assets()(
        entries in rows((number(), text(), text(), text(), time())),
        datasets in rows((text(), version(), text(), number(), time())),
        lineage in rows((text(), text(), text(), text(), text(), number())),
        models in rows((text(), version(), text(), text(), number())),
        aliases in rows((any::<prop::sample::Index>(), text(), number())),
        approvals in rows((any::<prop::sample::Index>(), text(), text(), number())),
    ) -> Tables {
        let models: Vec<Model> = models.into_iter().map(|(name, version, manifest, state, entry)| {
            Model { name, version, manifest, state, sensitivity: "low".to_owned(), created_ms: 1, entry, state_entry: entry }
        }).collect();
        let of = |index: &prop::sample::Index| models.get(index.index(models.len().max(1)));
        let aliases = aliases.into_iter().filter_map(|(index, alias, entry)| {
            let model = of(&index)?;
            Some(Alias { model: model.name.clone(), alias, version: model.version, entry })
        }).collect();
        let approvals = approvals.into_iter().filter_map(|(index, approver, covers, entry)| {
            let model = of(&index)?;
            Some(Approval { model: model.name.clone(), version: model.version, approver, covers, entry })
        }).collect();
        let entries = entries.into_iter().map(|(idx, predicate_type, subject, signer, at_ms)| {
            Entry { idx, predicate_type, subject, signer, at_ms }
        }).collect();
        let datasets = datasets.into_iter().map(|(name, version, root, rows, created_ms)| {
            Dataset { name, version, root, rows, parts: 1, outcome: "valid".to_owned(), created_ms, entry: rows }
        }).collect();
        let lineage = lineage.into_iter().map(|(from_kind, from_id, to_kind, to_id, relation, entry)| {
            Edge { from_kind, from_id, to_kind, to_id, relation, entry }
        }).collect();
        Tables { entries, datasets, lineage, models, aliases, approvals, ..Tables::default() }
    }
}

prop_compose! {
    /// Any snapshot: sorted, one row per key.
    fn snapshot()(access in access(), assets in assets(), applied_size in number(), applied_root in text()) -> Snapshot {
        let mut tables = Tables {
            principals: access.principals,
            roles: access.roles,
            api_keys: access.api_keys,
            signing_keys: access.signing_keys,
            ..assets
        };
        tables.sort();
        tables.principals.dedup_by_key(|row| row.key());
        tables.roles.dedup_by_key(|row| row.key());
        tables.api_keys.dedup_by_key(|row| row.key());
        tables.signing_keys.dedup_by_key(|row| row.key());
        tables.entries.dedup_by_key(|row| row.key());
        tables.datasets.dedup_by_key(|row| row.key());
        tables.lineage.dedup_by_key(|row| row.key());
        tables.models.dedup_by_key(|row| row.key());
        tables.aliases.dedup_by_key(|row| row.key());
        tables.approvals.dedup_by_key(|row| row.key());
        Snapshot { head: Head { applied_size, applied_root }, tables }
    }
}

async fn replace(db: &Db, snapshot: &Snapshot) {
    let replaced: Tried<()> = db.tx("replace", async |mut tx| index::replace(&mut tx, snapshot).await).await;
    replaced.unwrap();
}

async fn read(db: &Db) -> Snapshot {
    let read: Tried<Snapshot> = db.read("read", async |mut tx| index::read(&mut tx).await).await;
    read.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was put in comes out, also over an earlier content, and equals itself only.
    #[test]
    fn replace_then_read(first in snapshot(), second in snapshot()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_home, _, db) = fresh().await;
            for snapshot in [&first, &second] {
                replace(&db, snapshot).await;
                let found = read(&db).await;
                prop_assert_eq!(&found, snapshot);
                prop_assert_eq!(found.first_difference(snapshot), None);
            }
            prop_assert_eq!(first.first_difference(&second).is_none(), first == second);
            Ok(())
        })?;
    }

    /// Applying the difference between two snapshots leads from one to the other.
    #[test]
    fn apply_leads_from_one_to_the_other(first in snapshot(), second in snapshot()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_home, _, db) = fresh().await;
            replace(&db, &first).await;
            let delta = Delta {
                from: first.head.clone(),
                to: second.head.clone(),
                put: second.tables.clone(),
                removed: first.tables.clone(),
            };
            db.tx("apply", async |mut tx| index::apply(&mut tx, &delta).await).await.unwrap();
            prop_assert_eq!(read(&db).await, second);
            Ok(())
        })?;
    }
}

fn small() -> Snapshot {
    let alias = |alias: &str, version| Alias {
        model: "fraud".to_owned(),
        alias: alias.to_owned(),
        version,
        entry: 9,
    };
    let model = |version| Model {
        name: "fraud".to_owned(),
        version,
        manifest: "ab".repeat(32),
        state: "candidate".to_owned(),
        sensitivity: "high".to_owned(),
        created_ms: 1_700_000_000_000,
        entry: 3,
        state_entry: 3,
    };
    let tables = Tables {
        models: vec![model(1), model(2)],
        aliases: vec![alias("prod", 1), alias("shadow", 2)],
        ..Tables::default()
    };
    Snapshot { head: Head { applied_size: 10, applied_root: "cd".repeat(32) }, tables }
}

#[tokio::test]
async fn a_change_from_elsewhere_is_refused() {
    let (_home, _, db) = fresh().await;
    replace(&db, &small()).await;
    for from in [Head::default(), Head { applied_root: "ee".repeat(32), ..small().head }] {
        let delta =
            Delta { from: from.clone(), to: Head { applied_size: 11, ..from.clone() }, ..Delta::default() };
        let result = db.tx("apply", async |mut tx| index::apply(&mut tx, &delta).await).await;
        let Err(TxError::Body(ApplyFailed::HeadMoved { present, expected })) = result else {
            panic!("{result:?}")
        };
        assert_eq!((present, expected), (small().head, from));
    }
    assert_eq!(read(&db).await, small());
}

#[tokio::test]
async fn changing_and_removing_rows() {
    let (_home, _, db) = fresh().await;
    replace(&db, &small()).await;
    let mut expected = small();
    expected.head.applied_size = 12;
    expected.tables.models[1].state = "approved".to_owned();
    let gone = expected.tables.aliases.remove(0);
    let delta = Delta {
        from: small().head,
        to: expected.head.clone(),
        put: Tables { models: vec![expected.tables.models[1].clone()], ..Tables::default() },
        // Only the key matters.
        removed: Tables { aliases: vec![Alias { version: 77, ..gone }], ..Tables::default() },
    };
    db.tx("apply", async |mut tx| index::apply(&mut tx, &delta).await).await.unwrap();
    assert_eq!(read(&db).await, expected);
}

#[test]
fn the_first_difference_is_named() {
    let check = |change: &dyn Fn(&mut Snapshot), expected: expect_test::Expect| {
        let mut index = small();
        change(&mut index);
        let difference = index.first_difference(&small());
        let shown = difference.map_or("none".to_owned(), |found| {
            format!("{} {}\nindex: {}\nledger: {}\n", found.table, found.key, found.index, found.ledger)
        });
        expected.assert_eq(&shown);
    };
    check(&|_| {}, expect!["none"]);
    check(&|index| index.tables.aliases.reverse(), expect!["none"]);
    check(
        &|index| index.tables.aliases[0].version = 2,
        expect![[r#"
        aliases fraud/prod
        index: Alias { model: "fraud", alias: "prod", version: 2, entry: 9 }
        ledger: Alias { model: "fraud", alias: "prod", version: 1, entry: 9 }
    "#]],
    );
    check(
        &|index| drop(index.tables.aliases.remove(0)),
        expect![[r#"
        aliases fraud/prod
        index: nothing
        ledger: Alias { model: "fraud", alias: "prod", version: 1, entry: 9 }
    "#]],
    );
    check(
        &|index| index.tables.aliases[1].alias = "stray".to_owned(),
        expect![[r#"
        aliases fraud/shadow
        index: nothing
        ledger: Alias { model: "fraud", alias: "shadow", version: 2, entry: 9 }
    "#]],
    );
    check(
        &|index| index.tables.models[1].manifest.clear(),
        expect![[r#"
        models fraud/2
        index: Model { name: "fraud", version: 2, manifest: "", state: "candidate", sensitivity: "high", created_ms: 1700000000000, entry: 3, state_entry: 3 }
        ledger: Model { name: "fraud", version: 2, manifest: "abababababababababababababababababababababababababababababababab", state: "candidate", sensitivity: "high", created_ms: 1700000000000, entry: 3, state_entry: 3 }
    "#]],
    );
    check(
        &|index| index.head.applied_size = 9,
        expect![[r#"
        head 
        index: Head { applied_size: 9, applied_root: "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" }
        ledger: Head { applied_size: 10, applied_root: "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" }
    "#]],
    );
}
