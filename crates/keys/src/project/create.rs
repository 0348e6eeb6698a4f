//! Making the keys of a new project.

use std::sync::Arc;

use aws_lc_rs::hmac;
use bartizan_base::{BlobErrorKind, Blobs, ProjectId, Timestamp, canonical};
use rand_core::CryptoRng;

use super::open::assemble;
use super::record::{KEYS_FORMAT, KeyBody, KeyRecord, Role, SigningEntry, WrappingEntry, key_aad, keys_name};
use super::{CreateKeys, KeyInfo, KeyStatus, Keys, Purpose};
use crate::encoding::to_base64;
use crate::root::KeyStore;
use crate::secret::Secret;
use crate::signing::{SigningKey, SigningKeyInvalid};
use crate::wrap::WrappingKey;

pub(super) fn create(
    blobs: Arc<dyn Blobs>,
    root: &dyn KeyStore,
    project: ProjectId,
    rng: &mut dyn CryptoRng,
    now: Timestamp,
) -> Result<Keys, CreateKeys> {
    let name = keys_name();
    match blobs.open(&name) {
        Ok(_) => return Err(CreateKeys::Exists),
        Err(error) if error.kind == BlobErrorKind::NotFound => {}
        Err(error) => return Err(CreateKeys::Storage(error)),
    }

    let wrapping_secret = Secret::generate(rng);
    let wrapping = WrappingKey::new(&wrapping_secret)?;
    let aad = |role: Role| key_aad(project, wrapping.id(), &role);
    let wrapped = root.wrap(&wrapping_secret, &aad(Role::Wrapping)?, rng)?;

    let naming_secret = Secret::generate(rng);
    let naming_sealed = wrapping.wrap(naming_secret.expose(), &aad(Role::Naming)?, rng)?;
    let naming = hmac::Key::new(hmac::HMAC_SHA256, naming_secret.expose());

    let mut entries = Vec::new();
    let mut signing = Vec::new();
    for purpose in Purpose::ALL {
        let algorithm = purpose.algorithm();
        let (key, secret) = SigningKey::generate_with_secret(algorithm, rng)?;
        let (id, public) = (key.public().id(), key.public().clone());
        let sealed = wrapping.wrap(secret.expose(), &aad(Role::Signing(purpose, id))?, rng)?;
        let status = KeyStatus::Active;
        let entry = SigningEntry {
            algorithm,
            created_at: now,
            id,
            public: public.clone(),
            purpose,
            sealed: to_base64(&sealed),
            status,
        };
        entries.push(entry);
        signing.push((KeyInfo { id, purpose, algorithm, public, created_at: now, status }, key));
    }

    let description = root.describe();
    let body = KeyBody {
        created_at: now,
        development: description.development,
        format: KEYS_FORMAT.to_owned(),
        naming: to_base64(&naming_sealed),
        project,
        signing: entries,
        wrapping: WrappingEntry { id: wrapping.id(), root: wrapped.root, sealed: to_base64(&wrapped.bytes) },
    };
    let mac = wrapping.mac(&canonical::to_bytes(&body)?);
    let record = KeyRecord { body, mac: hex::encode(mac) };
    let bytes = canonical::to_bytes(&record)?;
    let signing = assemble(signing).map_err(|_| SigningKeyInvalid::Key)?;
    // The one write: until it is durable there are no keys.
    blobs.put(&[(&name, bytes.as_slice())])?;
    Ok(Keys {
        blobs,
        project,
        development: description.development,
        wrapping,
        naming,
        signing,
        locks: super::vault::Locks::default(),
    })
}
