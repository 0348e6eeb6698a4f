//! Data sets: deliveries are checked against a schema, and accepted as a version or refused, on the record.

use std::io::{self, Read, Seek, SeekFrom};

use bartizan_base::{Digest, Name, VersionRef};
use bartizan_data::{
    InferOptions, NotProfiled, Outcome, Profile, ProfileOptions, Report, Schema, Source, check_source,
    profile,
};
use bartizan_keys::{Sealed, Unsealed};
use bartizan_policy::{DatasetFacts, Tier, op};

use super::models::check_text;
use super::uploads::UploadId;
use super::write::{Writer, private};
use super::{Caller, Failed, Inner, Registry};
use crate::limits::PARTS_PER_STATEMENT;
use crate::parts;
use crate::proof::read_private;
use crate::state::{Dataset, State};
use crate::statement::{DatasetRef, DatasetV1, PartV1, Private, SchemaFrom, Statement, VerdictV1};

/// One delivery of data that was uploaded.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The upload with its content.
    pub upload: UploadId,
    /// Where it comes from, in words.
    pub source: String,
}

/// Deliveries that are to be added to a data set.
#[derive(Debug, Clone)]
pub struct NewDataset {
    /// The data set.
    pub name: Name,
    /// The deliveries, in order.
    pub deliveries: Vec<NewDelivery>,
    /// The schema as TOML. Without one, that of the last version counts, or one is inferred from the first
    /// delivery.
    pub schema: Option<String>,
    /// The column that is the label, for a schema that is inferred.
    pub label: Option<String>,
    /// Whether the new version holds the parts of the last one too.
    pub extend: bool,
}

/// What became of deliveries.
#[derive(Debug, Clone)]
pub struct DatasetOutcome {
    /// The new version; absent when the deliveries were refused.
    pub version: Option<VersionRef>,
    /// The root over the version's parts, or over the refused ones.
    pub root: Digest,
    /// The ledger entry that says so.
    pub entry: u64,
    /// The verdict in numbers.
    pub verdict: VerdictV1,
    /// Rows that were delivered.
    pub rows: u64,
    /// What was found, for people; one report for each delivery.
    pub findings: Vec<String>,
}

/// A data set version with its private documents.
#[derive(Debug, Clone)]
pub struct DatasetDetail {
    /// What the ledger says.
    pub dataset: Dataset,
    /// The schema as TOML, unless it was erased.
    pub schema: Option<String>,
    /// Where each part came from, unless it was erased.
    pub sources: Vec<Option<String>>,
}

/// Deliveries that were read and checked.
struct Checked {
    schema: CheckedBy,
    reports: Vec<Report>,
    profile: Profile,
}

/// The schema that deliveries were checked against.
enum CheckedBy {
    /// That of the version before.
    Kept,
    /// Another one, as TOML.
    New(SchemaFrom, String),
}

impl Registry {
    /// Checks uploaded deliveries and makes them a version of a data set, or refuses them. Either way the
    /// verdict is in the ledger; what was refused is not kept.
    ///
    /// # Errors
    /// When the caller may not, a delivery cannot be read to its end, or the schema is wrong. Nothing is then
    /// accepted, and what was uploaded for it is destroyed.
    pub async fn add_data(&self, caller: &Caller, new: NewDataset) -> Result<DatasetOutcome, Failed> {
        let mut sealed = Vec::with_capacity(new.deliveries.len());
        let mut missing = None;
        for delivery in &new.deliveries {
            match self.take_upload(caller, delivery.upload) {
                Ok(one) => sealed.push(one),
                Err(failed) => missing = Some(failed),
            }
        }
        let added = match missing {
            Some(failed) => Err(failed),
            None => self.add_sealed(caller, &new, sealed.clone()).await,
        };
        let unused = match &added {
            Ok(outcome) => outcome.version.is_none(),
            Err(failed) => !failed.may_have_happened(),
        };
        if unused {
            self.discard(sealed).await?;
        }
        added
    }

    async fn add_sealed(
        &self,
        caller: &Caller,
        new: &NewDataset,
        sealed: Vec<Sealed>,
    ) -> Result<DatasetOutcome, Failed> {
        if sealed.is_empty() || sealed.len() > PARTS_PER_STATEMENT {
            let why = format!("1 to {PARTS_PER_STATEMENT} deliveries make a version");
            return Err(Failed::invalid(format!("data set {}", new.name), why));
        }
        for delivery in &new.deliveries {
            check_text("source", &delivery.source)?;
        }
        let facts = DatasetFacts { name: new.name.clone(), version: None };
        // Reading the deliveries takes as long as it takes, and nobody waits for it: a quarantine least of all.
        self.ask_early(caller, op::DataAdd, facts.clone()).await?;
        let state = self.state();
        let last = last_version(&state, &new.name).cloned();
        let checked = self.check_all(&state, new, last.as_ref(), &sealed).await?;
        let writer = &self.writer().await?;
        let (before, state) = (state, writer.state());
        if last_version(&state, &new.name) != last.as_ref() || state.tier() != before.tier() {
            return Err(Failed::conflict(
                format!("data set {}", new.name),
                "it, or the tier, changed while the deliveries were read: add them again",
            ));
        }
        let allowed = writer.allow(caller, op::DataAdd, facts).await?;
        let valid = checked.reports.iter().all(|report| report.outcome == Outcome::Valid);
        let added = self.parts(writer, caller, new, &sealed, &checked, valid).await?;
        let (schema, schema_from, schema_of) = match (checked.schema, &last) {
            (CheckedBy::Kept, Some(last)) => {
                // The version that chose the schema, so that a proof needs no chain of those that kept it.
                let chosen = last.body.schema_of.clone().or_else(|| reference(last));
                (last.body.schema.clone(), SchemaFrom::Kept, chosen)
            }
            (CheckedBy::Kept, None) => return Err(Failed::Interrupted),
            (CheckedBy::New(..), Some(_)) if state.tier() == Tier::Release => {
                return Err(Failed::conflict(
                    format!("data set {}", new.name),
                    "in tier release it keeps its schema; data of another shape is another data set",
                ));
            }
            (CheckedBy::New(from, text), _) => (writer.seal_document(text.into_bytes()).await?, from, None),
        };
        let base = last.filter(|_| valid && new.extend);
        let mut all = base.as_ref().map(|base| base.parts.clone()).unwrap_or_default();
        all.extend(added.iter().cloned());
        let body = DatasetV1 {
            name: new.name.clone(),
            version: valid.then(|| next_version(&state, &new.name)),
            root: parts::root(&all).map_err(|error| Failed::Sign(Box::new(error)))?,
            extends: base.as_ref().and_then(reference),
            parts: added,
            schema,
            schema_from,
            schema_of,
            profile: writer.seal_document(encode(checked.profile.to_bytes())?).await?,
            findings: writer.seal_document(findings_lines(&checked.reports)?).await?,
            verdict: verdict(&checked.reports, state.tier()),
            act: writer.act(&allowed),
        };
        let (version, root, verdict) = (body.version_ref(), body.root, body.verdict.clone());
        let written = writer.append(vec![Statement::about(body)]).await?;
        Ok(DatasetOutcome {
            version,
            root,
            entry: written.first().map(|written| written.entry).unwrap_or_default(),
            verdict,
            rows: checked.reports.iter().fold(0, |sum, report| sum.saturating_add(report.rows)),
            findings: checked.reports.iter().map(Report::render).collect(),
        })
    }

    /// Reads every delivery once, and checks it.
    async fn check_all(
        &self,
        state: &State,
        new: &NewDataset,
        last: Option<&Dataset>,
        sealed: &[Sealed],
    ) -> Result<Checked, Failed> {
        let tier = match state.tier() {
            Tier::Explore => bartizan_data::Tier::Explore,
            Tier::Release => bartizan_data::Tier::Release,
        };
        let (given, label) = (new.schema.clone(), new.label.clone());
        let (last, sealed) = (last.map(|last| last.body.schema.clone()), sealed.to_vec());
        self.blocking(move |inner| {
            let (schema, from) = inner.schema_for(given, label, last, &sealed)?;
            let mut reports = Vec::with_capacity(sealed.len());
            let mut profile: Option<Profile> = None;
            for one in &sealed {
                let report = check_source(inner.content(one)?, None, &schema, tier, threads())?;
                match &mut profile {
                    Some(profile) => {
                        profile
                            .merge(&report.profile)
                            .map_err(|error| Failed::invalid("deliveries", error))?;
                    }
                    None => profile = Some(report.profile.clone()),
                }
                reports.push(report);
            }
            let profile = profile.ok_or_else(|| Failed::invalid("deliveries", "there are none"))?;
            let schema = match from {
                SchemaFrom::Kept => CheckedBy::Kept,
                new => CheckedBy::New(new, schema.to_toml()?),
            };
            Ok(Checked { schema, reports, profile })
        })
        .await
    }

    async fn parts(
        &self,
        writer: &Writer<'_>,
        caller: &Caller,
        new: &NewDataset,
        sealed: &[Sealed],
        checked: &Checked,
        keep: bool,
    ) -> Result<Vec<PartV1>, Failed> {
        let mut made = Vec::with_capacity(sealed.len());
        for ((delivery, one), report) in new.deliveries.iter().zip(sealed).zip(&checked.reports) {
            if report.digest != one.digest {
                return Err(Failed::conflict(
                    "delivery",
                    "the bytes that were checked are not those that were stored",
                ));
            }
            made.push(PartV1 {
                digest: one.digest,
                bytes: one.size,
                rows: report.rows,
                source: writer.seal_document(delivery.source.clone().into_bytes()).await?,
                writer: caller.principal(),
                time: writer.now(),
                content: keep.then(|| private(one)),
            });
        }
        Ok(made)
    }

    /// Shows a data set version with its schema and sources.
    ///
    /// # Errors
    /// When the caller may not, or there is no such version.
    pub async fn show_dataset(&self, caller: &Caller, version: &VersionRef) -> Result<DatasetDetail, Failed> {
        let facts = DatasetFacts { name: version.name.clone(), version: Some(version.version) };
        self.allow(caller, op::DataShow, facts).await.map(|_| ())?;
        let state = self.state();
        let found = state.dataset(version).ok_or_else(|| Failed::not_found("data set version", version))?;
        let dataset = found.clone();
        self.blocking(move |inner| {
            let text = |private: &Private| {
                let read = read_private(&inner.keys, inner.blobs.as_ref(), private).ok();
                read.and_then(|(bytes, _)| String::from_utf8(bytes).ok())
            };
            let schema = text(&dataset.body.schema);
            let sources = dataset.parts.iter().map(|part| text(&part.source)).collect();
            Ok(DatasetDetail { dataset, schema, sources })
        })
        .await
    }
}

impl Inner {
    /// A delivery's content, to be read at any place.
    fn content(&self, sealed: &Sealed) -> Result<Source<'static>, Failed> {
        let unsealed = self.keys.unseal(self.blobs.as_ref(), &sealed.blob)?;
        Ok(Source::seekable(Anywhere { unsealed, position: 0 }))
    }

    fn schema_for(
        &self,
        given: Option<String>,
        label: Option<String>,
        last: Option<Private>,
        sealed: &[Sealed],
    ) -> Result<(Schema, SchemaFrom), Failed> {
        let last = match last {
            Some(private) => {
                let (bytes, _) = read_private(&self.keys, self.blobs.as_ref(), &private)?;
                let text =
                    String::from_utf8(bytes).map_err(|error| Failed::invalid("stored schema", error))?;
                Some(Schema::parse(&text)?)
            }
            None => None,
        };
        let given = given.map(|text| Schema::parse(&text)).transpose()?;
        match (given, last) {
            (Some(given), last) if last.as_ref() != Some(&given) => return Ok((given, SchemaFrom::Given)),
            (_, Some(last)) => return Ok((last, SchemaFrom::Kept)),
            (_, None) => {}
        }
        let first = sealed.first().ok_or_else(|| Failed::invalid("deliveries", "there are none"))?;
        let profiled = profile(self.content(first)?, &ProfileOptions::default(), threads());
        let (profile, read) = profiled.map_err(|error| match error {
            NotProfiled::Read(error) => Failed::Delivery(error),
            other => Failed::invalid("profile", other),
        })?;
        Ok((Schema::infer(&profile, read.format(), &InferOptions { label })?, SchemaFrom::Inferred))
    }
}

/// Encrypted content as a file that can be read at any place. That its digest is the one that was stored is compared
/// once a report names it.
struct Anywhere {
    unsealed: Unsealed,
    position: u64,
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
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn last_version<'a>(state: &'a State, name: &Name) -> Option<&'a Dataset> {
    state.datasets().get(name).and_then(|versions| versions.get_max()).map(|(_, found)| found)
}

fn next_version(state: &State, name: &Name) -> std::num::NonZeroU32 {
    let last = state.datasets().get(name).and_then(|versions| versions.get_max());
    last.and_then(|(last, _)| last.checked_add(1)).unwrap_or(std::num::NonZeroU32::MIN)
}

fn reference(dataset: &Dataset) -> Option<DatasetRef> {
    let version = dataset.body.version_ref()?;
    Some(DatasetRef { version, root: dataset.body.root, statement: dataset.statement })
}

fn verdict(reports: &[Report], tier: Tier) -> VerdictV1 {
    let count = |of: &dyn Fn(&Report) -> usize| {
        reports.iter().map(|report| u64::try_from(of(report)).unwrap_or(u64::MAX)).sum()
    };
    let worst = reports.iter().map(|report| report.outcome).max().unwrap_or(Outcome::Error);
    VerdictV1 {
        outcome: worst.as_str().to_owned(),
        tier,
        checks: count(&|report| report.checks),
        blocking: count(&Report::blocking),
        warnings: count(&Report::warnings),
    }
}

/// One canonical findings document for each delivery, a line each.
fn findings_lines(reports: &[Report]) -> Result<Vec<u8>, Failed> {
    let mut lines = Vec::new();
    for report in reports {
        lines.extend(encode(report.to_bytes())?);
        lines.push(b'\n');
    }
    Ok(lines)
}

fn encode(bytes: Result<Vec<u8>, bartizan_base::canonical::EncodeError>) -> Result<Vec<u8>, Failed> {
    bytes.map_err(|error| Failed::Sign(Box::new(error)))
}
