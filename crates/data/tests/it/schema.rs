//! Schemas as text.

use bartizan_data::{CsvOptions, InferOptions, Schema, infer};

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
         `max_length_outside`, `max_repeated`, `no_pii`, `range`, `domain`, `pattern`, `distinct`, `statistics`, \
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
