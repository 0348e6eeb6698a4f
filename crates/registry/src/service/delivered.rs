//! Where deliveries come from: sources whose signatures are checked, and data of this project they were made from.

use std::sync::Arc;

use bartizan_keys::Sealed;
use bartizan_policy::{DatasetFacts, op};

use super::datasets::{NewDataset, NewDerived, reference};
use super::write::Writer;
use super::{Caller, Failed, Registry};
use crate::limits::{DERIVED_FROM, SIGNED_PARTS_PER_STATEMENT};
use crate::state::State;
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
        let signed = new.deliveries.iter().filter(|delivery| delivery.signature.is_some()).count();
        if signed > SIGNED_PARTS_PER_STATEMENT {
            let why = format!("at most {SIGNED_PARTS_PER_STATEMENT} signed deliveries are added at once");
            return Err(Failed::invalid(format!("data set {}", new.name), why));
        }
        let names = self.source_names().await?;
        let mut from = Vec::with_capacity(sealed.len());
        let mut refused: Vec<RefusedDelivery> = Vec::with_capacity(sealed.len());
        for (delivery, one) in new.deliveries.iter().zip(sealed) {
            let named = |id: &&bartizan_base::SourceId| names.get(*id) == Some(&delivery.source);
            let source = state.sources().keys().find(named).copied();
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
