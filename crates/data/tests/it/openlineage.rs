//! Events of other systems: what they say of the same thing is put together.

use bartizan_data::openlineage::read;

/// The run id of an event is a UUID, and those are the same in either case (RFC 9562, section 4).
#[test]
fn the_last_event_of_a_run_counts_however_its_id_is_written() {
    let event = |id: &str, at: &str, state: &str| {
        format!(
            r#"{{"eventTime":"{at}","producer":"p","schemaURL":"s","eventType":"{state}","run":{{"runId":"{id}"}},"job":{{"namespace":"n","name":"j"}}}}"#
        )
    };
    let (upper, lower) = ("019CBB6C-3B0E-7A51-9A0E-6D2F0B4F9A11", "019cbb6c-3b0e-7a51-9a0e-6d2f0b4f9a11");
    for (first, second) in [(upper, upper), (lower, upper), (upper, lower)] {
        // The later event comes first in the file.
        let lines = [
            event(first, "2026-03-01T12:00:00Z", "COMPLETE"),
            event(second, "2026-03-01T11:00:00Z", "START"),
        ];
        let lineage = read(lines.join("\n").as_bytes()).unwrap();
        let runs: Vec<_> = lineage.runs.iter().map(|run| (run.id.as_str(), run.state.as_str())).collect();
        assert_eq!(runs, [(lower, "COMPLETE")], "{first} {second}");
    }
}

#[test]
fn elements_of_lists_are_counted_and_what_did_not_run_is_no_warning() {
    use bartizan_data::openlineage::Table;
    use bartizan_data::{Schema, Tier, check};
    let schema = "format = \"bartizan-schema-v1\"\nunexpected_columns = \"allow\"\n\
                  csv = { separator = \",\", encoding = \"utf-8\", null = [] }\n\
                  [[column]]\nname = \"id\"\ntype = \"integer\"\nreferences = { table = \"t\", column = \"c\" }\n";
    let lines = "{\"id\":1,\"tags\":[\"a\",\"b\",\"c\"]}\n{\"id\":2,\"tags\":[\"d\",null,\"e\"]}\n";
    let report = check(lines.as_bytes(), &Schema::parse(schema).unwrap(), Tier::Release).unwrap();
    let table = Table::of(&report);
    let counts: Vec<_> =
        table.columns.iter().map(|one| (one.name.as_str(), one.values, one.nulls, one.distinct)).collect();
    assert_eq!(counts, [("id", 2, 0, Some(2)), ("tags[]", 5, 1, Some(5)), ("tags", 2, 0, None)]);
    let assertions: Vec<_> = table
        .assertions
        .iter()
        .filter(|one| !one.success)
        .map(|one| (one.rule.as_str(), one.blocks))
        .collect();
    // It leaves the table without a verdict, and so counts for as much as what refuses it.
    assert_eq!(assertions, [("accepted", true), ("references", true)]);
}
