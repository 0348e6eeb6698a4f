//! Data.
mod cell;
mod csv;
pub mod limits;
mod profile;
pub use crate::csv::*;
pub use crate::profile::*;
