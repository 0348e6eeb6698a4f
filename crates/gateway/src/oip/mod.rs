//! The Open Inference Protocol, version 2, over REST: requests in, answers, metadata and errors out.
//!
//! Source: <https://github.com/kserve/open-inference-protocol>, `specification/protocol/inference_rest.md`. Where it
//! leaves a choice: a member that it does not name is refused; a request names each input once; `null` in a float
//! tensor means missing and is refused elsewhere; an integer is written without fraction and exponent.

mod answer;
mod data;
mod json;
mod metadata;
mod request;

use std::fmt;
use std::str::FromStr;

use bartizan_model::{ElementType, Tensor, Values};

pub use self::answer::{Parameters, error};
pub(crate) use self::answer::{Response, Shown, json, recorded_error, response};
pub use self::metadata::{live, model_metadata, model_ready, ready, server_metadata};
pub use self::request::Request;
use crate::limits::{BODY_BYTES, NAME_BYTES};

/// What the elements of a tensor are, of the types of the protocol that models here can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datatype {
    /// Truth values.
    Bool,
    /// Integers, 32 bits.
    Int32,
    /// Integers, 64 bits.
    Int64,
    /// IEEE 754, 32 bits.
    Fp32,
    /// IEEE 754, 64 bits.
    Fp64,
    /// Texts.
    Bytes,
}

impl Datatype {
    /// Every type.
    pub const ALL: [Self; 6] = [Self::Bool, Self::Int32, Self::Int64, Self::Fp32, Self::Fp64, Self::Bytes];

    /// The protocol's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Datatype {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|datatype| datatype.as_str() == text).ok_or(())
    }
}

impl From<ElementType> for Datatype {
    fn from(element: ElementType) -> Self {
        match element {
            ElementType::F32 => Self::Fp32,
            ElementType::F64 => Self::Fp64,
            ElementType::I64 => Self::Int64,
            ElementType::I32 => Self::Int32,
            ElementType::Bool => Self::Bool,
            ElementType::Text => Self::Bytes,
        }
    }
}

/// A body that is no inference request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestInvalid {
    /// Too many bytes.
    #[error("a request of {bytes} bytes, and {BODY_BYTES} are the most")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not text.
    #[error("the request is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where it ends to be.
        at: usize,
    },
    /// Not JSON, or not of the form that the protocol gives a request.
    #[error("the request cannot be read at byte {at}: {what}")]
    NotJson {
        /// Where.
        at: usize,
        /// What is there, or what is not.
        what: &'static str,
    },
    /// A member that is there twice, or an input or output that is named twice.
    #[error("`{name}` is there twice in {of}")]
    Twice {
        /// The name, cut to 80 characters.
        name: String,
        /// Where it is twice.
        of: &'static str,
    },
    /// A member that the protocol does not have there.
    #[error("`{name}` is not a member of {of}")]
    Unknown {
        /// The name, cut to 80 characters.
        name: String,
        /// Of what it is no member.
        of: &'static str,
    },
    /// A member that must be there.
    #[error("{of} has no `{name}`")]
    Missing {
        /// The member.
        name: &'static str,
        /// What lacks it.
        of: &'static str,
    },
    /// A parameter that would change what the request means, and that is not supported.
    #[error("the parameter `{name}` is not supported")]
    Parameter {
        /// The parameter.
        name: String,
    },
    /// Too many of something.
    #[error("more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A name or identifier that is empty where it must not be, or too long.
    #[error("a name of {bytes} bytes, where 1 to {most} are taken")]
    Name {
        /// Its bytes.
        bytes: usize,
        /// The most, at most [`NAME_BYTES`].
        most: usize,
    },
    /// A type that is none, or that no model here takes.
    #[error("`{datatype}` is not a datatype that is taken: BOOL, INT32, INT64, FP32, FP64, BYTES")]
    Datatype {
        /// What it says, cut to 80 characters.
        datatype: String,
    },
    /// An element that is not of the type of its tensor.
    #[error("element {index} of the input `{input}` is {what}")]
    Element {
        /// The input, cut to 80 characters.
        input: String,
        /// Counted from 0 in row-major order.
        index: usize,
        /// What it is.
        what: &'static str,
    },
    /// Nested arrays that make no tensor.
    #[error("the nested arrays of the input `{input}` are not equally long or deep")]
    Ragged {
        /// The input, cut to 80 characters.
        input: String,
    },
    /// Data that are not of the shape that is declared.
    #[error("the data of the input `{input}` do not have the shape {shape:?}")]
    Shape {
        /// The input, cut to 80 characters.
        input: String,
        /// The shape that is declared.
        shape: Vec<usize>,
    },
}

impl RequestInvalid {
    /// Whether the request is too large, rather than wrong.
    pub const fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge { .. })
    }
}

/// A name as messages show it.
pub(crate) fn cut(name: &str) -> String {
    name.chars().take(80).collect()
}

fn check_name(name: &str, most: usize) -> Result<(), RequestInvalid> {
    let fits = (1..=most.min(NAME_BYTES)).contains(&name.len());
    if fits { Ok(()) } else { Err(RequestInvalid::Name { bytes: name.len(), most }) }
}

/// Whether every float in it is a number other than infinity.
pub(crate) fn is_finite(tensor: &Tensor) -> bool {
    match tensor.values() {
        Values::F32(values) => values.iter().all(|value| value.is_finite()),
        Values::F64(values) => values.iter().all(|value| value.is_finite()),
        Values::I64(_) | Values::I32(_) | Values::Bool(_) | Values::Text(_) => true,
    }
}
