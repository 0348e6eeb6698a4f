//! The low levels of a quantile sketch for a whole block at once: many short runs side by side.
#![expect(clippy::indexing_slicing, reason = "a kernel over arrays of fixed size")]

use std::hint::select_unpredictable;

use super::Key;
use super::keys::key_of;

#[cfg(test)]
mod tests;

/// Values of a block.
pub(super) const BLOCK: usize = 2 * RUN * RUNS;
/// Values of a run, which are sorted together.
const RUN: usize = 16;
/// Pairs of runs in a block: pair p has every 16th pair of neighbours from p on.
const RUNS: usize = 16;
/// The highest level that a block can be thinned to: then one pair of runs is left.
pub(super) const RUNGS: usize = 5;

/// Two runs side by side: what fits into the registers that every processor of this kind has.
type Runs = [[f64; 2]; RUN];

/// What is kept of the block at level `rung`, ascending, and the squares of the terms that this adds to the error of a
/// rank. `coins` has a coin for each pair of runs at the first step, half as many at each after it.
pub(super) fn thinned(block: &[f64; BLOCK], rung: usize, mut coins: u64) -> (Vec<Key>, u128) {
    if rung == 0 {
        let mut keys: Vec<Key> = block.iter().map(|value| key_of(*value)).collect();
        keys.sort_unstable();
        return (keys, 0);
    }
    let mut runs = [[[0.0; 2]; RUN]; RUNS];
    let (pairs, _) = block.as_chunks::<2>();
    for (at, pair) in pairs.iter().enumerate() {
        runs[at % RUNS][at / RUNS] = *pair;
    }
    runs.iter_mut().for_each(sort);
    let (mut pairs, mut squares) = (RUNS, 0);
    for level in 0..rung {
        if level > 0 {
            pairs /= 2;
            for pair in 0..pairs {
                runs[pair] = join(&runs[2 * pair], &runs[2 * pair + 1]);
            }
        }
        for run in runs.iter_mut().take(pairs) {
            keep_half(run, coins & 1 == 1);
            coins >>= 1;
        }
        squares += (pairs as u128) << (2 * level);
    }
    let kept = runs.iter().take(pairs).flat_map(|run| run.iter().take(RUN / 2)).flatten();
    let mut keys: Vec<Key> = kept.map(|value| key_of(*value)).collect();
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
            least[lane] = lesser(least[lane], chunk[lane]);
            greatest[lane] = greater(greatest[lane], chunk[lane]);
        }
    }
    let fold = |lanes: [f64; 8], pick: fn(f64, f64) -> f64| lanes.into_iter().reduce(pick).unwrap_or(0.0);
    (fold(least, f64::min), fold(greatest, f64::max))
}

/// Puts the smaller value of two places first, in both runs, for one pair of places after the other. Written out, so that
/// the values stay in registers.
macro_rules! compare {
    ($runs:ident: $($upper:literal $lower:literal),*) => {$(
        let ([a, b], [c, d]) = ($runs[$upper], $runs[$lower]);
        $runs[$upper] = [lesser(a, c), lesser(b, d)];
        $runs[$lower] = [greater(a, c), greater(b, d)];
    )*};
}

/// The lesser of two finite numbers: one instruction where `f64::min`, which minds NaN, is many.
#[inline]
fn lesser(one: f64, two: f64) -> f64 {
    select_unpredictable(two < one, two, one)
}

#[inline]
fn greater(one: f64, two: f64) -> f64 {
    select_unpredictable(two < one, one, two)
}

/// Batcher's odd-even merge sort (1968).
fn sort(runs: &mut Runs) {
    let mut sorted = *runs;
    compare!(sorted:
        0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15,
        0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15,
        1 2, 5 6, 9 10, 13 14, 0 4, 1 5, 2 6, 3 7,
        8 12, 9 13, 10 14, 11 15, 2 4, 3 5, 10 12, 11 13,
        1 2, 3 4, 5 6, 9 10, 11 12, 13 14, 0 8, 1 9,
        2 10, 3 11, 4 12, 5 13, 6 14, 7 15, 4 8, 5 9,
        6 10, 7 11, 2 4, 3 5, 6 8, 7 9, 10 12, 11 13,
        1 2, 3 4, 5 6, 7 8, 9 10, 11 12, 13 14
    );
    *runs = sorted;
}

/// Sorts runs whose first half goes up and whose second goes down: Batcher's bitonic merge.
fn merge(runs: &mut Runs) {
    let mut merged = *runs;
    compare!(merged:
        0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15,
        0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15,
        0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15,
        0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15
    );
    *runs = merged;
}

/// Keeps, in the first half, every other value of both runs: the odd ones of one of them, the even ones of the other.
fn keep_half(runs: &mut Runs, coin: bool) {
    for kept in 0..RUN / 2 {
        let ([a, b], [c, d]) = (runs[2 * kept], runs[2 * kept + 1]);
        runs[kept] = if coin { [c, b] } else { [a, d] };
    }
}

/// Two pairs of runs of half length as one pair of full length.
fn join(one: &Runs, two: &Runs) -> Runs {
    let mut joined = *one;
    for at in 0..RUN / 2 {
        joined[RUN - 1 - at] = two[at];
    }
    merge(&mut joined);
    joined
}
