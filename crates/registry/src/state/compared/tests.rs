//! What a statement may say that deliveries were compared with.

use std::num::NonZeroU32;

use bartizan_base::{BlobName, Digest, PrincipalId, Timestamp};
use bartizan_keys::PublicKey;
use bartizan_policy::Tier;

use super::{brought, unlike_any};
use crate::state::{Coverage, Dataset, State};
use crate::statement::{
    Act, ComparedV1, ComparedWithV1, DatasetV1, Private, SchemaFrom, StatementRef, VerdictV1,
};

fn with(version: bool, content: bool) -> ComparedWithV1 {
    let digest = Digest::from_bytes([7; 32]);
    let kept = || Private { commitment: digest, blob: "content/profile".parse::<BlobName>().unwrap() };
    ComparedWithV1 {
        digest,
        version: version.then(|| "base:1".parse().unwrap()),
        content: content.then(kept),
        place: None,
    }
}

#[test]
fn only_what_is_written_is_admitted() {
    let nothing = || ComparedV1 { now: None, reference: None, tables: Vec::new() };
    let reference = |with| ComparedV1 { reference: Some(with), ..nothing() };
    let table = |with| ComparedV1 { tables: vec![with], ..nothing() };
    for (case, compared, accepted, refused) in [
        ("nothing", nothing(), false, false),
        ("a time", ComparedV1 { now: Some(Timestamp::EPOCH), ..nothing() }, true, true),
        ("a table that is a file", table(with(false, false)), true, true),
        ("a table that is a version", table(with(true, false)), true, true),
        ("a table that is kept", table(with(false, true)), false, false),
        ("a reference that is a version", reference(with(true, false)), true, true),
        ("a reference that is a file", reference(with(false, true)), true, true),
        ("a reference that is both", reference(with(true, true)), false, false),
        (
            "a table that has a place",
            table(ComparedWithV1 { place: Some(0), ..with(true, false) }),
            true,
            true,
        ),
        (
            "two tables of one place",
            ComparedV1 {
                tables: vec![ComparedWithV1 { place: Some(3), ..with(true, false) }; 2],
                ..nothing()
            },
            false,
            false,
        ),
        (
            "a reference that has a place",
            reference(ComparedWithV1 { place: Some(0), ..with(true, false) }),
            false,
            false,
        ),
        ("a reference that is lost", reference(with(false, false)), false, true),
    ] {
        for (is_accepted, expected) in [(true, accepted), (false, refused)] {
            let why = unlike_any(&compared, is_accepted);
            assert_eq!(why.is_none(), expected, "{case}, accepted: {is_accepted}: {why:?}");
        }
    }
}

fn document(of: u8) -> Private {
    Private { commitment: Digest::from_bytes([of; 32]), blob: "content/document".parse().unwrap() }
}

/// A table of a place that is a version of a data set.
fn table(place: Option<u32>, version: &str) -> ComparedWithV1 {
    ComparedWithV1 { version: Some(version.parse().unwrap()), place, ..with(false, false) }
}

fn version(tier: Tier, schema: u8, compared: Option<ComparedV1>) -> DatasetV1 {
    DatasetV1 {
        name: "orders".parse().unwrap(),
        version: None,
        root: Digest::from_bytes([1; 32]),
        extends: None,
        parts: Vec::new(),
        schema: document(schema),
        schema_from: SchemaFrom::Kept,
        schema_of: None,
        profile: document(2),
        findings: document(3),
        require_signature: false,
        derived: None,
        compared: compared.map(Box::new),
        verdict: VerdictV1 { outcome: "valid".to_owned(), tier, checks: 1, blocking: 0, warnings: 0 },
        act: Act { by: PrincipalId::from_random([4; 16]), decision: None, at: Timestamp::EPOCH },
    }
}

/// A state of one data set with these versions.
fn state(coverage: Coverage, bodies: &[DatasetV1]) -> State {
    // The base point of the curve, which is on it (RFC 8032, section 5.1).
    let mut root = [0x66; 32];
    root[0] = 0x58;
    let mut state = State::new(PublicKey::from_ed25519_raw(&root).unwrap(), coverage);
    let versions = state.datasets.entry("orders".parse().unwrap()).or_default();
    for (number, body) in (1..).zip(bodies) {
        let statement = StatementRef { entry: number, payload: Digest::from_bytes([6; 32]) };
        let dataset = Dataset { statement, body: body.clone(), parts: Vec::new() };
        versions.insert(NonZeroU32::new(u32::try_from(number).unwrap()).unwrap(), dataset);
    }
    state
}

#[test]
fn a_table_is_the_data_set_that_it_was() {
    let tables =
        |tables: &[ComparedWithV1]| ComparedV1 { now: None, reference: None, tables: tables.to_vec() };
    let (people, others) = (table(Some(1), "people:3"), table(Some(1), "others:1"));
    let before = [
        version(Tier::Explore, 1, Some(tables(std::slice::from_ref(&others)))),
        version(Tier::Release, 2, Some(tables(&[people, table(Some(0), "shops:1")]))),
        // Nothing was looked up in it, because a column was not there.
        version(Tier::Release, 2, Some(tables(&[table(Some(0), "shops:2")]))),
        version(Tier::Release, 2, None),
    ];
    let whole = state(Coverage::Whole, &before);
    for (case, named, schema, expected) in [
        ("the same", vec![table(Some(1), "people:3")], 2, true),
        ("another version", vec![table(Some(1), "people:9"), table(Some(0), "shops:1")], 2, true),
        ("another data set", vec![others.clone()], 2, false),
        ("exchanged", vec![table(Some(0), "people:3"), table(Some(1), "shops:1")], 2, false),
        ("a table that was named for nobody yet", vec![table(Some(2), "others:1")], 2, true),
        ("another schema", vec![others.clone()], 3, true),
    ] {
        let compared = tables(&named);
        let body = version(Tier::Release, schema, Some(compared.clone()));
        assert_eq!(whole.chosen_anew(&body, &compared).is_none(), expected, "{case}");
        assert_eq!(state(Coverage::Excerpt, &before).chosen_anew(&body, &compared), None, "{case}");
        assert_eq!(brought(&compared), None, "{case}");
    }
    assert!(brought(&tables(&[table(None, "people:3")])).is_some(), "which table it is has to be said");
}

#[test]
fn a_reference_of_tier_explore_binds_nobody() {
    let compared = |of: u8| ComparedV1 {
        now: None,
        reference: Some(ComparedWithV1 { digest: Digest::from_bytes([of; 32]), ..with(false, true) }),
        tables: Vec::new(),
    };
    for (tier, expected) in [(Tier::Explore, true), (Tier::Release, false)] {
        let before = [version(tier, 1, Some(compared(8))), version(Tier::Release, 1, None)];
        let state = state(Coverage::Whole, &before);
        let body = version(Tier::Release, 1, Some(compared(9)));
        assert_eq!(state.chosen_anew(&body, &compared(9)).is_none(), expected, "{tier:?}");
        assert_eq!(state.chosen_anew(&body, &compared(8)), None, "{tier:?}");
    }
}
