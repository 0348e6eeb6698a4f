//! What the directory stores do to a real file system.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use bartizan_base::{BlobErrorKind, Blobs, Cas, Clock};
use bartizan_store::{DirBlobs, DirCas, DirOpen, SystemClock};

use crate::{get, name, put, texts};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_read() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("keys");
    let blobs = DirBlobs::create(&root).unwrap();
    put(&blobs, "a/b", b"secret").unwrap();
    DirCas::open(&root).unwrap().swap(&name("x/y"), None, b"1").unwrap();
    let mut todo = vec![root];
    let mut files = 0;
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{path:?}");
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(mode(&path), 0o600, "{path:?}");
            files += 1;
        }
    }
    assert!(files >= 2);
}

#[test]
fn creating_never_takes_over() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("blobs");
    assert!(matches!(DirBlobs::open(&root), Err(DirOpen::Missing { .. })));
    assert!(matches!(DirCas::open(&root), Err(DirOpen::Missing { .. })));
    DirBlobs::create(&root).unwrap();
    let error = DirBlobs::create(&root).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` exists already", root.display()));
    assert!(matches!(DirBlobs::create(&home.path().join("no/parent")), Err(DirOpen::Missing { .. })));
    fs::write(home.path().join("file"), b"").unwrap();
    assert!(matches!(DirBlobs::open(&home.path().join("file")), Err(DirOpen::Io { .. })));
}

#[test]
fn links_and_special_files_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), b"secret").unwrap();
    let root = home.path().join("blobs");
    let blobs = DirBlobs::create(&root).unwrap();
    symlink(outside.join("secret"), root.join("link")).unwrap();
    symlink(&outside, root.join("folder")).unwrap();
    fs::create_dir(root.join("dir")).unwrap();
    let pipe = std::ffi::CString::new(root.join("pipe").to_str().unwrap()).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &*pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();

    for text in ["link", "folder/secret", "dir", "pipe"] {
        assert_ne!(blobs.open(&name(text)).err().unwrap().kind, BlobErrorKind::NotFound, "{text}");
    }
    // What cannot be looked at is not said to be gone.
    blobs.delete(&name("folder/secret")).expect_err("lies outside");
    assert!(outside.join("secret").exists());
    put(&blobs, "folder/new", b"x").expect_err("would be written outside");
    assert!(!outside.join("new").exists());
    assert!(blobs.list("", None, 10).unwrap().is_empty());
    assert!(blobs.list("folder/", None, 10).unwrap().is_empty());
    // Writing a linked name replaces the link, never what it points to.
    put(&blobs, "link", b"blob").unwrap();
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(get(&blobs, "link").unwrap(), b"blob");
}

#[test]
fn left_overs_go_when_nobody_writes() {
    let home = tempfile::tempdir().unwrap();
    let first = DirBlobs::open(home.path()).unwrap();
    let mut writer = first.create().unwrap();
    writer.write_all(b"half").unwrap();
    let temporary = || fs::read_dir(home.path().join(".tmp")).unwrap().count();
    assert_eq!(temporary(), 1);
    let second = DirBlobs::open(home.path()).unwrap();
    assert_eq!(temporary(), 1, "another handle is still writing");
    writer.commit(&name("whole")).unwrap();
    assert_eq!(get(&second, "whole").unwrap(), b"half");

    fs::write(home.path().join(".tmp/1-1"), b"left by a dead process").unwrap();
    drop((first, second));
    let third = DirBlobs::open(home.path()).unwrap();
    assert_eq!(temporary(), 0);
    assert_eq!(texts(&third.list("", None, 9).unwrap()), ["whole"]);
}

#[test]
fn foreign_files_are_not_listed() {
    let home = tempfile::tempdir().unwrap();
    let blobs = DirBlobs::open(home.path()).unwrap();
    put(&blobs, "fine", b"").unwrap();
    for foreign in ["UPPER", "with space", ".hidden", "ümlaut"] {
        fs::write(home.path().join(foreign), b"").unwrap();
    }
    assert_eq!(texts(&blobs.list("", None, 9).unwrap()), ["fine"]);
}

#[test]
fn a_damaged_value_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let cas = DirCas::open(home.path()).unwrap();
    fs::write(home.path().join(".cas/huge"), vec![0; 65_537]).unwrap();
    let error = cas.load(&name("huge")).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::FileTooLarge);
}

#[test]
fn lists_large_directories_in_pages() {
    let home = tempfile::tempdir().unwrap();
    let blobs = DirBlobs::open(home.path()).unwrap();
    let expected: Vec<String> = (0..3_000).map(|i| format!("d/{i:05}")).collect();
    fs::create_dir(home.path().join("d")).unwrap();
    // Empty folders sort first and must not end a page.
    (0..600).for_each(|i| fs::create_dir(home.path().join(format!("d/-{i:04}"))).unwrap());
    expected.iter().for_each(|text| fs::write(home.path().join(text), b"").unwrap());
    assert_eq!(texts(&blobs.list("d/", None, 10).unwrap()), expected[..10]);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = blobs.list("", after.as_ref(), 700).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    assert_eq!(texts(&seen), expected);
}

#[test]
fn the_clock_runs() {
    let first = SystemClock.now();
    assert!(first.millis() > 1_700_000_000_000, "this machine's clock is before 2023");
    assert!(SystemClock.now() >= first);
}
