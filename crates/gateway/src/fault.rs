//! Why a request gets no prediction, and the HTTP status that says so.

/// Whose turn it is, and what kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The body is no inference request.
    Malformed,
    /// The body, or what would have to be recorded of it, is too large.
    TooLarge,
    /// The request is not one for this model.
    Mismatch,
    /// Values are unlike those of training, and the endpoint refuses such.
    OutOfBounds,
    /// The version that the caller insists on is not the one that is served here.
    Version,
    /// Neither the model nor its fallback has a finite answer for these values, now or later.
    NoAnswer,
    /// Neither the model nor its fallback can answer now.
    Unavailable,
    /// Something that should not be.
    Defect,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Mismatch,
        Self::OutOfBounds,
        Self::Version,
        Self::NoAnswer,
        Self::Unavailable,
        Self::Defect,
    ];

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Mismatch | Self::OutOfBounds => 400,
            Self::Version => 404,
            Self::TooLarge => 413,
            // RFC 9110, section 15.5.21: well-formed, and nothing can be made of it. Another server would do no better.
            Self::NoAnswer => 422,
            Self::Defect => 500,
            Self::Unavailable => 503,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

/// A fault, and what to tell the caller: names of inputs and columns, counts and places, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind it is.
    pub fault: Fault,
    /// What to tell the caller.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }
}
