//! Writing an encrypted stream in one pass with one buffer.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::Aad;
use bartizan_base::Hasher;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{HEADER_BYTES, PREFIX_BYTES, SALT_BYTES, StreamKey, TAG_BYTES};
use crate::limits::SEGMENT_BYTES;
use crate::secret::Secret;
use crate::wrap::CryptoFailed;

/// Encrypts what is written to it. Only [`Encryptor::finish`] makes the stream complete.
///
/// Bytes are gathered in one buffer of 1 MiB, encrypted there and written from there. After an error the
/// stream is broken, and everything after it fails too.
pub struct Encryptor<W: Write> {
    writer: W,
    key: StreamKey,
    // INVARIANT: `buffer` has SEGMENT_BYTES bytes; `start <= filled <= SEGMENT_BYTES - TAG_BYTES`; plain text
    // stands in `start..filled`, and before it, in the first segment, the header.
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    filled: usize,
    // The number of the segment in the buffer; `None` after the last one that the counter allows, and after an
    // error: a cut stream must not be finished, and no nonce may be used twice.
    number: Option<u32>,
    plain: u64,
}

const FULL: usize = SEGMENT_BYTES - TAG_BYTES;

impl<W: Write> Encryptor<W> {
    /// Starts a stream under `secret`, bound to `aad`. One secret may encrypt many streams.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn new(
        writer: W,
        secret: &Secret,
        aad: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CryptoFailed> {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        let mut prefix = [0; PREFIX_BYTES];
        rng.fill_bytes(&mut prefix);
        let key = StreamKey::new(secret, &salt, prefix, aad)?;

        let mut buffer = Zeroizing::new(vec![0; SEGMENT_BYTES]);
        let length = u8::try_from(HEADER_BYTES).map_err(|_| CryptoFailed)?;
        let header = [length].into_iter().chain(salt).chain(prefix);
        for (to, from) in buffer.iter_mut().zip(header) {
            *to = from;
        }
        Ok(Self { writer, key, buffer, start: HEADER_BYTES, filled: HEADER_BYTES, number: Some(0), plain: 0 })
    }

    /// Encrypts all that `source` still has, and adds it to `hasher`. Reads straight into the buffer: each
    /// byte is copied never, hashed once and encrypted in place. Returns how many bytes there were.
    ///
    /// # Errors
    /// When reading, encrypting or writing fails.
    pub fn copy_from(&mut self, source: &mut dyn Read, hasher: &mut Hasher) -> Result<u64, CopyFailed> {
        let before = self.plain;
        let copied = self.copy_all(source, hasher);
        if copied.is_err() {
            self.number = None;
        }
        copied.map(|()| self.plain - before)
    }

    fn copy_all(&mut self, source: &mut dyn Read, hasher: &mut Hasher) -> Result<(), CopyFailed> {
        self.number.ok_or_else(over).map_err(CopyFailed::Write)?;
        loop {
            if self.filled == FULL {
                // Whether this segment is the last shows only in the byte after it.
                let mut next = [0];
                if read(source, &mut next).map_err(CopyFailed::Read)? == 0 {
                    return Ok(());
                }
                hasher.update(&next);
                self.write_all(&next).map_err(CopyFailed::Write)?;
            }
            let room = self.buffer.get_mut(self.filled..FULL).unwrap_or_default();
            let count = read(source, room).map_err(CopyFailed::Read)?;
            if count == 0 {
                return Ok(());
            }
            hasher.update(room.get(..count).unwrap_or_default());
            self.filled += count;
            self.plain += count as u64;
        }
    }

    /// Bytes of plain text so far.
    pub const fn plain_bytes(&self) -> u64 {
        self.plain
    }

    /// Writes the last segment and returns the writer, not flushed.
    ///
    /// # Errors
    /// When encrypting or writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.emit(true)?;
        Ok(self.writer)
    }

    fn emit(&mut self, last: bool) -> io::Result<()> {
        let number = self.number.take().ok_or_else(over)?;
        let broken = || io::Error::other(CryptoFailed);
        let end = self.filled + TAG_BYTES;
        let segment = self.buffer.get_mut(..end).ok_or_else(broken)?;
        let (stored, tag) = segment.split_at_mut_checked(self.filled).ok_or_else(broken)?;
        let plain = stored.get_mut(self.start..).ok_or_else(broken)?;
        let nonce = self.key.nonce(number, last);
        let sealed = self.key.aead.seal_in_place_separate_tag(nonce, Aad::empty(), plain);
        tag.copy_from_slice(sealed.map_err(|_| broken())?.as_ref());
        self.writer.write_all(self.buffer.get(..end).ok_or_else(broken)?)?;
        self.start = 0;
        self.filled = 0;
        self.number = number.checked_add(1);
        Ok(())
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.number.ok_or_else(over)?;
        if self.filled == FULL && !bytes.is_empty() {
            self.emit(false)?;
        }
        let room = self.buffer.get_mut(self.filled..FULL).unwrap_or_default();
        let count = room.len().min(bytes.len());
        if let (Some(to), Some(from)) = (room.get_mut(..count), bytes.get(..count)) {
            to.copy_from_slice(from);
        }
        self.filled += count;
        self.plain += count as u64;
        Ok(count)
    }

    /// Flushes the writer; plain text that has not filled a segment stays in the buffer.
    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Copying into a stream failed; the stream must be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailed {
    /// The source cannot be read.
    #[error("cannot read the source")]
    Read(#[source] io::Error),
    /// The encrypted stream cannot be written.
    #[error("cannot write the encrypted stream")]
    Write(#[source] io::Error),
}

fn over() -> io::Error {
    io::Error::other("the stream failed before, or has more than 4 PiB")
}

fn read(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
