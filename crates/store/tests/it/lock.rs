//! The lock of a data directory and the version of its layout.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bartizan_base::Cas;
use bartizan_store::{
    ApiAt, DataDir, DataDirCreate, DataDirOpen, DirLock, LockFailed, LockInfo, LockSecret, holder,
};

use crate::{get, name, put};

fn info(kind: &str, address: Option<&str>) -> LockInfo {
    LockInfo {
        pid: std::process::id(),
        kind: kind.parse().unwrap(),
        api: address.map(|address| ApiAt { address: address.parse().unwrap(), secret: None }),
    }
}

#[test]
fn the_second_learns_who_is_first() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(holder(home.path()).unwrap(), None);
    let first = DirLock::acquire(home.path(), &info("up", None)).unwrap();
    first.announce(&info("up", Some("[::1]:7878"))).unwrap();

    let error = DirLock::acquire(home.path(), &info("ledger-rebuild", None)).unwrap_err();
    let expected = format!(
        "`{}` is in use by `up` (process {}, listening on [::1]:7878)",
        home.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    let LockFailed::Held { holder: Some(seen), .. } = error else { panic!("{error:?}") };
    assert_eq!(seen, info("up", Some("[::1]:7878")));
    assert_eq!(holder(home.path()).unwrap(), Some(Some(seen)));

    drop(first);
    assert_eq!(holder(home.path()).unwrap(), None);
    assert_eq!(fs::read(home.path().join("lock")).unwrap(), [b'\n'; 512], "the entry goes with its holder");
    let second = DirLock::acquire(home.path(), &info("ledger-rebuild", None)).unwrap();
    let error = DirLock::acquire(home.path(), &info("up", None)).unwrap_err();
    assert!(error.to_string().contains("`ledger-rebuild` (process "), "{error}");
    drop(second);
}

#[test]
fn the_secret_is_for_the_owner_alone_and_goes_with_the_address() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lock");
    fs::write(&path, "from a backup\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let lock = DirLock::acquire(home.path(), &info("up", None)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let mut told = info("up", Some("127.0.0.1:7878"));
    told.api.as_mut().unwrap().secret = Some(LockSecret::from_bytes([7; 32]));
    lock.announce(&told).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(&format!("\nsecret {}\n", "07".repeat(32))));
    assert_eq!(holder(home.path()).unwrap(), Some(Some(told.clone())));
    assert!(!format!("{told} {told:?}").contains("0707"), "{told:?}");

    lock.announce(&info("up", None)).unwrap();
    assert_eq!(holder(home.path()).unwrap(), Some(Some(info("up", None))));
    assert!(!fs::read_to_string(&path).unwrap().contains("secret"));
}

#[test]
fn content_without_a_holder_means_nothing() {
    let home = tempfile::tempdir().unwrap();
    let long = "x".repeat(5_000);
    for content in ["", "bartizan-lock 1\npid 1\nkind up\naddress 127.0.0.1:7878\n", long.as_str()] {
        fs::write(home.path().join("lock"), content).unwrap();
        drop(DirLock::acquire(home.path(), &info("up", None)).unwrap());
    }
}

#[test]
fn a_silent_holder_is_still_a_holder() {
    let home = tempfile::tempdir().unwrap();
    for content in [
        "",
        "not a lock file",
        "bartizan-lock 1\npid x\nkind up\n",
        "bartizan-lock 1\npid 1\nkind up\nmore\n",
        "bartizan-lock 1\npid 1\nkind up\naddress 127.0.0.1:1\nsecret 00\n",
        "bartizan-lock 1\npid 1\nkind up\nsecret 0707070707070707070707070707070707070707070707070707070707070707\n",
    ] {
        let content = format!("{content:\n<512}");
        fs::write(home.path().join("lock"), content).unwrap();
        let file = fs::File::open(home.path().join("lock")).unwrap();
        file.lock().unwrap();
        let error = DirLock::acquire(home.path(), &info("up", None)).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` is in use by another process", home.path().display()));
    }
}

#[test]
fn a_missing_directory_is_no_lock() {
    let home = tempfile::tempdir().unwrap();
    let error = DirLock::acquire(&home.path().join("none"), &info("up", None)).unwrap_err();
    assert!(matches!(error, LockFailed::Io { .. }));
}

/// Names the data directory to a copy of this test program, which then holds its lock.
const CHILD: &str = "BARTIZAN_STORE_TEST_LOCK";

#[test]
fn held_by_the_child_process() {
    #[expect(clippy::disallowed_methods, reason = "how the parent test talks to its child")]
    let Some(path) = std::env::var_os(CHILD) else { return };
    let _lock = DirLock::acquire(Path::new(&path), &info("up", Some("127.0.0.1:7878"))).unwrap();
    println!("locked");
    std::io::stdout().flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

fn start_holder(path: &Path) -> Child {
    #[expect(clippy::disallowed_methods, reason = "the test needs a process to kill")]
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::held_by_the_child_process", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.map_while(Result::ok).any(|line| line.ends_with("locked")),
        "the child did not get the lock"
    );
    child
}

#[test]
fn a_killed_holder_is_none() {
    let home = tempfile::tempdir().unwrap();
    let mut child = start_holder(home.path());
    let LockFailed::Held { holder: Some(seen), .. } =
        DirLock::acquire(home.path(), &info("up", None)).unwrap_err()
    else {
        panic!("the child is not seen");
    };
    assert_eq!((seen.pid, seen.api), (child.id(), info("up", Some("127.0.0.1:7878")).api));

    child.kill().unwrap();
    child.wait().unwrap();
    let left = fs::read_to_string(home.path().join("lock")).unwrap();
    assert!(left.contains(&format!("pid {}\n", child.id())), "the kill left its entry: {left}");
    assert_eq!(holder(home.path()).unwrap(), None);
    drop(DirLock::acquire(home.path(), &info("up", None)).unwrap());
}

#[test]
fn a_data_directory_has_its_parts() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bartizan-data");
    assert!(matches!(DataDir::open(&path), Err(DataDirOpen::Missing { .. })));
    DataDir::create(&path).unwrap();
    assert_eq!(fs::read_to_string(path.join("VERSION")).unwrap(), "bartizan-data-directory 1\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);

    let data = DataDir::open(&path).unwrap();
    put(&data.blobs().unwrap(), "x", b"blob").unwrap();
    put(&data.keys().unwrap(), "x", b"key").unwrap();
    put(&data.ledger().unwrap(), "x", b"tile").unwrap();
    data.ledger_cas().unwrap().swap(&name("x"), None, b"head").unwrap();
    assert_eq!(get(&data.keys().unwrap(), "x").unwrap(), b"key");
    assert_eq!(fs::read(path.join("ledger/.cas/x")).unwrap(), b"head");
    assert_eq!(data.database(), path.join("bartizan.db"));
    assert_eq!(data.configuration(), path.join("bartizan.toml"));
}

#[test]
fn creating_refuses_what_exists() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    DataDir::create(&path).unwrap();
    let error = DataDir::create(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{}` exists already and is not an empty directory", path.display())
    );
    fs::write(home.path().join("file"), b"").unwrap();
    assert!(matches!(DataDir::create(&home.path().join("file")), Err(DataDirCreate::Exists { .. })));
    assert!(matches!(DataDir::create(&home.path().join("a/b")), Err(DataDirCreate::NoParent { .. })));
    // A fresh volume is an empty directory with loose permissions.
    let volume = home.path().join("volume");
    fs::create_dir(&volume).unwrap();
    fs::create_dir(volume.join("lost+found")).unwrap();
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o755)).unwrap();
    DataDir::create(&volume).unwrap();
    assert_eq!(fs::metadata(&volume).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_newer_layout_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    DataDir::create(&path).unwrap();
    fs::write(path.join("VERSION"), "bartizan-data-directory 2\n").unwrap();
    let error = DataDir::open(&path).unwrap_err();
    let expected = "has layout version 2, but this program knows versions up to 1";
    assert_eq!(error.to_string(), format!("`{}` {expected}", path.display()));
    let long = format!("bartizan-data-directory 1{}\n", "0".repeat(80));
    for content in [
        "",
        "1\n",
        "bartizan-data-directory 0\n",
        "bartizan-data-directory 01\n",
        "bartizan-data-directory 1",
        &long,
    ] {
        fs::write(path.join("VERSION"), content).unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirOpen::NotADataDirectory { .. })), "{content:?}");
    }
    fs::remove_file(path.join("VERSION")).unwrap();
    assert!(matches!(DataDir::open(&path), Err(DataDirOpen::NotADataDirectory { .. })));
}
