//! One row group: its columns batch by batch, each alone or several side by side.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatchReader as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Encoding;
use parquet::file::metadata::ColumnChunkMetaData;

use super::pinned::View;
use super::{Table, damaged, decode};
use crate::limits::LIST_ELEMENTS;
use crate::read::ReadError;
use crate::read::batch::{Column, Rows};
use crate::read::flatten::flatten;
use crate::read::turns::{Sink, TableRows};

/// Rows of a batch, unless they are wide.
const BATCH_ROWS: usize = 8 * 1024;
/// Rows of a batch of dictionary keys: they are small, and each batch looks through the dictionary once.
const KEY_ROWS: usize = 64 * 1024;
/// Bytes of values of fixed width in a batch.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A column at the top level of a row group, while it is decoded.
struct ColumnReader<'t> {
    name: &'t str,
    view: View,
    reader: ParquetRecordBatchReader,
    /// The row before the group, and its rows.
    group: (u64, u64),
    seen: u64,
    /// The batch that was decoded last, and how much of it was taken.
    batch: Option<ArrayRef>,
    taken: usize,
}

impl Table {
    fn open_column(&self, group: usize, field: usize) -> Result<ColumnReader<'_>, ReadError> {
        let nested = self.fields.get(field).is_some_and(|field| field.data_type().is_nested());
        let view =
            View::new(Arc::clone(&self.file)).with_values(if nested { LIST_ELEMENTS } else { u64::MAX });
        let of_group = self.groups.get(group).copied().unwrap_or_default();
        let name = self.fields.get(field).map_or("", |field| field.name());
        let reader = decode(&view, || {
            let metadata = self.plain.metadata();
            let leaves = self.leaves.get(field).map(Vec::as_slice).unwrap_or_default();
            let chunks: Vec<&ColumnChunkMetaData> =
                leaves.iter().filter_map(|leaf| metadata.row_group(group).columns().get(*leaf)).collect();
            let keys = chunks.len() == 1 && chunks.iter().all(|chunk| has_keys(chunk));
            let source = if keys { &self.keyed } else { &self.plain };
            let descriptor = metadata.file_metadata().schema_descr();
            let width: usize = leaves
                .iter()
                .map(|leaf| usize::try_from(descriptor.column(*leaf).type_length()).unwrap_or(0).max(16))
                .sum();
            let most = if keys { KEY_ROWS } else { BATCH_ROWS };
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(view.clone(), source.clone())
                .with_projection(ProjectionMask::leaves(descriptor, leaves.iter().copied()))
                .with_row_groups(vec![group])
                .with_batch_size((BATCH_BYTES / width.max(1)).clamp(64, most))
                .build()
                .map_err(|error| damaged(&error))?;
            if reader.schema().fields().len() != 1 {
                return Err(damaged(&"a column without values"));
            }
            Ok(reader)
        })
        .map_err(|error| error.in_column(name, of_group.0 + 1))?;
        Ok(ColumnReader { name, view, reader, group: of_group, seen: 0, batch: None, taken: 0 })
    }

    /// Shows the column `field` of a row group to its states, one for each path.
    pub(super) fn column<K: Sink>(
        &self,
        group: usize,
        field: usize,
        sink: &K,
        states: &mut [K::State],
    ) -> Result<(), ReadError> {
        let mut reader = self.open_column(group, field)?;
        while reader.next(&mut |at, column| {
            if let Some(state) = states.get_mut(at) {
                sink.observe(state, &column);
            }
        })? {}
        Ok(())
    }

    /// Shows the rows of a group as far as columns of theirs are wanted side by side: `wanted` says for each path of
    /// [`Sink::together`] which of the fields it is in, and as which of their paths. What is decoded for it is shown to
    /// the states of these fields too, if there are any.
    pub(super) fn together<K: Sink>(
        &self,
        group: usize,
        fields: &[usize],
        wanted: &[Option<(usize, usize)>],
        sink: &K,
        states: &mut [Vec<K::State>],
    ) -> Result<(), ReadError> {
        let readers: Result<Vec<_>, ReadError> =
            fields.iter().map(|field| self.open_column(group, *field)).collect();
        let mut readers = readers?;
        let mut parts: Vec<Vec<Column<'static>>> = fields.iter().map(|_| Vec::new()).collect();
        let (before, rows) = self.groups.get(group).copied().unwrap_or_default();
        let mut seen = 0;
        while seen < rows {
            let mut states = states.iter_mut();
            for (reader, parts) in readers.iter_mut().zip(&mut parts) {
                let states = states.next();
                if reader.left() == 0 {
                    parts.clear();
                    reader.next(&mut |_, column| parts.push(column))?;
                    for (state, column) in states.into_iter().flatten().zip(parts.iter()) {
                        sink.observe(state, column);
                    }
                }
            }
            // Columns come in batches of their own sizes: rows are shown as far as all of them are there.
            let step = readers.iter().map(ColumnReader::left).min().unwrap_or(0);
            if step == 0 {
                return Err(damaged(&format!("{seen} rows where there are {rows}")));
            }
            for (reader, parts) in readers.iter_mut().zip(&mut parts) {
                reader.take(step, parts)?;
            }
            let of = |place: &Option<(usize, usize)>| {
                place.and_then(|(field, path)| parts.get(field).and_then(|parts| parts.get(path)))
            };
            let columns: Vec<Option<&Column<'_>>> = wanted.iter().map(of).collect();
            sink.rows(&TableRows { first: before + seen + 1, count: step, columns: &columns });
            seen += step as u64;
        }
        // A column read to its end says itself when it had more or fewer values than there are rows.
        readers.iter_mut().try_for_each(|reader| {
            while reader.next(&mut |_, _| {})? {}
            Ok(())
        })
    }
}

impl ColumnReader<'_> {
    /// Rows of the last batch that were not taken.
    fn left(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.len().saturating_sub(self.taken))
    }

    /// Decodes the next batch, and shows each of its paths by number; false at the end.
    fn next(&mut self, each: &mut dyn FnMut(usize, Column<'static>)) -> Result<bool, ReadError> {
        let Self { name, view, reader, group: (before, rows), seen, batch, taken } = self;
        let next = decode(view, || {
            let Some(next) = reader.next().transpose().map_err(|error| damaged(&error))? else {
                return if seen == rows {
                    Ok(None)
                } else {
                    Err(damaged(&format!("{seen} values where there are {rows} rows")))
                };
            };
            let Some(array) = next.columns().first() else {
                return Err(damaged(&"a column without values"));
            };
            let mut at = 0;
            flatten(name, array, Rows::From(*before + *seen + 1), &mut |_, column| {
                each(at, column);
                at += 1;
            })?;
            Ok(Some(Arc::clone(array)))
        });
        *batch = next.map_err(|error| error.in_column(name, *before + 1))?;
        *taken = 0;
        *seen += batch.as_ref().map_or(0, |batch| batch.len() as u64);
        Ok(batch.is_some())
    }

    /// Takes so many rows of the batch; `parts` are the columns of the whole, and become those of these rows.
    fn take(&mut self, rows: usize, parts: &mut Vec<Column<'static>>) -> Result<(), ReadError> {
        let Some(batch) = &self.batch else { return Ok(()) };
        let at = self.taken;
        self.taken += rows;
        if at == 0 && rows == batch.len() {
            return Ok(());
        }
        parts.clear();
        let first = self.group.0 + (self.seen - batch.len() as u64) + at as u64 + 1;
        flatten(self.name, &batch.slice(at, rows), Rows::From(first), &mut |_, column| parts.push(column))
    }
}

/// Whether every data page of a column holds keys into the dictionary.
fn has_keys(chunk: &ColumnChunkMetaData) -> bool {
    let keys = |encoding: Encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    match chunk.page_encoding_stats_mask() {
        Some(mask) => {
            chunk.dictionary_page_offset().is_some()
                && mask.encodings().all(keys)
                && mask.encodings().next().is_some()
        }
        None => false,
    }
}
