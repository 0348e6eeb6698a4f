//! Stretches of the calendar that rows are put into: hours, days, weeks, months and years, in UTC.

use std::fmt;
use std::str::FromStr;

use super::frame::FrameKind;
use crate::text;

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// A day.
    Day,
    /// From Monday on (ISO 8601).
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// The text is not the name of a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a period: `hour`, `day`, `week`, `month` or `year`")]
pub struct PeriodInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

const DAY: i64 = 86_400;

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// When the period that a time lies in begins, in seconds since 1970-01-01.
    pub fn start(self, seconds: i64) -> i64 {
        // Far beyond every year that can be written.
        let seconds = seconds.clamp(-(1 << 52), 1 << 52);
        let day = seconds.div_euclid(DAY);
        let (year, month, _) = text::civil(day);
        match self {
            Self::Hour => seconds.saturating_sub(seconds.rem_euclid(3_600)),
            Self::Day => day * DAY,
            // 1 January 1970 was a Thursday, three days after a Monday.
            Self::Week => (day - (day + 3).rem_euclid(7)) * DAY,
            Self::Month => text::days_from_civil(year, month, 1) * DAY,
            Self::Year => text::days_from_civil(year, 1, 1) * DAY,
        }
    }

    /// The name of the period that begins at this time, as short as it can be.
    pub fn name(self, start: i64) -> String {
        let day = start.div_euclid(DAY);
        let (year, month, _) = text::civil(day);
        match self {
            Self::Hour => {
                let mut name = instant_name(start);
                name.truncate(name.len().saturating_sub(3));
                name
            }
            Self::Day | Self::Week => day_name(day),
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Year => format!("{year:04}"),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Period {
    type Err = PeriodInvalid;

    fn from_str(text: &str) -> Result<Self, PeriodInvalid> {
        let known = Self::ALL.into_iter().find(|known| known.id() == text);
        known.ok_or_else(|| PeriodInvalid { text: text.chars().take(80).collect() })
    }
}

/// A number that grows by one each month (UTC), for [`Watch`](super::Watch).
pub fn month(seconds: i64) -> i32 {
    let (year, month, _) = text::civil(seconds.div_euclid(DAY));
    i32::try_from(year * 12 + month - 1).unwrap_or(i32::MAX)
}

/// A value of a column as people write it: a number, or a time (UTC) without what is nought in it.
pub fn value_name(value: f64, kind: FrameKind) -> String {
    if kind != FrameKind::Times || !value.is_finite() {
        let mut out = Vec::new();
        text::float(&mut out, value);
        return String::from_utf8_lossy(&out).into_owned();
    }
    time_name(whole(value))
}

#[expect(clippy::cast_possible_truncation, reason = "a float is cut to seconds on purpose, and saturates")]
pub(super) const fn whole(seconds: f64) -> i64 {
    seconds as i64
}

fn time_name(seconds: i64) -> String {
    if seconds.rem_euclid(DAY) == 0 {
        return day_name(seconds.div_euclid(DAY));
    }
    instant_name(seconds)
}

fn instant_name(seconds: i64) -> String {
    let mut out = Vec::new();
    text::instant(&mut out, seconds, 1, false);
    String::from_utf8_lossy(&out).into_owned()
}

fn day_name(day: i64) -> String {
    let mut out = Vec::new();
    text::day(&mut out, day);
    String::from_utf8_lossy(&out).into_owned()
}
