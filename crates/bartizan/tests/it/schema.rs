//! Schemas as their users make, change and check them: rules of every kind, and what they need beside the schema.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Bench, Ran, finish, text};

/// A file that others published, or nothing where the folder of them is absent.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn real(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let read = std::fs::read(&path);
    if read.is_err() {
        eprintln!("skipped: {} is not there", path.display());
    }
    read.ok()
}

fn check(bench: &Bench, file: &str, schema: &str, beside: &[&str]) -> (Ran, Value) {
    let ran = bench.run(&[&["data", "check", file, "--schema", schema], beside].concat());
    let report = serde_json::from_str(&ran.stdout).unwrap_or(Value::Null);
    (ran, report)
}

/// The exit code, the outcome, and each finding with its rule, column and count.
fn verdict(bench: &Bench, file: &str, schema: &str, beside: &[&str]) -> String {
    let (ran, report) = check(bench, file, schema, beside);
    let mut text =
        format!("{} {}", ran.code, report.get("outcome").and_then(Value::as_str).unwrap_or(&ran.stderr));
    for finding in report.get("findings").and_then(Value::as_array).into_iter().flatten() {
        let column = finding["column"].as_str().unwrap_or("-");
        write!(text, "; {} {column} {}", finding["rule"].as_str().unwrap(), finding["count"]).unwrap();
    }
    text
}

/// Feeds a diff to `patch`, which changes the file as it says; false where there is no such program.
fn patched(file: &Path, diff: &str) -> bool {
    let mut patch = Command::new("patch");
    patch.args(["--binary", "--silent"]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = patch.stderr(Stdio::piped()).spawn() else { return false };
    child.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}{}\n{diff}", ran.stdout, ran.stderr);
    true
}

const NO_COLUMNS: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";

/// A schema inferred from penguins, as a person edited it, and a later file with a new column and wider values.
fn edited(bench: &Bench) -> Option<String> {
    bench.write("penguins.csv", &real("penguins.csv")?);
    bench.json(&["data", "schema", "infer", "penguins.csv", "--label", "species", "--out", "s.toml"]);
    let inferred = std::fs::read_to_string(bench.path("s.toml")).unwrap();
    assert_eq!(inferred.matches("name = \"body_mass_g\"\n").count(), 1);
    let named = "name = \"body_mass_g\" # scaled, not in grams\n";
    let edited = inferred.replace("name = \"body_mass_g\"\n", named);
    let edited = format!(
        "# Ask Ann before changing this.\n{edited}\n[[expression]]\nname = \"a beak\"\nholds = \"culmen_length_mm >= 0\" # always\n"
    );
    bench.write("s.toml", edited.as_bytes());
    let csv = std::fs::read_to_string(bench.path("penguins.csv")).unwrap();
    let mut later = String::new();
    for (row, line) in csv.lines().enumerate() {
        let (rest, mass) = line.rsplit_once(',').unwrap();
        let mass = if row == 5 { "7.5" } else { mass };
        let island = match row {
            0 => "island",
            row if row % 2 == 0 => "Biscoe",
            _ => "Dream",
        };
        writeln!(later, "{rest},{mass},{island}").unwrap();
    }
    bench.write("later.csv", later.as_bytes());
    Some(edited)
}

#[test]
fn a_schema_follows_its_data_and_keeps_what_people_wrote() {
    let bench = Bench::new();
    let Some(before) = edited(&bench) else { return };
    assert_eq!(verdict(&bench, "penguins.csv", "s.toml", &[]), "0 valid");
    assert_eq!(
        verdict(&bench, "later.csv", "s.toml", &[]),
        "1 invalid; unexpected-column island 1; range body_mass_g 1"
    );
    // First only what would change, as a patch that `patch` takes.
    let dry = bench.json(&["data", "schema", "update", "s.toml", "later.csv", "--dry-run", "--diff"]);
    assert_eq!(dry["written"], Value::Null);
    assert_eq!(std::fs::read_to_string(bench.path("s.toml")).unwrap(), before);
    let told: Vec<(&str, &str)> = dry["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["column"].as_str().unwrap(), one["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("island", "column"), ("body_mass_g", "range.max")]);
    let by_patch = bench.write("patched.toml", before.as_bytes());
    let there = patched(&by_patch, dry["diff"].as_str().unwrap());

    let done = bench.json(&["data", "schema", "update", "s.toml", "later.csv"]);
    assert_eq!((&done["changes"], done["written"].as_str()), (&dry["changes"], Some("s.toml")));
    let after = std::fs::read_to_string(bench.path("s.toml")).unwrap();
    assert!(!there || std::fs::read_to_string(by_patch).unwrap() == after);
    for kept in
        ["# Ask Ann before changing this.\n", "\"body_mass_g\" # scaled, not in grams\n", "# always\n"]
    {
        assert!(after.contains(kept), "{after}");
    }
    // Nothing but the new column, and one number in a line that was there.
    let lines = dry["diff"].as_str().unwrap().lines().skip(2);
    let gone: Vec<&str> = lines.filter(|line| line.starts_with('-')).collect();
    assert_eq!(gone, ["-max = 2.0"]);
    // What kept the schema before keeps it still.
    assert_eq!(verdict(&bench, "penguins.csv", "s.toml", &[]), "0 valid");
    assert_eq!(verdict(&bench, "later.csv", "s.toml", &[]), "0 valid");
    let again = bench.json(&["data", "schema", "update", "s.toml", "later.csv"]);
    assert_eq!(again["changes"], serde_json::json!([]));
    let names: Vec<_> =
        std::fs::read_dir(bench.path("")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| text(Path::new(name)).ends_with(".new")), "{names:?}");
}

#[test]
fn a_patch_keeps_the_ends_of_lines() {
    let bench = Bench::new();
    let Some(before) = edited(&bench) else { return };
    for (name, before) in
        [("carriage.toml", before.replace('\n', "\r\n")), ("no end.toml", before.trim_end().to_owned())]
    {
        bench.write(name, before.as_bytes());
        let dry = bench.json(&["data", "schema", "update", name, "later.csv", "--dry-run", "--diff"]);
        let by_patch = bench.write("patched.toml", before.as_bytes());
        let there = patched(&by_patch, dry["diff"].as_str().unwrap());
        bench.json(&["data", "schema", "update", name, "later.csv"]);
        let after = std::fs::read(bench.path(name)).unwrap();
        assert!(!there || std::fs::read(by_patch).unwrap() == after, "{name}");
        assert_eq!(verdict(&bench, "later.csv", name, &[]), "0 valid");
    }
}

#[test]
fn what_is_read_is_never_written_over() {
    let bench = Bench::new();
    let Some(before) = edited(&bench) else { return };
    let csv = std::fs::read(bench.path("penguins.csv")).unwrap();
    for arguments in [
        &["infer", "penguins.csv", "--out", "./penguins.csv"][..],
        &["infer", "penguins.csv", "--reference", "penguins.csv"],
        &["infer", "penguins.csv", "--out", "x", "--reference", "./x"],
        &["update", "s.toml", "penguins.csv", "--out", "penguins.csv"],
        &["import", "penguins.csv", "--out", "penguins.csv"],
        &["import", "s.toml", "--like", "penguins.csv", "--out", "penguins.csv"],
    ] {
        let said = bench.refused(&[&["data", "schema"], arguments].concat(), 2, "BZ-0001");
        assert!(said.contains("is named twice"), "{said}");
    }
    assert_eq!(std::fs::read(bench.path("penguins.csv")).unwrap(), csv);
    // An update that cannot be finished changes nothing.
    bench.refused(&["data", "schema", "update", "s.toml", "later.csv", "absent.csv"], 2, "BZ-0004");
    let said = bench.refused(
        &["data", "schema", "update", "s.toml", "later.csv", "--environment", "serving"],
        2,
        "BZ-0001",
    );
    assert!(said.contains("no environment `serving`"), "{said}");
    assert_eq!(std::fs::read_to_string(bench.path("s.toml")).unwrap(), before);
}

/// A suite of the tests of translation, which keep great_expectations' verdicts beside it.
fn suite(bench: &Bench, name: &str) -> usize {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/tests/expectations").join(name);
    let stored: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    bench.write("suite.json", stored.get("suite").unwrap().to_string().as_bytes());
    stored.pointer("/suite/expectations").and_then(Value::as_array).unwrap().len()
}

#[test]
fn a_suite_becomes_a_schema_that_checks() {
    let bench = Bench::new();
    let Some(csv) = real("penguins.csv") else { return };
    bench.write("penguins.csv", &csv);
    for name in ["penguins-0.18.json", "penguins-1.24.json"] {
        let expectations = suite(&bench, name);
        let import = ["data", "schema", "import", "suite.json", "--like", "penguins.csv"];
        let told = bench.json(&[&import[..], &["--out", "g.toml"]].concat());
        assert_eq!(told["file"], "g.toml");
        let told = told["expectations"].as_array().unwrap();
        assert_eq!(told.len(), expectations);
        let not: Vec<&Value> = told.iter().filter(|one| one["outcome"] == "not").collect();
        assert!(!not.is_empty() && not.len() < told.len() / 2, "{} of {}", not.len(), told.len());
        // Standard output has the same schema, with what was lost as comments in it.
        let ran = bench.shown(&import);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stdout, std::fs::read_to_string(bench.path("g.toml")).unwrap());
        // Programs get it as a member of what they parse.
        assert_eq!(bench.json(&import)["schema"], ran.stdout.as_str());
        for one in not {
            let kind = one["expectation"].as_str().unwrap();
            assert!(ran.stdout.lines().any(|line| line.starts_with('#') && line.contains(kind)), "{kind}");
        }
        // Each suite has expectations that this file breaks.
        let said = verdict(&bench, "penguins.csv", "g.toml", &[]);
        assert!(said.starts_with("1 invalid; missing-column nowhere 1; "), "{said}");
    }
    let shown = bench.shown(&["data", "schema", "import", "suite.json", "--out", "g.toml"]);
    assert!(shown.stdout.contains("NOT TRANSLATED: "), "{}", shown.stdout);
}

#[test]
fn what_is_no_suite_is_refused_with_its_place() {
    let bench = Bench::new();
    for (name, bytes, said) in [
        ("cut", &b"{\"expectations\": [\n"[..], "line 2"),
        ("empty", b"", "line 1"),
        ("object", b"{}", "no list `expectations`"),
        ("none", b"{\"expectations\": []}", "names no column"),
    ] {
        let file = bench.write(name, bytes);
        let refused = bench.refused(&["data", "schema", "import", text(&file)], 2, "BZ-0003");
        assert!(refused.contains(name) && refused.contains(said), "{refused}");
    }
    let file = bench.write("latin", b"{\"name\": \"\xe9\"}");
    bench.refused(&["data", "schema", "import", text(&file)], 2, "BZ-0004");
    bench.refused(&["data", "schema", "import", "absent.json"], 2, "BZ-0004");
}

#[test]
fn columns_are_those_of_the_environment() {
    let bench = Bench::new();
    bench.write("training.csv", b"label,amount\n0,1.5\n1,2.5\n");
    bench.write("serving.csv", b"amount\n1.5\n2.5\n");
    let rules = "environments = [\"training\", \"serving\"]\n";
    let columns = "[[column]]\nname = \"label\"\ntype = \"integer\"\nenvironments = [\"training\"]\n\
                   [[column]]\nname = \"amount\"\ntype = \"float\"\n\
                   [[expression]]\nname = \"free\"\nholds = \"label = 1 or amount > 1\"\n";
    bench.write("s.toml", format!("{rules}{NO_COLUMNS}{columns}").as_bytes());
    for (file, environment, said) in [
        ("training.csv", None, "0 valid"),
        ("training.csv", Some("training"), "0 valid"),
        ("training.csv", Some("serving"), "1 invalid; unexpected-column label 1"),
        ("serving.csv", Some("serving"), "0 valid"),
        ("serving.csv", None, "1 invalid; missing-column label 1; expression - 0"),
        // A name that is not known asks for nothing that could be checked.
        ("serving.csv", Some("production"), "1 error; environment - 0"),
    ] {
        let beside: Vec<&str> = environment.into_iter().flat_map(|name| ["--environment", name]).collect();
        assert_eq!(verdict(&bench, file, "s.toml", &beside), said, "{file} {environment:?}");
    }
}

/// Orders with customers, times and, in one row, an address.
fn orders(bench: &Bench) {
    bench.write(
        "orders.csv",
        b"customer,at,note\n1,2026-01-01 10:00:00Z,late\n2,2026-01-02 10:00:00Z,\n7,2026-01-02 09:00:00Z,gift\n",
    );
    bench.write("customers.csv", b"id,name\n1,Ann\n2,Bob\n");
    bench.write("all.csv", b"id\n1\n2\n7\n");
    let columns = "[[column]]\nname = \"customer\"\ntype = \"integer\"\n\
                   references = { table = \"customers\", column = \"id\" }\n\
                   [[column]]\nname = \"at\"\ntype = \"timestamp\"\nfreshness = { max_age = \"36h\" }\n\
                   [[column]]\nname = \"note\"\ntype = \"string\"\n";
    bench.write("s.toml", format!("{NO_COLUMNS}{columns}").as_bytes());
}

#[test]
fn values_are_looked_up_in_other_tables() {
    let bench = Bench::new();
    orders(&bench);
    let with = |files: &[&str]| {
        let mut beside = vec!["--now", "2026-01-03T00:00:00Z"];
        files.iter().for_each(|file| beside.extend(["--against", file]));
        verdict(&bench, "orders.csv", "s.toml", &beside)
    };
    assert_eq!(with(&["customers=all.csv"]), "0 valid");
    assert_eq!(with(&["customers=customers.csv"]), "1 invalid; references customer 1");
    // Without the table nobody knows.
    assert_eq!(with(&[]), "1 error; references customer 0");
    for (given, code, id, said) in [
        (&["customers"][..], 2, "BZ-0001", "NAME=FILE"),
        (&["customers="], 2, "BZ-0001", "NAME=FILE"),
        (&["custmers=all.csv"], 2, "BZ-0001", "`customers`"),
        (&["customers=all.csv", "customers=customers.csv"], 2, "BZ-0001", "twice"),
        (&["customers=absent.csv"], 2, "BZ-0004", "absent.csv"),
        (&["customers=orders.csv"], 1, "BZ-0311", "no column `id`"),
    ] {
        let mut arguments = vec!["data", "check", "orders.csv", "--schema", "s.toml"];
        given.iter().for_each(|file| arguments.extend(["--against", file]));
        let refused = bench.refused(&arguments, code, id);
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn a_batch_is_fresh_until_its_age_is_passed() {
    let bench = Bench::new();
    orders(&bench);
    let at = |now: &str| {
        verdict(&bench, "orders.csv", "s.toml", &["--against", "customers=all.csv", "--now", now])
    };
    assert_eq!(at("2026-01-03T22:00:00Z"), "0 valid");
    assert_eq!(at("2026-01-03T22:00:01Z"), "1 invalid; freshness at 1");
    let refused = bench.refused(
        &["data", "check", "orders.csv", "--schema", "s.toml", "--now", "yesterday"],
        2,
        "BZ-0001",
    );
    assert!(refused.contains("yesterday"), "{refused}");
    // The clock says a time after all of these.
    let (ran, report) = check(&bench, "orders.csv", "s.toml", &["--against", "customers=all.csv"]);
    assert_eq!((ran.code, report["findings"][0]["rule"].as_str()), (1, Some("freshness")), "{}", ran.stdout);
}

#[test]
fn distributions_stay_near_the_reference() {
    let bench = Bench::new();
    let Some(csv) = real("penguins.csv") else { return };
    bench.write("penguins.csv", &csv);
    let moved: String = String::from_utf8(csv)
        .unwrap()
        .lines()
        .enumerate()
        .map(|(row, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if row > 0 {
                let number: f64 = cells[1].parse().unwrap();
                cells[1] = (number * number).to_string();
            }
            cells.join(",") + "\n"
        })
        .collect();
    bench.write("moved.csv", moved.as_bytes());
    // The schema finds its reference from wherever it is used.
    bench.write("schemas/.keep", b"");
    bench.write("profiles/.keep", b"");
    let infer = ["data", "schema", "infer", "penguins.csv", "--out", "schemas/s.toml"];
    bench.json(&[&infer[..], &["--reference", "profiles/p.profile"]].concat());
    let schema = std::fs::read_to_string(bench.path("schemas/s.toml")).unwrap();
    assert!(schema.contains("profile = \"../profiles/p.profile\"\n"), "{schema}");
    assert_eq!(verdict(&bench, "penguins.csv", "schemas/s.toml", &[]), "0 valid");
    let drifted = "1 invalid; drift culmen_length_mm 1";
    assert_eq!(verdict(&bench, "moved.csv", "schemas/s.toml", &[]), drifted);
    // The page shows both distributions.
    bench.run(&["data", "check", "moved.csv", "--schema", "schemas/s.toml", "--report", "r.html"]);
    let page = std::fs::read_to_string(bench.path("r.html")).unwrap();
    assert!(page.contains("reference"), "{page}");

    // Another profile in its place is noticed, and can be asked for by name.
    std::fs::rename(bench.path("profiles/p.profile"), bench.path("first.profile")).unwrap();
    bench.json(&["data", "profile", "moved.csv", "--out", "profiles/p.profile"]);
    let check = ["data", "check", "moved.csv", "--schema", "schemas/s.toml"];
    let refused = bench.refused(&check, 2, "BZ-0003");
    assert!(refused.contains("digest"), "{refused}");
    let other = ["--reference", "profiles/p.profile"];
    assert_eq!(verdict(&bench, "moved.csv", "schemas/s.toml", &other), "0 valid");
    assert_eq!(verdict(&bench, "moved.csv", "schemas/s.toml", &["--reference", "first.profile"]), drifted);

    // Without any there is no verdict, and the file that is missing is named.
    std::fs::remove_file(bench.path("profiles/p.profile")).unwrap();
    let (ran, report) = self::check(&bench, "penguins.csv", "schemas/s.toml", &[]);
    assert_eq!((ran.code, report["outcome"].as_str()), (1, Some("error")), "{}", ran.stdout);
    assert!(ran.stderr.contains("profiles/p.profile"), "{}", ran.stderr);
    bench.refused(&[&check[..], &["--reference", "absent.profile"]].concat(), 2, "BZ-0004");
    bench.refused(&[&check[..], &["--reference", "penguins.csv"]].concat(), 2, "BZ-0003");
}

/// Neither is what lies too far out for a range without a distribution, nor is a range lost in silence.
#[test]
fn columns_without_a_range_are_named_and_only_row_numbers_have_no_drift() {
    let bench = Bench::new();
    let mut csv = "row,order_id,far,AMOUNT_PAID\n".to_owned();
    for row in 0..200_i64 {
        let far = if row % 2 == 0 { "-1.7e308" } else { "1.7e308" };
        writeln!(csv, "{row},{},{far},{}", row * 1_000_003, row * row * 7).unwrap();
    }
    bench.write("a.csv", csv.as_bytes());
    let answer =
        bench.json(&["data", "schema", "infer", "a.csv", "--out", "s.toml", "--reference", "a.profile"]);
    let named: Vec<&str> = answer["without_range"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["column"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["row", "order_id", "far"]);
    let schema: toml::Value =
        toml::from_str(&std::fs::read_to_string(bench.path("s.toml")).unwrap()).unwrap();
    let columns = schema["column"].as_array().unwrap();
    let has: Vec<(&str, bool, bool)> = columns
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one.get("range").is_some(), one.get("drift").is_some()))
        .collect();
    let expected = [
        ("row", false, false),
        ("order_id", false, false),
        ("far", false, true),
        ("AMOUNT_PAID", true, true),
    ];
    assert_eq!(has, expected);
    let printed = bench.shown(&["data", "schema", "infer", "a.csv"]);
    assert!(printed.stderr.contains("no range for `order_id`: none comes twice"), "{}", printed.stderr);
    assert!(printed.stdout.starts_with("format = "), "{}", printed.stdout);
    let told = bench.json(&["data", "schema", "infer", "a.csv"]);
    assert_eq!(told["schema"], printed.stdout.as_str());
    assert_eq!(told["without_range"].as_array().unwrap().len(), 3);
    // Where every column has one, people read nothing of it; a cell that means nothing is named as for a profile.
    bench.write("b.csv", b"amount\n0.5\n1.5\n2.25\n?\n");
    let said = bench.shown(&["data", "schema", "infer", "b.csv", "--null", "?", "--out", "b.toml"]);
    assert!(said.code == 0 && !said.stdout.contains("without_range"), "{}{}", said.stdout, said.stderr);
    let text = std::fs::read_to_string(bench.path("b.toml")).unwrap();
    assert!(text.contains("null = [\"?\"]") && text.contains("type = \"float\""), "{text}");
}

#[test]
fn rules_that_cannot_be_meant_are_refused_with_their_place() {
    let bench = Bench::new();
    bench.write("a.csv", b"a,b\n1,x\n");
    let columns =
        "[[column]]\nname = \"a\"\ntype = \"integer\"\n[[column]]\nname = \"b\"\ntype = \"string\"\n";
    let long = format!("{}a > 0", "a > 0 and ".repeat(3_000));
    let deep = format!("{}a > 0{}", "(".repeat(200), ")".repeat(200));
    let holds = |text: &str| format!("[[expression]]\nname = \"one\"\nholds = '{text}'\n");
    for (rule, said) in [
        (holds("c > 0"), "`c`"),
        (holds("a > b"), "one"),
        (holds("a >"), "one"),
        (holds("a"), "one"),
        (holds(&long), "one"),
        (holds(&deep), "one"),
        ("drift = { statistic = \"hellinger\", limit = 0.1 }\n".to_owned(), "`[reference]`"),
        ("freshness = { max_age = \"1d\" }\n".to_owned(), "`b`"),
        ("environments = [\"x\"]\n".to_owned(), "`x`"),
        ("pattern = { matches = ['(?=x)'] }\n".to_owned(), "`b`"),
        ("severities = { colour = \"warn\" }\n".to_owned(), "colour"),
        ("colour = 1\n".to_owned(), "colour"),
        ("[[key]]\ncolumns = [\"c\"]\n".to_owned(), "`c`"),
        ("[[slice]]\nname = \"s\"\nwhen = \"c = 1\"\n".to_owned(), "`c`"),
    ] {
        bench.write("s.toml", format!("{NO_COLUMNS}{columns}{rule}").as_bytes());
        let refused = bench.refused(&["data", "check", "a.csv", "--schema", "s.toml"], 2, "BZ-0312");
        assert!(refused.contains(said) && refused.contains("s.toml"), "{rule}: {refused}");
        assert!(refused.len() < 2_000, "{rule}: {refused}");
        bench.refused(&["data", "schema", "update", "s.toml", "a.csv"], 2, "BZ-0312");
    }
}

#[test]
fn rows_that_break_rules_of_rows_are_written() {
    let bench = Bench::new();
    bench.write("a.csv", b"a,b\n1,x\n2,y\n1,z\n-3,w\n");
    let columns = "[[column]]\nname = \"a\"\ntype = \"integer\"\nmax_repeated = 0.0\n\
                   [[column]]\nname = \"b\"\ntype = \"string\"\n\
                   [[expression]]\nname = \"one\"\nholds = \"a > 0\"\n";
    bench.write("s.toml", format!("{NO_COLUMNS}{columns}").as_bytes());
    let (ran, _) = check(&bench, "a.csv", "s.toml", &["--rows", "rows.csv"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("more of them"), "{}", ran.stderr);
    assert_eq!(
        std::fs::read_to_string(bench.path("rows.csv")).unwrap(),
        "row,rule,column,name,a,b\n1,unique,a,,1,x\n3,unique,a,,1,z\n4,expression,,one,-3,w\n"
    );
}

#[test]
fn the_one_planted_value_is_found() {
    let bench = Bench::new();
    let (Some(clean), Some(skewed)) = (real("penguins.csv"), real("penguins_skewed.csv")) else { return };
    bench.write("clean.csv", &clean);
    bench.write("skewed.csv", &skewed);
    bench.json(&["data", "schema", "infer", "clean.csv", "--label", "species", "--out", "s.toml"]);
    let (ran, report) = check(&bench, "skewed.csv", "s.toml", &["--rows", "rows.csv"]);
    assert_eq!((ran.code, report["outcome"].as_str()), (1, Some("invalid")), "{}", ran.stdout);
    let findings = report["findings"].as_array().unwrap();
    let [finding] = &findings[..] else { panic!("{}", ran.stdout) };
    assert_eq!((finding["rule"].as_str(), finding["count"].as_u64()), (Some("range"), Some(1)), "{finding}");
    let rows = std::fs::read_to_string(bench.path("rows.csv")).unwrap();
    assert_eq!(rows.lines().count(), 2, "{rows}");
}

#[test]
fn only_what_was_written_here_is_replaced() {
    let bench = Bench::new();
    let table = b"id,amount\n1,2\n2,3\n3,4\n";
    for name in ["new.csv", "old.csv"] {
        bench.write(name, table);
    }
    bench.json(&["data", "schema", "infer", "new.csv", "--out", "s.toml", "--reference", "r.profile"]);
    bench.run(&["data", "profile", "new.csv", "--out", "p.profile"]);
    let infer = ["data", "schema", "infer", "new.csv"];
    let check = ["data", "check", "new.csv", "--schema", "s.toml"];
    let poison = ["data", "poison", "new.csv", "--label", "amount"];
    bench.write("newer.csv", &std::fs::read(bench.path("new.csv")).unwrap());
    let drift = ["data", "drift", "new.csv", "newer.csv"];
    for (command, option) in [
        (&infer[..], "--out"),
        (&infer, "--reference"),
        (&["data", "profile", "new.csv"], "--out"),
        (&["data", "schema", "update", "s.toml", "new.csv"], "--out"),
        (&["data", "schema", "import", "suite.json"], "--out"),
        (&check, "--report"),
        (&check, "--junit"),
        (&check, "--sarif"),
        (&check, "--openlineage"),
        (&poison, "--rows-out"),
        (&poison, "--junit"),
        (&drift, "--out"),
        (&drift, "--report"),
    ] {
        let said = bench.refused(&[command, &[option, "old.csv"]].concat(), 2, "BZ-0001");
        assert!(said.contains("is not written over") && said.contains(option), "{command:?}: {said}");
        assert_eq!(std::fs::read(bench.path("old.csv")).unwrap(), table, "{command:?}");
    }
    // A schema is no profile, nor the other way round.
    bench.refused(&[&infer[..], &["--reference", "s.toml"]].concat(), 2, "BZ-0001");
    bench.refused(&["data", "profile", "new.csv", "--out", "s.toml"], 2, "BZ-0001");
    bench.refused(&[&infer[..], &["--out", "p.profile"]].concat(), 2, "BZ-0001");
    // An older one of the same kind gives way, with what people wrote over it, and so does an empty file.
    let text = std::fs::read_to_string(bench.path("s.toml")).unwrap();
    bench.write("s.toml", format!("# ours\n{text}").as_bytes());
    bench.write("empty", b"");
    for (to, kept) in [("s.toml", "r.profile"), ("t.toml", "empty")] {
        bench.json(&[&infer[..], &["--out", to, "--reference", kept]].concat());
    }
    assert_eq!(std::fs::read_to_string(bench.path("s.toml")).unwrap(), text);
    assert_eq!(bench.run(&["data", "profile", "new.csv", "--out", "p.profile"]).code, 0);
    for option in ["--report", "--junit", "--sarif", "--openlineage"] {
        for _ in 0..2 {
            let ran = bench.run(&[&check[..], &[option, &format!("out{option}")]].concat());
            assert!(ran.code < 2, "{option}: {}", ran.stderr);
        }
    }
    for _ in 0..2 {
        let ran = bench.run(&[&drift[..], &["--out", "drift.json"]].concat());
        assert!(ran.code < 2, "{}", ran.stderr);
    }
}

/// A device that takes nothing is there on Linux.
#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_written_is_told_once() {
    let bench = Bench::new();
    bench.write("new.csv", b"id,amount\n1,2\n2,3\n3,4\n");
    bench.json(&["data", "schema", "infer", "new.csv", "--out", "s.toml"]);
    for option in ["--report", "--junit", "--sarif", "--openlineage"] {
        let said = bench.refused(
            &["data", "check", "new.csv", "--schema", "s.toml", option, "/dev/full"],
            2,
            "BZ-0004",
        );
        assert_eq!(said.matches("BZ-0004").count(), 1, "{said}");
        assert!(said.contains("make room"), "{said}");
    }
}

/// No room is as if a file may have no more than 512 bytes, and what is past them is an error and no signal.
#[test]
#[cfg(unix)]
fn what_was_not_written_to_its_end_is_not_left() {
    let bench = Bench::new();
    let rows: String = (0..400).map(|row| format!("{row},{}\n", row * row % 97)).collect();
    bench.write("new.csv", format!("id,amount\n{rows}").as_bytes());
    bench.json(&["data", "profile", "new.csv", "--out", "old.profile"]);
    bench.json(&["data", "schema", "infer", "new.csv", "--out", "s.toml"]);
    let before = std::fs::read(bench.path("old.profile")).unwrap();
    assert!(before.len() > 2_048);
    let check = ["data", "check", "new.csv", "--schema", "s.toml", "--report", "page.html"];
    for (arguments, left) in [
        (&["data", "schema", "infer", "new.csv", "--reference", "new.profile"][..], None),
        (&["data", "profile", "new.csv", "--out", "new.profile"], None),
        (&["data", "profile", "new.csv", "--out", "old.profile"], Some("old.profile")),
        (&check, None),
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_bartizan")]);
        let ran = command.args(arguments).current_dir(bench.path("")).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.code() == Some(2) && said.contains("BZ-0004"), "{said}");
        assert!(!bench.path("new.profile").exists() && !bench.path("page.html").exists(), "{arguments:?}");
        assert!(left.is_none_or(|left| std::fs::read(bench.path(left)).unwrap() == before), "{arguments:?}");
        // Nor is anything else.
        assert_eq!(std::fs::read_dir(bench.path("")).unwrap().count(), 3, "{arguments:?}");
    }
}
