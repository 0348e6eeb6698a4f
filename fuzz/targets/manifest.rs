//! A manifest: what parses is canonical, and holds only plain relative paths.
#![no_main]

use std::path::{Component, Path};

use bartizan_registry::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    assert_eq!(manifest.to_bytes().expect("a manifest has a form"), bytes);
    for file in manifest.files() {
        assert!(Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))));
    }
});
