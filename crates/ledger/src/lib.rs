//! The append-only Merkle ledger: append, checkpoints, proofs, witnesses, proof files and their checks.
//!
//! A ledger is a C2SP tiled transparency log (tlog-tiles, height 8) in a [`Blobs`](bartizan_base::Blobs)
//! store, with its authoritative checkpoint in a [`Cas`](bartizan_base::Cas). Entries are opaque bytes.
//!
//! It deliberately does **not** know what an entry means or who may write it, does not encrypt, speaks no
//! network protocol, reads no clock, and never removes or rewrites an entry.
//!
//! ```text
//!  append(entries) --queue--> writer thread, one group at a time
//!                               1. staging blob: every tile of the group      durable
//!                               2. swap the head (signed checkpoint)          durable = committed
//!                               3. tiles, then the published checkpoint
//!    Appended <-----------------   (an append returns here)
//!                               4. staging and stale partial tiles deleted
//!
//!  LedgerReader --checkpoint--> Snapshot --entry, entries, inclusion, consistency, prove-->
//!                               every byte is hashed up to the checkpoint's root before it is returned
//!
//!  Remembered: the largest checkpoint ever seen; refuses smaller and inconsistent ones
//!  fsck: recomputes everything from the entries up
//! ```
//!
//! Modules in reading order: `merkle` (tree and proofs), `batch` (proofs of several leaves), `tile` (names and bytes), `note`, `checkpoint`,
//! `witness` (signatures), `proof` (files), `edge` (the growing right side), `head` and `staging` (what makes
//! a group atomic), `ledger` and `writer` (append), `reader`, `remembered`, `fsck`, `bulk`; [`segment`] (the
//! tree over prediction records, whose root an entry names).

mod batch;
pub mod bulk;
mod checkpoint;
mod edge;
mod fsck;
mod head;
mod ledger;
pub mod limits;
mod lines;
mod merkle;
mod note;
mod proof;
mod reader;
mod remembered;
pub mod segment;
mod staging;
mod tile;
mod witness;
mod writer;

pub use crate::batch::{narrow_inclusions, prove_inclusions, verify_inclusions};
pub use crate::checkpoint::{Checkpoint, CheckpointInvalid, SignedCheckpoint, TrustInvalid, TrustedLog};
pub use crate::fsck::{Defect, DefectKind, NOT_COVERED, Report, fsck};
pub use crate::head::HeadInvalid;
pub use crate::ledger::{AppendFailed, Appended, CreateFailed, Ledger, OpenFailed};
pub use crate::merkle::{
    ProofInvalid, empty_root, leaf_hash, node_hash, root_of, verify_consistency, verify_inclusion,
};
pub use crate::note::{KeyKind, NoteInvalid, NoteSigner, SignFailed, VerifierKey, VerifierKeyInvalid};
pub use crate::proof::{Included, LogProof, LogProofInvalid, LogProofRefused};
pub use crate::reader::{Entries, Entry, LedgerReader, ReadFailed, Snapshot};
pub use crate::remembered::{RememberFailed, Remembered};
pub use crate::staging::StagingInvalid;
pub use crate::tile::{Level, TileBytesInvalid, TilePath, TilePathInvalid};
pub use crate::witness::{Cosignature, CosignatureInvalid, cosign};
pub use crate::writer::GroupFailed;
