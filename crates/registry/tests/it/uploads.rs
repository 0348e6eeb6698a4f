//! Content that several operations bring at once: none takes it from another.

use std::io::{Cursor, Read as _};

use bartizan_base::Blobs as _;
use bartizan_policy::Role;
use bartizan_registry::{
    Caller, CompareWith, Destination, Failed, NewBeside, NewDataset, NewDelivery, Upload, UploadId,
};

use crate::world::World;

const PEOPLE: &str = "name\nann\nbob\n";
const SCHEMA: &str = "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n\
                      [[column]]\nname = \"customer\"\ntype = \"string\"\nreferences = { table = \"people\", column = \"name\" }\n";

async fn upload(world: &World, caller: &Caller, bytes: &str) -> UploadId {
    uploaded(world, caller, bytes).await.id
}

async fn uploaded(world: &World, caller: &Caller, bytes: &str) -> Upload {
    let to = Destination::Dataset("orders".parse().unwrap());
    let permit = world.registry.permit_upload(caller, &to).await.unwrap();
    world.registry.upload(&permit, Cursor::new(bytes.to_owned().into_bytes())).await.unwrap()
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

/// What becomes of uploads of the same bytes, by the order they came in.
enum Step {
    Upload,
    Refuse(usize),
    Accept(usize),
    /// Time goes by in which no upload is used, and then another one comes.
    Hour,
}

#[tokio::test]
async fn content_is_there_as_long_as_somebody_keeps_it_or_may() {
    use Step::{Accept, Hour, Refuse, Upload};
    let cases: [(&[Step], bool); 13] = [
        (&[Upload], true),
        (&[Upload, Hour], false),
        (&[Upload, Refuse(0)], false),
        (&[Upload, Accept(0), Hour], true),
        // Interrupted, and brought again.
        (&[Upload, Upload, Refuse(1)], true),
        (&[Upload, Upload, Refuse(1), Refuse(0)], false),
        (&[Upload, Upload, Refuse(1), Hour], false),
        (&[Upload, Upload, Refuse(0), Hour], false),
        (&[Upload, Upload, Accept(1), Hour], true),
        (&[Upload, Upload, Accept(1), Refuse(0)], true),
        (&[Upload, Accept(0), Upload, Refuse(1)], true),
        (&[Upload, Upload, Upload, Refuse(0), Accept(1), Hour], true),
        (&[Upload, Refuse(0), Upload, Hour, Upload, Refuse(2)], false),
    ];
    for (number, (steps, there)) in cases.into_iter().enumerate() {
        let world = World::new().await;
        let dora = world.person("dora", &[Role::DataScientist]).await;
        let mut made: Vec<bartizan_registry::Upload> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let use_it = |upload: usize, schema| {
                let order = order(&format!("set{at}"), made[upload].id, schema, NewBeside::default());
                world.registry.add_data(&dora, order)
            };
            match step {
                Upload => made.push(uploaded(&world, &dora, PEOPLE).await),
                Refuse(upload) => drop(use_it(*upload, Some("no schema")).await.unwrap_err()),
                Accept(upload) => drop(use_it(*upload, None).await.unwrap().version.unwrap()),
                Hour => {
                    world.clock.advance_millis(2 * 60 * 60 * 1000);
                    upload(&world, &dora, "another\n").await;
                }
            }
        }
        assert_eq!(world.blobs.open(&made[0].sealed.blob).is_ok(), there, "case {number}");
    }
}

/// Whichever way they interleave: what was accepted is whole, and what all were refused is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operations_on_the_same_content_end_as_they_like() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    for round in 0..24_usize {
        let bytes = format!("name\nround {round}\n");
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(uploaded(&world, &dora, &bytes).await);
        }
        // Of four operations on it the bits of `round` say which are refused; the fourth looks it up as a table.
        let one = |at: usize| {
            let schema = (round >> at & 1 == 1).then_some("no schema");
            let order = order(&format!("set{at}"), made[at].id, schema, NewBeside::default());
            world.registry.add_data(&dora, order)
        };
        let looked = async {
            let delivery = upload(&world, &dora, &format!("customer\nround {round}\n")).await;
            let tables = vec![("people".to_owned(), CompareWith::Upload(made[3].id))];
            let beside = NewBeside { tables, ..NewBeside::default() };
            world.registry.add_data(&dora, order("orders", delivery, Some(SCHEMA), beside)).await
        };
        let (a, b, c, looked) = tokio::join!(one(0), one(1), one(2), looked);
        assert!(looked.unwrap().version.is_some());
        let accepted: Vec<_> = [a, b, c].into_iter().filter_map(Result::ok).collect();
        let state = world.registry.state();
        for outcome in &accepted {
            let part = state.dataset(outcome.version.as_ref().unwrap()).unwrap().parts[0].clone();
            let mut content = String::new();
            world.registry.open_part(&part).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, bytes);
        }
        let there = world.blobs.open(&made[0].sealed.blob).is_ok();
        assert_eq!(there, !accepted.is_empty(), "round {round}: {} accepted", accepted.len());
    }
}

/// Whose ciphertext was lost mends it by importing the same files again; that these are refused takes nothing away.
#[tokio::test]
async fn content_that_is_mended_by_a_refused_import_stays_whole() {
    let world = World::new().await;
    let files: [(&str, &[u8]); 1] = [("model.onnx", b"weights")];
    let version = world.import(&world.admin, &files).await.unwrap();
    let known = uploaded(&world, &world.admin, "weights").await;
    world.registry.discard_uploads(&world.admin, &[known.id]).await;
    assert!(world.blobs.delete(&known.sealed.blob).unwrap());
    assert!(world.registry.verify_model(&world.admin, &version).await.is_err());
    let refused = world.import(&world.admin, &files).await;
    assert!(matches!(refused, Err(Failed::SameFiles { .. })), "{refused:?}");
    assert!(world.registry.verify_model(&world.admin, &version).await.is_ok());
}
