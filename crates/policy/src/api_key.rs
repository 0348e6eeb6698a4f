//! API keys: making them, reading them, and admitting the service that presents one.
//!
//! ```text
//!   issue(terms, rng, now) --> ApiKey (shown once) + IssuedKey (stored: a verifier, never the secret)
//!   text --ApiKey::parse--> ApiKey --admit(stored, from, now)--> Admitted --ContextFacts::api_key--> decide
//! ```
//!
//! The bytes are specified in `docs/formats/api-key.md`. The stored verifier is one SHA-256, without salt or
//! stretching: those protect secrets that people choose, whereas this one is 256 uniformly random bits that
//! cannot be guessed at any speed, and every request with a key pays for the hash.

mod scopes;
mod text;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use bartizan_base::{Digest, Hasher, PrincipalId, Timestamp};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

pub use self::scopes::{Scopes, ScopesInvalid};
use crate::facts::NetworkClass;
use crate::limits::{API_KEY_BYTES, API_KEY_DAYS, ENROLMENT_DAYS};
use crate::network::Networks;
use crate::role::PersonId;

const VERIFIER_DOMAIN: &[u8] = b"bartizan-api-key-v1\0";
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The public part of an API key: 64 random bits, written as 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId([u8; 8]);

/// The text is not the id of an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of an API key: expected 16 lowercase hexadecimal digits")]
pub struct ApiKeyIdInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

/// A whole API key, secret included. It has no `Display`; [`ApiKey::reveal`] is the one way to its text.
pub struct ApiKey {
    id: ApiKeyId,
    secret: Zeroizing<[u8; 32]>,
}

/// What is stored instead of the secret: SHA-256 over domain, id and secret.
#[derive(Clone)]
pub struct Verifier(Digest);

/// What a key is issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The principal that the key authenticates.
    pub principal: PrincipalId,
    /// The person responsible for that principal.
    pub person: PersonId,
    /// What it may be used for at most.
    pub scopes: Scopes,
    /// From where it may be used.
    pub networks: Networks,
    /// When it ends; every key ends.
    pub expires_at: Timestamp,
}

/// The terms cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsInvalid {
    /// The key would end before it begins.
    #[error("an API key that expires at `{expires_at}` would be expired already")]
    Expired {
        /// The end that was asked for.
        expires_at: Timestamp,
    },
    /// The key would live too long.
    #[error("an API key that expires at `{expires_at}` would live longer than {days} days")]
    TooLong {
        /// The end that was asked for.
        expires_at: Timestamp,
        /// How long such a key may live.
        days: i64,
    },
}

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// The public part.
    pub id: ApiKeyId,
    /// What presented secrets are compared with.
    pub verifier: Verifier,
    /// What it was issued for.
    pub terms: Terms,
    /// Whether it has been revoked.
    pub revoked: bool,
    /// Whether somebody else issued it in tier explore and the project has been raised to release since.
    pub handed_over: bool,
}

/// Why a key was not admitted. Every value is displayed alike, so that an answer tells nothing about which keys exist;
/// that one has ended is established after its secret, and may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API key is not accepted")]
pub enum NotAdmitted {
    /// Not the text of a key, or mistyped: the checksum is wrong.
    Malformed,
    /// No key has this id.
    Unknown,
    /// A key has this id, and another secret.
    WrongSecret,
    /// The key has been revoked.
    Revoked,
    /// Somebody else issued it in tier explore, which does not count in tier release.
    HandedOver,
    /// The key has expired.
    Expired,
    /// The request came from outside the key's network ranges.
    WrongNetwork,
}

impl NotAdmitted {
    /// A stable word for counters and logs, for example `wrong-network`.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong-secret",
            Self::Revoked => "revoked",
            Self::HandedOver => "handed-over",
            Self::Expired => "expired",
            Self::WrongNetwork => "wrong-network",
        }
    }
}

/// A key that was presented with its secret, in time, and from a network of its own. Only [`admit`] makes it.
#[derive(Debug)]
pub struct Admitted {
    id: ApiKeyId,
    terms: Terms,
    network: NetworkClass,
}

impl Admitted {
    /// The key.
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The principal that it authenticates.
    pub const fn principal(&self) -> PrincipalId {
        self.terms.principal
    }

    /// The person responsible for that principal.
    pub const fn person(&self) -> PersonId {
        self.terms.person
    }

    /// What it may be used for at most.
    pub const fn scopes(&self) -> &Scopes {
        &self.terms.scopes
    }

    /// When it ends.
    pub const fn expires_at(&self) -> Timestamp {
        self.terms.expires_at
    }

    /// The class of the network it was presented from.
    pub const fn network(&self) -> NetworkClass {
        self.network
    }
}

/// Makes a key for `terms`. The first part is shown to its owner once and then dropped; the second is stored.
///
/// # Errors
/// When the key would be expired at `now`, or would live longer than [`API_KEY_DAYS`], for an enrolment key
/// [`ENROLMENT_DAYS`].
pub fn issue(
    terms: Terms,
    rng: &mut dyn CryptoRng,
    now: Timestamp,
) -> Result<(ApiKey, IssuedKey), TermsInvalid> {
    let expires_at = terms.expires_at;
    if expires_at <= now {
        return Err(TermsInvalid::Expired { expires_at });
    }
    let days = if terms.scopes.enrol() { ENROLMENT_DAYS } else { API_KEY_DAYS };
    if expires_at > now.plus_millis(days * DAY_MILLIS) {
        return Err(TermsInvalid::TooLong { expires_at, days });
    }
    let mut id = [0; 8];
    rng.fill_bytes(&mut id);
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut_slice());
    let key = ApiKey { id: ApiKeyId(id), secret };
    let issued =
        IssuedKey { id: key.id, verifier: Verifier::of(&key), terms, revoked: false, handed_over: false };
    Ok((key, issued))
}

/// Compares a presented key with the stored one of the same id, if there is one.
///
/// The secret is judged first and in constant time, with the same work for an unknown id, so that neither the
/// answer nor its timing tells somebody without the secret whether a key exists, is revoked or has expired.
///
/// # Errors
/// When the key is unknown, its secret differs, or it is revoked, expired at `now` or used from elsewhere.
pub fn admit(
    stored: Option<&IssuedKey>,
    presented: &ApiKey,
    from: IpAddr,
    now: Timestamp,
) -> Result<Admitted, NotAdmitted> {
    let shown = Verifier::of(presented);
    let nobody = Verifier(Digest::from_bytes([0; 32]));
    let stored = stored.filter(|issued| issued.id == presented.id);
    let same = shown.matches(stored.map_or(&nobody, |issued| &issued.verifier));
    let Some(issued) = stored else { return Err(NotAdmitted::Unknown) };
    if !same {
        return Err(NotAdmitted::WrongSecret);
    }
    if issued.revoked {
        return Err(NotAdmitted::Revoked);
    }
    if issued.handed_over {
        return Err(NotAdmitted::HandedOver);
    }
    if issued.terms.expires_at <= now {
        return Err(NotAdmitted::Expired);
    }
    if !issued.terms.networks.contains(from) {
        return Err(NotAdmitted::WrongNetwork);
    }
    Ok(Admitted { id: issued.id, terms: issued.terms.clone(), network: NetworkClass::of(from) })
}

impl ApiKey {
    /// Reads the text of a key and checks its checksum.
    ///
    /// # Errors
    /// [`NotAdmitted::Malformed`] for anything that [`ApiKey::reveal`] does not write.
    pub fn parse(text: &str) -> Result<Self, NotAdmitted> {
        Self::read(text).ok_or(NotAdmitted::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() != API_KEY_BYTES {
            return None;
        }
        let (body, checksum) = text.rsplit_once('_')?;
        let (id, secret) = body.strip_prefix(text::PREFIX)?.split_once('_')?;
        if checksum != format!("{:08x}", text::crc32(body.as_bytes())) {
            return None;
        }
        let id = id.parse().ok()?;
        Some(Self { id, secret: Zeroizing::new(text::decode(secret.as_bytes())?) })
    }

    /// The public part.
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The whole text, secret included: `bz_<id>_<secret>_<checksum>`, for its owner and nobody else.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut digits = text::encode(&self.secret);
        let mut whole = Zeroizing::new(String::with_capacity(API_KEY_BYTES));
        whole.push_str(text::PREFIX);
        whole.push_str(&self.id.to_string());
        whole.push('_');
        whole.extend(digits.iter().copied().map(char::from));
        digits.zeroize();
        let checksum = text::crc32(whole.as_bytes());
        whole.push_str(&format!("_{checksum:08x}"));
        whole
    }
}

impl Verifier {
    /// The verifier of `key`.
    pub fn of(key: &ApiKey) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(VERIFIER_DOMAIN);
        hasher.update(&key.id.0);
        hasher.update(key.secret.as_slice());
        Self(hasher.finish())
    }

    /// The verifier whose 32 stored bytes are `digest`.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The 32 bytes to store.
    pub const fn digest(&self) -> Digest {
        self.0
    }

    fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().as_slice().ct_eq(other.0.as_bytes().as_slice()).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, secret redacted)", self.id)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(redacted)")
    }
}

impl Serialize for Verifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Digest::deserialize(deserializer).map(Self)
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ApiKeyId {
    type Err = ApiKeyIdInvalid;

    fn from_str(text: &str) -> Result<Self, ApiKeyIdInvalid> {
        let mut bytes = [0; 8];
        let decoded = hex::decode_to_slice(text, &mut bytes).is_ok();
        if decoded && !text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Ok(Self(bytes));
        }
        Err(ApiKeyIdInvalid { text: text.chars().take(80).collect() })
    }
}

impl Serialize for ApiKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiKeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
