//! A column on a page: what was found in it, its numbers, and how its values spread, beside those of a reference.

use maud::{Markup, html};

use super::super::gate::Gate;
use super::bins::{Binned, Numbers};
use super::chart::{self, About, bar};
use super::page::{counted, icon, named};
use super::shown::Frequent;
use crate::profile::render::{grouped, rounded, short};
use crate::profile::{ColumnProfile, ColumnType};
use crate::report::{cut, plain};
use crate::schema::ColumnRules;

/// Quantiles that are shown.
const QUANTILES: [(f64, &str); 5] =
    [(0.05, "5 %"), (0.25, "25 %"), (0.5, "median"), (0.75, "75 %"), (0.95, "95 %")];

/// A column and what is said of it.
pub(super) struct ColumnView<'a> {
    /// From 1; links lead to it.
    pub(super) place: usize,
    pub(super) name: &'a str,
    /// Absent when the file has no such column.
    pub(super) now: Option<&'a ColumnProfile>,
    pub(super) reference: Option<&'a ColumnProfile>,
    pub(super) rules: Option<&'a ColumnRules>,
    /// Class and words for each thing that was found.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// The card of a column.
pub(super) fn card(view: &ColumnView<'_>, gate: &Gate) -> Markup {
    let kind = view.now.or(view.reference).map(kind_of);
    html! {
        article.card.column id={ "c" (view.place) } {
            div.top {
                h3 { (named(view.name)) }
                @if let Some(kind) = kind { span.kind { (kind) } }
            }
            @for (class, words) in &view.notes {
                p.note.(class) { (icon(class)) span { (words) } }
            }
            @match view.now {
                Some(now) => (spread(view, now, gate)),
                None => p.empty { "The file has no such column." },
            }
        }
    }
}

fn spread(view: &ColumnView<'_>, now: &ColumnProfile, gate: &Gate) -> Markup {
    let sides: Vec<&ColumnProfile> = std::iter::once(now).chain(view.reference).collect();
    let withheld = sides.iter().find_map(|side| gate.withheld(side));
    let ordered: Option<Vec<Numbers>> = sides.iter().map(|side| Numbers::of(side)).collect();
    let whole = sides.iter().all(|side| matches!(side.column_type(), ColumnType::Integer | ColumnType::List));
    let column = plain(view.name);
    let bounds = view.rules.and_then(|rules| rules.range).map(|range| (range.min, range.max));
    let about = About { column: &column, id: view.place, bounds, broken: !view.notes.is_empty() };
    let binned = ordered.filter(|_| withheld.is_none()).and_then(|sides| Binned::of(&sides, whole));
    let in_order = now.column_type().is_number()
        || matches!(now.column_type(), ColumnType::Date | ColumnType::Timestamp | ColumnType::List);
    html! {
        @if let (Some(why), true) = (&withheld, in_order) {
            p.empty { (why) }
        } @else if let Some(binned) = &binned {
            figure {
                (chart::histogram(&about, binned))
                (chart::table(binned, &column))
            }
        } @else if now.kinds().total() == 0 {
            p.empty { "No row has a value." }
        } @else if in_order {
            p.empty { "Only the first and the last are known of so many different ones." }
        } @else {
            (frequent(view, now, gate))
        }
        (numbers(&sides, withheld.is_some()))
    }
}

/// Frequent values, or shapes, as bars. The reference stands beside those that it has too.
fn frequent(view: &ColumnView<'_>, now: &ColumnProfile, gate: &Gate) -> Markup {
    let Frequent { values, others, shapes } = gate.frequent(now);
    let theirs = view.reference.map(|side| (gate.frequent(side), side.kinds().total()));
    let theirs = theirs.filter(|(frequent, _)| frequent.shapes == shapes);
    let all = now.kinds().total().max(1) as f64;
    let share_there = |value: &str| {
        theirs.as_ref().map(|(frequent, all)| {
            let count =
                frequent.values.iter().find(|(known, _)| known == value).map_or(0, |(_, count)| *count);
            count as f64 / (*all).max(1) as f64
        })
    };
    // A value that only the reference has is what one would want to see.
    let gone = theirs.iter().flat_map(|(frequent, _)| &frequent.values);
    let gone = gone.filter(|(value, _)| !values.iter().any(|(known, _)| known == value)).take(4);
    let lines: Vec<(&str, f64)> = values
        .iter()
        .map(|(value, count)| (value.as_str(), *count as f64 / all))
        .chain(gone.map(|(value, _)| (value.as_str(), 0.0)))
        .collect();
    // Text among values of another type: how many are of which comes first.
    let kinds = ColumnType::ALL.into_iter().zip(now.kinds().counts());
    let kinds: Vec<(&'static str, f64)> = kinds
        .filter(|(kind, count)| shapes && *kind != ColumnType::String && *count > 0)
        .map(|(kind, count)| (kind.name(), count as f64 / all))
        .collect();
    html! {
        @if lines.is_empty() && kinds.is_empty() { p.empty { "Its values are not shown." } }
        @else {
            table.values {
                caption { @if shapes { "Shapes of its text: letters are A and a, digits 9" } @else { "Values" } }
                thead.unseen { tr {
                    th scope="col" { @if shapes { "Shape" } @else { "Value" } }
                    th scope="col" { "Bar" }
                    th scope="col" { "This file" }
                    @if theirs.is_some() { th scope="col" { "Reference" } }
                } }
                tbody {
                    @for (kind, share) in &kinds {
                        tr {
                            th scope="row" { i { (kind) } }
                            td.line { (bar(*share, None)) }
                            td.num { (chart::percent(*share)) }
                            @if theirs.is_some() { td {} }
                        }
                    }
                    @for (value, share) in &lines {
                        @let there = share_there(value);
                        tr {
                            th scope="row" { (value_of(value)) }
                            td.line { (bar(*share, there)) }
                            td.num { (chart::percent(*share)) }
                            @if let Some(there) = there { td.num.ref { (chart::percent(there)) } }
                        }
                    }
                }
            }
            @if others.0 > 0 {
                p.more { (counted(others.0, "other", "others")) ", in " (chart::percent(others.1 as f64 / all)) " of the values" }
            } @else if shapes && others.1 > 0 {
                p.more { "Other shapes in " (chart::percent(others.1 as f64 / all)) " of the values" }
            }
        }
    }
}

fn value_of(value: &str) -> Markup {
    html! { bdi { @if value.is_empty() { i { "empty" } } @else { (cut(value, 40)) } } }
}

fn kind_of(column: &ColumnProfile) -> &'static str {
    if column.kinds().total() == 0 { "no values" } else { column.column_type().name() }
}

/// What sums a column up, for each side.
fn numbers(sides: &[&ColumnProfile], hidden: bool) -> Markup {
    let described: Vec<Vec<(&'static str, String)>> =
        sides.iter().map(|side| described(side, hidden)).collect();
    let mut names: Vec<&'static str> = Vec::new();
    for (name, _) in described.iter().flatten() {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let of = |side: &[(&'static str, String)], name: &str| {
        side.iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| "–".to_owned(), |(_, value)| value.clone())
    };
    html! {
        dl.numbers.wide[described.iter().flatten().any(|(_, value)| value.chars().count() > 9)] {
            @for name in names {
                div {
                    dt { (name) }
                    @for (place, side) in described.iter().enumerate() {
                        dd.ref[place == 1] {
                            @if place == 1 { span.unseen { "reference " } }
                            (of(side, name))
                        }
                    }
                }
            }
        }
    }
}

fn described(column: &ColumnProfile, hidden: bool) -> Vec<(&'static str, String)> {
    let mut said = vec![("missing", share(column.nulls(), column.count()))];
    if column.column_type() != ColumnType::List {
        said.push(("distinct", distinct(column)));
    }
    if hidden {
        return said;
    }
    let range = column.range().map(|(least, greatest)| (extreme(&least), extreme(&greatest)));
    let is_number = column.column_type().is_number() || column.column_type() == ColumnType::List;
    let view = column.quantiles().and_then(|sketch| sketch.view()).filter(|_| is_number);
    let ends =
        range.or_else(|| view.as_ref().map(|view| (short(view.quantile(0.0)), short(view.quantile(1.0)))));
    let (first, last) = if is_number { ("min", "max") } else { ("first", "last") };
    if let Some((least, _)) = &ends {
        said.push((first, least.clone()));
    }
    if let Some(view) = &view {
        let whole = column.column_type() == ColumnType::Integer;
        said.extend(QUANTILES.iter().map(|(q, name)| (*name, number(view.quantile(*q), whole))));
    }
    if let Some((_, greatest)) = ends {
        said.push((last, greatest));
    }
    let (positive, negative) = column.infinities();
    if positive + negative > 0 {
        // Mean, deviation, quantiles and picture are of the others.
        said.push(("infinite", grouped(positive + negative)));
    }
    if let Some(moments) = column.moments().filter(|moments| is_number && moments.count() > 0) {
        said.extend(moments.mean().map(|mean| ("mean", short(mean))));
        said.extend(moments.sample_variance().map(|variance| ("std. dev.", short(variance.sqrt()))));
    }
    if let Some((shortest, longest)) =
        column.text_lengths().filter(|_| column.column_type() == ColumnType::String)
    {
        said.push((
            "characters",
            if shortest == longest {
                grouped(shortest)
            } else {
                format!("{} to {}", grouped(shortest), grouped(longest))
            },
        ));
    }
    said
}

/// A number of a column: all digits of whole ones, four of others.
fn number(number: f64, whole: bool) -> String {
    if whole && number.fract() == 0.0 && number.abs() < 1e15 { format!("{number}") } else { short(number) }
}

/// The end of a range: numbers with four digits, days and instants as they are.
fn extreme(text: &str) -> String {
    match text.parse::<f64>() {
        // All digits of a whole number fit; of others those beyond the fourth say little.
        Ok(number) if text.len() > 8 && (text.len() > 16 || text.contains('.')) => short(number),
        _ => plain(text),
    }
}

pub(super) fn distinct(column: &ColumnProfile) -> String {
    match (column.distinct(), column.distinct_estimate()) {
        (Some(exact), _) => grouped(exact as u64),
        (None, Some(about)) => format!("~{}", rounded(about)),
        (None, None) => "?".to_owned(),
    }
}

pub(super) fn share(part: u64, all: u64) -> String {
    crate::profile::render::percent(part, all)
}

/// A line of the table of columns that have no card.
pub(super) fn line(view: &ColumnView<'_>, gate: &Gate) -> Markup {
    let said = view.now.map(|now| described(now, gate.withheld(now).is_some())).unwrap_or_default();
    let of =
        |name: &str| said.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
    html! {
        tr id={ "c" (view.place) } {
            th scope="row" { (named(view.name)) }
            td data-label="Type" { (view.now.map_or("absent", kind_of)) }
            td.num data-label="Missing" { (of("missing")) }
            td.num data-label="Distinct" { (of("distinct")) }
            td.num data-label="Least" { (of("min")) (of("first")) }
            td.num data-label="Median" { (of("median")) }
            td.num data-label="Greatest" { (of("max")) (of("last")) }
        }
    }
}
