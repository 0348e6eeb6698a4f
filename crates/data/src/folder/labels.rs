//! The label manifest of a directory: a CSV file with a path and a label in each row.

use std::collections::BTreeMap;

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::limits::{FOLDER_FILES, FOLDER_LABEL_BYTES, FOLDER_LABEL_COLUMNS, FOLDER_LABELS_BYTES};

/// A label manifest cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelsInvalid {
    /// It is too large, or has too many rows.
    #[error("labels are at most {FOLDER_LABELS_BYTES} bytes and {FOLDER_FILES} rows")]
    TooLarge,
    /// It is not UTF-8.
    #[error("row {row} of the labels is not UTF-8 text")]
    Encoding {
        /// The row, from 1 after the header.
        row: u64,
    },
    /// The header names no path, or no label, or far too much.
    #[error(
        "the header of the labels has no `path` (or `file`) and `label`, or more than {FOLDER_LABEL_COLUMNS} columns"
    )]
    Header,
    /// A row has another number of cells than the header.
    #[error("row {row} of the labels has another number of cells than the header")]
    Cells {
        /// The row, from 1 after the header.
        row: u64,
    },
    /// A label is empty or too long.
    #[error("the label in row {row} is empty, or longer than {FOLDER_LABEL_BYTES} bytes")]
    Label {
        /// The row, from 1 after the header.
        row: u64,
    },
}

/// What a label manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// The label of each path, the first one where there are several.
    pub of: BTreeMap<String, String>,
    /// Paths that are given another label further on, sorted.
    pub contradicted: Vec<String>,
    /// Rows.
    pub rows: u64,
}

/// Reads a label manifest: comma-separated, quoted as in RFC 4180, with a header that has the columns `path` or `file`,
/// and `label`; others are passed over.
///
/// # Errors
/// When it is something else.
pub fn labels(bytes: &[u8]) -> Result<Labels, LabelsInvalid> {
    if bytes.len() > FOLDER_LABELS_BYTES {
        return Err(LabelsInvalid::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut found = Labels::default();
    let mut columns: Option<Columns> = None;
    each_record(bytes, |record| match &columns {
        None => {
            columns = Some(Columns::named(record)?);
            Ok(())
        }
        Some(columns) => found.take(record, columns),
    })?;
    columns.ok_or(LabelsInvalid::Header)?;
    found.contradicted.sort();
    found.contradicted.dedup();
    Ok(found)
}

/// Which cells of a row count, and how many it has.
struct Columns {
    path: usize,
    label: usize,
    width: usize,
}

impl Columns {
    fn named(header: Record<'_>) -> Result<Self, LabelsInvalid> {
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_ascii_lowercase();
        let place = |wanted: &[&str]| {
            let mut cells = (0..header.len()).map(|at| name(header.cell(at)));
            cells.position(|name| wanted.contains(&name.as_str())).ok_or(LabelsInvalid::Header)
        };
        Ok(Self { path: place(&["path", "file"])?, label: place(&["label"])?, width: header.len() })
    }
}

impl Labels {
    fn take(&mut self, record: Record<'_>, columns: &Columns) -> Result<(), LabelsInvalid> {
        let row = self.rows.saturating_add(1);
        self.rows = row;
        if record.len() != columns.width {
            return Err(LabelsInvalid::Cells { row });
        }
        let text =
            |at: usize| std::str::from_utf8(record.cell(at)).map_err(|_| LabelsInvalid::Encoding { row });
        let (path, label) = (text(columns.path)?, text(columns.label)?);
        let path = path.strip_prefix("./").unwrap_or(path);
        if label.is_empty() || label.len() > FOLDER_LABEL_BYTES {
            return Err(LabelsInvalid::Label { row });
        }
        if usize::try_from(row).map_or(true, |rows| rows > FOLDER_FILES) {
            return Err(LabelsInvalid::TooLarge);
        }
        match self.of.get(path) {
            Some(known) if known != label => self.contradicted.push(path.to_owned()),
            Some(_) => {}
            None => {
                self.of.insert(path.to_owned(), label.to_owned());
            }
        }
        Ok(())
    }
}

/// The cells of one record: their bytes one after another, and where each of them ends.
#[derive(Clone, Copy)]
struct Record<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    const fn len(self) -> usize {
        self.ends.len()
    }

    fn cell(self, at: usize) -> &'a [u8] {
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.bytes.get(begin..end).unwrap_or_default()
    }
}

/// Hands over each record of a CSV file as soon as it is read, until one is refused. The buffers hold one record and
/// grow with the longest, so that they are bounded by the file and not by how many records it has.
fn each_record(
    bytes: &[u8],
    mut take: impl FnMut(Record<'_>) -> Result<(), LabelsInvalid>,
) -> Result<(), LabelsInvalid> {
    let mut reader = ReaderBuilder::new().build();
    let (mut output, mut ends) = (vec![0; 1024], vec![0; 16]);
    let (mut rest, mut written, mut cells, mut records) = (bytes, 0_usize, 0_usize, 0_u64);
    loop {
        let out = output.get_mut(written..).unwrap_or_default();
        let marks = ends.get_mut(cells..).unwrap_or_default();
        let (result, taken, wrote, marked) = reader.read_record(rest, out, marks);
        rest = rest.get(taken..).unwrap_or_default();
        written = written.saturating_add(wrote);
        cells = cells.saturating_add(marked);
        match result {
            // The next call, with nothing, says that this is all.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull => output.resize(output.len().saturating_mul(2), 0),
            ReadRecordResult::OutputEndsFull if cells >= FOLDER_LABEL_COLUMNS => {
                return Err(if records == 0 {
                    LabelsInvalid::Header
                } else {
                    LabelsInvalid::Cells { row: records }
                });
            }
            ReadRecordResult::OutputEndsFull => ends.resize(ends.len().saturating_mul(2), 0),
            ReadRecordResult::Record => {
                let bytes = output.get(..written).unwrap_or_default();
                take(Record { bytes, ends: ends.get(..cells).unwrap_or_default() })?;
                (written, cells, records) = (0, 0, records.saturating_add(1));
            }
            ReadRecordResult::End => return Ok(()),
        }
    }
}
