//! Work on several threads, whose results do not depend on how many there are.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Rows of one piece of work. Sums are taken piece by piece in the order of rows, so that the number of threads
/// does not decide how they are rounded.
pub(crate) const PIECE: usize = 16 * 1024;

/// What `work` makes of 0, 1, ... `count - 1`, in this order.
pub fn map<R: Send>(threads: usize, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let threads = threads.clamp(1, count.max(1));
    if threads == 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return done;
            }
            done.push((at, work(at)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        let mut all = Vec::with_capacity(count);
        for thread in started {
            match thread.join() {
                Ok(part) => all.extend(part),
                Err(payload) => panic::resume_unwind(payload),
            }
        }
        all
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What `work` makes of each piece of `rows` rows, in the order of rows.
pub(crate) fn pieces<R: Send>(
    threads: usize,
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> R + Sync,
) -> Vec<R> {
    map(threads, rows.div_ceil(PIECE), |piece| {
        let start = piece.saturating_mul(PIECE);
        work(start..start.saturating_add(PIECE).min(rows))
    })
}

/// One value for each row.
pub(crate) fn rows<R: Send>(threads: usize, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let parts = pieces(threads, count, |rows| rows.map(&work).collect::<Vec<R>>());
    let mut all = Vec::with_capacity(count);
    parts.into_iter().for_each(|part| all.extend(part));
    all
}
