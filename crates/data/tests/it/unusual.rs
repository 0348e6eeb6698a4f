//! Deliveries compared with those before: what is found, and how often chance alone makes a finding.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drawn numbers of rows are positive and small"
)]

use bartizan_base::Timestamp;
use bartizan_data::unusual::{Delivered, Respect, compare};
use expect_test::{Expect, expect};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn delivered(day: i64, rows: u64) -> Delivered {
    let at = Timestamp::from_millis(1_772_366_400_000 + day * DAY);
    Delivered { at, rows, bytes: rows * 20, writer: "usr_a".to_owned() }
}

/// Twelve deliveries, one a day, of about a thousand rows.
fn history() -> Vec<Delivered> {
    let rows = [1000, 1040, 985, 1010, 970, 1030, 1005, 995, 1050, 1000, 990, 1015];
    (0..).zip(rows).map(|(day, rows)| delivered(day, rows)).collect()
}

fn check(new: &Delivered, expected: Expect) {
    let found = compare(&history(), new, None);
    assert_eq!(found.checks, 4);
    let lines: Vec<String> =
        found.unusual.iter().map(|one| format!("{:?}: {}\n", one.respect, one.message)).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn what_is_usual_is_not_remarked_upon() {
    check(&delivered(12, 1020), expect![[""]]);
    check(&delivered(12, 930), expect![[""]]);
}

#[test]
fn volume_timing_and_writer_are_compared() {
    check(
        &delivered(12, 100),
        expect![[r#"
            Rows: it has 100 rows, and 1002 are usual
            Bytes: it has 2000 bytes, and 20050 are usual
        "#]],
    );
    check(
        &delivered(20, 1000),
        expect![[r#"
            Timing: it comes 9.0 days after the one before, and 24.0 h is usual
        "#]],
    );
    let stranger = Delivered { writer: "usr_b".to_owned(), ..delivered(12, 1000) };
    check(
        &stranger,
        expect![[r#"
            Writer: it is brought by usr_b, and those before by 1 others
        "#]],
    );
}

#[test]
fn columns_are_compared_with_the_delivery_before() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let said = |before: &[&str], new: &[&str]| {
        let (before, new) = (names(before), names(new));
        let found = compare(&[], &delivered(0, 1), Some((&before, &new)));
        assert_eq!(found.checks, 1);
        found.unusual.first().map(|one| one.message.clone())
    };
    assert_eq!(said(&["a", "b"], &["b", "a"]), None, "the order is the schema's affair");
    assert_eq!(said(&["a"], &["a", "b"]).unwrap(), "it has the columns `b`, which the one before had not");
    assert_eq!(said(&["a", "b"], &["b"]).unwrap(), "it lacks the columns `a`, which the one before had");
    assert_eq!(said(&["a", "b"], &["b", "c"]).unwrap(), "it has the columns `c` instead of `a`");
}

#[test]
fn nothing_is_said_on_too_little() {
    let history: Vec<Delivered> = (0..7).map(|day| delivered(day, 1000)).collect();
    let found = compare(&history, &delivered(400, 1), None);
    assert_eq!((found.checks, found.unusual.len()), (0, 0));
    // What was delivered together is one beat: nine deliveries at two moments say nothing of timing.
    let together: Vec<Delivered> = (0..9).map(|number| delivered(number / 5, 1000)).collect();
    let found = compare(&together, &delivered(400, 1000), None);
    assert_eq!((found.checks, found.unusual.len()), (3, 0));
}

/// A small generator of uniform numbers (SplitMix64, Steele et al. 2014), so that the rate below is always the same.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller 1958.
    fn normal(&mut self) -> f64 {
        let (radius, turn) = (1.0 - self.next(), self.next());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    }
}

#[test]
fn one_usual_delivery_in_a_thousand_is_called_unusual() {
    for count in [8_i64, 12, 20, 50, 100] {
        let mut random = Uniform(7);
        let mut rows = || (1e6 * (0.5 * random.normal()).exp()) as u64;
        let trials = 40_000;
        let mut called = 0_u32;
        for _ in 0..trials {
            let history: Vec<Delivered> = (0..count).map(|day| delivered(day, rows())).collect();
            let found = compare(&history, &delivered(count, rows()), None);
            called += u32::from(found.unusual.iter().any(|one| one.respect == Respect::Rows));
        }
        let rate = f64::from(called) / f64::from(trials);
        assert!((0.0005..0.0015).contains(&rate), "{count} before: {rate}");
    }
}
