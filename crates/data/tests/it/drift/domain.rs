//! The domain classifier.

use bartizan_data::drift::{
    Clusters, Column, DomainOptions, DomainReport, NotJudged, Plan, Random, Side, Verdict, auc_test, domain,
};

use super::normals;

fn options(seed: u64) -> DomainOptions {
    DomainOptions { plan: Plan { stop_after: 20, max_draws: 999, seed }, ..DomainOptions::default() }
}

/// Three columns; `change` alters the current rows.
fn classified(seed: u64, rows: usize, change: impl Fn(&mut [Vec<f64>; 3])) -> DomainReport {
    let mut random = Random::new(seed);
    let mut side = || [0; 3].map(|_| normals(rows, 0.0, &mut random));
    let (before, mut after) = (side(), side());
    change(&mut after);
    let column = |(name, (one, two)): (&'static str, (_, _))| -> Column<'_> {
        Column::new(name, Side::Numbers(one), Side::Numbers(two))
    };
    let sides = before.iter().map(Vec::as_slice).zip(after.iter().map(Vec::as_slice));
    let columns: Vec<Column<'_>> = ["x", "y", "z"].into_iter().zip(sides).map(column).collect();
    domain(&columns, None, &options(seed)).unwrap()
}

#[test]
fn a_moved_column_is_named() {
    let report = classified(1, 2_000, |after| after[1].iter_mut().for_each(|value| *value += 0.6));
    assert_eq!(report.verdict, Verdict::Drift, "{report:?}");
    assert_eq!(report.columns[0].0, "y");
    assert!(report.columns[0].1 > 0.1 && report.columns[1].1 < 0.02, "{report:?}");
    // Two normal distributions 0.6 apart: an area of 0.664.
    assert!((report.auc - 0.664).abs() < 0.03, "{report:?}");
    assert_eq!(report.rows, (2_000, 2_000));
}

#[test]
fn a_relation_between_columns_is_seen_that_no_column_shows() {
    let report = classified(2, 4_000, |after| {
        let [x, y, _] = after;
        x.iter().zip(y.iter_mut()).for_each(|(x, y)| *y = y.abs() * x.signum());
    });
    assert_eq!(report.verdict, Verdict::Drift, "{report:?}");
    let named: Vec<&str> = report.columns.iter().map(|column| column.0.as_str()).collect();
    assert!(named[..2].contains(&"x") && named[..2].contains(&"y"), "{report:?}");
}

#[test]
fn nothing_is_seen_where_nothing_is() {
    let mut alarms = 0;
    for seed in 0..100 {
        alarms += u32::from(classified(seed, 200, |_| {}).p <= 0.05);
    }
    assert!(alarms <= 12, "{alarms} of 100 at 0.05");
    assert_eq!(classified(7, 2_000, |_| {}).verdict, Verdict::NoDrift);
}

#[test]
fn rows_of_a_cluster_stay_together() {
    let (mut alarms, mut naive) = (0, 0);
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut side = |first: u64| {
            let (mut values, mut ids) = (Vec::new(), Vec::new());
            for cluster in 0..20 {
                let centre = 2.0 * random.normal();
                values.extend((0..20).map(|_| centre + random.normal()));
                ids.extend([first + cluster; 20]);
            }
            (values, ids)
        };
        let (one, two) = (side(0), side(20));
        let columns = [Column::new("x", Side::Numbers(&one.0), Side::Numbers(&two.0))];
        let clusters = Some(Clusters { reference: &one.1, current: &two.1 });
        alarms += u32::from(domain(&columns, clusters, &options(seed)).unwrap().p <= 0.05);
        naive += u32::from(domain(&columns, None, &options(seed)).unwrap().p <= 0.05);
    }
    assert!(alarms <= 9 && naive >= 40, "{alarms} and {naive} of 60");
}

/// `sklearn.metrics.roc_auc_score([0, 0, 0, 1, 1, 1, 1], [.1, .4, .4, .35, .8, .4, .9])` of scikit-learn 1.9.1.
#[test]
fn areas_are_those_of_scikit_learn() {
    let test = auc_test(&[0.1, 0.4, 0.4], &[0.35, 0.8, 0.4, 0.9], None, &Plan::default()).unwrap();
    assert!((test.auc - 0.75).abs() < 1e-12, "{test:?}");
    assert_eq!(auc_test(&[f64::NAN], &[1.0], None, &Plan::default()), Err(NotJudged::Unsound));
    assert!(auc_test(&[], &[1.0], None, &Plan::default()).is_err());
}

#[test]
fn columns_must_come_row_by_row() {
    let (numbers, counts) = ([1.0, 2.0], [3_u64]);
    let (side, short) = (Side::Numbers(&numbers), Side::Numbers(&numbers[..1]));
    let told = |columns: &[Column<'_>]| domain(columns, None, &options(0)).unwrap_err();
    assert_eq!(told(&[Column::new("c", side, Side::Absent)]), NotJudged::AbsentFromCurrent);
    assert_eq!(told(&[Column::new("c", side, Side::CategoryCounts(&counts, 0))]), NotJudged::KindsDiffer);
    assert_eq!(
        told(&[Column::new("c", side, side), Column::new("d", side, short)]),
        NotJudged::ClustersUnmatched
    );
    assert!(domain(&[], None, &options(0)).is_err());
}
