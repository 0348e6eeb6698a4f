//! Dates of birth: in a column that is named after them every date is one, whatever the table is written in.

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bartizan_data::pii::{ColumnDetector, Detector, DetectorOptions, Keep, Kind, Title, scan_table};
use bartizan_data::{CheckOptions, ReadOptions, Schema, Source, Tier, check_table};
use expect_test::expect;

use super::{detector, shown};
use crate::formats::{arrow_file, arrow_stream, parquet};

/// What is found in each line as the cell of a column of that name.
fn under(detector: &Detector, name: &str, cells: &str) -> String {
    let title = Title::new(name);
    let mut text = String::new();
    for cell in cells.lines() {
        let found = detector.find_under(&title, cell.as_bytes());
        writeln!(text, "{}", shown(detector, cell, &found)).unwrap();
    }
    text
}

#[test]
fn the_name_of_a_column_makes_its_dates_dates_of_birth() {
    let names = "dob DOB date_of_birth dateOfBirth DateOfBirth birth_date BirthDate birthday Birthdate patient.dob \
                 dob_2 D.O.B. born born_on geburtsdatum GEBURTSDATUM Geb.-Datum date_naissance fecha_de_nacimiento \
                 data_di_nascita geboortedatum FÖDELSEDATUM data_urodzenia 生年月日 \
                 date day created_at doberman_shown_on borneo_trip reborn_at order_date";
    let detector = detector();
    let found = |name: &&str| !detector.find_under(&Title::new(name), b"1980-03-12").is_empty();
    let (named, others): (Vec<&str>, Vec<&str>) = names.split_whitespace().partition(found);
    expect!["dob DOB date_of_birth dateOfBirth DateOfBirth birth_date BirthDate birthday Birthdate patient.dob dob_2 D.O.B. born born_on geburtsdatum GEBURTSDATUM Geb.-Datum date_naissance fecha_de_nacimiento data_di_nascita geboortedatum FÖDELSEDATUM data_urodzenia 生年月日"]
        .assert_eq(&named.join(" "));
    expect!["date day created_at doberman_shown_on borneo_trip reborn_at order_date"]
        .assert_eq(&others.join(" "));
}

#[test]
fn dates_are_found_as_people_write_them_and_nothing_else() {
    let cells = "\
1980-03-12
12.03.1980
3/12/80
12 March 1980
March 12, 1980
19800312
12031980
1980-03-12T00:00:00Z
1980-03-12 00:00:00
1980-03-12, corrected 1981-03-12
1980-02-30
1780-03-12
19801301
198003120
1980
1980-03
A1980-03-12
1-1980-03-12
12:30:45
unknown";
    expect![[r#"
        date-of-birth 90 [1980-03-12] context, dob
        date-of-birth 90 [12.03.1980] context, dob
        date-of-birth 90 [3/12/80] context, dob
        date-of-birth 90 [12 March 1980] context, dob
        date-of-birth 90 [March 12, 1980] context, dob
        date-of-birth 90 [19800312] context, dob
        date-of-birth 90 [12031980] context, dob
        date-of-birth 90 [1980-03-12] context, dob
        date-of-birth 90 [1980-03-12] context, dob
        date-of-birth 90 [1980-03-12] context, dob; date-of-birth 90 [1981-03-12] context, dob
        -
        -
        -
        -
        -
        -
        -
        -
        -
        -
    "#]]
    .assert_eq(&under(&detector(), "dob", cells));
    // Who does not look for dates of birth is told of none.
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::DATE_OF_BIRTH).collect();
    let other = Detector::new(&DetectorOptions { kinds, ..DetectorOptions::default() });
    assert_eq!(under(&other, "dob", "1980-03-12\n"), "-\n");
}

const DAYS: [Option<i32>; 4] = [Some(3_723), None, Some(-4_083), Some(0)];
const TEXTS: [Option<&str>; 4] = [Some("1980-03-12"), None, Some("1958-10-28"), Some("1970-01-01")];

/// One column in all formats and types that hold dates.
fn tables(name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let column = |array: ArrayRef| vec![RecordBatch::try_from_iter([(name, array)]).unwrap()];
    let days = || column(Arc::new(Date32Array::from(DAYS.to_vec())));
    let instants = DAYS.map(|day| day.map(|day| i64::from(day) * 86_400_000_000));
    let instants = column(Arc::new(TimestampMicrosecondArray::from(instants.to_vec())));
    let texts = column(Arc::new(StringArray::from(TEXTS.to_vec())));
    let numbers = TEXTS.map(|text| text.map(|text| text.replace('-', "").parse().unwrap()));
    let numbers = column(Arc::new(Int64Array::from(numbers.to_vec())));
    let mut csv = format!("{name},other\n");
    TEXTS.iter().for_each(|text| csv.push_str(&format!("{},x\n", text.unwrap_or_default())));
    vec![
        ("CSV", csv.into_bytes()),
        ("Parquet, days", parquet(&days(), 64, false)),
        ("Parquet, days in a dictionary", parquet(&days(), 64, true)),
        ("Arrow, days", arrow_file(&days(), true)),
        ("Arrow stream, days", arrow_stream(&days())),
        ("Parquet, instants", parquet(&instants, 64, false)),
        ("Parquet, texts", parquet(&texts, 64, true)),
        ("Parquet, numbers", parquet(&numbers, 64, false)),
    ]
}

#[test]
fn every_format_tells_of_a_column_of_births() {
    let detector = ColumnDetector::new(&DetectorOptions::default());
    let keep = Keep { places: 10, values: true };
    let scan = |bytes: Vec<u8>| {
        let source = Source::seekable(Cursor::new(bytes));
        scan_table(source, &ReadOptions::default(), 2, &detector, keep).unwrap()
    };
    for (table, bytes) in tables("birth_date") {
        let found = scan(bytes);
        let rows: Vec<u64> = found.places.iter().map(|place| place.row).collect();
        assert_eq!(rows, [1, 3, 4], "{table}");
        let born = found.places.iter().all(|place| place.finding.kind() == Kind::DATE_OF_BIRTH);
        assert!(born, "{table}: {:?}", found.places);
        assert_eq!(found.report.columns[0].holds.as_deref(), Some("date-of-birth"), "{table}");
    }
    for (table, bytes) in tables("valid_until") {
        assert!(scan(bytes).places.is_empty(), "{table}");
    }
}

/// The message of the rule `no_pii` on a column, if there is one.
fn refused(name: &str, kind: &str, bytes: Vec<u8>) -> Option<String> {
    let schema = format!(
        "format = \"bartizan-schema-v1\"\nunexpected_columns = \"allow\"\n\
         csv = {{ separator = \",\", encoding = \"utf-8\", null = [\"\"] }}\n\
         [[column]]\nname = \"{name}\"\ntype = \"{kind}\"\nno_pii = true\n"
    );
    let schema = Schema::parse(&schema).unwrap();
    let report =
        check_table(Source::seekable(Cursor::new(bytes)), &schema, &CheckOptions::new(Tier::Release))
            .unwrap();
    let mut said = report.findings.iter().filter(|finding| finding.rule.id() == "no-pii");
    said.next().map(|finding| finding.message.clone())
}

#[test]
fn the_rule_no_pii_refuses_a_column_of_births() {
    for (table, bytes) in tables("dob") {
        let kind = match table {
            "Parquet, instants" => "timestamp",
            "Parquet, texts" => "string",
            "Parquet, numbers" => "integer",
            _ => "date",
        };
        let said = refused("dob", kind, bytes);
        assert_eq!(
            said.as_deref(),
            Some("100.00 % of the values hold personal data or secrets: date-of-birth"),
            "{table}"
        );
    }
    for (table, bytes) in tables("day") {
        assert_eq!(refused("day", "date", bytes), None, "{table}");
    }
}
