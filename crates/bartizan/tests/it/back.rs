//! Routes that overtake each other, and rollbacks to what can be served.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::serving::{Answer, INFER, ask, key, wait_ready};
use crate::up::Up;

/// A project with the data set `rides:1`, of the columns `distance`, `hour` and `tip`.
fn with_rides() -> Bench {
    let bench = Bench::with_project();
    add_rides(&bench);
    bench
}

fn add_rides(bench: &Bench) {
    let rows = (0..200).map(|row| format!("{},{},{}\n", row / 2 * 2, row % 7, u8::from(row > 100)));
    let csv = std::iter::once("distance,hour,tip\n".to_owned()).chain(rows).collect::<String>();
    bench.write("rides.csv", csv.as_bytes());
    bench.json(&["data", "add", "rides", "rides.csv", "--source", "a test"]);
}

/// A model that adds up its inputs, each rows of so many numbers, and calls that by a name.
struct Adder<'a> {
    inputs: &'a [(&'a str, u64)],
    output: &'a str,
}

const RIDE: Adder<'_> = Adder { inputs: &[("distance", 1), ("hour", 1)], output: "score" };

impl Adder<'_> {
    /// An ONNX file, by hand. `mark` makes it another file.
    fn file(&self, mark: &str) -> Vec<u8> {
        let bytes = |field: u8, value: &[u8]| {
            let length = u8::try_from(value.len() % 128).unwrap();
            let length = match u8::try_from(value.len() / 128).unwrap() {
                0 => vec![length],
                more => vec![length | 0x80, more],
            };
            [vec![field << 3 | 2], length, value.to_vec()].concat()
        };
        let number = |field: u8, value: u8| vec![field << 3, value];
        let port = |name: &str, width: u64| {
            let rows = bytes(1, &bytes(2, b"N"));
            let columns = bytes(1, &number(1, u8::try_from(width).unwrap()));
            let shape = bytes(2, &[rows, columns].concat());
            [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &[number(1, 1), shape].concat()))].concat()
        };
        let node = |operator: &str, inputs: &[&str], output: &str| {
            let inputs = inputs.iter().flat_map(|input| bytes(1, input.as_bytes()));
            let names = [bytes(2, output.as_bytes()), bytes(3, output.as_bytes())].concat();
            inputs.chain(names).chain(bytes(4, operator.as_bytes())).collect::<Vec<u8>>()
        };
        let ((first, width), more) = self.inputs.split_first().unwrap();
        let (mut graph, mut sum) = (Vec::new(), (*first).to_owned());
        for (name, _) in more {
            let next = format!("{sum}+{name}");
            graph.extend(bytes(1, &node("Add", &[&sum, name], &next)));
            sum = next;
        }
        graph.extend(bytes(1, &node("Identity", &[&sum], self.output)));
        graph.extend(bytes(2, mark.as_bytes()));
        graph.extend(self.inputs.iter().flat_map(|(name, width)| bytes(11, &port(name, *width))));
        graph.extend(bytes(12, &port(self.output, *width)));
        let operators = [bytes(1, b""), number(2, 17)].concat();
        [number(1, 8), bytes(7, &graph), bytes(8, &operators)].concat()
    }

    /// Imports and approves the next version of a model.
    fn add(&self, bench: &Bench, name: &str, origin: &[&str]) {
        let size = bench.json(&["status"]).pointer("/ledger/size").and_then(Value::as_u64).unwrap();
        bench.write("made/model.onnx", &self.file(&format!("{name} {size}")));
        let import = ["model", "import", "made", "--name", name, "--origin", "a test"];
        let imported = bench.json(&[&import[..], origin].concat());
        let version = imported.get("version").and_then(Value::as_str).unwrap().to_owned();
        bench.json(&["model", "approve", &version]);
    }
}

/// What the server does for whoever has the key.
struct Served {
    bench: Bench,
    key: String,
    up: Up,
}

impl Served {
    fn new(bench: Bench) -> Self {
        let key = key(&bench);
        let up = Up::start(&bench);
        Self { bench, key, up }
    }

    fn say(&self, arguments: &[&str]) -> Value {
        let ran = self.bench.run_with("BARTIZAN_TOKEN", &self.key, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn route(&self, model: &str, more: &[&str]) -> Value {
        self.say(&[&["endpoint", "route", "scores", "--model", model], more].concat())
    }

    fn back(&self, more: &[&str]) -> Value {
        self.say(&[&["model", "rollback", "--endpoint", "scores"], more].concat())
    }

    fn show(&self) -> Value {
        self.say(&["endpoint", "show", "scores"])
    }

    /// Asks with one row of these numbers for each input.
    fn ask(&self, inputs: &[(&str, &[f64])]) -> Answer {
        let input = |(name, row): &(&str, &[f64])| json!({ "name": name, "shape": [1, row.len()], "datatype": "FP32", "data": row });
        let body = json!({ "inputs": inputs.iter().map(input).collect::<Vec<_>>() });
        ask(&self.up, "POST", INFER, Some(&self.key), &body.to_string())
    }

    /// The status, who answered, and why that was not the model.
    fn answered(&self, distance: f64) -> (u16, Option<String>, Option<String>) {
        let answer = self.ask(&[("distance", &[distance]), ("hour", &[2.0])]);
        let said = |name| answer.body.pointer(name).and_then(Value::as_str).map(str::to_owned);
        (answer.status, said("/parameters/answered_by"), said("/parameters/fallback_reason"))
    }
}

fn by(who: &str, why: Option<&str>) -> (u16, Option<String>, Option<String>) {
    (200, Some(who.to_owned()), why.map(str::to_owned))
}

fn constant(bench: &Bench, name: &str, value: f64) -> PathBuf {
    let outputs = json!([{ "name": name, "shape": [1, 1], "datatype": "FP32", "data": [value] }]);
    bench.write(&format!("{name}-{value}.json"), outputs.to_string().as_bytes())
}

/// Two who route at once, each with a setting: whoever is told yes has their setting.
#[test]
fn routes_at_the_same_time_do_not_undo_each_other() {
    let bench = with_rides();
    RIDE.add(&bench, "tips", &[]);
    let served = Served::new(bench);
    served.route("tips:1", &["--no-fallback"]);
    let post = |settings: Value| {
        let body = json!({ "primary": "tips:1", "fallback": "nobody", "settings": settings }).to_string();
        let (host, key, length) = (&served.up.address, &served.key, body.len());
        let head = "POST /api/v1/endpoints/scores HTTP/1.1\r\nConnection: close";
        served.up.whole(&format!(
            "{head}\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    };
    let mut overtaken = 0;
    for _ in 0..10 {
        served.route("tips:1", &["--no-fallback", "--withhold", "", "--slice", ""]);
        let answers = std::thread::scope(|scope| {
            let withhold = scope.spawn(|| post(json!({ "withhold": ["distance"] })));
            let slice = scope.spawn(|| post(json!({ "slice": ["hour"] })));
            [withhold.join().unwrap(), slice.join().unwrap()]
        });
        let shown = served.show();
        for (answer, is_set) in
            answers.iter().zip([shown["withheld"] == json!(["distance"]), shown["slices"] == json!(["hour"])])
        {
            let done = answer.starts_with("HTTP/1.1 200 ");
            assert_eq!(done, is_set, "{answer}\n{shown}");
            if !done {
                overtaken += 1;
                assert!(answer.starts_with("HTTP/1.1 409 ") && answer.contains("BZ-0204"), "{answer}");
                assert!(answer.contains("bartizan endpoint show scores"), "{answer}");
                assert!(answer.contains("then route again"), "{answer}");
            }
        }
    }
    assert!(overtaken > 0, "they never met");
}

/// What is withheld of a model is no reason not to go back to one without that input.
#[test]
fn a_rollback_past_a_model_with_another_input_serves_at_once() {
    let bench = with_rides();
    for _ in 0..2 {
        RIDE.add(&bench, "tips", &[]);
    }
    for (name, more) in [("wide", "ssn"), ("named", "social")] {
        let inputs = [("distance", 1), ("hour", 1), (more, 1)];
        Adder { inputs: &inputs, output: "score" }.add(&bench, name, &[]);
    }
    let served = Served::new(bench);
    served.route("tips:1", &["--fallback", "tips:2"]);
    served.route("wide:1", &["--no-fallback", "--withhold", "ssn"]);
    let done = served.back(&[]);
    assert_eq!((&done["to"], &done["notes"], &done["warning"]), (&"tips:1".into(), &json!([]), &json!(null)));
    assert_eq!(served.answered(3.0), by("primary", None));
    let shown = served.show();
    assert_eq!((&shown["withheld"], &shown["fallback"]), (&json!(["ssn"]), &"tips:2".into()), "{shown}");
    assert_eq!(shown["serving"], json!({ "primary": "answers", "fallback": "ready", "ready": true }));

    // What is withheld of another model says nothing of this one: what was withheld of it then is again.
    served.route("named:1", &["--no-fallback", "--withhold", "social"]);
    served.route("wide:1", &["--no-fallback", "--withhold", "ssn"]);
    let done = served.back(&[]);
    assert!(done["notes"].to_string().contains("what it was when named:1 was promoted"), "{done}");
    assert_eq!(served.show()["withheld"], json!(["social"]));
}

/// Whoever routes to a model without an input can say nothing of it. That lifts nothing that was said of it before.
#[test]
fn a_rollback_withholds_again_what_a_later_model_did_not_take() {
    let bench = with_rides();
    let inputs = [("distance", 1), ("hour", 1), ("ssn", 1)];
    for _ in 0..2 {
        Adder { inputs: &inputs, output: "score" }.add(&bench, "wide", &[]);
    }
    RIDE.add(&bench, "tips", &[]);
    let served = Served::new(bench);
    let withheld = || served.show()["withheld"].clone();
    served.route("wide:1", &["--no-fallback", "--withhold", "ssn"]);
    served.route("tips:1", &["--no-fallback", "--withhold", ""]);
    let done = served.back(&[]);
    assert!(done["notes"].to_string().contains("when wide:1 was promoted"), "{done}");
    assert_eq!(withheld(), json!(["ssn"]));
    // But approvers who know the input decide about it.
    served.route("wide:2", &["--no-fallback", "--withhold", ""]);
    let done = served.back(&[]);
    assert_eq!((&done["notes"], withheld()), (&json!([]), json!([])), "{done}");
}

/// What cannot be compared is answered as it was when it was promoted, and not at all with a comparison that is none.
#[test]
fn a_rollback_to_a_model_without_data_flags_as_it_did() {
    let bench = with_rides();
    RIDE.add(&bench, "nt", &[]);
    RIDE.add(&bench, "fraud", &["--trained-on", "rides:1"]);
    let file = constant(&bench, "score", 0.5);
    let served = Served::new(bench);
    served.route("nt:1", &["--fallback-constant", file.to_str().unwrap()]);
    served.route("fraud:1", &["--fallback", "nt:1", "--beyond", "reject"]);
    assert_eq!(served.answered(9_000.0).0, 400, "beyond what it was trained on");
    let done = served.back(&[]);
    let notes = done["notes"].to_string();
    assert!(notes.contains("requests beyond training are answered, and flagged, again"), "{done}");
    assert_eq!(served.answered(9_000.0), by("primary", None));
    let shown = served.show();
    assert_eq!(
        (&shown["beyond"], &shown["fallback"]),
        (&"flag".into(), &"a constant answer".into()),
        "{shown}"
    );
    served.say(&["model", "quarantine", "nt:1", "--reason", "a test"]);
    let begun = Instant::now();
    while served.answered(3.0) != by("constant", Some("stopped")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", served.answered(3.0));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A rollback is no way around what approvers have decided not to record.
#[test]
fn a_rollback_takes_the_columns_of_then_unless_they_would_record_what_is_withheld() {
    let bench = with_rides();
    let rows = |width| Adder { inputs: if width == 2 { &[("x", 2)] } else { &[("x", 3)] }, output: "score" };
    rows(2).add(&bench, "flat", &[]);
    rows(2).add(&bench, "flat", &[]);
    rows(3).add(&bench, "deep", &[]);
    let served = Served::new(bench);
    served.route("flat:1", &["--no-fallback", "--withhold", "x"]);
    served.route("flat:2", &["--no-fallback", "--withhold", "", "--input-columns", "distance", "hour"]);
    served.route("deep:1", &["--no-fallback", "--input-columns", "distance", "hour", "tip"]);
    let done = served.back(&[]);
    assert!(done["notes"].to_string().contains("what it was when flat:2 was promoted"), "{done}");
    assert!(done["warning"].as_str().unwrap().contains("nobody answers if flat:2 is stopped"), "{done}");
    let shown = served.show();
    assert_eq!((&shown["inputColumns"], &shown["warning"]), (&json!(["distance", "hour"]), &done["warning"]));
    assert_eq!(served.ask(&[("x", &[1.0, 2.0])]).status, 200);

    served
        .route("deep:1", &["--no-fallback", "--withhold", "x", "--input-columns", "distance", "hour", "tip"]);
    let back = ["model", "rollback", "--endpoint", "scores"];
    let ran = served.bench.run_with("BARTIZAN_TOKEN", &served.key, &back);
    assert_eq!((ran.code, ran.stderr.contains("BZ-0340")), (1, true), "{}", ran.stderr);
    for told in [
        "flat:2 cannot be served with the settings of scores",
        "3 columns are named, and the model's inputs have 2",
        "bartizan model rollback --endpoint scores --to flat:1",
        "bartizan endpoint route scores --model flat:2",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    let shown = served.show();
    assert_eq!((&shown["primary"], &shown["ready"]), (&"deep:1".into(), &json!(true)), "nothing was done");
    assert_eq!(served.back(&["--to", "flat:1"])["to"], "flat:1");
    let shown = served.show();
    assert_eq!((&shown["withheld"], &shown["inputColumns"]), (&json!(["x"]), &json!([])), "{shown}");
}

#[test]
fn a_rollback_brings_back_a_constant_that_fits_and_none_that_was_replaced() {
    let bench = with_rides();
    for _ in 0..3 {
        RIDE.add(&bench, "fraud", &[]);
    }
    Adder { output: "other", ..RIDE }.add(&bench, "other", &[]);
    let [bad, good] = [0.25, 0.5].map(|value| constant(&bench, "score", value));
    let of_other = constant(&bench, "other", 0.75);
    let served = Served::new(bench);
    let with =
        |model: &str, file: &PathBuf| served.route(model, &["--fallback-constant", file.to_str().unwrap()]);
    let says = || served.show().pointer("/fallbackConstant/0/data/0").and_then(Value::as_f64);
    with("fraud:1", &bad);
    with("fraud:2", &good);
    served.route("fraud:3", &["--fallback", "fraud:2"]);
    served.back(&["--to", "fraud:1"]);
    assert_eq!(says(), Some(0.5), "whoever replaced the other one meant that");
    // What another model says fits this one no better than before.
    with("other:1", &of_other);
    let done = served.back(&[]);
    assert_eq!((says(), &done["warning"]), (Some(0.5), &json!(null)), "{done}");
    assert_eq!(served.answered(3.0), by("primary", None));
}

/// The files under a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Whoever asked for a comparison is not served without one; but that there is none is no reason for what needs none not
/// to answer.
#[test]
fn what_cannot_be_compared_when_it_is_loaded_leaves_the_endpoint_to_its_fallback() {
    let bench = Bench::with_project();
    let blobs = bench.path("bartizan-data/blobs");
    let before = files(&blobs);
    add_rides(&bench);
    let of_data: Vec<PathBuf> = files(&blobs).into_iter().filter(|path| !before.contains(path)).collect();
    RIDE.add(&bench, "fraud", &["--trained-on", "rides:1"]);
    RIDE.add(&bench, "nt", &[]);
    let file = constant(&bench, "score", 0.5);
    let route = ["endpoint", "route", "scores", "--model", "fraud:1", "--beyond", "reject"];
    bench.json(&[&route[..], &["--fallback-constant", file.to_str().unwrap()]].concat());
    let away = |path: &PathBuf| path.with_extension("away");
    let take = || of_data.iter().for_each(|path| std::fs::rename(path, away(path)).unwrap());
    let give = || of_data.iter().for_each(|path| std::fs::rename(away(path), path).unwrap());

    take();
    let mut served = Served::new(bench);
    wait_ready(&served.up);
    for distance in [3.0, 9_000.0] {
        assert_eq!(served.answered(distance), by("constant", Some("not-loaded")));
    }
    let shown = served.show();
    assert_eq!(shown["serving"], json!({ "primary": "not-loaded", "fallback": "ready", "ready": true }));
    assert!(
        shown["warning"].as_str().unwrap().contains("fraud:1 cannot be served as it is routed"),
        "{shown}"
    );
    give();
    let begun = Instant::now();
    while served.answered(3.0) != by("primary", None) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", served.answered(3.0));
        std::thread::sleep(Duration::from_millis(50));
    }

    // A version that nothing is known of to compare with is no answer either.
    served.route("fraud:1", &["--fallback", "nt:1", "--beyond", "reject"]);
    served.up.end();
    take();
    served.up = Up::start(&served.bench);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(served.ask(&[("distance", &[3.0]), ("hour", &[2.0])]).status, 503);
    give();
    wait_ready(&served.up);
    assert_eq!(served.answered(3.0), by("primary", None));
}
