//! Private keys that sign.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::encoding;
use crate::public::{Algorithm, KeyId, PublicKey};
use crate::secret::Secret;

/// No private key could be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyInvalid {
    /// Not one PEM block with the label `PRIVATE KEY`.
    #[error("not a PEM file with one unencrypted `PRIVATE KEY` block (PKCS#8)")]
    Pem,
    /// PKCS#8 of another algorithm, or a damaged one.
    #[error("not the PKCS#8 form of an Ed25519 or P-256 key")]
    Pkcs8,
    /// The secret bytes are no private key of the algorithm.
    #[error("not a valid private key of its algorithm")]
    Key,
}

/// The library could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot sign with key `{key}`")]
pub struct SigningFailed {
    /// The key.
    pub key: KeyId,
}

/// A private key with its public half. Printing it shows the id only.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

// RFC 5915 ECPrivateKey of P-256 without the public point, which aws-lc then computes: what stands before
// the 32 bytes of the scalar, and after.
const P256_BEFORE: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const P256_AFTER: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

impl SigningKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// When `rng` keeps returning bytes that are no key, which a working generator does not.
    pub fn generate(algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Result<Self, SigningKeyInvalid> {
        Self::generate_with_secret(algorithm, rng).map(|(key, _)| key)
    }

    /// Reads an unencrypted PKCS#8 key (RFC 5958) from PEM, as `openssl genpkey` writes it.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, SigningKeyInvalid> {
        let der = encoding::from_pem("PRIVATE KEY", text).ok_or(SigningKeyInvalid::Pem)?;
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der) {
            return Self::from_pair(Pair::P256(pair));
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| SigningKeyInvalid::Pkcs8)?;
        Self::from_pair(Pair::Ed25519(pair))
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`: ASN.1 DER for P-256, 64 raw bytes for Ed25519.
    ///
    /// # Errors
    /// When the library fails, which it does only without memory or randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message),
            Pair::Ed25519(pair) => pair.try_sign(message),
        };
        let signature = signature.map_err(|_| SigningFailed { key: self.public.id() })?;
        Ok(signature.as_ref().to_vec())
    }

    // The scalar or seed is returned beside the key, so that it can be wrapped and stored once.
    pub(crate) fn generate_with_secret(
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, Secret), SigningKeyInvalid> {
        // A random 256-bit number is no P-256 scalar (zero, or not below the order) once in 2^32 draws.
        for _ in 0..8 {
            let secret = Secret::generate(rng);
            if let Ok(key) = Self::from_secret(algorithm, &secret) {
                return Ok((key, secret));
            }
        }
        Err(SigningKeyInvalid::Key)
    }

    pub(crate) fn from_secret(algorithm: Algorithm, secret: &Secret) -> Result<Self, SigningKeyInvalid> {
        let pair = match algorithm {
            Algorithm::EcdsaP256Sha256 => {
                let der = Zeroizing::new([&P256_BEFORE[..], secret.expose(), &P256_AFTER[..]].concat());
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der);
                Pair::P256(pair.map_err(|_| SigningKeyInvalid::Key)?)
            }
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret.expose());
                Pair::Ed25519(pair.map_err(|_| SigningKeyInvalid::Key)?)
            }
        };
        Self::from_pair(pair)
    }

    fn from_pair(pair: Pair) -> Result<Self, SigningKeyInvalid> {
        let public = match &pair {
            Pair::P256(pair) => PublicKey::from_raw(Algorithm::EcdsaP256Sha256, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => PublicKey::from_raw(Algorithm::Ed25519, pair.public_key().as_ref()),
        };
        Ok(Self { pair, public: public.map_err(|_| SigningKeyInvalid::Key)? })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.public.algorithm(), self.public.id())
    }
}
