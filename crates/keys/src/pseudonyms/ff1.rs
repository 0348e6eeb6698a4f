//! Format-preserving encryption FF1 (NIST SP 800-38G, algorithms 7 and 8) over AES from aws-lc.
//!
//! Ten Feistel rounds over two halves, as numbers of the radix. Halves stay below 2^120 here, so that all arithmetic
//! fits 128 bits; longer values are refused, and belong behind random tokens.

use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, EncryptingKey, UnboundCipherKey};

use crate::wrap::CryptoFailed;

/// The smallest domain: with fewer values, tokens can be turned back by trying (SP 800-38G rev. 1, 5.1).
const LEAST_DOMAIN: u128 = 1_000_000;

/// The largest value of a half.
const MOST_HALF: u128 = 1 << 120;

/// Bytes of the longest tweak.
const TWEAK_BYTES: usize = 256;

const ROUNDS: u8 = 10;

/// Symbols that cannot be encrypted in their format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEncryptable {
    /// The radix is not from 2 to 256.
    #[error("a radix is a number from 2 to 256")]
    Radix,
    /// Fewer than a million values have this form.
    #[error("too short: fewer than a million values have this form")]
    TooShort,
    /// More values have this form than fit.
    #[error("too long for a token of the same form")]
    TooLong,
    /// A symbol is not below the radix.
    #[error("a symbol is not below the radix")]
    Symbol,
    /// The tweak has more than 256 bytes.
    #[error("the tweak has more than {TWEAK_BYTES} bytes")]
    Tweak,
    /// The cryptographic library failed, which it does only without memory.
    #[error("the cryptographic library failed")]
    Crypto,
}

pub(super) struct Ff1(EncryptingKey);

/// The fixed facts of one call.
struct Shape {
    radix: u128,
    // Symbols of the halves, and the moduli of their numbers.
    halves: [usize; 2],
    moduli: [u128; 2],
    // Bytes of a half as a number (b), and of the round function's result (d).
    half_bytes: usize,
    result_bytes: usize,
}

impl Ff1 {
    /// Takes a key for AES of 16, 24 or 32 bytes.
    pub(super) fn new(key: &[u8]) -> Result<Self, CryptoFailed> {
        let algorithm = match key.len() {
            16 => &AES_128,
            24 => &AES_192,
            _ => &AES_256,
        };
        let key = UnboundCipherKey::new(algorithm, key).map_err(|_| CryptoFailed)?;
        EncryptingKey::ecb(key).map(Self).map_err(|_| CryptoFailed)
    }

    pub(super) fn encrypt(
        &self,
        radix: u16,
        tweak: &[u8],
        symbols: &mut [u16],
    ) -> Result<(), NotEncryptable> {
        let shape = Shape::new(radix, tweak, symbols)?;
        let start = self.start(&shape, symbols.len(), tweak)?;
        let (mut a, mut b) = shape.split(symbols);
        for round in 0..ROUNDS {
            let modulus = shape.modulus(round);
            let y = self.round(&shape, start, tweak, round, b)?;
            (a, b) = (b, (a + y % modulus) % modulus);
        }
        shape.join(a, b, symbols);
        Ok(())
    }

    pub(super) fn decrypt(
        &self,
        radix: u16,
        tweak: &[u8],
        symbols: &mut [u16],
    ) -> Result<(), NotEncryptable> {
        let shape = Shape::new(radix, tweak, symbols)?;
        let start = self.start(&shape, symbols.len(), tweak)?;
        let (mut a, mut b) = shape.split(symbols);
        for round in (0..ROUNDS).rev() {
            let modulus = shape.modulus(round);
            let y = self.round(&shape, start, tweak, round, a)?;
            (a, b) = ((b + modulus - y % modulus) % modulus, a);
        }
        shape.join(a, b, symbols);
        Ok(())
    }

    /// AES over the block P (step 5), with which every round's authentication code begins.
    fn start(&self, shape: &Shape, length: usize, tweak: &[u8]) -> Result<[u8; 16], NotEncryptable> {
        let short =
            |number: usize| u32::try_from(number).map(u32::to_be_bytes).map_err(|_| NotEncryptable::TooLong);
        let [_, radix @ ..] = u32::try_from(shape.radix).map_err(|_| NotEncryptable::Radix)?.to_be_bytes();
        let [.., half] = short(shape.halves[0])?;
        let mut block = [0; 16];
        let fields =
            [[1, 2, 1].as_slice(), &radix, &[ROUNDS, half], &short(length)?, &short(tweak.len())?].concat();
        block.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        self.block(&mut block)?;
        Ok(block)
    }

    /// Steps 6.i to 6.iv: the result of the round function as a number, reduced modulo the larger half.
    fn round(
        &self,
        shape: &Shape,
        start: [u8; 16],
        tweak: &[u8],
        round: u8,
        half: u128,
    ) -> Result<u128, NotEncryptable> {
        let bytes = half.to_be_bytes();
        let number = bytes.get(bytes.len() - shape.half_bytes..).unwrap_or_default();
        let padding = (16 - (tweak.len() + shape.half_bytes + 1) % 16) % 16;
        let text = [tweak, [0; 16].get(..padding).unwrap_or_default(), &[round], number].concat();
        let mut code = start;
        for block in text.chunks(16) {
            code.iter_mut().zip(block).for_each(|(to, from)| *to ^= from);
            self.block(&mut code)?;
        }
        // One block more for every further 16 bytes of the result.
        let mut result = code.to_vec();
        for count in 1..shape.result_bytes.div_ceil(16) {
            let mut block = (u128::from_be_bytes(code) ^ u128::try_from(count).unwrap_or(0)).to_be_bytes();
            self.block(&mut block)?;
            result.extend(block);
        }
        let modulus = shape.modulus(round);
        let digits = result.iter().take(shape.result_bytes);
        Ok(digits.fold(0, |rest, byte| (rest * 256 + u128::from(*byte)) % modulus))
    }

    fn block(&self, block: &mut [u8; 16]) -> Result<(), NotEncryptable> {
        self.0.encrypt(block).map(drop).map_err(|_| NotEncryptable::Crypto)
    }
}

impl Shape {
    fn new(radix: u16, tweak: &[u8], symbols: &[u16]) -> Result<Self, NotEncryptable> {
        if !(2..=256).contains(&radix) {
            return Err(NotEncryptable::Radix);
        }
        if tweak.len() > TWEAK_BYTES {
            return Err(NotEncryptable::Tweak);
        }
        if symbols.iter().any(|symbol| *symbol >= radix) {
            return Err(NotEncryptable::Symbol);
        }
        let radix = u128::from(radix);
        let halves = [symbols.len() / 2, symbols.len() - symbols.len() / 2];
        let power = |length: usize| {
            let power = u32::try_from(length).ok().and_then(|length| radix.checked_pow(length));
            power.filter(|power| *power <= MOST_HALF).ok_or(NotEncryptable::TooLong)
        };
        let moduli = [power(halves[0])?, power(halves[1])?];
        if moduli[0].saturating_mul(moduli[1]) < LEAST_DOMAIN || halves[0] == 0 {
            return Err(NotEncryptable::TooShort);
        }
        // b: bytes of the largest number that the longer half writes.
        let bits = u128::BITS - (moduli[1] - 1).leading_zeros();
        let half_bytes = usize::try_from(bits.div_ceil(8)).map_err(|_| NotEncryptable::TooLong)?;
        Ok(Self { radix, halves, moduli, half_bytes, result_bytes: 4 * half_bytes.div_ceil(4) + 4 })
    }

    /// Modulo the half that the round replaces.
    const fn modulus(&self, round: u8) -> u128 {
        if round.is_multiple_of(2) { self.moduli[0] } else { self.moduli[1] }
    }

    fn split(&self, symbols: &[u16]) -> (u128, u128) {
        let number = |half: &[u16]| half.iter().fold(0, |sum, symbol| sum * self.radix + u128::from(*symbol));
        let (a, b) = symbols.split_at_checked(self.halves[0]).unwrap_or_default();
        (number(a), number(b))
    }

    fn join(&self, a: u128, b: u128, symbols: &mut [u16]) {
        let write = |mut number: u128, half: &mut [u16]| {
            for symbol in half.iter_mut().rev() {
                *symbol = u16::try_from(number % self.radix).unwrap_or(0);
                number /= self.radix;
            }
        };
        if let Some((left, right)) = symbols.split_at_mut_checked(self.halves[0]) {
            write(a, left);
            write(b, right);
        }
    }
}

#[cfg(test)]
mod tests;
