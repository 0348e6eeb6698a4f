//! Recorded predictions: found, and shown to those who may see them.
//!
//! ```text
//!   id, request, subject --index of each segment--> Position --+--> what is in clear: a row of a search
//!   time, endpoint, model --scan of what is in clear-----------'--> read: everything, checked: one prediction
//! ```

mod check;
mod find;
mod shown;

use std::str::FromStr;

use bartizan_store::records::{Position, ReadFailed};

pub(crate) use self::check::{Ledger, check, stated};
pub(crate) use self::find::{Query, by_id, find};
pub(crate) use self::shown::{Revealed, shown, tensors};
use crate::catalog::ids;
use crate::failure::Failure;

/// Where a search goes on: the number of a segment, and an index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) Position);

/// The text is no cursor of a search.
#[derive(Debug, thiserror::Error)]
#[error("the cursor is not one that a search gave")]
pub(crate) struct CursorInvalid;

impl FromStr for Cursor {
    type Err = CursorInvalid;

    fn from_str(text: &str) -> Result<Self, CursorInvalid> {
        let (segment, index) = text.split_once('-').ok_or(CursorInvalid)?;
        let (segment, index) = (segment.parse(), index.parse());
        let (Ok(segment), Ok(index)) = (segment, index) else { return Err(CursorInvalid) };
        Ok(Self(Position { segment, index }))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0.segment, self.0.index)
    }
}

/// Records that cannot be read.
pub(crate) fn unread(error: &ReadFailed) -> Failure {
    let id = match error {
        ReadFailed::NotFound { .. } => ids::NOT_FOUND,
        ReadFailed::Damaged { .. } => ids::RECORD_DAMAGED,
        _ => ids::STORAGE,
    };
    Failure::of(id, error)
}
