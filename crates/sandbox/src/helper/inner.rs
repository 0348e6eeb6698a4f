//! The second stage: builds the sandbox around itself, then starts the command, or becomes it.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use super::keeper::{Keeper, processes};
use super::{capabilities, failed, landlock, outer, root, say, seccomp};
use crate::isolation::{Fault, Part};
use crate::wire::{self, Job, JobLimits, Message, Orders};

/// Processes beside the job's own: this one and its second thread.
const OWN_PROCESSES: u64 = 2;

pub(super) fn run(orders: &Orders) -> Result<(), Fault> {
    tie()?;
    match &orders.job {
        None => try_parts(orders),
        Some(job) => run_job(orders, job),
    }
}

/// Tries what needs no namespace.
pub(super) fn run_bare(_: &Orders) -> Result<(), Fault> {
    tie()?;
    try_restrictions()
}

/// Dies with the first stage; to be said again after every change of user.
fn tie() -> Result<(), Fault> {
    let signal = Some(Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).map_err(failed(None, "tying life to the parent"))
}

/// Tries what remains to be tried here, and says how it went.
fn try_parts(orders: &Orders) -> Result<(), Fault> {
    if orders.namespaces {
        let privileged = capabilities::may_mount();
        say_tried(Part::MountNamespace, root::begin())?;
        say_tried(Part::PidNamespace, root::mount_proc())?;
        say_tried(Part::MountNamespace, root::enter())?;
        if privileged {
            let user = capabilities::become_user(orders.job_user, true);
            say_tried(Part::UserNamespace, user.and_then(|()| outer::enter_user_namespace()))?;
        }
        say_tried(Part::UserNamespace, capabilities::drop_all())?;
    }
    try_restrictions()
}

fn say_tried(part: Part, result: Result<(), Fault>) -> Result<(), Fault> {
    say(&Message::Tried { part, fault: result.err() })
}

fn try_restrictions() -> Result<(), Fault> {
    no_new_privileges()?;
    match landlock::restrict(&["/".to_owned()], &[]) {
        Ok(abi) => say(&Message::Landlock { abi })?,
        Err(fault) => say_tried(Part::Landlock, Err(fault))?,
    }
    say_tried(Part::Seccomp, seccomp::restrict(false))
}

fn run_job(orders: &Orders, job: &Job) -> Result<(), Fault> {
    let mut output = None;
    let mut code = None;
    if orders.namespaces {
        let privileged = capabilities::may_mount();
        let owner = if privileged { orders.job_user } else { rustix::process::geteuid().as_raw() };
        root::begin()?;
        root::mount_proc()?;
        let made = root::furnish(job, owner)?;
        (output, code) = (Some(made.output), made.code);
        root::enter()?;
        if privileged {
            capabilities::become_user(orders.job_user, true)?;
            outer::enter_user_namespace()?;
        }
        capabilities::drop_all()?;
    } else if rustix::process::geteuid().is_root() {
        capabilities::become_user(orders.job_user, false)?;
    }
    readable(orders, job)?;
    tie()?;
    // Also keeps what this process has open, and its memory, from a job that runs as the same user.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(failed(None, "closing this process"))?;
    // Without a user namespace, the kernel counts what this user has elsewhere too.
    let elsewhere = if orders.namespaces { 0 } else { threads_of_user() };
    limit(&job.limits, elsewhere)?;
    no_new_privileges()?;
    let (readable, writable) = reach(orders.namespaces, job);
    let abi = if orders.landlock { landlock::restrict(&readable, &writable)? } else { 0 };
    if orders.seccomp {
        seccomp::restrict(!orders.namespaces)?;
    }
    say(&Message::Landlock { abi })?;
    start(orders, job, output.as_ref(), code)
}

/// Says which input the job could not open, rather than let it find out: whoever gave it may be root. What else the job
/// may read is what was looked at, or is not within its reach.
fn readable(orders: &Orders, job: &Job) -> Result<(), Fault> {
    for bind in &job.binds {
        let path = if orders.namespaces { &bind.target } else { &bind.source };
        let step = || failed(None, format!("opening input `{}` as the user that jobs have", bind.source));
        let there = match (bind.input, orders.namespaces) {
            (true, _) => std::fs::File::open(path).and_then(|file| file.metadata()).map_err(step())?,
            // The one who mounted it has looked.
            (false, true) => continue,
            (false, false) => match std::fs::metadata(path) {
                Ok(there) => there,
                Err(_) => continue,
            },
        };
        root::same(bind, &there)?;
    }
    Ok(())
}

fn no_new_privileges() -> Result<(), Fault> {
    rustix::thread::set_no_new_privs(true).map_err(failed(None, "giving up new privileges"))
}

/// What Landlock lets the job read, and what write.
fn reach(namespaces: bool, job: &Job) -> (Vec<String>, Vec<String>) {
    let layout = &job.layout;
    let mut writable: Vec<String> = ["null", "zero", "full"].map(|name| format!("/dev/{name}")).into();
    writable.extend([layout.output.clone(), layout.home.clone(), layout.tmp.clone()]);
    if namespaces {
        writable.push("/dev/shm".to_owned());
        return (vec!["/".to_owned()], writable);
    }
    let mut readable: Vec<String> = job.binds.iter().map(|bind| bind.source.clone()).collect();
    readable.extend(["/proc", "/dev/random", "/dev/urandom", "/etc/passwd", "/etc/group"].map(str::to_owned));
    readable.extend([layout.input.clone(), layout.code.clone()]);
    (readable, writable)
}

/// Sets the limits that the kernel enforces, none above those of the caller.
fn limit(limits: &JobLimits, elsewhere: u64) -> Result<(), Fault> {
    for (resource, value) in [
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Data, limits.memory_bytes),
        (Resource::Nproc, elsewhere.saturating_add(limits.processes + OWN_PROCESSES)),
        (Resource::Nofile, limits.open_files),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Core, 0),
        (Resource::Memlock, 64 * 1024),
        (Resource::Msgqueue, 819_200),
        (Resource::Nice, 0),
        (Resource::Rtprio, 0),
    ] {
        let most = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let value = Some(value.min(most));
        rustix::process::setrlimit(resource, Rlimit { current: value, maximum: value })
            .map_err(failed(None, format!("limiting {resource:?}")))?;
    }
    Ok(())
}

/// Makes the command. Its standard input is empty, its output is the log.
fn command(job: &Job) -> Result<Command, Fault> {
    let missing = || Fault { part: None, step: "starting the command: it is empty".to_owned(), errno: 0 };
    let (program, arguments) = job.command.split_first().ok_or_else(missing)?;
    let log = || std::io::stderr().as_fd().try_clone_to_owned().map(Stdio::from);
    let step = || failed(None, format!("preparing `{program}`"));
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = Command::new(program);
    let place = job.environment.get("BARTIZAN_CODE").unwrap_or(&job.layout.home);
    command.args(arguments).env_clear().envs(&job.environment).current_dir(place).stdin(Stdio::null());
    command.stdout(log().map_err(step())?).stderr(log().map_err(step())?);
    Ok(command)
}

/// Says that the sandbox is there. With namespaces, starts the command and stays with it; otherwise becomes it.
fn start(
    orders: &Orders,
    job: &Job,
    output: Option<&OwnedFd>,
    code: Option<wire::CodeCopied>,
) -> Result<(), Fault> {
    let mut command = command(job)?;
    let step = || failed(None, format!("starting `{}`", command.get_program().display()));
    wire::send(std::io::stdout().as_fd(), &Message::Ready { code }, output.map(AsFd::as_fd))
        .map_err(failed(None, "telling the parent"))?;
    if !orders.namespaces {
        let failed = step();
        return Err(failed(command.exec()));
    }
    let failed = step();
    let child = command.process_group(0).spawn().map_err(failed)?;
    Keeper { namespaces: true, grouped: orders.seccomp, memory: job.limits.memory_bytes }.keep(&child)
}

/// Processes and threads of this process's user on the whole machine.
fn threads_of_user() -> u64 {
    let user = rustix::process::geteuid().as_raw();
    let directories = processes("/proc").map(|pid| format!("/proc/{}/task", pid.as_raw_nonzero()));
    let own = directories.filter(|path| std::fs::metadata(path).is_ok_and(|found| found.uid() == user));
    own.map(|path| u64::try_from(processes(&path).count()).unwrap_or(0)).sum()
}
