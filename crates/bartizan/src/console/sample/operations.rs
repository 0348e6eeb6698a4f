//! Views to try the pages of endpoints, the ledger, the lists and the first page with.

use super::{MANIFEST, OTHER, ROOT, all, frame};
use crate::console::view::assets::*;
use crate::console::view::endpoint::*;
use crate::console::view::ledger::*;
use crate::console::view::lineage::*;
use crate::console::view::overview::*;
use crate::console::view::*;

const AT: &str = "2026-11-21T11:02:00.000Z";

fn routed(version: u64, state: VersionState) -> RoutedVersion {
    RoutedVersion { model: "fraud".to_owned(), version, state }
}

/// An hour in which a version was stopped 20 minutes ago and its fallback took over.
pub(crate) fn numbers() -> NumbersView {
    let minutes = (0..60_u64).map(|minute| {
        let answers = if minute % 7 == 0 { 0 } else { 40 + minute };
        let (own, instead) = if minute < 40 { (answers, 0) } else { (0, answers) };
        let quick = (answers > 0).then_some(1_800 + minute * 10);
        MinuteView {
            at: format!("10:{minute:02}"),
            classes: [own, instead, minute % 5, u64::from(minute == 40) * 3],
            p50: quick,
            p99: quick.map(|quick| quick * 9),
            spread: vec![
                (Some(1_280), answers / 3),
                (Some(2_048), answers / 2),
                (None, u64::from(minute == 40)),
            ],
        }
    });
    let outcome = |key, label, tone, count| OutcomeView { key, label, tone, count };
    NumbersView {
        as_of: "2026-11-21T11:02:07.120Z".to_owned(),
        since: "2026-11-20T08:00:00.000Z".to_owned(),
        last_minute: 1_656,
        under_way: 2,
        flagged: 41,
        minutes: minutes.collect(),
        latency: [Some(1_950), Some(9_400), Some(212_000)],
        outcomes: vec![
            outcome("primary", "Answered by the version", Tone::Ok, 84_310),
            outcome("fallback", "Answered by the fallback", Tone::Warn, 1_302),
            outcome("malformed", "No inference request", Tone::Neutral, 12),
            outcome("unavailable", "Nobody could answer", Tone::Bad, 0),
        ],
    }
}

/// The numbers of an endpoint that nobody asked yet.
pub(crate) fn no_numbers() -> NumbersView {
    let mut view = numbers();
    (view.last_minute, view.under_way, view.flagged) = (0, 0, 0);
    view.latency = [None; 3];
    view.minutes = vec![MinuteView::default(); 60];
    for outcome in &mut view.outcomes {
        outcome.count = 0;
    }
    view
}

fn row(name: &str, standing: EndpointStanding) -> EndpointRow {
    EndpointRow {
        name: name.to_owned(),
        standing,
        primary: Some(routed(2, VersionState::Quarantined)),
        fallback: FallbackView::Version(routed(1, VersionState::Approved)),
        last_minute: 1_656,
        hour: [84_310, 1_302, 12, 3],
        p99: Some(212_000),
    }
}

/// An endpoint on its fallback.
pub(crate) fn endpoint() -> EndpointView {
    EndpointView {
        frame: frame(),
        row: row("scores", EndpointStanding::OnFallback),
        beyond: BeyondView::Flag,
        compared: Some("all inputs but one".to_owned()),
        entry: 46,
        at: AT.to_owned(),
        by: "Ines Prado".to_owned(),
        numbers: numbers(),
        changes: all(vec![ChangeView {
            at: AT.to_owned(),
            entry: 46,
            tone: Tone::Ok,
            title: "scores was routed to fraud:2".to_owned(),
            detail: Some("Instead answers fraud:1".to_owned()),
            by: Some("Ines Prado".to_owned()),
        }]),
        events: "/endpoints/scores/events".to_owned(),
    }
}

/// An endpoint that nobody asked yet, in some standing.
pub(crate) fn idle(standing: EndpointStanding) -> EndpointView {
    let mut view = endpoint();
    view.row.standing = standing;
    view.row.fallback = FallbackView::Unavailable;
    view.row.primary = (standing != EndpointStanding::Disabled).then(|| routed(2, VersionState::Approved));
    view.beyond = BeyondView::Reject;
    view.numbers = no_numbers();
    view.changes = all(Vec::new());
    view
}

/// A page of endpoints of every standing.
pub(crate) fn endpoints() -> EndpointsView {
    use EndpointStanding::{Disabled, NotLoaded, OnFallback, Serving, Unanswered};
    let name = "an-endpoint-whose-name-is-as-long-as-that-of-one-may-ever-be-at";
    let mut rows: Vec<_> = [Serving, OnFallback, Unanswered, NotLoaded, Disabled]
        .into_iter()
        .map(|standing| row(name, standing))
        .collect();
    if let Some(last) = rows.last_mut() {
        (last.primary, last.fallback, last.p99) = (None, FallbackView::Constant, None);
    }
    let next = Some("?after=scores".to_owned());
    EndpointsView { frame: frame(), endpoints: Paged { rows, total: 12, first: None, next } }
}

/// A project without endpoints.
pub(crate) fn no_endpoints() -> EndpointsView {
    EndpointsView { frame: frame(), endpoints: all(Vec::new()) }
}

fn head() -> HeadView {
    HeadView {
        size: 100_004,
        root: ROOT.to_owned(),
        origin: "bartizan.dev/prj_0123456789abcdef0123456789abcdef".to_owned(),
        last_at: AT.to_owned(),
        witnesses: vec!["witness.example.org".to_owned()],
        witnessed_at: Some(AT.to_owned()),
        records: 2_000_000,
    }
}

fn entry_row(index: u64, kind: &str, subject: &str) -> EntryRow {
    EntryRow {
        index,
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        signer: "registry key".to_owned(),
        at: AT.to_owned(),
    }
}

/// A page of the ledger that is neither the first nor the last.
pub(crate) fn ledger() -> LedgerView {
    let rows = vec![
        entry_row(99_999, "model state", "fraud:2"),
        entry_row(99_998, "segment", "segment/2ecacdf7b9d3aa199def0edeadb747d6/1"),
    ];
    LedgerView {
        frame: frame(),
        shown: Shown::Statements,
        entries: Paged {
            rows,
            total: 71_233,
            first: Some("/ledger?show=statements".to_owned()),
            next: Some("?show=statements&before=99998".to_owned()),
        },
        head: head(),
    }
}

/// A ledger without entries of a kind, which no witness cosigned.
pub(crate) fn empty_ledger() -> LedgerView {
    let mut view = ledger();
    (view.shown, view.entries) = (Shown::Decisions, all(Vec::new()));
    (view.head.witnesses, view.head.witnessed_at) = (Vec::new(), None);
    view
}

/// An entry in the midst of a ledger.
pub(crate) fn entry() -> EntryView {
    EntryView {
        frame: frame(),
        row: entry_row(48, "model state", "fraud:2"),
        predicate_type: "https://bartizan.dev/model-state/v1".to_owned(),
        subject_digest: MANIFEST.to_owned(),
        payload_digest: OTHER.to_owned(),
        signers: vec![ROOT.replace("sha256:", "")],
        payload: "{\n  \"predicate\": {\n    \"to\": \"approved\"\n  }\n}".to_owned(),
        size: 100_004,
    }
}

/// Data sets with every verdict.
pub(crate) fn data_sets() -> DataSetsView {
    let row = |name: &str, verdict, warnings| DataSetSummary {
        name: name.to_owned(),
        versions: 3,
        latest: 3,
        verdict,
        warnings,
        parts: 4,
        rows: 22_480,
        at: AT.to_owned(),
        entry: 27,
    };
    let rows = vec![
        row("transactions", DataVerdict::Valid, 1),
        row("merchants", DataVerdict::Invalid, 0),
        row("limits", DataVerdict::Error, 0),
    ];
    DataSetsView { frame: frame(), data_sets: all(rows) }
}

/// A walk up from a model version, and beginnings.
pub(crate) fn lineage() -> LineageView {
    let node = |kind, name: &str, depth, standing: Option<(&str, Tone)>, over| LineageNode {
        kind,
        name: name.to_owned(),
        href: Some("/lineage?of=model%3Afraud%3A3&direction=up".to_owned()),
        depth,
        standing: standing.map(|(word, tone)| (word.to_owned(), tone)),
        over,
        entry: Some(27),
    };
    let rows = vec![
        node("model", "fraud:3", 0, Some(("approved", Tone::Ok)), None),
        node("run", "run_0123456789abcdef0123456789abcdef", 1, None, Some(("made", true))),
        node("dataset", "transactions:2", 2, Some(("valid", Tone::Ok)), Some(("read-by", true))),
        node("source", "shop feed", 3, Some(("active", Tone::Ok)), Some(("signed", true))),
        node("source", "old shop", 3, Some(("disabled", Tone::Warn)), Some(("delivered", false))),
    ];
    let walk = LineageWalk {
        of: "fraud:3".to_owned(),
        thing: "model:fraud:3".to_owned(),
        upwards: true,
        turned: "/lineage?of=model%3Afraud%3A3&direction=down".to_owned(),
        nodes: all(rows),
        edges: vec![(1, 0, true), (2, 1, true), (3, 2, true), (4, 2, false)],
        cut: true,
    };
    LineageView { frame: frame(), starts: Vec::new(), walk: Some(walk) }
}

/// Where walks can begin, and nothing.
pub(crate) fn beginnings(name: &str) -> LineageView {
    let down = Some("/lineage?of=source%3Ashop&direction=down".to_owned());
    let starts = vec![LineageStart { kind: "source", name: name.to_owned(), up: None, down }];
    LineageView { frame: frame(), starts, walk: None }
}

/// Runs that ended in different ways.
pub(crate) fn runs() -> RunsView {
    let row = |end, tone, version: Option<u64>| RunRow {
        run: "run_0123456789abcdef0123456789abcdef".to_owned(),
        model: "fraud".to_owned(),
        version,
        end,
        tone,
        reason: (end == "output refused").then(|| "model fraud: these files are fraud:1 already".to_owned()),
        isolated: version.is_some(),
        inputs: version.map(|_| "transactions:2".to_owned()).into_iter().collect(),
        at: AT.to_owned(),
        entry: 60,
    };
    let rows = vec![
        row("succeeded", Tone::Ok, Some(3)),
        row("failed", Tone::Bad, None),
        row("output refused", Tone::Bad, None),
        row("interrupted", Tone::Warn, None),
        row("running", Tone::Neutral, None),
    ];
    RunsView { frame: frame(), runs: all(rows) }
}

/// A project where much needs attention.
pub(crate) fn overview() -> OverviewView {
    let attention = |tone, subject: &str, what, href: Option<&str>| AttentionView {
        tone,
        subject: subject.to_owned(),
        what,
        detail: "By Dana Whitfield, 2026-11-21".to_owned(),
        href: href.map(str::to_owned),
        command: format!("bartizan model show {subject}"),
    };
    let rows = vec![
        attention(Tone::Bad, "fraud:2", "is quarantined", Some("/models/fraud/2")),
        attention(Tone::Warn, "scores", "is on its fallback", Some("/endpoints/scores")),
        attention(Tone::Neutral, "fraud:4", "waits for approval", None),
    ];
    OverviewView {
        frame: frame(),
        endpoints: endpoints().endpoints,
        not_serving: 3,
        attention: Paged { rows, total: 11, first: None, next: None },
        models: ModelCounts { models: 6, versions: 31, approved: 9, candidates: 4, quarantined: 1 },
        data_sets: Some(DataCounts { data_sets: 3, versions: 9, refused: 1 }),
        ledger: Some(LedgerPart { head: head(), changes: endpoint().changes.rows }),
    }
}

/// A new project, as somebody sees it who may not see data sets and the ledger.
pub(crate) fn quiet_overview() -> OverviewView {
    OverviewView {
        endpoints: all(Vec::new()),
        not_serving: 0,
        attention: all(Vec::new()),
        models: ModelCounts::default(),
        data_sets: None,
        ledger: None,
        ..overview()
    }
}

/// Every page of this file with the same text in every place that comes from outside.
pub(crate) struct Hostile {
    pub(crate) endpoint: EndpointView,
    pub(crate) endpoints: EndpointsView,
    pub(crate) ledger: LedgerView,
    pub(crate) entry: EntryView,
    pub(crate) data_sets: DataSetsView,
    pub(crate) runs: RunsView,
    pub(crate) overview: OverviewView,
}

/// Views of which every text tries to be more than text.
pub(crate) fn hostile(frame: &Frame, text: &str) -> Hostile {
    let text = || text.to_owned();
    let next = || Some("https://evil.example/".to_owned());
    let version = || RoutedVersion { model: text(), version: 1, state: VersionState::Revoked };
    let mut all = Hostile {
        endpoint: endpoint(),
        endpoints: endpoints(),
        ledger: ledger(),
        entry: entry(),
        data_sets: data_sets(),
        runs: runs(),
        overview: overview(),
    };
    for row in all.endpoints.endpoints.rows.iter_mut().chain([&mut all.endpoint.row]) {
        row.name = text();
        row.primary = Some(version());
        row.fallback = FallbackView::Version(version());
    }
    (all.endpoint.at, all.endpoint.by, all.endpoint.events) = (text(), text(), "//evil.example/".to_owned());
    (all.endpoint.numbers.since, all.endpoint.numbers.as_of) = (text(), text());
    for change in &mut all.endpoint.changes.rows {
        (change.at, change.title, change.detail, change.by) = (text(), text(), Some(text()), Some(text()));
    }
    let head = HeadView {
        root: text(),
        origin: text(),
        last_at: text(),
        witnesses: vec![text()],
        witnessed_at: Some(text()),
        ..head()
    };
    let row = EntryRow { index: 7, kind: text(), subject: text(), signer: text(), at: text() };
    all.ledger.entries = Paged { rows: vec![row.clone()], total: 2, first: next(), next: next() };
    all.ledger.head = head.clone();
    all.entry = EntryView {
        row,
        predicate_type: text(),
        subject_digest: text(),
        payload_digest: text(),
        signers: vec![text()],
        payload: text(),
        ..all.entry
    };
    for row in &mut all.data_sets.data_sets.rows {
        (row.name, row.at) = (text(), text());
    }
    for row in &mut all.runs.runs.rows {
        (row.run, row.model, row.inputs, row.at) = (text(), text(), vec![text()], text());
        row.reason = Some(text());
    }
    for row in &mut all.overview.attention.rows {
        (row.subject, row.detail, row.command) = (text(), text(), text());
        row.href = next();
    }
    all.overview.ledger = Some(LedgerPart { head, changes: all.endpoint.changes.rows.clone() });
    all.overview.endpoints = all.endpoints.endpoints.clone();
    let frames = [
        &mut all.endpoint.frame,
        &mut all.endpoints.frame,
        &mut all.ledger.frame,
        &mut all.entry.frame,
        &mut all.data_sets.frame,
        &mut all.runs.frame,
        &mut all.overview.frame,
    ];
    for into in frames {
        into.clone_from(frame);
    }
    all
}
