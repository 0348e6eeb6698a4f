//! The language of expressions: what it says, what it refuses, and that nothing breaks it.

use bartizan_data::{CheckOptions, ColumnType, Expression, Schema, Source, Tier, check_table};
use proptest::prelude::*;

fn type_of(name: &str) -> Option<ColumnType> {
    Some(match name {
        "n" | "m" => ColumnType::Float,
        "i" => ColumnType::Integer,
        "t" | "u u" => ColumnType::String,
        "b" => ColumnType::Boolean,
        "d" => ColumnType::Timestamp,
        "raw" => ColumnType::Binary,
        _ => return None,
    })
}

fn said(text: &str) -> String {
    Expression::parse(text, &type_of).map_or_else(|error| error.to_string(), |_| "fine".to_owned())
}

/// What is known of one row: `yes`, `no` or `unknown`.
fn truth(holds: &str, row: &str) -> &'static str {
    let negated = format!("not ({holds})");
    let text = format!(
        "format = \"bartizan-schema-v1\"\ncsv = {{ separator = \";\", encoding = \"utf-8\", null = [\"\"] }}\n\
         [[column]]\nname = \"n\"\ntype = \"float\"\n[[column]]\nname = \"m\"\ntype = \"float\"\n\
         [[column]]\nname = \"t\"\ntype = \"string\"\n[[column]]\nname = \"b\"\ntype = \"boolean\"\n\
         [[column]]\nname = \"d\"\ntype = \"timestamp\"\n\
         [[expression]]\nname = \"yes\"\nholds = {holds:?}\n[[expression]]\nname = \"no\"\nholds = {negated:?}\n"
    );
    let schema = Schema::parse(&text).unwrap();
    let csv = format!("n;m;t;b;d\n{row}\n");
    let source = Source::stream(std::io::Cursor::new(csv.into_bytes()));
    let report = check_table(source, &schema, &CheckOptions::new(Tier::Release)).unwrap();
    let broken = |name: &str| report.findings.iter().any(|one| one.message.starts_with(&format!("`{name}`")));
    match (broken("yes"), broken("no")) {
        (false, false) => "unknown",
        (true, false) => "no",
        (false, true) => "yes",
        (true, true) => "both",
    }
}

#[test]
fn values_of_all_types_are_compared() {
    let row = "2;3.5;Ann's taxi;true;2026-02-28 13:30:00";
    for (holds, expected) in [
        ("n < m", "yes"),
        ("n + 1.5 = m", "yes"),
        ("-n * 2 + m % 2 = -2.5", "yes"),
        ("n / 0 > 1", "unknown"),
        ("n between 1 and 2 and m not between 4 and 5", "yes"),
        ("n in (1, 2, -3)", "yes"),
        ("n not in (1, 3)", "yes"),
        ("t = 'Ann''s taxi'", "yes"),
        ("t in ('x', 'Ann''s taxi') or n = 0", "yes"),
        ("t < 'B' and t > 'Ann'", "yes"),
        ("starts_with(t, 'Ann') and ends_with(t, 'xi') and contains(t, '''s')", "yes"),
        ("matches(t, '^[A-Z]\\w+''s')", "yes"),
        ("length(t) = 10 and lower(t) = 'ann''s taxi' and upper(trim(t)) = 'ANN''S TAXI'", "yes"),
        ("b and not false", "yes"),
        ("b = (n < m)", "yes"),
        ("d >= '2026-02-28' and d < date('2026-03-01')", "yes"),
        ("year(d) = 2026 and month(d) = 2 and day(d) = 28 and hour(d) = 13 and weekday(d) = 6", "yes"),
        ("days_between('2026-02-27', d) = 1.5625", "yes"),
        ("seconds_between(d, timestamp('2026-02-28 13:31:00')) = 60", "yes"),
        ("abs(-3) = 3 and floor(m) = 3 and ceil(m) = 4 and round(2.5) = 2 and least(n, m) = 2", "yes"),
        ("greatest(n, m, 9) = 9", "yes"),
        ("n = 2 and not n = 2", "no"),
    ] {
        assert_eq!(truth(holds, row), expected, "{holds}");
    }
}

#[test]
fn what_is_missing_is_unknown_unless_the_rest_decides() {
    let row = ";1;;;";
    for (holds, expected) in [
        ("n < m", "unknown"),
        ("n < m or m = 1", "yes"),
        ("n < m and m = 2", "no"),
        ("n < m and m = 1", "unknown"),
        ("not n < m", "unknown"),
        ("n is null and t is null and b is null and d is null", "yes"),
        ("n + 1 is null and m is not null", "yes"),
        ("n in (1, 2)", "unknown"),
        ("coalesce(n, m, 5) = 1", "yes"),
        (
            "coalesce(t, 'x') = 'x' and coalesce(b, true) and coalesce(d, date('2026-01-01')) < '2026-01-02'",
            "yes",
        ),
        ("least(n, m) = 1", "unknown"),
        ("b = b", "unknown"),
        ("matches(t, 'x') or starts_with(t, 'x')", "unknown"),
    ] {
        assert_eq!(truth(holds, row), expected, "{holds}");
    }
    // What is not of the column's type is missing too: that it is there is what the type's own rule says.
    assert_eq!(truth("n > 1", "two;1;;;"), "unknown");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (text, expected) in [
        ("n <", "character 4 of the expression: a value is expected, and there is the end"),
        ("n < t", "character 5 of the expression: a number is compared with text"),
        (
            "n",
            "character 1 of the expression: an expression says whether something holds: it is a truth value, not a number",
        ),
        ("x > 1", "character 1 of the expression: there is no column `x` in the schema"),
        (
            "raw = 'x'",
            "character 1 of the expression: column `raw` has no single value in a row that could be compared",
        ),
        ("n > 1 n", "character 7 of the expression: `n` comes after the end"),
        ("n > 1)", "character 6 of the expression: `)` comes after the end"),
        ("(n > 1", "character 7 of the expression: `)` is missing before the end"),
        ("n is 5", "character 6 of the expression: after `is` comes `null` or `not null`"),
        ("b < true", "character 1 of the expression: truth values have no order"),
        (
            "t = 'x",
            "character 5 of the expression: text begins here and does not end: it stands between `'` and `'`",
        ),
        (
            "t = \"x\"",
            "character 5 of the expression: text stands between `'`, and a name with other letters between back-quotes",
        ),
        ("n ? 1", "character 3 of the expression: `?` means nothing here"),
        (
            "n in (m)",
            "character 7 of the expression: the values after `in` are written out: numbers, texts or times",
        ),
        (
            "d > 'yesterday'",
            "character 5 of the expression: a time is written as '2026-01-31' or '2026-01-31 12:30:00'",
        ),
        ("length(n) > 1", "character 8 of the expression: `length` takes text, not a number"),
        ("abs(n, m) > 1", "character 1 of the expression: `abs` takes 1 values, not 2"),
        ("matches(t, 'a(')", "character 12 of the expression: the pattern does not parse: unclosed group"),
        ("`u u` = 'x' and é", "character 17 of the expression: there is no column `é` in the schema"),
        (
            "exec('x')",
            "character 1 of the expression: there is no function `exec`: abs, ceil, coalesce, contains, date, day, \
          days_between, ends_with, floor, greatest, hour, least, length, lower, matches, month, round, seconds_between, \
          starts_with, timestamp, trim, upper, weekday, year",
        ),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
    assert_eq!(said("`u u` = 'x' AND NOT n BETWEEN -1e3 AND .5"), "fine");
    for (text, expected) in [
        ("(".repeat(100) + "n", "levels"),
        ("not ".repeat(100) + "b", "levels"),
        (format!("n = {}1", "-".repeat(100)), "levels"),
        (format!("n = 1{}", " + 1".repeat(100)), "levels"),
        (format!("n = {}", "abs(".repeat(100)), "levels"),
        (format!("b{}", " or b".repeat(3_000)), "words"),
        (format!("t = '{}'", "x".repeat(20_000)), "bytes"),
    ] {
        assert!(said(&text).contains(expected), "{}", said(&text));
    }
    // Many terms side by side are no depth.
    assert_eq!(said(&format!("b{}", " or b".repeat(1_000))), "fine");
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_is_refused(text in "\\PC{0,60}") {
        let said = said(&text);
        prop_assert!(said == "fine" || said.starts_with("character "));
    }

    #[test]
    fn arithmetic_is_that_of_doubles(a in -1e6..1e6_f64, b in -1e6..1e6_f64) {
        let row = format!("{a};{b};;;");
        for (text, holds) in [("n < m", a < b), ("n + m > 0", a + b > 0.0), ("n * m >= n - m", a * b >= a - b)] {
            prop_assert_eq!(truth(text, &row), if holds { "yes" } else { "no" });
        }
    }
}
