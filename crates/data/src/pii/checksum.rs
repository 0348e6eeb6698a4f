//! The check digits that several kinds share: Luhn, Verhoeff, weighted sums, and the systems of ISO 7064.

/// The value of an ASCII digit.
pub(super) fn value(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(10)
}

/// The number that ASCII digits write; `None` for other bytes and above 19 digits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(value(*digit)?.into()))
}

/// Two digits as a number; 100 where they are none, which no check accepts.
pub(super) fn two(digits: &[u8], at: usize) -> u32 {
    digits.get(at..at.saturating_add(2)).and_then(number).and_then(|n| u32::try_from(n).ok()).unwrap_or(100)
}

/// The digit at a place; 10 where there is none.
pub(super) fn at(digits: &[u8], place: usize) -> u32 {
    digits.get(place).copied().and_then(value).unwrap_or(10)
}

/// The sum of products of digits and weights.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| value(*digit).unwrap_or(0) * weight).sum()
}

/// The sum of Luhn's algorithm (ISO/IEC 7812-1, annex B): every second digit from the right, the last excepted,
/// is doubled and its digits are added.
pub(super) fn luhn_sum(digits: &[u8]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = value(*digit).unwrap_or(0);
            let doubled = value << (place & 1);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum()
}

/// Whether the last digit is the check digit of Luhn's algorithm.
pub(super) fn luhn(digits: &[u8]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// ISO 7064 pure system modulo 97 as ISO 13616 uses it: letters count as 10 to 35; the remainder is 1.
pub(super) fn mod_97_10<'a>(characters: impl Iterator<Item = &'a u8>) -> bool {
    let mut rest = 0_u32;
    for character in characters {
        let Some(value) = char::from(*character).to_digit(36) else { return false };
        rest = (if value > 9 { rest * 100 } else { rest * 10 } + value) % 97;
    }
    rest == 1
}

/// ISO 7064 hybrid system MOD 11,10.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, rest)) = digits.split_last() else { return false };
    let mut product = 10;
    for digit in rest {
        let sum = (product + value(*digit).unwrap_or(0)) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    value(*check) == Some((11 - product) % 10)
}

/// Verhoeff's check digit (J. Verhoeff, "Error Detecting Decimal Codes", 1969): the dihedral group of ten elements
/// and powers of one permutation.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // Elements below five are rotations, others reflections of a pentagon.
    let product = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let check = digits.iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let permuted = (0..place % 8).fold(value(*digit).unwrap_or(0), |digit, _| {
            PERMUTATION.get(usize::try_from(digit).unwrap_or(0)).copied().unwrap_or(0)
        });
        product(check, permuted)
    });
    check == 0
}

/// Whether a day of that month of that year exists (Gregorian).
pub(super) fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether a day and a month exist in that year of an unknown century, of which one leap year is enough.
pub(super) fn is_short_date(year: u32, month: u32, day: u32) -> bool {
    year < 100 && (is_date(1900 + year, month, day) || is_date(2000 + year, month, day))
}

/// CRC-32 as in ISO 3309, gzip and zlib.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Shannon's entropy of the bytes, in bits per byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|p| -p * p.log2())
        .sum()
}
