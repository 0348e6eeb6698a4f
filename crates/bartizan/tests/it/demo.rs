//! The demo where jobs cannot be isolated fully.
//!
//! No switch of the program pretends that: the demo runs in a user namespace that may have no further ones.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Bench, Ran, finish};

/// Gives up everything that making the namespace gave, in which there are to be no others.
const NESTED: &str = "echo 0 > /proc/sys/user/max_user_namespaces && \
                      exec setpriv --ambient-caps=-all --inh-caps=-all \"$@\"";

/// Runs the program where there are no user namespaces, or not at all where that cannot be had.
#[expect(clippy::print_stderr, reason = "what is skipped is said loudly")]
fn without_namespaces(bench: &Bench, format: &str, arguments: &[&str]) -> Option<Ran> {
    let nested = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--user",
            "--map-user=65534",
            "--map-group=65534",
            "--keep-caps",
            "sh",
            "-c",
            NESTED,
            "sh",
        ]);
        unshare
            .args(command)
            .current_dir(bench.path(""))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        unshare.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        unshare
    };
    let tried = nested(&["true"]).output();
    if !tried.as_ref().is_ok_and(|ran| ran.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "a user namespace without others cannot be had: {tried:?}");
        eprintln!("SKIPPED: a user namespace without others cannot be had: {tried:?}");
        return None;
    }
    let program = [&[env!("CARGO_BIN_EXE_bartizan"), "-o", format, "demo"], arguments].concat();
    Some(finish(nested(&program).spawn().unwrap()))
}

const REMEDY: &str = "sudo sysctl -w user.max_user_namespaces=10000";

#[test]
fn whoever_requires_isolation_is_told_what_brings_it() {
    let bench = Bench::new();
    let Some(ran) = without_namespaces(&bench, "json", &["--require-isolation"]) else { return };
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    let said: Value = serde_json::from_str(&ran.stderr).unwrap();
    let said = &said["error"];
    assert_eq!((&said["id"], &said["next"]), (&"BZ-0323".into(), &REMEDY.into()), "{said}");
    let why = said["why"][0].as_str().unwrap();
    assert!(why.starts_with("user namespace: user namespaces are limited to none"), "{why}");
}

#[test]
fn with_less_isolation_the_demo_says_what_it_could_not_show() {
    let bench = Bench::new();
    let Some(ran) = without_namespaces(&bench, "table", &[]) else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let held = ran.stdout.lines().filter(|line| line.starts_with("  ok  ")).count();
    let end = format!("All {held} steps that were shown held; 1 could not be shown.");
    assert!(ran.stdout.lines().any(|line| line == end), "{end}\n{}", ran.stdout);
    let mut lines = ran.stdout.lines().skip_while(|line| !line.starts_with("  --  "));
    let line = lines.next().unwrap();
    assert!(
        line.contains("tries the network") && line.contains("NOT SHOWN: isolation is reduced here"),
        "{line}"
    );
    assert_eq!(lines.next(), Some(format!("      to see it, first: {REMEDY}").as_str()));
    assert!(ran.stdout.contains("trained:1, accuracy 0.98, isolation reduced"), "{}", ran.stdout);
}
