//! What ledger entries say, in words.

use bartizan_base::PrincipalId;
use bartizan_keys::dsse;
use bartizan_registry::state::Logged;
use bartizan_registry::statement::{
    AliasV1, DatasetV1, EndpointChange, EndpointV1, ErasureStep, ErasureV1, ModelStateV1, Predicate,
    Statement, VersionState,
};

use super::scene::{PAGE, Scene, count, kind_of};
use crate::api::App;
use crate::catalog::ids;
use crate::console::counted;
use crate::console::view::{ChangeView, Paged, Tone};
use crate::failure::Failure;

/// What came of reading an entry: how good it is, what happened, more about it, and who did it.
type Told = (Tone, String, Option<String>, Option<PrincipalId>);

/// Tells of the entries before `before` that are about something, newest first, on the page at `here`.
pub(super) async fn changes(
    app: &App,
    scene: &Scene,
    about: impl Fn(&Logged) -> bool,
    before: Option<u64>,
    here: &str,
) -> Result<Paged<ChangeView>, Failure> {
    let indices =
        app.statements.newest(&scene.state, None, usize::MAX, |logged| about(logged).then_some(logged.index));
    let total = count(indices.len());
    let older = indices.into_iter().filter(|index| before.is_none_or(|before| *index < before));
    let mut entries: Vec<u64> = older.take(PAGE + 1).collect();
    let more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let next = entries.last().filter(|_| more).map(|last| format!("?changes={last}#changes"));
    let first = before.map(|_| format!("{here}#changes"));
    Ok(Paged { rows: tell(app, scene, entries).await?, total, first, next })
}

/// Tells of some entries, in their order.
pub(super) async fn tell(app: &App, scene: &Scene, entries: Vec<u64>) -> Result<Vec<ChangeView>, Failure> {
    let registry = app.registry.clone();
    let read = tokio::task::spawn_blocking(move || {
        let ledger = registry.snapshot()?;
        let one = |index: u64| {
            let bytes = ledger.entry(index).map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))?;
            let envelope = dsse::Envelope::parse(&bytes);
            let envelope = envelope.map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))?;
            let statement = Statement::parse(envelope.payload());
            statement
                .map(|statement| (index, statement))
                .map_err(|error| Failure::of(ids::LEDGER_DAMAGED, &error))
        };
        entries.into_iter().map(one).collect::<Result<Vec<_>, Failure>>()
    });
    let read = read.await.map_err(|error| Failure::of(ids::INTERNAL, &error))??;
    Ok(read.into_iter().map(|(index, statement)| change(scene, index, &statement)).collect())
}

fn change(scene: &Scene, index: u64, statement: &Statement) -> ChangeView {
    let (tone, title, detail, by) = told(scene, index, statement);
    ChangeView { at: scene.at(index), entry: index, tone, title, detail, by: by.map(|by| scene.name(by)) }
}

fn told(scene: &Scene, index: u64, statement: &Statement) -> Told {
    match &statement.predicate {
        Predicate::Dataset(body) => dataset(body),
        Predicate::ModelVersion(body) => {
            (Tone::Neutral, format!("{} was registered", body.version), None, Some(body.act.by))
        }
        Predicate::Approval(body) => {
            let own = body.self_approved.then(|| "By who also made it, as tier explore allows".to_owned());
            (Tone::Ok, format!("{} was approved", body.version), own, Some(body.act.by))
        }
        Predicate::ModelState(body) => state(body),
        Predicate::Alias(body) => alias(body),
        Predicate::Endpoint(body) => endpoint(body),
        Predicate::Run(body) => {
            (Tone::Neutral, format!("A run for {} was started", body.model), None, Some(body.act.by))
        }
        Predicate::Segment(body) => {
            let title = format!("{} sealed", counted(body.count, "prediction record", "prediction records"));
            (Tone::Neutral, title, Some(format!("Segment {}", body.number)), None)
        }
        Predicate::Integrity(body) => {
            let found = match body.file {
                Some(_) => "One of its stored files",
                None => "Its stored manifest or signature",
            };
            let detail =
                format!("{found} is {}; found by the gateway, which reads what it serves again", body.damage);
            (Tone::Bad, format!("{} is quarantined", body.version), Some(detail), None)
        }
        Predicate::Erasure(body) => erasure(body),
        // What is left is about people, keys and the project: its kind and the subject's pseudonym say enough.
        other => {
            let kind = capital(&kind_of(other.predicate_type()));
            let subject = scene.logged(index).map(|logged| logged.name.clone());
            (Tone::Neutral, kind, subject, None)
        }
    }
}

fn dataset(body: &DatasetV1) -> Told {
    let verdict = &body.verdict;
    let counts = format!(
        "{} checks ran, {} block, {} warn; {}",
        verdict.checks, verdict.blocking, verdict.warnings, verdict.outcome
    );
    match body.version_ref() {
        Some(version) => {
            let tone = if verdict.warnings > 0 { Tone::Warn } else { Tone::Ok };
            (tone, format!("{version} was added"), Some(counts), Some(body.act.by))
        }
        None => {
            (Tone::Bad, format!("A delivery to {} was refused", body.name), Some(counts), Some(body.act.by))
        }
    }
}

fn state(body: &ModelStateV1) -> Told {
    let tone = match body.to {
        VersionState::Approved => Tone::Ok,
        VersionState::Candidate | VersionState::Retired => Tone::Neutral,
        VersionState::Quarantined | VersionState::Revoked => Tone::Bad,
    };
    (
        tone,
        format!("{} is {}", body.version, body.to),
        Some(format!("It was {}", body.from)),
        Some(body.act.by),
    )
}

fn alias(body: &AliasV1) -> Told {
    let title = match body.version {
        Some(version) => format!("{}@{} names version {version}", body.model, body.alias),
        None => format!("{}@{} was removed", body.model, body.alias),
    };
    (Tone::Neutral, title, None, Some(body.act.by))
}

fn erasure(body: &ErasureV1) -> Told {
    match &body.step {
        ErasureStep::Ordered { act, .. } => {
            let title = "An erasure was ordered".to_owned();
            (Tone::Neutral, title, Some("Of what is recorded about a person".to_owned()), Some(act.by))
        }
        ErasureStep::Records { segments, .. } => {
            let segments = u64::try_from(segments.len()).unwrap_or(u64::MAX);
            let detail = format!("In {}", counted(segments, "segment", "segments"));
            (Tone::Neutral, "Records of an erasure were named".to_owned(), Some(detail), None)
        }
        ErasureStep::Finished {} => (Tone::Ok, "An erasure was carried out".to_owned(), None, None),
    }
}

fn endpoint(body: &EndpointV1) -> Told {
    let (name, by) = (&body.endpoint, Some(body.act.by));
    let to = body.primary.as_ref().map(|primary| primary.version.to_string()).unwrap_or_default();
    let instead = match (&body.fallback.version, &body.fallback.constant) {
        (Some(version), _) => version.version.to_string(),
        (None, Some(_)) => "a constant".to_owned(),
        (None, None) => "nobody".to_owned(),
    };
    let instead = Some(format!("Instead answers {instead}"));
    match body.change {
        EndpointChange::Created => (Tone::Neutral, format!("{name} was made"), None, by),
        EndpointChange::Routed => (Tone::Ok, format!("{name} was routed to {to}"), instead, by),
        EndpointChange::RolledBack => (Tone::Warn, format!("{name} was rolled back to {to}"), instead, by),
        EndpointChange::Disabled => (Tone::Neutral, format!("{name} was taken out of service"), None, by),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
