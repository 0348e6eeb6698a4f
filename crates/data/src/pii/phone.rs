//! Telephone numbers: international ones by country code and length, national ones by the forms people write.
//!
//! The table holds what decides whether a number can exist: the country codes of ITU-T E.164 (list of assigned codes,
//! annex to the Operational Bulletin) with the shortest and longest national significant number of each plan. The
//! crate `phonenumber` knows more, the leading digits of every area, but compiles regular expressions for each
//! country and parses a few hundred thousand candidates per second; a pass over logs has millions.

use super::checksum::at;

/// Country code, its main region (ISO 3166-1), and the digits of national numbers.
const PLANS: &[(u16, [u8; 2], u8, u8)] = &[
    (1, *b"US", 10, 10),
    (7, *b"RU", 10, 10),
    (20, *b"EG", 8, 10),
    (27, *b"ZA", 9, 9),
    (30, *b"GR", 10, 10),
    (31, *b"NL", 9, 9),
    (32, *b"BE", 8, 9),
    (33, *b"FR", 9, 9),
    (34, *b"ES", 9, 9),
    (36, *b"HU", 8, 9),
    (39, *b"IT", 6, 11),
    (40, *b"RO", 6, 9),
    (41, *b"CH", 9, 9),
    (43, *b"AT", 7, 13),
    (44, *b"GB", 9, 10),
    (45, *b"DK", 8, 8),
    (46, *b"SE", 7, 10),
    (47, *b"NO", 8, 8),
    (48, *b"PL", 9, 9),
    (49, *b"DE", 6, 12),
    (51, *b"PE", 8, 9),
    (52, *b"MX", 10, 10),
    (53, *b"CU", 6, 10),
    (54, *b"AR", 10, 11),
    (55, *b"BR", 10, 11),
    (56, *b"CL", 9, 9),
    (57, *b"CO", 8, 10),
    (58, *b"VE", 10, 10),
    (60, *b"MY", 8, 10),
    (61, *b"AU", 9, 9),
    (62, *b"ID", 7, 12),
    (63, *b"PH", 6, 10),
    (64, *b"NZ", 8, 10),
    (65, *b"SG", 8, 8),
    (66, *b"TH", 8, 9),
    (81, *b"JP", 9, 10),
    (82, *b"KR", 8, 10),
    (84, *b"VN", 9, 10),
    (86, *b"CN", 7, 11),
    (90, *b"TR", 10, 10),
    (91, *b"IN", 10, 10),
    (92, *b"PK", 9, 10),
    (93, *b"AF", 9, 9),
    (94, *b"LK", 9, 9),
    (95, *b"MM", 6, 10),
    (98, *b"IR", 6, 10),
    (211, *b"SS", 9, 9),
    (212, *b"MA", 9, 9),
    (213, *b"DZ", 8, 9),
    (216, *b"TN", 8, 8),
    (218, *b"LY", 9, 9),
    (220, *b"GM", 7, 9),
    (221, *b"SN", 9, 9),
    (222, *b"MR", 8, 8),
    (223, *b"ML", 8, 8),
    (224, *b"GN", 8, 9),
    (225, *b"CI", 10, 10),
    (226, *b"BF", 8, 8),
    (227, *b"NE", 8, 8),
    (228, *b"TG", 8, 8),
    (229, *b"BJ", 10, 10),
    (230, *b"MU", 7, 8),
    (231, *b"LR", 7, 9),
    (232, *b"SL", 8, 8),
    (233, *b"GH", 9, 9),
    (234, *b"NG", 10, 10),
    (235, *b"TD", 8, 8),
    (236, *b"CF", 8, 8),
    (237, *b"CM", 9, 9),
    (238, *b"CV", 7, 7),
    (239, *b"ST", 7, 7),
    (240, *b"GQ", 9, 9),
    (241, *b"GA", 7, 8),
    (242, *b"CG", 9, 9),
    (243, *b"CD", 7, 10),
    (244, *b"AO", 9, 9),
    (245, *b"GW", 9, 9),
    (246, *b"IO", 7, 7),
    (247, *b"AC", 5, 5),
    (248, *b"SC", 7, 7),
    (249, *b"SD", 9, 9),
    (250, *b"RW", 8, 9),
    (251, *b"ET", 9, 9),
    (252, *b"SO", 6, 9),
    (253, *b"DJ", 8, 8),
    (254, *b"KE", 7, 9),
    (255, *b"TZ", 9, 9),
    (256, *b"UG", 9, 9),
    (257, *b"BI", 8, 8),
    (258, *b"MZ", 8, 9),
    (260, *b"ZM", 9, 9),
    (261, *b"MG", 9, 9),
    (262, *b"RE", 9, 9),
    (263, *b"ZW", 9, 9),
    (264, *b"NA", 8, 9),
    (265, *b"MW", 7, 9),
    (266, *b"LS", 8, 8),
    (267, *b"BW", 7, 8),
    (268, *b"SZ", 8, 8),
    (269, *b"KM", 7, 7),
    (290, *b"SH", 5, 5),
    (291, *b"ER", 7, 7),
    (297, *b"AW", 7, 7),
    (298, *b"FO", 6, 6),
    (299, *b"GL", 6, 6),
    (350, *b"GI", 8, 8),
    (351, *b"PT", 9, 9),
    (352, *b"LU", 5, 11),
    (353, *b"IE", 7, 9),
    (354, *b"IS", 7, 9),
    (355, *b"AL", 8, 9),
    (356, *b"MT", 8, 8),
    (357, *b"CY", 8, 8),
    (358, *b"FI", 6, 11),
    (359, *b"BG", 6, 9),
    (370, *b"LT", 8, 8),
    (371, *b"LV", 8, 8),
    (372, *b"EE", 7, 8),
    (373, *b"MD", 8, 8),
    (374, *b"AM", 8, 8),
    (375, *b"BY", 9, 9),
    (376, *b"AD", 6, 9),
    (377, *b"MC", 8, 9),
    (378, *b"SM", 8, 10),
    (380, *b"UA", 9, 9),
    (381, *b"RS", 7, 12),
    (382, *b"ME", 8, 8),
    (383, *b"XK", 8, 12),
    (385, *b"HR", 8, 9),
    (386, *b"SI", 8, 8),
    (387, *b"BA", 8, 9),
    (389, *b"MK", 8, 8),
    (420, *b"CZ", 9, 9),
    (421, *b"SK", 6, 9),
    (423, *b"LI", 7, 9),
    (500, *b"FK", 5, 5),
    (501, *b"BZ", 7, 7),
    (502, *b"GT", 8, 8),
    (503, *b"SV", 8, 8),
    (504, *b"HN", 8, 8),
    (505, *b"NI", 8, 8),
    (506, *b"CR", 8, 8),
    (507, *b"PA", 7, 8),
    (508, *b"PM", 6, 9),
    (509, *b"HT", 8, 8),
    (590, *b"GP", 9, 9),
    (591, *b"BO", 8, 8),
    (592, *b"GY", 7, 7),
    (593, *b"EC", 8, 9),
    (594, *b"GF", 9, 9),
    (595, *b"PY", 7, 9),
    (596, *b"MQ", 9, 9),
    (597, *b"SR", 6, 7),
    (598, *b"UY", 8, 8),
    (599, *b"CW", 7, 8),
    (670, *b"TL", 7, 8),
    (672, *b"NF", 6, 6),
    (673, *b"BN", 7, 7),
    (674, *b"NR", 7, 7),
    (675, *b"PG", 7, 8),
    (676, *b"TO", 5, 7),
    (677, *b"SB", 5, 7),
    (678, *b"VU", 5, 7),
    (679, *b"FJ", 7, 7),
    (680, *b"PW", 7, 7),
    (681, *b"WF", 6, 6),
    (682, *b"CK", 5, 5),
    (683, *b"NU", 5, 7),
    (685, *b"WS", 5, 10),
    (686, *b"KI", 5, 8),
    (687, *b"NC", 6, 6),
    (688, *b"TV", 5, 7),
    (689, *b"PF", 8, 8),
    (690, *b"TK", 5, 7),
    (691, *b"FM", 7, 7),
    (692, *b"MH", 7, 7),
    (850, *b"KP", 8, 10),
    (852, *b"HK", 8, 8),
    (853, *b"MO", 8, 8),
    (855, *b"KH", 8, 9),
    (856, *b"LA", 8, 10),
    (880, *b"BD", 6, 10),
    (886, *b"TW", 8, 9),
    (960, *b"MV", 7, 7),
    (961, *b"LB", 7, 8),
    (962, *b"JO", 8, 9),
    (963, *b"SY", 8, 9),
    (964, *b"IQ", 8, 10),
    (965, *b"KW", 8, 8),
    (966, *b"SA", 9, 9),
    (967, *b"YE", 7, 9),
    (968, *b"OM", 8, 8),
    (970, *b"PS", 8, 9),
    (971, *b"AE", 8, 9),
    (972, *b"IL", 8, 12),
    (973, *b"BH", 8, 8),
    (974, *b"QA", 8, 8),
    (975, *b"BT", 7, 8),
    (976, *b"MN", 8, 10),
    (977, *b"NP", 8, 10),
    (992, *b"TJ", 9, 9),
    (993, *b"TM", 8, 8),
    (994, *b"AZ", 9, 9),
    (995, *b"GE", 9, 9),
    (996, *b"KG", 9, 9),
    (998, *b"UZ", 9, 9),
];

/// For each country code one more than its place in [`PLANS`], or 0.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler; there are fewer than 256 codes, each below 1,000"
)]
const PLACES: [u8; 1_000] = {
    let mut places = [0; 1_000];
    let mut place = 0;
    while place < PLANS.len() {
        places[PLANS[place].0 as usize] = place as u8 + 1;
        place += 1;
    }
    places
};

/// The plan of a country code.
fn plan(code: usize) -> Option<&'static (u16, [u8; 2], u8, u8)> {
    let place = PLACES.get(code)?.checked_sub(1)?;
    PLANS.get(usize::from(place))
}

/// Digits of the longest number, without the prefix `+` (ITU-T E.164, 6.1).
const MOST_DIGITS: usize = 15;

/// Bytes of the longest written number: every digit with a separator.
const MOST_BYTES: usize = 32;

/// An international number that starts at the first digit after `+` (or `00`): where it ends and the region of its
/// country code. Takes the longest run of groups that is a number.
pub(super) fn international(text: &[u8]) -> Option<(usize, [u8; 2])> {
    let mut digits = [0; MOST_DIGITS];
    let (mut count, mut end, mut found) = (0, 0, None);
    // One of `(` and `)` each may stand around the area code.
    let (mut place, mut open) = (0, false);
    while place < MOST_BYTES {
        let here = text.get(place).copied().unwrap_or(0);
        if here.is_ascii_digit() {
            let Some(slot) = digits.get_mut(count) else { break };
            *slot = here;
            count += 1;
            end = place + 1;
            place += 1;
            if !text.get(end).is_some_and(u8::is_ascii_digit) {
                let whole = digits.get(..count).and_then(plan_of);
                let whole_end = if ends(text, end) { Some(end) } else { extended(text, end) };
                found = whole.zip(whole_end).map(|(region, end)| (end, region)).or(found);
            }
            continue;
        }
        match here {
            b'(' if !open => open = true,
            b')' if open => open = false,
            b' ' | b'-' | b'.' | b'/' => {}
            _ => break,
        }
        // At most two separators in a row, as in `+1 (212) 555-0100`.
        if place > end + 1 {
            break;
        }
        place += 1;
    }
    found.filter(|_| end > 0)
}

/// Whether a number may end here: no letter or digit goes on, not even after a mark that joins.
fn ends(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        Some(b'-' | b'.' | b'/') => !text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(next) => !next.is_ascii_alphanumeric() && *next != b'_',
        None => true,
    }
}

/// The end of a number that ends at `end` with its extension, as in `x123`.
pub(super) fn extended(text: &[u8], end: usize) -> Option<usize> {
    let digits =
        text.get(end).filter(|mark| matches!(mark, b'x' | b'X')).and_then(|_| text.get(end + 1..))?;
    let count = digits.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let ends = !digits.get(count).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    ((1..=7).contains(&count) && ends).then_some(end + 1 + count)
}

/// The region whose plan these digits, country code first, fit. A trunk zero in brackets is left out before.
fn plan_of(digits: &[u8]) -> Option<[u8; 2]> {
    for code_digits in 1..=3 {
        let Some((code, national)) = digits.split_at_checked(code_digits) else { continue };
        let code = code.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit.wrapping_sub(b'0')));
        let Some((_, region, shortest, longest)) = plan(code) else { continue };
        // `+44 (0)20 ...` writes the trunk prefix too. Italy's zero is part of the number.
        let trunk = usize::from(national.first() == Some(&b'0') && region != b"IT");
        let length = national.len() - trunk;
        let fits = (usize::from(*shortest)..=usize::from(*longest)).contains(&length);
        let fits = fits && (code != 1 || nanp(national));
        return fits.then_some(*region);
    }
    None
}

/// North America: area and exchange start with 2 to 9 and are not service codes; area codes with 9 in the middle are
/// held back. North American Numbering Plan Administration, "NANP numbering resources".
pub(super) fn nanp(digits: &[u8]) -> bool {
    let service = |place| at(digits, place) == 1 && at(digits, place + 1) == 1;
    digits.len() == 10
        && (2..=9).contains(&at(digits, 0))
        && at(digits, 1) < 9
        && !service(1)
        && (2..=9).contains(&at(digits, 3))
        && !service(4)
}

/// North America with the country code and no plus.
pub(super) fn nanp_11(digits: &[u8]) -> bool {
    digits.split_first().is_some_and(|(first, rest)| *first == b'1' && nanp(rest))
}

/// A trunk zero and an area or mobile code that does not begin with zero, 9 to 11 digits in all: Europe, much of Asia.
pub(super) fn trunk(digits: &[u8]) -> bool {
    (9..=12).contains(&digits.len()) && at(digits, 0) == 0 && at(digits, 1) != 0
}

/// Brazil: area codes have no zero, mobile numbers have nine digits and begin with 9. Anatel, Resolution 749/2022.
pub(super) fn brazil(digits: &[u8]) -> bool {
    let area = at(digits, 0) != 0 && at(digits, 1) != 0;
    match digits.len() {
        10 => area && at(digits, 2) != 0,
        11 => area && at(digits, 2) == 9,
        _ => false,
    }
}

/// Numbers without a trunk prefix: Spain (6 to 9), and mobile numbers of Italy (3), India (6 to 9), China (1).
pub(super) fn whole(digits: &[u8]) -> bool {
    match digits.len() {
        9 => at(digits, 0) >= 6,
        10 => at(digits, 0) == 3 || at(digits, 0) >= 6,
        11 => at(digits, 0) == 1 && at(digits, 1) >= 3,
        _ => false,
    }
}
