//! Folding statements about sources of data, and checking what they signed.

use bartizan_base::{Name, SourceId, canonical};
use bartizan_keys::{KeyId, PublicKey, dsse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Coverage, NotAdmitted, State, edge};
use crate::deed::Deed;
use crate::limits::{PARTS_PER_STATEMENT, SIGNED_PARTS_PER_STATEMENT, SOURCE_KEYS};
use crate::statement::{
    DELIVERY_FORMAT, DELIVERY_TYPE, DeliveryV1, FromSource, PartV1, Private, RefusalV1, SignatureForm,
    SourceKeyV1, SourceSignature, SourceV1, Standing,
};

/// A source of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is called, encrypted.
    pub profile: Private,
    /// Whether deliveries of it are taken.
    pub standing: Standing,
    /// Its keys, in the order in which they came to be trusted.
    pub keys: Vec<SourceKeyV1>,
    /// The entries that say so, first to last.
    pub entries: Vec<u64>,
    /// Deliveries that were refused for their signatures: how many, and the last entry that says so.
    pub refused: Option<(u64, u64)>,
}

impl Source {
    /// How it stands, as in [`MapKind::Source`](crate::statement::MapKind::Source).
    pub(crate) fn word(&self) -> String {
        let mut word = self.standing.to_string();
        for key in &self.keys {
            word.push_str(&format!(" {}", key.key));
            if let Some(from) = key.revoked {
                word.push_str(&format!("@{from}"));
            }
        }
        word
    }

    /// The key of that id.
    pub fn key(&self, id: KeyId) -> Option<&SourceKeyV1> {
        self.keys.iter().find(|key| key.key == id)
    }

    /// Whether what a key signed counts for a delivery that an entry states.
    pub fn counts(&self, key: KeyId, entry: u64) -> bool {
        self.key(key).is_some_and(|key| key.revoked.is_none_or(|from| entry < from))
    }
}

/// What one statement about a source changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// More is trusted than before.
    Widens,
    /// Less is.
    Narrows,
}

impl State {
    /// The sources of data.
    pub fn sources(&self) -> &imbl::OrdMap<SourceId, Source> {
        &self.sources
    }

    pub(super) fn apply_source(&mut self, index: u64, body: &SourceV1) -> Result<(), NotAdmitted> {
        let what = || body.source;
        let refuse = |why| edge(index, what(), why);
        let before = self.sources.get(&body.source);
        let change = change(before, body, index).map_err(refuse)?;
        let deed = match change {
            Change::Widens => Deed::source_add(body.source),
            Change::Narrows => Deed::source_revoke(body.source),
        };
        let mut entries = before.map(|found| found.entries.clone()).unwrap_or_default();
        let refused = before.and_then(|found| found.refused);
        for key in &body.keys {
            if key.key != key.public_key.id() || key.algorithm != key.public_key.algorithm() {
                return Err(refuse("a key has another id or algorithm than it says"));
            }
            // One key is one source's, so that a signature says whose it is.
            if self.source_keys.get(&key.key).is_some_and(|owner| *owner != body.source) {
                return Err(refuse("a key of it is another source's"));
            }
        }
        self.consume(index, &body.act, &deed)?;
        entries.push(index);
        for key in &body.keys {
            self.source_keys.insert(key.key, body.source);
        }
        let (profile, standing, keys) = (body.profile.clone(), body.standing, body.keys.clone());
        self.sources.insert(body.source, Source { profile, standing, keys, entries, refused });
        Ok(())
    }

    pub(super) fn apply_refusal(&mut self, index: u64, body: &RefusalV1) -> Result<(), NotAdmitted> {
        self.consume(index, &body.act, &Deed::data_add(&body.name))?;
        let refuse = |why| edge(index, format!("data set {}", body.name), why);
        if body.deliveries.len() > PARTS_PER_STATEMENT {
            return Err(refuse("it refuses too many deliveries at once"));
        }
        if body.deliveries.iter().all(|delivery| delivery.why.is_none()) {
            return Err(refuse("it refuses nothing"));
        }
        for delivery in &body.deliveries {
            let Some(id) = delivery.source else { continue };
            match self.sources.get_mut(&id) {
                Some(source) if delivery.why.is_some() => {
                    let (count, _) = source.refused.unwrap_or_default();
                    source.refused = Some((count.saturating_add(1), index));
                }
                Some(_) => {}
                None if self.coverage == Coverage::Excerpt => {}
                None => return Err(refuse("no entry states the source of a delivery")),
            }
        }
        Ok(())
    }

    /// Checks what the parts of a delivery say of their sources, and the signatures that can be checked here.
    pub(super) fn check_sources(
        &self,
        index: u64,
        name: &Name,
        parts: &[PartV1],
        demanded: bool,
    ) -> Result<(), NotAdmitted> {
        let refuse = |why| edge(index, format!("data set {name}"), why);
        let signed =
            parts.iter().filter(|part| part.from.as_ref().is_some_and(|from| from.signature.is_some()));
        if signed.count() > SIGNED_PARTS_PER_STATEMENT {
            return Err(refuse("it adds too many signed parts at once"));
        }
        for part in parts {
            let Some(FromSource { source, signature }) = &part.from else {
                if demanded {
                    return Err(refuse("it takes signed parts alone, and one is not"));
                }
                continue;
            };
            let found = self.sources.get(source);
            let found = found.ok_or_else(|| refuse("no entry states the source of a part"))?;
            if found.standing != Standing::Active {
                return Err(refuse("the source of a part is disabled"));
            }
            match signature {
                None if demanded => return Err(refuse("it takes signed parts alone, and one is not")),
                None => {}
                Some(signature) => {
                    let key = found.key(signature.key).filter(|_| found.counts(signature.key, index));
                    let key = key.ok_or_else(|| refuse("a part is signed by no key of its source"))?;
                    if !signature_holds(&key.public_key, signature, name, part) {
                        return Err(refuse("the signature of a part does not hold"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Says whether a statement trusts more or less than the one before; it can't do both, or neither.
fn change(before: Option<&Source>, body: &SourceV1, index: u64) -> Result<Change, &'static str> {
    if body.keys.len() > SOURCE_KEYS {
        return Err("it has too many keys");
    }
    let mut seen = std::collections::BTreeSet::new();
    if !body.keys.iter().all(|key| seen.insert(key.key)) {
        return Err("it has a key twice");
    }
    if body.keys.iter().any(|key| key.revoked.is_some_and(|from| from > index)) {
        return Err("a key is revoked from an entry that is yet to come");
    }
    let Some(before) = before else {
        let new = body.standing == Standing::Active && body.keys.iter().all(|key| key.revoked.is_none());
        return if new { Ok(Change::Widens) } else { Err("a new source is active, and so are its keys") };
    };
    if before.profile != body.profile {
        return Err("its name does not change");
    }
    let (old, new) = body.keys.split_at_checked(before.keys.len()).ok_or("a key of it is left out")?;
    let (mut wider, mut narrower) = (!new.is_empty(), false);
    if new.iter().any(|key| key.revoked.is_some()) {
        return Err("a new key is revoked already");
    }
    for (was, is) in before.keys.iter().zip(old) {
        if was.key != is.key || was.public_key != is.public_key {
            return Err("a key of it is left out");
        }
        match (was.revoked, is.revoked) {
            (was, is) if was == is => {}
            (None, Some(_)) => narrower = true,
            // It comes out later that a key was in other hands for longer.
            (Some(was), Some(is)) if is < was => narrower = true,
            _ => return Err("what is revoked stays revoked"),
        }
    }
    match (before.standing, body.standing) {
        (Standing::Active, Standing::Disabled) => narrower = true,
        (Standing::Disabled, Standing::Active) => wider = true,
        _ => {}
    }
    match (wider, narrower) {
        (true, false) => Ok(Change::Widens),
        (false, true) => Ok(Change::Narrows),
        _ => Err("it trusts more or less than before: one of the two"),
    }
}

/// Whether a signature is what it says, as far as that can be told from the digest of the bytes. What cannot be is
/// checked by the server when it has the bytes, and asserted from then on.
fn signature_holds(key: &PublicKey, signature: &SourceSignature, name: &Name, part: &PartV1) -> bool {
    let Ok(value) = STANDARD.decode(&signature.value) else { return false };
    let envelope = signature.form == SignatureForm::Dsse;
    if envelope != signature.at.is_some() || (signature.bound && !envelope) {
        return false;
    }
    match (signature.form, signature.at) {
        (SignatureForm::Dsse, Some(at)) => {
            let delivery = DeliveryV1 {
                at,
                bytes: part.bytes,
                dataset: signature.bound.then(|| name.clone()),
                digest: part.digest,
                format: DELIVERY_FORMAT.to_owned(),
            };
            let Ok(payload) = canonical::to_bytes(&delivery) else { return false };
            key.verify(&dsse::pae(DELIVERY_TYPE, &payload), &value).is_ok()
        }
        (SignatureForm::EcdsaSha256, _) => key.verify_sha256(&part.digest, &value).is_ok(),
        (SignatureForm::Ed25519 | SignatureForm::Minisign, _) => value.len() == 64,
        (SignatureForm::Dsse, None) => false,
    }
}
