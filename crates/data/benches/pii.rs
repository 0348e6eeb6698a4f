//! Megabytes a second in which personal data is found: logs and text, common kinds and all, one thread.
//!
//! `cargo bench -p bartizan-data --bench pii [-- FILE]`; without a file on 32 MB that follow from a seed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    dead_code,
    reason = "a bench prints, one that meets the unexpected must fail, and it needs a part of the corpus"
)]

#[path = "../tests/pii_corpus/mod.rs"]
mod corpus;

use std::hint::black_box;

use bartizan_data::pii::{
    Action, Detector, DetectorOptions, KindSet, Recognisers, Replacer, Rewriter, Scanner,
};

use corpus::{Detectors, Document, Rng, fill};

const ROUNDS: usize = 8;

/// Runs that are measured together: the time that a thread took is told in steps of a few milliseconds.
const RUNS: u32 = 4;

fn main() {
    let file = std::env::args().nth(1).filter(|argument| !argument.starts_with("--"));
    let texts = match file {
        Some(file) => vec![(file.clone(), std::fs::read(file).unwrap())],
        None => vec![
            ("access log".to_owned(), access_log(8_000_000)),
            ("application log".to_owned(), application_log(8_000_000)),
            ("JSON lines".to_owned(), json_lines(8_000_000)),
            ("prose".to_owned(), prose(8_000_000)),
        ],
    };
    let custom = "format = \"bartizan-recognisers-v1\"\n[[recogniser]]\nkind = \"employee\"\npattern = \"EMP-[0-9]{6}\"\nscore = 0.9";
    let detector = |kinds, recognisers| Detector::new(&DetectorOptions { kinds, min_score: 50, recognisers });
    let detectors = [
        ("six common kinds", detector(KindSet::common(), None)),
        ("all kinds", detector(KindSet::ALL, None)),
        ("all and one of a file", detector(KindSet::ALL, Some(Recognisers::parse(custom).unwrap()))),
    ];
    for (name, text) in &texts {
        for (kinds, detector) in &detectors {
            let found = detector.find(text).len();
            let best = best(|| detector.find(text).len());
            report(name, kinds, text.len(), best, found);
        }
        let redact = || {
            let mut rewriter = Rewriter::new(Scanner::new(&detectors[1].1), Replacer::new(Action::Redact));
            let mut out = Vec::with_capacity(text.len());
            text.chunks(64 * 1024).for_each(|piece| rewriter.push(piece, &mut out).unwrap());
            rewriter.finish(&mut out).unwrap() as usize
        };
        let found = redact();
        report(name, "all, redacted in pieces", text.len(), best(redact), found);
    }
}

fn report(name: &str, kinds: &str, bytes: usize, seconds: f64, found: usize) {
    let rate = bytes as f64 / 1e6 / seconds;
    let density = found as f64 * 1e3 / bytes as f64;
    println!("{name:<16} {kinds:<24} {rate:>8.0} MB/s  {density:>6.2} findings a kB");
}

fn best(mut work: impl FnMut() -> usize) -> f64 {
    let one = |_| {
        let begun = cpu_seconds();
        (0..RUNS).for_each(|_| _ = black_box(work()));
        (cpu_seconds() - begun) / f64::from(RUNS)
    };
    (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
}

/// What this thread took of a core so far: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Lines until there are so many bytes.
fn lines(bytes: usize, mut line: impl FnMut(&mut Rng) -> String) -> Vec<u8> {
    let (mut rng, mut text) = (Rng(5), Vec::with_capacity(bytes + 1024));
    while text.len() < bytes {
        text.extend(line(&mut rng).into_bytes());
        text.push(b'\n');
    }
    text
}

/// Every line has an address of a client.
fn access_log(bytes: usize) -> Vec<u8> {
    const LINES: &[&str] = &[
        "{203.0.113.}9d{ - - [12/Mar/2026:1}d{:}{3}d{:4}d{ +0000] \"GET /static/}aaaaaa{.}xxxxxxxx{.js HTTP/1.1\" 200 }9dddd{ \"https://example.org/shop/}aaaaaaa{\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"}",
        "{198.51.100.}9d{ - - [12/Mar/2026:0}d{:}{1}d{:2}d{ +0000] \"POST /api/v2/orders/}ddddddd{ HTTP/2.0\" 201 }ddd{ \"-\" \"curl/8.5.0\"}",
        "{10.}9{.}9d{.}9d{ - anna [12/Mar/2026:2}d{:}{5}d{:1}d{ +0000] \"GET /images/}aaaaaaaa{-}ddd{x}ddd{.webp?v=}dddddddddd{ HTTP/1.1\" 304 0 \"-\" \"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X)\"}",
    ];
    lines(bytes, |rng| {
        let shape = rng.pick(LINES);
        fill(rng, shape)
    })
}

/// Timestamps, levels, ids, durations; one line of a hundred holds something of the corpus.
fn application_log(bytes: usize) -> Vec<u8> {
    const LINES: &[&str] = &[
        "{2026-03-12T1}d{:}{2}d{:3}d{.}dddddd{Z  INFO bartizan::gateway::serve: answered request request_id=}xxxxxxxx{-}xxxx{-4}xxx{-a}xxx{-}xxxxxxxxxxxx{ model=fraud:3 route=primary elapsed_us=}dddd{ bytes=}dddd",
        "{2026-03-12T0}d{:}{4}d{:1}d{.}dddddd{Z DEBUG hyper::proto::h1::conn: flushed frames stream_id=}ddd{ window=65535 pending=}dd",
        "{2026-03-12T0}d{:}{1}d{:5}d{.}dddddd{Z  WARN store::segments: seal took longer than expected, trying again segment=}ddddd{ records=65536 retry_in_ms=250 root=}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "{2026-03-12T0}d{:}{3}d{:0}d{.}dddddd{Z ERROR registry: cannot read part }d{ of data set transactions: connection reset by peer (os error 104), thread main at crates/registry/src/service/datasets.rs:}ddd",
    ];
    let detectors = Detectors::new();
    lines(bytes, |rng| {
        if rng.below(100) == 0 {
            return Document::draw(rng, &detectors).text;
        }
        let shape = rng.pick(LINES);
        fill(rng, shape)
    })
}

/// Records of customers' orders: each has an address, a phone and an amount.
fn json_lines(bytes: usize) -> Vec<u8> {
    const LINES: &[&str] = &[
        "{«\"id\": }ddddddd{, \"created\": \"2026-03-0}9{T1}d{:2}d{:3}d{Z\", \"customer\": \"cus_}wwwwwwwwwwwwww{\", \"note\": \"leave it with the neighbours, second floor, please ring twice\", \"amount\": }ddd{.}dd{, \"currency\": \"EUR\", \"items\": [1, 5, 12], \"status\": \"shipped\"»}",
        "{«\"id\": }ddddddd{, \"email\": \"}aaaaaa{@example.org\", \"phone\": \"+1 212-555-0}ddd{\", \"amount\": }ddd{.}dd{, \"comment\": \"thank you for the quick delivery, everything arrived as described\", \"tags\": [\"new\", \"gift\"]»}",
        "{«\"event\": \"page_view\", \"session\": \"}xxxxxxxxxxxxxxxx{\", \"path\": \"/products/}aaaaaaaaaa{\", \"ms\": }dddd{, \"agent\": \"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\", \"width\": 1920, \"height\": 1080»}",
    ];
    lines(bytes, |rng| {
        let shape = rng.pick(LINES);
        fill(rng, shape)
    })
}

/// Sentences, one of thirty with something of the corpus.
fn prose(bytes: usize) -> Vec<u8> {
    const LINES: &[&str] = &[
        "The train left an hour late, and nobody on the platform seemed to mind; some had brought books, others watched the rain run down the roof of the old hall.",
        "She had kept all of his letters in a box under the stairs, next to the tools, and opened it once a year, on the first cold day of autumn.",
        "In 1987 the mill was sold for the third time. The new owners promised to keep all 212 workers, and for eleven years they did.",
        "\u{201c}Nothing of that is in the report,\u{201d} the inspector said, \u{201c}and what is not in the report did not happen.\u{201d} Müller nodded.",
    ];
    let detectors = Detectors::new();
    lines(bytes, |rng| {
        if rng.below(30) == 0 { Document::draw(rng, &detectors).text } else { rng.pick(LINES).to_owned() }
    })
}
