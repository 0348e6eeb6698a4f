//! Secrets do not show: not in debug output, not in errors, not in what is stored.

use std::fmt::Debug;
use std::fs;

use bartizan_keys::stream::Decryptor;
use bartizan_keys::{
    Algorithm, FileKeyStore, KeyStore, OpenRootKey, Passphrase, Purpose, ROOT_KEY_FILE, SealedKeyStore,
    Secret, SigningKey, detect_root_key,
};

use crate::support::{NOW, World, bytes, chain, name, passphrase, rng, sealed_store};

// The ways in which 32 bytes may show in a text: hexadecimal, base64, and lists of numbers.
fn spellings(secret: &[u8]) -> Vec<String> {
    let list = |separator: &str| secret[..8].iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
    vec![
        hex::encode(&secret[..8]),
        hex::encode_upper(&secret[..8]),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &secret[..9]),
        list(", "),
        list(","),
        list(",\n    "),
    ]
}

fn assert_hidden(secret: &[u8], shown: &dyn Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        for spelling in spellings(secret) {
            assert!(!text.contains(&spelling), "{text}");
        }
    }
}

#[test]
fn debug_output_hides_secrets() {
    let secret = Secret::generate(&mut rng(1));
    assert_hidden(secret.expose(), &secret);
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert_eq!(format!("{:?}", passphrase("correct horse battery")), "Passphrase(..)");

    // The generator's first bytes become the key itself.
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
        let key = SigningKey::generate(algorithm, &mut rng(1)).unwrap();
        assert_hidden(secret.expose(), &key);
        assert_eq!(format!("{key:?}"), format!("SigningKey({algorithm} {})", key.public().id()));
    }
    let dir = tempfile::tempdir().unwrap();
    let store = FileKeyStore::create(dir.path(), &mut rng(1)).unwrap();
    assert!(
        fs::read_to_string(dir.path().join(ROOT_KEY_FILE))
            .unwrap()
            .contains(&spellings(secret.expose())[2][..11])
    );
    assert_hidden(secret.expose(), &store);
    assert_eq!(format!("{store:?}"), format!("FileKeyStore({})", store.describe().id));
    let dir = tempfile::tempdir().unwrap();
    let store = sealed_store(&dir, 1);
    assert_eq!(format!("{store:?}"), format!("SealedKeyStore({})", store.describe().id));

    let world = World::new(1);
    assert_eq!(format!("{:?}", world.keys), format!("Keys({})", world.keys.project()));
    let sealed = world.keys.seal(&world.blobs, &mut &b"content"[..], &mut rng(2), NOW).unwrap();
    let unsealed = world.keys.unseal(&world.blobs, &sealed.blob).unwrap();
    assert_eq!(format!("{unsealed:?}"), "Unsealed(7 bytes)");
    assert_hidden(unsealed.salt(), &unsealed);
    assert_hidden(unsealed.salt(), &sealed);
    let stored = crate::stream::encrypt(b"content");
    let stream =
        Decryptor::open(crate::stream::reader(&stored), &crate::stream::secret(), b"binding").unwrap();
    assert_eq!(format!("{stream:?}"), "Decryptor(7 bytes)");
}

#[test]
fn errors_hide_secrets() {
    let phrase = "correct horse battery";
    let dir = tempfile::tempdir().unwrap();
    sealed_store(&dir, 1);
    let error = SealedKeyStore::open(dir.path(), &passphrase("a secret wrong guess")).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(matches!(error, OpenRootKey::Passphrase { .. }));
    assert!(!text.contains("secret wrong") && !text.contains(phrase));
    let error = Passphrase::new(b"short guess".to_vec()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("guess"));

    // A damaged development key: the error says where, never what.
    let dir = tempfile::tempdir().unwrap();
    FileKeyStore::create(dir.path(), &mut rng(1)).unwrap();
    let path = dir.path().join(ROOT_KEY_FILE);
    let damaged = fs::read_to_string(&path).unwrap().replace("\"kind\":\"d", "\"kind\":\"e");
    fs::write(&path, &damaged).unwrap();
    let error = detect_root_key(dir.path()).unwrap_err();
    let secret = Secret::generate(&mut rng(1));
    assert_hidden(secret.expose(), &error);
    assert_eq!(chain(detect_root_key(dir.path())), format!("`{}` is not a root key file", path.display()));

    // A private key in a text that is no key file.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIEzNCJso\n-----END PRIVATE KEY-----\n";
    assert!(!chain(SigningKey::from_pkcs8_pem(pem)).contains("MC4C"));
}

#[test]
fn stored_keys_hide_secrets() {
    // The keys are drawn in a known order, so their bytes are known here.
    let world = World::new(1);
    let record = bytes(&world.key_blobs, &name("project-keys.json"));
    let text = String::from_utf8(record).unwrap();
    let drawn = &mut rng(2);
    for _ in 0..40 {
        let mut block = [0; 32];
        rand_core::Rng::fill_bytes(drawn, &mut block);
        // A nonce is drawn from one block too, and is stored: only its first 12 bytes show.
        for spelling in
            [hex::encode(block), base64::Engine::encode(&base64::engine::general_purpose::STANDARD, block)]
        {
            assert!(!text.contains(&spelling));
        }
    }
    for purpose in Purpose::ALL {
        assert!(text.contains(&world.keys.signing(purpose).public().id().to_string()));
    }
}
