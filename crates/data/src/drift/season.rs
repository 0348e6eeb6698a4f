//! Strata of rows, above all seasonal baselines: every hour of the week is compared with the same hour of other weeks.

use std::borrow::Cow;

use super::compare::{ClusterCounts, Side};
use super::report::NotJudged;

/// Hours of a week.
pub const HOURS: usize = 168;

/// The hour of the week, 0 for Monday from midnight to one, in a zone `offset` seconds east of UTC.
///
/// Where clocks are changed the caller gives the offset of that moment; the hour that comes twice in autumn is then
/// counted twice, as people live it.
pub const fn hour_of_week(unix_seconds: i64, offset: i32) -> u8 {
    /// 1 January 1970 was a Thursday.
    const MONDAY_TO_THURSDAY: i64 = 3 * 24;
    const WEEK: i64 = 7 * 24;
    let hour = unix_seconds.saturating_add(offset as i64).div_euclid(3_600);
    let hour = (hour + MONDAY_TO_THURSDAY).rem_euclid(WEEK);
    hour.to_le_bytes()[0]
}

/// Which rows of two tables may change sides with which.
#[derive(Debug, Clone, Copy)]
pub enum Strata<'a> {
    /// Those with the same label, of which there is one for each row. Where the reference has no value in a stratum that
    /// current rows are in, a column is not judged.
    Labels {
        /// Of the reference.
        reference: &'a [u16],
        /// Of the current rows.
        current: &'a [u16],
    },
    /// Those of the same hour of the week, as [`hour_of_week`] counts them. Hours in which the reference has too few
    /// values of a column are joined for that column, see [`Seasons`].
    Hours {
        /// The hour of each row of the reference; [`HOURS`] and more where it is not known. Such rows are left out, and
        /// where they are more than one in fifty the column is not judged.
        reference: &'a [u8],
        /// The hour of each current row.
        current: &'a [u8],
        /// Values of the reference that an hour needs to be a baseline.
        least: u64,
    },
}

/// A label for each row of both sides.
pub(super) type Labels<'a> = (Cow<'a, [u16]>, Cow<'a, [u16]>);

impl<'a> Strata<'a> {
    /// How many rows there are on both sides.
    pub(super) const fn rows(&self) -> (usize, usize) {
        match self {
            Self::Labels { reference, current } => (reference.len(), current.len()),
            Self::Hours { reference, current, .. } => (reference.len(), current.len()),
        }
    }

    /// The labels of all rows, given the cell of each; takes the cell from rows that are left out.
    pub(super) fn labels(&self, ours: &mut [u32], theirs: &mut [u32]) -> Result<Labels<'a>, NotJudged> {
        match *self {
            Self::Labels { reference, current } => Ok((Cow::Borrowed(reference), Cow::Borrowed(current))),
            Self::Hours { reference, current, least } => {
                let seasons = Seasons::new(&count(ours, reference)?, &count(theirs, current)?, least.max(1));
                let stratum = |hour: &u8| seasons.stratum(*hour);
                Ok((reference.iter().map(stratum).collect(), current.iter().map(stratum).collect()))
            }
        }
    }
}

/// Rows with a value by their hour; those whose hour is not known lose their cell.
fn count(cells: &mut [u32], of_rows: &[u8]) -> Result<[u64; HOURS], NotJudged> {
    const MOST_UNKNOWN: u64 = 50;
    let (mut counts, mut known, mut unknown) = ([0_u64; HOURS], 0_u64, 0_u64);
    for (cell, hour) in cells.iter_mut().zip(of_rows).filter(|(cell, _)| **cell != Side::MISSING) {
        match counts.get_mut(usize::from(*hour)) {
            Some(count) => {
                *count += 1;
                known += 1;
            }
            None => {
                *cell = Side::MISSING;
                unknown += 1;
            }
        }
    }
    if unknown * MOST_UNKNOWN > known + unknown { Err(NotJudged::HoursUnknown) } else { Ok(counts) }
}

/// Which hours of the week share a baseline.
///
/// Each hour has its own where the reference has enough rows for it. An hour that has not is joined with the same hour
/// of all working days, or of Saturday and Sunday; if that is not enough, with the same hour of all days; and at last
/// with the whole week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seasons {
    /// The smallest hour of the group that each hour belongs to.
    groups: [u8; HOURS],
    pooled: usize,
}

impl Seasons {
    /// Groups the hours for current rows by how many rows (or clusters, where rows are clustered) the reference has in
    /// each hour: `least` at least for every hour with current rows.
    pub fn new(reference: &[u64; HOURS], current: &[u64; HOURS], least: u64) -> Self {
        let mut groups = [0_u8; HOURS];
        (0_u8..).zip(groups.iter_mut()).for_each(|(hour, group)| *group = hour);
        let mut seasons = Self { groups, pooled: 0 };
        let days: [fn(u8) -> u8; 3] = [|hour| (hour / 24 / 5) * 24 + hour % 24, |hour| hour % 24, |_| 0];
        let wanted = |hour: &u8| current.get(usize::from(*hour)).is_some_and(|rows| *rows > 0);
        for class in days {
            let poor: Vec<u8> =
                hours().filter(wanted).filter(|hour| seasons.rows(reference, *hour) < least).collect();
            for hour in poor {
                seasons.join(class, hour);
            }
        }
        let own =
            |hour: &u8| hours().filter(|other| seasons.group(*other) == seasons.group(*hour)).count() == 1;
        seasons.pooled = hours().filter(wanted).filter(|hour| !own(hour)).count();
        seasons
    }

    /// The stratum of an hour of the week, for [`Strata::Labels`] and [`ClusterCounts`].
    pub fn stratum(&self, hour: u8) -> u16 {
        u16::from(self.group(hour))
    }

    /// How many of the hours with current rows have no baseline of their own.
    pub const fn pooled(&self) -> usize {
        self.pooled
    }

    /// The hours with current rows that have no baseline of their own, by what they are joined with.
    pub fn joined(&self, current: &[u64; HOURS]) -> Vec<(Joined, Vec<u8>)> {
        let mut all: Vec<(Joined, Vec<u8>)> = Vec::new();
        for (hour, rows) in hours().zip(current) {
            let group = || hours().filter(|other| self.group(*other) == self.group(hour));
            if *rows == 0 || group().count() == 1 {
                continue;
            }
            let joined = match () {
                () if group().any(|other| other % 24 != hour % 24) => Joined::Week,
                () if group().any(|other| is_weekend(other) != is_weekend(hour)) => Joined::AllDays,
                () if is_weekend(hour) => Joined::Weekend,
                () => Joined::WorkingDays,
            };
            match all.iter_mut().find(|known| known.0 == joined) {
                Some((_, hours)) => hours.push(hour),
                None => all.push((joined, vec![hour])),
            }
        }
        all
    }

    /// Puts counts by hour into strata.
    pub fn arrange(&self, hours: impl IntoIterator<Item = (u8, Vec<u64>)>) -> Vec<ClusterCounts> {
        let cluster = |(hour, counts)| ClusterCounts { stratum: self.stratum(hour), counts };
        hours.into_iter().map(cluster).collect()
    }

    fn group(&self, hour: u8) -> u8 {
        self.groups.get(usize::from(hour) % HOURS).copied().unwrap_or(0)
    }

    fn rows(&self, reference: &[u64; HOURS], hour: u8) -> u64 {
        let group = self.group(hour);
        let same = hours().zip(reference).filter(|(other, _)| self.group(*other) == group);
        same.fold(0, |sum, (_, rows)| sum.saturating_add(*rows))
    }

    /// Joins all groups that have an hour of the same class as `hour`.
    fn join(&mut self, class: fn(u8) -> u8, hour: u8) {
        let joined: Vec<u8> =
            hours().filter(|other| class(*other) == class(hour)).map(|other| self.group(other)).collect();
        let first = joined.iter().copied().min().unwrap_or(0);
        self.groups.iter_mut().filter(|group| joined.contains(group)).for_each(|group| *group = first);
    }
}

/// What an hour of the week is joined with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Joined {
    /// The same hour of other working days.
    WorkingDays,
    /// The same hour of Saturday and Sunday.
    Weekend,
    /// The same hour of working days and of the weekend, so that the day of the week plays no part.
    AllDays,
    /// Other hours too.
    Week,
}

impl Joined {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::WorkingDays => "working-days",
            Self::Weekend => "weekend",
            Self::AllDays => "all-days",
            Self::Week => "whole-week",
        }
    }
}

/// Whether an hour of the week is of Saturday or Sunday.
const fn is_weekend(hour: u8) -> bool {
    hour / 24 >= 5
}

fn hours() -> impl Iterator<Item = u8> {
    (0..).take(HOURS)
}
