//! Tables whose other bytes stay.

use std::convert::Infallible;

use bartizan_data::pii::delimited::{Cell, Delimited, NotDelimited, Rewriting};
use expect_test::{Expect, expect};
use proptest::prelude::*;

type Rewritten = Result<Vec<u8>, Rewriting<Infallible>>;

/// Reads in pieces of that size, with every cell for which `new` has something replaced.
fn rewritten(text: &[u8], size: usize, new: impl Fn(&Cell<'_>) -> Option<Vec<u8>>) -> Rewritten {
    let (mut table, mut out) = (Delimited::new(b','), Vec::new());
    for piece in text.chunks(size) {
        table.push(piece, &mut out, |cell| Ok(new(&cell)))?;
    }
    table.finish(&mut out, |cell| Ok(new(&cell)))?;
    Ok(out)
}

fn check(text: &str, cells: Expect) {
    let seen = std::cell::RefCell::new(String::new());
    let note = |cell: &Cell<'_>| {
        let content = String::from_utf8_lossy(cell.content).into_owned();
        let Cell { record, line, column, .. } = cell;
        seen.borrow_mut().push_str(&format!("{record} {line} {column} {content:?}\n"));
        None
    };
    assert_eq!(rewritten(text.as_bytes(), 3, note).unwrap(), text.as_bytes());
    cells.assert_eq(&seen.into_inner());
}

#[test]
fn cells_and_their_places() {
    check(
        "a,b\r\n1,\"x,\r\ny\"\r\n\"\",\"\"\"q\"\"\"\n\n3,z",
        expect![[r#"
        0 1 0 "a"
        0 1 1 "b"
        1 2 0 "1"
        1 2 1 "x,\r\ny"
        2 4 0 ""
        2 4 1 "\"q\""
        3 5 0 ""
        4 6 0 "3"
        4 6 1 "z"
    "#]],
    );
    check("", expect![[""]]);
    check(
        "a,",
        expect![[r#"
        0 1 0 "a"
        0 1 1 ""
    "#]],
    );
    // What a quote does inside a cell, and text behind a closing one, is taken as it stands.
    check(
        "a\"b,\"c\"d\n",
        expect![[r#"
        0 1 0 "a\"b"
        0 1 1 "cd"
    "#]],
    );
}

#[test]
fn new_cells_are_quoted_where_they_must_be() {
    let new = |cell: &Cell<'_>| Some([b"<", cell.content, b">"].concat());
    let text = rewritten(b"a,\"b\"\r\n\"c,d\",e\"f\n", 5, new).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "<a>,\"<b>\"\r\n\"<c,d>\",\"<e\"\"f>\"\n");
}

#[test]
fn what_cannot_be_read_on_is_named_by_its_place() {
    let failed = |text: &[u8]| match rewritten(text, 4096, |_| None) {
        Err(Rewriting::Text(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(failed(b"a\n\"b\nc"), NotDelimited::NotClosed { line: 2 });
    assert_eq!(
        failed(&[b"a\nb,".as_slice(), &[b'x'; 300_000]].concat()),
        NotDelimited::CellTooLong { line: 2, column: 2 }
    );
    assert_eq!(failed(&[b','; 20_000]), NotDelimited::TooManyColumns { line: 1 });
}

proptest! {
    #[test]
    fn what_nobody_replaces_stays(text in "[ab,\"\r\n]{0,60}", size in 1..9_usize) {
        if let Ok(out) = rewritten(text.as_bytes(), size, |_| None) {
            prop_assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn what_is_replaced_by_itself_reads_as_the_same_cells(text in "[ab,\"\r\n]{0,60}") {
        let cells = |text: &[u8]| {
            let seen = std::cell::RefCell::new(Vec::new());
            let note = |cell: &Cell<'_>| {
                seen.borrow_mut().push((cell.record, cell.column, cell.content.to_vec()));
                None
            };
            rewritten(text, 7, note).map(|_| seen.into_inner())
        };
        let again = rewritten(text.as_bytes(), 7, |cell| Some(cell.content.to_vec()));
        if let Ok(again) = again {
            prop_assert_eq!(cells(&again).unwrap(), cells(text.as_bytes()).unwrap());
        }
    }
}
