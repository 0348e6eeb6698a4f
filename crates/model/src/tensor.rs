//! Tensors: a shape and values of one type in row-major order, shared rather than copied.

use std::fmt;
use std::sync::Arc;

use crate::limits::{ELEMENTS, RANK, TEXT_BYTES};

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ElementType {
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
    /// Integers, 64 bits.
    I64,
    /// Integers, 32 bits.
    I32,
    /// Truth values.
    Bool,
    /// UTF-8 texts.
    Text,
}

impl ElementType {
    /// The type that ONNX gives this number (`TensorProto.DataType`).
    pub(crate) fn from_onnx(number: i64) -> Option<ElementType> {
        Some(match number {
            1 => Self::F32,
            6 => Self::I32,
            7 => Self::I64,
            8 => Self::Text,
            9 => Self::Bool,
            11 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes that one element takes in memory; the bytes of a text itself, which is shared, not counted.
    pub fn bytes(self) -> u64 {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
            Self::Bool => 1,
            Self::Text => 16,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float",
            Self::F64 => "double",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::Bool => "bool",
            Self::Text => "string",
        })
    }
}

/// The values of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Texts.
    Text(Vec<Arc<str>>),
}

impl Values {
    /// Their type.
    pub fn element(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
            Self::I64(_) => ElementType::I64,
            Self::I32(_) => ElementType::I32,
            Self::Bool(_) => ElementType::Bool,
            Self::Text(_) => ElementType::Text,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Values of one type in a shape, the last dimension running fastest. Cloning one shares its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Shape,
    values: Arc<Values>,
}

/// The lengths of up to [`RANK`] dimensions, copied rather than allocated.
// INVARIANT: `rank` is at most `RANK`, and what lies behind it is 0.
#[derive(Clone, Copy, PartialEq)]
struct Shape {
    rank: usize,
    lengths: [usize; RANK],
}

impl Shape {
    fn of(lengths: &[usize]) -> Option<Shape> {
        let mut shape = Shape { rank: lengths.len(), lengths: [0; RANK] };
        shape.lengths.get_mut(..lengths.len())?.copy_from_slice(lengths);
        Some(shape)
    }

    fn lengths(&self) -> &[usize] {
        self.lengths.get(..self.rank).unwrap_or_default()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.lengths(), f)
    }
}

/// A shape and values that make no tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorInvalid {
    /// Too many dimensions.
    #[error("a shape of {got} dimensions, and {RANK} are the most")]
    Rank {
        /// How many there are.
        got: usize,
    },
    /// Too many elements, or so many that they cannot be counted.
    #[error("the shape {shape:?} has more than {ELEMENTS} elements")]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Another number of values than the shape has elements.
    #[error("the shape {shape:?} does not hold {got} values")]
    Count {
        /// The shape.
        shape: Vec<usize>,
        /// How many values there are.
        got: usize,
    },
    /// A text that is too long.
    #[error("a text of {bytes} bytes, and {TEXT_BYTES} are the most")]
    Text {
        /// Its bytes.
        bytes: usize,
    },
}

impl Tensor {
    /// A tensor of this shape.
    ///
    /// # Errors
    /// When there are too many dimensions, elements or bytes in a text, or when shape and values don't agree.
    pub fn new(shape: Vec<usize>, values: Values) -> Result<Tensor, TensorInvalid> {
        let Some(lengths) = Shape::of(&shape) else { return Err(TensorInvalid::Rank { got: shape.len() }) };
        match elements(&shape) {
            Some(count) if count == values.len() => {}
            Some(_) => return Err(TensorInvalid::Count { got: values.len(), shape }),
            None => return Err(TensorInvalid::TooLarge { shape }),
        }
        if let Values::Text(texts) = &values
            && let Some(long) = texts.iter().find(|text| text.len() > TEXT_BYTES)
        {
            return Err(TensorInvalid::Text { bytes: long.len() });
        }
        Ok(Tensor { shape: lengths, values: Arc::new(values) })
    }

    /// The length of each dimension; empty for a single value.
    pub fn shape(&self) -> &[usize] {
        self.shape.lengths()
    }

    /// The values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Their type.
    pub fn element(&self) -> ElementType {
        self.values.element()
    }

    /// The values, if they are 32-bit floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        if let Values::F32(values) = &*self.values { Some(values) } else { None }
    }

    /// The values, if they are 64-bit floats.
    pub fn as_f64(&self) -> Option<&[f64]> {
        if let Values::F64(values) = &*self.values { Some(values) } else { None }
    }

    /// The values, if they are 64-bit integers.
    pub fn as_i64(&self) -> Option<&[i64]> {
        if let Values::I64(values) = &*self.values { Some(values) } else { None }
    }

    /// The values, if they are truth values.
    pub fn as_bool(&self) -> Option<&[bool]> {
        if let Values::Bool(values) = &*self.values { Some(values) } else { None }
    }

    /// The values, if they are texts.
    pub fn as_text(&self) -> Option<&[Arc<str>]> {
        if let Values::Text(values) = &*self.values { Some(values) } else { None }
    }

    /// The same values in another shape, if it has as many elements.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Option<Tensor> {
        let lengths = Shape::of(&shape)?;
        let fits = elements(&shape) == Some(self.values.len());
        fits.then(|| Tensor { shape: lengths, values: Arc::clone(&self.values) })
    }
}

/// How many elements a shape has; `None` if more than a tensor may have.
///
/// INVARIANT: no product of some of a tensor's dimensions is more than [`ELEMENTS`], also where another dimension is
/// zero, so that whoever multiplies lengths cannot overflow.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    let product = shape.iter().try_fold(1_usize, |product, dim| product.checked_mul((*dim).max(1)))?;
    match product {
        too_many if too_many > ELEMENTS => None,
        _ if shape.contains(&0) => Some(0),
        product => Some(product),
    }
}
