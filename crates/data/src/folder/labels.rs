//! The label manifest of a directory: a CSV file with a path and a label in each row.

use std::collections::BTreeMap;

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::limits::{FOLDER_FILES, FOLDER_LABEL_BYTES, FOLDER_LABELS_BYTES};

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
    /// The header names no path, or no label.
    #[error("the header of the labels has no `path` (or `file`) and `label`")]
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
    let mut columns: Option<(usize, usize, usize)> = None;
    let mut row = 0_u64;
    for record in records(bytes) {
        let Some((path_at, label_at, width)) = columns else {
            let name = |cell: &Vec<u8>| String::from_utf8_lossy(cell).trim().to_ascii_lowercase();
            let names: Vec<String> = record.iter().map(name).collect();
            let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
            let (path, label) = (place(&["path", "file"]), place(&["label"]));
            columns =
                Some((path.ok_or(LabelsInvalid::Header)?, label.ok_or(LabelsInvalid::Header)?, names.len()));
            continue;
        };
        row = row.saturating_add(1);
        if record.len() != width {
            return Err(LabelsInvalid::Cells { row });
        }
        let text = |at: usize| {
            let cell = record.get(at).map(Vec::as_slice).unwrap_or_default();
            std::str::from_utf8(cell).map(str::to_owned).map_err(|_| LabelsInvalid::Encoding { row })
        };
        let (path, label) = (text(path_at)?, text(label_at)?);
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        if label.is_empty() || label.len() > FOLDER_LABEL_BYTES {
            return Err(LabelsInvalid::Label { row });
        }
        if usize::try_from(row).map_or(true, |rows| rows > FOLDER_FILES) {
            return Err(LabelsInvalid::TooLarge);
        }
        match found.of.get(&path) {
            Some(known) if *known != label => found.contradicted.push(path),
            Some(_) => {}
            None => {
                found.of.insert(path, label);
            }
        }
    }
    columns.ok_or(LabelsInvalid::Header)?;
    found.rows = row;
    found.contradicted.sort();
    found.contradicted.dedup();
    Ok(found)
}

/// The records of a CSV file. Cells are never longer than the file, so the buffers are bounded by it.
fn records(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ReaderBuilder::new().build();
    let mut records = Vec::new();
    let (mut output, mut ends) =
        (vec![0; bytes.len().saturating_add(1)], vec![0; bytes.len().saturating_add(2)]);
    let mut rest = bytes;
    loop {
        let (mut written, mut cells) = (0, 0);
        let ended = loop {
            let out = output.get_mut(written..).unwrap_or_default();
            let marks = ends.get_mut(cells..).unwrap_or_default();
            let (result, taken, wrote, marked) = reader.read_record(rest, out, marks);
            rest = rest.get(taken..).unwrap_or_default();
            written += wrote;
            cells += marked;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break false,
                // The buffers hold the whole file, so that neither is ever full.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull | ReadRecordResult::End => {
                    break true;
                }
            }
        };
        if ended {
            return records;
        }
        let mut begin = 0;
        let mut record = Vec::with_capacity(cells);
        for end in ends.get(..cells).unwrap_or_default() {
            record.push(output.get(begin..*end).unwrap_or_default().to_vec());
            begin = *end;
        }
        records.push(record);
    }
}
