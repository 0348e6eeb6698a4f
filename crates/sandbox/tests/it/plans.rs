//! Plans that no machine could carry out.

use std::path::PathBuf;
use std::time::Duration;

use bartizan_base::{ManualClock, Timestamp};
use bartizan_sandbox::{Demand, Plan, RunFailed, Sandbox};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn sandbox() -> Sandbox {
    Sandbox::with_helper(PathBuf::from(env!("CARGO_BIN_EXE_bartizan-sandbox-tester"))).unwrap()
}

/// A plan that is refused, if for nothing else, for where its output is to go.
fn plan() -> Plan {
    let mut plan = Plan::new(vec!["/bin/true".to_owned()], PathBuf::from("/no/such/place/output"));
    plan.isolation = Demand::Reduced;
    plan
}

fn refused(plan: &Plan) -> RunFailed {
    sandbox().run(&ManualClock::new(Timestamp::EPOCH), plan).unwrap_err()
}

/// What to call it, and how to spoil a plan with it.
type Spoil = (&'static str, fn(&mut Plan));

fn check(changes: &[Spoil], expected: Expect) {
    let mut lines = String::new();
    for (what, change) in changes {
        let mut plan = plan();
        change(&mut plan);
        let failed = refused(&plan);
        assert!(failed.is_callers_fault(), "{failed}");
        let cause =
            std::error::Error::source(&failed).map_or_else(|| failed.to_string(), ToString::to_string);
        lines.push_str(&format!("{what}: {}\n", cause.replace('\0', "\\0")));
    }
    expected.assert_eq(&lines);
}

#[test]
fn words() {
    check(
        &[
            ("none", |plan| plan.command.clear()),
            ("empty", |plan| plan.command = vec![String::new()]),
            ("zero byte", |plan| plan.command.push("a\0b".to_owned())),
            ("many", |plan| plan.command = vec!["x".to_owned(); 1025]),
            ("reserved", |plan| drop(plan.environment.insert("BARTIZAN_OUT".to_owned(), "/".to_owned()))),
            ("equals", |plan| drop(plan.environment.insert("A=B".to_owned(), String::new()))),
            ("digit", |plan| drop(plan.environment.insert("1A".to_owned(), String::new()))),
        ],
        expect![[r#"
            none: the command is empty
            empty: the command is empty
            zero byte: `a\0b` is longer than 16384 bytes or holds a zero byte
            many: 1025 words of the command, more than the 1024 allowed
            reserved: `BARTIZAN_OUT` cannot be set: names are ASCII letters, digits and `_`, and `BARTIZAN_` is reserved
            equals: `A=B` cannot be set: names are ASCII letters, digits and `_`, and `BARTIZAN_` is reserved
            digit: `1A` cannot be set: names are ASCII letters, digits and `_`, and `BARTIZAN_` is reserved
        "#]],
    );
}

#[test]
fn paths_and_limits() {
    check(
        &[
            ("relative", |plan| plan.code = Some(PathBuf::from("code"))),
            ("upwards", |plan| plan.code = Some(PathBuf::from("/code/../etc"))),
            ("everything", |plan| plan.read_only.push(PathBuf::from("/"))),
            ("devices", |plan| plan.read_only.push(PathBuf::from("/dev/sda"))),
            ("secrets", |plan| plan.read_only.push(PathBuf::from("/etc/shadow"))),
            ("sockets", |plan| plan.read_only.push(PathBuf::from("/run/docker.sock"))),
            ("no time", |plan| plan.limits.wall = Duration::ZERO),
            ("years", |plan| plan.limits.wall = Duration::MAX),
            ("no memory", |plan| plan.limits.memory_bytes = 0),
            ("processes", |plan| plan.limits.processes = u64::MAX),
            ("nothing wrong but the place", |_| {}),
        ],
        expect![[r#"
            relative: `code` is not an absolute path in UTF-8 without `.` and `..`
            upwards: `/code/../etc` is not an absolute path in UTF-8 without `.` and `..`
            everything: `/` cannot be mounted: the sandbox has its own
            devices: `/dev/sda` cannot be mounted: the sandbox has its own
            secrets: `/etc/shadow` cannot be mounted: the sandbox has its own
            sockets: `/run/docker.sock` cannot be mounted: the sandbox has its own
            no time: the limit `wall in milliseconds` is 0, not between 1 and 604800000
            years: the limit `wall in milliseconds` is 18446744073709551615, not between 1 and 604800000
            no memory: the limit `memory_bytes` is 0, not between 1 and 1125899906842624
            processes: the limit `processes` is 18446744073709551615, not between 1 and 32768
            nothing wrong but the place: `/no/such/place/output` exists already, or its directory does not
        "#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_words_and_paths_lead_to_a_panic(
        command in prop::collection::vec(any::<String>(), 0..4),
        paths in prop::collection::vec(any::<PathBuf>(), 0..4),
        variables in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
    ) {
        let mut plan = plan();
        plan.command = command;
        plan.read_only = paths;
        plan.environment = variables;
        prop_assert!(refused(&plan).is_callers_fault());
    }
}
