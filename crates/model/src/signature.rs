//! What a model takes and gives, as a gateway needs to know it.

use std::sync::Arc;

use crate::tensor::ElementType;

/// The inputs and outputs of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What a call must bring, in the order of the file.
    pub inputs: Vec<Port>,
    /// What a call returns, in the order of the file.
    pub outputs: Vec<Port>,
}

/// One input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name, unique among the inputs or outputs.
    pub name: String,
    /// What its elements are.
    pub element: ElementType,
    /// Its dimensions. For an input these are what the file declares and a call is held to; for an output they are
    /// derived from the nodes, because what a file declares of its outputs is often wrong.
    pub shape: Vec<Dimension>,
    /// What the columns of the last dimension stand for, where the model says so: the labels of a `ZipMap`.
    pub columns: Option<Labels>,
}

/// One dimension of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// As long as there are rows in the call.
    Rows,
    /// Always this long.
    Fixed(usize),
    /// Known only from the values, or left open by the model.
    Open,
}

/// The names of classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// Numbers.
    Integers(Vec<i64>),
    /// Texts.
    Texts(Vec<Arc<str>>),
}

impl Labels {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(labels) => labels.len(),
            Self::Texts(labels) => labels.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
