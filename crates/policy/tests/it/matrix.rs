//! Every role times every action in both tiers, as one table.

use bartizan_policy::{Action, ContextFacts, ResourceFacts, Role, Tier, UserFacts};
use expect_test::expect;

use crate::world::{ANNA, CLARA, NOW, alias, allowed, ask, key_of, policies};

/// A row per action; per role `e` when allowed in tier explore and `r` when allowed in tier release.
fn matrix() -> String {
    let policies = policies();
    let mut rows: Vec<(String, Action, Option<ResourceFacts>)> = Vec::new();
    for action in Action::ALL.iter().copied() {
        match action {
            Action::ModelAliasSet => {
                rows.push((format!("{action} (guarded)"), action, Some(alias(true).into())));
                rows.push((format!("{action} (other)"), action, Some(alias(false).into())));
            }
            Action::KeyIssue | Action::KeyRevoke => {
                rows.push((format!("{action} (own)"), action, Some(key_of(ANNA).into())));
                rows.push((format!("{action} (of another)"), action, Some(key_of(CLARA).into())));
            }
            Action::AccessExplain => {
                let own = UserFacts { principal: ANNA.principal(), person: ANNA };
                rows.push((format!("{action} (own)"), action, Some(own.into())));
                rows.push((format!("{action} (of another)"), action, None));
            }
            _ => rows.push((action.to_string(), action, None)),
        }
    }
    let mut text = format!("{:36}", "");
    for head in ["nobody", "viewer", "data-sc", "ml-eng", "approv", "auditor", "security", "admin"] {
        text.push_str(&format!("{head:9}"));
    }
    text = format!("{}\n", text.trim_end());
    for (name, action, resource) in rows {
        let mut line = format!("{name:36}");
        for role in std::iter::once(None).chain(Role::ALL.iter().copied().map(Some)) {
            let cell: String = [(Tier::Explore, 'e'), (Tier::Release, 'r')]
                .into_iter()
                .map(|(tier, mark)| {
                    let mut question = ask(tier, role.as_slice(), action);
                    if let Some(resource) = &resource {
                        question.resource = resource.clone();
                    }
                    if action == Action::ProjectInit {
                        question.context = ContextFacts::local(NOW);
                    }
                    if allowed(&policies, &question) { mark } else { '.' }
                })
                .collect();
            line.push_str(&format!("{cell:9}"));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn who_may_do_what() {
    expect![[r#"
                                            nobody   viewer   data-sc  ml-eng   approv   auditor  security admin
        project.init                        ..       ..       ..       ..       ..       ..       ..       er
        project.tier:explore                ..       ..       ..       ..       ..       ..       ..       e.
        project.tier:release                ..       ..       ..       ..       ..       ..       ..       er
        data.list                           ..       er       er       er       er       er       er       er
        data.show                           ..       er       er       er       er       er       er       er
        data.check                          ..       ..       er       er       ..       ..       ..       e.
        data.add                            ..       ..       er       er       ..       ..       ..       e.
        model.list                          ..       er       er       er       er       er       er       er
        model.show                          ..       er       er       er       er       er       er       er
        model.verify                        ..       er       er       er       er       er       er       er
        model.import                        ..       ..       ..       er       ..       ..       ..       e.
        model.approve                       ..       ..       ..       ..       er       ..       ..       e.
        model.quarantine                    ..       ..       ..       er       ..       ..       er       e.
        model.retire                        ..       ..       ..       ..       ..       ..       ..       ..
        model.revoke                        ..       ..       ..       ..       ..       ..       ..       ..
        model.alias.set (guarded)           ..       ..       ..       ..       er       ..       ..       e.
        model.alias.set (other)             ..       ..       ..       er       ..       ..       ..       e.
        model.export                        ..       ..       er       er       ..       ..       er       e.
        prove                               ..       ..       er       er       er       er       er       er
        ledger.show                         ..       er       er       er       er       er       er       er
        ledger.proof                        ..       er       er       er       er       er       er       er
        ledger.fsck                         ..       ..       ..       ..       ..       er       er       er
        ledger.rebuild                      ..       ..       ..       ..       ..       ..       ..       er
        access.user.list                    ..       ..       ..       ..       ..       er       er       er
        access.user.add                     ..       ..       ..       ..       ..       ..       ..       er
        access.user.disable                 ..       ..       ..       ..       ..       ..       er       er
        access.user.enable                  ..       ..       ..       ..       ..       ..       ..       er
        access.key.list                     ..       ..       ..       ..       ..       er       er       er
        access.key.issue (own)              ..       er       er       er       er       er       er       er
        access.key.issue (of another)       ..       ..       ..       ..       ..       ..       ..       e.
        access.key.revoke (own)             ..       er       er       er       er       er       er       er
        access.key.revoke (of another)      ..       ..       ..       ..       ..       ..       er       er
        access.role.list                    ..       ..       ..       ..       ..       er       er       er
        access.role.grant:viewer            ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:data-scientist    ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:ml-engineer       ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:approver          ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:auditor           ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:security          ..       ..       ..       ..       ..       ..       ..       er
        access.role.grant:admin             ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:viewer          ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:data-scientist  ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:ml-engineer     ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:approver        ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:auditor         ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:security        ..       ..       ..       ..       ..       ..       ..       er
        access.role.confirm:admin           ..       ..       ..       ..       ..       ..       ..       er
        access.role.revoke:viewer           ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:data-scientist   ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:ml-engineer      ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:approver         ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:auditor          ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:security         ..       ..       ..       ..       ..       ..       er       er
        access.role.revoke:admin            ..       ..       ..       ..       ..       ..       er       er
        access.explain (own)                ..       er       er       er       er       er       er       er
        access.explain (of another)         ..       ..       ..       ..       ..       er       er       er
        keys.list                           ..       ..       ..       ..       ..       er       er       er
        keys.export                         ..       er       er       er       er       er       er       er
        keys.erase                          ..       ..       ..       ..       ..       ..       er       e.
        audit.read                          ..       ..       ..       ..       ..       er       er       e.
    "#]].assert_eq(&matrix());
}
