//! Folding statements about assets: data sets, origins, model versions, approvals, states and aliases.

use std::collections::BTreeSet;

use bartizan_base::{AliasRef, Digest, Name, VersionRef, canonical, sha256};
use bartizan_policy::{Makers, Tier, approvals};

use super::{
    Approval, Coverage, Dataset, NotAdmitted, Origin, OriginSource, State, Stop, Version, edge, version_what,
};
use crate::deed::Deed;
use crate::limits::{DERIVED_FROM, GUARDED_ALIASES, PARTS_PER_STATEMENT};
use crate::parts;
use crate::statement::{
    AliasV1, ApprovalV1, Covers, DatasetRef, DatasetV1, DerivedV1, ModelStateV1, ModelVersionV1, OriginV1,
    SchemaFrom, Sensitivity, StatementRef, VersionState,
};

impl State {
    pub(super) fn apply_dataset(&mut self, at: StatementRef, body: &DatasetV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        self.consume(index, &body.act, &Deed::data_add(&body.name))?;
        let what = || format!("data set {}", body.name);
        if body.parts.is_empty() || body.parts.len() > PARTS_PER_STATEMENT {
            return Err(edge(index, what(), "it adds no parts, or too many at once"));
        }
        let valid = body.verdict.outcome == "valid";
        if valid != body.version.is_some() {
            return Err(edge(index, what(), "valid deliveries, and no others, make a version"));
        }
        if body.parts.iter().any(|part| part.content.is_some() != valid) {
            return Err(edge(index, what(), "accepted deliveries, and no others, are kept"));
        }
        if valid && body.verdict.blocking != 0 {
            return Err(edge(index, what(), "it is valid in spite of findings that block"));
        }
        if body.verdict.tier != self.tier() {
            return Err(edge(index, what(), "its findings were weighed in another tier"));
        }
        if body.parts.iter().any(|part| part.writer != body.act.by) {
            return Err(edge(index, what(), "somebody else delivered a part of it"));
        }
        if body.extends.as_ref().is_some_and(|extended| extended.version.name != body.name) {
            return Err(edge(index, what(), "it extends another data set"));
        }
        self.check_schema(index, body)?;
        self.check_demand(index, body)?;
        self.check_sources(index, &body.name, &body.parts, body.require_signature)?;
        if let Some(derived) = &body.derived {
            self.check_derived(index, body, derived)?;
        }
        if let Some(compared) = &body.compared {
            self.check_compared(index, body, compared)?;
        }
        let earlier = match &body.extends {
            Some(extended) => self.known_parts(index, extended)?,
            None => Some(Vec::new()),
        };
        let complete = earlier.is_some();
        let mut all = earlier.unwrap_or_default();
        all.extend(body.parts.iter().cloned());
        if complete && parts::root(&all).ok() != Some(body.root) {
            return Err(edge(index, what(), "its root is not that of its parts"));
        }
        let Some(version) = body.version else { return Ok(()) };
        let versions = self.datasets.entry(body.name.clone()).or_default();
        let last = versions.get_max().map_or(0, |(last, _)| last.get());
        let follows = match self.coverage {
            Coverage::Whole => version.get() == last.saturating_add(1),
            Coverage::Excerpt => version.get() > last,
        };
        if !follows {
            return Err(edge(index, what(), "its version does not follow the last one"));
        }
        let parts = if complete { all } else { Vec::new() };
        versions.insert(version, Dataset { statement: at, body: body.clone(), parts });
        Ok(())
    }

    /// Checks where the schema comes from: a kept one names the version that chose it. In tier release a data set keeps the schema of its first version: whoever
    /// delivers data does not choose anew what it is checked against.
    fn check_schema(&self, index: u64, body: &DatasetV1) -> Result<(), NotAdmitted> {
        let what = || format!("data set {}", body.name);
        match &body.schema_of {
            Some(kept) if body.schema_from == SchemaFrom::Kept => {
                let found = self.dataset(&kept.version).filter(|found| found.statement == kept.statement);
                let found = found
                    .ok_or_else(|| edge(index, what(), "the version whose schema it keeps is not there"))?;
                let chosen = found.body.schema_from != SchemaFrom::Kept;
                if !chosen || kept.version.name != body.name || found.body.schema != body.schema {
                    return Err(edge(index, what(), "its schema is not the one that it says it keeps"));
                }
                Ok(())
            }
            None if body.schema_from != SchemaFrom::Kept => {
                let first = body.version.is_none_or(|version| version.get() == 1);
                if self.tier() == Tier::Release && !first {
                    return Err(edge(index, what(), "in tier release a data set keeps its schema"));
                }
                Ok(())
            }
            _ => Err(edge(index, what(), "it keeps a schema, and names whose, or neither")),
        }
    }

    /// Once a data set takes signed deliveries alone, it does so for ever.
    fn check_demand(&self, index: u64, body: &DatasetV1) -> Result<(), NotAdmitted> {
        let last = self.datasets.get(&body.name).and_then(|versions| versions.get_max());
        if last.is_some_and(|(_, last)| last.body.require_signature) && !body.require_signature {
            let what = format!("data set {}", body.name);
            return Err(edge(index, what, "it does not take signed deliveries alone any more"));
        }
        Ok(())
    }

    /// Checks what a version says that it was made from: versions that are there, and a run that was given them.
    fn check_derived(&self, index: u64, body: &DatasetV1, derived: &DerivedV1) -> Result<(), NotAdmitted> {
        let refuse = |why| Err(edge(index, format!("data set {}", body.name), why));
        if derived.from.is_empty() || derived.from.len() > DERIVED_FROM {
            return refuse("it was made from nothing, or from too much");
        }
        self.known_datasets(index, &derived.from)?;
        let Some(run) = &derived.run else { return Ok(()) };
        let Some(found) = self.runs.get(&run.run).filter(|found| found.statement == run.statement) else {
            return refuse("no entry starts the run that made it");
        };
        if !derived.from.iter().all(|from| found.body.inputs.contains(from)) {
            return refuse("the run that made it was given other data");
        }
        Ok(())
    }

    /// The parts of a version that is extended; `None` in an excerpt that does not hold all of them.
    fn known_parts(
        &self,
        index: u64,
        extended: &DatasetRef,
    ) -> Result<Option<Vec<crate::statement::PartV1>>, NotAdmitted> {
        match self.dataset(&extended.version) {
            Some(found) if found.body.root == extended.root && found.statement == extended.statement => {
                Ok((!found.parts.is_empty()).then(|| found.parts.clone()))
            }
            Some(_) => Err(edge(index, &extended.version, "the version it extends has another root")),
            None if self.coverage == Coverage::Excerpt => Ok(None),
            None => Err(edge(index, &extended.version, "the version it extends does not exist")),
        }
    }

    pub(super) fn apply_origin(&mut self, at: StatementRef, body: &OriginV1) -> Result<(), NotAdmitted> {
        self.known_datasets(at.entry, &body.trained_on)?;
        self.active_principal(at.entry, body.act.by)?;
        self.origins.insert(
            at.entry,
            Origin { statement: at, source: OriginSource::Declared(Box::new(body.clone())) },
        );
        Ok(())
    }

    /// Checks that references to data sets are to accepted versions.
    pub(super) fn known_datasets(&self, index: u64, named: &[DatasetRef]) -> Result<(), NotAdmitted> {
        for dataset in named {
            let same = self
                .dataset(&dataset.version)
                .is_some_and(|found| found.body.root == dataset.root && found.statement == dataset.statement);
            if !same {
                return Err(edge(index, &dataset.version, "no accepted data set version is this one"));
            }
        }
        Ok(())
    }

    pub(super) fn apply_model_version(
        &mut self,
        at: StatementRef,
        body: &ModelVersionV1,
    ) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let what = || version_what(&body.version);
        let origin = self.origins.get(&body.origin.entry).filter(|origin| origin.statement == body.origin);
        let origin = origin.ok_or_else(|| edge(index, what(), "no entry is the origin it names"))?;
        if origin.manifest() != Some(body.manifest) || *origin.act() != body.act {
            return Err(edge(index, what(), "its origin is about another model or another import"));
        }
        let deed = match &origin.source {
            OriginSource::Declared(_) => Deed::model_import(&body.version),
            OriginSource::Trained { run, .. } if run.model == body.version.name => {
                Deed::model_push(&body.version)
            }
            OriginSource::Trained { .. } => {
                return Err(edge(index, what(), "the run was started for another model"));
            }
        };
        self.consume(index, &body.act, &deed)?;
        if body.sensitivity != Sensitivity::Sensitive && self.sensitive(&body.version.name, body.manifest) {
            return Err(edge(index, what(), "the model, or these very files, were sensitive before"));
        }
        if self.stopped(body.manifest).is_some() {
            return Err(edge(index, what(), "its very files are stopped already"));
        }
        let model = self.models.entry(body.version.name.clone()).or_default();
        let last = model.versions.get_max().map_or(0, |(last, _)| last.get());
        let follows = match self.coverage {
            Coverage::Whole => body.version.version.get() == last.saturating_add(1),
            Coverage::Excerpt => body.version.version.get() > last,
        };
        if !follows {
            return Err(edge(index, what(), "its version does not follow the last one"));
        }
        let version = Version {
            statement: at,
            body: body.clone(),
            state: VersionState::Candidate,
            state_entries: Vec::new(),
            last_reason: None,
            last_stop: None,
            approvals: Vec::new(),
            carried_by: Vec::new(),
        };
        model.versions.insert(body.version.version, version);
        self.same_files.entry(body.manifest).or_default().push_back(body.version.clone());
        Ok(())
    }

    pub(super) fn apply_approval(&mut self, at: StatementRef, body: &ApprovalV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let open = self.consume(index, &body.act, &Deed::model_approve(&body.version))?;
        let what = || version_what(&body.version);
        let covers = self.covers(&body.version).ok_or_else(|| edge(index, what(), "it does not exist"))?;
        if body.covers != covers {
            return Err(edge(index, what(), "the approval covers another manifest, evidence or policy"));
        }
        if body.self_approved != open.self_approved {
            return Err(edge(index, what(), "an approval that waives separation of duties must say so"));
        }
        if let Some(version) = self.version_mut(&body.version) {
            version.approvals.push(Approval { statement: at, body: body.clone() });
        }
        Ok(())
    }

    pub(super) fn apply_model_state(&mut self, index: u64, body: &ModelStateV1) -> Result<(), NotAdmitted> {
        let what = || version_what(&body.version);
        let found = self.version(&body.version).ok_or_else(|| edge(index, what(), "it does not exist"))?;
        if found.state != body.from || found.body.manifest != body.manifest {
            return Err(edge(index, what(), "it is another manifest or in another state"));
        }
        if found.state_entry() != body.previous {
            return Err(edge(index, what(), "it does not follow the last change of its state"));
        }
        match body.to {
            VersionState::Approved => self.check_carried(index, body)?,
            VersionState::Quarantined => {
                self.consume(index, &body.act, &Deed::model_quarantine(&body.version)).map(|_| ())?;
            }
            VersionState::Retired => {
                self.consume(index, &body.act, &Deed::model_retire(&body.version)).map(|_| ())?;
            }
            VersionState::Revoked => {
                self.consume(index, &body.act, &Deed::model_revoke(&body.version)).map(|_| ())?;
            }
            VersionState::Candidate => return Err(edge(index, what(), "nothing becomes a candidate again")),
        }
        if !body.from.may_become(body.to) {
            return Err(edge(index, what(), "that change of state is not possible"));
        }
        if let Some(version) = self.version_mut(&body.version) {
            version.state = body.to;
            version.state_entries.push(index);
            version.carried_by.clone_from(&body.approvals);
            version.last_reason.clone_from(&body.reason);
            if body.to != VersionState::Approved {
                version.last_stop = Some(Stop { by: body.act.by, entry: index, to: body.to });
            }
        }
        Ok(())
    }

    /// Checks that enough valid approvals carry a change to `approved`; they hold the decisions.
    fn check_carried(&self, index: u64, body: &ModelStateV1) -> Result<(), NotAdmitted> {
        let what = || version_what(&body.version);
        let found = self.version(&body.version).ok_or_else(|| edge(index, what(), "it does not exist"))?;
        if body.from != VersionState::Quarantined && self.stopped_twin(found).is_some() {
            return Err(edge(index, what(), "its very files are stopped under another name"));
        }
        let verdict =
            self.approvals(&body.version).ok_or_else(|| edge(index, what(), "it does not exist"))?;
        if !verdict.complete() {
            return Err(edge(index, what(), "it lacks approvals by enough different people"));
        }
        let counted: Vec<StatementRef> =
            self.counted_approvals(&body.version).iter().map(|approval| approval.statement).collect();
        if body.approvals != counted {
            return Err(edge(index, what(), "it cites other approvals than those that count"));
        }
        let last = self.counted_approvals(&body.version).last().copied();
        let carries = last.is_some_and(|last| {
            last.body.act == body.act && last.statement.entry.checked_add(1) == Some(index)
        });
        if !carries {
            return Err(edge(index, what(), "it does not come with the approval that completes it"));
        }
        Ok(())
    }

    /// What the approvals of a version amount to now, by the rules of `bartizan_policy::approvals`.
    pub fn approvals(&self, version: &VersionRef) -> Option<approvals::Verdict> {
        let found = self.version(version)?;
        let makers = self.makers(version);
        let case = approvals::Case {
            tier: self.tier(),
            sensitive: found.body.sensitivity == Sensitivity::Sensitive,
            makers: &makers,
            covers: policy_covers(self.covers(version)?),
            stop: found.last_stop.map(|stop| approvals::Stop {
                quarantined_by: (stop.to == VersionState::Quarantined).then(|| self.person(stop.by)),
                index: stop.entry,
            }),
            raised: self.project().and_then(|project| project.raised),
            policy_since: self.policies.last().map_or(0, |(entry, _)| *entry),
        };
        let given: Vec<approvals::Approval> = found
            .approvals
            .iter()
            .map(|approval| approvals::Approval {
                by: self.person(approval.body.act.by),
                covers: policy_covers(approval.body.covers),
                index: approval.statement.entry,
            })
            .collect();
        Some(approvals::evaluate(case, &given))
    }

    /// The approvals that count now.
    pub fn counted_approvals(&self, version: &VersionRef) -> Vec<&Approval> {
        let (Some(found), Some(verdict)) = (self.version(version), self.approvals(version)) else {
            return Vec::new();
        };
        let discounted: Vec<u64> = verdict.discounted.iter().map(|(index, _)| *index).collect();
        found.approvals.iter().filter(|approval| !discounted.contains(&approval.statement.entry)).collect()
    }

    /// What an approval of this version covers today.
    pub fn covers(&self, version: &VersionRef) -> Option<Covers> {
        let found = self.version(version)?;
        let policy = self.policy()?;
        let origin = self.origins.get(&found.body.origin.entry)?;
        let mut evidence: Vec<Digest> = vec![found.statement.payload, origin.statement.payload];
        evidence.extend(origin.trained_on().iter().map(|dataset| dataset.statement.payload));
        let evidence = sha256(&canonical::to_bytes(&evidence).ok()?);
        Some(Covers { manifest: found.body.manifest, evidence, policy })
    }

    pub(super) fn apply_alias(&mut self, index: u64, body: &AliasV1) -> Result<(), NotAdmitted> {
        let what = || format!("alias {}@{}", body.model, body.alias);
        let named = match body.version {
            Some(version) => version,
            None => {
                let model = self.models.get(&body.model);
                let now = model.and_then(|model| model.aliases.get(&body.alias));
                now.ok_or_else(|| edge(index, what(), "it does not exist"))?.0
            }
        };
        let alias = AliasRef { name: body.model.clone(), alias: body.alias.clone() };
        self.consume(index, &body.act, &Deed::alias_set(&alias, named))?;
        let version = VersionRef::new(body.model.clone(), named);
        let found =
            self.version(&version).ok_or_else(|| edge(index, what(), "its version does not exist"))?;
        if found.body.manifest != body.manifest {
            return Err(edge(index, what(), "its version has another manifest"));
        }
        let guarded = GUARDED_ALIASES.contains(&body.alias.as_str());
        let approved = found.state == VersionState::Approved
            && self.approvals(&version).is_some_and(|verdict| verdict.complete());
        if body.version.is_some() && (found.stopped() || (guarded && !approved)) {
            return Err(edge(index, what(), "its version is stopped, or not approved for a guarded alias"));
        }
        let Some(model) = self.models.get_mut(&body.model) else { return Ok(()) };
        match body.version {
            Some(version) => {
                model.removed_aliases.remove(&body.alias);
                model.aliases.insert(body.alias.clone(), (version, index));
            }
            None => {
                model.aliases.remove(&body.alias);
                model.removed_aliases.insert(body.alias.clone(), index);
            }
        }
        Ok(())
    }

    /// Whether a version of the model, or these very files under any name, are sensitive: what is stays so.
    pub fn sensitive(&self, model: &Name, manifest: Digest) -> bool {
        let of_model = self.models.get(model).into_iter().flat_map(|found| found.versions.values());
        of_model
            .chain(self.of_files(manifest))
            .any(|version| version.body.sensitivity == Sensitivity::Sensitive)
    }

    /// Who had a hand in a version, as separation of duties counts it.
    pub fn makers(&self, version: &VersionRef) -> Makers {
        let Some(found) = self.version(version) else { return Makers::default() };
        let by = BTreeSet::from([self.person(found.body.act.by)]);
        match self.origin_of(found).map(|origin| &origin.source) {
            Some(OriginSource::Trained { .. }) => Makers { trained: by, ..Makers::default() },
            Some(OriginSource::Declared(_)) | None => Makers { imported: by, ..Makers::default() },
        }
    }
}

fn policy_covers(covers: Covers) -> approvals::Covers {
    approvals::Covers { manifest: covers.manifest, evidence: covers.evidence, policy: covers.policy }
}
