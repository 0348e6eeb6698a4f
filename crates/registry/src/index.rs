//! The SQL index: rows that follow from the fold, written after it and compared with it. It grants nothing.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::VersionRef;
use bartizan_ledger::SignedCheckpoint;
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
use bartizan_store::index::{self, ApplyFailed, Delta, Difference, Head, Snapshot, Tables};
use bartizan_store::{Db, DbError, TxError};
use serde::Serialize;

use crate::state::{Dataset as DatasetState, Logged, Origin, State, Version};

/// The SQL index of one project.
#[derive(Debug)]
pub struct Index {
    db: Db,
}

/// The index failed, or says something that does not follow from the ledger.
#[derive(Debug, thiserror::Error)]
pub enum IndexFailed {
    /// A row differs from what the ledger says: nothing is served until the index is rebuilt.
    #[error("the index disagrees with the ledger: {0}")]
    Differs(Difference),
    /// The index is ahead of the ledger: the ledger was rolled back, or the index is another project's.
    #[error(
        "the index has followed {index} entries, but the ledger has {ledger}: the ledger is older than what was there"
    )]
    Ahead {
        /// Entries the index has followed.
        index: u64,
        /// Entries in the ledger.
        ledger: u64,
    },
    /// The index moved while it was written to.
    #[error("the index could not be brought up to date")]
    Apply(#[from] ApplyFailed),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<TxError<IndexFailed>> for IndexFailed {
    fn from(failed: TxError<IndexFailed>) -> Self {
        failed.into_body()
    }
}

impl Index {
    /// Wraps an open database.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// The database, for paged lists.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// How far the index has followed the ledger.
    pub(crate) async fn head(&self) -> Result<Head, IndexFailed> {
        Ok(self
            .db
            .read("index head", async |mut tx| Ok::<_, IndexFailed>(index::head::get(&mut tx).await?))
            .await?)
    }

    /// Compares the whole index with the fold at the same tree size.
    pub(crate) async fn compare(&self, state: &State, head: Head) -> Result<(), IndexFailed> {
        let expected = snapshot(state, head);
        let found: Snapshot = self
            .db
            .read("index compare", async |mut tx| Ok::<_, IndexFailed>(index::read(&mut tx).await?))
            .await?;
        match found.first_difference(&expected) {
            None => Ok(()),
            Some(difference) => Err(IndexFailed::Differs(difference)),
        }
    }

    /// Applies what the entries since the index's head changed.
    pub(crate) async fn follow(&self, state: &State, head: &SignedCheckpoint) -> Result<(), IndexFailed> {
        let from = self.head().await?;
        let to = head_of(head);
        if from == to {
            return Ok(());
        }
        if from.applied_size > to.applied_size {
            return Err(IndexFailed::Ahead { index: from.applied_size, ledger: to.applied_size });
        }
        let delta = delta(state, from, to);
        self.db
            .tx("index follow", async |mut tx| Ok::<_, IndexFailed>(index::apply(&mut tx, &delta).await?))
            .await?;
        Ok(())
    }

    /// Throws the index away and makes it anew.
    pub(crate) async fn rebuild(&self, state: &State, head: &SignedCheckpoint) -> Result<(), IndexFailed> {
        let snapshot = snapshot(state, head_of(head));
        self.db
            .tx("index rebuild", async |mut tx| {
                Ok::<_, IndexFailed>(index::replace(&mut tx, &snapshot).await?)
            })
            .await?;
        Ok(())
    }
}

/// The head that the index has after following a checkpoint.
pub(crate) fn head_of(checkpoint: &SignedCheckpoint) -> Head {
    Head { applied_size: checkpoint.size(), applied_root: checkpoint.root().to_hex() }
}

/// Everything that the index should say.
fn snapshot(state: &State, head: Head) -> Snapshot {
    let mut tables = Tables { entries: entries_from(state, 0), ..Tables::default() };
    for (id, principal) in state.principals() {
        tables.principals.push(principal_row(id, principal));
        tables.roles.extend(principal.roles.iter().map(|(role, grant)| Role {
            principal: id.to_string(),
            role: role.to_string(),
            granted_by: grant.by.to_string(),
            entry: grant.entry,
        }));
    }
    tables.api_keys.extend(state.api_keys().iter().map(|(id, key)| api_key_row(id, key)));
    tables.signing_keys.extend(state.keys().iter().map(|(id, grant)| signing_key_row(id, grant)));
    for dataset in state.datasets().values().flat_map(|versions| versions.values()) {
        put_dataset(&mut tables, dataset);
    }
    for (name, model) in state.models() {
        for version in model.versions.values() {
            put_version(&mut tables, state, version);
        }
        tables.aliases.extend(model.aliases.iter().map(|(alias, (version, entry))| Alias {
            model: name.to_string(),
            alias: alias.to_string(),
            version: version.get(),
            entry: *entry,
        }));
    }
    tables.sort();
    Snapshot { head, tables }
}

/// What the entries since `from` changed: their own rows, and the rows of every thing they touched.
fn delta(state: &State, from: Head, to: Head) -> Delta {
    let mut put = Tables { entries: entries_from(state, from.applied_size), ..Tables::default() };
    let mut removed = Tables::default();
    let new = |entry: u64| entry >= from.applied_size;
    for (id, principal) in state.principals() {
        if principal.entries.last().is_some_and(|entry| new(*entry)) {
            put.principals.push(principal_row(id, principal));
        }
        for (role, grant) in principal.roles.iter().filter(|(_, grant)| new(grant.entry)) {
            let (principal, granted_by) = (id.to_string(), grant.by.to_string());
            put.roles.push(Role { principal, role: role.to_string(), granted_by, entry: grant.entry });
        }
    }
    for (entry, principal, role) in state.withdrawn().iter().filter(|(entry, ..)| new(*entry)) {
        let held = state.principals().get(principal).is_some_and(|found| found.roles.contains_key(role));
        if !held {
            let (principal, role) = (principal.to_string(), role.to_string());
            removed.roles.push(Role { principal, role, granted_by: String::new(), entry: *entry });
        }
    }
    put.api_keys.extend(
        state.api_keys().iter().filter(|(_, key)| new(key.entry)).map(|(id, key)| api_key_row(id, key)),
    );
    put.signing_keys.extend(
        state
            .keys()
            .iter()
            .filter(|(_, grant)| grant.entries.last().is_some_and(|entry| new(*entry)))
            .map(|(id, grant)| signing_key_row(id, grant)),
    );
    for dataset in state.datasets().values().flat_map(|versions| versions.values()) {
        if new(dataset.statement.entry) {
            put_dataset(&mut put, dataset);
        }
    }
    for (name, model) in state.models() {
        for version in model.versions.values().filter(|version| new(last_entry(version))) {
            put_version(&mut put, state, version);
        }
        for (alias, (version, entry)) in model.aliases.iter().filter(|(_, (_, entry))| new(*entry)) {
            let (model, alias) = (name.to_string(), alias.to_string());
            put.aliases.push(Alias { model, alias, version: version.get(), entry: *entry });
        }
        for (alias, entry) in model.removed_aliases.iter().filter(|(_, entry)| new(**entry)) {
            let (model, alias) = (name.to_string(), alias.to_string());
            removed.aliases.push(Alias { model, alias, version: 0, entry: *entry });
        }
    }
    Delta { from, to, put, removed }
}

fn entries_from(state: &State, first: u64) -> Vec<Entry> {
    let row = |logged: &Logged| Entry {
        idx: logged.index,
        predicate_type: logged.predicate_type.to_owned(),
        subject: logged.subject.to_hex(),
        signer: logged.signer.to_string(),
        at_ms: logged.at.millis(),
    };
    let skip = usize::try_from(first).unwrap_or(usize::MAX);
    state.logged().iter().skip(skip).map(row).collect()
}

fn principal_row(id: &bartizan_base::PrincipalId, found: &crate::state::Principal) -> Principal {
    Principal {
        id: id.to_string(),
        kind: found.kind.to_string(),
        responsible: found.responsible.map(|person| person.to_string()),
        status: word(&found.standing),
        since_entry: found.entries.last().copied().unwrap_or_default(),
    }
}

fn api_key_row(id: &str, key: &crate::state::ApiKey) -> ApiKey {
    ApiKey {
        id: id.to_owned(),
        principal: key.principal.to_string(),
        status: word(&key.standing),
        expires_ms: key.expires_at.millis(),
        entry: key.entry,
    }
}

fn signing_key_row(id: &bartizan_keys::KeyId, grant: &crate::state::KeyGrant) -> SigningKey {
    SigningKey {
        id: id.to_string(),
        purpose: grant.purpose.to_string(),
        algorithm: grant.algorithm.to_string(),
        status: word(&grant.standing),
        entry: grant.entries.last().copied().unwrap_or_default(),
    }
}

fn put_dataset(tables: &mut Tables, dataset: &DatasetState) {
    let (Some(version), entry) = (dataset.body.version_ref(), dataset.statement.entry) else { return };
    tables.datasets.push(Dataset {
        name: version.name.to_string(),
        version: version.version.get(),
        root: dataset.body.root.to_hex(),
        rows: dataset.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rows)),
        parts: u64::try_from(dataset.parts.len()).unwrap_or(u64::MAX),
        outcome: dataset.body.verdict.outcome.clone(),
        created_ms: dataset.body.act.at.millis(),
        entry,
    });
    if let Some(extended) = &dataset.body.extends {
        tables.lineage.push(edge("dataset", &extended.version, "dataset", &version, "extended-by", entry));
    }
}

fn put_version(tables: &mut Tables, state: &State, version: &Version) {
    let body = &version.body;
    tables.models.push(Model {
        name: body.version.name.to_string(),
        version: body.version.version.get(),
        manifest: body.manifest.to_hex(),
        state: version.state.to_string(),
        sensitivity: word(&body.sensitivity),
        created_ms: body.act.at.millis(),
        entry: version.statement.entry,
        state_entry: version.state_entries.last().copied().unwrap_or(version.statement.entry),
    });
    let trained_on = state.origin_of(version).map(Origin::trained_on).unwrap_or_default();
    // A statement may name a data set twice.
    let trained_on: BTreeSet<&VersionRef> = trained_on.iter().map(|dataset| &dataset.version).collect();
    for dataset in trained_on {
        let entry = version.statement.entry;
        tables.lineage.push(edge("dataset", dataset, "model", &body.version, "trained", entry));
    }
    // One row for each person and what they covered; a later approval of the same replaces an earlier one.
    let mut given = BTreeMap::new();
    for approval in &version.approvals {
        let row = Approval {
            model: body.version.name.to_string(),
            version: body.version.version.get(),
            approver: state.person(approval.body.act.by).to_string(),
            covers: approval.body.covers.evidence.to_hex(),
            entry: approval.statement.entry,
        };
        given.insert((row.approver.clone(), row.covers.clone()), row);
    }
    tables.approvals.extend(given.into_values());
}

fn edge(
    from_kind: &str,
    from: &VersionRef,
    to_kind: &str,
    to: &VersionRef,
    relation: &str,
    entry: u64,
) -> Edge {
    Edge {
        from_kind: from_kind.to_owned(),
        from_id: from.to_string(),
        to_kind: to_kind.to_owned(),
        to_id: to.to_string(),
        relation: relation.to_owned(),
        entry,
    }
}

fn last_entry(version: &Version) -> u64 {
    let approved = version.approvals.last().map(|approval| approval.statement.entry);
    let entries = [Some(version.statement.entry), version.state_entries.last().copied(), approved];
    entries.into_iter().flatten().max().unwrap_or_default()
}

/// The word that a closed list of words is stored as.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
