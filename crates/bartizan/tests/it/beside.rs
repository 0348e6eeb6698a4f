//! What checks are told beside a schema, the same on bare files and in a project; and rows of what comes through a pipe.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bench::{Bench, finish};

const SCHEMA: &str = "format = \"bartizan-schema-v1\"\n\
    environments = [\"training\", \"serving\"]\n\
    reference = { profile = \"orders.profile\" }\n\
    csv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
    [[column]]\nname = \"n\"\ntype = \"integer\"\ndrift = { statistic = \"ks\", limit = 0.2 }\n\
    [[column]]\nname = \"day\"\ntype = \"date\"\nfreshness = { max_age = \"2d\" }\n\
    [[column]]\nname = \"customer\"\ntype = \"string\"\nreferences = { table = \"people\", column = \"name\" }\n\
    [[column]]\nname = \"paid\"\ntype = \"boolean\"\nenvironments = [\"training\"]\n";

fn orders(paid: bool) -> String {
    let mut text = String::from(if paid { "n,day,customer,paid\n" } else { "n,day,customer\n" });
    for n in 0..300 {
        let customer = if n % 2 == 0 { "ann" } else { "bob" };
        let end = if paid { ",true" } else { "" };
        text.push_str(&format!("{n},2026-01-10,{customer}{end}\n"));
    }
    text
}

fn bench() -> Bench {
    let bench = Bench::with_project();
    bench.write("schema.toml", SCHEMA.as_bytes());
    bench.write("orders.csv", orders(false).as_bytes());
    bench.write("people.csv", b"name\nann\nbob\n");
    let profiled = bench.run(&["data", "profile", "orders.csv", "--out", "orders.profile"]);
    assert_eq!(profiled.code, 0, "{}", profiled.stderr);
    bench
}

const BESIDE: [&str; 6] =
    ["--environment", "serving", "--now", "2026-01-11T00:00:00Z", "--against", "people=people.csv"];

#[test]
fn data_add_is_told_what_data_check_is_told() {
    let bench = bench();
    let check = ["data", "check", "orders.csv", "--schema", "schema.toml"];
    let add = ["data", "add", "orders", "orders.csv", "--source", "a shop", "--schema", "schema.toml"];
    let bare = bench.run(&check);
    let bare: Value = serde_json::from_str(&bare.stdout).unwrap();
    assert_eq!((&bare["outcome"], &bare["tier"]), (&json!("invalid"), &json!("release")), "no column `paid`");
    let alone = bench.run(&add);
    assert_eq!(alone.code, 1, "{}", alone.stderr);
    let alone: Value = serde_json::from_str(&alone.stdout).unwrap();
    assert_eq!((&alone["outcome"], &alone["tier"]), (&json!("error"), &json!("explore")));

    let checked = bench.json(&[&check[..], &BESIDE].concat());
    assert_eq!(checked["outcome"], "valid");
    let added = bench.json(&[&add[..], &BESIDE].concat());
    assert_eq!((&added["version"], &added["outcome"]), (&json!("orders:1"), &json!("valid")), "{added}");
    assert!(added["judged"].as_str().unwrap().starts_with("by tier explore, that of the project"), "{added}");
    let (one, two) = (&checked["comparedWith"], &added["comparedWith"]);
    for member in ["environment", "now"] {
        assert_eq!(one[member], two[member], "{one} {two}");
    }
    for member in [&["reference"][..], &["tables", "people"]] {
        let digest = |of: &Value| member.iter().fold(of, |of, name| &of[*name])["digest"].clone();
        assert!(digest(one).is_string() && digest(one) == digest(two), "{one} {two}");
    }
    let shown = bench.json(&["data", "show", "orders:1"]);
    assert_eq!(shown["comparedWith"]["reference"]["digest"], one["reference"]["digest"]);
    assert_eq!(shown["comparedWith"]["tables"][0]["digest"], one["tables"]["people"]["digest"]);
    assert_eq!((&shown["comparedWith"]["now"], &shown["tier"]), (&one["now"], &json!("explore")));

    // The schema and its reference are kept, and the table is a data set now.
    bench.json(&["data", "add", "people", "people.csv", "--source", "a shop"]);
    let version = [&BESIDE[..5], &["people=people:1"]].concat();
    let again = bench.json(&[&add[..6], &version].concat());
    assert_eq!((&again["version"], &again["outcome"]), (&json!("orders:2"), &json!("valid")), "{again}");
    assert_eq!(again["comparedWith"]["tables"]["people"]["version"], "people:1");
    assert_eq!(again["comparedWith"]["reference"], two["reference"]);
    let said = bench.refused(&[&check[..], &version].concat(), 2, "BZ-0001");
    assert!(said.contains("people:1") && said.contains("data add"), "{said}");
}

#[test]
fn what_would_refuse_in_the_other_tier_is_told() {
    let bench = bench();
    bench.write("people.csv", b"name\nann\n");
    let add = ["data", "add", "orders", "orders.csv", "--source", "a shop", "--schema", "schema.toml"];
    let added = bench.json(&[&add[..], &BESIDE].concat());
    assert_eq!((&added["version"], &added["verdict"]["warnings"]), (&json!("orders:1"), &json!(1)));
    let said = added["judged"].as_str().unwrap();
    assert!(said.contains("1 of them would refuse in tier release, by which `data check` judges"), "{said}");
    let check = ["data", "check", "orders.csv", "--schema", "schema.toml"];
    let checked = bench.run(&[&check[..], &BESIDE].concat());
    assert_eq!(checked.code, 1, "{}", checked.stderr);
    let shown = bench.shown(&[&check[..], &["--tier", "explore"], &BESIDE].concat());
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.starts_with("valid in tier explore: 300 rows"), "{}", shown.stdout);
    assert!(shown.stdout.contains("1 of the warnings would refuse it in tier release"), "{}", shown.stdout);
    assert!(shown.stdout.contains("judged for environment `serving`, as of 2026-01-11"), "{}", shown.stdout);
}

#[test]
fn what_is_not_asked_for_is_refused() {
    let bench = bench();
    let add = ["data", "add", "orders", "orders.csv", "--source", "a shop"];
    let said = bench.refused(&[&add[..], &["--against", "people"]].concat(), 2, "BZ-0001");
    assert!(said.contains("NAME=FILE"), "{said}");
    // Nothing was on its way by then: a file of values that nobody takes would wait there.
    let malformed = [["--derived-from", "people"], ["--transform", "run:yesterday"], ["--now", "soon"]];
    for option in malformed {
        bench.refused(&[&add[..], &option].concat(), 2, "BZ-0001");
    }
    let said = bench.run(&[&add[..], &["--against", "people=people.csv"]].concat());
    assert!(said.code == 2 && said.stderr.contains("looks nothing up"), "{}", said.stderr);
    let gone = bench.run(&[&add[..], &["--schema", "schema.toml", "--against", "people=people:9"]].concat());
    assert!(gone.code == 4 && gone.stderr.contains("people:9"), "{}", gone.stderr);
}

/// A gzip file (RFC 1952) of one block that is not compressed.
fn gzip(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let crc = !content.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    });
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    packed.extend(content);
    packed.extend([crc.to_le_bytes(), u32::from(length).to_le_bytes()].concat());
    packed
}

#[test]
fn rows_of_what_comes_through_a_pipe_are_written_out() {
    let bench = bench();
    bench.write("people.csv", b"name\nann\n");
    let beside =
        ["--environment", "serving", "--now", "2026-01-11T00:00:00Z", "--against", "people=people.csv"];
    let check = |file: &str, rows: &str, feed: Option<&[u8]>| {
        let mut command = bench.command(
            &[&["data", "check", file, "--schema", "schema.toml", "--rows", rows], &beside[..]].concat(),
        );
        command.env("TMPDIR", bench.path("spool"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if let Some(bytes) = feed {
            stdin.write_all(bytes).unwrap();
        }
        drop(stdin);
        let ran = finish(child);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        std::fs::read_to_string(bench.path(rows)).unwrap()
    };
    std::fs::create_dir(bench.path("spool")).unwrap();
    let from_file = check("orders.csv", "file.csv", None);
    assert!(
        from_file
            .starts_with("row,rule,column,name,n,day,customer\n2,references,customer,,1,2026-01-10,bob\n")
    );
    assert_eq!(from_file.lines().count(), 151);
    let csv = orders(false);
    assert_eq!(check("-", "pipe.csv", Some(csv.as_bytes())), from_file);
    let packed = gzip(csv.as_bytes());
    assert_eq!(check("-", "packed.csv", Some(&packed)), from_file);
    bench.write("orders.csv.gz", &packed);
    assert_eq!(check("orders.csv.gz", "file-packed.csv", None), from_file);
    // What was kept for it has no name.
    assert_eq!(std::fs::read_dir(bench.path("spool")).unwrap().count(), 0);
}
