//! Values that many rows of the reference have: moves away from them are seen on both sides of them.

use std::io::Cursor;

use bartizan_data::drift::{
    Clusters, Column, ColumnDrift, Comparison, Course, Held, Mode, Options, Plan, Random, RowFacts, Side,
    Statistic, Strata, Verdict, Want, compare, course, judge, profile_pairs,
};
use bartizan_data::{CheckOptions, CsvOptions, Outcome, Schema, Source, Tier, check_table, infer};

use super::calibrated;

const OF_SHARES: [Statistic; 5] = [
    Statistic::Psi,
    Statistic::JensenShannon,
    Statistic::Hellinger,
    Statistic::LInfinity,
    Statistic::ChiSquared,
];

fn line(statistic: Statistic, one: Side<'_>, two: Side<'_>, comparison: &Comparison<'_>) -> ColumnDrift {
    let column = Column { statistic: Some(statistic), ..Column::new("c", one, two) };
    compare(&[column], comparison, &Options::default()).columns.remove(0)
}

/// Rows that have `value`, but for one in `every`, which has one of `from` to `to`.
fn inflated(value: f64, every: usize, (from, to): (u32, u32), rows: usize) -> Vec<f64> {
    let mut others = (from..=to).cycle().map(f64::from);
    let of = |row: usize| if row.is_multiple_of(every) { others.next() } else { None };
    (0..rows).map(of).map(|other| other.unwrap_or(value)).collect()
}

/// References that repeat one value, and current values above and below it; then those that are as before.
fn samples() -> Vec<(Vec<f64>, Vec<f64>, Verdict)> {
    let (zeros, fives) = (inflated(0.0, 12, (1, 100), 2_000), vec![5.0; 2_000]);
    let up = inflated(50.0, 1, (50, 500), 2_000);
    let down: Vec<f64> = up.iter().map(|value| -value).collect();
    // The one that is repeated has 30 of 100 rows, then 12, and what was there is now a little above.
    let some = [vec![4.0; 600], inflated(0.0, 1, (5, 1_404), 1_400)].concat();
    let few = [vec![4.0; 240], inflated(0.0, 1, (5, 1_764), 1_760)].concat();
    let above = |values: &[f64]| values.iter().map(|one| if *one == 4.0 { 4.5 } else { *one }).collect();
    let mut samples = vec![
        (some.clone(), above(&some), Verdict::Drift),
        (few.clone(), above(&few), Verdict::Drift),
        (some.clone(), some, Verdict::NoDrift),
        (few.clone(), few, Verdict::NoDrift),
        (fives.clone(), vec![5.0; 700], Verdict::NoDrift),
        (zeros.clone(), inflated(0.0, 12, (1, 100), 1_500), Verdict::NoDrift),
    ];
    for reference in [zeros, fives] {
        samples.push((reference.clone(), up.clone(), Verdict::Drift));
        samples.push((reference, down.clone(), Verdict::Drift));
    }
    samples
}

#[test]
fn moves_away_from_a_value_that_is_repeated_are_seen() {
    for (at, (one, two, verdict)) in samples().iter().enumerate() {
        for statistic in OF_SHARES {
            let line = line(statistic, Side::Numbers(one), Side::Numbers(two), &Comparison::default());
            assert_eq!(line.verdict, *verdict, "{at} {line:?}");
        }
    }
}

#[test]
fn infinite_values_have_a_bin_to_themselves_too() {
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        let (one, two) = ([vec![infinite; 300], vec![1.0; 20]].concat(), vec![1.0; 320]);
        for (one, two) in [(&one, &two), (&two, &one)] {
            let line =
                line(Statistic::LInfinity, Side::Numbers(one), Side::Numbers(two), &Comparison::default());
            assert_eq!((line.value.unwrap().value, line.verdict), (300.0 / 320.0, Verdict::Drift));
        }
    }
}

#[test]
fn the_bins_are_those_of_the_definition() {
    let counted = |parts: &[(f64, u64)], singles: &dyn Fn(u32) -> f64, last: u32| {
        let singles = (1..=last).map(|at| (singles(at), 1));
        parts.iter().copied().chain(singles).collect::<Vec<_>>()
    };
    let mut one = counted(&[(0.0, 600), (300.0, 150)], &f64::from, 200);
    one.extend((301..=350).map(|at| (f64::from(at), 1)));
    let two = [(0.0, 300), (250.0, 100), (300.0, 50), (400.0, 150)];
    let two = counted(&two, &|at| f64::from(at) / 2.0, 400);
    // In Python: edges at `sorted(one)[100 * k]` for k from 1 to 9 (0, 1, 101, 300), and for the values that more than 100
    // rows have (0 and 300), as the bin of a value how many edges are not above it, and how many of these two are
    // below it. Of the reference 600, 0, 100, 100, 150, 50 are in these bins, of the current values 300, 1, 200, 299, 50,
    // 150; PSI with half a count more in each bin of both sides.
    let expected = [
        (Statistic::Psi, 0.711_421_795_991_617),
        (Statistic::JensenShannon, 0.353_155_871_649_438_46),
        (Statistic::Hellinger, 0.296_973_617_744_015_15),
        (Statistic::LInfinity, 0.3),
        (Statistic::ChiSquared, 333.583_959_899_749_4),
    ];
    for (statistic, expected) in expected {
        let (one, two) = (Side::NumberCounts(&one, 0), Side::NumberCounts(&two, 0));
        let value = line(statistic, one, two, &Comparison::default()).value.unwrap();
        assert!(
            (value.value / expected - 1.0).abs() < 1e-12 && value.low == value.high,
            "{statistic} {value:?}"
        );
    }
}

#[test]
fn moves_are_seen_in_strata_and_by_cluster() {
    for (at, (one, two, verdict)) in samples().iter().enumerate() {
        let label = |rows: usize| (0..rows).map(|row| u16::from(row % 3 == 0)).collect::<Vec<_>>();
        let (ours, theirs) = (label(one.len()), label(two.len()));
        let strata = Some(Strata::Labels { reference: &ours, current: &theirs });
        let cluster =
            |rows: usize, first: u64| (0..rows as u64).map(|row| first + row / 4).collect::<Vec<_>>();
        let (mine, yours) = (cluster(one.len(), 0), cluster(two.len(), 1 << 32));
        let clusters = Some(Clusters { reference: &mine, current: &yours });
        for comparison in [Comparison { clusters: None, strata }, Comparison { clusters, strata: None }] {
            for statistic in [Statistic::Psi, Statistic::LInfinity] {
                let line = line(statistic, Side::Numbers(one), Side::Numbers(two), &comparison);
                assert_eq!(line.verdict, *verdict, "{at} {line:?}");
            }
        }
    }
}

/// A table of one column.
fn table(values: &[f64]) -> String {
    "c\n".to_owned() + &values.iter().map(|value| format!("{value}\n")).collect::<String>()
}

#[test]
fn moves_are_seen_from_profiles() {
    let profile = |values: &[f64]| infer(table(values).as_bytes(), &CsvOptions::default()).unwrap().0;
    // More values than a profile knows one by one, so that there are quantiles alone.
    let mut random = Random::new(4);
    let many: Vec<f64> = (0..40_000).map(|row| if row % 12 == 0 { random.uniform() } else { 0.0 }).collect();
    let apart: Vec<f64> = (0..40_000).map(|_| random.uniform() + 2.0).collect();
    let mut samples = samples();
    samples.push((many, apart, Verdict::Drift));
    let mut sketched = 0;
    for (at, (one, two, verdict)) in samples.iter().enumerate() {
        let (one, two) = (profile(one), profile(two));
        let pairs = profile_pairs(&one, &two, |_| Want::Found);
        for statistic in OF_SHARES {
            let (one, two) = (pairs[0].reference.side(), pairs[0].current.side());
            let line = line(statistic, one, two, &Comparison::default());
            sketched += u32::from(matches!(line.mode, Mode::Sketch { .. }));
            // Quantiles are known within bounds, which may be too wide for "no drift".
            match (verdict, line.mode) {
                (Verdict::NoDrift, Mode::Sketch { .. }) => {
                    assert_ne!(line.verdict, Verdict::Drift, "{at} {line:?}")
                }
                _ => assert_eq!(line.verdict, *verdict, "{at} {line:?}"),
            }
        }
    }
    assert!(sketched >= 5, "{sketched}");
}

#[test]
fn a_schema_refuses_what_moved_away_from_a_repeated_value() {
    for statistic in OF_SHARES {
        let rules = format!(
            "format = \"bartizan-schema-v1\"\ncsv = {{ separator = \",\", encoding = \"utf-8\", null = [\"\"] }}\n\
             [reference]\nprofile = \"a.profile\"\n[[column]]\nname = \"c\"\ntype = \"float\"\n\
             drift = {{ statistic = \"{statistic}\", limit = 0.2 }}\n"
        );
        let schema = Schema::parse(&rules).unwrap();
        for (at, (one, two, verdict)) in samples().iter().enumerate() {
            // What three tenths of the rows or fewer do may be within the limit.
            if at < 2 {
                continue;
            }
            let (reference, _) = infer(table(one).as_bytes(), &CsvOptions::default()).unwrap();
            let options = CheckOptions { reference: Some(&reference), ..CheckOptions::new(Tier::Release) };
            let source = Source::stream(Cursor::new(table(two).into_bytes()));
            let outcome = check_table(source, &schema, &options).unwrap().outcome;
            let expected = if *verdict == Verdict::Drift { Outcome::Invalid } else { Outcome::Valid };
            assert_eq!(outcome, expected, "{statistic} {at}");
        }
    }
}

#[test]
fn p_is_uniform_where_a_value_is_repeated_about_as_often_as_is_frequent() {
    let mut random = Random::new(12);
    let (mut often, mut seldom) = (Vec::new(), Vec::new());
    for seed in 0..1_000 {
        // In some draws the value has a bin to itself, and in others it has not.
        for (p_values, share) in [(&mut often, 0.5), (&mut seldom, 0.1)] {
            let mut side = |rows: usize| -> Vec<f64> {
                let one = |_| if random.uniform() < share { 0.0 } else { random.normal() };
                (0..rows).map(one).collect()
            };
            let (one, two) = (side(80), side(120));
            let column = Column {
                statistic: Some(Statistic::JensenShannon),
                ..Column::new("c", Side::Numbers(&one), Side::Numbers(&two))
            };
            let plan = Plan { stop_after: 10, max_draws: 999, seed };
            let options = Options { plan, ..Options::default() };
            p_values.push(judge(&column, &Comparison::default(), &options)[0].p.unwrap().0);
        }
    }
    calibrated(&often);
    calibrated(&seldom);
}

#[test]
fn the_course_of_a_column_tells_a_repeated_value_from_what_is_above() {
    let held = |value: f64| Held::Numbers(vec![value; 100].into());
    let Course { buckets, .. } = course(&held(5.0), &held(7.0), &RowFacts::default()).unwrap();
    assert_ne!(buckets[0].groups[0].counts, buckets[1].groups[0].counts);
}
