//! Running a model again on what a record says was asked, and comparing with what it says was answered.
//!
//! It is the only evidence that a model really gave an output: everything else shows who said so. Records hold every
//! bit of inputs and outputs, and the runtime is deterministic, so equal means equal in every bit.
//!
//! Format: `docs/formats/prediction-record.md`.

use bartizan_model::{Model, RunFailed, Tensor};

use crate::limits::TENSORS;
use crate::oip::Shown;
use crate::recorded::{RecordedInput, RecordedInvalid, RecordedOutput, RecordedTensor};

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
        source: RecordedInvalid,
    },
    /// An input was withheld from the record.
    #[error("the values of input `{name}` were withheld from the record")]
    Withheld {
        /// The input.
        name: String,
    },
    /// Nothing was answered.
    #[error("the record holds no output")]
    NoOutput,
    /// The model cannot run on it.
    #[error("the model has no answer for what was asked")]
    Run(#[from] RunFailed),
}

/// Runs `model` on the `input` group of a record, and compares with its `output` group.
///
/// # Errors
/// When the groups are malformed, inputs were withheld, nothing was answered, or the model has no answer.
pub fn replay(model: &Model, input: &[u8], output: &[u8]) -> Result<Replayed, ReplayFailed> {
    let asked =
        RecordedInput::parse(input).map_err(|source| ReplayFailed::Group { group: "input", source })?;
    let answered =
        RecordedOutput::parse(output).map_err(|source| ReplayFailed::Group { group: "output", source })?;
    if answered.tensors.is_empty() {
        return Err(ReplayFailed::NoOutput);
    }
    let mut inputs = Vec::new();
    for RecordedTensor { name, tensor, .. } in asked.tensors.iter().take(TENSORS) {
        let tensor = tensor.clone().ok_or_else(|| ReplayFailed::Withheld { name: name.clone() })?;
        inputs.push((name.as_str(), tensor));
    }
    let said = model.run(&inputs)?;
    for RecordedTensor { name, tensor, .. } in &answered.tensors {
        let at = model.signature().outputs.iter().position(|port| port.name == *name);
        let again = at.and_then(|at| said.get(at)).zip(tensor.as_ref());
        if !again.is_some_and(|(again, recorded)| same(again, recorded)) {
            return Ok(Replayed::Differs { output: name.clone() });
        }
    }
    Ok(Replayed::Same { outputs: answered.tensors.len() })
}

/// Whether two tensors are the same in every bit, as records write them.
fn same(one: &Tensor, other: &Tensor) -> bool {
    let written = |tensor: &Tensor| serde_json::to_vec(&Shown(tensor.values())).ok();
    one.element() == other.element() && one.shape() == other.shape() && written(one) == written(other)
}
