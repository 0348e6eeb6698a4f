//! The pages of the console, as a browser gets them: what they show, to whom, and numbers that follow by themselves.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::api::{Browser, OUR_PAGE, status};
use crate::bench::Bench;
use crate::serving::{INFER, ask, ride, wait_ready, with_endpoint};
use crate::up::Up;

/// Every page that needs no name of something.
const PAGES: [&str; 6] = ["/", "/datasets", "/models", "/runs", "/endpoints", "/ledger"];

#[test]
fn every_page_takes_a_session_whose_key_may_see_it() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let limited = |scopes: &str| {
        let key = bench.json(&["access", "key", "create", "admin", "--days", "1", "--scopes", scopes]);
        key.get("key").and_then(Value::as_str).unwrap().to_owned()
    };
    let (models, data) = (limited("model.list"), limited("data.list"));
    let up = Up::start(&bench);
    let named = ["/endpoints/scores", "/endpoints/scores/events", "/ledger/0", "/models/tips/2"];
    let nobody = Browser::sign_in(&up, "bz_no", OUR_PAGE).0;
    let (all, models, data) = (
        Browser::sign_in(&up, &key, OUR_PAGE).0,
        Browser::sign_in(&up, &models, OUR_PAGE).0,
        Browser::sign_in(&up, &data, OUR_PAGE).0,
    );
    let get = |browser: &Browser<'_>, path: &str| status(&browser.send(&format!("GET {path}"), "", ""));
    for path in PAGES.iter().chain(&named) {
        assert_eq!(get(&nobody, path), "303", "{path}");
    }
    for path in PAGES.iter().chain(["/endpoints/scores", "/ledger/0", "/models/tips/2"].iter()) {
        assert_eq!(get(&all, path), "200", "{path}");
    }
    assert_eq!(PAGES.map(|path| get(&models, path)), ["200", "404", "200", "200", "200", "404"]);
    assert_eq!(PAGES.map(|path| get(&data, path)), ["404", "200", "404", "404", "404", "404"]);
    for path in ["/lineage", "/lineage?of=model%3Atips%3A2&direction=up", "/lineage?of=endpoint%3Ascores"] {
        assert_eq!(
            (get(&nobody, path), get(&all, path), get(&models, path)),
            ("303".into(), "200".into(), "404".into())
        );
    }
    assert_eq!(get(&all, "/lineage?of=model%3Aother%3A1"), "404");
    // What is not there and what is not to be seen look alike.
    for (known, unknown) in [("/ledger/0", "/ledger/9999"), ("/endpoints/scores", "/endpoints/other")] {
        let answer = |path: &str| {
            data.send(&format!("GET {path}"), "", "").split("\r\n\r\n").nth(1).map(str::to_owned)
        };
        assert_eq!(answer(known), answer(unknown));
        assert_eq!(get(&all, unknown), "404");
    }
    // The first page shows what its viewer may see of data sets and ledger.
    let overview = all.send("GET /", "", "");
    let less = models.send("GET /", "", "");
    assert!(overview.contains("Tree size") && overview.contains("<dt>Data sets"), "{overview}");
    assert!(!less.contains("Tree size") && !less.contains("<dt>Data sets"), "{less}");
}

#[test]
fn pages_say_what_the_ledger_and_the_gateway_say() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    bench.write("worse.csv", b"distance,hour\n1,2\n");
    bench.run(&["data", "add", "rides", "worse.csv", "--source", "a test"]);
    let up = Up::start(&bench);
    wait_ready(&up);
    for _ in 0..3 {
        assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0)).status, 200);
    }
    let (browser, _) = Browser::sign_in(&up, &key, OUR_PAGE);
    let get = |path: &str| browser.send(&format!("GET {path}"), "", "");
    let page = get("/endpoints/scores");
    let primary = r#"<span data-live="count-primary">3</span>"#;
    assert!(page.contains(">serving</span>") && page.contains(primary), "{page}");
    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &quarantine).code, 0);
    let mut page = String::new();
    while !page.contains(">on fallback</span>") {
        page = get("/endpoints/scores");
    }
    assert!(page.contains("tips:2 does not answer") && page.contains("scores was routed to tips:2"));

    let overview = get("/");
    for said in [
        "tips:2</bdi></a> is quarantined",
        "scores</bdi></a> is on its fallback",
        "rides</bdi></a> had its last delivery refused",
        "tips:2 is quarantined</bdi>",
        "It was approved",
    ] {
        assert!(overview.contains(said), "{said}: {overview}");
    }
    assert!(!overview.contains("waits for approval"), "{overview}");

    // Lists of the ledger: statements, decisions, and all of them, page by page.
    let statements = get("/ledger");
    assert!(
        statements.contains(">model state</td>") && !statements.contains(">decision</td>"),
        "{statements}"
    );
    let decisions = get("/ledger?show=decisions");
    assert!(!decisions.contains(">model state</td>") && decisions.contains(">decision</td>"), "{decisions}");
    let mut path = "/ledger?show=all".to_owned();
    let mut indices = Vec::new();
    loop {
        let page = get(&path);
        indices.extend(
            page.split("class=\"entry\" href=\"/ledger/")
                .skip(1)
                .filter_map(|rest| rest.split('"').next()?.parse::<u64>().ok()),
        );
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        path = format!("/ledger{}", next.split('"').next().unwrap().replace("&amp;", "&"));
    }
    let newest = indices[0];
    assert_eq!(indices, (0..=newest).rev().collect::<Vec<u64>>());
    assert_eq!(status(&get("/ledger?show=nothing")), "404");
    let entry = get("/ledger/0");
    assert!(
        entry.contains("https://bartizan.dev/project/v1") && entry.contains("&quot;predicateType&quot;"),
        "{entry}"
    );
}

#[test]
fn lists_on_pages_of_things_go_on_where_they_stopped() {
    let bench = Bench::with_project();
    bench.write("model/model.bin", b"1");
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let key = key.get("key").and_then(Value::as_str).unwrap();
    let up = Up::start(&bench);
    let (browser, _) = Browser::sign_in(&up, key, OUR_PAGE);
    let run = |arguments: &[&str]| {
        let ran = bench.run_with("BARTIZAN_TOKEN", key, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    };
    for model in 0..52 {
        bench.write("model/model.bin", format!("{model}").as_bytes());
        run(&["model", "import", "model", "--name", "m", "--origin", "a test"]);
    }
    for model in 0..9 {
        bench.write("model/model.bin", format!("other {model}").as_bytes());
        run(&["model", "import", "model", "--name", &format!("other-{model}"), "--origin", "a test"]);
    }
    let get = |path: &str| browser.send(&format!("GET {path}"), "", "");
    let rows = |page: &str, what: &str| page.matches(what).count();
    let versions = get("/models/m/52");
    assert_eq!(rows(&versions, "href=\"/models/m/"), 50, "{versions}");
    assert!(versions.contains("href=\"?versions=3#versions\"") && versions.contains("50 of 52 versions"));
    let rest = get("/models/m/52?versions=3");
    assert_eq!(rows(&rest, "<span class=\"unseen\">m:</span>"), 2, "{rest}");
    assert!(rest.contains("href=\"/models/m/52#versions\">First page</a>") && !rest.contains("Next page"));

    let (first, second) = (get("/"), get("/?attention=8"));
    assert_eq!((rows(&first, "waits for approval"), rows(&second, "waits for approval")), (8, 2), "{first}");
    assert!(first.contains("href=\"?attention=8#attention\"") && !second.contains("Next page"), "{second}");
    assert_eq!(status(&get("/models/m/52?versions=x")), "404");
}

/// Events of an endpoint as they come.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(up: &Up, browser: &Browser<'_>) -> Self {
        let mut stream = TcpStream::connect(&up.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (host, cookie) = (&up.address, &browser.cookie);
        write!(stream, "GET /endpoints/scores/events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n")
            .unwrap();
        let mut events = Self(BufReader::new(stream));
        let mut head: Vec<String> = Vec::new();
        loop {
            let line = events.line().unwrap();
            if line.is_empty() {
                break;
            }
            head.push(line.to_lowercase());
        }
        assert!(
            head.iter().any(|line| line.contains(" 200 "))
                && head.iter().any(|line| line.contains("text/event-stream")),
            "{head:?}"
        );
        events
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event, by name, with its data; none when there are no more.
    fn next(&mut self) -> Option<(String, String)> {
        let mut name = String::new();
        loop {
            let line = self.line()?;
            // The last chunk.
            if line == "0" {
                return None;
            }
            if let Some(event) = line.strip_prefix("event: ") {
                event.clone_into(&mut name);
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some((name, data.to_owned()));
            }
        }
    }
}

#[test]
fn numbers_follow_and_end_with_the_session_and_with_the_server() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let mut up = Up::start(&bench);
    wait_ready(&up);
    let (browser, _) = Browser::sign_in(&up, &key, OUR_PAGE);
    let (other, _) = Browser::sign_in(&up, &key, OUR_PAGE);
    let mut events = Events::open(&up, &browser);
    let primary = |events: &mut Events| {
        let (name, data) = events.next().unwrap();
        assert_eq!(name, "numbers");
        serde_json::from_str::<Value>(&data).unwrap()["count-primary"].as_str().unwrap().to_owned()
    };
    assert_eq!(primary(&mut events), "0");
    assert_eq!(ask(&up, "POST", INFER, Some(&key), &ride(3.0, 2.0)).status, 200);
    assert_eq!(primary(&mut events), "1");

    // While nothing new is said, looking on is no decision.
    let entries =
        || bench.run_with("BARTIZAN_TOKEN", &key, &["ledger", "show"]).stdout.matches("decision/v1").count();
    let before = entries();
    assert_eq!((primary(&mut events), primary(&mut events)), ("1".to_owned(), "1".to_owned()));
    assert_eq!(entries(), before + 1, "the one of the first list");

    let quarantine = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(bench.run_with("BARTIZAN_TOKEN", &key, &quarantine).code, 0);
    while events.next().unwrap().0 != "changed" {}

    browser.send("POST /signout", OUR_PAGE, "");
    let mut left = 0;
    while events.next().is_some() {
        left += 1;
        assert!(left < 3, "the session is over, and numbers go on");
    }
    let mut events = Events::open(&up, &other);
    assert!(events.next().is_some());
    let took = up.end();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn as_many_pages_are_kept_up_to_date_as_there_are_places() {
    let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
    let up = Up::start(&bench);
    let (browser, _) = Browser::sign_in(&up, &key, OUR_PAGE);
    let mut open: Vec<Events> = (0..64).map(|_| Events::open(&up, &browser)).collect();
    let refused = browser.send("GET /endpoints/scores/events", "", "");
    assert!(status(&refused) == "503" && refused.contains("BZ-0360"), "{refused}");
    open.truncate(32);
    let begun = std::time::Instant::now();
    while open.len() < 64 {
        let mut stream = TcpStream::connect(&up.address).unwrap();
        let (host, cookie) = (&up.address, &browser.cookie);
        write!(stream, "GET /endpoints/scores/events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n")
            .unwrap();
        let mut events = Events(BufReader::new(stream));
        if events.line().unwrap().contains(" 200 ") {
            open.push(events);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "places are not given back: {}", open.len());
    }
    assert_eq!(status(&browser.send("GET /endpoints/scores", "", "")), "200", "the page itself works");
}

#[test]
fn pages_of_a_new_project_are_empty_and_whole() {
    let bench = Bench::with_project();
    let key = bench.json(&["access", "key", "create", "admin", "--days", "1"]);
    let up = Up::start(&bench);
    let (browser, _) = Browser::sign_in(&up, key["key"].as_str().unwrap(), OUR_PAGE);
    for path in PAGES {
        let page = browser.send(&format!("GET {path}"), "", "");
        assert_eq!(status(&page), "200", "{path}");
        assert!(page.contains("default-src 'none'") && page.ends_with("</html>"), "{path}: {page}");
    }
    assert!(browser.send("GET /", "", "").contains("Nothing needs attention"));
    let script = browser.send("GET /assets/console.js", "", "");
    assert!(
        script.contains("content-type: text/javascript; charset=utf-8") && script.contains("EventSource")
    );
}
