//! Any table as columns of text, for those who want cells and no more.

use super::batch::{Cell, Column};
use super::turns::Sink;
use super::{ReadError, ReadOptions, ReadOutcome, Source, read};
use crate::cell::Value;

/// Reads a table, in whatever format, on this thread, and shows the values of each column in their order as CSV writes them,
/// `None` where there is none: `start` makes what a column is gathered in, `push` adds a value, and `join` adds what was
/// gathered from later rows. Elements of lists are a column of their own (`tags[]`), which need not have as many values as
/// there are rows; where a column of JSON begins late or ends early there are fewer, too.
///
/// # Errors
/// When the table cannot be read to its end. What was gathered until then is part of a file and proves nothing.
pub fn read_columns<S: Send>(
    source: Source<'_>,
    options: &ReadOptions,
    start: impl Fn(&str) -> S + Sync,
    push: impl Fn(&mut S, Option<&str>) + Sync,
    join: impl Fn(&mut S, S) + Sync,
) -> Result<(Vec<(String, S)>, ReadOutcome), ReadError> {
    let table = read(source, options, 1, &Gather { start, push, join, made: std::marker::PhantomData })?;
    Ok((table.columns, table.outcome))
}

struct Gather<S, A, P, J> {
    start: A,
    push: P,
    join: J,
    made: std::marker::PhantomData<fn() -> S>,
}

impl<S, A, P, J> Sink for Gather<S, A, P, J>
where
    S: Send,
    A: Fn(&str) -> S + Sync,
    P: Fn(&mut S, Option<&str>) + Sync,
    J: Fn(&mut S, S) + Sync,
{
    type State = S;

    fn start(&self, path: &str, _: usize) -> S {
        (self.start)(path)
    }

    fn observe(&self, state: &mut S, column: &Column<'_>) {
        for at in 0..column.len() {
            let cell: Cell<'_> = column.cell(at);
            match cell.value {
                Value::Null => (self.push)(state, None),
                _ => (self.push)(state, Some(&String::from_utf8_lossy(&cell.text()))),
            }
        }
    }

    fn merge(&self, state: &mut S, after: S) {
        (self.join)(state, after);
    }
}
