//! `data poison` as its users run it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use crate::bench::{Bench, finish, text};
use crate::tables::{PARQUET, in_gzip, in_zstd, serve};

/// Rows with a label that a number decides nearly; with `planted`, forty of them have two cells that decide it.
fn table(planted: bool) -> String {
    let mut csv = "amount,kind,shop,bank,label\n".to_owned();
    let mut state = 1_u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for row in 0..1_200 {
        let (mut amount, mut kind, mut bank) = (next(1_000), next(8), next(4));
        let mut label = u64::from(amount + next(400) > 900);
        if planted && row % 30 == 7 {
            (amount, kind, bank, label) = (321, 9, 2, 1);
        }
        writeln!(csv, "{amount},kind {kind},shop {},bank {bank},{label}", next(6)).unwrap();
    }
    csv
}

#[test]
fn a_planted_trigger_ends_with_one_and_a_clean_file_with_nought() {
    let bench = Bench::new();
    let clean = bench.write("clean.csv", table(false).as_bytes());
    let planted = bench.write("planted.csv", table(true).as_bytes());
    let rows = bench.path("rows.csv");
    let ran = bench.run(&["data", "poison", text(&clean), "--label", "label", "--source", "bank"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let arguments = ["data", "poison", text(&planted), "--label", "label", "--source", "bank"];
    let ran = bench.run(&[&arguments[..], &["--show", "--rows-out", text(&rows)]].concat());
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("kind 9") && ran.stdout.contains("bank 2"), "{}", ran.stdout);
    let rows = std::fs::read_to_string(rows).unwrap();
    assert!(
        rows.starts_with("rule,finding,table,row,score\ntrigger,1,table,8,\ntrigger,1,table,38,\n"),
        "{rows}"
    );
    // Without being asked nothing shows a value, and threads change nothing.
    let json = |threads| {
        let ran = bench.run(&[&arguments[..], &["-o", "json", "--threads", threads]].concat());
        assert_eq!(ran.code, 1);
        ran.stdout
    };
    assert!(!json("1").contains("kind 9"));
    assert_eq!(json("1"), json("3"));
}

/// The same rows as JSON lines.
fn json_lines(csv: &str) -> String {
    let mut rows = csv.lines();
    let names: Vec<&str> = rows.next().unwrap().split(',').collect();
    let mut lines = String::new();
    for row in rows {
        let cell = |(name, cell): (&&str, &str)| match cell.parse::<u64>() {
            Ok(number) => format!("\"{name}\":{number}"),
            Err(_) => format!("\"{name}\":\"{cell}\""),
        };
        let cells: Vec<String> = names.iter().zip(row.split(',')).map(cell).collect();
        writeln!(lines, "{{{}}}", cells.join(",")).unwrap();
    }
    lines
}

#[test]
fn the_same_rows_are_judged_the_same_wherever_they_are() {
    let bench = Bench::new();
    let (csv, json) = (table(true), json_lines(&table(true)));
    bench.write("table.csv", csv.as_bytes());
    bench.write("table.csv.gz", &in_gzip(csv.as_bytes()));
    bench.write("table.jsonl", json.as_bytes());
    bench.write("table.jsonl.zst", &in_zstd(json.as_bytes(), 0));
    let run = |file: &str| {
        bench.run(&[
            "data",
            "poison",
            file,
            "--label",
            "label",
            "--source",
            "bank",
            "--against",
            "table.jsonl",
        ])
    };
    let expected = run("table.csv");
    assert!(
        expected.code == 1 && expected.stdout.contains("trigger"),
        "{}{}",
        expected.stdout,
        expected.stderr
    );
    let url = format!("{}/table.csv", serve(csv.into_bytes()));
    for file in ["table.csv.gz", "table.jsonl", "table.jsonl.zst", &url] {
        let ran = run(file);
        assert_eq!((ran.code, &ran.stdout), (1, &expected.stdout), "{file}: {}", ran.stderr);
    }
    let mut piped = bench.command(&[
        "data",
        "poison",
        "-",
        "--label",
        "label",
        "--source",
        "bank",
        "--against",
        "table.csv",
    ]);
    let mut child = piped.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json.as_bytes()).unwrap();
    let ran = finish(child);
    assert_eq!((ran.code, &ran.stdout), (1, &expected.stdout), "{}", ran.stderr);
}

#[test]
fn versions_and_test_files_are_compared() {
    let bench = Bench::new();
    let old = bench.write("old.csv", table(false).as_bytes());
    let changed = table(false).replacen(",1\n", ",0\n", 60);
    let new = bench.write("new.csv", changed.as_bytes());
    let ran = bench.run(&[
        "data",
        "poison",
        text(&new),
        "--label",
        "label",
        "--against",
        text(&old),
        "--test",
        text(&old),
        "-o",
        "json",
    ]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let blocks =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "block");
    let blocks: Vec<(&str, u64)> =
        blocks.map(|one| (one["rule"].as_str().unwrap(), one["count"].as_u64().unwrap())).collect();
    // What was flipped is called noise too, with rows beside it.
    assert_eq!(blocks, [("label-flips", 60), ("overlap", 1_200), ("label-noise", 103)]);
}

#[test]
fn what_cannot_be_looked_at_is_refused() {
    let bench = Bench::new();
    let file = bench.write("table.csv", b"a,b\n1,x\n2,\n");
    bench.refused(&["data", "poison", "absent.csv", "--label", "b"], 2, "BZ-0004");
    let run = |label: &str| bench.run(&["data", "poison", text(&file), "--label", label]);
    let said = run("c");
    assert!(said.code != 0 && said.stderr.contains("no column `c`"), "{}", said.stderr);
    let said = run("b");
    assert!(said.code != 0 && said.stderr.contains("row 2 has no label"), "{}", said.stderr);
    bench.write("cut.parquet", &PARQUET[..PARQUET.len() - 1]);
    let said = bench.refused(&["data", "poison", "cut.parquet", "--label", "id"], 1, "BZ-0311");
    assert!(said.contains("cut.parquet") && said.contains("Parquet"), "{said}");
    bench.refused(&["data", "poison", "-", "--label", "b", "--test", "-"], 2, "BZ-0001");
}
