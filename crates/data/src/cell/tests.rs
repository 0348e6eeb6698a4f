//! Every spelling that the classifier must tell apart.

use expect_test::{Expect, expect};

use super::{classify, length, shape};
use crate::csv::NullTokens;

fn check(cells: &[&str], expected: &Expect) {
    let nulls = NullTokens::default();
    let said: Vec<String> =
        cells.iter().map(|cell| format!("{cell:?} {:?}\n", classify(cell.as_bytes(), &nulls))).collect();
    expected.assert_eq(&said.concat());
}

#[test]
fn numbers() {
    check(
        &[
            "0",
            "-0",
            "7",
            "-12",
            " 12 ",
            "007",
            "00",
            "+5",
            "1.5",
            "-1.50",
            ".5",
            "5.",
            ".",
            "-",
            "1e3",
            "1E-2",
            "1e",
            "1e+",
            "-0.0",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "1e999",
            "inf",
            "nan",
            "1_000",
            "1,5",
            "0x10",
            "1 2",
            "02.5",
            "--1",
        ],
        &expect![[]],
    );
}

#[test]
fn days_and_instants() {
    check(
        &[
            "2024-02-29",
            "2023-02-29",
            "1900-02-29",
            "2000-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-01",
            "2024-01-01T00:00:00Z",
            "2024-01-01 23:59:60",
            "2024-01-01T24:00:00Z",
            "2024-01-01T10:00:00.123+02:00",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00",
            "2024-01-01x",
            "20240101",
            "2024-01-01T10:00:00 Z",
        ],
        &expect![[]],
    );
}

#[test]
fn truth_text_and_nothing() {
    check(
        &[
            "true", "FALSE", "tRue", "t", "", "  ", "NA", "N/A", "NaN", "nan", "null", "NULL", "Null",
            "none", "?", "é",
        ],
        &expect![[]],
    );
}

#[test]
fn shapes_tell_the_kind_and_not_the_value() {
    let shapes: Vec<String> = [
        "Smith, J. 1987-02-11",
        "4111 1111 1111 1111",
        "ana@example.org",
        "Zoë\u{202e}\n\u{1b}[2J",
        "",
        &"ab1".repeat(99),
    ]
    .iter()
    .map(|cell| format!("{:?}\n", shape(cell.as_bytes())))
    .collect();
    expect![[]].assert_eq(&shapes.concat());
}

#[test]
fn length_counts_characters() {
    assert_eq!([length(b""), length("Zoë".as_bytes()), length("日本".as_bytes())], [0, 3, 2]);
}
