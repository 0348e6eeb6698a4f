//! Opening the keys of a project: every rule of the record is checked before a key is used.

use std::collections::HashSet;
use std::sync::Arc;

use aws_lc_rs::hmac;
use bartizan_base::{BlobErrorKind, Blobs, canonical, read_all};

use super::record::{KEYS_FORMAT, KeyBody, KeyRecord, Role, SigningEntry, key_aad, keys_name};
use super::{KeyInfo, KeyStatus, Keys, OpenKeys, Purpose, SigningKeys};
use crate::encoding::from_base64;
use crate::limits::{KEY_RECORD_BYTES, SIGNING_KEYS};
use crate::root::{KeyStore, Wrapped};
use crate::secret::Secret;
use crate::signing::SigningKey;
use crate::wrap::WrappingKey;

pub(super) fn open(blobs: Arc<dyn Blobs>, root: &dyn KeyStore) -> Result<Keys, OpenKeys> {
    let malformed = |reason| OpenKeys::Malformed { reason };
    let name = keys_name();
    let bytes = read_all(&*blobs, &name, KEY_RECORD_BYTES).map_err(|error| match error.kind {
        BlobErrorKind::NotFound => OpenKeys::NotFound,
        _ => OpenKeys::Storage(error),
    })?;
    let KeyRecord { body, mac } =
        canonical::from_bytes(&bytes).map_err(|_| malformed("not a canonical key record"))?;
    if body.format != KEYS_FORMAT {
        return Err(malformed("unknown format"));
    }
    if body.signing.len() > SIGNING_KEYS {
        return Err(malformed("too many signing keys"));
    }

    let wrapping = unlock(root, &body)?;
    // Upper-case digits would be another spelling of the record.
    let mac = hex::decode(&mac).ok().filter(|decoded| hex::encode(decoded) == mac);
    let authentic =
        canonical::to_bytes(&body).ok().zip(mac).is_some_and(|(body, mac)| wrapping.mac_matches(&body, &mac));
    if !authentic {
        return Err(OpenKeys::Changed);
    }

    let naming = secret(&wrapping, &body, Role::Naming, &body.naming)?;
    let mut signing = Vec::new();
    for entry in &body.signing {
        signing.push(open_signing(&wrapping, &body, entry)?);
    }
    Ok(Keys {
        blobs,
        project: body.project,
        development: body.development || root.describe().development,
        wrapping,
        naming: hmac::Key::new(hmac::HMAC_SHA256, naming.expose()),
        signing: assemble(signing)?,
        locks: super::vault::Locks::default(),
    })
}

fn unlock(root: &dyn KeyStore, body: &KeyBody) -> Result<WrappingKey, OpenKeys> {
    let entry = &body.wrapping;
    let bytes = from_base64(&entry.sealed).ok_or(OpenKeys::Malformed { reason: "a key is not base64" })?;
    let aad = key_aad(body.project, entry.id, &Role::Wrapping)?;
    let wrapping = WrappingKey::new(&root.unwrap(&Wrapped { root: entry.root, bytes }, &aad)?)?;
    if wrapping.id() != entry.id {
        return Err(OpenKeys::Changed);
    }
    Ok(wrapping)
}

fn secret(wrapping: &WrappingKey, body: &KeyBody, role: Role, sealed: &str) -> Result<Secret, OpenKeys> {
    let bytes = from_base64(sealed).ok_or(OpenKeys::Malformed { reason: "a key is not base64" })?;
    let aad = key_aad(body.project, wrapping.id(), &role)?;
    let plain = wrapping.unwrap(&bytes, &aad).ok_or(OpenKeys::Changed)?;
    Secret::from_slice(&plain).ok_or(OpenKeys::Changed)
}

fn open_signing(
    wrapping: &WrappingKey,
    body: &KeyBody,
    entry: &SigningEntry,
) -> Result<(KeyInfo, SigningKey), OpenKeys> {
    let malformed = |reason| OpenKeys::Malformed { reason };
    let SigningEntry { algorithm, created_at, id, public, purpose, sealed, status } = entry;
    if *algorithm != purpose.algorithm() {
        return Err(malformed("a key has another algorithm than its purpose"));
    }
    let secret = secret(wrapping, body, Role::Signing(*purpose, *id), sealed)?;
    let key = SigningKey::from_secret(*algorithm, &secret).map_err(|_| malformed("a key is not a key"))?;
    if key.public() != public || public.id() != *id {
        return Err(malformed("a key is not the one it says"));
    }
    let info = KeyInfo {
        id: *id,
        purpose: *purpose,
        algorithm: *algorithm,
        public: public.clone(),
        created_at: *created_at,
        status: *status,
    };
    Ok((info, key))
}

/// Sorts the keys into the fixed order and picks the newest active one of each purpose.
pub(super) fn assemble(mut keys: Vec<(KeyInfo, SigningKey)>) -> Result<SigningKeys, OpenKeys> {
    keys.sort_by_key(|(info, _)| (info.purpose, -info.created_at.millis(), info.id));
    let list: Vec<KeyInfo> = keys.iter().map(|(info, _)| info.clone()).collect();
    let mut ids = HashSet::new();
    if !list.iter().all(|key| ids.insert(key.id)) {
        return Err(OpenKeys::Malformed { reason: "a key stands there twice" });
    }
    let mut newest = |purpose: Purpose| {
        let wanted =
            |(info, _): &(KeyInfo, SigningKey)| info.purpose == purpose && info.status == KeyStatus::Active;
        let index = keys.iter().position(wanted).ok_or(OpenKeys::NoActiveKey { purpose })?;
        Ok::<_, OpenKeys>(keys.remove(index).1)
    };
    Ok(SigningKeys {
        project_root: newest(Purpose::ProjectRoot)?,
        ledger_origin: newest(Purpose::LedgerOrigin)?,
        access: newest(Purpose::Access)?,
        dataset: newest(Purpose::Dataset)?,
        registry: newest(Purpose::Registry)?,
        model_signing: newest(Purpose::ModelSigning)?,
        gateway: newest(Purpose::Gateway)?,
        list,
    })
}
