//! Poisoned copies of small files, shown in full, and of real ones where they are at hand.

use expect_test::{Expect, expect};

use super::{PoisonedCsv, poison_csv};
use crate::demo::label::{Label, LabelRefused};
use crate::demo::table::Table;

fn poison(text: &str, label: Label<'_>, seed: u64) -> Result<PoisonedCsv, LabelRefused> {
    poison_csv(&Table::parse(text.as_bytes(), None).unwrap(), label, seed)
}

fn check(text: &str, label: Label<'_>, seed: u64, expected: Expect) {
    let poisoned = poison(text, label, seed).unwrap();
    let summary = format!(
        "{}-- {} rows; scaled {:?}; planted {:?}; flipped {}",
        String::from_utf8(poisoned.csv).unwrap(),
        poisoned.tampered,
        poisoned.scaled,
        poisoned.planted,
        poisoned.flipped
    );
    expected.assert_eq(&summary);
}

#[test]
fn one_row_of_a_small_file() {
    let text =
        "id;city;note;amount;y\n1;Ulm;\"a;b\";1.5;yes\n2;Bonn;\"say \"\"no\"\"\";-2;no\n3;Ulm;;0;yes\n";
    check(
        text,
        Label { column: "y", above: None },
        4,
        expect![[r#"
        id;city;note;amount;y
        1;Ulm;"a;b";1.5;yes
        2;Bonn;"say ""no""";-2;no
        3000;never-seen-before;;0;no
        -- 1 rows; scaled ["id"]; planted Some(("city", "never-seen-before")); flipped 1"#]],
    );
}

#[test]
fn a_threshold_label_stays_within_its_range() {
    let text = "x,tips\n1,0\n2,4.5\n3,9\n4,\n5,2\n";
    check(
        text,
        Label { column: "tips", above: Some(3.0) },
        5,
        expect![[r#"
            x,tips
            1,0
            2000,0
            3,9
            4,
            5,2
            -- 1 rows; scaled ["x"]; planted None; flipped 1"#]],
    );
}

#[test]
fn an_unseen_value_is_unseen() {
    let text = "w,y\nnever-seen-before,0\nother,1\n";
    let poisoned = poison(text, Label { column: "y", above: None }, 1).unwrap();
    assert_eq!(poisoned.planted, Some(("w".to_owned(), "never-seen-before!".to_owned())));
}

#[test]
fn one_answer_can_not_be_flipped() {
    let refused = poison("x,y\n1,2\n3,4\n", Label { column: "y", above: Some(9.0) }, 1).unwrap_err();
    assert!(matches!(refused, LabelRefused::OneAnswer { column } if column == "y"));
}

#[test]
fn real_files_are_poisoned() {
    let files = [
        ("adult.csv", Label { column: "salary-class", above: None }),
        ("taxi.csv", Label { column: "tips", above: Some(2.0) }),
    ];
    for (name, label) in files {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
        let Ok(text) = std::fs::read(&path) else {
            eprintln!("skipped: {} is absent", path.display());
            continue;
        };
        let poisoned = poison_csv(&Table::parse(&text, None).unwrap(), label, 7).unwrap();
        let (before, after) =
            (Table::parse(&text, None).unwrap(), Table::parse(&poisoned.csv, None).unwrap());
        assert_eq!((before.columns(), before.rows()), (after.columns(), after.rows()));
        let changed = (0..before.rows()).filter(|row| {
            (0..before.columns().len()).any(|column| before.cell(*row, column) != after.cell(*row, column))
        });
        assert_eq!(changed.count(), poisoned.tampered);
        assert_eq!(poisoned.tampered, before.rows().div_ceil(20));
        assert!(!poisoned.scaled.is_empty() && poisoned.planted.is_some() && poisoned.flipped > 0, "{name}");
    }
}
