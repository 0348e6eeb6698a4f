//! How many distinct values a column has, from the hashes of its values.
#![expect(clippy::cast_possible_truncation, reason = "registers have 14 bits and ranks 6")]

use super::codec::{Kind, Reader, SketchInvalid, Writer};

/// Bits of a hash that choose a register.
const PRECISION: u32 = 14;
/// Registers.
const REGISTERS: usize = 1 << PRECISION;
/// The other bits of a hash.
const OTHER_BITS: u32 = 64 - PRECISION;
/// A register holds the position of the first bit set among the others: 51 when there is none.
const MOST_RANK: u8 = 51;
/// Registers that are listed in memory; beyond it there is an array of all.
const MOST_LISTED: usize = 1024;
/// Registers that are listed in the stored form; more take as much room as all of them.
const MOST_STORED: usize = 4096;

/// A sketch of distinct values: HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with 2^14 registers, read by the
/// improved estimator of Ertl (2017, <https://arxiv.org/abs/1702.01284>, algorithm 6).
///
/// It is a function of the set of hashes alone: neither order nor repetition nor the way of merging makes a difference.
/// Hashes must come from [`crate::sketch::hash`] for sketches to be comparable.
///
/// # Error
/// The standard error is 1.04 / sqrt(2^14) = 0.81 %, smaller for fewer than some 20,000 values; of a few
/// values two may share a register and count as one.
///
/// # Memory
/// At most 16 KiB; in proportion to the distinct values while they are fewer than about a thousand.
#[derive(Debug, Clone)]
pub struct Hll {
    registers: Registers,
}

#[derive(Debug, Clone)]
enum Registers {
    /// A table of (register, rank) with room for twice as many: register << 8 | rank, and 0 where there is none.
    Listed { table: Vec<u32>, listed: usize },
    /// The rank of each register, 0 where there is none.
    All(Box<[u8; REGISTERS]>),
}

impl Hll {
    /// The standard error of [`Self::estimate`], as a share of it.
    pub const STANDARD_ERROR: f64 = 0.008_125;

    /// Of no values.
    pub const fn new() -> Self {
        Self { registers: Registers::Listed { table: Vec::new(), listed: 0 } }
    }

    /// Takes hashes of values.
    pub fn update(&mut self, hashes: &[u64]) {
        let mut rest = hashes.iter();
        while matches!(self.registers, Registers::Listed { .. }) {
            let Some(hash) = rest.next() else { return };
            self.insert(*hash);
        }
        let Registers::All(all) = &mut self.registers else { return };
        for hash in rest {
            let (register, rank) = placed(*hash);
            if let Some(held) = all.get_mut(register) {
                *held = rank.max(*held);
            }
        }
    }

    /// Takes one hash.
    #[inline]
    pub fn insert(&mut self, hash: u64) {
        let (register, rank) = placed(hash);
        self.raise(register, rank);
    }

    fn raise(&mut self, register: usize, rank: u8) {
        match &mut self.registers {
            Registers::All(all) => {
                if let Some(held) = all.get_mut(register) {
                    *held = rank.max(*held);
                }
            }
            Registers::Listed { table, listed } => {
                if 2 * *listed >= table.len() {
                    if *listed == MOST_LISTED {
                        self.registers = Registers::All(self.all());
                        self.raise(register, rank);
                        return;
                    }
                    let wider = vec![0; (2 * table.len()).max(16)];
                    for entry in std::mem::replace(table, wider) {
                        if entry != 0 {
                            list(table, entry);
                        }
                    }
                }
                let entry = u32::try_from(register << 8).unwrap_or(0) | u32::from(rank);
                *listed += usize::from(list(table, entry));
            }
        }
    }

    /// Takes what another sketch took: the larger rank of each register.
    pub fn merge(&mut self, other: &Self) {
        if let (Registers::All(one), Registers::All(two)) = (&mut self.registers, &other.registers) {
            one.iter_mut().zip(two.iter()).for_each(|(one, two)| *one = (*one).max(*two));
            return;
        }
        for (register, rank) in other.ranks() {
            self.raise(register, rank);
        }
    }

    /// About how many distinct hashes there were.
    pub fn estimate(&self) -> f64 {
        let mut multiplicities = [0_u32; MOST_RANK as usize + 1];
        let mut set = 0;
        for (_, rank) in self.ranks() {
            set += 1;
            if let Some(count) = multiplicities.get_mut(usize::from(rank)) {
                *count += 1;
            }
        }
        if set == 0 {
            return 0.0;
        }
        let m = REGISTERS as f64;
        let share = |count: u32| f64::from(count) / m;
        let [_, ranks @ .., last] = multiplicities;
        let mut z = m * tau(1.0 - share(last));
        for count in ranks.iter().rev() {
            z = 0.5 * (z + f64::from(*count));
        }
        z += m * sigma(share(REGISTERS as u32 - set));
        m * m / (2.0 * std::f64::consts::LN_2 * z)
    }

    /// Registers with a rank, in no particular order.
    fn ranks(&self) -> Vec<(usize, u8)> {
        match &self.registers {
            Registers::All(all) => (0..).zip(all.iter().copied()).filter(|(_, rank)| *rank > 0).collect(),
            Registers::Listed { table, .. } => {
                table.iter().filter(|entry| **entry != 0).map(|entry| taken_apart(*entry)).collect()
            }
        }
    }

    fn all(&self) -> Box<[u8; REGISTERS]> {
        let mut all = Box::new([0; REGISTERS]);
        for (register, rank) in self.ranks() {
            if let Some(held) = all.get_mut(register) {
                *held = rank;
            }
        }
        all
    }
}

impl Default for Hll {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Hll {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Hll {}

/// The register of a hash, its first 14 bits, and the position of the first bit set among the others.
#[inline]
fn placed(hash: u64) -> (usize, u8) {
    // The bit behind the last one ends the search.
    let others = (hash << PRECISION) | (1 << (PRECISION - 1));
    ((hash >> OTHER_BITS) as usize, others.leading_zeros() as u8 + 1)
}

const fn taken_apart(entry: u32) -> (usize, u8) {
    ((entry >> 8) as usize, entry as u8)
}

/// Raises an entry of the table, or adds it; says whether it is new. The table has room.
fn list(table: &mut [u32], entry: u32) -> bool {
    let mask = table.len() - 1;
    let mut slot = (entry >> 8) as usize & mask;
    loop {
        let Some(held) = table.get_mut(slot) else { return false };
        if *held == 0 {
            *held = entry;
            return true;
        }
        if *held >> 8 == entry >> 8 {
            *held = entry.max(*held);
            return false;
        }
        slot = (slot + 1) & mask;
    }
}

/// Ertl 2017, algorithm 6: what registers without a rank add. Converges for all x in [0, 1).
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

/// Ertl 2017, algorithm 6: what registers of the highest rank add.
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
        let mut ranks = self.ranks();
        if ranks.len() <= MOST_STORED {
            ranks.sort_unstable();
            writer.u8(0);
            writer.u16(ranks.len() as u16);
            for (register, rank) in ranks {
                writer.u16(register as u16);
                writer.u8(rank);
            }
            return writer.finish();
        }
        writer.u8(1);
        let all = self.all();
        let (fours, _) = all.as_chunks::<4>();
        for [one, two, three, four] in fours {
            let packed =
                u32::from(*one) | u32::from(*two) << 6 | u32::from(*three) << 12 | u32::from(*four) << 18;
            let [low, middle, high, _] = packed.to_le_bytes();
            writer.bytes(&[low, middle, high]);
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
        let listed = match reader.u8()? {
            0 => true,
            1 => false,
            _ => return Err(reader.wrong("how registers are stored")),
        };
        let mut sketch = Self::new();
        let mut set = 0;
        let mut register = 0;
        let left = if listed { reader.u16()?.into() } else { REGISTERS };
        let mut place = |register: usize, rank: u8| {
            if rank > 0 {
                set += 1;
                sketch.raise(register, rank);
            }
            rank <= MOST_RANK
        };
        if listed {
            for _ in 0..left {
                let next = usize::from(reader.u16()?);
                let rank = reader.u8()?;
                reader.require(register <= next && next < REGISTERS && rank > 0, "order of the registers")?;
                reader.require(place(next, rank), "a rank")?;
                register = next + 1;
            }
        } else {
            for register in (0..REGISTERS).step_by(4) {
                let [low, middle, high] = *reader.bytes(3)? else {
                    return Err(reader.wrong("its registers"));
                };
                let packed = u32::from_le_bytes([low, middle, high, 0]);
                for (at, shift) in [0, 6, 12, 18].into_iter().enumerate() {
                    let rank = (packed >> shift & 63) as u8;
                    reader.require(place(register + at, rank), "a rank")?;
                }
            }
        }
        reader.end()?;
        reader.require(listed == (set <= MOST_STORED), "how registers are stored")?;
        Ok(sketch)
    }
}
