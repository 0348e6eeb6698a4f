//! Expressions of schemas: any text is one or is refused, and one that is can be run.
#![no_main]

use bartizan_data::{CheckOptions, ColumnType, Expression, Schema, Source, Tier, check_table};
use libfuzzer_sys::fuzz_target;

const COLUMNS: [(&str, &str); 5] =
    [("n", "float"), ("i", "integer"), ("t", "string"), ("b", "boolean"), ("d", "timestamp")];

fuzz_target!(|text: &str| {
    let type_of = |name: &str| -> Option<ColumnType> {
        COLUMNS.iter().find(|(known, _)| *known == name).and_then(|(_, kind)| kind.parse().ok())
    };
    if Expression::parse(text, &type_of).is_err() {
        return;
    }
    // Control characters would not survive the way through TOML as they are written here.
    let Ok(quoted) = serde_json::to_string(text) else { return };
    let mut schema = "format = \"bartizan-schema-v1\"\n\
                      csv = { separator = \";\", encoding = \"utf-8\", null = [\"\"] }\n"
        .to_owned();
    for (name, kind) in COLUMNS {
        schema.push_str(&format!("[[column]]\nname = \"{name}\"\ntype = \"{kind}\"\n"));
    }
    schema.push_str(&format!("[[expression]]\nname = \"one\"\nholds = {quoted}\n"));
    let Ok(schema) = Schema::parse(&schema) else { return };
    let csv = "n;i;t;b;d\n1.5;2;text;true;2026-02-28 13:30:00\n;;;;\n-1e300;-5;x;false;1969-12-31\n";
    let report = check_table(Source::stream(csv.as_bytes()), &schema, &CheckOptions::new(Tier::Release));
    assert!(report.is_ok(), "a table without faults is read");
});
