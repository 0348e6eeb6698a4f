//! Text that is searched for personal data: findings lie apart on the text, and pieces give what the whole gives.
#![no_main]

use std::sync::LazyLock;

use bartizan_data::pii::vault::Vault;
use bartizan_data::pii::{Action, Detector, DetectorOptions, LineScanner, Replacer, Rewriter, Scanner, json};
use libfuzzer_sys::fuzz_target;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(&DetectorOptions { min_score: 1, ..DetectorOptions::default() }));

fuzz_target!(|bytes: &[u8]| {
    // The first byte says where a stream is cut.
    let Some((cut, text)) = bytes.split_first() else { return };
    let whole = DETECTOR.find(text);
    assert!(whole.windows(2).all(|pair| pair[0].end() <= pair[1].start()));
    assert!(whole.iter().all(|one| one.start() < one.end() && one.end() <= text.len() as u64));
    let (one, other) = text.split_at(text.len().min(usize::from(*cut)));
    let (mut scanner, mut found) = (Scanner::new(&DETECTOR), Vec::new());
    scanner.push(one, &mut found);
    scanner.push(other, &mut found);
    scanner.finish(&mut found);
    assert_eq!(found, whole);
    for action in [Action::Redact, Action::Mask] {
        let mut rewriter = Rewriter::new(Scanner::new(&DETECTOR), Replacer::new(action));
        let mut out = Vec::new();
        rewriter.push(one, &mut out).expect("nothing can fail without keys");
        rewriter.push(other, &mut out).expect("nothing can fail without keys");
        assert_eq!(rewriter.finish(&mut out).expect("nothing can fail without keys"), whole.len() as u64);
    }
    lines(one, other, text);
    // What parses as a vault is written as the same bytes.
    if let Ok(vault) = Vault::parse(text) {
        assert_eq!(vault.to_bytes(), text);
    }
});

/// JSON lines: pieces give what the whole gives, and a line that is JSON stays JSON.
fn lines(one: &[u8], other: &[u8], text: &[u8]) {
    let (mut pieces, mut whole) = (Vec::new(), Vec::new());
    let mut scanner = LineScanner::new(&DETECTOR);
    scanner.push(one, &mut pieces).expect("an input is no line that is too long");
    scanner.push(other, &mut pieces).expect("an input is no line that is too long");
    scanner.finish(&mut pieces);
    let mut scanner = LineScanner::new(&DETECTOR);
    scanner.push(text, &mut whole).expect("an input is no line that is too long");
    scanner.finish(&mut whole);
    assert_eq!(pieces, whole);
    let mut replacer = Replacer::new(Action::Redact);
    for line in text.split(|byte| *byte == b'\n') {
        let mut out = Vec::new();
        let put = |id: &str, value: &[u8], out: &mut Vec<u8>| {
            let kind = DETECTOR.kind(id).expect("a kind that was found is known");
            replacer.replace(id, kind, value, out)
        };
        let count = json::rewrite(&DETECTOR, line, &mut out, put).expect("nothing can fail without keys");
        assert!(count > 0 || out == line);
        if serde_json::from_slice::<serde_json::Value>(line).is_ok() {
            assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
        }
    }
}
