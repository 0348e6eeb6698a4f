//! What a table of data is, and whether the next batch is like it: one pass, one mergeable state, one verdict.
//!
//! This crate reads streams and judges them. It opens no files, knows no ledger and keeps no values: a finding
//! says which rule, which rows and how many, and shows shapes instead of what is there.
//!
//! ```text
//!   Source --read--> columns, batch by batch --observe--> Profile --Schema::infer--> Schema (TOML)
//!     |                  |
//!     +--hash--> digest  +--check against a Schema--> Report: findings, outcome
//!
//!   two tables, or what is known of them --drift::compare--> DriftReport
//!   text, columns, streams --pii--> findings, or the same without them
//!   a labelled table in memory --quality::examine--> QualityReport
//! ```
//!
//! Modules in reading order: `read` (bytes in any format to columns), `csv` (text to cells), `cell` (cells to values),
//! `profile` (what was seen), `schema` (what is expected), `check` (the comparison); `sketch` (mergeable summaries of a
//! column's values) and `text` (values as all formats spell them) serve them. Beside them stand `drift` (whether two tables
//! are alike), `pii` (personal data and secrets) and `quality` (poisoning and label quality). `expression` and
//! `pattern` are what rules of a schema are written in, `expectations` reads suites of Great Expectations, `folder` is a
//! directory that is a data set, `unusual` compares deliveries with those before. `report` and `openlineage` tell people
//! and other programs what was found; `threads` spreads work.

mod cell;
mod check;
mod csv;
pub mod drift;
pub mod expectations;
mod expression;
pub mod folder;
pub mod limits;
mod number;
pub mod openlineage;
mod pattern;
pub mod pii;
mod profile;
pub mod quality;
mod read;
pub mod report;
mod schema;
pub mod sketch;
mod text;
pub mod threads;
pub mod unusual;

pub use crate::check::{
    Beside, BrokenRow, Check, CheckOptions, Compared, Example, Finding, KnownTable, NotBeside, NotKnown,
    Other, Outcome, Report, Rows, RowsNotRead, Rule, Tier, check, check_listing, check_source, check_table,
    read_rows,
};
pub use crate::csv::*;
pub use crate::expression::{Expression, ExpressionInvalid};
pub use crate::pattern::{Pattern, PatternInvalid};
pub use crate::profile::*;
pub use crate::read::{Format, FormatInvalid, ReadOptions, Source, Unpacked, decoding, read_columns};
pub use crate::schema::{
    Age, AgeInvalid, Bounds, Change, ColumnRules, CsvRules, DistinctRules, Domain, DriftRules,
    ExpressionRules, FreshnessRules, InferOptions, KeyRules, LabelRules, Left, NotInferred, NotToml,
    NotUpdated, PassOver, PatternRules, Range, ReferenceProfile, ReferenceRules, RowRules, Schema,
    SchemaInvalid, Severity, SliceRules, StatisticsRules, Updated, WithoutRange, personal_domain,
};
