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

/// Numbers that end in the check digit of Poland.
fn pesel() -> Vec<String> {
    let complete = |id: String| {
        let digits = id.bytes().map(|byte| u32::from(byte - b'0'));
        let sum: u32 =
            digits.zip([1, 3, 7, 9].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        format!("{id}{}", (10 - sum % 10) % 10)
    };
    drawn("YMD{5}ddd", 60).into_iter().map(complete).collect()
}

#[test]
fn a_column_of_numbers_of_which_few_pass_holds_none() {
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let verdict = |name: &str, cells: &[String]| {
        let mut column = detector.column(name);
        let shown = cells.iter().filter(|cell| !column.observe(cell.as_bytes()).is_empty()).count();
        let counted: u64 = column.checked().values().sum();
        (shown, counted, column.verdict().holds)
    };
    let (pesel, tracts) = (pesel(), drawn("{170310}d{0}ddd", 2_000));
    // Numbers of like length that are none: some pass, and none of them counts.
    let (passed, counted, holds) = verdict("tract", &tracts);
    assert!(passed > 50 && counted == 0 && holds.is_none(), "{passed} {counted} {holds:?}");
    // All pass, or most do, or the name says what they are.
    let holds = Some("pl-pesel".to_owned());
    assert_eq!(verdict("a", &pesel), (60, 60, holds.clone()));
    assert_eq!(verdict("a", &[&pesel[..], &tracts[..10]].concat()).2, holds);
    let named = verdict("pesel", &[&pesel[..6], &tracts[..50]].concat());
    assert!(named.0 >= 6, "{named:?}");
    // Others beside them, of another length, change nothing.
    assert_eq!(verdict("a", &[&pesel[..], &drawn("ddddd", 500)[..]].concat()).1, 60);
    // One number that passes is found, as in a text, and says nothing of the column.
    assert_eq!(verdict("a", &pesel[..1]), (1, 1, None));
    // Half of a column of cards is cards.
    let cards = vec!["4111111111111111".to_owned(); 8];
    assert_eq!(verdict("a", &[&cards[..], &drawn("9ddddddddddddddd", 8)[..]].concat()).1, 8);
}
