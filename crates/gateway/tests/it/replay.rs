//! Records against their models: the same again, something else, and what cannot be run again.

use bartizan_gateway::{Fallback, RecordedInvalid, ReplayFailed, Replayed, replay};
use bartizan_model::Model;
use serde_json::{Value, json};

use crate::asked::{ask, endpoint, made, placed, rows};
use crate::onnx;
use crate::shelf::Shelf;

/// The input and output groups of a prediction for these rows.
fn recorded(given: &[(Value, Value, &str)]) -> (Value, Value) {
    let shelf = Shelf::new();
    let endpoint = endpoint(&shelf, Fallback::Unavailable);
    let prediction = made(ask(&endpoint, &serde_json::to_vec(&rows(given)).unwrap()));
    let (_, [_, _, input, output, _], _) = placed(prediction);
    (input, output)
}

fn again(first: &str, second: &str, (input, output): &(Value, Value)) -> Result<Replayed, ReplayFailed> {
    let model = Model::load(&onnx::model(first, second)).unwrap();
    replay(&model, &serde_json::to_vec(input).unwrap(), &serde_json::to_vec(output).unwrap())
}

fn two() -> (Value, Value) {
    recorded(&[(json!(30), json!(1000.5), "Oslo"), (json!(41), json!(7), "Bergen")])
}

#[test]
fn the_model_that_answered_gives_every_bit_again() {
    assert_eq!(again("Add", "Log", &two()).unwrap(), Replayed::Same { outputs: 2 });
}

#[test]
fn another_model_or_another_answer_shows() {
    let score = Replayed::Differs { output: "score".to_owned() };
    assert_eq!(again("Mul", "Log", &two()).unwrap(), score);
    let (input, mut output) = two();
    let data = output["tensors"][0]["data"].as_str().unwrap().to_owned();
    let swap = |letter: char| if letter == 'A' { 'B' } else { 'A' };
    let edited: String = data.chars().enumerate().map(|(at, c)| if at == 0 { swap(c) } else { c }).collect();
    output["tensors"][0]["data"] = json!(edited);
    assert_eq!(again("Add", "Log", &(input.clone(), output.clone())).unwrap(), score);
    output["tensors"][0]["name"] = json!("other");
    assert_eq!(
        again("Add", "Log", &(input, output)).unwrap(),
        Replayed::Differs { output: "other".to_owned() }
    );
}

fn is_malformed(failed: &ReplayFailed) -> bool {
    matches!(failed, ReplayFailed::Group { source: RecordedInvalid::Tensor { .. }, .. })
}

#[test]
fn what_cannot_be_run_again_is_refused() {
    let check = |edit: &dyn Fn(&mut Value, &mut Value)| {
        let (mut input, mut output) = two();
        edit(&mut input, &mut output);
        again("Add", "Log", &(input, output)).unwrap_err()
    };
    let withheld = check(&|input, _| input["tensors"][0]["data"] = Value::Null);
    assert!(matches!(withheld, ReplayFailed::Withheld { .. }), "{withheld:?}");
    let rejected = check(&|_, output| output["tensors"] = json!([]));
    assert!(matches!(rejected, ReplayFailed::NoOutput), "{rejected:?}");
    for data in [json!("AAA="), json!("!"), json!(["text"])] {
        let malformed = check(&|input, _| input["tensors"][0]["data"] = data.clone());
        assert!(is_malformed(&malformed), "{data}: {malformed:?}");
    }
    let shape = check(&|input, _| input["tensors"][0]["shape"] = json!([3, 1]));
    assert!(is_malformed(&shape), "{shape:?}");
    let datatype = check(&|input, _| input["tensors"][0]["datatype"] = json!("FP16"));
    assert!(is_malformed(&datatype), "{datatype:?}");
    let missing = check(&|input, _| input["tensors"] = json!([]));
    assert!(matches!(missing, ReplayFailed::Run(_)), "{missing:?}");
    let member = check(&|input, _| input["more"] = json!(1));
    assert!(matches!(member, ReplayFailed::Group { group: "input", .. }), "{member:?}");
}
