//! Data sets, models, people and keys of one project, derived from its ledger and from nothing else.
//!
//! The registry writes statements and folds them. It does not parse data (that is `data`), decide about
//! access (`policy`), keep key bytes (`keys`) or speak HTTP (the binary).
//!
//! ```text
//!             decide                 sign                append            fold
//!   request ----------> decision -----------> statement ---------> ledger ------> State
//!            (policy)              (keys)                (ledger)            |
//!                                                                            +--> SQL index (a cache)
//!                                                                            +--> Released<ModelVersion>
//!   proof file <--- the entries a claim rests on, with inclusion proofs <----+
//! ```
//!
//! Reading order: [`statement`] says what entries look like, [`state`] what they mean together, [`Registry`]
//! how they come about, [`proof`] how a stranger checks them, [`Released`] what a gateway may load.

pub mod deed;
mod index;
pub mod limits;
pub mod lineage;
pub mod manifest;
mod parts;
pub mod prediction;
pub mod proof;
mod receipt;
mod released;
mod replay;
mod service;
pub mod state;
pub mod statement;

pub use crate::index::{Index, IndexFailed};
pub use crate::receipt::{NewReceipt, RECEIPT_HEADER, Receipt, ReceiptFailed};
pub use crate::released::{ModelVersion, NotReleased, Released};
pub use crate::replay::{ReplayFailed, Replayed, replay};
pub use crate::service::*;
