//! Personal data and secrets in text: finding them, and replacing what was found.
//!
//! ```text
//!   bytes --fold--> text --scan--> candidates --check digits, words nearby--> Findings (kind, place, score)
//!                                                                               |
//!              classified columns, PiiReport <--------------------------------- + --> redact, mask, hash, tokenise
//! ```
//!
//! Modules in reading order: `kind` (what is looked for), `detector` and `scan` (the pass over bytes), `gate`, `pattern`,
//! `marks`, `phone`, `card`, `national`, `secrets`, `assigned`, `birth` (what decides about candidates), `context` (what is said
//! nearby), `finding`, `fold` (Unicode), `custom` (recognisers of a file), `stream`, `column`, `table` and `report` (text in
//! pieces, cells, tables, what is said in the end), `action`, [`preserve`] and [`vault`] (what stands in a value's place), [`delimited`]
//! (tables whose other bytes stay), [`json`] and `lines` (JSON lines, whose strings are searched as what they mean).

mod action;
mod assigned;
mod birth;
mod card;
mod checksum;
mod column;
mod context;
mod custom;
pub mod delimited;
mod detector;
mod finding;
mod fold;
mod gate;
pub mod json;
mod kind;
mod lines;
mod marks;
mod national;
mod pattern;
mod phone;
pub mod preserve;
mod report;
mod scan;
mod secrets;
mod stream;
mod table;
pub mod vault;

pub use self::action::{Action, Given, NotReplaced, Replacer, hashed};
pub use self::column::{ColumnCounts, ColumnDetector, ColumnScan, ColumnVerdict, KindShare};
pub use self::custom::{Recognisers, RecognisersInvalid};
pub use self::detector::{Detector, DetectorOptions, Title};
pub use self::finding::Finding;
pub(crate) use self::kind::CUSTOM_KINDS;
pub use self::kind::{Family, Kind, KindSet};
pub use self::lines::{LineScanner, LineTooLong};
pub use self::report::PiiReport;
pub use self::stream::{Rewriter, Scanner};
pub use self::table::{Keep, TableFindings, TablePlace, scan_table};
