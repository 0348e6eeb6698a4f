//! Tokens in the place of personal values: made for whoever may, turned back for few, both on the record.

use std::collections::BTreeMap;

use bartizan_base::{BlobErrorKind, BlobName, read_all};
use bartizan_data::limits::VAULT_BYTES;
use bartizan_data::pii::vault::{NotOpened, Token, Vault, shard};
use bartizan_data::pii::{hashed, preserve};
use bartizan_keys::pseudonyms::Pseudonyms;
use bartizan_policy::{Allowed, ProjectWide, op};

use super::{Caller, Failed, Inner, Registry};
use crate::limits::{TOKEN_KIND_BYTES, TOKENS};

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenForm {
    /// Like the value: digits stay digits. Nothing is stored.
    Preserved,
    /// A keyed hash, which nobody turns back. Nothing is stored.
    Hash,
    /// Random; the value lies encrypted in the project's vault.
    Random,
}

/// A value, or where in the list that was asked for there is something that has none.
type Result<T> = std::result::Result<T, Failed>;

impl Registry {
    /// Gives tokens for values of the kind with that id, in their order.
    ///
    /// # Errors
    /// When the caller may not, a value has no token of this form, or the vault cannot be written. Values are in no
    /// error, only their places.
    pub async fn tokenize(
        &self,
        caller: &Caller,
        kind: String,
        form: TokenForm,
        values: Vec<String>,
    ) -> Result<Vec<String>> {
        limited(&kind, values.len())?;
        // The turn also keeps two requests from writing the same part of the vault.
        let writer = self.writer().await?;
        let allowed = writer.allow(caller, op::DataTokenize, ProjectWide).await?;
        self.blocking(move |inner| give(inner, &allowed, &kind, form, &values)).await
    }

    /// Turns tokens back, in their order. Those that look like their value need the id of their kind; of random ones
    /// the vault knows it.
    ///
    /// # Errors
    /// When the caller may not, or something is no token of this project.
    pub async fn detokenize(
        &self,
        caller: &Caller,
        kind: Option<String>,
        tokens: Vec<String>,
    ) -> Result<Vec<String>> {
        limited(kind.as_deref().unwrap_or("token"), tokens.len())?;
        let allowed = self.allow(caller, op::DataDetokenize, ProjectWide).await?;
        self.blocking(move |inner| turn_back(inner, &allowed, kind.as_deref(), &tokens)).await
    }
}

fn give(
    inner: &Inner,
    _: &Allowed<op::DataTokenize>,
    kind: &str,
    form: TokenForm,
    values: &[String],
) -> Result<Vec<String>> {
    let keys = pseudonyms(inner)?;
    match form {
        TokenForm::Preserved => {
            let token = |value: &String| preserve::tokenize(&keys, kind, value.as_bytes());
            each(values, |value| token(value).map_err(|error| error.to_string()))
        }
        TokenForm::Hash => each(values, |value| Ok(hashed(&keys, kind, value.as_bytes()))),
        TokenForm::Random => random_tokens(inner, &keys, kind, values),
    }
}

fn turn_back(
    inner: &Inner,
    _: &Allowed<op::DataDetokenize>,
    kind: Option<&str>,
    tokens: &[String],
) -> Result<Vec<String>> {
    let keys = pseudonyms(inner)?;
    let Some(kind) = kind else { return random_values(inner, &keys, tokens) };
    let value = |token: &String| preserve::detokenize(&keys, kind, token.as_bytes());
    each(tokens, |token| value(token).map_err(|error| error.to_string()))
}

fn limited(kind: &str, count: usize) -> Result<()> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if kind.is_empty() || kind.len() > TOKEN_KIND_BYTES || !kind.bytes().all(known) {
        let why = format!(
            "it is not the id of a kind: 1 to {TOKEN_KIND_BYTES} lower-case letters, digits and hyphens"
        );
        return Err(Failed::invalid("kind", why));
    }
    if count > TOKENS {
        return Err(Failed::invalid("values", format!("there are more than {TOKENS}")));
    }
    Ok(())
}

fn pseudonyms(inner: &Inner) -> Result<Pseudonyms> {
    Pseudonyms::new(&inner.keys).map_err(|error| Failed::Sign(Box::new(error)))
}

fn each(
    texts: &[String],
    change: impl Fn(&String) -> std::result::Result<Vec<u8>, String>,
) -> Result<Vec<String>> {
    let one = |(place, text)| {
        let changed = change(text).map_err(|why| at(place, why))?;
        String::from_utf8(changed).map_err(|_| at(place, "it is not text".to_owned()))
    };
    texts.iter().enumerate().map(one).collect()
}

fn at(place: usize, why: String) -> Failed {
    Failed::invalid(format!("value {}", place.saturating_add(1)), why)
}

fn random_tokens(inner: &Inner, keys: &Pseudonyms, kind: &str, values: &[String]) -> Result<Vec<String>> {
    let mut rng = (inner.random)();
    let mut parts: BTreeMap<u8, Vault> = BTreeMap::new();
    let mut tokens = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate() {
        let number = shard(keys, kind, value.as_bytes());
        let part = match parts.entry(number) {
            std::collections::btree_map::Entry::Occupied(part) => part.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => none.insert(read(inner, number)?),
        };
        let token = part.tokenize(keys, kind, value.as_bytes(), &mut *rng);
        tokens.push(token.map_err(|error| at(place, error.to_string()))?.to_string());
    }
    // All parts, or none: a token that is handed out can always be turned back.
    let mut written = Vec::with_capacity(parts.len());
    for (number, part) in &parts {
        let bytes = part.to_bytes();
        if bytes.len() > VAULT_BYTES {
            return Err(Failed::conflict(
                "the vault of tokens",
                format!("a part has more than {VAULT_BYTES} bytes"),
            ));
        }
        written.push((name(*number), bytes));
    }
    let blobs: Vec<(&BlobName, &[u8])> =
        written.iter().map(|(name, bytes)| (name, bytes.as_slice())).collect();
    inner.blobs.put(&blobs)?;
    Ok(tokens)
}

fn random_values(inner: &Inner, keys: &Pseudonyms, tokens: &[String]) -> Result<Vec<String>> {
    let mut parts: BTreeMap<u8, Vault> = BTreeMap::new();
    let mut values = Vec::with_capacity(tokens.len());
    for (place, text) in tokens.iter().enumerate() {
        let token: Token = text.parse().map_err(|_| at(place, "it is not a token".to_owned()))?;
        let part = match parts.entry(token.shard()) {
            std::collections::btree_map::Entry::Occupied(part) => part.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => none.insert(read(inner, token.shard())?),
        };
        let value = part.detokenize(keys, token).map_err(|error| match error {
            NotOpened::Unknown => Failed::not_found("token", token),
            NotOpened::Changed => Failed::Content(std::io::Error::other(error)),
        })?;
        values.push(String::from_utf8(value.1).map_err(|_| at(place, "its value is not text".to_owned()))?);
    }
    Ok(values)
}

fn read(inner: &Inner, number: u8) -> Result<Vault> {
    match read_all(&*inner.blobs, &name(number), VAULT_BYTES) {
        Ok(bytes) => Vault::parse(&bytes).map_err(|error| Failed::Content(std::io::Error::other(error))),
        Err(error) if error.kind == BlobErrorKind::NotFound => Ok(Vault::default()),
        Err(error) => Err(error.into()),
    }
}

/// `tokens/ab` for part 0xab.
#[expect(clippy::expect_used, reason = "a constant and two hexadecimal digits are a blob name")]
fn name(number: u8) -> BlobName {
    format!("tokens/{number:02x}").parse().expect("a constant and digits are a blob name")
}
