//! Tokens of the form of their value: digits stay digits, letters and digits stay such, marks stay where they are.

use bartizan_keys::pseudonyms::{NotEncryptable, Pseudonyms};

use super::checksum::luhn_sum;
use super::kind::Kind;

/// A value has no token of its form, or a text is no such token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPreserved {
    /// It has other characters than ASCII, which would show through.
    #[error("it has characters outside ASCII")]
    NotAscii,
    /// A kind that consists of digits has letters here.
    #[error("it has letters where its kind has digits")]
    NotDigits,
    /// Its length is out of range.
    #[error(transparent)]
    Length(#[from] NotEncryptable),
    /// The token's check digit is not that of a token.
    #[error("it is not a token: its last digit is another one")]
    NotAToken,
}

const DECIMAL: u16 = 10;

/// Letters in both cases and digits.
const ALPHANUMERIC: u16 = 62;

/// The token of a value of the kind with that id. Equal values of a kind have equal tokens in all tables of a project.
///
/// Digits (for kinds that consist of digits), or letters and digits, are encrypted with FF1 as one number; everything
/// else stays. The token of a payment card never satisfies Luhn's check: its last digit is the check digit of the
/// others plus five. So no token is ever charged, and none is found as a card again.
///
/// # Errors
/// When fewer than a million values have this form, the value is too long, or not of the alphabet.
pub fn tokenize(keys: &Pseudonyms, id: &str, value: &[u8]) -> Result<Vec<u8>, NotPreserved> {
    let card = Kind::built_in(id) == Some(Kind::CARD);
    let radix = radix(id);
    let mut symbols = symbols(radix, value)?;
    let dropped = if card { symbols.pop() } else { None };
    keys.encrypt(radix, id.as_bytes(), &mut symbols)?;
    if dropped.is_some() {
        symbols.push((check_digit(&symbols) + 5) % 10);
    }
    Ok(written(value, &symbols))
}

/// The value of a token.
///
/// # Errors
/// As [`tokenize`]; and for a payment card when the last digit is not that of a token. Other kinds have no check: a
/// text that is no token becomes some other text.
pub fn detokenize(keys: &Pseudonyms, id: &str, token: &[u8]) -> Result<Vec<u8>, NotPreserved> {
    let card = Kind::built_in(id) == Some(Kind::CARD);
    let radix = radix(id);
    let mut symbols = symbols(radix, token)?;
    if card && let Some(last) = symbols.pop() {
        if (check_digit(&symbols) + 5) % 10 != last {
            return Err(NotPreserved::NotAToken);
        }
        keys.decrypt(radix, id.as_bytes(), &mut symbols)?;
        symbols.push(check_digit(&symbols));
    } else {
        keys.decrypt(radix, id.as_bytes(), &mut symbols)?;
    }
    Ok(written(token, &symbols))
}

/// Kinds that consist of digits and marks; the others have letters too.
fn radix(id: &str) -> u16 {
    const DIGITS: &[Kind] = &[
        Kind::PHONE,
        Kind::CARD,
        Kind::US_SSN,
        Kind::UK_NHS,
        Kind::DE_STEUER_ID,
        Kind::NL_BSN,
        Kind::SE_PERSONNUMMER,
        Kind::NO_FODSELSNUMMER,
        Kind::PL_PESEL,
        Kind::BR_CPF,
        Kind::IN_AADHAAR,
        Kind::CA_SIN,
        Kind::AU_TFN,
        Kind::BE_RRN,
        Kind::DK_CPR,
        Kind::PT_NIF,
        Kind::CH_AHV,
        Kind::TR_TCKN,
        Kind::ZA_ID,
        Kind::KR_RRN,
        Kind::CZ_RC,
        Kind::RO_CNP,
        Kind::BG_EGN,
        Kind::HR_OIB,
        Kind::EE_ISIKUKOOD,
        Kind::JP_MY_NUMBER,
    ];
    if Kind::built_in(id).is_some_and(|kind| DIGITS.contains(&kind)) { DECIMAL } else { ALPHANUMERIC }
}

fn symbols(radix: u16, value: &[u8]) -> Result<Vec<u16>, NotPreserved> {
    if !value.is_ascii() {
        return Err(NotPreserved::NotAscii);
    }
    let symbols: Vec<u16> = value.iter().copied().filter_map(symbol).collect();
    if symbols.iter().any(|symbol| *symbol >= radix) { Err(NotPreserved::NotDigits) } else { Ok(symbols) }
}

fn symbol(byte: u8) -> Option<u16> {
    match byte {
        b'0'..=b'9' => Some(u16::from(byte - b'0')),
        b'A'..=b'Z' => Some(u16::from(byte - b'A') + 10),
        b'a'..=b'z' => Some(u16::from(byte - b'a') + 36),
        _ => None,
    }
}

fn character(symbol: u16) -> u8 {
    match u8::try_from(symbol).unwrap_or(0) {
        digit @ 0..=9 => b'0' + digit,
        letter @ 10..=35 => b'A' + letter - 10,
        letter => b'a' + letter.saturating_sub(36) % 26,
    }
}

/// The form of `like` with these symbols in it.
fn written(like: &[u8], symbols: &[u16]) -> Vec<u8> {
    let mut next = symbols.iter();
    let put = |byte: &u8| match symbol(*byte) {
        Some(_) => next.next().map_or(*byte, |symbol| character(*symbol)),
        None => *byte,
    };
    like.iter().map(put).collect()
}

/// The digit that makes these satisfy Luhn's check.
fn check_digit(symbols: &[u16]) -> u16 {
    let mut digits: Vec<u8> = symbols.iter().map(|symbol| character(*symbol)).collect();
    digits.push(b'0');
    u16::try_from((10 - luhn_sum(&digits) % 10) % 10).unwrap_or(0)
}
