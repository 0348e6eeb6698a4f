//! The text of an API key: fixed widths, 256 bits as 43 digits of base 62, and a CRC-32 at the end.

/// What every key starts with, so that secret scanners find it.
pub(crate) const PREFIX: &str = "bz_";

/// Digits of a secret: 62^43 is just above 2^256.
pub(crate) const SECRET_DIGITS: usize = 43;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 32 bytes, read as one big-endian number, in 43 digits, most significant first.
pub(crate) fn encode(secret: &[u8; 32]) -> [u8; SECRET_DIGITS] {
    let mut number = *secret;
    let mut digits = [b'0'; SECRET_DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut remainder: u32 = 0;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            [*byte, ..] = (value / 62).to_le_bytes();
            remainder = value % 62;
        }
        *digit = ALPHABET.iter().copied().zip(0..).find(|(_, at)| *at == remainder).map_or(b'0', |(c, _)| c);
    }
    zeroize::Zeroize::zeroize(&mut number);
    digits
}

/// The inverse of [`encode`]; none for other characters, another length, or a number of 2^256 and more.
pub(crate) fn decode(digits: &[u8]) -> Option<[u8; 32]> {
    if digits.len() != SECRET_DIGITS {
        return None;
    }
    let mut number = [0_u8; 32];
    for digit in digits {
        let mut carry = match digit {
            b'0'..=b'9' => u32::from(digit - b'0'),
            b'A'..=b'Z' => u32::from(digit - b'A') + 10,
            b'a'..=b'z' => u32::from(digit - b'a') + 36,
            _ => return None,
        };
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 62 + carry;
            [*byte, ..] = value.to_le_bytes();
            carry = value >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

/// CRC-32 as in ISO 3309 and gzip: reflected polynomial 0xEDB88320, start and final XOR 0xFFFFFFFF.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}
