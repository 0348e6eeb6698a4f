//! How long it takes to start and end a sandbox with nothing to do in it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time, and starts a process to compare with")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bartizan_base::{ManualClock, Timestamp};
use bartizan_sandbox::{Demand, End, Plan, Sandbox};

const ROUNDS: usize = 200;

fn main() {
    bartizan_sandbox::init_if_asked();
    let sandbox = Sandbox::here().unwrap();
    println!("isolation: {:?}", sandbox.probe().isolation());
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-bench");
    std::fs::create_dir_all(&place).unwrap();
    let output = place.join("output");
    drop(std::fs::remove_dir_all(&output));
    let mut bare = Vec::new();
    let mut sandboxed = Vec::new();
    // In turn, so that a busy moment of the machine meets both.
    for _ in 0..ROUNDS {
        bare.push(time(|| assert!(Command::new("/bin/true").status().unwrap().success())));
        sandboxed.push(time(|| run(&sandbox, &output)));
        std::fs::remove_dir_all(&output).unwrap();
    }
    let probe = (0..ROUNDS).map(|_| time(|| drop(Sandbox::here().unwrap()))).collect();
    show("/bin/true", bare);
    show("/bin/true in a sandbox", sandboxed);
    show("probing", probe);
}

fn run(sandbox: &Sandbox, output: &Path) {
    let mut plan = Plan::new(vec!["/bin/true".to_owned()], PathBuf::from(output));
    plan.isolation = Demand::Reduced;
    let report = sandbox.run(&ManualClock::new(Timestamp::EPOCH), &plan).unwrap();
    assert_eq!(report.end, End::Exited(0));
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (best, median, worst) = (times[0], times[times.len() / 2], times[times.len() * 95 / 100]);
    println!("{what:24} best {best:8.2?}  median {median:8.2?}  95 % within {worst:8.2?}");
}
