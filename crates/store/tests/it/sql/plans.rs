//! Lists with 100,000 rows: right, and read from an index.

use std::collections::BTreeSet;

use bartizan_store::index::entries::Which;
use bartizan_store::index::{Tables, aliases, api_keys, approvals, datasets, entries, lineage, models};
use bartizan_store::index::{principals, roles, signing_keys};
use bartizan_store::{Db, DbError, index};

use super::large::{large, usr};
use super::{Tried, fresh};

const LIMIT: u32 = 50;

/// Runs a list: its first page, the page after that, and one from the middle on; each must be answered from an
/// index.
macro_rules! check {
    ($db:expr, $rows:expr, |$tx:ident, $row:ident| $fetch:expr, keep $keep:expr) => {{
        let expected: Vec<_> = $rows.into_iter().filter($keep).collect();
        assert!(expected.len() >= 3, "the list `{}` shows nothing", stringify!($fetch));
        let limit = usize::try_from(LIMIT).unwrap();
        // Every condition of the list must be one of the index.
        let conditions = stringify!($keep).matches("==").count();
        for start in [0, 1, expected.len() / 2, expected.len()] {
            let $row = start.checked_sub(1).map(|last| expected[last].clone());
            let $row = $row.as_ref();
            let answered: Tried<(Vec<_>, Vec<String>)> = $db
                .read("list", async |mut $tx| {
                    $tx.record_plans();
                    let page = $fetch.await?;
                    Ok::<_, DbError>((page, $tx.plans().to_vec()))
                })
                .await;
            let (page, plans) = answered.unwrap();
            let wanted = &expected[start..expected.len().min(start + limit)];
            assert!(page == wanted, "`{}` from {start}: wrong rows", stringify!($fetch));
            plans.iter().for_each(|plan| check_plan(stringify!($fetch), plan, start > 0, conditions));
        }
    }};
}

fn check_plan(list: &str, plan: &str, positioned: bool, conditions: usize) {
    assert!(plan.matches("=?").count() >= conditions, "`{list}` looks at rows that it does not want: {plan}");
    assert!(!plan.contains("TEMP B-TREE"), "`{list}` sorts: {plan}");
    assert!(!positioned || plan.starts_with("SEARCH "), "`{list}` reads from the start: {plan}");
    assert_eq!(plan.lines().count(), 1, "`{list}`: {plan}");
}

fn reversed<T>(rows: &[T], key: impl Fn(&T) -> (u64, String, u32)) -> Vec<T>
where
    T: Clone,
{
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| std::cmp::Reverse(key(row)));
    rows
}

async fn filled() -> (tempfile::TempDir, Db, Tables) {
    let (home, _, db) = fresh().await;
    let all = large();
    let filled: Tried<()> = db.tx("fill", async |mut tx| index::replace(&mut tx, &all).await).await;
    filled.unwrap();
    (home, db, all.tables)
}

#[tokio::test]
async fn every_list_is_read_from_an_index() {
    let (_home, db, all) = filled().await;
    access(&db, &all).await;
    entries_and_lineage(&db, &all).await;
    assets(&db, &all).await;
    releases(&db, &all).await;
}

async fn access(db: &Db, all: &Tables) {
    let people = || all.principals.clone();
    check!(
        db,
        people(),
        |tx, row| principals::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        people(),
        |tx, row| principals::of_person(&mut tx, &usr(6), row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.responsible == Some(usr(6))
    );
    let all_roles = || all.roles.clone();
    check!(
        db,
        all_roles(),
        |tx, row| roles::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        all_roles(),
        |tx, row| roles::of_principal(&mut tx, &usr(5), row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.principal == usr(5)
    );
    check!(
        db,
        all_roles(),
        |tx, row| roles::holders(&mut tx, "approver", row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.role == "approver"
    );
    let keys = || all.api_keys.clone();
    check!(
        db,
        keys(),
        |tx, row| api_keys::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        keys(),
        |tx, row| api_keys::of_principal(&mut tx, &usr(4), row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.principal == usr(4)
    );
    let signing = || all.signing_keys.clone();
    check!(
        db,
        signing(),
        |tx, row| signing_keys::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        signing(),
        |tx, row| signing_keys::of_purpose(&mut tx, "registry", row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.purpose == "registry"
    );
}

async fn entries_and_lineage(db: &Db, all: &Tables) {
    check!(
        db,
        all.entries.clone(),
        |tx, row| entries::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    let newest = || reversed(&all.entries, |row| (row.idx, String::new(), 0));
    check!(
        db,
        newest(),
        |tx, row| entries::latest(&mut tx, Which::All, row.map(|row| row.idx), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        newest(),
        |tx, row| entries::latest(&mut tx, Which::PredicateType("b"), row.map(|row| row.idx), LIMIT),
        keep | row | row.predicate_type == "b"
    );
    let subject = format!("{:064x}", 11);
    check!(
        db,
        newest(),
        |tx, row| entries::latest(&mut tx, Which::Subject(&subject), row.map(|row| row.idx), LIMIT),
        keep | row | row.subject == subject
    );
    let signer = format!("{:064x}", 3);
    check!(
        db,
        newest(),
        |tx, row| entries::latest(&mut tx, Which::Signer(&signer), row.map(|row| row.idx), LIMIT),
        keep | row | row.signer == signer
    );
    let edges = || all.lineage.clone();
    check!(
        db,
        edges(),
        |tx, row| lineage::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    let id = format!("{:064x}", 5);
    check!(
        db,
        edges(),
        |tx, row| lineage::up(&mut tx, "model", &id, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.to_id == id
    );
    check!(
        db,
        edges(),
        |tx, row| lineage::down(&mut tx, "dataset", &id, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.from_id == id
    );
}

async fn assets(db: &Db, all: &Tables) {
    let sets = || all.datasets.clone();
    let root = format!("{:064x}", 8);
    check!(
        db,
        sets(),
        |tx, row| datasets::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        sets(),
        |tx, row| datasets::with_root(&mut tx, &root, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.root == root
    );
    check!(
        db,
        reversed(&all.datasets, |row| (row.version.into(), row.name.clone(), 0)),
        |tx, row| datasets::versions(&mut tx, "busy", row.map(|row| row.version), LIMIT),
        keep | row | row.name == "busy"
    );
    check!(
        db,
        reversed(&all.datasets, |row| (row.entry, row.name.clone(), row.version)),
        |tx, row| datasets::latest(&mut tx, row, LIMIT),
        keep | _ | true
    );
    let mut seen = BTreeSet::new();
    let mut newest: Vec<_> =
        all.datasets.iter().rev().filter(|row| seen.insert(row.name.clone())).cloned().collect();
    newest.reverse();
    check!(
        db,
        newest,
        |tx, row| datasets::newest(&mut tx, row.map(|row| row.name.as_str()), LIMIT),
        keep | _ | true
    );
}

async fn releases(db: &Db, all: &Tables) {
    let mut seen = BTreeSet::new();
    let mut newest: Vec<_> =
        all.models.iter().rev().filter(|row| seen.insert(row.name.clone())).cloned().collect();
    newest.reverse();
    check!(
        db,
        newest,
        |tx, row| models::newest(&mut tx, row.map(|row| row.name.as_str()), LIMIT),
        keep | _ | true
    );
    let versions = || all.models.clone();
    let manifest = format!("{:064x}", 8);
    check!(
        db,
        versions(),
        |tx, row| models::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        versions(),
        |tx, row| models::in_state(&mut tx, "approved", row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.state == "approved"
    );
    check!(
        db,
        versions(),
        |tx, row| models::with_manifest(&mut tx, &manifest, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.manifest == manifest
    );
    check!(
        db,
        reversed(&all.models, |row| (row.version.into(), row.name.clone(), 0)),
        |tx, row| models::versions(&mut tx, "busy", row.map(|row| row.version), LIMIT),
        keep | row | row.name == "busy"
    );
    check!(
        db,
        reversed(&all.models, |row| (row.entry, row.name.clone(), row.version)),
        |tx, row| models::latest(&mut tx, row, LIMIT),
        keep | _ | true
    );
    let aliases_of = || all.aliases.clone();
    check!(
        db,
        aliases_of(),
        |tx, row| aliases::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        aliases_of(),
        |tx, row| aliases::of_model(&mut tx, "busy", row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.model == "busy"
    );
    check!(
        db,
        aliases_of(),
        |tx, row| aliases::of_version(&mut tx, "busy", 7, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.model == "busy" && row.version == 7
    );
    check!(
        db,
        approvals_of(all),
        |tx, row| approvals::list(&mut tx, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | _ | true
    );
    check!(
        db,
        approvals_of(all),
        |tx, row| approvals::of_version(&mut tx, "busy", 7, row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.model == "busy" && row.version == 7
    );
    check!(
        db,
        approvals_of(all),
        |tx, row| approvals::by_approver(&mut tx, &usr(2), row.map(|row| row.key()).as_ref(), LIMIT),
        keep | row | row.approver == usr(2)
    );
}

fn approvals_of(all: &Tables) -> Vec<approvals::Approval> {
    all.approvals.clone()
}
