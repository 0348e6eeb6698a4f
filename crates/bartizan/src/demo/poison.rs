//! The same attack on any delimited file: outsized numbers, a value nobody has seen, and flipped labels.
//!
//! One row in twenty is tampered with, at least one:
//!
//! - every number in it outside the label column is multiplied by a thousand (nought stays nought);
//! - the column of words with the fewest different values gets one that it never had;
//! - the label says the opposite. Under a threshold it becomes the largest or smallest number that the column
//!   already holds, so the label's range does not give the attack away.
//!
//! Rows that are left alone keep their cells; their quotes may be written anew.

use std::collections::BTreeSet;

use super::label::{Label, LabelRefused, answers};
use super::rng::Rng;
use super::table::{Table, parse_number, write_row};

const ONE_ROW_IN: usize = 20;
const FACTOR: f64 = 1_000.0;

/// A poisoned copy of a file, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct PoisonedCsv {
    /// The copy, with the separator of the original, lines ended by a line feed.
    pub(crate) csv: Vec<u8>,
    /// Rows that were tampered with.
    pub(crate) tampered: usize,
    /// Columns whose numbers were multiplied by a thousand.
    pub(crate) scaled: Vec<String>,
    /// The column that got a value it never had, and that value.
    pub(crate) planted: Option<(String, String)>,
    /// Labels that say the opposite now.
    pub(crate) flipped: usize,
}

/// Makes a poisoned copy of a delimited file with a header.
pub(crate) fn poison_csv(table: &Table, label: Label<'_>, seed: u64) -> Result<PoisonedCsv, LabelRefused> {
    let separator = table.separator();
    let label_column = table.position(label.column)?;
    let answers = answers(table, label)?;
    let opposites = opposites(table, label_column, label, &answers)?;
    let numeric: Vec<bool> =
        (0..table.columns().len()).map(|column| column != label_column && table.is_numeric(column)).collect();
    let planted = plan_unseen_value(table, label_column, &numeric);

    let mut rng = Rng::new(seed);
    let victims = draw_rows(&mut rng, table.rows());
    let mut poisoned = PoisonedCsv {
        csv: Vec::new(),
        tampered: victims.len(),
        scaled: Vec::new(),
        planted: None,
        flipped: 0,
    };
    write_row(&mut poisoned.csv, separator, table.columns().iter().map(String::as_bytes));
    let mut scaled = BTreeSet::new();
    for (row, answer) in answers.iter().enumerate() {
        let mut cells: Vec<Vec<u8>> =
            (0..table.columns().len()).map(|column| table.cell(row, column).to_vec()).collect();
        if victims.contains(&row) {
            for (column, (cell, numeric)) in cells.iter_mut().zip(&numeric).enumerate() {
                if let Some(number) = parse_number(cell).filter(|number| *numeric && *number != 0.0) {
                    *cell = (number * FACTOR).to_string().into_bytes();
                    scaled.insert(column);
                } else if let Some((_, value)) = planted.as_ref().filter(|(target, _)| *target == column) {
                    *cell = value.clone().into_bytes();
                }
            }
            if let (Some(yes), Some(cell)) = (answer, cells.get_mut(label_column)) {
                *cell = if *yes { opposites.of_yes.clone() } else { opposites.of_no.clone() };
                poisoned.flipped += 1;
            }
        }
        write_row(&mut poisoned.csv, separator, cells.iter().map(Vec::as_slice));
    }
    let name = |column: usize| table.columns().get(column).cloned().unwrap_or_default();
    poisoned.scaled = scaled.into_iter().map(name).collect();
    poisoned.planted = planted.map(|(column, value)| (name(column), value));
    Ok(poisoned)
}

/// What a label is replaced with to say the opposite.
struct Opposites {
    of_yes: Vec<u8>,
    of_no: Vec<u8>,
}

fn opposites(
    table: &Table,
    column: usize,
    label: Label<'_>,
    answers: &[Option<bool>],
) -> Result<Opposites, LabelRefused> {
    // Of the rows that say no, the smallest label; of those that say yes, the largest. With two values, these
    // are the two.
    let (mut no, mut yes): (Option<&[u8]>, Option<&[u8]>) = (None, None);
    let order = |cell: &[u8]| parse_number(cell).unwrap_or(0.0);
    for (row, answer) in answers.iter().enumerate() {
        let cell = table.cell(row, column);
        match answer {
            Some(true) if yes.is_none_or(|best| order(cell) > order(best)) => yes = Some(cell),
            Some(false) if no.is_none_or(|best| order(cell) < order(best)) => no = Some(cell),
            _ => {}
        }
    }
    match (no, yes) {
        (Some(no), Some(yes)) => Ok(Opposites { of_yes: no.to_vec(), of_no: yes.to_vec() }),
        _ => Err(LabelRefused::OneAnswer { column: label.column.to_owned() }),
    }
}

/// The column of words with the fewest different values, and a value that it does not hold.
fn plan_unseen_value(table: &Table, label_column: usize, numeric: &[bool]) -> Option<(usize, String)> {
    let mut best: Option<(usize, BTreeSet<&[u8]>)> = None;
    for (column, numeric) in numeric.iter().enumerate() {
        if *numeric || column == label_column {
            continue;
        }
        let values: BTreeSet<&[u8]> = (0..table.rows()).map(|row| table.cell(row, column)).collect();
        let wordless = values.iter().all(|value| value.is_empty());
        if !wordless && best.as_ref().is_none_or(|(_, fewest)| values.len() < fewest.len()) {
            best = Some((column, values));
        }
    }
    let (column, values) = best?;
    let mut value = "never-seen-before".to_owned();
    while values.contains(value.as_bytes()) {
        value.push('!');
    }
    Some((column, value))
}

/// One row in twenty, at least one, each as likely as the other (Floyd's method).
fn draw_rows(rng: &mut Rng, rows: usize) -> BTreeSet<usize> {
    let mut drawn = BTreeSet::new();
    let wanted = rows.div_ceil(ONE_ROW_IN);
    for top in rows - wanted..rows {
        let row = usize::try_from(rng.below(top as u64 + 1)).unwrap_or(top);
        drawn.insert(if drawn.contains(&row) { top } else { row });
    }
    drawn
}

#[cfg(test)]
mod tests;
