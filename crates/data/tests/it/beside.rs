//! What checks are told beside the schema: what is held of the tables that values are looked up in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_data::{Beside, CsvOptions, NotBeside, NotKnown, Other, Schema, Source};

use crate::formats::{Row, batch, parquet};

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
        assert!(matches!(refused, NotBeside::Table(NotKnown::TooLarge { .. })), "{refused}");
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
    assert!(matches!(refused, Err(NotBeside::Table(NotKnown::TooLarge { .. }))), "{refused:?}");
    let gone = || std::iter::once(Err(NotBeside::Twice { name: "gone".to_owned() }));
    let refused = holding(9).read_version(&schema, "one", gone(), 2, of());
    assert!(matches!(refused, Err(NotBeside::Twice { .. })), "{refused:?}");
}

/// Lines that go on for ever, counted by their bytes.
struct Endless {
    line: u64,
    rest: Vec<u8>,
    of: fn(u64) -> String,
    read: Arc<AtomicUsize>,
}

/// What is read at most, whatever is asked for: what stops no sooner never would.
const END: usize = 256 * 1024 * 1024;

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = (0..1_000).flat_map(|at| (self.of)(self.line + at).into_bytes()).collect();
            self.line += 1_000;
        }
        let length = std::io::Read::read(&mut self.rest.as_slice(), buffer)?;
        self.rest.drain(..length);
        assert!(self.read.fetch_add(length, Ordering::SeqCst) < END, "it is read to no end");
        Ok(length)
    }
}

#[test]
fn a_table_is_read_no_further_than_its_values_may_be_held() {
    let text = format!(
        "{HEAD}[[column]]\nname = \"a\"\ntype = \"string\"\nreferences = {{ table = \"one\", column = \"id\" }}\n"
    );
    let schema = Schema::parse(&text).unwrap();
    let csv = |line: u64| if line == 0 { "id\n".to_owned() } else { format!("{line}\n") };
    let json = |line: u64| format!("{{\"id\": \"{line}\"}}\n");
    for of in [csv, json as fn(u64) -> String] {
        for threads in [1, 2, 8] {
            let read = Arc::new(AtomicUsize::new(0));
            let source = Source::stream(Endless { line: 0, rest: Vec::new(), of, read: read.clone() });
            let mut beside = Beside::new(None, None).holding(100_000);
            let refused = beside.read_table(&schema, "one", source, threads).unwrap_err();
            expect_test::expect!["the values of all tables that are looked up in take more than the 100000 bytes that are held of them"]
                .assert_eq(&refused.to_string());
        }
    }
    // The limit that there is without another.
    let refused = NotKnown::TooLarge { held: bartizan_data::limits::REFERENCED_BYTES }.to_string();
    assert!(refused.contains("more than the 2 GiB that are held"), "{refused}");
}

#[test]
fn columns_of_a_file_are_decoded_no_further_than_its_values_may_be_held() {
    struct Counted(std::io::Cursor<Vec<u8>>, Arc<AtomicUsize>);
    impl std::io::Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.0.read(buffer)?;
            self.1.fetch_add(length, Ordering::SeqCst);
            Ok(length)
        }
    }
    impl std::io::Seek for Counted {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let text = format!(
        "{HEAD}[[column]]\nname = \"a\"\ntype = \"integer\"\nreferences = {{ table = \"one\", column = \"whole\" }}\n"
    );
    let schema = Schema::parse(&text).unwrap();
    let rows: Vec<Row> = (0..400_000).map(|at| (Some(at * 7_919), None, None, None, None, None)).collect();
    let file = parquet(&[batch(&rows)], 10_000, false);
    let length = file.len();
    let read = |held: usize| {
        let read = Arc::new(AtomicUsize::new(0));
        let source = Source::seekable(Counted(std::io::Cursor::new(file.clone()), read.clone()));
        let known = Beside::new(None, None).holding(held).read_table(&schema, "one", source, 2);
        (known.is_ok(), read.load(Ordering::SeqCst))
    };
    let (known, all) = read(100_000_000);
    assert!(known && all > length + length / 2, "{all} of {length}");
    // Its digest is taken first.
    let (known, few) = read(100_000);
    assert!(!known && few < length + length / 4, "{few} of {length}");
}
