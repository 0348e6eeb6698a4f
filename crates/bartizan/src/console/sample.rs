//! Views to try the pages with: a complete version, one with nothing, a stopped one, and a hostile one.

pub(crate) mod operations;

use crate::console::view::*;

const MANIFEST: &str = "sha256:9f41c2d80b7a4e1f6d3c5b2a19e8f7061524334251607f8e9dacbb0ce07b5d14";
const ROOT: &str = "sha256:5c0e7712ab93f4d8e6a1b0c9d8e7f6a5b4c3d2e1f00112233445566778899aab";
const OTHER: &str = "sha256:1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b7c8d9eafb0c";

pub(crate) fn frame() -> Frame {
    Frame {
        project: "card-risk".to_owned(),
        tier: Tier::Release,
        viewer: Some("Dana Whitfield".to_owned()),
        entry_base: Some("/ledger/".to_owned()),
    }
}

fn all<T>(rows: Vec<T>) -> Paged<T> {
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    Paged { rows, total, first: None, next: None }
}

fn proven(what: &str) -> Mark {
    Mark::Proven { what: what.to_owned() }
}

fn asserted(by: &str, what: &str) -> Mark {
    Mark::Asserted { by: by.to_owned(), what: what.to_owned() }
}

fn of(of: &str, digest: &str) -> DigestView {
    DigestView { of: of.to_owned(), digest: digest.to_owned() }
}

fn link(title: &str, detail: &str, entry: u64, at: &str, by: &str) -> ChainLink {
    ChainLink {
        title: title.to_owned(),
        detail: Some(detail.to_owned()),
        tone: Tone::Ok,
        entry: Some(entry),
        at: Some(at.to_owned()),
        by: Some(by.to_owned()),
        digests: Vec::new(),
        marks: Vec::new(),
    }
}

fn step(summary: &str, links: Vec<ChainLink>) -> ChainStep {
    ChainStep { summary: summary.to_owned(), links }
}

fn data_steps() -> (ChainStep, ChainStep) {
    let sources = vec![
        ChainLink {
            digests: vec![of("part", OTHER)],
            marks: vec![asserted("acquirer-eu-west", "that these rows come from its settlement feed")],
            ..link(
                "Settlement feed, 2026-10",
                "10 000 rows, 1.1 MB, added to transactions:1",
                21,
                "2026-11-02T08:11:40.120Z",
                "acquirer-eu-west",
            )
        },
        ChainLink {
            digests: vec![of("part", ROOT)],
            marks: vec![asserted("svc-etl-7", "that these rows come from the chargeback export")],
            ..link(
                "Chargeback export, 2026-11",
                "12 480 rows, 1.4 MB, added to transactions:2",
                27,
                "2026-11-14T06:02:09.007Z",
                "svc-etl-7",
            )
        },
    ];
    let checks = vec![
        ChainLink {
            digests: vec![of("root", OTHER)],
            marks: vec![proven("root, counts and verdict as recorded")],
            ..link(
                "transactions:1 is valid",
                "14 checks ran, none blocks, none warns",
                21,
                "2026-11-02T08:11:41.902Z",
                "Ines Prado",
            )
        },
        ChainLink {
            tone: Tone::Warn,
            digests: vec![of("root", ROOT)],
            marks: vec![proven("root, counts and verdict as recorded")],
            ..link(
                "transactions:2 is valid, with 1 warning",
                "14 checks ran, none blocks, 1 warns",
                27,
                "2026-11-14T06:02:11.340Z",
                "Ines Prado",
            )
        },
    ];
    (step("2 parts", sources), step("valid, 1 warning", checks))
}

fn chain() -> ChainView {
    let (sources, checks) = data_steps();
    let origin = ChainLink {
        digests: vec![of("manifest", MANIFEST)],
        marks: vec![
            asserted("Ines Prado", "that fraud:3 was trained on transactions:2"),
            proven("the declaration names this very manifest"),
        ],
        ..link(
            "Trained elsewhere on transactions:2",
            "Declared when the model was imported; the words of the declaration are private",
            40,
            "2026-11-20T16:40:02.511Z",
            "Ines Prado",
        )
    };
    let signature = ChainLink {
        digests: vec![of("manifest", MANIFEST), of("OMS root", OTHER)],
        marks: vec![proven("4 files and their bytes, by the project’s model-signing key")],
        ..link(
            "Manifest of 4 files, signed",
            "OpenSSF Model Signing v1.0, verified for this page",
            41,
            "2026-11-20T16:40:02.630Z",
            "Ines Prado",
        )
    };
    let version = ChainLink {
        digests: vec![of("payload", ROOT)],
        marks: vec![proven("the statement is in the ledger, and who may write it was granted before")],
        ..link(
            "Registered as fraud:3",
            "Candidate from here on",
            41,
            "2026-11-20T16:40:02.630Z",
            "Ines Prado",
        )
    };
    let approval = |entry: u64, at: &str, by: &str| ChainLink {
        digests: vec![of("evidence", OTHER), of("policy", ROOT)],
        marks: vec![
            proven("it covers manifest, evidence and policy as they are today"),
            asserted("the server", &format!("that {by} gave it")),
        ],
        ..link(&format!("{by} approved"), "Did not import or train it", entry, at, by)
    };
    let state = ChainLink {
        digests: vec![of("payload", OTHER)],
        marks: vec![proven("two approvals by different people carry it")],
        ..link(
            "candidate → approved",
            "Carried by entries 44 and 47",
            48,
            "2026-11-21T09:14:22.004Z",
            "Ben Okafor",
        )
    };
    ChainView {
        sources,
        checks,
        origin: step("declared", vec![origin]),
        signature: step("verified", vec![signature]),
        version: step("entry 41", vec![version]),
        approvals: step(
            "2 of 2",
            vec![
                approval(44, "2026-11-20T17:22:48.900Z", "Ana Ruiz"),
                approval(47, "2026-11-21T09:14:21.733Z", "Ben Okafor"),
            ],
        ),
        state: step("approved", vec![state]),
    }
}

fn data_sets() -> Vec<DataSetRow> {
    let row = |version: &str, entry, warnings, parts, rows, root: &str| DataSetRow {
        version: version.to_owned(),
        verdict: DataVerdict::Valid,
        checks: 14,
        blocking: 0,
        warnings,
        parts,
        rows,
        root: root.to_owned(),
        entry,
    };
    vec![row("transactions:2", 27, 1, 2, 22_480, ROOT), row("merchants:1", 24, 0, 1, 1_204, OTHER)]
}

fn versions() -> Vec<VersionRow> {
    let row = |version, state, approvals, aliases: &[&str], at: &str, entry| VersionRow {
        version,
        state,
        approvals,
        approvals_needed: 2,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        registered_at: at.to_owned(),
        entry,
    };
    vec![
        row(4, VersionState::Candidate, 0, &[], "2026-11-21T10:30:00.000Z", 52),
        row(3, VersionState::Approved, 2, &["prod", "eu"], "2026-11-20T16:40:02.630Z", 41),
        row(2, VersionState::Quarantined, 2, &[], "2026-11-09T12:00:00.000Z", 30),
        row(1, VersionState::Retired, 2, &[], "2026-11-03T07:45:00.000Z", 23),
    ]
}

fn changes() -> Vec<ChangeView> {
    let change = |entry, at: &str, tone, title: &str, detail: Option<&str>, by: &str| ChangeView {
        at: at.to_owned(),
        entry,
        tone,
        title: title.to_owned(),
        detail: detail.map(str::to_owned),
        by: Some(by.to_owned()),
    };
    vec![
        change(
            49,
            "2026-11-21T09:20:10.000Z",
            Tone::Ok,
            "Alias prod moved here",
            Some("It named fraud:1 before"),
            "Ben Okafor",
        ),
        change(48, "2026-11-21T09:14:22.004Z", Tone::Ok, "candidate → approved", None, "Ben Okafor"),
        change(
            47,
            "2026-11-21T09:14:21.733Z",
            Tone::Ok,
            "Approved by Ben Okafor",
            Some("2 of 2"),
            "Ben Okafor",
        ),
        change(44, "2026-11-20T17:22:48.900Z", Tone::Ok, "Approved by Ana Ruiz", Some("1 of 2"), "Ana Ruiz"),
        change(
            41,
            "2026-11-20T16:40:02.630Z",
            Tone::Neutral,
            "Registered as candidate",
            Some("4 files, signed; origin in entry 40"),
            "Ines Prado",
        ),
    ]
}

/// An approved version in a witnessed project: every part of the page is filled.
pub(crate) fn approved() -> ModelVersionView {
    ModelVersionView {
        frame: frame(),
        model: "fraud".to_owned(),
        version: 3,
        state: VersionState::Approved,
        signature: SignatureCheck::Verified,
        manifest: MANIFEST.to_owned(),
        entry: 41,
        aliases: vec!["prod".to_owned(), "eu".to_owned()],
        approved_by: vec!["Ana Ruiz".to_owned(), "Ben Okafor".to_owned()],
        approvals_needed: 2,
        stop: None,
        files: 4,
        bytes: 43_213_004,
        sensitivity: Sensitivity::Sensitive,
        tree: TreeView {
            size: 1_284,
            witnesses: vec!["witness.example.org".to_owned(), "witness.example.net".to_owned()],
            witnessed_at: Some("2026-11-21T09:14:25.000Z".to_owned()),
            development_keys: false,
        },
        chain: chain(),
        data_sets: all(data_sets()),
        versions: all(versions()),
        changes: all(changes()),
        proof_href: Some("/api/v1/models/fraud/3/proof".to_owned()),
    }
}

/// A quarantined version in a self-attested project with development keys; lists have further pages.
pub(crate) fn quarantined() -> ModelVersionView {
    let mut view = approved();
    view.state = VersionState::Quarantined;
    view.aliases.clear();
    view.stop = Some(StopView {
        reason: Some(
            "Part 27 was rewritten by svc-etl-7 after delivery: merchant_category has a value that no other \
             acquirer knows, always with the label turned round. Suspected tampering, INC-207."
                .to_owned(),
        ),
        by: "Dana Whitfield".to_owned(),
        at: "2026-11-21T11:02:00.000Z".to_owned(),
        entry: 55,
    });
    view.tree = TreeView { size: 56, witnesses: Vec::new(), witnessed_at: None, development_keys: true };
    view.approved_by.clear();
    "2 lapsed".clone_into(&mut view.chain.approvals.summary);
    for approval in &mut view.chain.approvals.links {
        approval.tone = Tone::Neutral;
        approval.detail = Some("Counted until the quarantine".to_owned());
        approval.marks.truncate(0);
        approval.marks.push(asserted("the server", "that the approval was given"));
    }
    if let Some(state) = view.chain.state.links.first_mut() {
        "approved → quarantined".clone_into(&mut state.title);
        state.detail = Some("Served nowhere from here on".to_owned());
        state.tone = Tone::Bad;
        state.entry = Some(55);
        state.marks = vec![proven("a decision by the access policy allowed it")];
    }
    "quarantined".clone_into(&mut view.chain.state.summary);
    view.versions.total = 31;
    view.versions.next = Some("?versions=before-1".to_owned());
    view.changes.total = 12;
    view.changes.next = Some("?changes=before-41".to_owned());
    view.changes.rows.insert(
        0,
        ChangeView {
            at: "2026-11-21T11:02:00.000Z".to_owned(),
            entry: 55,
            tone: Tone::Bad,
            title: "approved → quarantined".to_owned(),
            detail: Some("Suspected tampering".to_owned()),
            by: Some("Dana Whitfield".to_owned()),
        },
    );
    view
}

/// A candidate in tier `explore` of which next to nothing is known, with names as long as they may be.
pub(crate) fn bare() -> ModelVersionView {
    let mut view = approved();
    view.frame = Frame {
        project: "prj_0123456789abcdef0123456789abcdef".to_owned(),
        tier: Tier::Explore,
        viewer: None,
        entry_base: None,
    };
    view.model = "a-model-whose-name-is-as-long-as-a-name-of-a-model-may-ever-be.".to_owned();
    view.version = 4_294_967_295;
    view.entry = 9_007_199_254_740_991;
    view.state = VersionState::Candidate;
    view.signature = SignatureCheck::NotChecked;
    view.aliases = vec!["an-alias-whose-name-is-as-long-as-a-name-of-an-alias-may-ever-b".to_owned()];
    view.approved_by.clear();
    view.approvals_needed = 1;
    view.files = 1;
    view.bytes = u64::MAX;
    view.tree = TreeView {
        size: 9_007_199_254_740_992,
        witnesses: Vec::new(),
        witnessed_at: None,
        development_keys: false,
    };
    let mut origin = view.chain.origin.links.clone();
    for link in &mut origin {
        "Trained elsewhere; no data set is named".clone_into(&mut link.title);
        link.tone = Tone::Warn;
        link.by = Some("usr_0123456789abcdef0123456789abcdef".to_owned());
        link.marks = vec![asserted("usr_0123456789abcdef0123456789abcdef", "where the model comes from")];
    }
    let mut state = view.chain.version.links.clone();
    for link in &mut state {
        "candidate".clone_into(&mut link.title);
        link.detail = Some("Since it was registered".to_owned());
        link.tone = Tone::Neutral;
    }
    view.chain = ChainView {
        sources: ChainStep::default(),
        checks: ChainStep::default(),
        origin: step("declared, and by somebody who is long", origin),
        approvals: ChainStep::default(),
        state: step("candidate", state),
        ..view.chain
    };
    view.data_sets = all(Vec::new());
    view.changes = all(Vec::new());
    view.proof_href = None;
    view
}

/// A revoked version whose every text tries to be more than text.
pub(crate) fn hostile() -> ModelVersionView {
    let evil =
        "<script>alert(1)</script>\" onload='x' style=\"color:red\" https://evil.example/\u{202e}&amp;";
    let text = || evil.to_owned();
    let mut view = approved();
    view.frame = Frame {
        project: text(),
        tier: Tier::Release,
        viewer: Some(text()),
        entry_base: Some("javascript:alert(1)//".to_owned()),
    };
    view.model = text();
    view.state = VersionState::Revoked;
    view.signature = SignatureCheck::Failed;
    view.manifest = text();
    view.aliases = vec![text()];
    view.approved_by = vec![text(), text()];
    view.stop = Some(StopView { reason: Some(text()), by: text(), at: text(), entry: 7 });
    view.tree.witnesses = vec![text()];
    view.tree.witnessed_at = Some(text());
    let link = ChainLink {
        title: text(),
        detail: Some(text()),
        tone: Tone::Bad,
        entry: Some(7),
        at: Some(text()),
        by: Some(text()),
        digests: vec![DigestView { of: text(), digest: text() }],
        marks: vec![Mark::Proven { what: text() }, Mark::Asserted { by: text(), what: text() }],
    };
    let many = ChainStep { summary: text(), links: vec![link; 9] };
    view.chain = ChainView {
        sources: many.clone(),
        checks: many.clone(),
        origin: many.clone(),
        signature: many.clone(),
        version: many.clone(),
        approvals: many.clone(),
        state: many,
    };
    for row in &mut view.data_sets.rows {
        row.version = text();
        row.root = text();
        row.verdict = DataVerdict::Invalid;
        row.blocking = 3;
    }
    for row in &mut view.versions.rows {
        row.aliases = vec![text()];
        row.registered_at = text();
    }
    for row in &mut view.changes.rows {
        row.at = text();
        row.title = text();
        row.detail = Some(text());
        row.by = Some(text());
    }
    view.versions.next = Some("javascript:alert(1)".to_owned());
    view.changes.first = Some("//evil.example/".to_owned());
    view.data_sets.next = Some("https://evil.example/".to_owned());
    view.proof_href = Some("javascript:alert(1)".to_owned());
    view
}

/// A page of models that is neither the first nor the last.
pub(crate) fn models() -> ModelsView {
    let row = |name: &str, versions, latest_state, approved| ModelRow {
        name: name.to_owned(),
        versions,
        latest: versions,
        latest_state,
        latest_at: "2026-11-21T10:30:00.000Z".to_owned(),
        approved,
    };
    ModelsView {
        frame: frame(),
        models: Paged {
            rows: vec![
                row("chargeback-text", 1, VersionState::Candidate, None),
                row("fraud", 4, VersionState::Candidate, Some(3)),
                row("limits", 12, VersionState::Approved, Some(12)),
                row("merchant-match", 2, VersionState::Revoked, None),
                row(
                    "a-model-whose-name-is-as-long-as-a-name-of-a-model-may-ever-be.",
                    3,
                    VersionState::Quarantined,
                    Some(1),
                ),
                row("velocity", 7, VersionState::Retired, None),
            ],
            total: 100_004,
            first: Some("?".to_owned()),
            next: Some("?after=velocity".to_owned()),
        },
    }
}

/// A project without models.
pub(crate) fn no_models() -> ModelsView {
    ModelsView { frame: frame(), models: all(Vec::new()) }
}
