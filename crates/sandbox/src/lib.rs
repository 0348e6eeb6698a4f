//! Runs untrusted code with declared inputs, outputs and limits, and says what happened as data.
//!
//! A job gets user, mount, PID, IPC and network namespaces of its own, Landlock, seccomp, no new privileges, a
//! cleared environment and rlimits; a time limit kills all of it. It sees its inputs, its code, the system's
//! libraries and its virtual environment, all read-only, and writes to memory. What it leaves is published only
//! when it succeeded and left nothing but regular files.
//!
//! This crate deliberately does **not** sign or store what it reports, does not fetch inputs, gives no job
//! network, devices or privileges, and has no `unsafe` code: processes come to be by `exec` alone.
//!
//! ```text
//!   Plan --check, hash inputs--> orders --exec--> outer --exec--> inner --exec--> command
//!                                  |                                | output: a directory in memory,
//!   Report <-- publish <-- log, end, file descriptor of the output -+ handed out before the command starts
//! ```
//!
//! The program that uses this crate calls [`init_if_asked`] first in its `main`: the helper's two stages are the
//! same executable, started with a hidden argument. [`Sandbox::here`] then probes what the machine gives, and
//! [`Sandbox::run`] refuses when anything is missing, unless the plan asks for reduced isolation.
//!
//! Modules in reading order: `plan` (what is asked), `isolation` (parts, and why one is missing), `report` (what
//! is answered), `venv`, `mounts`, `tree` (hashing and copying), `sandbox` and `supervise` (the parent's side), `log`,
//! `output`, `wire` (between the two sides), `helper` (the other side).
#![cfg(target_os = "linux")]

mod helper;
mod isolation;
pub mod limits;
mod log;
mod mounts;
mod output;
mod plan;
mod report;
mod sandbox;
mod supervise;
mod tree;
mod venv;
mod wire;

pub use crate::helper::init_if_asked;
pub use crate::isolation::{Isolation, Missing, Part, Probe};
pub use crate::mounts::{Exposed, MountsUnusable, exposes_none};
pub use crate::output::PublishFailed;
pub use crate::plan::{Demand, Limits, Plan, PlanInvalid};
pub use crate::report::{
    End, Environment, Hashed, Installed, Log, Output, OutputFile, Refusal, RefusalReason, Report, Usage,
};
pub use crate::sandbox::{JOB_UID, ProbeFailed, RunFailed, Sandbox};
pub use crate::tree::TreeRefused;
pub use crate::venv::{Venv, VenvRefused};
