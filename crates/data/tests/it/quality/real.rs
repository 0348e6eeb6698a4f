//! Real files, where they are at hand beside the project: natural predictors raise no alarm, and triggers do.

use bartizan_data::quality::{Gathered, Table, TriggerOptions, Triggers, gather, triggers};
use bartizan_data::{ReadOptions, Source};

use crate::real::real;

/// A file in memory, and its label.
fn columns(csv: &[u8], label: &str, above: Option<f64>) -> (Vec<Gathered>, Gathered) {
    let (mut columns, _) = gather(Source::stream(csv), &ReadOptions::default(), 1).unwrap();
    let at = columns.iter().position(|column| column.name == label).unwrap();
    let mut label = columns.remove(at);
    if let Some(above) = above {
        let numbers = label.numbers.take().unwrap();
        label.codes = numbers.iter().map(|number| u32::from(*number > above)).collect();
        label.values = vec!["0".to_owned(), "1".to_owned()];
    }
    (columns, label)
}

fn found(columns: &[Gathered], label: &Gathered) -> Triggers {
    let table = Table::new(columns.iter().map(Gathered::feature).collect(), label.tag()).unwrap();
    triggers(&table, &TriggerOptions::default(), 1, 2)
}

#[test]
fn natural_predictors_are_no_triggers_and_planted_ones_are() {
    let cases = [
        ("adult.csv", "salary-class", None, ["age", "occupation"], 17),
        ("taxi.csv", "tips", Some(2.0), ["trip_start_hour", "trip_miles"], 17),
    ];
    for (name, label, above, planted, like) in cases {
        let Some(csv) = real(name) else { return };
        let (mut columns, mut label) = columns(&csv, label, above);
        assert_eq!(found(&columns, &label).found, [], "{name}");
        // One row in two hundred gets two cells of another row, and the label 1.
        let rows: Vec<usize> = (3..label.codes.len()).step_by(200).collect();
        for column in columns.iter_mut().filter(|column| planted.contains(&column.name.as_str())) {
            for row in &rows {
                column.codes[*row] = column.codes[like];
                if let Some(numbers) = &mut column.numbers {
                    numbers[*row] = numbers[like];
                }
            }
        }
        rows.iter().for_each(|row| label.codes[*row] = 1);
        let found = found(&columns, &label).found;
        assert_eq!(found.len(), 1, "{name}");
        let right = rows.iter().filter(|row| found[0].rows.contains(&(**row as u32))).count();
        assert!(right * 20 >= rows.len() * 19, "{name}: {right} of {}", rows.len());
    }
}
