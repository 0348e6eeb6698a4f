//! The pages of endpoints: the list, and one with its route and its numbers.

use maud::{Markup, html};

use super::format::{count, counted, duration, entry, foreign, moment};
use super::icons::Icon;
use super::live::Values;
use super::numbers::{latency_card, outcomes_card, requests_card, stat_cards, values};
use super::page::{
    Place, Position, cell, commands_card, empty, framed, framed_live, number_cell, pager, pill, state_pill,
    table_head,
};
use super::version::changes_card;
use super::view::endpoint::{
    BeyondView, EndpointRow, EndpointStanding, EndpointView, EndpointsView, FallbackView, RoutedVersion,
};
use super::{ENDPOINTS_PATH, endpoint_path, version_path};

/// The endpoints of a project.
pub(crate) fn endpoints_page(view: &EndpointsView) -> Markup {
    let list = &view.endpoints;
    let content = html! {
        div.head { h1 { "Endpoints" } }
        p.sub { (counted(list.total, "endpoint", "endpoints")) " in this project" }
        section.card aria-label="All endpoints" {
            @if list.rows.is_empty() { (none_yet()) } @else { (endpoint_table(&list.rows)) }
            (pager(list, "endpoints"))
        }
        p.aside { "The same on the command line: " code { "bartizan endpoint list" } }
    };
    framed(&view.frame, &Position { title: "Endpoints", place: Place::Endpoints, exact: true }, &content)
}

/// What stands where endpoints would be.
pub(super) fn none_yet() -> Markup {
    empty(
        Icon::Chart,
        "No endpoints here",
        &html! {
            "Say which approved version answers under a name with " code { "bartizan endpoint route" } "."
        },
    )
}

/// Endpoints as a table.
pub(super) fn endpoint_table(rows: &[EndpointRow]) -> Markup {
    let columns =
        ["Endpoint", "State", "Routed to", "Instead", "#Last minute", "#Last hour", "#Failed", "#p99"];
    html! {
        table role="table" aria-label="Endpoints" {
            (table_head(&columns))
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        th.break role="rowheader" scope="row" { a href=(endpoint_path(&row.name)) { (foreign(&row.name)) } }
                        (cell("State", &standing_pill(row.standing)))
                        (cell("Routed to", &html! {
                            @match &row.primary {
                                Some(primary) => (routed(primary)),
                                None => span.key { "nothing" },
                            }
                        }))
                        (cell("Instead", &fallback(&row.fallback)))
                        (number_cell("Last minute", &html! { (count(row.last_minute)) }))
                        (number_cell("Last hour", &html! { (count(row.hour.iter().sum())) }))
                        (number_cell("Failed", &failed(row)))
                        (number_cell("p99", &html! {
                            @match row.p99 {
                                Some(micros) => { (written(micros)) },
                                None => span.key { "–" },
                            }
                        }))
                    }
                }
            }
        }
    }
}

fn written(micros: u64) -> String {
    let (amount, unit) = duration(micros);
    format!("{amount} {unit}")
}

fn failed(row: &EndpointRow) -> Markup {
    let failed = row.hour.last().copied().unwrap_or_default();
    html! { span.bad[failed > 0] { (count(failed)) } }
}

fn routed(version: &RoutedVersion) -> Markup {
    html! { a.break href=(version_path(&version.model, version.version)) { (foreign(&version.model)) ":" (version.version) } }
}

fn fallback(fallback: &FallbackView) -> Markup {
    html! {
        @match fallback {
            FallbackView::Version(version) => (routed(version)),
            FallbackView::Constant => "a constant",
            FallbackView::Unavailable => span.key { "nobody" },
        }
    }
}

/// How an endpoint stands, each in a colour and with an icon of its own.
pub(super) fn standing_pill(standing: EndpointStanding) -> Markup {
    match standing {
        EndpointStanding::Serving => pill("ok", Icon::Tick, "serving"),
        EndpointStanding::OnFallback => pill("warn", Icon::Alert, "on fallback"),
        EndpointStanding::Unanswered => pill("bad", Icon::Cross, "nobody answers"),
        EndpointStanding::NotLoaded => pill("bad", Icon::Alert, "not loaded"),
        EndpointStanding::Disabled => pill("neutral", Icon::Archive, "out of service"),
        EndpointStanding::NotRouted => pill("neutral", Icon::Ring, "not routed yet"),
    }
}

/// One endpoint with its numbers.
pub(crate) fn endpoint_page(view: &EndpointView) -> Markup {
    let name = &view.row.name;
    let values = values(&view.numbers);
    let content = html! {
        (heading(view, &values))
        (banner(view))
        div.grid {
            (stat_cards(&values))
            div.column.s7 {
                (requests_card(&values))
                (latency_card(&values))
                (changes_card(&view.frame, "Ledger entries about this endpoint, newest first", "", &view.changes))
            }
            div.column.s5 {
                (outcomes_card(&view.numbers, &values))
                (route(view))
                (commands_card(&commands(view)))
            }
        }
    };
    framed_live(
        &view.frame,
        &Position { title: name, place: Place::Endpoints, exact: false },
        &view.events,
        &content,
    )
}

fn heading(view: &EndpointView, values: &Values) -> Markup {
    html! {
        nav.crumb aria-label="Breadcrumb" {
            ol {
                li { a href=(ENDPOINTS_PATH) { "Endpoints" } }
                li aria-current="page" { (foreign(&view.row.name)) }
            }
        }
        div.head {
            h1 { (foreign(&view.row.name)) }
            (standing_pill(view.row.standing))
            @if let Some(primary) = &view.row.primary { (state_pill(primary.state)) }
            span.live.right data-live-state { span.dot {} "As of " (values.text("as-of")) " UTC" }
        }
        ul.sub {
            @if let Some(primary) = &view.row.primary { li { "Routed to " (routed(primary)) } }
            li { "Instead: " (fallback(&view.row.fallback)) }
            li { "Ledger entry " (entry(&view.frame, view.entry)) }
            li { (values.text("under-way")) " under way" }
        }
    }
}

fn banner(view: &EndpointView) -> Markup {
    let primary = view.row.primary.as_ref().map(|primary| format!("{}:{}", primary.model, primary.version));
    let primary = primary.as_deref().unwrap_or("The version");
    let (tone, title, text) = match view.row.standing {
        EndpointStanding::Serving | EndpointStanding::Disabled | EndpointStanding::NotRouted => {
            return html! {};
        }
        EndpointStanding::OnFallback => (
            "warn",
            format!("{primary} does not answer"),
            "It may not be served now, or cannot be read, so the fallback answers. Approve it again, promote another version or roll back.",
        ),
        EndpointStanding::Unanswered => (
            "bad",
            "Nobody answers".to_owned(),
            "Neither the version nor a fallback may answer: callers get 503. Route the endpoint to an approved version.",
        ),
        EndpointStanding::NotLoaded => (
            "bad",
            "It is not loaded".to_owned(),
            "The endpoint is in service and could not be loaded: callers get 503. The log of the server says why.",
        ),
    };
    html! {
        section class={ "banner " (tone) } aria-label="Why this endpoint needs attention" {
            (Icon::Alert.svg())
            div { p { strong { (foreign(&title)) } } p.by { (text) } }
        }
    }
}

fn route(view: &EndpointView) -> Markup {
    let beyond = match view.beyond {
        BeyondView::Reject => "refused",
        BeyondView::Flag => "answered, and flagged",
    };
    let with_state = |version: &RoutedVersion| html! { (routed(version)) " " (state_pill(version.state)) };
    html! {
        section.card aria-labelledby="route" {
            h2 #route { "Route" }
            p.hint { "What the ledger says, and this server obeys" }
            dl.list {
                div { dt { "Version" } dd {
                    @match &view.row.primary {
                        Some(primary) => (with_state(primary)),
                        None => "none",
                    }
                } }
                div { dt { "Instead" } dd {
                    @match &view.row.fallback {
                        FallbackView::Version(version) => (with_state(version)),
                        FallbackView::Constant => "a constant answer",
                        FallbackView::Unavailable => "nobody: 503",
                    }
                } }
                div { dt { "Beyond training" } dd { (beyond) } }
                @if let Some(compared) = &view.compared {
                    div { dt { "Compared with it" } dd { (compared) } }
                }
                div { dt { "Routed" } dd { (moment(&view.at)) " by " (foreign(&view.by)) } }
                div { dt { "Entry" } dd { (entry(&view.frame, view.entry)) } }
            }
        }
    }
}

fn commands(view: &EndpointView) -> Vec<(&'static str, String)> {
    let name = &view.row.name;
    let mut commands = vec![
        ("Show route and numbers", format!("bartizan endpoint show {name}")),
        ("Find recorded predictions", format!("bartizan predictions search --endpoint {name} --since 24h")),
        ("Let another version answer", format!("bartizan model promote NAME:VERSION --endpoint {name}")),
        ("Go back to the version before", format!("bartizan model rollback --endpoint {name}")),
    ];
    if let Some(primary) = &view.row.primary {
        let stop = format!("bartizan model quarantine {}:{} --reason TEXT", primary.model, primary.version);
        commands.push(("Stop its version at once", stop));
    }
    commands
}
