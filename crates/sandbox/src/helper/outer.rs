//! The first stage: leaves the caller's namespaces, starts the second stage in the new ones, and waits for it.

use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use rustix::process::{DumpableBehavior, Signal};

use super::keeper::Keeper;
use super::{INNER, INNER_BARE, capabilities, failed, say};
use crate::isolation::{Fault, Part};
use crate::wire::{Message, Orders};

/// The id that the job sees as its own.
const INNER_ID: u32 = 1000;

pub(super) fn run(orders: &Orders) -> Result<(), Fault> {
    let signal = Some(Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal)
        .map_err(failed(None, "tying life to the parent"))?;
    rustix::process::setsid().map_err(failed(None, "starting a session"))?;
    // Without a PID namespace, what a job leaves behind comes to this process.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(failed(None, "becoming the reaper"))?;
    let complete = if orders.namespaces {
        leave(orders)?
    } else {
        // The job may have the same user, and is not to look into this process.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(failed(None, "closing the first stage"))?;
        true
    };
    let mut inner = start_inner(if complete { INNER } else { INNER_BARE })?;
    if let (Some(job), false) = (&orders.job, orders.namespaces) {
        let memory = job.limits.memory_bytes;
        return Keeper { namespaces: false, grouped: orders.seccomp, memory }.keep(&inner);
    }
    inner.wait().map_err(failed(None, "waiting for the second stage"))?;
    Ok(())
}

/// Enters new namespaces. In answer to orders without a job, says how it went, goes on past those that cannot be
/// had, and returns whether there were none.
fn leave(orders: &Orders) -> Result<bool, Fault> {
    let privileged = capabilities::may_mount();
    let mut complete = true;
    let parts = [
        (Part::MountNamespace, CloneFlags::CLONE_NEWNS),
        (Part::IpcNamespace, CloneFlags::CLONE_NEWIPC),
        (Part::NetworkNamespace, CloneFlags::CLONE_NEWNET),
        (Part::PidNamespace, CloneFlags::CLONE_NEWPID),
    ];
    if !privileged {
        if rustix::process::geteuid().is_root() {
            capabilities::become_user(orders.job_user, false)?;
            let signal = Some(Signal::KILL);
            rustix::process::set_parent_process_death_signal(signal)
                .map_err(failed(None, "tying life to the parent"))?;
        }
        let entered = enter_user_namespace().and_then(|()| capabilities::keep_over_exec());
        complete &= tried(orders, Part::UserNamespace, entered)?;
    }
    for (part, flag) in parts {
        let step = format!("entering a new {part}");
        complete &= tried(orders, part, unshare(flag).map_err(failed(Some(part), step)))?;
    }
    if privileged && !complete {
        // Otherwise the second stage does it, after mounting.
        complete &= tried(orders, Part::UserNamespace, enter_user_namespace())?;
    }
    // These two only hide names. Kernels without them isolate no less.
    unshare(CloneFlags::CLONE_NEWUTS).unwrap_or_default();
    unshare(CloneFlags::CLONE_NEWCGROUP).unwrap_or_default();
    Ok(complete)
}

fn tried(orders: &Orders, part: Part, result: Result<(), Fault>) -> Result<bool, Fault> {
    if orders.job.is_some() {
        return result.map(|()| true);
    }
    let complete = result.is_ok();
    say(&Message::Tried { part, fault: result.err() })?;
    Ok(complete)
}

/// Enters a user namespace in which this process's user is [`INNER_ID`] and nobody else exists.
pub(super) fn enter_user_namespace() -> Result<(), Fault> {
    let part = Some(Part::UserNamespace);
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(failed(part, "entering a new user namespace"))?;
    let write = |file: &str, text: String| {
        std::fs::write(file, text).map_err(failed(part, format!("writing {file}")))
    };
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("{INNER_ID} {uid} 1"))?;
    write("/proc/self/gid_map", format!("{INNER_ID} {gid} 1"))
}

fn start_inner(stage: &str) -> Result<std::process::Child, Fault> {
    let step = |what: &str| failed(None, format!("starting the second stage: {what}"));
    let clone = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().map(Stdio::from);
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(stage)
        .env_clear()
        .stdin(clone(std::io::stdin().as_fd()).map_err(step("its orders"))?)
        .stdout(clone(std::io::stdout().as_fd()).map_err(step("its socket"))?)
        .stderr(clone(std::io::stderr().as_fd()).map_err(step("its log"))?);
    command.spawn().map_err(step("its program"))
}
