//! Endpoints of small models, and requests to them.

use std::sync::Arc;
use std::time::Duration;

use bartizan_base::{PrincipalId, sha256};
use bartizan_data::Schema;
use bartizan_gateway::validate::{Bounds, OutOfBounds};
use bartizan_gateway::{
    Answer, Caller, Endpoint, Fallback, Fault, Groups, Made, Placement, PredictRequest, Prediction, Refused,
    Serving, Settings, predict,
};
use bartizan_keys::OsRandom;
use bartizan_keys::subjects::SubjectTag;
use bartizan_store::records::GatewayId;
use serde_json::{Value, json};

use crate::onnx;
use crate::shelf::Shelf;

pub(crate) const GATEWAY: GatewayId = GatewayId::from_bytes([9; 16]);

/// As catalogues would have it, but so that a test sees the fault.
pub(crate) fn error_id(fault: Fault) -> &'static str {
    match fault {
        Fault::Malformed => "malformed",
        Fault::TooLarge => "too-large",
        Fault::Mismatch => "mismatch",
        Fault::OutOfBounds => "out-of-bounds",
        Fault::Version => "version",
        Fault::NoAnswer => "no-answer",
        Fault::Unavailable => "unavailable",
        Fault::Defect => "defect",
    }
}

pub(crate) fn settings() -> Settings {
    Settings { name: "fraud".parse().unwrap(), error_id }
}

/// An endpoint whose score is the logarithm of age + income.
pub(crate) fn endpoint(shelf: &Shelf, fallback: Fallback) -> Endpoint {
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let serving = Serving::new(primary, fallback, None).unwrap();
    serving.confirm(40, Duration::from_millis(50));
    Endpoint::new(settings(), serving)
}

pub(crate) const SCHEMA: &str = r#"
format = "bartizan-schema-v1"
[csv]
separator = ","
encoding = "utf-8"
null = ["", "NA"]
[rows]
[[column]]
name = "age"
type = "integer"
min_present = 1.0
severity = "block"
[column.range]
min = 0.0
max = 120.0
max_outside = 0.0
[[column]]
name = "income"
type = "float"
min_present = 0.5
severity = "block"
[column.range]
min = 0.0
max = 0.1
max_outside = 0.0
[[column]]
name = "city"
type = "string"
min_present = 1.0
max_length = 8
severity = "block"
[column.domain]
values = ["Oslo", "Rome"]
max_unseen = 0.0
"#;

pub(crate) fn bounded(shelf: &Shelf, policy: OutOfBounds) -> Endpoint {
    let primary = shelf.load("fraud", &onnx::model("Add", "Log"));
    let schema = Schema::parse(SCHEMA).unwrap();
    let bounds = Bounds::by_input(&schema, primary.signature());
    Endpoint::new(settings(), Serving::new(primary, Fallback::Unavailable, Some((bounds, policy))).unwrap())
}

/// The body of a request for rows of age, income and city.
pub(crate) fn rows(rows: &[(Value, Value, &str)]) -> Value {
    let column = |name: &str, datatype: &str, data: Vec<Value>| json!({"name": name, "shape": [rows.len(), 1], "datatype": datatype, "data": data});
    json!({"inputs": [
        column("city", "BYTES", rows.iter().map(|row| row.2.into()).collect()),
        column("age", "FP32", rows.iter().map(|row| row.0.clone()).collect()),
        column("income", "FP32", rows.iter().map(|row| row.1.clone()).collect()),
    ]})
}

pub(crate) fn tag(value: &[u8]) -> SubjectTag {
    SubjectTag::from_bytes(*sha256(value).as_bytes())
}

pub(crate) fn caller() -> Caller<'static> {
    Caller {
        principal: PrincipalId::from_random([3; 16]),
        decision: sha256(b"decision"),
        policy: sha256(b"policy"),
        request: None,
        subject: None,
        subject_tag: &tag,
        slices: &[],
    }
}

pub(crate) fn ask(endpoint: &Endpoint, body: &[u8]) -> Prediction {
    ask_as(endpoint, body, caller(), None)
}

pub(crate) fn ask_as(
    endpoint: &Endpoint,
    body: &[u8],
    caller: Caller<'_>,
    version: Option<u32>,
) -> Prediction {
    let request = PredictRequest {
        body,
        version: version.and_then(std::num::NonZeroU32::new),
        caller,
        now: "2026-03-01T12:00:01Z".parse().unwrap(),
        elapsed: &|| Duration::from_millis(300),
        random: &mut OsRandom,
    };
    predict(endpoint, request)
}

/// What was made of a request that fits.
pub(crate) fn made(prediction: Prediction) -> Made {
    match prediction {
        Prediction::Made(made) => *made,
        Prediction::Refused(refused) => {
            panic!("{:?}: {}", refused.fault, String::from_utf8_lossy(&refused.body))
        }
    }
}

/// What became of a request that does not.
pub(crate) fn refused(prediction: Prediction) -> Refused {
    match prediction {
        Prediction::Refused(refused) => refused,
        Prediction::Made(made) => panic!("{made:?}"),
    }
}

/// The answer as JSON, its record's groups, and the answer itself.
pub(crate) fn placed(made: Made) -> (Value, [Value; 5], Answer) {
    let (groups, answer) = made.place(&Placement { gateway: GATEWAY, epoch: 2, sequence: 17 }).unwrap();
    let body = serde_json::from_slice(&answer.body).unwrap();
    (body, canonical(&groups), answer)
}

/// The groups, which must be canonical.
pub(crate) fn canonical(groups: &Groups) -> [Value; 5] {
    groups.as_slices().map(|group| bartizan_base::canonical::from_bytes::<Value>(group).unwrap())
}

/// The message of a body that is an error, with its id.
pub(crate) fn told(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    format!("{}: {}", body["id"].as_str().unwrap(), body["error"].as_str().unwrap())
}

pub(crate) fn constant(primary: &Arc<bartizan_gateway::LoadedVersion>) -> bartizan_gateway::Constant {
    use bartizan_model::{Tensor, Values};
    let score = Tensor::new(vec![1, 1], Values::F32(vec![0.5])).unwrap();
    let city = Tensor::new(vec![1, 1], Values::Text(vec!["nowhere".into()])).unwrap();
    let outputs = vec![("where".to_owned(), city), ("score".to_owned(), score)];
    bartizan_gateway::Constant::check(primary.signature(), outputs).unwrap()
}
