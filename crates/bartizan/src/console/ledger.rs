//! The pages of the ledger: its entries, and one of them.

use maud::{Markup, html};

use super::format::{
    count, counted, digest, entry, foreign, foreign_list, large_moment, moment, whole_digest,
};
use super::icons::Icon;
use super::page::{Place, Position, cell, commands_card, empty, fact, framed, pager, pill, table_head};
use super::view::ledger::{EntryRow, EntryView, HeadView, LedgerView, Shown};
use super::{LEDGER_PATH, view::Frame};

/// The entries of the ledger, and its head.
pub(crate) fn ledger_page(view: &LedgerView) -> Markup {
    let list = &view.entries;
    let what = match view.shown {
        Shown::Statements => "statements",
        Shown::Decisions => "decisions",
        Shown::All => "entries",
    };
    let content = html! {
        div.head {
            h1 { "Ledger" }
            @if view.head.witnesses.is_empty() { (pill("warn", Icon::Alert, "self-attested")) }
            @else { (pill("ok", Icon::Seal, "witnessed")) }
            (choice(view.shown))
        }
        ul.sub {
            li { "Origin " code { (foreign(&view.head.origin)) } }
            li { "Root " (whole_digest(&view.head.root)) }
        }
        div.grid {
            (head_facts(&view.head))
            section.card.s12 aria-labelledby="entries" {
                h2 #entries { "Entries" }
                p.hint { (hint(view.shown)) }
                @if list.rows.is_empty() {
                    (empty(Icon::Page, "No entries here", &html! { "Nothing of this kind was stated yet." }))
                } @else {
                    table role="table" aria-labelledby="entries" {
                        (table_head(&["#Index", "Statement", "Subject", "Signed by", "Time"]))
                        tbody role="rowgroup" { @for row in &list.rows { (entry_row(&view.frame, row)) } }
                    }
                }
                (pager(list, what))
            }
            div.s12 { (commands_card(&[
                ("List the newest entries", "bartizan ledger show".to_owned()),
                ("Recompute every hash", "bartizan ledger fsck".to_owned()),
                ("Write a proof that an entry is in the tree", "bartizan ledger proof INDEX --out FILE".to_owned()),
                ("Give verifiers what they need", "bartizan keys export --out trust.json".to_owned()),
            ])) }
        }
    };
    framed(&view.frame, &Position { title: "Ledger", place: Place::Ledger, exact: true }, &content)
}

fn hint(shown: Shown) -> &'static str {
    match shown {
        Shown::Statements => "What was stated, newest first; decisions of the access policy are left out",
        Shown::Decisions => "Each decision of the access policy, newest first; looking at a page makes one",
        Shown::All => "Everything that was appended, newest first",
    }
}

fn choice(current: Shown) -> Markup {
    html! {
        nav.seg.right aria-label="Which entries" {
            @for shown in Shown::ALL {
                @let label = match shown {
                    Shown::Statements => "Statements",
                    Shown::Decisions => "Decisions",
                    Shown::All => "All",
                };
                a href={ (LEDGER_PATH) "?show=" (shown.as_str()) } aria-current=[(shown == current).then_some("true")] {
                    (label)
                }
            }
        }
    }
}

fn head_facts(head: &HeadView) -> Markup {
    let witnesses = match (head.witnesses.len(), &head.witnessed_at) {
        (0, _) => "the operator could rewrite history".to_owned(),
        (_, None) => "cosigned the head".to_owned(),
        (_, Some(at)) => format!("cosigned the head, {at} at the earliest"),
    };
    html! {
        dl.facts.four.s12 aria-label="The signed head" {
            (fact("Tree size", &html! { (count(head.size)) }, "entries under one signed checkpoint"))
            (fact("Last entry", &large_moment(&head.last_at), "as its writer’s clock asserts"))
            (fact("Witnesses", &html! {
                @if head.witnesses.is_empty() { "none" } @else { (foreign_list(&head.witnesses)) }
            }, &witnesses))
            (fact("Prediction records", &html! { (count(head.records)) }, "in segments that entries name"))
        }
    }
}

fn entry_row(frame: &Frame, row: &EntryRow) -> Markup {
    html! {
        tr role="row" {
            th.num role="rowheader" scope="row" { (entry(frame, row.index)) }
            (cell("Statement", &html! { (row.kind) }))
            (cell("Subject", &html! { span.break { (foreign(&row.subject)) } }))
            (cell("Signed by", &html! { (row.signer) }))
            (cell("Time", &moment(&row.at)))
        }
    }
}

/// One entry with its payload.
pub(crate) fn entry_page(view: &EntryView) -> Markup {
    let title = format!("Entry {}", view.row.index);
    let beside = |index: u64, label: &str, rel: &str| {
        html! { a.btn href={ (LEDGER_PATH) "/" (index) } rel=(rel) { (label) } }
    };
    let content = html! {
        nav.crumb aria-label="Breadcrumb" {
            ol {
                li { a href=(LEDGER_PATH) { "Ledger" } }
                li aria-current="page" { (count(view.row.index)) }
            }
        }
        div.head {
            h1 { (title) }
            (pill("neutral", Icon::Page, &view.row.kind))
            div.right {
                @if let Some(before) = view.row.index.checked_sub(1) { (beside(before, "Older", "prev")) }
                @if view.row.index + 1 < view.size { (beside(view.row.index + 1, "Newer", "next")) }
            }
        }
        ul.sub {
            li { (moment(&view.row.at)) }
            li { "Signed by " (view.row.signer) }
            li { "One of " (counted(view.size, "entry", "entries")) }
        }
        div.grid {
            section.card.s7 aria-labelledby="payload" {
                h2 #payload { "Payload" }
                p.hint { "The signed bytes, set in lines; names and values are digests or pseudonyms" }
                pre.payload tabindex="0" aria-labelledby="payload" { code { (view.payload) } }
            }
            div.column.short.s5 {
                section.card aria-labelledby="facts" {
                    h2 #facts { "What it is" }
                    dl.list {
                        div { dt { "Predicate" } dd { code.break { (foreign(&view.predicate_type)) } } }
                        div { dt { "Subject" } dd.break { (foreign(&view.row.subject)) } }
                        div { dt { "Subject digest" } dd { (whole_digest(&view.subject_digest)) } }
                        div { dt { "Payload digest" } dd { (whole_digest(&view.payload_digest)) } }
                        @for signer in &view.signers { div { dt { "Signing key" } dd { (digest(signer)) } } }
                    }
                }
                (commands_card(&[
                    ("Show this entry", format!("bartizan ledger show {}", view.row.index)),
                    ("Write a proof that it is in the tree", format!("bartizan ledger proof {} --out FILE", view.row.index)),
                ]))
            }
        }
    };
    framed(&view.frame, &Position { title: &title, place: Place::Ledger, exact: false }, &content)
}

/// The head of the ledger in a card, for pages about something else.
pub(crate) fn head_card(head: &HeadView) -> Markup {
    html! {
        section.card aria-labelledby="head" {
            h2 #head { "Ledger" }
            p.hint { "The signed head under which everything here is" }
            dl.list {
                div { dt { "Tree size" } dd { a href=(LEDGER_PATH) { (counted(head.size, "entry", "entries")) } } }
                div { dt { "Root" } dd { (digest(&head.root)) } }
                div { dt { "Origin" } dd { code.break { (foreign(&head.origin)) } } }
                div { dt { "Last entry" } dd { (moment(&head.last_at)) } }
                div { dt { "Prediction records" } dd { (number(head.records)) } }
                div { dt { "Witnesses" } dd {
                    @if head.witnesses.is_empty() { "none: the operator could rewrite history" }
                    @else { (foreign_list(&head.witnesses)) }
                } }
            }
        }
    }
}

fn number(value: u64) -> Markup {
    html! { (count(value)) }
}
