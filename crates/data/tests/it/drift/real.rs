//! Real tables: no drift where there is none.

use std::collections::BTreeMap;
use std::io::Cursor;

use bartizan_data::drift::{
    Column, Comparison, DriftReport, Frame, Options, Random, Side, Want, compare, pairs,
};
use bartizan_data::{Outcome, ReadOptions, Source};

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

fn table(bytes: Vec<u8>) -> Frame {
    const READ: [&str; 8] = ["AGEP", "SCHL", "RELP", "CIT", "ANC", "SEX", "RAC1P", "year"];
    let want = |name: &str| if READ.contains(&name) { Want::Found } else { Want::Skip };
    Frame::read(Source::seekable(Cursor::new(bytes)), &ReadOptions::default(), 2, want).unwrap().0
}

/// Compares some rows of a table with some of another, in all columns but `left_out`.
fn of_rows(one: &Frame, two: &Frame, rows: (&[u32], &[u32]), left_out: &str) -> DriftReport {
    let picked: Vec<_> = pairs(one, two)
        .into_iter()
        .filter(|pair| pair.name != left_out)
        .map(|pair| (pair.name, pair.reference.pick(rows.0), pair.current.pick(rows.1)))
        .collect();
    let columns: Vec<Column<'_>> =
        picked.iter().map(|(name, one, two)| Column::new(name, one.side(), two.side())).collect();
    compare(&columns, &Comparison::default(), &Options::default())
}

/// A census survey of employment: its reference is of 2015, and three later years follow.
#[test]
fn employment_drifts_over_the_years_and_not_within_one() {
    let files = ["employment_reference.parquet", "employment_analysis.parquet"].map(real);
    let [Some(reference), Some(analysis)] = files else { return };
    let (one, two) = (table(reference), table(analysis));
    let all: Vec<u32> = (0..u32::try_from(one.rows()).unwrap()).collect();
    let years = two.column("year").unwrap().numbers().unwrap();
    let ancestry = |year: f64| {
        let rows: Vec<u32> = (0..).zip(years).filter(|(_, of)| **of == year).map(|(row, _)| row).collect();
        let report = of_rows(&one, &two, (&all, &rows), "year");
        assert_ne!(report.outcome(), Outcome::Error, "{}", report.render());
        let line = report.columns.iter().find(|line| line.column == "ANC").unwrap().clone();
        let drifted: Vec<String> = report.drifted().map(|line| line.column.clone()).collect();
        (line.effect.unwrap().value, line.adjusted_p.unwrap(), drifted)
    };
    let years = [2016.0, 2017.0, 2018.0].map(ancestry);
    // The distance grows from year to year; each is far beyond chance, and the last beyond a small effect.
    assert!(years.iter().all(|(_, p, _)| *p < 1e-6), "{years:?}");
    assert!(years.is_sorted_by(|one, two| one.0 < two.0), "{years:?}");
    assert_eq!(years[2].2, ["ANC"], "{years:?}");
    // The first year by itself, in two halves at random, is no drift.
    let mut random = Random::new(4);
    let (mut half, mut other) = (Vec::new(), Vec::new());
    for row in all {
        if random.bits() & 1 == 0 { half.push(row) } else { other.push(row) }
    }
    let report = of_rows(&one, &one, (&half, &other), "");
    assert_eq!(report.outcome(), Outcome::Valid, "{}", report.render());
}

/// What a floor is for: mild changes that are made on purpose to tables of others are told, and none where rows were
/// dealt at random.
#[test]
fn made_changes_of_a_census_are_told_and_random_halves_are_not() {
    let Some(csv) = real("adult.csv") else { return };
    let table = columns(String::from_utf8(csv).unwrap().replace(',', " ").replace(';', ",").as_bytes());
    let mut random = Random::new(11);
    let dealt: Vec<bool> = (0..40_000).map(|_| random.bits() & 1 == 1).collect();
    let report = between(&table, &table, |side, row| dealt[row] == side);
    assert_eq!(report.outcome(), Outcome::Valid, "{}", report.render());
    // Everybody is two years older, a seventh of the standard deviation, and one man in eight is a woman.
    let changed: Vec<(String, Values)> = table
        .iter()
        .map(|(name, values)| {
            let values = match values {
                Values::Numbers(all) if name == "age" => {
                    Values::Numbers(all.iter().map(|age| age + 2.0).collect())
                }
                Values::Numbers(all) => Values::Numbers(all.clone()),
                Values::Codes(all) if name == "sex" => Values::Codes(
                    all.iter()
                        .map(|code| if *code == 1 && random.below(100) < 12 { 0 } else { *code })
                        .collect(),
                ),
                Values::Codes(all) => Values::Codes(all.clone()),
            };
            (name.clone(), values)
        })
        .collect();
    let report = between(&table, &changed, |side, row| dealt[row] == side);
    let drifted: Vec<&str> = report.drifted().map(|line| line.column.as_str()).collect();
    assert_eq!(drifted, ["sex", "age"], "{}", report.render());
}
