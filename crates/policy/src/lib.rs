//! Who may do what: identity and facts in, a decision with its reasons out.
//!
//! This crate decides and does nothing else. It has no I/O, no clock and no ledger: the caller brings the facts,
//! records the decision, and only then holds the permission. It does not authenticate people, it does not know
//! which state changes of a model are legal (that is the registry), and it does not judge artifacts.
//!
//! ```text
//!   API key text --api_key::admit--> Admitted --.
//!                                               v
//!   PrincipalFacts + ProjectFacts + op::X + its facts + ContextFacts = Request<op::X>
//!                                               |
//!                      Policies::builtin() -----+---- decide
//!                                               v
//!                                         Decided<op::X>      (sealed: says nothing)
//!                                               |
//!                      caller's recorder -------+---- record
//!                                               v
//!                            Allowed<op::X>  or  Refused with reasons
//! ```
//!
//! Modules in reading order: `role` (who there is), `action` (the one table of what can be asked), `op` (the same
//! as types), `facts` and `question` (what a decision rests on), `engine` (Cedar), `decision` and `record` (what
//! comes out), `explain`, `approvals`, then `api_key` and `network`.

mod action;
pub mod api_key;
pub mod approvals;
mod decision;
mod engine;
mod explain;
mod facts;
pub mod limits;
mod network;
pub mod op;
mod question;
mod record;
mod role;
mod translate;

pub use crate::action::{Access, Action, ActionUnknown, ResourceKind};
pub use crate::decision::{Allowed, Clause, Decided, Decision, Effect, Reason, Refused, RefusedOr, Topic};
pub use crate::engine::{Policies, PoliciesInvalid};
pub use crate::explain::{Explanation, Missing, Nearest};
pub use crate::facts::{
    AliasFacts, ArtifactFacts, ContextFacts, Credential, DatasetFacts, EndpointFacts, Facts, GrantFacts,
    KeyFacts, Makers, ModelFacts, NetworkClass, PrincipalFacts, ProjectFacts, ProjectWide, ResourceFacts,
    SourceFacts, UserFacts, Via,
};
pub use crate::network::{Network, NetworkInvalid, Networks};
pub use crate::op::Operation;
pub use crate::question::{Question, Request};
pub use crate::record::{DecisionRecord, Format, RecordInvalid};
pub use crate::role::{PersonId, PrincipalKind, Role, Roles, Standing, Tier, WordUnknown};
