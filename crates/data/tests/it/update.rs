//! Schemas that follow their data.

use bartizan_data::{
    CheckOptions, KnownTable, Outcome, ReadOptions, Report, Schema, Source, Tier, Updated, check_table,
};
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

fn of_environments(head: &str, environments: &str) -> String {
    format!(
        "environments = [\"training\", \"serving\"]\n{head}{ONE}[[column]]\nname = \"x\"\ntype = \"float\"\n\
         [[column]]\nname = \"label\"\ntype = \"float\"\n{environments}"
    )
}

fn checked(text: &str, csv: &str, environment: Option<&str>) -> Report {
    let options = CheckOptions { environment, ..CheckOptions::new(Tier::Release) };
    let source = Source::stream(std::io::Cursor::new(csv.as_bytes().to_vec()));
    check_table(source, &Schema::parse(text).unwrap(), &options).unwrap()
}

/// Updates with each file in turn as often as it changes something, and checks that all of them keep what is left.
fn all_keep(text: &str, files: &[(&str, Option<&str>)]) -> Schema {
    let mut text = text.to_owned();
    for (csv, environment) in files {
        for pass in 0.. {
            assert!(pass < 10, "{text}");
            let updated = Schema::update(&text, &checked(&text, csv, *environment), *environment).unwrap();
            text = updated.text;
            if updated.changes.is_empty() {
                break;
            }
        }
    }
    for (csv, environment) in files {
        let report = checked(&text, csv, *environment);
        assert_eq!(report.outcome, Outcome::Valid, "{text}\n{csv}\n{}", report.render());
    }
    Schema::parse(&text).unwrap()
}

#[test]
fn what_serving_lacks_training_still_has() {
    let schema = of_environments("unexpected_columns = \"warn\"\n", "");
    let parsed = all_keep(&schema, &[("x\n1\n", Some("serving"))]);
    let label = parsed.column("label").unwrap();
    assert_eq!((label.optional, label.environments.as_slice()), (false, &["training".to_owned()][..]));
    assert_eq!(checked(&parsed.to_toml().unwrap(), "x\n1\n", Some("training")).outcome, Outcome::Invalid);
    // Where training lacks it too, no environment is left that has it.
    let parsed = all_keep(&schema, &[("x\n1\n", Some("serving")), ("x\n1\n", Some("training"))]);
    let label = parsed.column("label").unwrap();
    assert_eq!((label.optional, label.environments.as_slice()), (true, &["training".to_owned()][..]));
}

#[test]
fn no_environment_is_lost_that_nobody_named() {
    let (with, without) = ("x,label\n1,2\n", "x\n1\n");
    for what in ["allow", "warn", "block"] {
        let head = format!("unexpected_columns = \"{what}\"\n");
        for environment in [None, Some("training"), Some("serving")] {
            let schema = of_environments(&head, "");
            for order in [[without, with], [with, without]] {
                let parsed = all_keep(&schema, &order.map(|csv| (csv, environment)));
                if environment.is_none() {
                    let label = parsed.column("label").unwrap();
                    assert_eq!((label.optional, label.environments.len()), (true, 0));
                }
            }
            // What was not among the files and kept the schema before has no fewer rights.
            let file = [(without, environment)];
            let text = all_keep(&schema, &file).to_toml().unwrap();
            let report = checked(&text, with, environment);
            assert_eq!(report.outcome, Outcome::Valid, "{text}");
        }
    }
}

#[test]
fn a_column_that_comes_back_may_be_away_again() {
    let (with, without) = ("x,label\n1,2\n", "x\n1\n");
    let schema = of_environments("unexpected_columns = \"block\"\n", "environments = [\"training\"]\n");
    assert_eq!(checked(&schema, without, Some("serving")).outcome, Outcome::Valid);
    let parsed = all_keep(&schema, &[(with, Some("serving")), (without, Some("serving"))]);
    let label = parsed.column("label").unwrap();
    let both = ["training".to_owned(), "serving".to_owned()];
    assert_eq!((label.optional, label.environments.as_slice()), (true, &both[..]));
    // It only warned, and what its own rules say of it would be graver.
    let schema = of_environments(
        "unexpected_columns = \"warn\"\n",
        "environments = [\"training\"]\npattern = { matches = [\"^[0-9]+$\"] }\n",
    )
    .replace("name = \"label\"\ntype = \"float\"", "name = \"label\"\ntype = \"string\"");
    let odd = "x,label\n1,zz\n";
    assert_eq!(checked(&schema, odd, Some("serving")).outcome, Outcome::Valid);
    all_keep(&schema, &[(odd, Some("serving"))]);
}

/// What is said of a file whose column `ok` has the wrong type, when the column has such rules; the batch that keeps the
/// schema before has to keep it after too.
fn widened(rules: &str, keeps: &str, wrong: &str, expected: Expect) {
    let (rules, after) = rules.split_once("---").unwrap_or((rules, ""));
    let schema = format!("{ONE}[[column]]\nname = \"ok\"\n{rules}\n{after}\n");
    let known = {
        let source = Source::stream(std::io::Cursor::new(b"id\n1\n2\n".to_vec()));
        KnownTable::read(source, &ReadOptions::default(), 1, &Schema::parse(&schema).unwrap(), "other")
    };
    let valid = |text: &str| {
        let tables = known.iter().map(|known| ("other".to_owned(), known)).collect();
        let options = CheckOptions { tables, ..CheckOptions::new(Tier::Release) };
        let source = Source::stream(std::io::Cursor::new(keeps.as_bytes().to_vec()));
        let report = check_table(source, &Schema::parse(text).unwrap(), &options).unwrap();
        assert_eq!(report.outcome, Outcome::Valid, "{text}{}", report.render());
    };
    valid(&schema);
    let (text, said) = settled(&schema, wrong.as_bytes());
    valid(&text);
    expected.assert_eq(&said);
}

#[test]
fn values_that_were_known_by_what_they_are_are_known_still() {
    widened(
        "type = \"boolean\"\ndomain = { values = [\"true\", \"false\"] }",
        "ok\nTRUE\nFalse\n",
        "ok\ntrue\nmaybe\n",
        expect![[r#"
            ok type left: as string its `domain` would go by how values are spelled, and no longer by what they are
        "#]],
    );
    widened(
        "type = \"integer\"\ndomain = { values = [\"1\", \"2\"] }",
        "ok\n 2\n1\n",
        "ok\n1\nabc\n",
        expect![[r#"
            ok type left: as string its `domain` would go by how values are spelled, and no longer by what they are
        "#]],
    );
    widened(
        "type = \"integer\"\nreferences = { table = \"other\", column = \"id\" }",
        "ok\n 2\n1.0\n",
        "ok\n1\nabc\n",
        expect![[r#"
            ok type left: as string its `references` would go by how values are spelled, and no longer by what they are
        "#]],
    );
    widened(
        "type = \"integer\"\n---[label]\ncolumn = \"ok\"\ncounted = 100\ntolerance = 0.9\n\
         shares = [{ value = \"1\", share = 0.5 }, { value = \"2\", share = 0.5 }]",
        "ok\n 2\n1\n",
        "ok\n1\n2\nabc\n",
        expect![[r#"
            ok type left: as string its label shares would go by how values are spelled, and no longer by what they are
            ok label-unseen left: 33.33 % of the labels are none of the 2 known ones
        "#]],
    );
    // Where numbers become wider numbers, they are known by what they are as before.
    widened(
        "type = \"integer\"\ndomain = { values = [\"1\", \"2\"] }",
        "ok\n 2\n1.0\n",
        "ok\n1\n2.5\n",
        expect![[r#"
            ok type: Some("integer") -> float
            ok domain.values: Some("2 values") -> 3 values
        "#]],
    );
}

#[test]
fn what_was_warned_of_is_not_refused_after() {
    widened(
        "type = \"date\"\nseverities = { type = \"warn\" }\nmax_length = 10",
        "ok\n2026-01-01\nsome time in spring\n",
        "ok\n2026-01-01\nspring\n",
        expect![[r#"
            ok type left: as string values that are only warned of would be held to `length`
        "#]],
    );
}

#[test]
fn what_rows_are_held_to_is_held_in_every_environment() {
    let rules = [
        "[[expression]]\nname = \"order\"\nholds = \"label >= x\"\n",
        "[[key]]\ncolumns = [\"x\", \"label\"]\n",
        "[[slice]]\nname = \"some\"\nwhen = \"x > 0\"\n[[slice.column]]\nname = \"label\"\nrange = { min = 2, max = 9 }\n",
    ];
    for rule in rules {
        let schema = of_environments("unexpected_columns = \"warn\"\n", rule);
        let broken = "x,label\n2,1\n2,1\n";
        assert_eq!(checked(&schema, broken, Some("serving")).outcome, Outcome::Invalid);
        let parsed = all_keep(&schema, &[("x\n1\n", Some("serving")), ("x,label\n2,3\n", Some("training"))]);
        let label = parsed.column("label").unwrap();
        assert_eq!((label.optional, label.environments.len()), (true, 0), "{rule}");
        let text = parsed.to_toml().unwrap();
        assert_eq!(checked(&text, broken, Some("serving")).outcome, Outcome::Invalid, "{text}");
    }
}
