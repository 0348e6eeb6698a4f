//! The low levels of a quantile sketch for a whole block at once: many short runs side by side.
#![expect(clippy::indexing_slicing, reason = "a kernel over arrays of fixed size")]

use super::Key;
use super::keys::key_of;

/// Values of a block.
pub(super) const BLOCK: usize = RUN * LANES;
/// Values of a run, which are sorted together.
const RUN: usize = 16;
/// Runs of a block: run j has every 32nd value from j on.
const LANES: usize = 32;
/// The highest level that a block can be thinned to: then one run is left.
pub(super) const RUNGS: usize = 6;

/// What is kept of the block at level `rung`, ascending, and the squares of the terms that this adds to the error of a
/// rank. `coins` has a coin for every two runs of the first step, fewer for each after it, 32 in all.
pub(super) fn thinned(block: &[f64; BLOCK], rung: usize, coins: u64) -> (Vec<Key>, u128) {
    let mut squares = 0;
    let mut keys: Vec<Key> = if rung == 0 {
        block.iter().map(|value| key_of(*value)).collect()
    } else {
        let mut rows = rows_of(block);
        sort_runs(&mut rows);
        let (mut lanes, mut coins) = (LANES, coins);
        for level in 0..rung {
            if level > 0 {
                lanes /= 2;
                join_runs(&mut rows, lanes);
            }
            let drawn = (lanes / 2).max(1);
            keep_half(&mut rows, lanes, coins);
            coins >>= drawn;
            squares += (drawn as u128) << (2 * level);
        }
        let kept = rows.iter().take(RUN / 2);
        kept.flat_map(|row| row.iter().take(lanes)).map(|value| key_of(*value)).collect()
    };
    keys.sort_unstable();
    (keys, squares)
}

/// The least and the greatest value of a block.
pub(super) fn extremes(block: &[f64; BLOCK]) -> (f64, f64) {
    let mut least = [f64::INFINITY; 8];
    let mut greatest = [f64::NEG_INFINITY; 8];
    let (chunks, _) = block.as_chunks::<8>();
    for chunk in chunks {
        for lane in 0..8 {
            least[lane] = if chunk[lane] < least[lane] { chunk[lane] } else { least[lane] };
            greatest[lane] = if chunk[lane] > greatest[lane] { chunk[lane] } else { greatest[lane] };
        }
    }
    let fold = |lanes: [f64; 8], pick: fn(f64, f64) -> f64| lanes.into_iter().reduce(pick).unwrap_or(0.0);
    (fold(least, f64::min), fold(greatest, f64::max))
}

type Rows = [[f64; LANES]; RUN];

fn rows_of(block: &[f64; BLOCK]) -> Rows {
    let mut rows = [[0.0; LANES]; RUN];
    let (chunks, _) = block.as_chunks::<LANES>();
    rows.iter_mut().zip(chunks).for_each(|(row, chunk)| *row = *chunk);
    rows
}

/// Batcher's odd-even merge sort (1968) of 16, down every lane at once.
fn sort_runs(rows: &mut Rows) {
    let mut p = 1;
    while p < RUN {
        let mut k = p;
        while k >= 1 {
            let mut j = k % p;
            while j + k < RUN {
                for i in 0..k.min(RUN - j - k) {
                    if (i + j) / (2 * p) == (i + j + k) / (2 * p) {
                        order(rows, i + j, i + j + k, LANES);
                    }
                }
                j += 2 * k;
            }
            k /= 2;
        }
        p *= 2;
    }
}

/// Puts the smaller value of two rows into the upper one, in each lane.
#[inline]
fn order(rows: &mut Rows, upper: usize, lower: usize, lanes: usize) {
    let (above, below) = rows.split_at_mut(lower);
    let (above, below) = (&mut above[upper], &mut below[0]);
    for (one, two) in above.iter_mut().zip(below).take(lanes) {
        let (a, b) = (*one, *two);
        *one = if b < a { b } else { a };
        *two = if b < a { a } else { b };
    }
}

/// Keeps every other value of each run: in the first half of the lanes by a coin for each, in the second by the
/// opposite ones.
fn keep_half(rows: &mut Rows, lanes: usize, coins: u64) {
    let mut odd = [false; LANES];
    let half = (lanes / 2).max(1);
    for (lane, odd) in odd.iter_mut().enumerate().take(lanes) {
        *odd = ((coins >> (lane % half)) & 1 == 1) != (lane >= half);
    }
    for kept in 0..RUN / 2 {
        let (even_row, odd_row) = (rows[2 * kept], rows[2 * kept + 1]);
        for lane in 0..lanes {
            rows[kept][lane] = if odd[lane] { odd_row[lane] } else { even_row[lane] };
        }
    }
}

/// Makes one run of 16 of two of 8, those of lanes j and j + `lanes`: Batcher's bitonic merge.
fn join_runs(rows: &mut Rows, lanes: usize) {
    for upper in 0..RUN / 2 {
        for lane in 0..lanes {
            rows[RUN - 1 - upper][lane] = rows[upper][lane + lanes];
        }
    }
    for distance in [8, 4, 2, 1] {
        for upper in (0..RUN).filter(|row| row & distance == 0) {
            order(rows, upper, upper + distance, lanes);
        }
    }
}
