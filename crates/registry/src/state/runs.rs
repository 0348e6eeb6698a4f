//! Folding statements about training runs.

use bartizan_base::Digest;

use super::{NotAdmitted, Origin, OriginSource, Run, State, edge};
use crate::deed::Deed;
use crate::limits::ENVIRONMENT_PARTS;
use crate::statement::{
    ENVIRONMENT_BASE_URI, ENVIRONMENT_URI, ProvenanceV1, RUN_BUILD_TYPE, RUN_BUILDER, ResourceDescriptor,
    RunEnd, RunV1, StatementRef,
};

impl State {
    pub(super) fn apply_run(&mut self, at: StatementRef, body: &RunV1) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let project = self.project().map(|project| project.id);
        let project = project.ok_or_else(|| edge(index, body.run, "there is no project"))?;
        self.consume(index, &body.act, &Deed::run_start(project))?;
        self.known_datasets(index, &body.inputs)?;
        if self.runs.contains_key(&body.run) {
            return Err(edge(index, body.run, "a run is started once"));
        }
        if body.code.is_some() != body.code_manifest.is_some() {
            return Err(edge(index, body.run, "code has a digest and a manifest, or neither"));
        }
        self.runs.insert(body.run, Run { statement: at, body: body.clone(), ended: None, told: None });
        Ok(())
    }

    /// What came of a run. With an output it is the origin of a model version, which the next statement makes by the
    /// same act.
    pub(super) fn apply_provenance(
        &mut self,
        at: StatementRef,
        body: &ProvenanceV1,
    ) -> Result<(), NotAdmitted> {
        let index = at.entry;
        let run = body.run_details.metadata.invocation_id;
        let refuse = |why| edge(index, run, why);
        let inner = &body.build_definition.internal_parameters;
        let found = self.runs.get(&run).ok_or_else(|| refuse("no entry says that it was started"))?;
        if found.ended.is_some() {
            return Err(refuse("a run ends once"));
        }
        if found.statement != inner.started || !follows(body, &found.body) {
            return Err(refuse("it was started otherwise"));
        }
        if inner.output.is_some() != (inner.end == RunEnd::Succeeded) || inner.act.by != found.body.act.by {
            return Err(refuse("a run that succeeded, and no other, has an output, which its starter takes"));
        }
        if inner.output.is_none() && inner.act.decision.is_some() {
            return Err(refuse("nothing is decided about a run without an output"));
        }
        let run_body = found.body.clone();
        if let Some(started) = self.runs.get_mut(&run) {
            started.ended = Some((at, inner.end));
            started.told = Some((inner.environment.clone(), inner.log.clone()));
        }
        if inner.output.is_some() {
            self.active_principal(index, inner.act.by)?;
            let source =
                OriginSource::Trained { provenance: Box::new(body.clone()), run: Box::new(run_body) };
            self.origins.insert(index, Origin { statement: at, source });
        }
        Ok(())
    }
}

/// Whether provenance repeats what its run was given.
fn follows(body: &ProvenanceV1, run: &RunV1) -> bool {
    let definition = &body.build_definition;
    definition.build_type == RUN_BUILD_TYPE
        && body.run_details.builder.id == RUN_BUILDER
        && definition.external_parameters.model == run.model
        && definition.external_parameters.command == run.command
        && definition.internal_parameters.isolation == run.isolation
        && definition
            .resolved_dependencies
            .strip_prefix(dependencies(run).as_slice())
            .is_some_and(environment)
}

/// Whether these are at most an environment and the parts that it rests on, as [`installed`] names them.
fn environment(found: &[ResourceDescriptor]) -> bool {
    let digests: Vec<Digest> = found.iter().map(|one| one.digest.sha256).collect();
    found.len() <= ENVIRONMENT_PARTS && installed(&digests) == found
}

/// The environment of a run and the parts that it rests on, as SLSA names them; their paths are nobody's business.
pub(crate) fn installed(digests: &[Digest]) -> Vec<ResourceDescriptor> {
    let one = |(place, sha256): (usize, &Digest)| {
        let (name, uri) = match place {
            0 => ("environment".to_owned(), ENVIRONMENT_URI),
            part => (format!("environment-base-{part}"), ENVIRONMENT_BASE_URI),
        };
        let digest = crate::statement::SubjectDigest { sha256: *sha256 };
        ResourceDescriptor { name, uri: uri.to_owned(), digest }
    };
    digests.iter().enumerate().map(one).collect()
}

/// What went into a run, as SLSA names it: data sets in their order, then code.
pub(crate) fn dependencies(run: &RunV1) -> Vec<ResourceDescriptor> {
    let one = |name: String, uri: String, sha256: Digest| ResourceDescriptor {
        name,
        uri,
        digest: crate::statement::SubjectDigest { sha256 },
    };
    let datasets = run.inputs.iter().map(|input| {
        one(input.version.to_string(), format!("bartizan:dataset/{}", input.version), input.root)
    });
    let code = run.code.map(|digest| one("code".to_owned(), "bartizan:code".to_owned(), digest));
    datasets.chain(code).collect()
}
