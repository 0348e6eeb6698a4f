//! Endpoints: who may route them, to what, and what stopping a version leaves of them.

use bartizan_base::VersionRef;
use bartizan_policy::Role;
use bartizan_registry::statement::{Beyond, MapKind, Standing};
use bartizan_registry::{Caller, Failed, NewFallback, NewRoute, Quarantine};

use crate::world::World;

async fn route(
    world: &World,
    caller: &Caller,
    primary: &VersionRef,
    fallback: NewFallback,
) -> Result<(), Failed> {
    let endpoint = "scores".parse().unwrap();
    let new = NewRoute { endpoint, primary: primary.clone(), fallback, beyond: Beyond::Flag };
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
