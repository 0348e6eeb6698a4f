//! What a statement may say that deliveries were compared with.

use bartizan_base::{BlobName, Digest, Timestamp};

use super::unlike_any;
use crate::statement::{ComparedV1, ComparedWithV1, Private};

fn with(version: bool, content: bool) -> ComparedWithV1 {
    let digest = Digest::from_bytes([7; 32]);
    let kept = || Private { commitment: digest, blob: "content/profile".parse::<BlobName>().unwrap() };
    ComparedWithV1 {
        digest,
        version: version.then(|| "base:1".parse().unwrap()),
        content: content.then(kept),
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
        ("a reference that is lost", reference(with(false, false)), false, true),
    ] {
        for (is_accepted, expected) in [(true, accepted), (false, refused)] {
            let why = unlike_any(&compared, is_accepted);
            assert_eq!(why.is_none(), expected, "{case}, accepted: {is_accepted}: {why:?}");
        }
    }
}
