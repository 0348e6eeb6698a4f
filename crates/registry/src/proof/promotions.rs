//! Which promotions the rollbacks of an endpoint rest on, so that an excerpt shows them.

use std::collections::BTreeSet;

use bartizan_base::VersionRef;

use crate::statement::{EndpointChange, EndpointV1, Routed};

/// What rollbacks rest on, while statements about an endpoint are gone through from the last to the first.
#[derive(Debug, Default)]
pub(super) struct Promotions {
    missing: BTreeSet<VersionRef>,
    /// What the rollback just seen falls back to: it is so before the rollback, or was promoted.
    fallback: Option<VersionRef>,
}

impl Promotions {
    /// Takes the statement before the one that was taken last.
    pub(super) fn look(&mut self, body: &EndpointV1) {
        let version = |routed: &Option<Routed>| routed.as_ref().map(|routed| routed.version.clone());
        let (primary, fallback) = (version(&body.primary), version(&body.fallback.version));
        let kept = self.fallback.take();
        self.missing.extend(kept.filter(|kept| Some(kept) != fallback.as_ref()));
        match (body.change, primary) {
            (EndpointChange::RolledBack, primary) => {
                self.missing.extend(primary);
                self.fallback = fallback;
            }
            (EndpointChange::Routed, Some(promoted)) => {
                self.missing.remove(&promoted);
            }
            (EndpointChange::Created | EndpointChange::Disabled | EndpointChange::Routed, _) => {}
        }
    }

    /// Whether nothing is missing that a rollback rests on.
    pub(super) fn complete(&self) -> bool {
        self.missing.is_empty() && self.fallback.is_none()
    }
}
