//! Alarms over many runs.

use bartizan_data::drift::{
    AlarmPolicy, Column, Comparison, DriftReport, Options, Plan, Random, Side, Watch, compare,
};

use super::multinomial;

fn run(shares: &[f64], level: f64, random: &mut Random) -> DriftReport {
    let sides: Vec<[Vec<u64>; 2]> = (0..3)
        .map(|_| [multinomial(200, &[1.0, 1.0, 1.0], random), multinomial(200, shares, random)])
        .collect();
    let columns: Vec<Column<'_>> = ["a", "b", "c"]
        .into_iter()
        .zip(&sides)
        .map(|(name, [one, two])| Column {
            floor: Some(0.0),
            ..Column::new(name, Side::CategoryCounts(one, 0), Side::CategoryCounts(two, 0))
        })
        .collect();
    let plan = Plan { seed: random.bits(), ..Plan::default() };
    compare(&columns, &Comparison::default(), &Options { level, plan, ..Options::default() })
}

#[test]
fn alarms_persist_and_end() {
    let policy = AlarmPolicy::default();
    let (mut watch, mut random) = (Watch::default(), Random::new(1));
    let mut alarms = Vec::new();
    for day in 0..8 {
        let shares = if (2..5).contains(&day) { [5.0, 1.0, 1.0] } else { [1.0, 1.0, 1.0] };
        let report = run(&shares, watch.level(&policy, 1), &mut random);
        let standing = watch.take(&report, &policy, 1);
        alarms.push((standing.len(), standing.iter().filter(|alarm| alarm.begins).count()));
        // What is stored goes on where it was.
        watch = Watch::from_bytes(&watch.to_bytes().unwrap()).unwrap();
    }
    assert_eq!(alarms, [(0, 0), (0, 0), (0, 0), (3, 3), (3, 0), (3, 0), (0, 0), (0, 0)]);
}

#[test]
fn the_budget_of_a_month_holds_however_many_runs_there_are() {
    let policy = AlarmPolicy { budget_per_month: 2.0, runs_per_month: 30, persist: 1, window: 1 };
    let (mut watch, mut random, mut spent) = (Watch::default(), Random::new(2), 0.0);
    for _ in 0..300 {
        let level = watch.level(&policy, 5);
        spent += level;
        let empty = DriftReport { columns: Vec::new(), ..run(&[1.0, 1.0, 1.0], level, &mut random) };
        watch.take(&empty, &policy, 5);
    }
    assert!(spent > 1.9 && spent <= 2.0, "{spent}");
    assert!((watch.level(&policy, 6) - 0.06).abs() < 1e-12);
}

#[test]
fn false_alarms_of_many_months_stay_within_the_budget() {
    let policy = AlarmPolicy { budget_per_month: 1.0, runs_per_month: 10, persist: 1, window: 1 };
    let (mut watch, mut random, mut alarms) = (Watch::default(), Random::new(3), 0);
    for month in 0..60 {
        for _ in 0..10 {
            let report = run(&[1.0, 1.0, 1.0], watch.level(&policy, month), &mut random);
            let begun = watch.take(&report, &policy, month).iter().any(|alarm| alarm.begins);
            alarms += u32::from(begun);
        }
    }
    // Sixty expected at most; with Benjamini and Yekutieli about a half of that.
    assert!((5..60).contains(&alarms), "{alarms}");
}

#[test]
fn other_bytes_are_refused() {
    let watch = |columns: &str, format: &str| {
        format!(r#"{{"columns":[{columns}],"format":"{format}","month":null,"runs":0}}"#)
    };
    let column =
        |name: &str, measure: &str| format!(r#"{{"column":"{name}","drifted":1,"measure":"{measure}"}}"#);
    let reads = |columns: &str| Watch::from_bytes(watch(columns, "bartizan-drift-watch-v1").as_bytes());
    assert!(reads(&column("a", "values")).is_ok());
    let refused = |columns: &str| reads(columns).unwrap_err().to_string();
    assert!(refused(&column("a", "mean")).contains("column 1"));
    assert!(refused(&format!("{},{}", column("b", "values"), column("a", "values"))).contains("column 2"));
    let other = Watch::from_bytes(watch("", "bartizan-drift-watch-v2").as_bytes());
    assert_eq!(other.unwrap_err().to_string(), "`bartizan-drift-watch-v2` is not `bartizan-drift-watch-v1`");
    assert!(Watch::from_bytes(b"{}").is_err());
}
