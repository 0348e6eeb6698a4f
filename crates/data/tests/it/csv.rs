//! What the reader makes of files that are not as they should be.

use std::io::{self, Read};

use bartizan_data::limits::COLUMNS;
use bartizan_data::{CsvOptions, Profile, ReadError, Schema, infer};
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn refused(bytes: &[u8], expected: &Expect) {
    let error = infer(bytes, &CsvOptions::default()).map(drop).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn bad_files_are_refused_with_their_place() {
    refused(b"", &expect!["the file is empty"]);
    refused(b"a,b\n", &expect!["the file has a header and no rows"]);
    refused(
        b"\x1f\x8b\x08\x00\x00\x00",
        &expect!["the file is not text: a gzip archive; decompress it first"],
    );
    assert!(matches!(infer(&b"PAR1\x15\x04"[..], &CsvOptions::default()), Err(ReadError::Binary { .. })));
    for (bytes, place) in [
        (&b"a,b\n1,2\n1,2,3\n"[..], "row 2"),
        (b"a,b\n1,\xff\n", "row 1, column 2"),
        (b"a,b\n1,\"open", "row 1"),
        (b"a,a\n1,2\n", "`a`"),
        (b"a,\n1,2\n", "column 2"),
        (b"a,b\n1,x\0y\n", "zero bytes"),
    ] {
        let error = infer(bytes, &CsvOptions::default()).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
    assert!(infer(&b"1,2\n3,4\n"[..], &CsvOptions::default()).is_err(), "a header of numbers");
}

#[test]
fn a_table_has_the_columns_that_a_profile_may_have_and_no_more() {
    let table = |columns: usize| {
        let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        format!("{}\n{}\n", header.join(","), vec!["1"; columns].join(","))
    };
    let (profile, _) = infer(table(COLUMNS).as_bytes(), &CsvOptions::default()).unwrap();
    assert_eq!(Profile::from_bytes(&profile.to_bytes().unwrap()).unwrap(), profile);
    for columns in [COLUMNS + 1, COLUMNS + 2, 2 * COLUMNS] {
        refused(table(columns).as_bytes(), &expect!["row 0 has more than the 10000 columns allowed"]);
    }
}

#[test]
fn text_that_begins_like_a_binary_format_is_text() {
    for header in ["ORCID,name", "PAR1,PAR2", "BZh_ratio,x", "ARROW1,ARROW2", "Obj,y"] {
        let csv = format!("{header}\n1,2\n");
        assert!(infer(csv.as_bytes(), &CsvOptions::default()).is_ok(), "{header}");
    }
    for start in
        [&b"ORC\x0a\x03\x00\x00"[..], b"PAR1\x15\x04", b"BZh91AY&SY\x8f\x12", b"ARROW1\0\0", b"Obj\x01\x04"]
    {
        let error = infer(start, &CsvOptions::default()).unwrap_err();
        assert!(matches!(error, ReadError::Binary { .. }), "{error}");
    }
}

/// A line that never ends, and the count of bytes that were asked for.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += u64::try_from(buffer.len()).unwrap();
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_read_only_up_to_the_limit() {
    let mut endless = Endless(0);
    let head = &b"a,b\n"[..];
    assert!(infer(head.chain(&mut endless), &CsvOptions::default()).is_err());
    assert!(endless.0 < 8 * 1024 * 1024, "{} bytes were read", endless.0);
}

#[test]
fn separators_quotes_and_encodings() {
    for (bytes, separator) in [
        (&b"a;b\n1;2\n"[..], ";"),
        (b"a\tb\n1\t2\n", "tab"),
        (b"a|b\n1|2\n", "|"),
        (b"\"a;x\",b\n1,2\n", ","),
    ] {
        let (profile, read) = infer(bytes, &CsvOptions::default()).unwrap();
        assert_eq!((profile.columns().len(), read.format().separator.to_string().as_str()), (2, separator));
    }
    let quoted = b"a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n";
    let (profile, read) = infer(&quoted[..], &CsvOptions::default()).unwrap();
    assert_eq!(read.rows(), 1);
    assert_eq!(profile.column("b").unwrap().values().unwrap(), [("say \"hi\"".into(), 1)]);
    let utf16: Vec<u8> = "\u{feff}a,b\né,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (profile, _) = infer(utf16.as_slice(), &CsvOptions::default()).unwrap();
    assert_eq!(profile.column("a").unwrap().values().unwrap(), [("é".into(), 1)]);
    let latin = CsvOptions { encoding: Some("latin1".parse().unwrap()), ..CsvOptions::default() };
    let (profile, _) = infer(&b"a,b\n\xe9,2\n"[..], &latin).unwrap();
    assert_eq!(profile.column("a").unwrap().values().unwrap(), [("é".into(), 1)]);
}

#[test]
fn another_encoding_than_was_stated_is_named() {
    let told = |bytes: &[u8], encoding: &str| {
        let options = CsvOptions { encoding: Some(encoding.parse().unwrap()), ..CsvOptions::default() };
        infer(bytes, &options)
            .map_or_else(|error| error.to_string(), |(_, read)| format!("{} rows", read.rows()))
    };
    let little: Vec<u8> = "\u{feff}a,b\né,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}a,b\né,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut said = String::new();
    for encoding in ["utf-8", "utf-16le", "utf-16be", "windows-1252"] {
        for (name, bytes) in [
            ("little", little.as_slice()),
            ("big", &big),
            ("narrow", "a,b\né,2\n".as_bytes()),
            ("marked", "\u{feff}a,b\né,2\n".as_bytes()),
        ] {
            said.push_str(&format!("{encoding} {name}: {}\n", told(bytes, encoding)));
        }
    }
    expect![[r#"
        utf-8 little: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16le`
        utf-8 big: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16be`
        utf-8 narrow: 1 rows
        utf-8 marked: 1 rows
        utf-16le little: 1 rows
        utf-16le big: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16be`
        utf-16le narrow: the file is not text: it seems to be UTF-8, not UTF-16; name the encoding `utf-8`
        utf-16le marked: the file is not text: it seems to be UTF-8, not UTF-16; name the encoding `utf-8`
        utf-16be little: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16le`
        utf-16be big: 1 rows
        utf-16be narrow: the file is not text: it seems to be UTF-8, not UTF-16; name the encoding `utf-8`
        utf-16be marked: the file is not text: it seems to be UTF-8, not UTF-16; name the encoding `utf-8`
        windows-1252 little: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16le`
        windows-1252 big: the file is not text: it is UTF-16, as its byte order mark says; name the encoding `utf-16be`
        windows-1252 narrow: 1 rows
        windows-1252 marked: 1 rows
    "#]].assert_eq(&said);
}

#[test]
fn a_json_array_is_no_table() {
    for bytes in [&b"[{\"a\":1}]"[..], b"\xEF\xBB\xBF[\n  {\n    \"a\": 1\n  }\n]\n"] {
        refused(
            bytes,
            &expect!["the file is not text: a JSON array; JSON lines are wanted, one object a line"],
        );
    }
    // Names in brackets are a header.
    infer(&b"[id],[name]\n1,a\n"[..], &CsvOptions::default()).unwrap();
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        infer(bytes.as_slice(), &CsvOptions::default()).ok();
        Profile::from_bytes(&bytes).ok();
        Schema::parse(&String::from_utf8_lossy(&bytes)).ok();
    }

    #[test]
    fn parts_merge_to_the_whole(rows in proptest::collection::vec(("[a-c]{0,3}", -50_i32..50, 0.0_f64..1.0), 2..60), at in any::<prop::sample::Index>()) {
        let line = |(text, whole, real): &(String, i32, f64)| format!("{text},{whole},{real}\n");
        let lines: Vec<String> = rows.iter().map(line).collect();
        let profile = |lines: &[String]| {
            let file = format!("t,w,r\n{}", lines.concat());
            infer(file.as_bytes(), &CsvOptions::default()).map(|(profile, _)| profile).unwrap()
        };
        let cut = 1 + at.index(lines.len() - 1);
        let (left, right) = lines.split_at(cut);
        let mut merged = profile(left);
        merged.merge(&profile(right)).unwrap();
        let whole = profile(&lines);
        prop_assert_eq!(&merged, &whole);
        let stored = whole.to_bytes().unwrap();
        prop_assert_eq!(Profile::from_bytes(&stored).unwrap(), whole);
    }
}
