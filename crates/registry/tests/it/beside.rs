//! What deliveries are compared with beside their schema: kept, named, and stated.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_base::{BlobError, BlobName, BlobReader, BlobWriter, Blobs, Timestamp, sha256};
use bartizan_data::{Profile, ProfileOptions, Source, profile};
use bartizan_policy::Role;
use bartizan_registry::statement::ComparedV1;
use bartizan_registry::{
    Caller, CompareWith, DatasetOutcome, Destination, Failed, NewBeside, NewDataset, NewDelivery, UploadId,
};
use bartizan_store::MemBlobs;
use expect_test::expect;

use crate::world::World;

const HEAD: &str =
    "format = \"bartizan-schema-v1\"\ncsv = { separator = \",\", encoding = \"utf-8\", null = [\"\"] }\n";
const ORDERS: &str = "n,customer\n1,ann\n2,bob\n3,ann\n4,bob\n";

/// So many rows that their distribution can be compared.
fn many() -> String {
    let rows: String = (0..500).map(|n| format!("{n},ann\n")).collect();
    format!("n,customer\n{rows}")
}

fn looking_up() -> String {
    format!(
        "{HEAD}[[column]]\nname = \"n\"\ntype = \"integer\"\n[[column]]\nname = \"customer\"\ntype = \"string\"\n\
         references = {{ table = \"people\", column = \"name\" }}\n"
    )
}

fn drifting(pinned: &str) -> String {
    format!(
        "{HEAD}reference = {{ profile = \"profile\"{pinned} }}\n[[column]]\nname = \"n\"\ntype = \"integer\"\n\
         drift = {{ statistic = \"ks\", limit = 0.2 }}\n[[column]]\nname = \"customer\"\ntype = \"string\"\n"
    )
}

fn profile_of(csv: &str) -> Profile {
    let source = Source::stream(Cursor::new(csv.as_bytes().to_vec()));
    profile(source, &ProfileOptions::default(), 1).unwrap().0
}

async fn upload(world: &World, caller: &Caller, bytes: &[u8]) -> UploadId {
    let to = Destination::Dataset("orders".parse().unwrap());
    let permit = world.registry.permit_upload(caller, &to).await.unwrap();
    world.registry.upload(&permit, Cursor::new(bytes.to_vec())).await.unwrap().id
}

async fn add(
    world: &World,
    caller: &Caller,
    (name, csv): (&str, &str),
    schema: Option<&str>,
    beside: NewBeside,
) -> Result<DatasetOutcome, Failed> {
    let upload = upload(world, caller, csv.as_bytes()).await;
    let new = NewDataset {
        name: name.parse().unwrap(),
        deliveries: vec![NewDelivery { upload, source: "a feed".to_owned(), signature: None }],
        schema: schema.map(str::to_owned),
        label: None,
        extend: name == "people",
        require_signature: false,
        derived: None,
        beside,
    };
    world.registry.add_data(caller, new).await
}

fn against(other: CompareWith) -> NewBeside {
    NewBeside { tables: vec![("people".to_owned(), other)], ..NewBeside::default() }
}

fn reference(other: CompareWith) -> NewBeside {
    NewBeside { reference: Some(other), ..NewBeside::default() }
}

async fn stated(world: &World, caller: &Caller, version: &str) -> ComparedV1 {
    let shown = world.registry.show_dataset(caller, &version.parse().unwrap()).await.unwrap();
    *shown.dataset.body.compared.unwrap()
}

async fn version(world: &World, caller: &Caller, version: &str) -> CompareWith {
    let named = version.parse().unwrap();
    world.registry.show_dataset(caller, &named).await.unwrap();
    CompareWith::Version(named)
}

#[tokio::test]
async fn values_are_looked_up_in_what_came_along_or_in_versions() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let schema = looking_up();
    let without = add(&world, &dora, ("orders", ORDERS), Some(&schema), NewBeside::default()).await.unwrap();
    assert_eq!((without.verdict.outcome.as_str(), &without.version), ("error", &None));

    let table = b"name\nann\nbob\n";
    let along = against(CompareWith::Upload(upload(&world, &dora, table).await));
    let along = add(&world, &dora, ("orders", ORDERS), Some(&schema), along).await.unwrap();
    assert_eq!(along.version.unwrap().to_string(), "orders:1", "{:?}", along.findings);
    let said = stated(&world, &dora, "orders:1").await;
    assert_eq!(said.tables[0].digest, sha256(table));
    assert_eq!((said.tables[0].version.as_ref(), said.reference, said.now), (None, None, None));

    // A version of two deliveries, the second of which extends it; its values are those of both.
    add(&world, &dora, ("people", "name\nann\n"), None, NewBeside::default()).await.unwrap();
    add(&world, &dora, ("people", "name\nbob\n"), None, NewBeside::default()).await.unwrap();
    let first = against(version(&world, &dora, "people:1").await);
    let lacking = add(&world, &dora, ("orders", ORDERS), None, first).await.unwrap();
    let found: Vec<&str> = lacking.findings[0].lines().filter(|line| line.contains("references")).collect();
    assert_eq!(found.len(), 1, "{:?}", lacking.findings);
    let both = against(version(&world, &dora, "people:2").await);
    let both = add(&world, &dora, ("orders", ORDERS), None, both).await.unwrap();
    assert_eq!((both.verdict.outcome.as_str(), both.verdict.warnings), ("valid", 0), "{:?}", both.findings);
    let said = stated(&world, &dora, "orders:3").await;
    let people = world.registry.show_dataset(&dora, &"people:2".parse().unwrap()).await.unwrap();
    assert_eq!(said.tables[0].digest, people.dataset.body.root);
    assert_eq!(said.tables[0].version.as_ref().unwrap().to_string(), "people:2");
    assert_eq!(both.compared.tables["people"].version.as_deref(), Some("people:2"));
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_kept_keeps_its_reference() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let schema = drifting(&format!(", sha256 = \"{}\"", sha256(&bytes)));
    world.release().await;
    let other = profile_of("n,customer\n9,ann\n").to_bytes().unwrap();
    let other = reference(CompareWith::Upload(upload(&world, &dora, &other).await));
    let refused = add(&world, &dora, ("orders", &many()), Some(&schema), other).await;
    assert!(
        matches!(&refused, Err(Failed::Invalid { why, .. }) if why.contains("whose digest")),
        "{refused:?}"
    );

    let first = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let first = add(&world, &dora, ("orders", &many()), Some(&schema), first).await.unwrap();
    assert!(first.version.is_some(), "{:?}", first.findings);
    assert_eq!(first.version.unwrap().to_string(), "orders:1");
    let kept = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(kept.version.unwrap().to_string(), "orders:2", "{:?}", kept.findings);
    let (one, two) = (stated(&world, &dora, "orders:1").await, stated(&world, &dora, "orders:2").await);
    assert_eq!(one, two);
    let with = two.reference.unwrap();
    assert_eq!((with.digest, with.version), (sha256(&bytes), None));
    assert!(with.content.is_some());

    let far: String = (0..400).map(|n| format!("{n}00000,ann\n")).collect();
    let far = format!("n,customer\n{far}");
    let drifted = add(&world, &dora, ("orders", &far), None, NewBeside::default()).await.unwrap();
    assert_eq!(drifted.version, None);
    let said = drifted.findings.concat();
    assert!(said.contains("drift") && said.contains("judged against reference"), "{said}");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn a_version_is_a_reference() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let rows = |from: u32| (from..from + 500).map(|n| format!("{n},ann\n")).collect::<String>();
    let csv = |from| format!("n,customer\n{}", rows(from));
    add(&world, &dora, ("base", &csv(0)), None, NewBeside::default()).await.unwrap();
    let with = reference(version(&world, &dora, "base:1").await);
    let same = add(&world, &dora, ("orders", &csv(0)), Some(&drifting("")), with.clone()).await.unwrap();
    assert_eq!((same.verdict.outcome.as_str(), same.verdict.warnings), ("valid", 0), "{:?}", same.findings);
    let moved = add(&world, &dora, ("orders", &csv(400)), None, NewBeside::default()).await.unwrap();
    assert_eq!((moved.verdict.outcome.as_str(), moved.spared), ("valid", 1), "{:?}", moved.findings);
    let said = stated(&world, &dora, "orders:2").await.reference.unwrap();
    assert_eq!(said.version.unwrap().to_string(), "base:1", "kept from the version before");
    let useless = add(&world, &dora, ("base", &csv(0)), None, with).await;
    expect!["reference: no rule of the schema compares distributions with one"]
        .assert_eq(&useless.unwrap_err().to_string());
}

#[tokio::test]
async fn a_reference_goes_with_its_schema_alone() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let with = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let first = add(&world, &dora, ("orders", &many()), Some(&drifting("")), with).await.unwrap();
    assert!(first.version.is_some(), "{:?}", first.findings);
    assert_eq!(first.compared.reference.unwrap().digest, sha256(&bytes));
    let wider = drifting("").replace("0.2", "0.3");
    let other = add(&world, &dora, ("orders", &many()), Some(&wider), NewBeside::default()).await.unwrap();
    assert_eq!((other.compared.reference, other.version), (None, None), "{:?}", other.findings);
    let kept = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert!(kept.version.is_some(), "{:?}", kept.findings);
    assert_eq!(kept.compared.reference.unwrap().digest, sha256(&bytes));

    // In tier explore another than the schema's can be named; the next delivery, which names none, is not held to it.
    let pinned = drifting(&format!(", sha256 = \"{}\"", sha256(b"another")));
    let with = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let named = add(&world, &dora, ("orders", &many()), Some(&pinned), with).await.unwrap();
    assert_eq!(named.version.unwrap().to_string(), "orders:3", "{:?}", named.findings);
    let unnamed = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!((unnamed.version, unnamed.compared.reference), (None, None), "{:?}", unnamed.findings);
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_the_first_delivery_that_needs_a_reference_names_it() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    world.release().await;
    let schema = drifting("").replace("drift =", "optional = true\ndrift =");
    let without = ("orders", "customer\nann\n");
    let first = add(&world, &dora, without, Some(&schema), NewBeside::default()).await.unwrap();
    assert_eq!(first.version.unwrap().to_string(), "orders:1", "{:?}", first.findings);
    let unnamed = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!((unnamed.verdict.outcome.as_str(), unnamed.version), ("error", None));
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let with = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let named = add(&world, &dora, ("orders", &many()), None, with).await.unwrap();
    assert_eq!(named.version.unwrap().to_string(), "orders:2", "{:?}", named.findings);
    // From then on it goes with the schema.
    let other = profile_of("n,customer\n9,ann\n").to_bytes().unwrap();
    let other = reference(CompareWith::Upload(upload(&world, &dora, &other).await));
    let refused = add(&world, &dora, ("orders", &many()), None, other).await;
    assert!(
        matches!(&refused, Err(Failed::Conflict { why, .. }) if why.contains("keeps its reference")),
        "{refused:?}"
    );
    let kept = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(kept.version.unwrap().to_string(), "orders:3", "{:?}", kept.findings);
    assert_eq!(kept.compared.reference.unwrap().digest, sha256(&bytes));
    world.reopen(true).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_the_reference_that_the_schema_names_follows_one_of_tier_explore() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let pinned = drifting(&format!(", sha256 = \"{}\"", sha256(&bytes)));
    let other = profile_of(&many().replace("0,ann", "0,bob")).to_bytes().unwrap();
    let other_named = reference(CompareWith::Upload(upload(&world, &dora, &other).await));
    let first = add(&world, &dora, ("orders", &many()), Some(&pinned), other_named).await.unwrap();
    assert_eq!(first.version.unwrap().to_string(), "orders:1", "{:?}", first.findings);
    world.release().await;
    let unnamed = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(unnamed.version, None, "{:?}", unnamed.findings);
    let other_named = reference(CompareWith::Upload(upload(&world, &dora, &other).await));
    let refused = add(&world, &dora, ("orders", &many()), None, other_named).await.unwrap_err();
    assert!(refused.to_string().contains("whose digest the schema names"), "{refused}");
    let named = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let named = add(&world, &dora, ("orders", &many()), None, named).await.unwrap();
    assert_eq!(named.version.unwrap().to_string(), "orders:2", "{:?}", named.findings);
    let kept = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(kept.version.unwrap().to_string(), "orders:3", "{:?}", kept.findings);
    assert_eq!(stated(&world, &dora, "orders:3").await.reference.unwrap().digest, sha256(&bytes));
    world.reopen(true).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_a_table_stays_the_data_set_that_it_was() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let two = looking_up()
        .replace("name = \"n\"", "name = \"n\"\nreferences = { table = \"all\", column = \"n\" }");
    for name in ["numbers", "more"] {
        add(&world, &dora, (name, "n\n1\n2\n3\n4\n"), None, NewBeside::default()).await.unwrap();
    }
    for rows in ["name\nann\nbob\n", "name\nzoe\n"] {
        add(&world, &dora, ("people", rows), None, NewBeside::default()).await.unwrap();
    }
    add(&world, &dora, ("others", "name\nann\nbob\n"), None, NewBeside::default()).await.unwrap();
    world.release().await;
    let tables = async |tables: &[(&str, &str)]| {
        let mut named = Vec::new();
        for (table, of) in tables {
            named.push(((*table).to_owned(), version(&world, &dora, of).await));
        }
        NewBeside { tables: named, ..NewBeside::default() }
    };
    // Whoever brings the schema says which data sets its tables are, in whatever order.
    let beside = tables(&[("people", "people:1"), ("all", "numbers:1")]).await;
    let first = add(&world, &dora, ("orders", ORDERS), Some(&two), beside).await.unwrap();
    assert_eq!(first.version.unwrap().to_string(), "orders:1", "{:?}", first.findings);
    let places: Vec<_> =
        stated(&world, &dora, "orders:1").await.tables.iter().map(|table| table.place).collect();
    assert_eq!(places, [Some(1), Some(0)]);
    // Later versions of them will do, and other data sets will not.
    let beside = tables(&[("all", "numbers:1"), ("people", "people:2")]).await;
    let later = add(&world, &dora, ("orders", ORDERS), None, beside).await.unwrap();
    assert_eq!(later.version.unwrap().to_string(), "orders:2", "{:?}", later.findings);
    for wrong in [
        [("all", "numbers:1"), ("people", "others:1")],
        [("all", "more:1"), ("people", "people:2")],
        [("people", "numbers:1"), ("all", "people:1")],
    ] {
        for schema in [None, Some(two.as_str())] {
            let refused = add(&world, &dora, ("orders", ORDERS), schema, tables(&wrong).await).await;
            assert!(
                matches!(&refused, Err(Failed::Conflict { why, .. }) if why.contains("the same data sets")),
                "{refused:?}"
            );
        }
    }
    // Another data set may be looked up elsewhere.
    let beside = tables(&[("people", "others:1"), ("all", "more:1")]).await;
    let another = add(&world, &dora, ("returns", ORDERS), Some(&two), beside).await.unwrap();
    assert_eq!(another.version.unwrap().to_string(), "returns:1", "{:?}", another.findings);
    world.reopen(true).await.unwrap();
}

#[tokio::test]
async fn a_reference_is_kept_across_environments_that_do_not_ask_for_it() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let schema = drifting("").replace("drift =", "environments = [\"training\"]\ndrift =");
    let schema = schema.replace("reference =", "environments = [\"training\", \"serving\"]\nreference =");
    let serving = NewBeside { environment: Some("serving".to_owned()), ..NewBeside::default() };
    let there = world.blobs.list("", None, 10_000).unwrap().len();
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let unasked = CompareWith::Upload(upload(&world, &dora, &bytes).await);
    let unasked = NewBeside { reference: Some(unasked), ..serving.clone() };
    let refused =
        add(&world, &dora, ("orders", "customer\nann\n"), Some(&schema), unasked).await.unwrap_err();
    expect!["reference: no rule of the schema compares distributions with one"]
        .assert_eq(&refused.to_string());
    assert_eq!(
        world.blobs.list("", None, 10_000).unwrap().len(),
        there,
        "nothing of what was refused is left"
    );

    let with = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let first = add(&world, &dora, ("orders", &many()), Some(&schema), with).await.unwrap();
    assert!(first.version.is_some(), "{:?}", first.findings);
    let between = add(&world, &dora, ("orders", "customer\nann\n"), None, serving).await.unwrap();
    assert_eq!(between.version.unwrap().to_string(), "orders:2", "{:?}", between.findings);
    assert_eq!(between.compared.reference, None);
    let after = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(after.version.unwrap().to_string(), "orders:3", "{:?}", after.findings);
    let (one, three) = (stated(&world, &dora, "orders:1").await, stated(&world, &dora, "orders:3").await);
    assert_eq!(one, three);
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_a_kept_schema_keeps_its_reference() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    add(&world, &dora, ("base", &many()), None, NewBeside::default()).await.unwrap();
    world.release().await;
    let bytes = profile_of(&many()).to_bytes().unwrap();
    let with = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let first = add(&world, &dora, ("orders", &many()), Some(&drifting("")), with).await.unwrap();
    assert!(first.version.is_some(), "{:?}", first.findings);
    let other = profile_of("n,customer\n9,ann\n").to_bytes().unwrap();
    let other = reference(CompareWith::Upload(upload(&world, &dora, &other).await));
    let base = reference(version(&world, &dora, "base:1").await);
    for beside in [other, base] {
        let refused = add(&world, &dora, ("orders", &many()), None, beside).await;
        assert!(
            matches!(&refused, Err(Failed::Conflict { why, .. }) if why.contains("keeps its reference")),
            "{refused:?}"
        );
    }
    // The very same one may be named, as whoever gives the file of the schema does.
    let same = reference(CompareWith::Upload(upload(&world, &dora, &bytes).await));
    let same = add(&world, &dora, ("orders", &many()), Some(&drifting("")), same).await.unwrap();
    assert_eq!(same.version.unwrap().to_string(), "orders:2", "{:?}", same.findings);
    let unnamed = add(&world, &dora, ("orders", &many()), None, NewBeside::default()).await.unwrap();
    assert_eq!(unnamed.version.unwrap().to_string(), "orders:3", "{:?}", unnamed.findings);
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_the_environment_is_the_first_one() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let schema = format!(
        "{HEAD}environments = [\"training\", \"serving\"]\n[[column]]\nname = \"n\"\ntype = \"integer\"\n"
    );
    let schema = format!("{schema}range = {{ min = 1, max = 2 }}\nenvironments = [\"training\"]\n");
    let schema = format!("{schema}[[column]]\nname = \"customer\"\ntype = \"string\"\n");
    let of = |name: &str| NewBeside { environment: Some(name.to_owned()), ..NewBeside::default() };
    world.release().await;
    let rows = "n,customer\n1,ann\n";
    for given in [Some(schema.as_str()), None] {
        let first = add(&world, &dora, ("orders", rows), given, of("training")).await.unwrap();
        assert!(first.version.is_some(), "{:?}", first.findings);
        let other = add(&world, &dora, ("orders", "customer\nann\n"), given, of("serving")).await;
        assert!(
            matches!(&other, Err(Failed::Conflict { why, .. }) if why.contains("`training`")),
            "{other:?}"
        );
    }
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn in_tier_release_neither_the_time_nor_a_file_as_a_table_comes_along() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    add(&world, &dora, ("people", "name\nann\nbob\n"), None, NewBeside::default()).await.unwrap();
    let people = || version(&world, &dora, "people:1");
    add(&world, &dora, ("orders", ORDERS), Some(&looking_up()), against(people().await)).await.unwrap();
    world.release().await;
    let along = against(CompareWith::Upload(upload(&world, &dora, b"name\nann\nbob\n").await));
    let yesterday = NewBeside { now: Some(Timestamp::EPOCH), ..against(people().await) };
    for beside in [along, yesterday] {
        let refused = add(&world, &dora, ("orders", ORDERS), None, beside).await;
        assert!(matches!(refused, Err(Failed::Conflict { .. })), "{refused:?}");
    }
    let added = add(&world, &dora, ("orders", ORDERS), None, against(people().await)).await.unwrap();
    assert_eq!(added.version.unwrap().to_string(), "orders:2");
    world.reopen(false).await.unwrap();
}

#[tokio::test]
async fn what_no_rule_asks_for_is_refused() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let table = CompareWith::Upload(upload(&world, &dora, b"name\nann\n").await);
    let refused = add(&world, &dora, ("orders", ORDERS), None, against(table)).await.unwrap_err();
    expect![
        "table `people`: the schema looks nothing up in a table `people`; it looks values up in no table"
    ]
    .assert_eq(&refused.to_string());
    let gone = against(CompareWith::Version("people:7".parse().unwrap()));
    let refused = add(&world, &dora, ("orders", ORDERS), Some(&looking_up()), gone).await.unwrap_err();
    expect!["there is no data set version `people:7`"].assert_eq(&refused.to_string());
    let elsewhere = NewBeside { environment: Some("serving".to_owned()), ..NewBeside::default() };
    let refused = add(&world, &dora, ("orders", ORDERS), None, elsewhere).await.unwrap();
    assert_eq!(refused.verdict.outcome, "error", "{:?}", refused.findings);
}

/// Storage from which nothing can be deleted.
#[derive(Debug)]
struct Kept {
    inner: MemBlobs,
    tried: AtomicUsize,
}

impl Blobs for Kept {
    fn put(&self, blobs: &[(&BlobName, &[u8])]) -> Result<(), BlobError> {
        self.inner.put(blobs)
    }

    fn create(&self) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.inner.create()
    }

    fn open(&self, name: &BlobName) -> Result<Box<dyn BlobReader>, BlobError> {
        self.inner.open(name)
    }

    fn list(&self, prefix: &str, after: Option<&BlobName>, limit: usize) -> Result<Vec<BlobName>, BlobError> {
        self.inner.list(prefix, after, limit)
    }

    fn delete(&self, name: &BlobName) -> Result<bool, BlobError> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        Err(BlobError::new("delete", name, std::io::Error::other("it stays")))
    }
}

#[tokio::test]
async fn what_became_of_deliveries_is_told_though_nothing_can_be_destroyed() {
    let mut world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let kept = Arc::new(Kept { inner: world.blobs.clone(), tried: AtomicUsize::new(0) });
    world.reopen_on(kept.clone()).await;
    let along = against(CompareWith::Upload(upload(&world, &dora, b"name\nann\nbob\n").await));
    let added = add(&world, &dora, ("orders", ORDERS), Some(&looking_up()), along).await.unwrap();
    assert_eq!(added.version.unwrap().to_string(), "orders:1", "{:?}", added.findings);
    assert_eq!(kept.tried.load(Ordering::SeqCst), 1);
    let nowhere = ("orders", "n,customer\nx,ann\n");
    let along = against(CompareWith::Upload(upload(&world, &dora, b"name\nann\n").await));
    let refused = NewBeside { environment: Some("nowhere".to_owned()), ..along };
    let refused = add(&world, &dora, nowhere, None, refused).await.unwrap();
    assert_eq!(refused.version, None, "{:?}", refused.findings);
    assert_eq!(kept.tried.load(Ordering::SeqCst), 3, "each of both is tried");
}

#[tokio::test]
async fn uploads_of_an_order_that_cannot_be_carried_out_go() {
    let world = World::new().await;
    let dora = world.person("dora", &[Role::DataScientist]).await;
    let eve = world.person("eve", &[Role::DataScientist]).await;
    let there = world.blobs.list("", None, 10_000).unwrap().len();
    let one = upload(&world, &dora, b"a\n1\n").await;
    let two = upload(&world, &dora, b"a\n2\n").await;
    world.registry.discard_uploads(&eve, &[one, two]).await;
    assert_eq!(world.blobs.list("", None, 10_000).unwrap().len(), there + 2, "they are not hers");
    world.registry.discard_uploads(&dora, &[one, one, two]).await;
    assert_eq!(world.blobs.list("", None, 10_000).unwrap().len(), there);
}
