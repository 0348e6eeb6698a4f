//! Data sets: deliveries are checked against a schema, and accepted as a version or refused, on the record.

use bartizan_base::{Digest, Name, PrincipalId, RunId, VersionRef};
use bartizan_data::openlineage::Table;
use bartizan_data::unusual::Delivered;
use bartizan_data::{Compared, Outcome};
use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, Tier, op};

use super::beside::{Brought, Gathered, NewBeside};
use super::checked::{By, Checked, CheckedBy, Weighed};
use super::delivered;
use super::models::check_text;
use super::unusual;
use super::uploads::UploadId;
use super::write::{Writer, private};
use super::{Caller, Failed, Registry};
use crate::limits::PARTS_PER_STATEMENT;
use crate::parts;
use crate::proof::read_private;
use crate::state::{Dataset, State};
use crate::statement::{
    DatasetRef, DatasetV1, FromSource, PartV1, Private, SchemaFrom, Statement, VerdictV1,
};

/// One delivery of data that was uploaded.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The upload with its content.
    pub upload: UploadId,
    /// Where it comes from: the name of a source of this project, or words.
    pub source: String,
    /// The source's detached signature over the bytes.
    pub signature: Option<Vec<u8>>,
}

/// What deliveries were made from, when that is data of this project.
#[derive(Debug, Clone)]
pub struct NewDerived {
    /// The data set versions; none for those that the run was given.
    pub from: Vec<VersionRef>,
    /// The run that made them.
    pub run: Option<RunId>,
    /// What was done, in words or as a command.
    pub transform: Option<String>,
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
    /// Whether it takes signed deliveries alone, from this version on and for ever.
    pub require_signature: bool,
    /// What the deliveries were made from.
    pub derived: Option<NewDerived>,
    /// What rules of the schema may need beside the deliveries.
    pub beside: NewBeside,
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
    /// How many of the warnings would refuse the deliveries in tier release.
    pub spared: u64,
    /// What they were compared with beside the schema.
    pub compared: Compared,
    /// Rows that were delivered.
    pub rows: u64,
    /// What was found, for people; one report for each delivery.
    pub findings: Vec<String>,
    /// How many values each delivery has, and which rules it breaks.
    pub tables: Vec<Table>,
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
    /// What was done to the data that it was made from, unless it was erased.
    pub transform: Option<String>,
    /// In what its deliveries are unlike those that the same source made before, in words.
    pub unusual: Vec<String>,
}

impl Registry {
    /// Checks uploaded deliveries and makes them a version of a data set, or refuses them. Either way the
    /// verdict is in the ledger; what was refused is not kept.
    ///
    /// # Errors
    /// When the caller may not, a delivery cannot be read to its end, or the schema is wrong. Nothing is then
    /// accepted, and what was uploaded for it is destroyed.
    pub async fn add_data(&self, caller: &Caller, new: NewDataset) -> Result<DatasetOutcome, Failed> {
        let mut taken = Vec::with_capacity(new.deliveries.len());
        let mut missing = None;
        for delivery in &new.deliveries {
            match self.take_upload(caller, delivery.upload) {
                Ok(one) => taken.push(one),
                Err(failed) => missing = Some(failed),
            }
        }
        let sealed = taken.iter().map(|one| one.sealed().clone()).collect();
        let (brought, also_missing) = self.take_beside(caller, &new.beside);
        let added = match missing.or(also_missing) {
            Some(failed) => Err(failed),
            None => self.add_sealed(caller, &new, sealed, &brought).await,
        };
        let accepted = match &added {
            Ok(outcome) => outcome.version.is_some(),
            Err(failed) => failed.may_have_happened(),
        };
        // What happened to an order whose end nobody knows may name all of it.
        let named =
            added.as_ref().map_or(accepted, |outcome| accepted && outcome.compared.reference.is_some());
        let mut unused = brought.unused(named);
        if !accepted {
            unused.extend(taken);
        }
        self.discard(unused).await;
        added
    }

    /// Destroys uploads that were made for an order that nobody can carry out; what is not there, or of others, stays.
    pub async fn discard_uploads(&self, caller: &Caller, uploads: &[UploadId]) {
        let taken = uploads.iter().filter_map(|upload| self.take_upload(caller, *upload).ok()).collect();
        self.discard(taken).await;
    }

    async fn add_sealed(
        &self,
        caller: &Caller,
        new: &NewDataset,
        sealed: Vec<Sealed>,
        brought: &Brought,
    ) -> Result<DatasetOutcome, Failed> {
        if sealed.is_empty() || sealed.len() > PARTS_PER_STATEMENT {
            let why = format!("1 to {PARTS_PER_STATEMENT} deliveries make a version");
            return Err(Failed::invalid(format!("data set {}", new.name), why));
        }
        delivered::fits(new, 0, 0)?;
        for delivery in &new.deliveries {
            check_text("source", &delivery.source)?;
        }
        let facts = DatasetFacts { name: new.name.clone(), version: None };
        if let Some(transform) = new.derived.as_ref().and_then(|derived| derived.transform.as_ref()) {
            check_text("transform", transform)?;
        }
        // Reading the deliveries takes as long as it takes, and nobody waits for it: a quarantine least of all.
        self.ask_early(caller, op::DataAdd, facts.clone()).await?;
        let state = self.state();
        let last = last_version(&state, &new.name).cloned();
        let derived = new.derived.as_ref().map(|derived| delivered::derive(&state, derived)).transpose()?;
        let gathered = self.gather(caller, &state, &new.beside, brought, last.as_ref()).await?;
        delivered::fits(new, derived.as_ref().map_or(0, delivered::Derived::versions), gathered.count())?;
        let demanded = new.require_signature || last.as_ref().is_some_and(|last| last.body.require_signature);
        let from = self.sources_of(caller, &state, new, &sealed, demanded).await?;
        delivered::new_to(new, last.as_ref(), (&sealed, &from))?;
        let checked = self.check_all(&state, new, last.as_ref(), &sealed, gathered.clone()).await?;
        let writer = &self.writer().await?;
        let (before, state) = (state, writer.state());
        unchanged(&new.name, last.as_ref(), &from, (&before, &state))?;
        let allowed = writer.allow(caller, op::DataAdd, facts).await?;
        let unusual = self.compare((writer, caller.principal()), new, &sealed, (&checked, &from)).await?;
        let valid = checked.weighed.iter().all(|report| report.outcome == Outcome::Valid);
        let added = self.parts(writer, caller, new, (&sealed, from), &checked, valid).await?;
        let (schema, schema_from, schema_of) =
            stated_schema(writer, &new.name, checked.schema, last.as_ref()).await?;
        let base = last.filter(|_| valid && new.extend);
        let mut all = base.as_ref().map(|base| base.parts.clone()).unwrap_or_default();
        all.extend(added.iter().cloned());
        let mut weighed = verdict(&checked.weighed, state.tier());
        weighed.checks = weighed.checks.saturating_add(unusual.checks);
        let warned = u64::try_from(unusual.lines.len()).unwrap_or(u64::MAX);
        weighed.warnings = weighed.warnings.saturating_add(warned);
        let body = DatasetV1 {
            name: new.name.clone(),
            version: valid.then(|| next_version(&state, &new.name)),
            root: parts::root(&all).map_err(|error| Failed::Sign(Box::new(error)))?,
            extends: base.as_ref().and_then(reference),
            parts: added,
            schema,
            schema_from,
            schema_of,
            profile: writer.seal_document(checked.profile).await?,
            findings: writer.seal_document(findings_lines(&checked.weighed, unusual.document)).await?,
            require_signature: demanded,
            derived: match derived {
                Some(derived) => Some(Box::new(derived.state(writer).await?)),
                None => None,
            },
            compared: gathered.stated(&checked.compared, &checked.tables, valid),
            verdict: weighed,
            act: writer.act(&allowed),
        };
        let findings = checked.weighed.iter().map(|one| one.text.clone()).chain(unusual.lines).collect();
        let (version, root, verdict) = (body.version_ref(), body.root, body.verdict.clone());
        let written = writer.append(vec![Statement::about(body)]).await?;
        Ok(DatasetOutcome {
            version,
            root,
            entry: written.first().map(|written| written.entry).unwrap_or_default(),
            verdict,
            spared: checked.weighed.iter().fold(0, |sum, report| sum.saturating_add(report.spared)),
            compared: checked.compared,
            rows: checked.weighed.iter().fold(0, |sum, report| sum.saturating_add(report.rows)),
            findings,
            tables: checked.weighed.into_iter().map(|one| one.table).collect(),
        })
    }

    /// Reads every delivery once, and checks it.
    async fn check_all(
        &self,
        state: &State,
        new: &NewDataset,
        last: Option<&Dataset>,
        sealed: &[Sealed],
        beside: Gathered,
    ) -> Result<Checked, Failed> {
        let tier = match state.tier() {
            Tier::Explore => bartizan_data::Tier::Explore,
            Tier::Release => bartizan_data::Tier::Release,
        };
        let (given, label) = (new.schema.clone(), new.label.clone());
        let by = By { given, label, last: last.map(|last| last.body.schema.clone()), tier, beside };
        let sealed = sealed.to_vec();
        self.blocking(move |inner| inner.check_deliveries(by, &sealed)).await
    }

    /// Compares the deliveries with those that the same sources made before.
    async fn compare(
        &self,
        (writer, by): (&Writer<'_>, PrincipalId),
        new: &NewDataset,
        sealed: &[Sealed],
        (checked, from): (&Checked, &[Option<FromSource>]),
    ) -> Result<unusual::Found, Failed> {
        let (state, name) = (writer.state(), new.name.clone());
        let each = sealed.iter().zip(&checked.weighed).zip(from).map(|((one, report), from)| unusual::New {
            from: from.clone(),
            delivered: Delivered {
                at: writer.now(),
                rows: report.rows,
                bytes: one.size,
                writer: by.to_string(),
            },
            columns: report.columns.clone(),
        });
        let each: Vec<unusual::New> = each.collect();
        self.blocking(move |inner| inner.unusual(&state, &name, &each)).await
    }

    async fn parts(
        &self,
        writer: &Writer<'_>,
        caller: &Caller,
        new: &NewDataset,
        (sealed, from): (&[Sealed], Vec<Option<FromSource>>),
        checked: &Checked,
        keep: bool,
    ) -> Result<Vec<PartV1>, Failed> {
        let mut made = Vec::with_capacity(sealed.len());
        for (((delivery, one), report), from) in
            new.deliveries.iter().zip(sealed).zip(&checked.weighed).zip(from)
        {
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
                from,
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
            let transform = dataset.body.derived.as_ref().and_then(|derived| derived.transform.as_ref());
            let transform = transform.and_then(&text);
            let unusual = text(&dataset.body.findings).map(|lines| unusual::read(&lines)).unwrap_or_default();
            Ok(DatasetDetail { dataset, schema, sources, transform, unusual })
        })
        .await
    }
}

/// Refuses when what the deliveries were read against is not so any more.
fn unchanged(
    name: &Name,
    last: Option<&Dataset>,
    from: &[Option<FromSource>],
    (before, now): (&State, &State),
) -> Result<(), Failed> {
    let refuse = |what: &str| {
        let why = format!("{what} changed while the deliveries were read: add them again");
        Err(Failed::conflict(format!("data set {name}"), why))
    };
    if last_version(now, name) != last || now.tier() != before.tier() {
        return refuse("it, or the tier,");
    }
    // Refusals are counted there too, and whoever makes them must not be able to stop others.
    let trusted = |state: &State, from: &FromSource| {
        state.sources().get(&from.source).map(|source| (source.standing, source.keys.clone()))
    };
    let same = |from: &FromSource| trusted(now, from) == trusted(before, from);
    if from.iter().flatten().all(same) { Ok(()) } else { refuse("what is known of its source") }
}

/// What a statement says of the schema: where it lies, where it comes from, and which version chose a kept one.
async fn stated_schema(
    writer: &Writer<'_>,
    name: &Name,
    checked: CheckedBy,
    last: Option<&Dataset>,
) -> Result<(Private, SchemaFrom, Option<DatasetRef>), Failed> {
    match (checked, last) {
        (CheckedBy::Kept, Some(last)) => {
            // The version that chose the schema, so that a proof needs no chain of those that kept it.
            let chosen = last.body.schema_of.clone().or_else(|| reference(last));
            Ok((last.body.schema.clone(), SchemaFrom::Kept, chosen))
        }
        (CheckedBy::Kept, None) => Err(Failed::Interrupted),
        (CheckedBy::New(..), Some(_)) if writer.state().tier() == Tier::Release => Err(Failed::conflict(
            format!("data set {name}"),
            "in tier release it keeps its schema; data of another shape is another data set",
        )),
        (CheckedBy::New(from, text), _) => Ok((writer.seal_document(text.into_bytes()).await?, from, None)),
    }
}

fn last_version<'a>(state: &'a State, name: &Name) -> Option<&'a Dataset> {
    state.datasets().get(name).and_then(|versions| versions.get_max()).map(|(_, found)| found)
}

fn next_version(state: &State, name: &Name) -> std::num::NonZeroU32 {
    let last = state.datasets().get(name).and_then(|versions| versions.get_max());
    last.and_then(|(last, _)| last.checked_add(1)).unwrap_or(std::num::NonZeroU32::MIN)
}

pub(super) fn reference(dataset: &Dataset) -> Option<DatasetRef> {
    let version = dataset.body.version_ref()?;
    Some(DatasetRef { version, root: dataset.body.root, statement: dataset.statement })
}

fn verdict(weighed: &[Weighed], tier: Tier) -> VerdictV1 {
    let sum =
        |of: &dyn Fn(&Weighed) -> u64| weighed.iter().fold(0_u64, |sum, one| sum.saturating_add(of(one)));
    let worst = weighed.iter().map(|one| one.outcome).max().unwrap_or(Outcome::Error);
    VerdictV1 {
        outcome: worst.as_str().to_owned(),
        tier,
        checks: sum(&|one| one.checks),
        blocking: sum(&|one| one.blocking),
        warnings: sum(&|one| one.warnings),
    }
}

/// One canonical findings document for each delivery, a line each, and one for what is unusual about them.
fn findings_lines(weighed: &[Weighed], unusual: Option<Vec<u8>>) -> Vec<u8> {
    let mut lines = Vec::new();
    for document in weighed.iter().map(|one| &one.document).chain(&unusual) {
        lines.extend(document);
        lines.push(b'\n');
    }
    lines
}
