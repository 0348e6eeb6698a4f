//! Checks of national numbers of northern and eastern Europe.

use crate::pii::checksum::{at, is_date, is_short_date, luhn, mod_11_10, number, two, weighted};

/// Sweden: date, serial number, Luhn over ten digits; 60 is added to the day of a coordination number.
/// Skatteverket, SKV 704 and SKV 707.
pub(in crate::pii) fn se_personnummer(id: &[u8]) -> bool {
    let short = if id.len() == 12 { id.get(2..).unwrap_or(id) } else { id };
    let century = if id.len() == 12 { two(id, 0) } else { 19 };
    let day = two(short, 4);
    let day = if day > 60 { day - 60 } else { day };
    (18..=20).contains(&century) && is_short_date(two(short, 0), two(short, 2), day) && luhn(short)
}

/// Finland: date, sign of the century, individual number from 002, and the number modulo 31 as a character.
/// Digital and Population Data Services Agency, "The personal identity code".
pub(in crate::pii) fn fi_hetu(id: &[u8]) -> bool {
    // Without separators there are ten characters; with a letter as the sign of the century there are eleven.
    let (date, rest) = id.split_at(id.len().min(6));
    let (sign, rest) = if rest.len() == 5 { rest.split_at(1) } else { rest.split_at(0) };
    let Some((check, individual)) = rest.split_last() else { return false };
    let Some(whole) = number(&[date, individual].concat()) else { return false };
    let expected = usize::try_from(whole % 31).ok().and_then(|at| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(at));
    let signed = sign.iter().all(|sign| b"ABCDEFYXWVU".contains(sign));
    signed
        && is_short_date(two(date, 4), two(date, 2), two(date, 0))
        && number(individual).is_some_and(|n| n >= 2)
        && expected == Some(check)
}

/// Norway: date, individual number, two check digits modulo 11; 40 is added to the day of a D number and to the
/// month of a help number, 80 to the month of a synthetic one. Skatteetaten, "Fødselsnummer".
pub(in crate::pii) fn no_fodselsnummer(id: &[u8]) -> bool {
    let (day, month) = (two(id, 0), two(id, 2));
    let day = if day > 40 { day - 40 } else { day };
    let month = if month > 80 {
        month - 80
    } else if month > 40 {
        month - 40
    } else {
        month
    };
    let digit = |weights: &[u32]| (11 - weighted(id, weights) % 11) % 11;
    is_short_date(two(id, 4), month, day)
        && digit(&[3, 7, 6, 1, 8, 9, 4, 5, 2]) == at(id, 9)
        && digit(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) == at(id, 10)
}

/// Denmark: date and serial number. Numbers given since 2007 need not satisfy the old check modulo 11, so only the
/// date is checked. CPR-kontoret, "Personnummeret i CPR".
pub(in crate::pii) fn dk_cpr(id: &[u8]) -> bool {
    is_short_date(two(id, 4), two(id, 2), two(id, 0)) && id.get(6..) != Some(b"0000")
}

/// Poland: date with the century in the month, serial number, weighted check digit.
/// Ministry of Digital Affairs, "Co to jest numer PESEL".
pub(in crate::pii) fn pl_pesel(id: &[u8]) -> bool {
    let (month, sum) = (two(id, 2), weighted(id, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]));
    let century = [1900, 2000, 2100, 2200, 1800].get(usize::try_from(month / 20).unwrap_or(9));
    century.is_some_and(|century| is_date(century + two(id, 0), month % 20, two(id, 4)))
        && (10 - sum % 10) % 10 == at(id, 10)
}

/// Poland, people who may be alive or in a register: the numbers began in 1979, so that few of them were born before 1880
/// and none after this century. One of 120 numbers of eleven digits is such a number.
pub(in crate::pii) fn pl_pesel_of_today(id: &[u8]) -> bool {
    let month = two(id, 2);
    pl_pesel(id) && (month <= 32 || (month > 80 && two(id, 0) >= 80))
}

/// Czech Republic and Slovakia: date, with 50 added to the month for women and 20 where serial numbers ran out;
/// ten digits divisible by 11. Act 133/2000 Sb., section 13.
pub(in crate::pii) fn cz_rc(id: &[u8]) -> bool {
    let month = two(id, 2) % 50;
    let month = if month > 20 { month - 20 } else { month };
    let Some(whole) = number(id) else { return false };
    // A remainder of ten was written as zero until 1985.
    let old = whole / 10 % 11 == 10 && whole % 10 == 0;
    is_short_date(two(id, 0), month, two(id, 4)) && (whole % 11 == 0 || old)
}

/// Romania: sex and century, date, county, serial number, weighted check digit. Law 105/1996, annex.
pub(in crate::pii) fn ro_cnp(id: &[u8]) -> bool {
    let rest = weighted(id, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let county = two(id, 7);
    at(id, 0) != 0
        && is_short_date(two(id, 1), two(id, 3), two(id, 5))
        && ((1..=48).contains(&county) || (51..=52).contains(&county) || county == 70 || county == 80)
        && (if rest == 10 { 1 } else { rest }) == at(id, 12)
}

/// Bulgaria: date with the century in the month, weighted check digit. Ordinance RD-02-20-9 of 2012.
pub(in crate::pii) fn bg_egn(id: &[u8]) -> bool {
    let (year, month) = (two(id, 0), two(id, 2));
    let (year, month) = match month {
        41.. => (2000 + year, month - 40),
        21.. => (1800 + year, month - 20),
        _ => (1900 + year, month),
    };
    is_date(year, month, two(id, 4)) && weighted(id, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == at(id, 9)
}

/// Croatia: ISO 7064 MOD 11,10. Law on the personal identification number (NN 60/2008).
pub(in crate::pii) fn hr_oib(id: &[u8]) -> bool {
    mod_11_10(id)
}

/// Estonia and Lithuania: sex and century, date, serial number, check digit in two rounds. EVS 585.
pub(in crate::pii) fn ee_isikukood(id: &[u8]) -> bool {
    let first = weighted(id, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(id, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    let century = match at(id, 0) {
        1 | 2 => 1800,
        3 | 4 => 1900,
        5 | 6 => 2000,
        7 | 8 => 2100,
        _ => return false,
    };
    is_date(century + two(id, 1), two(id, 3), two(id, 5))
        && (if first < 10 { first } else { second }) == at(id, 10)
}
