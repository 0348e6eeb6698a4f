//! Bad input: a clear error with an id, and nothing half-done.

use std::os::unix::fs::symlink;

use crate::bench::{Bench, text};

#[test]
fn a_project_begins_once() {
    let bench = Bench::new();
    bench.refused(&["model", "list"], 4, "BZ-0101");
    assert_eq!(bench.run(&["init"]).code, 0);
    bench.refused(&["init"], 2, "BZ-0102");
    assert_eq!(bench.json(&["model", "list"]), serde_json::json!([]));
}

#[test]
fn a_newer_data_directory_is_left_alone() {
    let bench = Bench::with_project();
    bench.write("bartizan-data/VERSION", b"bartizan-data-directory 99\n");
    let said = bench.refused(&["model", "list"], 1, "BZ-0104");
    assert!(said.contains("99"), "{said}");
}

#[test]
fn bad_deliveries_are_named_by_place() {
    let bench = Bench::new();
    let clean = bench.write("clean.csv", b"a,b\n1,x\n2,y\n");
    let schema = bench.path("schema.toml");
    assert_eq!(bench.run(&["data", "schema", "infer", text(&clean), "--out", text(&schema)]).code, 0);
    for (name, bytes, place) in [
        ("empty", &b""[..], "empty"),
        ("binary", b"\x7fELF\x02\x01\x01\x00", "not text"),
        ("ragged", b"a,b\n1,x\n2,y,z\n", "row 2"),
        ("utf8", b"a,b\n1,\xff\n", "row 1"),
        ("cut", b"a,b\n1,\"x", "row 1"),
        ("header", b"a,a\n1,x\n", "`a`"),
    ] {
        let file = bench.write(name, bytes);
        for arguments in [
            vec!["data", "schema", "infer", text(&file)],
            vec!["data", "check", text(&file), "--schema", text(&schema)],
        ] {
            let said = bench.refused(&arguments, 1, "BZ-0311");
            assert!(said.contains(place), "{name}: {said}");
        }
    }
    bench.refused(&["data", "check", "absent.csv", "--schema", text(&schema)], 2, "BZ-0004");
    let bad = bench.write("bad.toml", b"format = \"bartizan-schema-v1\"\nsurprise = 1\n");
    bench.refused(&["data", "check", text(&clean), "--schema", text(&bad)], 2, "BZ-0312");
}

#[test]
fn a_refused_delivery_is_on_the_record_and_not_kept() {
    let bench = Bench::with_project();
    bench.write(
        "clean.csv",
        &(0..200).fold(b"a,b\n".to_vec(), |mut csv, row| {
            csv.extend(format!("{row},x\n").bytes());
            csv
        }),
    );
    let add = |file: &str| bench.run(&["data", "add", "feed", file, "--source", "a test", "--extend"]);
    assert_eq!(add("clean.csv").code, 0);
    let blobs = || walk(&bench.path("bartizan-data/blobs"));
    let before = blobs();
    bench.write("broken.csv", b"a,b\n1,x,3\n");
    let ran = add("broken.csv");
    assert!(ran.code == 1 && ran.stderr.contains("BZ-0311"), "{}", ran.stderr);
    assert_eq!(blobs(), before, "a half-read delivery left something behind");
    assert_eq!(bench.json(&["data", "list"]).as_array().unwrap().len(), 1);
}

fn walk(directory: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { 1 }).sum()
}

#[test]
fn a_model_is_made_of_regular_files() {
    let bench = Bench::with_project();
    bench.write("linked/model.onnx", b"x");
    symlink("/etc/passwd", bench.path("linked/secret")).unwrap();
    symlink("/etc", bench.path("linked2")).unwrap();
    bench.write("inner/real/model.onnx", b"x");
    symlink("real", bench.path("inner/alias")).unwrap();
    bench.write("case/Model.onnx", b"x");
    bench.write("case/model.onnx", b"y");
    let deep = format!("deep/{}/model.onnx", vec!["d"; 20].join("/"));
    bench.write(&deep, b"x");
    std::fs::create_dir(bench.path("empty")).unwrap();
    for (path, named) in [
        ("linked", "secret"),
        ("linked2", "symbolic link"),
        ("inner", "alias"),
        ("case", "model.onnx"),
        ("deep", "too deep"),
        ("absent", "absent"),
        ("empty", "no files"),
    ] {
        let said = bench.refused(&["model", "import", path, "--name", "m", "--origin", "test"], 1, "BZ-0304");
        assert!(said.contains(named), "{path}: {said}");
    }
    assert_eq!(bench.json(&["model", "list"]), serde_json::json!([]));
}

#[test]
fn a_model_may_have_more_files_than_a_process_may_hold_open() {
    let bench = Bench::with_project();
    for number in 0..80 {
        bench.write(&format!("many/{number}"), number.to_string().as_bytes());
    }
    let limited = "ulimit -n 64 && exec \"$0\" -o json model import many --name m --origin test";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_bartizan")]).current_dir(bench.path(""));
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(bench.json(&["model", "verify", "m:1"])["files"], 80);
}

#[test]
fn unknown_settings_are_errors_with_a_suggestion() {
    let bench = Bench::with_project();
    let ran = bench.run_with("BARTIZAN_LISTN", "x", &["status"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("BZ-0002") && ran.stderr.contains("`listen`"),
        "{}",
        ran.stderr
    );
    bench.write("bartizan-data/bartizan.toml", b"outptu = \"json\"\n");
    let said = bench.refused(&["status"], 2, "BZ-0002");
    assert!(said.contains("`output`"), "{said}");
}

#[test]
fn a_setting_of_the_wrong_kind_is_an_error_and_so_is_an_unreadable_file() {
    let bench = Bench::with_project();
    for text in ["listen = 7878\n", "server = [\"http://127.0.0.1:7878\"]\n", "output = true\n"] {
        bench.write("bartizan-data/bartizan.toml", text.as_bytes());
        let said = bench.refused(&["status"], 2, "BZ-0002");
        assert!(said.contains(text.split(' ').next().unwrap()), "{said}");
    }
    std::fs::remove_file(bench.path("bartizan-data/bartizan.toml")).unwrap();
    symlink("bartizan.toml", bench.path("bartizan-data/bartizan.toml")).unwrap();
    bench.refused(&["status"], 2, "BZ-0002");
}

#[test]
fn failures_are_printed_in_the_configured_format() {
    let bench = Bench::with_project();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan"));
    command.args(["model", "show", "m:1"]).current_dir(bench.path("")).env_clear();
    let ran = command.env("BARTIZAN_OUTPUT", "json").output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert_eq!((ran.status.code(), &said["error"]["id"]), (Some(4), &"BZ-0203".into()));
}

/// Its decoder panics, which is caught: nobody need read a backtrace.
#[test]
fn a_file_that_contradicts_itself_is_told_once() {
    let bench = Bench::new();
    for (name, bytes, what) in [
        (
            "a.parquet",
            &include_bytes!("../../../../fuzz/seeds/parquet/contradiction")[..],
            "the Parquet file is damaged in column `s` from row 1 on: a page contradicts itself",
        ),
        (
            "a.arrow",
            &include_bytes!("../../../../fuzz/seeds/arrow_ipc/contradiction")[..],
            "the Arrow file is damaged from row 1 on: a message contradicts itself",
        ),
    ] {
        let file = bench.write(name, bytes);
        let file = text(&file);
        let ran = bench.shown(&["data", "profile", file]);
        assert_eq!(ran.code, 1);
        let next = "  next:    mend the file at the place named, then repeat the command";
        assert_eq!(ran.stderr.trim_end(), format!("error[BZ-0311]: `{file}`: {what}\n{next}"));
    }
}

#[test]
fn what_a_file_says_reaches_no_terminal_unescaped() {
    let bench = Bench::new();
    let clean = bench.write("clean.csv", b"a,b\n1,x\n2,y\n");
    let schema = bench.path("schema.toml");
    assert_eq!(bench.run(&["data", "schema", "infer", text(&clean), "--out", text(&schema)]).code, 0);
    bench.write("hostile.csv", "a,b,c\u{202e}\n1,x,1\n2,y,2\n".as_bytes());
    for (file, escaped) in
        [("hostile.csv", r"\u{202e}"), ("absent\u{9b}2J\u{1b}]0;x\u{7}.csv", r"\u{9b}2J\u{1b}]0")]
    {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan"));
        command
            .args(["data", "check", file, "--schema", text(&schema)])
            .current_dir(bench.path(""))
            .env_clear();
        let ran = command.output().unwrap();
        let said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
        assert!(said.contains(escaped), "{said}");
        assert!(!said.contains('\u{202e}') && !said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
}

#[test]
fn every_error_id_is_explained() {
    let bench = Bench::new();
    let all = bench.json(&["explain"]);
    for entry in all.as_array().unwrap() {
        let explained = bench.json(&["explain", entry["id"].as_str().unwrap()]);
        assert!(!explained["meaning"].as_str().unwrap().is_empty());
    }
    bench.refused(&["explain", "no-such-id"], 4, "BZ-0203");
}

#[test]
fn what_cannot_begin_leaves_nothing_behind() {
    let bench = Bench::new();
    let long = "x".repeat(300);
    for admin in ["", "a\nb", "\u{1b}[31m", &long] {
        let said = bench.refused(&["init", "--admin", admin], 2, "BZ-0003");
        assert!(!said.contains('\u{1b}') && said.len() < 400, "{said}");
    }
    let said = bench.refused(&["init", "--data-dir", "no/such/parent"], 2, "BZ-0004");
    assert!(said.contains("mkdir -p"), "{said}");
    bench.refused(&["init", "--passphrase-fd", "99"], 2, "BZ-0004");
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), 0);
    std::fs::create_dir(bench.path("bartizan-data")).unwrap();
    assert_eq!(bench.run(&["init"]).code, 0, "an empty directory is as good as none");
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), 1);
}

#[test]
fn mistakes_are_not_called_defects() {
    let bench = Bench::with_project();
    bench.refused(&["access", "user", "add", "bot", "--kind", "service"], 2, "BZ-0003");
    bench.refused(&["access", "user", "add", "eve", "--responsible", "admin"], 2, "BZ-0003");
    bench.refused(&["demo", "--csv", "absent.csv", "--label", "x"], 2, "BZ-0001");
    bench.write("kept/file", b"x");
    bench.refused(&["demo", "--keep", "kept"], 2, "BZ-0001");
    let said = bench.refused(&["access", "tier", "release"], 1, "BZ-0205");
    assert!(said.contains("two admins"), "{said}");
}

#[test]
fn what_has_no_end_is_not_read() {
    let bench = Bench::with_project();
    bench.refused(&["data", "add", "feed", "/dev/zero", "--source", "x"], 2, "BZ-0004");
    bench.refused(&["verify", "/dev/zero", "--trust", "/dev/zero"], 2, "BZ-0004");
    bench.write("data.csv", b"a,b\n1,x\n");
    bench.refused(&["data", "check", "data.csv", "--schema", "/dev/zero"], 2, "BZ-0004");
}

#[test]
fn where_something_else_is_no_project_is_begun() {
    let bench = Bench::with_project();
    bench.write("file", b"x");
    bench.write("other/thing", b"x");
    std::fs::create_dir(bench.path("empty")).unwrap();
    for (at, next) in [
        ("nothing", "bartizan init --data-dir nothing"),
        ("empty", "bartizan init --data-dir empty"),
        ("file", "name another directory"),
        ("other", "name another directory"),
    ] {
        let said = bench.refused(&["model", "list", "--data-dir", at], 4, "BZ-0101");
        assert!(said.contains(next), "{at}: {said}");
    }
    std::fs::remove_file(bench.path("bartizan-data/VERSION")).unwrap();
    let said = bench.refused(&["model", "list"], 4, "BZ-0101");
    assert!(said.contains("restore its `VERSION`") && !said.contains("init"), "{said}");
}

#[test]
fn who_is_who_is_not_unknown_but_unreadable_without_keys() {
    let bench = Bench::with_project();
    std::fs::rename(bench.path("bartizan-data/keys/data"), bench.path("data")).unwrap();
    std::fs::create_dir(bench.path("bartizan-data/keys/data")).unwrap();
    let said = bench.refused(&["model", "list"], 1, "BZ-0301");
    assert!(said.contains("their keys are missing") && said.contains("from a backup"), "{said}");
    assert!(!said.contains("BARTIZAN_TOKEN"), "{said}");
}

#[test]
fn what_is_named_wrongly_is_named_rightly_next() {
    let bench = Bench::with_project();
    bench.write("data.csv", b"a,b\n1,x\n2,y\n");
    for arguments in [
        &["data", "schema", "infer", "data.csv", "--label", "c"][..],
        &["data", "add", "feed", "data.csv", "--source", "x", "--label", "c"],
    ] {
        let said = bench.refused(arguments, 2, "BZ-0003");
        assert!(said.contains("no column `c`") && said.contains("the columns are a, b"), "{said}");
        assert!(said.contains("name a column of the file with --label"), "{said}");
    }
    let said = bench.refused(&["endpoint", "show", "nope"], 4, "BZ-0203");
    assert!(said.contains("bartizan endpoint list"), "{said}");
    let said = bench.refused(&["predictions", "search", "--since", "yesterday"], 2, "BZ-0001");
    assert!(said.contains("24h"), "{said}");
    assert_eq!(bench.json(&["explain", "0301"])["id"], "BZ-0301");
}

/// A ledger and its head as they were, beside an index that has seen more.
#[test]
fn an_index_that_is_ahead_is_not_thrown_away_unasked() {
    let bench = Bench::with_project();
    let (ledger, older) = (bench.path("bartizan-data/ledger"), bench.path("older"));
    let copied = std::process::Command::new("cp").arg("-a").args([&ledger, &older]).status().unwrap();
    assert!(copied.success());
    assert_eq!(bench.run(&["access", "user", "add", "eve"]).code, 0);
    std::fs::rename(&ledger, bench.path("newer")).unwrap();
    std::fs::rename(&older, &ledger).unwrap();
    for arguments in [&["model", "list"][..], &["ledger", "rebuild"], &["ledger", "rebuild"]] {
        let said = bench.refused(arguments, 1, "BZ-0402");
        assert!(said.contains("the index has followed") && said.contains("find the newer ledger"), "{said}");
    }
    let accepted = bench.run(&["ledger", "rebuild", "--accept-smaller-ledger"]);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    assert!(accepted.stderr.contains("entries were there that are lost"), "{}", accepted.stderr);
    assert_eq!(bench.run(&["model", "list"]).code, 0);
}

#[test]
fn a_column_that_cannot_be_left_out_is_not_learned_from() {
    let bench = Bench::new();
    let rows: String = (0..40).map(|row| format!("{row},{},{}\n", row % 7, row % 2)).collect();
    bench.write("people.csv", format!("age,sex,paid\n{rows}").as_bytes());
    let train = |column: &str, out: &str| {
        bench.run(&["train", "people.csv", "--label", "paid", "--leave-out", column, "--out", out])
    };
    let refused = train("sexx", "one");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("no column `sexx` to leave out"), "{}", refused.stderr);
    assert!(!bench.path("one").join("model.onnx").exists());
    assert_eq!(train("sex", "two").code, 0);
}
