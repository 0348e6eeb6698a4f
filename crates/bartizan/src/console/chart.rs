//! Charts as paths: whole numbers in, coordinates in tenths out. What paths look like is the style sheet's.

use std::fmt::Write as _;

use super::view::endpoint::MinuteView;

/// The columns of a chart of an hour.
pub(super) const COLUMNS: u64 = 60;
/// Where the plot of a chart begins and ends, in tenths.
pub(super) const LEFT: u64 = 560;
const WIDTH: u64 = 5_420;
pub(super) const TOP: u64 = 80;
pub(super) const HEIGHT: u64 = 1_680;
/// The box of a chart: plot, scale and times.
pub(super) const VIEW_BOX: &str = "0 0 600 204";
/// The box of a sparkline.
pub(super) const SPARK_BOX: &str = "0 0 110 30";

/// The latency chart begins at 2^8 microseconds and has a row for each doubling.
const FIRST_DOUBLING: u32 = 8;
const ROWS: u64 = 14;

/// Shades of the latency chart, from few to many.
pub(super) const SHADES: usize = 6;

/// Tenths as SVG reads them.
pub(super) fn tenths(value: u64) -> String {
    if value.is_multiple_of(10) { (value / 10).to_string() } else { format!("{}.{}", value / 10, value % 10) }
}

/// The least round number that is not below `most`: 2, 4, 10, 20, 40, 100 and so on. Its half is whole too.
pub(super) fn round_up(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [2, 4, 10] {
            let round = unit.saturating_mul(step);
            if round >= most {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// Where the middle of a column is.
pub(super) fn middle(column: u64) -> u64 {
    LEFT + (2 * column + 1) * WIDTH / (2 * COLUMNS)
}

/// Bars of one class on top of those of the classes before it.
pub(super) fn bars(minutes: &[MinuteView], class: usize, full: u64) -> String {
    let mut path = String::new();
    for (column, minute) in (0..COLUMNS).zip(minutes) {
        let below: u64 = minute.classes.iter().take(class).sum();
        let own = minute.classes.get(class).copied().unwrap_or_default();
        let (low, high) = (scaled(below, full), scaled(below + own, full));
        // What is there at all is seen.
        let tall = if own > 0 { (high - low).max(10) } else { continue };
        block(&mut path, column, (TOP + HEIGHT).saturating_sub(low + tall), tall);
    }
    path
}

fn scaled(value: u64, full: u64) -> u64 {
    let (value, full) = (u128::from(value.min(full)), u128::from(full.max(1)));
    u64::try_from(value * u128::from(HEIGHT) / full).unwrap_or(HEIGHT)
}

fn block(path: &mut String, column: u64, top: u64, tall: u64) {
    let begin = LEFT + column * WIDTH / COLUMNS + 8;
    let wide = WIDTH / COLUMNS - 16;
    let (x, y, wide, tall) = (tenths(begin), tenths(top), tenths(wide), tenths(tall));
    // Writing to a text in memory does not fail.
    write!(path, "M{x} {y}h{wide}v{tall}h-{wide}z").ok();
}

/// The blocks of each shade: how many answers took how long, minute by minute.
pub(super) fn heat(minutes: &[MinuteView]) -> [String; SHADES] {
    let spreads: Vec<Vec<u64>> = minutes.iter().map(by_row).collect();
    let most = spreads.iter().flatten().copied().max().unwrap_or_default();
    let mut shades = [const { String::new() }; SHADES];
    for (column, spread) in (0..COLUMNS).zip(&spreads) {
        for (row, count) in (0..ROWS).zip(spread).filter(|(_, count)| **count > 0) {
            let top = TOP + (ROWS - 1 - row) * HEIGHT / ROWS + 6;
            if let Some(path) = shades.get_mut(shade(*count, most)) {
                block(path, column, top, HEIGHT / ROWS - 12);
            }
        }
    }
    shades
}

/// Each halving is one shade less.
fn shade(count: u64, most: u64) -> usize {
    let halvings = (most / count.max(1)).checked_ilog2().unwrap_or_default();
    (SHADES - 1).saturating_sub(usize::try_from(halvings).unwrap_or(SHADES))
}

/// The answers of a minute in the rows of the chart; what is beyond it is in the first or last row.
fn by_row(minute: &MinuteView) -> Vec<u64> {
    let mut rows = vec![0; usize::try_from(ROWS).unwrap_or_default()];
    for (end, count) in &minute.spread {
        let doubling = end.map_or(u32::MAX, |end| end.saturating_sub(1).checked_ilog2().unwrap_or_default());
        let row = u64::from(doubling.saturating_sub(FIRST_DOUBLING)).min(ROWS - 1);
        if let Some(into) = usize::try_from(row).ok().and_then(|row| rows.get_mut(row)) {
            *into += count;
        }
    }
    rows
}

/// How high a latency is in its chart, in tenths from the top of the box.
pub(super) fn latency_height(micros: u64) -> u64 {
    let least = 1_u64 << FIRST_DOUBLING;
    let micros = micros.max(least);
    let doubling = micros.checked_ilog2().unwrap_or(FIRST_DOUBLING);
    let within = (micros - (1 << doubling)).saturating_mul(100) >> doubling;
    let rows = u64::from(doubling - FIRST_DOUBLING) * 100 + within;
    TOP + HEIGHT - (rows.min(ROWS * 100) * HEIGHT / (ROWS * 100))
}

/// A line through heights; where there is none, it is interrupted.
pub(super) fn line(heights: impl Iterator<Item = Option<u64>>) -> String {
    let mut path = String::new();
    let mut drawn = false;
    for (column, height) in (0..COLUMNS).zip(heights) {
        let Some(height) = height else {
            drawn = false;
            continue;
        };
        let (x, y) = (tenths(middle(column)), tenths(height));
        // A point alone is a very short line.
        let step = if drawn { format!("L{x} {y}") } else { format!("M{x} {y}h.1") };
        path.push_str(&step);
        drawn = true;
    }
    path
}

/// A small line of values, without a scale.
pub(super) fn spark(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or_default().max(1);
    let steps = u64::try_from(values.len()).unwrap_or(1).saturating_sub(1).max(1);
    let mut path = String::new();
    for (at, value) in (0_u64..).zip(values) {
        let x = 20 + at * 1_060 / steps;
        let down = u64::try_from(u128::from(*value) * 240 / u128::from(most)).unwrap_or_default();
        let command = if at == 0 { 'M' } else { 'L' };
        write!(path, "{command}{} {}", tenths(x), tenths(270 - down)).ok();
    }
    path
}

/// A bar as long as a share of the whole, in a box that is 100 wide and 6 high.
pub(super) fn share_bar(part: u64, whole: u64) -> String {
    let share = u64::try_from(u128::from(part) * 1_000 / u128::from(whole.max(1))).unwrap_or(1_000);
    let share = if part > 0 { share.max(8) } else { 0 };
    format!("M0 0h{}v6h-{}z", tenths(share), tenths(share))
}
