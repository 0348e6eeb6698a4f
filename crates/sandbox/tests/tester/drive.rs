//! The parent of a sandboxed job: reads what to run, runs it, prints what happened.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bartizan_base::{ManualClock, Timestamp};
use bartizan_sandbox::{Demand, Isolation, Output, Plan, Sandbox, Venv};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::Deserialize;

/// A plan, and the machine to pretend to be.
#[derive(Deserialize)]
#[serde(default)]
struct Order {
    command: Vec<String>,
    code: Option<PathBuf>,
    inputs: BTreeMap<String, PathBuf>,
    output: PathBuf,
    read_only: Vec<PathBuf>,
    venv: Option<PathBuf>,
    private: Vec<PathBuf>,
    environment: BTreeMap<String, String>,
    wall_millis: u64,
    cpu_seconds: u64,
    memory_bytes: u64,
    processes: u64,
    output_bytes: u64,
    output_files: u64,
    scratch_bytes: u64,
    reduced: bool,
    /// Pretend that this machine has no namespaces.
    no_namespaces: bool,
    /// Pretend that this machine has no Landlock.
    no_landlock: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            code: None,
            inputs: BTreeMap::new(),
            output: PathBuf::new(),
            read_only: Vec::new(),
            venv: None,
            private: Vec::new(),
            environment: BTreeMap::new(),
            wall_millis: 20_000,
            cpu_seconds: 60,
            memory_bytes: 1 << 30,
            processes: 64,
            output_bytes: 8 << 20,
            output_files: 32,
            scratch_bytes: 16 << 20,
            reduced: false,
            no_namespaces: false,
            no_landlock: false,
        }
    }
}

pub(crate) fn drive() -> ExitCode {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let order: Order = serde_json::from_str(&text).unwrap();
    let mut closed = Vec::new();
    if order.no_namespaces {
        closed.push(libc::SYS_unshare);
    }
    if order.no_landlock {
        closed.push(libc::SYS_landlock_create_ruleset);
    }
    if !closed.is_empty() {
        close(&closed);
    }
    let sandbox = Sandbox::here().unwrap();
    if order.command.is_empty() {
        print_probe(&sandbox);
        return ExitCode::SUCCESS;
    }
    let mut plan = Plan::new(order.command, order.output);
    plan.code = order.code;
    plan.inputs = order.inputs.into_iter().map(|(name, path)| (name.parse().unwrap(), path)).collect();
    plan.read_only = order.read_only;
    match order.venv.map(|venv| Venv::open(&venv, &order.private)).transpose() {
        Ok(venv) => plan.venv = venv,
        Err(refused) => {
            println!("refused: {}", chain(&refused));
            return ExitCode::FAILURE;
        }
    }
    plan.private = order.private;
    plan.environment = order.environment;
    plan.isolation = if order.reduced { Demand::Reduced } else { Demand::Full };
    plan.limits.wall = Duration::from_millis(order.wall_millis);
    plan.limits.cpu_seconds = order.cpu_seconds;
    plan.limits.memory_bytes = order.memory_bytes;
    plan.limits.processes = order.processes;
    plan.limits.output_bytes = order.output_bytes;
    plan.limits.output_files = order.output_files;
    plan.limits.scratch_bytes = order.scratch_bytes;
    run(&sandbox, &plan)
}

fn run(sandbox: &Sandbox, plan: &Plan) -> ExitCode {
    match sandbox.run(&ManualClock::new(Timestamp::EPOCH), plan) {
        Err(failed) => {
            println!("failed: {}", chain(&failed));
            ExitCode::FAILURE
        }
        Ok(report) => {
            println!("end: {:?}", report.end);
            match &report.isolation {
                Isolation::Full => println!("isolation: full"),
                Isolation::Reduced { missing } => println!("isolation: without {missing:?}"),
            }
            println!("uid: {}", report.uid);
            println!("environment: {:?}", report.environment);
            println!("mounts: {:?}", report.mounts);
            for part in report.venv.iter().flat_map(|venv| &venv.installed) {
                let hashed = part.hashed;
                println!("installed: {} files, {} bytes, {}", hashed.files, hashed.bytes, hashed.digest);
            }
            if let Some(venv) = &report.venv {
                println!("packages: {:?}", venv.packages);
            }
            if let Some(code) = report.code {
                println!("code: {} files, {} bytes, {}", code.files, code.bytes, code.digest);
            }
            for (name, input) in &report.inputs {
                println!(
                    "input {}: {} files, {} bytes, {}",
                    name.as_str(),
                    input.files,
                    input.bytes,
                    input.digest
                );
            }
            match &report.output {
                Output::Withheld => println!("output: withheld"),
                Output::Refused { entries, count } => {
                    println!("output: refused {count}");
                    let mut lines: Vec<String> =
                        entries.iter().map(|entry| format!("{} is {}", entry.path, entry.reason)).collect();
                    lines.sort();
                    lines.iter().for_each(|line| println!("  {line}"));
                }
                Output::Published { whole, files } => {
                    println!("output: {} files, {} bytes, {}", whole.files, whole.bytes, whole.digest);
                    files.iter().for_each(|file| println!("  {} {} {}", file.path, file.bytes, file.digest));
                }
            }
            println!("log: {} bytes, {}", report.log.bytes, report.log.digest);
            println!("{}", String::from_utf8_lossy(&report.log.tail));
            ExitCode::SUCCESS
        }
    }
}

fn print_probe(sandbox: &Sandbox) {
    println!("landlock: {}", sandbox.probe().landlock_abi);
    println!("isolation: {:?}", sandbox.probe().isolation());
    for missing in &sandbox.probe().missing {
        println!("{}: {} -> {}", missing.part, missing.reason, missing.remedy);
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// Makes system calls fail from here on, as on a machine that does not have them.
fn close(calls: &[i64]) {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}
