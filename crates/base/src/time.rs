//! Time as an argument: instants in milliseconds and the clock seam.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
///
/// Written as RFC 3339 in UTC with three decimals, for example `2026-03-01T12:00:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is not an instant between 1970 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time between 1970 and 9999")]
pub struct TimestampInvalid {
    /// The offending text, cut to 80 characters.
    pub text: String,
}

const LAST_MILLIS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);

    /// The instant `millis` milliseconds after the epoch, held between the years 1970 and 9999.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            return Self(0);
        }
        if millis > LAST_MILLIS {
            return Self(LAST_MILLIS);
        }
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `millis` milliseconds, held between the years 1970 and 9999.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map_err(|_| fmt::Error)?;
        f.write_str(&date.format(format).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampInvalid;

    /// Reads RFC 3339 with any offset; digits below a millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, TimestampInvalid> {
        let invalid = || TimestampInvalid { text: text.chars().take(80).collect() };
        let date = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| invalid())?;
        let millis =
            i64::try_from(date.unix_timestamp_nanos().div_euclid(1_000_000)).map_err(|_| invalid())?;
        if !(0..=LAST_MILLIS).contains(&millis) {
            return Err(invalid());
        }
        Ok(Self(millis))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Where code that needs the time gets it.
///
/// Contract: callable from any thread, never blocks, and may step backwards when an operator sets the clock;
/// callers that need order take it from the ledger, not from here.
pub trait Clock: Send + Sync {
    /// The present instant, as this machine believes it.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is set; for tests and replays.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock by `millis` milliseconds, forwards or backwards.
    pub fn advance_millis(&self, millis: i64) {
        self.set(self.now().plus_millis(millis));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
