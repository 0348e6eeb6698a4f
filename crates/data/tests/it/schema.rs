//! Schemas as text.

use bartizan_data::report::Gate;
use bartizan_data::{CsvOptions, InferOptions, Schema, WithoutRange, infer, personal_domain};

pub(crate) fn inferred(csv: &[u8], label: Option<&str>) -> Schema {
    let (profile, read) = infer(csv, &CsvOptions::default()).unwrap();
    Schema::infer(&profile, read.format(), &InferOptions { label: label.map(str::to_owned) }).unwrap()
}

pub(crate) fn sample() -> Vec<u8> {
    let mut csv = b"id,colour,amount,ok,day\n".to_vec();
    for row in 0..400 {
        let colour = ["red", "green", "blue"].get(row % 3).copied().unwrap_or_default();
        let ok = if row % 4 == 0 { "true" } else { "false" };
        csv.extend(format!("u{row},{colour},{},{ok},2026-01-{:02}\n", row % 97, 1 + row % 28).bytes());
    }
    csv
}

#[test]
fn text_and_schema_are_the_same() {
    let schema = inferred(&sample(), Some("ok"));
    let text = schema.to_toml().unwrap();
    assert_eq!(Schema::parse(&text).unwrap(), schema);
    assert_eq!(Schema::parse(&text).unwrap().to_toml().unwrap(), text);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let text = inferred(&sample(), None).to_toml().unwrap();
    let refused = |from: &str, to: &str| {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "`{from}` is not in the schema");
        let error = Schema::parse(&edited).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    };
    assert!(refused("min_present", "min_presnt").contains("min_presnt"));
    assert!(refused("severity = \"block\"", "severity = \"stop\"").contains("`stop` is not a severity"));
    assert!(refused("min_present = 1.0", "min_present = 2.0").contains("column `id`"));
    assert!(refused("type = \"string\"", "type = \"text\"").contains("`text` is not a type"));
    assert!(refused("bartizan-schema-v1", "bartizan-schema-v9").contains("bartizan-schema-v9"));
    assert!(refused("name = \"colour\"", "name = \"id\"").contains("there twice"));
}

#[test]
fn rules_that_could_never_say_anything_are_refused() {
    let text = inferred(&sample(), Some("ok")).to_toml().unwrap();
    let refused = |from: &str, to: &str, expected: &str| {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "`{from}` is not in the schema");
        let error = Schema::parse(&edited).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
    };
    // Text has no range: no value would ever lie outside.
    refused("type = \"integer\"", "type = \"string\"", "`range` is for numbers");
    // No sample is no evidence: any share would do.
    refused("counted = 400", "counted = 0", "`counted`");
    refused("value = \"false\"", "value = \"true\"", "there twice");
    // No header has such a column, and a terminal would obey it.
    refused("name = \"colour\"", "name = \"\\u001b[2J\"", "control characters");
    refused("name = \"colour\"", "name = \" \"", "name");
    refused("column = \"ok\"", "column = \"\\u001b[2J\"", "there is no column");
    refused("type = \"integer\"", "type = \"\\u001b[2J\"", "is not a type");
    refused("encoding = \"utf-8\"", "encoding = \"\\u001b[2J\"", "is not an encoding");
}

#[test]
fn an_error_quotes_little_of_the_file() {
    let text = inferred(&sample(), None).to_toml().unwrap();
    let said = |text: &str| {
        let error = Schema::parse(text).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {source}")
    };
    assert_eq!(
        said(&text.replacen("min_present", "min_presnt", 1)),
        "the schema does not parse: line 14, column 1: unknown field `min_presnt`, expected one of `name`, \
         `type`, `optional`, `environments`, `min_present`, `severity`, `min_length`, `max_length`, \
         `max_length_outside`, `max_repeated`, `no_pii`, `every_value`, `range`, `domain`, `pattern`, `distinct`, `statistics`, \
         `drift`, `freshness`, `references`, `severities`"
    );
    let long = "x".repeat(100_000);
    for hostile in [
        format!("format = {}", "[".repeat(100_000)),
        text.replacen("min_present", &long, 1),
        text.replacen("min_present", &format!("\"\\u001b[2J{long}\""), 1),
        text.replacen("bartizan-schema-v1", &format!("\\u001b[2J{long}"), 1),
        text.replacen("type = \"integer\"", &format!("type = \"{long}\""), 1),
        text.replacen("null = [", &format!("null = [\"{long}\", "), 1),
        text.replacen("name = \"colour\"", &format!("name = \"{long}\""), 1),
        format!("{text}\n[label]\ncolumn = \"{long}\"\ncounted = 1\ntolerance = 0.0\n"),
    ] {
        let said = said(&hostile);
        assert!(said.len() < 700, "{} bytes: {:.200}", said.len(), said);
        assert!(!said.chars().any(char::is_control), "{said:.200?}");
    }
}

#[test]
fn running_numbers_have_no_range() {
    let column = |name: &str, values: &mut dyn Iterator<Item = i64>| {
        let csv = format!("{name},b\n") + &values.map(|value| format!("{value},x\n")).collect::<String>();
        inferred(csv.as_bytes(), None).columns.first().unwrap().range.is_some()
    };
    assert!(!column("a", &mut (1..=5_000)));
    assert!(!column("a", &mut (1..=5_000).rev()));
    // Beyond what is counted exactly.
    assert!(!column("a", &mut (1..=300_000)));
    // Some were deleted.
    assert!(!column("a", &mut (1..=5_000).filter(|at| at % 3 != 0)));
    // Far apart, and called what they are.
    for name in [
        "id",
        "ID",
        "Id",
        "order_id",
        "ORDER_ID",
        "customerId",
        "customerID",
        "table2ID",
        "row.key",
        "a b ID",
        "straßeId",
        "cle\u{301}Id",
        "顧客ID",
        "顧客id",
        "commande_ID",
        "größe-id",
    ] {
        assert!(!column(name, &mut (1..=50).map(|at| at * 1_000_003)), "{name}");
    }
    for name in [
        "paid",
        "AMOUNT_PAID",
        "BID",
        "HUMID",
        "amountPAID",
        "idle",
        "id_count",
        "grid",
        "débid",
        "DÉBID",
        "Ökey",
        "de\u{301}id",
        "ökey",
    ] {
        assert!(column(name, &mut (1..=50).map(|at| at * 1_000_003)), "{name}");
    }
    // Measurements repeat, and a few are different by chance.
    assert!(column("a", &mut (1..=5_000).map(|at| at % 4_000)));
    assert!(column("a", &mut (1..=19)));
}

#[test]
fn a_column_without_a_range_says_why() {
    use bartizan_data::WithoutRange;
    let mut csv = b"row,order_id,far,nan,paid,word\n".to_vec();
    for row in 0..50_i64 {
        let far = if row % 2 == 0 { "-1.7e308" } else { "1.7e308" };
        csv.extend(format!("{row},{},{far},NaN,{},w\n", row * 1_000_003, row * 17 % 31).bytes());
    }
    let (profile, _) = infer(&*csv, &CsvOptions::default()).unwrap();
    let said: Vec<(&str, Option<WithoutRange>)> =
        profile.columns().iter().map(|column| (column.name(), WithoutRange::of(column))).collect();
    let expected = [
        ("row", Some(WithoutRange::Running)),
        ("order_id", Some(WithoutRange::CalledId)),
        ("far", Some(WithoutRange::TooFar)),
        ("nan", None),
        ("paid", None),
        ("word", None),
    ];
    assert_eq!(said, expected);
    let schema = inferred(&csv, None);
    for (name, why) in said {
        let rules = schema.column(name).unwrap();
        assert!(!rules.kind.is_number() || rules.range.is_some() != why.is_some(), "{name}");
    }
}

#[test]
fn elements_of_lists_are_there_or_not_among_elements() {
    use bartizan_data::{CheckOptions, ProfileOptions, Source, Tier, check_table, profile};
    let source = |text: &str| Source::stream(std::io::Cursor::new(text.as_bytes().to_vec()));
    let train = "{\"id\":\"x\",\"tags\":[\"a\"]}\n{\"id\":\"y\",\"tags\":[\"b\"]}\n";
    let (profile, read) = profile(source(train), &ProfileOptions::default(), 1).unwrap();
    let schema = Schema::infer(&profile, read.format(), &InferOptions::default()).unwrap();
    let said = |text: &str| {
        let report = check_table(source(text), &schema, &CheckOptions::new(Tier::Release)).unwrap();
        let found: Vec<String> = report.findings.iter().map(|one| one.message.clone()).collect();
        format!("{} {}", report.outcome, found.join("; "))
    };
    // A list without elements lacks none of them.
    assert_eq!(said("{\"id\":\"x\",\"tags\":[\"a\"]}\n{\"id\":\"y\",\"tags\":[]}\n"), "valid ");
    // More elements than rows do not make up for those that are null.
    assert_eq!(
        said("{\"id\":\"x\",\"tags\":[\"a\",\"b\",null]}\n{\"id\":\"y\",\"tags\":[]}\n"),
        "invalid 33.33 % of the elements have no value, at most 0.00 % may"
    );
}

#[test]
fn rules_about_values_are_for_the_elements_of_a_list() {
    let text = "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [] }\n\
                [[column]]\nname = \"mails\"\ntype = \"list\"\nstatistics = { least = { min = 1 } }\n\
                [[column]]\nname = \"mails[]\"\ntype = \"string\"\nno_pii = true\n";
    Schema::parse(text).unwrap();
    for rule in [
        "no_pii = true",
        "pattern = { matches = [\"x\"] }",
        "domain = { values = [\"x\"] }",
        "min_length = 1",
        "max_length = 1",
        "references = { table = \"t\", column = \"c\" }",
    ] {
        let edited = text.replacen("type = \"list\"\n", &format!("type = \"list\"\n{rule}\n"), 1);
        let error = Schema::parse(&edited).unwrap_err().to_string();
        assert!(error.contains("column `mails[]`"), "{rule}: {error}");
    }
}

/// The least batches that the text says are enough, and those that are not.
#[test]
fn a_batch_of_too_few_rows_names_the_level() {
    use bartizan_data::{CheckOptions, Outcome, Source, Tier, check_table};
    let csv = |columns: usize, rows: std::ops::Range<i64>| {
        let header: Vec<String> = (0..columns).map(|at| format!("c{at}")).collect();
        let row = |at: i64| vec![(at * 37 % 499).to_string(); columns].join(",") + "\n";
        header.join(",") + "\n" + &rows.map(row).collect::<String>()
    };
    for (columns, rows, judged) in [(1, 1, false), (1, 2, true), (20, 2, false), (20, 3, true)] {
        let text = csv(columns, 0..500);
        let (reference, _) = infer(text.as_bytes(), &CsvOptions::default()).unwrap();
        let column = |at: usize| {
            format!(
                "[[column]]\nname = \"c{at}\"\ntype = \"integer\"\ndrift = {{ statistic = \"ks\", limit = 0.1 }}\n"
            )
        };
        let schema = format!(
            "format = \"bartizan-schema-v1\"\ncsv = {{ separator = \",\", encoding = \"utf-8\", null = [\"\"] }}\n\
             [reference]\nprofile = \"a.profile\"\n{}",
            (0..columns).map(column).collect::<String>()
        );
        let schema = Schema::parse(&schema).unwrap();
        let options = CheckOptions { reference: Some(&reference), ..CheckOptions::new(Tier::Release) };
        let source = Source::stream(std::io::Cursor::new(csv(columns, 200..200 + rows)));
        let report = check_table(source, &schema, &options).unwrap();
        assert_eq!(report.outcome == Outcome::Valid, judged, "{columns} {rows}: {}", report.render());
        let named = report.render().contains("chance at a `[reference]` `level` of 0.0001");
        assert_eq!(named, !judged, "{}", report.render());
    }
}

/// Who may see a data set reads its schema.
#[test]
fn what_looks_personal_is_not_listed() {
    let csv = |mail: &dyn Fn(usize) -> String| {
        let rows = (0..400).map(|row| format!("{},{}\n", ["red", "blue"][row % 2], mail(row)));
        "colour,who\n".to_owned() + &rows.collect::<String>()
    };
    let values = |csv: &str| {
        let (profile, _) = infer(csv.as_bytes(), &CsvOptions::default()).unwrap();
        let schema = inferred(csv.as_bytes(), None);
        let listed =
            |name: &str| schema.column(name).unwrap().domain.as_ref().map(|domain| domain.values.clone());
        let why = personal_domain(profile.column("who").unwrap(), &Gate::new());
        (listed("colour").unwrap().len(), listed("who"), why)
    };
    let mails = csv(&|row| format!("person{}@example.com", row % 4));
    assert_eq!(values(&mails), (2, None, Some("email".to_owned())));
    let one_mail = csv(&|row| if row % 4 == 0 { "ann@example.com".to_owned() } else { "nobody".to_owned() });
    assert_eq!(values(&one_mail), (2, None, Some("email".to_owned())));
    let words = csv(&|row| ["desk", "web"][row % 2].to_owned());
    assert_eq!(values(&words), (2, Some(vec!["desk".to_owned(), "web".to_owned()]), None));
}

/// A range without width would refuse the next batch for any other value.
#[test]
fn numbers_that_are_all_equal_have_no_range() {
    for csv in
        ["k\n5\n".to_owned(), "k\n".to_owned() + &"17031081401\n".repeat(2_000), "k\n0.5\n0.5\n".to_owned()]
    {
        let (profile, _) = infer(csv.as_bytes(), &CsvOptions::default()).unwrap();
        assert_eq!(WithoutRange::of(&profile.columns()[0]), Some(WithoutRange::AllEqual));
        assert_eq!(inferred(csv.as_bytes(), None).columns[0].range, None);
    }
}
