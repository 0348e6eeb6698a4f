//! Schemas that follow their data.

use bartizan_data::{CheckOptions, Outcome, Schema, Source, Tier, Updated, check_table};
use expect_test::{Expect, expect};

use crate::real::real;
use crate::schema::inferred;

fn updated(text: &str, csv: &[u8]) -> Updated {
    let schema = Schema::parse(text).unwrap();
    let source = Source::stream(std::io::Cursor::new(csv.to_vec()));
    let report = check_table(source, &schema, &CheckOptions::new(Tier::Explore)).unwrap();
    Schema::update(text, &report, None).unwrap()
}

/// Updates until nothing changes any more; what a file breaks is then only what was left.
fn settled(text: &str, csv: &[u8]) -> (String, String) {
    let (mut text, mut said) = (text.to_owned(), String::new());
    loop {
        let Updated { text: next, changes, left } = updated(&text, csv);
        text = next;
        for one in &changes {
            let column = one.column.as_deref().unwrap_or("-");
            said.push_str(&format!("{column} {}: {:?} -> {}\n", one.rule, one.from, one.to));
        }
        if changes.is_empty() {
            for one in &left {
                said.push_str(&format!(
                    "{} {} left: {}\n",
                    one.column.as_deref().unwrap_or("-"),
                    one.rule,
                    one.why
                ));
            }
            return (text, said);
        }
    }
}

const EDITED: &str = r#"# Ours. Ask Ann before changing it.
format = "bartizan-schema-v1"
csv = { separator = ",", encoding = "utf-8", null = [""] }

[rows]
max = 3 # a small shop

[[column]]
# How many were sold.
name = "sold"
type = "integer"
min_present = 1.0 # always counted
range = { min = 0, max = 10, max_outside = 0.0 } # a crate holds ten

[[column]]
name = "colour"
type = "string"
max_length = 5
[column.domain]
max_unseen = 0.0
values = [
    "red", # the first
    "blue",
]

[[column]]
name = "gone"
type = "boolean"

[[expression]]
name = "some"
holds = "sold > 0" # never nothing
"#;

#[test]
fn comments_and_order_stay_and_edits_too() {
    let csv =
        b"sold,colour,new\n1,red,2026-01-01\n25.5,magenta,2026-01-02\n,blue,2026-01-03\n0,blue,2026-01-04\n";
    let (text, said) = settled(EDITED, csv);
    expect![[r#"
        gone optional: Some("false") -> true
        new column: None -> a column of type date
        - rows.max: Some("3") -> 4
        sold type: Some("integer") -> float
        sold min_present: Some("1") -> 0
        colour domain.values: Some("2 values") -> 3 values
        colour max_length: Some("5") -> 14
        sold range.max: Some("10") -> 51
        - expression left: `some` does not hold in 33.33 % of the rows, at most 0.00 % may be so
    "#]]
    .assert_eq(&said);
    expect![[r##"
        # Ours. Ask Ann before changing it.
        format = "bartizan-schema-v1"
        csv = { separator = ",", encoding = "utf-8", null = [""] }

        [rows]
        max = 4 # a small shop

        [[column]]
        # How many were sold.
        name = "sold"
        type = "float"
        min_present = 0.0 # always counted
        range = { min = 0, max = 51.0, max_outside = 0.0 } # a crate holds ten

        [[column]]
        name = "colour"
        type = "string"
        max_length = 14
        [column.domain]
        max_unseen = 0.0
        values = [
            "red", # the first
            "blue",
            "magenta",
        ]

        [[column]]
        name = "gone"
        type = "boolean"
        optional = true

        [[column]]
        name = "new"
        type = "date"
        optional = true
        min_present = 1.0
        severity = "block"

        [[expression]]
        name = "some"
        holds = "sold > 0" # never nothing
    "##]]
    .assert_eq(&text);
}

#[test]
fn what_keeps_the_schema_changes_nothing() {
    let Updated { text, changes, left } = updated(EDITED, b"sold,colour,gone\n1,red,true\n");
    assert_eq!((text.as_str(), changes.len(), left.len()), (EDITED, 0, 0));
}

/// A file that broke its schema keeps what was made of it, and so does every file that kept the one before.
#[test]
fn real_files_keep_what_was_updated_with_them() {
    let (Some(clean), Some(skewed)) = (real("penguins.csv"), real("penguins_skewed.csv")) else { return };
    let schema = inferred(&clean, None).to_toml().unwrap();
    let (text, said) = settled(&schema, &skewed);
    expect![[r#"
        culmen_length_mm range.min: Some("0") -> -3
    "#]]
    .assert_eq(&said);
    let schema = Schema::parse(&text).unwrap();
    for csv in [clean, skewed] {
        let source = Source::stream(std::io::Cursor::new(csv));
        let report = check_table(source, &schema, &CheckOptions::new(Tier::Release)).unwrap();
        assert_eq!(report.outcome, Outcome::Valid, "{}", report.render());
    }
}

fn left(edit: (&str, &str), csv: &[u8], expected: Expect) {
    let text = EDITED.replace(edit.0, edit.1);
    let (_, said) = settled(&text, csv);
    expected.assert_eq(&said);
}

#[test]
fn what_a_person_has_to_decide_is_left() {
    // As text it could have no range.
    left(
        ("max = 3 # a small shop", ""),
        b"sold,colour,gone\none,red,true\n",
        expect![[r#"
        sold type left: as string it could not have `range`, which a person may want to keep
    "#]],
    );
    left(
        ("sold > 0", "sold > 4"),
        b"sold,colour,gone\n1,red,true\n",
        expect![[r#"
            - expression left: `some` does not hold in 100.00 % of the rows, at most 0.00 % may be so
        "#]],
    );
}
