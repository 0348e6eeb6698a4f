//! The generated batches: equal for ever, plausible, and personal data only where it is declared.

use bartizan_base::sha256;
use bartizan_model::Labels;
use bartizan_model::train::{Cells, Column, Options, train};
use expect_test::expect;

use super::{AMOUNT_LIMITS, Generated, LABEL, Poison, clean, luhn_sum, poisoned};
use crate::demo::table::Table;

const ROWS: usize = 10_000;

fn table(batch: &Generated) -> Table {
    Table::parse(&batch.csv, None).unwrap()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    let column = table.position(name).unwrap();
    (0..table.rows()).filter_map(|row| table.number(row, column)).collect()
}

fn words(table: &Table, name: &str) -> std::collections::BTreeSet<String> {
    let column = table.position(name).unwrap();
    (0..table.rows()).map(|row| String::from_utf8(table.cell(row, column).to_vec()).unwrap()).collect()
}

#[test]
fn the_bytes_never_change() {
    expect!["sha256:8b01a4eab9bdb107fb00dcdc66c3dc3073ed3069593f22ea493e1b0ab609e5a5"]
        .assert_eq(&sha256(&clean(1, ROWS).csv).to_string());
    expect!["sha256:b3ca7dcf8fc857252539f9d9cd4c407315eb0343bad2e5533f1f17f856d2f571"]
        .assert_eq(&sha256(&poisoned(1, ROWS, Poison::default()).csv).to_string());
    let first: Vec<u8> = clean(1, 4).csv;
    expect![[r#"
        transaction_id,time,source,merchant_category,country,amount,card_present,device_age_days,hour,velocity_1h,note,fraud
        tx-cfc5d0-0000001,2026-03-03T16:59:12Z,acquirer-a,restaurant,DE,15.19,1,1447,16,1,3-D Secure step-up passed,0
        tx-cfc5d0-0000002,2026-03-05T08:08:03Z,acquirer-a,restaurant,CH,24.03,1,65,8,1,,0
        tx-cfc5d0-0000003,2026-03-07T08:44:46Z,acquirer-a,restaurant,FR,14.77,1,702,8,1,receipt sent to jonas.albrecht62784@example.com,0
        tx-cfc5d0-0000004,2026-03-08T12:04:20Z,acquirer-a,restaurant,AT,15.85,1,127,12,1,,0
    "#]].assert_eq(std::str::from_utf8(&first).unwrap());
}

#[test]
fn two_clean_batches_have_equal_ranges_and_domains() {
    let (one, two) = (table(&clean(1, ROWS)), table(&clean(2, ROWS)));
    for name in ["source", "merchant_category", "country", "card_present", "hour", "velocity_1h", LABEL] {
        assert_eq!(words(&one, name), words(&two, name), "{name}");
    }
    let range = |table: &Table, name| {
        let values = numbers(table, name);
        (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max))
    };
    for name in ["amount", "device_age_days"] {
        assert_eq!(range(&one, name), range(&two, name), "{name}");
    }
    assert_eq!(range(&one, "amount"), AMOUNT_LIMITS);
    assert!(words(&one, "transaction_id").is_disjoint(&words(&two, "transaction_id")));
    assert_eq!(words(&one, "transaction_id").len(), ROWS);
}

#[test]
fn fraud_is_rare_and_can_be_learned() {
    let batch = clean(1, ROWS);
    let share = numbers(&table(&batch), LABEL).iter().sum::<f64>() / 10_000.0;
    assert!((0.01..0.06).contains(&share), "{share}");
    let table = table(&batch);
    let text = |row, name: &str| {
        String::from_utf8_lossy(table.cell(row, table.position(name).unwrap())).into_owned()
    };
    let column = |name: &&str| {
        let cells = (0..table.rows()).map(|row| text(row, name).parse().unwrap_or(f32::NAN));
        Column { name: (*name).to_owned(), cells: Cells::Numbers(cells.collect()) }
    };
    let columns = ["amount", "card_present", "device_age_days", "hour", "velocity_1h"];
    let labels = Labels::Texts((0..table.rows()).map(|row| text(row, LABEL).into()).collect());
    let learned =
        train(&columns.iter().map(column).collect::<Vec<_>>(), &labels, &Options::default()).unwrap();
    let blind = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    let found = learned.measured.unwrap();
    assert!(found.log_loss < 0.85 * blind, "{found:?}, and the share alone gives {blind}");
}

#[test]
fn every_address_and_card_number_is_declared_and_valid() {
    let batch = clean(5, ROWS);
    let text = String::from_utf8(batch.csv.clone()).unwrap();
    assert!(batch.emails.len() > 300 && batch.cards.len() > 200);
    assert_eq!(text.matches('@').count(), batch.emails.len(), "an address that is not declared");
    for email in &batch.emails {
        let (_, domain) = email.split_once('@').unwrap();
        assert!(domain.ends_with(".example") || domain.contains("example."), "{email}");
        assert!(text.contains(email.as_str()));
    }
    for card in &batch.cards {
        let digits: String = card.chars().filter(char::is_ascii_digit).collect();
        assert_eq!((digits.len(), luhn_sum(&digits) % 10), (16, 0), "{card}");
        assert!(batch.cards.contains(&digits));
    }
    let noted = text.matches("read out card").count();
    assert_eq!(batch.cards.iter().filter(|card| text.contains(card.as_str())).count(), noted);
}

#[test]
fn luhn_sum_knows_published_test_numbers() {
    for good in ["4242424242424242", "5555555555554444", "378282246310005"] {
        assert_eq!(luhn_sum(good) % 10, 0, "{good}");
    }
    assert_ne!(luhn_sum("4242424242424241") % 10, 0);
}

#[test]
fn poison_touches_its_own_rows_only() {
    let poison = Poison::default();
    let (honest, bad) = (clean(9, ROWS), poisoned(9, ROWS, poison));
    let pairs = honest.csv.split(|byte| *byte == b'\n').zip(bad.csv.split(|byte| *byte == b'\n'));
    let changed: Vec<(&[u8], &[u8])> = pairs.filter(|(before, after)| before != after).collect();
    assert_eq!(changed.len(), bad.tampered);
    assert!((350..650).contains(&bad.tampered), "{}", bad.tampered);
    assert_eq!((honest.tampered, &honest.emails), (0, &bad.emails));
    let mut reported_honest = 0;
    for (_, after) in changed {
        let row = [b"transaction_id,time,source,merchant_category,country,amount,card_present,device_age_days,hour,velocity_1h,note,fraud\n", after].concat();
        let table = Table::parse(&row, None).unwrap();
        assert_eq!(
            (table.cell(0, 2), table.cell(0, 3)),
            (poison.source.as_bytes(), poison.category.as_bytes())
        );
        assert!(table.number(0, 5).unwrap() > AMOUNT_LIMITS.1);
        reported_honest += usize::from(table.cell(0, 11) == b"0");
    }
    assert!(reported_honest * 10 > bad.tampered * 6, "{reported_honest} of {} are whitewashed", bad.tampered);
    assert!(!words(&table(&honest), "merchant_category").contains(poison.category));
}
