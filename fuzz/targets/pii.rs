//! Text that is searched for personal data: findings lie apart on the text, and pieces give what the whole gives.
#![no_main]

use std::sync::LazyLock;

use bartizan_data::pii::vault::Vault;
use bartizan_data::pii::{Action, Detector, DetectorOptions, Replacer, Rewriter, Scanner};
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
    // What parses as a vault is written as the same bytes.
    if let Ok(vault) = Vault::parse(text) {
        assert_eq!(vault.to_bytes(), text);
    }
});
