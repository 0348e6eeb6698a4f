//! Lineage: whose files are whose, which deliveries a window is about, and what is proven of a delivery.

use std::collections::BTreeSet;

use bartizan_base::VersionRef;
use bartizan_data::openlineage;
use bartizan_keys::Algorithm;
use bartizan_registry::NamedGraph;
use bartizan_registry::lineage::{Direction, Node, Relation, Walk, Window};

use crate::data::{CLEAN, add};
use crate::sources::{Delivered, deliver, envelope, key, world};
use crate::world::{World, import_made_of};

async fn graph(world: &World) -> NamedGraph {
    world.registry.lineage(&world.admin).await.unwrap()
}

fn dataset(version: &str) -> Node {
    Node::Dataset(version.parse().unwrap())
}

/// The model versions that saw something.
fn saw(named: &NamedGraph, start: &Node, window: Window) -> BTreeSet<String> {
    let (impacted, cut) = named.graph.impact(start, window);
    assert!(!cut);
    impacted.into_iter().map(|one| one.version.to_string()).collect()
}

fn walk(named: &NamedGraph, start: Node, direction: Direction) -> Vec<Node> {
    let walk = Walk { start, direction, window: Window::default(), skip: 0, limit: 100 };
    named.graph.walk(&walk).nodes.into_iter().map(|reached| reached.node).collect()
}

#[tokio::test]
async fn whoever_has_the_files_of_a_model_has_what_it_was_made_of() {
    let (world, dora, ..) = world().await;
    let all = |names: [&str; 3]| names.iter().map(|name| format!("{name}:1")).collect::<BTreeSet<_>>();
    // The one that says what it was made of comes first, in between, or last.
    for trained in 0..3 {
        let feed = format!("feed{trained}");
        add(&world, &dora, (&feed, CLEAN), None, false).await.unwrap();
        let (version, content) = (format!("{feed}:1"), format!("weights {trained}"));
        let names = ["a", "b", "c"].map(|name| format!("{name}{trained}"));
        for (number, name) in names.iter().enumerate() {
            let on: &[&str] = if number == trained { &[&version] } else { &[] };
            import_made_of(&world, (name, &content), on).await;
        }
        let named = graph(&world).await;
        let names = [&names[0], &names[1], &names[2]].map(String::as_str);
        assert_eq!(saw(&named, &dataset(&version), Window::default()), all(names));
        for name in names {
            let model: VersionRef = format!("{name}:1").parse().unwrap();
            let up = walk(&named, Node::Model(model), Direction::Up);
            assert!(up.contains(&dataset(&version)), "{name} of {trained}: {up:?}");
            assert_eq!(up.len(), 4, "each node once: {up:?}");
        }
    }
}

#[tokio::test]
async fn a_window_is_about_the_source_that_was_asked_about() {
    let (world, dora, shop, source) = world().await;
    let first =
        Delivered { name: "feed", csv: CLEAN, source: "shop", signature: Some(envelope(&shop, CLEAN, None)) };
    deliver(&world, &dora, first, false, None).await.unwrap();
    let other = key(Algorithm::Ed25519);
    let second =
        world.registry.add_source(&world.admin, "second", vec![other.public().clone()]).await.unwrap();
    let project = world.registry.keys().project();
    let event = format!(
        r#"{{"eventTime":"2026-03-01T12:00:30Z","producer":"p","schemaURL":"s","job":{{"namespace":"etl","name":"j"}},
        "inputs":[{{"namespace":"bartizan:{project}","name":"feed:1"}}],
        "outputs":[{{"namespace":"kafka","name":"second"}}]}}"#
    );
    let lineage = openlineage::read(event.replace('\n', "").as_bytes()).unwrap();
    world.registry.import_lineage(&world.admin, lineage).await.unwrap();
    world.clock.advance_millis(60_000);
    let between = world.registry.now();
    world.clock.advance_millis(60_000);
    let later = Delivered { name: "other", csv: CLEAN, source: "second", signature: None };
    deliver(&world, &dora, later, false, None).await.unwrap();
    import_made_of(&world, ("late", "w"), &["other:1"]).await;

    let named = graph(&world).await;
    let (until, since) =
        (Window { since: None, until: Some(between) }, Window { since: Some(between), until: None });
    let late = BTreeSet::from(["late:1".to_owned()]);
    // What `shop` delivered in time came into `other:1` by way of `second`, whenever that was.
    assert_eq!(saw(&named, &Node::Source(source), until), late);
    assert_eq!(saw(&named, &Node::Source(source), since), BTreeSet::new());
    assert_eq!(saw(&named, &Node::Source(second), until), BTreeSet::new());
    assert_eq!(saw(&named, &Node::Source(second), since), late);
}

#[tokio::test]
async fn a_window_is_about_what_jobs_of_other_systems_took_too() {
    let (world, dora, _, source) = world().await;
    add(&world, &dora, ("feed", CLEAN), None, false).await.unwrap();
    import_made_of(&world, ("scores", "w"), &["feed:1"]).await;
    let project = world.registry.keys().project();
    let event = |day: &str| {
        format!(
            r#"{{"eventTime":"{day}T08:00:00Z","producer":"p","schemaURL":"s","job":{{"namespace":"etl","name":"j"}},"inputs":[{{"namespace":"x","name":"shop"}}],"outputs":[{{"namespace":"bartizan:{project}","name":"feed:1"}}]}}"#
        )
    };
    // In one import the first and the last of several times are kept, wherever they stand.
    let events = [event("2026-02-10"), event("2026-02-20"), event("2026-02-01")].join("\n");
    let lineage = openlineage::read(events.as_bytes()).unwrap();
    world.registry.import_lineage(&world.admin, lineage).await.unwrap();
    let named = graph(&world).await;
    let window = |since: Option<&str>, until: Option<&str>| Window {
        since: since.map(|day| format!("{day}T00:00:00Z").parse().unwrap()),
        until: until.map(|day| format!("{day}T00:00:00Z").parse().unwrap()),
    };
    for (since, until, expected) in [
        (None, None, true),
        (Some("2020-01-01"), Some("2020-01-02"), false),
        (None, Some("2026-02-01"), false),
        (None, Some("2026-02-02"), true),
        (Some("2026-02-05"), Some("2026-02-06"), true),
        (Some("2026-02-20"), None, true),
        (Some("2026-02-21"), None, false),
    ] {
        let found = saw(&named, &Node::Source(source), window(since, until));
        assert_eq!(!found.is_empty(), expected, "{since:?} to {until:?}: {found:?}");
    }
    assert!(window(Some("2026-02-01"), Some("2026-02-01")).is_empty());
    assert!(!window(Some("2026-02-01"), Some("2026-02-02")).is_empty());
}

#[tokio::test]
async fn a_delivery_is_proven_if_its_digest_was_signed() {
    let (world, dora, shop, source) = world().await;
    for (name, signature, expected) in [
        ("digest", Some(envelope(&shop, CLEAN, None)), ("signed", true)),
        ("bytes", Some(shop.sign(CLEAN.as_bytes()).unwrap()), ("signed", false)),
        ("words", None, ("delivered", false)),
    ] {
        let delivered = Delivered { name, csv: CLEAN, source: "shop", signature };
        deliver(&world, &dora, delivered, false, None).await.unwrap();
        let named = graph(&world).await;
        let edges: Vec<Relation> = named
            .graph
            .around(&dataset(&format!("{name}:1")), Direction::Up)
            .filter(|edge| edge.from == Node::Source(source))
            .map(|edge| edge.relation)
            .collect();
        let [relation] = edges.as_slice() else { panic!("{edges:?}") };
        assert_eq!((relation.as_str(), relation.proven()), expected, "{name}");
    }
}
