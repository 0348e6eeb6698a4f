//! Quantiles of a column from a sample in levels, with a bound of the error that follows from what was thrown away.

mod keys;
mod network;
mod stored;
mod view;

pub use self::view::{CdfPoint, KllView, RankError};

use self::keys::{key_of, merge_sorted, value_of};
use self::network::{BLOCK, RUNGS};
use super::{NotMergeable, hash, joint_count};

/// Levels below the top that have room of their own; values skip those further down, see [`Kll::rung`].
const ROOMY: usize = 5;
/// No level has less room than this.
const LEAST_ROOM: usize = 16;
/// A value has a level for each bit of a count, and counts stay below 2^53.
const MOST_LEVELS: usize = 54;

/// The parameter of a quantile sketch is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("k is {k}, not between {} and {}", Kll::LEAST_K, Kll::MOST_K)]
pub struct KllInvalid {
    /// The offending parameter.
    pub k: usize,
}

/// A sketch of quantiles (Karnin, Lang and Liberty 2016, <https://arxiv.org/abs/1603.05346>).
///
/// Values lie in levels; one at level h stands for 2^h values. A level that is full is sorted and every other value goes
/// up, whether the odd or the even ones being left to chance; every second time it is the other ones (Ivkin and others
/// 2019, <https://arxiv.org/abs/1907.00236>). Chance is a fixed generator that starts from `seed`, so the same values
/// in the same order give the same sketch, however they are cut into slices. Parts that will be merged are best given
/// different seeds.
///
/// # Error
/// Throwing away every other value at level h moves a rank by at most 2^h, up or down with equal odds, and for the two
/// times that share a coin by at most 2^h together. So the error of a rank is a sum of independent symmetric terms of
/// which the sketch knows the squares, and Hoeffding's inequality bounds it with any confidence, however the values are
/// distributed and whatever was merged: [`Self::rank_error`]. With a confidence of 99 %, and for values that one sketch took
/// itself, it is at most 2.5 / k of the count for one rank, and 4.5 / k for all ranks at once.
///
/// Until values are thrown away, that is for at least k values, everything is exact. The least and the greatest value
/// always are.
///
/// # Memory
/// About 3 k + 512 values and 16 for each doubling of the count beyond 2^15 k.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kll {
    k: usize,
    count: u64,
    // INVARIANT: keys of the least and the greatest value, 0 when there are none.
    extremes: (i64, i64),
    /// State of the generator.
    chance: u64,
    /// Sum of squares of the independent terms of the error of a rank.
    squares: u128,
    levels: Vec<Level>,
    /// The newest values as they came, fewer than [`BLOCK`].
    pending: Vec<Key>,
}

/// The place of a value in the order of all doubles, as an integer.
type Key = i64;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Level {
    // INVARIANT: ascending.
    keys: Vec<Key>,
    /// What is kept next time, when the last coin was used only once.
    coin: Option<bool>,
}

impl Kll {
    /// The smallest parameter.
    pub const LEAST_K: usize = 64;
    /// The largest parameter.
    pub const MOST_K: usize = 1 << 16;
    /// The parameter to use without reason for another.
    pub const DEFAULT_K: usize = 512;

    /// A sketch of no values.
    ///
    /// # Errors
    /// When `k` is not between [`Self::LEAST_K`] and [`Self::MOST_K`].
    pub fn new(k: usize, seed: u64) -> Result<Self, KllInvalid> {
        if !(Self::LEAST_K..=Self::MOST_K).contains(&k) {
            return Err(KllInvalid { k });
        }
        let chance = hash::of_u64(seed);
        Ok(Self {
            k,
            count: 0,
            extremes: (0, 0),
            chance,
            squares: 0,
            levels: Vec::new(),
            pending: Vec::new(),
        })
    }

    /// The parameter.
    pub const fn k(&self) -> usize {
        self.k
    }

    /// How many values were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The least value.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then(|| value_of(self.extremes.0))
    }

    /// The greatest value.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then(|| value_of(self.extremes.1))
    }

    /// Whether no value was thrown away, so that all ranks and quantiles are exact.
    pub const fn is_exact(&self) -> bool {
        self.squares == 0
    }

    /// Takes values; those that are not finite are left out.
    pub fn update(&mut self, values: &[f64]) {
        let mut rest = values;
        while !rest.is_empty() {
            if self.pending.is_empty()
                && let Some((block, tail)) = rest.split_first_chunk::<BLOCK>()
                && all_finite(block)
            {
                self.take_block(block);
                rest = tail;
                continue;
            }
            let room = BLOCK - self.pending.len();
            let (next, tail) = rest.split_at(room.min(rest.len()));
            self.fill(next);
            rest = tail;
        }
    }

    /// Takes at most as many values as there is room for before the next block.
    fn fill(&mut self, values: &[f64]) {
        let before = self.pending.len();
        if all_finite(values) {
            self.pending.extend(values.iter().map(|value| key_of(*value)));
        } else {
            self.pending.extend(values.iter().filter(|value| value.is_finite()).map(|value| key_of(*value)));
        }
        let new = self.pending.get(before..).unwrap_or_default();
        let least = new.iter().copied().min();
        let greatest = new.iter().copied().max();
        let count = new.len() as u64;
        if let (Some(least), Some(greatest)) = (least, greatest) {
            self.note(least, greatest, count);
        }
        if self.pending.len() == BLOCK {
            let mut block = [0.0; BLOCK];
            block.iter_mut().zip(&self.pending).for_each(|(value, key)| *value = value_of(*key));
            self.pending.clear();
            self.place_block(&block);
        }
    }

    fn take_block(&mut self, block: &[f64; BLOCK]) {
        let (least, greatest) = network::extremes(block);
        self.note(key_of(least), key_of(greatest), BLOCK as u64);
        self.place_block(block);
    }

    fn note(&mut self, least: Key, greatest: Key, count: u64) {
        self.extremes = if self.count == 0 {
            (least, greatest)
        } else {
            (self.extremes.0.min(least), self.extremes.1.max(greatest))
        };
        self.count += count;
    }

    /// Puts a whole block where it belongs: all of it at level 0, or a part of it further up.
    fn place_block(&mut self, block: &[f64; BLOCK]) {
        let rung = self.rung();
        let coins = if rung > 0 { self.draw() } else { 0 };
        let (keys, squares) = network::thinned(block, rung, coins);
        self.squares += squares;
        self.add(rung, keys);
        self.compress();
    }

    /// The level that new blocks go to. What a low level throws away adds little to the error, so its work is done
    /// for a block at a time, in runs of 16, as soon as the level is [`ROOMY`] levels below the top.
    fn rung(&self) -> usize {
        self.levels.len().saturating_sub(1 + ROOMY).min(RUNGS)
    }

    fn add(&mut self, level: usize, keys: Vec<Key>) {
        while self.levels.len() <= level {
            self.levels.push(Level::default());
        }
        if let Some(level) = self.levels.get_mut(level) {
            level.keys = if level.keys.is_empty() { keys } else { merge_sorted(&level.keys, &keys) };
        }
    }

    /// Throws away until there is room: from the lowest level that is full.
    fn compress(&mut self) {
        loop {
            let rooms = rooms(self.k, self.levels.len());
            let kept: usize = self.levels.iter().map(|level| level.keys.len()).sum();
            if kept <= rooms.iter().sum() {
                break;
            }
            let full = self.levels.iter().zip(rooms).position(|(level, room)| level.keys.len() >= room);
            let Some(level) = full else { break };
            self.compact(level);
        }
        // No rank is off by more than the count.
        self.squares = self.squares.min(u128::from(self.count).pow(2));
    }

    /// Sends every other value of a level up. Of an odd number the greatest stays behind.
    fn compact(&mut self, level: usize) {
        let Some(held) = self.levels.get_mut(level) else { return };
        let mut keys = std::mem::take(&mut held.keys);
        if keys.len() % 2 == 1 {
            held.keys.extend(keys.pop());
        }
        let coin = match held.coin.take() {
            Some(coin) => coin,
            None => {
                let coin = self.draw() & 1 == 1;
                self.squares += 1_u128 << (2 * level);
                if let Some(held) = self.levels.get_mut(level) {
                    held.coin = Some(!coin);
                }
                coin
            }
        };
        let kept = keys.chunks_exact(2).filter_map(|pair| pair.get(usize::from(coin)).copied()).collect();
        self.add(level + 1, kept);
    }

    /// 64 coins: SplitMix64 (Steele, Lea and Flood 2014).
    fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        hash::mixed(self.chance)
    }

    /// Adds what another sketch took. The bound holds for the merged sketch as if it had taken all itself.
    ///
    /// # Errors
    /// When `k` differs, or there are more values than are counted.
    pub fn merge(&mut self, other: &Self) -> Result<(), NotMergeable> {
        if self.k != other.k {
            return Err(NotMergeable::Parameters { what: "k" });
        }
        joint_count(self.count, other.count)?;
        if other.count == 0 {
            return Ok(());
        }
        let pending = other.pending.len() as u64;
        self.note(other.extremes.0, other.extremes.1, other.count - pending);
        self.chance = hash::mixed(self.chance ^ other.chance.rotate_left(32));
        self.squares += other.squares;
        for (level, held) in (0..).zip(&other.levels) {
            self.add(level, held.keys.clone());
            if let Some(own) = self.levels.get_mut(level) {
                own.coin = own.coin.or(held.coin);
            }
        }
        let newest: Vec<f64> = other.pending.iter().map(|key| value_of(*key)).collect();
        self.update(&newest);
        self.compress();
        Ok(())
    }
}

/// Room at each level, from the lowest: k at the top, and two thirds of that above it below.
fn rooms(k: usize, levels: usize) -> [usize; MOST_LEVELS] {
    let mut rooms = [0; MOST_LEVELS];
    let mut room = k;
    for place in rooms.iter_mut().take(levels.max(1)).rev() {
        *place = room;
        room = (2 * room).div_ceil(3).max(LEAST_ROOM);
    }
    rooms
}

/// Whether every value is finite: nought times anything else is not nought.
fn all_finite(values: &[f64]) -> bool {
    let (chunks, tail) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value * 0.0);
    }
    sums.iter().sum::<f64>() == 0.0 && tail.iter().all(|value| value.is_finite())
}
