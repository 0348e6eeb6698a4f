//! Poisoned and clean tables: what is found, what is not, and how often there is a false alarm.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "helpers outside #[test]; tables are small"
)]

mod confident;
mod formats;
mod planted;
mod poison;
mod real;
mod report;
