//! The proof token that a signature was checked.

use crate::public::KeyId;

/// A value whose signature was checked against a key that the caller trusts.
///
/// Only this crate makes one, it cannot be copied and it is not serialisable: to hold a `Verified<T>` is to
/// have verified it.
#[derive(Debug)]
pub struct Verified<T> {
    value: T,
    signers: Vec<KeyId>,
}

impl<T> Verified<T> {
    // INVARIANT: called only after every key in `signers` verified over the bytes that `value` was read from.
    pub(crate) const fn new(value: T, signers: Vec<KeyId>) -> Self {
        Self { value, signers }
    }

    /// The verified value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// The trusted keys that signed it, in the order of the signatures; never empty.
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }

    /// The value, giving up the proof.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Reads something more specific out of the verified value; the proof stays.
    ///
    /// # Errors
    /// Whatever `read` returns.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: read(self.value)?, signers: self.signers })
    }
}
