//! What people see of strings that somebody else chose.

use serde_json::json;

use super::{shown, shown_lines, table};
use crate::catalog::ids;
use crate::failure::Failure;

/// Clears the screen, sets the title of the window, hides text, turns it around.
const HOSTILE: [(&str, &str); 9] = [
    ("\u{1b}[2J\u{1b}[31mred", r"\u{1b}[2J\u{1b}[31mred"),
    ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
    ("a\rb", r"a\rb"),
    ("a\u{8}\u{8}b", r"a\u{8}\u{8}b"),
    ("a\tb", r"a\tb"),
    ("\u{7f}\u{80}\u{9b}2J", r"\u{7f}\u{80}\u{9b}2J"),
    ("\u{202a}a\u{202e}b\u{202c}", r"\u{202a}a\u{202e}b\u{202c}"),
    ("\u{2066}a\u{2069}", r"\u{2066}a\u{2069}"),
    ("\u{2028}a\u{200f}b", r"\u{2028}a\u{200f}b"),
];

#[test]
fn control_characters_are_shown_and_not_sent() {
    for (text, expected) in HOSTILE {
        assert_eq!(shown(text), expected);
        assert_eq!(shown_lines(&format!("{text}\n{text}")), format!("{expected}\n{expected}"));
        for value in [
            json!(text),
            json!({ "name": text }),
            json!({ text: "value" }),
            json!({ "lines": format!("one\n{text}") }),
            json!({ "list": [text] }),
            json!({ "inner": { "name": text } }),
            json!([{ "column": text }]),
            json!([{ text: "cell" }]),
            json!([[text]]),
        ] {
            let printed = table(&value);
            let found = printed.contains(expected) || printed.contains(&expected.to_uppercase());
            assert!(found, "{value}: {printed}");
            let sent = printed.chars().find(|c| super::is_hidden(*c) && *c != '\n');
            assert_eq!(sent, None, "{value}: {printed:?}");
        }
    }
    for harmless in ["plain", "Grüße, 你好, שלום", "👩\u{200d}🔬", "C:\\temp", ""] {
        assert_eq!(shown(harmless), harmless);
    }
}

#[test]
fn a_string_cannot_make_a_line_of_its_own_where_one_is_not_meant() {
    assert_eq!(table(&json!([{ "name": "a\nb" }])), "NAME\na\\nb\n");
    assert_eq!(table(&json!({ "text": "a\nb" })), "text:\n  a\n  b\n");
    let mut failure = Failure::new(ids::INVALID, "no\u{1b}[0m\nerror[BZ-0001]: forged");
    failure.why.push("a\r\n  next:    rm -rf".to_owned());
    let failure = failure.then("bartizan\u{9b}2J");
    expect_test::expect![[r#"
        error[BZ-0003]: no\u{1b}[0m
                   error[BZ-0001]: forged
          because: a\r
                     next:    rm -rf
          next:    bartizan\u{9b}2J"#]]
    .assert_eq(&failure.to_string());
}

#[test]
fn programs_get_exactly_what_there_is() {
    for (text, _) in HOSTILE {
        let value = json!({ "name": text, "list": [text] });
        let printed = super::Format::Json.render(&value);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
        let lines = super::Format::Jsonl.render(&serde_json::json!([value, 1]));
        assert_eq!(lines, format!("{printed}1\n"));
    }
}

/// Tensors make cells of any length, and whoever hands over a proof chooses names.
#[test]
fn long_cells_and_names_are_printed_whole_and_widen_nothing() {
    let long = "9".repeat(100_000);
    for value in [
        json!([{ "name": "a", "values": long }, { "name": "b", "values": "1" }]),
        json!({ "value": 1, &long: 2 }),
        json!({ "inner": [{ &long: 2 }] }),
    ] {
        let printed = table(&value);
        assert!(printed.contains(&long));
        assert!(printed.len() < 2 * long.len() + 1_000, "{}", printed.len());
    }
}
