//! What the protocol says about servers and models, and its probes.

use bartizan_model::{Dimension, Port, Signature};
use serde::Serialize;

use super::Datatype;

/// The platform of models that this interpreter runs, in the manner of the protocol's other servers.
const PLATFORM: &str = "bartizan_onnx";

#[derive(Serialize)]
struct ServerWire<'a> {
    name: &'static str,
    version: &'a str,
    extensions: [&'static str; 0],
}

#[derive(Serialize)]
struct ModelWire<'a> {
    name: &'a str,
    versions: Vec<String>,
    platform: &'static str,
    inputs: Vec<TensorWire<'a>>,
    outputs: Vec<TensorWire<'a>>,
}

#[derive(Serialize)]
struct TensorWire<'a> {
    name: &'a str,
    datatype: &'static str,
    /// -1 where a dimension is known only from a request.
    shape: Vec<i64>,
}

#[derive(Serialize)]
struct LiveWire {
    live: bool,
}

#[derive(Serialize)]
struct ReadyWire {
    ready: bool,
}

#[derive(Serialize)]
struct ModelReadyWire<'a> {
    name: &'a str,
    ready: bool,
}

/// The answer to `GET v2`.
pub fn server_metadata(version: &str) -> Vec<u8> {
    bytes(&ServerWire { name: "bartizan", version, extensions: [] })
}

/// The answer to `GET v2/models/NAME`: `versions` are those that may be asked for by number.
pub fn model_metadata(name: &str, versions: &[u32], signature: &Signature) -> Vec<u8> {
    bytes(&ModelWire {
        name,
        versions: versions.iter().map(u32::to_string).collect(),
        platform: PLATFORM,
        inputs: signature.inputs.iter().map(tensor).collect(),
        outputs: signature.outputs.iter().map(tensor).collect(),
    })
}

/// The answer to `GET v2/health/live`.
pub fn live(live: bool) -> Vec<u8> {
    bytes(&LiveWire { live })
}

/// The answer to `GET v2/health/ready`.
pub fn ready(ready: bool) -> Vec<u8> {
    bytes(&ReadyWire { ready })
}

/// The answer to `GET v2/models/NAME/ready`.
pub fn model_ready(name: &str, ready: bool) -> Vec<u8> {
    bytes(&ModelReadyWire { name, ready })
}

fn tensor(port: &Port) -> TensorWire<'_> {
    let length = |dimension: &Dimension| match dimension {
        Dimension::Fixed(length) => i64::try_from(*length).unwrap_or(i64::MAX),
        Dimension::Rows | Dimension::Open => -1,
    };
    TensorWire {
        name: &port.name,
        datatype: Datatype::from(port.element).as_str(),
        shape: port.shape.iter().map(length).collect(),
    }
}

/// Texts, whole numbers and truth values always have a JSON form.
fn bytes(wire: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(wire).unwrap_or_default()
}
