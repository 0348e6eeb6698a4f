//! A model: loaded once, checked to the end, run as often as one likes.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::bound::{Bound, Dim, Fact};
use crate::limits::{CALL_BYTES, CALL_STEPS, MODEL_BYTES, OPEN_DIMENSION, ROWS};
use crate::node::NodeFailed;
use crate::onnx::{AttributeMessage, GraphMessage, KindMessage, Malformed, ModelMessage, ValueMessage};
use crate::ops::{self, OperatorSets};
use crate::plan::{GraphInvalid, Plan};
use crate::signature::{Dimension, Port, Signature};
use crate::tensor::{ElementType, Tensor};

/// A model that is ready to run. It never changes, so any number of threads may run it at once.
#[derive(Debug)]
pub struct Model {
    plan: Plan,
    signature: Signature,
    memory: Bound,
    steps: Bound,
    most_rows: usize,
}

/// A file that is no model this crate can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadFailed {
    /// The file is too large.
    #[error("the model has {bytes} bytes, and {MODEL_BYTES} are the most")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// The file is not what an ONNX file should be.
    #[error("the file is not an ONNX model")]
    Malformed(#[from] Malformed),
    /// There is no graph in it.
    #[error("the file is not an ONNX model: it has no graph")]
    NoGraph,
    /// The model needs what this crate does not have. Everything of that kind is named at once.
    #[error("the model needs what is not supported: {}", what.join(", "))]
    Unsupported {
        /// Operators, operator sets, element types and other features, sorted.
        what: Vec<String>,
    },
    /// The graph is not valid.
    #[error("the graph is not valid")]
    Graph(#[from] GraphInvalid),
    /// Not even one row would fit into what a call may take.
    #[error(
        "one row may take {bytes} bytes and {steps} steps, and {CALL_BYTES} and {CALL_STEPS} are the most"
    )]
    TooMuch {
        /// Bytes of memory for one row.
        bytes: u64,
        /// Elementary steps for one row.
        steps: u64,
    },
}

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailed {
    /// An input that the model needs.
    #[error("the input `{name}` is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// An input that the model does not have.
    #[error("the model has no input `{name}`")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// An input that is given twice.
    #[error("the input `{name}` is given twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// An input of another type.
    #[error("the input `{name}` is of type {got}, and the model takes {expected}")]
    Element {
        /// Its name.
        name: String,
        /// The type it has.
        got: ElementType,
        /// The type the model takes.
        expected: ElementType,
    },
    /// An input of another shape.
    #[error("the input `{name}` has the shape {got:?}, which the model does not take")]
    Shape {
        /// Its name.
        name: String,
        /// The shape it has.
        got: Vec<usize>,
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
    /// More rows than memory and time are bounded for.
    #[error("{got} rows, and this model takes at most {most} in one call")]
    TooManyRows {
        /// The rows of the call.
        got: usize,
        /// The most that one call may bring.
        most: usize,
    },
    /// A node of the model failed.
    #[error("node `{node}` has no answer for this input")]
    Node {
        /// Its name, or that of its first output.
        node: String,
        /// Why.
        #[source]
        source: NodeFailed,
    },
}

impl RunFailed {
    /// Whether this crate is at fault, and neither the caller nor the model. Nothing here is worth trying again.
    pub fn is_defect(&self) -> bool {
        matches!(self, Self::Node { source, .. } if source.is_defect())
    }
}

impl Model {
    /// Reads an ONNX file and checks everything that can be checked before a call: names, order, operators, their
    /// attributes and types, and how much memory and work a call can take.
    ///
    /// # Errors
    /// When the file is not an ONNX model, needs something that is not supported, or would take too much.
    pub fn load(bytes: &[u8]) -> Result<Model, LoadFailed> {
        if bytes.len() > MODEL_BYTES {
            return Err(LoadFailed::TooLarge { bytes: bytes.len() });
        }
        let model = ModelMessage::decode(bytes)?;
        let mut unsupported = BTreeSet::new();
        if model.functions {
            unsupported.insert("functions of the model's own".to_owned());
        }
        let sets = OperatorSets::new(&model.operator_sets, &mut unsupported);
        let graph = model.graph.ok_or(LoadFailed::NoGraph)?;
        name_unsupported(&graph, &sets, &mut unsupported);
        let inputs = inputs(&graph, &mut unsupported);
        if !unsupported.is_empty() {
            return Err(LoadFailed::Unsupported { what: unsupported.into_iter().collect() });
        }
        let input_ports: Vec<Port> = inputs.iter().map(|(name, fact)| port(name, fact)).collect();
        let output_names: Vec<&str> = graph.outputs.iter().map(|output| output.name).collect();
        let planned = Plan::of(graph, inputs, &HashMap::new(), &sets)?;
        let output_ports = output_names
            .iter()
            .zip(&planned.outputs)
            .map(|(name, (fact, columns))| Port { columns: columns.clone(), ..port(name, fact) });
        let signature = Signature { outputs: output_ports.collect(), inputs: input_ports };
        let (memory, steps) = (planned.memory, planned.steps);
        let most = memory.rows_within(CALL_BYTES).min(steps.rows_within(CALL_STEPS)).min(ROWS as u64);
        if most == 0 {
            return Err(LoadFailed::TooMuch { bytes: memory.at(1), steps: steps.at(1) });
        }
        let most_rows = usize::try_from(most).unwrap_or(ROWS);
        Ok(Model { plan: planned.plan, signature, memory, steps, most_rows })
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Bytes that the tensors of one call take at most, those of the inputs included; texts are shared with the
    /// inputs and the model and are not counted. Proved from the graph when the model was loaded, whatever shapes
    /// the file declares.
    pub fn memory(&self) -> Bound {
        self.memory
    }

    /// Elementary steps (elements read or written, products, comparisons) of one call at most.
    pub fn steps(&self) -> Bound {
        self.steps
    }

    /// The most rows that one call may bring, so that memory and steps stay within the limits.
    pub fn most_rows(&self) -> usize {
        self.most_rows
    }

    /// Answers one call. Inputs are given by name, in any order; answers come in the order of
    /// [`Signature::outputs`].
    ///
    /// # Errors
    /// When the inputs are not those of the signature, bring too many rows, or hold values that a node has no
    /// answer for.
    pub fn run(&self, inputs: &[(&str, Tensor)]) -> Result<Vec<Tensor>, RunFailed> {
        let mut given = HashMap::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            if given.insert(*name, tensor).is_some() {
                return Err(RunFailed::Twice { name: (*name).to_owned() });
            }
        }
        let mut rows = None;
        let mut tensors = Vec::with_capacity(self.signature.inputs.len());
        for port in &self.signature.inputs {
            let tensor = given.remove(port.name.as_str());
            let tensor = tensor.ok_or_else(|| RunFailed::Missing { name: port.name.clone() })?;
            check(port, tensor, &mut rows)?;
            tensors.push(tensor.clone());
        }
        // In the caller's order, so that the same call fails in the same words.
        if let Some((name, _)) = inputs.iter().find(|(name, _)| given.contains_key(name)) {
            return Err(RunFailed::Unknown { name: (*name).to_owned() });
        }
        let rows = rows.unwrap_or(1);
        if rows > self.most_rows {
            return Err(RunFailed::TooManyRows { got: rows, most: self.most_rows });
        }
        let failed = |(node, source): (&str, NodeFailed)| RunFailed::Node { node: node.to_owned(), source };
        self.plan.run(tensors, rows as u64).map_err(failed)
    }
}

/// Holds an input of a call to the port that it is for.
fn check(port: &Port, tensor: &Tensor, rows: &mut Option<usize>) -> Result<(), RunFailed> {
    if tensor.element() != port.element {
        let (got, expected) = (tensor.element(), port.element);
        return Err(RunFailed::Element { name: port.name.clone(), got, expected });
    }
    let wrong_shape = || RunFailed::Shape { name: port.name.clone(), got: tensor.shape().to_vec() };
    if tensor.shape().len() != port.shape.len() {
        return Err(wrong_shape());
    }
    for (length, dimension) in tensor.shape().iter().zip(&port.shape) {
        match dimension {
            Dimension::Fixed(fixed) if length == fixed => {}
            Dimension::Open if *length <= OPEN_DIMENSION => {}
            Dimension::Fixed(_) | Dimension::Open => return Err(wrong_shape()),
            Dimension::Rows => match *rows.get_or_insert(*length) {
                expected if expected == *length => {}
                expected => {
                    return Err(RunFailed::RowsDiffer { name: port.name.clone(), got: *length, expected });
                }
            },
        }
    }
    Ok(())
}

fn port(name: &str, fact: &Fact) -> Port {
    let dimension = |dim: &Dim| match (*dim, dim.length()) {
        (Dim::ROWS, _) => Dimension::Rows,
        (_, Some(length)) => Dimension::Fixed(length),
        (_, None) => Dimension::Open,
    };
    let shape = fact.dims.iter().map(dimension).collect();
    Port { name: name.to_owned(), element: fact.element, shape, columns: None }
}

/// The inputs that a call brings: those that no constant stands for.
fn inputs<'m>(graph: &GraphMessage<'m>, unsupported: &mut BTreeSet<String>) -> Vec<(&'m str, Fact)> {
    let constants: HashSet<&str> = graph.initializers.iter().map(|constant| constant.name).collect();
    let mut inputs = Vec::new();
    for value in graph.inputs.iter().filter(|value| !constants.contains(value.name)) {
        match input(value) {
            Ok(fact) => inputs.push((value.name, fact)),
            Err(why) => {
                unsupported.insert(format!("input `{}` {why}", value.name));
            }
        }
    }
    inputs
}

fn input(value: &ValueMessage<'_>) -> Result<Fact, String> {
    let Some(KindMessage::Tensor { element, dims }) = &value.kind else {
        return Err("that is not a tensor".to_owned());
    };
    let Some(element) = ElementType::from_onnx(*element) else {
        return Err(format!("of element type {element}"));
    };
    let dims = dims.as_ref().ok_or_else(|| "without a number of dimensions".to_owned())?;
    let dims: Result<Vec<Dim>, String> =
        dims.iter().enumerate().map(|(axis, dim)| dimension(axis, *dim)).collect();
    Ok(Fact::new(element, dims?))
}

fn dimension(axis: usize, declared: Option<i64>) -> Result<Dim, String> {
    // Exporters write an open dimension as nothing, as a name, as 0 and as -1.
    match declared.filter(|length| !matches!(length, 0 | -1)) {
        None if axis == 0 => Ok(Dim::ROWS),
        None => Ok(Dim::at_most(Bound::fixed(OPEN_DIMENSION as u64))),
        Some(length) => match usize::try_from(length) {
            Ok(length) if length <= crate::limits::ELEMENTS => Ok(Dim::known(length)),
            _ => Err(format!("with a dimension of {length}")),
        },
    }
}

/// Adds everything in a graph, and in graphs inside it, that there is no support for.
fn name_unsupported(graph: &GraphMessage<'_>, sets: &OperatorSets, unsupported: &mut BTreeSet<String>) {
    if graph.sparse {
        unsupported.insert("sparse constants".to_owned());
    }
    for constant in &graph.initializers {
        if ElementType::from_onnx(constant.element).is_none() {
            unsupported.insert(format!("constant `{}` of element type {}", constant.name, constant.element));
        }
    }
    for node in &graph.nodes {
        if !ops::supports(node.domain, node.operator, sets) || !node.overload.is_empty() {
            let domain = if node.domain.is_empty() { "ai.onnx" } else { node.domain };
            unsupported.insert(format!("operator `{domain}.{}`", node.operator));
        }
        for (_, attribute) in &node.attributes {
            if let AttributeMessage::Graph(body) = attribute {
                name_unsupported(body, sets, unsupported);
            }
        }
    }
}
