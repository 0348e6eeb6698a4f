//! `Released<ModelVersion>`: the only thing a gateway loads.

use bartizan_base::{Digest, VersionRef};

use crate::manifest::Manifest;
use crate::proof::{ProofRefused, check_signature};
use crate::replay::Replayed;
use crate::statement::VersionState;

/// A model version as it may be served.
#[derive(Debug)]
pub struct ModelVersion {
    /// `NAME:VERSION`.
    pub version: VersionRef,
    /// Its identity.
    pub manifest_digest: Digest,
    /// Its files.
    pub manifest: Manifest,
    /// The tree size at which it was released.
    pub tree_size: u64,
}

/// Evidence that something was released: approved now, by valid approvals, and signed.
///
/// It is built from ledger statements and trusted keys alone, never from SQL. Only this module makes one, it
/// cannot be copied and it is not serialisable.
#[derive(Debug)]
pub struct Released<T>(T);

impl<T> Released<T> {
    /// What was released.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// A model version may not be served.
#[derive(Debug, thiserror::Error)]
pub enum NotReleased {
    /// There is no such version.
    #[error("there is no model version {version}")]
    Unknown {
        /// The version asked for.
        version: VersionRef,
    },
    /// It is not approved.
    #[error("{version} is {state}, not approved")]
    State {
        /// The version.
        version: VersionRef,
        /// Its state.
        state: VersionState,
    },
    /// Its very files are stopped under another name.
    #[error("the files of {version} are {state} as {twin}")]
    Twin {
        /// The version.
        version: VersionRef,
        /// The version that is stopped.
        twin: VersionRef,
        /// How it is stopped.
        state: VersionState,
    },
    /// Its approvals have lapsed: the manifest, its evidence or the policy changed since.
    #[error("{version} has {found} of {needed} approvals that cover it as it is now")]
    Lapsed {
        /// The version.
        version: VersionRef,
        /// Valid approvals by different people.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Its manifest or signature does not hold.
    #[error("the signature of {version} does not hold")]
    Signature {
        /// The version.
        version: VersionRef,
        /// Why not.
        #[source]
        source: ProofRefused,
    },
}

impl Released<ModelVersion> {
    /// Establishes that a version may be served, given its manifest and signing bundle.
    ///
    /// # Errors
    /// When it is unknown, not approved now, its approvals have lapsed, or its signature does not hold.
    pub fn establish(
        replayed: &Replayed,
        version: &VersionRef,
        manifest: &[u8],
        bundle: &[u8],
    ) -> Result<Self, NotReleased> {
        let state = replayed.state();
        let found =
            state.version(version).ok_or_else(|| NotReleased::Unknown { version: version.clone() })?;
        if found.state != VersionState::Approved {
            return Err(NotReleased::State { version: version.clone(), state: found.state });
        }
        if let Some(twin) = state.stopped_twin(found) {
            return Err(NotReleased::Twin {
                version: version.clone(),
                twin: twin.body.version.clone(),
                state: twin.state,
            });
        }
        let approvals = state.approvals(version);
        let (found_approvals, needed) =
            approvals.map_or((0, 1), |verdict| (verdict.approvers.len(), verdict.needed));
        if found_approvals < needed {
            return Err(NotReleased::Lapsed { version: version.clone(), found: found_approvals, needed });
        }
        let refused = |source| NotReleased::Signature { version: version.clone(), source };
        let parsed = check_signature(state, version, manifest, bundle).map_err(refused)?;
        Ok(Self(ModelVersion {
            version: version.clone(),
            manifest_digest: found.body.manifest,
            manifest: parsed,
            tree_size: replayed.checkpoint().size(),
        }))
    }
}
