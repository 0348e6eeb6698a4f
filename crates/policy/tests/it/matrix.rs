//! Every role times every action in both tiers, as one table.

use bartizan_policy::api_key::Scopes;
use bartizan_policy::{Action, ContextFacts, ResourceFacts, Role, Tier, UserFacts};

use crate::world::{ANNA, CLARA, NOW, alias, allowed, ask, enrolment_of, key_of, policies, with_key};

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
                if action == Action::KeyIssue {
                    rows.push((format!("{action} (enrolment)"), action, Some(enrolment_of(CLARA).into())));
                }
            }
            Action::KeyClaim => rows.push((action.to_string(), action, Some(key_of(ANNA).into()))),
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
                    if action == Action::KeyClaim {
                        question.context = with_key(Scopes::enrolment());
                    }
                    if action == Action::ProjectInit {
                        question.context = ContextFacts::local(NOW);
                    }
                    if allowed(policies, &question) { mark } else { '.' }
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
    let documentation = include_str!("../../../../docs/policy.md");
    let (_, rest) = documentation.split_once("<!-- matrix: begin -->\n```text\n").unwrap();
    let (documented, _) = rest.split_once("```\n<!-- matrix: end -->").unwrap();
    assert_eq!(
        matrix(),
        documented,
        "docs/policy.md is the snapshot: compare, then correct it or the policies"
    );
}
