//! What kind of change it was: gradual, seasonal, of the schema, or sudden and confined, which smells of attack.

mod onset;
mod parts;

use super::arrange::arrange_counts;
use super::cells::Cells;
use super::compare::ClusterCounts;
use super::null::Plan;
use super::report::NotJudged;
use super::statistic::{Statistic, Undefined};
use super::summary::Bounded;

use self::onset::{Onset, onset};
pub use self::parts::Part;
use self::parts::{concentrated, excess_label};

/// Rows of one source (and one label, where labels are known) in a stretch of time, by cell of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Who delivered them: a small number for each source.
    pub source: u32,
    /// Their label, where there is one.
    pub label: Option<u32>,
    /// Rows by bin or category.
    pub counts: Vec<u64>,
}

/// A stretch of time, such as an hour or a day; all are of one length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bucket {
    /// Its place in the season, such as the hour of the week; 0 throughout when there is none.
    pub phase: u16,
    /// What came.
    pub groups: Vec<Group>,
}

/// A change of the schema in the same time, as schema inference or a check reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaChange {
    /// The column is new.
    Added,
    /// The column is gone.
    Removed,
    /// Its type is another.
    Retyped,
    /// It was renamed, or its unit or spelling changed, on purpose.
    Redefined,
}

/// From which evidence to call a change what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeOptions {
    /// The chance of calling a change where there is none.
    pub level: f64,
    /// The least Jensen-Shannon distance that counts as a change.
    pub floor: f64,
    /// The share of the change that one source must carry for the change to be that source's.
    pub concentration: f64,
    /// By how much the share of one label among the rows that came in addition must exceed what the same values had
    /// before.
    pub label_excess: f64,
    /// The share of rows with values never seen before that makes a change of all sources one of the schema.
    pub unseen: f64,
    /// The permutations, and their seed.
    pub plan: Plan,
}

impl Default for ChangeOptions {
    fn default() -> Self {
        Self {
            level: 0.01,
            floor: Statistic::JensenShannon.floor(),
            concentration: 0.8,
            label_excess: 0.3,
            unseen: 0.5,
            plan: Plan::default(),
        }
    }
}

impl ChangeOptions {
    /// Whether a change is that of one part: it carries most, and without it there is none.
    fn is_confined(&self, part: &Part) -> bool {
        part.share >= self.concentration && part.without < self.floor
    }
}

/// What kind of change it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// There is too little to tell.
    NotJudged(NotJudged),
    /// No change that is significant and large enough.
    None,
    /// The schema changed, or what values mean did.
    Schema,
    /// The same time of other seasons looked alike.
    Seasonal,
    /// It came over several buckets.
    Gradual,
    /// It came from one bucket to the next, in many sources and with any label.
    Sudden,
    /// It came from one bucket to the next, and from one source or with one label: an attack looks like this. So does a
    /// source that broke.
    SuspectedAttack,
    /// A change, but a step and a slope explain it equally well.
    UnclearOnset,
}

impl ChangeKind {
    /// The stable word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotJudged(_) => "not-judged",
            Self::None => "none",
            Self::Schema => "schema-change",
            Self::Seasonal => "seasonal",
            Self::Gradual => "gradual",
            Self::Sudden => "sudden",
            Self::SuspectedAttack => "suspected-attack",
            Self::UnclearOnset => "unclear-onset",
        }
    }
}

/// The numbers that a kind rests on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChangeEvidence {
    /// Jensen-Shannon distance of the most different third of the current buckets from the reference.
    pub distance: f64,
    /// The chance of such a distance when buckets are exchangeable.
    pub p: f64,
    /// The same distance from the same phases of the reference, where there are phases.
    pub distance_in_season: Option<f64>,
    /// Over how many buckets the change rose, by the best fit; 1 is from one to the next.
    pub rise: usize,
    /// The first bucket of the rise, counted from the first of the reference.
    pub begins: usize,
    /// How much worse a step explains the course than the best rise, in its error variances.
    pub step_misfit: f64,
    /// How much worse the best rise over three buckets or more explains it than the best one.
    pub slope_misfit: f64,
    /// The source that carries most of the change, the share of it that it carries, and the distance without it.
    pub source: Option<Part>,
    /// The same for labels.
    pub label: Option<Part>,
    /// The label that came with the additional rows, and by how much its share exceeds what it was before.
    pub label_excess: Option<(u32, f64)>,
    /// The share of current rows whose value was never seen in the reference.
    pub unseen: f64,
}

/// What kind of change it was, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The kind.
    pub kind: ChangeKind,
    /// The numbers.
    pub evidence: ChangeEvidence,
    /// The reasons, for people.
    pub reasons: Vec<String>,
}

/// Which source or label a difference comes with, whenever it came.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Carriers {
    /// The source that carries most of it.
    pub source: Option<Part>,
    /// The label that carries most of it.
    pub label: Option<Part>,
    /// The label that came with the additional rows, and by how much its share exceeds what it was before.
    pub label_excess: Option<(u32, f64)>,
}

/// Tells which source or label carries a difference, where times are not known: only what lies beyond the bounds of
/// `options`.
pub fn carriers(before: &[Bucket], after: &[Bucket], options: &ChangeOptions) -> Carriers {
    let confined = |part: &Part| options.is_confined(part);
    Carriers {
        source: concentrated(before, after, |group| Some(group.source)).filter(confined),
        label: concentrated(before, after, |group| group.label).filter(confined),
        label_excess: excess_label(before, after).filter(|(_, excess)| *excess >= options.label_excess),
    }
}

/// The misfit from which one course is preferred to another: the 0.998 quantile of chi-squared with one degree of
/// freedom, as several courses are tried.
const CLEARLY: f64 = 9.5;

/// Tells what kind of change came over one column: the first `reference` buckets in their order, then the current
/// ones.
pub fn explain(
    buckets: &[Bucket],
    reference: usize,
    schema: &[SchemaChange],
    options: &ChangeOptions,
) -> Change {
    let Some((before, after)) = buckets.split_at_checked(reference) else {
        return unjudged(NotJudged::Undefined(Undefined::NoCurrent));
    };
    // The change may have ended again, so the third of the current time that differs most stands for it.
    let thirds = after.chunks(after.len().div_ceil(3).max(1));
    let Some((window, _)) = thirds
        .enumerate()
        .filter(|(_, third)| parts::rows(third) > 0.0)
        .map(|(at, third)| (at, parts::distance(before, third, |_| true)))
        .max_by(|one, two| one.1.total_cmp(&two.1).then(two.0.cmp(&one.0)))
    else {
        return unjudged(NotJudged::Undefined(Undefined::NoCurrent));
    };
    if parts::rows(before) <= 0.0 {
        return unjudged(NotJudged::Undefined(Undefined::NoReference));
    }
    let length = after.len().div_ceil(3).max(1);
    let end = ((window + 1) * length).min(after.len());
    let late = after.get(window * length..end).unwrap_or(after);
    let mut evidence = ChangeEvidence { unseen: parts::unseen(before, late), ..ChangeEvidence::default() };
    if let Err(reason) = measure(before, after, late, options, &mut evidence) {
        return unjudged(reason);
    }
    if !schema.is_empty() {
        let reasons = vec![format!("the schema of the column changed in {} ways", schema.len())];
        return Change { kind: ChangeKind::Schema, evidence, reasons };
    }
    if evidence.p > options.level || evidence.distance < options.floor {
        let reasons = vec![format!(
            "a distance of {:.3} is not significant (p {:.3}) or below the floor of {}",
            evidence.distance, evidence.p, options.floor
        )];
        return Change { kind: ChangeKind::None, evidence, reasons };
    }
    if let Some(distance) = evidence.distance_in_season.filter(|distance| *distance < options.floor) {
        let reasons = vec![format!(
            "the distance is {:.3}, but only {distance:.3} from the same times of other seasons",
            evidence.distance
        )];
        return Change { kind: ChangeKind::Seasonal, evidence, reasons };
    }
    evidence.source = concentrated(before, late, |group| Some(group.source));
    evidence.label = concentrated(before, late, |group| group.label);
    evidence.label_excess = excess_label(before, late);
    // A change that is one source's (or label's) has its course there, without the noise of all others.
    let source = evidence.source.filter(|part| options.is_confined(part));
    let label = evidence.label.filter(|part| options.is_confined(part));
    let course = parts::only(buckets.get(..reference + end).unwrap_or(buckets), |group| {
        source.is_none_or(|part| part.id == group.source)
            && (source.is_some() || label.is_none_or(|part| group.label == Some(part.id)))
    });
    let shown = course.get(reference + window * length..).unwrap_or_default();
    if let Some(Onset { rise, begins, step_misfit, slope_misfit }) = onset(&course, reference, shown) {
        evidence = ChangeEvidence { rise, begins, step_misfit, slope_misfit, ..evidence };
    }
    decide(evidence, options)
}

fn measure(
    before: &[Bucket],
    after: &[Bucket],
    late: &[Bucket],
    options: &ChangeOptions,
    evidence: &mut ChangeEvidence,
) -> Result<(), NotJudged> {
    evidence.distance = parts::distance(before, late, |_| true);
    let clusters = |buckets: &[Bucket], season: bool| -> Vec<ClusterCounts> {
        let cluster = |bucket: &Bucket| ClusterCounts {
            stratum: if season { bucket.phase } else { 0 },
            counts: parts::whole(bucket),
        };
        buckets.iter().map(cluster).collect()
    };
    let counts = (parts::sum(before), parts::sum(late));
    let length = counts.0.len().max(counts.1.len());
    let padded = |mut counts: Vec<u64>| {
        counts.resize(length, 0);
        counts
    };
    let cells = Cells::of_counts(&padded(counts.0), &padded(counts.1))?;
    let (ours, theirs) = (clusters(before, false), clusters(after, false));
    let statistic = Statistic::JensenShannon;
    let arranged = arrange_counts(&ours, &theirs, &cells, options.plan.seed)?;
    let (_, observed) = arranged.values(statistic, Bounded::exact(0.0))?;
    let tested = arranged.design.test(statistic, observed.value, &options.plan)?;
    if tested.least_p > options.level {
        return Err(NotJudged::TooFew);
    }
    evidence.p = tested.p;
    if before.iter().chain(late).any(|bucket| bucket.phase != 0) {
        // Phases that the reference does not know leave the season open.
        let (ours, theirs) = (clusters(before, true), clusters(late, true));
        if let Ok(arranged) = arrange_counts(&ours, &theirs, &cells, options.plan.seed) {
            let (distance, _) = arranged.values(statistic, Bounded::exact(evidence.distance))?;
            evidence.distance_in_season = Some(distance.value);
        }
    }
    Ok(())
}

fn decide(evidence: ChangeEvidence, options: &ChangeOptions) -> Change {
    let ChangeEvidence { step_misfit, slope_misfit, rise, begins, .. } = evidence;
    let mut reasons = Vec::new();
    let source = evidence.source.filter(|part| options.is_confined(part));
    let label = evidence.label.filter(|part| options.is_confined(part));
    let excess = evidence.label_excess.filter(|(_, excess)| *excess >= options.label_excess);
    if evidence.unseen >= options.unseen && source.is_none() && label.is_none() && excess.is_none() {
        reasons.push(format!(
            "{:.0} % of the rows hold values never seen before, from all sources",
            evidence.unseen * 100.0
        ));
        return Change { kind: ChangeKind::Schema, evidence, reasons };
    }
    let kind = match (step_misfit > CLEARLY, slope_misfit > CLEARLY) {
        (true, _) => {
            reasons.push(format!("it rose over {rise} buckets from bucket {begins} on"));
            ChangeKind::Gradual
        }
        (false, false) => {
            reasons.push("a step and a slope explain its course equally well".to_owned());
            ChangeKind::UnclearOnset
        }
        (false, true) => {
            reasons.push(format!("it came at once with bucket {begins}"));
            if source.is_some() || label.is_some() || excess.is_some() {
                ChangeKind::SuspectedAttack
            } else {
                ChangeKind::Sudden
            }
        }
    };
    for (name, part) in [("source", source), ("label", label)] {
        if let Some(Part { id, share, without }) = part {
            let share = share * 100.0;
            reasons.push(format!(
                "{name} {id} carries {share:.0} % of it; without, the distance is {without:.3}"
            ));
        }
    }
    if let Some((label, excess)) = excess {
        reasons.push(format!(
            "among the additional rows the share of label {label} is {:.0} points above what these values had",
            excess * 100.0
        ));
    }
    Change { kind, evidence, reasons }
}

fn unjudged(reason: NotJudged) -> Change {
    Change {
        kind: ChangeKind::NotJudged(reason),
        evidence: ChangeEvidence::default(),
        reasons: vec![reason.message().to_owned()],
    }
}
