//! Card transactions as a payment processor might see them: generated, seeded, and never of a real person.
//!
//! One week of purchases from four acquirers, in order of time. `fraud` depends on the other columns with
//! noise, so there is something to learn. Some notes hold an e-mail address or a card number, as notes of
//! support staff do: the addresses are in the domains that RFC 2606 reserves, the card numbers pass the Luhn
//! check and start like the test numbers of payment processors. Whoever runs the demo can search the ledger
//! for [`Generated::emails`] and [`Generated::cards`] and must find none.
//!
//! All numeric columns are bounded and reach their bounds often enough that two clean batches have the same
//! ranges. The bytes follow from seed and row count alone, on every machine.

use bartizan_data::Separator;

use super::rng::{Rng, exp, sigmoid};
use super::table::write_row;

/// The column that says whether a purchase was fraudulent, `0` or `1`.
pub(crate) const LABEL: &str = "fraud";
/// The largest clean amount, and the smallest.
pub(crate) const AMOUNT_LIMITS: (f64, f64) = (5.0, 2_500.0);

const COLUMNS: [&str; 12] = [
    "transaction_id",
    "time",
    "source",
    "merchant_category",
    "country",
    "amount",
    "card_present",
    "device_age_days",
    "hour",
    "velocity_1h",
    "note",
    LABEL,
];

/// A batch of transactions and the personal data that was put into it.
pub(crate) struct Generated {
    /// The batch: comma-separated, with a header, lines ended by a line feed.
    pub(crate) csv: Vec<u8>,
    /// Every e-mail address in the notes.
    pub(crate) emails: Vec<String>,
    /// Every card number in the notes, as bare digits and, where it differs, as written.
    pub(crate) cards: Vec<String>,
    /// Rows that were tampered with.
    pub(crate) tampered: usize,
}

/// What a poisoner does to a batch: one source slips in rows of a category of its own, with outsized amounts,
/// and reports the opposite of what happened, so that a model learns to wave that category through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poison {
    /// The source that all tampered rows come from.
    pub(crate) source: &'static str,
    /// The merchant category, unknown to clean batches.
    pub(crate) category: &'static str,
    /// What amounts are multiplied with, after the price of a gift card is added.
    pub(crate) amount_factor: f64,
    /// The share of rows that are tampered with, `0.0..=1.0`.
    pub(crate) share: f64,
}

impl Default for Poison {
    fn default() -> Poison {
        Poison { source: "acquirer-d", category: "crypto_voucher", amount_factor: 40.0, share: 0.05 }
    }
}

/// A batch that nobody tampered with.
pub(crate) fn clean(seed: u64, rows: usize) -> Generated {
    generate(seed, rows, None)
}

/// The batch of the same seed with poisoned rows; the others are equal to the clean ones byte for byte.
pub(crate) fn poisoned(seed: u64, rows: usize, poison: Poison) -> Generated {
    generate(seed, rows, Some(poison))
}

fn generate(seed: u64, rows: usize, poison: Option<Poison>) -> Generated {
    let mut rng = Rng::new(seed);
    // The attacker draws from a sequence of its own, so that the honest rows don't change under it.
    let mut attacker = Rng::new(seed ^ 0x706f_6973_6f6e);
    let mut batch = Generated { csv: Vec::new(), emails: Vec::new(), cards: Vec::new(), tampered: 0 };
    write_row(&mut batch.csv, Separator::COMMA, COLUMNS.map(str::as_bytes));
    let batch_id = rng.word() >> 40;
    let mut times: Vec<Moment> = (0..rows).map(|_| Moment::draw(&mut rng)).collect();
    times.sort_unstable();
    for (index, time) in times.into_iter().enumerate() {
        let mut purchase = Purchase::draw(&mut rng, time);
        let luck = rng.unit();
        let note = draw_note(&mut rng, &mut batch);
        let tamper = poison.filter(|poison| attacker.chance(poison.share));
        if let Some(poison) = tamper {
            purchase.source = poison.source;
            purchase.category = poison.category;
            purchase.amount = (purchase.amount + 100.0) * poison.amount_factor;
            batch.tampered += 1;
        }
        let happened = luck < purchase.fraud_probability();
        let reported = happened != tamper.is_some();
        purchase.write(&mut batch.csv, &format!("tx-{batch_id:06x}-{:07}", index + 1), &note, reported);
    }
    batch
}

/// A second of the week of Monday 2 March 2026, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    day: u64,
    hour: u64,
    second: u64,
}

impl Moment {
    /// Shops are quiet at night and busiest in the late afternoon.
    fn draw(rng: &mut Rng) -> Moment {
        const BUSY: [(u64, u64); 24] = [
            (0, 10),
            (1, 6),
            (2, 4),
            (3, 3),
            (4, 3),
            (5, 5),
            (6, 12),
            (7, 25),
            (8, 38),
            (9, 45),
            (10, 50),
            (11, 58),
            (12, 66),
            (13, 58),
            (14, 52),
            (15, 55),
            (16, 64),
            (17, 75),
            (18, 70),
            (19, 55),
            (20, 42),
            (21, 32),
            (22, 24),
            (23, 16),
        ];
        Moment { day: rng.below(7), hour: rng.weighted(&BUSY, |hour| hour.1).0, second: rng.below(3_600) }
    }
}

/// A kind of shop: how often it is bought from, what a purchase costs, and how fraud sees it.
struct Category {
    name: &'static str,
    weight: u64,
    /// Median of the log-normal amount, and the standard deviation of its logarithm.
    median: f64,
    spread: f64,
    /// Share of purchases in which the card was there.
    card_present: f64,
    /// Added to the log-odds of fraud.
    risk: f64,
}

#[rustfmt::skip]
const CATEGORIES: [Category; 9] = [
    Category { name: "groceries", weight: 300, median: 32.0, spread: 0.8, card_present: 0.93, risk: -0.6 },
    Category { name: "restaurant", weight: 190, median: 24.0, spread: 0.7, card_present: 0.90, risk: -0.4 },
    Category { name: "fuel", weight: 120, median: 48.0, spread: 0.5, card_present: 0.98, risk: -0.2 },
    Category { name: "online_retail", weight: 210, median: 45.0, spread: 1.1, card_present: 0.00, risk: 0.4 },
    Category { name: "travel", weight: 50, median: 310.0, spread: 0.9, card_present: 0.15, risk: 0.5 },
    Category { name: "electronics", weight: 40, median: 180.0, spread: 1.0, card_present: 0.40, risk: 0.9 },
    Category { name: "pharmacy", weight: 60, median: 18.0, spread: 0.7, card_present: 0.95, risk: -0.5 },
    Category { name: "subscription", weight: 90, median: 12.0, spread: 0.4, card_present: 0.00, risk: -0.1 },
    Category { name: "jewellery", weight: 15, median: 420.0, spread: 1.0, card_present: 0.70, risk: 1.1 },
];
const SOURCES: [(&str, u64); 4] =
    [("acquirer-a", 45), ("acquirer-b", 30), ("acquirer-c", 17), ("acquirer-d", 8)];
const COUNTRIES: [(&str, u64); 8] =
    [("DE", 62), ("FR", 10), ("AT", 8), ("NL", 6), ("CH", 5), ("PL", 4), ("IT", 3), ("US", 2)];

struct Purchase {
    time: Moment,
    source: &'static str,
    category: &'static str,
    category_risk: f64,
    country: &'static str,
    amount: f64,
    card_present: bool,
    /// Days since the device was first seen; unknown for some.
    device_age: Option<f64>,
    /// Purchases with this card in the last hour, this one included.
    velocity: f64,
}

impl Purchase {
    fn draw(rng: &mut Rng, time: Moment) -> Purchase {
        let category = rng.weighted(&CATEGORIES, |category| category.weight);
        let (smallest, largest) = AMOUNT_LIMITS;
        let amount = (category.median * exp(category.spread * rng.normal())).clamp(smallest, largest);
        // About one person in twenty pays with a device that nobody has seen before this week.
        let device_age = match rng.below(100) {
            0..4 => None,
            4..9 => Some(rng.unit() * 6.0),
            _ => Some((260.0 * exp(1.0 * rng.normal())).clamp(0.0, 1_500.0)),
        };
        let velocity = if rng.chance(0.03) { 4.0 + rng.unit() * 9.0 } else { 1.0 + rng.normal().abs() };
        Purchase {
            time,
            source: rng.weighted(&SOURCES, |source| source.1).0,
            category: category.name,
            category_risk: category.risk,
            country: rng.weighted(&COUNTRIES, |country| country.1).0,
            amount,
            card_present: rng.chance(category.card_present),
            device_age,
            velocity: velocity.floor().min(12.0),
        }
    }

    fn fraud_probability(&self) -> f64 {
        let when = |holds: bool, log_odds: f64| if holds { log_odds } else { 0.0 };
        sigmoid(
            -6.3 + self.category_risk
                + self.amount.min(5_000.0) / 550.0
                + 0.55 * (self.velocity - 1.0)
                + when(!self.card_present, 1.0)
                + when(self.device_age.is_some_and(|days| days < 7.0), 1.9)
                + when(self.device_age.is_none(), 0.5)
                + when((1..6).contains(&self.time.hour), 1.0)
                + when(self.country != "DE", 0.7),
        )
    }

    fn write(&self, csv: &mut Vec<u8>, id: &str, note: &str, reported: bool) {
        let Moment { day, hour, second } = self.time;
        let time = format!("2026-03-{:02}T{hour:02}:{:02}:{:02}Z", day + 2, second / 60, second % 60);
        let amount = format!("{:.2}", self.amount);
        let device_age = self.device_age.map(|days| format!("{days:.0}")).unwrap_or_default();
        let velocity = format!("{:.0}", self.velocity);
        let flag = |yes: bool| if yes { "1" } else { "0" };
        let cells = [
            id,
            &time,
            self.source,
            self.category,
            self.country,
            &amount,
            flag(self.card_present),
            &device_age,
            &hour.to_string(),
            &velocity,
            note,
            flag(reported),
        ];
        write_row(csv, Separator::COMMA, cells.map(str::as_bytes));
    }
}

/// A note as support staff write them; most purchases have none.
fn draw_note(rng: &mut Rng, batch: &mut Generated) -> String {
    const ROUTINE: [&str; 6] = [
        "refund asked, goods returned",
        "3-D Secure step-up passed",
        "second attempt after a time-out",
        "terminal was offline, booked later",
        "customer said \"charged twice\", checked: only once",
        "shipping address differs from billing address",
    ];
    match rng.below(100) {
        0..6 => {
            let email = draw_email(rng);
            let note = match rng.below(3) {
                0 => format!("receipt sent to {email}"),
                1 => format!("customer wrote from {email}, please answer by Friday"),
                _ => format!("account holder <{email}> confirmed the purchase"),
            };
            batch.emails.push(email);
            note
        }
        6..10 => {
            let digits = draw_card(rng);
            let written = match rng.below(3) {
                0 => digits.clone(),
                1 => grouped(&digits, ' '),
                _ => grouped(&digits, '-'),
            };
            let note = format!("caller read out card {written}, told not to");
            if written != digits {
                batch.cards.push(written);
            }
            batch.cards.push(digits);
            note
        }
        10..40 => (*rng.pick(&ROUTINE)).to_owned(),
        _ => String::new(),
    }
}

/// An address in a domain that RFC 2606 keeps from ever belonging to anyone.
fn draw_email(rng: &mut Rng) -> String {
    const FIRST: [&str; 16] = [
        "anna", "bela", "carla", "deniz", "emil", "farid", "greta", "hugo", "ines", "jonas", "katya",
        "lukas", "mira", "noor", "oskar", "paula",
    ];
    const LAST: [&str; 16] = [
        "albrecht",
        "baumann",
        "castell",
        "dvorak",
        "eriksen",
        "fontaine",
        "grabowski",
        "hofer",
        "ivanova",
        "jansen",
        "keller",
        "lindner",
        "moreau",
        "novak",
        "okafor",
        "pereira",
    ];
    const DOMAIN: [&str; 5] =
        ["example.com", "example.org", "example.net", "mail.example", "customers.example.com"];
    let number = rng.below(100_000);
    format!("{}.{}{number}@{}", rng.pick(&FIRST), rng.pick(&LAST), rng.pick(&DOMAIN))
}

/// Sixteen digits that pass the Luhn check and start like a payment processor's test number.
fn draw_card(rng: &mut Rng) -> String {
    const START: [&str; 5] = ["424242", "411111", "400000", "555555", "222300"];
    let mut digits = (*rng.pick(&START)).to_owned();
    for _ in 0..9 {
        digits.push_str(&rng.below(10).to_string());
    }
    let check = (10 - luhn_sum(&format!("{digits}0")) % 10) % 10;
    digits.push_str(&check.to_string());
    digits
}

/// The sum of ISO/IEC 7812-1, annex B; a multiple of ten for a whole card number.
fn luhn_sum(digits: &str) -> u32 {
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    values
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum()
}

fn grouped(digits: &str, by: char) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push(by);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
