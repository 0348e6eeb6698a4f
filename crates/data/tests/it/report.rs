//! Reports for people and for other programs: complete, escaped, within bounds, and never without a verdict that there is not.

use std::error::Error;
use std::fmt::Write as _;

use bartizan_base::{Timestamp, sha256};
use bartizan_data::drift::{
    Column, Comparison, DriftReport, Options, Side, TableFinding, TableTest, compare,
};
use bartizan_data::limits::{REPORT_BYTES, REPORT_COLUMNS};
use bartizan_data::report::{Against, Standing, Subject, Suite, html, junit, plain, sarif, uri_of_path};
use bartizan_data::{CsvOptions, Outcome, Report, Schema, Tier, check, infer};
use expect_test::{expect, expect_file};
use serde_json::Value;

use crate::schema::{inferred, sample};

mod names;
mod room;
mod rows;

fn subject(name: &str) -> Subject {
    Subject {
        name: name.to_owned(),
        uri: uri_of_path(name),
        against: Some(Against { name: "schema.toml".to_owned(), digest: None }),
        version: "1.2.3".to_owned(),
        at: Some(Timestamp::from_millis(1_772_366_400_000)),
    }
}

fn checked(batch: &str, schema: &Schema, tier: Tier) -> Report {
    check(batch.as_bytes(), schema, tier).unwrap()
}

/// Twelve rows, of which some break rules, and a schema for them.
fn small() -> (Schema, Report) {
    let text = r#"
        format = "bartizan-schema-v1"
        csv = { separator = ",", encoding = "utf-8", null = [""] }
        rows = { min = 1, max = 10 }
        [[column]]
        name = "amount"
        type = "integer"
        min_present = 0.9
        severity = "block"
        range = { min = 0.0, max = 9.0, max_outside = 0.1 }
        [[column]]
        name = "colour"
        type = "string"
        min_present = 1.0
        severity = "warn"
        domain = { values = ["blue", "red"], max_unseen = 0.0 }
        [[column]]
        name = "gone"
        type = "string"
        min_present = 0.0
        severity = "block"
    "#;
    let mut batch = "amount,colour\n".to_owned();
    for row in 0..12 {
        let colour = if row == 3 { "mauve" } else { "red" };
        let amount = if row % 4 == 1 { 70 } else { row % 9 };
        writeln!(batch, "{amount},{colour}").unwrap();
    }
    let schema = Schema::parse(text).unwrap();
    let report = checked(&batch, &schema, Tier::Release);
    (schema, report)
}

#[test]
fn every_planned_check_is_listed_with_what_came_of_it() {
    let (_, report) = small();
    assert_eq!(report.each.len(), report.planned);
    assert_eq!(report.each.iter().filter(|check| check.ran).count(), report.checks);
    let listed: usize = report.each.iter().map(|check| check.findings.len()).sum();
    assert_eq!(listed, report.findings.len());
    for check in &report.each {
        for finding in check.findings.iter().map(|place| report.findings.get(*place).unwrap()) {
            assert_eq!((finding.rule, &finding.column), (check.rule, &check.column));
        }
    }
    // Also with a label, with and without rows that have one.
    let schema = inferred(&sample(), Some("ok"));
    let batch = String::from_utf8(sample()).unwrap();
    for batch in
        [batch.clone(), batch.replace("false", "").replace("true", ""), batch.replace(",ok,", ",okay,")]
    {
        let report = checked(&batch, &schema, Tier::Explore);
        let asked = report.each.iter().filter(|check| check.moot.is_none()).count();
        assert_eq!(asked, report.planned, "{}", report.render());
        assert_eq!(report.each.iter().filter(|check| check.ran).count(), report.checks);
    }
}

#[test]
fn junit_has_a_case_for_each_rule() {
    let (_, report) = small();
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="bartizan data check" tests="15" failures="3" errors="0" skipped="2" time="0">
          <testsuite name="a &lt;b&gt;.csv" tests="15" failures="3" errors="0" skipped="2" time="0" timestamp="2026-03-01T12:00:00">
            <properties>
              <property name="outcome" value="invalid"/>
              <property name="against" value="schema.toml"/>
              <property name="tier" value="release"/>
              <property name="rows" value="12"/>
              <property name="checks" value="12"/>
              <property name="planned" value="14"/>
              <property name="digest" value="sha256:ed972453ff9336ccea34e6a853bdeec2fb908a7b443e1a871fae7db4084e3d5a"/>
            </properties>
            <testcase classname="a &lt;b&gt;.csv" name="every planned check ran" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="gone: missing-column" time="0">
              <failure message="the column is not in the file, so 2 checks of it could not run" type="missing-column">
        count 1</failure>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="gone: type" time="0">
              <skipped message="the column is not in the file, so 2 checks of it could not run"/>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="gone: presence" time="0">
              <skipped message="the column is not in the file, so 2 checks of it could not run"/>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="rows (2)" time="0">
              <failure message="12 rows where at most 10 are expected" type="rows">
        count 12</failure>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="amount: range" time="0">
              <failure message="25.00 % of the values lie outside 0 to 9, at most 10.00 % may" type="range">
        count 3
        share 0.250000, at most 0.100000
        row 2: 9
        row 6: 9
        row 10: 9</failure>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="colour: domain" time="0">
              <system-out>warning: 8.33 % of the values are none of the 2 known ones, at most 0.00 % may be
        count 1
        share 0.083333, at most 0.000000
        row 4: a</system-out>
            </testcase>
            <testcase classname="a &lt;b&gt;.csv" name="amount: missing-column" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="colour: missing-column" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="unexpected-column" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="rows" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="amount: type" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="amount: presence" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="colour: type" time="0"/>
            <testcase classname="a &lt;b&gt;.csv" name="colour: presence" time="0"/>
          </testsuite>
        </testsuites>
    "#]]
    .assert_eq(&junit::write(&[Suite::check(&subject("a <b>.csv"), &report)]));
}

#[test]
fn sarif_has_a_result_for_each_finding() {
    let (_, report) = small();
    let log: Value =
        serde_json::from_str(&sarif::write(&[Suite::check(&subject("dir/a b.csv"), &report)])).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), report.findings.len());
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let mut lines = String::new();
    for result in run["results"].as_array().unwrap() {
        let rule =
            &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let fingerprint = result["partialFingerprints"]["bartizanFinding/v1"].as_str().unwrap();
        assert_eq!(fingerprint.len(), 64);
        writeln!(
            lines,
            "{} {} {} line {}: {}",
            result["level"],
            result["ruleId"],
            place["artifactLocation"]["uri"],
            place["region"]["startLine"],
            result["message"]["text"]
        )
        .unwrap();
    }
    expect![[r#"
        "error" "missing-column" "dir/a%20b.csv" line null: "Column `gone`: the column is not in the file, so 2 checks of it could not run"
        "error" "rows" "dir/a%20b.csv" line null: "12 rows where at most 10 are expected"
        "error" "range" "dir/a%20b.csv" line 3: "Column `amount`: 25.00 % of the values lie outside 0 to 9, at most 10.00 % may. See row 2 (9), row 6 (9), row 10 (9)."
        "warning" "domain" "dir/a%20b.csv" line 5: "Column `colour`: 8.33 % of the values are none of the 2 known ones, at most 0.00 % may be. See row 4 (a)."
    "#]]
    .assert_eq(&lines);
}

/// The samples under `tests/golden/report`; `.ci/report/check.py` reads them as others do. The page changes with its style,
/// the other two only with a new version.
#[test]
fn the_samples_are_what_is_written() {
    let schema = include_str!("../../../../tests/golden/report/v1/schema.toml");
    let table = include_str!("../../../../tests/golden/report/v1/table.csv");
    let report = checked(table, &Schema::parse(schema).unwrap(), Tier::Release);
    let mut named = subject("table.csv");
    named.against = Some(Against { name: "schema.toml".to_owned(), digest: Some(sha256(schema.as_bytes())) });
    let suite = [Suite::check(&named, &report)];
    expect_file!["../../../../tests/golden/report/v1/junit.xml"].assert_eq(&junit::write(&suite));
    expect_file!["../../../../tests/golden/report/v1/check.sarif"].assert_eq(&sarif::write(&suite));
    let page = html::check(&named, &report, &Schema::parse(schema).unwrap(), None);
    expect_file!["../../../../tests/golden/report/v1/check.html"].assert_eq(&page);
}

#[test]
fn fingerprints_stay_where_rows_and_counts_change() {
    let (schema, _) = small();
    let prints = |batch: &str| -> Vec<(String, String)> {
        let report = checked(batch, &schema, Tier::Release);
        let log = sarif::write(&[Suite::check(&subject("a.csv"), &report)]);
        let log: Value = serde_json::from_str(&log).unwrap();
        let one = |result: &Value| {
            let print = result["partialFingerprints"]["bartizanFinding/v1"].as_str().unwrap().to_owned();
            (result["message"]["text"].as_str().unwrap().to_owned(), print)
        };
        log["runs"][0]["results"].as_array().unwrap().iter().map(one).collect()
    };
    let (one, two) = (prints("amount,colour\n70,red\n"), prints("amount,colour\n1,red\n80,red\n90,red\n"));
    let only =
        |prints: &[(String, String)]| prints.iter().map(|(_, print)| print.clone()).collect::<Vec<_>>();
    assert_eq!(only(&one), only(&two));
    assert_ne!(one, two);
    let mut different = only(&one);
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), one.len());
}

/// What every page must be, whatever it is about.
fn sound(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.len() <= REPORT_BYTES, "{} bytes", page.len());
    assert!(page.contains(
        "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\""
    ));
    for reference in ["http:", "https:", "//", "url(", "@import", "<script", "<link", "<img", "<iframe"] {
        assert!(!page.contains(reference), "{reference}");
    }
    balanced(page);
}

/// Every tag is closed, in order, and no attribute's value reaches out of its quotes.
fn balanced(page: &str) {
    const VOID: [&str; 3] = ["meta", "input", "br"];
    let body = page.split_once("<!DOCTYPE html>").unwrap().1;
    let (before, rest) = body.split_once("<style>").unwrap();
    let without_style = format!("{before}{}", rest.split_once("</style>").unwrap().1);
    let mut open: Vec<&str> = Vec::new();
    let mut rest = without_style.as_str();
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        assert!(!tag.contains('<'), "<{tag}>");
        let unquoted: String = tag.split('"').step_by(2).collect();
        assert!(!unquoted.contains(" on") && !unquoted.contains('\''), "<{tag}>");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => {
                let name = tag.split(' ').next().unwrap();
                if !VOID.contains(&name) {
                    open.push(name);
                }
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_says_what_was_checked_and_what_came_of_it() {
    let (schema, report) = small();
    let page = html::check(&subject("a.csv"), &report, &schema, None);
    sound(&page);
    for part in [
        "This file is refused.",
        "schema.toml",
        "on all 12 rows",
        "not in the file",
        "row 2",
        "refuses",
        "warns",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // What the verdict rests on is in the head of the page, and nothing that was not asked for.
    assert!(!page.contains("Environment") && !page.contains("Looked up in"));
    let mut beside = report.clone();
    let digest = sha256(b"other");
    let other = |version: Option<&str>| bartizan_data::Other { digest, version: version.map(str::to_owned) };
    beside.compared = bartizan_data::Compared {
        environment: Some("<b>serving".to_owned()),
        now: Some(Timestamp::from_millis(1_772_366_400_000)),
        reference: Some(other(None)),
        tables: [("people".to_owned(), other(Some("clients:3")))].into(),
    };
    let page = html::check(&subject("a.csv"), &beside, &schema, None);
    sound(&page);
    for part in [
        "<dt>Tier</dt><dd>release</dd>",
        "<dt>Environment</dt><dd><code><bdi>&lt;b&gt;serving</bdi></code></dd>",
        "<dt>As of</dt><dd><time datetime=\"2026-03-01T12:00:00.000Z\">",
        &format!("<dt>Reference</dt><dd><code class=\"digest\" title=\"{digest}\">"),
        "<dt>Looked up in</dt><dd><code><bdi>people</bdi></code> <bdi>clients:3</bdi> <code class=\"digest\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let page = html::check(&subject("a.csv"), &report, &schema, None);
    // So few rows that a sum would tell each of them.
    assert!(page.contains("Fewer than 20 rows have a value") && !page.contains("<svg class=\"chart\""));
    // With a reference, both have bars in every chart, and a column in every table.
    let (schema, batch) = (inferred(&sample(), None), String::from_utf8(sample()).unwrap());
    let report = checked(&batch.replacen(",7,", ",7000,", 9), &schema, Tier::Release);
    let (reference, _) = infer(sample().as_slice(), &CsvOptions::default()).unwrap();
    let page = html::check(&subject("a.csv"), &report, &schema, Some(&reference));
    sound(&page);
    let charts = page.matches("<svg class=\"chart\"").count();
    // Of numbers and of days.
    assert_eq!(charts, 2);
    for part in [
        "<path class=\"ref\"",
        "<path class=\"now\"",
        "<desc id=",
        "<details class=\"bins\"",
        "scope=\"col\">Reference</th></tr></thead><tbody><tr><th",
    ] {
        assert!(page.matches(part).count() >= charts, "{part}");
    }
    assert!(page.contains("max allowed") && page.contains("This file: most"));
}

/// Names and values that would like to be something else.
const HOSTILE: [&str; 8] = [
    "</style><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "]]><!--",
    "&lt;b&gt;&#x22;",
    "\u{202e}gpj.exe",
    "\u{200b}\u{feff}\u{2066}x",
    "{{7*7}}${7*7}\\u0022",
];

#[test]
fn hostile_names_and_values_stay_text() {
    let header: Vec<String> =
        HOSTILE.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let mut clean = format!("{},n\n", header.join(","));
    for _ in 0..60 {
        writeln!(clean, "{},1", header.join(",")).unwrap();
    }
    let schema = inferred(clean.as_bytes(), None);
    // Values that no schema knows, and columns that none does.
    let dirty = clean.replace("\u{202e}gpj", "<b>gpj").replace(",n\n", ",\"<i>n\"\n");
    let report = checked(&dirty, &schema, Tier::Release);
    assert_eq!(report.outcome, Outcome::Invalid);
    let (reference, _) = infer(clean.as_bytes(), &CsvOptions::default()).unwrap();
    let named = subject("</title><script>\u{202e}.csv");
    let page = html::check(&named, &report, &schema, Some(&reference));
    sound(&page);
    let suite = Suite::check(&named, &report);
    let texts = [page, junit::write(std::slice::from_ref(&suite)), sarif::write(&[suite])];
    for text in &texts {
        for hidden in ['\u{202e}', '\u{200b}', '\u{feff}', '\u{2066}'] {
            assert!(!text.contains(hidden), "{}", text.escape_unicode());
        }
        assert!(text.contains("u{202e}gpj") || text.contains("u{202e}"));
    }
    for text in texts.iter().take(2) {
        assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("<i>n"));
    }
    let log: Value = serde_json::from_str(texts.last().unwrap()).unwrap();
    assert_eq!(log["version"], "2.1.0");
}

#[test]
fn what_cannot_be_shown_is_named_by_its_number() {
    assert_eq!(plain("a\u{202e}b\u{0}c\u{fffe}d\u{e0041}e"), "a\\u{202e}b\\u{0}c\\u{fffe}d\\u{e0041}e");
    assert_eq!(plain("Zoë 東京 👩\u{200d}🚀"), "Zoë 東京 👩\u{200d}🚀");
    assert_eq!(plain(&"x".repeat(500)).chars().count(), 401);
    assert_eq!(uri_of_path("./my data/a#b%.csv"), "my%20data/a%23b%25.csv");
    assert_eq!(uri_of_path("s3://lake/a b.csv"), "s3://lake/a%20b.csv");
    assert_eq!(uri_of_path("/data/ü.csv"), "file:///data/%C3%BC.csv");
}

#[test]
fn a_wide_file_makes_a_page_of_bounded_size() {
    let names: Vec<String> = (0..2_000).map(|at| format!("{}{at}", "<&\"'>".repeat(45))).collect();
    let header: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let row: Vec<String> = (0..2_000).map(|at| at.to_string()).collect();
    let batch = format!("{}\n{}\n{}\n", header.join(","), row.join(","), row.join(","));
    let schema = inferred(batch.as_bytes(), None);
    let report = checked(&batch, &schema, Tier::Release);
    let page = html::check(&subject("wide.csv"), &report, &schema, None);
    sound(&page);
    assert_eq!(page.matches("<article").count(), REPORT_COLUMNS);
    assert!(page.contains(&format!("{} further columns", "1,850")));
    // None of its columns is known: as many findings as a report holds, and more.
    let other = inferred(b"a\n1\n", None);
    let report = checked(&batch, &other, Tier::Release);
    assert_eq!(report.findings.len(), 1_000);
    let page = html::check(&subject("wide.csv"), &report, &other, None);
    sound(&page);
    let suite = Suite::check(&subject("wide.csv"), &report);
    let text = junit::write(std::slice::from_ref(&suite));
    assert!(text.len() <= REPORT_BYTES && sarif::write(&[suite]).len() <= REPORT_BYTES);
    assert_eq!(text.matches("<failure").count(), 1_000);
}

#[test]
fn what_is_personal_or_rare_is_not_shown() {
    let mut batch = "mail,card,town,note\n".to_owned();
    for row in 0..120 {
        let town = if row == 7 { "Rareville" } else { ["Bonn", "Graz"][row % 2] };
        writeln!(batch, "ann{}@example.org,4111111111111111,{town},Jane wrote {row}", row % 2).unwrap();
    }
    let schema = inferred(batch.as_bytes(), None);
    let report = checked(&batch, &schema, Tier::Release);
    let page = html::check(&subject("people.csv"), &report, &schema, None);
    sound(&page);
    for hidden in ["ann0", "ann1", "4111111111111111", "4.111e15", "Rareville", "Jane", "wrote"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    for shown in ["Bonn", "Graz", "a9@a.a", "Aa a 9", "look like personal data"] {
        assert!(page.contains(shown), "{shown}");
    }
}

/// Every report of something without a verdict says so, and none says `valid`.
fn no_verdict(suite: &Suite, page: &str) {
    assert_eq!(suite.outcome, Outcome::Error);
    let xml = junit::write(std::slice::from_ref(suite));
    assert!(xml.contains("<error message=") && !xml.contains("errors=\"0\""), "{xml}");
    let log: Value = serde_json::from_str(&sarif::write(std::slice::from_ref(suite))).unwrap();
    let run = log.pointer("/runs/0").unwrap();
    assert_eq!(run.pointer("/invocations/0/executionSuccessful"), Some(&Value::Bool(false)));
    let results = run["results"].as_array().unwrap();
    assert!(
        results.iter().any(|result| result["ruleId"] == "no-verdict" && result["level"] == "error"),
        "{log}"
    );
    assert!(page.contains("There is no verdict") && page.contains("</svg>error</span>"), "{page}");
    for text in [xml.as_str(), page] {
        assert!(
            !text.contains(">valid<") && !text.contains("\"valid\"") && !text.contains("Nothing refuses")
        );
    }
    sound(page);
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_has_no_verdict_in_any_report() {
    let schema = inferred(&sample(), None);
    let mut batch = sample();
    batch.extend(b"u,red");
    let error = check(batch.as_slice(), &schema, Tier::Release).unwrap_err();
    let named = subject("cut.csv");
    no_verdict(&Suite::unread(&named, "data check", &error), &html::unread(&named, "Data check", &error));
    assert!(html::unread(&named, "Data check", &error).contains("row 401 has 2 cells, the header has 5"));
    // A storage that fails in the middle.
    struct Failing(usize);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let all = sample();
            let rest = all.get(self.0..all.len() / 2).unwrap_or_default();
            let length = rest.len().min(buffer.len()).min(100);
            if length == 0 {
                return Err(std::io::Error::other("the disk says no"));
            }
            buffer.iter_mut().zip(rest).take(length).for_each(|(to, from)| *to = *from);
            self.0 += length;
            Ok(length)
        }
    }
    let error = check(Failing(0), &schema, Tier::Release).unwrap_err();
    assert!(error.source().is_some());
    let page = html::unread(&named, "Data check", &error);
    no_verdict(&Suite::unread(&named, "data check", &error), &page);
    assert!(page.contains("the disk says no"));
}

#[test]
fn a_check_that_could_not_run_leaves_no_verdict_in_any_report() {
    let schema = inferred(&sample(), None);
    let batch = String::from_utf8(sample()).unwrap().replace("colour", "color");
    let report = checked(&batch, &schema, Tier::Explore);
    assert_eq!(report.outcome, Outcome::Error);
    let suite = Suite::check(&subject("a.csv"), &report);
    no_verdict(&suite, &html::check(&subject("a.csv"), &report, &schema, None));
    // Each check that did not run is an error, and one more says that there is no verdict.
    let not_run = suite.cases.iter().filter(|case| matches!(case.standing, Standing::NotRun(_))).count();
    assert_eq!(not_run, report.planned - report.checks + 1);
}

fn compared(one: &[f64], two: &[f64]) -> DriftReport {
    let columns = [
        Column::new("a<b", Side::Numbers(one), Side::Numbers(two)),
        Column::new("same", Side::Numbers(one), Side::Numbers(one)),
    ];
    compare(&columns, &Comparison::default(), &Options::default())
}

#[test]
fn drift_is_told_in_every_form() {
    let numbers = |shift: f64| (0..400).map(|at| f64::from(at % 100) + shift).collect::<Vec<f64>>();
    let (one, two) = (numbers(0.0), numbers(30.0));
    let csv = |numbers: &[f64]| {
        let rows: String = numbers.iter().map(|number| format!("{number},{number}\n")).collect();
        infer(format!("a<b,same\n{rows}").as_bytes(), &CsvOptions::default()).unwrap().0
    };
    let report = compared(&one, &two);
    assert_eq!(report.outcome(), Outcome::Invalid);
    let page = html::drift(&subject("b.csv"), &report, Outcome::Invalid, Some(&csv(&one)), Some(&csv(&two)));
    sound(&page);
    assert!(page.contains("There is drift.") && page.contains("<path class=\"ref\""));
    let suite = Suite::drift(&subject("b.csv"), &report, Outcome::Invalid);
    let xml = junit::write(std::slice::from_ref(&suite));
    assert!(xml.contains("name=\"a&lt;b: drift\"") && xml.contains("failures=\"1\""), "{xml}");
    // What only warns refuses nothing.
    let warned = Suite::drift(&subject("b.csv"), &report, Outcome::Valid);
    assert_eq!(warned.outcome, Outcome::Valid);
    let warns = html::drift(&subject("b.csv"), &report, Outcome::Valid, None, None);
    assert!(warns.contains("Nothing refuses") && warns.contains("only warns"));
    assert!(sarif::write(&[warned]).contains("\"warning\""));
    // What is asked beside the columns may refuse where none of them drifts.
    let same = compared(&one, &one);
    let suite = Suite::drift(&subject("b.csv"), &same, Outcome::Invalid);
    assert!(junit::write(&[suite]).contains("failures=\"1\""));
    // What was found there is named, each by itself.
    let beside = |test, column: &str, outcome| TableFinding {
        test,
        column: column.to_owned(),
        outcome,
        message: "3 of 9 rows".to_owned(),
    };
    let asked = DriftReport {
        beside: vec![
            beside(TableTest::JoinedRows, "", Outcome::Valid),
            beside(TableTest::Skew, "a<b", Outcome::Invalid),
            beside(TableTest::Together, "", Outcome::Error),
        ],
        ..same
    };
    let suite = Suite::drift(&subject("b.csv"), &asked, asked.outcome());
    let xml = junit::write(std::slice::from_ref(&suite));
    assert!(xml.contains("name=\"a&lt;b: skew\"") && xml.contains("failures=\"1\""), "{xml}");
    assert!(xml.contains("3 of 9 rows") && xml.contains("name=\"together\""), "{xml}");
    assert!(sarif::write(&[suite]).contains("\"skew\""));
    let page = html::drift(&subject("b.csv"), &asked, asked.outcome(), None, None);
    sound(&page);
    assert!(page.contains("There is drift.") && page.contains("3 of 9 rows") && page.contains("differs"));
    // Too few rows to tell are never called no drift.
    let report = compared(&one[..2], &two[..2]);
    let page = html::drift(&subject("b.csv"), &report, report.outcome(), None, None);
    no_verdict(&Suite::drift(&subject("b.csv"), &report, report.outcome()), &page);
}
