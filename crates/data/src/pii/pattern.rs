//! Candidates of fixed shape: groups of digits and letters, found by how many of them a word begins with.

use super::card::card;
use super::kind::{Evidence, Kind, KindSet};
use super::national::*;
use super::phone::{brazil, extended, nanp, nanp_11, trunk, whole};
use super::scan::digits;

/// A shape and what decides about what has it.
///
/// In a shape `d` is a digit, `A` a letter, `X` either, `~` a space or a hyphen (the same all along), `(` before the
/// first digit an opening bracket; everything else stands for itself.
struct Shape {
    shape: &'static str,
    kind: Kind,
    speaks: Evidence,
    check: Check,
}

/// Takes digits and upper-case letters without separators.
type Check = fn(&[u8]) -> bool;

const fn bare(shape: &'static str, kind: Kind, check: Check) -> Shape {
    Shape { shape, kind, speaks: Evidence::Plain, check }
}

/// People write this kind so, and hardly anything else.
const fn typical(shape: &'static str, kind: Kind, check: Check) -> Shape {
    Shape { shape, kind, speaks: Evidence::Formatted, check }
}

/// Most of what has this shape and passes the check is something else.
const fn doubtful(shape: &'static str, kind: Kind, check: Check) -> Shape {
    Shape { shape, kind, speaks: Evidence::Doubtful, check }
}

const SHAPES: &[Shape] = &[
    doubtful("ddddddddddddd", Kind::CARD, card),
    bare("dddddddddddddd", Kind::CARD, card),
    bare("ddddddddddddddd", Kind::CARD, card),
    bare("dddddddddddddddd", Kind::CARD, card),
    doubtful("ddddddddddddddddd", Kind::CARD, card),
    doubtful("dddddddddddddddddd", Kind::CARD, card),
    bare("ddddddddddddddddddd", Kind::CARD, card),
    typical("dddd~dddd~dddd~dddd", Kind::CARD, card),
    typical("dddd~dddd~dddd~dddd~ddd", Kind::CARD, card),
    typical("dddd~dddddddd~dddd", Kind::CARD, card),
    typical("dddd~dddddd~ddddd", Kind::CARD, card),
    typical("dddd~dddddd~dddd", Kind::CARD, card),
    typical("dddd.dddd.dddd.dddd", Kind::CARD, card),
    typical("dddddd~ddddddddddddd", Kind::CARD, card),
    typical("ddd-dd-dddd", Kind::US_SSN, us_ssn),
    bare("ddd dd dddd", Kind::US_SSN, us_ssn),
    doubtful("ddddddddd", Kind::US_SSN, us_ssn),
    bare("dddddddddd", Kind::PHONE, nanp),
    bare("ddddddddddd", Kind::PHONE, nanp_11),
    typical("ddd~ddd~dddd", Kind::PHONE, nanp),
    typical("ddd.ddd.dddd", Kind::PHONE, nanp),
    typical("(ddd) ddd-dddd", Kind::PHONE, nanp),
    typical("(ddd)ddd-dddd", Kind::PHONE, nanp),
    typical("(ddd) ddd dddd", Kind::PHONE, nanp),
    typical("ddd/ddd-dddd", Kind::PHONE, nanp),
    typical("d~ddd~ddd~dddd", Kind::PHONE, nanp_11),
    typical("d.ddd.ddd.dddd", Kind::PHONE, nanp_11),
    typical("d (ddd) ddd-dddd", Kind::PHONE, nanp_11),
    typical("d-(ddd)-ddd-dddd", Kind::PHONE, nanp_11),
    bare("ddddddddd", Kind::PHONE, trunk),
    bare("dddddddddd", Kind::PHONE, trunk),
    bare("ddddddddddd", Kind::PHONE, trunk),
    bare("dddddddddddd", Kind::PHONE, trunk),
    typical("dd~dd~dd~dd~dd", Kind::PHONE, trunk),
    typical("dd.dd.dd.dd.dd", Kind::PHONE, trunk),
    typical("ddddd dddddd", Kind::PHONE, trunk),
    typical("dddd ddd dddd", Kind::PHONE, trunk),
    typical("ddd dddd dddd", Kind::PHONE, trunk),
    typical("ddd-dddd-dddd", Kind::PHONE, trunk),
    typical("dd-dddd-dddd", Kind::PHONE, trunk),
    typical("dddd-ddd-dddd", Kind::PHONE, trunk),
    typical("(dddd) dddddd", Kind::PHONE, trunk),
    typical("(dddd) ddd dddd", Kind::PHONE, trunk),
    typical("(ddddd) dddddd", Kind::PHONE, trunk),
    typical("(dd) dddd dddd", Kind::PHONE, trunk),
    typical("dddd ddd ddd", Kind::PHONE, trunk),
    typical("dddd ddddddd", Kind::PHONE, trunk),
    typical("dddd/ddddddd", Kind::PHONE, trunk),
    typical("dddd dddddd", Kind::PHONE, trunk),
    typical("ddd/dddddddd", Kind::PHONE, trunk),
    typical("ddd~ddddddd", Kind::PHONE, trunk),
    typical("ddd dddddddd", Kind::PHONE, trunk),
    typical("dd-dddddddd", Kind::PHONE, trunk),
    typical("(dddd) ddddddd", Kind::PHONE, trunk),
    typical("(dddd)-dddddd", Kind::PHONE, trunk),
    typical("(dddd)-ddddddd", Kind::PHONE, trunk),
    typical("(ddddd) ddd ddd", Kind::PHONE, trunk),
    typical("(ddddd) ddddd", Kind::PHONE, trunk),
    typical("(ddd) ddddddd", Kind::PHONE, trunk),
    typical("(ddd) dddddddd", Kind::PHONE, trunk),
    typical("(ddd)-ddddddd", Kind::PHONE, trunk),
    typical("ddddd ddd ddd", Kind::PHONE, trunk),
    typical("ddddd ddddd", Kind::PHONE, trunk),
    typical("dddd-dddddd", Kind::PHONE, trunk),
    typical("ddd-ddd dd dd", Kind::PHONE, trunk),
    typical("ddd ddd dd dd", Kind::PHONE, trunk),
    bare("ddddddddd", Kind::PHONE, whole),
    bare("dddddddddd", Kind::PHONE, whole),
    bare("ddddddddddd", Kind::PHONE, whole),
    bare("ddd ddd ddd", Kind::PHONE, whole),
    bare("ddd dd dd dd", Kind::PHONE, whole),
    bare("ddddd ddddd", Kind::PHONE, whole),
    bare("ddd ddddddd", Kind::PHONE, whole),
    bare("ddd ddd dddd", Kind::PHONE, whole),
    bare("ddd dddd dddd", Kind::PHONE, whole),
    typical("dd dddd-dddd", Kind::PHONE, brazil),
    typical("dd ddddd-dddd", Kind::PHONE, brazil),
    typical("(dd) dddd-dddd", Kind::PHONE, brazil),
    typical("(dd) ddddd-dddd", Kind::PHONE, brazil),
    typical("ddd~ddd~dddd", Kind::UK_NHS, uk_nhs),
    bare("dddddddddd", Kind::UK_NHS, uk_nhs),
    bare("AAddddddA", Kind::UK_NINO, uk_nino),
    typical("AA dd dd dd A", Kind::UK_NINO, uk_nino),
    typical("AA-dd-dd-dd-A", Kind::UK_NINO, uk_nino),
    bare("ddddddddA", Kind::ES_DNI, es_dni),
    typical("dddddddd-A", Kind::ES_DNI, es_dni),
    typical("dd.ddd.ddd-A", Kind::ES_DNI, es_dni),
    bare("AdddddddA", Kind::ES_NIE, es_nie),
    typical("A-ddddddd-A", Kind::ES_NIE, es_nie),
    bare("AAAAAAddAddAdddA", Kind::IT_CODICE_FISCALE, it_codice_fiscale),
    bare("AAAAAAddAddAddAA", Kind::IT_CODICE_FISCALE, it_codice_fiscale),
    bare("AAAAAAddAddAdAAA", Kind::IT_CODICE_FISCALE, it_codice_fiscale),
    bare("AAAAAAddAddAAAAA", Kind::IT_CODICE_FISCALE, it_codice_fiscale),
    bare("ddddddddddddddd", Kind::FR_NIR, fr_nir),
    typical("d dd dd dd ddd ddd dd", Kind::FR_NIR, fr_nir),
    bare("ddddddAdddddddd", Kind::FR_NIR, fr_nir),
    typical("d dd dd dA ddd ddd dd", Kind::FR_NIR, fr_nir),
    bare("ddddddddddd", Kind::DE_STEUER_ID, de_steuer_id),
    typical("dd ddd ddd ddd", Kind::DE_STEUER_ID, de_steuer_id),
    bare("ddddddddd", Kind::NL_BSN, nl_bsn),
    typical("dddd.dd.ddd", Kind::NL_BSN, nl_bsn),
    typical("ddd ddd ddd", Kind::NL_BSN, nl_bsn),
    bare("dddddddddd", Kind::SE_PERSONNUMMER, se_personnummer),
    bare("dddddddddddd", Kind::SE_PERSONNUMMER, se_personnummer),
    typical("dddddd-dddd", Kind::SE_PERSONNUMMER, se_personnummer),
    typical("dddddd+dddd", Kind::SE_PERSONNUMMER, se_personnummer),
    typical("dddddddd-dddd", Kind::SE_PERSONNUMMER, se_personnummer),
    typical("dddddd-dddX", Kind::FI_HETU, fi_hetu),
    typical("dddddd+dddX", Kind::FI_HETU, fi_hetu),
    typical("ddddddAdddX", Kind::FI_HETU, fi_hetu),
    bare("ddddddddddd", Kind::NO_FODSELSNUMMER, no_fodselsnummer),
    typical("dddddd ddddd", Kind::NO_FODSELSNUMMER, no_fodselsnummer),
    bare("ddddddddddd", Kind::PL_PESEL, pl_pesel_of_today),
    doubtful("ddddddddddd", Kind::PL_PESEL, pl_pesel),
    bare("ddddddddddd", Kind::BR_CPF, br_cpf),
    typical("ddd.ddd.ddd-dd", Kind::BR_CPF, br_cpf),
    bare("dddddddddddd", Kind::IN_AADHAAR, in_aadhaar),
    typical("dddd~dddd~dddd", Kind::IN_AADHAAR, in_aadhaar),
    bare("ddddddddd", Kind::CA_SIN, ca_sin),
    typical("ddd~ddd~ddd", Kind::CA_SIN, ca_sin),
    bare("ddddddddd", Kind::AU_TFN, au_tfn),
    typical("ddd ddd ddd", Kind::AU_TFN, au_tfn),
    bare("ddddddddddd", Kind::BE_RRN, be_rrn),
    typical("dd.dd.dd-ddd.dd", Kind::BE_RRN, be_rrn),
    typical("dd.dd.dd-ddd dd", Kind::BE_RRN, be_rrn),
    typical("dddddd-ddd-dd", Kind::BE_RRN, be_rrn),
    typical("dddddd-ddd.dd", Kind::BE_RRN, be_rrn),
    bare("dddddddddd", Kind::DK_CPR, dk_cpr),
    typical("dddddd-dddd", Kind::DK_CPR, dk_cpr),
    bare("ddddddddd", Kind::PT_NIF, pt_nif),
    typical("ddd ddd ddd", Kind::PT_NIF, pt_nif),
    bare("ddddddddddddd", Kind::CH_AHV, ch_ahv),
    typical("ddd.dddd.dddd.dd", Kind::CH_AHV, ch_ahv),
    bare("dddddddA", Kind::IE_PPS, ie_pps),
    bare("dddddddAA", Kind::IE_PPS, ie_pps),
    bare("ddddddddddd", Kind::TR_TCKN, tr_tckn),
    bare("ddddddddddddd", Kind::ZA_ID, za_id),
    doubtful("ddddddddddddd", Kind::KR_RRN, kr_rrn),
    typical("dddddd-ddddddd", Kind::KR_RRN, kr_rrn),
    bare("dddddd-ddddddd", Kind::KR_RRN, kr_rrn_form),
    bare("dddddddddddddddddd", Kind::CN_RIC, cn_ric),
    bare("dddddddddddddddddA", Kind::CN_RIC, cn_ric),
    typical("dddddd/dddd", Kind::CZ_RC, cz_rc),
    bare("dddddddddd", Kind::CZ_RC, cz_rc),
    bare("ddddddddddddd", Kind::RO_CNP, ro_cnp),
    bare("dddddddddd", Kind::BG_EGN, bg_egn),
    bare("ddddddddddd", Kind::HR_OIB, hr_oib),
    bare("ddddddddddd", Kind::EE_ISIKUKOOD, ee_isikukood),
    bare("AdddddddA", Kind::SG_NRIC, sg_nric),
    bare("dddddddddddd", Kind::JP_MY_NUMBER, jp_my_number),
    typical("dddd~dddd~dddd", Kind::JP_MY_NUMBER, jp_my_number),
];

/// Letters that a word may have before its first digit, and digits in its first run.
pub(super) const LETTERS: usize = 7;
pub(super) const DIGITS: usize = 20;

/// What can stand behind the first run of digits: nothing that matters, a mark of [`MARKS`], or a letter.
const BEHIND: usize = MARKS.len() + 2;
const MARKS: &[u8] = b" -./)+";

/// Characters of the longest shape without separators.
const CHARACTERS: usize = 24;

/// The shapes of the kinds that are looked for, ready to match.
pub(super) struct Patterns {
    patterns: Vec<Pattern>,
    // Patterns that may begin with the same letters, digits and byte behind them, one after the other.
    order: Vec<u16>,
    // Where those of one beginning are in it.
    index: Vec<Slot>,
}

/// Patterns of one beginning.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    from: u16,
    to: u16,
    // Lengths that the second run of digits may have, a bit for each; all of them when one pattern does not care.
    second: u32,
    // Those of them of which a pattern wants no third run behind one mark.
    two: u32,
}

struct Pattern {
    shape: Vec<u8>,
    // Letters, and a mark behind them, before the first digit; digits in the first run.
    begins: (usize, usize),
    // Digits in the second run, when a mark stands between.
    second: Option<usize>,
    // Whether a mark and a digit follow it.
    third: bool,
    opened: bool,
    kind: Kind,
    speaks: Evidence,
    check: Check,
}

impl Slot {
    /// Whether all of them go on with a mark and a digit.
    pub(super) const fn needs_second(self) -> bool {
        self.second & 1 == 0
    }
}

/// What has the shape of a kind and passes its check.
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    pub(super) speaks: Evidence,
}

impl Patterns {
    pub(super) fn new(kinds: KindSet) -> Self {
        let patterns: Vec<Pattern> =
            SHAPES.iter().filter(|shape| kinds.has(shape.kind)).flat_map(compile).collect();
        let mut slots = vec![Vec::new(); LETTERS * DIGITS * BEHIND];
        for (place, pattern) in patterns.iter().enumerate() {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            let next = pattern.shape.get(pattern.begins.0 + pattern.begins.1);
            for behind in 0..BEHIND {
                // A pattern that ends there may be followed by everything but more of the same.
                let fits = next.map_or(behind + 1 < BEHIND, |next| behind == class(*next));
                if fits && let Some(slot) = slots.get_mut(slot(pattern.begins, behind)) {
                    slot.push(place);
                }
            }
        }
        let (mut order, mut index) = (Vec::new(), Vec::with_capacity(slots.len()));
        let length = |order: &Vec<u16>| u16::try_from(order.len()).unwrap_or(u16::MAX);
        for mut slot in slots {
            let second = |place: &u16| patterns.get(usize::from(*place)).and_then(|pattern| pattern.second);
            let second = slot.iter().map(|place| second(place).map_or(u32::MAX, |run| 1 << run.min(31)));
            let second = second.fold(0, |all, one| all | one);
            let two = slot.iter().filter_map(|place| patterns.get(usize::from(*place)));
            let two = two.filter(|pattern| !pattern.third);
            let two = two.map(|pattern| pattern.second.map_or(u32::MAX, |run| 1 << run.min(31)));
            let two = two.fold(0, |all, one| all | one);
            let from = length(&order);
            order.append(&mut slot);
            index.push(Slot { from, to: length(&order), second, two });
        }
        Self { patterns, order, index }
    }

    /// The patterns that begin with so many letters and then digits, when `next` stands behind them. Most numbers in most
    /// texts begin like nothing that is looked for.
    #[inline]
    pub(super) fn beginning(&self, begins: (usize, usize), next: u8) -> Option<Slot> {
        self.index.get(slot(begins, class(next))).copied().filter(|slot| slot.second != 0)
    }

    /// Hands out what matches at `start`, of the patterns that begin as the word there.
    pub(super) fn each(
        &self,
        text: &[u8],
        start: usize,
        begins: (usize, usize),
        slot: Slot,
        mut found: impl FnMut(Match),
    ) {
        let after = text.get(start + begins.0 + begins.1 + 1..).unwrap_or_default();
        let second = digits(after).min(DIGITS);
        // `200 512 "` is two numbers and no more.
        let third = || after.get(second + 1).is_some_and(u8::is_ascii_digit);
        if slot.second >> second & 1 == 0 || (slot.two >> second & 1 == 0 && !third()) {
            return;
        }
        for place in self.order.get(usize::from(slot.from)..usize::from(slot.to)).unwrap_or_default() {
            let Some(pattern) = self.patterns.get(usize::from(*place)) else { continue };
            if pattern.second.is_none_or(|wanted| wanted == second)
                && let Some(one) = pattern.matches(text, start)
            {
                found(one);
            }
        }
    }
}

impl Pattern {
    fn matches(&self, text: &[u8], start: usize) -> Option<Match> {
        let written = text.get(start..start + self.shape.len())?;
        let fits = self.shape.iter().zip(written).all(|(want, byte)| match want {
            b'd' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_alphabetic(),
            b'X' => byte.is_ascii_alphanumeric(),
            _ => want == byte,
        });
        let opened = start > 0 && text.get(start - 1) == Some(&b'(');
        if !fits || (self.opened && !opened) {
            return None;
        }
        let end = start + self.shape.len();
        let whole = if goes_on(text, end) { None } else { Some(end) };
        let end = whole.or_else(|| if self.kind == Kind::PHONE { extended(text, end) } else { None })?;
        let mut id = [0; CHARACTERS];
        let characters = written.iter().filter(|byte| byte.is_ascii_alphanumeric());
        let length = id.iter_mut().zip(characters).map(|(to, from)| *to = from.to_ascii_uppercase()).count();
        let valid = id.get(..length).is_some_and(self.check);
        let start = start - usize::from(self.opened);
        valid.then_some(Match { start, end, kind: self.kind, speaks: self.speaks })
    }
}

/// Whether a number or word that ends here goes on: with a letter or digit, also behind a mark that joins.
pub(super) fn goes_on(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        Some(b'-' | b'+') => text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b'.' | b':' | b'/' | b',') => {
            text.get(end + 1).is_some_and(u8::is_ascii_digit) && !list(text, end)
        }
        Some(b'%') => true,
        Some(next) => next.is_ascii_alphanumeric() || *next == b'_',
        None => false,
    }
}

/// A comma between cells: more than three digits, or something else, follow before the next mark.
fn list(text: &[u8], comma: usize) -> bool {
    let after = text.get(comma + 1..).unwrap_or_default();
    text.get(comma) == Some(&b',')
        && after.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count() != 3
}

/// A place of the index; one that it does not have for what no pattern begins with.
const fn slot((letters, digits): (usize, usize), behind: usize) -> usize {
    if letters < LETTERS && digits < DIGITS {
        (letters * DIGITS + digits) * BEHIND + behind
    } else {
        usize::MAX
    }
}

/// Which class a byte behind the first digits is of; in a shape `A` and `X` are letters too.
#[inline]
fn class(byte: u8) -> usize {
    CLASSES.get(usize::from(byte)).copied().map_or(0, usize::from)
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut letter = b'A';
    while letter <= b'Z' {
        classes[letter as usize] = MARKS.len() as u8 + 1;
        classes[letter.to_ascii_lowercase() as usize] = MARKS.len() as u8 + 1;
        letter += 1;
    }
    let mut mark = 0;
    while mark < MARKS.len() {
        classes[MARKS[mark] as usize] = mark as u8 + 1;
        mark += 1;
    }
    classes
};

fn compile(shape: &Shape) -> Vec<Pattern> {
    let opened = shape.shape.starts_with('(');
    let text = shape.shape.strip_prefix('(').unwrap_or(shape.shape);
    let marks: &[&str] = if text.contains('~') { &[" ", "-"] } else { &["~"] };
    let count = |skip: usize, of: u8| text.bytes().skip(skip).take_while(|byte| *byte == of).count();
    let letters = text.bytes().take_while(|byte| matches!(byte, b'A' | b' ' | b'-')).count();
    let begins = (letters, count(letters, b'd'));
    // A run of digits behind exactly one mark; `X` may be a digit too.
    let rest = text.get(begins.0 + begins.1 + 1..).unwrap_or_default();
    let run = rest.bytes().take_while(|byte| *byte == b'd').count();
    let marked = text.as_bytes().get(begins.0 + begins.1).is_some_and(|byte| !byte.is_ascii_alphabetic());
    let second = if marked && run > 0 && rest.as_bytes().get(run) != Some(&b'X') { Some(run) } else { None };
    let third = rest.as_bytes().get(run + 1..).is_some_and(|rest| rest.starts_with(b"d"));
    let third = second.is_some() && third && !rest.as_bytes().get(run).is_some_and(u8::is_ascii_alphabetic);
    let of = |mark: &&str| Pattern {
        shape: text.replace('~', mark).into_bytes(),
        begins,
        second,
        third,
        opened,
        kind: shape.kind,
        speaks: shape.speaks,
        check: shape.check,
    };
    marks.iter().map(of).collect()
}
