//! `data source` and `data sign`: whose deliveries are whose.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bartizan_base::{Clock as _, Hasher};
use bartizan_keys::{PublicKey, SigningKey};
use bartizan_registry::sign_delivery;
use bartizan_registry::statement::{DELIVERY_FORMAT, DeliveryV1};
use bartizan_store::SystemClock;
use serde_json::json;

use super::data::report::apart;
use super::{Work, encoded, file_failure, read_text};
use crate::catalog::ids;
use crate::cli::{Sign, Source, SourceKeys};
use crate::failure::Failure;

/// Bytes of a file with a key.
const KEY_BYTES: u64 = 64 * 1024;

pub(super) async fn run(work: &Work, verb: Source) -> Result<u8, Failure> {
    match verb {
        Source::Add { name, keys } => {
            let body = json!({ "name": name, "keys": public_keys(&keys)? });
            work.answer(&work.client().await?.post("/api/v1/sources", &body).await?)
        }
        Source::List => work.show("/api/v1/sources").await,
        Source::Show { source } => work.show(&path(&source, "")).await,
        Source::Trust { source, keys } => {
            let body = json!({ "keys": public_keys(&keys)? });
            work.answer(&work.client().await?.post(&path(&source, "/keys"), &body).await?)
        }
        Source::Revoke { source, key, from } => {
            let from = from.map(|from| format!("?from={from}")).unwrap_or_default();
            let path = path(&source, &format!("/keys/{}{from}", encoded(&key)));
            work.answer(&work.client().await?.delete(&path).await?)
        }
        Source::Disable { source } => stand(work, &source, "disabled").await,
        Source::Enable { source } => stand(work, &source, "active").await,
    }
}

async fn stand(work: &Work, source: &str, standing: &str) -> Result<u8, Failure> {
    let body = json!({ "standing": standing });
    work.answer(&work.client().await?.post(&path(source, "/standing"), &body).await?)
}

fn path(source: &str, rest: &str) -> String {
    format!("/api/v1/sources/{}{rest}", encoded(source))
}

/// Reads the files here, so that one that is none is named.
fn public_keys(keys: &SourceKeys) -> Result<Vec<String>, Failure> {
    let read = |path: &PathBuf| {
        let text = read_text(path, KEY_BYTES)?;
        PublicKey::from_key_file(&text).map_err(|error| {
            let mut failure = Failure::of(ids::FILE, &error);
            failure.why.insert(0, format!("in `{}`", path.display()));
            failure
        })?;
        Ok(text)
    };
    keys.keys.iter().map(read).collect()
}

/// Signs a file that is to be delivered.
pub(super) fn sign(work: &Work, wanted: &Sign) -> Result<u8, Failure> {
    apart(wanted.out.as_deref().into_iter(), &[&wanted.key, &wanted.file])?;
    let text = read_text(&wanted.key, KEY_BYTES)?;
    let key = SigningKey::from_pkcs8_pem(&text).map_err(|error| {
        let mut failure = Failure::of(ids::FILE, &error);
        failure.why.insert(0, format!("in `{}`", wanted.key.display()));
        failure
    })?;
    let dataset = wanted.dataset.as_deref().map(str::parse).transpose();
    let dataset = dataset.map_err(|error| Failure::of(ids::USAGE, &error))?;
    let (digest, bytes) = digest(work, &wanted.file)?;
    let delivery =
        DeliveryV1 { at: SystemClock.now(), bytes, dataset, digest, format: DELIVERY_FORMAT.to_owned() };
    let envelope = sign_delivery(&key, &delivery)?;
    work.deliver(wanted.out.as_deref(), &envelope)
}

fn digest(work: &Work, path: &Path) -> Result<(bartizan_base::Digest, u64), Failure> {
    let file = super::data::open(path)?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let progress = work.out.progress(&format!("reading {}", path.display()), bytes);
    let (mut file, mut hasher, mut length) = (progress.follow(file), Hasher::new(), 0_u64);
    let mut piece = vec![0; 1024 * 1024];
    loop {
        let count = file.read(&mut piece).map_err(|error| file_failure(path, &error))?;
        if count == 0 {
            return Ok((hasher.finish(), length));
        }
        hasher.update(piece.get(..count).unwrap_or_default());
        length = length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}
