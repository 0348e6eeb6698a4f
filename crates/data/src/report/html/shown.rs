//! Which values of a column a page may show.
//!
//! A report is handed around. So it shows numbers that sum up a column (extremes, quantiles, means) unless they look like
//! personal data or are so few that a sum tells each of them, and values of text only where a schema would list them too: few, and each often. Other text it shows by shape.

use super::super::gate::{Gate, TOLD_ROWS};
use crate::profile::{ColumnProfile, ColumnType, TopValue};

/// Values of a column that are shown.
const SHOWN_VALUES: usize = 8;

/// What is shown of the values of a column.
pub(super) struct Frequent {
    /// Each with how often it came.
    pub(super) values: Vec<(String, u64)>,
    /// How many more there are, and how many rows have one of them.
    pub(super) others: (u64, u64),
    /// Whether these are shapes.
    pub(super) shapes: bool,
}

impl Gate {
    /// Why no number of a column is shown, if none is.
    pub(super) fn withheld(&self, column: &ColumnProfile) -> Option<String> {
        if (1..TOLD_ROWS).contains(&column.kinds().total()) {
            return Some(format!("Fewer than {TOLD_ROWS} rows have a value, so none is shown."));
        }
        let kind = self.personal_numbers(column)?;
        Some(format!("The numbers look like personal data ({kind}), so none is shown."))
    }

    /// What the numbers of a column look like, if that is personal.
    fn personal_numbers(&self, column: &ColumnProfile) -> Option<String> {
        let mut scan = self.detector.column(column.name());
        let view = column.quantiles().and_then(|sketch| sketch.view());
        let mut texts: Vec<String> = Vec::new();
        texts.extend(column.range().into_iter().flat_map(|(least, greatest)| [least, greatest]));
        for q in [0.05, 0.25, 0.5, 0.75, 0.95] {
            texts.extend(view.as_ref().map(|view| format!("{}", view.quantile(q))));
        }
        texts.iter().for_each(|text| {
            scan.observe(text.as_bytes());
        });
        scan.verdict().holds
    }

    /// Frequent values where they may be shown, and shapes where not.
    pub(super) fn frequent(&self, column: &ColumnProfile) -> Frequent {
        self.values(column).unwrap_or_else(|| shapes(column))
    }

    fn values(&self, column: &ColumnProfile) -> Option<Frequent> {
        let mut values = column.values()?;
        let rows = column.kinds().total();
        let distinct = u64::try_from(values.len()).ok().filter(|distinct| *distinct > 0)?;
        let boolean = column.column_type() == ColumnType::Boolean;
        if !boolean && rows / distinct < TOLD_ROWS {
            return None;
        }
        values.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        let mut scan = self.detector.column(column.name());
        let mut allowed = |value: &str, count: u64| {
            boolean || count >= TOLD_ROWS && scan.observe(value.as_bytes()).is_empty()
        };
        let shown: Vec<(String, u64)> = values
            .iter()
            .filter(|(value, count)| allowed(value, *count))
            .take(SHOWN_VALUES)
            .map(|(value, count)| (value.clone().into_owned(), *count))
            .collect();
        let of_shown: u64 = shown.iter().map(|(_, count)| count).sum();
        let others = (distinct.saturating_sub(shown.len() as u64), rows.saturating_sub(of_shown));
        (!shown.is_empty()).then_some(Frequent { values: shown, others, shapes: false })
    }
}

fn shapes(column: &ColumnProfile) -> Frequent {
    let shapes: Vec<TopValue> = column.shapes();
    let all: u64 = column.kinds().string;
    let few: Vec<(String, u64)> =
        shapes.iter().take(SHOWN_VALUES).map(|shape| (shape.value.clone(), shape.lower)).collect();
    let of_shown: u64 = few.iter().map(|(_, count)| count).sum();
    let others = (shapes.len().saturating_sub(few.len()) as u64, all.saturating_sub(of_shown));
    Frequent { values: few, others, shapes: true }
}
