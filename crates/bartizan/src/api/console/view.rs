//! What the console shows, taken from the fold of the ledger.

use std::num::NonZeroU32;
use std::ops::Bound;
use std::sync::Arc;

use bartizan_base::{Name, VersionRef};
use bartizan_registry::Caller;
use bartizan_registry::state::{Logged, Origin, OriginSource, State, Version};
use bartizan_registry::statement::{self, Isolation};

use super::assets::after;
use super::scene::{INTEGRITY, PAGE, Scene, all, count, state_of, tone_of, verdict_of};
use super::story::changes;
use crate::api::App;
use crate::catalog::ids;
use crate::console::view::{
    ChainLink, ChainStep, ChainView, DataSetRow, DigestView, Mark, ModelRow, ModelVersionView, ModelsView,
    Paged, Sensitivity, SignatureCheck, StopView, Tone, TreeView, VersionRow, VersionState,
};
use crate::console::{MODELS_PATH, counted, version_path};
use crate::failure::Failure;

/// The types of the statements about a version under its name.
const ABOUT_VERSIONS: [&str; 4] = [
    "https://bartizan.dev/model-version/v1",
    "https://bartizan.dev/approval/v1",
    "https://bartizan.dev/model-state/v1",
    INTEGRITY,
];

/// The list of models, from the one after `after` on.
pub(super) async fn models(app: &App, caller: &Caller, name: Option<&Name>) -> Result<ModelsView, Failure> {
    let scene = Scene::set(app).await?;
    let models = scene.state.models();
    let mut rows: Vec<ModelRow> = models
        .range::<_, Name>(after(name))
        .take(PAGE + 1)
        .filter_map(|(name, model)| {
            let (latest, found) = model.versions.get_max()?;
            let approved = model.versions.iter().rev();
            let mut approved =
                approved.filter(|(_, version)| state_of(&scene.state, version) == VersionState::Approved);
            Some(ModelRow {
                name: name.to_string(),
                versions: count(model.versions.len()),
                latest: u64::from(latest.get()),
                latest_state: state_of(&scene.state, found),
                latest_at: found.body.act.at.to_string(),
                approved: approved.next().map(|(number, _)| u64::from(number.get())),
            })
        })
        .collect();
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| format!("?after={}", row.name));
    let first = name.map(|_| MODELS_PATH.to_owned());
    Ok(ModelsView {
        frame: scene.frame(app, caller),
        models: Paged { rows, total: count(models.len()), first, next },
    })
}

/// Where the lists of a page begin.
pub(super) struct From {
    /// The versions before this one.
    pub(super) versions: Option<NonZeroU32>,
    /// The changes before this entry.
    pub(super) changes: Option<u64>,
}

/// One model version with its chain of evidence.
pub(super) async fn version(
    app: &App,
    caller: &Caller,
    version: &VersionRef,
    from: From,
) -> Result<ModelVersionView, Failure> {
    let scene = Scene::set(app).await?;
    let state = Arc::clone(&scene.state);
    let missing = || Failure::new(ids::NOT_FOUND, "there is no such version");
    let found = state.version(version).ok_or_else(missing)?;
    let (_, reason) = app.registry.words_about(version).await?;
    let verdict = state.approvals(version).ok_or_else(missing)?;
    let checkpoint = app.registry.checkpoint();
    // Decisions change nothing: looking at this page makes one, and those about a data set of the same name are not
    // for whoever may see the model.
    let name = version.to_string();
    let about = |logged: &Logged| logged.name == name && ABOUT_VERSIONS.contains(&logged.predicate_type);
    let here = version_path(version.name.as_str(), u64::from(version.version.get()));
    let stop = found.last_stop.filter(|_| found.stopped()).map(|stop| StopView {
        reason,
        by: scene.stopped_by(stop),
        at: scene.at(stop.entry),
        entry: stop.entry,
    });
    Ok(ModelVersionView {
        frame: scene.frame(app, caller),
        model: version.name.to_string(),
        version: u64::from(version.version.get()),
        state: state_of(&state, found),
        signature: match app.registry.signature_holds(version).await {
            Ok(true) => SignatureCheck::Verified,
            Ok(false) => SignatureCheck::Failed,
            Err(_) => SignatureCheck::NotChecked,
        },
        manifest: found.body.manifest.to_string(),
        entry: found.statement.entry,
        aliases: aliases(&state, version),
        approved_by: verdict.approvers.iter().map(|person| scene.name(person.principal())).collect(),
        approvals_needed: count(verdict.needed),
        stop,
        files: found.body.files,
        bytes: found.body.bytes,
        sensitivity: match found.body.sensitivity {
            statement::Sensitivity::Normal => Sensitivity::Normal,
            statement::Sensitivity::Sensitive => Sensitivity::Sensitive,
        },
        tree: TreeView {
            size: checkpoint.size(),
            witnesses: checkpoint
                .cosignatures()
                .iter()
                .map(|cosignature| cosignature.witness.clone())
                .collect(),
            witnessed_at: checkpoint.witnessed_at().map(|at| at.to_string()),
            development_keys: state.project().is_some_and(|project| project.development),
        },
        chain: scene.chain(found),
        data_sets: scene.data_sets(found),
        versions: scene.versions(version, from.versions, &here),
        changes: changes(app, &scene, about, from.changes, &here).await?,
        proof_href: None,
    })
}

impl Scene {
    fn chain(&self, found: &Version) -> ChainView {
        let state = &self.state;
        let version = &found.body.version;
        let origin = state.origin_of(found);
        let trained_on = origin.map(Origin::trained_on).unwrap_or_default();
        let datasets: Vec<_> = trained_on.iter().filter_map(|used| state.dataset(&used.version)).collect();
        let by = self.name(found.body.act.by);
        let parts = datasets.iter().flat_map(|dataset| dataset.parts.iter().map(move |part| (dataset, part)));
        let sources: Vec<ChainLink> = parts
            .map(|(dataset, part)| {
                let writer = self.name(part.writer);
                let mut link = self.link("A delivery", dataset.statement.entry, &writer);
                link.detail =
                    Some(format!("{} rows, {} bytes; where it came from is private", part.rows, part.bytes));
                link.digests = vec![digest("part", part.digest)];
                link.marks = vec![
                    asserted(&writer, "where these rows come from"),
                    proven("the bytes, by their digest"),
                ];
                link
            })
            .collect();
        let checks: Vec<ChainLink> = datasets
            .iter()
            .map(|dataset| {
                let body = &dataset.body;
                let named = body.version_ref().map(|version| version.to_string()).unwrap_or_default();
                let title = format!("{named} is {}", body.verdict.outcome);
                let mut link = self.link(&title, dataset.statement.entry, &self.name(body.act.by));
                let verdict = &body.verdict;
                let tier = match verdict.tier {
                    bartizan_policy::Tier::Explore => "; in tier explore nothing blocks",
                    bartizan_policy::Tier::Release => "",
                };
                link.detail = Some(format!(
                    "{} checks ran, {} block, {} warn{tier}",
                    verdict.checks, verdict.blocking, verdict.warnings
                ));
                link.digests = vec![digest("root", body.root)];
                link.marks = vec![proven("root, counts and verdict as recorded")];
                link.tone = if verdict.warnings > 0 { Tone::Warn } else { Tone::Ok };
                link
            })
            .collect();
        let mut declared = Vec::new();
        if let Some(origin) = origin {
            declared.push(self.origin(found, origin, &by));
        }
        let mut signed =
            self.link(&format!("Manifest of {} files, signed", found.body.files), found.statement.entry, &by);
        signed.detail =
            Some("OpenSSF Model Signing v1.0; `bartizan model verify` reads every byte again".to_owned());
        signed.digests =
            vec![digest("manifest", found.body.manifest), digest("OMS root", found.body.oms_root)];
        signed.marks = vec![proven("which bundle and which files belong to this version")];
        let mut registered = self.link(&format!("Registered as {version}"), found.statement.entry, &by);
        registered.digests = vec![digest("payload", found.statement.payload)];
        registered.marks =
            vec![proven("the statement is in the ledger, and who may write it was granted before")];
        let approvals: Vec<ChainLink> = state
            .counted_approvals(version)
            .iter()
            .map(|approval| {
                let by = self.name(approval.body.act.by);
                let mut link = self.link(&format!("Approved by {by}"), approval.statement.entry, &by);
                link.digests = vec![digest("evidence", approval.body.covers.evidence)];
                link.marks = vec![
                    proven("it covers manifest, evidence and policy"),
                    asserted("the server", "that this person gave it"),
                ];
                link
            })
            .collect();
        let last = found.state_entries.last().copied();
        let changed: Vec<ChainLink> = last
            .map(|entry| {
                let mut link = self.link(&format!("{version} is {}", state.standing_of(found)), entry, "");
                link.by = None;
                link.tone = tone_of(state_of(state, found));
                link.marks = vec![proven("the state after this entry")];
                link
            })
            .into_iter()
            .collect();
        ChainView {
            sources: step(counted(count(sources.len()), "part", "parts"), sources),
            checks: step(counted(count(checks.len()), "data set", "data sets"), checks),
            origin: step("declared".to_owned(), declared),
            signature: step("signed".to_owned(), vec![signed]),
            version: step("registered".to_owned(), vec![registered]),
            approvals: step(
                format!(
                    "{} of {}",
                    approvals.len(),
                    state.approvals(version).map_or(1, |verdict| verdict.needed)
                ),
                approvals,
            ),
            state: step(state.standing_of(found), changed),
        }
    }

    fn origin(&self, found: &Version, origin: &Origin, by: &str) -> ChainLink {
        let (title, detail, marks) = match &origin.source {
            OriginSource::Declared(_) => (
                "Trained elsewhere".to_owned(),
                "Declared at import; the words of the declaration are private".to_owned(),
                vec![
                    asserted(by, "where the model comes from"),
                    proven("the declaration names this very manifest"),
                ],
            ),
            OriginSource::Trained { run, .. } => (
                format!("Trained by {}", run.run),
                format!(
                    "In the sandbox, isolation {}; the command is private",
                    match run.isolation {
                        Isolation::Full => "full",
                        Isolation::Reduced => "reduced",
                    }
                ),
                vec![
                    asserted("the server", "that it ran the command on these inputs"),
                    proven("what went in was stated before the run; the output is this manifest"),
                ],
            ),
        };
        let mut link = self.link(&title, origin.statement.entry, by);
        link.detail = Some(detail);
        link.digests = vec![digest("manifest", found.body.manifest)];
        link.marks = marks;
        link
    }

    fn link(&self, title: &str, entry: u64, by: &str) -> ChainLink {
        ChainLink {
            title: title.to_owned(),
            detail: None,
            tone: Tone::Ok,
            entry: Some(entry),
            at: Some(self.at(entry)),
            by: Some(by.to_owned()),
            digests: Vec::new(),
            marks: Vec::new(),
        }
    }

    fn data_sets(&self, found: &Version) -> Paged<DataSetRow> {
        let origin = self.state.origin_of(found);
        let trained_on = origin.map(Origin::trained_on).unwrap_or_default();
        let rows = trained_on.iter().filter_map(|used| {
            let dataset = self.state.dataset(&used.version)?;
            let verdict = &dataset.body.verdict;
            Some(DataSetRow {
                version: used.version.to_string(),
                verdict: verdict_of(&verdict.outcome),
                checks: verdict.checks,
                blocking: verdict.blocking,
                warnings: verdict.warnings,
                parts: count(dataset.parts.len()),
                rows: dataset.parts.iter().fold(0, |sum, part| sum.saturating_add(part.rows)),
                root: dataset.body.root.to_string(),
                entry: dataset.statement.entry,
            })
        });
        all(rows.collect())
    }

    fn versions(&self, version: &VersionRef, before: Option<NonZeroU32>, here: &str) -> Paged<VersionRow> {
        let model = self.state.models().get(&version.name);
        let total = model.map_or(0, |model| model.versions.len());
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let older = model.into_iter().flat_map(|model| model.versions.range((Bound::Unbounded, end)).rev());
        let rows = older.take(PAGE + 1).map(|(number, found)| {
            let verdict = self.state.approvals(&found.body.version);
            VersionRow {
                version: u64::from(number.get()),
                state: state_of(&self.state, found),
                approvals: verdict.as_ref().map_or(0, |verdict| count(verdict.approvers.len())),
                approvals_needed: verdict.map_or(1, |verdict| count(verdict.needed)),
                aliases: aliases(&self.state, &found.body.version),
                registered_at: found.body.act.at.to_string(),
                entry: found.statement.entry,
            }
        });
        let mut rows: Vec<_> = rows.collect();
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = rows.last().filter(|_| more).map(|row| format!("?versions={}#versions", row.version));
        let first = before.map(|_| format!("{here}#versions"));
        Paged { rows, total: count(total), first, next }
    }
}

fn aliases(state: &State, version: &VersionRef) -> Vec<String> {
    let Some(model) = state.models().get(&version.name) else { return Vec::new() };
    let named = model.aliases.iter().filter(|(_, (named, _))| *named == version.version);
    named.map(|(alias, _)| alias.to_string()).collect()
}

fn step(summary: String, links: Vec<ChainLink>) -> ChainStep {
    if links.is_empty() { ChainStep::default() } else { ChainStep { summary, links } }
}

fn digest(of: &str, digest: bartizan_base::Digest) -> DigestView {
    DigestView { of: of.to_owned(), digest: digest.to_string() }
}

fn proven(what: &str) -> Mark {
    Mark::Proven { what: what.to_owned() }
}

fn asserted(by: &str, what: &str) -> Mark {
    Mark::Asserted { by: by.to_owned(), what: what.to_owned() }
}
