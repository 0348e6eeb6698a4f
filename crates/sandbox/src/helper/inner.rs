//! The second stage: builds the sandbox around itself, starts the command, and ends everything when it ends.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit, Signal, WaitOptions};

use super::{capabilities, failed, landlock, outer, root, say, seccomp};
use crate::isolation::{Fault, Part};
use crate::limits::MEMORY_LOOK_MILLIS;
use crate::wire::{self, Job, JobLimits, Message, Orders, Status};

/// Set when the processes of the job together held too much memory.
static OUT_OF_MEMORY: AtomicBool = AtomicBool::new(false);

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
    tie()?;
    // Also keeps what this process has open, and its memory, from a job that runs as the same user.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(failed(None, "closing this process"))?;
    limit(&job.limits)?;
    no_new_privileges()?;
    let (readable, writable) = reach(orders.namespaces, job);
    let abi = if orders.landlock { landlock::restrict(&readable, &writable)? } else { 0 };
    if orders.seccomp {
        seccomp::restrict(!orders.namespaces)?;
    }
    say(&Message::Landlock { abi })?;
    supervise(orders, job, output.as_ref(), code)
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
fn limit(limits: &JobLimits) -> Result<(), Fault> {
    for (resource, value) in [
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Data, limits.memory_bytes),
        (Resource::Nproc, limits.processes + OWN_PROCESSES),
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

/// Starts the command, waits for its end, kills the rest.
fn supervise(
    orders: &Orders,
    job: &Job,
    output: Option<&OwnedFd>,
    code: Option<wire::CodeCopied>,
) -> Result<(), Fault> {
    let ready = Message::Ready { code };
    wire::send(std::io::stdout().as_fd(), &ready, output.map(AsFd::as_fd))
        .map_err(failed(None, "telling the parent"))?;
    let first = start(job)?;
    let memory = job.limits.memory_bytes;
    let namespaces = orders.namespaces;
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch(namespaces, memory))
        .map_err(failed(None, "starting the watching thread"))?;
    let status = wait_for(first)?;
    kill_descendants();
    while matches!(rustix::process::wait(WaitOptions::empty()), Ok(_) | Err(Errno::INTR)) {}
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(failed(None, "asking what was used"))?;
    let micros = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_usec()).unwrap_or(0)
    };
    say(&Message::Ended {
        status,
        user_micros: micros(used.user_time()),
        system_micros: micros(used.system_time()),
        peak_bytes: u64::try_from(used.max_rss()).unwrap_or(0) * 1024,
    })
}

fn start(job: &Job) -> Result<Pid, Fault> {
    let missing = || Fault { part: None, step: "starting the command: it is empty".to_owned(), errno: 0 };
    let (program, arguments) = job.command.split_first().ok_or_else(missing)?;
    let step = || failed(None, format!("starting `{program}`"));
    let log = || std::io::stderr().as_fd().try_clone_to_owned().map(Stdio::from);
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&job.environment).process_group(0);
    let place = job.environment.get("BARTIZAN_CODE").unwrap_or(&job.layout.home);
    command.current_dir(place).stdin(Stdio::null());
    command.stdout(log().map_err(step())?).stderr(log().map_err(step())?);
    let child = command.spawn().map_err(step())?;
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| Fault { part: None, step: "the command has no process id".to_owned(), errno: 0 })
}

/// Reaps whatever ends until it is the command itself.
fn wait_for(first: Pid) -> Result<Status, Fault> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == first => {
                let status = ExitStatus::from_raw(status.as_raw());
                if OUT_OF_MEMORY.load(Ordering::SeqCst) {
                    return Ok(Status::OutOfMemory);
                }
                return Ok(match status.code() {
                    Some(code) => Status::Exited(code),
                    None => Status::Signalled(status.signal().unwrap_or(0)),
                });
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(None, "waiting for the command")(errno)),
        }
    }
}

/// Ends this process, and with it the job, when the parent hangs up; kills the job when it holds too much memory.
fn watch(namespaces: bool, memory: u64) {
    let socket = std::io::stdout();
    let pause = Timespec { tv_sec: 0, tv_nsec: i64::from(MEMORY_LOOK_MILLIS) * 1_000_000 };
    loop {
        let mut watched = [PollFd::new(&socket, PollFlags::IN)];
        match rustix::event::poll(&mut watched, Some(&pause)) {
            Ok(0) | Err(Errno::INTR) => {}
            // The parent never sends anything: it has hung up.
            Ok(_) | Err(_) => {
                kill_descendants();
                #[expect(clippy::exit, reason = "ends the first process of the namespace, and so all of it")]
                std::process::exit(1);
            }
        }
        if namespaces && held() > memory {
            OUT_OF_MEMORY.store(true, Ordering::SeqCst);
            kill_descendants();
        }
    }
}

/// Bytes of private memory that all processes of this PID namespace hold, this one aside.
fn held() -> u64 {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut pages = 0u64;
    for pid in processes("/proc").filter(|pid| *pid != Pid::INIT) {
        let text =
            std::fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_nonzero())).unwrap_or_default();
        let mut fields = text.split(' ').skip(1).map(|field| field.trim().parse::<u64>().unwrap_or(0));
        let (resident, shared) = (fields.next().unwrap_or(0), fields.next().unwrap_or(0));
        pages = pages.saturating_add(resident.saturating_sub(shared));
    }
    pages.saturating_mul(page)
}

fn processes(directory: &str) -> impl Iterator<Item = Pid> {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
}

/// Kills all that this process has started, directly or not, until nothing is left of it.
pub(super) fn kill_descendants() {
    // As the first process of a namespace, this reaches everything in it but itself.
    if rustix::process::getpid() == Pid::INIT {
        // An error means that there is nothing else.
        let all = nix::unistd::Pid::from_raw(-1);
        nix::sys::signal::kill(all, nix::sys::signal::Signal::SIGKILL).unwrap_or_default();
        return;
    }
    // Otherwise descendants are passed on to this process as their parents die. Members of a group die at once.
    loop {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            rustix::process::kill_process_group(child, Signal::KILL).unwrap_or_default();
            rustix::process::kill_process(child, Signal::KILL).unwrap_or_default();
        }
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) | Err(Errno::INTR) => std::thread::sleep(std::time::Duration::from_millis(1)),
            Err(_) => return,
        }
    }
}

fn children() -> Vec<Pid> {
    let tasks = processes("/proc/self/task");
    let read = |task: Pid| {
        std::fs::read_to_string(format!("/proc/self/task/{}/children", task.as_raw_nonzero()))
            .unwrap_or_default()
    };
    let text: String = tasks.map(|task| read(task) + " ").collect();
    text.split_whitespace().filter_map(|number| number.parse().ok().and_then(Pid::from_raw)).collect()
}
