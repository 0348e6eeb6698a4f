//! From a tensor of an ONNX file to one that can be used.

use std::sync::Arc;

use crate::onnx::TensorMessage;
use crate::tensor::{ElementType, Tensor, TensorInvalid, Values, elements};

/// A tensor in a file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstantInvalid {
    /// Its content is in another file, which is never opened.
    #[error("its content is said to be in another file, and other files are never opened")]
    External,
    /// Elements of a type that is not supported.
    #[error("elements of type {0}, which is not supported")]
    Element(i64),
    /// Content that does not fit the type.
    #[error("it {0}")]
    Content(&'static str),
    /// Shape and values do not agree, or there is too much of them.
    #[error("shape and values do not agree")]
    Tensor(#[source] TensorInvalid),
}

impl TensorMessage<'_> {
    pub(crate) fn to_tensor(&self) -> Result<Tensor, ConstantInvalid> {
        if self.external {
            return Err(ConstantInvalid::External);
        }
        let element = ElementType::from_onnx(self.element).ok_or(ConstantInvalid::Element(self.element))?;
        let shape: Option<Vec<usize>> = self.dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        let shape = shape.ok_or(ConstantInvalid::Content("has a negative or absurd dimension"))?;
        if elements(&shape).is_none() {
            return Err(ConstantInvalid::Tensor(TensorInvalid::TooLarge { shape }));
        }
        let typed =
            [self.floats.len(), self.doubles.len(), self.int32s.len(), self.int64s.len(), self.texts.len()];
        if typed.iter().filter(|count| **count > 0).count() + usize::from(self.raw.is_some()) > 1 {
            return Err(ConstantInvalid::Content("has its content twice, in different forms"));
        }
        let values = match self.raw {
            Some(raw) => from_raw(element, raw)?,
            None => self.typed(element)?,
        };
        Tensor::new(shape, values).map_err(ConstantInvalid::Tensor)
    }

    fn typed(&self, element: ElementType) -> Result<Values, ConstantInvalid> {
        const WRONG: ConstantInvalid = ConstantInvalid::Content("has a number that its type cannot hold");
        Ok(match element {
            ElementType::F32 => Values::F32(self.floats.clone()),
            ElementType::F64 => Values::F64(self.doubles.clone()),
            ElementType::I64 => Values::I64(self.int64s.clone()),
            ElementType::I32 => {
                let numbers: Option<_> = self.int32s.iter().map(|value| i32::try_from(*value).ok()).collect();
                Values::I32(numbers.ok_or(WRONG)?)
            }
            ElementType::Bool => {
                let flags: Option<_> = self.int32s.iter().map(|value| flag(*value)).collect();
                Values::Bool(flags.ok_or(WRONG)?)
            }
            ElementType::Text => {
                let texts: Option<_> =
                    self.texts.iter().map(|bytes| std::str::from_utf8(bytes).ok().map(Arc::from)).collect();
                Values::Text(texts.ok_or(ConstantInvalid::Content("has a text that is not UTF-8"))?)
            }
        })
    }
}

fn from_raw(element: ElementType, raw: &[u8]) -> Result<Values, ConstantInvalid> {
    fn chunks<const N: usize>(raw: &[u8]) -> Result<&[[u8; N]], ConstantInvalid> {
        match raw.as_chunks::<N>() {
            (chunks, []) => Ok(chunks),
            _ => Err(ConstantInvalid::Content("ends within a number")),
        }
    }
    Ok(match element {
        ElementType::F32 => {
            Values::F32(chunks(raw)?.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
        ElementType::F64 => {
            Values::F64(chunks(raw)?.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
        }
        ElementType::I64 => {
            Values::I64(chunks(raw)?.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
        }
        ElementType::I32 => {
            Values::I32(chunks(raw)?.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
        }
        ElementType::Bool => {
            let flags: Option<_> = raw.iter().map(|byte| flag(i64::from(*byte))).collect();
            Values::Bool(flags.ok_or(ConstantInvalid::Content("has a truth value that is neither 0 nor 1"))?)
        }
        ElementType::Text => return Err(ConstantInvalid::Content("has texts as raw bytes")),
    })
}

fn flag(value: i64) -> Option<bool> {
    match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
