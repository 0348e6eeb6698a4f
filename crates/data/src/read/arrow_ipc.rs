//! Arrow IPC, as a stream and as a file: messages of metadata and a body, each within limits before it is decoded.
//!
//! A file is a stream between two magic words with a footer that says where its batches are (Arrow Columnar Format,
//! "IPC File Format"). It is read as the stream that it holds, so a pipe will do; the footer must then name as many
//! batches as came, and the file must end with the magic word, or it was cut off.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader, MetadataVersion};
use arrow_schema::{Schema, SchemaRef};

use super::batch::{Column, Rows};
use super::decoder::{Panicked, guarded};
use super::flatten::{flatten, paths};
use super::{Columns, Format, Parse, Pieces, ReadError, read_error};
use crate::limits::{ARROW_MESSAGE_BYTES, ARROW_METADATA_BYTES, COLUMNS, DICTIONARY_BYTES, ROWS};

const MAGIC: &[u8] = b"ARROW1";

/// The messages of a stream.
pub(super) struct ArrowPieces<R> {
    input: R,
    /// The first bytes of the first message, when they were read to tell them from what pads the magic word.
    first: Option<[u8; 4]>,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Arc<HashMap<i64, ArrayRef>>,
    dictionary_bytes: u64,
    batches: usize,
    is_file: bool,
    /// The schema was read.
    begun: bool,
    ended: bool,
}

/// A batch that is still to be decoded.
pub(super) struct RawBatch {
    metadata: Vec<u8>,
    body: Buffer,
    schema: SchemaRef,
    version: MetadataVersion,
    dictionaries: Arc<HashMap<i64, ArrayRef>>,
}

fn damaged(what: &dyn std::fmt::Display) -> ReadError {
    ReadError::damaged(Format::Arrow, what)
}

fn decode<T>(decoder: impl FnOnce() -> Result<T, arrow_schema::ArrowError>) -> Result<T, ReadError> {
    match guarded(decoder) {
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err(damaged(&error)),
        Err(Panicked) => Err(damaged(&"a message contradicts itself")),
    }
}

impl<R: Read> ArrowPieces<R> {
    /// Reads the schema.
    pub(super) fn open(mut input: R, is_file: bool) -> Result<Self, ReadError> {
        let first = if is_file { Some(after_magic(&mut input)?) } else { None };
        let mut pieces = Self {
            first,
            input,
            schema: Arc::new(Schema::empty()),
            version: MetadataVersion::V5,
            dictionaries: Arc::default(),
            dictionary_bytes: 0,
            batches: 0,
            is_file,
            begun: false,
            ended: false,
        };
        let Some((metadata, _)) = pieces.message()? else { return Err(ReadError::Empty) };
        let message = message(&metadata)?;
        let Some(schema) = message.header_as_schema() else {
            return Err(damaged(&"it does not begin with a schema"));
        };
        pieces.version = message.version();
        let schema = decode(|| arrow_ipc::convert::try_fb_to_schema(schema))?;
        if schema.fields().len() > COLUMNS {
            return Err(ReadError::TooManyColumns { row: 0 });
        }
        pieces.schema = Arc::new(schema);
        pieces.begun = true;
        Ok(pieces)
    }

    /// The paths of all columns.
    pub(super) fn columns(&self) -> Result<Vec<String>, ReadError> {
        let mut columns = Vec::new();
        for field in self.schema.fields() {
            paths(field.name(), field.data_type(), 0, &mut columns)?;
        }
        super::check_names(&columns)?;
        Ok(columns)
    }

    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// The next message: metadata and body. `None` at the marker that ends a stream, or where there is nothing at all. The
    /// format also lets a stream end where its bytes do; but then nobody knows whether it was cut off.
    fn message(&mut self) -> Result<Option<(Vec<u8>, Buffer)>, ReadError> {
        let mut length = [0; 4];
        let read = match self.first.take() {
            Some(first) => {
                length = first;
                first.len()
            }
            None => fill(&mut self.input, &mut length)?,
        };
        if read == 0 && !self.is_file {
            let unended = || damaged(&"it ends without the marker that ends a stream; was it cut off?");
            return if self.begun { Err(unended()) } else { Ok(None) };
        }
        if read < length.len() {
            return Err(damaged(&"it ends within a message; was it cut off?"));
        }
        if length == [0xFF; 4] {
            length = exact(&mut self.input, 4)?.try_into().unwrap_or_default();
        }
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            return Ok(None);
        }
        limit("metadata", length, ARROW_METADATA_BYTES)?;
        let metadata = exact(&mut self.input, length)?;
        let parsed = message(&metadata)?;
        let body_length =
            u64::try_from(parsed.bodyLength()).map_err(|_| damaged(&"a length below nought"))?;
        limit("a message", body_length, ARROW_MESSAGE_BYTES)?;
        let body = self.body(body_length)?;
        limit("a message, decompressed,", decompressed(&parsed, &body), ARROW_MESSAGE_BYTES)?;
        Ok(Some((metadata, body)))
    }

    /// Memory is taken as bytes come, and not as a length says.
    fn body(&mut self, length: u64) -> Result<Buffer, ReadError> {
        const STEP: u64 = 1024 * 1024;
        let mut body = MutableBuffer::new(0);
        let mut left = length;
        while left > 0 {
            let step = left.min(STEP);
            let from = body.len();
            body.resize(from + usize::try_from(step).unwrap_or(0), 0);
            let into = body.as_slice_mut().get_mut(from..).unwrap_or_default();
            if fill(&mut self.input, into)? < into.len() {
                return Err(damaged(&"it ends within a message; was it cut off?"));
            }
            left -= step;
        }
        Ok(body.into())
    }

    fn dictionary(&mut self, metadata: &[u8], body: &Buffer) -> Result<(), ReadError> {
        let message = message(metadata)?;
        let Some(batch) = message.header_as_dictionary_batch() else { return Ok(()) };
        self.dictionary_bytes =
            self.dictionary_bytes.saturating_add(decompressed(&message, body).max(body.len() as u64));
        limit("dictionaries", self.dictionary_bytes, DICTIONARY_BYTES)?;
        let (schema, version) = (&self.schema, &self.version);
        // Batches that are being decoded keep the dictionaries that they came with.
        let dictionaries = Arc::make_mut(&mut self.dictionaries);
        decode(|| read_dictionary(body, batch, schema, dictionaries, version))
    }

    /// What follows the stream in a file: the footer and the magic word.
    fn footer(&mut self) -> Result<(), ReadError> {
        let mut rest = Vec::new();
        let most = ARROW_METADATA_BYTES + 64;
        self.input.by_ref().take(most + 1).read_to_end(&mut rest).map_err(read_error)?;
        limit("a footer", rest.len() as u64, most)?;
        let cut_off = || damaged(&"it does not end as a file does; was it cut off?");
        let rest = rest.strip_suffix(MAGIC).ok_or_else(cut_off)?;
        let (rest, length) = rest.split_last_chunk::<4>().ok_or_else(cut_off)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let footer = rest.len().checked_sub(length).and_then(|from| rest.get(from..)).ok_or_else(cut_off)?;
        let footer = arrow_ipc::root_as_footer(footer).map_err(|error| damaged(&error))?;
        let named = footer.recordBatches().map_or(0, |batches| batches.len());
        if named != self.batches {
            return Err(damaged(&format!(
                "its footer names {named} batches, and there are {}",
                self.batches
            )));
        }
        Ok(())
    }
}

/// Skips the magic word and the noughts that pad it: to 8 bytes, or as some writers do to 64. Returns what follows.
fn after_magic(input: &mut impl Read) -> Result<[u8; 4], ReadError> {
    exact(input, 8)?;
    for _ in 0..=(64 - 8) / 4 {
        let word = exact(input, 4)?.try_into().unwrap_or_default();
        if word != [0; 4] {
            return Ok(word);
        }
    }
    Err(damaged(&"no message follows the magic word"))
}

fn message(metadata: &[u8]) -> Result<Message<'_>, ReadError> {
    arrow_ipc::root_as_message(metadata).map_err(|error| damaged(&error))
}

fn limit(what: &'static str, got: u64, allowed: u64) -> Result<(), ReadError> {
    if got <= allowed {
        return Ok(());
    }
    Err(ReadError::Limit { format: Format::Arrow, column: None, what, got, allowed })
}

/// What the buffers of a message come to when they are decompressed, by their own words, which decoders hold them to.
fn decompressed(message: &Message<'_>, body: &Buffer) -> u64 {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
        _ => None,
    };
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else { return 0 };
    let length = |buffer: &arrow_ipc::Buffer| {
        let from = usize::try_from(buffer.offset()).ok()?;
        let prefix = body.as_slice().get(from..)?.first_chunk::<8>()?;
        let length = i64::from_le_bytes(*prefix);
        // -1 says that the buffer is as it is.
        u64::try_from(length).ok()
    };
    let buffers = batch.buffers().into_iter().flatten();
    buffers.filter(|buffer| buffer.length() > 0).filter_map(length).fold(0, u64::saturating_add)
}

/// Reads until `into` is full or the input ends.
fn fill(input: &mut impl Read, into: &mut [u8]) -> Result<usize, ReadError> {
    let mut filled = 0;
    while let Some(space) = into.get_mut(filled..).filter(|space| !space.is_empty()) {
        match input.read(space) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(read_error(error)),
        }
    }
    Ok(filled)
}

fn exact(input: &mut impl Read, length: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let read = input.take(length).read_to_end(&mut bytes).map_err(read_error)?;
    if (read as u64) < length {
        return Err(damaged(&"it ends within a message; was it cut off?"));
    }
    Ok(bytes)
}

impl<R: Read> Pieces for ArrowPieces<R> {
    type Raw = RawBatch;

    fn next(&mut self) -> Result<Option<RawBatch>, ReadError> {
        while !self.ended {
            let Some((metadata, body)) = self.message()? else {
                self.ended = true;
                if self.is_file {
                    self.footer()?;
                } else if fill(&mut self.input, &mut [0])? > 0 {
                    return Err(damaged(&"something follows the end of the stream"));
                }
                break;
            };
            match message(&metadata)?.header_type() {
                MessageHeader::DictionaryBatch => self.dictionary(&metadata, &body)?,
                MessageHeader::RecordBatch => {
                    self.batches += 1;
                    return Ok(Some(RawBatch {
                        metadata,
                        body,
                        schema: Arc::clone(&self.schema),
                        version: self.version,
                        dictionaries: Arc::clone(&self.dictionaries),
                    }));
                }
                _ => return Err(damaged(&"a message that is neither a batch nor a dictionary")),
            }
        }
        Ok(None)
    }
}

/// Decodes batches.
pub(super) struct ArrowBatches;

/// A batch in columns.
pub(super) struct Parsed {
    columns: Result<Vec<Column<'static>>, ReadError>,
    rows: u64,
}

fn columns_of(raw: &RawBatch) -> Result<(Vec<Column<'static>>, u64), ReadError> {
    let message = message(&raw.metadata)?;
    let Some(batch) = message.header_as_record_batch() else { return Err(damaged(&"a batch without one")) };
    let rows = u64::try_from(batch.length()).map_err(|_| damaged(&"a length below nought"))?;
    // A column of nothing needs no bytes, so that rows are bounded by nothing else.
    limit("a batch with rows", rows, u64::from(u32::MAX >> 1))?;
    let decoded: RecordBatch = decode(|| {
        read_record_batch(&raw.body, batch, Arc::clone(&raw.schema), &raw.dictionaries, None, &raw.version)
    })?;
    let mut columns = Vec::new();
    for (field, array) in raw.schema.fields().iter().zip(decoded.columns()) {
        flatten(field.name(), array, Rows::From(1), &mut |_, column| columns.push(column))?;
    }
    Ok((columns, rows))
}

impl<R: Read> Parse<ArrowPieces<R>> for ArrowBatches {
    type Parsed = Parsed;

    fn parse(&self, raw: RawBatch) -> Parsed {
        match columns_of(&raw) {
            Ok((columns, rows)) => Parsed { columns: Ok(columns), rows },
            Err(error) => Parsed { columns: Err(error), rows: 0 },
        }
    }

    fn place(&self, parsed: &mut Parsed, rows: u64, _: &mut Columns) -> Result<u64, ReadError> {
        match &mut parsed.columns {
            Ok(columns) => {
                for column in columns {
                    match &mut column.rows {
                        Rows::From(first) | Rows::Of(first, _) => *first = rows + 1,
                    }
                }
            }
            failed => {
                if let Err(error) = std::mem::replace(failed, Ok(Vec::new())) {
                    return Err(match error {
                        ReadError::Damaged { format, column, what, .. } => {
                            ReadError::Damaged { format, column, row: Some(rows + 1), what }
                        }
                        other => other,
                    });
                }
            }
        }
        if rows + parsed.rows > ROWS { Err(ReadError::TooManyRows) } else { Ok(parsed.rows) }
    }

    fn show(&self, parsed: &Parsed, column: usize, show: &mut dyn FnMut(&Column<'_>)) {
        if let Some(column) = parsed.columns.as_ref().ok().and_then(|columns| columns.get(column)) {
            show(column);
        }
    }
}
