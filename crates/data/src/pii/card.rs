//! Payment card numbers: which issuer a number belongs to, and how long its numbers are.

use super::checksum::{luhn, number};

/// A network of card issuers: the first digits of its numbers, as a range of equally long prefixes, and the shortest
/// and longest number.
struct Range {
    digits: usize,
    from: u64,
    to: u64,
    lengths: (usize, usize),
}

const fn range(digits: usize, from: u64, to: u64, shortest: usize, longest: usize) -> Range {
    Range { digits, from, to, lengths: (shortest, longest) }
}

/// Issuer identification numbers (ISO/IEC 7812-1) as the networks publish them.
const RANGES: &[Range] = &[
    range(1, 4, 4, 13, 19),       // Visa
    range(2, 51, 55, 16, 16),     // Mastercard
    range(4, 2221, 2720, 16, 16), // Mastercard, 2-series
    range(2, 34, 34, 15, 15),     // American Express
    range(2, 37, 37, 15, 15),     // American Express
    range(4, 6011, 6011, 16, 19), // Discover
    range(3, 644, 649, 16, 19),   // Discover
    range(2, 65, 65, 16, 19),     // Discover, RuPay
    range(3, 300, 305, 14, 19),   // Diners Club
    range(4, 3095, 3095, 14, 19), // Diners Club
    range(2, 36, 36, 14, 19),     // Diners Club
    range(2, 38, 39, 14, 19),     // Diners Club
    range(4, 3528, 3589, 16, 19), // JCB
    range(4, 1800, 1800, 15, 15), // JCB, before 2007
    range(4, 2131, 2131, 15, 15), // JCB, before 2007
    range(2, 62, 62, 16, 19),     // UnionPay
    range(2, 81, 82, 16, 19),     // UnionPay, RuPay
    range(2, 60, 60, 16, 16),     // RuPay
    range(3, 508, 508, 16, 16),   // RuPay
    range(4, 2200, 2204, 16, 19), // Mir
    range(4, 9792, 9792, 16, 16), // Troy
    range(4, 5018, 5018, 13, 19), // Maestro
    range(4, 5020, 5020, 13, 19), // Maestro
    range(4, 5038, 5038, 13, 19), // Maestro
    range(4, 5893, 5893, 13, 19), // Maestro
    range(2, 56, 58, 13, 19),     // Maestro
    range(4, 6304, 6304, 13, 19), // Maestro
    range(4, 6759, 6763, 13, 19), // Maestro
    range(3, 639, 639, 13, 19),   // Maestro
];

/// Whether the digits are the number of a payment card: an issuer's prefix, one of its lengths, and Luhn's check.
/// Visa gives 13, 16 and 19 digits, nothing between.
pub(super) fn card(digits: &[u8]) -> bool {
    let length = digits.len();
    let issued = RANGES.iter().any(|range| {
        (range.lengths.0..=range.lengths.1).contains(&length)
            && digits
                .get(..range.digits)
                .and_then(number)
                .is_some_and(|n| (range.from..=range.to).contains(&n))
    });
    let visa = digits.first() == Some(&b'4');
    issued && (!visa || matches!(length, 13 | 16 | 19)) && luhn(digits)
}
