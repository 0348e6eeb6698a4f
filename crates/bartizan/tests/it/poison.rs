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

/// Rows with a number of their own.
fn numbered(csv: &str, first: usize) -> String {
    let mut rows = csv.lines();
    let mut all = format!("id,{}\n", rows.next().unwrap());
    rows.zip(first..).for_each(|(row, id)| writeln!(all, "{id},{row}").unwrap());
    all
}

#[test]
fn versions_that_hardly_share_a_row_are_no_all_clear() {
    let bench = Bench::new();
    let old = table(false);
    bench.write("old.csv", numbered(&old, 0).as_bytes());
    bench.write("shifted.csv", numbered(&old.replacen(",1\n", ",0\n", 10), 1_195).as_bytes());
    bench.write("same.csv", numbered(&old, 0).as_bytes());
    let arguments =
        ["data", "poison", "shifted.csv", "--label", "label", "--against", "old.csv", "--key", "id"];
    let ran = bench.shown(&arguments);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("error:"), "{}", ran.stdout);
    let said = "label-flips     5 of 1200 rows (0.42 %) are in the version before, which has 1200;";
    assert!(ran.stdout.contains(&format!("not run  {said}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("90.0 % are needed for a verdict"), "{}", ran.stdout);
    let report = bench.shown(&[&arguments[..], &["-o", "json"]].concat());
    assert!(report.stdout.contains("\"outcome\":\"error\""), "{}", report.stdout);
    let lower = bench.shown(&[&arguments[..], &["--min-joined", "0.004"]].concat());
    assert!(lower.stdout.contains(&format!("ran      {said}")), "{}", lower.stdout);
    let same = bench.shown(&[
        "data",
        "poison",
        "same.csv",
        "--label",
        "label",
        "--against",
        "old.csv",
        "--key",
        "id",
    ]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    assert!(same.stdout.contains("1200 of 1200 rows (100.0 %)"), "{}", same.stdout);
    bench.refused(&["data", "poison", "old.csv", "--label", "label", "--key", "id"], 2, "BZ-0001");
    let ran = bench.run(&["data", "poison", "old.csv", "--label", "label", "--min-joined", "0.5"]);
    assert!(ran.code == 2 && ran.stderr.contains("--against"), "{}", ran.stderr);
}

#[test]
fn sources_that_cannot_be_compared_are_no_all_clear() {
    let bench = Bench::new();
    let with = |source: &dyn Fn(usize) -> String| {
        let csv = table(false);
        let mut rows = csv.lines();
        let mut all = format!("src,{}\n", rows.next().unwrap());
        rows.enumerate().for_each(|(at, row)| writeln!(all, "{},{row}", source(at)).unwrap());
        bench.write("table.csv", all.as_bytes());
    };
    let cases: [(&dyn Fn(usize) -> String, &str); 4] = [
        (&|_| String::new(), "no row says its source"),
        (&|_| "a".to_owned(), "all rows have one source, so there are no others to compare with"),
        (&|at| format!("s{at}"), "none of 1200 values of source has the 20 rows that a comparison takes"),
        (
            &|at| if at % 50 == 0 { "a".to_owned() } else { format!("s{at}") },
            "hardly any row was compared: 1 of 1177 values of source with 24 of 1200 rows (2.0 %)",
        ),
    ];
    for (source, reason) in cases {
        with(source);
        for option in ["--source", "--writer"] {
            let ran = bench.shown(&["data", "poison", "table.csv", "--label", "label", option, "src"]);
            assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
            let reason = reason.replace("source", option.trim_start_matches("--"));
            assert!(
                ran.stdout.starts_with("error:") && ran.stdout.contains(&reason),
                "{reason}: {}",
                ran.stdout
            );
        }
    }
    with(&|at| format!("s{}", at % 3));
    let ran = bench.shown(&["data", "poison", "table.csv", "--label", "label", "--source", "src"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("ran      source-differs  3 of 3 values of source with 1200 of 1200 rows"),
        "{}",
        ran.stdout
    );
}

/// Probabilities of a model that is more or less sure of every label, except that `wrong` of them, the first, are the
/// others, although it is sure.
fn probabilities(csv: &str, wrong: usize) -> String {
    let mut all = "id,1.0,0\n".to_owned();
    for (at, row) in csv.lines().skip(1).enumerate() {
        let graded = ["0.6", "0.7", "0.9", "0.99", "0.999"];
        let high = if at < wrong { "0.999" } else { graded.get(at % 5).copied().unwrap() };
        let low = match high {
            "0.6" => "0.4",
            "0.7" => "0.3",
            "0.9" => "0.1",
            "0.99" => "0.01",
            _ => "0.001",
        };
        let sure = row.ends_with(",1") != (at < wrong);
        let (yes, no) = if sure { (high, low) } else { (low, high) };
        writeln!(all, "{at},{yes},{no}").unwrap();
    }
    all
}

#[test]
fn probabilities_that_are_supplied_take_the_place_of_the_trainer() {
    let bench = Bench::new();
    let csv = table(false);
    bench.write("table.csv", numbered(&csv, 0).as_bytes());
    let supplied = probabilities(&csv, 40);
    let run = |text: &str, more: &[&str]| {
        bench.write("p.csv", text.as_bytes());
        let arguments = ["data", "poison", "table.csv", "--label", "label", "--probabilities", "p.csv"];
        bench.run(&[&arguments[..], more].concat())
    };
    // In the order of the rows without keys.
    let without: String =
        supplied.lines().map(|row| format!("{}\n", row.split_once(',').unwrap().1)).collect();
    let json = ["-o", "json"];
    let ordered: serde_json::Value = serde_json::from_str(&run(&without, &json).stdout).unwrap();
    // In any order with them; rows of other keys are nobody's.
    let mut rows: Vec<&str> = supplied.lines().collect();
    rows[1..].reverse();
    rows.push("7777,0.5,0.5");
    let shuffled = rows.join("\n");
    let keyed: serde_json::Value =
        serde_json::from_str(&run(&shuffled, &["--key", "id", "-o", "json"]).stdout).unwrap();
    for (report, order) in [(&ordered, "in the order of the rows"), (&keyed, "joined by `id`")] {
        let finding = |one: &&serde_json::Value| one["rule"] == "label-noise";
        let noise = report["findings"].as_array().unwrap().iter().find(finding).unwrap();
        assert_eq!(noise["count"], 40, "{noise}");
        let rows: Vec<u64> =
            noise["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap()).collect();
        assert_eq!(rows, (1..=20).collect::<Vec<u64>>());
        let ran = report["ran"].as_array().unwrap().iter().find(finding).unwrap();
        let how = ran["how"].as_str().unwrap();
        assert!(how.ends_with(&format!("probabilities supplied in `p.csv`, {order}")), "{how}");
    }
    assert_eq!(ordered["outcome"], "invalid");
}

#[test]
fn probabilities_that_are_none_are_refused() {
    let bench = Bench::new();
    bench.write("table.csv", b"id,x,label\n1,1,a\n2,2,b\n3,3,a\n");
    let refused = |text: &str, more: &[&str], expected: &str| {
        bench.write("p.csv", text.as_bytes());
        let arguments = ["data", "poison", "table.csv", "--label", "label", "--probabilities", "p.csv"];
        let ran = bench.run(&[&arguments[..], more].concat());
        assert!(ran.code != 0 && ran.stdout.is_empty(), "{text}: {}", ran.stdout);
        assert!(
            ran.stderr.contains(expected) && ran.stderr.contains("`p.csv`"),
            "{expected}: {}",
            ran.stderr
        );
    };
    let key = ["--key", "id"];
    refused("a,b\n1,0\n0,1\n", &[], "2 rows of probabilities, and 3 rows are looked at");
    refused("a,b\n1,0\n0,1\n0.5,0.502\n", &[], "of row 3 sum to 1.0020");
    refused("a,b\n1,0\n0,1\n1.5,-0.5\n", &[], "row 3 has one that is not from 0 to 1");
    refused("a,b\n1,0\n,1\n1,0\n", &[], "row 2 has none in the column of probabilities `a`");
    refused("a,b\n1,0\n0,x\n1,0\n", &[], "`b` holds something that is no number");
    refused("a\n1\n1\n1\n", &[], "for 1 labels, and the column `label` has 2 different ones");
    refused("a,b,c\n1,0,0\n0,1,0\n1,0,0\n", &[], "`c` is called as no label");
    refused("a,b\n1,0\n0,1\n1,0\n", &key, "there is no column `id`");
    refused("id,a,b\n1,1,0\n1,0,1\n3,1,0\n", &key, "rows 1 and 2 have one key `id`");
    refused("id,a,b\n1,1,0\n4,0,1\n3,1,0\n", &key, "row 2 of the table has a key `id` without probabilities");
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
