//! What a search prints: counts, shares, places; values only when they were asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bartizan_data::pii::{Finding, PiiReport};
use serde_json::{Value, json};

use super::source::{Layout, Skipped, Why};
use crate::catalog::ids;
use crate::failure::Failure;
use crate::out::{Format, Out};

/// What was found in one file.
pub(super) struct FileReport {
    pub(super) path: PathBuf,
    pub(super) layout: Layout,
    pub(super) report: PiiReport,
    pub(super) places: Vec<Place>,
    pub(super) note: Option<String>,
    /// Why the file was searched up to some place only.
    pub(super) cut: Option<String>,
}

/// Where something was found.
pub(super) struct Place {
    kind: String,
    score: u8,
    reasons: Vec<&'static str>,
    line: u64,
    /// The byte in the line, or the cell in the record, from 1. Of files that hold columns, `line` is the row, and 0 the
    /// name of the column.
    column: u64,
    name: Option<String>,
    value: Option<String>,
}

impl FileReport {
    pub(super) fn new(path: PathBuf, layout: Layout, min_score: u8) -> Self {
        let report = PiiReport { min_score, ..PiiReport::default() };
        Self { path, layout, report, places: Vec::new(), note: None, cut: None }
    }

    fn json(&self) -> Value {
        let columns: Vec<Value> = self
            .report
            .columns
            .iter()
            .filter(|column| column.holds.is_some() || !column.kinds.is_empty())
            .map(|column| {
                let kinds: Vec<Value> = column
                    .kinds
                    .iter()
                    .map(|kind| json!({ "kind": kind.id, "cells": kind.cells, "share": kind.share }))
                    .collect();
                json!({ "name": column.name, "filled": column.filled, "holds": column.holds, "kinds": kinds })
            })
            .collect();
        json!({
            "file": self.path.display().to_string(),
            "format": self.layout.name(),
            "bytes": self.report.bytes,
            "findings": self.report.findings,
            "columns": columns,
            "places": self.places.iter().map(Place::json).collect::<Vec<_>>(),
            "note": self.note,
            "cut": self.cut,
        })
    }
}

impl Place {
    pub(super) fn new(
        kind: &str,
        found: &Finding,
        line: u64,
        column: u64,
        name: Option<String>,
        value: Option<String>,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            score: found.score(),
            reasons: found.reasons().collect(),
            line,
            column,
            name,
            value,
        }
    }

    /// The same place, found as something else.
    pub(super) fn told_as(self, kind: &str, found: &Finding) -> Self {
        Self { kind: kind.to_owned(), score: found.score(), reasons: found.reasons().collect(), ..self }
    }

    /// What places are in order of.
    pub(super) const fn at(&self) -> (u64, u64) {
        (self.line, self.column)
    }

    fn json(&self) -> Value {
        let mut place = json!({
            "kind": self.kind,
            "score": f64::from(self.score) / 100.0,
            "why": self.reasons,
            "line": self.line,
            "column": self.column,
            "name": self.name,
        });
        if let (Some(value), Some(members)) = (&self.value, place.as_object_mut()) {
            members.insert("value".to_owned(), value.as_str().into());
        }
        place
    }
}

/// Prints what was found.
pub(super) fn print(
    out: Out,
    reports: &[FileReport],
    skipped: &[Skipped],
    min_score: u8,
) -> Result<(), Failure> {
    let printed = match out.format {
        Format::Json | Format::Jsonl => out.answer(&whole(reports, skipped, min_score)),
        Format::Table => out.lines(&table(reports, skipped)),
    };
    printed.map_err(|error| Failure::of(ids::FILE, &error))
}

fn totals(reports: &[FileReport]) -> BTreeMap<&str, (u64, u64)> {
    let mut totals: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (kind, count) in reports.iter().flat_map(|report| &report.report.findings) {
        let total = totals.entry(kind).or_default();
        *total = (total.0.saturating_add(*count), total.1.saturating_add(1));
    }
    totals
}

fn whole(reports: &[FileReport], skipped: &[Skipped], min_score: u8) -> Value {
    let found: Vec<Value> =
        reports.iter().filter(|one| !one.report.is_clean()).map(FileReport::json).collect();
    let kinds: BTreeMap<&str, u64> =
        totals(reports).into_iter().map(|(kind, total)| (kind, total.0)).collect();
    let one = |one: &Skipped| {
        let (file, why) = (one.path.display().to_string(), one.why.said());
        json!({ "file": file, "kind": one.why.id(), "why": why })
    };
    let skipped: Vec<Value> = skipped.iter().map(one).collect();
    json!({
        "searched": reports.iter().filter(|one| one.cut.is_none()).count(),
        "bytes": reports.iter().map(|one| one.report.bytes).fold(0_u64, u64::saturating_add),
        "minScore": f64::from(min_score) / 100.0,
        "findings": kinds,
        "files": found,
        "skipped": skipped,
    })
}

fn table(reports: &[FileReport], skipped: &[Skipped]) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let shown = |path: &PathBuf| crate::out::shown(&path.display().to_string());
    for one in reports.iter().filter(|one| !one.report.is_clean()) {
        let path = shown(&one.path);
        let kinds: Vec<String> =
            one.report.findings.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        line(format!("{path}: {}", kinds.join(", ")));
        for note in one.note.iter().chain(&one.cut) {
            line(format!("  {note}"));
        }
        for column in
            one.report.columns.iter().filter(|column| column.holds.is_some() || !column.kinds.is_empty())
        {
            let kinds: Vec<String> = column
                .kinds
                .iter()
                .map(|kind| format!("{} in {:.1} % of {} cells", kind.id, kind.share * 100.0, column.filled))
                .collect();
            let holds = column.holds.as_ref().map(|kind| format!("holds {kind}; ")).unwrap_or_default();
            line(format!("  column {}: {holds}{}", crate::out::shown(&column.name), kinds.join(", ")));
        }
        for place in &one.places {
            let name =
                place.name.as_ref().map(|name| format!(" ({})", crate::out::shown(name))).unwrap_or_default();
            let value = place
                .value
                .as_ref()
                .map(|value| format!("  {}", crate::out::shown(value)))
                .unwrap_or_default();
            let (at, column) = (place.line, place.column);
            let why = place.reasons.join(", ");
            line(format!(
                "  {path}:{at}:{column}{name}  {:<18} {:.2}  {why}{value}",
                place.kind,
                f64::from(place.score) / 100.0
            ));
        }
        let found = one.report.total();
        let left = found.saturating_sub(u64::try_from(one.places.len()).unwrap_or(u64::MAX));
        if left > 0 {
            line(format!("  and {left} more"));
        }
    }
    for one in skipped {
        let what = match one.why {
            Why::PassedOver(_) => "passed over",
            Why::Unsearched(_) => "not searched",
        };
        line(format!("{what}: {}: {}", shown(&one.path), one.why.said()));
    }
    for (kind, (count, files)) in totals(reports) {
        line(format!("{kind:<20} {count:>8} in {files} files"));
    }
    if reports.is_empty() {
        line("nothing was searched: no file of text or of a table is there".to_owned());
    }
    let whole = || reports.iter().filter(|one| one.cut.is_none());
    let clean = whole().filter(|one| one.report.is_clean()).count();
    let passed = skipped.iter().filter(|one| matches!(one.why, Why::PassedOver(_))).count();
    line(format!(
        "{} files searched, {clean} without findings, {} not searched, {passed} passed over",
        whole().count(),
        skipped.len().saturating_sub(passed)
    ));
    text
}
