//! Decoders of others, which panic at some damage where they should answer.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a decoder that may panic on damage: such a panic is caught and becomes a
/// [`ReadError`](super::ReadError), so a panic hook need not tell of it.
#[must_use]
pub fn decoding() -> bool {
    DECODING.get()
}

/// The decoder panicked: what it read contradicts itself.
#[derive(Debug)]
pub(super) struct Panicked;

/// Runs a decoder that may panic on what it does not expect; it shares nothing that could stay half changed.
pub(super) fn guarded<T>(decoder: impl FnOnce() -> T) -> Result<T, Panicked> {
    let around = DECODING.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decoder));
    DECODING.set(around);
    decoded.map_err(|_| Panicked)
}
