//! What an operator is built from, what it is once built, and how either can fail.

use std::fmt;
use std::sync::Arc;

use crate::bound::{Bound, Dim, Fact};
use crate::onnx::{AttributeMessage, GraphMessage, TensorMessage};
use crate::signature::Labels;
use crate::tensor::{ElementType, Tensor, TensorInvalid, Values};

/// A node of a model that cannot be run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeInvalid {
    /// An attribute that the operator needs.
    #[error("the attribute `{name}` is missing")]
    AttributeMissing {
        /// The attribute.
        name: String,
    },
    /// An attribute of another kind than the operator takes.
    #[error("the attribute `{name}` is not {expected}")]
    AttributeKind {
        /// The attribute.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// An attribute with a value that the operator does not take.
    #[error("the attribute `{name}` {what}")]
    AttributeValue {
        /// The attribute.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An attribute that the operator does not have, and that might change what it means.
    #[error("the attribute `{name}` is not known")]
    AttributeUnknown {
        /// The attribute.
        name: String,
    },
    /// Too few or too many inputs, or one left out that is needed.
    #[error("input {index} is missing, or there are too many inputs")]
    Input {
        /// Counted from 0.
        index: usize,
    },
    /// More outputs than the operator has.
    #[error("the operator does not have as many outputs")]
    Outputs,
    /// An input of a type that the operator does not take.
    #[error("input {index} is of type {element}, which is not supported here")]
    Element {
        /// Counted from 0.
        index: usize,
        /// Its type.
        element: ElementType,
    },
    /// An input with a number of dimensions that the operator does not take.
    #[error("input {index} has {rank} dimensions, which is not supported here")]
    Rank {
        /// Counted from 0.
        index: usize,
        /// Its dimensions.
        rank: usize,
    },
    /// An input that decides about shapes and is known only when the model runs.
    #[error("input {index} decides about shapes and is not a constant, so memory cannot be bounded")]
    NotConstant {
        /// Counted from 0.
        index: usize,
    },
    /// Inputs or attributes that do not go together.
    #[error("{what}")]
    Disagree {
        /// What does not agree.
        what: &'static str,
    },
    /// A tensor in an attribute that is none.
    #[error("the tensor in the attribute `{name}` is not valid")]
    Tensor {
        /// The attribute.
        name: String,
        /// Why.
        #[source]
        source: TensorInvalid,
    },
    /// The graph inside the node is not valid.
    #[error("the graph inside is not valid: {reason}")]
    Body {
        /// Why.
        reason: String,
    },
}

/// A node that could not give an answer for these inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeFailed {
    /// Shapes that do not go together.
    #[error("{what}")]
    Shapes {
        /// What does not agree.
        what: &'static str,
    },
    /// A place outside of what is there.
    #[error("the index {index} is outside of a dimension of {length}")]
    Index {
        /// The index.
        index: i64,
        /// What it points into.
        length: usize,
    },
    /// A category that the model does not know and does not take.
    #[error("an input value is none of the categories that the model knows")]
    Category,
    /// A whole number divided by zero.
    #[error("a whole number is divided by zero")]
    DivisionByZero,
    /// A text where a number is needed.
    #[error("a text that is not a number is to become one")]
    NotANumber,
    /// A tensor that breaks a limit.
    #[error("the result is no valid tensor")]
    Tensor(#[from] TensorInvalid),
    /// An output that is not what was derived when the model was loaded.
    #[error("the output is larger than, or of another kind than, the one derived when the model was loaded")]
    Promise,
    /// A node of a graph inside the node.
    #[error("node `{node}` inside failed: {source}")]
    Inside {
        /// Its name.
        node: String,
        /// Why.
        source: Box<NodeFailed>,
    },
}

impl NodeFailed {
    /// Whether this crate is at fault: an operator did not keep what was derived when the model was loaded. All
    /// other failures follow from the model and the values it was given, and happen again with the same values.
    pub fn is_defect(&self) -> bool {
        match self {
            Self::Promise => true,
            Self::Inside { source, .. } => source.is_defect(),
            _ => false,
        }
    }
}

pub(crate) const fn shapes(what: &'static str) -> NodeFailed {
    NodeFailed::Shapes { what }
}

/// An operator with its attributes checked and its weights prepared.
///
/// INVARIANT: for inputs within the facts it was built from, `run` returns outputs within the facts that were
/// inferred then, takes no more steps and scratch memory than inferred, and does not panic.
pub(crate) trait Operator: fmt::Debug + Send + Sync {
    fn run(&self, inputs: &[Option<&Tensor>], rows: u64) -> Result<Vec<Tensor>, NodeFailed>;
}

/// An operator and what follows from building it.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) operator: Box<dyn Operator>,
    /// What comes out.
    pub(crate) outputs: Vec<Fact>,
    /// Elementary steps at most, beyond reading the inputs and writing the outputs.
    pub(crate) steps: Bound,
    /// Bytes at most while it runs, beyond inputs and outputs.
    pub(crate) scratch: Bound,
    /// For a `ZipMap`: what the columns of its output stand for.
    pub(crate) columns: Option<Labels>,
}

impl Built {
    pub(crate) fn new(operator: impl Operator + 'static, outputs: Vec<Fact>) -> Built {
        let none = Bound::default();
        Built { operator: Box::new(operator), outputs, steps: none, scratch: none, columns: None }
    }

    pub(crate) fn with_steps(self, steps: Bound) -> Built {
        Built { steps, ..self }
    }

    pub(crate) fn with_scratch(self, scratch: Bound) -> Built {
        Built { scratch, ..self }
    }
}

/// What a node is built from.
pub(crate) struct Build<'a, 'm> {
    /// The version of the operator set that the operator belongs to.
    pub(crate) version: i64,
    pub(crate) attributes: &'a mut Attributes<'m>,
    pub(crate) inputs: &'a [Option<&'a Fact>],
    /// The outputs that the node names.
    pub(crate) outputs: usize,
}

impl<'a> Build<'a, '_> {
    /// The fact of an input that must be there.
    pub(crate) fn input(&self, index: usize) -> Result<&'a Fact, NodeInvalid> {
        self.optional(index).ok_or(NodeInvalid::Input { index })
    }

    pub(crate) fn optional(&self, index: usize) -> Option<&'a Fact> {
        self.inputs.get(index).copied().flatten()
    }

    /// Refuses a node with other than `range` inputs.
    pub(crate) fn arity(&self, least: usize, most: usize) -> Result<(), NodeInvalid> {
        if self.inputs.len() > most {
            return Err(NodeInvalid::Input { index: most });
        }
        (0..least).try_for_each(|index| self.input(index).map(|_| ()))
    }

    /// An input that must be there, of one of these types.
    pub(crate) fn typed(&self, index: usize, allowed: &[ElementType]) -> Result<&'a Fact, NodeInvalid> {
        let fact = self.input(index)?;
        if allowed.contains(&fact.element) {
            Ok(fact)
        } else {
            Err(NodeInvalid::Element { index, element: fact.element })
        }
    }

    /// The whole numbers of an input that must be constant; `None` if it is left out.
    pub(crate) fn constant_integers(&self, index: usize) -> Result<Option<Vec<i64>>, NodeInvalid> {
        let Some(fact) = self.optional(index) else { return Ok(None) };
        let constant = fact.constant.as_ref().ok_or(NodeInvalid::NotConstant { index })?;
        match constant.values() {
            Values::I64(values) => Ok(Some(values.clone())),
            Values::I32(values) => Ok(Some(values.iter().map(|value| i64::from(*value)).collect())),
            _ => Err(NodeInvalid::Element { index, element: fact.element }),
        }
    }
}

/// What is at `axis`, which counts from the end if it is negative.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, NodeInvalid> {
    let length = i64::try_from(rank).unwrap_or(i64::MAX);
    let axis_from_start = if axis < 0 { axis.saturating_add(length) } else { axis };
    match usize::try_from(axis_from_start) {
        Ok(axis) if axis < rank => Ok(axis),
        _ => {
            Err(NodeInvalid::AttributeValue { name: "axis".to_owned(), what: "is outside of the dimensions" })
        }
    }
}

/// Batch and width of what the operators for tables take: one row, or rows of columns.
pub(crate) fn table(fact: &Fact, index: usize) -> Result<(Dim, Dim), NodeInvalid> {
    match fact.dims.as_slice() {
        [columns] => Ok((Dim::known(1), *columns)),
        [rows, columns] => Ok((*rows, *columns)),
        dims => Err(NodeInvalid::Rank { index, rank: dims.len() }),
    }
}

/// Rows and columns of a tensor for which [`table`] holds.
pub(crate) fn table_shape(tensor: &Tensor) -> Result<(usize, usize), NodeFailed> {
    match *tensor.shape() {
        [columns] => Ok((1, columns)),
        [rows, columns] => Ok((rows, columns)),
        _ => Err(shapes("a table has one or two dimensions")),
    }
}

/// An input of a running node that must be there.
pub(crate) fn input<'t>(inputs: &[Option<&'t Tensor>], index: usize) -> Result<&'t Tensor, NodeFailed> {
    inputs.get(index).copied().flatten().ok_or(NodeFailed::Promise)
}

/// Collects `count` results into a list that is as large as it has to be from the start: one that grows as it goes
/// takes up to three times the memory that was promised.
pub(crate) fn collect<T, E>(count: usize, results: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    let mut list = Vec::with_capacity(count);
    for result in results {
        list.push(result?);
    }
    Ok(list)
}

/// The attributes of a node, taken one by one; what is left over is refused.
pub(crate) struct Attributes<'m> {
    left: Vec<(&'m str, AttributeMessage<'m>)>,
}

impl<'m> Attributes<'m> {
    pub(crate) fn new(attributes: Vec<(&'m str, AttributeMessage<'m>)>) -> Attributes<'m> {
        Attributes { left: attributes }
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), NodeInvalid> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(NodeInvalid::AttributeUnknown { name: (*name).to_owned() }),
        }
    }

    /// The names that graphs in the attributes, and graphs in those, use.
    pub(crate) fn names_in_graphs(&self) -> Vec<&'m str> {
        let mut names = Vec::new();
        names_in_graphs(&self.left, &mut names);
        names
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(other, _)| *other == name)
    }

    fn take(&mut self, name: &str) -> Option<AttributeMessage<'m>> {
        let index = self.left.iter().position(|(other, _)| *other == name)?;
        Some(self.left.swap_remove(index).1)
    }

    /// Takes an attribute that says nothing an interpreter needs.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.left.retain(|(name, _)| !names.contains(name));
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, NodeInvalid> {
        match self.take(name) {
            None => Ok(None),
            Some(AttributeMessage::Integer(value)) => Ok(Some(value)),
            Some(_) => Err(kind(name, "a whole number")),
        }
    }

    /// A whole number that says yes or no.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> Result<bool, NodeInvalid> {
        match self.integer(name)? {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(_) => Err(NodeInvalid::AttributeValue { name: name.to_owned(), what: "is neither 0 nor 1" }),
        }
    }

    pub(crate) fn float(&mut self, name: &str) -> Result<Option<f32>, NodeInvalid> {
        match self.take(name) {
            None => Ok(None),
            Some(AttributeMessage::Float(value)) => Ok(Some(value)),
            Some(_) => Err(kind(name, "a float")),
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<Arc<str>>, NodeInvalid> {
        match self.take(name) {
            None => Ok(None),
            Some(AttributeMessage::Text(value)) => text(name, value).map(Some),
            Some(_) => Err(kind(name, "a text")),
        }
    }

    /// An empty list if there is none.
    pub(crate) fn floats(&mut self, name: &str) -> Result<Vec<f32>, NodeInvalid> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(AttributeMessage::Floats(values)) => Ok(values),
            Some(_) => Err(kind(name, "a list of floats")),
        }
    }

    /// An empty list if there is none.
    pub(crate) fn integers(&mut self, name: &str) -> Result<Vec<i64>, NodeInvalid> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(AttributeMessage::Integers(values)) => Ok(values),
            Some(_) => Err(kind(name, "a list of whole numbers")),
        }
    }

    /// An empty list if there is none.
    pub(crate) fn byte_strings(&mut self, name: &str) -> Result<Vec<&'m [u8]>, NodeInvalid> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(AttributeMessage::Texts(values)) => Ok(values),
            Some(_) => Err(kind(name, "a list of texts")),
        }
    }

    /// An empty list if there is none.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<Arc<str>>, NodeInvalid> {
        self.byte_strings(name)?.into_iter().map(|value| text(name, value)).collect()
    }

    pub(crate) fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, NodeInvalid> {
        match self.take(name) {
            None => Ok(None),
            Some(AttributeMessage::Tensor(message)) => tensor(name, &message).map(Some),
            Some(_) => Err(kind(name, "a tensor")),
        }
    }

    pub(crate) fn graph(&mut self, name: &str) -> Result<GraphMessage<'m>, NodeInvalid> {
        match self.take(name) {
            None => Err(NodeInvalid::AttributeMissing { name: name.to_owned() }),
            Some(AttributeMessage::Graph(graph)) => Ok(*graph),
            Some(_) => Err(kind(name, "a graph")),
        }
    }

    /// One of two lists of labels, both of which may be absent.
    pub(crate) fn labels(&mut self, integers: &str, texts: &str) -> Result<Option<Labels>, NodeInvalid> {
        let (numbers, names) = (self.integers(integers)?, self.texts(texts)?);
        match (numbers.is_empty(), names.is_empty()) {
            (true, true) => Ok(None),
            (false, true) => Ok(Some(Labels::Integers(numbers))),
            (true, false) => Ok(Some(Labels::Texts(names))),
            (false, false) => Err(NodeInvalid::AttributeValue {
                name: texts.to_owned(),
                what: "is given beside labels of another kind",
            }),
        }
    }
}

pub(crate) fn names_in_graphs<'m>(attributes: &[(&'m str, AttributeMessage<'m>)], names: &mut Vec<&'m str>) {
    for (_, attribute) in attributes {
        let AttributeMessage::Graph(graph) = attribute else { continue };
        names.extend(graph.outputs.iter().map(|output| output.name));
        for node in &graph.nodes {
            names.extend(&node.inputs);
            names_in_graphs(&node.attributes, names);
        }
    }
}

fn kind(name: &str, expected: &'static str) -> NodeInvalid {
    NodeInvalid::AttributeKind { name: name.to_owned(), expected }
}

pub(crate) fn value(name: &str, what: &'static str) -> NodeInvalid {
    NodeInvalid::AttributeValue { name: name.to_owned(), what }
}

fn text(name: &str, bytes: &[u8]) -> Result<Arc<str>, NodeInvalid> {
    let text = std::str::from_utf8(bytes).map_err(|_| kind(name, "UTF-8"))?;
    if text.len() > crate::limits::TEXT_BYTES {
        return Err(value(name, "has a text longer than is allowed"));
    }
    Ok(Arc::from(text))
}

fn tensor(name: &str, message: &TensorMessage<'_>) -> Result<Tensor, NodeInvalid> {
    let invalid = |source| NodeInvalid::Tensor { name: name.to_owned(), source };
    message.to_tensor().map_err(|why| match why {
        crate::constant::ConstantInvalid::Tensor(source) => invalid(source),
        crate::constant::ConstantInvalid::External => value(name, "has its content in another file"),
        crate::constant::ConstantInvalid::Element(_) => {
            value(name, "has elements of a type that is not supported")
        }
        crate::constant::ConstantInvalid::Content(what) => value(name, what),
    })
}
