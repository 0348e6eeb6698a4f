//! Erasures of what is recorded of a person: who may order one, and what the ledger admits about it.

use std::collections::BTreeSet;

use bartizan_base::{Digest, ErasureId, Timestamp, sha256};
use bartizan_keys::subjects::SubjectTag;
use bartizan_ledger::segment::Group;
use bartizan_policy::{PrincipalKind, Role};
use bartizan_registry::prediction::RecordEnvelope;
use bartizan_registry::proof::{Claim, ProofFile, ProofRefused, ProveFailed};
use bartizan_registry::statement::{ErasedSegment, RoleChange, SegmentV1};
use bartizan_registry::{Caller, Failed, NewPrincipal, Profile};

use crate::predictions::{self, Served, sealed};
use crate::world::World;

const ANNA: SubjectTag = SubjectTag::from_bytes([0xaa; 32]);
const GATEWAY: &str = "00112233445566778899aabbccddeeff";

async fn order(world: &World, who: &Caller) -> Result<ErasureId, Failed> {
    world.registry.order_erasure(who, ANNA, "she asked for it".to_owned()).await
}

fn root(number: u64) -> Digest {
    sha256(&number.to_be_bytes())
}

fn segment(number: u64) -> SegmentV1 {
    SegmentV1 {
        gateway: GATEWAY.to_owned(),
        epoch: 1,
        number,
        first: number * 10 - 9,
        count: 10,
        lost: 0,
        root: root(number),
        previous: (number > 1).then(|| root(number - 1)),
        at: Timestamp::EPOCH,
    }
}

fn takes(number: u64, records: &[(u32, u32)]) -> ErasedSegment {
    ErasedSegment { number, root: root(number), records: records.to_vec() }
}

#[tokio::test]
async fn in_tier_release_a_person_of_security_orders_it() {
    let world = World::new().await;
    let sue = world.person("sue", &[Role::Security]).await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let profile = Profile { name: "robot".to_owned(), local_user: None, email: None };
    let new = NewPrincipal { kind: PrincipalKind::Service, responsible: Some(sue.principal()), profile };
    let robot = world.registry.add_principal(&world.admin, new).await.unwrap();
    world.registry.change_role(&world.admin, robot, Role::Security, RoleChange::Granted).await.unwrap();
    world.release().await;
    for (case, caller) in
        [("no role for it", &eve), ("an admin", &world.admin), ("a service", &Caller::local(robot))]
    {
        let refused = order(&world, caller).await;
        assert!(matches!(refused, Err(Failed::Refused { .. })), "{case}: {refused:?}");
        assert!(world.registry.ask_to_erase(caller).await.is_err(), "{case}");
    }
    world.registry.ask_to_erase(&sue).await.unwrap();
    for reason in ["", " ", &"x".repeat(16 * 1024 + 1)] {
        let refused = world.registry.order_erasure(&sue, ANNA, reason.to_owned()).await;
        assert!(matches!(refused, Err(Failed::Invalid { .. })), "{refused:?}");
    }
    let erasure = order(&world, &sue).await.unwrap();
    assert_eq!(world.registry.subject_of_erasure(erasure).await.unwrap(), ANNA);
    let again = world.reopen(false).await.unwrap();
    assert_eq!(again.subject_of_erasure(erasure).await.unwrap(), ANNA);
    let state = again.state();
    let found = &state.erasures()[&erasure];
    assert_eq!((found.by, found.records, found.finished), (sue.principal(), 0, None));
}

#[tokio::test]
async fn records_are_named_between_the_order_and_the_end() {
    let world = World::new().await;
    let unknown = ErasureId::from_random([9; 16]);
    let state =
        async |erasure| world.registry.state_erased(erasure, GATEWAY, vec![takes(1, &[(0, 0)])]).await;
    assert!(state(unknown).await.is_err(), "nobody ordered it");
    world.registry.state_segment(segment(1)).await.unwrap();
    let erasure = order(&world, &world.admin).await.unwrap();
    for number in [2, 3] {
        world.registry.state_segment(segment(number)).await.unwrap();
    }
    for (case, gateway, segments) in [
        ("a gateway without segments", "f".repeat(32), vec![takes(1, &[(0, 0)])]),
        ("a segment that is not stated", GATEWAY.to_owned(), vec![takes(4, &[(0, 0)])]),
        ("segments out of order", GATEWAY.to_owned(), vec![takes(2, &[(0, 0)]), takes(1, &[(0, 0)])]),
        ("ranges out of order", GATEWAY.to_owned(), vec![takes(1, &[(4, 5), (0, 2)])]),
        ("ranges that overlap", GATEWAY.to_owned(), vec![takes(1, &[(0, 2), (2, 3)])]),
        ("a range that ends first", GATEWAY.to_owned(), vec![takes(1, &[(2, 1)])]),
    ] {
        assert!(world.registry.state_erased(erasure, &gateway, segments).await.is_err(), "{case}");
    }
    let named = vec![takes(1, &[(0, 2), (4, 4)]), takes(3, &[])];
    world.registry.state_erased(erasure, GATEWAY, named).await.unwrap();
    world.registry.state_erased(erasure, GATEWAY, vec![]).await.unwrap();
    world.registry.state_erasure_finished(erasure).await.unwrap();
    assert!(world.registry.state_erasure_finished(erasure).await.is_err(), "it is done");
    assert!(state(erasure).await.is_err(), "it is done");
    let again = world.reopen(false).await.unwrap().state();
    let found = &again.erasures()[&erasure];
    let unread: Vec<_> = found.unread.iter().map(|(_, segment)| *segment).collect();
    assert_eq!((found.records, unread, found.segments[GATEWAY]), (4, vec![3], 1));
    assert!(found.finished.is_some());
    let taken = |index| again.erased(GATEWAY, 1, index).is_some();
    assert_eq!((0..6).filter(|index| taken(*index)).collect::<Vec<u32>>(), [0, 1, 2, 4]);
    assert!(again.erased(GATEWAY, 2, 0).is_none());
}

/// All empty segments have the same root, and each is stated.
#[tokio::test]
async fn empty_segments_are_stated_one_by_one() {
    let world = World::new().await;
    let empty = |number| SegmentV1 {
        first: 1,
        count: 0,
        root: sha256(b""),
        previous: (number > 1).then(|| sha256(b"")),
        ..segment(number)
    };
    for number in [1, 1, 2, 2, 3] {
        world.registry.state_segment(empty(number)).await.unwrap();
    }
    let state = world.registry.state();
    let names: Vec<_> = state.logged().iter().filter(|logged| logged.name.starts_with("segment/")).collect();
    assert_eq!((names.len(), state.segments()[GATEWAY].number), (3, 3));
}

/// Has everything that is recorded of somebody erased, down to the step before the last.
async fn ordered(served: &Served, envelope: &RecordEnvelope) -> ErasureId {
    let registry = &served.world.registry;
    let erasure = order(&served.world, &served.world.admin).await.unwrap();
    let taken = |root| vec![ErasedSegment { number: 1, root, records: vec![(0, 0)] }];
    let other = registry.state_erased(erasure, predictions::GATEWAY, taken(sha256(b"another"))).await;
    assert!(other.is_err(), "that is no root of the segment");
    registry.state_erased(erasure, predictions::GATEWAY, taken(sealed(envelope, &[]).1)).await.unwrap();
    erasure
}

fn says(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

/// Records are named before the key is destroyed: that alone does not say that anything is gone.
#[tokio::test]
async fn what_was_ordered_erased_is_not_said_to_be_erased_before_that_is_done() {
    let served = Served::new().await;
    let envelope = served.envelope();
    served.state(&envelope).await;
    let erasure = ordered(&served, &envelope).await;
    // It can be read until then, and so it can be proven.
    for shown in [&[][..], &[Group::Output]] {
        let proof = served.prove(sealed(&envelope, shown).0).await.unwrap();
        let verdict = served.verify(&proof).unwrap();
        assert!(says(&verdict.proven, &format!("be erased ({erasure})")), "{:#?}", verdict.proven);
        assert!(!says(&verdict.proven, "done"), "{:#?}", verdict.proven);
        assert!(says(&verdict.not_covered, "it was ordered, and is not finished"), "{verdict:#?}");
        assert!(!says(&verdict.asserted, "destroyed the key"), "{:#?}", verdict.asserted);
    }
}

#[tokio::test]
async fn a_proof_of_what_was_erased_shows_nothing_of_it() {
    let served = Served::new().await;
    let envelope = served.envelope();
    served.state(&envelope).await;
    let erasure = ordered(&served, &envelope).await;
    served.world.registry.state_erasure_finished(erasure).await.unwrap();
    let proof = served.prove(sealed(&envelope, &[Group::Decisions]).0).await.unwrap();
    let verdict = served.verify(&proof).unwrap();
    assert!(says(&verdict.proven, "says that it is done"), "{:#?}", verdict.proven);
    assert!(says(&verdict.asserted, "by the gateway: that it destroyed the key"), "{:#?}", verdict.asserted);

    // The end left out proves less.
    let mut cut = ProofFile::parse(&proof).unwrap();
    let (size, end) = (cut.map.entry + 1, served.world.registry.state().erasures()[&erasure].finished);
    cut.leave_out(&BTreeSet::from([end.unwrap()]), size).unwrap();
    let verdict = served.verify(&cut.to_bytes().unwrap()).unwrap();
    assert!(says(&verdict.not_covered, "is not finished"), "{verdict:#?}");

    // Whoever kept a copy of what was there can neither have it proven nor put it into the file.
    for group in [Group::Subject, Group::Input, Group::Output] {
        let shown = sealed(&envelope, &[group]).0;
        let mut file = ProofFile::parse(&proof).unwrap();
        let Claim::Prediction(claim) = &mut file.claim else { panic!("{:?}", file.claim) };
        claim.record = shown.to_text();
        let refused = served.verify(&file.to_bytes().unwrap());
        let Err(ProofRefused::Record { why }) = refused else { panic!("{refused:?}") };
        assert_eq!(why, "what it shows was erased, as an entry says");
        let refused = served.prove(shown).await;
        assert!(matches!(refused, Err(Failed::Prove(ProveFailed::Erased { .. }))), "{refused:?}");
    }
}
