//! What is said about isolation that is missing, and what still holds with less of it.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{CROWD, Place, anybody_says, has, lacks, places, skipped};

fn without_namespaces(mut order: Value) -> Value {
    order["no_namespaces"] = json!(true);
    order
}

fn reduced(order: Value) -> Value {
    let mut order = without_namespaces(order);
    order["reduced"] = json!(true);
    order
}

/// Whether this machine has the rest, Landlock and seccomp.
fn has_rest(place: &Place) -> bool {
    let probe = place.drive(&json!({}));
    let rest = !probe.contains("Landlock:") && !probe.contains("seccomp:");
    if !rest {
        skipped(&format!("{:?}: no Landlock or no seccomp here:\n{probe}", place.user));
    }
    rest
}

#[test]
fn what_is_missing_is_named_with_reason_and_remedy() {
    for place in places() {
        let probe = place.drive(&without_namespaces(json!({})));
        for part in ["mount namespace", "PID namespace", "IPC namespace", "network namespace"] {
            let line = probe.lines().find(|line| line.starts_with(part)).unwrap_or_default();
            let (reason, remedy) = line.split_once(" -> ").unwrap_or_default();
            assert!(reason.contains("Operation not permitted"), "{probe}");
            assert!(!remedy.is_empty(), "{probe}");
        }
        let mut order = json!({});
        order["no_landlock"] = json!(true);
        has(&place.drive(&order), "Landlock: ");
    }
}

#[test]
fn less_isolation_is_refused_unless_asked_for() {
    let _alone = CROWD.lock();
    for place in places() {
        let order = json!({ "command": ["/bin/true"] });
        has(&place.drive(&without_namespaces(order.clone())), "failed: isolation is missing: ");
        if has_rest(&place) {
            let said = place.drive(&reduced(order));
            has(&said, "end: Exited(0)");
            has(
                &said,
                "isolation: without [UserNamespace, MountNamespace, PidNamespace, IpcNamespace, NetworkNamespace]",
            );
        }
    }
}

#[test]
fn without_namespaces_files_and_network_are_closed_still() {
    let _alone = CROWD.lock();
    for place in places().into_iter().filter(has_rest) {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap().to_string();
        has(&place.drive(&reduced(place.attack(&["tcp", &address]))), "tcp: denied");
        let secret = place.write("home/secret", "key").to_str().unwrap().to_owned();
        let said = place.drive(&reduced(place.attack(&["write", &secret])));
        for way in ["append", "truncate", "rename", "remove", "beside"] {
            has(&said, &format!("{way}: denied"));
        }
        let said = place
            .drive_with(&reduced(place.attack(&["environment", "swordfish"])), &[("TOKEN", "swordfish")]);
        has(&said, "environment: denied");
        has(&place.drive(&reduced(place.attack(&["memory"]))), "memory: denied");
        let said = place.drive(&reduced(
            json!({ "command": ["/bin/sh", "-c", format!("cat {secret} /etc/shadow; ls /root")] }),
        ));
        lacks(&said, "key");
        lacks(&said, "root:");
    }
}

#[test]
fn without_namespaces_jobs_compute_publish_and_die() {
    let _alone = CROWD.lock();
    for place in places().into_iter().filter(has_rest) {
        let table = place.write("table.csv", "1,2\n");
        let code = place.write(
            "code/run.sh",
            "cp $BARTIZAN_IN/table $BARTIZAN_OUT/copy; echo > $HOME/x; echo > $TMPDIR/y; pwd",
        );
        let order = json!({ "command": ["/bin/sh", "run.sh"], "code": code.parent().unwrap(), "inputs": { "table": table } });
        let said = place.drive(&reduced(order));
        has(&said, "end: Exited(0)");
        has(&said, "output: 1 files, 4 bytes");
        assert_eq!(std::fs::read_to_string(place.output().join("copy")).unwrap(), "1,2\n");
        let base = said.lines().find(|line| line.starts_with('/') && line.ends_with("/code")).unwrap();
        assert!(!std::path::Path::new(base).exists(), "{base} was left");

        std::fs::remove_dir_all(place.output()).unwrap();
        let word = format!("8645{}", std::process::id());
        let script = format!(
            "trap '' TERM; (setsid sleep {word} & sleep {word} &) ; while true; do sleep {word}; done"
        );
        let mut order = json!({ "command": ["/bin/sh", "-c", script] });
        order["wall_millis"] = json!(500);
        has(&place.drive(&reduced(order)), "end: TimedOut");
        assert!(!anybody_says(&word), "something of the job is alive");
    }
}

#[test]
fn without_namespaces_nothing_writes_while_the_output_is_taken() {
    let _alone = CROWD.lock();
    for place in places().into_iter().filter(has_rest) {
        for _ in 0..5 {
            let script = "for i in 1 2 3 4; do (while :; do echo x >> $BARTIZAN_OUT/$i; done) & done; \
                          until [ -s $BARTIZAN_OUT/1 -a -s $BARTIZAN_OUT/2 -a -s $BARTIZAN_OUT/3 -a -s $BARTIZAN_OUT/4 ]; \
                          do sleep 0.01; done";
            let mut order = json!({ "command": ["/bin/sh", "-c", script] });
            order["output_bytes"] = json!(1 << 30);
            let said = place.drive(&reduced(order));
            has(&said, "output: 4 files");
        }
    }
}

#[test]
fn without_namespaces_outputs_are_counted_and_all_is_removed() {
    let _alone = CROWD.lock();
    for place in places().into_iter().filter(has_rest) {
        let script = "for i in $(seq 40); do echo > $BARTIZAN_OUT/$i; done; echo at $TMPDIR";
        let said = place.drive(&reduced(json!({ "command": ["/bin/sh", "-c", script] })));
        has(&said, "output: refused 1");
        assert!(said.contains("is one more than there may be"), "{said}");
        // Deeper than the parent has open files.
        let script = "cd $TMPDIR; i=0; while [ $i -lt 600 ]; do mkdir d && cd d || exit 3; i=$((i+1)); done; \
                      echo at $TMPDIR";
        let mut order = reduced(json!({ "command": ["/bin/sh", "-c", script] }));
        order["output"] = json!(place.path().join("never"));
        let mut parent = Command::new("/bin/sh");
        parent.args(["-c", &format!("ulimit -n 128; exec {} drive", place.tester().display())]);
        parent.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut parent = place.given_to(parent).spawn().unwrap();
        parent.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let said = String::from_utf8(parent.wait_with_output().unwrap().stdout).unwrap();
        has(&said, "end: Exited(0)");
        let base = said.lines().find_map(|line| line.strip_prefix("at ")).unwrap();
        assert!(!std::path::Path::new(base).parent().unwrap().exists(), "{base} was left");
    }
}
