//! What checks are told beside the schema: what is held of the tables that values are looked up in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_data::{Beside, CsvOptions, NotBeside, NotKnown, Other, Schema, Source};

const HEAD: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";

/// A part of a table that knows how many of them are open.
struct Part(std::io::Cursor<Vec<u8>>, Arc<AtomicUsize>);

impl std::io::Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn tables_share_what_may_be_held_and_parts_are_opened_in_turn() {
    let column = |name: &str, table: &str| {
        format!(
            "[[column]]\nname = \"{name}\"\ntype = \"string\"\nreferences = {{ table = \"{table}\", column = \"id\" }}\n"
        )
    };
    let text = format!("{HEAD}{}{}", column("a", "one"), column("b", "two"));
    let schema = Schema::parse(&text).unwrap();
    let ids = |from: usize, to: usize| {
        let rows: String = (from..to).map(|n| format!("{n:06}\n")).collect();
        format!("id\n{rows}")
    };
    let stream = |text: String| Source::stream(std::io::Cursor::new(text.into_bytes()));
    // Each value is six bytes and 64 more.
    let holding = |values: usize| Beside::new(None, None).holding(values * 70);
    let both = |mut beside: Beside, threads: usize| -> Result<(), NotBeside> {
        beside.read_table(&schema, "one", stream(ids(0, 100)), threads)?;
        beside.read_table(&schema, "two", stream(ids(0, 100)), threads)
    };
    for threads in [1, 8] {
        both(holding(200), threads).unwrap();
        let refused = both(holding(199), threads).unwrap_err();
        assert!(matches!(refused, NotBeside::Table(NotKnown::TooLarge)), "{refused}");
    }

    let open = Arc::new(AtomicUsize::new(0));
    let parts = |ranges: Vec<(usize, usize)>| {
        let open = open.clone();
        ranges.into_iter().map(move |(from, to)| {
            assert_eq!(open.fetch_add(1, Ordering::SeqCst), 0, "the part before is open still");
            let part = Part(std::io::Cursor::new(ids(from, to).into_bytes()), open.clone());
            Ok::<_, NotBeside>((Source::stream(part), CsvOptions::default()))
        })
    };
    let of = || Other { digest: bartizan_base::sha256(b""), version: Some("one:2".to_owned()) };
    let mut beside = holding(150);
    beside.read_version(&schema, "one", parts(vec![(0, 50), (40, 90), (90, 100)]), 2, of()).unwrap();
    // Those that come in two parts are held once: there is room for fifty more.
    beside.read_table(&schema, "two", stream(ids(0, 50)), 2).unwrap();
    let refused = holding(99).read_version(&schema, "one", parts(vec![(0, 50), (50, 100)]), 2, of());
    assert!(matches!(refused, Err(NotBeside::Table(NotKnown::TooLarge))), "{refused:?}");
    let gone = || std::iter::once(Err(NotBeside::Twice { name: "gone".to_owned() }));
    let refused = holding(9).read_version(&schema, "one", gone(), 2, of());
    assert!(matches!(refused, Err(NotBeside::Twice { .. })), "{refused:?}");
}
