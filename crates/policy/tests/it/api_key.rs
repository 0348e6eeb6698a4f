//! API keys: the text, the checksum, admission, scopes in decisions, and what is never shown.

use std::convert::Infallible;
use std::net::IpAddr;

use bartizan_base::Timestamp;
use bartizan_policy::api_key::{
    Admitted, ApiKey, IssuedKey, NotAdmitted, Scopes, Terms, Verifier, admit, issue,
};
use bartizan_policy::{Access, Action, ContextFacts, PrincipalFacts, Question, Role, Tier};
use expect_test::expect;
use proptest::prelude::*;
use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};

use crate::world::{BEN, NOW, ask, key_of, policies, principal, project, roles, show};

const DAY: i64 = 24 * 60 * 60 * 1000;
const OFFICE: &str = "10.1.2.3";

/// Counts upwards: every byte one more than the last.
pub(crate) struct Counting(pub(crate) u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn terms() -> Terms {
    Terms {
        principal: principal(40),
        person: BEN,
        scopes: "read, data.add".parse().unwrap(),
        networks: "10.0.0.0/8, ::1/128".parse().unwrap(),
        expires_at: NOW.plus_millis(90 * DAY),
    }
}

fn key(seed: u8) -> (ApiKey, IssuedKey) {
    issue(terms(), &mut Counting(seed), NOW).unwrap()
}

fn from(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn admitted() -> Admitted {
    let (key, issued) = key(0);
    admit(Some(&issued), &key, from(OFFICE), NOW).unwrap()
}

const GOLDEN_KEY: &str = include_str!("../../../../tests/golden/api-key/v1/key.txt");
const GOLDEN_VERIFIER: &str = include_str!("../../../../tests/golden/api-key/v1/verifier.txt");

#[test]
fn the_golden_key_is_read_for_ever() {
    let golden = ApiKey::parse(GOLDEN_KEY).unwrap();
    assert_eq!(golden.reveal().as_str(), GOLDEN_KEY);
    let verifier = serde_json::to_value(Verifier::of(&golden)).unwrap();
    assert_eq!(verifier, GOLDEN_VERIFIER);
    let digest = Verifier::of(&golden).digest();
    assert_eq!(Verifier::from_digest(digest).digest(), digest);
    // Its secret and id are the bytes 0 to 39, so others can make it from the specification.
    assert_eq!(key(0).0.reveal().as_str(), GOLDEN_KEY);
    expect!["bz_0001020304050607_1u8QmlquE1rQpeqoulx6MZVGVGgufeog3UsDEHmrG2p_912e3317"].assert_eq(GOLDEN_KEY);
}

#[test]
fn the_secret_is_256_bits_in_43_digits_at_both_ends() {
    struct Constant(u8);
    impl TryRng for Constant {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from_ne_bytes([self.0; 4]))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from_ne_bytes([self.0; 8]))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(self.0);
            Ok(())
        }
    }
    impl TryCryptoRng for Constant {}
    for (byte, digits) in
        [(0, "0000000000000000000000000000000000000000000".to_owned()), (255, base62_of_all_ones())]
    {
        let (key, _) = issue(terms(), &mut Constant(byte), NOW).unwrap();
        let text = key.reveal();
        assert_eq!(text.split('_').nth(2).unwrap(), digits);
        assert_eq!(ApiKey::parse(&text).unwrap().reveal(), text);
    }
}

/// 2^256 - 1 in base 62 by repeated doubling of decimal-like digits: another way than the crate's.
fn base62_of_all_ones() -> String {
    let mut digits = [0_u32; 43];
    for _ in 0..256 {
        let mut carry = 1;
        for digit in digits.iter_mut().rev() {
            let value = *digit * 2 + carry;
            *digit = value % 62;
            carry = value / 62;
        }
        assert_eq!(carry, 0);
    }
    let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    digits.iter().map(|digit| alphabet[*digit as usize]).collect()
}

#[test]
fn every_changed_character_is_noticed() {
    let text = key(7).0.reveal();
    for at in 0..text.len() {
        for replacement in ['0', '1', 'a', 'Z', '_', ' '] {
            let mut changed: Vec<char> = text.chars().collect();
            if changed[at] == replacement {
                continue;
            }
            changed[at] = replacement;
            let changed: String = changed.into_iter().collect();
            assert_eq!(ApiKey::parse(&changed).unwrap_err(), NotAdmitted::Malformed, "{changed}");
        }
    }
}

#[test]
fn a_number_beyond_256_bits_is_refused_with_the_right_checksum() {
    let body = format!("bz_0001020304050607_{}", "z".repeat(43));
    let text = format!("{body}_{:08x}", crc32(body.as_bytes()));
    assert_eq!(text.len(), bartizan_policy::limits::API_KEY_BYTES);
    assert_eq!(ApiKey::parse(&text).unwrap_err(), NotAdmitted::Malformed);
    // The same with a small number is a key, so it was the number that was refused.
    let body = format!("bz_0001020304050607_{}z", "0".repeat(42));
    let text = format!("{body}_{:08x}", crc32(body.as_bytes()));
    assert_eq!(ApiKey::parse(&text).unwrap().reveal().as_str(), text);
}

/// CRC-32 with a table, as secret scanners compute it.
fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| {
            (0..8).fold(byte, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
        .collect();
    assert_eq!(table[1], 0x7707_3096);
    !bytes.iter().fold(u32::MAX, |crc, byte| (crc >> 8) ^ table[((crc ^ u32::from(*byte)) & 0xFF) as usize])
}

#[test]
fn a_key_is_admitted_with_its_secret_in_time_and_from_home() {
    let (key, issued) = key(0);
    let admitted = admit(Some(&issued), &key, from(OFFICE), NOW).unwrap();
    assert_eq!(admitted.id(), issued.id);
    assert_eq!(admitted.principal(), principal(40));
    assert_eq!(admitted.person(), BEN);
    assert_eq!(admitted.scopes(), &issued.terms.scopes);
    assert_eq!(admitted.network().as_str(), "private");
}

#[test]
fn every_refusal_has_its_cause_and_all_are_answered_alike() {
    let (key, issued) = key(0);
    let (_, other) = self::key(100);
    let revoked = IssuedKey { revoked: true, ..issued.clone() };
    // A record under this id whose secret is another's.
    let stolen_id = IssuedKey { verifier: other.verifier.clone(), ..issued.clone() };
    let revoked_and_wrong = IssuedKey { revoked: true, ..stolen_id.clone() };
    let end = issued.terms.expires_at;
    let refusals = [
        ApiKey::parse("bz_").unwrap_err(),
        admit(None, &key, from(OFFICE), NOW).unwrap_err(),
        admit(Some(&other), &key, from(OFFICE), NOW).unwrap_err(),
        admit(Some(&stolen_id), &key, from(OFFICE), NOW).unwrap_err(),
        admit(Some(&revoked_and_wrong), &key, from(OFFICE), end).unwrap_err(),
        admit(Some(&revoked), &key, from(OFFICE), NOW).unwrap_err(),
        admit(Some(&issued), &key, from(OFFICE), end).unwrap_err(),
        admit(Some(&issued), &key, from("192.168.0.1"), NOW).unwrap_err(),
    ];
    let causes: Vec<&str> = refusals.iter().map(|refusal| refusal.cause()).collect();
    assert_eq!(
        causes,
        [
            "malformed",
            "unknown",
            "unknown",
            "wrong-secret",
            "wrong-secret",
            "revoked",
            "expired",
            "wrong-network"
        ]
    );
    for refusal in refusals {
        assert_eq!(refusal.to_string(), "the API key is not accepted");
    }
    assert!(admit(Some(&issued), &key, from(OFFICE), end.plus_millis(-1)).is_ok());
}

#[test]
fn every_key_ends_and_not_too_late() {
    let with = |expires_at: Timestamp| {
        issue(Terms { expires_at, ..terms() }, &mut Counting(0), NOW)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(with(NOW.plus_millis(366 * DAY)), Ok(()));
    expect!["an API key that expires at `2026-03-01T12:00:00.000Z` would be expired already"]
        .assert_eq(&with(NOW).unwrap_err());
    expect!["an API key that expires at `2027-03-02T12:00:00.001Z` would live longer than 366 days"]
        .assert_eq(&with(NOW.plus_millis(366 * DAY + 1)).unwrap_err());
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let (key, issued) = key(0);
    let text = key.reveal();
    let secret = text.split('_').nth(2).unwrap();
    expect!["ApiKey(0001020304050607, secret redacted)"].assert_eq(&format!("{key:?}"));
    let shown = format!("{issued:?}");
    assert!(shown.contains("Verifier(redacted)"));
    assert!(!shown.contains(secret));
    let verifier = serde_json::to_value(&issued.verifier).unwrap();
    assert!(!shown.contains(verifier.as_str().unwrap()));
}

#[test]
fn scopes_are_read_expanded_and_stored_as_actions() {
    let scopes = |text: &str| text.parse::<Scopes>().map(|scopes| scopes.to_string());
    expect!["data.list, data.show, data.check, data.add, data.tokenize, data.detokenize"]
        .assert_eq(&scopes("data.*").unwrap());
    expect!["model.alias.set, prove"].assert_eq(&scopes("prove, model.alias.set,prove").unwrap());
    expect!["access.key.list, access.key.issue, access.key.claim, access.key.revoke"]
        .assert_eq(&scopes("access.key.*").unwrap());
    assert_eq!(scopes("access.role.*").unwrap().split(", ").count(), 22);
    let reads: Scopes = "read".parse().unwrap();
    let all = Action::ALL.iter().filter(|action| action.access() == Access::Read);
    assert_eq!(reads.iter().collect::<Vec<_>>(), all.copied().collect::<Vec<_>>());
    for text in
        ["*", ".*", "model.*.*", "models.*", "mod.*", "model", "write", "model.approve.*", "data.* prove"]
    {
        expect_unknown(text);
    }
    expect!["a list of scopes is empty"].assert_eq(&scopes(" ,").unwrap_err().to_string());
    assert!(scopes(&"read,".repeat(10_000)).is_err());
    let some: Scopes = "model.show, data.list".parse().unwrap();
    let json = serde_json::to_string(&some).unwrap();
    expect![[r#"["data.list","model.show"]"#]].assert_eq(&json);
    assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), some);
    assert!(serde_json::from_str::<Scopes>("[]").is_err());
    assert!(serde_json::from_str::<Scopes>(r#"["data.*"]"#).is_err());
}

#[track_caller]
fn expect_unknown(text: &str) {
    let error = text.parse::<Scopes>().unwrap_err();
    assert!(error.to_string().contains("is no scope"), "{text:?}: {error}");
}

fn by_key(tier: Tier, list: &[Role], action: Action, now: Timestamp) -> Question {
    Question {
        principal: PrincipalFacts::service(project(), principal(40), BEN, roles(list)),
        context: ContextFacts::api_key(&admitted(), now),
        ..ask(tier, &[], action)
    }
}

#[test]
fn scopes_take_away_and_never_give() {
    let policies = policies();
    let decide = |question: Question| show(&policies.evaluate(&question));
    let release = Tier::Release;
    expect![[r#"
        allow
          data scientists and ML engineers check and add data"#]]
    .assert_eq(&decide(by_key(release, &[Role::DataScientist], Action::DataAdd, NOW)));
    expect![[r#"
        deny
          the API key has no scope for this action"#]]
    .assert_eq(&decide(by_key(release, &[Role::DataScientist], Action::DataCheck, NOW)));
    expect![[r#"
        deny
          role data-scientist or ml-engineer is needed"#]]
    .assert_eq(&decide(by_key(release, &[Role::Viewer], Action::DataAdd, NOW)));
}

#[test]
fn an_expired_key_is_denied_even_when_it_was_admitted() {
    let later = NOW.plus_millis(90 * DAY);
    let question = by_key(Tier::Release, &[Role::Viewer], Action::ModelList, later);
    expect![[r#"
        deny
          the API key has expired"#]]
    .assert_eq(&show(&policies().evaluate(&question)));
}

#[test]
fn a_key_issues_no_keys() {
    let all = Terms { scopes: Scopes::new(Action::ALL.iter().copied()).unwrap(), ..terms() };
    let (key, issued) = issue(all, &mut Counting(0), NOW).unwrap();
    let admitted = admit(Some(&issued), &key, from("::1"), NOW).unwrap();
    let question = Question {
        context: ContextFacts::api_key(&admitted, NOW),
        resource: key_of(BEN).into(),
        ..by_key(Tier::Explore, Role::ALL, Action::KeyIssue, NOW)
    };
    expect![[r#"
        deny
          an API key cannot issue API keys: a stolen one would outlive its revocation"#]]
    .assert_eq(&show(&policies().evaluate(&question)));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,90}") {
        // Nothing but a whole key is one, and this almost never writes a checksum.
        if let Ok(key) = ApiKey::parse(&text) {
            let again = key.reveal();
            prop_assert_eq!(again.as_str(), text);
        }
    }

    #[test]
    fn parsing_of_near_keys_never_panics(id in "[0-9a-fA-F_]{16}", secret in "[0-9A-Za-z_é]{41,43}", crc in "[0-9a-f]{8}") {
        if let Ok(key) = ApiKey::parse(&format!("bz_{id}_{secret}_{crc}")) {
            let text = key.reveal();
            prop_assert_eq!(text.as_str(), format!("bz_{id}_{secret}_{crc}"));
        }
    }

    #[test]
    fn what_is_revealed_is_read_back(seed: u8) {
        let (key, issued) = key(seed);
        let again = ApiKey::parse(&key.reveal()).unwrap();
        prop_assert!(admit(Some(&issued), &again, from(OFFICE), NOW).is_ok());
    }
}
