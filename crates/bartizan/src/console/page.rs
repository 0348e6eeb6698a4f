//! What surrounds the content of every page, the parts that several pages share, and the error page.

use maud::{DOCTYPE, Markup, html};

use super::format::{count, foreign, local_href};
use super::icons::{Icon, brand};
use super::view::{DataVerdict, ErrorView, Frame, Paged, Tier, Tone, VersionState};
use super::{
    DATA_SETS_PATH, ENDPOINTS_PATH, LEDGER_PATH, LINEAGE_PATH, MODELS_PATH, OVERVIEW_PATH, RUNS_PATH, assets,
};

/// A page that the navigation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What is served now, and what needs attention.
    Overview,
    /// The data sets.
    DataSets,
    /// The models and their versions.
    Models,
    /// What things came from, and what came of them.
    Lineage,
    /// The training runs.
    Runs,
    /// The endpoints and their numbers.
    Endpoints,
    /// The ledger and its entries.
    Ledger,
}

struct NavEntry {
    label: &'static str,
    icon: Icon,
    /// Where it leads, and what is there.
    href: &'static str,
    place: Place,
}

const fn leads(label: &'static str, icon: Icon, href: &'static str, place: Place) -> NavEntry {
    NavEntry { label, icon, href, place }
}

/// What there is, and nothing that is not.
const NAVIGATION: [(Option<&str>, &[NavEntry]); 4] = [
    (None, &[leads("Overview", Icon::Home, OVERVIEW_PATH, Place::Overview)]),
    (
        Some("Assets"),
        &[
            leads("Data sets", Icon::Data, DATA_SETS_PATH, Place::DataSets),
            leads("Models", Icon::Cube, MODELS_PATH, Place::Models),
            leads("Lineage", Icon::Branch, LINEAGE_PATH, Place::Lineage),
            leads("Runs", Icon::Play, RUNS_PATH, Place::Runs),
        ],
    ),
    (Some("Operate"), &[leads("Endpoints", Icon::Chart, ENDPOINTS_PATH, Place::Endpoints)]),
    (Some("Govern"), &[leads("Ledger", Icon::Page, LEDGER_PATH, Place::Ledger)]),
];

/// Where a page is: in the navigation, in the title of the browser's tab.
pub(crate) struct Position<'a> {
    /// What the page is about, for the tab.
    pub(crate) title: &'a str,
    /// Its entry in the navigation.
    pub(crate) place: Place,
    /// Whether the page is that entry's own, and not one below it.
    pub(crate) exact: bool,
}

fn document(title: &str, live: bool, body: &Markup) -> Markup {
    let [style_sheet, mark, script] = assets();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="same-origin";
                title { (title) " · Bartizan" }
                link rel="icon" type="image/svg+xml" href=(mark.href());
                link rel="stylesheet" href=(style_sheet.href());
                @if live { script src=(script.href()) defer {} }
            }
            body { (body) }
        }
    }
}

/// A page of a project: navigation at the left, `content` in the main landmark.
pub(crate) fn framed(frame: &Frame, position: &Position<'_>, content: &Markup) -> Markup {
    surrounded(frame, position, None, content)
}

/// A page of a project that keeps itself up to date with what comes from `events`.
pub(crate) fn framed_live(frame: &Frame, position: &Position<'_>, events: &str, content: &Markup) -> Markup {
    surrounded(frame, position, local_href(events), content)
}

fn surrounded(frame: &Frame, position: &Position<'_>, events: Option<&str>, content: &Markup) -> Markup {
    let body = html! {
        a.skip href="#content" { "Skip to content" }
        div.app {
            header.side {
                a.brand href=(OVERVIEW_PATH) { (brand()) "Bartizan" }
                (navigation(position))
                (surroundings(frame))
            }
            main #content tabindex="-1" data-events=[events] { (content) }
        }
    };
    document(position.title, events.is_some(), &body)
}

fn navigation(position: &Position<'_>) -> Markup {
    html! {
        nav.menu aria-label="Main" {
            @for (heading, entries) in NAVIGATION {
                @if let Some(heading) = heading { p.heading { (heading) } }
                ul aria-label=[heading] {
                    @for entry in entries {
                        @let current = entry.place == position.place;
                        @let current = current.then_some(if position.exact { "page" } else { "true" });
                        li { a.place href=(entry.href) aria-current=[current] { (entry.icon.svg()) (entry.label) } }
                    }
                }
            }
        }
    }
}

fn surroundings(frame: &Frame) -> Markup {
    html! {
        dl.surroundings {
            div { dt { "Project" } dd { (foreign(&frame.project)) } }
            div { dt { "Tier" } dd { (tier_word(frame.tier)) } }
            @if let Some(viewer) = &frame.viewer { div { dt { "Signed in as" } dd { (foreign(viewer)) } } }
        }
        @if frame.viewer.is_some() {
            form.signout method="post" action="/signout" { button.btn type="submit" { "Sign out" } }
        }
    }
}

/// The page for what does not exist and for what the viewer may not see, alike.
pub(crate) fn not_found_page() -> Markup {
    error_page(&ErrorView {
        status: 404,
        title: "Not found, or not yours".to_owned(),
        advice: "There is nothing here that you may see. Check the address, or ask somebody who can see it \
                 to give you a role."
            .to_owned(),
        code: None,
    })
}

/// A page that says why there is no page; it needs no signing in and tells nothing about any project.
pub(crate) fn error_page(view: &ErrorView) -> Markup {
    let body = html! {
        main.lone #content {
            p.brand { (brand()) "Bartizan" }
            div.card {
                p.status { (view.status) }
                h1 { (foreign(&view.title)) }
                p { (foreign(&view.advice)) }
                @if let Some(code) = &view.code {
                    p.sub { "Error " code { (code) } ", explained by " code { "bartizan explain " (code) } }
                }
                p { a href=(OVERVIEW_PATH) { "Go to the overview" } }
            }
        }
    };
    document(&view.title, false, &body)
}

/// The form in which somebody shows an API key to see the pages; `again` after one that was not accepted.
pub(crate) fn sign_in_page(again: bool) -> Markup {
    let body = html! {
        main.lone #content {
            p.brand { (brand()) "Bartizan" }
            div.card {
                h1 { "Sign in" }
                @if again {
                    p role="alert" { "That API key is not accepted." }
                }
                form method="post" action="/signin" {
                    p {
                        label for="key" { "API key" }
                        " "
                        input id="key" name="key" type="password" autocomplete="off" required;
                    }
                    p { button.btn type="submit" { "Sign in" } }
                }
                p.sub { "An admin issues one with " code { "bartizan access key create" } }
            }
        }
    };
    document("Sign in", false, &body)
}

/// The class that colours something by how good it is.
pub(crate) fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Ok => "ok",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    }
}

/// A short fact in a coloured lozenge.
pub(crate) fn pill(class: &str, icon: Icon, text: &str) -> Markup {
    html! { span class={ "pill " (class) } { (icon.svg()) (text) } }
}

/// An alias of a version.
pub(crate) fn alias_pill(alias: &str) -> Markup {
    html! { span.pill.neutral.alias { span { "@" (foreign(alias)) } } }
}

/// The state of a version, each in a colour and with an icon of its own.
pub(crate) fn state_pill(state: VersionState) -> Markup {
    let icon = match state {
        VersionState::Candidate => Icon::Ring,
        VersionState::Approved => Icon::Tick,
        VersionState::Lapsed => Icon::Alert,
        VersionState::Retired => Icon::Archive,
        VersionState::Quarantined => Icon::Pause,
        VersionState::Revoked => Icon::Cross,
    };
    pill(&format!("state-{}", state_word(state)), icon, state_word(state))
}

/// The state of a version in one word.
pub(crate) fn state_word(state: VersionState) -> &'static str {
    match state {
        VersionState::Candidate => "candidate",
        VersionState::Approved => "approved",
        VersionState::Lapsed => "lapsed",
        VersionState::Retired => "retired",
        VersionState::Quarantined => "quarantined",
        VersionState::Revoked => "revoked",
    }
}

/// The tier in one word.
pub(crate) fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Explore => "explore",
        Tier::Release => "release",
    }
}

/// What stands where a list would be, when it is empty.
pub(crate) fn empty(icon: Icon, title: &str, text: &Markup) -> Markup {
    html! {
        div.empty { (icon.svg()) p { strong { (title) } } p { (text) } }
    }
}

/// How much of a list is shown, and the way to the rest; nothing when all of it is.
pub(crate) fn pager<T>(list: &Paged<T>, what: &str) -> Markup {
    let first = list.first.as_deref().and_then(local_href);
    let next = list.next.as_deref().and_then(local_href);
    let shown = u64::try_from(list.rows.len()).unwrap_or(u64::MAX);
    html! {
        @if first.is_some() || next.is_some() {
            nav.pager aria-label={ "Pages of " (what) } {
                span { (count(shown)) " of " (count(list.total)) " " (what) }
                @if let Some(href) = first { a href=(href) { "First page" } }
                @if let Some(href) = next { a rel="next" href=(href) { "Next page" } }
            }
        }
    }
}

/// A cell that names its column where the style sheet stacks the columns of narrow screens.
pub(crate) fn cell(column: &str, content: &Markup) -> Markup {
    html! { td role="cell" data-label=(column) { (content) } }
}

/// As [`cell`], for numbers.
pub(crate) fn number_cell(column: &str, content: &Markup) -> Markup {
    html! { td.num role="cell" data-label=(column) { (content) } }
}

/// The head of a table; columns that begin with `#` hold numbers.
pub(crate) fn table_head(columns: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" {
                @for column in columns {
                    @match column.strip_prefix('#') {
                        Some(column) => th.num role="columnheader" scope="col" { (column) },
                        None => th role="columnheader" scope="col" { (column) },
                    }
                }
            }
        }
    }
}

/// What checking a data set gave.
pub(crate) fn verdict_pill(verdict: DataVerdict) -> Markup {
    match verdict {
        DataVerdict::Valid => pill("ok", Icon::Tick, "valid"),
        DataVerdict::Invalid => pill("bad", Icon::Cross, "invalid"),
        DataVerdict::Error => pill("warn", Icon::Alert, "error"),
    }
}

/// One of the key facts of a page.
pub(crate) fn fact(name: &str, value: &Markup, hint: &str) -> Markup {
    html! { div.card.stat { dt { (name) } dd { div.value { (value) } div.more { (hint) } } } }
}

/// Commands that do or check what a page shows, each with its purpose.
pub(crate) fn commands_card(commands: &[(&str, String)]) -> Markup {
    html! {
        section.card aria-labelledby="commands" {
            h2 #commands { "Check it yourself" }
            p.hint { "This page is what the server says. These commands check it." }
            dl.commands {
                @for (purpose, command) in commands {
                    div { dt { (purpose) } dd { code { (command) } } }
                }
            }
        }
    }
}
