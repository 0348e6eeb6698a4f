//! What the caller's own thread does with a record: salts, commitments, encryption, the frame.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_base::Timestamp;
use bartizan_keys::CryptoFailed;
use bartizan_keys::subjects::{Cipher, NONCE_BYTES, SubjectKey, Subjects, TAG_BYTES};
use bartizan_ledger::limits::RECORD_GROUP_BYTES;
use bartizan_ledger::segment::{Commitments, RecordDigest, SALT_BYTES, commit};
use rand_core::utils::next_word_via_fill;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use super::error::AppendFailed;
use super::frame::{FIXED_BYTES, Meta, SEALED_EXTRA, length_bytes, put_commitments, put_record};
use super::identity::NewRecord;
use crate::limits::RECORD_BYTES;

/// A record's frame, whole but for the encryption of a record without a subject, which has no key before its
/// log is known.
pub(super) struct Prepared {
    pub(super) bytes: Vec<u8>,
    pub(super) key: FrameKey,
    pub(super) digest: RecordDigest,
    pub(super) time: Timestamp,
    /// Where the sealed groups begin.
    pub(super) sealed_at: usize,
    /// What was reserved for it.
    pub(super) reserved: usize,
}

/// What the writer has to do about the key of a record.
pub(super) enum FrameKey {
    /// Nothing: the key is durable.
    Durable,
    /// Write it before the record, unless it is durable by then.
    New(Arc<SubjectKey>),
    /// Encrypt the record under the key of its log.
    OfLog,
}

impl Prepared {
    /// Encrypts the sealed groups in place: nonce, plain text, and room for the tag are there.
    pub(super) fn seal(&mut self, cipher: &Cipher) -> Result<(), CryptoFailed> {
        let region = self.bytes.get_mut(self.sealed_at..).ok_or(CryptoFailed)?;
        let (nonce, rest) = region.split_first_chunk_mut::<NONCE_BYTES>().ok_or(CryptoFailed)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG_BYTES>().ok_or(CryptoFailed)?;
        *tag = cipher.seal(*nonce, self.digest.digest().as_bytes(), body)?;
        Ok(())
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// Bytes in front of the lengths of sealed groups: nonce and salts, drawn at once where they stand.
const DRAWN_BYTES: usize = NONCE_BYTES + 3 * SALT_BYTES;

/// Hashes and encrypts a record, into an empty buffer.
pub(super) fn prepare(
    subjects: &Subjects,
    random: &SharedRandom,
    record: &NewRecord<'_>,
    reserved: usize,
    mut bytes: Vec<u8>,
) -> Result<Prepared, AppendFailed> {
    let total = group_bytes(record)?;
    if total > reserved {
        return Err(AppendFailed::TooLarge { bytes: total, allowed: reserved });
    }
    let key = record.subject.map(|tag| subjects.current(tag, &mut &*random)).transpose()?;
    let [envelope, subject, input, output, decisions] = record.groups;
    let mut clear_salts = [0; 2 * SALT_BYTES];
    random.fill(&mut clear_salts);
    let [envelope_salt, decisions_salt] = clear_salts.as_chunks::<SALT_BYTES>().0 else {
        return Err(CryptoFailed.into());
    };
    let meta = Meta {
        id: record.id,
        time: record.time,
        subject: key.as_ref().map(|key| (key.tag(), key.id())),
        request: record.request,
        envelope_salt: *envelope_salt,
        decisions_salt: *decisions_salt,
    };
    let personal = subject.len() + input.len() + output.len();
    bytes.reserve(FIXED_BYTES + total + SEALED_EXTRA);
    put_record(&mut bytes, &meta, envelope, decisions, personal + SEALED_EXTRA);
    let sealed_at = bytes.len();
    bytes.extend_from_slice(&[0; DRAWN_BYTES]);
    let drawn = bytes.get_mut(sealed_at..).unwrap_or_default();
    // The salts of personal groups are nowhere but here, where they are encrypted: who knew them could test
    // guesses of what was erased.
    random.fill(drawn);
    let salts = drawn.split_at_checked(NONCE_BYTES).map(|(_, salts)| salts.as_chunks::<SALT_BYTES>().0);
    let Some([subject_salt, input_salt, output_salt]) = salts else { return Err(CryptoFailed.into()) };
    let commitments = Commitments::new([
        commit(envelope_salt, envelope),
        commit(subject_salt, subject),
        commit(input_salt, input),
        commit(output_salt, output),
        commit(decisions_salt, decisions),
    ]);
    let digest = commitments.digest();
    put_commitments(&mut bytes, &commitments);
    bytes.extend_from_slice(&length_bytes(subject.len()));
    bytes.extend_from_slice(&length_bytes(input.len()));
    [subject, input, output].iter().for_each(|group| bytes.extend_from_slice(group));
    bytes.extend_from_slice(&[0; TAG_BYTES]);
    let mut prepared =
        Prepared { bytes, key: FrameKey::OfLog, digest, time: record.time, sealed_at, reserved };
    if let Some(key) = key {
        prepared.seal(key.cipher())?;
        // Most keys are durable long since. They are let go of here: counting references on two processors is
        // slower than anything else that is done with them.
        prepared.key = if key.is_journaled() { FrameKey::Durable } else { FrameKey::New(key) };
    }
    Ok(prepared)
}

/// Bytes of all groups, when they are within the limits.
pub(super) fn group_bytes(record: &NewRecord<'_>) -> Result<usize, AppendFailed> {
    let longest = record.groups.iter().map(|group| group.len()).max().unwrap_or(0);
    let total = record.groups.iter().fold(0_usize, |sum, group| sum.saturating_add(group.len()));
    if total > RECORD_BYTES || longest > RECORD_GROUP_BYTES {
        return Err(AppendFailed::too_large(total));
    }
    Ok(total)
}

/// A random generator that many threads draw from, a few hundred bytes at a time.
pub(super) struct SharedRandom(Mutex<Pool>);

struct Pool {
    source: Box<dyn CryptoRng + Send>,
    // INVARIANT: bytes before `next` were handed out and are zero.
    bytes: Zeroizing<Vec<u8>>,
    next: usize,
}

const POOL_BYTES: usize = 16 * 1024;

impl SharedRandom {
    pub(super) fn new(source: Box<dyn CryptoRng + Send>) -> Self {
        let pool = Pool { source, bytes: Zeroizing::new(vec![0; POOL_BYTES]), next: POOL_BYTES };
        Self(Mutex::new(pool))
    }

    pub(super) fn fill(&self, out: &mut [u8]) {
        // A panic while drawing leaves a pool that is drawn from again.
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Pool { source, bytes, next } = &mut *pool;
        if out.len() > bytes.len() - *next {
            if out.len() > POOL_BYTES / 8 {
                source.fill_bytes(out);
                return;
            }
            source.fill_bytes(bytes);
            *next = 0;
        }
        let end = *next + out.len();
        if let Some(drawn) = bytes.get_mut(*next..end) {
            out.copy_from_slice(drawn);
            // Not `zeroize`, which clears byte by byte: the pool lives on, so nobody may leave this out.
            drawn.fill(0);
        }
        *next = end;
    }
}

impl TryRng for &SharedRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.fill(dst);
        Ok(())
    }
}

impl TryCryptoRng for &SharedRandom {}

impl fmt::Debug for SharedRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedRandom")
    }
}
