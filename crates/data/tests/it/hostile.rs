//! Files that were cut off, changed, or made to do harm.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use bartizan_data::{
    CsvOptions, CsvReader, ProfileOptions, ReadOptions, Source, infer, profile, read_columns,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::formats::{arrow_file, arrow_stream, parquet, profiled};

fn said(bytes: &[u8], expected: &Expect) {
    let error = profiled(bytes, 1).map(drop).unwrap_err();
    expected.assert_eq(&error.to_string());
    let threaded = profiled(bytes, 3).map(drop).unwrap_err();
    expected.assert_eq(&threaded.to_string());
}

fn sample() -> RecordBatch {
    let numbers: ArrayRef = Arc::new((0..30).map(|at| (at % 7 > 0).then_some(at)).collect::<Int64Array>());
    let words: ArrayRef = Arc::new((0..30).map(|at| Some(format!("w{}", at % 5))).collect::<StringArray>());
    let keys: ArrayRef = Arc::new(
        (0..30).map(|at| Some(if at % 2 == 0 { "x" } else { "y" })).collect::<DictionaryArray<Int32Type>>(),
    );
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(
        (0..30).map(|at| (at % 3 > 0).then(|| (0..at % 4).map(Some).collect::<Vec<_>>())),
    ));
    RecordBatch::try_from_iter([("n", numbers), ("w", words), ("k", keys), ("l", lists)]).unwrap()
}

fn files() -> Vec<Vec<u8>> {
    let batches = [sample(), sample()];
    let json: String =
        (0..60).map(|at| format!("{{\"n\":{at},\"o\":{{\"t\":[\"a\\n\",{at}]}}}}\n")).collect();
    vec![
        arrow_stream(&batches),
        arrow_file(&batches, false),
        arrow_file(&batches, true),
        parquet(&batches, 50, true),
        parquet(&batches, 50, false),
        json.into_bytes(),
    ]
}

/// The end of a stream of Arrow may be the end of its bytes, and a line of JSON may be the last; anything else is cut off.
#[test]
fn what_is_cut_off_is_never_a_table() {
    for (at, bytes) in files().into_iter().enumerate() {
        let whole = profiled(&bytes, 1).unwrap().1.rows();
        // All of the end, where it is told whether a file is whole, and every fifth place before it.
        let cuts = (0..bytes.len()).filter(|cut| cut % 5 == 0 || cut + 64 > bytes.len());
        for cut in cuts {
            if let Ok((_, read)) = profiled(&bytes[..cut], 2) {
                let may_end = at == 0 || at == 5;
                assert!(may_end && read.rows() <= whole, "file {at} cut at {cut} of {} bytes", bytes.len());
                assert!(at != 5 || bytes[cut] == b'\n' || bytes[cut - 1] == b'\n', "cut at {cut}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_was_changed_is_read_or_refused(file in 0_usize..6, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = files().swap_remove(file);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let one = profiled(&bytes, 1).map(|(profile, read)| (profile.to_bytes().unwrap(), read));
        let two = profiled(&bytes, 3).map(|(profile, read)| (profile.to_bytes().unwrap(), read));
        prop_assert_eq!(one.map_err(|error| error.to_string()), two.map_err(|error| error.to_string()));
    }

    #[test]
    fn any_bytes_after_a_magic_word_are_read_or_refused(start in 0_usize..6, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let starts: [&[u8]; 6] = [b"PAR1\x15\x04", b"ARROW1\0\0", b"\xFF\xFF\xFF\xFF", b"{\"a\":", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"];
        let bytes = [starts[start], &bytes].concat();
        profiled(&bytes, 1).ok();
    }
}

#[test]
fn json_says_where_it_is_wrong() {
    said(b"{\"a\":1}\n\n{\"a\":x}\n", &expect!["row 2, character 6: no JSON value begins like this"]);
    said("{\"é\":1,}\n".as_bytes(), &expect!["row 1, character 8: a key in quotes is expected"]);
    said(b"{\"a\":1,\"a\":2}\n", &expect!["row 1, character 8: the key is there twice"]);
    said(b"{\"a\":01}\n", &expect!["row 1, character 6: this is not a number, or one out of range"]);
    said(b"{\"a\":\"\\ud800\"}\n", &expect!["row 1, character 13: half a surrogate pair is no character"]);
    said(b"{\"a\":1}\n{\"a\":", &expect!["row 2, character 6: the line ends where a value is expected"]);
    said(b"{\"a\":\"\xff\"}\n", &expect!["row 1, character 7: the line is not UTF-8"]);
    said(
        b"{\"a\":{}}\n[1]\n",
        &expect!["row 2, character 1: a list where an object is expected: one object a line makes a row"],
    );
    let deep = format!("{{\"a\":{}1{}}}\n", "[".repeat(40), "]".repeat(40));
    said(deep.as_bytes(), &expect!["row 1, character 37: values nest deeper than the 32 levels allowed"]);
    let many = (0..3_000).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(",");
    said(format!("{{{many}}}\n").as_bytes(), &expect!["row 1 has more than the 10000 columns allowed"]);
}

#[test]
fn a_bomb_does_not_go_off() {
    let lines = b"0\n".repeat(512 * 1024);
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    packed.write_all(b"a\n").unwrap();
    (0..66).for_each(|_| packed.write_all(&lines).unwrap());
    let packed = packed.finish().unwrap();
    said(&packed, &expect!["the file decompresses to more than 2000 times its size"]);
}

/// A schema that is one long chain: as a list it is short, as a tree it has no end.
#[test]
fn a_schema_that_nests_without_end_is_refused() {
    let mut footer: Vec<u8> = vec![0x15, 0x02];
    // Field 2: a list of structures.
    footer.extend([0x19, 0xFC]);
    let count = 60_000_u32;
    footer.extend([
        u8::try_from(count & 0x7F).unwrap() | 0x80,
        u8::try_from(count >> 7 & 0x7F).unwrap() | 0x80,
    ]);
    footer.push(u8::try_from(count >> 14).unwrap());
    for _ in 0..count {
        // Name `a`, one child.
        footer.extend([0x48, 0x01, b'a', 0x15, 0x02, 0x00]);
    }
    footer.extend([0x16, 0x02, 0x19, 0x0C, 0x00]);
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    let bytes = [b"PAR1\x15\x04", footer.as_slice(), &length, b"PAR1"].concat();
    said(&bytes, &expect!["the schema nests deeper than the 32 levels allowed"]);
}

/// The header of a page has a map of so many truth values that they never end if they take no byte each, as they do where
/// they are fields.
#[test]
fn a_map_without_end_in_the_header_of_a_page_ends() {
    said(
        include_bytes!("../../../../fuzz/seeds/parquet/endless-map"),
        &expect![
            "the Parquet file is damaged in column `a` from row 1 on: there is no page where one should be"
        ],
    );
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    /// Gives other bytes once it was read to its end.
    struct Changing(Cursor<Vec<u8>>, bool);
    impl std::io::Read for Changing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(into)?;
            if read == 0 && !into.is_empty() {
                self.1 = true;
            }
            if self.1 && read > 20 {
                into[20] ^= 1;
            }
            Ok(read)
        }
    }
    impl std::io::Seek for Changing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let file = Changing(Cursor::new(parquet(&[sample()], 50, true)), false);
    let error = profile(Source::seekable(file), &ProfileOptions::default(), 1).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the file changed while it was read");
}

/// Columns are decoded in batches, whose ends may be where the rows are said to end.
#[test]
fn rows_that_a_footer_hides_are_damage_whoever_reads_them() {
    use bartizan_data::{CheckOptions, Schema, Tier, check_table};
    let numbers = || -> ArrayRef { Arc::new((0..16_384).collect::<Int64Array>()) };
    for names in [&["a"][..], &["a", "b"]] {
        let columns = names.iter().map(|name| (*name, numbers()));
        let mut bytes = parquet(&[RecordBatch::try_from_iter(columns).unwrap()], 16_384, false);
        // In Thrift's compact protocol: of the file, of each column's values, and of the group at last.
        let (said, lie) = ([0x16, 0x80, 0x80, 0x02], [0x16, 0x80, 0x80, 0x01]);
        let tail = bytes.len() - 8;
        let length = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap());
        let footer = tail - usize::try_from(length).unwrap();
        let places: Vec<usize> =
            (footer..tail).filter(|at| bytes.get(*at..*at + 4) == Some(&said[..])).collect();
        assert_eq!(places.len(), names.len() + 2);
        for at in [places[0], places[places.len() - 1]] {
            bytes[at..at + 4].copy_from_slice(&lie);
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let rules: String =
            quoted.iter().map(|name| format!("[[column]]\nname = {name}\ntype = \"integer\"\n")).collect();
        let schema = Schema::parse(&format!(
            "format = \"bartizan-schema-v1\"\ncsv = {{ separator = \",\", encoding = \"utf-8\", null = [\"\"] }}\n\
             {rules}[[key]]\ncolumns = [{}]\n",
            quoted.join(", ")
        ))
        .unwrap();
        for threads in [1, 8] {
            let options = CheckOptions { threads, ..CheckOptions::new(Tier::Release) };
            let source = Source::seekable(Cursor::new(bytes.clone()));
            let error = check_table(source, &schema, &options).map(drop).unwrap_err().to_string();
            assert!(error.contains("16384 values where there are 8192 rows"), "{threads}: {error}");
        }
    }
}

/// What the reader of rows, which knows neither pieces nor threads, makes of a file: its cells, or the error.
fn by_rows(bytes: &[u8]) -> Result<Vec<Vec<Option<String>>>, String> {
    let options = CsvOptions::default();
    let reader = CsvReader::open(bytes, &options).map_err(|error| error.to_string())?;
    let mut columns = vec![Vec::new(); reader.header().len()];
    let read = reader.for_each_row(|row| {
        for (column, cell) in columns.iter_mut().zip(row.cells()) {
            let text = String::from_utf8(cell.to_vec()).unwrap();
            let null = options.null.tokens().iter().any(|token| token == text.trim_ascii());
            column.push((!null).then_some(text));
        }
    });
    read.map_err(|error| error.to_string()).map(|_| columns)
}

fn by_columns(bytes: &[u8]) -> Result<Vec<Vec<Option<String>>>, String> {
    let read = read_columns(
        Source::stream(bytes),
        &ReadOptions { format: Some(bartizan_data::Format::Csv), ..ReadOptions::default() },
        |_| Vec::new(),
        |column, cell| column.push(cell.map(str::to_owned)),
        |column: &mut Vec<_>, after| column.extend(after),
    );
    read.map_err(|error| error.to_string())
        .map(|(columns, _)| columns.into_iter().map(|(_, cells)| cells).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn csv_in_pieces_is_csv_by_rows(text in r#"a,b\n([ab",\n\r1é]|""|","|"\n|1,2\n){0,40}"#) {
        prop_assert_eq!(by_columns(text.as_bytes()), by_rows(text.as_bytes()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Long enough for many pieces, with something odd in one of them.
    #[test]
    fn csv_is_the_same_on_any_number_of_threads(
        rows in prop::collection::vec(r#"("[a-z\n ]{0,30}"|"x""y"|[a-z]{0,9}|-?[0-9]{1,6}(\.5)?),(""|[ab]"c|[0-9]{1,3})"#, 1..30),
        odd in prop_oneof![3 => Just(""), 1 => Just("1\n"), 1 => Just("1,2,3\n"), 1 => Just("\"open,1\n"), 1 => Just("a\0b,1\n")],
        place in 0_usize..60_000,
    ) {
        let mut text = "a,b\n".to_owned();
        let mut at = 0;
        while text.len() < 900_000 {
            text.push_str(&rows[at % rows.len()]);
            text.push_str(if at % 3 == 0 { "\r\n" } else { "\n" });
            if at == place {
                text.push_str(odd);
            }
            at += 1;
        }
        let one = infer(text.as_bytes(), &CsvOptions::default());
        let one = one.map(|(profile, read)| (profile.to_bytes().unwrap(), read.digest(), read.rows())).map_err(|error| error.to_string());
        for threads in [1, 2, 5] {
            let many = profiled(text.as_bytes(), threads);
            let many = many.map(|(profile, read)| (profile.to_bytes().unwrap(), read.digest(), read.rows())).map_err(|error| error.to_string());
            prop_assert_eq!(&many, &one, "{} threads", threads);
        }
        let rows = by_rows(text.as_bytes()).map(|columns| columns[0].len() as u64);
        prop_assert_eq!(one.map(|(_, _, rows)| rows), rows);
    }
}
