//! Cells of text, of whatever kinds they are.

use super::super::column::ColumnProfile;
use super::super::distinct::{Distinct, Sketched};
use super::Scratch;
use crate::cell::{self, Value};
use crate::number::stands_for;
use crate::read::batch::Cells;
use crate::sketch::hash;

impl ColumnProfile {
    pub(super) fn take_cells(&mut self, cells: Cells<'_>, scratch: &mut Scratch) {
        let (mut integers, mut floats) =
            (std::mem::take(&mut scratch.integers), std::mem::take(&mut scratch.floats));
        integers.clear();
        floats.clear();
        // `told` are counted by their texts, cell by cell.
        let (mut lists, mut told) = (Vec::new(), Vec::new());
        let exact = matches!(self.values, Distinct::Exact(_));
        let mut run: Option<(&[u8], Value, u64)> = None;
        for (at, value) in cells.values.iter().enumerate() {
            let text = cells.cell(at);
            match value {
                Value::Null => {
                    self.nulls += 1;
                    continue;
                }
                Value::Integer(integer) => {
                    integers.push(*integer);
                    self.written(text.len() as u64);
                    // Once values are sketched, numbers are counted by the batch, below.
                    if !exact {
                        continue;
                    }
                }
                Value::Float(float) if exact || !stands_for(text.trim_ascii(), *float) => {
                    told.push(*float);
                    self.written(text.len() as u64);
                }
                Value::Float(float) => {
                    floats.push(*float);
                    self.written(text.len() as u64);
                    continue;
                }
                Value::List(length) => {
                    self.kinds.list += 1;
                    self.ranges.list(u64::from(*length));
                    lists.push(i64::from(*length));
                    continue;
                }
                Value::Boolean | Value::Date | Value::Timestamp | Value::Text | Value::Binary => {}
            }
            match &mut run {
                Some((known, _, times)) if *known == text => *times += 1,
                other => {
                    if let Some((text, value, times)) = other.replace((text, *value, 1)) {
                        self.take_cell(text, value, times, scratch);
                    }
                }
            }
        }
        if let Some((text, value, times)) = run {
            self.take_cell(text, value, times, scratch);
        }
        self.kinds.integer += integers.len() as u64;
        self.kinds.float += (floats.len() + told.len()) as u64;
        self.numbers.integers(&integers, &mut scratch.doubles);
        self.numbers.floats(&floats);
        self.numbers.floats(&told);
        self.take_list_lengths(&lists, scratch);
        if !exact {
            self.sketched_integers(&integers, scratch);
            self.sketched_floats(&floats, scratch);
        }
        (scratch.integers, scratch.floats) = (integers, floats);
    }

    fn sketched_integers(&mut self, values: &[i64], scratch: &mut Scratch) {
        let Some(sketched) = self.sketch().filter(|_| !values.is_empty()) else { return };
        scratch.hashes.clear();
        scratch.hashes.extend(values.iter().map(|value| hash::of_i64(*value)));
        sketched.hll.update(&scratch.hashes);
        scratch.words.clear();
        scratch.words.extend(values.iter().map(|value| value.cast_unsigned()));
        Sketched::of(&mut sketched.integers).update_words(&scratch.words);
    }

    /// Takes a cell with a value so many times; of numbers only their text.
    fn take_cell(&mut self, text: &[u8], value: Value, count: u64, scratch: &mut Scratch) {
        match value {
            Value::Integer(_) | Value::Float(_) => {}
            Value::Boolean => {
                self.kinds.boolean += count;
                if matches!(text.trim_ascii().first(), Some(b't' | b'T')) {
                    self.ranges.trues += count;
                }
                self.written(text.len() as u64);
            }
            Value::Date => {
                self.kinds.date += count;
                if let Some(day) = cell::day(text).and_then(|day| i32::try_from(day).ok()) {
                    self.ranges.day(day);
                }
                self.written(text.len() as u64);
            }
            Value::Timestamp => {
                self.take_timestamp(text, count);
                self.written(text.len() as u64);
            }
            Value::Text | Value::Binary | Value::Null | Value::List(_) => {
                self.kinds.string += count;
                self.texts.length(text, count);
            }
        }
        self.add_spelled(text, value, count, &mut scratch.text);
    }
}
