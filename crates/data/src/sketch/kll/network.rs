//! The low levels of a quantile sketch for a whole block at once: many short runs side by side.
#![expect(clippy::indexing_slicing, reason = "a kernel over arrays of fixed size")]

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
            least[lane] = if chunk[lane] < least[lane] { chunk[lane] } else { least[lane] };
            greatest[lane] = if chunk[lane] > greatest[lane] { chunk[lane] } else { greatest[lane] };
        }
    }
    let fold = |lanes: [f64; 8], pick: fn(f64, f64) -> f64| lanes.into_iter().reduce(pick).unwrap_or(0.0);
    (fold(least, f64::min), fold(greatest, f64::max))
}

/// The comparisons of Batcher's odd-even merge sort (1968) for a run.
const SORT: [(usize, usize); 63] = {
    let mut network = [(0, 0); 63];
    let (mut len, mut sorted) = (0, 1);
    while sorted < RUN {
        let mut distance = sorted;
        while distance > 0 {
            // Every other group of `distance` places is compared with the next one.
            let mut group = distance % sorted;
            while group + distance < RUN {
                let mut upper = group;
                while upper < group + distance && upper + distance < RUN {
                    if upper / (2 * sorted) == (upper + distance) / (2 * sorted) {
                        network[len] = (upper, upper + distance);
                        len += 1;
                    }
                    upper += 1;
                }
                group += 2 * distance;
            }
            distance /= 2;
        }
        sorted *= 2;
    }
    assert!(len == network.len());
    network
};

/// The comparisons that sort a run whose first half goes up and whose second goes down (Batcher's bitonic merge).
const MERGE: [(usize, usize); 32] = {
    let mut network = [(0, 0); 32];
    let (mut len, mut distance) = (0, RUN / 2);
    while distance > 0 {
        let mut upper = 0;
        while upper < RUN {
            if upper & distance == 0 {
                network[len] = (upper, upper + distance);
                len += 1;
            }
            upper += 1;
        }
        distance /= 2;
    }
    assert!(len == network.len());
    network
};

fn sort(runs: &mut Runs) {
    // A copy that nothing points to stays in registers.
    let mut sorted = *runs;
    let mut at = 0;
    while at < SORT.len() {
        order(&mut sorted, SORT[at]);
        at += 1;
    }
    *runs = sorted;
}

/// Puts the smaller value of two places first, in both runs.
#[inline(always)]
fn order(runs: &mut Runs, (upper, lower): (usize, usize)) {
    let ([a, b], [c, d]) = (runs[upper], runs[lower]);
    runs[upper] = [if c < a { c } else { a }, if d < b { d } else { b }];
    runs[lower] = [if c < a { a } else { c }, if d < b { b } else { d }];
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
    let mut at = 0;
    while at < MERGE.len() {
        order(&mut joined, MERGE[at]);
        at += 1;
    }
    joined
}
