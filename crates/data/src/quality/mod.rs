//! Whether the rows and labels of a table can be trusted: poisoning, wrong labels, leaks, and ordinary faults.
#![allow(dead_code)]

mod chance;
mod confident;
mod cells;
mod gather;
mod random;
mod smooth;
mod table;
mod threads;
mod trigger;

pub use self::chance::Chance;
pub use self::confident::{Filter, LabelIssues, Probabilities, ProbabilitiesInvalid, Ranking, label_issues};
pub use self::cells::Setting;
pub use self::gather::{Gather, GatherFailed, Gathered};
pub use self::trigger::{Condition, Trigger, TriggerOptions, Triggers, triggers};
pub use self::table::{Cells, Codes, Feature, MISSING, Table, TableInvalid, Tag, key};
