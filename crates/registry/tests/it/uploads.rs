//! Content that several operations bring at once: none takes it from another.

use std::io::{Cursor, Read as _};

use bartizan_policy::Role;
use bartizan_registry::{Caller, CompareWith, Destination, NewBeside, NewDataset, NewDelivery, UploadId};

use crate::world::World;

const PEOPLE: &str = "name\nann\nbob\n";
const SCHEMA: &str = "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
                      [[column]]\nname = \"customer\"\ntype = \"string\"\nreferences = { table = \"people\", column = \"name\" }\n";

async fn upload(world: &World, caller: &Caller, bytes: &str) -> UploadId {
    let to = Destination::Dataset("orders".parse().unwrap());
    let permit = world.registry.permit_upload(caller, &to).await.unwrap();
    world.registry.upload(&permit, Cursor::new(bytes.to_owned().into_bytes())).await.unwrap().id
}

fn order(name: &str, upload: UploadId, schema: Option<&str>, beside: NewBeside) -> NewDataset {
    NewDataset {
        name: name.parse().unwrap(),
        deliveries: vec![NewDelivery { upload, source: "a feed".to_owned(), signature: None }],
        schema: schema.map(str::to_owned),
        label: None,
        extend: false,
        require_signature: false,
        derived: None,
        beside,
    }
}

/// A table that was only looked at is destroyed when the check is done, and may be somebody's delivery meanwhile.
#[tokio::test]
async fn a_table_that_was_looked_at_is_not_taken_from_whoever_delivered_the_same() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let orders = "customer\n".to_owned() + &"ann\nbob\n".repeat(200_000);
    let table = upload(&world, &dora, PEOPLE).await;
    let delivery = upload(&world, &dora, &orders).await;
    let beside =
        NewBeside { tables: vec![("people".to_owned(), CompareWith::Upload(table))], ..NewBeside::default() };
    // The long check has taken its table before the other one brings the same.
    let looked = world.registry.add_data(&dora, order("orders", delivery, Some(SCHEMA), beside));
    let delivered = async {
        let same = upload(&world, &dora, PEOPLE).await;
        world.registry.add_data(&dora, order("people", same, None, NewBeside::default())).await
    };
    let (looked, delivered) = tokio::join!(looked, delivered);
    assert_eq!(looked.unwrap().version.unwrap().to_string(), "orders:1");
    let people = delivered.unwrap().version.unwrap();
    let state = world.registry.state();
    let part = state.dataset(&people).unwrap().parts[0].clone();
    let mut content = String::new();
    world.registry.open_part(&part).unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, PEOPLE);
}
