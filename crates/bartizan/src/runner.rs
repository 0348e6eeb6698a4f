//! A training run from its start in the ledger to its end there: inputs laid out, sandbox, output taken.
//!
//! ```text
//!   start_run (decided, stated) --> lay out inputs and code --> Sandbox::run --> push_run: a model version
//!                                                                           '-> end_run: nothing
//! ```
//!
//! What is decrypted lies below `runs/` in the data directory, which only its owner can enter, and is removed when
//! the run ends; what an interrupted run left is removed when the data directory is opened next.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan_base::Name;
use bartizan_registry::statement::{Resources, RunEnd};
use bartizan_registry::{Failed, Registry, RunOutput, RunReport, StartedRun};
use bartizan_sandbox::{Demand, End, Environment, Limits, Output, Plan, Report, Sandbox, Venv, VenvRefused};
use bartizan_store::SystemClock;
use serde_json::{Value, json};

use crate::catalog::ids;
use crate::failure::Failure;
use crate::notes::Notes;
use crate::servable;

/// What whoever starts a run may choose about how it is run.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// A virtual environment whose programs come first.
    pub(crate) environment: Option<Venv>,
    /// Seconds after which it is killed.
    pub(crate) wall_seconds: Option<u64>,
    /// Bytes of memory that it may hold.
    pub(crate) memory_bytes: Option<u64>,
    /// Whether less than full isolation will do.
    pub(crate) demand: Demand,
}

/// What came of a run, before anything is stated about it.
pub(crate) struct Ran {
    /// What the ledger is told.
    pub(crate) report: RunReport,
    /// What it left, when it succeeded; in the order of the paths.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// Why its output was refused.
    pub(crate) refused: Vec<String>,
    /// Whether what it left can be served, in a few words.
    pub(crate) servable: Option<String>,
    /// The files lie here until this is dropped.
    _place: Place,
}

impl Ran {
    /// Puts down that what it left is not taken, and why.
    pub(crate) fn refuse(&mut self, why: String) {
        self.report.end = RunEnd::Refused;
        self.refused.push(why);
        if let Some(record) = self.report.environment.as_object_mut() {
            record.insert("refused".to_owned(), json!(self.refused));
        }
    }

    /// The files that the run left, open.
    pub(crate) fn outputs(&self) -> io::Result<Vec<RunOutput>> {
        let open = |(path, at): &(String, PathBuf)| {
            File::open(at).map(|file| RunOutput { path: path.clone(), content: Box::new(file) })
        };
        self.files.iter().map(open).collect()
    }
}

/// The virtual environment at a path, unless it is none or would show the data directory.
pub(crate) fn environment(path: &Path, data_dir: &Path) -> Result<Venv, Failure> {
    Venv::open(path, &[data_dir.to_owned()]).map_err(|refused| {
        let failure = Failure::of(ids::INVALID, &refused);
        match refused {
            VenvRefused::Exposed(_) => failure.then(
                "make the environment where the data directory is not, neither in it nor around it: python3 -m venv DIR, \
                 then --env DIR",
            ),
            VenvRefused::Unreadable { .. } | VenvRefused::NoConfig { .. } | VenvRefused::Broad { .. } => {
                failure.then("make one, and name its own directory: python3 -m venv DIR, then --env DIR")
            }
        }
    })
}

/// Removes what runs left that were interrupted.
pub(crate) fn sweep(data_dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(root(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Lays out what a run may read, runs it, and looks at what it left. It blocks until the run has ended.
///
/// # Errors
/// When the run could not be started, or nothing can be said about it.
pub(crate) fn execute(
    registry: &Registry,
    run: &StartedRun,
    data_dir: &Path,
    sandbox: &Sandbox,
    ask: &Ask,
) -> Result<Ran, Failure> {
    let place = Place::make(data_dir, &run.id().to_string())?;
    let plan = plan(registry, run, data_dir, &place, ask)?;
    let started = registry.now();
    let report = sandbox.run(&SystemClock, &plan).map_err(|error| Failure::of(ids::RUN, &error))?;
    let (mut end, mut files, mut refused) = judge(&report, &plan.output);
    let notes = Notes::take(&mut files);
    let open =
        |(_, at): &(String, PathBuf)| File::open(at).map_err(|error| Failure::of(ids::STORAGE, &error));
    let servable = match end {
        RunEnd::Succeeded => Some(servable::note(&files, |(path, _)| path, open)?),
        _ => None,
    };
    if end == RunEnd::Succeeded && files.is_empty() {
        end = RunEnd::Refused;
        refused.push("it left notes about itself, and no model".to_owned());
    }
    let record = json!({
        "variables": report.environment,
        "mounts": report.mounts,
        "environment": report.venv.as_ref().map(environment_shown),
        "user": report.uid,
        "landlock": report.landlock_abi,
        "log": { "sha256": report.log.digest, "bytes": report.log.bytes },
        "limits": {
            "wallSeconds": report.limits.wall.as_secs(),
            "memoryBytes": report.limits.memory_bytes,
            "processes": report.limits.processes,
            "outputBytes": report.limits.output_bytes,
        },
        "refused": refused,
        "parameters": notes.parameters,
        "metrics": notes.metrics,
        "remarks": notes.remarks,
    });
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let wall = report.ended.millis().saturating_sub(report.started.millis());
    let report = RunReport {
        end,
        status: match report.end {
            End::Exited(status) => Some(status),
            End::Signalled(_) | End::TimedOut | End::OutOfMemory => None,
        },
        resources: Resources {
            wall_millis: u64::try_from(wall).unwrap_or(0),
            cpu_millis: millis(report.usage.user.saturating_add(report.usage.system)),
            memory_bytes: report.usage.peak_bytes,
        },
        environment: record,
        installed: report
            .venv
            .iter()
            .flat_map(|venv| &venv.installed)
            .map(|part| part.hashed.digest)
            .collect(),
        log: report.log.tail,
        started,
        ended: registry.now(),
    };
    Ok(Ran { report, files, refused, servable, _place: place })
}

fn environment_shown(venv: &Environment) -> Value {
    let installed = venv.installed.iter().map(|part| {
        let hashed = part.hashed;
        json!({ "path": part.path.to_string_lossy(), "sha256": hashed.digest.to_hex(), "files": hashed.files, "bytes": hashed.bytes })
    });
    json!({ "path": venv.root.to_string_lossy(), "installed": installed.collect::<Vec<_>>(), "packages": venv.packages })
}

/// The report of a run that could not be run, or of which nothing is known.
pub(crate) fn nothing_known(registry: &Registry, failure: &Failure) -> RunReport {
    let at = registry.now();
    RunReport {
        end: RunEnd::Failed,
        status: None,
        resources: Resources { wall_millis: 0, cpu_millis: 0, memory_bytes: 0 },
        environment: json!({ "failure": failure }),
        installed: Vec::new(),
        log: Vec::new(),
        started: at,
        ended: at,
    }
}

fn plan(
    registry: &Registry,
    run: &StartedRun,
    data_dir: &Path,
    place: &Place,
    ask: &Ask,
) -> Result<Plan, Failure> {
    let mut plan = Plan::new(run.command().to_vec(), place.0.join("out"));
    plan.isolation = ask.demand;
    let wall = ask.wall_seconds.map_or(Limits::default().wall, Duration::from_secs);
    // Of each process, on as many processors as there are: time is what ends a run, not how well it uses them.
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64;
    plan.limits = Limits {
        wall,
        cpu_seconds: wall.as_secs().saturating_add(1).saturating_mul(processors),
        memory_bytes: ask.memory_bytes.unwrap_or(Limits::default().memory_bytes),
        ..Limits::default()
    };
    let inputs = place.directory("in")?;
    for input in run.inputs() {
        let name: Name = input.version.name.clone();
        let directory = inputs.join(name.as_str());
        readable_dir(&directory).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        for (number, part) in input.parts.iter().enumerate() {
            let path = directory.join(format!("part-{:04}.csv", number.saturating_add(1)));
            copy(registry.open_part(part), &path)?;
            name_archive(&path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        }
        if plan.inputs.insert(name.clone(), directory).is_some() {
            return Err(Failure::new(ids::INVALID, format!("two versions of `{name}` would have one place")));
        }
    }
    if let Some(code) = run.code() {
        let directory = place.directory("code")?;
        for file in code.files() {
            let path = directory.join(&file.path);
            if let Some(parent) = path.parent() {
                readable_tree(&directory, parent).map_err(|error| Failure::of(ids::STORAGE, &error))?;
            }
            copy(registry.open_code(file), &path)?;
        }
        plan.code = Some(directory);
    }
    if let Some(program) = plan.command.first_mut().filter(|program| *program == "bartizan") {
        let this = std::env::current_exe().map_err(|error| Failure::of(ids::RUN, &error))?;
        *program = this.to_string_lossy().into_owned();
        plan.read_only.push(this);
    }
    plan.venv.clone_from(&ask.environment);
    // It holds the project's keys: whatever a job has mounted, it may not be this.
    plan.private = vec![data_dir.to_owned()];
    Ok(plan)
}

/// How a run ended, with the files that are taken and what was not.
fn judge(report: &Report, place: &Path) -> (RunEnd, Vec<(String, PathBuf)>, Vec<String>) {
    match (&report.end, &report.output) {
        (End::Exited(0), Output::Published { files, .. }) if !files.is_empty() => {
            let files = files.iter().map(|file| (file.path.clone(), place.join(&file.path)));
            (RunEnd::Succeeded, files.collect(), Vec::new())
        }
        (End::Exited(0), Output::Refused { entries, count }) => {
            let mut refused: Vec<String> =
                entries.iter().map(|entry| format!("{}: {}", entry.path, entry.reason)).collect();
            refused.push(format!("{count} in all"));
            (RunEnd::Refused, Vec::new(), refused)
        }
        (End::Exited(0), _) => (RunEnd::Refused, Vec::new(), vec!["it left no file".to_owned()]),
        (End::TimedOut, _) => (RunEnd::TimedOut, Vec::new(), Vec::new()),
        (End::Exited(_) | End::Signalled(_) | End::OutOfMemory, _) => {
            (RunEnd::Failed, Vec::new(), Vec::new())
        }
    }
}

/// A directory of one run, gone when this is dropped.
struct Place(PathBuf);

impl Place {
    fn make(data_dir: &Path, name: &str) -> Result<Self, Failure> {
        let made = || -> io::Result<PathBuf> {
            let root = root(data_dir);
            match fs::DirBuilder::new().mode(0o700).create(&root) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let place = std::path::absolute(root.join(name))?;
            readable_dir(&place)?;
            Ok(place)
        };
        made().map(Self).map_err(|error| Failure::of(ids::STORAGE, &error))
    }

    fn directory(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        readable_dir(&path).map_err(|error| Failure::of(ids::STORAGE, &error))?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, path = %self.0.display(), "decrypted inputs of a run could not be removed");
        }
    }
}

fn root(data_dir: &Path) -> PathBuf {
    data_dir.join("runs")
}

/// Makes a directory that the job's own user can read; the one around all runs lets only its owner in.
fn readable_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o755).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn readable_tree(root: &Path, path: &Path) -> io::Result<()> {
    if path == root || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        readable_tree(root, parent)?;
    }
    readable_dir(path)
}

/// Names a part for what it is: a packed directory is an archive, which `tar` unpacks.
fn name_archive(path: &Path) -> io::Result<()> {
    let mut head = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut head)?;
    if bartizan_data::folder::is_packed(&head) {
        fs::rename(path, path.with_extension("tar"))
    } else {
        Ok(())
    }
}

/// Writes decrypted content where the job can read it.
fn copy(content: Result<Box<dyn Read + Send>, Failed>, path: &Path) -> Result<(), Failure> {
    let mut content = content?;
    let written = || -> io::Result<()> {
        let mut file = File::create_new(path)?;
        io::copy(&mut content, &mut file)?;
        file.flush()?;
        file.set_permissions(fs::Permissions::from_mode(0o644))
    };
    let mut written = written;
    written().map_err(|error| Failure::of(ids::CONTENT_CHANGED, &error))
}
