//! Names, types, shapes and rows: whether a request is one that a model can be asked.

use std::borrow::Cow;

use bartizan_model::limits::OPEN_DIMENSION;
use bartizan_model::{Dimension, Port, Signature, Tensor};

use crate::oip::{Datatype, Request, cut};

/// A request that fits a signature.
#[derive(Debug)]
pub struct Fitted<'a> {
    /// The inputs, in the signature's order.
    pub inputs: Vec<Tensor>,
    /// Which outputs are wanted, as places in the signature, in the caller's order.
    pub outputs: Vec<usize>,
    /// Rows.
    pub rows: usize,
    /// What the caller calls the request.
    pub id: Option<Cow<'a, str>>,
    /// Whether the caller named outputs.
    pub selects: bool,
}

/// A request that is not one for this model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// An input that the model needs.
    #[error("the input `{name}` is missing")]
    MissingInput {
        /// Its name.
        name: String,
    },
    /// An input that the model does not have.
    #[error("the model has no input `{name}`")]
    UnknownInput {
        /// Its name, cut to 80 characters.
        name: String,
    },
    /// An output that the model does not have.
    #[error("the model has no output `{name}`")]
    UnknownOutput {
        /// Its name, cut to 80 characters.
        name: String,
    },
    /// No output is wanted.
    #[error("`outputs` is empty: leave it out to get them all")]
    NoOutput,
    /// An input of another type.
    #[error("the input `{name}` is {got}, and the model takes {expected}")]
    Datatype {
        /// Its name.
        name: String,
        /// The type it has.
        got: Datatype,
        /// The type the model takes.
        expected: Datatype,
    },
    /// An input of another shape.
    #[error("the input `{name}` has the shape {got:?}, and the model takes {expected}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape it has.
        got: Vec<usize>,
        /// The shape the model takes, -1 where it is open.
        expected: String,
    },
    /// Inputs that differ in their number of rows.
    #[error("the input `{name}` has {got} rows, and the inputs before it {expected}")]
    RowsDiffer {
        /// The input.
        name: String,
        /// Its rows.
        got: usize,
        /// The rows of the others.
        expected: usize,
    },
    /// No rows: there is nothing to predict.
    #[error("the request has no rows")]
    NoRows,
    /// More rows than one call may bring.
    #[error("{got} rows, and this endpoint takes at most {most} in one request")]
    TooManyRows {
        /// The rows of the request.
        got: usize,
        /// The most.
        most: usize,
    },
}

/// Puts a request's inputs into the order of a signature and checks them against it.
///
/// # Errors
/// When names, types, shapes or rows are not those of the signature, or there are more than `most_rows`.
pub fn fit<'a>(
    request: Request<'a>,
    signature: &Signature,
    most_rows: usize,
) -> Result<Fitted<'a>, Mismatch> {
    let Request { id, inputs: given, outputs: wanted } = request;
    let mut places: Vec<Option<Tensor>> = vec![None; signature.inputs.len()];
    for (name, tensor) in given {
        // A request names no input twice, so each place is filled once.
        let index = signature.inputs.iter().position(|port| port.name == *name);
        let place = index.and_then(|index| places.get_mut(index));
        *place.ok_or_else(|| Mismatch::UnknownInput { name: cut(&name) })? = Some(tensor);
    }
    let mut rows = None;
    let mut inputs = Vec::with_capacity(places.len());
    for (port, place) in signature.inputs.iter().zip(places) {
        let tensor = place.ok_or_else(|| Mismatch::MissingInput { name: port.name.clone() })?;
        check(port, &tensor, &mut rows)?;
        inputs.push(tensor);
    }
    let rows = rows.unwrap_or(1);
    if rows == 0 {
        return Err(Mismatch::NoRows);
    }
    if rows > most_rows {
        return Err(Mismatch::TooManyRows { got: rows, most: most_rows });
    }
    let selects = wanted.is_some();
    let outputs = match wanted {
        None => (0..signature.outputs.len()).collect(),
        Some(names) if names.is_empty() => return Err(Mismatch::NoOutput),
        Some(names) => names.iter().map(|name| output(signature, name)).collect::<Result<_, _>>()?,
    };
    Ok(Fitted { inputs, outputs, rows, id, selects })
}

fn output(signature: &Signature, name: &str) -> Result<usize, Mismatch> {
    let index = signature.outputs.iter().position(|port| port.name == name);
    index.ok_or_else(|| Mismatch::UnknownOutput { name: cut(name) })
}

fn check(port: &Port, tensor: &Tensor, rows: &mut Option<usize>) -> Result<(), Mismatch> {
    if tensor.element() != port.element {
        let (got, expected) = (tensor.element().into(), port.element.into());
        return Err(Mismatch::Datatype { name: port.name.clone(), got, expected });
    }
    let wrong = || Mismatch::Shape {
        name: port.name.clone(),
        got: tensor.shape().to_vec(),
        expected: described(&port.shape),
    };
    if tensor.shape().len() != port.shape.len() {
        return Err(wrong());
    }
    for (length, dimension) in tensor.shape().iter().copied().zip(&port.shape) {
        match dimension {
            Dimension::Fixed(fixed) if length == *fixed => {}
            Dimension::Open if length <= OPEN_DIMENSION => {}
            Dimension::Fixed(_) | Dimension::Open => return Err(wrong()),
            Dimension::Rows => {
                let expected = *rows.get_or_insert(length);
                if expected != length {
                    return Err(Mismatch::RowsDiffer { name: port.name.clone(), got: length, expected });
                }
            }
        }
    }
    Ok(())
}

fn described(shape: &[Dimension]) -> String {
    let lengths = shape.iter().map(|dimension| match dimension {
        Dimension::Fixed(length) => length.to_string(),
        Dimension::Rows | Dimension::Open => "-1".to_owned(),
    });
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
