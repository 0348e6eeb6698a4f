//! Which hours of the week are compared with other days too, because the reference has too few values there.

use bartizan_data::drift::{HOURS, Held, Joined, Seasons, Side};
use serde_json::{Value, json};

use super::VALUES_OF_AN_HOUR;
use super::cases::{Case, Sides};
use crate::out::shown;

/// Columns of which the same hours are joined in the same way.
pub(super) struct Shared {
    columns: Vec<String>,
    hours: Vec<(Joined, Vec<u8>)>,
}

/// The hours that have no baseline of their own, by column; nothing without a season.
pub(super) fn of(case: &Case<'_>) -> Vec<Shared> {
    let mut all: Vec<Shared> = Vec::new();
    let (Some((before, after)), Sides::Tables(pairs)) = (&case.hours, &case.sides) else { return all };
    for pair in pairs.iter().filter(|pair| !pair.nested) {
        let current = counted(&pair.current, after);
        let hours =
            Seasons::new(&counted(&pair.reference, before), &current, VALUES_OF_AN_HOUR).joined(&current);
        if hours.is_empty() {
            continue;
        }
        match all.iter_mut().find(|known| known.hours == hours) {
            Some(known) => known.columns.push(pair.name.to_owned()),
            None => all.push(Shared { columns: vec![pair.name.to_owned()], hours }),
        }
    }
    all
}

/// How many values there are in each hour of the week.
fn counted(held: &Held<'_>, hours: &[u8]) -> [u64; HOURS] {
    let mut counts = [0; HOURS];
    let mut count = |present: bool, hour: &u8| {
        if let Some(count) = counts.get_mut(usize::from(*hour)).filter(|_| present) {
            *count += 1;
        }
    };
    match held {
        Held::Absent => {}
        Held::Numbers(numbers) => {
            numbers.iter().zip(hours).for_each(|(number, hour)| count(!number.is_nan(), hour));
        }
        Held::Codes(codes) => {
            codes.iter().zip(hours).for_each(|(code, hour)| count(*code != Side::MISSING, hour));
        }
    }
    counts
}

/// For people.
pub(super) fn told(all: &[Shared]) -> String {
    let mut text = String::new();
    for shared in all {
        let columns: Vec<String> = shared.columns.iter().map(|name| shown(name)).collect();
        let parts: Vec<String> = shared
            .hours
            .iter()
            .map(|(joined, hours)| format!("{} with {}", days(hours), with(*joined)))
            .collect();
        text.push_str(&format!(
            "  hours of the week with fewer than {VALUES_OF_AN_HOUR} values in the reference are compared with others too: {} ({})\n",
            parts.join("; "),
            columns.join(", ")
        ));
    }
    text
}

const fn with(joined: Joined) -> &'static str {
    match joined {
        Joined::WorkingDays => "the same hour of other working days",
        Joined::Weekend => "the same hour of Saturday and Sunday",
        Joined::AllDays => "the same hour of all days, so that the day of the week plays no part",
        Joined::Week => "hours of the whole week, so that day and hour play no part",
    }
}

/// Hours of the week by day, such as `Saturday 0-23, Sunday 7`.
fn days(hours: &[u8]) -> String {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let mut parts: Vec<String> = Vec::new();
    for (day, name) in (0_u8..).zip(DAYS) {
        let own: Vec<u8> = hours.iter().filter(|hour| **hour / 24 == day).map(|hour| hour % 24).collect();
        let runs =
            own.chunk_by(|one, two| one + 1 == *two).filter_map(|run| Some((*run.first()?, *run.last()?)));
        let runs: Vec<String> = runs
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        if !runs.is_empty() {
            parts.push(format!("{name} {}", runs.join(" ")));
        }
    }
    parts.join(", ")
}

/// For programs: hours of the week are numbered from 0, Monday from midnight to one.
pub(super) fn document(all: &[Shared]) -> Value {
    let shared = |shared: &Shared| {
        let hours = shared.hours.iter().map(|(joined, hours)| json!({ "hours": hours, "with": joined.id() }));
        json!({ "columns": shared.columns, "joined": hours.collect::<Vec<_>>() })
    };
    Value::Array(all.iter().map(shared).collect())
}
