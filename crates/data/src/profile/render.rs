//! A profile for people: a line for each column, with a small picture of its distribution.

use super::Profile;
use super::column::ColumnProfile;
use super::kinds::ColumnType;
use crate::text;

/// Cells of a whole line.
const CELLS: usize = 11;
/// Bars of a picture.
const BARS: usize = 12;
/// Frequent values that are shown.
const SHOWN: usize = 4;
/// Characters of a name or a value that are shown.
const NAME: usize = 28;
const VALUE: usize = 24;

impl Profile {
    /// The profile for people. It shows values: extremes, and what is frequent.
    pub fn render(&self) -> String {
        let mut lines = vec![
            [
                "column",
                "type",
                "missing",
                "distinct",
                "distribution",
                "min",
                "25 %",
                "median",
                "75 %",
                "max",
                "mean",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        lines.extend(self.columns.iter().map(line));
        let mut widths = [0_usize; CELLS];
        // What has no numbers shows its frequent values instead, as far to the right as they go.
        for line in lines.iter().filter(|line| line.len() == CELLS) {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line).take(5) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let (rows, columns) = (self.rows, self.columns.len());
        let mut rendered = format!("{} rows, {} columns\n", grouped(rows), grouped(columns as u64));
        for line in &lines {
            let mut text = String::new();
            for (at, (cell, width)) in line.iter().zip(widths).enumerate() {
                let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
                // Names and pictures begin, and numbers end, below each other.
                let to_the_left = matches!(at, 0 | 1 | 4) || line.len() < CELLS && at >= 5;
                text.push_str(&if to_the_left { format!("{cell}{gap}  ") } else { format!("{gap}{cell}  ") });
            }
            rendered.push_str(text.trim_end());
            rendered.push('\n');
        }
        rendered
    }
}

fn line(column: &ColumnProfile) -> Vec<String> {
    let all = column.count();
    let distinct = match (column.distinct(), column.distinct_estimate()) {
        _ if column.column_type() == ColumnType::List => String::new(),
        (Some(exact), _) => grouped(exact as u64),
        (None, Some(about)) => format!("~{}", rounded(about)),
        (None, None) => "?".to_owned(),
    };
    let mut line = vec![
        cut(column.name(), NAME),
        if column.kinds().total() == 0 { "-".to_owned() } else { column.column_type().name().to_owned() },
        percent(column.nulls(), all),
        distinct,
        picture(column),
    ];
    match numbers(column) {
        Some(numbers) => line.extend(numbers),
        None => line.push(words(column)),
    }
    line
}

/// Minimum, quartiles, maximum and mean of what has them.
fn numbers(column: &ColumnProfile) -> Option<[String; 6]> {
    let kind = column.column_type();
    if !(kind.is_number() || kind == ColumnType::List) {
        return None;
    }
    let view = column.quantiles()?.view()?;
    let quantile = |q| short(view.quantile(q));
    let exact = column.range().map(|(least, greatest)| (cut(&least, VALUE), cut(&greatest, VALUE)));
    let (least, greatest) = exact.unwrap_or_else(|| (short(view.quantile(0.0)), short(view.quantile(1.0))));
    let mean = column.moments().and_then(|moments| moments.mean()).map_or_else(String::new, short);
    Some([least, quantile(0.25), quantile(0.5), quantile(0.75), greatest, mean])
}

/// The range of what is in order, and frequent values with their shares.
fn words(column: &ColumnProfile) -> String {
    let mut parts = Vec::new();
    if let Some((first, last)) = column.range() {
        parts.push(format!("{first} to {last}"));
    }
    let values = column.kinds().total();
    let top = column.top(SHOWN);
    // Where nothing comes twice, nothing is frequent, and shapes say more.
    let repeats = top.first().is_some_and(|top| top.lower > 1 && top.lower.saturating_mul(1_000) >= values);
    if repeats && parts.is_empty() {
        let shown = |value: &str, count: u64| format!("{} {}", cut(value, VALUE), percent(count, values));
        parts.extend(top.iter().map(|top| shown(&top.value, top.lower)));
    } else if parts.is_empty() {
        let shapes = column.shapes();
        let shown =
            shapes.iter().take(2).map(|shape| format!("{} {}", shape.value, percent(shape.lower, values)));
        parts.extend(shown.map(|shape| format!("like {shape}")));
    }
    parts.join(", ")
}

/// Bars of equal width from the least to the greatest number; for what has no order, a bar for each of the values that are
/// most frequent.
fn picture(column: &ColumnProfile) -> String {
    let kind = column.column_type();
    if kind.is_number() || kind == ColumnType::List {
        let Some(view) = column.quantiles().and_then(|sketch| sketch.view()) else { return String::new() };
        let (least, greatest) = (view.quantile(0.0), view.quantile(1.0));
        let width = (greatest - least) / BARS as f64;
        if !(width.is_finite() && width > 0.0) {
            return "█".to_owned();
        }
        let mut below = 0;
        let bars: Vec<u64> = (1..=BARS)
            .map(|bar| {
                let rank = if bar == BARS { view.count() } else { view.rank(least + width * bar as f64) };
                rank - std::mem::replace(&mut below, rank).min(rank)
            })
            .collect();
        return drawn(&bars);
    }
    let top = column.top(BARS);
    if top.first().is_none_or(|top| top.lower <= 1) {
        return String::new();
    }
    drawn(&top.iter().map(|top| top.lower).collect::<Vec<_>>())
}

/// Eighths of a block; whatever is not nought shows.
fn drawn(bars: &[u64]) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let block = |bar: &u64| {
        let eighths = usize::try_from(u128::from(*bar) * 8 / u128::from(most)).unwrap_or(8);
        let eighths = if *bar > 0 { eighths.max(1) } else { 0 };
        BLOCKS.get(eighths).copied().unwrap_or('█')
    };
    bars.iter().map(block).collect()
}

/// A share, with as many digits as it takes to tell it from nought and from all.
pub(crate) fn percent(part: u64, all: u64) -> String {
    let share = 100.0 * part as f64 / all.max(1) as f64;
    match part {
        0 => "0 %".to_owned(),
        _ if part == all => "100 %".to_owned(),
        _ if share < 0.01 => "<0.01 %".to_owned(),
        _ if share < 10.0 => format!("{share:.2} %"),
        _ => format!("{share:.1} %"),
    }
}

/// Four digits, or all of a whole number of up to seven.
pub(crate) fn short(number: f64) -> String {
    let magnitude = number.abs();
    if number.fract() == 0.0 && magnitude < 1e7 || !number.is_finite() {
        let mut whole = Vec::new();
        text::float(&mut whole, number);
        return String::from_utf8_lossy(&whole).into_owned();
    }
    if !(1e-3..1e7).contains(&magnitude) {
        return format!("{number:.3e}");
    }
    let decimals = [1e3, 1e2, 1e1, 1e0, 1e-1].iter().take_while(|bound| magnitude < **bound).count();
    format!("{number:.decimals$}")
}

/// Three digits and noughts: more would claim to be known.
pub(crate) fn rounded(about: f64) -> String {
    let magnitude = 10_f64.powf((about.max(1.0).log10().floor() - 2.0).max(0.0));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate is below 2^64 and above nought"
    )]
    let rounded = ((about / magnitude).round() * magnitude) as u64;
    grouped(rounded)
}

/// `1,234,567`
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The first characters, none of which speaks to a terminal.
fn cut(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut cut: String = text.chars().take(most).map(plain).collect();
    if text.chars().nth(most).is_some() {
        cut.pop();
        cut.push('…');
    }
    if cut.is_empty() { "\"\"".to_owned() } else { cut }
}
