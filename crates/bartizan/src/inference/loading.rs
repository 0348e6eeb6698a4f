//! Which endpoints are to be loaded, and when again after a failure: each in a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bartizan_base::Name;
use bartizan_gateway::Fallback;
use bartizan_registry::state::{Endpoint as Stated, State};
use bartizan_registry::statement::Routed;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::Gateway;
use super::follow::{LOOK, is_active, may_be_served};
use crate::catalog::ids;
use crate::failure::Failure;

/// How long after a failure an endpoint is loaded again; twice as long after each further one.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// What an endpoint should serve: its last statement, and which versions of it may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    entry: u64,
    primary: bool,
    fallback: bool,
}

/// What became of the last attempt to load an endpoint.
#[derive(Debug)]
struct Attempt {
    wanted: Wanted,
    stage: Stage,
    /// How often it has failed in a row, and why it did last.
    failures: u32,
    said: Option<String>,
}

#[derive(Debug)]
enum Stage {
    Loading(AbortHandle),
    Loaded,
    Failed { again: Instant },
}

/// The attempts by endpoint.
type Attempts = BTreeMap<Name, Attempt>;
/// Tasks that load: what is lacking in the end, if anything is.
type Loads = JoinSet<Option<Failure>>;

impl Gateway {
    pub(super) async fn keep_loading(self: &Arc<Self>) {
        let (mut loads, mut attempts, mut seen) = (Loads::new(), Attempts::new(), None);
        loop {
            let state = self.registry.state();
            let failing = attempts.values().any(|attempt| matches!(attempt.stage, Stage::Failed { .. }));
            if seen != Some(state.facts()) || failing {
                seen = Some(state.facts());
                self.load_what_is_routed(&state, &mut attempts, &mut loads);
            }
            tokio::select! {
                Some(ended) = loads.join_next_with_id() => note(&mut attempts, ended),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Begins to load endpoints that do not serve what the ledger says.
    fn load_what_is_routed(self: &Arc<Self>, state: &State, attempts: &mut Attempts, loads: &mut Loads) {
        let active = |name: &Name| state.endpoints().get(name).is_some_and(is_active);
        for (_, attempt) in attempts.extract_if(.., |name, _| !active(name)) {
            attempt.give_up();
        }
        for stated in state.endpoints().values().filter(|stated| is_active(stated)) {
            let name = &stated.body.endpoint;
            let wanted = wanted(state, stated);
            let due = match attempts.get(name).filter(|attempt| attempt.wanted == wanted) {
                None => true,
                Some(attempt) => match &attempt.stage {
                    Stage::Loading(_) => false,
                    Stage::Loaded => !self.serves(name, wanted),
                    Stage::Failed { again } => Instant::now() >= *again,
                },
            };
            if !due {
                continue;
            }
            let before = attempts.remove(name);
            let (failures, said) = match &before {
                Some(before) if before.wanted == wanted => (before.failures, before.said.clone()),
                Some(_) | None => (0, None),
            };
            if let Some(before) = before {
                before.give_up();
            }
            let (gateway, stated) = (Arc::clone(self), stated.clone());
            let loading = loads.spawn(async move { gateway.load_endpoint(&stated).await });
            let stage = Stage::Loading(loading);
            attempts.insert(name.clone(), Attempt { wanted, stage, failures, said });
        }
    }

    /// Loads what an endpoint is routed to and serves it; what it lacks, if that is worth another attempt.
    async fn load_endpoint(&self, stated: &Stated) -> Option<Failure> {
        match self.assemble(stated).await {
            Ok((serving, lacks)) => {
                let serving = serving.routed_by(stated.statement.entry);
                self.put(&stated.body.endpoint, serving).err().or(lacks)
            }
            Err(failure) => {
                self.take_away(stated);
                Some(failure)
            }
        }
    }

    /// Whether every version that may answer under a name can.
    fn serves(&self, name: &Name, wanted: Wanted) -> bool {
        self.endpoint(name).is_some_and(|endpoint| {
            let serving = endpoint.serving();
            let primary = serving.primary().is_ok_and(|primary| endpoint.may_infer(primary));
            let fallback = match serving.fallback() {
                Fallback::Version(version) => endpoint.may_infer(version),
                Fallback::Constant(_) | Fallback::Unavailable => false,
            };
            (primary || !wanted.primary) && (fallback || !wanted.fallback)
        })
    }
}

impl Attempt {
    /// Ends a task whose work nobody wants any more.
    fn give_up(self) {
        if let Stage::Loading(loading) = self.stage {
            loading.abort();
        }
    }
}

/// Notes how a task ended, and says in the log what went wrong when that is not the same as before.
fn note(attempts: &mut Attempts, ended: Result<(Id, Option<Failure>), JoinError>) {
    let (id, lacks) = match ended {
        Ok((id, lacks)) => (id, lacks),
        Err(error) => (error.id(), Some(Failure::of(ids::INTERNAL, &error))),
    };
    let is_it = |attempt: &Attempt| matches!(&attempt.stage, Stage::Loading(loading) if loading.id() == id);
    // One that was given up is not there any more.
    let Some((name, attempt)) = attempts.iter_mut().find(|(_, attempt)| is_it(attempt)) else { return };
    let Some(failure) = lacks else {
        attempt.stage = Stage::Loaded;
        (attempt.failures, attempt.said) = (0, None);
        return;
    };
    let said = std::iter::once(&failure.what).chain(&failure.why).cloned().collect::<Vec<_>>().join(": ");
    if attempt.said.as_ref() != Some(&said) {
        tracing::error!(endpoint = %name, id = failure.id, what = failure.what, why = ?failure.why, "an endpoint is not served as it is routed");
    }
    let wait = AGAIN.saturating_mul(1 << attempt.failures.min(6)).min(AGAIN_AT_MOST);
    attempt.stage = Stage::Failed { again: Instant::now() + wait };
    attempt.failures = attempt.failures.saturating_add(1);
    attempt.said = Some(said);
}

fn wanted(state: &State, stated: &Stated) -> Wanted {
    let may =
        |routed: &Option<Routed>| routed.as_ref().is_some_and(|routed| may_be_served(state, &routed.version));
    Wanted {
        entry: stated.statement.entry,
        primary: may(&stated.body.primary),
        fallback: may(&stated.body.fallback.version),
    }
}
