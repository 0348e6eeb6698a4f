//! The stored form of a sketch of frequent values.

use super::HeavyHitters;
use crate::limits::ROWS;
use crate::sketch::codec::{Kind, Reader, SketchInvalid, Writer};

impl HeavyHitters {
    /// The stored form, `docs/formats/sketches.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::HeavyHitters);
        writer.len(self.capacity);
        writer.len(self.bytes);
        writer.u64(self.count);
        writer.u64(self.long);
        writer.u64(self.error);
        let mut items: Vec<(&[u8], u64)> = self.table.items().collect();
        items.sort_unstable();
        writer.len(items.len());
        for (value, count) in items {
            writer.u64(count);
            writer.u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
            writer.bytes(value);
        }
        writer.finish()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not what [`Self::to_bytes`] would make of any sketch.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchInvalid> {
        let mut reader = Reader::open(Kind::HeavyHitters, bytes)?;
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (capacity, room) = (size(reader.u32()?), size(reader.u32()?));
        let mut sketch = Self::new(capacity, room).map_err(|_| reader.wrong("capacity or bytes"))?;
        (sketch.count, sketch.long, sketch.error) = (reader.u64()?, reader.u64()?, reader.u64()?);
        reader.require(sketch.count <= ROWS && sketch.long <= sketch.count, "how many values")?;
        let items = reader.len(10)?;
        reader.require(items <= capacity, "more values than it has counters")?;
        let mut counted = sketch.long;
        let mut before: Option<&[u8]> = None;
        for _ in 0..items {
            let count = reader.u64()?;
            let len = usize::from(reader.u16()?);
            reader.require(len <= Self::LONGEST, "a value that is too long")?;
            let value = reader.bytes(len)?;
            reader.require(before.is_none_or(|before| before < value), "order of the values")?;
            before = Some(value);
            counted = counted.saturating_add(count);
            reader.require(count > 0 && counted <= sketch.count, "counts of the values")?;
            sketch.table.add(value, count);
        }
        reader.end()?;
        reader.require(sketch.table.bytes() <= room, "values with too many bytes")?;
        // Whatever was taken from all counts was taken from one at least.
        let lost = sketch.count - counted;
        reader
            .require(sketch.error <= lost && (sketch.error > 0) == (lost > 0), "the error of its counts")?;
        Ok(sketch)
    }
}
