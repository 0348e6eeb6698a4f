//! Endpoints: who may route them, to what, and what stopping a version leaves of them.

use bartizan_base::VersionRef;
use bartizan_policy::Role;
use bartizan_registry::statement::{Beyond, Fallback, MapKind, Standing};
use bartizan_registry::{Caller, Failed, NewEndpoint, NewFallback, NewRoute, Quarantine};

use crate::world::World;

pub(crate) async fn route(
    world: &World,
    caller: &Caller,
    primary: &VersionRef,
    fallback: NewFallback,
) -> Result<(), Failed> {
    let endpoint = "scores".parse().unwrap();
    let new = NewRoute { endpoint, primary: primary.clone(), fallback, beyond: None, columns: None };
    world.registry.route_endpoint(caller, new).await
}

fn standing(world: &World) -> (Standing, Option<String>, String) {
    let state = world.registry.state();
    let found =
        state.endpoints().get(&"scores".parse::<bartizan_base::Name>().unwrap()).unwrap().body.clone();
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
    let found = state.endpoints().get(&"scores".parse::<bartizan_base::Name>().unwrap()).unwrap();
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
    let done = world.registry.roll_back_endpoint(caller, &"scores".parse().unwrap(), to).await?;
    Ok((done.from.to_string(), done.to.to_string()))
}

/// What is routed, and what answers instead.
fn routed(world: &World) -> (String, Option<String>) {
    let state = world.registry.state();
    let found = state.endpoints().get(&"scores".parse::<bartizan_base::Name>().unwrap()).unwrap();
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
    let constant = |text: &str| NewFallback::Constant(text.as_bytes().to_vec());
    let scores: bartizan_base::Name = "scores".parse().unwrap();
    let now = || world.registry.state().endpoints().get(&scores).unwrap().body.fallback.clone();
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
