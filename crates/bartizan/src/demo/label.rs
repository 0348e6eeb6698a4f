//! The label of a delimited file: which column it is, and what its cells say.

use std::collections::BTreeSet;

use super::table::{Table, TableRefused, parse_number};

/// Which column is to be predicted, and what counts as a yes in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<'a> {
    /// The column's name.
    pub(crate) column: &'a str,
    /// Numbers above this are a yes. Without it the column must hold exactly two values, and the one that
    /// sorts last is the yes: `1` of `0`, `1`; `true` of `false`, `true`; `>50K` of `<=50K`, `>50K`.
    pub(crate) above: Option<f64>,
}

/// Why a file has no label of two answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabelRefused {
    #[error(transparent)]
    Table(#[from] TableRefused),
    #[error("column `{column}` holds {found} different values; two are needed, or a threshold")]
    NotBinary { column: String, found: usize },
    #[error(
        "row {row}: `{value}` in column `{column}` is not a number, so it can't be compared with a threshold"
    )]
    NotNumber { column: String, row: usize, value: String },
    #[error("every row has the same answer in column `{column}`")]
    OneAnswer { column: String },
}

/// The answer of each row; `None` where the cell is empty.
pub(crate) fn answers(table: &Table, label: Label<'_>) -> Result<Vec<Option<bool>>, LabelRefused> {
    let column = table.position(label.column)?;
    let cells = (0..table.rows()).map(|row| table.cell(row, column).trim_ascii());
    if let Some(above) = label.above {
        let judge = |(row, cell): (usize, &[u8])| {
            if cell.is_empty() {
                return Ok(None);
            }
            let number = parse_number(cell).ok_or_else(|| LabelRefused::NotNumber {
                column: label.column.to_owned(),
                row: row + 1,
                value: String::from_utf8_lossy(cell).chars().take(80).collect(),
            })?;
            Ok(Some(number > above))
        };
        return cells.enumerate().map(judge).collect();
    }
    let values: BTreeSet<&[u8]> = cells.clone().filter(|cell| !cell.is_empty()).collect();
    let (2, Some(yes)) = (values.len(), values.last()) else {
        return Err(LabelRefused::NotBinary { column: label.column.to_owned(), found: values.len() });
    };
    Ok(cells.map(|cell| if cell.is_empty() { None } else { Some(cell == *yes) }).collect())
}

#[cfg(test)]
mod tests;
