//! Model versions: verification, approval, quarantine, aliases, proofs.

use std::io::Read;
use std::sync::{Arc, PoisonError};

use bartizan_base::{AliasRef, Digest, VersionRef};
use bartizan_keys::Purpose;
use bartizan_policy::{Operation, op};

use super::write::Writer;
use super::{Caller, Failed, Inner, Registry};
use crate::limits::TEXT_BYTES;
use crate::manifest::ManifestFile;
use crate::proof::{check_signature, read_private};
use crate::released::{ModelVersion, Released};
use crate::replay::{Replayed, replay};
use crate::state::{State, Version};
use crate::statement::{AliasV1, ApprovalV1, ModelStateV1, Statement, VersionState};

/// A request to stop a model version.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// The version.
    pub version: VersionRef,
    /// Why.
    pub reason: String,
}

/// What a verification looked at and found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationReport {
    /// The version.
    pub version: VersionRef,
    /// Its manifest digest.
    pub manifest: Digest,
    /// Files whose bytes were decrypted and hashed.
    pub files: u64,
    /// Bytes that were decrypted and hashed.
    pub bytes: u64,
    /// Its state.
    pub state: VersionState,
    /// Whether it may be served now, by statements and keys alone.
    pub released: bool,
    /// Why not, when it may not.
    pub not_released: Option<String>,
}

impl Registry {
    /// Approves a version; with enough approvals it becomes `approved` in the same step.
    ///
    /// # Errors
    /// When the caller may not, the version is revoked or approved already, or its stored bytes do not verify.
    pub async fn approve(&self, caller: &Caller, version: &VersionRef) -> Result<VersionState, Failed> {
        // Nothing is approved that is not what was imported. What a version consists of never changes, so its bytes
        // are read before the turn: a quarantine must not wait for them.
        self.ask_early(caller, op::ModelApprove, self.state().model_facts(version)).await?;
        self.read_everything(version).await?;
        let writer = self.writer().await?;
        let state = writer.state();
        let allowed = writer.allow(caller, op::ModelApprove, state.model_facts(version)).await?;
        let found = state.known_version(version)?;
        let before = state.approvals(version).map_or(0, |verdict| verdict.missing());
        if found.state == VersionState::Revoked || (found.state == VersionState::Approved && before == 0) {
            return Err(Failed::conflict(version, format!("it is {}", found.state)));
        }
        check_twin(&state, found)?;
        self.compare_index(&writer).await?;
        let covers = state.covers(version).ok_or_else(|| Failed::not_found("model version", version))?;
        let self_approved = allowed.decision().self_approved();
        let act = writer.act(&allowed);
        let approval = Statement::about(ApprovalV1 {
            version: version.clone(),
            covers,
            self_approved,
            act: act.clone(),
        });
        let before = found.state;
        let mut together = vec![approval];
        // The approval that completes a version and the change of its state are written together, or neither is.
        let preview = writer.preview(&together)?;
        let complete = preview.approvals(version).is_some_and(|verdict| verdict.complete());
        if complete && before != VersionState::Approved {
            let counted = preview.counted_approvals(version);
            together.push(Statement::about(ModelStateV1 {
                version: version.clone(),
                manifest: covers.manifest,
                from: before,
                previous: found.state_entry(),
                to: VersionState::Approved,
                approvals: counted.iter().map(|approval| approval.statement).collect(),
                reason: None,
                act,
            }));
        }
        writer.append(together).await?;
        Ok(writer.state().known_version(version)?.state)
    }

    /// Stops a version; it comes back only by somebody else's approval.
    ///
    /// # Errors
    /// When the caller may not, or the version is stopped already.
    pub async fn quarantine(&self, caller: &Caller, order: &Quarantine) -> Result<(), Failed> {
        self.stop(caller, op::ModelQuarantine, &order.version, VersionState::Quarantined, &order.reason).await
    }

    /// Takes an approved version out of use.
    ///
    /// # Errors
    /// When the caller may not, or the version is not approved.
    pub async fn retire(&self, caller: &Caller, version: &VersionRef, reason: &str) -> Result<(), Failed> {
        self.stop(caller, op::ModelRetire, version, VersionState::Retired, reason).await
    }

    /// Stops a version for ever.
    ///
    /// # Errors
    /// When the caller may not, or the version is revoked already.
    pub async fn revoke(&self, caller: &Caller, version: &VersionRef, reason: &str) -> Result<(), Failed> {
        self.stop(caller, op::ModelRevoke, version, VersionState::Revoked, reason).await
    }

    async fn stop<O: Operation<Resource = bartizan_policy::ModelFacts>>(
        &self,
        caller: &Caller,
        operation: O,
        version: &VersionRef,
        to: VersionState,
        reason: &str,
    ) -> Result<(), Failed> {
        check_text("reason", reason)?;
        let writer = self.stopping_writer().await?;
        let state = writer.state();
        let allowed = writer.allow(caller, operation, state.model_facts(version)).await?;
        let found = state.known_version(version)?;
        if !found.state.may_become(to) {
            return Err(Failed::conflict(version, format!("it is {} and cannot become {to}", found.state)));
        }
        let reason = writer.seal_document(reason.as_bytes().to_vec()).await?;
        let change = ModelStateV1 {
            version: version.clone(),
            manifest: found.body.manifest,
            from: found.state,
            previous: found.state_entry(),
            to,
            approvals: Vec::new(),
            reason: Some(reason),
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(change)]).await.map(|_| ())
    }

    /// Points an alias to a version.
    ///
    /// # Errors
    /// When the caller may not, or the version may not have that alias.
    pub async fn set_alias(
        &self,
        caller: &Caller,
        alias: &AliasRef,
        version: &VersionRef,
    ) -> Result<(), Failed> {
        let writer = self.writer().await?;
        let state = writer.state();
        let facts = state.alias_facts(alias, version);
        let allowed = writer.allow(caller, op::ModelAliasSet, facts).await?;
        self.compare_index(&writer).await?;
        let found = state.known_version(version)?;
        if alias.name != version.name {
            return Err(Failed::invalid(alias, "an alias names a version of its own model"));
        }
        let guarded = crate::limits::GUARDED_ALIASES.contains(&alias.alias.as_str());
        if found.stopped() || (guarded && found.state != VersionState::Approved) {
            return Err(Failed::conflict(
                version,
                format!("it is {}; this alias needs another state", found.state),
            ));
        }
        if guarded {
            check_approvals(&state, version)?;
        }
        check_twin(&state, found)?;
        let body = AliasV1 {
            model: alias.name.clone(),
            alias: alias.alias.clone(),
            version: Some(version.version),
            manifest: found.body.manifest,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Reads a version's stored bytes to the end and checks them, its signature and its statements.
    ///
    /// # Errors
    /// When the caller may not, a byte was changed, or the signature does not hold.
    pub async fn verify_model(
        &self,
        caller: &Caller,
        version: &VersionRef,
    ) -> Result<VerificationReport, Failed> {
        let facts = self.state().model_facts(version);
        self.allow(caller, op::ModelVerify, facts).await.map(|_| ())?;
        self.state().known_version(version)?;
        let (manifest, bundle, bytes) = self.read_everything(version).await?;
        let replayed = self.replayed().await?;
        let state = replayed.state();
        let found = state.known_version(version)?;
        let released = Released::<ModelVersion>::establish(&replayed, version, &manifest, &bundle);
        Ok(VerificationReport {
            version: version.clone(),
            manifest: found.body.manifest,
            files: found.body.files,
            bytes,
            state: found.state,
            released: released.is_ok(),
            not_released: released.err().map(|error| error.to_string()),
        })
    }

    /// Whether the project's signature over a version's manifest holds; its files are not read.
    ///
    /// # Errors
    /// When the version is unknown, or its manifest or bundle cannot be read.
    pub async fn signature_holds(&self, version: &VersionRef) -> Result<bool, Failed> {
        let version = version.clone();
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(PoisonError::into_inner).clone();
            let found = state.known_version(&version)?;
            let (manifest, _) = read_private(&inner.keys, inner.blobs.as_ref(), &found.body.manifest_blob)?;
            let (bundle, _) = read_private(&inner.keys, inner.blobs.as_ref(), &found.body.oms_bundle_blob)?;
            Ok(check_signature(&state, &version, &manifest, &bundle).is_ok())
        })
        .await
    }

    /// The declaration of origin and, when it was stopped, the reason, in words.
    ///
    /// # Errors
    /// When the version is unknown or the work is interrupted.
    pub async fn words_about(
        &self,
        version: &VersionRef,
    ) -> Result<(Option<String>, Option<String>), Failed> {
        let version = version.clone();
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(PoisonError::into_inner).clone();
            let found = state.known_version(&version)?;
            let text = |private: &crate::statement::Private| {
                let read = read_private(&inner.keys, inner.blobs.as_ref(), private).ok();
                read.and_then(|(bytes, _)| String::from_utf8(bytes).ok())
            };
            let declaration = state.origin_of(found).and_then(|origin| text(&origin.declared()?.declaration));
            let reason = found.last_reason.as_ref().and_then(text);
            Ok((declaration, reason))
        })
        .await
    }

    /// Compares the SQL index with the ledger before something rests on it.
    async fn compare_index(&self, writer: &Writer<'_>) -> Result<(), Failed> {
        let (state, checkpoint) = (writer.state(), self.checkpoint());
        self.inner.index.follow(&state, &checkpoint).await?;
        Ok(self.inner.index.compare(&state, crate::index::head_of(&checkpoint)).await?)
    }

    /// The fold of the ledger's bytes, trusting the root key alone: what was folded once, and what came since.
    pub(super) async fn replayed(&self) -> Result<Arc<Replayed>, Failed> {
        self.blocking(|inner| {
            let before = inner.replayed.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let snapshot = inner.ledger.snapshot()?;
            let replayed = match before {
                Some(before) if before.checkpoint().size() > snapshot.size() => before,
                Some(before) => Arc::new(before.advance(&snapshot)?),
                None => {
                    let root = inner.keys.signing(Purpose::ProjectRoot).public().clone();
                    Arc::new(replay(&snapshot, &root)?)
                }
            };
            *inner.replayed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&replayed));
            Ok(replayed)
        })
        .await
    }

    /// Reads manifest, bundle and every file of a version, and checks every byte.
    async fn read_everything(&self, version: &VersionRef) -> Result<(Vec<u8>, Vec<u8>, u64), Failed> {
        let version = version.clone();
        self.blocking(move |inner| {
            let state = inner.state.read().unwrap_or_else(PoisonError::into_inner).clone();
            let found = state.known_version(&version)?;
            let (manifest, _) = read_private(&inner.keys, inner.blobs.as_ref(), &found.body.manifest_blob)?;
            let (bundle, _) = read_private(&inner.keys, inner.blobs.as_ref(), &found.body.oms_bundle_blob)?;
            let parsed = check_signature(&state, &version, &manifest, &bundle).map_err(Failed::Signature)?;
            let mut total = 0_u64;
            for file in parsed.files() {
                total = total.saturating_add(read_file(inner, file)?);
            }
            Ok((manifest, bundle, total))
        })
        .await
    }
}

/// Refuses a version whose approvals no longer count: the tier was raised, or what they cover has changed.
pub(super) fn check_approvals(state: &State, version: &VersionRef) -> Result<(), Failed> {
    match state.approvals(version).map_or(0, |verdict| verdict.missing()) {
        0 => Ok(()),
        missing => {
            let why = format!("its approvals do not count any more: it needs {missing} more by other people");
            Err(Failed::conflict(version, why))
        }
    }
}

/// Refuses a version whose very files are stopped under another name.
pub(super) fn check_twin(state: &State, found: &Version) -> Result<(), Failed> {
    match state.stopped_twin(found) {
        Some(twin) if found.state != VersionState::Quarantined => Err(Failed::conflict(
            &found.body.version,
            format!("the same files are {} as {}", twin.state, twin.body.version),
        )),
        _ => Ok(()),
    }
}

/// Reads one file to its end; the reader checks the digest before the last bytes come out.
fn read_file(inner: &Inner, file: &ManifestFile) -> Result<u64, Failed> {
    let blob = inner.keys.blob_name(&file.sha256);
    let mut content = inner.keys.unseal(inner.blobs.as_ref(), &blob)?;
    if content.digest() != file.sha256 {
        let why = std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it is not the file that the manifest lists",
        );
        return Err(Failed::Content(why));
    }
    let mut buffer = vec![0; bartizan_base::limits::CHUNK_BYTES];
    let mut total = 0_u64;
    loop {
        let count = content.read(&mut buffer).map_err(Failed::Content)?;
        if count == 0 {
            return Ok(total);
        }
        total = total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), Failed> {
    if text.trim().is_empty() || text.len() > TEXT_BYTES {
        return Err(Failed::invalid(what, format!("it is 1 to {TEXT_BYTES} bytes of text")));
    }
    Ok(())
}
