//! How fast entries are appended durably, and how long a proof among ten million takes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints, and one that meets the unexpected must fail"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs};
use bartizan_keys::{Algorithm, OsRandom, SigningKey};
use bartizan_ledger::bulk::BulkBuilder;
use bartizan_ledger::{Ledger, LedgerReader, NoteSigner, TrustedLog, fsck, leaf_hash, verify_inclusion};
use bartizan_store::{DirBlobs, DirCas, MemCas};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
const ENTRY_BYTES: usize = 1024;
const LEAVES: u64 = 10_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let key = Arc::new(SigningKey::generate(Algorithm::Ed25519, &mut OsRandom).unwrap());
    if wanted("append") {
        append(&key);
    }
    if wanted("prove") {
        prove(&key);
    }
}

fn signer(key: &Arc<SigningKey>) -> NoteSigner {
    NoteSigner::new("ledger.example/bench", Arc::clone(key)).unwrap()
}

/// A fresh directory inside the build's own, which is on the disk that is to be measured.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger-bench").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    path
}

/// Durable appends: every caller waits until its entries are covered by a durable, signed checkpoint.
fn append(key: &Arc<SigningKey>) {
    println!("append: entries of {ENTRY_BYTES} bytes to a directory, best of {ROUNDS} rounds of {ROUND:?}");
    for (callers, entries) in [(1, 1), (64, 1), (512, 1), (1, 100), (8, 100), (1, 1000)] {
        let rates: Vec<f64> = (0..ROUNDS).map(|_| append_round(key, callers, entries)).collect();
        let (best, worst) =
            (rates.iter().copied().fold(0.0, f64::max), rates.iter().copied().fold(f64::MAX, f64::min));
        println!("  {callers:4} callers x {entries:4} entries: {best:8.0}/s (worst round {worst:8.0}/s)");
    }
}

fn append_round(key: &Arc<SigningKey>, callers: usize, entries: usize) -> f64 {
    let dir = scratch("append");
    let (blobs, cas) = (DirBlobs::open(&dir).unwrap(), DirCas::open(&dir).unwrap());
    let ledger = Ledger::create(Arc::new(blobs), Arc::new(cas), signer(key)).unwrap();
    let next = AtomicU64::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while begun.elapsed() < ROUND {
                    let group: Vec<Vec<u8>> = (0..entries)
                        .map(|_| entry(next.fetch_add(1, Ordering::Relaxed), ENTRY_BYTES))
                        .collect();
                    ledger.append(group).unwrap();
                }
            });
        }
    });
    let elapsed = begun.elapsed();
    let size = u32::try_from(ledger.checkpoint().size()).unwrap();
    drop(ledger);
    fs::remove_dir_all(dir).unwrap();
    f64::from(size) / elapsed.as_secs_f64()
}

/// An inclusion proof of any leaf among ten million, with an empty cache of tiles and with a filled one.
fn prove(key: &Arc<SigningKey>) {
    println!("prove: {LEAVES} leaves");
    let dir = scratch("prove");
    let begun = Instant::now();
    build(key, &dir);
    println!("  built in {:.1} s", begun.elapsed().as_secs_f64());

    let log = TrustedLog::new(signer(key).key().clone()).unwrap();
    let reader = || LedgerReader::new(Arc::new(DirBlobs::open(&dir).unwrap()), log.clone());
    let mut index = 1;
    let mut any_leaf = || {
        // A full-period generator (Knuth), only to spread the leaves.
        index = (index * 6_364_136_223_846_793_005_u128 + 1_442_695_040_888_963_407) % (1 << 64);
        u64::try_from(index % u128::from(LEAVES)).unwrap()
    };
    let cold: Vec<Duration> = (0..2000)
        .map(|_| {
            let reader = reader();
            let leaf = any_leaf();
            let begun = Instant::now();
            let proof = reader.snapshot().unwrap().prove(leaf).unwrap();
            let elapsed = begun.elapsed();
            assert_eq!(proof.index(), leaf);
            elapsed
        })
        .collect();
    report("open, verify the checkpoint and prove, nothing cached", cold);

    let snapshot = reader().snapshot().unwrap();
    let root = snapshot.checkpoint().root();
    let warm: Vec<Duration> = (0..20_000)
        .map(|_| {
            let leaf = any_leaf();
            let begun = Instant::now();
            let proof = snapshot.inclusion(leaf, LEAVES).unwrap();
            let elapsed = begun.elapsed();
            verify_inclusion(&leaf_hash(&entry(leaf, 32)), leaf, LEAVES, &proof, &root).unwrap();
            elapsed
        })
        .collect();
    report("prove from an open snapshot", warm);
    let consistency: Vec<Duration> = (0..2000)
        .map(|_| {
            let old = any_leaf();
            let begun = Instant::now();
            assert!(snapshot.consistency(old, LEAVES).is_ok());
            begun.elapsed()
        })
        .collect();
    report("prove consistency from an open snapshot", consistency);

    let blobs = DirBlobs::open(&dir).unwrap();
    let cores = thread::available_parallelism().unwrap();
    for threads in HashSet::from([NonZeroUsize::MIN, cores]) {
        let begun = Instant::now();
        let found = fsck(&blobs, None, &log, threads);
        assert!(found.is_clean() && found.entries == LEAVES, "{found:?}");
        println!("  fsck on {threads} threads: {:.1} s", begun.elapsed().as_secs_f64());
    }
    fs::remove_dir_all(dir).unwrap();
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1000];
    println!(
        "  {what}: median {:?}, 99% {:?}, 99.9% {:?}, longest {:?}",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

fn build(key: &Arc<SigningKey>, dir: &Path) {
    let blobs: Arc<dyn Blobs> = Arc::new(Unsynced::new(dir));
    let cas = Arc::new(MemCas::new());
    drop(Ledger::create(Arc::clone(&blobs), cas.clone(), signer(key)).unwrap());
    let mut builder = BulkBuilder::new(blobs, cas, signer(key)).unwrap();
    for index in 0..LEAVES {
        builder.push(&entry(index, 32)).unwrap();
    }
    assert_eq!(builder.finish().unwrap().size(), LEAVES);
}

/// Bytes that differ from entry to entry and do not compress to nothing.
fn entry(index: u64, bytes: usize) -> Vec<u8> {
    let mut entry = index.to_be_bytes().repeat(bytes / 8);
    for (byte, at) in entry.iter_mut().zip(0u8..=u8::MAX) {
        *byte = byte.wrapping_add(at);
    }
    entry
}

/// A directory that is written without waiting for the disk: only the reading is measured.
struct Unsynced {
    root: PathBuf,
    made: Mutex<HashSet<PathBuf>>,
    inner: DirBlobs,
}

impl Unsynced {
    fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), made: Mutex::default(), inner: DirBlobs::open(root).unwrap() }
    }
}

impl Blobs for Unsynced {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        let mut made = self.made.lock().unwrap();
        for (name, bytes) in blobs {
            let path = self.root.join(name.as_str());
            let parent = path.parent().unwrap().to_owned();
            if !made.contains(&parent) {
                fs::create_dir_all(&parent).unwrap();
                made.insert(parent);
            }
            File::create(path).unwrap().write_all(bytes).unwrap();
        }
        Ok(())
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.inner.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.inner.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.inner.delete(name)
    }
}
