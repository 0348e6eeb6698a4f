//! Requests held against a model: its signature, and what its training data were like.

mod bounds;
mod fit;
mod flags;

pub use self::bounds::{Bounds, BoundsInvalid, Compared, Uncompared, named_for};
pub use self::fit::{Fitted, Mismatch, fit};
pub use self::flags::{Flag, FlagKind, Flags};

/// What becomes of a request with values unlike those of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfBounds {
    /// It is refused.
    Reject,
    /// It is answered, and the answer and the record say so.
    Flag,
}
