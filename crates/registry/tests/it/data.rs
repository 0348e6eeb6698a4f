//! Data sets: which schema a delivery is checked against, and what a proof says of it.

use std::collections::BTreeSet;
use std::io::Cursor;

use bartizan_policy::Role;
use bartizan_registry::proof::{VerifyOptions, verify};
use bartizan_registry::statement::SchemaFrom;
use bartizan_registry::{Caller, DatasetOutcome, Destination, Failed, NewBeside, NewDataset, NewDelivery};

use crate::world::{World, import_trained_on};

pub(crate) const CLEAN: &str = "a,label\n1,x\n2,y\n3,x\n4,y\n";
const OTHER: &str = "a,label\n-1000000,x\n2,y\n3,zzz\n";

pub(crate) async fn add(
    world: &World,
    caller: &Caller,
    (name, csv): (&str, &str),
    schema: Option<String>,
    extend: bool,
) -> Result<DatasetOutcome, Failed> {
    let name: bartizan_base::Name = name.parse().unwrap();
    let permit = world.registry.permit_upload(caller, &Destination::Dataset(name.clone())).await.unwrap();
    let upload = world.registry.upload(&permit, Cursor::new(csv.as_bytes().to_vec())).await.unwrap();
    let deliveries = vec![NewDelivery { upload: upload.id, source: "a feed".to_owned(), signature: None }];
    let new = NewDataset {
        name,
        deliveries,
        schema,
        label: None,
        extend,
        require_signature: false,
        derived: None,
        beside: NewBeside::default(),
    };
    world.registry.add_data(caller, new).await
}

async fn schema_of(world: &World, caller: &Caller, version: &str) -> (SchemaFrom, String) {
    let shown = world.registry.show_dataset(caller, &version.parse().unwrap()).await.unwrap();
    (shown.dataset.body.schema_from, shown.schema.unwrap())
}

#[tokio::test]
async fn in_tier_release_a_data_set_keeps_its_schema() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    world.release().await;
    let first = add(&world, &dora, ("feed", CLEAN), None, false).await.unwrap();
    assert_eq!(first.version.unwrap().to_string(), "feed:1");
    let (from, schema) = schema_of(&world, &dora, "feed:1").await;
    assert_eq!(from, SchemaFrom::Inferred);
    let lax = add(&world, &dora, ("lax", OTHER), None, false).await.unwrap();
    let (_, lax) = schema_of(&world, &dora, &lax.version.unwrap().to_string()).await;

    let refused = add(&world, &dora, ("feed", OTHER), None, true).await.unwrap();
    assert_eq!(refused.version, None, "{:?}", refused.findings);
    for extend in [true, false] {
        let with_its_own = add(&world, &dora, ("feed", OTHER), Some(lax.clone()), extend).await;
        assert!(matches!(with_its_own, Err(Failed::Conflict { .. })), "{with_its_own:?}");
    }
    let same = add(&world, &dora, ("feed", CLEAN), Some(schema), true).await.unwrap();
    assert_eq!(same.version.unwrap().to_string(), "feed:2");
    assert_eq!(schema_of(&world, &dora, "feed:2").await.0, SchemaFrom::Kept);
    add(&world, &dora, ("feed", CLEAN), None, false).await.unwrap();
    let third = world.registry.show_dataset(&dora, &"feed:3".parse().unwrap()).await.unwrap();
    let chosen = third.dataset.body.schema_of.unwrap().version.to_string();
    assert_eq!(chosen, "feed:1", "the version that chose the schema, not the last that kept it");
    world.reopen(false).await.unwrap();
}

/// What was let pass in tier explore is not washed clean by what was added to it later.
#[tokio::test]
async fn a_proof_tells_of_every_version_that_was_extended() {
    let world = World::new().await;
    let trust = world.trust();
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let eve = world.person("eve", &[Role::MlEngineer]).await;
    let adam = world.person("adam", &[Role::Approver]).await;
    add(&world, &dora, ("feed", CLEAN), None, false).await.unwrap();
    let poisoned = add(&world, &dora, ("feed", OTHER), None, true).await.unwrap();
    assert_eq!(poisoned.version.unwrap().to_string(), "feed:2", "in tier explore nothing blocks");
    world.release().await;
    add(&world, &dora, ("feed", CLEAN), None, true).await.unwrap();
    let version = import_trained_on(&world.registry, &eve, "feed:3").await.unwrap();
    world.registry.approve(&adam, &version).await.unwrap();
    let since = BTreeSet::from([trust.minimum_size]);
    let proof = world.registry.prove_model(&adam, &version, since).await.unwrap();
    let verdict = verify(&proof.bytes, &trust, None, VerifyOptions { allow_development: true }).unwrap();
    let said = [verdict.proven, verdict.asserted].concat().join("\n");
    for expected in [
        "data set feed:3 extends feed:2",
        "data set feed:2 extends feed:1",
        "recorded as `valid` in tier explore, where no finding blocks",
        "the schema of feed:3 is that of feed:1, unchanged",
        "the schema of feed:1 was inferred from that delivery",
        "of feed:2 (3 rows) came from its stated source",
    ] {
        assert!(said.contains(expected), "`{expected}` is missing in:\n{said}");
    }
}
