//! Reports of `data check` and `data poison` as their users get them.

use serde_json::Value;

use crate::bench::{Bench, text};

/// A schema inferred from a clean file, and the paths of all reports.
struct Desk {
    bench: Bench,
    schema: String,
}

/// Where the reports are written, and the arguments that ask for them.
const REPORTS: [&str; 8] =
    ["--report", "out.html", "--junit", "out.xml", "--sarif", "out.sarif", "--openlineage", "out.json"];

fn clean() -> String {
    let mut csv = "id,amount,colour\n".to_owned();
    for row in 0..200 {
        csv.push_str(&format!("u{row},{},{}\n", row % 50, if row % 2 == 0 { "red" } else { "blue" }));
    }
    csv
}

impl Desk {
    fn new() -> Self {
        let bench = Bench::new();
        let path = bench.write("clean.csv", clean().as_bytes());
        let schema = bench.path("schema.toml");
        assert_eq!(bench.run(&["data", "schema", "infer", text(&path), "--out", text(&schema)]).code, 0);
        let schema = text(&schema).to_owned();
        Self { bench, schema }
    }

    fn check(&self, file: &str, more: &[&str]) -> crate::bench::Ran {
        let all = [&["data", "check", file, "--schema", &self.schema], more].concat();
        self.bench.run(&all)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.bench.path(name)).unwrap()
    }
}

#[test]
fn a_check_writes_all_reports_and_the_rows() {
    let desk = Desk::new();
    desk.bench.write("new.csv", clean().replacen(",7,", ",\"7,000\",", 3).as_bytes());
    let profiled = desk.bench.run(&["data", "profile", "clean.csv", "--out", "clean.profile"]);
    assert_eq!(profiled.code, 0, "{}", profiled.stderr);
    let rows = ["--rows", "rows.csv", "--reference", "clean.profile"];
    let ran = desk.check("new.csv", &[&REPORTS[..], &rows].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["outcome"], "invalid");
    assert!(ran.stderr.contains("raw") || ran.stderr.contains("all their values"), "{}", ran.stderr);
    assert_eq!(
        desk.read("rows.csv"),
        "row,rule,column,name,id,amount,colour\n8,type,amount,,u7,\"7,000\",blue\n58,type,amount,,u57,\"7,000\",blue\n\
         108,type,amount,,u107,\"7,000\",blue\n"
    );
    let page = desk.read("out.html");
    assert!(
        page.contains("This file is refused.")
            && page.contains("new.csv")
            && page.contains("reference, in the same bins")
    );
    assert!(!page.contains("7,000<") && !page.contains("u107"));
    let xml = desk.read("out.xml");
    assert!(xml.contains("failures=\"1\"") && xml.contains("name=\"amount: type\""), "{xml}");
    let log: Value = serde_json::from_str(&desk.read("out.sarif")).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 9, "{log}");
    let event: Value = serde_json::from_str(&desk.read("out.json")).unwrap();
    let facets = &event["inputs"][0]["inputFacets"];
    assert_eq!(facets["dataQualityMetrics"]["rowCount"], 200);
    let assertions = facets["dataQualityAssertions"]["assertions"].as_array().unwrap();
    assert_eq!(assertions.iter().filter(|one| one["success"] == false).count(), 2, "{assertions:?}");
    assert!(assertions.iter().any(|one| one["success"] == true && one["assertion"] == "range"));
    // Rows are never written over anything, and a file that is read is none to write to.
    let ran = desk.check("new.csv", &["--rows", "rows.csv"]);
    assert!(ran.code == 2 && ran.stderr.contains("BZ-0001"), "{}", ran.stderr);
    for path in ["new.csv", "schema.toml", "./new.csv"] {
        let before = desk.read(path);
        let ran = desk.check("new.csv", &["--report", path]);
        assert!(ran.code == 2 && ran.stderr.contains("named twice"), "{}", ran.stderr);
        assert_eq!(desk.read(path), before);
    }
    // A kept schema leaves no rows, and the reports say so.
    let ran = desk.check("clean.csv", &[&REPORTS[..], &["--rows", "none.csv"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!desk.bench.path("none.csv").exists());
    assert!(desk.read("out.html").contains("Nothing refuses this file."));
    assert!(desk.read("out.xml").contains("failures=\"0\" errors=\"0\" skipped=\"0\""));
}

#[test]
fn what_cannot_be_read_to_its_end_is_an_error_in_every_output() {
    let desk = Desk::new();
    desk.bench.write("good.csv", clean().as_bytes());
    assert_eq!(desk.check("good.csv", &REPORTS).code, 0);
    let cut = clean().replace("u199,49,blue\n", "u199,49");
    let open = clean().replace("u199,49,blue\n", "u199,\"49");
    for (bytes, why) in [(cut.into_bytes(), "row 200 has 2 cells"), (open.into_bytes(), "was it cut off")] {
        desk.bench.write("cut.csv", &bytes);
        // The reports of the good file are there, and none of them survives.
        let ran = desk.check("cut.csv", &[&REPORTS[..], &["--rows", "rows.csv"]].concat());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("BZ-0311") && ran.stderr.contains(why), "{}", ran.stderr);
        let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(printed["outcome"], "error");
        let (page, xml) = (desk.read("out.html"), desk.read("out.xml"));
        assert!(
            page.contains("There is no verdict") && page.contains(why) && !page.contains("Nothing refuses")
        );
        assert!(
            xml.contains("errors=\"1\"") && xml.contains("<error message=") && xml.contains(why),
            "{xml}"
        );
        let log: Value = serde_json::from_str(&desk.read("out.sarif")).unwrap();
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
        assert_eq!(log["runs"][0]["results"][0]["level"], "error");
        let event: Value = serde_json::from_str(&desk.read("out.json")).unwrap();
        assert_eq!(event["eventType"], "FAIL");
        assert!(event["run"]["facets"]["errorMessage"]["message"].as_str().unwrap().contains(why), "{event}");
        for output in [&ran.stdout, &page, &xml, &log.to_string(), &event.to_string()] {
            assert!(!output.contains("\"valid\"") && !output.contains(">valid<"), "{output}");
        }
        assert!(!desk.bench.path("rows.csv").exists());
    }
    // Nor is there one under a schema that is none.
    desk.bench.write("schema.toml", b"format = \"something\"");
    let ran = desk.check("good.csv", &REPORTS);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        desk.read("out.xml").contains("errors=\"1\"")
            && desk.read("out.html").contains("There is no verdict")
    );
}

#[test]
fn an_examination_writes_its_reports() {
    let bench = Bench::new();
    let file = bench.write("table.csv", b"a,b,label\n1,x,0\n1,x,0\n2,y,1\n2,y,1\n3,x,0\n3,y,1\n");
    let all = [
        "data",
        "poison",
        text(&file),
        "--label",
        "label",
        "--report",
        "out.html",
        "--junit",
        "out.xml",
        "--sarif",
        "out.sarif",
    ];
    let ran = bench.run(&all);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    let (page, xml) = (read("out.html"), read("out.xml"));
    let log: Value = serde_json::from_str(&read("out.sarif")).unwrap();
    let found = report["findings"].as_array().unwrap().len();
    assert!(found > 0);
    assert_eq!(
        log["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["ruleId"] != "no-verdict")
            .count(),
        found
    );
    assert_eq!(page.matches("<li class=\"finding\"").count(), found);
    assert!(xml.contains("name=\"outcome\" value=\"") && page.contains("table.csv"));
    // A label that is not there leaves no verdict, and no older report in its place.
    let ran = bench.run(&[&all[..4], &["absent"], &all[5..]].concat());
    assert_ne!(ran.code, 0);
    assert!(read("out.xml").contains("errors=\"1\"") && read("out.html").contains("There is no verdict"));
}

#[test]
fn a_comparison_writes_its_reports() {
    let bench = Bench::new();
    let csv = |shift: u32| -> String {
        let rows: String = (0..400_u32)
            .map(|row| format!("{},{}\n", row % 100 + shift, ["x", "y"][(row % 2) as usize]))
            .collect();
        format!("n,kind\n{rows}")
    };
    bench.write("old.csv", csv(0).as_bytes());
    bench.write("new.csv", csv(40).as_bytes());
    let reports = ["--report", "out.html", "--junit", "out.xml", "--sarif", "out.sarif"];
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    let ran = bench.run(&[&["data", "drift", "old.csv", "new.csv"], &reports[..]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let (page, xml) = (read("out.html"), read("out.xml"));
    assert!(page.contains("There is drift.") && page.contains("class=\"chart\"") && page.contains("old.csv"));
    assert!(xml.contains("name=\"n: drift\"") && xml.contains("failures=\"1\""), "{xml}");
    bench.write("same.csv", csv(0).as_bytes());
    let ran = bench.run(&[&["data", "drift", "old.csv", "same.csv"], &reports[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        read("out.html").contains("No drift.") && read("out.xml").contains("failures=\"0\" errors=\"0\"")
    );
    // What cannot be read leaves no verdict, and no older one in its place.
    bench.write("new.csv", b"n,kind\n1");
    let ran = bench.run(&[&["data", "drift", "old.csv", "new.csv"], &reports[..]].concat());
    assert_ne!(ran.code, 0);
    assert!(read("out.html").contains("There is no verdict") && read("out.xml").contains("errors=\"1\""));
}

#[test]
fn what_cannot_be_read_says_what_to_do_about_it() {
    let bench = Bench::new();
    let head = "format = \"bartizan-schema-v1\"\n[[column]]\nname = \"id\"\ntype = \"integer\"\n";
    let schema = |name: &str, separator: &str, encoding: &str| {
        let csv = format!("[csv]\nseparator = \"{separator}\"\nencoding = \"{encoding}\"\nnull = [\"\"]\n");
        bench.write(name, head.replace("[[column]]", &format!("{csv}[[column]]")).as_bytes());
    };
    schema("comma.toml", ",", "utf-8");
    schema("semicolon.toml", ";", "utf-8");
    schema("wide.toml", ",", "utf-16le");
    let wide: Vec<u8> = "\u{feff}id,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bench.write("wide.csv", &wide);
    bench.write("plain.csv", b"id,b\n1,2\n");
    bench.write("over lines.json", b"{\n  \"id\": 1\n}\n");
    bench.write("list of rows.json", b"[\n  {\"id\": 1}\n]\n");
    for (file, schema, what, next) in [
        ("wide.csv", "comma.toml", "name the encoding `utf-16le`", "`encoding` under `[csv]` in the schema"),
        ("plain.csv", "wide.toml", "name the encoding `utf-8`", "`encoding` under `[csv]` in the schema"),
        ("plain.csv", "semicolon.toml", "not separated by `;`", "say `,` where the separator is said"),
        ("over lines.json", "comma.toml", "a key in quotes", "jq -c '.' 'over lines.json' > FILE.jsonl"),
        (
            "list of rows.json",
            "comma.toml",
            "one object a line",
            "jq -c '.[]' 'list of rows.json' > FILE.jsonl",
        ),
    ] {
        let ran = bench.shown(&["data", "check", file, "--schema", schema]);
        assert!(ran.code == 1 && ran.stderr.contains(what) && ran.stderr.contains(next), "{}", ran.stderr);
        assert!(!ran.stderr.contains("mend the file"), "{}", ran.stderr);
    }
    let said = bench.refused(&["data", "profile", "plain.csv", "--separator", ";"], 1, "BZ-0311");
    assert!(said.contains("--separator") && !said.contains("mend the file"), "{said}");
    // A table that lacks the column that values are looked up in.
    let looks_up = format!("{}references = {{ table = \"people\", column = \"name\" }}\n", head);
    bench.write(
        "looks.toml",
        looks_up
            .replace(
                "[[column]]",
                "csv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n[[column]]",
            )
            .as_bytes(),
    );
    let said = bench.refused(
        &["data", "check", "plain.csv", "--schema", "looks.toml", "--against", "people=plain.csv"],
        1,
        "BZ-0311",
    );
    assert!(
        said.contains("no column `name`") && said.contains("name a table with --against that has it"),
        "{said}"
    );
}

#[test]
fn profiles_are_shown_and_merged() {
    let bench = Bench::new();
    bench.write("a.csv", b"id,x\n1,a\n2,b\n");
    bench.write("b.csv", b"id,x\n3,a\n");
    bench.write("other.csv", b"id,y\n3,a\n");
    for name in ["a", "b", "other"] {
        bench.json(&["data", "profile", &format!("{name}.csv"), "--out", &format!("{name}.profile")]);
    }
    let (table, stored) =
        (bench.json(&["data", "profile", "a.csv"]), bench.json(&["data", "profile", "a.profile"]));
    assert_eq!(table, stored);
    let whole = bench.json(&["data", "profile", "a.csv", "b.csv", "--out", "whole.profile"]);
    // Profiles and tables, mixed.
    let merged = bench.json(&["data", "profile", "a.profile", "b.csv", "--out", "mixed.profile"]);
    assert_eq!((&merged, &merged["rows"]), (&whole, &Value::from(3)));
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert!(read("mixed.profile") == read("whole.profile"));
    bench.json(&["data", "profile", "a.profile", "b.profile", "--out", "merged.profile"]);
    assert!(read("merged.profile") == read("whole.profile"));
    let said = bench.refused(&["data", "profile", "a.profile", "other.profile"], 1, "BZ-0311");
    assert!(said.contains("is not like the files before"), "{said}");
    // A profile that was cut is one no more, and is not taken for a table.
    let cut = read("a.profile");
    bench.write("cut.profile", &cut[..cut.len() - 5]);
    let said = bench.refused(&["data", "profile", "cut.profile"], 1, "BZ-0311");
    assert!(said.contains("`cut.profile` is not a profile"), "{said}");
    // What is read is not written over.
    bench.refused(&["data", "profile", "a.profile", "b.csv", "--out", "a.profile"], 2, "BZ-0001");
    assert!(read("a.profile") == cut);
}
