//! `data profile`: what is in bare files.

use std::path::{Path, PathBuf};

use bartizan_data::limits::PROFILE_BYTES;
use bartizan_data::sketch::Hll;
use bartizan_data::{ColumnProfile, Profile, Sizes, TopValue};
use serde_json::{Value, json};

use super::put::{Kind, is, may_replace, put};
use super::report::apart;
use super::{profile_options, profiled, threads};
use crate::catalog::ids;
use crate::cli::Reading;
use crate::commands::{Work, read_bytes};
use crate::failure::Failure;
use crate::out::Format;

/// Frequent values in what programs read.
const TOP: usize = 20;
const QUANTILES: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// Values are shown because whoever asks has the files.
pub(super) fn run(
    work: &Work,
    files: &[PathBuf],
    reading: &Reading,
    null: &[String],
    out: Option<&Path>,
) -> Result<u8, Failure> {
    if let Some(path) = out {
        apart(std::iter::once(path), &files.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        may_replace(path, Kind::Profile, "--out")?;
    }
    let options = profile_options(reading, null)?;
    let mut whole: Option<Profile> = None;
    for file in files {
        let profile = match stored(file, ids::DELIVERY)? {
            Some(profile) => profile,
            None => profiled(work, file, &options, threads(reading.threads))?.0,
        };
        match &mut whole {
            None => whole = Some(profile),
            Some(whole) => whole.merge(&profile).map_err(|error| {
                let mut failure = Failure::of(ids::DELIVERY, &error);
                failure.what = format!("`{}` is not like the files before: {}", file.display(), failure.what);
                failure
            })?,
        }
    }
    let profile = whole.ok_or_else(|| Failure::new(ids::USAGE, "there is no file to profile"))?;
    if let Some(path) = out {
        let bytes = profile.to_bytes().map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        put(path, &bytes)?;
    }
    match work.out.format {
        Format::Table => {
            work.out.lines(&profile.render()).map_err(|error| Failure::of(ids::FILE, &error))?;
            Ok(0)
        }
        Format::Json | Format::Jsonl => work.answer(&described(&profile)),
    }
}

/// What `data profile --out` wrote, when the file is that; `id` is what is wrong where it is damaged.
pub(in crate::commands) fn stored(path: &Path, id: &'static str) -> Result<Option<Profile>, Failure> {
    if path == Path::new("-") || !is(path, Kind::Profile)? {
        return Ok(None);
    }
    let limit = u64::try_from(PROFILE_BYTES).unwrap_or(u64::MAX);
    let read = Profile::from_bytes(&read_bytes(path, limit)?).map_err(|error| {
        let mut failure = Failure::of(id, &error);
        failure.what = format!("`{}` is not a profile: {}", path.display(), failure.what);
        failure.then("write it anew with `bartizan data profile FILE --out PROFILE`")
    })?;
    Ok(Some(read))
}

fn described(profile: &Profile) -> Value {
    let columns: Vec<Value> = profile.columns().iter().map(column).collect();
    json!({ "rows": profile.rows(), "columns": columns })
}

fn column(column: &ColumnProfile) -> Value {
    let kinds = column.kinds();
    let moments = column.moments().filter(|moments| moments.count() > 0);
    let view = column.quantiles().and_then(|sketch| sketch.view());
    let quantiles: Option<Vec<Value>> =
        view.as_ref().map(|view| QUANTILES.iter().map(|q| json!([q, view.quantile(*q)])).collect());
    let sizes = |sizes: Option<Sizes>| {
        sizes.map(|sizes| json!({ "min": sizes.least, "max": sizes.greatest, "total": sizes.total }))
    };
    json!({
        "name": column.name(),
        "type": column.column_type().name(),
        "count": column.count(),
        "missing": column.nulls(),
        "kinds": {
            "integer": kinds.integer, "float": kinds.float, "boolean": kinds.boolean, "date": kinds.date,
            "timestamp": kinds.timestamp, "string": kinds.string, "binary": kinds.binary, "list": kinds.list,
        },
        "distinct": column.distinct_estimate(),
        "distinct_error": if column.distinct().is_some() { 0.0 } else { Hll::STANDARD_ERROR },
        "min": column.range().map(|(least, _)| least),
        "max": column.range().map(|(_, greatest)| greatest),
        "mean": moments.and_then(|moments| moments.mean()),
        "standard_deviation": moments.and_then(|moments| moments.sample_variance()).map(f64::sqrt),
        "skewness": moments.and_then(|moments| moments.skewness()),
        "sum": moments.and_then(|moments| moments.sum()),
        "zeros": moments.map(|moments| moments.zeros()),
        // Mean, deviation, sum and quantiles are of the other numbers.
        "infinite": infinite(column),
        "quantiles": quantiles,
        "quantile_rank_error": view.as_ref().map(|view| view.rank_error().all),
        "true": (kinds.boolean > 0).then(|| column.trues()),
        "text_lengths": column.text_lengths().map(|(shortest, longest)| json!({ "min": shortest, "max": longest, "mean": column.mean_length() })),
        "shapes": tops(column.shapes().into_iter().take(TOP)),
        "byte_lengths": sizes(column.byte_lengths()),
        "list_lengths": sizes(column.list_lengths()),
        "timestamps": column.instants().map(|range| json!({ "resolution_ns": range.resolution, "zoned": range.zoned })),
        "top": tops(column.top(TOP).into_iter()),
    })
}

/// Counts between two bounds, which are one where they are exact.
fn tops(tops: impl Iterator<Item = TopValue>) -> Value {
    tops.map(|top| json!({ "value": top.value, "count": top.lower, "count_at_most": top.upper })).collect()
}

fn infinite(column: &ColumnProfile) -> Option<Value> {
    let (positive, negative) = column.infinities();
    (positive + negative > 0).then(|| json!({ "positive": positive, "negative": negative }))
}
