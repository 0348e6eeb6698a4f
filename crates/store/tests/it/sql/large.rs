//! An index with 100,000 rows in every table.

use bartizan_store::index::{
    Snapshot, Tables, aliases, api_keys, approvals, datasets, entries, lineage, models,
};
use bartizan_store::index::{principals, roles, signing_keys};

const ROWS: u32 = 100_000;

pub(super) fn usr(i: u32) -> String {
    format!("usr_{i:032x}")
}

fn model(i: u32) -> (String, u32) {
    // One model with very many versions, and many with ten.
    if i < ROWS / 2 { ("busy".to_owned(), i + 1) } else { (format!("model-{:05}", i / 10), i % 10 + 1) }
}

pub(super) fn large() -> Snapshot {
    let hex = |i: u32| format!("{i:064x}");
    let of = |values: &[&str], i: u32| values[usize::try_from(i).unwrap() % values.len()].to_owned();
    let mut tables = Tables::default();
    for i in 0..ROWS {
        let entry = u64::from(i);
        let at = i64::from(i);
        tables.entries.push(entries::Entry {
            idx: entry,
            predicate_type: of(&["a", "b", "c"], i),
            subject: hex(i / 3),
            signer: hex(i % 5),
            at_ms: at,
        });
        tables.principals.push(principals::Principal {
            id: usr(i),
            kind: of(&["person", "service"], i),
            responsible: (i % 2 == 1).then(|| usr(i % 100 * 2)),
            status: "active".to_owned(),
            since_entry: entry,
        });
        tables.roles.push(roles::Role {
            principal: usr(i / 3),
            role: of(&["admin", "approver", "viewer"], i),
            granted_by: usr(0),
            entry,
        });
        tables.api_keys.push(api_keys::ApiKey {
            id: hex(i),
            principal: usr(i % 10),
            status: "active".to_owned(),
            expires_ms: at,
            entry,
        });
        tables.signing_keys.push(signing_keys::SigningKey {
            id: hex(i),
            purpose: of(&["access", "registry"], i),
            algorithm: "ed25519".to_owned(),
            status: "active".to_owned(),
            entry,
        });
        let (name, version) = model(i);
        tables.datasets.push(datasets::Dataset {
            name: name.clone(),
            version,
            root: hex(i % 1_000),
            rows: 1,
            parts: 1,
            outcome: "valid".to_owned(),
            created_ms: at,
            entry,
        });
        tables.models.push(models::Model {
            name: name.clone(),
            version,
            manifest: hex(i % 1_000),
            state: of(&["candidate", "approved", "retired"], i),
            sensitivity: "low".to_owned(),
            created_ms: at,
            entry,
            state_entry: entry,
        });
        tables.lineage.push(lineage::Edge {
            from_kind: "dataset".to_owned(),
            from_id: hex(i % 7),
            to_kind: "model".to_owned(),
            to_id: hex(i / 1_000),
            relation: format!("r{i:06}"),
            entry,
        });
        // Some versions have many names and approvals, most have one.
        let (name, version) = if i % 1_000 == 0 { ("busy".to_owned(), 7) } else { (name, version) };
        tables.aliases.push(aliases::Alias {
            model: name.clone(),
            alias: format!("a{i:06}"),
            version,
            entry,
        });
        tables.approvals.push(approvals::Approval {
            model: name,
            version,
            approver: usr(i % 4),
            covers: hex(i),
            entry,
        });
    }
    tables.sort();
    Snapshot { tables, ..Snapshot::default() }
}
