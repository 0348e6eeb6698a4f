//! Real tables: no drift where there is none.

use std::collections::BTreeMap;

use bartizan_data::drift::{Column, Comparison, DriftReport, Options, Random, Side, compare};

use crate::real::real;

/// The columns of a table without quotes: numbers where all values are numbers, codes otherwise.
enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
}

fn columns(csv: &[u8]) -> Vec<(String, Values)> {
    let text = std::str::from_utf8(csv).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    let column = |(at, name): (usize, &&str)| {
        let cells = || rows.iter().map(move |row| row[at]);
        let number = |cell: &str| if cell.is_empty() { Some(f64::NAN) } else { cell.parse().ok() };
        let values = match cells().map(number).collect::<Option<Vec<f64>>>() {
            Some(numbers) => Values::Numbers(numbers),
            None => {
                let mut codes: BTreeMap<&str, u32> = cells().map(|cell| (cell, 0)).collect();
                (0..).zip(codes.values_mut()).for_each(|(code, slot)| *slot = code);
                Values::Codes(
                    cells().map(|cell| if cell.is_empty() { Side::MISSING } else { codes[cell] }).collect(),
                )
            }
        };
        ((*name).to_owned(), values)
    };
    header.iter().enumerate().map(column).collect()
}

/// Compares rows on one side with rows on the other.
fn between(
    table: &[(String, Values)],
    other: &[(String, Values)],
    wanted: impl Fn(bool, usize) -> bool,
) -> DriftReport {
    let pick = |values: &Values, current: bool| match values {
        Values::Numbers(all) => {
            let kept = all.iter().enumerate().filter(|(row, _)| wanted(current, *row));
            Values::Numbers(kept.map(|(_, value)| *value).collect())
        }
        Values::Codes(all) => {
            let kept = all.iter().enumerate().filter(|(row, _)| wanted(current, *row));
            Values::Codes(kept.map(|(_, code)| *code).collect())
        }
    };
    let picked: Vec<(&str, Values, Values)> = table
        .iter()
        .zip(other)
        .map(|((name, one), (_, two))| (name.as_str(), pick(one, false), pick(two, true)))
        .collect();
    fn side(values: &Values) -> Side<'_> {
        match values {
            Values::Numbers(numbers) => Side::Numbers(numbers),
            Values::Codes(codes) => Side::Categories(codes),
        }
    }
    let columns: Vec<Column<'_>> =
        picked.iter().map(|(name, one, two)| Column::new(name, side(one), side(two))).collect();
    compare(&columns, &Comparison::default(), &Options::default())
}

#[test]
fn penguins_with_one_planted_value_do_not_drift() {
    let (Some(clean), Some(skewed)) = (real("penguins.csv"), real("penguins_skewed.csv")) else { return };
    let report = between(&columns(&clean), &columns(&skewed), |_, _| true);
    assert_eq!(report.columns.len(), 5, "{}", report.render());
    assert_eq!((report.drifted().count(), report.not_judged().count()), (0, 0), "{}", report.render());
}

#[test]
fn taxi_rides_split_at_random_do_not_drift() {
    let Some(csv) = real("taxi.csv") else { return };
    let table = columns(&csv);
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let current: Vec<bool> = (0..csv.len()).map(|_| random.bits() & 1 == 1).collect();
        let report = between(&table, &table, |side, row| current[row] == side);
        assert_eq!(report.drifted().count(), 0, "{}", report.render());
        // One column has a single value; it is not judged, and no other.
        for column in report.not_judged() {
            assert!(column.reference.values + column.current.values <= 1, "{column:?}");
        }
    }
}

#[test]
fn taxi_rides_of_the_early_year_differ_from_those_of_the_late_year() {
    let Some(csv) = real("taxi.csv") else { return };
    let table = columns(&csv);
    let month = table.iter().find(|(name, _)| name == "trip_start_month").map(|(_, values)| values);
    let Some(Values::Numbers(months)) = month else { panic!("months are numbers") };
    let report = between(&table, &table, |current, row| (months[row] > 6.0) == current);
    assert!(report.drifted().any(|column| column.column == "trip_start_month"), "{}", report.render());
}
