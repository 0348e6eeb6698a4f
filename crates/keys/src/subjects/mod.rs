//! Keys of the people that prediction records are about: one each, so that destroying it erases what was recorded.
//!
//! ```text
//!   value --HMAC--> SubjectTag --current--> SubjectKey --cipher--> personal groups of records
//!                        |                     |
//!                        |                     |-- wrapped for the write-ahead log (PendingKey), until
//!                        |                     '-- settle: wrapped by the project into a shard, durably
//!                        '--erase: the shard without it, durably; nothing in memory hands it out again
//! ```
//!
//! Formats: `docs/formats/subject-keys.md`.

mod cipher;
mod memory;
mod shard;
mod tag;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use bartizan_base::{BlobError, BlobErrorKind, BlobName, Blobs, ProjectId, read_all};
use rand_core::CryptoRng;

pub use self::cipher::{Cipher, NONCE_BYTES, PendingKey, SegmentKey, TAG_BYTES, WRAPPED_BYTES};
use self::cipher::{unwrap_secret, wrap_secret};
use self::memory::Memory;
use self::shard::Shard;
pub use self::shard::ShardInvalid;
pub use self::tag::{RequestTag, SubjectKeyId, SubjectTag, SubjectTagInvalid};
use crate::limits::{CACHED_SUBJECT_SHARD_BYTES, PENDING_SUBJECT_KEYS, SUBJECT_SHARD_BYTES};
use crate::project::Keys;
use crate::secret::Secret;
use crate::wrap::CryptoFailed;

const SUBJECT_FORMAT: &[u8] = b"bartizan-subject-key-v1";

/// The keys of all subjects of a project.
///
/// Of all values for one project, in all processes, only one may be used at a time: the caller holds the data
/// directory's lock. All methods may be called from any thread.
pub struct Subjects {
    blobs: Arc<dyn Blobs>,
    project: ProjectId,
    tags: hmac::Key,
    requests: hmac::Key,
    shard_mac: hmac::Key,
    wrapping: Cipher,
    // INVARIANT: nothing is read or written while it is held: who answers a request waits for it.
    memory: Mutex<Memory>,
    /// Whoever waits until a key is erased looks again.
    erased: Condvar,
    /// Serialises whoever changes shards; taken before `memory`, never after it.
    changing: Mutex<()>,
}

/// The data key of one subject.
pub struct SubjectKey {
    tag: SubjectTag,
    id: SubjectKeyId,
    secret: Secret,
    cipher: Cipher,
    journaled: AtomicBool,
    erased: AtomicBool,
}

/// The key of a subject cannot be found, made or kept.
#[derive(Debug, thiserror::Error)]
pub enum SubjectKeyFailed {
    /// The storage of the keys failed.
    #[error("cannot reach the keys of subjects")]
    Storage(#[from] BlobError),
    /// A shard is not what this project wrote.
    #[error("the keys in `{name}` are damaged")]
    Damaged {
        /// The shard.
        name: BlobName,
        /// What is wrong with it.
        #[source]
        source: ShardInvalid,
    },
    /// A shard would exceed its limit: the project has more subjects than this version keeps.
    #[error("`{name}` has no room for another subject")]
    Full {
        /// The shard.
        name: BlobName,
    },
    /// More new subjects wait for the shards than memory is given to; settle first.
    #[error("{PENDING_SUBJECT_KEYS} new subjects wait to be settled")]
    TooManyPending,
    /// The cryptographic library failed, which it does only without memory.
    #[error("cannot make or read the key of a subject")]
    Crypto(#[from] CryptoFailed),
}

impl SubjectKey {
    /// Whose key it is.
    pub const fn tag(&self) -> SubjectTag {
        self.tag
    }

    /// Which of the keys that the subject had over time.
    pub const fn id(&self) -> SubjectKeyId {
        self.id
    }

    /// What encrypts the subject's groups, with nonces drawn at random: at most 2^32 records for one key
    /// (NIST SP 800-38D, section 8.3).
    pub const fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// Whether it is durable: in a shard, or in a log that is.
    pub fn is_journaled(&self) -> bool {
        self.journaled.load(Ordering::Acquire)
    }

    /// Notes that a log holds it. The one writer of the log calls this before it writes anything that needs it.
    pub fn set_journaled(&self) {
        self.journaled.store(true, Ordering::Release);
    }

    /// Whether it was destroyed since. It is not to be written anywhere then.
    pub fn is_erased(&self) -> bool {
        self.erased.load(Ordering::Acquire)
    }

    /// The key, wrapped for a log that has the pending key `under`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn wrap_pending(
        &self,
        under: &PendingKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<[u8; WRAPPED_BYTES], CryptoFailed> {
        wrap_secret(under.cipher(), &self.secret, &subject_aad(under.project(), self.tag, self.id), rng)
    }
}

impl Subjects {
    /// The keys of the subjects of the project of `keys`, in the same store as its other keys. Reads nothing yet.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn new(keys: &Keys) -> Result<Self, CryptoFailed> {
        let key = |label: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, keys.derived(label).expose());
        Ok(Self {
            blobs: keys.store(),
            project: keys.project(),
            tags: key(b"bartizan-subject-tag-key-v1"),
            requests: key(b"bartizan-request-tag-key-v1"),
            shard_mac: key(b"bartizan-subject-shard-key-v1"),
            wrapping: Cipher::new(&keys.derived(b"bartizan-subject-wrapping-key-v1"))?,
            memory: Mutex::default(),
            erased: Condvar::new(),
            changing: Mutex::default(),
        })
    }

    /// The project.
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// The pseudonym of a subject: HMAC-SHA256(tag key, "bartizan-subject-v1" || value).
    pub fn tag(&self, value: &[u8]) -> SubjectTag {
        SubjectTag::from_bytes(keyed_hash(&self.tags, b"bartizan-subject-v1", value))
    }

    /// What a caller's request id is found by: the first 16 bytes of HMAC-SHA256(request key,
    /// "bartizan-request-v1" || id).
    pub fn request_tag(&self, id: &[u8]) -> RequestTag {
        RequestTag::from_hash(&keyed_hash(&self.requests, b"bartizan-request-v1", id))
    }

    /// The key to encrypt a subject's groups with, made when there is none. A new key is only in memory until
    /// a log holds it or [`Subjects::settle`] was called.
    ///
    /// # Errors
    /// When the shard cannot be read or has no room, or too many new keys wait.
    pub fn current(
        &self,
        tag: SubjectTag,
        rng: &mut dyn CryptoRng,
    ) -> Result<Arc<SubjectKey>, SubjectKeyFailed> {
        let mut memory = self.memory();
        if let Some(key) = memory.find(&tag) {
            return Ok(key);
        }
        memory = self.with_shard(memory, tag)?;
        if let Some(key) = self.known(&mut memory, tag)? {
            return Ok(key);
        }
        // Refused here, where it is this record alone: a key that no shard can take would keep all later ones out.
        if !memory.has_room(tag.shard()) {
            return Err(SubjectKeyFailed::Full { name: shard::name_of(tag.shard()) });
        }
        let mut id = [0; SubjectKeyId::BYTES];
        rng.fill_bytes(&mut id);
        let key = Arc::new(self.key(tag, SubjectKeyId::from_bytes(id), Secret::generate(rng), false)?);
        if !memory.add_pending(Arc::clone(&key)) {
            return Err(SubjectKeyFailed::TooManyPending);
        }
        Ok(key)
    }

    /// The key that a record was encrypted with; `None` when it was destroyed.
    ///
    /// # Errors
    /// When the shard cannot be read.
    pub fn find(
        &self,
        tag: SubjectTag,
        id: SubjectKeyId,
    ) -> Result<Option<Arc<SubjectKey>>, SubjectKeyFailed> {
        let mut memory = self.memory();
        if let Some(key) = memory.find(&tag) {
            return Ok(Some(key).filter(|key| key.id == id));
        }
        memory = self.with_shard(memory, tag)?;
        Ok(self.known(&mut memory, tag)?.filter(|key| key.id == id))
    }

    /// Whether [`Subjects::current`] and [`Subjects::find`] will answer at once for a subject, as things are now: from
    /// memory, without reading a shard, and without waiting until the key that the subject had is erased.
    pub fn is_near(&self, tag: SubjectTag) -> bool {
        self.memory().is_near(&tag)
    }

    /// Takes over a new key that a log holds, after a restart. A key that a shard has already stays as it is; of
    /// several that logs hold, which are to be shown in the order of their records, the last one stays: a subject
    /// gets another key only when the one before was to be destroyed.
    /// `false` when `wrapped` was not made under `under` for this subject.
    ///
    /// # Errors
    /// When the shard cannot be read, or too many new keys wait.
    pub fn adopt(
        &self,
        tag: SubjectTag,
        id: SubjectKeyId,
        wrapped: &[u8; WRAPPED_BYTES],
        under: &PendingKey,
    ) -> Result<bool, SubjectKeyFailed> {
        let Some(secret) = unwrap_secret(under.cipher(), wrapped, &subject_aad(self.project, tag, id)) else {
            return Ok(false);
        };
        let mut memory = self.memory();
        if memory.find(&tag).is_some_and(|known| known.id == id) {
            return Ok(true);
        }
        memory = self.with_shard(memory, tag)?;
        // Also when a shard has it: whoever wrote that may have died before it was durable, so it is settled anew.
        let key = match self.stored(&memory, tag)? {
            Some(key) => key,
            None => Arc::new(self.key(tag, id, secret, true)?),
        };
        if memory.add_pending(key) { Ok(true) } else { Err(SubjectKeyFailed::TooManyPending) }
    }

    /// Moves every key that only memory or a log has into the shards, durably, and says how many they were.
    ///
    /// # Errors
    /// When a shard cannot be read or written; some shards may be written then. Settling again is safe.
    pub fn settle(&self, rng: &mut dyn CryptoRng) -> Result<usize, SubjectKeyFailed> {
        let _changing = lock(&self.changing);
        let pending = self.memory().pending();
        let mut rest = pending.as_slice();
        while !rest.is_empty() {
            let settled = self.settle_some(rest, rng)?;
            rest = rest.get(settled..).unwrap_or_default();
        }
        Ok(pending.len())
    }

    /// Moves the first of `pending` into their shards, as many shards at a time as memory is given to.
    fn settle_some(
        &self,
        pending: &[Arc<SubjectKey>],
        rng: &mut dyn CryptoRng,
    ) -> Result<usize, SubjectKeyFailed> {
        let (mut shards, mut bytes, mut settled) = (Vec::new(), 0, 0);
        for keys in pending.chunk_by(|one, next| one.tag.shard() == next.tag.shard()) {
            let Some(number) = keys.first().map(|key| key.tag.shard()) else { continue };
            let known = self.memory().shard(number);
            let mut shard = known.map_or_else(|| self.read(number), |known| Ok(Shard::clone(&known)))?;
            for key in keys {
                let aad = subject_aad(self.project, key.tag, key.id);
                let wrapped = wrap_secret(&self.wrapping, &key.secret, &aad, rng)?;
                if !shard.insert(key.tag, key.id, &wrapped) {
                    return Err(SubjectKeyFailed::Full { name: shard.name() });
                }
            }
            bytes += shard.memory();
            settled += keys.len();
            shards.push(shard);
            if bytes > CACHED_SUBJECT_SHARD_BYTES {
                break;
            }
        }
        self.write(shards)?;
        let mut memory = self.memory();
        for key in pending.iter().take(settled) {
            key.set_journaled();
            memory.settled(key);
        }
        Ok(settled)
    }

    /// Destroys the key of a subject: the shard is rewritten without it, durably, and memory forgets it.
    /// `false` when there was none. Logs that hold it still are the caller's: it must destroy their
    /// [`PendingKey`] before it says that the subject is erased.
    ///
    /// # Errors
    /// When the shard cannot be read or written; whether the key is gone is unknown then. Erasing again is safe.
    pub fn erase(&self, tag: SubjectTag) -> Result<bool, SubjectKeyFailed> {
        let _changing = lock(&self.changing);
        let mut shard = self.read(tag.shard())?;
        let stored = shard.remove(tag);
        // Written also when it is not there: whoever removed it may have died before that was durable.
        let (name, bytes) = (shard.name(), shard.to_bytes(self.project, &self.shard_mac));
        // Whoever asks for this subject waits from here on, others of its shard have the new one already.
        let known = self.memory().begin_erasing(tag, shard);
        let written = self.blobs.put(&[(&name, &bytes)]);
        self.memory().end_erasing(tag, written.is_ok());
        self.erased.notify_all();
        written?;
        Ok(stored || known)
    }

    /// Memory, with the shard of a subject in it. The shard is read while nobody has to wait for memory.
    fn with_shard<'s>(
        &'s self,
        mut memory: MutexGuard<'s, Memory>,
        tag: SubjectTag,
    ) -> Result<MutexGuard<'s, Memory>, SubjectKeyFailed> {
        let number = tag.shard();
        loop {
            // While one of its keys is erased the store may have the old shard.
            while memory.must_wait(&tag) {
                memory = self.erased.wait(memory).unwrap_or_else(PoisonError::into_inner);
            }
            if memory.has_shard(number) {
                return Ok(memory);
            }
            let before = memory.changes();
            drop(memory);
            let shard = self.read(number)?;
            memory = self.memory();
            // What was written since is newer than what was read.
            if memory.changes() == before {
                memory.keep_shard(shard);
            }
        }
    }

    /// The key of a subject, from memory.
    fn known(
        &self,
        memory: &mut Memory,
        tag: SubjectTag,
    ) -> Result<Option<Arc<SubjectKey>>, SubjectKeyFailed> {
        if let Some(key) = memory.find(&tag) {
            return Ok(Some(key));
        }
        let key = self.stored(memory, tag)?;
        key.iter().for_each(|key| memory.remember(Arc::clone(key)));
        Ok(key)
    }

    /// Opens a key of a shard that is in memory.
    fn stored(&self, memory: &Memory, tag: SubjectTag) -> Result<Option<Arc<SubjectKey>>, SubjectKeyFailed> {
        let number = tag.shard();
        let Some((id, wrapped)) = memory.shard(number).and_then(|shard| shard.get(tag)) else {
            return Ok(None);
        };
        let secret = unwrap_secret(&self.wrapping, &wrapped, &subject_aad(self.project, tag, id));
        let damaged =
            || SubjectKeyFailed::Damaged { name: shard::name_of(number), source: ShardInvalid::Key { tag } };
        let key = self.key(tag, id, secret.ok_or_else(damaged)?, true)?;
        Ok(Some(Arc::new(key)))
    }

    fn read(&self, number: u8) -> Result<Shard, SubjectKeyFailed> {
        let name = shard::name_of(number);
        match read_all(&*self.blobs, &name, SUBJECT_SHARD_BYTES) {
            Ok(bytes) => Shard::parse(number, self.project, &bytes, &self.shard_mac)
                .map_err(|source| SubjectKeyFailed::Damaged { name, source }),
            Err(error) if error.kind == BlobErrorKind::NotFound => Ok(Shard::empty(number)),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, shards: Vec<Shard>) -> Result<(), SubjectKeyFailed> {
        let bytes: Vec<Vec<u8>> =
            shards.iter().map(|shard| shard.to_bytes(self.project, &self.shard_mac)).collect();
        let names: Vec<BlobName> = shards.iter().map(Shard::name).collect();
        let blobs: Vec<(&BlobName, &[u8])> =
            names.iter().zip(&bytes).map(|(n, b)| (n, b.as_slice())).collect();
        self.blobs.put(&blobs)?;
        let mut memory = self.memory();
        shards.into_iter().for_each(|shard| memory.replace_shard(shard));
        Ok(())
    }

    fn key(
        &self,
        tag: SubjectTag,
        id: SubjectKeyId,
        secret: Secret,
        journaled: bool,
    ) -> Result<SubjectKey, CryptoFailed> {
        let cipher = Cipher::new(&secret)?;
        let (journaled, erased) = (AtomicBool::new(journaled), AtomicBool::new(false));
        Ok(SubjectKey { tag, id, secret, cipher, journaled, erased })
    }

    pub(crate) const fn wrapping(&self) -> &Cipher {
        &self.wrapping
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subjects({})", self.project)
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({}, {})", self.tag, self.id)
    }
}

/// What a subject's key is bound to: format, project, tag, key id.
fn subject_aad(project: ProjectId, tag: SubjectTag, id: SubjectKeyId) -> Vec<u8> {
    [SUBJECT_FORMAT, project.as_bytes(), tag.as_bytes(), id.as_bytes()].concat()
}

fn keyed_hash(key: &hmac::Key, label: &[u8], value: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    context.update(label);
    context.update(value);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.sign().as_ref());
    hash
}

/// A panic elsewhere leaves what these locks guard whole: every change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
