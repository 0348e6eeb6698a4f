//! Whether the rows and labels of a table can be trusted: poisoning, wrong labels, leaks, and ordinary faults.
#![allow(dead_code)]

mod chance;
mod confident;
mod random;
mod table;
mod threads;

pub use self::chance::Chance;
pub use self::confident::{Filter, LabelIssues, Probabilities, ProbabilitiesInvalid, Ranking, label_issues};
pub use self::table::{Cells, Codes, Feature, MISSING, Table, TableInvalid, Tag, key};
