//! Names of rules in reports, and the limit of a SARIF log.

use super::*;

/// Rules of rows, of which each has a name, and of which some cannot run.
fn named() -> Report {
    let text = r#"
        format = "bartizan-schema-v1"
        csv = { separator = ",", encoding = "utf-8", null = [""] }
        [[column]]
        name = "a"
        type = "integer"
        statistics = { mean = { max = 9 }, sum = { max = 2 } }
        references = { table = "shops", column = "id" }
        [[column]]
        name = "b"
        type = "integer"
        optional = true
        [[key]]
        columns = ["a", "b"]
        [[expression]]
        name = "positive"
        holds = "a > 1"
        [[expression]]
        name = "small"
        holds = "a < 2"
        [[slice]]
        name = "large"
        when = "a > 1"
        max_rows = 0
        [[slice.column]]
        name = "a"
        range = { max = 1 }
    "#;
    checked("a\n1\n2\n", &Schema::parse(text).unwrap(), Tier::Release)
}

#[test]
fn rules_are_known_by_name_and_say_why_they_did_not_run() {
    let suite = Suite::check(&subject("a.csv"), &named());
    let cases = suite.cases.iter().map(|case| {
        let standing = match &case.standing {
            Standing::Kept => "kept".to_owned(),
            Standing::Found(told) => {
                let rows: Vec<String> = told.rows.iter().map(|row| format!("{row:?}")).collect();
                format!("found: {} {}", told.message, rows.join(" "))
            }
            Standing::NotRun(why) => format!("not run: {why}"),
            Standing::Moot(why) => format!("moot: {why}"),
        };
        format!("{}: {standing}\n", case.title())
    });
    expect![[r#"
        every planned check ran: kept
        a: missing-column: kept
        b: missing-column: kept
        unexpected-column: kept
        a: type: kept
        a: presence: kept
        a: references: not run: the table `shops` with its column `id` was not given
        a: statistics: mean: kept
        a: statistics: sum: found: the sum is 3, where it is to be at most 2 
        unique: a, b: moot: it asks nothing, since the optional column `b` is not in the file
        expression: positive: found: `positive` does not hold in 50.00 % of the rows, at most 0.00 % may be so (1, None)
        expression: small: found: `small` does not hold in 50.00 % of the rows, at most 0.00 % may be so (2, None)
        slice: large: found: in slice `large`: 1 rows where at most 0 are expected 
        a: type: slice large: kept
        a: presence: slice large: kept
        a: range: slice large: found: in slice `large`: 100.00 % of the values lie above 1, at most 0.00 % may (2, Some("9"))
    "#]].assert_eq(&cases.collect::<String>());
    // What a rule is known by does not depend on which others there are, nor on how many rows break it.
    let log: Value = serde_json::from_str(&sarif::write(&[suite])).unwrap();
    let results = log.pointer("/runs/0/results").unwrap().as_array().unwrap();
    let known: Vec<(String, String)> = results
        .iter()
        .map(|result| {
            let prints = result.get("partialFingerprints").unwrap().as_object().unwrap();
            let (key, print) = prints.iter().next().unwrap();
            (key.clone(), print.as_str().unwrap().to_owned())
        })
        .collect();
    let of = |text: &str| sha256(text.as_bytes()).to_hex().to_string();
    for name in ["positive", "small"] {
        let print = of(&format!("a.csv\0expression\0\0{name}\01"));
        assert!(known.contains(&("bartizanFinding/v2".to_owned(), print)), "{name}");
    }
    let without = known.iter().filter(|(key, _)| key == "bartizanFinding/v1").count();
    assert_eq!(without, 0, "{known:?}");
    // Rows without a shape are rows and no more.
    assert!(!log.to_string().contains("()"));
    // Each rule is described by a sentence of its own.
    let rules = log.pointer("/runs/0/tool/driver/rules").unwrap().as_array().unwrap();
    for rule in rules {
        let text = rule.pointer("/shortDescription/text").unwrap();
        assert_ne!(text, "The data are as its rule says.", "{rule}");
    }
    let notes = log.pointer("/runs/0/invocations/0/toolExecutionNotifications").unwrap().to_string();
    assert!(notes.contains("the table `shops` with its column `id` was not given"), "{notes}");
}

#[test]
fn a_sarif_log_has_a_limit_and_says_what_is_left_out() {
    let long = "x".repeat(390);
    let column = |at: usize| Column {
        floor: Some(0.0),
        ..Column::new(
            Box::leak(format!("{at} {long}").into_boxed_str()),
            Side::CategoryCounts(&[400, 0], 0),
            Side::CategoryCounts(&[0, 400], 0),
        )
    };
    let columns: Vec<Column<'_>> = (0..6_000).map(column).collect();
    let drift = compare(&columns, &Comparison::default(), &Options::default());
    let suite = Suite::drift(&subject("a.csv"), &drift, Outcome::Invalid);
    let text = sarif::write(&[suite]);
    assert!(text.len() <= REPORT_BYTES && text.len() > REPORT_BYTES / 10 * 9, "{}", text.len());
    let log: Value = serde_json::from_str(&text).unwrap();
    let results = log.pointer("/runs/0/results").unwrap().as_array().unwrap().len();
    let left_out = log.pointer("/runs/0/properties/results-left-out").unwrap();
    assert_eq!(left_out, &Value::from((6_000 - results).to_string()));
}
