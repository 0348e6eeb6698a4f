//! A constant answer: what an endpoint says when no model may.

use bartizan_model::limits::RANK;
use bartizan_model::{Dimension, ElementType, Port, Signature, Tensor, TensorInvalid, Values};

use crate::oip::is_finite;

/// Outputs for one row, of the types and shapes that a signature promises.
#[derive(Debug, Clone)]
pub struct Constant {
    signature: Signature,
    /// One for each output, in the signature's order.
    outputs: Vec<Tensor>,
}

/// Values that are no answer of a model with this signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstantInvalid {
    /// An output that the constant lacks.
    #[error("the constant answer has no output `{name}`")]
    Missing {
        /// The output.
        name: String,
    },
    /// An output that the model does not have, or that is there twice.
    #[error("the constant answer has an output `{name}` that the model does not have, or has it twice")]
    Unknown {
        /// The output.
        name: String,
    },
    /// An output of another type.
    #[error("the output `{name}` is {got}, and that of the model {expected}")]
    Element {
        /// The output.
        name: String,
        /// The type it has.
        got: ElementType,
        /// The type of the model's.
        expected: ElementType,
    },
    /// An output of another shape than the model's for one row.
    #[error("the output `{name}` has the shape {got:?}, which is not that of the model's for one row")]
    Shape {
        /// The output.
        name: String,
        /// The shape it has.
        got: Vec<usize>,
    },
    /// An output whose rows do not come first, so that one row cannot be repeated.
    #[error("the rows of the output `{name}` are not its first dimension")]
    Rows {
        /// The output.
        name: String,
    },
    /// NaN or infinity.
    #[error("the output `{name}` is not finite")]
    NotFinite {
        /// The output.
        name: String,
    },
}

impl Constant {
    /// Checks outputs for one row against a signature.
    ///
    /// # Errors
    /// When names, types or shapes are not those of the signature, or a number is not finite.
    pub fn check(signature: &Signature, given: Vec<(String, Tensor)>) -> Result<Self, ConstantInvalid> {
        let mut given = given;
        let mut outputs = Vec::with_capacity(signature.outputs.len());
        for port in &signature.outputs {
            let index = given.iter().position(|(name, _)| *name == port.name);
            let index = index.ok_or_else(|| ConstantInvalid::Missing { name: port.name.clone() })?;
            let (_, tensor) = given.swap_remove(index);
            check(port, &tensor)?;
            outputs.push(tensor);
        }
        match given.pop() {
            Some((name, _)) => Err(ConstantInvalid::Unknown { name }),
            None => Ok(Self { signature: signature.clone(), outputs }),
        }
    }

    /// Whether it was checked against the outputs of this signature.
    pub fn is_for(&self, signature: &Signature) -> bool {
        self.signature.outputs == signature.outputs
    }

    /// The signature it was checked against: what it answers to when no model is there.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The answer for so many rows, in the signature's order.
    ///
    /// # Errors
    /// When it would be larger than a tensor may be.
    pub fn answer(&self, rows: usize) -> Result<Vec<Tensor>, TensorInvalid> {
        let outputs = self.signature.outputs.iter().zip(&self.outputs);
        outputs.map(|(port, tensor)| repeated(port, tensor, rows)).collect()
    }
}

fn check(port: &Port, tensor: &Tensor) -> Result<(), ConstantInvalid> {
    let name = || port.name.clone();
    if tensor.element() != port.element {
        let (got, expected) = (tensor.element(), port.element);
        return Err(ConstantInvalid::Element { name: name(), got, expected });
    }
    if port.shape.iter().skip(1).any(|dimension| *dimension == Dimension::Rows) {
        return Err(ConstantInvalid::Rows { name: name() });
    }
    let fits = |(length, dimension): (&usize, &Dimension)| match dimension {
        Dimension::Rows => *length == 1,
        Dimension::Fixed(fixed) => length == fixed,
        Dimension::Open => true,
    };
    let shape = tensor.shape();
    if shape.len() != port.shape.len() || shape.len() > RANK || !shape.iter().zip(&port.shape).all(fits) {
        return Err(ConstantInvalid::Shape { name: name(), got: shape.to_vec() });
    }
    if !is_finite(tensor) {
        return Err(ConstantInvalid::NotFinite { name: name() });
    }
    Ok(())
}

fn repeated(port: &Port, tensor: &Tensor, rows: usize) -> Result<Tensor, TensorInvalid> {
    let [Dimension::Rows, ..] = port.shape.as_slice() else { return Ok(tensor.clone()) };
    let mut shape = tensor.shape().to_vec();
    if let Some(first) = shape.first_mut() {
        *first = rows;
    }
    let values = match tensor.values() {
        Values::F32(values) => Values::F32(values.repeat(rows)),
        Values::F64(values) => Values::F64(values.repeat(rows)),
        Values::I64(values) => Values::I64(values.repeat(rows)),
        Values::I32(values) => Values::I32(values.repeat(rows)),
        Values::Bool(values) => Values::Bool(values.repeat(rows)),
        Values::Text(values) => {
            let row = values.iter().cloned();
            Values::Text(row.cycle().take(values.len().saturating_mul(rows)).collect())
        }
    };
    Tensor::new(shape, values)
}
