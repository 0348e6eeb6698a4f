//! Sources that sign, what came of what they delivered, and events for and of other systems.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bench::{Bench, text};
use crate::serving::with_models;

const CSV: &[u8] = b"a,label\n1,x\n2,y\n";

/// The samples that `openssl` and `minisign` signed, over [`CSV`].
fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/delivery/v1").join(name)
}

fn with_source() -> Bench {
    let bench = Bench::with_project();
    bench.write("feed.csv", CSV);
    bench.json(&["data", "source", "add", "shop", "--key", text(&golden("ed25519.pub.pem"))]);
    for key in ["p256.pub.pem", "minisign.pub"] {
        bench.json(&["data", "source", "trust", "shop", "--key", text(&golden(key))]);
    }
    bench
}

fn add<'a>(name: &'a str, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["data", "add", name, file, "--source", "shop"], more].concat()
}

#[test]
fn signatures_of_other_tools_are_taken() {
    let bench = with_source();
    assert_eq!(std::fs::read(golden("delivery.csv")).unwrap(), CSV);
    for (signature, form) in [
        ("envelope.json", "dsse"),
        ("p256.sig", "ecdsa-sha256"),
        ("ed25519.sig", "ed25519"),
        ("prehashed.minisig", "minisign"),
        ("legacy.minisig", "minisign"),
    ] {
        let path = golden(signature);
        let added = bench.json(&add("feed", "feed.csv", &["--signature", text(&path)]));
        let shown = bench.json(&["data", "show", added["version"].as_str().unwrap()]);
        let from = &shown["parts"][0]["from"];
        assert_eq!((&from["standing"], &from["form"]), (&json!("signed"), &json!(form)), "{signature}");
    }
    let shown = bench.json(&["data", "source", "show", "shop"]);
    assert_eq!((&shown["parts"], &shown["signed"]), (&json!(5), &json!(5)), "{shown}");
}

#[test]
fn what_is_not_signed_as_it_must_be_is_refused() {
    let bench = with_source();
    let envelope = golden("envelope.json");
    let signed = ["--signature", text(&envelope)];
    bench.refused(&add("feed", "feed.csv", &["--require-signature"]), 1, "BZ-0314");
    bench.write("other.csv", b"a,label\n7,x\n8,y\n");
    let said = bench.refused(&add("feed", "other.csv", &signed), 1, "BZ-0315");
    assert!(said.contains("recorded as ledger entry"), "{said}");
    bench.refused(&add("elsewhere", "feed.csv", &signed), 1, "BZ-0315");
    bench.json(&add("feed", "feed.csv", &[&signed[..], &["--require-signature"]].concat()));
    bench.refused(&add("feed", "feed.csv", &[]), 1, "BZ-0314");
    let key = bench.json(&["data", "source", "show", "shop"])["keys"][0]["key"].as_str().unwrap().to_owned();
    bench.json(&["data", "source", "revoke", "shop", &key]);
    bench.refused(&add("feed", "feed.csv", &signed), 1, "BZ-0316");
    assert_eq!(bench.json(&["data", "show", "feed:1"])["parts"][0]["from"]["standing"], "signed");
    let shown = bench.json(&["data", "source", "show", "shop"]);
    assert_eq!(shown["refused"]["deliveries"], 5, "{shown}");
    bench.refused(&add("feed", "feed.csv", &["--signature", "a", "--signature", "b"]), 2, "BZ-0001");
    bench.refused(&["data", "source", "show", "nobody"], 4, "BZ-0203");
    assert_eq!(bench.json(&["ledger", "fsck"])["damaged"], Value::Null);
}

#[test]
fn a_source_signs_with_the_binary_alone() {
    let bench = Bench::new();
    bench.write("feed.csv", CSV);
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    bench.write("key.pem", pem.as_bytes());
    for over in ["key.pem", "feed.csv"] {
        let sign = ["data", "sign", "feed.csv", "--key", "key.pem", "--out", over];
        bench.refused(&sign, 2, "is named twice");
    }
    let sign = ["data", "sign", "feed.csv", "--key", "key.pem", "--dataset", "feed", "--out", "feed.sig"];
    bench.json(&sign);
    assert!(!bench.path("bartizan-data").exists(), "it needs no project");
    assert_eq!(bench.run(&["init"]).code, 0);
    // The public half of the key, of RFC 8032 section 7.1, test 1.
    bench.write("key.pub", b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n");
    bench.json(&["data", "source", "add", "shop", "--key", "key.pub"]);
    bench.refused(&add("other", "feed.csv", &["--signature", "feed.sig"]), 1, "BZ-0315");
    bench.json(&add("feed", "feed.csv", &["--signature", "feed.sig"]));
    // A private key is not taken for a public one, and is not repeated.
    let said = bench.refused(&["data", "source", "add", "leak", "--key", "key.pem"], 2, "BZ-0004");
    assert!(!said.contains("MC4CAQ"), "{said}");
}

fn names(nodes: &Value) -> Vec<String> {
    let nodes = nodes.as_array().unwrap();
    nodes.iter().map(|node| format!("{} {}", node["kind"], node["name"]).replace('"', "")).collect()
}

#[test]
fn lineage_goes_from_a_source_to_endpoints_and_back() {
    // Named twice, it is named.
    let bench = with_models(&["--trained-on", "rides:1", "--trained-on", "rides:1"]);
    bench.json(&["data", "source", "add", "shop", "--key", text(&golden("p256.pub.pem"))]);
    bench.write("feed.csv", CSV);
    let p256 = golden("p256.sig");
    bench.json(&add("raw", "feed.csv", &["--signature", text(&p256)]));
    bench.json(&add("clean", "feed.csv", &["--derived-from", "raw:1", "--transform", "sort -u"]));
    bench.write("model.bin", b"weights");
    let import =
        ["model", "import", "model.bin", "--name", "late", "--origin", "a test", "--trained-on", "clean:1"];
    bench.json(&import);
    assert_eq!(
        bench.run(&["endpoint", "route", "scores", "--model", "tips:2", "--fallback", "tips:1"]).code,
        0
    );

    let down = bench.json(&["lineage", "down", "source:shop"]);
    assert_eq!(names(&down["nodes"]), ["source shop", "dataset clean:1", "dataset raw:1", "model late:1"]);
    let relations: Vec<&str> =
        down["edges"].as_array().unwrap().iter().filter_map(|edge| edge["relation"].as_str()).collect();
    assert_eq!(relations, ["delivered", "derived", "signed", "trained"], "{down}");
    let entries = down["edges"].as_array().unwrap().iter().all(|edge| edge["entry"].is_u64());
    assert!(entries, "every edge names the entry that says so");
    let up = bench.json(&["lineage", "up", "endpoint:scores"]);
    assert_eq!(names(&up["nodes"]), ["endpoint scores", "model tips:1", "model tips:2", "dataset rides:1"]);
    let impact = bench.json(&["lineage", "impact", "rides:1"]);
    assert_eq!((&impact["total"], &impact["liveEndpoints"]), (&json!(2), &json!(1)), "{impact}");
    bench.refused(&["lineage", "impact", "rides:1", "--until", "2020-01-01"], 2, "BZ-0003");
    let shop = bench.json(&["lineage", "impact", "--source", "shop", "--since", "2020-01-01"]);
    assert_eq!(shop["models"][0]["version"], "late:1");
    assert_eq!(shop["models"][0]["path"], json!(["clean:1", "late:1"]));
    let none = bench.json(&["lineage", "impact", "--source", "shop", "--until", "2020-01-01"]);
    assert_eq!(none["total"], 0);
    let reversed =
        ["lineage", "impact", "--source", "shop", "--since", "2026-02-02", "--until", "2026-02-01"];
    bench.refused(&reversed, 2, "BZ-0001");
    let told = bench.shown(&["lineage", "down", "source:shop"]);
    assert!(told.stdout.contains("clean:1, valid  (delivered, asserted, entry "), "{}", told.stdout);
    assert!(told.stdout.contains("raw:1, valid  (signed, entry "), "{}", told.stdout);
    let page = bench.json(&["lineage", "down", "source:shop", "--limit", "2"]);
    assert_eq!((names(&page["nodes"]).len(), &page["next"], &page["total"]), (2, &json!(2), &json!(4)));
    let rest = bench.json(&["lineage", "down", "source:shop", "--skip", "2"]);
    assert_eq!(names(&rest["nodes"]), ["dataset raw:1", "model late:1"]);
    for unknown in ["late:9", "source:nobody", "endpoint:none", "run_00000000000000000000000000000000"] {
        bench.refused(&["lineage", "up", unknown], 4, "BZ-0203");
    }
}

#[test]
fn events_of_other_systems_go_in_and_ours_come_out() {
    let bench = with_source();
    let event = bench.path("added.json");
    let added = bench.json(&add("feed", "feed.csv", &["--openlineage", text(&event)]));
    let told: Value = serde_json::from_slice(&std::fs::read(&event).unwrap()).unwrap();
    assert_eq!((&told["eventType"], &told["outputs"][0]["name"]), (&json!("COMPLETE"), &json!("feed")));
    let facets = &told["inputs"][0]["inputFacets"];
    assert_eq!(facets["dataQualityMetrics"]["rowCount"], 2);
    assert_eq!(facets["dataQualityMetrics"]["columnMetrics"]["a"]["nullCount"], 0);
    assert_eq!(facets["dataQualityAssertions"]["assertions"][0]["assertion"], "accepted");
    assert_eq!(added["tables"], Value::Null, "what the event is made from is not printed");

    // What the event names as its output is the version itself, and so is what another system reads.
    let output = &told["outputs"][0];
    let job = json!({ "namespace": "etl", "name": "nightly by jane.doe@example.com" });
    let read = json!({ "eventTime": "2026-03-01T12:00:00+01:00", "producer": "p", "schemaURL": "s", "job": job,
        "inputs": [output], "outputs": [{ "namespace": "s3://lake", "name": "copy" }] });
    let wrote = json!({ "eventTime": "2026-03-01T11:00:00Z", "producer": "p", "schemaURL": "s",
        "run": { "runId": "019cbb6c-3b0e-7a51-9a0e-6d2f0b4f9a11" }, "eventType": "COMPLETE",
        "job": { "namespace": "erp", "name": "export" }, "outputs": [{ "namespace": "kafka", "name": "shop" }] });
    bench.write("events.jsonl", format!("{read}\n\n{wrote}\n").as_bytes());
    let stated = bench.json(&["lineage", "import", "events.jsonl"]);
    assert_eq!(
        (&stated["events"], &stated["jobs"], &stated["edges"]),
        (&json!(2), &json!(2), &json!(3)),
        "{stated}"
    );
    let down = bench.json(&["lineage", "down", "dataset:feed:1"]);
    let nightly = "external-job etl/nightly by jane.doe@example.com";
    assert_eq!(names(&down["nodes"]), ["dataset feed:1", nightly, "external-dataset s3://lake/copy"]);
    let up = bench.json(&["lineage", "up", "external:s3://lake/copy"]);
    assert_eq!(
        names(&up["nodes"]),
        [
            "external-dataset s3://lake/copy",
            nightly,
            "dataset feed:1",
            "source shop",
            "external-job erp/export"
        ]
    );
    assert!(up["edges"].as_array().unwrap().iter().all(|edge| edge["basis"] == "asserted"), "{up}");
    let shown = bench.json(&["ledger", "show", &stated["entry"].to_string()]);
    assert!(!shown.to_string().contains("jane.doe"), "{shown}");

    bench.write("broken.jsonl", format!("{read}\n{{\"eventTime\":\"noon\",\"job\":{{}}}}\n").as_bytes());
    let said = bench.refused(&["lineage", "import", "broken.jsonl"], 1, "BZ-0317");
    assert!(said.contains("line 2"), "{said}");
    let checked = bench.path("checked.json");
    bench.json(&["data", "schema", "infer", "feed.csv", "--out", "s.toml"]);
    bench.write("worse.csv", b"a,label\nx,x\n2,y\n");
    let ran =
        bench.run(&["data", "check", "worse.csv", "--schema", "s.toml", "--openlineage", text(&checked)]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let told: Value = serde_json::from_slice(&std::fs::read(&checked).unwrap()).unwrap();
    assert_eq!((&told["eventType"], &told["outputs"]), (&json!("FAIL"), &json!([])));
}

#[test]
fn a_directory_of_images_is_a_data_set_too() {
    let bench = Bench::with_project();
    let images = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/tests/images");
    for (from, to) in [("a.png", "cat/1.png"), ("a.jpg", "dog/2.jpg"), ("progressive.jpg", "dog/3.jpg")] {
        bench.write(&format!("pets/{to}"), &std::fs::read(images.join(from)).unwrap());
    }
    bench.write("pets/labels.csv", b"path,label\ncat/1.png,cat\ndog/2.jpg,dog\ndog/3.jpg,dog\n");
    let pets = ["data", "add", "pets", "pets", "--source", "a test", "--labels", "pets/labels.csv"];
    let added = bench.json(&pets);
    assert_eq!((&added["version"], &added["rows"]), (&json!("pets:1"), &json!(3)), "{added}");
    let shown = bench.json(&["data", "show", "pets:1"]);
    assert!(shown["schema"].as_str().unwrap().contains("kind = \"images\""), "{shown}");
    // The same files make the same bytes, whatever else there is to them.
    let digest = shown["parts"][0]["digest"].clone();
    assert_eq!(bench.json(&pets)["version"], "pets:2");
    assert_eq!(bench.json(&["data", "show", "pets:2"])["parts"][0]["digest"], digest);
    bench.write("pets/dog/4.gif", b"GIF89a\0\x01");
    let worse = bench.json(&pets);
    let reasons = worse["reasons"].to_string();
    assert!(reasons.contains("damaged") && reasons.contains("unlabelled"), "{worse}");
    bench.write("table.csv", CSV);
    bench.refused(&["data", "add", "pets", "table.csv", "--source", "a test"], 2, "BZ-0312");
    bench.refused(&["data", "add", "pets", "pets", "table.csv", "--source", "a test"], 2, "BZ-0001");
    std::os::unix::fs::symlink("/etc/passwd", bench.path("pets/link")).unwrap();
    let said = bench.refused(&pets, 1, "BZ-0304");
    assert!(said.contains("symbolic link"), "{said}");
}

/// Where it lies, before anybody adds it.
#[test]
fn a_directory_is_profiled_and_checked_like_a_table() {
    let bench = Bench::new();
    let images = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/tests/images");
    for (from, to) in [("a.png", "cat/1.png"), ("a.jpg", "dog/2.jpg"), ("progressive.jpg", "dog/3.jpg")] {
        bench.write(&format!("pets/{to}"), &std::fs::read(images.join(from)).unwrap());
    }
    bench.write("labels.csv", b"path,label\ncat/1.png,cat\ndog/2.jpg,dog\ndog/3.jpg,dog\n");
    let labelled = ["--labels", "labels.csv"];
    let with = |arguments: &[&'static str]| [arguments, &labelled[..]].concat();
    let told = bench.json(&with(&["data", "profile", "pets"]));
    assert_eq!((&told["files"], &told["labels"]), (&json!(3), &json!([["cat", 1], ["dog", 2]])), "{told}");
    let shown = bench.shown(&with(&["data", "profile", "pets"]));
    assert!(shown.stdout.contains("labels       dog 2, cat 1"), "{}", shown.stdout);
    bench.json(&with(&["data", "schema", "infer", "pets", "--out", "pets.toml"]));
    bench.json(&with(&["data", "check", "pets", "--schema", "pets.toml"]));
    bench.write("pets/dog/4.png", &std::fs::read(images.join("a.png")).unwrap()[..60]);
    bench.write("pets/dog/5.jpg", &std::fs::read(images.join("a.jpg")).unwrap());
    let worse = bench.shown(&with(&["data", "check", "pets", "--schema", "pets.toml"]));
    assert_eq!(worse.code, 1, "{}", worse.stderr);
    for said in ["dog/4.png", "dog/5.jpg", "unlabelled", "duplicates"] {
        assert!(worse.stdout.contains(said), "{said}: {}", worse.stdout);
    }
    bench.write("table.csv", CSV);
    bench.refused(&with(&["data", "profile", "table.csv"]), 2, "BZ-0001");
    bench.refused(&["data", "profile", "pets", "--separator", ";"], 2, "BZ-0001");
    bench.refused(&["data", "check", "pets", "--schema", "pets.toml", "--rows", "r.csv"], 2, "BZ-0001");
    bench.refused(&["data", "check", "pets", "--schema", "labels.csv"], 2, "BZ-0312");
    std::os::unix::fs::symlink("/etc/passwd", bench.path("pets/link")).unwrap();
    bench.refused(&["data", "profile", "pets"], 1, "BZ-0304");
}
