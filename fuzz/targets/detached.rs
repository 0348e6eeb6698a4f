//! Detached signatures: what is read never verifies over bytes that nobody signed, and key files never panic.
#![no_main]

use bartizan_base::sha256;
use bartizan_keys::PublicKey;
use bartizan_keys::detached::Detached;
use libfuzzer_sys::fuzz_target;

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

fuzz_target!(|bytes: &[u8]| {
    let key = PublicKey::from_pem(KEY).expect("the key of RFC 8032 section 7.1, test 1");
    match Detached::parse(bytes) {
        Ok(Detached::Raw(signature)) => {
            assert!(key.verify(b"nobody signed this", &signature).is_err());
            assert!(key.verify_sha256(&sha256(b"nobody signed this"), &signature).is_err());
        }
        Ok(Detached::Minisign(minisign)) => {
            assert!(minisign.verify(&key, b"nobody signed this").is_err());
        }
        Ok(Detached::Envelope(_)) | Err(_) => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = PublicKey::from_key_file(text)
    {
        assert_eq!(PublicKey::from_pem(&key.pem()).expect("its PEM is read").id(), key.id());
    }
});
