//! Whole reports: their form, that threads and runs agree, and that no table makes them panic.

use bartizan_data::Outcome;
use bartizan_data::quality::{
    Cells, Codes, Examined, Feature, MISSING, Probabilities, QualityOptions, QualityReport, Rule, Table,
    TableInvalid, Tag, examine,
};
use expect_test::expect;
use proptest::prelude::*;

use super::planted::Data;

fn report(table: &Table<'_>, test: Option<&Table<'_>>, threads: usize) -> QualityReport {
    let values: Vec<f64> = table
        .label()
        .codes
        .codes
        .iter()
        .flat_map(|label| [if *label == 0 { 0.8 } else { 0.3 }, if *label == 0 { 0.2 } else { 0.7 }])
        .collect();
    let probabilities = Probabilities::new(&values, 2).ok();
    let examined = Examined { table, probabilities, against: None, test };
    let options = QualityOptions { threads, ..QualityOptions::default() };
    let mut heard = Vec::new();
    let report = examine(&examined, &options, &mut |rule| heard.push(rule));
    assert_eq!(heard, Rule::ALL);
    report
}

#[test]
fn a_report_says_what_ran_and_what_did_not_and_shows_no_value() {
    let mut data = Data::new(1_200, 1.0, 21);
    for row in 0..40 {
        data.numbers[1][row * 25] = 1.25;
        data.texts[2][row * 25] = 9;
        data.labels[row * 25] = 1;
        data.sources[row * 25] = 3;
    }
    data.numbers[2] = vec![7.5; 1_200];
    let table = data.table();
    let report = report(&table, None, 2);
    assert_eq!(report.outcome(), Outcome::Invalid);
    let text = String::from_utf8(report.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("value 9") && !text.contains("1.25\""), "{text}");
    expect![[r#"
        invalid: 1200 rows, 6 features, 11 rules ran, 1 blocking findings, 4 warnings
          block  trigger           t2: one setting decides the label: 44 of 48 rows have label code 1 (91.7 %), 41.9 % are expected of such rows and 30.4 % of all have it; 83.3 % of these rows come from source code 3, as do 22.8 % of all (chance 1.4e-18)
                 chance 0.0083 (count of the label, bounds of Hoeffding and Chernoff, given weights learned from the other rows with a normal error, Bonferroni over all settings, pairs or triples)
                 rows 1, 14, 26, 51, 76, 101, 126, 136, 151, 176, 201, 226, 251, 276, 301, 326, 351, 376, 401, 426, ...
          warn   source-differs    label: 59.5 % of the 274 rows of source code 3 have label code 0, and 72.6 % of the others
                 chance 0.0037 (hypergeometric, both tails, Benjamini-Yekutieli)
                 rows 1, 3, 4, 6, 8, 12, 19, 26, 33, 36, 45, 51, 53, 54, 61, 65, 76, 78, 88, 95, ...
          warn   source-differs    t2: has other values in the 274 rows of source code 3 (total variation distance 0.21)
                 chance 8.1e-20 (chi-squared over bins of at least five expected rows, Benjamini-Yekutieli)
                 rows 1, 3, 4, 6, 8, 12, 19, 26, 33, 36, 45, 51, 53, 54, 61, 65, 76, 78, 88, 95, ...
          warn   knn-disagreement  label: 4 rows (0.33 %) have another label than most rows like them
                 chance 0.0061 (hypergeometric tail for the neighbours with the row's own label against its prevalence, Benjamini-Hochberg over rows)
                 rows 37, 172, 646, 647
          warn   constant          x2: is the same in every row
          ran      source-differs  5 of 5 values of source with 1200 of 1200 rows (100.0 %), 40 comparisons, and one of suspected labels for each
          ran      label-noise     confident learning, pruned by class and by noise rate
          not run  label-flips     no version before was given
          not run  overlap         no test table was given
    "#]].assert_eq(&report.render());
    let ran: Vec<&str> = report.ran.iter().map(|(rule, _)| rule.id()).collect();
    let not: Vec<&str> = report.not_run.iter().map(|one| one.rule.id()).collect();
    assert_eq!(ran.len() + not.len(), Rule::ALL.len());
}

#[test]
fn a_rule_that_was_asked_for_and_could_not_run_is_an_error() {
    let data = Data::new(300, 0.0, 22);
    let table = data.table();
    let examined = Examined { table: &table, probabilities: None, against: None, test: None };
    let report = examine(&examined, &QualityOptions::default(), &mut |_| {});
    assert_eq!(report.outcome(), Outcome::Error);
    let asked: Vec<(&str, bool)> = report.not_run.iter().map(|one| (one.rule.id(), one.planned)).collect();
    assert_eq!(asked, [("label-flips", false), ("overlap", false), ("label-noise", true)]);
}

#[test]
fn a_comparison_with_few_rows_is_an_error_and_keeps_its_findings() {
    let (old, mut data) = (Data::new(300, 0.0, 22), Data::new(300, 0.0, 22));
    data.flip(0.2, 25);
    let keys: Vec<u128> = (0..300).collect();
    let shifted: Vec<u128> = (200..500).collect();
    let (old, new) = (old.table().with_keys(&keys).unwrap(), data.table().with_keys(&shifted).unwrap());
    let values = vec![0.5; 600];
    let probabilities = Probabilities::new(&values, 2).ok();
    let examined = Examined { table: &new, probabilities, against: Some(&old), test: None };
    let outcome = |min_joined| {
        let options = QualityOptions { min_joined, ..QualityOptions::default() };
        let report = examine(&examined, &options, &mut |_| {});
        let flips = report.findings.iter().filter(|one| one.rule == Rule::LabelFlips).count();
        (report.not_run.iter().any(|one| one.rule == Rule::LabelFlips && one.planned), flips > 0)
    };
    assert_eq!(outcome(0.34), (true, true));
    assert_eq!(outcome(0.33), (false, true));
}

/// What somebody who knows the law says of rows: too sure, as models are.
fn knowing(data: &Data, strength: f64) -> Vec<f64> {
    let of = |row: usize| {
        let text = f64::from(data.texts[0][row]) / 4.0 - 1.0;
        1.0 / (1.0 + (1.4 * (1.0 - strength * (data.numbers[0][row] + text))).exp())
    };
    (0..data.rows()).map(of).flat_map(|yes| [1.0 - yes, yes]).collect()
}

/// A source that flips labels at random keeps their shares; only what a model says betrays it.
#[test]
fn a_source_whose_labels_are_suspected_is_named() {
    let mut data = Data::new(3_000, 6.0, 31);
    let examined = |data: &Data| {
        let (table, values) = (data.table(), knowing(data, 6.0));
        let probabilities = Probabilities::new(&values, 2).ok();
        let examined = Examined { table: &table, probabilities, against: None, test: None };
        let report = examine(&examined, &QualityOptions::default(), &mut |_| {});
        let named = report.findings.into_iter().filter(|one| one.rule == Rule::SourceDiffers);
        named.map(|one| (one.severity, one.source.map(|one| one.code), one.message)).collect::<Vec<_>>()
    };
    assert_eq!(examined(&data), []);
    let flipped = data.clone().flip(0.25, 32);
    for row in flipped.into_iter().map(|row| row as usize).filter(|row| data.sources[*row] == 2) {
        data.labels[row] = 1 - data.labels[row];
    }
    expect![[r#"
        [
            (
                Block,
                Some(
                    2,
                ),
                "24.5 % of the 572 rows of source code 2 have a label that confident learning suspects, as do 2.3 % of the others; 2.3 % are expected, from others that the model is as sure of",
            ),
        ]
    "#]].assert_debug_eq(&examined(&data));
}

#[test]
fn threads_change_nothing() {
    let mut data = Data::new(900, 1.0, 23);
    data.flip(0.1, 24);
    let table = data.table();
    let test = Data::new(200, 1.0, 23);
    let test = test.table();
    let one = report(&table, Some(&test), 1);
    assert!(!one.findings.is_empty());
    for threads in [2, 3, 8] {
        assert_eq!(report(&table, Some(&test), threads), one);
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let values = ["a".to_owned(), "b".to_owned()];
    let label = |codes| Tag { name: "label", codes: Codes { codes, values: &values } };
    let number = |cells| Feature { name: "x", cells: Cells::Numbers(cells) };
    let refused = |features, label| Table::new(features, label).unwrap_err();
    let length = TableInvalid::Length { name: "x".to_owned(), got: 1, expected: 2 };
    assert_eq!(refused(vec![number(&[1.0])], label(&[0, 1])), length);
    assert_eq!(refused(Vec::new(), label(&[0, 1])), TableInvalid::Features { got: 0 });
    assert_eq!(refused(vec![number(&[1.0])], label(&[0])), TableInvalid::Rows { got: 1 });
    assert_eq!(refused(vec![number(&[1.0, 2.0])], label(&[0, MISSING])), TableInvalid::Unlabelled { row: 2 });
    let code = TableInvalid::Code { name: "label".to_owned(), row: 2 };
    assert_eq!(refused(vec![number(&[1.0, 2.0])], label(&[0, 2])), code);
    let infinite = TableInvalid::Infinite { name: "x".to_owned(), row: 1 };
    assert_eq!(refused(vec![number(&[f64::INFINITY, 2.0])], label(&[0, 1])), infinite);
}

fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(0.0),
        Just(-0.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(-f64::MAX),
        (-3_i32..3).prop_map(f64::from),
        any::<f64>().prop_filter("infinite", |cell| !cell.is_infinite()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_table_makes_a_report_panic(
        rows in prop::collection::vec((cell(), cell(), 0_u32..4, 0_u32..3, 0_u32..3), 2..120),
        copies in 1_usize..4,
    ) {
        let rows: Vec<_> = (0..copies).flat_map(|_| rows.iter().copied()).collect();
        let values: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().map(|row| (row.0, row.1)).unzip();
        let texts: Vec<u32> = rows.iter().map(|row| if row.2 == 3 { MISSING } else { row.2 }).collect();
        let labels: Vec<u32> = rows.iter().map(|row| row.3 % 2).collect();
        let sources: Vec<u32> = rows.iter().map(|row| row.4).collect();
        let codes = |codes| Codes { codes, values: &values };
        let features = || vec![
            Feature { name: "x", cells: Cells::Numbers(&x) },
            Feature { name: "y", cells: Cells::Numbers(&y) },
            Feature { name: "t", cells: Cells::Codes(codes(&texts)) },
        ];
        let label = Tag { name: "label", codes: Codes { codes: &labels, values: &values[..2] } };
        let table = Table::new(features(), label).unwrap();
        let table = table.with_source(Tag { name: "source", codes: codes(&sources) }).unwrap();
        let report = report(&table, Some(&table), 2);
        prop_assert!(report.to_bytes().is_ok());
        for finding in &report.findings {
            prop_assert!(finding.rows.iter().all(|row| (1..=rows.len()).contains(&(*row as usize))));
            prop_assert!(finding.chance.is_none_or(|chance| chance.ln <= 0.0));
        }
    }
}
