//! From columns to verdicts, and the stored report.

use bartizan_data::Outcome;
use bartizan_data::drift::{
    Clusters, Column, Comparison, DriftReport, Edges, HOURS, Histogram, JoinInvalid, JoinedColumn,
    JoinedSide, Measure, NotJudged, Options, Plan, Purpose, QuantileSketch, Random, Seasons, Side, Statistic,
    Strata, Undefined, Verdict, compare, hour_of_week, join_rows,
};
use expect_test::expect;

use super::normals;

fn judged(columns: &[Column<'_>]) -> DriftReport {
    compare(columns, &Comparison::default(), &Options::default())
}

fn verdict(reference: Side<'_>, current: Side<'_>) -> Verdict {
    judged(&[Column::new("c", reference, current)]).columns[0].verdict
}

#[test]
fn drift_is_significant_and_large_enough() {
    let mut random = Random::new(1);
    let before = normals(20_000, 0.0, &mut random);
    let (same, moved) = (normals(20_000, 0.0, &mut random), normals(20_000, 0.5, &mut random));
    assert_eq!(verdict(Side::Numbers(&before), Side::Numbers(&same)), Verdict::NoDrift);
    assert_eq!(verdict(Side::Numbers(&before), Side::Numbers(&moved)), Verdict::Drift);
    // Significant, but nobody would notice.
    let barely = normals(20_000, 0.06, &mut random);
    let report = judged(&[Column::new("c", Side::Numbers(&before), Side::Numbers(&barely))]);
    assert!(report.columns[0].adjusted_p.unwrap() < 0.01, "{}", report.render());
    assert_eq!(report.columns[0].verdict, Verdict::NoDrift);
    // Large, but eight rows.
    let few = normals(4, 0.5, &mut random);
    let report = judged(&[Column::new("c", Side::Numbers(&before[..4]), Side::Numbers(&few))]);
    assert_ne!(report.columns[0].verdict, Verdict::Drift);
}

#[test]
fn what_cannot_be_told_is_not_judged() {
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let codes = [0_u32, 1, 1, 0, 1];
    let not = |reason| Verdict::NotJudged(reason);
    let (some, none) = (Side::Numbers(&numbers), Side::Numbers(&[f64::NAN, f64::NAN]));
    assert_eq!(verdict(Side::Absent, some), not(NotJudged::AbsentFromReference));
    assert_eq!(verdict(some, Side::Absent), not(NotJudged::AbsentFromCurrent));
    assert_eq!(verdict(some, Side::Categories(&codes)), not(NotJudged::KindsDiffer));
    assert_eq!(verdict(none, some), not(NotJudged::Undefined(Undefined::NoReference)));
    assert_eq!(verdict(some, Side::Numbers(&[])), not(NotJudged::Undefined(Undefined::NoCurrent)));
    assert_eq!(verdict(Side::Numbers(&[1.0, 2.0]), Side::Numbers(&[8.0, 9.0])), not(NotJudged::TooFew));
    let infinite = [f64::INFINITY, 1.0];
    let distance = Column {
        statistic: Some(Statistic::Wasserstein),
        ..Column::new("c", some, Side::Numbers(&infinite))
    };
    assert_eq!(judged(&[distance]).columns[0].verdict, not(NotJudged::Undefined(Undefined::Infinite)));
    let unordered = Column {
        statistic: Some(Statistic::KolmogorovSmirnov),
        ..Column::new("c", Side::Categories(&codes), Side::Categories(&codes))
    };
    assert_eq!(judged(&[unordered]).columns[0].verdict, not(NotJudged::Undefined(Undefined::Unordered)));
    assert_eq!(verdict(Side::Categories(&[2_000_000]), Side::Categories(&codes)), not(NotJudged::TooMany));
    let unsound = QuantileSketch { items: vec![(1.0, 5)], rank_error: 2.0, range: None, missing: 0 };
    assert_eq!(verdict(some, Side::Sketch(&unsound)), not(NotJudged::Unsound));
    let clusters = Some(Clusters { reference: &[1], current: &[2] });
    let report =
        compare(&[Column::new("c", some, some)], &Comparison { clusters, strata: None }, &Options::default());
    assert_eq!(report.columns[0].verdict, not(NotJudged::ClustersUnmatched));
    assert_eq!(judged(&[]).verdict(), None);
    let report = judged(&[Column::new("a", some, some), Column::new("b", Side::Absent, some)]);
    assert_eq!(report.verdict(), Some(not(NotJudged::AbsentFromReference)));
}

#[test]
fn columns_that_never_change_do_not_drift() {
    let (one, two) = ([3.5; 300], [3.5; 40]);
    assert_eq!(verdict(Side::Numbers(&one), Side::Numbers(&two)), Verdict::NoDrift);
    assert_eq!(verdict(Side::Numbers(&one), Side::Numbers(&[4.5; 40])), Verdict::Drift);
    assert_eq!(verdict(Side::Categories(&[7; 50]), Side::Categories(&[7; 60])), Verdict::NoDrift);
}

#[test]
fn a_threshold_is_told_where_enough_was_drawn() {
    let mut random = Random::new(7);
    let (before, same) = (normals(500, 0.0, &mut random), normals(500, 0.0, &mut random));
    let judged = |plan: Plan, level: f64| {
        let column = Column::new("c", Side::Numbers(&before), Side::Numbers(&same));
        let options = Options { plan, level, ..Options::default() };
        compare(&[column], &Comparison::default(), &options).columns.remove(0)
    };
    // Thirty exceedances came soon, and one in twenty of some forty draws is nothing to go by.
    let soon = judged(Plan { stop_after: 30, ..Plan::default() }, 0.05);
    assert!(soon.draws < 199 && soon.threshold.is_none(), "{soon:?}");
    let all = judged(Plan { stop_after: u32::MAX, max_draws: 4_999, seed: 0 }, 0.05);
    // The critical value of Smirnov's test (1948) at 0.05: 1.358 times the root of 1 / 500 + 1 / 500.
    assert!((all.threshold.unwrap() / 0.08589 - 1.0).abs() < 0.05, "{all:?}");
    let tail = judged(Plan { stop_after: u32::MAX, max_draws: 999, seed: 0 }, 0.001);
    assert!((tail.threshold.unwrap() / (1.949 * 0.063_246) - 1.0).abs() < 0.15, "{tail:?}");
}

#[test]
fn numbers_are_put_into_the_tenths_of_the_reference() {
    let one: Vec<f64> = (0..1_000).map(|at| f64::from(at * 37 % 1_009)).collect();
    let two: Vec<f64> = (0..500).map(|at| f64::from(at * 53 % 701 + 100)).collect();
    // In Python, with `bisect_right(edges, value)` for the bin of a value: edges `sorted(one)[100 * k]` for k from 1 to 9
    // (100, 200, ..., 907) put 100 of the reference into each bin, and of the current values
    // 0, 72, 71, 72, 71, 72, 72, 70, 0, 0; PSI with half a count more in each bin of both sides.
    for (statistic, expected) in [
        (Statistic::Psi, 1.475_974_735_864_336_7),
        (Statistic::LInfinity, 0.1),
        (Statistic::JensenShannon, 0.411_351_885_091_328_5),
    ] {
        let column = Column {
            statistic: Some(statistic),
            ..Column::new("c", Side::Numbers(&one), Side::Numbers(&two))
        };
        let value = judged(&[column]).columns[0].value.unwrap();
        assert!((value.value - expected).abs() < 1e-12 && value.low == value.high, "{statistic} {value:?}");
    }
    // A reference of one value and little else has fewer bins, and what lies below all of it has one.
    let (ones, below) = ([vec![1.0; 95], vec![2.0; 5]].concat(), [vec![1.0; 60], vec![0.0; 40]].concat());
    let column = Column {
        statistic: Some(Statistic::LInfinity),
        ..Column::new("c", Side::Numbers(&ones), Side::Numbers(&below))
    };
    let line = judged(&[column]).columns.remove(0);
    assert_eq!((line.value.unwrap().value, line.verdict), (0.4, Verdict::Drift));
}

#[test]
fn missing_values_are_a_line_of_their_own() {
    let mut random = Random::new(2);
    let before = normals(2_000, 0.0, &mut random);
    let mut after = normals(2_000, 0.0, &mut random);
    after.iter_mut().step_by(10).for_each(|value| *value = f64::NAN);
    let report = judged(&[Column::new("c", Side::Numbers(&before), Side::Numbers(&after))]);
    let lines: Vec<_> = report.columns.iter().map(|column| (column.measure, column.verdict)).collect();
    assert_eq!(lines, [(Measure::Values, Verdict::NoDrift), (Measure::Missing, Verdict::Drift)]);
    assert_eq!(report.columns[1].value.unwrap().value, 0.1);
    let (one, two) = ([0, 1, 1, Side::MISSING], [0, 0, 1, 1]);
    let report = judged(&[Column::new("c", Side::Categories(&one), Side::Categories(&two))]);
    assert_eq!(report.columns[0].reference.values, 3);
    assert_eq!(report.columns[1].reference.missing, 1);
}

#[test]
fn summaries_judge_as_far_as_they_reach() {
    let mut random = Random::new(3);
    let before = normals(20_000, 0.0, &mut random);
    let sketch = |values: &[f64], rank_error: f64| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        QuantileSketch {
            items: sorted.chunks(100).map(|chunk| (chunk[50], 100)).collect(),
            rank_error,
            range: Some((sorted[0], sorted[sorted.len() - 1])),
            missing: 0,
        }
    };
    let (same, moved) = (normals(20_000, 0.0, &mut random), normals(20_000, 1.0, &mut random));
    let fine = sketch(&before, 0.01);
    assert_eq!(verdict(Side::Sketch(&fine), Side::Sketch(&sketch(&same, 0.01))), Verdict::NoDrift);
    assert_eq!(verdict(Side::Sketch(&fine), Side::Numbers(&moved)), Verdict::Drift);
    let coarse = sketch(&same, 0.2);
    assert_eq!(
        verdict(Side::Sketch(&fine), Side::Sketch(&coarse)),
        Verdict::NotJudged(NotJudged::BoundsTooWide)
    );
    let edges = Edges::new(vec![-1.0, 0.0, 1.0]).unwrap();
    let histogram = |values: &[f64]| Histogram {
        counts: edges.count(values.iter().map(|value| (*value, 1))),
        edges: edges.clone(),
        range: None,
        missing: 0,
    };
    let (old, new) = (histogram(&before), histogram(&moved));
    assert_eq!(verdict(Side::Histogram(&old), Side::Histogram(&new)), Verdict::Drift);
    assert_eq!(verdict(Side::Histogram(&old), Side::Histogram(&histogram(&same))), Verdict::NoDrift);
    assert_eq!(verdict(Side::Histogram(&old), Side::Sketch(&fine)), Verdict::NoDrift);
}

#[test]
fn far_tails_are_extrapolated_so_that_many_columns_can_be_judged() {
    let mut random = Random::new(4);
    let columns: Vec<(Vec<f64>, Vec<f64>)> = (0..60)
        .map(|at| {
            (normals(300, 0.0, &mut random), normals(300, if at == 0 { 2.0 } else { 0.0 }, &mut random))
        })
        .collect();
    let columns: Vec<(String, Side<'_>, Side<'_>)> = (0..)
        .zip(&columns)
        .map(|(at, (one, two)): (u32, _)| (at.to_string(), Side::Numbers(one), Side::Numbers(two)))
        .collect();
    let columns: Vec<Column<'_>> =
        columns.iter().map(|(name, one, two)| Column::new(name, *one, *two)).collect();
    let report = judged(&columns);
    let drifted: Vec<&str> = report.drifted().map(|column| column.column.as_str()).collect();
    assert_eq!(drifted, ["0"]);
    assert!(
        report.columns[0].from_tail && report.columns[0].adjusted_p.unwrap() < 1e-6,
        "{:?}",
        report.columns[0]
    );
}

#[test]
fn the_report_is_canonical() {
    let (one, two) = ([40, 60], [70, 30]);
    let columns = [
        Column::new("kind", Side::CategoryCounts(&one, 0), Side::CategoryCounts(&two, 0)),
        Column::new("gone", Side::CategoryCounts(&one, 0), Side::Absent),
    ];
    let plan = Plan { max_draws: 99, ..Plan::default() };
    let options = Options { purpose: Purpose::Skew, plan, ..Options::default() };
    let report = compare(&columns, &Comparison::default(), &options);
    let bytes = report.to_bytes().unwrap();
    expect![[r#"{"columns":[{"adjusted_p":"0.01","column":"kind","current":{"clusters":null,"missing":0,"values":100},"draws":99,"effect":{"high":"0.3","low":"0.3","value":"0.3"},"floor":"0.05","from_tail":false,"least_p":"0.01","measure":"values","mode":"exact","p":"0.01","p_upper_bound":"0.01","rank_error":null,"reason":null,"reference":{"clusters":null,"missing":0,"values":100},"statistic":"l-infinity","threshold":null,"value":{"high":"0.3","low":"0.3","value":"0.3"},"verdict":"drift"},{"adjusted_p":null,"column":"gone","current":{"clusters":null,"missing":0,"values":0},"draws":0,"effect":null,"floor":"0.05","from_tail":false,"least_p":"1.0","measure":"values","mode":"exact","p":null,"p_upper_bound":null,"rank_error":null,"reason":"absent-from-current","reference":{"clusters":null,"missing":0,"values":0},"statistic":"ks","threshold":null,"value":null,"verdict":"not-judged"}],"dependence":"any","format":"bartizan-drift-report-v1","level":"0.05","purpose":"skew","seed":"0"}"#]].assert_eq(std::str::from_utf8(&bytes).unwrap());
    expect![[r#"
        skew: 1 of 2 comparisons, 1 not judged
          kind                          l-infinity      effect    0.3000 (floor 0.05)  p  1.00e-2  drift
          gone                          ks              effect         - (floor 0.05)  p        -  not judged: the current data have no such column
    "#]].assert_eq(&report.render());
}

#[test]
fn hours_of_the_week_are_local() {
    // 1 January 1970, a Thursday, at midnight UTC.
    assert_eq!(hour_of_week(0, 0), 72);
    assert_eq!(hour_of_week(-1, 0), 71);
    assert_eq!(hour_of_week(0, -3_600), 71);
    assert_eq!(hour_of_week(4 * 86_400, 0), 0);
    assert_eq!(hour_of_week(i64::MAX, i32::MAX) % 24, 15);
}

#[test]
fn hours_with_few_rows_share_a_baseline() {
    let (mut reference, mut current) = ([100_u64; HOURS], [0_u64; HOURS]);
    current[9] = 10;
    current[33] = 10;
    let seasons = Seasons::new(&reference, &current, 50);
    assert_eq!((seasons.stratum(9), seasons.stratum(33), seasons.pooled()), (9, 33, 0));
    // Tuesday at nine is poor: joined with nine o'clock of all working days, not of Sunday.
    reference[33] = 5;
    let seasons = Seasons::new(&reference, &current, 50);
    assert_eq!((seasons.stratum(9), seasons.stratum(33), seasons.stratum(153)), (9, 9, 153));
    assert_eq!(seasons.pooled(), 2);
    let seasons = Seasons::new(&[1; HOURS], &current, 168);
    assert_eq!((seasons.stratum(9), seasons.stratum(153)), (0, 0));
}

#[test]
fn a_season_is_no_drift_from_the_same_hours() {
    let mut random = Random::new(5);
    // Nights are low and days are high; the current rows are all from days.
    let mut side = |night: usize, day: usize| {
        let values: Vec<f64> = [normals(night, 0.0, &mut random), normals(day, 4.0, &mut random)]
            .into_iter()
            .flatten()
            .collect();
        let strata: Vec<u16> = [vec![3; night], vec![12; day]].into_iter().flatten().collect();
        (values, strata)
    };
    let (one, two) = (side(500, 500), side(50, 450));
    let column = [Column::new("c", Side::Numbers(&one.0), Side::Numbers(&two.0))];
    assert_eq!(judged(&column).columns[0].verdict, Verdict::Drift);
    let comparison =
        Comparison { clusters: None, strata: Some(Strata::Labels { reference: &one.1, current: &two.1 }) };
    let report = compare(&column, &comparison, &Options::default());
    assert_eq!(report.columns[0].verdict, Verdict::NoDrift, "{}", report.render());
}

/// A column of so many weeks that has a value in one of twenty rows, with the hour of each row.
fn sparse(weeks: usize, mean: f64, random: &mut Random) -> (Vec<f64>, Vec<u8>) {
    let rows = weeks * HOURS * 15;
    let mut values = normals(rows, mean, random);
    values.iter_mut().filter(|_| random.uniform() > 0.05).for_each(|value| *value = f64::NAN);
    let hours = (0..rows).map(|row| u8::try_from(row / 15 % HOURS).unwrap()).collect();
    (values, hours)
}

fn by_hour(one: &(Vec<f64>, Vec<u8>), two: &(Vec<f64>, Vec<u8>)) -> DriftReport {
    let column = Column::new("c", Side::Numbers(&one.0), Side::Numbers(&two.0));
    let strata = Strata::Hours { reference: &one.1, current: &two.1, least: 50 };
    compare(&[column], &Comparison { clusters: None, strata: Some(strata) }, &Options::default())
}

#[test]
fn a_season_finds_the_drift_of_a_column_that_is_seldom_filled() {
    let mut random = Random::new(1);
    let before = sparse(4, 0.0, &mut random);
    // Each hour has 60 rows in the reference, and three values on average; of some hours there is none.
    let moved = by_hour(&before, &sparse(1, 5.0, &mut random));
    assert_eq!(moved.columns[0].verdict, Verdict::Drift, "{}", moved.render());
    let same = by_hour(&before, &sparse(1, 0.0, &mut random));
    assert_eq!(same.columns[0].verdict, Verdict::NoDrift, "{}", same.render());
    assert_eq!(same.outcome(), Outcome::Valid);
}

#[test]
fn rows_without_a_time_are_left_out_of_a_season_while_they_are_few() {
    let mut random = Random::new(2);
    let before = sparse(4, 0.0, &mut random);
    let mut after = sparse(1, 0.0, &mut random);
    // Of the one row in a hundred that has no time no value is like the others.
    after.0.iter_mut().step_by(100).for_each(|value| *value = 1e9);
    let told = after.1.clone();
    after.1.iter_mut().step_by(100).for_each(|hour| *hour = u8::MAX);
    let report = by_hour(&before, &after);
    let verdicts = |report: &DriftReport| report.columns.iter().map(|line| line.verdict).collect::<Vec<_>>();
    // Among the values they are one in six, and among the rows one in a hundred.
    assert_eq!(verdicts(&report), [Verdict::NotJudged(NotJudged::HoursUnknown), Verdict::NoDrift]);
    assert_eq!(report.outcome(), Outcome::Error);
    after.0.iter_mut().step_by(100).skip(2).for_each(|value| *value = f64::NAN);
    assert_eq!(verdicts(&by_hour(&before, &after)), [Verdict::NoDrift, Verdict::NoDrift]);
    after.1 = told;
    after.1.iter_mut().step_by(10).for_each(|hour| *hour = u8::MAX);
    let unknown = Verdict::NotJudged(NotJudged::HoursUnknown);
    assert_eq!(verdicts(&by_hour(&before, &after)), [unknown, unknown]);
}

#[test]
fn only_a_column_that_is_empty_on_a_side_and_nearly_so_on_the_other_is_passed_unjudged() {
    // A stratum without a reference is no empty column.
    let (one, two) = ([f64::NAN, f64::NAN, 1.0, 2.0], [3.0, f64::NAN, 1.0, 2.0]);
    let (ours, theirs): (Vec<f64>, Vec<f64>) = (one.repeat(50), two.repeat(50));
    let strata: Vec<u16> = [1, 1, 2, 2].repeat(50);
    let column =
        Column { missing_floor: Some(1.0), ..Column::new("c", Side::Numbers(&ours), Side::Numbers(&theirs)) };
    let strata = Some(Strata::Labels { reference: &strata, current: &strata });
    let report = compare(&[column], &Comparison { clusters: None, strata }, &Options::default());
    let lines: Vec<_> = report.columns.iter().map(|line| (line.measure, line.verdict)).collect();
    let unmatched = Verdict::NotJudged(NotJudged::StratumUnmatched);
    assert_eq!(lines, [(Measure::Values, unmatched), (Measure::Missing, Verdict::NoDrift)]);
    assert_eq!(report.outcome(), Outcome::Error);
    // Four of forty rows have a value, then none of forty: by chance, perhaps, but there is no all-clear.
    let filled = |some: usize, rows: usize| -> Vec<f64> {
        (0..rows).map(|row| if row < some { 1.5 } else { f64::NAN }).collect()
    };
    for (some, rows, outcome) in [(4, 40, Outcome::Error), (4, 400, Outcome::Valid), (0, 40, Outcome::Valid)]
    {
        let (some, none) = (filled(some, rows), filled(0, rows));
        for (one, two) in [(&some, &none), (&none, &some)] {
            let report = judged(&[Column::new("c", Side::Numbers(one), Side::Numbers(two))]);
            assert_eq!(report.columns[1].verdict, Verdict::NoDrift);
            assert_eq!(report.outcome(), outcome, "{}", report.render());
        }
    }
}

#[test]
fn rows_are_joined_by_their_keys() {
    let (training, serving) =
        (["a", "b", "c", "d", "d", "e"].map(Some), ["e", "b", "a", "d", "x", "c"].map(Some));
    let columns = [
        JoinedColumn {
            name: "amount",
            training: JoinedSide::Numbers(&[1.0, 2.0, f64::NAN, 4.0, 4.0, f64::INFINITY]),
            serving: JoinedSide::Numbers(&[f64::INFINITY, 2.5, 1.0, 4.0, 9.0, f64::NAN]),
            tolerance: 0.0,
        },
        JoinedColumn {
            name: "kind",
            training: JoinedSide::Categories(&[0, 1, 2, 0, 0, 3]),
            serving: JoinedSide::Categories(&[u32::MAX, 1, 0, 0, 0, 2]),
            tolerance: 0.0,
        },
    ];
    let report = join_rows(&training, &serving, &columns).unwrap();
    assert_eq!((report.joined, report.ambiguous, report.only_training, report.only_serving), (4, 1, 0, 1));
    let [amount, kind] = report.features.as_slice() else { panic!("two features") };
    assert_eq!((amount.differing, amount.largest, amount.examples.as_slice()), (1, 0.5, &[(1, 1)][..]));
    assert_eq!((kind.differing, kind.one_sided, kind.share()), (1, (1, 0), Some(0.25)));
    // Rows without a key are not alike for that.
    let (one, two) = (
        [None, Some("a"), Some("b"), None, None, Some("c")],
        [None, Some("a"), Some("z"), Some("b"), Some("y"), Some("x")],
    );
    let report = join_rows(&one, &two, &columns).unwrap();
    assert_eq!((report.joined, report.only_training, report.only_serving, report.keyless), (2, 1, 3, (3, 1)));
    let short = JoinedColumn { training: JoinedSide::Numbers(&[1.0]), ..columns[0] };
    assert_eq!(
        join_rows(&training, &serving, &[short]),
        Err(JoinInvalid::Length { name: "amount".to_owned() })
    );
}
