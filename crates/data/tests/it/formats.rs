//! The same table in every format has the same profile, on any number of threads.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::Schema;
use bartizan_data::{
    Format, InferOptions, NotProfiled, Outcome, Profile, ProfileOptions, ReadError, ReadOptions, ReadOutcome,
    Source, Tier, check_source, profile,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

/// A row: each value may be missing.
pub(crate) type Row = (Option<i64>, Option<f64>, Option<String>, Option<bool>, Option<i32>, Option<i64>);

/// Writes a table in some format.
type Writer = fn(&[Row]) -> Vec<u8>;

pub(crate) fn row() -> impl Strategy<Value = Row> {
    let whole = prop_oneof![4 => -50_i64..50, 1 => any::<i64>()];
    (
        prop::option::weighted(0.9, whole),
        // Halves are never whole, which CSV could not tell from integers.
        prop::option::weighted(0.9, (-1_000_i32..1_000).prop_map(|number| f64::from(number) + 0.5)),
        prop::option::weighted(0.9, prop_oneof!["w[a-c]{0,2}", "w[ -~é]{0,9}x"]),
        prop::option::weighted(0.9, any::<bool>()),
        prop::option::weighted(0.9, -40_000_i32..40_000),
        prop::option::weighted(0.9, -4_000_000_000_000_000_i64..4_000_000_000_000_000),
    )
}

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("whole", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())),
        ("real", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>())),
        ("text", Arc::new(rows.iter().map(|row| row.2.clone()).collect::<StringArray>())),
        ("truth", Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>())),
        ("day", Arc::new(rows.iter().map(|row| row.4).collect::<Date32Array>())),
        ("time", Arc::new(rows.iter().map(|row| row.5).collect::<TimestampMicrosecondArray>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

pub(crate) fn parquet(batches: &[RecordBatch], group: usize, dictionary: bool) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .set_dictionary_enabled(dictionary)
        .set_data_page_row_count_limit(64)
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batches.first().unwrap().schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

pub(crate) fn arrow_stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer =
        arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batches.first().unwrap().schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

pub(crate) fn arrow_file(batches: &[RecordBatch], compressed: bool) -> Vec<u8> {
    let options = arrow_ipc::writer::IpcWriteOptions::default();
    let compression = compressed.then_some(arrow_ipc::CompressionType::ZSTD);
    let options = options.try_with_compression(compression).unwrap();
    let schema: &Schema = &batches.first().unwrap().schema();
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new_with_options(Vec::new(), schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// The text of a day and of an instant, counted by hand from year to year.
fn day_text(mut days: i64) -> String {
    let mut year = 1970_i64;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < 0 {
            year -= 1;
            days += if leap(year) { 366 } else { 365 };
        } else if days >= length {
            days -= length;
            year += 1;
        } else {
            break;
        }
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

fn time_text(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (second, micro) = (rest / 1_000_000, rest % 1_000_000);
    let time = format!("{:02}:{:02}:{:02}.{micro:06}", second / 3600, second / 60 % 60, second % 60);
    format!("{} {time}", day_text(days))
}

pub(crate) fn csv(rows: &[Row]) -> String {
    let mut text = "whole,real,text,truth,day,time\n".to_owned();
    for (whole, real, word, truth, day, time) in rows {
        let shown = |value: Option<String>| value.unwrap_or_default();
        let word = word.as_ref().map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
        let cells = [
            shown(whole.map(|value| value.to_string())),
            shown(real.map(|value| value.to_string())),
            shown(word),
            shown(truth.map(|value| value.to_string())),
            shown(day.map(|day| day_text(day.into()))),
            shown(time.map(time_text)),
        ];
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

pub(crate) fn json_lines(rows: &[Row]) -> String {
    let mut text = String::new();
    for (whole, real, word, truth, day, time) in rows {
        let object = serde_json::json!({
            "whole": whole, "real": real, "text": word, "truth": truth,
            "day": day.map(|day| day_text(day.into())), "time": time.map(time_text),
        });
        writeln!(text, "{object}").unwrap();
    }
    text
}

pub(crate) fn profiled(bytes: &[u8], threads: usize) -> Result<(Profile, ReadOutcome), ReadError> {
    let source = Source::seekable(Cursor::new(bytes.to_vec()));
    match profile(source, &ProfileOptions::default(), threads) {
        Err(NotProfiled::Read(error)) => Err(error),
        other => Ok(other.unwrap()),
    }
}

/// All that is exact and has nothing to do with how values were spelled, by column.
fn facts(profile: &Profile) -> String {
    let mut columns: Vec<_> = profile.columns().iter().collect();
    columns.sort_by_key(|column| column.name());
    let mut facts = format!("{} rows\n", profile.rows());
    for column in columns {
        let moments = column.moments().unwrap();
        let mut tops = column.top(usize::MAX);
        if column.name() == "time" {
            tops.clear();
        }
        let counts = (column.count(), column.nulls(), column.kinds(), column.trues(), column.distinct());
        let numbers =
            (column.integers(), column.lowest(), column.highest(), moments.count(), moments.exact_sum());
        let others = (column.days(), column.instants(), column.text_lengths(), column.mean_length());
        writeln!(
            facts,
            "{} {counts:?} {numbers:?} {others:?} {:?} {tops:?} {:?}",
            column.name(),
            moments.zeros(),
            column.shapes()
        )
        .unwrap();
    }
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_table_is_the_same_in_every_format(rows in prop::collection::vec(row(), 1..200), group in 1_usize..90, cut in any::<prop::sample::Index>()) {
        // A column that never has a value is of no type, and then formats differ.
        let whole = batch(&rows);
        let filled = whole.columns().iter().all(|column| column.null_count() < column.len());
        prop_assume!(filled);
        let at = cut.index(rows.len());
        let parts = [whole.slice(0, at), whole.slice(at, rows.len() - at)];
        let expected = facts(&profiled(csv(&rows).as_bytes(), 1).unwrap().0);
        for (format, bytes) in [
            (Format::Csv, csv(&rows).into_bytes()),
            (Format::Json, json_lines(&rows).into_bytes()),
            (Format::Arrow, arrow_stream(&parts)),
            (Format::Arrow, arrow_file(&parts, false)),
            (Format::Arrow, arrow_file(&parts, true)),
            (Format::Parquet, parquet(&parts, group, true)),
            (Format::Parquet, parquet(&parts, group, false)),
        ] {
            let (profile, read) = profiled(&bytes, 1).unwrap();
            prop_assert_eq!(&facts(&profile), &expected, "{}", format);
            prop_assert_eq!((read.kind(), read.bytes()), (format, bytes.len() as u64));
            let (threaded, again) = profiled(&bytes, 3).unwrap();
            prop_assert_eq!(threaded.to_bytes().unwrap(), profile.to_bytes().unwrap());
            prop_assert_eq!(again, read);
            prop_assert_eq!(Profile::from_bytes(&profile.to_bytes().unwrap()).unwrap(), profile);
        }
    }

    #[test]
    fn parts_merge_to_the_whole_in_every_format(rows in prop::collection::vec(row(), 2..300), at in any::<prop::sample::Index>()) {
        let at = 1 + at.index(rows.len() - 1);
        let writers: [Writer; 3] = [
            |rows| csv(rows).into_bytes(),
            |rows| arrow_stream(&[batch(rows)]),
            |rows| parquet(&[batch(rows)], 50, true),
        ];
        for write in writers {
            let (left, right) = rows.split_at(at);
            let part = |rows: &[Row]| profiled(&write(rows), 1).unwrap().0;
            let (whole, left, right) = (part(&rows), part(left), part(right));
            for (one, two) in [(&left, &right), (&right, &left)] {
                let mut merged = one.clone();
                merged.merge(two).unwrap();
                prop_assert_eq!(&merged, &whole);
                prop_assert_eq!(facts(&merged), facts(&whole));
            }
        }
    }
}

/// Compressed files are those that are in them; the digest is that of the bytes that were delivered.
#[test]
fn compressed_text_is_text() {
    let rows: Vec<Row> =
        (0..40).map(|at| (Some(at), None, Some(format!("w{at}")), None, None, None)).collect();
    let plain = csv(&rows);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain.as_bytes()).unwrap();
    let zstd = zstd::encode_all(plain.as_bytes(), 0).unwrap();
    let (expected, _) = profiled(plain.as_bytes(), 1).unwrap();
    for bytes in [gzip.finish().unwrap(), zstd] {
        let (profile, read) = profiled(&bytes, 2).unwrap();
        assert_eq!((&profile, read.kind()), (&expected, Format::Csv));
        assert_eq!((read.bytes(), read.digest()), (bytes.len() as u64, bartizan_base::sha256(&bytes)));
        for cut in 0..bytes.len() {
            assert!(profiled(&bytes[..cut], 1).is_err(), "{cut} of {} bytes", bytes.len());
        }
    }
}

/// A schema inferred from one format judges the others.
#[test]
fn a_schema_judges_whatever_format_a_batch_comes_in() {
    let row = |at: i64| {
        let word = ["wred", "wgreen", "wblue"][usize::try_from(at % 3).unwrap()].to_owned();
        (Some(at % 97), Some(0.5), Some(word), Some(at % 4 == 0), Some(19_000), Some(at * 1_000_000))
    };
    let rows: Vec<Row> = (0..400).map(row).collect();
    let files = |rows: &[Row]| {
        let batch = [batch(rows)];
        [
            csv(rows).into_bytes(),
            json_lines(rows).into_bytes(),
            arrow_stream(&batch),
            parquet(&batch, 150, true),
        ]
    };
    let mut odd = rows.clone();
    odd[7].0 = Some(7_000);
    odd[250].2 = Some("mauve".to_owned());
    odd[251].3 = None;
    for bytes in files(&rows) {
        let (profile, read) = profiled(&bytes, 1).unwrap();
        let label = Some("truth".to_owned());
        let schema = bartizan_data::Schema::infer(&profile, read.format(), &InferOptions { label }).unwrap();
        let schema = bartizan_data::Schema::parse(&schema.to_toml().unwrap()).unwrap();
        for (clean, broken) in files(&rows).iter().zip(files(&odd)) {
            for threads in [1, 3] {
                let judged = |bytes: &[u8]| {
                    let source = Source::seekable(Cursor::new(bytes.to_vec()));
                    check_source(source, None, &schema, Tier::Release, threads).unwrap()
                };
                let report = judged(clean);
                assert_eq!(report.outcome, Outcome::Valid, "{}", report.render());
                let report = judged(&broken);
                let mut found: Vec<(&str, u64, u64)> = report
                    .findings
                    .iter()
                    .map(|finding| (finding.rule.id(), finding.count, finding.examples[0].row))
                    .collect();
                found.sort_unstable();
                assert_eq!(found, [("domain", 1, 251), ("presence", 1, 252), ("range", 1, 8)]);
            }
        }
    }
}

/// A format that is named is the one that is read.
#[test]
fn a_named_format_is_not_found_out() {
    let named = |format, bytes: &'static [u8]| {
        let read = ReadOptions { format: Some(format), ..ReadOptions::default() };
        let options = ProfileOptions { read, ..ProfileOptions::default() };
        profile(Source::stream(bytes), &options, 1)
            .map(|(_, read)| read.kind())
            .map_err(|error| error.to_string())
    };
    assert_eq!(named(Format::Csv, b"{a,b\n1,2\n"), Ok(Format::Csv));
    assert!(named(Format::Json, b"a,b\n1,2\n").unwrap_err().contains("row 1, character 1"));
    assert!(named(Format::Parquet, b"a,b\n1,2\n").is_err());
    assert!(named(Format::Arrow, b"a,b\n1,2\n").is_err());
}
