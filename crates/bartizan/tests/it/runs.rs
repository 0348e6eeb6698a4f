//! Training runs, from the command line to a version with provenance.

use serde_json::Value;

use crate::bench::{Bench, Ran};

fn with_data() -> Bench {
    let bench = Bench::with_project();
    let rows = (0..50).map(|row| format!("{row},{}\n", if row % 2 == 0 { "x" } else { "y" }));
    let csv = std::iter::once("a,label\n".to_owned()).chain(rows).collect::<String>();
    bench.write("feed.csv", csv.as_bytes());
    let added = bench.run(&["data", "add", "feed", "feed.csv", "--source", "a test"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    bench
}

/// Runs a shell script in the sandbox; where this machine cannot isolate fully, with what it has.
#[expect(clippy::print_stderr, reason = "what is skipped is said loudly")]
fn run(bench: &Bench, script: &str, more: &[&str]) -> Ran {
    let arguments = |isolation: &'static str| {
        let fixed = ["run", "start", "--input", "feed:1", "--output-model", "tiny", "--isolation", isolation];
        [&fixed[..], more, &["--", "/bin/sh", "-c", script]].concat()
    };
    let ran = bench.run(&arguments("full"));
    if !ran.stderr.contains("BZ-0322") {
        return ran;
    }
    assert!(std::env::var_os("CI").is_none(), "{}", ran.stderr);
    eprintln!("SKIPPED full isolation, which is not to be had here: {}", ran.stderr);
    bench.run(&arguments("reduced"))
}

fn answer(ran: &Ran) -> Value {
    assert!(!ran.stdout.is_empty(), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn what_a_run_leaves_becomes_a_version() {
    let bench = with_data();
    let script = r#"
        cat "$BARTIZAN_IN"/feed/part-0001.csv > "$BARTIZAN_OUT"/model.txt
        echo '{"depth": 3}' > "$BARTIZAN_OUT"/params.json
        echo '{"step": 1, "loss": 0.25}' > "$BARTIZAN_OUT"/metrics.jsonl
        echo trained"#;
    let ran = run(&bench, script, &[]);
    let made = answer(&ran);
    assert_eq!((ran.code, &made["version"]), (0, &"tiny:1".into()), "{made}{}", ran.stderr);
    assert_eq!(made["log"], "trained\n");
    let shown = bench.json(&["run", "show", made["run"].as_str().unwrap()]);
    assert_eq!(shown["record"]["parameters"]["depth"], 3);
    assert_eq!(shown["record"]["metrics"][0]["loss"], 0.25);
    assert_eq!(shown["version"], "tiny:1");
    let version = bench.json(&["model", "show", "tiny:1"]);
    assert_eq!((&version["files"], &version["trainedOn"][0]), (&1.into(), &"feed:1".into()), "{version}");
    assert_eq!(bench.json(&["model", "verify", "tiny:1"])["files"], 1);
    assert!(!bench.path("bartizan-data/runs").join(made["run"].as_str().unwrap()).exists());
}

/// Of a long log the end is kept, and the digest of all of it: `yes` writes the same line again and again.
#[test]
fn a_long_log_is_recorded_by_the_digest_of_all_of_it() {
    let bench = with_data();
    let script = r#"yes 'epoch done' | head -n 20000; echo model > "$BARTIZAN_OUT"/model.txt"#;
    let ran = run(&bench, script, &[]);
    let made = answer(&ran);
    assert_eq!((ran.code, &made["version"]), (0, &"tiny:1".into()), "{made}{}", ran.stderr);
    let whole = "epoch done\n".repeat(20_000);
    let shown = bench.json(&["run", "show", made["run"].as_str().unwrap()]);
    let kept = shown["log"].as_str().unwrap();
    assert!(kept.len() < whole.len() && whole.ends_with(kept), "{} bytes are kept", kept.len());
    let digest = bartizan_base::sha256(whole.as_bytes()).to_hex();
    assert_eq!(shown["record"]["log"], serde_json::json!({ "sha256": digest, "bytes": whole.len() }));
}

#[test]
fn notes_that_cannot_be_read_do_not_cost_the_model() {
    let bench = with_data();
    let script = r#"
        echo model > "$BARTIZAN_OUT"/model.txt
        echo '{"depth": 3, "depth": 4}' > "$BARTIZAN_OUT"/params.json
        printf '{"loss": 0.5}\n{"loss": NaN}\n{"loss"' > "$BARTIZAN_OUT"/metrics.jsonl"#;
    let ran = run(&bench, script, &[]);
    let made = answer(&ran);
    assert_eq!((ran.code, &made["version"]), (0, &"tiny:1".into()), "{made}{}", ran.stderr);
    let record = &bench.json(&["run", "show", made["run"].as_str().unwrap()])["record"];
    assert_eq!(record["parameters"], Value::Null);
    assert_eq!(record["metrics"], serde_json::json!([{ "loss": 0.5 }, { "loss": null }]));
    let remarks: Vec<&str> =
        record["remarks"].as_array().unwrap().iter().map(|remark| remark.as_str().unwrap()).collect();
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    assert!(remarks[0].starts_with("metrics.jsonl, line 2: NaN"), "{remarks:?}");
    assert!(remarks[2].starts_with("params.json is not kept: `depth` is there twice"), "{remarks:?}");
}

#[test]
fn a_run_that_fails_or_leaves_a_link_makes_nothing() {
    let bench = with_data();
    for (script, end) in [
        ("echo no >&2; exit 3", "failed"),
        ("kill -9 $$", "failed"),
        ("ln -s /etc/passwd \"$BARTIZAN_OUT\"/model", "refused"),
        ("mkfifo \"$BARTIZAN_OUT\"/model", "refused"),
        ("true", "refused"),
        ("echo '{}' > \"$BARTIZAN_OUT\"/params.json", "refused"),
    ] {
        let ran = run(&bench, script, &[]);
        let ended = answer(&ran);
        assert_eq!((ran.code, &ended["end"]), (1, &end.into()), "{script}: {ended}{}", ran.stderr);
    }
    let slow = run(&bench, "trap '' TERM; sleep 60", &["--time", "1"]);
    assert_eq!((slow.code, &answer(&slow)["end"]), (1, &"timed-out".into()), "{}", slow.stderr);
    assert_eq!(bench.json(&["model", "list"]), serde_json::json!([]));
    let ends: Vec<Value> =
        bench.json(&["run", "list"]).as_array().unwrap().iter().map(|run| run["end"].clone()).collect();
    assert_eq!(ends.len(), 7, "every one of them is on the record: {ends:?}");
}

#[test]
fn a_run_sees_what_it_was_given_and_nothing_else() {
    let bench = with_data();
    bench.write("secret.txt", b"the host's secret");
    bench.write("code/train.sh", b"cat ./train.sh > \"$BARTIZAN_OUT\"/code.txt");
    let secret = bench.path("secret.txt");
    let script = format!(
        "sh ./train.sh; cat {} && exit 9; env | grep -c BARTIZAN_TOKEN && exit 8; \
         echo x > \"$BARTIZAN_IN\"/feed/part-0001.csv && exit 7; exit 0",
        secret.display()
    );
    let ran = run(&bench, &script, &["--code", "code"]);
    let ended = answer(&ran);
    assert_eq!(ended["status"], 0, "{ended}{}", ran.stderr);
    assert!(!ran.stdout.contains("the host's secret"), "{}", ran.stdout);
}
