//! What the groups of a prediction's record say of tensors, read back.
//!
//! Format: `docs/formats/prediction-record.md`.

use std::fmt;

use bartizan_model::{Tensor, Values};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::limits::ELEMENTS;
use crate::oip::Datatype;

/// What was asked.
#[derive(Debug, Clone)]
pub struct RecordedInput {
    /// The outputs that were asked for by name; all of them when absent.
    pub outputs: Option<Vec<String>>,
    /// The inputs, in the order of the model's signature.
    pub tensors: Vec<RecordedTensor>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct RecordedOutput {
    /// The HTTP status.
    pub status: u16,
    /// The outputs, in the order of the answer; none when there was no answer.
    pub tensors: Vec<RecordedTensor>,
}

/// A tensor of a record.
#[derive(Clone)]
pub struct RecordedTensor {
    /// Its name.
    pub name: String,
    /// Its type.
    pub datatype: Datatype,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values; none where the endpoint withheld them.
    pub tensor: Option<Tensor>,
}

/// The bytes are not that group of a prediction's record.
#[derive(Debug, thiserror::Error)]
pub enum RecordedInvalid {
    /// Not the members of the group.
    #[error("not that group of a prediction's record")]
    Group(#[from] serde_json::Error),
    /// A tensor's data is not of its type and shape.
    #[error("the tensor `{name}` of the record is malformed")]
    Tensor {
        /// The tensor.
        name: String,
    },
}

/// The values are personal and not for logs.
impl fmt::Debug for RecordedTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, datatype, shape, tensor } = self;
        let values = if tensor.is_some() { ".." } else { "withheld" };
        write!(f, "RecordedTensor({name:?}, {datatype}, {shape:?}, {values})")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputRead {
    outputs: Option<Vec<String>>,
    tensors: Vec<TensorRead>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputRead {
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

impl RecordedInput {
    /// Reads the bytes of the group.
    ///
    /// # Errors
    /// When they are something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordedInvalid> {
        let InputRead { outputs, tensors } = serde_json::from_slice(bytes)?;
        Ok(Self { outputs, tensors: read(tensors)? })
    }
}

impl RecordedOutput {
    /// Reads the bytes of the group.
    ///
    /// # Errors
    /// When they are something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordedInvalid> {
        let OutputRead { status, tensors } = serde_json::from_slice(bytes)?;
        Ok(Self { status, tensors: read(tensors)? })
    }
}

fn read(tensors: Vec<TensorRead>) -> Result<Vec<RecordedTensor>, RecordedInvalid> {
    tensors.into_iter().map(TensorRead::read).collect()
}

impl TensorRead {
    fn read(self) -> Result<RecordedTensor, RecordedInvalid> {
        let Self { data, datatype, name, shape } = self;
        let malformed = || RecordedInvalid::Tensor { name: name.clone() };
        let datatype: Datatype = datatype.parse().map_err(|()| malformed())?;
        let tensor = match &data {
            None => None,
            Some(data) => {
                let values = values(datatype, data).filter(|values| values.len() <= ELEMENTS);
                let tensor = Tensor::new(shape.clone(), values.ok_or_else(malformed)?);
                Some(tensor.map_err(|_| malformed())?)
            }
        };
        Ok(RecordedTensor { name, datatype, shape, tensor })
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
