//! Checking a proof file against a trust file: pure, off line, in the order of `docs/formats/proof.md`.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_base::{Digest, Timestamp, VersionRef};
use bartizan_keys::{KeyId, NoteKey, PublicKey, Purpose, TrustFile, oms};
use bartizan_ledger::{
    CheckpointInvalid, ProofInvalid as MerkleInvalid, SignedCheckpoint, TrustedLog, VerifierKey, leaf_hash,
    verify_consistency, verify_inclusion,
};

use super::format::{Claim, Opening, ProofFile, ProofMalformed};
use crate::manifest::{Manifest, ManifestInvalid, manifest_digest};
use crate::state::{Coverage, EntryInvalid, State};
use crate::statement::{Predicate, Private, VersionState};

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
    /// The earliest time that a trusted witness vouches for; `None` without witnesses.
    pub witnessed_at: Option<Timestamp>,
    /// Facts that bytes, signatures and order prove.
    pub proven: Vec<String>,
    /// Facts that somebody asserts, and who.
    pub asserted: Vec<String>,
    /// What the file does not speak of.
    pub not_covered: Vec<String>,
}

/// The proof does not hold. Each variant is another way to fail; none of them is a matter of retrying.
#[derive(Debug, thiserror::Error)]
pub enum ProofRefused {
    /// The file is not a proof file.
    #[error("the file is not a proof")]
    Malformed(#[source] ProofMalformed),
    /// The checkpoint is of another ledger, not signed by the trusted key, or cosigned by too few witnesses.
    #[error("the checkpoint is not one of ledger `{expected}` under the trusted keys")]
    Checkpoint {
        /// The ledger that is trusted.
        expected: String,
        /// What does not fit.
        #[source]
        source: CheckpointInvalid,
    },
    /// The trust file itself names a key that cannot be read.
    #[error("the trust file holds a key that this version cannot read")]
    TrustKey,
    /// The tree is smaller than one that is known to exist: the log was rolled back, or the proof is an old one.
    #[error(
        "the proof covers {size} entries, but {known} are known to exist, by the trust file or from an earlier proof"
    )]
    Smaller {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
    },
    /// The tree contradicts one that is known to exist: history was rewritten.
    #[error("the tree of {size} entries does not continue the tree of {known} entries that is known")]
    Rewritten {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
    },
    /// The file does not show that the tree continues the one that is known.
    #[error("the proof does not show that its tree of {size} entries continues the known tree of {known}")]
    NoConsistency {
        /// The tree size of the proof.
        size: u64,
        /// The tree size that is known.
        known: u64,
    },
    /// The entries are not in ascending order, or one is there twice.
    #[error("entry {index} is out of order")]
    EntryOrder {
        /// The entry that is not above its predecessor.
        index: u64,
    },
    /// An entry is not in the tree: its bytes, its place or its proof were changed.
    #[error("entry {index} is not in the tree that the checkpoint signs")]
    NotIncluded {
        /// The entry.
        index: u64,
        /// Why.
        #[source]
        source: MerkleInvalid,
    },
    /// A statement is not signed by a key that the project root granted it to, or contradicts an earlier one.
    #[error("a statement does not follow from the trusted root key")]
    Statement(#[source] EntryInvalid),
    /// The statements are of another project.
    #[error("the statements are of another project than the trusted one")]
    OtherProject,
    /// Development keys, which anybody with access to the machine could have copied.
    #[error("the project's root key is a development key")]
    Development,
    /// A private document is not what a statement committed to.
    #[error("an opened document does not fit any commitment in the statements")]
    Opening {
        /// The commitment it claims.
        commitment: Digest,
    },
    /// A document that the claim needs is not opened.
    #[error("the {what} is not in the proof")]
    NotOpened {
        /// Which document.
        what: &'static str,
    },
    /// The manifest is not the one that the statements are about.
    #[error("the manifest is not a manifest")]
    Manifest(#[source] ManifestInvalid),
    /// The signing bundle is not a signature of this manifest by the project's model-signing key.
    #[error("the model signature does not hold: {why}")]
    ModelSignature {
        /// What does not fit.
        why: &'static str,
    },
    /// The state map does not confirm what the statements give: something was left out, or the map was changed.
    #[error("the state map does not confirm the statements: {why}")]
    LeftOut {
        /// What differs.
        why: &'static str,
    },
    /// The statements do not give what is claimed.
    #[error("the statements do not give the claim: {why}")]
    Claim {
        /// What differs.
        why: &'static str,
    },
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
    check_continues(&file, tree, minimum)?;
    if let Some(known) = known {
        check_continues(&file, tree, known)?;
    }
    check_entries(&file, tree)?;
    let mut state = State::new(trust.project_root.clone(), Coverage::Excerpt);
    let mut committed = BTreeSet::new();
    let mut map = None;
    for entry in &file.entries {
        let signed = state.admit(entry.index, &entry.envelope).map_err(ProofRefused::Statement)?;
        let predicate = &signed.statement().predicate;
        collect_commitments(predicate, &mut committed);
        map = match predicate {
            Predicate::StateMap(body) => Some(body.clone()),
            _ => None,
        };
    }
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
        proven: Vec::new(),
        asserted: Vec::new(),
        not_covered: Vec::new(),
    };
    match &file.claim {
        Claim::ModelVersion { version, manifest, state: claimed } => {
            check_model(&state, &openings, version, *manifest, *claimed)?;
            super::shown::nothing_left_out(&state, &leaves, version)?;
            super::words::about_model(&mut verdict, &state, version);
        }
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

fn check_continues(file: &ProofFile, tree: Seen, known: Seen) -> Result<(), ProofRefused> {
    let rewritten = ProofRefused::Rewritten { size: tree.size, known: known.size };
    if tree.size < known.size {
        return Err(ProofRefused::Smaller { size: tree.size, known: known.size });
    }
    if tree.size == known.size {
        return if tree.root == known.root { Ok(()) } else { Err(rewritten) };
    }
    let shown = file.consistency.iter().find(|proof| proof.size == known.size);
    let shown = shown.ok_or(ProofRefused::NoConsistency { size: tree.size, known: known.size })?;
    verify_consistency(known.size, tree.size, &shown.hashes, &known.root, &tree.root).map_err(|_| rewritten)
}

fn check_entries(file: &ProofFile, tree: Seen) -> Result<(), ProofRefused> {
    let mut least = 0;
    for entry in &file.entries {
        if entry.index < least {
            return Err(ProofRefused::EntryOrder { index: entry.index });
        }
        least = entry.index.saturating_add(1);
        let leaf = leaf_hash(&entry.envelope);
        verify_inclusion(&leaf, entry.index, tree.size, &entry.inclusion, &tree.root)
            .map_err(|source| ProofRefused::NotIncluded { index: entry.index, source })?;
    }
    Ok(())
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
    let opened =
        |private: &Private, what| openings.get(&private.commitment).ok_or(ProofRefused::NotOpened { what });
    let manifest_bytes = &opened(&found.body.manifest_blob, "manifest")?.content;
    let bundle = &opened(&found.body.oms_bundle_blob, "signing bundle")?.content;
    check_signature(state, version, manifest_bytes, bundle).map(|_| ())
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
    let signed = model_signing_keys(state)
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

fn model_signing_keys(state: &State) -> Vec<(KeyId, PublicKey)> {
    let granted = state.keys().iter().filter(|(_, grant)| grant.purpose == Purpose::ModelSigning);
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
        Predicate::Dataset(body) => {
            for private in [&body.schema, &body.profile, &body.findings] {
                add(private);
            }
            for part in &body.parts {
                add(&part.source);
            }
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
        Predicate::Provenance(body) => {
            let inner = &body.build_definition.internal_parameters;
            add(&inner.environment);
            add(&inner.log);
        }
        Predicate::Endpoint(body) => body.fallback.constant.iter().for_each(add),
        Predicate::Project(_)
        | Predicate::Key(_)
        | Predicate::Policy(_)
        | Predicate::Role(_)
        | Predicate::ApiKey(_)
        | Predicate::Decision(_)
        | Predicate::Approval(_)
        | Predicate::Alias(_)
        | Predicate::Segment(_)
        | Predicate::StateMap(_) => {}
    }
}
