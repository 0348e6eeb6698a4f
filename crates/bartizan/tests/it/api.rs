//! The API of `up`: who gets in, and that commands find it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;

use serde_json::{Value, json};

use crate::bench::Bench;

struct Up {
    child: Child,
    address: String,
}

impl Up {
    fn start(bench: &Bench) -> Self {
        let mut child = bench.command(&["up", "--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut line).unwrap();
        // Whoever stops reading would make the server block on its log.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()).is_ok());
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        Self { address: address.to_owned(), child }
    }

    /// Sends raw bytes and returns the first line of the answer.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn commands_find_the_api_that_holds_the_directory() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let key = key["key"].as_str().unwrap();
    // More than one chunk, and no whole number of them.
    bench.write("model/model.onnx", &vec![7; 700_001]);
    let up = Up::start(&bench);
    bench.refused(&["model", "list"], 3, "BZ-0201");
    bench.refused(&["up", "--listen", "127.0.0.1:0"], 5, "BZ-0103");
    let import = ["model", "import", "model", "--name", "m", "--origin", "over the API"];
    let imported = bench.run_with("BARTIZAN_TOKEN", key, &import);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let remote = bench.run_with("BARTIZAN_TOKEN", key, &["model", "show", "m:1"]);
    drop(up);
    let local = bench.run_with("BARTIZAN_TOKEN", key, &["model", "show", "m:1"]);
    assert_eq!((remote.code, &remote.stdout), (0, &local.stdout), "{}", remote.stderr);
    assert_eq!(bench.json(&["model", "verify", "m:1"])["files"], 1);
}

#[test]
fn nobody_gets_in_without_a_credential() {
    let bench = Bench::with_project();
    let up = Up::start(&bench);
    let ask = |method: &str, path: &str, more: &str| {
        up.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n",
            up.address
        ))
    };
    for (method, path) in [
        ("GET", "/api/v1/models"),
        ("GET", "/api/v1/project"),
        ("GET", "/api/v1/ledger/entries"),
        ("GET", "/api/v1/trust"),
        ("POST", "/api/v1/uploads?model=m"),
        ("POST", "/api/v1/models/m/versions/1/approvals"),
        ("DELETE", "/api/v1/api-keys/0011223344556677"),
        ("GET", "/api/v1/nothing"),
    ] {
        for more in ["", "Authorization: Bearer bz_no\r\n", "Cookie: __Host-bartizan=0\r\n"] {
            let answer = ask(method, path, more);
            let expected = path != "/api/v1/nothing" || !more.contains("Bearer");
            assert!(!expected || answer.contains(" 401 "), "{method} {path} {more}: {answer}");
        }
    }
    assert!(ask("GET", "/healthz", "").contains(" 200 "));
    assert!(ask("GET", "/models/m/1", "").contains(" 303 "));
    let elsewhere = up.raw("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(elsewhere.contains(" 401 "), "{elsewhere}");
    let smuggled =
        ask("POST", "/api/v1/uploads?model=m", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    assert!(!smuggled.contains(" 200 "), "{smuggled}");
}

/// Everything that names a thing, once with one that exists and once with one that does not.
#[test]
fn to_whoever_may_not_see_it_the_unknown_looks_like_the_forbidden() {
    let bench = Bench::with_project();
    bench.write("model/model.onnx", b"weights");
    bench.json(&["model", "import", "model", "--name", "m", "--origin", "a test"]);
    bench.json(&["access", "user", "add", "outsider"]);
    let key = bench.json(&["access", "key", "create", "outsider", "--days", "1"]);
    let outsider = key["key"].as_str().unwrap();
    let other = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let other = other["id"].as_str().unwrap();
    for (arguments, known, unknown) in [
        (vec!["model", "show", "?"], "m:1", "m:2"),
        (vec!["model", "verify", "?"], "m:1", "m:2"),
        (vec!["model", "approve", "?"], "m:1", "x:1"),
        (vec!["model", "quarantine", "?", "--reason", "r"], "m:1", "x:1"),
        (vec!["model", "alias", "m@best", "?"], "m:1", "m:2"),
        (vec!["prove", "?", "--out", "p"], "m:1", "m:2"),
        (vec!["lineage", "up", "?"], "m:1", "m:2"),
        (vec!["data", "show", "?"], "d:1", "x:1"),
        (vec!["access", "user", "disable", "?"], "admin", "stranger"),
        (vec!["access", "role", "grant", "?", "viewer"], "admin", "stranger"),
        (vec!["access", "key", "create", "?", "--days", "1"], "admin", "stranger"),
        (vec!["access", "key", "revoke", "?"], other, "0011223344556677"),
        (vec!["access", "explain", "?", "model.list"], "admin", "stranger"),
    ] {
        let answer = |name: &str| {
            let named: Vec<&str> =
                arguments.iter().map(|word| if *word == "?" { name } else { word }).collect();
            let ran = bench.run_with("BARTIZAN_TOKEN", outsider, &named);
            let said: Value = serde_json::from_str(&ran.stderr).unwrap();
            // What was asked for and the entry that records the refusal are the caller's own.
            let what = said["error"]["what"].as_str().unwrap().split('`').step_by(2).collect::<String>();
            let why = said["error"]["why"].as_array().unwrap();
            (ran.code, said["error"]["id"].clone(), what, why[..why.len() - 1].to_vec())
        };
        let refused = answer(known);
        assert_eq!((refused.0, &refused.1), (3, &json!("BZ-0202")), "{arguments:?}");
        assert_eq!(refused, answer(unknown), "{arguments:?}");
    }
    for (arguments, what) in [
        (vec!["model", "show", "m:2"], "m:2"),
        (vec!["model", "approve", "x:1"], "x:1"),
        (vec!["access", "user", "disable", "stranger"], "stranger"),
        (vec!["access", "key", "create", "stranger"], "stranger"),
    ] {
        let said = bench.refused(&arguments, 4, "BZ-0203");
        assert!(said.contains(what), "{arguments:?}: {said}");
    }
}
