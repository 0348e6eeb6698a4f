//! Proof files: what verifies, and every way in which one must fail.

use std::collections::BTreeSet;

use bartizan_base::{VersionRef, canonical};
use bartizan_keys::TrustFile;
use bartizan_policy::Role;
use bartizan_registry::proof::{
    Claim, Consistency, KnownBy, ProofFile, ProofMalformed, ProofRefused, Seen, VerifyOptions, verify,
};
use bartizan_registry::statement::VersionState;
use bartizan_registry::{Quarantine, Receipt};
use serde_json::Value;

use crate::world::World;

const DEVELOPMENT: VerifyOptions = VerifyOptions { allow_development: true };

async fn proven() -> (World, VersionRef, TrustFile, Vec<u8>) {
    let world = World::new().await;
    let trust = world.trust();
    let engineer = world.person("eve", &[Role::MlEngineer]).await;
    let approver = world.person("adam", &[Role::Approver]).await;
    world.release().await;
    let version =
        world.import(&engineer, &[("model.onnx", b"weights"), ("data/labels.txt", b"a\nb")]).await.unwrap();
    world.registry.approve(&approver, &version).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&approver, &version, since).await.unwrap().bytes;
    (world, version, trust, proof)
}

/// The version and the state that a proof of a version claims.
fn claimed(claim: &Claim) -> (&VersionRef, VersionState) {
    let Claim::ModelVersion { version, state, .. } = claim else { panic!("another claim: {claim:?}") };
    (version, *state)
}

fn state_of(claim: &mut Claim) -> &mut VersionState {
    let Claim::ModelVersion { state, .. } = claim else { panic!("another claim: {claim:?}") };
    state
}

fn edit(proof: &[u8], change: impl FnOnce(&mut ProofFile)) -> Vec<u8> {
    let mut file = ProofFile::parse(proof).unwrap();
    change(&mut file);
    file.to_bytes().unwrap()
}

#[tokio::test]
async fn a_proof_verifies_with_the_trust_file_alone() {
    let (_world, version, trust, proof) = proven().await;
    let verdict = verify(&proof, &trust, None, DEVELOPMENT).unwrap();
    let (claimed, state) = claimed(&verdict.claim);
    assert_eq!((claimed, state), (&version, VersionState::Approved));
    assert!(verdict.asserted.iter().any(|line| line.starts_with("self-attested: the operator could have")));
    assert!(proof.len() <= 64 * 1024, "{} bytes", proof.len());
}

#[tokio::test]
async fn development_keys_fail_unless_allowed_by_name() {
    let (_world, _, trust, proof) = proven().await;
    let refused = verify(&proof, &trust, None, VerifyOptions::default());
    assert!(matches!(refused, Err(ProofRefused::Development)), "{refused:?}");
}

#[tokio::test]
async fn an_edited_proof_fails() {
    let (_world, _, trust, proof) = proven().await;
    let check = |proof: &[u8]| verify(proof, &trust, None, DEVELOPMENT).unwrap_err();
    let space = [proof.as_slice(), b" "].concat();
    assert!(matches!(check(&space), ProofRefused::Malformed(_)));
    let envelope = edit(&proof, |file| file.entries[3].statement["predicate"]["more"] = 1.into());
    assert!(matches!(check(&envelope), ProofRefused::NotIncluded { .. }));
    let signature = edit(&proof, |file| file.entries[3].signature[20] ^= 1);
    assert!(matches!(check(&signature), ProofRefused::NotIncluded { .. }));
    let unsigned = edit(&proof, |file| file.entries[3].signature.clear());
    assert!(matches!(check(&unsigned), ProofRefused::Malformed(_)));
    let longer = edit(&proof, |file| file.inclusion.push(file.inclusion[0]));
    assert!(matches!(check(&longer), ProofRefused::NotIncluded { .. }));
    let envelope = edit(&proof, |file| file.entries[3].key = file.entries.last().unwrap().key);
    assert!(matches!(check(&envelope), ProofRefused::NotIncluded { .. }));
    let claim = edit(&proof, |file| {
        *state_of(&mut file.claim) = VersionState::Candidate;
    });
    assert!(matches!(check(&claim), ProofRefused::Claim { .. }));
    let checkpoint = edit(&proof, |file| file.checkpoint = file.checkpoint.replacen("\n", "\n1", 1));
    assert!(matches!(check(&checkpoint), ProofRefused::Checkpoint { .. }));
    let opening = edit(&proof, |file| file.openings[0].content[5] ^= 1);
    assert!(matches!(check(&opening), ProofRefused::Opening { .. }));
    let twice = edit(&proof, |file| file.openings.push(file.openings[0].clone()));
    assert!(matches!(check(&twice), ProofRefused::Malformed(_)));
    let closed = edit(&proof, |file| file.openings.clear());
    assert!(matches!(check(&closed), ProofRefused::NotOpened { .. }));
    let size = verify(&proof, &trust, None, DEVELOPMENT).unwrap().seen.size;
    let indices: Vec<u64> =
        ProofFile::parse(&proof).unwrap().entries.iter().map(|entry| entry.index).collect();
    let without =
        |gone: &[u64]| edit(&proof, |file| file.leave_out(&gone.iter().copied().collect(), size).unwrap());
    let cut = without(&indices[10..]);
    assert!(matches!(check(&cut), ProofRefused::LeftOut { .. }));
    let hole = edit(&proof, |file| {
        file.entries.remove(3);
    });
    assert!(matches!(check(&hole), ProofRefused::NotIncluded { .. }));
    let hole = without(&[indices[indices.len() - 3]]);
    assert!(matches!(check(&hole), ProofRefused::Statement(_)));
    let unlinked = edit(&proof, |file| file.consistency.clear());
    assert!(matches!(check(&unlinked), ProofRefused::NoConsistency { .. }));
}

#[tokio::test]
async fn a_reordered_proof_fails() {
    let (_world, _, trust, proof) = proven().await;
    let swapped = edit(&proof, |file| file.entries.swap(2, 3));
    let refused = verify(&swapped, &trust, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::EntryOrder { .. })), "{refused:?}");
    let renumbered = edit(&proof, |file| {
        let (left, right) = file.entries.split_at_mut(3);
        std::mem::swap(&mut left[2].index, &mut right[0].index);
        std::mem::swap(&mut left[2], &mut right[0]);
    });
    let refused = verify(&renumbered, &trust, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::NotIncluded { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_foreign_proof_fails() {
    let (world, _, _, proof) = proven().await;
    let other = World::new().await;
    let refused = verify(&proof, &other.trust(), None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Checkpoint { .. })), "{refused:?}");
    // The same ledger key, but another project root: the statements do not follow.
    let mut mixed = world.trust();
    mixed.project_root = other.trust().project_root;
    let refused = verify(&proof, &mixed, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Statement(_))), "{refused:?}");
}

#[tokio::test]
async fn a_smaller_or_rewritten_log_fails() {
    let (_world, _, trust, proof) = proven().await;
    let seen = verify(&proof, &trust, None, DEVELOPMENT).unwrap().seen;
    let later = Seen { size: seen.size + 1, root: seen.root };
    let refused = verify(&proof, &trust, Some(later), DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Smaller { by: KnownBy::Verifier, .. })), "{refused:?}");
    let newer = TrustFile { minimum_size: later.size, ..trust.clone() };
    let refused = verify(&proof, &newer, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Smaller { by: KnownBy::TrustFile, .. })), "{refused:?}");
    let rewritten = Seen { size: seen.size, root: trust.minimum_root };
    let refused = verify(&proof, &trust, Some(rewritten), DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Rewritten { .. })), "{refused:?}");
    let forked = Seen { size: trust.minimum_size, root: seen.root };
    let refused = verify(&proof, &trust, Some(forked), DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::Rewritten { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_quarantined_version_is_proven_to_be_quarantined() {
    let (world, version, trust, _) = proven().await;
    let order = Quarantine { version: version.clone(), reason: "suspicious".to_owned() };
    let security = world.registry.local_caller("eve").await.unwrap();
    world.registry.quarantine(&security, &order).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&security, &version, since).await.unwrap().bytes;
    let verdict = verify(&proof, &trust, None, DEVELOPMENT).unwrap();
    assert_eq!(claimed(&verdict.claim).1, VersionState::Quarantined);
}

/// Whoever hands a proof on cannot cut the bad news out of it.
#[tokio::test]
async fn a_quarantine_that_was_cut_out_shows() {
    let (world, version, trust, before) = proven().await;
    let order = Quarantine { version: version.clone(), reason: "suspicious".to_owned() };
    let security = world.registry.local_caller("eve").await.unwrap();
    world.registry.quarantine(&security, &order).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let after = world.registry.prove_model(&security, &version, since).await.unwrap().bytes;
    let size = verify(&after, &trust, None, DEVELOPMENT).unwrap().seen.size;
    let indices: Vec<u64> =
        ProofFile::parse(&after).unwrap().entries.iter().map(|entry| entry.index).collect();
    let entries = indices.len();
    let old = ProofFile::parse(&before).unwrap();
    let pretend = |file: &mut ProofFile| {
        *state_of(&mut file.claim) = VersionState::Approved;
    };
    for (how, cut) in [
        ("the change of state", vec![entries - 2]),
        ("the change and its decision", vec![entries - 2, entries - 3]),
        ("the map", vec![entries - 1]),
        ("the map and the change", vec![entries - 1, entries - 2]),
    ] {
        let edited = edit(&after, |file| {
            pretend(file);
            file.leave_out(&cut.iter().map(|at| indices[*at]).collect(), size).unwrap();
        });
        let refused = verify(&edited, &trust, None, DEVELOPMENT);
        assert!(
            matches!(refused, Err(ProofRefused::LeftOut { .. } | ProofRefused::Claim { .. })),
            "{how}: {refused:?}"
        );
    }
    let old_map = edit(&after, |file| {
        pretend(file);
        file.leave_out(&BTreeSet::from([indices[entries - 2]]), size).unwrap();
        file.map = old.map.clone();
    });
    let refused = verify(&old_map, &trust, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::LeftOut { .. })), "{refused:?}");
    let word = edit(&after, |file| {
        pretend(file);
        file.leave_out(&BTreeSet::from([indices[entries - 2]]), size).unwrap();
        for shown in &mut file.map.leaves {
            shown.leaf.state = shown.leaf.state.replace("quarantined", "approved");
        }
    });
    let refused = verify(&word, &trust, None, DEVELOPMENT);
    assert!(matches!(refused, Err(ProofRefused::LeftOut { why: "a leaf is not in the map" })), "{refused:?}");
}

#[tokio::test]
async fn a_model_of_many_files_can_be_proven() {
    let world = World::new().await;
    let trust = world.trust();
    let names: Vec<String> = (0..1500).map(|number| format!("{number:04}-{}", "x".repeat(500))).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"w".as_slice())).collect();
    let version = world.import(&world.admin, &files).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&world.admin, &version, since).await.unwrap().bytes;
    verify(&proof, &trust, None, DEVELOPMENT).unwrap();
}

/// A proof that an earlier build wrote must verify for ever, in the format that it wrote.
#[test]
fn the_golden_proofs_verify() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/proof");
    let read = |name: &str| std::fs::read(format!("{golden}/{name}")).unwrap();
    let trust = TrustFile::parse(&read("v1/trust.json")).unwrap();
    for format in ["v1", "v2"] {
        let proof = read(&format!("{format}/fraud-1.proof.json"));
        assert_eq!(ProofFile::parse(&proof).unwrap().to_bytes().unwrap(), proof);
        let verdict = verify(&proof, &trust, None, DEVELOPMENT).unwrap();
        let (version, state) = claimed(&verdict.claim);
        assert_eq!((version.to_string().as_str(), state), ("fraud:1", VersionState::Approved));
    }
}

/// What entries have in common is held once, and there is one way to do that.
#[tokio::test]
async fn texts_are_those_that_the_entries_have_in_common() {
    let (_world, _, trust, proof) = proven().await;
    let text = String::from_utf8(proof.clone()).unwrap();
    let mut old = ProofFile::parse(&proof).unwrap();
    old.format = "bartizan-proof-v1".to_owned();
    let old = old.to_bytes().unwrap();
    assert!(proof.len() * 5 < old.len() * 4, "{} of {} bytes", proof.len(), old.len());
    verify(&old, &trust, None, DEVELOPMENT).unwrap();
    let project = old_project(&old);
    let place = texts(&text).iter().position(|held| *held == project).unwrap();
    let twice = |list: &mut Vec<Value>| list.insert(place, Value::from(project.as_str()));
    let refused = [
        text.replacen(&format!("\"@{place}\""), &format!("\"{project}\""), 1),
        text.replacen(&format!("\"@{place}\""), "\"@4000\"", 1),
        text.replacen(&format!("\"@{place}\""), &format!("\"@0{place}\""), 1),
        with_texts(&text, |list| list.push(Value::from("~ nobody refers to this text, which is long"))),
        with_texts(&text, twice),
        with_texts(&text, Vec::clear),
        text.replace("bartizan-proof-v2", "bartizan-proof-v1"),
        String::from_utf8(old).unwrap().replace("bartizan-proof-v1", "bartizan-proof-v2"),
    ];
    for (case, changed) in refused.iter().enumerate() {
        let error = ProofFile::parse(changed.as_bytes()).unwrap_err();
        assert!(matches!(error, ProofMalformed::Texts), "{case}: {error:?}");
    }
}

fn old_project(proof: &[u8]) -> String {
    let file = ProofFile::parse(proof).unwrap();
    let project = file.entries.first().unwrap().statement.pointer("/predicate/project");
    project.unwrap().as_str().unwrap().to_owned()
}

fn texts(proof: &str) -> Vec<String> {
    let file: Value = serde_json::from_str(proof).unwrap();
    file.get("texts")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn with_texts(proof: &str, change: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut file: Value = serde_json::from_str(proof).unwrap();
    change(file.get_mut("texts").unwrap().as_array_mut().unwrap());
    String::from_utf8(canonical::to_bytes(&file).unwrap()).unwrap()
}

/// So must one of a prediction, and the receipt that was given for it.
#[test]
fn the_golden_prediction_verifies() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let read = |name: &str| std::fs::read(format!("{golden}/{name}")).unwrap();
    let trust = TrustFile::parse(&read("proof/v1/trust.json")).unwrap();
    for format in ["v1", "v2"] {
        let proof = read(&format!("proof/{format}/prediction.proof.json"));
        let verdict = verify(&proof, &trust, None, DEVELOPMENT).unwrap();
        let proven = verdict.prediction.unwrap();
        let answered = (proven.envelope.endpoint.as_str(), proven.version().unwrap().to_string());
        assert_eq!(answered, ("scores", "trained:2".to_owned()));
        let receipt = Receipt::find(&read("receipt/v1/answer.head"), &verdict.gateway_keys).unwrap();
        receipt.check_record(&proven).unwrap();
        receipt.check_answer(&read("receipt/v1/answer.json")).unwrap();
    }
}

proptest::proptest! {
    /// Whatever byte of a proof is changed, and however it is cut, it is refused and nothing panics.
    #[test]
    fn any_changed_byte_is_refused(at in 0_usize..1_000_000, value in 1_u8.., cut in proptest::bool::ANY) {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/proof");
        let trust = TrustFile::parse(&std::fs::read(format!("{directory}/v1/trust.json")).unwrap()).unwrap();
        let mut proof = std::fs::read(format!("{directory}/v2/fraud-1.proof.json")).unwrap();
        let golden = ProofFile::parse(&proof).unwrap();
        let at = at % proof.len();
        if cut {
            proof.truncate(at);
        } else {
            proof[at] ^= value;
        }
        // A proof from a tree that this verifier does not know says nothing to it; everything else is checked.
        let unread = ProofFile::parse(&proof).is_ok_and(|mut file| {
            let known = |proof: &&Consistency| proof.size == trust.minimum_size;
            let read = file.consistency.iter().find(known) == golden.consistency.iter().find(known);
            file.consistency.clone_from(&golden.consistency);
            read && file == golden
        });
        proptest::prop_assert!(unread || verify(&proof, &trust, None, DEVELOPMENT).is_err());
    }
}
