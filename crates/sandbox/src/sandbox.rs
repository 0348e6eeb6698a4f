//! The sandbox of this machine: probed once, then used for any number of jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use bartizan_base::{Clock, Name};

use crate::isolation::{Facts, Fault, Isolation, Missing, Part, Probe, explain};
use crate::mounts::{Mounts, MountsUnusable};
use crate::output::{PublishFailed, publish};
use crate::plan::{Demand, Limits, Plan, PlanInvalid};
use crate::report::{End, Hashed, Output, Report};
use crate::supervise::{Outcome, Supervised, supervise};
use crate::tree::{self, Bounds, Taken, TreeRefused};
use crate::venv::TakenVenv;
use crate::wire::{Bind, Job, JobLimits, Layout, Message, Orders};

/// The user and group, outside, that jobs run as when the caller is root.
pub const JOB_UID: u32 = 65_534;

/// Runs jobs on this machine.
#[derive(Debug, Clone)]
pub struct Sandbox {
    helper: PathBuf,
    probe: Probe,
}

/// The helper could not be asked what this machine gives.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFailed {
    /// It could not be started, or did not answer.
    #[error("asking the helper `{}`", path.display())]
    Helper {
        /// Its executable.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It met an error that is about no part, or ended before it had answered.
    #[error("the helper `{}` failed: {step}", path.display())]
    Step {
        /// Its executable.
        path: PathBuf,
        /// What failed.
        step: String,
    },
}

/// The job was not run, or nothing can be said about it.
#[derive(Debug, thiserror::Error)]
pub enum RunFailed {
    /// The plan cannot be carried out anywhere.
    #[error("the plan is invalid")]
    Plan(#[source] PlanInvalid),
    /// Something that is to be mounted is not there.
    #[error("the mounts cannot be made")]
    Mounts(#[source] MountsUnusable),
    /// Isolation is missing, and the plan demands all of it.
    #[error("isolation is missing: {}", missing.iter().map(|part| part.part.to_string()).collect::<Vec<_>>().join(", "))]
    Isolation {
        /// What, why, and what would bring it.
        missing: Vec<Missing>,
    },
    /// An input cannot be taken.
    #[error("input `{name}` cannot be taken")]
    Input {
        /// Its name.
        name: Name,
        /// Why.
        #[source]
        source: TreeRefused,
    },
    /// An input is not what was hashed any more; what the job computed is worth nothing.
    #[error("`{path}` of input `{name}` changed while the job ran")]
    InputChanged {
        /// Its name.
        name: Name,
        /// The file within it.
        path: String,
    },
    /// The virtual environment cannot be hashed.
    #[error("`{}` of the environment cannot be taken", path.display())]
    Environment {
        /// Its directory, or one of the installation that it rests on.
        path: PathBuf,
        /// Why.
        #[source]
        source: TreeRefused,
    },
    /// The virtual environment is not what was hashed any more; nothing can be said about what the job ran on.
    #[error("`{}` of the environment changed while the job ran", path.display())]
    EnvironmentChanged {
        /// The file.
        path: PathBuf,
    },
    /// The code cannot be taken.
    #[error("the code cannot be taken")]
    Code(#[source] TreeRefused),
    /// The output would replace something.
    #[error("`{}` exists already, or its directory does not", path.display())]
    OutputPlace {
        /// The place that the plan named.
        path: PathBuf,
    },
    /// The helper could not be started or talked to.
    #[error("the sandbox's helper cannot be used")]
    Helper(#[source] std::io::Error),
    /// A step of building the sandbox, or the start of the command, failed.
    #[error("the job could not be started: {step}")]
    Start {
        /// Which, with the operating system's words.
        step: String,
    },
    /// The helper ended without saying how the job did, or had to be killed.
    #[error("the sandbox ended without a word about the job; its log ends with `{log}`")]
    Lost {
        /// The end of the log, with control characters escaped.
        log: String,
    },
    /// What the job left could not be published.
    #[error("the output cannot be published")]
    Publish(#[source] PublishFailed),
}

impl RunFailed {
    /// Whether the plan must change; otherwise the machine must, or the run may be tried again.
    pub const fn is_callers_fault(&self) -> bool {
        match self {
            Self::Plan(_)
            | Self::Mounts(_)
            | Self::Input { .. }
            | Self::Environment { .. }
            | Self::Code(_)
            | Self::OutputPlace { .. }
            | Self::Start { .. } => true,
            Self::Isolation { .. }
            | Self::InputChanged { .. }
            | Self::EnvironmentChanged { .. }
            | Self::Helper(_)
            | Self::Lost { .. }
            | Self::Publish(_) => false,
        }
    }
}

impl Sandbox {
    /// The sandbox whose helper is this very program, which must call [`init_if_asked`](crate::init_if_asked).
    ///
    /// # Errors
    /// When the helper does not answer.
    pub fn here() -> Result<Self, ProbeFailed> {
        Self::with_helper(PathBuf::from("/proc/self/exe"))
    }

    /// The sandbox whose helper is another program, which must call [`init_if_asked`](crate::init_if_asked).
    ///
    /// # Errors
    /// When the helper does not answer.
    pub fn with_helper(helper: PathBuf) -> Result<Self, ProbeFailed> {
        let probe = probe(&helper)?;
        Ok(Self { helper, probe })
    }

    /// What this machine gives to this user, and why not the rest.
    pub const fn probe(&self) -> &Probe {
        &self.probe
    }

    /// Runs a job to its end. Blocks the calling thread, which must outlive the job: when it ends, so does the job.
    ///
    /// # Errors
    /// When the plan, the machine or the inputs do not allow it, or an input changed meanwhile. A job that was
    /// started and failed is not an error but a [`Report`].
    pub fn run(&self, clock: &dyn Clock, plan: &Plan) -> Result<Report, RunFailed> {
        plan.check().map_err(RunFailed::Plan)?;
        let isolation = self.probe.isolation();
        if plan.isolation == Demand::Full && isolation != Isolation::Full {
            return Err(RunFailed::Isolation { missing: self.probe.missing.clone() });
        }
        let place = &plan.output;
        if place.symlink_metadata().is_ok() || !place.parent().is_some_and(Path::is_dir) {
            return Err(RunFailed::OutputPlace { path: place.clone() });
        }
        let mounts = Mounts::gather(plan).map_err(RunFailed::Mounts)?;
        let mut inputs = BTreeMap::new();
        for (name, path) in &plan.inputs {
            let taken = canonical(path).and_then(|path| tree::take(&path, &Bounds::INPUT));
            inputs.insert(
                name.clone(),
                taken.map_err(|source| RunFailed::Input { name: name.clone(), source })?,
            );
        }
        let venv =
            TakenVenv::of(&mounts).map_err(|(path, source)| RunFailed::Environment { path, source })?;
        let has = |part: Part| match &isolation {
            Isolation::Full => true,
            Isolation::Reduced { missing } => !missing.contains(&part),
        };
        let namespaces = has(Part::PidNamespace);
        let ground = if namespaces { Ground::private() } else { Ground::shared(plan)? };
        let job = job(plan, mounts, &inputs, &ground)?;
        let orders = Orders {
            namespaces,
            landlock: has(Part::Landlock),
            seccomp: has(Part::Seccomp),
            job_user: JOB_UID,
            job: Some(job.clone()),
        };
        let started = clock.now();
        let supervised = supervise(&self.helper, &orders, plan.limits.wall).map_err(RunFailed::Helper)?;
        let ended = clock.now();
        for (name, taken) in &inputs {
            if let Some(path) = taken.changed(&Bounds::INPUT) {
                return Err(RunFailed::InputChanged { name: name.clone(), path });
            }
        }
        if let Some(path) = venv.as_ref().and_then(TakenVenv::changed) {
            return Err(RunFailed::EnvironmentChanged { path });
        }
        let outcome = settle(&supervised)?;
        let output = output(plan, &supervised, &ground, outcome.end)?;
        let code = outcome.code.or(ground.code);
        let sources = job.binds.into_iter().filter(|bind| !bind.input).map(|bind| bind.source);
        Ok(Report {
            isolation,
            landlock_abi: outcome.landlock_abi,
            command: plan.command.clone(),
            environment: job.environment,
            code,
            inputs: inputs.into_iter().map(|(name, taken)| (name, taken.hashed)).collect(),
            venv: venv.as_ref().map(TakenVenv::report),
            mounts: sources.collect(),
            limits: plan.limits,
            uid: job_uid(),
            started,
            ended,
            end: outcome.end,
            usage: outcome.usage,
            log: supervised.log,
            output,
        })
    }
}

fn canonical(path: &Path) -> Result<PathBuf, TreeRefused> {
    fs::canonicalize(path).map_err(|source| TreeRefused::Io { path: ".".to_owned(), source })
}

/// The user id, outside, that jobs run as.
fn job_uid() -> u32 {
    let uid = rustix::process::geteuid();
    if uid.is_root() { JOB_UID } else { uid.as_raw() }
}

fn probe(helper: &Path) -> Result<Probe, ProbeFailed> {
    let orders = Orders { namespaces: true, landlock: true, seccomp: true, job_user: JOB_UID, job: None };
    let supervised = supervise(helper, &orders, std::time::Duration::ZERO)
        .map_err(|source| ProbeFailed::Helper { path: helper.to_owned(), source })?;
    let mut faults: BTreeMap<Part, Option<Fault>> = BTreeMap::new();
    let mut landlock_abi = 0;
    let mut broken = None;
    for message in supervised.messages {
        match message {
            Message::Tried { part, fault } => {
                let known = faults.entry(part).or_default();
                // The first failure is the cause of later ones.
                *known = known.take().or(fault);
            }
            Message::Landlock { abi } => {
                landlock_abi = abi;
                faults.entry(Part::Landlock).or_default();
            }
            Message::Failed(fault) => broken = Some(fault.to_string()),
            Message::Ready { .. } | Message::Ended { .. } => {}
        }
    }
    let untried: BTreeSet<Part> = Part::ALL.into_iter().filter(|part| !faults.contains_key(part)).collect();
    let step = broken.or_else(|| {
        let names: Vec<String> = untried.iter().map(Part::to_string).collect();
        (!untried.is_empty()).then(|| format!("it did not try {}", names.join(", ")))
    });
    if let Some(step) = step {
        return Err(ProbeFailed::Step { path: helper.to_owned(), step });
    }
    let facts = facts(helper);
    let missing = faults.into_iter().filter_map(|(part, fault)| Some(explain(part, &fault?, &facts)));
    Ok(Probe { missing: missing.collect(), landlock_abi })
}

/// Reads what bears on why a part is missing.
fn facts(helper: &Path) -> Facts {
    let is = |file: &str, value: &str| fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    let executable = fs::canonicalize(helper).unwrap_or_else(|_| helper.to_owned());
    Facts {
        clone_forbidden: is("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        apparmor_restricts: is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
        no_user_namespaces: is("/proc/sys/user/max_user_namespaces", "0"),
        in_container: ["/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io"]
            .iter()
            .any(|path| Path::new(path).exists()),
        executable: executable.to_string_lossy().into_owned(),
    }
}

/// Where a job's files are, as it sees them; without namespaces, a directory of this machine.
struct Ground {
    layout: Layout,
    /// The code that was copied already.
    code: Option<Hashed>,
    shared: Option<Shared>,
}

/// A directory that is removed when the job is over, with whatever the job made of it.
struct Shared(PathBuf);

impl Drop for Shared {
    fn drop(&mut self) {
        drop(tree::remove(&self.0));
    }
}

impl Ground {
    fn private() -> Self {
        let at = |name: &str| format!("/bartizan/{name}");
        let layout = Layout {
            input: at("in"),
            output: at("out"),
            code: at("code"),
            home: at("home"),
            tmp: "/tmp".to_owned(),
        };
        Self { layout, code: None, shared: None }
    }

    fn shared(plan: &Plan) -> Result<Self, RunFailed> {
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())
            .map_err(|errno| RunFailed::Helper(errno.into()))?;
        let base = fs::canonicalize(std::env::temp_dir()).map_err(RunFailed::Helper)?;
        let base = base.join(format!("bartizan-job-{:016x}", u64::from_le_bytes(random)));
        make_dir(&base, 0o711).map_err(RunFailed::Helper)?;
        let shared = Shared(base);
        let mut places = Vec::new();
        for name in ["in", "out", "code", "home", "tmp"] {
            let place = shared.0.join(name);
            let own = matches!(name, "out" | "home" | "tmp");
            let mode = if own { 0o700 } else { 0o755 };
            make_dir(&place, mode).map_err(RunFailed::Helper)?;
            if own {
                chown(&place, Some(job_uid()), None).map_err(RunFailed::Helper)?;
            }
            let text = place
                .to_str()
                .ok_or_else(|| RunFailed::Helper(std::io::ErrorKind::InvalidFilename.into()))?;
            places.push(text.to_owned());
        }
        for (name, path) in &plan.inputs {
            symlink(path, shared.0.join("in").join(name.as_str())).map_err(RunFailed::Helper)?;
        }
        let code = match &plan.code {
            Some(code) => {
                let copy =
                    canonical(code).and_then(|code| tree::copy(&code, &shared.0.join("code"), &Bounds::CODE));
                Some(copy.map_err(RunFailed::Code)?)
            }
            None => None,
        };
        let mut places = places.into_iter();
        let mut next = || places.next().unwrap_or_default();
        let layout = Layout { input: next(), output: next(), code: next(), home: next(), tmp: next() };
        Ok(Self { layout, code, shared: Some(shared) })
    }
}

/// Makes a directory with just these permissions, whatever the caller's habits.
fn make_dir(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn job(
    plan: &Plan,
    mounts: Mounts,
    inputs: &BTreeMap<Name, Taken>,
    ground: &Ground,
) -> Result<Job, RunFailed> {
    let layout = ground.layout.clone();
    let mut environment = plan.environment.clone();
    let mut path = String::new();
    if let Some(root) = mounts.venv.as_ref().and_then(|venv| venv.root().to_str()) {
        environment.entry("VIRTUAL_ENV".to_owned()).or_insert_with(|| root.to_owned());
        path = format!("{root}/bin:");
    }
    path.push_str("/usr/local/bin:/usr/bin:/bin");
    for (name, value) in [("PATH", path), ("HOME", layout.home.clone()), ("LANG", "C.UTF-8".to_owned())] {
        environment.entry(name.to_owned()).or_insert(value);
    }
    let own = [("TMPDIR", &layout.tmp), ("BARTIZAN_IN", &layout.input), ("BARTIZAN_OUT", &layout.output)];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.clone())));
    if plan.code.is_some() {
        environment.insert("BARTIZAN_CODE".to_owned(), layout.code.clone());
    }
    let mut binds = mounts.binds;
    for (name, path) in &plan.inputs {
        let input = |source| RunFailed::Input { name: name.clone(), source };
        let source = canonical(path).map_err(input)?;
        let source = source.to_str().ok_or_else(|| {
            let path = path.clone();
            RunFailed::Plan(PlanInvalid::Path { path })
        })?;
        let Some(node) = inputs.get(name).map(|taken| taken.node) else { continue };
        let target = format!("{}/{name}", layout.input);
        binds.push(Bind { source: source.to_owned(), target, node, input: true });
    }
    let code = match (&plan.code, &ground.shared) {
        (Some(code), None) => Some(canonical(code).map_err(RunFailed::Code)?.to_string_lossy().into_owned()),
        _ => None,
    };
    let command = plan.command.clone();
    let limits = job_limits(&plan.limits);
    Ok(Job { binds, links: mounts.links, code, layout, command, environment, limits })
}

const fn job_limits(limits: &Limits) -> JobLimits {
    JobLimits {
        cpu_seconds: limits.cpu_seconds,
        memory_bytes: limits.memory_bytes,
        processes: limits.processes,
        open_files: limits.open_files,
        file_bytes: limits.file_bytes,
        scratch_bytes: limits.scratch_bytes,
        output_bytes: limits.output_bytes,
        output_files: limits.output_files,
    }
}

/// Turns what the helper said into how the job ended.
fn settle(supervised: &Supervised) -> Result<Outcome, RunFailed> {
    if let Some(fault) = supervised.messages.iter().find_map(|message| match message {
        Message::Failed(fault) => Some(fault),
        _ => None,
    }) {
        return Err(RunFailed::Start { step: fault.to_string() });
    }
    supervised.outcome().ok_or_else(|| {
        let text = String::from_utf8_lossy(&supervised.log.tail);
        let last: String = text.chars().rev().take(400).collect();
        RunFailed::Lost { log: last.chars().rev().flat_map(char::escape_default).collect() }
    })
}

fn output(plan: &Plan, supervised: &Supervised, ground: &Ground, end: End) -> Result<Output, RunFailed> {
    use std::os::fd::AsFd as _;
    if end != End::Exited(0) {
        return Ok(Output::Withheld);
    }
    let bounds = Bounds::output(plan.limits.output_files, plan.limits.output_bytes);
    match (&supervised.output, &ground.shared) {
        (Some(left), _) => publish(left.as_fd(), &plan.output, &bounds),
        (None, Some(_)) => {
            let left = fs::File::open(&ground.layout.output).map_err(RunFailed::Helper)?;
            publish(left.as_fd(), &plan.output, &bounds)
        }
        (None, None) => return Err(RunFailed::Lost { log: "no output was handed over".to_owned() }),
    }
    .map_err(RunFailed::Publish)
}
