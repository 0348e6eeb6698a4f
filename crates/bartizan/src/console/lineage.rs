//! The page of lineage: a walk as a picture and as a list, or where one can begin.

use maud::{Markup, html};

use super::format::{counted, entry, foreign, local_href};
use super::icons::Icon;
use super::page::{Place, Position, cell, empty, framed, number_cell, pager, pill, table_head, tone_class};
use super::view::lineage::{LineageNode, LineageStart, LineageView, LineageWalk};
use super::view::{Frame, Tone};

/// Things in the picture; the list has all of them.
const DRAWN: usize = 60;
/// The grid of the picture, and what of it a box takes.
const COLUMN: usize = 150;
const ROW: usize = 44;
const BOX: (usize, usize) = (112, 28);

/// Where things come from, or what came of them.
pub(crate) fn lineage_page(view: &LineageView) -> Markup {
    let content = match &view.walk {
        Some(walk) => walked(&view.frame, walk),
        None => beginnings(view),
    };
    framed(
        &view.frame,
        &Position { title: "Lineage", place: Place::Lineage, exact: view.walk.is_none() },
        &content,
    )
}

fn beginnings(view: &LineageView) -> Markup {
    html! {
        div.head { h1 { "Lineage" } }
        p.sub { "What things came from, what came of them, and which statement says so" }
        section.card aria-label="Where to begin" {
            @if view.starts.is_empty() {
                (empty(Icon::Flag, "Nothing to begin from", &html! {
                    "Name who delivers data with " code { "bartizan data source add" } ", or add some with "
                    code { "bartizan data add" } "."
                }))
            } @else {
                table role="table" aria-label="Where to begin" {
                    (table_head(&["Thing", "Kind", "Came from", "Came of it"]))
                    tbody role="rowgroup" { @for start in &view.starts { (beginning(start)) } }
                }
            }
        }
        p.aside {
            "Any thing on the command line: " code { "bartizan lineage up THING" } ", " code { "bartizan lineage down THING" }
            ". Which models saw a source: " code { "bartizan lineage impact --source NAME --since DAY --until DAY" } "."
        }
    }
}

fn beginning(start: &LineageStart) -> Markup {
    let way = |href: &Option<String>, words: &str| {
        let href = href.as_deref().and_then(local_href).map(str::to_owned);
        html! { @match href { Some(href) => a href=(href) { (words) }, None => span.key { "nothing" } } }
    };
    html! {
        tr role="row" {
            th.break role="rowheader" scope="row" { (foreign(&start.name)) }
            (cell("Kind", &html! { (start.kind) }))
            (cell("Came from", &way(&start.up, "up")))
            (cell("Came of it", &way(&start.down, "down")))
        }
    }
}

fn walked(frame: &Frame, walk: &LineageWalk) -> Markup {
    let (title, other, verb) = if walk.upwards {
        ("What it came from", "What came of it", "up")
    } else {
        ("What came of it", "What it came from", "down")
    };
    let others = walk.nodes.total.saturating_sub(1);
    html! {
        p.crumb { a href="/lineage" { "Lineage" } }
        div.head {
            h1.break { (foreign(&walk.of)) }
            @if let Some(href) = local_href(&walk.turned) { a.btn href=(href) { (other) } }
        }
        p.sub { (title) ": " (counted(others, "other thing", "other things")) @if walk.cut { ", and there may be more" } }
        section.card aria-labelledby="picture" {
            h2 #picture { "Picture" }
            p.hint { "Left to right, as things came of each other. Numbers are those of the list; dashed: somebody's word." }
            (picture(walk))
        }
        section.card aria-labelledby="things" {
            h2 #things { "List" }
            table role="table" aria-label="Things" {
                (table_head(&["#No.", "Thing", "Kind", "Standing", "How", "#Steps", "Entry"]))
                tbody role="rowgroup" {
                    @for (at, node) in walk.nodes.rows.iter().enumerate() { (thing(frame, at, node)) }
                }
            }
            (pager(&walk.nodes, "things"))
        }
        p.aside { "The same on the command line: " code { "bartizan lineage " (verb) " " (foreign(&walk.thing)) } }
    }
}

fn thing(frame: &Frame, at: usize, node: &LineageNode) -> Markup {
    let href = node.href.as_deref().and_then(local_href);
    html! {
        tr role="row" {
            (number_cell("No.", &html! { (at.saturating_add(1)) }))
            th.break role="rowheader" scope="row" {
                @match href { Some(href) => a href=(href) { (foreign(&node.name)) }, None => (foreign(&node.name)) }
            }
            (cell("Kind", &html! { (node.kind) }))
            (cell("Standing", &html! {
                @match &node.standing {
                    Some((word, tone)) => (standing(word, *tone)),
                    None => span.key { "none" },
                }
            }))
            (cell("How", &html! {
                @match node.over {
                    Some((relation, true)) => { (relation) " (proven)" },
                    Some((relation, false)) => { (relation) " (asserted)" },
                    None => span.key { "begins here" },
                }
            }))
            (number_cell("Steps", &html! { (node.depth) }))
            (cell("Entry", &html! {
                @match node.entry { Some(index) => (entry(frame, index)), None => span.key { "none" } }
            }))
        }
    }
}

fn standing(word: &str, tone: Tone) -> Markup {
    let icon = match tone {
        Tone::Neutral => Icon::Ring,
        Tone::Ok => Icon::Tick,
        Tone::Warn => Icon::Alert,
        Tone::Bad => Icon::Cross,
    };
    pill(tone_class(tone), icon, word)
}

/// The nearest things as boxes in columns, one for each step, with lines between them.
fn picture(walk: &LineageWalk) -> Markup {
    let drawn: Vec<&LineageNode> = walk.nodes.rows.iter().take(DRAWN).collect();
    let depths = drawn.iter().map(|node| node.depth);
    let (near, far) = (depths.clone().min().unwrap_or(0), depths.max().unwrap_or(0));
    let mut filled = vec![0_usize; far.saturating_sub(near).saturating_add(1)];
    let mut places = Vec::with_capacity(drawn.len());
    for node in &drawn {
        let step = node.depth.saturating_sub(near);
        let column = if walk.upwards { far.saturating_sub(near).saturating_sub(step) } else { step };
        let row = filled.get_mut(step).map_or(0, |rows| {
            *rows = rows.saturating_add(1);
            rows.saturating_sub(1)
        });
        places.push((column.saturating_mul(COLUMN), row.saturating_mul(ROW).saturating_add(8)));
    }
    let width = filled.len().saturating_mul(COLUMN).saturating_sub(COLUMN - BOX.0);
    let height = filled.iter().max().copied().unwrap_or(1).saturating_mul(ROW);
    let lines = walk.edges.iter().filter_map(|(from, to, proven)| {
        let ((from_x, from_y), (to_x, to_y)) = (places.get(*from)?, places.get(*to)?);
        let middle = BOX.1 / 2;
        Some((
            from_x.saturating_add(BOX.0),
            from_y.saturating_add(middle),
            *to_x,
            to_y.saturating_add(middle),
            *proven,
        ))
    });
    html! {
        div.scroll tabindex="0" role="group" aria-label="Picture of the list below" {
            svg.graph width=(width.saturating_add(4)) height=(height) viewBox={ "-2 0 " (width.saturating_add(4)) " " (height) }
                role="img" aria-label={ (drawn.len()) " things in " (filled.len()) " columns; the list below says the same" } {
                @for (x1, y1, x2, y2, proven) in lines {
                    line.word[!proven] x1=(x1) y1=(y1) x2=(x2) y2=(y2) {}
                }
                @for (at, (node, (x, y))) in drawn.iter().zip(&places).enumerate() {
                    @let tone = node.standing.as_ref().map_or(Tone::Neutral, |(_, tone)| *tone);
                    g class=(tone_class(tone)) {
                        rect x=(x) y=(y) width=(BOX.0) height=(BOX.1) rx="6" {}
                        text x=(x.saturating_add(8)) y=(y.saturating_add(18)) { (at.saturating_add(1)) " " (node.kind) }
                    }
                }
            }
        }
        @if walk.nodes.rows.len() > drawn.len() {
            p.hint { "The picture shows the nearest " (drawn.len()) "." }
        }
    }
}
