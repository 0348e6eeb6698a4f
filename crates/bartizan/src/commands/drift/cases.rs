//! Which rows are compared with which: whole files, or the periods and groups that `--by` makes.

use bartizan_data::Profile;
use bartizan_data::drift::{
    Column, Frame, FrameColumn, FrameKind, Pair, Period, ProfilePair, Side, Tags, hour_of_week, pairs,
    profile_pairs,
};
use bartizan_data::limits::DRIFT_GROUPS;
use bartizan_data::report::Gate;

use super::plan::Wanted;
use crate::catalog::ids;
use crate::failure::Failure;

/// One comparison: the columns, and what is known of the rows beside them.
pub(super) struct Case<'a> {
    /// What it is called where there are several.
    pub(super) label: String,
    pub(super) sides: Sides<'a>,
    pub(super) clusters: Option<(Vec<u64>, Vec<u64>)>,
    /// The hour of the week of each row, where these are compared one by one.
    pub(super) hours: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) times: Option<(Vec<f64>, Vec<f64>)>,
    pub(super) time_kind: FrameKind,
    pub(super) sources: Option<Tags>,
    pub(super) labels: Option<Tags>,
    pub(super) keys: Option<Tags>,
    /// Rows of both sides.
    pub(super) rows: (u64, u64),
    /// Columns of which some of the rows cannot be picked.
    pub(super) unpicked: Vec<&'a str>,
}

/// The columns of both sides.
pub(super) enum Sides<'a> {
    Tables(Vec<Pair<'a>>),
    Profiles(Vec<ProfilePair<'a>>),
}

impl Sides<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Tables(pairs) => pairs.len(),
            Self::Profiles(pairs) => pairs.len(),
        }
    }

    pub(super) fn column(&self, at: usize) -> Option<Column<'_>> {
        match self {
            Self::Tables(pairs) => pairs.get(at).map(Pair::column),
            Self::Profiles(pairs) => pairs.get(at).map(ProfilePair::column),
        }
    }
}

/// What is done with each comparison; only one is held at a time.
type Each<'e> = dyn FnMut(&Case<'_>) -> Result<(), Failure> + 'e;

/// Each profile with the first.
pub(super) fn of_profiles(
    profiles: &[Profile],
    names: &[String],
    wanted: &Wanted<'_>,
    each: &mut Each<'_>,
) -> Result<(), Failure> {
    let Some((reference, rest)) = profiles.split_first() else { return Ok(()) };
    for (profile, name) in rest.iter().zip(names.iter().skip(1)) {
        let mut pairs = profile_pairs(reference, profile, |name| wanted.form(name));
        check_columns(wanted, names, |name| pairs.iter().any(|pair| pair.name == name))?;
        pairs.retain(|pair| wanted.is_compared(pair.name));
        each(&Case {
            label: name.clone(),
            sides: Sides::Profiles(pairs),
            clusters: None,
            hours: None,
            times: None,
            time_kind: FrameKind::Empty,
            sources: None,
            labels: None,
            keys: None,
            rows: (reference.rows(), profile.rows()),
            unpicked: Vec::new(),
        })?;
    }
    Ok(())
}

/// Each table with the first, or the groups of one.
pub(super) fn of_tables(
    tables: &[Frame],
    names: &[String],
    wanted: &Wanted<'_>,
    each: &mut Each<'_>,
) -> Result<(), Failure> {
    let Some((reference, rest)) = tables.split_first() else { return Ok(()) };
    let name = |at: usize| names.get(at).map_or("", String::as_str);
    if let Some(by) = &wanted.drift.by {
        let current = rest.first().unwrap_or(reference);
        let place = rest.len();
        let column = current.column(by).ok_or_else(|| Wanted::absent(by, name(place)))?;
        return groups((reference, name(0)), (current, name(place)), column, !rest.is_empty(), wanted, each);
    }
    for (at, current) in (1..).zip(rest) {
        let mut whole = whole((reference, name(0)), (current, name(at)), wanted)?;
        whole.label = name(at).to_owned();
        whole.hours = hours(&whole, wanted);
        each(&whole)?;
    }
    Ok(())
}

/// All rows of two tables.
fn whole<'a>(
    (reference, first): (&'a Frame, &str),
    (current, second): (&'a Frame, &str),
    wanted: &Wanted<'_>,
) -> Result<Case<'a>, Failure> {
    let mut pairs = pairs(reference, current);
    check_columns(wanted, &[first.to_owned()], |name| reference.has(name) || current.has(name))?;
    pairs.retain(|pair| wanted.is_compared(pair.name));
    let columns = |role: Option<&str>| -> Result<Option<(&'a FrameColumn, &'a FrameColumn)>, Failure> {
        let Some(role) = role else { return Ok(None) };
        let one = reference.column(role).ok_or_else(|| Wanted::absent(role, first))?;
        let two = current.column(role).ok_or_else(|| Wanted::absent(role, second))?;
        Ok(Some((one, two)))
    };
    let tags = |role: Option<&str>| -> Result<Option<Tags>, Failure> {
        Ok(columns(role)?.map(|(one, two)| Tags::of(Some(one), Some(two), None)))
    };
    let few = |role: Option<&str>| -> Result<Option<Tags>, Failure> {
        let tags = tags(role)?;
        match (role, &tags) {
            (Some(role), Some(found)) if found.names.len() > DRIFT_GROUPS => {
                Err(too_many(role, found.names.len()))
            }
            (Some(role), _) => Ok(tags.map(|tags| told(tags, role, &wanted.gate))),
            (None, _) => Ok(tags),
        }
    };
    let drift = wanted.drift;
    let mut time_kind = FrameKind::Empty;
    let times = match columns(drift.time.as_deref())? {
        None => None,
        Some((one, two)) => {
            let role = drift.time.as_deref().unwrap_or("");
            let numbers = one.numbers().zip(two.numbers());
            let refused =
                || Failure::new(ids::DRIFT, format!("`{role}` does not hold times or numbers on both sides"));
            time_kind = one.kind();
            let (one, two) = numbers.ok_or_else(refused)?;
            Some((one.to_vec(), two.to_vec()))
        }
    };
    Ok(Case {
        label: String::new(),
        sides: Sides::Tables(pairs),
        clusters: tags(drift.cluster.as_deref())?.map(clusters),
        hours: None,
        times,
        time_kind,
        sources: few(drift.source.as_deref())?,
        labels: few(drift.label.as_deref())?,
        keys: tags(drift.key.as_deref())?,
        rows: (count(reference.rows()), count(current.rows())),
        unpicked: Vec::new(),
    })
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Every column that the command names must be somewhere.
fn check_columns(wanted: &Wanted<'_>, names: &[String], known: impl Fn(&str) -> bool) -> Result<(), Failure> {
    match wanted.named().find(|name| !known(name) && !wanted.roles().any(|role| role == *name)) {
        Some(name) => Err(Wanted::absent(name, names.first().map_or("", String::as_str))),
        None => Ok(()),
    }
}

fn too_many(role: &str, found: usize) -> Failure {
    let what = format!("`{role}` has {found} different values, and {DRIFT_GROUPS} at most are told apart");
    Failure::new(ids::DRIFT, what)
}

/// A number for the cluster of each row; a row without one is a cluster of its own.
fn clusters(tags: Tags) -> (Vec<u64>, Vec<u64>) {
    let own = |(code, row): (u32, u64)| if code == Side::MISSING { row } else { u64::from(code) };
    let (one, two) = (1_u64 << 33, 1_u64 << 50);
    (
        tags.reference.into_iter().zip(one..).map(own).collect(),
        tags.current.into_iter().zip(two..).map(own).collect(),
    )
}

/// The hour of the week of each row, [`NO_HOUR`] where there is no time.
fn hours(case: &Case<'_>, wanted: &Wanted<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (before, after) = case.times.as_ref().filter(|_| wanted.drift.season)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float is cut to seconds on purpose, and saturates"
    )]
    let hour = |time: &f64| if time.is_finite() { hour_of_week(time.floor() as i64, 0) } else { NO_HOUR };
    Some((before.iter().map(hour).collect(), after.iter().map(hour).collect()))
}

/// The hour of a row without a time.
const NO_HOUR: u8 = u8::MAX;

impl Case<'_> {
    /// Rows of both sides that are left out of a season because they have no time.
    pub(super) fn timeless(&self) -> (u64, u64) {
        let without = |hours: &[u8]| count(hours.iter().filter(|hour| **hour == NO_HOUR).count());
        self.hours.as_ref().map_or((0, 0), |(one, two)| (without(one), without(two)))
    }
}

/// Each group of the current rows with the reference, or with the group before.
fn groups(
    (reference, first): (&Frame, &str),
    (current, second): (&Frame, &str),
    by: &FrameColumn,
    apart: bool,
    wanted: &Wanted<'_>,
    each: &mut Each<'_>,
) -> Result<(), Failure> {
    let role = by.name();
    let every = wanted.every.or_else(|| by.holds_times().then_some(Period::Month));
    if every.is_some() && !by.holds_times() {
        return Err(Failure::new(
            ids::DRIFT,
            format!(
                "`{role}` holds no times that `--every` could make periods of; numbers, such as seconds since 1970, are no times here: write them as 2026-03-01T12:00:00Z"
            ),
        ));
    }
    let tags = Tags::of(None, Some(by), every);
    if tags.names.len() > DRIFT_GROUPS {
        return Err(too_many(role, tags.names.len()));
    }
    let groups = grouped(tags, role, &wanted.gate);
    let valued = groups.iter().filter(|group| group.valued).count();
    let least = if apart { 1 } else { 2 };
    if valued < least {
        return Err(Failure::new(
            ids::DRIFT,
            format!("`{role}` has {valued} values, and there is nothing to compare"),
        ));
    }
    let outer = whole((reference, first), (current, second), wanted)?;
    let inner = if wanted.previous && apart {
        Some(whole((current, second), (current, second), wanted)?)
    } else {
        None
    };
    let all: Vec<u32> = (0..u32::try_from(reference.rows()).unwrap_or(u32::MAX)).collect();
    for (at, group) in groups.iter().enumerate() {
        // Rows without a value come after no others.
        let previous = wanted.previous && group.valued;
        let before = at.checked_sub(1).and_then(|at| groups.get(at));
        let (case, others, other) = match (apart, before) {
            (true, Some(before)) if previous => {
                (inner.as_ref().unwrap_or(&outer), &before.rows, before.name.as_str())
            }
            (true, _) => (&outer, &all, first),
            (false, None) => continue,
            (false, Some(before)) => {
                let other = groups.first().filter(|_| !previous).unwrap_or(before);
                (&outer, &other.rows, other.name.as_str())
            }
        };
        let mut picked = picked(case, others, &group.rows);
        let name = &group.name;
        picked.label = if wanted.previous { format!("{name} against {other}") } else { name.clone() };
        picked.hours = hours(&picked, wanted);
        each(&picked)?;
    }
    Ok(())
}

/// Rows that `--by` compares by themselves.
struct Group {
    name: String,
    rows: Vec<u32>,
    /// Whether they have a value.
    valued: bool,
}

/// Names stand in every report, so one that looks personal is told by its number.
fn told(tags: Tags, role: &str, gate: &Gate) -> Tags {
    let told = |(number, name): (usize, String)| match gate.may_name(role, &name) {
        true => name,
        false => format!("group {number} of `{role}`"),
    };
    Tags { names: (1..).zip(tags.names).map(told).collect(), ..tags }
}

/// The rows of each value in the order of the values, and those without one, if there are such.
fn grouped(tags: Tags, role: &str, gate: &Gate) -> Vec<Group> {
    let tags = told(tags, role, gate);
    let group = |name| Group { name, rows: Vec::new(), valued: true };
    let mut groups: Vec<Group> = tags.names.into_iter().map(group).collect();
    let mut rest = Group { name: format!("rows without `{role}`"), rows: Vec::new(), valued: false };
    for (row, code) in (0_u32..).zip(&tags.current) {
        let group = usize::try_from(*code).ok().and_then(|code| groups.get_mut(code));
        group.unwrap_or(&mut rest).rows.push(row);
    }
    if !rest.rows.is_empty() {
        groups.push(rest);
    }
    groups
}

/// Some rows of a case.
fn picked<'a>(case: &Case<'a>, one: &[u32], two: &[u32]) -> Case<'a> {
    fn of<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
        rows.iter().filter_map(|row| values.get(usize::try_from(*row).ok()?)).copied().collect()
    }
    fn both<T: Copy>(sides: &Option<(Vec<T>, Vec<T>)>, one: &[u32], two: &[u32]) -> Option<(Vec<T>, Vec<T>)> {
        sides.as_ref().map(|sides| (of(&sides.0, one), of(&sides.1, two)))
    }
    let tags = |tags: &Option<Tags>| {
        tags.as_ref().map(|tags| Tags {
            reference: of(&tags.reference, one),
            current: of(&tags.current, two),
            names: tags.names.clone(),
        })
    };
    // Elements of lists have no rows to pick.
    let unpicked = match &case.sides {
        Sides::Profiles(_) => Vec::new(),
        Sides::Tables(pairs) => pairs.iter().filter(|pair| pair.nested).map(|pair| pair.name).collect(),
    };
    let sides = match &case.sides {
        Sides::Profiles(_) => Sides::Profiles(Vec::new()),
        Sides::Tables(pairs) => Sides::Tables(
            pairs
                .iter()
                .filter(|pair| !pair.nested)
                .map(|pair| Pair {
                    reference: pair.reference.pick(one),
                    current: pair.current.pick(two),
                    texts: pair.texts.clone(),
                    ..*pair
                })
                .collect(),
        ),
    };
    Case {
        label: String::new(),
        sides,
        clusters: both(&case.clusters, one, two),
        hours: None,
        times: both(&case.times, one, two),
        time_kind: case.time_kind,
        sources: tags(&case.sources),
        labels: tags(&case.labels),
        keys: tags(&case.keys),
        rows: (count(one.len()), count(two.len())),
        unpicked,
    }
}
