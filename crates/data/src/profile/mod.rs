//! The mergeable state that one pass over a table leaves behind.

mod column;
mod distinct;
mod extremes;
mod kinds;
mod numbers;
mod observe;
mod ranges;
pub(crate) mod render;
mod stored;
mod texts;
mod values;

use std::collections::BTreeMap;
use std::io::Read;

pub use self::column::{ColumnProfile, TopValue};
pub(crate) use self::distinct::whole;
pub use self::kinds::{ColumnType, ColumnTypeInvalid, Kinds};
pub(crate) use self::observe::Scratch;
pub use self::ranges::{Decimals, InstantRange, Sizes};
pub use self::stored::ProfileInvalid;
use crate::csv::pieces::CsvPieces;
use crate::csv::sheet::Sheets;
use crate::csv::{CsvOptions, CsvReader, NullTokens, ReadError, ReadOutcome};
use crate::limits::ROWS;
use crate::read::batch::Column;
use crate::read::{self, Format, ReadOptions, Sink, Source};
use crate::sketch::{EdgeHistogram, EdgesInvalid};

/// What is known of a table after one pass.
///
/// Memory depends on the columns alone. Merging is associative and commutative: however a table is cut into parts, the
/// merged profile equals that of the whole in all that is exact (counts, kinds, ranges, extremes, lengths, sums of
/// integers, histograms, the registers that distinct values are counted by, and the values themselves while they are
/// few), byte for byte in the stored form; quantiles and frequent values stay within the bounds that they state, and
/// moments within rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    null: NullTokens,
    rows: u64,
    columns: Vec<ColumnProfile>,
}

/// Two profiles are not of the same table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The columns or their order differ.
    #[error("the profiles have different columns")]
    Columns,
    /// They take different cells for "no value".
    #[error("the profiles spell null differently")]
    Null,
    /// Together they have too many rows.
    #[error("together more than the {ROWS} rows allowed")]
    Rows,
}

/// How to profile a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProfileOptions {
    /// How to read it.
    pub read: ReadOptions,
    /// Columns whose numbers are counted between frozen edges, so that the counts of two tables can be compared.
    pub edges: BTreeMap<String, Vec<f64>>,
}

/// A table was not profiled.
#[derive(Debug, thiserror::Error)]
pub enum NotProfiled {
    /// It could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Edges that no histogram has.
    #[error("the edges of column `{column}` are unusable")]
    Edges {
        /// The column.
        column: String,
        /// Why.
        #[source]
        source: EdgesInvalid,
    },
}

/// Reads a table once, in whatever format, and profiles it with so many threads (1 and 0 mean this one). The profile is
/// the same whatever their number.
///
/// # Errors
/// When the table cannot be read to its end, or edges are unusable.
pub fn profile(
    source: Source<'_>,
    options: &ProfileOptions,
    threads: usize,
) -> Result<(Profile, ReadOutcome), NotProfiled> {
    let profiler = Profiler::new(options)?;
    let table = read::read(source, &options.read, threads, &profiler)?;
    let columns = table.columns.into_iter().map(|(_, state)| state.profile).collect();
    let profile = Profile::of_read(columns, &table.outcome, &options.read.csv.null);
    Ok((profile, table.outcome))
}

/// Reads a CSV file once and profiles it.
///
/// # Errors
/// When the file cannot be read to its end.
pub fn infer(input: impl Read, options: &CsvOptions) -> Result<(Profile, ReadOutcome), ReadError> {
    let profiler = Profiler { edges: BTreeMap::new() };
    let reader = CsvReader::open(input, options)?;
    let (pieces, header, format) = CsvPieces::after_header(reader);
    let sheets = Sheets { width: header.len(), format, null: &options.null };
    let (finished, pieces) = read::run_here(pieces, &sheets, &profiler, header)?;
    if finished.rows == 0 {
        return Err(ReadError::NoRows);
    }
    let (bytes, digest) = pieces.tally();
    let outcome = ReadOutcome::new(bytes, digest, finished.rows, Format::Csv, format);
    let columns = finished.columns.into_iter().map(|(_, state)| state.profile).collect();
    Ok((Profile::of_read(columns, &outcome, &options.null), outcome))
}

/// Makes profiles of columns.
pub(crate) struct Profiler {
    edges: BTreeMap<String, EdgeHistogram>,
}

/// A column's profile while it is made.
pub(crate) struct Profiling {
    pub(crate) profile: ColumnProfile,
    scratch: Scratch,
}

impl Profiler {
    pub(crate) fn new(options: &ProfileOptions) -> Result<Self, NotProfiled> {
        let histogram = |(column, edges): (&String, &Vec<f64>)| match EdgeHistogram::new(edges) {
            Ok(histogram) => Ok((column.clone(), histogram)),
            Err(source) => Err(NotProfiled::Edges { column: column.clone(), source }),
        };
        Ok(Self { edges: options.edges.iter().map(histogram).collect::<Result<_, _>>()? })
    }

    /// Without edges.
    pub(crate) const fn plain() -> Self {
        Self { edges: BTreeMap::new() }
    }
}

impl Sink for Profiler {
    type State = Profiling;

    fn start(&self, path: &str, width: usize) -> Profiling {
        let histogram = self.edges.get(path).map(|histogram| Box::new(histogram.clone()));
        Profiling {
            profile: ColumnProfile::new(path.to_owned(), width, histogram),
            scratch: Scratch::default(),
        }
    }

    fn observe(&self, state: &mut Profiling, column: &Column<'_>) {
        state.profile.observe(column, &mut state.scratch);
    }

    fn merge(&self, state: &mut Profiling, after: Profiling) {
        state.profile.merge(&after.profile);
    }
}

impl Profile {
    /// The profile of a table that was read to its end.
    pub(crate) fn of_read(mut columns: Vec<ColumnProfile>, read: &ReadOutcome, null: &NullTokens) -> Self {
        let width = columns.len();
        for column in &mut columns {
            column.rebound(width);
            // Lines of JSON may lack what others have; the elements of lists are not one for each row.
            if !column.name.contains("[]") {
                column.add_nulls(read.rows().saturating_sub(column.count()));
            }
        }
        Self { null: null.clone(), rows: read.rows(), columns }
    }

    /// Takes in what `other` knows of further rows of the same table.
    ///
    /// # Errors
    /// When the other profile is of another table; then nothing changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.null != other.null {
            return Err(MergeError::Null);
        }
        if !self.columns.iter().map(|column| &column.name).eq(other.columns.iter().map(|column| &column.name))
        {
            return Err(MergeError::Columns);
        }
        let rows = self.rows.checked_add(other.rows).filter(|rows| *rows <= ROWS).ok_or(MergeError::Rows)?;
        self.rows = rows;
        self.columns.iter_mut().zip(&other.columns).for_each(|(mine, theirs)| mine.merge(theirs));
        Ok(())
    }

    /// Rows seen.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Which cells counted as "no value".
    pub const fn null(&self) -> &NullTokens {
        &self.null
    }

    /// The columns in the order of the header.
    pub fn columns(&self) -> &[ColumnProfile] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }
}
