//! The table of actions, the Cedar schema and the policies agree.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_policy::{Access, Action, Policies, PrincipalKind, Role, Standing, Tier};
use cedar_policy::{EntityUid, Schema};
use expect_test::expect;

use crate::world::policies;

/// The groups that an action belongs to, as the table implies them.
fn groups(action: Action) -> BTreeSet<&'static str> {
    let mut groups = BTreeSet::from([action.access().as_str()]);
    match action {
        Action::ModelApprove | Action::ModelAliasSet => groups.extend(["promotion"]),
        Action::RoleGrant(Role::Admin | Role::Approver | Role::Security) => {
            groups.extend(["grant", "guarded-grant"]);
        }
        Action::RoleGrant(_) => groups.extend(["grant"]),
        Action::RoleConfirm(_) => groups.extend(["confirm"]),
        Action::RoleRevoke(_) => groups.extend(["revoke"]),
        _ => {}
    }
    groups
}

fn schema() -> Schema {
    let [text, _, _] = Policies::sources();
    text.parse().unwrap()
}

fn id(uid: &EntityUid) -> String {
    uid.id().unescaped().to_owned()
}

#[test]
fn the_schema_has_the_actions_of_the_table_and_no_others() {
    let schema = schema();
    let group_names: BTreeSet<String> = schema.action_groups().map(id).collect();
    let in_schema: BTreeSet<String> =
        schema.actions().map(id).filter(|action| !group_names.contains(action)).collect();
    let in_table: BTreeSet<String> = Action::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(in_schema, in_table);
    assert_eq!(in_table.len(), Action::ALL.len(), "ids are unique");
}

#[test]
fn every_action_has_its_resource_and_groups_in_the_schema() {
    let schema = schema();
    let entities = schema.action_entities().unwrap();
    let uids: BTreeMap<String, EntityUid> = schema.actions().map(|uid| (id(uid), uid.clone())).collect();
    for action in Action::ALL.iter().copied() {
        let uid = &uids[action.id()];
        let resources: Vec<String> =
            schema.resources_for_action(uid).unwrap().map(ToString::to_string).collect();
        assert_eq!(resources, [action.kind().as_str()], "{action}");
        let principals: Vec<String> =
            schema.principals_for_action(uid).unwrap().map(ToString::to_string).collect();
        assert_eq!(principals, ["Principal"], "{action}");
        let in_schema: BTreeSet<String> = entities.ancestors(uid).unwrap().map(id).collect();
        let in_table: BTreeSet<String> = groups(action).into_iter().map(str::to_owned).collect();
        assert_eq!(in_schema, in_table, "{action}");
    }
}

#[test]
fn the_words_of_the_schema_are_those_of_the_enums() {
    let [text, _, _] = Policies::sources();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted =
        |words: Vec<&str>| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let roles = std::iter::once("member").chain(Role::ALL.iter().map(|role| role.as_str())).collect();
    assert!(flat.contains(&format!("entity Role enum [ {} ];", quoted(roles))));
    let tiers = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
    assert!(flat.contains(&format!("entity Tier enum [{}];", quoted(tiers))));
    let kinds = PrincipalKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert!(flat.contains(&format!("entity Kind enum [{}];", quoted(kinds))));
    let standings = Standing::ALL.iter().map(|standing| standing.as_str()).collect();
    assert!(flat.contains(&format!("entity Standing enum [{}];", quoted(standings))));
}

#[test]
fn ids_are_read_back_and_others_are_not() {
    for action in Action::ALL.iter().copied() {
        assert_eq!(action.id().parse(), Ok(action));
    }
    for text in
        ["", "model", "model.approve ", "Model.approve", "access.role.grant", "access.role.grant:owner"]
    {
        assert!(text.parse::<Action>().is_err(), "{text:?}");
    }
    expect!["`access.role.grant:owner` is not an action"]
        .assert_eq(&"access.role.grant:owner".parse::<Action>().unwrap_err().to_string());
    expect!["`owner` is not a role: expected one of viewer, data-scientist, ml-engineer, approver, auditor, security, admin"]
        .assert_eq(&"owner".parse::<Role>().unwrap_err().to_string());
}

#[test]
fn reads_and_mutations() {
    let reads: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| action.access() == Access::Read)
        .map(|action| action.id())
        .collect();
    expect![[r#"
        data.list
        data.show
        data.detokenize
        source.list
        lineage.show
        model.list
        model.show
        model.verify
        model.export
        endpoint.predict
        predictions.show
        predictions.read
        prove
        ledger.show
        ledger.proof
        ledger.fsck
        access.user.list
        access.key.list
        access.role.list
        access.explain
        keys.list
        keys.export
        audit.read"#]]
    .assert_eq(&reads.join("\n"));
}

#[test]
fn the_documentation_names_every_policy() {
    let documentation = include_str!("../../../../docs/policy.md");
    let [_, permits, forbids] = Policies::sources();
    let lines = permits.lines().chain(forbids.lines());
    let ids: Vec<&str> = lines.filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")")).collect();
    assert!(ids.len() > 40, "{} policies", ids.len());
    for policy in ids {
        assert!(documentation.contains(&format!("`{policy}`")), "`{policy}` is missing from docs/policy.md");
    }
}

#[test]
fn the_digest_is_that_of_the_documented_recipe() {
    let mut bytes = b"bartizan-policy-v1\0".to_vec();
    for text in Policies::sources() {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    assert_eq!(policies().digest(), bartizan_base::sha256(&bytes));
}
