//! Encrypted streams with random access: the AES-GCM-HKDF streaming layout of Tink.
//!
//! ```text
//!   | 40 | salt 32 | prefix 7 | segment 0 | tag 16 |   first MiB, header included
//!   | segment 1                           | tag 16 |   1 MiB
//!   | ...                                          |
//!   | last segment                        | tag 16 |   what is left
//!
//!   key   = HKDF-SHA256(data key, salt, info = aad)         32 bytes, AES-256
//!   nonce = prefix (7) || segment number (4, big-endian) || 1 if last, else 0 (1)
//! ```

use aws_lc_rs::aead::{LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::limits::{SEGMENT_BYTES, SEGMENTS};
use crate::secret::Secret;
use crate::wrap::{self, CryptoFailed};

mod decrypt;
mod encrypt;

pub use self::decrypt::{Decryptor, OpenStream, ReadStream};
pub use self::encrypt::{CopyFailed, Encryptor};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 1 + SALT_BYTES + PREFIX_BYTES;

/// Bytes of the tag at the end of every segment.
pub const TAG_BYTES: usize = 16;

/// Bytes of plain text in the first segment of a stream that has more than one.
pub const FIRST_PLAIN_BYTES: usize = PLAIN_BYTES - HEADER_BYTES;

/// Bytes of plain text in every further segment but the last.
pub const PLAIN_BYTES: usize = SEGMENT_BYTES - TAG_BYTES;

const SALT_BYTES: usize = 32;
const PREFIX_BYTES: usize = 7;

// The key of one stream and its nonces.
struct StreamKey {
    aead: LessSafeKey,
    prefix: [u8; PREFIX_BYTES],
}

impl StreamKey {
    fn new(
        secret: &Secret,
        salt: &[u8; SALT_BYTES],
        prefix: [u8; PREFIX_BYTES],
        aad: &[u8],
    ) -> Result<Self, CryptoFailed> {
        let mut key = Zeroizing::new([0; 32]);
        wrap::derive(secret.expose(), salt, aad, &mut *key)?;
        Ok(Self { aead: wrap::aead(&key)?, prefix })
    }

    // INVARIANT: within one stream a number is used once for encryption, so no nonce repeats under the key.
    fn nonce(&self, number: u32, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        let [counter @ .., flag] = &mut nonce;
        let parts = self.prefix.iter().copied().chain(number.to_be_bytes());
        for (to, from) in counter.iter_mut().zip(parts) {
            *to = from;
        }
        *flag = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Where the segments of a stream lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// Segments, at least 1.
    segments: u64,
    /// Bytes stored.
    stored: u64,
}

// One segment: where it is stored, and which plain text it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    number: u32,
    last: bool,
    stored_at: u64,
    stored_bytes: usize,
    plain_at: u64,
}

impl Segment {
    const fn plain_bytes(&self) -> usize {
        self.stored_bytes.saturating_sub(TAG_BYTES)
    }
}

const SEGMENT: u64 = SEGMENT_BYTES as u64;
const HEADER: u64 = HEADER_BYTES as u64;
const TAG: u64 = TAG_BYTES as u64;
const PLAIN: u64 = PLAIN_BYTES as u64;

impl Layout {
    /// `None` when no stream has so many bytes: too short, too long, or ending in an empty segment.
    fn of_stored(stored: u64) -> Option<Self> {
        let segments = stored.div_ceil(SEGMENT);
        let last = stored.checked_sub(segments.checked_sub(1)? * SEGMENT)?;
        let least = if segments == 1 { HEADER + TAG } else { TAG + 1 };
        (segments <= SEGMENTS && last >= least).then_some(Self { segments, stored })
    }

    /// Bytes of plain text.
    const fn plain(self) -> u64 {
        self.stored - HEADER - self.segments * TAG
    }

    /// An empty buffer that takes any segment without growing.
    fn room(self) -> Vec<u8> {
        Vec::with_capacity(usize::try_from(self.stored).unwrap_or(SEGMENT_BYTES).min(SEGMENT_BYTES))
    }

    /// The segment that holds the byte of plain text at `offset`; the last one for an offset at or past the end.
    fn at(self, offset: u64) -> Option<Segment> {
        self.segment(((offset + HEADER) / PLAIN).min(self.segments - 1))
    }

    fn last(self) -> Option<Segment> {
        self.segment(self.segments - 1)
    }

    fn segment(self, number: u64) -> Option<Segment> {
        let last = number == self.segments - 1;
        let stored_at = if number == 0 { HEADER } else { number * SEGMENT };
        let stored_end = if last { self.stored } else { (number + 1) * SEGMENT };
        Some(Segment {
            number: u32::try_from(number).ok()?,
            last,
            stored_at,
            stored_bytes: usize::try_from(stored_end - stored_at).ok()?,
            plain_at: if number == 0 { 0 } else { number * PLAIN - HEADER },
        })
    }
}

/// Bytes that a stream of `plain` bytes takes when stored; `None` when that is too long for one stream.
pub fn stored_bytes(plain: u64) -> Option<u64> {
    let segments = plain.checked_add(HEADER)?.div_ceil(PLAIN).max(1);
    (segments <= SEGMENTS).then(|| plain + HEADER + segments * TAG)
}
