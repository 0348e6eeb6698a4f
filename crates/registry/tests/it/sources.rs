//! Sources of data: whose signatures count, which deliveries are refused, and what a proof says of the rest.

use std::collections::BTreeSet;
use std::io::Cursor;

use bartizan_base::{Name, SourceId, sha256};
use bartizan_keys::{Algorithm, OsRandom, SigningKey};
use bartizan_policy::Role;
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::{
    DELIVERY_FORMAT, DeliveryV1, FromSource, RefusedBecause, SignatureForm, Standing,
};
use bartizan_registry::{
    Caller, DatasetOutcome, Destination, Failed, NewBeside, NewDataset, NewDelivery, NewDerived,
    sign_delivery,
};

use crate::data::{CLEAN, add};
use crate::world::{World, import_made_of, import_trained_on};

const NEXT: &str = "a,label\n5,x\n6,y\n7,x\n8,y\n";
const THIRD: &str = "a,label\n1,x\n3,y\n5,x\n7,y\n";
const FOURTH: &str = "a,label\n2,x\n4,y\n6,x\n8,y\n";

pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &mut OsRandom).unwrap()
}

/// What a source signs of a delivery, for one data set or for any.
pub(crate) fn envelope(key: &SigningKey, csv: &str, dataset: Option<&str>) -> Vec<u8> {
    let delivery = DeliveryV1 {
        at: "2026-03-01T11:00:00Z".parse().unwrap(),
        bytes: csv.len() as u64,
        dataset: dataset.map(|name| name.parse().unwrap()),
        digest: sha256(csv.as_bytes()),
        format: DELIVERY_FORMAT.to_owned(),
    };
    sign_delivery(key, &delivery).unwrap()
}

pub(crate) struct Delivered<'a> {
    pub(crate) name: &'a str,
    pub(crate) csv: &'a str,
    pub(crate) source: &'a str,
    pub(crate) signature: Option<Vec<u8>>,
}

pub(crate) async fn deliver(
    world: &World,
    caller: &Caller,
    Delivered { name, csv, source, signature }: Delivered<'_>,
    require_signature: bool,
    derived: Option<NewDerived>,
) -> Result<DatasetOutcome, Failed> {
    let name: Name = name.parse().unwrap();
    let permit = world.registry.permit_upload(caller, &Destination::Dataset(name.clone())).await.unwrap();
    let upload = world.registry.upload(&permit, Cursor::new(csv.as_bytes().to_vec())).await.unwrap();
    let deliveries = vec![NewDelivery { upload: upload.id, source: source.to_owned(), signature }];
    let new = NewDataset {
        name,
        deliveries,
        schema: None,
        label: None,
        extend: true,
        require_signature,
        derived,
        beside: NewBeside::default(),
    };
    world.registry.add_data(caller, new).await
}

pub(crate) fn from_shop<'a>(csv: &'a str, signature: Option<Vec<u8>>) -> Delivered<'a> {
    Delivered { name: "feed", csv, source: "shop", signature }
}

pub(crate) async fn world() -> (World, Caller, SigningKey, SourceId) {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let shop = key(Algorithm::Ed25519);
    let source = world.registry.add_source(&world.admin, "shop", vec![shop.public().clone()]).await.unwrap();
    (world, dora, shop, source)
}

/// What the last version of a data set says of where its first new part is from.
pub(crate) fn last_from(world: &World, name: &str) -> FromSource {
    let state = world.registry.state();
    let (_, last) = state.datasets().get(&name.parse::<Name>().unwrap()).unwrap().get_max().unwrap();
    last.body.parts.first().unwrap().from.clone().unwrap()
}

/// What a proof of a model that was trained on a data set version says: what is proven, and what is asserted.
async fn said_of(world: &World, dataset: &str) -> (String, String) {
    let trust = world.trust();
    let content = format!("weights of {dataset} at {}", trust.minimum_size);
    let version = import_made_of(world, ("fraud", &content), &[dataset]).await;
    let proof = world.registry.prove_model(&world.admin, &version, BTreeSet::from([trust.minimum_size]));
    let proof = proof.await.unwrap();
    let verdict = verify(&proof.bytes, &trust, None, VerifyOptions { allow_development: true }).unwrap();
    (verdict.proven.join("\n"), verdict.asserted.join("\n"))
}

pub(crate) fn why(outcome: &Result<DatasetOutcome, Failed>) -> RefusedBecause {
    match outcome {
        Err(Failed::Unproven { why, .. }) => *why,
        other => panic!("it was not refused for its signature: {other:?}"),
    }
}

#[tokio::test]
async fn every_form_of_signature_is_taken_and_says_what_it_proves() {
    let (world, dora, shop, source) = world().await;
    let p256 = key(Algorithm::EcdsaP256Sha256);
    world.registry.trust_source_keys(&world.admin, source, vec![p256.public().clone()]).await.unwrap();
    let forms = [
        (CLEAN, envelope(&shop, CLEAN, None), SignatureForm::Dsse),
        (NEXT, envelope(&p256, NEXT, Some("feed")), SignatureForm::Dsse),
        (THIRD, shop.sign(THIRD.as_bytes()).unwrap(), SignatureForm::Ed25519),
        (FOURTH, p256.sign(FOURTH.as_bytes()).unwrap(), SignatureForm::EcdsaSha256),
    ];
    for (number, (csv, signature, form)) in forms.into_iter().enumerate() {
        let added = deliver(&world, &dora, from_shop(csv, Some(signature)), false, None).await.unwrap();
        assert_eq!(added.version.unwrap().to_string(), format!("feed:{}", number + 1));
        let from = last_from(&world, "feed");
        assert_eq!((from.source, from.signature.unwrap().form), (source, form));
    }
    let views = world.registry.list_sources(&dora).await.unwrap();
    assert_eq!((views[0].name.as_deref(), views[0].parts), (Some("shop"), (4, 4)));
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn deliveries_with_wrong_signatures_are_refused_on_the_record() {
    let (world, dora, shop, source) = world().await;
    let stranger = key(Algorithm::Ed25519);
    for (signature, expected) in [
        (envelope(&stranger, CLEAN, None), RefusedBecause::WrongSignature),
        (envelope(&shop, NEXT, None), RefusedBecause::WrongSignature),
        (envelope(&shop, CLEAN, Some("other")), RefusedBecause::OtherDataset),
        (stranger.sign(CLEAN.as_bytes()).unwrap(), RefusedBecause::WrongSignature),
        (b"no signature at all".to_vec(), RefusedBecause::WrongSignature),
    ] {
        let before = world.registry.checkpoint().size();
        let refused = deliver(&world, &dora, from_shop(CLEAN, Some(signature)), false, None).await;
        assert_eq!(why(&refused), expected);
        let Err(Failed::Unproven { entry, .. }) = refused else { panic!("{refused:?}") };
        assert!(entry >= before);
        let logged = world.registry.state().logged()[usize::try_from(entry).unwrap()].clone();
        assert_eq!(logged.predicate_type, "https://bartizan.dev/refusal/v1");
    }
    assert!(world.registry.state().datasets().is_empty(), "nothing was accepted");
    assert_eq!(world.registry.state().sources().get(&source).unwrap().refused.unwrap().0, 5);
    let unknown = Delivered {
        name: "feed",
        csv: CLEAN,
        source: "nobody",
        signature: Some(envelope(&shop, CLEAN, None)),
    };
    let refused = deliver(&world, &dora, unknown, false, None).await;
    assert!(matches!(refused, Err(Failed::NotFound { .. })), "{refused:?}");
    world.reopen(true).await.unwrap();
}

#[tokio::test]
async fn a_data_set_that_demands_signatures_does_so_for_ever() {
    let (world, dora, shop, source) = world().await;
    let unsigned = deliver(&world, &dora, from_shop(CLEAN, None), true, None).await;
    assert_eq!(why(&unsigned), RefusedBecause::Unsigned);
    let signed = Some(envelope(&shop, CLEAN, None));
    deliver(&world, &dora, from_shop(CLEAN, signed), true, None).await.unwrap();
    assert_eq!(
        why(&deliver(&world, &dora, from_shop(NEXT, None), false, None).await),
        RefusedBecause::Unsigned
    );
    assert_eq!(why(&add(&world, &dora, ("feed", NEXT), None, true).await), RefusedBecause::Unsigned);
    let signed = Some(envelope(&shop, NEXT, None));
    deliver(&world, &dora, from_shop(NEXT, signed), false, None).await.unwrap();

    world.registry.set_source_standing(&world.admin, source, Standing::Disabled).await.unwrap();
    let signed = Some(envelope(&shop, NEXT, None));
    let refused = deliver(&world, &dora, from_shop(NEXT, signed), false, None).await;
    assert!(matches!(refused, Err(Failed::Conflict { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_revoked_key_signs_nothing_more_and_may_be_disowned_from_an_earlier_entry_on() {
    let (world, dora, shop, source) = world().await;
    let mia = world.person("mia", &[Role::MlEngineer]).await;
    let signed = |csv| from_shop(csv, Some(envelope(&shop, csv, None)));
    let first = deliver(&world, &dora, signed(CLEAN), true, None).await.unwrap();
    let second = deliver(&world, &dora, signed(NEXT), false, None).await.unwrap();
    let id = shop.public().id();
    world.registry.revoke_source_key(&mia, source, id, None).await.unwrap();
    assert_eq!(why(&deliver(&world, &dora, signed(NEXT), false, None).await), RefusedBecause::RevokedKey);
    let again = world.registry.revoke_source_key(&mia, source, id, None).await;
    assert!(matches!(again, Err(Failed::Conflict { .. })), "{again:?}");
    let back = world.registry.trust_source_keys(&world.admin, source, vec![shop.public().clone()]).await;
    assert!(matches!(back, Err(Failed::Conflict { .. })), "{back:?}");
    // It comes out that the key was stolen between the two.
    world.registry.revoke_source_key(&world.admin, source, id, Some(second.entry)).await.unwrap();

    let (proven, asserted) = said_of(&world, "feed:2").await;
    let digest = |csv: &str| sha256(csv.as_bytes()).short().to_string();
    for expected in [
        format!(
            "part {} of feed:1 was signed by key {id}, which the project trusted as source {source}'s when entry {} \
             accepted it (revoked from entry {} on), which says",
            digest(CLEAN),
            first.entry,
            second.entry
        ),
        format!("the signature of part {} of feed:2 does not count", digest(NEXT)),
        "feed:1 takes no delivery that its source has not signed".to_owned(),
    ] {
        assert!(proven.contains(&expected), "`{expected}` is missing in:\n{proven}");
    }
    assert!(!proven.contains("feed:2 takes no delivery"), "a part of it is not signed any more:\n{proven}");
    let demanded = "by the server: that it demanded a signature for each part that feed:2 adds";
    assert!(asserted.contains(demanded), "{asserted}");
    assert!(first.entry < second.entry);
    world.reopen(true).await.unwrap();
}

#[tokio::test]
async fn who_adds_data_does_not_choose_whom_it_is_from() {
    let (world, dora, _, source) = world().await;
    world.release().await;
    let own = key(Algorithm::Ed25519);
    let named = world.registry.add_source(&dora, "mine", vec![own.public().clone()]).await;
    assert!(matches!(named, Err(Failed::Refused(_))), "{named:?}");
    let trusted = world.registry.trust_source_keys(&dora, source, vec![own.public().clone()]).await;
    assert!(matches!(trusted, Err(Failed::Refused(_))), "{trusted:?}");
    let twice = world.registry.add_source(&world.admin, "shop", vec![own.public().clone()]).await;
    assert!(matches!(twice, Err(Failed::Conflict { .. })), "{twice:?}");
    world.registry.trust_source_keys(&world.admin, source, vec![own.public().clone()]).await.unwrap();
    let shared = world.registry.add_source(&world.admin, "other", vec![own.public().clone()]).await;
    assert!(matches!(shared, Err(Failed::Conflict { .. })), "a key is one source's: {shared:?}");
    let bytes = String::from_utf8_lossy(&world.ledger_bytes()).into_owned();
    assert!(!bytes.contains("shop"), "the name of a source is in the ledger in clear");
}

#[tokio::test]
async fn derived_data_names_versions_that_are_there() {
    let (world, dora, ..) = world().await;
    add(&world, &dora, ("raw", CLEAN), None, false).await.unwrap();
    let made = |from: &[&str]| {
        let from = from.iter().map(|version| version.parse().unwrap()).collect();
        Some(NewDerived { from, run: None, transform: Some("awk '$1 > 4'".to_owned()) })
    };
    let unknown = deliver(&world, &dora, from_shop(NEXT, None), false, made(&["raw:2"])).await;
    assert!(matches!(unknown, Err(Failed::NotFound { .. })), "{unknown:?}");
    deliver(&world, &dora, from_shop(NEXT, None), false, made(&["raw:1"])).await.unwrap();
    let trust = world.trust();
    let version = import_trained_on(&world.registry, &world.admin, "feed:1").await.unwrap();
    let proof = world.registry.prove_model(&world.admin, &version, BTreeSet::from([trust.minimum_size]));
    let proof = proof.await.unwrap();
    let verdict = verify(&proof.bytes, &trust, None, VerifyOptions { allow_development: true }).unwrap();
    let said = [verdict.proven, verdict.asserted].concat().join("\n");
    for expected in ["that what feed:1 adds was made from raw:1", "data set raw:1 has root"] {
        assert!(said.contains(expected), "`{expected}` is missing in:\n{said}");
    }
}

/// That a version takes signed deliveries alone is proven of what every verifier can check, and of nothing else.
#[tokio::test]
async fn a_demand_is_proven_of_versions_that_hold_signed_parts_alone() {
    let (world, dora, shop, source) = world().await;
    let part = |name, csv, signature| Delivered { name, csv, source: "shop", signature };
    // Signed over its digest, without anything before it.
    let signed = part("whole", CLEAN, Some(envelope(&shop, CLEAN, None)));
    deliver(&world, &dora, signed, true, None).await.unwrap();
    // Signed, and demanded from now on, but what it extends is not.
    add(&world, &dora, ("half", CLEAN), None, false).await.unwrap();
    let signed = part("half", NEXT, Some(envelope(&shop, NEXT, None)));
    deliver(&world, &dora, signed, true, None).await.unwrap();
    // Signed in a form that takes the bytes to check.
    let signed = part("bytes", CLEAN, Some(shop.sign(CLEAN.as_bytes()).unwrap()));
    deliver(&world, &dora, signed, true, None).await.unwrap();
    for (version, is_proven) in [("whole:1", true), ("half:2", false), ("bytes:1", false)] {
        let (proven, asserted) = said_of(&world, version).await;
        let all = format!("{version} takes no delivery that its source has not signed");
        let added = format!("by the server: that it demanded a signature for each part that {version} adds");
        assert_eq!((proven.contains(&all), asserted.contains(&added)), (is_proven, !is_proven), "{version}");
    }
    // Whoever relies on it has to hear what became of the source and its key since.
    world.registry.revoke_source_key(&world.admin, source, shop.public().id(), None).await.unwrap();
    world.registry.set_source_standing(&world.admin, source, Standing::Disabled).await.unwrap();
    for version in ["whole:1", "bytes:1"] {
        let (proven, asserted) = said_of(&world, version).await;
        let said = [proven, asserted].concat();
        assert!(!said.contains("the project trusts"), "{said}");
        assert!(said.contains(" on) (source disabled)"), "{said}");
    }
}
