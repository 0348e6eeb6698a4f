//! Profiles a file, checks it against the schema of another one and compares both: verdict FILE REFERENCE [THREADS].
//!
//! The reference is a stored profile. `bench/profile` measures what this costs beyond the profile alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for measurements, which stops at the first thing that is wrong"
)]

use std::fs::File;

use bartizan_data::drift::{Column, Comparison, Options, ProfilePair, compare, profile_pairs};
use bartizan_data::{
    CsvFormat, Encoding, InferOptions, Profile, Schema, Separator, Source, Tier, check_source,
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap();
    let reference = Profile::from_bytes(&std::fs::read(arguments.next().unwrap()).unwrap()).unwrap();
    let threads = arguments.next().map_or(1, |text| text.parse().unwrap());
    let plain = CsvFormat { separator: Separator::COMMA, encoding: Encoding::Utf8 };
    let schema = Schema::infer(&reference, plain, &InferOptions::default()).unwrap();
    let source = Source::seekable(File::open(path).unwrap());
    let report = check_source(source, None, &schema, Tier::Release, threads).unwrap();
    let pairs = profile_pairs(&reference, &report.profile, |_| false);
    let columns: Vec<Column<'_>> = pairs.iter().map(ProfilePair::column).collect();
    let drift = compare(&columns, &Comparison::default(), &Options::default());
    let findings: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id()).collect();
    println!("{} columns with rules, {:?}, findings {findings:?}", schema.columns.len(), report.outcome);
    print!("{}", drift.render());
}
