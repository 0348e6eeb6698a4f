//! The samples of every stored format must be readable for ever.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bartizan_base::{Blobs, sha256};
use bartizan_keys::oms::FileDigest;
use bartizan_keys::stream::{Decryptor, Encryptor};
use bartizan_keys::{
    FileKeyStore, KeyStore, Keys, NoteKeyKind, PublicKey, Purpose, ROOT_KEY_FILE, SealedKeyStore, Secret,
    TrustFile, dsse, oms,
};
use bartizan_store::MemBlobs;
use rand_core::{Infallible, TryCryptoRng, TryRng};
use serde::Deserialize;

use crate::stream::reader;
use crate::support::{golden, name, passphrase, pattern};

#[test]
fn dsse_v1() {
    let dir = golden("dsse");
    let envelope = fs::read(dir.join("envelope.json")).unwrap();
    let keys = ["p256.pub", "ed25519.pub"]
        .map(|file| PublicKey::from_pem(&fs::read_to_string(dir.join(file)).unwrap()).unwrap());
    let trusted = |id| keys.iter().find(|key| key.id() == id).cloned();
    let verified = dsse::verify(&envelope, &trusted, "application/vnd.in-toto+json").unwrap();
    assert_eq!(verified.signers(), keys.each_ref().map(PublicKey::id));
    assert_eq!(verified.get().bytes, fs::read(dir.join("payload.json")).unwrap());
    assert_eq!(dsse::Envelope::parse(&envelope).unwrap().to_bytes(), envelope);
}

#[test]
fn trust_file_v1() {
    let bytes = fs::read(golden("trust-file").join("trust.json")).unwrap();
    let trust = TrustFile::parse(&bytes).unwrap();
    assert_eq!(trust.to_bytes().unwrap(), bytes);
    assert_eq!(trust.origin, "example.com/bartizan/prj_00112233445566778899aabbccddeeff");
    assert_eq!(trust.ledger_key.hash(), 0xb802_da2a);
    let witnesses: Vec<_> = trust.witnesses.iter().map(|key| (key.name(), key.kind(), key.hash())).collect();
    let expected = [
        ("witness.example.com/one", NoteKeyKind::Cosignature, 0xd946_b33d),
        ("witness.example.com/two", NoteKeyKind::Cosignature, 0x7e16_9348),
    ];
    assert_eq!(witnesses, expected);
    assert_eq!((trust.quorum, trust.minimum_size, trust.development), (2, 7, false));
    assert_eq!(trust.minimum_root, sha256(b"example"));
    assert_eq!(trust.project.to_string(), "prj_00112233445566778899aabbccddeeff");
    // The same key signed the sample of the envelope.
    let pem = fs::read_to_string(golden("dsse").join("p256.pub")).unwrap();
    assert_eq!(trust.project_root, PublicKey::from_pem(&pem).unwrap());
}

#[test]
fn oms_bundle_v1() {
    let dir = golden("oms-bundle");
    let key = PublicKey::from_pem(&fs::read_to_string(dir.join("key.pub")).unwrap()).unwrap();
    let mut files = Vec::new();
    collect(&dir.join("model"), "", &mut |path, bytes| {
        files.push(FileDigest { path: path.to_owned(), digest: sha256(&bytes) });
    });
    assert_eq!(files.len(), 6);
    let root = "0c4a3791a929dd77aaae41a37ee1e3592b3a8886a1b5b16d8f46326eafda7722".parse().unwrap();
    assert_eq!(oms::root(&files).unwrap(), root);
    for (bundle, ignored) in [
        ("bartizan.sig", &["model.sig"][..]),
        ("model-signing-1.1.1.sig", &[".git", ".gitattributes", ".github", ".gitignore"]),
    ] {
        let verified = oms::verify(&fs::read(dir.join(bundle)).unwrap(), &key).unwrap();
        let manifest = verified.get();
        assert_eq!(manifest.matches(&files), Ok(()), "{bundle}");
        assert_eq!((manifest.name.as_str(), manifest.root), ("model", root), "{bundle}");
        let mut paths = manifest.ignore_paths.clone();
        paths.sort();
        assert_eq!(paths, ignored, "{bundle}");
    }
}

#[derive(Deserialize)]
struct StreamCases {
    key: String,
    aad: String,
    salt: String,
    prefix: String,
    cases: Vec<StreamCase>,
}

#[derive(Deserialize)]
struct StreamCase {
    plain_bytes: usize,
    plain_sha256: String,
    stored_bytes: usize,
    stored_sha256: String,
}

// Gives out bytes that were fixed before.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.drain(..dst.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

// The digests were computed by an independent program, whose streams Tink decrypted.
#[test]
fn encrypted_stream_v1() {
    let dir = golden("encrypted-stream");
    let cases: StreamCases = serde_json::from_slice(&fs::read(dir.join("cases.json")).unwrap()).unwrap();
    let unhex = |text: &str| hex::decode(text).unwrap();
    let key = Secret::from_bytes(unhex(&cases.key).try_into().unwrap());
    let aad = unhex(&cases.aad);
    assert_eq!(cases.cases.len(), 9);
    for case in cases.cases {
        let plain = pattern(case.plain_bytes);
        assert_eq!(sha256(&plain).to_hex(), case.plain_sha256);
        let mut drawn = Fixed([unhex(&cases.salt), unhex(&cases.prefix)].concat());
        let mut stream = Encryptor::new(Vec::new(), &key, &aad, &mut drawn).unwrap();
        stream.copy_from(&mut plain.as_slice(), &mut bartizan_base::Hasher::new()).unwrap();
        let stored = stream.finish().unwrap();
        assert_eq!((stored.len(), sha256(&stored).to_hex()), (case.stored_bytes, case.stored_sha256));
    }

    // Written by Tink.
    let stored = fs::read(dir.join("tink.bin")).unwrap();
    let mut stream = Decryptor::open(reader(&stored), &key, &aad).unwrap();
    let mut plain = vec![0; 300];
    assert_eq!((stream.len(), stream.read_at(0, &mut plain).unwrap()), (300, 300));
    assert_eq!(plain, pattern(300));
}

// A root key, a project's keys, a wrapped data key and the ciphertext under it.
fn check_key_store(kind: &str, open: fn(&Path) -> Box<dyn KeyStore>, blob: &str, commitment: &str) {
    let dir = golden("key-store").join(kind);
    // Version control keeps no modes, so the root key is copied to where it may have its own.
    let copy = tempfile::tempdir().unwrap();
    let root_key = copy.path().join(ROOT_KEY_FILE);
    fs::copy(dir.join("keys").join(ROOT_KEY_FILE), &root_key).unwrap();
    fs::set_permissions(&root_key, Permissions::from_mode(0o600)).unwrap();

    let (key_blobs, blobs) = (MemBlobs::new(), MemBlobs::new());
    for (folder, blobs) in [("keys", &key_blobs), ("blobs", &blobs)] {
        collect(&dir.join(folder), "", &mut |path, bytes| blobs.put(&[(&name(path), &bytes)]).unwrap());
    }
    let keys = Keys::open(Arc::new(key_blobs), open(copy.path())).unwrap();
    assert_eq!(keys.project().to_string(), "prj_00112233445566778899aabbccddeeff");
    assert_eq!(keys.development(), kind == "development");
    assert_eq!(keys.list().len(), Purpose::ALL.len());
    for purpose in Purpose::ALL {
        let key = keys.signing(purpose);
        assert!(key.public().verify(b"message", &key.sign(b"message").unwrap()).is_ok());
    }

    let content = b"content of the golden sample\n";
    assert_eq!(keys.blob_name(&sha256(content)).as_str(), blob);
    let mut unsealed = keys.unseal(&blobs, &name(blob)).unwrap();
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut unsealed, &mut read).unwrap();
    assert_eq!(read, content);
    assert_eq!(unsealed.commitment().to_hex(), commitment);
}

#[test]
fn key_store_v1_development() {
    check_key_store(
        "development",
        |dir| Box::new(FileKeyStore::open(dir).unwrap()),
        "c2/c232ecac64c9a9c105c52b9687ff5c92161906f545713402de9d5abb1b8a0ee2",
        "4e5d40d38e7199969c84e0623fd650595380a85ee970148d2275527d72f7bc1a",
    );
}

#[test]
fn key_store_v1_sealed() {
    check_key_store(
        "sealed",
        |dir| Box::new(SealedKeyStore::open(dir, &passphrase("correct horse battery staple")).unwrap()),
        "9a/9aa6971574ef594a0b5a6de1bb811ecc732cb6de989f10f04460974f8d097684",
        "d18e022594ca767545213c77ddb38a34f83baeafff002a7ddb1035a5fe79c972",
    );
}

// Calls `found` with every file below `dir`.
fn collect(dir: &Path, prefix: &str, found: &mut dyn FnMut(&str, Vec<u8>)) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else {
            found(&path, fs::read(entry.path()).unwrap());
        }
    }
}
