//! A prediction proved back to its data, verified by a stranger with nothing but the trust file.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::bench::{Bench, Ran};
use crate::serving::{INFER, key, ride, train, wait_ready, with_endpoint, with_models};
use crate::up::Up;

/// Headers and body of an answer, as they came.
struct Answered {
    id: String,
    head: String,
    body: String,
}

fn predict(up: &Up, key: &str, distance: f64, headers: &str) -> Answered {
    let body = ride(distance, 2.0);
    let mut stream = TcpStream::connect(&up.inference).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {INFER} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    let parsed: Value = serde_json::from_str(body).unwrap();
    let id = parsed.pointer("/parameters/prediction_id").and_then(Value::as_str).unwrap().to_owned();
    Answered { id, head: head.to_owned(), body: body.to_owned() }
}

/// Everything that a stranger gets: a trust file, a proof, what the gateway sent, and the model's files.
struct Handed {
    bench: Bench,
    key: String,
    up: Up,
    answered: Answered,
}

impl Handed {
    fn new() -> Self {
        let (bench, key) = with_endpoint(&["--fallback", "tips:1"]);
        let trust = bench.run(&["keys", "export", "--out", "trust.json"]);
        assert_eq!(trust.code, 0, "{}", trust.stderr);
        // Training is deterministic: these are the files of tips:2.
        let train = ["train", "rides.csv", "--label", "tip", "--seed", "2", "--out", "model"];
        assert_eq!(bench.run(&train).code, 0);
        let up = Up::start(&bench);
        wait_ready(&up);
        let answered = predict(&up, &key, 3.0, "Bartizan-Subject: anna\r\nX-Request-Id: order 7\r\n");
        bench.write("head.txt", answered.head.as_bytes());
        bench.write("body.json", answered.body.as_bytes());
        Self { bench, key, up, answered }
    }

    fn with_key(&self, arguments: &[&str]) -> Ran {
        self.bench.run_with("BARTIZAN_TOKEN", &self.key, arguments)
    }

    fn prove(&self, file: &str, more: &[&str]) {
        let prove = ["prove", &self.answered.id, "--out", file];
        let ran = self.with_key(&[&prove[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    /// What `verify` says, which knows no data directory.
    fn verify(&self, file: &str, more: &[&str]) -> Ran {
        let verify = ["verify", file, "--trust", "trust.json", "--allow-development"];
        self.bench.run_with("BARTIZAN_DATA_DIR", "/nowhere", &[&verify[..], more].concat())
    }

    fn holds(&self, file: &str, more: &[&str]) -> Value {
        let ran = self.verify(file, more);
        assert_eq!(ran.code, 0, "{more:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn refused(&self, file: &str, more: &[&str], id: &str) {
        let ran = self.verify(file, more);
        assert_eq!(ran.code, 1, "{more:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(id), "{more:?}: {}", ran.stderr);
    }
}

fn says(list: &Value, text: &str) -> bool {
    list.as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains(text))
}

#[test]
fn a_prediction_is_proved_back_to_its_data() {
    let handed = Handed::new();
    handed.prove("plain.proof.json", &[]);
    let bytes = std::fs::metadata(handed.bench.path("plain.proof.json")).unwrap().len();
    assert!(bytes <= 64 * 1024, "{bytes} bytes");
    let of = ["--prediction", &handed.answered.id, "--of", "tips:2"];
    let shown = handed.holds("plain.proof.json", &of);
    assert_eq!((&shown["answeredBy"], &shown["state"]), (&json!("primary"), &json!("approved")));
    let record = shown["record"].as_object().unwrap();
    assert_eq!(record.keys().collect::<Vec<_>>(), ["envelope", "output", "decisions"], "inputs stay hidden");
    let alone = "the inputs are like the training data: the gateway compared none of them";
    assert!(says(&shown["notCovered"], alone), "its origin names no data: {shown:#}");
    for proven in
        ["is number 0 of the 1 in segment", "endpoint scores was routed to tips:2", "signed by the project's"]
    {
        assert!(says(&shown["proven"], proven), "{proven}: {shown:#}");
    }
    assert!(says(&shown["asserted"], "by the gateway: that the model gave this output"), "{shown:#}");
    assert!(
        says(&shown["asserted"], "self-attested: the operator could have rewritten history"),
        "{shown:#}"
    );
    assert!(says(&shown["notCovered"], "hidden groups: subject, input"), "{shown:#}");
    handed.refused("plain.proof.json", &["--prediction", "prd_00000000000000000000000000000000"], "BZ-0516");
    handed.refused("plain.proof.json", &["--of", "tips:1"], "BZ-0516");
    handed.refused("plain.proof.json", &["--state", "quarantined"], "BZ-0516");
}

#[test]
fn a_receipt_binds_the_answer_to_its_record() {
    let handed = Handed::new();
    handed.prove("plain.proof.json", &[]);
    let kept = ["--receipt", "head.txt", "--answer", "body.json"];
    let shown = handed.holds("plain.proof.json", &kept);
    assert!(says(&shown["proven"], "a receipt for this very record"), "{shown:#}");
    assert!(says(&shown["proven"], "for this very answer"), "{shown:#}");
    // Another answer, the receipt of another prediction, an edited one, and none at all.
    handed.bench.write("other.json", handed.answered.body.replacen("0.", "1.", 1).as_bytes());
    handed.refused("plain.proof.json", &["--receipt", "head.txt", "--answer", "other.json"], "BZ-0518");
    let other = predict(&handed.up, &handed.key, 4.0, "");
    handed.bench.write("other.txt", other.head.as_bytes());
    handed.refused("plain.proof.json", &["--receipt", "other.txt"], "BZ-0518");
    let line = handed.answered.head.lines().find(|line| line.starts_with("bartizan-receipt:")).unwrap();
    let value = line.split_once(':').unwrap().1.trim();
    let (payload, rest) = value.split_once('.').unwrap();
    let swap = |c: char| if c == 'A' { 'B' } else { 'A' };
    let edited: String =
        payload.chars().enumerate().map(|(at, c)| if at == 40 { swap(c) } else { c }).collect();
    handed.bench.write("edited.txt", format!("{edited}.{rest}").as_bytes());
    handed.refused("plain.proof.json", &["--receipt", "edited.txt"], "BZ-0518");
    handed.refused("plain.proof.json", &["--receipt", "body.json"], "BZ-0518");
    handed.bench.write("value.txt", value.as_bytes());
    handed.holds("plain.proof.json", &["--receipt", "value.txt"]);
}

/// Whoever has a receipt and gets no proof for it can show what was promised, and that it was due.
#[test]
fn a_receipt_without_its_proof_shows_what_was_promised() {
    let handed = Handed::new();
    let beside = predict(&handed.up, &handed.key, 4.0, "");
    handed.bench.write("beside.txt", beside.head.as_bytes());
    handed.bench.write("beside.json", beside.body.as_bytes());
    handed.prove("plain.proof.json", &[]);
    let later = predict(&handed.up, &handed.key, 5.0, "");
    handed.bench.write("later.txt", later.head.as_bytes());
    let ran = handed.with_key(&["prove", &later.id, "--out", "later.proof.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    let unproved = ["--receipt", "beside.txt", "--answer", "beside.json", "--unproved"];
    let shown = handed.holds("plain.proof.json", &unproved);
    assert_eq!(shown["promised"]["prediction"], beside.id.as_str());
    for proven in [
        "promised for",
        "number 2 is among those of segment 1, which entry",
        "the receipt is for this very answer",
    ] {
        assert!(says(&shown["proven"], proven), "{proven}: {shown:#}");
    }
    assert!(
        says(&shown["notCovered"], &format!("whether the record of {} is there", beside.id)),
        "{shown:#}"
    );
    let shown = handed.holds("plain.proof.json", &["--receipt", "later.txt", "--unproved"]);
    assert!(says(&shown["proven"], "says nothing about whether the promise was due"), "{shown:#}");

    // The proof of the very prediction says more, another answer was not promised, and a receipt alone says nothing.
    handed.refused("plain.proof.json", &["--receipt", "head.txt", "--unproved"], "BZ-0516");
    let other = ["--receipt", "beside.txt", "--answer", "body.json", "--unproved"];
    handed.refused("plain.proof.json", &other, "BZ-0518");
    let alone = ["verify", "--receipt", "beside.txt", "--trust", "trust.json"];
    let said = handed.bench.refused(&alone, 1, "BZ-0518");
    assert!(said.contains("a receipt by itself cannot be checked"), "{said}");
    // From here on this verifier knows of a larger ledger.
    let shown = handed.holds("later.proof.json", &["--receipt", "beside.txt", "--unproved"]);
    assert!(says(&shown["proven"], "the promise was due: segment 2, which entry"), "{shown:#}");
}

#[test]
fn the_model_is_run_again() {
    let handed = Handed::new();
    handed.prove("full.proof.json", &["--show", "subject,input", "--replay"]);
    let shown = handed.holds("full.proof.json", &["--model", "model", "--replay"]);
    assert!(says(&shown["proven"], "gives every bit of the"), "{shown:#}");
    assert!(!says(&shown["asserted"], "that the model gave this output"), "{shown:#}");
    assert_eq!(shown["record"]["subject"]["request"], "order 7");
    // Another model, and a proof that hides what was asked.
    assert_eq!(
        handed.bench.run(&["train", "rides.csv", "--label", "tip", "--seed", "1", "--out", "one"]).code,
        0
    );
    handed.refused("full.proof.json", &["--model", "one", "--replay"], "BZ-0516");
    handed.prove("plain.proof.json", &[]);
    handed.refused("plain.proof.json", &["--model", "model", "--replay"], "BZ-0519");
    let unknown = handed.with_key(&["prove", &handed.answered.id, "--out", "x.json", "--show", "everything"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
}

#[test]
fn an_edited_proof_of_a_prediction_is_refused() {
    let handed = Handed::new();
    handed.prove("plain.proof.json", &[]);
    let text = std::fs::read_to_string(handed.bench.path("plain.proof.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let record = file["claim"]["record"].as_str().unwrap().to_owned();
    let line = |number: usize| record.lines().nth(number).unwrap();
    let hidden = line(4).strip_prefix("hidden ").unwrap();
    let other = format!("hidden {}", line(5).strip_prefix("hidden ").unwrap());
    for (what, from, to, id) in [
        ("another commitment", format!("hidden {hidden}"), other, "BZ-0517"),
        ("another place", "index 0".to_owned(), "index 1".to_owned(), "BZ-0517"),
        ("another segment's size", "count 1".to_owned(), "count 2".to_owned(), "BZ-0517"),
        ("no record", "index 0".to_owned(), "index x".to_owned(), "BZ-0501"),
    ] {
        let edited = record.replacen(&from, &to, 1);
        assert_ne!(edited, record, "{what}");
        let mut file = file.clone();
        file["claim"]["record"] = json!(edited);
        handed.bench.write("edited.proof.json", serde_json::to_string(&file).unwrap().as_bytes());
        handed.refused("edited.proof.json", &[], id);
    }
    for (what, member, value, id) in [
        ("another prediction", "prediction", json!("prd_00000000000000000000000000000000"), "BZ-0517"),
        ("an entry that is no segment", "segment", json!(0), "BZ-0517"),
    ] {
        let mut file = file.clone();
        assert_ne!(file["claim"][member], value, "{what}");
        file["claim"][member] = value;
        handed.bench.write("edited.proof.json", serde_json::to_string(&file).unwrap().as_bytes());
        handed.refused("edited.proof.json", &[], id);
    }
}

#[test]
fn an_erased_prediction_is_proved_without_what_was_erased() {
    let handed = Handed::new();
    let other = predict(&handed.up, &handed.key, 5.0, "Bartizan-Subject: berta\r\n");
    handed.bench.write("anna.txt", b"anna\n");
    let erase = ["predictions", "erase", "--subject-file", "anna.txt", "--reason", "a test", "--yes"];
    let ran = handed.with_key(&erase);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    handed.prove("erased.proof.json", &[]);
    let shown = handed.holds("erased.proof.json", &[]);
    let groups: Vec<&String> = shown["record"].as_object().unwrap().keys().collect();
    assert_eq!(groups, ["envelope", "decisions"]);
    assert!(says(&shown["proven"], "that what is personal in the record be erased (ers_"), "{shown:#}");
    assert!(says(&shown["proven"], "says that it is done"), "{shown:#}");
    let asked = handed.with_key(&["prove", &handed.answered.id, "--out", "x.json", "--show", "output"]);
    assert_eq!(asked.code, 4, "{}", asked.stderr);
    let ran = handed.with_key(&[
        "prove",
        &other.id,
        "--out",
        "other.proof.json",
        "--show",
        "input,output",
        "--replay",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let shown = handed.holds("other.proof.json", &["--model", "model", "--replay"]);
    assert!(!says(&shown["proven"], "erased"), "{shown:#}");
}

#[test]
fn what_comes_after_a_prediction_does_not_undo_it() {
    let handed = Handed::new();
    let order = ["model", "quarantine", "tips:2", "--reason", "a test"];
    assert_eq!(handed.with_key(&order).code, 0);
    let reroute = ["endpoint", "route", "scores", "--model", "tips:1", "--no-fallback"];
    assert_eq!(handed.with_key(&reroute).code, 0);
    handed.prove("plain.proof.json", &[]);
    let shown = handed.holds("plain.proof.json", &["--of", "tips:2", "--state", "quarantined"]);
    assert!(says(&shown["proven"], "that was after the prediction: it stands as quarantined"), "{shown:#}");
    assert!(says(&shown["proven"], "and tips:2 was approved and not stopped"), "{shown:#}");
    handed.refused("plain.proof.json", &["--state", "approved"], "BZ-0516");
    // Who waits for the proof of a release, as before a deployment, is not content with one of a prediction by it.
    for gate in [&[][..], &["--model", "model"], &["--of", "tips:2", "--model", "model"]] {
        let ran = handed.verify("plain.proof.json", gate);
        assert_eq!(ran.code, 1, "{gate:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("by tips:2, which is quarantined now"), "{gate:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("--prediction {}", handed.answered.id)), "{}", ran.stderr);
    }
    let named = ["--prediction", &handed.answered.id];
    handed.holds("plain.proof.json", &named);
    handed.refused("plain.proof.json", &[&named[..], &["--state", "approved"]].concat(), "BZ-0516");
    handed.holds("plain.proof.json", &["--state", "any"]);
    // A proof of the version says what it is now.
    let ran = handed.with_key(&["prove", "tips:2", "--out", "model.proof.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    handed.refused("model.proof.json", &[], "BZ-0516");
    handed.refused("model.proof.json", &["--state", "any", "--prediction", &handed.answered.id], "BZ-0516");
}

#[test]
fn an_erasure_takes_nothing_from_other_proofs_and_the_erased_record_still_proves() {
    let handed = Handed::new();
    let other = predict(&handed.up, &handed.key, 4.0, "Bartizan-Subject: ben\r\n");
    let prove = |id: &str, file: &str, more: &[&str]| {
        handed.with_key(&[&["prove", id, "--out", file], more].concat())
    };
    let whole = ["--show", "subject,input,output,decisions"];
    assert_eq!(prove(&handed.answered.id, "before.json", &whole).code, 0);
    handed.holds("before.json", &[]);
    let erase = ["predictions", "erase", "--subject", "anna", "--reason", "she asked", "--yes"];
    let erased = handed.with_key(&erase);
    assert_eq!(erased.code, 0, "{}", erased.stderr);

    // What was hers is hidden behind commitments now, and cannot be asked for.
    let ran = prove(&handed.answered.id, "hers.json", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let hers = handed.holds("hers.json", &[]);
    assert!(!hers.to_string().contains("anna"), "{hers}");
    assert_eq!(prove(&handed.answered.id, "x.json", &whole).code, 4);
    // Nothing else has changed.
    let ran = prove(&other.id, "his.json", &whole);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    handed.holds("his.json", &[]);
}

/// Whichever of the two knows more than the proof says what helps against it.
#[test]
fn an_older_proof_is_told_who_knows_more() {
    let handed = Handed::new();
    handed.prove("older.proof.json", &[]);
    handed.prove("newer.proof.json", &[]);
    handed.holds("newer.proof.json", &["--prediction", &handed.answered.id]);
    let ran = handed.verify("older.proof.json", &["--prediction", &handed.answered.id]);
    assert!(ran.stderr.contains("BZ-0504") && ran.stderr.contains("from an earlier proof"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`--memory` with an empty directory"), "{}", ran.stderr);
    assert_eq!(handed.with_key(&["keys", "export", "--out", "newest.json"]).code, 0);
    let verify = ["verify", "older.proof.json", "--trust", "newest.json", "--allow-development"];
    let ran = handed.bench.run_with("BARTIZAN_DATA_DIR", "/nowhere", &verify);
    assert!(ran.stderr.contains("BZ-0504") && ran.stderr.contains("by the trust file"), "{}", ran.stderr);
    assert!(ran.stderr.contains("bartizan prove WHAT") && !ran.stderr.contains("--memory"), "{}", ran.stderr);
    handed.prove("again.proof.json", &[]);
    let verify = ["verify", "again.proof.json", "--trust", "newest.json", "--allow-development"];
    let ran =
        handed.bench.run_with("BARTIZAN_DATA_DIR", "/nowhere", &[&verify[..], &["--state", "any"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// No flag of an input means nothing where the input was never compared.
#[test]
fn an_input_that_nobody_compared_with_training_is_named_wherever_one_looks() {
    let bench = with_models(&["--trained-on", "rides:1"]);
    bench.write(
        "walks.csv",
        (0..200)
            .map(|row| format!("{}\n", row / 2 * 2))
            .fold("distance\n".to_owned(), |all, row| all + &row)
            .as_bytes(),
    );
    assert_eq!(bench.run(&["data", "add", "walks", "walks.csv", "--source", "a test"]).code, 0);
    train(&bench, "3", &["--trained-on", "walks:1"]);
    assert_eq!(bench.run(&["model", "approve", "tips:3"]).code, 0);
    let key = key(&bench);
    assert_eq!(bench.run(&["keys", "export", "--out", "trust.json"]).code, 0);
    let route = ["endpoint", "route", "scores", "--no-fallback", "--model"];
    bench.refused(&[&route[..], &["tips:3", "--beyond", "reject"]].concat(), 1, "BZ-0340");
    let all = bench.json(&[&route[..], &["tips:2"]].concat());
    assert_eq!((&all["compared"], &all["notCompared"]), (&json!("all"), &json!([])));

    let up = Up::start(&bench);
    wait_ready(&up);
    let with_key = |arguments: &[&str]| {
        let ran = bench.run_with("BARTIZAN_TOKEN", &key, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    let missing = json!(["`hour`: the schema has no column `hour`"]);
    for shown in [with_key(&[&route[..], &["tips:3"]].concat()), with_key(&["endpoint", "show", "scores"])] {
        assert_eq!((&shown["compared"], &shown["notCompared"]), (&json!("some"), &missing), "{shown:#}");
        assert_eq!(shown["serving"]["primary"], "answers", "a route is told of when it answers");
    }
    let answered = predict(&up, &key, 5000.0, "");
    let shown = with_key(&["predictions", "show", &answered.id]);
    assert_eq!(
        shown.pointer("/flags/0/column"),
        Some(&json!("distance")),
        "the other is compared: {shown:#}"
    );
    assert_eq!((&shown["compared"], &shown["notCompared"]), (&json!("some"), &json!(["hour"])));
    with_key(&["prove", &answered.id, "--out", "some.proof.json"]);
    let verify =
        ["verify", "some.proof.json", "--trust", "trust.json", "--allow-development", "--of", "tips:3"];
    let verified = bench.json(&verify);
    assert!(says(&verified["notCovered"], "whether `hour` are like the training data"), "{verified:#}");
}
