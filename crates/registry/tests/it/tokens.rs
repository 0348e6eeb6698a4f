//! Tokens: who gets them, who turns them back, and that both are on record.

use bartizan_policy::Role;
use bartizan_registry::{Caller, Failed, TokenForm};

use crate::world::World;

async fn tokens(
    world: &World,
    who: &Caller,
    form: TokenForm,
    values: &[&str],
) -> Result<Vec<String>, Failed> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    world.registry.tokenize(who, "email".to_owned(), form, values).await
}

const VALUES: [&str; 3] = ["anna@example.org", "bob@example.org", "anna@example.org"];

#[tokio::test]
async fn random_tokens_come_back_for_security_alone() {
    let world = World::new().await;
    let (sue, eve) =
        (world.person("sue", &[Role::Security]).await, world.person("eve", &[Role::MlEngineer]).await);
    let vic = world.person("vic", &[Role::Viewer]).await;
    world.release().await;
    let made = tokens(&world, &eve, TokenForm::Random, &VALUES).await.unwrap();
    assert_eq!(made[0], made[2]);
    assert_ne!(made[0], made[1]);
    assert_eq!(tokens(&world, &eve, TokenForm::Random, &VALUES).await.unwrap(), made);
    assert!(matches!(tokens(&world, &vic, TokenForm::Random, &VALUES).await, Err(Failed::Refused(_))));
    for who in [&eve, &vic, &world.admin] {
        let entries = world.registry.checkpoint().size();
        let refused = world.registry.detokenize(who, None, made.clone()).await;
        assert!(matches!(refused, Err(Failed::Refused(_))), "{refused:?}");
        assert_eq!(world.registry.checkpoint().size(), entries + 1, "the refusal is recorded");
    }
    let entries = world.registry.checkpoint().size();
    assert_eq!(world.registry.detokenize(&sue, None, made).await.unwrap(), VALUES);
    assert!(world.registry.checkpoint().size() > entries, "the decision is recorded");
    let unknown = "bzt_00000000000000000000000000000000_ecbb4b55".to_owned();
    let refused = world.registry.detokenize(&sue, None, vec![unknown]).await;
    assert!(matches!(refused, Err(Failed::NotFound { .. } | Failed::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn tokens_of_the_form_of_the_value_come_back_too() {
    let world = World::new().await;
    let made = tokens(&world, &world.admin, TokenForm::Preserved, &VALUES).await.unwrap();
    assert!(made.iter().all(|token| token.len() == 16 || token.len() == 15));
    let kind = Some("email".to_owned());
    assert_eq!(world.registry.detokenize(&world.admin, kind, made).await.unwrap(), VALUES);
}

#[tokio::test]
async fn what_has_no_token_is_named_by_its_place_and_never_shown() {
    let world = World::new().await;
    let refused =
        tokens(&world, &world.admin, TokenForm::Preserved, &["anna@example.org", "ü@example.org"]).await;
    let error = refused.unwrap_err().to_string();
    assert_eq!(error, "value 2: it has characters outside ASCII");
    let kinds = world.registry.tokenize(&world.admin, "E mail".to_owned(), TokenForm::Random, vec![]).await;
    assert!(matches!(kinds, Err(Failed::Invalid { .. })));
}
