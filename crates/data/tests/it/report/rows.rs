//! Rows that break rules, written as they were.

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
            row,rule,column,id,colour,amount,ok,day
            1,presence,colour,u0,,0,true,2026-01-01
            8,type,amount,u7,green,"seven, or ""7""",false,2026-01-08
            105,type,amount,u104,blue,"seven, or ""7""",true,2026-01-21
        "#]]
        .assert_eq(&rows.to_csv(&broken));
        expect![[r#"
            {"row":1,"rule":"presence","column":"colour","values":{"id":"u0","colour":null,"amount":"0","ok":"true","day":"2026-01-01"}}
            {"row":8,"rule":"type","column":"amount","values":{"id":"u7","colour":"green","amount":"seven, or \"7\"","ok":"false","day":"2026-01-08"}}
            {"row":105,"rule":"type","column":"amount","values":{"id":"u104","colour":"blue","amount":"seven, or \"7\"","ok":"true","day":"2026-01-21"}}
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
        {"row":31,"rule":"type","column":"a","values":{"a":"one","tags[]":["y"]}}
    "#]]
    .assert_eq(&rows.to_json_lines(&broken));
}
