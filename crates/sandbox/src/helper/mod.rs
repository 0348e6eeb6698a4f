//! The other side of a re-execution: two tiny stages that build the sandbox around themselves, then run the job.
//!
//! ```text
//!   parent --exec--> outer: leaves the namespaces --exec--> inner: first process of the new PID namespace
//!     ^                |                                      | mounts, user namespace, capabilities, rlimits,
//!     |                | waits for inner                      | no new privileges, Landlock, seccomp
//!     +--messages------+--------------------------------------+--exec--> command
//! ```
//!
//! Standard input holds the orders, standard output is the socket for messages, standard error the job's log.
//!
//! Without namespaces, the second stage restricts itself and becomes the command, and the first stays with it as the
//! leader of its process group, which seccomp keeps it from leaving.
//!
//! Both stages have one thread while they change what they are, and are started by `exec`, never by a bare fork.

mod capabilities;
mod inner;
mod keeper;
mod landlock;
mod outer;
mod root;
mod seccomp;

use std::os::fd::AsFd;

use crate::isolation::{Fault, Part};
use crate::wire::{self, Message, Orders};

/// The hidden first argument of the first stage.
pub(crate) const OUTER: &str = "__sandbox-outer";
/// The hidden first argument of the second stage.
const INNER: &str = "__sandbox-inner";
/// The same where not all namespaces are there: it must not mount anything.
const INNER_BARE: &str = "__sandbox-inner-bare";

/// Becomes a sandbox's helper when this process was started as one, and never returns then.
///
/// To be the very first thing that `main` does, before threads, signal handlers and open files.
pub fn init_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    let stage = arguments.next().filter(|_| arguments.next().is_none());
    let code = match stage.as_ref().and_then(|stage| stage.to_str()) {
        Some(OUTER) => stage_main(outer::run),
        Some(INNER) => stage_main(inner::run),
        Some(INNER_BARE) => stage_main(inner::run_bare),
        _ => return,
    };
    #[expect(clippy::exit, reason = "a helper must not run the program that it was started from")]
    std::process::exit(code);
}

fn stage_main(stage: fn(&Orders) -> Result<(), Fault>) -> i32 {
    close_inherited();
    // Directories that are made for another user must be open to it, whatever the caller's habits.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let orders = std::io::stdin().as_fd().try_clone_to_owned().and_then(wire::orders);
    let result = orders.map_err(failed(None, "reading the orders")).and_then(|orders| stage(&orders));
    match result {
        Ok(()) => 0,
        Err(fault) => {
            // When the parent is gone there is nobody left to tell.
            drop(say(&Message::Failed(fault)));
            1
        }
    }
}

/// Closes what the caller had open and forgot to mark as its own; nothing else is open yet in this process.
fn close_inherited() {
    let listed: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for fd in listed.into_iter().filter(|fd| *fd > 2) {
        // One of them was the listing's own and is closed already.
        nix::unistd::close(fd).unwrap_or_default();
    }
}

/// Sends a message to the parent.
fn say(message: &Message) -> Result<(), Fault> {
    wire::send(std::io::stdout().as_fd(), message, None).map_err(failed(None, "telling the parent"))
}

/// Turns an error of the operating system into a fault of the step that met it.
fn failed<E: Into<std::io::Error>>(part: Option<Part>, step: impl Into<String>) -> impl FnOnce(E) -> Fault {
    let step = step.into();
    move |error| Fault { part, step, errno: error.into().raw_os_error().unwrap_or(0) }
}
