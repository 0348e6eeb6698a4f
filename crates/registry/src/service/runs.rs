//! Training runs: what one may read, and what becomes of what it leaves.
//!
//! The registry runs nothing. It hands out what was decided on ([`StartedRun`]), and takes what the sandbox reports.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use bartizan_base::{Digest, Name, RunId, Timestamp, VersionRef, canonical};
use bartizan_policy::{ProjectWide, op};

use super::held::Taken;
use super::register::references;
use super::write::Writer;
use super::{Caller, Failed, ModelFile, Registry};
use crate::limits::{LOG_BYTES, RUN_ARGUMENTS, RUN_INPUTS};
use crate::manifest::{Manifest, ManifestFile, manifest_digest};
use crate::proof::read_private;
use crate::state::{dependencies, installed};
use crate::statement::{
    Act, BuildDefinition, Builder, ExternalParameters, InternalParameters, Isolation, PartV1, Private,
    ProvenanceV1, RUN_BUILD_TYPE, RUN_BUILDER, Resources, RunDetails, RunEnd, RunMetadata, RunV1,
    Sensitivity, Statement, StatementRef,
};

/// A run that is to be started.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The model that its output becomes a version of.
    pub model: Name,
    /// The data set versions that it reads.
    pub inputs: Vec<VersionRef>,
    /// The code beside the command, uploaded for that model.
    pub code: Vec<ModelFile>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How far it will be cut off.
    pub isolation: Isolation,
}

/// A run that may go on, because that is in the ledger.
#[derive(Debug)]
pub struct StartedRun {
    statement: StatementRef,
    body: RunV1,
    command: Vec<String>,
    inputs: Vec<RunInput>,
    code: Option<Manifest>,
}

/// One input of a run: a data set version and its parts.
#[derive(Debug, Clone)]
pub struct RunInput {
    /// The version.
    pub version: VersionRef,
    /// Its parts, first to last.
    pub parts: Vec<PartV1>,
}

/// What the sandbox reports of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// How it ended; `Succeeded` only together with an output.
    pub end: RunEnd,
    /// The exit status, if the command ended by itself.
    pub status: Option<i32>,
    /// What it used.
    pub resources: Resources,
    /// Its variables, the files of the machine that it could read, its limits, and size and digest of all that it
    /// wrote.
    pub environment: serde_json::Value,
    /// The digest of the Python environment that it had, if it had one, then those of the parts of the installation that
    /// the environment rests on.
    pub installed: Vec<Digest>,
    /// The end of what it wrote.
    pub log: Vec<u8>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// What is known of a run beside its statements.
#[derive(Debug, Clone)]
pub struct ToldOfRun {
    /// The program and its arguments.
    pub command: Option<Vec<String>>,
    /// Variables, mounts, limits, parameters, metrics, and size and digest of the whole log.
    pub record: Option<serde_json::Value>,
    /// The end of what it wrote.
    pub log: Option<String>,
}

/// A file that a run left, open for reading.
pub struct RunOutput {
    /// Its path in the output.
    pub path: String,
    /// Its content.
    pub content: Box<dyn Read + Send>,
}

impl StartedRun {
    /// The run.
    pub fn id(&self) -> RunId {
        self.body.run
    }

    /// The program and its arguments.
    pub fn command(&self) -> &[String] {
        &self.command
    }

    /// What it may read.
    pub fn inputs(&self) -> &[RunInput] {
        &self.inputs
    }

    /// The files of its code.
    pub fn code(&self) -> Option<&Manifest> {
        self.code.as_ref()
    }
}

impl Registry {
    /// Asks whether the caller may start a run, before anything is looked at for one.
    ///
    /// # Errors
    /// When not.
    pub async fn ask_to_run(&self, caller: &Caller) -> Result<(), Failed> {
        self.ask_early(caller, op::RunStart, ProjectWide).await
    }

    /// Starts a run: records who may give which command which data.
    ///
    /// # Errors
    /// When the caller may not, a data set version or upload is unknown, or the command is none.
    pub async fn start_run(&self, caller: &Caller, new: NewRun) -> Result<StartedRun, Failed> {
        let (code, taken, missing) = self.take_files(caller, &new.code);
        let started = match missing {
            Some(failed) => Err(failed),
            None => self.start(caller, new, code).await,
        };
        if started.as_ref().is_err_and(|failed| !failed.may_have_happened()) {
            self.discard(taken).await;
        }
        started
    }

    async fn start(
        &self,
        caller: &Caller,
        new: NewRun,
        code: Vec<ManifestFile>,
    ) -> Result<StartedRun, Failed> {
        if new.command.is_empty() || new.command.len() > RUN_ARGUMENTS {
            return Err(Failed::invalid("command", format!("it is 1 to {RUN_ARGUMENTS} words")));
        }
        if new.inputs.len() > RUN_INPUTS {
            return Err(Failed::invalid("inputs", format!("a run reads at most {RUN_INPUTS} data sets")));
        }
        let mut names = BTreeSet::new();
        if let Some(again) = new.inputs.iter().find(|version| !names.insert(&version.name)) {
            let why =
                format!("`{}` is named twice, and a run finds each data set under its name", again.name);
            return Err(Failed::invalid("inputs", why));
        }
        let code = if code.is_empty() { None } else { Some(Manifest::new(code)?) };
        let writer = self.writer().await?;
        let allowed = writer.allow(caller, op::RunStart, ProjectWide).await?;
        let state = writer.state();
        let references = references(&state, &new.inputs)?;
        let parts = |version: &VersionRef| state.dataset(version).map(|found| found.parts.clone());
        let inputs: Vec<RunInput> = new
            .inputs
            .iter()
            .map(|version| RunInput { version: version.clone(), parts: parts(version).unwrap_or_default() })
            .collect();
        let mut random = [0; 16];
        (self.inner.random)().fill_bytes(&mut random);
        let (digest, code_manifest) = match &code {
            None => (None, None),
            Some(manifest) => {
                let bytes = manifest.to_bytes().map_err(|error| Failed::Sign(Box::new(error)))?;
                (Some(manifest_digest(&bytes)), Some(writer.seal_document(bytes).await?))
            }
        };
        let command = canonical::to_bytes(&new.command).map_err(|error| Failed::Sign(Box::new(error)))?;
        let body = RunV1 {
            run: RunId::from_random(random),
            model: new.model,
            inputs: references,
            code: digest,
            code_manifest,
            command: writer.seal_document(command).await?,
            isolation: new.isolation,
            act: writer.act(&allowed),
        };
        let written = writer.append(vec![Statement::about(body.clone())]).await?;
        let statement = written.first().copied().ok_or(Failed::Interrupted)?;
        Ok(StartedRun { statement, body, command: new.command, inputs, code })
    }

    /// Opens a part of an input, decrypted; the reader checks its digest before the last bytes come out. It blocks.
    ///
    /// # Errors
    /// When the content is gone or changed.
    pub fn open_part(&self, part: &PartV1) -> Result<Box<dyn Read + Send>, Failed> {
        let gone = || Failed::not_found("content of part", part.digest);
        let content = part.content.as_ref().ok_or_else(gone)?;
        let blob = content.blob.clone();
        Ok(Box::new(self.inner.keys.unseal(self.inner.blobs.as_ref(), &blob)?))
    }

    /// Opens a file of a run's code, decrypted. It blocks.
    ///
    /// # Errors
    /// When the content is gone or changed.
    pub fn open_code(&self, file: &ManifestFile) -> Result<Box<dyn Read + Send>, Failed> {
        let blob = self.inner.keys.blob_name(&file.sha256);
        Ok(Box::new(self.inner.keys.unseal(self.inner.blobs.as_ref(), &blob)?))
    }

    /// Takes what a run left as a version of its model, with the provenance of the run.
    ///
    /// # Errors
    /// When the caller may not push a model (any more), or the files make none. The run then has no output:
    /// whoever gets the error ends it with [`Registry::end_run`].
    pub async fn push_run(
        &self,
        caller: &Caller,
        run: &StartedRun,
        report: &RunReport,
        output: Vec<RunOutput>,
    ) -> Result<VersionRef, Failed> {
        if report.end != RunEnd::Succeeded || caller.principal() != run.body.act.by {
            return Err(Failed::invalid("run", "only its starter takes the output of a run that succeeded"));
        }
        let (files, taken) = self.seal_output(output).await?;
        let pushed = self.push_files(caller, run, report, files).await;
        if pushed.as_ref().is_err_and(|failed| !failed.may_have_happened()) {
            self.discard(taken).await;
        }
        pushed
    }

    async fn push_files(
        &self,
        caller: &Caller,
        run: &StartedRun,
        report: &RunReport,
        files: Vec<ManifestFile>,
    ) -> Result<VersionRef, Failed> {
        let manifest = Manifest::new(files)?;
        let writer = self.writer().await?;
        let model = &run.body.model;
        let sensitive = writer.state().models().get(model).is_some_and(|model| {
            model.versions.values().any(|found| found.body.sensitivity == Sensitivity::Sensitive)
        });
        let sensitivity = if sensitive { Sensitivity::Sensitive } else { Sensitivity::Normal };
        let found = self.registrable(&writer, caller, op::ModelPush, (model, manifest, sensitivity)).await?;
        let made = (Some(found.digest), found.act.clone());
        let provenance = provenance(&writer, run.statement, &run.body, report, made).await?;
        self.register(&writer, found, Statement::about(provenance)).await
    }

    /// What is known of a run beside its statements, as far as it was not erased.
    ///
    /// # Errors
    /// When there is no such run, or the work is interrupted.
    pub async fn told_of_run(&self, id: RunId) -> Result<ToldOfRun, Failed> {
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            let run = state.runs().get(&id).ok_or_else(|| Failed::not_found("run", id))?;
            let read = |private: &Private| {
                read_private(&inner.keys, inner.blobs.as_ref(), private).map(|(bytes, _)| bytes).ok()
            };
            let told = run.told.as_ref();
            Ok(ToldOfRun {
                command: read(&run.body.command).and_then(|bytes| canonical::from_bytes(&bytes).ok()),
                record: told
                    .and_then(|(record, _)| read(record))
                    .and_then(|bytes| serde_json::from_slice(&bytes).ok()),
                log: told
                    .and_then(|(_, log)| read(log))
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            })
        })
        .await
    }

    /// Records that a run ended without an output.
    ///
    /// # Errors
    /// When it succeeded, or the ledger cannot be written.
    pub async fn end_run(&self, run: &StartedRun, report: &RunReport) -> Result<(), Failed> {
        if report.end == RunEnd::Succeeded {
            return Err(Failed::invalid("run", "it has an output, which is to be taken"));
        }
        let writer = self.writer().await?;
        let act = Act { by: run.body.act.by, decision: None, at: writer.now() };
        let provenance = provenance(&writer, run.statement, &run.body, report, (None, act)).await?;
        writer.append(vec![Statement::about(provenance)]).await.map(|_| ())
    }

    /// Records of every run that is under way that it was interrupted: for a project that was just opened.
    pub(super) async fn end_interrupted(&self) -> Result<(), Failed> {
        let state = self.state();
        let under_way = state.runs().values().filter(|run| run.ended.is_none());
        for run in under_way {
            let writer = self.stopping_writer().await?;
            let report = RunReport {
                end: RunEnd::Interrupted,
                status: None,
                resources: Resources { wall_millis: 0, cpu_millis: 0, memory_bytes: 0 },
                environment: serde_json::Value::Null,
                installed: Vec::new(),
                log: Vec::new(),
                started: run.body.act.at,
                ended: writer.now(),
            };
            let act = Act { by: run.body.act.by, decision: None, at: writer.now() };
            let provenance = provenance(&writer, run.statement, &run.body, &report, (None, act)).await?;
            writer.append(vec![Statement::about(provenance)]).await.map(|_| ())?;
        }
        Ok(())
    }

    /// Hashes and encrypts the files that a run left, each in one pass.
    async fn seal_output(&self, output: Vec<RunOutput>) -> Result<(Vec<ManifestFile>, Vec<Taken>), Failed> {
        let inner = Arc::clone(&self.inner);
        let (files, taken, failed) = self
            .blocking(move |_| {
                let (mut files, mut taken) = (Vec::new(), Vec::new());
                for mut file in output {
                    match inner.take_in(&mut file.content) {
                        Ok(one) => {
                            files.push(one.as_file(file.path));
                            taken.push(one);
                        }
                        Err(failed) => return Ok((files, taken, Some(failed))),
                    }
                }
                Ok((files, taken, None))
            })
            .await?;
        match failed {
            Some(failed) => {
                self.discard(taken).await;
                Err(failed)
            }
            None => Ok((files, taken)),
        }
    }
}

/// SLSA provenance of a run as it was started and as it ended.
async fn provenance(
    writer: &Writer<'_>,
    started: StatementRef,
    run: &RunV1,
    report: &RunReport,
    (output, act): (Option<Digest>, Act),
) -> Result<ProvenanceV1, Failed> {
    // Metrics are numbers of any kind, which canonical JSON has no words for; the bytes are committed to as they are.
    let environment =
        serde_json::to_vec(&report.environment).map_err(|error| Failed::Sign(Box::new(error)))?;
    let tail = report.log.len().saturating_sub(LOG_BYTES);
    let log = report.log.get(tail..).unwrap_or_default().to_vec();
    Ok(ProvenanceV1 {
        build_definition: BuildDefinition {
            build_type: RUN_BUILD_TYPE.to_owned(),
            external_parameters: ExternalParameters {
                model: run.model.clone(),
                command: run.command.clone(),
            },
            internal_parameters: InternalParameters {
                started,
                isolation: run.isolation,
                end: report.end,
                output,
                status: report.status,
                resources: report.resources,
                environment: writer.seal_document(environment).await?,
                log: writer.seal_document(log).await?,
                act,
            },
            resolved_dependencies: [dependencies(run), installed(&report.installed)].concat(),
        },
        run_details: RunDetails {
            builder: Builder { id: RUN_BUILDER.to_owned() },
            metadata: RunMetadata {
                invocation_id: run.run,
                started_on: report.started,
                finished_on: report.ended,
            },
        },
    })
}
