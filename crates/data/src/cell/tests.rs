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
        &expect![[r#"
            "0" Integer(0)
            "-0" Integer(0)
            "7" Integer(7)
            "-12" Integer(-12)
            " 12 " Integer(12)
            "007" Text
            "00" Text
            "+5" Text
            "1.5" Float(1.5)
            "-1.50" Float(-1.5)
            ".5" Float(0.5)
            "5." Float(5.0)
            "." Text
            "-" Text
            "1e3" Float(1000.0)
            "1E-2" Float(0.01)
            "1e" Text
            "1e+" Text
            "-0.0" Float(0.0)
            "9223372036854775807" Integer(9223372036854775807)
            "-9223372036854775808" Integer(-9223372036854775808)
            "9223372036854775808" Float(9.223372036854776e18)
            "1e999" Text
            "inf" Text
            "nan" Null
            "1_000" Text
            "1,5" Text
            "0x10" Text
            "1 2" Text
            "02.5" Text
            "--1" Text
        "#]],
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
        &expect![[r#"
            "2024-02-29" Date
            "2023-02-29" Text
            "1900-02-29" Text
            "2000-02-29" Date
            "2024-13-01" Text
            "2024-00-10" Text
            "2024-1-01" Text
            "2024-01-01T00:00:00Z" Timestamp
            "2024-01-01 23:59:60" Timestamp
            "2024-01-01T24:00:00Z" Text
            "2024-01-01T10:00:00.123+02:00" Timestamp
            "2024-01-01T10:00:00." Text
            "2024-01-01T10:00" Text
            "2024-01-01x" Text
            "20240101" Integer(20240101)
            "2024-01-01T10:00:00 Z" Text
        "#]],
    );
}

#[test]
fn truth_text_and_nothing() {
    check(
        &[
            "true", "FALSE", "tRue", "t", "", "  ", "NA", "N/A", "NaN", "nan", "null", "NULL", "Null",
            "none", "?", "é",
        ],
        &expect![[r#"
            "true" Boolean
            "FALSE" Boolean
            "tRue" Text
            "t" Text
            "" Null
            "  " Null
            "NA" Null
            "N/A" Null
            "NaN" Null
            "nan" Null
            "null" Null
            "NULL" Null
            "Null" Text
            "none" Text
            "?" Text
            "é" Text
        "#]],
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
    expect![[r#"
        "Aa, A. 9-9-9"
        "9 9 9 9"
        "a@a.a"
        "Aa? ?[9A"
        ""
        "a9a9a9a9a9a9a9a9a9a9a9a9.."
    "#]]
    .assert_eq(&shapes.concat());
}

#[test]
fn length_counts_characters() {
    assert_eq!([length(b""), length("Zoë".as_bytes()), length("日本".as_bytes())], [0, 3, 2]);
}
