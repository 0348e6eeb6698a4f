//! Parquet: a task for each column of each row group, spread over threads, each reading only its own pages.
//!
//! The states of a column's row groups are merged in their order as soon as they are there, whichever thread made
//! them, so what a read says does not depend on how many threads there were.

mod group;
mod pinned;
mod thrift;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use bartizan_base::Digest;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Compression;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader as _;

use self::pinned::{Pinned, View};
use super::decoder::{Panicked, guarded};
use super::flatten::paths;
use super::turns::Sink;
use super::{Format, ReadError, ReadSeek, check_names};
use crate::limits::{COLUMNS, DEPTH, PARQUET_FOOTER_BYTES, PARQUET_ROW_GROUPS, ROWS};

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

/// What there is to do in each row group.
struct Plan {
    tasks: Vec<Task>,
    /// The columns at the top level that are wanted side by side.
    together: Vec<usize>,
    /// Where among these each path is that is wanted.
    wanted: Vec<Option<(usize, usize)>>,
}

enum Task {
    /// One column for its states.
    Column(usize),
    /// The rows of columns that are wanted side by side; `shared` is whether it is for their states too.
    Rows { shared: bool },
}

/// What a decoder makes of bytes that it takes from a view.
fn decode<T>(view: &View, decoder: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    match (guarded(decoder), view.fault()) {
        (Ok(Ok(decoded)), None) => Ok(decoded),
        // What the view says is more exact than what the decoder makes of it.
        (_, Some(fault)) => Err(fault),
        (Ok(Err(error)), None) => Err(error),
        (Err(Panicked), None) => Err(damaged(&"a page contradicts itself")),
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

/// The name of a compression that pages are not read with.
const fn undecoded(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4
        | Compression::LZ4_RAW
        | Compression::ZSTD(_) => None,
        Compression::LZO => Some("LZO"),
        Compression::BROTLI(_) => Some("Brotli"),
    }
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
            for column in group.columns() {
                if let Some(name) = undecoded(column.compression()) {
                    let kind = format!("compressed with {name}");
                    return Err(ReadError::Unsupported { column: column.column_path().string(), kind });
                }
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
        let plan = self.plan(sink.together(), &parts, threads);
        let of_group = plan.tasks.len();
        let tasks = self.groups.len().saturating_mul(of_group);
        let run = |group: usize, task: &Task| {
            let fields: &[usize] = match task {
                Task::Column(field) => std::slice::from_ref(field),
                Task::Rows { shared: true } => &plan.together,
                Task::Rows { shared: false } => &[],
            };
            let parts = fields.iter().filter_map(|field| parts.get(*field));
            let mut states: Vec<Vec<K::State>> = parts.map(fresh).collect();
            match (task, states.as_mut_slice()) {
                (Task::Column(field), [states]) => self.column(group, *field, sink, states)?,
                _ => self.together(group, &plan.together, &plan.wanted, sink, &mut states)?,
            }
            for (field, states) in fields.iter().zip(states) {
                if let Some(merged) = merged.get(*field) {
                    merge_in_order(sink, merged, group, states);
                }
            }
            Ok(())
        };
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
                let done = plan.tasks.get(task % of_group).map_or(Ok(()), |one| run(task / of_group, one));
                if let Err(error) = done {
                    stop.store(true, Ordering::Relaxed);
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if failed.as_ref().is_none_or(|(earliest, _)| task < *earliest) {
                        *failed = Some((task, error));
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

    /// What there is to do in each row group. Columns that are wanted side by side are one task, which is decoded once;
    /// where there are fewer groups than threads they also have tasks of their own, so that no thread has nothing to do.
    fn plan(&self, together: &[String], parts: &[Vec<String>], threads: usize) -> Plan {
        let roots = self.roots(together);
        let shared = self.groups.len() >= threads;
        let mut tasks = Vec::with_capacity(self.fields.len() + 1);
        if !roots.is_empty() {
            tasks.push(Task::Rows { shared });
        }
        let alone = (0..self.fields.len()).filter(|field| !(shared && roots.contains(field)));
        tasks.extend(alone.map(Task::Column));
        let place = |path: &String| {
            roots.iter().enumerate().find_map(|(at, field)| {
                let within = parts.get(*field)?.iter().position(|known| known == path)?;
                Some((at, within))
            })
        };
        let wanted = together.iter().map(place).collect();
        Plan { tasks, together: roots, wanted }
    }

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
