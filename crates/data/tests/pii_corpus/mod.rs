//! Texts with labels: made-up values of every kind in and out of context, and what only looks like them.
//!
//! A seed gives the same corpus on every machine. Half of the documents hold one value, the others none; the share of
//! each kind of document is that of [`Document::draw`], and scores promise their precision for this mix.

#![expect(unreachable_pub, reason = "tests, a bench and an example need a part each")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "made-up texts; whatever is unexpected here is a mistake in this file"
)]

use bartizan_data::pii::{Detector, DetectorOptions, Kind, KindSet};

/// A text and what is in it.
pub struct Document {
    pub text: String,
    /// Kind, first byte, byte behind the last.
    pub label: Option<(&'static str, usize, usize)>,
    /// Whether words around the value name its kind.
    pub context: bool,
}

/// A small generator (SplitMix64) whose numbers no library will change.
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// How values of a kind are written, and words that name it.
struct Sort {
    kind: Kind,
    shapes: &'static [&'static str],
    names: &'static [&'static str],
}

/// In a shape: `d` digit, `9` digit from 1 to 9, `A` letter, `a` small letter, `x` hexadecimal digit, `w` letter or
/// digit, `Y M D` year, month, day of two digits, `{...}` stands for
/// itself, with `«` and `»` for the braces themselves.
const SORTS: &[Sort] = &[
    sort(
        Kind::EMAIL,
        &[
            "aaaaaa{.}aaaaa{@example.org}",
            "aaad{@}aaaaaa{.co.uk}",
            "aaa{+}aaa{@}aaaa{-}aaa{.com}",
            "aa_aaaa{@mail.}aaaaa{.de}",
        ],
        &["E-mail:", "contact", "mail to"],
    ),
    sort(
        Kind::PHONE,
        &[
            "{+1 }ddd{-}ddd{-}dddd",
            "{(}ddd{) }ddd{-}dddd",
            "ddd{-}ddd{-}dddd",
            "{+49 30 }9ddddddd",
            "{+44 20 }9ddd{ }dddd",
            "{+33 6 }dd{ }dd{ }dd{ }dd",
            "{+91 9}dddd{ }ddddd",
            "{06}d{-}dddddddd",
            "{01 }dd{ }dd{ }dd{ }dd",
            "dddddddddd",
        ],
        &["phone", "Tel.", "call", "mobile:"],
    ),
    sort(
        Kind::CARD,
        &[
            "{4}ddddddddddddddd",
            "{4}ddd{ }dddd{ }dddd{ }dddd",
            "{5}9dd{-}dddd{-}dddd{-}dddd",
            "{22}dddddddddddddd",
            "{37}dd{ }dddddd{ }ddddd",
            "{3}{6}dddddddddddd",
            "{62}dddddddddddddddd d",
            "{6011}dddddddddddd",
        ],
        &["card", "Visa", "credit card number"],
    ),
    sort(
        Kind::IBAN,
        &[
            "{DE}dddddddddddddddddddd",
            "{GB}dd{ }AAAA{ }dddd{ }dddd{ }dddd{ }dd",
            "{FR}dd{ }dddd{ }dddd{ }dddd{ }dddd{ }dddd{ }ddd",
            "{NL}dd{ABNA}dddddddddd",
            "{ES}dd dddd dddd dddd dddd dddd",
        ],
        &["IBAN", "account", "bank"],
    ),
    sort(
        Kind::US_SSN,
        &["ddd{-}dd{-}dddd", "ddd{ }dd{ }dddd", "ddddddddd"],
        &["SSN", "social security number"],
    ),
    sort(
        Kind::IPV4,
        &["{10.}9d{.}9d{.}9d", "{203.0.113.}9d", "{192.168.}9{.}9dd", "{8.8.}9{.}9"],
        &["from", "client", "host"],
    ),
    sort(
        Kind::IPV6,
        &["{2001:db8:}xxxx{:}xxxx{::}xxxx", "{fe80::}xxx{:}xxxx{:}xxxx{:}xxxx"],
        &["from", "client", "addr"],
    ),
    sort(
        Kind::MAC,
        &["xx{:}xx{:}xx{:}xx{:}xx{:}xx", "xx{-}xx{-}xx{-}xx{-}xx{-}xx"],
        &["MAC", "ether", "device"],
    ),
    sort(
        Kind::DATE_OF_BIRTH,
        &[
            "{born 19}Y{-}M{-}D",
            "{date of birth: }D{/}M{/19}Y",
            "{DOB }M{/}D{/19}Y",
            "{geboren am }D{.}M{.19}Y",
        ],
        &["patient", "she was"],
    ),
    sort(Kind::UK_NHS, &["ddd{ }ddd{ }dddd", "dddddddddd"], &["NHS number", "patient"]),
    sort(
        Kind::UK_NINO,
        &["{A}{B}dddddd{C}", "{J}{G}{ }dd{ }dd{ }dd{ A}"],
        &["national insurance number", "NINO"],
    ),
    sort(Kind::ES_DNI, &["ddddddddA", "dddddddd{-}A"], &["DNI", "NIF"]),
    sort(Kind::ES_NIE, &["{X}dddddddA", "{Y}dddddddA"], &["NIE", "número de identidad"]),
    sort(
        Kind::IT_CODICE_FISCALE,
        &["{RSSMRA}YA{1}d{H}dddA", "{BNCLCU}YA{4}d{F}dddA"],
        &["codice fiscale", "CF"],
    ),
    sort(
        Kind::FR_NIR,
        &["{1}YM{75}dddddddd", "{2 }Y{ }M{ 69 }ddd{ }ddd{ }dd"],
        &["NIR", "numéro de sécurité sociale"],
    ),
    sort(Kind::DE_STEUER_ID, &["9dddddddddd", "9d{ }ddd{ }ddd{ }ddd"], &["Steuer-ID", "IdNr."]),
    sort(Kind::NL_BSN, &["ddddddddd"], &["BSN", "burgerservicenummer"]),
    sort(Kind::SE_PERSONNUMMER, &["YMD{-}dddd", "{19}YMDdddd"], &["personnummer"]),
    sort(Kind::FI_HETU, &["DMY{-}dddw", "DMY{-}dddd"], &["henkilötunnus", "hetu"]),
    sort(Kind::NO_FODSELSNUMMER, &["DMYddddd", "DMY{ }ddddd"], &["fødselsnummer", "fnr"]),
    sort(Kind::PL_PESEL, &["YMDddddd"], &["PESEL"]),
    sort(Kind::BR_CPF, &["ddd{.}ddd{.}ddd{-}dd", "ddddddddddd"], &["CPF"]),
    sort(Kind::IN_AADHAAR, &["9ddd{ }dddd{ }dddd", "9ddddddddddd"], &["Aadhaar", "UIDAI number"]),
    sort(
        Kind::CA_SIN,
        &["ddd{ }ddd{ }ddd", "ddd{-}ddd{-}ddd", "ddddddddd"],
        &["SIN", "social insurance number"],
    ),
    sort(Kind::AU_TFN, &["ddd{ }ddd{ }ddd", "ddddddddd"], &["TFN", "tax file number"]),
    sort(Kind::BE_RRN, &["Y{.}M{.}D{-}ddd{.}dd", "YMDddddd"], &["rijksregisternummer", "NISS"]),
    sort(Kind::DK_CPR, &["DMY{-}dddd"], &["CPR", "CPR-nummer"]),
    sort(Kind::PT_NIF, &["{2}dddddddd"], &["NIF", "contribuinte"]),
    sort(Kind::CH_AHV, &["{756.}dddd{.}dddd{.}dd"], &["AHV", "AVS"]),
    sort(Kind::IE_PPS, &["dddddddA", "dddddddA{A}"], &["PPS", "PPSN"]),
    sort(Kind::TR_TCKN, &["9dddddddddd"], &["TCKN", "kimlik"]),
    sort(Kind::ZA_ID, &["YMDdddd{08}d"], &["ID number", "identity number"]),
    sort(Kind::KR_RRN, &["YMD{-}{1}dddddd"], &["RRN", "resident registration"]),
    sort(Kind::CN_RIC, &["{110101}{19}YMDdddd"], &["身份证", "identity card"]),
    sort(Kind::CZ_RC, &["YMD{/}dddd"], &["rodné číslo"]),
    sort(Kind::RO_CNP, &["{1}YMD{12}dddd"], &["CNP"]),
    sort(Kind::BG_EGN, &["YMDdddd"], &["EGN", "ЕГН"]),
    sort(Kind::HR_OIB, &["ddddddddddd"], &["OIB"]),
    sort(Kind::EE_ISIKUKOOD, &["{3}YMDdddd"], &["isikukood"]),
    sort(Kind::SG_NRIC, &["{S}dddddddA", "{G}dddddddA"], &["NRIC", "FIN"]),
    sort(Kind::JP_MY_NUMBER, &["dddddddddddd"], &["My Number", "マイナンバー"]),
    sort(
        Kind::URL_CREDENTIALS,
        &["{postgres://}aaaaa{:}wwwwwwww{@db.example.com}", "{https://}aaaa{:}wwwwww{@example.org}"],
        &["url", "connect to"],
    ),
    sort(Kind::AWS_ACCESS_KEY, &["{AKIA}AAAAAAAAAAAAAAAA"], &["aws", "access key"]),
    sort(Kind::STRIPE_KEY, &["{sk_live_}wwwwwwwwwwwwwwwwwwwwwwww"], &["stripe"]),
    sort(Kind::SLACK_TOKEN, &["{xoxb-}dddddddddddd{-}dddddddddddd{-}wwwwwwwwwwwwwwwwwwwwwwww"], &["slack"]),
    sort(Kind::GOOGLE_API_KEY, &["{AIza}wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"], &["google", "key"]),
    sort(Kind::GITLAB_TOKEN, &["{glpat-}wwwwwwwwwwwwwwwwwwww"], &["gitlab"]),
    sort(
        Kind::JWT,
        &["{eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI}wwwwwwww{In0.}wwwwwwwwwwwwwwwwwwwwww"],
        &["Bearer", "token"],
    ),
    sort(
        Kind::AZURE_KEY,
        &[
            "{AccountKey=}wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww{==}",
        ],
        &["storage"],
    ),
    sort(
        Kind::ASSIGNED_SECRET,
        &["{password=}wwwdwwwwwwwd", "{api_key: \"}wwwwdwwwwwwwwwdwwwwwwwww{\"}"],
        &["config", "set"],
    ),
];

const fn sort(kind: Kind, shapes: &'static [&'static str], names: &'static [&'static str]) -> Sort {
    Sort { kind, shapes, names }
}

/// Around a value: `N` is a word that names it, `V` the value.
const IN_CONTEXT: &[&str] =
    &["My N is V, thanks.", "N: V", "please use N V for this", "{\"id\":7,\"N\":\"V\"}", "N V\tconfirmed"];

const WITHOUT: &[&str] = &[
    "We got V yesterday.",
    "V",
    "see V, as discussed",
    "\"V\",\"yes\",\"blue\"",
    "this one (V) went well",
    "INFO done with V in time",
];

/// What only looks like personal data, in the shapes of [`SORTS`].
const DECOYS: &[&str] = &[
    "{order }dddddddddd",
    "{Order #}ddd{-}ddddddd{-}ddddddd",
    "{invoice }ddddddddd",
    "{tracking number }dddddddddddd",
    "{tracking 1Z}wwwdddddddddd",
    "{build }d{.}d{.}dd{.}d",
    "{version }dd{.}d{.}d{.}d",
    "{Chrome/1}dd{.0.}dddd{.}dd{ Safari}",
    "{ts=}{17}ddddddddddd",
    "{epoch 17}dddddddd{ ok}",
    "{20}d{d-0}9{-1}dT{1}d{:}{2}d{:}{3}d{.}ddd{Z start}",
    "{id }xxxxxxxx{-}xxxx{-4}xxx{-8}xxx{-}xxxxxxxxxxxx",
    "{commit }xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "{sha256:}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "{ISBN 978-}d{-}dddd{-}dddd{-}d",
    "{price $}d{,}ddd{,}ddd{.}dd",
    "{at }dd{.}dddddd{, }dd{.}dddddd",
    "{part }AAA{-}dddd{-}dddd",
    "{std::vec::}aaaaa{ at line }ddd",
    "{logo}{@2x.png saved}",
    "{npm i left}{-pad@}d{.}d{.}d",
    "{git@github.com:}aaaa{/}aaaaa",
    "{took }ddddddddd{ ns}",
    "{size }ddddddddd{ bytes}",
    "{GET /items/}dddddddddd{ 200}",
    "{user=}dddddddddd{ ok}",
    "{seq }dddddddddddddddd",
    "{ref }AAdddddddddddd",
    "{password: required}",
    "{token = \"${TOKEN}\"}",
    "{secret: changeme}",
    "{https://example.org/}aaaaa{:}ddd",
    "{score }dd{:}dd{, }dd{-}dd",
    "{https://example.org:8080/a?b=}ddddddddd",
    "{batch }dddddddddddddd",
    "{batch }YMD{-}ddddddd",
    "dddddd{-}ddddddd",
    "{ratio }d{.}ddddddddddddddd",
    "{meeting on }dd{/0}9{/20}dd",
    "{lot }ddddddddddd",
    "{serial }AAAdddddddd",
    "{row }ddddd{ of }dddddd",
    "{a = }ddddddddddddd",
    "{n: }ddd{ }ddd{ }ddd",
    "ddd{ }dd{ }dddd{ rows}",
    "{room }dddd{ }dddd{ }dddd",
    "{grid }dd{.}ddd{.}ddd",
    "{temp }dd{.}d{ }dd{.}d",
    "ddddddddddd",
    "dddddddddd{ items}",
    "ddddddddd",
    "dddddddddddd",
    "ddddddddddddd",
    "dddddddddddddddd",
    "{x}dddddddd{Z}",
    "dddddddA",
    "AdddddddA",
];

impl Document {
    /// Draws one: in a half of all a value, in two of three of these with a word that names it.
    pub fn draw(rng: &mut Rng, only: &Detectors) -> Self {
        if rng.below(2) == 0 {
            let shape = rng.pick(DECOYS);
            let decoy = fill(rng, shape);
            let (text, _) = put(rng.pick(WITHOUT), "", &decoy);
            return Self { text, label: None, context: false };
        }
        let at = rng.below(SORTS.len());
        let sort = &SORTS[at];
        let (value, start, end) = only.value(rng, at);
        let context = rng.below(3) > 0;
        let (text, place) = match context {
            true => put(rng.pick(IN_CONTEXT), rng.pick(sort.names), &value),
            false => put(rng.pick(WITHOUT), "", &value),
        };
        Self { text, label: Some((sort.kind.id(), place + start, place + end)), context }
    }
}

fn put(template: &str, name: &str, value: &str) -> (String, usize) {
    let (before, after) = template.split_once('V').unwrap();
    // `INFO` has an N too, but stands in templates without a name.
    let before = if name.is_empty() { before.to_owned() } else { before.replacen('N', name, 1) };
    (format!("{before}{value}{after}"), before.len())
}

/// One detector for each sort, which says when a drawn value is valid. `.ci/pii/check.py` compares what they accept
/// with the PyPI package python-stdnum.
pub struct Detectors(Vec<Detector>);

impl Detectors {
    pub fn new() -> Self {
        let of = |sort: &Sort| {
            let kinds = KindSet::EMPTY.with(sort.kind);
            Detector::new(&DetectorOptions { kinds, min_score: 1, recognisers: None })
        };
        Self(SORTS.iter().map(of).collect())
    }

    /// A valid value, and where in it the label begins and ends.
    fn value(&self, rng: &mut Rng, sort: usize) -> (String, usize, usize) {
        for _ in 0..1_000_000 {
            let shape = rng.pick(SORTS[sort].shapes);
            let value = fill(rng, shape);
            if let [one] = self.0[sort].find(value.as_bytes())[..] {
                return (value, one.range().start, one.range().end);
            }
        }
        panic!("no valid value of {:?} comes up", SORTS[sort].kind)
    }
}

/// Draws what a shape describes.
pub fn fill(rng: &mut Rng, shape: &str) -> String {
    let mut text = String::new();
    let mut literal = false;
    for character in shape.chars() {
        match (literal, character) {
            (_, '{') => literal = true,
            (_, '}') => literal = false,
            (true, '«') => text.push('{'),
            (true, '»') => text.push('}'),
            (true, other) => text.push(other),
            (false, 'd') => text.push(from(rng, b"0123456789")),
            (false, '9') => text.push(from(rng, b"123456789")),
            (false, 'A') => text.push(from(rng, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
            (false, 'a') => text.push(from(rng, b"abcdefghijklmnopqrstuvwxyz")),
            (false, 'x') => text.push(from(rng, b"0123456789abcdef")),
            (false, 'w') => {
                text.push(from(rng, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
            }
            (false, 'Y') => text.push_str(&format!("{:02}", rng.below(60) + 30)),
            (false, 'M') => text.push_str(&format!("{:02}", rng.below(12) + 1)),
            (false, 'D') => text.push_str(&format!("{:02}", rng.below(28) + 1)),
            (false, other) => text.push(other),
        }
    }
    text
}

fn from(rng: &mut Rng, letters: &[u8]) -> char {
    char::from(letters[rng.below(letters.len())])
}
