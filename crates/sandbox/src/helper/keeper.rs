//! Staying with a job: reaping, watching its memory and the parent, and killing all of it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions};

use super::{failed, say};
use crate::isolation::Fault;
use crate::limits::MEMORY_LOOK_MILLIS;
use crate::wire::{Message, Status};

/// Set when the processes of the job together held too much memory.
static OUT_OF_MEMORY: AtomicBool = AtomicBool::new(false);

/// Stays with a job to its end: as the first process of its PID namespace, or as the leader of its process group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeper {
    /// Whether this is the first process of a PID namespace.
    pub(super) namespaces: bool,
    /// Whether seccomp keeps the job from leaving its process group.
    pub(super) grouped: bool,
    /// Bytes that all processes of a PID namespace may hold together.
    pub(super) memory: u64,
}

impl Keeper {
    /// Waits for the command, says how it ended, and kills what it left.
    pub(super) fn keep(self, child: &Child) -> Result<(), Fault> {
        let first = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let nobody = || Fault { part: None, step: "the command has no process id".to_owned(), errno: 0 };
        let first = first.ok_or_else(nobody)?;
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || self.watch())
            .map_err(failed(None, "starting the watching thread"))?;
        let status = wait_for(first)?;
        if self.namespaces {
            kill_namespace();
            while matches!(rustix::process::wait(WaitOptions::empty()), Ok(_) | Err(Errno::INTR)) {}
        } else {
            // Before anything is said: what is left is taken from a directory that only dead processes wrote to.
            kill_descendants();
        }
        let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(failed(None, "asking what was used"))?;
        let micros = |time: nix::sys::time::TimeVal| {
            u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_usec()).unwrap_or(0)
        };
        say(&Message::Ended {
            status,
            user_micros: micros(used.user_time()),
            system_micros: micros(used.system_time()),
            peak_bytes: u64::try_from(used.max_rss()).unwrap_or(0) * 1024,
        })?;
        if !self.namespaces {
            kill_group();
        }
        Ok(())
    }

    /// Ends the job when the parent hangs up; kills it when it holds too much memory.
    fn watch(self) {
        let socket = std::io::stdout();
        let pause = Timespec { tv_sec: 0, tv_nsec: i64::from(MEMORY_LOOK_MILLIS) * 1_000_000 };
        loop {
            let mut watched = [PollFd::new(&socket, PollFlags::IN)];
            match rustix::event::poll(&mut watched, Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => {}
                // The parent never sends anything: it has hung up.
                Ok(_) | Err(_) => {
                    if !self.namespaces {
                        if !self.grouped {
                            kill_descendants();
                        }
                        kill_group();
                    }
                    // Ends the first process of the namespace, and so all of it.
                    std::process::exit(1);
                }
            }
            if self.namespaces && hold_more_than(self.memory) {
                OUT_OF_MEMORY.store(true, Ordering::SeqCst);
                kill_namespace();
            }
        }
    }
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

/// Whether all processes of this PID namespace, this one aside, hold more bytes of memory than `limit`: private and
/// shared, and files in `/tmp` and the like as far as they are mapped.
fn hold_more_than(limit: u64) -> bool {
    let others: Vec<Pid> = processes("/proc").filter(|pid| *pid != Pid::INIT).collect();
    let sum = |file: &str, names: &[&str]| -> u64 {
        let texts = others.iter().map(|pid| {
            std::fs::read_to_string(format!("/proc/{}/{file}", pid.as_raw_nonzero())).unwrap_or_default()
        });
        texts.map(|text| kibibytes(&text, names)).fold(0, u64::saturating_add).saturating_mul(1024)
    };
    // The first is cheap and counts a page once for each process that has it, as after a fork; the second takes
    // time and counts it once.
    sum("status", &["RssAnon:", "RssShmem:"]) > limit
        && sum("smaps_rollup", &["Pss_Anon:", "Pss_Shmem:"]) > limit
}

/// The sum of named lines of a file of `/proc`, as in `RssAnon:   1234 kB`.
fn kibibytes(text: &str, names: &[&str]) -> u64 {
    let values = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        names.contains(&name).then(|| words.next()?.parse::<u64>().ok()).flatten()
    });
    values.fold(0, u64::saturating_add)
}

/// The processes, or threads, that a directory of `/proc` names.
pub(super) fn processes(directory: &str) -> impl Iterator<Item = Pid> {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
}

/// Kills everything in this PID namespace but its first process, which this one is.
fn kill_namespace() {
    if rustix::process::getpid() == Pid::INIT {
        let all = nix::unistd::Pid::from_raw(-1);
        // An error means that there is nothing else.
        nix::sys::signal::kill(all, nix::sys::signal::Signal::SIGKILL).unwrap_or_default();
    }
}

/// Kills the process group that this process leads, itself included, all at once.
fn kill_group() {
    rustix::process::kill_current_process_group(Signal::KILL).unwrap_or_default();
}

/// Kills all that this process has started, directly or not, until nothing is left of it: descendants are passed
/// on to this process as their parents die.
pub(super) fn kill_descendants() {
    loop {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            // Only of children that lead a group is there one to kill.
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
