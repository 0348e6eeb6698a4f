//! Recorded predictions from the command line: found, and shown to those who may see them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bench::{Bench, Ran, finish};
use crate::serving::{INFER, ask_with, ride, wait_ready, with_endpoint, with_endpoint_of};
use crate::up::Up;

/// Asks for a prediction about somebody, and returns its id.
fn predict(up: &Up, key: &str, distance: f64, subject: &str, request: &str) -> String {
    let subject = if subject.is_empty() { String::new() } else { format!("Bartizan-Subject: {subject}\r\n") };
    let headers = format!("{subject}X-Request-Id: {request}\r\n");
    let answer = ask_with(up, "POST", INFER, Some(key), &headers, &ride(distance, 2.0));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body.pointer("/parameters/prediction_id").and_then(Value::as_str).unwrap().to_owned()
}

/// Runs a command with a key against the running server, with something on standard input.
fn with_input(bench: &Bench, key: &str, arguments: &[&str], input: &str) -> Ran {
    let mut command = bench.command(arguments);
    let mut child = command.env("BARTIZAN_TOKEN", key).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    finish(child)
}

fn json_of(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn ids(found: &Value) -> Vec<&str> {
    let rows = found.get("predictions").and_then(Value::as_array).unwrap();
    rows.iter().map(|row| row.get("id").and_then(Value::as_str).unwrap()).collect()
}

#[test]
fn a_prediction_is_shown_at_once_and_after_it_was_sealed() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let id = predict(&up, &key, 3.0, "anna@example.org", "order 7");
    let shown = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "show", &id]));
    let expected = [
        ("id", json!(id)),
        ("endpoint", json!("scores")),
        ("model", json!("tips:2")),
        ("answeredBy", json!("primary")),
        ("fallbackReason", Value::Null),
        ("sequence", json!(1)),
        ("flags", json!([])),
    ];
    for (member, value) in expected {
        assert_eq!(shown[member], value, "{member}: {shown}");
    }
    assert!(shown["sealed"]["entry"].is_u64(), "{shown}");
    for member in ["inputs", "outputs", "principal", "subject", "request"] {
        assert!(shown.get(member).is_none(), "{member}: {shown}");
    }
    let by_request = ["predictions", "show", "--request", "order 7", "--inputs"];
    let shown = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &by_request));
    let distance = json!({ "name": "distance", "datatype": "FP32", "shape": [1, 1], "data": [3.0] });
    assert_eq!((&shown["id"], &shown["inputs"][0]), (&json!(id), &distance), "{shown}");
    assert_eq!((&shown["request"], &shown["status"]), (&json!("order 7"), &json!(200)), "{shown}");
    assert!(shown["outputs"][1]["data"][1].as_f64().is_some_and(|tips| tips < 0.5), "{shown}");
    assert!(shown["subject"].as_str().is_some_and(|tag| tag.len() == 64), "{shown}");
    // Whoever was killed left its log: the next one who looks finds what is in it.
    let last = predict(&up, &key, 4.0, "", "order 8");
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    for id in [&id, &last] {
        assert_eq!(bench.json(&["predictions", "show", id])["id"], json!(id));
    }
    let unknown = format!("prd_{}", "0".repeat(32));
    bench.refused(&["predictions", "show", &unknown], 4, "BZ-0203");
    bench.refused(&["predictions", "show", "prd_1"], 2, "BZ-0003");
    bench.refused(&["predictions", "show"], 2, "");
    bench.refused(&["predictions", "show", "--request", "order 9"], 4, "BZ-0203");
}

#[test]
fn a_search_finds_what_was_asked_for_and_goes_on_where_it_stopped() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    let people = ["anna@example.org", "ben@example.org", ""];
    let made: Vec<String> =
        (0..9).map(|at| predict(&up, &key, 3.0, people[at % 3], &format!("order {}", at / 2))).collect();
    let of = |wanted: &[usize]| wanted.iter().map(|at| made[*at].as_str()).collect::<Vec<_>>();
    let search = |more: &[&str], input: &str| {
        json_of(&with_input(&bench, &key, &[&["predictions", "search"], more].concat(), input))
    };
    let everything = of(&[8, 7, 6, 5, 4, 3, 2, 1, 0]);
    bench.write("anna.txt", b"anna@example.org\n");
    let table: [(&[&str], &str, Vec<&str>); 12] = [
        (&[], "", everything.clone()),
        (&["--endpoint", "scores", "--model", "tips:2", "--since", "1h"], "", everything.clone()),
        (&["--model", "tips"], "", everything.clone()),
        (&["--model", "tips:1"], "", vec![]),
        (&["--model", "tip"], "", vec![]),
        (&["--answered-by", "fallback"], "", vec![]),
        (&["--until", "1h"], "", vec![]),
        (&["--flagged"], "", vec![]),
        (&["--request", "order 1"], "", of(&[3, 2])),
        (&["--subject", "ben@example.org"], "", of(&[7, 4, 1])),
        (&["--subject-file", "anna.txt", "--limit", "2"], "", of(&[6, 3])),
        (&["--subject-file", "-"], "carl@example.org\n", vec![]),
    ];
    for (arguments, input, expected) in table {
        assert_eq!(ids(&search(arguments, input)), expected, "{arguments:?}");
    }
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let more: Vec<&str> = cursor.iter().flat_map(|cursor| ["--cursor", cursor.as_str()]).collect();
        let page = search(&[&["--limit", "2"], more.as_slice()].concat(), "");
        found.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(found, everything);
    let other = ["predictions", "search", "--endpoint", "other"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &other).code, 4, "a name that was mistyped");
    bench.write("two.txt", b"anna\nben\n");
    for wrong in [["--cursor", "x"], ["--since", "soon"], ["--limit", "0"], ["--subject-file", "two.txt"]] {
        let ran = bench.run_with("BARTIZAN_TOKEN", &key, &[&["predictions", "search"], &wrong[..]].concat());
        assert_eq!(ran.code, 2, "{wrong:?}: {}", ran.stderr);
    }
}

#[test]
fn a_search_tells_flags_and_fallbacks_apart() {
    let (bench, key) = with_endpoint_of(&["--trained-on", "rides:1"], &["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    predict(&up, &key, 3.0, "", "near");
    let far = predict(&up, &key, 5_000.0, "", "far");
    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &quarantine).code, 0);
    let search = |more: &[&str]| {
        json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &[&["predictions", "search"], more].concat()))
    };
    let begun = std::time::Instant::now();
    let instead = loop {
        let id = predict(&up, &key, 3.0, "", "instead");
        if ids(&search(&["--answered-by", "fallback"])) == [id.as_str()] {
            break id;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "the fallback does not answer");
    };
    assert_eq!(ids(&search(&["--flagged"])), [far.as_str()]);
    let found = search(&["--model", "tips:1"]);
    let row = &found["predictions"][0];
    assert_eq!((ids(&found), &row["fallbackReason"]), (vec![instead.as_str()], &json!("stopped")), "{found}");
}

#[test]
fn what_is_personal_takes_a_right_of_its_own() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let create = ["access", "key", "create", "admin", "--days", "1", "--scopes", "predictions.show"];
    let limited = bench.json(&create)["key"].as_str().unwrap().to_owned();
    let up = Up::start(&bench);
    wait_ready(&up);
    let id = predict(&up, &key, 3.0, "anna@example.org", "order 7");
    let table: [(&[&str], i32); 6] = [
        (&["predictions", "show", &id], 0),
        (&["predictions", "search", "--request", "order 7"], 3),
        (&["predictions", "show", "--request", "order 7"], 3),
        (&["predictions", "show", &id, "--inputs"], 3),
        (&["predictions", "search", "--subject", "anna@example.org"], 3),
        (&["model", "list"], 3),
    ];
    for (arguments, code) in table {
        let ran = bench.run_with("BARTIZAN_TOKEN", &limited, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("anna@"), "{}", ran.stderr);
    }
}

/// How each of these predictions stands: `kept`, `erased` or `lost`.
fn standings(bench: &Bench, key: &str, ids: &[String]) -> Vec<String> {
    let shown = ids.iter().map(|id| {
        let shown = json_of(&bench.run_with("BARTIZAN_TOKEN", key, &["predictions", "show", id, "--inputs"]));
        let standing = shown.pointer("/personal/state").and_then(Value::as_str).unwrap().to_owned();
        // What can be read is shown, and nothing else.
        assert_eq!(shown.get("inputs").is_some(), standing == "kept", "{shown}");
        assert_eq!(shown.get("endpoint"), Some(&json!("scores")), "{shown}");
        standing
    });
    shown.collect()
}

#[test]
fn what_is_recorded_of_a_person_is_erased_and_the_rest_stays_whole() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let people = ["anna@example.org", "ben@example.org", ""];
    let made: Vec<String> =
        (0..6).map(|at| predict(&up, &key, 3.0, people[at % 3], &format!("order {at}"))).collect();
    let erase = ["predictions", "erase", "--subject-file", "-", "--reason", "anna asked on 1 March"];
    let refused = with_input(&bench, &key, &erase, "anna@example.org\n");
    assert_eq!((refused.code, refused.stderr.contains("BZ-0353")), (2, true), "{}", refused.stderr);
    let erase = [&erase[..], &["--yes"]].concat();
    let nobody = with_input(&bench, &key, &erase, "carl@example.org\n");
    assert_eq!((nobody.code, nobody.stderr.contains("carl")), (4, false), "{}", nobody.stderr);
    let erased = json_of(&with_input(&bench, &key, &erase, "anna@example.org\n"));
    assert_eq!((&erased["records"], erased["finished"].is_u64()), (&json!(2), true), "{erased}");
    let expected = ["erased", "kept", "kept", "erased", "kept", "kept"];
    assert_eq!(standings(&bench, &key, &made), expected);
    // The statement is named, and the row of a search says so too.
    let shown = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "show", &made[0]]));
    assert_eq!(shown["personal"]["erasure"], erased["erasure"], "{shown}");
    let kind = |entry: &Value| {
        let entry = bench.run_with("BARTIZAN_TOKEN", &key, &["ledger", "show", &entry.to_string()]);
        json_of(&entry)["statement"]["predicateType"].clone()
    };
    assert_eq!(kind(&shown["sealed"]["entry"]), "https://bartizan.dev/segment/v1", "{shown}");
    assert_eq!(kind(&shown["personal"]["entry"]), "https://bartizan.dev/erasure/v1", "{shown}");
    let found = ["predictions", "search", "--subject", "anna@example.org"];
    let found = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &found));
    assert_eq!((ids(&found).len(), &found["predictions"][0]["erased"]), (2, &json!(true)), "{found}");
    // There is nothing left to erase; when she comes back, there is.
    assert_eq!(with_input(&bench, &key, &erase, "anna@example.org\n").code, 4);
    let back = predict(&up, &key, 5.0, "anna@example.org", "order 7");
    assert_eq!(standings(&bench, &key, std::slice::from_ref(&back)), ["kept"]);
    let listed = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "erasures"]));
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let checked = json_of(&bench.run(&["ledger", "fsck"]));
    assert_eq!(
        (&checked["predictions"]["records"], &checked["predictions"]["erased"]),
        (&json!(7), &json!(2))
    );
    up.end();

    assert_eq!(bench.json(&["ledger", "fsck"])["predictions"]["erased"], 2);
    assert_eq!(bench.json(&["predictions", "show", &made[3]])["personal"]["state"], "erased");
    // Nothing personal is in the ledger: not who, not why.
    for file in files(&bench.path("bartizan-data/ledger")) {
        let bytes = std::fs::read(&file).unwrap();
        for word in ["example.org", "asked on 1 March"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} in {}", file.display());
        }
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_check_names_what_was_edited_and_what_is_gone() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let made: Vec<String> =
        (0..3).map(|at| predict(&up, &key, 3.0, "anna@example.org", &format!("order {at}"))).collect();
    up.end();
    assert_eq!(bench.json(&["ledger", "fsck"])["predictions"]["records"], 3);
    let segments = files(&bench.path("bartizan-data/segments"));
    let is_segment = |path: &&std::path::PathBuf| path.to_str().unwrap().contains("/seg/");
    let largest = segments.iter().filter(is_segment).max_by_key(|path| path.metadata().unwrap().len());
    let segment = largest.unwrap();
    let whole = std::fs::read(segment).unwrap();
    for at in [0, 150, 232, 400, whole.len() / 2, whole.len() - 1] {
        let mut edited = whole.clone();
        edited[at] ^= 1;
        std::fs::write(segment, edited).unwrap();
        let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0350");
        assert!(told.contains("segment ") && told.contains("is damaged at byte"), "{at}: {told}");
    }
    // What cannot be looked into is not said to be empty.
    bench.refused(&["predictions", "show", &made[0]], 1, "BZ-0350");
    let found = bench.json(&["predictions", "search"]);
    assert_eq!(
        (ids(&found).len(), found["unreadSegments"].as_array().map(Vec::len)),
        (0, Some(1)),
        "{found}"
    );
    std::fs::remove_file(segment).unwrap();
    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0351");
    assert!(told.contains("its file is gone"), "{told}");
    std::fs::write(segment, whole).unwrap();
    assert_eq!(bench.json(&["ledger", "fsck"])["predictions"]["records"], 3);
    // Without the keys of the people nobody can say that an erasure was ordered.
    for shard in files(&bench.path("bartizan-data/keys/subjects")) {
        std::fs::remove_file(shard).unwrap();
    }
    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0351");
    assert!(told.contains("record 0: what is personal cannot be read"), "{told}");
}

/// Killed at any moment, an erasure has happened as a whole or not at all once the server runs again, or waits for
/// nobody but it.
#[test]
fn an_erasure_that_is_killed_is_finished_by_the_next_start() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let erase = ["predictions", "erase", "--subject", "anna@example.org", "--reason", "a test", "--yes"];
    // How long one takes that nobody disturbs; then others are killed at parts of that.
    let whole = {
        let mut up = Up::start(&bench);
        wait_ready(&up);
        predict(&up, &key, 3.0, "anna@example.org", "order 0");
        let begun = std::time::Instant::now();
        assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &erase).code, 0);
        let whole = begun.elapsed();
        up.end();
        whole
    };
    let mut finished = 0;
    for round in 1..=8 {
        let mut up = Up::start(&bench);
        wait_ready(&up);
        let id = predict(&up, &key, 3.0, "anna@example.org", "order 1");
        let other = predict(&up, &key, 3.0, "ben@example.org", "order 2");
        let asked = bench.command(&erase).env("BARTIZAN_TOKEN", &key).spawn().unwrap();
        std::thread::sleep(whole * round / 8);
        up.child.kill().unwrap();
        up.child.wait().unwrap();
        let acknowledged = finish(asked).code == 0;
        bench.json(&["ledger", "fsck"]);
        let mut up = Up::start(&bench);
        wait_ready(&up);
        let begun = std::time::Instant::now();
        loop {
            let listed = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "erasures"]));
            if listed.as_array().unwrap().iter().all(|erasure| erasure["finished"].is_u64()) {
                finished = listed.as_array().unwrap().len();
                break;
            }
            assert!(begun.elapsed() < std::time::Duration::from_secs(30), "round {round}: {listed}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let [hers, his] = &standings(&bench, &key, &[id, other])[..] else { panic!("two were asked for") };
        assert_eq!(his, "kept", "round {round}");
        assert!(hers == "erased" || (hers == "kept" && !acknowledged), "round {round}: {hers}");
        up.end();
        bench.json(&["ledger", "fsck"]);
    }
    assert!(finished > 1, "no erasure was ordered before its server was killed");
}

/// Segments that the ledger names and the disk has no more, or has as they were before.
#[test]
fn segments_that_are_gone_or_older_are_missed_before_a_prediction_is_made() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let segments = bench.path("bartizan-data/segments");
    let older = bench.path("older");
    let up = ["up", "--listen", "127.0.0.1:0", "--inference", "127.0.0.1:0"];
    let another = || {
        let mut up = Up::start(&bench);
        wait_ready(&up);
        predict(&up, &key, 3.0, "", "order 1");
        up.end();
    };
    let put_back = |from: &Path| {
        if segments.exists() {
            std::fs::remove_dir_all(&segments).unwrap();
        }
        let copied = Command::new("cp").arg("-a").args([from, segments.as_path()]).status().unwrap();
        assert!(copied.success());
    };
    another();
    let kept = Command::new("cp").arg("-a").args([&segments, &older]).status().unwrap();
    assert!(kept.success());
    another();
    assert_eq!(bench.run(&["ledger", "fsck"]).code, 0);
    std::fs::rename(&segments, bench.path("newest")).unwrap();

    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0351");
    assert!(told.contains("segments that the ledger states are gone"), "{told}");
    let told = bench.refused(&up, 1, "BZ-0351");
    assert!(told.contains(": there is no `"), "{told}");
    assert!(!segments.exists(), "nothing new is begun in their place");

    put_back(&older);
    let told = bench.refused(&up, 1, "BZ-0351");
    assert!(told.contains(": those in `"), "{told}");
    bench.refused(&["ledger", "fsck"], 1, "BZ-0351");

    put_back(&bench.path("newest"));
    another();
    assert_eq!(bench.run(&["ledger", "fsck"]).code, 0);
}

/// What was not sealed yet when its server was killed.
#[test]
fn a_check_reads_the_logs_that_are_not_sealed_and_damage_in_them_is_not_begun_over() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    predict(&up, &key, 3.0, "anna@example.org", "order 1");
    // The first is sealed, as whoever looks for it has it, and the others are not.
    json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &["predictions", "search"]));
    for order in ["order 2", "order 3", "order 4"] {
        predict(&up, &key, 3.0, "ben@example.org", order);
    }
    let checked = bench.json(&["ledger", "fsck"])["predictions"].clone();
    assert_eq!((&checked["records"], &checked["unsealed"]["records"]), (&json!(1), &json!(3)), "{checked}");
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    let checked = bench.json(&["ledger", "fsck"])["predictions"].clone();
    assert_eq!((&checked["records"], &checked["unsealed"]["records"]), (&json!(1), &json!(3)), "{checked}");
    let told = checked["notCovered"][0].as_str().unwrap();
    assert!(told.contains("rest on the log alone"), "{told}");

    let of_logs = |path: &std::path::PathBuf| path.to_str().unwrap().contains("/log/");
    let mut logs = files(&bench.path("bartizan-data/segments"));
    logs.retain(|path| of_logs(path) && !path.ends_with("spare"));
    logs.sort();
    let [log, pending] = &logs[..] else { panic!("{logs:?}") };
    let (whole, held) = (std::fs::read(log).unwrap(), std::fs::read(pending).unwrap());
    let mut edited = whole.clone();
    edited[150] ^= 1;
    std::fs::write(log, &edited).unwrap();
    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0350");
    assert!(told.contains("log/") && told.contains("is damaged at byte 124"), "{told}");
    std::fs::write(log, &whole).unwrap();

    std::fs::remove_file(pending).unwrap();
    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0351");
    assert!(told.contains("the keys of 1 of the people in it are gone"), "{told}");
    std::fs::remove_file(log).unwrap();
    let told = bench.refused(&["ledger", "fsck"], 1, "BZ-0351");
    assert!(told.contains("is gone, with whatever was in it from sequence number 2 on"), "{told}");

    std::fs::write(pending, held).unwrap();
    std::fs::write(log, edited).unwrap();
    let told = bench.refused(&["predictions", "search"], 1, "BZ-0350");
    assert!(told.contains("damaged evidence") && told.contains("from a backup"), "{told}");
    std::fs::write(log, &whole[..whole.len() - 9]).unwrap();
    let cut = bench.run(&["predictions", "search"]);
    assert_eq!(ids(&json_of(&cut)).len(), 3);
    assert!(!cut.stderr.contains("never acknowledged"), "{}", cut.stderr);
    for said in ["last_sequence=3", "cut_bytes=", "receipts of this epoch with higher sequence numbers"] {
        assert!(cut.stderr.contains(said), "{said}: {}", cut.stderr);
    }
}

/// Whoever puts back keys from before an erasure sees nothing of it here.
#[test]
fn what_was_erased_is_not_shown_with_old_keys() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let id = predict(&up, &key, 3.0, "anna@example.org", "order 1");
    let show = ["predictions", "show", &id, "--inputs"];
    let shown = json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &show));
    assert!(shown["inputs"].is_array(), "{shown}");
    let (keys, kept) = (bench.path("bartizan-data/keys/subjects"), bench.path("kept"));
    let copied = Command::new("cp").arg("-a").args([&keys, &kept]).status().unwrap();
    assert!(copied.success());
    let erase = ["predictions", "erase", "--subject", "anna@example.org", "--reason", "a test", "--yes"];
    json_of(&bench.run_with("BARTIZAN_TOKEN", &key, &erase));
    up.end();
    std::fs::remove_dir_all(&keys).unwrap();
    std::fs::rename(&kept, &keys).unwrap();
    bench.refused(&["ledger", "fsck"], 1, "BZ-0352");
    let shown = bench.json(&show);
    assert_eq!(shown["personal"]["state"], "erased", "{shown}");
    for member in ["inputs", "outputs", "principal", "subject", "request"] {
        assert!(shown.get(member).is_none(), "{member}: {shown}");
    }
    let found = bench.json(&["predictions", "search", "--subject", "anna@example.org"]);
    assert_eq!(found["predictions"][0]["erased"], true, "{found}");
}
