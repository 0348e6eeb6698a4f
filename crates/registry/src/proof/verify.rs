//! Checking a proof file against a trust file: pure, off line, in the order of `docs/formats/proof.md`.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Digest, Timestamp, VersionRef};
use bartizan_keys::{KeyId, NoteKey, PublicKey, Purpose, TrustFile, oms};
use bartizan_ledger::{
    SignedCheckpoint, TrustedLog, VerifierKey, leaf_hash, verify_consistency, verify_inclusions,
};

use super::format::{Claim, Consistency, Opening, ProofFile, ProofMalformed};
use super::prediction::{Claimed, ProvenPrediction};
use super::refused::{KnownBy, ProofRefused};
use super::shown::Stands;
use crate::manifest::{Manifest, manifest_digest};
use crate::state::{Coverage, State, Version};
use crate::statement::{Predicate, Private, SegmentV1, StateMapV1, VersionState};

/// The largest checkpoint that a verifier has seen of one ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Leaves.
    pub size: u64,
    /// The root.
    pub root: Digest,
}

/// What the verifier's owner allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Accept a project whose root key is held in the unprotected development store.
    pub allow_development: bool,
}

/// What was verified, in words that say who vouches for what.
#[derive(Debug)]
pub struct Verdict {
    /// What is claimed, and now known to follow from the statements.
    pub claim: Claim,
    /// The tree that covers it, to be remembered.
    pub seen: Seen,
    /// The checkpoint of that tree, signed as the trust file demands.
    pub checkpoint: SignedCheckpoint,
    /// Proofs that earlier trees are prefixes of it; only those that lead from a tree that is known were looked at.
    pub consistency: Vec<Consistency>,
    /// The earliest time that a trusted witness vouches for; `None` without witnesses.
    pub witnessed_at: Option<Timestamp>,
    /// Facts that bytes, signatures and order prove.
    pub proven: Vec<String>,
    /// Facts that somebody asserts, and who.
    pub asserted: Vec<String>,
    /// What the file does not speak of.
    pub not_covered: Vec<String>,
    /// The keys of gateways that the statements grant, which sign receipts: those that were not revoked before the
    /// entry that states the segment of a prediction, or, where the claim is about a version, to the end of the file.
    pub gateway_keys: Vec<PublicKey>,
    /// The prediction, where the claim is about one.
    pub prediction: Option<ProvenPrediction>,
}

/// Verifies a proof file.
///
/// `known` are checkpoints the verifier remembers besides the trust file's minimum. The caller stores
/// [`Verdict::seen`] afterwards.
///
/// # Errors
/// One variant for each way in which a proof can fail; see [`ProofRefused`].
pub fn verify(
    bytes: &[u8],
    trust: &TrustFile,
    known: Option<Seen>,
    options: VerifyOptions,
) -> Result<Verdict, ProofRefused> {
    let file = ProofFile::parse(bytes).map_err(ProofRefused::Malformed)?;
    let checkpoint = open_checkpoint(&file.checkpoint, trust)?;
    let tree = Seen { size: checkpoint.size(), root: checkpoint.root() };
    let minimum = Seen { size: trust.minimum_size, root: trust.minimum_root };
    check_continues(&file, tree, minimum, KnownBy::TrustFile)?;
    if let Some(known) = known {
        check_continues(&file, tree, known, KnownBy::Verifier)?;
    }
    let envelopes = check_entries(&file, tree)?;
    let recorded = match &file.claim {
        Claim::Prediction(claim) => Some((claim.segment, Claimed::read(claim)?)),
        Claim::ModelVersion { .. } => None,
    };
    let moments = recorded.as_ref().map(|(entry, claimed)| (claimed.tree_size(), *entry));
    let Folded { state, then, gateway_keys, committed, segments, map } = fold(trust, &envelopes, moments)?;
    let leaves = super::shown::leaves(&file.map, map.as_ref())?;
    let project = state.project().ok_or(ProofRefused::OtherProject)?;
    if project.id != trust.project || project.origin != trust.origin {
        return Err(ProofRefused::OtherProject);
    }
    if (project.development || trust.development) && !options.allow_development {
        return Err(ProofRefused::Development);
    }
    let mut openings = BTreeMap::new();
    for opening in &file.openings {
        if !opening.holds() || !committed.contains(&opening.commitment) {
            return Err(ProofRefused::Opening { commitment: opening.commitment });
        }
        openings.insert(opening.commitment, opening);
    }
    let mut verdict = Verdict {
        claim: file.claim.clone(),
        seen: tree,
        witnessed_at: checkpoint.witnessed_at(),
        checkpoint,
        consistency: file.consistency.clone(),
        proven: Vec::new(),
        asserted: Vec::new(),
        not_covered: Vec::new(),
        gateway_keys,
        prediction: None,
    };
    if let Claim::ModelVersion { version, manifest, state: claimed } = &file.claim {
        check_model(&state, &openings, version, *manifest, *claimed)?;
        super::shown::nothing_left_out(&state, &leaves)?;
        super::shown::version_stands(&state, &leaves, version, Stands::As(*claimed))?;
        super::words::about_model(&mut verdict, &state, version, &claimed.to_string());
    }
    if let Some((entry, claimed)) = recorded {
        super::prediction::served(&then, claimed.envelope())?;
        super::shown::nothing_left_out(&state, &leaves)?;
        super::shown::endpoint_stands(&state, &leaves, &claimed.envelope().endpoint)?;
        let mut proven = claimed.in_segment(entry, segments.get(&entry).cloned())?;
        if let Some(version) = proven.version().cloned() {
            let found =
                state.version(&version).ok_or(ProofRefused::Claim { why: "no such model version" })?;
            check_opened(&state, &openings, found)?;
            let stands = super::shown::version_stands(&state, &leaves, &version, Stands::Somehow)?;
            proven.stands_now = Some(stands.to_owned());
        }
        super::prediction::erased_as_stated(&state, &proven)?;
        super::words::about_prediction(&mut verdict, &state, &then, &proven);
        verdict.prediction = Some(proven);
    }
    super::words::about_log(&mut verdict, &state, trust, &file);
    Ok(verdict)
}

/// Whose signatures count, as the trust file says.
///
/// # Errors
/// When the trust file's keys do not make a log that can be trusted.
pub fn trusted_log(trust: &TrustFile) -> Result<TrustedLog, ProofRefused> {
    let parse = |key: &NoteKey| key.to_string().parse::<VerifierKey>().map_err(|_| ProofRefused::TrustKey);
    let witnesses = trust.witnesses.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let quorum = usize::try_from(trust.quorum).map_err(|_| ProofRefused::TrustKey)?;
    TrustedLog::witnessed(parse(&trust.ledger_key)?, witnesses, quorum).map_err(|_| ProofRefused::TrustKey)
}

fn open_checkpoint(note: &str, trust: &TrustFile) -> Result<SignedCheckpoint, ProofRefused> {
    SignedCheckpoint::open(note.as_bytes(), &trusted_log(trust)?)
        .map_err(|source| ProofRefused::Checkpoint { expected: trust.origin.clone(), source })
}

fn check_continues(file: &ProofFile, tree: Seen, known: Seen, by: KnownBy) -> Result<(), ProofRefused> {
    let rewritten = ProofRefused::Rewritten { size: tree.size, known: known.size };
    if tree.size < known.size {
        return Err(ProofRefused::Smaller { size: tree.size, known: known.size, by });
    }
    if tree.size == known.size {
        return if tree.root == known.root { Ok(()) } else { Err(rewritten) };
    }
    let shown = file.consistency.iter().find(|proof| proof.size == known.size);
    let shown = shown.ok_or(ProofRefused::NoConsistency { size: tree.size, known: known.size })?;
    verify_consistency(known.size, tree.size, &shown.hashes, &known.root, &tree.root).map_err(|_| rewritten)
}

/// Checks that the entries are those of the tree, and returns them byte for byte.
fn check_entries(file: &ProofFile, tree: Seen) -> Result<Vec<(u64, Vec<u8>)>, ProofRefused> {
    let mut least = 0;
    let (mut envelopes, mut leaves) = (Vec::new(), Vec::new());
    for entry in &file.entries {
        let index = entry.index;
        if index < least {
            return Err(ProofRefused::EntryOrder { index });
        }
        least = index.saturating_add(1);
        let envelope = entry.envelope().map_err(|source| {
            ProofRefused::Malformed(ProofMalformed::Entry { index, source: Box::new(source) })
        })?;
        leaves.push((index, leaf_hash(&envelope)));
        envelopes.push((index, envelope));
    }
    verify_inclusions(&leaves, tree.size, &file.inclusion, &tree.root).map_err(ProofRefused::NotIncluded)?;
    Ok(envelopes)
}

/// What the entries of a file say together.
struct Folded {
    state: State,
    /// The state after the entries before the moment that a claim is about.
    then: State,
    /// The keys of gateways that were not revoked before the segment that a claim is about was stated.
    gateway_keys: Vec<PublicKey>,
    /// What documents they commit to.
    committed: BTreeSet<Digest>,
    /// The segments that they state.
    segments: BTreeMap<u64, SegmentV1>,
    /// The state map, when the last entry is one.
    map: Option<StateMapV1>,
}

/// Folds entries in their order; `moments` are the tree size that a record names and the entry that states its segment.
fn fold(
    trust: &TrustFile,
    envelopes: &[(u64, Vec<u8>)],
    moments: Option<(u64, u64)>,
) -> Result<Folded, ProofRefused> {
    let mut state = State::new(trust.project_root.clone(), Coverage::Excerpt);
    let (mut then, mut gateway_keys) = (None, None);
    let of_gateways =
        |state: &State| keys_for(state, Purpose::Gateway).into_iter().map(|(_, key)| key).collect();
    let (mut committed, mut segments, mut map) = (BTreeSet::new(), BTreeMap::new(), None);
    for (index, envelope) in envelopes {
        if then.is_none() && moments.is_some_and(|(size, _)| *index >= size) {
            then = Some(state.clone());
        }
        // A signature counts when its place in the ledger is before the key's revocation; what came later says nothing
        // about it.
        if gateway_keys.is_none() && moments.is_some_and(|(_, segment)| *index >= segment) {
            gateway_keys = Some(of_gateways(&state));
        }
        let signed = state.admit(*index, envelope).map_err(ProofRefused::Statement)?;
        let predicate = &signed.statement().predicate;
        collect_commitments(predicate, &mut committed);
        map = match predicate {
            Predicate::StateMap(body) => Some(body.clone()),
            _ => None,
        };
        if let Predicate::Segment(body) = predicate {
            segments.insert(*index, body.clone());
        }
    }
    let then = then.unwrap_or_else(|| state.clone());
    let gateway_keys = gateway_keys.unwrap_or_else(|| of_gateways(&state));
    Ok(Folded { state, then, gateway_keys, committed, segments, map })
}

fn check_model(
    state: &State,
    openings: &BTreeMap<Digest, &Opening>,
    version: &VersionRef,
    manifest: Digest,
    claimed: VersionState,
) -> Result<(), ProofRefused> {
    let found = state.version(version).ok_or(ProofRefused::Claim { why: "no such model version" })?;
    if found.body.manifest != manifest {
        return Err(ProofRefused::Claim { why: "the version has another manifest" });
    }
    if found.state != claimed {
        return Err(ProofRefused::Claim { why: "the version is in another state" });
    }
    if claimed == VersionState::Approved {
        if !state.approvals(version).is_some_and(|verdict| verdict.complete()) {
            return Err(ProofRefused::Claim { why: "its approvals do not count any more" });
        }
        if state.stopped_twin(found).is_some() {
            return Err(ProofRefused::Claim { why: "its very files are stopped under another name" });
        }
    }
    check_opened(state, openings, found)
}

/// Checks the model signature of a version with the documents that the file opens.
fn check_opened(
    state: &State,
    openings: &BTreeMap<Digest, &Opening>,
    found: &Version,
) -> Result<(), ProofRefused> {
    let opened =
        |private: &Private, what| openings.get(&private.commitment).ok_or(ProofRefused::NotOpened { what });
    let manifest_bytes = &opened(&found.body.manifest_blob, "manifest")?.content;
    let bundle = &opened(&found.body.oms_bundle_blob, "signing bundle")?.content;
    check_signature(state, &found.body.version, manifest_bytes, bundle).map(|_| ())
}

/// Checks manifest and signing bundle against the version statement and the keys that the state grants.
pub(crate) fn check_signature(
    state: &State,
    version: &VersionRef,
    manifest_bytes: &[u8],
    bundle: &[u8],
) -> Result<Manifest, ProofRefused> {
    let found = state.version(version).ok_or(ProofRefused::Claim { why: "no such model version" })?;
    if manifest_digest(manifest_bytes) != found.body.manifest {
        return Err(ProofRefused::Claim { why: "the manifest has another digest" });
    }
    let manifest = Manifest::parse(manifest_bytes).map_err(ProofRefused::Manifest)?;
    let files = u64::try_from(manifest.files().len()).unwrap_or(u64::MAX);
    if (files, manifest.total_bytes()) != (found.body.files, found.body.bytes) {
        return Err(ProofRefused::Claim {
            why: "the manifest lists other files or bytes than the version states",
        });
    }
    let refuse = |why| ProofRefused::ModelSignature { why };
    if bartizan_base::sha256(bundle) != found.body.oms_bundle {
        return Err(refuse("the bundle is not the one that the version statement binds"));
    }
    let signed = keys_for(state, Purpose::ModelSigning)
        .into_iter()
        .find_map(|(_, key)| oms::verify(bundle, &key).ok())
        .ok_or_else(|| refuse("no model-signing key of the project signed the bundle"))?;
    let signed = signed.get();
    if signed.root != found.body.oms_root {
        return Err(refuse("the bundle has another root than the version statement"));
    }
    let listed: BTreeSet<(&str, Digest)> =
        signed.files.iter().map(|file| (file.path.as_str(), file.digest)).collect();
    let manifested: BTreeSet<(&str, Digest)> =
        manifest.files().iter().map(|file| (file.path.as_str(), file.sha256)).collect();
    if listed != manifested {
        return Err(refuse("the bundle signs other files than the manifest lists"));
    }
    Ok(manifest)
}

/// The keys of a purpose that are not revoked.
fn keys_for(state: &State, purpose: Purpose) -> Vec<(KeyId, PublicKey)> {
    let granted = state.keys().iter().filter(|(_, grant)| grant.purpose == purpose);
    granted
        .filter(|(_, grant)| grant.standing != crate::statement::KeyStanding::Revoked)
        .map(|(id, grant)| (*id, grant.public.clone()))
        .collect()
}

fn collect_commitments(predicate: &Predicate, committed: &mut BTreeSet<Digest>) {
    let mut add = |private: &Private| {
        committed.insert(private.commitment);
    };
    match predicate {
        Predicate::Principal(body) => add(&body.profile),
        Predicate::Source(body) => add(&body.profile),
        Predicate::Dataset(body) => {
            for private in [&body.schema, &body.profile, &body.findings] {
                add(private);
            }
            for part in &body.parts {
                add(&part.source);
            }
            body.derived.iter().filter_map(|derived| derived.transform.as_ref()).for_each(&mut add);
            let reference = body.compared.iter().filter_map(|compared| compared.reference.as_ref());
            reference.filter_map(|reference| reference.content.as_ref()).for_each(add);
        }
        Predicate::Origin(body) => {
            add(&body.declaration);
            if let Some(publisher) = &body.publisher {
                add(&publisher.bundle);
            }
        }
        Predicate::Run(body) => {
            add(&body.command);
            body.code_manifest.iter().for_each(add);
        }
        Predicate::ModelVersion(body) => {
            add(&body.manifest_blob);
            add(&body.oms_bundle_blob);
        }
        Predicate::ModelState(body) => {
            if let Some(reason) = &body.reason {
                add(reason);
            }
        }
        Predicate::Integrity(body) => add(&body.reason),
        Predicate::Lineage(body) => add(&body.document),
        Predicate::Provenance(body) => {
            let inner = &body.build_definition.internal_parameters;
            add(&inner.environment);
            add(&inner.log);
        }
        Predicate::Endpoint(body) => body.fallback.constant.iter().chain(&body.columns).for_each(add),
        Predicate::Project(_)
        | Predicate::Key(_)
        | Predicate::Policy(_)
        | Predicate::Role(_)
        | Predicate::ApiKey(_)
        | Predicate::Decision(_)
        | Predicate::Refusal(_)
        | Predicate::Approval(_)
        | Predicate::Alias(_)
        | Predicate::Segment(_)
        // Whom it is about is shown to nobody.
        | Predicate::Erasure(_)
        | Predicate::StateMap(_) => {}
    }
}
