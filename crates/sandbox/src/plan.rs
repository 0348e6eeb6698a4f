//! What is to be run: command, code, inputs, output and limits, and the check that it can be.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use bartizan_base::Name;

use crate::limits::{ARGUMENTS, INPUTS, MOUNTS, PROCESSES, VARIABLES, WALL_SECONDS, WORD_BYTES};
use crate::venv::Venv;

/// What is to be run, on what, and within which limits.
///
/// Inside, the job finds its inputs at `$BARTIZAN_IN/<name>`, its code at `$BARTIZAN_CODE`, which is also where it
/// starts, and leaves results at `$BARTIZAN_OUT`. It has a private `/tmp`, `/dev/shm` and `HOME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The program and its arguments. The program is a path as it is called inside, or a name to be looked for
    /// in the virtual environment and in `/usr/bin`. Without a [`venv`](Self::venv) of the plan, the environment that
    /// it lies in is the job's, if it lies in one.
    pub command: Vec<String>,
    /// A file or directory that is copied, hashed and mounted read-only; without links.
    pub code: Option<PathBuf>,
    /// Files and directories that are hashed and mounted read-only, by name; without links. The job sees them
    /// with its own eyes: when the caller is root, user [`JOB_UID`](crate::JOB_UID) must be able to read them.
    pub inputs: BTreeMap<Name, PathBuf>,
    /// The directory to be made from what the job leaves; it must not exist, and its parent must.
    pub output: PathBuf,
    /// Further files and directories that the job may read, under the same paths as outside.
    pub read_only: Vec<PathBuf>,
    /// A Python virtual environment: it and the installation that it rests on are mounted read-only, its programs come
    /// first in `PATH`, and `VIRTUAL_ENV` names it.
    pub venv: Option<Venv>,
    /// Directories that no job may see, such as where keys are: a plan that would have one of them, a directory above or
    /// anything below it mounted, by whatever name, is refused. Inputs and code are not held to it.
    pub private: Vec<PathBuf>,
    /// Variables beside the few that every job has. The caller's own environment is never passed on.
    pub environment: BTreeMap<String, String>,
    /// What the job may use.
    pub limits: Limits,
    /// How much isolation must be there.
    pub isolation: Demand,
}

/// How much isolation must be there for a job to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// All of it.
    Full,
    /// What this machine gives; the report says what was missing.
    Reduced,
}

/// What a job may use. All are upper bounds; the command is killed or refused service beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time from start to end; then everything is killed.
    pub wall: Duration,
    /// CPU seconds of each process.
    pub cpu_seconds: u64,
    /// Bytes of private memory of each process, enforced by the kernel; and, with a PID namespace, of all
    /// processes together, looked at ten times a second. What the kernel holds for them, as in pipes and pairs of
    /// sockets, is not in it; `processes` and `open_files` bound that.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Open files of each process.
    pub open_files: u64,
    /// Bytes of each file that is written.
    pub file_bytes: u64,
    /// Bytes in `/tmp`, `/dev/shm` and `HOME` together. They are in memory.
    pub scratch_bytes: u64,
    /// Bytes of the output together. They are in memory until they are published.
    pub output_bytes: u64,
    /// Files and directories of the output.
    pub output_files: u64,
}

impl Default for Limits {
    /// An hour, 4 GiB of memory, 256 processes, 1 GiB of scratch and of output.
    fn default() -> Self {
        const GIB: u64 = 1 << 30;
        Self {
            wall: Duration::from_secs(3600),
            cpu_seconds: 4 * 3600,
            memory_bytes: 4 * GIB,
            processes: 256,
            open_files: 1024,
            file_bytes: GIB,
            scratch_bytes: GIB,
            output_bytes: GIB,
            output_files: 4096,
        }
    }
}

/// The plan cannot be carried out as it is written. The caller's fault; trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanInvalid {
    /// No program.
    #[error("the command is empty")]
    NoCommand,
    /// Too many of something.
    #[error("{found} {what}, more than the {limit} allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A word that cannot be passed on: too long, or with a zero byte.
    #[error("`{word}` is longer than {WORD_BYTES} bytes or holds a zero byte")]
    Word {
        /// The word, cut to 80 characters.
        word: String,
    },
    /// A variable's name that is not one, or that is the sandbox's own.
    #[error("`{name}` cannot be set: names are ASCII letters, digits and `_`, and `BARTIZAN_` is reserved")]
    Variable {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// A path that is not absolute, or not plain.
    #[error("`{}` is not an absolute path in UTF-8 without `.` and `..`", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A path that cannot be mounted inside, because something else is there.
    #[error("`{}` cannot be mounted: the sandbox has its own", path.display())]
    Mount {
        /// The path.
        path: PathBuf,
    },
    /// A limit that is zero or beyond what can be enforced.
    #[error("the limit `{name}` is {value}, not between 1 and {most}")]
    Limit {
        /// The field of [`Limits`], and its unit.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The largest possible value.
        most: u64,
    },
}

/// Directories whose content the sandbox makes itself, or that hold more than a job should see.
const OWN: [&str; 7] = ["/", "/bartizan", "/dev", "/proc", "/run", "/sys", "/etc"];

impl Plan {
    /// A plan with no inputs, no code and default limits, under full isolation.
    pub fn new(command: Vec<String>, output: PathBuf) -> Self {
        Self {
            command,
            code: None,
            inputs: BTreeMap::new(),
            output,
            read_only: Vec::new(),
            venv: None,
            private: Vec::new(),
            environment: BTreeMap::new(),
            limits: Limits::default(),
            isolation: Demand::Full,
        }
    }

    /// Refuses plans that no machine could carry out.
    pub(crate) fn check(&self) -> Result<(), PlanInvalid> {
        if self.command.first().is_none_or(String::is_empty) {
            return Err(PlanInvalid::NoCommand);
        }
        within("words of the command", self.command.len(), ARGUMENTS)?;
        within("inputs", self.inputs.len(), INPUTS)?;
        within("paths to mount", self.read_only.len(), MOUNTS)?;
        within("variables", self.environment.len(), VARIABLES)?;
        for text in self.command.iter().chain(self.environment.values()) {
            word(text)?;
        }
        for name in self.environment.keys() {
            variable(name)?;
        }
        for path in self.inputs.values().chain(&self.code).chain([&self.output]) {
            plain(path)?;
        }
        for path in self.venv.iter().map(Venv::root).chain(self.read_only.iter().map(PathBuf::as_path)) {
            plain(path)?;
            mountable(path)?;
        }
        self.limits.check()
    }
}

impl Limits {
    fn check(&self) -> Result<(), PlanInvalid> {
        const MOST: u64 = 1 << 50;
        let in_range = |name, value, most| {
            if (1..=most).contains(&value) { Ok(()) } else { Err(PlanInvalid::Limit { name, value, most }) }
        };
        let wall = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        in_range("wall in milliseconds", wall, WALL_SECONDS * 1000)?;
        in_range("cpu_seconds", self.cpu_seconds, MOST)?;
        in_range("memory_bytes", self.memory_bytes, MOST)?;
        in_range("processes", self.processes, PROCESSES)?;
        in_range("open_files", self.open_files, 1 << 20)?;
        in_range("file_bytes", self.file_bytes, MOST)?;
        in_range("scratch_bytes", self.scratch_bytes, MOST)?;
        in_range("output_bytes", self.output_bytes, MOST)?;
        in_range("output_files", self.output_files, 4096)
    }
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), PlanInvalid> {
    if found > limit { Err(PlanInvalid::TooMany { what, found, limit }) } else { Ok(()) }
}

fn word(text: &str) -> Result<(), PlanInvalid> {
    if text.len() > WORD_BYTES || text.contains('\0') {
        return Err(PlanInvalid::Word { word: text.chars().take(80).collect() });
    }
    Ok(())
}

fn variable(name: &str) -> Result<(), PlanInvalid> {
    let clean = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if clean && starts_well && name.len() <= WORD_BYTES && !name.starts_with("BARTIZAN_") {
        return Ok(());
    }
    Err(PlanInvalid::Variable { name: name.chars().take(80).collect() })
}

/// Refuses paths that are not written from the root on, part by part: the kernel knows mounts by no others.
pub(crate) fn plain(path: &Path) -> Result<(), PlanInvalid> {
    let text = path.to_str().filter(|text| text.len() <= WORD_BYTES && !text.contains('\0'));
    let is_plain = path.is_absolute()
        && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if text.is_some() && is_plain { Ok(()) } else { Err(PlanInvalid::Path { path: path.to_owned() }) }
}

/// Refuses paths that lie where the sandbox puts things of its own.
pub(crate) fn mountable(path: &Path) -> Result<(), PlanInvalid> {
    let taken = OWN.iter().any(|own| path == Path::new(own) || (*own != "/" && path.starts_with(own)))
        || path == Path::new("/tmp");
    if taken { Err(PlanInvalid::Mount { path: path.to_owned() }) } else { Ok(()) }
}
