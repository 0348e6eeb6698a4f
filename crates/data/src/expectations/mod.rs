//! Expectation suites of Great Expectations (JSON, of 0.18 and of 1.x) as schemas.
//!
//! Each expectation becomes rules that say the same, or is listed with the reason why it does not: none is dropped in
//! silence. What a suite does not ask for is not asked for: types only warn where an expectation can be tried without
//! them, and other columns may be there.
//! `docs/formats/expectations.md` says what becomes of each expectation of the core gallery.
//!
//! Modules in reading order: `suite` (the JSON), `types` (what columns hold), `condition` (which rows are meant),
//! `translate` and its parts (one expectation after the other), `build` (where rules go).

mod build;
mod condition;
mod suite;
mod translate;
mod types;

use self::build::Builder;
use self::suite::Suite;
pub use self::suite::SuiteInvalid;
use crate::csv::CsvFormat;
use crate::profile::Profile;
use crate::schema::{Schema, SchemaInvalid};

/// A suite as a schema, and what became of each expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The schema.
    pub schema: Schema,
    /// What the suite is called.
    pub name: String,
    /// One for each expectation, in the suite's order.
    pub expectations: Vec<ImportedExpectation>,
}

/// What became of one expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedExpectation {
    /// Its place in the suite, from 1.
    pub place: usize,
    /// Its type, as in `expect_column_to_exist`.
    pub kind: String,
    /// The column that it is about, if it is about one.
    pub column: Option<String>,
    /// What became of it.
    pub translation: Translation,
}

/// What became of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translation {
    /// These rules say the same.
    Whole(String),
    /// These rules say part of it, or nearly the same.
    Partly {
        /// The rules.
        how: String,
        /// What is different.
        but: String,
    },
    /// No rule says it.
    Not(String),
}

/// A suite cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// It is not one.
    #[error(transparent)]
    Suite(#[from] SuiteInvalid),
    /// It names no column, so there is nothing that a schema could hold.
    #[error("the suite names no column, so no schema can be made of it")]
    NoColumns,
    /// What was made of it is no schema.
    #[error("the schema made of the suite is not one")]
    Schema(#[from] SchemaInvalid),
}

/// Translates a suite. A profile of data that the suite is about says what types columns have; without one they are
/// guessed from what is expected of them.
///
/// # Errors
/// When it is not a suite, or names no column.
pub fn import(json: &[u8], like: Option<(&Profile, CsvFormat)>) -> Result<Imported, NotImported> {
    let suite = Suite::parse(json)?;
    let mut builder = Builder::new(&suite, like);
    let mut expectations = Vec::with_capacity(suite.expectations.len());
    for (place, one) in (1..).zip(&suite.expectations) {
        expectations.push(ImportedExpectation {
            place,
            kind: one.kind.clone(),
            column: one.column().map(suite::plain),
            translation: translate::translate(&mut builder, one, place),
        });
    }
    let schema = builder.finish();
    if schema.columns.is_empty() {
        return Err(NotImported::NoColumns);
    }
    // What is written has to be what is read, whatever the suite holds.
    let schema = Schema::parse(&schema.to_toml()?)?;
    Ok(Imported { schema, name: suite.name, expectations })
}

impl Imported {
    /// The schema as text, with comments that list what was not, or not quite, translated.
    ///
    /// # Errors
    /// As [`Schema::to_toml`].
    pub fn to_toml(&self) -> Result<String, SchemaInvalid> {
        let mut text = format!("# From the expectation suite `{}`.\n", self.name);
        for one in &self.expectations {
            let Some(why) = one.translation.lost() else { continue };
            let column = one.column.as_deref().map(|column| format!(" of `{column}`")).unwrap_or_default();
            let partly = if matches!(one.translation, Translation::Not(_)) { "Not" } else { "Partly" };
            let line = format!("# {partly} translated: {}. {}{column}: {why}", one.place, one.kind);
            // Nothing that a suite says ends the comment.
            text.extend(line.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.schema.to_toml()?);
        Ok(text)
    }

    /// Expectations that became rules as a whole, in part, and not at all.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |wanted: fn(&Translation) -> bool| {
            self.expectations.iter().filter(|one| wanted(&one.translation)).count()
        };
        (
            of(|one| matches!(one, Translation::Whole(_))),
            of(|one| matches!(one, Translation::Partly { .. })),
            of(|one| matches!(one, Translation::Not(_))),
        )
    }
}

impl Translation {
    /// What is not said by the rules, if anything.
    pub fn lost(&self) -> Option<&str> {
        match self {
            Self::Whole(_) => None,
            Self::Partly { but, .. } => Some(but),
            Self::Not(why) => Some(why),
        }
    }
}
