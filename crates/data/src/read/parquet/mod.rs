//! Parquet: a task for each column of each row group, spread over threads, each reading only its own pages.
//!
//! The states of a column's row groups are merged in their order as soon as they are there, whichever thread made
//! them, so what a read says does not depend on how many threads there were.

mod pinned;
mod thrift;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow_array::RecordBatchReader as _;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use bartizan_base::Digest;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader as _;

use self::pinned::{Pinned, View};
use super::batch::{Column, Rows};
use super::flatten::{flatten, paths};
use super::turns::{Sink, TableRows};
use super::{Format, ReadError, ReadSeek, check_names};
use crate::limits::{COLUMNS, DEPTH, LIST_ELEMENTS, PARQUET_FOOTER_BYTES, PARQUET_ROW_GROUPS, ROWS};

/// Rows of a batch, unless they are wide.
const BATCH_ROWS: usize = 8 * 1024;
/// Rows of a batch of dictionary keys: they are small, and each batch looks through the dictionary once.
const KEY_ROWS: usize = 64 * 1024;
/// Bytes of values of fixed width in a batch.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What a read of a whole file leaves.
pub(super) struct Read<S> {
    pub(super) columns: Vec<(String, S)>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

fn damaged(what: &dyn std::fmt::Display) -> ReadError {
    ReadError::damaged(Format::Parquet, what)
}

fn limit(what: &'static str, got: u64, allowed: u64) -> Result<(), ReadError> {
    if got <= allowed {
        return Ok(());
    }
    Err(ReadError::Limit { format: Format::Parquet, column: None, what, got, allowed })
}

/// Reads a whole file with so many threads.
pub(super) fn read<K: Sink>(
    file: Box<dyn ReadSeek>,
    sink: &K,
    threads: usize,
) -> Result<Read<K::State>, ReadError> {
    let (pinned, digest) = Pinned::read(file).map_err(ReadError::Io)?;
    let pinned = Arc::new(pinned);
    let table = Table::open(&pinned)?;
    let columns = table.run(sink, threads)?;
    Ok(Read { columns, rows: table.rows, bytes: pinned.len(), digest })
}

struct Table {
    file: Arc<Pinned>,
    /// With text as views, which share what pages and dictionaries hold.
    plain: ArrowReaderMetadata,
    /// With text at the top level as keys into the dictionary of its pages.
    keyed: ArrowReaderMetadata,
    fields: Fields,
    /// For each field, the places of its leaves.
    leaves: Vec<Vec<usize>>,
    /// The row before each group, and its rows.
    groups: Vec<(u64, u64)>,
    rows: u64,
}

/// Runs a decoder that may panic on what it does not expect; it shares nothing that could stay half changed.
fn decode<T>(view: &View, decoder: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    let decoded = catch_unwind(AssertUnwindSafe(decoder));
    match (decoded, view.fault()) {
        (Ok(Ok(decoded)), None) => Ok(decoded),
        // What the view says is more exact than what the decoder makes of it.
        (_, Some(fault)) => Err(fault),
        (Ok(Err(error)), None) => Err(error),
        (Err(_), None) => Err(damaged(&"a page contradicts itself")),
    }
}

/// The footer, looked over before it is parsed.
fn metadata(file: &Arc<Pinned>) -> Result<ParquetMetaData, ReadError> {
    let view = View::new(Arc::clone(file));
    let length = file.len();
    let end = |from: u64| usize::try_from(length.saturating_sub(from)).unwrap_or(usize::MAX);
    let tail_at = length.saturating_sub(8);
    let tail = decode(&view, || view.get_bytes(tail_at, end(tail_at)).map_err(|error| damaged(&error)))?;
    let cut_off = || damaged(&"it does not end as a file does; was it cut off?");
    let (footer_bytes, magic) = tail.split_first_chunk::<4>().ok_or_else(cut_off)?;
    match magic {
        b"PAR1" => {}
        b"PARE" => {
            return Err(ReadError::Unsupported { column: "*".to_owned(), kind: "encrypted".to_owned() });
        }
        _ => return Err(cut_off()),
    }
    let footer_bytes = u64::from(u32::from_le_bytes(*footer_bytes));
    limit("a footer", footer_bytes, PARQUET_FOOTER_BYTES)?;
    let footer_at = tail_at.checked_sub(footer_bytes).ok_or_else(cut_off)?;
    let footer_length = usize::try_from(footer_bytes).unwrap_or(usize::MAX);
    let bytes = decode(&view, || view.get_bytes(footer_at, footer_length).map_err(|error| damaged(&error)))?;
    let footer = thrift::footer(&bytes).ok_or_else(|| damaged(&"its footer does not parse"))?;
    // A list takes three levels of Parquet's schema for one of ours.
    if footer.depth > 3 * DEPTH {
        return Err(ReadError::TooDeep { place: "the schema".to_owned() });
    }
    limit("a schema with elements", footer.elements, 4 * COLUMNS as u64)?;
    limit("row groups", footer.row_groups, PARQUET_ROW_GROUPS)?;
    decode(&view, || ParquetMetaDataReader::decode_metadata(&bytes).map_err(|error| damaged(&error)))
}

impl Table {
    fn open(file: &Arc<Pinned>) -> Result<Self, ReadError> {
        let metadata = Arc::new(metadata(file)?);
        let view = View::new(Arc::clone(file));
        // The Arrow schema that some writers add is another thing to trust, and says little that Parquet does not.
        let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let load = |options| {
            decode(&view, || {
                ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).map_err(|error| damaged(&error))
            })
        };
        let found = load(options())?;
        let schema = Arc::clone(found.schema());
        let with = |kind: &dyn Fn(&DataType, usize) -> DataType| {
            let fields: Fields = schema.fields().iter().map(|field| retyped(field, kind, 0)).collect();
            Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
        };
        let plain = load(options().with_schema(with(&|kind, _| viewed(kind))))?;
        let keyed = load(options().with_schema(with(&|kind, depth| match kind {
            DataType::Utf8 if depth == 0 => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            other => viewed(other),
        })))?;
        let descriptor = metadata.file_metadata().schema_descr();
        let mut leaves = vec![Vec::new(); schema.fields().len()];
        for leaf in 0..descriptor.num_columns() {
            if let Some(leaves) = leaves.get_mut(descriptor.get_column_root_idx(leaf)) {
                leaves.push(leaf);
            }
        }
        let (mut groups, mut rows) = (Vec::with_capacity(metadata.num_row_groups()), 0_u64);
        for group in metadata.row_groups() {
            let more =
                u64::try_from(group.num_rows()).map_err(|_| damaged(&"a row group of less than no rows"))?;
            if group.num_columns() != descriptor.num_columns() {
                return Err(damaged(&"a row group lacks columns"));
            }
            groups.push((rows, more));
            rows = rows.checked_add(more).filter(|rows| *rows <= ROWS).ok_or(ReadError::TooManyRows)?;
        }
        Ok(Self {
            file: Arc::clone(file),
            plain,
            keyed,
            fields: schema.fields().clone(),
            leaves,
            groups,
            rows,
        })
    }

    fn run<K: Sink>(&self, sink: &K, threads: usize) -> Result<Vec<(String, K::State)>, ReadError> {
        let mut names = Vec::new();
        let mut parts: Vec<Vec<String>> = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let mut part = Vec::new();
            paths(field.name(), field.data_type(), 0, &mut part)?;
            names.extend(part.iter().cloned());
            parts.push(part);
        }
        check_names(&names)?;
        let width = names.len();
        let fresh = |part: &Vec<String>| part.iter().map(|path| sink.start(path, width)).collect::<Vec<_>>();
        let merged: Vec<Merged<K::State>> =
            parts.iter().map(|part| Mutex::new((0, fresh(part), BTreeMap::new()))).collect();
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let failed: Mutex<Option<(usize, ReadError)>> = Mutex::new(None);
        // Columns that are wanted side by side are one more task of each row group.
        let together = self.roots(sink.together());
        let of_group = self.fields.len() + usize::from(!together.is_empty());
        let tasks = self.groups.len().saturating_mul(of_group);
        let work = || {
            loop {
                // Whoever took a task does it, so that the earliest that fails is always the same.
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return;
                }
                let (group, field) = (task / of_group, task % of_group);
                let done = match parts.get(field).zip(merged.get(field)) {
                    Some((part, merged)) => {
                        let mut states = fresh(part);
                        let seen = self.column(group, field, sink, &mut states);
                        seen.map(|()| merge_in_order(sink, merged, group, states))
                    }
                    None => self.together(group, &together, sink),
                };
                match done {
                    Ok(()) => {}
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        if failed.as_ref().is_none_or(|(earliest, _)| task < *earliest) {
                            *failed = Some((task, error));
                        }
                    }
                }
            }
        };
        if threads <= 1 {
            work();
        } else {
            thread::scope(|scope| {
                (0..threads).for_each(|_| drop(scope.spawn(work)));
            });
        }
        if let Some((_, error)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let states = merged
            .into_iter()
            .flat_map(|merged| merged.into_inner().unwrap_or_else(PoisonError::into_inner).1);
        Ok(names.into_iter().zip(states).collect())
    }

    /// Shows the column `field` of a row group to its states, one for each path.
    fn column<K: Sink>(
        &self,
        group: usize,
        field: usize,
        sink: &K,
        states: &mut [K::State],
    ) -> Result<(), ReadError> {
        let nested = self.fields.get(field).is_some_and(|field| field.data_type().is_nested());
        let view =
            View::new(Arc::clone(&self.file)).with_values(if nested { LIST_ELEMENTS } else { u64::MAX });
        let (before, rows) = self.groups.get(group).copied().unwrap_or_default();
        let name = self.fields.get(field).map_or("", |field| field.name());
        decode(&view, || {
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
            let mut seen = 0_u64;
            for batch in reader {
                let batch = batch.map_err(|error| damaged(&error))?;
                let Some(array) = batch.columns().first() else { continue };
                let mut at = 0;
                flatten(name, array, Rows::From(before + seen + 1), &mut |_, column| {
                    if let Some(state) = states.get_mut(at) {
                        sink.observe(state, &column);
                    }
                    at += 1;
                })?;
                seen += batch.num_rows() as u64;
            }
            if seen == rows {
                Ok(())
            } else {
                Err(damaged(&format!("{seen} values where there are {rows} rows")))
            }
        })
        .map_err(|error| error.in_column(name, before + 1))
    }
}

impl Table {
    /// The columns at the top level that hold these paths.
    fn roots(&self, paths: &[String]) -> Vec<usize> {
        let holds = |field: &FieldRef| {
            let name = field.name();
            paths.iter().any(|path| {
                path.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        (0..self.fields.len()).filter(|at| self.fields.get(*at).is_some_and(holds)).collect()
    }

    /// Shows the rows of a group, as far as columns of theirs are wanted side by side.
    fn together<K: Sink>(&self, group: usize, roots: &[usize], sink: &K) -> Result<(), ReadError> {
        let nested =
            roots.iter().any(|at| self.fields.get(*at).is_some_and(|field| field.data_type().is_nested()));
        let view =
            View::new(Arc::clone(&self.file)).with_values(if nested { LIST_ELEMENTS } else { u64::MAX });
        let (before, rows) = self.groups.get(group).copied().unwrap_or_default();
        decode(&view, || {
            let descriptor = self.plain.metadata().file_metadata().schema_descr();
            let leaves: Vec<usize> =
                roots.iter().filter_map(|at| self.leaves.get(*at)).flatten().copied().collect();
            let width: usize = leaves
                .iter()
                .map(|leaf| usize::try_from(descriptor.column(*leaf).type_length()).unwrap_or(0).max(16))
                .sum();
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(view.clone(), self.plain.clone())
                .with_projection(ProjectionMask::leaves(descriptor, leaves))
                .with_row_groups(vec![group])
                .with_batch_size((BATCH_BYTES / width.max(1)).clamp(64, BATCH_ROWS))
                .build()
                .map_err(|error| damaged(&error))?;
            let mut seen = 0_u64;
            for batch in reader {
                let batch = batch.map_err(|error| damaged(&error))?;
                let first = before + seen + 1;
                let mut found: Vec<(String, Column<'static>)> = Vec::new();
                for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                    flatten(field.name(), array, Rows::From(first), &mut |path, column| {
                        found.push((path.to_owned(), column));
                    })?;
                }
                let of =
                    |path: &String| found.iter().find(|(name, _)| name == path).map(|(_, column)| column);
                let columns: Vec<Option<&Column<'_>>> = sink.together().iter().map(of).collect();
                sink.rows(&TableRows { first, count: batch.num_rows(), columns: &columns });
                seen += batch.num_rows() as u64;
            }
            if seen == rows { Ok(()) } else { Err(damaged(&format!("{seen} rows where there are {rows}"))) }
        })
    }
}

/// The group whose turn it is, the states of those before, and what came too early.
type Merged<S> = Mutex<(usize, Vec<S>, BTreeMap<usize, Vec<S>>)>;

fn merge_in_order<K: Sink>(sink: &K, merged: &Merged<K::State>, group: usize, states: Vec<K::State>) {
    let mut merged = merged.lock().unwrap_or_else(PoisonError::into_inner);
    let (next, all, early) = &mut *merged;
    early.insert(group, states);
    while let Some(states) = early.remove(next) {
        all.iter_mut().zip(states).for_each(|(all, state)| sink.merge(all, state));
        *next += 1;
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

fn viewed(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    }
}

/// The field with other types of text.
fn retyped(field: &FieldRef, kind: &dyn Fn(&DataType, usize) -> DataType, depth: usize) -> FieldRef {
    let inner = |field: &FieldRef| retyped(field, kind, depth + 1);
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(element) => DataType::List(inner(element)),
        DataType::LargeList(element) => DataType::LargeList(inner(element)),
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(inner(element), *size),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        leaf => kind(leaf, depth),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
