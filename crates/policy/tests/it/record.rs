//! Recording: no record no answer, what the record says, and its stored form.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bartizan_base::{canonical, sha256};
use bartizan_policy::{
    Action, Allowed, ContextFacts, DecisionRecord, Effect, GrantFacts, Makers, ModelFacts, PrincipalFacts,
    ProjectFacts, RecordInvalid, RefusedOr, Request, Role, Tier, op,
};
use expect_test::expect;

use crate::world::{ANNA, BEN, CLARA, LOOPBACK, NOW, model, people, policies, project, roles};

fn request<O: bartizan_policy::Operation>(
    tier: Tier,
    role: Role,
    operation: O,
    resource: O::Resource,
) -> Request<O> {
    Request {
        principal: PrincipalFacts::person(project(), ANNA, roles(&[role])),
        project: ProjectFacts { id: project(), tier },
        operation,
        resource,
        context: ContextFacts::session(LOOPBACK, NOW),
    }
}

fn approve(role: Role) -> Request<op::ModelApprove> {
    request(Tier::Release, role, op::ModelApprove, model())
}

/// Runs a future that never waits.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

fn kept(
    record: &Cell<Option<DecisionRecord>>,
    index: u64,
) -> impl FnOnce(&DecisionRecord) -> io::Result<u64> {
    move |decision| {
        record.set(Some(decision.clone()));
        Ok(index)
    }
}

#[test]
fn an_allow_is_recorded_and_then_held() {
    let record = Cell::new(None);
    let allowed = policies().decide(approve(Role::Approver)).record_sync(kept(&record, 41)).unwrap();
    assert_eq!(allowed.ledger_index(), 41);
    assert_eq!(allowed.resource(), &model());
    assert_eq!(*allowed.resource(), model());
    assert_eq!(allowed.person(), ANNA);
    assert_eq!(allowed.decision().effect, Effect::Allow);
    let record = record.take().unwrap();
    assert_eq!(record.effect, Effect::Allow);
    assert_eq!(record.input, allowed.decision().input);
    assert_eq!(record.policy, policies().digest());
}

#[test]
fn a_denial_is_recorded_too() {
    let record = Cell::new(None);
    let refused = policies().decide(approve(Role::Viewer)).record_sync(kept(&record, 42)).unwrap_err();
    expect!["`model.approve` on `fraud:3` is not allowed: role approver is needed"]
        .assert_eq(&refused.to_string());
    let RefusedOr::Refused(refused) = refused else { panic!("recorded") };
    assert_eq!(refused.ledger_index, 42);
    let record = record.take().unwrap();
    assert_eq!((record.effect, record.roles_missing), (Effect::Deny, vec![Role::Approver]));
}

#[test]
fn what_cannot_be_recorded_is_not_answered() {
    for role in [Role::Approver, Role::Viewer] {
        let answer = policies().decide(approve(role)).record_sync(|_| Err(io::Error::other("disk full")));
        let error = answer.unwrap_err();
        assert!(matches!(error, RefusedOr::NotRecorded(_)), "{error:?}");
        expect!["the decision could not be recorded, so there is none"].assert_eq(&error.to_string());
    }
}

#[test]
fn recording_may_wait_and_its_future_moves_between_threads() {
    fn must_be_send<T: Send>(value: T) -> T {
        value
    }
    let decided = policies().decide(approve(Role::Approver));
    let recording = must_be_send(decided.record(async |record: &DecisionRecord| {
        assert_eq!(record.action, Action::ModelApprove);
        Ok::<u64, io::Error>(7)
    }));
    assert_eq!(ready(recording).unwrap().ledger_index(), 7);
    let failing = policies().decide(approve(Role::Approver)).record(async |_| Err(io::Error::other("gone")));
    assert!(matches!(ready(failing), Err(RefusedOr::NotRecorded(_))));
}

#[test]
fn the_operation_keeps_what_its_type_leaves_open() {
    let facts = GrantFacts { to: CLARA.principal(), person: CLARA, confirmed_by: Some(BEN) };
    let record = Cell::new(None);
    let granted: Allowed<op::RoleGrant> = policies()
        .decide(request(Tier::Release, Role::Admin, op::RoleGrant(Role::Approver), facts))
        .record_sync(kept(&record, 3))
        .unwrap();
    assert_eq!(granted.operation().0, Role::Approver);
    assert_eq!(record.take().unwrap().beneficiary, Some(CLARA.principal()));
}

fn golden() -> DecisionRecord {
    let record = Cell::new(None);
    let makers = Makers { imported: people(&[ANNA]), ..Makers::default() };
    let request = Request {
        context: ContextFacts::local(NOW),
        ..request(Tier::Explore, Role::Admin, op::ModelApprove, ModelFacts { makers, ..model() })
    };
    let allowed = policies().decide(request).record_sync(kept(&record, 0)).unwrap();
    assert!(allowed.decision().self_approved());
    record.take().unwrap()
}

const GOLDEN: &[u8] = include_bytes!("../../../../tests/golden/decision/v1/record.json");
const GOLDEN_INPUT: &[u8] = include_bytes!("../../../../tests/golden/decision/v1/input.json");

#[test]
fn the_golden_record_is_read_for_ever() {
    let record = DecisionRecord::from_bytes(GOLDEN).unwrap();
    assert_eq!(record.to_bytes().unwrap(), GOLDEN);
    assert_eq!(record.input, sha256(GOLDEN_INPUT));
    // The digest of the policies moves with every change of them, and no other member does.
    let today = DecisionRecord { policy: record.policy, ..golden() };
    assert_eq!(String::from_utf8(today.to_bytes().unwrap()).unwrap(), String::from_utf8_lossy(GOLDEN));
    expect![[r#"{"action":"model.approve","at":"2026-03-01T12:00:00.000Z","effect":"allow","format":"bartizan-decision-v1","input":"8bbe8c53aad56e0c5fad4602e7af29eaa4eb3e32af5d43d4787d07527e64f2cd","person":"usr_01010101010101010101010101010101","policies":["explore-admin"],"policy":"bc6bf140ebbde7b3d358f4463eb0a9053a4370392d46dfce457df06921a9eea4","principal":"usr_01010101010101010101010101010101","project":"prj_09090909090909090909090909090909","resource":"497ba3e7fbb8b4a1c1c7af8b66c6a59eac18de8affe1f947000e7da4299bb780","resource_kind":"Model","resource_name":"fraud:3","tier":"explore","via":"local","waived":["separation-imported"]}"#]].assert_eq(&String::from_utf8_lossy(GOLDEN));
}

#[test]
fn members_of_a_record_are_sorted() {
    let bytes = golden().to_bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let names: Vec<&str> =
        text.split('"').skip(1).step_by(2).filter(|word| text.contains(&format!("\"{word}\":"))).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.len(), 16);
}

#[test]
fn other_bytes_are_no_record() {
    let text = String::from_utf8(GOLDEN.to_vec()).unwrap();
    let refused = |text: &str| DecisionRecord::from_bytes(text.as_bytes()).is_err();
    assert!(refused(&text.replace("bartizan-decision-v1", "bartizan-decision-v2")));
    assert!(refused(&text.replace("\"via\":\"local\"", "\"via\":\"pigeon\"")));
    assert!(refused(&text.replace("\"via\"", "\"vib\"")));
    assert!(refused(&text.replace("\"effect\"", " \"effect\"")));
    assert!(refused(""));
    let long = vec![b' '; bartizan_policy::limits::DECISION_BYTES + 1];
    assert!(matches!(DecisionRecord::from_bytes(&long), Err(RecordInvalid::TooLarge { .. })));
    let value: serde_json::Value = canonical::from_bytes(GOLDEN).unwrap();
    assert!(value.is_object());
}
