//! Recognisers of a file: what they find, and files that are refused.

use bartizan_data::pii::{Detector, DetectorOptions, KindSet, Recognisers};
use expect_test::{Expect, expect};

use super::lines;

const FILE: &str = r#"
format = "bartizan-recognisers-v1"

[[recogniser]]
kind = "employee"
pattern = "EMP-[0-9]{6}"
words = ["employee", "staff"]
score = 0.4
score_with_words = 0.9

[[recogniser]]
kind = "membership"
pattern = '[0-9]{8}'
validator = "luhn"
score = 0.7
"#;

#[test]
fn what_a_file_adds_is_found() {
    let recognisers = Some(Recognisers::parse(FILE).unwrap());
    let detector = Detector::new(&DetectorOptions { kinds: KindSet::EMPTY, min_score: 30, recognisers });
    expect![[r#"
        employee 40 [EMP-123456] valid
        employee 90 [EMP-123456] context
        -
        membership 70 [12345674] valid
        -
        -
    "#]]
    .assert_eq(&lines(
        &detector,
        "EMP-123456\nstaff EMP-123456!\nEMP-1234567\n12345674\n12345675\n912345674",
    ));
    assert_eq!(detector.id(detector.kind("employee").unwrap()), "employee");
}

fn refused(text: &str, why: Expect) {
    let error = Recognisers::parse(text).unwrap_err();
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    why.assert_eq(&causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")));
}

fn one(field: &str) -> String {
    let fields = ["kind = \"x\"", "pattern = \"x+\"", "score = 0.5"];
    let name = field.split(' ').next().unwrap();
    let rest: Vec<&str> = fields.into_iter().filter(|other| !other.starts_with(name)).collect();
    format!("format = \"bartizan-recognisers-v1\"\n[[recogniser]]\n{}\n{field}\n", rest.join("\n"))
}

#[test]
fn what_cannot_be_meant_is_refused() {
    refused("x", expect!["the recognisers do not parse: line 1, column 2: key with no value, expected `=`"]);
    refused("format = \"2\"", expect!["the recognisers have format `2`, not `bartizan-recognisers-v1`"]);
    refused(
        &one("kind = \"E mail\""),
        expect![
            "in recogniser 1, kind: must be 1 to 40 lower-case letters, digits and hyphens, and not a built-in kind"
        ],
    );
    refused(
        &one("kind = \"email\""),
        expect![
            "in recogniser 1, kind: must be 1 to 40 lower-case letters, digits and hyphens, and not a built-in kind"
        ],
    );
    refused(&one("pattern = \"(\""), expect!["in recogniser 1, pattern: error: unclosed group"]);
    refused(
        &one("pattern = \"x*\""),
        expect!["in recogniser 1, pattern: matches nothing at all, everywhere"],
    );
    refused(
        &one("pattern = \"((x{1000}){1000}){10}\""),
        expect!["in recogniser 1, pattern: is too large when compiled"],
    );
    refused(
        &one("validator = \"magic\""),
        expect!["in recogniser 1, validator: `magic` is none of luhn, card, verhoeff, mod-11-10, mod-97-10"],
    );
    refused(&one("score = 1.5"), expect!["in recogniser 1, score: must be from 0 to 1"]);
    refused(
        &one("words = [\"\"]"),
        expect!["in recogniser 1, words: must be at most 32 words of 1 to 64 bytes"],
    );
    refused(
        &one("colour = 1"),
        expect![
            "the recognisers do not parse: line 6, column 1: unknown field `colour`, expected one of `kind`, `pattern`, `validator`, `words`, `score`, `score_with_words`"
        ],
    );
    refused(
        &format!("{}\n[[recogniser]]\nkind = \"x\"\npattern = \"y\"\nscore = 1.0", one("score = 0.5")),
        expect!["in recogniser 2, kind: `x` comes twice"],
    );
    refused(&" ".repeat(300_000), expect!["the recognisers have 300000 bytes, more than the 262144 allowed"]);
}
