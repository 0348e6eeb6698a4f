//! The first page: what is served now, what needs attention, and the head of the ledger.

use maud::{Markup, html};

use super::endpoint::{endpoint_table, none_yet};
use super::format::{count, counted, foreign, local_href};
use super::icons::Icon;
use super::ledger::head_card;
use super::page::{Place, Position, commands_card, empty, fact, framed, pager, tone_class};
use super::version::changes_card;
use super::view::overview::{AttentionView, LedgerPart, OverviewView};
use super::view::{ChangeView, Paged, Tone};

/// What is served now, and what needs attention.
pub(crate) fn overview_page(view: &OverviewView) -> Markup {
    let commands = [
        ("The project and its keys", "bartizan status".to_owned()),
        ("What is served", "bartizan endpoint list".to_owned()),
        ("Models and their states", "bartizan model list".to_owned()),
        ("Recompute every hash of the ledger", "bartizan ledger fsck".to_owned()),
    ];
    let content = html! {
        div.head { h1 { "Overview" } }
        p.sub { (served(view)) }
        div.grid {
            (facts(view))
            (attention(view))
            section.card.s12 aria-labelledby="served" {
                h2 #served { "Served now" }
                p.hint { "Endpoints, what answers at each, and the last hour of requests" }
                @if view.endpoints.rows.is_empty() { (none_yet()) } @else { (endpoint_table(&view.endpoints.rows)) }
                (pager(&view.endpoints, "endpoints"))
            }
            @match &view.ledger {
                Some(ledger) => {
                    (changes_card(&view.frame, "The newest statements in the ledger, but for decisions and segments", "s7", &newest(ledger)))
                    div.column.s5 { (head_card(&ledger.head)) (commands_card(&commands)) }
                }
                None => div.s12 { (commands_card(&commands)) },
            }
        }
    };
    framed(&view.frame, &Position { title: "Overview", place: Place::Overview, exact: true }, &content)
}

fn served(view: &OverviewView) -> String {
    let (all, idle) = (view.endpoints.total, view.not_serving);
    match (all, idle) {
        (0, _) => "No endpoint is in service".to_owned(),
        (1, 0) => "The endpoint answers with the version it is routed to".to_owned(),
        (_, 0) => format!("All {} endpoints answer with the version they are routed to", count(all)),
        _ => {
            let all = counted(all, "endpoint", "endpoints");
            format!("{} of {all} on a fallback, or without an answer", count(idle))
        }
    }
}

fn facts(view: &OverviewView) -> Markup {
    let models = &view.models;
    html! {
        dl.facts.s12 aria-label="In numbers" {
            (fact("Endpoints", &html! { (count(view.endpoints.total)) }, "in service"))
            (fact("Models", &html! { (count(models.models)) }, &counted(models.versions, "version", "versions")))
            (fact("Approved", &html! { (count(models.approved)) }, "versions that may be served"))
            (fact("Candidates", &html! { (count(models.candidates)) }, "versions that nobody approved"))
            (fact("Quarantined", &html! { span.bad[models.quarantined > 0] { (count(models.quarantined)) } }, "versions that are stopped"))
            @if let Some(data) = &view.data_sets {
                @let hint = match data.refused {
                    0 => counted(data.versions, "version", "versions"),
                    refused => counted(refused, "delivery refused", "deliveries refused"),
                };
                (fact("Data sets", &html! { (count(data.data_sets)) }, &hint))
            }
        }
    }
}

fn attention(view: &OverviewView) -> Markup {
    let list = &view.attention;
    html! {
        section.card.s12 aria-labelledby="attention" {
            h2 #attention { "Needs attention" }
            @if list.total == 0 {
                (empty(Icon::Seal, "Nothing needs attention", &html! {
                    "Every endpoint answers with the version it is routed to, and no version waits for anybody."
                }))
            } @else {
                p.hint { (counted(list.total, "thing", "things")) ", the worst first" }
                ul.attention { @for row in &list.rows { (attention_row(row)) } }
            }
            (pager(list, "things"))
        }
    }
}

fn attention_row(row: &AttentionView) -> Markup {
    let icon = match row.tone {
        Tone::Bad => Icon::Alert,
        Tone::Warn => Icon::Flag,
        Tone::Neutral | Tone::Ok => Icon::Ring,
    };
    html! {
        li class=(tone_class(row.tone)) {
            span.node { (icon.svg()) }
            div.what {
                p.title {
                    @match row.href.as_deref().and_then(local_href) {
                        Some(href) => a href=(href) { (foreign(&row.subject)) },
                        None => strong { (foreign(&row.subject)) },
                    }
                    " " (row.what)
                }
                p { (foreign(&row.detail)) }
            }
            code { (row.command) }
        }
    }
}

fn newest(ledger: &LedgerPart) -> Paged<ChangeView> {
    Paged { rows: ledger.changes.clone(), total: ledger.head.size, first: None, next: None }
}
