//! A stream in pieces, worked on by several threads, with the results of one.
//!
//! Each worker takes the next piece, parses it, and then shows column after column to that column's state. It may
//! show a column only when the piece before has been through it, so every state sees the file in order, whatever the
//! number of threads; and since the worker of the piece before is always a column or more ahead, they all keep
//! working. Nothing is merged and nothing is kept but one piece for each worker.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::ReadError;
use super::batch::{Column, Rows};

/// What is kept of each column while a table is read.
pub(crate) trait Sink: Sync {
    /// The state of one column.
    type State: Send;

    /// The state of a column of which nothing was seen, in a table of so many columns, as far as is known by then.
    fn start(&self, path: &str, width: usize) -> Self::State;

    /// Takes in the next values of a column.
    fn observe(&self, state: &mut Self::State, column: &Column<'_>);

    /// Takes in what was seen of the rows after those that `state` has seen.
    fn merge(&self, state: &mut Self::State, after: Self::State);

    /// The paths of columns whose values are wanted row by row as well. Elements of lists are none of them.
    fn together(&self) -> &[String] {
        &[]
    }

    /// Takes in rows with the columns of [`Self::together`], `None` for one that has no value in any of them. Every row
    /// is shown once, but parts of a table come in any order and from any thread.
    fn rows(&self, rows: &TableRows<'_>) {
        let _: &TableRows<'_> = rows;
    }
}

/// Rows of a table, as far as their columns are wanted.
pub(crate) struct TableRows<'a> {
    /// The number of the first of them, from 1.
    pub(crate) first: u64,
    pub(crate) count: usize,
    pub(crate) columns: &'a [Option<&'a Column<'a>>],
}

/// Where pieces come from, in order.
pub(crate) trait Pieces {
    /// What a worker parses.
    type Raw;

    /// The next piece; `None` at the end. Called by one worker at a time.
    fn next(&mut self) -> Result<Option<Self::Raw>, ReadError>;
}

/// What becomes of a piece.
pub(crate) trait Parse<P: Pieces>: Sync {
    /// A piece in columns.
    type Parsed;

    /// Parses one piece, knowing nothing of the others.
    fn parse(&self, raw: P::Raw) -> Self::Parsed;

    /// Places a piece after `rows` rows, and says how many it has. Called in order.
    fn place(&self, parsed: &mut Self::Parsed, rows: u64, columns: &mut Columns) -> Result<u64, ReadError>;

    /// Shows the column of that number.
    fn show(&self, parsed: &Self::Parsed, column: usize, show: &mut dyn FnMut(&Column<'_>));
}

/// The columns that are known by now; there may be more as a file goes on.
#[derive(Default)]
pub(crate) struct Columns {
    paths: Vec<String>,
}

impl Columns {
    pub(crate) fn push(&mut self, path: String) {
        self.paths.push(path);
    }
}

/// What a read to the end leaves.
pub(crate) struct Finished<S> {
    pub(crate) columns: Vec<(String, S)>,
    pub(crate) rows: u64,
}

struct Slot<S> {
    inner: Mutex<SlotState<S>>,
    turn: Condvar,
}

struct SlotState<S> {
    /// The piece whose turn it is.
    next: usize,
    state: Option<S>,
}

struct Shared<P, S> {
    source: Mutex<(P, usize, bool)>,
    /// Whose turn it is to be placed, rows so far, and all columns.
    placing: Mutex<Placing<S>>,
    placed: Condvar,
    /// The earliest piece that failed: later ones stop, earlier ones go on, for one of them may fail too.
    failed: Mutex<Option<(usize, ReadError)>>,
}

struct Placing<S> {
    next: usize,
    rows: u64,
    columns: Columns,
    slots: Vec<Arc<Slot<S>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads `pieces` to their end with so many threads, this one among them.
pub(super) fn run<P, W, K>(
    pieces: P,
    parse: &W,
    sink: &K,
    first_columns: Vec<String>,
    threads: usize,
) -> Result<(Finished<K::State>, P), ReadError>
where
    P: Pieces + Send,
    W: Parse<P>,
    K: Sink,
{
    if threads <= 1 {
        return run_here(pieces, parse, sink, first_columns);
    }
    let shared = Shared::new(pieces, sink, first_columns);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&shared, parse, sink))).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    shared.finish()
}

/// Reads `pieces` to their end with this thread alone.
pub(crate) fn run_here<P, W, K>(
    pieces: P,
    parse: &W,
    sink: &K,
    first_columns: Vec<String>,
) -> Result<(Finished<K::State>, P), ReadError>
where
    P: Pieces,
    W: Parse<P>,
    K: Sink,
{
    let shared = Shared::new(pieces, sink, first_columns);
    work(&shared, parse, sink);
    shared.finish()
}
fn slot<S>(state: S, next: usize) -> Arc<Slot<S>> {
    Arc::new(Slot { inner: Mutex::new(SlotState { next, state: Some(state) }), turn: Condvar::new() })
}

impl<P, S> Shared<P, S> {
    fn new<K: Sink<State = S>>(pieces: P, sink: &K, first_columns: Vec<String>) -> Self {
        let mut columns = Columns::default();
        let width = first_columns.len();
        let mut slots = Vec::with_capacity(width);
        for path in first_columns {
            slots.push(slot(sink.start(&path, width), 0));
            columns.push(path);
        }
        Self {
            source: Mutex::new((pieces, 0, false)),
            placing: Mutex::new(Placing { next: 0, rows: 0, columns, slots }),
            placed: Condvar::new(),
            failed: Mutex::new(None),
        }
    }

    fn finish(self) -> Result<(Finished<S>, P), ReadError> {
        if let Some((_, error)) = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let (pieces, _, _) = self.source.into_inner().unwrap_or_else(PoisonError::into_inner);
        let placing = self.placing.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut finished = Vec::with_capacity(placing.slots.len());
        for (path, slot) in placing.columns.paths.into_iter().zip(placing.slots) {
            if let Some(state) = lock(&slot.inner).state.take() {
                finished.push((path, state));
            }
        }
        Ok((Finished { columns: finished, rows: placing.rows }, pieces))
    }

    fn fail(&self, piece: usize, error: ReadError) {
        let mut failed = lock(&self.failed);
        if failed.as_ref().is_none_or(|(earliest, _)| piece < *earliest) {
            *failed = Some((piece, error));
        }
        drop(failed);
        // Whoever waits for this piece waits no more.
        let placing = lock(&self.placing);
        for slot in &placing.slots {
            let _turn = lock(&slot.inner);
            slot.turn.notify_all();
        }
        self.placed.notify_all();
    }

    fn stopped(&self, piece: usize) -> bool {
        lock(&self.failed).as_ref().is_some_and(|(earliest, _)| piece >= *earliest)
    }
}

/// A worker that panics must not leave the others waiting for it.
struct Watch<'a, P, S>(&'a Shared<P, S>, usize);

impl<P, S> Drop for Watch<'_, P, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(self.1, ReadError::Changed);
        }
    }
}

fn work<P, W, K>(shared: &Shared<P, K::State>, parse: &W, sink: &K)
where
    P: Pieces,
    W: Parse<P>,
    K: Sink,
{
    loop {
        let (piece, raw) = {
            let mut source = lock(&shared.source);
            let (pieces, next, ended) = &mut *source;
            if *ended {
                return;
            }
            let piece = *next;
            *next += 1;
            match pieces.next() {
                Ok(Some(raw)) => (piece, raw),
                Ok(None) => {
                    *ended = true;
                    return;
                }
                Err(error) => {
                    *ended = true;
                    drop(source);
                    shared.fail(piece, error);
                    return;
                }
            }
        };
        if shared.stopped(piece) {
            return;
        }
        let _watch = Watch(shared, piece);
        let mut parsed = parse.parse(raw);
        let Some(Placed { slots, rows, wanted }) = place(shared, parse, sink, piece, &mut parsed) else {
            return;
        };
        if !wanted.is_empty() && rows.1 > 0 {
            show_together(parse, &parsed, &wanted, rows, sink);
        }
        for (column, slot) in slots.iter().enumerate() {
            let mut turn = lock(&slot.inner);
            while turn.next != piece {
                if shared.stopped(piece) {
                    return;
                }
                turn = slot.turn.wait(turn).unwrap_or_else(PoisonError::into_inner);
            }
            if let Some(state) = &mut turn.state {
                parse.show(&parsed, column, &mut |column| sink.observe(state, column));
            }
            turn.next = piece + 1;
            drop(turn);
            slot.turn.notify_all();
        }
    }
}

/// A piece that has its place.
struct Placed<S> {
    slots: Vec<Arc<Slot<S>>>,
    /// The number of its first row, from 1, and how many it has.
    rows: (u64, u64),
    /// Where the columns are that are wanted together, if they are known by now.
    wanted: Vec<Option<usize>>,
}

/// Columns that are shown, the last one first: each lives only while the next is shown.
struct Held<'a> {
    column: Option<&'a Column<'a>>,
    before: Option<&'a Held<'a>>,
}

/// Shows columns of a piece side by side.
fn show_together<P: Pieces, W: Parse<P>, K: Sink>(
    parse: &W,
    parsed: &W::Parsed,
    wanted: &[Option<usize>],
    rows: (u64, u64),
    sink: &K,
) {
    hold(parse, parsed, wanted, rows, None, &mut |last| {
        let (mut columns, mut held) = (Vec::with_capacity(wanted.len()), last);
        while let Some(one) = held {
            columns.push(one.column);
            held = one.before;
        }
        columns.reverse();
        let count = usize::try_from(rows.1).unwrap_or(usize::MAX);
        sink.rows(&TableRows { first: rows.0, count, columns: &columns });
    });
}

fn hold<P: Pieces, W: Parse<P>>(
    parse: &W,
    parsed: &W::Parsed,
    wanted: &[Option<usize>],
    rows: (u64, u64),
    before: Option<&Held<'_>>,
    then: &mut dyn FnMut(Option<&Held<'_>>),
) {
    let Some((next, rest)) = wanted.split_first() else { return then(before) };
    let mut shown = false;
    if let Some(place) = next {
        parse.show(parsed, *place, &mut |column| {
            // Columns that begin late are first shown without values, for rows that were before.
            let here = matches!(column.rows, Rows::From(first) if first == rows.0);
            if here && column.len() as u64 == rows.1 && !shown {
                shown = true;
                hold(parse, parsed, rest, rows, Some(&Held { column: Some(column), before }), then);
            }
        });
    }
    if !shown {
        hold(parse, parsed, rest, rows, Some(&Held { column: None, before }), then);
    }
}

/// Waits until all pieces before have their place, and gives this one its.
fn place<P, W, K>(
    shared: &Shared<P, K::State>,
    parse: &W,
    sink: &K,
    piece: usize,
    parsed: &mut W::Parsed,
) -> Option<Placed<K::State>>
where
    P: Pieces,
    W: Parse<P>,
    K: Sink,
{
    let mut placing = lock(&shared.placing);
    while placing.next != piece {
        if shared.stopped(piece) {
            return None;
        }
        placing = shared.placed.wait(placing).unwrap_or_else(PoisonError::into_inner);
    }
    let Placing { next, rows, columns, slots } = &mut *placing;
    let first = *rows + 1;
    let count = match parse.place(parsed, *rows, columns) {
        Ok(more) => {
            *rows += more;
            more
        }
        Err(error) => {
            drop(placing);
            shared.fail(piece, error);
            return None;
        }
    };
    for path in columns.paths.iter().skip(slots.len()) {
        slots.push(slot(sink.start(path, 0), piece));
    }
    *next = piece + 1;
    let slots = slots.clone();
    let together = sink.together().iter();
    let wanted = together.map(|path| columns.paths.iter().position(|known| known == path)).collect();
    drop(placing);
    shared.placed.notify_all();
    Some(Placed { slots, rows: (first, count), wanted })
}
