//! Whether a value is of the column's type.

use super::{Counted, Rule};
use crate::profile::ColumnType;
use crate::read::batch::{Cell, Lane};

/// Values of another type.
#[derive(Debug)]
pub(in crate::check) struct Kind {
    kind: ColumnType,
    pub(in crate::check) wrong: Counted,
}

impl Kind {
    pub(super) fn new(kind: ColumnType) -> Self {
        Self { kind, wrong: Counted::default() }
    }
}

impl Rule for Kind {
    fn clean(&self, lane: &Lane<'_>) -> bool {
        use ColumnType as C;
        match (self.kind, lane) {
            (_, Lane::Nulls(_))
            | (C::Integer | C::Float | C::String, Lane::Integers(..))
            | (C::Float | C::String, Lane::Floats(..) | Lane::Decimals(..))
            | (C::Boolean | C::String, Lane::Booleans(..))
            | (C::Date | C::Timestamp | C::String, Lane::Days(..))
            | (C::Timestamp | C::String, Lane::Instants(_))
            | (C::String, Lane::Texts(_))
            | (C::Binary, Lane::Bytes(_))
            | (C::List, Lane::Lists(..)) => true,
            (_, Lane::Dictionary { values, .. }) => self.clean(values),
            (kind, Lane::Cells(cells)) => cells.values.iter().all(|value| kind.accepts(*value)),
            _ => false,
        }
    }

    fn cell(&mut self, row: u64, cell: &Cell<'_>) {
        if !self.kind.accepts(cell.value) {
            self.wrong.add(row, cell);
        }
    }
}
