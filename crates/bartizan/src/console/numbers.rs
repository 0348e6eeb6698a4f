//! The numbers of an endpoint: four stats, the requests and latencies of the last hour, and what came of all.

use maud::{Markup, html};

use super::chart::{
    COLUMNS, HEIGHT, LEFT, SHADES, SPARK_BOX, TOP, VIEW_BOX, bars, heat, latency_height, line, middle,
    round_up, share_bar, spark, tenths,
};
use super::format::{count, duration, moment, time_of_day};
use super::live::Values;
use super::page::tone_class;
use super::view::endpoint::{MinuteView, NumbersView};

/// The columns below which a time stands.
const TIMES: [(&str, u64); 5] = [("t0", 0), ("t1", 15), ("t2", 30), ("t3", 45), ("t4", 59)];
/// The latencies beside which a word stands.
const LATENCIES: [(&str, u64); 6] = [
    ("1 ms", 1_024),
    ("4 ms", 4_096),
    ("16 ms", 16_384),
    ("65 ms", 65_536),
    ("262 ms", 262_144),
    ("1 s", 1_048_576),
];
/// The classes of requests: key, word, style.
const CLASSES: [(&str, &str, &str); 4] = [
    ("bars-answered", "answered", "c-answered"),
    ("bars-instead", "answered instead", "c-instead"),
    ("bars-refused", "refused", "c-refused"),
    ("bars-failed", "failed", "c-failed"),
];

/// Everything on the page that changes by itself.
pub(crate) fn values(view: &NumbersView) -> Values {
    let mut values = Values::default();
    values.put("as-of", time_of_day(&view.as_of));
    values.put("under-way", count(view.under_way));
    stats(view, &mut values);
    requests(view, &mut values);
    latency(view, &mut values);
    let all: u64 = view.outcomes.iter().map(|outcome| outcome.count).sum();
    for outcome in &view.outcomes {
        values.put(format!("count-{}", outcome.key), count(outcome.count));
        values.put(format!("share-{}", outcome.key), share_bar(outcome.count, all));
    }
    values.put("flagged", count(view.flagged));
    for (key, column) in TIMES {
        let minute = usize::try_from(column).ok().and_then(|column| view.minutes.get(column));
        values.put(key, minute.map(|minute| minute.at.clone()).unwrap_or_default());
    }
    values
}

fn stats(view: &NumbersView, values: &mut Values) {
    let class =
        |class: usize| move |minute: &MinuteView| minute.classes.get(class).copied().unwrap_or_default();
    let series = |of: &dyn Fn(&MinuteView) -> u64| view.minutes.iter().map(of).collect::<Vec<u64>>();
    let sum = |of: &dyn Fn(&MinuteView) -> u64| view.minutes.iter().map(of).sum::<u64>();
    let all = |minute: &MinuteView| minute.classes.iter().sum::<u64>();
    let hour = sum(&all);
    let per_second = view.last_minute * 100 / 60;
    values.put("rate", decimal(per_second));
    values.put("rate-more", format!("{} in the last hour", count(hour)));
    values.put("rate-spark", spark(&series(&all)));
    for (key, number) in [("instead", 1), ("failed", 3)] {
        let part = sum(&class(number));
        let share = u64::try_from(u128::from(part) * 10_000 / u128::from(hour.max(1))).unwrap_or_default();
        values.put(key, decimal(share));
        values.put(format!("{key}-more"), format!("{} of the last hour", count(part)));
        values.put(format!("{key}-spark"), spark(&series(&class(number))));
    }
    let [p50, p95, p99] = view.latency.map(|micros| micros.map(duration));
    let written = |told: Option<(String, &str)>| {
        told.map_or_else(|| "–".to_owned(), |(amount, unit)| format!("{amount} {unit}"))
    };
    let (amount, unit) = p99.unwrap_or_else(|| ("–".to_owned(), ""));
    values.put("p99", amount);
    values.put("p99-unit", unit);
    values.put("p99-more", format!("p50 {}, p95 {}", written(p50), written(p95)));
    values.put("p99-spark", spark(&series(&|minute: &MinuteView| minute.p99.unwrap_or_default())));
}

/// Hundredths, with as many decimals as are worth reading.
fn decimal(hundredths: u64) -> String {
    match hundredths {
        10_000.. => count(hundredths / 100),
        1_000.. => format!("{}.{}", hundredths / 100, hundredths % 100 / 10),
        _ => format!("{}.{:02}", hundredths / 100, hundredths % 100),
    }
}

fn requests(view: &NumbersView, values: &mut Values) {
    let most = view.minutes.iter().map(|minute| minute.classes.iter().sum()).max().unwrap_or_default();
    let full = round_up(most);
    for (class, (key, _, _)) in CLASSES.iter().enumerate() {
        values.put(*key, bars(&view.minutes, class, full));
    }
    values.put("y-half", count(full / 2));
    values.put("y-full", count(full));
    values.put(
        "requests-label",
        format!("Requests in each of the last 60 minutes; at most {} in one of them", count(most)),
    );
}

fn latency(view: &NumbersView, values: &mut Values) {
    for (shade, path) in heat(&view.minutes).into_iter().enumerate() {
        values.put(format!("heat-{shade}"), path);
    }
    let heights = |of: fn(&MinuteView) -> Option<u64>| {
        line(view.minutes.iter().map(|minute| of(minute).map(latency_height)))
    };
    values.put("line-p50", heights(|minute| minute.p50));
    values.put("line-p99", heights(|minute| minute.p99));
    let [p50, _, p99] = view.latency.map(|micros| match micros.map(duration) {
        Some((amount, unit)) => format!("{amount} {unit}"),
        None => "unknown".to_owned(),
    });
    values.put(
        "latency-label",
        format!("How long answers took in each of the last 60 minutes; over the hour p50 {p50}, p99 {p99}"),
    );
}

/// Four numbers, each with its last hour as a small line.
pub(super) fn stat_cards(values: &Values) -> Markup {
    let stat = |name: &str, key: &str, unit: &Markup, class: &str| {
        html! {
            div.card.stat {
                dt { (name) }
                dd.row {
                    div {
                        div.value { (values.text(key)) " " small { (unit) } }
                        div.more { (values.text(&format!("{}-more", key))) }
                    }
                    svg.spark viewBox=(SPARK_BOX) aria-hidden="true" focusable="false" {
                        (values.path(&format!("{key}-spark"), class))
                    }
                }
            }
        }
    };
    html! {
        dl.facts.four.s12 aria-label="Now" {
            (stat("Requests", "rate", &html! { "per second" }, "ln l1"))
            (stat("Answered instead", "instead", &html! { "%" }, "ln l2"))
            (stat("Failed", "failed", &html! { "%" }, "ln l4"))
            (stat("Latency p99", "p99", &values.text("p99-unit"), "ln l1"))
        }
    }
}

/// The requests of the last hour.
pub(super) fn requests_card(values: &Values) -> Markup {
    let chart = html! {
        (horizontal(TOP)) (horizontal(TOP + HEIGHT / 2)) (axis())
        (values.label("y-full", "y", "50", &tenths(TOP + 36)))
        (values.label("y-half", "y", "50", &tenths(TOP + HEIGHT / 2 + 36)))
        text.y x="50" y=(tenths(TOP + HEIGHT + 36)) { "0" }
        @for (key, _, class) in CLASSES { (values.path(key, class)) }
        (times(values))
    };
    html! {
        section.card aria-labelledby="requests" {
            h2 #requests { "Requests" }
            p.hint { "In each of the last 60 minutes, by how they ended" }
            (values.chart("requests-label", VIEW_BOX, &chart))
            ul.swatches {
                @for (_, label, class) in CLASSES {
                    li { svg.swatch viewBox="0 0 10 10" aria-hidden="true" focusable="false" { path class=(class) d="M0 0h10v10H0z" {} } (label) }
                }
            }
        }
    }
}

/// The latencies of the last hour.
pub(super) fn latency_card(values: &Values) -> Markup {
    let chart = html! {
        @for (label, micros) in LATENCIES {
            @let height = latency_height(micros);
            (horizontal(height))
            @let class = if micros.ilog2() % 4 == 2 { "y" } else { "y minor" };
            text class=(class) x="50" y=(tenths(height + 36)) { (label) }
        }
        (axis())
        @for shade in 0..SHADES { (values.path(&format!("heat-{shade}"), &format!("h{shade}"))) }
        (values.path("line-p50", "ln l3"))
        (values.path("line-p99", "ln l2"))
        (times(values))
    };
    html! {
        section.card aria-labelledby="latency" {
            h2 #latency { "Latency" }
            p.hint { "How long answers took, minute by minute, on a logarithmic scale" }
            (values.chart("latency-label", VIEW_BOX, &chart))
            ul.swatches {
                @for (label, class) in [("p99", "ln l2"), ("p50", "ln l3")] {
                    li { svg.swatch.wide viewBox="0 0 16 10" aria-hidden="true" focusable="false" { path class=(class) d="M1 5h14" {} } (label) }
                }
                li {
                    svg.swatch.wide viewBox="0 0 30 10" aria-hidden="true" focusable="false" {
                        path.h1 d="M0 0h9v10H0z" {} path.h3 d="M10 0h9v10h-9z" {} path.h5 d="M20 0h9v10h-9z" {}
                    }
                    "fewer to more requests"
                }
            }
        }
    }
}

/// What came of all requests.
pub(super) fn outcomes_card(view: &NumbersView, values: &Values) -> Markup {
    html! {
        section.card aria-labelledby="outcomes" {
            h2 #outcomes { "What came of them" }
            p.hint { "Since the server started, " (moment(&view.since)) }
            dl.outcomes {
                @for outcome in &view.outcomes {
                    div class=(tone_class(outcome.tone)) {
                        dt { (outcome.label) }
                        dd {
                            svg.share viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                                path.track d="M0 0h100v6H0z" {}
                                (values.path(&format!("share-{}", outcome.key), "part"))
                            }
                            (values.text(&format!("count-{}", outcome.key)))
                        }
                    }
                }
            }
            p.note { (values.text("flagged")) " answered although values were unlike those of training" }
        }
    }
}

fn horizontal(height: u64) -> Markup {
    let (x, y) = (tenths(LEFT), tenths(height));
    html! { path.gl d={ "M" (x) " " (y) "H598" } {} }
}

fn axis() -> Markup {
    let (x, y) = (tenths(LEFT), tenths(TOP + HEIGHT));
    html! { path.ax d={ "M" (x) " " (y) "H598" } {} }
}

fn times(values: &Values) -> Markup {
    html! {
        @for (key, column) in TIMES {
            @let class = if column == COLUMNS - 1 { "x last" } else if column % 30 == 15 { "x minor" } else { "x" };
            (values.label(key, class, &tenths(middle(column)), "196"))
        }
    }
}
