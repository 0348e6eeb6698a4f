//! Which values are one: numbers, truth values and times by what they are, also where a double cannot tell them apart.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, RecordBatch, UInt64Array};
use bartizan_data::{
    CheckOptions, CsvOptions, InferOptions, KnownTable, Outcome, Profile, ReadOptions, Report, Schema,
    Source, Tier, check_table, infer,
};
use expect_test::expect;

use crate::formats::{arrow_stream, parquet, profiled};

const HEAD: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";

fn schema(rules: &str) -> Schema {
    Schema::parse(&format!("{HEAD}[[column]]\nname = \"a\"\n{rules}\n")).unwrap()
}

fn checked(rules: &str, bytes: &[u8], options: &CheckOptions<'_>) -> Report {
    check_table(Source::seekable(Cursor::new(bytes.to_vec())), &schema(rules), options).unwrap()
}

fn outcome(rules: &str, bytes: &[u8]) -> Outcome {
    checked(rules, bytes, &CheckOptions::new(Tier::Release)).outcome
}

fn of_csv(csv: &str) -> Profile {
    infer(csv.as_bytes(), &CsvOptions::default()).unwrap().0
}

fn table(column: ArrayRef) -> Vec<u8> {
    parquet(&[RecordBatch::try_from_iter([("a", column)]).unwrap()], 64, false)
}

/// Numbers that share a double, in text, as 64 bits without a sign, and as decimals.
#[test]
fn long_numbers_are_told_apart() {
    let unsigned = UInt64Array::from(vec![u64::MAX, u64::MAX - 1, u64::MAX - 2, 5]);
    let hundredths =
        Decimal128Array::from(vec![9_007_199_254_740_993, 9_007_199_254_740_994, 9_007_199_254_740_995, 500])
            .with_precision_and_scale(38, 2)
            .unwrap();
    let wide = Decimal128Array::from(vec![10_i128.pow(37) + 1, 10_i128.pow(37), 10_i128.pow(37) - 1, 5])
        .with_precision_and_scale(38, 0)
        .unwrap();
    let text = b"a\n90071992547409.93\n90071992547409.94\n90071992547409.95\n5.00\n";
    let cases: [(&str, Vec<u8>, &str, &str); 4] = [
        ("text", text.to_vec(), "90071992547409.93", "90071992547409.94"),
        ("unsigned", table(Arc::new(unsigned)), "18446744073709551615", "18446744073709551614"),
        ("hundredths", table(Arc::new(hundredths)), "90071992547409.930", "90071992547409.94"),
        (
            "wide",
            table(Arc::new(wide)),
            "10000000000000000000000000000000000001",
            "10000000000000000000000000000000000000.0",
        ),
    ];
    for (name, bytes, one, two) in cases {
        let unique = "type = \"float\"\nmax_repeated = 0.0\ndistinct = { min = 4, max = 4 }";
        assert_eq!(outcome(unique, &bytes), Outcome::Valid, "{name}");
        let among =
            |values: &str| format!("type = \"float\"\ndomain = {{ values = [{values}], max_unseen = 0.5 }}");
        // One of four is not among them, or two are.
        let share = |values: &str| {
            let report = checked(&among(values), &bytes, &CheckOptions::new(Tier::Release));
            report.findings.first().map_or(0.0, |finding| finding.share)
        };
        assert_eq!(share(&format!("\"{one}\"")), 0.75, "{name}");
        assert_eq!(outcome(&among(&format!("\"{one}\", \"5\"")), &bytes), Outcome::Valid, "{name}");
        assert_eq!(outcome(&among(&format!("\"{two}\", \"5.0\"")), &bytes), Outcome::Valid, "{name}");
        // Among those of another table.
        let other = format!("b\n{one}\n5.000\n");
        let rules = "type = \"float\"\nreferences = { table = \"t\", column = \"b\" }";
        let source = Source::stream(Cursor::new(other.into_bytes()));
        let known = KnownTable::read(source, &ReadOptions::default(), 1, &schema(rules), "t").unwrap();
        let mut options = CheckOptions::new(Tier::Release);
        options.tables.insert("t".to_owned(), &known);
        let report = checked(rules, &bytes, &options);
        assert_eq!(report.findings[0].count, 2, "{name}: {:?}", report.findings);
    }
}

/// A column of text keeps every spelling; one of numbers, truth values or times does not.
#[test]
fn values_are_counted_by_what_they_are() {
    let listed = |csv: &str| {
        let profile = of_csv(csv);
        let column = profile.column("a").unwrap();
        let values = column.values().unwrap();
        assert_eq!(column.distinct(), Some(values.len()));
        let top: u64 = column.top(10).iter().map(|value| value.lower).sum();
        assert_eq!(top, profile.rows());
        values.iter().map(|(value, count)| format!("{value}:{count} ")).collect::<String>()
    };
    expect!["0:3 1.5:2 100:1 "].assert_eq(&listed("a\n0\n0.0\n-0.0\n1.5\n1.50\n1e2\n"));
    expect!["false:1 true:3 "].assert_eq(&listed("a\ntrue\nTrue\nTRUE\nfalse\n"));
    expect!["2020-01-01 00:00:00Z:2 2020-01-02T00:00:00Z:1 "]
        .assert_eq(&listed("a\n2020-01-01 00:00:00Z\n2020-01-01T00:00:00Z\n2020-01-02T00:00:00Z\n"));
    expect!["1.5:1 1.50:1 x:1 "].assert_eq(&listed("a\n1.5\n1.50\nx\n"));
}

#[test]
fn a_label_is_the_same_however_it_is_written() {
    let mixed = format!("a\n{}", "0\n1\n0.0\n1.0\n".repeat(100));
    let (profile, outcome) = infer(mixed.as_bytes(), &CsvOptions::default()).unwrap();
    let schema =
        Schema::infer(&profile, outcome.format(), &InferOptions { label: Some("a".to_owned()) }).unwrap();
    assert_eq!(schema.label.as_ref().unwrap().shares, [("0".to_owned(), 0.5), ("1".to_owned(), 0.5)]);
    let plain = format!("a\n{}", "0\n1\n".repeat(200));
    let source = Source::stream(Cursor::new(plain.into_bytes()));
    let report = check_table(source, &schema, &CheckOptions::new(Tier::Release)).unwrap();
    assert_eq!(report.outcome, Outcome::Valid, "{:?}", report.findings);
}

#[test]
fn a_time_of_a_domain_is_that_time_in_every_spelling() {
    let rules = "type = \"timestamp\"\ndomain = { values = [\"2020-01-01 00:00:00Z\"], max_unseen = 0.0 }";
    assert_eq!(outcome(rules, b"a\n2020-01-01T00:00:00Z\n"), Outcome::Valid);
    assert_eq!(outcome(rules, b"a\n2020-01-01T00:00:01Z\n"), Outcome::Invalid);
}

#[test]
fn infinities_are_counted_and_figures_know_of_them() {
    let of = |values: &[f64]| table(Arc::new(Float64Array::from(values.to_vec())));
    let both = of(&[1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY, 1.5]);
    let profile = profiled(&both, 1).unwrap();
    let profile = profile.0;
    assert_eq!(profile.column("a").unwrap().infinities(), (1, 1));
    let range = |least: &str, greatest: &str| Some((least.to_owned(), greatest.to_owned()));
    assert_eq!(profile.column("a").unwrap().range(), range("-inf", "inf"));
    let above = profiled(&of(&[f64::INFINITY, 2.0]), 1).unwrap().0;
    assert_eq!(above.column("a").unwrap().range(), range("2", "inf"));
    let alone = profiled(&of(&[f64::INFINITY]), 1).unwrap().0;
    assert_eq!(alone.column("a").unwrap().range(), range("inf", "inf"));
    assert_eq!(Profile::from_bytes(&profile.to_bytes().unwrap()).unwrap(), profile);
    let said = |figure: &str, bytes: &[u8]| {
        let report = checked(
            &format!("type = \"float\"\nstatistics = {{ {figure} }}"),
            bytes,
            &CheckOptions::new(Tier::Release),
        );
        format!("{} {}", report.outcome, report.findings.first().map_or("", |found| found.message.as_str()))
    };
    let plus = of(&[1.0, f64::INFINITY]);
    expect!["invalid the greatest value is inf, where it is to be at most 10"]
        .assert_eq(&said("greatest = { max = 10 }", &both));
    expect!["invalid the least value is -inf, where it is to be at least 0"]
        .assert_eq(&said("least = { min = 0 }", &both));
    expect!["error could not run: there are infinite values of both signs for a mean"]
        .assert_eq(&said("mean = { min = 0, max = 10 }", &both));
    expect!["invalid the mean is inf, where it is to be at most 10"]
        .assert_eq(&said("mean = { max = 10 }", &plus));
    expect!["invalid the sum is inf, where it is to be at most 10"]
        .assert_eq(&said("sum = { max = 10 }", &plus));
    expect!["error could not run: there are infinite values for a standard deviation"]
        .assert_eq(&said("stdev = { max = 10 }", &plus));
    expect!["error could not run: there are infinite values for a 0.5 quantile"]
        .assert_eq(&said("quantiles = [{ at = 0.5, max = 10 }]", &plus));
    expect!["valid "].assert_eq(&said("greatest = { max = 10 }", &of(&[1.0, 2.0])));
}

/// Two values of one row in one column would hide one another.
#[test]
fn keys_of_json_that_come_to_one_column_are_refused() {
    let said = |json: &str| profiled(json.as_bytes(), 2).map(drop).unwrap_err().to_string();
    for json in [
        "{\"a.b\":1,\"a\":{\"b\":2}}\n",
        "{\"a\":{\"b\":2}}\n{\"a.b\":999}\n",
        "{\"a.b\":{\"c\":2}}\n{\"a\":{\"b.c\":999}}\n",
        "{\"a[]\":5,\"a\":[1,2]}\n",
    ] {
        let told = said(json);
        assert!(told.contains("is a key by that name, and a way through other keys"), "{json}: {told}");
    }
    assert!(profiled(b"{\"a.b\":1,\"a\":{\"c\":2}}\n{\"a.b\":3}\n", 2).is_ok());
}

#[test]
fn an_arrow_stream_ends_with_its_marker() {
    let stream = arrow_stream(&[RecordBatch::try_from_iter([(
        "a",
        Arc::new(Float64Array::from(vec![1.0])) as ArrayRef,
    )])
    .unwrap()]);
    assert!(profiled(&stream, 1).is_ok());
    let cut = stream.strip_suffix(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]).unwrap();
    expect!["the Arrow file is damaged: it ends without the marker that ends a stream; was it cut off?"]
        .assert_eq(&profiled(cut, 1).map(drop).unwrap_err().to_string());
}

/// Beyond 2^53 a double stands for its shortest decimal, in every format and spelling.
#[test]
fn whole_numbers_beyond_what_doubles_tell_apart_are_one_where_they_are_equal() {
    let count = |csv: &str, distinct: u64| {
        let rules = format!("type = \"float\"\ndistinct = {{ min = {distinct}, max = {distinct} }}");
        assert_eq!(outcome(&rules, format!("a\n{csv}").as_bytes()), Outcome::Valid, "{csv}");
    };
    count("1234567890123450000\n1.23456789012345e18\n", 1);
    count("1152921504606847000\n1152921504606847000.0\n1.152921504606847e18\n", 1);
    count("1152921504606846976.0\n1152921504606847000.0\n1152921504606846976\n", 2);
    let doubles = table(Arc::new(Float64Array::from(vec![1.152921504606847e18, 9_007_199_254_740_992.0])));
    let among = "type = \"float\"\ndomain = { values = [\"1152921504606847000\", \"9007199254740992\"], max_unseen = 0.0 }";
    assert_eq!(outcome(among, &doubles), Outcome::Valid);
}

/// Nobody is to take for kept what was tried on nothing.
#[test]
fn rules_that_had_no_value_to_try_are_told_of() {
    let rules = "type = \"float\"\nmin_present = 0.0\nseverities = { type = \"warn\" }\nrange = { min = 0, max = 1, max_outside = 0 }";
    let said = |rows: &str| {
        let report = checked(rules, format!("a\n{rows}").as_bytes(), &CheckOptions::new(Tier::Release));
        let first = report.findings.iter().find(|found| found.rule.id() == "range");
        let moot = report.each.iter().find_map(|check| check.moot.clone()).unwrap_or_default();
        format!("{} {}{moot}", report.outcome, first.map_or("", |found| found.message.as_str()))
    };
    expect!["valid "].assert_eq(&said("0.5\n"));
    expect!["invalid 50.00 % of the values lie outside 0 to 1, at most 0.00 % may"]
        .assert_eq(&said("2\n0\n"));
    expect!["error could not run: no value is a number"].assert_eq(&said("x\ny\n"));
    expect!["valid it asks nothing, since no row has a value"].assert_eq(&said("\"\"\n\"\"\n"));
}

/// What is neither true nor false in any row is not kept either.
#[test]
fn an_expression_that_is_unknown_everywhere_asks_nothing() {
    let rules = "type = \"integer\"\n[[expression]]\nname = \"small\"\nholds = \"a / 0 > 5\"";
    let report = checked(rules, b"a\n1\n2\n", &CheckOptions::new(Tier::Release));
    let moot: Vec<&str> = report.each.iter().filter_map(|check| check.moot.as_deref()).collect();
    assert_eq!(report.outcome, Outcome::Valid);
    assert_eq!(moot, ["it asks nothing, since `small` is neither true nor false in any row"]);
}
