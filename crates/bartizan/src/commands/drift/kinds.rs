//! What kind of change a drift is: of the schema, gradual, seasonal, sudden, or from one source or with one label.

use bartizan_data::drift::{
    ChangeEvidence, ChangeKind, ChangeOptions, ColumnDrift, Course, Held, Measure, Part, RowFacts,
    SchemaChange, Tags, carriers, course, explain,
};

use super::cases::{Case, Sides};
use super::plan::Wanted;
use crate::out::shown;

/// The kind of a change and the reasons for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    /// The stable word: those of the library, `one-source` and `one-label` for what is known without times,
    /// `counter` for a column that counts rows,
    /// `unclear-course` where rows differ and stretches of time do not tell when that came, and `unknown`.
    pub(super) id: &'static str,
    pub(super) reasons: Vec<String>,
}

/// The kind of each line that may be drift.
pub(super) fn of(
    case: &Case<'_>,
    lines: &[ColumnDrift],
    wanted: &Wanted<'_>,
    level: f64,
) -> Vec<Option<Kind>> {
    let kind = |line: &ColumnDrift| {
        let schema = schema(case, &line.column);
        if line.measure == Measure::Values
            && let Some(change) = schema
        {
            return Some(Kind { id: ChangeKind::Schema.id(), reasons: vec![changed(change).to_owned()] });
        }
        let effect = line.effect.map_or(0.0, |effect| effect.high);
        let possible = line.p.is_some_and(|(p, _)| p <= level) && effect >= line.floor;
        possible.then(|| told(case, line, wanted))
    };
    lines.iter().map(kind).collect()
}

/// Whether every value is greater than the one before. By chance a column of eight values is so once in 40,000 times.
fn counts_up(values: &[f64]) -> bool {
    values.len() >= 8 && values.is_sorted_by(|one, two| one < two)
}

const fn changed(change: SchemaChange) -> &'static str {
    match change {
        SchemaChange::Added => "the column is new",
        SchemaChange::Removed => "the column is gone",
        SchemaChange::Retyped => "its values are of another type",
        SchemaChange::Redefined => "it means something else",
    }
}

fn schema(case: &Case<'_>, name: &str) -> Option<SchemaChange> {
    match &case.sides {
        Sides::Tables(pairs) => pairs.iter().find(|pair| pair.name == name).and_then(|pair| pair.schema),
        Sides::Profiles(pairs) => pairs.iter().find(|pair| pair.name == name).and_then(|pair| pair.schema),
    }
}

fn told(case: &Case<'_>, line: &ColumnDrift, wanted: &Wanted<'_>) -> Kind {
    let unknown = |why: &str| Kind { id: "unknown", reasons: vec![why.to_owned()] };
    let Sides::Tables(pairs) = &case.sides else {
        return unknown("a profile does not say when or from where values came");
    };
    let Some(pair) = pairs.iter().find(|pair| pair.name == line.column) else {
        return unknown("its rows are not known");
    };
    if let (Held::Numbers(one), Held::Numbers(two)) = (&pair.reference, &pair.current)
        && counts_up(one)
        && counts_up(two)
    {
        let why = format!(
            "it rises from row to row, as a row's number or time does; `--leave-out {}`",
            shown(&line.column)
        );
        return Kind { id: "counter", reasons: vec![why] };
    }
    if case.times.is_none() && case.sources.is_none() && case.labels.is_none() {
        return unknown("`--time`, `--source` and `--label` name the columns that tell");
    }
    if pair.nested {
        return unknown("elements of lists belong to no row alone");
    }
    let sides = |tags: &'_ Option<Tags>| -> Option<(Vec<u32>, Vec<u32>)> {
        tags.as_ref().map(|tags| (tags.reference.clone(), tags.current.clone()))
    };
    let (sources, labels) = (sides(&case.sources), sides(&case.labels));
    // The label itself comes with the label.
    let labels = labels.filter(|_| wanted.drift.label.as_deref() != Some(line.column.as_str()));
    fn borrowed<T>(sides: &Option<(Vec<T>, Vec<T>)>) -> Option<(&[T], &[T])> {
        sides.as_ref().map(|(one, two)| (one.as_slice(), two.as_slice()))
    }
    let facts = RowFacts {
        times: borrowed(&case.times),
        sources: borrowed(&sources),
        labels: borrowed(&labels),
        seasonal: wanted.drift.season,
    };
    let options = ChangeOptions::default();
    let carried = || {
        let Some(Course { buckets, split, .. }) =
            course(&pair.reference, &pair.current, &RowFacts { times: None, ..facts })
        else {
            return unknown("the two sides hold different kinds of values");
        };
        let (before, after) = buckets.split_at_checked(split).unwrap_or((&buckets, &[]));
        of_carriers(case, &carriers(before, after, &options))
    };
    if facts.times.is_none() {
        return carried();
    }
    let Some(course) = course(&pair.reference, &pair.current, &facts) else {
        let mut kind = carried();
        kind.reasons.push("the two sides overlap in time, so that neither came after the other".to_owned());
        return kind;
    };
    let change = explain(&course.buckets, course.split, &[], &options);
    if change.kind == ChangeKind::None {
        return uncertain(&change.evidence, &options);
    }
    let mut reasons: Vec<String> = change.reasons.iter().map(|reason| named(case, reason)).collect();
    if let Some(begins) = starts(case, change.kind, &course, change.evidence.begins) {
        reasons.push(begins);
    }
    Kind { id: change.kind.id(), reasons }
}

/// The rows differ; stretches of time, which are fewer and not as alike as rows, do not tell when that came.
fn uncertain(evidence: &ChangeEvidence, options: &ChangeOptions) -> Kind {
    let ChangeEvidence { distance, p, .. } = *evidence;
    let why = if p > options.level {
        format!(
            "rows differ, but compared by stretches of time, which differ among each other too, a distance of {distance:.3} comes by chance {:.0} times in 100: when it came is not told, and with `--cluster` or `--season` it may be no drift",
            p * 100.0
        )
    } else {
        format!(
            "rows differ, but no third of the current time by {} or more from the reference (Jensen-Shannon distance {distance:.3}): when it came is not told",
            options.floor
        )
    };
    Kind { id: "unclear-course", reasons: vec![why] }
}

/// Names sources and labels where the library has numbers.
fn named(case: &Case<'_>, reason: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut of: Option<&Tags> = None;
    for word in reason.split(' ') {
        let name = of.take().and_then(|tags| tags.names.get(word.parse::<usize>().ok()?));
        words.push(name.map_or_else(|| word.to_owned(), |name| format!("`{}`", shown(name))));
        of = match word {
            "source" => case.sources.as_ref(),
            "label" => case.labels.as_ref(),
            _ => None,
        };
    }
    words.join(" ")
}

/// When a change began, where that is known.
fn starts(case: &Case<'_>, kind: ChangeKind, course: &Course, at: usize) -> Option<String> {
    if !matches!(kind, ChangeKind::Gradual | ChangeKind::Sudden | ChangeKind::SuspectedAttack) {
        return None;
    }
    let time = course.begins.get(at)?;
    Some(format!("it began about {}", bartizan_data::drift::value_name(time.floor(), case.time_kind)))
}

fn of_carriers(case: &Case<'_>, carriers: &bartizan_data::drift::Carriers) -> Kind {
    let name = |tags: &Option<Tags>, id: u32| {
        let name = tags.as_ref().and_then(|tags| tags.names.get(usize::try_from(id).ok()?));
        name.map_or_else(|| "without a name".to_owned(), |name| format!("`{}`", shown(name)))
    };
    let mut reasons = Vec::new();
    let part = |what: &str, name: &str, part: &Part| {
        let share = part.share * 100.0;
        format!("{what} {name} carries {share:.0} % of it; without it the distance is {:.3}", part.without)
    };
    if let Some(source) = &carriers.source {
        reasons.push(part("source", &name(&case.sources, source.id), source));
    }
    if let Some(label) = &carriers.label {
        reasons.push(part("label", &name(&case.labels, label.id), label));
    }
    if let Some((label, excess)) = carriers.label_excess {
        reasons.push(format!(
            "among the additional rows the share of label {} is {:.0} points above what these values had",
            name(&case.labels, label),
            excess * 100.0
        ));
    }
    let id = match (carriers.source, carriers.label, carriers.label_excess) {
        (Some(_), ..) => "one-source",
        (None, None, None) => "unknown",
        _ => "one-label",
    };
    if reasons.is_empty() {
        let what = match (case.sources.is_some(), case.labels.is_some()) {
            (true, true) => "sources and labels",
            (true, false) => "sources",
            _ => "labels",
        };
        reasons.push(format!("it is spread over {what}"));
    }
    Kind { id, reasons }
}
