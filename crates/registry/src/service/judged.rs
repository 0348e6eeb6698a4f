//! Who may ask an endpoint for predictions: found out once, and kept for as long as it would be found out again.
//!
//! ```text
//!   key, address, endpoint --digest--> kept? --facts, minute and end of the key as then--> Judged
//!                                        | no
//!                                        v
//!                             admit the key, ask the policy --yes--> keep
//! ```

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{PoisonError, RwLock};

use bartizan_base::{Digest, Hasher, Name, PrincipalId, Timestamp};
use bartizan_policy::api_key::{ApiKey, NotAdmitted};
use bartizan_policy::{Action, Effect, EndpointFacts, Question, op};

use super::{Caller, Failed, Registry};
use crate::limits::JUDGED;
use crate::state::State;

/// That somebody may ask for predictions, and what that rests on.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// Who asks.
    pub principal: PrincipalId,
    /// The digest of the question that was answered with yes.
    pub decision: Digest,
    /// The digest of the policy that answered it.
    pub policy: Digest,
    /// The size of the ledger that it rests on.
    pub tree_size: u64,
}

/// Somebody may not ask for predictions, or is not known.
#[derive(Debug, thiserror::Error)]
pub enum NotJudged {
    /// The API key is not accepted.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The key is, and the policy says no; or it cannot be asked.
    #[error(transparent)]
    Failed(#[from] Failed),
}

/// What was answered with yes, by the digest of who asked for what. Refusals are not kept: each is recorded.
#[derive(Default)]
pub(super) struct Kept(RwLock<HashMap<Digest, Found>>);

/// An answer, and everything that it depends on beside who asked for what.
#[derive(Clone, Copy)]
struct Found {
    /// See [`State::facts`]: of everything in the ledger, this alone decides.
    facts: u64,
    /// The minute that the policy was told.
    minute: Timestamp,
    /// When the key ends.
    ends: Timestamp,
    judged: Judged,
}

impl Registry {
    /// Decides whether whoever presents a key may ask an endpoint for predictions. The digest of what that rests on
    /// goes into the record of each prediction; a refusal is recorded here.
    ///
    /// Nothing is decided by an older ledger than the present one, nor by a key that has ended since.
    ///
    /// # Errors
    /// When the key is not accepted, or its principal may not.
    pub async fn judge_prediction(
        &self,
        presented: &str,
        from: IpAddr,
        endpoint: &Name,
    ) -> Result<Judged, NotJudged> {
        let asked = digest(presented, from, endpoint);
        loop {
            let (state, now) = (self.state(), self.inner.clock.now());
            if let Some(judged) = self.inner.judged.find(&asked, &state, now) {
                return Ok(judged);
            }
            if let Some(found) = self.judge(presented, from, endpoint, &state, now).await? {
                self.inner.judged.keep(asked, found);
                return Ok(found.judged);
            }
        }
    }

    /// Finds it out; `None` when it was no, and became yes before that was recorded.
    async fn judge(
        &self,
        presented: &str,
        from: IpAddr,
        endpoint: &Name,
        state: &State,
        now: Timestamp,
    ) -> Result<Option<Found>, NotJudged> {
        let key = ApiKey::parse(presented)?;
        let admitted = self.admit_in(state, &key, from, now)?;
        let ends = admitted.expires_at();
        let caller = Caller::key(admitted);
        let primary = state.endpoints().get(endpoint).and_then(|found| found.body.primary.clone());
        let target = primary.map(|primary| state.model_facts(&primary.version));
        let facts = EndpointFacts { endpoint: endpoint.clone(), target };
        let context = caller.context(now);
        let minute = context.minute();
        let question = Question {
            principal: state.principal_facts(caller.principal)?,
            project: state.project_facts()?,
            action: Action::EndpointPredict,
            resource: facts.clone().into(),
            context,
        };
        let decision = self.inner.policies.evaluate(&question);
        if decision.effect == Effect::Deny {
            self.allow(&caller, op::EndpointPredict, facts).await.map(|_| ())?;
            return Ok(None);
        }
        let judged = Judged {
            principal: caller.principal,
            decision: decision.input,
            policy: decision.policy,
            tree_size: state.next_index(),
        };
        Ok(Some(Found { facts: state.facts(), minute, ends, judged }))
    }
}

impl Kept {
    /// What was found out before, if it would be found out again.
    fn find(&self, asked: &Digest, state: &State, now: Timestamp) -> Option<Judged> {
        let found = *self.0.read().unwrap_or_else(PoisonError::into_inner).get(asked)?;
        let since = now.millis().checked_sub(found.minute.millis())?;
        let same = found.facts == state.facts() && (0..60_000).contains(&since) && now < found.ends;
        same.then(|| Judged { tree_size: state.next_index(), ..found.judged })
    }

    fn keep(&self, asked: Digest, found: Found) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= JUDGED {
            kept.clear();
        }
        kept.insert(asked, found);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// Who asks for what. The secret of a key is as good as gone in it, as it is in the verifier that is stored.
fn digest(presented: &str, from: IpAddr, endpoint: &Name) -> Digest {
    let from: Ipv6Addr = match from {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let mut hasher = Hasher::new();
    hasher.update(b"bartizan-judged-v1\0");
    hasher.update(&from.octets());
    hasher.update(endpoint.as_str().as_bytes());
    // No name has one.
    hasher.update(b"\0");
    hasher.update(presented.as_bytes());
    hasher.finish()
}
