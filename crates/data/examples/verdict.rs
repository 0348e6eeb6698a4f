//! Profiles a file, checks it and compares it with a reference: verdict FILE REFERENCE [THREADS [SCHEMA NAME=TABLE...]].
//!
//! The reference is a stored profile. Without a schema it is that of the reference, with rules for each of its columns.
//! `bench/profile` measures what this costs beyond the profile alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for measurements, which stops at the first thing that is wrong"
)]

use std::fs::File;

use bartizan_data::drift::{Column, Comparison, Options, ProfilePair, Want, compare, profile_pairs};
use bartizan_data::{Beside, CsvFormat, Encoding, InferOptions, Schema, Separator, Source, Tier};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap();
    let mut beside = Beside::default();
    beside.take_reference(&std::fs::read(arguments.next().unwrap()).unwrap(), None).unwrap();
    let threads = arguments.next().map_or(1, |text| text.parse().unwrap());
    let plain = CsvFormat { separator: Separator::COMMA, encoding: Encoding::Utf8 };
    let schema = match arguments.next() {
        Some(path) => Schema::parse(&std::fs::read_to_string(path).unwrap()).unwrap(),
        None => Schema::infer(beside.reference().unwrap(), plain, &InferOptions::default()).unwrap(),
    };
    for given in arguments {
        let (name, table) = given.split_once('=').unwrap();
        beside.read_table(&schema, name, Source::seekable(File::open(table).unwrap()), threads).unwrap();
    }
    let source = Source::seekable(File::open(path).unwrap());
    let report = beside.check(source, &schema, (Tier::Release, None, threads, 0)).unwrap();
    let pairs = profile_pairs(beside.reference().unwrap(), &report.profile, |_| Want::Found);
    let columns: Vec<Column<'_>> = pairs.iter().map(ProfilePair::column).collect();
    let drift = compare(&columns, &Comparison::default(), &Options::default());
    print!("{}{}", report.render(), drift.render());
}
