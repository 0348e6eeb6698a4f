//! The client: to whom it shows an API key, and to whom it does not.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use crate::bench::{Bench, Ran};

/// Somebody who listens, answers everything alike and keeps what came in.
struct Listener {
    address: SocketAddr,
    heard: Arc<Mutex<String>>,
}

impl Listener {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut buffer = [0; 4096];
                while let Ok(read) = stream.read(&mut buffer)
                    && read > 0
                {
                    let bytes = buffer.get(..read).unwrap();
                    kept.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

const LIST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
const ELSEWHERE: &str = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
const SECRET: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// Runs a command while the lock says this.
fn run_with_lock(bench: &Bench, lock: &str) -> Ran {
    let path = bench.path("bartizan-data/lock");
    fs::write(&path, format!("{lock:\n<512}")).unwrap();
    let file = File::open(&path).unwrap();
    file.lock().unwrap();
    bench.run_with("BARTIZAN_TOKEN", "bz_the_key", &["model", "list"])
}

#[test]
fn whoever_took_over_the_address_sees_no_key() {
    let bench = Bench::with_project();
    for answer in [
        LIST,
        ELSEWHERE,
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"answer\": \"00\"}",
        "noise\r\n\r\n",
    ] {
        let other = Listener::start(answer);
        let lock = format!("bartizan-lock 1\npid 1\nkind up\naddress {}\n", other.address);
        let ran = run_with_lock(&bench, &format!("{lock}secret {SECRET}\n"));
        assert!(ran.stderr.contains("BZ-0604") || ran.stderr.contains("BZ-0603"), "{}", ran.stderr);
        let heard = other.heard();
        assert!(heard.starts_with("GET /api/v1/hello?nonce="), "{heard}");
        assert!(!heard.contains("bz_the_key") && !heard.contains("uthorization"), "{heard}");
        // It has to say how it is recognised; who is not, is not even asked.
        let other = Listener::start(answer);
        let lock = format!("bartizan-lock 1\npid 1\nkind up\naddress {}\n", other.address);
        let ran = run_with_lock(&bench, &lock);
        assert!(ran.code == 3 && ran.stderr.contains("BZ-0604"), "{}", ran.stderr);
        assert_eq!(other.heard(), "");
    }
}

#[test]
fn a_directory_in_which_others_may_write_is_not_believed() {
    let bench = Bench::with_project();
    let other = Listener::start(LIST);
    let data = bench.path("bartizan-data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
    let lock = format!("bartizan-lock 1\npid 1\nkind up\naddress {}\nsecret {SECRET}\n", other.address);
    let ran = run_with_lock(&bench, &lock);
    assert!(ran.code == 2 && ran.stderr.contains("BZ-0606"), "{}", ran.stderr);
    bench.write("bartizan-data/bartizan.toml", format!("server = \"http://{}\"\n", other.address).as_bytes());
    let ran = bench.run_with("BARTIZAN_TOKEN", "bz_the_key", &["model", "list"]);
    assert!(ran.code == 2 && ran.stderr.contains("BZ-0606"), "{}", ran.stderr);
    assert_eq!(other.heard(), "");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", "bz_the_key", &["model", "list"]).code, 0);
    assert!(other.heard().contains("bz_the_key"));
}

#[test]
fn the_key_goes_to_the_server_that_was_named_and_to_nobody_else() {
    let bench = Bench::new();
    for (url, code, id) in [
        ("http://192.0.2.1:7878", 2, "BZ-0601"),
        ("http://bartizan.example", 2, "BZ-0601"),
        ("https://127.0.0.1:7878", 2, "BZ-0602"),
        ("http://127.0.0.1:1", 5, "BZ-0603"),
    ] {
        let ran = bench.run_with("BARTIZAN_TOKEN", "bz_the_key", &["--server", url, "model", "list"]);
        assert!(ran.code == code && ran.stderr.contains(id), "{url}: {}", ran.stderr);
    }
    let (proxy, server) = (Listener::start(LIST), Listener::start(LIST));
    let url = format!("http://{}", server.address);
    let mut command = bench.command(&["--server", &url, "model", "list"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{}", proxy.address));
    }
    let ran = command.env("BARTIZAN_TOKEN", "bz_the_key").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "[]\n");
    assert!(server.heard().contains("authorization: Bearer bz_the_key"), "{}", server.heard());
    assert_eq!(proxy.heard(), "");

    let elsewhere = Listener::start(ELSEWHERE);
    let url = format!("http://{}", elsewhere.address);
    let ran = bench.run_with("BARTIZAN_TOKEN", "bz_the_key", &["--server", &url, "model", "list"]);
    assert!(ran.code == 1 && ran.stderr.contains("status 302"), "{}", ran.stderr);
}

#[test]
fn a_server_that_says_nothing_does_not_hold_the_command() {
    let bench = Bench::with_project();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let lock = format!("bartizan-lock 1\npid 1\nkind up\naddress {address}\nsecret {SECRET}\n");
    let ran = run_with_lock(&bench, &lock);
    assert!(ran.code == 5 && ran.stderr.contains("BZ-0603"), "{}", ran.stderr);
}
