//! The line that shows progress: on a terminal, and nowhere else.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::bench::{Bench, text};

/// Runs a command whose standard error is a terminal, and returns what it drew.
fn drawn(bench: &Bench, arguments: &[&str]) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other_end = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan"));
    command.args(arguments).current_dir(bench.path("")).env_clear().env("TERM", "xterm");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(other_end));
    let mut child = command.spawn().unwrap();
    drop(command);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut drawn = Vec::new();
        // A terminal without other end is an error to read from, and what came before is kept.
        File::from(terminal).read_to_end(&mut drawn).ok();
        sender.send(String::from_utf8_lossy(&drawn).into_owned()).ok();
    });
    let drawn = receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(child.wait().unwrap().success(), "{arguments:?}: {drawn}");
    drawn
}

#[test]
fn progress_is_drawn_on_a_terminal_and_nowhere_else() {
    let bench = Bench::with_project();
    let rows: String = (0..200_000).map(|row| format!("{row},x\n")).collect();
    bench.write("big.csv", format!("a,b\n{rows}").as_bytes());
    bench.write("model/weights", rows.as_bytes());
    for (arguments, expected) in [
        (&["data", "schema", "infer", "big.csv", "--out", "schema.toml"][..], "reading big.csv"),
        (&["data", "check", "big.csv", "--schema", "schema.toml"], "checking big.csv"),
        (&["model", "import", "model", "--name", "m", "--origin", "test"], "importing 1 files"),
        (&["data", "add", "d", "big.csv", "--source", "test"], "adding 1 deliveries"),
        (&["model", "verify", "m:1"], "reading every byte again"),
        (&["ledger", "fsck"], "recomputing every hash"),
    ] {
        let shown = drawn(&bench, arguments);
        assert!(shown.contains(expected), "{arguments:?}: {shown:?}");
        if !expected.starts_with("re") {
            assert!(shown.contains(" MiB"), "{arguments:?}: {shown:?}");
        }
        // The same files once more, under another name.
        let other = |word: &&'static str| match *word {
            "m" => "n",
            "d" => "e",
            word => word,
        };
        let json: Vec<&str> = ["-o", "json"].into_iter().chain(arguments.iter().map(other)).collect();
        assert_eq!(drawn(&bench, &json), "", "{arguments:?}");
    }
    // Names come from outside.
    let evil = bench.write("evil\u{9b}2J.csv", format!("a,b\n{rows}").as_bytes());
    let shown = drawn(&bench, &["data", "check", text(&evil), "--schema", "schema.toml"]);
    assert!(shown.contains(r"evil\u{9b}2J") && !shown.contains('\u{9b}'), "{shown:?}");

    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan"));
    let piped = command.args(["data", "check", "big.csv", "--schema", "schema.toml"]);
    let ran = piped.current_dir(bench.path("")).env_clear().env("TERM", "xterm").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
}
