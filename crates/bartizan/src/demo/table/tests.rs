//! Reading and writing delimited text: quotes, line ends, byte-order marks and what is refused.

use expect_test::{Expect, expect};

use super::{Table, TableRefused, parse_number, write_row};

fn check(text: &[u8], separator: u8, expected: Expect) {
    let shown = match Table::parse(text, separator) {
        Err(refused) => refused.to_string(),
        Ok(table) => {
            let mut lines = vec![table.columns().join("|")];
            for row in 0..table.rows() {
                let cells = (0..table.columns().len())
                    .map(|column| table.cell(row, column).escape_ascii().to_string());
                lines.push(cells.collect::<Vec<_>>().join("|"));
            }
            lines.join("\n")
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn plain_rows_with_and_without_a_last_line_end() {
    check(
        b"a,b\n1,2\n3,4\n",
        b',',
        expect![[r#"
        a|b
        1|2
        3|4"#]],
    );
    check(
        b"a;b\r\n1;\r\n;4",
        b';',
        expect![[r#"
        a|b
        1|
        |4"#]],
    );
}

#[test]
fn quotes_hold_separators_line_ends_and_quotes() {
    check(
        b"a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\n\"\",z\n",
        b',',
        expect![[r#"
        a|b
        x, \"y\"|two\nlines
        |z"#]],
    );
}

#[test]
fn marks_empty_lines_and_bytes_beyond_ascii_pass() {
    check(
        b"\xef\xbb\xbfa,b\n\n\xff,2\n\n",
        b',',
        expect![[r#"
        a|b
        \xff|2"#]],
    );
}

#[test]
fn an_empty_last_cell_at_the_end_of_the_file_counts() {
    check(
        b"a,b\n1,",
        b',',
        expect![[r#"
        a|b
        1|"#]],
    );
}

#[test]
fn bad_tables_are_refused() {
    check(b"", b',', expect!["the file has no header line"]);
    check(
        b"a,b\n1,2\n1,2,3\n",
        b',',
        expect!["the row that ends at line 3 has 3 fields and the header has 2"],
    );
    check(
        b"a,b\n1,\"2\n3,4\n",
        b',',
        expect![[r#"
        a|b
        1|2\n3,4\n"#]],
    );
    check(b"\xff,b\n1,2\n", b',', expect!["the header is not UTF-8"]);
    let wide = vec![b','; super::COLUMNS];
    assert_eq!(Table::parse(&wide, b',').unwrap_err(), TableRefused::TooWide);
    let refused = Table::parse(b"a,b\n", b',').unwrap().position("c").unwrap_err();
    assert_eq!(refused.to_string(), "there is no column `c`; the columns are `a`, `b`");
}

#[test]
fn what_is_written_reads_back() {
    let cells: [&[u8]; 5] = [b"plain", b"a;b", b"say \"hi\"", b"two\r\nlines", b""];
    let mut out = b"1;2;3;4;5\n".to_vec();
    write_row(&mut out, b';', cells);
    write_row(&mut out, b';', cells);
    let table = Table::parse(&out, b';').unwrap();
    assert_eq!(table.rows(), 2);
    for (column, cell) in cells.iter().enumerate() {
        assert_eq!(table.cell(1, column), *cell);
    }
    let mut single = b"only\n".to_vec();
    write_row(&mut single, b',', [b"".as_slice()]);
    assert_eq!(Table::parse(&single, b',').unwrap().rows(), 1);
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
    let table = Table::parse(b"a,b,c\n1,x,\n,2,\n3,4,\n", b',').unwrap();
    assert_eq!([0, 1, 2].map(|column| table.is_numeric(column)), [true, false, false]);
}
