//! Personal data in files: found, replaced, and turned back; and none of it in our own logs.

use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use crate::bench::{Bench, text};
use crate::tables::{ARROW, PARQUET, in_gzip, in_zstd, serve};

const TABLE: &str = "id,email,note\r\n1,anna@example.org,\"call +1 212-555-0123, please\"\r\n2,bob@example.org,\"said \"\"no\"\"\"\r\n";

const LINES: &str = "{\"card\": 4111111111111111, \"note\": \"from anna@example.org\"}\n{\"card\": null}\n";

fn scanned(bench: &Bench, arguments: &[&str]) -> (i32, Value) {
    let ran = bench.run(&[&["data", "pii", "scan"], arguments].concat());
    let report = serde_json::from_str(&ran.stdout);
    assert!(report.is_ok(), "{}{}", ran.stdout, ran.stderr);
    (ran.code, report.unwrap())
}

fn read(bench: &Bench, name: &str) -> String {
    std::fs::read_to_string(bench.path(name)).unwrap()
}

#[test]
fn a_directory_is_searched_and_places_are_named_but_no_values() {
    let bench = Bench::new();
    bench.write("d/a/people.csv", TABLE.as_bytes());
    bench.write("d/events.jsonl", LINES.as_bytes());
    bench.write("d/app.log", b"started\nlogin from 203.0.113.9\n");
    bench.write("d/clean.txt", b"nothing to see here\n");
    bench.write("d/picture", b"\x00\x01\x02anna@example.org");
    bench.write("d/packed.gz", &[0x1f, 0x8b, 8, 0]);
    symlink("app.log", bench.path("d/link")).unwrap();
    let (code, report) = scanned(&bench, &["d"]);
    assert_eq!(code, 1);
    assert_eq!(report["findings"], json!({ "card": 1, "email": 3, "ipv4": 1, "phone": 1 }));
    assert_eq!(report["searched"], 4);
    let skipped: Vec<(&str, &str)> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect();
    let [("d/link", "a link"), ("d/packed.gz", damaged), ("d/picture", "binary")] = skipped[..] else {
        panic!("{skipped:?}")
    };
    assert!(damaged.contains("gzip"), "{damaged}");
    let table = &report["files"][0];
    assert_eq!(table["file"], "d/a/people.csv");
    assert_eq!(table["columns"][0]["name"], "email");
    assert_eq!(table["columns"][0]["holds"], "email");
    assert_eq!(table["places"][0]["line"], 2);
    assert_eq!(table["places"][0]["column"], 2);
    let log = &report["files"][1];
    assert_eq!((&log["places"][0]["line"], &log["places"][0]["column"]), (&json!(2), &json!(12)));
    let said = report.to_string();
    for value in ["anna@", "203.0.113.9", "4111111111111111", "212-555"] {
        assert!(!said.contains(value), "{said}");
    }
    let (_, shown) = scanned(&bench, &["d/app.log", "--show"]);
    assert_eq!(shown["files"][0]["places"][0]["value"], "203.0.113.9");
    assert_eq!(scanned(&bench, &["d/clean.txt"]).0, 0);
    // One file there could not be searched.
    assert_eq!(scanned(&bench, &["d", "--kinds", "iban,mac-address"]).0, 1);
    assert_eq!(scanned(&bench, &["d/a", "--kinds", "iban,mac-address"]).0, 0);
    assert_eq!(scanned(&bench, &["d/app.log", "--min-score", "0.99"]).0, 0);
    let mut table = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    table.args(["data", "pii", "scan", "d", "--threads", "1"]).current_dir(bench.path(""));
    let table = String::from_utf8(table.output().unwrap().stdout).unwrap();
    assert!(table.contains("d/app.log:2:12"), "{table}");
    assert!(!table.contains("203.0.113.9"), "{table}");
    bench.refused(&["data", "pii", "scan", "absent"], 2, "BZ-0004");
    bench.refused(&["data", "pii", "scan", "d", "--kinds", "emails"], 2, "BZ-0001");
    bench.write(
        "bad.toml",
        b"format = \"bartizan-recognisers-v1\"\n[[recogniser]]\nkind = \"x\"\npattern = \"(\"\nscore = 1.0\n",
    );
    bench.refused(&["data", "pii", "scan", "d", "--recognisers", "bad.toml"], 2, "BZ-0313");
    bench.write("own.toml", b"format = \"bartizan-recognisers-v1\"\n[[recogniser]]\nkind = \"started\"\npattern = \"started\"\nscore = 0.9\n");
    let (code, own) = scanned(&bench, &["d/app.log", "--kinds", "started", "--recognisers", "own.toml"]);
    assert_eq!((code, &own["findings"]), (1, &json!({ "started": 1 })));
}

/// Where things were found, as `FILE:LINE:COLUMN NAME KIND VALUE`.
fn places(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |file: &Value| -> Vec<String> {
        let name = text(&file["file"]);
        let place = |place: &Value| {
            let (column, kind, value) = (text(&place["name"]), text(&place["kind"]), text(&place["value"]));
            format!("{name}:{}:{} {column} {kind} {value}", place["line"], place["column"])
        };
        file["places"].as_array().unwrap().iter().map(place).collect()
    };
    report["files"].as_array().unwrap().iter().flat_map(of).collect()
}

#[test]
fn compressed_files_are_searched_as_what_is_in_them() {
    let bench = Bench::new();
    let log = "started\nlogin from 203.0.113.9\n";
    let two = [in_gzip(log.as_bytes()), in_gzip(b"mail to bob@example.org\n")].concat();
    bench.write("d/app.log.gz", &two);
    bench.write("d/events.jsonl.zst", &in_zstd(LINES.as_bytes(), 0));
    bench.write("d/people.csv.gz", &in_gzip(TABLE.as_bytes()));
    bench.write("d/twice.gz", &in_gzip(&in_gzip(log.as_bytes())));
    let (code, report) = scanned(&bench, &["d", "--show"]);
    assert_eq!(code, 1);
    assert_eq!(
        places(&report),
        [
            "d/app.log.gz:2:12  ipv4 203.0.113.9",
            "d/app.log.gz:3:9  email bob@example.org",
            "d/events.jsonl.zst:1:10  card 4111111111111111",
            "d/events.jsonl.zst:1:42  email anna@example.org",
            "d/people.csv.gz:2:2 email email anna@example.org",
            "d/people.csv.gz:2:3 note phone +1 212-555-0123",
            "d/people.csv.gz:3:2 email email bob@example.org",
        ]
    );
    let formats: Vec<&Value> = report["files"].as_array().unwrap().iter().map(|one| &one["format"]).collect();
    assert_eq!(formats, ["text", "jsonl", "csv"]);
    assert_eq!(
        report["skipped"],
        json!([{ "file": "d/twice.gz", "kind": "unsearched", "why": "compressed, in gzip" }])
    );
    // What is redacted is written as text.
    bench.json(&["data", "redact", "d/people.csv.gz", "--out", "people.csv"]);
    assert!(
        read(&bench, "people.csv").starts_with("id,email,note\r\n1,<EMAIL>,\"call <PHONE>, please\"\r\n")
    );
}

#[test]
fn what_could_not_be_searched_is_not_clean() {
    let bench = Bench::new();
    let lines = in_gzip(&b"nothing to see here\n".repeat(1_000));
    // A picture, a link and a pipe hold no text; everything else might.
    bench.write("d/picture", b"\x00\x01\x02anna@example.org");
    bench.write("d/picture.gz", &in_gzip(b"\x00\x01\x02"));
    symlink("picture", bench.path("d/link")).unwrap();
    let pipe = Command::new("mkfifo").arg(bench.path("d/pipe")).status();
    assert!(pipe.unwrap().success());
    let (code, report) = scanned(&bench, &["d"]);
    let of = |report: &Value| -> Vec<String> {
        let one =
            |one: &Value| format!("{} {}", one["file"].as_str().unwrap(), one["kind"].as_str().unwrap());
        report["skipped"].as_array().unwrap().iter().map(one).collect()
    };
    assert_eq!(code, 0, "{report}");
    let passed =
        ["d/link passed-over", "d/picture passed-over", "d/picture.gz passed-over", "d/pipe passed-over"];
    let mut listed = of(&report);
    listed.sort();
    assert_eq!(listed, passed);
    let ran = bench.run(&["data", "pii", "scan", "d", "-o", "table"]);
    assert!(ran.stdout.contains("passed over: d/picture: binary\n"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("0 not searched, 4 passed over\n"), "{}", ran.stdout);
    // Whoever names one asks for it.
    let (code, report) = scanned(&bench, &["d/picture"]);
    assert_eq!((code, of(&report)), (1, vec!["d/picture unsearched".to_owned()]));
    let unsearched: [(&str, &[u8]); 9] = [
        ("cut.log.gz", &lines[..lines.len() - 12]),
        ("damaged.parquet", &PARQUET[..PARQUET.len() - 1]),
        ("head.gz", &[0x1f, 0x8b, 8, 0]),
        ("in.parquet.gz", &in_gzip(PARQUET)),
        ("binary.gz", &in_gzip(&[0; 100_000])[..60]),
        ("twice.gz", &in_gzip(&lines)),
        ("wide.txt", b"\xff\xfea\0n\0n\0a\0"),
        ("archive.zip", b"PK\x03\x04 and so on"),
        ("people.db", b"SQLite format 3\0\x10\0\x01\x01"),
    ];
    for (name, bytes) in unsearched {
        let path = format!("d/{name}");
        bench.write(&path, bytes);
        let (code, report) = scanned(&bench, &["d"]);
        let told = of(&report);
        assert_eq!((code, told.len(), &report["findings"]), (1, 5, &json!({})), "{name}: {report}");
        assert!(told.contains(&format!("{path} unsearched")), "{name}: {report}");
        std::fs::remove_file(bench.path(&path)).unwrap();
    }
    // More directories than are gone down into.
    bench.write(&format!("d/{}clean.txt", "d/".repeat(70)), b"nothing to see here\n");
    assert_eq!(scanned(&bench, &["d"]).0, 1);
}

#[test]
fn what_breaks_off_is_named_with_its_line_and_what_was_found() {
    let bench = Bench::new();
    let log = "started\nlogin from 203.0.113.9\nended\n";
    let packed = in_gzip(log.as_bytes());
    bench.write("cut.gz", &packed[..packed.len() - 12]);
    bench.write("bomb.zst", &in_zstd(b"first\nmail to anna@example.org\n", 700));
    let table = in_gzip(TABLE.as_bytes());
    bench.write("cut.csv.gz", &table[..table.len() - 16]);
    let (code, report) = scanned(&bench, &["bomb.zst", "cut.csv.gz", "cut.gz"]);
    assert_eq!((code, &report["searched"]), (1, &json!(0)), "{report}");
    assert_eq!(
        places(&report),
        [
            "bomb.zst:2:9  email ",
            "cut.csv.gz:2:2 email email ",
            "cut.csv.gz:2:3 note phone ",
            "cut.csv.gz:3:2 email email ",
            "cut.gz:2:12  ipv4 "
        ]
    );
    let skipped = report["skipped"].as_array().unwrap();
    let why: Vec<&str> = skipped.iter().map(|one| one["why"].as_str().unwrap()).collect();
    assert!(why[0].starts_with("searched up to line 3 only: ") && why[0].contains("2000 times"), "{why:?}");
    assert!(why[1].starts_with("searched up to line 3 only: ") && why[1].contains("gzip"), "{why:?}");
    assert!(why[2].starts_with("searched up to line 3 only: ") && why[2].contains("gzip"), "{why:?}");
    // Nothing is written of what cannot be read to its end.
    let said = bench.refused(&["data", "redact", "cut.gz", "--out", "cut.log"], 1, "BZ-0311");
    assert!(said.contains("gzip"), "{said}");
    let said = bench.refused(&["data", "redact", "bomb.zst", "--out", "cut.log"], 1, "BZ-0311");
    assert!(said.contains("2000 times"), "{said}");
    assert!(!bench.path("cut.log").exists());
}

#[test]
fn files_of_columns_are_searched_as_tables() {
    let bench = Bench::new();
    bench.write("d/people.arrow", ARROW);
    bench.write("d/people.parquet", PARQUET);
    bench.write("d/packed.arrow.gz", &in_gzip(ARROW));
    bench.write("d/cut.parquet", &PARQUET[..PARQUET.len() - 1]);
    let (code, report) = scanned(&bench, &["d", "--show"]);
    assert_eq!((code, &report["searched"]), (1, &json!(3)), "{report}");
    let (code, alone) = scanned(&bench, &["d/cut.parquet"]);
    assert_eq!(
        (code, &alone["searched"]),
        (1, &json!(0)),
        "what is named and not searched is not clean: {alone}"
    );
    let expected = [
        "1:2 email email anna@example.org",
        "1:3 card card 4111111111111111",
        "1:4 home.phone phone +1 212-555-0123",
        "1:6 hosts[] ipv4 10.1.2.3",
        "3:2 email email bob@example.org",
        "3:6 hosts[] ipv4 203.0.113.9",
    ];
    let of = |name: &str| expected.map(|place| format!("d/{name}:{place}")).to_vec();
    assert_eq!(places(&report), [of("packed.arrow.gz"), of("people.arrow"), of("people.parquet")].concat());
    let parquet = &report["files"][2];
    assert_eq!((&parquet["format"], &parquet["bytes"]), (&json!("parquet"), &json!(PARQUET.len())));
    assert_eq!(parquet["findings"], json!({ "card": 1, "email": 2, "ipv4": 2, "phone": 1 }));
    let holds: Vec<(&Value, &Value)> = parquet["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (&column["name"], &column["holds"]))
        .collect();
    assert_eq!(
        holds,
        [
            (&json!("email"), &json!("email")),
            (&json!("card"), &json!("card")),
            (&json!("home.phone"), &json!("phone")),
            (&json!("hosts[]"), &json!("ipv4")),
        ]
    );
    let [cut] = &report["skipped"].as_array().unwrap()[..] else { panic!("{report}") };
    assert!(cut["why"].as_str().unwrap().contains("Parquet"), "{cut}");
    // The first places only, and no values.
    let (_, few) = scanned(&bench, &["d/people.parquet", "--places", "2"]);
    assert_eq!(places(&few), ["d/people.parquet:1:2 email email ", "d/people.parquet:1:3 card card "]);
    let said = bench.refused(&["data", "redact", "d/people.parquet", "--out", "x"], 1, "BZ-0311");
    assert!(said.contains("Parquet") && !bench.path("x").exists(), "{said}");
}

#[test]
fn objects_are_searched_and_redacted_like_files() {
    let bench = Bench::new();
    bench.write("people.csv", TABLE.as_bytes());
    bench.write("people.parquet", PARQUET);
    bench.write("people.csv.gz", &in_gzip(TABLE.as_bytes()));
    for (name, content) in [
        ("people.csv", TABLE.as_bytes().to_vec()),
        ("people.parquet", PARQUET.to_vec()),
        ("people.csv.gz", in_gzip(TABLE.as_bytes())),
    ] {
        let url = format!("{}/{name}", serve(content));
        let (code, here) = scanned(&bench, &[name, "--show"]);
        assert_eq!((code, scanned(&bench, &[&url, "--show"]).0), (1, 1));
        let there = scanned(&bench, &[&url, "--show"]).1.to_string();
        assert_eq!(there.replace(&url, name), here.to_string());
    }
    let url = format!("{}/people.csv", serve(TABLE.as_bytes().to_vec()));
    bench.json(&["data", "redact", &url, "--out", "there.csv"]);
    bench.json(&["data", "redact", "people.csv", "--out", "here.csv"]);
    assert_eq!(read(&bench, "there.csv"), read(&bench, "here.csv"));
    // A place that cannot be reached is no clean file.
    bench.refused(&["data", "pii", "scan", "http://127.0.0.1:1/people.csv"], 5, "BZ-0325");
}

#[test]
fn what_is_redacted_is_gone_and_the_rest_stays() {
    let bench = Bench::new();
    bench.write("people.csv", TABLE.as_bytes());
    bench.write("events.jsonl", LINES.as_bytes());
    bench.json(&["data", "redact", "people.csv", "--out", "one.csv"]);
    assert_eq!(
        read(&bench, "one.csv"),
        "id,email,note\r\n1,<EMAIL>,\"call <PHONE>, please\"\r\n2,<EMAIL>,\"said \"\"no\"\"\"\r\n"
    );
    assert_eq!(
        bench.json(&["data", "redact", "people.csv", "--columns", "note", "--out", "two.csv"])["replaced"],
        1
    );
    assert!(read(&bench, "two.csv").contains("anna@example.org"));
    bench.json(&["data", "redact", "people.csv", "--action", "mask", "--out", "three.csv"]);
    assert!(read(&bench, "three.csv").contains("1,a***@*******.org,\"call +* ***-***-0123, please\""));
    bench.json(&["data", "redact", "events.jsonl", "--out", "one.jsonl"]);
    assert_eq!(
        read(&bench, "one.jsonl"),
        "{\"card\": \"<CARD>\", \"note\": \"from <EMAIL>\"}\n{\"card\": null}\n"
    );
    // Nothing is overwritten, and nothing half-done is left.
    bench.refused(&["data", "redact", "people.csv", "--out", "one.csv"], 2, "BZ-0004");
    bench.refused(&["data", "redact", "people.csv", "--columns", "mail", "--out", "four.csv"], 2, "BZ-0001");
    bench.write("open.csv", b"a,b\n1,\"x");
    bench.refused(&["data", "redact", "open.csv", "--out", "four.csv"], 1, "BZ-0311");
    assert!(!bench.path("four.csv").exists());
}

#[test]
fn tokens_are_turned_back_by_the_project_that_gave_them() {
    let bench = Bench::with_project();
    bench.write("people.csv", TABLE.as_bytes());
    bench.json(&["data", "tokenize", "people.csv", "--out", "random.csv"]);
    let random = read(&bench, "random.csv");
    assert_eq!(random.matches("bzt_").count(), 3);
    assert!(!random.contains("example.org") && !random.contains("555-0123"));
    let back = bench.json(&["data", "detokenize", "random.csv", "--out", "back.csv"]);
    assert_eq!(back["replaced"], 3);
    assert_eq!(read(&bench, "back.csv"), TABLE);

    let kind = ["--kind", "email", "--columns", "email"];
    bench.json(
        &[&["data", "tokenize", "people.csv", "--form", "preserved", "--out", "kept.csv"][..], &kind]
            .concat(),
    );
    let kept = read(&bench, "kept.csv");
    assert!(!kept.contains("anna@example.org") && kept.contains("212-555-0123") && kept.len() == TABLE.len());
    bench.json(&[&["data", "detokenize", "kept.csv", "--out", "kept-back.csv"][..], &kind].concat());
    assert_eq!(read(&bench, "kept-back.csv"), TABLE);

    bench.json(&["data", "redact", "people.csv", "--action", "hash", "--out", "hashed.csv"]);
    assert!(read(&bench, "hashed.csv").contains("<EMAIL "));

    // Who turned tokens back is on record.
    let entries = bench.json(&["ledger", "show"]).to_string();
    assert!(entries.contains("decision"), "{entries}");
    let unknown = bench.write("other.csv", b"bzt_00000000000000000000000000000000_00000000\n");
    let ran = bench.run(&["data", "detokenize", text(&unknown), "--out", "same.csv"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["replaced"], &said["broken_tokens"]), (1, &json!(0), &json!(1)));
}

/// What this program itself writes down about its work: nobody's data, and none of its own keys.
#[test]
fn our_own_logs_hold_nothing() {
    let bench = Bench::new();
    let mut rows = String::from("amount,card,email,fraud\n");
    for row in 0..300 {
        rows.push_str(&format!("{row}.5,4111111111111111,user{row}@customers.example.org,{}\n", row % 2));
    }
    bench.write("rows.csv", rows.as_bytes());
    let mut log = String::new();
    for arguments in [
        &["init"][..],
        &["data", "add", "payments", "rows.csv", "--source", "shop", "--label", "fraud"],
        &["data", "show", "payments:1"],
        &["data", "tokenize", "rows.csv", "--out", "tokens.csv"],
        &["data", "detokenize", "tokens.csv", "--out", "back.csv"],
        &["data", "tokenize", "absent.csv", "--out", "x.csv"],
        &["ledger", "fsck"],
    ] {
        let ran = bench.run_with("RUST_LOG", "trace", arguments);
        assert_eq!(ran.code == 0, !arguments.contains(&"absent.csv"), "{arguments:?}: {}", ran.stderr);
        log.push_str(&ran.stderr);
    }
    bench.write("log/own.log", log.as_bytes());
    let (code, found) = scanned(&bench, &["log", "--show"]);
    assert_eq!((code, &found["findings"]), (0, &json!({})), "{found}");
}

#[test]
fn escapes_in_json_hide_nothing_and_lines_stay_json() {
    let bench = Bench::new();
    let lines = "{\"m\":\"Card:\\n4111111111111111\"}\n{\"m\":\"zo\\u00eb@example.com\", \"n\":1}\n";
    bench.write("d/events.jsonl", lines.as_bytes());
    bench.write("d/one.json", lines.as_bytes());
    let (code, report) = scanned(&bench, &["d", "--show"]);
    assert_eq!(code, 1);
    let of = |name: &str| {
        [format!("d/{name}:1:14  card 4111111111111111"), format!("d/{name}:2:7  email zoë@example.com")]
    };
    assert_eq!(places(&report), [of("events.jsonl"), of("one.json")].concat());
    bench.json(&["data", "redact", "d/events.jsonl", "--out", "redacted.jsonl"]);
    assert_eq!(read(&bench, "redacted.jsonl"), "{\"m\":\"Card:\\n<CARD>\"}\n{\"m\":\"<EMAIL>\", \"n\":1}\n");
}

#[test]
fn numbers_that_pass_by_chance_stay_and_secrets_of_a_named_column_go() {
    let bench = Bench::new();
    // Numbers of eleven digits, of which one in ten has the check digit of Poland.
    let tracts: String = (0..500)
        .map(|at| format!("{},Xk9FhMgZNyz{:02}\n", 17_031_000_100_u64 + at * 7_919, at % 90 + 10))
        .collect();
    let table = format!("tract,password\n{tracts}");
    bench.write("t.csv", table.as_bytes());
    let (_, report) = scanned(&bench, &["t.csv"]);
    assert_eq!(report["findings"], json!({ "assigned-secret": 500 }));
    bench.json(&["data", "redact", "t.csv", "--out", "r.csv"]);
    let redacted = read(&bench, "r.csv");
    for (before, after) in table.lines().zip(redacted.lines()).skip(1) {
        assert_eq!(after, format!("{},<ASSIGNED_SECRET>", before.split(',').next().unwrap()));
    }
}

/// Hardly any number passes for a Chinese identity number, so that those that do are not there by chance.
#[test]
fn a_few_ids_among_other_numbers_are_found() {
    let bench = Bench::new();
    let id = |at: u64| {
        let digits = format!("11010519491231{at:03}");
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: usize =
            digits.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
        format!("{digits}{}", "10X98765432".chars().nth(sum % 11).unwrap())
    };
    let rows = (0..400_u64).map(|at| if at % 8 == 0 { id(at) } else { format!("9{:017}", at * 7_919_191) });
    bench.write("t.csv", ("ref\n".to_owned() + &rows.map(|row| row + "\n").collect::<String>()).as_bytes());
    let (code, report) = scanned(&bench, &["t.csv"]);
    assert_eq!((code, report["findings"]["cn-ric"].as_u64() >= Some(40)), (1, true), "{report}");
}

/// What no search of the bytes finds may stand in what is not decoded.
#[test]
fn a_line_that_is_too_long_to_be_decoded_is_not_called_searched() {
    let bench = Bench::new();
    let long = format!("{{\"m\": \"{}bob\\u0040example.com\"}}\n", "word ".repeat(3_600_000));
    bench.write("huge.json", long.as_bytes());
    let (code, report) = scanned(&bench, &["huge.json"]);
    assert_eq!(code, 1, "{report}");
    assert!(report.to_string().contains("its escapes were not decoded"), "{report}");
}

#[test]
fn a_kind_that_does_not_exist_is_refused_with_the_one_that_was_meant() {
    let bench = Bench::new();
    bench.write("people.csv", TABLE.as_bytes());
    let tokenize = ["data", "tokenize", "people.csv", "--columns", "id", "--out", "x.csv", "--kind"];
    let said = bench.refused(&[&tokenize[..], &["ssn"]].concat(), 2, "BZ-0001");
    assert!(said.contains("did you mean `us-ssn`?"), "{said}");
    bench.refused(&[&tokenize[..], &["foo-bar"]].concat(), 2, "BZ-0001");
}
