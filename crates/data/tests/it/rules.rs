//! Each rule that a person can add to a schema: what breaks it, what keeps it, and what keeps it from running.

use bartizan_base::Timestamp;
use bartizan_data::{
    CheckOptions, CsvOptions, KnownTable, ReadOptions, Report, Schema, Source, Tier, check_table, infer,
};
use expect_test::{Expect, expect};

const HEAD: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";

fn schema(rules: &str) -> Schema {
    Schema::parse(&format!("{HEAD}{rules}")).unwrap()
}

fn report(schema: &Schema, csv: &str, options: &CheckOptions<'_>) -> Report {
    let one =
        check_table(Source::stream(std::io::Cursor::new(csv.as_bytes().to_vec())), schema, options).unwrap();
    let four = CheckOptions { threads: 4, ..options.clone() };
    let same =
        check_table(Source::stream(std::io::Cursor::new(csv.as_bytes().to_vec())), schema, &four).unwrap();
    assert_eq!(one.findings, same.findings, "threads change the report");
    assert_eq!((one.checks, one.planned), (same.checks, same.planned));
    // What was written is what is read.
    let text = schema.to_toml().unwrap();
    assert_eq!(Schema::parse(&text).unwrap().to_toml().unwrap(), text);
    assert_eq!(&Schema::parse(&text).unwrap(), schema);
    one
}

/// Outcome, checks that ran of those planned, and what was found.
fn said(schema: &Schema, csv: &str, options: &CheckOptions<'_>) -> String {
    let report = report(schema, csv, options);
    let mut text = format!("{} {}/{}\n", report.outcome, report.checks, report.planned);
    for finding in &report.findings {
        let column = finding.column.as_deref().unwrap_or("-");
        let rows: Vec<String> =
            finding.examples.iter().map(|one| format!("{}:{}", one.row, one.shape)).collect();
        text.push_str(&format!(
            "{} {} {} [{}]\n",
            finding.rule.id(),
            column,
            finding.message,
            rows.join(" ")
        ));
    }
    text
}

fn check(rules: &str, csv: &str, expected: Expect) {
    expected.assert_eq(&said(&schema(rules), csv, &CheckOptions::new(Tier::Release)));
}

#[test]
fn values_that_come_twice() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"integer\"\nmax_repeated = 0.0\n";
    check(
        rules,
        "a\n1\n2\n3\n",
        expect![[r#"
        valid 5/5
    "#]],
    );
    check(
        rules,
        "a\n1\n2\n1.0\n3\n1\n\"\"\n\"\"\n",
        expect![[r#"
        invalid 5/5
        unique a 60.00 % of the values come more than once, at most 0.00 % may [3:as in row 1 5:as in row 1]
    "#]],
    );
    check(
        &rules.replace("0.0", "0.6"),
        "a\n1\n2\n1\n3\n1\n",
        expect![[r#"
        valid 5/5
    "#]],
    );
    check(
        rules,
        "b\n1\n",
        expect![[r#"
        invalid 2/5
        missing-column a the column is not in the file, so 3 checks of it could not run []
        unexpected-column b the column is not in the schema []
    "#]],
    );
}

const PAIR: &str =
    "[[column]]\nname = \"a\"\ntype = \"integer\"\n[[column]]\nname = \"b\"\ntype = \"string\"\n";

#[test]
fn keys_of_several_columns() {
    let rules = format!("{PAIR}[[key]]\ncolumns = [\"a\", \"b\"]\n");
    check(
        &rules,
        "a,b\n1,x\n1,y\n2,x\n,x\n,x\n",
        expect![[r#"
        valid 8/8
    "#]],
    );
    check(
        &rules,
        "a,b\n1,x\n1,y\n1.0,x\n",
        expect![[r#"
        invalid 8/8
        unique - 66.67 % of the keys `a`, `b` come more than once, at most 0.00 % may [3:as in row 1]
    "#]],
    );
    let all = rules + "pass_over = \"all-missing\"\nmax_repeated = 0.1\n";
    check(
        &all,
        "a,b\n1,x\n,x\n,x\n,\n,\n",
        expect![[r#"
        invalid 8/8
        unique - 66.67 % of the keys `a`, `b` come more than once, at most 10.00 % may [3:as in row 2]
    "#]],
    );
    check(
        &all,
        "b\nx\n",
        expect![[r#"
        invalid 5/8
        missing-column a the column is not in the file, so 2 checks of it could not run []
        unique - could not run: the key `a`, `b` has no column `a` in the file []
    "#]],
    );
}

#[test]
fn how_many_different_values() {
    let rules = |of: &str| format!("[[column]]\nname = \"a\"\ntype = \"string\"\ndistinct = {{ {of} }}\n");
    let csv = "a\nx\ny\nx\ny\nx\n";
    check(
        &rules("min = 2, max = 2, min_share = 0.4, max_share = 0.4"),
        csv,
        expect![[r#"
        valid 5/5
    "#]],
    );
    check(
        &rules("min = 3"),
        csv,
        expect![[r#"
        invalid 5/5
        distinct a 2 different values where at least 3 are expected []
    "#]],
    );
    check(
        &rules("max_share = 0.3"),
        csv,
        expect![[r#"
        invalid 5/5
        distinct a 2 different values are 40.00 % of all, where at most 30.00 % is expected []
    "#]],
    );
}

#[test]
fn patterns_and_lengths() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"string\"\nmin_length = 2\nmax_length = 4\nmax_length_outside = 0.25\n\
                 pattern = { matches = ['^\\p{L}+$', '^\\d+$'], excludes = ['xx'], max_unmatched = 0.2 }\n";
    check(
        rules,
        "a\nab\nçé\n12\nabcd\n",
        expect![[r#"
        valid 6/6
    "#]],
    );
    check(
        rules,
        "a\na\nabcde\na1\naxx\n",
        expect![[r#"
        invalid 6/6
        length a 50.00 % of the values are shorter than 2 or longer than 4 characters, at most 25.00 % may be [1:a 2:a]
        pattern a 50.00 % of the values do not look as the pattern says, at most 20.00 % may [3:a9 4:a]
    "#]],
    );
}

#[test]
fn figures_have_bounds() {
    let rules =
        |of: &str| format!("[[column]]\nname = \"a\"\ntype = \"integer\"\n[column.statistics]\n{of}\n");
    let csv = "a\n1\n2\n3\n4\n10\n";
    let all = "mean = { min = 4.0, max = 4.0 }\nstdev = { min = 3.5355, max = 3.5356 }\nsum = { min = 20 }\n\
               least = { min = 1 }\ngreatest = { max = 10 }\nquantiles = [{ at = 0.5, min = 3, max = 3 }]";
    check(
        &rules(all),
        csv,
        expect![[r#"
        valid 10/10
    "#]],
    );
    check(
        &rules("mean = { max = 3.9 }\nquantiles = [{ at = 0.9, max = 9 }]\nleast = { min = 2 }"),
        csv,
        expect![[r#"
        invalid 7/7
        statistics a the mean is 4, where it is to be at most 3.9 []
        statistics a the least value is 1, where it is to be at least 2 []
        statistics a the 0.9 quantile is 10, where it is to be at most 9 []
    "#]],
    );
    // As many digits as it takes to see that it is not.
    check(
        "[[column]]\nname = \"a\"\ntype = \"float\"\n[column.statistics]\nmean = { min = 90, max = 110 }\nleast = { min = 1 }\n",
        "a\n110.0000003\n",
        expect![[r#"
            invalid 6/6
            statistics a the mean is 110.0000003, where it is to be 90 to 110 []
        "#]],
    );
    check(
        &rules("mean = { min = 1234567891 }"),
        "a\n1234567890\n",
        expect![[r#"
        invalid 5/5
        statistics a the mean is 1234567890, where it is to be at least 1234567891 []
    "#]],
    );
    // One value has no deviation, so nothing can be said of it.
    check(
        &rules("stdev = { max = 1 }"),
        "a\n1\n",
        expect![[r#"
        error 4/5
        statistics a could not run: there are too few numbers for a standard deviation []
    "#]],
    );
}

#[test]
fn the_newest_value_has_an_age_that_the_caller_knows() {
    let schema =
        schema("[[column]]\nname = \"at\"\ntype = \"timestamp\"\nfreshness = { max_age = \"36h\" }\n");
    let csv = "at\n2026-01-01T00:00:00Z\n2026-01-02\n";
    let at = |text: &str| CheckOptions {
        now: Some(text.parse::<Timestamp>().unwrap()),
        ..CheckOptions::new(Tier::Release)
    };
    expect![[r#"
        valid 5/5
    "#]]
    .assert_eq(&said(&schema, csv, &at("2026-01-03T12:00:00.000Z")));
    expect![[r#"
        invalid 5/5
        freshness at the newest value is 129601s old, at most 36h is allowed []
    "#]]
    .assert_eq(&said(&schema, csv, &at("2026-01-03T12:00:01.000Z")));
    expect![[r#"
        error 4/5
        freshness at could not run: what time it is was not given []
    "#]]
    .assert_eq(&said(&schema, csv, &CheckOptions::new(Tier::Release)));
    // One time in the future hides how old the others are, and a local one may be ahead of UTC.
    let ahead = |csv: &str| said(&schema, csv, &at("2026-01-03T12:00:00.000Z"));
    expect![[r#"
        invalid 5/5
        freshness at the newest value lies 26889d ahead, so that how old the others are is not known []
    "#]]
    .assert_eq(&ahead("at\n2020-01-01\n2099-08-18\n"));
    assert_eq!(ahead("at\n2026-01-04\n"), "valid 5/5\n");
    assert_eq!(ahead("at\n2026-01-04T02:00:00\n"), "valid 5/5\n");
    assert_eq!(ahead("at\n2026-01-03T12:15:00Z\n"), "valid 5/5\n");
    assert!(ahead("at\n2026-01-03T12:15:01Z\n").contains("lies 15m ahead"));
    assert!(ahead("at\n2026-01-04T02:00:01\n").contains("lies 14h ahead"));
}

#[test]
fn columns_may_be_optional_or_of_one_environment() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"integer\"\n[[column]]\nname = \"b\"\ntype = \"integer\"\n\
                 optional = true\nmax_repeated = 0.0\n[[column]]\nname = \"y\"\ntype = \"string\"\n\
                 environments = [\"training\"]\n[[expression]]\nname = \"labelled\"\nholds = \"a > 0 or y is null\"\n";
    let schema =
        Schema::parse(&format!("environments = [\"training\", \"serving\"]\n{HEAD}{rules}")).unwrap();
    let of = |environment| CheckOptions { environment, ..CheckOptions::new(Tier::Release) };
    let mut all = String::new();
    for (environment, csv) in [
        (None, "a,y\n1,x\n"),
        (Some("training"), "a,y\n1,x\n"),
        (Some("training"), "a\n1\n"),
        (Some("serving"), "a\n1\n"),
        (Some("serving"), "a,b,y\n1,1,x\n0,1,x\n"),
        (Some("moon"), "a\n1\n"),
    ] {
        all.push_str(&said(&schema, csv, &of(environment)));
    }
    expect![[r#"
        valid 9/9
        valid 9/9
        invalid 6/9
        missing-column y the column is not in the file, so 2 checks of it could not run []
        expression - could not run: `labelled` names column `y`, which is not in the file []
        valid 5/5
        invalid 8/8
        unexpected-column y the column is not one of environment `serving` []
        unique b 100.00 % of the values come more than once, at most 0.00 % may [2:as in row 1]
        error 5/6
        environment - could not run: the schema has no such environment; it has: training, serving []
    "#]]
    .assert_eq(&all);
}

#[test]
fn values_exist_in_another_table() {
    let schema = schema(
        "[[column]]\nname = \"who\"\ntype = \"integer\"\nreferences = { table = \"people\", column = \"id\" }\n",
    );
    let csv = "who\n1\n2.0\n\"\"\n7\n";
    expect![[r#"
        error 4/5
        references who could not run: the table `people` with its column `id` was not given []
    "#]]
    .assert_eq(&said(&schema, "who\n1\n", &CheckOptions::new(Tier::Release)));
    let known = |text: &str| {
        let source = Source::stream(std::io::Cursor::new(text.as_bytes().to_vec()));
        KnownTable::read(source, &ReadOptions::default(), 2, &schema, "people")
    };
    let people = known("id,name\n1,Ann\n2,Bob\n3,Cid\n").unwrap();
    let with =
        CheckOptions { tables: [("people".to_owned(), &people)].into(), ..CheckOptions::new(Tier::Release) };
    expect![[r#"
        invalid 5/5
        references who 33.33 % of the values are not in `id` of `people`, at most 0.00 % may be [4:9]
    "#]]
    .assert_eq(&said(&schema, csv, &with));
    assert_eq!(known("name\nAnn\n").unwrap_err().to_string(), "the table has no column `id`");
}

#[test]
fn personal_data_is_refused() {
    let rules = "[[column]]\nname = \"note\"\ntype = \"string\"\nno_pii = true\n";
    check(
        rules,
        "note\nall is well\nnothing here\n",
        expect![[r#"
        valid 5/5
    "#]],
    );
    check(
        rules,
        "note\nall is well\nwrite to ann.smith@example.org\n",
        expect![[r#"
        invalid 5/5
        no-pii note 50.00 % of the values hold personal data or secrets: email [2:a a a.a@a.a]
    "#]],
    );
}

#[test]
fn expressions_hold_where_it_is_known_whether_they_do() {
    let rules = format!("{PAIR}[[expression]]\nname = \"small\"\nholds = \"a < 5\"\nmax_broken = 0.25\n");
    check(
        &rules,
        "a,b\n1,x\n2,x\n3,x\n9,x\n",
        expect![[r#"
        valid 8/8
    "#]],
    );
    check(
        &rules,
        "a,b\n1,x\n2,x\n,x\n9,x\n",
        expect![[r#"
        invalid 8/8
        expression - `small` does not hold in 33.33 % of the rows, at most 25.00 % may be so [4:]
    "#]],
    );
}

#[test]
fn slices_have_rules_of_their_own() {
    let rules = format!(
        "{PAIR}[[slice]]\nname = \"xs\"\nwhen = \"b = 'x'\"\nmin_rows = 2\n[[slice.column]]\nname = \"a\"\n\
         min_present = 1.0\nrange = {{ max = 5 }}\nstatistics = {{ mean = {{ min = 2 }} }}\n"
    );
    check(
        &rules,
        "a,b\n1,x\n4,x\n,y\n100,y\n",
        expect![[r#"
        valid 12/12
    "#]],
    );
    check(
        &rules,
        "a,b\n100,y\n,x\n1,x\n9,x\n0,x\n",
        expect![[r#"
        invalid 12/12
        presence a in slice `xs`: 25.00 % of the rows have no value, at most 0.00 % may [2:]
        range a in slice `xs`: 33.33 % of the values lie above 5, at most 0.00 % may [4:9]
    "#]],
    );
    check(
        &rules,
        "a,b\n100,y\n",
        expect![[r#"
            invalid 10/11
            slice - in slice `xs`: 0 rows where at least 2 are expected []
            statistics a in slice `xs`: could not run: there are too few numbers for a mean []
        "#]],
    );
}

#[test]
fn distributions_are_compared_with_the_reference() {
    let rules = "[reference]\nprofile = \"a.profile\"\n[[column]]\nname = \"a\"\ntype = \"integer\"\n\
                 drift = { statistic = \"ks\", limit = 0.1 }\n[[column]]\nname = \"b\"\ntype = \"string\"\n\
                 drift = { limit = 0.1 }\n";
    let schema = schema(rules);
    let csv = |shift: u32, share: u32| {
        let row =
            |at: u32| format!("{},{}\n", (at * 37) % 101 + shift, if at % 10 < share { "x" } else { "y" });
        "a,b\n".to_owned() + &(0..2_000).map(row).collect::<String>()
    };
    let (reference, _) = infer(csv(0, 5).as_bytes(), &CsvOptions::default()).unwrap();
    let with = CheckOptions { reference: Some(&reference), ..CheckOptions::new(Tier::Release) };
    expect![[r#"
        valid 9/9
    "#]]
    .assert_eq(&said(&schema, &csv(0, 5), &with));
    expect![[r#"
        invalid 9/9
        drift a the distribution is 0.3965 from the reference by ks, 0.1 is allowed, and chance does not explain it []
        drift b the distribution is 0.3 from the reference by l-infinity, 0.1 is allowed, and chance does not explain it []
    "#]].assert_eq(&said(&schema, &csv(40, 8), &with));
    expect![[r#"
        error 7/9
        drift a could not run: the reference profile was not given []
        drift b could not run: the reference profile was not given []
    "#]]
    .assert_eq(&said(&schema, &csv(0, 5), &CheckOptions::new(Tier::Release)));
}

#[test]
fn another_spelling_of_the_reference_is_no_drift() {
    let rules = "[reference]\nprofile = \"a.profile\"\n[[column]]\nname = \"a\"\ntype = \"boolean\"\n\
                 drift = { limit = 0.1 }\n";
    let schema = schema(rules);
    let csv = |spelled: [&str; 2]| {
        let row = |at: usize| format!("{}\n", spelled[usize::from(at.is_multiple_of(3))]);
        "a\n".to_owned() + &(0..900).map(row).collect::<String>()
    };
    let (reference, _) = infer(csv(["true", "false"]).as_bytes(), &CsvOptions::default()).unwrap();
    let with = CheckOptions { reference: Some(&reference), ..CheckOptions::new(Tier::Release) };
    expect![[r#"
        valid 5/5
    "#]]
    .assert_eq(&said(&schema, &csv(["True", "False"]), &with));
    expect![[r#"
        invalid 5/5
        drift a the distribution is 0.333333 from the reference by l-infinity, 0.1 is allowed, and chance does not explain it []
    "#]].assert_eq(&said(&schema, &csv(["FALSE", "TRUE"]), &with));
}

#[test]
fn a_batch_like_the_reference_is_hardly_ever_refused() {
    let rules = |level: &str| {
        schema(&format!(
            "[reference]\nprofile = \"a.profile\"\n{level}[[column]]\nname = \"a\"\ntype = \"float\"\n\
             drift = {{ statistic = \"ks\", limit = 0.05 }}\n"
        ))
    };
    // 300 rows of a line that is bent, from another place each time.
    let batch = |seed: u64| {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        "a\n".to_owned() + &(0..300).map(|_| format!("{:.6}\n", next() * next())).collect::<String>()
    };
    let refused = |level: &str| {
        let schema = rules(level);
        (0..80_u64)
            .filter(|pair| {
                let (reference, _) = infer(batch(2 * pair).as_bytes(), &CsvOptions::default()).unwrap();
                let options =
                    CheckOptions { reference: Some(&reference), ..CheckOptions::new(Tier::Release) };
                report(&schema, &batch(2 * pair + 1), &options).blocking() > 0
            })
            .count()
    };
    assert_eq!(refused(""), 0);
    // One in twenty, where that is asked for.
    assert!((1..=10).contains(&refused("level = 0.05\n")));
    for wrong in ["0", "1", "nan", "-0.1"] {
        let text = format!(
            "{HEAD}[reference]\nprofile = \"a\"\nlevel = {wrong}\n[[column]]\nname = \"a\"\ntype = \"float\"\n"
        );
        assert!(Schema::parse(&text).unwrap_err().to_string().contains("`level`"), "{wrong}");
    }
}

#[test]
fn single_rules_have_a_severity() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"integer\"\nmin_present = 1.0\nrange = { max = 5 }\n\
                 severities = { range = \"warn\" }\n";
    check(
        rules,
        "a\n1\n9\n",
        expect![[r#"
        valid 5/5
        range a 50.00 % of the values lie above 5, at most 0.00 % may [2:9]
    "#]],
    );
    check(
        rules,
        "a,b\n1,1\n,1\n",
        expect![[r#"
        invalid 5/5
        unexpected-column b the column is not in the schema []
        presence a 50.00 % of the rows have no value, at most 0.00 % may [2:]
    "#]],
    );
}

#[test]
fn rules_of_values_can_be_asked_of_every_value() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"integer\"\nrange = { min = 0, max = 9 }\n\
                 domain = { values = [\"1\", \"2\", \"30\"] }\nmax_length = 2\nseverities = { type = \"warn\" }\n";
    let csv = "a\n1\n2\n30\n\"\"\nlots\n";
    check(
        rules,
        csv,
        expect![[r#"
            invalid 7/7
            range a 25.00 % of the values lie outside 0 to 9, at most 0.00 % may [3:9]
            type a 25.00 % of the values are not of type integer [5:a]
        "#]],
    );
    let every = format!("{rules}every_value = true\n");
    check(
        &every,
        csv,
        expect![[r#"
            invalid 7/7
            range a 50.00 % of the values lie outside 0 to 9, at most 0.00 % may [3:9 5:a]
            domain a 25.00 % of the values are none of the 3 known ones, at most 0.00 % may be [5:a]
            length a 25.00 % of the values are longer than 2 characters [5:a]
            type a 25.00 % of the values are not of type integer [5:a]
        "#]],
    );
}

#[test]
fn what_names_an_absent_optional_column_asks_nothing() {
    let rules = "[[column]]\nname = \"a\"\ntype = \"integer\"\n[[column]]\nname = \"b\"\ntype = \"integer\"\n\
                 optional = true\n[[key]]\ncolumns = [\"a\", \"b\"]\n[[key]]\ncolumns = [\"b\", \"a\"]\n\
                 pass_over = \"all-missing\"\n[[expression]]\nname = \"order\"\nholds = \"a <= b\"\n[[expression]]\n\
                 name = \"either\"\nholds = \"a > 0 or b > 0\"\n[[slice]]\nname = \"s\"\nwhen = \"b > 0\"\nmin_rows = 1\n\
                 [[slice.column]]\nname = \"a\"\nrange = { max = 0 }\n[[slice]]\nname = \"t\"\nwhen = \"a > 0\"\n\
                 [[slice.column]]\nname = \"b\"\nmin_present = 1.0\n";
    let schema = schema(rules);
    let options = CheckOptions::new(Tier::Release);
    // With the column all of it is asked.
    expect![[r#"
        invalid 18/18
        range a in slice `s`: 100.00 % of the values lie above 0, at most 0.00 % may [1:9 2:9]
    "#]]
    .assert_eq(&said(&schema, "a,b\n1,2\n2,3\n", &options));
    // Without it, only what has an answer all the same.
    expect![[r#"
        invalid 8/8
        unique - 100.00 % of the keys `b`, `a` come more than once, at most 0.00 % may [2:as in row 1]
    "#]]
    .assert_eq(&said(&schema, "a\n1\n1\n", &options));
    expect![[r#"
        valid in tier release: 2 rows, 8 checks, 0 blocking findings, 0 warnings
          note   (batch)                   unique             `a, b`: it asks nothing, since the optional column `b` is not in the file
          note   (batch)                   expression         `order`: it asks nothing, since the optional column `b` is not in the file
          note   (batch)                   slice              `s`: it asks nothing, since the optional column `b` is not in the file
          note   a                         type               `slice s`: it asks nothing, since the optional column `b` is not in the file
          note   a                         presence           `slice s`: it asks nothing, since the optional column `b` is not in the file
          note   a                         range              `slice s`: it asks nothing, since the optional column `b` is not in the file
          note   b                         type               `slice t`: it asks nothing, since the optional column `b` is not in the file
          note   b                         presence           `slice t`: it asks nothing, since the optional column `b` is not in the file
    "#]].assert_eq(&report(&schema, "a\n1\n2\n", &options).render());
}

#[test]
fn keys_have_so_many_bytes_together() {
    let rules = |more: &str| {
        schema(&format!(
            "[[column]]\nname = \"a\"\ntype = \"integer\"\nmax_repeated = 0.0\n[[column]]\nname = \"b\"\ntype = \"integer\"\n{more}"
        ))
    };
    let csv = "a,b\n".to_owned() + &(0..1_000).map(|at| format!("{at},{at}\n")).collect::<String>();
    let within = |more: &str, key_bytes: usize| {
        said(&rules(more), &csv, &CheckOptions { key_bytes, ..CheckOptions::new(Tier::Release) })
    };
    // A table of 1,334 places, a quarter of them free, with 24 bytes each.
    assert!(within("", 50_000).starts_with("valid"));
    let short = "unique a could not run: `a` has more different values than there is room for in the 30000 bytes that keys may take";
    assert!(within("", 30_000).contains(short));
    // What one key takes another does not have.
    let both = within("max_repeated = 0.0\n", 50_000);
    assert!(both.starts_with("error") && both.contains("could not run: `b` has more"), "{both}");
    assert!(!both.contains("could not run: `a`"), "{both}");
}
