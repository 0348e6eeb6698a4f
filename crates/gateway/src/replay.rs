//! Running a model again on what a record says was asked, and comparing with what it says was answered.
//!
//! It is the only evidence that a model really gave an output: everything else shows who said so. Records hold every
//! bit of inputs and outputs, and the runtime is deterministic, so equal means equal in every bit.
//!
//! Format: `docs/formats/prediction-record.md`.

use bartizan_model::{Model, RunFailed, Tensor, TensorInvalid, Values};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::limits::{ELEMENTS, TENSORS};
use crate::oip::{Datatype, Shown};

/// What running a model again gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// Every bit of every output that was answered.
    Same {
        /// How many outputs were compared.
        outputs: usize,
    },
    /// Something else.
    Differs {
        /// The first output that differs.
        output: String,
    },
}

/// A prediction could not be made again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFailed {
    /// A group is not that of a prediction's record.
    #[error("the {group} group is not that of a prediction's record")]
    Group {
        /// Which.
        group: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An input was withheld from the record.
    #[error("the values of input `{name}` were withheld from the record")]
    Withheld {
        /// The input.
        name: String,
    },
    /// A tensor's data is not of its type and shape.
    #[error("the tensor `{name}` of the record is malformed")]
    Tensor {
        /// The tensor.
        name: String,
    },
    /// Nothing was answered.
    #[error("the record holds no output")]
    NoOutput,
    /// The model cannot run on it.
    #[error("the model has no answer for what was asked")]
    Run(#[from] RunFailed),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputRead {
    #[expect(dead_code, reason = "the outputs that were answered say which were wanted")]
    outputs: Option<Vec<String>>,
    tensors: Vec<TensorRead>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputRead {
    #[expect(dead_code, reason = "what was answered is compared, not how it was sent")]
    status: u16,
    tensors: Vec<TensorRead>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TensorRead {
    data: Option<DataRead>,
    datatype: String,
    name: String,
    shape: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DataRead {
    Texts(Vec<String>),
    Bytes(String),
}

/// Runs `model` on the `input` group of a record, and compares with its `output` group.
///
/// # Errors
/// When the groups are malformed, inputs were withheld, nothing was answered, or the model has no answer.
pub fn replay(model: &Model, input: &[u8], output: &[u8]) -> Result<Replayed, ReplayFailed> {
    let asked: InputRead =
        serde_json::from_slice(input).map_err(|source| ReplayFailed::Group { group: "input", source })?;
    let answered: OutputRead =
        serde_json::from_slice(output).map_err(|source| ReplayFailed::Group { group: "output", source })?;
    if answered.tensors.is_empty() {
        return Err(ReplayFailed::NoOutput);
    }
    let mut inputs = Vec::new();
    for tensor in asked.tensors.iter().take(TENSORS) {
        inputs.push((tensor.name.as_str(), tensor.read()?));
    }
    let said = model.run(&inputs)?;
    for tensor in &answered.tensors {
        let recorded = tensor.read()?;
        let at = model.signature().outputs.iter().position(|port| port.name == tensor.name);
        let same = at.and_then(|at| said.get(at)).is_some_and(|again| same(again, &recorded));
        if !same {
            return Ok(Replayed::Differs { output: tensor.name.clone() });
        }
    }
    Ok(Replayed::Same { outputs: answered.tensors.len() })
}

/// Whether two tensors are the same in every bit, as records write them.
fn same(one: &Tensor, other: &Tensor) -> bool {
    let written = |tensor: &Tensor| serde_json::to_vec(&Shown(tensor.values())).ok();
    one.element() == other.element() && one.shape() == other.shape() && written(one) == written(other)
}

impl TensorRead {
    fn read(&self) -> Result<Tensor, ReplayFailed> {
        let malformed = || ReplayFailed::Tensor { name: self.name.clone() };
        let data = self.data.as_ref().ok_or_else(|| ReplayFailed::Withheld { name: self.name.clone() })?;
        let datatype: Datatype = self.datatype.parse().map_err(|()| malformed())?;
        let values = values(datatype, data).filter(|values| values.len() <= ELEMENTS);
        Tensor::new(self.shape.clone(), values.ok_or_else(malformed)?).map_err(|_: TensorInvalid| malformed())
    }
}

fn values(datatype: Datatype, data: &DataRead) -> Option<Values> {
    let bytes = match data {
        DataRead::Texts(texts) if datatype == Datatype::Bytes => {
            return Some(Values::Text(texts.iter().map(|text| text.as_str().into()).collect()));
        }
        DataRead::Texts(_) => return None,
        DataRead::Bytes(text) => STANDARD.decode(text).ok()?,
    };
    fn split<const N: usize, T>(bytes: &[u8], make: fn([u8; N]) -> T) -> Option<Vec<T>> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| chunks.iter().map(|chunk| make(*chunk)).collect())
    }
    match datatype {
        Datatype::Fp32 => split(&bytes, f32::from_le_bytes).map(Values::F32),
        Datatype::Fp64 => split(&bytes, f64::from_le_bytes).map(Values::F64),
        Datatype::Int64 => split(&bytes, i64::from_le_bytes).map(Values::I64),
        Datatype::Int32 => split(&bytes, i32::from_le_bytes).map(Values::I32),
        Datatype::Bool => {
            let truth = bytes.iter().map(|byte| match byte {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            });
            truth.collect::<Option<_>>().map(Values::Bool)
        }
        Datatype::Bytes => None,
    }
}
