//! Where deliveries come from: sources whose signatures are checked, and data of this project they were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bartizan_base::{Digest, SourceId};
use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, op};

use super::datasets::{NewDataset, NewDerived, reference};
use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::limits::{
    COMPARED_WEIGHT, DATASET_WEIGHT, DERIVED_FROM, DERIVED_WEIGHT, PART_WEIGHT, SIGNATURE_WEIGHT,
    SIGNED_PARTS_PER_STATEMENT,
};
use crate::state::{Dataset, State};
use crate::statement::{
    DatasetRef, DerivedV1, FromSource, RefusalV1, RefusedBecause, RefusedDelivery, RunRef, Standing,
    Statement,
};

/// What deliveries were made from, found in the ledger.
pub(super) struct Derived {
    from: Vec<DatasetRef>,
    run: Option<RunRef>,
    transform: Option<String>,
}

impl Derived {
    /// How many data set versions it names.
    pub(super) const fn versions(&self) -> usize {
        self.from.len()
    }

    /// What a statement says of it.
    pub(super) async fn state(self, writer: &Writer<'_>) -> Result<DerivedV1, Failed> {
        let transform = match self.transform {
            Some(transform) => Some(writer.seal_document(transform.into_bytes()).await?),
            None => None,
        };
        Ok(DerivedV1 { from: self.from, run: self.run, transform })
    }
}

impl Registry {
    /// The source of each delivery, with its signature checked. Deliveries whose signature is missing or wrong are
    /// refused, on the record, before anything in them is read.
    pub(super) async fn sources_of(
        &self,
        caller: &Caller,
        state: &Arc<State>,
        new: &NewDataset,
        sealed: &[Sealed],
        demanded: bool,
    ) -> Result<Vec<Option<FromSource>>, Failed> {
        let names = self.source_names().await?;
        let mut from = Vec::with_capacity(sealed.len());
        let mut refused: Vec<RefusedDelivery> = Vec::with_capacity(sealed.len());
        for (delivery, one) in new.deliveries.iter().zip(sealed) {
            let source = source_of(state, &names, &delivery.source)?;
            let found = source.and_then(|id| state.sources().get(&id));
            if found.is_some_and(|found| found.standing != Standing::Active) {
                return Err(Failed::conflict(format!("source `{}`", delivery.source), "it is disabled"));
            }
            let (signature, unproven) = match (found.cloned(), delivery.signature.clone()) {
                (None, Some(_)) => return Err(Failed::not_found("source", &delivery.source)),
                (Some(found), Some(signature)) => {
                    let (name, one) = (new.name.clone(), one.clone());
                    let checked =
                        self.blocking(move |inner| inner.signed_by(&found, &signature, &one, &name));
                    match checked.await? {
                        Ok(signature) => (Some(signature), None),
                        Err(unproven) => (None, Some(unproven)),
                    }
                }
                (_, None) => (None, demanded.then(|| RefusedBecause::Unsigned.into())),
            };
            refused.push(RefusedDelivery {
                digest: one.digest,
                bytes: one.size,
                source,
                key: unproven.as_ref().and_then(|unproven| unproven.key),
                why: unproven.map(|unproven| unproven.why),
            });
            from.push(source.map(|source| FromSource { source, signature }));
        }
        let first = refused.iter().enumerate().find_map(|(at, one)| one.why.map(|why| (at, why)));
        let Some((at, why)) = first else { return Ok(from) };
        let writer = self.writer().await?;
        let facts = DatasetFacts { name: new.name.clone(), version: None };
        let allowed = writer.allow(caller, op::DataAdd, facts).await?;
        let body = RefusalV1 { name: new.name.clone(), deliveries: refused, act: writer.act(&allowed) };
        let written = writer.append(vec![Statement::about(body)]).await?;
        let entry = written.first().map(|written| written.entry).unwrap_or_default();
        Err(Failed::Unproven { name: new.name.clone(), number: at.saturating_add(1), why, entry })
    }
}

/// Refuses what does not fit an entry, before anything is read: `derived` is how many versions it was made from.
///
/// `compared` is how many things they are compared with.
pub(super) fn fits(new: &NewDataset, derived: usize, compared: usize) -> Result<(), Failed> {
    let signed = new.deliveries.iter().filter(|delivery| delivery.signature.is_some()).count();
    let weight = new.deliveries.len().saturating_mul(PART_WEIGHT);
    let weight = weight.saturating_add(signed.saturating_mul(SIGNATURE_WEIGHT));
    let weight = weight.saturating_add(derived.saturating_mul(DERIVED_WEIGHT));
    let weight = weight.saturating_add(compared.saturating_mul(COMPARED_WEIGHT));
    let why = if signed > SIGNED_PARTS_PER_STATEMENT {
        format!("at most {SIGNED_PARTS_PER_STATEMENT} signed deliveries are added at once")
    } else if weight > DATASET_WEIGHT {
        format!(
            "{} deliveries, {signed} of them signed, made from {derived} versions and compared with {compared} others, are \
             too much for one entry: add them in several steps",
            new.deliveries.len()
        )
    } else {
        return Ok(());
    };
    Err(Failed::invalid(format!("data set {}", new.name), why))
}

/// Refuses signed deliveries that the version already holds which they would extend, or that are there twice: a
/// signature says that its source delivered these bytes, not that it did so again.
pub(super) fn new_to(
    new: &NewDataset,
    last: Option<&Dataset>,
    (sealed, from): (&[Sealed], &[Option<FromSource>]),
) -> Result<(), Failed> {
    let extended = last.filter(|_| new.extend);
    let held = extended.map(|last| last.parts.as_slice()).unwrap_or_default();
    let mut seen: BTreeSet<Digest> = held.iter().map(|part| part.digest).collect();
    for (number, (one, from)) in (1_usize..).zip(sealed.iter().zip(from)) {
        let again = !seen.insert(one.digest);
        if again && from.as_ref().is_some_and(|from| from.signature.is_some()) {
            let what = format!("delivery {number} of {}", new.name);
            return Err(Failed::conflict(what, "the version would hold these signed bytes twice"));
        }
    }
    Ok(())
}

/// The source that a delivery is said to be from: by its id or its name, as in every command. Anything else is words,
/// unless it looks like an id: then it is a source that is not there.
fn source_of(
    state: &State,
    names: &BTreeMap<SourceId, String>,
    text: &str,
) -> Result<Option<SourceId>, Failed> {
    let by_id = text.parse().ok().filter(|id| state.sources().contains_key(id));
    let by_name = || names.iter().find(|(_, name)| *name == text).map(|(id, _)| *id);
    match by_id.or_else(by_name) {
        None if text.starts_with("src_") => Err(Failed::not_found("source", text)),
        found => Ok(found),
    }
}

/// Resolves what deliveries were made from: the versions named, or those that the run was given.
pub(super) fn derive(state: &State, new: &NewDerived) -> Result<Derived, Failed> {
    let run = match new.run {
        None => None,
        Some(id) => {
            let found = state.runs().get(&id).ok_or_else(|| Failed::not_found("run", id))?;
            Some((RunRef { run: id, statement: found.statement }, &found.body.inputs))
        }
    };
    let from = match (&run, new.from.as_slice()) {
        (Some((_, inputs)), []) => (*inputs).clone(),
        (_, named) => {
            let mut from = Vec::with_capacity(named.len());
            for version in named {
                let found = state.dataset(version).and_then(reference);
                from.push(found.ok_or_else(|| Failed::not_found("data set version", version))?);
            }
            from
        }
    };
    if from.is_empty() || from.len() > DERIVED_FROM {
        let why = format!("data is made from 1 to {DERIVED_FROM} data set versions of this project");
        return Err(Failed::invalid("derived data", why));
    }
    let given = |(_, inputs): &(RunRef, &Vec<DatasetRef>)| from.iter().all(|from| inputs.contains(from));
    if run.as_ref().is_some_and(|run| !given(run)) {
        return Err(Failed::invalid("derived data", "the run was not given all that is named"));
    }
    Ok(Derived { from, run: run.map(|(run, _)| run), transform: new.transform.clone() })
}
