//! `data drift`: reads what is compared, compares it, tells what kind of change it was, and prints the report.

mod beside;
mod cases;
mod input;
mod joined;
mod kinds;
mod next;
mod plan;
mod print;
mod seasons;
mod watching;
mod words;

use std::path::Path;

use bartizan_data::Outcome;
use bartizan_data::drift::{
    ChangeKind, Clusters, ColumnDrift, Comparison, DomainOptions, DomainReport, DriftReport, JoinReport,
    NotJudged, Options, Plan, Purpose, Strata, Verdict, conclude, domain, judge,
};
use bartizan_data::report::{Against, Subject};
use bartizan_data::threads;

use self::cases::{Case, Sides};
use self::input::{Input, Opened};
use self::kinds::Kind;
use self::plan::Wanted;
use self::words::Moved;
use super::Work;
use super::data::put::{self, may_replace, put_report};
use super::data::report;
use crate::catalog::ids;
use crate::cli::Drift;
use crate::failure::Failure;

/// What one comparison says before all of them are seen.
struct Part {
    label: String,
    rows: (u64, u64),
    timeless: (u64, u64),
    lines: Vec<ColumnDrift>,
    moved: Vec<Option<Moved>>,
    kinds: Vec<Option<Kind>>,
    together: Option<Result<DomainReport, String>>,
    skew: Option<JoinReport>,
    seasons: Vec<seasons::Shared>,
}

/// What one comparison says.
struct Compared {
    /// What was compared, where there are several.
    label: String,
    /// Rows of both sides, and of these such that a season leaves out for they have no time.
    rows: (u64, u64),
    timeless: (u64, u64),
    report: DriftReport,
    /// For each line of the report what changed, and for those that drift what kind of change it was.
    moved: Vec<Option<Moved>>,
    kinds: Vec<Option<Kind>>,
    /// Whether a classifier can tell the sides apart.
    together: Option<Result<DomainReport, String>>,
    skew: Option<JoinReport>,
    /// Hours of the week that share a baseline.
    seasons: Vec<seasons::Shared>,
}

pub(super) fn run(work: &Work, drift: &Drift) -> Result<u8, Failure> {
    let current = drift.current.first().unwrap_or(&drift.reference);
    let mut subject = report::subject(current);
    subject.against = Some(Against { name: report::name_of(&drift.reference), digest: None });
    let files: Vec<&Path> =
        std::iter::once(&drift.reference).chain(&drift.current).map(|path| path.as_path()).collect();
    if let Some(path) = &drift.out {
        report::apart(std::iter::once(path.as_path()), &files)?;
        may_replace(path, put::Kind::Drift, "--out")?;
    }
    report::guarded(&drift.reports, &subject, report::Task::DRIFT, &files, || compared(work, drift, &subject))
}

fn compared(work: &Work, drift: &Drift, subject: &Subject) -> Result<u8, Failure> {
    let wanted = Wanted::of(drift)?;
    let mut watch =
        drift.watching.watch.as_deref().map(|path| watching::Watching::open(path, &drift.watching));
    let mut watch = watch.take().transpose()?;
    let level = watch.as_ref().map_or(drift.alpha, watching::Watching::level);
    let opened = input::open(work, &wanted)?;
    let threads = super::data::threads(drift.reading.threads);
    let progress = work.out.working("comparing");
    let plan = Plan { max_draws: drift.draws, seed: drift.seed, ..Plan::default() };
    let purpose = if drift.key.is_some() { Purpose::Skew } else { Purpose::Drift };
    let options = Options { purpose, level, dependence: wanted.dependence, plan };
    let mut parts: Vec<Part> = Vec::new();
    let mut each = |case: &Case<'_>| {
        parts.push(judged(case, parts.len(), &wanted, &options, threads)?);
        Ok(())
    };
    match &opened {
        Opened { inputs: Input::Tables(tables), names } => {
            cases::of_tables(tables, names, &wanted, &mut each)?
        }
        Opened { inputs: Input::Profiles(profiles), names } => {
            cases::of_profiles(profiles, names, &wanted, &mut each)?;
        }
    }
    let compared = concluded(parts, &options);
    drop(progress);
    let mut outcome = all(compared.iter().flat_map(|one| [one.report.outcome(), others(one, drift)]));
    if let Some(path) = &drift.out {
        let bytes =
            whole(&compared, &options, drift).to_bytes().map_err(|error| Failure::of(ids::DRIFT, &error))?;
        put_report(path, &bytes)?;
    }
    if let (Some(watch), [only]) = (&mut watch, compared.as_slice()) {
        outcome = watch.take(&only.report, outcome, others(only, drift))?;
    }
    let profiles = || input::profiles(work, &wanted, &opened);
    report::drift(&drift.reports, subject, &whole(&compared, &options, drift), outcome, profiles)?;
    print::print(work, drift, &opened, &compared, watch.as_ref(), outcome)?;
    Ok(u8::from(outcome != Outcome::Valid))
}

/// Values of one hour of the week that a baseline of its own takes.
const VALUES_OF_AN_HOUR: u64 = 50;

/// Judges every column of a case by itself.
fn judged(
    case: &Case<'_>,
    number: usize,
    wanted: &Wanted<'_>,
    options: &Options,
    threads: usize,
) -> Result<Part, Failure> {
    // Each case draws anew, and draws the same whatever other cases there are.
    let seed = options.plan.seed.wrapping_add(u64::try_from(number).unwrap_or(0) << 32);
    let own = Options { plan: Plan { seed, ..options.plan }, ..*options };
    let clusters = case.clusters.as_ref().map(|(reference, current)| Clusters { reference, current });
    let strata = case.hours.as_ref().map(|(reference, current)| Strata::Hours {
        reference,
        current,
        least: VALUES_OF_AN_HOUR,
    });
    let comparison = Comparison { clusters, strata };
    let lines = threads::map(threads, case.sides.len(), |at| {
        case.sides.column(at).map_or_else(Vec::new, |column| judge(&wanted.told(column), &comparison, &own))
    });
    let unpicked = case.unpicked.iter().map(|name| ColumnDrift::not_judged(name, NotJudged::ElementsOfLists));
    let lines: Vec<ColumnDrift> = lines.into_iter().flatten().chain(unpicked).collect();
    Ok(Part {
        label: case.label.clone(),
        rows: case.rows,
        timeless: case.timeless(),
        moved: lines.iter().map(|line| words::moved(case, line, &wanted.gate)).collect(),
        kinds: kinds::of(case, &lines, wanted, options.level),
        together: wanted.drift.together.then(|| together(case, &own)),
        skew: wanted.drift.key.as_deref().map(|_| joined::join(case, wanted.drift)).transpose()?,
        seasons: seasons::of(case),
        lines,
    })
}

/// Takes the lines of all cases together, so that many cases raise no more false alarms than one.
fn concluded(parts: Vec<Part>, options: &Options) -> Vec<Compared> {
    let all = parts.iter().flat_map(|part| part.lines.iter().cloned()).collect();
    let mut lines = conclude(all, options).columns.into_iter();
    let Options { purpose, level, dependence, plan } = *options;
    let compared = |part: Part| {
        let columns: Vec<ColumnDrift> = lines.by_ref().take(part.lines.len()).collect();
        // A kind was told of all that might drift, before all columns were seen.
        let told = |(kind, line): (Option<Kind>, &ColumnDrift)| {
            kind.filter(|kind| line.verdict == Verdict::Drift || kind.id == ChangeKind::Schema.id())
        };
        Compared {
            label: part.label,
            rows: part.rows,
            timeless: part.timeless,
            moved: part.moved,
            kinds: part.kinds.into_iter().zip(&columns).map(told).collect(),
            together: part.together,
            skew: part.skew,
            seasons: part.seasons,
            report: DriftReport {
                purpose,
                level,
                dependence,
                seed: plan.seed,
                columns,
                beside: Vec::new(),
                left_out: 0,
            },
        }
    };
    parts.into_iter().map(compared).collect()
}

/// Asks whether a classifier can tell the sides apart by all columns that are given row by row.
fn together(case: &Case<'_>, options: &Options) -> Result<DomainReport, String> {
    let Sides::Tables(pairs) = &case.sides else {
        return Err("a profile holds no rows".to_owned());
    };
    let usable = pairs.iter().filter(|pair| !pair.nested && pair.schema.is_none());
    let columns: Vec<_> = usable.map(bartizan_data::drift::Pair::column).collect();
    let clusters = case.clusters.as_ref().map(|(reference, current)| Clusters { reference, current });
    let own = DomainOptions { level: options.level, plan: options.plan, ..DomainOptions::default() };
    domain(&columns, clusters, &own).map_err(|reason| reason.message().to_owned())
}

/// What follows of what was asked beside the report.
fn others(compared: &Compared, drift: &Drift) -> Outcome {
    let asked = beside::of(compared, "", drift).into_iter().map(|one| one.outcome);
    all(asked.chain([Outcome::Valid]))
}

/// What follows of several verdicts: the worst of them, and none of none.
fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let worst = |one, two| match (one, two) {
        (Outcome::Invalid, _) | (_, Outcome::Invalid) => Outcome::Invalid,
        (Outcome::Error, _) | (_, Outcome::Error) => Outcome::Error,
        (Outcome::Valid, Outcome::Valid) => Outcome::Valid,
    };
    outcomes.into_iter().reduce(worst).unwrap_or(Outcome::Error)
}

/// All comparisons in one report; where there are several, columns are named `COMPARISON: COLUMN`.
fn whole(compared: &[Compared], options: &Options, drift: &Drift) -> DriftReport {
    let several = compared.len() > 1;
    let named = |one: &Compared| -> Vec<ColumnDrift> {
        let name = |line: &ColumnDrift| match several {
            true => ColumnDrift { column: format!("{}: {}", one.label, line.column), ..line.clone() },
            false => line.clone(),
        };
        one.report.columns.iter().map(name).collect()
    };
    let Options { purpose, level, dependence, plan } = *options;
    DriftReport {
        purpose,
        level,
        dependence,
        seed: plan.seed,
        columns: compared.iter().flat_map(named).collect(),
        beside: compared
            .iter()
            .flat_map(|one| beside::of(one, if several { one.label.as_str() } else { "" }, drift))
            .collect(),
        left_out: 0,
    }
}
