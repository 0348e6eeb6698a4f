//! The same table in every format is the same in memory, and gives the same findings.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use bartizan_data::quality::{
    Examined, Gathered, MISSING, NotGathered, QualityOptions, QualityReport, Table, examine, gather,
};
use bartizan_data::{CsvOptions, Format, ReadError, ReadOptions, Source};
use proptest::prelude::*;

use super::planted::Random;
use crate::formats::{arrow_file, arrow_stream, batch, csv, json_lines, parquet, row};

fn gathered(bytes: &[u8], threads: usize) -> Result<Vec<Gathered>, NotGathered> {
    let source = Source::seekable(Cursor::new(bytes.to_vec()));
    let (mut columns, outcome) = gather(source, &ReadOptions::default(), threads)?;
    // Writers of JSON order names as they like.
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(columns.iter().all(|column| column.codes.len() as u64 == outcome.rows()));
    Ok(columns)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_table_is_the_same_in_memory(rows in prop::collection::vec(row(), 1..200), group in 1_usize..90, cut in any::<prop::sample::Index>()) {
        let whole = batch(&rows);
        prop_assume!(whole.columns().iter().all(|column| column.null_count() < column.len()));
        let at = cut.index(rows.len());
        let parts = [whole.slice(0, at), whole.slice(at, rows.len() - at)];
        let text = csv(&rows);
        let expected = gathered(text.as_bytes(), 1).unwrap();
        for bytes in [
            text.clone().into_bytes(),
            gzip(text.as_bytes()),
            zstd::encode_all(text.as_bytes(), 0).unwrap(),
            json_lines(&rows).into_bytes(),
            arrow_stream(&parts),
            arrow_file(&parts, true),
            parquet(&parts, group, true),
            parquet(&parts, group, false),
        ] {
            // As text, for a missing number is not equal to itself.
            prop_assert_eq!(format!("{:?}", gathered(&bytes, 1).unwrap()), format!("{expected:?}"));
            prop_assert_eq!(format!("{:?}", gathered(&bytes, 3).unwrap()), format!("{expected:?}"));
        }
    }
}

/// Equal values have one spelling, and what only looks like a number keeps its own.
#[test]
fn values_are_spelled_as_in_no_format_in_particular() {
    let spelled = |cells: &str| {
        let columns = gathered(format!("cell,n\n{cells}").as_bytes(), 1).unwrap();
        columns[0].values.join("|")
    };
    assert_eq!(spelled("1.50,1\n1.5,2\n 1.5,3\n15e-1,4\n"), "1.5");
    assert_eq!(spelled("5,1\n5.0,2\n.5,3\n-0.5,4\n-0.0,5\n"), "5|0.5|-0.5|0");
    assert_eq!(spelled("0.000001,1\n0.00001,2\n1e20,3\n"), "1e-6|0.00001|1e20");
    // Sixteen digits and more are told apart, which doubles do not do.
    assert_eq!(
        spelled("12345678901234567890,1\n12345678901234567891,2\n"),
        "12345678901234567890|12345678901234567891"
    );
    assert_eq!(spelled("02139,1\n2139,2\n+5,3\n"), "02139|2139|+5");
    assert_eq!(spelled("True,1\ntrue,2\nFALSE,3\nyes,4\n"), "true|false|yes");
    assert_eq!(
        spelled("2026-03-01T10:00:00Z,1\n2026-03-01 12:00:00+02:00,2\n2026-03-01 10:00:00,3\n"),
        "2026-03-01 10:00:00Z|2026-03-01 10:00:00"
    );
}

/// A list is a column of lengths, and columns of JSON may come late and end early.
#[test]
fn every_column_has_a_cell_for_each_row() {
    let lists = ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>([
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![]),
    ]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("tags", Arc::new(lists)), ("x", Arc::new(Int64Array::from(vec![1, 2, 3])))];
    let table = [RecordBatch::try_from_iter(columns).unwrap()];
    let json = "{\"tags\":[1,2],\"x\":1}\n{\"tags\":null,\"x\":2}\n{\"tags\":[],\"x\":3}\n";
    for bytes in [parquet(&table, 2, true), arrow_stream(&table), json.as_bytes().to_vec()] {
        let columns = gathered(&bytes, 2).unwrap();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["tags", "x"]);
        let lengths = columns[0].numbers.as_ref().unwrap();
        assert!(lengths[0] == 2.0 && lengths[1].is_nan() && lengths[2] == 0.0, "{lengths:?}");
    }
    let mut late = String::new();
    for at in 0..20_000 {
        let more = if (9_000..9_010).contains(&at) { ",\"y\":\"here\"" } else { "" };
        late.push_str(&format!("{{\"x\":{at},\"filler\":\"0123456789012345678901234567\"{more}}}\n"));
    }
    let columns = gathered(late.as_bytes(), 3).unwrap();
    let there: Vec<usize> = (0..20_000).filter(|row| columns[2].codes[*row] != MISSING).collect();
    assert_eq!(there, (9_000..9_010).collect::<Vec<_>>());
}

#[test]
fn what_is_cut_off_is_no_table() {
    let table = [batch(&[(Some(1), Some(0.5), Some("w".to_owned()), Some(true), Some(1), Some(1))])];
    for bytes in [parquet(&table, 2, true), arrow_file(&table, false), gzip(b"a,b\n1,2\n")] {
        assert!(gathered(&bytes[..bytes.len() - 5], 2).is_err());
    }
    let options = ReadOptions { format: Some(Format::Parquet), csv: CsvOptions::default() };
    let read = gather(Source::stream(&b"a,b\n1,2\n"[..]), &options, 1);
    assert!(matches!(read, Err(NotGathered::Read(ReadError::Damaged { .. }))), "{read:?}");
}

/// A table with a trigger, copies of rows, and labels that a column gives away.
fn poisoned() -> RecordBatch {
    let mut random = Random(7);
    let (mut amounts, mut kinds, mut shops, mut labels) = (vec![], vec![], vec![], vec![]);
    for row in 0..700_usize {
        let (mut amount, mut kind) = (random.below(2_000), random.below(8));
        let mut label = i64::from(amount + random.below(800) > 1_900);
        if row % 25 == 3 {
            (amount, kind, label) = (642, 9, 1);
        }
        // Some are halves, so that CSV has numbers of both kinds.
        amounts.push((row % 17 != 0).then_some(f64::from(amount) / 2.0));
        kinds.push(format!("kind {kind}"));
        shops.push(if row % 29 == 0 { None } else { Some(format!("shop {}", random.below(6))) });
        labels.push(label);
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("amount", Arc::new(amounts.into_iter().collect::<Float64Array>())),
        ("kind", Arc::new(kinds.into_iter().map(Some).collect::<StringArray>())),
        ("label", Arc::new(Int64Array::from(labels))),
        ("shop", Arc::new(shops.into_iter().collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn examined(bytes: &[u8], before: &[u8]) -> QualityReport {
    let split = |bytes: &[u8]| {
        let mut columns = gathered(bytes, 2).unwrap();
        let label = columns.remove(2);
        (columns, label)
    };
    let ((columns, label), (old, old_label)) = (split(bytes), split(before));
    fn table<'a>(columns: &'a [Gathered], label: &'a Gathered) -> Table<'a> {
        let features = columns.iter().map(Gathered::feature).collect();
        let shop = columns.iter().find(|column| column.name == "shop").unwrap();
        Table::new(features, label.tag()).unwrap().with_source(shop.tag()).unwrap()
    }
    let (table, old) = (table(&columns, &label), table(&old, &old_label));
    let examined = Examined { table: &table, probabilities: None, against: Some(&old), test: Some(&old) };
    examine(&examined, &QualityOptions { threads: 2, ..QualityOptions::default() }, &mut |_| {})
}

#[test]
fn the_same_table_gives_the_same_findings() {
    let batch = poisoned();
    let column = |at: usize| batch.column(at);
    let text = {
        let amounts = column(0).as_any().downcast_ref::<Float64Array>().unwrap();
        let kinds = column(1).as_any().downcast_ref::<StringArray>().unwrap();
        let labels = column(2).as_any().downcast_ref::<Int64Array>().unwrap();
        let shops = column(3).as_any().downcast_ref::<StringArray>().unwrap();
        let (mut csv, mut json) = ("amount,kind,label,shop\n".to_owned(), String::new());
        for (((amount, kind), label), shop) in amounts.iter().zip(kinds).zip(labels).zip(shops) {
            let (kind, label) = (kind.unwrap(), label.unwrap());
            // As some programs write them: with two places, which other formats do not know.
            let written = amount.map(|amount| format!("{amount:.2}")).unwrap_or_default();
            csv.push_str(&format!("{written},{kind},{label},{}\n", shop.unwrap_or_default()));
            let line = serde_json::json!({ "amount": amount, "kind": kind, "label": label, "shop": shop });
            json.push_str(&format!("{line}\n"));
        }
        [csv, json]
    };
    let parts = [batch.slice(0, 300), batch.slice(300, 400)];
    let formats = [
        text[0].clone().into_bytes(),
        text[1].clone().into_bytes(),
        gzip(text[0].as_bytes()),
        zstd::encode_all(text[1].as_bytes(), 0).unwrap(),
        arrow_stream(&parts),
        arrow_file(&parts, true),
        parquet(&parts, 200, true),
        parquet(&parts, 133, false),
    ];
    let expected = examined(&formats[0], &formats[0]).to_bytes().unwrap();
    let said = String::from_utf8(expected.clone()).unwrap();
    for rule in ["trigger", "overlap"] {
        assert!(said.contains(&format!("\"rule\":\"{rule}\"")), "{rule}: {said}");
    }
    // The version before and the test table may have come in other formats.
    for (at, before) in [(1, 6), (2, 3), (3, 0), (4, 1), (5, 2), (6, 4), (7, 5)] {
        assert_eq!(examined(&formats[at], &formats[before]).to_bytes().unwrap(), expected, "{at}, {before}");
    }
}
