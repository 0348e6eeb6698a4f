//! What the pages of the ledger are told.

use super::{Frame, Paged};

/// Which entries a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What was stated; not the decisions, of which reading makes one each.
    Statements,
    /// Decisions alone.
    Decisions,
    /// All of it.
    All,
}

impl Shown {
    /// Every choice, in the order in which it is offered.
    pub(crate) const ALL: [Self; 3] = [Self::Statements, Self::Decisions, Self::All];

    /// Its word in addresses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Statements => "statements",
            Self::Decisions => "decisions",
            Self::All => "all",
        }
    }
}

/// The entries of a ledger, newest first.
#[derive(Debug, Clone)]
pub(crate) struct LedgerView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// Which entries are shown.
    pub(crate) shown: Shown,
    /// The entries.
    pub(crate) entries: Paged<EntryRow>,
    /// The signed head.
    pub(crate) head: HeadView,
}

/// The signed head of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct HeadView {
    /// Entries in the tree.
    pub(crate) size: u64,
    /// The root of the tree, as its checkpoint has it.
    pub(crate) root: String,
    /// The origin line of the ledger.
    pub(crate) origin: String,
    /// When the last entry says that it was made.
    pub(crate) last_at: String,
    /// The witnesses that cosigned the head, by name.
    pub(crate) witnesses: Vec<String>,
    /// The earliest time that a witness vouches for.
    pub(crate) witnessed_at: Option<String>,
    /// Prediction records in segments that the ledger names.
    pub(crate) records: u64,
}

/// An entry in a list.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    /// Its index.
    pub(crate) index: u64,
    /// What it states, in one or two words.
    pub(crate) kind: String,
    /// The name of its subject.
    pub(crate) subject: String,
    /// What the key that signed it is for.
    pub(crate) signer: String,
    /// When it was made, as its writer's clock asserts.
    pub(crate) at: String,
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct EntryView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The entry as lists have it.
    pub(crate) row: EntryRow,
    /// The predicate type, a URI.
    pub(crate) predicate_type: String,
    /// The digest of its subject.
    pub(crate) subject_digest: String,
    /// The digest of its payload.
    pub(crate) payload_digest: String,
    /// The keys that signed it.
    pub(crate) signers: Vec<String>,
    /// The signed payload, with lines and indents.
    pub(crate) payload: String,
    /// Entries in the ledger.
    pub(crate) size: u64,
}
