//! Proofs of predictions: records that the statements bear out, and records that say what was not so.

use std::collections::BTreeSet;
use std::sync::Arc;

use bartizan_base::{Digest, Timestamp, VersionRef};
use bartizan_keys::{FileKeyStore, Keys, Purpose, TrustFile, dsse};
use bartizan_ledger::segment::{
    Commitments, Group, RecordProof, RevealedGroup, SALT_BYTES, SegmentTree, Shown, commit,
};
use bartizan_ledger::{Ledger, NoteSigner};
use bartizan_policy::Role;
use bartizan_registry::prediction::{AnsweredBy, FORMAT, RecordEnvelope};
use bartizan_registry::proof::{ProofFile, ProofRefused, Verdict, VerifyOptions, verify};
use bartizan_registry::statement::{KeyStanding, KeyV1, SegmentV1, Statement};
use bartizan_registry::{Failed, NewFallback, NewReceipt, Quarantine, Receipt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::endpoints::{roll_back, route};
use crate::world::World;

const DEVELOPMENT: VerifyOptions = VerifyOptions { allow_development: true };
pub(crate) const GATEWAY: &str = "07070707070707070707070707070707";
const ID: &str = "prd_000102030405060708090a0b0c0d0e0f";

/// Two approved versions, the endpoint `scores` routed to the first with the second as its fallback.
pub(crate) struct Served {
    pub(crate) world: World,
    trust: TrustFile,
    first: VersionRef,
    second: VersionRef,
}

impl Served {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let trust = world.trust();
        let mut versions = Vec::new();
        for bytes in [b"one", b"two"] {
            let version = world.import(&world.admin, &[("model.onnx", bytes)]).await.unwrap();
            world.registry.approve(&world.admin, &version).await.unwrap();
            versions.push(version);
        }
        let [first, second] = versions.try_into().unwrap();
        route(&world, &world.admin, &first, NewFallback::Version(second.clone())).await.unwrap();
        Self { world, trust, first, second }
    }

    fn size(&self) -> u64 {
        self.world.registry.state().next_index()
    }

    /// What the gateway would record of an answer by the primary now.
    pub(crate) fn envelope(&self) -> RecordEnvelope {
        let state = self.world.registry.state();
        RecordEnvelope {
            answered_by: AnsweredBy::Primary,
            endpoint: "scores".parse().unwrap(),
            epoch: 1,
            fallback_reason: None,
            format: FORMAT.to_owned(),
            gateway: GATEWAY.to_owned(),
            head_age_ms: 5,
            id: ID.to_owned(),
            manifest: state.version(&self.first).map(|found| found.body.manifest),
            model: Some(self.first.clone()),
            route: "primary".to_owned(),
            sequence: 1,
            time: "2026-03-01T12:00:00Z".parse().unwrap(),
            tree_size: self.size(),
            weight_ppm: 1_000_000,
        }
    }

    /// Seals a record with this envelope, has its segment stated, and proves it.
    async fn proved(&self, envelope: &RecordEnvelope) -> Result<Vec<u8>, Failed> {
        self.state(envelope).await;
        self.prove(sealed(envelope, &[]).0).await
    }

    /// Has the segment of a record with this envelope stated.
    pub(crate) async fn state(&self, envelope: &RecordEnvelope) {
        let segment = SegmentV1 {
            gateway: GATEWAY.to_owned(),
            epoch: 1,
            number: 1,
            first: 1,
            count: 1,
            lost: 0,
            root: sealed(envelope, &[]).1,
            previous: None,
            at: "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap(),
        };
        self.world.registry.state_segment(segment).await.unwrap();
    }

    pub(crate) async fn prove(&self, record: RecordProof) -> Result<Vec<u8>, Failed> {
        let since = BTreeSet::from([self.trust.minimum_size]);
        self.world.registry.prove_prediction(record, 1, since).await.map(|proof| proof.bytes)
    }

    pub(crate) fn verify(&self, proof: &[u8]) -> Result<Verdict, ProofRefused> {
        verify(proof, &self.trust, None, DEVELOPMENT)
    }

    async fn verified(&self, envelope: &RecordEnvelope) -> Result<Verdict, ProofRefused> {
        verify(&self.proved(envelope).await.unwrap(), &self.trust, None, DEVELOPMENT)
    }

    /// Checks that an envelope that is not so does not verify.
    async fn refused(self, edit: impl FnOnce(&Self, &mut RecordEnvelope), expected: &str) {
        let mut envelope = self.envelope();
        edit(&self, &mut envelope);
        match self.verified(&envelope).await {
            Err(ProofRefused::Record { why }) => assert_eq!(why, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

/// A segment of one record: its proof, which shows the envelope and more, and its root.
pub(crate) fn sealed(envelope: &RecordEnvelope, more: &[Group]) -> (RecordProof, Digest) {
    let salt = [3; SALT_BYTES];
    let bytes = |group: Group| match group {
        Group::Envelope => serde_json::to_vec(envelope).unwrap(),
        _ => group.to_string().into_bytes(),
    };
    let commitments = Commitments::new(Group::ALL.map(|group| commit(&salt, &bytes(group))));
    let tree = SegmentTree::of([commitments.digest()]).unwrap();
    let shown = Group::ALL.map(|group| match group == Group::Envelope || more.contains(&group) {
        true => Shown::Revealed(RevealedGroup { salt, bytes: bytes(group) }),
        false => Shown::Hidden(*commitments.get(group)),
    });
    (RecordProof::new(shown, &tree, 0).unwrap(), tree.root())
}

#[tokio::test]
async fn what_served_a_prediction_is_proven() {
    let served = Served::new().await;
    let envelope = served.envelope();
    let verdict = served.verified(&envelope).await.unwrap();
    let proven = verdict.prediction.unwrap();
    assert_eq!((proven.envelope, proven.stands_now.as_deref()), (envelope, Some("approved")));
    assert_eq!((proven.segment.count, proven.revealed.index()), (1, 0));
    assert_eq!(verdict.gateway_keys.len(), 1);
}

#[tokio::test]
async fn what_came_later_does_not_matter() {
    let served = Served::new().await;
    let envelope = served.envelope();
    let Served { world, first, second, .. } = &served;
    let order = Quarantine { version: first.clone(), reason: "a test".to_owned() };
    world.registry.quarantine(&world.admin, &order).await.unwrap();
    for fallback in [NewFallback::Unavailable, NewFallback::Constant(b"[0]".to_vec())] {
        route(world, &world.admin, second, fallback).await.unwrap();
    }
    world.registry.disable_endpoint(&world.admin, "scores".parse().unwrap()).await.unwrap();
    let verdict = served.verified(&envelope).await.unwrap();
    assert_eq!(verdict.prediction.unwrap().stands_now.as_deref(), Some("quarantined"));
}

/// What the state map says against a version is not passed over, although the version's own state is the old one.
#[tokio::test]
async fn a_version_that_was_stopped_by_a_twin_or_whose_approvals_lapsed_is_not_said_to_be_approved() {
    let stopped = Served::new().await;
    let envelope = stopped.envelope();
    let world = &stopped.world;
    let twin = world.import_named(&world.admin, "other", &[("model.onnx", b"one")]).await.unwrap();
    let order = Quarantine { version: twin, reason: "a test".to_owned() };
    world.registry.quarantine(&world.admin, &order).await.unwrap();
    let stopped = (stopped.verified(&envelope).await.unwrap(), "approved-stopped");

    let lapsed = Served::new().await;
    let envelope = lapsed.envelope();
    lapsed.world.release().await;
    let lapsed = (lapsed.verified(&envelope).await.unwrap(), "approved-lapsed");

    for (verdict, stands) in [stopped, lapsed] {
        assert_eq!(verdict.prediction.unwrap().stands_now.as_deref(), Some(stands));
        let proven = verdict.proven.join("\n");
        assert!(!proven.contains("still is"), "{proven}");
        assert!(proven.contains(&format!("the server's state map says `{stands}`")), "{proven}");
        let later = format!("that came after the prediction: fraud:1 stands as {stands} now");
        assert!(proven.contains(&later), "{proven}");
    }
}

#[tokio::test]
async fn a_fallback_a_constant_and_nobody_are_proven_too() {
    let served = Served::new().await;
    let mut envelope = served.envelope();
    let manifest = served.world.registry.state().version(&served.second).map(|found| found.body.manifest);
    envelope.answered_by = AnsweredBy::Fallback;
    (envelope.model, envelope.manifest) = (Some(served.second.clone()), manifest);
    served.verified(&envelope).await.unwrap();

    let served = Served::new().await;
    let mut envelope = served.envelope();
    envelope.answered_by = AnsweredBy::Nobody;
    (envelope.model, envelope.manifest) = (None, None);
    let verdict = served.verified(&envelope).await.unwrap();
    assert_eq!(verdict.prediction.unwrap().stands_now, None);

    let served = Served::new().await;
    let constant = NewFallback::Constant(b"[0]".to_vec());
    route(&served.world, &served.world.admin, &served.first, constant).await.unwrap();
    let mut envelope = served.envelope();
    envelope.answered_by = AnsweredBy::Constant;
    (envelope.model, envelope.manifest) = (None, None);
    served.verified(&envelope).await.unwrap();
}

#[tokio::test]
async fn a_record_that_says_what_was_not_so_is_refused() {
    let not_routed = "the endpoint was not routed to that version at that tree size";
    let other = |served: &Served, envelope: &mut RecordEnvelope| {
        let state = served.world.registry.state();
        envelope.manifest = state.version(&served.second).map(|found| found.body.manifest);
        envelope.model = Some(served.second.clone());
    };
    Served::new().await.refused(other, not_routed).await;
    let swapped = |_: &Served, envelope: &mut RecordEnvelope| envelope.answered_by = AnsweredBy::Fallback;
    Served::new().await.refused(swapped, not_routed).await;
    let files = |_: &Served, envelope: &mut RecordEnvelope| {
        envelope.manifest = Some(bartizan_base::sha256(b"other files"));
    };
    Served::new().await.refused(files, not_routed).await;
    let early = |_: &Served, envelope: &mut RecordEnvelope| envelope.tree_size = 3;
    Served::new().await.refused(early, "the endpoint was not in service at that tree size").await;
    let constant = |_: &Served, envelope: &mut RecordEnvelope| {
        envelope.answered_by = AnsweredBy::Constant;
        (envelope.model, envelope.manifest) = (None, None);
    };
    Served::new().await.refused(constant, "the endpoint had no constant answer at that tree size").await;
    let late = |_: &Served, envelope: &mut RecordEnvelope| envelope.tree_size += 1;
    Served::new().await.refused(late, "it knows entries that came after its segment").await;
    let place = |_: &Served, envelope: &mut RecordEnvelope| envelope.sequence = 2;
    Served::new().await.refused(place, "its sequence number does not fit its place in the segment").await;
    let epoch = |_: &Served, envelope: &mut RecordEnvelope| envelope.epoch = 2;
    Served::new().await.refused(epoch, "it names another gateway or epoch than the segment").await;
}

/// A gateway that goes on with a version that was stopped cannot hide it behind a later tree size.
#[tokio::test]
async fn an_answer_after_the_quarantine_is_refused() {
    let served = Served::new().await;
    let Served { world, first, .. } = &served;
    let order = Quarantine { version: first.clone(), reason: "a test".to_owned() };
    world.registry.quarantine(&world.admin, &order).await.unwrap();
    served.refused(|_, _| {}, "the version that answered was not approved at that tree size").await;

    let served = Served::new().await;
    served.world.registry.disable_endpoint(&served.world.admin, "scores".parse().unwrap()).await.unwrap();
    served.refused(|_, _| {}, "the endpoint was not in service at that tree size").await;
}

#[tokio::test]
async fn a_record_is_no_record_unless_it_says_which() {
    let served = Served::new().await;
    let mut envelope = served.envelope();
    envelope.format = "bartizan-prediction-v9".to_owned();
    assert!(served.proved(&envelope).await.is_err());
    // Who answered and with what must fit each other.
    let served = Served::new().await;
    let mut envelope = served.envelope();
    envelope.model = None;
    assert!(served.proved(&envelope).await.is_err());
}

/// Whoever hands a proof on cannot leave out what was said of the endpoint in between.
#[tokio::test]
async fn a_route_that_was_left_out_shows() {
    let served = Served::new().await;
    let Served { world, second, .. } = &served;
    let envelope = served.envelope();
    for _ in 0..2 {
        route(world, &world.admin, second, NewFallback::Unavailable).await.unwrap();
    }
    let proof = served.proved(&envelope).await.unwrap();
    verify(&proof, &served.trust, None, DEVELOPMENT).unwrap();
    let file = ProofFile::parse(&proof).unwrap();
    let size = file.map.entry + 1;
    let routes: Vec<u64> = file
        .entries
        .iter()
        .filter(|entry| entry.statement["predicateType"] == "https://bartizan.dev/endpoint/v1")
        .map(|entry| entry.index)
        .collect();
    assert_eq!(routes.len(), 3, "the one in force, and two since");
    for gone in
        [vec![routes[1]], vec![routes[2]], vec![routes[1], routes[2]], vec![routes[0]], routes.clone()]
    {
        let mut cut = file.clone();
        cut.leave_out(&gone.iter().copied().collect(), size).unwrap();
        let refused = verify(&cut.to_bytes().unwrap(), &served.trust, None, DEVELOPMENT);
        assert!(refused.is_err(), "without {gone:?}: {refused:?}");
    }
}

#[tokio::test]
async fn predictions_before_between_and_after_rollbacks_are_proven() {
    for times in 1..=2 {
        for moment in ["before", "between", "after"] {
            let served = Served::new().await;
            let (world, first, second) = (&served.world, &served.first, &served.second);
            let mut envelope = served.envelope();
            for _ in 0..times {
                route(world, &world.admin, second, NewFallback::Version(first.clone())).await.unwrap();
                if moment == "between" {
                    let manifest = world.registry.state().version(second).map(|found| found.body.manifest);
                    let model = Some(second.clone());
                    envelope = RecordEnvelope { manifest, model, ..served.envelope() };
                }
                let done = roll_back(world, &world.admin, None).await.unwrap();
                assert_eq!((&done.from, &done.to), (second, first));
                if moment == "after" {
                    envelope = served.envelope();
                }
            }
            let verdict = served.verified(&envelope).await;
            assert!(verdict.is_ok(), "{moment}, {times} times: {verdict:?}");
        }
    }
}

/// What was promoted again and rolled back from does not stand for its first promotion.
#[tokio::test]
async fn a_prediction_before_two_rollbacks_past_a_second_promotion_is_proven() {
    let served = Served::new().await;
    let (world, first, second) = (&served.world, &served.first, &served.second);
    route(world, &world.admin, second, NewFallback::Unavailable).await.unwrap();
    let manifest = world.registry.state().version(second).map(|found| found.body.manifest);
    let envelope = RecordEnvelope { manifest, model: Some(second.clone()), ..served.envelope() };
    route(world, &world.admin, first, NewFallback::Unavailable).await.unwrap();
    for to in [second, first] {
        let done = roll_back(world, &world.admin, None).await.unwrap();
        assert_eq!(&done.to, to);
    }
    let verdict = served.verified(&envelope).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

/// An approval that renews a lapsed one changes no state, and what is routed after it rests on it.
#[tokio::test]
async fn a_route_to_versions_that_were_approved_anew_is_proven() {
    let served = Served::new().await;
    let world = &served.world;
    let adam = world.person("adam", &[Role::Approver]).await;
    world.release().await;
    for version in [&served.first, &served.second] {
        world.registry.approve(&adam, version).await.unwrap();
    }
    route(world, &adam, &served.first, NewFallback::Version(served.second.clone())).await.unwrap();
    let verdict = served.verified(&served.envelope()).await;
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[tokio::test]
async fn a_rollback_without_the_promotion_that_it_rests_on_is_not_proven() {
    let served = Served::new().await;
    let (world, scores) = (&served.world, "scores".parse::<bartizan_base::Name>().unwrap());
    let promoted = world.registry.state().endpoints().get(&scores).unwrap().statement.entry;
    route(world, &world.admin, &served.second, NewFallback::Unavailable).await.unwrap();
    roll_back(world, &world.admin, None).await.unwrap();
    let proof = served.proved(&served.envelope()).await.unwrap();
    verify(&proof, &served.trust, None, DEVELOPMENT).unwrap();
    let mut file = ProofFile::parse(&proof).unwrap();
    let size = file.map.entry + 1;
    file.leave_out(&BTreeSet::from([promoted]), size).unwrap();
    let refused = verify(&file.to_bytes().unwrap(), &served.trust, None, DEVELOPMENT).unwrap_err();
    let why = format!("{refused:?}");
    assert!(why.contains("what was never promoted to it"), "{why}");
}

/// Files that are stopped under one name are stopped under all, also in a proof: the server shows what it knows of them.
#[tokio::test]
async fn files_that_were_stopped_under_another_name_are_not_proven() {
    let (world, trust) = twins().await;
    let twin: VersionRef = "other:1".parse().unwrap();
    let order = Quarantine { version: twin.clone(), reason: "a test".to_owned() };
    world.registry.quarantine(&world.admin, &order).await.unwrap();
    let served = of_twins(world, trust);
    let stopped = served.envelope();
    // That the stop was lifted since says nothing of the time before.
    served.world.registry.approve(&served.world.admin, &twin).await.unwrap();
    match served.verified(&stopped).await {
        Err(ProofRefused::Record { why }) => {
            assert_eq!(
                why,
                "the files of the version that answered were stopped under another name at that tree size"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_known_of_the_same_files_under_another_name_is_said() {
    let (world, trust) = twins().await;
    let served = of_twins(world, trust);
    let verdict = served.verified(&served.envelope()).await.unwrap();
    let says =
        |lines: &[String], text: &str| assert!(lines.iter().any(|line| line.contains(text)), "{lines:#?}");
    says(&verdict.proven, "fraud:1 was approved and not stopped, nor were its very files as other:1");
    says(
        &verdict.asserted,
        "no statement beside those in this file had stopped the files of fraud:1 under another name",
    );
}

/// `fraud:1` and `other:1`, of the same files, approved; `scores` is routed to the first.
async fn twins() -> (World, TrustFile) {
    let world = World::new().await;
    let trust = world.trust();
    for name in ["fraud", "other"] {
        let version = world.import_named(&world.admin, name, &[("model.onnx", b"one")]).await.unwrap();
        world.registry.approve(&world.admin, &version).await.unwrap();
    }
    route(&world, &world.admin, &"fraud:1".parse().unwrap(), NewFallback::Unavailable).await.unwrap();
    (world, trust)
}

fn of_twins(world: World, trust: TrustFile) -> Served {
    Served { world, trust, first: "fraud:1".parse().unwrap(), second: "other:1".parse().unwrap() }
}

/// Appends, with the project's root key, that the key of its gateways is revoked, and opens the project again.
async fn with_gateway_key_revoked(mut served: Served) -> Served {
    let world = &mut served.world;
    let keys = world.registry.keys();
    let gateway = keys.signing(Purpose::Gateway).public();
    let state = world.registry.state();
    let grant = &state.keys()[&gateway.id()];
    let revoked = KeyV1 {
        key: gateway.id(),
        public_key: STANDARD.encode(gateway.spki_der()),
        algorithm: grant.algorithm,
        purpose: grant.purpose,
        predicate_types: grant.predicate_types.clone(),
        standing: KeyStanding::Revoked,
        at: world.registry.now(),
    };
    let payload = Statement::about(revoked).to_bytes().unwrap();
    let root = keys.signing(Purpose::ProjectRoot);
    let envelope =
        dsse::sign(bartizan_registry::statement::PAYLOAD_TYPE, &payload, &[root]).unwrap().to_bytes();
    let origin = keys.signing(Purpose::LedgerOrigin);
    let checkpoint = world.registry.checkpoint();
    let again = FileKeyStore::open(world.directory.path()).unwrap();
    let again = Keys::open(Arc::new(world.key_blobs.clone()), Box::new(again)).unwrap();
    let signer = NoteSigner::with(checkpoint.origin(), origin.public(), move |message| {
        Ok(again.signing(Purpose::LedgerOrigin).sign(message)?)
    });
    let (blobs, heads) = (Arc::new(world.ledger.clone()), Arc::new(world.heads.clone()));
    Ledger::open(blobs, heads, signer.unwrap()).unwrap().append(vec![envelope]).unwrap();
    world.registry = world.reopen(true).await.unwrap();
    served
}

/// A signature counts when its place in the ledger is before the revocation of its key.
#[tokio::test]
async fn receipts_from_before_the_revocation_of_their_key_count() {
    let served = Served::new().await;
    let envelope = served.envelope();
    let (record, root) = sealed(&envelope, &[]);
    let revealed = record.verify(&root, 1).unwrap();
    served.proved(&envelope).await.unwrap();
    let new = NewReceipt {
        answer: bartizan_base::sha256(b"{}"),
        epoch: envelope.epoch,
        gateway: envelope.gateway.clone(),
        prediction: envelope.id.clone(),
        record: *revealed.digest().digest(),
        seal_by: envelope.time,
        sequence: envelope.sequence,
        tree_size: envelope.tree_size,
    };
    let receipt = Receipt::sign(new, served.world.registry.keys().signing(Purpose::Gateway)).unwrap();
    let served = with_gateway_key_revoked(served).await;
    let since = BTreeSet::from([served.trust.minimum_size]);
    let proof = served
        .world
        .registry
        .prove_prediction(sealed(&envelope, &[]).0, 1, since.clone())
        .await
        .unwrap()
        .bytes;
    let verdict = verify(&proof, &served.trust, None, DEVELOPMENT).unwrap();
    let receipt = Receipt::find(receipt.as_bytes(), &verdict.gateway_keys).unwrap();
    receipt.check_record(verdict.prediction.as_ref().unwrap()).unwrap();
    let told = verdict.proven.iter().any(|line| line.contains("was revoked at entry"));
    assert!(told, "{:#?}", verdict.proven);

    // A proof about a version has no such moment: there a revoked key speaks for nobody.
    let proof = served.world.registry.prove_model(&served.world.admin, &served.first, since).await;
    let verdict = verify(&proof.unwrap().bytes, &served.trust, None, DEVELOPMENT).unwrap();
    assert_eq!(verdict.gateway_keys, []);
}
