//! Keys, ledgers in memory, and a naive reference of RFC 6962 to compare with.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bartizan_base::{BlobName, Blobs, Cas, Digest, read_all};
use bartizan_keys::SigningKey;
use bartizan_ledger::{
    CreateFailed, Ledger, LedgerReader, NoteSigner, OpenFailed, Report, TrustedLog, VerifierKey, empty_root,
    fsck, leaf_hash, node_hash,
};
use bartizan_store::{MemBlobs, MemCas};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

pub(crate) const ORIGIN: &str = "ledger.example/test";

/// An Ed25519 key made of one repeated byte: PKCS#8 (RFC 8410) around the seed.
pub(crate) fn key(seed: u8) -> Arc<SigningKey> {
    let mut der =
        vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(der));
    Arc::new(SigningKey::from_pkcs8_pem(&pem).unwrap())
}

pub(crate) fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, key(1)).unwrap()
}

pub(crate) fn log() -> TrustedLog {
    TrustedLog::new(signer().key().clone()).unwrap()
}

pub(crate) fn witness(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::cosignature(name, key(seed).public()).unwrap()
}

/// A ledger's storage in memory.
#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) blobs: MemBlobs,
    pub(crate) cas: MemCas,
}

impl Store {
    pub(crate) fn create(&self) -> Result<Ledger, CreateFailed> {
        Ledger::create(Arc::new(self.blobs.clone()), Arc::new(self.cas.clone()), signer())
    }

    pub(crate) fn open(&self) -> Result<Ledger, OpenFailed> {
        Ledger::open(Arc::new(self.blobs.clone()), Arc::new(self.cas.clone()), signer())
    }

    pub(crate) fn reader(&self) -> LedgerReader {
        LedgerReader::new(Arc::new(self.blobs.clone()), log())
    }

    /// A ledger of `size` entries, appended in groups of at most 100.
    pub(crate) fn filled(size: u64) -> Self {
        let store = Self::default();
        let ledger = store.create().unwrap();
        let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
        for group in entries.chunks(100) {
            ledger.append(group.to_vec()).unwrap();
        }
        store
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        read_all(&self.blobs, &name(path), 1 << 24).unwrap()
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.blobs.put(&[(&name(path), bytes)]).unwrap();
    }

    pub(crate) fn delete(&self, path: &str) {
        assert!(self.blobs.delete(&name(path)).unwrap(), "{path} was not there");
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.blobs.open(&name(path)).is_ok()
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        self.blobs.list(prefix, None, 100_000).unwrap().iter().map(ToString::to_string).collect()
    }

    /// Changes one byte of a blob, counted from its end when negative.
    pub(crate) fn flip(&self, path: &str, at: usize) {
        let mut bytes = self.get(path);
        bytes[at] ^= 1;
        self.put(path, &bytes);
    }

    /// A deep copy.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        for path in self.names("") {
            copy.put(&path, &self.get(&path));
        }
        let head = name("ledger-head");
        if let Some(value) = self.cas.load(&head).unwrap() {
            copy.cas.swap(&head, None, &value).unwrap();
        }
        copy
    }
}

pub(crate) fn name(text: &str) -> BlobName {
    text.parse().unwrap()
}

pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The definitions of RFC 6962, section 2.1, recursive as they are written there.
pub(crate) struct Naive {
    leaves: Vec<Digest>,
    known: HashMap<(usize, usize), Digest>,
}

impl Naive {
    pub(crate) fn new(leaves: u64) -> Self {
        Self { leaves: (0..leaves).map(|index| leaf_hash(&entry(index))).collect(), known: HashMap::new() }
    }

    pub(crate) fn root(&mut self, size: usize) -> Digest {
        self.mth(0, size)
    }

    fn mth(&mut self, begin: usize, end: usize) -> Digest {
        match end - begin {
            0 => empty_root(),
            1 => self.leaves[begin],
            n => {
                if let Some(hash) = self.known.get(&(begin, end)) {
                    return *hash;
                }
                let middle = begin + split(n);
                let hash = node_hash(&self.mth(begin, middle), &self.mth(middle, end));
                self.known.insert((begin, end), hash);
                hash
            }
        }
    }

    /// PATH(m, D[n]).
    pub(crate) fn path(&mut self, index: usize, size: usize) -> Vec<Digest> {
        self.path_within(index, 0, size)
    }

    fn path_within(&mut self, index: usize, begin: usize, end: usize) -> Vec<Digest> {
        if end - begin == 1 {
            return Vec::new();
        }
        let middle = begin + split(end - begin);
        if index < middle {
            let mut path = self.path_within(index, begin, middle);
            path.push(self.mth(middle, end));
            path
        } else {
            let mut path = self.path_within(index, middle, end);
            path.push(self.mth(begin, middle));
            path
        }
    }

    /// PROOF(m, D[n]) for 0 < m < n.
    pub(crate) fn proof(&mut self, old: usize, new: usize) -> Vec<Digest> {
        self.subproof(old, 0, new, true)
    }

    fn subproof(&mut self, old: usize, begin: usize, end: usize, whole: bool) -> Vec<Digest> {
        if old == end {
            return if whole { Vec::new() } else { vec![self.mth(begin, end)] };
        }
        let middle = begin + split(end - begin);
        if old <= middle {
            let mut proof = self.subproof(old, begin, middle, whole);
            proof.push(self.mth(middle, end));
            proof
        } else {
            let mut proof = self.subproof(old, middle, end, false);
            proof.push(self.mth(begin, middle));
            proof
        }
    }
}

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// Checks a ledger that no writer has open, head included, and returns the report.
pub(crate) fn fsck_clean(store: &Store) -> Report {
    let threads = NonZeroUsize::new(3).unwrap();
    let report = fsck(&store.blobs, Some(&store.cas), &log(), threads);
    assert!(report.is_clean() && !report.unfinished, "{report:#?}");
    report
}
