//! What every page is made from: the fold of the ledger and the names of people, at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_base::PrincipalId;
use bartizan_registry::state::{Logged, State, Stop, Version};
use bartizan_registry::{Caller, Profile, statement};

use crate::api::App;
use crate::console;
use crate::console::view::ledger::{EntryRow, HeadView};
use crate::console::view::{DataVerdict, Frame, Paged, Tier, Tone, VersionState};
use crate::failure::Failure;

/// Rows on one page of a list.
pub(super) const PAGE: usize = 50;
/// The type of the statements that record decisions.
pub(super) const DECISION: &str = "https://bartizan.dev/decision/v1";

/// The type of the statements by which a gateway stops what is not what was approved.
pub(super) const INTEGRITY: &str = "https://bartizan.dev/integrity/v1";

/// What a page is made from.
pub(super) struct Scene {
    pub(super) state: Arc<State>,
    names: BTreeMap<PrincipalId, Profile>,
}

impl Scene {
    pub(super) async fn set(app: &App) -> Result<Self, Failure> {
        Ok(Self { names: app.registry.profiles().await?, state: app.registry.state() })
    }

    pub(super) fn frame(&self, app: &App, caller: &Caller) -> Frame {
        let project = self.state.project();
        Frame {
            project: app.registry.keys().project().to_string().chars().take(12).collect(),
            tier: match project.map(|project| project.tier) {
                Some(bartizan_policy::Tier::Explore) => Tier::Explore,
                _ => Tier::Release,
            },
            viewer: Some(self.name(caller.principal())),
            entry_base: Some(format!("{}/", console::LEDGER_PATH)),
        }
    }

    /// A principal's name, or its pseudonym when the name was erased.
    pub(super) fn name(&self, id: PrincipalId) -> String {
        self.names.get(&id).map_or_else(|| id.to_string(), |profile| profile.name.clone())
    }

    /// Who stopped a version: a person, or the gateway that found its stored bytes changed.
    pub(super) fn stopped_by(&self, stop: Stop) -> String {
        match self.logged(stop.entry) {
            Some(logged) if logged.predicate_type == INTEGRITY => "the gateway".to_owned(),
            _ => self.name(stop.by),
        }
    }

    /// When an entry says that it was made.
    pub(super) fn at(&self, entry: u64) -> String {
        self.logged(entry).map(|logged| logged.at.to_string()).unwrap_or_default()
    }

    /// What an entry is about.
    pub(super) fn logged(&self, entry: u64) -> Option<&Logged> {
        usize::try_from(entry).ok().and_then(|at| self.state.logged().get(at))
    }

    /// An entry in a list.
    pub(super) fn entry(&self, logged: &Logged) -> EntryRow {
        let signer = self.state.keys().get(&logged.signer);
        EntryRow {
            index: logged.index,
            kind: kind_of(logged.predicate_type),
            subject: logged.name.clone(),
            signer: signer.map_or_else(
                || "project root key".to_owned(),
                |key| format!("{} key", key.purpose.to_string().replace('-', " ")),
            ),
            at: logged.at.to_string(),
        }
    }

    /// The signed head of the ledger.
    pub(super) fn head(&self, app: &App) -> HeadView {
        let checkpoint = app.registry.checkpoint();
        HeadView {
            size: checkpoint.size(),
            root: checkpoint.root().to_string(),
            origin: checkpoint.origin().to_owned(),
            last_at: checkpoint.size().checked_sub(1).map(|last| self.at(last)).unwrap_or_default(),
            witnesses: checkpoint.cosignatures().iter().map(|signed| signed.witness.clone()).collect(),
            witnessed_at: checkpoint.witnessed_at().map(|at| at.to_string()),
            records: self.state.segments().values().map(|segment| segment.records).sum(),
        }
    }
}

/// What a predicate type states, in a word or two: `https://bartizan.dev/model-version/v1` is a model version.
pub(super) fn kind_of(predicate_type: &str) -> String {
    match predicate_type.rsplit('/').nth(1).unwrap_or(predicate_type) {
        "dataset" => "data set".to_owned(),
        "api-key" => "API key".to_owned(),
        kind => kind.replace('-', " "),
    }
}

pub(super) fn state_of(state: &State, version: &Version) -> VersionState {
    match version.state {
        statement::VersionState::Candidate => VersionState::Candidate,
        statement::VersionState::Approved if state.releasable(version) => VersionState::Approved,
        statement::VersionState::Approved => VersionState::Lapsed,
        statement::VersionState::Retired => VersionState::Retired,
        statement::VersionState::Quarantined => VersionState::Quarantined,
        statement::VersionState::Revoked => VersionState::Revoked,
    }
}

pub(super) fn tone_of(state: VersionState) -> Tone {
    match state {
        VersionState::Approved => Tone::Ok,
        VersionState::Candidate | VersionState::Retired => Tone::Neutral,
        VersionState::Lapsed => Tone::Warn,
        VersionState::Quarantined | VersionState::Revoked => Tone::Bad,
    }
}

pub(super) fn verdict_of(outcome: &str) -> DataVerdict {
    match outcome {
        "valid" => DataVerdict::Valid,
        "invalid" => DataVerdict::Invalid,
        _ => DataVerdict::Error,
    }
}

/// A list that is on one page.
pub(super) fn all<T>(rows: Vec<T>) -> Paged<T> {
    Paged { total: count(rows.len()), rows, first: None, next: None }
}

pub(super) fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
