//! Charts: distributions as SVG, each with words and a table for those who do not see it.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::bins::{Binned, Shares, round_step};
use crate::profile::render::{grouped, short};
use crate::text;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 172.0;
const LEFT: f64 = 42.0;
const RIGHT: f64 = 474.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 144.0;
/// Bars of tails stand apart by so many bins.
const GAP: f64 = 0.6;
/// A bar at most.
const WIDEST: f64 = 96.0;
/// Edges with a label, about.
const LABELS: f64 = 5.0;

/// What a chart is about.
pub(super) struct About<'a> {
    /// The column, ready to be shown.
    pub(super) column: &'a str,
    /// A number that no other chart of the page has.
    pub(super) id: usize,
    /// The numbers that the schema allows.
    pub(super) bounds: Option<(f64, f64)>,
    /// Whether some lie outside.
    pub(super) broken: bool,
}

/// Where bins lie.
struct Scale<'a> {
    binned: &'a Binned,
    start: f64,
    width: f64,
    top: f64,
}

impl<'a> Scale<'a> {
    fn new(binned: &'a Binned) -> Self {
        let bins = binned.edges.len().saturating_sub(1) as f64;
        let (below, above) = binned.tails();
        let slots = bins + if below { 1.0 + GAP } else { 0.0 } + if above { 1.0 + GAP } else { 0.0 };
        // Few bars are no broader than they need to be, and stand in the middle.
        let width = ((RIGHT - LEFT) / slots.max(1.0)).min(WIDEST);
        let start =
            f64::midpoint(LEFT, RIGHT) - slots * width / 2.0 + if below { width * (1.0 + GAP) } else { 0.0 };
        Self { binned, start, width, top: round_up(binned.most()) }
    }

    fn x(&self, bin: f64) -> f64 {
        self.start + bin * self.width
    }

    /// Where a number lies; `None` outside of the edges.
    fn place(&self, number: f64) -> Option<f64> {
        let (first, last) = (*self.binned.edges.first()?, *self.binned.edges.last()?);
        let bins = self.binned.edges.len().saturating_sub(1) as f64;
        (first..=last).contains(&number).then(|| self.x((number - first) / (last - first) * bins))
    }

    fn height(&self, share: f64) -> f64 {
        let tall = share / self.top * (BOTTOM - TOP);
        // What is there at all is seen.
        if share > 0.0 { tall.max(1.0) } else { 0.0 }
    }

    /// The bars of one side of several.
    fn bars(&self, shares: &Shares, side: usize, sides: usize) -> String {
        let mut path = String::new();
        let bins = shares.bins.len() as f64;
        let tails = [(-1.0 - GAP, shares.below), (bins + GAP, shares.above)];
        let inner = (0_u32..).map(f64::from).zip(shares.bins.iter().copied());
        for (bin, share) in inner.chain(tails).filter(|(_, share)| *share > 0.0) {
            let pad = (self.width * 0.08).min(1.5);
            let wide = (self.width - 2.0 * pad) / sides as f64;
            let x = self.x(bin) + pad + wide * side as f64;
            let (tall, wide) = (self.height(share), (wide - if sides > 1 { 0.8 } else { 0.0 }).max(0.6));
            // Writing to memory does not fail.
            write!(path, "M{x:.1} {BOTTOM}v-{tall:.1}h{wide:.1}v{tall:.1}z").ok();
        }
        path
    }
}

/// The distribution of numbers: solid bars for the file, hollow ones beside them for the reference.
pub(super) fn histogram(about: &About<'_>, binned: &Binned) -> Markup {
    let scale = Scale::new(binned);
    let (below, above) = binned.tails();
    let bins = binned.edges.len().saturating_sub(1) as f64;
    let (title, desc) = (format!("t{}", about.id), format!("d{}", about.id));
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby={ (title) " " (desc) } {
            title id=(title) { "Distribution of " (about.column) }
            desc id=(desc) { (described(binned)) }
            @for part in [1.0, 0.5, 0.0] {
                @let y = BOTTOM - part * (BOTTOM - TOP);
                path class=(if part == 0.0 { "ax" } else { "gl" }) d={ "M" (LEFT) " " (coordinate(y)) "H" (RIGHT) } {}
                text.scale x=(LEFT - 6.0) y=(coordinate(y + 3.5)) { (percent(scale.top * part)) }
            }
            @for (side, shares) in binned.sides.iter().enumerate().rev() {
                @let sides = binned.sides.len();
                // The reference stands to the left of the file that is compared with it.
                @let place = sides - 1 - side;
                path class=(if side == 0 { "now" } else { "ref" }) d=(scale.bars(shares, place, sides)) {}
            }
            (limits(about, &scale))
            @for (x, label, minor) in ticks(&scale) {
                text.tick.minor[minor] x=(coordinate(x)) y=(BOTTOM + 17.0) { (label) }
            }
            @if below { text.tick x=(coordinate(scale.x(-0.5 - GAP))) y=(BOTTOM + 17.0) { "less" } }
            @if above { text.tick x=(coordinate(scale.x(bins + 0.5 + GAP))) y=(BOTTOM + 17.0) { "more" } }
        }
    }
}

/// Lines where the allowed numbers begin and end.
fn limits(about: &About<'_>, scale: &Scale<'_>) -> Markup {
    let Some((least, most)) = about.bounds else { return html! {} };
    // A whole number's bin reaches half of one further.
    let shift = if scale.binned.units { 0.5 } else { 0.0 };
    let (low, high) = (scale.place(least - shift), scale.place(most + shift));
    // Side by side the labels would lie on each other; then they stand outside of what they enclose.
    let close = matches!((low, high), (Some(low), Some(high)) if high - low < 170.0);
    let line = |x: f64, name: &str, to_the_right: bool| {
        let (x_of_text, anchor) = if to_the_right { (x + 4.0, "start") } else { (x - 4.0, "end") };
        let fits = if to_the_right { x_of_text + 76.0 < WIDTH } else { x_of_text - 76.0 > LEFT };
        html! {
            path.bound.broken[about.broken] d={ "M" (coordinate(x)) " " (TOP - 4.0) "V" (BOTTOM) } {}
            @if fits {
                text.bound.broken[about.broken] x=(coordinate(x_of_text)) y=(TOP + 4.0) text-anchor=(anchor) { (name) " allowed" }
            }
        }
    };
    html! {
        @if let Some(x) = low { (line(x, "min", !close)) }
        @if let Some(x) = high { (line(x, "max", close)) }
    }
}

/// Where labels stand, what they say, and whether one can be left away: at round numbers, few enough not to touch.
fn ticks(scale: &Scale<'_>) -> Vec<(f64, String, bool)> {
    let binned = scale.binned;
    let (below, above) = binned.tails();
    let (Some(first), Some(last)) = (binned.edges.first(), binned.edges.last()) else { return Vec::new() };
    let whole = binned.units || binned.days;
    let mut step = round_step((last - first) / LABELS, whole);
    // Long labels need more room.
    let widest = 6.4 * label(*last, step, binned.days).chars().count() as f64;
    let fit = ((RIGHT - LEFT) / (widest + 14.0)).floor().max(1.0);
    if fit < LABELS {
        step = round_step((last - first) / fit, whole);
    }
    let start = (first / step).ceil();
    let numbers = (0..12_u32).map(|at| (start + f64::from(at)) * step);
    let placed = numbers.filter_map(|number| scale.place(number).map(|x| (number, x)));
    let label_width = |text: &str| 6.4 * text.chars().count() as f64;
    let labelled = placed.map(|(number, x)| (x, label(number, step, binned.days)));
    // What would touch the label of a tail, or stick out, is left away.
    let (least, most) =
        (if below { LEFT + 34.0 } else { 0.0 }, if above { RIGHT - 34.0 } else { WIDTH + 6.0 });
    let clear = |(x, text): &(f64, String)| {
        let half = label_width(text) / 2.0;
        x - half >= least && x + half <= most
    };
    labelled.filter(clear).enumerate().map(|(at, (x, text))| (x, text, at % 2 == 1)).collect()
}

/// A number or a day, as an axis or a table says it: with the digits that tell it from one a step further.
fn label(number: f64, step: f64, days: bool) -> String {
    if days {
        return day(number);
    }
    let magnitude = number.abs().max(step);
    // Beyond sixteen digits a double has none that mean anything.
    let plain = magnitude < 1e15 && step >= 1e-9 && magnitude / step < 1e15;
    if !plain {
        return short(number);
    }
    let decimals = (0..10_u32).find(|decimals| {
        let scaled = step * 10_f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    });
    let text = format!("{:.*}", usize::try_from(decimals.unwrap_or(9)).unwrap_or(9), number + 0.0);
    let text = if text.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    };
    in_groups(&text)
}

/// Digits before the point in groups of three, where there are five or more.
fn in_groups(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let whole = match whole.parse::<u64>() {
        Ok(number) if whole.len() > 4 => grouped(number),
        _ => whole.to_owned(),
    };
    fraction.map_or_else(|| format!("{sign}{whole}"), |fraction| format!("{sign}{whole}.{fraction}"))
}

/// `2024-02-29`, of days since 1970.
pub(super) fn day(days: f64) -> String {
    let mut out = Vec::new();
    #[expect(clippy::cast_possible_truncation, reason = "converting a double to an integer saturates")]
    text::day(&mut out, (days.floor() as i64).clamp(-800_000, 3_000_000));
    String::from_utf8_lossy(&out).into_owned()
}

/// The bins as a table.
pub(super) fn table(binned: &Binned, column: &str) -> Markup {
    let name = |at: usize, shift: f64| {
        binned.edges.get(at).map_or_else(String::new, |edge| label(edge + shift, binned.step(), binned.days))
    };
    let last = binned.edges.len().saturating_sub(1);
    let (below, above) = binned.tails();
    let row = |what: String, share: fn(&Shares, usize) -> f64, at: usize| {
        html! {
            tr {
                th scope="row" { (what) }
                @for side in &binned.sides { td.num { (percent(share(side, at))) } }
            }
        }
    };
    html! {
        details.bins {
            summary { "As a table" span.unseen { ": " (column) } }
            table {
                thead { tr {
                    th scope="col" { @if binned.units { "Value" } @else { "From, up to" } }
                    th.num scope="col" { "This file" }
                    @if binned.sides.len() > 1 { th.num scope="col" { "Reference" } }
                } }
                tbody {
                    @if below { (row(format!("less than {}", name(0, 0.0)), |side, _| side.below, 0)) }
                    @for at in 0..last {
                        @let what = if binned.units { name(at, 0.5) } else { format!("{} to {}", name(at, 0.0), name(at + 1, 0.0)) };
                        (row(what, |side, at| side.bins.get(at).copied().unwrap_or(0.0), at))
                    }
                    @if above { (row(format!("more than {}", name(last, 0.0)), |side, _| side.above, 0)) }
                }
            }
        }
    }
}

/// What the chart shows, in words.
fn described(binned: &Binned) -> String {
    let fullest = |side: &Shares| {
        let most = side.bins.iter().copied().enumerate().max_by(|one, two| one.1.total_cmp(&two.1));
        most.map(|(at, share)| {
            let from = binned.edges.get(at).copied().unwrap_or(0.0);
            let to = binned.edges.get(at + 1).copied().unwrap_or(from);
            if binned.units {
                format!(
                    "most frequent {} with {}",
                    label(from + 0.5, binned.step(), binned.days),
                    percent(share)
                )
            } else {
                format!(
                    "most between {} and {} with {}",
                    label(from, binned.step(), binned.days),
                    label(to, binned.step(), binned.days),
                    percent(share)
                )
            }
        })
    };
    let names = ["This file: ", "Reference: "];
    let sides = binned.sides.iter().zip(names);
    let parts: Vec<String> =
        sides.filter_map(|(side, name)| fullest(side).map(|most| format!("{name}{most}."))).collect();
    format!("{} The table below has all bins.", parts.join(" "))
}

/// A bar as long as its share, with a hollow one for the reference.
pub(super) fn bar(now: f64, reference: Option<f64>) -> Markup {
    let wide = |share: f64| coordinate(share.clamp(0.0, 1.0) * 100.0);
    let tall = if reference.is_some() { 5.0 } else { 10.0 };
    html! {
        svg.bar viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            @if let Some(share) = reference { rect.ref x="0" y="0.5" width=(wide(share)) height="5" {} }
            rect.now x="0" y=(if reference.is_some() { 6.5 } else { 1.0 }) width=(wide(now)) height=(tall) {}
        }
    }
}

/// An effect as a bar, and the least that counts as a mark on it.
pub(super) fn gauge(share: f64, mark: f64, class: &'static str) -> Markup {
    let at = coordinate(mark.clamp(0.0, 1.0) * 100.0);
    html! {
        svg.bar viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.rail x="0" y="2" width="100" height="8" {}
            rect class=(class) x="0" y="2" width=(coordinate(share.clamp(0.0, 1.0) * 100.0)) height="8" {}
            path.mark d={ "M" (at) " 0V12" } {}
        }
    }
}

/// A tenth is as fine as it gets.
fn coordinate(at: f64) -> String {
    let text = format!("{at:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A share, with enough digits to tell it from nought.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent <= 0.0 => "0 %".to_owned(),
        _ if percent < 0.01 => "<0.01 %".to_owned(),
        _ if percent < 1.0 => format!("{percent:.2} %"),
        _ if percent < 10.0 && percent.fract() > 0.05 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// The least of 1, 2, 4, 5, 6, 8 and 10 times a power of ten that is not below a share; its half is as short.
fn round_up(share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(share.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let found = steps.into_iter().map(|step| step * power).find(|step| *step >= share * (1.0 - 1e-9));
    found.unwrap_or(share).min(1.0)
}
