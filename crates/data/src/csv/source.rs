//! Bytes to text: reads in pieces, hashes what was read, decodes it, and stops at the first bad byte.

use std::io::{self, Read};
use std::str;

use bartizan_base::{Digest, Hasher};
use encoding_rs::DecoderResult;

use super::{Encoding, sniff};

/// Bytes read at once: large enough to make calls cheap, small enough to stay in the processor's cache.
const PIECE_BYTES: usize = 64 * 1024;

/// Why no more text comes; the reader adds where in the table this is.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(io::Error),
    Binary(&'static str),
    BadText(u64),
    ZeroByte,
}

/// A file as a sequence of pieces of UTF-8 text.
pub(super) struct Source<R> {
    input: R,
    /// Absent where somebody else counts and hashes.
    hasher: Option<Hasher>,
    encoding: Encoding,
    /// Bytes read before those in `raw`.
    base: u64,
    raw: Vec<u8>,
    /// How many bytes of `raw` were read.
    filled: usize,
    /// How many bytes of `raw` are text that was handed out; the rest starts the next piece.
    used: usize,
    decoder: Option<Decoder>,
    at_end: bool,
    fault: Option<Fault>,
}

/// The state of a decoder for other encodings than UTF-8.
struct Decoder {
    inner: encoding_rs::Decoder,
    text: Vec<u8>,
    filled: usize,
    finished: bool,
}

impl Source<io::Empty> {
    /// A source that has ended, perhaps with a fault.
    pub(super) fn ended(encoding: Encoding, fault: Option<Fault>) -> Self {
        Self {
            input: io::empty(),
            hasher: None,
            encoding,
            base: 0,
            raw: Vec::new(),
            filled: 0,
            used: 0,
            decoder: None,
            at_end: true,
            fault,
        }
    }
}

impl<R: Read> Source<R> {
    /// Reads the first piece, recognises what is not text, and settles the encoding.
    pub(super) fn open(input: R, stated: Option<Encoding>, hashed: bool) -> Result<Self, Fault> {
        let mut source = Self {
            input,
            hasher: hashed.then(Hasher::new),
            encoding: stated.unwrap_or(Encoding::Utf8),
            base: 0,
            raw: vec![0; PIECE_BYTES],
            filled: 0,
            used: 0,
            decoder: None,
            at_end: false,
            fault: None,
        };
        source.fill()?;
        let start = source.raw.get(..source.filled).unwrap_or_default();
        if let Some(recognised) = sniff::recognise(start) {
            return Err(Fault::Binary(recognised));
        }
        let (marked, mark_bytes) = byte_order_mark(start);
        if let Some(other) = stated.and_then(|stated| sniff::other_encoding(start, stated, marked)) {
            return Err(Fault::Binary(other));
        }
        if stated.is_none() {
            source.encoding = marked.unwrap_or(Encoding::Utf8);
        }
        if marked == Some(source.encoding) {
            source.used = mark_bytes;
        }
        let one_byte = matches!(source.encoding, Encoding::Utf8 | Encoding::Windows1252);
        if one_byte && start.contains(&0) {
            return Err(Fault::Binary(sniff::recognise_zeros(start)));
        }
        source.decoder = decoder_of(source.encoding);
        Ok(source)
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The piece of text that [`advance`](Self::advance) made current.
    pub(super) fn text(&self) -> &[u8] {
        match &self.decoder {
            None => self.raw.get(..self.used).unwrap_or_default(),
            Some(decoder) => decoder.text.get(..decoder.filled).unwrap_or_default(),
        }
    }

    /// Bytes read and their digest. The whole file, once `advance` has said `false`.
    pub(super) fn finish(self) -> (u64, Digest) {
        (self.base + len_u64(self.filled), self.hasher.unwrap_or_default().finish())
    }

    /// What was read from.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// Makes the next piece of text current; `false` at the end of the file.
    pub(super) fn advance(&mut self) -> Result<bool, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        loop {
            self.fill()?;
            let last = self.at_end;
            if self.decode(last) {
                return Ok(true);
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if last {
                return Ok(false);
            }
        }
    }

    /// Makes `fault` the next thing that `advance` says.
    pub(super) fn put_back(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    /// Moves what was not used to the front and reads until the buffer is full or the file ends.
    fn fill(&mut self) -> Result<(), Fault> {
        self.raw.copy_within(self.used..self.filled, 0);
        self.base += len_u64(self.used);
        self.filled -= self.used;
        self.used = 0;
        while !self.at_end {
            let space = self.raw.get_mut(self.filled..).unwrap_or_default();
            if space.is_empty() {
                break;
            }
            match self.input.read(space) {
                Ok(0) => self.at_end = true,
                Ok(read) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(space.get(..read).unwrap_or_default());
                    }
                    self.filled += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Io(error)),
            }
        }
        Ok(())
    }

    /// Turns the filled part of `raw` into text, up to the first fault; whether there is any.
    fn decode(&mut self, last: bool) -> bool {
        let raw = self.raw.get(..self.filled).unwrap_or_default();
        let Some(decoder) = &mut self.decoder else {
            let (valid, fault) = valid_utf8(raw, self.base, last);
            (self.used, self.fault) = (valid, fault);
            return self.used > 0;
        };
        if decoder.finished {
            (self.used, decoder.filled) = (raw.len(), 0);
            return false;
        }
        let (result, used, written) =
            decoder.inner.decode_to_utf8_without_replacement(raw, &mut decoder.text, last);
        self.used = used;
        decoder.filled = written;
        match result {
            // A decoder that was told of the end and reached it must not be asked again.
            DecoderResult::InputEmpty => decoder.finished = last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bytes, after) => {
                let seen = self.base + len_u64(used);
                let offset = seen.saturating_sub(u64::from(bytes) + u64::from(after));
                self.fault = Some(Fault::BadText(offset));
            }
        }
        let text = decoder.text.get(..written).unwrap_or_default();
        if let Some(zero) = position_of_zero(text) {
            decoder.filled = zero;
            self.fault = Some(Fault::ZeroByte);
        }
        decoder.filled > 0
    }
}

/// How much of `raw` is text, and what is wrong after that. A character cut off by the piece's end is neither.
fn valid_utf8(raw: &[u8], base: u64, last: bool) -> (usize, Option<Fault>) {
    let (valid, fault) = match str::from_utf8(raw) {
        Ok(_) => (raw.len(), None),
        Err(error) => {
            let valid = error.valid_up_to();
            let bad = error.error_len().is_some() || last;
            (valid, bad.then(|| Fault::BadText(base + len_u64(valid))))
        }
    };
    match position_of_zero(raw.get(..valid).unwrap_or_default()) {
        Some(zero) => (zero, Some(Fault::ZeroByte)),
        None => (valid, fault),
    }
}

fn position_of_zero(text: &[u8]) -> Option<usize> {
    // `contains` is vectorised and `position` is not; zeros are rare.
    if text.contains(&0) { text.iter().position(|byte| *byte == 0) } else { None }
}

fn byte_order_mark(start: &[u8]) -> (Option<Encoding>, usize) {
    match start {
        [0xEF, 0xBB, 0xBF, ..] => (Some(Encoding::Utf8), 3),
        [0xFF, 0xFE, ..] => (Some(Encoding::Utf16Le), 2),
        [0xFE, 0xFF, ..] => (Some(Encoding::Utf16Be), 2),
        _ => (None, 0),
    }
}

fn decoder_of(encoding: Encoding) -> Option<Decoder> {
    let encoding = match encoding {
        Encoding::Utf8 => return None,
        Encoding::Utf16Le => encoding_rs::UTF_16LE,
        Encoding::Utf16Be => encoding_rs::UTF_16BE,
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
    };
    let inner = encoding.new_decoder_without_bom_handling();
    Some(Decoder { inner, text: vec![0; PIECE_BYTES * 3 + 16], filled: 0, finished: false })
}

fn len_u64(len: usize) -> u64 {
    len as u64
}
