//! What a verified proof means, in plain words: proven, asserted and by whom, not covered.

use std::collections::{BTreeSet, VecDeque};

use bartizan_base::VersionRef;
use bartizan_keys::TrustFile;
use bartizan_ledger::segment::Group;
use bartizan_policy::Tier;

use super::deliveries::{about_demand, about_derived, about_source};
use super::format::ProofFile;
use super::prediction::ProvenPrediction;
use super::verify::Verdict;
use crate::prediction::{AnsweredBy, Compared, RecordComparison};
use crate::state::{OriginSource, State};
use crate::statement::{
    ComparedV1, ComparedWithV1, DatasetV1, Isolation, KeyStanding, OriginV1, ProvenanceV1, RunV1, SchemaFrom,
};

/// Inputs that a sentence names.
const INPUTS_NAMED: usize = 8;

const OUTPUT_ASSERTED: &str =
    "by the gateway: that the model gave this output; `verify --replay` runs the model and compares";

impl Verdict {
    /// Takes in what running the model again showed, which nobody needs to assert then.
    pub fn ran_again(&mut self, shown: String) {
        self.asserted.retain(|said| said != OUTPUT_ASSERTED);
        self.proven.push(shown);
    }
}

/// Says what the statements prove and assert about a model version that the state map says stands so.
pub(super) fn about_model(verdict: &mut Verdict, state: &State, version: &VersionRef, stands: &str) {
    let Some(found) = state.version(version) else { return };
    verdict.proven.push(format!(
        "{version} is the model with manifest {}: {} files, {} bytes, signed by the project's model-signing key",
        found.body.manifest, found.body.files, found.body.bytes
    ));
    let became = format!("{version} became {} at entry {}", found.state, found.state_entry());
    verdict.proven.push(match stands == found.state.to_string() {
        true => format!("{became}, and the server's state map says that it still is"),
        false => format!("{became}, and {}: the server's state map says `{stands}`", against(stands)),
    });
    for approval in state.counted_approvals(version) {
        let by = approval.body.act.by;
        verdict.proven.push(format!(
            "an approval by {by} covers this manifest, its evidence and the policy in force (entry {})",
            approval.statement.entry
        ));
        let note = if approval.body.self_approved {
            " (self-approved: separation of duties was waived, as tier `explore` allows)"
        } else {
            ""
        };
        verdict.asserted.push(format!("by the server: that {by} gave the approval{note}"));
    }
    let discounted = state.approvals(version).map(|verdict| verdict.discounted).unwrap_or_default();
    for (entry, why) in &discounted {
        verdict.proven.push(format!("the approval at entry {entry} does not count: {why}"));
    }
    let waived = found.approvals.iter().find(|approval| approval.body.self_approved);
    if let Some(waived) = waived.filter(|_| state.tier() == Tier::Release) {
        verdict.proven.push(format!(
            "before the project was raised to tier `release` one person made and approved it (entry {})",
            waived.statement.entry
        ));
    }
    if state.tier() == Tier::Explore {
        verdict.proven.push("the project is in tier `explore`: one person may do everything".to_owned());
    }
    let Some(origin) = state.origin_of(found) else { return };
    match &origin.source {
        OriginSource::Declared(body) => about_declaration(verdict, body),
        OriginSource::Trained { provenance, run } => about_run(verdict, provenance, run),
    }
    for dataset in origin.trained_on() {
        about_dataset(verdict, state, &dataset.version);
    }
}

/// Says what erased the personal part of a record: who ordered it, and what is only the gateway's word.
fn about_erasure(verdict: &mut Verdict, state: &State, prediction: &ProvenPrediction) {
    let Some(erased) = prediction.erased(state) else { return };
    let Some(erasure) = state.erasures().get(&erased.erasure) else { return };
    let ordered = format!(
        "{} ordered at entry {} that what is personal in the record be erased ({}), which entry {} names",
        erasure.by, erasure.statement.entry, erased.erasure, erased.entry
    );
    let Some(finished) = erasure.finished else {
        verdict.proven.push(ordered);
        verdict
            .not_covered
            .push(format!("the end of {}: it was ordered, and is not finished", erased.erasure));
        return;
    };
    verdict.proven.push(format!("{ordered}, and entry {finished} says that it is done"));
    verdict.asserted.push(
        "by the gateway: that it destroyed the key of what was erased, and that nobody kept a copy"
            .to_owned(),
    );
}

/// Says since when a version that answered after `size` entries stands otherwise, if it does.
fn about_change(verdict: &mut Verdict, state: &State, version: &VersionRef, size: u64, now: &str) {
    let Some(found) = state.version(version) else { return };
    let entry = found.state_entry();
    if entry >= size {
        verdict.proven.push(format!("that was after the prediction: it stands as {now} since entry {entry}"));
        return;
    }
    if found.state.to_string() == now {
        return;
    }
    if state.standing_of(found) == now {
        // By the entries of the file, and by those before the prediction it did not.
        verdict.proven.push(format!("that came after the prediction: {version} stands as {now} now"));
    } else {
        verdict.not_covered.push(format!("since when {version} stands as {now}: the statement that did it"));
    }
}

/// What is against a version that was approved, by its word in the state map.
fn against(stands: &str) -> &'static str {
    if stands.ends_with("-lapsed") {
        "its approvals do not count any more"
    } else {
        "its very files were stopped under another name"
    }
}

/// Says what is proven of a prediction, and what only the gateway says.
pub(super) fn about_prediction(
    verdict: &mut Verdict,
    state: &State,
    then: &State,
    prediction: &ProvenPrediction,
) {
    let ProvenPrediction { envelope, segment, segment_entry, revealed, stands_now } = prediction;
    let size = envelope.tree_size;
    verdict.proven.push(format!(
        "the record of {} is number {} of the {} in segment {} of gateway {}, which entry {segment_entry} names: nothing in it \
         was changed since",
        envelope.id,
        revealed.index(),
        segment.count,
        segment.number,
        segment.gateway,
    ));
    let endpoint = &envelope.endpoint;
    let route = then.endpoints().get(endpoint).map(|found| found.statement.entry).unwrap_or_default();
    match (&envelope.model, envelope.answered_by) {
        (Some(version), by) => {
            verdict.proven.push(format!(
                "after {size} entries of the ledger, which the record names, endpoint {endpoint} was routed to {version} as its {by} \
                 (entry {route}), and {version} was approved and not stopped{}",
                as_others(then, version)
            ));
            let now = stands_now.as_deref().unwrap_or_default();
            about_model(verdict, state, version, now);
            verdict.asserted.push(format!(
                "by the server: that no statement beside those in this file had stopped the files of {version} under another name \
                 by then; whoever has the whole ledger can check it"
            ));
            about_change(verdict, state, version, size, now);
        }
        (None, AnsweredBy::Constant) => verdict.proven.push(format!(
            "after {size} entries of the ledger, which the record names, endpoint {endpoint} had a constant answer as its fallback \
             (entry {route})"
        )),
        (None, _) => verdict.proven.push(format!(
            "after {size} entries of the ledger, which the record names, endpoint {endpoint} was in service (entry {route}); no \
             version answered"
        )),
    }
    verdict.asserted.push(format!(
        "by the gateway: that it took the request at {}, knew {size} entries of the ledger then, as of {} ms before, and that what \
         the record shows is what was asked and answered",
        envelope.time, envelope.head_age_ms
    ));
    if envelope.model.is_some() {
        verdict.asserted.push(OUTPUT_ASSERTED.to_owned());
    }
    for key in &verdict.gateway_keys {
        let grant = state.keys().get(&key.id()).filter(|grant| grant.standing == KeyStanding::Revoked);
        if let Some(entry) = grant.and_then(|grant| grant.entries.last()) {
            verdict.proven.push(format!(
                "gateway key {} was revoked at entry {entry}, after the segment was stated: a receipt that it signed for a record \
                 in there counts",
                key.id()
            ));
        }
    }
    about_erasure(verdict, state, prediction);
    about_comparison(verdict, prediction);
    let columns = then.endpoints().get(endpoint).is_some_and(|found| found.body.columns.is_some());
    if columns {
        verdict.not_covered.push(format!(
            "what endpoint {endpoint} takes the model's inputs for: which columns of the data, whose values are withheld; the \
             statement commits to it and does not show it"
        ));
    }
    let hidden = Group::ALL.into_iter().filter(|group| prediction.group(*group).is_none());
    let hidden: Vec<String> = hidden.map(|group| group.to_string()).collect();
    if !hidden.is_empty() {
        verdict.not_covered.push(format!("what the record says in its hidden groups: {}", hidden.join(", ")));
    }
}

/// Says which inputs nobody compared with the training data, where the record shows what was decided: that it has no
/// flag for them means nothing.
fn about_comparison(verdict: &mut Verdict, prediction: &ProvenPrediction) {
    let Some(decisions) = prediction.group(Group::Decisions) else { return };
    let found = RecordComparison::parse(decisions);
    let compared = found.as_ref().is_some_and(|found| found.compared != Compared::None);
    if compared && prediction.envelope.answered_by == AnsweredBy::Fallback {
        verdict.not_covered.push(
            "whether the inputs are like what the fallback was trained on: they were compared with the training data of the version \
             that the endpoint was routed to"
                .to_owned(),
        );
    }
    verdict.not_covered.extend(match found {
        None => {
            Some("whether inputs were compared with the training data: the record does not say".to_owned())
        }
        Some(RecordComparison { compared: Compared::All, .. }) => None,
        Some(RecordComparison { compared: Compared::None, .. }) => Some(
            "whether the inputs are like the training data: the gateway compared none of them with it"
                .to_owned(),
        ),
        Some(RecordComparison { compared: Compared::Some, not_compared, not_compared_left_off }) => {
            let named = not_compared.iter().map(|input| format!("`{input}`"));
            let named = named.take(INPUTS_NAMED).collect::<Vec<_>>().join(", ");
            let all = not_compared.len().saturating_add(not_compared_left_off);
            let more = match all.saturating_sub(INPUTS_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more inputs"),
            };
            Some(format!(
                "whether {named}{more} are like the training data: the gateway compared them with nothing"
            ))
        }
    });
}

/// Under which other names the files of a version were not stopped either, as far as the file shows.
fn as_others(then: &State, version: &VersionRef) -> String {
    let files = then.version(version).map(|found| then.of_files(found.body.manifest));
    let others = files.into_iter().flatten().filter(|twin| twin.body.version != *version);
    let others: Vec<String> = others.map(|twin| twin.body.version.to_string()).collect();
    if others.is_empty() {
        return String::new();
    }
    format!(", nor were its very files as {}", others.join(" or "))
}

/// Says what the word of an importer is worth.
fn about_declaration(verdict: &mut Verdict, body: &OriginV1) {
    let by = body.act.by;
    if let Some(publisher) = &body.publisher {
        verdict.asserted.push(format!("by {by}: that publisher key {} signed the same files", publisher.key));
    }
    if body.trained_on.is_empty() {
        verdict.asserted.push(format!("by {by}: where the model comes from; no data set is named"));
    }
    for dataset in &body.trained_on {
        verdict.asserted.push(format!("by {by}: that the model was trained on {}", dataset.version));
    }
}

/// Says what the provenance of a run proves and asserts.
fn about_run(verdict: &mut Verdict, provenance: &ProvenanceV1, run: &RunV1) {
    let inner = &provenance.build_definition.internal_parameters;
    verdict.proven.push(format!(
        "SLSA provenance says that this manifest came out of {}, which {} started at entry {}, before there was an output",
        run.run, run.act.by, inner.started.entry
    ));
    let (environment, given): (Vec<_>, Vec<_>) = provenance
        .build_definition
        .resolved_dependencies
        .iter()
        .partition(|dependency| dependency.is_environment());
    for dependency in given {
        verdict.proven.push(format!(
            "{} was given {} with digest {}, as stated before it ran",
            run.run, dependency.name, dependency.digest.sha256
        ));
    }
    if run.inputs.is_empty() {
        verdict.proven.push(format!("{} was given no data set", run.run));
    }
    let read = match run.isolation {
        Isolation::Full => {
            "in full isolation, where it could read these inputs, the programs and libraries that its record lists, and \
             nothing else of that machine"
        }
        Isolation::Reduced => {
            "in reduced isolation: parts of the sandbox were missing on that machine, so that it may have read and reached \
             more than these inputs"
        }
    };
    verdict
        .asserted
        .push(format!("by the server: that it ran the command {read}, and that the model is what came out"));
    let unbound = if environment.is_empty() {
        "the system's programs and libraries, and a Python environment if it had one"
    } else {
        let digests: Vec<String> =
            environment.iter().map(|one| format!("{} with digest {}", one.name, one.digest.sha256)).collect();
        verdict.asserted.push(format!(
            "by the server: that the Python environment of {} was {}, the same before it ran and after",
            run.run,
            digests.join(", ")
        ));
        "the system's programs and libraries, as in /usr"
    };
    verdict.not_covered.push(format!("what {} ran on: {unbound}; no digest binds them", run.run));
}

/// Says what the statements prove and assert about a data set version, those that it extends, and those that any of
/// them was made from.
pub(super) fn about_dataset(verdict: &mut Verdict, state: &State, version: &VersionRef) {
    let (mut seen, mut open) = (BTreeSet::new(), VecDeque::from([version.clone()]));
    while let Some(version) = open.pop_front() {
        if !seen.insert(version.clone()) {
            continue;
        }
        let Some(found) = state.dataset(&version) else {
            verdict.not_covered.push(format!("{version} and the parts of it, which a root above includes"));
            continue;
        };
        about_one(verdict, state, &version, &found.body);
        open.extend(found.body.extends.as_ref().map(|extended| extended.version.clone()));
        let derived = found.body.derived.iter().flat_map(|derived| &derived.from);
        open.extend(derived.map(|from| from.version.clone()));
    }
}

fn about_one(verdict: &mut Verdict, state: &State, version: &VersionRef, body: &DatasetV1) {
    let weighed = match body.verdict.tier {
        Tier::Explore => "in tier explore, where no finding blocks",
        Tier::Release => "in tier release",
    };
    let extends =
        body.extends.as_ref().map(|base| format!("extends {} and ", base.version)).unwrap_or_default();
    verdict.proven.push(format!(
        "data set {version} {extends}has root {}; its new parts were recorded as `{}` {weighed}: {} checks, {} blocking \
         findings, {} warnings",
        body.root, body.verdict.outcome, body.verdict.checks, body.verdict.blocking, body.verdict.warnings
    ));
    about_schema(verdict, state, version, body);
    about_demand(verdict, state, version, body);
    if let Some(compared) = &body.compared {
        about_compared(verdict, version, compared);
    }
    if let Some(derived) = &body.derived {
        about_derived(verdict, version, &body.act, derived);
    }
    let entry = state.dataset(version).map(|found| found.statement.entry).unwrap_or_default();
    for part in &body.parts {
        match &part.from {
            Some(from) => about_source(verdict, state, (version, entry), part, from),
            None => verdict.asserted.push(format!(
                "by {}: that part {} of {version} ({} rows) came from its stated source on {}",
                part.writer,
                part.digest.short(),
                part.rows,
                part.time
            )),
        }
    }
}

/// Says what it is worth that a version fits its schema: who chose that schema.
fn about_schema(verdict: &mut Verdict, state: &State, version: &VersionRef, body: &DatasetV1) {
    let kept =
        body.schema_of.as_ref().and_then(|kept| Some((&kept.version, &state.dataset(&kept.version)?.body)));
    let (from, chosen) = kept.unwrap_or((version, body));
    if from != version {
        verdict.proven.push(format!("the schema of {version} is that of {from}, unchanged"));
    }
    verdict.asserted.push(match chosen.schema_from {
        SchemaFrom::Inferred => format!(
            "by the server: that the schema of {from} was inferred from that delivery, which so agrees with itself"
        ),
        SchemaFrom::Given | SchemaFrom::Kept => {
            format!("by {}, who delivered {from}: the schema that it was checked against", chosen.act.by)
        }
    });
}

/// Says what the verdict on a version rests on beside its schema.
fn about_compared(verdict: &mut Verdict, version: &VersionRef, compared: &ComparedV1) {
    let of = |with: &ComparedWithV1| match &with.version {
        Some(version) => format!("{version} with root {}", with.digest),
        None => format!("what has SHA-256 {}", with.digest),
    };
    let mut said = Vec::new();
    said.extend(compared.reference.as_ref().map(|with| format!("its distributions with {}", of(with))));
    said.extend(compared.tables.iter().map(|with| format!("its values with {}", of(with))));
    said.extend(compared.now.map(|now| format!("its age as of {now}, as its deliverer said")));
    verdict.asserted.push(format!("by the server: that the check of {version} compared {}", said.join(", ")));
}

/// Says what is known of the ledger, of time, and of what comes after.
pub(super) fn about_log(verdict: &mut Verdict, state: &State, trust: &TrustFile, file: &ProofFile) {
    let entries = file.entries.len();
    verdict.proven.push(format!(
        "{entries} statements are in ledger `{}` of {} entries, in this order, and follow from project root key {}",
        trust.origin,
        verdict.seen.size,
        trust.project_root.id()
    ));
    match verdict.witnessed_at {
        Some(at) => verdict.proven.push(format!("witnesses saw this tree at {at} at the latest")),
        None => verdict.asserted.push(
            "self-attested: the operator could have rewritten history before this checkpoint".to_owned(),
        ),
    }
    verdict.asserted.push(format!(
        "by the server: every time stated in the file, the latest being {}, and every access decision",
        state.last_time()
    ));
    verdict.asserted.push(format!(
        "by the server: that its state map at entry {} is that of the {} entries before it, so that no other change of \
         the state, the keys, the policy or the tier is among them; whoever has the whole ledger can check it",
        file.map.entry, file.map.entry
    ));
    verdict.not_covered.push(format!(
        "entries after index {}: a quarantine or revocation there is not excluded",
        file.map.entry
    ));
}
