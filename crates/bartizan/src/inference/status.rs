//! What an endpoint serves at this moment, which may be less than what it is routed to.

use bartizan_base::Name;
use bartizan_gateway::{Fallback, FallbackReason};
use serde::Serialize;

use super::Gateway;

/// What is said of a primary that answers.
pub(super) const ANSWERS: &str = "answers";

/// What can answer under a name now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// The version that is routed to: `answers`, or why it does not; `loading` while what was routed before answers.
    pub(crate) primary: &'static str,
    /// What answers instead: `ready`, `stopped` or `none`.
    pub(crate) fallback: &'static str,
    /// Whether anything answers.
    pub(crate) ready: bool,
}

impl Gateway {
    /// What an endpoint serves now; none when it is not loaded.
    pub(crate) fn status(&self, name: &Name) -> Option<Status> {
        let endpoint = self.endpoint(name)?;
        let serving = endpoint.serving();
        let state = self.registry.state();
        let routed = state.endpoints().get(name).map(|stated| stated.statement.entry);
        let primary = match serving.primary() {
            _ if routed != serving.route() => "loading",
            Ok(primary) if endpoint.may_infer(primary) => ANSWERS,
            Ok(_) => FallbackReason::Stopped.as_str(),
            Err(why) => why.as_str(),
        };
        let fallback = match serving.fallback() {
            Fallback::Version(version) if endpoint.may_infer(version) => "ready",
            Fallback::Version(_) => "stopped",
            Fallback::Constant(_) => "ready",
            Fallback::Unavailable => "none",
        };
        Some(Status { primary, fallback, ready: endpoint.is_ready() })
    }
}
