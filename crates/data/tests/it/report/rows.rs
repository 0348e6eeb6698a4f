//! Rows that break rules, written as they were.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch};
use bartizan_data::{Format, ReadOptions, Source, check_listing, read_rows};

use super::*;

#[test]
fn rows_that_break_rules_are_written_as_they_were() {
    let schema = inferred(&sample(), None);
    let batch = String::from_utf8(sample())
        .unwrap()
        .replacen(",7,", ",\"seven, or \"\"7\"\"\",", 2)
        .replacen(",red,", ",,", 1);
    let source = || Source::stream(std::io::Cursor::new(batch.clone().into_bytes()));
    for threads in [1, 3] {
        let report = check_listing(source(), None, &schema, Tier::Release, threads, 10).unwrap();
        let (broken, whole) = report.broken_rows();
        assert!(whole);
        let options = ReadOptions { format: Some(Format::Csv), csv: schema.csv_options() };
        let rows = read_rows(source(), &options, report.digest, &broken).unwrap();
        expect![[r#"
            row,rule,column,name,id,colour,amount,ok,day
            1,presence,colour,,u0,,0,true,2026-01-01
            8,type,amount,,u7,green,"seven, or ""7""",false,2026-01-08
            105,type,amount,,u104,blue,"seven, or ""7""",true,2026-01-21
        "#]]
        .assert_eq(&rows.to_csv(&broken));
        expect![[r#"
            {"row":1,"rule":"presence","column":"colour","name":"","values":{"id":"u0","colour":null,"amount":"0","ok":"true","day":"2026-01-01"}}
            {"row":8,"rule":"type","column":"amount","name":"","values":{"id":"u7","colour":"green","amount":"seven, or \"7\"","ok":"false","day":"2026-01-08"}}
            {"row":105,"rule":"type","column":"amount","name":"","values":{"id":"u104","colour":"blue","amount":"seven, or \"7\"","ok":"true","day":"2026-01-21"}}
        "#]]
        .assert_eq(&rows.to_json_lines(&broken));
        // Another file has other rows.
        let other = Source::stream(std::io::Cursor::new(sample()));
        assert!(
            read_rows(other, &options, report.digest, &broken).unwrap_err().to_string().contains("changed")
        );
    }
    // Not asked for, none is kept; asked for fewer, the first.
    let report = check_listing(source(), None, &schema, Tier::Release, 1, 1).unwrap();
    let (broken, whole) = report.broken_rows();
    assert_eq!((broken.len(), whole), (2, false));
    assert!(checked(&batch, &schema, Tier::Release).findings.iter().all(|finding| finding.rows.is_empty()));
}

#[test]
fn rows_of_json_lines_keep_their_lists() {
    let clean = "{\"a\": 1, \"tags\": [\"x\", \"y\"]}\n".repeat(30);
    let read = |text: &str| Source::stream(std::io::Cursor::new(text.to_owned().into_bytes()));
    let options = bartizan_data::ProfileOptions::default();
    let (profile, outcome) = bartizan_data::profile(read(&clean), &options, 1).unwrap();
    let schema = Schema::infer(&profile, outcome.format(), &bartizan_data::InferOptions::default()).unwrap();
    let dirty = format!("{clean}{{\"a\": \"one\", \"tags\": [\"y\"]}}\n");
    let report = check_listing(read(&dirty), None, &schema, Tier::Release, 1, 10).unwrap();
    let (broken, _) = report.broken_rows();
    let options = ReadOptions { format: Some(report.kind), csv: schema.csv_options() };
    let rows = read_rows(read(&dirty), &options, report.digest, &broken).unwrap();
    expect![[r#"
        {"row":31,"rule":"type","column":"a","name":"","values":{"a":"one","tags[]":["y"]}}
    "#]]
    .assert_eq(&rows.to_json_lines(&broken));
}

#[test]
fn bytes_that_are_no_text_are_written_as_digits() {
    let blobs: [&[u8]; 3] = [b"\x00\xff", b"text", b"\xc3\x28"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 7, 8]))),
        ("blob", Arc::new(BinaryArray::from_vec(blobs.to_vec()))),
    ];
    let file = crate::formats::parquet(&[RecordBatch::try_from_iter(columns).unwrap()], 10, true);
    let schema = Schema::parse(
        "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
         [[column]]\nname = \"id\"\ntype = \"integer\"\nrange = { max = 5 }\n",
    );
    let schema = schema.unwrap();
    let source = || Source::seekable(std::io::Cursor::new(file.clone()));
    let report = check_listing(source(), None, &schema, Tier::Release, 1, 10).unwrap();
    let (broken, _) = report.broken_rows();
    let rows = read_rows(source(), &ReadOptions::default(), report.digest, &broken).unwrap();
    expect![[r#"
        row,rule,column,name,id,blob
        2,range,id,,7,74657874
        3,range,id,,8,c328
    "#]]
    .assert_eq(&rows.to_csv(&broken));
    expect![[r#"
        {"row":2,"rule":"range","column":"id","name":"","values":{"id":"7","blob":"74657874"}}
        {"row":3,"rule":"range","column":"id","name":"","values":{"id":"8","blob":"c328"}}
    "#]]
    .assert_eq(&rows.to_json_lines(&broken));
}

#[test]
fn lines_of_a_slice_and_of_expressions_say_which() {
    let schema = Schema::parse(
        "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
         [[column]]\nname = \"a\"\ntype = \"integer\"\nrange = { max = 5 }\n\
         [[expression]]\nname = \"even\"\nholds = \"a = 4\"\n\
         [[slice]]\nname = \"north\"\nwhen = \"a > 1\"\n[[slice.column]]\nname = \"a\"\nrange = { max = 5 }\n",
    );
    let schema = schema.unwrap();
    let source = || Source::stream(std::io::Cursor::new(b"a\n4\n7\n4\n9\n".to_vec()));
    let report = check_listing(source(), None, &schema, Tier::Release, 1, 10).unwrap();
    let (broken, _) = report.broken_rows();
    let rows = read_rows(source(), &ReadOptions::default(), report.digest, &broken).unwrap();
    expect![[r#"
        row,rule,column,name,a
        2,range,a,,7
        2,range,a,slice north,7
        2,expression,,even,7
        4,range,a,,9
        4,range,a,slice north,9
        4,expression,,even,9
    "#]]
    .assert_eq(&rows.to_csv(&broken));
    // As people see it: each line says which, and how many there are.
    expect![[r#"
        invalid in tier release: 4 rows, 10 checks, 3 blocking findings, 0 warnings
          block  a                         range              50.00 % of the values lie above 5, at most 0.00 % may (2 cells)
                 row 2: 9
                 row 4: 9
          block  (batch)                   expression         `even` does not hold in 50.00 % of the rows, at most 0.00 % may be so (2 rows)
                 row 2
                 row 4
          block  a                         range              in slice `north`: 50.00 % of the values lie above 5, at most 0.00 % may (2 cells)
                 row 2: 9
                 row 4: 9
    "#]].assert_eq(&report.render());
}
