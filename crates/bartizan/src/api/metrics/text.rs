//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;
use std::time::Duration;

use crate::inference::numbers::Counts;

/// The ends of buckets that are told, in microseconds: every doubling from 64 microseconds to half a minute. The
/// ends of the histogram's own buckets are among them, so counts are exact.
const ENDS: std::ops::RangeInclusive<u32> = 6..=25;

/// The kind of a family of samples.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Metrics as they are written down.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    family: &'static str,
}

impl Text {
    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.family = name;
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// One sample of the family.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: u64) {
        self.written(suffix, labels, format_args!("{value}"));
    }

    /// One sample in seconds, from nanoseconds.
    pub(super) fn seconds(&mut self, suffix: &str, labels: &[(&str, &str)], nanos: u128) {
        self.written(suffix, labels, format_args!("{}", in_seconds(nanos)));
    }

    /// The samples of one histogram.
    pub(super) fn histogram(&mut self, label: (&str, &str), counts: &Counts, sum: Duration) {
        for doubling in ENDS {
            let end = 1_u64 << doubling;
            let until = counts.buckets().take_while(|(last, _)| last.is_some_and(|last| last <= end));
            let below: u64 = until.map(|(_, count)| count).sum();
            let le = in_seconds(u128::from(end) * 1000);
            self.sample("_bucket", &[label, ("le", &le)], below);
        }
        self.sample("_bucket", &[label, ("le", "+Inf")], counts.total());
        self.seconds("_sum", &[label], sum.as_nanos());
        self.sample("_count", &[label], counts.total());
    }

    /// All of it.
    pub(super) fn done(self) -> String {
        self.text
    }

    fn written(&mut self, suffix: &str, labels: &[(&str, &str)], value: std::fmt::Arguments<'_>) {
        let written: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let family = self.family;
        if written.is_empty() {
            self.line(format_args!("{family}{suffix} {value}"));
        } else {
            self.line(format_args!("{family}{suffix}{{{}}} {value}", written.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a text in memory does not fail.
        writeln!(self.text, "{line}").ok();
    }
}

/// Nanoseconds as seconds, in as many digits as it takes.
fn in_seconds(nanos: u128) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
