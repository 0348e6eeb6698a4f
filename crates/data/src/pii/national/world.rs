//! Checks of national numbers outside Europe.

use crate::pii::checksum::{at, is_date, is_short_date, luhn, number, two, value, verhoeff, weighted};

/// United States: areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given; numbers that were printed
/// in advertisements, and plain counting, are not meant. Social Security Administration, POMS RM 10201.
pub(in crate::pii) fn us_ssn(id: &[u8]) -> bool {
    let printed: [&[u8]; 4] = [b"078051120", b"219099999", b"123456789", b"457555462"];
    let (Some(area), Some(serial)) = (id.get(..3).and_then(number), id.get(5..).and_then(number)) else {
        return false;
    };
    area != 0
        && area != 666
        && area < 900
        && two(id, 3) != 0
        && serial != 0
        && !printed.contains(&id)
        && !uniform(id)
}

/// Brazil: two check digits modulo 11; equal digits satisfy them and are not given.
/// Receita Federal, Instrução Normativa RFB 2.172/2024.
pub(in crate::pii) fn br_cpf(id: &[u8]) -> bool {
    let digit = |weights: &[u32]| weighted(id, weights) * 10 % 11 % 10;
    !uniform(id)
        && digit(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == at(id, 9)
        && digit(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == at(id, 10)
}

/// India: twelve digits, the first from 2, no palindrome, Verhoeff. UIDAI, "Aadhaar numbering scheme".
pub(in crate::pii) fn in_aadhaar(id: &[u8]) -> bool {
    at(id, 0) >= 2 && !id.iter().eq(id.iter().rev()) && verhoeff(id)
}

/// Canada: nine digits, the first neither 0 nor 8, Luhn. Service Canada, "Social Insurance Number - Code of Practice".
pub(in crate::pii) fn ca_sin(id: &[u8]) -> bool {
    !matches!(at(id, 0), 0 | 8) && luhn(id)
}

/// Australia: weighted sum divisible by 11. Australian Taxation Office, "TFN algorithm" (file specifications).
pub(in crate::pii) fn au_tfn(id: &[u8]) -> bool {
    weighted(id, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && number(id) != Some(0)
}

/// Türkiye: two check digits over odd and even places. Law 5490; NVI, "T.C. Kimlik Numarası".
pub(in crate::pii) fn tr_tckn(id: &[u8]) -> bool {
    let odd = weighted(id, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(id, &[0, 1, 0, 1, 0, 1, 0, 1]);
    at(id, 0) != 0 && (odd * 7 + 100 - even) % 10 == at(id, 9) && (odd + even + at(id, 9)) % 10 == at(id, 10)
}

/// South Africa: date, sequence, citizenship 0 to 2, Luhn. Department of Home Affairs, Identification Act 68 of 1997.
pub(in crate::pii) fn za_id(id: &[u8]) -> bool {
    is_short_date(two(id, 0), two(id, 2), two(id, 4)) && at(id, 10) <= 2 && luhn(id)
}

/// South Korea, numbers given before October 2020: date, sex and century, weighted check digit.
/// Resident Registration Act, enforcement rule.
pub(in crate::pii) fn kr_rrn(id: &[u8]) -> bool {
    let sum = weighted(id, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    kr_rrn_form(id) && (11 - sum % 11) % 10 == at(id, 12)
}

/// South Korea, all numbers: date, sex and century. Since October 2020 the six digits behind them are random.
/// Ministry of the Interior and Safety, amended enforcement rule of the Resident Registration Act, article 2.
pub(in crate::pii) fn kr_rrn_form(id: &[u8]) -> bool {
    (1..=8).contains(&at(id, 6)) && is_short_date(two(id, 0), two(id, 2), two(id, 4))
}

/// China: region, date, sequence, ISO 7064 MOD 11-2. GB 11643-1999.
pub(in crate::pii) fn cn_ric(id: &[u8]) -> bool {
    let Some((check, body)) = id.split_last() else { return false };
    let year = two(id, 6) * 100 + two(id, 8);
    let sum = weighted(body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let last = if *check == b'X' { Some(10) } else { value(*check) };
    (11..=82).contains(&two(id, 0))
        && (1900..2100).contains(&year)
        && is_date(year, two(id, 10), two(id, 12))
        && last == Some((12 - sum % 11) % 11)
}

/// Singapore: modulo 11 over seven digits, letters by series; series M has another table and is not covered.
/// National Registration Act 1965; Immigration and Checkpoints Authority.
pub(in crate::pii) fn sg_nric(id: &[u8]) -> bool {
    let [series, digits @ .., letter] = id else { return false };
    let sum = weighted(digits, &[2, 7, 6, 5, 4, 3, 2]);
    let (added, letters): (u32, &[u8]) = match series {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        _ => return false,
    };
    usize::try_from((sum + added) % 11).ok().and_then(|at| letters.get(at)) == Some(letter)
}

/// Japan: twelve digits, modulo 11. Ordinance of the Ministry of Internal Affairs 85 of 2014, article 5.
pub(in crate::pii) fn jp_my_number(id: &[u8]) -> bool {
    let rest = weighted(id, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest <= 1 { 0 } else { 11 - rest };
    check == at(id, 11) && !uniform(id)
}

/// One digit all along.
fn uniform(digits: &[u8]) -> bool {
    digits.iter().all(|digit| Some(digit) == digits.first())
}
