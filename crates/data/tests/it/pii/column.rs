//! Columns: verdicts over cells, and the stored report.

use bartizan_data::pii::{ColumnDetector, DetectorOptions, PiiReport};
use expect_test::{Expect, expect};

use super::corpus::{Rng, fill};

fn check(name: &str, cells: impl IntoIterator<Item = String>, verdict: Expect) {
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let mut column = detector.column(name);
    let cells: Vec<String> = cells.into_iter().collect();
    // Two halves add up to the whole.
    let (one, other) = cells.split_at(cells.len() / 2);
    let mut second = detector.column(name);
    for cell in other {
        second.observe(cell.as_bytes());
    }
    for cell in one {
        column.observe(cell.as_bytes());
    }
    column.add(second.counts());
    let mut whole = detector.column(name);
    for cell in &cells {
        whole.observe(cell.as_bytes());
    }
    assert_eq!(column.verdict(), whole.verdict());
    let report =
        PiiReport { bytes: 1, min_score: 50, columns: vec![column.verdict()], ..PiiReport::default() };
    verdict.assert_eq(std::str::from_utf8(&report.to_bytes().unwrap()).unwrap());
}

fn drawn(shape: &str, count: usize) -> Vec<String> {
    let mut rng = Rng(3);
    (0..count).map(|_| fill(&mut rng, shape)).collect()
}

/// Numbers of nine digits that satisfy the eleven-test of the Netherlands.
fn bsn() -> Vec<String> {
    let valid = |id: &&String| {
        let digits: Vec<u32> = id.chars().map(|c| c.to_digit(10).unwrap()).collect();
        let sum: u32 = digits[..8].iter().zip((2..=9).rev()).map(|(d, w)| d * w).sum();
        sum % 11 == digits[8]
    };
    drawn("ddddddddd", 1000).iter().filter(valid).cloned().collect()
}

#[test]
fn a_column_is_what_most_of_its_cells_are() {
    check(
        "contact",
        drawn("aaaa{@example.org}", 30),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":30,"filled":30,"holds":"email","kinds":[{"cells":30,"kind":"email","share":"1.000000"}],"name":"contact"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "notes",
        drawn("{thanks to }aaa{@example.org}", 3).into_iter().chain(drawn("aaaa", 30)),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":33,"filled":33,"holds":null,"kinds":[{"cells":3,"kind":"email","share":"0.090909"}],"name":"notes"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "cardNumber",
        ["4111111111111111", "", "5555555555554444"].map(str::to_owned),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":3,"filled":2,"holds":"card","kinds":[{"cells":2,"kind":"card","share":"1.000000"}],"name":"cardNumber"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "id",
        drawn("ddddddddd", 200),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":200,"filled":200,"holds":null,"kinds":[],"name":"id"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "id",
        bsn(),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":88,"filled":88,"holds":"nl-bsn","kinds":[],"name":"id"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "SSN",
        drawn("{5}dddddddd", 40),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":40,"filled":40,"holds":"us-ssn","kinds":[{"cells":39,"kind":"us-ssn","share":"0.975000"}],"name":"SSN"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
    check(
        "empty",
        ["", " "].map(str::to_owned),
        expect![[
            r#"{"bytes":1,"columns":[{"cells":2,"filled":0,"holds":null,"kinds":[],"name":"empty"}],"findings":{},"format":"bartizan-pii-report-v1","min_score":"0.50"}"#
        ]],
    );
}
