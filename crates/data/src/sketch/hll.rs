//! How many distinct values a column has, from the hashes of its values.
#![expect(clippy::cast_possible_truncation, reason = "registers have 14 bits and ranks 6")]

use super::codec::{Kind, Reader, SketchInvalid, Writer};

/// Bits of a hash that choose a register.
const PRECISION: u32 = 14;
/// Registers.
const REGISTERS: usize = 1 << PRECISION;
/// A register holds the position of the first bit set behind those: 51 when there is none.
const MOST_RANK: u8 = 51;
/// Hashes that are listed one by one: they take as much room as all registers in the stored form.
const MOST_LISTED: usize = 1536;

/// A sketch of distinct values: HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with 2^14 registers, read by the
/// improved estimator of Ertl (2017, <https://arxiv.org/abs/1702.01284>, algorithm 6).
///
/// Up to 1,536 distinct hashes are listed as they are, and counted exactly. The sketch is a function of the set of hashes
/// alone: neither order nor repetition nor the way of merging makes a difference, down to the stored byte. Hashes must
/// come from [`crate::sketch::hash`] for sketches to be comparable.
///
/// # Error
/// Nought while hashes are listed; beyond it the standard error is 1.04 / sqrt(2^14) = 0.81 %, less for fewer than some
/// 40,000 values.
///
/// # Memory
/// At most 16 KiB; in proportion to the distinct values while they are listed.
#[derive(Debug, Clone)]
pub struct Hll {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Listed(Listed),
    /// The rank of each register, 0 where there is none.
    // INVARIANT: there were more distinct hashes than are listed.
    Registers(Box<[u8; REGISTERS]>),
}

/// A set of hashes, open addressing.
#[derive(Debug, Clone, Default)]
struct Listed {
    /// The hashes, 0 where there is none. A power of two, or none at all.
    slots: Vec<u64>,
    len: usize,
}

impl Hll {
    /// The standard error of [`Self::estimate`], as a share of it, when it is not exact.
    pub const STANDARD_ERROR: f64 = 0.008_125;

    /// Of no values.
    pub fn new() -> Self {
        Self { state: State::Listed(Listed::default()) }
    }

    /// Takes hashes of values.
    pub fn update(&mut self, hashes: &[u64]) {
        let mut rest = hashes.iter();
        while let State::Listed(listed) = &mut self.state {
            let Some(hash) = rest.next() else { return };
            if !listed.insert(*hash) {
                self.state = State::Registers(listed.registers());
                self.insert(*hash);
            }
        }
        let State::Registers(registers) = &mut self.state else { return };
        rest.for_each(|hash| raise(registers, *hash));
    }

    /// Takes one hash.
    #[inline]
    pub fn insert(&mut self, hash: u64) {
        self.update(&[hash]);
    }

    /// Takes what another sketch took: the union of the lists, or the larger rank of each register.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.state, &other.state) {
            (_, State::Listed(two)) => two.hashes().for_each(|hash| self.insert(hash)),
            (State::Registers(one), State::Registers(two)) => {
                one.iter_mut().zip(two.iter()).for_each(|(one, two)| *one = (*one).max(*two));
            }
            (State::Listed(one), State::Registers(two)) => {
                let mut registers = two.clone();
                one.hashes().for_each(|hash| raise(&mut registers, hash));
                self.state = State::Registers(registers);
            }
        }
    }

    /// Whether the count is exact, but for two values of one hash, which no column of this world has.
    pub const fn is_exact(&self) -> bool {
        matches!(self.state, State::Listed(_))
    }

    /// About how many distinct hashes there were.
    pub fn estimate(&self) -> f64 {
        match &self.state {
            State::Listed(listed) => listed.len as f64,
            State::Registers(registers) => estimate(registers),
        }
    }
}

impl Default for Hll {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Hll {
    fn eq(&self, other: &Self) -> bool {
        match (&self.state, &other.state) {
            (State::Listed(one), State::Listed(two)) => one.sorted() == two.sorted(),
            (State::Registers(one), State::Registers(two)) => one == two,
            _ => false,
        }
    }
}

impl Eq for Hll {}

impl Listed {
    /// Takes a hash; says no when the list is full and does not have it.
    fn insert(&mut self, hash: u64) -> bool {
        // Nought marks a free slot, so it counts as one.
        let hash = hash.max(1);
        if 4 * self.len >= 3 * self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(held) = self.slots.get_mut(slot) {
            if *held == hash {
                return true;
            }
            if *held == 0 {
                if self.len == MOST_LISTED {
                    return false;
                }
                *held = hash;
                self.len += 1;
                return true;
            }
            slot = (slot + 1) & mask;
        }
        false
    }

    fn grow(&mut self) {
        let slots = vec![0; (2 * self.slots.len()).max(16)];
        let old = std::mem::replace(self, Self { slots, len: 0 });
        old.hashes().for_each(|hash| {
            self.insert(hash);
        });
    }

    fn hashes(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().filter(|hash| *hash != 0)
    }

    fn sorted(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.hashes().collect();
        hashes.sort_unstable();
        hashes
    }

    fn registers(&self) -> Box<[u8; REGISTERS]> {
        let mut registers = Box::new([0; REGISTERS]);
        self.hashes().for_each(|hash| raise(&mut registers, hash));
        registers
    }
}

/// The first 14 bits are the register, and the position of the first bit set behind them is the rank.
#[inline]
fn raise(registers: &mut [u8; REGISTERS], hash: u64) {
    // A bit behind the last one ends the search.
    let others = (hash << PRECISION) | (1 << (PRECISION - 1));
    let rank = others.leading_zeros() as u8 + 1;
    if let Some(held) = registers.get_mut((hash >> (64 - PRECISION)) as usize) {
        *held = rank.max(*held);
    }
}

/// Ertl 2017, algorithm 6.
fn estimate(registers: &[u8; REGISTERS]) -> f64 {
    let mut multiplicities = [0_u32; MOST_RANK as usize + 1];
    for rank in registers {
        if let Some(count) = multiplicities.get_mut(usize::from(*rank)) {
            *count += 1;
        }
    }
    let m = REGISTERS as f64;
    let share = |count: u32| f64::from(count) / m;
    let [unset, ranks @ .., last] = multiplicities;
    let mut z = m * tau(1.0 - share(last));
    for count in ranks.iter().rev() {
        z = 0.5 * (z + f64::from(*count));
    }
    z += m * sigma(share(unset));
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

/// What registers without a rank add; for x in [0, 1).
fn sigma(mut x: f64) -> f64 {
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// What registers of the highest rank add.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

impl Hll {
    /// The stored form, `docs/formats/sketches.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Hll);
        writer.u8(PRECISION as u8);
        match &self.state {
            State::Listed(listed) => {
                writer.u8(0);
                writer.len(listed.len);
                listed.sorted().into_iter().for_each(|hash| writer.u64(hash));
            }
            State::Registers(registers) => {
                writer.u8(1);
                let (fours, _) = registers.as_chunks::<4>();
                for four in fours {
                    let packed = four.iter().rev().fold(0, |packed, rank| packed << 6 | u32::from(*rank));
                    let [low, middle, high, _] = packed.to_le_bytes();
                    writer.bytes(&[low, middle, high]);
                }
            }
        }
        writer.finish()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] would make of any sketch.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchInvalid> {
        let mut reader = Reader::open(Kind::Hll, bytes)?;
        let precision = reader.u8()?;
        reader.require(u32::from(precision) == PRECISION, "its precision")?;
        let state = match reader.u8()? {
            0 => State::Listed(read_listed(&mut reader)?),
            1 => State::Registers(read_registers(&mut reader)?),
            _ => return Err(reader.wrong("whether hashes are listed")),
        };
        reader.end()?;
        Ok(Self { state })
    }
}

fn read_listed(reader: &mut Reader<'_>) -> Result<Listed, SketchInvalid> {
    let len = reader.len(8)?;
    reader.require(len <= MOST_LISTED, "how many hashes are listed")?;
    let mut listed = Listed::default();
    let mut before = 0;
    for _ in 0..len {
        let hash = reader.u64()?;
        reader.require(before < hash, "order of the hashes")?;
        before = hash;
        listed.insert(hash);
    }
    Ok(listed)
}

fn read_registers(reader: &mut Reader<'_>) -> Result<Box<[u8; REGISTERS]>, SketchInvalid> {
    let mut registers = Box::new([0; REGISTERS]);
    let (fours, _) = registers.as_chunks_mut::<4>();
    for four in fours {
        let [low, middle, high] = *reader.bytes(3)? else { return Err(reader.wrong("its registers")) };
        let packed = u32::from_le_bytes([low, middle, high, 0]);
        *four = [0, 6, 12, 18].map(|shift| (packed >> shift & 63) as u8);
        reader.require(four.iter().all(|rank| *rank <= MOST_RANK), "the rank of a register")?;
    }
    // That many hashes are not in so few registers by any chance worth the name, but one register they do set.
    reader.require(registers.iter().any(|rank| *rank > 0), "registers without a rank")?;
    Ok(registers)
}
