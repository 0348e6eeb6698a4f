//! The lists of data sets and of training runs.

use maud::{Markup, html};

use super::format::{count, counted, digest, entry, foreign, foreign_list, moment};
use super::icons::Icon;
use super::page::{
    Place, Position, cell, empty, framed, number_cell, pager, pill, table_head, tone_class, verdict_pill,
};
use super::version_path;
use super::view::assets::{DataSetSummary, DataSetsView, RunRow, RunsView};
use super::view::{Frame, Tone};

/// The data sets of a project with their newest versions.
pub(crate) fn data_sets_page(view: &DataSetsView) -> Markup {
    let list = &view.data_sets;
    let content = html! {
        div.head { h1 { "Data sets" } }
        p.sub { (counted(list.total, "data set", "data sets")) " in this project" }
        section.card aria-label="All data sets" {
            @if list.rows.is_empty() {
                (empty(Icon::Data, "No data sets here", &html! {
                    "Add a delivery with " code { "bartizan data add" } "; it is checked on its way in."
                }))
            } @else {
                table role="table" aria-label="Data sets" {
                    (table_head(&[
                        "Data set", "#Versions", "Latest", "Verdict", "#Warnings", "#Parts", "#Rows", "Added", "Entry",
                    ]))
                    tbody role="rowgroup" { @for row in &list.rows { (data_set(&view.frame, row)) } }
                }
            }
            (pager(list, "data sets"))
        }
        p.aside {
            "The same on the command line: " code { "bartizan data list" } ", and " code { "bartizan data show NAME:VERSION" }
            " with what was found."
        }
    };
    framed(&view.frame, &Position { title: "Data sets", place: Place::DataSets, exact: true }, &content)
}

fn data_set(frame: &Frame, row: &DataSetSummary) -> Markup {
    html! {
        tr role="row" {
            th.break role="rowheader" scope="row" { (foreign(&row.name)) }
            (number_cell("Versions", &html! { (count(row.versions)) }))
            (cell("Latest", &html! { (row.latest) }))
            (cell("Verdict", &verdict_pill(row.verdict)))
            (number_cell("Warnings", &html! { span.warn[row.warnings > 0] { (count(row.warnings)) } }))
            (number_cell("Parts", &html! { (count(row.parts)) }))
            (number_cell("Rows", &html! { (count(row.rows)) }))
            (cell("Added", &moment(&row.at)))
            (cell("Entry", &entry(frame, row.entry)))
        }
    }
}

/// The training runs of a project, newest first.
pub(crate) fn runs_page(view: &RunsView) -> Markup {
    let list = &view.runs;
    let content = html! {
        div.head { h1 { "Runs" } }
        p.sub { (counted(list.total, "training run", "training runs")) " in this project" }
        section.card aria-label="All runs" {
            @if list.rows.is_empty() {
                (empty(Icon::Play, "No runs here", &html! {
                    "Train in the sandbox with " code { "bartizan run start" } ": what goes in is stated first."
                }))
            } @else {
                table role="table" aria-label="Runs" {
                    (table_head(&["Run", "End", "Model", "Inputs", "Isolation", "Started", "Entry"]))
                    tbody role="rowgroup" { @for row in &list.rows { (run(&view.frame, row)) } }
                }
            }
            (pager(list, "runs"))
        }
        p.aside {
            "The same on the command line: " code { "bartizan run list" } ", and " code { "bartizan run show RUN" }
            " with command and log."
        }
    };
    framed(&view.frame, &Position { title: "Runs", place: Place::Runs, exact: true }, &content)
}

fn run(frame: &Frame, row: &RunRow) -> Markup {
    let icon = match row.tone {
        Tone::Neutral => Icon::Ring,
        Tone::Ok => Icon::Tick,
        Tone::Warn => Icon::Alert,
        Tone::Bad => Icon::Cross,
    };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { (digest(&row.run)) }
            (cell("End", &html! {
                (pill(tone_class(row.tone), icon, row.end))
                @if let Some(reason) = &row.reason { br; span.break { (foreign(reason)) } }
            }))
            (cell("Model", &html! {
                span.break {
                    @match row.version {
                        Some(version) => a href=(version_path(&row.model, version)) { (foreign(&row.model)) ":" (version) },
                        None => (foreign(&row.model)),
                    }
                }
            }))
            (cell("Inputs", &html! {
                @if row.inputs.is_empty() { span.key { "none" } } @else { span.break { (foreign_list(&row.inputs)) } }
            }))
            (cell("Isolation", &html! { @if row.isolated { "full" } @else { span.warn { "reduced" } } }))
            (cell("Started", &moment(&row.at)))
            (cell("Entry", &entry(frame, row.entry)))
        }
    }
}
