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

/// Something that is taken for a virtual environment, with one program of its own.
fn venv(bench: &Bench, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    bench.write(&format!("{name}/pyvenv.cfg"), b"home = /usr/bin\n");
    let snake = bench.path(&format!("{name}/bin/snake"));
    std::fs::create_dir_all(snake.parent().unwrap()).unwrap();
    std::fs::write(&snake, "#!/bin/sh\necho hiss\n").unwrap();
    std::fs::set_permissions(&snake, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_data_directory_is_in_no_environment_and_in_no_code() {
    let bench = with_data();
    bench.write("pyvenv.cfg", b"home = /usr/bin\n");
    let script = "cat bartizan-data/keys/root-key.json";
    for (name, arguments, why) in [
        ("around", ["--env", "."], "which no job may see"),
        ("itself", ["--env", "bartizan-data"], "it has no pyvenv.cfg"),
        ("no environment", ["--env", "/usr"], "is no environment of its own"),
        ("code around", ["--code", "."], "which no job may see"),
        ("code itself", ["--code", "bartizan-data/keys"], "which no job may see"),
    ] {
        let ran = run(&bench, script, &arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("BZ-0003") && ran.stderr.contains(why), "{name}: {}", ran.stderr);
    }
    assert_eq!(bench.json(&["run", "list"]), serde_json::json!([]), "refused before anything is stated");
    // An environment that nobody named, because the command lies in it.
    bench.write("bin/cat", b"");
    let program = bench.path("bin/cat");
    let key = bench.path("bartizan-data/keys/root-key.json");
    let fixed = ["run", "start", "--output-model", "tiny", "--isolation", "reduced", "--"];
    let ran = bench.run(&[&fixed[..], &[program.to_str().unwrap(), key.to_str().unwrap()]].concat());
    assert!(ran.code != 0 && ran.stderr.contains("which no job may see"), "{}{}", ran.stdout, ran.stderr);
    let ended = &bench.json(&["run", "list"])[0];
    assert_eq!(ended["end"], "failed", "{ended}");
}

#[test]
fn an_environment_is_there_whatever_the_command_is_and_is_recorded() {
    let bench = with_data();
    venv(&bench, "venv");
    let ran = run(&bench, r#"snake | tee "$BARTIZAN_OUT"/model.txt"#, &["--env", "venv"]);
    let made = answer(&ran);
    assert_eq!((ran.code, &made["version"]), (0, &"tiny:1".into()), "{made}{}", ran.stderr);
    assert_eq!((&made["log"], &made["servable"]), (&"hiss\n".into(), &"no: no file is called *.onnx".into()));
    let record = &bench.json(&["run", "show", made["run"].as_str().unwrap()])["record"];
    let place = bench.path("venv");
    let place = place.to_str().unwrap();
    assert_eq!(record["environment"]["path"], place);
    assert_eq!(record["environment"]["installed"][0]["files"], 2);
    assert_eq!(record["variables"]["VIRTUAL_ENV"], place);
    assert!(record["mounts"].as_array().unwrap().contains(&place.into()), "{record}");

    bench.write("venv/sitecustomize.py", b"import os");
    let ran = run(&bench, r#"snake > "$BARTIZAN_OUT"/other.txt"#, &["--env", "venv"]);
    let again = &bench.json(&["run", "show", answer(&ran)["run"].as_str().unwrap()])["record"];
    let digest = |record: &Value| record["environment"]["installed"][0]["sha256"].clone();
    assert!(digest(record).is_string());
    assert_ne!(digest(record), digest(again));
}

#[test]
fn the_same_bytes_again_are_refused_with_what_they_are_already() {
    let bench = with_data();
    let script =
        r#"echo model > "$BARTIZAN_OUT"/model.txt; echo '{"depth": 3}' > "$BARTIZAN_OUT"/params.json"#;
    assert_eq!(answer(&run(&bench, script, &[]))["version"], "tiny:1");
    let ran = run(&bench, script, &[]);
    let ended = &bench.json(&["run", "list"])[0];
    let id = ended["run"].as_str().unwrap();
    assert_eq!((ran.code, &ended["end"]), (1, &"refused".into()));
    for told in [
        "BZ-0204",
        id,
        "these files are tiny:1 already",
        "bartizan model show tiny:1",
        "bartizan run show run_",
    ] {
        assert!(ran.stderr.contains(told), "`{told}` is missing: {}", ran.stderr);
    }
    let record = &bench.json(&["run", "show", id])["record"];
    let refused = record["refused"][0].as_str().unwrap();
    assert!(refused.starts_with("model tiny: these files are tiny:1 already"), "{record}");
    assert_eq!(record["parameters"]["depth"], 3, "what is known of the run is kept");
}
