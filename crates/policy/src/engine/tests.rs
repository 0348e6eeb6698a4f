//! Policies that must not load, and policies that fail while they are evaluated.

use std::net::Ipv4Addr;

use bartizan_base::{PrincipalId, ProjectId, Timestamp};
use expect_test::{Expect, expect};

use super::*;
use crate::action::Action;
use crate::facts::{ContextFacts, PrincipalFacts, ProjectFacts, ProjectWide};
use crate::role::PersonId;

#[track_caller]
fn refused(schema: &str, permits: &str, forbids: &str, expected: Expect) {
    let error = Policies::load(schema, permits, forbids).err().unwrap();
    expected.assert_eq(&error.to_string());
}

#[track_caller]
fn permits_refused(permits: &str, expected: Expect) {
    refused(SCHEMA, permits, FORBIDS, expected);
}

fn anybody() -> Question {
    let id = ProjectId::from_random([1; 16]);
    let person = PersonId::new(PrincipalId::from_random([2; 16]));
    Question {
        principal: PrincipalFacts::person(id, person, BTreeSet::from([Role::Viewer])),
        project: ProjectFacts { id, tier: Tier::Release },
        action: Action::ModelList,
        resource: ProjectWide.into(),
        context: ContextFacts::session(Ipv4Addr::LOCALHOST.into(), Timestamp::from_millis(1_000_000)),
    }
}

#[test]
fn what_does_not_parse_or_lacks_annotations() {
    permits_refused(
        "permit (principal, action, resource)",
        expect!["the permits are not valid Cedar: unexpected end of input"],
    );
    permits_refused(
        "permit (principal, action, resource);",
        expect!["policy `policy0` in the permits has no `@id`"],
    );
    permits_refused(
        r#"@id("x") permit (principal, action, resource);"#,
        expect!["policy `policy0` in the permits has no `@reason`"],
    );
    permits_refused(
        r#"@id("x") @reason("") permit (principal, action, resource);"#,
        expect!["policy `policy0` in the permits has no `@reason`"],
    );
    permits_refused(
        r#"@id("x") @reason("y") forbid (principal, action, resource);"#,
        expect!["policy `policy0` in the permits has the other effect"],
    );
    permits_refused(
        r#"@id("x") @reason("y") permit (principal == ?principal, action, resource);"#,
        expect!["policy `policy0` in the permits is a template"],
    );
    permits_refused(
        r#"@id("disabled") @reason("y") permit (principal, action, resource);"#,
        expect!["policy `policy0` in the forbids has the `@id` of another policy"],
    );
    permits_refused(
        r#"@id("x") @reason("y") @kind("tier") permit (principal, action, resource);"#,
        expect!["policy `policy0` in the permits is a permit with a `@kind`"],
    );
}

#[test]
fn forbids_need_a_kind() {
    let kinds = ["", r#"@kind("mood")"#, r#"@kind("role")"#];
    for kind in kinds {
        let forbid = format!(r#"@id("x") @reason("y") {kind} forbid (principal, action, resource);"#);
        let error = Policies::load(SCHEMA, PERMITS, &forbid).err().unwrap();
        assert_eq!(error.to_string(), "policy `policy0` in the forbids has no known `@kind`", "{kind}");
    }
}

#[test]
fn what_does_not_fit_the_schema_strictly() {
    let permit = |when: &str| {
        format!(r#"@id("x") @reason("y") permit (principal, action, resource) when {{ {when} }};"#)
    };
    for when in [
        "principal in Role::\"owner\"",
        "principal.team == \"a\"",
        "resource.tier == Tier::\"relase\"",
        "resource.tier == \"release\"",
        "resource.guarded",
        "context.key.scopes.contains(context.operation)",
        "1 == 2",
    ] {
        let error = Policies::load(SCHEMA, &permit(when), FORBIDS).err().unwrap();
        assert!(matches!(error, PoliciesInvalid::Validation { .. }), "{when}: {error}");
    }
    let unknown = r#"@id("x") @reason("y") permit (principal, action == Action::"model.aprove", resource);"#;
    assert!(matches!(Policies::load(SCHEMA, unknown, FORBIDS), Err(PoliciesInvalid::Validation { .. })));
    refused(
        "entity Tier enum [];",
        PERMITS,
        FORBIDS,
        expect!["the schema is not valid: error parsing schema: unexpected token `]`"],
    );
}

#[test]
fn an_action_that_the_schema_does_not_know_is_denied() {
    let schema = SCHEMA.replace("\"model.list\"", "\"model.lists\"");
    let permits = PERMITS.replace("\"model.list\"", "\"model.lists\"");
    let policies = Policies::load(&schema, &permits, FORBIDS).unwrap();
    let decision = policies.evaluate(&anybody());
    assert_eq!(decision.effect, Effect::Deny);
    assert!(matches!(decision.reasons.as_slice(), [Reason::Failed { .. }]), "{:?}", decision.reasons);
}

#[test]
fn a_forbid_that_cannot_be_evaluated_denies_what_a_permit_allows() {
    assert_eq!(Policies::builtin().unwrap().evaluate(&anybody()).effect, Effect::Allow);
    // The product overflows, and Cedar skips a policy that fails.
    let failing = r#"
        @id("x") @kind("tier") @reason("y")
        forbid (principal, action, resource) when { context.minute * 9223372036854775807 < 0 };"#;
    let policies = Policies::load(SCHEMA, PERMITS, &format!("{FORBIDS}{failing}")).unwrap();
    let decision = policies.evaluate(&anybody());
    assert_eq!(decision.effect, Effect::Deny);
    let [Reason::Failed { detail }] = decision.reasons.as_slice() else { panic!("{:?}", decision.reasons) };
    assert!(detail.starts_with("a policy could not be evaluated"), "{detail}");
    assert!(policies.explain(&anybody()).nearest.is_empty());
}

#[test]
fn any_change_of_any_file_changes_the_digest() {
    let builtin = Policies::builtin().unwrap().digest();
    let changed = [
        Policies::load(&format!("{SCHEMA}\n"), PERMITS, FORBIDS),
        Policies::load(SCHEMA, &format!("{PERMITS}\n"), FORBIDS),
        Policies::load(SCHEMA, PERMITS, &format!("{FORBIDS}\n")),
    ];
    for policies in changed {
        assert_ne!(policies.unwrap().digest(), builtin);
    }
}
