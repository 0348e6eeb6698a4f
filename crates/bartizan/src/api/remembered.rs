//! Decisions that stand for more than one answer.
//!
//! Whoever reads numbers again and again, every few seconds for months, would fill the ledger with the same decision.
//! The answer to a question changes only when the ledger says something new: as long as it does not, one recorded
//! decision stands for the same question by the same key from the same address, for an hour at most.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use bartizan_base::{PrincipalId, Timestamp};
use bartizan_policy::api_key::ApiKeyId;
use bartizan_policy::{ProjectWide, op};
use bartizan_registry::{Caller, Registry};

use crate::failure::Failure;

/// How long a decision stands.
const STANDS_MILLIS: i64 = 60 * 60 * 1000;
/// Decisions that are remembered; beyond that all are forgotten, and asked for again.
const MOST: usize = 1000;

/// Who may see the numbers of this server, as decided before.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<BTreeMap<Asked, Decided>>);

type Asked = (PrincipalId, Option<ApiKeyId>, IpAddr);

#[derive(Debug, Clone, Copy)]
struct Decided {
    /// The last entry that the decision rests on.
    facts: u64,
    at: Timestamp,
}

impl Remembered {
    /// Asks whether the caller may see the numbers; or knows that they may, as long as their key is good.
    ///
    /// # Errors
    /// When they may not.
    pub(crate) async fn may_see_numbers(
        &self,
        registry: &Registry,
        caller: &Caller,
        peer: IpAddr,
    ) -> Result<(), Failure> {
        let asked = (caller.principal(), caller.key_id(), peer);
        // Taken before the question: what comes in between is not known to the answer.
        let now = Decided { facts: registry.state().facts(), at: registry.now() };
        if registry.still_admits(caller) && self.stands(&asked, now) {
            return Ok(());
        }
        registry.ask(caller, op::ModelList, ProjectWide).await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(asked, now);
        Ok(())
    }

    fn stands(&self, asked: &Asked, now: Decided) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(asked).is_some_and(|decided| {
            let age = now.at.millis() - decided.at.millis();
            decided.facts == now.facts && (0..STANDS_MILLIS).contains(&age)
        })
    }
}
