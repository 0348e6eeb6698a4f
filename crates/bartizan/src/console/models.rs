//! The list of models.

use maud::{Markup, html};

use super::format::{count, counted, foreign, moment};
use super::icons::Icon;
use super::page::{Place, Position, cell, empty, framed, number_cell, pager, state_pill, table_head};
use super::version_path;
use super::view::{ModelRow, ModelsView};

/// The models of a project with their newest versions.
pub(crate) fn models_page(view: &ModelsView) -> Markup {
    let models = &view.models;
    let content = html! {
        div.head { h1 { "Models" } }
        p.sub { (counted(models.total, "model", "models")) " in this project" }
        section.card aria-label="All models" {
            @if models.rows.is_empty() {
                (empty(Icon::Cube, "No models here", &html! {
                    "Import one that was trained elsewhere with " code { "bartizan model import" } "."
                }))
            } @else {
                table role="table" aria-label="Models" {
                    (table_head(&["Model", "#Versions", "Latest", "State of the latest", "Registered", "Approved"]))
                    tbody role="rowgroup" { @for row in &models.rows { (model_row(row)) } }
                }
            }
            (pager(models, "models"))
        }
        p.aside { "The same on the command line: " code { "bartizan model list" } }
    };
    framed(&view.frame, &Position { title: "Models", place: Place::Models, exact: true }, &content)
}

fn model_row(row: &ModelRow) -> Markup {
    let latest = version_path(&row.name, row.latest);
    html! {
        tr role="row" {
            th.break role="rowheader" scope="row" { a href=(latest) { (foreign(&row.name)) } }
            (number_cell("Versions", &html! { (count(row.versions)) }))
            (cell("Latest", &html! { (row.latest) }))
            (cell("State of the latest", &state_pill(row.latest_state)))
            (cell("Registered", &moment(&row.latest_at)))
            (cell("Approved", &html! {
                @match row.approved {
                    Some(version) => a href=(version_path(&row.name, version)) {
                        span.unseen { (row.name) ":" } (version)
                    },
                    None => span.key { "none" },
                }
            }))
        }
    }
}
