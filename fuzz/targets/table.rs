//! A table, and perhaps the schema that it is checked against: read, profiled, inferred from and judged.
#![no_main]

use bartizan_data::{CsvOptions, InferOptions, Outcome, Profile, Schema, Tier, check, infer};
use libfuzzer_sys::fuzz_target;

// Up to the first zero byte, which no table holds, the input is a schema.
fuzz_target!(|bytes: &[u8]| {
    let (schema, table) = match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (Some(&bytes[..at]), &bytes[at + 1..]),
        None => (None, bytes),
    };
    if let Some(schema) = schema.and_then(|text| std::str::from_utf8(text).ok())
        && let Ok(schema) = Schema::parse(schema)
    {
        judge(table, &schema);
    }
    let Ok((profile, read)) = infer(table, &CsvOptions::default()) else { return };
    assert_eq!((read.rows(), read.bytes()), (profile.rows(), table.len() as u64));
    let stored = profile.to_bytes().expect("a profile has a stored form");
    assert_eq!(Profile::from_bytes(&stored).expect("the stored form is a profile"), profile);
    let mut twice = profile.clone();
    twice.merge(&profile).expect("a profile merges with itself");
    assert_eq!(twice.rows(), 2 * profile.rows());
    let label = profile.columns().last().map(|column| column.name().to_owned());
    let schema = Schema::infer(&profile, read.format(), &InferOptions { label }).expect("the label is there");
    let text = schema.to_toml().expect("an inferred schema has a text");
    assert_eq!(Schema::parse(&text).expect("the text is a schema"), schema);
    judge(table, &schema);
});

fn judge(table: &[u8], schema: &Schema) {
    for tier in [Tier::Release, Tier::Explore] {
        let Ok(report) = check(table, schema, tier) else { return };
        assert!(report.checks <= report.planned);
        assert!(report.outcome != Outcome::Valid || report.checks == report.planned);
        assert!((report.outcome == Outcome::Invalid) == (report.blocking() > 0));
        report.to_bytes().expect("a report has a stored form");
        report.render();
    }
}
