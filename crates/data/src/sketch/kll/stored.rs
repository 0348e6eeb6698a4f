//! The stored form of a quantile sketch.

use super::keys::{key_of, value_of};
use super::network::BLOCK;
use super::{Key, Kll, Level, MOST_LEVELS, rooms};
use crate::limits::ROWS;
use crate::sketch::codec::{Kind, Reader, SketchInvalid, Writer};

impl Kll {
    /// The stored form, `docs/formats/sketches.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::Kll);
        writer.len(self.k);
        writer.u64(self.count);
        writer.u64(self.chance);
        writer.u128(self.squares);
        writer.f64(value_of(self.extremes.0));
        writer.f64(value_of(self.extremes.1));
        writer.len(self.levels.len());
        for level in &self.levels {
            writer.u8(level.coin.map_or(0, |coin| 1 + u8::from(coin)));
            write_keys(&mut writer, &level.keys);
        }
        write_keys(&mut writer, &self.pending);
        writer.finish()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] would make of any sketch.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchInvalid> {
        let mut reader = Reader::open(Kind::Kll, bytes)?;
        let k = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        reader.require((Self::LEAST_K..=Self::MOST_K).contains(&k), "k")?;
        let (count, chance, squares) = (reader.u64()?, reader.u64()?, reader.u128()?);
        reader.require(count <= ROWS, "how many values")?;
        reader.require(squares <= u128::from(count).pow(2), "the bound of its error")?;
        let extremes = (key_of(reader.finite()?), key_of(reader.finite()?));
        let levels = reader.len(5)?;
        reader.require(levels <= MOST_LEVELS, "how many levels")?;
        let levels: Vec<Level> = (0..levels).map(|_| read_level(&mut reader)).collect::<Result<_, _>>()?;
        let pending = read_keys(&mut reader)?;
        reader.end()?;
        let sketch = Self { k, count, extremes, chance, squares, levels, pending };
        match sketch.contradiction() {
            Some(what) => Err(reader.wrong(what)),
            None => Ok(sketch),
        }
    }

    /// What no sketch would have, if anything.
    fn contradiction(&self) -> Option<&'static str> {
        let kept: usize = self.levels.iter().map(|level| level.keys.len()).sum();
        if kept > rooms(self.k, self.levels.len()).iter().sum() || self.pending.len() >= BLOCK {
            return Some("more values than there is room for");
        }
        let weight = |(level, held): (u32, &Level)| u128::from(held.keys.len() as u64) << level;
        let weights: u128 = (0..).zip(&self.levels).map(weight).sum();
        if weights + u128::from(self.pending.len() as u64) != u128::from(self.count) {
            return Some("values do not add up to the count");
        }
        if self.levels.last().is_some_and(|level| level.keys.is_empty()) {
            return Some("a top level without values");
        }
        if self.levels.iter().any(|level| !level.keys.is_sorted()) {
            return Some("order of the values");
        }
        let (least, greatest) = self.extremes;
        let within = |key: &Key| (least..=greatest).contains(key);
        if !self.levels.iter().flat_map(|level| &level.keys).chain(&self.pending).all(within)
            || (self.count == 0 && self.extremes != (0, 0))
        {
            return Some("the least and the greatest value");
        }
        let thrown_away = self.levels.len() > 1;
        if !thrown_away && self.count > 0 {
            let all = || self.levels.iter().flat_map(|level| &level.keys).chain(&self.pending).copied();
            if (all().min(), all().max()) != (Some(least), Some(greatest)) {
                return Some("the least and the greatest value");
            }
        }
        let tossed = self.levels.iter().any(|level| level.coin.is_some());
        ((self.squares > 0) != thrown_away || (tossed && !thrown_away)).then_some("the bound of its error")
    }
}

fn write_keys(writer: &mut Writer, keys: &[Key]) {
    writer.len(keys.len());
    keys.iter().for_each(|key| writer.f64(value_of(*key)));
}

fn read_keys(reader: &mut Reader<'_>) -> Result<Vec<Key>, SketchInvalid> {
    let len = reader.len(8)?;
    (0..len).map(|_| reader.finite().map(key_of)).collect()
}

fn read_level(reader: &mut Reader<'_>) -> Result<Level, SketchInvalid> {
    let coin = match reader.u8()? {
        0 => None,
        1 => Some(false),
        2 => Some(true),
        _ => return Err(reader.wrong("a coin")),
    };
    Ok(Level { keys: read_keys(reader)?, coin })
}
