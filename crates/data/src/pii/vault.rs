//! Random tokens, and the vault that knows what stands behind them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bartizan_keys::CryptoFailed;
use bartizan_keys::pseudonyms::Pseudonyms;
use rand_core::CryptoRng;

use super::checksum::crc32;
use crate::limits::{VAULT_ENTRIES, VAULT_VALUE_BYTES};

const MAGIC: &[u8] = b"bartizan-pii-vault-v1\n";

/// A random token: `bzt_`, 32 hexadecimal digits, `_`, and their CRC-32. It says nothing about its value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 16]);

/// Characters of a written token.
pub const TOKEN_BYTES: usize = 45;

/// The text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token: `bzt_`, 32 lowercase hexadecimal digits, `_`, and their checksum")]
pub struct TokenInvalid;

/// Which of 256 parts of a vault holds a value of the kind with that id, and its token.
pub fn shard(keys: &Pseudonyms, kind: &str, value: &[u8]) -> u8 {
    let [first, ..] = keys.hash(kind, value);
    first
}

const fn shard_of(tag: [u8; 16]) -> u8 {
    tag[0]
}

/// What stands behind the tokens of a project: encrypted values, each bound to its token and kind.
///
/// Equal values of a kind have one token, so that tables can still be joined. The vault holds no value in clear, and
/// is of no use without the keys.
#[derive(Default)]
pub struct Vault {
    entries: BTreeMap<Token, Entry>,
    by_value: BTreeMap<[u8; 16], Token>,
}

struct Entry {
    kind: String,
    // The first bytes of the keyed hash of kind and value.
    tag: [u8; 16],
    sealed: Vec<u8>,
}

/// A value cannot be put into a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The vault is full.
    #[error("the vault holds {VAULT_ENTRIES} values, and takes no more")]
    Full,
    /// The value is too long.
    #[error("the value has more than {VAULT_VALUE_BYTES} bytes")]
    TooLong,
    /// The vault was changed by somebody without the keys.
    #[error("the vault's value is not what these keys sealed")]
    Changed,
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

/// A token cannot be turned back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The vault does not know it.
    #[error("the vault does not know this token")]
    Unknown,
    /// The value was sealed with other keys, or changed.
    #[error("the vault's value is not what these keys sealed")]
    Changed,
}

/// Bytes that are no vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a vault of tokens: {reason}")]
pub struct VaultInvalid {
    /// Which rule is broken.
    pub reason: &'static str,
}

impl Vault {
    /// The token of a value of the kind with that id; a new one is drawn for a value that has none.
    ///
    /// # Errors
    /// When the vault is full or the value too long.
    pub fn tokenize(
        &mut self,
        keys: &Pseudonyms,
        kind: &str,
        value: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Token, NotKept> {
        let mut tag = [0; 16];
        tag.iter_mut().zip(keys.hash(kind, value)).for_each(|(to, from)| *to = from);
        if let Some(token) = self.by_value.get(&tag) {
            // Whoever can write the vault could have put another value there.
            let known = self.detokenize(keys, *token).map_err(|_| NotKept::Changed)?;
            return if known.1 == value { Ok(*token) } else { Err(NotKept::Changed) };
        }
        if self.entries.len() >= VAULT_ENTRIES {
            return Err(NotKept::Full);
        }
        if value.len() > VAULT_VALUE_BYTES || kind.len() > usize::from(u8::MAX) {
            return Err(NotKept::TooLong);
        }
        let mut token = Token([0; 16]);
        rng.fill_bytes(&mut token.0);
        // So that a value and its token lie in the same part of a vault that is kept in parts.
        token.0[0] = shard_of(tag);
        let sealed = keys.seal(&aad(token, kind), value, rng)?;
        self.entries.insert(token, Entry { kind: kind.to_owned(), tag, sealed });
        self.by_value.insert(tag, token);
        Ok(token)
    }

    /// The value behind a token, and the id of its kind.
    ///
    /// # Errors
    /// When the vault does not know the token, or holds for it what these keys did not seal.
    pub fn detokenize(&self, keys: &Pseudonyms, token: Token) -> Result<(&str, Vec<u8>), NotOpened> {
        let entry = self.entries.get(&token).ok_or(NotOpened::Unknown)?;
        let value = keys.open(&aad(token, &entry.kind), &entry.sealed).ok_or(NotOpened::Changed)?;
        Ok((&entry.kind, value.to_vec()))
    }

    /// Takes a value out for good; `false` when there was none. Its token means nothing any more.
    pub fn forget(&mut self, token: Token) -> bool {
        let entry = self.entries.remove(&token);
        if let Some(entry) = &entry {
            self.by_value.remove(&entry.tag);
        }
        entry.is_some()
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The stored form; see `docs/formats/pii-tokens.md`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (token, entry) in &self.entries {
            bytes.extend(token.0);
            bytes.extend(entry.tag);
            bytes.push(u8::try_from(entry.kind.len()).unwrap_or(u8::MAX));
            bytes.extend(entry.kind.bytes());
            bytes.extend(u32::try_from(entry.sealed.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(&entry.sealed);
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are not that: cut, out of order, too many.
    pub fn parse(bytes: &[u8]) -> Result<Self, VaultInvalid> {
        let broken = |reason| VaultInvalid { reason };
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(broken("it begins with something else"))?;
        let mut vault = Self::default();
        let mut last = None;
        while !rest.is_empty() {
            let (token, entry, after) = entry(rest).ok_or(broken("an entry is cut or malformed"))?;
            if last.is_some_and(|last| last >= token) {
                return Err(broken("entries are not in order"));
            }
            if vault.by_value.insert(entry.tag, token).is_some() {
                return Err(broken("a value has two tokens"));
            }
            vault.entries.insert(token, entry);
            if vault.entries.len() > VAULT_ENTRIES {
                return Err(broken("it has too many entries"));
            }
            last = Some(token);
            rest = after;
        }
        Ok(vault)
    }
}

fn entry(bytes: &[u8]) -> Option<(Token, Entry, &[u8])> {
    let (token, rest) = bytes.split_first_chunk::<16>()?;
    let (tag, rest) = rest.split_first_chunk::<16>()?;
    let (length, rest) = rest.split_first()?;
    let (kind, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (sealed, rest) = rest.split_at_checked(length)?;
    let kind = std::str::from_utf8(kind).ok()?.to_owned();
    let fits = length <= VAULT_VALUE_BYTES + bartizan_keys::pseudonyms::SEALED_BYTES;
    fits.then(|| (Token(*token), Entry { kind, tag: *tag, sealed: sealed.to_vec() }, rest))
}

fn aad(token: Token, kind: &str) -> Vec<u8> {
    [b"bartizan-pii-vault-v1".as_slice(), &token.0, kind.as_bytes()].concat()
}

/// What of a text was replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Tokens, each by its value.
    pub tokens: u64,
    /// What begins like a token and is none, as one that somebody wrote to, and stays.
    pub broken: u64,
}

impl std::ops::AddAssign for Replaced {
    fn add_assign(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.broken = self.broken.saturating_add(other.broken);
    }
}

/// Replaces every token in a text that `value` knows, and counts them.
///
/// # Errors
/// The first that `value` gives.
pub fn replace_tokens<E>(
    text: &[u8],
    out: &mut Vec<u8>,
    mut value: impl FnMut(Token) -> Result<Vec<u8>, E>,
) -> Result<Replaced, E> {
    let (mut rest, mut count) = (text, Replaced::default());
    while let Some(at) = memchr::memmem::find(rest, b"bzt_") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let written = from.get(..TOKEN_BYTES).and_then(|text| std::str::from_utf8(text).ok());
        match written.and_then(|text| text.parse::<Token>().ok()) {
            Some(token) => {
                out.extend(value(token)?);
                count.tokens += 1;
                rest = from.get(TOKEN_BYTES..).unwrap_or_default();
            }
            None => {
                count.broken += 1;
                out.extend_from_slice(b"bzt_");
                rest = from.get(4..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    Ok(count)
}

impl Token {
    /// Which of 256 parts of a vault holds it: its first byte.
    pub const fn shard(&self) -> u8 {
        self.0[0]
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        write!(f, "bzt_{digits}_{:08x}", crc32(digits.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Token {
    type Err = TokenInvalid;

    fn from_str(text: &str) -> Result<Self, TokenInvalid> {
        let digits = text.strip_prefix("bzt_").and_then(|rest| rest.get(..32)).ok_or(TokenInvalid)?;
        let mut token = Self([0; 16]);
        hex::decode_to_slice(digits, &mut token.0).map_err(|_| TokenInvalid)?;
        if token.to_string() == text { Ok(token) } else { Err(TokenInvalid) }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} values)", self.entries.len())
    }
}
