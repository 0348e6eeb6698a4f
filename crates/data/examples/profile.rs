//! Profiles a file and prints what it says of each column as JSON: profile FILE [THREADS [OUT]].
//!
//! `.ci/profile` compares it with what other programs say, `bench/profile` measures it; the profile itself goes to OUT.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for tests, which stops at the first thing that is wrong"
)]

use std::fs::File;

use bartizan_data::{ColumnProfile, ProfileOptions, Source, profile};
use serde_json::{Value, json};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap();
    let threads = arguments.next().map_or(1, |text| text.parse().unwrap());
    let source = Source::seekable(File::open(path).unwrap());
    let (profile, read) = profile(source, &ProfileOptions::default(), threads).unwrap();
    let columns: serde_json::Map<String, Value> =
        profile.columns().iter().map(|column| (column.name().to_owned(), described(column))).collect();
    let bytes = profile.to_bytes().unwrap();
    let stored = bytes.len();
    if let Some(out) = arguments.next() {
        std::fs::write(out, bytes).unwrap();
    }
    println!(
        "{}",
        json!({ "rows": read.rows(), "bytes": read.bytes(), "stored": stored, "columns": columns })
    );
}

fn described(column: &ColumnProfile) -> Value {
    let kinds = column.kinds();
    let moments = column.moments();
    let quantile = |q: f64| column.quantiles().and_then(|sketch| sketch.quantile(q));
    let tops: Vec<Value> =
        column.top(10).into_iter().map(|top| json!([top.value, top.lower, top.upper])).collect();
    json!({
        "type": column.column_type().name(),
        "count": column.count(),
        "nulls": column.nulls(),
        "kinds": kinds.counts(),
        "range": column.range(),
        "sum": moments.and_then(|moments| moments.exact_sum()).map(|sum| sum.to_string()),
        "mean": moments.and_then(|moments| moments.mean()),
        "sd": moments.and_then(|moments| moments.sample_variance()).map(f64::sqrt),
        "zeros": moments.map(|moments| moments.zeros()),
        "trues": column.trues(),
        "quantiles": [quantile(0.01), quantile(0.25), quantile(0.5), quantile(0.75), quantile(0.99)],
        "distinct": column.distinct(),
        "distinct_estimate": column.distinct_estimate(),
        "text_lengths": column.text_lengths(),
        "mean_length": column.mean_length(),
        "list_lengths": column.list_lengths().map(|sizes| [sizes.least, sizes.greatest, sizes.total]),
        "byte_lengths": column.byte_lengths().map(|sizes| [sizes.least, sizes.greatest, sizes.total]),
        "resolution": column.instants().map(|range| range.resolution),
        "zoned": column.instants().map(|range| range.zoned),
        "top": tops,
        "shapes": column.shapes().into_iter().take(3).map(|top| json!([top.value, top.lower])).collect::<Vec<_>>(),
    })
}
