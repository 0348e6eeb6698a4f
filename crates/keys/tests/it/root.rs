//! The contract of `KeyStore`, run on every implementation, and the files of root keys.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bartizan_keys::{
    Argon2Cost, CreateRootKey, FileKeyStore, KeyStore, KeyStoreError, OpenRootKey, Passphrase, ROOT_KEY_FILE,
    RootKind, SealedKeyStore, Secret, Wrapped, detect_root_key,
};
use expect_test::expect;
use tempfile::TempDir;

use crate::support::{chain, passphrase, rng, sealed_store};

// Makes a store in the directory, and opens it again.
type Make = fn(&TempDir, u64) -> Box<dyn KeyStore>;
type Open = fn(&TempDir) -> Box<dyn KeyStore>;

const STORES: [(&str, Make, Open); 2] = [
    (
        "development-file",
        |dir, seed| Box::new(FileKeyStore::create(dir.path(), &mut rng(seed)).unwrap()),
        |dir| Box::new(FileKeyStore::open(dir.path()).unwrap()),
    ),
    (
        "sealed-file",
        |dir, seed| Box::new(sealed_store(dir, seed)),
        |dir| Box::new(SealedKeyStore::open(dir.path(), &passphrase("correct horse battery")).unwrap()),
    ),
];

fn for_each_store(check: impl Fn(&TempDir, Box<dyn KeyStore>, Open)) {
    for (kind, make, open) in STORES {
        let dir = tempfile::tempdir().unwrap();
        let store = make(&dir, 1);
        assert_eq!(store.describe().kind.to_string(), kind);
        check(&dir, store, open);
    }
}

#[test]
fn contract_what_is_wrapped_unwraps_also_after_reopening() {
    for_each_store(|dir, store, open| {
        let secret = Secret::generate(&mut rng(2));
        let wrapped = store.wrap(&secret, b"aad", &mut rng(3)).unwrap();
        assert_eq!(wrapped.root, store.describe().id);
        assert_eq!(store.unwrap(&wrapped, b"aad").unwrap().expose(), secret.expose());
        let again = open(dir);
        assert_eq!(again.describe(), store.describe());
        assert_eq!(again.unwrap(&wrapped, b"aad").unwrap().expose(), secret.expose());
    });
}

#[test]
fn contract_the_binding_holds() {
    for_each_store(|_, store, _| {
        let wrapped = store.wrap(&Secret::generate(&mut rng(2)), b"aad", &mut rng(3)).unwrap();
        for aad in [&b""[..], b"aae", b"aad\0", b"aa"] {
            assert!(matches!(store.unwrap(&wrapped, aad), Err(KeyStoreError::Changed)));
        }
        for index in 0..wrapped.bytes.len() {
            let mut changed = wrapped.clone();
            changed.bytes[index] ^= 1;
            assert!(matches!(store.unwrap(&changed, b"aad"), Err(KeyStoreError::Changed)), "byte {index}");
        }
        for len in [0, 11, 12, 27, 28, wrapped.bytes.len() - 1] {
            let cut = Wrapped { root: wrapped.root, bytes: wrapped.bytes[..len].to_vec() };
            assert!(matches!(store.unwrap(&cut, b"aad"), Err(KeyStoreError::Changed)), "{len} bytes");
        }
    });
}

#[test]
fn contract_wrapping_twice_differs() {
    for_each_store(|_, store, _| {
        let secret = Secret::generate(&mut rng(2));
        let rng = &mut rng(3);
        let (a, b) = (store.wrap(&secret, b"", rng).unwrap(), store.wrap(&secret, b"", rng).unwrap());
        assert_ne!(a.bytes, b.bytes);
        assert!(!a.bytes.windows(8).any(|part| secret.expose().windows(8).any(|other| part == other)));
    });
}

#[test]
fn contract_another_root_key_is_named_and_not_tried() {
    for_each_store(|_, store, _| {
        for (_, make, _) in STORES {
            let other = make(&tempfile::tempdir().unwrap(), 99);
            let wrapped = other.wrap(&Secret::generate(&mut rng(2)), b"", &mut rng(3)).unwrap();
            let result = store.unwrap(&wrapped, b"");
            assert!(matches!(result, Err(KeyStoreError::OtherKey { wanted, held })
                if wanted == other.describe().id && held == store.describe().id));
        }
    });
}

#[test]
fn contract_any_thread_may_call() {
    for_each_store(|_, store, _| {
        std::thread::scope(|scope| {
            for seed in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    let rng = &mut rng(seed);
                    for _ in 0..50 {
                        let secret = Secret::generate(rng);
                        let wrapped = store.wrap(&secret, &[1], rng).unwrap();
                        assert_eq!(store.unwrap(&wrapped, &[1]).unwrap().expose(), secret.expose());
                    }
                });
            }
        });
    });
}

fn mode(dir: &TempDir) -> u32 {
    fs::metadata(dir.path().join(ROOT_KEY_FILE)).unwrap().permissions().mode() & 0o7777
}

fn set_mode(dir: &TempDir, mode: u32) {
    fs::set_permissions(dir.path().join(ROOT_KEY_FILE), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_file_is_for_its_owner_only() {
    for (kind, make, _) in STORES {
        let dir = tempfile::tempdir().unwrap();
        make(&dir, 1);
        assert_eq!(mode(&dir), 0o600);
        assert_eq!(detect_root_key(dir.path()).unwrap().to_string(), kind);
        for exposed in [0o640, 0o604, 0o610, 0o601, 0o620, 0o602, 0o644, 0o666, 0o777] {
            set_mode(&dir, exposed);
            let text = format!("has mode {exposed:03o}, but only its owner may have access (600)");
            assert!(chain(detect_root_key(dir.path())).ends_with(&text));
            assert!(chain(FileKeyStore::open(dir.path())).ends_with(&text));
            assert!(
                chain(SealedKeyStore::open(dir.path(), &passphrase("correct horse battery")))
                    .ends_with(&text)
            );
        }
        set_mode(&dir, 0o400);
        assert!(detect_root_key(dir.path()).is_ok());
    }
}

#[test]
fn a_root_key_is_never_replaced() {
    for (_, make, _) in STORES {
        let dir = tempfile::tempdir().unwrap();
        let id = make(&dir, 1).describe().id;
        let before = fs::read(dir.path().join(ROOT_KEY_FILE)).unwrap();
        let file = FileKeyStore::create(dir.path(), &mut rng(2));
        assert!(matches!(file, Err(CreateRootKey::Exists { .. })));
        let phrase = passphrase("correct horse battery");
        let sealed = SealedKeyStore::create(dir.path(), &phrase, Argon2Cost::LEAST, &mut rng(2));
        assert!(matches!(sealed, Err(CreateRootKey::Exists { .. })));
        assert_eq!(fs::read(dir.path().join(ROOT_KEY_FILE)).unwrap(), before);
        assert_ne!(id, make(&tempfile::tempdir().unwrap(), 2).describe().id);
    }
}

#[test]
fn nothing_is_made_where_there_is_no_directory() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    assert!(matches!(FileKeyStore::create(&missing, &mut rng(1)), Err(CreateRootKey::Write { .. })));
    assert!(!missing.exists());
    assert!(matches!(FileKeyStore::open(&missing), Err(OpenRootKey::NotFound { .. })));
    assert!(matches!(detect_root_key(dir.path()), Err(OpenRootKey::NotFound { .. })));
}

#[test]
fn the_other_kind_is_named() {
    let dir = tempfile::tempdir().unwrap();
    sealed_store(&dir, 1);
    let opened = FileKeyStore::open(dir.path());
    assert!(matches!(opened, Err(OpenRootKey::OtherKind { found: RootKind::SealedFile, .. })));

    let dir = tempfile::tempdir().unwrap();
    FileKeyStore::create(dir.path(), &mut rng(1)).unwrap();
    let opened = SealedKeyStore::open(dir.path(), &passphrase("correct horse battery"));
    assert!(matches!(opened, Err(OpenRootKey::OtherKind { found: RootKind::DevelopmentFile, .. })));
}

fn rewrite(dir: &Path, change: impl Fn(String) -> String) {
    let path = dir.join(ROOT_KEY_FILE);
    let before = fs::read_to_string(&path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after);
    fs::write(&path, after).unwrap();
}

type Change = fn(String) -> String;

const CHANGES: [Change; 8] = [
    |_| String::new(),
    |text| format!("{text}\n"),
    |text| text.replace("\"format\"", " \"format\""),
    |text| text.replace("root-key-v1", "root-key-v2"),
    |text| text.replace("\"kind\"", "\"extra\":1,\"kind\""),
    |text| text.replace("\"id\":\"", "\"id\":\"00"),
    |text| text.replace("-file", "-disk"),
    |text| text + &" ".repeat(5000),
];

#[test]
fn damaged_files_are_refused() {
    for (_, make, _) in STORES {
        for (index, change) in CHANGES.into_iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            make(&dir, 1);
            rewrite(dir.path(), change);
            let file = FileKeyStore::open(dir.path());
            let sealed = SealedKeyStore::open(dir.path(), &passphrase("correct horse battery"));
            let refused = |error: &OpenRootKey| {
                matches!(error, OpenRootKey::Malformed { .. } | OpenRootKey::OtherKind { .. })
            };
            assert!(file.is_err_and(|error| refused(&error)), "change {index}");
            assert!(sealed.is_err_and(|error| refused(&error)), "change {index}");
        }
    }
}

#[test]
fn a_development_key_must_be_the_one_it_says() {
    let dir = tempfile::tempdir().unwrap();
    FileKeyStore::create(dir.path(), &mut rng(1)).unwrap();
    rewrite(dir.path(), |text| {
        let at = text.find("\"key\":\"").unwrap() + 7;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    });
    assert!(matches!(FileKeyStore::open(dir.path()), Err(OpenRootKey::Malformed { .. })));
}

#[test]
fn only_the_passphrase_opens_a_sealed_key() {
    let dir = tempfile::tempdir().unwrap();
    sealed_store(&dir, 1);
    for wrong in ["correct horse batterz", "correct horse battery ", "Correct horse battery"] {
        let opened = SealedKeyStore::open(dir.path(), &passphrase(wrong));
        assert!(matches!(opened, Err(OpenRootKey::Passphrase { .. })), "{wrong}");
    }
}

#[test]
fn the_cost_of_a_guess_cannot_be_changed() {
    // Within the limits the seal breaks, beyond them the file is refused before any work is done.
    type Expected = fn(&OpenRootKey) -> bool;
    let cases: [(&str, &str, Expected); 6] = [
        ("\"passes\":2", "\"passes\":3", |error| matches!(error, OpenRootKey::Passphrase { .. })),
        ("\"passes\":2", "\"passes\":1", |error| matches!(error, OpenRootKey::Malformed { .. })),
        ("\"passes\":2", "\"passes\":17", |error| matches!(error, OpenRootKey::Malformed { .. })),
        ("19456", "8", |error| matches!(error, OpenRootKey::Malformed { .. })),
        ("19456", "4194304", |error| matches!(error, OpenRootKey::Malformed { .. })),
        ("\"lanes\":1", "\"lanes\":16777215", |error| matches!(error, OpenRootKey::Malformed { .. })),
    ];
    for (from, to, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        sealed_store(&dir, 1);
        rewrite(dir.path(), |text| text.replace(from, to));
        let opened = SealedKeyStore::open(dir.path(), &passphrase("correct horse battery"));
        assert!(expected(&opened.unwrap_err()), "{to}");
    }

    let dir = tempfile::tempdir().unwrap();
    let cost = Argon2Cost { memory_kib: 1024, passes: 2, lanes: 1 };
    let made = SealedKeyStore::create(dir.path(), &passphrase("correct horse battery"), cost, &mut rng(1));
    expect!["argon2id with 1024 KiB, 2 passes and 1 lanes is outside the limits"].assert_eq(&chain(made));
    assert!(matches!(detect_root_key(dir.path()), Err(OpenRootKey::NotFound { .. })));
}

#[test]
fn a_passphrase_has_bounds() {
    expect!["a passphrase has 12 to 1024 bytes"].assert_eq(&chain(Passphrase::new(vec![b'a'; 11])));
    assert!(Passphrase::new(vec![b'a'; 12]).is_ok());
    assert!(Passphrase::new(vec![b'a'; 1024]).is_ok());
    assert!(Passphrase::new(vec![b'a'; 1025]).is_err());
}
