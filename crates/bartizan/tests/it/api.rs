//! The API of `up`: who gets in, and that commands find it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::up::Up;

#[test]
fn commands_find_the_api_that_holds_the_directory() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let key = key["key"].as_str().unwrap();
    // More than one chunk, and no whole number of them.
    bench.write("model/model.onnx", &vec![7; 700_001]);
    let up = Up::start(&bench);
    bench.refused(&["model", "list"], 3, "BZ-0201");
    bench.refused(&["up", "--listen", "127.0.0.1:0", "--inference", "127.0.0.1:0"], 5, "BZ-0103");
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
fn idle_and_slow_connections_stop_neither_the_service_nor_its_end() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let key = key["key"].as_str().unwrap();
    let mut up = Up::start(&bench);
    let slow: Vec<TcpStream> = (0..600)
        .map(|number| {
            let mut stream = TcpStream::connect(&up.address).unwrap();
            let form =
                format!("POST /signin HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\nkey=", up.address);
            if number % 2 == 0 {
                stream.write_all(form.as_bytes()).ok();
            }
            stream
        })
        .collect();
    let begun = Instant::now();
    let host = &up.address;
    assert!(
        up.raw(&format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
            .contains(" 200 ")
    );
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", key, &["status"]).code, 0);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

    // Neither a request that is slow to come, from somebody who is known, nor an idle connection.
    let mut known = TcpStream::connect(&up.address).unwrap();
    let list = format!("GET /api/v1/models HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
    known.write_all(list.as_bytes()).unwrap();
    let mut begin = [0; 12];
    known.read_exact(&mut begin).unwrap();
    assert_eq!(begin, *b"HTTP/1.1 200");
    let mut upload = TcpStream::connect(&up.address).unwrap();
    let half = format!(
        "POST /api/v1/uploads?model=m HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 100\r\n\r\nhalf"
    );
    upload.write_all(half.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let took = up.end();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(bench.run(&["ledger", "fsck"]).code, 0);
    drop((slow, known, upload));
}

#[test]
fn the_address_is_withdrawn_before_somebody_else_can_take_it() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let mut up = Up::start(&bench);
    let lock = bench.path("bartizan-data/lock");
    let said = std::fs::read_to_string(&lock).unwrap();
    assert!(said.contains(&format!("\naddress {}\nsecret ", up.address)), "{said}");
    // An upload that does not end keeps the process, and its lock, for a while.
    let mut upload = TcpStream::connect(&up.address).unwrap();
    let (host, key) = (&up.address, key["key"].as_str().unwrap());
    let half = format!(
        "POST /api/v1/uploads?model=m HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 100\r\n\r\nhalf"
    );
    upload.write_all(half.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let address = up.address.clone();
    let watching = std::thread::spawn(move || {
        while TcpStream::connect(&address).is_ok() {}
        std::fs::read_to_string(lock).unwrap()
    });
    let took = up.end();
    assert!(took > Duration::from_secs(5), "{took:?}: nothing kept it");
    let said = watching.join().unwrap();
    assert!(!said.contains("address") && !said.contains("secret"), "{said}");
}

#[test]
fn an_idle_connection_does_not_delay_the_end() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let mut up = Up::start(&bench);
    let mut known = TcpStream::connect(&up.address).unwrap();
    let (host, key) = (&up.address, key["key"].as_str().unwrap());
    let list = format!("GET /api/v1/models HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
    known.write_all(list.as_bytes()).unwrap();
    known.read_exact(&mut [0; 12]).unwrap();
    let silent = TcpStream::connect(&up.address).unwrap();
    let took = up.end();
    assert!(took < Duration::from_secs(4), "{took:?}");
    drop((known, silent));
}

#[test]
fn a_server_may_be_named_by_any_of_its_addresses_and_by_no_other_name() {
    let bench = Bench::with_project();
    let up = Up::start(&bench);
    for (host, status) in [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("10.0.0.5:7878", 200),
        ("[::1]:7878", 200),
        ("[2001:db8::1]", 200),
        ("evil.example", 401),
        ("127.0.0.1.evil.example:80", 401),
        ("localhost.evil.example", 401),
        ("", 401),
    ] {
        let answer = up.raw(&format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.contains(&format!(" {status} ")), "{host}: {answer}");
    }
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
    for path in ["/healthz", "/api/v1/models", "/nothing", "/signin"] {
        let host = &up.address;
        let answer = up.whole(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.contains("no-store") && answer.contains("nosniff"), "{path}: {answer}");
    }
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

/// A browser, as far as it matters here: it keeps a cookie.
pub(crate) struct Browser<'a> {
    up: &'a Up,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    pub(crate) fn sign_in<'a>(up: &'a Up, key: &str, more: &str) -> (Browser<'a>, String) {
        let mut browser = Browser { up, cookie: String::new() };
        let answer = browser.send("POST /signin", more, &format!("key={key}"));
        let cookie = answer.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next());
        browser.cookie = cookie.unwrap_or_default().to_owned();
        (browser, status(&answer))
    }

    pub(crate) fn send(&self, what: &str, more: &str, body: &str) -> String {
        let (host, cookie, length) = (&self.up.address, &self.cookie, body.len());
        self.up.whole(&format!(
            "{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: a=b; {cookie}\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn models(&self) -> String {
        status(&self.send("GET /models", "", ""))
    }
}

pub(crate) fn status(answer: &str) -> String {
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

pub(crate) const OUR_PAGE: &str = "Sec-Fetch-Site: same-origin\r\nOrigin: https://bartizan.example\r\n";

#[test]
fn a_session_may_what_its_key_may_and_ends_with_it() {
    let bench = Bench::with_project();
    let key = |more: &[&str]| {
        let mut arguments = vec!["access", "key", "create", "admin", "--days", "1"];
        arguments.extend(more);
        bench.json(&arguments)
    };
    let (all, less, far) = (key(&[]), key(&["--scopes", "data.list"]), key(&["--networks", "10.0.0.0/8"]));
    let admin = key(&[]);
    let text = |key: &Value| key["key"].as_str().unwrap().to_owned();
    let up = Up::start(&bench);
    let (browser, signed_in) = Browser::sign_in(&up, &text(&all), OUR_PAGE);
    assert_eq!((signed_in.as_str(), browser.models().as_str()), ("303", "200"));
    let (lesser, signed_in) = Browser::sign_in(&up, &text(&less), OUR_PAGE);
    assert_eq!((signed_in.as_str(), lesser.models().as_str()), ("303", "404"));
    let (farther, signed_in) = Browser::sign_in(&up, &text(&far), OUR_PAGE);
    assert_eq!((signed_in.as_str(), farther.models().as_str()), ("401", "303"));

    let revoke = ["access", "key", "revoke", all["id"].as_str().unwrap()];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &text(&admin), &revoke).code, 0);
    assert_eq!(browser.models(), "303");
}

#[test]
fn signing_out_ends_the_session_and_no_other_page_can_do_it() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let key = key["key"].as_str().unwrap();
    let up = Up::start(&bench);
    let origin = format!("Origin: http://{}\r\n", up.address);
    let elsewhere = [
        "",
        "Origin: null\r\n",
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        &format!("{origin}Sec-Fetch-Site: cross-site\r\n"),
    ];
    for ours in [OUR_PAGE, &origin] {
        let (browser, _) = Browser::sign_in(&up, key, ours);
        let (other, _) = Browser::sign_in(&up, key, ours);
        assert!(
            browser
                .send("GET /models", "", "")
                .contains(r#"<form class="signout" method="post" action="/signout">"#)
        );
        for more in elsewhere {
            assert_eq!(Browser::sign_in(&up, key, more).0.models(), "303", "{more}");
            browser.send("POST /signout", more, "");
            assert_eq!(browser.models(), "200", "{more}");
        }
        assert_eq!(status(&browser.send("GET /signout", ours, "")), "405");
        let out = browser.send("POST /signout", ours, "");
        assert!(
            status(&out) == "303" && out.contains("location: /signin") && out.contains("Max-Age=0"),
            "{out}"
        );
        assert_eq!((browser.models().as_str(), other.models().as_str()), ("303", "200"));
    }
}

#[test]
fn one_key_cannot_drive_the_sessions_of_others_out() {
    let bench = Bench::with_project();
    let key = || {
        bench.json(&["access", "key", "create", "admin", "--days", "1"])["key"].as_str().unwrap().to_owned()
    };
    let (mine, theirs) = (key(), key());
    let up = Up::start(&bench);
    let (browser, _) = Browser::sign_in(&up, &mine, OUR_PAGE);
    let (first, _) = Browser::sign_in(&up, &theirs, OUR_PAGE);
    for _ in 0..16 {
        Browser::sign_in(&up, &theirs, OUR_PAGE);
    }
    assert_eq!((browser.models().as_str(), first.models().as_str()), ("200", "303"));
}

#[test]
fn what_happened_to_a_version_is_not_hidden_by_those_who_looked() {
    let bench = Bench::with_project();
    bench.write("model/model.onnx", b"weights");
    bench.json(&["model", "import", "model", "--name", "m", "--origin", "a test"]);
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let up = Up::start(&bench);
    let (browser, _) = Browser::sign_in(&up, key["key"].as_str().unwrap(), OUR_PAGE);
    let mut page = String::new();
    for _ in 0..55 {
        page = browser.send("GET /models/m/1", "", "");
    }
    let changes = page.split("timeline").nth(1).unwrap();
    assert!(changes.contains("Registered") && !changes.contains("decided"), "{changes}");
}

#[test]
fn a_path_that_is_no_text_is_refused_like_any_other_mistake() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let up = Up::start(&bench);
    let (host, key) = (&up.address, key["key"].as_str().unwrap());
    for path in ["/api/v1/models/%FF/versions/1", "/api/v1/models/%00/versions/1"] {
        let ask = |more: &str| {
            up.whole(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"))
        };
        assert_eq!(status(&ask("")), "401", "{path}");
        let answer = ask(&format!("Authorization: Bearer {key}\r\n"));
        assert!(status(&answer) == "422" && answer.contains("BZ-0003"), "{path}: {answer}");
    }
}

/// Whoever holds a key that somebody else has seen is told what can be done, and by whom: nothing with that key.
#[test]
fn whoever_holds_a_key_that_ended_with_tier_explore_is_told_what_an_admin_does() {
    let bench = Bench::with_project();
    for (name, role, uid) in [("ada", "admin", "4000001"), ("adam", "approver", "4000002")] {
        bench.json(&["access", "user", "add", name, "--local-uid", uid]);
        bench.json(&["access", "role", "grant", name, role]);
    }
    bench.json(&["access", "user", "add", "vera"]);
    bench.json(&["access", "role", "grant", "vera", "viewer"]);
    let key = bench.json(&["access", "key", "create", "vera"]);
    bench.json(&["access", "tier", "release"]);
    let ran = bench.run_with("BARTIZAN_TOKEN", key["key"].as_str().unwrap(), &["model", "list"]);
    assert_eq!((ran.code, ran.stderr.contains("BZ-0201")), (3, true), "{}", ran.stderr);
    for told in ["bartizan access role revoke WHO ROLE", "bartizan access key create WHO --enrol"] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    // And it can be done.
    bench.json(&["access", "role", "revoke", "vera", "viewer"]);
    let enrolment = bench.json(&["access", "key", "create", "vera", "--enrol"]);
    let claim = ["access", "key", "claim"];
    let own = bench.run_with("BARTIZAN_TOKEN", enrolment["key"].as_str().unwrap(), &claim);
    assert_eq!(own.code, 0, "{}", own.stderr);
    bench.json(&["access", "role", "grant", "vera", "viewer"]);
}
