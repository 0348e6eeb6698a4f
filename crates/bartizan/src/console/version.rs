//! The page of one model version: what it is, how it came about, what happened to it.

use maud::{Markup, html};

use super::chain::chain_card;
use super::format::{
    count, digest, entry, foreign, foreign_list, local_href, moment, size, stacked_moment, whole_digest,
};
use super::icons::Icon;
use super::page::{
    Place, Position, alias_pill, cell, commands_card, empty, fact, framed, number_cell, pager, pill,
    state_pill, state_word, table_head, tier_word, tone_class, verdict_pill,
};
use super::view::{
    ChangeView, DataSetRow, Frame, ModelVersionView, Paged, Sensitivity, SignatureCheck, StopView, Tier,
    VersionRow, VersionState,
};
use super::{MODELS_PATH, version_path};

/// The page of a model version with its chain of evidence.
pub(crate) fn model_version_page(view: &ModelVersionView) -> Markup {
    let reference = format!("{}:{}", view.model, view.version);
    let content = html! {
        (heading(view, &reference))
        @if let Some(stop) = &view.stop { (banner(&view.frame, view.state, &reference, stop)) }
        div.grid {
            (facts(view))
            (chain_card(&view.frame, &reference, &view.chain, &view.tree))
            (data_sets(view))
            (changes_card(&view.frame, "Ledger entries about this version, newest first", "s5", &view.changes))
            div.column.s7 { (versions(view)) (commands(view, &reference)) }
        }
    };
    framed(&view.frame, &Position { title: &reference, place: Place::Models, exact: false }, &content)
}

fn heading(view: &ModelVersionView, reference: &str) -> Markup {
    html! {
        nav.crumb aria-label="Breadcrumb" {
            ol {
                li { a href=(MODELS_PATH) { "Models" } }
                li { (foreign(&view.model)) }
                li aria-current="page" { (view.version) }
            }
        }
        div.head {
            h1 { (foreign(reference)) }
            (state_pill(view.state))
            (signature_pill(view.signature))
            @for alias in &view.aliases { (alias_pill(alias)) }
            @if let Some(href) = view.proof_href.as_deref().and_then(local_href) {
                a.btn href=(href) download { (Icon::Download.svg()) "Proof file" }
            }
        }
        ul.sub {
            li { "Manifest " (whole_digest(&view.manifest)) }
            li {
                "Ledger entry "
                @if view.frame.entry_base.is_some() { (entry(&view.frame, view.entry)) }
                @else { a.entry href="#chain-version" { "#" (view.entry) } }
            }
            li {
                @if view.approved_by.is_empty() { "Not approved" }
                @else { "Approved by " (foreign_list(&view.approved_by)) }
            }
        }
    }
}

fn signature_pill(signature: SignatureCheck) -> Markup {
    match signature {
        SignatureCheck::Verified => pill("ok", Icon::Seal, "signature verified"),
        SignatureCheck::Failed => pill("bad", Icon::Cross, "signature does not verify"),
        SignatureCheck::NotChecked => pill("neutral", Icon::Ring, "signature not checked"),
    }
}

fn banner(frame: &Frame, state: VersionState, reference: &str, stop: &StopView) -> Markup {
    let way_out = match state {
        VersionState::Revoked => " It never comes back.",
        _ => " It comes back only when somebody else approves it.",
    };
    html! {
        section.banner aria-label={ "Why this version is " (state_word(state)) } {
            (Icon::Alert.svg())
            div {
                p {
                    strong { (foreign(reference)) " is " (state_word(state)) }
                    @match &stop.reason {
                        Some(reason) => { " — " (foreign(reason)) }
                        None => { " — no reason is on record" }
                    }
                }
                p.by {
                    "By " (foreign(&stop.by)) ", " (moment(&stop.at)) ", entry " (entry(frame, stop.entry)) "."
                    (way_out)
                }
            }
        }
    }
}

fn facts(view: &ModelVersionView) -> Markup {
    let (amount, unit) = size(view.bytes);
    let (sensitivity, sensitivity_hint) = match (view.sensitivity, view.frame.tier) {
        (Sensitivity::Normal, _) => ("normal", "one approval is enough"),
        (Sensitivity::Sensitive, Tier::Release) => ("sensitive", "two people must approve"),
        (Sensitivity::Sensitive, Tier::Explore) => ("sensitive", "two approvals in tier release"),
    };
    let tier_hint = match view.frame.tier {
        Tier::Explore => "one person may do everything",
        Tier::Release => "duties are separated",
    };
    let witnesses = view.tree.witnesses.len();
    let tree_hint = match witnesses {
        0 => "entries, self-attested".to_owned(),
        1 => "entries, 1 witness".to_owned(),
        more => format!("entries, {more} witnesses"),
    };
    html! {
        dl.facts.s12 aria-label="Key facts" {
            (fact("Files", &html! { (count(view.files)) }, "in the signed manifest"))
            (fact("Size", &html! { (amount) " " small { (unit) } }, &format!("{} bytes", count(view.bytes))))
            (fact("Sensitivity", &html! { (sensitivity) }, sensitivity_hint))
            (approvals_fact(view))
            (fact("Tier", &html! { (tier_word(view.frame.tier)) }, tier_hint))
            (fact("Tree size", &html! { (count(view.tree.size)) }, &tree_hint))
        }
    }
}

fn approvals_fact(view: &ModelVersionView) -> Markup {
    let given = u64::try_from(view.approved_by.len()).unwrap_or(u64::MAX);
    let hint = match view.approvals_needed.saturating_sub(given) {
        0 => "covering what it is today".to_owned(),
        missing => format!("{} still missing", count(missing)),
    };
    fact("Approvals", &html! { (count(given)) " " small { "of " (count(view.approvals_needed)) } }, &hint)
}

fn data_sets(view: &ModelVersionView) -> Markup {
    let list = &view.data_sets;
    html! {
        section.card.s12 aria-labelledby="data-sets" {
            h2 #data-sets { "Trained on" }
            p.hint { "Data sets that the declaration of origin names, and what checking them gave" }
            @if list.rows.is_empty() {
                (empty(Icon::Data, "No data set is named", &html! {
                    "The declaration of origin names none, so nothing here vouches for what this model learned from."
                }))
            } @else {
                table role="table" aria-labelledby="data-sets" {
                    (table_head(&[
                        "Data set", "Verdict", "#Checks", "#Blocking", "#Warnings", "#Parts", "#Rows", "Root", "Entry",
                    ]))
                    tbody role="rowgroup" { @for row in &list.rows { (data_set_row(&view.frame, row)) } }
                }
            }
            (pager(list, "data sets"))
        }
    }
}

fn data_set_row(frame: &Frame, row: &DataSetRow) -> Markup {
    html! {
        tr role="row" {
            th.break role="rowheader" scope="row" { (foreign(&row.version)) }
            (cell("Verdict", &verdict_pill(row.verdict)))
            (number_cell("Checks", &html! { (count(row.checks)) }))
            (number_cell("Blocking", &html! { span.bad[row.blocking > 0] { (count(row.blocking)) } }))
            (number_cell("Warnings", &html! { span.warn[row.warnings > 0] { (count(row.warnings)) } }))
            (number_cell("Parts", &html! { (count(row.parts)) }))
            (number_cell("Rows", &html! { (count(row.rows)) }))
            (cell("Root", &digest(&row.root)))
            (cell("Entry", &entry(frame, row.entry)))
        }
    }
}

fn commands(view: &ModelVersionView, reference: &str) -> Markup {
    let state = match view.state {
        VersionState::Approved => "",
        VersionState::Candidate => " --state candidate",
        VersionState::Lapsed => " --state any",
        VersionState::Retired => " --state retired",
        VersionState::Quarantined => " --state quarantined",
        VersionState::Revoked => " --state revoked",
    };
    let keys = if view.tree.development_keys { " --allow-development" } else { "" };
    let verify = format!("bartizan verify FILE --trust TRUST-FILE --of {reference}{state}{keys}");
    let commands = [
        ("Show this page’s facts", format!("bartizan model show {reference}")),
        ("Check signature and statements", format!("bartizan model verify {reference}")),
        ("Write the whole walk as one file", format!("bartizan prove {reference} --out FILE")),
        ("Check that file elsewhere, off line", verify),
    ];
    commands_card(&commands)
}

/// Ledger entries about something, as a line of time.
pub(super) fn changes_card(frame: &Frame, hint: &str, width: &str, list: &Paged<ChangeView>) -> Markup {
    html! {
        section class={ "card " (width) } aria-labelledby="changes" {
            h2 #changes { "What changed" }
            p.hint { (hint) }
            @if list.rows.is_empty() {
                (empty(Icon::Page, "Nothing yet", &html! { "No entry speaks of it." }))
            } @else {
                ol.timeline { @for change in &list.rows { (change_line(frame, change)) } }
            }
            (pager(list, "entries"))
        }
    }
}

fn change_line(frame: &Frame, change: &ChangeView) -> Markup {
    html! {
        li class=(tone_class(change.tone)) {
            (stacked_moment(&change.at))
            span.dot {}
            div {
                p.title { (foreign(&change.title)) }
                @if let Some(detail) = &change.detail { p { (foreign(detail)) } }
                p.by {
                    "entry " (entry(frame, change.entry))
                    @if let Some(by) = &change.by { " · " (foreign(by)) }
                }
            }
        }
    }
}

fn versions(view: &ModelVersionView) -> Markup {
    let list = &view.versions;
    html! {
        section.card aria-labelledby="versions" {
            h2 #versions { "Versions" }
            p.hint { "Of " (foreign(&view.model)) ", newest first" }
            @if list.rows.is_empty() {
                (empty(Icon::Cube, "No versions on this page", &html! { "Go back to the first page." }))
            } @else {
                table role="table" aria-labelledby="versions" {
                    (table_head(&["Version", "State", "Aliases", "Approvals", "Registered", "Entry"]))
                    tbody role="rowgroup" { @for row in &list.rows { (version_row(view, row)) } }
                }
            }
            (pager(list, "versions"))
        }
    }
}

fn version_row(view: &ModelVersionView, row: &VersionRow) -> Markup {
    let current = row.version == view.version;
    html! {
        tr.current[current] role="row" {
            th role="rowheader" scope="row" {
                a href=(version_path(&view.model, row.version)) aria-current=[current.then_some("page")] {
                    span.unseen { (view.model) ":" } (row.version)
                }
            }
            (cell("State", &state_pill(row.state)))
            (cell("Aliases", &html! {
                @if row.aliases.is_empty() { span.key { "none" } }
                @for alias in &row.aliases { (alias_pill(alias)) " " }
            }))
            (cell("Approvals", &html! { (count(row.approvals)) " of " (count(row.approvals_needed)) }))
            (cell("Registered", &moment(&row.registered_at)))
            (cell("Entry", &entry(&view.frame, row.entry)))
        }
    }
}
