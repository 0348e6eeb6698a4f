//! What stands in the place of values.

use bartizan_data::pii::vault::{Replaced, Token, Vault, replace_tokens};
use bartizan_data::pii::{Action, Replacer, Rewriter, Scanner, preserve};
use bartizan_keys::pseudonyms::Pseudonyms;
use bartizan_keys::{OsRandom, Secret};
use expect_test::{Expect, expect};

use super::detector;

const TEXT: &str = "anna.lee@mail.example.org paid with 4111 1111 1111 1111 from DE89 3704 0044 0532 0130 00,\n\
    call +1 212-555-0123 or 10.1.2.3; SSN 536-90-4399, password=Tr0ub4dor&3 and DNI 12345678Z müller@bücher.example.\n";

fn keys() -> Pseudonyms {
    Pseudonyms::from_secret(&Secret::from_bytes([7; 32])).unwrap()
}

fn rewritten(replacer: Replacer<'_>) -> String {
    let detector = detector();
    let mut rewriter = Rewriter::new(Scanner::new(&detector), replacer);
    let mut out = Vec::new();
    for piece in TEXT.as_bytes().chunks(7) {
        rewriter.push(piece, &mut out).unwrap();
    }
    rewriter.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(replacer: Replacer<'_>, text: Expect) {
    text.assert_eq(&rewritten(replacer));
}

#[test]
fn redacted_masked_hashed() {
    let keys = keys();
    check(
        Replacer::new(Action::Redact),
        expect![[r#"
        <EMAIL> paid with <CARD> from <IBAN>,
        call <PHONE> or <IPV4>; SSN <US_SSN>, password=<ASSIGNED_SECRET> and DNI <ES_DNI> <EMAIL>.
    "#]],
    );
    check(
        Replacer::new(Action::Mask),
        expect![[r#"
        a***.***@****.*******.org paid with **** **** **** 1111 from **** **** **** **** **30 00,
        call +* ***-***-0123 or **.*.*.*; SSN ***-**-4399, password=******** and DNI ********* m*****@******.example.
    "#]],
    );
    check(
        Replacer::hash(&keys),
        expect![[r#"
        <EMAIL 4b9e264d390a4f83cd648fd861ef4a94> paid with <CARD e550c07428dd9d9f9b4f20a219c01593> from <IBAN 77a838c5b24cc776250d0a2d19d71c43>,
        call <PHONE 478bdff327e1c81b1ae93cd8dc545cf1> or <IPV4 db7bca492c07a0a89efe47b04d690c6a>; SSN <US_SSN c2d209f5a7d7865935b23c190b775284>, password=<ASSIGNED_SECRET aca7ac436b5dc21c901401a2afe0e502> and DNI <ES_DNI c2497cacc22ad7e3c5bea3ab1859c31d> <EMAIL 8a86376ee418b96bbe89de5896d8dad6>.
    "#]],
    );
}

#[test]
fn vault_tokens_say_nothing_and_come_back() {
    let (keys, mut vault) = (keys(), Vault::default());
    let text = rewritten(Replacer::vault(&keys, &mut vault, &mut OsRandom));
    assert!(detector().find(text.as_bytes()).is_empty(), "{text}");
    assert_eq!(vault.len(), 9);
    // Equal values have equal tokens, also after the vault was stored.
    let mut vault = Vault::parse(&vault.to_bytes()).unwrap();
    let again = rewritten(Replacer::vault(&keys, &mut vault, &mut OsRandom));
    assert_eq!(text, again);
    let mut out = Vec::new();
    let value = |token: Token| vault.detokenize(&keys, token).map(|(_, value)| value);
    assert_eq!(replace_tokens(text.as_bytes(), &mut out, value), Ok(Replaced { tokens: 9, broken: 0 }));
    assert_eq!(String::from_utf8(out).unwrap(), TEXT);
    // One that somebody wrote to stays, and is told of.
    let broken = text.replacen("bzt_", "bzt_g", 1);
    let replaced = replace_tokens(broken.as_bytes(), &mut Vec::new(), value);
    assert_eq!(replaced, Ok(Replaced { tokens: 8, broken: 1 }));
    // Other keys open nothing.
    let other = Pseudonyms::from_secret(&Secret::from_bytes([8; 32])).unwrap();
    assert!(
        replace_tokens(text.as_bytes(), &mut Vec::new(), |token| vault
            .detokenize(&other, token)
            .map(|v| v.1))
        .is_err()
    );
}

#[test]
fn a_forgotten_value_does_not_come_back() {
    let (keys, mut vault) = (keys(), Vault::default());
    let token = vault.tokenize(&keys, "email", b"a@b.example", &mut OsRandom).unwrap();
    assert!(vault.forget(token));
    assert!(!vault.forget(token));
    assert!(vault.detokenize(&keys, token).is_err());
    assert_ne!(vault.tokenize(&keys, "email", b"a@b.example", &mut OsRandom), Ok(token));
}

#[test]
fn vaults_that_were_changed_are_refused() {
    let (keys, mut vault) = (keys(), Vault::default());
    vault.tokenize(&keys, "email", b"a@b.example", &mut OsRandom).unwrap();
    vault.tokenize(&keys, "email", b"c@d.example", &mut OsRandom).unwrap();
    let bytes = vault.to_bytes();
    for cut in 1..bytes.len() {
        let one = Vault::parse(&bytes[..cut]);
        assert!(one.is_err() || one.unwrap().len() < 2);
    }
    let entry = (bytes.len() - 22) / 2;
    let swapped = [&bytes[..22], &bytes[22 + entry..], &bytes[22..22 + entry]].concat();
    expect!["not a vault of tokens: entries are not in order"]
        .assert_eq(&Vault::parse(&swapped).unwrap_err().to_string());
}

fn token(id: &str, value: &str, token: Expect) {
    let made = preserve::tokenize(&keys(), id, value.as_bytes());
    if let Ok(made) = &made {
        assert_eq!(preserve::detokenize(&keys(), id, made).unwrap(), value.as_bytes());
    }
    token.assert_eq(&made.map_or_else(|error| error.to_string(), |made| String::from_utf8(made).unwrap()));
}

#[test]
fn tokens_keep_the_form() {
    token("card", "4111 1111 1111 1111", expect!["1460 8012 1675 6624"]);
    token("card", "378282246310005", expect!["459684450304656"]);
    token("phone", "+1 (212) 555-0123", expect!["+8 (880) 897-1386"]);
    token("us-ssn", "536-90-4399", expect!["770-59-5004"]);
    token("email", "anna.lee@mail.example.org", expect!["xDxB.JDu@LCeG.jyDJ9w1.RYs"]);
    token("es-dni", "12345678Z", expect!["n8wMeTya3"]);
    token("phone", "12345", expect!["too short: fewer than a million values have this form"]);
    token("email", "müller@example.org", expect!["it has characters outside ASCII"]);
    token("phone", "1-800-FLOWERS", expect!["it has letters where its kind has digits"]);
    let long = "x".repeat(60);
    token("email", &format!("{long}@example.org"), expect!["too long for a token of the same form"]);
}

#[test]
fn the_token_of_a_card_is_no_card_and_a_card_is_no_token() {
    let keys = keys();
    for seed in 0_u32..200 {
        let mut value = format!("4{seed:014}");
        let digit =
            (0..10).find(|digit| detector().find(format!("card {value}{digit}").as_bytes()).len() == 1);
        value.push(char::from_digit(digit.unwrap(), 10).unwrap());
        let token = preserve::tokenize(&keys, "card", value.as_bytes()).unwrap();
        assert!(
            detector().find(&[b"card ", token.as_slice()].concat()).iter().all(|f| f.kind().id() != "card")
        );
        assert_eq!(preserve::detokenize(&keys, "card", &token).unwrap(), value.as_bytes());
        assert_eq!(
            preserve::detokenize(&keys, "card", value.as_bytes()),
            Err(preserve::NotPreserved::NotAToken)
        );
    }
}
