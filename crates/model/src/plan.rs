//! From a graph to a list of steps in an order that works, with bounds on what they take; and running that list.

use std::collections::{HashMap, HashSet};

use crate::bound::{Bound, Fact};
use crate::constant::ConstantInvalid;
use crate::limits::{ELEMENTS, FOLDED_BYTES, FOLDED_STEPS, RANK};
use crate::node::{Attributes, Build, Built, NodeFailed, NodeInvalid, Operator, names_in_graphs};
use crate::onnx::{GraphMessage, NodeMessage};
use crate::ops::{self, OperatorSets};
use crate::signature::Labels;
use crate::tensor::Tensor;

/// Bytes that a call takes for each value of a graph and each input or output of its widest node, whatever they hold:
/// places, shapes, counts of who shares them, and small lists of an operator.
pub(crate) const BOOKKEEPING: u64 = 256;

/// Steps that a node takes, and each of its inputs and outputs, whatever they hold.
const NODE_STEPS: u64 = 192;

/// A graph that cannot be turned into steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphInvalid {
    /// Two values of one name.
    #[error("two values are named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A value that nothing makes.
    #[error("nothing makes the value `{name}`")]
    Undefined {
        /// The name.
        name: String,
    },
    /// Nodes that wait for each other.
    #[error("node `{node}` waits for its own result")]
    Cycle {
        /// One of them.
        node: String,
    },
    /// A constant without a name, or an input or output.
    #[error("an input, output or constant has no name")]
    Unnamed,
    /// A constant that is no tensor.
    #[error("the constant `{name}` is not valid")]
    Constant {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: ConstantInvalid,
    },
    /// A node that cannot be run.
    #[error("node `{node}` ({operator}) is not valid")]
    Node {
        /// Its name, or that of its first output.
        node: String,
        /// Its operator.
        operator: String,
        /// Why.
        #[source]
        source: NodeInvalid,
    },
    /// A node whose inputs are all constants and that has no answer for them.
    #[error("node `{node}` ({operator}) has only constant inputs and fails")]
    Folding {
        /// Its name, or that of its first output.
        node: String,
        /// Its operator.
        operator: String,
        /// Why.
        #[source]
        source: NodeFailed,
    },
}

/// Steps that turn inputs into outputs.
#[derive(Debug)]
pub(crate) struct Plan {
    constants: Vec<Tensor>,
    inputs: usize,
    slots: usize,
    steps: Vec<Step>,
    outputs: Vec<Source>,
}

#[derive(Debug)]
struct Step {
    node: String,
    operator: Box<dyn Operator>,
    inputs: Vec<Option<Source>>,
    /// A slot for every output that somebody reads, and what was promised of it.
    outputs: Vec<Option<(usize, Fact)>>,
    /// The slots that nobody reads after this step.
    dead: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Constant(usize),
    Slot(usize),
}

/// A plan and what follows from it.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) outputs: Vec<(Fact, Option<Labels>)>,
    /// Bytes of tensors alive at once.
    pub(crate) memory: Bound,
    /// Elementary steps.
    pub(crate) steps: Bound,
}

/// What the names of a graph stand for while it is being planned.
#[derive(Default)]
struct Planner<'a> {
    values: HashMap<&'a str, Known>,
    constants: Vec<Tensor>,
    slots: usize,
    steps: Vec<Step>,
    work: Bound,
    /// What constants may still be worked out.
    room: Room,
    /// Scratch memory of each step.
    scratch: Vec<Bound>,
    slot_bytes: Vec<Bound>,
}

/// Bytes and steps that working out constants while a model is loaded may take.
#[derive(Clone, Copy)]
struct Room {
    bytes: u64,
    steps: u64,
}

impl Default for Room {
    fn default() -> Room {
        Room { bytes: FOLDED_BYTES, steps: FOLDED_STEPS }
    }
}

impl Room {
    /// What is left after `bytes` and `steps` were taken, if there is as much and no call decides how much it is.
    fn after(self, bytes: Bound, steps: Bound) -> Option<Room> {
        let taken = |room: u64, bound: Bound| room.checked_sub(bound.fixed).filter(|_| bound.per_row == 0);
        Some(Room { bytes: taken(self.bytes, bytes)?, steps: taken(self.steps, steps)? })
    }
}

struct Known {
    source: Source,
    fact: Fact,
    columns: Option<Labels>,
}

impl Plan {
    /// Plans `graph`, whose inputs are `inputs` in this order and may use `around`, constants of graphs outside.
    pub(crate) fn of<'m>(
        mut graph: GraphMessage<'m>,
        inputs: Vec<(&'m str, Fact)>,
        around: &HashMap<&str, Fact>,
        sets: &OperatorSets,
    ) -> Result<Planned, GraphInvalid> {
        let mut planner = Planner::default();
        let input_count = inputs.len();
        for (name, fact) in inputs {
            let slot = planner.slot(&fact);
            planner.define(name, Known { source: Source::Slot(slot), fact, columns: None })?;
        }
        for constant in std::mem::take(&mut graph.initializers) {
            let tensor = constant
                .to_tensor()
                .map_err(|source| GraphInvalid::Constant { name: constant.name.to_owned(), source })?;
            let known = planner.constant(tensor);
            planner.define(constant.name, known)?;
        }
        for index in order(&graph, &planner.values, around)? {
            let node = std::mem::take(graph.nodes.get_mut(index).ok_or(GraphInvalid::Unnamed)?);
            planner.add(node, around, sets)?;
        }
        planner.finish(&graph, input_count, around)
    }

    /// Runs the steps on inputs that lie within the facts that the plan was made for.
    pub(crate) fn run(&self, inputs: Vec<Tensor>, rows: u64) -> Result<Vec<Tensor>, (&str, NodeFailed)> {
        let mut slots: Vec<Option<Tensor>> = inputs.into_iter().map(Some).collect();
        slots.resize(self.slots.max(self.inputs), None);
        for step in &self.steps {
            let failed = |source| (step.node.as_str(), source);
            let arguments: Vec<Option<&Tensor>> =
                step.inputs.iter().map(|source| self.read(&slots, (*source)?)).collect();
            let results = step.operator.run(&arguments, rows).map_err(failed)?;
            drop(arguments);
            for (index, output) in step.outputs.iter().enumerate() {
                let Some((slot, promised)) = output else { continue };
                let result = results.get(index).ok_or_else(|| failed(NodeFailed::Promise))?;
                if !keeps(result, promised, rows) {
                    return Err(failed(NodeFailed::Promise));
                }
                if let Some(place) = slots.get_mut(*slot) {
                    *place = Some(result.clone());
                }
            }
            for slot in &step.dead {
                if let Some(place) = slots.get_mut(*slot) {
                    *place = None;
                }
            }
        }
        let outputs: Option<Vec<Tensor>> =
            self.outputs.iter().map(|source| self.read(&slots, *source).cloned()).collect();
        outputs.ok_or(("", NodeFailed::Promise))
    }

    fn read<'t>(&'t self, slots: &'t [Option<Tensor>], source: Source) -> Option<&'t Tensor> {
        match source {
            Source::Constant(index) => self.constants.get(index),
            Source::Slot(slot) => slots.get(slot)?.as_ref(),
        }
    }
}

/// INVARIANT: what was promised when the model was loaded holds in every call; here is where that is asserted.
fn keeps(result: &Tensor, promised: &Fact, rows: u64) -> bool {
    result.element() == promised.element
        && result.shape().len() == promised.dims.len()
        && result.shape().iter().zip(&promised.dims).all(|(length, dim)| *length as u64 <= dim.most.at(rows))
}

/// The nodes that the outputs need, each after those that it needs itself.
fn order(
    graph: &GraphMessage<'_>,
    known: &HashMap<&str, Known>,
    around: &HashMap<&str, Fact>,
) -> Result<Vec<usize>, GraphInvalid> {
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            if known.contains_key(output) || makers.insert(output, index).is_some() {
                return Err(GraphInvalid::DuplicateName { name: (*output).to_owned() });
            }
        }
    }
    // Depth first, with a stack of our own: a file may hold a chain as long as it likes.
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; graph.nodes.len()];
    let mut sorted = Vec::new();
    let needs: Vec<Vec<&str>> = graph.nodes.iter().map(|node| needs(node, &makers)).collect();
    let undefined = |name: &str| GraphInvalid::Undefined { name: name.to_owned() };
    let find = |name: &str| match makers.get(name) {
        Some(maker) => Ok(Some(*maker)),
        None if known.contains_key(name) || around.contains_key(name) => Ok(None),
        None => Err(undefined(name)),
    };
    for output in &graph.outputs {
        let Some(root) = find(output.name)? else { continue };
        let mut stack = vec![(root, 0)];
        while let Some((index, next)) = stack.pop() {
            let (Some(needs), Some(state)) = (needs.get(index), states.get_mut(index)) else { continue };
            match (*state, next) {
                (State::Done, _) => continue,
                (State::Open, 0) => {
                    let node = graph.nodes.get(index).map(title).unwrap_or_default();
                    return Err(GraphInvalid::Cycle { node });
                }
                _ => *state = State::Open,
            }
            match needs.get(next) {
                None => {
                    *state = State::Done;
                    sorted.push(index);
                }
                Some(name) => {
                    stack.push((index, next + 1));
                    if !name.is_empty()
                        && let Some(maker) = find(name)?
                    {
                        stack.push((maker, 0));
                    }
                }
            }
        }
    }
    Ok(sorted)
}

/// What a node waits for: its inputs, and what graphs inside it use of this one.
fn needs<'m>(node: &NodeMessage<'m>, makers: &HashMap<&str, usize>) -> Vec<&'m str> {
    let mut inside = Vec::new();
    names_in_graphs(&node.attributes, &mut inside);
    inside.retain(|name| makers.contains_key(name));
    node.inputs.iter().copied().chain(inside).collect()
}

/// What to call a node in a message.
pub(crate) fn title(node: &NodeMessage<'_>) -> String {
    let name = if node.name.is_empty() { node.outputs.first().copied().unwrap_or("?") } else { node.name };
    name.to_owned()
}

impl<'m> Planner<'m> {
    fn define(&mut self, name: &'m str, known: Known) -> Result<(), GraphInvalid> {
        if name.is_empty() {
            return Err(GraphInvalid::Unnamed);
        }
        match self.values.insert(name, known) {
            None => Ok(()),
            Some(_) => Err(GraphInvalid::DuplicateName { name: name.to_owned() }),
        }
    }

    fn slot(&mut self, fact: &Fact) -> usize {
        self.slots += 1;
        self.slot_bytes.push(fact.bytes());
        self.slots - 1
    }

    fn constant(&mut self, tensor: Tensor) -> Known {
        self.constants.push(tensor.clone());
        let source = Source::Constant(self.constants.len() - 1);
        Known { source, fact: Fact::constant(tensor), columns: None }
    }

    fn add(
        &mut self,
        mut node: NodeMessage<'m>,
        around: &HashMap<&str, Fact>,
        sets: &OperatorSets,
    ) -> Result<(), GraphInvalid> {
        let (name, operator) = (title(&node), node.operator.to_owned());
        let invalid = |source| GraphInvalid::Node { node: name.clone(), operator: operator.clone(), source };
        for input in node.inputs.iter().filter(|input| !input.is_empty()) {
            if let Some(fact) = around.get(input)
                && !self.values.contains_key(input)
                && let Some(tensor) = &fact.constant
            {
                let known = self.constant(tensor.clone());
                self.values.insert(input, known);
            }
        }
        let known: Vec<Option<&Known>> = node.inputs.iter().map(|input| self.values.get(input)).collect();
        if known.iter().flatten().any(|known| known.columns.is_some()) {
            return Err(invalid(NodeInvalid::Disagree {
                what: "the result of a ZipMap is only for the caller",
            }));
        }
        let facts: Vec<Option<&Fact>> = known.iter().map(|known| known.map(|known| &known.fact)).collect();
        let inputs: Vec<Option<Source>> = known.iter().map(|known| known.map(|known| known.source)).collect();
        let mut attributes = Attributes::new(std::mem::take(&mut node.attributes));
        let scope = self.scope(&attributes.names_in_graphs(), around);
        let build = Build {
            version: sets.version(node.domain),
            attributes: &mut attributes,
            inputs: &facts,
            outputs: node.outputs.len(),
        };
        let built = ops::build(node.domain, &operator, build, sets, &scope).map_err(invalid)?;
        attributes.finish().map_err(invalid)?;
        if built.outputs.len() < node.outputs.len() {
            return Err(invalid(NodeInvalid::Outputs));
        }
        if built.outputs.iter().any(|fact| fact.dims.len() > RANK) {
            return Err(invalid(NodeInvalid::Disagree { what: "the output has too many dimensions" }));
        }
        let dims = || built.outputs.iter().flat_map(|fact| &fact.dims);
        if dims().any(|dim| dim.length().is_some_and(|length| length > ELEMENTS)) {
            return Err(invalid(NodeInvalid::Disagree {
                what: "the output has a dimension that is too long",
            }));
        }
        let read = facts.iter().flatten().fold(Bound::default(), |sum, fact| sum.plus(fact.turns()));
        if let Some((folded, room)) = fold(&facts, &built, self.room) {
            self.room = room;
            let folded = folded.map_err(|source| GraphInvalid::Folding {
                node: name.clone(),
                operator: operator.clone(),
                source,
            })?;
            for (output, tensor) in node.outputs.iter().zip(folded).filter(|(output, _)| !output.is_empty()) {
                let known = self.constant(tensor);
                self.define(output, known)?;
            }
            return Ok(());
        }
        let written = built.outputs.iter().fold(Bound::default(), |sum, fact| sum.plus(fact.turns()));
        let values = (1 + facts.len() + built.outputs.len()) as u64;
        let overhead = Bound::fixed(NODE_STEPS.saturating_mul(values));
        self.work = self.work.plus(read).plus(written).plus(built.steps).plus(overhead);
        self.step(name.clone(), &node, built, inputs)
    }

    fn step(
        &mut self,
        node: String,
        message: &NodeMessage<'m>,
        built: Built,
        inputs: Vec<Option<Source>>,
    ) -> Result<(), GraphInvalid> {
        let mut outputs = Vec::new();
        let mut scratch = built.scratch;
        for (index, fact) in built.outputs.into_iter().enumerate() {
            match message.outputs.get(index).copied().unwrap_or_default() {
                "" => {
                    // Made by the operator, and dropped at once.
                    scratch = scratch.plus(fact.bytes());
                    outputs.push(None);
                }
                name => {
                    let slot = self.slot(&fact);
                    outputs.push(Some((slot, fact.clone())));
                    let columns = built.columns.clone();
                    self.define(name, Known { source: Source::Slot(slot), fact, columns })?;
                }
            }
        }
        self.scratch.push(scratch);
        self.steps.push(Step { node, operator: built.operator, inputs, outputs, dead: Vec::new() });
        Ok(())
    }

    /// What a graph inside uses of the ones around it: constants.
    fn scope<'n>(&self, names: &[&'n str], around: &HashMap<&str, Fact>) -> HashMap<&'n str, Fact> {
        let find = |name: &str| self.values.get(name).map(|known| &known.fact).or_else(|| around.get(name));
        let facts = names.iter().filter_map(|name| Some((*name, find(name)?.clone())));
        facts.filter(|(_, fact)| fact.constant.is_some()).collect()
    }

    fn finish(
        mut self,
        graph: &GraphMessage<'m>,
        inputs: usize,
        around: &HashMap<&str, Fact>,
    ) -> Result<Planned, GraphInvalid> {
        let mut outputs = Vec::new();
        let mut facts = Vec::new();
        let mut names = HashSet::new();
        for output in &graph.outputs {
            if output.name.is_empty() {
                return Err(GraphInvalid::Unnamed);
            }
            if !names.insert(output.name) {
                return Err(GraphInvalid::DuplicateName { name: output.name.to_owned() });
            }
            if let Some(tensor) = around.get(output.name).and_then(|fact| fact.constant.as_ref())
                && !self.values.contains_key(output.name)
            {
                let known = self.constant(tensor.clone());
                self.values.insert(output.name, known);
            }
            let undefined = || GraphInvalid::Undefined { name: output.name.to_owned() };
            let known = self.values.get(output.name).ok_or_else(undefined)?;
            outputs.push(known.source);
            facts.push((known.fact.clone(), known.columns.clone()));
        }
        let memory = self.memory(&outputs, inputs);
        let plan = Plan { constants: self.constants, inputs, slots: self.slots, steps: self.steps, outputs };
        Ok(Planned { plan, outputs: facts, memory, steps: self.work })
    }

    /// Notes when each slot dies, and returns a bound on the bytes alive at any time.
    fn memory(&mut self, outputs: &[Source], inputs: usize) -> Bound {
        let mut read_later: HashSet<usize> = outputs.iter().filter_map(|source| slot_of(*source)).collect();
        for step in self.steps.iter_mut().rev() {
            let read = step.inputs.iter().flatten().filter_map(|source| slot_of(*source));
            let written = step.outputs.iter().flatten().map(|(slot, _)| *slot);
            for slot in read.chain(written) {
                if read_later.insert(slot) {
                    step.dead.push(slot);
                }
            }
        }
        let bytes = |slot: &usize| self.slot_bytes.get(*slot).copied().unwrap_or_default();
        let mut alive = (0..inputs).fold(Bound::default(), |sum, slot| sum.plus(bytes(&slot)));
        let mut peak = alive;
        for (step, scratch) in self.steps.iter().zip(&self.scratch) {
            let written = step.outputs.iter().flatten().map(|(slot, _)| bytes(slot));
            alive = written.fold(alive, Bound::plus);
            peak = peak.max(alive.plus(*scratch));
            // Inputs stay alive for as long as the caller holds them.
            let made_here = step.dead.iter().filter(|slot| **slot >= inputs);
            alive = made_here.map(bytes).fold(alive, Bound::minus);
        }
        let widest = self.steps.iter().map(|step| step.inputs.len() + step.outputs.len()).max().unwrap_or(0);
        peak.plus(Bound::fixed(BOOKKEEPING.saturating_mul((self.slots + widest + 8) as u64)))
    }
}

/// The outputs themselves and the room that is left, if all inputs are constants and there is room enough.
fn fold(
    facts: &[Option<&Fact>],
    built: &Built,
    room: Room,
) -> Option<(Result<Vec<Tensor>, NodeFailed>, Room)> {
    let inputs: Vec<Option<&Tensor>> =
        facts.iter().map(|fact| fact.and_then(|fact| fact.constant.as_ref())).collect();
    let constant = facts.iter().zip(&inputs).all(|(fact, input)| fact.is_some() == input.is_some());
    let bytes = built.outputs.iter().fold(built.scratch, |sum, fact| sum.plus(fact.bytes()));
    let steps = built.outputs.iter().fold(built.steps, |sum, fact| sum.plus(fact.turns()));
    if !constant || built.columns.is_some() {
        return None;
    }
    let left = room.after(bytes, steps)?;
    let folded = built.operator.run(&inputs, 0).and_then(|results| {
        let kept = results.iter().zip(&built.outputs).all(|(result, promised)| keeps(result, promised, 0));
        if kept { Ok(results) } else { Err(NodeFailed::Promise) }
    });
    Some((folded, left))
}

fn slot_of(source: Source) -> Option<usize> {
    if let Source::Slot(slot) = source { Some(slot) } else { None }
}
