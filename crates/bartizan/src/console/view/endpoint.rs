//! What the pages of endpoints are told.

use super::{ChangeView, Frame, Paged, Tone, VersionState};

/// How an endpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointStanding {
    /// The version that it is routed to answers.
    Serving,
    /// That version may not answer, and the fallback does.
    OnFallback,
    /// Nobody answers.
    Unanswered,
    /// It is in service, and could not be loaded.
    NotLoaded,
    /// It was taken out of service.
    Disabled,
    /// It was made, and is not routed yet.
    NotRouted,
}

/// What is done with a request beyond what the model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BeyondView {
    /// It is refused.
    Reject,
    /// It is answered and flagged.
    Flag,
}

/// A model version that an endpoint names.
#[derive(Debug, Clone)]
pub(crate) struct RoutedVersion {
    /// The model.
    pub(crate) model: String,
    /// The version.
    pub(crate) version: u64,
    /// Its state now.
    pub(crate) state: VersionState,
}

/// What answers when the primary may not.
#[derive(Debug, Clone)]
pub(crate) enum FallbackView {
    /// Another version.
    Version(RoutedVersion),
    /// The same answer for everything.
    Constant,
    /// Nobody.
    Unavailable,
}

/// The endpoints of a project.
#[derive(Debug, Clone)]
pub(crate) struct EndpointsView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The endpoints, by name.
    pub(crate) endpoints: Paged<EndpointRow>,
}

/// An endpoint in a list.
#[derive(Debug, Clone)]
pub(crate) struct EndpointRow {
    /// Its name.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) standing: EndpointStanding,
    /// What it is routed to; nothing when it is out of service.
    pub(crate) primary: Option<RoutedVersion>,
    /// What answers instead.
    pub(crate) fallback: FallbackView,
    /// Requests in the last minute.
    pub(crate) last_minute: u64,
    /// Requests in the last hour, by how they ended: primary, something else, refused, failed.
    pub(crate) hour: [u64; 4],
    /// The microseconds that 99 of 100 answers of the last hour did not exceed.
    pub(crate) p99: Option<u64>,
}

/// One endpoint with its numbers.
#[derive(Debug, Clone)]
pub(crate) struct EndpointView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The endpoint as lists have it.
    pub(crate) row: EndpointRow,
    /// What is done with requests beyond the training data.
    pub(crate) beyond: BeyondView,
    /// How much of a request is compared with the training data, in words; nothing where nobody serves.
    pub(crate) compared: Option<String>,
    /// The ledger index of its route.
    pub(crate) entry: u64,
    /// When it was routed.
    pub(crate) at: String,
    /// Who routed it.
    pub(crate) by: String,
    /// Its numbers.
    pub(crate) numbers: NumbersView,
    /// What the ledger says of it, newest first.
    pub(crate) changes: Paged<ChangeView>,
    /// Where its numbers come from as they change.
    pub(crate) events: String,
}

/// The numbers of an endpoint at one moment.
#[derive(Debug, Clone)]
pub(crate) struct NumbersView {
    /// That moment, RFC 3339.
    pub(crate) as_of: String,
    /// When the server began to count.
    pub(crate) since: String,
    /// Requests in the last 60 seconds.
    pub(crate) last_minute: u64,
    /// Requests under way.
    pub(crate) under_way: u64,
    /// Requests since the start that were answered although values were unlike those of training.
    pub(crate) flagged: u64,
    /// The last 60 minutes, oldest first.
    pub(crate) minutes: Vec<MinuteView>,
    /// Microseconds that 50, 95 and 99 of 100 answers of the last hour did not exceed.
    pub(crate) latency: [Option<u64>; 3],
    /// What came of requests since the start.
    pub(crate) outcomes: Vec<OutcomeView>,
}

/// One minute of an endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct MinuteView {
    /// When it began, `HH:MM`.
    pub(crate) at: String,
    /// Requests by how they ended: primary, something else, refused, failed.
    pub(crate) classes: [u64; 4],
    /// Microseconds that half of the answers did not exceed.
    pub(crate) p50: Option<u64>,
    /// Microseconds that 99 of 100 answers did not exceed.
    pub(crate) p99: Option<u64>,
    /// How many answers took how long: the end of each bucket in microseconds, and what is in it.
    pub(crate) spread: Vec<(Option<u64>, u64)>,
}

/// What came of requests, and how often.
#[derive(Debug, Clone)]
pub(crate) struct OutcomeView {
    /// A word for machines.
    pub(crate) key: &'static str,
    /// In words.
    pub(crate) label: &'static str,
    /// How good it is.
    pub(crate) tone: Tone,
    /// How often it was.
    pub(crate) count: u64,
}
