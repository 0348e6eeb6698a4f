//! Whether the rows and labels of a table can be trusted: poisoning, wrong labels, leaks, and ordinary faults.
//!
//! Unlike the rest of this crate it holds a table in memory, and looks at it many times. It trains nothing but
//! additive models of its own: what a real model says of rows that it did not learn from is an argument. Random
//! choices follow from a seed, and no answer depends on the number of threads.
//!
//! ```text
//!   Source --gather--> columns --Table--> examine(table, probabilities, version before, test table) --> QualityReport
//!                                          |
//!     poisoning: trigger, confident, knn, duplicates, sources, suspects, flips, leakage, overlap
//!     ordinary:  columns, duplicates                     each with rows, a score, and a Chance
//! ```
//!
//! Modules in reading order: `table` and `gather` (what is looked at), `chance` (how likely), `cells`, `smooth`,
//! `calibrate`, `tree` and `neighbours` (what to expect), then a module for each rule, `report`, and `examine` (all of them).

mod calibrate;
mod cells;
mod chance;
mod columns;
mod confident;
mod duplicates;
mod examine;
mod flips;
mod gather;
mod knn;
mod leakage;
mod neighbours;
mod overlap;
mod random;
mod report;
mod smooth;
mod sources;
mod suspects;
mod table;
mod tree;
mod trigger;

pub use self::cells::Setting;
pub use self::chance::Chance;
pub use self::columns::{Oddity, RareLabel, oddities, rare_labels};
pub use self::confident::{Filter, LabelIssues, Probabilities, ProbabilitiesInvalid, Ranking, label_issues};
pub use self::duplicates::{Cluster, Group, clusters, equal_rows, near_rows};
pub use self::examine::{Examined, QualityOptions, examine};
pub use self::flips::{Flips, FlipsFailed, LabelFlips, label_flips};
pub use self::gather::{Gathered, NotGathered, gather};
pub use self::knn::{Disagreement, disagreement};
pub use self::leakage::{Leak, leaks};
pub use self::overlap::{Overlap, OverlapFailed, overlap};
pub use self::report::{Finding, NamedSetting, NotRun, Of, QualityReport, Rule, SourceCode};
pub use self::sources::{Aspect, Difference, Differences, SourceOptions, differences};
pub use self::table::{Cells, Codes, Feature, MISSING, Table, TableInvalid, Tag, key};
pub use self::trigger::{Condition, Trigger, TriggerOptions, Triggers, triggers};
