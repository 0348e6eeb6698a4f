//! Endpoints: who may route them, to what, and what stopping a version leaves of them.

use bartizan_base::{Name, VersionRef};
use bartizan_policy::Role;
use bartizan_registry::statement::{Beyond, EndpointV1, Fallback, MapKind, Standing};
use bartizan_registry::{
    Caller, EndpointSettings, Failed, NewEndpoint, NewFallback, NewRoute, Quarantine, RolledBack,
};

use crate::world::World;

pub(crate) async fn route(
    world: &World,
    caller: &Caller,
    primary: &VersionRef,
    fallback: NewFallback,
) -> Result<(), Failed> {
    let new = NewRoute { fallback, ..to(world, primary) };
    world.registry.route_endpoint(caller, new).await
}

/// A route to a version, from what is said of the endpoint now.
fn to(world: &World, primary: &VersionRef) -> NewRoute {
    NewRoute {
        endpoint: scores(),
        rests_on: world.registry.state().endpoints().get(&scores()).map(|found| found.statement.entry),
        primary: primary.clone(),
        fallback: NewFallback::Unavailable,
        beyond: None,
        columns: None,
    }
}

/// Rolls back to what comes first.
pub(crate) async fn roll_back(
    world: &World,
    caller: &Caller,
    to: Option<&VersionRef>,
) -> Result<RolledBack, Failed> {
    let planned = world.registry.plan_rollback(caller, &scores(), to).await?;
    let (settings, fallback) = (planned.present.clone(), planned.fallbacks.first().cloned().unwrap());
    world.registry.roll_back_endpoint(caller, planned, settings, fallback).await
}

fn scores() -> Name {
    "scores".parse().unwrap()
}

fn constant(text: &str) -> NewFallback {
    NewFallback::Constant(text.as_bytes().to_vec())
}

/// The endpoint as the last statement says.
fn now(world: &World) -> EndpointV1 {
    world.registry.state().endpoints().get(&scores()).unwrap().body.clone()
}

/// What a fallback is: a version, the text of a constant, or nothing.
async fn said(world: &World, fallback: &Fallback) -> String {
    match (&fallback.version, &fallback.constant) {
        (Some(version), _) => version.version.to_string(),
        (None, Some(constant)) => {
            String::from_utf8(world.registry.read_document(constant).await.unwrap()).unwrap()
        }
        (None, None) => "nobody".to_owned(),
    }
}

/// What may answer instead after a rollback to a version, in order.
async fn instead(world: &World, to: &VersionRef) -> Vec<String> {
    let planned = world.registry.plan_rollback(&world.admin, &scores(), Some(to)).await.unwrap();
    let mut all = Vec::new();
    for fallback in &planned.fallbacks {
        all.push(said(world, fallback).await);
    }
    all
}

/// Approved versions of so many different files.
async fn approved(world: &World, names: &[&str]) -> Vec<VersionRef> {
    let mut versions = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let file = number.to_string();
        let version = world.import_named(&world.admin, name, &[("m", file.as_bytes())]).await.unwrap();
        world.registry.approve(&world.admin, &version).await.unwrap();
        versions.push(version);
    }
    versions
}

fn standing(world: &World) -> (Standing, Option<String>, String) {
    let state = world.registry.state();
    let found = state.endpoints().get(&scores()).unwrap().body.clone();
    let map = state.map().unwrap();
    let leaf = map.find(MapKind::Endpoint, "scores").unwrap().1.state.clone();
    (found.standing, found.primary.map(|primary| primary.version.to_string()), leaf)
}

#[tokio::test]
async fn an_endpoint_is_routed_to_what_somebody_else_made_and_was_approved() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer, Role::Approver]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    let vera = world.person("vera", &[Role::Viewer]).await;
    world.release().await;
    let first = world.import(&eve, &[("m", b"one")]).await.unwrap();
    let early = route(&world, &adam, &first, NewFallback::Unavailable).await;
    assert!(matches!(early, Err(Failed::Conflict { .. })), "it is not approved: {early:?}");
    world.registry.approve(&adam, &first).await.unwrap();
    for (who, caller) in [("she imported it", &eve), ("a viewer", &vera)] {
        let refused = route(&world, caller, &first, NewFallback::Unavailable).await;
        assert!(matches!(refused, Err(Failed::Refused { .. })), "{who}: {refused:?}");
    }
    let itself = route(&world, &adam, &first, NewFallback::Version(first.clone())).await;
    assert!(matches!(itself, Err(Failed::Conflict { .. })), "{itself:?}");
    let second = world.import(&eve, &[("m", b"two")]).await.unwrap();
    let unapproved = route(&world, &adam, &first, NewFallback::Version(second.clone())).await;
    assert!(matches!(unapproved, Err(Failed::Conflict { .. })), "a fallback is served too: {unapproved:?}");
    world.registry.approve(&adam, &second).await.unwrap();
    route(&world, &adam, &second, NewFallback::Version(first.clone())).await.unwrap();
    let expected = (Standing::Active, Some("fraud:2".to_owned()), "routed fraud:2".to_owned());
    assert_eq!(standing(&world), expected);

    let order = Quarantine { version: second.clone(), reason: "wrong answers".to_owned() };
    world.registry.quarantine(&eve, &order).await.unwrap();
    assert!(!world.registry.state().releasable(world.registry.state().version(&second).unwrap()));
    let again = route(&world, &adam, &second, NewFallback::Unavailable).await;
    assert!(matches!(again, Err(Failed::Refused { .. })), "it is stopped: {again:?}");
    let back = route(&world, &adam, &first, NewFallback::Constant(b"[0]".to_vec())).await;
    back.unwrap();
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_is_taken_out_of_service_once() {
    let world = World::new().await;
    let version = world.import(&world.admin, &[("m", b"one")]).await.unwrap();
    world.registry.approve(&world.admin, &version).await.unwrap();
    let disable = async || world.registry.disable_endpoint(&world.admin, "scores".parse().unwrap()).await;
    assert!(matches!(disable().await, Err(Failed::NotFound { .. })));
    route(&world, &world.admin, &version, NewFallback::Unavailable).await.unwrap();
    disable().await.unwrap();
    assert!(matches!(disable().await, Err(Failed::Conflict { .. })));
    assert_eq!(standing(&world), (Standing::Disabled, None, "disabled".to_owned()));
    route(&world, &world.admin, &version, NewFallback::Unavailable).await.unwrap();
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_is_made_with_its_settings_and_keeps_them() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let vera = world.person("vera", &[Role::Viewer]).await;
    let version = world.import(&world.admin, &[("m", b"one")]).await.unwrap();
    world.registry.approve(&world.admin, &version).await.unwrap();
    let create = async |caller: &Caller| {
        let endpoint = "scores".parse().unwrap();
        let new = NewEndpoint { endpoint, beyond: Beyond::Reject, columns: Some(b"secret-column".to_vec()) };
        world.registry.create_endpoint(caller, new).await
    };
    assert!(matches!(create(&vera).await, Err(Failed::Refused { .. })));
    create(&eve).await.unwrap();
    assert!(matches!(create(&eve).await, Err(Failed::Conflict { .. })));
    assert_eq!(standing(&world), (Standing::Disabled, None, "disabled".to_owned()));
    let disable = async || world.registry.disable_endpoint(&world.admin, "scores".parse().unwrap()).await;
    assert!(matches!(disable().await, Err(Failed::Conflict { .. })), "it was never in service");
    assert!(matches!(back(&world, &world.admin, None).await, Err(Failed::Conflict { .. })));
    route(&world, &world.admin, &version, NewFallback::Unavailable).await.unwrap();
    disable().await.unwrap();
    route(&world, &world.admin, &version, NewFallback::Unavailable).await.unwrap();
    let state = world.registry.state();
    let found = state.endpoints().get(&scores()).unwrap();
    assert_eq!(found.body.beyond, Beyond::Reject);
    let columns = world.registry.read_document(found.body.columns.as_ref().unwrap()).await.unwrap();
    assert_eq!(columns, b"secret-column");
    let entries = world.registry.snapshot().unwrap();
    for index in 0..entries.size() {
        let entry = entries.entry(index).unwrap();
        assert!(!entry.windows(13).any(|window| window == b"secret-column"), "entry {index}");
    }
    world.reopen(false).await.unwrap();
}

async fn back(world: &World, caller: &Caller, to: Option<&VersionRef>) -> Result<(String, String), Failed> {
    let done = roll_back(world, caller, to).await?;
    Ok((done.from.to_string(), done.to.to_string()))
}

/// What is routed, and what answers instead.
fn routed(world: &World) -> (String, Option<String>) {
    let state = world.registry.state();
    let found = state.endpoints().get(&scores()).unwrap();
    let fallback = found.body.fallback.version.as_ref().map(|fallback| fallback.version.to_string());
    (found.body.primary.as_ref().unwrap().version.to_string(), fallback)
}

/// What stood in for a version before stands in for it again, whatever the promotion that is undone named.
#[tokio::test]
async fn a_rollback_brings_back_what_answered_instead() {
    let world = World::new().await;
    let adam = world.person("adam", &[Role::Approver]).await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let mut versions = Vec::new();
    for bytes in [b"one".as_slice(), b"two", b"three"] {
        let version = world.import(&eve, &[("m", bytes)]).await.unwrap();
        world.registry.approve(&adam, &version).await.unwrap();
        versions.push(version);
    }
    let [one, two, three] = versions.try_into().unwrap();
    let now = || now(&world).fallback;
    let version = |found: &Fallback| found.version.as_ref().map(|routed| routed.version.clone());

    route(&world, &adam, &one, constant("first")).await.unwrap();
    // A second route to the same version is what counts of it.
    route(&world, &adam, &one, constant("second")).await.unwrap();
    let second = now();
    route(&world, &adam, &two, NewFallback::Version(one.clone())).await.unwrap();
    assert_eq!(version(&now()), Some(one.clone()));
    assert_eq!(back(&world, &adam, None).await.unwrap().1, "fraud:1");
    assert_eq!(now(), second, "the constant of the latest route to it");

    // A version that stood in comes back too, though it was never promoted; one that may not be served does not.
    for stopped in [false, true] {
        route(&world, &adam, &two, NewFallback::Version(three.clone())).await.unwrap();
        route(&world, &adam, &one, constant("third")).await.unwrap();
        let third = now();
        if stopped {
            let order = Quarantine { version: three.clone(), reason: "a test".to_owned() };
            world.registry.quarantine(&eve, &order).await.unwrap();
        }
        assert_eq!(back(&world, &adam, Some(&two)).await.unwrap().1, "fraud:2");
        if stopped {
            assert_eq!(now(), third, "the present fallback stays");
        } else {
            assert_eq!(version(&now()), Some(three.clone()));
        }
    }
    // What a rollback put there stood in for the version too.
    let stood_in = now();
    route(&world, &adam, &one, NewFallback::Version(two.clone())).await.unwrap();
    assert_eq!(back(&world, &adam, None).await.unwrap().1, "fraud:2");
    assert_eq!(now(), stood_in);
    // A constant cannot be stopped, so one that was replaced by another stays away.
    route(&world, &adam, &one, constant("better")).await.unwrap();
    let better = now();
    assert_eq!(back(&world, &adam, None).await.unwrap().1, "fraud:2");
    assert_eq!(now(), better);
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_is_rolled_back_by_whoever_may_stop_a_version_to_what_was_promoted_before() {
    let world = World::new().await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    let sam = world.person("sam", &[Role::Security]).await;
    let vera = world.person("vera", &[Role::Viewer]).await;
    world.release().await;
    let mut versions = Vec::new();
    for bytes in [b"one".as_slice(), b"two", b"three", b"four"] {
        let version = world.import(&eve, &[("m", bytes)]).await.unwrap();
        world.registry.approve(&adam, &version).await.unwrap();
        versions.push(version);
    }
    let [one, two, three, four] = versions.try_into().unwrap();
    route(&world, &adam, &one, NewFallback::Unavailable).await.unwrap();
    assert!(matches!(back(&world, &sam, None).await, Err(Failed::Conflict { .. })), "nothing was before");
    for (next, before) in [(&two, &one), (&three, &two)] {
        route(&world, &adam, next, NewFallback::Version(before.clone())).await.unwrap();
    }
    let refused = back(&world, &vera, None).await;
    assert!(matches!(refused, Err(Failed::Refused { .. })), "a viewer: {refused:?}");
    // Its maker may not promote it, and may pull it back: others have promoted it before.
    assert!(matches!(route(&world, &eve, &two, NewFallback::Unavailable).await, Err(Failed::Refused { .. })));
    let done = back(&world, &eve, None).await.unwrap();
    assert_eq!(done, ("fraud:3".to_owned(), "fraud:2".to_owned()));
    assert_eq!(
        routed(&world),
        ("fraud:2".to_owned(), Some("fraud:1".to_owned())),
        "not what was rolled back"
    );
    // What was rolled back does not come back by another rollback.
    assert!(matches!(back(&world, &sam, Some(&three)).await, Err(Failed::Conflict { .. })));
    assert!(matches!(back(&world, &sam, Some(&four)).await, Err(Failed::Conflict { .. })));
    assert_eq!(back(&world, &sam, None).await.unwrap().1, "fraud:1");
    assert_eq!(routed(&world), ("fraud:1".to_owned(), None));

    // A version that may not be served now is named, and one that may.
    route(&world, &adam, &two, NewFallback::Unavailable).await.unwrap();
    route(&world, &adam, &three, NewFallback::Unavailable).await.unwrap();
    world.registry.revoke(&sam, &two, "never again").await.unwrap();
    for to in [None, Some(&two)] {
        let refused = back(&world, &sam, to).await.unwrap_err().to_string();
        assert!(refused.contains("fraud:2: it is revoked") && refused.contains("--to fraud:1"), "{refused}");
    }
    assert_eq!(back(&world, &sam, Some(&one)).await.unwrap().1, "fraud:1");
    world.reopen(false).await.unwrap();
}

/// A constant cannot be stopped: approvers take one out of use by another for the same model, however that left again.
#[tokio::test]
async fn a_constant_that_was_replaced_comes_back_by_no_rollback() {
    let world = World::new().await;
    let [one, two, three] = approved(&world, &["fraud"; 3]).await.try_into().unwrap();
    route(&world, &world.admin, &one, constant("bad")).await.unwrap();
    let bad = now(&world).fallback;
    route(&world, &world.admin, &two, constant("good")).await.unwrap();
    route(&world, &world.admin, &three, NewFallback::Version(two.clone())).await.unwrap();
    assert_eq!(instead(&world, &one).await, ["good", "fraud:2", "nobody"]);
    // Nor does the ledger take it.
    let planned = world.registry.plan_rollback(&world.admin, &scores(), Some(&one)).await.unwrap();
    let settings = planned.present.clone();
    let refused = world.registry.roll_back_endpoint(&world.admin, planned, settings, bad).await;
    assert!(
        refused.as_ref().is_err_and(|why| format!("{why:?}").contains("was replaced since")),
        "{refused:?}"
    );
    assert_eq!(back(&world, &world.admin, Some(&one)).await.unwrap().1, "fraud:1");
    assert_eq!(said(&world, &now(&world).fallback).await, "good");
    world.reopen(false).await.unwrap();
}

/// What fits another model is no replacement: the older one comes next, where the present one does not fit.
#[tokio::test]
async fn a_constant_of_another_model_does_not_replace_that_of_this_one() {
    let world = World::new().await;
    let [one, two, wide] = approved(&world, &["fraud", "fraud", "wide"]).await.try_into().unwrap();
    route(&world, &world.admin, &one, constant("of fraud")).await.unwrap();
    route(&world, &world.admin, &two, NewFallback::Version(one.clone())).await.unwrap();
    route(&world, &world.admin, &wide, constant("of wide")).await.unwrap();
    assert_eq!(instead(&world, &one).await, ["of wide", "of fraud", "nobody"]);
    assert_eq!(instead(&world, &two).await, ["fraud:1", "of wide", "nobody"]);
    let planned = world.registry.plan_rollback(&world.admin, &scores(), Some(&one)).await.unwrap();
    let (settings, second) = (planned.present.clone(), planned.fallbacks[1].clone());
    world.registry.roll_back_endpoint(&world.admin, planned, settings, second).await.unwrap();
    assert_eq!(said(&world, &now(&world).fallback).await, "of fraud");
    world.reopen(false).await.unwrap();
}

/// Whoever routes does so from what they have seen; what was said meanwhile is not undone.
#[tokio::test]
async fn a_route_that_rests_on_an_earlier_statement_is_refused() {
    let world = World::new().await;
    let [one, two] = approved(&world, &["fraud"; 2]).await.try_into().unwrap();
    let refused = async |new: NewRoute| {
        let refused = world.registry.route_endpoint(&world.admin, new).await.unwrap_err();
        let why = refused.to_string();
        assert!(matches!(refused, Failed::Conflict { .. }) && why.contains("then route again"), "{why}");
    };
    let from_nothing = to(&world, &one);
    route(&world, &world.admin, &one, NewFallback::Unavailable).await.unwrap();
    refused(from_nothing).await;

    // Two at a time, each with a setting: the second does not take away what the first has set.
    let withholding = NewRoute { columns: Some(b"withheld".to_vec()), ..to(&world, &one) };
    let slicing = NewRoute { columns: Some(b"slices".to_vec()), ..to(&world, &one) };
    world.registry.route_endpoint(&world.admin, withholding).await.unwrap();
    refused(slicing).await;
    let columns = now(&world).columns.unwrap();
    assert_eq!(world.registry.read_document(&columns).await.unwrap(), b"withheld");

    // What was taken out of service, or rolled back, stays so.
    let late = to(&world, &two);
    world.registry.disable_endpoint(&world.admin, scores()).await.unwrap();
    refused(late).await;
    assert_eq!(now(&world).standing, Standing::Disabled);
    for version in [&one, &two] {
        route(&world, &world.admin, version, NewFallback::Unavailable).await.unwrap();
    }
    let late = to(&world, &two);
    let planned = world.registry.plan_rollback(&world.admin, &scores(), None).await.unwrap();
    back(&world, &world.admin, None).await.unwrap();
    refused(late).await;
    // Two who pull the same version back go one step together.
    let (settings, fallback) = (planned.present.clone(), planned.fallbacks[0].clone());
    let twice = world.registry.roll_back_endpoint(&world.admin, planned, settings, fallback).await;
    let why = twice.unwrap_err().to_string();
    assert!(why.contains("bartizan endpoint show scores") && why.contains("then roll back again"), "{why}");
    assert_eq!(routed(&world).0, "fraud:1");
    world.reopen(false).await.unwrap();
}

/// More people may route back than may promote: they choose among settings that approvers have made.
#[tokio::test]
async fn a_rollback_keeps_the_settings_or_takes_those_that_the_version_had() {
    let world = World::new().await;
    let [one, two] = approved(&world, &["fraud"; 2]).await.try_into().unwrap();
    let with = |version, beyond, columns: &str| {
        let (beyond, columns) = (Some(beyond), Some(columns.as_bytes().to_vec()));
        NewRoute { beyond, columns, ..to(&world, version) }
    };
    let mut all = Vec::new();
    for (version, beyond, columns) in
        [(&one, Beyond::Reject, "first"), (&one, Beyond::Flag, "second"), (&two, Beyond::Reject, "third")]
    {
        world.registry.route_endpoint(&world.admin, with(version, beyond, columns)).await.unwrap();
        let body = now(&world);
        all.push(EndpointSettings { beyond: body.beyond, columns: body.columns });
    }
    let [first, second, third] = all.try_into().unwrap();
    let choose = async |settings: &EndpointSettings| {
        let planned = world.registry.plan_rollback(&world.admin, &scores(), None).await.unwrap();
        assert_eq!((&planned.present, &planned.before), (&third, &second));
        let nobody = planned.fallbacks[0].clone();
        world.registry.roll_back_endpoint(&world.admin, planned, settings.clone(), nobody).await
    };
    for wrong in [&first, &EndpointSettings { columns: None, ..second.clone() }] {
        let refused = choose(wrong).await;
        assert!(
            refused.as_ref().is_err_and(|why| format!("{why:?}").contains("its settings become others")),
            "{refused:?}"
        );
    }
    let mixed = EndpointSettings { columns: third.columns.clone(), ..second.clone() };
    choose(&mixed).await.unwrap();
    assert_eq!(now(&world).beyond, Beyond::Flag);
    // That is how it is served with from now on, also when it is gone back to again.
    world.registry.route_endpoint(&world.admin, to(&world, &two)).await.unwrap();
    let planned = world.registry.plan_rollback(&world.admin, &scores(), None).await.unwrap();
    assert_eq!((planned.present, planned.before), (mixed.clone(), mixed));
    world.reopen(false).await.unwrap();
}
