//! How values are written on pages: numbers, sizes, times, digests, people and addresses.

use maud::{Markup, html};

use super::view::Frame;

/// A count with its thousands apart, for example `1 284` (with narrow no-break spaces).
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count and the word for what is counted, for example `1 file` or `4 files`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size in the largest decimal unit that leaves at least 1, with one decimal, cut and not rounded.
pub(crate) fn size(bytes: u64) -> (String, &'static str) {
    const UNITS: [(u64, &str); 6] = [
        (1_000_000_000_000_000_000, "EB"),
        (1_000_000_000_000_000, "PB"),
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    for (unit, name) in UNITS {
        if bytes >= unit {
            return (format!("{}.{}", bytes / unit, bytes % unit / (unit / 10)), name);
        }
    }
    (bytes.to_string(), "B")
}

/// A duration in the unit that leaves it readable, for example `3.2 ms` or `1.4 s`.
pub(crate) fn duration(micros: u64) -> (String, &'static str) {
    let tenths = |unit: u64| format!("{}.{}", micros / unit, micros % unit * 10 / unit);
    match micros {
        0..1_000 => (micros.to_string(), "µs"),
        1_000..10_000 => (tenths(1_000), "ms"),
        10_000..1_000_000 => ((micros / 1_000).to_string(), "ms"),
        _ => (tenths(1_000_000), "s"),
    }
}

/// The time of day of an RFC 3339 time in UTC, to the second.
pub(crate) fn time_of_day(rfc3339: &str) -> &str {
    rfc3339.get(11..19).unwrap_or(rfc3339)
}

/// Date and time of day of an RFC 3339 time in UTC; anything else is written as it is, as the date.
fn date_and_time(rfc3339: &str) -> (&str, Option<&str>) {
    let date = rfc3339.get(..10);
    let separator = rfc3339.get(10..11);
    let time = rfc3339.get(11..16);
    match (date, separator, time) {
        (Some(date), Some("T"), Some(time)) if rfc3339.ends_with('Z') => (date, Some(time)),
        _ => (rfc3339, None),
    }
}

/// A time to the minute; the whole of it is kept for machines.
pub(crate) fn moment(rfc3339: &str) -> Markup {
    let (date, time) = date_and_time(rfc3339);
    html! {
        @match time {
            Some(time) => time datetime=(rfc3339) { (date) " " (time) " UTC" },
            None => bdi { (date) },
        }
    }
}

/// A time to the minute where there is room for large letters: the time of day is set smaller.
pub(crate) fn large_moment(rfc3339: &str) -> Markup {
    let (date, time) = date_and_time(rfc3339);
    html! {
        @match time {
            Some(time) => time datetime=(rfc3339) { (date) " " small { (time) " UTC" } },
            None => bdi { (date) },
        }
    }
}

/// A time in two short lines, date above time of day.
pub(crate) fn stacked_moment(rfc3339: &str) -> Markup {
    let (date, time) = date_and_time(rfc3339);
    html! {
        @match time {
            Some(time) => time.stacked datetime=(rfc3339) { span { (date) } " " span { (time) " UTC" } },
            None => span.stacked { bdi { (date) } },
        }
    }
}

/// A digest that is cut off by the style sheet alone: selecting and copying gives the whole.
pub(crate) fn digest(text: &str) -> Markup {
    html! { code.digest { (digest_text(text)) } }
}

/// A digest in full, on as many lines as it takes.
pub(crate) fn whole_digest(text: &str) -> Markup {
    html! { code.digest.full { (digest_text(text)) } }
}

fn digest_text(text: &str) -> Markup {
    html! {
        @match text.split_once(':') {
            Some((algorithm, digits)) => { span.algorithm { (algorithm) ":" } (digits) },
            None => (text),
        }
    }
}

/// A ledger entry, linked when the frame knows where entries are shown.
pub(crate) fn entry(frame: &Frame, index: u64) -> Markup {
    let href = frame.entry_base.as_deref().map(|base| format!("{base}{index}"));
    html! {
        @match href.as_deref().and_then(local_href) {
            Some(href) => a.entry href=(href) { "#" (index) },
            None => span.entry { "#" (index) },
        }
    }
}

/// A text from outside, kept from changing the direction of what surrounds it.
pub(crate) fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// Several texts from outside, with commas between.
pub(crate) fn foreign_list(texts: &[String]) -> Markup {
    html! {
        @for (at, text) in texts.iter().enumerate() {
            @if at > 0 { ", " }
            bdi { (text) }
        }
    }
}

/// An address on this server, or `None` when it is not one.
pub(crate) fn local_href(href: &str) -> Option<&str> {
    let begins_well = href.starts_with('?') || (href.starts_with('/') && !href.starts_with("//"));
    let clean = href.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (begins_well && clean).then_some(href)
}

/// A text as one segment of a path (RFC 3986 section 3.3), everything but unreserved characters encoded.
pub(crate) fn path_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}
