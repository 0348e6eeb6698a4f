//! What a check is told beside the schema: an environment, the time, a reference, and other tables.
//!
//! Whoever judges by a schema, on bare files or in a project, gathers it here, so that a rule finds the same things
//! there, and what a verdict rests on is noted in the same way.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Digest, Timestamp, sha256};
use serde::Serialize;

use super::{CheckOptions, KnownTable, NotKnown, Report, Tier, check_table};
use crate::csv::{CsvOptions, ReadError};
use crate::limits::REFERENCED_BYTES;
use crate::profile::{Profile, ProfileInvalid};
use crate::read::{Format, ReadOptions, Source};
use crate::schema::Schema;

/// What a check is told beside the schema, gathered for it.
#[derive(Debug)]
pub struct Beside {
    environment: Option<String>,
    now: Option<Timestamp>,
    reference: Option<(Profile, Other)>,
    tables: BTreeMap<String, (KnownTable, Other)>,
    table_bytes: usize,
}

impl Default for Beside {
    fn default() -> Self {
        let (environment, now, reference) = (None, None, None);
        Self { environment, now, reference, tables: BTreeMap::new(), table_bytes: REFERENCED_BYTES }
    }
}

/// Something that a batch was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// SHA-256 of its bytes; of a data set version, the root over its parts.
    pub digest: Digest,
    /// The data set version that it is, `NAME:VERSION`; absent when it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a verdict rests on beside schema and batch: only what a rule asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The environment of the schema that was meant, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What time it was, for rules of freshness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// The profile that distributions were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Other>,
    /// The tables that values were looked up in, by the names that the schema has for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Other>,
}

impl Compared {
    /// Whether the schema and the batch were all there was.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something cannot be given to a check beside the schema.
#[derive(Debug, thiserror::Error)]
pub enum NotBeside {
    /// No rule looks into a table of that name.
    #[error("the schema looks nothing up in a table `{name}`")]
    NotAsked {
        /// The name.
        name: String,
        /// The tables that it looks values up in.
        asked: Vec<String>,
    },
    /// A table of that name is here already.
    #[error("the table `{name}` is given twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// The table cannot be looked up in.
    #[error(transparent)]
    Table(#[from] NotKnown),
    /// The reference is no profile.
    #[error(transparent)]
    Reference(#[from] ProfileInvalid),
    /// It is another profile than the schema names.
    #[error("it is not the profile whose digest the schema names, {expected}")]
    OtherReference {
        /// The digest that the schema names.
        expected: Digest,
    },
}

impl Beside {
    /// Knows which environment is meant and what time it is.
    pub fn new(environment: Option<String>, now: Option<Timestamp>) -> Self {
        Self { environment, now, ..Self::default() }
    }

    /// Holds so many bytes of the values of all tables together, with 64 for each value, and no more.
    #[must_use]
    pub fn holding(self, table_bytes: usize) -> Self {
        Self { table_bytes, ..self }
    }

    /// Bytes of values that still may be held.
    fn room(&self) -> usize {
        let held = self.tables.values().map(|(table, _)| table.bytes());
        self.table_bytes.saturating_sub(held.fold(0, usize::saturating_add))
    }

    /// Takes a stored profile as the reference, and holds it to a digest if there is one.
    ///
    /// # Errors
    /// When the bytes are no profile, or not the one of that digest.
    pub fn take_reference(&mut self, bytes: &[u8], pinned: Option<Digest>) -> Result<(), NotBeside> {
        let digest = sha256(bytes);
        if let Some(expected) = pinned.filter(|pinned| *pinned != digest) {
            return Err(NotBeside::OtherReference { expected });
        }
        self.reference = Some((Profile::from_bytes(bytes)?, Other { digest, version: None }));
        Ok(())
    }

    /// Takes what is known of a data set version as the reference.
    pub fn take_reference_version(&mut self, profile: Profile, of: Other) {
        self.reference = Some((profile, of));
    }

    /// Reads a table that `schema` looks values up in by this name.
    ///
    /// # Errors
    /// When the schema looks nothing up in it, it is here already, or it cannot be looked up in.
    pub fn read_table(
        &mut self,
        schema: &Schema,
        name: &str,
        source: Source<'_>,
        threads: usize,
    ) -> Result<(), NotBeside> {
        self.asks_for(schema, name)?;
        let room = (self.room(), self.table_bytes);
        let (table, digest) =
            KnownTable::read_whole(source, &ReadOptions::default(), threads, (schema, name), room)?;
        self.tables.insert(name.to_owned(), (table, Other { digest, version: None }));
        Ok(())
    }

    /// Reads the parts of a data set version that `schema` looks values up in by this name, each as its own schema says
    /// CSV is written there.
    ///
    /// # Errors
    /// When the schema looks nothing up in it, it is here already, or a part is not there or cannot be looked up in.
    pub fn read_version<'a, E: From<NotBeside>>(
        &mut self,
        schema: &Schema,
        name: &str,
        parts: impl IntoIterator<Item = Result<(Source<'a>, CsvOptions), E>>,
        threads: usize,
        of: Other,
    ) -> Result<(), E> {
        self.asks_for(schema, name)?;
        let mut whole: Option<KnownTable> = None;
        for part in parts {
            let (source, csv) = part?;
            let options = ReadOptions { csv, ..ReadOptions::default() };
            let room = self.room().saturating_sub(whole.as_ref().map_or(0, KnownTable::bytes));
            let room = (room, self.table_bytes);
            let read = KnownTable::read_whole(source, &options, threads, (schema, name), room);
            let (part, _) = read.map_err(NotBeside::from)?;
            match &mut whole {
                Some(whole) => whole.merge(part),
                None => whole = Some(part),
            }
        }
        self.tables.insert(name.to_owned(), (whole.unwrap_or_default(), of));
        Ok(())
    }

    fn asks_for(&self, schema: &Schema, name: &str) -> Result<(), NotBeside> {
        let asked = schema.tables();
        if !asked.contains(name) {
            let asked = asked.into_iter().map(str::to_owned).collect();
            return Err(NotBeside::NotAsked { name: name.to_owned(), asked });
        }
        if self.tables.contains_key(name) {
            return Err(NotBeside::Twice { name: name.to_owned() });
        }
        Ok(())
    }

    /// The profile that distributions are compared with.
    pub fn reference(&self) -> Option<&Profile> {
        self.reference.as_ref().map(|(profile, _)| profile)
    }

    /// The options of a check in a tier that is told all this.
    pub fn options(&self, tier: Tier) -> CheckOptions<'_> {
        CheckOptions {
            environment: self.environment.as_deref(),
            now: self.now,
            reference: self.reference(),
            tables: self.tables.iter().map(|(name, (table, _))| (name.clone(), table)).collect(),
            ..CheckOptions::new(tier)
        }
    }

    /// Reads a batch once and checks it, by so many threads, with all that is here; see [`check_table`].
    ///
    /// # Errors
    /// When the batch cannot be read to its end; then there is no verdict.
    pub fn check(
        &self,
        source: Source<'_>,
        schema: &Schema,
        (tier, format, threads, listed): (Tier, Option<Format>, usize, usize),
    ) -> Result<Report, ReadError> {
        let options = CheckOptions { format, threads, listed, ..self.options(tier) };
        let report = check_table(source, schema, &options)?;
        Ok(Report { compared: self.compared(schema), ..report })
    }

    /// What of this the rules of a schema ask for.
    pub fn compared(&self, schema: &Schema) -> Compared {
        let environment = schema.environment(self.environment.as_deref());
        let meant: Vec<_> = schema.columns.iter().filter(|column| column.is_in(environment)).collect();
        let dated = meant.iter().any(|column| column.freshness.is_some());
        Compared {
            environment: environment.map(str::to_owned),
            now: self.now.filter(|_| dated),
            reference: self
                .reference
                .as_ref()
                .filter(|_| schema.needs_reference(environment))
                .map(|(_, of)| of.clone()),
            tables: self.tables.iter().map(|(name, (_, of))| (name.clone(), of.clone())).collect(),
        }
    }
}

impl Schema {
    /// The tables that values are looked up in, by the names that the schema has for them.
    pub fn tables(&self) -> BTreeSet<&str> {
        let in_slices = self.slices.iter().flat_map(|slice| &slice.columns);
        let asked = self.columns.iter().chain(in_slices).filter_map(|rules| rules.references.as_ref());
        asked.map(|references| references.table.as_str()).collect()
    }

    /// Whether a rule of a column of an environment, [`Schema::environment`], compares its distribution with that of a
    /// reference.
    pub fn needs_reference(&self, environment: Option<&str>) -> bool {
        self.columns.iter().any(|column| column.drift.is_some() && column.is_in(environment))
    }
}
