//! The messages of an ONNX file, as far as an interpreter needs them: decoded by hand, bounded, without trust.
//!
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>. Unknown fields are skipped. A field that may appear
//! once and appears twice is refused, because decoders disagree about what that means.

mod decode;
mod wire;
pub(crate) mod write;

pub use self::wire::Malformed;

/// `ModelProto`.
#[derive(Debug, Default)]
pub(crate) struct ModelMessage<'a> {
    /// Operator sets: domain and version.
    pub(crate) operator_sets: Vec<(&'a str, i64)>,
    pub(crate) graph: Option<GraphMessage<'a>>,
    /// Whether the model defines functions of its own.
    pub(crate) functions: bool,
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub(crate) struct GraphMessage<'a> {
    pub(crate) nodes: Vec<NodeMessage<'a>>,
    pub(crate) initializers: Vec<TensorMessage<'a>>,
    pub(crate) inputs: Vec<ValueMessage<'a>>,
    pub(crate) outputs: Vec<ValueMessage<'a>>,
    /// Whether there are sparse initializers.
    pub(crate) sparse: bool,
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub(crate) struct NodeMessage<'a> {
    pub(crate) name: &'a str,
    pub(crate) operator: &'a str,
    pub(crate) domain: &'a str,
    /// Which of several functions of one name; a model with functions is refused.
    pub(crate) overload: &'a str,
    pub(crate) inputs: Vec<&'a str>,
    pub(crate) outputs: Vec<&'a str>,
    pub(crate) attributes: Vec<(&'a str, AttributeMessage<'a>)>,
}

/// The value of an `AttributeProto`.
#[derive(Debug)]
pub(crate) enum AttributeMessage<'a> {
    Float(f32),
    Integer(i64),
    Text(&'a [u8]),
    Tensor(Box<TensorMessage<'a>>),
    Graph(Box<GraphMessage<'a>>),
    Floats(Vec<f32>),
    Integers(Vec<i64>),
    Texts(Vec<&'a [u8]>),
    /// A kind that no operator of ours takes.
    Other,
}

/// `TensorProto`.
#[derive(Debug, Default)]
pub(crate) struct TensorMessage<'a> {
    pub(crate) name: &'a str,
    pub(crate) element: i64,
    pub(crate) dims: Vec<i64>,
    pub(crate) floats: Vec<f32>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) int32s: Vec<i64>,
    pub(crate) int64s: Vec<i64>,
    pub(crate) texts: Vec<&'a [u8]>,
    pub(crate) raw: Option<&'a [u8]>,
    /// Whether the content is said to be in another file.
    pub(crate) external: bool,
}

/// `ValueInfoProto`.
#[derive(Debug, Default)]
pub(crate) struct ValueMessage<'a> {
    pub(crate) name: &'a str,
    /// The kind of value; `None` if nothing is said.
    pub(crate) kind: Option<KindMessage>,
}

/// `TypeProto`.
#[derive(Debug)]
pub(crate) enum KindMessage {
    Tensor {
        element: i64,
        /// `None` if the rank is open; in it, `None` where a dimension is.
        dims: Option<Vec<Option<i64>>>,
    },
    Other,
}
