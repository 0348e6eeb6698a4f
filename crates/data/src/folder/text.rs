//! What a text is like: how long, of which words, how even its letters, and which language it seems to be in.

use std::collections::{BTreeMap, HashSet};

use crate::limits::FOLDER_WORDS;

/// A script or language that a text seems to be in.
///
/// Between languages of one script the commonest short words decide; a text without enough of them has a script alone.
pub type Language = &'static str;

/// What one text is like.
#[derive(Debug, Clone, PartialEq)]
pub struct TextFacts {
    /// Characters.
    pub characters: u64,
    /// Words: runs of letters, digits and apostrophes.
    pub words: u64,
    /// Whether the bytes are UTF-8.
    pub utf8: bool,
    /// Bits for each character, from the frequencies of characters: 0 for one that repeats, some 4 for prose.
    pub entropy: f64,
    /// What it seems to be written in; nothing for less than a few words.
    pub language: Option<Language>,
}

/// The words of many texts, as far as they are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    hashes: HashSet<u64, foldhash::fast::FixedState>,
    full: bool,
}

impl Vocabulary {
    /// How many different words there are; `None` when there are more than are counted.
    pub fn len(&self) -> Option<usize> {
        (!self.full).then_some(self.hashes.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn add(&mut self, word: &str) {
        use std::hash::BuildHasher as _;
        if self.full {
            return;
        }
        self.hashes.insert(foldhash::fast::FixedState::default().hash_one(word));
        if self.hashes.len() > FOLDER_WORDS {
            self.full = true;
            self.hashes = HashSet::default();
        }
    }
}

/// Looks at a text, and counts its words into a vocabulary.
pub fn text(bytes: &[u8], vocabulary: &mut Vocabulary) -> TextFacts {
    let decoded = String::from_utf8_lossy(bytes);
    let utf8 = std::str::from_utf8(bytes).is_ok();
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    let mut characters = 0_u64;
    for character in decoded.chars() {
        characters = characters.saturating_add(1);
        let count = counts.entry(character).or_default();
        *count = count.saturating_add(1);
    }
    let mut words = 0_u64;
    let mut common = [0_u64; STOP_WORDS.len()];
    for word in decoded.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty()) {
        words = words.saturating_add(1);
        let lower = word.to_lowercase();
        for (hits, (_, list)) in common.iter_mut().zip(STOP_WORDS) {
            *hits = hits.saturating_add(u64::from(list.contains(&lower.as_str())));
        }
        vocabulary.add(&lower);
    }
    let language = language(&counts, words, &common);
    TextFacts { characters, words, utf8, entropy: entropy(&counts, characters), language }
}

/// Shannon 1948, over characters.
fn entropy(counts: &BTreeMap<char, u64>, total: u64) -> f64 {
    let total = total as f64;
    -counts.values().map(|count| *count as f64 / total).map(|share| share * share.log2()).sum::<f64>() + 0.0
}

/// Words that hardly another language has as often; only those that set it apart from the others here.
const STOP_WORDS: [(Language, &[&str]); 8] = [
    ("en", &["the", "and", "of", "to", "is", "that", "it", "was", "with", "this", "for"]),
    ("de", &["der", "die", "und", "das", "nicht", "ist", "ein", "ich", "mit", "auch", "den"]),
    ("fr", &["le", "les", "et", "des", "est", "une", "pas", "que", "dans", "du", "pour"]),
    ("es", &["el", "los", "que", "y", "las", "por", "una", "con", "para", "del", "es"]),
    ("it", &["il", "che", "di", "non", "è", "per", "una", "sono", "della", "con", "gli"]),
    ("pt", &["o", "que", "não", "uma", "os", "para", "com", "do", "da", "em", "é"]),
    ("nl", &["de", "het", "een", "en", "van", "niet", "dat", "ik", "zijn", "op", "met"]),
    ("pl", &["nie", "się", "na", "że", "jest", "to", "w", "z", "do", "jak", "po"]),
];

/// Scripts by ranges of code points (Unicode 16, Scripts.txt, the blocks that carry living languages).
const SCRIPTS: [(Language, &[(char, char)]); 10] = [
    ("latin", &[('A', 'Z'), ('a', 'z'), ('\u{c0}', '\u{24f}')]),
    ("cyrillic", &[('\u{400}', '\u{52f}')]),
    ("greek", &[('\u{370}', '\u{3ff}')]),
    ("arabic", &[('\u{600}', '\u{6ff}'), ('\u{750}', '\u{77f}')]),
    ("hebrew", &[('\u{590}', '\u{5ff}')]),
    ("devanagari", &[('\u{900}', '\u{97f}')]),
    ("thai", &[('\u{e00}', '\u{e7f}')]),
    ("ja", &[('\u{3040}', '\u{30ff}')]),
    ("ko", &[('\u{1100}', '\u{11ff}'), ('\u{ac00}', '\u{d7af}')]),
    ("han", &[('\u{3400}', '\u{4dbf}'), ('\u{4e00}', '\u{9fff}')]),
];

fn language(counts: &BTreeMap<char, u64>, words: u64, common: &[u64; 8]) -> Option<Language> {
    let mut scripts = [0_u64; SCRIPTS.len()];
    for (character, count) in counts {
        let within =
            |ranges: &[(char, char)]| ranges.iter().any(|(from, to)| (from..=to).contains(&character));
        let found = SCRIPTS.iter().position(|(_, ranges)| within(ranges));
        if let Some(hits) = found.and_then(|at| scripts.get_mut(at)) {
            *hits = hits.saturating_add(*count);
        }
    }
    let of = |name: &str| {
        SCRIPTS.iter().zip(scripts).find(|((known, _), _)| *known == name).map_or(0, |(_, hits)| hits)
    };
    // Japanese mixes its own letters with Han: some of them are enough.
    if of("ja") > 0
        && of("ja").saturating_mul(5) >= of("han")
        && of("ja").saturating_add(of("han")) > of("latin")
    {
        return Some("ja");
    }
    let ((script, _), most) = SCRIPTS.iter().zip(scripts).max_by_key(|(_, hits)| *hits)?;
    if most < 8 {
        return None;
    }
    if *script != "latin" {
        return Some(script);
    }
    let (at, best) = common.iter().enumerate().max_by_key(|(_, hits)| **hits)?;
    let second = common.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, hits)| *hits).max()?;
    // One word in 20, and clearly more than of any other language.
    let clear =
        *best >= 2 && best.saturating_mul(20) >= words && best.saturating_mul(2) >= second.saturating_mul(3);
    if clear { STOP_WORDS.get(at).map(|(language, _)| *language) } else { Some("latin") }
}
