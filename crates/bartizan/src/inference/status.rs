//! What an endpoint serves at this moment, which may be less than what it is routed to.

use std::time::Duration;

use bartizan_base::Name;
use bartizan_gateway::validate::Compared;
use bartizan_gateway::{Fallback, FallbackReason};
use serde::Serialize;

use super::Gateway;
use super::follow::is_active;

/// What is said of a primary that answers.
pub(super) const ANSWERS: &str = "answers";
/// What is said of a fallback that can answer.
pub(crate) const READY: &str = "ready";

/// How long whoever changed an endpoint waits for that to be so.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const STEP: Duration = Duration::from_millis(5);

/// What can answer under a name now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// The version that is routed to: `answers`, or why it does not; `loading` while what was routed before answers.
    pub(crate) primary: &'static str,
    /// What answers instead: `ready`, `stopped` or `none`.
    pub(crate) fallback: &'static str,
    /// Whether anything answers.
    pub(crate) ready: bool,
    /// How much of a request is compared with what the model was trained on.
    #[serde(skip)]
    pub(crate) comparison: Comparison,
}

/// How much of a request is compared with what the model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// `all`, `some` or `none` of the inputs.
    pub(crate) compared: &'static str,
    /// Which are not, and why.
    pub(crate) not_compared: Vec<String>,
}

impl Comparison {
    /// In a few words.
    pub(crate) fn in_words(&self) -> String {
        match (self.compared, self.not_compared.len()) {
            ("all", _) => "all inputs".to_owned(),
            ("some", 1) => "all inputs but one".to_owned(),
            ("some", missing) => format!("all inputs but {missing}"),
            _ => "no input".to_owned(),
        }
    }
}

impl From<Compared<'_>> for Comparison {
    fn from(compared: Compared<'_>) -> Self {
        let not_compared = match compared {
            Compared::All => Vec::new(),
            Compared::Nothing([]) => {
                vec!["no data set is named that the model was trained on, or more than one".to_owned()]
            }
            Compared::AllBut(inputs) | Compared::Nothing(inputs) => {
                inputs.iter().map(ToString::to_string).collect()
            }
        };
        Self { compared: compared.as_str(), not_compared }
    }
}

impl Gateway {
    /// Waits until an endpoint serves what the ledger says of it, so that whoever changed it is told when that is so; a
    /// little while at most, for a large model takes longer to load. Whether it does.
    pub(crate) async fn obeys(&self, name: &Name) -> bool {
        let obeyed = || {
            let state = self.registry.state();
            let stated = state.endpoints().get(name).filter(|stated| is_active(stated));
            let stated = stated.map(|stated| stated.statement.entry);
            stated == self.endpoint(name).and_then(|endpoint| endpoint.serving().route())
        };
        let until = self.began.elapsed() + PATIENCE;
        loop {
            match obeyed() {
                true => return true,
                false if self.began.elapsed() >= until => return false,
                false => tokio::time::sleep(STEP).await,
            }
        }
    }

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
            Fallback::Version(version) if endpoint.may_infer(version) => READY,
            Fallback::Version(_) => "stopped",
            Fallback::Constant(_) => READY,
            Fallback::Unavailable => "none",
        };
        let comparison = serving.compared().into();
        Some(Status { primary, fallback, ready: endpoint.is_ready(), comparison })
    }
}
