//! What the first page is told.

use super::endpoint::EndpointRow;
use super::ledger::HeadView;
use super::{ChangeView, Frame, Paged, Tone};

/// What is served now, and what needs attention.
#[derive(Debug, Clone)]
pub(crate) struct OverviewView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The first endpoints, those first that need attention.
    pub(crate) endpoints: Paged<EndpointRow>,
    /// How many endpoints in service do not answer with the version they are routed to.
    pub(crate) not_serving: u64,
    /// What somebody should look at, the worst first.
    pub(crate) attention: Paged<AttentionView>,
    /// Models and their versions, counted.
    pub(crate) models: ModelCounts,
    /// Data sets, counted, when the viewer may see them.
    pub(crate) data_sets: Option<DataCounts>,
    /// The ledger, when the viewer may see it.
    pub(crate) ledger: Option<LedgerPart>,
}

/// The ledger as far as the first page shows it.
#[derive(Debug, Clone)]
pub(crate) struct LedgerPart {
    /// The signed head.
    pub(crate) head: HeadView,
    /// The newest statements, in words.
    pub(crate) changes: Vec<ChangeView>,
}

/// Models and their versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelCounts {
    /// Models.
    pub(crate) models: u64,
    /// Their versions.
    pub(crate) versions: u64,
    /// Those that were approved and not stopped.
    pub(crate) approved: u64,
    /// Those that nobody approved.
    pub(crate) candidates: u64,
    /// Those in quarantine.
    pub(crate) quarantined: u64,
}

/// Data sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataCounts {
    /// Data sets.
    pub(crate) data_sets: u64,
    /// Their versions.
    pub(crate) versions: u64,
    /// Deliveries that were refused and not made good since.
    pub(crate) refused: u64,
}

/// Something that somebody should look at.
#[derive(Debug, Clone)]
pub(crate) struct AttentionView {
    /// How bad it is.
    pub(crate) tone: Tone,
    /// What it is about.
    pub(crate) subject: String,
    /// What is the matter, continuing the subject.
    pub(crate) what: &'static str,
    /// More about it.
    pub(crate) detail: String,
    /// Where it is shown.
    pub(crate) href: Option<String>,
    /// The command that mends it, or tells more.
    pub(crate) command: String,
}
