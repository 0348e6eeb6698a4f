//! The same table in every format holds the same personal data, in the same places, on any number of threads.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray};
use bartizan_data::pii::{ColumnDetector, DetectorOptions, Keep, TableFindings, scan_table};
use bartizan_data::{ReadError, ReadOptions, Source, Unpacked};
use expect_test::expect;

use crate::formats::{arrow_file, arrow_stream, parquet};

fn found(bytes: &[u8], threads: usize, keep: Keep) -> TableFindings {
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let source = Source::seekable(Cursor::new(bytes.to_vec()));
    scan_table(source, &ReadOptions::default(), threads, &detector, keep).unwrap()
}

/// Everything that has nothing to do with how the table is written.
fn told(findings: &TableFindings) -> String {
    let mut text = format!("{:?}\n", findings.report.findings);
    for column in &findings.report.columns {
        text.push_str(&format!("{} {}/{} {:?}\n", column.name, column.filled, column.cells, column.holds));
    }
    for place in &findings.places {
        let (kind, range) = (findings_kind(place), place.finding.range());
        text.push_str(&format!(
            "{}:{} {} {kind} {range:?} {:?}\n",
            place.row, place.column, place.name, place.value
        ));
    }
    text
}

fn findings_kind(place: &bartizan_data::pii::TablePlace) -> &'static str {
    place.finding.kind().id()
}

fn people() -> (String, String, Vec<RecordBatch>) {
    let mails = ["anna@example.org", "", "bob@example.org", "carl@example.org, dora@example.org", "none"];
    let (mut csv, mut json) = ("card,mail,shop,tel@example.org\n".to_owned(), String::new());
    let (mut cards, mut texts, mut shops, mut last) = (vec![], vec![], vec![], vec![]);
    for row in 0..200_i64 {
        let mail = mails[usize::try_from(row % 5).unwrap()];
        let card = if row % 3 == 0 { Some(4_111_111_111_111_111_i64) } else { None };
        let shop = ["10.0.0.7", "north", "south"][usize::try_from(row % 3).unwrap()];
        let shown = card.map(|card| card.to_string()).unwrap_or_default();
        csv.push_str(&format!("{shown},\"{mail}\",{shop},{row}\n"));
        let mail = (!mail.is_empty()).then_some(mail);
        json.push_str(&format!(
            "{}\n",
            serde_json::json!({ "card": card, "mail": mail, "shop": shop, "tel@example.org": row })
        ));
        cards.push(card);
        texts.push(mail);
        shops.push(shop);
        last.push(row);
    }
    let shops: DictionaryArray<arrow_array::types::Int32Type> = shops.into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("card", Arc::new(cards.into_iter().collect::<arrow_array::PrimitiveArray<Int64Type>>())),
        ("mail", Arc::new(texts.into_iter().collect::<StringArray>())),
        ("shop", Arc::new(shops)),
        ("tel@example.org", Arc::new(Int64Array::from(last))),
    ];
    let whole = RecordBatch::try_from_iter(columns).unwrap();
    (csv, json, vec![whole.slice(0, 90), whole.slice(90, 110)])
}

#[test]
fn every_format_holds_the_same() {
    let (csv, json, parts) = people();
    let keep = Keep { places: 1_000, values: true };
    let expected = told(&found(csv.as_bytes(), 1, keep));
    expect![[r#"
        {"card": 67, "email": 161, "ipv4": 67}
        card 67/200 Some("card")
        mail 160/200 Some("email")
        shop 200/200 None
        tel@example.org 200/200 None
        0:4 tel@example.org email 0..15 Some("tel@example.org")
        1:1 card card 0..16 Some("4111111111111111")
        1:2 mail email 0..16 Some("anna@example.org")
        1:3 shop ipv4 0..8 Some("10.0.0.7")
        3:2 mail email 0..15 Some("bob@example.org")
        4:1 card card 0..16 Some("4111111111111111")
    "#]]
    .assert_eq(&expected.lines().take(11).map(|line| format!("{line}\n")).collect::<String>());
    let few = Keep { places: 7, values: false };
    let mut first = found(csv.as_bytes(), 1, keep);
    first.places.truncate(7);
    first.places.iter_mut().for_each(|place| place.value = None);
    for bytes in [
        json.into_bytes(),
        zstd::encode_all(csv.as_bytes(), 0).unwrap(),
        arrow_stream(&parts),
        arrow_file(&parts, true),
        parquet(&parts, 64, true),
        parquet(&parts, 37, false),
        csv.clone().into_bytes(),
    ] {
        for threads in [1, 3] {
            assert_eq!(told(&found(&bytes, threads, keep)), expected);
            assert_eq!(told(&found(&bytes, threads, few)), told(&first));
        }
    }
}

#[test]
fn what_cannot_be_read_to_its_end_says_nothing() {
    let (_, _, parts) = people();
    let bytes = parquet(&parts, 64, true);
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let source = Source::seekable(Cursor::new(bytes[..bytes.len() - 1].to_vec()));
    let keep = Keep { places: 10, values: false };
    let read = scan_table(source, &ReadOptions::default(), 1, &detector, keep);
    assert!(matches!(read, Err(ReadError::Damaged { .. })), "{read:?}");
}

#[test]
fn bytes_are_unpacked_within_limits() {
    let unpacked = |bytes: &[u8]| {
        let mut unpacked = Unpacked::open(bytes).unwrap();
        let (compression, mut out) = (unpacked.compression(), Vec::new());
        let read = unpacked.read_to_end(&mut out).map_err(|error| Unpacked::error(error).to_string());
        (compression, out, read.map(|_| ()))
    };
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 0).unwrap();
    assert_eq!(unpacked(b"as it is"), (None, b"as it is".to_vec(), Ok(())));
    assert_eq!(unpacked(b""), (None, Vec::new(), Ok(())));
    let members = [gzip(b"one, "), gzip(b"two")].concat();
    assert_eq!(unpacked(&members), (Some("gzip"), b"one, two".to_vec(), Ok(())));
    let frames = [zstd(b"one, "), zstd(b"two")].concat();
    assert_eq!(unpacked(&frames), (Some("zstd"), b"one, two".to_vec(), Ok(())));
    for packed in [members, frames] {
        let (_, out, read) = unpacked(&packed[..packed.len() - 3]);
        assert!(b"one, two".starts_with(&out) && read.is_err(), "{read:?}");
    }
    // Less than a thousandth stays of noughts.
    let noughts = vec![0_u8; 80 * 1024 * 1024];
    let (_, out, read) = unpacked(&zstd(&noughts));
    assert!(out.len() < noughts.len());
    expect!["the file decompresses to more than 2000 times its size"].assert_eq(&read.unwrap_err());
}
