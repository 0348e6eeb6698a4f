//! The operating system's random generator, as the one source that callers inject.

use aws_lc_rs::rand;
use rand_core::utils::next_word_via_fill;
use rand_core::{Infallible, TryCryptoRng, TryRng};

/// The cryptographic generator of the operating system, through aws-lc.
///
/// Everything in this crate that needs randomness takes a `&mut dyn CryptoRng`; a process passes this one.
/// The nonces of ECDSA signatures are the exception: aws-lc draws them itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl TryRng for OsRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing here can be done safely, and aws-lc itself aborts in that case"
    )]
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        rand::fill(dst).expect("the operating system has no randomness");
        Ok(())
    }
}

impl TryCryptoRng for OsRandom {}
