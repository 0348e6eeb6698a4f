//! The report for people and for programs.

use bartizan_data::Outcome;
use bartizan_data::drift::{
    ColumnDrift, DomainOptions, DomainReport, JoinReport, Measure, Mode, Statistic, Verdict,
};
use serde_json::{Value, json};

use super::input::{Input, Opened};
use super::watching::Watching;
use super::{Compared, joined, next, seasons, words};
use crate::catalog::ids;
use crate::cli::Drift;
use crate::commands::Work;
use crate::failure::Failure;
use crate::out::{Format, shown};

/// Prints everything.
pub(super) fn print(
    work: &Work,
    drift: &Drift,
    opened: &Opened,
    compared: &[Compared],
    watch: Option<&Watching>,
    outcome: Outcome,
) -> Result<(), Failure> {
    let printed = match work.out.format {
        Format::Table => {
            let mut text = String::new();
            for one in compared {
                text.push_str(&table(drift, opened, one, compared.len()));
            }
            if let Some(watch) = watch {
                text.push_str(&watched(watch));
            }
            text.push_str(&next::next(drift, opened, compared, outcome));
            work.out.lines(&text)
        }
        Format::Json | Format::Jsonl => {
            work.out.exact(&format!("{}\n", document(opened, compared, watch, outcome)?))
        }
    };
    printed.map_err(|error| Failure::of(ids::FILE, &error))
}

fn document(
    opened: &Opened,
    compared: &[Compared],
    watch: Option<&Watching>,
    outcome: Outcome,
) -> Result<Value, Failure> {
    let one = |one: &Compared| -> Result<Value, Failure> {
        let bytes = one.report.to_bytes().map_err(|error| Failure::of(ids::DRIFT, &error))?;
        let report: Value =
            serde_json::from_slice(&bytes).map_err(|error| Failure::of(ids::INTERNAL, &error))?;
        let lines = one.report.columns.iter().zip(&one.moved).zip(&one.kinds).map(|((line, moved), kind)| {
            json!({
                "column": line.column,
                "measure": line.measure.id(),
                "verdict": line.verdict.id(),
                "moved": moved.as_ref().map(|moved| json!({ "what": moved.what, "from": moved.from, "to": moved.to })),
                "kind": kind.as_ref().map(|kind| kind.id),
                "reasons": kind.as_ref().map(|kind| kind.reasons.clone()).unwrap_or_default(),
            })
        });
        Ok(json!({
            "label": one.label,
            "rows": { "reference": one.rows.0, "current": one.rows.1 },
            "without_time": { "reference": one.timeless.0, "current": one.timeless.1 },
            "seasons": seasons::document(&one.seasons),
            "outcome": one.report.outcome().as_str(),
            "report": report,
            "changes": lines.collect::<Vec<Value>>(),
            "together": one.together.as_ref().map(together_document),
            "skew": one.skew.as_ref().map(skew_document),
        }))
    };
    Ok(json!({
        "outcome": outcome.as_str(),
        "reference": opened.names.first(),
        "mode": match opened.inputs { Input::Tables(_) => "exact", Input::Profiles(_) => "sketch" },
        "comparisons": compared.iter().map(one).collect::<Result<Vec<Value>, Failure>>()?,
        "watch": watch.map(|watch| {
            let alarms = watch.alarms.iter().map(|alarm| json!({
                "column": alarm.column, "measure": alarm.measure.id(), "runs": alarm.runs, "begins": alarm.begins,
            }));
            json!({ "new": watch.new, "alarms": alarms.collect::<Vec<Value>>() })
        }),
    }))
}

fn together_document(together: &Result<DomainReport, String>) -> Value {
    match together {
        Err(reason) => json!({ "verdict": "not-judged", "reason": reason }),
        Ok(report) => json!({
            "verdict": report.verdict.id(),
            "auc": report.auc,
            "floor": DomainOptions::default().floor,
            "interval": [report.interval.0, report.interval.1],
            "p": report.p,
            "rows": [report.rows.0, report.rows.1],
            "columns": report.columns.iter().map(|(name, lost)| json!({ "column": name, "lost": lost })).collect::<Vec<_>>(),
        }),
    }
}

fn skew_document(skew: &JoinReport) -> Value {
    let feature = |feature: &bartizan_data::drift::FeatureSkew| {
        json!({
            "column": feature.name,
            "joined": feature.joined,
            "differing": feature.differing,
            "only_training": feature.one_sided.0,
            "only_serving": feature.one_sided.1,
            "largest": feature.largest.is_finite().then_some(feature.largest),
            // Rows are numbered from 1, as in everything that is reported.
            "rows": feature.examples.iter().map(|(one, two)| json!([one + 1, two + 1])).collect::<Vec<_>>(),
        })
    };
    json!({
        "joined": skew.joined,
        "ambiguous": skew.ambiguous,
        "only_training": skew.only_training,
        "only_serving": skew.only_serving,
        "without_key": [skew.keyless.0, skew.keyless.1],
        "features": skew.features.iter().map(feature).collect::<Vec<_>>(),
    })
}

/// One comparison for people.
fn table(drift: &Drift, opened: &Opened, one: &Compared, all: usize) -> String {
    let lines = &one.report.columns;
    let drifted = lines.iter().filter(|line| words::drifts(line)).count();
    let reference = opened.names.first().map_or("", String::as_str);
    let title = if drift.by.is_some() || all > 1 {
        shown(&one.label)
    } else {
        format!("{} against {}", shown(&one.label), shown(reference))
    };
    let (before, after) = one.rows;
    let mut text =
        format!("{title} ({after} rows, {before} before): {drifted} of {} comparisons drift\n", lines.len());
    for ((line, moved), kind) in
        lines.iter().zip(&one.moved).zip(&one.kinds).filter(|((line, _), _)| words::drifts(line))
    {
        let moved = moved.as_ref().map(|moved| format!("{} {} -> {}", moved.what, moved.from, moved.to));
        text.push_str(&format!("  {}: {}\n", words::name(line), moved.unwrap_or_default()));
        text.push_str(&format!("    how much  {}\n", words::effect(line)));
        text.push_str(&format!("    by chance {}\n", words::chance(line)));
        if let Some(kind) = kind {
            let id = kind.id.replace('-', " ");
            text.push_str(&format!("    kind      {id}: {}\n", kind.reasons.join("; ")));
        }
    }
    let calm: Vec<String> =
        lines.iter().filter(|line| line.verdict == Verdict::NoDrift).map(words::name).collect();
    if !calm.is_empty() {
        text.push_str(&format!("  no drift: {}\n", calm.join(", ")));
    }
    text.push_str(&open(one));
    if one.timeless != (0, 0) {
        let (before, after) = one.timeless;
        text.push_str(&format!("  left out, as they have no time: {after} rows, {before} before\n"));
    }
    text.push_str(&seasons::told(&one.seasons));
    text.push_str(&otherwise(drift, lines));
    if let Some(error) = rank_error(lines) {
        text.push_str(&format!(
            "  from profiles: shares are known within {:.2} points, and verdicts hold within these bounds\n",
            error * 100.0
        ));
    }
    if let Some(together) = &one.together {
        text.push_str(&told_together(together));
    }
    if let Some(skew) = &one.skew {
        text.push_str(&told_skew(skew, after, drift));
    }
    text
}

/// What was not judged, by reason.
fn open(one: &Compared) -> String {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let told = one.report.told();
    for (line, kind) in one.report.columns.iter().zip(&one.kinds) {
        let Verdict::NotJudged(reason) = line.verdict else { continue };
        let reason = match kind {
            _ if line.is_empty() && told.contains(line.column.as_str()) => {
                format!("nothing to judge, as {} and hardly any row has one", reason.message())
            }
            Some(kind) => {
                let id = kind.id.replace('-', " ");
                format!("not judged, as {} ({id}: {})", reason.message(), kind.reasons.join("; "))
            }
            None => format!("not judged, as {}", reason.message()),
        };
        match reasons.iter_mut().find(|known| known.0 == reason) {
            Some((_, names)) => names.push(words::name(line)),
            None => reasons.push((reason, vec![words::name(line)])),
        }
    }
    reasons.iter().map(|(reason, names)| format!("  {reason}: {}\n", names.join(", "))).collect()
}

/// Columns that the statistic for all of them cannot be measured on, and by what they were compared.
fn otherwise(drift: &Drift, lines: &[ColumnDrift]) -> String {
    let asked = drift.method.iter().filter(|text| !text.contains('=')).find_map(|text| text.parse().ok());
    let Some(asked) = asked.filter(|asked: &Statistic| asked.is_ordered()) else { return String::new() };
    let unordered = |line: &&ColumnDrift| {
        line.measure == Measure::Values && line.value.is_some() && !line.statistic.is_ordered()
    };
    let own = |line: &&ColumnDrift| {
        let named = |text: &String| text.rsplit_once('=').is_some_and(|(column, _)| column == line.column);
        drift.method.iter().any(named)
    };
    let named: Vec<String> = lines
        .iter()
        .filter(unordered)
        .filter(|line| !own(line))
        .map(|line| format!("{} by {}", words::name(line), line.statistic.id()))
        .collect();
    match named.as_slice() {
        [] => String::new(),
        named => format!("  compared otherwise, as {} takes numbers: {}\n", asked.id(), named.join(", ")),
    }
}

fn rank_error(lines: &[ColumnDrift]) -> Option<f64> {
    let errors = lines.iter().filter_map(|line| match line.mode {
        Mode::Sketch { rank_error } => Some(rank_error),
        Mode::Exact | Mode::Histogram => None,
    });
    errors.reduce(f64::max)
}

fn told_together(together: &Result<DomainReport, String>) -> String {
    let report = match together {
        Err(reason) => return format!("  all columns together: not judged: {reason}\n"),
        Ok(report) => report,
    };
    let columns: Vec<String> = report
        .columns
        .iter()
        .filter(|(_, lost)| *lost >= 0.01)
        .take(3)
        .map(|(name, _)| shown(name))
        .collect();
    let by =
        if columns.is_empty() { String::new() } else { format!(", most of all by {}", columns.join(", ")) };
    format!(
        "  all columns together: {}: a classifier ranks a current row above one of the reference in {:.1} of 100 pairs \
         ({:.1} to {:.1}; 50 is chance, {:.0} counts){by}\n",
        report.verdict,
        report.auc * 100.0,
        report.interval.0 * 100.0,
        report.interval.1 * 100.0,
        DomainOptions::default().floor * 100.0
    )
}

fn told_skew(skew: &JoinReport, current: u64, drift: &Drift) -> String {
    let mut text = format!(
        "  joined rows: {} (of one side alone {} and {}; not joined for keys that repeat {}, for having none {} and {})\n",
        skew.joined, skew.only_training, skew.only_serving, skew.ambiguous, skew.keyless.0, skew.keyless.1
    );
    let share = joined::share(skew, current);
    if share < drift.min_joined {
        text.push_str(&format!(
            "  not judged row by row, as {:.1} of 100 current rows were joined and {:.1} are needed (`--min-joined`)\n",
            share * 100.0,
            drift.min_joined * 100.0
        ));
    }
    for feature in skew.features.iter().filter(|feature| feature.differing > 0) {
        let rows = feature
            .examples
            .first()
            .map(|(one, two)| format!(", such as row {} and row {}", one + 1, two + 1));
        text.push_str(&format!(
            "  {} differs in {} of {} joined rows{}\n",
            shown(&feature.name),
            feature.differing,
            feature.joined,
            rows.unwrap_or_default()
        ));
    }
    text
}

fn watched(watch: &Watching) -> String {
    let begun = if watch.new { "a new watch begins with this run; " } else { "" };
    let names: Vec<String> = watch
        .alarms
        .iter()
        .map(|alarm| {
            let begins = if alarm.begins { ", new" } else { "" };
            format!("{} ({} of the last runs{begins})", shown(&alarm.column), alarm.runs)
        })
        .collect();
    let alarms = if names.is_empty() {
        "no drift persists".to_owned()
    } else {
        format!("drift persists: {}", names.join(", "))
    };
    format!("watch: {begun}{alarms}\n")
}
