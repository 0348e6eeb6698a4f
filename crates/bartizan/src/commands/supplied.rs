//! What a model of the user's says of rows that it did not learn from: a table of probabilities, one column a label.

use std::collections::HashMap;

use bartizan_data::quality::{Gathered, Table};

use super::poison::keys;

/// How far from 1 the probabilities of a row may sum to.
const SLACK: f64 = 1e-3;

/// The probability of each label for each row of the table, row by row, and how the rows were found: by their order, or
/// by the column of keys that `key` names, with what names each row of the table.
///
/// # Errors
/// In words, when rows or labels are not those of the table, or numbers are no probabilities.
pub(super) fn probabilities(
    mut columns: Vec<Gathered>,
    table: &Table<'_>,
    key: Option<(&str, &[u128])>,
) -> Result<(Vec<f64>, String), String> {
    let given = columns.first().map_or(0, |column| column.codes.len());
    let (places, order) = match key {
        None if given == table.rows() => ((0..given).collect(), "in the order of the rows".to_owned()),
        None => {
            return Err(format!(
                "{given} rows of probabilities, and {} rows are looked at; `--key COLUMN` joins rows that are not in one order",
                table.rows()
            ));
        }
        Some((name, rows)) => {
            let at = columns.iter().position(|column| column.name == name);
            let at = at.ok_or_else(|| format!("there is no column `{name}` to join its rows by"))?;
            (joined(&columns.remove(at), rows, name)?, format!("joined by `{name}`"))
        }
    };
    let classes = classes(&columns, table)?;
    let mut values = Vec::with_capacity(places.len().saturating_mul(classes.len()));
    for place in places {
        let mut sum = 0.0;
        for (name, numbers) in &classes {
            let share = numbers.get(place).copied().unwrap_or(f64::NAN);
            if !(0.0..=1.0).contains(&share) {
                let what = if share.is_nan() { "has none" } else { "has one that is not from 0 to 1" };
                return Err(format!("row {} {what} in the column of probabilities `{name}`", place + 1));
            }
            sum += share;
            values.push(share);
        }
        if (sum - 1.0).abs() > SLACK {
            return Err(format!(
                "the probabilities of row {} sum to {sum:.4}, and 1 is needed, to within {SLACK}",
                place + 1
            ));
        }
    }
    Ok((values, order))
}

/// The column of each label, in the order of the labels' codes.
fn classes<'a>(columns: &'a [Gathered], table: &Table<'_>) -> Result<Vec<(&'a str, &'a [f64])>, String> {
    let labels = table.label().codes.values;
    let mut classes = vec![None; labels.len()];
    for column in columns {
        let name = column.name.as_str();
        let numbers = column.numbers.as_deref();
        let numbers =
            numbers.ok_or_else(|| format!("the column `{name}` holds something that is no number"))?;
        let class = labels.iter().position(|label| label == name);
        let class = class.or_else(|| labels.iter().position(|label| is_same(label, name)));
        let Some(class) = class.and_then(|at| classes.get_mut(at)) else {
            return Err(format!(
                "the column `{name}` is called as no label of the column `{}` is: one column for each label is needed, and no other",
                table.label().name
            ));
        };
        if let Some((other, _)) = class.replace((name, numbers)) {
            return Err(format!("the columns `{other}` and `{name}` are both of one label"));
        }
    }
    let found = classes.iter().flatten().count();
    classes.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
        format!(
            "columns of probabilities for {found} labels, and the column `{}` has {} different ones: one column for each is needed, called as the label is",
            table.label().name,
            labels.len()
        )
    })
}

/// Whether a column is called as a label that is written otherwise: `1.0` for `1`, `True` for `true`.
fn is_same(label: &str, name: &str) -> bool {
    let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
    match (number(label), number(name)) {
        (Some(label), Some(name)) => label == name,
        _ => matches!(label, "true" | "false") && label.eq_ignore_ascii_case(name),
    }
}

/// Where the probabilities of each row of the table are.
fn joined(column: &Gathered, rows: &[u128], name: &str) -> Result<Vec<usize>, String> {
    let mut known: HashMap<u128, usize> = HashMap::with_capacity(column.codes.len());
    for (place, key) in keys(column).into_iter().enumerate() {
        if let Some(before) = known.insert(key, place) {
            return Err(format!("rows {} and {} have one key `{name}`", before + 1, place + 1));
        }
    }
    let mut seen: HashMap<usize, usize> = HashMap::with_capacity(rows.len());
    let mut places = Vec::with_capacity(rows.len());
    for (row, key) in rows.iter().enumerate() {
        let place = known.get(key).copied();
        let place = place.ok_or_else(|| {
            format!("row {} of the table has a key `{name}` without probabilities", row + 1)
        })?;
        if let Some(before) = seen.insert(place, row) {
            return Err(format!("rows {} and {} of the table have one key `{name}`", before + 1, row + 1));
        }
        places.push(place);
    }
    Ok(places)
}
