//! Sources of data: naming them, trusting and revoking their keys, and checking what they signed.

use std::collections::BTreeMap;
use std::io::Read;

use bartizan_base::{Name, SourceId, canonical};
use bartizan_keys::detached::{Detached, Minisign, MinisignHash};
use bartizan_keys::{Algorithm, KeyId, PublicKey, Sealed, SigningKey, UnsealFailed, dsse};
use bartizan_policy::{ProjectWide, SourceFacts, op};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Caller, Failed, Inner, Registry};
use crate::limits::{ED25519_DELIVERY_BYTES, PROFILE_TEXT_BYTES, SOURCE_KEYS, SOURCES};
use crate::proof::{ProveFailed, read_private};
use crate::state::{Source, State};
use crate::statement::{
    DELIVERY_FORMAT, DELIVERY_TYPE, DeliveryV1, RefusedBecause, SignatureForm, SourceKeyV1, SourceSignature,
    SourceV1, Standing, Statement,
};

/// What a source is called, format `bartizan-source-v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceProfile {
    format: String,
    name: String,
}

const SOURCE_FORMAT: &str = "bartizan-source-v1";

/// A source as its project knows it.
#[derive(Debug, Clone)]
pub struct SourceView {
    /// Its id.
    pub id: SourceId,
    /// What it is called, unless that was erased.
    pub name: Option<String>,
    /// What the ledger says.
    pub source: Source,
    /// Its accepted parts, over all data sets, and how many of them it signed with keys that count.
    pub parts: (u64, u64),
}

/// Why a delivery is refused for its signature.
pub(super) struct Unproven {
    pub(super) why: RefusedBecause,
    /// The revoked key that signed it.
    pub(super) key: Option<KeyId>,
}

impl From<RefusedBecause> for Unproven {
    fn from(why: RefusedBecause) -> Self {
        Self { why, key: None }
    }
}

impl Registry {
    /// Names a source of data and trusts its keys.
    ///
    /// # Errors
    /// When the caller may not, the name is taken, or a key is another source's.
    pub async fn add_source(
        &self,
        caller: &Caller,
        name: &str,
        keys: Vec<PublicKey>,
    ) -> Result<SourceId, Failed> {
        if name.trim().is_empty() || name.len() > PROFILE_TEXT_BYTES || name.chars().any(char::is_control) {
            let why = format!("a name is 1 to {PROFILE_TEXT_BYTES} bytes without control characters");
            return Err(Failed::invalid("the name of a source", why));
        }
        let writer = &self.writer().await?;
        let mut id = [0; 16];
        (self.inner.random)().fill_bytes(&mut id);
        let source = SourceId::from_random(id);
        let allowed = writer.allow(caller, op::SourceAdd, SourceFacts { source }).await?;
        let names = self.source_names().await?;
        if names.len() >= SOURCES {
            return Err(Failed::conflict("sources", format!("a project has at most {SOURCES}")));
        }
        // Whoever could name a source like an id could have people trust another one than they mean.
        if names.values().any(|taken| taken == name) || name.parse::<SourceId>().is_ok() {
            return Err(Failed::conflict(format!("source `{name}`"), "the name is taken"));
        }
        let profile = SourceProfile { format: SOURCE_FORMAT.to_owned(), name: name.to_owned() };
        let profile = canonical::to_bytes(&profile).map_err(|error| Failed::Sign(Box::new(error)))?;
        let mut stated = Vec::new();
        trust(&writer.state(), source, &mut stated, keys)?;
        let body = SourceV1 {
            source,
            profile: writer.seal_document(profile).await?,
            standing: Standing::Active,
            keys: stated,
            act: writer.act(&allowed),
        };
        writer.append(vec![Statement::about(body)]).await?;
        Ok(source)
    }

    /// Trusts further keys of a source.
    ///
    /// # Errors
    /// When the caller may not, there is no such source, or a key is trusted already.
    pub async fn trust_source_keys(
        &self,
        caller: &Caller,
        source: SourceId,
        keys: Vec<PublicKey>,
    ) -> Result<(), Failed> {
        if keys.is_empty() {
            return Err(Failed::invalid("keys", "there is none"));
        }
        let writer = &self.writer().await?;
        let allowed = writer.allow(caller, op::SourceAdd, SourceFacts { source }).await?;
        let state = writer.state();
        let mut body = stated(&state, source, writer.act(&allowed))?;
        trust(&state, source, &mut body.keys, keys)?;
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Revokes a key of a source: what it signed does not count from an entry on, which is that of the revocation
    /// unless an earlier one is named.
    ///
    /// # Errors
    /// When the caller may not, or the source has no such key that could be revoked.
    pub async fn revoke_source_key(
        &self,
        caller: &Caller,
        source: SourceId,
        key: KeyId,
        from: Option<u64>,
    ) -> Result<u64, Failed> {
        let writer = &self.stopping_writer().await?;
        let allowed = writer.allow(caller, op::SourceRevoke, SourceFacts { source }).await?;
        let state = writer.state();
        let mut body = stated(&state, source, writer.act(&allowed))?;
        let own = state.next_index();
        let from = from.unwrap_or(own);
        let found = body.keys.iter_mut().find(|found| found.key == key);
        let found = found.ok_or_else(|| Failed::not_found("key of that source", key))?;
        if from > own || found.revoked.is_some_and(|already| already <= from) {
            let why = match found.revoked {
                Some(already) => format!("it is revoked from entry {already} on"),
                None => format!("entry {from} is yet to come"),
            };
            return Err(Failed::conflict(format!("key {key}"), why));
        }
        found.revoked = Some(from);
        writer.append(vec![Statement::about(body)]).await?;
        Ok(from)
    }

    /// Disables a source, so that no delivery of it is taken, or enables it again.
    ///
    /// # Errors
    /// When the caller may not, or it stands so already.
    pub async fn set_source_standing(
        &self,
        caller: &Caller,
        source: SourceId,
        standing: Standing,
    ) -> Result<(), Failed> {
        let facts = SourceFacts { source };
        let (writer, act) = match standing {
            Standing::Active => {
                let writer = self.writer().await?;
                let allowed = writer.allow(caller, op::SourceAdd, facts).await?;
                let act = writer.act(&allowed);
                (writer, act)
            }
            Standing::Disabled => {
                let writer = self.stopping_writer().await?;
                let allowed = writer.allow(caller, op::SourceRevoke, facts).await?;
                let act = writer.act(&allowed);
                (writer, act)
            }
        };
        let mut body = stated(&writer.state(), source, act)?;
        if body.standing == standing {
            return Err(Failed::conflict(format!("source {source}"), format!("it is {standing} already")));
        }
        body.standing = standing;
        writer.append(vec![Statement::about(body)]).await.map(|_| ())
    }

    /// Lists the sources, by name.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_sources(&self, caller: &Caller) -> Result<Vec<SourceView>, Failed> {
        self.allow(caller, op::SourceList, ProjectWide).await.map(|_| ())?;
        let names = self.source_names().await?;
        let state = self.state();
        let mut parts: BTreeMap<SourceId, (u64, u64)> = BTreeMap::new();
        for dataset in state.datasets().values().flat_map(|versions| versions.values()) {
            for from in dataset.body.parts.iter().filter_map(|part| part.from.as_ref()) {
                let counted = parts.entry(from.source).or_default();
                counted.0 = counted.0.saturating_add(1);
                let signed = from.signature.as_ref().is_some_and(|signature| {
                    let source = state.sources().get(&from.source);
                    source.is_some_and(|source| source.counts(signature.key, dataset.statement.entry))
                });
                counted.1 = counted.1.saturating_add(u64::from(signed));
            }
        }
        let view = |(id, source): (&SourceId, &Source)| SourceView {
            id: *id,
            name: names.get(id).cloned(),
            source: source.clone(),
            parts: parts.get(id).copied().unwrap_or_default(),
        };
        let mut views: Vec<SourceView> = state.sources().iter().map(view).collect();
        views.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(views)
    }

    /// Finds a source by its id or its name.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find_source(&self, text: &str) -> Result<SourceId, Failed> {
        if let Ok(id) = text.parse::<SourceId>() {
            return Ok(id);
        }
        let named = self.source_names().await?.into_iter().find(|(_, name)| name == text);
        let shown = || text.chars().take(80).collect::<String>();
        named.map(|(id, _)| id).ok_or_else(|| Failed::not_found("source", shown()))
    }

    /// The names behind the pseudonyms of sources, as far as they were not erased.
    ///
    /// # Errors
    /// When one is neither erased nor can be read: taking it for none would let its source go unrecognised.
    pub async fn source_names(&self) -> Result<BTreeMap<SourceId, String>, Failed> {
        self.blocking(|inner| {
            let state = inner.state.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            let mut names = BTreeMap::new();
            for (id, source) in state.sources() {
                let bytes = match read_private(&inner.keys, inner.blobs.as_ref(), &source.profile) {
                    Ok((bytes, _)) => bytes,
                    Err(ProveFailed::Document(
                        UnsealFailed::Erased { .. } | UnsealFailed::NotFound { .. },
                    )) => continue,
                    Err(failed) => return Err(failed.into()),
                };
                let profile: SourceProfile = canonical::from_bytes(&bytes)
                    .map_err(|error| Failed::invalid(format!("the stored name of source {id}"), error))?;
                names.insert(*id, profile.name);
            }
            Ok(names)
        })
        .await
    }
}

/// The statement that repeats what is known of a source.
fn stated(state: &State, source: SourceId, act: crate::statement::Act) -> Result<SourceV1, Failed> {
    let found = state.sources().get(&source).ok_or_else(|| Failed::not_found("source", source))?;
    let Source { profile, standing, keys, .. } = found.clone();
    Ok(SourceV1 { source, profile, standing, keys, act })
}

/// Adds keys to those of a source, unless one of them is known already.
fn trust(
    state: &State,
    source: SourceId,
    stated: &mut Vec<SourceKeyV1>,
    keys: Vec<PublicKey>,
) -> Result<(), Failed> {
    for public_key in keys {
        let key = public_key.id();
        let taken = |why| Err(Failed::conflict(format!("key {key}"), why));
        if stated.iter().any(|known| known.key == key) {
            return taken("the source has it already; what is revoked stays revoked");
        }
        let elsewhere = state.sources().iter().any(|(id, found)| *id != source && found.key(key).is_some());
        if elsewhere {
            return taken("it is another source's: a signature has to say whose it is");
        }
        if stated.len() >= SOURCE_KEYS {
            return Err(Failed::conflict("keys", format!("a source has at most {SOURCE_KEYS}")));
        }
        stated.push(SourceKeyV1 { key, algorithm: public_key.algorithm(), public_key, revoked: None });
    }
    Ok(())
}

/// Signs that a source delivers bytes with this digest: an envelope that `data add --signature` takes.
///
/// # Errors
/// When the key does not sign.
pub fn sign_delivery(key: &SigningKey, delivery: &DeliveryV1) -> Result<Vec<u8>, Failed> {
    let payload = canonical::to_bytes(delivery).map_err(|error| Failed::Sign(Box::new(error)))?;
    let envelope = dsse::sign(DELIVERY_TYPE, &payload, &[key]);
    Ok(envelope.map_err(|error| Failed::Sign(Box::new(error)))?.to_bytes())
}

impl Inner {
    /// Finds which key of a source made a detached signature over a delivery that was taken in. All of the source's
    /// keys are looked at, so that a revoked one is told from a wrong signature.
    pub(super) fn signed_by(
        &self,
        source: &Source,
        signature: &[u8],
        sealed: &Sealed,
        dataset: &Name,
    ) -> Result<Result<SourceSignature, Unproven>, Failed> {
        let Ok(detached) = Detached::parse(signature) else {
            return Ok(Err(RefusedBecause::WrongSignature.into()));
        };
        // The whole file is only read for keys that could have signed it.
        let ed25519 = || source.keys.iter().filter(|key| key.algorithm == Algorithm::Ed25519);
        let wrong = || Unproven::from(RefusedBecause::WrongSignature);
        let verified = match &detached {
            Detached::Envelope(envelope) => in_envelope(source, envelope, sealed, dataset),
            Detached::Minisign(_) if ed25519().next().is_none() => Err(wrong()),
            Detached::Raw(value) => {
                let ecdsa = source
                    .keys
                    .iter()
                    .find(|key| key.public_key.verify_sha256(&sealed.digest, value).is_ok());
                match ecdsa {
                    Some(key) => Ok(made_by(key, SignatureForm::EcdsaSha256, value)),
                    None if value.len() == 64 && ed25519().next().is_some() => {
                        let content = self.whole(sealed)?;
                        let verifies = |key: &&SourceKeyV1| key.public_key.verify(&content, value).is_ok();
                        let key = ed25519().find(verifies).ok_or_else(wrong);
                        key.map(|key| made_by(key, SignatureForm::Ed25519, value))
                    }
                    None => Err(wrong()),
                }
            }
            Detached::Minisign(minisign) => {
                let message = self.minisigned(minisign, sealed)?;
                let verifies = |key: &&SourceKeyV1| minisign.verify(&key.public_key, &message).is_ok();
                let key = ed25519().find(verifies).ok_or_else(wrong);
                key.map(|key| made_by(key, SignatureForm::Minisign, minisign.signature()))
            }
        };
        Ok(verified.and_then(|signature| match source.key(signature.key) {
            Some(key) if key.revoked.is_some() => {
                Err(Unproven { why: RefusedBecause::RevokedKey, key: Some(key.key) })
            }
            _ => Ok(signature),
        }))
    }

    fn whole(&self, sealed: &Sealed) -> Result<Vec<u8>, Failed> {
        if sealed.size > ED25519_DELIVERY_BYTES {
            let why = format!(
                "Ed25519 signs the whole file, which is only checked up to {ED25519_DELIVERY_BYTES} bytes: sign it \
                 with `bartizan data sign`, `minisign` or a P-256 key"
            );
            return Err(Failed::invalid("signature", why));
        }
        let mut content = Vec::new();
        let mut unsealed = self.keys.unseal(self.blobs.as_ref(), &sealed.blob)?;
        unsealed.read_to_end(&mut content).map_err(Failed::Content)?;
        Ok(content)
    }

    /// What a signature of minisign is over.
    fn minisigned(&self, minisign: &Minisign, sealed: &Sealed) -> Result<Vec<u8>, Failed> {
        if !minisign.prehashed() {
            return self.whole(sealed);
        }
        let mut unsealed = self.keys.unseal(self.blobs.as_ref(), &sealed.blob)?;
        let mut hash = MinisignHash::default();
        let mut piece = vec![0; 1024 * 1024];
        loop {
            let count = unsealed.read(&mut piece).map_err(Failed::Content)?;
            if count == 0 {
                return Ok(hash.finish().to_vec());
            }
            hash.update(piece.get(..count).unwrap_or_default());
        }
    }
}

fn made_by(key: &SourceKeyV1, form: SignatureForm, value: &[u8]) -> SourceSignature {
    SourceSignature { key: key.key, form, value: STANDARD.encode(value), at: None, bound: false }
}

/// Checks an envelope and compares what it says with the delivery: digest, length, and data set if it names one.
fn in_envelope(
    source: &Source,
    envelope: &dsse::Envelope,
    sealed: &Sealed,
    dataset: &Name,
) -> Result<SourceSignature, Unproven> {
    let wrong = || Unproven::from(RefusedBecause::WrongSignature);
    let value = envelope.sole_signature_bytes().ok_or_else(wrong)?.to_vec();
    let keys: Vec<&PublicKey> = source.keys.iter().map(|key| &key.public_key).collect();
    let verified = envelope.clone().verify_sole(&keys, DELIVERY_TYPE).map_err(|_| wrong())?;
    let key = *verified.signers().first().ok_or_else(wrong)?;
    let delivery: DeliveryV1 = canonical::from_bytes(&verified.get().bytes).map_err(|_| wrong())?;
    let same = delivery.format == DELIVERY_FORMAT
        && delivery.digest == sealed.digest
        && delivery.bytes == sealed.size;
    if !same {
        return Err(wrong());
    }
    if delivery.dataset.as_ref().is_some_and(|named| named != dataset) {
        return Err(RefusedBecause::OtherDataset.into());
    }
    Ok(SourceSignature {
        key,
        form: SignatureForm::Dsse,
        value: STANDARD.encode(value),
        at: Some(delivery.at),
        bound: delivery.dataset.is_some(),
    })
}
