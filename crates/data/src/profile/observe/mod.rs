//! From lanes to a column's profile: one kernel for each layout.

mod cells;
mod gather;
mod tally;

use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use self::gather::gathered;
use self::tally::Tally;
use super::column::ColumnProfile;
use super::distinct::{Distinct, Key, Sketched, day_hash, instant_hash};
use super::ranges::{Decimals, InstantRange};
use crate::cell::{self, Value};
use crate::read::batch::{Blobs, Column, Instants, Lane, decimal_value};
use crate::sketch::hash;
use crate::text;

/// Room for one batch, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    integers: Vec<i64>,
    floats: Vec<f64>,
    doubles: Vec<f64>,
    hashes: Vec<u64>,
    words: Vec<u64>,
    text: Vec<u8>,
    tally: Tally,
}

impl ColumnProfile {
    /// Takes in the next values of the column.
    pub(crate) fn observe(&mut self, column: &Column<'_>, scratch: &mut Scratch) {
        self.lane(&column.lane, scratch);
    }

    fn lane(&mut self, lane: &Lane<'_>, scratch: &mut Scratch) {
        if let Some(nulls) = lane.nulls() {
            self.nulls += nulls.null_count() as u64;
        }
        match lane {
            Lane::Nulls(count) => self.nulls += *count as u64,
            Lane::Integers(values, nulls) => {
                let mut dense = std::mem::take(&mut scratch.integers);
                let values = compact(values, nulls.as_ref(), &mut dense);
                self.take_integers(values, scratch);
                scratch.integers = dense;
            }
            Lane::Floats(values, nulls) => self.take_floats(values, nulls.as_ref(), scratch),
            Lane::Booleans(values, nulls) => self.take_booleans(values, nulls.as_ref()),
            Lane::Days(values, nulls) => self.take_days(values, nulls.as_ref(), scratch),
            Lane::Instants(instants) => self.take_instants(instants, scratch),
            Lane::Decimals(values, scale, nulls) => {
                self.take_decimals(values, *scale, nulls.as_ref(), scratch)
            }
            Lane::Texts(blobs) => self.take_texts(blobs, scratch),
            Lane::Bytes(blobs) => self.take_byte_strings(blobs, scratch),
            Lane::Lists(lengths, nulls) => self.take_lists(lengths, nulls.as_ref(), scratch),
            Lane::Dictionary { keys, nulls, values } => {
                self.take_dictionary(keys, nulls.as_ref(), values, scratch)
            }
            Lane::Cells(cells) => self.take_cells(*cells, scratch),
        }
    }

    fn take_integers(&mut self, values: &[i64], scratch: &mut Scratch) {
        self.kinds.integer += values.len() as u64;
        self.numbers.integers(values, &mut scratch.doubles);
        scratch.words.clear();
        scratch.words.extend(values.iter().map(|value| value.cast_unsigned()));
        let write = |word: u64, out: &mut Vec<u8>| {
            let value = word.cast_signed();
            text::integer(out, value);
            Value::Integer(value)
        };
        self.words(
            scratch,
            write,
            |word| hash::of_i64(word.cast_signed()),
            |sketched| &mut sketched.integers,
        );
    }

    fn take_floats(&mut self, values: &[f64], nulls: Option<&NullBuffer>, scratch: &mut Scratch) {
        let mut kept = std::mem::take(&mut scratch.floats);
        kept.clear();
        match nulls {
            // Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
            None => kept.extend(values.iter().filter(|value| !value.is_nan()).map(|value| value + 0.0)),
            Some(nulls) => kept.extend(
                nulls
                    .valid_indices()
                    .filter_map(|at| values.get(at))
                    .filter(|value| !value.is_nan())
                    .map(|value| value + 0.0),
            ),
        }
        let valid = values.len() - nulls.map_or(0, NullBuffer::null_count);
        self.nulls += (valid - kept.len()) as u64;
        self.kinds.float += kept.len() as u64;
        self.some_floats(&mut kept, scratch);
        scratch.floats = kept;
    }

    /// Takes numbers without NaN, each with equal bits where it is equal.
    fn some_floats(&mut self, kept: &mut Vec<f64>, scratch: &mut Scratch) {
        scratch.words.clear();
        scratch.words.extend(kept.iter().map(|value| value.to_bits()));
        let write = |word: u64, out: &mut Vec<u8>| {
            let value = f64::from_bits(word);
            text::float(out, value);
            Value::Float(value)
        };
        if self.words_exactly(scratch, write).is_none() {
            self.sketched_floats(kept, scratch);
        }
        if kept.iter().any(|value| value.is_infinite()) {
            // They are counted, and part of nothing else.
            kept.retain(|value| match value.is_infinite() {
                true => {
                    self.numbers.moments.update(&[*value]);
                    false
                }
                false => true,
            });
        }
        self.numbers.floats(kept);
    }

    /// Whole ones count among the integers.
    fn sketched_floats(&mut self, values: &[f64], scratch: &mut Scratch) {
        let Some(sketched) = self.sketch() else { return };
        scratch.hashes.clear();
        scratch.hashes.extend(values.iter().map(|value| hash::of_f64(*value)));
        sketched.hll.update(&scratch.hashes);
        scratch.words.clear();
        for value in values {
            match Key::of_number(*value) {
                Key::Integer(integer) => {
                    Sketched::of(&mut sketched.integers).add(&integer.to_le_bytes(), 1);
                }
                _ => scratch.words.push(value.to_bits()),
            }
        }
        if !scratch.words.is_empty() {
            Sketched::of(&mut sketched.floats).update_words(&scratch.words);
        }
    }

    /// Counts the words of the scratch, each of which stands for a value.
    fn words(
        &mut self,
        scratch: &mut Scratch,
        write: impl Fn(u64, &mut Vec<u8>) -> Value,
        hash: impl Fn(u64) -> u64,
        field: impl Fn(&mut Sketched) -> &mut Option<crate::sketch::HeavyHitters>,
    ) {
        if self.words_exactly(scratch, write).is_some() {
            return;
        }
        let Some(sketched) = self.sketch() else { return };
        scratch.hashes.clear();
        scratch.hashes.extend(scratch.words.iter().map(|word| hash(*word)));
        sketched.hll.update(&scratch.hashes);
        Sketched::of(field(sketched)).update_words(&scratch.words);
    }

    /// The same where all values are known, and still are after that; `None` where they are or become too many.
    fn words_exactly(
        &mut self,
        scratch: &mut Scratch,
        write: impl Fn(u64, &mut Vec<u8>) -> Value,
    ) -> Option<()> {
        if !matches!(self.values, Distinct::Exact(_)) {
            return None;
        }
        if !scratch.tally.count(&scratch.words) {
            self.sketch();
            return None;
        }
        for (word, count) in scratch.tally.drain() {
            scratch.text.clear();
            let value = write(word, &mut scratch.text);
            // Past the bound a value is counted all the same; only its hash is taken later, or never.
            self.add_value(&scratch.text, value, count);
        }
        Some(())
    }

    fn take_booleans(&mut self, values: &BooleanBuffer, nulls: Option<&NullBuffer>) {
        let (all, trues) = match nulls {
            None => (values.len(), values.count_set_bits()),
            Some(nulls) => (values.len() - nulls.null_count(), (values & nulls.inner()).count_set_bits()),
        };
        let (falses, trues) = ((all - trues) as u64, trues as u64);
        self.kinds.boolean += falses + trues;
        self.ranges.trues += trues;
        for (text, count) in [(&b"true"[..], trues), (b"false", falses)] {
            if count > 0 {
                self.add_value(text, Value::Boolean, count);
            }
        }
    }

    fn take_days(&mut self, values: &[i32], nulls: Option<&NullBuffer>, scratch: &mut Scratch) {
        scratch.words.clear();
        each(values, nulls, |day| {
            self.ranges.day(day);
            scratch.words.push(i64::from(day).cast_unsigned());
        });
        self.kinds.date += scratch.words.len() as u64;
        let write = |word: u64, out: &mut Vec<u8>| {
            text::day(out, word.cast_signed());
            Value::Date
        };
        self.words(scratch, write, |word| day_hash(word.cast_signed()), |sketched| &mut sketched.days);
    }

    fn take_instants(&mut self, instants: &Instants, scratch: &mut Scratch) {
        let Instants { values, per_second, zoned, nulls } = instants;
        let nanos = i128::from(1_000_000_000 / per_second);
        scratch.words.clear();
        let mut range: Option<(i64, i64)> = None;
        each(values, nulls.as_ref(), |value| {
            let (first, last) = range.unwrap_or((value, value));
            range = Some((first.min(value), last.max(value)));
            scratch.words.push(value.cast_unsigned());
        });
        let Some((first, last)) = range else { return };
        self.kinds.timestamp += scratch.words.len() as u64;
        let mut span = InstantRange::of(i128::from(first) * nanos, false)
            .joined(InstantRange::of(i128::from(last) * nanos, false));
        span.zoned = if *zoned { scratch.words.len() as u64 } else { 0 };
        for word in &scratch.words {
            span.resolution =
                span.resolution.min(resolution(word.cast_signed(), *per_second, span.resolution));
        }
        self.ranges.span(Some(span));
        let write = |word: u64, out: &mut Vec<u8>| {
            text::instant(out, word.cast_signed(), *per_second, *zoned);
            Value::Timestamp
        };
        if self.words_exactly(scratch, write).is_some() {
            return;
        }
        let Some(sketched) = self.sketch() else { return };
        scratch.hashes.clear();
        let hitters = Sketched::of(&mut sketched.instants);
        for word in &scratch.words {
            let key = i128::from(word.cast_signed()) * nanos;
            scratch.hashes.push(instant_hash(key));
            hitters.add(&key.to_le_bytes(), 1);
        }
        sketched.hll.update(&scratch.hashes);
    }

    fn take_decimals(
        &mut self,
        values: &[i128],
        scale: i8,
        nulls: Option<&NullBuffer>,
        scratch: &mut Scratch,
    ) {
        let (mut integers, mut floats) =
            (std::mem::take(&mut scratch.integers), std::mem::take(&mut scratch.floats));
        integers.clear();
        floats.clear();
        let mut range: Option<(i128, i128)> = None;
        let mut run: Option<(i128, u64)> = None;
        let mut count = |profile: &mut Self, value: i128, count: u64| {
            scratch.text.clear();
            text::decimal(&mut scratch.text, value, scale);
            profile.add_value(&scratch.text, decimal_value(value, scale), count);
        };
        each(values, nulls, |value| {
            let (least, greatest) = range.unwrap_or((value, value));
            range = Some((least.min(value), greatest.max(value)));
            match decimal_value(value, scale) {
                Value::Integer(integer) => integers.push(integer),
                Value::Float(float) => floats.push(float),
                _ => {}
            }
            match &mut run {
                Some((known, times)) if *known == value => *times += 1,
                other => {
                    if let Some((known, times)) = other.replace((value, 1)) {
                        count(self, known, times);
                    }
                }
            }
        });
        if let Some((known, times)) = run {
            count(self, known, times);
        }
        self.kinds.integer += integers.len() as u64;
        self.kinds.float += floats.len() as u64;
        self.numbers.integers(&integers, &mut scratch.doubles);
        self.numbers.floats(&floats);
        self.ranges.decimals(range.map(|(least, greatest)| Decimals { least, greatest, scale }));
        (scratch.integers, scratch.floats) = (integers, floats);
    }

    fn take_lists(&mut self, lengths: &[u32], nulls: Option<&NullBuffer>, scratch: &mut Scratch) {
        let mut kept = std::mem::take(&mut scratch.integers);
        kept.clear();
        each(lengths, nulls, |length| {
            self.ranges.list(u64::from(length));
            kept.push(i64::from(length));
        });
        self.kinds.list += kept.len() as u64;
        self.take_list_lengths(&kept, scratch);
        scratch.integers = kept;
    }

    /// The lengths of lists have a distribution, but are not numbers of the column.
    fn take_list_lengths(&mut self, lengths: &[i64], scratch: &mut Scratch) {
        scratch.doubles.clear();
        scratch.doubles.extend(lengths.iter().map(|length| *length as f64));
        self.numbers.floats(&scratch.doubles);
    }

    fn take_texts(&mut self, blobs: &Blobs, scratch: &mut Scratch) {
        let mut run = Run::default();
        for at in 0..blobs.len() {
            if blobs.nulls().is_some_and(|nulls| nulls.is_null(at)) {
                continue;
            }
            let cell = blobs.get(at);
            if run.again(cell) {
                continue;
            }
            if let Some((cell, count)) = run.next(cell) {
                self.take_text(cell, count, scratch);
            }
        }
        if let Some((cell, count)) = run.last() {
            self.take_text(cell, count, scratch);
        }
    }

    /// Takes what is known to be text so many times.
    fn take_text(&mut self, cell: &[u8], count: u64, scratch: &mut Scratch) {
        let value = cell::typed_text(cell);
        match value {
            Value::Date => {
                self.kinds.date += count;
                if let Some(day) = cell::day(cell).and_then(|day| i32::try_from(day).ok()) {
                    self.ranges.day(day);
                }
            }
            Value::Timestamp => self.take_timestamp(cell, count),
            _ => {
                self.kinds.string += count;
                self.texts.length(cell, count);
            }
        }
        self.add_spelled(cell, value, count, &mut scratch.text);
    }

    fn take_timestamp(&mut self, cell: &[u8], count: u64) {
        self.kinds.timestamp += count;
        if let Some((nanos, zoned)) = cell::instant(cell) {
            let mut range = InstantRange::of(nanos, zoned);
            range.zoned *= count;
            self.ranges.span(Some(range));
        }
    }

    fn take_byte_strings(&mut self, blobs: &Blobs, scratch: &mut Scratch) {
        for at in 0..blobs.len() {
            if blobs.nulls().is_some_and(|nulls| nulls.is_null(at)) {
                continue;
            }
            let bytes = blobs.get(at);
            self.kinds.binary += 1;
            self.ranges.byte_string(bytes.len() as u64);
            // Bytes are no text; what is shown of them is their digits.
            scratch.text.clear();
            scratch.text.extend(hex::encode(bytes.get(..64).unwrap_or(bytes)).bytes());
            let shown = std::mem::take(&mut scratch.text);
            if bytes.len() <= 64 {
                self.add_value(&shown, Value::Binary, 1)
            } else {
                self.add_long(bytes)
            }
            scratch.text = shown;
        }
    }

    fn add_long(&mut self, bytes: &[u8]) {
        if let Some(sketched) = self.sketch() {
            sketched.hll.insert(hash::of_bytes(bytes));
        }
    }

    fn take_dictionary(
        &mut self,
        keys: &ScalarBuffer<i32>,
        nulls: Option<&NullBuffer>,
        values: &Lane<'_>,
        scratch: &mut Scratch,
    ) {
        let Lane::Texts(blobs) = values else {
            self.lane_without_nulls(&gathered(keys, nulls, values), scratch);
            return;
        };
        let mut counts = vec![0_u64; blobs.len()];
        let place = |key: i32| usize::try_from(key).unwrap_or(usize::MAX);
        each(keys, nulls, |key| {
            if let Some(count) = counts.get_mut(place(key)) {
                *count += 1;
            }
        });
        for (at, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            if blobs.nulls().is_some_and(|nulls| nulls.is_null(at)) {
                self.nulls += count;
            } else {
                self.take_text(blobs.get(at), count, scratch);
            }
        }
    }

    /// What was gathered through keys has had the nulls of the keys counted.
    fn lane_without_nulls(&mut self, lane: &Lane<'_>, scratch: &mut Scratch) {
        self.lane(lane, scratch);
    }

    /// Counts a value, and its shape when it is text of which there is too much to know it all.
    fn add_spelled(&mut self, text: &[u8], value: Value, count: u64, shape: &mut Vec<u8>) {
        self.add_value(text, value, count);
        if value == Value::Text && !matches!(self.values, Distinct::Exact(_)) {
            cell::shape_into(text, shape);
            self.texts.shape(shape, count);
        }
    }
}

/// What a value's last digits say of the resolution: never more than what is known already.
fn resolution(value: i64, per_second: i64, known: u64) -> u64 {
    let mut resolution = known;
    loop {
        let unit = u64::try_from(1_000_000_000 / per_second).unwrap_or(1);
        if resolution <= unit {
            return resolution;
        }
        let steps = i64::try_from(resolution / unit).unwrap_or(1);
        if value % steps == 0 {
            return resolution;
        }
        resolution /= 1_000;
    }
}

/// The values that are there, side by side.
fn compact<'v>(values: &'v [i64], nulls: Option<&NullBuffer>, dense: &'v mut Vec<i64>) -> &'v [i64] {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => values,
        Some(nulls) => {
            dense.clear();
            for (begin, end) in nulls.valid_slices() {
                dense.extend_from_slice(values.get(begin..end).unwrap_or_default());
            }
            dense
        }
    }
}

fn each<T: Copy>(values: &[T], nulls: Option<&NullBuffer>, mut show: impl FnMut(T)) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => values.iter().for_each(|value| show(*value)),
        Some(nulls) => nulls.valid_indices().filter_map(|at| values.get(at)).for_each(|value| show(*value)),
    }
}

/// Equal neighbours, counted together.
#[derive(Default)]
struct Run<'a> {
    cell: Option<&'a [u8]>,
    count: u64,
}

impl<'a> Run<'a> {
    #[inline]
    fn again(&mut self, cell: &[u8]) -> bool {
        let same = self.cell == Some(cell);
        self.count += u64::from(same);
        same
    }

    fn next(&mut self, cell: &'a [u8]) -> Option<(&'a [u8], u64)> {
        let before = self.last();
        (self.cell, self.count) = (Some(cell), 1);
        before
    }

    fn last(&self) -> Option<(&'a [u8], u64)> {
        self.cell.map(|cell| (cell, self.count))
    }
}
