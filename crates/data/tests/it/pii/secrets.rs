//! Keys and tokens by their issuers' forms, in random bodies and look-alikes, and secrets that a column's name tells.

use bartizan_data::pii::{ColumnDetector, DetectorOptions};
use expect_test::{Expect, expect};

use super::corpus::{Rng, fill};
use super::{detector, lines};

/// Of each kind, forms in which `w` is a letter or digit, `a` a small and `A` a capital letter, `x` a hexadecimal digit.
fn forms() -> Vec<(&'static str, String)> {
    let of = |prefix: &str, what: &str, count: usize| format!("{{{prefix}}}{}", what.repeat(count));
    vec![
        ("openai-key", format!("{}{}", of("sk-", "w", 20), of("T3BlbkFJ", "w", 20))),
        ("openai-key", format!("{}{}", of("sk-proj-", "w", 20), of("T3BlbkFJ", "w", 20))),
        ("openai-key", format!("{}{}", of("sk-proj-", "w", 74), of("T3BlbkFJ", "w", 74))),
        ("openai-key", format!("{}{}", of("sk-svcacct-", "w", 58), of("T3BlbkFJ", "w", 58))),
        ("openai-key", format!("{}{}", of("sk-admin-", "w", 40), of("_x-T3BlbkFJ", "w", 58))),
        ("anthropic-key", format!("{}{}", of("sk-ant-api03-", "w", 93), "{AA}")),
        ("anthropic-key", format!("{}{}", of("sk-ant-admin01-", "w", 93), "{AA}")),
        ("anthropic-key", format!("{}{}", of("sk-ant-oat01-", "w", 60), of("-_", "w", 31))),
        ("huggingface-token", of("hf_", "Aa", 17)),
        ("sendgrid-key", format!("{}{}", of("SG.", "w", 22), of(".", "w", 43))),
        ("pypi-token", of("pypi-AgEIcHlwaS5vcmc", "w", 140)),
        ("pypi-token", of("pypi-AgENdGVzdC5weXBpLm9yZw", "w", 130)),
        ("digitalocean-token", of("dop_v1_", "x", 64)),
        ("digitalocean-token", of("doo_v1_", "x", 64)),
        ("digitalocean-token", of("dor_v1_", "x", 64)),
        ("vault-token", of("hvs.CAESI", "w", 86)),
        ("vault-token", format!("{}{}", of("hvs.", "w", 20), "aAd9")),
        ("vault-token", of("hvb.AAAAAQ", "w", 150)),
        ("authorization-header", of("Authorization: Bearer ", "wd", 16)),
        ("authorization-header", format!("{}{}", of("\"authorization\":\"Bearer ", "wd", 20), "{\"}")),
        ("authorization-header", format!("{}{}", of("curl -H 'AUTHORIZATION: bearer ", "w-.d", 12), "{'}")),
        ("authorization-header", "{Proxy-Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l}".to_owned()),
    ]
}

#[test]
fn keys_of_every_issuer_are_found_and_their_parts_are_not() {
    let (detector, mut rng) = (detector(), Rng(4));
    for (kind, form) in forms() {
        for _ in 0..50 {
            let key = fill(&mut rng, &form);
            for text in
                [key.clone(), format!("key={key}"), format!("see {key}, then"), format!("[\"{key}\"]")]
            {
                let found = detector.find(text.as_bytes());
                let of = |one: &&bartizan_data::pii::Finding| one.kind().id() == kind && one.score() >= 95;
                assert!(found.iter().any(|one| of(&one)), "{kind} in `{text}`: {found:?}");
            }
            // A key that lost its end, or goes on, is none.
            if kind != "authorization-header" {
                let least = if ["pypi-token", "vault-token", "openai-key"].contains(&kind) {
                    26
                } else {
                    key.len() - 16
                };
                for text in [key.get(..least).unwrap(), &format!("x{key}")] {
                    let found = detector.find(text.as_bytes());
                    assert!(!found.iter().any(|one| one.kind().id() == kind), "{kind} in `{text}`");
                }
            }
        }
    }
}

#[test]
fn look_alikes_of_keys() {
    let text = "\
task-proj-abcdefghijklmnopqrstuvwxyzT3BlbkFJabcdefghijklmnopqrstuvwxyz
sk-learn-is-the-name-of-a-package-for-machine-learning-in-python
sk-ant-colony-optimisation-with-a-very-long-name-that-goes-on-and-on-until-it-is-long-enough-to-be-one
sk-aaaaaaaaaaaaaaaaaaaaT3BlbkFJaaaaaaaaaaaaaaaaaaaa
hf_hub_download_from_the_repository
hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
SG.this.that
SG.aaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
pypi-AgEIcHlwaS5vcmc and so on
dop_v1_0000000000000000000000000000000000000000000000000000000000000000
hvs.getClientTokenFromTheEnvironment
hvs.a-name-of-some-host-with-words.example
Authorization: Bearer <token>
Authorization: Bearer YOUR_ACCESS_TOKEN
Authorization: Basic realm
Authorization: Bearer
Authorization: Digest username=x
Authorization bearer tokens of 2023 were sent
authorizations: basic checks";
    let detector = detector();
    let found = lines(&detector, text);
    assert!(found.lines().all(|line| line == "-"), "{found}");
}

#[test]
fn names_that_secrets_are_assigned_to() {
    let text = "\
client_secret: Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo
aws_secret_access_key: Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo
awsSecretKey = Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo
privateKey: Xk9FhMgZNyz88
api-key=Xk9FhMgZNyz88
tokens: Xk9FhMgZNyz88";
    expect![[r#"
        assigned-secret 80 [Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo] context
        aws-secret-key 95 [Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo] context, secret_access_key
        aws-secret-key 95 [Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo] context
        assigned-secret 80 [Xk9FhMgZNyz88] context
        assigned-secret 80 [Xk9FhMgZNyz88] context
        -
    "#]]
    .assert_eq(&lines(&detector(), text));
}

fn column(name: &str, cells: &[&str], expected: Expect) {
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let mut column = detector.column(name);
    let mut said = String::new();
    for cell in cells {
        let found = column.observe(cell.as_bytes());
        let one = |one: &bartizan_data::pii::Finding| {
            format!("{} [{}]", one.kind().id(), cell.get(one.range()).unwrap())
        };
        let found: Vec<String> = found.iter().map(one).collect();
        said.push_str(&format!("{}\n", found.join("; ")));
    }
    said.push_str(&format!("{:?}\n", column.verdict().holds));
    expected.assert_eq(&said);
}

#[test]
fn a_column_named_after_secrets_holds_them() {
    column(
        "password",
        &["Xk9FhMgZNyz88", " hunter2hunter2! ", "", "required", "two words 99"],
        expect![[r#"
            assigned-secret [Xk9FhMgZNyz88]
            assigned-secret [hunter2hunter2!]



            Some("assigned-secret")
        "#]],
    );
    column(
        "API Key",
        &["q8ZtR4mPw2LxV7nB5cKd9JhG3fSa6YeT"],
        expect![[r#"
        assigned-secret [q8ZtR4mPw2LxV7nB5cKd9JhG3fSa6YeT]
        Some("assigned-secret")
    "#]],
    );
    column(
        "user.clientSecret",
        &["Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo"],
        expect![[r#"
        assigned-secret [Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdo]
        Some("assigned-secret")
    "#]],
    );
    column(
        "aws_secret_access_key",
        &["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
        expect![[r#"
        aws-secret-key [wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]
        Some("aws-secret-key")
    "#]],
    );
    column(
        "password_hash",
        &["Xk9FhMgZNyz88"],
        expect![[r#"

        None
    "#]],
    );
    column(
        "tokens",
        &["Xk9FhMgZNyz88"],
        expect![[r#"

        None
    "#]],
    );
}
