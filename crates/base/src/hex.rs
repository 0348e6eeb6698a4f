//! Bytes as lowercase hexadecimal digits, written without memory of their own.

use std::fmt;

/// Displays bytes as lowercase hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

/// Bytes that are written at a time.
const CHUNK: usize = 32;

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; 2 * CHUNK];
        for chunk in self.0.chunks(CHUNK) {
            let digits = buffer.get_mut(..2 * chunk.len()).ok_or(fmt::Error)?;
            hex::encode_to_slice(chunk, digits).map_err(|_| fmt::Error)?;
            f.write_str(std::str::from_utf8(digits).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
