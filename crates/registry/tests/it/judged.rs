//! Who may ask an endpoint for predictions: what was found out before never answers for what has changed since.

use std::net::IpAddr;

use bartizan_base::{Name, VersionRef};
use bartizan_policy::Role;
use bartizan_policy::api_key::{ApiKey, NotAdmitted};
use bartizan_registry::statement::{Beyond, RoleChange, Standing};
use bartizan_registry::{Failed, Judged, KeyLimits, NewFallback, NewRoute, NotJudged, Quarantine};

use crate::world::World;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A project with an endpoint that vera may ask, and has asked, so that the answer is kept.
struct Asked {
    world: World,
    version: VersionRef,
    vera: bartizan_base::PrincipalId,
    key: ApiKey,
    first: Judged,
}

fn scores() -> Name {
    "scores".parse().unwrap()
}

impl Asked {
    async fn new() -> Self {
        Self::with(|limits| limits).await
    }

    async fn with(limited: impl FnOnce(KeyLimits) -> KeyLimits) -> Self {
        let world = World::new().await;
        let version = world.import(&world.admin, &[("m", b"one")]).await.unwrap();
        world.registry.approve(&world.admin, &version).await.unwrap();
        let new = NewRoute {
            endpoint: scores(),
            rests_on: None,
            primary: version.clone(),
            fallback: NewFallback::Unavailable,
            beyond: Some(Beyond::Flag),
            columns: None,
        };
        world.registry.route_endpoint(&world.admin, new).await.unwrap();
        let vera = world.person("vera", &[Role::DataScientist]).await.principal();
        let key = world.registry.issue_key(&world.admin, vera, limited(world.limits(30))).await.unwrap();
        let first = judge(&world, &key).await.unwrap();
        assert_eq!(first.principal, vera);
        Self { world, version, vera, key, first }
    }

    async fn again(&self) -> Result<Judged, NotJudged> {
        judge(&self.world, &self.key).await
    }
}

async fn judge(world: &World, key: &ApiKey) -> Result<Judged, NotJudged> {
    world.registry.judge_prediction(&key.reveal(), HERE, &scores()).await
}

fn refused(judged: &Result<Judged, NotJudged>) -> bool {
    matches!(judged, Err(NotJudged::Failed(Failed::Refused(_))))
}

#[tokio::test]
async fn what_is_asked_again_rests_on_the_same_until_the_minute_is_over() {
    let asked = Asked::new().await;
    // Something that changes no answer: a recorded read.
    asked.world.registry.list_keys(&asked.world.admin).await.unwrap();
    let again = asked.again().await.unwrap();
    assert_eq!((again.decision, again.policy), (asked.first.decision, asked.first.policy));
    assert_eq!(again.tree_size, asked.first.tree_size + 1);
    asked.world.clock.advance_millis(59_999);
    assert_eq!(asked.again().await.unwrap().decision, asked.first.decision);
    asked.world.clock.advance_millis(1);
    let later = asked.again().await.unwrap();
    assert_ne!(later.decision, asked.first.decision, "the policy was told another minute");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let asked = Asked::new().await;
    asked.world.registry.revoke_key(&asked.world.admin, asked.key.id()).await.unwrap();
    let again = asked.again().await;
    assert!(matches!(again, Err(NotJudged::NotAdmitted(NotAdmitted::Revoked))), "{again:?}");
}

#[tokio::test]
async fn a_key_ends_whatever_was_kept() {
    let asked = Asked::with(|limits| {
        let ends = limits.expires_at.plus_millis(-30 * 24 * 60 * 60 * 1000 + 90_000);
        KeyLimits { expires_at: ends, ..limits }
    })
    .await;
    asked.world.clock.advance_millis(59_999);
    asked.again().await.unwrap();
    asked.world.clock.advance_millis(1);
    assert!(refused(&asked.again().await), "the policy knows minutes, and this is its last");
    asked.world.clock.advance_millis(30_000);
    let again = asked.again().await;
    assert!(matches!(again, Err(NotJudged::NotAdmitted(NotAdmitted::Expired))), "{again:?}");
}

#[tokio::test]
async fn whoever_loses_a_role_or_is_disabled_is_refused_at_once_and_on_the_record() {
    let asked = Asked::new().await;
    let Asked { world, vera, .. } = &asked;
    let change = async |change| {
        world.registry.change_role(&world.admin, *vera, Role::DataScientist, change).await.unwrap();
    };
    change(RoleChange::Withdrawn).await;
    let size = world.registry.state().next_index();
    for _ in 0..2 {
        assert!(refused(&asked.again().await));
    }
    assert_eq!(world.registry.state().next_index(), size + 2, "each refusal is recorded");
    change(RoleChange::Granted).await;
    asked.again().await.unwrap();
    world.registry.set_standing(&world.admin, *vera, Standing::Disabled).await.unwrap();
    assert!(refused(&asked.again().await));
}

#[tokio::test]
async fn a_stopped_version_and_a_raised_tier_are_other_questions() {
    let asked = Asked::new().await;
    let order = Quarantine { version: asked.version.clone(), reason: "wrong answers".to_owned() };
    asked.world.registry.quarantine(&asked.world.admin, &order).await.unwrap();
    let stopped = asked.again().await.unwrap();
    assert_ne!(stopped.decision, asked.first.decision);
    asked.world.release().await;
    let again = asked.again().await;
    assert!(matches!(again, Err(NotJudged::NotAdmitted(NotAdmitted::HandedOver))), "{again:?}");
}

#[tokio::test]
async fn another_secret_address_endpoint_or_clock_finds_nothing_that_was_kept() {
    let asked = Asked::with(|limits| KeyLimits { networks: "127.0.0.0/8".parse().unwrap(), ..limits }).await;
    let registry = &asked.world.registry;
    let elsewhere = registry.judge_prediction(&asked.key.reveal(), [10, 0, 0, 1].into(), &scores()).await;
    assert!(matches!(elsewhere, Err(NotJudged::NotAdmitted(NotAdmitted::WrongNetwork))), "{elsewhere:?}");
    let other = asked.world.registry.issue_key(&asked.world.admin, asked.vera, asked.world.limits(1)).await;
    let other = judge(&asked.world, &other.unwrap()).await.unwrap();
    assert_ne!(other.decision, asked.first.decision, "it names another key");
    let nowhere = "nowhere".parse().unwrap();
    let elsewhere = registry.judge_prediction(&asked.key.reveal(), HERE, &nowhere).await.unwrap();
    assert_ne!(elsewhere.decision, asked.first.decision, "it names another endpoint");
    let text = asked.key.reveal();
    for wrong in [text.to_uppercase(), format!("{} ", *text), text.chars().rev().collect(), String::new()] {
        let judged = registry.judge_prediction(&wrong, HERE, &scores()).await;
        assert!(matches!(judged, Err(NotJudged::NotAdmitted(NotAdmitted::Malformed))), "{wrong}: {judged:?}");
    }
    asked.world.clock.advance_millis(-60_000);
    assert_ne!(asked.again().await.unwrap().decision, asked.first.decision, "a clock that stepped back");
}
