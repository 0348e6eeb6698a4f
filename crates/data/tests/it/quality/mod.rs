//! Poisoned and clean tables: what is found, what is not, and how often there is a false alarm.

mod confident;
mod planted;
mod poison;
mod real;
mod report;
