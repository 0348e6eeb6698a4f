//! The chain of evidence as a picture: an overview in one line, then every statement on a rail.

use maud::{Markup, html};

use super::format::{counted, digest, entry, foreign, foreign_list, moment};
use super::icons::{Evidence, Icon};
use super::page::{pill, tone_class};
use super::view::{ChainLink, ChainStep, ChainView, Frame, Mark, Tone, TreeView};

/// How many statements of one step are shown before the rest is folded away.
const UNFOLDED: usize = 4;

/// A step with what the page itself knows about it.
struct Step<'a> {
    id: &'static str,
    name: &'static str,
    icon: Icon,
    /// What stands in the overview when the step is empty.
    absent: &'static str,
    /// What that means.
    missing: &'static str,
    given: &'a ChainStep,
}

impl Step<'_> {
    /// As good as its worst link; `None` when it has none.
    fn tone(&self) -> Option<Tone> {
        self.given.links.iter().map(|link| link.tone).max()
    }

    fn class(&self) -> &'static str {
        self.tone().map_or("missing", tone_class)
    }

    fn evidence(&self) -> Evidence {
        evidence(self.given.links.iter().flat_map(|link| &link.marks))
    }
}

fn steps(chain: &ChainView) -> [Step<'_>; 7] {
    [
        Step {
            id: "chain-sources",
            name: "Sources",
            icon: Icon::Inbox,
            absent: "unknown",
            missing: "No delivery of data is known, so nobody can say whose data the model learned from.",
            given: &chain.sources,
        },
        Step {
            id: "chain-checks",
            name: "Data check",
            icon: Icon::Data,
            absent: "none named",
            missing: "No checked data set is named, so nothing vouches for what the model learned from.",
            given: &chain.checks,
        },
        Step {
            id: "chain-origin",
            name: "Origin",
            icon: Icon::Pen,
            absent: "not declared",
            missing: "No origin is declared.",
            given: &chain.origin,
        },
        Step {
            id: "chain-signature",
            name: "Signature",
            icon: Icon::Seal,
            absent: "not signed",
            missing: "The manifest is not signed.",
            given: &chain.signature,
        },
        Step {
            id: "chain-version",
            name: "Version",
            icon: Icon::Cube,
            absent: "not registered",
            missing: "The version is not registered.",
            given: &chain.version,
        },
        Step {
            id: "chain-approvals",
            name: "Approvals",
            icon: Icon::People,
            absent: "none",
            missing: "No approval covers this manifest, its evidence and the policy in force.",
            given: &chain.approvals,
        },
        Step {
            id: "chain-state",
            name: "State",
            icon: Icon::Flag,
            absent: "unknown",
            missing: "No statement gives the version a state.",
            given: &chain.state,
        },
    ]
}

fn evidence<'a>(marks: impl Iterator<Item = &'a Mark>) -> Evidence {
    let (mut proven, mut asserted) = (false, false);
    for mark in marks {
        match mark {
            Mark::Proven { .. } => proven = true,
            Mark::Asserted { .. } => asserted = true,
        }
    }
    match (proven, asserted) {
        (true, false) => Evidence::Proven,
        (true, true) => Evidence::Both,
        (false, true) => Evidence::Asserted,
        (false, false) => Evidence::Missing,
    }
}

/// The card with the chain of evidence of `subject`.
pub(crate) fn chain_card(frame: &Frame, subject: &str, chain: &ChainView, tree: &TreeView) -> Markup {
    let steps = steps(chain);
    html! {
        section.card.s12.chain aria-labelledby="chain" {
            div.cardhead {
                div {
                    h2 #chain { "Chain of evidence" }
                    p.hint { "How " (foreign(subject)) " came to be what it is, from its data to its state" }
                }
                (health(&steps))
            }
            (overview(&steps))
            ol.rail {
                @for step in &steps { (rail_step(frame, step)) }
            }
            (legend())
            (standing_of_the_log(tree))
        }
    }
}

fn health(steps: &[Step<'_>; 7]) -> Markup {
    let [before @ .., state] = steps;
    let stopped = state.tone() == Some(Tone::Bad);
    let count_of = |wanted: Option<Tone>| {
        let found = before.iter().filter(|step| step.tone() == wanted).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    let (missing, bad, warn) = (count_of(None), count_of(Some(Tone::Bad)), count_of(Some(Tone::Warn)));
    html! {
        p.pills {
            @if stopped { (pill("bad", Icon::Pause, "stopped")) }
            @if bad > 0 { (pill("bad", Icon::Cross, &format!("{} broken", counted(bad, "step", "steps")))) }
            @if missing > 0 {
                (pill("warn", Icon::Alert, &format!("{} missing", counted(missing, "step", "steps"))))
            }
            @if warn > 0 { (pill("warn", Icon::Alert, &format!("{} to look at", counted(warn, "step", "steps")))) }
            @if !stopped && bad + missing + warn == 0 { (pill("ok", Icon::Tick, "unbroken")) }
        }
    }
}

fn overview(steps: &[Step<'_>]) -> Markup {
    html! {
        nav.strip aria-label="Steps of the chain" {
            ol {
                @for step in steps {
                    li class=(step.class()) {
                        a href={ "#" (step.id) } {
                            span.node { (step.icon.svg()) }
                            span.name { (step.name) }
                            span.summary {
                                @if step.given.links.is_empty() { (step.absent) }
                                @else { (foreign(&step.given.summary)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn rail_step(frame: &Frame, step: &Step<'_>) -> Markup {
    let links = &step.given.links;
    let (shown, folded) = links.split_at(links.len().min(UNFOLDED));
    html! {
        li id=(step.id) class={ "step " (step.class()) } {
            h3 { (step.evidence().disc()) (step.name) }
            div.links {
                @if links.is_empty() { p.gap { (step.missing) } }
                @for link in shown { (rail_link(frame, link)) }
                @if !folded.is_empty() {
                    details {
                        summary { (folded.len()) " more" }
                        @for link in folded { (rail_link(frame, link)) }
                    }
                }
            }
        }
    }
}

fn rail_link(frame: &Frame, link: &ChainLink) -> Markup {
    html! {
        div class={ "link " (tone_class(link.tone)) } {
            div.what {
                p.title { (foreign(&link.title)) }
                @if let Some(detail) = &link.detail { p { (foreign(detail)) } }
            }
            div.record {
                p {
                    @if let Some(index) = link.entry { span.unseen { "entry " } (entry(frame, index)) }
                    @if link.entry.is_some() && link.at.is_some() { " · " }
                    @if let Some(at) = &link.at { (moment(at)) }
                }
                @if let Some(by) = &link.by { p { span.key { "by " } (foreign(by)) } }
            }
            dl.digests {
                @for one in &link.digests { div { dt { (foreign(&one.of)) } dd { (digest(&one.digest)) } } }
            }
            ul.marks { @for mark in &link.marks { (mark_line(mark)) } }
        }
    }
}

fn mark_line(mark: &Mark) -> Markup {
    html! {
        @match mark {
            Mark::Proven { what } => li {
                (Evidence::Proven.disc()) span { strong { "Proven" } ": " (foreign(what)) }
            },
            Mark::Asserted { by, what } => li {
                (Evidence::Asserted.disc())
                span { strong { "Asserted" } " by " (foreign(by)) ": " (foreign(what)) }
            },
        }
    }
}

fn legend() -> Markup {
    let words = [
        (Evidence::Proven, "proven by bytes and signatures"),
        (Evidence::Asserted, "asserted by whoever is named"),
        (Evidence::Both, "partly the one, partly the other"),
        (Evidence::Missing, "nothing recorded"),
    ];
    html! {
        ul.legend aria-label="Legend" {
            @for (evidence, text) in words { li { (evidence.disc()) (text) } }
        }
    }
}

fn standing_of_the_log(tree: &TreeView) -> Markup {
    html! {
        @if tree.witnesses.is_empty() {
            p.notice.warn {
                (Icon::Alert.svg())
                span {
                    strong { "Self-attested: the operator could have rewritten history." }
                    " No witness has cosigned this ledger, so the order of its entries and every time in it rest \
                     on the word of this server."
                }
            }
        } @else {
            p.notice.ok {
                (Icon::Tick.svg())
                span {
                    strong { "Witnessed" } " by " (foreign_list(&tree.witnesses))
                    @if let Some(at) = &tree.witnessed_at { ", at " (moment(at)) " at the latest" }
                    ". Times of single entries are what their writers’ clocks assert."
                }
            }
        }
        @if tree.development_keys {
            p.notice.warn {
                (Icon::Lock.svg())
                span {
                    strong { "Development keys." }
                    " The project’s root key lies unprotected on this machine: whoever could read it could have \
                     signed all of this, and " code { "bartizan verify" } " refuses it unless told otherwise."
                }
            }
        }
    }
}
