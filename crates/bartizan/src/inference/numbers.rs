//! Numbers of endpoints: what was asked and what came of it, counted on the way without waiting for anybody.
//!
//! ```text
//!   request --Numbers::begin--> Tally --dropped--> totals since the start     (counters, one histogram)
//!                                                  the last 60 minutes        (a ring, each with a histogram)
//!                                                  the last 60 seconds        (a ring of counts)
//!                                                       '--seen--> plain values for pages and `/metrics`
//! ```
//!
//! Counting is a handful of relaxed additions on counters of that endpoint alone; a lock is taken by the first
//! request of a second or minute, to turn the ring. What is read is exact when nothing is counted meanwhile. Numbers
//! live as long as the process; the ledger and the records of predictions hold what has to last.

mod histogram;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bartizan_base::{Name, Timestamp};
use bartizan_gateway::{Fault, Made};
use tokio::time::Instant;

pub(crate) use self::histogram::Counts;
use self::histogram::{Histogram, bucket_of};
pub(crate) use self::ring::MinuteSeen;
use self::ring::{Minutes, Seconds};

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The version that the endpoint is routed to answered.
    Primary,
    /// The fallback version answered.
    Fallback,
    /// The constant answered.
    Constant,
    /// The body was no inference request.
    Malformed,
    /// The body, or its record, was too large.
    TooLarge,
    /// The body came too slowly.
    TooSlow,
    /// It was no request for this model.
    Mismatch,
    /// Values were unlike those of training, and the endpoint refuses such.
    BeyondTraining,
    /// It was for a version that is not served here.
    Version,
    /// The caller hung up before there was an answer.
    Abandoned,
    /// Nothing has a finite answer for its values.
    NoAnswer,
    /// Too many others were being worked on.
    Busy,
    /// Neither the primary nor a fallback could answer.
    Unavailable,
    /// There was no record, so there was no answer.
    NotRecorded,
    /// Something that should not be.
    Defect,
}

/// How a request ended, for whoever looks at many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The primary answered.
    Answered,
    /// Something else answered instead.
    Instead,
    /// The caller is told what is wrong with the request, or has left.
    Refused,
    /// It is our fault.
    Failed,
}

impl Class {
    /// Every class, in the order of the enum.
    pub(crate) const ALL: [Self; 4] = [Self::Answered, Self::Instead, Self::Refused, Self::Failed];
}

impl Outcome {
    /// Every outcome, in the order of the enum.
    pub(crate) const ALL: [Self; 15] = [
        Self::Primary,
        Self::Fallback,
        Self::Constant,
        Self::Malformed,
        Self::TooLarge,
        Self::TooSlow,
        Self::Mismatch,
        Self::BeyondTraining,
        Self::Version,
        Self::Abandoned,
        Self::NoAnswer,
        Self::Busy,
        Self::Unavailable,
        Self::NotRecorded,
        Self::Defect,
    ];

    /// The word that metrics use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Fallback => "fallback",
            Self::Constant => "constant",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Mismatch => "mismatch",
            Self::BeyondTraining => "beyond_training",
            Self::Version => "version",
            Self::Abandoned => "abandoned",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::NotRecorded => "not_recorded",
            Self::Defect => "defect",
        }
    }

    /// How it counts among many.
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::Primary => Class::Answered,
            Self::Fallback | Self::Constant => Class::Instead,
            Self::Malformed
            | Self::TooLarge
            | Self::TooSlow
            | Self::Mismatch
            | Self::BeyondTraining
            | Self::Version
            | Self::Abandoned => Class::Refused,
            // Which of the two is at fault nobody knows: a model that has no answer for anything must show.
            Self::NoAnswer | Self::Busy | Self::Unavailable | Self::NotRecorded | Self::Defect => {
                Class::Failed
            }
        }
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::TooLarge => Self::TooLarge,
            Fault::Mismatch => Self::Mismatch,
            Fault::OutOfBounds => Self::BeyondTraining,
            Fault::Version => Self::Version,
            Fault::NoAnswer => Self::NoAnswer,
            Fault::Unavailable => Self::Unavailable,
            Fault::Defect => Self::Defect,
        }
    }
}

impl From<&Made> for Outcome {
    fn from(made: &Made) -> Self {
        match (made.fault, made.answered_by) {
            (Some(fault), _) => fault.into(),
            (None, "primary") => Self::Primary,
            (None, "constant") => Self::Constant,
            (None, _) => Self::Fallback,
        }
    }
}

/// Why a request did not get as far as an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// It came without an accepted API key.
    Unidentified,
    /// There is no such endpoint, or it is not the caller's.
    Unknown,
    /// The endpoint is not loaded, or something that should not be.
    NotReady,
}

impl TurnedAway {
    /// Every reason, in the order of the enum.
    pub(crate) const ALL: [Self; 3] = [Self::Unidentified, Self::Unknown, Self::NotReady];

    /// The word that metrics use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unidentified => "unidentified",
            Self::Unknown => "unknown",
            Self::NotReady => "not_ready",
        }
    }

    /// The reason behind the status of an answer.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unidentified,
            404 => Self::Unknown,
            _ => Self::NotReady,
        }
    }
}

/// The numbers of every endpoint that was asked since the start.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    // Names come from endpoints in service, never from requests: strangers cannot fill it.
    endpoints: RwLock<BTreeMap<Name, Arc<OfEndpoint>>>,
    turned_away: [AtomicU64; TurnedAway::ALL.len()],
}

/// The numbers of one endpoint.
#[derive(Debug, Default)]
pub(super) struct OfEndpoint {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    flagged: AtomicU64,
    begun: AtomicU64,
    latency: Histogram,
    minutes: Minutes,
    seconds: Seconds,
}

/// A request that is under way; it is counted when this is dropped.
#[derive(Debug)]
pub(crate) struct Tally {
    numbers: Arc<OfEndpoint>,
    at: Timestamp,
    begun: Instant,
    outcome: Outcome,
    flagged: bool,
}

/// What is counted of a prediction that was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    outcome: Outcome,
    flagged: bool,
}

impl Count {
    /// That of a prediction.
    pub(super) fn of(made: &Made) -> Self {
        Self { outcome: made.into(), flagged: made.fault.is_none() && !made.flags.is_empty() }
    }
}

/// The numbers of an endpoint at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How often each outcome was, in the order of [`Outcome::ALL`].
    pub(crate) outcomes: [u64; Outcome::ALL.len()],
    /// Requests that were answered although values were unlike those of training.
    pub(crate) flagged: u64,
    /// Requests under way.
    pub(crate) under_way: u64,
    /// How long answers took since the start.
    pub(crate) latency: Counts,
    /// How long they took together.
    pub(crate) latency_sum: Duration,
    /// Requests that ended in the last 60 seconds.
    pub(crate) last_minute: u64,
    /// The last 60 minutes, oldest first, the current one last.
    pub(crate) minutes: Vec<MinuteSeen>,
}

impl Numbers {
    /// Notes that a request for an endpoint in service has begun.
    pub(super) fn begin(&self, endpoint: &Name, now: Timestamp) -> Tally {
        let numbers = self.of(endpoint);
        numbers.begun.fetch_add(1, Ordering::Relaxed);
        Tally { numbers, at: now, begun: Instant::now(), outcome: Outcome::Abandoned, flagged: false }
    }

    /// Notes a request that got as far as no endpoint.
    pub(super) fn turn_away(&self, why: TurnedAway) {
        for (known, count) in TurnedAway::ALL.iter().zip(&self.turned_away) {
            if *known == why {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many requests got as far as no endpoint, for each reason.
    pub(crate) fn turned_away(&self) -> [(TurnedAway, u64); TurnedAway::ALL.len()] {
        let mut each = TurnedAway::ALL.map(|why| (why, 0));
        for ((_, into), count) in each.iter_mut().zip(&self.turned_away) {
            *into = count.load(Ordering::Relaxed);
        }
        each
    }

    /// The numbers of an endpoint now; those of one that nobody asked yet are all nought.
    pub(crate) fn seen(&self, endpoint: &Name, now: Timestamp) -> Seen {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        let found = endpoints.get(endpoint).cloned();
        drop(endpoints);
        found.unwrap_or_default().seen(now)
    }

    fn of(&self, endpoint: &Name) -> Arc<OfEndpoint> {
        let endpoints = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = endpoints.get(endpoint) {
            return Arc::clone(found);
        }
        drop(endpoints);
        let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(endpoints.entry(endpoint.clone()).or_default())
    }
}

impl Tally {
    /// Says what came of the request; without that, its caller has left.
    pub(super) fn end(&mut self, outcome: impl Into<Outcome>) {
        self.outcome = outcome.into();
        self.flagged = false;
    }

    /// Says what came of a prediction that was made.
    pub(super) fn count(&mut self, count: Count) {
        self.outcome = count.outcome;
        self.flagged = count.flagged;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.numbers.count(self.at, self.begun.elapsed(), self.outcome, self.flagged);
    }
}

impl OfEndpoint {
    /// Counts a request that began at `at` and took so long.
    fn count(&self, at: Timestamp, took: Duration, outcome: Outcome, flagged: bool) {
        let ended = at.plus_millis(i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        for (known, count) in Outcome::ALL.iter().zip(&self.outcomes) {
            if *known == outcome {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        if flagged {
            self.flagged.fetch_add(1, Ordering::Relaxed);
        }
        // A request that is refused ends sooner, or as late as its caller sends it, and says nothing of how long an
        // answer takes.
        let answered = matches!(outcome.class(), Class::Answered | Class::Instead);
        let bucket = answered.then(|| bucket_of(took));
        if let Some(bucket) = bucket {
            self.latency.add(bucket, took);
        }
        self.minutes.add(ended, outcome.class(), bucket);
        self.seconds.add(ended);
    }

    fn seen(&self, now: Timestamp) -> Seen {
        let mut outcomes = [0; Outcome::ALL.len()];
        for (into, count) in outcomes.iter_mut().zip(&self.outcomes) {
            *into = count.load(Ordering::Relaxed);
        }
        let ended: u64 = outcomes.iter().sum();
        Seen {
            under_way: self.begun.load(Ordering::Relaxed).saturating_sub(ended),
            outcomes,
            flagged: self.flagged.load(Ordering::Relaxed),
            latency: self.latency.counts(),
            latency_sum: self.latency.sum(),
            last_minute: self.seconds.of_last_minute(now),
            minutes: self.minutes.seen(now),
        }
    }
}

impl Seen {
    /// How many requests ended.
    #[cfg(test)]
    pub(crate) fn ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// How often an outcome was.
    pub(crate) fn of(&self, outcome: Outcome) -> u64 {
        let mut each = Outcome::ALL.iter().zip(self.outcomes);
        each.find(|(known, _)| **known == outcome).map_or(0, |(_, count)| count)
    }

    /// How many requests of a class ended in the last 60 minutes.
    pub(crate) fn of_class(&self, class: Class) -> u64 {
        self.minutes.iter().map(|minute| minute.of(class)).sum()
    }

    /// How long answers took in the last 60 minutes.
    pub(crate) fn hour(&self) -> Counts {
        let mut all = Counts::default();
        for minute in &self.minutes {
            all.add(&minute.latency);
        }
        all
    }
}
