//! What the pages are told: plain values, already resolved, authorised and limited by the caller.
//!
//! Texts may be anything, also hostile; the pages escape them. Times are RFC 3339, digests as they are to be
//! shown (for example `sha256:9f41…`, never shortened), hrefs begin with `/` or `?` and are dropped otherwise.

pub(crate) mod assets;
pub(crate) mod endpoint;
pub(crate) mod ledger;
pub(crate) mod lineage;
pub(crate) mod overview;

/// What every page of a project shows around its content.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The project, by name or id.
    pub(crate) project: String,
    /// How much separation of duties the project demands.
    pub(crate) tier: Tier,
    /// Who is looking, when somebody signed in.
    pub(crate) viewer: Option<String>,
    /// What comes before an entry's index in the address that shows it, for example `/api/v1/ledger/entries/`;
    /// without it entries are named, not linked.
    pub(crate) entry_base: Option<String>,
}

/// How much separation of duties a project demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// One person may do everything.
    Explore,
    /// Duties are separated.
    Release,
}

/// The state of a model version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionState {
    /// Registered, not approved.
    Candidate,
    /// May be served.
    Approved,
    /// Approved once; its approvals do not count any more, or its files are stopped under another name.
    Lapsed,
    /// Taken out of use; may be approved again.
    Retired,
    /// Stopped; back only by the approval of somebody else.
    Quarantined,
    /// Stopped for ever.
    Revoked,
}

/// What checking a model's signature gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureCheck {
    /// It was verified for this page.
    Verified,
    /// It is missing or does not verify.
    Failed,
    /// It was not checked for this page.
    NotChecked,
}

/// How much harm a wrong prediction can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensitivity {
    /// One approval is enough.
    Normal,
    /// Two approvals are needed in tier `release`.
    Sensitive,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub(crate) struct Paged<T> {
    /// The rows of this page, in the order to be shown.
    pub(crate) rows: Vec<T>,
    /// How many rows there are on all pages.
    pub(crate) total: u64,
    /// Where the first page is; absent when this is the first.
    pub(crate) first: Option<String>,
    /// Where the next page is; absent when this is the last.
    pub(crate) next: Option<String>,
}

/// One model version with its chain of evidence.
#[derive(Debug, Clone)]
pub(crate) struct ModelVersionView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The model's name.
    pub(crate) model: String,
    /// The version, from 1.
    pub(crate) version: u64,
    /// Its state now.
    pub(crate) state: VersionState,
    /// Whether its signature verifies.
    pub(crate) signature: SignatureCheck,
    /// The manifest digest, which identifies the model.
    pub(crate) manifest: String,
    /// The ledger index of the statement that registered the version.
    pub(crate) entry: u64,
    /// The aliases that name it, without `@`.
    pub(crate) aliases: Vec<String>,
    /// Who approved it, for as long as the approval counts.
    pub(crate) approved_by: Vec<String>,
    /// How many different people must approve it.
    pub(crate) approvals_needed: u64,
    /// Why it was stopped; present when it is quarantined or revoked.
    pub(crate) stop: Option<StopView>,
    /// Files in the manifest.
    pub(crate) files: u64,
    /// Bytes of those files together.
    pub(crate) bytes: u64,
    /// How much harm a wrong prediction can do.
    pub(crate) sensitivity: Sensitivity,
    /// The ledger that the page was read from.
    pub(crate) tree: TreeView,
    /// The way from the data to the state.
    pub(crate) chain: ChainView,
    /// The data set versions it was trained on, as far as somebody named them.
    pub(crate) data_sets: Paged<DataSetRow>,
    /// Versions of the same model, newest first.
    pub(crate) versions: Paged<VersionRow>,
    /// Ledger entries about this version, newest first.
    pub(crate) changes: Paged<ChangeView>,
    /// Where the proof file can be fetched.
    pub(crate) proof_href: Option<String>,
}

/// A quarantine or revocation that is in force.
#[derive(Debug, Clone)]
pub(crate) struct StopView {
    /// Why, in the words of whoever did it; absent when none were given or they were erased.
    pub(crate) reason: Option<String>,
    /// Who did it.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// The ledger index of the statement.
    pub(crate) entry: u64,
}

/// The signed head of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct TreeView {
    /// Entries in the tree.
    pub(crate) size: u64,
    /// The witnesses that cosigned it, by name; empty when it is self-attested.
    pub(crate) witnesses: Vec<String>,
    /// The earliest time that a witness vouches for.
    pub(crate) witnessed_at: Option<String>,
    /// Whether the project's root key is held in the unprotected development store.
    pub(crate) development_keys: bool,
}

/// The chain of evidence; a step without links is shown as missing.
#[derive(Debug, Clone)]
pub(crate) struct ChainView {
    /// Where the parts of the data came from.
    pub(crate) sources: ChainStep,
    /// What checking the data gave.
    pub(crate) checks: ChainStep,
    /// The statement of the model's origin.
    pub(crate) origin: ChainStep,
    /// Manifest and model signature.
    pub(crate) signature: ChainStep,
    /// The registration of the version.
    pub(crate) version: ChainStep,
    /// The approvals.
    pub(crate) approvals: ChainStep,
    /// The state that follows.
    pub(crate) state: ChainStep,
}

/// One step of the chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChainStep {
    /// One or two words for the overview, for example `3 parts` or `valid`; ignored when there are no links.
    pub(crate) summary: String,
    /// The statements that make the step, in order of the ledger.
    pub(crate) links: Vec<ChainLink>,
}

/// One statement in a step.
#[derive(Debug, Clone)]
pub(crate) struct ChainLink {
    /// What it says, for example `transactions:2 is valid`.
    pub(crate) title: String,
    /// The rest of what it says, for example counts.
    pub(crate) detail: Option<String>,
    /// Whether the chain holds here.
    pub(crate) tone: Tone,
    /// The ledger index of the statement.
    pub(crate) entry: Option<u64>,
    /// When, as its writer's clock asserts.
    pub(crate) at: Option<String>,
    /// Who acted.
    pub(crate) by: Option<String>,
    /// The digests that tie it to its neighbours.
    pub(crate) digests: Vec<DigestView>,
    /// Who vouches for what.
    pub(crate) marks: Vec<Mark>,
}

/// A digest and what it is of.
#[derive(Debug, Clone)]
pub(crate) struct DigestView {
    /// What it is of, in one or two words.
    pub(crate) of: String,
    /// The digest, whole.
    pub(crate) digest: String,
}

/// Who vouches for a fact.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// Bytes, signatures and order prove it.
    Proven {
        /// What is proven, continuing "proven:".
        what: String,
    },
    /// Somebody says so.
    Asserted {
        /// Who.
        by: String,
        /// What is asserted, continuing "asserted by … :".
        what: String,
    },
}

/// How good a fact is for those who rely on the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// Neither good nor bad.
    Neutral,
    /// Good.
    Ok,
    /// Worth a look.
    Warn,
    /// Bad.
    Bad,
}

/// What checking a data set gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataVerdict {
    /// Every configured check ran and none blocks.
    Valid,
    /// A finding blocks.
    Invalid,
    /// A check could not run.
    Error,
}

/// A data set version that a model was trained on.
#[derive(Debug, Clone)]
pub(crate) struct DataSetRow {
    /// `NAME:VERSION`.
    pub(crate) version: String,
    /// What checking it gave.
    pub(crate) verdict: DataVerdict,
    /// Checks that ran.
    pub(crate) checks: u64,
    /// Findings that block.
    pub(crate) blocking: u64,
    /// Findings that warn.
    pub(crate) warnings: u64,
    /// Parts it consists of.
    pub(crate) parts: u64,
    /// Rows in those parts.
    pub(crate) rows: u64,
    /// The root over its parts.
    pub(crate) root: String,
    /// The ledger index of the statement.
    pub(crate) entry: u64,
}

/// A version in the list of a model's versions.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    /// The version, from 1.
    pub(crate) version: u64,
    /// Its state now.
    pub(crate) state: VersionState,
    /// Approvals that count.
    pub(crate) approvals: u64,
    /// Approvals needed.
    pub(crate) approvals_needed: u64,
    /// The aliases that name it, without `@`.
    pub(crate) aliases: Vec<String>,
    /// When it was registered.
    pub(crate) registered_at: String,
    /// The ledger index of that statement.
    pub(crate) entry: u64,
}

/// A ledger entry about a version, in words.
#[derive(Debug, Clone)]
pub(crate) struct ChangeView {
    /// When, as its writer's clock asserts.
    pub(crate) at: String,
    /// The ledger index.
    pub(crate) entry: u64,
    /// How good it is.
    pub(crate) tone: Tone,
    /// What happened.
    pub(crate) title: String,
    /// More about it.
    pub(crate) detail: Option<String>,
    /// Who did it.
    pub(crate) by: Option<String>,
}

/// The models of a project.
#[derive(Debug, Clone)]
pub(crate) struct ModelsView {
    /// What surrounds the page.
    pub(crate) frame: Frame,
    /// The models, by name.
    pub(crate) models: Paged<ModelRow>,
}

/// A model in the list of models.
#[derive(Debug, Clone)]
pub(crate) struct ModelRow {
    /// Its name.
    pub(crate) name: String,
    /// How many versions it has.
    pub(crate) versions: u64,
    /// The newest of them.
    pub(crate) latest: u64,
    /// The state of the newest.
    pub(crate) latest_state: VersionState,
    /// When the newest was registered.
    pub(crate) latest_at: String,
    /// The newest approved version, when there is one.
    pub(crate) approved: Option<u64>,
}

/// A page that says why there is no page. It must not tell whether something exists.
#[derive(Debug, Clone)]
pub(crate) struct ErrorView {
    /// The HTTP status, shown beside the title.
    pub(crate) status: u16,
    /// What is wrong.
    pub(crate) title: String,
    /// What can be done about it.
    pub(crate) advice: String,
    /// The stable error id, for example `BZ-0404`, which `bartizan explain` knows.
    pub(crate) code: Option<String>,
}
