//! Cells by row and column, what is refused, and what is written.

use bartizan_data::Separator;

use super::{Table, parse_number, write_row};

#[test]
fn cells_are_found_by_row_and_column() {
    let table = Table::parse(b"a;b\n\"x; y\";2\n;4", None).unwrap();
    assert_eq!(
        (table.columns(), table.rows(), table.separator()),
        (&["a".into(), "b".into()][..], 2, Separator::SEMICOLON)
    );
    assert_eq!(
        [table.cell(0, 0), table.cell(0, 1), table.cell(1, 0), table.cell(1, 1)],
        [&b"x; y"[..], b"2", b"", b"4"]
    );
    assert_eq!((table.cell(2, 0), table.number(1, 1)), (&b""[..], Some(4.0)));
    let refused = table.position("c").unwrap_err();
    assert_eq!(refused.to_string(), "there is no column `c`; the columns are `a`, `b`");
}

#[test]
fn what_is_no_table_is_refused_as_a_delivery_is() {
    for (text, why) in [("", "the file is empty"), ("a,b\n", "no rows"), ("a,b\n1,2\n1,2,3\n", "row 2 has 3")]
    {
        let refused = Table::parse(text.as_bytes(), None).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn what_is_written_reads_back() {
    let cells: [&[u8]; 5] = [b"plain", b"a;b", b"say \"hi\"", b"two\r\nlines", b""];
    let mut out = b"a;b;c;d;e\n".to_vec();
    write_row(&mut out, Separator::SEMICOLON, cells);
    write_row(&mut out, Separator::SEMICOLON, cells);
    let table = Table::parse(&out, None).unwrap();
    assert_eq!(table.rows(), 2);
    for (column, cell) in cells.iter().enumerate() {
        assert_eq!(table.cell(1, column), *cell);
    }
    let mut single = b"only\n".to_vec();
    write_row(&mut single, Separator::COMMA, [b"".as_slice()]);
    assert_eq!(Table::parse(&single, None).unwrap().rows(), 1);
}

#[test]
fn numbers_are_finite() {
    assert_eq!(parse_number(b" 1.5 "), Some(1.5));
    assert_eq!(parse_number(b"-2e3"), Some(-2000.0));
    for text in ["", "nan", "inf", "1,5", "0x10", "1e999"] {
        assert_eq!(parse_number(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_column_is_numeric_when_every_cell_is_a_number_or_empty() {
    let table = Table::parse(b"a,b,c\n1,x,\n,2,\n3,4,\n", None).unwrap();
    assert_eq!([0, 1, 2].map(|column| table.is_numeric(column)), [true, false, false]);
}
