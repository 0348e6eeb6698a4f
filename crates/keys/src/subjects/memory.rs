//! What is kept in memory of subjects' keys: a bounded number of open ones, new ones, and whole shards.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::SubjectKey;
use super::shard::Shard;
use super::tag::SubjectTag;
use crate::limits::{
    CACHED_SUBJECT_KEYS, CACHED_SUBJECT_SHARD_BYTES, PENDING_SUBJECT_KEYS, SUBJECT_SHARD_KEYS,
};

/// Keys by the end of their tag, so that the table stays in the processor's cache. Who finds one looks at its tag;
/// of two with the same end only the last is here.
#[derive(Default)]
struct ByTag(HashMap<u64, Arc<SubjectKey>, BuildHasherDefault<EndHasher>>);

impl ByTag {
    fn get(&self, tag: &SubjectTag) -> Option<&Arc<SubjectKey>> {
        self.0.get(&end_of(tag)).filter(|key| key.tag == *tag)
    }

    fn insert(&mut self, key: Arc<SubjectKey>) {
        self.0.insert(end_of(&key.tag), key);
    }

    fn remove(&mut self, tag: &SubjectTag) -> Option<Arc<SubjectKey>> {
        self.get(tag)?;
        self.0.remove(&end_of(tag))
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

fn end_of(tag: &SubjectTag) -> u64 {
    tag.as_bytes().last_chunk().map_or(0, |end| u64::from_ne_bytes(*end))
}

/// Tags are keyed hashes already, so nobody without the key can make their ends collide.
#[derive(Default)]
struct EndHasher(u64);

impl Hasher for EndHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, end: u64) {
        self.0 = end;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Open keys are wiped when the last user lets go of them: `Secret` and aws-lc both clear their memory.
#[derive(Default)]
pub(super) struct Memory {
    /// Keys that no shard has yet, by tag and so by shard.
    pending: BTreeMap<SubjectTag, Arc<SubjectKey>>,
    // INVARIANT: how many of them each shard will have, for every shard that will have some.
    pending_in: HashMap<u8, usize>,
    /// Two generations: when the young one is full it becomes the old one, and the old one is dropped.
    young: ByTag,
    old: ByTag,
    shards: HashMap<u8, Arc<Shard>>,
    shard_bytes: usize,
    /// How often shards were written.
    changes: u64,
    /// Whose key is being taken out of its shard: there is one at a time.
    // INVARIANT: no key of it is in memory, and its shard, if that is in memory, is without it.
    erasing: Option<SubjectTag>,
}

impl Memory {
    pub(super) fn find(&mut self, tag: &SubjectTag) -> Option<Arc<SubjectKey>> {
        if let Some(key) = self.young.get(tag) {
            return Some(Arc::clone(key));
        }
        if let Some(key) = self.pending.get(tag).or_else(|| self.old.get(tag)) {
            let key = Arc::clone(key);
            self.remember(Arc::clone(&key));
            return Some(key);
        }
        None
    }

    pub(super) fn remember(&mut self, key: Arc<SubjectKey>) {
        if self.young.len() >= CACHED_SUBJECT_KEYS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }

    /// Adds a key, in place of an older one of its subject. `false` when too many wait.
    pub(super) fn add_pending(&mut self, key: Arc<SubjectKey>) -> bool {
        let replaced = self.pending.contains_key(&key.tag);
        if self.pending.len() >= PENDING_SUBJECT_KEYS && !replaced {
            return false;
        }
        *self.pending_in.entry(key.tag.shard()).or_default() += usize::from(!replaced);
        self.remember(Arc::clone(&key));
        self.pending.insert(key.tag, key);
        true
    }

    /// Whether there is a key of a subject beside that in its shard.
    pub(super) fn holds(&self, tag: &SubjectTag) -> bool {
        [self.young.get(tag), self.pending.get(tag), self.old.get(tag)].iter().any(Option::is_some)
    }

    /// Whether a subject's key, or that there is none, is known without reading or waiting.
    pub(super) fn is_near(&self, tag: &SubjectTag) -> bool {
        self.holds(tag) || (self.has_shard(tag.shard()) && !self.must_wait(tag))
    }

    /// Whether the store may have a shard that is no longer to be used: that of the subject whose key is being erased.
    pub(super) fn must_wait(&self, tag: &SubjectTag) -> bool {
        self.erasing.is_some_and(|erasing| {
            erasing == *tag || (erasing.shard() == tag.shard() && !self.has_shard(tag.shard()))
        })
    }

    /// Forgets a subject whose key is taken out of its shard, and keeps the shard without it. `false` when nothing of
    /// the subject was here.
    pub(super) fn begin_erasing(&mut self, tag: SubjectTag, without: Shard) -> bool {
        let known = self.forget(&tag);
        self.erasing = Some(tag);
        self.replace_shard(without);
        known
    }

    /// Nobody has to wait any more. When it failed, the store knows which of the two shards there is.
    pub(super) fn end_erasing(&mut self, tag: SubjectTag, written: bool) {
        self.erasing = None;
        self.changes += 1;
        if !written {
            self.drop_shard(tag.shard());
        }
    }

    /// Whether a shard, which is in memory, has room for one more beside those that wait for it.
    pub(super) fn has_room(&self, number: u8) -> bool {
        let stored = self.shard(number).map_or(0, |shard| shard.len());
        stored + self.pending_in.get(&number).copied().unwrap_or(0) < SUBJECT_SHARD_KEYS
    }

    /// Keys that no shard has yet, those of one shard beside each other.
    pub(super) fn pending(&self) -> Vec<Arc<SubjectKey>> {
        self.pending.values().cloned().collect()
    }

    pub(super) fn settled(&mut self, key: &SubjectKey) {
        if self.pending.get(&key.tag).is_some_and(|present| present.id == key.id) {
            self.remove_pending(&key.tag);
        }
    }

    fn remove_pending(&mut self, tag: &SubjectTag) -> Option<Arc<SubjectKey>> {
        let removed = self.pending.remove(tag)?;
        if let Some(count) = self.pending_in.get_mut(&tag.shard()) {
            *count = count.saturating_sub(1);
        }
        Some(removed)
    }

    /// Hands a key out no more, and tells those who hold it; `false` when it was not here.
    fn forget(&mut self, tag: &SubjectTag) -> bool {
        let found = [self.remove_pending(tag), self.young.remove(tag), self.old.remove(tag)];
        let keys = found.iter().flatten();
        keys.map(|key| key.erased.store(true, Ordering::Release)).count() > 0
    }

    pub(super) fn has_shard(&self, number: u8) -> bool {
        self.shards.contains_key(&number)
    }

    pub(super) fn shard(&self, number: u8) -> Option<Arc<Shard>> {
        self.shards.get(&number).cloned()
    }

    /// How often shards were written so far: what was read before a change may be older than it.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps a shard that is written in place of an older one.
    pub(super) fn replace_shard(&mut self, shard: Shard) {
        self.changes += 1;
        self.keep_shard(shard);
    }

    /// Keeps a shard, and drops others when they take too much memory.
    pub(super) fn keep_shard(&mut self, shard: Shard) {
        self.drop_shard(shard.number());
        while self.shard_bytes + shard.memory() > CACHED_SUBJECT_SHARD_BYTES {
            let Some(other) = self.shards.keys().next().copied() else { break };
            self.drop_shard(other);
        }
        self.shard_bytes += shard.memory();
        self.shards.insert(shard.number(), Arc::new(shard));
    }

    fn drop_shard(&mut self, number: u8) {
        if let Some(shard) = self.shards.remove(&number) {
            self.shard_bytes -= shard.memory();
        }
    }
}
