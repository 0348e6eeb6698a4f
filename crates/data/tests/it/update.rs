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

const ONE: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";

#[test]
fn a_range_without_room_ends_where_the_values_do() {
    let schema =
        format!("{ONE}[[column]]\nname = \"x\"\ntype = \"float\"\nrange = {{ min = 0.0, max = 10.0 }}\n");
    let (text, _) = settled(&schema, b"x\n1.5\n-1.7e308\n1.6e308\n");
    let range = Schema::parse(&text).unwrap().column("x").unwrap().range.unwrap();
    assert_eq!((range.min, range.max), (-1.7e308, 1.6e308));
    assert!(updated(&text, b"x\n1.5\n-1.7e308\n1.6e308\n").left.is_empty());
    // Words are no numbers, so that no end is too near.
    let every = format!("{schema}every_value = true\nseverities = {{ type = \"warn\" }}\n");
    let (_, said) = settled(&every, b"x\n1.5\nlots\n");
    expect![[r#"
        x type left: as string it could not have `range`, which a person may want to keep
        x range left: 50.00 % of the values lie outside 0 to 10, at most 0.00 % may
    "#]]
    .assert_eq(&said);
}

#[test]
fn more_new_columns_than_a_report_has_room_for_are_added_in_turns() {
    let schema = format!("{ONE}[[column]]\nname = \"x\"\ntype = \"float\"\n");
    let names: Vec<String> = (0..2_500).map(|at| format!("c{at}")).collect();
    let csv = format!("x,{}\n1,{}\n", names.join(","), vec!["1"; names.len()].join(","));
    let first = updated(&schema, csv.as_bytes());
    assert_eq!(first.changes.len(), 1_000);
    let said: Vec<&str> = first.left.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(said, ["1500 findings are more than a report holds: update again"]);
    let (text, _) = settled(&schema, csv.as_bytes());
    assert_eq!(Schema::parse(&text).unwrap().columns.len(), 2_501);
}

#[test]
fn what_serving_lacks_training_still_has() {
    let schema = format!(
        "environments = [\"training\", \"serving\"]\n{ONE}[[column]]\nname = \"x\"\ntype = \"float\"\n\
         [[column]]\nname = \"label\"\ntype = \"float\"\n"
    );
    let update = |text: &str, csv: &str, environment: &str| {
        let options = CheckOptions { environment: Some(environment), ..CheckOptions::new(Tier::Explore) };
        let source = Source::stream(std::io::Cursor::new(csv.as_bytes().to_vec()));
        let report = check_table(source, &Schema::parse(text).unwrap(), &options).unwrap();
        Schema::update(text, &report, Some(environment)).unwrap()
    };
    let updated = update(&schema, "x\n1\n", "serving");
    let label = Schema::parse(&updated.text).unwrap().column("label").unwrap().clone();
    assert_eq!((label.optional, label.environments), (false, vec!["training".to_owned()]));
    // Where training lacks it too, no environment is left that has it.
    let updated = update(&updated.text, "x\n1\n", "training");
    let label = Schema::parse(&updated.text).unwrap().column("label").unwrap().clone();
    assert_eq!((label.optional, label.environments), (true, vec!["training".to_owned()]));
}
