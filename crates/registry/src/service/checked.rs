//! Reading deliveries once and checking them: tables, or packed directories of images or texts.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use bartizan_base::{Digest, Hasher};
use bartizan_data::folder::{FolderReport, FolderSchema, FolderSummary, check_folder, is_packed, summarise};
use bartizan_data::openlineage::Table;
use bartizan_data::{
    Compared, InferOptions, NotProfiled, Outcome, Profile, ProfileOptions, ReadOptions, Report, Schema,
    Source, profile,
};
use bartizan_keys::{Sealed, Unsealed};

use super::beside::Gathered;
use super::{Failed, Inner};
use crate::proof::read_private;
use crate::statement::{Private, SchemaFrom};

/// Deliveries that were read and checked.
pub(super) struct Checked {
    pub(super) schema: CheckedBy,
    /// What was found, one for each delivery.
    pub(super) weighed: Vec<Weighed>,
    /// What they hold together.
    pub(super) profile: Vec<u8>,
    /// What they were compared with beside the schema.
    pub(super) compared: Compared,
    /// The tables that the schema looks values up in.
    pub(super) tables: BTreeSet<String>,
}

/// The schema that deliveries were checked against.
pub(super) enum CheckedBy {
    /// That of the version before.
    Kept,
    /// Another one, as TOML.
    New(SchemaFrom, String),
}

/// What a check says of one delivery, whatever it holds.
pub(super) struct Weighed {
    pub(super) outcome: Outcome,
    /// SHA-256 of the bytes that were read.
    pub(super) digest: Digest,
    /// Rows of a table, files of a directory.
    pub(super) rows: u64,
    pub(super) checks: u64,
    pub(super) blocking: u64,
    pub(super) warnings: u64,
    /// Warnings that would refuse it in tier release.
    pub(super) spared: u64,
    /// For people.
    pub(super) text: String,
    /// The stored findings.
    pub(super) document: Vec<u8>,
    pub(super) table: Table,
    pub(super) columns: Vec<String>,
}

/// What a caller asks deliveries to be checked by, and by what they have to be if nothing is asked.
pub(super) struct By {
    /// The schema that the caller gave.
    pub(super) given: Option<String>,
    /// The label, for a schema that is inferred.
    pub(super) label: Option<String>,
    /// The schema of the version before.
    pub(super) last: Option<Private>,
    pub(super) tier: bartizan_data::Tier,
    /// What rules may need beside.
    pub(super) beside: Gathered,
}

impl Inner {
    /// Reads every delivery once, and checks it. The first one says whether they are tables or directories.
    pub(super) fn check_deliveries(&self, by: By, sealed: &[Sealed]) -> Result<Checked, Failed> {
        let first = sealed.first().ok_or_else(|| Failed::invalid("deliveries", "there are none"))?;
        let mut head = Vec::new();
        let mut content = self.keys.unseal(self.blobs.as_ref(), &first.blob)?.take(512);
        content.read_to_end(&mut head).map_err(Failed::Content)?;
        let last = by.last.as_ref().map(|private| self.schema_text(private)).transpose()?;
        if is_packed(&head) {
            self.check_folders(by, last, sealed)
        } else {
            self.check_tables(by, last, sealed)
        }
    }

    /// A delivery's content, to be read at any place.
    pub(super) fn content(&self, sealed: &Sealed) -> Result<Source<'static>, Failed> {
        let unsealed = self.keys.unseal(self.blobs.as_ref(), &sealed.blob)?;
        Ok(anywhere(unsealed))
    }

    pub(super) fn schema_text(&self, private: &Private) -> Result<String, Failed> {
        let (bytes, _) = read_private(&self.keys, self.blobs.as_ref(), private)?;
        String::from_utf8(bytes).map_err(|error| Failed::invalid("stored schema", error))
    }

    fn check_tables(&self, by: By, last: Option<String>, sealed: &[Sealed]) -> Result<Checked, Failed> {
        let count = sealed.len();
        let (schema, from) =
            self.table_schema(&by, last, sealed).map_err(|failed| failed.of_delivery(0, count))?;
        let beside = self.beside(&by.beside, &schema, from == SchemaFrom::Kept)?;
        let mut weighed = Vec::with_capacity(sealed.len());
        let mut profile: Option<Profile> = None;
        for (place, one) in sealed.iter().enumerate() {
            let how = (by.tier, by.beside.format, threads(), 0);
            let report = beside.check(self.content(one)?, &schema, how);
            let report = report.map_err(|failed| Failed::from(failed).of_delivery(place, count))?;
            match &mut profile {
                Some(profile) => {
                    profile.merge(&report.profile).map_err(|error| Failed::invalid("deliveries", error))?;
                }
                None => profile = Some(report.profile.clone()),
            }
            weighed.push(Weighed::table(&report)?);
        }
        let profile = profile.ok_or_else(|| Failed::invalid("deliveries", "there are none"))?;
        let compared = beside.compared(&schema);
        let tables = schema.tables().into_iter().map(str::to_owned).collect();
        let schema = match from {
            SchemaFrom::Kept => CheckedBy::Kept,
            new => CheckedBy::New(new, schema.to_toml()?),
        };
        Ok(Checked { compared, tables, schema, weighed, profile: encoded(profile.to_bytes())? })
    }

    fn table_schema(
        &self,
        by: &By,
        last: Option<String>,
        sealed: &[Sealed],
    ) -> Result<(Schema, SchemaFrom), Failed> {
        let last = last.map(|text| Schema::parse(&text)).transpose()?;
        let given = by.given.as_ref().map(|text| Schema::parse(text)).transpose()?;
        match (given, last) {
            (Some(given), last) if last.as_ref() != Some(&given) => return Ok((given, SchemaFrom::Given)),
            (_, Some(last)) => return Ok((last, SchemaFrom::Kept)),
            (_, None) => {}
        }
        let first = sealed.first().ok_or_else(|| Failed::invalid("deliveries", "there are none"))?;
        let read = ReadOptions { format: by.beside.format, ..ReadOptions::default() };
        let options = ProfileOptions { read, ..ProfileOptions::default() };
        let profiled = profile(self.content(first)?, &options, threads());
        let (profile, read) = profiled.map_err(|error| match error {
            NotProfiled::Read(error) => Failed::Delivery(error),
            other => Failed::invalid("profile", other),
        })?;
        Ok((
            Schema::infer(&profile, read.format(), &InferOptions { label: by.label.clone() })?,
            SchemaFrom::Inferred,
        ))
    }

    fn check_folders(&self, by: By, last: Option<String>, sealed: &[Sealed]) -> Result<Checked, Failed> {
        if by.label.is_some() {
            return Err(Failed::invalid(
                "label",
                "the labels of a directory are in its manifest, not in a column",
            ));
        }
        if by.beside.told {
            let why = "environment, time, format, reference and other tables are for tables alone";
            return Err(Failed::invalid("directories", why));
        }
        let given = by.given.map(|text| FolderSchema::parse(&text)).transpose()?;
        let last = match last.map(|text| (FolderSchema::parse(&text), FolderSchema::claims(&text))) {
            None => None,
            // One that cannot be read any more is no reason against the one that is given.
            Some((Err(_), true)) if given.is_some() => None,
            Some((parsed, _)) => Some(parsed?),
        };
        let (mut schema, from) = match (given, last) {
            (Some(given), last) if last.as_ref() != Some(&given) => (Some(given), SchemaFrom::Given),
            (_, Some(last)) => (Some(last), SchemaFrom::Kept),
            (_, None) => (None, SchemaFrom::Inferred),
        };
        let (mut weighed, mut profile) = (Vec::with_capacity(sealed.len()), Vec::new());
        for one in sealed {
            let (summary, digest) = self.summary(one)?;
            profile.extend(encoded(summary.to_bytes())?);
            profile.push(b'\n');
            let rules = match schema.take() {
                Some(rules) => rules,
                None => FolderSchema::infer(&summary)?,
            };
            weighed.push(Weighed::folder(&check_folder(summary, &rules, by.tier), digest)?);
            schema = Some(rules);
        }
        let schema = match (from, schema) {
            (SchemaFrom::Kept, _) | (_, None) => CheckedBy::Kept,
            (new, Some(schema)) => CheckedBy::New(new, schema.to_toml()?),
        };
        Ok(Checked { schema, weighed, profile, compared: Compared::default(), tables: BTreeSet::new() })
    }

    fn summary(&self, sealed: &Sealed) -> Result<(FolderSummary, Digest), Failed> {
        let content = self.keys.unseal(self.blobs.as_ref(), &sealed.blob)?;
        let mut hashing = Hashing { content, hasher: Hasher::new() };
        let summary = summarise(&mut hashing)?;
        Ok((summary, hashing.hasher.finish()))
    }
}

/// Encrypted content as a file that can be read at any place. That its digest is the one that was stored is compared
/// once a report names it.
struct Anywhere {
    unsealed: Unsealed,
    position: u64,
}

pub(super) fn anywhere(unsealed: Unsealed) -> Source<'static> {
    Source::seekable(Anywhere { unsealed, position: 0 })
}

impl Read for Anywhere {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.unsealed.read_at(self.position, into).map_err(io::Error::other)?;
        self.position = self.position.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

impl Seek for Anywhere {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.unsealed.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the start"))?;
        Ok(self.position)
    }
}

/// Threads that read one delivery.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// A reader that hashes what is read through it.
struct Hashing<R> {
    content: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Weighed {
    fn table(report: &Report) -> Result<Self, Failed> {
        Ok(Self {
            outcome: report.outcome,
            digest: report.digest,
            rows: report.rows,
            checks: count(report.checks),
            blocking: count(report.blocking()),
            warnings: count(report.warnings()),
            spared: count(report.spared),
            text: report.render(),
            document: encoded(report.to_bytes())?,
            table: Table::of(report),
            columns: report.profile.columns().iter().map(|column| column.name().to_owned()).collect(),
        })
    }

    fn folder(report: &FolderReport, digest: Digest) -> Result<Self, Failed> {
        Ok(Self {
            outcome: report.outcome,
            digest,
            rows: report.summary.files,
            checks: report.checks,
            blocking: count(report.blocking()),
            warnings: count(report.warnings()),
            spared: 0,
            text: report.render(),
            document: encoded(report.to_bytes())?,
            table: Table::of_folder(report),
            columns: Vec::new(),
        })
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

fn encoded(bytes: Result<Vec<u8>, bartizan_base::canonical::EncodeError>) -> Result<Vec<u8>, Failed> {
    bytes.map_err(|error| Failed::Sign(Box::new(error)))
}
