//! What is put in the place of a value: a name, a mask, a keyed hash, or a token that can be turned back.

use bartizan_keys::pseudonyms::Pseudonyms;
use rand_core::CryptoRng;

use super::kind::{Family, Kind};
use super::preserve;
use super::vault::Vault;

/// What happens to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `<EMAIL>`: nothing of it stays.
    Redact,
    /// Letters and digits become `*`; the last four of cards, accounts, phones and US social security numbers stay,
    /// and the first and the top-level domain of addresses. Secrets become eight `*`.
    Mask,
}

/// A value could not be replaced. It is not in the error.
#[derive(Debug, thiserror::Error)]
pub enum NotReplaced {
    /// It has no token of its own form.
    #[error("a value of kind `{kind}` has no token of its form")]
    NotPreserved {
        /// The kind's id.
        kind: String,
        /// Why not.
        #[source]
        source: preserve::NotPreserved,
    },
    /// Whoever was asked gave nothing for it.
    #[error("nothing stands for a value of kind `{kind}`")]
    NotGiven {
        /// The kind's id.
        kind: String,
    },
    /// It could not be put into the vault.
    #[error("a value of kind `{kind}` cannot be put into the vault")]
    Vault {
        /// The kind's id.
        kind: String,
        /// Why not.
        #[source]
        source: super::vault::NotKept,
    },
}

/// Replaces values, one after the other.
pub struct Replacer<'k>(Way<'k>);

enum Way<'k> {
    Plain(Action),
    Hash(&'k Pseudonyms),
    Preserve(&'k Pseudonyms),
    Vault { keys: &'k Pseudonyms, vault: &'k mut Vault, rng: &'k mut dyn CryptoRng },
    Given(&'k mut Given<'k>),
}

/// Appends what stands for a value of the kind with that id; `false` when there is nothing.
pub type Given<'k> = dyn FnMut(&str, &[u8], &mut Vec<u8>) -> bool + 'k;

impl<'k> Replacer<'k> {
    /// Replaces without keys.
    pub const fn new(action: Action) -> Self {
        Self(Way::Plain(action))
    }

    /// `<EMAIL 4f1c...>`: the first 16 bytes of the keyed hash of kind and value, so that equal values stay equal.
    pub const fn hash(keys: &'k Pseudonyms) -> Self {
        Self(Way::Hash(keys))
    }

    /// Tokens of the form of the value ([`preserve::tokenize`]).
    pub const fn preserve(keys: &'k Pseudonyms) -> Self {
        Self(Way::Preserve(keys))
    }

    /// Random tokens; the values go into `vault`, encrypted.
    pub const fn vault(keys: &'k Pseudonyms, vault: &'k mut Vault, rng: &'k mut dyn CryptoRng) -> Self {
        Self(Way::Vault { keys, vault, rng })
    }

    /// What somebody else gives for values, for example a server that has the keys.
    pub const fn given(by: &'k mut Given<'k>) -> Self {
        Self(Way::Given(by))
    }

    /// Appends what stands for a value of a kind with that id.
    ///
    /// # Errors
    /// When it has no token of its form, or the vault is full.
    pub fn replace(
        &mut self,
        id: &str,
        kind: Kind,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), NotReplaced> {
        match &mut self.0 {
            Way::Plain(Action::Redact) => {
                out.push(b'<');
                out.extend(name(id));
                out.push(b'>');
            }
            Way::Plain(Action::Mask) => mask(kind, value, out),
            Way::Hash(keys) => out.extend(hashed(keys, id, value)),
            Way::Preserve(keys) => {
                let token = preserve::tokenize(keys, id, value);
                let token =
                    token.map_err(|source| NotReplaced::NotPreserved { kind: id.to_owned(), source })?;
                out.extend(token);
            }
            Way::Vault { keys, vault, rng } => {
                let token = vault.tokenize(keys, id, value, *rng);
                let token = token.map_err(|source| NotReplaced::Vault { kind: id.to_owned(), source })?;
                out.extend(token.to_string().bytes());
            }
            Way::Given(by) => {
                if !by(id, value, out) {
                    return Err(NotReplaced::NotGiven { kind: id.to_owned() });
                }
            }
        }
        Ok(())
    }
}

/// `<EMAIL 4f1c...>`: the first 16 bytes of the keyed hash of kind and value.
pub fn hashed(keys: &Pseudonyms, id: &str, value: &[u8]) -> Vec<u8> {
    let hash = keys.hash(id, value);
    let digits = hex::encode(hash.get(..16).unwrap_or_default());
    let mut text = vec![b'<'];
    text.extend(name(id));
    text.push(b' ');
    text.extend(digits.bytes());
    text.push(b'>');
    text
}

/// `us-ssn` as `US_SSN`.
fn name(id: &str) -> impl Iterator<Item = u8> {
    id.bytes().map(|byte| if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() })
}

fn mask(kind: Kind, value: &[u8], out: &mut Vec<u8>) {
    if kind.family() == Family::Secret {
        out.extend([b'*'; 8]);
        return;
    }
    let shown_last = if [Kind::CARD, Kind::IBAN, Kind::PHONE, Kind::US_SSN].contains(&kind) { 4 } else { 0 };
    let counts = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    let mut left = value.iter().filter(|byte| counts(**byte)).count();
    let top = if kind == Kind::EMAIL { value.iter().rposition(|byte| *byte == b'.') } else { None };
    // Characters of several bytes become one `*`: their first byte stands for them.
    for (place, byte) in value.iter().enumerate() {
        let shown = left <= shown_last || top.is_some_and(|top| place > top || place == 0);
        match *byte {
            other if !counts(other) => out.push(other),
            0x80..=0xBF => left -= 1,
            byte => {
                out.push(if shown && byte.is_ascii() { byte } else { b'*' });
                left -= 1;
            }
        }
    }
}
