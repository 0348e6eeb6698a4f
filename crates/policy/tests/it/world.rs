//! A small project with known people, for building questions in one line.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use bartizan_base::{PrincipalId, ProjectId, Timestamp, sha256};
use bartizan_policy::api_key::{self, ApiKeyId, Scopes, Terms};
use bartizan_policy::{
    Action, AliasFacts, ArtifactFacts, ContextFacts, DatasetFacts, Decision, Effect, EndpointFacts,
    GrantFacts, KeyFacts, Makers, ModelFacts, PersonId, Policies, PrincipalFacts, ProjectFacts, ProjectWide,
    Question, ResourceFacts, ResourceKind, Role, Roles, SourceFacts, Tier, UserFacts,
};

use crate::api_key::Counting;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) const ANNA: PersonId = person(1);
pub(crate) const BEN: PersonId = person(2);
pub(crate) const CLARA: PersonId = person(3);

pub(crate) const fn person(number: u8) -> PersonId {
    PersonId::new(principal(number))
}

pub(crate) const fn principal(number: u8) -> PrincipalId {
    PrincipalId::from_random([number; 16])
}

pub(crate) const fn project() -> ProjectId {
    ProjectId::from_random([9; 16])
}

pub(crate) fn roles(list: &[Role]) -> Roles {
    list.iter().copied().collect()
}

pub(crate) fn people(list: &[PersonId]) -> BTreeSet<PersonId> {
    list.iter().copied().collect()
}

/// The built-in policies, loaded once for all tests.
pub(crate) fn policies() -> &'static Policies {
    static POLICIES: LazyLock<Policies> = LazyLock::new(|| Policies::builtin().unwrap());
    &POLICIES
}

/// `fraud:3`, imported by Clara.
pub(crate) fn model() -> ModelFacts {
    ModelFacts {
        version: "fraud:3".parse().unwrap(),
        manifest: sha256(b"fraud 3"),
        sensitive: false,
        makers: Makers { imported: people(&[CLARA]), ..Makers::default() },
        approvers: BTreeSet::new(),
        stopped_by: None,
    }
}

pub(crate) fn alias(guarded: bool) -> AliasFacts {
    AliasFacts { alias: "fraud@prod".parse().unwrap(), guarded, target: model() }
}

/// An API key of a service that `person` is responsible for.
pub(crate) fn key_of(person: PersonId) -> KeyFacts {
    let key: ApiKeyId = "00112233aabbccdd".parse().unwrap();
    KeyFacts { key, principal: principal(40), person, enrolment: false, newcomer: false }
}

/// An enrolment key of `person`, who holds no role.
pub(crate) fn enrolment_of(person: PersonId) -> KeyFacts {
    KeyFacts { principal: person.principal(), enrolment: true, newcomer: true, ..key_of(person) }
}

/// A request with an API key that is limited to `scopes`.
pub(crate) fn with_key(scopes: Scopes) -> ContextFacts {
    let terms = Terms {
        principal: ANNA.principal(),
        person: ANNA,
        scopes,
        networks: "0.0.0.0/0, ::/0".parse().unwrap(),
        expires_at: NOW.plus_millis(60 * 60 * 1000),
    };
    let (key, issued) = api_key::issue(terms, &mut Counting(7), NOW).unwrap();
    ContextFacts::api_key(&api_key::admit(Some(&issued), &key, LOOPBACK, NOW).unwrap(), NOW)
}

/// Facts of the kind that `action` needs, in which nobody but Clara has a part.
pub(crate) fn neutral(action: Action) -> ResourceFacts {
    match action.kind() {
        ResourceKind::Project => ProjectWide.into(),
        ResourceKind::Dataset => {
            DatasetFacts { name: "payments".parse().unwrap(), version: Some(7.try_into().unwrap()) }.into()
        }
        ResourceKind::Model => model().into(),
        ResourceKind::Alias => alias(true).into(),
        ResourceKind::Endpoint => {
            EndpointFacts { endpoint: "scores".parse().unwrap(), target: Some(model()) }.into()
        }
        ResourceKind::User => UserFacts { principal: CLARA.principal(), person: CLARA }.into(),
        ResourceKind::Key => key_of(CLARA).into(),
        ResourceKind::Grant => {
            GrantFacts { to: CLARA.principal(), person: CLARA, confirmed_by: Some(BEN) }.into()
        }
        ResourceKind::Source => SourceFacts { source: bartizan_base::SourceId::from_random([5; 16]) }.into(),
        ResourceKind::Artifact => ArtifactFacts { subject: sha256(b"an artifact") }.into(),
    }
}

/// Anna, with `list` as her roles, asks for `action` on neutral facts through a session on this machine.
pub(crate) fn ask(tier: Tier, list: &[Role], action: Action) -> Question {
    Question {
        principal: PrincipalFacts::person(project(), ANNA, roles(list)),
        project: ProjectFacts { id: project(), tier },
        action,
        resource: neutral(action),
        context: ContextFacts::session(LOOPBACK, NOW),
    }
}

/// Effect, reasons and waived policies, one a line.
pub(crate) fn show(decision: &Decision) -> String {
    let mut lines = vec![decision.effect.to_string()];
    lines.extend(decision.reasons.iter().map(|reason| format!("  {reason}")));
    lines.extend(decision.waived.iter().map(|clause| format!("  waived: {}", clause.policy)));
    lines.join("\n")
}

pub(crate) fn allowed(policies: &Policies, question: &Question) -> bool {
    policies.evaluate(question).effect == Effect::Allow
}
