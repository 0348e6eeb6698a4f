//! Endpoints: what is loaded, what answers instead, what is stopped and swapped.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bartizan_base::Timestamp;
use bartizan_gateway::{
    Absent, Columns, ColumnsInvalid, Constant, ConstantInvalid, Endpoint, Fallback, FallbackReason, Fault,
    LoadFailed, LoadedVersion, Made, Phase, PredictRequest, Prediction, Serving, ServingInvalid, SwapRefused,
    predict,
};
use bartizan_keys::OsRandom;
use bartizan_model::{Model, Tensor, Values};
use expect_test::expect;
use serde_json::json;

use crate::asked::{ask, ask_as, caller, constant, endpoint, made, placed, rows, settings};
use crate::onnx;
use crate::shelf::Shelf;

fn one_row() -> Vec<u8> {
    serde_json::to_vec(&rows(&[(json!(3), json!(1), "Oslo")])).unwrap()
}

fn who(made: &Made) -> (u16, &'static str, Option<&'static str>) {
    (made.status, made.answered_by, made.reason.map(|reason| reason.as_str()))
}

#[test]
fn only_the_bytes_of_the_manifest_are_loaded() {
    let shelf = Shelf::new();
    let bytes = onnx::model("Add", "Log");
    let version = shelf.approve("fraud", &bytes);
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for wrong in [&changed[..], &bytes[..last], &[]] {
        let loaded = LoadedVersion::load(shelf.released(&version).unwrap(), wrong);
        assert!(matches!(loaded, Err(LoadFailed::Content { .. })), "{loaded:?}");
    }
    let loaded = LoadedVersion::load(shelf.released(&version).unwrap(), &bytes).unwrap();
    assert_eq!(loaded.version(), &version);
    shelf.quarantine(&version);
    assert!(shelf.released(&version).is_none(), "what is quarantined cannot be loaded");
}

#[test]
fn a_version_has_one_model_that_runs() {
    let shelf = Shelf::new();
    let bytes = onnx::other();
    let none = shelf.approve_files("none", &[("weights.bin", &bytes)]);
    let two = shelf.approve_files("two", &[("a.onnx", &bytes), ("b.onnx", b"x"), ("c", b"y")]);
    let broken = shelf.approve_files("broken", &[("model.onnx", b"no model")]);
    let error = |version, bytes: &[u8]| {
        LoadedVersion::load(shelf.released(version).unwrap(), bytes).unwrap_err().to_string()
    };
    expect!["none:1 has 0 files that end with `.onnx`, and one is needed"].assert_eq(&error(&none, &bytes));
    expect!["two:1 has 2 files that end with `.onnx`, and one is needed"].assert_eq(&error(&two, &bytes));
    expect!["broken:1 cannot be run"].assert_eq(&error(&broken, b"no model"));
}

#[test]
fn the_work_of_a_request_is_known_from_its_length() {
    let shelf = Shelf::new();
    let (one, other) = (onnx::model("Add", "Log"), onnx::model("Sub", "Neg"));
    let steps = |rows| {
        let of = |bytes| Model::load(bytes).unwrap().steps().at(rows);
        of(&one) + of(&other)
    };
    let fallback = Fallback::Version(shelf.load("other", &other));
    let serving = Serving::new(shelf.load("one", &one), fallback, None).unwrap();
    for rows in [1, 2, 9, 100, 5_000] {
        // As short as these rows can be.
        let input = |name: &str, datatype: &str, value: &str| {
            let data = vec![value; rows].join(",");
            format!(r#"{{"name":"{name}","shape":[{rows},1],"datatype":"{datatype}","data":[{data}]}}"#)
        };
        let inputs =
            [input("age", "FP32", "1"), input("income", "FP32", "1"), input("city", "BYTES", "\"\"")];
        let body = format!(r#"{{"inputs":[{}]}}"#, inputs.join(","));
        let (most, rows) = (serving.steps_at_most(body.len()), rows as u64);
        assert!((steps(rows)..=steps(2 * rows + 20)).contains(&most), "{rows} rows: {most}");
    }
    assert_eq!(serving.steps_at_most(0), steps(1));
    assert_eq!(serving.steps_at_most(usize::MAX), steps(serving.most_rows() as u64));
}

#[test]
fn a_stop_is_obeyed_by_the_next_inference() {
    let shelf = Shelf::new();
    let fallback = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let endpoint = endpoint(&shelf, Fallback::Version(Arc::clone(&fallback)));
    let serving = endpoint.serving();
    let primary = serving.primary().unwrap();
    assert_eq!(who(&made(ask(&endpoint, &one_row()))), (200, "primary", None));
    endpoint.stop(primary.manifest(), 1_000);
    let stopped = made(ask(&endpoint, &one_row()));
    assert_eq!(who(&stopped), (200, "fallback", Some("stopped")));
    assert_eq!(stopped.version.as_ref().unwrap().1, *fallback.manifest());
    assert!(endpoint.is_ready());
    // Whoever insists on the version gets no other.
    let insisting = made(ask_as(&endpoint, &one_row(), caller(), Some(1)));
    assert_eq!(who(&insisting), (503, "nobody", Some("stopped")));
    endpoint.stop(fallback.manifest(), 1_000);
    let nobody = made(ask(&endpoint, &one_row()));
    assert_eq!((who(&nobody), nobody.fault), ((503, "nobody", Some("stopped")), Some(Fault::Unavailable)));
    assert!(!endpoint.is_ready());
}

#[test]
fn a_stop_reaches_requests_while_they_infer() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let fallback = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let body = one_row();
    for (ended, by) in [
        ("parse", "fallback"),
        ("validate", "fallback"),
        ("route", "fallback"),
        ("infer", "fallback"),
        ("sanitise", "primary"),
    ] {
        let fallback = Fallback::Version(Arc::clone(&fallback));
        let serving = Serving::new(Arc::clone(&primary), fallback, None).unwrap();
        let endpoint = Endpoint::new(settings(), serving);
        // The time is asked for at the beginning, and when a phase has ended.
        let asked = Cell::new(0);
        let stop_in_time = || {
            if asked.get() > 0 && Phase::ALL[asked.get() - 1].as_str() == ended {
                endpoint.stop(primary.manifest(), 1_000);
            }
            asked.set(asked.get() + 1);
            Duration::ZERO
        };
        let request = PredictRequest {
            body: &body,
            version: None,
            caller: caller(),
            now: Timestamp::EPOCH,
            elapsed: &stop_in_time,
            random: &mut OsRandom,
        };
        assert_eq!(made(predict(&endpoint, request)).answered_by, by, "stopped after {ended}");
    }
}

/// Nobody tells it of stops any more, so it says nothing at all.
#[test]
fn an_endpoint_out_of_service_answers_nothing_to_whoever_still_holds_it() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let other = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let fallbacks: [&dyn Fn() -> Fallback; 3] =
        [&|| Fallback::Unavailable, &|| Fallback::Version(Arc::clone(&other)), &|| {
            Fallback::Constant(constant(&primary))
        }];
    let body = one_row();
    for fallback in fallbacks {
        for phase in ["parse", "validate", "route", "infer"] {
            let serving = Serving::new(Arc::clone(&primary), fallback(), None).unwrap();
            let endpoint = Endpoint::new(settings(), serving);
            let asked = Cell::new(0);
            let retire_in_time = || {
                if asked.get() > 0 && Phase::ALL[asked.get() - 1].as_str() == phase {
                    endpoint.retire();
                }
                asked.set(asked.get() + 1);
                Duration::ZERO
            };
            let request = PredictRequest {
                body: &body,
                version: None,
                caller: caller(),
                now: Timestamp::EPOCH,
                elapsed: &retire_in_time,
                random: &mut OsRandom,
            };
            let prediction = made(predict(&endpoint, request));
            assert_eq!(who(&prediction), (503, "nobody", Some("stopped")), "retired after {phase}");
            assert!(!endpoint.is_ready());
        }
    }
}

#[test]
fn records_name_the_ledger_that_was_obeyed() {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let head = |prediction: Made| {
        let (_, [envelope, ..], _) = placed(prediction);
        (envelope["tree_size"].as_u64().unwrap(), envelope["head_age_ms"].as_u64().unwrap())
    };
    let serving = endpoint.serving();
    assert_eq!(head(made(ask(&endpoint, &one_row()))), (40, 250));
    serving.confirm(60, Duration::from_millis(290));
    assert_eq!(head(made(ask(&endpoint, &one_row()))), (60, 10));
    // Ledgers do not shrink; and whoever looked later than the request began is as young as can be.
    serving.confirm(50, Duration::from_millis(400));
    assert_eq!(head(made(ask(&endpoint, &one_row()))), (60, 0));
    // Nothing is known to hold that nobody has confirmed, but the evidence that it was loaded with.
    let primary = shelf.load("other", &onnx::model("Sub", "Neg"));
    let (size, next) = (primary.tree_size(), Serving::new(primary, Fallback::Unavailable, None).unwrap());
    let fresh = Endpoint::new(settings(), next.routed_by(7));
    assert_eq!((fresh.serving().head(Duration::ZERO).tree_size, fresh.serving().route()), (size, Some(7)));
}

#[test]
fn while_the_primary_is_not_there_its_fallback_answers() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let other = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let absent = |why| Absent { version: primary.version().clone(), why, tree_size: 1_000 };
    for (why, word) in [(FallbackReason::Stopped, "stopped"), (FallbackReason::NotLoaded, "not-loaded")] {
        for (fallback, by) in [
            (Fallback::Version(Arc::clone(&other)), "fallback"),
            (Fallback::Constant(constant(&primary)), "constant"),
        ] {
            let endpoint =
                Endpoint::new(settings(), Serving::without_primary(absent(why), fallback, None).unwrap());
            let prediction = made(ask(&endpoint, &one_row()));
            assert_eq!(who(&prediction), (200, by, Some(word)));
            let insisting = made(ask_as(&endpoint, &one_row(), caller(), Some(1)));
            assert_eq!(who(&insisting), (503, "nobody", Some(word)), "nothing else is that version");
            assert!(endpoint.is_ready());
        }
    }
    let nothing = Serving::without_primary(absent(FallbackReason::Stopped), Fallback::Unavailable, None);
    assert!(matches!(nothing, Err(ServingInvalid::Nothing { .. })), "{nothing:?}");

    // The fallback may be stopped too, and the primary comes back by a swap.
    let fallback = Fallback::Version(Arc::clone(&other));
    let serving = Serving::without_primary(absent(FallbackReason::Stopped), fallback, None).unwrap();
    let endpoint = Endpoint::new(settings(), serving);
    endpoint.stop(other.manifest(), 1_000);
    assert_eq!(who(&made(ask(&endpoint, &one_row()))), (503, "nobody", Some("stopped")));
    assert!(!endpoint.is_ready());
    let back = shelf.load("back", &onnx::model("Add", "Log"));
    endpoint.swap(Serving::new(back, Fallback::Unavailable, None).unwrap()).unwrap();
    assert_eq!(who(&made(ask(&endpoint, &one_row()))), (200, "primary", None));
}

#[test]
fn a_stored_constant_answers_without_the_model() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let outputs = json!([
        {"name": "where", "shape": [1, 1], "datatype": "BYTES", "data": ["nowhere"]},
        {"name": "score", "shape": [1, 1], "datatype": "FP32", "data": [0.5]},
    ]);
    let document = Constant::to_document(primary.signature(), outputs.clone()).unwrap();
    let constant = Constant::from_document(&document, Some(primary.signature())).unwrap();
    Serving::new(Arc::clone(&primary), Fallback::Constant(constant), None).unwrap();
    let constant = Constant::from_document(&document, None).unwrap();
    assert_eq!(constant.signature().inputs, primary.signature().inputs);
    let (version, why) = (primary.version().clone(), FallbackReason::Stopped);
    let absent = Absent { version, why, tree_size: 1_000 };
    let serving = Serving::without_primary(absent, Fallback::Constant(constant), None).unwrap();
    let endpoint = Endpoint::new(settings(), serving);
    let two = rows(&[(json!(3), json!(1), "Oslo"), (json!(4), json!(1), "Rome")]);
    let prediction = made(ask(&endpoint, &serde_json::to_vec(&two).unwrap()));
    assert_eq!(who(&prediction), (200, "constant", Some("stopped")));
    assert_eq!(placed(prediction).0["outputs"][0]["data"], json!([0.5, 0.5]));
    let misfit = crate::asked::refused(ask(&endpoint, br#"{"inputs": []}"#));
    assert_eq!(misfit.fault, Fault::Mismatch, "what the model takes is known");

    let other = shelf.load("other", &onnx::other());
    assert!(Constant::from_document(&document, Some(other.signature())).is_err());
    assert!(Constant::to_document(other.signature(), outputs).is_err());
    for broken in [&b"[]"[..], b"{}", &document[1..], &document[..document.len() - 1]] {
        assert!(Constant::from_document(broken, None).is_err(), "{}", String::from_utf8_lossy(broken));
    }
}

#[test]
fn columns_are_those_of_the_model() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let columns = |subject: Option<&str>, withheld: &[&str], slices: &[&str]| Columns {
        subject: subject.map(str::to_owned),
        withheld: withheld.iter().map(|name| (*name).to_owned()).collect(),
        slices: slices.iter().map(|name| (*name).to_owned()).collect(),
        order: Vec::new(),
    };
    let good = columns(Some("city"), &["city", "income"], &["age"]);
    let ordered = Columns { order: ["years", "pay", "town"].map(str::to_owned).into(), ..good.clone() };
    for kept in [&good, &ordered] {
        kept.check_for(primary.signature()).unwrap();
        assert_eq!(Columns::from_document(&kept.to_document().unwrap()).unwrap(), *kept);
    }
    let refused = |columns: Columns| columns.check_for(primary.signature()).unwrap_err().to_string();
    expect!["the model has no input `town`; it has `age`, `income`, `city`"].assert_eq(&refused(columns(
        None,
        &["town"],
        &[],
    )));
    expect!["`income` cannot say whom a prediction is about: it is float, and a text or whole number can"]
        .assert_eq(&refused(columns(Some("income"), &[], &[])));
    expect!["`city` cannot group predictions: its values are withheld, or say whom a prediction is about"]
        .assert_eq(&refused(columns(Some("city"), &[], &["city"])));
    let many: Vec<String> = (0..33).map(|number| format!("column {number}")).collect();
    let many = Columns { slices: many.into_iter().collect(), ..Columns::default() };
    assert!(matches!(many.check(), Err(ColumnsInvalid::TooMany { count: 33, most: 32 })));
    assert!(matches!(columns(None, &[""], &[]).check(), Err(ColumnsInvalid::Name { .. })));
    assert!(matches!(Columns::from_document(b"{}"), Err(ColumnsInvalid::Document)));
}

/// Whoever says what columns are for knows the model. An endpoint goes on to other models, and there it matters whom a
/// prediction is about and which columns are compared; what a model lacks is not recorded anyway.
#[test]
fn a_model_is_served_without_inputs_that_would_be_withheld() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let serving = || Serving::new(Arc::clone(&primary), Fallback::Unavailable, None).unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let another =
        Columns { withheld: names(&["ssn", "income"]), slices: names(&["town"]), ..Columns::default() };
    assert!(another.check_for(primary.signature()).is_err());
    let served = Endpoint::new(settings(), serving().with_columns(another).unwrap());
    assert_eq!(who(&made(ask(&served, &one_row()))), (200, "primary", None));

    let nobody = Columns { subject: Some("person".to_owned()), ..Columns::default() };
    let unordered = Columns { order: vec!["age".to_owned()], ..Columns::default() };
    for columns in [&nobody, &unordered] {
        let refused = serving().with_columns(columns.clone());
        assert!(matches!(refused, Err(ServingInvalid::Columns(_))), "{refused:?}");
        // What stands in answers, and whoever says whom it is about.
        let version = "away:1".parse().unwrap();
        let absent = Absent { version, why: FallbackReason::NotLoaded, tree_size: primary.tree_size() };
        let instead = Fallback::Version(Arc::clone(&primary));
        let serving = Serving::without_primary(absent, instead, None).unwrap();
        let endpoint = Endpoint::new(settings(), serving.with_columns(columns.clone()).unwrap());
        match columns.subject {
            Some(_) => assert!(matches!(ask(&endpoint, &one_row()), Prediction::Refused(_))),
            None => assert_eq!(who(&made(ask(&endpoint, &one_row()))), (200, "fallback", Some("not-loaded"))),
        }
    }
}

#[test]
fn a_version_in_memory_serves_another_release_of_its_files_and_of_no_others() {
    let shelf = Shelf::new();
    let bytes = onnx::model("Add", "Log");
    let version = shelf.approve("fraud", &bytes);
    let loaded = LoadedVersion::load(shelf.released(&version).unwrap(), &bytes).unwrap();
    let other = shelf.approve("simple", &onnx::model("Sub", "Neg"));
    assert!(loaded.released_again(shelf.released(&other).unwrap()).is_none());
    let again = loaded.released_again(shelf.released(&version).unwrap()).unwrap();
    assert!(again.tree_size() > loaded.tree_size());
    let endpoint =
        Endpoint::new(settings(), Serving::new(Arc::new(again), Fallback::Unavailable, None).unwrap());
    assert_eq!(who(&made(ask(&endpoint, &one_row()))), (200, "primary", None));
}

#[test]
fn what_the_primary_cannot_say_the_fallback_says() {
    let shelf = Shelf::new();
    let fallback = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let endpoint = endpoint(&shelf, Fallback::Version(fallback));
    let body = serde_json::to_vec(&rows(&[(json!(-3), json!(1), "Oslo")])).unwrap();
    let prediction = made(ask(&endpoint, &body));
    assert_eq!(who(&prediction), (200, "fallback", Some("not-finite")));
    assert_eq!(placed(prediction).0["outputs"][0]["data"], json!([4.0]));
    // Nor can the fallback say anything about what is missing.
    let body = serde_json::to_vec(&rows(&[(json!(null), json!(1), "Oslo")])).unwrap();
    assert_eq!(who(&made(ask(&endpoint, &body))), (422, "nobody", Some("not-finite")));
}

#[test]
fn a_swap_needs_evidence_that_is_not_older() {
    let shelf = Shelf::new();
    let bytes = onnx::model("Add", "Log");
    let old = shelf.approve("fraud", &bytes);
    let load = || LoadedVersion::load(shelf.released(&old).unwrap(), &bytes).map(Arc::new).unwrap();
    let (first, again) = (load(), load());
    let serving = |version| Serving::new(version, Fallback::Unavailable, None).unwrap();
    let newer = shelf.load("fraud", &onnx::model("Sub", "Neg"));
    let endpoint = Endpoint::new(settings(), serving(Arc::clone(&newer)));
    let refused = endpoint.swap(serving(first)).unwrap_err();
    assert!(matches!(refused, SwapRefused::Older { .. }), "{refused}");

    let endpoint = Endpoint::new(settings(), serving(Arc::clone(&again)));
    let stopped = again.tree_size() + 5;
    endpoint.stop(again.manifest(), stopped);
    endpoint.stop(again.manifest(), 1);
    let refused = endpoint.swap(serving(again)).unwrap_err();
    assert!(matches!(refused, SwapRefused::Stopped { stopped: at, .. } if at == stopped), "{refused}");
    assert_eq!(made(ask(&endpoint, &one_row())).status, 503);
    endpoint.swap(serving(newer)).unwrap();
    assert_eq!(who(&made(ask(&endpoint, &one_row()))), (200, "primary", None));
}

#[test]
fn a_later_release_lifts_a_stop() {
    let shelf = Shelf::new();
    let bytes = onnx::model("Add", "Log");
    let version = shelf.approve("fraud", &bytes);
    let load = || LoadedVersion::load(shelf.released(&version).unwrap(), &bytes).map(Arc::new).unwrap();
    let serving = |version| Serving::new(version, Fallback::Unavailable, None).unwrap();
    let endpoint = Endpoint::new(settings(), serving(load()));
    endpoint.stop(load().manifest(), load().tree_size() + 1);
    assert!(endpoint.swap(serving(load())).is_err());
    shelf.approve("another", b"anything that makes the ledger grow");
    endpoint.swap(serving(load())).unwrap();
    assert_eq!(made(ask(&endpoint, &one_row())).status, 200);
}

#[test]
fn requests_and_stops_on_many_threads_never_mix_answers() {
    let shelf = Shelf::new();
    let fallback = shelf.load("simple", &onnx::model("Sub", "Neg"));
    let endpoint = endpoint(&shelf, Fallback::Version(fallback));
    let body = one_row();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut fell_back = false;
                for _ in 0..300 {
                    let prediction = made(ask(&endpoint, &body));
                    let (by, reason) = (prediction.answered_by, prediction.reason);
                    let score = placed(prediction).0["outputs"][0]["data"][0].as_f64().unwrap();
                    match by {
                        "primary" => assert!((score - 4.0_f64.ln()).abs() < 1e-6 && !fell_back),
                        other => assert_eq!((other, score, reason.is_some()), ("fallback", -2.0, true)),
                    }
                    fell_back = by == "fallback";
                }
            });
        }
        let manifest = *endpoint.serving().primary().unwrap().manifest();
        endpoint.stop(&manifest, 99);
        assert_eq!(made(ask(&endpoint, &body)).answered_by, "fallback", "from the return of stop on");
    });
}

#[test]
fn parts_that_do_not_belong_together_make_no_serving() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let other = shelf.load("other", &onnx::other());
    let with = |fallback| Serving::new(Arc::clone(&primary), fallback, None).unwrap_err();
    let inputs = with(Fallback::Version(Arc::clone(&other)));
    assert!(matches!(inputs, ServingInvalid::Inputs { .. }), "{inputs}");
    let same = with(Fallback::Version(Arc::clone(&primary)));
    assert!(matches!(same, ServingInvalid::Same { .. }), "{same}");
    let serving = Serving::new(other, Fallback::Constant(constant(&primary)), None);
    assert!(matches!(serving, Err(ServingInvalid::Constant { .. })), "{serving:?}");
}

#[test]
fn a_constant_is_held_to_the_signature() {
    let shelf = Shelf::new();
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let score = |shape: Vec<usize>, values| ("score".to_owned(), Tensor::new(shape, values).unwrap());
    let city = || {
        let text = Values::Text(vec!["x".into()]);
        ("where".to_owned(), Tensor::new(vec![1, 1], text).unwrap())
    };
    let check = |outputs| Constant::check(primary.signature(), outputs).unwrap_err();
    let fine = score(vec![1, 1], Values::F32(vec![1.0]));
    assert!(matches!(check(vec![fine.clone()]), ConstantInvalid::Missing { .. }));
    assert!(matches!(check(vec![fine.clone(), city(), fine]), ConstantInvalid::Unknown { .. }));
    let double = score(vec![1, 1], Values::F64(vec![1.0]));
    assert!(matches!(check(vec![double, city()]), ConstantInvalid::Element { .. }));
    let nan = score(vec![1, 1], Values::F32(vec![f32::NAN]));
    assert!(matches!(check(vec![nan, city()]), ConstantInvalid::NotFinite { .. }));
    for shape in [vec![2, 1], vec![1], vec![1, 2]] {
        let values = Values::F32(vec![0.0; shape.iter().product()]);
        assert!(matches!(check(vec![score(shape, values), city()]), ConstantInvalid::Shape { .. }));
    }
}
