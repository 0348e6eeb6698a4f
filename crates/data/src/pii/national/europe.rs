//! Checks of national numbers of western and southern Europe.

use crate::pii::checksum::{at, is_short_date, mod_11_10, number, two, value, weighted};

/// United Kingdom, health service: modulo 11 over nine digits. NHS Data Dictionary, "NHS NUMBER".
pub(in crate::pii) fn uk_nhs(id: &[u8]) -> bool {
    let check = (11 - weighted(id, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    check == at(id, 9) && number(id) != Some(0)
}

/// United Kingdom, national insurance: prefixes that are given, suffix A to D. HMRC manual NIM39110.
pub(in crate::pii) fn uk_nino(id: &[u8]) -> bool {
    let [first, second, .., last] = id else { return false };
    let never: [&[u8]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && !never.contains(&[*first, *second].as_slice())
        && (b'A'..=b'D').contains(last)
}

/// Spain, citizens: the number modulo 23 as a letter. Ministry of the Interior, "Cálculo del dígito de control".
pub(in crate::pii) fn es_dni(id: &[u8]) -> bool {
    let Some((letter, digits)) = id.split_last() else { return false };
    let rest = number(digits).and_then(|n| usize::try_from(n % 23).ok());
    rest.and_then(|rest| b"TRWAGMYFPDXBNJZSQVHLCKE".get(rest)) == Some(letter)
}

/// Spain, foreigners: as for citizens, with X, Y and Z read as 0, 1 and 2. Order INT/2058/2008.
pub(in crate::pii) fn es_nie(id: &[u8]) -> bool {
    let Some((first, rest)) = id.split_first() else { return false };
    let digit = match first {
        b'X' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        _ => return false,
    };
    es_dni(&[&[digit], rest].concat())
}

/// Italy: month letter, day (40 added for women), and a check letter over values of odd and even places; digits may
/// be replaced by letters where two people would share a code. Ministerial decree 12/03/1974.
pub(in crate::pii) fn it_codice_fiscale(id: &[u8]) -> bool {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12,
        14, 16, 10, 22, 25, 24, 23,
    ];
    let Some((check, body)) = id.split_last() else { return false };
    let mut sum = 0;
    for (place, character) in body.iter().enumerate() {
        let Some(digit) = char::from(*character).to_digit(36) else { return false };
        sum += match place % 2 {
            0 => usize::try_from(digit).ok().and_then(|at| ODD.get(at).copied()).unwrap_or(0),
            _ => {
                if digit > 9 {
                    digit - 10
                } else {
                    digit
                }
            }
        };
    }
    let plain: Vec<u8> = body.iter().map(|character| code_digit(*character)).collect();
    let day = two(&plain, 9) % 40;
    let month = body.get(8).is_some_and(|month| b"ABCDEHLMPRST".contains(month));
    month && (1..=31).contains(&day) && two(&plain, 9) < 72 && u32::from(*check) == u32::from(b'A') + sum % 26
}

/// The digit that a letter of an Italian tax code stands for; other characters are left.
fn code_digit(character: u8) -> u8 {
    match b"LMNPQRSTUV".iter().position(|letter| *letter == character) {
        Some(digit) => u8::try_from(digit).map_or(character, |digit| b'0' + digit),
        None => character,
    }
}

/// France: sex, year, month, place, order, and 97 less the number modulo 97; 2A and 2B of Corsica count as 19 and 18.
/// INSEE, "Numéro d'inscription au répertoire"; Code de la sécurité sociale, R. 161-1.
pub(in crate::pii) fn fr_nir(id: &[u8]) -> bool {
    let mut digits = id.to_vec();
    if let Some([b'2', letter @ (b'A' | b'B')]) = id.get(5..7) {
        digits.splice(5..7, if *letter == b'A' { *b"19" } else { *b"18" });
    }
    let Some((body, key)) = digits.split_at_checked(13) else { return false };
    let (Some(body), Some(key), month) = (number(body), number(key), two(&digits, 3)) else { return false };
    let month = (1..=12).contains(&month) || (20..=42).contains(&month) || (50..=99).contains(&month);
    matches!(at(&digits, 0), 1..=4 | 7 | 8) && month && key == 97 - body % 97
}

/// Germany: eleven digits, the first is not zero; one digit comes twice or three times among the first ten; ISO 7064
/// MOD 11,10. Bundeszentralamt für Steuern, "Prüfziffernberechnung" (AO section 139b).
pub(in crate::pii) fn de_steuer_id(id: &[u8]) -> bool {
    let mut counts = [0_u32; 10];
    for digit in id.iter().take(10).filter_map(|digit| value(*digit)) {
        if let Some(count) = usize::try_from(digit).ok().and_then(|digit| counts.get_mut(digit)) {
            *count += 1;
        }
    }
    let mut repeated = counts.iter().filter(|count| **count > 1);
    let once = repeated.next().is_some_and(|count| (2..=3).contains(count)) && repeated.next().is_none();
    at(id, 0) != 0 && once && mod_11_10(id)
}

/// Netherlands: the eleven-test, with minus one as the last weight. Rijksdienst voor Identiteitsgegevens, "BSN".
pub(in crate::pii) fn nl_bsn(id: &[u8]) -> bool {
    let sum = weighted(id, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum % 11 == at(id, 8) && sum > 0
}

/// Belgium: date (20 or 40 added to the month of a bis number), serial number, and 97 less the first nine digits
/// modulo 97, with a 2 before them for people born since 2000. Royal decree of 3 April 1984.
pub(in crate::pii) fn be_rrn(id: &[u8]) -> bool {
    let Some((body, check)) = id.split_at_checked(9) else { return false };
    let (Some(body), Some(check)) = (number(body), number(check)) else { return false };
    let (month, day) = (two(id, 2) % 20, two(id, 4));
    // Nobody with a number was born after 2050 yet; a number with a 2 before it is of this century.
    let recent = two(id, 0) < 50 && check == 97 - (2_000_000_000 + body) % 97;
    let dated = is_short_date(two(id, 0), month, day) || (month == 0 && day <= 31);
    dated && two(id, 2) < 53 && (check == 97 - body % 97 || recent)
}

/// Portugal: people's first digits, modulo 11. Decree-law 14/2013; Autoridade Tributária, "NIF".
pub(in crate::pii) fn pt_nif(id: &[u8]) -> bool {
    let rest = weighted(id, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    (matches!(at(id, 0), 1..=3) || two(id, 0) == 45) && check == at(id, 8)
}

/// Switzerland: country 756, EAN-13 check digit. Federal Statistical Office, "AHV number" (AHVV article 133).
pub(in crate::pii) fn ch_ahv(id: &[u8]) -> bool {
    let sum = weighted(id, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    id.starts_with(b"756") && sum.is_multiple_of(10)
}

/// Ireland: modulo 23 over seven digits and, since 2013, the second letter. Department of Social Protection, "PPSN".
pub(in crate::pii) fn ie_pps(id: &[u8]) -> bool {
    let sum = weighted(id, &[8, 7, 6, 5, 4, 3, 2]);
    let second = match id.get(8) {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A' + 1),
        Some(_) => return false,
    };
    let expected = usize::try_from((sum + 9 * second) % 23).ok();
    expected.and_then(|at| b"WABCDEFGHIJKLMNOPQRSTUV".get(at)) == id.get(7)
}
